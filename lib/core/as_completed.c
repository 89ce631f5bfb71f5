/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * as_completed: what is done goes into a list, and those that wait for the next one are served from it; after the timeout each
 * that was not done counts as one that timed out.
 */
#include "children.h"

static void child_done(void *argument)
{
    struct pawl_child *const child = argument;
    struct pawl_as_completed *const each = child->whose;
    each->pending--;
    ring_append(&each->done.first, &child->handle.awaitable.link); /* idle by now, and so its link is free */
    pawl_wait_wake(&each->waiters, 0);
    if (each->pending == 0) pawl_handle_cancel(&each->timer);
}

static void on_timeout(void *argument)
{
    struct pawl_as_completed *const each = argument;
    children_leave(each->children, each->count);
    each->expired = each->pending;
    each->pending = 0;
    for (size_t i = 0; i < each->expired; i++) pawl_wait_wake(&each->waiters, 0);
}

int pawl_as_completed_begin(struct pawl_as_completed *each, struct pawl_child *children, size_t count, pawl_time span)
{
    struct pawl_task *const task = pawl_task_current();
    int error = children_check(children, count, task);
    if (error != 0) return error;
    *each = (struct pawl_as_completed){ .children = children, .count = count, .pending = count, .left = count };
    for (size_t i = 0; i < count && error == 0; i++) error = child_register(&children[i], each, pawl_task_loop(task), child_done);
    if (error == 0 && count > 0 && span != PAWL_FOREVER) pawl_call_later(pawl_task_loop(task), &each->timer, span, on_timeout, each);
    if (error != 0) pawl_as_completed_end(each);
    return error;
}

void pawl_as_completed_end(struct pawl_as_completed *each)
{
    if (each->children == NULL) return;
    pawl_handle_cancel(&each->timer);
    children_leave(each->children, each->count);
    pawl_wait_wake_all(&each->waiters, PAWL_EENDED);
    *each = (struct pawl_as_completed){ 0 };
}

static bool any_done(const struct pawl_as_completed *each)
{
    return each->done.first != NULL || each->expired > 0;
}

static int take_next(struct pawl_next_completed *self)
{
    struct pawl_link *const first = self->each->done.first;
    if (first == NULL) {
        self->each->expired--;
        return PAWL_ETIMEOUT;
    }
    ring_remove(&self->each->done.first, first);
    self->result = (struct pawl_child *)(void *)first;
    return 0;
}

PAWL_LEAF(pawl_next_completed)
{
    PAWL_LEAF_BEGIN(pawl_next_completed);
    struct pawl_next_completed *const self = (struct pawl_next_completed *)(void *)co;
    struct pawl_as_completed *const each = self->each;
    if (co->point == 0) {
        if (each->left == 0) return pawl_leaf_done(co, PAWL_EENDED);
        each->left--;
    } else {
        waiter_end(&each->waiters, &self->waiter);
        if (error != 0 && pawl_waiter_woken(&self->waiter) && any_done(each)) pawl_wait_wake(&each->waiters, 0);
    }
    if (error == 0 && each->children == NULL) error = PAWL_EENDED; /* it ended meanwhile */
    if (error != 0) return pawl_leaf_done(co, error);
    if (!any_done(each)) return waiter_begin(&each->waiters, &self->waiter, co, root);
    return pawl_leaf_done(co, take_next(self));
}
