/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Cancellation, edge-triggered as asyncio's: a request raises PAWL_ECANCELLED once, where the task waits, and what it
 * waits for is cancelled or taken leave of at once. The traces are those that asyncio prints (CPython 3.13).
 */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
}

/* Once round, however little is ready. */
static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static int run_to_end(struct pawl_task *task)
{
    return pawl_loop_run_until_complete(&world.loop, task);
}

/* ---- One task and one future ---- */

struct awaits {
    COROUTINE(int);
    struct pawl_future *future;
};

ASYNC(awaits)
{
    ASYNC_BEGIN(awaits);
    TRY {
        trace(&seen, "in ");
        AWAIT(self->future);
        trace(&seen, "on ");
    } FINALLY {
        trace(&seen, "fin ");
    } END_TRY;
    ASYNC_RETURN(7);
    ASYNC_END;
}

START_TEST(cancelled_before_its_first_step_the_body_never_runs)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &future));
    ck_assert(pawl_task_cancel(task));
    ck_assert(!pawl_future_done(task));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert(pawl_future_cancelled(task));
    ck_assert_trace(&seen, "");
    pawl_task_release(task);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

START_TEST(the_awaited_future_is_cancelled_at_once_and_the_task_ends_at_its_next_step)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &future));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert(pawl_future_cancelled(&future));
    ck_assert(!pawl_future_done(task));
    ck_assert_trace(&seen, "in ");
    once();
    ck_assert(pawl_future_cancelled(task));
    ck_assert_trace(&seen, "in fin ");
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_in_the_same_tick_as_the_result_wins_and_the_result_stays)
{
    FUTURE(int) future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = PAWL_FUTURE(&future)));
    once();
    ck_assert_int_eq(pawl_future_set_result(&future, 5), 0);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_future_error(&future), 0);
    ck_assert_int_eq(future.result, 5);
    ck_assert_trace(&seen, "in fin ");
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_in_the_same_tick_as_an_error_wins_too)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &future));
    once();
    ck_assert_int_eq(pawl_future_set_error(&future, -5), 0);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_future_error(&future), -5);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(cancelling_what_has_ended_or_is_nothing_says_no)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    static TASK(awaits) zeroed;
    begin();
    pawl_future_set_done(&future);
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &future));
    ck_assert_int_eq(run_to_end(task), 0);
    ck_assert(!pawl_task_cancel(task));
    ck_assert(!pawl_future_cancel(task));
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    ck_assert(!pawl_task_cancel(NULL));
    ck_assert(!pawl_task_cancel(&zeroed.awaitable));
    ck_assert(!pawl_future_cancelled(task));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(one_cancelled_waiter_cancels_the_future_for_all_of_them)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_task *tasks[3];
    begin();
    for (int i = 0; i < 3; i++) tasks[i] = pawl_spawn(CORO(awaits, .future = &future));
    once();
    ck_assert(pawl_task_cancel(tasks[1]));
    ck_assert(pawl_future_cancelled(&future));
    for (int i = 0; i < 3; i++) ck_assert_int_eq(run_to_end(tasks[i]), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(tasks[0]), 0);
    ck_assert_uint_eq(pawl_task_cancelling(tasks[1]), 1);
    for (int i = 0; i < 3; i++) pawl_task_release(tasks[i]);
    world_end(&world);
}
END_TEST

/* ---- A task that cancels itself ---- */

struct cancels_itself {
    COROUTINE(int);
    int fail_with;
    bool take_back, through_done;
    struct pawl_future done;
    struct pawl_sleep sleep;
};

ASYNC(cancels_itself)
{
    ASYNC_BEGIN(cancels_itself);
    pawl_task_cancel(pawl_task_current());
    trace(&seen, "on ");
    if (self->through_done) {
        pawl_future_set_done(&self->done);
        AWAIT(&self->done);
        trace(&seen, "no suspension ");
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(5)));
        trace(&seen, "slept ");
    }
    if (self->take_back) {
        ck_assert_uint_eq(pawl_task_uncancel(pawl_task_current()), 0);
        AWAIT(self->sleep, pawl_yield());
        trace(&seen, "went on ");
    }
    if (self->fail_with) RAISE(self->fail_with);
    ASYNC_RETURN(3);
    ASYNC_END;
}

START_TEST(a_task_that_cancels_itself_and_returns_is_cancelled)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(cancels_itself)), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "on ");
    world_end(&world);
}
END_TEST

START_TEST(a_task_that_cancels_itself_and_fails_has_failed)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(cancels_itself, .fail_with = -5)), -5);
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_of_oneself_that_is_taken_back_is_dropped)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(cancels_itself, .take_back = true)), 0);
    ck_assert_trace(&seen, "on went on ");
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_of_oneself_waits_for_a_real_suspension)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(cancels_itself, .through_done = true)), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "on no suspension ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

/* ---- Swallowing and counting ---- */

struct swallows {
    COROUTINE(int);
    int rounds, i;
    struct pawl_sleep sleep;
};

ASYNC(swallows)
{
    ASYNC_BEGIN(swallows);
    for (self->i = 0; self->i < self->rounds; self->i++) {
        TRY {
            AWAIT(self->sleep, pawl_sleep(PAWL_SEC(5)));
            trace(&seen, "slept ");
        } CATCH(PAWL_ECANCELLED) {
            trace(&seen, "swallowed%u ", pawl_task_cancelling(pawl_task_current()));
        } END_TRY;
    }
    ASYNC_RETURN(9);
    ASYNC_END;
}

START_TEST(swallowed_requests_are_counted_until_they_are_taken_back)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(swallows, .rounds = 3));
    for (int i = 0; i < 2; i++) {
        once();
        ck_assert(pawl_task_cancel(task));
        once();
    }
    ck_assert_uint_eq(pawl_task_cancelling(task), 2);
    ck_assert_uint_eq(pawl_task_uncancel(task), 1);
    ck_assert_uint_eq(pawl_task_uncancel(task), 0);
    ck_assert_uint_eq(pawl_task_uncancel(task), 0);
    ck_assert_int_eq(run_to_end(task), 0);
    ck_assert_int_eq(pawl_task_frame(swallows, task)->result, 9);
    ck_assert_trace(&seen, "swallowed1 swallowed2 slept ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_SEC(5));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(two_requests_in_one_tick_raise_once)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(swallows, .rounds = 2));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert(pawl_task_cancel(task));
    once();
    ck_assert_trace(&seen, "swallowed2 ");
    /* the second came while the first was on its way: it is raised at the next suspension, as an edge of its own */
    const int error = run_to_end(task);
    ck_assert_int_eq(error, 0);
    ck_assert_int_eq(pawl_task_frame(swallows, task)->result, 9);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(the_count_of_requests_stops_at_63)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(swallows, .rounds = 1));
    once();
    for (int i = 0; i < 100; i++) ck_assert(pawl_task_cancel(task));
    ck_assert_uint_eq(pawl_task_cancelling(task), 63);
    ck_assert(!pawl_future_done(task));
    ck_assert_int_eq(run_to_end(task), 0);
    ck_assert_uint_eq(pawl_task_cancelling(task), 63);
    for (unsigned left = 62; left > 0; left--) ck_assert_uint_eq(pawl_task_uncancel(task), left);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_request_taken_back_before_it_was_delivered_is_dropped)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(swallows, .rounds = 1));
    ck_assert(pawl_task_cancel(task));
    ck_assert_uint_eq(pawl_task_uncancel(task), 0);
    ck_assert_int_eq(run_to_end(task), 0);
    ck_assert_trace(&seen, "slept ");
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Chains of tasks ---- */

struct inner {
    COROUTINE(int);
    bool swallow;
    struct pawl_sleep sleep;
};

ASYNC(inner)
{
    ASYNC_BEGIN(inner);
    TRY {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(10)));
    } CATCH(PAWL_ECANCELLED) {
        if (!self->swallow) RERAISE();
        trace(&seen, "sw ");
    } FINALLY {
        trace(&seen, "i-fin ");
        AWAIT(self->sleep, pawl_yield());
        trace(&seen, "i-end ");
    } END_TRY;
    ASYNC_RETURN(7);
    ASYNC_END;
}

struct outer {
    COROUTINE(int);
    struct pawl_task *task;
};

ASYNC(outer)
{
    ASYNC_BEGIN(outer);
    TRY {
        AWAIT(self->task);
        trace(&seen, "got%d ", pawl_task_frame(inner, self->task)->result);
    } FINALLY {
        trace(&seen, "o-fin ");
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_cancel_is_forwarded_and_the_outer_ends_after_the_inner_cleanup)
{
    begin();
    struct pawl_task *const in = pawl_spawn(CORO(inner));
    struct pawl_task *const out = pawl_spawn(CORO(outer, .task = in));
    once();
    ck_assert(pawl_task_cancel(out));
    trace(&seen, "cancel ");
    for (int i = 0; i < 3; i++) {
        once();
        trace(&seen, "%d ", i);
    }
    ck_assert_trace(&seen, "cancel i-fin 0 i-end 1 o-fin 2 ");
    ck_assert_int_eq(pawl_future_error(in), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_future_error(out), PAWL_ECANCELLED);
    ck_assert(!pawl_loop_pending(&world.loop));
    pawl_task_release(in);
    pawl_task_release(out);
    world_end(&world);
}
END_TEST

START_TEST(when_the_inner_swallows_the_outer_is_not_cancelled)
{
    begin();
    struct pawl_task *const in = pawl_spawn(CORO(inner, .swallow = true));
    struct pawl_task *const out = pawl_spawn(CORO(outer, .task = in));
    once();
    ck_assert(pawl_task_cancel(out));
    ck_assert_int_eq(run_to_end(out), 0);
    ck_assert_int_eq(pawl_future_error(in), 0);
    ck_assert_trace(&seen, "sw i-fin i-end got7 o-fin ");
    ck_assert_uint_eq(pawl_task_cancelling(out), 1);
    ck_assert_uint_eq(pawl_task_cancelling(in), 1);
    pawl_task_release(in);
    pawl_task_release(out);
    world_end(&world);
}
END_TEST

struct awaits_task {
    COROUTINE(void);
    struct pawl_task *task;
};

ASYNC(awaits_task)
{
    ASYNC_BEGIN(awaits_task);
    AWAIT(self->task);
    ASYNC_END;
}

START_TEST(a_cancel_goes_down_a_chain_of_tasks_to_its_future)
{
    enum { LONG = 50 };
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_task *tasks[LONG];
    begin();
    tasks[0] = pawl_spawn(CORO(awaits, .future = &future));
    for (int i = 1; i < LONG; i++) tasks[i] = pawl_spawn(CORO(awaits_task, .task = tasks[i - 1]));
    once();
    ck_assert(pawl_task_cancel(tasks[LONG - 1]));
    ck_assert(pawl_future_cancelled(&future));
    for (int i = 0; i < LONG; i++) {
        ck_assert(!pawl_future_done(tasks[i]));
        ck_assert_uint_eq(pawl_task_cancelling(tasks[i]), 1);
        once();
        ck_assert(pawl_future_cancelled(tasks[i]));
    }
    for (int i = 0; i < LONG; i++) pawl_task_release(tasks[i]);
    world_end(&world);
}
END_TEST

START_TEST(tasks_that_await_each_other_in_a_circle_can_be_cancelled)
{
    static TASK(awaits_task) first, second;
    begin();
    pawl_start(&first, CORO(awaits_task, .task = &second.awaitable));
    pawl_start(&second, CORO(awaits_task, .task = &first.awaitable));
    ck_assert_int_eq(pawl_loop_run(&world.loop), PAWL_EDEADLK);
    ck_assert(pawl_task_cancel(&first.awaitable));
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
    ck_assert(pawl_future_cancelled(&first));
    ck_assert(pawl_future_cancelled(&second));
    world_end(&world);
}
END_TEST

struct gathers_task {
    COROUTINE(void);
    struct pawl_task *task;
    struct pawl_child child;
    union {
        struct pawl_gather all;
        struct pawl_wait_for timed;
    };
    bool timed_too;
};

ASYNC(gathers_task)
{
    ASYNC_BEGIN(gathers_task);
    self->child = pawl_child(self->task);
    if (self->timed_too) AWAIT(self->timed, pawl_wait_for(self->task, PAWL_SEC(5)));
    else AWAIT(self->all, pawl_gather(&self->child, 1));
    ASYNC_END;
}

START_TEST(a_circle_through_gather_or_wait_for_can_be_cancelled)
{
    static TASK(gathers_task) tasks[3];
    begin();
    for (int i = 0; i < 3; i++)
        pawl_start(&tasks[i], CORO(gathers_task, .task = &tasks[(i + 1) % 3].awaitable, .timed_too = _i == 1));
    once();
    once();
    ck_assert(pawl_task_cancel(&tasks[1].awaitable));
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
    for (int i = 0; i < 3; i++) ck_assert(pawl_future_cancelled(&tasks[i]));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

/* ---- Timers ---- */

START_TEST(a_cancelled_sleep_leaves_no_timer)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(inner));
    once();
    ck_assert(pawl_loop_pending(&world.loop));
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

static void cancel_task(void *task)
{
    trace(&seen, "cancel ");
    ck_assert(pawl_task_cancel(task));
}

/* The timer of the callback is armed before (0) or after (1) that of the sleep, and both are due at once. */
START_TEST(a_cancel_at_the_instant_of_waking_wins)
{
    static struct pawl_handle handle;
    static TASK(swallows) task;
    begin();
    if (_i == 0) pawl_call_at(&world.loop, &handle, PAWL_SEC(5), cancel_task, &task);
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(swallows, .rounds = 1)));
    once();
    if (_i == 1) pawl_call_at(&world.loop, &handle, PAWL_SEC(5), cancel_task, &task);
    ck_assert_int_eq(run_to_end(&task.awaitable), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_SEC(5));
    ck_assert_trace(&seen, "cancel swallowed1 ");
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(a_task_that_waits_for_a_handle_cancels_the_call)
{
    static struct pawl_handle handle;
    static int calls;
    struct pawl_future *const future = PAWL_FUTURE(&handle);
    begin();
    pawl_call_later(&world.loop, &handle, PAWL_SEC(1), cancel_task, &calls);
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = future));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert(!pawl_handle_pending(&handle));
    ck_assert(pawl_future_cancelled(&handle));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert(!pawl_loop_pending(&world.loop));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Cancel everything at every point ---- */

static int opened, closed;

struct guarded {
    COROUTINE(void);
    pawl_time span;
    bool fails;
    struct pawl_sleep sleep;
};

ASYNC(guarded)
{
    ASYNC_BEGIN(guarded);
    opened++;
    TRY {
        AWAIT(self->sleep, pawl_sleep(self->span));
        AWAIT(self->sleep, pawl_yield());
        if (self->fails) RAISE(-5);
    } FINALLY {
        closed++; /* first: a cancel may come while a FINALLY waits */
        AWAIT(self->sleep, pawl_yield());
    } END_TRY;
    ASYNC_END;
}

struct nested {
    COROUTINE(int);
    struct pawl_task *tasks[2];
    struct pawl_child children[2];
    struct pawl_future future;
    union {
        struct pawl_gather gather;
        struct pawl_wait_for timed;
        struct pawl_sleep sleep;
    };
    struct guarded guarded;
};

ASYNC(nested)
{
    ASYNC_BEGIN(nested);
    opened++;
    TRY {
        TRY {
            AWAIT(self->guarded, CORO(guarded, .span = 3));
            self->guarded = CORO(guarded, .span = 3, .fails = true);
            AWAIT(self->timed, pawl_wait_for(&self->guarded, 20));
        } CATCH(-5) {
            AWAIT(self->sleep, pawl_sleep(2));
        } FINALLY {
            self->guarded = CORO(guarded, .span = 9);
            TRY_AWAIT(self->timed, pawl_wait_for(&self->guarded, 4));
        } END_TRY;
        self->tasks[0] = pawl_spawn(CORO(guarded, .span = 1));
        self->tasks[1] = pawl_spawn_eager(CORO(guarded, .span = 5));
        TRY {
            self->children[0] = pawl_child(self->tasks[0]);
            self->children[1] = pawl_child(self->tasks[1]);
            AWAIT(self->gather, pawl_gather(self->children, 2));
            AWAIT(self->timed, pawl_wait_for(&self->future, 6));
        } FINALLY {
            pawl_task_release(self->tasks[0]);
            pawl_task_release(self->tasks[1]);
        } END_TRY;
    } FINALLY {
        closed++;
    } END_TRY;
    ASYNC_END;
}

/* Runs the program, cancels it after `steps` iterations; returns its error, or 1 when it had ended before. */
static int cancel_after(int steps)
{
    begin();
    opened = closed = 0;
    struct pawl_task *const task = pawl_spawn(CORO(nested));
    for (int i = 0; i < steps && !pawl_future_done(task); i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    const bool in_time = pawl_task_cancel(task);
    const int error = run_to_end(task);
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
    ck_assert_int_eq(opened, closed);
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
    pawl_task_release(task);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
    return in_time ? error : 1;
}

START_TEST(cancelled_at_any_iteration_every_finally_runs_and_nothing_is_left)
{
    int steps = 0, cancelled = 0, error;
    while ((error = cancel_after(steps)) != 1) {
        /* one that is being timed out already, or whose FINALLY swallows it, goes on to its own timeout */
        ck_assert(error == PAWL_ECANCELLED || error == PAWL_ETIMEOUT);
        if (error == PAWL_ECANCELLED) cancelled++;
        ck_assert_int_lt(++steps, 200);
    }
    ck_assert_int_ge(steps, 20);
    ck_assert_int_ge(cancelled, steps * 2 / 3);
}
END_TEST

/* A second request while the FINALLYs are at work after the first. */
START_TEST(cancelled_twice_at_any_distance_nothing_is_left)
{
    for (int first = 1; first < 24; first += 3) {
        for (int second = 0; second < 8; second++) {
            begin();
            opened = closed = 0;
            struct pawl_task *const task = pawl_spawn(CORO(guarded, .span = first));
            for (int i = 0; i < first % 5; i++) once();
            pawl_task_cancel(task);
            for (int i = 0; i < second; i++) once();
            pawl_task_cancel(task);
            const int error = run_to_end(task);
            ck_assert(error == PAWL_ECANCELLED);
            ck_assert(!pawl_loop_pending(&world.loop));
            pawl_task_release(task);
            world_end(&world);
            ck_assert_int_eq(opened, closed);
        }
    }
}
END_TEST

/* ---- Nothing stays registered ---- */

enum waiting { SLEEP, SLEEP_UNTIL, FOR_FUTURE, FOR_CORO, GATHER, DEEP, WAYS };

struct waits_somehow {
    COROUTINE(void);
    enum waiting way;
    struct pawl_future *future;
    struct pawl_child child;
    union {
        struct pawl_sleep sleep;
        struct pawl_wait_for timed;
        struct pawl_gather gather;
    };
    struct awaits awaits;
};

ASYNC(waits_somehow)
{
    ASYNC_BEGIN(waits_somehow);
    self->awaits = CORO(awaits, .future = self->future);
    self->child = pawl_child(self->future);
    if (self->way == SLEEP) AWAIT(self->sleep, pawl_sleep(PAWL_SEC(9)));
    if (self->way == SLEEP_UNTIL) AWAIT(self->sleep, pawl_sleep_until(PAWL_SEC(9)));
    if (self->way == FOR_FUTURE) AWAIT(self->timed, pawl_wait_for(self->future, PAWL_SEC(9)));
    if (self->way == FOR_CORO) AWAIT(self->timed, pawl_wait_for(&self->awaits, PAWL_SEC(9)));
    if (self->way == GATHER) AWAIT(self->gather, pawl_gather(&self->child, 1));
    if (self->way == DEEP) AWAIT(&self->awaits);
    ASYNC_END;
}

START_TEST(whatever_was_awaited_is_left_when_cancelled)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(waits_somehow, .way = (enum waiting)_i, .future = &future));
    once();
    once();
    ck_assert(!pawl_future_done(task));
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_ptr_null(future.awaitable.first);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    ck_assert(pawl_future_cancelled(&future) == (_i != SLEEP && _i != SLEEP_UNTIL));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("cancel");
    TCase *const one = add_case(suite, "one task");
    tcase_add_test(one, cancelled_before_its_first_step_the_body_never_runs);
    tcase_add_test(one, the_awaited_future_is_cancelled_at_once_and_the_task_ends_at_its_next_step);
    tcase_add_test(one, a_cancel_in_the_same_tick_as_the_result_wins_and_the_result_stays);
    tcase_add_test(one, a_cancel_in_the_same_tick_as_an_error_wins_too);
    tcase_add_test(one, cancelling_what_has_ended_or_is_nothing_says_no);
    tcase_add_test(one, one_cancelled_waiter_cancels_the_future_for_all_of_them);
    TCase *const itself = add_case(suite, "itself");
    tcase_add_test(itself, a_task_that_cancels_itself_and_returns_is_cancelled);
    tcase_add_test(itself, a_task_that_cancels_itself_and_fails_has_failed);
    tcase_add_test(itself, a_cancel_of_oneself_that_is_taken_back_is_dropped);
    tcase_add_test(itself, a_cancel_of_oneself_waits_for_a_real_suspension);
    TCase *const counts = add_case(suite, "counts");
    tcase_add_test(counts, swallowed_requests_are_counted_until_they_are_taken_back);
    tcase_add_test(counts, two_requests_in_one_tick_raise_once);
    tcase_add_test(counts, the_count_of_requests_stops_at_63);
    tcase_add_test(counts, a_request_taken_back_before_it_was_delivered_is_dropped);
    TCase *const chains = add_case(suite, "chains");
    tcase_add_test(chains, a_cancel_is_forwarded_and_the_outer_ends_after_the_inner_cleanup);
    tcase_add_test(chains, when_the_inner_swallows_the_outer_is_not_cancelled);
    tcase_add_test(chains, a_cancel_goes_down_a_chain_of_tasks_to_its_future);
    tcase_add_test(chains, tasks_that_await_each_other_in_a_circle_can_be_cancelled);
    tcase_add_loop_test(chains, a_circle_through_gather_or_wait_for_can_be_cancelled, 0, 2);
    TCase *const timers = add_case(suite, "timers");
    tcase_add_test(timers, a_cancelled_sleep_leaves_no_timer);
    tcase_add_loop_test(timers, a_cancel_at_the_instant_of_waking_wins, 0, 2);
    tcase_add_test(timers, a_task_that_waits_for_a_handle_cancels_the_call);
    TCase *const everywhere = add_case(suite, "everywhere");
    tcase_add_test(everywhere, cancelled_at_any_iteration_every_finally_runs_and_nothing_is_left);
    tcase_add_test(everywhere, cancelled_twice_at_any_distance_nothing_is_left);
    tcase_add_loop_test(everywhere, whatever_was_awaited_is_left_when_cancelled, 0, WAYS);
    return suite;
}
