/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What the core knows of the loop that it works for: which one it is, what time it is, and whom to tell of failures. */
#include "core.h"

PAWL_THREAD_LOCAL struct pawl_loop *pawl_loop_current_;

struct pawl_loop *pawl_loop_use(struct pawl_loop *loop)
{
    struct pawl_loop *const before = pawl_loop_current_;
    pawl_loop_current_ = loop;
    return before;
}

pawl_time pawl_loop_time(struct pawl_loop *loop)
{
    return loop->port->ops->now(loop->port);
}

void pawl_loop_report(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    if (loop != NULL && failure != NULL && loop->report != NULL) loop->report(loop, failure);
}

void report_unseen_failure(struct pawl_loop *loop, const char *name, const char *where_raised, int error)
{
    const struct pawl_failure failure = { .name = name, .where = where_raised, .error = error, .message = "failed and nobody looked" };
    pawl_loop_report(loop, &failure);
}
