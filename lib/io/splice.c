/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * From one socket to another, within the kernel: through a pipe, which is filled and emptied in turn.
 *
 *      from ──splice──► pipe ──splice──► to
 *        ▲ readable        waiting         ▲ writable
 *
 * It is filled only when it is empty, so that EAGAIN says which of the two sockets is dry. While it waits for one, the other one may be
 * closed; a handle waits for that, and then wakes it.
 */
#include "io.h"

#include <fcntl.h>
#include <unistd.h>

enum { PIPEFUL = 64 * 1024 };

static ssize_t splice_quietly(int from, int to, size_t size)
{
    struct quiet quiet;
    ssize_t moved;
    quiet_begin(&quiet);
    do moved = splice(from, NULL, to, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (moved < 0 && errno == EINTR);
    const int error = errno;
    quiet_end(&quiet, moved < (ssize_t)size);
    return moved < 0 ? -error : moved;
}

/* Fills the pipe: 1, 0 at the end, PAWL_EPENDING, or an error. */
static int fill(struct pawl_splice *self)
{
    const uint64_t left = self->size - self->result;
    if (!read_may_help(self->from)) return PAWL_EPENDING;
    const ssize_t got = splice_quietly(self->from->watch.fd, self->pipe[1], left < PIPEFUL ? (size_t)left : PIPEFUL);
    if (got >= 0) {
        self->waiting = (uint64_t)got;
        return got > 0;
    }
    if (!would_block((int)-got)) return (int)got;
    read_is_dry(self->from);
    return PAWL_EPENDING;
}

/* Empties it: 0, PAWL_EPENDING, or an error. */
static int empty(struct pawl_splice *self)
{
    while (self->waiting > 0) {
        if (self->to->state & WRITE_DRY) return PAWL_EPENDING;
        const ssize_t put = splice_quietly(self->pipe[0], self->to->watch.fd, (size_t)self->waiting);
        if (put >= 0) {
            self->waiting -= (uint64_t)put;
            self->result += (uint64_t)put;
        } else if (would_block((int)-put)) {
            self->to->state |= WRITE_DRY;
        } else {
            return (int)put;
        }
    }
    return 0;
}

static struct pawl_coro *end(struct pawl_coro *co, int error)
{
    struct pawl_splice *const self = (struct pawl_splice *)(void *)co;
    pawl_future_remove_callback(&self->other);
    for (int i = 0; i < 2; i++) {
        if (self->pipe[i] >= 0) close(self->pipe[i]);
        self->pipe[i] = -1;
    }
    if (co->point != START && self->openings[0] == self->from->opening) self->from->state &= (uint16_t)~READING;
    if (co->point != START && self->openings[1] == self->to->opening) self->to->state &= (uint16_t)~WRITING;
    return pawl_leaf_done(co, error);
}

static void wake_reader(void *argument)
{
    pawl_future_settle(&((struct pawl_splice *)argument)->from->readable, 0);
}

static void wake_writer(void *argument)
{
    pawl_future_settle(&((struct pawl_splice *)argument)->to->writable, 0);
}

static struct pawl_coro *wait_for_input(struct pawl_coro *co, struct pawl_coro *root)
{
    struct pawl_splice *const self = (struct pawl_splice *)(void *)co;
    if (self->to->writable.flags & PAWL_FUTURE_DONE) pawl_future_reset(&self->to->writable);
    pawl_future_add_callback(&self->to->writable, self->to->loop, &self->other, wake_reader, self);
    return socket_wait(co, root, self->from, READING);
}

static struct pawl_coro *wait_for_room(struct pawl_coro *co, struct pawl_coro *root)
{
    struct pawl_splice *const self = (struct pawl_splice *)(void *)co;
    if (self->from->readable.flags & PAWL_FUTURE_DONE) pawl_future_reset(&self->from->readable);
    pawl_future_add_callback(&self->from->readable, self->from->loop, &self->other, wake_writer, self);
    return socket_wait(co, root, self->to, WRITING);
}

/* Moves what goes. A pipeful is its share. */
static struct pawl_coro *move(struct pawl_coro *co, struct pawl_coro *root)
{
    struct pawl_splice *const self = (struct pawl_splice *)(void *)co;
    if (self->waiting == 0 && self->result < self->size) {
        const int filled = fill(self);
        if (filled == PAWL_EPENDING) return wait_for_input(co, root);
        if (filled <= 0) return end(co, filled);
    }
    const int error = empty(self);
    if (error == PAWL_EPENDING) return wait_for_room(co, root);
    if (error != 0 || self->result == self->size) return end(co, error);
    return socket_give_way(co, root, self->from, READING);
}

static int check(struct pawl_coro *co, const struct pawl_task *task, const struct pawl_splice *self)
{
    operation_occupy(co, co->point, self->openings[0]);
    const int error = socket_check(co, task, self->from, READING);
    operation_occupy(co, co->point, self->openings[1]);
    return error != 0 ? error : socket_check(co, task, self->to, WRITING);
}

/* Both sides are this one's from now on, whichever it waits for. */
static int begin(struct pawl_coro *co)
{
    struct pawl_splice *const self = (struct pawl_splice *)(void *)co;
    if (pipe2(self->pipe, O_NONBLOCK | O_CLOEXEC) != 0) return -errno;
    self->from->state |= READING;
    self->to->state |= WRITING;
    self->openings[0] = self->from->opening;
    self->openings[1] = self->to->opening;
    co->point = GAVE_WAY;
    return 0;
}

PAWL_LEAF(pawl_splice)
{
    PAWL_LEAF_BEGIN(pawl_splice);
    struct pawl_splice *const self = (struct pawl_splice *)(void *)co;
    const struct pawl_task *const task = pawl_leaf_task(root);
    if (co->point == BY_HAND) return pawl_leaf_done(co, error);
    if (self->from == NULL || self->to == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (error != 0) return end(co, error);
    if (task == NULL) return socket_by_hand(co, root, &self->from->readable);
    error = check(co, task, self);
    if (error != 0) return end(co, error);
    if (co->point == START) {
        error = begin(co);
        if (error != 0) return end(co, error);
        if (++self->from->streak > STREAK) return socket_give_way(co, root, self->from, READING);
    }
    pawl_future_remove_callback(&self->other);
    return move(co, root);
}
