/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Cancelling a task where it waits, what it may do about it, and taking a request back: the cases that CPython's tests of tasks
 * try one by one. What happens in chains of tasks, and at every possible moment, is in test_cancel.c.
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

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static int run_to_end(struct pawl_task *task)
{
    return pawl_loop_run_until_complete(&world.loop, task);
}

static void cancel_task(void *task)
{
    ck_assert(pawl_task_cancel(task));
}

/* What must hold of one that was cancelled, after which it is given back. */
static void assert_cancelled(struct pawl_task *task)
{
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert(pawl_future_done(task) && pawl_future_cancelled(task));
    ck_assert(!pawl_task_cancel(task));
    pawl_task_release(task);
    world_end(&world);
}

struct sleeps {
    COROUTINE(int);
    pawl_time span;
    struct pawl_sleep sleep;
};

ASYNC(sleeps)
{
    ASYNC_BEGIN(sleeps);
    trace(&seen, "start ");
    AWAIT(self->sleep, pawl_sleep(self->span));
    trace(&seen, "slept ");
    AWAIT(self->sleep, pawl_sleep(self->span));
    ASYNC_RETURN(12);
    ASYNC_END;
}

/* ---- Where it waits ---- */

START_TEST(a_call_cancels_a_task_that_sleeps)
{
    struct pawl_handle handle = { 0 };
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(sleeps, .span = PAWL_SEC(10)));
    ck_assert_int_eq(pawl_call_soon(&world.loop, &handle, cancel_task, task), 0);
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    ck_assert_trace(&seen, "start ");
    assert_cancelled(task);
}
END_TEST

START_TEST(a_task_that_gives_way_is_cancelled_there)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(sleeps));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "start ");
    assert_cancelled(task);
}
END_TEST

START_TEST(a_request_counts_at_once_and_a_second_one_is_taken_too)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(sleeps, .span = PAWL_SEC(10)));
    if (_i == 1) once();
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    ck_assert(pawl_task_cancel(task));
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    ck_assert(pawl_task_cancel(task));
    ck_assert_uint_eq(pawl_task_cancelling(task), 2);
    ck_assert(!pawl_future_cancelled(task));
    assert_cancelled(task);
}
END_TEST

struct awaits {
    COROUTINE(int);
    struct pawl_future *future;
};

ASYNC(awaits)
{
    ASYNC_BEGIN(awaits);
    AWAIT(self->future);
    ASYNC_RETURN(12);
    ASYNC_END;
}

/* 1: the future, 2: the task, 3: the future first, then the task, 4: the other way round. */
START_TEST(whichever_of_task_and_future_is_cancelled_both_are)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &future));
    once();
    if (_i == 1 || _i == 3) ck_assert(pawl_future_cancel(&future));
    if (_i >= 2) ck_assert(pawl_task_cancel(task));
    if (_i == 4) ck_assert(!pawl_future_cancel(&future));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert(pawl_future_cancelled(&future));
    ck_assert_uint_eq(pawl_task_cancelling(task), _i >= 2);
    assert_cancelled(task);
}
END_TEST

struct naps {
    COROUTINE(const char *);
    struct pawl_task *sleeper;
    struct pawl_handle handle;
};

ASYNC(naps)
{
    ASYNC_BEGIN(naps);
    self->sleeper = pawl_spawn(CORO(sleeps, .span = PAWL_SEC(5000)));
    pawl_call_later(pawl_loop_current(), &self->handle, PAWL_MS(100), cancel_task, self->sleeper);
    TRY {
        AWAIT(self->sleeper);
        self->result = "slept in";
    } CATCH(PAWL_ECANCELLED) {
        self->result = "cancelled";
    } FINALLY {
        pawl_task_release(self->sleeper);
    } END_TRY;
    ASYNC_END;
}

START_TEST(who_awaits_a_sleeper_that_is_cancelled_hears_of_it_at_that_time)
{
    static TASK(naps) slot;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(naps)));
    ck_assert_int_eq(run_to_end(&slot.awaitable), 0);
    ck_assert_str_eq(slot.frame.result, "cancelled");
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(100));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

/* ---- What it may do about it ---- */

struct catches {
    COROUTINE(int);
    struct pawl_future first, second, third;
    int then; /* an error to raise instead; 0: returns, 1: waits for the third */
};

ASYNC(catches)
{
    ASYNC_BEGIN(catches);
    AWAIT(&self->first);
    TRY {
        AWAIT(&self->second);
    } CATCH(PAWL_ECANCELLED) {
        if (self->then == 0) ASYNC_RETURN(42);
        if (self->then < 0) RAISE(self->then);
    } END_TRY;
    AWAIT(&self->third);
    ASYNC_RETURN(43);
    ASYNC_END;
}

static TASK(catches) catcher;

static struct catches *cancel_at_the_second(int then)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&catcher, CORO(catches, .then = then)));
    once();
    ck_assert_ptr_nonnull(catcher.frame.first.awaitable.first);
    pawl_future_set_done(&catcher.frame.first);
    once();
    ck_assert_ptr_nonnull(catcher.frame.second.awaitable.first);
    ck_assert(pawl_task_cancel(&catcher.awaitable));
    ck_assert(pawl_future_cancelled(&catcher.frame.second));
    ck_assert(!pawl_future_done(&catcher));
    return &catcher.frame;
}

START_TEST(one_that_catches_it_and_returns_is_not_cancelled)
{
    const struct catches *const frame = cancel_at_the_second(0);
    ck_assert_int_eq(run_to_end(&catcher.awaitable), 0);
    ck_assert_int_eq(frame->result, 42);
    ck_assert(!pawl_future_cancelled(&catcher));
    world_end(&world);
}
END_TEST

START_TEST(one_that_ignores_it_goes_on_to_its_next_wait)
{
    struct catches *const frame = cancel_at_the_second(1);
    once();
    ck_assert_ptr_nonnull(frame->third.awaitable.first);
    ck_assert(!pawl_future_done(&frame->third));
    pawl_future_set_done(&frame->third);
    ck_assert_int_eq(run_to_end(&catcher.awaitable), 0);
    ck_assert_int_eq(frame->result, 43);
    ck_assert(!pawl_future_cancelled(&frame->third) && !pawl_future_cancelled(&catcher));
    world_end(&world);
}
END_TEST

START_TEST(one_that_raises_another_error_instead_has_failed_with_that)
{
    cancel_at_the_second(-9);
    once();
    ck_assert(pawl_future_done(&catcher) && !pawl_future_cancelled(&catcher));
    ck_assert_int_eq(pawl_future_error(&catcher), -9);
    world_end(&world);
}
END_TEST

struct innermost {
    COROUTINE(void);
    struct pawl_future *waiter;
    int *proof;
};

ASYNC(innermost)
{
    ASYNC_BEGIN(innermost);
    TRY {
        AWAIT(self->waiter);
        ck_abort_msg("went on behind the wait");
    } CATCH(PAWL_ECANCELLED) {
        *self->proof += 1;
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

struct outermost {
    COROUTINE(void);
    struct pawl_future *waiter;
    int proof;
    struct innermost inner;
};

ASYNC(outermost)
{
    ASYNC_BEGIN(outermost);
    TRY {
        AWAIT(self->inner, CORO(innermost, .waiter = self->waiter, .proof = &self->proof));
        self->proof += 10;
    } CATCH(PAWL_ECANCELLED) {
        self->proof += 100;
    } END_TRY;
    ASYNC_END;
}

START_TEST(it_goes_from_the_innermost_coroutine_outwards)
{
    static TASK(outermost) slot;
    struct pawl_future waiter = PAWL_FUTURE_INIT;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(outermost, .waiter = &waiter)));
    once();
    ck_assert(pawl_task_cancel(&slot.awaitable));
    ck_assert_int_eq(run_to_end(&slot.awaitable), 0);
    ck_assert_int_eq(slot.frame.proof, 101);
    ck_assert(pawl_future_cancelled(&waiter));
    world_end(&world);
}
END_TEST

/* ---- Cancelling oneself ---- */

static struct pawl_task *nested;

struct cancels_itself {
    COROUTINE(int);
    bool with_nested;
    struct pawl_future future;
    struct pawl_sleep sleep;
};

ASYNC(cancels_itself)
{
    ASYNC_BEGIN(cancels_itself);
    if (self->with_nested) {
        nested = pawl_spawn(CORO(awaits, .future = &self->future));
        AWAIT(self->sleep, pawl_yield());
    }
    ck_assert(pawl_task_cancel(pawl_task_current()));
    ck_assert_uint_eq(pawl_task_cancelling(pawl_task_current()), 1);
    if (self->with_nested) AWAIT(nested);
    AWAIT(self->sleep, pawl_sleep(PAWL_SEC(100)));
    trace(&seen, "went on ");
    ASYNC_RETURN(12);
    ASYNC_END;
}

START_TEST(one_that_cancels_itself_does_not_sleep)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(cancels_itself));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    ck_assert_trace(&seen, "");
    assert_cancelled(task);
}
END_TEST

/* Whatever it waits for next is cancelled as if it had waited for it then (bpo-34872). */
START_TEST(one_that_cancels_itself_cancels_the_task_that_it_awaits_next)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(cancels_itself, .with_nested = true));
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert(pawl_future_cancelled(nested));
    ck_assert(pawl_future_cancelled(&pawl_task_frame(cancels_itself, task)->future));
    pawl_task_release(nested);
    assert_cancelled(task);
}
END_TEST

/* ---- Taking a request back ---- */

struct takes_back {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(takes_back)
{
    ASYNC_BEGIN(takes_back);
    TRY {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(10)));
    } CATCH(PAWL_ECANCELLED) {
        ck_assert_uint_eq(pawl_task_uncancel(pawl_task_current()), 0);
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(10)));
    } END_TRY;
    ASYNC_END;
}

START_TEST(one_that_took_a_request_back_can_be_cancelled_again)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(takes_back));
    once();
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(pawl_task_cancelling(task), 0);
        ck_assert(pawl_task_cancel(task));
        ck_assert_uint_eq(pawl_task_cancelling(task), 1);
        ck_assert(!pawl_future_cancelled(task));
        if (i == 0) once();
    }
    ck_assert_int_eq(run_to_end(task), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_uncancel(task), 0); /* too late to change anything */
    ck_assert(pawl_future_cancelled(task));
    assert_cancelled(task);
}
END_TEST

START_TEST(a_request_that_is_taken_back_before_the_task_runs_is_as_if_it_had_not_been)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &future));
    once();
    pawl_future_set_done(&future); /* it is to run in the next iteration */
    ck_assert(pawl_task_cancel(task));
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    ck_assert_uint_eq(pawl_task_uncancel(task), 0);
    ck_assert_int_eq(run_to_end(task), 0);
    ck_assert_int_eq(pawl_task_frame(awaits, task)->result, 12);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* A timeout as one would write it by hand: whoever asked takes the request back, and goes on behind the block. */
struct request {
    COROUTINE(void);
    pawl_time span, limit;
    bool timed_out, finished, outer_reached;
    struct pawl_task *itself;
    struct pawl_handle timer;
    struct pawl_sleep sleep;
};

static void on_timeout(void *argument)
{
    struct request *const request = argument;
    request->timed_out = true;
    ck_assert(pawl_task_cancel(request->itself));
}

ASYNC(request)
{
    ASYNC_BEGIN(request);
    self->itself = pawl_task_current();
    pawl_call_later(pawl_loop_current(), &self->timer, self->limit, on_timeout, self);
    TRY {
        TRY {
            AWAIT(self->sleep, pawl_sleep(self->span));
            self->finished = true;
        } CATCH(PAWL_ECANCELLED) {
            if (self->timed_out && pawl_task_uncancel(self->itself) == 0) RAISE(PAWL_ETIMEOUT);
            RERAISE();
        } FINALLY {
            pawl_handle_cancel(&self->timer);
        } END_TRY;
    } CATCH(PAWL_ETIMEOUT) {
        ck_assert(self->timed_out);
    } END_TRY;
    self->outer_reached = true;
    AWAIT(self->sleep, pawl_yield());
    ASYNC_END;
}

START_TEST(a_timeout_made_by_hand_leaves_the_code_behind_its_block_alone)
{
    static TASK(request) slot;
    begin();
    const struct request late = CORO(request, .span = PAWL_SEC(10), .limit = PAWL_MS(100));
    const struct request in_time = CORO(request, .span = 0, .limit = PAWL_SEC(10));
    ck_assert_ptr_nonnull(pawl_start(&slot, _i ? in_time : late));
    ck_assert_int_eq(run_to_end(&slot.awaitable), 0);
    ck_assert(slot.frame.timed_out == (_i == 0));
    ck_assert(slot.frame.finished == (_i == 1));
    ck_assert(slot.frame.outer_reached);
    ck_assert_uint_eq(pawl_task_cancelling(&slot.awaitable), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), _i ? 0 : PAWL_MS(100));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("task cancel");
    TCase *const waits = add_case(suite, "where it waits");
    tcase_add_test(waits, a_call_cancels_a_task_that_sleeps);
    tcase_add_test(waits, a_task_that_gives_way_is_cancelled_there);
    tcase_add_loop_test(waits, a_request_counts_at_once_and_a_second_one_is_taken_too, 0, 2);
    tcase_add_loop_test(waits, whichever_of_task_and_future_is_cancelled_both_are, 1, 5);
    tcase_add_test(waits, who_awaits_a_sleeper_that_is_cancelled_hears_of_it_at_that_time);
    TCase *const about = add_case(suite, "what it may do about it");
    tcase_add_test(about, one_that_catches_it_and_returns_is_not_cancelled);
    tcase_add_test(about, one_that_ignores_it_goes_on_to_its_next_wait);
    tcase_add_test(about, one_that_raises_another_error_instead_has_failed_with_that);
    tcase_add_test(about, it_goes_from_the_innermost_coroutine_outwards);
    TCase *const itself = add_case(suite, "itself");
    tcase_add_test(itself, one_that_cancels_itself_does_not_sleep);
    tcase_add_test(itself, one_that_cancels_itself_cancels_the_task_that_it_awaits_next);
    TCase *const back = add_case(suite, "taking back");
    tcase_add_test(back, one_that_took_a_request_back_can_be_cancelled_again);
    tcase_add_test(back, a_request_that_is_taken_back_before_the_task_runs_is_as_if_it_had_not_been);
    tcase_add_loop_test(back, a_timeout_made_by_hand_leaves_the_code_behind_its_block_alone, 0, 2);
    return suite;
}
