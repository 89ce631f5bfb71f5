/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Locks, as asyncio's: who has it, in which order, and that no cancellation ever loses it. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;
static struct pawl_lock lock;
static TASK(pawl_lock_acquire) takers[6];
static int inside; /* how many blocks that hold the lock are running */

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    memset(takers, 0, sizeof takers);
    lock = (struct pawl_lock){ 0 };
    inside = 0;
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void run_all(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

/* Tasks that take the lock and keep it. */
static void start_takers(int count)
{
    for (int i = 0; i < count; i++) ck_assert_ptr_nonnull(pawl_start(&takers[i], pawl_lock_acquire(&lock)));
}

static bool has_it(int i)
{
    return pawl_future_error(&takers[i]) == 0;
}

static bool waits(int i)
{
    return pawl_future_error(&takers[i]) == PAWL_EPENDING;
}

static void nobody_has_it(void)
{
    ck_assert(!pawl_lock_locked(&lock));
    ck_assert_ptr_null(lock.waiters.first);
}

/* Holds the lock around a few iterations. */
struct holder {
    COROUTINE(int);
    int n, turns, error;
    bool returns, releases;
    struct pawl_lock_acquire hold;
    struct pawl_sleep sleep;
};

ASYNC(holder)
{
    ASYNC_BEGIN(holder);
    WITH(self->hold, pawl_lock_acquire(&lock)) {
        ck_assert(pawl_lock_locked(&lock));
        ck_assert_int_eq(inside++, 0);
        trace(&seen, "+%d ", self->n);
        TRY {
            while (self->turns-- > 0) AWAIT(self->sleep, pawl_yield());
        } FINALLY {
            inside--;
        } END_TRY;
        trace(&seen, "-%d ", self->n);
        if (self->releases) ck_assert_int_eq(pawl_lock_release(&lock), 0);
        if (self->error) RAISE(self->error);
        if (self->returns) ASYNC_RETURN(7);
    } END_WITH;
    ASYNC_RETURN(1);
    ASYNC_END;
}

/* ---- Who has it ---- */

START_TEST(a_lock_is_had_by_the_waiters_in_the_order_in_which_they_came)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(2);
    once();
    ck_assert(waits(0) && waits(1));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert(has_it(0) && waits(1));
    once();
    ck_assert(waits(1));
    ck_assert_ptr_nonnull(pawl_start(&takers[2], pawl_lock_acquire(&lock)));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert(has_it(1) && waits(2));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert(has_it(2));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    nobody_has_it();
    world_end(&world);
}
END_TEST

START_TEST(a_free_lock_is_had_without_a_wait)
{
    begin();
    start_takers(1);
    once();
    ck_assert(has_it(0) && pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

START_TEST(a_lock_without_waiters_is_free_when_it_is_released)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert(pawl_lock_locked(&lock));
    ck_assert(!pawl_lock_try_acquire(&lock)); /* not recursive */
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    nobody_has_it();
    world_end(&world);
}
END_TEST

START_TEST(releasing_what_is_not_locked_is_invalid)
{
    begin();
    ck_assert_int_eq(pawl_lock_release(&lock), PAWL_EINVAL);
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert_int_eq(pawl_lock_release(&lock), PAWL_EINVAL);
    nobody_has_it();
    world_end(&world);
}
END_TEST

START_TEST(a_released_lock_on_its_way_to_a_waiter_is_not_released_again)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(2);
    once();
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert_int_eq(pawl_lock_release(&lock), PAWL_EINVAL);
    once();
    ck_assert(has_it(0) && waits(1));
    pawl_task_cancel(&takers[1].awaitable);
    once();
    world_end(&world);
}
END_TEST

START_TEST(a_newcomer_does_not_overtake_one_that_was_handed_the_lock)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_ptr_nonnull(pawl_start(&takers[0], pawl_lock_acquire(&lock)));
    once();
    ck_assert_ptr_nonnull(pawl_start_eager(&takers[1], pawl_lock_acquire(&lock)));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert(!pawl_lock_locked(&lock));
    ck_assert(!pawl_lock_try_acquire(&lock));
    ck_assert_ptr_nonnull(pawl_start_eager(&takers[2], pawl_lock_acquire(&lock)));
    ck_assert(waits(2));
    once();
    ck_assert(has_it(0) && waits(1) && waits(2));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert(has_it(1) && waits(2));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert(has_it(2));
    world_end(&world);
}
END_TEST

static void release_it(void *argument)
{
    ck_assert_int_eq(pawl_lock_release(argument), 0);
}

START_TEST(whoever_calls_it_releases_a_callback_too)
{
    struct pawl_handle handle = { 0 };
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(1);
    pawl_call_later(&world.loop, &handle, 10, release_it, &lock);
    run_all();
    ck_assert(has_it(0));
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    world_end(&world);
}
END_TEST

START_TEST(the_initialiser_makes_what_zeroed_memory_is)
{
    static struct pawl_lock zeroed;
    struct pawl_lock made = PAWL_LOCK_INIT;
    ck_assert(!pawl_lock_locked(&made) && !pawl_lock_locked(&zeroed));
    ck_assert(pawl_lock_try_acquire(&made) && pawl_lock_try_acquire(&zeroed));
}
END_TEST

/* ---- Cancelled ---- */

START_TEST(a_waiter_that_is_cancelled_leaves_the_queue)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(1);
    once();
    ck_assert(pawl_task_cancel(&takers[0].awaitable));
    once();
    ck_assert(pawl_future_cancelled(&takers[0]));
    ck_assert(pawl_lock_locked(&lock));
    ck_assert_ptr_null(lock.waiters.first);
    world_end(&world);
}
END_TEST

START_TEST(released_in_the_tick_of_a_waiters_cancel_it_goes_to_the_next)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    struct pawl_task *const b = pawl_spawn(CORO(holder, .n = 1)), *const c = pawl_spawn(CORO(holder, .n = 2));
    once();
    if (_i == 0) ck_assert(pawl_task_cancel(b));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    if (_i == 1) ck_assert(pawl_task_cancel(b));
    once();
    ck_assert_int_eq(pawl_future_error(b), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, c), 0);
    ck_assert_trace(&seen, "+2 -2 ");
    nobody_has_it();
    pawl_task_release(b);
    pawl_task_release(c);
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_and_a_release_let_exactly_one_have_it)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(3);
    once();
    if (_i == 1) ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert(pawl_task_cancel(&takers[0].awaitable));
    if (_i == 0) ck_assert_int_eq(pawl_lock_release(&lock), 0);
    run_all();
    ck_assert(pawl_future_cancelled(&takers[0]));
    ck_assert(has_it(1) && waits(2));
    ck_assert(pawl_task_cancel(&takers[2].awaitable));
    once();
    ck_assert(pawl_future_cancelled(&takers[2]));
    world_end(&world);
}
END_TEST

START_TEST(a_newcomer_has_it_when_all_that_waited_were_cancelled)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(1);
    once();
    ck_assert_ptr_nonnull(pawl_start(&takers[1], pawl_lock_acquire(&lock)));
    ck_assert(pawl_task_cancel(&takers[0].awaitable));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    once();
    ck_assert(pawl_lock_locked(&lock));
    ck_assert(pawl_future_cancelled(&takers[0]) && has_it(1));
    world_end(&world);
}
END_TEST

START_TEST(those_that_are_being_cancelled_do_not_keep_a_free_lock_from_others)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(3);
    once();
    for (int i = 0; i < 3; i++) ck_assert(pawl_task_cancel(&takers[i].awaitable));
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert(pawl_lock_try_acquire(&lock)); /* they are still in the queue, and wait no more */
    once();
    for (int i = 0; i < 3; i++) ck_assert(pawl_future_cancelled(&takers[i]));
    ck_assert(pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

START_TEST(a_waiter_anywhere_in_the_queue_that_is_cancelled_is_passed_over)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(5);
    once();
    ck_assert(pawl_task_cancel(&takers[_i].awaitable));
    for (int i = 0; i < 5; i++) {
        if (i == _i) continue;
        ck_assert_int_eq(pawl_lock_release(&lock), 0);
        once();
        once(); /* the cancelled first one passes it on when it runs */
        for (int k = 0; k < 5; k++) ck_assert_int_eq(pawl_future_error(&takers[k]), k == _i ? PAWL_ECANCELLED : k <= i ? 0 : PAWL_EPENDING);
    }
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    nobody_has_it();
    world_end(&world);
}
END_TEST

START_TEST(handed_over_and_cancelled_one_after_the_other_the_last_has_it)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(5);
    once();
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert(pawl_task_cancel(&takers[i].awaitable)); /* it was woken, and has not run */
        once();
        ck_assert(pawl_future_cancelled(&takers[i]));
        ck_assert(!pawl_lock_locked(&lock));
    }
    once();
    ck_assert(has_it(4) && pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_that_is_taken_back_in_time_leaves_the_lock_to_whom_it_was_handed)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    start_takers(2);
    once();
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert(pawl_task_cancel(&takers[0].awaitable));
    ck_assert_uint_eq(pawl_task_uncancel(&takers[0].awaitable), 0);
    once();
    ck_assert(has_it(0) && waits(1));
    pawl_task_cancel(&takers[1].awaitable);
    once();
    world_end(&world);
}
END_TEST

struct impatient {
    COROUTINE(int);
    struct pawl_timeout timeout;
    struct pawl_lock_acquire hold;
};

ASYNC(impatient)
{
    ASYNC_BEGIN(impatient);
    WITH(self->timeout, pawl_timeout(10)) {
        WITH(self->hold, pawl_lock_acquire(&lock)) {
            trace(&seen, "in ");
        } END_WITH;
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_timeout_ends_a_wait_for_it)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    ck_assert_int_eq(world_run(&world, CORO(impatient)), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "");
    ck_assert(pawl_lock_locked(&lock));
    ck_assert_ptr_null(lock.waiters.first);
    ck_assert_int_eq(pawl_lock_release(&lock), 0);
    ck_assert_int_eq(world_run(&world, CORO(impatient)), 0);
    nobody_has_it();
    world_end(&world);
}
END_TEST

/* Each of four, cancelled before each iteration. */
enum { HOLDERS = 4, ITERATIONS = 20 };

START_TEST(whoever_is_cancelled_and_whenever_one_at_a_time_has_it_and_it_is_free_at_last)
{
    static TASK(holder) holders[HOLDERS];
    for (int who = 0; who < HOLDERS * HOLDERS; who++) {
        begin();
        memset(holders, 0, sizeof holders);
        for (int i = 0; i < HOLDERS; i++) ck_assert_ptr_nonnull(pawl_start(&holders[i], CORO(holder, .n = i, .turns = 2)));
        for (int i = 0; i < _i; i++) once();
        pawl_task_cancel(&holders[who % HOLDERS].awaitable);
        pawl_task_cancel(&holders[who / HOLDERS].awaitable);
        run_all();
        for (int i = 0; i < HOLDERS; i++) {
            const bool cancelled = i == who % HOLDERS || i == who / HOLDERS;
            const int error = pawl_future_error(&holders[i]);
            ck_assert(error == 0 || (cancelled && error == PAWL_ECANCELLED));
        }
        ck_assert_int_eq(inside, 0);
        nobody_has_it();
        world_end(&world);
    }
}
END_TEST

/* ---- As a scope ---- */

START_TEST(a_block_holds_it_and_gives_it_back)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(holder, .n = 1)), 0);
    ck_assert_trace(&seen, "+1 -1 ");
    nobody_has_it();
    world_end(&world);
}
END_TEST

START_TEST(a_block_that_is_left_by_a_return_or_an_error_gives_it_back)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(holder, .n = 1, .turns = _i / 2, .returns = _i % 2 == 0, .error = _i % 2 ? -5 : 0));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), _i % 2 ? -5 : 0);
    if (_i % 2 == 0) ck_assert_int_eq(pawl_task_frame(holder, task)->result, 7);
    nobody_has_it();
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_block_that_is_cancelled_gives_it_to_the_next)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(holder, .n = 1, .turns = 100));
    once();
    start_takers(1);
    once();
    ck_assert(waits(0));
    ck_assert(pawl_task_cancel(task));
    once();
    ck_assert_int_eq(pawl_future_error(task), PAWL_ECANCELLED);
    once();
    ck_assert(has_it(0) && pawl_lock_locked(&lock));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_block_that_is_cancelled_before_it_begins_gives_nothing_back)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    struct pawl_task *const task = pawl_spawn(CORO(holder, .n = 1));
    once();
    ck_assert(pawl_task_cancel(task));
    once();
    ck_assert_int_eq(pawl_future_error(task), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "");
    ck_assert(pawl_lock_locked(&lock)); /* somebody else's */
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_block_that_released_it_itself_ends_invalid_whatever_it_ended_with)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(holder, .n = 1, .releases = true, .returns = _i == 1, .error = _i == 2 ? -5 : 0)), PAWL_EINVAL);
    nobody_has_it();
    world_end(&world);
}
END_TEST

struct nests {
    COROUTINE(int);
    struct pawl_lock *other;
    struct pawl_lock_acquire outer, inner;
    struct pawl_sleep sleep;
};

ASYNC(nests)
{
    ASYNC_BEGIN(nests);
    WITH(self->outer, pawl_lock_acquire(&lock)) {
        WITH(self->inner, pawl_lock_acquire(self->other)) {
            AWAIT(self->sleep, pawl_sleep(10));
            ASYNC_RETURN(9);
        } END_WITH;
    } END_WITH;
    ASYNC_END;
}

START_TEST(nested_blocks_are_all_left_by_a_return_and_by_a_cancel)
{
    static struct pawl_lock other;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(nests, .other = &other));
    once();
    ck_assert(pawl_lock_locked(&lock) && pawl_lock_locked(&other));
    if (_i == 1) ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), _i == 1 ? PAWL_ECANCELLED : 0);
    if (_i == 0) ck_assert_int_eq(pawl_task_frame(nests, task)->result, 9);
    nobody_has_it();
    ck_assert(!pawl_lock_locked(&other));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(taking_it_twice_waits_for_oneself_until_cancelled)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(nests, .other = &lock));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_EDEADLK);
    ck_assert(pawl_task_cancel(task));
    once();
    ck_assert_int_eq(pawl_future_error(task), PAWL_ECANCELLED);
    nobody_has_it();
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Misuse, by hand, and the end of a loop ---- */

struct takes_any {
    COROUTINE(int);
    struct pawl_lock *lock;
    bool twice;
    struct pawl_lock_acquire hold;
};

ASYNC(takes_any)
{
    ASYNC_BEGIN(takes_any);
    AWAIT(self->hold, pawl_lock_acquire(self->lock));
    if (self->twice) AWAIT(&self->hold);
    ASYNC_END;
}

START_TEST(no_lock_is_invalid)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(takes_any)), PAWL_EINVAL);
    ck_assert(!pawl_lock_try_acquire(NULL));
    ck_assert_int_eq(pawl_lock_release(NULL), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

START_TEST(one_acquire_is_awaited_once)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(takes_any, .lock = &lock, .twice = true)), PAWL_EAWAITED);
    ck_assert(pawl_lock_locked(&lock));
    world_end(&world);
}
END_TEST

START_TEST(by_hand_it_is_handed_from_frame_to_frame)
{
    struct pawl_lock own = PAWL_LOCK_INIT;
    struct pawl_lock_acquire a = pawl_lock_acquire(&own), b = pawl_lock_acquire(&own), c = pawl_lock_acquire(&own);
    ck_assert_ptr_null(coro_step(&a));
    ck_assert_ptr_eq(coro_step(&b), &b.waiter.future);
    ck_assert_ptr_eq(coro_step(&c), &c.waiter.future);
    ck_assert_ptr_eq(coro_step(&b), &b.waiter.future); /* stepping a waiter changes nothing */
    ck_assert_int_eq(pawl_lock_release(&own), 0);
    ck_assert_ptr_nonnull(coro_step(&c));
    ck_assert_ptr_null(coro_step(&b));
    ck_assert(pawl_lock_locked(&own));
    ck_assert_int_eq(pawl_lock_release(&own), 0);
    ck_assert_ptr_null(coro_step(&c));
    ck_assert_int_eq(coro_error(&c), 0);
    ck_assert_ptr_null(own.waiters.first);
}
END_TEST

START_TEST(by_hand_a_waiter_that_is_thrown_at_or_closed_passes_it_on)
{
    struct pawl_lock own = PAWL_LOCK_INIT;
    struct pawl_lock_acquire a = pawl_lock_acquire(&own), b = pawl_lock_acquire(&own);
    ck_assert(pawl_lock_try_acquire(&own));
    ck_assert_ptr_nonnull(coro_step(&a));
    ck_assert_ptr_nonnull(coro_step(&b));
    ck_assert_int_eq(pawl_lock_release(&own), 0); /* handed to a */
    if (_i == 0) ck_assert_ptr_null(coro_throw(&a, -5));
    else ck_assert_int_eq(coro_close(&a), 0);
    ck_assert_int_eq(coro_error(&a), _i == 0 ? -5 : 0);
    ck_assert(!pawl_lock_locked(&own));
    ck_assert_ptr_null(coro_step(&b));
    ck_assert(pawl_lock_locked(&own));
    ck_assert_ptr_null(own.waiters.first);
}
END_TEST

START_TEST(by_hand_a_block_that_is_closed_gives_it_back)
{
    lock = (struct pawl_lock){ 0 };
    memset(&seen, 0, sizeof seen);
    struct holder frame = CORO(holder, .turns = 3);
    ck_assert_ptr_nonnull(coro_step(&frame));
    ck_assert(pawl_lock_locked(&lock));
    ck_assert_int_eq(coro_close(&frame), 0);
    nobody_has_it();
}
END_TEST

START_TEST(a_loop_that_finishes_takes_its_waiters_out_of_a_lock_that_stays)
{
    begin();
    ck_assert(pawl_lock_try_acquire(&lock));
    for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(pawl_spawn(CORO(holder, .n = i)));
    once();
    ck_assert_ptr_nonnull(lock.waiters.first);
    if (_i == 1) ck_assert_int_eq(pawl_lock_release(&lock), 0);
    world_end(&world);
    ck_assert_ptr_null(lock.waiters.first);
    ck_assert_int_eq(pawl_lock_locked(&lock), _i == 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("lock");
    TCase *const order = add_case(suite, "who has it");
    tcase_add_test(order, a_lock_is_had_by_the_waiters_in_the_order_in_which_they_came);
    tcase_add_test(order, a_free_lock_is_had_without_a_wait);
    tcase_add_test(order, a_lock_without_waiters_is_free_when_it_is_released);
    tcase_add_test(order, releasing_what_is_not_locked_is_invalid);
    tcase_add_test(order, a_released_lock_on_its_way_to_a_waiter_is_not_released_again);
    tcase_add_test(order, a_newcomer_does_not_overtake_one_that_was_handed_the_lock);
    tcase_add_test(order, whoever_calls_it_releases_a_callback_too);
    tcase_add_test(order, the_initialiser_makes_what_zeroed_memory_is);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_test(cancelled, a_waiter_that_is_cancelled_leaves_the_queue);
    tcase_add_loop_test(cancelled, released_in_the_tick_of_a_waiters_cancel_it_goes_to_the_next, 0, 2);
    tcase_add_loop_test(cancelled, a_cancel_and_a_release_let_exactly_one_have_it, 0, 2);
    tcase_add_test(cancelled, a_newcomer_has_it_when_all_that_waited_were_cancelled);
    tcase_add_test(cancelled, those_that_are_being_cancelled_do_not_keep_a_free_lock_from_others);
    tcase_add_loop_test(cancelled, a_waiter_anywhere_in_the_queue_that_is_cancelled_is_passed_over, 0, 5);
    tcase_add_test(cancelled, handed_over_and_cancelled_one_after_the_other_the_last_has_it);
    tcase_add_test(cancelled, a_cancel_that_is_taken_back_in_time_leaves_the_lock_to_whom_it_was_handed);
    tcase_add_test(cancelled, a_timeout_ends_a_wait_for_it);
    tcase_add_loop_test(cancelled, whoever_is_cancelled_and_whenever_one_at_a_time_has_it_and_it_is_free_at_last, 0, ITERATIONS);
    TCase *const scope = add_case(suite, "as a scope");
    tcase_add_test(scope, a_block_holds_it_and_gives_it_back);
    tcase_add_loop_test(scope, a_block_that_is_left_by_a_return_or_an_error_gives_it_back, 0, 4);
    tcase_add_test(scope, a_block_that_is_cancelled_gives_it_to_the_next);
    tcase_add_test(scope, a_block_that_is_cancelled_before_it_begins_gives_nothing_back);
    tcase_add_loop_test(scope, a_block_that_released_it_itself_ends_invalid_whatever_it_ended_with, 0, 3);
    tcase_add_loop_test(scope, nested_blocks_are_all_left_by_a_return_and_by_a_cancel, 0, 2);
    tcase_add_test(scope, taking_it_twice_waits_for_oneself_until_cancelled);
    TCase *const hand = add_case(suite, "misuse, by hand");
    tcase_add_test(hand, no_lock_is_invalid);
    tcase_add_test(hand, one_acquire_is_awaited_once);
    tcase_add_test(hand, by_hand_it_is_handed_from_frame_to_frame);
    tcase_add_loop_test(hand, by_hand_a_waiter_that_is_thrown_at_or_closed_passes_it_on, 0, 2);
    tcase_add_test(hand, by_hand_a_block_that_is_closed_gives_it_back);
    tcase_add_loop_test(hand, a_loop_that_finishes_takes_its_waiters_out_of_a_lock_that_stays, 0, 2);
    return suite;
}
