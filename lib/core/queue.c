/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Queues, by asyncio's rules: who waits is woken, one for each item or place, and looks again when it runs. Whoever comes in
 * between may be first. One that was woken and then cancelled wakes the next.
 */
#include "item.h"

void pawl_queue_init_(struct pawl_queue *queue, const struct pawl_queue_kind *kind, pawl_before *before, size_t items, size_t item_size,
                      size_t capacity)
{
    *queue = (struct pawl_queue){ .kind = kind, .before = before, .items = (unsigned char *)queue + items, .item_size = item_size, .capacity = capacity };
    queue->finished.is_set = true;
}

static inline int put_nowait(struct pawl_queue *queue, const struct pawl_item *item)
{
    if (queue->is_shutdown) return PAWL_ECLOSED;
    if (queue->count >= queue->capacity) return queue->kind == NULL ? PAWL_EINVAL : PAWL_EFULL;
    pawl_queue_add_(queue, pawl_item_(item));
    return 0;
}

int pawl_queue_put_nowait_(struct pawl_queue *queue, struct pawl_item item)
{
    return put_nowait(queue, &item);
}

static inline int get_nowait(struct pawl_queue *queue, void *item)
{
    if (queue->count == 0) return queue->kind == NULL ? PAWL_EINVAL : queue->is_shutdown ? PAWL_ECLOSED : PAWL_EEMPTY;
    pawl_queue_take_(queue, item);
    return 0;
}

int pawl_queue_get_nowait_(struct pawl_queue *queue, void *item)
{
    return get_nowait(queue, item);
}

struct pawl_coro *pawl_queue_put_slowly_(struct pawl_coro *co, struct pawl_coro *root, int error)
{
    PAWL_LEAF_BEGIN(pawl_queue_put);
    struct pawl_queue_put *const self = (struct pawl_queue_put *)(void *)co;
    struct pawl_queue *const queue = self->queue;
    if (co->point != 0) {
        waiter_end(&queue->putters, &self->waiter);
        if (PAWL_UNLIKELY(error != 0)) {
            if (queue->count < queue->capacity && pawl_waiter_woken(&self->waiter)) pawl_wait_wake(&queue->putters, 0);
            return pawl_leaf_done(co, error);
        }
    }
    error = put_nowait(queue, &self->item);
    return error == PAWL_EFULL ? waiter_begin(&queue->putters, &self->waiter, co, root) : pawl_leaf_done(co, error);
}

struct pawl_coro *pawl_queue_get_slowly_(struct pawl_coro *co, struct pawl_coro *root, int error)
{
    PAWL_LEAF_BEGIN(pawl_queue_get);
    struct pawl_queue_get *const self = (struct pawl_queue_get *)(void *)co;
    struct pawl_queue *const queue = self->queue;
    if (co->point != 0) {
        waiter_end(&queue->getters, &self->waiter);
        if (PAWL_UNLIKELY(error != 0)) {
            if (queue->count > 0 && pawl_waiter_woken(&self->waiter)) pawl_wait_wake(&queue->getters, 0);
            return pawl_leaf_done(co, error);
        }
    }
    error = get_nowait(queue, self->item);
    return error == PAWL_EEMPTY ? waiter_begin(&queue->getters, &self->waiter, co, root) : pawl_leaf_done(co, error);
}

/* ---- What is dealt with, and the end ---- */

int pawl_queue_task_done_(struct pawl_queue *queue)
{
    if (queue->unfinished == 0) return PAWL_EINVAL;
    queue->unfinished--;
    if (queue->unfinished == 0) pawl_event_set(&queue->finished);
    return 0;
}

PAWL_LEAF(pawl_queue_join)
{
    PAWL_LEAF_BEGIN(pawl_queue_join);
    struct pawl_queue_join *const self = (struct pawl_queue_join *)(void *)co;
    struct pawl_wait_list *const waiters = &self->queue->finished.waiters;
    if (co->point == 0) {
        if (self->queue->unfinished > 0) return pawl_wait_begin(waiters, &self->waiter, co, root);
    } else {
        pawl_wait_end(waiters, &self->waiter);
    }
    return pawl_leaf_done(co, error);
}

void pawl_queue_shutdown_(struct pawl_queue *queue, bool immediate)
{
    queue->is_shutdown = true;
    if (immediate) {
        queue->unfinished -= queue->count < queue->unfinished ? queue->count : queue->unfinished;
        queue->count = queue->head = 0;
        if (queue->unfinished == 0) pawl_event_set(&queue->finished);
    }
    pawl_wait_wake_all(&queue->getters, 0);
    pawl_wait_wake_all(&queue->putters, 0);
}

/* ---- Kinds: `count` is that without the item ---- */

static void *item_at(const struct pawl_queue *queue, size_t index)
{
    return queue->items + index * queue->item_size;
}

static inline void copy_item(const struct pawl_queue *queue, void *to, const void *from)
{
    item_copy(to, from, queue->item_size);
}

static void fifo_put(struct pawl_queue *queue, const void *item)
{
    copy_item(queue, item_at(queue, place_behind(queue->capacity, queue->head, queue->count)), item);
}

static void fifo_get(struct pawl_queue *queue, void *item)
{
    copy_item(queue, item, item_at(queue, queue->head));
    if (++queue->head == queue->capacity) queue->head = 0;
}

static void lifo_put(struct pawl_queue *queue, const void *item)
{
    copy_item(queue, item_at(queue, queue->count), item);
}

static void lifo_get(struct pawl_queue *queue, void *item)
{
    copy_item(queue, item, item_at(queue, queue->count));
}

/* A binary heap: what is at i comes out before what is at 2i + 1 and 2i + 2. */
static void priority_put(struct pawl_queue *queue, const void *item)
{
    size_t at = queue->count;
    while (at > 0 && queue->before(item, item_at(queue, (at - 1) / 2))) {
        copy_item(queue, item_at(queue, at), item_at(queue, (at - 1) / 2));
        at = (at - 1) / 2;
    }
    copy_item(queue, item_at(queue, at), item);
}

static void priority_get(struct pawl_queue *queue, void *item)
{
    const void *const last = item_at(queue, queue->count);
    size_t at = 0;
    copy_item(queue, item, item_at(queue, 0));
    for (size_t below; (below = 2 * at + 1) < queue->count; at = below) {
        if (below + 1 < queue->count && queue->before(item_at(queue, below + 1), item_at(queue, below))) below++;
        if (!queue->before(item_at(queue, below), last)) break;
        copy_item(queue, item_at(queue, at), item_at(queue, below));
    }
    if (at != queue->count) copy_item(queue, item_at(queue, at), last);
}

const struct pawl_queue_kind pawl_queue_fifo = { fifo_put, fifo_get };
const struct pawl_queue_kind pawl_queue_lifo = { lifo_put, lifo_get };
const struct pawl_queue_kind pawl_queue_priority = { priority_put, priority_get };
