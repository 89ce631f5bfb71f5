/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Sockets. The port tells a watch what came up (an edge); a socket keeps that as state, and settles the future that a
 * waiting operation awaits. Every operation has the same shape:
 *
 *      try the system call ──EAGAIN──► the socket is dry: wait for `readable` or `writable` ──► try again
 *
 * A short read says that the socket is dry too: what comes later is a new edge. So a request-response exchange costs
 * one recv and one send a message, as with bare epoll, and no call only to hear EAGAIN. After a hang-up there may be no
 * more edges, and at urgent data a read stops short: then only EAGAIN says that a socket is dry.
 */
#define _GNU_SOURCE
#include <pawl/net.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_DRY = 1, WRITE_DRY = 2, HUNG_UP = 4 /* or urgent data */, READING = 8, WRITING = 16 };
enum { START = 0, WAITS = 1, BY_HAND = 2 };

/* ---- The socket ---- */

static struct pawl_socket *socket_of(struct pawl_watcher *watch)
{
    return (struct pawl_socket *)(void *)((char *)watch - offsetof(struct pawl_socket, watch));
}

static void notify(struct pawl_watcher *watch, unsigned events)
{
    struct pawl_socket *const sock = socket_of(watch);
    if (events & PAWL_WATCH_HANGUP) sock->state |= HUNG_UP;
    if (events & PAWL_WATCH_READ) {
        sock->state &= (uint8_t)~READ_DRY;
        pawl_future_settle(&sock->readable, 0);
    }
    if (events & PAWL_WATCH_WRITE) {
        sock->state &= (uint8_t)~WRITE_DRY;
        pawl_future_settle(&sock->writable, 0);
    }
}

/* Takes a descriptor over: registers it with the loop's port, or closes it. */
static int open_socket(struct pawl_socket *sock, struct pawl_loop *loop, int fd)
{
    struct pawl_port *const port = loop->port;
    *sock = (struct pawl_socket){ .watch = { .fd = fd, .notify = notify } };
    const int error = port->ops->watch ? port->ops->watch(port, &sock->watch) : PAWL_ENOSYS;
    if (error != 0) close(fd);
    else sock->loop = loop;
    return error;
}

void pawl_socket_close(struct pawl_socket *sock)
{
    struct pawl_loop *const loop = sock->loop;
    if (loop == NULL) return;
    sock->loop = NULL;
    sock->state = 0;
    loop->port->ops->unwatch(loop->port, &sock->watch);
    close(sock->watch.fd);
    sock->watch.fd = -1;
    pawl_future_settle(&sock->readable, PAWL_ECLOSED);
    pawl_future_settle(&sock->writable, PAWL_ECLOSED);
}

/* May this operation go on? 0 or an error; *by_hand when it only waits for what the test says. */
static int check(struct pawl_coro *root, const struct pawl_socket *sock, bool *by_hand)
{
    const struct pawl_task *const task = pawl_leaf_task(root);
    *by_hand = task == NULL;
    if (*by_hand || sock == NULL) return sock == NULL ? PAWL_EINVAL : 0;
    if (sock->loop == NULL) return PAWL_ECLOSED;
    return sock->loop != pawl_task_loop(task) ? PAWL_EINVAL : 0;
}

/* Begins an operation on a side of a socket, or goes on with it. A side is one operation's from its beginning to its end,
 * also between an event and the step that it leads to. */
static int occupy(struct pawl_coro *co, struct pawl_coro *root, struct pawl_socket *sock, unsigned side, int error, bool *by_hand)
{
    *by_hand = false;
    if (error != 0) return error;
    error = check(root, sock, by_hand);
    if (error != 0 || *by_hand || co->point != START) return error;
    if (sock->state & side) return PAWL_EBUSY;
    sock->state |= (uint8_t)side;
    return 0;
}

/* Ends an operation that has occupied its side. */
static struct pawl_coro *leave(struct pawl_coro *co, struct pawl_socket *sock, unsigned side, int error)
{
    sock->state &= (uint8_t)~side;
    return pawl_leaf_done(co, error);
}

/* Waits for its side. Somebody else may have come to wait for that future. */
static struct pawl_coro *wait_for(struct pawl_coro *co, struct pawl_coro *root, struct pawl_socket *sock, unsigned side)
{
    struct pawl_future *const ready = side == READING ? &sock->readable : &sock->writable;
    if (ready->awaitable.first != NULL) return leave(co, sock, side, PAWL_EBUSY);
    pawl_future_reset(ready);
    co->point = WAITS;
    return pawl_leaf_await(co, root, ready);
}

/* Ends an operation that may not even have begun. */
static struct pawl_coro *give_up(struct pawl_coro *co, struct pawl_socket *sock, unsigned side, int error)
{
    return co->point == WAITS ? leave(co, sock, side, error) : pawl_leaf_done(co, error);
}

static struct pawl_coro *wait_by_hand(struct pawl_coro *co, struct pawl_coro *root, struct pawl_future *side)
{
    pawl_future_reset(side);
    co->point = BY_HAND;
    return pawl_leaf_await(co, root, side);
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

static void no_delay(int fd)
{
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* ---- Addresses ---- */

static int resolve(const char *host, uint16_t port, int flags, struct sockaddr_storage *address, socklen_t *size)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | flags,
                                     .ai_family = host ? AF_UNSPEC : AF_INET,
                                     .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    switch (getaddrinfo(host, service, &hints, &found)) {
    case 0: break;
    case EAI_MEMORY: return PAWL_ENOMEM;
    default: return PAWL_EHOST;
    }
    memcpy(address, found->ai_addr, found->ai_addrlen);
    *size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

/* ---- Listening ---- */

static int bind_and_listen(int fd, const struct sockaddr_storage *address, socklen_t size, int backlog)
{
    const int one = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0) return -errno;
    if (bind(fd, (const struct sockaddr *)address, size) != 0) return -errno;
    return listen(fd, backlog) == 0 ? 0 : -errno;
}

int pawl_listen(struct pawl_socket *sock, const char *host, uint16_t port, int backlog)
{
    struct pawl_loop *const loop = pawl_loop_current();
    struct sockaddr_storage address;
    socklen_t size;
    if (sock == NULL || loop == NULL || backlog < 1) return PAWL_EINVAL;
    if (sock->loop != NULL) return PAWL_EBUSY;
    int error = resolve(host, port, AI_PASSIVE, &address, &size);
    if (error != 0) return error;
    const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    error = bind_and_listen(fd, &address, size, backlog);
    if (error != 0) {
        close(fd);
        return error;
    }
    return open_socket(sock, loop, fd);
}

int pawl_socket_port(const struct pawl_socket *sock)
{
    union {
        struct sockaddr_storage any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t size = sizeof address;
    if (sock == NULL || sock->loop == NULL) return PAWL_ECLOSED;
    if (getsockname(sock->watch.fd, (struct sockaddr *)&address, &size) != 0) return -errno;
    return ntohs(address.any.ss_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* ---- Accepting ---- */

/* A connection, or a negative errno; those that died in the queue are passed over. */
static int accept_one(int listener)
{
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) return fd;
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) return -errno;
    }
}

PAWL_LEAF(pawl_accept)
{
    PAWL_LEAF_BEGIN(pawl_accept);
    struct pawl_accept *const self = (struct pawl_accept *)(void *)co;
    struct pawl_socket *const listener = self->listener;
    bool by_hand;
    if (co->point == BY_HAND) return pawl_leaf_done(co, error);
    error = occupy(co, root, listener, READING, error, &by_hand);
    if (by_hand && error == 0) return wait_by_hand(co, root, &listener->readable);
    if (error != 0) return give_up(co, listener, READING, error);
    if (self->sock != NULL && self->sock->loop != NULL) return leave(co, listener, READING, PAWL_EBUSY);

    const int fd = accept_one(listener->watch.fd);
    if (would_block(-fd)) return wait_for(co, root, listener, READING);
    if (fd < 0) return leave(co, listener, READING, fd);
    no_delay(fd);
    self->result = fd;
    return leave(co, listener, READING, self->sock != NULL ? open_socket(self->sock, listener->loop, fd) : 0);
}

int pawl_socket_adopt(struct pawl_socket *sock, int fd)
{
    struct pawl_loop *const loop = pawl_loop_current();
    if (fd < 0) return PAWL_EINVAL;
    int error = sock == NULL || loop == NULL ? PAWL_EINVAL : sock->loop != NULL ? PAWL_EBUSY : 0;
    const int flags = error == 0 ? fcntl(fd, F_GETFL) : 0;
    if (error == 0 && (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0))) error = -errno;
    if (error == 0) return open_socket(sock, loop, fd);
    close(fd);
    return error;
}

/* ---- Connecting ---- */

/* Begins: 1 when it is on its way, 0 when it is done, or an error. */
static int connect_begin(struct pawl_connect *self, struct pawl_loop *loop)
{
    struct sockaddr_storage address;
    socklen_t size;
    int error = resolve(self->host, self->port, 0, &address, &size);
    if (error != 0) return error;
    const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    no_delay(fd);
    error = open_socket(self->sock, loop, fd);
    if (error != 0) return error;
    if (connect(fd, (const struct sockaddr *)&address, size) == 0) return 0;
    return errno == EINPROGRESS || errno == EINTR ? 1 : -errno;
}

/* Ended: the error that the socket has for it. A wake without an end, before the kernel knows, waits on. */
static int connect_outcome(const struct pawl_socket *sock)
{
    int error = 0;
    socklen_t size = sizeof error;
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof peer;
    if (getsockopt(sock->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -errno;
    if (error != 0) return -error;
    if (getpeername(sock->watch.fd, (struct sockaddr *)&peer, &peer_size) == 0) return 0;
    return errno == ENOTCONN ? 1 : -errno;
}

PAWL_LEAF(pawl_connect)
{
    PAWL_LEAF_BEGIN(pawl_connect);
    struct pawl_connect *const self = (struct pawl_connect *)(void *)co;
    const struct pawl_task *const task = pawl_leaf_task(root);
    if (co->point == BY_HAND) return pawl_leaf_done(co, error);
    if (co->point == START) {
        if (self->sock == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
        if (task == NULL) return wait_by_hand(co, root, &self->sock->writable);
        if (self->sock->loop != NULL) return pawl_leaf_done(co, PAWL_EBUSY);
        error = connect_begin(self, pawl_task_loop(task));
        self->sock->state |= WRITING; /* nobody sends before it is connected */
    } else if (!(self->sock->state & WRITING)) {
        return pawl_leaf_done(co, PAWL_ECLOSED); /* closed meanwhile; what may be open there now is not this one's */
    } else if (error == 0) {
        error = connect_outcome(self->sock);
    }
    if (error == 1) return wait_for(co, root, self->sock, WRITING);
    if (error != 0) pawl_socket_close(self->sock);
    return leave(co, self->sock, WRITING, error);
}

/* ---- Receiving and sending ---- */

/* One try: how many bytes; 0 is the end. Or an error; PAWL_EPENDING when the socket is dry. */
static ssize_t receive(struct pawl_socket *sock, void *data, size_t size)
{
    while ((sock->state & (READ_DRY | HUNG_UP)) != READ_DRY) {
        const ssize_t got = recv(sock->watch.fd, data, size, 0);
        if (got >= 0) {
            if ((size_t)got < size) sock->state |= READ_DRY;
            return got;
        }
        if (would_block(errno)) sock->state = (uint8_t)((sock->state | READ_DRY) & ~HUNG_UP);
        else if (errno != EINTR) return -errno;
    }
    return PAWL_EPENDING;
}

PAWL_LEAF(pawl_recv)
{
    PAWL_LEAF_BEGIN(pawl_recv);
    struct pawl_recv *const self = (struct pawl_recv *)(void *)co;
    struct pawl_socket *const sock = self->sock;
    bool by_hand;
    if (co->point == BY_HAND) return pawl_leaf_done(co, error);
    if (self->data == NULL || self->size == 0) return pawl_leaf_done(co, PAWL_EINVAL);
    error = occupy(co, root, sock, READING, error, &by_hand);
    if (by_hand && error == 0) return wait_by_hand(co, root, &sock->readable);
    if (error != 0) return give_up(co, sock, READING, error);

    const ssize_t got = receive(sock, self->data, self->size);
    if (got == PAWL_EPENDING) return wait_for(co, root, sock, READING);
    if (got < 0) return leave(co, sock, READING, (int)got);
    self->result = (size_t)got;
    return leave(co, sock, READING, 0);
}

/* As much as goes: 0 when all went, PAWL_EPENDING when the socket takes no more now, or an error. */
static int transmit(struct pawl_send *self)
{
    struct pawl_socket *const sock = self->sock;
    while (self->result < self->size) {
        if (sock->state & WRITE_DRY) return PAWL_EPENDING;
        const ssize_t put = send(sock->watch.fd, (const char *)self->data + self->result, self->size - self->result, MSG_NOSIGNAL);
        if (put >= 0) self->result += (size_t)put;
        else if (would_block(errno)) sock->state |= WRITE_DRY;
        else if (errno != EINTR) return -errno;
    }
    return 0;
}

PAWL_LEAF(pawl_send)
{
    PAWL_LEAF_BEGIN(pawl_send);
    struct pawl_send *const self = (struct pawl_send *)(void *)co;
    struct pawl_socket *const sock = self->sock;
    bool by_hand;
    if (co->point == BY_HAND) return pawl_leaf_done(co, error);
    if (self->data == NULL && self->size != 0) return pawl_leaf_done(co, PAWL_EINVAL);
    error = occupy(co, root, sock, WRITING, error, &by_hand);
    if (by_hand && error == 0) return wait_by_hand(co, root, &sock->writable);
    if (error != 0) return give_up(co, sock, WRITING, error);

    error = transmit(self);
    return error == PAWL_EPENDING ? wait_for(co, root, sock, WRITING) : leave(co, sock, WRITING, error);
}
