/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* wait_for, as asyncio's of CPython 3.12 and later: a scope of time around whatever can be awaited. */
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

struct work {
    COROUTINE(int);
    pawl_time span;
    bool swallow;
    int cleanup, cleanup_error;
    struct pawl_sleep sleep;
};

ASYNC(work)
{
    ASYNC_BEGIN(work);
    trace(&seen, "in ");
    TRY {
        AWAIT(self->sleep, pawl_sleep(self->span));
        trace(&seen, "done ");
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "c ");
        if (!self->swallow) RERAISE();
    } FINALLY {
        while (self->cleanup-- > 0) AWAIT(self->sleep, pawl_sleep(1));
        trace(&seen, "fin ");
        if (self->cleanup_error) RAISE(self->cleanup_error);
    } END_TRY;
    ASYNC_RETURN(9);
    ASYNC_END;
}

enum what { WORK, FUTURE_ONLY, TYPED, POINTED, SLOT, WHATS };
static TASK(work) slot;
typedef FUTURE(int) future_of_int;

struct timed {
    COROUTINE(int);
    enum what what;
    pawl_time span;
    struct work work;
    struct pawl_future *future;
    future_of_int *typed;
    struct pawl_task *task;
    struct pawl_wait_for timed;
};

ASYNC(timed)
{
    ASYNC_BEGIN(timed);
    switch (self->what) {
    case WORK: self->timed = pawl_wait_for(&self->work, self->span); break;
    case FUTURE_ONLY: self->timed = pawl_wait_for(self->future, self->span); break;
    case TYPED: self->timed = pawl_wait_for(self->typed, self->span); break;
    case POINTED: self->timed = pawl_wait_for(self->task, self->span); break;
    case SLOT: default: self->timed = pawl_wait_for(&slot, self->span); break;
    }
    TRY_AWAIT(&self->timed);
    self->result = AWAIT_ERROR();
    trace(&seen, "w%d/%u ", self->result, pawl_task_cancelling(pawl_task_current()));
    if (self->result != 0) RAISE(self->result);
    ASYNC_END;
}

#define WORKING(...) CORO(work, __VA_ARGS__)

static void nothing_is_left(void)
{
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
}

/* ---- A coroutine ---- */

START_TEST(in_time_its_end_is_that_of_the_coroutine)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(timed, .span = 20, .work = WORKING(.span = 10)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_task_frame(timed, task)->work.result, 9);
    ck_assert_trace(&seen, "in done fin w0/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(too_late_it_is_cancelled_and_the_timeout_raised_after_its_cleanup)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(timed, .span = 20, .work = WORKING(.span = 30, .cleanup = 3))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "in c fin w-32002/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 23);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(one_that_swallows_the_cancel_and_returns_is_in_time_after_all)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(timed, .span = 20, .work = WORKING(.span = 30, .swallow = true))), 0);
    ck_assert_trace(&seen, "in c fin w0/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(an_error_of_the_cleanup_is_raised_instead_of_the_timeout)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(timed, .span = 20, .work = WORKING(.span = 30, .cleanup_error = -5))), -5);
    ck_assert_trace(&seen, "in c fin w-5/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(due_at_the_same_instant_the_timer_armed_first_wins)
{
    begin();
    /* the timeout is armed before the sleep inside: it fires first, and the sleeper is cancelled while it wakes */
    ck_assert_int_eq(world_run(&world, CORO(timed, .span = 20, .work = WORKING(.span = 20))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "in c fin w-32002/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Futures and tasks ---- */

START_TEST(a_future_in_time_gives_its_outcome)
{
    static const int outcomes[] = { 0, -5, PAWL_ECANCELLED };
    struct pawl_future plain = PAWL_FUTURE_INIT;
    future_of_int typed = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task =
        pawl_spawn(CORO(timed, .what = _i % 2 ? TYPED : FUTURE_ONLY, .span = 20, .future = &plain, .typed = &typed));
    once();
    pawl_future_settle(_i % 2 ? PAWL_FUTURE(&typed) : &plain, outcomes[_i / 2]);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), outcomes[_i / 2]);
    nothing_is_left();
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_future_too_late_is_cancelled)
{
    struct pawl_future plain = PAWL_FUTURE_INIT;
    future_of_int typed = PAWL_FUTURE_INIT;
    begin();
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = FUTURE_ONLY, .span = 20, .future = &plain)), PAWL_ETIMEOUT);
    ck_assert(pawl_future_cancelled(&plain));
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = TYPED, .span = 20, .typed = &typed)), PAWL_ETIMEOUT);
    ck_assert(pawl_future_cancelled(&typed));
    ck_assert_int_eq(pawl_loop_time(&world.loop), 40);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_task_too_late_is_cancelled_and_waited_for)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, WORKING(.span = 100, .cleanup = 2)));
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = _i ? POINTED : SLOT, .span = 20, .task = &slot.awaitable)),
                     PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "in c fin w-32002/0 ");
    ck_assert(pawl_future_cancelled(&slot));
    ck_assert_int_eq(pawl_loop_time(&world.loop), 22);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_task_that_swallows_the_cancel_gives_its_result)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, WORKING(.span = 100, .swallow = true)));
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = SLOT, .span = 20)), 0);
    ck_assert_int_eq(slot.frame.result, 9);
    ck_assert_trace(&seen, "in c fin w0/0 ");
    world_end(&world);
}
END_TEST

START_TEST(a_result_in_the_tick_of_the_timeout_stays_in_the_future)
{
    struct pawl_handle handle = { 0 };
    future_of_int typed = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(timed, .what = TYPED, .span = 20, .typed = &typed));
    once();
    world.clock.now = 20;
    pawl_future_set_result(&typed, 77);
    const int error = pawl_loop_run_until_complete(&world.loop, task);
    ck_assert(error == 0 || error == PAWL_ETIMEOUT); /* either is right; nothing is lost */
    ck_assert_int_eq(typed.result, 77);
    ck_assert_int_eq(pawl_future_error(&typed), 0);
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    nothing_is_left();
    ck_assert(!pawl_handle_pending(&handle));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- No time at all ---- */

static const pawl_time no_time[] = { 0, -1, -PAWL_FOREVER };

START_TEST(with_no_time_what_is_done_is_taken)
{
    struct pawl_future fine = PAWL_FUTURE_INIT, failed = PAWL_FUTURE_INIT;
    begin();
    pawl_future_set_done(&fine);
    pawl_future_set_error(&failed, -5);
    const pawl_time span = no_time[_i];
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = FUTURE_ONLY, .span = span, .future = &fine)), 0);
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = FUTURE_ONLY, .span = span, .future = &failed)), -5);
    pawl_future_finish(&failed, &world.loop);
    ck_assert_int_eq(world.reports, 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(with_no_time_a_pending_future_is_cancelled_and_a_coroutine_never_starts)
{
    struct pawl_future pending = PAWL_FUTURE_INIT;
    begin();
    const pawl_time span = no_time[_i];
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = FUTURE_ONLY, .span = span, .future = &pending)), PAWL_ETIMEOUT);
    ck_assert(pawl_future_cancelled(&pending));
    ck_assert_int_eq(world_run(&world, CORO(timed, .span = span, .work = WORKING(.span = 1))), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "w-32002/0 w-32002/0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(with_no_time_a_task_is_cancelled_and_its_end_awaited)
{
    static const struct { bool swallow; int error, expected; } ends[] = {
        { false, 0, PAWL_ETIMEOUT }, { true, 0, 0 }, { false, -5, -5 }
    };
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, WORKING(.span = 100, .cleanup = 2, .swallow = ends[_i].swallow,
                                                    .cleanup_error = ends[_i].error)));
    once();
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = SLOT, .span = 0)), ends[_i].expected);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 2);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Cancelled from outside ---- */

START_TEST(a_cancel_from_outside_is_no_timeout)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(timed, .span = 20, .work = WORKING(.span = 30)));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "in c fin w-32000/1 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    nothing_is_left();
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_from_outside_wins_over_a_timeout_under_way)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(timed, .span = 20, .work = WORKING(.span = 30, .cleanup = 5)));
    once();
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0); /* the timeout has fired: asked to end once */
    ck_assert_int_eq(pawl_loop_time(&world.loop), 20);
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    nothing_is_left();
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

struct timed_while_cancelling {
    COROUTINE(int);
    struct pawl_sleep sleep;
    struct work work;
    struct pawl_wait_for timed;
};

ASYNC(timed_while_cancelling)
{
    ASYNC_BEGIN(timed_while_cancelling);
    TRY {
        AWAIT(self->sleep, pawl_sleep(100));
    } FINALLY {
        self->work = CORO(work, .span = 50);
        TRY_AWAIT(self->timed, pawl_wait_for(&self->work, 10));
        ck_assert_int_eq(AWAIT_ERROR(), PAWL_ETIMEOUT);
        ck_assert_uint_eq(pawl_task_cancelling(pawl_task_current()), 1);
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_timeout_in_a_cleanup_is_told_from_the_cancel_that_led_there)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(timed_while_cancelling));
    once();
    pawl_task_cancel(task);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "in c fin ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Nested ---- */

struct middle {
    COROUTINE(int);
    pawl_time span;
    struct work work;
    struct pawl_wait_for timed;
};

ASYNC(middle)
{
    ASYNC_BEGIN(middle);
    self->work = CORO(work, .span = 100);
    TRY_AWAIT(self->timed, pawl_wait_for(&self->work, self->span));
    trace(&seen, "m%d ", AWAIT_ERROR());
    if (AWAIT_ERROR()) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

struct outermost {
    COROUTINE(int);
    pawl_time span, inner;
    struct middle middle;
    struct pawl_wait_for timed;
};

ASYNC(outermost)
{
    ASYNC_BEGIN(outermost);
    self->middle = CORO(middle, .span = self->inner);
    TRY_AWAIT(self->timed, pawl_wait_for(&self->middle, self->span));
    trace(&seen, "o%d/%u ", AWAIT_ERROR(), pawl_task_cancelling(pawl_task_current()));
    if (AWAIT_ERROR()) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

static const struct { pawl_time outer, inner; const char *trace; } nestings[] = {
    { 20, 20, "in c fin m-32000 o-32002/0 " }, /* one deadline: the inner sees a cancel, the outer the timeout */
    { 20, 30, "in c fin m-32000 o-32002/0 " },
    { 30, 20, "in c fin m-32002 o-32002/0 " },
    { 20, 0, "m-32002 o-32002/0 " },
    { 0, 20, "o-32002/0 " },
};

START_TEST(of_nested_timeouts_the_right_one_raises)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(outermost, .span = nestings[_i].outer, .inner = nestings[_i].inner)),
                     PAWL_ETIMEOUT);
    ck_assert_trace(&seen, nestings[_i].trace);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Deep below ---- */

struct level {
    COROUTINE(int);
    int below, here;
    struct level *levels;
    struct pawl_sleep sleep;
    struct pawl_wait_for timed;
};

ASYNC_DECLARE(level);

/* Every level awaits the next; the one at `below` 7 from the end has a timeout. */
ASYNC(level)
{
    ASYNC_BEGIN(level);
    if (self->below == 0) {
        AWAIT(self->sleep, pawl_sleep(100));
    } else {
        self->levels[0] = CORO(level, .below = self->below - 1, .here = self->here + 1, .levels = self->levels + 1);
        TRY {
            if (self->below == 7) AWAIT(self->timed, pawl_wait_for(&self->levels[0], 20));
            else AWAIT(&self->levels[0]);
        } FINALLY {
            self->levels[0].here = -1;
        } END_TRY;
    }
    ASYNC_END;
}

static const int depths[] = { 8, 63, 64, 65, 66, 71, 72, 128, 130, 255, 256, 257, 300 };

START_TEST(a_timeout_works_at_any_depth)
{
    static struct level levels[301];
    begin();
    memset(levels, 0, sizeof levels);
    ck_assert_int_eq(world_run(&world, CORO(level, .below = depths[_i], .levels = levels)), PAWL_ETIMEOUT);
    for (int i = 0; i < depths[_i]; i++) ck_assert_int_eq(levels[i].here, -1);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 20);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- What takes no notice ---- */

/* Works to its end whoever wants it to stop. */
struct stubborn {
    COROUTINE(int);
    pawl_time until;
    bool *exited;
    struct pawl_sleep sleep;
};

ASYNC(stubborn)
{
    ASYNC_BEGIN(stubborn);
    while (pawl_loop_time(pawl_loop_current()) < self->until) TRY_AWAIT(self->sleep, pawl_sleep_until(self->until));
    *self->exited = true;
    ASYNC_RETURN(9);
    ASYNC_END;
}

struct timed_stubborn {
    COROUTINE(int);
    pawl_time span;
    struct stubborn stubborn;
    struct pawl_wait_for timed;
};

ASYNC(timed_stubborn)
{
    ASYNC_BEGIN(timed_stubborn);
    AWAIT(self->timed, pawl_wait_for(&self->stubborn, self->span));
    ASYNC_END;
}

START_TEST(one_that_takes_no_notice_of_a_cancel_is_waited_for)
{
    bool exited = false;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(timed_stubborn, .span = 40, .stubborn = CORO(stubborn, .until = 20, .exited = &exited)));
    once();
    for (int i = 0; i < _i; i++) {
        ck_assert(pawl_task_cancel(task));
        once();
    }
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0); /* it was asleep, and swallowed them */
    ck_assert(exited);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 20);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(one_that_takes_no_notice_of_the_timeout_is_waited_for)
{
    bool exited = false;
    begin();
    ck_assert_int_eq(world_run(&world, CORO(timed_stubborn, .span = 10, .stubborn = CORO(stubborn, .until = 20, .exited = &exited))), 0);
    ck_assert(exited);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 20);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- For ever ---- */

START_TEST(for_ever_there_is_no_timeout)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(timed, .span = PAWL_FOREVER, .work = WORKING(.span = 1000))), 0);
    ck_assert_trace(&seen, "in done fin w0/0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 1000);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* A wait for a task is cancelled: so is the task, and its end awaited. */
static void cancel_a_wait_for_a_task(pawl_time span)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, WORKING(.span = 100, .cleanup = 2)));
    struct pawl_task *const task = pawl_spawn(CORO(timed, .what = SLOT, .span = span));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert(pawl_future_cancelled(&slot));
    ck_assert_trace(&seen, "in c fin w-32000/1 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 2);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}

START_TEST(the_cancel_of_a_wait_for_ever_cancels_the_task)
{
    cancel_a_wait_for_a_task(PAWL_FOREVER);
}
END_TEST

START_TEST(the_cancel_of_a_wait_cancels_the_task)
{
    cancel_a_wait_for_a_task(60);
}
END_TEST

START_TEST(a_cancel_in_the_iteration_in_which_the_task_ended_is_not_lost)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, WORKING(.span = 0)));
    struct pawl_task *const task = pawl_spawn(CORO(timed, .what = SLOT, .span = 100));
    while (!pawl_future_done(&slot)) once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_future_error(&slot), 0);
    ck_assert_int_eq(slot.frame.result, 9);
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* Neither the timeout nor a cancellation may be lost, whenever they come: all pairs of instants. */
START_TEST(whenever_it_is_cancelled_and_whenever_the_work_ends_one_of_them_is_told)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(timed, .span = 3, .work = WORKING(.span = _i % 6, .cleanup = 1)));
    for (int i = 0; i < _i / 6 && pawl_loop_pending(&world.loop); i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    const bool cancelled = pawl_task_cancel(task);
    const int error = pawl_loop_run_until_complete(&world.loop, task);
    if (cancelled) ck_assert_int_eq(error, PAWL_ECANCELLED);
    else ck_assert(error == 0 || error == PAWL_ETIMEOUT);
    ck_assert_uint_eq(pawl_task_cancelling(task), cancelled);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- A shield in between ---- */

struct shielded {
    COROUTINE(int);
    pawl_time span;
    struct pawl_shield shield;
    struct pawl_wait_for timed;
};

ASYNC(shielded)
{
    ASYNC_BEGIN(shielded);
    self->shield = pawl_shield(&slot);
    TRY_AWAIT(self->timed, pawl_wait_for(&self->shield, self->span));
    trace(&seen, "w%d/%u ", AWAIT_ERROR(), pawl_task_cancelling(pawl_task_current()));
    if (AWAIT_ERROR()) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

START_TEST(with_no_time_what_is_behind_a_shield_goes_on)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, WORKING(.span = 10)));
    ck_assert_int_eq(world_run(&world, CORO(shielded, .span = 0)), PAWL_ETIMEOUT);
    ck_assert(!pawl_future_done(&slot));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_trace(&seen, "in w-32002/0 done fin ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(for_ever_what_is_behind_a_shield_is_waited_for)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, WORKING(.span = 10)));
    ck_assert_int_eq(world_run(&world, CORO(shielded, .span = PAWL_FOREVER)), 0);
    ck_assert_int_eq(pawl_future_error(&slot), 0);
    ck_assert_int_eq(slot.frame.result, 9);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_timeout_does_not_reach_what_is_behind_a_shield)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, WORKING(.span = 100)));
    ck_assert_int_eq(world_run(&world, CORO(shielded, .span = 10)), PAWL_ETIMEOUT);
    ck_assert(!pawl_future_done(&slot));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_trace(&seen, "in w-32002/0 done fin ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 100);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Wrong arguments ---- */

START_TEST(nothing_to_wait_for_is_invalid)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = FUTURE_ONLY, .span = _i)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = TYPED, .span = _i)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(timed, .what = POINTED, .span = _i)), PAWL_EINVAL);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct waits_for_itself {
    COROUTINE(int);
    struct pawl_wait_for timed;
};

ASYNC(waits_for_itself)
{
    ASYNC_BEGIN(waits_for_itself);
    AWAIT(self->timed, pawl_wait_for(pawl_task_current(), 20));
    ASYNC_END;
}

START_TEST(waiting_for_oneself_is_a_deadlock)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(waits_for_itself)), PAWL_EDEADLK);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct twice {
    COROUTINE(int);
    pawl_time span;
    struct work work;
    struct pawl_wait_for timed;
};

ASYNC(twice)
{
    ASYNC_BEGIN(twice);
    self->work = CORO(work, .span = 1);
    AWAIT(self->timed, pawl_wait_for(&self->work, 20));
    ck_assert_int_eq(self->work.result, 9);
    TRY_AWAIT(self->timed, pawl_wait_for(&self->work, self->span));
    ck_assert_int_eq(coro_error(&self->work), 0); /* how it ended stays */
    if (AWAIT_ERROR()) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

START_TEST(a_coroutine_is_awaited_once_also_with_a_timeout)
{
    static const pawl_time spans[] = { 20, 0 };
    begin();
    ck_assert_int_eq(world_run(&world, CORO(twice, .span = spans[_i])), PAWL_EAWAITED);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(by_hand_there_is_no_clock_and_no_timeout)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_wait_for frame = pawl_wait_for(&future, 1);
    ck_assert_ptr_eq(coro_step(&frame), &future);
    ck_assert_ptr_eq(coro_step(&frame), &future);
    pawl_future_set_error(&future, -5);
    ck_assert_ptr_null(coro_step(&frame));
    ck_assert_int_eq(coro_error(&frame), -5);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("wait_for");
    TCase *const coroutine = add_case(suite, "coroutine");
    tcase_add_test(coroutine, in_time_its_end_is_that_of_the_coroutine);
    tcase_add_test(coroutine, too_late_it_is_cancelled_and_the_timeout_raised_after_its_cleanup);
    tcase_add_test(coroutine, one_that_swallows_the_cancel_and_returns_is_in_time_after_all);
    tcase_add_test(coroutine, an_error_of_the_cleanup_is_raised_instead_of_the_timeout);
    tcase_add_test(coroutine, due_at_the_same_instant_the_timer_armed_first_wins);
    TCase *const futures = add_case(suite, "futures and tasks");
    tcase_add_loop_test(futures, a_future_in_time_gives_its_outcome, 0, 6);
    tcase_add_test(futures, a_future_too_late_is_cancelled);
    tcase_add_loop_test(futures, a_task_too_late_is_cancelled_and_waited_for, 0, 2);
    tcase_add_test(futures, a_task_that_swallows_the_cancel_gives_its_result);
    tcase_add_test(futures, a_result_in_the_tick_of_the_timeout_stays_in_the_future);
    TCase *const none = add_case(suite, "no time");
    tcase_add_loop_test(none, with_no_time_what_is_done_is_taken, 0, 3);
    tcase_add_loop_test(none, with_no_time_a_pending_future_is_cancelled_and_a_coroutine_never_starts, 0, 3);
    tcase_add_loop_test(none, with_no_time_a_task_is_cancelled_and_its_end_awaited, 0, 3);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_test(cancelled, a_cancel_from_outside_is_no_timeout);
    tcase_add_test(cancelled, a_cancel_from_outside_wins_over_a_timeout_under_way);
    tcase_add_test(cancelled, a_timeout_in_a_cleanup_is_told_from_the_cancel_that_led_there);
    TCase *const deep = add_case(suite, "nested and deep");
    tcase_add_loop_test(deep, of_nested_timeouts_the_right_one_raises, 0, sizeof nestings / sizeof *nestings);
    tcase_add_loop_test(deep, a_timeout_works_at_any_depth, 0, sizeof depths / sizeof *depths);
    TCase *const stubborn = add_case(suite, "takes no notice");
    tcase_add_loop_test(stubborn, one_that_takes_no_notice_of_a_cancel_is_waited_for, 1, 4);
    tcase_add_test(stubborn, one_that_takes_no_notice_of_the_timeout_is_waited_for);
    TCase *const ever = add_case(suite, "for ever");
    tcase_add_test(ever, for_ever_there_is_no_timeout);
    tcase_add_test(ever, the_cancel_of_a_wait_for_ever_cancels_the_task);
    tcase_add_test(ever, the_cancel_of_a_wait_cancels_the_task);
    tcase_add_test(ever, a_cancel_in_the_iteration_in_which_the_task_ended_is_not_lost);
    tcase_add_loop_test(ever, whenever_it_is_cancelled_and_whenever_the_work_ends_one_of_them_is_told, 0, 48);
    TCase *const shield = add_case(suite, "shield");
    tcase_add_test(shield, with_no_time_what_is_behind_a_shield_goes_on);
    tcase_add_test(shield, for_ever_what_is_behind_a_shield_is_waited_for);
    tcase_add_test(shield, a_timeout_does_not_reach_what_is_behind_a_shield);
    TCase *const wrong = add_case(suite, "wrong arguments");
    tcase_add_loop_test(wrong, nothing_to_wait_for_is_invalid, 0, 2);
    tcase_add_test(wrong, waiting_for_oneself_is_a_deadlock);
    tcase_add_loop_test(wrong, a_coroutine_is_awaited_once_also_with_a_timeout, 0, 2);
    tcase_add_test(wrong, by_hand_there_is_no_clock_and_no_timeout);
    return suite;
}
