/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Which task runs, which tasks a loop has: from the making of a task to its end, across tasks that take turns and loops that nest. */
#include <support.h>

#include <string.h>

static struct world world;

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static int count_tasks(struct pawl_loop *loop)
{
    int count = 0;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(loop, task)) != NULL;) count++;
    return count;
}

/* ---- The current one ---- */

START_TEST(without_a_loop_there_is_no_current_task)
{
    pawl_loop_use(NULL);
    ck_assert_ptr_null(pawl_loop_current());
    ck_assert_ptr_null(pawl_task_current());
    ck_assert_ptr_null(pawl_task_context(pawl_task_current()));
}
END_TEST

START_TEST(a_loop_that_does_not_run_has_no_current_task)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(pawl_sleep(PAWL_SEC(1)));
    ck_assert_ptr_null(pawl_task_current());
    once();
    ck_assert_ptr_null(pawl_task_current());
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_ptr_null(pawl_task_current());
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

struct knows {
    COROUTINE(void);
    struct pawl_task *itself;
    struct pawl_sleep sleep;
};

ASYNC(knows)
{
    ASYNC_BEGIN(knows);
    self->itself = pawl_task_current();
    ck_assert_ptr_eq(pawl_task_frame(knows, self->itself), self);
    ck_assert_ptr_eq(world.loop.current, self->itself);
    AWAIT(self->sleep, pawl_yield());
    ck_assert_ptr_eq(pawl_task_current(), self->itself);
    AWAIT(self->sleep, pawl_sleep(1));
    ck_assert_ptr_eq(pawl_task_current(), self->itself);
    ASYNC_END;
}

START_TEST(it_is_the_one_whose_coroutine_runs)
{
    static TASK(knows) slot;
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(knows)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_ptr_eq(slot.frame.itself, &slot.awaitable);
    ck_assert_ptr_null(pawl_task_current());
    world_end(&world);
}
END_TEST

static struct pawl_future turns[2];

struct takes_turns {
    COROUTINE(void);
    int which;
    struct pawl_task *itself;
};

ASYNC(takes_turns)
{
    ASYNC_BEGIN(takes_turns);
    self->itself = pawl_task_current();
    ck_assert_ptr_eq(pawl_task_frame(takes_turns, self->itself), self);
    if (self->which == 1) pawl_future_set_done(&turns[0]);
    AWAIT(&turns[self->which]);
    ck_assert_ptr_eq(pawl_task_current(), self->itself);
    if (self->which == 0) pawl_future_set_done(&turns[1]);
    ck_assert_ptr_eq(pawl_task_current(), self->itself); /* settling runs nobody */
    ASYNC_END;
}

START_TEST(it_changes_with_tasks_that_take_turns)
{
    static TASK(takes_turns) slots[2];
    world_begin(&world);
    for (int i = 0; i < 2; i++) ck_assert_ptr_nonnull(pawl_start(&slots[i], CORO(takes_turns, .which = i)));
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slots[i]), 0);
    ck_assert_ptr_ne(slots[0].frame.itself, slots[1].frame.itself);
    ck_assert_ptr_null(pawl_task_current());
    world_end(&world);
}
END_TEST

static struct pawl_loop other;

static void look_inside(void *argument)
{
    struct pawl_task *const task = argument;
    ck_assert_ptr_null(pawl_task_current()); /* a callback is nobody's */
    ck_assert_int_eq(pawl_loop_run_until_complete(&other, task), PAWL_EBUSY);
    ck_assert_ptr_null(pawl_task_current());
    ck_assert(!pawl_future_done(task));
}

struct runs_another {
    COROUTINE(void);
    struct pawl_task *there;
};

ASYNC(runs_another)
{
    ASYNC_BEGIN(runs_another);
    ck_assert_int_eq(pawl_loop_run_until_complete(&other, self->there), PAWL_EBUSY);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), PAWL_EBUSY);
    ck_assert_ptr_eq(pawl_task_frame(runs_another, pawl_task_current()), self); /* still this one */
    ASYNC_END;
}

START_TEST(no_other_task_can_be_entered_while_one_runs)
{
    static TASK(knows) slot;
    struct pawl_virtual clock;
    struct pawl_handle handle = { 0 };
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&other, &clock.base, NULL), 0);
    pawl_loop_use(&other);
    struct pawl_task *const there = pawl_start(&slot, CORO(knows));
    world_begin(&world);
    ck_assert_int_eq(world_run(&world, CORO(runs_another, .there = there)), 0);
    pawl_call_soon(&world.loop, &handle, look_inside, there);
    once();
    world_end(&world);
    pawl_loop_finish(&other);
}
END_TEST

/* ---- All of a loop ---- */

START_TEST(a_task_is_one_of_its_loop_from_its_making_to_its_end)
{
    static TASK(knows) slot;
    struct pawl_task *task = NULL;
    world_begin(&world);
    ck_assert_int_eq(count_tasks(&world.loop), 0);
    if (_i == 0) task = pawl_spawn(pawl_sleep(0));
    if (_i == 1) task = pawl_start(&slot, CORO(knows));
    if (_i == 2) task = pawl_spawn_eager(pawl_sleep(0));
    ck_assert_int_eq(count_tasks(&world.loop), 1);
    ck_assert_ptr_eq(pawl_task_next(&world.loop, NULL), task);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(count_tasks(&world.loop), 0); /* though it was not released */
    pawl_task_release(task);
    ck_assert_int_eq(count_tasks(&world.loop), 0);
    world_end(&world);
}
END_TEST

START_TEST(one_that_was_asked_to_end_is_one_of_them_until_it_has)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn_eager(pawl_sleep(PAWL_SEC(1)));
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(count_tasks(&world.loop), 1);
    once();
    ck_assert(pawl_future_cancelled(task));
    ck_assert_int_eq(count_tasks(&world.loop), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(loops_tell_of_their_own_tasks_only)
{
    static TASK(knows) slot;
    struct pawl_virtual clock;
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&other, &clock.base, NULL), 0);
    pawl_loop_use(&other);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(knows)));
    world_begin(&world);
    struct pawl_task *const here = pawl_spawn(pawl_sleep(1));
    ck_assert_ptr_eq(pawl_task_next(&world.loop, NULL), here);
    ck_assert_ptr_eq(pawl_task_next(&other, NULL), &slot.awaitable);
    ck_assert_ptr_null(pawl_task_next(&other, &slot.awaitable));
    pawl_task_release(here);
    ck_assert_int_eq(count_tasks(&world.loop), 1); /* released, and still at work */
    world_end(&world);
    pawl_loop_finish(&other);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("current task");
    TCase *const current = add_case(suite, "current");
    tcase_add_test(current, without_a_loop_there_is_no_current_task);
    tcase_add_test(current, a_loop_that_does_not_run_has_no_current_task);
    tcase_add_test(current, it_is_the_one_whose_coroutine_runs);
    tcase_add_test(current, it_changes_with_tasks_that_take_turns);
    tcase_add_test(current, no_other_task_can_be_entered_while_one_runs);
    TCase *const all = add_case(suite, "all");
    tcase_add_loop_test(all, a_task_is_one_of_its_loop_from_its_making_to_its_end, 0, 3);
    tcase_add_test(all, one_that_was_asked_to_end_is_one_of_them_until_it_has);
    tcase_add_test(all, loops_tell_of_their_own_tasks_only);
    return suite;
}
