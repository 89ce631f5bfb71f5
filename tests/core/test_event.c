/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Events, as asyncio's: who is woken, and that a wake-up once given stays given. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;
static struct pawl_event event;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    event = (struct pawl_event){ 0 };
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

struct waits {
    COROUTINE(int);
    int n;
    struct pawl_event *event;
    struct pawl_event_wait wait;
};

ASYNC(waits)
{
    ASYNC_BEGIN(waits);
    TRY_AWAIT(self->wait, pawl_event_wait(self->event));
    if (AWAIT_ERROR() == 0) trace(&seen, "%d ", self->n);
    if (AWAIT_ERROR()) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

enum { MOST = 5 };
static TASK(waits) waiters[MOST];

static void start_waiters(int first, int count)
{
    for (int i = first; i < first + count; i++)
        ck_assert_ptr_nonnull(pawl_start(&waiters[i], CORO(waits, .n = i + 1, .event = &event)));
}

static void nobody_waits(void)
{
    ck_assert_ptr_null(event.waiters.first);
    ck_assert(!pawl_loop_pending(&world.loop));
}

START_TEST(a_set_wakes_all_that_wait_and_one_that_comes_then_does_not_wait)
{
    begin();
    ck_assert(!pawl_event_is_set(&event));
    start_waiters(0, 2);
    once();
    ck_assert_trace(&seen, "");
    start_waiters(2, 1);
    pawl_event_set(&event);
    ck_assert_trace(&seen, "");
    once();
    ck_assert_trace(&seen, "3 1 2 "); /* the third was ready before the set */
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_future_error(&waiters[i]), 0);
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(one_that_is_set_is_not_waited_for)
{
    begin();
    pawl_event_set(&event);
    start_waiters(0, 1);
    once();
    ck_assert_trace(&seen, "1 ");
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(a_waiter_that_is_cancelled_leaves)
{
    begin();
    start_waiters(0, 1);
    once();
    ck_assert(pawl_task_cancel(&waiters[0].awaitable));
    once();
    ck_assert(pawl_future_cancelled(&waiters[0]));
    nobody_waits();
    ck_assert(!pawl_event_is_set(&event));
    world_end(&world);
}
END_TEST

START_TEST(it_is_set_and_cleared_as_often_as_one_likes)
{
    begin();
    for (int i = 0; i < 3; i++) {
        ck_assert(!pawl_event_is_set(&event));
        pawl_event_set(&event);
        pawl_event_set(&event);
        ck_assert(pawl_event_is_set(&event));
        pawl_event_clear(&event);
        pawl_event_clear(&event);
    }
    ck_assert(!pawl_event_is_set(&event));
    world_end(&world);
}
END_TEST

START_TEST(a_clear_before_they_run_does_not_stop_those_that_were_woken)
{
    begin();
    start_waiters(0, 2);
    once();
    pawl_event_set(&event);
    pawl_event_clear(&event);
    ck_assert(!pawl_event_is_set(&event));
    if (_i == 1) {
        pawl_event_set(&event);
        pawl_event_set(&event);
    }
    once();
    ck_assert_trace(&seen, "1 2 "); /* each once */
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(who_comes_between_a_clear_and_the_next_set_waits_for_that)
{
    begin();
    start_waiters(0, 1);
    once();
    pawl_event_set(&event);
    pawl_event_clear(&event);
    start_waiters(1, 1);
    once();
    ck_assert_trace(&seen, "1 ");
    ck_assert_int_eq(pawl_future_error(&waiters[1]), PAWL_EPENDING);
    pawl_event_set(&event);
    once();
    ck_assert_trace(&seen, "1 2 ");
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(a_waiter_anywhere_that_is_cancelled_keeps_the_wake_up_from_nobody)
{
    begin();
    start_waiters(0, MOST);
    once();
    if (_i % 2) pawl_event_set(&event);
    ck_assert(pawl_task_cancel(&waiters[_i / 2].awaitable));
    if (_i % 2 == 0) pawl_event_set(&event);
    once();
    for (int i = 0; i < MOST; i++) ck_assert_int_eq(pawl_future_error(&waiters[i]), i == _i / 2 ? PAWL_ECANCELLED : 0);
    nobody_waits();
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_that_is_taken_back_in_time_leaves_the_wake_up)
{
    begin();
    start_waiters(0, 1);
    once();
    pawl_event_set(&event);
    ck_assert(pawl_task_cancel(&waiters[0].awaitable));
    ck_assert_uint_eq(pawl_task_uncancel(&waiters[0].awaitable), 0);
    once();
    ck_assert_int_eq(pawl_future_error(&waiters[0]), 0);
    world_end(&world);
}
END_TEST

static void set_it(void *argument)
{
    pawl_event_set(argument);
}

START_TEST(a_callback_may_set_it)
{
    struct pawl_handle handle = { 0 };
    begin();
    start_waiters(0, 1);
    pawl_call_later(&world.loop, &handle, 10, set_it, &event);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &waiters[0]), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    world_end(&world);
}
END_TEST

struct sets_and_waits {
    COROUTINE(void);
    struct pawl_event_wait wait;
};

ASYNC(sets_and_waits)
{
    ASYNC_BEGIN(sets_and_waits);
    pawl_event_set(&event);
    AWAIT(self->wait, pawl_event_wait(&event));
    pawl_event_clear(&event);
    trace(&seen, "s ");
    AWAIT(self->wait, pawl_event_wait(&event));
    trace(&seen, "t ");
    ASYNC_END;
}

START_TEST(a_task_that_sets_clears_and_waits_again_lets_the_others_go)
{
    begin();
    start_waiters(0, 2);
    struct pawl_task *const task = pawl_spawn(CORO(sets_and_waits));
    once();
    ck_assert_trace(&seen, "s ");
    once();
    ck_assert_trace(&seen, "s 1 2 ");
    ck_assert_int_eq(pawl_future_error(task), PAWL_EPENDING);
    pawl_event_set(&event);
    once();
    ck_assert_trace(&seen, "s 1 2 t ");
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(no_event_is_invalid)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(waits, .event = NULL)), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

START_TEST(by_hand_a_set_settles_the_future_that_a_step_returned)
{
    struct pawl_event own = { 0 };
    struct pawl_event_wait a = pawl_event_wait(&own), b = pawl_event_wait(&own), c = pawl_event_wait(&own);
    struct pawl_future *const future = coro_step(&a);
    ck_assert_ptr_nonnull(future);
    ck_assert(!pawl_future_done(future));
    ck_assert_ptr_nonnull(coro_step(&b));
    pawl_event_set(&own);
    pawl_event_clear(&own);
    ck_assert(pawl_future_done(future));
    ck_assert_ptr_null(coro_step(&a));
    ck_assert_ptr_null(coro_step(&b));
    ck_assert_ptr_nonnull(coro_step(&c));
    ck_assert_ptr_null(coro_throw(&c, PAWL_ECANCELLED));
    ck_assert_int_eq(coro_error(&c), PAWL_ECANCELLED);
    ck_assert_ptr_null(own.waiters.first);
}
END_TEST

START_TEST(by_hand_a_waiter_that_is_closed_leaves)
{
    struct pawl_event own = { 0 };
    struct pawl_event_wait a = pawl_event_wait(&own), b = pawl_event_wait(&own);
    ck_assert_ptr_nonnull(coro_step(&a));
    ck_assert_ptr_nonnull(coro_step(&b));
    if (_i == 1) pawl_event_set(&own);
    ck_assert_int_eq(coro_close(&a), 0);
    pawl_event_set(&own);
    ck_assert_ptr_null(coro_step(&b));
    ck_assert_int_eq(coro_error(&b), 0);
    ck_assert_ptr_null(own.waiters.first);
}
END_TEST

START_TEST(a_loop_that_finishes_takes_its_waiters_out_of_an_event_that_stays)
{
    begin();
    for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(pawl_spawn(CORO(waits, .n = i, .event = &event)));
    once();
    ck_assert_ptr_nonnull(event.waiters.first);
    if (_i == 1) pawl_event_set(&event);
    world_end(&world);
    ck_assert_ptr_null(event.waiters.first);
    ck_assert_trace(&seen, "");
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("event");
    TCase *const set = add_case(suite, "set and clear");
    tcase_add_test(set, a_set_wakes_all_that_wait_and_one_that_comes_then_does_not_wait);
    tcase_add_test(set, one_that_is_set_is_not_waited_for);
    tcase_add_test(set, it_is_set_and_cleared_as_often_as_one_likes);
    tcase_add_loop_test(set, a_clear_before_they_run_does_not_stop_those_that_were_woken, 0, 2);
    tcase_add_test(set, who_comes_between_a_clear_and_the_next_set_waits_for_that);
    tcase_add_test(set, a_callback_may_set_it);
    tcase_add_test(set, a_task_that_sets_clears_and_waits_again_lets_the_others_go);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_test(cancelled, a_waiter_that_is_cancelled_leaves);
    tcase_add_loop_test(cancelled, a_waiter_anywhere_that_is_cancelled_keeps_the_wake_up_from_nobody, 0, 2 * MOST);
    tcase_add_test(cancelled, a_cancel_that_is_taken_back_in_time_leaves_the_wake_up);
    TCase *const hand = add_case(suite, "misuse, by hand");
    tcase_add_test(hand, no_event_is_invalid);
    tcase_add_test(hand, by_hand_a_set_settles_the_future_that_a_step_returned);
    tcase_add_loop_test(hand, by_hand_a_waiter_that_is_closed_leaves, 0, 2);
    tcase_add_loop_test(hand, a_loop_that_finishes_takes_its_waiters_out_of_an_event_that_stays, 0, 2);
    return suite;
}
