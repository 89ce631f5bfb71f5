/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Connecting to whichever of several addresses answers first (RFC 8305), and to a host by name.
 *
 *      address 0   ●━━━━━━━━━━━━━━━━━━━━━━━━ … closed, since another one was first
 *      address 1       ●━━━━━━✗                it failed: the next one begins at once
 *      address 2              ●━━━━━━━━━━✓    connected: becomes the socket
 *      address 3                  ●━━━━━━━ … closed
 *                      └─ delay ─┘
 *
 * Each attempt is a descriptor with a watch of its own. What the watches and the timer have to tell they leave as flags, and
 * settle one future; the task then looks at all of them and takes the next step.
 */
#include "lookup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct pawl_attempt {
    struct pawl_watcher watch; /* .fd is -1 when it is over */
    struct pawl_connect_any *of;
    uint8_t kind;
    bool told; /* it has something to tell */
};

/* ---- What happens ---- */

static void notify(struct pawl_watcher *watch, unsigned events)
{
    struct pawl_attempt *const attempt = (struct pawl_attempt *)(void *)watch;
    if (!(events & PAWL_WATCH_WRITE)) return;
    attempt->told = true;
    pawl_future_settle(&attempt->of->progress, 0);
}

static void on_time(void *argument)
{
    struct pawl_connect_any *const self = argument;
    self->late = true;
    pawl_future_settle(&self->progress, 0);
}

/* ---- One attempt ---- */

static int watch_attempt(struct pawl_attempt *attempt, struct pawl_port *port)
{
    return port->ops->watch ? port->ops->watch(port, &attempt->watch) : PAWL_ENOSYS;
}

/* Its descriptor, which is not watched any more. */
static int take_out(struct pawl_connect_any *self, struct pawl_loop *loop, struct pawl_attempt *attempt)
{
    const int fd = attempt->watch.fd;
    loop->port->ops->unwatch(loop->port, &attempt->watch);
    attempt->watch.fd = -1;
    self->open--;
    return fd;
}

static int succeed(struct pawl_connect_any *self, struct pawl_loop *loop, const struct pawl_attempt *attempt, int fd)
{
    self->result = (size_t)(attempt - self->attempts);
    return socket_register(self->sock, loop, fd, attempt->kind);
}

/* PAWL_EPENDING when it is on its way, 0 when *sock is connected, or an error. */
static int begin_attempt(struct pawl_connect_any *self, struct pawl_loop *loop)
{
    const struct pawl_address *const address = &self->addresses[self->started];
    struct pawl_attempt *const attempt = &self->attempts[self->started++];
    unsigned kind = 0;
    const int fd = socket_make(address->of.family, SOCK_STREAM, &kind);
    *attempt = (struct pawl_attempt){ .watch = { .fd = -1, .notify = notify }, .of = self, .kind = (uint8_t)kind };
    if (fd < 0) return fd;
    int error = socket_connect(fd, address);
    if (error == 0) return succeed(self, loop, attempt, fd);
    attempt->watch.fd = fd;
    if (error == PAWL_EPENDING) error = watch_attempt(attempt, loop->port);
    if (error == 0) {
        self->open++;
        return PAWL_EPENDING;
    }
    attempt->watch.fd = -1;
    close(fd);
    return error;
}

/* The same for one that has been told something. */
static int look_at_attempt(struct pawl_connect_any *self, struct pawl_loop *loop, struct pawl_attempt *attempt)
{
    attempt->told = false;
    const int error = socket_connected(attempt->watch.fd);
    if (error == PAWL_EPENDING) return error;
    const int fd = take_out(self, loop, attempt);
    if (error == 0) return succeed(self, loop, attempt, fd);
    close(fd);
    return error;
}

/* ---- All of them ---- */

static void note_error(struct pawl_connect_any *self, int error)
{
    if (self->error == 0) self->error = (int16_t)error;
}

static void arm_timer(struct pawl_connect_any *self, struct pawl_loop *loop)
{
    pawl_handle_cancel(&self->timer);
    if (self->started < self->count) pawl_call_later(loop, &self->timer, self->delay, on_time, self);
}

/* Begins with the next addresses, up to one that is on its way. */
static int begin_attempts(struct pawl_connect_any *self, struct pawl_loop *loop)
{
    while (self->started < self->count) {
        const int error = begin_attempt(self, loop);
        if (error == PAWL_EPENDING) arm_timer(self, loop);
        if (error == 0 || error == PAWL_EPENDING) return error;
        note_error(self, error);
    }
    return PAWL_EPENDING;
}

/* Has one of them answered? *failed when one is over. */
static int look_at_attempts(struct pawl_connect_any *self, struct pawl_loop *loop, bool *failed)
{
    for (size_t i = 0; i < self->started; i++) {
        if (!self->attempts[i].told) continue;
        const int error = look_at_attempt(self, loop, &self->attempts[i]);
        if (error == 0) return 0;
        if (error == PAWL_EPENDING) continue;
        note_error(self, error);
        *failed = true;
    }
    return PAWL_EPENDING;
}

/* 0 when *sock is connected, PAWL_EPENDING when something is on its way, or the error. */
static int step(struct pawl_connect_any *self, struct pawl_loop *loop)
{
    bool next = self->started == 0 || self->late;
    if (self->sock->loop != NULL) return PAWL_EBUSY;
    int error = look_at_attempts(self, loop, &next);
    self->late = false;
    if (error == PAWL_EPENDING && next) error = begin_attempts(self, loop);
    return error == PAWL_EPENDING && self->open == 0 ? self->error : error;
}

static int check(const struct pawl_connect_any *self)
{
    if (self->sock == NULL || self->addresses == NULL || self->count == 0) return PAWL_EINVAL;
    for (size_t i = 0; i < self->count; i++)
        if (self->addresses[i].size == 0) return PAWL_EINVAL;
    return 0;
}

static int make_attempts(struct pawl_connect_any *self, const struct pawl_allocator *allocator)
{
    if (allocator == NULL || self->count > SIZE_MAX / sizeof *self->attempts) return PAWL_ENOMEM;
    self->attempts = allocator->allocate(allocator->context, self->count * sizeof *self->attempts);
    return self->attempts != NULL ? 0 : PAWL_ENOMEM;
}

static void end_attempts(struct pawl_connect_any *self, struct pawl_loop *loop)
{
    pawl_handle_cancel(&self->timer);
    for (size_t i = 0; i < self->started; i++)
        if (self->attempts[i].watch.fd >= 0) close(take_out(self, loop, &self->attempts[i]));
    loop->allocator->release(loop->allocator->context, self->attempts);
    self->attempts = NULL;
}

PAWL_LEAF(pawl_connect_any)
{
    PAWL_LEAF_BEGIN(pawl_connect_any);
    struct pawl_connect_any *const self = (struct pawl_connect_any *)(void *)co;
    const struct pawl_task *const task = pawl_leaf_task(root);
    struct pawl_loop *const loop = task != NULL ? pawl_task_loop(task) : NULL;
    if (co->point == BY_HAND) return pawl_leaf_done(co, error);
    if (co->point == START) {
        error = check(self);
        if (error == 0 && task == NULL) return socket_by_hand(co, root, &self->sock->writable);
        if (error == 0) error = make_attempts(self, loop->allocator);
        if (error != 0) return pawl_leaf_done(co, error);
        if (self->delay <= 0) self->delay = PAWL_MS(PAWL_ATTEMPT_DELAY_MS);
    }
    if (error == 0) error = step(self, loop);
    if (error == PAWL_EPENDING) {
        if (pawl_future_done(&self->progress)) pawl_future_reset(&self->progress);
        co->point = WAITS;
        return pawl_leaf_await(co, root, &self->progress);
    }
    end_attempts(self, loop);
    return pawl_leaf_done(co, error);
}

/* ---- By name ---- */

/* By hand the system is not touched, and there is nothing to look up. */
ASYNC_PUBLIC(pawl_connect)
{
    ASYNC_BEGIN(pawl_connect);
    if (self->sock == NULL) RAISE(PAWL_EINVAL);
    if (pawl_leaf_task(pawl_root_) == NULL) {
        if (pawl_future_done(&self->sock->writable)) pawl_future_reset(&self->sock->writable);
        AWAIT(&self->sock->writable);
        ASYNC_RETURN();
    }
    if (pawl_socket_is_open(self->sock)) RAISE(PAWL_EBUSY);
    const int error = pawl_address_parse(&self->by.number.address, self->host != NULL ? self->host : "127.0.0.1", self->port);
    if (error == 0) {
        AWAIT(self->by.number.connect, pawl_connect_to(self->sock, &self->by.number.address));
        ASYNC_RETURN();
    }
    if (error != PAWL_EHOST) RAISE(error);
    snprintf(self->service, sizeof self->service, "%u", (unsigned)self->port);
    WITH(self->by.name.found, pawl_getaddrinfo(self->host, self->service, AF_UNSPEC, SOCK_STREAM)) {
        AWAIT(self->by.name.connect, pawl_connect_any(self->sock, self->by.name.found.addresses, self->by.name.found.count, 0));
    } END_WITH;
    ASYNC_END;
}
