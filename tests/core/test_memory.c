/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Allocation failing at every call in turn: a program that checks its errors loses nothing and ends clearly. */
#include <support.h>

#include <string.h>

static struct world world;

struct worker {
    COROUTINE(int);
    int n;
    struct pawl_sleep sleep;
};

ASYNC(worker)
{
    ASYNC_BEGIN(worker);
    AWAIT(self->sleep, pawl_sleep(self->n));
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

struct recursive {
    COROUTINE(int);
    int n;
    struct recursive *inner;
    struct pawl_sleep sleep;
};

ASYNC_DECLARE(recursive);

ASYNC(recursive)
{
    ASYNC_BEGIN(recursive);
    if (self->n == 0) {
        AWAIT(self->sleep, pawl_yield());
        ASYNC_RETURN(0);
    }
    self->inner = pawl_coro_new(&world.memory.allocator, CORO(recursive, .n = self->n - 1));
    if (self->inner == NULL) RAISE(PAWL_ENOMEM);
    TRY {
        AWAIT(self->inner);
        self->result = self->inner->result + 1;
    } FINALLY {
        pawl_coro_free(&world.memory.allocator, self->inner);
    } END_TRY;
    ASYNC_END;
}

enum { WORKERS = 3 };

struct program {
    COROUTINE(int);
    struct pawl_task *tasks[WORKERS], *deep;
    struct pawl_child children[WORKERS];
    struct pawl_gather all;
    struct pawl_wait_for timed;
    int i, error;
};

ASYNC(program)
{
    ASYNC_BEGIN(program);
    TRY {
        for (self->i = 0; self->i < WORKERS; self->i++) {
            self->tasks[self->i] = self->i == 1 ? pawl_spawn_eager(CORO(worker, .n = self->i + 1))
                                                : pawl_spawn(CORO(worker, .n = self->i + 1));
            if (self->tasks[self->i] == NULL) RAISE(PAWL_ENOMEM);
            self->error = pawl_task_set_name(self->tasks[self->i], NULL, "named");
            if (self->error) RAISE(self->error);
            self->children[self->i] = pawl_child(self->tasks[self->i]);
        }
        self->deep = pawl_spawn(CORO(recursive, .n = 4));
        if (self->deep == NULL) RAISE(PAWL_ENOMEM);
        AWAIT(self->timed, pawl_wait_for(self->deep, 100));
        AWAIT(self->all, pawl_gather(self->children, WORKERS));
        for (self->i = 0; self->i < WORKERS; self->i++) self->result += pawl_task_frame(worker, self->tasks[self->i])->result;
        self->result += 10 * pawl_task_frame(recursive, self->deep)->result;
    } FINALLY {
        for (self->i = 0; self->i < WORKERS; self->i++) {
            if (self->tasks[self->i] != NULL) pawl_task_cancel(self->tasks[self->i]);
            pawl_task_release(self->tasks[self->i]);
        }
        pawl_task_release(self->deep);
    } END_TRY;
    ASYNC_END;
}

/* Runs it; returns its error, and in *calls how often it has allocated. */
static int run_program(size_t fail_at, int *result, size_t *calls)
{
    world_begin(&world);
    world.memory.fail_at = fail_at;
    struct pawl_task *const task = pawl_spawn(CORO(program));
    int error = PAWL_ENOMEM;
    if (task != NULL) {
        error = pawl_loop_run_until_complete(&world.loop, task);
        *result = pawl_task_frame(program, task)->result;
        pawl_task_release(task);
    }
    *calls = world.memory.calls;
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
    ck_assert_uint_eq(world.memory.alive, 0);
    ck_assert_int_eq(world.reports, 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
    return error;
}

START_TEST(whichever_allocation_fails_nothing_is_lost)
{
    size_t needed, calls;
    int result = 0;
    ck_assert_int_eq(run_program(0, &result, &needed), 0);
    ck_assert_int_eq(result, 1 + 2 + 3 + 40);
    ck_assert_uint_eq(needed, 1 + 2 * WORKERS + 1 + 4);
    for (size_t fail_at = 1; fail_at <= needed; fail_at++) {
        ck_assert_int_eq(run_program(fail_at, &result, &calls), PAWL_ENOMEM);
        ck_assert_uint_ge(calls, fail_at);
    }
    ck_assert_int_eq(run_program(needed + 1, &result, &calls), 0);
}
END_TEST

START_TEST(nothing_but_spawns_names_and_the_callers_own_frames_allocates)
{
    static TASK(worker) slots[WORKERS];
    static struct pawl_handle handle;
    struct pawl_task_note names[WORKERS];
    world_begin(&world);
    world.memory.fail_at = 1;
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_ptr_nonnull(pawl_start(&slots[i], CORO(worker, .n = i)));
        ck_assert_int_eq(pawl_task_set_name(&slots[i].awaitable, &names[i], "own"), 0);
    }
    for (int i = 0; i < WORKERS; i++) ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slots[i]), 0);
    ck_assert(!pawl_handle_pending(&handle));
    ck_assert_uint_eq(world.memory.calls, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_fresh_frame_is_freed_without_running)
{
    struct counting memory;
    counting_init(&memory);
    struct recursive *none = pawl_coro_new(&memory.allocator, CORO(recursive, .n = 1));
    ck_assert_ptr_nonnull(none);
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, none), 0); /* fresh: closed without running */
    ck_assert_uint_eq(memory.alive, 0);
    none = NULL;
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, none), 0);
    memory.fail_at = memory.calls + 1;
    ck_assert_ptr_null(pawl_coro_new(&memory.allocator, CORO(recursive, .n = 1)));
}
END_TEST

struct yields_while_closed {
    COROUTINE(void);
    struct pawl_sleep sleep;
    struct pawl_future future;
};

ASYNC(yields_while_closed)
{
    ASYNC_BEGIN(yields_while_closed);
    TRY {
        AWAIT(&self->future);
    } FINALLY {
        AWAIT(self->sleep, pawl_yield());
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_frame_that_suspends_while_it_is_closed_stays)
{
    struct counting memory;
    counting_init(&memory);
    struct yields_while_closed *const frame = pawl_coro_new(&memory.allocator, CORO(yields_while_closed));
    ck_assert_ptr_eq(coro_step(frame), &frame->future);
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, frame), PAWL_EYIELDED);
    ck_assert_uint_eq(memory.alive, 1);
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, frame), 0);
    ck_assert_uint_eq(memory.alive, 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("memory");
    TCase *const tcase = add_case(suite, "memory");
    tcase_add_test(tcase, whichever_allocation_fails_nothing_is_lost);
    tcase_add_test(tcase, nothing_but_spawns_names_and_the_callers_own_frames_allocates);
    tcase_add_test(tcase, a_fresh_frame_is_freed_without_running);
    tcase_add_test(tcase, a_frame_that_suspends_while_it_is_closed_stays);
    return suite;
}
