/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Futures and handles: set once, typed results, callbacks, many waiters, and every wrong argument. */
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

static char word_a[] = "a", word_b[] = "b", word_c[] = "c";

static void speak(void *word)
{
    trace(&seen, "%s ", (const char *)word);
}

/* ---- Outcomes ---- */

START_TEST(a_future_is_pending_until_it_is_set_and_is_set_once)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    ck_assert(!pawl_future_done(&future));
    ck_assert(!pawl_future_cancelled(&future));
    ck_assert_int_eq(pawl_future_error(&future), PAWL_EPENDING);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert(pawl_future_done(&future));
    ck_assert_int_eq(pawl_future_error(&future), 0);
    ck_assert_int_eq(pawl_future_set_done(&future), PAWL_EDONE);
    ck_assert_int_eq(pawl_future_set_error(&future, -5), PAWL_EDONE);
    ck_assert(!pawl_future_cancel(&future));
    ck_assert_int_eq(pawl_future_error(&future), 0);
}
END_TEST

struct wide {
    long long numbers[4];
    const char *text;
};

START_TEST(results_are_kept_whole_in_their_type)
{
    FUTURE(struct wide) wide = PAWL_FUTURE_INIT;
    FUTURE(char) narrow = PAWL_FUTURE_INIT;
    FUTURE(const char *) text = PAWL_FUTURE_INIT;
    FUTURE(double) real = PAWL_FUTURE_INIT;
    ck_assert_int_eq(pawl_future_set_result(&wide, ((struct wide){ { 1, -2, 3, -4 }, "five" })), 0);
    ck_assert_int_eq(pawl_future_set_result(&narrow, 'x'), 0);
    ck_assert_int_eq(pawl_future_set_result(&text, "words"), 0);
    ck_assert_int_eq(pawl_future_set_result(&real, 0.25), 0);
    ck_assert_int_eq(wide.result.numbers[3], -4);
    ck_assert_str_eq(wide.result.text, "five");
    ck_assert_int_eq(narrow.result, 'x');
    ck_assert_str_eq(text.result, "words");
    ck_assert(real.result >= 0.25 && real.result <= 0.25);
}
END_TEST

START_TEST(a_second_result_changes_nothing)
{
    FUTURE(int) future = PAWL_FUTURE_INIT;
    ck_assert_int_eq(pawl_future_set_result(&future, 42), 0);
    ck_assert_int_eq(pawl_future_set_result(&future, 43), PAWL_EDONE);
    ck_assert_int_eq(future.result, 42);
    FUTURE(int) failed = PAWL_FUTURE_INIT;
    ck_assert_int_eq(pawl_future_set_error(&failed, -7), 0);
    ck_assert_int_eq(pawl_future_set_result(&failed, 43), PAWL_EDONE);
    ck_assert_int_eq(failed.result, 0);
    ck_assert_int_eq(pawl_future_error(&failed), -7);
}
END_TEST

START_TEST(the_value_of_a_result_is_evaluated_once)
{
    FUTURE(int) future = PAWL_FUTURE_INIT;
    int count = 0;
    pawl_future_set_result(&future, ++count);
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(future.result, 1);
}
END_TEST

static const struct { int given, kept; } errors[] = {
    { -1, -1 },
    { -32768, -32768 },
    { PAWL_ECANCELLED, PAWL_ECANCELLED },
    { -32769, PAWL_EINVAL },
    { INT32_MIN, PAWL_EINVAL },
    { 0, PAWL_EINVAL },
    { 1, PAWL_EINVAL },
    { INT32_MAX, PAWL_EINVAL },
};

START_TEST(an_error_is_kept_if_it_is_one_and_is_invalid_otherwise)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    ck_assert_int_eq(pawl_future_set_error(&future, errors[_i].given), 0);
    ck_assert_int_eq(pawl_future_error(&future), errors[_i].kept);
    ck_assert(pawl_future_cancelled(&future) == (errors[_i].kept == PAWL_ECANCELLED));
}
END_TEST

START_TEST(settle_takes_zero_as_success_and_checks_the_rest)
{
    static struct pawl_future futures[3];
    ck_assert_int_eq(pawl_future_settle(&futures[0], 0), 0);
    ck_assert_int_eq(pawl_future_error(&futures[0]), 0);
    ck_assert_int_eq(pawl_future_settle(&futures[1], 9), 0);
    ck_assert_int_eq(pawl_future_error(&futures[1]), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_settle(&futures[2], -40000), 0);
    ck_assert_int_eq(pawl_future_error(&futures[2]), PAWL_EINVAL);
}
END_TEST

START_TEST(cancelling_is_an_outcome)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    ck_assert(pawl_future_cancel(&future));
    ck_assert(pawl_future_cancelled(&future));
    ck_assert(!pawl_future_cancel(&future));
    ck_assert_int_eq(pawl_future_error(&future), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_future_set_done(&future), PAWL_EDONE);
}
END_TEST

START_TEST(null_is_an_invalid_argument_everywhere)
{
    struct pawl_future *const none = NULL, future = PAWL_FUTURE_INIT;
    FUTURE(int) *const typed = NULL;
    struct pawl_handle handle = { 0 };
    begin();
    ck_assert_int_eq(pawl_future_error(none), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_set_done(none), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_set_error(none, -5), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_settle(NULL, 0), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_set_result(typed, 4), PAWL_EINVAL);
    ck_assert(!pawl_future_cancel(none));
    ck_assert_int_eq(pawl_future_add_callback(none, &world.loop, &handle, speak, word_a), PAWL_EINVAL);
    struct pawl_future pending = future;
    ck_assert_int_eq(pawl_future_add_callback(&pending, NULL, &handle, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_add_callback(&pending, &world.loop, NULL, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_add_callback(&pending, &world.loop, &handle, NULL, word_a), PAWL_EINVAL);
    ck_assert(!pawl_future_remove_callback(NULL));
    ck_assert_ptr_null(pending.awaitable.first);
    pawl_future_finish(none, &world.loop);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, none), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

/* ---- Callbacks ---- */

START_TEST(a_removed_callback_does_not_run_and_the_others_keep_their_order)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle handles[3] = { 0 };
    static char *const words[] = { word_a, word_b, word_c };
    static const char *const rest[] = { "b c ", "a c ", "a b " };
    begin();
    for (int i = 0; i < 3; i++) pawl_future_add_callback(&future, &world.loop, &handles[i], speak, words[i]);
    ck_assert(pawl_handle_pending(&handles[_i]));
    ck_assert(pawl_future_remove_callback(&handles[_i]));
    ck_assert(!pawl_handle_pending(&handles[_i]));
    ck_assert(!pawl_future_remove_callback(&handles[_i]));
    ck_assert(!pawl_future_done(&future));
    pawl_future_set_done(&future);
    once();
    ck_assert_trace(&seen, rest[_i]);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(removing_the_only_callback_leaves_the_future_as_new)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle handle = { 0 };
    begin();
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &handle, speak, word_a), 0);
        ck_assert(pawl_future_remove_callback(&handle));
        ck_assert_ptr_null(future.awaitable.first);
    }
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(a_queued_callback_can_still_be_removed)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle a = { 0 }, b = { 0 }, late = { 0 };
    begin();
    pawl_future_add_callback(&future, &world.loop, &a, speak, word_a);
    pawl_future_add_callback(&future, &world.loop, &b, speak, word_b);
    pawl_future_set_done(&future);
    ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &late, speak, word_c), 0);
    ck_assert(pawl_future_remove_callback(&a));
    ck_assert(pawl_future_remove_callback(&late));
    once();
    ck_assert_trace(&seen, "b ");
    ck_assert(pawl_future_cancelled(&a));
    ck_assert(pawl_future_done(&b) && !pawl_future_cancelled(&b));
    world_end(&world);
}
END_TEST

struct remover {
    struct pawl_handle self, other;
    bool removed;
};

static void remove_other(void *argument)
{
    struct remover *const remover = argument;
    remover->removed = pawl_future_remove_callback(&remover->other);
    ck_assert(!pawl_handle_pending(&remover->self));
    ck_assert(!pawl_future_remove_callback(&remover->self));
}

START_TEST(a_callback_can_remove_the_next_one)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct remover remover = { .removed = false };
    begin();
    pawl_future_add_callback(&future, &world.loop, &remover.self, remove_other, &remover);
    pawl_future_add_callback(&future, &world.loop, &remover.other, speak, word_b);
    pawl_future_set_done(&future);
    once();
    ck_assert(remover.removed);
    once();
    ck_assert_trace(&seen, "");
    world_end(&world);
}
END_TEST

START_TEST(a_handle_in_use_is_busy_wherever_it_is)
{
    struct pawl_future first = PAWL_FUTURE_INIT, second = PAWL_FUTURE_INIT;
    struct pawl_handle handle = { 0 };
    begin();
    pawl_future_add_callback(&first, &world.loop, &handle, speak, word_a);
    ck_assert_int_eq(pawl_future_add_callback(&second, &world.loop, &handle, speak, word_b), PAWL_EBUSY);
    ck_assert_int_eq(pawl_call_soon(&world.loop, &handle, speak, word_b), PAWL_EBUSY);
    ck_assert_int_eq(pawl_call_later(&world.loop, &handle, 5, speak, word_b), PAWL_EBUSY);
    pawl_future_set_done(&first); /* now it is in the ready queue */
    ck_assert_int_eq(pawl_call_soon(&world.loop, &handle, speak, word_b), PAWL_EBUSY);
    ck_assert_int_eq(pawl_future_add_callback(&second, &world.loop, &handle, speak, word_b), PAWL_EBUSY);
    once();
    ck_assert_trace(&seen, "a ");
    ck_assert_int_eq(pawl_call_later(&world.loop, &handle, 5, speak, word_b), 0); /* among the timers */
    ck_assert_int_eq(pawl_future_add_callback(&second, &world.loop, &handle, speak, word_c), PAWL_EBUSY);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_trace(&seen, "a b ");
    ck_assert_ptr_null(second.awaitable.first);
    world_end(&world);
}
END_TEST

START_TEST(a_future_may_go_away_as_soon_as_it_is_settled)
{
    struct pawl_future *const future = calloc(1, sizeof *future);
    struct pawl_handle a = { 0 }, b = { 0 };
    begin();
    pawl_future_add_callback(future, &world.loop, &a, speak, word_a);
    pawl_future_add_callback(future, &world.loop, &b, speak, word_b);
    pawl_future_set_done(future);
    memset(future, 0xA5, sizeof *future);
    free(future);
    once();
    ck_assert_trace(&seen, "a b ");
    world_end(&world);
}
END_TEST

/* ---- Waiting tasks ---- */

struct awaits {
    COROUTINE(int);
    struct pawl_future *future;
};

ASYNC(awaits)
{
    ASYNC_BEGIN(awaits);
    AWAIT(self->future);
    ASYNC_RETURN(1);
    ASYNC_END;
}

START_TEST(a_thousand_tasks_wait_for_one_future)
{
    enum { MANY = 1000 };
    static TASK(awaits) tasks[MANY];
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    for (int i = 0; i < MANY; i++) ck_assert_ptr_nonnull(pawl_start(&tasks[i], CORO(awaits, .future = &future)));
    once();
    for (int i = 0; i < MANY; i++) ck_assert(!pawl_future_done(&tasks[i]));
    pawl_future_set_error(&future, -9);
    once();
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(pawl_future_error(&tasks[i]), -9);
    world_end(&world);
    pawl_future_finish(&future, &world.loop);
    ck_assert_int_eq(world.reports, 0);
}
END_TEST

START_TEST(a_task_is_not_settled_from_outside)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = &future));
    ck_assert_int_eq(pawl_future_set_done(task), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_set_error(task, -5), PAWL_EINVAL);
    ck_assert(!pawl_future_done(task));
    pawl_future_set_done(&future);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_future_awaited_by_hand_is_busy_for_others)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle handle = { 0 };
    begin();
    struct awaits by_hand = CORO(awaits, .future = &future);
    ck_assert_ptr_eq(coro_step(&by_hand), &future);
    ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &handle, speak, word_a), PAWL_EBUSY);
    ck_assert(!pawl_handle_pending(&handle));
    ck_assert_int_eq(world_run(&world, CORO(awaits, .future = &future)), PAWL_EBUSY);
    ck_assert_ptr_eq(coro_step(&by_hand), &future);
    pawl_future_set_done(&future);
    ck_assert_ptr_null(coro_step(&by_hand));
    ck_assert_int_eq(coro_error(&by_hand), 0);
    ck_assert_int_eq(by_hand.result, 1);
    world_end(&world);
}
END_TEST

START_TEST(a_future_can_be_reset_and_settled_again)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    for (int round = 1; round < 4; round++) {
        pawl_future_set_error(&future, -round);
        ck_assert_int_eq(world_run(&world, CORO(awaits, .future = &future)), -round);
        pawl_future_reset(&future);
        ck_assert_int_eq(pawl_future_error(&future), PAWL_EPENDING);
    }
    world_end(&world);
}
END_TEST

/* ---- Handles are futures ---- */

START_TEST(a_task_waits_for_a_call_and_resumes_after_it)
{
    struct pawl_handle handle = { 0 };
    begin();
    pawl_call_later(&world.loop, &handle, 8, speak, word_a);
    ck_assert_int_eq(world_run(&world, CORO(awaits, .future = PAWL_FUTURE(&handle))), 0);
    ck_assert_trace(&seen, "a ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 8);
    world_end(&world);
}
END_TEST

/* Whatever an idle handle is used for next, who waits for it goes on waiting. */
START_TEST(a_task_that_waits_for_an_idle_handle_sees_its_next_use)
{
    static struct pawl_handle handle;
    static struct pawl_future future;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(awaits, .future = PAWL_FUTURE(&handle)));
    once();
    if (_i == 0) ck_assert_int_eq(pawl_call_soon(&world.loop, &handle, speak, word_a), 0);
    if (_i == 1) ck_assert_int_eq(pawl_call_later(&world.loop, &handle, 3, speak, word_a), 0);
    if (_i == 2) ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &handle, speak, word_a), 0);
    if (_i == 2) pawl_future_set_done(&future);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_trace(&seen, "a ");
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Reports ---- */

START_TEST(an_unseen_error_is_reported_once_when_the_future_goes_away)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    pawl_future_finish(&future, &world.loop); /* pending: nothing to tell */
    pawl_future_set_error(&future, -5);
    ck_assert_int_eq(world.reports, 0);
    pawl_future_finish(&future, &world.loop);
    pawl_future_finish(&future, &world.loop);
    ck_assert_int_eq(world.reports, 1);
    ck_assert_int_eq(world.last_error, -5);
    ck_assert_str_eq(world.last_name, "future");
    world_end(&world);
}
END_TEST

START_TEST(what_was_seen_or_is_no_error_is_not_reported)
{
    struct pawl_future seen_one = PAWL_FUTURE_INIT, cancelled = PAWL_FUTURE_INIT, fine = PAWL_FUTURE_INIT;
    struct pawl_future nowhere = PAWL_FUTURE_INIT;
    begin();
    pawl_future_set_error(&seen_one, -5);
    ck_assert_int_eq(pawl_future_error(&seen_one), -5);
    pawl_future_cancel(&cancelled);
    pawl_future_set_done(&fine);
    pawl_future_set_error(&nowhere, -5);
    pawl_future_finish(&seen_one, &world.loop);
    pawl_future_finish(&cancelled, &world.loop);
    pawl_future_finish(&fine, &world.loop);
    pawl_future_finish(&nowhere, NULL);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("future");
    TCase *const outcomes = add_case(suite, "outcomes");
    tcase_add_test(outcomes, a_future_is_pending_until_it_is_set_and_is_set_once);
    tcase_add_test(outcomes, results_are_kept_whole_in_their_type);
    tcase_add_test(outcomes, a_second_result_changes_nothing);
    tcase_add_test(outcomes, the_value_of_a_result_is_evaluated_once);
    tcase_add_loop_test(outcomes, an_error_is_kept_if_it_is_one_and_is_invalid_otherwise, 0, sizeof errors / sizeof *errors);
    tcase_add_test(outcomes, settle_takes_zero_as_success_and_checks_the_rest);
    tcase_add_test(outcomes, cancelling_is_an_outcome);
    tcase_add_test(outcomes, null_is_an_invalid_argument_everywhere);
    TCase *const callbacks = add_case(suite, "callbacks");
    tcase_add_loop_test(callbacks, a_removed_callback_does_not_run_and_the_others_keep_their_order, 0, 3);
    tcase_add_test(callbacks, removing_the_only_callback_leaves_the_future_as_new);
    tcase_add_test(callbacks, a_queued_callback_can_still_be_removed);
    tcase_add_test(callbacks, a_callback_can_remove_the_next_one);
    tcase_add_test(callbacks, a_handle_in_use_is_busy_wherever_it_is);
    tcase_add_test(callbacks, a_future_may_go_away_as_soon_as_it_is_settled);
    TCase *const waiters = add_case(suite, "waiters");
    tcase_add_test(waiters, a_thousand_tasks_wait_for_one_future);
    tcase_add_test(waiters, a_task_is_not_settled_from_outside);
    tcase_add_test(waiters, a_future_awaited_by_hand_is_busy_for_others);
    tcase_add_test(waiters, a_future_can_be_reset_and_settled_again);
    tcase_add_test(waiters, a_task_waits_for_a_call_and_resumes_after_it);
    tcase_add_loop_test(waiters, a_task_that_waits_for_an_idle_handle_sees_its_next_use, 0, 3);
    TCase *const reports = add_case(suite, "reports");
    tcase_add_test(reports, an_unseen_error_is_reported_once_when_the_future_goes_away);
    tcase_add_test(reports, what_was_seen_or_is_no_error_is_not_reported);
    return suite;
}
