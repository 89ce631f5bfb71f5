/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * gather registers one callback with each child and waits for a future of its own, which the callbacks settle: the
 * parent goes on two iterations after the last child ended, as in asyncio. wait_for is a timer that cancels the task in
 * which the awaited coroutine runs, and on the way out tells its own cancellation from that of others by the count of
 * cancel requests.
 */
#include "core.h"

#include <pawl/combinators.h>

/* ---- gather ---- */

static void settle_all(struct pawl_gather *gather, int error)
{
    future_complete(&gather->all.awaitable, error);
}

static void child_done(void *argument)
{
    struct pawl_child *const child = argument;
    struct pawl_gather *const gather = child->gather;
    const int error = (pawl_future_error)(child->future);
    gather->pending--;
    if (gather->all.awaitable.flags & PAWL_FUTURE_DONE) return;
    if (error != 0 && !gather->return_errors) {
        settle_all(gather, error);
    } else if (gather->pending == 0) {
        settle_all(gather, gather->cancelled ? PAWL_ECANCELLED : 0);
    }
}

/* Cancels the children. One that refuses and is not done waits, through others, for this very gather: it ends here. */
static bool gather_cancel(struct pawl_hooked_future *all)
{
    struct pawl_gather *const gather = (struct pawl_gather *)(void *)((char *)all - offsetof(struct pawl_gather, all));
    bool any = false, circle = false;
    for (size_t i = 0; i < gather->count; i++) {
        struct pawl_future *const child = gather->children[i].future;
        if ((pawl_future_cancel)(child)) any = true;
        else if (!(child->flags & PAWL_FUTURE_DONE)) circle = true;
    }
    if (any) gather->cancelled = true;
    if (circle && !any) settle_all(gather, PAWL_ECANCELLED);
    return any || circle;
}

/* Takes leave of the children that are still at work. */
static void gather_detach(struct pawl_gather *gather)
{
    for (size_t i = 0; i < gather->count; i++)
        if (pawl_handle_cancel(&gather->children[i].handle)) set_flags(gather->children[i].future, PAWL_FUTURE_SEEN);
}

static int gather_check(const struct pawl_gather *gather, const struct pawl_task *task)
{
    if (task == NULL || (gather->children == NULL && gather->count != 0)) return PAWL_EINVAL;
    for (size_t i = 0; i < gather->count; i++) {
        if (gather->children[i].future == NULL) return PAWL_EINVAL;
        if (pawl_handle_pending(&gather->children[i].handle)) return PAWL_EBUSY; /* another gather has it */
        if (gather->children[i].future == &task->awaitable.awaitable) return PAWL_EDEADLK;
    }
    return 0;
}

/* Registers with all that are not done, and counts those that are. */
static int gather_begin(struct pawl_gather *gather, struct pawl_loop *loop)
{
    gather->all.awaitable.flags = PAWL_FUTURE_HOOKED;
    gather->all.cancel = gather_cancel;
    gather->pending = gather->count;
    for (size_t i = 0; i < gather->count; i++) {
        struct pawl_child *const child = &gather->children[i];
        child->gather = gather;
        if (child->future->flags & PAWL_FUTURE_DONE) continue;
        const int error = (pawl_future_add_callback)(child->future, loop, &child->handle, child_done, child);
        if (error != 0) return error;
    }
    for (size_t i = 0; i < gather->count; i++)
        if (!pawl_handle_pending(&gather->children[i].handle)) child_done(&gather->children[i]);
    if (gather->count == 0) settle_all(gather, 0);
    return 0;
}

PAWL_LEAF(pawl_gather)
{
    PAWL_LEAF_BEGIN(pawl_gather);
    struct pawl_gather *const self = (struct pawl_gather *)(void *)co;
    if (co->point == 0) {
        struct pawl_task *const task = pawl_leaf_task(root);
        error = gather_check(self, task);
        if (error != 0) return pawl_leaf_done(co, error);
        co->point = 1;
        error = gather_begin(self, pawl_task_loop(task));
        if (error == 0) {
            if (!(self->all.awaitable.flags & PAWL_FUTURE_DONE)) return pawl_leaf_await(co, root, &self->all.awaitable);
            error = self->all.awaitable.error;
        }
    }
    gather_detach(self);
    return pawl_leaf_done(co, error);
}

/* ---- wait_for ---- */

enum { WAITS = 1, ENDS = 2 };

static void on_timeout(void *argument)
{
    struct pawl_wait_for *const self = argument;
    self->expired = true;
    pawl_task_cancel(self->task);
}

/* No time at all: what is not done is cancelled. Returns who runs next. */
static struct pawl_coro *wait_no_time(struct pawl_wait_for *self, struct pawl_coro *root)
{
    struct pawl_coro *const co = &self->awaitable;
    if (self->kind == PAWL_KIND_CORO) {
        struct pawl_coro *const callee = self->what;
        if (callee->state != PAWL_CORO_FRESH || callee->resume == NULL) return pawl_leaf_done(co, pawl_callee_error_(callee));
        pawl_enter_(callee, PAWL_ECANCELLED);
        return pawl_leaf_done(co, PAWL_ETIMEOUT);
    }
    struct pawl_future *const future = pawl_future_of_(self->what, self->kind);
    if (future->flags & PAWL_FUTURE_DONE) return pawl_leaf_done(co, (pawl_future_error)(future));
    (pawl_future_cancel)(future);
    if (future->flags & PAWL_FUTURE_DONE) return pawl_leaf_done(co, PAWL_ETIMEOUT);
    co->point = ENDS;
    return pawl_leaf_await(co, root, future);
}

/* Starts to wait: co, with *error, when that is over at once. */
static struct pawl_coro *wait_begin(struct pawl_wait_for *self, struct pawl_coro *root, int *error)
{
    struct pawl_coro *const co = &self->awaitable;
    co->point = WAITS;
    if (self->kind == PAWL_KIND_CORO) {
        struct pawl_coro *const callee = self->what;
        *error = pawl_callee_error_(callee);
        if (!pawl_callee_ready_(co, callee)) return co;
        struct pawl_coro *const next = pawl_descend_(root, callee);
        if (next == co) *error = callee->errors[0];
        return next;
    }
    struct pawl_future *const future = pawl_future_of_(self->what, self->kind);
    *error = pawl_look_(future, self->kind);
    return *error == PAWL_GOES_ON_ ? pawl_leaf_await(co, root, future) : co;
}

static int wait_end(struct pawl_wait_for *self, int error)
{
    if (self->task == NULL) return error;
    pawl_handle_cancel(&self->timer);
    if (self->expired && pawl_task_uncancel(self->task) <= self->cancelling && error == PAWL_ECANCELLED) return PAWL_ETIMEOUT;
    return error;
}

PAWL_LEAF(pawl_wait_for)
{
    PAWL_LEAF_BEGIN(pawl_wait_for);
    struct pawl_wait_for *const self = (struct pawl_wait_for *)(void *)co;
    if (co->point == 0) {
        if (self->what == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
        self->task = pawl_leaf_task(root);
        if (self->task != NULL) {
            self->cancelling = (uint8_t)pawl_task_cancelling(self->task);
            if (self->span <= 0) return wait_no_time(self, root);
            pawl_call_later(pawl_task_loop(self->task), &self->timer, self->span, on_timeout, self);
        }
        struct pawl_coro *const next = wait_begin(self, root, &error);
        if (next != co) return next;
    } else if (co->point == ENDS) {
        const bool mine = error == PAWL_ECANCELLED && pawl_task_cancelling(self->task) <= self->cancelling;
        return pawl_leaf_done(co, mine ? PAWL_ETIMEOUT : error);
    }
    return pawl_leaf_done(co, wait_end(self, error));
}
