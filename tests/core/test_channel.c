/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Channels: strictly first in first out for items and for those that wait on either side, their end, and that no cancellation
 * loses or doubles an item. Most rules hold with places (`buffered`, two of them) and without (`direct`), and are tested with both.
 */
#include <support.h>

#include <string.h>
#include <time.h>

enum { BUFFERED, DIRECT, KINDS, MOST = 8, NONE = -1 };

static struct world world;
static struct trace seen;
static CHANNEL(int, 2) buffered;
static CHANNEL(int, 0) direct;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    pawl_channel_init(&buffered);
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

/* ---- Those who send and receive ---- */

static struct pawl_channel_send send_to(int kind, int item)
{
    return kind == BUFFERED ? pawl_channel_send(&buffered, item) : pawl_channel_send(&direct, item);
}

static struct pawl_channel_receive receive_from(int kind, int *item)
{
    return kind == BUFFERED ? pawl_channel_receive(&buffered, item) : pawl_channel_receive(&direct, item);
}

static void close_channel(int kind)
{
    if (kind == BUFFERED) pawl_channel_close(&buffered);
    else pawl_channel_close(&direct);
}

/* Sends `count` items from `item` on, and stops at the first that raises. */
struct sends {
    COROUTINE(void);
    int kind, item, count;
    struct pawl_channel_send send;
};

ASYNC(sends)
{
    ASYNC_BEGIN(sends);
    for (; self->count > 0; self->count--, self->item++) {
        TRY_AWAIT(self->send, send_to(self->kind, self->item));
        if (AWAIT_ERROR() != 0) {
            trace(&seen, "s%d!%d ", self->item, AWAIT_ERROR());
            RAISE(AWAIT_ERROR());
        }
        trace(&seen, "s%d ", self->item);
    }
    ASYNC_END;
}

/* Receives `count` items; `id` says in the trace who it was. */
struct receives {
    COROUTINE(void);
    int kind, id, count, item;
    struct pawl_channel_receive receive;
};

ASYNC(receives)
{
    ASYNC_BEGIN(receives);
    for (; self->count > 0; self->count--) {
        self->item = NONE;
        TRY_AWAIT(self->receive, receive_from(self->kind, &self->item));
        if (AWAIT_ERROR() != 0) {
            trace(&seen, "%c!%d ", self->id, AWAIT_ERROR());
            ck_assert_int_eq(self->item, NONE);
            RAISE(AWAIT_ERROR());
        }
        trace(&seen, "%c%d ", self->id, self->item);
    }
    ASYNC_END;
}

static TASK(sends) senders[MOST];
static TASK(receives) receivers[MOST];

/* Sender number i sends one item, 10 + i, and receiver number i is called 'a' + i. */
static void start_sender(int kind, int i)
{
    ck_assert_ptr_nonnull(pawl_start(&senders[i], CORO(sends, .kind = kind, .item = 10 + i, .count = 1)));
}

static void start_receiver(int kind, int i)
{
    ck_assert_ptr_nonnull(pawl_start(&receivers[i], CORO(receives, .kind = kind, .id = 'a' + i, .count = 1)));
}

static void start_senders(int kind, int from, int to)
{
    for (int i = from; i < to; i++) start_sender(kind, i);
    once();
}

static void start_receivers(int kind, int from, int to)
{
    for (int i = from; i < to; i++) start_receiver(kind, i);
    once();
}

/* Both places of the buffered channel are taken by 1 and 2. */
static void fill(void)
{
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 1), 0);
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 2), 0);
}

static int try_receive(void)
{
    int item = NONE;
    const int error = pawl_channel_try_receive(&buffered, &item);
    ck_assert((error == 0) == (item != NONE));
    return error == 0 ? item : error;
}

static int try_receive_direct(void)
{
    int item = NONE;
    const int error = pawl_channel_try_receive(&direct, &item);
    ck_assert((error == 0) == (item != NONE));
    return error == 0 ? item : error;
}

/* ---- At once ---- */

START_TEST(items_come_out_in_the_order_in_which_they_went_in)
{
    CHANNEL(int, 3) three;
    int in = 0, out = 0, item;
    pawl_channel_init(&three);
    for (int round = 0; round < 12; round++) {
        while (pawl_channel_try_send(&three, in) == 0) in++;
        ck_assert_uint_eq(pawl_channel_size(&three), 3);
        for (int i = 0; i <= round % 3; i++, out++) {
            ck_assert_int_eq(pawl_channel_try_receive(&three, &item), 0);
            ck_assert_int_eq(item, out);
        }
    }
    ck_assert_int_eq(in - out, (int)pawl_channel_size(&three));
}
END_TEST

START_TEST(what_cannot_be_done_at_once_says_why)
{
    int item = NONE;
    begin();
    ck_assert_int_eq(pawl_channel_try_receive(&buffered, &item), PAWL_EEMPTY);
    fill();
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 3), PAWL_EFULL);
    ck_assert_uint_eq(pawl_channel_size(&buffered), 2);
    ck_assert(!pawl_channel_closed(&buffered));
    pawl_channel_close(&buffered);
    ck_assert(pawl_channel_closed(&buffered));
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 3), PAWL_ECLOSED);
    ck_assert_int_eq(try_receive(), 1);
    ck_assert_int_eq(try_receive(), 2);
    ck_assert_int_eq(pawl_channel_try_receive(&buffered, &item), PAWL_ECLOSED);
    ck_assert_int_eq(item, NONE);
    world_end(&world);
}
END_TEST

START_TEST(without_places_a_try_send_finds_none_even_if_somebody_receives)
{
    begin();
    ck_assert_int_eq(pawl_channel_try_send(&direct, 1), PAWL_EFULL);
    start_receivers(DIRECT, 0, 1);
    ck_assert_int_eq(pawl_channel_try_send(&direct, 1), PAWL_EFULL);
    ck_assert_uint_eq(pawl_channel_size(&direct), 0);
    pawl_channel_close(&direct);
    ck_assert_int_eq(pawl_channel_try_send(&direct, 1), PAWL_ECLOSED);
    settle();
    world_end(&world);
}
END_TEST

START_TEST(without_places_a_try_receive_takes_from_the_first_that_sends)
{
    begin();
    ck_assert_int_eq(try_receive_direct(), PAWL_EEMPTY);
    start_senders(DIRECT, 0, 2);
    ck_assert_int_eq(try_receive_direct(), 10);
    ck_assert_int_eq(try_receive_direct(), 11);
    ck_assert_int_eq(try_receive_direct(), PAWL_EEMPTY);
    settle();
    ck_assert_trace(&seen, "s10 s11 ");
    world_end(&world);
}
END_TEST

START_TEST(one_made_anew_is_open_and_empty)
{
    begin();
    fill();
    pawl_channel_close(&buffered);
    pawl_channel_init(&buffered);
    ck_assert(!pawl_channel_closed(&buffered));
    ck_assert_uint_eq(pawl_channel_size(&buffered), 0);
    fill();
    ck_assert_int_eq(try_receive(), 1);
    world_end(&world);
}
END_TEST

/* ---- Waiting ---- */

START_TEST(a_send_goes_on_without_a_wait_while_there_is_room)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&senders[0], CORO(sends, .kind = BUFFERED, .item = 1, .count = 3)));
    once();
    ck_assert_trace(&seen, "s1 s2 ");
    once();
    ck_assert_trace(&seen, "s1 s2 ");
    ck_assert_int_eq(try_receive(), 1);
    ck_assert_trace(&seen, "s1 s2 "); /* nobody runs within a receive */
    once();
    ck_assert_trace(&seen, "s1 s2 s3 ");
    ck_assert_int_eq(try_receive(), 2);
    ck_assert_int_eq(try_receive(), 3);
    world_end(&world);
}
END_TEST

START_TEST(a_receive_waits_for_an_item)
{
    begin();
    start_receivers(BUFFERED, 0, 1);
    ck_assert_trace(&seen, "");
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 7), 0);
    ck_assert_trace(&seen, "");
    once();
    ck_assert_trace(&seen, "a7 ");
    world_end(&world);
}
END_TEST

START_TEST(without_places_a_send_ends_when_its_item_is_received)
{
    begin();
    start_senders(DIRECT, 0, 1);
    settle();
    ck_assert_trace(&seen, "");
    start_receivers(DIRECT, 0, 1);
    ck_assert_trace(&seen, "a10 ");
    once();
    ck_assert_trace(&seen, "a10 s10 ");
    world_end(&world);
}
END_TEST

START_TEST(without_places_the_receiver_that_waits_is_met_by_the_send)
{
    begin();
    start_receivers(DIRECT, 0, 1);
    start_senders(DIRECT, 0, 1);
    ck_assert_trace(&seen, "");
    once();
    once();
    ck_assert_trace(&seen, "a10 s10 ");
    world_end(&world);
}
END_TEST

START_TEST(receivers_are_served_in_the_order_in_which_they_came)
{
    begin();
    start_receivers(_i, 0, 4);
    start_senders(_i, 0, 4);
    settle();
    const char *const expected = _i == BUFFERED ? "s10 s11 a10 b11 s12 s13 c12 d13 " : "a10 b11 c12 d13 s10 s11 s12 s13 ";
    ck_assert_trace(&seen, expected);
    world_end(&world);
}
END_TEST

START_TEST(senders_are_served_in_the_order_in_which_they_came)
{
    begin();
    if (_i == BUFFERED) fill();
    start_senders(_i, 0, 3);
    ck_assert_ptr_nonnull(pawl_start(&receivers[0], CORO(receives, .kind = _i, .id = 'a', .count = _i == BUFFERED ? 5 : 3)));
    settle();
    ck_assert_trace(&seen, _i == BUFFERED ? "a1 a2 s10 s11 a10 a11 s12 a12 " : "a10 a11 a12 s10 s11 s12 ");
    world_end(&world);
}
END_TEST

START_TEST(a_newcomer_does_not_take_what_a_receiver_was_woken_for)
{
    begin();
    start_receivers(BUFFERED, 0, 1);
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 1), 0); /* 'a' is woken, and has not run */
    ck_assert_int_eq(try_receive(), PAWL_EEMPTY);
    ck_assert_ptr_nonnull(pawl_start_eager(&receivers[1], CORO(receives, .id = 'b', .count = 1)));
    ck_assert_trace(&seen, "");
    once();
    ck_assert_trace(&seen, "a1 ");
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 2), 0);
    once();
    ck_assert_trace(&seen, "a1 b2 ");
    world_end(&world);
}
END_TEST

START_TEST(a_newcomer_does_not_take_the_place_that_a_sender_was_woken_for)
{
    begin();
    fill();
    start_senders(BUFFERED, 0, 1);
    ck_assert_int_eq(try_receive(), 1); /* the sender is woken, and has not run */
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 3), PAWL_EFULL);
    ck_assert_ptr_nonnull(pawl_start_eager(&senders[1], CORO(sends, .item = 11, .count = 1)));
    ck_assert_trace(&seen, "");
    once();
    ck_assert_trace(&seen, "s10 ");
    ck_assert_int_eq(try_receive(), 2);
    once();
    ck_assert_trace(&seen, "s10 s11 ");
    ck_assert_int_eq(try_receive(), 10);
    ck_assert_int_eq(try_receive(), 11);
    world_end(&world);
}
END_TEST

/* There is more than the woken ones have a claim to: the next ones are served, but not before them. */
START_TEST(with_a_second_item_a_newcomer_still_comes_after_the_woken_receiver)
{
    begin();
    start_receivers(BUFFERED, 0, 1);
    fill();
    ck_assert_ptr_nonnull(pawl_start_eager(&receivers[1], CORO(receives, .id = 'b', .count = 1)));
    settle();
    ck_assert_int_eq(receivers[0].frame.item, 1);
    ck_assert_int_eq(receivers[1].frame.item, 2);
    world_end(&world);
}
END_TEST

START_TEST(with_a_second_place_a_newcomer_still_comes_after_the_woken_sender)
{
    begin();
    fill();
    start_senders(BUFFERED, 0, 1);
    ck_assert_int_eq(try_receive(), 1);
    ck_assert_int_eq(try_receive(), 2);
    ck_assert_ptr_nonnull(pawl_start_eager(&senders[1], CORO(sends, .item = 11, .count = 1)));
    settle();
    ck_assert_int_eq(try_receive(), 10);
    ck_assert_int_eq(try_receive(), 11);
    world_end(&world);
}
END_TEST

START_TEST(two_that_take_turns_never_wait_for_a_third)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start(&senders[0], CORO(sends, .kind = _i, .count = 100)));
    ck_assert_ptr_nonnull(pawl_start(&receivers[0], CORO(receives, .kind = _i, .id = 'a', .count = 100)));
    settle();
    ck_assert(pawl_future_done(&senders[0]) && pawl_future_done(&receivers[0]));
    ck_assert_int_eq(receivers[0].frame.item, 99);
    world_end(&world);
}
END_TEST

/* ---- Close ---- */

START_TEST(what_is_in_a_closed_one_is_received_first)
{
    begin();
    fill();
    pawl_channel_close(&buffered);
    pawl_channel_close(&buffered);
    ck_assert_ptr_nonnull(pawl_start(&receivers[0], CORO(receives, .id = 'a', .count = 9)));
    once();
    ck_assert_trace(&seen, "a1 a2 a!-32022 ");
    ck_assert_int_eq(pawl_future_error(&receivers[0]), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

START_TEST(a_send_to_a_closed_one_raises_at_once)
{
    begin();
    close_channel(_i);
    start_senders(_i, 0, 1);
    ck_assert_trace(&seen, "s10!-32022 ");
    ck_assert_int_eq(pawl_future_error(&senders[0]), PAWL_ECLOSED);
    ck_assert_uint_eq(pawl_channel_size(&buffered), 0);
    world_end(&world);
}
END_TEST

START_TEST(receivers_that_wait_are_told_of_the_end_in_their_order)
{
    begin();
    start_receivers(_i, 0, 3);
    close_channel(_i);
    ck_assert_trace(&seen, "");
    once();
    ck_assert_trace(&seen, "a!-32022 b!-32022 c!-32022 ");
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_future_error(&receivers[i]), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

START_TEST(senders_that_wait_are_told_of_the_end_and_have_not_sent)
{
    begin();
    if (_i == BUFFERED) fill();
    start_senders(_i, 0, 3);
    close_channel(_i);
    once();
    ck_assert_trace(&seen, "s10!-32022 s11!-32022 s12!-32022 ");
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_future_error(&senders[i]), PAWL_ECLOSED);
    if (_i == BUFFERED) {
        ck_assert_int_eq(try_receive(), 1);
        ck_assert_int_eq(try_receive(), 2);
        ck_assert_int_eq(try_receive(), PAWL_ECLOSED);
    } else {
        ck_assert_int_eq(try_receive_direct(), PAWL_ECLOSED);
    }
    world_end(&world);
}
END_TEST

START_TEST(a_sender_that_was_woken_but_had_not_sent_is_too_late)
{
    begin();
    fill();
    start_senders(BUFFERED, 0, 1);
    ck_assert_int_eq(try_receive(), 1);
    pawl_channel_close(&buffered);
    once();
    ck_assert_int_eq(pawl_future_error(&senders[0]), PAWL_ECLOSED);
    ck_assert_int_eq(try_receive(), 2);
    ck_assert_int_eq(try_receive(), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

START_TEST(a_receiver_that_was_woken_has_its_item_although_it_was_closed_since)
{
    begin();
    start_receivers(BUFFERED, 0, 2);
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 1), 0);
    pawl_channel_close(&buffered);
    once();
    ck_assert_trace(&seen, "a1 b!-32022 ");
    ck_assert_int_eq(pawl_future_error(&receivers[1]), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

START_TEST(a_receiver_that_was_woken_and_cancelled_leaves_its_item_in_the_closed_one)
{
    begin();
    start_receivers(BUFFERED, 0, 1);
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 1), 0);
    pawl_channel_close(&buffered);
    ck_assert(pawl_task_cancel(&receivers[0].awaitable));
    once();
    ck_assert_trace(&seen, "a!-32000 ");
    ck_assert_int_eq(try_receive(), 1);
    ck_assert_int_eq(try_receive(), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

/* The receiver is woken for the sender, and has not taken the item yet. */
START_TEST(without_places_an_end_between_send_and_receive_is_told_to_both)
{
    begin();
    start_receivers(DIRECT, 0, 1);
    start_senders(DIRECT, 0, 1);
    pawl_channel_close(&direct);
    settle();
    ck_assert_int_eq(pawl_future_error(&receivers[0]), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_future_error(&senders[0]), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

/* ---- Cancelled receivers ---- */

START_TEST(a_receiver_that_waits_and_is_cancelled_takes_nothing)
{
    begin();
    start_receivers(_i, 0, 3);
    ck_assert(pawl_task_cancel(&receivers[1].awaitable));
    start_senders(_i, 0, 2); /* in the iteration in which 'b' goes */
    settle();
    ck_assert_int_eq(receivers[0].frame.item, 10);
    ck_assert_int_eq(receivers[1].frame.item, NONE);
    ck_assert_int_eq(receivers[2].frame.item, 11);
    world_end(&world);
}
END_TEST

START_TEST(the_item_of_a_receiver_that_is_cancelled_on_its_way_goes_to_the_next)
{
    begin();
    start_receivers(_i, 0, 3);
    start_senders(_i, 0, 2);
    ck_assert(pawl_task_cancel(&receivers[0].awaitable));
    settle();
    ck_assert(pawl_future_cancelled(&receivers[0]));
    ck_assert_int_eq(receivers[0].frame.item, NONE);
    ck_assert_int_eq(receivers[1].frame.item, 10);
    ck_assert_int_eq(receivers[2].frame.item, 11);
    ck_assert(pawl_future_done(&senders[0]) && pawl_future_done(&senders[1]));
    world_end(&world);
}
END_TEST

START_TEST(the_item_of_a_receiver_that_is_cancelled_on_its_way_stays_when_there_is_no_next)
{
    begin();
    start_receivers(_i, 0, 1);
    start_senders(_i, 0, 1);
    ck_assert(pawl_task_cancel(&receivers[0].awaitable));
    settle();
    ck_assert(pawl_future_cancelled(&receivers[0]));
    ck_assert_int_eq(_i == BUFFERED ? try_receive() : try_receive_direct(), 10);
    settle();
    ck_assert_int_eq(pawl_future_error(&senders[0]), 0);
    world_end(&world);
}
END_TEST

START_TEST(all_receivers_cancelled_on_their_way_leave_all_items)
{
    begin();
    start_receivers(BUFFERED, 0, 4);
    fill();
    for (int i = 0; i < 4; i++) ck_assert(pawl_task_cancel(&receivers[i].awaitable));
    settle();
    ck_assert_int_eq(try_receive(), 1);
    ck_assert_int_eq(try_receive(), 2);
    ck_assert_int_eq(try_receive(), PAWL_EEMPTY);
    world_end(&world);
}
END_TEST

START_TEST(one_cancelled_receiver_that_receives_again_is_behind_the_others)
{
    begin();
    start_receivers(BUFFERED, 0, 2);
    ck_assert(pawl_task_cancel(&receivers[0].awaitable));
    once();
    start_receivers(BUFFERED, 2, 3);
    fill();
    settle();
    ck_assert_trace(&seen, "a!-32000 b1 c2 ");
    world_end(&world);
}
END_TEST

/* ---- Cancelled senders ---- */

START_TEST(a_sender_that_waits_and_is_cancelled_sends_nothing)
{
    begin();
    if (_i == BUFFERED) fill();
    start_senders(_i, 0, 3);
    ck_assert(pawl_task_cancel(&senders[1].awaitable));
    ck_assert_ptr_nonnull(pawl_start(&receivers[0], CORO(receives, .kind = _i, .id = 'a', .count = _i == BUFFERED ? 4 : 2)));
    settle();
    ck_assert(pawl_future_cancelled(&senders[1]));
    ck_assert_int_eq(receivers[0].frame.item, 12);
    ck_assert_int_eq(_i == BUFFERED ? try_receive() : try_receive_direct(), PAWL_EEMPTY);
    ck_assert_uint_eq(_i == BUFFERED ? pawl_channel_size(&buffered) : pawl_channel_size(&direct), 0);
    world_end(&world);
}
END_TEST

START_TEST(the_place_of_a_sender_that_is_cancelled_on_its_way_goes_to_the_next)
{
    begin();
    fill();
    start_senders(BUFFERED, 0, 2);
    ck_assert_int_eq(try_receive(), 1);
    ck_assert(pawl_task_cancel(&senders[0].awaitable));
    settle();
    ck_assert_trace(&seen, "s10!-32000 s11 ");
    ck_assert_int_eq(try_receive(), 2);
    ck_assert_int_eq(try_receive(), 11);
    ck_assert_int_eq(try_receive(), PAWL_EEMPTY);
    world_end(&world);
}
END_TEST

START_TEST(the_place_of_a_sender_that_is_cancelled_on_its_way_is_free_when_there_is_no_next)
{
    begin();
    fill();
    start_senders(BUFFERED, 0, 1);
    ck_assert_int_eq(try_receive(), 1);
    ck_assert(pawl_task_cancel(&senders[0].awaitable));
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 3), PAWL_EFULL);
    settle();
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 3), 0);
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 4), PAWL_EFULL);
    world_end(&world);
}
END_TEST

START_TEST(without_places_a_receiver_whose_sender_goes_waits_for_the_next)
{
    begin();
    start_receivers(DIRECT, 0, 1);
    start_senders(DIRECT, 0, 1);
    ck_assert(pawl_task_cancel(&senders[0].awaitable));
    settle();
    ck_assert_trace(&seen, "s10!-32000 ");
    ck_assert(!pawl_future_done(&receivers[0]));
    start_senders(DIRECT, 1, 2);
    settle();
    ck_assert_trace(&seen, "s10!-32000 a11 s11 ");
    world_end(&world);
}
END_TEST

START_TEST(without_places_receivers_whose_senders_go_keep_their_order)
{
    begin();
    start_receivers(DIRECT, 0, 3);
    start_senders(DIRECT, 0, 2);
    ck_assert(pawl_task_cancel(&senders[0].awaitable));
    ck_assert(pawl_task_cancel(&senders[1].awaitable));
    settle();
    start_senders(DIRECT, 2, 5);
    settle();
    for (int i = 0; i < 3; i++) ck_assert_int_eq(receivers[i].frame.item, 12 + i);
    world_end(&world);
}
END_TEST

/* ---- A cancellation that comes after the hand-over: the send ends well, and it is raised at the next suspension ---- */

/* Sends, tells so, and waits once more; or ends. */
struct sends_and_waits {
    COROUTINE(void);
    int ends;
    bool sent;
    struct pawl_channel_send send;
    struct pawl_sleep sleep;
};

ASYNC(sends_and_waits)
{
    ASYNC_BEGIN(sends_and_waits);
    AWAIT(self->send, pawl_channel_send(&direct, 5));
    self->sent = true;
    if (self->ends) ASYNC_RETURN();
    TRY {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(1)));
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "late ");
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

static TASK(sends_and_waits) late;

START_TEST(a_cancellation_after_the_item_was_taken_comes_at_the_next_suspension)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start_eager(&late, CORO(sends_and_waits)));
    ck_assert_int_eq(try_receive_direct(), 5);
    ck_assert(pawl_task_cancel(&late.awaitable));
    settle();
    ck_assert(late.frame.sent);
    ck_assert_trace(&seen, "late ");
    ck_assert(pawl_future_cancelled(&late));
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    world_end(&world);
}
END_TEST

/* As in asyncio one that is cancelled in its last step is cancelled. */
START_TEST(a_cancellation_after_the_item_was_taken_counts_when_no_suspension_follows)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start_eager(&late, CORO(sends_and_waits, .ends = true)));
    ck_assert_int_eq(try_receive_direct(), 5);
    ck_assert(pawl_task_cancel(&late.awaitable));
    settle();
    ck_assert(late.frame.sent);
    ck_assert(pawl_future_cancelled(&late));
    world_end(&world);
}
END_TEST

START_TEST(a_cancellation_that_was_taken_back_after_the_item_was_taken_is_not_raised)
{
    begin();
    ck_assert_ptr_nonnull(pawl_start_eager(&late, CORO(sends_and_waits, .ends = true)));
    ck_assert_int_eq(try_receive_direct(), 5);
    ck_assert(pawl_task_cancel(&late.awaitable));
    ck_assert_uint_eq(pawl_task_uncancel(&late.awaitable), 0);
    settle();
    ck_assert(late.frame.sent);
    ck_assert_int_eq(pawl_future_error(&late), 0);
    world_end(&world);
}
END_TEST

START_TEST(a_send_that_is_a_task_by_itself_tells_that_it_has_sent)
{
    static TASK(pawl_channel_send) send;
    begin();
    ck_assert_ptr_nonnull(pawl_start_eager(&send, pawl_channel_send(&direct, 5)));
    ck_assert_int_eq(try_receive_direct(), 5);
    ck_assert(pawl_task_cancel(&send.awaitable));
    settle();
    ck_assert_int_eq(pawl_future_error(&send), 0);
    world_end(&world);
}
END_TEST

/* ---- By hand, without a loop ---- */

START_TEST(by_hand_a_send_waits_for_a_place)
{
    pawl_channel_init(&buffered);
    fill();
    struct pawl_channel_send send = pawl_channel_send(&buffered, 3);
    struct pawl_future *const wait = coro_step(&send);
    ck_assert_ptr_nonnull(wait);
    ck_assert(!pawl_future_done(wait));
    ck_assert_ptr_eq(coro_step(&send), wait);
    ck_assert_int_eq(try_receive(), 1);
    ck_assert(pawl_future_done(wait));
    ck_assert_ptr_null(coro_step(&send));
    ck_assert_int_eq(coro_error(&send), 0);
    ck_assert_int_eq(try_receive(), 2);
    ck_assert_int_eq(try_receive(), 3);
}
END_TEST

START_TEST(by_hand_a_receive_waits_for_an_item)
{
    int item = NONE;
    pawl_channel_init(&buffered);
    struct pawl_channel_receive receive = pawl_channel_receive(&buffered, &item);
    ck_assert_ptr_nonnull(coro_step(&receive));
    ck_assert_int_eq(pawl_channel_try_send(&buffered, 3), 0);
    ck_assert_int_eq(item, NONE);
    ck_assert_ptr_null(coro_step(&receive));
    ck_assert_int_eq(coro_error(&receive), 0);
    ck_assert_int_eq(item, 3);
}
END_TEST

START_TEST(by_hand_the_two_sides_meet)
{
    int item = NONE;
    pawl_channel_init(&direct);
    struct pawl_channel_send send = pawl_channel_send(&direct, 3);
    struct pawl_channel_receive receive = pawl_channel_receive(&direct, &item);
    if (_i == 0) ck_assert_ptr_nonnull(coro_step(&send));
    else ck_assert_ptr_nonnull(coro_step(&receive));
    if (_i == 1) ck_assert_ptr_nonnull(coro_step(&send));
    ck_assert_ptr_null(coro_step(&receive));
    ck_assert_int_eq(item, 3);
    ck_assert_ptr_null(coro_step(&send));
    ck_assert_int_eq(coro_error(&send), 0);
}
END_TEST

/* Waiting (0) or woken (1): what it would have had goes to the next one. */
START_TEST(by_hand_a_receive_that_is_closed_or_thrown_into_takes_nothing)
{
    int items[2] = { NONE, NONE };
    pawl_channel_init(&buffered);
    struct pawl_channel_receive first = pawl_channel_receive(&buffered, &items[0]), second = pawl_channel_receive(&buffered, &items[1]);
    ck_assert_ptr_nonnull(coro_step(&first));
    ck_assert_ptr_nonnull(coro_step(&second));
    if (_i & 1) ck_assert_int_eq(pawl_channel_try_send(&buffered, 3), 0);
    if (_i & 2) ck_assert_int_eq(coro_close(&first), 0);
    else ck_assert_ptr_null(coro_throw(&first, -5));
    if (!(_i & 1)) ck_assert_int_eq(pawl_channel_try_send(&buffered, 3), 0);
    ck_assert_ptr_null(coro_step(&second));
    ck_assert_int_eq(items[0], NONE);
    ck_assert_int_eq(items[1], 3);
}
END_TEST

START_TEST(by_hand_a_send_that_is_closed_or_thrown_into_sends_nothing)
{
    pawl_channel_init(&buffered);
    fill();
    struct pawl_channel_send first = pawl_channel_send(&buffered, 3), second = pawl_channel_send(&buffered, 4);
    ck_assert_ptr_nonnull(coro_step(&first));
    ck_assert_ptr_nonnull(coro_step(&second));
    if (_i & 1) ck_assert_int_eq(try_receive(), 1);
    if (_i & 2) ck_assert_int_eq(coro_close(&first), 0);
    else ck_assert_ptr_null(coro_throw(&first, -5));
    if (!(_i & 1)) ck_assert_int_eq(try_receive(), 1);
    ck_assert_ptr_null(coro_step(&second));
    ck_assert_int_eq(try_receive(), 2);
    ck_assert_int_eq(try_receive(), 4);
    ck_assert_int_eq(try_receive(), PAWL_EEMPTY);
}
END_TEST

START_TEST(by_hand_an_end_is_told_to_both_sides)
{
    int item = NONE;
    pawl_channel_init(&buffered);
    struct pawl_channel_receive receive = pawl_channel_receive(&buffered, &item);
    ck_assert_ptr_nonnull(coro_step(&receive));
    pawl_channel_close(&buffered);
    ck_assert_ptr_null(coro_step(&receive));
    ck_assert_int_eq(coro_error(&receive), PAWL_ECLOSED);
    pawl_channel_init(&buffered);
    fill();
    struct pawl_channel_send send = pawl_channel_send(&buffered, 3);
    ck_assert_ptr_nonnull(coro_step(&send));
    pawl_channel_close(&buffered);
    ck_assert_ptr_null(coro_step(&send));
    ck_assert_int_eq(coro_error(&send), PAWL_ECLOSED);
}
END_TEST

/* ---- Items ---- */

struct point {
    double x, y;
};
struct large {
    char text[96];
    int number;
};

START_TEST(items_are_copied_whatever_their_size)
{
    CHANNEL(char, 2) chars;
    CHANNEL(struct point, 2) points;
    CHANNEL(const char *, 2) texts;
    char letter;
    struct point point;
    const char *text;
    pawl_channel_init(&chars);
    pawl_channel_init(&points);
    pawl_channel_init(&texts);
    ck_assert_int_eq(pawl_channel_try_send(&chars, 'x'), 0);
    ck_assert_int_eq(pawl_channel_try_send(&points, (struct point){ 1, 2 }), 0);
    ck_assert_int_eq(pawl_channel_try_send(&texts, "text"), 0);
    ck_assert_int_eq(pawl_channel_try_receive(&chars, &letter), 0);
    ck_assert_int_eq(pawl_channel_try_receive(&points, &point), 0);
    ck_assert_int_eq(pawl_channel_try_receive(&texts, &text), 0);
    ck_assert_int_eq(letter, 'x');
    ck_assert(point.x == 1 && point.y == 2);
    ck_assert_str_eq(text, "text");
}
END_TEST

START_TEST(a_large_item_is_copied_when_there_is_room)
{
    CHANNEL(struct large, 1) larges;
    struct large in = { "first", 1 }, out;
    pawl_channel_init(&larges);
    ck_assert_int_eq(pawl_channel_try_send_from(&larges, &in), 0);
    in = (struct large){ "second", 2 };
    ck_assert_int_eq(pawl_channel_try_send_from(&larges, &in), PAWL_EFULL);
    struct pawl_channel_send send = pawl_channel_send_from(&larges, &in);
    ck_assert_ptr_nonnull(coro_step(&send));
    ck_assert_int_eq(pawl_channel_try_receive(&larges, &out), 0);
    ck_assert_str_eq(out.text, "first");
    ck_assert_ptr_null(coro_step(&send));
    in = (struct large){ "overwritten", 3 };
    ck_assert_int_eq(pawl_channel_try_receive(&larges, &out), 0);
    ck_assert_str_eq(out.text, "second");
    ck_assert_int_eq(out.number, 2);
}
END_TEST

START_TEST(without_places_a_large_item_goes_straight_from_one_to_the_other)
{
    CHANNEL(struct large, 0) larges;
    struct large in = { "large", 1 }, out = { "", 0 };
    pawl_channel_init(&larges);
    struct pawl_channel_send send = pawl_channel_send_from(&larges, &in);
    struct pawl_channel_receive receive = pawl_channel_receive(&larges, &out);
    ck_assert_ptr_nonnull(coro_step(&send));
    ck_assert_ptr_null(coro_step(&receive));
    ck_assert_str_eq(out.text, "large");
    ck_assert_ptr_null(coro_step(&send));
}
END_TEST

/* ---- Everything at random: what was sent is received, once ---- */

enum { PEOPLE = 6, EACH = 30, ITEMS = PEOPLE * EACH };

static unsigned seed, state;

static unsigned at_random(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

static struct {
    bool sent[ITEMS];
    int received[ITEMS];
    int last[PEOPLE]; /* of each producer, the item that came last */
} ledger;

static void note_received(int item)
{
    const int whose = item / EACH;
    ck_assert_msg(item >= 0 && item < ITEMS, "seed %u: item %d was never sent", seed, item);
    ck_assert_msg(item > ledger.last[whose], "seed %u: item %d came after item %d", seed, item, ledger.last[whose]);
    ledger.last[whose] = item;
    ledger.received[item]++;
}

/* Sends its items one by one; one whose send raised has not been sent. */
struct produces {
    COROUTINE(void);
    int kind, item, end;
    struct pawl_channel_send send;
    struct pawl_sleep sleep;
};

ASYNC(produces)
{
    ASYNC_BEGIN(produces);
    for (; self->item < self->end; self->item++) {
        TRY_AWAIT(self->send, send_to(self->kind, self->item));
        ledger.sent[self->item] = AWAIT_ERROR() == 0;
        if (at_random(3) == 0) TRY_AWAIT(self->sleep, pawl_yield());
    }
    ASYNC_END;
}

struct consumes {
    COROUTINE(void);
    int kind, item;
    struct pawl_channel_receive receive;
    struct pawl_sleep sleep;
};

ASYNC(consumes)
{
    ASYNC_BEGIN(consumes);
    for (;;) {
        TRY_AWAIT(self->receive, receive_from(self->kind, &self->item));
        if (AWAIT_ERROR() == PAWL_ECLOSED) break;
        if (AWAIT_ERROR() == 0) note_received(self->item);
        if (at_random(3) == 0) TRY_AWAIT(self->sleep, pawl_yield());
    }
    ASYNC_END;
}

static TASK(produces) producers[PEOPLE];
static TASK(consumes) consumers[PEOPLE];

static void start_people(int kind)
{
    memset(&ledger, 0, sizeof ledger);
    for (int i = 0; i < PEOPLE; i++) {
        ledger.last[i] = -1;
        ck_assert_ptr_nonnull(pawl_start(&producers[i], CORO(produces, .kind = kind, .item = i * EACH, .end = (i + 1) * EACH)));
        ck_assert_ptr_nonnull(pawl_start(&consumers[i], CORO(consumes, .kind = kind)));
    }
}

static bool all_produced(void)
{
    for (int i = 0; i < PEOPLE; i++)
        if (!pawl_future_done(&producers[i])) return false;
    return true;
}

/* Between two iterations somebody is cancelled, or something is received in passing. */
static void disturb(int kind)
{
    for (unsigned times = at_random(4); times > 0; times--) {
        const unsigned who = at_random(PEOPLE);
        switch (at_random(4)) {
        case 0: pawl_task_cancel(&producers[who].awaitable); break;
        case 1: pawl_task_cancel(&consumers[who].awaitable); break;
        case 2: {
            const int item = kind == BUFFERED ? try_receive() : try_receive_direct();
            if (item >= 0) note_received(item);
            break;
        }
        default: break;
        }
    }
}

static void run_people(int kind)
{
    begin();
    state = seed * 2654435761u + 1;
    start_people(kind);
    while (!all_produced()) {
        disturb(kind);
        once();
        ck_assert_msg(pawl_loop_pending(&world.loop) || all_produced(), "seed %u: all of them wait", seed);
    }
    close_channel(kind);
    settle();
    for (int i = 0; i < PEOPLE; i++) ck_assert_msg(pawl_future_done(&consumers[i]), "seed %u: consumer %d waits for ever", seed, i);
    for (int item = 0; item < ITEMS; item++)
        ck_assert_msg(ledger.received[item] == ledger.sent[item], "seed %u: item %d was %s, and received %d times", seed, item,
                      ledger.sent[item] ? "sent" : "not sent", ledger.received[item]);
    world_end(&world);
}

/* PAWL_SEED=n repeats one. */
START_TEST(with_cancellations_at_random_what_was_sent_is_received_once)
{
    const char *const given = getenv("PAWL_SEED");
    const unsigned first = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    for (unsigned i = 0; i < (given ? 1 : 100); i++) {
        seed = first + i;
        run_people(_i);
    }
}
END_TEST

/* Nobody is disturbed: nothing fails, and all is received. */
START_TEST(without_cancellations_everything_arrives)
{
    begin();
    state = seed = 1;
    start_people(_i);
    while (!all_produced()) once();
    close_channel(_i);
    settle();
    for (int item = 0; item < ITEMS; item++) ck_assert(ledger.sent[item] && ledger.received[item] == 1);
    world_end(&world);
}
END_TEST

/* ---- At random: nobody overtakes ---- */

enum { STEPS = 80 };

/* What came, in the order in which it came: a send of its own number, or a receive. */
static struct {
    bool sends, at_once, succeeded;
    int item; /* received */
    TASK(pawl_channel_send) send;
    TASK(pawl_channel_receive) receive;
} steps[STEPS];

static bool try_step(int kind, int i)
{
    if (steps[i].sends) return (kind == BUFFERED ? pawl_channel_try_send(&buffered, i) : pawl_channel_try_send(&direct, i)) == 0;
    return (kind == BUFFERED ? pawl_channel_try_receive(&buffered, &steps[i].item) : pawl_channel_try_receive(&direct, &steps[i].item)) == 0;
}

static void take_step(int kind, int i)
{
    memset(&steps[i], 0, sizeof steps[i]);
    steps[i].item = NONE;
    steps[i].sends = at_random(2) == 0;
    steps[i].at_once = at_random(5) == 0;
    if (steps[i].at_once) steps[i].succeeded = try_step(kind, i);
    else if (steps[i].sends) ck_assert_ptr_nonnull(pawl_start_eager(&steps[i].send, send_to(kind, i)));
    else ck_assert_ptr_nonnull(pawl_start_eager(&steps[i].receive, receive_from(kind, &steps[i].item)));
}

static struct pawl_task *task_of_step(int i)
{
    if (steps[i].at_once) return NULL;
    return steps[i].sends ? &steps[i].send.awaitable : &steps[i].receive.awaitable;
}

static bool step_succeeded(int i)
{
    struct pawl_task *const task = task_of_step(i);
    return task == NULL ? steps[i].succeeded : pawl_future_done(task) && pawl_future_error(task) == 0;
}

static bool step_waits(int i, bool sends)
{
    struct pawl_task *const task = task_of_step(i);
    return task != NULL && steps[i].sends == sends && !pawl_future_done(task);
}

/* Those who received have, in the order in which they came, what was sent in the order in which that came; a sender waits only for
 * want of room, and a receiver only for want of items. */
static void check_steps(int kind)
{
    int sent[STEPS], sent_count = 0, received = 0, waiting[2] = { 0, 0 };
    for (int i = 0; i < STEPS; i++) {
        waiting[steps[i].sends] += step_waits(i, steps[i].sends);
        if (steps[i].sends && step_succeeded(i)) sent[sent_count++] = i;
    }
    for (int i = 0; i < STEPS; i++) {
        if (steps[i].sends) continue;
        ck_assert_msg(step_succeeded(i) == (steps[i].item != NONE), "seed %u: receive %d", seed, i);
        if (!step_succeeded(i)) continue;
        ck_assert_msg(received < sent_count && steps[i].item == sent[received], "seed %u: receive %d has item %d", seed, i, steps[i].item);
        received++;
    }
    const size_t left = kind == BUFFERED ? pawl_channel_size(&buffered) : 0;
    ck_assert_msg(received + (int)left == sent_count, "seed %u: %d sent, %d received, %zu left", seed, sent_count, received, left);
    ck_assert_msg(waiting[0] == 0 || (waiting[1] == 0 && left == 0), "seed %u: %d wait to receive in vain", seed, waiting[0]);
    ck_assert_msg(waiting[1] == 0 || kind == DIRECT || left == 2, "seed %u: %d wait to send in vain", seed, waiting[1]);
}

/* With places; without, and only receivers are cancelled. */
START_TEST(at_random_nobody_overtakes_and_nobody_waits_in_vain)
{
    const int kind = _i == 0 ? BUFFERED : DIRECT;
    const char *const given = getenv("PAWL_SEED");
    const unsigned first = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    for (unsigned i = 0; i < (given ? 1 : 300); i++) {
        seed = first + i;
        begin();
        state = seed * 2654435761u + 1;
        for (int step = 0; step < STEPS; step++) {
            take_step(kind, step);
            if (at_random(3) == 0) once();
            for (unsigned cancels = at_random(3); cancels > 0; cancels--) {
                const int which = (int)at_random((unsigned)step + 1);
                if (_i != 1 || !steps[which].sends) pawl_task_cancel(task_of_step(which));
            }
        }
        settle();
        check_steps(kind);
        world_end(&world);
    }
}
END_TEST

/* Cancelled for good at random, by tens: nobody who is left waits in vain. */
START_TEST(receivers_that_are_cancelled_at_random_leave_the_others_in_order)
{
    for (seed = 1; seed <= 100; seed++) {
        int next = 10;
        begin();
        state = seed * 2654435761u + 1;
        start_receivers(_i, 0, MOST);
        for (int i = 0; i < MOST; i++) {
            if (at_random(2) == 0) pawl_task_cancel(&receivers[at_random(MOST)].awaitable);
            start_sender(_i, i);
            if (at_random(2) == 0) once();
            if (at_random(3) == 0) pawl_task_cancel(&receivers[at_random(MOST)].awaitable);
        }
        settle();
        for (int i = 0; i < MOST; i++) {
            if (receivers[i].frame.item == NONE) continue;
            ck_assert_msg(receivers[i].frame.item == next, "seed %u: receiver %d has %d, not %d", seed, i, receivers[i].frame.item, next);
            next++;
        }
        pawl_loop_shutdown(&world.loop);
        world_end(&world);
    }
}
END_TEST

START_TEST(a_loop_may_end_while_tasks_wait_for_a_channel)
{
    begin();
    if (_i == BUFFERED) fill();
    start_senders(_i, 0, 3);
    world_end(&world);
    ck_assert_trace(&seen, "s10!-32001 s11!-32001 s12!-32001 ");
    begin();
    start_receivers(_i, 0, 3);
    if (_i == BUFFERED) fill();
    world_end(&world);
    ck_assert_trace(&seen, "a!-32001 b!-32001 c!-32001 ");
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("channel");
    TCase *const at_once = add_case(suite, "at once");
    tcase_add_test(at_once, items_come_out_in_the_order_in_which_they_went_in);
    tcase_add_test(at_once, what_cannot_be_done_at_once_says_why);
    tcase_add_test(at_once, without_places_a_try_send_finds_none_even_if_somebody_receives);
    tcase_add_test(at_once, without_places_a_try_receive_takes_from_the_first_that_sends);
    tcase_add_test(at_once, one_made_anew_is_open_and_empty);
    TCase *const waiting = add_case(suite, "waiting");
    tcase_add_test(waiting, a_send_goes_on_without_a_wait_while_there_is_room);
    tcase_add_test(waiting, a_receive_waits_for_an_item);
    tcase_add_test(waiting, without_places_a_send_ends_when_its_item_is_received);
    tcase_add_test(waiting, without_places_the_receiver_that_waits_is_met_by_the_send);
    tcase_add_loop_test(waiting, receivers_are_served_in_the_order_in_which_they_came, 0, KINDS);
    tcase_add_loop_test(waiting, senders_are_served_in_the_order_in_which_they_came, 0, KINDS);
    tcase_add_test(waiting, a_newcomer_does_not_take_what_a_receiver_was_woken_for);
    tcase_add_test(waiting, a_newcomer_does_not_take_the_place_that_a_sender_was_woken_for);
    tcase_add_test(waiting, with_a_second_item_a_newcomer_still_comes_after_the_woken_receiver);
    tcase_add_test(waiting, with_a_second_place_a_newcomer_still_comes_after_the_woken_sender);
    tcase_add_loop_test(waiting, two_that_take_turns_never_wait_for_a_third, 0, KINDS);
    TCase *const closing = add_case(suite, "close");
    tcase_add_test(closing, what_is_in_a_closed_one_is_received_first);
    tcase_add_loop_test(closing, a_send_to_a_closed_one_raises_at_once, 0, KINDS);
    tcase_add_loop_test(closing, receivers_that_wait_are_told_of_the_end_in_their_order, 0, KINDS);
    tcase_add_loop_test(closing, senders_that_wait_are_told_of_the_end_and_have_not_sent, 0, KINDS);
    tcase_add_test(closing, a_sender_that_was_woken_but_had_not_sent_is_too_late);
    tcase_add_test(closing, a_receiver_that_was_woken_has_its_item_although_it_was_closed_since);
    tcase_add_test(closing, a_receiver_that_was_woken_and_cancelled_leaves_its_item_in_the_closed_one);
    tcase_add_test(closing, without_places_an_end_between_send_and_receive_is_told_to_both);
    tcase_add_loop_test(closing, a_loop_may_end_while_tasks_wait_for_a_channel, 0, KINDS);
    TCase *const cancelled = add_case(suite, "cancelled receivers");
    tcase_add_loop_test(cancelled, a_receiver_that_waits_and_is_cancelled_takes_nothing, 0, KINDS);
    tcase_add_loop_test(cancelled, the_item_of_a_receiver_that_is_cancelled_on_its_way_goes_to_the_next, 0, KINDS);
    tcase_add_loop_test(cancelled, the_item_of_a_receiver_that_is_cancelled_on_its_way_stays_when_there_is_no_next, 0, KINDS);
    tcase_add_test(cancelled, all_receivers_cancelled_on_their_way_leave_all_items);
    tcase_add_test(cancelled, one_cancelled_receiver_that_receives_again_is_behind_the_others);
    TCase *const withdrawn = add_case(suite, "cancelled senders");
    tcase_add_loop_test(withdrawn, a_sender_that_waits_and_is_cancelled_sends_nothing, 0, KINDS);
    tcase_add_test(withdrawn, the_place_of_a_sender_that_is_cancelled_on_its_way_goes_to_the_next);
    tcase_add_test(withdrawn, the_place_of_a_sender_that_is_cancelled_on_its_way_is_free_when_there_is_no_next);
    tcase_add_test(withdrawn, without_places_a_receiver_whose_sender_goes_waits_for_the_next);
    tcase_add_test(withdrawn, without_places_receivers_whose_senders_go_keep_their_order);
    TCase *const handed = add_case(suite, "cancelled after the hand-over");
    tcase_add_test(handed, a_cancellation_after_the_item_was_taken_comes_at_the_next_suspension);
    tcase_add_test(handed, a_cancellation_after_the_item_was_taken_counts_when_no_suspension_follows);
    tcase_add_test(handed, a_cancellation_that_was_taken_back_after_the_item_was_taken_is_not_raised);
    tcase_add_test(handed, a_send_that_is_a_task_by_itself_tells_that_it_has_sent);
    TCase *const by_hand = add_case(suite, "by hand");
    tcase_add_test(by_hand, by_hand_a_send_waits_for_a_place);
    tcase_add_test(by_hand, by_hand_a_receive_waits_for_an_item);
    tcase_add_loop_test(by_hand, by_hand_the_two_sides_meet, 0, 2);
    tcase_add_loop_test(by_hand, by_hand_a_receive_that_is_closed_or_thrown_into_takes_nothing, 0, 4);
    tcase_add_loop_test(by_hand, by_hand_a_send_that_is_closed_or_thrown_into_sends_nothing, 0, 4);
    tcase_add_test(by_hand, by_hand_an_end_is_told_to_both_sides);
    TCase *const items = add_case(suite, "items");
    tcase_add_test(items, items_are_copied_whatever_their_size);
    tcase_add_test(items, a_large_item_is_copied_when_there_is_room);
    tcase_add_test(items, without_places_a_large_item_goes_straight_from_one_to_the_other);
    TCase *const many = add_case(suite, "many");
    tcase_add_loop_test(many, with_cancellations_at_random_what_was_sent_is_received_once, 0, KINDS);
    tcase_add_loop_test(many, without_cancellations_everything_arrives, 0, KINDS);
    tcase_add_loop_test(many, receivers_that_are_cancelled_at_random_leave_the_others_in_order, 0, KINDS);
    tcase_add_loop_test(many, at_random_nobody_overtakes_and_nobody_waits_in_vain, 0, 2);
    return suite;
}
