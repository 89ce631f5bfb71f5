/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Eager tasks: the first step runs within the spawn, and what that changes for futures, cancelling, the current task, contexts. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
}

static bool is_listed(const struct pawl_task *wanted)
{
    struct pawl_task *task = NULL;
    while ((task = pawl_task_next(&world.loop, task)) != NULL && task != wanted) continue;
    return task != NULL;
}

/* ---- One that ends within the spawn ---- */

static FUTURE(int) answer;

struct sets {
    COROUTINE(int);
    int value;
};

ASYNC(sets)
{
    ASYNC_BEGIN(sets);
    ck_assert_int_eq(pawl_future_set_result(&answer, self->value), 0);
    ASYNC_RETURN(self->value + 1);
    ASYNC_END;
}

struct spawns {
    COROUTINE(int);
    bool cancel;
    struct pawl_task *task;
};

ASYNC(spawns)
{
    ASYNC_BEGIN(spawns);
    self->task = pawl_spawn_eager(CORO(sets, .value = 6));
    ck_assert(pawl_future_done(self->task));
    ck_assert(!is_listed(self->task));
    if (self->cancel) ck_assert(!pawl_task_cancel(self->task));
    AWAIT(self->task);
    AWAIT(&answer);
    ck_assert(!pawl_future_cancelled(self->task));
    self->result = pawl_task_frame(sets, self->task)->result * 10 + answer.result;
    pawl_task_release(self->task);
    ASYNC_END;
}

/* The second time it is cancelled in between, too late. */
START_TEST(one_that_does_not_wait_is_done_and_its_result_there_when_it_is_returned)
{
    static TASK(spawns) task;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(spawns, .cancel = _i == 1)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &task), 0);
    ck_assert_int_eq(task.frame.result, 76);
    world_end(&world);
}
END_TEST

struct fails_at_once {
    COROUTINE(void);
};

ASYNC(fails_at_once)
{
    ASYNC_BEGIN(fails_at_once);
    RAISE(-5);
    ASYNC_END;
}

START_TEST(one_that_fails_within_the_spawn_keeps_its_error_inside)
{
    begin();
    struct pawl_task *const task = pawl_spawn_eager(CORO(fails_at_once));
    ck_assert(pawl_future_done(task));
    ck_assert_int_eq(world.reports, 0);
    if (_i == 0) ck_assert_int_eq(pawl_future_error(task), -5);
    pawl_task_release(task);
    ck_assert_int_eq(world.reports, _i);
    world_end(&world);
}
END_TEST

START_TEST(without_memory_nothing_of_it_runs)
{
    begin();
    world.memory.fail_at = 1;
    memset(&answer, 0, sizeof answer);
    ck_assert_ptr_null(pawl_spawn_eager(CORO(sets, .value = 6)));
    ck_assert(!pawl_future_done(&answer));
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
    world_end(&world);
}
END_TEST

/* ---- One that waits ---- */

struct blocks {
    COROUTINE(int);
    struct pawl_task *itself;
    bool listed;
    struct pawl_sleep sleep;
};

ASYNC(blocks)
{
    ASYNC_BEGIN(blocks);
    self->itself = pawl_task_current();
    self->listed = is_listed(self->itself);
    trace(&seen, "first ");
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(100)));
    ck_assert_ptr_eq(pawl_task_current(), self->itself);
    trace(&seen, "second ");
    ASYNC_RETURN(5);
    ASYNC_END;
}

struct waits_for_it {
    COROUTINE(int);
    const char *because;
    struct pawl_task *task, *itself;
};

ASYNC(waits_for_it)
{
    ASYNC_BEGIN(waits_for_it);
    self->itself = pawl_task_current();
    self->task = pawl_spawn_eager(CORO(blocks));
    ck_assert_ptr_eq(pawl_task_current(), self->itself);
    ck_assert_ptr_eq(pawl_task_frame(blocks, self->task)->itself, self->task);
    ck_assert(pawl_task_frame(blocks, self->task)->listed && is_listed(self->task));
    ck_assert(!pawl_future_done(self->task));
    trace(&seen, "spawned ");
    if (self->because) {
        ck_assert(pawl_task_cancel_because(self->task, self->because));
        ck_assert_uint_eq(pawl_task_cancelling(self->task), 1);
    }
    TRY {
        AWAIT(self->task);
        self->result = pawl_task_frame(blocks, self->task)->result;
    } FINALLY {
        ck_assert(pawl_future_done(self->task) && !is_listed(self->task));
        if (self->because) ck_assert_str_eq(pawl_task_cancel_message(self->task), self->because);
        pawl_task_release(self->task);
    } END_TRY;
    ASYNC_END;
}

START_TEST(one_that_waits_goes_on_later_as_the_same_task)
{
    static TASK(waits_for_it) task;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(waits_for_it)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &task), 0);
    ck_assert_int_eq(task.frame.result, 5);
    ck_assert_trace(&seen, "first spawned second ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(100));
    world_end(&world);
}
END_TEST

START_TEST(cancelled_at_its_first_wait_it_says_why)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(waits_for_it, .because = "no longer wanted")), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "first spawned ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    world_end(&world);
}
END_TEST

/* ---- Contexts ---- */

struct numbered {
    struct pawl_context context;
    int number;
};

static struct numbered outer_context, inner_context;

static int number_here(void)
{
    return ((struct numbered *)(void *)pawl_task_context(pawl_task_current()))->number;
}

struct changes_context {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(changes_context)
{
    ASYNC_BEGIN(changes_context);
    ck_assert_int_eq(number_here(), 1);
    inner_context.number = 2;
    ck_assert_int_eq(pawl_task_set_context(pawl_task_current(), &inner_context.context), 0);
    trace(&seen, "first%d ", number_here());
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(100)));
    ck_assert_int_eq(number_here(), 2);
    inner_context.number = 3;
    trace(&seen, "second%d ", number_here());
    ASYNC_END;
}

struct has_context {
    COROUTINE(void);
    struct pawl_task *task;
};

ASYNC(has_context)
{
    ASYNC_BEGIN(has_context);
    outer_context.number = 1;
    ck_assert_int_eq(pawl_task_set_context(pawl_task_current(), &outer_context.context), 0);
    self->task = pawl_spawn_eager(CORO(changes_context));
    trace(&seen, "spawned%d ", number_here());
    AWAIT(self->task);
    trace(&seen, "after%d ", number_here());
    pawl_task_release(self->task);
    ASYNC_END;
}

START_TEST(the_first_step_has_the_context_of_who_spawned_it_and_changes_only_its_own)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(has_context)), 0);
    ck_assert_trace(&seen, "first2 spawned1 second3 after1 ");
    world_end(&world);
}
END_TEST

/* ---- How many tasks a program makes ---- */

struct chain {
    COROUTINE(int);
    int depth;
    struct chain *inner;
};

ASYNC_DECLARE(chain);

ASYNC(chain)
{
    ASYNC_BEGIN(chain);
    if (self->depth == 0) ASYNC_RETURN(0);
    self->inner = self + 1; /* an array of frames */
    *self->inner = CORO(chain, .depth = self->depth - 1);
    AWAIT(self->inner);
    ASYNC_RETURN(1 + self->inner->result);
    ASYNC_END;
}

struct runs_chain {
    COROUTINE(int);
    struct chain frames[101];
};

ASYNC(runs_chain)
{
    ASYNC_BEGIN(runs_chain);
    self->frames[0] = CORO(chain, .depth = 100);
    AWAIT(&self->frames[0]);
    ASYNC_RETURN(self->frames[0].result);
    ASYNC_END;
}

START_TEST(awaiting_coroutines_makes_no_tasks)
{
    begin();
    struct pawl_task *const task = _i ? pawl_spawn_eager(CORO(runs_chain)) : pawl_spawn(CORO(runs_chain));
    ck_assert(pawl_future_done(task) == (_i == 1));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_task_frame(runs_chain, task)->result, 100);
    ck_assert_uint_eq(world.memory.calls, 1);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

enum { WIDTH = 5, DEPTH = 4, NODES = 1 + 5 + 25 + 125 + 625 };

struct groups {
    COROUTINE(void);
    int depth, i;
    bool eager;
    struct pawl_group group;
};

ASYNC_DECLARE(groups);

ASYNC(groups)
{
    ASYNC_BEGIN(groups);
    if (self->depth == 0) ASYNC_RETURN();
    WITH(self->group, pawl_group()) {
        for (self->i = 0; self->i < WIDTH; self->i++) {
            if (self->eager) pawl_group_spawn_eager(&self->group, CORO(groups, .depth = self->depth - 1, .eager = true));
            else pawl_group_spawn(&self->group, CORO(groups, .depth = self->depth - 1));
        }
    } END_WITH;
    ASYNC_END;
}

struct gathers {
    COROUTINE(void);
    int depth, i;
    bool eager;
    struct pawl_task *tasks[WIDTH];
    struct pawl_child children[WIDTH];
    struct pawl_gather all;
};

ASYNC_DECLARE(gathers);

ASYNC(gathers)
{
    ASYNC_BEGIN(gathers);
    if (self->depth == 0) ASYNC_RETURN();
    for (self->i = 0; self->i < WIDTH; self->i++) {
        if (self->eager) self->tasks[self->i] = pawl_spawn_eager(CORO(gathers, .depth = self->depth - 1, .eager = true));
        else self->tasks[self->i] = pawl_spawn(CORO(gathers, .depth = self->depth - 1));
        self->children[self->i] = pawl_child(self->tasks[self->i]);
    }
    AWAIT(self->all, pawl_gather(self->children, WIDTH));
    for (self->i = 0; self->i < WIDTH; self->i++) pawl_task_release(self->tasks[self->i]);
    ASYNC_END;
}

START_TEST(a_tree_of_groups_makes_a_task_a_node)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(groups, .depth = DEPTH, .eager = _i == 1)), 0);
    ck_assert_uint_eq(world.memory.calls, NODES);
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

/* Eagerly, all of them have ended before the first spawn returns, and no iteration is needed. */
START_TEST(a_tree_of_gathers_makes_a_task_a_node)
{
    begin();
    struct pawl_task *const task = _i ? pawl_spawn_eager(CORO(gathers, .depth = DEPTH, .eager = true))
                                      : pawl_spawn(CORO(gathers, .depth = DEPTH));
    ck_assert(pawl_future_done(task) == (_i == 1));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_uint_eq(world.memory.calls, NODES);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* What cannot be made fails its group, and so all of them: nothing is left. */
START_TEST(whichever_spawn_of_a_tree_fails_the_tree_fails_and_ends)
{
    for (size_t fail_at = 2; fail_at < 60; fail_at++) {
        begin();
        world.memory.fail_at = fail_at;
        const size_t all = 1 + WIDTH + WIDTH * WIDTH;
        ck_assert_int_eq(world_run(&world, CORO(groups, .depth = 2, .eager = _i == 1)), fail_at > all ? 0 : PAWL_ENOMEM);
        ck_assert(fail_at > all ? world.memory.calls == all : world.memory.calls >= fail_at);
        ck_assert_uint_eq(world.memory.alive, 0);
        world_end(&world);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("eager");
    TCase *const ends = add_case(suite, "ends at once");
    tcase_add_loop_test(ends, one_that_does_not_wait_is_done_and_its_result_there_when_it_is_returned, 0, 2);
    tcase_add_loop_test(ends, one_that_fails_within_the_spawn_keeps_its_error_inside, 0, 2);
    tcase_add_test(ends, without_memory_nothing_of_it_runs);
    TCase *const waits = add_case(suite, "waits");
    tcase_add_test(waits, one_that_waits_goes_on_later_as_the_same_task);
    tcase_add_test(waits, cancelled_at_its_first_wait_it_says_why);
    tcase_add_test(waits, the_first_step_has_the_context_of_who_spawned_it_and_changes_only_its_own);
    TCase *const counts = add_case(suite, "counts");
    tcase_add_loop_test(counts, awaiting_coroutines_makes_no_tasks, 0, 2);
    tcase_add_loop_test(counts, a_tree_of_groups_makes_a_task_a_node, 0, 2);
    tcase_add_loop_test(counts, a_tree_of_gathers_makes_a_task_a_node, 0, 2);
    tcase_add_loop_test(counts, whichever_spawn_of_a_tree_fails_the_tree_fails_and_ends, 0, 2);
    return suite;
}
