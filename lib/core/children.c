/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The entries of combinators. */
#include "children.h"

int children_check(const struct pawl_child *children, size_t count, const struct pawl_task *task)
{
    if (task == NULL || (children == NULL && count != 0)) return PAWL_EINVAL;
    for (size_t i = 0; i < count; i++) {
        if (children[i].future == NULL) return PAWL_EINVAL;
        if (pawl_handle_pending(&children[i].handle)) return PAWL_EBUSY; /* another one has it */
        if (children[i].future == &task->awaitable.awaitable) return PAWL_EDEADLK;
        if (of_other_loop(task, children[i].future)) return PAWL_EINVAL;
    }
    return 0;
}

int child_register(struct pawl_child *child, void *whose, struct pawl_loop *loop, pawl_callback *callback)
{
    child->whose = whose;
    return (pawl_future_add_callback)(child->future, loop, &child->handle, callback, child);
}

void children_leave(struct pawl_child *children, size_t count)
{
    for (size_t i = 0; i < count; i++) pawl_handle_cancel(&children[i].handle);
}
