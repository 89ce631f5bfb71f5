/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Waiting one's turn: what locks, queues and channels are made of, and what a primitive of one's own may be made of. An
 * operation is a leaf whose frame has a struct pawl_waiter, a future with a link. It goes to the end of a list and
 * waits for its future; whoever has something for it settles that. Cancelling the task settles it too.
 *
 *      PAWL_LEAF(gate_pass)
 *      {
 *          PAWL_LEAF_BEGIN(gate_pass);
 *          struct gate_pass *const self = (struct gate_pass *)co;
 *          if (co->point == 0 && !self->gate->open) return pawl_wait_begin(&self->gate->list, &self->waiter, co, root);
 *          pawl_wait_end(&self->gate->list, &self->waiter);
 *          return pawl_leaf_done(co, error);
 *      }
 *
 * No allocation; joining, leaving and waking are O(1). It works by hand too (coro_step): there the test settles the future.
 */
#ifndef PAWL_WAITER_H
#define PAWL_WAITER_H

#include "async.h"

PAWL_BEGIN_C

/** A place in a list of those that wait, in the frame of an operation. */
struct pawl_waiter {
    struct pawl_link link; /* next NULL: in no list */
    struct pawl_future future;
};

/** Those that wait, first come first served; zeroed is empty. */
struct pawl_wait_list {
    struct pawl_link *first;
};

/** `return pawl_wait_begin(list, waiter, co, root)`: the leaf waits at the end of `list`. It is resumed at point 1, with 0 when
 *  it was woken, otherwise with the error (a cancellation); it must call pawl_wait_end then, also when it is to wait again. */
PAWL_API struct pawl_coro *pawl_wait_begin(struct pawl_wait_list *list, struct pawl_waiter *waiter, struct pawl_coro *co,
                                           struct pawl_coro *root);

/** Leaves the list, if it is still in it. */
PAWL_API void pawl_wait_end(struct pawl_wait_list *list, struct pawl_waiter *waiter);

/** Takes the first one that is not cancelled out of the list and wakes it: its outcome is `error`, 0 for success. It runs
 *  in the next iteration. Returns it, or NULL when nobody waits. */
PAWL_API struct pawl_waiter *pawl_wait_wake(struct pawl_wait_list *list, int error);

/** Wakes all of them, in their order. */
PAWL_API void pawl_wait_wake_all(struct pawl_wait_list *list, int error);

/** Was this one woken, with success, though it may have been cancelled since? What it was woken for is then its own to pass on. */
PAWL_INLINE bool pawl_waiter_woken(const struct pawl_waiter *waiter)
{
    return (waiter->future.flags & PAWL_FUTURE_DONE) && waiter->future.error == 0;
}

PAWL_END_C

#endif
