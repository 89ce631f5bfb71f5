/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Waiting for several things, or not for ever. Freestanding, no allocation: what each needs lies in the frame.
 *
 *      struct pawl_child both[2]; struct pawl_gather all;              in the frame
 *
 *      self->both[0] = pawl_child(self->a);
 *      self->both[1] = pawl_child(self->b);
 *      AWAIT(self->all, pawl_gather(self->both, 2));
 *
 *      AWAIT(self->timed, pawl_wait_for(&self->fetch, PAWL_SEC(5)));    a coroutine made before, a future or a task
 */
#ifndef PAWL_COMBINATORS_H
#define PAWL_COMBINATORS_H

#include "task.h"

PAWL_BEGIN_C

struct pawl_gather;

/** One of those that gather waits for. */
struct pawl_child {
    struct pawl_handle handle;
    struct pawl_future *future;
    struct pawl_gather *gather;
};

PAWL_INLINE struct pawl_child pawl_child_of_(struct pawl_future *future)
{
    struct pawl_child child;
    __builtin_memset(&child, 0, sizeof child);
    child.future = future;
    return child;
}

/** pawl_child(x): an entry for gather of a future, FUTURE(T) or task. It is borrowed: it must stay until the gather has
 *  ended. */
#define pawl_child(x) pawl_child_of_(PAWL_FUTURE(x))

/** The frame of pawl_gather. */
struct pawl_gather {
    struct pawl_coro awaitable;
    struct pawl_hooked_future all;
    struct pawl_child *children;
    size_t count, pending;
    bool return_errors, cancelled;
};

PAWL_API pawl_resume_fn pawl_gather_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_gather pawl_gather_(struct pawl_child *children, size_t count, bool return_errors)
{
    struct pawl_gather frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_gather_resume);
    frame.children = children;
    frame.count = count;
    frame.return_errors = return_errors;
    return frame;
}

/** Waits until all of `children[0..count)` are done. The first error, or cancellation, of one is raised at once; the
 *  others go on, and their errors count as seen. Cancelled, it cancels all of them, and ends as soon as one is. None is
 *  done at once; one may stand in several entries. Raises PAWL_EINVAL for an entry without a future or when no task runs it,
 *  PAWL_EBUSY for an entry that another gather uses, PAWL_EDEADLK for the task itself. (asyncio.gather, as of CPython 3.12) */
PAWL_INLINE PAWL_MUST_USE struct pawl_gather pawl_gather(struct pawl_child *children, size_t count)
{
    return pawl_gather_(children, count, false);
}

/** The same, but errors of the children are not raised: each is read from its child (pawl_future_error). Cancelled, it
 *  ends when all of them have. */
PAWL_INLINE PAWL_MUST_USE struct pawl_gather pawl_gather_return_errors(struct pawl_child *children, size_t count)
{
    return pawl_gather_(children, count, true);
}

/** The frame of pawl_wait_for. */
struct pawl_wait_for {
    struct pawl_coro awaitable;
    struct pawl_handle timer;
    struct pawl_task *task;
    void *what;
    pawl_time span;
    uint8_t kind;
    bool expired;
    uint8_t cancelling;
};

PAWL_API pawl_resume_fn pawl_wait_for_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_wait_for pawl_wait_for_(void *what, int kind, pawl_time span)
{
    struct pawl_wait_for frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_wait_for_resume);
    frame.what = what;
    frame.kind = (uint8_t)kind;
    frame.span = span;
    return frame;
}

/** pawl_wait_for(x, span): awaits a coroutine made before, a future or a task, for at most `span`. After that x is
 *  cancelled, and when it has ended PAWL_ETIMEOUT is raised; if it swallows the cancellation and ends well, so does this.
 *  A span of 0 or less: what is done already is taken, anything else is cancelled (a coroutine never starts). The result
 *  is where x keeps it. By hand (coro_step) there is no clock, and so no timeout. (asyncio.wait_for, as of CPython 3.12) */
#define pawl_wait_for(x, span) pawl_wait_for_(PAWL_AWAITABLE_(x), PAWL_KIND_(x), (span))

PAWL_END_C

#endif
