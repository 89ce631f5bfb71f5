/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Connecting to an address: begun here, ended by the network, which is known when the socket has become writable. */
#include "io.h"

int socket_connect(int fd, const struct pawl_address *address)
{
    if (connect(fd, pawl_address_sockaddr(address), address->size) == 0) return 0;
    return errno == EINPROGRESS || errno == EINTR ? PAWL_EPENDING : -errno;
}

/* A wake without an end, before the system knows, waits on. */
int socket_connected(int fd)
{
    struct pawl_address peer = { .size = sizeof peer.of };
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -errno;
    if (error != 0) return -error;
    if (getpeername(fd, &sockaddr_of(&peer)->any, &peer.size) == 0) return 0;
    return errno == ENOTCONN ? PAWL_EPENDING : -errno;
}

static int connect_begin(struct pawl_connect_to *self, struct pawl_loop *loop)
{
    struct pawl_socket *const sock = self->sock;
    unsigned kind = KIND_SOCKET;
    if (sock->loop == NULL) {
        const int fd = socket_make(self->address->of.family, SOCK_STREAM, &kind);
        const int error = fd < 0 ? fd : socket_register(sock, loop, fd, kind);
        if (error != 0) return error;
    }
    return socket_connect(sock->watch.fd, self->address);
}

PAWL_LEAF(pawl_connect_to)
{
    PAWL_LEAF_BEGIN(pawl_connect_to);
    struct pawl_connect_to *const self = (struct pawl_connect_to *)(void *)co;
    struct pawl_socket *const sock = self->sock;
    const struct pawl_task *const task = pawl_leaf_task(root);
    if (co->point == BY_HAND) return pawl_leaf_done(co, error);
    if (co->point == START || co->point == GAVE_WAY) {
        const bool gave_way = co->point == GAVE_WAY;
        co->point = START;
        if (error != 0) return pawl_leaf_done(co, error);
        if (sock == NULL || self->address == NULL || self->address->size == 0) return pawl_leaf_done(co, PAWL_EINVAL);
        if (task == NULL) return socket_by_hand(co, root, &sock->writable);
        if (sock->loop != NULL) error = socket_check(co, task, sock, WRITING);
        if (error != 0) return pawl_leaf_done(co, error); /* somebody else's */
        if (!gave_way && ++sock->streak > STREAK) { /* to a Unix socket it never waits */
            sock->streak = 0;
            co->point = GAVE_WAY;
            return pawl_leaf_suspend(co, root);
        }
        error = connect_begin(self, pawl_task_loop(task));
    } else if (sock->loop == NULL || !operation_is_of(co, sock->opening)) {
        return pawl_leaf_done(co, error != 0 ? error : PAWL_ECLOSED); /* closed; what may be open there now is not this one's */
    } else if (error == 0) {
        error = socket_connected(sock->watch.fd);
    }
    if (error == PAWL_EPENDING) return socket_wait(co, root, sock, WRITING);
    if (error != 0) pawl_socket_close(sock);
    return socket_leave(co, sock, WRITING, error);
}
