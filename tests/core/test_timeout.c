/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Timeouts and cancel scopes, as asyncio's: a block is cancelled when its time comes, and whose cancellation it was is never
 * mistaken: that of a scope within or around, of somebody else, or none since the block had ended.
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

static void nothing_is_left(void)
{
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
}

/* What a block does: sleeps, sees its cancellation, cleans up, and ends in some way. */
struct work {
    COROUTINE(int);
    pawl_time span;
    int yields, error, last_error, cleanup;
    bool swallow;
    struct pawl_sleep sleep;
};

ASYNC(work)
{
    ASYNC_BEGIN(work);
    TRY {
        while (self->yields-- > 0) AWAIT(self->sleep, pawl_yield());
        if (self->span >= 0) AWAIT(self->sleep, pawl_sleep(self->span));
        if (self->error) RAISE(self->error);
        trace(&seen, "done ");
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "c ");
        if (!self->swallow) RERAISE();
    } FINALLY {
        while (self->cleanup-- > 0) AWAIT(self->sleep, pawl_sleep(1));
        if (self->last_error) RAISE(self->last_error);
    } END_TRY;
    ASYNC_END;
}

enum kind { TIMEOUT, TIMEOUT_AT, MOVE_ON, CANCEL_SCOPE, KINDS };

/* A block of one kind around some work; it tells how that ended and what the scope says. */
struct timed {
    COROUTINE(int);
    enum kind kind;
    pawl_time span;
    struct work work;
    bool returns;
    struct pawl_timeout scope;
};

static struct pawl_timeout scope_of(enum kind kind, pawl_time span)
{
    switch (kind) {
    case TIMEOUT: return pawl_timeout(span);
    case TIMEOUT_AT: return pawl_timeout_at(span);
    case MOVE_ON: return pawl_move_on_after(span);
    case CANCEL_SCOPE: case KINDS: default: return pawl_cancel_scope();
    }
}

ASYNC(timed)
{
    ASYNC_BEGIN(timed);
    TRY {
        WITH(self->scope, scope_of(self->kind, self->span)) {
            self->work.awaitable = CORO(work).awaitable;
            AWAIT(&self->work);
            if (self->returns) ASYNC_RETURN(7);
        } END_WITH;
    } CATCH_ALL {
        self->result = CAUGHT();
    } FINALLY {
        trace(&seen, "e%d/%u ", pawl_timeout_expired(&self->scope), pawl_task_cancelling(pawl_task_current()));
    } END_TRY;
    if (self->result < 0) RAISE(self->result);
    ASYNC_END;
}

#define TIMED(...) CORO(timed, __VA_ARGS__)
#define WORK(...) .work = { __VA_ARGS__ }

/* ---- In time, too late ---- */

START_TEST(a_block_that_takes_too_long_is_cancelled_and_the_timeout_raised)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 10, WORK(.span = 100))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "c e1/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(the_time_may_be_one_of_the_loops_clock)
{
    begin();
    world.clock.now = 5;
    struct pawl_task *const task = pawl_spawn(TIMED(.kind = TIMEOUT_AT, .span = 10, WORK(.span = 100)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ETIMEOUT);
    ck_assert_int_eq(pawl_timeout_when(&pawl_task_frame(timed, task)->scope), 10);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    ck_assert_trace(&seen, "c e1/0 ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(what_waits_in_the_block_sees_a_cancellation)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 10, WORK(.span = 100, .cleanup = 3))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "c e1/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 13);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_block_that_ends_in_time_takes_its_timer_along)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.span = 10, WORK(.span = 1)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_trace(&seen, "done e0/0 ");
    ck_assert_int_gt(pawl_timeout_when(&pawl_task_frame(timed, task)->scope), pawl_loop_time(&world.loop));
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(for_ever_there_is_no_timeout)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.kind = TIMEOUT, .span = PAWL_FOREVER, WORK(.span = 1000)));
    once();
    ck_assert_int_eq(pawl_timeout_when(&pawl_task_frame(timed, task)->scope), PAWL_FOREVER);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_trace(&seen, "done e0/0 ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(until_for_ever_there_is_no_timeout)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.kind = TIMEOUT_AT, .span = PAWL_FOREVER, WORK(.span = 1000)));
    once();
    ck_assert_int_eq(pawl_timeout_when(&pawl_task_frame(timed, task)->scope), PAWL_FOREVER);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_trace(&seen, "done e0/0 ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_span_beyond_the_clock_is_for_ever)
{
    begin();
    world.clock.now = 100;
    ck_assert_int_eq(world_run(&world, TIMED(.span = PAWL_FOREVER - 1, WORK(.span = 1000))), 0);
    ck_assert_trace(&seen, "done e0/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(with_no_time_the_block_is_cancelled_where_it_waits_first)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 0, WORK(.span = 100))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "c e1/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(with_no_time_one_yield_is_enough_to_be_cancelled)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 0, WORK(.span = 0))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "c e1/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_time_that_has_passed_is_no_time)
{
    begin();
    world.clock.now = 100;
    ck_assert_int_eq(world_run(&world, TIMED(.kind = _i ? TIMEOUT_AT : TIMEOUT, .span = _i ? 50 : -11, WORK(.span = 0))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "c e1/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 100);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(with_no_time_a_block_that_never_waits_is_in_time)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 0, WORK(.span = -1))), 0);
    ck_assert_trace(&seen, "done e0/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- How the block ends otherwise ---- */

START_TEST(an_error_of_the_block_in_time_is_passed_on)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 10, WORK(.span = _i ? 1 : -1, .error = -5))), -5);
    ck_assert_trace(&seen, "e0/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_return_out_of_the_block_keeps_its_result)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.kind = (enum kind)_i, .span = 10, .returns = true, WORK(.span = 1)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_task_frame(timed, task)->result, 7);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(an_error_that_the_block_makes_of_the_cancellation_is_raised_instead_of_the_timeout)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 10, WORK(.span = 100, .last_error = -5))), -5);
    ck_assert_trace(&seen, "c e1/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct fails_twice {
    COROUTINE(int);
    struct pawl_timeout scope;
    struct pawl_sleep sleep;
};

ASYNC(fails_twice)
{
    ASYNC_BEGIN(fails_twice);
    WITH(self->scope, pawl_timeout(10)) {
        TRY {
            RAISE(-5);
        } FINALLY {
            AWAIT(self->sleep, pawl_sleep(100));
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_timeout_in_the_cleanup_of_an_error_is_raised_instead_of_it)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(fails_twice)), PAWL_ETIMEOUT);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct fails_thrice {
    COROUTINE(int);
    struct pawl_timeout scope;
    struct pawl_sleep sleep;
};

ASYNC(fails_thrice)
{
    ASYNC_BEGIN(fails_thrice);
    WITH(self->scope, pawl_timeout(10)) {
        TRY {
            TRY {
                RAISE(-5);
            } FINALLY {
                AWAIT(self->sleep, pawl_sleep(100));
            } END_TRY;
        } FINALLY {
            TRY {
                RAISE(-6);
            } FINALLY {
                RAISE(-7);
            } END_TRY;
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

START_TEST(the_last_error_of_nested_cleanups_is_raised_instead_of_the_timeout)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(fails_thrice)), -7);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_block_that_swallows_the_cancellation_ends_as_it_likes_and_the_request_is_taken_back)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 10, WORK(.span = 100, .swallow = true, .cleanup = 2))), 0);
    ck_assert_trace(&seen, "c e1/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(due_at_the_instant_of_the_end_the_timeout_that_was_armed_first_wins)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.span = 10, WORK(.span = 10))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "c e1/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct waits_for_two {
    COROUTINE(int);
    struct pawl_future *future;
    struct pawl_timeout scope;
};

ASYNC(waits_for_two)
{
    ASYNC_BEGIN(waits_for_two);
    WITH(self->scope, pawl_timeout(10)) {
        AWAIT(self->future);
        trace(&seen, "got ");
    } END_WITH;
    ASYNC_END;
}

static void settle(void *argument)
{
    pawl_future_set_done((struct pawl_future *)argument);
}

/* The result at 10, its timer armed before that of the timeout, or after; or the timeout a tick later. */
START_TEST(a_result_at_the_instant_of_the_timeout_stays_in_its_future_whoever_wins)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle handle = { 0 };
    begin();
    if (_i == 0) pawl_call_at(&world.loop, &handle, 10, settle, &future);
    struct pawl_task *const task = pawl_spawn(CORO(waits_for_two, .future = &future));
    once();
    if (_i == 1) pawl_call_at(&world.loop, &handle, 10, settle, &future);
    if (_i == 2) pawl_call_at(&world.loop, &handle, 9, settle, &future);
    const int error = pawl_loop_run_until_complete(&world.loop, task);
    ck_assert_int_eq(error, _i == 2 ? 0 : PAWL_ETIMEOUT); /* a cancellation in the same tick wins */
    ck_assert_int_eq(pawl_future_error(&future), _i == 1 ? PAWL_ECANCELLED : 0);
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Other cancellations ---- */

struct cancels_itself {
    COROUTINE(int);
    struct pawl_timeout scope;
    struct pawl_sleep sleep;
};

ASYNC(cancels_itself)
{
    ASYNC_BEGIN(cancels_itself);
    TRY {
        WITH(self->scope, pawl_timeout(10)) {
            pawl_task_cancel(pawl_task_current());
            AWAIT(self->sleep, pawl_sleep(100));
        } END_WITH;
    } FINALLY {
        trace(&seen, "e%d ", pawl_timeout_expired(&self->scope));
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_cancellation_that_came_from_elsewhere_is_no_timeout)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(cancels_itself)), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "e0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_cancellation_from_elsewhere_while_a_timeout_is_under_way_goes_on)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.kind = (enum kind)_i, .span = 10, WORK(.span = 100, .cleanup = 5)));
    once();
    if (_i == CANCEL_SCOPE) ck_assert(pawl_scope_cancel(&pawl_task_frame(timed, task)->scope));
    world.clock.now = 11;
    once();
    once();
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "c e1/1 ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_cancellation_and_the_timeout_in_one_iteration_are_told_apart)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.span = 10, WORK(.span = 100)));
    once();
    if (_i == 0) ck_assert(pawl_task_cancel(task));
    world.clock.now = 10;
    if (_i == 1) {
        once();
        pawl_task_cancel(task);
    }
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct catches {
    COROUTINE(int);
    struct timed timed;
};

ASYNC(catches)
{
    ASYNC_BEGIN(catches);
    TRY_AWAIT(&self->timed);
    ck_assert_int_eq(AWAIT_ERROR(), PAWL_ETIMEOUT);
    ASYNC_END;
}

START_TEST(a_task_that_catches_the_timeout_is_not_cancelled)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(catches, .timed = TIMED(.span = 10, WORK(.span = 100))));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert(!pawl_future_cancelled(task) && pawl_future_done(task));
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* In the cleanup of a task that was cancelled. */
struct cleans_up {
    COROUTINE(int);
    bool cancelled_again;
    struct pawl_timeout scope;
    struct pawl_sleep sleep;
};

ASYNC(cleans_up)
{
    ASYNC_BEGIN(cleans_up);
    TRY {
        pawl_task_cancel(pawl_task_current());
        AWAIT(self->sleep, pawl_sleep(100));
    } CATCH(PAWL_ECANCELLED) {
        TRY {
            WITH(self->scope, pawl_timeout(self->cancelled_again ? 10 : 0)) {
                if (self->cancelled_again) pawl_task_cancel(pawl_task_current());
                AWAIT(self->sleep, pawl_sleep(100));
            } END_WITH;
        } CATCH_ALL {
            self->result = CAUGHT();
        } END_TRY;
    } END_TRY;
    trace(&seen, "%u ", pawl_task_cancelling(pawl_task_current()));
    if (self->result) RAISE(self->result);
    ASYNC_END;
}

START_TEST(a_timeout_in_the_cleanup_of_a_cancelled_task_is_a_timeout)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(cleans_up)), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "1 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_second_cancellation_in_the_cleanup_of_the_first_is_no_timeout)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(cleans_up, .cancelled_again = true)), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "2 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(whenever_the_task_is_cancelled_it_ends_so_or_with_the_timeout_and_no_timer_is_left)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.kind = (enum kind)(_i % 3), .span = 2, WORK(.yields = 2, .span = 4, .cleanup = 2)));
    for (int i = 0; i < _i / 3 && pawl_loop_pending(&world.loop); i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    const bool cancelled = pawl_task_cancel(task);
    const int error = pawl_loop_run_until_complete(&world.loop, task);
    ck_assert_int_eq(error, cancelled ? PAWL_ECANCELLED : _i % 3 == MOVE_ON ? 0 : PAWL_ETIMEOUT);
    ck_assert_uint_eq(pawl_task_cancelling(task), cancelled);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Nested ---- */

/* Two scopes around one wait, and a wait behind the inner one. */
struct nested {
    COROUTINE(int);
    enum kind outer_kind, inner_kind;
    pawl_time outer_span, inner_span, after;
    pawl_time computes; /* so long the inner block does not wait */
    struct pawl_timeout outer, inner;
    struct pawl_sleep sleep;
};

ASYNC(nested)
{
    ASYNC_BEGIN(nested);
    TRY {
        WITH(self->outer, scope_of(self->outer_kind, self->outer_span)) {
            TRY {
                WITH(self->inner, scope_of(self->inner_kind, self->inner_span)) {
                    world.clock.now += self->computes;
                    AWAIT(self->sleep, pawl_sleep(100));
                } END_WITH;
                trace(&seen, "in on ");
            } CATCH(PAWL_ETIMEOUT) {
                trace(&seen, "in late ");
            } CATCH(PAWL_ECANCELLED) {
                trace(&seen, "in cancelled ");
                RERAISE();
            } END_TRY;
            AWAIT(self->sleep, pawl_sleep(self->after));
        } END_WITH;
        trace(&seen, "out on ");
    } CATCH(PAWL_ETIMEOUT) {
        trace(&seen, "out late ");
    } END_TRY;
    trace(&seen, "%d%d/%u", pawl_timeout_expired(&self->inner), pawl_timeout_expired(&self->outer), pawl_task_cancelling(pawl_task_current()));
    ASYNC_END;
}

START_TEST(of_nested_ones_with_one_time_only_the_outer_one_raises)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(nested, .outer_kind = TIMEOUT_AT, .inner_kind = TIMEOUT_AT, .outer_span = 10, .inner_span = 10)), 0);
    ck_assert_trace(&seen, "in cancelled out late 11/0");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(the_inner_one_too_late_and_the_outer_one_later)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(nested, .outer_span = 10, .inner_span = 5, .after = 100)), 0);
    ck_assert_trace(&seen, "in late out late 11/0");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(both_due_after_a_long_computation_the_inner_one_is_cancelled_by_the_outer)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(nested, .outer_span = 2, .inner_span = 100, .computes = 10)), 0);
    ck_assert_trace(&seen, "in cancelled out late 01/0");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_busy_loop_tells_both_and_what_follows_the_inner_one_is_not_begun)
{
    begin();
    /* both times have passed when the loop looks: one iteration cancels for both */
    ck_assert_int_eq(world_run(&world, CORO(nested, .outer_span = 10, .inner_span = 1, .computes = 10, .after = 100)), 0);
    ck_assert_trace(&seen, "in cancelled out late 11/0");
    ck_assert_int_le(pawl_loop_time(&world.loop), 11);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_computation_that_ends_before_the_outer_time_leaves_it_the_rest)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(nested, .outer_span = 10, .inner_span = 1, .computes = 9, .after = 100)), 0);
    ck_assert_trace(&seen, "in late out late 11/0");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    world_end(&world);
}
END_TEST

static const struct { enum kind outer, inner; pawl_time outer_span, inner_span; const char *trace; } nestings[] = {
    { TIMEOUT, MOVE_ON, 20, 10, "in on out on 10/0" },
    { MOVE_ON, TIMEOUT, 20, 10, "in late out on 10/0" },
    { MOVE_ON, MOVE_ON, 10, 20, "in cancelled out on 01/0" },
    { MOVE_ON, TIMEOUT, 10, 20, "in cancelled out on 01/0" },
    { MOVE_ON, MOVE_ON, 10, 10, "in cancelled out on 11/0" },
    { TIMEOUT, MOVE_ON, 10, 10, "in cancelled out late 11/0" },
    { CANCEL_SCOPE, TIMEOUT, 0, 10, "in late out on 10/0" },
    { TIMEOUT, CANCEL_SCOPE, 10, 0, "in cancelled out late 01/0" },
    { TIMEOUT, TIMEOUT, 10, 0, "in late out on 10/0" },
    { TIMEOUT, TIMEOUT, 0, 10, "in cancelled out late 01/0" },
    { TIMEOUT, TIMEOUT, 0, 0, "in cancelled out late 11/0" },
};

START_TEST(of_nested_ones_of_any_kind_the_right_one_tells)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(nested, .outer_kind = nestings[_i].outer, .inner_kind = nestings[_i].inner,
                                            .outer_span = nestings[_i].outer_span, .inner_span = nestings[_i].inner_span)), 0);
    ck_assert_trace(&seen, nestings[_i].trace);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct late_in_finally {
    COROUTINE(int);
    struct pawl_timeout outer, inner;
    struct pawl_sleep sleep;
};

ASYNC(late_in_finally)
{
    ASYNC_BEGIN(late_in_finally);
    WITH(self->outer, pawl_timeout(10)) {
        TRY {
            AWAIT(self->sleep, pawl_sleep(100));
        } FINALLY {
            TRY {
                WITH(self->inner, pawl_timeout(10)) {
                    AWAIT(self->sleep, pawl_sleep(100));
                } END_WITH;
            } CATCH(PAWL_ETIMEOUT) {
                trace(&seen, "late%u ", pawl_task_cancelling(pawl_task_current()));
            } END_TRY;
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_timeout_in_the_cleanup_of_a_timeout_is_told_and_then_the_first)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(late_in_finally));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "late1 ");
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 20);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Another time, or now ---- */

START_TEST(a_scope_may_be_given_another_time_or_none)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.kind = TIMEOUT_AT, .span = 10, WORK(.span = 50)));
    struct pawl_timeout *const scope = &pawl_task_frame(timed, task)->scope;
    once();
    ck_assert_int_eq(pawl_timeout_when(scope), 10);
    ck_assert_int_eq(pawl_timeout_reschedule(scope, 30), 0);
    ck_assert_int_eq(pawl_timeout_when(scope), 30);
    ck_assert_int_eq(pawl_timeout_reschedule(scope, PAWL_FOREVER), 0);
    ck_assert_int_eq(pawl_timeout_when(scope), PAWL_FOREVER);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert(!pawl_timeout_expired(scope));
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(the_time_that_was_given_last_counts)
{
    static const struct { pawl_time first, then, ends; int error; } times[] = {
        { 10, 30, 30, PAWL_ETIMEOUT }, { 30, 10, 10, PAWL_ETIMEOUT }, { 10, PAWL_FOREVER, 50, 0 }, { PAWL_FOREVER, 10, 10, PAWL_ETIMEOUT },
        { 10, 0, 0, PAWL_ETIMEOUT }, { 10, -5, 0, PAWL_ETIMEOUT }, { 10, 60, 50, 0 },
    };
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.span = times[_i].first, WORK(.span = 50)));
    once();
    ck_assert_int_eq(pawl_timeout_reschedule(&pawl_task_frame(timed, task)->scope, times[_i].then), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), times[_i].error);
    ck_assert_int_eq(pawl_loop_time(&world.loop), times[_i].ends);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_time_given_at_the_instant_of_the_old_one_counts_if_that_was_not_told_yet)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.span = 10, WORK(.span = 50)));
    struct pawl_timeout *const scope = &pawl_task_frame(timed, task)->scope;
    once();
    world.clock.now = 10;
    for (int i = 0; i < _i; i++) once();
    ck_assert_int_eq(pawl_timeout_reschedule(scope, 30), _i < 1 ? 0 : PAWL_EDONE);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ETIMEOUT);
    ck_assert_int_eq(pawl_loop_time(&world.loop), _i < 1 ? 30 : 10);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_scope_that_was_left_has_no_other_time)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.span = 10, WORK(.span = 1)));
    struct pawl_timeout *const scope = &pawl_task_frame(timed, task)->scope;
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_timeout_reschedule(scope, 20), PAWL_EDONE);
    ck_assert(!pawl_scope_cancel(scope));
    ck_assert(!pawl_timeout_expired(scope));
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_scope_that_has_expired_has_no_other_time)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.span = 10, WORK(.span = 100)));
    struct pawl_timeout *const scope = &pawl_task_frame(timed, task)->scope;
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ETIMEOUT);
    ck_assert_int_eq(pawl_timeout_reschedule(scope, 20), PAWL_EDONE);
    ck_assert(!pawl_scope_cancel(scope));
    ck_assert(pawl_timeout_expired(scope));
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_scope_whose_block_is_being_cancelled_has_no_other_time)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.span = 10, WORK(.span = 100, .cleanup = 10)));
    struct pawl_timeout *const scope = &pawl_task_frame(timed, task)->scope;
    once();
    world.clock.now = 10;
    once();
    once();
    ck_assert(pawl_timeout_expired(scope));
    ck_assert_int_eq(pawl_timeout_reschedule(scope, 20), PAWL_EDONE);
    ck_assert(!pawl_scope_cancel(scope));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ETIMEOUT);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_scope_that_was_not_entered_has_no_time)
{
    struct pawl_timeout fresh = pawl_timeout(10);
    ck_assert_int_eq(pawl_timeout_reschedule(&fresh, 20), PAWL_EINVAL);
    ck_assert_int_eq(pawl_timeout_reschedule(NULL, 20), PAWL_EINVAL);
    ck_assert(!pawl_scope_cancel(&fresh));
    ck_assert(!pawl_scope_cancel(NULL));
    ck_assert(!pawl_timeout_expired(&fresh));
}
END_TEST

START_TEST(by_hand_a_scope_has_no_clock_and_never_expires)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct waits_for_two frame = CORO(waits_for_two, .future = &future);
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 5; i++) {
        ck_assert_ptr_eq(coro_step(&frame), &future);
        ck_assert_int_eq(pawl_timeout_reschedule(&frame.scope, 20), PAWL_EINVAL);
        ck_assert(!pawl_scope_cancel(&frame.scope));
    }
    pawl_future_set_error(&future, _i ? PAWL_ECANCELLED : -5);
    ck_assert_ptr_null(coro_step(&frame));
    ck_assert_int_eq(coro_error(&frame), _i ? PAWL_ECANCELLED : -5);
    ck_assert(!pawl_timeout_expired(&frame.scope));
}
END_TEST

/* ---- A scope is a value ---- */

struct reenters {
    COROUTINE(int);
    struct pawl_timeout made, outer, inner;
    struct pawl_sleep sleep;
};

ASYNC(reenters)
{
    ASYNC_BEGIN(reenters);
    self->made = pawl_timeout(10);
    WITH(self->outer, self->made) {
        AWAIT(self->sleep, pawl_sleep(5));
        WITH(self->inner, self->made) {
            ck_assert_int_eq(pawl_timeout_when(&self->outer), 10);
            ck_assert_int_eq(pawl_timeout_when(&self->inner), 15);
        } END_WITH;
    } END_WITH;
    WITH(self->outer, self->made) {
        ck_assert_int_eq(pawl_timeout_when(&self->outer), 15);
        AWAIT(self->sleep, pawl_sleep(100));
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_block_within_enters_a_scope_of_its_own)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(reenters)), PAWL_ETIMEOUT);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 15);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_block_after_another_enters_a_scope_of_its_own)
{
    begin();
    for (int i = 0; i < 2; i++) {
        const pawl_time start = pawl_loop_time(&world.loop);
        ck_assert_int_eq(world_run(&world, TIMED(.span = 10, WORK(.span = 100))), PAWL_ETIMEOUT);
        ck_assert_int_eq(pawl_loop_time(&world.loop), start + 10);
    }
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- move_on_after and cancel scopes ---- */

START_TEST(moving_on_raises_nothing_and_tells_that_it_was_late)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.kind = MOVE_ON, .span = _i ? 0 : 10, WORK(.span = 100))), 0);
    ck_assert_trace(&seen, "c e1/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), _i ? 0 : 10);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(moving_on_passes_errors_and_cancellations_of_others_on)
{
    begin();
    ck_assert_int_eq(world_run(&world, TIMED(.kind = MOVE_ON, .span = 10, WORK(.span = 1, .error = -5))), -5);
    ck_assert_int_eq(world_run(&world, TIMED(.kind = MOVE_ON, .span = 10, WORK(.span = 100, .last_error = -6))), -6);
    ck_assert_int_eq(world_run(&world, TIMED(.kind = MOVE_ON, .span = 10, WORK(.span = 1, .error = PAWL_ETIMEOUT))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "e0/0 c e1/0 e0/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(any_scope_may_be_cancelled_from_another_task_as_if_its_time_had_come)
{
    begin();
    struct pawl_task *const task = pawl_spawn(TIMED(.kind = (enum kind)_i, .span = 50, WORK(.span = 100, .cleanup = 2)));
    struct pawl_timeout *const scope = &pawl_task_frame(timed, task)->scope;
    once();
    ck_assert(pawl_scope_cancel(scope));
    ck_assert(!pawl_scope_cancel(scope));
    ck_assert(pawl_timeout_expired(scope));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), _i == MOVE_ON || _i == CANCEL_SCOPE ? 0 : PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "c e1/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 2);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct cancels_its_scope {
    COROUTINE(int);
    int how;
    struct pawl_timeout scope;
    struct pawl_sleep sleep;
};

ASYNC(cancels_its_scope)
{
    ASYNC_BEGIN(cancels_its_scope);
    WITH(self->scope, pawl_cancel_scope()) {
        ck_assert(pawl_scope_cancel(&self->scope));
        if (self->how == 1) AWAIT(self->sleep, pawl_yield());
        if (self->how == 2) ASYNC_RETURN(7);
        if (self->how == 3) RAISE(-5);
        trace(&seen, "in ");
    } END_WITH;
    trace(&seen, "on%d/%u ", pawl_timeout_expired(&self->scope), pawl_task_cancelling(pawl_task_current()));
    AWAIT(self->sleep, pawl_sleep(5)); /* a request that was never delivered is gone */
    ASYNC_RETURN(1);
    ASYNC_END;
}

START_TEST(a_block_that_cancels_its_own_scope_is_ended_at_its_next_wait_if_there_is_one)
{
    static const char *const expected[] = { "in on1/0 ", "on1/0 ", "", "" };
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(cancels_its_scope, .how = _i));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), _i == 3 ? -5 : 0);
    if (_i != 3) ck_assert_int_eq(pawl_task_frame(cancels_its_scope, task)->result, _i == 2 ? 7 : 1);
    ck_assert_trace(&seen, expected[_i]);
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- With a group, without memory, at the end of a loop ---- */

struct groups {
    COROUTINE(int);
    struct pawl_timeout scope;
    struct pawl_group group;
    struct pawl_failure failures[2];
    struct pawl_sleep sleep;
};

ASYNC(groups)
{
    ASYNC_BEGIN(groups);
    TRY {
        WITH(self->scope, pawl_timeout(10)) {
            WITH(self->group, pawl_group_keeping(self->failures, 2)) {
                ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, CORO(work, .span = 100, .last_error = -5)));
                TRY {
                    RAISE(-6);
                } FINALLY {
                    AWAIT(self->sleep, pawl_sleep(100));
                } END_TRY;
            } END_WITH;
        } END_WITH;
    } CATCH(-5) {
        ck_assert(pawl_timeout_expired(&self->scope));
        ck_assert_uint_eq(self->group.failed, 1);
        ck_assert_int_eq(self->failures[0].error, -5);
        ck_assert_uint_eq(pawl_task_cancelling(pawl_task_current()), 0);
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

START_TEST(the_error_of_a_group_that_a_timeout_cancelled_is_raised_instead_of_it)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(groups)), -5);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_loop_that_finishes_takes_the_timers_of_its_scopes_along)
{
    static TASK(timed) task;
    begin();
    task = (__typeof__(task)){ 0 };
    ck_assert_ptr_nonnull(pawl_start(&task, TIMED(.kind = (enum kind)_i, .span = 10, WORK(.span = 100))));
    once();
    world_end(&world);
    ck_assert(!pawl_handle_pending(&task.frame.scope.deadline.timer));
}
END_TEST

static void add_more_cases(Suite *suite)
{
    TCase *const nest = add_case(suite, "nested");
    tcase_add_test(nest, of_nested_ones_with_one_time_only_the_outer_one_raises);
    tcase_add_test(nest, the_inner_one_too_late_and_the_outer_one_later);
    tcase_add_test(nest, both_due_after_a_long_computation_the_inner_one_is_cancelled_by_the_outer);
    tcase_add_test(nest, a_busy_loop_tells_both_and_what_follows_the_inner_one_is_not_begun);
    tcase_add_test(nest, a_computation_that_ends_before_the_outer_time_leaves_it_the_rest);
    tcase_add_loop_test(nest, of_nested_ones_of_any_kind_the_right_one_tells, 0, sizeof nestings / sizeof *nestings);
    tcase_add_test(nest, a_timeout_in_the_cleanup_of_a_timeout_is_told_and_then_the_first);
    TCase *const another = add_case(suite, "another time");
    tcase_add_test(another, a_scope_may_be_given_another_time_or_none);
    tcase_add_loop_test(another, the_time_that_was_given_last_counts, 0, 7);
    tcase_add_loop_test(another, a_time_given_at_the_instant_of_the_old_one_counts_if_that_was_not_told_yet, 0, 2);
    tcase_add_test(another, a_scope_that_was_left_has_no_other_time);
    tcase_add_test(another, a_scope_that_has_expired_has_no_other_time);
    tcase_add_test(another, a_scope_whose_block_is_being_cancelled_has_no_other_time);
    tcase_add_test(another, a_scope_that_was_not_entered_has_no_time);
    tcase_add_loop_test(another, by_hand_a_scope_has_no_clock_and_never_expires, 0, 2);
    tcase_add_test(another, a_block_within_enters_a_scope_of_its_own);
    tcase_add_test(another, a_block_after_another_enters_a_scope_of_its_own);
    TCase *const scopes = add_case(suite, "scopes");
    tcase_add_loop_test(scopes, moving_on_raises_nothing_and_tells_that_it_was_late, 0, 2);
    tcase_add_test(scopes, moving_on_passes_errors_and_cancellations_of_others_on);
    tcase_add_loop_test(scopes, any_scope_may_be_cancelled_from_another_task_as_if_its_time_had_come, 0, KINDS);
    tcase_add_loop_test(scopes, a_block_that_cancels_its_own_scope_is_ended_at_its_next_wait_if_there_is_one, 0, 4);
    tcase_add_test(scopes, the_error_of_a_group_that_a_timeout_cancelled_is_raised_instead_of_it);
    tcase_add_loop_test(scopes, a_loop_that_finishes_takes_the_timers_of_its_scopes_along, 0, KINDS);
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("timeout");
    TCase *const late = add_case(suite, "in time, too late");
    tcase_add_test(late, a_block_that_takes_too_long_is_cancelled_and_the_timeout_raised);
    tcase_add_test(late, the_time_may_be_one_of_the_loops_clock);
    tcase_add_test(late, what_waits_in_the_block_sees_a_cancellation);
    tcase_add_test(late, a_block_that_ends_in_time_takes_its_timer_along);
    tcase_add_test(late, for_ever_there_is_no_timeout);
    tcase_add_test(late, until_for_ever_there_is_no_timeout);
    tcase_add_test(late, a_span_beyond_the_clock_is_for_ever);
    tcase_add_test(late, with_no_time_the_block_is_cancelled_where_it_waits_first);
    tcase_add_test(late, with_no_time_one_yield_is_enough_to_be_cancelled);
    tcase_add_loop_test(late, a_time_that_has_passed_is_no_time, 0, 2);
    tcase_add_test(late, with_no_time_a_block_that_never_waits_is_in_time);
    TCase *const otherwise = add_case(suite, "ends otherwise");
    tcase_add_loop_test(otherwise, an_error_of_the_block_in_time_is_passed_on, 0, 2);
    tcase_add_loop_test(otherwise, a_return_out_of_the_block_keeps_its_result, 0, KINDS);
    tcase_add_test(otherwise, an_error_that_the_block_makes_of_the_cancellation_is_raised_instead_of_the_timeout);
    tcase_add_test(otherwise, a_timeout_in_the_cleanup_of_an_error_is_raised_instead_of_it);
    tcase_add_test(otherwise, the_last_error_of_nested_cleanups_is_raised_instead_of_the_timeout);
    tcase_add_test(otherwise, a_block_that_swallows_the_cancellation_ends_as_it_likes_and_the_request_is_taken_back);
    tcase_add_test(otherwise, due_at_the_instant_of_the_end_the_timeout_that_was_armed_first_wins);
    tcase_add_loop_test(otherwise, a_result_at_the_instant_of_the_timeout_stays_in_its_future_whoever_wins, 0, 3);
    TCase *const cancelled = add_case(suite, "other cancellations");
    tcase_add_test(cancelled, a_cancellation_that_came_from_elsewhere_is_no_timeout);
    tcase_add_loop_test(cancelled, a_cancellation_from_elsewhere_while_a_timeout_is_under_way_goes_on, 0, KINDS);
    tcase_add_loop_test(cancelled, a_cancellation_and_the_timeout_in_one_iteration_are_told_apart, 0, 2);
    tcase_add_test(cancelled, a_task_that_catches_the_timeout_is_not_cancelled);
    tcase_add_test(cancelled, a_timeout_in_the_cleanup_of_a_cancelled_task_is_a_timeout);
    tcase_add_test(cancelled, a_second_cancellation_in_the_cleanup_of_the_first_is_no_timeout);
    tcase_add_loop_test(cancelled, whenever_the_task_is_cancelled_it_ends_so_or_with_the_timeout_and_no_timer_is_left, 0, 36);
    add_more_cases(suite);
    return suite;
}
