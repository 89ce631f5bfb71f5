/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Queues between tasks: first in first out, last in first out, by priority. asyncio's, bounded, typed, in the caller's memory.
 * Freestanding, no allocation.
 *
 *      static QUEUE(struct job, 16) jobs;
 *      pawl_queue_init(&jobs);
 *
 *      AWAIT(self->put, pawl_queue_put_from(&jobs, &self->job));        struct pawl_queue_put put;
 *      AWAIT(self->get, pawl_queue_get(&jobs, &self->job));             struct pawl_queue_get get;
 *
 * What waits is a coroutine; the rest are plain functions, to be called in the thread of the loop, from tasks and callbacks
 * alike. A get that is cancelled takes nothing, a put that is cancelled puts nothing. Each works by hand too, without a
 * loop. For a pipe between tasks that is closed at its end, and that is strictly fair, see channel.h.
 */
#ifndef PAWL_QUEUE_H
#define PAWL_QUEUE_H

#include "sync.h"

PAWL_BEGIN_C

struct pawl_queue;

/** Is `a` to come out before `b`? Pointers to items. */
typedef bool pawl_before(const void *a, const void *b);

/* Where an item goes, and which one comes next. */
struct pawl_queue_kind {
    void (*put)(struct pawl_queue *queue, const void *item);
    void (*get)(struct pawl_queue *queue, void *item);
};
extern PAWL_API const struct pawl_queue_kind pawl_queue_fifo, pawl_queue_lifo, pawl_queue_priority;

/** A queue; its items stand behind it. Read it through the functions below. */
struct pawl_queue {
    const struct pawl_queue_kind *kind;
    pawl_before *before;
    unsigned char *items;
    size_t item_size, capacity, count, head;
    struct pawl_wait_list getters, putters;
    struct pawl_event finished;
    size_t unfinished;
    bool is_shutdown;
};

/** QUEUE(T, capacity): a queue of items of type T, which are copied in and out. capacity: at least 1. It must stay where it was
 *  initialised. */
#define PAWL_QUEUE(T, capacity) struct { struct pawl_queue queue; T items[(capacity)]; }

PAWL_API void pawl_queue_init_(struct pawl_queue *queue, const struct pawl_queue_kind *kind, pawl_before *before, size_t items,
                               size_t item_size, size_t capacity);
#define PAWL_QUEUE_INIT_(q, kind, before) \
    pawl_queue_init_(&(q)->queue, (kind), (before), offsetof(__typeof__(*(q)), items), sizeof (q)->items[0], sizeof (q)->items / sizeof (q)->items[0])

/** Makes a QUEUE(T, n) an empty queue: first in first out; last in first out; or the least first, as `before` says (a stable heap
 *  it is not: equal items come in any order). Nobody may wait in it. (asyncio.Queue, LifoQueue, PriorityQueue) */
#define pawl_queue_init(q) PAWL_QUEUE_INIT_((q), &pawl_queue_fifo, NULL)
#define pawl_lifo_queue_init(q) PAWL_QUEUE_INIT_((q), &pawl_queue_lifo, NULL)
#define pawl_priority_queue_init(q, before) PAWL_QUEUE_INIT_((q), &pawl_queue_priority, (before))

/* An item on its way: a small one travels in the frame, a large one stays where it is. */
enum { PAWL_SMALL_ITEM = sizeof(void *) > 4 ? 16 : 8 };
struct pawl_item {
    const void *at; /* NULL: in the words */
    uint64_t first;
#if UINTPTR_MAX > 0xffffffffu
    uint64_t second;
#endif
};

PAWL_INLINE struct pawl_item pawl_item_at_(const void *at)
{
    struct pawl_item item;
    __builtin_memset(&item, 0, sizeof item);
    item.at = at;
    return item;
}

/* Word by word: what was stored in parts must not be loaded as a whole right after. */
PAWL_INLINE struct pawl_item pawl_item_of_(const void *value, size_t size)
{
    struct pawl_item item;
    uint64_t words[2] = { 0, 0 };
    __builtin_memcpy(words, value, size <= (size_t)PAWL_SMALL_ITEM ? size : 0);
    item.at = NULL;
    item.first = words[0];
#if UINTPTR_MAX > 0xffffffffu
    item.second = words[1];
#endif
    return item;
}

PAWL_INLINE const void *pawl_item_(const struct pawl_item *item)
{
    return item->at != NULL ? item->at : &item->first;
}

/* A value of the type that the items of `q` have, as a small item. */
#if defined(__cplusplus)
PAWL_END_C
template <class Q, class V> PAWL_INLINE struct pawl_item pawl_item_for_(Q *q, const V &value)
{
    __typeof__(q->items[0]) item = value;
    static_assert(sizeof item <= PAWL_SMALL_ITEM, "an item of this size is put by its address: with the _from form");
    return pawl_item_of_(&item, sizeof item);
}
template <class Q, class V> PAWL_INLINE struct pawl_item pawl_item_from_(Q *q, const V *item)
{
    static_assert(sizeof(q->items[0]) == sizeof *item, "the item is of another type than the queue has");
    return pawl_item_at_(item);
}
template <class Q, class V> PAWL_INLINE void *pawl_item_into_(Q *q, V *item)
{
    static_assert(sizeof(q->items[0]) == sizeof *item, "the item is of another type than the queue has");
    return item;
}
PAWL_BEGIN_C
#define PAWL_ITEM_FOR_(q, ...) pawl_item_for_((q), (__VA_ARGS__))
#define PAWL_ITEM_FROM_(q, pointer) pawl_item_from_((q), (pointer))
#define PAWL_ITEM_INTO_(q, pointer) pawl_item_into_((q), (pointer))
#else
#define PAWL_ITEM_FOR_(q, ...) \
    pawl_item_of_((__typeof__((q)->items[0])[]){ (__VA_ARGS__) }, \
                  sizeof((q)->items[0]) + PAWL_ASSERTED_(sizeof((q)->items[0]) <= PAWL_SMALL_ITEM, \
                                                        "an item of this size is put by its address: with the _from form"))
#define PAWL_ITEM_FROM_(q, pointer) \
    pawl_item_at_((const char *)(pointer) + \
                  PAWL_ASSERTED_(PAWL_SAME_TYPE(*(pointer), (q)->items[0]), "the item is of another type than the queue has"))
#define PAWL_ITEM_INTO_(q, pointer) \
    ((void *)((char *)(pointer) + \
              PAWL_ASSERTED_(PAWL_SAME_TYPE(*(pointer), (q)->items[0]), "the item is of another type than the queue has")))
#endif

struct pawl_queue_put {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_queue *queue;
    struct pawl_item item;
};
struct pawl_queue_get {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_queue *queue;
    void *item;
};
struct pawl_queue_join {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_queue *queue;
};
PAWL_API pawl_resume_fn pawl_queue_join_resume;

/* Everything but the case that nobody has to wait, which a compiler puts in line where the operation is awaited. */
PAWL_API pawl_resume_fn pawl_queue_put_slowly_, pawl_queue_get_slowly_;

/* Is it of the kind that most are: first in first out, of words? */
PAWL_INLINE bool pawl_queue_plain_(const struct pawl_queue *queue)
{
    return PAWL_LIKELY(queue->kind == &pawl_queue_fifo && queue->item_size == sizeof(void *));
}

PAWL_INLINE void pawl_queue_add_(struct pawl_queue *queue, const void *item)
{
    if (pawl_queue_plain_(queue)) {
        const size_t room = queue->capacity - queue->head;
        const size_t at = queue->count < room ? queue->head + queue->count : queue->count - room;
        __builtin_memcpy(queue->items + at * sizeof(void *), item, sizeof(void *));
    } else {
        queue->kind->put(queue, item);
    }
    queue->count++;
    queue->unfinished++;
    queue->finished.is_set = false;
    if (queue->getters.first != NULL) pawl_wait_wake(&queue->getters, 0);
}

PAWL_INLINE void pawl_queue_take_(struct pawl_queue *queue, void *item)
{
    queue->count--;
    if (pawl_queue_plain_(queue)) {
        const size_t head = queue->head;
        __builtin_memcpy(item, queue->items + head * sizeof(void *), sizeof(void *));
        queue->head = head + 1 == queue->capacity ? 0 : head + 1;
    } else {
        queue->kind->get(queue, item);
    }
    if (PAWL_UNLIKELY(queue->putters.first != NULL)) pawl_wait_wake(&queue->putters, 0);
}

PAWL_INLINE PAWL_LEAF(pawl_queue_put)
{
    struct pawl_queue_put *const self = (struct pawl_queue_put *)(void *)co;
    if (co->point != 0 || self->queue->count >= self->queue->capacity || self->queue->is_shutdown) return pawl_queue_put_slowly_(co, root, error);
    pawl_queue_add_(self->queue, pawl_item_(&self->item));
    return pawl_leaf_done(co, 0);
}

PAWL_INLINE PAWL_LEAF(pawl_queue_get)
{
    struct pawl_queue_get *const self = (struct pawl_queue_get *)(void *)co;
    if (co->point != 0 || self->queue->count == 0) return pawl_queue_get_slowly_(co, root, error);
    pawl_queue_take_(self->queue, self->item);
    return pawl_leaf_done(co, 0);
}

PAWL_INLINE PAWL_MUST_USE struct pawl_queue_put pawl_queue_put_(struct pawl_queue *queue, struct pawl_item item)
{
    struct pawl_queue_put frame;
    frame.awaitable = pawl_coro_init_(pawl_queue_put_resume);
    frame.queue = queue;
    frame.item = item;
    return frame;
}

PAWL_INLINE PAWL_MUST_USE struct pawl_queue_get pawl_queue_get_(struct pawl_queue *queue, void *item)
{
    struct pawl_queue_get frame;
    frame.awaitable = pawl_coro_init_(pawl_queue_get_resume);
    frame.queue = queue;
    frame.item = item;
    return frame;
}

PAWL_INLINE PAWL_MUST_USE struct pawl_queue_join pawl_queue_join_(struct pawl_queue *queue)
{
    struct pawl_queue_join frame;
    frame.awaitable = pawl_coro_init_(pawl_queue_join_resume);
    frame.queue = queue;
    return frame;
}

/** pawl_queue_put(q, value): waits for room and puts a value in, which may have up to 16 bytes (8 where pointers have 4 or less).
 *  pawl_queue_put_from(q, pointer): the same for an item of any size, which is copied when there is room and must stay until
 *  then. Raises PAWL_ECLOSED when the queue is shut down, PAWL_EINVAL when it was never initialised. */
#define pawl_queue_put(q, ...) pawl_queue_put_(&(q)->queue, PAWL_ITEM_FOR_(q, __VA_ARGS__))
#define pawl_queue_put_from(q, pointer) pawl_queue_put_(&(q)->queue, PAWL_ITEM_FROM_(q, pointer))

/** pawl_queue_get(q, pointer): waits for an item and moves it to *pointer, which must stay until then (in the frame, that is).
 *  Raises PAWL_ECLOSED when the queue is shut down and empty. */
#define pawl_queue_get(q, pointer) pawl_queue_get_(&(q)->queue, PAWL_ITEM_INTO_(q, pointer))

/** pawl_queue_put_nowait(q, value), pawl_queue_put_nowait_from(q, pointer), pawl_queue_get_nowait(q, pointer): the same at once: 0,
 *  PAWL_EFULL or PAWL_EEMPTY, PAWL_ECLOSED, PAWL_EINVAL. */
#define pawl_queue_put_nowait(q, ...) pawl_queue_put_nowait_(&(q)->queue, PAWL_ITEM_FOR_(q, __VA_ARGS__))
#define pawl_queue_put_nowait_from(q, pointer) pawl_queue_put_nowait_(&(q)->queue, PAWL_ITEM_FROM_(q, pointer))
#define pawl_queue_get_nowait(q, pointer) pawl_queue_get_nowait_(&(q)->queue, PAWL_ITEM_INTO_(q, pointer))
PAWL_API int pawl_queue_put_nowait_(struct pawl_queue *queue, struct pawl_item item);
PAWL_API int pawl_queue_get_nowait_(struct pawl_queue *queue, void *item);

/** pawl_queue_task_done(q): says that what was got is dealt with. 0; PAWL_EINVAL when that was said of every item already.
 *  pawl_queue_join(q): waits until it was said of every item that was put in. struct pawl_queue_join. */
#define pawl_queue_task_done(q) pawl_queue_task_done_(&(q)->queue)
#define pawl_queue_join(q) pawl_queue_join_(&(q)->queue)
PAWL_API int pawl_queue_task_done_(struct pawl_queue *queue);

/** pawl_queue_shutdown(q, immediate): nothing is put in any more: put raises PAWL_ECLOSED, get when it is empty. `immediate`: it is
 *  emptied now, and its items count as dealt with. (Queue.shutdown) */
#define pawl_queue_shutdown(q, immediate) pawl_queue_shutdown_(&(q)->queue, (immediate))
PAWL_API void pawl_queue_shutdown_(struct pawl_queue *queue, bool immediate);

/** How many items are in it; is it empty, full, shut down? */
#define pawl_queue_size(q) ((q)->queue.count + 0)
#define pawl_queue_empty(q) ((q)->queue.count == 0)
#define pawl_queue_full(q) pawl_queue_full_(&(q)->queue)
PAWL_INLINE bool pawl_queue_full_(const struct pawl_queue *queue)
{
    return queue->count >= queue->capacity;
}
#define pawl_queue_is_shutdown(q) ((q)->queue.is_shutdown && true)

PAWL_END_C

#ifndef PAWL_PREFIXED_KEYWORDS
#define QUEUE(T, capacity) PAWL_QUEUE(T, capacity)
#endif

#endif
