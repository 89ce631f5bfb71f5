/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The end of a loop with work left in it: nothing that outlives the loop keeps a pointer into it, and what the caller owns
 * can be used again. And long chains of tasks, which must not need a stack as long.
 */
#include <support.h>

static struct world world;
static struct pawl_future stays, other;

struct kid {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(kid)
{
    ASYNC_BEGIN(kid);
    AWAIT(self->sleep, pawl_sleep(PAWL_SEC(1)));
    ASYNC_END;
}

struct parent {
    COROUTINE(void);
    TASK(kid) kid;
};

ASYNC(parent)
{
    ASYNC_BEGIN(parent);
    pawl_start(&self->kid, CORO(kid));
    AWAIT(&self->kid);
    ASYNC_END;
}

START_TEST(a_task_in_the_frame_of_another_goes_with_it)
{
    world_begin(&world);
    pawl_task_release(pawl_spawn(CORO(parent)));
    for (int i = 0; i < _i; i++) pawl_loop_run_once(&world.loop, false);
    world_end(&world);
}
END_TEST

enum cleanup { AWAITS, GATHERS, SPAWNS };

struct cleans {
    COROUTINE(void);
    enum cleanup how;
    struct pawl_child child[1];
    struct pawl_gather gather;
};

struct waits {
    COROUTINE(void);
};

ASYNC(waits)
{
    ASYNC_BEGIN(waits);
    AWAIT(&other);
    ASYNC_END;
}

ASYNC(cleans)
{
    ASYNC_BEGIN(cleans);
    TRY {
        AWAIT(&stays);
    } FINALLY {
        if (self->how == AWAITS) AWAIT(&other);
        if (self->how == GATHERS) {
            self->child[0] = pawl_child(&other);
            AWAIT(self->gather, pawl_gather(self->child, 1));
        }
        if (self->how == SPAWNS) pawl_task_release(pawl_spawn_eager(CORO(waits)));
    } END_TRY;
    ASYNC_END;
}

START_TEST(what_a_finally_begins_at_the_end_leaves_nothing_registered)
{
    world_begin(&world);
    pawl_task_release(pawl_spawn(CORO(cleans, .how = (enum cleanup)_i)));
    pawl_loop_run_once(&world.loop, false);
    world_end(&world);
    ck_assert_ptr_null(stays.awaitable.first);
    ck_assert_ptr_null(other.awaitable.first);
    ck_assert_int_eq(pawl_future_set_done(&other), 0);
}
END_TEST

static void nothing(void *argument)
{
    (void)argument;
}

START_TEST(handles_and_slots_can_be_used_in_the_next_loop)
{
    static struct pawl_handle soon, later;
    static TASK(kid) slot;
    for (int round = 0; round < 3; round++) {
        world_begin(&world);
        ck_assert_int_eq(pawl_call_soon(&world.loop, &soon, nothing, NULL), 0);
        ck_assert_int_eq(pawl_call_later(&world.loop, &later, 5, nothing, NULL), 0);
        ck_assert_ptr_nonnull(pawl_start(&slot, CORO(kid)));
        pawl_loop_run_once(&world.loop, false);
        ck_assert_int_eq(pawl_call_soon(&world.loop, &soon, nothing, NULL), 0);
        world_end(&world);
        ck_assert(!pawl_handle_pending(&soon));
        ck_assert(!pawl_handle_pending(&later));
        ck_assert(pawl_future_cancelled(&slot));
        ck_assert_int_eq(pawl_task_finish(&slot.awaitable), 0);
    }
}
END_TEST

struct fails {
    COROUTINE(void);
};

ASYNC(fails)
{
    ASYNC_BEGIN(fails);
    RAISE(-5);
    ASYNC_END;
}

START_TEST(a_slot_that_failed_is_reported_to_the_loop_of_today)
{
    static TASK(fails) slot;
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(fails)));
    pawl_loop_run_once(&world.loop, false);
    world_end(&world);
    struct world next;
    world_begin(&next);
    ck_assert_int_eq(pawl_task_finish(&slot.awaitable), 0);
    ck_assert_int_eq(next.reports, 1);
    ck_assert_int_eq(next.last_error, -5);
    world_end(&next);
}
END_TEST

struct link {
    COROUTINE(void);
    struct pawl_task *next;
};

ASYNC(link)
{
    ASYNC_BEGIN(link);
    if (self->next) AWAIT(self->next);
    else AWAIT(&stays);
    ASYNC_END;
}

START_TEST(a_long_chain_is_cancelled_without_a_long_stack)
{
    enum { LENGTH = 200000 };
    struct pawl_task *last = NULL;
    world_begin(&world);
    for (int i = 0; i < LENGTH; i++) last = pawl_spawn(CORO(link, .next = last));
    pawl_loop_run_once(&world.loop, false);
    ck_assert(pawl_task_cancel(last));
    ck_assert_uint_eq(pawl_task_cancelling(last), 1);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, last), PAWL_ECANCELLED);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(what_was_sent_and_not_yet_seen_is_pending_and_can_be_cancelled)
{
    struct pawl_handle handle = { 0 };
    world_begin(&world);
    ck_assert_int_eq(pawl_call_soon_threadsafe(&world.loop, &handle, nothing, NULL), 0);
    ck_assert(pawl_loop_pending(&world.loop));
    ck_assert(pawl_handle_pending(&handle));
    ck_assert_int_eq(pawl_call_later(&world.loop, &handle, 1, nothing, NULL), PAWL_EBUSY);
    ck_assert(pawl_handle_cancel(&handle));
    ck_assert(!pawl_handle_pending(&handle));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(who_awaits_a_handle_is_woken_when_another_thread_sends_it)
{
    static struct pawl_handle handle;
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(link));
    struct pawl_child child[1] = { pawl_child(&handle) };
    struct pawl_task *const gather = pawl_spawn(pawl_gather(child, 1));
    pawl_loop_run_once(&world.loop, false);
    ck_assert_int_eq(pawl_call_soon_threadsafe(&world.loop, &handle, nothing, NULL), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, gather), 0);
    pawl_task_release(gather);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_gather_over_children_of_another_is_refused_and_does_no_harm)
{
    static struct pawl_child child[1];
    world_begin(&world);
    child[0] = pawl_child(&stays);
    struct pawl_task *const first = pawl_spawn(pawl_gather(child, 1)), *const second = pawl_spawn(pawl_gather(child, 1));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, second), PAWL_EBUSY);
    pawl_future_set_done(&stays);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, first), 0);
    pawl_task_release(first);
    pawl_task_release(second);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("finish");
    TCase *const end = add_case(suite, "end"), *const chains = add_case(suite, "chains"), *const sent = add_case(suite, "sent");
    tcase_add_loop_test(end, a_task_in_the_frame_of_another_goes_with_it, 0, 4);
    tcase_add_loop_test(end, what_a_finally_begins_at_the_end_leaves_nothing_registered, AWAITS, SPAWNS + 1);
    tcase_add_test(end, handles_and_slots_can_be_used_in_the_next_loop);
    tcase_add_test(end, a_slot_that_failed_is_reported_to_the_loop_of_today);
    tcase_add_test(chains, a_long_chain_is_cancelled_without_a_long_stack);
    tcase_add_test(sent, what_was_sent_and_not_yet_seen_is_pending_and_can_be_cancelled);
    tcase_add_test(sent, who_awaits_a_handle_is_woken_when_another_thread_sends_it);
    tcase_add_test(sent, a_gather_over_children_of_another_is_refused_and_does_no_harm);
    return suite;
}
