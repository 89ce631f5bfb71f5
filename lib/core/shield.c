/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * shield: a callback with the inner one, and a future of its own, the outer one, which is what a cancellation meets. An error that
 * comes when nobody waits any more is left unseen, and so reported (gh-86802).
 */
#include "core.h"

#include <pawl/combinators.h>

static void inner_done(void *argument)
{
    struct pawl_shield *const self = argument;
    if (!(self->outer.flags & PAWL_FUTURE_DONE)) future_complete(&self->outer, (pawl_future_error)(self->inner));
}

PAWL_LEAF(pawl_shield)
{
    PAWL_LEAF_BEGIN(pawl_shield);
    struct pawl_shield *const self = (struct pawl_shield *)(void *)co;
    if (co->point == 0) {
        struct pawl_task *const task = pawl_leaf_task(root);
        if (self->inner == NULL || task == NULL || of_other_loop(task, self->inner)) return pawl_leaf_done(co, PAWL_EINVAL);
        if (self->inner == &task->awaitable.awaitable) return pawl_leaf_done(co, PAWL_EDEADLK);
        if (self->inner->flags & PAWL_FUTURE_DONE) return pawl_leaf_done(co, (pawl_future_error)(self->inner));
        error = (pawl_future_add_callback)(self->inner, pawl_task_loop(task), &self->handle, inner_done, self);
        if (error != 0) return pawl_leaf_done(co, error);
        co->point = 1;
        return pawl_leaf_await(co, root, &self->outer);
    }
    pawl_handle_cancel(&self->handle);
    return pawl_leaf_done(co, error);
}
