/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Coroutines stepped by hand, with no loop and no clock: what they wait for is a future that the test settles. */
#include <support.h>

#include <errno.h>
#include <string.h>

static struct trace seen;

static void clear_trace(void)
{
    memset(&seen, 0, sizeof seen);
}

static TCase *add_traced_case(Suite *suite, const char *name)
{
    TCase *const tcase = add_case(suite, name);
    tcase_add_checked_fixture(tcase, clear_trace, NULL);
    return tcase;
}

/* ---- One future ---- */

struct waiter {
    COROUTINE(int);
    struct pawl_future *future, *after;
    bool swallows;
};

ASYNC(waiter)
{
    ASYNC_BEGIN(waiter);
    trace(&seen, "start ");
    TRY {
        AWAIT(self->future);
        trace(&seen, "went on ");
        self->result = 1;
    } CATCH_ALL {
        trace(&seen, "caught %d ", CAUGHT());
        if (!self->swallows) RERAISE();
        if (self->after) AWAIT(self->after);
        self->result = 2;
    } FINALLY {
        trace(&seen, "finally ");
    } END_TRY;
    ASYNC_END;
}

START_TEST(making_one_runs_nothing)
{
    const struct waiter co = CORO(waiter);
    ck_assert(!coro_done(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(a_step_returns_what_it_waits_for)
{
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert(!coro_done(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert(coro_done(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert_int_eq(co.result, 1);
    ck_assert_trace(&seen, "start went on finally ");
}
END_TEST

START_TEST(a_step_while_the_future_is_pending_changes_nothing)
{
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    for (int i = 0; i < 5; i++) ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_trace(&seen, "start ");
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(co.result, 1);
}
END_TEST

START_TEST(a_failed_future_raises_and_counts_as_seen)
{
    struct world world;
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    world_begin(&world);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_int_eq(pawl_future_set_error(&future, -ECONNREFUSED), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), -ECONNREFUSED);
    pawl_future_finish(&future, &world.loop);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_cancelled_future_raises_ecancelled)
{
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert(pawl_future_cancel(&future));
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "start caught -32000 finally ");
}
END_TEST

START_TEST(a_future_that_is_done_does_not_suspend)
{
    struct pawl_future good = { 0 }, bad = { 0 };
    struct waiter first = CORO(waiter, .future = &good), second = CORO(waiter, .future = &bad);
    ck_assert_int_eq(pawl_future_set_done(&good), 0);
    ck_assert_int_eq(pawl_future_set_error(&bad, -5), 0);
    ck_assert_ptr_null(coro_step(&first));
    ck_assert_int_eq(coro_error(&first), 0);
    ck_assert_ptr_null(coro_step(&second));
    ck_assert_int_eq(coro_error(&second), -5);
}
END_TEST

START_TEST(to_await_no_future_is_invalid)
{
    struct waiter co = CORO(waiter);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_EINVAL);
    ck_assert_trace(&seen, "start caught -32003 finally ");
}
END_TEST

struct typed {
    COROUTINE(long);
    FUTURE(long) answer;
};

ASYNC(typed)
{
    ASYNC_BEGIN(typed);
    AWAIT(&self->answer);
    ASYNC_RETURN(self->answer.result * 2);
    ASYNC_END;
}

START_TEST(a_typed_future_brings_its_result)
{
    struct typed co = CORO(typed);
    ck_assert_ptr_eq(coro_step(&co), PAWL_FUTURE(&co.answer));
    ck_assert_int_eq(pawl_future_set_result(&co.answer, 21), 0);
    ck_assert_int_eq(pawl_future_set_result(&co.answer, 22), PAWL_EDONE);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(co.result, 42);
}
END_TEST

/* ---- After the end, while it runs, and no coroutine ---- */

START_TEST(a_step_after_the_end_is_an_error)
{
    struct pawl_future done = { 0 };
    struct waiter co = CORO(waiter, .future = &done);
    ck_assert_int_eq(pawl_future_set_done(&done), 0);
    ck_assert_ptr_null(coro_step(&co));
    clear_trace();
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_EENDED);
    ck_assert_ptr_null(coro_throw(&co, -5));
    ck_assert_int_eq(coro_error(&co), PAWL_EENDED);
    ck_assert_int_eq(coro_close(&co), 0);
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(a_zeroed_struct_is_no_coroutine)
{
    struct waiter co;
    memset(&co, 0, sizeof co);
    ck_assert_int_eq(coro_close(&co), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_EINVAL);
}
END_TEST

struct reenters {
    COROUTINE(void);
};

ASYNC(reenters)
{
    ASYNC_BEGIN(reenters);
    trace(&seen, "%d ", coro_step(self) == NULL && coro_error(self) == PAWL_ERUNNING);
    trace(&seen, "%d ", coro_throw(self, -5) == NULL && coro_error(self) == PAWL_ERUNNING);
    trace(&seen, "%d ", coro_close(self) == PAWL_ERUNNING);
    ASYNC_END;
}

START_TEST(one_that_runs_cannot_be_stepped_and_is_not_disturbed)
{
    struct reenters co = CORO(reenters);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert(coro_done(&co));
    ck_assert_trace(&seen, "1 1 1 ");
}
END_TEST

/* ---- Throwing ---- */

START_TEST(a_throw_takes_leave_of_the_future)
{
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future), other = CORO(waiter, .future = &future);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_ptr_null(coro_throw(&co, -EIO));
    ck_assert_int_eq(coro_error(&co), -EIO);
    ck_assert(!pawl_future_done(&future));
    ck_assert_ptr_eq(coro_step(&other), &future);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_step(&other));
    ck_assert_int_eq(other.result, 1);
    ck_assert_int_eq(co.result, 0);
}
END_TEST

START_TEST(a_throw_that_is_caught_leads_to_the_next_wait)
{
    struct pawl_future future = { 0 }, after = { 0 };
    struct waiter co = CORO(waiter, .future = &future, .after = &after, .swallows = true);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_ptr_eq(coro_throw(&co, PAWL_ECANCELLED), &after);
    ck_assert_ptr_eq(coro_step(&co), &after);
    ck_assert_int_eq(pawl_future_set_done(&future), 0); /* too late to matter */
    ck_assert_ptr_eq(coro_step(&co), &after);
    ck_assert_int_eq(pawl_future_set_done(&after), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(co.result, 2);
    ck_assert_trace(&seen, "start caught -32000 finally ");
}
END_TEST

START_TEST(a_throw_wins_over_an_outcome_that_was_not_fetched)
{
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_throw(&co, PAWL_ECANCELLED));
    ck_assert_int_eq(coro_error(&co), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_future_error(&future), 0);
}
END_TEST

START_TEST(thrown_into_a_fresh_one_its_body_never_runs)
{
    struct waiter co = CORO(waiter);
    ck_assert_ptr_null(coro_throw(&co, PAWL_ECANCELLED));
    ck_assert(coro_done(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(what_is_no_error_is_thrown_as_einval)
{
    static const int no_errors[] = { 0, 1, -32769 };
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_ptr_null(coro_throw(&co, no_errors[_i]));
    ck_assert_int_eq(coro_error(&co), PAWL_EINVAL);
}
END_TEST

/* ---- Closing ---- */

START_TEST(close_takes_leave_of_the_future_and_runs_the_finally)
{
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_int_eq(coro_close(&co), 0);
    ck_assert_trace(&seen, "start caught -32001 finally ");
    ck_assert(coro_done(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert(!pawl_future_done(&future));
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_EENDED);
}
END_TEST

START_TEST(close_of_a_fresh_one_never_runs_it)
{
    struct waiter co = CORO(waiter);
    ck_assert_int_eq(coro_close(&co), 0);
    ck_assert(coro_done(&co));
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(one_that_awaits_while_it_is_closed_waits_for_that)
{
    struct pawl_future future = { 0 }, after = { 0 };
    struct waiter co = CORO(waiter, .future = &future, .after = &after, .swallows = true);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_int_eq(coro_close(&co), PAWL_EYIELDED);
    ck_assert(!coro_done(&co));
    ck_assert_ptr_eq(coro_step(&co), &after);
    ck_assert_int_eq(pawl_future_set_done(&after), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), 0);
}
END_TEST

START_TEST(freeing_a_frame_that_waits_takes_leave_of_the_future)
{
    struct counting memory;
    struct pawl_future future = { 0 };
    counting_init(&memory);
    struct waiter *const co = pawl_coro_new(&memory.allocator, CORO(waiter, .future = &future));
    ck_assert_ptr_nonnull(co);
    ck_assert_ptr_eq(coro_step(co), &future);
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, co), 0);
    ck_assert_uint_eq(memory.alive, 0);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_trace(&seen, "start caught -32001 finally ");
}
END_TEST

/* ---- Two that wait ---- */

START_TEST(a_second_waiter_by_hand_is_busy)
{
    struct pawl_future future = { 0 };
    struct waiter first = CORO(waiter, .future = &future), second = CORO(waiter, .future = &future);
    ck_assert_ptr_eq(coro_step(&first), &future);
    ck_assert_ptr_null(coro_step(&second));
    ck_assert_int_eq(coro_error(&second), PAWL_EBUSY);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_step(&first));
    ck_assert_int_eq(first.result, 1);
}
END_TEST

START_TEST(a_second_waiter_that_takes_the_error_goes_on)
{
    struct pawl_future future = { 0 }, after = { 0 };
    struct waiter first = CORO(waiter, .future = &future);
    struct waiter second = CORO(waiter, .future = &future, .after = &after, .swallows = true);
    ck_assert_ptr_eq(coro_step(&first), &future);
    ck_assert_ptr_eq(coro_step(&second), &after);
    ck_assert_trace(&seen, "start start caught -32005 ");
}
END_TEST

START_TEST(by_hand_after_a_task_is_busy)
{
    struct world world;
    struct pawl_future future = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn_eager(CORO(waiter, .future = &future));
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_EBUSY);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_task_frame(waiter, task)->result, 1);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_task_after_one_by_hand_is_busy)
{
    struct world world;
    struct pawl_future future = { 0 };
    struct pawl_handle handle = { 0 };
    struct waiter co = CORO(waiter, .future = &future);
    world_begin(&world);
    ck_assert_ptr_eq(coro_step(&co), &future);
    struct pawl_task *const task = pawl_spawn(CORO(waiter, .future = &future));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_EBUSY);
    ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &handle, (pawl_callback *)abort, NULL), PAWL_EBUSY);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(co.result, 1);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

struct joins {
    COROUTINE(void);
    struct pawl_task *task;
};

ASYNC(joins)
{
    ASYNC_BEGIN(joins);
    AWAIT(self->task);
    ASYNC_END;
}

START_TEST(a_task_is_awaited_by_hand)
{
    struct world world;
    struct pawl_future future = { 0 };
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(waiter, .future = &future));
    struct joins co = CORO(joins, .task = task);
    ck_assert_ptr_eq(coro_step(&co), PAWL_FUTURE(task));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert_ptr_eq(coro_step(&co), PAWL_FUTURE(task));
    ck_assert_int_eq(pawl_future_set_error(&future, -EIO), 0);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), -EIO);
    pawl_task_release(task);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

/* ---- Waits that need no future ---- */

struct sleeps {
    COROUTINE(int);
    struct pawl_sleep sleep;
};

ASYNC(sleeps)
{
    ASYNC_BEGIN(sleeps);
    AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
    AWAIT(self->sleep, pawl_sleep_until(PAWL_FOREVER));
    AWAIT(self->sleep, pawl_yield());
    ASYNC_RETURN(3);
    ASYNC_END;
}

START_TEST(a_sleep_by_hand_is_done_at_once)
{
    struct sleeps co = CORO(sleeps);
    for (int i = 0; i < 3; i++) {
        struct pawl_future *const wait = coro_step(&co);
        ck_assert_ptr_nonnull(wait);
        ck_assert(pawl_future_done(wait));
        ck_assert_int_eq(pawl_future_error(wait), 0);
        ck_assert_int_eq(pawl_future_set_error(wait, -5), PAWL_EDONE);
        ck_assert(!pawl_future_cancel(wait));
    }
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(co.result, 3);
}
END_TEST

START_TEST(a_throw_ends_a_sleep_by_hand)
{
    struct sleeps co = CORO(sleeps);
    ck_assert_ptr_nonnull(coro_step(&co));
    ck_assert_ptr_null(coro_throw(&co, PAWL_ETIMEOUT));
    ck_assert_int_eq(coro_error(&co), PAWL_ETIMEOUT);
}
END_TEST

/* ---- Callees ---- */

enum { LEVELS = 1000 };

struct level {
    COROUTINE(int);
    struct level *next;
    struct pawl_future *future;
};

ASYNC(level)
{
    ASYNC_BEGIN(level);
    if (self->next) {
        AWAIT(self->next);
        ASYNC_RETURN(self->next->result + 1);
    }
    AWAIT(self->future);
    ASYNC_RETURN(1);
    ASYNC_END;
}

static struct level levels[LEVELS];

static void levels_make(struct pawl_future *future)
{
    for (int i = 0; i < LEVELS; i++) levels[i] = CORO(level, .next = i + 1 < LEVELS ? &levels[i + 1] : NULL, .future = future);
}

START_TEST(the_innermost_wait_of_a_thousand_levels_comes_out)
{
    struct pawl_future future = { 0 };
    levels_make(&future);
    ck_assert_ptr_eq(coro_step(&levels[0]), &future);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_step(&levels[0]));
    ck_assert_int_eq(levels[0].result, LEVELS);
}
END_TEST

START_TEST(an_error_goes_out_through_a_thousand_levels)
{
    struct pawl_future future = { 0 };
    levels_make(&future);
    ck_assert_ptr_eq(coro_step(&levels[0]), &future);
    ck_assert_int_eq(pawl_future_set_error(&future, -9), 0);
    ck_assert_ptr_null(coro_step(&levels[0]));
    for (int i = 0; i < LEVELS; i++) ck_assert_int_eq(coro_error(&levels[i]), -9);
}
END_TEST

struct twice {
    COROUTINE(void);
    struct waiter *callee;
};

ASYNC(twice)
{
    ASYNC_BEGIN(twice);
    AWAIT(self->callee);
    TRY_AWAIT(self->callee);
    trace(&seen, "%d ", AWAIT_ERROR());
    AWAIT((struct waiter *)NULL);
    ASYNC_END;
}

START_TEST(a_coroutine_is_awaited_once)
{
    struct pawl_future done = { 0 };
    struct waiter callee = CORO(waiter, .future = &done);
    struct twice co = CORO(twice, .callee = &callee);
    ck_assert_int_eq(pawl_future_set_done(&done), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_trace(&seen, "start went on finally -32012 ");
}
END_TEST

START_TEST(to_await_no_coroutine_is_invalid)
{
    struct pawl_future done = { 0 };
    struct waiter callee = CORO(waiter, .future = &done);
    struct twice co = CORO(twice, .callee = &callee);
    ck_assert_int_eq(pawl_future_set_done(&done), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_EINVAL);
}
END_TEST

struct yields {
    GENERATOR(int);
};

GEN(yields)
{
    GEN_BEGIN(yields);
    trace(&seen, "ran ");
    YIELD(1);
    GEN_END;
}

struct awaits_generator {
    COROUTINE(void);
    struct yields yields;
};

ASYNC(awaits_generator)
{
    ASYNC_BEGIN(awaits_generator);
    AWAIT(self->yields, CORO(yields));
    ASYNC_END;
}

START_TEST(a_generator_that_is_awaited_has_no_consumer_and_never_runs)
{
    struct awaits_generator co = CORO(awaits_generator);
    struct yields alone = CORO(yields);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_EINVAL);
    ck_assert_ptr_null(coro_step(&alone));
    ck_assert_int_eq(coro_error(&alone), PAWL_EINVAL);
    ck_assert_trace(&seen, "");
}
END_TEST

/* Cleans up with the help of a coroutine that does not suspend. */
struct noop {
    COROUTINE(void);
};

ASYNC(noop)
{
    ASYNC_BEGIN(noop);
    ASYNC_END;
}

struct tidies {
    COROUTINE(void);
    struct pawl_future future;
    struct noop noop;
};

ASYNC(tidies)
{
    ASYNC_BEGIN(tidies);
    TRY {
        AWAIT(&self->future);
    } FINALLY {
        trace(&seen, "begin ");
        AWAIT(self->noop, CORO(noop));
        trace(&seen, "end ");
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_finally_that_awaits_runs_to_its_end_when_closed)
{
    struct tidies co = CORO(tidies);
    ck_assert_ptr_eq(coro_step(&co), &co.future);
    ck_assert_int_eq(coro_close(&co), 0);
    ck_assert_trace(&seen, "begin end ");
}
END_TEST

struct gathers {
    COROUTINE(void);
    struct pawl_future future;
    struct pawl_child child;
    struct pawl_gather gather;
};

ASYNC(gathers)
{
    ASYNC_BEGIN(gathers);
    self->child = pawl_child(&self->future);
    AWAIT(self->gather, pawl_gather(&self->child, 1));
    ASYNC_END;
}

START_TEST(gather_needs_a_task)
{
    struct gathers co = CORO(gathers);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), PAWL_EINVAL);
}
END_TEST

struct waits_for {
    COROUTINE(int);
    struct waiter inner;
    struct pawl_wait_for timed;
};

ASYNC(waits_for)
{
    ASYNC_BEGIN(waits_for);
    AWAIT(self->timed, pawl_wait_for(&self->inner, PAWL_SEC(1)));
    ASYNC_RETURN(self->inner.result);
    ASYNC_END;
}

START_TEST(wait_for_by_hand_has_no_timeout)
{
    struct pawl_future future = { 0 };
    struct waits_for co = CORO(waits_for, .inner = CORO(waiter, .future = &future));
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert_int_eq(co.result, 1);
}
END_TEST

/* ---- A program over sockets, without the system ---- */

struct fetch {
    COROUTINE(size_t);
    const char *host;
    uint16_t port;
    struct pawl_socket sock;
    char buf[512];
    union {
        struct pawl_connect connect;
        struct pawl_send send;
        struct pawl_recv recv;
    };
};

ASYNC(fetch)
{
    ASYNC_BEGIN(fetch);
    AWAIT(self->connect, pawl_connect(&self->sock, self->host, self->port));
    TRY {
        AWAIT(self->send, pawl_send(&self->sock, "hello\n", 6));
        AWAIT(self->recv, pawl_recv(&self->sock, self->buf, sizeof self->buf));
        ASYNC_RETURN(self->recv.result);
    } FINALLY {
        pawl_socket_close(&self->sock);
        trace(&seen, "closed");
    } END_TRY;
    ASYNC_END;
}

enum { FETCH_STEPS = 3 }; /* connect, send, recv */

/* Steps to the `step`-th wait, all before it having gone well. */
static struct pawl_future *fetch_to(struct fetch *fetch, int step)
{
    struct pawl_future *wait = coro_step(fetch);
    for (int i = 0; i < step; i++) {
        ck_assert_ptr_nonnull(wait);
        ck_assert_int_eq(pawl_future_set_done(wait), 0);
        wait = coro_step(fetch);
    }
    ck_assert_ptr_nonnull(wait);
    ck_assert(!pawl_future_done(wait));
    return wait;
}

START_TEST(a_fetch_goes_well)
{
    struct fetch fetch = CORO(fetch, .host = "h", .port = 1);
    struct pawl_future *const wait = fetch_to(&fetch, 2);
    ck_assert_ptr_eq(fetch.recv.data, fetch.buf);
    ck_assert_uint_eq(fetch.recv.size, sizeof fetch.buf);
    fetch.recv.result = 5;
    ck_assert_int_eq(pawl_future_set_done(wait), 0);
    ck_assert_ptr_null(coro_step(&fetch));
    ck_assert_int_eq(coro_error(&fetch), 0);
    ck_assert_uint_eq(fetch.result, 5);
    ck_assert_trace(&seen, "closed");
}
END_TEST

START_TEST(a_fetch_is_told_what_it_connects_to_and_sends)
{
    struct fetch fetch = CORO(fetch, .host = "h", .port = 7);
    struct pawl_future *const wait = coro_step(&fetch);
    ck_assert_str_eq(fetch.connect.host, "h");
    ck_assert_uint_eq(fetch.connect.port, 7);
    ck_assert_int_eq(pawl_future_set_done(wait), 0);
    ck_assert_ptr_nonnull(coro_step(&fetch));
    ck_assert_uint_eq(fetch.send.size, 6);
    ck_assert_mem_eq(fetch.send.data, "hello\n", 6);
    ck_assert_int_eq(coro_close(&fetch), 0);
}
END_TEST

START_TEST(a_fetch_fails_where_the_test_says)
{
    struct fetch fetch = CORO(fetch, .host = "h", .port = 1);
    struct pawl_future *const wait = fetch_to(&fetch, _i);
    ck_assert_int_eq(pawl_future_set_error(wait, -ECONNREFUSED), 0);
    ck_assert_ptr_null(coro_step(&fetch));
    ck_assert_int_eq(coro_error(&fetch), -ECONNREFUSED);
    ck_assert_uint_eq(fetch.result, 0);
    ck_assert_trace(&seen, _i == 0 ? "" : "closed");
}
END_TEST

START_TEST(a_fetch_is_cancelled_at_each_wait)
{
    struct fetch fetch = CORO(fetch, .host = "h", .port = 1);
    struct pawl_future *const wait = fetch_to(&fetch, _i);
    ck_assert_ptr_null(coro_throw(&fetch, PAWL_ECANCELLED));
    ck_assert_int_eq(coro_error(&fetch), PAWL_ECANCELLED);
    ck_assert(!pawl_future_done(wait));
    ck_assert_trace(&seen, _i == 0 ? "" : "closed");
}
END_TEST

START_TEST(a_fetch_is_closed_at_each_wait)
{
    struct fetch fetch = CORO(fetch, .host = "h", .port = 1);
    ck_assert_ptr_nonnull(fetch_to(&fetch, _i));
    ck_assert_int_eq(coro_close(&fetch), 0);
    ck_assert_int_eq(coro_error(&fetch), 0);
    ck_assert_trace(&seen, _i == 0 ? "" : "closed");
}
END_TEST

static void add_waits(Suite *suite)
{
    TCase *tcase = add_traced_case(suite, "future");
    tcase_add_test(tcase, making_one_runs_nothing);
    tcase_add_test(tcase, a_step_returns_what_it_waits_for);
    tcase_add_test(tcase, a_step_while_the_future_is_pending_changes_nothing);
    tcase_add_test(tcase, a_failed_future_raises_and_counts_as_seen);
    tcase_add_test(tcase, a_cancelled_future_raises_ecancelled);
    tcase_add_test(tcase, a_future_that_is_done_does_not_suspend);
    tcase_add_test(tcase, to_await_no_future_is_invalid);
    tcase_add_test(tcase, a_typed_future_brings_its_result);
    tcase_add_test(tcase, a_step_after_the_end_is_an_error);
    tcase_add_test(tcase, a_zeroed_struct_is_no_coroutine);
    tcase_add_test(tcase, one_that_runs_cannot_be_stepped_and_is_not_disturbed);

    tcase = add_traced_case(suite, "two");
    tcase_add_test(tcase, a_second_waiter_by_hand_is_busy);
    tcase_add_test(tcase, a_second_waiter_that_takes_the_error_goes_on);
    tcase_add_test(tcase, by_hand_after_a_task_is_busy);
    tcase_add_test(tcase, a_task_after_one_by_hand_is_busy);
    tcase_add_test(tcase, a_task_is_awaited_by_hand);

    tcase = add_traced_case(suite, "sleep");
    tcase_add_test(tcase, a_sleep_by_hand_is_done_at_once);
    tcase_add_test(tcase, a_throw_ends_a_sleep_by_hand);
}

static void add_interruptions(Suite *suite)
{
    TCase *tcase = add_traced_case(suite, "throw");
    tcase_add_test(tcase, a_throw_takes_leave_of_the_future);
    tcase_add_test(tcase, a_throw_that_is_caught_leads_to_the_next_wait);
    tcase_add_test(tcase, a_throw_wins_over_an_outcome_that_was_not_fetched);
    tcase_add_test(tcase, thrown_into_a_fresh_one_its_body_never_runs);
    tcase_add_loop_test(tcase, what_is_no_error_is_thrown_as_einval, 0, 3);

    tcase = add_traced_case(suite, "close");
    tcase_add_test(tcase, close_takes_leave_of_the_future_and_runs_the_finally);
    tcase_add_test(tcase, close_of_a_fresh_one_never_runs_it);
    tcase_add_test(tcase, one_that_awaits_while_it_is_closed_waits_for_that);
    tcase_add_test(tcase, freeing_a_frame_that_waits_takes_leave_of_the_future);
    tcase_add_test(tcase, a_finally_that_awaits_runs_to_its_end_when_closed);
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("step");
    add_waits(suite);
    add_interruptions(suite);

    TCase *tcase = add_traced_case(suite, "callees");
    tcase_add_test(tcase, the_innermost_wait_of_a_thousand_levels_comes_out);
    tcase_add_test(tcase, an_error_goes_out_through_a_thousand_levels);
    tcase_add_test(tcase, a_coroutine_is_awaited_once);
    tcase_add_test(tcase, to_await_no_coroutine_is_invalid);
    tcase_add_test(tcase, a_generator_that_is_awaited_has_no_consumer_and_never_runs);
    tcase_add_test(tcase, gather_needs_a_task);
    tcase_add_test(tcase, wait_for_by_hand_has_no_timeout);

    tcase = add_traced_case(suite, "fetch");
    tcase_add_test(tcase, a_fetch_goes_well);
    tcase_add_test(tcase, a_fetch_is_told_what_it_connects_to_and_sends);
    tcase_add_loop_test(tcase, a_fetch_fails_where_the_test_says, 0, FETCH_STEPS);
    tcase_add_loop_test(tcase, a_fetch_is_cancelled_at_each_wait, 0, FETCH_STEPS);
    tcase_add_loop_test(tcase, a_fetch_is_closed_at_each_wait, 0, FETCH_STEPS);
    return suite;
}
