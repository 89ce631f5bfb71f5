/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What other threads may do to a loop: send it calls, and wake it. Also made to be run under ThreadSanitizer. */
#define _GNU_SOURCE
#include <support.h>

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { THREADS = 4, CALLS = 20000 };

static struct pawl_epoll epoll;
static struct pawl_loop loop;

static void open_loop(void)
{
    ck_assert_int_eq(pawl_epoll_init(&epoll), 0);
    ck_assert_int_eq(pawl_loop_init(&loop, &epoll.base, NULL), 0);
}

static void close_loop(void)
{
    pawl_loop_finish(&loop);
    pawl_epoll_finish(&epoll);
}

/* ---- Many calls ---- */

struct sender;

struct call {
    struct pawl_handle handle;
    struct sender *sender;
    int number;
};

static struct sender {
    pthread_t thread;
    struct call *calls;
    int next; /* that must come; only the loop's thread touches it */
} senders[THREADS];

static int arrived;
static pthread_t loop_thread;

static void on_call(void *argument)
{
    struct call *const call = argument;
    ck_assert(pthread_equal(pthread_self(), loop_thread));
    ck_assert_int_eq(call->number, call->sender->next);
    call->sender->next++;
    if (++arrived == THREADS * CALLS) pawl_loop_stop(&loop);
}

static void *send_calls(void *argument)
{
    struct sender *const sender = argument;
    for (int i = 0; i < CALLS; i++) {
        struct call *const call = &sender->calls[i];
        call->sender = sender;
        call->number = i;
        if (pawl_call_soon_threadsafe(&loop, &call->handle, on_call, call) != 0) abort();
    }
    return NULL;
}

START_TEST(no_call_of_four_threads_is_lost_and_each_keeps_its_order)
{
    open_loop();
    loop_thread = pthread_self();
    for (int i = 0; i < THREADS; i++) {
        senders[i].calls = calloc(CALLS, sizeof *senders[i].calls);
        ck_assert_ptr_nonnull(senders[i].calls);
        ck_assert_int_eq(pthread_create(&senders[i].thread, NULL, send_calls, &senders[i]), 0);
    }
    ck_assert_int_eq(pawl_loop_run(&loop), 0);
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(senders[i].thread, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(senders[i].next, CALLS);
        for (int j = 0; j < CALLS; j++) ck_assert(pawl_future_done(&senders[i].calls[j].handle));
        free(senders[i].calls);
    }
    ck_assert_int_eq(arrived, THREADS * CALLS);
    close_loop();
}
END_TEST

/* ---- Waking ---- */

static void pause_for(long nanoseconds)
{
    const struct timespec time = { .tv_nsec = nanoseconds };
    nanosleep(&time, NULL);
}

static void *wake_three_times(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        pause_for(5000000);
        pawl_loop_wake(&loop);
    }
    return NULL;
}

START_TEST(a_wake_ends_a_wait_and_runs_nothing)
{
    pthread_t thread;
    open_loop();
    ck_assert_int_eq(pthread_create(&thread, NULL, wake_three_times, NULL), 0);
    ck_assert_int_eq(pawl_loop_run_once(&loop, true), 0);
    ck_assert(!pawl_loop_pending(&loop));
    pthread_join(thread, NULL);
    close_loop();
}
END_TEST

static void stop(void *unused)
{
    (void)unused;
    pawl_loop_stop(&loop);
}

static void *stop_from_here(void *handle)
{
    pause_for(10000000);
    if (pawl_call_soon_threadsafe(&loop, handle, stop, NULL) != 0) abort();
    return NULL;
}

START_TEST(another_thread_can_stop_a_waiting_loop)
{
    struct pawl_handle handle = { 0 };
    pthread_t thread;
    open_loop();
    ck_assert_int_eq(pthread_create(&thread, NULL, stop_from_here, &handle), 0);
    ck_assert_int_eq(pawl_loop_run(&loop), 0);
    pthread_join(thread, NULL);
    ck_assert(pawl_future_done(&handle));
    close_loop();
}
END_TEST

START_TEST(a_call_sent_before_the_run_is_the_first_thing_that_runs)
{
    struct pawl_handle handle = { 0 };
    open_loop();
    ck_assert_int_eq(pawl_call_soon_threadsafe(&loop, &handle, stop, NULL), 0);
    ck_assert_int_eq(pawl_loop_run(&loop), 0);
    ck_assert(pawl_future_done(&handle));
    close_loop();
}
END_TEST

/* ---- Two loops in two threads ---- */

enum { ROUNDS = 2000 };

struct player {
    struct pawl_epoll epoll;
    struct pawl_loop loop;
    struct pawl_handle ball;
    struct player *other;
    int hits;
};

static struct player players[2];

static void hit(void *argument)
{
    struct player *const player = argument;
    ck_assert_ptr_eq(pawl_loop_current(), &player->loop); /* one for each thread */
    player->hits++;
    if (pawl_call_soon_threadsafe(&player->other->loop, &player->other->ball, hit, player->other) != 0) abort();
    if (player->hits == ROUNDS) pawl_loop_stop(&player->loop);
}

static void *play(void *argument)
{
    struct player *const player = argument;
    return pawl_loop_run(&player->loop) == 0 ? player : NULL;
}

START_TEST(two_loops_in_two_threads_send_each_other_calls)
{
    pthread_t thread;
    void *result = NULL;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pawl_epoll_init(&players[i].epoll), 0);
        ck_assert_int_eq(pawl_loop_init(&players[i].loop, &players[i].epoll.base, NULL), 0);
        players[i].other = &players[1 - i];
    }
    ck_assert_int_eq(pawl_call_soon_threadsafe(&players[0].loop, &players[0].ball, hit, &players[0]), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, play, &players[1]), 0);
    ck_assert_ptr_nonnull(play(&players[0]));
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, &players[1]);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(players[i].hits, ROUNDS);
        pawl_loop_finish(&players[i].loop);
        pawl_epoll_finish(&players[i].epoll);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("threadsafe");
    TCase *const tcase = add_case(suite, "threadsafe");
    tcase_add_test(tcase, no_call_of_four_threads_is_lost_and_each_keeps_its_order);
    tcase_add_test(tcase, a_wake_ends_a_wait_and_runs_nothing);
    tcase_add_test(tcase, another_thread_can_stop_a_waiting_loop);
    tcase_add_test(tcase, a_call_sent_before_the_run_is_the_first_thing_that_runs);
    tcase_add_test(tcase, two_loops_in_two_threads_send_each_other_calls);
    return suite;
}
