/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * select: a handle with each arm that runs in the moment in which the arm ends, not in the next iteration, so that the
 * others are cancelled before any of them runs on.
 *
 *      point 1     waits for the last arm to end; a cancellation cancels the arms, and the wait goes on
 */
#include "children.h"

static bool is_arm(const struct pawl_select *self, const struct pawl_child *child)
{
    return child->whose == self;
}

static void cancel_arms(const struct pawl_select *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (is_arm(self, &self->children[i])) (pawl_future_cancel)(self->children[i].future);
}

static void decide(struct pawl_select *self, size_t arm)
{
    if (self->decided) return;
    self->decided = true;
    self->result = arm;
    self->error = (int16_t)(pawl_future_error)(self->children[arm].future);
    cancel_arms(self);
}

static void arm_ended(void *argument)
{
    struct pawl_child *const child = argument;
    struct pawl_select *const self = child->whose;
    self->pending--;
    decide(self, (size_t)(child - self->children));
    if (self->pending == 0 && !(self->ended.flags & PAWL_FUTURE_DONE)) future_complete(&self->ended, 0);
}

/* Registers with one that is not done. */
static int arm_begin(struct pawl_select *self, struct pawl_child *child, struct pawl_loop *loop)
{
    const int error = child_register(child, self, loop, arm_ended);
    if (error != 0) return error;
    set_flags(&child->handle.awaitable.awaitable, PAWL_FUTURE_AT_ONCE);
    self->pending++;
    return 0;
}

/* May it be an arm? An entry that may not is an error, but the others may have been started in this very frame, and end first. */
static bool may_be_arm(const struct pawl_child *child, const struct pawl_task *task)
{
    return child->future != NULL && child->future != &task->awaitable.awaitable && !of_other_loop(task, child->future) &&
           !pawl_handle_pending(&child->handle);
}

/* The first that is done has won. */
static void select_begin(struct pawl_select *self, struct pawl_task *task)
{
    size_t winner = self->count;
    int error = self->count == 0 ? PAWL_EINVAL : children_check(self->children, self->count, task);
    for (size_t i = 0; i < self->count; i++) {
        struct pawl_child *const child = &self->children[i];
        if (!may_be_arm(child, task)) continue;
        if (!(child->future->flags & PAWL_FUTURE_DONE)) {
            const int refused = arm_begin(self, child, pawl_task_loop(task));
            if (error == 0) error = refused;
        } else if (winner == self->count) {
            winner = i;
        }
    }
    if (error != 0) {
        self->decided = true;
        self->error = (int16_t)error;
        cancel_arms(self);
    } else if (winner < self->count) {
        decide(self, winner);
    }
}

static struct pawl_coro *wait_for_arms(struct pawl_select *self, struct pawl_coro *root)
{
    self->ended = (struct pawl_future){ 0 };
    self->awaitable.point = 1;
    return pawl_leaf_await(&self->awaitable, root, &self->ended);
}

static int outcome(struct pawl_select *self, int error)
{
    for (size_t i = 0; i < self->count; i++) {
        struct pawl_child *const child = &self->children[i];
        if (is_arm(self, child) && pawl_handle_cancel(&child->handle) && (child->future->flags & PAWL_FUTURE_TASK))
            task_drop_static(task_of(job_of_future(child->future))); /* closed: nobody waits for it any more, and its memory goes */
    }
    if (error != 0) return error;
    return self->cancelled ? PAWL_ECANCELLED : self->error;
}

PAWL_LEAF(pawl_select)
{
    PAWL_LEAF_BEGIN(pawl_select);
    struct pawl_select *const self = (struct pawl_select *)(void *)co;
    struct pawl_task *const task = pawl_leaf_task(root);
    if (task == NULL || self->children == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (co->point == 0) {
        select_begin(self, task);
    } else if (error == PAWL_ECANCELLED) {
        self->cancelled = self->decided = true;
        cancel_arms(self);
        error = 0;
    }
    if (error == 0 && self->pending > 0) return wait_for_arms(self, root);
    return pawl_leaf_done(co, outcome(self, error));
}
