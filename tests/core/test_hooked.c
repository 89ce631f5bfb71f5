/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A future that decides itself what it means to be cancelled: it ends, refuses, takes its time, or ends well after all. */
#include <support.h>

static struct world world;

enum decision { ENDS, REFUSES, TAKES_TIME, DECISIONS };

struct decides {
    struct pawl_hooked_future future;
    enum decision decision;
    int asked;
};

static bool on_cancel(struct pawl_hooked_future *future)
{
    struct decides *const decides = (struct decides *)(void *)future;
    decides->asked++;
    if (decides->decision == ENDS) ck_assert_int_eq(pawl_future_settle(&future->awaitable, PAWL_ECANCELLED), 0);
    return decides->decision != REFUSES;
}

static struct decides made(enum decision decision)
{
    return (struct decides){ .future = { .awaitable = { .flags = PAWL_FUTURE_HOOKED }, .cancel = on_cancel }, .decision = decision };
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

struct awaits {
    COROUTINE(int);
    struct pawl_future *future;
    struct pawl_sleep sleep;
};

ASYNC(awaits)
{
    ASYNC_BEGIN(awaits);
    AWAIT(self->future);
    AWAIT(self->sleep, pawl_yield());
    ASYNC_RETURN(1);
    ASYNC_END;
}

START_TEST(it_is_asked_once_each_time_while_it_is_pending)
{
    struct decides decides = made((enum decision)_i);
    ck_assert(pawl_future_cancel(&decides.future.awaitable) == (_i != REFUSES));
    ck_assert_int_eq(decides.asked, 1);
    ck_assert(pawl_future_cancelled(&decides.future.awaitable) == (_i == ENDS));
    if (_i != ENDS) ck_assert_int_eq(pawl_future_set_done(&decides.future.awaitable), 0);
    ck_assert(!pawl_future_cancel(&decides.future.awaitable));
    ck_assert_int_eq(decides.asked, 1);
}
END_TEST

START_TEST(one_that_ends_ends_the_task_that_waits)
{
    struct decides decides = made(ENDS);
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &decides.future.awaitable));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(decides.asked, 1);
    ck_assert(pawl_future_cancelled(&decides.future.awaitable) && !pawl_future_done(task));
    once();
    ck_assert(pawl_future_cancelled(task));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* The request stays with the task, and is raised when what it waits for has ended, whatever that ended with. */
START_TEST(one_that_refuses_delays_the_cancellation_to_its_own_end)
{
    struct decides decides = made(REFUSES);
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &decides.future.awaitable));
    once();
    ck_assert(pawl_task_cancel(task));
    once();
    ck_assert(!pawl_future_done(task));
    pawl_future_settle(&decides.future.awaitable, _i ? -5 : 0);
    once();
    ck_assert(pawl_future_cancelled(task));
    ck_assert_int_eq(pawl_future_error(&decides.future.awaitable), _i ? -5 : 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* It answers for the cancellation then: the task raises what it ends with, and goes on if that is nothing. */
START_TEST(one_that_takes_its_time_decides_how_the_task_goes_on)
{
    static const int ends[] = { PAWL_ECANCELLED, -5, 0 };
    struct decides decides = made(TAKES_TIME);
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &decides.future.awaitable));
    once();
    ck_assert(pawl_task_cancel(task));
    once();
    ck_assert(!pawl_future_done(task));
    pawl_future_settle(&decides.future.awaitable, ends[_i]);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), ends[_i]);
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_second_request_asks_again)
{
    struct decides decides = made(TAKES_TIME);
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &decides.future.awaitable));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(decides.asked, 2);
    pawl_future_settle(&decides.future.awaitable, PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(task), 2);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* Asked, it cancels the very task that waits for it: a circle, which ends there. */
static struct pawl_task *asker;

static bool asks_back(struct pawl_hooked_future *future)
{
    (void)future;
    return pawl_task_cancel(asker);
}

START_TEST(one_that_asks_the_task_back_does_not_go_round_in_circles)
{
    struct decides decides = made(REFUSES);
    decides.future.cancel = asks_back;
    world_begin(&world);
    asker = pawl_spawn(CORO(awaits, .future = &decides.future.awaitable));
    once();
    ck_assert(pawl_task_cancel(asker));
    ck_assert_uint_eq(pawl_task_cancelling(asker), 2);
    pawl_future_settle(&decides.future.awaitable, 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, asker), PAWL_ECANCELLED);
    pawl_task_release(asker);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("hooked");
    TCase *const hooked = add_case(suite, "hooked");
    tcase_add_loop_test(hooked, it_is_asked_once_each_time_while_it_is_pending, 0, DECISIONS);
    tcase_add_test(hooked, one_that_ends_ends_the_task_that_waits);
    tcase_add_loop_test(hooked, one_that_refuses_delays_the_cancellation_to_its_own_end, 0, 2);
    tcase_add_loop_test(hooked, one_that_takes_its_time_decides_how_the_task_goes_on, 0, 3);
    tcase_add_test(hooked, a_second_request_asks_again);
    tcase_add_test(hooked, one_that_asks_the_task_back_does_not_go_round_in_circles);
    return suite;
}
