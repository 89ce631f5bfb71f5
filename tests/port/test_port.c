/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The port contract, run over each port: a new port is a new row of the table. What a port may leave out (blocking for
 * ever, watching descriptors) is said there.
 */
#define _GNU_SOURCE
#include <support.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* ---- The ports ---- */

static union {
    struct pawl_epoll epoll;
    struct pawl_virtual clock;
    struct pawl_port port;
} state;

static int init_epoll(void) { return pawl_epoll_init(&state.epoll); }
static int init_spinning(void)
{
    const int error = pawl_epoll_init(&state.epoll);
    return error != 0 ? error : pawl_epoll_set_spin(&state.epoll, PAWL_US(200));
}
static void finish_epoll(void) { pawl_epoll_finish(&state.epoll); }
static void finish_nothing(void) {}
static int init_virtual(void)
{
    pawl_virtual_init(&state.clock);
    return 0;
}

static const struct kind {
    const char *name;
    int (*init)(void);
    void (*finish)(void);
    bool blocks;  /* a wait for ever blocks until a wake; otherwise it is PAWL_EDEADLK */
    bool watches; /* descriptors */
} kinds[] = {
    { "epoll", init_epoll, finish_epoll, true, true },
    { "virtual", init_virtual, finish_nothing, false, false },
    { "epoll, spinning", init_spinning, finish_epoll, true, true },
};
enum { EPOLL, VIRTUAL, SPINNING, KINDS };

static const struct kind *kind;

static void open_port(int index)
{
    kind = &kinds[index];
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(kind->init(), 0);
}

static pawl_time now(void)
{
    return state.port.ops->now(&state.port);
}

static int wait_for_events(enum pawl_port_wait how, pawl_time deadline)
{
    return state.port.ops->wait(&state.port, how, deadline);
}

static void wake(void)
{
    state.port.ops->wake(&state.port);
}

/* The time that passes outside, whatever the port says. */
static pawl_time wall(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return PAWL_SEC(time.tv_sec) + time.tv_nsec;
}

/* ---- Time and waiting ---- */

START_TEST(time_never_goes_back)
{
    open_port(_i);
    pawl_time last = now();
    for (int i = 0; i < 1000; i++) {
        if (i % 100 == 0) ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, last + PAWL_US(50)), 0);
        const pawl_time time = now();
        ck_assert_int_ge(time, last);
        last = time;
    }
    kind->finish();
}
END_TEST

START_TEST(to_look_does_not_wait)
{
    open_port(_i);
    const pawl_time before = wall();
    for (int i = 0; i < 100; i++) ck_assert_int_eq(wait_for_events(PAWL_WAIT_NOT, PAWL_FOREVER), 0);
    ck_assert_int_lt(wall() - before, PAWL_SEC(5));
    kind->finish();
}
END_TEST

START_TEST(a_deadline_is_never_missed_early)
{
    static const pawl_time spans[] = { 1, PAWL_US(1), PAWL_US(300), PAWL_MS(1), 1500001, PAWL_MS(20) };
    open_port(_i);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        const pawl_time deadline = now() + spans[i];
        ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, deadline), 0);
        ck_assert_int_ge(now(), deadline);
    }
    kind->finish();
}
END_TEST

START_TEST(a_deadline_that_has_passed_does_not_wait)
{
    static const pawl_time spans[] = { 0, 1, PAWL_SEC(1), PAWL_SEC(100000) };
    open_port(_i);
    const pawl_time before = wall();
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        const pawl_time time = now();
        ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, time - spans[i]), 0);
        if (!kind->blocks) ck_assert_int_eq(now(), time); /* and the clock does not go back either */
    }
    ck_assert_int_lt(wall() - before, PAWL_SEC(5));
    kind->finish();
}
END_TEST

/* ---- Waking ---- */

START_TEST(a_wake_before_the_wait_ends_it_and_is_used_up)
{
    open_port(_i);
    for (int round = 0; round < 3; round++) {
        wake();
        ck_assert_int_eq(wait_for_events(PAWL_WAIT_FOREVER, 0), 0);
        const pawl_time deadline = now() + PAWL_MS(3);
        ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, deadline), 0);
        ck_assert_int_ge(now(), deadline);
    }
    kind->finish();
}
END_TEST

START_TEST(a_wake_before_a_wait_with_a_deadline_ends_it_at_once)
{
    open_port(_i);
    const pawl_time before = now();
    wake();
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, before + PAWL_SEC(3600)), 0);
    ck_assert_int_lt(now() - before, PAWL_SEC(30));
    kind->finish();
}
END_TEST

START_TEST(many_wakes_are_one)
{
    open_port(_i);
    for (int i = 0; i < 1000; i++) wake();
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_FOREVER, 0), 0);
    const pawl_time deadline = now() + PAWL_MS(3);
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, deadline), 0);
    ck_assert_int_ge(now(), deadline);
    kind->finish();
}
END_TEST

START_TEST(a_look_uses_a_wake_up_too)
{
    open_port(_i);
    wake();
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_NOT, 0), 0);
    const pawl_time deadline = now() + PAWL_MS(3);
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, deadline), 0);
    ck_assert_int_ge(now(), deadline);
    kind->finish();
}
END_TEST

START_TEST(a_wait_for_ever_that_cannot_end_is_a_deadlock_where_the_port_can_tell)
{
    open_port(_i);
    if (!kind->blocks) ck_assert_int_eq(wait_for_events(PAWL_WAIT_FOREVER, 0), PAWL_EDEADLK);
    wake();
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_FOREVER, 0), 0);
    kind->finish();
}
END_TEST

static void *wake_a_little_later(void *argument)
{
    const struct timespec time = { .tv_nsec = *(const long *)argument };
    nanosleep(&time, NULL);
    wake();
    return NULL;
}

START_TEST(a_wake_from_another_thread_ends_the_wait)
{
    static long delays[] = { 0, 1000, 100000, 20000000 };
    open_port(_i);
    if (!kind->blocks) return;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, wake_a_little_later, &delays[i]), 0);
        ck_assert_int_eq(wait_for_events(PAWL_WAIT_FOREVER, 0), 0);
        pthread_join(thread, NULL);
    }
    kind->finish();
}
END_TEST

/* Each of two threads posts and wakes, and goes on when it was seen: their wakes meet in the middle of a wait that ends. */
enum { ROUNDS = 10000 };
static unsigned posted[2], seen[2];

static void *post_and_wake(void *argument)
{
    const int me = *(const int *)argument;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        __atomic_store_n(&posted[me], round, __ATOMIC_RELEASE);
        wake();
        while (__atomic_load_n(&seen[me], __ATOMIC_ACQUIRE) != round) sched_yield();
    }
    return NULL;
}

START_TEST(no_wake_is_lost_that_comes_while_another_one_is_taken)
{
    static int numbers[] = { 0, 1 };
    pthread_t threads[2];
    open_port(_i);
    if (!kind->blocks) return;
    memset(posted, 0, sizeof posted);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, post_and_wake, &numbers[i]), 0);
    while (seen[0] < ROUNDS || seen[1] < ROUNDS) {
        ck_assert_int_eq(wait_for_events(PAWL_WAIT_FOREVER, 0), 0);
        for (int i = 0; i < 2; i++) __atomic_store_n(&seen[i], __atomic_load_n(&posted[i], __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    kind->finish();
}
END_TEST

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
    (void)number;
    alarms++;
}

static void on_alarm_wake(int number)
{
    (void)number;
    const int before = errno;
    errno = 4711;
    wake();
    if (errno != 4711) alarms = -1000; /* what it interrupts must not see another errno */
    errno = before;
    alarms++;
}

static void alarm_every(void (*handler)(int), long microseconds)
{
    struct sigaction action = { .sa_handler = handler };
    const struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };
    alarms = 0;
    sigemptyset(&action.sa_mask);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void no_alarm(void)
{
    const struct itimerval never = { { 0, 0 }, { 0, 0 } };
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
}

START_TEST(a_signal_during_the_wait_is_no_error)
{
    open_port(_i);
    alarm_every(on_alarm, 2000);
    const pawl_time deadline = now() + PAWL_MS(30);
    while (now() < deadline) ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, deadline), 0);
    no_alarm();
    if (kind->blocks) ck_assert_int_ge(alarms, 2);
    kind->finish();
}
END_TEST

START_TEST(a_wake_from_a_signal_handler_ends_the_wait)
{
    open_port(_i);
    if (!kind->blocks) return;
    alarm_every(on_alarm_wake, 3000);
    for (int i = 0; i < 5; i++) ck_assert_int_eq(wait_for_events(PAWL_WAIT_FOREVER, 0), 0);
    no_alarm();
    /* one signal may end two waits: the call that it interrupts, and the next by the wake that it left */
    ck_assert_int_ge(alarms, 3);
    kind->finish();
}
END_TEST

struct naps {
    COROUTINE(int);
    int i;
    pawl_time until;
    struct pawl_sleep sleep;
};

ASYNC(naps)
{
    ASYNC_BEGIN(naps);
    for (self->i = 0; self->i < 10; self->i++) {
        self->until = pawl_loop_time(pawl_loop_current()) + PAWL_MS(3);
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(3)));
        ck_assert_int_ge(pawl_loop_time(pawl_loop_current()), self->until);
    }
    ASYNC_RETURN(self->i);
    ASYNC_END;
}

START_TEST(a_loop_on_it_sleeps_long_enough_also_among_signals)
{
    static TASK(naps) task;
    struct pawl_loop loop;
    open_port(_i);
    ck_assert_int_eq(pawl_loop_init(&loop, &state.port, NULL), 0);
    pawl_loop_use(&loop);
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(naps)));
    pawl_loop_use(NULL);
    alarm_every(on_alarm, 1000);
    ck_assert_int_eq(pawl_loop_run_until_complete(&loop, &task), 0);
    no_alarm();
    ck_assert_int_eq(task.frame.result, 10);
    pawl_loop_finish(&loop);
    kind->finish();
}
END_TEST

/* ---- Watching ---- */

struct listener {
    struct pawl_watcher watch;
    int times;
    unsigned events;
    struct listener *unwatches;
};

static int watch(struct listener *listener, int fd);

static void unwatch(struct listener *listener)
{
    state.port.ops->unwatch(&state.port, &listener->watch);
}

static void take_note(struct pawl_watcher *watched, unsigned events)
{
    struct listener *const listener = (struct listener *)(void *)watched;
    listener->times++;
    listener->events |= events;
    if (listener->unwatches != NULL) {
        unwatch(listener->unwatches);
        listener->unwatches->unwatches = NULL; /* it will not be told, and so will not unwatch us */
        listener->unwatches = NULL;
    }
}

static int watch(struct listener *listener, int fd)
{
    *listener = (struct listener){ .watch = { .fd = fd, .notify = take_note } };
    return state.port.ops->watch(&state.port, &listener->watch);
}

static void look(void)
{
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_NOT, 0), 0);
}

START_TEST(a_port_without_watch_makes_sockets_impossible)
{
    struct pawl_loop loop;
    struct pawl_socket sock;
    memset(&sock, 0, sizeof sock);
    open_port(_i);
    ck_assert(kind->watches == (state.port.ops->watch != NULL));
    ck_assert_int_eq(pawl_loop_init(&loop, &state.port, NULL), 0);
    pawl_loop_use(&loop);
    ck_assert_int_eq(pawl_listen(&sock, "127.0.0.1", 0, 1), kind->watches ? 0 : PAWL_ENOSYS);
    ck_assert(pawl_socket_is_open(&sock) == kind->watches);
    pawl_socket_close(&sock);
    pawl_loop_use(NULL);
    pawl_loop_finish(&loop);
    kind->finish();
}
END_TEST

START_TEST(each_event_is_told_once_when_it_comes_up)
{
    struct listener reader;
    int ends[2];
    char byte;
    open_port(EPOLL);
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    ck_assert_int_eq(watch(&reader, ends[0]), 0);
    look();
    ck_assert_int_eq(reader.times, 0);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(write(ends[1], "x", 1), 1);
        look();
        ck_assert_int_eq(reader.times, i);
        look(); /* still readable, but that is not new */
        ck_assert_int_eq(reader.times, i);
    }
    ck_assert_uint_eq(reader.events, PAWL_WATCH_READ);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    look();
    ck_assert_int_eq(reader.times, 3);
    close(ends[1]);
    look();
    ck_assert_int_eq(reader.times, 4);
    ck_assert(reader.events & PAWL_WATCH_HANGUP);
    unwatch(&reader);
    close(ends[0]);
    kind->finish();
}
END_TEST

START_TEST(a_socket_is_told_of_as_writable_readable_and_hung_up)
{
    struct listener one;
    int pair[2];
    open_port(EPOLL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    ck_assert_int_eq(watch(&one, pair[0]), 0);
    look();
    ck_assert_uint_eq(one.events, PAWL_WATCH_WRITE);
    one.events = 0;
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    look();
    ck_assert(one.events & PAWL_WATCH_READ);
    ck_assert(!(one.events & PAWL_WATCH_HANGUP));
    one.events = 0;
    ck_assert_int_eq(shutdown(pair[1], SHUT_WR), 0);
    look();
    ck_assert(one.events & PAWL_WATCH_READ);
    ck_assert(one.events & PAWL_WATCH_HANGUP);
    unwatch(&one);
    close(pair[0]);
    close(pair[1]);
    kind->finish();
}
END_TEST

START_TEST(an_event_ends_a_wait_for_ever)
{
    struct listener reader;
    int ends[2];
    open_port(EPOLL);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(watch(&reader, ends[0]), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_FOREVER, 0), 0);
    ck_assert_int_eq(reader.times, 1);
    unwatch(&reader);
    close(ends[0]);
    close(ends[1]);
    kind->finish();
}
END_TEST

START_TEST(nothing_is_told_after_unwatch)
{
    struct listener reader;
    int ends[2];
    open_port(EPOLL);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(watch(&reader, ends[0]), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    unwatch(&reader);
    look();
    ck_assert_int_eq(reader.times, 0);
    ck_assert_int_eq(watch(&reader, ends[0]), 0); /* watched again: what is there is told */
    look();
    ck_assert_int_eq(reader.times, 1);
    unwatch(&reader);
    close(ends[0]);
    close(ends[1]);
    kind->finish();
}
END_TEST

/* Two descriptors are ready in one wait; whichever is told first unwatches the other, or itself. */
START_TEST(unwatched_by_another_in_the_same_wait_it_is_not_told)
{
    struct listener first, second;
    open_port(EPOLL);
    const int a = eventfd(1, EFD_NONBLOCK), b = eventfd(1, EFD_NONBLOCK);
    ck_assert_int_eq(watch(&first, a), 0);
    ck_assert_int_eq(watch(&second, b), 0);
    first.unwatches = _i == 0 ? &second : &first;
    second.unwatches = _i == 0 ? &first : &second;
    look();
    ck_assert_int_eq(first.times + second.times, _i == 0 ? 1 : 2);
    look();
    ck_assert_int_eq(first.times + second.times, _i == 0 ? 1 : 2);
    if (_i == 0) unwatch(first.times ? &first : &second);
    close(a);
    close(b);
    kind->finish();
}
END_TEST

START_TEST(more_events_than_one_wait_fetches_are_all_told)
{
    enum { MANY = 600 };
    static struct listener listeners[MANY];
    int told = 0;
    open_port(EPOLL);
    for (int i = 0; i < MANY; i++) {
        const int fd = eventfd(1, EFD_NONBLOCK);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(watch(&listeners[i], fd), 0);
    }
    wake(); /* which is one among them */
    for (int i = 0; i < 20; i++) look();
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(listeners[i].times, 1);
        told++;
        unwatch(&listeners[i]);
        close(listeners[i].watch.fd);
    }
    ck_assert_int_eq(told, MANY);
    const pawl_time deadline = now() + PAWL_MS(2);
    ck_assert_int_eq(wait_for_events(PAWL_WAIT_UNTIL, deadline), 0);
    ck_assert_int_ge(now(), deadline);
    kind->finish();
}
END_TEST

START_TEST(what_cannot_be_watched_is_an_error)
{
    struct listener bad, good;
    int ends[2];
    FILE *const file = tmpfile();
    open_port(EPOLL);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(watch(&bad, -1), -EBADF);
    ck_assert_int_eq(watch(&bad, 1000), -EBADF);
    ck_assert_int_eq(watch(&bad, fileno(file)), -EPERM); /* a plain file is always ready */
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(watch(&good, ends[0]), 0);
    ck_assert_int_eq(watch(&bad, ends[0]), -EEXIST);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    look();
    ck_assert_int_eq(good.times, 1);
    ck_assert_int_eq(bad.times, 0);
    unwatch(&good);
    fclose(file);
    close(ends[0]);
    close(ends[1]);
    kind->finish();
}
END_TEST

/* ---- Opening and closing ---- */

static int lowest_free_descriptor(void)
{
    const int fd = dup(0);
    close(fd);
    return fd;
}

START_TEST(without_descriptors_it_opens_nothing_and_says_so)
{
    struct pawl_epoll epoll;
    struct rlimit before, limit;
    const int lowest = lowest_free_descriptor();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    for (int left = 0; left < 2; left++) { /* it needs two */
        limit.rlim_cur = (rlim_t)(lowest + left);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        memset(&epoll, 0xA5, sizeof epoll);
        const int error = pawl_epoll_init(&epoll);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        ck_assert_int_eq(error, -EMFILE);
        ck_assert_int_eq(lowest_free_descriptor(), lowest);
        pawl_epoll_finish(&epoll); /* harmless after a failure */
    }
    ck_assert_int_eq(pawl_epoll_init(&epoll), 0);
    pawl_epoll_finish(&epoll);
    ck_assert_int_eq(lowest_free_descriptor(), lowest);
}
END_TEST

START_TEST(finishing_a_zeroed_or_finished_one_is_harmless)
{
    struct pawl_epoll epoll;
    memset(&epoll, 0, sizeof epoll);
    pawl_epoll_finish(&epoll);
    ck_assert_int_ge(dup2(0, 0), 0); /* descriptor 0 was not closed */
    ck_assert_int_eq(pawl_epoll_init(&epoll), 0);
    pawl_epoll_finish(&epoll);
    const int fd = lowest_free_descriptor();
    pawl_epoll_finish(&epoll);
    ck_assert_int_eq(lowest_free_descriptor(), fd);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("port");
    TCase *const contract = add_case(suite, "contract");
    tcase_add_loop_test(contract, time_never_goes_back, 0, KINDS);
    tcase_add_loop_test(contract, to_look_does_not_wait, 0, KINDS);
    tcase_add_loop_test(contract, a_deadline_is_never_missed_early, 0, KINDS);
    tcase_add_loop_test(contract, a_deadline_that_has_passed_does_not_wait, 0, KINDS);
    tcase_add_loop_test(contract, a_wake_before_the_wait_ends_it_and_is_used_up, 0, KINDS);
    tcase_add_loop_test(contract, a_wake_before_a_wait_with_a_deadline_ends_it_at_once, 0, KINDS);
    tcase_add_loop_test(contract, many_wakes_are_one, 0, KINDS);
    tcase_add_loop_test(contract, a_look_uses_a_wake_up_too, 0, KINDS);
    tcase_add_loop_test(contract, a_wait_for_ever_that_cannot_end_is_a_deadlock_where_the_port_can_tell, 0, KINDS);
    tcase_add_loop_test(contract, a_wake_from_another_thread_ends_the_wait, 0, KINDS);
    tcase_add_loop_test(contract, no_wake_is_lost_that_comes_while_another_one_is_taken, 0, KINDS);
    tcase_add_loop_test(contract, a_signal_during_the_wait_is_no_error, 0, KINDS);
    tcase_add_loop_test(contract, a_wake_from_a_signal_handler_ends_the_wait, 0, KINDS);
    tcase_add_loop_test(contract, a_loop_on_it_sleeps_long_enough_also_among_signals, 0, KINDS);
    tcase_add_loop_test(contract, a_port_without_watch_makes_sockets_impossible, 0, KINDS);
    TCase *const watching = add_case(suite, "watching");
    tcase_add_test(watching, each_event_is_told_once_when_it_comes_up);
    tcase_add_test(watching, a_socket_is_told_of_as_writable_readable_and_hung_up);
    tcase_add_test(watching, an_event_ends_a_wait_for_ever);
    tcase_add_test(watching, nothing_is_told_after_unwatch);
    tcase_add_loop_test(watching, unwatched_by_another_in_the_same_wait_it_is_not_told, 0, 2);
    tcase_add_test(watching, more_events_than_one_wait_fetches_are_all_told);
    tcase_add_test(watching, what_cannot_be_watched_is_an_error);
    TCase *const life = add_case(suite, "life");
    tcase_add_test(life, without_descriptors_it_opens_nothing_and_says_so);
    tcase_add_test(life, finishing_a_zeroed_or_finished_one_is_harmless);
    return suite;
}
