/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A task of another loop cannot be waited for, whichever way: the one who waits would never be woken by the loop that runs it. */
#include <support.h>

static struct world world;

struct naps {
    COROUTINE(int);
    struct pawl_sleep sleep;
};

ASYNC(naps)
{
    ASYNC_BEGIN(naps);
    AWAIT(self->sleep, pawl_sleep(5));
    ASYNC_RETURN(1);
    ASYNC_END;
}

enum way { PLAIN, GATHER, WAIT, SELECT, AS_COMPLETED, SHIELD, WAIT_FOR, WAYS };

struct waits {
    COROUTINE(void);
    enum way way;
    struct pawl_task *task;
    struct pawl_future here;
    struct pawl_child children[2];
    struct pawl_as_completed each;
    union {
        struct pawl_gather all;
        struct pawl_wait wait;
        struct pawl_select select;
        struct pawl_shield shield;
        struct pawl_wait_for timed;
    };
};

ASYNC(waits)
{
    ASYNC_BEGIN(waits);
    self->children[0] = pawl_child(&self->here);
    self->children[1] = pawl_child(self->task);
    if (self->way == PLAIN) AWAIT(self->task);
    if (self->way == GATHER) AWAIT(self->all, pawl_gather(self->children, 2));
    if (self->way == WAIT) AWAIT(self->wait, pawl_wait(self->children, 2, PAWL_FIRST_COMPLETED, PAWL_SEC(9)));
    if (self->way == SELECT) AWAIT(self->select, pawl_select(self->children, 2));
    if (self->way == SHIELD) AWAIT(self->shield, pawl_shield(self->task));
    if (self->way == WAIT_FOR) AWAIT(self->timed, pawl_wait_for(self->task, PAWL_SEC(9)));
    if (self->way == AS_COMPLETED) RAISE(pawl_as_completed_begin(&self->each, self->children, 2, PAWL_FOREVER));
    ASYNC_END;
}

START_TEST(whichever_way_it_is_waited_for_it_is_refused_and_goes_on)
{
    static TASK(naps) there;
    static TASK(waits) here;
    struct pawl_virtual clock;
    struct pawl_loop other;
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&other, &clock.base, NULL), 0);
    pawl_loop_use(&other);
    ck_assert_ptr_nonnull(pawl_start(&there, CORO(naps)));
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&here, CORO(waits, .way = (enum way)_i, .task = &there.awaitable)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &here), PAWL_EINVAL);
    ck_assert_ptr_null(here.frame.here.awaitable.first);
    ck_assert_ptr_null(PAWL_FUTURE(&there)->awaitable.first);
    ck_assert_uint_eq(pawl_task_cancelling(&there.awaitable), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
    ck_assert_int_eq(pawl_loop_run_until_complete(&other, &there), 0);
    ck_assert_int_eq(there.frame.result, 1);
    pawl_loop_finish(&other);
}
END_TEST

/* Nobody has to wake anybody then. */
START_TEST(one_that_has_ended_can_be_looked_at_from_anywhere)
{
    static TASK(naps) there;
    struct pawl_virtual clock;
    struct pawl_loop other;
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&other, &clock.base, NULL), 0);
    pawl_loop_use(&other);
    ck_assert_ptr_nonnull(pawl_start(&there, CORO(naps)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&other, &there), 0);
    world_begin(&world);
    ck_assert_int_eq(world_run(&world, CORO(waits, .way = PLAIN, .task = &there.awaitable)), 0);
    world_end(&world);
    pawl_loop_finish(&other);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("other loop");
    TCase *const tcase = add_case(suite, "other loop");
    tcase_add_loop_test(tcase, whichever_way_it_is_waited_for_it_is_refused_and_goes_on, 0, WAYS);
    tcase_add_test(tcase, one_that_has_ended_can_be_looked_at_from_anywhere);
    return suite;
}
