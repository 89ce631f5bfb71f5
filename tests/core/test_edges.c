/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Where two things meet: a frame that goes while what it started is at work, a scope that cancels itself in a task that was
 * asked to end before, what was never initialised or never started, and where an error was raised.
 */
#include <support.h>

#include <string.h>

static struct world world;

/* ---- Frames that go ---- */

struct starts {
    COROUTINE(void);
    bool group;
    TASK(pawl_sleep) arm;
    struct pawl_child arms[1];
    struct pawl_select select;
    struct pawl_group scope;
    struct pawl_member member;
};

ASYNC(starts)
{
    ASYNC_BEGIN(starts);
    if (!self->group) {
        AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->arm, pawl_sleep(PAWL_SEC(5))))));
    } else {
        WITH(self->scope, pawl_group()) {
            pawl_group_add(&self->scope, &self->member, pawl_start(&self->arm, pawl_sleep(PAWL_SEC(5))));
        } END_WITH;
    }
    ASYNC_END;
}

struct holds {
    COROUTINE(void);
    bool group;
    struct starts *inner;
};

ASYNC(holds)
{
    ASYNC_BEGIN(holds);
    self->inner = pawl_coro_new(&world.memory.allocator, CORO(starts, .group = self->group));
    TRY {
        AWAIT(self->inner);
    } FINALLY {
        pawl_coro_free(&world.memory.allocator, self->inner);
    } END_TRY;
    ASYNC_END;
}

START_TEST(arms_and_members_in_a_frame_that_a_finally_frees_end_with_it)
{
    world_begin(&world);
    pawl_task_release(pawl_spawn(CORO(holds, .group = _i % 2 == 1)));
    for (int i = 0; i < _i / 2; i++) pawl_loop_run_once(&world.loop, false);
    world_end(&world);
}
END_TEST

typedef TASK(pawl_sleep) sleep_task;

struct refused {
    COROUTINE(void);
    sleep_task *slot;
    struct pawl_group group;
    struct pawl_member member;
    int answer;
};

ASYNC(refused)
{
    ASYNC_BEGIN(refused);
    WITH(self->group, pawl_group()) {
        pawl_group_cancel(&self->group);
        self->answer = pawl_group_add(&self->group, &self->member, pawl_start(self->slot, pawl_sleep(PAWL_SEC(5))));
    } END_WITH;
    ck_assert_int_eq(self->answer, PAWL_ECLOSED);
    ASYNC_END;
}

START_TEST(a_slot_that_a_group_refuses_has_ended_when_it_is_told_so)
{
    sleep_task slot;
    memset(&slot, 0, sizeof slot);
    world_begin(&world);
    ck_assert_int_eq(world_run(&world, CORO(refused, .slot = &slot)), 0);
    ck_assert(pawl_future_cancelled(&slot));
    memset(&slot, 0xa5, sizeof slot);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    world_end(&world);
}
END_TEST

/* ---- Requests of one's own ---- */

struct swallows {
    COROUTINE(void);
    bool group;
    struct pawl_timeout timeout;
    struct pawl_group scope;
    struct pawl_sleep sleep;
    int slept;
};

ASYNC(swallows)
{
    ASYNC_BEGIN(swallows);
    TRY {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(100)));
    } CATCH(PAWL_ECANCELLED) {
    } END_TRY;
    ck_assert_uint_eq(pawl_task_cancelling(pawl_task_current()), 1);
    if (self->group) {
        WITH(self->scope, pawl_group()) {
            ck_assert(pawl_group_cancel(&self->scope));
        } END_WITH;
    } else {
        WITH(self->timeout, pawl_cancel_scope()) {
            ck_assert(pawl_scope_cancel(&self->timeout));
        } END_WITH;
    }
    ck_assert_uint_eq(pawl_task_cancelling(pawl_task_current()), 1);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    self->slept = 1;
    ASYNC_END;
}

START_TEST(a_block_that_cancels_itself_leaves_nothing_behind_where_an_older_request_stands)
{
    static TASK(swallows) slot;
    world_begin(&world);
    pawl_start(&slot, CORO(swallows, .group = _i == 1));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    pawl_task_cancel(&slot.awaitable);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_int_eq(slot.frame.slept, 1);
    world_end(&world);
}
END_TEST

/* ---- What was never made ---- */

START_TEST(queues_and_channels_that_were_not_initialised_are_refused)
{
    static QUEUE(int, 2) queue;
    static CHANNEL(int, 2) channel;
    static BROADCAST(int, 2) broadcast;
    struct pawl_subscriber subscriber = { 0, 0 };
    int item = 0;
    struct pawl_queue_get get = pawl_queue_get(&queue, &item);
    struct pawl_channel_receive receive = pawl_channel_receive(&channel, &item);
    ck_assert_int_eq(pawl_queue_put_nowait(&queue, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_queue_get_nowait(&queue, &item), PAWL_EINVAL);
    ck_assert_int_eq(pawl_channel_try_send(&channel, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_channel_try_receive(&channel, &item), PAWL_EINVAL);
    ck_assert_int_eq(pawl_broadcast_send(&broadcast, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_broadcast_try_receive(&broadcast, &subscriber, &item), PAWL_EINVAL);
    ck_assert_ptr_null(coro_step(&get));
    ck_assert_int_eq(coro_error(&get), PAWL_EINVAL);
    ck_assert_ptr_null(coro_step(&receive));
    ck_assert_int_eq(coro_error(&receive), PAWL_EINVAL);
}
END_TEST

static void nothing(void *argument)
{
    (void)argument;
}

START_TEST(what_was_never_started_is_nothing_to_wait_for)
{
    static sleep_task slot;
    static struct pawl_handle handle;
    struct pawl_loop none = { .port = NULL };
    world_begin(&world);
    ck_assert_int_eq(pawl_future_add_callback(&slot, &world.loop, &handle, nothing, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_task_set_name(&slot.awaitable, NULL, "x"), PAWL_EINVAL);
    ck_assert_int_eq(pawl_task_set_context(&slot.awaitable, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_soon(&none, &handle, nothing, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_later(&none, &handle, 1, nothing, NULL), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

/* ---- Many notes ---- */

START_TEST(names_and_messages_of_many_tasks_are_found_in_any_order)
{
    enum { MANY = 2000 };
    static struct pawl_task *tasks[MANY];
    static char names[MANY][8];
    world_begin(&world);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "t%d", i);
        tasks[i] = pawl_spawn(pawl_sleep(PAWL_SEC(1)));
        ck_assert_int_eq(pawl_task_set_name(tasks[i], NULL, names[i]), 0);
    }
    for (int i = 0; i < MANY; i++) pawl_task_cancel_because(tasks[i * 7 % MANY], names[i]);
    for (int i = 0; i < MANY; i++) {
        ck_assert_str_eq(pawl_task_name(tasks[i]), names[i]);
        ck_assert_str_eq(pawl_task_cancel_message(tasks[i * 7 % MANY]), names[i]);
    }
    for (int i = MANY - 1; i >= 0; i--) pawl_task_release(tasks[i]);
    world_end(&world);
}
END_TEST

/* ---- Where ---- */

struct fails {
    COROUTINE(void);
};

ASYNC(fails)
{
    ASYNC_BEGIN(fails);
    RAISE(-5); /* here */
    ASYNC_END;
}
enum { RAISED_AT = __LINE__ - 3 };

static void check_place(const char *where)
{
    char expected[32];
    snprintf(expected, sizeof expected, "test_edges.c:%d", RAISED_AT);
    ck_assert_int_eq(where != NULL, PAWL_RAISE_LOCATION);
    if (where != NULL) ck_assert_ptr_nonnull(strstr(where, expected));
}

struct asks {
    COROUTINE(void);
    struct fails fails;
    struct pawl_sleep sleep;
};

ASYNC(asks)
{
    ASYNC_BEGIN(asks);
    TRY {
        AWAIT(self->fails, CORO(fails));
    } CATCH_ERROR {
        check_place(CAUGHT_WHERE());
        AWAIT(self->sleep, pawl_sleep(1));
        ck_assert_ptr_null(CAUGHT_WHERE()); /* the place is forgotten by now, the error is not */
        ck_assert_int_eq(CAUGHT(), -5);
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_handler_knows_where_its_error_was_raised_until_it_waits)
{
    world_begin(&world);
    ck_assert_int_eq(world_run(&world, CORO(asks)), 0);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("edges");
    TCase *const frames = add_case(suite, "frames");
    tcase_add_loop_test(frames, arms_and_members_in_a_frame_that_a_finally_frees_end_with_it, 0, 8);
    tcase_add_test(frames, a_slot_that_a_group_refuses_has_ended_when_it_is_told_so);
    TCase *const requests = add_case(suite, "requests");
    tcase_add_loop_test(requests, a_block_that_cancels_itself_leaves_nothing_behind_where_an_older_request_stands, 0, 2);
    TCase *const never = add_case(suite, "never made");
    tcase_add_test(never, queues_and_channels_that_were_not_initialised_are_refused);
    tcase_add_test(never, what_was_never_started_is_nothing_to_wait_for);
    TCase *const notes = add_case(suite, "notes");
    tcase_add_test(notes, names_and_messages_of_many_tasks_are_found_in_any_order);
    TCase *const where = add_case(suite, "where");
    tcase_add_test(where, a_handler_knows_where_its_error_was_raised_until_it_waits);
    return suite;
}
