/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Giving way without a frame, and the texts of errors. */
#include <support.h>

#include <errno.h>
#include <limits.h>

static struct trace seen;

struct gives_way {
    COROUTINE(int);
    const char *name;
    int times, i;
};

ASYNC(gives_way)
{
    ASYNC_BEGIN(gives_way);
    TRY {
        for (self->i = 1; self->i <= self->times; self->i++) {
            if (self->name) trace(&seen, "%s%d ", self->name, self->i);
            YIELD_NOW();
        }
        ASYNC_RETURN(self->i);
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "%s cancelled at %d ", self->name, self->i);
        RERAISE();
    } FINALLY {
        trace(&seen, "%s ends ", self->name);
    } END_TRY;
    ASYNC_END;
}

START_TEST(tasks_that_give_way_take_turns)
{
    struct world world;
    static TASK(gives_way) a, b;
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&a, CORO(gives_way, .name = "a", .times = 2)));
    ck_assert_ptr_nonnull(pawl_start(&b, CORO(gives_way, .name = "b", .times = 2)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &b), 0);
    ck_assert_trace(&seen, "a1 b1 a2 b2 a ends b ends ");
    ck_assert_int_eq(b.frame.result, 3);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    world_end(&world);
}
END_TEST

START_TEST(giving_way_is_one_iteration_as_a_sleep_of_zero_is)
{
    struct world world;
    static TASK(gives_way) a;
    world_begin(&world);
    pawl_start(&a, CORO(gives_way, .name = "a", .times = 3));
    for (int iterations = 1; iterations <= 3; iterations++) {
        ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
        ck_assert_int_eq(a.frame.i, iterations);
        ck_assert(!pawl_future_done(&a));
    }
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert(pawl_future_done(&a));
    world_end(&world);
}
END_TEST

START_TEST(one_that_gives_way_is_cancelled_there)
{
    struct world world;
    static TASK(gives_way) a;
    world_begin(&world);
    pawl_start(&a, CORO(gives_way, .name = "a", .times = 9));
    for (int i = 0; i < _i; i++) pawl_loop_run_once(&world.loop, false);
    ck_assert(pawl_future_cancel(&a));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &a), PAWL_ECANCELLED);
    static const char *const expected[] = { "", "a1 a cancelled at 1 a ends ", "a1 a2 a cancelled at 2 a ends " };
    ck_assert_trace(&seen, expected[_i]);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(by_hand_giving_way_waits_for_nothing)
{
    struct gives_way co = CORO(gives_way, .name = "h", .times = 1);
    const struct pawl_future *const waits = coro_step(&co);
    ck_assert_ptr_nonnull(waits);
    ck_assert(pawl_future_done(waits));
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(co.result, 2);
    ck_assert_trace(&seen, "h1 h ends ");
}
END_TEST

START_TEST(a_throw_reaches_the_place_that_gives_way)
{
    struct gives_way co = CORO(gives_way, .name = "h", .times = 5);
    ck_assert_ptr_nonnull(coro_step(&co));
    ck_assert_ptr_null(coro_throw(&co, -EIO));
    ck_assert_int_eq(coro_error(&co), -EIO);
    ck_assert_trace(&seen, "h1 h ends ");
}
END_TEST

START_TEST(every_error_has_a_text_of_its_own)
{
    for (int error = PAWL_ECERTIFICATE; error <= PAWL_ECANCELLED; error++) {
        ck_assert_ptr_nonnull(pawl_error_text(error));
        ck_assert_str_eq(pawl_error_text(error), pawl_strerror(error));
        for (int other = PAWL_ECERTIFICATE; other < error; other++) ck_assert_str_ne(pawl_error_text(error), pawl_error_text(other));
    }
    ck_assert_str_eq(pawl_error_text(0), "success");
    ck_assert_ptr_null(pawl_error_text(PAWL_ECERTIFICATE - 1));
    ck_assert_ptr_null(pawl_error_text(PAWL_ECANCELLED + 1));
    ck_assert_ptr_null(pawl_error_text(1));
}
END_TEST

START_TEST(the_system_s_errors_have_its_words)
{
    ck_assert_str_eq(pawl_strerror(-ECONNREFUSED), "Connection refused");
    ck_assert_str_eq(pawl_strerror(0), "success");
    ck_assert_str_eq(pawl_strerror(5), "unknown error");
    ck_assert_str_eq(pawl_strerror(INT_MIN), "unknown error");
    ck_assert_str_eq(pawl_strerror(-31999), "unknown error");
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("yield_now");
    TCase *const way = add_case(suite, "giving way"), *const texts = add_case(suite, "texts");
    tcase_add_test(way, tasks_that_give_way_take_turns);
    tcase_add_test(way, giving_way_is_one_iteration_as_a_sleep_of_zero_is);
    tcase_add_loop_test(way, one_that_gives_way_is_cancelled_there, 0, 3);
    tcase_add_test(way, by_hand_giving_way_waits_for_nothing);
    tcase_add_test(way, a_throw_reaches_the_place_that_gives_way);
    tcase_add_test(texts, every_error_has_a_text_of_its_own);
    tcase_add_test(texts, the_system_s_errors_have_its_words);
    return suite;
}
