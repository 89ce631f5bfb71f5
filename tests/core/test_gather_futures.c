/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* gather over plain futures and over tasks that wait for them, case by case as CPython's own tests have it. */
#include <support.h>

static struct world world;

enum { MOST = 6 };

static struct pawl_future futures[MOST];
static struct pawl_child children[MOST];

struct awaits {
    COROUTINE(int);
    int which, error;
};

ASYNC(awaits)
{
    ASYNC_BEGIN(awaits);
    AWAIT(&futures[self->which]);
    if (self->error) RAISE(self->error);
    ASYNC_RETURN(self->which);
    ASYNC_END;
}

static TASK(awaits) tasks[MOST];

struct gathers {
    COROUTINE(void);
    struct pawl_child *children;
    size_t count;
    bool return_errors, went_on;
    struct pawl_gather all;
};

ASYNC(gathers)
{
    ASYNC_BEGIN(gathers);
    if (self->return_errors) AWAIT(self->all, pawl_gather_return_errors(self->children, self->count));
    else AWAIT(self->all, pawl_gather(self->children, self->count));
    self->went_on = true;
    ASYNC_END;
}

static TASK(gathers) gatherer;

/* Runs what is ready, until nothing is. */
static void run_ready(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

/* Gathers the first `count` futures, or as many tasks that await one each. */
static void gather(size_t count, bool through_tasks, bool return_errors)
{
    world_begin(&world);
    for (size_t i = 0; i < count; i++) {
        children[i] = pawl_child(&futures[i]);
        if (through_tasks) children[i] = pawl_child(pawl_start(&tasks[i], CORO(awaits, .which = (int)i)));
    }
    const struct gathers frame = CORO(gathers, .children = children, .count = count, .return_errors = return_errors);
    ck_assert_ptr_nonnull(pawl_start(&gatherer, frame));
    run_ready();
}

static int outcome_of(size_t child)
{
    return pawl_future_error(children[child].future);
}

/* Nothing is left of what it was registered with, and nothing to report. */
static void end(void)
{
    for (int i = 0; i < MOST; i++) pawl_future_set_done(&futures[i]);
    run_ready();
    for (int i = 0; i < MOST; i++) {
        ck_assert_ptr_null(futures[i].awaitable.first);
        pawl_future_finish(&futures[i], &world.loop);
        ck_assert_int_eq(pawl_task_finish(&tasks[i].awaitable), 0);
    }
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}

/* In the loops, bit 0: through tasks, bit 1: returning errors. */

START_TEST(it_ends_when_the_last_one_has_in_whatever_order_they_end)
{
    gather(3, _i & 1, _i & 2);
    pawl_future_set_done(&futures[1]);
    pawl_future_set_done(&futures[0]);
    run_ready();
    ck_assert(!pawl_future_done(&gatherer));
    pawl_future_set_done(&futures[2]);
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), 0);
    for (size_t i = 0; i < 3; i++) ck_assert_int_eq(outcome_of(i), 0);
    if (_i & 1) ck_assert_int_eq(tasks[2].frame.result, 2);
    end();
}
END_TEST

START_TEST(the_first_error_ends_it_and_what_comes_later_does_nothing)
{
    gather(5, _i & 1, false);
    pawl_future_set_done(&futures[0]);
    pawl_future_set_error(&futures[1], -5);
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), -5);
    pawl_future_set_done(&futures[2]);
    pawl_future_cancel(&futures[3]);
    pawl_future_set_error(&futures[4], -6);
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), -5);
    pawl_future_error(&futures[4]);
    end();
}
END_TEST

START_TEST(with_errors_returned_it_waits_for_all_of_them)
{
    gather(4, _i & 1, true);
    pawl_future_set_done(&futures[1]);
    pawl_future_set_error(&futures[2], -5);
    pawl_future_set_done(&futures[0]);
    run_ready();
    ck_assert(!pawl_future_done(&gatherer));
    pawl_future_set_error(&futures[3], -6);
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), 0);
    static const int expected[] = { 0, 0, -5, -6 };
    for (size_t i = 0; i < 4; i++) ck_assert_int_eq(outcome_of(i), expected[i]);
    end();
}
END_TEST

START_TEST(a_child_that_is_cancelled_ends_it_without_a_request)
{
    gather(5, _i & 1, false);
    pawl_future_set_done(&futures[0]);
    ck_assert(pawl_future_cancel(&futures[1]));
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(&gatherer.awaitable), 0);
    ck_assert(!pawl_future_done(children[2].future));
    end();
}
END_TEST

START_TEST(cancellations_are_among_the_errors_that_are_returned)
{
    static const int expected[] = { 0, -5, PAWL_ECANCELLED, 0, PAWL_ECANCELLED, -6 };
    gather(6, _i & 1, true);
    for (int i = 0; i < 3; i++) pawl_future_settle(&futures[i], expected[i]);
    run_ready();
    ck_assert(!pawl_future_done(&gatherer));
    for (int i = 3; i < 6; i++) pawl_future_settle(&futures[i], expected[i]);
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), 0);
    for (size_t i = 0; i < 6; i++) ck_assert_int_eq(outcome_of(i), expected[i]);
    end();
}
END_TEST

START_TEST(cancelled_it_cancels_the_tasks_and_what_they_wait_for)
{
    gather(3, _i & 1, _i & 2);
    ck_assert(pawl_task_cancel(&gatherer.awaitable));
    for (int i = 0; i < 3; i++) ck_assert(pawl_future_cancelled(&futures[i]));
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), PAWL_ECANCELLED);
    ck_assert(!gatherer.frame.went_on);
    for (size_t i = 0; i < 3; i++) ck_assert_int_eq(outcome_of(i), PAWL_ECANCELLED);
    ck_assert(!pawl_task_cancel(&gatherer.awaitable));
    end();
}
END_TEST

/* The error of a child that fails after the first one has been raised counts as looked at. */
START_TEST(errors_behind_the_first_one_are_not_reported)
{
    world_begin(&world);
    for (int i = 0; i < 2; i++) children[i] = pawl_child(pawl_start(&tasks[i], CORO(awaits, .which = i, .error = -5 - i)));
    ck_assert_ptr_nonnull(pawl_start(&gatherer, CORO(gathers, .children = children, .count = 2)));
    run_ready();
    for (int i = 0; i < 2; i++) {
        pawl_future_set_done(&futures[i]);
        run_ready();
    }
    ck_assert_int_eq(pawl_future_error(&gatherer), -5);
    end();
}
END_TEST

/* Nothing of it can be called back any more, but the one who waits for it has not gone on yet. */
START_TEST(a_gather_whose_children_are_all_done_refuses_to_be_cancelled)
{
    gather(2, _i & 1, _i & 2);
    pawl_future_set_done(&futures[0]);
    pawl_future_set_done(&futures[1]);
    if (_i & 1) ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert(pawl_future_done(children[0].future) && pawl_future_done(children[1].future));
    ck_assert(!pawl_future_done(&gatherer));
    ck_assert(!pawl_future_cancel(&gatherer.frame.all.all));
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), 0);
    end();
}
END_TEST

START_TEST(two_gathers_may_wait_for_the_same)
{
    static struct pawl_child more[3];
    gather(3, _i & 1, false);
    for (int i = 0; i < 3; i++) more[i].future = children[i].future;
    struct pawl_task *const second = pawl_spawn(CORO(gathers, .children = more, .count = 3));
    run_ready();
    ck_assert(!pawl_future_done(second) && !pawl_future_done(&gatherer));
    for (int i = 0; i < 3; i++) pawl_future_set_done(&futures[i]);
    run_ready();
    ck_assert_int_eq(pawl_future_error(second), 0);
    ck_assert_int_eq(pawl_future_error(&gatherer), 0);
    pawl_task_release(second);
    end();
}
END_TEST

START_TEST(one_entered_several_times_has_its_result_in_each_entry)
{
    world_begin(&world);
    for (int i = 0; i < 2; i++) ck_assert_ptr_nonnull(pawl_start(&tasks[i], CORO(awaits, .which = i)));
    for (int i = 0; i < 4; i++) children[i] = pawl_child(&tasks[i == 2]);
    ck_assert_ptr_nonnull(pawl_start(&gatherer, CORO(gathers, .children = children, .count = 4)));
    run_ready();
    pawl_future_set_done(&futures[1]);
    run_ready();
    ck_assert(!pawl_future_done(&gatherer));
    pawl_future_set_done(&futures[0]);
    run_ready();
    ck_assert_int_eq(pawl_future_error(&gatherer), 0);
    for (size_t i = 0; i < 4; i++) ck_assert_int_eq(outcome_of(i), 0);
    end();
}
END_TEST

/* ---- Nothing, and where there is nobody ---- */

START_TEST(nothing_is_done_at_once_whether_or_not_the_loop_runs_yet)
{
    world_begin(&world);
    ck_assert(!world.loop.running);
    struct pawl_task *const eager = pawl_spawn_eager(CORO(gathers, .children = children, .count = 0));
    ck_assert_int_eq(pawl_future_error(eager), 0);
    pawl_task_release(eager);
    ck_assert_int_eq(world_run(&world, CORO(gathers, .children = children, .count = 0)), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(tasks_made_before_the_loop_runs_are_gathered_when_it_does)
{
    world_begin(&world);
    for (int i = 0; i < 2; i++) {
        pawl_future_set_done(&futures[i]);
        children[i] = pawl_child(pawl_start(&tasks[i], CORO(awaits, .which = i)));
    }
    ck_assert_int_eq(world_run(&world, CORO(gathers, .children = children, .count = 2)), 0);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(tasks[i].frame.result, i);
    world_end(&world);
}
END_TEST

/* Without a loop there are no tasks, and without a task nobody gathers: also nothing, and also with what is done. */
START_TEST(without_a_task_nobody_gathers)
{
    struct gathers by_hand = CORO(gathers, .children = children, .count = (size_t)_i);
    pawl_loop_use(NULL);
    ck_assert_ptr_null(pawl_start(&tasks[0], CORO(awaits)));
    pawl_future_set_done(&futures[0]);
    children[0] = pawl_child(&futures[0]);
    ck_assert_ptr_null(coro_step(&by_hand));
    ck_assert_int_eq(coro_error(&by_hand), PAWL_EINVAL);
}
END_TEST

/* A wrong entry is seen before anything is registered, and what was made for the right ones goes on by itself. */
START_TEST(a_wrong_entry_leaves_the_right_ones_alone)
{
    struct pawl_task *const none = NULL;
    world_begin(&world);
    children[0] = pawl_child(pawl_start(&tasks[0], CORO(awaits, .which = 0)));
    children[1] = pawl_child(none);
    ck_assert_int_eq(world_run(&world, CORO(gathers, .children = children, .count = 2)), PAWL_EINVAL);
    run_ready();
    ck_assert_int_eq(world.reports, 0);
    ck_assert(!pawl_future_done(&tasks[0]));
    pawl_future_set_done(&futures[0]);
    run_ready();
    ck_assert_int_eq(pawl_future_error(&tasks[0]), 0);
    end();
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("gather futures");
    TCase *const ends = add_case(suite, "ends");
    tcase_add_loop_test(ends, it_ends_when_the_last_one_has_in_whatever_order_they_end, 0, 4);
    tcase_add_loop_test(ends, the_first_error_ends_it_and_what_comes_later_does_nothing, 0, 2);
    tcase_add_loop_test(ends, with_errors_returned_it_waits_for_all_of_them, 0, 2);
    tcase_add_test(ends, errors_behind_the_first_one_are_not_reported);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_loop_test(cancelled, a_child_that_is_cancelled_ends_it_without_a_request, 0, 2);
    tcase_add_loop_test(cancelled, cancellations_are_among_the_errors_that_are_returned, 0, 2);
    tcase_add_loop_test(cancelled, cancelled_it_cancels_the_tasks_and_what_they_wait_for, 0, 4);
    tcase_add_loop_test(cancelled, a_gather_whose_children_are_all_done_refuses_to_be_cancelled, 0, 4);
    TCase *const same = add_case(suite, "the same");
    tcase_add_loop_test(same, two_gathers_may_wait_for_the_same, 0, 2);
    tcase_add_test(same, one_entered_several_times_has_its_result_in_each_entry);
    TCase *const nothing = add_case(suite, "nothing and nobody");
    tcase_add_test(nothing, nothing_is_done_at_once_whether_or_not_the_loop_runs_yet);
    tcase_add_test(nothing, tasks_made_before_the_loop_runs_are_gathered_when_it_does);
    tcase_add_loop_test(nothing, without_a_task_nobody_gathers, 0, 2);
    tcase_add_test(nothing, a_wrong_entry_leaves_the_right_ones_alone);
    return suite;
}
