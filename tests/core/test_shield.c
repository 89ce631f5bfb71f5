/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* shield: what the inner one ends with comes through, a cancellation of the one who waits does not go on to it. */
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

struct shields {
    COROUTINE(void);
    struct pawl_future *inner;
    struct pawl_shield shield;
};

ASYNC(shields)
{
    ASYNC_BEGIN(shields);
    AWAIT(self->shield, pawl_shield(self->inner));
    trace(&seen, "on ");
    ASYNC_END;
}

static struct pawl_task *shield(struct pawl_future *inner)
{
    struct pawl_task *const task = pawl_spawn(CORO(shields, .inner = inner));
    ck_assert_ptr_nonnull(task);
    return task;
}

/* The outcome of the one who waits, which is given back. */
static int outcome_of(struct pawl_task *outer)
{
    const int error = pawl_loop_run_until_complete(&world.loop, outer);
    pawl_task_release(outer);
    return error;
}

/* ---- What comes through ---- */

static const int outcomes[] = { 0, -5, PAWL_ECANCELLED };

START_TEST(the_outcome_of_the_inner_one_comes_through)
{
    FUTURE(int) inner = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const outer = shield(PAWL_FUTURE(&inner));
    once();
    ck_assert(!pawl_future_done(outer));
    inner.result = 42;
    ck_assert_int_eq(pawl_future_settle(PAWL_FUTURE(&inner), outcomes[_i]), 0);
    once();
    ck_assert(!pawl_future_done(outer)); /* it is told through a callback */
    once();
    ck_assert(pawl_future_done(outer));
    ck_assert_int_eq(outcome_of(outer), outcomes[_i]);
    pawl_future_finish(&inner, &world.loop);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

START_TEST(what_is_done_already_does_not_suspend)
{
    struct pawl_future inner = PAWL_FUTURE_INIT;
    begin();
    pawl_future_settle(&inner, outcomes[_i]);
    struct pawl_task *const outer = pawl_spawn_eager(CORO(shields, .inner = &inner));
    ck_assert(pawl_future_done(outer));
    ck_assert_int_eq(outcome_of(outer), outcomes[_i]);
    world_end(&world);
}
END_TEST

START_TEST(an_inner_one_that_is_cancelled_cancels_who_waits_without_a_request)
{
    struct pawl_future inner = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const outer = shield(&inner);
    once();
    ck_assert(pawl_future_cancel(&inner));
    once();
    once();
    ck_assert(pawl_future_cancelled(outer));
    ck_assert_uint_eq(pawl_task_cancelling(outer), 0);
    pawl_task_release(outer);
    world_end(&world);
}
END_TEST

/* ---- What does not go on ---- */

START_TEST(who_waits_is_cancelled_and_the_inner_one_is_left_as_it_was)
{
    struct pawl_future inner = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const outer = shield(&inner);
    once();
    ck_assert(pawl_task_cancel(outer));
    ck_assert(!pawl_future_done(&inner));
    once();
    ck_assert(pawl_future_cancelled(outer));
    ck_assert(!pawl_future_done(&inner));
    ck_assert_ptr_null(inner.awaitable.first); /* nothing stays registered */
    ck_assert(!pawl_loop_pending(&world.loop));
    pawl_task_release(outer);
    world_end(&world);
}
END_TEST

struct works {
    COROUTINE(int);
    struct pawl_future *start;
    int error, proof;
};

ASYNC(works)
{
    ASYNC_BEGIN(works);
    AWAIT(self->start);
    self->proof++;
    if (self->error) RAISE(self->error);
    ASYNC_RETURN(42);
    ASYNC_END;
}

START_TEST(a_task_behind_a_shield_runs_to_its_end)
{
    struct pawl_future start = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const inner = pawl_spawn(CORO(works, .start = &start));
    struct pawl_task *const outer = shield(PAWL_FUTURE(inner));
    once();
    ck_assert(pawl_task_cancel(outer));
    ck_assert_int_eq(outcome_of(outer), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(inner), 0);
    pawl_future_set_done(&start);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, inner), 0);
    ck_assert_int_eq(pawl_task_frame(works, inner)->proof, 1);
    ck_assert_trace(&seen, "");
    pawl_task_release(inner);
    world_end(&world);
}
END_TEST

/* An error that comes when nobody waits any more is not lost (gh-86802). */
START_TEST(the_error_of_one_that_nobody_waits_for_any_more_is_reported)
{
    struct pawl_future start = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const inner = pawl_spawn(CORO(works, .start = &start, .error = -5));
    struct pawl_task *const outer = shield(PAWL_FUTURE(inner));
    once();
    ck_assert(pawl_task_cancel(outer));
    ck_assert_int_eq(outcome_of(outer), PAWL_ECANCELLED);
    pawl_task_release(inner);
    pawl_future_set_done(&start);
    once();
    ck_assert_int_eq(world.reports, 1);
    ck_assert_int_eq(world.last_error, -5);
    world_end(&world);
}
END_TEST

START_TEST(cancelled_in_the_tick_in_which_the_inner_one_was_done_it_raises)
{
    struct pawl_future inner = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const outer = shield(&inner);
    once();
    pawl_future_set_done(&inner);
    if (_i == 1) once();
    ck_assert(pawl_task_cancel(outer));
    ck_assert_int_eq(outcome_of(outer), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_future_error(&inner), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(several_may_shield_one)
{
    struct pawl_future inner = PAWL_FUTURE_INIT;
    struct pawl_task *outer[3];
    begin();
    for (int i = 0; i < 3; i++) outer[i] = shield(&inner);
    once();
    ck_assert(pawl_task_cancel(outer[1]));
    once();
    pawl_future_set_done(&inner);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(outcome_of(outer[i]), i == 1 ? PAWL_ECANCELLED : 0);
    world_end(&world);
}
END_TEST

/* ---- With gather ---- */

struct gathers {
    COROUTINE(void);
    struct pawl_child children[2];
    struct pawl_gather all;
};

ASYNC(gathers)
{
    ASYNC_BEGIN(gathers);
    AWAIT(self->all, pawl_gather(self->children, 2));
    ASYNC_END;
}

START_TEST(a_gather_behind_a_shield_goes_on)
{
    struct pawl_future a = PAWL_FUTURE_INIT, b = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const all = pawl_spawn(CORO(gathers, .children = { pawl_child(&a), pawl_child(&b) }));
    struct pawl_task *const outer = shield(PAWL_FUTURE(all));
    once();
    ck_assert(pawl_task_cancel(outer));
    ck_assert_int_eq(outcome_of(outer), PAWL_ECANCELLED);
    ck_assert(!pawl_future_done(all));
    pawl_future_set_done(&a);
    pawl_future_set_done(&b);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, all), 0);
    pawl_task_release(all);
    world_end(&world);
}
END_TEST

START_TEST(a_cancelled_gather_of_shields_cancels_these_and_not_what_is_behind_them)
{
    struct pawl_future a = PAWL_FUTURE_INIT, b = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const one = shield(&a), *const two = shield(&b);
    struct pawl_task *const all = pawl_spawn(CORO(gathers, .children = { pawl_child(one), pawl_child(two) }));
    once();
    ck_assert(pawl_task_cancel(all));
    ck_assert_int_eq(outcome_of(all), PAWL_ECANCELLED);
    ck_assert_int_eq(outcome_of(one), PAWL_ECANCELLED);
    ck_assert_int_eq(outcome_of(two), PAWL_ECANCELLED);
    ck_assert(!pawl_future_done(&a) && !pawl_future_done(&b));
    ck_assert_int_eq(pawl_future_set_done(&a), 0);
    ck_assert_int_eq(pawl_future_set_done(&b), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

/* ---- Where it works ---- */

struct shields_new {
    COROUTINE(int);
    struct pawl_future start;
    struct pawl_task *inner;
    struct pawl_shield shield;
};

ASYNC(shields_new)
{
    ASYNC_BEGIN(shields_new);
    pawl_future_set_done(&self->start);
    self->inner = pawl_spawn(CORO(works, .start = &self->start));
    AWAIT(self->shield, pawl_shield(self->inner));
    self->result = pawl_task_frame(works, self->inner)->result;
    pawl_task_release(self->inner);
    ASYNC_END;
}

START_TEST(a_task_that_was_just_made_is_shielded)
{
    static TASK(shields_new) slot;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(shields_new)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_int_eq(slot.frame.result, 42);
    world_end(&world);
}
END_TEST

START_TEST(a_task_that_was_made_before_the_loop_runs_is_shielded)
{
    struct pawl_future start = PAWL_FUTURE_INIT;
    begin();
    ck_assert(!world.loop.running);
    struct pawl_task *const inner = pawl_spawn(CORO(works, .start = &start));
    struct pawl_task *const outer = shield(PAWL_FUTURE(inner));
    pawl_future_set_done(&start);
    ck_assert_int_eq(outcome_of(outer), 0);
    ck_assert_int_eq(pawl_task_frame(works, inner)->result, 42);
    pawl_task_release(inner);
    world_end(&world);
}
END_TEST

START_TEST(by_hand_and_for_nothing_there_is_no_shield)
{
    struct pawl_future inner = PAWL_FUTURE_INIT;
    struct shields by_hand = CORO(shields, .inner = &inner);
    ck_assert_ptr_null(coro_step(&by_hand));
    ck_assert_int_eq(coro_error(&by_hand), PAWL_EINVAL);
    ck_assert_ptr_null(inner.awaitable.first);
    begin();
    ck_assert_int_eq(outcome_of(shield(NULL)), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

START_TEST(what_is_awaited_by_hand_is_busy)
{
    struct pawl_future start = PAWL_FUTURE_INIT;
    struct works by_hand = CORO(works, .start = &start);
    begin();
    ck_assert_ptr_eq(coro_step(&by_hand), &start);
    ck_assert_int_eq(outcome_of(shield(&start)), PAWL_EBUSY);
    ck_assert_int_eq(coro_close(&by_hand), 0);
    world_end(&world);
}
END_TEST

START_TEST(a_loop_that_finishes_takes_the_shield_off)
{
    static struct pawl_future inner;
    begin();
    shield(&inner);
    once();
    ck_assert_ptr_nonnull(inner.awaitable.first);
    world_end(&world);
    ck_assert_ptr_null(inner.awaitable.first);
    ck_assert_int_eq(pawl_future_set_done(&inner), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("shield");
    TCase *const through = add_case(suite, "comes through");
    tcase_add_loop_test(through, the_outcome_of_the_inner_one_comes_through, 0, 3);
    tcase_add_loop_test(through, what_is_done_already_does_not_suspend, 0, 3);
    tcase_add_test(through, an_inner_one_that_is_cancelled_cancels_who_waits_without_a_request);
    TCase *const stays = add_case(suite, "does not go on");
    tcase_add_test(stays, who_waits_is_cancelled_and_the_inner_one_is_left_as_it_was);
    tcase_add_test(stays, a_task_behind_a_shield_runs_to_its_end);
    tcase_add_test(stays, the_error_of_one_that_nobody_waits_for_any_more_is_reported);
    tcase_add_loop_test(stays, cancelled_in_the_tick_in_which_the_inner_one_was_done_it_raises, 0, 2);
    tcase_add_test(stays, several_may_shield_one);
    TCase *const gather = add_case(suite, "with gather");
    tcase_add_test(gather, a_gather_behind_a_shield_goes_on);
    tcase_add_test(gather, a_cancelled_gather_of_shields_cancels_these_and_not_what_is_behind_them);
    TCase *const where = add_case(suite, "where it works");
    tcase_add_test(where, a_task_that_was_just_made_is_shielded);
    tcase_add_test(where, a_task_that_was_made_before_the_loop_runs_is_shielded);
    tcase_add_test(where, by_hand_and_for_nothing_there_is_no_shield);
    tcase_add_test(where, what_is_awaited_by_hand_is_busy);
    tcase_add_test(where, a_loop_that_finishes_takes_the_shield_off);
    return suite;
}
