/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* gather, wait, select, as_completed, shield, wait_for: children come to their end, and no item is lost in an arm. */
#include "everywhere.h"

static int at_work;                 /* children between their first step and their end */
static unsigned sent, received;     /* items: a bit each */
static CHANNEL(int, 0) rendezvous;
static CHANNEL(int, 2) channel;
static struct pawl_lock lock;
static FUTURE(int) answer;

/* ---- A child ---- */

struct works {
    COROUTINE(int);
    struct pawl_sleep sleep;
    int span, error;
    bool stubborn; /* swallows a cancellation */
};

ASYNC(works)
{
    ASYNC_BEGIN(works);
    at_work++;
    TRY {
        TRY {
            AWAIT(self->sleep, pawl_sleep(self->span));
        } CATCH(PAWL_ECANCELLED) {
            if (!self->stubborn) RERAISE();
            AWAIT(self->sleep, pawl_sleep(1));
        } END_TRY;
        if (self->error != 0) RAISE(self->error);
    } FINALLY {
        at_work--;
    } END_TRY;
    ASYNC_RETURN(7);
    ASYNC_END;
}

static void release_children(struct pawl_task **children, size_t count)
{
    for (size_t i = 0; i < count; i++) pawl_task_release(children[i]);
}

static void begin_work(void)
{
    at_work = 0;
}

static void check_work(void)
{
    hold(at_work == 0);
}

/* ---- gather ---- */

struct gathers {
    COROUTINE(void);
    struct pawl_gather all;
    struct pawl_child entries[4];
    struct pawl_task *children[3];
    int error;
    bool stubborn, return_errors;
};

ASYNC(gathers)
{
    ASYNC_BEGIN(gathers);
    TRY {
        self->children[0] = pawl_spawn(CORO(works, .span = 2));
        self->children[1] = pawl_spawn(CORO(works, .span = 1, .error = self->error));
        self->children[2] = pawl_spawn_eager(CORO(works, .span = 3, .stubborn = self->stubborn));
        for (int i = 0; i < 4; i++) self->entries[i] = pawl_child(self->children[i % 3]);
        AWAIT(self->all, self->return_errors ? pawl_gather_return_errors(self->entries, 4) : pawl_gather(self->entries, 4));
        YIELD_NOW();
    } CATCH(-5) {
    } FINALLY {
        release_children(self->children, 3);
    } END_TRY;
    ASYNC_END;
}

struct gathers_gathers {
    COROUTINE(void);
    struct pawl_gather all;
    struct pawl_child entries[2];
    struct pawl_task *children[2];
};

ASYNC(gathers_gathers)
{
    ASYNC_BEGIN(gathers_gathers);
    TRY {
        self->children[0] = pawl_spawn(CORO(gathers));
        self->children[1] = pawl_spawn(CORO(gathers, .error = -5));
        AWAIT(self->all, pawl_gather(CHILDREN(self->entries, self->children[0], self->children[1])));
    } FINALLY {
        release_children(self->children, 2);
    } END_TRY;
    ASYNC_END;
}

static void begin_gather(void)
{
    begin_work();
    player(CORO(gathers));
    player(CORO(gathers, .return_errors = true));
}

static void begin_gather_failing(void)
{
    begin_work();
    player(CORO(gathers, .error = -5));
    player(CORO(gathers, .error = -5, .return_errors = true));
}

static void begin_gather_stubborn(void)
{
    begin_work();
    player(CORO(gathers, .stubborn = true));
    player(CORO(gathers, .stubborn = true, .return_errors = true, .error = -5));
}

static void begin_gather_nested(void)
{
    begin_work();
    player(CORO(gathers_gathers));
}

/* ---- wait ---- */

struct waits {
    COROUTINE(void);
    struct pawl_wait wait;
    struct pawl_child entries[3];
    struct pawl_task *children[3];
    enum pawl_wait_until until;
    pawl_time span;
};

static void cancel_children(struct pawl_task **children, size_t count)
{
    for (size_t i = 0; i < count; i++) pawl_task_cancel(children[i]);
}

ASYNC(waits)
{
    ASYNC_BEGIN(waits);
    TRY {
        self->children[0] = pawl_spawn(CORO(works, .span = 4));
        self->children[1] = pawl_spawn(CORO(works, .span = 2, .error = -5));
        self->children[2] = pawl_spawn(CORO(works, .span = 1, .stubborn = true));
        AWAIT(self->wait, pawl_wait(CHILDREN(self->entries, self->children[0], self->children[1], self->children[2]), self->until, self->span));
        cancel_children(self->children, 3);
        AWAIT(self->wait, pawl_wait(CHILDREN(self->entries, self->children[0], self->children[1], self->children[2]),
                                    PAWL_ALL_COMPLETED, PAWL_FOREVER));
        hold(self->wait.result == 3);
    } FINALLY {
        release_children(self->children, 3);
    } END_TRY;
    ASYNC_END;
}

static void begin_wait(void)
{
    begin_work();
    player(CORO(waits, .until = PAWL_ALL_COMPLETED, .span = PAWL_FOREVER));
    player(CORO(waits, .until = PAWL_FIRST_COMPLETED, .span = PAWL_SEC(1)));
    player(CORO(waits, .until = PAWL_FIRST_ERROR, .span = PAWL_SEC(1)));
}

static void begin_wait_with_a_timeout(void)
{
    begin_work();
    player(CORO(waits, .until = PAWL_ALL_COMPLETED, .span = 1));
    player(CORO(waits, .until = PAWL_FIRST_ERROR, .span = 2));
    player(CORO(waits, .until = PAWL_FIRST_ERROR, .span = 3));
}

/* ---- select ---- */

static void was_sent(int item)
{
    hold((sent & (1u << (unsigned)item)) == 0);
    sent |= 1u << (unsigned)item;
}

static void was_received(int item)
{
    hold((received & (1u << (unsigned)item)) == 0);
    received |= 1u << (unsigned)item;
}

static bool ended_well(struct pawl_task *task)
{
    return pawl_future_done(task) && pawl_future_error(task) == 0;
}

/* Of two receives one has an item, or none. */
struct selects {
    COROUTINE(void);
    struct pawl_select select;
    struct pawl_child arms[3];
    TASK(pawl_channel_receive) first, second;
    TASK(pawl_sleep) timer;
    int items[2], left;
    bool armed;
};

static void look_at_arms(struct selects *self)
{
    if (!self->armed) return;
    const bool first = ended_well(&self->first.awaitable), second = ended_well(&self->second.awaitable);
    hold(!first || !second);
    if (first) was_received(self->items[0]);
    if (second) was_received(self->items[1]);
    self->armed = false;
}

ASYNC(selects)
{
    ASYNC_BEGIN(selects);
    for (; self->left > 0; self->left--) {
        TRY {
            self->armed = true;
            AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->first, pawl_channel_receive(&rendezvous, &self->items[0])),
                                                     pawl_start(&self->second, pawl_channel_receive(&channel, &self->items[1])),
                                                     pawl_start(&self->timer, pawl_sleep(5)))));
        } FINALLY {
            look_at_arms(self);
        } END_TRY;
    }
    ASYNC_END;
}

/* Sends in one arm, for a time. */
struct selects_to_send {
    COROUTINE(void);
    struct pawl_select select;
    struct pawl_child arms[2];
    TASK(pawl_channel_send) send;
    TASK(pawl_sleep) timer;
    int item;
    bool armed;
};

static void look_at_send(struct selects_to_send *self)
{
    if (self->armed && ended_well(&self->send.awaitable)) was_sent(self->item);
    self->armed = false;
}

ASYNC(selects_to_send)
{
    ASYNC_BEGIN(selects_to_send);
    TRY {
        self->armed = true;
        AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->send, pawl_channel_send(&rendezvous, self->item)),
                                                 pawl_start_eager(&self->timer, pawl_sleep(3)))));
    } FINALLY {
        look_at_send(self);
    } END_TRY;
    ASYNC_END;
}

struct sends {
    COROUTINE(void);
    struct pawl_channel_send send;
    struct pawl_sleep sleep;
    int next, end, pause;
};

ASYNC(sends)
{
    ASYNC_BEGIN(sends);
    for (; self->next < self->end; self->next += 2) {
        if (self->pause > 0) AWAIT(self->sleep, pawl_sleep(self->pause));
        TRY_AWAIT(self->send, pawl_channel_send(&channel, self->next));
        if (AWAIT_ERROR() == 0) was_sent(self->next);
        if (AWAIT_ERROR() == PAWL_ECANCELLED) RAISE(PAWL_ECANCELLED);
        TRY_AWAIT(self->send, pawl_channel_send(&rendezvous, self->next + 1));
        if (AWAIT_ERROR() == 0) was_sent(self->next + 1);
        if (AWAIT_ERROR() == PAWL_ECANCELLED) RAISE(PAWL_ECANCELLED);
    }
    ASYNC_END;
}

struct closes {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(closes)
{
    ASYNC_BEGIN(closes);
    AWAIT(self->sleep, pawl_sleep(LATE));
    pawl_channel_close(&rendezvous);
    pawl_channel_close(&channel);
    ASYNC_END;
}

static void begin_channels(void)
{
    pawl_channel_init(&rendezvous);
    pawl_channel_init(&channel);
    sent = received = 0;
    begin_work();
}

static void begin_select(void)
{
    begin_channels();
    player(CORO(selects, .left = 2));
    player(CORO(sends, .next = 0, .end = 4));
    player(CORO(selects, .left = 2));
    helper(CORO(closes));
}

static void begin_select_in_time(void)
{
    begin_channels();
    player(CORO(sends, .next = 0, .end = 4, .pause = 5));
    player(CORO(selects, .left = 3));
    player(CORO(selects, .left = 1));
    helper(CORO(closes));
}

static void begin_select_to_send(void)
{
    begin_channels();
    player(CORO(selects_to_send, .item = 10));
    player(CORO(selects, .left = 2));
    player(CORO(selects_to_send, .item = 11));
    player(CORO(selects_to_send, .item = 12));
    helper(CORO(closes));
}

/* Those that were closed cannot say whether they had sent: then only what came twice is wrong. */
static void check_channels(void)
{
    int item;
    check_work();
    while (pawl_channel_try_receive(&channel, &item) == 0) was_received(item);
    hold((sent & ~received) == 0);
    hold_empty(channel.channel.receivers);
    hold_empty(channel.channel.senders);
    hold_empty(rendezvous.channel.receivers);
    hold_empty(rendezvous.channel.senders);
    hold(channel.channel.promised == 0 && channel.channel.reserved == 0);
    hold(rendezvous.channel.promised == 0 && rendezvous.channel.count == 0);
}

/* ---- as_completed ---- */

struct completes {
    COROUTINE(void);
    struct pawl_as_completed each;
    struct pawl_next_completed next;
    struct pawl_child entries[3];
    struct pawl_task *children[3];
    pawl_time span;
    int count;
};

ASYNC(completes)
{
    ASYNC_BEGIN(completes);
    TRY {
        self->children[0] = pawl_spawn(CORO(works, .span = 2));
        self->children[1] = pawl_spawn(CORO(works, .span = 1));
        self->children[2] = pawl_spawn(CORO(works, .span = 2, .error = -5));
        hold(pawl_as_completed_begin(&self->each, CHILDREN(self->entries, self->children[0], self->children[1], self->children[2]), self->span) == 0);
        for (; self->each.left > 0; self->count++) {
            TRY_AWAIT(self->next, pawl_next_completed(&self->each));
            if (AWAIT_ERROR() == 0) (void)pawl_future_error(self->next.result->future);
            else if (AWAIT_ERROR() != PAWL_ETIMEOUT) RAISE(AWAIT_ERROR());
        }
        hold(self->count == 3);
    } FINALLY {
        pawl_as_completed_end(&self->each);
        release_children(self->children, 3);
    } END_TRY;
    ASYNC_END;
}

static void begin_as_completed(void)
{
    begin_work();
    player(CORO(completes, .span = PAWL_FOREVER));
    player(CORO(completes, .span = 1));
    player(CORO(completes, .span = 2));
}

/* Several that wait for the next one of the same. */
static struct pawl_as_completed shared;
static struct pawl_child shared_entries[4];
static struct pawl_task *shared_children[4];
static int shared_count;

struct shares {
    COROUTINE(void);
    struct pawl_next_completed next;
};

ASYNC(shares)
{
    ASYNC_BEGIN(shares);
    AWAIT(self->next, pawl_next_completed(&shared));
    shared_count++;
    YIELD_NOW();
    ASYNC_END;
}

struct prepares {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(prepares)
{
    ASYNC_BEGIN(prepares);
    TRY {
        for (int i = 0; i < 4; i++) shared_children[i] = pawl_spawn(CORO(works, .span = 10 + i / 2 * 10));
        for (int i = 0; i < 4; i++) shared_entries[i] = pawl_child(shared_children[i]);
        hold(pawl_as_completed_begin(&shared, shared_entries, 4, PAWL_FOREVER) == 0);
        AWAIT(self->sleep, pawl_sleep(15));
        hold(shared.done.first == NULL || shared.waiters.first == NULL);
        AWAIT(self->sleep, pawl_sleep(LATE));
        hold(shared.done.first == NULL || shared.waiters.first == NULL);
    } FINALLY {
        pawl_as_completed_end(&shared);
        release_children(shared_children, 4);
    } END_TRY;
    ASYNC_END;
}

static void begin_as_completed_by_several(void)
{
    begin_work();
    memset(&shared, 0, sizeof shared);
    memset(shared_children, 0, sizeof shared_children);
    memset(shared_entries, 0, sizeof shared_entries);
    helper(CORO(prepares));
    for (int i = 0; i < 4; i++) player(CORO(shares));
}

static void check_shared(void)
{
    check_work();
    hold(shared.children == NULL);
    hold_empty(shared.waiters);
}

/* ---- shield ---- */

struct shields {
    COROUTINE(void);
    struct pawl_shield shield;
    struct pawl_task *child;
    int error;
};

ASYNC(shields)
{
    ASYNC_BEGIN(shields);
    TRY {
        self->child = pawl_spawn(CORO(works, .span = 2, .error = self->error));
        AWAIT(self->shield, pawl_shield(self->child));
    } CATCH(-5) {
    } FINALLY {
        pawl_task_release(self->child);
    } END_TRY;
    ASYNC_END;
}

static void begin_shield(void)
{
    begin_work();
    player(CORO(shields));
    player(CORO(shields, .error = -5));
}

/* One future for all; only behind a shield it survives that one of them is cancelled. */
struct asks {
    COROUTINE(void);
    struct pawl_shield shield;
};

ASYNC(asks)
{
    ASYNC_BEGIN(asks);
    AWAIT(self->shield, pawl_shield(&answer));
    hold(answer.result == 42);
    ASYNC_END;
}

struct answers {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(answers)
{
    ASYNC_BEGIN(answers);
    AWAIT(self->sleep, pawl_sleep(1));
    hold(pawl_future_set_result(&answer, 42) == 0);
    ASYNC_END;
}

static void begin_shielded_future(void)
{
    memset(&answer, 0, sizeof answer);
    for (int i = 0; i < 3; i++) player(CORO(asks));
    helper(CORO(answers));
}

static void check_answer(void)
{
    hold(answer.awaitable.awaitable.first == NULL);
}

/* ---- wait_for ---- */

struct waits_for {
    COROUTINE(void);
    struct pawl_wait_for timed;
    struct works work;
    struct pawl_task *child;
    struct pawl_future future;
    pawl_time span;
    bool stubborn;
};

ASYNC(waits_for)
{
    ASYNC_BEGIN(waits_for);
    TRY {
        self->work = CORO(works, .span = 2, .stubborn = self->stubborn);
        AWAIT(self->timed, pawl_wait_for(&self->work, self->span));
    } CATCH(PAWL_ETIMEOUT) {
    } END_TRY;
    TRY {
        self->child = pawl_spawn(CORO(works, .span = 2, .stubborn = self->stubborn));
        AWAIT(self->timed, pawl_wait_for(self->child, self->span));
    } CATCH(PAWL_ETIMEOUT) {
    } FINALLY {
        pawl_task_release(self->child);
    } END_TRY;
    TRY {
        AWAIT(self->timed, pawl_wait_for(&self->future, self->span < 5 ? self->span : 5));
    } CATCH(PAWL_ETIMEOUT) {
    } END_TRY;
    ASYNC_END;
}

static void begin_wait_for(pawl_time span)
{
    begin_work();
    player(CORO(waits_for, .span = span));
    player(CORO(waits_for, .span = span, .stubborn = true));
}

static void begin_wait_for_long(void)
{
    begin_wait_for(PAWL_FOREVER);
}

static void begin_wait_for_short(void)
{
    begin_wait_for(1);
}

static void begin_wait_for_just(void)
{
    begin_wait_for(2);
}

static void begin_wait_for_none(void)
{
    begin_wait_for(0);
}

/* Items that come in the instant in which the time is over. */
struct receives_in_time {
    COROUTINE(void);
    struct pawl_wait_for timed;
    struct pawl_channel_receive receive;
    int item, turn, turns;
};

ASYNC(receives_in_time)
{
    ASYNC_BEGIN(receives_in_time);
    for (; self->turn < self->turns; self->turn++) {
        self->receive = self->turn % 2 ? pawl_channel_receive(&channel, &self->item) : pawl_channel_receive(&rendezvous, &self->item);
        TRY_AWAIT(self->timed, pawl_wait_for(&self->receive, 1));
        if (AWAIT_ERROR() == 0) was_received(self->item);
        else if (AWAIT_ERROR() == PAWL_ECANCELLED) RAISE(PAWL_ECANCELLED);
    }
    ASYNC_END;
}

struct sends_in_time {
    COROUTINE(void);
    struct pawl_wait_for timed;
    struct pawl_channel_send send;
    int next, end;
};

ASYNC(sends_in_time)
{
    ASYNC_BEGIN(sends_in_time);
    for (; self->next < self->end; self->next++) {
        self->send = self->next % 2 ? pawl_channel_send(&channel, self->next) : pawl_channel_send(&rendezvous, self->next);
        TRY_AWAIT(self->timed, pawl_wait_for(&self->send, 1));
        if (AWAIT_ERROR() == 0) was_sent(self->next);
        else if (AWAIT_ERROR() == PAWL_ECANCELLED) RAISE(PAWL_ECANCELLED);
    }
    ASYNC_END;
}

static void begin_items_in_time(void)
{
    begin_channels();
    player(CORO(receives_in_time, .turns = 4));
    player(CORO(sends_in_time, .next = 0, .end = 3));
    player(CORO(receives_in_time, .turns = 3));
    player(CORO(sends_in_time, .next = 3, .end = 8));
    player(CORO(sends, .next = 10, .end = 14, .pause = 1));
    helper(CORO(closes));
}

/* A lock that is wanted for a time. */
struct locks_in_time {
    COROUTINE(void);
    struct pawl_wait_for timed;
    struct pawl_lock_acquire acquire;
    struct pawl_sleep sleep;
    int turn;
};

ASYNC(locks_in_time)
{
    ASYNC_BEGIN(locks_in_time);
    for (; self->turn < 3; self->turn++) {
        self->acquire = pawl_lock_acquire(&lock);
        TRY_AWAIT(self->timed, pawl_wait_for(&self->acquire, 1));
        if (AWAIT_ERROR() == PAWL_ETIMEOUT) continue;
        if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
        TRY {
            AWAIT(self->sleep, pawl_sleep(self->turn + 1));
        } FINALLY {
            pawl_lock_release(&lock);
        } END_TRY;
    }
    ASYNC_END;
}

static void begin_locks_in_time(void)
{
    memset(&lock, 0, sizeof lock);
    for (int i = 0; i < 4; i++) player(CORO(locks_in_time));
}

static void check_lock(void)
{
    hold(!pawl_lock_locked(&lock));
    hold_empty(lock.waiters);
}

const struct scenario combinator_scenarios[] = {
    { "gather", begin_gather, check_work, 0 },
    { "gather_of_one_that_fails", begin_gather_failing, check_work, MAY_SWALLOW },
    { "gather_of_one_that_swallows", begin_gather_stubborn, check_work, MAY_SWALLOW },
    { "gather_of_gathers", begin_gather_nested, check_work, MAY_SWALLOW },
    { "wait", begin_wait, check_work, MAY_REPORT },
    { "wait_with_a_timeout", begin_wait_with_a_timeout, check_work, MAY_REPORT },
    { "select", begin_select, check_channels, 0 },
    { "select_at_the_instant", begin_select_in_time, check_channels, 0 },
    { "select_to_send", begin_select_to_send, check_channels, 0 },
    { "as_completed", begin_as_completed, check_work, MAY_REPORT },
    { "as_completed_by_several", begin_as_completed_by_several, check_shared, 0 },
    { "shield", begin_shield, check_work, MAY_REPORT },
    { "shielded_future", begin_shielded_future, check_answer, 0 },
    { "wait_for_long", begin_wait_for_long, check_work, MAY_SWALLOW },
    { "wait_for_short", begin_wait_for_short, check_work, MAY_SWALLOW },
    { "wait_for_at_the_instant", begin_wait_for_just, check_work, MAY_SWALLOW },
    { "wait_for_no_time", begin_wait_for_none, check_work, 0 },
    { "wait_for_items", begin_items_in_time, check_channels, 0 },
    { "wait_for_a_lock", begin_locks_in_time, check_lock, 0 },
    { NULL, NULL, NULL, 0 }
};
