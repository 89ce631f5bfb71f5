/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Looking names up, as any resolver does it: the world of names is names.h. */
#define _GNU_SOURCE
#include "names.h"
#include "net_world.h"

/* Runs one lookup to its end in *frame, which has the addresses then. */
static int look_up(struct net *net, struct pawl_getaddrinfo *frame, const char *host, const char *service, int family)
{
    struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo(host, service, family, SOCK_STREAM));
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    *frame = *pawl_task_frame(pawl_getaddrinfo, task);
    pawl_task_release(task);
    return error;
}

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

/* All of them as text, with a space after each. */
static const char *texts(const struct pawl_getaddrinfo *found)
{
    static char all[1024];
    char one[PAWL_ADDRESS_TEXT];
    all[0] = '\0';
    for (size_t i = 0; i < found->count; i++) {
        strcat(all, pawl_address_text(&found->addresses[i], one));
        strcat(all, " ");
    }
    return all;
}

static void expect(struct net *net, const char *host, const char *service, int family, const char *text)
{
    struct pawl_getaddrinfo found;
    ck_assert_int_eq(look_up(net, &found, host, service, family), 0);
    ck_assert_str_eq(texts(&found), text);
    pawl_addresses_free(&found);
}

static void expect_error(struct net *net, const char *host, const char *service, int family, int error)
{
    struct pawl_getaddrinfo found;
    ck_assert_int_eq(look_up(net, &found, host, service, family), error);
    ck_assert_ptr_null(found.addresses);
    ck_assert_uint_eq(found.count, 0);
    ck_assert_uint_eq(net->memory.alive, 0);
}

/* ---- Numbers ---- */

START_TEST(a_numeric_host_is_answered_at_once_and_nobody_is_asked)
{
    struct net net;
    begin(&net);
    expect(&net, "192.0.2.7", "80", AF_UNSPEC, "192.0.2.7:80 ");
    expect(&net, "192.0.2.7", NULL, AF_INET, "192.0.2.7:0 ");
    expect(&net, "2001:db8::7", "65535", AF_UNSPEC, "[2001:db8::7]:65535 ");
    expect(&net, "2001:db8::7", "0", AF_INET6, "[2001:db8::7]:0 ");
    ck_assert_int_eq(names_asked(), 0);
    end(&net);
}
END_TEST

START_TEST(a_numeric_host_does_not_wait)
{
    struct net net;
    begin(&net);
    struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo("127.0.0.1", "1", AF_INET, SOCK_DGRAM));
    ck_assert_int_eq(pawl_loop_run_once(&net.loop, false), 0);
    ck_assert(pawl_future_done(task));
    pawl_addresses_free(pawl_task_frame(pawl_getaddrinfo, task));
    ck_assert_int_eq(net_finish(&net, task), 0);
    end(&net);
}
END_TEST

START_TEST(no_host_is_this_machine)
{
    struct net net;
    struct pawl_getaddrinfo found;
    begin(&net);
    expect(&net, NULL, "80", AF_INET, "127.0.0.1:80 ");
    expect(&net, NULL, "80", AF_INET6, "[::1]:80 ");
    ck_assert_int_eq(look_up(&net, &found, NULL, "7", AF_UNSPEC), 0);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_ptr_nonnull(strstr(texts(&found), "127.0.0.1:7 "));
    ck_assert_ptr_nonnull(strstr(texts(&found), "[::1]:7 "));
    pawl_addresses_free(&found);
    ck_assert_int_eq(names_asked(), 0);
    end(&net);
}
END_TEST

START_TEST(a_numeric_host_of_the_other_family_is_none)
{
    struct net net;
    begin(&net);
    expect_error(&net, "192.0.2.7", "80", AF_INET6, PAWL_EHOST);
    expect_error(&net, "2001:db8::7", "80", AF_INET, PAWL_EHOST);
    end(&net);
}
END_TEST

START_TEST(a_port_that_does_not_exist_is_no_service)
{
    static const char *const services[] = { "65536", "99999", "99999999999999999999", "-1", "+1", " 1", "" };
    struct net net;
    begin(&net);
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        expect_error(&net, "127.0.0.1", services[i], AF_UNSPEC, PAWL_EHOST);
        expect_error(&net, "one.test", services[i], AF_UNSPEC, PAWL_EHOST);
    }
    ck_assert_int_eq(names_asked(), 0);
    end(&net);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    char host[258];
    struct net net;
    begin(&net);
    memset(host, 'a', sizeof host);
    host[256] = '\0';
    expect_error(&net, host, "80", AF_UNSPEC, PAWL_EINVAL);
    expect_error(&net, "one.test", "80", AF_UNIX, PAWL_EINVAL);
    expect_error(&net, "", "80", AF_UNSPEC, PAWL_EHOST);
    ck_assert_int_eq(net_finish(&net, pawl_spawn(pawl_getaddrinfo("one.test", "80", AF_UNSPEC, SOCK_RAW))), PAWL_EINVAL);
    ck_assert_int_eq(names_asked(), 0);
    end(&net);
}
END_TEST

/* ---- Names ---- */

START_TEST(a_name_is_looked_up)
{
    struct net net;
    begin(&net);
    expect(&net, "one.test", "80", AF_UNSPEC, "127.0.0.1:80 ");
    expect(&net, "one.test", NULL, AF_INET, "127.0.0.1:0 ");
    expect(&net, "v6.test", "443", AF_UNSPEC, "[::1]:443 ");
    ck_assert_int_ge(names_asked(), 3);
    end(&net);
}
END_TEST

/* In which order they are is the system's to say; but while there are both, a neighbour is of the other family. */
START_TEST(the_families_take_turns)
{
    struct net net;
    struct pawl_getaddrinfo found;
    begin(&net);
    ck_assert_int_eq(look_up(&net, &found, "many.test", "80", AF_UNSPEC), 0);
    ck_assert_uint_eq(found.count, 5);
    const char *const all = texts(&found);
    const char *const each[] = { "[2001:db8::1]:80", "[2001:db8::2]:80", "[2001:db8::3]:80", "192.0.2.1:80", "192.0.2.2:80" };
    for (int i = 0; i < 5; i++) ck_assert_ptr_nonnull(strstr(all, each[i]));
    for (int i = 1; i < 4; i++)
        ck_assert_int_ne(found.addresses[i].of.family, found.addresses[i - 1].of.family);
    pawl_addresses_free(&found);
    end(&net);
}
END_TEST

START_TEST(many_addresses_come_as_one_answer)
{
    struct net net;
    struct pawl_getaddrinfo found;
    begin(&net);
    ck_assert_int_eq(look_up(&net, &found, "large.test", "80", AF_INET), 0);
    ck_assert_uint_eq(found.count, 5);
    for (int i = 1; i <= 5; i++) {
        char text[32];
        snprintf(text, sizeof text, "127.0.0.%d:80 ", i);
        ck_assert_ptr_nonnull(strstr(texts(&found), text));
    }
    pawl_addresses_free(&found);
    end(&net);
}
END_TEST

START_TEST(one_family_is_all_there_is_when_one_was_asked_for)
{
    struct net net;
    struct pawl_getaddrinfo found;
    begin(&net);
    ck_assert_int_eq(look_up(&net, &found, "many.test", "80", AF_INET), 0);
    ck_assert_uint_eq(found.count, 2);
    pawl_addresses_free(&found);
    expect_error(&net, "one.test", "80", AF_INET6, PAWL_EHOST);
    end(&net);
}
END_TEST

START_TEST(a_name_that_is_not_there_and_one_that_cannot_be_asked_for_are_told_apart)
{
    struct net net;
    char host[256];
    begin(&net);
    expect_error(&net, "nobody.test", "80", AF_UNSPEC, PAWL_EHOST);
    expect_error(&net, "again.test", "80", AF_UNSPEC, PAWL_ERESOLVE);
    memset(host, 'a', 255);
    host[255] = '\0';
    expect_error(&net, host, "80", AF_UNSPEC, PAWL_EHOST);
    expect(&net, "one.test", "80", AF_UNSPEC, "127.0.0.1:80 ");
    end(&net);
}
END_TEST

START_TEST(the_strings_are_copied_when_it_begins)
{
    struct net net;
    char host[] = "slow.test", service[] = "80";
    begin(&net);
    struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo(host, service, AF_INET, SOCK_STREAM));
    net_settle(&net);
    memset(host, 'x', strlen(host));
    memset(service, '9', strlen(service));
    names_let_go(1);
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, task), 0);
    ck_assert_str_eq(texts(pawl_task_frame(pawl_getaddrinfo, task)), "127.0.0.1:80 ");
    pawl_addresses_free(pawl_task_frame(pawl_getaddrinfo, task));
    pawl_task_release(task);
    end(&net);
}
END_TEST

START_TEST(a_hundred_at_once_get_each_its_own)
{
    enum { MANY = 100 };
    struct net net;
    struct pawl_task *tasks[MANY];
    char services[MANY][12];
    begin(&net);
    for (int i = 0; i < MANY; i++) {
        snprintf(services[i], sizeof services[i], "%d", i + 1);
        tasks[i] = pawl_spawn(pawl_getaddrinfo(i % 3 == 0 ? "nobody.test" : "one.test", services[i], AF_INET, SOCK_STREAM));
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, tasks[i]), i % 3 == 0 ? PAWL_EHOST : 0);
        struct pawl_getaddrinfo *const found = pawl_task_frame(pawl_getaddrinfo, tasks[i]);
        if (i % 3 != 0) ck_assert_int_eq(pawl_address_port(&found->addresses[0]), i + 1);
        pawl_addresses_free(found);
        pawl_task_release(tasks[i]);
    }
    end(&net);
}
END_TEST

START_TEST(freeing_nothing_and_freeing_twice_are_harmless)
{
    struct net net;
    struct pawl_getaddrinfo found = { .count = 0 };
    begin(&net);
    pawl_addresses_free(NULL);
    pawl_addresses_free(&found);
    ck_assert_int_eq(look_up(&net, &found, "one.test", "80", AF_UNSPEC), 0);
    pawl_addresses_free(&found);
    pawl_addresses_free(&found);
    ck_assert_ptr_null(found.addresses);
    end(&net);
}
END_TEST

START_TEST(without_memory_it_says_so)
{
    struct net net;
    static const char *const hosts[] = { "one.test", "192.0.2.1", "many.test" };
    begin(&net);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct pawl_getaddrinfo found;
        int error = PAWL_ENOMEM;
        size_t nth = 0;
        for (; error != 0; nth++) {
            struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo(hosts[i], "80", AF_UNSPEC, SOCK_STREAM));
            net.memory.fail_at = net.memory.calls + nth + 1;
            error = pawl_loop_run_until_complete(&net.loop, task);
            found = *pawl_task_frame(pawl_getaddrinfo, task);
            pawl_task_release(task);
            ck_assert(error == 0 || error == PAWL_ENOMEM);
            if (error != 0) ck_assert_uint_eq(net.memory.alive, 0);
        }
        ck_assert_uint_ge(nth, 2);
        net.memory.fail_at = 0;
        pawl_addresses_free(&found);
    }
    end(&net);
}
END_TEST

START_TEST(without_an_allocator_there_is_no_memory)
{
    struct net net;
    TASK(pawl_getaddrinfo) task = { 0 };
    begin(&net);
    net.loop.allocator = NULL;
    pawl_start(&task, pawl_getaddrinfo("one.test", "80", AF_UNSPEC, SOCK_STREAM));
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, &task), PAWL_ENOMEM);
    end(&net);
}
END_TEST

/* ---- As a scope ---- */

enum way { ENDS, RAISES, RETURNS, STAYS };
struct visitor {
    COROUTINE(int);
    const char *host;
    enum way way;
    struct pawl_getaddrinfo found;
    struct pawl_sleep sleep;
};

ASYNC(visitor)
{
    ASYNC_BEGIN(visitor);
    WITH(self->found, pawl_getaddrinfo(self->host, "80", AF_UNSPEC, SOCK_STREAM)) {
        if (self->found.count == 0) RAISE(-EBADMSG);
        if (self->way == RAISES) RAISE(-EPIPE);
        if (self->way == RETURNS) ASYNC_RETURN(1);
        if (self->way == STAYS) AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
    } END_WITH;
    ASYNC_RETURN(2);
    ASYNC_END;
}

static int visit(struct net *net, const char *host, enum way way, int *result)
{
    struct pawl_task *const task = pawl_spawn(CORO(visitor, .host = host, .way = way));
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    *result = pawl_task_frame(visitor, task)->result;
    pawl_task_release(task);
    ck_assert_uint_eq(net->memory.alive, 0);
    return error;
}

START_TEST(a_scope_gives_the_addresses_back_whichever_way_it_is_left)
{
    static const char *const hosts[] = { "one.test", "127.0.0.1", "many.test" };
    struct net net;
    int result;
    begin(&net);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        ck_assert_int_eq(visit(&net, hosts[i], ENDS, &result), 0);
        ck_assert_int_eq(result, 2);
        ck_assert_int_eq(visit(&net, hosts[i], RETURNS, &result), 0);
        ck_assert_int_eq(result, 1);
        ck_assert_int_eq(visit(&net, hosts[i], RAISES, &result), -EPIPE);
    }
    ck_assert_int_eq(visit(&net, "nobody.test", ENDS, &result), PAWL_EHOST);
    end(&net);
}
END_TEST

START_TEST(a_scope_that_is_cancelled_or_closed_gives_them_back)
{
    struct net net;
    begin(&net);
    struct pawl_task *const task = pawl_spawn(CORO(visitor, .host = "one.test", .way = STAYS));
    while (pawl_task_frame(visitor, task)->found.count == 0) ck_assert_int_eq(pawl_loop_run_once(&net.loop, true), 0);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(net.memory.alive, 0);

    struct pawl_task *const other = pawl_spawn(CORO(visitor, .host = "one.test", .way = STAYS));
    while (pawl_task_frame(visitor, other)->found.count == 0) ck_assert_int_eq(pawl_loop_run_once(&net.loop, true), 0);
    pawl_loop_use(NULL);
    pawl_loop_finish(&net.loop);
    pawl_epoll_finish(&net.epoll);
    ck_assert_uint_eq(net.memory.alive, 0);
    names_end();
}
END_TEST

/* ---- Giving up ---- */

static struct pawl_task *ask_slowly(struct net *net, const char *host)
{
    struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo(host, "80", AF_INET, SOCK_STREAM));
    net_settle(net);
    return task;
}

START_TEST(a_lookup_that_is_cancelled_ends_at_once)
{
    struct net net;
    begin(&net);
    struct pawl_task *const task = ask_slowly(&net, "slow.test");
    names_wait_held(1);
    ck_assert(!pawl_future_done(task));
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(net.memory.alive, 0);
    expect(&net, "one.test", "80", AF_UNSPEC, "127.0.0.1:80 ");
    names_let_go(1);
    net_end(&net);
    names_end();
}
END_TEST

START_TEST(a_lookup_that_is_cancelled_before_it_begins_asks_nobody)
{
    struct net net;
    begin(&net);
    struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo("one.test", "80", AF_INET, SOCK_STREAM));
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    ck_assert_int_eq(names_asked(), 0);
    end(&net);
}
END_TEST

static void cancel_it(void *task)
{
    ck_assert(!pawl_future_done((struct pawl_task *)task));
    ck_assert(pawl_task_cancel(task));
}

/* Whoever waited for the answer before the lookup itself runs before it. */
START_TEST(cancelled_between_its_answer_and_its_step_it_keeps_nothing)
{
    struct net net;
    struct pawl_handle handle = { 0 };
    begin(&net);
    struct pawl_task *const task = pawl_spawn(pawl_getaddrinfo("slow.test", "80", AF_INET, SOCK_STREAM));
    struct pawl_getaddrinfo *const found = pawl_task_frame(pawl_getaddrinfo, task);
    ck_assert_int_eq(pawl_future_add_callback(&found->answered, &net.loop, &handle, cancel_it, task), 0);
    net_settle(&net);
    names_let_go(1);
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, task), PAWL_ECANCELLED);
    ck_assert_int_eq(found->answered.error, 0);
    ck_assert_ptr_null(found->addresses);
    pawl_task_release(task);
    ck_assert_uint_eq(net.memory.alive, 0);
    end(&net);
}
END_TEST

struct hurried {
    COROUTINE(void);
    struct pawl_timeout timeout;
    struct pawl_getaddrinfo found;
};

ASYNC(hurried)
{
    ASYNC_BEGIN(hurried);
    WITH(self->timeout, pawl_timeout(PAWL_MS(1))) {
        AWAIT(self->found, pawl_getaddrinfo("slow.test", "80", AF_UNSPEC, SOCK_STREAM));
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_timeout_ends_it)
{
    struct net net;
    begin(&net);
    ck_assert_int_eq(net_finish(&net, pawl_spawn(CORO(hurried))), PAWL_ETIMEOUT);
    names_let_go(1);
    net_end(&net);
    names_end();
}
END_TEST

/* Not even when the loop, its memory and the epoll port are gone long before the answer comes. */
START_TEST(a_loop_that_ends_leaves_its_lookups_behind)
{
    enum { MANY = 12 };
    struct net *const net = malloc(sizeof *net);
    begin(net);
    for (int i = 0; i < MANY; i++) ask_slowly(net, "slow.test");
    names_wait_held(4);
    pawl_loop_use(NULL);
    pawl_loop_finish(&net->loop);
    pawl_epoll_finish(&net->epoll);
    ck_assert_uint_eq(net->memory.alive, 0);
    memset(net, 0xff, sizeof *net);
    free(net);
    names_let_go(MANY);
    names_end();
}
END_TEST

/* ---- By hand ---- */

START_TEST(by_hand_the_test_says_what_is_found)
{
    struct pawl_address address;
    struct pawl_getaddrinfo found = pawl_getaddrinfo("one.test", "80", AF_UNSPEC, SOCK_STREAM);
    ck_assert_int_eq(pawl_address_parse(&address, "192.0.2.1", 80), 0);
    ck_assert_ptr_eq(coro_step(&found), &found.answered);
    found.addresses = &address;
    found.count = 1;
    pawl_future_settle(&found.answered, 0);
    ck_assert_ptr_null(coro_step(&found));
    ck_assert_int_eq(coro_error(&found), 0);
    ck_assert_str_eq(texts(&found), "192.0.2.1:80 ");
    pawl_addresses_free(&found);

    found = pawl_getaddrinfo("one.test", "80", AF_UNSPEC, SOCK_STREAM);
    ck_assert_ptr_nonnull(coro_step(&found));
    pawl_future_set_error(&found.answered, PAWL_ERESOLVE);
    ck_assert_ptr_null(coro_step(&found));
    ck_assert_int_eq(coro_error(&found), PAWL_ERESOLVE);

    found = pawl_getaddrinfo("one.test", "80", AF_UNSPEC, SOCK_STREAM);
    ck_assert_ptr_nonnull(coro_step(&found));
    ck_assert_int_eq(coro_close(&found), 0);
    ck_assert_int_eq(names_asked(), 0);
}
END_TEST

#define ADD(tcase, ...) \
    do { \
        const TTest *const tests_[] = { __VA_ARGS__ }; \
        for (size_t i = 0; i < sizeof tests_ / sizeof *tests_; i++) tcase_add_test((tcase), tests_[i]); \
    } while (0)

Suite *make_suite(void)
{
    Suite *const suite = suite_create("resolve");
    ADD(add_case(suite, "numbers"), a_numeric_host_is_answered_at_once_and_nobody_is_asked, a_numeric_host_does_not_wait,
        no_host_is_this_machine, a_numeric_host_of_the_other_family_is_none, a_port_that_does_not_exist_is_no_service,
        what_makes_no_sense_is_refused);
    ADD(add_case(suite, "names"), a_name_is_looked_up, the_families_take_turns, many_addresses_come_as_one_answer,
        one_family_is_all_there_is_when_one_was_asked_for,
        a_name_that_is_not_there_and_one_that_cannot_be_asked_for_are_told_apart, the_strings_are_copied_when_it_begins,
        a_hundred_at_once_get_each_its_own, freeing_nothing_and_freeing_twice_are_harmless, without_memory_it_says_so,
        without_an_allocator_there_is_no_memory);
    ADD(add_case(suite, "scope"), a_scope_gives_the_addresses_back_whichever_way_it_is_left,
        a_scope_that_is_cancelled_or_closed_gives_them_back);
    ADD(add_case(suite, "giving up"), a_lookup_that_is_cancelled_ends_at_once, a_lookup_that_is_cancelled_before_it_begins_asks_nobody,
        cancelled_between_its_answer_and_its_step_it_keeps_nothing, a_timeout_ends_it, a_loop_that_ends_leaves_its_lookups_behind);
    ADD(add_case(suite, "by hand"), by_hand_the_test_says_what_is_found);
    return suite;
}
