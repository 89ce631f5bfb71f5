/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Barriers, as asyncio's: all come, then all go, round after round; broken, they are broken for everybody. */
#include <support.h>

#include <string.h>

enum { N = 5 };

static struct world world;
static struct pawl_barrier barrier, second;
static int passed, broke, again; /* what the coroutines count */

static void begin(unsigned parties)
{
    world_begin(&world);
    ck_assert_int_eq(pawl_barrier_init(&barrier, parties), 0);
    passed = broke = again = 0;
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void run_all(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

/* All have left, and it is as good as new, or broken. */
static void ck_assert_empty(const struct pawl_barrier *which, bool broken)
{
    ck_assert_uint_eq(pawl_barrier_waiting(which), 0);
    ck_assert_int_eq(pawl_barrier_broken(which), broken);
    ck_assert_uint_eq(which->count, 0);
    ck_assert(!pawl_lock_locked(&which->lock));
    ck_assert_ptr_null(which->condition.waiters.first);
    ck_assert_ptr_null(which->lock.waiters.first);
}

static TASK(pawl_barrier_wait) comers[8];

static void start_comers(int first, int count)
{
    for (int i = first; i < first + count; i++) ck_assert_ptr_nonnull(pawl_start(&comers[i], pawl_barrier_wait(&barrier)));
}

static TASK(pawl_barrier_end) ender;

/* Runs `count` tasks of one coroutine to their end; each is to end well. */
#define RUN(count, ...) do { \
    struct pawl_task *tasks_[N]; \
    for (int i_ = 0; i_ < (count); i_++) ck_assert_ptr_nonnull(tasks_[i_] = pawl_spawn(__VA_ARGS__)); \
    run_all(); \
    for (int i_ = 0; i_ < (count); i_++) { \
        ck_assert_int_eq(pawl_future_error(tasks_[i_]), 0); \
        pawl_task_release(tasks_[i_]); \
    } \
} while (0)

/* ---- Coming and going ---- */

START_TEST(a_barrier_has_at_least_one_party)
{
    ck_assert_int_eq(pawl_barrier_init(&barrier, 0), PAWL_EINVAL);
    ck_assert_int_eq(pawl_barrier_init(NULL, N), PAWL_EINVAL);
    ck_assert_int_eq(pawl_barrier_init(&barrier, N), 0);
    ck_assert_uint_eq(pawl_barrier_waiting(&barrier), 0);
    ck_assert(!pawl_barrier_broken(&barrier));
}
END_TEST

START_TEST(all_go_when_the_last_has_come_each_with_a_number_of_its_own)
{
    begin(3);
    start_comers(0, 3);
    run_all();
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(pawl_future_error(&comers[i]), 0);
        ck_assert_uint_eq(comers[i].frame.result, i);
    }
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

START_TEST(one_party_alone_never_waits)
{
    begin(1);
    start_comers(0, 1);
    once();
    ck_assert_int_eq(pawl_future_error(&comers[0]), 0);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

START_TEST(one_party_alone_never_waits_however_often_it_comes)
{
    begin(1);
    for (int i = 0; i < 3; i++) {
        start_comers(i, 1);
        once();
        ck_assert_int_eq(pawl_future_error(&comers[i]), 0);
        ck_assert_uint_eq(comers[i].frame.result, 0);
        ck_assert_empty(&barrier, false);
    }
    world_end(&world);
}
END_TEST

START_TEST(until_the_last_comes_it_counts_those_that_wait)
{
    begin(3);
    for (unsigned i = 0; i < 2; i++) {
        start_comers((int)i, 1);
        once();
        ck_assert_uint_eq(pawl_barrier_waiting(&barrier), i + 1);
        ck_assert_int_eq(pawl_future_error(&comers[i]), PAWL_EPENDING);
    }
    start_comers(2, 1);
    run_all();
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_future_error(&comers[i]), 0);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

struct comes_twice {
    COROUTINE(unsigned);
    struct pawl_barrier_wait wait;
};

ASYNC(comes_twice)
{
    ASYNC_BEGIN(comes_twice);
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    passed++;
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    ck_assert_int_eq(passed, N); /* nobody is a round ahead */
    again++;
    ASYNC_RETURN(self->wait.result);
    ASYNC_END;
}

START_TEST(a_second_round_begins_when_all_have_left_the_first)
{
    begin(N);
    RUN(N, CORO(comes_twice));
    ck_assert_int_eq(passed, N);
    ck_assert_int_eq(again, N);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

START_TEST(the_numbers_of_each_round_are_those_from_0_on)
{
    static TASK(comes_twice) tasks[N];
    unsigned numbers = 0;
    begin(N);
    for (int i = 0; i < N; i++) ck_assert_ptr_nonnull(pawl_start(&tasks[i], CORO(comes_twice)));
    run_all();
    for (int i = 0; i < N; i++) numbers |= 1u << tasks[i].frame.result;
    ck_assert_uint_eq(numbers, (1u << N) - 1);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

struct looks {
    COROUTINE(int);
    struct pawl_barrier_wait wait;
    bool newcomer;
};
static TASK(pawl_barrier_wait) newcomer;

ASYNC(looks)
{
    ASYNC_BEGIN(looks);
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    passed++;
    ck_assert_uint_eq(pawl_barrier_waiting(&barrier), 0); /* while they go */
    if (passed == 1) ck_assert_ptr_nonnull(pawl_start_eager(&newcomer, pawl_barrier_wait(&barrier)));
    if (passed < N) ck_assert_uint_gt(barrier.count, 0);
    ASYNC_END;
}

START_TEST(while_they_go_a_newcomer_waits_for_the_next_round)
{
    begin(N);
    RUN(N, CORO(looks));
    ck_assert_int_eq(passed, N);
    ck_assert_int_eq(pawl_future_error(&newcomer), PAWL_EPENDING);
    ck_assert_uint_eq(pawl_barrier_waiting(&barrier), 1);
    pawl_task_cancel(&newcomer.awaitable);
    run_all();
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

struct rewaits {
    COROUTINE(int);
    int *left;
    struct pawl_barrier_wait wait;
};

ASYNC(rewaits)
{
    ASYNC_BEGIN(rewaits);
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    if (*self->left > 0) {
        --*self->left;
    } else {
        AWAIT(self->wait, pawl_barrier_wait(&second));
        passed++;
    }
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    again++;
    ASYNC_END;
}

START_TEST(those_that_come_back_while_it_drains_wait_for_those_that_come_later)
{
    int left = 2;
    begin(N);
    ck_assert_int_eq(pawl_barrier_init(&second, N - 2), 0);
    RUN(N, CORO(rewaits, .left = &left));
    ck_assert_int_eq(passed, N - 2);
    ck_assert_int_eq(again, N);
    ck_assert_empty(&barrier, false);
    ck_assert_empty(&second, false);
    world_end(&world);
}
END_TEST

/* ---- Cancelled ---- */

START_TEST(one_that_is_cancelled_has_not_come)
{
    begin(3);
    start_comers(0, 2);
    once();
    ck_assert_uint_eq(pawl_barrier_waiting(&barrier), 2);
    ck_assert(pawl_task_cancel(&comers[0].awaitable));
    once();
    ck_assert_uint_eq(pawl_barrier_waiting(&barrier), 1);
    ck_assert(pawl_future_cancelled(&comers[0]));
    start_comers(2, 1);
    once();
    ck_assert_uint_eq(pawl_barrier_waiting(&barrier), 2);
    start_comers(3, 1);
    run_all();
    for (int i = 1; i < 4; i++) ck_assert_int_eq(pawl_future_error(&comers[i]), 0);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

/* Two rounds of three among up to seven, one or two cancelled before each iteration: whoever is left over is in a barrier that works. */
START_TEST(whoever_is_cancelled_and_whenever_the_others_meet)
{
    for (int who = 0; who < 49; who++) {
        begin(3);
        memset(comers, 0, sizeof comers);
        start_comers(0, 7);
        for (int i = 0; i < _i % 10; i++) once();
        pawl_task_cancel(&comers[who % 7].awaitable);
        for (int i = 0; i < _i / 10; i++) once();
        pawl_task_cancel(&comers[who / 7].awaitable);
        run_all();
        ck_assert_uint_eq(pawl_barrier_waiting(&barrier), barrier.count);
        ck_assert_uint_lt(barrier.count, 3);
        int met = 0, waiting = 0;
        for (int i = 0; i < 7; i++) {
            const int error = pawl_future_error(&comers[i]);
            met += error == 0;
            waiting += error == PAWL_EPENDING;
            ck_assert(error == 0 || error == PAWL_EPENDING || (error == PAWL_ECANCELLED && (i == who % 7 || i == who / 7)));
        }
        ck_assert_int_eq(waiting, (int)barrier.count);
        ck_assert_int_ge(met, 3);
        for (int i = 0; i < 7; i++) pawl_task_cancel(&comers[i].awaitable);
        run_all();
        ck_assert_empty(&barrier, false);
        world_end(&world);
    }
}
END_TEST

/* ---- Reset ---- */

START_TEST(a_reset_of_an_empty_one_changes_nothing)
{
    begin(1);
    ck_assert_int_eq(world_run(&world, pawl_barrier_reset(&barrier)), 0);
    ck_assert_empty(&barrier, false);
    start_comers(0, 1);
    once();
    ck_assert_int_eq(pawl_future_error(&comers[0]), 0);
    world_end(&world);
}
END_TEST

START_TEST(a_reset_breaks_the_wait_of_those_that_wait)
{
    begin(N);
    start_comers(0, N - 1);
    once();
    ck_assert_ptr_nonnull(pawl_start(&ender, pawl_barrier_reset(&barrier)));
    run_all();
    for (int i = 0; i < N - 1; i++) ck_assert_int_eq(pawl_future_error(&comers[i]), PAWL_EBROKEN);
    ck_assert_empty(&barrier, false);
    start_comers(0, N);
    run_all();
    for (int i = 0; i < N; i++) ck_assert_int_eq(pawl_future_error(&comers[i]), 0);
    world_end(&world);
}
END_TEST

struct resets_in_the_middle {
    COROUTINE(int);
    struct pawl_barrier_wait wait;
    struct pawl_barrier_end end;
};

ASYNC(resets_in_the_middle)
{
    ASYNC_BEGIN(resets_in_the_middle);
    TRY_AWAIT(self->wait, pawl_barrier_wait(&barrier));
    if (AWAIT_ERROR() == PAWL_EBROKEN) broke++;
    else if (barrier.count == N / 2) AWAIT(self->end, pawl_barrier_reset(&barrier));
    ASYNC_END;
}

START_TEST(a_reset_while_half_have_gone_breaks_the_wait_of_the_other_half)
{
    begin(N);
    RUN(N, CORO(resets_in_the_middle));
    ck_assert_int_eq(broke, N / 2);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

struct resets_and_waits {
    COROUTINE(int);
    struct pawl_barrier_wait wait;
    struct pawl_barrier_end end;
};

ASYNC(resets_and_waits)
{
    ASYNC_BEGIN(resets_and_waits);
    TRY_AWAIT(self->wait, pawl_barrier_wait(&barrier));
    if (AWAIT_ERROR() == PAWL_EBROKEN) broke++;
    else if (++passed > N / 2) AWAIT(self->end, pawl_barrier_reset(&barrier));
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    again++;
    ASYNC_END;
}

START_TEST(a_reset_while_they_go_leaves_those_that_wait_to_come_in)
{
    begin(N);
    RUN(N, CORO(resets_and_waits));
    ck_assert_int_eq(broke, N / 2);
    ck_assert_int_eq(again, N);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

struct comes_again_finally {
    COROUTINE(int);
    struct pawl_barrier_wait wait;
};

ASYNC(comes_again_finally)
{
    ASYNC_BEGIN(comes_again_finally);
    TRY {
        AWAIT(self->wait, pawl_barrier_wait(&barrier));
    } CATCH(PAWL_EBROKEN) {
        broke++;
    } FINALLY {
        AWAIT(self->wait, pawl_barrier_wait(&barrier));
        again++;
    } END_TRY;
    ASYNC_END;
}

START_TEST(after_a_reset_those_that_come_again_meet)
{
    static TASK(comes_again_finally) tasks[N - 1];
    begin(N);
    for (int i = 0; i < N - 1; i++) ck_assert_ptr_nonnull(pawl_start(&tasks[i], CORO(comes_again_finally)));
    ck_assert_ptr_nonnull(pawl_start(&ender, pawl_barrier_reset(&barrier)));
    once();
    start_comers(0, 1);
    run_all();
    ck_assert_int_eq(broke, N - 1);
    ck_assert_int_eq(again, N - 1);
    ck_assert_int_eq(pawl_future_error(&comers[0]), 0);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

struct last_resets {
    COROUTINE(int);
    struct pawl_barrier_wait wait;
    struct pawl_barrier_end end;
};

ASYNC(last_resets)
{
    ASYNC_BEGIN(last_resets);
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    if (++passed == N) AWAIT(self->end, pawl_barrier_reset(&barrier)); /* those that wait are not in it yet, and stay */
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    again++;
    ASYNC_END;
}

START_TEST(a_reset_by_the_last_one_to_go_breaks_nobodys_wait)
{
    begin(N);
    RUN(N, CORO(last_resets));
    ck_assert_int_eq(again, N);
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

/* ---- Abort ---- */

START_TEST(an_aborted_one_is_broken)
{
    begin(1);
    ck_assert_int_eq(world_run(&world, pawl_barrier_abort(&barrier)), 0);
    ck_assert_empty(&barrier, true);
    start_comers(0, 1);
    once();
    ck_assert_int_eq(pawl_future_error(&comers[0]), PAWL_EBROKEN);
    ck_assert_empty(&barrier, true);
    world_end(&world);
}
END_TEST

struct aborts_in_the_middle {
    COROUTINE(int);
    struct pawl_barrier_wait wait;
    struct pawl_barrier_end end;
};

ASYNC(aborts_in_the_middle)
{
    ASYNC_BEGIN(aborts_in_the_middle);
    TRY_AWAIT(self->wait, pawl_barrier_wait(&barrier));
    if (AWAIT_ERROR() == PAWL_EBROKEN) {
        broke++;
        ASYNC_RETURN();
    }
    if (++passed > N / 2) {
        AWAIT(self->end, pawl_barrier_abort(&barrier));
        ASYNC_RETURN();
    }
    TRY_AWAIT(self->wait, pawl_barrier_wait(&barrier));
    if (AWAIT_ERROR() == PAWL_EBROKEN) again++;
    ASYNC_END;
}

START_TEST(an_abort_while_they_go_breaks_the_wait_of_those_inside_and_of_those_outside)
{
    begin(N);
    RUN(N, CORO(aborts_in_the_middle));
    ck_assert_int_eq(broke, N / 2);
    ck_assert_int_eq(again, N - N / 2 - 1);
    ck_assert_empty(&barrier, true);
    world_end(&world);
}
END_TEST

/* One fails after the first round, and aborts; the others are in the second. */
struct fails_and_aborts {
    COROUTINE(int);
    bool resets;
    struct pawl_barrier_wait wait;
    struct pawl_barrier_end end;
};

ASYNC(fails_and_aborts)
{
    ASYNC_BEGIN(fails_and_aborts);
    TRY {
        AWAIT(self->wait, pawl_barrier_wait(&barrier));
        if (self->wait.result == N / 2) RAISE(-5);
        AWAIT(self->wait, pawl_barrier_wait(&barrier));
        passed++;
    } CATCH(PAWL_EBROKEN) {
        broke++;
    } CATCH(-5) {
        AWAIT(self->end, pawl_barrier_abort(&barrier));
    } END_TRY;
    if (!self->resets) ASYNC_RETURN();
    AWAIT(self->wait, pawl_barrier_wait(&second));
    if (self->wait.result == N / 2) AWAIT(self->end, pawl_barrier_reset(&barrier));
    AWAIT(self->wait, pawl_barrier_wait(&second));
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    again++;
    ASYNC_END;
}

START_TEST(an_abort_by_one_that_failed_breaks_the_wait_of_all_others)
{
    begin(N);
    RUN(N, CORO(fails_and_aborts));
    ck_assert_int_eq(passed, 0);
    ck_assert_int_eq(broke, N - 1);
    ck_assert_empty(&barrier, true);
    world_end(&world);
}
END_TEST

START_TEST(a_reset_after_an_abort_makes_it_work_again)
{
    begin(N);
    ck_assert_int_eq(pawl_barrier_init(&second, N), 0);
    RUN(N, CORO(fails_and_aborts, .resets = true));
    ck_assert_int_eq(passed, 0);
    ck_assert_int_eq(broke, N - 1);
    ck_assert_int_eq(again, N);
    ck_assert_empty(&barrier, false);
    ck_assert_empty(&second, false);
    world_end(&world);
}
END_TEST

/* A reset or an abort in any iteration of a round. */
START_TEST(whenever_it_is_reset_or_aborted_everybody_comes_out)
{
    begin(3);
    memset(comers, 0, sizeof comers);
    start_comers(0, 7);
    for (int i = 0; i < _i / 2; i++) once();
    ck_assert_ptr_nonnull(pawl_start(&ender, _i % 2 ? pawl_barrier_abort(&barrier) : pawl_barrier_reset(&barrier)));
    run_all();
    ck_assert_int_eq(pawl_future_error(&ender), 0);
    unsigned waiting = 0;
    for (int i = 0; i < 7; i++) {
        const int error = pawl_future_error(&comers[i]);
        waiting += error == PAWL_EPENDING;
        ck_assert(error == 0 || error == PAWL_EBROKEN || error == PAWL_EPENDING);
    }
    ck_assert_uint_eq(waiting, pawl_barrier_waiting(&barrier));
    ck_assert_uint_lt(waiting, _i % 2 ? 1 : 3);
    ck_assert_int_eq(pawl_barrier_broken(&barrier), _i % 2);
    ck_assert_int_eq(world_run(&world, pawl_barrier_reset(&barrier)), 0);
    run_all();
    ck_assert_empty(&barrier, false);
    world_end(&world);
}
END_TEST

/* ---- Misuse, by hand, and the end of a loop ---- */

START_TEST(no_barrier_is_invalid)
{
    static struct pawl_barrier zeroed;
    begin(1);
    ck_assert_int_eq(world_run(&world, pawl_barrier_wait(NULL)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, pawl_barrier_wait(&zeroed)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, pawl_barrier_reset(NULL)), PAWL_EINVAL);
    ck_assert_int_eq(world_run(&world, pawl_barrier_abort(NULL)), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

START_TEST(by_hand_the_last_one_that_comes_lets_the_others_go)
{
    ck_assert_int_eq(pawl_barrier_init(&barrier, 3), 0);
    struct pawl_barrier_wait a = pawl_barrier_wait(&barrier), b = a, c = a;
    ck_assert_ptr_nonnull(coro_step(&a));
    ck_assert_ptr_nonnull(coro_step(&b));
    ck_assert_uint_eq(pawl_barrier_waiting(&barrier), 2);
    ck_assert_ptr_null(coro_step(&c));
    ck_assert_ptr_null(coro_step(&b));
    ck_assert_ptr_null(coro_step(&a));
    ck_assert_uint_eq(a.result, 0);
    ck_assert_uint_eq(b.result, 1);
    ck_assert_uint_eq(c.result, 2);
    ck_assert_empty(&barrier, false);
}
END_TEST

START_TEST(by_hand_one_that_is_closed_or_thrown_at_has_not_come)
{
    ck_assert_int_eq(pawl_barrier_init(&barrier, 2), 0);
    struct pawl_barrier_wait a = pawl_barrier_wait(&barrier), b = a, c = a;
    ck_assert_ptr_nonnull(coro_step(&a));
    if (_i == 0) ck_assert_int_eq(coro_close(&a), 0);
    else ck_assert_ptr_null(coro_throw(&a, -5));
    ck_assert_empty(&barrier, false);
    ck_assert_ptr_nonnull(coro_step(&b));
    ck_assert_ptr_null(coro_step(&c));
    ck_assert_ptr_null(coro_step(&b));
    ck_assert_empty(&barrier, false);
}
END_TEST

START_TEST(a_loop_that_finishes_leaves_a_barrier_that_stays_empty)
{
    begin(4);
    for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(pawl_spawn(pawl_barrier_wait(&barrier)));
    once();
    ck_assert_uint_eq(pawl_barrier_waiting(&barrier), 3);
    world_end(&world);
    ck_assert_empty(&barrier, false);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("barrier");
    TCase *const good = add_case(suite, "come and go");
    tcase_add_test(good, a_barrier_has_at_least_one_party);
    tcase_add_test(good, all_go_when_the_last_has_come_each_with_a_number_of_its_own);
    tcase_add_test(good, one_party_alone_never_waits);
    tcase_add_test(good, one_party_alone_never_waits_however_often_it_comes);
    tcase_add_test(good, until_the_last_comes_it_counts_those_that_wait);
    tcase_add_test(good, a_second_round_begins_when_all_have_left_the_first);
    tcase_add_test(good, the_numbers_of_each_round_are_those_from_0_on);
    tcase_add_test(good, while_they_go_a_newcomer_waits_for_the_next_round);
    tcase_add_test(good, those_that_come_back_while_it_drains_wait_for_those_that_come_later);
    TCase *const cancelled = add_case(suite, "cancelled");
    tcase_add_test(cancelled, one_that_is_cancelled_has_not_come);
    tcase_add_loop_test(cancelled, whoever_is_cancelled_and_whenever_the_others_meet, 0, 50);
    TCase *const reset = add_case(suite, "reset");
    tcase_add_test(reset, a_reset_of_an_empty_one_changes_nothing);
    tcase_add_test(reset, a_reset_breaks_the_wait_of_those_that_wait);
    tcase_add_test(reset, a_reset_while_half_have_gone_breaks_the_wait_of_the_other_half);
    tcase_add_test(reset, a_reset_while_they_go_leaves_those_that_wait_to_come_in);
    tcase_add_test(reset, after_a_reset_those_that_come_again_meet);
    tcase_add_test(reset, a_reset_by_the_last_one_to_go_breaks_nobodys_wait);
    TCase *const abort = add_case(suite, "abort");
    tcase_add_test(abort, an_aborted_one_is_broken);
    tcase_add_test(abort, an_abort_while_they_go_breaks_the_wait_of_those_inside_and_of_those_outside);
    tcase_add_test(abort, an_abort_by_one_that_failed_breaks_the_wait_of_all_others);
    tcase_add_test(abort, a_reset_after_an_abort_makes_it_work_again);
    tcase_add_loop_test(abort, whenever_it_is_reset_or_aborted_everybody_comes_out, 0, 24);
    TCase *const hand = add_case(suite, "misuse, by hand");
    tcase_add_test(hand, no_barrier_is_invalid);
    tcase_add_test(hand, by_hand_the_last_one_that_comes_lets_the_others_go);
    tcase_add_loop_test(hand, by_hand_one_that_is_closed_or_thrown_at_has_not_come, 0, 2);
    tcase_add_test(hand, a_loop_that_finishes_leaves_a_barrier_that_stays_empty);
    return suite;
}
