/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* wait: how many are enough, what the timeout does, that nothing is cancelled or raised, and every wrong argument. */
#include <support.h>

#include <string.h>

static struct world world;

static void begin(void)
{
    world_begin(&world);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

struct job {
    COROUTINE(int);
    pawl_time span;
    int yields, error;
    struct pawl_sleep sleep;
};

ASYNC(job)
{
    ASYNC_BEGIN(job);
    while (self->yields-- > 0) AWAIT(self->sleep, pawl_yield());
    if (self->span > 0) AWAIT(self->sleep, pawl_sleep(self->span));
    if (self->error) RAISE(self->error);
    ASYNC_RETURN(1);
    ASYNC_END;
}

struct waits {
    COROUTINE(int);
    struct pawl_child *children;
    size_t count;
    enum pawl_wait_until until;
    pawl_time span;
    struct pawl_wait wait;
};

ASYNC(waits)
{
    ASYNC_BEGIN(waits);
    AWAIT(self->wait, pawl_wait(self->children, self->count, self->until, self->span));
    ASYNC_RETURN((int)self->wait.result);
    ASYNC_END;
}

enum { MOST = 12 };

static TASK(job) jobs[MOST];
static struct pawl_child children[MOST];
static TASK(waits) waiter;

static void start_job(int i, const struct job *how)
{
    struct job job = *how;
    job.awaitable = CORO(job).awaitable;
    ck_assert_ptr_nonnull(pawl_start(&jobs[i], job));
    children[i] = pawl_child(&jobs[i]);
}

/* Waits for the first `count`: how many were done, or the error. */
static int wait_for(size_t count, enum pawl_wait_until until, pawl_time span)
{
    ck_assert_ptr_nonnull(pawl_start(&waiter, CORO(waits, .children = children, .count = count, .until = until, .span = span)));
    const int error = pawl_loop_run_until_complete(&world.loop, &waiter);
    return error ? error : waiter.frame.result;
}

static bool done(int i)
{
    return pawl_future_done(&jobs[i]);
}

static void end(void)
{
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
    for (int i = 0; i < MOST; i++) ck_assert(!pawl_handle_pending(&children[i].handle));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}

/* ---- All ---- */

START_TEST(all_are_done_when_it_ends_and_a_second_time_it_takes_no_time)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(150) });
    start_job(1, &(struct job){ .span = PAWL_MS(100) });
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wait_for(2, PAWL_ALL_COMPLETED, PAWL_FOREVER), 2);
        ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(150));
        ck_assert(done(0) && done(1));
    }
    end();
}
END_TEST

START_TEST(it_waits_for_as_many_as_there_are)
{
    begin();
    for (int i = 0; i < 10; i++) start_job(i, &(struct job){ .yields = i % 3 });
    ck_assert_int_eq(wait_for(10, PAWL_ALL_COMPLETED, PAWL_FOREVER), 10);
    for (int i = 0; i < 10; i++) ck_assert_int_eq(jobs[i].frame.result, 1);
    end();
}
END_TEST

START_TEST(one_may_stand_in_several_entries)
{
    begin();
    start_job(0, &(struct job){ .yields = 2 });
    start_job(2, &(struct job){ .yields = 1 });
    children[1] = children[0];
    ck_assert_int_eq(wait_for(3, PAWL_ALL_COMPLETED, PAWL_FOREVER), 3);
    ck_assert(done(0) && done(2));
    end();
}
END_TEST

START_TEST(an_error_of_a_child_is_not_raised_but_seen_when_asked_for)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(150), .error = -5 });
    start_job(1, &(struct job){ .span = PAWL_MS(100) });
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wait_for(2, PAWL_ALL_COMPLETED, PAWL_FOREVER), 2);
        ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(150));
    }
    if (_i == 0) ck_assert_int_eq(pawl_future_error(&jobs[0]), -5);
    pawl_task_finish(&jobs[0].awaitable);
    ck_assert_int_eq(world.reports, _i); /* to wait for it is not to look at it */
    end();
}
END_TEST

/* ---- The first ---- */

START_TEST(the_first_that_is_done_is_enough)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(100) });
    start_job(1, &(struct job){ .span = PAWL_SEC(10) });
    ck_assert_int_eq(wait_for(2, PAWL_FIRST_COMPLETED, PAWL_FOREVER), 1);
    ck_assert(done(0) && !done(1));
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(100));
    ck_assert_int_eq(wait_for(2, PAWL_ALL_COMPLETED, PAWL_FOREVER), 2); /* the other one goes on */
    ck_assert_int_eq(pawl_future_error(&jobs[1]), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_SEC(10));
    end();
}
END_TEST

/* Between the end of the first and the moment in which the one who waits goes on, another may end. */
START_TEST(those_that_end_before_the_waiter_goes_on_count_too)
{
    begin();
    start_job(0, &(struct job){ .yields = 1 });
    start_job(1, &(struct job){ .yields = 2 });
    ck_assert_int_eq(wait_for(2, PAWL_FIRST_COMPLETED, PAWL_FOREVER), 2);
    ck_assert(done(0) && done(1));
    end();
}
END_TEST

/* At once (0), or while it is waited for (1). */
START_TEST(the_first_error_is_enough)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(10) * _i, .error = -5 });
    start_job(1, &(struct job){ .span = PAWL_SEC(10) });
    ck_assert_int_eq(wait_for(2, PAWL_FIRST_ERROR, PAWL_FOREVER), 1);
    ck_assert(done(0) && !done(1));
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(10) * _i);
    ck_assert_int_eq(pawl_future_error(&jobs[0]), -5);
    end();
}
END_TEST

/* It was looked at to see that it is one. */
START_TEST(the_first_error_is_not_reported_though_nobody_asks)
{
    begin();
    start_job(0, &(struct job){ .error = -5 });
    start_job(1, &(struct job){ .span = PAWL_SEC(10) });
    ck_assert_int_eq(wait_for(2, PAWL_FIRST_ERROR, PAWL_FOREVER), 1);
    ck_assert_int_eq(pawl_task_finish(&jobs[0].awaitable), 0);
    ck_assert_int_eq(world.reports, 0);
    end();
}
END_TEST

START_TEST(a_success_or_a_cancellation_is_no_first_error)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(10) });
    start_job(1, &(struct job){ .span = PAWL_MS(20) });
    if (_i == 1) pawl_task_cancel(&jobs[0].awaitable);
    ck_assert_int_eq(wait_for(2, PAWL_FIRST_ERROR, PAWL_FOREVER), 2);
    ck_assert(pawl_future_cancelled(&jobs[0]) == (_i == 1));
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(20));
    end();
}
END_TEST

/* ---- Timeouts ---- */

START_TEST(after_the_timeout_it_ends_with_what_is_done_and_cancels_nothing)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(100) });
    start_job(1, &(struct job){ .span = PAWL_MS(150) });
    ck_assert_int_eq(wait_for(2, PAWL_ALL_COMPLETED, PAWL_MS(110)), 1);
    ck_assert(done(0) && !done(1));
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(110));
    ck_assert_int_eq(wait_for(2, PAWL_ALL_COMPLETED, PAWL_SEC(10)), 2);
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(150));
    ck_assert_int_eq(pawl_future_error(&jobs[1]), 0);
    end();
}
END_TEST

/* The timer of the sleep was armed first, and so the task ends before the one that waits goes on. */
START_TEST(one_that_ends_at_the_instant_of_the_timeout_is_done)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(100) });
    start_job(1, &(struct job){ .span = PAWL_MS(150) });
    ck_assert_int_eq(wait_for(2, PAWL_ALL_COMPLETED, PAWL_MS(100)), 1);
    ck_assert(done(0) && !done(1));
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(100));
    end();
}
END_TEST

static const pawl_time no_times[] = { 0, -1, -PAWL_FOREVER };

START_TEST(with_no_time_it_only_looks)
{
    begin();
    start_job(0, &(struct job){ .span = 0 });
    start_job(1, &(struct job){ .span = PAWL_MS(150) });
    once();
    ck_assert_int_eq(wait_for(2, PAWL_ALL_COMPLETED, no_times[_i]), 1);
    ck_assert(done(0) && !done(1));
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    end();
}
END_TEST

/* ---- Cancelled ---- */

START_TEST(cancelled_it_ends_and_leaves_the_children_alone)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(100) });
    ck_assert_ptr_nonnull(pawl_start(&waiter, CORO(waits, .children = children, .count = 1, .span = _i ? PAWL_SEC(9) : PAWL_FOREVER)));
    once();
    once();
    ck_assert(pawl_task_cancel(&waiter.awaitable));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &waiter), PAWL_ECANCELLED);
    ck_assert(!done(0));
    ck_assert_uint_eq(pawl_task_cancelling(&jobs[0].awaitable), 0);
    ck_assert_ptr_null(PAWL_FUTURE(&jobs[0])->awaitable.first);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &jobs[0]), 0);
    ck_assert_int_eq(jobs[0].frame.result, 1);
    end();
}
END_TEST

/* ---- Wrong arguments ---- */

START_TEST(nothing_to_wait_for_is_invalid)
{
    struct pawl_future pending = PAWL_FUTURE_INIT, *const none = NULL;
    begin();
    ck_assert_int_eq(wait_for(0, PAWL_ALL_COMPLETED, PAWL_FOREVER), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(waits, .children = NULL, .count = 0)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(waits, .children = NULL, .count = 2)), PAWL_EINVAL);
    children[0] = pawl_child(&pending);
    children[1] = pawl_child(none);
    ck_assert_int_eq(wait_for(2, PAWL_ALL_COMPLETED, PAWL_FOREVER), PAWL_EINVAL);
    ck_assert_ptr_null(pending.awaitable.first);
    end();
}
END_TEST

START_TEST(what_is_no_choice_of_how_many_is_invalid)
{
    static const int others[] = { -1, 3, 1000 };
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(100) });
    ck_assert_int_eq(wait_for(1, (enum pawl_wait_until)others[_i], PAWL_FOREVER), PAWL_EINVAL);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    end();
}
END_TEST

struct waits_for_itself {
    COROUTINE(void);
    struct pawl_child both[2];
    struct pawl_future pending;
    struct pawl_wait wait;
};

ASYNC(waits_for_itself)
{
    ASYNC_BEGIN(waits_for_itself);
    AWAIT(self->wait, pawl_wait(CHILDREN(self->both, &self->pending, pawl_task_current()), PAWL_FIRST_COMPLETED, PAWL_FOREVER));
    ASYNC_END;
}

START_TEST(to_wait_for_oneself_is_a_deadlock)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(waits_for_itself)), PAWL_EDEADLK);
    end();
}
END_TEST

START_TEST(an_entry_that_another_one_uses_is_busy_and_stays_with_that)
{
    begin();
    start_job(0, &(struct job){ .span = PAWL_MS(100) });
    struct pawl_task *const first = pawl_spawn(CORO(waits, .children = children, .count = 1, .span = PAWL_FOREVER));
    once();
    ck_assert_int_eq(wait_for(1, PAWL_ALL_COMPLETED, PAWL_FOREVER), PAWL_EBUSY);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, first), 0);
    ck_assert_int_eq(pawl_task_frame(waits, first)->result, 1);
    pawl_task_release(first);
    end();
}
END_TEST

START_TEST(by_hand_there_is_no_task_that_waits)
{
    struct pawl_future pending = PAWL_FUTURE_INIT;
    struct waits frame = CORO(waits, .children = children, .count = 1, .span = PAWL_FOREVER);
    children[0] = pawl_child(&pending);
    ck_assert_ptr_null(coro_step(&frame));
    ck_assert_int_eq(coro_error(&frame), PAWL_EINVAL);
    ck_assert_ptr_null(pending.awaitable.first);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("wait");
    TCase *const all = add_case(suite, "all");
    tcase_add_test(all, all_are_done_when_it_ends_and_a_second_time_it_takes_no_time);
    tcase_add_test(all, it_waits_for_as_many_as_there_are);
    tcase_add_test(all, one_may_stand_in_several_entries);
    tcase_add_loop_test(all, an_error_of_a_child_is_not_raised_but_seen_when_asked_for, 0, 2);
    TCase *const first = add_case(suite, "the first");
    tcase_add_test(first, the_first_that_is_done_is_enough);
    tcase_add_test(first, those_that_end_before_the_waiter_goes_on_count_too);
    tcase_add_loop_test(first, the_first_error_is_enough, 0, 2);
    tcase_add_test(first, the_first_error_is_not_reported_though_nobody_asks);
    tcase_add_loop_test(first, a_success_or_a_cancellation_is_no_first_error, 0, 2);
    TCase *const timeouts = add_case(suite, "timeouts");
    tcase_add_test(timeouts, after_the_timeout_it_ends_with_what_is_done_and_cancels_nothing);
    tcase_add_test(timeouts, one_that_ends_at_the_instant_of_the_timeout_is_done);
    tcase_add_loop_test(timeouts, with_no_time_it_only_looks, 0, 3);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_loop_test(cancelled, cancelled_it_ends_and_leaves_the_children_alone, 0, 2);
    TCase *const wrong = add_case(suite, "wrong arguments");
    tcase_add_test(wrong, nothing_to_wait_for_is_invalid);
    tcase_add_loop_test(wrong, what_is_no_choice_of_how_many_is_invalid, 0, 3);
    tcase_add_test(wrong, to_wait_for_oneself_is_a_deadlock);
    tcase_add_test(wrong, an_entry_that_another_one_uses_is_busy_and_stays_with_that);
    tcase_add_test(wrong, by_hand_there_is_no_task_that_waits);
    return suite;
}
