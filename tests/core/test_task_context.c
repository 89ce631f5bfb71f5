/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What a task and those that it makes have in common: who inherits it, who may change it for whom, how long it holds. */
#include <support.h>

#include <string.h>

static struct world world;

struct named {
    struct pawl_context context;
    int value;
};

static struct named nope = { .value = 0 }, yes = { .value = 1 }, something_else = { .value = 2 };

static struct named *here(void)
{
    return (struct named *)(void *)pawl_task_context(pawl_task_current());
}

static void set(struct named *named)
{
    ck_assert_int_eq(pawl_task_set_context(pawl_task_current(), &named->context), 0);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

/* ---- Inheriting ---- */

struct sub {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(sub)
{
    ASYNC_BEGIN(sub);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(10)));
    ck_assert_ptr_eq(here(), &nope); /* as it was when the task was made */
    set(&something_else);
    ck_assert_ptr_eq(here(), &something_else);
    ASYNC_END;
}

struct main_task {
    COROUTINE(void);
    struct pawl_task *task;
};

ASYNC(main_task)
{
    ASYNC_BEGIN(main_task);
    set(&nope);
    self->task = pawl_spawn(CORO(sub));
    set(&yes);
    ck_assert_ptr_eq(here(), &yes);
    AWAIT(self->task);
    ck_assert_ptr_eq(here(), &yes);
    pawl_task_release(self->task);
    ASYNC_END;
}

START_TEST(a_task_inherits_at_its_making_and_changes_nobody_elses)
{
    world_begin(&world);
    ck_assert_int_eq(world_run(&world, CORO(main_task)), 0);
    world_end(&world);
}
END_TEST

struct grandchild {
    COROUTINE(int);
    int depth;
    struct pawl_task *task;
};

ASYNC_DECLARE(grandchild);

ASYNC(grandchild)
{
    ASYNC_BEGIN(grandchild);
    if (self->depth == 0) ASYNC_RETURN(here() == &yes);
    if (self->depth == 9) set(&yes);
    self->task = pawl_spawn(CORO(grandchild, .depth = self->depth - 1));
    AWAIT(self->task);
    self->result = pawl_task_frame(grandchild, self->task)->result;
    pawl_task_release(self->task);
    ASYNC_END;
}

START_TEST(tasks_of_tasks_inherit_it_too)
{
    static TASK(grandchild) slot;
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(grandchild, .depth = 9)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_int_eq(slot.frame.result, 1);
    world_end(&world);
}
END_TEST

/* ---- Holding ---- */

static int callbacks;

static void looks_around(void *argument)
{
    ck_assert_ptr_null(pawl_task_current());
    ck_assert_ptr_null(here()); /* a callback has none, and so cannot spoil one */
    if (argument) pawl_future_settle(argument, 0);
    callbacks++;
}

struct keeps {
    COROUTINE(void);
    struct named own[6];
    int i, j;
    struct pawl_future future;
    struct pawl_handle done, call;
    struct pawl_sleep sleep;
};

ASYNC(keeps)
{
    ASYNC_BEGIN(keeps);
    ck_assert_ptr_null(here());
    for (self->j = 0; self->j < 2; self->j++) {
        pawl_future_reset(&self->future);
        pawl_future_add_callback(&self->future, pawl_loop_current(), &self->done, looks_around, NULL);
        set(&self->own[self->j]);
        pawl_call_soon(pawl_loop_current(), &self->call, looks_around, &self->future);
        AWAIT(&self->future);
        ck_assert_ptr_eq(here(), &self->own[self->j]);
        for (self->i = 3; self->i < 6; self->i++) {
            set(&self->own[self->i]);
            AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
            ck_assert_ptr_eq(here(), &self->own[self->i]);
        }
    }
    ASYNC_END;
}

START_TEST(it_holds_across_waits_and_callbacks_have_none)
{
    world_begin(&world);
    ck_assert_int_eq(world_run(&world, CORO(keeps)), 0);
    ck_assert_int_eq(callbacks, 4);
    ck_assert_ptr_null(here());
    world_end(&world);
}
END_TEST

struct counts {
    COROUTINE(void);
    struct named own;
    int number, i;
    struct pawl_sleep sleep;
};

ASYNC(counts)
{
    ASYNC_BEGIN(counts);
    set(&self->own);
    for (self->i = 0; self->i < 10; self->i++) {
        here()->value = self->number + self->i;
        AWAIT(self->sleep, pawl_sleep(PAWL_MS((self->number * 7 + self->i * 13) % 50)));
        ck_assert_int_eq(here()->value, self->number + self->i);
    }
    ASYNC_END;
}

START_TEST(a_hundred_tasks_at_once_keep_theirs_apart)
{
    enum { MANY = 100 };
    static TASK(counts) slots[MANY];
    world_begin(&world);
    for (int i = 0; i < MANY; i++) ck_assert_ptr_nonnull(pawl_start(&slots[i], CORO(counts, .number = i)));
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slots[i]), 0);
    world_end(&world);
}
END_TEST

/* ---- Giving one to a task ---- */

struct writes {
    COROUTINE(void);
    int value;
    struct pawl_sleep sleep;
};

ASYNC(writes)
{
    ASYNC_BEGIN(writes);
    AWAIT(self->sleep, pawl_yield());
    here()->value = self->value;
    ASYNC_END;
}

static TASK(writes) writer;

/* On the heap, in a slot, or eagerly: its first step has the maker's then. */
static struct pawl_task *make_writer(int way, int value)
{
    if (way == 0) return pawl_spawn(CORO(writes, .value = value));
    if (way == 1) return pawl_start(&writer, CORO(writes, .value = value));
    return pawl_spawn_eager(CORO(writes, .value = value));
}

struct gives {
    COROUTINE(void);
    int way, i;
    struct named shared;
    struct pawl_task *task;
};

ASYNC(gives)
{
    ASYNC_BEGIN(gives);
    for (self->i = 1; self->i <= 2; self->i++) {
        self->task = make_writer(self->way, self->i);
        ck_assert_int_eq(pawl_task_set_context(self->task, &self->shared.context), 0);
        ck_assert_ptr_eq(pawl_task_context(self->task), &self->shared.context);
        AWAIT(self->task);
        ck_assert_int_eq(self->shared.value, self->i);
        ck_assert_ptr_null(here());
        pawl_task_release(self->task);
    }
    ASYNC_END;
}

START_TEST(tasks_that_are_given_one_share_it_with_who_gave_it)
{
    world_begin(&world);
    ck_assert_int_eq(world_run(&world, CORO(gives, .way = _i)), 0);
    world_end(&world);
}
END_TEST

START_TEST(it_is_asked_of_a_task_until_its_end)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(pawl_sleep(0));
    ck_assert_ptr_null(pawl_task_context(task));
    ck_assert_int_eq(pawl_task_set_context(task, &yes.context), 0);
    ck_assert_ptr_eq(pawl_task_context(task), &yes.context);
    ck_assert_ptr_eq(pawl_task_loop(task), &world.loop);
    once();
    ck_assert_ptr_eq(pawl_task_context(task), &yes.context);
    once();
    ck_assert(pawl_future_done(task));
    ck_assert_ptr_null(pawl_task_context(task));
    ck_assert_ptr_eq(pawl_task_loop(task), &world.loop);
    ck_assert_int_eq(pawl_task_set_context(task, &yes.context), PAWL_EDONE);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(it_can_be_taken_away_and_nobody_has_none)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(pawl_sleep(PAWL_SEC(5)));
    ck_assert_int_eq(pawl_task_set_context(task, &yes.context), 0);
    if (_i == 1) once(); /* asleep: its timer and its end find the loop all the same */
    ck_assert_int_eq(pawl_task_set_context(task, NULL), 0);
    ck_assert_ptr_null(pawl_task_context(task));
    ck_assert_int_eq(pawl_task_set_context(NULL, &yes.context), PAWL_EINVAL);
    ck_assert_ptr_null(pawl_task_context(NULL));
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("context");
    TCase *const inherits = add_case(suite, "inheriting");
    tcase_add_test(inherits, a_task_inherits_at_its_making_and_changes_nobody_elses);
    tcase_add_test(inherits, tasks_of_tasks_inherit_it_too);
    TCase *const holds = add_case(suite, "holding");
    tcase_add_test(holds, it_holds_across_waits_and_callbacks_have_none);
    tcase_add_test(holds, a_hundred_tasks_at_once_keep_theirs_apart);
    TCase *const gives = add_case(suite, "giving");
    tcase_add_loop_test(gives, tasks_that_are_given_one_share_it_with_who_gave_it, 0, 3);
    tcase_add_test(gives, it_is_asked_of_a_task_until_its_end);
    tcase_add_loop_test(gives, it_can_be_taken_away_and_nobody_has_none, 0, 2);
    return suite;
}
