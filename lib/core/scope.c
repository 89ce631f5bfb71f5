/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Deadlines, and the scopes and waits that have one.
 *
 *      (fresh) ──► ENTERED ──► LEFT
 *                     │
 *                     └──► EXPIRING ──► EXPIRED      its time came: the task was cancelled; it takes that back on the way out
 *
 * A deadline tells its own cancellation from those of others by the count of requests: if there are no more of them than when
 * it began, nobody else wants this task to end.
 */
#include "deadline.h"

#include <pawl/combinators.h>

enum { ENTERED = 1, EXPIRING, EXPIRED, LEFT };

static bool expire(struct pawl_deadline *deadline)
{
    if (deadline->state != ENTERED) return false;
    deadline->state = EXPIRING;
    return pawl_task_cancel(deadline->task);
}

static void on_time(void *argument)
{
    expire(argument);
}

/* A time that has passed is told in the next iteration, in its turn. */
static void arm(struct pawl_deadline *deadline, pawl_time when)
{
    struct pawl_loop *const loop = pawl_task_loop(deadline->task);
    deadline->when = when;
    if (when == PAWL_FOREVER) return;
    if (pawl_time_before(pawl_loop_time(loop), when)) pawl_call_at(loop, &deadline->timer, when, on_time, deadline);
    else pawl_call_soon(loop, &deadline->timer, on_time, deadline);
}

void deadline_begin(struct pawl_deadline *deadline, struct pawl_task *task, pawl_time when, bool relative)
{
    deadline->task = task;
    deadline->state = ENTERED;
    if (task == NULL) return; /* by hand: no clock */
    deadline->cancelling = (uint8_t)pawl_task_cancelling(task);
    deadline->pending = request_pending(task);
    if (relative && when != PAWL_FOREVER) when = pawl_time_after(pawl_loop_time(pawl_task_loop(task)), when);
    arm(deadline, when);
}

int deadline_end(struct pawl_deadline *deadline, int error)
{
    if (deadline->task == NULL) return error;
    pawl_handle_cancel(&deadline->timer);
    if (deadline->state != EXPIRING) {
        deadline->state = LEFT;
        return error;
    }
    deadline->state = EXPIRED;
    const bool nobody_else = take_request_back(deadline->task, deadline->cancelling, deadline->pending);
    return nobody_else && error == PAWL_ECANCELLED ? PAWL_ETIMEOUT : error;
}

PAWL_LEAF(pawl_timeout)
{
    PAWL_LEAF_BEGIN(pawl_timeout);
    struct pawl_timeout *const self = (struct pawl_timeout *)(void *)co;
    (void)error;
    if (co->point == 0) {
        deadline_begin(&self->deadline, pawl_leaf_task(root), self->deadline.when, self->relative);
        return pawl_leaf_done(co, 0);
    }
    const int before = pawl_scope_error(co), after = deadline_end(&self->deadline, before);
    return pawl_leaf_done(co, self->quiet && after != before ? 0 : after);
}

bool pawl_scope_cancel(struct pawl_timeout *scope)
{
    if (scope == NULL || scope->deadline.task == NULL || scope->deadline.state != ENTERED) return false;
    pawl_handle_cancel(&scope->deadline.timer);
    return expire(&scope->deadline);
}

int pawl_timeout_reschedule(struct pawl_timeout *scope, pawl_time when)
{
    if (scope == NULL || scope->deadline.state == 0 || scope->deadline.task == NULL) return PAWL_EINVAL;
    if (scope->deadline.state != ENTERED) return PAWL_EDONE;
    pawl_handle_cancel(&scope->deadline.timer);
    arm(&scope->deadline, when);
    return 0;
}

bool pawl_timeout_expired(const struct pawl_timeout *scope)
{
    return scope->deadline.state == EXPIRING || scope->deadline.state == EXPIRED;
}
