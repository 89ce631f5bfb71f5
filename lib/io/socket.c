/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Sockets: opening, closing, and what the port tells them. An event is kept as state (the side is not dry any more) and
 * settles the future that a waiting operation awaits.
 */
#include "io.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pawl_socket *socket_of(struct pawl_watcher *watch)
{
    return (struct pawl_socket *)(void *)((char *)watch - offsetof(struct pawl_socket, watch));
}

static void notify(struct pawl_watcher *watch, unsigned events)
{
    struct pawl_socket *const sock = socket_of(watch);
    if (events & PAWL_WATCH_HANGUP) sock->state |= HUNG_UP;
    if (events & PAWL_WATCH_READ) {
        sock->state &= (uint16_t)~READ_DRY;
        pawl_future_settle(&sock->readable, 0);
    }
    if (events & PAWL_WATCH_WRITE) {
        sock->state &= (uint16_t)~WRITE_DRY;
        pawl_future_settle(&sock->writable, 0);
    }
}

int socket_register(struct pawl_socket *sock, struct pawl_loop *loop, int fd, unsigned kind)
{
    struct pawl_port *const port = loop->port;
    const unsigned opening = sock->opening + 1u;
    *sock = (struct pawl_socket){ .watch = { .fd = fd, .notify = notify }, .opening = (uint16_t)opening, .kind = (uint8_t)kind,
                                  .streak = sock->streak };
    sock->readable.flags = sock->writable.flags = PAWL_FUTURE_SHARED; /* several may wait for what the system has to tell */
    const int error = port->ops->watch ? port->ops->watch(port, &sock->watch) : PAWL_ENOSYS;
    if (error != 0) close(fd);
    else sock->loop = loop;
    return error;
}

int pawl_socket_release(struct pawl_socket *sock)
{
    struct pawl_loop *const loop = sock != NULL ? sock->loop : NULL;
    if (loop == NULL) return PAWL_ECLOSED;
    const int fd = sock->watch.fd;
    sock->loop = NULL;
    sock->state = 0;
    loop->port->ops->unwatch(loop->port, &sock->watch);
    sock->watch.fd = -1;
    pawl_future_settle(&sock->readable, PAWL_ECLOSED);
    pawl_future_settle(&sock->writable, PAWL_ECLOSED);
    return fd;
}

void pawl_socket_close(struct pawl_socket *sock)
{
    const int fd = pawl_socket_release(sock);
    if (fd >= 0) close(fd); /* Linux has closed it, also after EINTR */
}

void socket_no_delay(int fd)
{
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

int socket_make(int family, int type, unsigned *kind)
{
    const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    *kind = type == SOCK_STREAM && family != AF_UNIX ? KIND_TCP : KIND_SOCKET;
    if (*kind == KIND_TCP) socket_no_delay(fd);
    return fd;
}

/* Can *sock be opened now? The loop that it will belong to, or an error. */
static int may_open(const struct pawl_socket *sock, struct pawl_loop **loop)
{
    *loop = pawl_loop_current();
    if (sock == NULL || *loop == NULL) return PAWL_EINVAL;
    return sock->loop != NULL ? PAWL_EBUSY : 0;
}

int pawl_socket_open(struct pawl_socket *sock, int family, int type)
{
    struct pawl_loop *loop;
    unsigned kind = KIND_SOCKET;
    const int error = may_open(sock, &loop);
    if (error != 0) return error;
    const int fd = socket_make(family, type, &kind);
    return fd < 0 ? fd : socket_register(sock, loop, fd, kind);
}

/* What sort of descriptor it is; a negative error for none at all. */
static int kind_of(int fd)
{
    int protocol;
    socklen_t size = sizeof protocol;
    if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0) return errno == ENOTSOCK ? KIND_FILE : -errno;
    return protocol == IPPROTO_TCP ? KIND_TCP : KIND_SOCKET;
}

static int make_non_blocking(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return (flags & O_NONBLOCK) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : -errno;
}

int pawl_socket_adopt(struct pawl_socket *sock, int fd)
{
    struct pawl_loop *loop;
    if (fd < 0) return PAWL_EINVAL;
    int error = may_open(sock, &loop);
    if (error == 0) error = make_non_blocking(fd);
    const int kind = error == 0 ? kind_of(fd) : error;
    if (kind >= 0) return socket_register(sock, loop, fd, (unsigned)kind);
    close(fd);
    return kind;
}

/* ---- Two at once ---- */

static int open_both(struct pawl_socket *a, struct pawl_socket *b, struct pawl_loop *loop, const int fds[2], unsigned kind)
{
    int error = socket_register(a, loop, fds[0], kind);
    if (error != 0) {
        close(fds[1]);
        return error;
    }
    error = socket_register(b, loop, fds[1], kind);
    if (error != 0) pawl_socket_close(a);
    return error;
}

static int may_open_both(const struct pawl_socket *a, const struct pawl_socket *b, struct pawl_loop **loop)
{
    const int error = may_open(a, loop);
    return error != 0 ? error : a == b ? PAWL_EINVAL : may_open(b, loop);
}

int pawl_socket_pair(struct pawl_socket *a, struct pawl_socket *b, int type)
{
    struct pawl_loop *loop;
    int fds[2];
    const int error = may_open_both(a, b, &loop);
    if (error != 0) return error;
    if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return -errno;
    return open_both(a, b, loop, fds, KIND_SOCKET);
}

int pawl_pipe(struct pawl_socket *a, struct pawl_socket *b)
{
    struct pawl_loop *loop;
    int fds[2];
    const int error = may_open_both(a, b, &loop);
    if (error != 0) return error;
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return -errno;
    return open_both(a, b, loop, fds, KIND_FILE);
}

/* ---- Binding and listening ---- */

int pawl_socket_bind(struct pawl_socket *sock, const struct pawl_address *address)
{
    if (sock == NULL || address == NULL) return PAWL_EINVAL;
    if (sock->loop == NULL) return PAWL_ECLOSED;
    return bind(sock->watch.fd, &sockaddr_of(address)->any, address->size) == 0 ? 0 : -errno;
}

int pawl_socket_listen(struct pawl_socket *sock, int backlog)
{
    if (sock == NULL || backlog < 1) return PAWL_EINVAL;
    if (sock->loop == NULL) return PAWL_ECLOSED;
    return listen(sock->watch.fd, backlog) == 0 ? 0 : -errno;
}

/* A Unix socket at that path to which nobody listens. */
static bool is_stale(const struct pawl_address *address)
{
    struct stat status;
    unsigned kind = KIND_SOCKET;
    if (sockaddr_of(address)->any.sa_family != AF_UNIX || sockaddr_of(address)->local.sun_path[0] == '\0') return false;
    if (lstat(sockaddr_of(address)->local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
    const int fd = socket_make(AF_UNIX, SOCK_STREAM, &kind);
    if (fd < 0) return false;
    const bool refused = connect(fd, &sockaddr_of(address)->any, address->size) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* Every address of this machine is those of IPv4 too, whatever the system's default is. */
static bool is_everything(const struct pawl_address *address)
{
    return address->of.family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&sockaddr_of(address)->v6.sin6_addr);
}

static int bind_and_listen(struct pawl_socket *sock, const struct pawl_address *address, int backlog)
{
    int error = sock->kind == KIND_TCP ? pawl_socket_set(sock, PAWL_REUSEADDR, 1) : 0;
    if (error == 0 && is_everything(address)) error = pawl_socket_set(sock, PAWL_V6ONLY, 0);
    if (error == 0) error = pawl_socket_bind(sock, address);
    if (error == -EADDRINUSE && is_stale(address) && unlink(sockaddr_of(address)->local.sun_path) == 0)
        error = pawl_socket_bind(sock, address);
    return error == 0 ? pawl_socket_listen(sock, backlog) : error;
}

int pawl_listen_at(struct pawl_socket *sock, const struct pawl_address *address, int backlog)
{
    if (address == NULL || backlog < 1) return PAWL_EINVAL;
    int error = pawl_socket_open(sock, sockaddr_of(address)->any.sa_family, SOCK_STREAM);
    if (error != 0) return error;
    error = bind_and_listen(sock, address, backlog);
    if (error != 0) pawl_socket_close(sock);
    return error;
}

int pawl_listen(struct pawl_socket *sock, const char *host, uint16_t port, int backlog)
{
    struct pawl_address address;
    struct pawl_loop *loop;
    int error = backlog < 1 ? PAWL_EINVAL : may_open(sock, &loop);
    if (error == 0) error = pawl_address_parse(&address, host, port);
    return error != 0 ? error : pawl_listen_at(sock, &address, backlog);
}

int pawl_datagram_open(struct pawl_socket *sock, int family, const struct pawl_address *address)
{
    int error = pawl_socket_open(sock, family, SOCK_DGRAM);
    if (error != 0 || address == NULL) return error;
    error = pawl_socket_bind(sock, address);
    if (error != 0) pawl_socket_close(sock);
    return error;
}

/* ---- Who and where ---- */

static int ask_address(const struct pawl_socket *sock, struct pawl_address *address, int (*ask)(int, struct sockaddr *, socklen_t *))
{
    if (sock == NULL || address == NULL) return PAWL_EINVAL;
    *address = (struct pawl_address){ .size = sizeof address->of };
    const int error = sock->loop == NULL ? PAWL_ECLOSED : ask(sock->watch.fd, &sockaddr_of(address)->any, &address->size) == 0 ? 0 : -errno;
    if (error != 0) *address = (struct pawl_address){ .size = 0 };
    return error;
}

static int own_name(int fd, struct sockaddr *address, socklen_t *size)
{
    return getsockname(fd, address, size);
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *size)
{
    return getpeername(fd, address, size);
}

int pawl_socket_address(const struct pawl_socket *sock, struct pawl_address *address)
{
    return ask_address(sock, address, own_name);
}

int pawl_socket_peer(const struct pawl_socket *sock, struct pawl_address *address)
{
    return ask_address(sock, address, peer_name);
}

int pawl_socket_port(const struct pawl_socket *sock)
{
    struct pawl_address address;
    if (sock == NULL) return PAWL_ECLOSED;
    const int error = pawl_socket_address(sock, &address);
    return error != 0 ? error : pawl_address_port(&address);
}

int pawl_socket_shutdown(struct pawl_socket *sock, int how)
{
    if (sock == NULL || sock->loop == NULL) return PAWL_ECLOSED;
    return shutdown(sock->watch.fd, how) == 0 ? 0 : -errno;
}

struct pawl_future *pawl_socket_ready(struct pawl_socket *sock, enum pawl_direction direction)
{
    const bool reading = direction == PAWL_READABLE;
    struct pawl_future *const ready = reading ? &sock->readable : &sock->writable;
    if (ready->flags & PAWL_FUTURE_DONE) pawl_future_reset(ready);
    sock->streak = 0;
    if (sock->loop == NULL) pawl_future_settle(ready, PAWL_ECLOSED);
    else if (!(sock->state & (reading ? READ_DRY : WRITE_DRY))) pawl_future_settle(ready, 0);
    return ready;
}
