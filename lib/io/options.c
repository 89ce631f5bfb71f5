/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Options of sockets: a table of what the system calls them, and of what they take. */
#include "io.h"

#include <limits.h>
#include <netinet/tcp.h>

struct option {
    int level, name, least, most;
};

enum { PROBES = 3, LONGEST_KEEPALIVE = 32767 };

static const struct option options[] = {
    [PAWL_NODELAY] = { IPPROTO_TCP, TCP_NODELAY, 0, 1 },
    [PAWL_REUSEADDR] = { SOL_SOCKET, SO_REUSEADDR, 0, 1 },
    [PAWL_REUSEPORT] = { SOL_SOCKET, SO_REUSEPORT, 0, 1 },
    [PAWL_KEEPALIVE] = { SOL_SOCKET, SO_KEEPALIVE, 0, LONGEST_KEEPALIVE },
    [PAWL_V6ONLY] = { IPPROTO_IPV6, IPV6_V6ONLY, 0, 1 },
    [PAWL_RECV_BUFFER] = { SOL_SOCKET, SO_RCVBUF, 1, INT_MAX },
    [PAWL_SEND_BUFFER] = { SOL_SOCKET, SO_SNDBUF, 1, INT_MAX },
    [PAWL_BROADCAST] = { SOL_SOCKET, SO_BROADCAST, 0, 1 },
    [PAWL_USER_TIMEOUT] = { IPPROTO_TCP, TCP_USER_TIMEOUT, 0, INT_MAX },
    [PAWL_NOTSENT_LOWAT] = { IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1, INT_MAX },
    [PAWL_DEFER_ACCEPT] = { IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, INT_MAX },
    [PAWL_FASTOPEN] = { IPPROTO_TCP, TCP_FASTOPEN, 0, INT_MAX },
    [PAWL_CREDENTIALS] = { SOL_SOCKET, SO_PASSCRED, 0, 1 },
};

static int put(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

static int get(int fd, int level, int name, int *value)
{
    socklen_t size = sizeof *value;
    return getsockopt(fd, level, name, value, &size) == 0 ? 0 : -errno;
}

/* Switched on last, when the times are right. */
static int put_keepalive(int fd, int seconds)
{
    if (seconds == 0) return put(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
    const int between = seconds / PROBES > 0 ? seconds / PROBES : 1;
    int error = put(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    if (error == 0) error = put(fd, IPPROTO_TCP, TCP_KEEPINTVL, between);
    if (error == 0) error = put(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
    return error == 0 ? put(fd, SOL_SOCKET, SO_KEEPALIVE, 1) : error;
}

static const struct option *look_up(const struct pawl_socket *sock, enum pawl_socket_option option, int *error)
{
    const bool known = sock != NULL && (unsigned)option < sizeof options / sizeof options[0];
    *error = !known ? PAWL_EINVAL : sock->loop == NULL ? PAWL_ECLOSED : 0;
    return known ? &options[option] : NULL;
}

int pawl_socket_set(struct pawl_socket *sock, enum pawl_socket_option option, int value)
{
    int error;
    const struct option *const o = look_up(sock, option, &error);
    if (error != 0) return error;
    if (value < o->least || value > o->most) return PAWL_EINVAL;
    return option == PAWL_KEEPALIVE ? put_keepalive(sock->watch.fd, value) : put(sock->watch.fd, o->level, o->name, value);
}

int pawl_socket_get(const struct pawl_socket *sock, enum pawl_socket_option option, int *value)
{
    int error, found = 0;
    const struct option *const o = look_up(sock, option, &error);
    if (error != 0 || value == NULL) return error != 0 ? error : PAWL_EINVAL;
    error = get(sock->watch.fd, o->level, o->name, &found);
    if (error == 0 && option == PAWL_KEEPALIVE && found) error = get(sock->watch.fd, IPPROTO_TCP, TCP_KEEPIDLE, &found);
    if (error == 0) *value = found;
    return error;
}
