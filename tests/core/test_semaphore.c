/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Semaphores, as asyncio's: permits in turn, none lost, none made up. */
#include <support.h>

#include <limits.h>
#include <string.h>

static struct world world;
static struct trace seen;
static struct pawl_semaphore semaphore;
static TASK(pawl_semaphore_acquire) takers[6];

static void begin(struct pawl_semaphore how)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    memset(takers, 0, sizeof takers);
    semaphore = how;
}
#define PERMITS(count) ((struct pawl_semaphore)PAWL_SEMAPHORE_INIT(count))
#define BOUNDED(count) ((struct pawl_semaphore)PAWL_BOUNDED_SEMAPHORE_INIT(count))

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void run_all(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

/* Tasks that take a permit and keep it. */
static void start_takers(int first, int count)
{
    for (int i = first; i < first + count; i++) ck_assert_ptr_nonnull(pawl_start(&takers[i], pawl_semaphore_acquire(&semaphore)));
}

static bool has_one(int i)
{
    return pawl_future_error(&takers[i]) == 0;
}

static bool waits(int i)
{
    return pawl_future_error(&takers[i]) == PAWL_EPENDING;
}

static void cancel(int i)
{
    ck_assert(pawl_task_cancel(&takers[i].awaitable));
}

static void release(int count)
{
    while (count-- > 0) ck_assert_int_eq(pawl_semaphore_release(&semaphore), 0);
}

/* So many permits are there, and nobody waits: by taking all of them. */
static void ck_assert_permits(unsigned expected)
{
    ck_assert_ptr_null(semaphore.waiters.first);
    unsigned count = 0;
    while (pawl_semaphore_try_acquire(&semaphore)) count++;
    ck_assert_uint_eq(count, expected);
    ck_assert(pawl_semaphore_locked(&semaphore));
    while (count-- > 0) ck_assert_int_eq(pawl_semaphore_release(&semaphore), 0);
}

/* Holds a permit around a few iterations, once or several times. */
struct holder {
    COROUTINE(int);
    int n, turns, i, rounds, error;
    bool returns, releases;
    pawl_time span;
    struct pawl_semaphore_acquire hold;
    struct pawl_sleep sleep;
};

ASYNC(holder)
{
    ASYNC_BEGIN(holder);
    do {
        WITH(self->hold, pawl_semaphore_acquire(&semaphore)) {
            trace(&seen, "%d ", self->n);
            for (self->i = 0; self->i < self->turns; self->i++) AWAIT(self->sleep, pawl_sleep(self->span));
            if (self->releases) ck_assert_int_eq(pawl_semaphore_release(&semaphore), 0);
            if (self->error) RAISE(self->error);
            if (self->returns) ASYNC_RETURN(7);
        } END_WITH;
    } while (--self->rounds > 0);
    ASYNC_END;
}

/* ---- Permits ---- */

START_TEST(one_without_permits_is_locked)
{
    begin(PERMITS(0));
    ck_assert(pawl_semaphore_locked(&semaphore));
    ck_assert(!pawl_semaphore_try_acquire(&semaphore));
    release(1);
    ck_assert(!pawl_semaphore_locked(&semaphore));
    ck_assert_permits(1);
    world_end(&world);
}
END_TEST

START_TEST(permits_are_given_in_turn_and_a_released_one_is_on_its_way_at_once)
{
    begin(PERMITS(3));
    ck_assert(pawl_semaphore_try_acquire(&semaphore) && pawl_semaphore_try_acquire(&semaphore));
    ck_assert(!pawl_semaphore_locked(&semaphore));
    start_takers(0, 3);
    once();
    ck_assert(has_one(0) && waits(1) && waits(2));
    ck_assert(pawl_semaphore_locked(&semaphore));
    start_takers(3, 1);
    release(2);
    ck_assert_uint_eq(semaphore.value, 0);
    ck_assert(pawl_semaphore_locked(&semaphore));
    once();
    ck_assert(has_one(1) && has_one(2) && waits(3));
    ck_assert(pawl_semaphore_locked(&semaphore));
    release(1);
    once();
    ck_assert(has_one(3));
    ck_assert_permits(0);
    world_end(&world);
}
END_TEST

START_TEST(a_permit_that_nobody_waits_for_stays)
{
    begin(PERMITS(1));
    ck_assert(pawl_semaphore_try_acquire(&semaphore));
    ck_assert(pawl_semaphore_locked(&semaphore));
    release(1);
    ck_assert(!pawl_semaphore_locked(&semaphore));
    release(4);
    ck_assert_permits(5);
    world_end(&world);
}
END_TEST

START_TEST(a_bounded_one_takes_no_more_than_it_began_with)
{
    begin(BOUNDED(2));
    ck_assert_int_eq(pawl_semaphore_release(&semaphore), PAWL_EINVAL);
    ck_assert(pawl_semaphore_try_acquire(&semaphore));
    release(1);
    ck_assert_int_eq(pawl_semaphore_release(&semaphore), PAWL_EINVAL);
    ck_assert_permits(2);
    world_end(&world);
}
END_TEST

START_TEST(a_bounded_one_counts_the_permit_that_is_on_its_way_as_taken)
{
    begin(BOUNDED(1));
    ck_assert(pawl_semaphore_try_acquire(&semaphore));
    start_takers(0, 1);
    once();
    release(1);
    ck_assert_int_eq(pawl_semaphore_release(&semaphore), 0); /* as in asyncio: nobody has it yet */
    ck_assert_int_eq(pawl_semaphore_release(&semaphore), PAWL_EINVAL);
    once();
    ck_assert(has_one(0));
    world_end(&world);
}
END_TEST

START_TEST(more_permits_than_can_be_counted_are_refused)
{
    begin(PERMITS(UINT_MAX - 1));
    release(1);
    ck_assert_int_eq(pawl_semaphore_release(&semaphore), PAWL_EINVAL);
    ck_assert(pawl_semaphore_try_acquire(&semaphore));
    release(1);
    world_end(&world);
}
END_TEST

/* ---- In turn ---- */

START_TEST(who_comes_again_waits_behind_those_that_wait)
{
    begin(PERMITS(1));
    for (int i = 1; i <= 3; i++) ck_assert_ptr_nonnull(pawl_spawn(CORO(holder, .n = i, .turns = 1, .rounds = 2, .span = 10)));
    run_all();
    ck_assert_trace(&seen, "1 2 3 1 2 3 ");
    ck_assert_permits(1);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 60);
    world_end(&world);
}
END_TEST

START_TEST(who_gives_back_and_takes_again_at_once_is_behind_the_others)
{
    begin(PERMITS(1));
    start_takers(0, 1);
    once();
    ck_assert_ptr_nonnull(pawl_spawn(CORO(holder, .n = 2, .rounds = 2)));
    struct pawl_task *const third = pawl_spawn(CORO(holder, .n = 3, .turns = 1));
    once();
    release(2);
    run_all();
    ck_assert_trace(&seen, "2 3 2 ");
    ck_assert_int_eq(pawl_future_error(third), 0);
    pawl_task_release(third);
    ck_assert_permits(2);
    world_end(&world);
}
END_TEST

START_TEST(a_cancelled_first_one_leaves_the_permits_to_the_others_in_their_order)
{
    begin(PERMITS(0));
    for (int i = 1; i <= 3; i++) ck_assert_ptr_nonnull(pawl_start(&takers[i], pawl_semaphore_acquire(&semaphore)));
    once();
    cancel(1);
    once();
    release(1);
    once();
    ck_assert(has_one(2) && waits(3));
    release(1);
    once();
    ck_assert(has_one(3) && pawl_future_cancelled(&takers[1]));
    ck_assert_permits(0);
    world_end(&world);
}
END_TEST

struct releases_thrice {
    COROUTINE(void);
    struct pawl_semaphore_acquire take;
};

ASYNC(releases_thrice)
{
    ASYNC_BEGIN(releases_thrice);
    release(3);
    ck_assert_uint_eq(semaphore.value, 2);
    ck_assert(pawl_semaphore_locked(&semaphore)); /* the first has not run */
    AWAIT(self->take, pawl_semaphore_acquire(&semaphore));
    trace(&seen, "2 ");
    ASYNC_END;
}

START_TEST(one_that_gets_its_turn_wakes_as_many_behind_it_as_there_are_permits)
{
    begin(PERMITS(0));
    struct pawl_task *const first = pawl_spawn(CORO(holder, .n = 1, .turns = 5)), *const second = pawl_spawn(CORO(releases_thrice)),
                     *const third = pawl_spawn(CORO(holder, .n = 3, .turns = 5));
    once();
    ck_assert_uint_eq(semaphore.value, 2);
    ck_assert_trace(&seen, "");
    once();
    ck_assert_trace(&seen, "1 ");
    once();
    ck_assert_trace(&seen, "1 2 3 ");
    run_all();
    pawl_task_release(first);
    pawl_task_release(second);
    pawl_task_release(third);
    ck_assert_permits(2);
    world_end(&world);
}
END_TEST

START_TEST(a_newcomer_does_not_overtake_a_permit_on_its_way)
{
    begin(PERMITS(0));
    start_takers(0, 1);
    once();
    release(2);
    ck_assert_uint_eq(semaphore.value, 1);
    ck_assert(!pawl_semaphore_try_acquire(&semaphore));
    ck_assert_ptr_nonnull(pawl_start_eager(&takers[1], pawl_semaphore_acquire(&semaphore)));
    ck_assert(waits(1));
    once();
    ck_assert(has_one(0));
    once();
    ck_assert(has_one(1));
    ck_assert_permits(0);
    world_end(&world);
}
END_TEST

/* ---- Cancelled ---- */

START_TEST(a_waiter_that_is_cancelled_leaves_the_queue)
{
    begin(PERMITS(1));
    ck_assert(pawl_semaphore_try_acquire(&semaphore));
    start_takers(0, 1);
    once();
    cancel(0);
    once();
    ck_assert(pawl_future_cancelled(&takers[0]));
    ck_assert_permits(0);
    world_end(&world);
}
END_TEST

START_TEST(those_cancelled_before_the_release_are_passed_over)
{
    begin(PERMITS(0));
    start_takers(0, 4);
    once();
    cancel(0);
    cancel(1);
    release(1);
    once();
    once();
    ck_assert(has_one(2) && waits(3));
    cancel(3);
    once();
    ck_assert_permits(0);
    world_end(&world);
}
END_TEST

START_TEST(a_permit_of_one_that_is_cancelled_goes_to_the_next)
{
    begin(PERMITS(0));
    start_takers(0, 2);
    once();
    if (_i == 1) release(1);
    cancel(0);
    if (_i == 0) release(1);
    once();
    once();
    ck_assert(pawl_semaphore_locked(&semaphore));
    ck_assert(has_one(1) && pawl_future_cancelled(&takers[0]));
    ck_assert_permits(0);
    world_end(&world);
}
END_TEST

struct cancels_the_next {
    COROUTINE(int);
    struct pawl_task *next;
    struct pawl_semaphore_acquire hold;
    struct pawl_sleep sleep;
};

ASYNC(cancels_the_next)
{
    ASYNC_BEGIN(cancels_the_next);
    WITH(self->hold, pawl_semaphore_acquire(&semaphore)) {
        AWAIT(self->sleep, pawl_yield());
    } END_WITH;
    pawl_task_cancel(self->next);
    ASYNC_END;
}

START_TEST(one_that_is_cancelled_by_whoever_gave_it_the_permit_does_not_keep_it)
{
    begin(PERMITS(1));
    struct pawl_task *const first = pawl_spawn(CORO(cancels_the_next)), *const second = pawl_spawn(CORO(holder, .n = 2));
    pawl_task_frame(cancels_the_next, first)->next = second;
    run_all();
    ck_assert_int_eq(pawl_future_error(first), 0);
    ck_assert_int_eq(pawl_future_error(second), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "");
    start_takers(0, 1);
    once();
    ck_assert(has_one(0));
    pawl_task_release(first);
    pawl_task_release(second);
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_that_is_taken_back_in_time_leaves_the_permit_where_it_went)
{
    begin(PERMITS(0));
    start_takers(0, 2);
    once();
    release(1);
    cancel(0);
    ck_assert_uint_eq(pawl_task_uncancel(&takers[0].awaitable), 0);
    once();
    ck_assert(has_one(0) && waits(1));
    cancel(1);
    once();
    world_end(&world);
}
END_TEST

START_TEST(a_waiter_anywhere_in_the_queue_that_is_cancelled_is_passed_over)
{
    begin(PERMITS(0));
    start_takers(0, 6);
    once();
    const int who = _i / 2;
    if (_i % 2) release(3);
    cancel(who);
    if (_i % 2 == 0) release(3);
    run_all();
    int given = 0;
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(pawl_future_error(&takers[i]), i == who ? PAWL_ECANCELLED : given < 3 ? 0 : PAWL_EPENDING);
        if (i != who) given++;
        if (waits(i)) cancel(i);
    }
    run_all();
    ck_assert_permits(0);
    world_end(&world);
}
END_TEST

enum { HOLDERS = 5, ITERATIONS = 16 };

START_TEST(whoever_is_cancelled_and_whenever_all_permits_are_there_at_last)
{
    static TASK(holder) holders[HOLDERS];
    for (int who = 0; who < HOLDERS * HOLDERS; who++) {
        begin(BOUNDED(2));
        memset(holders, 0, sizeof holders);
        for (int i = 0; i < HOLDERS; i++) ck_assert_ptr_nonnull(pawl_start(&holders[i], CORO(holder, .n = i, .turns = i % 3, .rounds = 2)));
        for (int i = 0; i < _i; i++) once();
        pawl_task_cancel(&holders[who % HOLDERS].awaitable);
        if (_i % 2) once();
        pawl_task_cancel(&holders[who / HOLDERS].awaitable);
        run_all();
        for (int i = 0; i < HOLDERS; i++) {
            const int error = pawl_future_error(&holders[i]);
            ck_assert(error == 0 || (error == PAWL_ECANCELLED && (i == who % HOLDERS || i == who / HOLDERS)));
        }
        ck_assert_permits(2);
        ck_assert_int_eq(pawl_semaphore_release(&semaphore), PAWL_EINVAL);
        world_end(&world);
    }
}
END_TEST

/* ---- As a scope ---- */

START_TEST(a_block_gives_its_permit_back_however_it_is_left)
{
    begin(BOUNDED(1));
    struct pawl_task *const task =
        pawl_spawn(CORO(holder, .turns = 2, .span = 1, .returns = _i == 1, .error = _i == 2 ? -5 : 0));
    once();
    ck_assert(pawl_semaphore_locked(&semaphore));
    if (_i == 3) ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), _i == 2 ? -5 : _i == 3 ? PAWL_ECANCELLED : 0);
    ck_assert_int_eq(pawl_task_frame(holder, task)->result, _i == 1 ? 7 : 0);
    ck_assert_permits(1);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_block_of_a_bounded_one_that_gave_its_permit_back_itself_ends_invalid)
{
    begin(BOUNDED(1));
    ck_assert_int_eq(world_run(&world, CORO(holder, .releases = true)), PAWL_EINVAL);
    ck_assert_permits(1);
    semaphore = PERMITS(1);
    ck_assert_int_eq(world_run(&world, CORO(holder, .releases = true)), 0);
    ck_assert_permits(2);
    world_end(&world);
}
END_TEST

START_TEST(a_block_that_is_cancelled_before_it_begins_gives_nothing_back)
{
    begin(BOUNDED(1));
    ck_assert(pawl_semaphore_try_acquire(&semaphore));
    struct pawl_task *const task = pawl_spawn(CORO(holder));
    once();
    ck_assert(pawl_task_cancel(task));
    once();
    ck_assert_int_eq(pawl_future_error(task), PAWL_ECANCELLED);
    ck_assert_permits(0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Misuse, by hand, and the end of a loop ---- */

struct takes_any {
    COROUTINE(int);
    struct pawl_semaphore *semaphore;
    struct pawl_semaphore_acquire take;
};

ASYNC(takes_any)
{
    ASYNC_BEGIN(takes_any);
    AWAIT(self->take, pawl_semaphore_acquire(self->semaphore));
    AWAIT(&self->take);
    ASYNC_END;
}

START_TEST(no_semaphore_is_invalid_and_one_acquire_is_awaited_once)
{
    begin(PERMITS(2));
    ck_assert_int_eq(world_run(&world, CORO(takes_any)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, CORO(takes_any, .semaphore = &semaphore)), PAWL_EAWAITED);
    ck_assert(!pawl_semaphore_try_acquire(NULL));
    ck_assert_int_eq(pawl_semaphore_release(NULL), PAWL_EINVAL);
    ck_assert_permits(1);
    world_end(&world);
}
END_TEST

START_TEST(by_hand_a_permit_is_handed_from_frame_to_frame)
{
    semaphore = PERMITS(1);
    struct pawl_semaphore_acquire a = pawl_semaphore_acquire(&semaphore), b = a, c = a;
    ck_assert_ptr_null(coro_step(&a));
    ck_assert_ptr_nonnull(coro_step(&b));
    ck_assert_ptr_nonnull(coro_step(&c));
    release(1);
    if (_i == 0) ck_assert_ptr_null(coro_step(&b));
    else if (_i == 1) ck_assert_ptr_null(coro_throw(&b, -5));
    else ck_assert_int_eq(coro_close(&b), 0);
    ck_assert_int_eq(coro_error(&b), _i == 1 ? -5 : 0);
    if (_i == 0) release(1);
    ck_assert_ptr_null(coro_step(&c));
    ck_assert_permits(0);
}
END_TEST

START_TEST(a_loop_that_finishes_takes_its_waiters_out_of_a_semaphore_that_stays)
{
    begin(BOUNDED(2));
    for (int i = 0; i < 4; i++) ck_assert_ptr_nonnull(pawl_spawn(CORO(holder, .n = i, .turns = 9, .span = 1)));
    once();
    ck_assert_ptr_nonnull(semaphore.waiters.first);
    if (_i == 1) release(2);
    world_end(&world);
    semaphore.bound = 0;
    ck_assert_permits(_i == 1 ? 4 : 2);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("semaphore");
    TCase *const permits = add_case(suite, "permits");
    tcase_add_test(permits, one_without_permits_is_locked);
    tcase_add_test(permits, permits_are_given_in_turn_and_a_released_one_is_on_its_way_at_once);
    tcase_add_test(permits, a_permit_that_nobody_waits_for_stays);
    tcase_add_test(permits, a_bounded_one_takes_no_more_than_it_began_with);
    tcase_add_test(permits, a_bounded_one_counts_the_permit_that_is_on_its_way_as_taken);
    tcase_add_test(permits, more_permits_than_can_be_counted_are_refused);
    TCase *const turns = add_case(suite, "in turn");
    tcase_add_test(turns, who_comes_again_waits_behind_those_that_wait);
    tcase_add_test(turns, who_gives_back_and_takes_again_at_once_is_behind_the_others);
    tcase_add_test(turns, a_cancelled_first_one_leaves_the_permits_to_the_others_in_their_order);
    tcase_add_test(turns, one_that_gets_its_turn_wakes_as_many_behind_it_as_there_are_permits);
    tcase_add_test(turns, a_newcomer_does_not_overtake_a_permit_on_its_way);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_test(cancelled, a_waiter_that_is_cancelled_leaves_the_queue);
    tcase_add_test(cancelled, those_cancelled_before_the_release_are_passed_over);
    tcase_add_loop_test(cancelled, a_permit_of_one_that_is_cancelled_goes_to_the_next, 0, 2);
    tcase_add_test(cancelled, one_that_is_cancelled_by_whoever_gave_it_the_permit_does_not_keep_it);
    tcase_add_test(cancelled, a_cancel_that_is_taken_back_in_time_leaves_the_permit_where_it_went);
    tcase_add_loop_test(cancelled, a_waiter_anywhere_in_the_queue_that_is_cancelled_is_passed_over, 0, 12);
    tcase_add_loop_test(cancelled, whoever_is_cancelled_and_whenever_all_permits_are_there_at_last, 0, ITERATIONS);
    TCase *const scope = add_case(suite, "as a scope");
    tcase_add_loop_test(scope, a_block_gives_its_permit_back_however_it_is_left, 0, 4);
    tcase_add_test(scope, a_block_of_a_bounded_one_that_gave_its_permit_back_itself_ends_invalid);
    tcase_add_test(scope, a_block_that_is_cancelled_before_it_begins_gives_nothing_back);
    TCase *const hand = add_case(suite, "misuse, by hand");
    tcase_add_test(hand, no_semaphore_is_invalid_and_one_acquire_is_awaited_once);
    tcase_add_loop_test(hand, by_hand_a_permit_is_handed_from_frame_to_frame, 0, 3);
    tcase_add_loop_test(hand, a_loop_that_finishes_takes_its_waiters_out_of_a_semaphore_that_stays, 0, 2);
    return suite;
}
