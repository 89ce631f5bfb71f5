/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * wait_for: a deadline around one awaitable. A span that is over before it begins is another matter: what is not done is
 * cancelled, and its end is awaited through a callback, so that this wait can itself be cancelled.
 */
#include "deadline.h"

#include <pawl/combinators.h>

enum {
    WAITS = 1,
    ENDS = 2,
    TURNS_TO_END = 2 /* iterations in which a task that is cancelled ends, and tells so */
};

static void has_ended(void *argument)
{
    struct pawl_wait_for *const self = argument;
    if (!(self->ended.flags & PAWL_FUTURE_DONE)) future_complete(&self->ended, 0);
}

static void turn(void *argument)
{
    struct pawl_wait_for *const self = argument;
    if (--self->turns > 0) pawl_call_soon(pawl_job_loop_(&self->deadline.timer.awaitable), &self->deadline.timer, turn, self);
    else has_ended(self);
}

/* A coroutine that never starts. It has no task whose end could be awaited, and takes as many turns as that would. */
static struct pawl_coro *end_coroutine(struct pawl_wait_for *self, struct pawl_coro *root, struct pawl_loop *loop)
{
    struct pawl_coro *const co = &self->awaitable, *const callee = self->what;
    if (callee->state != PAWL_CORO_FRESH || callee->resume == NULL) return pawl_leaf_done(co, pawl_callee_error_(callee));
    pawl_enter_(callee, PAWL_ECANCELLED);
    self->turns = TURNS_TO_END;
    pawl_call_soon(loop, &self->deadline.timer, turn, self);
    co->point = ENDS;
    return pawl_leaf_await(co, root, &self->ended);
}

/* No time at all: what is not done is cancelled. Returns who runs next. */
static struct pawl_coro *wait_no_time(struct pawl_wait_for *self, struct pawl_coro *root, struct pawl_task *task)
{
    struct pawl_coro *const co = &self->awaitable;
    if (self->kind == PAWL_KIND_CORO) return end_coroutine(self, root, pawl_task_loop(task));
    struct pawl_future *const future = pawl_future_of_(self->what, self->kind);
    int error = pawl_look_(future, self->kind);
    if (error != PAWL_GOES_ON_) return pawl_leaf_done(co, error);
    if (future == &task->awaitable.awaitable) return pawl_leaf_done(co, PAWL_EDEADLK);
    if (of_other_loop(task, future)) return pawl_leaf_done(co, PAWL_EINVAL);
    error = (pawl_future_add_callback)(future, pawl_task_loop(task), &self->deadline.timer, has_ended, self);
    if (error != 0) return pawl_leaf_done(co, error);
    (pawl_future_cancel)(future);
    co->point = ENDS;
    return pawl_leaf_await(co, root, &self->ended);
}

/* It has ended, or this wait was cancelled. */
static int no_time_over(struct pawl_wait_for *self, int error)
{
    pawl_handle_cancel(&self->deadline.timer);
    if (error != 0) return error;
    if (self->kind == PAWL_KIND_CORO) return PAWL_ETIMEOUT;
    error = (pawl_future_error)(pawl_future_of_(self->what, self->kind));
    return error == PAWL_ECANCELLED ? PAWL_ETIMEOUT : error;
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

static struct pawl_coro *wait_fresh(struct pawl_wait_for *self, struct pawl_coro *root)
{
    struct pawl_task *const task = pawl_leaf_task(root);
    struct pawl_coro *const co = &self->awaitable;
    int error = 0;
    if (self->what == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (task != NULL && self->span <= 0) return wait_no_time(self, root, task);
    deadline_begin(&self->deadline, task, self->span, true);
    struct pawl_coro *const next = wait_begin(self, root, &error);
    return next == co ? pawl_leaf_done(co, deadline_end(&self->deadline, error)) : next;
}

PAWL_LEAF(pawl_wait_for)
{
    PAWL_LEAF_BEGIN(pawl_wait_for);
    struct pawl_wait_for *const self = (struct pawl_wait_for *)(void *)co;
    switch (co->point) {
    case 0: return wait_fresh(self, root);
    case WAITS: return pawl_leaf_done(co, deadline_end(&self->deadline, error));
    default: return pawl_leaf_done(co, no_time_over(self, error));
    }
}
