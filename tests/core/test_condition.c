/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Conditions, as asyncio's: the lock is held again on every way out, and no notification is lost. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;
static struct pawl_lock lock;
static struct pawl_condition condition;
static int state;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    lock = (struct pawl_lock){ 0 };
    condition = (struct pawl_condition)PAWL_CONDITION_INIT(&lock);
    state = 0;
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void run_all(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

static bool is_true(void *argument)
{
    return *(const int *)argument != 0;
}

static void nobody_waits(void)
{
    ck_assert_ptr_null(condition.waiters.first);
    ck_assert_ptr_null(lock.waiters.first);
}

/* Takes the lock, waits for a notification (or until `state` is true), and keeps the lock or gives it back. */
struct waits {
    COROUTINE(int);
    int n;
    bool keeps, predicate;
    const char *message; /* of its cancellation, when the wait was over */
    struct pawl_lock_acquire hold;
    struct pawl_condition_wait wait;
};

ASYNC(waits)
{
    ASYNC_BEGIN(waits);
    AWAIT(self->hold, pawl_lock_acquire(&lock));
    if (self->predicate) TRY_AWAIT(self->wait, pawl_condition_wait_for(&condition, is_true, &state));
    else TRY_AWAIT(self->wait, pawl_condition_wait(&condition));
    self->result = AWAIT_ERROR();
    self->message = pawl_task_cancel_message(pawl_task_current());
    ck_assert(pawl_lock_locked(&lock)); /* however it ended */
    if (self->result == 0) trace(&seen, "%d ", self->n);
    if (!self->keeps) ck_assert_int_eq(pawl_lock_release(&lock), 0);
    if (self->result != 0) RAISE(self->result);
    ASYNC_END;
}

enum { MOST = 5 };
static TASK(waits) waiters[MOST];

static void start_waiters(int count, struct waits how)
{
    memset(waiters, 0, sizeof waiters);
    for (int i = 0; i < count; i++) {
        struct waits frame = how;
        frame.awaitable = CORO(waits).awaitable;
        frame.n = i + 1;
        ck_assert_ptr_nonnull(pawl_start(&waiters[i], frame));
    }
    once();
}

static void notify(unsigned count)
{
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(pawl_condition_notify(&condition, count), 0);
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
}

/* ---- Waiting and notifying ---- */

START_TEST(a_notified_waiter_goes_on_when_it_has_the_lock)
{
    begin();
    start_waiters(3, (struct waits){ .keeps = true });
    ck_assert(!pawl_lock_locked(&lock));
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), 0);
    once();
    ck_assert_trace(&seen, "");
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert_trace(&seen, "1 ");
    ck_assert(pawl_lock_locked(&lock));
    ck_assert_int_eq(pawl_condition_notify(&condition, 2), 0);
    once();
    ck_assert_trace(&seen, "1 ");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pawl_lock_release(&lock), 0);
        once();
        ck_assert(pawl_lock_locked(&lock));
        ck_assert_trace(&seen, i == 0 ? "1 2 " : "1 2 3 ");
    }
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(a_notify_wakes_as_many_as_it_says_in_their_order)
{
    begin();
    start_waiters(3, (struct waits){ 0 });
    notify(1);
    once();
    ck_assert_trace(&seen, "1 ");
    notify(0);
    once();
    ck_assert_trace(&seen, "1 ");
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), 0);
    ck_assert_int_eq(pawl_condition_notify(&condition, 2048), 0);
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    run_all();
    ck_assert_trace(&seen, "1 2 3 ");
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(a_notify_of_all_wakes_all_one_after_the_other)
{
    begin();
    start_waiters(MOST, (struct waits){ 0 });
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(pawl_condition_notify_all(&condition), 0);
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    run_all();
    ck_assert_trace(&seen, "1 2 3 4 5 ");
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(a_notification_when_nobody_waits_is_not_kept)
{
    begin();
    notify(3);
    start_waiters(1, (struct waits){ 0 });
    run_all();
    ck_assert_int_eq(pawl_future_error(&waiters[0]), PAWL_EPENDING);
    pawl_task_cancel(&waiters[0].awaitable);
    once();
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(a_predicate_is_looked_at_after_each_notification)
{
    begin();
    start_waiters(1, (struct waits){ .predicate = true });
    notify(1);
    once();
    ck_assert_trace(&seen, "");
    ck_assert(!pawl_lock_locked(&lock)); /* it waits again, and has let the lock go */
    state = 1;
    run_all();
    ck_assert_trace(&seen, ""); /* true alone wakes nobody */
    notify(1);
    once();
    ck_assert_trace(&seen, "1 ");
    nobody_waits();
    world_end(&world);
}
END_TEST

struct waits_unlocked {
    COROUTINE(int);
    struct pawl_condition *condition;
    pawl_predicate *predicate;
    struct pawl_condition_wait wait;
};

ASYNC(waits_unlocked)
{
    ASYNC_BEGIN(waits_unlocked);
    AWAIT(self->wait, pawl_condition_wait_for(self->condition, self->predicate, &state));
    ASYNC_END;
}

START_TEST(to_wait_without_the_lock_is_invalid)
{
    static struct pawl_condition without_lock;
    begin();
    ck_assert_int_eq(world_run(&world, CORO(waits_unlocked, .condition = &condition)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(waits_unlocked, .condition = NULL)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(waits_unlocked, .condition = &without_lock)), PAWL_EINVAL);
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(a_predicate_that_is_true_already_needs_neither_wait_nor_lock)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(waits_unlocked, .condition = &condition, .predicate = is_true)), PAWL_EINVAL);
    state = 1;
    ck_assert_int_eq(world_run(&world, CORO(waits_unlocked, .condition = &condition, .predicate = is_true)), 0);
    ck_assert(!pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

START_TEST(to_notify_without_the_lock_is_invalid)
{
    begin();
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_condition_notify(NULL, 1), PAWL_EINVAL);
    start_waiters(1, (struct waits){ 0 });
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), PAWL_EINVAL);
    run_all();
    ck_assert_int_eq(pawl_future_error(&waiters[0]), PAWL_EPENDING);
    pawl_task_cancel(&waiters[0].awaitable);
    once();
    world_end(&world);
}
END_TEST

START_TEST(to_notify_all_without_the_lock_is_invalid)
{
    begin();
    ck_assert_int_eq(pawl_condition_notify_all(&condition), PAWL_EINVAL);
    ck_assert_int_eq(pawl_condition_notify_all(NULL), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

struct holds {
    COROUTINE(int);
    struct pawl_lock_acquire hold;
};

ASYNC(holds)
{
    ASYNC_BEGIN(holds);
    WITH(self->hold, pawl_lock_acquire(condition.lock)) {
        ck_assert(pawl_lock_locked(&lock));
    } END_WITH;
    ck_assert(!pawl_lock_locked(&lock));
    ASYNC_END;
}

START_TEST(its_lock_is_held_around_a_block)
{
    begin();
    ck_assert(!pawl_lock_locked(&lock));
    ck_assert_int_eq(world_run(&world, CORO(holds)), 0);
    ck_assert(!pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

START_TEST(conditions_that_share_a_lock_are_notified_each_by_itself)
{
    static struct pawl_condition other;
    begin();
    other = (struct pawl_condition)PAWL_CONDITION_INIT(&lock);
    start_waiters(2, (struct waits){ 0 });
    ck_assert(pawl_lock_try_acquire(other.lock));
    ck_assert(!pawl_lock_try_acquire(condition.lock));
    ck_assert_int_eq(pawl_condition_notify_all(&other), 0);
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), 0);
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    run_all();
    ck_assert_trace(&seen, "1 ");
    pawl_task_cancel(&waiters[1].awaitable);
    once();
    world_end(&world);
}
END_TEST

/* ---- Cancelled ---- */

START_TEST(a_waiter_that_is_cancelled_has_the_lock_again)
{
    begin();
    start_waiters(1, (struct waits){ .keeps = true });
    ck_assert(!pawl_lock_locked(&lock));
    ck_assert(pawl_task_cancel(&waiters[0].awaitable));
    once();
    ck_assert(pawl_future_cancelled(&waiters[0]));
    ck_assert(pawl_lock_locked(&lock));
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(cancelled_in_the_iteration_in_which_it_was_notified_it_waits_for_the_lock_first)
{
    begin();
    start_waiters(1, (struct waits){ .keeps = true });
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), 0);
    ck_assert(pawl_task_cancel(&waiters[0].awaitable));
    once();
    ck_assert_int_eq(pawl_future_error(&waiters[0]), PAWL_EPENDING);
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert(pawl_future_cancelled(&waiters[0]));
    ck_assert(pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

START_TEST(cancelled_while_it_waits_for_the_lock_it_still_waits_for_it)
{
    begin();
    start_waiters(1, (struct waits){ 0 });
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), 0);
    once(); /* it is at the lock */
    for (int i = 0; i < 3; i++) {
        ck_assert(pawl_task_cancel(&waiters[0].awaitable));
        once();
        ck_assert_int_eq(pawl_future_error(&waiters[0]), PAWL_EPENDING);
    }
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert(pawl_future_cancelled(&waiters[0]));
    ck_assert_uint_eq(pawl_task_cancelling(&waiters[0].awaitable), 3);
    ck_assert(!pawl_lock_locked(&lock));
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(cancelled_when_the_lock_is_on_its_way_to_it_it_takes_it_all_the_same)
{
    begin();
    start_waiters(1, (struct waits){ .keeps = true });
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), 0);
    once();
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert(pawl_task_cancel(&waiters[0].awaitable));
    once();
    ck_assert(pawl_future_cancelled(&waiters[0]));
    ck_assert(pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

struct waits_for_a_time {
    COROUTINE(int);
    struct pawl_lock_acquire hold;
    struct pawl_condition_wait wait;
    struct pawl_wait_for timed;
};

ASYNC(waits_for_a_time)
{
    ASYNC_BEGIN(waits_for_a_time);
    WITH(self->hold, pawl_lock_acquire(&lock)) {
        self->wait = pawl_condition_wait(&condition);
        TRY_AWAIT(self->timed, pawl_wait_for(&self->wait, 5));
        self->result = AWAIT_ERROR();
        ck_assert(pawl_lock_locked(&lock));
    } END_WITH;
    if (self->result) RAISE(self->result);
    ASYNC_END;
}

START_TEST(a_timeout_in_a_block_leaves_it_with_the_lock_held)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(waits_for_a_time)), PAWL_ETIMEOUT);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 5);
    ck_assert(!pawl_lock_locked(&lock));
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(the_message_of_a_cancel_stays_when_it_came_during_the_wait)
{
    begin();
    start_waiters(1, (struct waits){ .predicate = true });
    ck_assert(pawl_task_cancel_because(&waiters[0].awaitable, "foo"));
    once();
    ck_assert(pawl_future_cancelled(&waiters[0]));
    ck_assert_str_eq(waiters[0].frame.message, "foo");
    world_end(&world);
}
END_TEST

START_TEST(the_message_of_a_cancel_stays_when_it_came_at_the_lock)
{
    begin();
    start_waiters(1, (struct waits){ .predicate = true });
    ck_assert(pawl_lock_try_acquire(&lock));
    state = 1;
    ck_assert_int_eq(pawl_condition_notify(&condition, 1), 0);
    once();
    ck_assert(pawl_task_cancel_because(&waiters[0].awaitable, "foo"));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    run_all();
    ck_assert(pawl_future_cancelled(&waiters[0]));
    ck_assert_str_eq(waiters[0].frame.message, "foo");
    world_end(&world);
}
END_TEST

/* Takes one off `state` whenever there is one, until it is negative. */
struct consumer {
    COROUTINE(int);
    int n;
    struct pawl_lock_acquire hold;
    struct pawl_condition_wait wait;
};

ASYNC(consumer)
{
    ASYNC_BEGIN(consumer);
    WITH(self->hold, pawl_lock_acquire(&lock)) {
        for (;;) {
            AWAIT(self->wait, pawl_condition_wait_for(&condition, is_true, &state));
            if (state < 0) ASYNC_RETURN();
            state--;
            trace(&seen, "%d ", self->n);
            ck_assert_int_eq(pawl_condition_notify_all(&condition), 0);
        }
    } END_WITH;
    ASYNC_END;
}

static bool is_zero(void *argument)
{
    return *(const int *)argument == 0;
}

struct producer {
    COROUTINE(int);
    struct pawl_task *victim;
    bool later;
    struct pawl_lock_acquire hold;
    struct pawl_condition_wait wait;
    struct pawl_timeout timeout;
    struct pawl_sleep sleep;
};

ASYNC(producer)
{
    ASYNC_BEGIN(producer);
    WITH(self->hold, pawl_lock_acquire(&lock)) {
        state++;
        pawl_condition_notify(&condition, 1);
        if (self->later) AWAIT(self->sleep, pawl_yield());
        pawl_task_cancel(self->victim);
        WITH(self->timeout, pawl_move_on_after(10)) {
            AWAIT(self->wait, pawl_condition_wait_for(&condition, is_zero, &state));
        } END_WITH;
        ck_assert(!pawl_timeout_expired(&self->timeout));
        ck_assert_int_eq(state, 0);
        state = -1;
        pawl_condition_notify_all(&condition);
    } END_WITH;
    ASYNC_END;
}

static void produce_for_one_that_is_cancelled(bool later)
{
    static TASK(consumer) consumers[2];
    begin();
    for (int i = 0; i < 2; i++) ck_assert_ptr_nonnull(pawl_start(&consumers[i], CORO(consumer, .n = i + 1)));
    once();
    ck_assert_int_eq(world_run(&world, CORO(producer, .victim = &consumers[0].awaitable, .later = later)), 0);
    run_all();
    ck_assert(pawl_future_cancelled(&consumers[0]));
    ck_assert_int_eq(pawl_future_error(&consumers[1]), 0);
    ck_assert_trace(&seen, "2 ");
    ck_assert(!pawl_lock_locked(&lock));
    nobody_waits();
    world_end(&world);
}

START_TEST(a_notification_of_one_that_is_cancelled_goes_to_the_next)
{
    produce_for_one_that_is_cancelled(false);
}
END_TEST

START_TEST(a_notification_of_one_that_is_cancelled_at_the_lock_goes_to_the_next)
{
    produce_for_one_that_is_cancelled(true);
}
END_TEST

START_TEST(whichever_of_those_that_wait_is_cancelled_the_notifications_reach_the_others)
{
    begin();
    start_waiters(MOST, (struct waits){ 0 });
    const int who = _i / 2;
    if (_i % 2) pawl_task_cancel(&waiters[who].awaitable);
    notify(MOST - 1);
    if (_i % 2 == 0) pawl_task_cancel(&waiters[who].awaitable);
    run_all();
    for (int i = 0; i < MOST; i++) ck_assert_int_eq(pawl_future_error(&waiters[i]), i == who ? PAWL_ECANCELLED : 0);
    ck_assert(!pawl_lock_locked(&lock));
    nobody_waits();
    world_end(&world);
}
END_TEST

enum { ITERATIONS = 12 };

/* Three wait, as many notifications are given, one or two are cancelled before each iteration: who is not cancelled is woken. */
START_TEST(whenever_some_are_cancelled_the_others_are_notified_and_the_lock_is_free_at_last)
{
    for (int who = 0; who < 9; who++) {
        begin();
        start_waiters(3, (struct waits){ 0 });
        struct pawl_task *const other = pawl_spawn(CORO(holds));
        ck_assert(pawl_lock_try_acquire(&lock));
        ck_assert_int_eq(pawl_condition_notify_all(&condition), 0);
        for (int i = 0; i < ITERATIONS; i++) {
            if (i == _i % ITERATIONS) pawl_task_cancel(&waiters[who % 3].awaitable);
            if (i == _i / ITERATIONS) pawl_task_cancel(&waiters[who / 3].awaitable);
            if (i == 2) ck_assert_int_eq(pawl_lock_release(&lock), 0);
            once();
        }
        run_all();
        for (int i = 0; i < 3; i++) {
            const int error = pawl_future_error(&waiters[i]);
            ck_assert(error == 0 || (error == PAWL_ECANCELLED && (i == who % 3 || i == who / 3)));
        }
        ck_assert_int_eq(pawl_future_error(other), 0);
        ck_assert(!pawl_lock_locked(&lock));
        nobody_waits();
        pawl_task_release(other);
        world_end(&world);
    }
}
END_TEST

/* ---- By hand, and the end of a loop ---- */

START_TEST(by_hand_the_two_halves_of_a_wait_are_two_futures)
{
    struct pawl_lock own = PAWL_LOCK_INIT;
    struct pawl_condition by_hand = PAWL_CONDITION_INIT(&own);
    struct pawl_condition_wait wait = pawl_condition_wait(&by_hand);
    ck_assert(pawl_lock_try_acquire(&own));
    ck_assert_ptr_nonnull(coro_step(&wait));
    ck_assert(pawl_lock_try_acquire(&own));
    ck_assert_int_eq(pawl_condition_notify(&by_hand, 1), 0);
    ck_assert_ptr_nonnull(coro_step(&wait));
    if (_i == 1) ck_assert_ptr_nonnull(coro_throw(&wait, -5)); /* remembered, and raised with the lock */
    ck_assert_int_eq(pawl_lock_release(&own), 0);
    ck_assert_ptr_null(coro_step(&wait));
    ck_assert_int_eq(coro_error(&wait), _i == 1 ? -5 : 0);
    ck_assert(pawl_lock_locked(&own));
}
END_TEST

START_TEST(by_hand_a_waiter_that_is_closed_passes_its_notification_on)
{
    struct pawl_lock own = PAWL_LOCK_INIT;
    struct pawl_condition by_hand = PAWL_CONDITION_INIT(&own);
    struct pawl_condition_wait a = pawl_condition_wait(&by_hand), b = pawl_condition_wait(&by_hand);
    ck_assert(pawl_lock_try_acquire(&own));
    ck_assert_ptr_nonnull(coro_step(&a));
    ck_assert(pawl_lock_try_acquire(&own));
    ck_assert_ptr_nonnull(coro_step(&b));
    ck_assert(pawl_lock_try_acquire(&own));
    ck_assert_int_eq(pawl_condition_notify(&by_hand, 1), 0);
    ck_assert_int_eq(pawl_lock_release(&own), 0);
    ck_assert_int_eq(coro_close(&a), 0);
    ck_assert(pawl_lock_locked(&own)); /* taken again, also by one that is closed */
    ck_assert_ptr_nonnull(coro_step(&b));
    ck_assert_int_eq(pawl_lock_release(&own), 0);
    ck_assert_ptr_null(coro_step(&b));
    ck_assert_int_eq(coro_error(&b), 0);
    ck_assert_ptr_null(by_hand.waiters.first);
}
END_TEST

START_TEST(by_hand_a_block_that_is_closed_in_its_wait_leaves_the_lock_to_whoever_has_it)
{
    lock = (struct pawl_lock){ 0 };
    condition = (struct pawl_condition)PAWL_CONDITION_INIT(&lock);
    state = 0;
    struct consumer waiting = CORO(consumer);
    struct pawl_lock_acquire other = pawl_lock_acquire(&lock), next = other;
    ck_assert_ptr_nonnull(coro_step(&waiting));
    ck_assert_ptr_null(coro_step(&other));
    if (_i & 1) ck_assert_int_eq(pawl_condition_notify(&condition, 1), 0);
    if (_i & 1) ck_assert_ptr_nonnull(coro_step(&waiting)); /* it is at the lock */
    if (_i & 2) ck_assert_ptr_nonnull(coro_step(&next));
    ck_assert_int_eq(coro_close(&waiting), 0);
    ck_assert(pawl_lock_locked(&lock));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    if (_i & 2) ck_assert_ptr_null(coro_step(&next));
    ck_assert_int_eq(pawl_lock_locked(&lock), (_i & 2) != 0);
    ck_assert_ptr_null(lock.waiters.first);
}
END_TEST

/* A loop finishes while one task is in the block and another waits in it for the condition: both leave, and the lock is free. */
START_TEST(a_loop_that_finishes_in_a_block_leaves_the_lock_free)
{
    begin();
    if (_i == 0) ck_assert_ptr_nonnull(pawl_spawn(CORO(consumer)));
    if (_i == 0) once();
    struct pawl_task *const inside = pawl_spawn(CORO(producer, .victim = NULL, .later = true));
    if (_i == 1) ck_assert_ptr_nonnull(pawl_spawn(CORO(consumer)));
    once();
    ck_assert(pawl_lock_locked(&lock));
    ck_assert_int_eq(pawl_future_error(inside), PAWL_EPENDING);
    world_end(&world);
    nobody_waits();
    ck_assert(!pawl_lock_locked(&lock));
}
END_TEST

START_TEST(a_loop_that_finishes_takes_its_waiters_out_of_a_condition_that_stays)
{
    begin();
    for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(pawl_spawn(CORO(consumer, .n = i)));
    once();
    ck_assert_ptr_nonnull(condition.waiters.first);
    if (_i == 1) notify(2);
    world_end(&world);
    nobody_waits();
    ck_assert(!pawl_lock_locked(&lock));
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("condition");
    TCase *const good = add_case(suite, "wait and notify");
    tcase_add_test(good, a_notified_waiter_goes_on_when_it_has_the_lock);
    tcase_add_test(good, a_notify_wakes_as_many_as_it_says_in_their_order);
    tcase_add_test(good, a_notify_of_all_wakes_all_one_after_the_other);
    tcase_add_test(good, a_notification_when_nobody_waits_is_not_kept);
    tcase_add_test(good, a_predicate_is_looked_at_after_each_notification);
    tcase_add_test(good, to_wait_without_the_lock_is_invalid);
    tcase_add_test(good, a_predicate_that_is_true_already_needs_neither_wait_nor_lock);
    tcase_add_test(good, to_notify_without_the_lock_is_invalid);
    tcase_add_test(good, to_notify_all_without_the_lock_is_invalid);
    tcase_add_test(good, its_lock_is_held_around_a_block);
    tcase_add_test(good, conditions_that_share_a_lock_are_notified_each_by_itself);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_test(cancelled, a_waiter_that_is_cancelled_has_the_lock_again);
    tcase_add_test(cancelled, cancelled_in_the_iteration_in_which_it_was_notified_it_waits_for_the_lock_first);
    tcase_add_test(cancelled, cancelled_while_it_waits_for_the_lock_it_still_waits_for_it);
    tcase_add_test(cancelled, cancelled_when_the_lock_is_on_its_way_to_it_it_takes_it_all_the_same);
    tcase_add_test(cancelled, a_timeout_in_a_block_leaves_it_with_the_lock_held);
    tcase_add_test(cancelled, the_message_of_a_cancel_stays_when_it_came_during_the_wait);
    tcase_add_test(cancelled, the_message_of_a_cancel_stays_when_it_came_at_the_lock);
    tcase_add_test(cancelled, a_notification_of_one_that_is_cancelled_goes_to_the_next);
    tcase_add_test(cancelled, a_notification_of_one_that_is_cancelled_at_the_lock_goes_to_the_next);
    tcase_add_loop_test(cancelled, whichever_of_those_that_wait_is_cancelled_the_notifications_reach_the_others, 0, 2 * MOST);
    tcase_add_loop_test(cancelled, whenever_some_are_cancelled_the_others_are_notified_and_the_lock_is_free_at_last, 0,
                        ITERATIONS * ITERATIONS);
    TCase *const hand = add_case(suite, "by hand");
    tcase_add_loop_test(hand, by_hand_the_two_halves_of_a_wait_are_two_futures, 0, 2);
    tcase_add_test(hand, by_hand_a_waiter_that_is_closed_passes_its_notification_on);
    tcase_add_loop_test(hand, by_hand_a_block_that_is_closed_in_its_wait_leaves_the_lock_to_whoever_has_it, 0, 4);
    tcase_add_loop_test(hand, a_loop_that_finishes_in_a_block_leaves_the_lock_free, 0, 2);
    tcase_add_loop_test(hand, a_loop_that_finishes_takes_its_waiters_out_of_a_condition_that_stays, 0, 2);
    return suite;
}
