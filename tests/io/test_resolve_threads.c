/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The resolver with threads: how many there are, who waits, what becomes of a request at each stage, and what happens when there
 * can be no thread. This executable defines what the library calls for its threads, and is linked with the static one.
 */
#define _GNU_SOURCE
#include "names_threads.h"
#include "net_world.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

/* ---- Threads that cannot be started, and that are idle for too long ---- */

static struct {
    int started, most; /* more than `most` cannot be */
    bool patient;      /* false: an idle one ends at once */
} threads = { .most = 1000, .patient = true };

/* The function of that name which would have been called; looked up each time, since several threads do. */
#define REAL(name) __extension__({ \
    __typeof__(name) *real_; \
    *(void **)&real_ = dlsym(RTLD_NEXT, #name); \
    real_; \
})

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*run)(void *), void *restrict argument)
{
    if (threads.started >= threads.most) return EAGAIN;
    threads.started++;
    return REAL(pthread_create)(thread, attributes, run, argument);
}

static pthread_mutex_t ended_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended_changed = PTHREAD_COND_INITIALIZER;
static int ended;

/* A thread that was told that its time is over detaches itself. */
int pthread_detach(pthread_t thread)
{
    pthread_mutex_lock(&ended_mutex);
    ended++;
    pthread_cond_broadcast(&ended_changed);
    pthread_mutex_unlock(&ended_mutex);
    return REAL(pthread_detach)(thread);
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    if (!__atomic_load_n(&threads.patient, __ATOMIC_SEQ_CST)) return ETIMEDOUT;
    return REAL(pthread_cond_timedwait)(condition, mutex, until);
}

/* Who was told that there is work hears of it later. */
static struct {
    bool late;
    pthread_cond_t *condition;
} calls;

int pthread_cond_signal(pthread_cond_t *condition)
{
    if (!calls.late) return REAL(pthread_cond_signal)(condition);
    calls.condition = condition;
    return 0;
}

static void wait_ended(int count)
{
    pthread_mutex_lock(&ended_mutex);
    while (ended < count) pthread_cond_wait(&ended_changed, &ended_mutex);
    pthread_mutex_unlock(&ended_mutex);
}

/* ---- Lookups ---- */

static void begin(struct net *net)
{
    names_begin();
    net_begin(net);
}

static void end(struct net *net)
{
    net_end(net);
    names_end();
}

static struct pawl_task *ask(struct net *net, const char *host)
{
    struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo(host, "80", AF_INET, SOCK_STREAM));
    net_settle(net);
    return task;
}

static int finish(struct net *net, struct pawl_task *task)
{
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    pawl_addresses_free(pawl_task_frame(pawl_getaddrinfo, task));
    pawl_task_release(task);
    return error;
}

static int ask_and_finish(struct net *net, const char *host)
{
    return finish(net, pawl_spawn(pawl_getaddrinfo(host, "80", AF_INET, SOCK_STREAM)));
}

/* All threads are stuck in slow lookups. */
static void occupy_all(struct net *net, struct pawl_task *tasks[PAWL_RESOLVERS])
{
    for (int i = 0; i < PAWL_RESOLVERS; i++) tasks[i] = ask(net, "slow.test");
    names_wait_held(PAWL_RESOLVERS);
}

static void finish_all(struct net *net, struct pawl_task *tasks[PAWL_RESOLVERS])
{
    names_let_go(PAWL_RESOLVERS);
    for (int i = 0; i < PAWL_RESOLVERS; i++) ck_assert_int_eq(finish(net, tasks[i]), 0);
}

START_TEST(without_a_name_there_is_no_thread)
{
    struct net net;
    begin(&net);
    ck_assert_int_eq(ask_and_finish(&net, "127.0.0.1"), 0);
    ck_assert_int_eq(ask_and_finish(&net, NULL), 0);
    ck_assert_int_eq(threads.started, 0);
    end(&net);
}
END_TEST

/* A thread that has answered is idle before anybody can ask again. */
START_TEST(one_after_the_other_needs_one_thread)
{
    struct net net;
    begin(&net);
    for (int i = 0; i < 200; i++) ck_assert_int_eq(ask_and_finish(&net, "one.test"), 0);
    ck_assert_int_eq(threads.started, 1);
    ck_assert_int_eq(names_asked(), 200);
    end(&net);
}
END_TEST

START_TEST(there_are_never_more_threads_than_that)
{
    enum { MANY = 20 };
    struct net net;
    struct pawl_task *tasks[MANY];
    begin(&net);
    for (int i = 0; i < MANY; i++) tasks[i] = ask(&net, "slow.test");
    names_wait_held(PAWL_RESOLVERS);
    ck_assert_int_eq(names_asked(), PAWL_RESOLVERS);
    names_let_go(MANY);
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(finish(&net, tasks[i]), 0);
    ck_assert_int_eq(threads.started, PAWL_RESOLVERS);
    ck_assert_int_eq(names_log().most_held, PAWL_RESOLVERS);
    ck_assert_int_eq(names_asked(), MANY);
    end(&net);
}
END_TEST

/* An idle thread that is on its way to the first of two is not there for the second. */
START_TEST(two_at_once_do_not_share_an_idle_thread)
{
    struct net net;
    struct pawl_task *tasks[2];
    begin(&net);
    ck_assert_int_eq(ask_and_finish(&net, "one.test"), 0);
    calls.late = true;
    for (int i = 0; i < 2; i++) tasks[i] = ask(&net, "slow.test");
    calls.late = false;
    pthread_cond_broadcast(calls.condition);
    names_wait_held(2);
    names_let_go(2);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(finish(&net, tasks[i]), 0);
    ck_assert_int_eq(threads.started, 2);
    end(&net);
}
END_TEST

START_TEST(who_waits_is_served_in_turn)
{
    enum { MANY = 6 };
    static const char *const hosts[MANY] = { "slow-a.test", "slow-b.test", "slow-c.test", "slow-d.test", "slow-e.test", "slow-f.test" };
    struct net net;
    struct pawl_task *stuck[PAWL_RESOLVERS], *tasks[MANY];
    begin(&net);
    occupy_all(&net, stuck);
    for (int i = 0; i < MANY; i++) tasks[i] = ask(&net, hosts[i]);
    for (int i = 0; i < MANY; i++) {
        names_let_go(1);
        while (names_asked() < PAWL_RESOLVERS + i + 1) sched_yield(); /* one is let go, the next one is asked for */
    }
    const struct names_log log = names_log();
    for (int i = 0; i < MANY; i++) ck_assert_str_eq(log.hosts[PAWL_RESOLVERS + i], hosts[i]);
    finish_all(&net, stuck);
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(finish(&net, tasks[i]), 0);
    end(&net);
}
END_TEST

START_TEST(one_that_waits_and_is_cancelled_is_never_asked_for)
{
    struct net net;
    struct pawl_task *stuck[PAWL_RESOLVERS];
    begin(&net);
    occupy_all(&net, stuck);
    struct pawl_task *const fifth = ask(&net, "one.test"), *const sixth = ask(&net, "two.test");
    ck_assert(pawl_task_cancel(fifth));
    ck_assert_int_eq(finish(&net, fifth), PAWL_ECANCELLED);
    finish_all(&net, stuck);
    ck_assert_int_eq(finish(&net, sixth), 0);
    const struct names_log log = names_log();
    ck_assert_int_eq(log.asked, PAWL_RESOLVERS + 1);
    ck_assert_str_eq(log.hosts[PAWL_RESOLVERS], "two.test");
    end(&net);
}
END_TEST

START_TEST(those_that_are_stuck_and_cancelled_let_the_next_ones_have_their_threads_when_they_are_through)
{
    struct net net;
    struct pawl_task *stuck[PAWL_RESOLVERS];
    begin(&net);
    occupy_all(&net, stuck);
    for (int i = 0; i < PAWL_RESOLVERS; i++) pawl_task_cancel(stuck[i]);
    for (int i = 0; i < PAWL_RESOLVERS; i++) ck_assert_int_eq(finish(&net, stuck[i]), PAWL_ECANCELLED);
    struct pawl_task *const next = ask(&net, "one.test");
    ck_assert_int_eq(names_asked(), PAWL_RESOLVERS);
    names_let_go(1);
    ck_assert_int_eq(finish(&net, next), 0);
    names_let_go(PAWL_RESOLVERS - 1);
    end(&net);
}
END_TEST

/* The answer lies in the inbox, and the loop has not looked. */
START_TEST(cancelled_when_the_answer_is_in_the_inbox_it_keeps_nothing)
{
    struct net net;
    begin(&net);
    struct pawl_task *const task = ask(&net, "slow.test");
    names_let_go(1);
    while (!pawl_loop_pending(&net.loop)) sched_yield();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(finish(&net, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(net.memory.alive, 0);
    ck_assert_int_eq(names_log().alive, 0);
    end(&net);
}
END_TEST

/* The loop ends with lookups at every stage: queued, in a thread, answered and not looked at. */
START_TEST(a_loop_ends_with_lookups_at_every_stage)
{
    struct net *const net = malloc(sizeof *net);
    struct pawl_task *stuck[PAWL_RESOLVERS];
    begin(net);
    occupy_all(net, stuck);
    ask(net, "one.test");
    ask(net, "slow-queued.test");
    names_let_go(1);
    while (!pawl_loop_pending(&net->loop)) sched_yield();
    pawl_loop_use(NULL);
    pawl_loop_finish(&net->loop);
    pawl_epoll_finish(&net->epoll);
    ck_assert_uint_eq(net->memory.alive, 0);
    free(net);
    names_let_go(PAWL_RESOLVERS); /* with the queued one, should a thread have come to it before the end */
    names_end();
}
END_TEST

/* ---- No threads ---- */

START_TEST(when_no_thread_can_be_started_it_says_so)
{
    struct net net;
    begin(&net);
    threads.most = 0;
    ck_assert_int_eq(ask_and_finish(&net, "one.test"), -EAGAIN);
    ck_assert_int_eq(ask_and_finish(&net, "192.0.2.1"), 0);
    ck_assert_int_eq(names_asked(), 0);
    ck_assert_uint_eq(net.memory.alive, 0);
    threads.most = 1000;
    ck_assert_int_eq(ask_and_finish(&net, "one.test"), 0);
    end(&net);
}
END_TEST

START_TEST(when_no_further_thread_can_be_started_requests_wait_for_those_that_are_there)
{
    struct net net;
    begin(&net);
    threads.most = 1;
    struct pawl_task *const slow = ask(&net, "slow.test"), *const next = ask(&net, "one.test"), *const last = ask(&net, "two.test");
    names_wait_held(1);
    ck_assert(!pawl_future_done(next));
    names_let_go(1);
    ck_assert_int_eq(finish(&net, last), 0);
    ck_assert_int_eq(finish(&net, next), 0);
    ck_assert_int_eq(finish(&net, slow), 0);
    ck_assert_int_eq(threads.started, 1);
    end(&net);
}
END_TEST

START_TEST(idle_threads_end_and_others_take_their_place)
{
    struct net net;
    struct pawl_task *stuck[PAWL_RESOLVERS];
    begin(&net);
    __atomic_store_n(&threads.patient, false, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask_and_finish(&net, "one.test"), 0);
        wait_ended(i + 1);
    }
    ck_assert_int_eq(threads.started, 3);
    occupy_all(&net, stuck);
    ck_assert_int_eq(threads.started, 3 + PAWL_RESOLVERS);
    finish_all(&net, stuck);
    wait_ended(3 + PAWL_RESOLVERS);
    end(&net);
}
END_TEST

START_TEST(signals_are_not_for_these_threads)
{
    struct net net;
    sigset_t before, after;
    begin(&net);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    ck_assert_int_eq(ask_and_finish(&net, "one.test"), 0);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    const struct names_log log = names_log();
    static const int signals[] = { SIGINT, SIGTERM, SIGALRM, SIGCHLD, SIGPIPE, SIGUSR1 };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        ck_assert_int_eq(sigismember(&log.signals, signals[i]), 1);
        ck_assert_int_eq(sigismember(&after, signals[i]), sigismember(&before, signals[i]));
    }
    end(&net);
}
END_TEST

/* ---- What the system is asked, and what it says ---- */

START_TEST(the_system_is_asked_for_what_was_asked)
{
    struct net net;
    begin(&net);
    ck_assert_int_eq(finish(&net, pawl_spawn(pawl_getaddrinfo("one.test", NULL, AF_INET, SOCK_DGRAM))), 0);
    struct names_log log = names_log();
    ck_assert_int_eq(log.hints.ai_family, AF_INET);
    ck_assert_int_eq(log.hints.ai_socktype, SOCK_DGRAM);
    ck_assert_str_eq(log.service, "-");
    ck_assert_int_eq(finish(&net, pawl_spawn(pawl_getaddrinfo("one.test", "https", AF_UNSPEC, SOCK_STREAM))), 0);
    log = names_log();
    ck_assert_int_eq(log.hints.ai_family, AF_UNSPEC);
    ck_assert_int_eq(log.hints.ai_socktype, SOCK_STREAM);
    ck_assert_str_eq(log.service, "https");
    end(&net);
}
END_TEST

/* A service by name is to be looked up, whatever the host is. */
START_TEST(a_numeric_host_with_a_service_by_name_is_looked_up)
{
    struct net net;
    begin(&net);
    ck_assert_int_eq(finish(&net, pawl_spawn(pawl_getaddrinfo("127.0.0.1", "nonsense", AF_INET, SOCK_STREAM))), PAWL_EHOST);
    ck_assert_int_eq(finish(&net, pawl_spawn(pawl_getaddrinfo(NULL, "nonsense", AF_INET, SOCK_STREAM))), PAWL_EHOST);
    const struct names_log log = names_log();
    ck_assert_int_eq(log.asked, 2);
    ck_assert_str_eq(log.hosts[0], "127.0.0.1");
    ck_assert_str_eq(log.hosts[1], "-");
    ck_assert_str_eq(log.service, "nonsense");
    end(&net);
}
END_TEST

START_TEST(the_families_take_turns_in_the_systems_order)
{
    static const char *const order[] = { "[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80", "192.0.2.2:80", "[2001:db8::3]:80" };
    struct net net;
    char text[PAWL_ADDRESS_TEXT];
    begin(&net);
    struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo("many.test", "80", AF_UNSPEC, SOCK_STREAM));
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, task), 0);
    const struct pawl_getaddrinfo *const found = pawl_task_frame(pawl_getaddrinfo, task);
    ck_assert_uint_eq(found->count, 5);
    for (int i = 0; i < 5; i++) ck_assert_str_eq(pawl_address_text(&found->addresses[i], text), order[i]);
    ck_assert_int_eq(finish(&net, task), 0);
    end(&net);
}
END_TEST

START_TEST(what_fails_is_told)
{
    static const struct {
        int result, system, error;
    } failures[] = {
        { EAI_NONAME, 0, PAWL_EHOST },    { EAI_SERVICE, 0, PAWL_EHOST },          { EAI_FAIL, 0, PAWL_EHOST },
        { EAI_FAMILY, 0, PAWL_EHOST },    { EAI_AGAIN, 0, PAWL_ERESOLVE },         { EAI_MEMORY, 0, PAWL_ENOMEM },
        { EAI_SOCKTYPE, 0, PAWL_EINVAL }, { EAI_BADFLAGS, 0, PAWL_EINVAL },        { EAI_SYSTEM, EMFILE, -EMFILE },
        { EAI_SYSTEM, ENFILE, -ENFILE },  { EAI_SYSTEM, 0, PAWL_ERESOLVE },        { EAI_NODATA, 0, PAWL_EHOST },
        { EAI_ADDRFAMILY, 0, PAWL_EHOST },
    };
    struct net net;
    begin(&net);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        names_fail_with(failures[i].result, failures[i].system);
        ck_assert_int_eq(ask_and_finish(&net, "fails.test"), failures[i].error);
    }
    end(&net);
}
END_TEST

/* ---- Others ---- */

/* Under the thread sanitizer a child of a program with threads may have none. */
START_TEST(a_child_of_fork_has_resolvers_of_its_own)
{
#ifdef __SANITIZE_THREAD__
    return;
#endif
    struct net net, childs;
    struct pawl_task *stuck[PAWL_RESOLVERS];
    int status = -1;
    begin(&net);
    occupy_all(&net, stuck);
    struct pawl_task *const waits = ask(&net, "one.test");
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (_i == 1) pawl_task_cancel(waits); /* the parent's, of which the child has a copy */
        net_settle(&net);
        pawl_loop_use(NULL);
        begin(&childs);
        const int error = ask_and_finish(&childs, "one.test");
        pawl_loop_use(NULL);
        _exit(error == 0 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    finish_all(&net, stuck);
    ck_assert_int_eq(finish(&net, waits), 0);
    end(&net);
}
END_TEST

/* Loops in several threads, which cancel some of their lookups and end with others under way. */
enum { LOOPS = 3, ROUNDS = 20, AT_ONCE = 8 };

static void *run_loop(void *argument)
{
    const unsigned number = *(const unsigned *)argument;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct net *const net = malloc(sizeof *net);
        struct pawl_task *tasks[AT_ONCE];
        net_begin(net);
        for (unsigned i = 0; i < AT_ONCE; i++) tasks[i] = ask(net, i % 2 ? "many.test" : "one.test");
        for (unsigned i = 0; i < AT_ONCE; i++)
            if ((i + round + number) % 3 == 0) pawl_task_cancel(tasks[i]);
        if (round % 2) pawl_loop_run_until_complete(&net->loop, tasks[AT_ONCE / 2]);
        for (unsigned i = 0; i < AT_ONCE; i++)
            if (pawl_future_done(tasks[i])) pawl_addresses_free(pawl_task_frame(pawl_getaddrinfo, tasks[i]));
        pawl_loop_use(NULL);
        pawl_loop_finish(&net->loop);
        pawl_epoll_finish(&net->epoll);
        ck_assert_uint_eq(net->memory.alive, 0);
        free(net);
    }
    return NULL;
}

START_TEST(many_loops_share_the_threads)
{
    pthread_t runners[LOOPS];
    unsigned numbers[LOOPS];
    names_begin();
    for (unsigned i = 0; i < LOOPS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(REAL(pthread_create)(&runners[i], NULL, run_loop, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < LOOPS; i++) ck_assert_int_eq(pthread_join(runners[i], NULL), 0);
    names_end();
    ck_assert_int_le(threads.started, PAWL_RESOLVERS);
    ck_assert_int_ge(names_asked(), LOOPS * ROUNDS / 2);
}
END_TEST

#define ADD(tcase, ...) \
    do { \
        const TTest *const tests_[] = { __VA_ARGS__ }; \
        for (size_t i = 0; i < sizeof tests_ / sizeof *tests_; i++) tcase_add_test((tcase), tests_[i]); \
    } while (0)

Suite *make_suite(void)
{
    Suite *const suite = suite_create("resolve_threads");
    ADD(add_case(suite, "threads"), without_a_name_there_is_no_thread, one_after_the_other_needs_one_thread, there_are_never_more_threads_than_that,
        two_at_once_do_not_share_an_idle_thread, who_waits_is_served_in_turn, one_that_waits_and_is_cancelled_is_never_asked_for,
        those_that_are_stuck_and_cancelled_let_the_next_ones_have_their_threads_when_they_are_through,
        cancelled_when_the_answer_is_in_the_inbox_it_keeps_nothing, a_loop_ends_with_lookups_at_every_stage,
        when_no_thread_can_be_started_it_says_so, when_no_further_thread_can_be_started_requests_wait_for_those_that_are_there,
        idle_threads_end_and_others_take_their_place, signals_are_not_for_these_threads);
    ADD(add_case(suite, "system"), the_system_is_asked_for_what_was_asked, a_numeric_host_with_a_service_by_name_is_looked_up,
        the_families_take_turns_in_the_systems_order, what_fails_is_told);
    TCase *const others = add_case(suite, "others");
    tcase_add_loop_test(others, a_child_of_fork_has_resolvers_of_its_own, 0, 2);
    ADD(others, many_loops_share_the_threads);
    return suite;
}
