/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Queues, channels, broadcast, watch. Whoever waits for items that no longer come, since their bringer was disturbed, is told
 * so at a late time; before that nobody waits for what is there. No item is lost and none is there twice: each has a bit.
 */
#include "everywhere.h"

static unsigned sent, received; /* a bit for each item */
static unsigned unsure;         /* their sender was closed, or another error was raised there: it cannot tell */

static unsigned bit(int item)
{
    return 1u << (unsigned)item;
}

static void was_sent(int item)
{
    hold((sent & bit(item)) == 0);
    sent |= bit(item);
}

static void was_received(int item)
{
    hold((received & bit(item)) == 0);
    received |= bit(item);
}

/* What the outcome of a send says of its item. One that was cancelled, or came too late, has sent nothing. */
static void send_ended(int item, int error)
{
    if (error == 0) was_sent(item);
    else if (error != PAWL_ECANCELLED && error != PAWL_ECLOSED) unsure |= bit(item);
}

static void check_items(void)
{
    hold((sent & ~received) == 0);
    hold((received & ~sent & ~unsure) == 0);
}

/* ---- Queues ---- */

static QUEUE(int, 1) one;
static QUEUE(int, 3) three;
static struct pawl_queue *queue; /* one of them */

struct puts_items {
    COROUTINE(void);
    struct pawl_queue_put put;
    int next, end;
};

ASYNC(puts_items)
{
    ASYNC_BEGIN(puts_items);
    TRY {
        for (; self->next < self->end; self->next++) {
            AWAIT(self->put, pawl_queue_put_(queue, pawl_item_of_(&self->next, sizeof self->next)));
            was_sent(self->next);
        }
    } CATCH(PAWL_ECLOSED) {
    } END_TRY;
    ASYNC_END;
}

struct gets_items {
    COROUTINE(void);
    struct pawl_queue_get get;
    int item, left;
    bool slow;
};

ASYNC(gets_items)
{
    ASYNC_BEGIN(gets_items);
    TRY {
        while (self->left-- > 0) {
            AWAIT(self->get, pawl_queue_get_(queue, &self->item));
            was_received(self->item);
            TRY {
                if (self->slow) YIELD_NOW();
            } FINALLY {
                hold(pawl_queue_task_done_(queue) == 0);
            } END_TRY;
        }
    } CATCH(PAWL_ECLOSED) {
    } END_TRY;
    ASYNC_END;
}

/* Comes in between whenever it can. */
struct grabs_items {
    COROUTINE(void);
    int item, turn;
};

ASYNC(grabs_items)
{
    ASYNC_BEGIN(grabs_items);
    for (self->turn = 0; self->turn < 5; self->turn++) {
        if (pawl_queue_get_nowait_(queue, &self->item) == 0) {
            was_received(self->item);
            hold(pawl_queue_task_done_(queue) == 0);
        }
        self->item = 20 + self->turn;
        if (pawl_queue_put_nowait_(queue, pawl_item_of_(&self->item, sizeof self->item)) == 0) was_sent(self->item);
        YIELD_NOW();
    }
    ASYNC_END;
}

struct shuts_down {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(shuts_down)
{
    ASYNC_BEGIN(shuts_down);
    AWAIT(self->sleep, pawl_sleep(LATE));
    hold(queue->count == 0 || queue->getters.first == NULL);
    hold(queue->count == queue->capacity || queue->putters.first == NULL);
    pawl_queue_shutdown_(queue, false);
    ASYNC_END;
}

static bool before(const void *a, const void *b)
{
    return *(const int *)a < *(const int *)b;
}

static void begin_queue_(void)
{
    sent = received = unsure = 0;
    pawl_queue_init(&one);
    pawl_queue_init(&three);
}

static void add_putters_and_getters(void)
{
    player(CORO(gets_items, .left = 2));
    player(CORO(puts_items, .next = 0, .end = 3));
    player(CORO(puts_items, .next = 3, .end = 6));
    player(CORO(gets_items, .left = 2, .slow = true));
    player(CORO(gets_items, .left = 2));
    helper(CORO(shuts_down));
}

static void begin_fifo(void)
{
    begin_queue_();
    queue = &one.queue;
    add_putters_and_getters();
}

static void begin_lifo(void)
{
    begin_queue_();
    pawl_lifo_queue_init(&three);
    queue = &three.queue;
    add_putters_and_getters();
}

static void begin_priority(void)
{
    begin_queue_();
    pawl_priority_queue_init(&three, before);
    queue = &three.queue;
    add_putters_and_getters();
}

static void begin_many_getters(void)
{
    begin_queue_();
    queue = &three.queue;
    for (int i = 0; i < 5; i++) player(CORO(gets_items, .left = 1));
    player(CORO(puts_items, .next = 0, .end = 5));
    helper(CORO(shuts_down));
}

static void begin_many_putters(void)
{
    begin_queue_();
    queue = &one.queue;
    for (int i = 0; i < 5; i++) player(CORO(puts_items, .next = i, .end = i + 1));
    player(CORO(gets_items, .left = 5));
    helper(CORO(shuts_down));
}

static void begin_grabbing(void)
{
    begin_queue_();
    queue = &one.queue;
    add_putters_and_getters();
    player(CORO(grabs_items));
}

static void check_queue(void)
{
    int item;
    hold_empty(queue->getters);
    hold_empty(queue->putters);
    hold_empty(queue->finished.waiters);
    while (pawl_queue_get_nowait_(queue, &item) == 0) {
        was_received(item);
        hold(pawl_queue_task_done_(queue) == 0);
    }
    check_items();
    hold(queue->unfinished == 0);
}

struct joins {
    COROUTINE(void);
    struct pawl_queue_join join;
};
static bool over;

ASYNC(joins)
{
    ASYNC_BEGIN(joins);
    YIELD_NOW();
    AWAIT(self->join, pawl_queue_join_(queue));
    hold(queue->unfinished == 0 || over);
    ASYNC_END;
}

/* Takes what nobody takes any more. */
struct sweeps {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(sweeps)
{
    ASYNC_BEGIN(sweeps);
    AWAIT(self->sleep, pawl_sleep(LATE));
    hold(queue->unfinished > 0 || queue->finished.waiters.first == NULL);
    over = true;
    pawl_queue_shutdown_(queue, true);
    hold(queue->unfinished == 0);
    received = sent;
    ASYNC_END;
}

static void begin_join(void)
{
    begin_queue_();
    over = false;
    queue = &three.queue;
    player(CORO(puts_items, .next = 0, .end = 4));
    player(CORO(joins));
    player(CORO(gets_items, .left = 3, .slow = true));
    player(CORO(joins));
    player(CORO(gets_items, .left = 1, .slow = true));
    helper(CORO(sweeps));
}

/* ---- Channels ---- */

static CHANNEL(int, 0) rendezvous;
static CHANNEL(int, 1) narrow;
static CHANNEL(int, 3) wide;
static struct pawl_channel *channel; /* one of them */

struct sends_items {
    COROUTINE(void);
    struct pawl_channel_send send;
    int next, end;
};

ASYNC(sends_items)
{
    ASYNC_BEGIN(sends_items);
    for (; self->next < self->end; self->next++) {
        TRY_AWAIT(self->send, pawl_channel_send_(channel, pawl_item_of_(&self->next, sizeof self->next)));
        send_ended(self->next, AWAIT_ERROR());
        if (AWAIT_ERROR() == PAWL_ECLOSED) break;
        if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
    }
    ASYNC_END;
}

struct receives_items {
    COROUTINE(void);
    struct pawl_channel_receive receive;
    int item, left;
};

ASYNC(receives_items)
{
    ASYNC_BEGIN(receives_items);
    TRY {
        while (self->left-- > 0) {
            AWAIT(self->receive, pawl_channel_receive_(channel, &self->item));
            was_received(self->item);
        }
    } CATCH(PAWL_ECLOSED) {
    } END_TRY;
    ASYNC_END;
}

struct tries_items {
    COROUTINE(void);
    int item, turn;
};

ASYNC(tries_items)
{
    ASYNC_BEGIN(tries_items);
    for (self->turn = 0; self->turn < 6; self->turn++) {
        if (pawl_channel_try_receive_(channel, &self->item) == 0) was_received(self->item);
        self->item = 20 + self->turn;
        if (pawl_channel_try_send_(channel, pawl_item_of_(&self->item, sizeof self->item)) == 0) was_sent(self->item);
        YIELD_NOW();
    }
    ASYNC_END;
}

struct closes {
    COROUTINE(void);
    struct pawl_sleep sleep;
    int early;
};

ASYNC(closes)
{
    ASYNC_BEGIN(closes);
    if (self->early > 0) {
        while (self->early-- > 0) YIELD_NOW();
    } else {
        AWAIT(self->sleep, pawl_sleep(LATE));
        hold(channel->promised == 0 && channel->reserved == 0);
        hold(channel->count == 0 || channel->receivers.first == NULL);
        hold(channel->count >= channel->capacity || channel->senders.first == NULL);
    }
    pawl_channel_close_(channel);
    ASYNC_END;
}

static void begin_channel_(void)
{
    sent = received = unsure = 0;
    pawl_channel_init(&rendezvous);
    pawl_channel_init(&narrow);
    pawl_channel_init(&wide);
}

static void add_senders_and_receivers(int early)
{
    player(CORO(receives_items, .left = 2));
    player(CORO(sends_items, .next = 0, .end = 2));
    player(CORO(sends_items, .next = 2, .end = 4));
    player(CORO(receives_items, .left = 2));
    player(CORO(receives_items, .left = 2));
    player(CORO(sends_items, .next = 4, .end = 6));
    helper(CORO(closes, .early = early));
}

static void begin_rendezvous(void)
{
    begin_channel_();
    channel = &rendezvous.channel;
    add_senders_and_receivers(0);
}

static void begin_rendezvous_closed_early(void)
{
    begin_channel_();
    channel = &rendezvous.channel;
    add_senders_and_receivers(1);
}

static void begin_narrow(void)
{
    begin_channel_();
    channel = &narrow.channel;
    add_senders_and_receivers(0);
}

static void begin_narrow_closed_early(void)
{
    begin_channel_();
    channel = &narrow.channel;
    add_senders_and_receivers(2);
}

static void begin_wide(void)
{
    begin_channel_();
    channel = &wide.channel;
    add_senders_and_receivers(0);
}

static void add_many_senders(void)
{
    for (int i = 0; i < 5; i++) player(CORO(sends_items, .next = i, .end = i + 1));
    player(CORO(receives_items, .left = 5));
    helper(CORO(closes));
}

static void begin_rendezvous_of_many_senders(void)
{
    begin_channel_();
    channel = &rendezvous.channel;
    add_many_senders();
}

static void begin_narrow_with_many_senders(void)
{
    begin_channel_();
    channel = &narrow.channel;
    add_many_senders();
}

static void add_many_receivers(void)
{
    for (int i = 0; i < 5; i++) player(CORO(receives_items, .left = 1));
    player(CORO(sends_items, .next = 0, .end = 5));
    helper(CORO(closes));
}

static void begin_rendezvous_of_many_receivers(void)
{
    begin_channel_();
    channel = &rendezvous.channel;
    add_many_receivers();
}

static void begin_wide_with_many_receivers(void)
{
    begin_channel_();
    channel = &wide.channel;
    add_many_receivers();
}

static void begin_channel_trying(void)
{
    begin_channel_();
    channel = &narrow.channel;
    add_senders_and_receivers(0);
    player(CORO(tries_items));
}

static void begin_rendezvous_trying(void)
{
    begin_channel_();
    channel = &rendezvous.channel;
    add_senders_and_receivers(0);
    player(CORO(tries_items));
}

static void check_channel(void)
{
    int item;
    hold_empty(channel->receivers);
    hold_empty(channel->senders);
    hold(channel->promised == 0 && channel->reserved == 0);
    hold(channel->capacity > 0 || channel->count == 0);
    while (pawl_channel_try_receive_(channel, &item) == 0) was_received(item);
    hold(channel->count == 0);
    check_items();
}

/* ---- Items too large for a frame's slot: they lie in the sender's frame ---- */

struct parcel {
    int item;
    char text[60];
};
static CHANNEL(struct parcel, 0) handed;

struct sends_parcels {
    COROUTINE(void);
    struct pawl_channel_send send;
    struct parcel parcel;
};

ASYNC(sends_parcels)
{
    ASYNC_BEGIN(sends_parcels);
    memset(self->parcel.text, 'a' + self->parcel.item, sizeof self->parcel.text);
    TRY_AWAIT(self->send, pawl_channel_send_from(&handed, &self->parcel));
    send_ended(self->parcel.item, AWAIT_ERROR());
    if (AWAIT_ERROR() != 0 && AWAIT_ERROR() != PAWL_ECLOSED) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

struct receives_parcels {
    COROUTINE(void);
    struct pawl_channel_receive receive;
    struct parcel parcel;
};

ASYNC(receives_parcels)
{
    ASYNC_BEGIN(receives_parcels);
    TRY {
        AWAIT(self->receive, pawl_channel_receive(&handed, &self->parcel));
        was_received(self->parcel.item);
        hold(self->parcel.text[59] == 'a' + self->parcel.item);
    } CATCH(PAWL_ECLOSED) {
    } END_TRY;
    ASYNC_END;
}

static void begin_parcels(void)
{
    sent = received = unsure = 0;
    pawl_channel_init(&handed);
    channel = &handed.channel;
    for (int i = 0; i < 3; i++) player(CORO(sends_parcels, .parcel = { .item = i }));
    for (int i = 0; i < 3; i++) player(CORO(receives_parcels));
    helper(CORO(closes));
}

/* ---- Broadcast ---- */

static BROADCAST(int, 2) broadcast;

struct subscribes {
    COROUTINE(void);
    struct pawl_broadcast_receive receive;
    struct pawl_subscriber subscriber;
    int item;
    pawl_sequence seen;
};

ASYNC(subscribes)
{
    ASYNC_BEGIN(subscribes);
    self->subscriber = pawl_subscribe(&broadcast);
    for (;;) {
        TRY_AWAIT(self->receive, pawl_broadcast_receive(&broadcast, &self->subscriber, &self->item));
        if (AWAIT_ERROR() == PAWL_ECLOSED) break;
        if (AWAIT_ERROR() == PAWL_ELAGGED) self->seen += self->subscriber.missed;
        else if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
        else hold(++self->seen == (pawl_sequence)self->item);
    }
    hold(self->seen == 6);
    ASYNC_END;
}

struct broadcasts {
    COROUTINE(void);
    struct pawl_sleep sleep;
    int next;
};

ASYNC(broadcasts)
{
    ASYNC_BEGIN(broadcasts);
    YIELD_NOW();
    while (self->next < 6) {
        hold(pawl_broadcast_send(&broadcast, ++self->next) == 0);
        if (self->next % 2 == 0) YIELD_NOW();
        if (self->next == 3) YIELD_NOW();
    }
    AWAIT(self->sleep, pawl_sleep(LATE));
    pawl_broadcast_close(&broadcast);
    ASYNC_END;
}

static void begin_broadcast(void)
{
    pawl_broadcast_init(&broadcast);
    for (int i = 0; i < 3; i++) player(CORO(subscribes));
    helper(CORO(broadcasts));
}

static void check_broadcast(void)
{
    hold_empty(broadcast.broadcast.waiters);
}

/* ---- Watch ---- */

static WATCH(int) watch;

struct follows {
    COROUTINE(void);
    struct pawl_watch_changed changed;
    struct pawl_seen seen;
    int last;
};

ASYNC(follows)
{
    ASYNC_BEGIN(follows);
    for (;;) {
        TRY_AWAIT(self->changed, pawl_watch_changed(&watch, &self->seen));
        if (AWAIT_ERROR() == PAWL_ECLOSED) break;
        if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
        self->last = watch.value;
    }
    hold(self->last == 5);
    ASYNC_END;
}

struct changes {
    COROUTINE(void);
    struct pawl_sleep sleep;
    int next;
};

ASYNC(changes)
{
    ASYNC_BEGIN(changes);
    while (self->next < 5) {
        hold(pawl_watch_send(&watch, ++self->next) == 0);
        if (self->next % 2 == 0) YIELD_NOW();
    }
    AWAIT(self->sleep, pawl_sleep(LATE));
    pawl_watch_close(&watch);
    ASYNC_END;
}

static void begin_watch(void)
{
    memset(&watch, 0, sizeof watch);
    player(CORO(follows));
    player(CORO(follows));
    helper(CORO(changes));
    player(CORO(follows));
}

static void check_watch(void)
{
    hold_empty(watch.watch.waiters);
}

const struct scenario queue_scenarios[] = {
    { "queue", begin_fifo, check_queue, BY_HAND },
    { "lifo_queue", begin_lifo, check_queue, BY_HAND },
    { "priority_queue", begin_priority, check_queue, BY_HAND },
    { "queue_with_many_getters", begin_many_getters, check_queue, BY_HAND },
    { "queue_with_many_putters", begin_many_putters, check_queue, BY_HAND },
    { "queue_and_one_that_comes_in_between", begin_grabbing, check_queue, BY_HAND },
    { "queue_join", begin_join, check_queue, BY_HAND },
    { "channel_of_0", begin_rendezvous, check_channel, BY_HAND },
    { "channel_of_0_closed_early", begin_rendezvous_closed_early, check_channel, BY_HAND },
    { "channel_of_0_with_many_senders", begin_rendezvous_of_many_senders, check_channel, BY_HAND },
    { "channel_of_0_with_many_receivers", begin_rendezvous_of_many_receivers, check_channel, BY_HAND },
    { "channel_of_0_and_one_that_tries", begin_rendezvous_trying, check_channel, BY_HAND },
    { "channel_of_1", begin_narrow, check_channel, BY_HAND },
    { "channel_of_1_closed_early", begin_narrow_closed_early, check_channel, BY_HAND },
    { "channel_of_1_with_many_senders", begin_narrow_with_many_senders, check_channel, BY_HAND },
    { "channel_of_1_and_one_that_tries", begin_channel_trying, check_channel, BY_HAND },
    { "channel_of_3", begin_wide, check_channel, BY_HAND },
    { "channel_of_3_with_many_receivers", begin_wide_with_many_receivers, check_channel, BY_HAND },
    { "channel_of_large_items", begin_parcels, check_channel, BY_HAND },
    { "broadcast", begin_broadcast, check_broadcast, BY_HAND },
    { "watch", begin_watch, check_watch, BY_HAND },
    { NULL, NULL, NULL, 0 }
};
