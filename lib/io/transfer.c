/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Receiving and sending bytes, and waiting to be allowed to. */
#include "io.h"

#include <poll.h>
#include <unistd.h>

/* ---- One try ---- */

static ssize_t receive(struct pawl_socket *sock, void *data, size_t size)
{
    while (read_may_help(sock)) {
        const ssize_t got = sock->kind == KIND_FILE ? read(sock->watch.fd, data, size) : recv(sock->watch.fd, data, size, 0);
        if (got >= 0) {
            if (sock->kind == KIND_TCP && (size_t)got < size) sock->state |= READ_DRY;
            return got;
        }
        if (would_block(errno)) read_is_dry(sock);
        else if (errno != EINTR) return -errno;
    }
    return PAWL_EPENDING;
}

/* What write(2) on a broken pipe does besides returning an error does not happen. */
static ssize_t write_quietly(int fd, const struct iovec *parts, int count)
{
    struct quiet quiet;
    size_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    quiet_begin(&quiet);
    const ssize_t put = writev(fd, parts, count);
    const int error = errno;
    quiet_end(&quiet, put < 0 || (size_t)put < size);
    errno = error;
    return put;
}

enum { MOST_PARTS = 1024 /* IOV_MAX */ };

static ssize_t put_parts(const struct pawl_socket *sock, const struct iovec *parts, size_t count)
{
    if (count > MOST_PARTS) count = MOST_PARTS;
    if (sock->kind == KIND_FILE) return write_quietly(sock->watch.fd, parts, (int)count);
    if (count == 1) return send(sock->watch.fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL);
    /* the system only reads them */
    const struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = count };
    return sendmsg(sock->watch.fd, &message, MSG_NOSIGNAL);
}

static ssize_t transmit(struct pawl_socket *sock, const struct iovec *parts, size_t count)
{
    while (!(sock->state & WRITE_DRY)) {
        const ssize_t put = put_parts(sock, parts, count);
        if (put >= 0) return put;
        if (would_block(errno)) sock->state |= WRITE_DRY;
        else if (errno != EINTR) return -errno;
    }
    return PAWL_EPENDING;
}

ssize_t pawl_socket_try_recv(struct pawl_socket *sock, void *data, size_t size)
{
    if (sock == NULL || (data == NULL && size > 0)) return PAWL_EINVAL;
    return sock->loop == NULL ? PAWL_ECLOSED : receive(sock, data, size);
}

ssize_t pawl_socket_try_send_vector(struct pawl_socket *sock, const struct iovec *parts, size_t count)
{
    if (sock == NULL || (parts == NULL && count > 0)) return PAWL_EINVAL;
    if (sock->loop == NULL) return PAWL_ECLOSED;
    return count > 0 ? transmit(sock, parts, count) : 0;
}

ssize_t pawl_socket_try_send(struct pawl_socket *sock, const void *data, size_t size)
{
    const struct iovec part = { (void *)(uintptr_t)data, size };
    if (data == NULL && size > 0) return PAWL_EINVAL;
    return pawl_socket_try_send_vector(sock, &part, 1);
}

/* ---- recv and send ---- */

static int try_recv(struct pawl_coro *co)
{
    struct pawl_recv *const self = (struct pawl_recv *)(void *)co;
    const ssize_t got = receive(self->sock, self->data, self->size);
    if (got < 0) return (int)got;
    self->result = (size_t)got;
    return 0;
}

PAWL_LEAF(pawl_recv)
{
    PAWL_LEAF_BEGIN(pawl_recv);
    struct pawl_recv *const self = (struct pawl_recv *)(void *)co;
    if (self->sock == NULL || self->data == NULL || self->size == 0) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, READING, try_recv);
}

static int try_send_some(struct pawl_coro *co)
{
    struct pawl_send *const self = (struct pawl_send *)(void *)co;
    const struct iovec part = { (void *)(uintptr_t)self->data, self->size };
    const ssize_t put = self->size > 0 || self->sock->kind == KIND_SOCKET ? transmit(self->sock, &part, 1) : 0;
    if (put < 0) return (int)put;
    self->result = (size_t)put;
    return 0;
}

static int try_send(struct pawl_coro *co)
{
    struct pawl_send *const self = (struct pawl_send *)(void *)co;
    const size_t before = self->result;
    if (self->size == 0 && self->sock->kind == KIND_SOCKET) return try_send_some(co); /* may be an empty datagram */
    while (self->result < self->size) {
        if (self->result - before >= SHARE) return GIVES_WAY;
        const struct iovec part = { (char *)(uintptr_t)self->data + self->result, self->size - self->result };
        const ssize_t put = transmit(self->sock, &part, 1);
        if (put < 0) return (int)put;
        self->result += (size_t)put;
    }
    return 0;
}

static inline bool may_send(const struct pawl_send *self)
{
    return self->sock != NULL && (self->data != NULL || self->size == 0);
}

PAWL_LEAF(pawl_send)
{
    PAWL_LEAF_BEGIN(pawl_send);
    struct pawl_send *const self = (struct pawl_send *)(void *)co;
    if (!may_send(self)) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, WRITING, try_send);
}

PAWL_LEAF(pawl_send_some)
{
    PAWL_LEAF_BEGIN(pawl_send_some);
    struct pawl_send *const self = (struct pawl_send *)(void *)co;
    if (!may_send(self)) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, WRITING, try_send_some);
}

/* ---- Several buffers ---- */

/* Takes what has been sent off the front, and empty parts with it. */
static void take_off(struct pawl_send_vector *self, size_t put)
{
    self->result += put;
    while (self->count > 0 && put >= self->parts->iov_len) {
        put -= self->parts->iov_len;
        self->parts->iov_len = 0;
        self->parts++;
        self->count--;
    }
    if (put == 0) return;
    self->parts->iov_base = (char *)self->parts->iov_base + put;
    self->parts->iov_len -= put;
}

static int try_send_vector(struct pawl_coro *co)
{
    struct pawl_send_vector *const self = (struct pawl_send_vector *)(void *)co;
    const size_t before = self->result;
    for (take_off(self, 0); self->count > 0;) {
        if (self->result - before >= SHARE) return GIVES_WAY;
        const ssize_t put = transmit(self->sock, self->parts, self->count);
        if (put < 0) return (int)put;
        take_off(self, (size_t)put);
    }
    return 0;
}

PAWL_LEAF(pawl_send_vector)
{
    PAWL_LEAF_BEGIN(pawl_send_vector);
    struct pawl_send_vector *const self = (struct pawl_send_vector *)(void *)co;
    if (self->sock == NULL || (self->parts == NULL && self->count > 0)) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, WRITING, try_send_vector);
}

/* ---- For those who do it themselves ---- */

/* What another library has left there is not known: the system is asked. After an edge it need not be. */
static int try_wait_ready(struct pawl_coro *co)
{
    const struct pawl_wait_ready *const self = (struct pawl_wait_ready *)(void *)co;
    struct pawl_socket *const sock = self->sock;
    const bool reading = self->direction == PAWL_READABLE;
    const unsigned dry = reading ? READ_DRY : WRITE_DRY;
    if (co->point != WAITS || (sock->state & dry)) {
        struct pollfd asked = { .fd = sock->watch.fd, .events = reading ? POLLIN | POLLPRI | POLLRDHUP : POLLOUT };
        int count;
        do count = poll(&asked, 1, 0);
        while (count < 0 && errno == EINTR);
        if (count < 0) return -errno;
        if (count == 0) {
            sock->state |= (uint16_t)dry;
            return PAWL_EPENDING;
        }
    }
    sock->state &= (uint16_t)~dry;
    return 0;
}

PAWL_LEAF(pawl_wait_ready)
{
    PAWL_LEAF_BEGIN(pawl_wait_ready);
    struct pawl_wait_ready *const self = (struct pawl_wait_ready *)(void *)co;
    const bool reading = self->direction == PAWL_READABLE;
    if (self->sock == NULL || (!reading && self->direction != PAWL_WRITABLE)) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, reading ? READING : WRITING, try_wait_ready);
}
