/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The outcome of a future: it stays what it was first, it is handed over whole, and an error is told unless somebody looked. */
#include <support.h>

#include <string.h>

static struct world world;

/* ---- What it was first ---- */

struct number {
    struct pawl_future awaitable;
    int result;
};

enum outcome { PENDING, RESULT, FAILED, CANCELLED, OUTCOMES };

static const int errors[] = { PAWL_EPENDING, 0, -5, PAWL_ECANCELLED };

static void give(struct number *number, enum outcome outcome)
{
    if (outcome == RESULT) ck_assert_int_eq(pawl_future_set_result(number, 42), 0);
    if (outcome == FAILED) ck_assert_int_eq(pawl_future_set_error(number, -5), 0);
    if (outcome == CANCELLED) ck_assert(pawl_future_cancel(number));
}

START_TEST(whatever_the_outcome_is_it_stays)
{
    struct number number = { 0 };
    give(&number, (enum outcome)_i);
    const int before = number.result;
    ck_assert(pawl_future_done(&number));
    ck_assert(pawl_future_cancelled(&number) == (_i == CANCELLED));
    ck_assert_int_eq(pawl_future_set_result(&number, 7), PAWL_EDONE);
    ck_assert_int_eq(pawl_future_set_done(&number), PAWL_EDONE);
    ck_assert_int_eq(pawl_future_set_error(&number, -6), PAWL_EDONE);
    ck_assert_int_eq(pawl_future_settle(PAWL_FUTURE(&number), 0), PAWL_EDONE);
    ck_assert(!pawl_future_cancel(&number));
    ck_assert_int_eq(pawl_future_error(&number), errors[_i]);
    ck_assert_int_eq(number.result, before);
    ck_assert_int_eq(before, _i == RESULT ? 42 : 0);
}
END_TEST

static void count(void *argument)
{
    ++*(int *)argument;
}

/* What another kind of memory than zeroed would do is not defined; zeroed needs no call that makes it one. */
START_TEST(zeroed_memory_is_a_pending_future)
{
    struct number *const number = calloc(1, sizeof *number);
    struct pawl_handle handle;
    int calls = 0;
    memset(&handle, 0, sizeof handle);
    world_begin(&world);
    ck_assert(!pawl_future_done(number) && !pawl_future_cancelled(number));
    ck_assert_int_eq(pawl_future_error(number), PAWL_EPENDING);
    ck_assert(!pawl_future_remove_callback(&handle));
    ck_assert_int_eq(pawl_future_add_callback(number, &world.loop, &handle, count, &calls), 0);
    give(number, (enum outcome)_i);
    ck_assert_int_eq(pawl_future_error(number), errors[_i]);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert_int_eq(calls, 1);
    free(number);
    world_end(&world);
}
END_TEST

START_TEST(a_result_that_comes_after_a_cancel_is_dropped)
{
    struct number number = { 0 };
    ck_assert(pawl_future_cancel(&number));
    ck_assert_int_eq(pawl_future_set_result(&number, 2), PAWL_EDONE);
    ck_assert(pawl_future_cancelled(&number));
    ck_assert_int_eq(number.result, 0);
}
END_TEST

START_TEST(the_outcome_of_one_future_settles_another)
{
    struct number from = { 0 }, to = { 0 };
    give(&from, (enum outcome)_i);
    to.result = from.result;
    ck_assert_int_eq(pawl_future_settle(PAWL_FUTURE(&to), pawl_future_error(&from)), 0);
    ck_assert(pawl_future_done(&to));
    ck_assert(pawl_future_cancelled(&to) == (_i == CANCELLED));
    ck_assert_int_eq(pawl_future_error(&to), errors[_i]);
    ck_assert_int_eq(to.result, _i == RESULT ? 42 : 0);
}
END_TEST

/* ---- Handed over ---- */

struct pair {
    int first, second;
};

struct future_pair {
    struct pawl_future awaitable;
    struct pair result;
};

struct takes_pair {
    COROUTINE(struct pair);
    struct future_pair *pair;
    int waits;
};

ASYNC(takes_pair)
{
    ASYNC_BEGIN(takes_pair);
    AWAIT(self->pair);
    self->waits++;
    AWAIT(self->pair);
    self->waits++;
    ASYNC_RETURN(self->pair->result);
    ASYNC_END;
}

START_TEST(a_done_future_hands_its_whole_result_over_without_a_wait)
{
    struct future_pair pair = { 0 };
    struct takes_pair frame = CORO(takes_pair, .pair = &pair);
    ck_assert_int_eq(pawl_future_set_result(&pair, ((struct pair){ 1, 2 })), 0);
    ck_assert_ptr_null(coro_step(&frame));
    ck_assert_int_eq(coro_error(&frame), 0);
    ck_assert_int_eq(frame.result.first, 1);
    ck_assert_int_eq(frame.result.second, 2);
}
END_TEST

START_TEST(awaited_twice_it_is_waited_for_once)
{
    struct future_pair pair = { 0 };
    struct takes_pair frame = CORO(takes_pair, .pair = &pair);
    ck_assert_ptr_eq(coro_step(&frame), PAWL_FUTURE(&pair));
    ck_assert_int_eq(frame.waits, 0);
    ck_assert_int_eq(pawl_future_set_result(&pair, ((struct pair){ 3, 4 })), 0);
    ck_assert_ptr_null(coro_step(&frame));
    ck_assert_int_eq(frame.waits, 2);
    ck_assert_int_eq(frame.result.second, 4);
}
END_TEST

/* ---- Told when nobody looked ---- */

enum look { NOBODY, ASKED, AWAITED, RUN_UNTIL, CANCELLED_LATE, LOOKS };

struct awaits {
    COROUTINE(void);
    struct number *number;
};

ASYNC(awaits)
{
    ASYNC_BEGIN(awaits);
    AWAIT(self->number);
    ASYNC_END;
}

static int look_by_awaiting(struct number *number)
{
    struct awaits frame = CORO(awaits, .number = number);
    ck_assert_ptr_null(coro_step(&frame));
    return coro_error(&frame);
}

static void look_at(struct number *number, enum look how, int expected)
{
    if (how == ASKED) ck_assert_int_eq(pawl_future_error(number), expected);
    if (how == AWAITED) ck_assert_int_eq(look_by_awaiting(number), expected);
    if (how == RUN_UNTIL) ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, number), expected);
    if (how == CANCELLED_LATE) ck_assert(!pawl_future_cancel(number));
}

START_TEST(an_error_is_reported_unless_somebody_looked)
{
    struct number number = { 0 };
    world_begin(&world);
    give(&number, FAILED);
    look_at(&number, (enum look)_i, -5);
    pawl_future_finish(&number, &world.loop);
    ck_assert_int_eq(world.reports, _i == NOBODY);
    ck_assert_int_eq(world.last_error, _i == NOBODY ? -5 : 0);
    world_end(&world);
}
END_TEST

START_TEST(a_result_is_not_reported_whether_or_not_somebody_looked)
{
    struct number number = { 0 };
    world_begin(&world);
    give(&number, RESULT);
    look_at(&number, (enum look)_i, 0);
    pawl_future_finish(&number, &world.loop);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_pending_future_goes_away_in_silence)
{
    struct number number = { 0 };
    world_begin(&world);
    pawl_future_finish(&number, &world.loop);
    pawl_future_finish(&number, NULL);
    ck_assert_int_eq(world.reports, 0);
    ck_assert(!pawl_future_done(&number));
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("outcome");
    TCase *const first = add_case(suite, "what it was first");
    tcase_add_loop_test(first, whatever_the_outcome_is_it_stays, RESULT, OUTCOMES);
    tcase_add_loop_test(first, zeroed_memory_is_a_pending_future, RESULT, OUTCOMES);
    tcase_add_test(first, a_result_that_comes_after_a_cancel_is_dropped);
    tcase_add_loop_test(first, the_outcome_of_one_future_settles_another, RESULT, OUTCOMES);
    TCase *const handed = add_case(suite, "handed over");
    tcase_add_test(handed, a_done_future_hands_its_whole_result_over_without_a_wait);
    tcase_add_test(handed, awaited_twice_it_is_waited_for_once);
    TCase *const told = add_case(suite, "told when nobody looked");
    tcase_add_loop_test(told, an_error_is_reported_unless_somebody_looked, NOBODY, LOOKS);
    tcase_add_loop_test(told, a_result_is_not_reported_whether_or_not_somebody_looked, NOBODY, LOOKS);
    tcase_add_test(told, a_pending_future_goes_away_in_silence);
    return suite;
}
