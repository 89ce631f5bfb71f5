/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Broadcast and watch: who sends never waits and knows nobody. Items are numbered; a subscriber knows the number of its
 * next one, and those that are ahead of it but no longer kept are lost to it.
 */
#include "item.h"

#include <pawl/channel.h>

/* ---- Broadcast ---- */

void pawl_broadcast_init_(struct pawl_broadcast *broadcast, size_t items, size_t item_size, size_t capacity)
{
    *broadcast = (struct pawl_broadcast){ .items = (unsigned char *)broadcast + items, .item_size = item_size, .capacity = capacity };
}

int pawl_broadcast_send_(struct pawl_broadcast *broadcast, struct pawl_item item)
{
    if (broadcast->items == NULL) return PAWL_EINVAL;
    if (broadcast->closed) return PAWL_ECLOSED;
    item_copy(broadcast->items + broadcast->next * broadcast->item_size, pawl_item_(&item), broadcast->item_size);
    if (++broadcast->next == broadcast->capacity) broadcast->next = 0;
    broadcast->sent++;
    pawl_wait_wake_all(&broadcast->waiters, 0);
    return 0;
}

static size_t place_of(const struct pawl_broadcast *broadcast, size_t behind)
{
    return broadcast->next >= behind ? broadcast->next - behind : broadcast->next + broadcast->capacity - behind;
}

int pawl_broadcast_try_receive_(struct pawl_broadcast *broadcast, struct pawl_subscriber *subscriber, void *item)
{
    if (broadcast->items == NULL) return PAWL_EINVAL;
    const pawl_sequence behind = broadcast->sent - subscriber->next;
    if (behind == 0) return broadcast->closed ? PAWL_ECLOSED : PAWL_EEMPTY;
    if (behind > broadcast->capacity) {
        subscriber->missed = behind - broadcast->capacity;
        subscriber->next += subscriber->missed;
        return PAWL_ELAGGED;
    }
    item_copy(item, broadcast->items + place_of(broadcast, (size_t)behind) * broadcast->item_size, broadcast->item_size);
    subscriber->next++;
    return 0;
}

PAWL_LEAF(pawl_broadcast_receive)
{
    PAWL_LEAF_BEGIN(pawl_broadcast_receive);
    struct pawl_broadcast_receive *const self = (struct pawl_broadcast_receive *)(void *)co;
    if (co->point != 0) waiter_end(&self->broadcast->waiters, &self->waiter);
    if (error != 0) return pawl_leaf_done(co, error);
    error = pawl_broadcast_try_receive_(self->broadcast, self->subscriber, self->item);
    if (error == PAWL_EEMPTY) return waiter_begin(&self->broadcast->waiters, &self->waiter, co, root);
    return pawl_leaf_done(co, error);
}

void pawl_broadcast_close_(struct pawl_broadcast *broadcast)
{
    broadcast->closed = true;
    pawl_wait_wake_all(&broadcast->waiters, 0);
}

/* ---- Watch ---- */

int pawl_watch_send_(struct pawl_watch *watch, size_t offset, const void *value, size_t size)
{
    if (watch->closed) return PAWL_ECLOSED;
    __builtin_memcpy((char *)watch + offset, value, size);
    watch->version++;
    pawl_wait_wake_all(&watch->waiters, 0);
    return 0;
}

static int look(const struct pawl_watch *watch, struct pawl_seen *seen)
{
    if (watch->version == seen->version) return watch->closed ? PAWL_ECLOSED : PAWL_EEMPTY;
    seen->version = watch->version;
    return 0;
}

PAWL_LEAF(pawl_watch_changed)
{
    PAWL_LEAF_BEGIN(pawl_watch_changed);
    struct pawl_watch_changed *const self = (struct pawl_watch_changed *)(void *)co;
    if (co->point != 0) waiter_end(&self->watch->waiters, &self->waiter);
    if (error != 0) return pawl_leaf_done(co, error);
    error = look(self->watch, self->seen);
    if (error == PAWL_EEMPTY) return waiter_begin(&self->watch->waiters, &self->waiter, co, root);
    return pawl_leaf_done(co, error);
}

void pawl_watch_close_(struct pawl_watch *watch)
{
    watch->closed = true;
    pawl_wait_wake_all(&watch->waiters, 0);
}
