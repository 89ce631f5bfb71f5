/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* gather, as asyncio's of CPython 3.12 and later: what it raises, what goes on, what is seen, what is left. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

struct job {
    COROUTINE(int);
    int n, error, cleanup;
    pawl_time span;
    bool swallow;
    struct pawl_sleep sleep;
};

ASYNC(job)
{
    ASYNC_BEGIN(job);
    TRY {
        AWAIT(self->sleep, pawl_sleep(self->span));
        if (self->error) RAISE(self->error);
        trace(&seen, "%d ", self->n);
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "%dc ", self->n);
        if (!self->swallow) RERAISE();
    } FINALLY {
        while (self->cleanup-- > 0) AWAIT(self->sleep, pawl_yield());
        trace(&seen, "%df ", self->n);
    } END_TRY;
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

enum { MOST = 8 };

/* Gathers futures that the test has made, and says how that ended. */
struct gathers {
    COROUTINE(int);
    struct pawl_child *children;
    size_t count;
    bool return_errors;
    struct pawl_gather all;
};

ASYNC(gathers)
{
    ASYNC_BEGIN(gathers);
    if (self->return_errors) TRY_AWAIT(self->all, pawl_gather_return_errors(self->children, self->count));
    else TRY_AWAIT(self->all, pawl_gather(self->children, self->count));
    self->result = AWAIT_ERROR();
    trace(&seen, "g%d ", self->result);
    if (self->result != 0) RAISE(self->result);
    ASYNC_END;
}

static TASK(job) jobs[MOST];
static struct pawl_child children[MOST];

static void start_jobs(int count, const struct job *how)
{
    for (int i = 0; i < count; i++) {
        struct job job = how[i];
        job.awaitable = CORO(job).awaitable;
        job.n = i;
        ck_assert_ptr_nonnull(pawl_start(&jobs[i], job));
        children[i] = pawl_child(&jobs[i]);
    }
}

static int gather_jobs(size_t count)
{
    return world_run(&world, CORO(gathers, .children = children, .count = count));
}

static void run_all(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

/* ---- The good ---- */

START_TEST(results_are_with_the_children_when_all_are_done)
{
    begin();
    start_jobs(3, (struct job[]){ { .span = 30 }, { .span = 10 }, { .span = 20 } });
    ck_assert_int_eq(gather_jobs(3), 0);
    ck_assert_trace(&seen, "1 1f 2 2f 0 0f g0 ");
    for (int i = 0; i < 3; i++) ck_assert_int_eq(jobs[i].frame.result, i);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 30);
    world_end(&world);
}
END_TEST

START_TEST(nothing_to_gather_is_done_at_once)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(gathers)), 0);
    ck_assert_int_eq(world_run(&world, CORO(gathers, .children = children)), 0);
    ck_assert_int_eq(world_run(&world, CORO(gathers, .return_errors = true)), 0);
    ck_assert_trace(&seen, "g0 g0 g0 ");
    world_end(&world);
}
END_TEST

START_TEST(one_future_may_stand_in_several_entries)
{
    begin();
    start_jobs(2, (struct job[]){ { .span = 5 }, { .span = 7 } });
    children[2] = children[0];
    children[3] = children[1];
    children[4] = children[0];
    ck_assert_int_eq(gather_jobs(5), 0);
    ck_assert_trace(&seen, "0 0f 1 1f g0 ");
    ck_assert_ptr_null(jobs[0].awaitable.awaitable.awaitable.awaitable.first);
    world_end(&world);
}
END_TEST

START_TEST(done_and_pending_futures_and_handles_mix)
{
    FUTURE(int) answer = PAWL_FUTURE_INIT;
    struct pawl_future plain = PAWL_FUTURE_INIT;
    begin();
    pawl_future_set_result(&answer, 42);
    start_jobs(1, (struct job[]){ { .span = 5 } });
    children[1] = pawl_child(&answer);
    children[2] = pawl_child(&plain);
    struct pawl_task *const task = pawl_spawn(CORO(gathers, .children = children, .count = 3));
    for (int i = 0; i < 4; i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, i == 2), 0);
    ck_assert(pawl_future_done(&jobs[0]));
    ck_assert(!pawl_future_done(task));
    pawl_future_set_done(&plain);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(answer.result, 42);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Errors ---- */

START_TEST(the_first_error_is_raised_at_once_and_the_siblings_go_on)
{
    begin();
    start_jobs(3, (struct job[]){ { .span = 30 }, { .span = 10, .error = -5 }, { .span = 20, .error = -6 } });
    ck_assert_int_eq(gather_jobs(3), -5);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    ck_assert(!pawl_future_done(&jobs[0]) && !pawl_future_done(&jobs[2]));
    ck_assert_trace(&seen, "1f g-5 ");
    run_all();
    ck_assert_trace(&seen, "1f g-5 2f 0 0f ");
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_task_finish(&jobs[i].awaitable), 0);
    ck_assert_int_eq(world.reports, 0); /* the late -6 counts as seen */
    world_end(&world);
}
END_TEST

START_TEST(errors_at_one_instant_give_the_first_in_order_and_all_are_seen)
{
    begin();
    start_jobs(3, (struct job[]){ { .span = 10 }, { .span = 10, .error = -5 }, { .span = 10, .error = -6 } });
    ck_assert_int_eq(gather_jobs(3), -5);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_task_finish(&jobs[i].awaitable), 0);
    ck_assert_int_eq(world.reports, 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(a_child_that_has_failed_before_is_raised_without_a_wait)
{
    struct pawl_future failed = PAWL_FUTURE_INIT, pending = PAWL_FUTURE_INIT;
    begin();
    pawl_future_set_error(&failed, -5);
    children[0] = pawl_child(&pending);
    children[1] = pawl_child(&failed);
    struct pawl_task *const task = pawl_spawn(CORO(gathers, .children = children, .count = 2));
    once();
    ck_assert_int_eq(pawl_future_error(task), -5);
    ck_assert_ptr_null(pending.awaitable.first);
    ck_assert(!pawl_future_done(&pending));
    ck_assert(!pawl_loop_pending(&world.loop));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(returned_errors_are_read_from_their_children)
{
    begin();
    start_jobs(3, (struct job[]){ { .span = 30 }, { .span = 10, .error = -5 }, { .span = 20, .error = -6 } });
    ck_assert_int_eq(world_run(&world, CORO(gathers, .children = children, .count = 3, .return_errors = true)), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 30);
    ck_assert_int_eq(pawl_future_error(children[0].future), 0);
    ck_assert_int_eq(pawl_future_error(children[1].future), -5);
    ck_assert_int_eq(pawl_future_error(children[2].future), -6);
    world_end(&world);
}
END_TEST

START_TEST(the_cancel_of_a_child_is_raised_but_the_parent_was_not_asked)
{
    begin();
    start_jobs(2, (struct job[]){ { .span = 30 }, { .span = 20 } });
    struct pawl_task *const task = pawl_spawn(CORO(gathers, .children = children, .count = 2));
    once();
    ck_assert(pawl_task_cancel(&jobs[1].awaitable));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    ck_assert_trace(&seen, "1c 1f g-32000 ");
    ck_assert(!pawl_future_done(&jobs[0]));
    run_all();
    ck_assert_int_eq(pawl_future_error(&jobs[0]), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(the_cancel_of_a_child_is_one_of_the_returned_errors)
{
    begin();
    start_jobs(2, (struct job[]){ { .span = 30 }, { .span = 20 } });
    struct pawl_task *const task =
        pawl_spawn(CORO(gathers, .children = children, .count = 2, .return_errors = true));
    once();
    ck_assert(pawl_task_cancel(&jobs[1].awaitable));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_future_error(&jobs[1]), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 30);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Cancelled from outside ---- */

START_TEST(cancelled_it_cancels_all_of_its_children)
{
    begin();
    start_jobs(3, (struct job[]){ { .span = 30 }, { .span = 10 }, { .span = 20 } });
    struct pawl_task *const task =
        pawl_spawn(CORO(gathers, .children = children, .count = 3, .return_errors = _i == 1));
    once();
    ck_assert(pawl_task_cancel(task));
    for (int i = 0; i < 3; i++) ck_assert_uint_eq(pawl_task_cancelling(&jobs[i].awaitable), 1);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    for (int i = 0; i < 3; i++) ck_assert(pawl_future_cancelled(&jobs[i]));
    ck_assert_trace(&seen, "0c 0f 1c 1f 2c 2f g-32000 ");
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* asyncio: the first child that ends cancelled ends the gather; with returned errors it waits for all of them. */
START_TEST(cancelled_children_with_long_cleanups)
{
    begin();
    start_jobs(2, (struct job[]){ { .span = 30, .cleanup = 4 }, { .span = 10 } });
    struct pawl_task *const task =
        pawl_spawn(CORO(gathers, .children = children, .count = 2, .return_errors = _i == 1));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_trace(&seen, _i == 1 ? "0c 1c 1f 0f g-32000 " : "0c 1c 1f g-32000 ");
    run_all();
    ck_assert(pawl_future_cancelled(&jobs[0]));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(children_that_swallow_the_cancel_do_not_swallow_that_of_the_gather)
{
    begin();
    start_jobs(2, (struct job[]){ { .span = 30, .swallow = true }, { .span = 10, .swallow = true } });
    struct pawl_task *const task =
        pawl_spawn(CORO(gathers, .children = children, .count = 2, .return_errors = _i == 1));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_future_error(&jobs[i]), 0);
    ck_assert_trace(&seen, "0c 0f 1c 1f g-32000 ");
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(cancelled_in_the_tick_in_which_all_were_done_it_raises)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    children[0] = pawl_child(&future);
    struct pawl_task *const task = pawl_spawn(CORO(gathers, .children = children, .count = 1));
    once();
    pawl_future_set_done(&future);
    if (_i == 1) once(); /* the child's callback has run, the parent has not */
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_future_error(&future), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* The frame of a gather goes away with its task; a future in the caller's memory may live on. */
START_TEST(a_loop_that_finishes_leaves_no_gather_with_a_future_that_stays)
{
    static struct pawl_future future;
    static struct pawl_child own[1];
    begin();
    own[0] = pawl_child(&future);
    ck_assert_ptr_nonnull(pawl_spawn(CORO(gathers, .children = own, .count = 1)));
    once();
    ck_assert_ptr_nonnull(future.awaitable.first);
    world_end(&world);
    ck_assert(!pawl_handle_pending(&own[0].handle));
    ck_assert_ptr_null(future.awaitable.first);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
}
END_TEST

/* ---- Wrong arguments ---- */

START_TEST(an_entry_without_a_future_or_no_entries_at_all_is_invalid)
{
    struct pawl_future pending = PAWL_FUTURE_INIT, *const none = NULL;
    begin();
    children[0] = pawl_child(&pending);
    children[1] = pawl_child(none);
    ck_assert_int_eq(gather_jobs(2), PAWL_EINVAL);
    ck_assert_ptr_null(pending.awaitable.first);
    ck_assert_int_eq(world_run(&world, CORO(gathers, .children = NULL, .count = 2)), PAWL_EINVAL);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

struct gathers_itself {
    COROUTINE(void);
    struct pawl_future pending;
    struct pawl_child children[2];
    struct pawl_gather all;
};

ASYNC(gathers_itself)
{
    ASYNC_BEGIN(gathers_itself);
    self->children[0] = pawl_child(&self->pending);
    self->children[1] = pawl_child(pawl_task_current());
    TRY_AWAIT(self->all, pawl_gather(self->children, 2));
    ck_assert_ptr_null(self->pending.awaitable.first);
    if (AWAIT_ERROR()) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

START_TEST(gathering_oneself_is_a_deadlock)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(gathers_itself)), PAWL_EDEADLK);
    world_end(&world);
}
END_TEST

START_TEST(by_hand_there_is_no_task_to_gather_for)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    children[0] = pawl_child(&future);
    struct gathers frame = CORO(gathers, .children = children, .count = 1);
    ck_assert_ptr_null(coro_step(&frame));
    ck_assert_int_eq(coro_error(&frame), PAWL_EINVAL);
}
END_TEST

struct waits_by_hand {
    COROUTINE(void);
    struct pawl_future *future;
};

ASYNC(waits_by_hand)
{
    ASYNC_BEGIN(waits_by_hand);
    AWAIT(self->future);
    ASYNC_END;
}

START_TEST(a_child_that_cannot_be_registered_takes_the_others_back)
{
    struct pawl_future first = PAWL_FUTURE_INIT, second = PAWL_FUTURE_INIT;
    begin();
    struct waits_by_hand by_hand = CORO(waits_by_hand, .future = &second);
    ck_assert_ptr_eq(coro_step(&by_hand), &second);
    children[0] = pawl_child(&first);
    children[1] = pawl_child(&second);
    ck_assert_int_eq(gather_jobs(2), PAWL_EBUSY);
    ck_assert_ptr_null(first.awaitable.first);
    ck_assert_ptr_eq(coro_step(&by_hand), &second);
    ck_assert_int_eq(coro_close(&by_hand), 0);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("gather");
    TCase *const good = add_case(suite, "good");
    tcase_add_test(good, results_are_with_the_children_when_all_are_done);
    tcase_add_test(good, nothing_to_gather_is_done_at_once);
    tcase_add_test(good, one_future_may_stand_in_several_entries);
    tcase_add_test(good, done_and_pending_futures_and_handles_mix);
    TCase *const failing = add_case(suite, "errors");
    tcase_add_test(failing, the_first_error_is_raised_at_once_and_the_siblings_go_on);
    tcase_add_test(failing, errors_at_one_instant_give_the_first_in_order_and_all_are_seen);
    tcase_add_test(failing, a_child_that_has_failed_before_is_raised_without_a_wait);
    tcase_add_test(failing, returned_errors_are_read_from_their_children);
    tcase_add_test(failing, the_cancel_of_a_child_is_raised_but_the_parent_was_not_asked);
    tcase_add_test(failing, the_cancel_of_a_child_is_one_of_the_returned_errors);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_loop_test(cancelled, cancelled_it_cancels_all_of_its_children, 0, 2);
    tcase_add_loop_test(cancelled, cancelled_children_with_long_cleanups, 0, 2);
    tcase_add_loop_test(cancelled, children_that_swallow_the_cancel_do_not_swallow_that_of_the_gather, 0, 2);
    tcase_add_loop_test(cancelled, cancelled_in_the_tick_in_which_all_were_done_it_raises, 0, 2);
    tcase_add_test(cancelled, a_loop_that_finishes_leaves_no_gather_with_a_future_that_stays);
    TCase *const wrong = add_case(suite, "wrong arguments");
    tcase_add_test(wrong, an_entry_without_a_future_or_no_entries_at_all_is_invalid);
    tcase_add_test(wrong, gathering_oneself_is_a_deadlock);
    tcase_add_test(wrong, by_hand_there_is_no_task_to_gather_for);
    tcase_add_test(wrong, a_child_that_cannot_be_registered_takes_the_others_back);
    return suite;
}
