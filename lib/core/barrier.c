/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Barriers: coroutines over a condition.
 *
 *      FILLING ──► DRAINING ──► FILLING      the last one came; all have gone
 *         │ ▲
 *         │ └───── RESETTING                 those that waited get PAWL_EBROKEN; all have gone
 *         └──────► BROKEN                    until a reset
 */
#include "core.h"

#include <pawl/sync.h>

enum { FILLING, DRAINING, RESETTING, BROKEN };

int pawl_barrier_init(struct pawl_barrier *barrier, unsigned parties)
{
    if (barrier == NULL || parties < 1) return PAWL_EINVAL;
    *barrier = (struct pawl_barrier){ .parties = parties };
    barrier->condition.lock = &barrier->lock;
    return 0;
}

unsigned pawl_barrier_waiting(const struct pawl_barrier *barrier)
{
    return barrier->state == FILLING ? barrier->count : 0;
}

bool pawl_barrier_broken(const struct pawl_barrier *barrier)
{
    return barrier->state == BROKEN;
}

static bool may_enter(void *barrier)
{
    const unsigned state = ((struct pawl_barrier *)barrier)->state;
    return state != DRAINING && state != RESETTING;
}

static bool is_filled(void *barrier)
{
    return ((struct pawl_barrier *)barrier)->state != FILLING;
}

/* The last that goes lets the next round in. */
static void barrier_leave(struct pawl_barrier *barrier)
{
    barrier->count--;
    if (barrier->count > 0) return;
    if (barrier->state == RESETTING || barrier->state == DRAINING) barrier->state = FILLING;
    pawl_condition_notify_all(&barrier->condition);
}

static void barrier_change(struct pawl_barrier *barrier, uint8_t state)
{
    barrier->state = state;
    pawl_condition_notify_all(&barrier->condition);
}

ASYNC_PUBLIC(pawl_barrier_wait)
{
    ASYNC_BEGIN(pawl_barrier_wait);
    if (self->barrier == NULL || self->barrier->parties == 0) RAISE(PAWL_EINVAL);
    WITH(self->hold, pawl_lock_acquire(&self->barrier->lock)) {
        AWAIT(self->wait, pawl_condition_wait_for(&self->barrier->condition, may_enter, self->barrier));
        if (pawl_barrier_broken(self->barrier)) RAISE(PAWL_EBROKEN);
        self->result = self->barrier->count++;
        TRY {
            if (self->barrier->count == self->barrier->parties) {
                barrier_change(self->barrier, DRAINING);
            } else {
                AWAIT(self->wait, pawl_condition_wait_for(&self->barrier->condition, is_filled, self->barrier));
                if (self->barrier->state != DRAINING) RAISE(PAWL_EBROKEN);
            }
        } FINALLY {
            barrier_leave(self->barrier);
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

static uint8_t state_after_reset(const struct pawl_barrier *barrier)
{
    return barrier->count > 0 ? RESETTING : FILLING;
}

ASYNC_PUBLIC(pawl_barrier_end)
{
    ASYNC_BEGIN(pawl_barrier_end);
    if (self->barrier == NULL) RAISE(PAWL_EINVAL);
    WITH(self->hold, pawl_lock_acquire(&self->barrier->lock)) {
        barrier_change(self->barrier, self->broken ? BROKEN : state_after_reset(self->barrier));
    } END_WITH;
    ASYNC_END;
}
