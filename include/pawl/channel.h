/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Between tasks, as Go and tokio have it: channels that are closed at their end, broadcast, and watch. Typed, in the caller's
 * memory, freestanding, no allocation.
 *
 *      static CHANNEL(int, 8) numbers;                              8 may be on their way; 0: each send meets its receive
 *      pawl_channel_init(&numbers);
 *
 *      AWAIT(self->send, pawl_channel_send(&numbers, 42));          struct pawl_channel_send send;
 *      TRY_AWAIT(self->receive, pawl_channel_receive(&numbers, &self->n));    … until PAWL_ECLOSED
 *
 *      channel      each item goes to one receiver; strictly first come first served, on both sides (where with capacity 0 a sender is
 *                   cancelled in the moment in which it meets a receiver, that one goes back to the front)
 *      broadcast    each item goes to every subscriber; the sender never waits, who is too slow is told what it missed
 *      watch        one value; who follows it is told that it changed, and sees the latest
 *
 * What waits is a coroutine, which may stand in a select; the rest are plain functions, to be called in the thread of the
 * loop, from tasks and callbacks alike. A receive that is cancelled has taken nothing. A send that is cancelled has sent
 * nothing; where a receiver has taken its item in the same moment, it has been sent: the send ends well, and the cancellation is
 * raised at the next suspension.
 */
#ifndef PAWL_CHANNEL_H
#define PAWL_CHANNEL_H

#include "queue.h"

PAWL_BEGIN_C

/* ---- Channel ---- */

struct pawl_channel {
    unsigned char *items;
    size_t item_size, capacity, count, head;
    size_t promised, /* items that wait for a receiver that was woken */
        reserved;    /* places that are kept for a sender that was woken */
    struct pawl_wait_list receivers, senders;
    bool closed;
};

/** CHANNEL(T, capacity): a channel of items of type T, which are copied in and out; capacity: 0 or more. It must stay where it
 *  was initialised. */
#define PAWL_CHANNEL(T, capacity) \
    struct { struct pawl_channel channel; T items[(capacity) > 0 ? (capacity) : 1]; char rendezvous[(capacity) > 0 ? 1 : 2]; }

PAWL_API void pawl_channel_init_(struct pawl_channel *channel, size_t items, size_t item_size, size_t capacity);
/** Makes a CHANNEL(T, n) an open, empty one. Nobody may wait in it. */
#define pawl_channel_init(c) \
    pawl_channel_init_(&(c)->channel, offsetof(__typeof__(*(c)), items), sizeof (c)->items[0], \
                       sizeof (c)->rendezvous == 2 ? 0 : sizeof (c)->items / sizeof (c)->items[0])

struct pawl_channel_send {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_channel *channel;
    struct pawl_item item;
};
struct pawl_channel_receive {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_channel *channel;
    void *item;
    bool again;
};
PAWL_API pawl_resume_fn pawl_channel_send_resume, pawl_channel_receive_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_channel_send pawl_channel_send_(struct pawl_channel *channel, struct pawl_item item)
{
    struct pawl_channel_send frame;
    frame.awaitable = pawl_coro_init_(pawl_channel_send_resume);
    frame.channel = channel;
    frame.item = item;
    return frame;
}

PAWL_INLINE PAWL_MUST_USE struct pawl_channel_receive pawl_channel_receive_(struct pawl_channel *channel, void *item)
{
    struct pawl_channel_receive frame;
    frame.awaitable = pawl_coro_init_(pawl_channel_receive_resume);
    frame.channel = channel;
    frame.item = item;
    frame.again = false;
    return frame;
}

/** pawl_channel_send(c, value): waits for a place, or with capacity 0 for a receiver, and sends a value, which may have up to 16
 *  bytes (8 where pointers have 4 or less). pawl_channel_send_from(c, pointer): the same for an item of any size, which must
 *  stay until then. Raises PAWL_ECLOSED when the channel is closed before the item is in it, PAWL_EINVAL when it was never
 *  initialised. */
#define pawl_channel_send(c, ...) pawl_channel_send_(&(c)->channel, PAWL_ITEM_FOR_(c, __VA_ARGS__))
#define pawl_channel_send_from(c, pointer) pawl_channel_send_(&(c)->channel, PAWL_ITEM_FROM_(c, pointer))

/** pawl_channel_receive(c, pointer): waits for an item and moves it to *pointer, which must stay until then (in the frame, that
 *  is). Raises PAWL_ECLOSED when the channel is closed and empty. */
#define pawl_channel_receive(c, pointer) pawl_channel_receive_(&(c)->channel, PAWL_ITEM_INTO_(c, pointer))

/** pawl_channel_try_send(c, value), pawl_channel_try_send_from(c, pointer), pawl_channel_try_receive(c, pointer): the same at once:
 *  0; PAWL_EFULL or PAWL_EEMPTY, also when others wait before us; PAWL_ECLOSED. With capacity 0 a try_send finds no place. */
#define pawl_channel_try_send(c, ...) pawl_channel_try_send_(&(c)->channel, PAWL_ITEM_FOR_(c, __VA_ARGS__))
#define pawl_channel_try_send_from(c, pointer) pawl_channel_try_send_(&(c)->channel, PAWL_ITEM_FROM_(c, pointer))
#define pawl_channel_try_receive(c, pointer) pawl_channel_try_receive_(&(c)->channel, PAWL_ITEM_INTO_(c, pointer))
PAWL_API int pawl_channel_try_send_(struct pawl_channel *channel, struct pawl_item item);
PAWL_API int pawl_channel_try_receive_(struct pawl_channel *channel, void *item);

/** pawl_channel_close(c): no item goes in any more. Those that wait to send get PAWL_ECLOSED; what is in it can still be received.
 *  Harmless when it is closed. */
#define pawl_channel_close(c) pawl_channel_close_(&(c)->channel)
PAWL_API void pawl_channel_close_(struct pawl_channel *channel);

/** Is it closed? How many items are in it? */
#define pawl_channel_closed(c) ((c)->channel.closed && true)
#define pawl_channel_size(c) ((c)->channel.count + 0)

/* ---- Broadcast ---- */

/* Numbers what was sent; it must not go once around while a subscriber sleeps. */
#if UINTPTR_MAX > 0xffffffffu
typedef uint64_t pawl_sequence;
#else
typedef uint32_t pawl_sequence;
#endif

struct pawl_broadcast {
    unsigned char *items;
    size_t item_size, capacity;
    pawl_sequence sent;
    size_t next; /* where the next one goes */
    struct pawl_wait_list waiters;
    bool closed;
};

/** BROADCAST(T, capacity): the last `capacity` items (at least 1) are kept for those that have not received them yet. */
#define PAWL_BROADCAST(T, capacity) struct { struct pawl_broadcast broadcast; T items[(capacity)]; }

PAWL_API void pawl_broadcast_init_(struct pawl_broadcast *broadcast, size_t items, size_t item_size, size_t capacity);
/** Makes a BROADCAST(T, n) an open one. Nobody may wait in it. */
#define pawl_broadcast_init(b) \
    pawl_broadcast_init_(&(b)->broadcast, offsetof(__typeof__(*(b)), items), sizeof (b)->items[0], sizeof (b)->items / sizeof (b)->items[0])

/** Who receives: its place in the stream. It needs no end. */
struct pawl_subscriber {
    pawl_sequence next;
    pawl_sequence missed; /* how many items it lost when it last got PAWL_ELAGGED */
};

/** pawl_subscribe(b): a subscriber that receives what is sent from now on. */
#define pawl_subscribe(b) pawl_subscribe_(&(b)->broadcast)
PAWL_INLINE struct pawl_subscriber pawl_subscribe_(const struct pawl_broadcast *broadcast)
{
    struct pawl_subscriber subscriber = { broadcast->sent, 0 };
    return subscriber;
}

struct pawl_broadcast_receive {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_broadcast *broadcast;
    struct pawl_subscriber *subscriber;
    void *item;
};
PAWL_API pawl_resume_fn pawl_broadcast_receive_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_broadcast_receive pawl_broadcast_receive_(struct pawl_broadcast *broadcast,
                                                                                struct pawl_subscriber *subscriber, void *item)
{
    struct pawl_broadcast_receive frame;
    frame.awaitable = pawl_coro_init_(pawl_broadcast_receive_resume);
    frame.broadcast = broadcast;
    frame.subscriber = subscriber;
    frame.item = item;
    return frame;
}

/** pawl_broadcast_receive(b, subscriber, pointer): waits for the subscriber's next item and copies it to *pointer. Raises
 *  PAWL_ELAGGED when items that it had not received were overwritten: subscriber->missed says how many, and the next
 *  receive gives the oldest that is left. Raises PAWL_ECLOSED when the broadcast is closed and all was received. One
 *  receive at a time for a subscriber. */
#define pawl_broadcast_receive(b, subscriber, pointer) \
    pawl_broadcast_receive_(&(b)->broadcast, (subscriber), PAWL_ITEM_INTO_(b, pointer))

/** pawl_broadcast_try_receive(b, subscriber, pointer): the same at once: 0, PAWL_EEMPTY, PAWL_ELAGGED, PAWL_ECLOSED. */
#define pawl_broadcast_try_receive(b, subscriber, pointer) \
    pawl_broadcast_try_receive_(&(b)->broadcast, (subscriber), PAWL_ITEM_INTO_(b, pointer))
PAWL_API int pawl_broadcast_try_receive_(struct pawl_broadcast *broadcast, struct pawl_subscriber *subscriber, void *item);

/** pawl_broadcast_send(b, value), pawl_broadcast_send_from(b, pointer): sends to all subscribers; never waits. 0 or PAWL_ECLOSED. */
#define pawl_broadcast_send(b, ...) pawl_broadcast_send_(&(b)->broadcast, PAWL_ITEM_FOR_(b, __VA_ARGS__))
#define pawl_broadcast_send_from(b, pointer) pawl_broadcast_send_(&(b)->broadcast, PAWL_ITEM_FROM_(b, pointer))
PAWL_API int pawl_broadcast_send_(struct pawl_broadcast *broadcast, struct pawl_item item);

/** pawl_broadcast_close(b): nothing is sent any more; what was can still be received. */
#define pawl_broadcast_close(b) pawl_broadcast_close_(&(b)->broadcast)
PAWL_API void pawl_broadcast_close_(struct pawl_broadcast *broadcast);

/* ---- Watch ---- */

struct pawl_watch {
    pawl_sequence version;
    struct pawl_wait_list waiters;
    bool closed;
};

/** WATCH(T): a value of type T that others follow. Zeroed, or with a value, it is ready; `watch.value` is read directly. */
#define PAWL_WATCH(T) struct { struct pawl_watch watch; T value; }

/** How much of a watched value somebody has seen; zeroed: what it is at the beginning, but no change. */
struct pawl_seen {
    pawl_sequence version;
};

struct pawl_watch_changed {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_watch *watch;
    struct pawl_seen *seen;
};
PAWL_API pawl_resume_fn pawl_watch_changed_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_watch_changed pawl_watch_changed_(struct pawl_watch *watch, struct pawl_seen *seen)
{
    struct pawl_watch_changed frame;
    frame.awaitable = pawl_coro_init_(pawl_watch_changed_resume);
    frame.watch = watch;
    frame.seen = seen;
    return frame;
}

/** pawl_watch_changed(w, seen): waits until the value has changed since it was last seen; at once if it has. It is w->value, and
 *  counts as seen then. Raises PAWL_ECLOSED when the watch is closed and its last value was seen. */
#define pawl_watch_changed(w, seen) pawl_watch_changed_(&(w)->watch, (seen))

PAWL_API int pawl_watch_send_(struct pawl_watch *watch, size_t offset, const void *value, size_t size);
/** pawl_watch_send(w, value): sets the value and tells all that follow it; never waits. 0 or PAWL_ECLOSED (nothing is set then). */
#if defined(__cplusplus)
PAWL_END_C
template <class W, class V> PAWL_INLINE int pawl_watch_send_value_(W *watch, const V &value)
{
    __typeof__(watch->value) copy = value;
    return pawl_watch_send_(&watch->watch, offsetof(W, value), &copy, sizeof copy);
}
PAWL_BEGIN_C
#define pawl_watch_send(w, ...) pawl_watch_send_value_((w), (__VA_ARGS__))
#else
#define pawl_watch_send(w, ...) \
    pawl_watch_send_(&(w)->watch, offsetof(__typeof__(*(w)), value), (__typeof__((w)->value)[]){ (__VA_ARGS__) }, sizeof((w)->value))
#endif

/** pawl_watch_close(w): the value will not change any more. */
#define pawl_watch_close(w) pawl_watch_close_(&(w)->watch)
PAWL_API void pawl_watch_close_(struct pawl_watch *watch);

PAWL_END_C

#ifndef PAWL_PREFIXED_KEYWORDS
#define CHANNEL(T, capacity) PAWL_CHANNEL(T, capacity)
#define BROADCAST(T, capacity) PAWL_BROADCAST(T, capacity)
#define WATCH(T) PAWL_WATCH(T)
#endif

#endif
