/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What the operations of a socket share. Each has the same shape:
 *
 *      occupy a side ──► try the system call ──EAGAIN──► the side is dry: wait for `readable` or `writable` ──► try again
 *                             │
 *                             └──► leave the side, with a result or an error
 *
 * A side, reading or writing, is one operation's from its beginning to its end, also between an event and the step that it
 * leads to; so a second reader is told at once, and no event is shared.
 */
#ifndef PAWL_IO_H
#define PAWL_IO_H

#define _GNU_SOURCE
#include "sockaddr.h"

#include <pawl/socket.h>

#include <errno.h>
#include <signal.h>
#include <sys/uio.h>

/* sock->state. Dry: the last try said EAGAIN, or came back short. HUNG_UP: after a hang-up there may be no more edges, and at
 * urgent data a read stops short, so that only EAGAIN says that the socket is dry. EXHAUSTED: it was told that
 * there is nothing to accept with. */
enum { READ_DRY = 1, WRITE_DRY = 2, HUNG_UP = 4, READING = 8, WRITING = 16, EXHAUSTED = 32 };

/* sock->kind. A short read says that a TCP socket is dry: what comes later is a new edge. So a request and its answer cost one
 * recv and one send. Of nothing else that is true: a datagram is always short, a Unix socket stops where descriptors were sent,
 * a terminal after a line. */
enum { KIND_TCP, KIND_SOCKET, KIND_FILE /* a pipe or a terminal: read and write */ };

/* co->point of an operation. */
enum { START, WAITS, GAVE_WAY, BY_HAND };

/* Returned by a try beside 0, PAWL_EPENDING and errors: it has had its share for now. */
enum { GIVES_WAY = 1, STREAK = 64, SHARE = 1024 * 1024 /* bytes of one operation */ };

static inline bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* Could a read say anything but EAGAIN? And it has said that. */
static inline bool read_may_help(const struct pawl_socket *sock)
{
    return (sock->state & (READ_DRY | HUNG_UP)) != READ_DRY;
}

static inline void read_is_dry(struct pawl_socket *sock)
{
    sock->state = (uint16_t)((sock->state | READ_DRY) & ~HUNG_UP);
}

/* Registers a descriptor, which is non-blocking, with a loop as *sock, or closes it. 0 or an error. */
int socket_register(struct pawl_socket *sock, struct pawl_loop *loop, int fd, unsigned kind);

/* socket(2), non-blocking and not inherited: the descriptor, with its kind, or an error. */
int socket_make(int family, int type, unsigned *kind);

void socket_no_delay(int fd);

/* connect(2) begun, and ended: 0, PAWL_EPENDING when it is on its way, or -errno. */
int socket_connect(int fd, const struct pawl_address *address);
int socket_connected(int fd);

/* ---- SIGPIPE: what has no MSG_NOSIGNAL is called between these two ---- */

struct quiet {
    sigset_t before;
    bool pending;
};
void quiet_begin(struct quiet *quiet);
void quiet_end(const struct quiet *quiet, bool cut_short);

/* ---- The shape ---- */

static inline struct pawl_future *side_future(struct pawl_socket *sock, unsigned side)
{
    return side == READING ? &sock->readable : &sock->writable;
}

/* An operation that has occupied its side notes for which opening of the socket: closed and opened again, the socket is another one's, even
 * when that happens between an event and the step that it leads to. Of the errors in a leaf's header the second is free for this. */
static inline void operation_occupy(struct pawl_coro *co, unsigned point, unsigned opening)
{
    co->point = (uint16_t)point;
    co->errors[1] = (int16_t)opening;
}

static inline bool operation_is_of(const struct pawl_coro *co, unsigned opening)
{
    return co->point != START && (uint16_t)co->errors[1] == opening;
}

/* May this operation begin, or go on? */
static inline int socket_check(const struct pawl_coro *co, const struct pawl_task *task, const struct pawl_socket *sock, unsigned side)
{
    if (PAWL_UNLIKELY(sock->loop == NULL)) return PAWL_ECLOSED;
    if (PAWL_UNLIKELY(sock->loop != pawl_task_loop(task))) return PAWL_EINVAL;
    if (co->point == START) return PAWL_UNLIKELY(sock->state & side) ? PAWL_EBUSY : 0;
    return PAWL_LIKELY(operation_is_of(co, sock->opening)) ? 0 : PAWL_ECLOSED;
}

/* Ends an operation that has occupied its side, or, at START, not even that. */
static inline struct pawl_coro *socket_leave(struct pawl_coro *co, struct pawl_socket *sock, unsigned side, int error)
{
    if (operation_is_of(co, sock->opening)) sock->state &= (uint16_t)~side;
    return pawl_leaf_done(co, error);
}

/* Waits until the system has something to tell. */
static inline struct pawl_coro *socket_wait(struct pawl_coro *co, struct pawl_coro *root, struct pawl_socket *sock, unsigned side)
{
    struct pawl_future *const ready = side_future(sock, side);
    if (ready->flags & PAWL_FUTURE_DONE) pawl_future_reset(ready);
    sock->streak = 0;
    sock->state |= (uint16_t)side;
    operation_occupy(co, WAITS, sock->opening);
    return pawl_leaf_await(co, root, ready);
}

static inline struct pawl_coro *socket_give_way(struct pawl_coro *co, struct pawl_coro *root, struct pawl_socket *sock, unsigned side)
{
    sock->streak = 0;
    sock->state |= (uint16_t)side;
    operation_occupy(co, GAVE_WAY, sock->opening);
    return pawl_leaf_suspend(co, root);
}

/* By hand the system is not touched. */
static inline struct pawl_coro *socket_by_hand(struct pawl_coro *co, struct pawl_coro *root, struct pawl_future *future)
{
    if (future->flags & PAWL_FUTURE_DONE) pawl_future_reset(future);
    co->point = BY_HAND;
    return pawl_leaf_await(co, root, future);
}

/* An operation: `try_once` does it as far as it goes. */
static inline __attribute__((always_inline)) struct pawl_coro *socket_operate(struct pawl_coro *co, struct pawl_coro *root, int error,
                                                                              struct pawl_socket *sock, unsigned side,
                                                                              int (*try_once)(struct pawl_coro *co))
{
    const struct pawl_task *const task = pawl_leaf_task(root);
    if (PAWL_UNLIKELY(co->point == BY_HAND)) return pawl_leaf_done(co, error);
    if (PAWL_UNLIKELY(error != 0)) return socket_leave(co, sock, side, error);
    if (PAWL_UNLIKELY(task == NULL)) return socket_by_hand(co, root, side_future(sock, side));
    error = socket_check(co, task, sock, side);
    if (PAWL_UNLIKELY(error != 0)) return pawl_leaf_done(co, error);
    if (PAWL_UNLIKELY(co->point == START && ++sock->streak > STREAK)) return socket_give_way(co, root, sock, side);

    error = try_once(co);
    if (error == PAWL_EPENDING) return socket_wait(co, root, sock, side);
    if (error == GIVES_WAY) return socket_give_way(co, root, sock, side);
    return socket_leave(co, sock, side, error);
}

#endif
