/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Locks. Unlocking wakes the first that waits, which locks when it runs; it stays the first until then, and newcomers queue up
 * behind it. If it was cancelled meanwhile, it wakes the next.
 */
#include "lock.h"

static void wake_first(struct pawl_lock *lock)
{
    if (lock->waiters.first == NULL) return;
    struct pawl_future *const first = &waiter_of(lock->waiters.first)->future;
    if (!(first->flags & PAWL_FUTURE_DONE)) future_complete(first, 0);
}

bool pawl_lock_try_acquire(struct pawl_lock *lock)
{
    if (lock == NULL || lock->locked || somebody_waits(&lock->waiters)) return false;
    lock->locked = true;
    lock->owed = 0;
    return true;
}

int pawl_lock_release(struct pawl_lock *lock)
{
    if (lock == NULL || !lock->locked) return PAWL_EINVAL;
    lock->locked = false;
    wake_first(lock);
    return 0;
}

void lock_taken(struct pawl_lock *lock, struct pawl_waiter *waiter, int error)
{
    waiter_end(&lock->waiters, waiter);
    if (error == 0) {
        lock->locked = true;
        lock->owed = 0;
    } else if (!lock->locked) {
        wake_first(lock);
    }
}

/* A scope is left with `error`: what goes on. */
static int lock_leave(struct pawl_lock *lock, int error)
{
    if (error == PAWL_EEXIT && lock->owed > 0) {
        lock->owed--;
        return error;
    }
    const int refused = pawl_lock_release(lock);
    return refused != 0 ? refused : error;
}

PAWL_LEAF(pawl_lock_acquire)
{
    PAWL_LEAF_BEGIN(pawl_lock_acquire);
    struct pawl_lock_acquire *const self = (struct pawl_lock_acquire *)(void *)co;
    if (self->lock == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (co->point == 0) {
        if (!pawl_lock_try_acquire(self->lock)) return waiter_begin(&self->lock->waiters, &self->waiter, co, root);
    } else if (co->point == PAWL_POINT_EXIT) {
        error = lock_leave(self->lock, pawl_scope_error(co));
    } else {
        lock_taken(self->lock, &self->waiter, error);
    }
    return pawl_leaf_done(co, error);
}
