/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * wait: a callback with each child, and a future of its own that is settled when there are enough. Those that are done
 * already tell so in the next iteration, as the others do.
 */
#include "children.h"

static void enough(void *argument)
{
    struct pawl_wait *const self = argument;
    if (!(self->enough.flags & PAWL_FUTURE_DONE)) future_complete(&self->enough, 0);
}

static bool is_enough(const struct pawl_wait *self, struct pawl_future *child)
{
    if (self->pending == 0 || self->until == PAWL_FIRST_COMPLETED) return true;
    if (self->until != PAWL_FIRST_ERROR || child->error == 0 || child->error == PAWL_ECANCELLED) return false;
    set_flags(child, PAWL_FUTURE_SEEN);
    return true;
}

static void child_done(void *argument)
{
    struct pawl_child *const child = argument;
    struct pawl_wait *const self = child->whose;
    self->pending--;
    if (!is_enough(self, child->future)) return;
    pawl_handle_cancel(&self->timer);
    enough(self);
}

static int wait_begin(struct pawl_wait *self, struct pawl_loop *loop)
{
    int error = 0;
    self->pending = self->count;
    if (self->span != PAWL_FOREVER) pawl_call_later(loop, &self->timer, self->span, enough, self);
    for (size_t i = 0; i < self->count && error == 0; i++) error = child_register(&self->children[i], self, loop, child_done);
    return error;
}

static void wait_end(struct pawl_wait *self)
{
    pawl_handle_cancel(&self->timer);
    children_leave(self->children, self->count);
    for (size_t i = 0; i < self->count; i++)
        if ((pawl_future_done)(self->children[i].future)) self->result++;
}

PAWL_LEAF(pawl_wait)
{
    PAWL_LEAF_BEGIN(pawl_wait);
    struct pawl_wait *const self = (struct pawl_wait *)(void *)co;
    if (co->point == 0) {
        struct pawl_task *const task = pawl_leaf_task(root);
        error = self->count == 0 || self->until > PAWL_FIRST_ERROR ? PAWL_EINVAL : children_check(self->children, self->count, task);
        if (error != 0) return pawl_leaf_done(co, error);
        co->point = 1;
        error = wait_begin(self, pawl_task_loop(task));
        if (error == 0) return pawl_leaf_await(co, root, &self->enough);
    }
    wait_end(self);
    return pawl_leaf_done(co, error);
}
