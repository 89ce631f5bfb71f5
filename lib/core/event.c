/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Events: a flag, and those that wait for it. */
#include "core.h"

#include <pawl/sync.h>

void pawl_event_set(struct pawl_event *event)
{
    event->is_set = true;
    pawl_wait_wake_all(&event->waiters, 0);
}

PAWL_LEAF(pawl_event_wait)
{
    PAWL_LEAF_BEGIN(pawl_event_wait);
    struct pawl_event_wait *const self = (struct pawl_event_wait *)(void *)co;
    if (self->event == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (co->point == 0) {
        if (!self->event->is_set) return waiter_begin(&self->event->waiters, &self->waiter, co, root);
    } else {
        waiter_end(&self->event->waiters, &self->waiter);
    }
    return pawl_leaf_done(co, error);
}
