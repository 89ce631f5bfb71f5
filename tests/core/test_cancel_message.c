/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The message of a cancellation: who asks why a task ended finds it with the task that was cancelled, whichever way it looks. */
#include <support.h>

#include <string.h>

static struct world world;

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

struct sleeps {
    COROUTINE(int);
    bool swallow;
    struct pawl_sleep sleep;
};

ASYNC(sleeps)
{
    ASYNC_BEGIN(sleeps);
    TRY {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(10)));
    } CATCH(PAWL_ECANCELLED) {
        if (!self->swallow) RERAISE();
    } END_TRY;
    ASYNC_RETURN(7);
    ASYNC_END;
}

static void assert_message(const struct pawl_task *task, const char *expected)
{
    const char *const message = pawl_task_cancel_message(task);
    if (expected == NULL) ck_assert_ptr_null(message);
    else ck_assert_str_eq(message, expected);
}

static bool cancel(struct pawl_task *task, const char *message)
{
    return message != NULL ? pawl_task_cancel_because(task, message) : pawl_task_cancel(task);
}

/* ---- One task ---- */

START_TEST(a_task_that_was_not_cancelled_has_no_message)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(sleeps));
    assert_message(task, NULL);
    ck_assert_int_eq(pawl_task_set_name(task, NULL, "named"), 0);
    assert_message(task, NULL);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(the_message_is_there_at_once_and_after_the_end)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(sleeps));
    if (_i == 1) once(); /* it has started */
    ck_assert(pawl_task_cancel_because(task, "my message"));
    assert_message(task, "my message");
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    assert_message(task, "my message");
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

static const struct { const char *first, *second; } requests[] = {
    { "one", "two" }, { "one", NULL }, { NULL, "two" }, { NULL, NULL },
};

START_TEST(the_last_request_says_why)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(sleeps));
    once();
    ck_assert(cancel(task, requests[_i].first));
    assert_message(task, requests[_i].first);
    ck_assert(cancel(task, requests[_i].second));
    assert_message(task, requests[_i].second);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    assert_message(task, requests[_i].second);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_name_and_a_message_do_not_disturb_each_other)
{
    struct pawl_task_note note;
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(sleeps));
    ck_assert(cancel(task, "why"));
    ck_assert_str_eq(pawl_task_name(task), "sleeps");
    ck_assert_int_eq(pawl_task_set_name(task, &note, "named"), 0);
    ck_assert_str_eq(pawl_task_name(task), "named");
    assert_message(task, "why");
    ck_assert_uint_eq(world.memory.alive, 2);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(without_memory_for_the_message_the_request_stands)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(sleeps));
    once();
    world.memory.fail_at = 2;
    ck_assert(pawl_task_cancel_because(task, "lost"));
    assert_message(task, NULL);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(what_has_ended_or_is_nothing_takes_no_message)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(sleeps, .swallow = true));
    once();
    ck_assert(pawl_task_cancel_because(task, "swallowed"));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert(!pawl_task_cancel_because(task, "late"));
    assert_message(task, "swallowed");
    ck_assert(!pawl_task_cancel_because(NULL, "nobody"));
    pawl_task_release(task);
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

/* ---- Who asks ---- */

enum way { WAITED, AWAITED, GATHERED, BEFORE_ITS_START, WAYS };

static struct pawl_task *inner;

struct asks {
    COROUTINE(int);
    enum way way;
    const char *message;
    struct pawl_child children[1];
    union {
        struct pawl_sleep sleep;
        struct pawl_wait wait;
        struct pawl_gather all;
    };
};

ASYNC(asks)
{
    ASYNC_BEGIN(asks);
    inner = pawl_spawn(CORO(sleeps));
    if (self->way != BEFORE_ITS_START) AWAIT(self->sleep, pawl_yield());
    ck_assert(cancel(inner, self->message));
    if (self->way == AWAITED) {
        AWAIT(inner);
    } else if (self->way == GATHERED) {
        AWAIT(self->all, pawl_gather(CHILDREN(self->children, inner)));
    } else {
        AWAIT(self->wait, pawl_wait(CHILDREN(self->children, inner), PAWL_ALL_COMPLETED, PAWL_FOREVER));
        ck_assert_int_eq((int)self->wait.result, 1);
    }
    if (pawl_future_error(inner)) RAISE(pawl_future_error(inner));
    ASYNC_END;
}

START_TEST(whichever_way_its_end_is_seen_the_message_is_with_the_task)
{
    static const char *const messages[] = { NULL, "my message" };
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(asks, .way = (enum way)(_i / 2), .message = messages[_i % 2]));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    assert_message(inner, messages[_i % 2]);
    ck_assert_uint_eq(pawl_task_cancelling(task), 0); /* it was not asked itself */
    pawl_task_release(inner);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

struct turns {
    COROUTINE(void);
    struct pawl_handle handle;
    const char *why;
};

static void cancel_inner(void *message)
{
    ck_assert(pawl_task_cancel_because(inner, message));
}

static char reason[] = "msg";

ASYNC(turns)
{
    ASYNC_BEGIN(turns);
    inner = pawl_spawn(CORO(sleeps));
    YIELD_NOW();
    pawl_call_soon(pawl_loop_current(), &self->handle, cancel_inner, reason);
    TRY {
        AWAIT(inner);
    } CATCH(PAWL_ECANCELLED) {
        self->why = pawl_task_cancel_message(inner);
        RAISE(-5);
    } END_TRY;
    ASYNC_END;
}

START_TEST(who_turns_a_cancellation_into_an_error_can_ask_why)
{
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(turns));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), -5);
    ck_assert_str_eq(pawl_task_frame(turns, task)->why, "msg");
    pawl_task_release(inner);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Who is asked on the way ---- */

struct awaits_task {
    COROUTINE(void);
    struct pawl_task *task;
};

ASYNC(awaits_task)
{
    ASYNC_BEGIN(awaits_task);
    AWAIT(self->task);
    ASYNC_END;
}

START_TEST(the_tasks_that_it_waits_for_are_told_too)
{
    struct pawl_task *tasks[3];
    world_begin(&world);
    tasks[0] = pawl_spawn(CORO(sleeps));
    for (int i = 1; i < 3; i++) tasks[i] = pawl_spawn(CORO(awaits_task, .task = tasks[i - 1]));
    once();
    ck_assert(pawl_task_cancel_because(tasks[2], "from above"));
    for (int i = 0; i < 3; i++) assert_message(tasks[i], "from above");
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, tasks[2]), PAWL_ECANCELLED);
    for (int i = 0; i < 3; i++) assert_message(tasks[i], "from above");
    for (int i = 0; i < 3; i++) pawl_task_release(tasks[i]);
    world_end(&world);
}
END_TEST

struct gathers_on_and_on {
    COROUTINE(void);
    int rounds;
    TASK(pawl_sleep) nap;
    struct pawl_child children[1];
    struct pawl_gather all;
};

ASYNC(gathers_on_and_on)
{
    ASYNC_BEGIN(gathers_on_and_on);
    while (self->rounds++ < 20) {
        pawl_start(&self->nap, pawl_sleep(PAWL_MS(50)));
        AWAIT(self->all, pawl_gather_return_errors(CHILDREN(self->children, &self->nap)));
    }
    ASYNC_END;
}

static void cancel_it(void *task)
{
    ck_assert(pawl_task_cancel_because(task, "my message"));
}

/* Errors of children may be returned; the cancellation of the one that gathers never is. */
START_TEST(a_gather_that_returns_errors_passes_the_cancellation_on)
{
    struct pawl_handle handle = { 0 };
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(gathers_on_and_on));
    pawl_call_later(&world.loop, &handle, PAWL_MS(220), cancel_it, task);
    struct pawl_task *const outer = pawl_spawn(CORO(awaits_task, .task = task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, outer), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(220));
    assert_message(task, "my message");
    ck_assert(pawl_future_cancelled(task) && pawl_future_cancelled(outer));
    pawl_task_release(task);
    pawl_task_release(outer);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("cancel message");
    TCase *const one = add_case(suite, "one task");
    tcase_add_test(one, a_task_that_was_not_cancelled_has_no_message);
    tcase_add_loop_test(one, the_message_is_there_at_once_and_after_the_end, 0, 2);
    tcase_add_loop_test(one, the_last_request_says_why, 0, 4);
    tcase_add_test(one, a_name_and_a_message_do_not_disturb_each_other);
    tcase_add_test(one, without_memory_for_the_message_the_request_stands);
    tcase_add_test(one, what_has_ended_or_is_nothing_takes_no_message);
    TCase *const asks = add_case(suite, "who asks");
    tcase_add_loop_test(asks, whichever_way_its_end_is_seen_the_message_is_with_the_task, 0, 2 * WAYS);
    tcase_add_test(asks, who_turns_a_cancellation_into_an_error_can_ask_why);
    TCase *const way = add_case(suite, "on the way");
    tcase_add_test(way, the_tasks_that_it_waits_for_are_told_too);
    tcase_add_test(way, a_gather_that_returns_errors_passes_the_cancellation_on);
    return suite;
}
