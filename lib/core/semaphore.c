/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Semaphores. A permit that is released goes to the first that waits; until that one runs it counts as handed, and newcomers
 * wait behind it (gh-90155).
 */
#include "core.h"

#include <limits.h>
#include <pawl/sync.h>

static bool hand_over(struct pawl_semaphore *semaphore)
{
    if (pawl_wait_wake(&semaphore->waiters, 0) == NULL) return false;
    semaphore->value--;
    semaphore->handed++;
    return true;
}

bool pawl_semaphore_locked(const struct pawl_semaphore *semaphore)
{
    return semaphore->value == 0 || semaphore->handed > 0 || somebody_waits(&semaphore->waiters);
}

bool pawl_semaphore_try_acquire(struct pawl_semaphore *semaphore)
{
    if (semaphore == NULL || pawl_semaphore_locked(semaphore)) return false;
    semaphore->value--;
    return true;
}

int pawl_semaphore_release(struct pawl_semaphore *semaphore)
{
    if (semaphore == NULL || semaphore->value == UINT_MAX) return PAWL_EINVAL;
    if (semaphore->bound != 0 && semaphore->value >= semaphore->bound) return PAWL_EINVAL;
    semaphore->value++;
    hand_over(semaphore);
    return 0;
}

/* One that waited runs. With an error it gives its permit back; whatever is free by then goes to those behind it. */
static void semaphore_taken(struct pawl_semaphore *semaphore, struct pawl_waiter *waiter, int error)
{
    waiter_end(&semaphore->waiters, waiter);
    if (pawl_waiter_woken(waiter)) {
        semaphore->handed--;
        if (error != 0) semaphore->value++;
    }
    while (semaphore->value > 0 && hand_over(semaphore)) {}
}

PAWL_LEAF(pawl_semaphore_acquire)
{
    PAWL_LEAF_BEGIN(pawl_semaphore_acquire);
    struct pawl_semaphore_acquire *const self = (struct pawl_semaphore_acquire *)(void *)co;
    if (self->semaphore == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (co->point == 0) {
        if (!pawl_semaphore_try_acquire(self->semaphore)) return waiter_begin(&self->semaphore->waiters, &self->waiter, co, root);
    } else if (co->point == PAWL_POINT_EXIT) {
        error = pawl_semaphore_release(self->semaphore);
        if (error == 0) error = pawl_scope_error(co);
    } else {
        semaphore_taken(self->semaphore, &self->waiter, error);
    }
    return pawl_leaf_done(co, error);
}
