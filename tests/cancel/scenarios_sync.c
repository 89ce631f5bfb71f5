/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Sleeping and giving way; locks, semaphores, events, conditions, barriers. */
#include "everywhere.h"

/* ---- Time ---- */

struct sleeper {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(sleeper)
{
    ASYNC_BEGIN(sleeper);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(2)));
    AWAIT(self->sleep, pawl_sleep(0));
    AWAIT(self->sleep, pawl_sleep_until(PAWL_MS(5)));
    YIELD_NOW();
    AWAIT(self->sleep, pawl_yield());
    AWAIT(self->sleep, pawl_sleep_until(PAWL_MS(1)));
    ASYNC_END;
}

static void begin_sleep(void)
{
    for (int i = 0; i < 3; i++) player(CORO(sleeper));
}

static void check_nothing(void) {}

/* ---- Locks ---- */

static struct pawl_lock lock;
static int inside; /* how many are where one may be */

struct locker {
    COROUTINE(void);
    struct pawl_lock_acquire acquire;
    int turn;
};

static void come_in(void)
{
    hold(++inside == 1);
}

static void go_out(void)
{
    inside--;
}

ASYNC(locker)
{
    ASYNC_BEGIN(locker);
    for (self->turn = 0; self->turn < 2; self->turn++) {
        AWAIT(self->acquire, pawl_lock_acquire(&lock));
        come_in();
        TRY {
            YIELD_NOW();
        } FINALLY {
            go_out();
            pawl_lock_release(&lock);
        } END_TRY;
    }
    ASYNC_END;
}

struct lock_scope {
    COROUTINE(void);
    struct pawl_lock_acquire scope;
    struct pawl_sleep sleep;
    int turn;
};

ASYNC(lock_scope)
{
    ASYNC_BEGIN(lock_scope);
    for (self->turn = 0; self->turn < 2; self->turn++) {
        WITH(self->scope, pawl_lock_acquire(&lock)) {
            come_in();
            TRY {
                AWAIT(self->sleep, pawl_sleep(self->turn));
            } FINALLY {
                go_out();
            } END_TRY;
        } END_WITH;
    }
    ASYNC_END;
}

/* Takes it between the others whenever it can. */
struct intruder {
    COROUTINE(void);
    int turn;
};

ASYNC(intruder)
{
    ASYNC_BEGIN(intruder);
    for (self->turn = 0; self->turn < 8; self->turn++) {
        if (pawl_lock_try_acquire(&lock)) {
            come_in();
            TRY {
                YIELD_NOW();
            } FINALLY {
                go_out();
                pawl_lock_release(&lock);
            } END_TRY;
        }
        YIELD_NOW();
    }
    ASYNC_END;
}

static void begin_lock(void)
{
    lock = (struct pawl_lock)PAWL_LOCK_INIT;
    inside = 0;
    for (int i = 0; i < 3; i++) player(CORO(locker));
    player(CORO(intruder));
}

static void begin_lock_scope(void)
{
    lock = (struct pawl_lock)PAWL_LOCK_INIT;
    inside = 0;
    player(CORO(lock_scope));
    player(CORO(intruder));
    for (int i = 0; i < 3; i++) player(CORO(lock_scope));
}

static void check_lock(void)
{
    hold(inside == 0);
    hold(!pawl_lock_locked(&lock));
    hold_empty(lock.waiters);
    hold(pawl_lock_try_acquire(&lock));
}

/* ---- Semaphores ---- */

static struct pawl_semaphore semaphore;

struct permitted {
    COROUTINE(void);
    struct pawl_semaphore_acquire acquire;
    int turn;
};

static void come_in_too(void)
{
    hold(++inside <= 2);
}

ASYNC(permitted)
{
    ASYNC_BEGIN(permitted);
    for (self->turn = 0; self->turn < 2; self->turn++) {
        AWAIT(self->acquire, pawl_semaphore_acquire(&semaphore));
        come_in_too();
        TRY {
            YIELD_NOW();
        } FINALLY {
            go_out();
            hold(pawl_semaphore_release(&semaphore) == 0);
        } END_TRY;
    }
    ASYNC_END;
}

struct semaphore_scope {
    COROUTINE(void);
    struct pawl_semaphore_acquire scope;
    struct pawl_sleep sleep;
};

ASYNC(semaphore_scope)
{
    ASYNC_BEGIN(semaphore_scope);
    WITH(self->scope, pawl_semaphore_acquire(&semaphore)) {
        come_in_too();
        TRY {
            AWAIT(self->sleep, pawl_sleep(1));
        } FINALLY {
            go_out();
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

static void begin_semaphore(void)
{
    semaphore = (struct pawl_semaphore)PAWL_SEMAPHORE_INIT(2);
    inside = 0;
    for (int i = 0; i < 4; i++) player(CORO(permitted));
}

static void begin_semaphore_scope(void)
{
    semaphore = (struct pawl_semaphore)PAWL_BOUNDED_SEMAPHORE_INIT(2);
    inside = 0;
    for (int i = 0; i < 3; i++) player(CORO(semaphore_scope));
    player(CORO(permitted));
    for (int i = 0; i < 2; i++) player(CORO(semaphore_scope));
}

static void check_semaphore(void)
{
    hold(inside == 0);
    hold(semaphore.value == 2 && semaphore.handed == 0);
    hold_empty(semaphore.waiters);
    hold(!pawl_semaphore_locked(&semaphore));
}

/* Permits that come one by one, as many as there are players. */
struct taker {
    COROUTINE(void);
    struct pawl_semaphore_acquire acquire;
};
static unsigned taken, given;

ASYNC(taker)
{
    ASYNC_BEGIN(taker);
    AWAIT(self->acquire, pawl_semaphore_acquire(&semaphore));
    taken++;
    YIELD_NOW();
    ASYNC_END;
}

struct giver {
    COROUTINE(void);
    struct pawl_sleep sleep;
    unsigned permits, at_once;
};

ASYNC(giver)
{
    ASYNC_BEGIN(giver);
    while (self->permits > 0) {
        for (unsigned i = 0; i < self->at_once && self->permits > 0; i++, self->permits--, given++) pawl_semaphore_release(&semaphore);
        YIELD_NOW();
    }
    ASYNC_END;
}

static void begin_permits(unsigned at_once)
{
    semaphore = (struct pawl_semaphore)PAWL_SEMAPHORE_INIT(0);
    taken = given = 0;
    for (int i = 0; i < 4; i++) player(CORO(taker));
    helper(CORO(giver, .permits = 5, .at_once = at_once));
    player(CORO(taker));
}

static void begin_permits_one_by_one(void)
{
    begin_permits(1);
}

static void begin_permits_three_at_once(void)
{
    begin_permits(3);
}

static void check_permits(void)
{
    hold(semaphore.value + taken == given && semaphore.handed == 0);
    hold_empty(semaphore.waiters);
}

/* ---- Events ---- */

static struct pawl_event event;

struct waits_for_event {
    COROUTINE(void);
    struct pawl_event_wait wait;
    int turn;
};

ASYNC(waits_for_event)
{
    ASYNC_BEGIN(waits_for_event);
    for (self->turn = 0; self->turn < 2; self->turn++) AWAIT(self->wait, pawl_event_wait(&event));
    ASYNC_END;
}

struct sets_event {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(sets_event)
{
    ASYNC_BEGIN(sets_event);
    AWAIT(self->sleep, pawl_sleep(1));
    pawl_event_set(&event);
    pawl_event_clear(&event);
    AWAIT(self->sleep, pawl_sleep(1));
    pawl_event_set(&event);
    ASYNC_END;
}

static void begin_event(void)
{
    memset(&event, 0, sizeof event);
    for (int i = 0; i < 3; i++) player(CORO(waits_for_event));
    helper(CORO(sets_event));
    player(CORO(waits_for_event));
}

static void check_event(void)
{
    hold_empty(event.waiters);
}

/* ---- Conditions ---- */

static struct pawl_condition condition;
static int items;

struct consumes {
    COROUTINE(void);
    struct pawl_lock_acquire scope;
    struct pawl_condition_wait wait;
};

ASYNC(consumes)
{
    ASYNC_BEGIN(consumes);
    WITH(self->scope, pawl_lock_acquire(&lock)) {
        while (items == 0) AWAIT(self->wait, pawl_condition_wait(&condition));
        hold(pawl_lock_locked(&lock));
        items--;
        YIELD_NOW();
    } END_WITH;
    ASYNC_END;
}

static bool any_item(void *argument)
{
    (void)argument;
    hold(pawl_lock_locked(&lock));
    return items > 0;
}

struct consumes_by_predicate {
    COROUTINE(void);
    struct pawl_lock_acquire scope;
    struct pawl_condition_wait wait;
};

ASYNC(consumes_by_predicate)
{
    ASYNC_BEGIN(consumes_by_predicate);
    WITH(self->scope, pawl_lock_acquire(&lock)) {
        AWAIT(self->wait, pawl_condition_wait_for(&condition, any_item, NULL));
        items--;
    } END_WITH;
    ASYNC_END;
}

/* Brings fewer than are wanted; the rest comes late, when nobody waits any more for what is there. */
struct produces {
    COROUTINE(void);
    struct pawl_lock_acquire scope;
    struct pawl_sleep sleep;
    int left, at_once;
    bool slow;
};

ASYNC(produces)
{
    ASYNC_BEGIN(produces);
    while (self->left > 0) {
        WITH(self->scope, pawl_lock_acquire(&lock)) {
            for (int i = 0; i < self->at_once && self->left > 0; i++, self->left--) {
                items++;
                hold(pawl_condition_notify(&condition, 1) == 0);
            }
            if (self->slow) YIELD_NOW();
        } END_WITH;
        YIELD_NOW();
    }
    AWAIT(self->sleep, pawl_sleep(LATE));
    WITH(self->scope, pawl_lock_acquire(&lock)) {
        hold(items == 0 || condition.waiters.first == NULL);
        items += 4;
        hold(pawl_condition_notify_all(&condition) == 0);
    } END_WITH;
    ASYNC_END;
}

static void begin_condition_(void)
{
    lock = (struct pawl_lock)PAWL_LOCK_INIT;
    condition = (struct pawl_condition)PAWL_CONDITION_INIT(&lock);
    items = inside = 0;
}

static void begin_condition(void)
{
    begin_condition_();
    for (int i = 0; i < 4; i++) player(CORO(consumes));
    helper(CORO(produces, .left = 3, .at_once = 1));
}

static void begin_condition_slow(void)
{
    begin_condition_();
    for (int i = 0; i < 4; i++) player(CORO(consumes));
    helper(CORO(produces, .left = 3, .at_once = 2, .slow = true));
}

static void begin_condition_predicate(void)
{
    begin_condition_();
    for (int i = 0; i < 4; i++) player(CORO(consumes_by_predicate));
    helper(CORO(produces, .left = 3, .at_once = 2));
}

/* All are woken at once, while somebody else wants the lock too. */
struct wakes_all {
    COROUTINE(void);
    struct pawl_lock_acquire scope;
};

ASYNC(wakes_all)
{
    ASYNC_BEGIN(wakes_all);
    YIELD_NOW();
    WITH(self->scope, pawl_lock_acquire(&lock)) {
        items += 10;
        hold(pawl_condition_notify_all(&condition) == 0);
        YIELD_NOW();
    } END_WITH;
    ASYNC_END;
}

static void begin_condition_all(void)
{
    begin_condition_();
    player(CORO(consumes));
    player(CORO(consumes_by_predicate));
    player(CORO(consumes));
    helper(CORO(wakes_all));
    player(CORO(lock_scope));
}

static void check_condition(void)
{
    hold_empty(condition.waiters);
    check_lock();
}

/* ---- Barriers ---- */

static struct pawl_barrier barrier;
static unsigned passed, broken;

struct meets {
    COROUTINE(void);
    struct pawl_barrier_wait wait;
    int turn, turns;
};

ASYNC(meets)
{
    ASYNC_BEGIN(meets);
    TRY {
        for (self->turn = 0; self->turn < self->turns; self->turn++) {
            AWAIT(self->wait, pawl_barrier_wait(&barrier));
            passed++;
        }
    } CATCH(PAWL_EBROKEN) {
        broken++;
    } END_TRY;
    ASYNC_END;
}

static unsigned length(const struct pawl_wait_list *list)
{
    unsigned count = 0;
    const struct pawl_link *link = list->first;
    if (link == NULL) return 0;
    do {
        count++;
        link = link->next;
    } while (link != list->first);
    return count;
}

struct ends_barrier {
    COROUTINE(void);
    struct pawl_sleep sleep;
    struct pawl_barrier_end end;
    bool aborts;
    pawl_time when;
};

ASYNC(ends_barrier)
{
    ASYNC_BEGIN(ends_barrier);
    if (self->when > 0) {
        AWAIT(self->sleep, pawl_sleep(self->when));
        hold(length(&barrier.condition.waiters) == barrier.count); /* nobody waits to be let in */
    } else {
        YIELD_NOW();
    }
    if (self->aborts) AWAIT(self->end, pawl_barrier_abort(&barrier));
    else AWAIT(self->end, pawl_barrier_reset(&barrier));
    ASYNC_END;
}

static void begin_barrier(void)
{
    hold(pawl_barrier_init(&barrier, 3) == 0);
    passed = broken = 0;
    for (int i = 0; i < 3; i++) player(CORO(meets, .turns = 2));
    helper(CORO(ends_barrier, .when = LATE, .aborts = true));
}

static void begin_barrier_reset(void)
{
    hold(pawl_barrier_init(&barrier, 4) == 0);
    for (int i = 0; i < 3; i++) player(CORO(meets, .turns = 1));
    player(CORO(ends_barrier));
    player(CORO(ends_barrier));
    player(CORO(meets, .turns = 1));
    player(CORO(ends_barrier, .aborts = true));
    helper(CORO(ends_barrier, .when = LATE, .aborts = true));
}

static void check_barrier(void)
{
    hold(barrier.count == 0);
    hold(pawl_barrier_waiting(&barrier) == 0);
    hold(!pawl_lock_locked(&barrier.lock));
    hold_empty(barrier.lock.waiters);
    hold_empty(barrier.condition.waiters);
}

const struct scenario sync_scenarios[] = {
    { "sleep", begin_sleep, check_nothing, BY_HAND },
    { "lock", begin_lock, check_lock, BY_HAND },
    { "lock_as_a_scope", begin_lock_scope, check_lock, BY_HAND },
    { "semaphore", begin_semaphore, check_semaphore, BY_HAND },
    { "bounded_semaphore_as_a_scope", begin_semaphore_scope, check_semaphore, BY_HAND },
    { "permits_one_by_one", begin_permits_one_by_one, check_permits, BY_HAND },
    { "permits_three_at_once", begin_permits_three_at_once, check_permits, BY_HAND },
    { "event", begin_event, check_event, BY_HAND },
    { "condition", begin_condition, check_condition, BY_HAND },
    { "condition_with_the_lock_held_long", begin_condition_slow, check_condition, BY_HAND },
    { "condition_with_a_predicate", begin_condition_predicate, check_condition, BY_HAND },
    { "condition_notify_all", begin_condition_all, check_condition, BY_HAND },
    { "barrier", begin_barrier, check_barrier, BY_HAND },
    { "barrier_reset_and_abort", begin_barrier_reset, check_barrier, BY_HAND },
    { NULL, NULL, NULL, 0 }
};
