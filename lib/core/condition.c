/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Conditions. A wait has two halves, in the order of the points:
 *
 *      NOTIFICATION   the lock is free; woken by notify, or cancelled
 *      LOCK           the lock is taken again, whatever ended the first half; a cancellation is remembered
 *
 * What leaves with an error may have been notified: it hands the notification on, so that none is lost (gh-112202).
 */
#include "lock.h"

enum { NOTIFICATION = 1, LOCK };

static void notify(struct pawl_condition *condition, unsigned count)
{
    while (count > 0 && pawl_wait_wake(&condition->waiters, 0) != NULL) count--;
}

static bool held(const struct pawl_condition *condition)
{
    return condition != NULL && condition->lock != NULL && condition->lock->locked;
}

int pawl_condition_notify(struct pawl_condition *condition, unsigned count)
{
    if (!held(condition)) return PAWL_EINVAL;
    notify(condition, count);
    return 0;
}

int pawl_condition_notify_all(struct pawl_condition *condition)
{
    if (!held(condition)) return PAWL_EINVAL;
    pawl_wait_wake_all(&condition->waiters, 0);
    return 0;
}

static struct pawl_coro *wait_for_notification(struct pawl_condition_wait *self, struct pawl_coro *root)
{
    pawl_lock_release(self->condition->lock);
    return waiter_begin(&self->condition->waiters, &self->waiter, &self->awaitable, root);
}

static struct pawl_coro *wait_for_lock(struct pawl_condition_wait *self, struct pawl_coro *root)
{
    struct pawl_coro *const how = waiter_begin(&self->condition->lock->waiters, &self->waiter, &self->awaitable, root);
    self->awaitable.point = LOCK;
    return how;
}

/* Only a close leaves without the lock, when that is not free: who is closed cannot wait. */
static bool lock_again(struct pawl_condition_wait *self, int error)
{
    struct pawl_lock *const lock = self->condition->lock;
    if (error != 0) self->error = (int16_t)error;
    if (pawl_lock_try_acquire(lock)) return true;
    if (error == PAWL_EEXIT) lock->owed++;
    return error == PAWL_EEXIT;
}

static struct pawl_coro *wait_over(struct pawl_condition_wait *self, struct pawl_coro *root)
{
    if (self->error != 0) notify(self->condition, 1);
    else if (self->predicate != NULL && !self->predicate(self->argument)) return wait_for_notification(self, root);
    return pawl_leaf_done(&self->awaitable, self->error);
}

PAWL_LEAF(pawl_condition_wait)
{
    PAWL_LEAF_BEGIN(pawl_condition_wait);
    struct pawl_condition_wait *const self = (struct pawl_condition_wait *)(void *)co;
    switch (co->point) {
    case 0:
        if (self->predicate != NULL && self->predicate(self->argument)) return pawl_leaf_done(co, 0);
        return held(self->condition) ? wait_for_notification(self, root) : pawl_leaf_done(co, PAWL_EINVAL);
    case NOTIFICATION:
        waiter_end(&self->condition->waiters, &self->waiter);
        return lock_again(self, error) ? wait_over(self, root) : wait_for_lock(self, root);
    default:
        lock_taken(self->condition->lock, &self->waiter, error);
        return error == 0 || lock_again(self, error) ? wait_over(self, root) : wait_for_lock(self, root);
    }
}
