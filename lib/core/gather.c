/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * gather registers one callback with each child and waits for a future of its own, which the callbacks settle: the
 * parent goes on two iterations after the last child ended, as in asyncio.
 */
#include "children.h"

static void settle_all(struct pawl_gather *gather, int error)
{
    future_complete(&gather->all.awaitable, error);
}

static void child_done(void *argument)
{
    struct pawl_child *const child = argument;
    struct pawl_gather *const gather = child->whose;
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

/* Registers with all that are not done, and counts those that are. */
static int gather_begin(struct pawl_gather *gather, struct pawl_loop *loop)
{
    gather->all.awaitable.flags = PAWL_FUTURE_HOOKED;
    gather->all.cancel = gather_cancel;
    gather->pending = gather->count;
    for (size_t i = 0; i < gather->count; i++) {
        struct pawl_child *const child = &gather->children[i];
        child->whose = gather;
        if (child->future->flags & PAWL_FUTURE_DONE) continue;
        const int error = child_register(child, gather, loop, child_done);
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
        error = children_check(self->children, self->count, task);
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
