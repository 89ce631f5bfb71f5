/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Queues, as asyncio's: three orders, bounds, what is dealt with, the end; and no item lost or doubled by a cancellation. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;
static QUEUE(int, 1) one;
static QUEUE(int, 2) two;
static QUEUE(int, 128) many;

static bool less(const void *a, const void *b)
{
    return *(const int *)a < *(const int *)b;
}

enum { FIFO, LIFO, PRIORITY, KINDS };
#define INIT(q, kind) \
    ((kind) == FIFO ? (void)pawl_queue_init(q) : (kind) == LIFO ? (void)pawl_lifo_queue_init(q) : (void)pawl_priority_queue_init(q, less))

static void begin(int kind)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    INIT(&one, kind);
    INIT(&two, kind);
    INIT(&many, kind);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void run_all(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

/* What comes out at once, or the error. */
#define GET(q) (__extension__ ({ \
    int item_ = 0; \
    const int error_ = pawl_queue_get_nowait(q, &item_); \
    error_ != 0 ? error_ : item_; \
}))

static TASK(pawl_queue_put) putters[6];
static TASK(pawl_queue_get) getters[6];
static TASK(pawl_queue_join) joiner;
static int got[6];

#define START_PUT(i, q, value) ck_assert_ptr_nonnull(pawl_start(&putters[i], pawl_queue_put(q, value)))
#define START_GET(i, q) do { \
    got[i] = 0; \
    ck_assert_ptr_nonnull(pawl_start(&getters[i], pawl_queue_get(q, &got[i]))); \
} while (0)
#define START_JOIN(q) ck_assert_ptr_nonnull(pawl_start(&joiner, pawl_queue_join(q)))
#define OUTCOME(task) pawl_future_error(&(task))

static void nobody_waits(const struct pawl_queue *queue)
{
    ck_assert_ptr_null(queue->getters.first);
    ck_assert_ptr_null(queue->putters.first);
    ck_assert_ptr_null(queue->finished.waiters.first);
}

/* ---- Items and room ---- */

START_TEST(a_queue_is_empty_until_something_is_put_and_again_when_it_was_got)
{
    begin(_i);
    ck_assert(pawl_queue_empty(&many));
    START_PUT(0, &many, 1);
    once();
    ck_assert(!pawl_queue_empty(&many));
    ck_assert_uint_eq(pawl_queue_size(&many), 1);
    START_GET(0, &many);
    once();
    ck_assert_int_eq(got[0], 1);
    ck_assert(pawl_queue_empty(&many));
    world_end(&world);
}
END_TEST

START_TEST(a_queue_is_full_when_it_has_as_many_as_it_was_declared_with)
{
    begin(_i);
    ck_assert(!pawl_queue_full(&many) && !pawl_queue_full(&one));
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 1), 0);
    ck_assert(pawl_queue_full(&one));
    ck_assert_int_eq(GET(&one), 1);
    ck_assert(!pawl_queue_full(&one));
    world_end(&world);
}
END_TEST

START_TEST(items_come_out_in_the_order_of_the_kind)
{
    static const int orders[KINDS][3] = { { 1, 3, 2 }, { 2, 3, 1 }, { 1, 2, 3 } };
    begin(_i);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_queue_put_nowait(&many, orders[FIFO][i]), 0);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(GET(&many), orders[_i][i]);
    world_end(&world);
}
END_TEST

/* Once with items of a word, once with others. */
#define ROUND_AND_ROUND(type) do { \
    QUEUE(type, 3) three; \
    type in = 0, out = 0, item = 0; \
    pawl_queue_init(&three); \
    for (int round = 0; round < 20; round++) { \
        for (int i = 0; i < 1 + round % 3; i++) \
            if (pawl_queue_put_nowait(&three, in) == 0) in++; \
        for (int i = 0; i < 1 + round % 2; i++) \
            if (pawl_queue_get_nowait(&three, &item) == 0) ck_assert_int_eq(item, out++); \
    } \
    while (pawl_queue_get_nowait(&three, &item) == 0) ck_assert_int_eq(item, out++); \
    ck_assert_int_eq(in, out); \
    ck_assert_int_gt(in, 20); \
} while (0)

START_TEST(first_in_first_out_holds_round_and_round)
{
    if (_i == 0) ROUND_AND_ROUND(intptr_t);
    else ROUND_AND_ROUND(short);
}
END_TEST

static QUEUE(const char *, 2) words;

struct says {
    COROUTINE(int);
    const char *const *texts;
    struct pawl_queue_put put;
};

ASYNC(says)
{
    ASYNC_BEGIN(says);
    for (; *self->texts != NULL; self->texts++) AWAIT(self->put, pawl_queue_put(&words, *self->texts));
    pawl_queue_shutdown(&words, false);
    ASYNC_END;
}

struct hears {
    COROUTINE(int);
    const char *text;
    struct pawl_queue_get get;
};

ASYNC(hears)
{
    ASYNC_BEGIN(hears);
    for (;;) {
        AWAIT(self->get, pawl_queue_get(&words, &self->text));
        trace(&seen, "%s ", self->text);
    }
    ASYNC_END;
}

START_TEST(pointers_go_through_it_until_it_is_shut_down)
{
    static const char *const texts[] = { "a", "b", "c", "d", "e", "f", "g", NULL };
    begin(FIFO);
    pawl_queue_init(&words);
    struct pawl_task *const task = pawl_spawn(CORO(says, .texts = texts));
    ck_assert_int_eq(world_run(&world, CORO(hears)), PAWL_ECLOSED);
    ck_assert_trace(&seen, "a b c d e f g ");
    ck_assert_int_eq(OUTCOME(*task), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(by_priority_the_least_of_many_comes_out_whatever_came_in_between)
{
    unsigned random = 1 + (unsigned)_i, counts[64] = { 0 };
    pawl_priority_queue_init(&many, less);
    for (int round = 0; round < 1000; round++) {
        random = random * 1103515245u + 12345u;
        const int value = (int)(random >> 16 & 63);
        if ((random >> 24 & 1) && pawl_queue_put_nowait(&many, value) == 0) {
            counts[value]++;
        } else if (!pawl_queue_empty(&many)) {
            int least = 0;
            while (counts[least] == 0) least++;
            ck_assert_int_eq(GET(&many), least);
            counts[least]--;
        }
    }
}
END_TEST

struct wide { long long words[5]; };

static bool wide_before(const void *a, const void *b)
{
    return ((const struct wide *)a)->words[4] < ((const struct wide *)b)->words[4];
}

START_TEST(an_item_of_any_size_is_put_by_its_address)
{
    QUEUE(struct wide, 4) wides;
    pawl_priority_queue_init(&wides, wide_before);
    for (long long i = 3; i >= 0; i--) {
        const struct wide item = { { 1, 2, 3, 4, i } };
        ck_assert_int_eq(pawl_queue_put_nowait_from(&wides, &item), 0);
    }
    for (long long i = 0; i < 4; i++) {
        struct wide item = { { 0 } };
        ck_assert_int_eq(pawl_queue_get_nowait(&wides, &item), 0);
        ck_assert_int_eq(item.words[3], 4);
        ck_assert_int_eq(item.words[4], i);
    }
}
END_TEST

struct puts {
    COROUTINE(int);
    int n, i;
    struct pawl_queue_put put;
};

ASYNC(puts)
{
    ASYNC_BEGIN(puts);
    for (self->i = 0; self->i < self->n; self->i++) {
        AWAIT(self->put, pawl_queue_put(&two, self->i));
        trace(&seen, "p%d ", self->i);
    }
    ASYNC_END;
}

START_TEST(a_put_into_a_full_one_waits_for_room)
{
    begin(FIFO);
    struct pawl_task *const task = pawl_spawn(CORO(puts, .n = 3));
    once();
    once();
    ck_assert_trace(&seen, "p0 p1 ");
    ck_assert_int_eq(GET(&two), 0);
    once();
    ck_assert_trace(&seen, "p0 p1 p2 ");
    ck_assert_int_eq(GET(&two), 1);
    ck_assert_int_eq(GET(&two), 2);
    ck_assert_int_eq(OUTCOME(*task), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_get_or_put_that_can_be_done_does_not_wait)
{
    begin(_i);
    START_PUT(0, &many, 1);
    START_GET(0, &many);
    once();
    ck_assert_int_eq(OUTCOME(putters[0]), 0);
    ck_assert_int_eq(OUTCOME(getters[0]), 0);
    ck_assert_int_eq(got[0], 1);
    world_end(&world);
}
END_TEST

START_TEST(at_once_a_get_of_nothing_and_a_put_without_room_are_refused)
{
    begin(_i);
    ck_assert_int_eq(GET(&one), PAWL_EEMPTY);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 1), 0);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 2), PAWL_EFULL);
    ck_assert_int_eq(GET(&one), 1);
    ck_assert_int_eq(GET(&one), PAWL_EEMPTY);
    world_end(&world);
}
END_TEST

static void put_it(void *argument)
{
    ck_assert_int_eq(pawl_queue_put_nowait(&one, *(const int *)argument), 0);
}

START_TEST(a_get_waits_for_an_item_from_wherever_it_comes)
{
    int item = 1;
    struct pawl_handle handle = { 0 };
    begin(FIFO);
    START_GET(0, &one);
    pawl_call_later(&world.loop, &handle, 10, put_it, &item);
    once();
    ck_assert_int_eq(OUTCOME(getters[0]), PAWL_EPENDING);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &getters[0]), 0);
    ck_assert_int_eq(got[0], 1);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    world_end(&world);
}
END_TEST

static void get_it(void *argument)
{
    ck_assert_int_eq(GET(&one), *(const int *)argument);
}

START_TEST(a_put_waits_for_room_from_wherever_it_comes)
{
    int item = 1;
    struct pawl_handle handle = { 0 };
    begin(FIFO);
    START_PUT(0, &one, 1);
    START_PUT(1, &one, 2);
    pawl_call_later(&world.loop, &handle, 10, get_it, &item);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &putters[1]), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    ck_assert_int_eq(GET(&one), 2);
    world_end(&world);
}
END_TEST

START_TEST(a_get_wakes_the_first_put_that_waits)
{
    begin(FIFO);
    for (int i = 0; i < 3; i++) START_PUT(i, &one, i);
    once();
    ck_assert_int_eq(GET(&one), 0);
    ck_assert_ptr_null(putters[1].frame.waiter.link.next);
    ck_assert_ptr_nonnull(putters[2].frame.waiter.link.next);
    once();
    ck_assert_int_eq(OUTCOME(putters[1]), 0);
    ck_assert_int_eq(OUTCOME(putters[2]), PAWL_EPENDING);
    ck_assert_int_eq(GET(&one), 1);
    once();
    ck_assert_int_eq(GET(&one), 2);
    nobody_waits(&one.queue);
    world_end(&world);
}
END_TEST

START_TEST(the_items_of_puts_that_wait_come_out_in_their_order)
{
    begin(FIFO);
    START_PUT(0, &one, 'a');
    START_PUT(1, &one, 'b');
    START_GET(0, &one);
    START_GET(1, &one);
    run_all();
    ck_assert_int_eq(got[0], 'a');
    ck_assert_int_eq(got[1], 'b');
    nobody_waits(&one.queue);
    world_end(&world);
}
END_TEST

START_TEST(a_put_wakes_a_get_that_waits)
{
    begin(FIFO);
    START_GET(0, &many);
    once();
    START_PUT(0, &many, 'a');
    run_all();
    ck_assert_int_eq(got[0], 'a');
    world_end(&world);
}
END_TEST

struct produces {
    COROUTINE(int);
    int n, i;
    struct pawl_queue_put put;
};

ASYNC(produces)
{
    ASYNC_BEGIN(produces);
    for (self->i = 0; self->i < self->n; self->i++) AWAIT(self->put, pawl_queue_put(&one, self->i));
    ASYNC_END;
}

struct consumes {
    COROUTINE(int);
    int n, item;
    struct pawl_queue_get get;
};

ASYNC(consumes)
{
    ASYNC_BEGIN(consumes);
    while (self->n-- > 0) {
        AWAIT(self->get, pawl_queue_get(&one, &self->item));
        self->result += self->item;
    }
    ASYNC_END;
}

START_TEST(a_producer_and_a_consumer_keep_each_other_going)
{
    static TASK(produces) producer;
    static TASK(consumes) consumer;
    begin(FIFO);
    if (_i == 0) ck_assert_ptr_nonnull(pawl_start(&producer, CORO(produces, .n = 5)));
    ck_assert_ptr_nonnull(pawl_start(&consumer, CORO(consumes, .n = 5)));
    if (_i == 1) ck_assert_ptr_nonnull(pawl_start(&producer, CORO(produces, .n = 5)));
    run_all();
    ck_assert_int_eq(OUTCOME(producer), 0);
    ck_assert_int_eq(OUTCOME(consumer), 0);
    ck_assert_int_eq(consumer.frame.result, 0 + 1 + 2 + 3 + 4);
    nobody_waits(&one.queue);
    world_end(&world);
}
END_TEST

START_TEST(as_many_puts_go_on_as_items_were_taken)
{
    begin(FIFO);
    for (int i = 0; i < 4; i++) START_PUT(i, &two, i);
    once();
    ck_assert_int_eq(GET(&two), 0);
    ck_assert_int_eq(GET(&two), 1);
    run_all();
    for (int i = 0; i < 4; i++) ck_assert_int_eq(OUTCOME(putters[i]), 0);
    ck_assert_uint_eq(pawl_queue_size(&two), 2);
    nobody_waits(&two.queue);
    world_end(&world);
}
END_TEST

/* ---- Cancelled ---- */

START_TEST(a_get_that_is_cancelled_takes_nothing_from_the_next)
{
    begin(FIFO);
    START_GET(0, &many);
    START_GET(1, &many);
    once();
    ck_assert(pawl_task_cancel(&getters[0].awaitable));
    if (_i == 0) once();
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 'a'), 0);
    run_all();
    ck_assert_int_eq(OUTCOME(getters[0]), PAWL_ECANCELLED);
    ck_assert_int_eq(got[1], 'a');
    nobody_waits(&many.queue);
    world_end(&world);
}
END_TEST

struct gets_for_a_time {
    COROUTINE(int);
    int item;
    struct pawl_queue_get get;
    struct pawl_wait_for timed;
};

ASYNC(gets_for_a_time)
{
    ASYNC_BEGIN(gets_for_a_time);
    self->get = pawl_queue_get(&one, &self->item);
    AWAIT(self->timed, pawl_wait_for(&self->get, 10));
    ASYNC_END;
}

START_TEST(a_get_that_timed_out_has_left_the_queue)
{
    begin(FIFO);
    ck_assert_int_eq(world_run(&world, CORO(gets_for_a_time)), PAWL_ETIMEOUT);
    nobody_waits(&one.queue);
    world_end(&world);
}
END_TEST

START_TEST(the_item_of_a_get_that_was_woken_and_cancelled_stays_the_first)
{
    begin(FIFO);
    START_GET(0, &many);
    once();
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 1), 0);
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 2), 0);
    ck_assert(pawl_task_cancel(&getters[0].awaitable));
    once();
    ck_assert_int_eq(OUTCOME(getters[0]), PAWL_ECANCELLED);
    ck_assert_int_eq(got[0], 0);
    START_GET(0, &many);
    once();
    ck_assert_int_eq(got[0], 1);
    world_end(&world);
}
END_TEST

START_TEST(of_many_gets_that_were_woken_the_cancelled_one_wakes_another)
{
    begin(FIFO);
    for (int i = 0; i < 3; i++) START_GET(i, &many);
    once();
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 1), 0);
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 2), 0);
    ck_assert(pawl_task_cancel(&getters[0].awaitable));
    run_all();
    ck_assert_int_eq(OUTCOME(getters[0]), PAWL_ECANCELLED);
    ck_assert_int_eq(got[1] + got[2], 3);
    ck_assert_int_eq(got[1] * got[2], 2);
    nobody_waits(&many.queue);
    world_end(&world);
}
END_TEST

START_TEST(a_put_that_was_woken_and_cancelled_puts_nothing)
{
    begin(FIFO);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 1), 0);
    START_PUT(0, &one, 2);
    once();
    ck_assert_int_eq(GET(&one), 1);
    ck_assert(pawl_task_cancel(&putters[0].awaitable));
    once();
    ck_assert_int_eq(OUTCOME(putters[0]), PAWL_ECANCELLED);
    ck_assert(pawl_queue_empty(&one));
    START_PUT(0, &one, 2);
    once();
    ck_assert_int_eq(GET(&one), 2);
    ck_assert_uint_eq(pawl_queue_size(&one), 0);
    world_end(&world);
}
END_TEST

START_TEST(the_room_of_a_put_that_was_woken_and_cancelled_goes_to_the_next)
{
    begin(FIFO);
    for (int i = 0; i < 3; i++) START_PUT(i, &one, i);
    once();
    ck_assert_int_eq(GET(&one), 0);
    ck_assert(pawl_task_cancel(&putters[1].awaitable));
    run_all();
    ck_assert_int_eq(OUTCOME(putters[1]), PAWL_ECANCELLED);
    ck_assert_int_eq(OUTCOME(putters[2]), 0);
    ck_assert_int_eq(GET(&one), 2);
    nobody_waits(&one.queue);
    world_end(&world);
}
END_TEST

START_TEST(a_put_that_can_be_done_is_done_in_its_first_iteration)
{
    begin(FIFO);
    START_PUT(0, &many, 1);
    START_GET(0, &many);
    once();
    ck_assert_int_eq(got[0], 1);
    ck_assert(!pawl_task_cancel(&putters[0].awaitable)); /* it has ended */
    ck_assert_int_eq(OUTCOME(putters[0]), 0);
    world_end(&world);
}
END_TEST

START_TEST(a_put_that_is_cancelled_takes_no_room_from_the_next)
{
    begin(FIFO);
    START_PUT(0, &one, 'a');
    START_PUT(1, &one, 'b');
    START_PUT(2, &one, 'X');
    once();
    ck_assert_int_eq(OUTCOME(putters[0]), 0);
    ck_assert_int_eq(OUTCOME(putters[1]), PAWL_EPENDING);
    ck_assert(pawl_task_cancel(&putters[2].awaitable));
    once();
    ck_assert_int_eq(OUTCOME(putters[2]), PAWL_ECANCELLED);
    ck_assert_int_eq(GET(&one), 'a');
    once();
    ck_assert_int_eq(GET(&one), 'b');
    ck_assert_int_eq(OUTCOME(putters[1]), 0);
    world_end(&world);
}
END_TEST

START_TEST(a_put_that_is_cancelled_leaves_the_queue)
{
    begin(FIFO);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 1), 0);
    START_PUT(0, &one, 1);
    once();
    ck_assert_ptr_nonnull(one.queue.putters.first);
    ck_assert(pawl_task_cancel(&putters[0].awaitable));
    once();
    ck_assert_int_eq(OUTCOME(putters[0]), PAWL_ECANCELLED);
    nobody_waits(&one.queue);
    ck_assert_uint_eq(pawl_queue_size(&one), 1);
    world_end(&world);
}
END_TEST

START_TEST(a_put_that_is_cancelled_after_it_was_taken_off_the_queue_is_cancelled)
{
    begin(FIFO);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 1), 0);
    START_PUT(0, &one, 1);
    once();
    ck_assert_int_eq(GET(&one), 1);
    ck_assert_ptr_null(one.queue.putters.first);
    ck_assert(pawl_task_cancel(&putters[0].awaitable));
    once();
    ck_assert_int_eq(OUTCOME(putters[0]), PAWL_ECANCELLED);
    ck_assert(pawl_queue_empty(&one));
    world_end(&world);
}
END_TEST

START_TEST(one_that_was_woken_and_came_too_late_waits_again)
{
    begin(FIFO);
    START_GET(0, &many);
    once();
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 1), 0);
    ck_assert_int_eq(GET(&many), 1); /* before it runs */
    once();
    ck_assert_int_eq(OUTCOME(getters[0]), PAWL_EPENDING);
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 2), 0);
    once();
    ck_assert_int_eq(got[0], 2);
    nobody_waits(&many.queue);
    world_end(&world);
}
END_TEST

enum { ITERATIONS = 14 };

/* Three puts, three gets, room for one; one or two are cancelled before an iteration. */
START_TEST(whoever_is_cancelled_and_whenever_every_item_is_got_once_or_still_there)
{
    for (int who = 0; who < 36; who++) {
        begin(FIFO);
        memset(putters, 0, sizeof putters);
        memset(getters, 0, sizeof getters);
        struct pawl_task *tasks[6];
        for (int i = 0; i < 3; i++) {
            tasks[i] = pawl_start(&putters[i], pawl_queue_put(&one, 1 << i));
            got[i] = 0;
        }
        for (int i = 0; i < 3; i++) tasks[3 + i] = pawl_start(&getters[i], pawl_queue_get(&one, &got[i]));
        for (int i = 0; i < _i % ITERATIONS; i++) once();
        pawl_task_cancel(tasks[who % 6]);
        if (_i >= ITERATIONS) once();
        pawl_task_cancel(tasks[who / 6]);
        run_all();
        int put = 0, taken = 0, waiting_to_put = 0, waiting_to_get = 0;
        for (int i = 0; i < 3; i++) {
            put += OUTCOME(putters[i]) == 0 ? 1 << i : 0;
            ck_assert_int_eq(taken & got[i], 0);
            taken += got[i];
            waiting_to_put += OUTCOME(putters[i]) == PAWL_EPENDING;
            waiting_to_get += OUTCOME(getters[i]) == PAWL_EPENDING;
        }
        ck_assert(waiting_to_get == 0 || pawl_queue_empty(&one));
        ck_assert(waiting_to_put == 0 || pawl_queue_full(&one));
        while (!pawl_queue_empty(&one)) {
            taken += GET(&one);
            run_all();
        }
        for (int i = 0; i < 3; i++) put |= OUTCOME(putters[i]) == 0 ? 1 << i : 0;
        ck_assert_int_eq(put, taken);
        for (int i = 0; i < 6; i++) pawl_task_cancel(tasks[i]);
        run_all();
        nobody_waits(&one.queue);
        world_end(&world);
    }
}
END_TEST

/* ---- What is dealt with ---- */

START_TEST(more_cannot_be_dealt_with_than_was_put)
{
    begin(_i);
    ck_assert_int_eq(pawl_queue_task_done(&many), PAWL_EINVAL);
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 1), 0);
    ck_assert_int_eq(pawl_queue_task_done(&many), 0);
    ck_assert_int_eq(pawl_queue_task_done(&many), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

struct worker {
    COROUTINE(int);
    int *sum, item;
    bool *running;
    struct pawl_queue_get get;
};

ASYNC(worker)
{
    ASYNC_BEGIN(worker);
    while (*self->running) {
        AWAIT(self->get, pawl_queue_get(&many, &self->item));
        *self->sum += self->item;
        ck_assert_int_eq(pawl_queue_task_done(&many), 0);
    }
    ASYNC_END;
}

START_TEST(a_join_waits_until_all_is_dealt_with)
{
    static TASK(worker) workers[2];
    int sum = 0;
    bool running = true;
    begin(_i);
    for (int i = 0; i < 100; i++) ck_assert_int_eq(pawl_queue_put_nowait(&many, i), 0);
    for (int i = 0; i < 2; i++) ck_assert_ptr_nonnull(pawl_start(&workers[i], CORO(worker, .sum = &sum, .running = &running)));
    ck_assert_int_eq(world_run(&world, pawl_queue_join(&many)), 0);
    ck_assert_int_eq(sum, 99 * 100 / 2);
    running = false;
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_queue_put_nowait(&many, 0), 0);
    run_all();
    for (int i = 0; i < 2; i++) ck_assert_int_eq(OUTCOME(workers[i]), 0);
    nobody_waits(&many.queue);
    world_end(&world);
}
END_TEST

START_TEST(a_join_of_a_queue_with_nothing_in_it_does_not_wait)
{
    begin(_i);
    for (int i = 0; i < 2; i++) {
        START_JOIN(&many);
        once();
        ck_assert_int_eq(OUTCOME(joiner), 0);
    }
    world_end(&world);
}
END_TEST

START_TEST(what_was_got_counts_until_it_is_said_to_be_dealt_with)
{
    begin(FIFO);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 1), 0);
    START_JOIN(&one);
    once();
    ck_assert_int_eq(GET(&one), 1);
    run_all();
    ck_assert_int_eq(OUTCOME(joiner), PAWL_EPENDING);
    ck_assert_int_eq(pawl_queue_task_done(&one), 0);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 2), 0); /* more, before the join runs: it was woken */
    once();
    ck_assert_int_eq(OUTCOME(joiner), 0);
    world_end(&world);
}
END_TEST

START_TEST(a_join_that_is_cancelled_leaves)
{
    begin(FIFO);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 1), 0);
    START_JOIN(&one);
    once();
    if (_i == 1) ck_assert_int_eq(pawl_queue_task_done(&one), 0);
    ck_assert(pawl_task_cancel(&joiner.awaitable));
    once();
    ck_assert_int_eq(OUTCOME(joiner), PAWL_ECANCELLED);
    nobody_waits(&one.queue);
    world_end(&world);
}
END_TEST

/* ---- The end ---- */

#define ck_assert_ended(q) do { \
    ck_assert_int_eq(world_run(&world, pawl_queue_put(q, 9)), PAWL_ECLOSED); \
    ck_assert_int_eq(pawl_queue_put_nowait(q, 9), PAWL_ECLOSED); \
    ck_assert_int_eq(world_run(&world, pawl_queue_get(q, &got[5])), PAWL_ECLOSED); \
    ck_assert_int_eq(GET(q), PAWL_ECLOSED); \
    ck_assert(pawl_queue_is_shutdown(q)); \
} while (0)

START_TEST(a_shutdown_of_an_empty_one_ends_those_that_wait_for_items)
{
    begin(_i);
    ck_assert(!pawl_queue_is_shutdown(&many));
    START_GET(0, &many);
    once();
    pawl_queue_shutdown(&many, false);
    ck_assert_uint_eq(pawl_queue_size(&many), 0);
    START_JOIN(&many);
    once();
    ck_assert_int_eq(OUTCOME(joiner), 0);
    ck_assert_int_eq(OUTCOME(getters[0]), PAWL_ECLOSED);
    ck_assert_ended(&many);
    nobody_waits(&many.queue);
    world_end(&world);
}
END_TEST

START_TEST(a_shutdown_leaves_what_is_in_it_and_ends_those_that_wait_for_room)
{
    begin(_i);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 1), 0);
    START_JOIN(&one);
    START_PUT(0, &one, 2);
    once();
    ck_assert_int_eq(OUTCOME(putters[0]), PAWL_EPENDING);
    pawl_queue_shutdown(&one, false);
    ck_assert_uint_eq(pawl_queue_size(&one), 1);
    once();
    ck_assert_int_eq(OUTCOME(putters[0]), PAWL_ECLOSED);
    START_GET(0, &one);
    once();
    ck_assert_int_eq(got[0], 1);
    once();
    ck_assert_int_eq(OUTCOME(joiner), PAWL_EPENDING);
    ck_assert_ended(&one);
    ck_assert_int_eq(pawl_queue_task_done(&one), 0);
    once();
    ck_assert_int_eq(OUTCOME(joiner), 0);
    ck_assert_int_eq(pawl_queue_task_done(&one), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

START_TEST(an_immediate_shutdown_empties_it_and_counts_the_items_as_dealt_with)
{
    begin(_i);
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 1), 0);
    START_JOIN(&many);
    once();
    pawl_queue_shutdown(&many, true);
    ck_assert_uint_eq(pawl_queue_size(&many), 0);
    once();
    ck_assert_int_eq(OUTCOME(joiner), 0);
    ck_assert_ended(&many);
    ck_assert_int_eq(pawl_queue_task_done(&many), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

START_TEST(an_immediate_shutdown_waits_for_what_was_got_before)
{
    begin(_i);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_queue_put_nowait(&many, 1), 0);
    START_JOIN(&many);
    ck_assert_int_eq(GET(&many), 1);
    pawl_queue_shutdown(&many, true);
    ck_assert_uint_eq(pawl_queue_size(&many), 0);
    once();
    ck_assert_int_eq(OUTCOME(joiner), PAWL_EPENDING);
    ck_assert_ended(&many);
    ck_assert_int_eq(pawl_queue_task_done(&many), 0);
    ck_assert_int_eq(pawl_queue_task_done(&many), PAWL_EINVAL);
    once();
    ck_assert_int_eq(OUTCOME(joiner), 0);
    world_end(&world);
}
END_TEST

START_TEST(a_shutdown_ends_all_that_wait_also_those_that_were_woken_already)
{
    begin(FIFO);
    for (int i = 0; i < 4; i++) START_PUT(i, &one, i);
    once();
    ck_assert_int_eq(GET(&one), 0); /* wakes the second */
    pawl_queue_shutdown(&one, _i == 1);
    pawl_queue_shutdown(&one, _i == 1);
    run_all();
    for (int i = 1; i < 4; i++) ck_assert_int_eq(OUTCOME(putters[i]), PAWL_ECLOSED);
    ck_assert_ended(&one);
    nobody_waits(&one.queue);
    world_end(&world);
}
END_TEST

START_TEST(a_get_that_was_woken_before_an_immediate_shutdown_gets_nothing)
{
    begin(FIFO);
    START_GET(0, &many);
    once();
    ck_assert_int_eq(pawl_queue_put_nowait(&many, 1), 0);
    pawl_queue_shutdown(&many, _i == 1);
    run_all();
    ck_assert_int_eq(OUTCOME(getters[0]), _i == 1 ? PAWL_ECLOSED : 0);
    ck_assert_int_eq(got[0], _i == 1 ? 0 : 1);
    world_end(&world);
}
END_TEST

START_TEST(first_in_first_out_holds_after_a_shutdown_that_drains)
{
    begin(FIFO);
    for (int i = 0; i < 5; i++) ck_assert_int_eq(pawl_queue_put_nowait(&many, i), 0);
    pawl_queue_shutdown(&many, false);
    for (int i = 0; i < 5; i++) ck_assert_int_eq(GET(&many), i);
    ck_assert_int_eq(GET(&many), PAWL_ECLOSED);
    world_end(&world);
}
END_TEST

/* ---- By hand, and the end of a loop ---- */

START_TEST(by_hand_a_put_and_a_get_meet)
{
    int item = 0;
    pawl_queue_init(&one);
    struct pawl_queue_get get = pawl_queue_get(&one, &item);
    struct pawl_queue_put a = pawl_queue_put(&one, 5), b = pawl_queue_put(&one, 6);
    ck_assert_ptr_nonnull(coro_step(&get));
    ck_assert_ptr_null(coro_step(&a));
    ck_assert_ptr_nonnull(coro_step(&b));
    ck_assert_ptr_null(coro_step(&get));
    ck_assert_int_eq(item, 5);
    ck_assert_ptr_null(coro_step(&b));
    ck_assert_int_eq(GET(&one), 6);
    nobody_waits(&one.queue);
}
END_TEST

START_TEST(by_hand_a_get_that_is_closed_or_thrown_at_leaves_the_item_to_the_next)
{
    int items[2] = { 0 };
    pawl_queue_init(&one);
    struct pawl_queue_get a = pawl_queue_get(&one, &items[0]), b = pawl_queue_get(&one, &items[1]);
    ck_assert_ptr_nonnull(coro_step(&a));
    ck_assert_ptr_nonnull(coro_step(&b));
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 5), 0);
    if (_i == 0) ck_assert_int_eq(coro_close(&a), 0);
    else ck_assert_ptr_null(coro_throw(&a, -5));
    ck_assert_ptr_null(coro_step(&b));
    ck_assert_int_eq(items[0], 0);
    ck_assert_int_eq(items[1], 5);
    nobody_waits(&one.queue);
}
END_TEST

START_TEST(by_hand_a_join_is_a_future)
{
    pawl_queue_init(&one);
    struct pawl_queue_join join = pawl_queue_join(&one);
    ck_assert_int_eq(pawl_queue_put_nowait(&one, 5), 0);
    ck_assert_ptr_nonnull(coro_step(&join));
    ck_assert_int_eq(pawl_queue_task_done(&one), 0);
    ck_assert_ptr_null(coro_step(&join));
    ck_assert_int_eq(coro_error(&join), 0);
}
END_TEST

START_TEST(a_loop_that_finishes_takes_its_waiters_out_of_a_queue_that_stays)
{
    begin(FIFO);
    for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(pawl_spawn(CORO(produces, .n = 2)));
    for (int i = 0; i < 2; i++) ck_assert_ptr_nonnull(pawl_spawn(pawl_queue_get(&two, &got[i])));
    ck_assert_ptr_nonnull(pawl_spawn(pawl_queue_join(&one)));
    once();
    ck_assert_ptr_nonnull(one.queue.putters.first);
    if (_i == 1) ck_assert_int_eq(GET(&one), 0);
    world_end(&world);
    nobody_waits(&one.queue);
    nobody_waits(&two.queue);
    ck_assert_uint_eq(pawl_queue_size(&one), _i == 1 ? 0 : 1);
}
END_TEST

static void add_shutdown_cases(Suite *suite)
{
    TCase *const end = add_case(suite, "shutdown");
    tcase_add_loop_test(end, a_shutdown_of_an_empty_one_ends_those_that_wait_for_items, 0, KINDS);
    tcase_add_loop_test(end, a_shutdown_leaves_what_is_in_it_and_ends_those_that_wait_for_room, 0, KINDS);
    tcase_add_loop_test(end, an_immediate_shutdown_empties_it_and_counts_the_items_as_dealt_with, 0, KINDS);
    tcase_add_loop_test(end, an_immediate_shutdown_waits_for_what_was_got_before, 0, KINDS);
    tcase_add_loop_test(end, a_shutdown_ends_all_that_wait_also_those_that_were_woken_already, 0, 2);
    tcase_add_loop_test(end, a_get_that_was_woken_before_an_immediate_shutdown_gets_nothing, 0, 2);
    tcase_add_test(end, first_in_first_out_holds_after_a_shutdown_that_drains);
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("queue");
    TCase *const items = add_case(suite, "items and room");
    tcase_add_loop_test(items, a_queue_is_empty_until_something_is_put_and_again_when_it_was_got, 0, KINDS);
    tcase_add_loop_test(items, a_queue_is_full_when_it_has_as_many_as_it_was_declared_with, 0, KINDS);
    tcase_add_loop_test(items, items_come_out_in_the_order_of_the_kind, 0, KINDS);
    tcase_add_loop_test(items, first_in_first_out_holds_round_and_round, 0, 2);
    tcase_add_test(items, pointers_go_through_it_until_it_is_shut_down);
    tcase_add_loop_test(items, by_priority_the_least_of_many_comes_out_whatever_came_in_between, 0, 8);
    tcase_add_test(items, an_item_of_any_size_is_put_by_its_address);
    tcase_add_test(items, a_put_into_a_full_one_waits_for_room);
    tcase_add_loop_test(items, a_get_or_put_that_can_be_done_does_not_wait, 0, KINDS);
    tcase_add_loop_test(items, at_once_a_get_of_nothing_and_a_put_without_room_are_refused, 0, KINDS);
    tcase_add_test(items, a_get_waits_for_an_item_from_wherever_it_comes);
    tcase_add_test(items, a_put_waits_for_room_from_wherever_it_comes);
    tcase_add_test(items, a_get_wakes_the_first_put_that_waits);
    tcase_add_test(items, the_items_of_puts_that_wait_come_out_in_their_order);
    tcase_add_test(items, a_put_wakes_a_get_that_waits);
    tcase_add_loop_test(items, a_producer_and_a_consumer_keep_each_other_going, 0, 2);
    tcase_add_test(items, as_many_puts_go_on_as_items_were_taken);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_loop_test(cancelled, a_get_that_is_cancelled_takes_nothing_from_the_next, 0, 2);
    tcase_add_test(cancelled, a_get_that_timed_out_has_left_the_queue);
    tcase_add_test(cancelled, the_item_of_a_get_that_was_woken_and_cancelled_stays_the_first);
    tcase_add_test(cancelled, of_many_gets_that_were_woken_the_cancelled_one_wakes_another);
    tcase_add_test(cancelled, a_put_that_was_woken_and_cancelled_puts_nothing);
    tcase_add_test(cancelled, the_room_of_a_put_that_was_woken_and_cancelled_goes_to_the_next);
    tcase_add_test(cancelled, a_put_that_can_be_done_is_done_in_its_first_iteration);
    tcase_add_test(cancelled, a_put_that_is_cancelled_takes_no_room_from_the_next);
    tcase_add_test(cancelled, a_put_that_is_cancelled_leaves_the_queue);
    tcase_add_test(cancelled, a_put_that_is_cancelled_after_it_was_taken_off_the_queue_is_cancelled);
    tcase_add_test(cancelled, one_that_was_woken_and_came_too_late_waits_again);
    tcase_add_loop_test(cancelled, whoever_is_cancelled_and_whenever_every_item_is_got_once_or_still_there, 0, 2 * ITERATIONS);
    TCase *const join = add_case(suite, "join");
    tcase_add_loop_test(join, more_cannot_be_dealt_with_than_was_put, 0, KINDS);
    tcase_add_loop_test(join, a_join_waits_until_all_is_dealt_with, 0, KINDS);
    tcase_add_loop_test(join, a_join_of_a_queue_with_nothing_in_it_does_not_wait, 0, KINDS);
    tcase_add_test(join, what_was_got_counts_until_it_is_said_to_be_dealt_with);
    tcase_add_loop_test(join, a_join_that_is_cancelled_leaves, 0, 2);
    add_shutdown_cases(suite);
    TCase *const hand = add_case(suite, "by hand");
    tcase_add_test(hand, by_hand_a_put_and_a_get_meet);
    tcase_add_loop_test(hand, by_hand_a_get_that_is_closed_or_thrown_at_leaves_the_item_to_the_next, 0, 2);
    tcase_add_test(hand, by_hand_a_join_is_a_future);
    tcase_add_loop_test(hand, a_loop_that_finishes_takes_its_waiters_out_of_a_queue_that_stays, 0, 2);
    return suite;
}
