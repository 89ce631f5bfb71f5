/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * select: which arm wins, that the others are cancelled before they run on and have ended when it ends, that of several receives or
 * sends one proceeds, and what it says of arms that it cannot take.
 */
#include <support.h>

#include <stdio.h>
#include <string.h>

enum { MOST = 4, NONE = -1 };

static struct world world;
static struct trace seen;
static CHANNEL(int, 2) channels[MOST];
static CHANNEL(int, 0) direct;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < MOST; i++) pawl_channel_init(&channels[i]);
    pawl_channel_init(&direct);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void settle(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

static int try_receive(int channel)
{
    int item = NONE;
    const int error = pawl_channel_try_receive(&channels[channel], &item);
    return error == 0 ? item : error;
}

/* ---- An arm, and one that selects ---- */

struct arm {
    COROUTINE(int);
    int n, error, cleanup_error;
    pawl_time span, cleanup;
    struct pawl_future *future;
    bool swallow;
    struct pawl_sleep sleep;
};

ASYNC(arm)
{
    ASYNC_BEGIN(arm);
    TRY {
        if (self->future != NULL) AWAIT(self->future);
        else AWAIT(self->sleep, pawl_sleep(self->span));
        trace(&seen, "%d ", self->n);
        if (self->error) RAISE(self->error);
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "%dc ", self->n);
        if (self->cleanup > 0) AWAIT(self->sleep, pawl_sleep(self->cleanup));
        if (self->cleanup_error) RAISE(self->cleanup_error);
        if (!self->swallow) RERAISE();
    } FINALLY {
        trace(&seen, "%df ", self->n);
    } END_TRY;
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

struct selects {
    COROUTINE(int);
    struct pawl_child *children;
    size_t count;
    struct pawl_select select;
};

ASYNC(selects)
{
    ASYNC_BEGIN(selects);
    TRY_AWAIT(self->select, pawl_select(self->children, self->count));
    self->result = AWAIT_ERROR();
    if (self->result == 0) trace(&seen, "=%d ", (int)self->select.result);
    else trace(&seen, "=%d!%d ", (int)self->select.result, self->result);
    if (self->result != 0) RAISE(self->result);
    ASYNC_END;
}

static TASK(arm) arms[MOST];
static TASK(selects) selecting;
static struct pawl_child children[MOST];

static void start_arms(int count, const struct arm *how)
{
    for (int i = 0; i < count; i++) {
        struct arm one = how[i];
        one.awaitable = CORO(arm).awaitable;
        one.n = i;
        ck_assert_ptr_nonnull(pawl_start(&arms[i], one));
        children[i] = pawl_child(&arms[i]);
    }
}

/* Begins to select among the first `count` children. */
static void start_selecting(size_t count)
{
    ck_assert_ptr_nonnull(pawl_start(&selecting, CORO(selects, .children = children, .count = count)));
    once();
}

static int select_children(size_t count)
{
    return world_run(&world, CORO(selects, .children = children, .count = count));
}

/* ---- Which one wins ---- */

START_TEST(the_first_that_is_done_wins_and_the_others_are_cancelled)
{
    begin();
    start_arms(3, (struct arm[]){ { .span = 30 }, { .span = 10 }, { .span = 20 } });
    ck_assert_int_eq(select_children(3), 0);
    ck_assert_trace(&seen, "1 1f 0c 0f 2c 2f =1 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    ck_assert(pawl_future_cancelled(&arms[0]) && pawl_future_cancelled(&arms[2]));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(arms_may_be_futures)
{
    static struct pawl_future futures[3];
    begin();
    memset(futures, 0, sizeof futures);
    for (int i = 0; i < 3; i++) children[i] = pawl_child(&futures[i]);
    start_selecting(3);
    ck_assert_int_eq(pawl_future_set_done(&futures[_i]), 0);
    for (int i = 0; i < 3; i++) ck_assert(pawl_future_cancelled(&futures[i]) == (i != _i)); /* at once */
    settle();
    ck_assert_int_eq((int)selecting.frame.select.result, _i);
    ck_assert_int_eq(pawl_future_error(&selecting), 0);
    world_end(&world);
}
END_TEST

static void never_called(void *argument)
{
    ck_abort_msg("a call that has lost, with %p", argument);
}

START_TEST(arms_may_be_timers_and_calls)
{
    static TASK(pawl_sleep) sleeps[2];
    static struct pawl_handle call;
    begin();
    children[0] = pawl_child(pawl_start(&sleeps[0], pawl_sleep(20)));
    children[1] = pawl_child(pawl_start(&sleeps[1], pawl_sleep(10)));
    ck_assert_int_eq(pawl_call_later(&world.loop, &call, 30, never_called, NULL), 0);
    children[2] = pawl_child(&call);
    ck_assert_int_eq(select_children(3), 0);
    ck_assert_trace(&seen, "=1 ");
    ck_assert(!pawl_handle_pending(&call));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(of_timers_due_at_one_instant_the_one_armed_first_wins)
{
    begin();
    start_arms(3, (struct arm[]){ { .span = 10 }, { .span = 10 }, { .span = 10 } });
    ck_assert_int_eq(select_children(3), 0);
    ck_assert_trace(&seen, "0 0f 1c 1f 2c 2f =0 ");
    world_end(&world);
}
END_TEST

START_TEST(arms_that_are_done_already_are_tried_in_their_order)
{
    static struct pawl_future futures[4];
    begin();
    memset(futures, 0, sizeof futures);
    for (int i = 0; i < 4; i++) children[i] = pawl_child(&futures[i]);
    pawl_future_set_done(&futures[3]);
    pawl_future_set_done(&futures[1]);
    ck_assert_int_eq(select_children(4), 0);
    ck_assert_trace(&seen, "=1 ");
    ck_assert(pawl_future_cancelled(&futures[0]) && pawl_future_cancelled(&futures[2]));
    ck_assert_int_eq(pawl_future_error(&futures[3]), 0);
    world_end(&world);
}
END_TEST

/* One arm is done, the other one was made a moment ago. */
struct decided {
    COROUTINE(size_t);
    struct pawl_future done;
    TASK(arm) arm;
    struct pawl_child arms[2];
    struct pawl_select select;
};

ASYNC(decided)
{
    ASYNC_BEGIN(decided);
    pawl_future_set_done(&self->done);
    AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->arm, CORO(arm)), &self->done)));
    ck_assert(pawl_future_cancelled(&self->arm));
    ASYNC_RETURN(self->select.result);
    ASYNC_END;
}

START_TEST(with_one_that_is_done_nobody_else_begins)
{
    begin();
    static TASK(decided) task;
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(decided)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &task), 0);
    ck_assert_uint_eq(task.frame.result, 1);
    ck_assert_trace(&seen, "");
    world_end(&world);
}
END_TEST

START_TEST(one_future_in_two_entries_wins_as_the_first)
{
    static struct pawl_future future;
    begin();
    future = (struct pawl_future){ 0 };
    children[0] = children[1] = pawl_child(&future);
    start_selecting(2);
    pawl_future_set_done(&future);
    settle();
    ck_assert_trace(&seen, "=0 ");
    world_end(&world);
}
END_TEST

/* ---- The others ---- */

/* Both futures are settled in one go; whoever runs first ends, and the other is ready but does not go on. */
START_TEST(losers_are_cancelled_before_they_run_on)
{
    static struct pawl_future futures[2];
    begin();
    memset(futures, 0, sizeof futures);
    start_arms(2, (struct arm[]){ { .future = &futures[0] }, { .future = &futures[1] } });
    start_selecting(2);
    once();
    pawl_future_set_done(&futures[1 - _i]);
    pawl_future_set_done(&futures[_i]);
    settle();
    ck_assert_trace(&seen, _i == 0 ? "1 1f 0c 0f =1 " : "0 0f 1c 1f =0 ");
    ck_assert_int_eq(pawl_future_error(&futures[0]), 0); /* they keep their results */
    ck_assert_int_eq(pawl_future_error(&futures[1]), 0);
    world_end(&world);
}
END_TEST

START_TEST(it_waits_for_losers_that_take_their_time)
{
    begin();
    start_arms(3, (struct arm[]){ { .span = 10 }, { .span = 90, .cleanup = 50 }, { .span = 90, .cleanup = 20 } });
    ck_assert_int_eq(select_children(3), 0);
    ck_assert_trace(&seen, "0 0f 1c 2c 2f 1f =0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 60);
    world_end(&world);
}
END_TEST

START_TEST(a_loser_that_swallows_the_cancellation_is_seen_by_its_outcome)
{
    begin();
    start_arms(2, (struct arm[]){ { .span = 90, .swallow = true, .cleanup = 5 }, { .span = 10 } });
    ck_assert_int_eq(select_children(2), 0);
    ck_assert_trace(&seen, "1 1f 0c 0f =1 ");
    ck_assert_int_eq(pawl_future_error(&arms[0]), 0);
    ck_assert_int_eq(arms[0].frame.result, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_loser_that_fails_on_its_way_out_is_reported_as_any_task)
{
    begin();
    start_arms(2, (struct arm[]){ { .span = 90, .cleanup_error = -7 }, { .span = 10 } });
    ck_assert_int_eq(select_children(2), 0);
    ck_assert_trace(&seen, "1 1f 0c 0f =1 ");
    ck_assert_int_eq(world.reports, 0);
    ck_assert_int_eq(pawl_task_finish(&arms[0].awaitable), 0);
    ck_assert_int_eq(world.reports, 1);
    ck_assert_int_eq(world.last_error, -7);
    world_end(&world);
}
END_TEST

START_TEST(two_that_end_in_one_iteration_do_not_both_win)
{
    begin();
    start_arms(2, (struct arm[]){ { .span = 0 }, { .span = 0, .swallow = true } });
    ck_assert_int_eq(select_children(2), 0);
    ck_assert_trace(&seen, "0 0f 1c 1f =0 ");
    ck_assert_int_eq(pawl_future_error(&arms[1]), 0);
    world_end(&world);
}
END_TEST

/* ---- Errors ---- */

START_TEST(the_error_of_the_winner_is_raised)
{
    begin();
    start_arms(2, (struct arm[]){ { .span = 90 }, { .span = 10, .error = -5 } });
    ck_assert_int_eq(select_children(2), -5);
    ck_assert_trace(&seen, "1 1f 0c 0f =1!-5 ");
    ck_assert_int_eq(pawl_task_finish(&arms[1].awaitable), 0);
    ck_assert_int_eq(world.reports, 0); /* it was seen */
    world_end(&world);
}
END_TEST

START_TEST(the_error_of_one_that_had_failed_before_is_raised)
{
    static struct pawl_future failed, pending;
    begin();
    failed = pending = (struct pawl_future){ 0 };
    pawl_future_set_error(&failed, -5);
    children[0] = pawl_child(&pending);
    children[1] = pawl_child(&failed);
    ck_assert_int_eq(select_children(2), -5);
    ck_assert_trace(&seen, "=1!-5 ");
    world_end(&world);
}
END_TEST

START_TEST(an_arm_that_was_cancelled_by_somebody_wins_with_that)
{
    begin();
    start_arms(2, (struct arm[]){ { .span = 90 }, { .span = 90 } });
    start_selecting(2);
    once();
    ck_assert(pawl_task_cancel(&arms[1].awaitable));
    settle();
    ck_assert_trace(&seen, "1c 1f 0c 0f =1!-32000 ");
    ck_assert_uint_eq(pawl_task_cancelling(&selecting.awaitable), 0);
    ck_assert_int_eq(pawl_future_error(&selecting), PAWL_ECANCELLED);
    world_end(&world);
}
END_TEST

/* ---- Channels: of several receives one proceeds ---- */

struct races {
    COROUTINE(size_t);
    int items[MOST];
    int count;
    bool same;
    TASK(pawl_channel_receive) receives[MOST];
    struct pawl_child arms[MOST];
    struct pawl_select select;
};

ASYNC(races)
{
    ASYNC_BEGIN(races);
    for (int i = 0; i < self->count; i++) {
        self->items[i] = NONE;
        self->arms[i] =
            pawl_child(pawl_start(&self->receives[i], pawl_channel_receive(&channels[self->same ? 0 : i], &self->items[i])));
    }
    AWAIT(self->select, pawl_select(self->arms, (size_t)self->count));
    ASYNC_RETURN(self->select.result);
    ASYNC_END;
}

static TASK(races) race;

/* How many of the receives have something; the winner has. */
static int count_received(void)
{
    int received = 0;
    for (int i = 0; i < race.frame.count; i++) {
        if (race.frame.items[i] == NONE) continue;
        received++;
        ck_assert_int_eq((int)race.frame.result, i);
    }
    return received;
}

START_TEST(of_receives_that_could_all_go_on_one_does)
{
    for (int order = 0; order < MOST; order++) {
        begin();
        ck_assert_ptr_nonnull(pawl_start(&race, CORO(races, .count = MOST)));
        for (int i = 0; i < _i; i++) once(); /* before it begins, before its arms do, while they wait */
        for (int i = 0; i < MOST; i++) {
            const int channel = (order + i) % MOST;
            ck_assert_int_eq(pawl_channel_try_send(&channels[channel], channel), 0);
        }
        settle();
        ck_assert_int_eq(pawl_future_error(&race), 0);
        ck_assert_int_eq(count_received(), 1);
        for (int i = 0; i < MOST; i++) ck_assert_int_eq(try_receive(i), i == (int)race.frame.result ? PAWL_EEMPTY : i);
        if (_i < 2) ck_assert_uint_eq(race.frame.result, 0);
        else ck_assert_int_eq((int)race.frame.result, order);
        world_end(&world);
    }
}
END_TEST

START_TEST(of_receives_from_one_channel_one_has_the_first_item)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&race, CORO(races, .count = MOST, .same = true)));
    once();
    once();
    ck_assert_int_eq(pawl_channel_try_send(&channels[0], 7), 0);
    ck_assert_int_eq(pawl_channel_try_send(&channels[0], 8), 0);
    settle();
    ck_assert_int_eq(count_received(), 1);
    ck_assert_uint_eq(race.frame.result, 0);
    ck_assert_int_eq(race.frame.items[0], 7);
    ck_assert_int_eq(try_receive(0), 8);
    ck_assert_int_eq(try_receive(0), PAWL_EEMPTY);
    world_end(&world);
}
END_TEST

START_TEST(a_closed_channel_is_an_error_of_its_arm)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&race, CORO(races, .count = 3)));
    once();
    once();
    pawl_channel_close(&channels[1]);
    settle();
    ck_assert_int_eq(pawl_future_error(&race), PAWL_ECLOSED);
    ck_assert_uint_eq(race.frame.select.result, 1);
    ck_assert_int_eq(pawl_channel_try_send(&channels[0], 1), 0);
    ck_assert_int_eq(try_receive(0), 1); /* nobody waits there any more */
    world_end(&world);
}
END_TEST

static TASK(pawl_channel_send) sends[MOST];

START_TEST(of_sends_that_could_all_go_on_one_does)
{
    begin();
    for (int i = 0; i < 3; i++) {
        pawl_channel_try_send(&channels[i], 1);
        pawl_channel_try_send(&channels[i], 2);
        children[i] = pawl_child(pawl_start(&sends[i], pawl_channel_send(&channels[i], 10 + i)));
    }
    start_selecting(3);
    once();
    for (int i = 0; i < 3; i++) ck_assert_int_eq(try_receive(2 - i), 1);
    settle();
    ck_assert_trace(&seen, "=2 ");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pawl_future_error(&sends[i]), i == 2 ? 0 : PAWL_ECANCELLED);
        ck_assert_int_eq(try_receive(i), 2);
        ck_assert_int_eq(try_receive(i), i == 2 ? 12 : PAWL_EEMPTY);
        ck_assert_int_eq(pawl_channel_try_send(&channels[i], 3), 0);
        ck_assert_int_eq(pawl_channel_try_send(&channels[i], 4), 0); /* no place is kept for one that is gone */
    }
    world_end(&world);
}
END_TEST

START_TEST(a_send_and_a_receive_may_stand_side_by_side)
{
    static TASK(pawl_channel_receive) receive;
    static int item;
    begin();
    item = NONE;
    children[0] = pawl_child(pawl_start(&sends[0], pawl_channel_send(&direct, 5)));
    children[1] = pawl_child(pawl_start(&receive, pawl_channel_receive(&channels[0], &item)));
    start_selecting(2);
    once();
    int taken = NONE;
    if (_i == 0) ck_assert_int_eq(pawl_channel_try_receive(&direct, &taken), 0);
    else ck_assert_int_eq(pawl_channel_try_send(&channels[0], 6), 0);
    settle();
    ck_assert_uint_eq(selecting.frame.select.result, _i == 0 ? 0 : 1);
    ck_assert_int_eq(taken, _i == 0 ? 5 : NONE);
    ck_assert_int_eq(item, _i == 0 ? NONE : 6);
    ck_assert_int_eq(pawl_channel_try_receive(&direct, &taken), PAWL_EEMPTY);
    world_end(&world);
}
END_TEST

/* The future wins in the moment in which it is settled: a receiver that comes later finds nobody. */
START_TEST(a_send_that_has_lost_cannot_be_received)
{
    static struct pawl_future future;
    int item = NONE;
    begin();
    future = (struct pawl_future){ 0 };
    children[0] = pawl_child(&future);
    children[1] = pawl_child(pawl_start(&sends[1], pawl_channel_send(&direct, 5)));
    start_selecting(2);
    once();
    pawl_future_set_done(&future);
    ck_assert_int_eq(pawl_channel_try_receive(&direct, &item), PAWL_EEMPTY);
    settle();
    ck_assert_trace(&seen, "=0 ");
    ck_assert(pawl_future_cancelled(&sends[1]));
    world_end(&world);
}
END_TEST

START_TEST(a_send_whose_item_was_taken_before_it_lost_has_sent)
{
    static struct pawl_future future;
    int item = NONE;
    begin();
    future = (struct pawl_future){ 0 };
    children[0] = pawl_child(&future);
    children[1] = pawl_child(pawl_start(&sends[1], pawl_channel_send(&direct, 5)));
    start_selecting(2);
    once();
    ck_assert_int_eq(pawl_channel_try_receive(&direct, &item), 0);
    ck_assert_int_eq(item, 5);
    pawl_future_set_done(&future);
    settle();
    ck_assert_trace(&seen, "=0 ");
    ck_assert_int_eq(pawl_future_error(&sends[1]), 0);
    world_end(&world);
}
END_TEST

/* ---- Cancelled itself ---- */

START_TEST(cancelled_it_cancels_all_arms_and_waits_for_their_end)
{
    begin();
    start_arms(3, (struct arm[]){ { .span = 90, .cleanup = 5 }, { .span = 90, .swallow = true }, { .span = 90 } });
    start_selecting(3);
    once();
    ck_assert(pawl_task_cancel(&selecting.awaitable));
    settle();
    ck_assert_ptr_eq(strstr(seen.text, "0c 1c 1f 2c 2f 0f ="), seen.text);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 5);
    ck_assert_int_eq(pawl_future_error(&selecting), PAWL_ECANCELLED);
    world_end(&world);
}
END_TEST

START_TEST(cancelled_while_the_losers_take_their_time_it_is_cancelled)
{
    begin();
    start_arms(2, (struct arm[]){ { .span = 0 }, { .span = 90, .cleanup = 50 } });
    start_selecting(2);
    for (int i = 0; i < 4; i++) once();
    ck_assert_trace(&seen, "0 0f 1c ");
    ck_assert(pawl_task_cancel(&selecting.awaitable));
    settle();
    ck_assert_trace(&seen, "0 0f 1c 1f =0!-32000 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0); /* the cleanup was cancelled too */
    world_end(&world);
}
END_TEST

START_TEST(cancelled_before_it_begins_it_leaves_the_arms_alone)
{
    begin();
    start_arms(1, (struct arm[]){ { .span = 10 } });
    ck_assert_ptr_nonnull(pawl_start(&selecting, CORO(selects, .children = children, .count = 1)));
    ck_assert(pawl_task_cancel(&selecting.awaitable));
    settle();
    ck_assert_trace(&seen, "0 0f ");
    world_end(&world);
}
END_TEST

/* ---- What it cannot take ---- */

START_TEST(nothing_to_select_from_is_an_error)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(selects)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(selects, .children = children)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(selects, .count = 1)), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

START_TEST(an_entry_without_a_future_is_an_error_and_the_others_are_cancelled)
{
    begin();
    start_arms(2, (struct arm[]){ { .span = 10 }, { .span = 10, .cleanup = 5 } });
    children[2] = children[_i];
    children[_i] = (struct pawl_child){ 0 };
    ck_assert_int_eq(select_children(3), PAWL_EINVAL);
    ck_assert(pawl_future_cancelled(&arms[0]) && pawl_future_cancelled(&arms[1]));
    ck_assert_int_eq(pawl_loop_time(&world.loop), 5);
    world_end(&world);
}
END_TEST

START_TEST(the_task_itself_is_an_error_and_is_not_cancelled)
{
    begin();
    start_arms(1, (struct arm[]){ { .span = 10 } });
    children[1] = pawl_child(&selecting);
    ck_assert_ptr_nonnull(pawl_start(&selecting, CORO(selects, .children = children, .count = 2)));
    settle();
    ck_assert_int_eq(pawl_future_error(&selecting), PAWL_EDEADLK);
    ck_assert_uint_eq(pawl_task_cancelling(&selecting.awaitable), 0);
    ck_assert(pawl_future_cancelled(&arms[0]));
    world_end(&world);
}
END_TEST

START_TEST(an_entry_that_another_select_uses_is_an_error_and_stays_with_it)
{
    static struct pawl_future future;
    begin();
    future = (struct pawl_future){ 0 };
    children[0] = pawl_child(&future);
    start_selecting(1);
    ck_assert_int_eq(select_children(1), PAWL_EBUSY);
    pawl_future_set_done(&future);
    settle();
    ck_assert(pawl_future_done(&selecting));
    world_end(&world);
}
END_TEST

START_TEST(by_hand_there_is_no_select)
{
    struct pawl_future future = { 0 };
    struct pawl_child child = pawl_child(&future);
    struct pawl_select select = pawl_select(&child, 1);
    ck_assert_ptr_null(coro_step(&select));
    ck_assert_int_eq(coro_error(&select), PAWL_EINVAL);
    ck_assert(!pawl_future_done(&future));
}
END_TEST

/* ---- Arms of all kinds ---- */

START_TEST(heap_tasks_may_be_arms)
{
    struct pawl_task *tasks[2];
    begin();
    for (int i = 0; i < 2; i++) {
        tasks[i] = pawl_spawn(CORO(arm, .n = i, .span = 20 - 10 * i));
        children[i] = pawl_child(tasks[i]);
    }
    start_selecting(2);
    settle();
    ck_assert_trace(&seen, "1 1f 0c 0f =1 ");
    for (int i = 0; i < 2; i++) pawl_task_release(tasks[i]);
    world_end(&world);
}
END_TEST

START_TEST(an_eager_arm_may_win_before_it_is_looked_at)
{
    static struct pawl_future done;
    begin();
    done = (struct pawl_future){ 0 };
    pawl_future_set_done(&done);
    children[0] = pawl_child(pawl_start_eager(&arms[0], CORO(arm, .n = 0, .span = 10)));
    children[1] = pawl_child(pawl_start_eager(&arms[1], CORO(arm, .n = 1, .future = &done)));
    ck_assert_int_eq(select_children(2), 0);
    ck_assert_trace(&seen, "1 1f 0c 0f =1 ");
    world_end(&world);
}
END_TEST

/* What lies behind a shield goes on. */
START_TEST(a_shielded_arm_that_loses_goes_on_behind_its_shield)
{
    static TASK(pawl_shield) shield;
    begin();
    start_arms(2, (struct arm[]){ { .span = 30 }, { .span = 10 } });
    children[0] = pawl_child(pawl_start(&shield, pawl_shield(&arms[0])));
    ck_assert_int_eq(select_children(2), 0);
    ck_assert_trace(&seen, "1 1f =1 ");
    ck_assert(pawl_future_cancelled(&shield));
    settle();
    ck_assert_trace(&seen, "1 1f =1 0 0f ");
    world_end(&world);
}
END_TEST

START_TEST(a_gather_that_loses_cancels_its_children)
{
    static TASK(pawl_gather) gather;
    static struct pawl_child gathered[2];
    begin();
    start_arms(3, (struct arm[]){ { .span = 10 }, { .span = 30 }, { .span = 40 } });
    gathered[0] = pawl_child(&arms[1]);
    gathered[1] = pawl_child(&arms[2]);
    children[1] = pawl_child(pawl_start(&gather, pawl_gather(gathered, 2)));
    ck_assert_int_eq(select_children(2), 0);
    ck_assert_trace(&seen, "0 0f 1c 1f 2c 2f =0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    world_end(&world);
}
END_TEST

START_TEST(a_gather_may_win)
{
    static TASK(pawl_gather) gather;
    static struct pawl_child gathered[2];
    begin();
    start_arms(3, (struct arm[]){ { .span = 90 }, { .span = 20 }, { .span = 10 } });
    gathered[0] = pawl_child(&arms[1]);
    gathered[1] = pawl_child(&arms[2]);
    children[1] = pawl_child(pawl_start(&gather, pawl_gather(gathered, 2)));
    ck_assert_int_eq(select_children(2), 0);
    ck_assert_trace(&seen, "2 2f 1 1f 0c 0f =1 ");
    world_end(&world);
}
END_TEST

START_TEST(a_wait_for_that_times_out_wins_with_its_error)
{
    static TASK(pawl_wait_for) timed;
    begin();
    start_arms(2, (struct arm[]){ { .span = 90 }, { .span = 50 } });
    children[1] = pawl_child(pawl_start(&timed, pawl_wait_for(&arms[1], 20)));
    ck_assert_int_eq(select_children(2), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "1c 1f 0c 0f =1!-32002 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 20);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

/* The lock is free at the instant at which the other arm wins (1), or not at all (0). */
START_TEST(an_acquire_that_loses_does_not_have_the_lock)
{
    static TASK(pawl_lock_acquire) acquire;
    struct pawl_lock lock = PAWL_LOCK_INIT;
    struct pawl_future future = { 0 };
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    children[0] = pawl_child(&future);
    children[1] = pawl_child(pawl_start(&acquire, pawl_lock_acquire(&lock)));
    start_selecting(2);
    once();
    if (_i == 1) ck_assert_int_eq(pawl_lock_release(&lock), 0);
    pawl_future_set_done(&future);
    settle();
    ck_assert_trace(&seen, "=0 ");
    ck_assert(pawl_future_cancelled(&acquire));
    if (_i == 0) ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert(!pawl_lock_locked(&lock));
    ck_assert(pawl_lock_try_acquire(&lock));
    world_end(&world);
}
END_TEST

START_TEST(an_acquire_that_wins_has_the_lock)
{
    static TASK(pawl_lock_acquire) acquire;
    struct pawl_lock lock = PAWL_LOCK_INIT;
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_arms(1, (struct arm[]){ { .span = 90 } });
    children[1] = pawl_child(pawl_start(&acquire, pawl_lock_acquire(&lock)));
    start_selecting(2);
    once();
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    settle();
    ck_assert_trace(&seen, "0c 0f =1 ");
    ck_assert(pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

/* ---- Nested ---- */

/* Selects among two sleeping arms of its own. */
struct inner {
    COROUTINE(size_t);
    int n;
    pawl_time spans[2];
    TASK(arm) arms[2];
    struct pawl_child children[2];
    struct pawl_select select;
};

ASYNC(inner)
{
    ASYNC_BEGIN(inner);
    AWAIT(self->select,
          pawl_select(CHILDREN(self->children, pawl_start(&self->arms[0], CORO(arm, .n = self->n, .span = self->spans[0])),
                               pawl_start(&self->arms[1], CORO(arm, .n = self->n + 1, .span = self->spans[1])))));
    ASYNC_RETURN(self->select.result);
    ASYNC_END;
}

struct outer {
    COROUTINE(size_t);
    pawl_time spans[4];
    TASK(inner) inner[2];
    struct pawl_child children[2];
    struct pawl_select select;
};

ASYNC(outer)
{
    ASYNC_BEGIN(outer);
    AWAIT(self->select,
          pawl_select(CHILDREN(self->children,
                               pawl_start(&self->inner[0], CORO(inner, .n = 0, .spans = { self->spans[0], self->spans[1] })),
                               pawl_start(&self->inner[1], CORO(inner, .n = 2, .spans = { self->spans[2], self->spans[3] })))));
    ASYNC_RETURN(self->select.result * 2 + self->inner[self->select.result].frame.result);
    ASYNC_END;
}

static TASK(outer) nested;

START_TEST(of_nested_selects_one_arm_wins_and_all_others_are_cancelled)
{
    const pawl_time spans[] = { 20, 20, 20, 20 };
    begin();
    struct outer frame = CORO(outer);
    memcpy(frame.spans, spans, sizeof spans);
    frame.spans[_i] = 10;
    ck_assert_ptr_nonnull(pawl_start(&nested, frame));
    settle();
    ck_assert_int_eq(pawl_future_error(&nested), 0);
    ck_assert_int_eq((int)nested.frame.result, _i);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    for (int i = 0; i < 4; i++) {
        char ended[8];
        snprintf(ended, sizeof ended, i == _i ? "%d %df " : "%dc ", i, i);
        ck_assert_ptr_nonnull(strstr(seen.text, ended));
    }
    world_end(&world);
}
END_TEST

START_TEST(nested_selects_are_cancelled_down_to_the_last_arm)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&nested, CORO(outer, .spans = { 20, 20, 20, 20 })));
    for (int i = 0; i < _i; i++) once();
    ck_assert(pawl_task_cancel(&nested.awaitable));
    settle();
    ck_assert_int_eq(pawl_future_error(&nested), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
    if (_i >= 3) ck_assert_trace(&seen, "0c 0f 1c 1f 2c 2f 3c 3f ");
    world_end(&world);
}
END_TEST

START_TEST(a_select_may_be_timed_out)
{
    static TASK(inner) slow;
    static TASK(pawl_wait_for) timed;
    static struct pawl_future never;
    begin();
    never = (struct pawl_future){ 0 };
    ck_assert_ptr_nonnull(pawl_start(&slow, CORO(inner, .n = 0, .spans = { 90, 80 })));
    children[0] = pawl_child(pawl_start(&timed, pawl_wait_for(&slow, 30)));
    children[1] = pawl_child(&never);
    ck_assert_int_eq(select_children(2), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "0c 0f 1c 1f =0!-32002 ");
    ck_assert(pawl_future_cancelled(&never));
    world_end(&world);
}
END_TEST

/* ---- Over and over ---- */

enum { TIMES = 1000 };

/* Receives with a time limit, again and again; of each two one is in time. */
struct polls {
    COROUTINE(int);
    int i, item, late;
    TASK(pawl_channel_receive) receive;
    TASK(pawl_sleep) timer;
    struct pawl_task *heap;
    struct pawl_child arms[3];
    struct pawl_select select;
};

ASYNC(polls)
{
    ASYNC_BEGIN(polls);
    for (self->i = 0; self->i < TIMES; self->i++) {
        self->heap = pawl_spawn(CORO(arm, .n = 0, .span = PAWL_SEC(100)));
        AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->receive, pawl_channel_receive(&channels[0], &self->item)),
                                                 pawl_start(&self->timer, pawl_sleep(PAWL_MS(10))), self->heap)));
        pawl_task_release(self->heap);
        memset(&seen, 0, sizeof seen);
        if (self->select.result == 0) ck_assert_int_eq(self->item, self->result++);
        else self->late++;
    }
    ASYNC_END;
}

struct feeds {
    COROUTINE(void);
    int i;
    struct pawl_channel_send send;
    struct pawl_sleep sleep;
};

ASYNC(feeds)
{
    ASYNC_BEGIN(feeds);
    for (;; self->i++) {
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(14)));
        AWAIT(self->send, pawl_channel_send(&channels[0], self->i));
    }
    ASYNC_END;
}

START_TEST(a_thousand_selects_leave_nothing_behind)
{
    static TASK(polls) poll;
    static TASK(feeds) feed;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&feed, CORO(feeds)));
    ck_assert_ptr_nonnull(pawl_start(&poll, CORO(polls)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &poll), 0);
    ck_assert_int_eq(poll.frame.result + poll.frame.late, TIMES);
    ck_assert_int_ge(poll.frame.result, TIMES / 4);
    ck_assert_int_ge(poll.frame.late, TIMES / 4);
    ck_assert_uint_eq(world.memory.alive, 0);
    ck_assert_ptr_null(channels[0].channel.receivers.first);
    ck_assert(pawl_task_cancel(&feed.awaitable));
    settle();
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

/* ---- Cancelled at each point ---- */

static int opened, closed;

struct guarded {
    COROUTINE(void);
    pawl_time span;
    struct pawl_sleep sleep;
};

ASYNC(guarded)
{
    ASYNC_BEGIN(guarded);
    opened++;
    TRY {
        AWAIT(self->sleep, pawl_sleep(self->span));
        AWAIT(self->sleep, pawl_yield());
    } FINALLY {
        closed++;
        AWAIT(self->sleep, pawl_yield());
    } END_TRY;
    ASYNC_END;
}

struct program {
    COROUTINE(void);
    int rounds, item;
    TASK(guarded) guarded[3];
    TASK(inner) inner;
    TASK(pawl_channel_receive) receive;
    struct pawl_child arms[3];
    struct pawl_select select;
};

ASYNC(program)
{
    ASYNC_BEGIN(program);
    for (; self->rounds < 3; self->rounds++) {
        AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->guarded[0], CORO(guarded, .span = 3)),
                                                 pawl_start(&self->guarded[1], CORO(guarded, .span = 1 + self->rounds * 2)),
                                                 pawl_start(&self->receive, pawl_channel_receive(&channels[1], &self->item)))));
        AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start_eager(&self->inner, CORO(inner, .spans = { 2, 4 })),
                                                 pawl_start(&self->guarded[2], CORO(guarded, .span = 2)))));
    }
    ASYNC_END;
}

static TASK(program) everything;

/* Cancels it after `first` iterations, and again `second` later; returns whether it still ran. */
static bool cancel_after(int first, int second)
{
    begin();
    opened = closed = 0;
    ck_assert_ptr_nonnull(pawl_start(&everything, CORO(program)));
    for (int i = 0; i < first && !pawl_future_done(&everything); i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    const bool in_time = pawl_task_cancel(&everything.awaitable);
    for (int i = 0; i < second; i++) once();
    if (second > 0) pawl_task_cancel(&everything.awaitable);
    settle();
    ck_assert_int_eq(pawl_future_error(&everything), in_time ? PAWL_ECANCELLED : 0);
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
    ck_assert_int_eq(opened, closed);
    ck_assert_ptr_null(channels[1].channel.receivers.first);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
    return in_time;
}

START_TEST(cancelled_at_any_iteration_it_leaves_nothing_behind)
{
    for (int second = 0; second < 4; second++) {
        int first = 0;
        while (cancel_after(first, second)) ck_assert_int_lt(++first, 200);
        ck_assert_int_ge(first, 20);
    }
}
END_TEST

START_TEST(a_loop_may_end_while_one_selects)
{
    for (int iterations = 0; iterations < 12; iterations++) {
        begin();
        opened = closed = 0;
        ck_assert_ptr_nonnull(pawl_start(&everything, CORO(program)));
        ck_assert_ptr_nonnull(pawl_spawn(CORO(outer, .spans = { 5, 6, 7, 8 })));
        for (int i = 0; i < iterations; i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
        world_end(&world);
        ck_assert_int_eq(opened, closed);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("select");
    TCase *const winner = add_case(suite, "winner");
    tcase_add_test(winner, the_first_that_is_done_wins_and_the_others_are_cancelled);
    tcase_add_loop_test(winner, arms_may_be_futures, 0, 3);
    tcase_add_test(winner, arms_may_be_timers_and_calls);
    tcase_add_test(winner, of_timers_due_at_one_instant_the_one_armed_first_wins);
    tcase_add_test(winner, arms_that_are_done_already_are_tried_in_their_order);
    tcase_add_test(winner, with_one_that_is_done_nobody_else_begins);
    tcase_add_test(winner, one_future_in_two_entries_wins_as_the_first);
    TCase *const losers = add_case(suite, "losers");
    tcase_add_loop_test(losers, losers_are_cancelled_before_they_run_on, 0, 2);
    tcase_add_test(losers, it_waits_for_losers_that_take_their_time);
    tcase_add_test(losers, a_loser_that_swallows_the_cancellation_is_seen_by_its_outcome);
    tcase_add_test(losers, a_loser_that_fails_on_its_way_out_is_reported_as_any_task);
    tcase_add_test(losers, two_that_end_in_one_iteration_do_not_both_win);
    TCase *const errors = add_case(suite, "errors");
    tcase_add_test(errors, the_error_of_the_winner_is_raised);
    tcase_add_test(errors, the_error_of_one_that_had_failed_before_is_raised);
    tcase_add_test(errors, an_arm_that_was_cancelled_by_somebody_wins_with_that);
    TCase *const of_channels = add_case(suite, "channels");
    tcase_add_loop_test(of_channels, of_receives_that_could_all_go_on_one_does, 0, 4);
    tcase_add_test(of_channels, of_receives_from_one_channel_one_has_the_first_item);
    tcase_add_test(of_channels, a_closed_channel_is_an_error_of_its_arm);
    tcase_add_test(of_channels, of_sends_that_could_all_go_on_one_does);
    tcase_add_loop_test(of_channels, a_send_and_a_receive_may_stand_side_by_side, 0, 2);
    tcase_add_test(of_channels, a_send_that_has_lost_cannot_be_received);
    tcase_add_test(of_channels, a_send_whose_item_was_taken_before_it_lost_has_sent);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_test(cancelled, cancelled_it_cancels_all_arms_and_waits_for_their_end);
    tcase_add_test(cancelled, cancelled_while_the_losers_take_their_time_it_is_cancelled);
    tcase_add_test(cancelled, cancelled_before_it_begins_it_leaves_the_arms_alone);
    tcase_add_test(cancelled, cancelled_at_any_iteration_it_leaves_nothing_behind);
    tcase_add_test(cancelled, a_loop_may_end_while_one_selects);
    TCase *const refused = add_case(suite, "refused");
    tcase_add_test(refused, nothing_to_select_from_is_an_error);
    tcase_add_loop_test(refused, an_entry_without_a_future_is_an_error_and_the_others_are_cancelled, 0, 2);
    tcase_add_test(refused, the_task_itself_is_an_error_and_is_not_cancelled);
    tcase_add_test(refused, an_entry_that_another_select_uses_is_an_error_and_stays_with_it);
    tcase_add_test(refused, by_hand_there_is_no_select);
    TCase *const kinds = add_case(suite, "kinds of arms");
    tcase_add_test(kinds, heap_tasks_may_be_arms);
    tcase_add_test(kinds, an_eager_arm_may_win_before_it_is_looked_at);
    tcase_add_test(kinds, a_shielded_arm_that_loses_goes_on_behind_its_shield);
    tcase_add_test(kinds, a_gather_that_loses_cancels_its_children);
    tcase_add_test(kinds, a_gather_may_win);
    tcase_add_test(kinds, a_wait_for_that_times_out_wins_with_its_error);
    tcase_add_loop_test(kinds, an_acquire_that_loses_does_not_have_the_lock, 0, 2);
    tcase_add_test(kinds, an_acquire_that_wins_has_the_lock);
    TCase *const nesting = add_case(suite, "nested");
    tcase_add_loop_test(nesting, of_nested_selects_one_arm_wins_and_all_others_are_cancelled, 0, 4);
    tcase_add_loop_test(nesting, nested_selects_are_cancelled_down_to_the_last_arm, 0, 6);
    tcase_add_test(nesting, a_select_may_be_timed_out);
    tcase_add_test(nesting, a_thousand_selects_leave_nothing_behind);
    return suite;
}
