/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Broadcast and watch: what every subscriber is told, what one that is too slow is told instead, and how both end. */
#include <support.h>

#include <string.h>

enum { MOST = 4, NONE = -1 };

static struct world world;
static struct trace seen;
static BROADCAST(int, 3) news;
static WATCH(int) setting;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    memset(&setting, 0, sizeof setting);
    pawl_broadcast_init(&news);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void settle(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

static void send(int from, int to)
{
    for (int item = from; item < to; item++) ck_assert_int_eq(pawl_broadcast_send(&news, item), 0);
}

static int try_receive(struct pawl_subscriber *subscriber)
{
    int item = NONE;
    const int error = pawl_broadcast_try_receive(&news, subscriber, &item);
    ck_assert((error == 0) == (item != NONE));
    return error == 0 ? item : error;
}

/* Receives to the end, with a pause after each item; `id` says in the trace who it was. */
struct listens {
    COROUTINE(void);
    int id, item;
    pawl_time pause;
    struct pawl_subscriber subscriber;
    struct pawl_broadcast_receive receive;
    struct pawl_sleep sleep;
};

ASYNC(listens)
{
    ASYNC_BEGIN(listens);
    for (;;) {
        self->item = NONE;
        TRY_AWAIT(self->receive, pawl_broadcast_receive(&news, &self->subscriber, &self->item));
        if (AWAIT_ERROR() == PAWL_ELAGGED) {
            trace(&seen, "%c-%d ", self->id, (int)self->subscriber.missed);
            continue;
        }
        if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
        trace(&seen, "%c%d ", self->id, self->item);
        if (self->pause > 0) AWAIT(self->sleep, pawl_sleep(self->pause));
    }
    ASYNC_END;
}

static TASK(listens) listeners[MOST];

static void start_listener(int i, pawl_time pause)
{
    ck_assert_ptr_nonnull(pawl_start(&listeners[i], CORO(listens, .id = 'a' + i, .pause = pause, .subscriber = pawl_subscribe(&news))));
}

/* ---- Broadcast ---- */

START_TEST(every_subscriber_receives_every_item)
{
    begin();
    for (int i = 0; i < 3; i++) start_listener(i, 0);
    once();
    send(1, 3);
    ck_assert_trace(&seen, "");
    once();
    ck_assert_trace(&seen, "a1 a2 b1 b2 c1 c2 ");
    pawl_broadcast_close(&news);
    settle();
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_future_error(&listeners[i]), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

START_TEST(a_subscriber_receives_what_is_sent_from_then_on)
{
    begin();
    send(1, 3);
    struct pawl_subscriber subscriber = pawl_subscribe(&news);
    ck_assert_int_eq(try_receive(&subscriber), PAWL_EEMPTY);
    send(3, 5);
    ck_assert_int_eq(try_receive(&subscriber), 3);
    ck_assert_int_eq(try_receive(&subscriber), 4);
    ck_assert_int_eq(try_receive(&subscriber), PAWL_EEMPTY);
    world_end(&world);
}
END_TEST

START_TEST(without_subscribers_a_send_does_no_harm)
{
    begin();
    send(0, 100);
    struct pawl_subscriber subscriber = pawl_subscribe(&news);
    send(100, 103);
    for (int item = 100; item < 103; item++) ck_assert_int_eq(try_receive(&subscriber), item);
    world_end(&world);
}
END_TEST

START_TEST(as_many_as_are_kept_are_not_lost)
{
    begin();
    struct pawl_subscriber subscriber = pawl_subscribe(&news);
    for (int round = 0; round < 10; round++) {
        send(round * 3, round * 3 + 3);
        for (int i = 0; i < 3; i++) ck_assert_int_eq(try_receive(&subscriber), round * 3 + i);
    }
    ck_assert_int_eq(try_receive(&subscriber), PAWL_EEMPTY);
    world_end(&world);
}
END_TEST

/* One more than are kept, and many more. */
START_TEST(one_that_was_too_slow_is_told_how_many_it_missed_and_goes_on_with_the_oldest_left)
{
    const int sent = _i == 0 ? 4 : 50;
    begin();
    struct pawl_subscriber subscriber = pawl_subscribe(&news);
    send(0, sent);
    ck_assert_int_eq(try_receive(&subscriber), PAWL_ELAGGED);
    ck_assert_uint_eq(subscriber.missed, (pawl_sequence)sent - 3);
    for (int item = sent - 3; item < sent; item++) ck_assert_int_eq(try_receive(&subscriber), item);
    ck_assert_int_eq(try_receive(&subscriber), PAWL_EEMPTY);
    world_end(&world);
}
END_TEST

START_TEST(one_that_is_too_slow_again_is_told_what_it_missed_since)
{
    begin();
    struct pawl_subscriber subscriber = pawl_subscribe(&news);
    send(0, 5);
    ck_assert_int_eq(try_receive(&subscriber), PAWL_ELAGGED);
    ck_assert_uint_eq(subscriber.missed, 2);
    send(5, 9); /* before it has received any of what was left */
    ck_assert_int_eq(try_receive(&subscriber), PAWL_ELAGGED);
    ck_assert_uint_eq(subscriber.missed, 4);
    ck_assert_int_eq(try_receive(&subscriber), 6);
    world_end(&world);
}
END_TEST

/* Sends an item every ten. */
struct speaks {
    COROUTINE(void);
    int item, end;
    struct pawl_sleep sleep;
};

ASYNC(speaks)
{
    ASYNC_BEGIN(speaks);
    for (; self->item < self->end; self->item++) {
        AWAIT(self->sleep, pawl_sleep(10));
        send(self->item, self->item + 1);
    }
    pawl_broadcast_close(&news);
    ASYNC_END;
}

/* 'b' looks at 10, 37, 64, 91, …; at 64 and at 91 one item has been overwritten. */
START_TEST(one_that_is_slow_does_not_hold_up_the_others)
{
    begin();
    start_listener(0, 0);
    start_listener(1, 27);
    ck_assert_int_eq(world_run(&world, CORO(speaks, .item = 1, .end = 9)), 0);
    settle();
    ck_assert_trace(&seen, "a1 b1 a2 a3 b2 a4 a5 a6 b-1 b4 a7 a8 b-1 b6 b7 b8 ");
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_future_error(&listeners[i]), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

/* At each speed: received, missed, and what is left come to what was sent, and the items are in order. */
START_TEST(at_any_speed_what_was_received_and_missed_is_what_was_sent)
{
    begin();
    for (int pause = 1; pause <= 7; pause++) {
        struct pawl_subscriber subscriber = pawl_subscribe(&news);
        int next = 0;
        for (int item = 0; item < 40; item++) {
            send(item, item + 1);
            if (item % pause != 0) continue;
            const int got = try_receive(&subscriber);
            if (got == PAWL_ELAGGED) next += (int)subscriber.missed;
            else ck_assert_int_eq(got, next++);
        }
        for (int got; (got = try_receive(&subscriber)) != PAWL_EEMPTY;) {
            if (got == PAWL_ELAGGED) next += (int)subscriber.missed;
            else ck_assert_int_eq(got, next++);
        }
        ck_assert_int_eq(next, 40);
    }
    world_end(&world);
}
END_TEST

START_TEST(one_that_waits_is_told_that_it_missed_something_when_it_runs_too_late)
{
    begin();
    start_listener(0, 0);
    once();
    send(1, 6); /* all before it runs */
    once();
    ck_assert_trace(&seen, "a-2 a3 a4 a5 ");
    pawl_broadcast_close(&news);
    settle();
    world_end(&world);
}
END_TEST

START_TEST(what_was_sent_before_the_end_is_received)
{
    begin();
    struct pawl_subscriber subscriber = pawl_subscribe(&news), late;
    send(1, 3);
    pawl_broadcast_close(&news);
    pawl_broadcast_close(&news);
    ck_assert_int_eq(pawl_broadcast_send(&news, 3), PAWL_ECLOSED);
    late = pawl_subscribe(&news);
    ck_assert_int_eq(try_receive(&late), PAWL_ECLOSED);
    ck_assert_int_eq(try_receive(&subscriber), 1);
    ck_assert_int_eq(try_receive(&subscriber), 2);
    ck_assert_int_eq(try_receive(&subscriber), PAWL_ECLOSED);
    ck_assert_int_eq(try_receive(&subscriber), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

START_TEST(one_that_missed_something_is_told_so_before_the_end)
{
    begin();
    start_listener(0, 0);
    once();
    send(0, 5);
    pawl_broadcast_close(&news);
    settle();
    ck_assert_trace(&seen, "a-2 a2 a3 a4 ");
    ck_assert_int_eq(pawl_future_error(&listeners[0]), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

START_TEST(a_receive_that_is_cancelled_has_received_nothing)
{
    begin();
    start_listener(0, 0);
    start_listener(1, 0);
    once();
    if (_i == 0) ck_assert(pawl_task_cancel(&listeners[0].awaitable));
    send(1, 2);
    if (_i == 1) ck_assert(pawl_task_cancel(&listeners[0].awaitable)); /* woken, and not run yet */
    once();
    ck_assert_trace(&seen, "b1 ");
    ck_assert(pawl_future_cancelled(&listeners[0]));
    ck_assert_int_eq(listeners[0].frame.item, NONE);
    ck_assert_int_eq(try_receive(&listeners[0].frame.subscriber), 1); /* its place is where it was */
    pawl_broadcast_close(&news);
    settle();
    world_end(&world);
}
END_TEST

START_TEST(large_items_are_sent_from_where_they_are)
{
    struct large {
        char text[80];
    };
    BROADCAST(struct large, 2) larges;
    struct large in = { "large" }, out = { "" };
    pawl_broadcast_init(&larges);
    struct pawl_subscriber subscriber = pawl_subscribe(&larges);
    ck_assert_int_eq(pawl_broadcast_send_from(&larges, &in), 0);
    in = (struct large){ "overwritten" };
    ck_assert_int_eq(pawl_broadcast_try_receive(&larges, &subscriber, &out), 0);
    ck_assert_str_eq(out.text, "large");
}
END_TEST

START_TEST(with_room_for_one_the_last_item_is_received)
{
    BROADCAST(int, 1) latest;
    int item = NONE;
    pawl_broadcast_init(&latest);
    struct pawl_subscriber subscriber = pawl_subscribe(&latest);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_broadcast_send(&latest, i), 0);
    ck_assert_int_eq(pawl_broadcast_try_receive(&latest, &subscriber, &item), PAWL_ELAGGED);
    ck_assert_uint_eq(subscriber.missed, 2);
    ck_assert_int_eq(pawl_broadcast_try_receive(&latest, &subscriber, &item), 0);
    ck_assert_int_eq(item, 2);
}
END_TEST

START_TEST(by_hand_a_subscriber_waits_for_an_item)
{
    int items[2] = { NONE, NONE };
    pawl_broadcast_init(&news);
    struct pawl_subscriber subscribers[2] = { pawl_subscribe(&news), pawl_subscribe(&news) };
    struct pawl_broadcast_receive first = pawl_broadcast_receive(&news, &subscribers[0], &items[0]);
    struct pawl_broadcast_receive second = pawl_broadcast_receive(&news, &subscribers[1], &items[1]);
    ck_assert_ptr_nonnull(coro_step(&first));
    ck_assert_ptr_nonnull(coro_step(&second));
    send(7, 8);
    ck_assert_int_eq(coro_close(&first), 0);
    ck_assert_ptr_null(coro_step(&second));
    ck_assert_int_eq(items[0], NONE);
    ck_assert_int_eq(items[1], 7);
    ck_assert_int_eq(try_receive(&subscribers[0]), 7);
}
END_TEST

/* ---- Watch ---- */

/* Follows the setting to its end. */
struct follows {
    COROUTINE(void);
    int id;
    struct pawl_seen seen;
    struct pawl_watch_changed changed;
};

ASYNC(follows)
{
    ASYNC_BEGIN(follows);
    for (;;) {
        AWAIT(self->changed, pawl_watch_changed(&setting, &self->seen));
        trace(&seen, "%c%d ", self->id, setting.value);
    }
    ASYNC_END;
}

static TASK(follows) followers[MOST];

static void start_follower(int i)
{
    ck_assert_ptr_nonnull(pawl_start(&followers[i], CORO(follows, .id = 'a' + i)));
}

START_TEST(all_that_follow_a_value_are_told_of_a_change)
{
    begin();
    for (int i = 0; i < 3; i++) start_follower(i);
    once();
    ck_assert_trace(&seen, "");
    ck_assert_int_eq(pawl_watch_send(&setting, 5), 0);
    ck_assert_int_eq(setting.value, 5);
    once();
    ck_assert_trace(&seen, "a5 b5 c5 ");
    once();
    ck_assert_trace(&seen, "a5 b5 c5 ");
    pawl_watch_close(&setting);
    settle();
    world_end(&world);
}
END_TEST

START_TEST(of_several_changes_the_latest_is_seen_once)
{
    begin();
    start_follower(0);
    once();
    for (int value = 1; value <= 4; value++) ck_assert_int_eq(pawl_watch_send(&setting, value), 0);
    once();
    once();
    ck_assert_trace(&seen, "a4 ");
    pawl_watch_close(&setting);
    settle();
    world_end(&world);
}
END_TEST

START_TEST(a_change_to_the_same_value_is_one)
{
    begin();
    start_follower(0);
    once();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pawl_watch_send(&setting, 0), 0);
        once();
    }
    ck_assert_trace(&seen, "a0 a0 ");
    pawl_watch_close(&setting);
    settle();
    world_end(&world);
}
END_TEST

START_TEST(a_change_that_came_before_is_seen_at_once)
{
    begin();
    ck_assert_int_eq(pawl_watch_send(&setting, 5), 0);
    start_follower(0);
    once();
    ck_assert_trace(&seen, "a5 ");
    pawl_watch_close(&setting);
    settle();
    world_end(&world);
}
END_TEST

START_TEST(one_that_begins_with_a_value_has_not_changed)
{
    WATCH(int) begun = { .value = 7 };
    struct pawl_seen nothing = { 0 };
    struct pawl_watch_changed changed = pawl_watch_changed(&begun, &nothing);
    ck_assert_ptr_nonnull(coro_step(&changed));
    ck_assert_int_eq(pawl_watch_send(&begun, 8), 0);
    ck_assert_ptr_null(coro_step(&changed));
    ck_assert_int_eq(coro_error(&changed), 0);
    ck_assert_int_eq(begun.value, 8);
}
END_TEST

START_TEST(a_value_of_any_size_may_be_followed)
{
    struct large {
        char text[80];
        int number;
    };
    WATCH(struct large) large = { .value = { "", 0 } };
    ck_assert_int_eq(pawl_watch_send(&large, (struct large){ "text", 2 }), 0);
    ck_assert_str_eq(large.value.text, "text");
    pawl_watch_close(&large);
    ck_assert_int_eq(pawl_watch_send(&large, (struct large){ "other", 3 }), PAWL_ECLOSED);
    ck_assert_str_eq(large.value.text, "text");
}
END_TEST

START_TEST(the_last_value_is_seen_before_the_end)
{
    begin();
    start_follower(0);
    start_follower(1);
    once();
    ck_assert_int_eq(pawl_watch_send(&setting, 5), 0);
    pawl_watch_close(&setting);
    pawl_watch_close(&setting);
    ck_assert_int_eq(pawl_watch_send(&setting, 6), PAWL_ECLOSED);
    ck_assert_int_eq(setting.value, 5);
    once();
    ck_assert_trace(&seen, "a5 b5 ");
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_future_error(&followers[i]), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

START_TEST(one_that_waits_is_told_of_the_end)
{
    begin();
    start_follower(0);
    once();
    pawl_watch_close(&setting);
    once();
    ck_assert_int_eq(pawl_future_error(&followers[0]), PAWL_ECLOSED);
    ck_assert_trace(&seen, "");
    world_end(&world);
}
END_TEST

START_TEST(one_that_is_cancelled_has_not_seen_the_change)
{
    begin();
    start_follower(0);
    start_follower(1);
    once();
    if (_i == 0) ck_assert(pawl_task_cancel(&followers[0].awaitable));
    ck_assert_int_eq(pawl_watch_send(&setting, 5), 0);
    if (_i == 1) ck_assert(pawl_task_cancel(&followers[0].awaitable));
    once();
    ck_assert_trace(&seen, "b5 ");
    ck_assert(pawl_future_cancelled(&followers[0]));
    struct pawl_watch_changed changed = pawl_watch_changed(&setting, &followers[0].frame.seen);
    ck_assert_ptr_null(coro_step(&changed));
    ck_assert_int_eq(coro_error(&changed), 0);
    pawl_watch_close(&setting);
    settle();
    world_end(&world);
}
END_TEST

START_TEST(a_loop_may_end_while_tasks_wait_for_news)
{
    begin();
    for (int i = 0; i < 3; i++) {
        start_listener(i, 0);
        start_follower(i);
    }
    once();
    ck_assert(pawl_task_cancel(&listeners[1].awaitable));
    if (_i == 1) {
        send(1, 2);
        ck_assert_int_eq(pawl_watch_send(&setting, 1), 0);
    }
    world_end(&world);
    ck_assert_ptr_null(news.broadcast.waiters.first);
    ck_assert_ptr_null(setting.watch.waiters.first);
    ck_assert_trace(&seen, "");
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("broadcast");
    TCase *const items = add_case(suite, "items");
    tcase_add_test(items, every_subscriber_receives_every_item);
    tcase_add_test(items, a_subscriber_receives_what_is_sent_from_then_on);
    tcase_add_test(items, without_subscribers_a_send_does_no_harm);
    tcase_add_test(items, as_many_as_are_kept_are_not_lost);
    tcase_add_test(items, large_items_are_sent_from_where_they_are);
    tcase_add_test(items, with_room_for_one_the_last_item_is_received);
    TCase *const slow = add_case(suite, "too slow");
    tcase_add_loop_test(slow, one_that_was_too_slow_is_told_how_many_it_missed_and_goes_on_with_the_oldest_left, 0, 2);
    tcase_add_test(slow, one_that_is_too_slow_again_is_told_what_it_missed_since);
    tcase_add_test(slow, one_that_is_slow_does_not_hold_up_the_others);
    tcase_add_test(slow, at_any_speed_what_was_received_and_missed_is_what_was_sent);
    tcase_add_test(slow, one_that_waits_is_told_that_it_missed_something_when_it_runs_too_late);
    TCase *const ends = add_case(suite, "end");
    tcase_add_test(ends, what_was_sent_before_the_end_is_received);
    tcase_add_test(ends, one_that_missed_something_is_told_so_before_the_end);
    tcase_add_loop_test(ends, a_receive_that_is_cancelled_has_received_nothing, 0, 2);
    tcase_add_test(ends, by_hand_a_subscriber_waits_for_an_item);
    tcase_add_loop_test(ends, a_loop_may_end_while_tasks_wait_for_news, 0, 2);
    TCase *const watch = add_case(suite, "watch");
    tcase_add_test(watch, all_that_follow_a_value_are_told_of_a_change);
    tcase_add_test(watch, of_several_changes_the_latest_is_seen_once);
    tcase_add_test(watch, a_change_to_the_same_value_is_one);
    tcase_add_test(watch, a_change_that_came_before_is_seen_at_once);
    tcase_add_test(watch, one_that_begins_with_a_value_has_not_changed);
    tcase_add_test(watch, a_value_of_any_size_may_be_followed);
    tcase_add_test(watch, the_last_value_is_seen_before_the_end);
    tcase_add_test(watch, one_that_waits_is_told_of_the_end);
    tcase_add_loop_test(watch, one_that_is_cancelled_has_not_seen_the_change, 0, 2);
    return suite;
}
