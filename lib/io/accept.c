/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Accepting connections, at once or patiently. */
#include "io.h"

/* A connection, or a negative errno; those that died in the queue are passed over. The errors of the network that accept(2)
 * lists are those of one connection too. */
static int accept_one(int listener)
{
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) return fd;
        switch (errno) {
        case EINTR: case ECONNABORTED: case EPROTO: case ENETDOWN: case ENOPROTOOPT: case EHOSTDOWN: case ENONET: case EHOSTUNREACH:
        case ENETUNREACH: continue;
        default: return -errno;
        }
    }
}

static int try_accept(struct pawl_coro *co)
{
    struct pawl_accept *const self = (struct pawl_accept *)(void *)co;
    struct pawl_socket *const listener = self->listener;
    if (self->sock != NULL && self->sock->loop != NULL) return PAWL_EBUSY;
    if (listener->state & READ_DRY) return PAWL_EPENDING;
    const int fd = accept_one(listener->watch.fd);
    if (fd < 0) {
        if (!would_block(-fd)) return fd;
        listener->state |= READ_DRY;
        return PAWL_EPENDING;
    }
    if (listener->kind == KIND_TCP) socket_no_delay(fd);
    self->result = fd;
    return self->sock != NULL ? socket_register(self->sock, listener->loop, fd, listener->kind) : 0;
}

PAWL_LEAF(pawl_accept)
{
    PAWL_LEAF_BEGIN(pawl_accept);
    struct pawl_accept *const self = (struct pawl_accept *)(void *)co;
    if (self->listener == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->listener, READING, try_accept);
}

/* ---- Patiently ---- */

static const pawl_time FIRST_PAUSE = PAWL_MS(5), LONGEST_PAUSE = PAWL_SEC(1);

static bool may_pass(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM || error == -ENOSPC;
}

/* Once a listener: how often it happens is for the peers to say. */
static void report_pause(struct pawl_socket *listener, int error)
{
    if (listener->state & EXHAUSTED) return;
    listener->state |= EXHAUSTED;
    const struct pawl_failure failure = { .name = "pawl_accept_patiently", .error = error,
                                          .message = "cannot accept just now, and tries again" };
    pawl_loop_report(listener->loop, &failure);
}

ASYNC_PUBLIC(pawl_accept_patiently)
{
    ASYNC_BEGIN(pawl_accept_patiently);
    for (;;) {
        TRY_AWAIT(self->step.accept, pawl_accept(self->listener, self->sock));
        if (!may_pass(AWAIT_ERROR())) break;
        report_pause(self->listener, AWAIT_ERROR());
        self->pause = self->pause == 0 ? FIRST_PAUSE : self->pause * 2 > LONGEST_PAUSE ? LONGEST_PAUSE : self->pause * 2;
        AWAIT(self->step.sleep, pawl_sleep(self->pause));
    }
    if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
    ASYNC_RETURN(self->step.accept.result);
    ASYNC_END;
}
