/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The least that has to work: a generator, a coroutine, a task. */
#include <support.h>

struct count {
    GENERATOR(int);
    int to;
};

GEN(count)
{
    GEN_BEGIN(count);
    for (self->value = 1; self->value <= self->to; self->value++) YIELD(self->value);
    GEN_END;
}

START_TEST(a_generator_counts)
{
    struct count numbers = CORO(count, .to = 3);
    int sum = 0;
    GEN_FOREACH(n, &numbers) sum += n;
    ck_assert_int_eq(sum, 6);
    ck_assert_int_eq(gen_error(&numbers), 0);
}
END_TEST

struct nap {
    COROUTINE(int);
    struct pawl_sleep sleep;
};

ASYNC(nap)
{
    ASYNC_BEGIN(nap);
    AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
    ASYNC_RETURN(42);
    ASYNC_END;
}

START_TEST(a_task_sleeps_for_an_hour)
{
    struct world world;
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(nap));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_task_frame(nap, task)->result, 42);
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_SEC(3600));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("smoke");
    TCase *const tcase = add_case(suite, "smoke");
    tcase_add_test(tcase, a_generator_counts);
    tcase_add_test(tcase, a_task_sleeps_for_an_hour);
    return suite;
}
