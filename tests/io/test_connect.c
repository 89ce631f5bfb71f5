/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Connecting to one of several addresses, and by name. This executable defines connect(2): a plan says, address by address, what
 * becomes of it. What is held back is on its way until the test lets it go; nothing here waits for time to pass, except where
 * the delay itself is tested, and then only for it to be over at all.
 */
#define _GNU_SOURCE
#include "names.h"
#include "net_world.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>

/* ---- The plan ---- */

enum { MOST = 8 };
enum what { REALLY, HOLD_BACK, FAIL, INTERRUPT };

static struct {
    enum what what[MOST]; /* the n-th call, at that time: */
    int error[MOST];      /* FAIL */
    int calls;
    int fds[MOST];        /* HOLD_BACK */
    struct pawl_address addresses[MOST];
    int watch_fails_at, watches; /* the n-th epoll_ctl ADD, 1 is the first */
} plan;

/* The function of that name which would have been called. */
#define REAL(name) __extension__({ \
    __typeof__(name) *real_; \
    *(void **)&real_ = dlsym(RTLD_NEXT, #name); \
    real_; \
})

/* A resolver's own sockets, for datagrams, are none of these. */
static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    if (!is_stream(fd)) return REAL(connect)(fd, address, size);
    const int number = plan.calls++;
    const enum what what = number < MOST ? plan.what[number] : REALLY;
    if (what == HOLD_BACK) {
        plan.fds[number] = fd;
        pawl_address_set(&plan.addresses[number], address.__sockaddr__, size);
        errno = EINPROGRESS;
        return -1;
    }
    if (what == REALLY) return REAL(connect)(fd, address, size);
    if (what == INTERRUPT) REAL(connect)(fd, address, size);
    errno = what == INTERRUPT ? EINTR : plan.error[number];
    return -1;
}

int epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
    if (what != EPOLL_CTL_ADD || ++plan.watches != plan.watch_fails_at) return REAL(epoll_ctl)(epoll_fd, what, fd, event);
    errno = ENOSPC;
    return -1;
}

/* The attempt that was held back goes on. */
static void let_go(int number)
{
    const struct pawl_address *const address = &plan.addresses[number];
    ck_assert_int_eq(REAL(connect)(plan.fds[number], pawl_address_sockaddr(address), address->size) == 0 || errno == EINPROGRESS, true);
}

static void hold_back_all(void)
{
    for (int i = 0; i < MOST; i++) plan.what[i] = HOLD_BACK;
}

/* ---- The stage: a listener, and a port that is taken and at which nobody listens ---- */

static const pawl_time NEVER = PAWL_SEC(3600);

struct stage {
    struct net net;
    int listener, taken;
    struct pawl_socket sock;
    struct pawl_address here, nobody;
    struct pawl_address list[MOST];
};

static void begin(struct stage *stage)
{
    uint16_t port;
    struct sockaddr_in address = raw_address(0);
    socklen_t size = sizeof address;
    memset(stage, 0, sizeof *stage);
    memset(&plan, 0, sizeof plan);
    names_begin();
    net_begin(&stage->net);
    stage->listener = raw_listen(16, &port);
    stage->taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(stage->taken, (const struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(stage->taken, (struct sockaddr *)&address, &size), 0);
    ck_assert_int_eq(pawl_address_set(&stage->nobody, (const struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(pawl_address_parse(&stage->here, "127.0.0.1", port), 0);
    plan.watches = 0; /* but for the loop's own */
}

static void end(struct stage *stage)
{
    pawl_socket_close(&stage->sock);
    close(stage->listener);
    close(stage->taken);
    net_end(&stage->net);
    names_end();
}

/* Nothing is left of what did not come to anything. */
static void expect_nothing(struct stage *stage)
{
    ck_assert(!pawl_socket_is_open(&stage->sock));
    ck_assert_int_eq(net_watched(&stage->net), 0);
    ck_assert_uint_eq(stage->net.memory.alive, 0);
}

/* It is connected to the listener, and so it is the one that is accepted there. */
static void expect_connected(struct stage *stage)
{
    struct pawl_address peer;
    int value = 0;
    char letter;
    ck_assert(pawl_socket_is_open(&stage->sock));
    ck_assert_int_eq(net_watched(&stage->net), 1);
    ck_assert_int_eq(pawl_socket_peer(&stage->sock, &peer), 0);
    ck_assert(pawl_address_equal(&peer, &stage->here));
    ck_assert_int_eq(pawl_socket_get(&stage->sock, PAWL_NODELAY, &value), 0);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(net_send(&stage->net, &stage->sock, "x", 1), 0);
    const int fd = accept(stage->listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(recv(fd, &letter, 1, 0), 1);
    ck_assert_int_eq(letter, 'x');
    raw_send(fd, "answer");
    net_expect(&stage->net, &stage->sock, "answer");
    close(fd);
}

static struct pawl_task *start(struct stage *stage, size_t count, pawl_time delay)
{
    return pawl_spawn(pawl_connect_any(&stage->sock, stage->list, count, delay));
}

/* Runs it to its end: which address it was and how many were tried, or its error. */
static int finish(struct stage *stage, struct pawl_task *task, size_t *result, size_t *started)
{
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&stage->net.loop, task);
    *result = pawl_task_frame(pawl_connect_any, task)->result;
    *started = pawl_task_frame(pawl_connect_any, task)->started;
    pawl_task_release(task);
    return error;
}

static void expect_winner(struct stage *stage, struct pawl_task *task, size_t winner, size_t tried)
{
    size_t result, started;
    ck_assert_int_eq(finish(stage, task, &result, &started), 0);
    ck_assert_uint_eq(result, winner);
    ck_assert_uint_eq(started, tried);
    expect_connected(stage);
}

static void expect_error(struct stage *stage, struct pawl_task *task, int error, size_t tried)
{
    size_t result, started;
    ck_assert_int_eq(finish(stage, task, &result, &started), error);
    ck_assert_uint_eq(started, tried);
    expect_nothing(stage);
}

static void wait_for_calls(struct stage *stage, int calls)
{
    while (plan.calls < calls) ck_assert_int_eq(pawl_loop_run_once(&stage->net.loop, true), 0);
}

/* ---- One after the other ---- */

START_TEST(the_first_that_answers_is_the_only_one_that_is_tried)
{
    struct stage stage;
    begin(&stage);
    stage.list[0] = stage.here;
    stage.list[1] = stage.nobody;
    expect_winner(&stage, start(&stage, 2, NEVER), 0, 1);
    ck_assert_int_eq(plan.calls, 1);
    end(&stage);
}
END_TEST

START_TEST(the_next_begins_at_once_when_one_is_refused)
{
    struct stage stage;
    begin(&stage);
    stage.list[0] = stage.list[1] = stage.list[2] = stage.nobody;
    stage.list[3] = stage.here;
    expect_winner(&stage, start(&stage, 4, NEVER), 3, 4);
    end(&stage);
}
END_TEST

START_TEST(the_next_begins_at_once_when_one_fails_at_once)
{
    struct stage stage;
    begin(&stage);
    plan.what[0] = plan.what[1] = FAIL;
    plan.error[0] = ENETUNREACH;
    plan.error[1] = EACCES;
    stage.list[0] = stage.list[1] = stage.list[2] = stage.here;
    expect_winner(&stage, start(&stage, 3, NEVER), 2, 3);
    end(&stage);
}
END_TEST

START_TEST(a_family_that_there_is_not_fails_like_any_other)
{
    struct stage stage;
    begin(&stage);
    stage.list[0] = stage.here;
    stage.list[0].of.family = 255;
    stage.list[1] = stage.here;
    expect_winner(&stage, start(&stage, 2, NEVER), 1, 2);
    pawl_socket_close(&stage.sock);
    expect_error(&stage, start(&stage, 1, NEVER), -EAFNOSUPPORT, 1);
    end(&stage);
}
END_TEST

START_TEST(when_all_fail_it_is_the_error_of_the_first_that_did)
{
    struct stage stage;
    begin(&stage);
    plan.what[1] = FAIL;
    plan.error[1] = ENETUNREACH;
    stage.list[0] = stage.list[1] = stage.list[2] = stage.nobody;
    expect_error(&stage, start(&stage, 3, NEVER), -ECONNREFUSED, 3);

    memset(&plan, 0, sizeof plan);
    plan.what[0] = FAIL;
    plan.error[0] = ENETUNREACH;
    expect_error(&stage, start(&stage, 3, NEVER), -ENETUNREACH, 3);
    end(&stage);
}
END_TEST

START_TEST(interrupted_it_goes_on)
{
    struct stage stage;
    begin(&stage);
    plan.what[0] = INTERRUPT;
    stage.list[0] = stage.here;
    expect_winner(&stage, start(&stage, 1, NEVER), 0, 1);
    end(&stage);
}
END_TEST

/* Unix sockets connect at once, or not. */
START_TEST(what_is_connected_at_once_does_not_wait)
{
    struct stage stage;
    struct pawl_socket listener = { 0 };
    char name[64];
    begin(&stage);
    snprintf(name, sizeof name, "@pawl-test-connect-%d-nobody", (int)getpid());
    ck_assert_int_eq(pawl_address_unix(&stage.list[0], name), 0);
    snprintf(name, sizeof name, "@pawl-test-connect-%d", (int)getpid());
    ck_assert_int_eq(pawl_address_unix(&stage.list[1], name), 0);
    ck_assert_int_eq(pawl_listen_at(&listener, &stage.list[1], 4), 0);
    struct pawl_task *const task = start(&stage, 2, NEVER);
    ck_assert_int_eq(pawl_loop_run_once(&stage.net.loop, false), 0);
    ck_assert(pawl_future_done(task));
    ck_assert_uint_eq(pawl_task_frame(pawl_connect_any, task)->result, 1);
    ck_assert_int_eq(net_finish(&stage.net, task), 0);
    ck_assert(pawl_socket_is_open(&stage.sock));
    pawl_socket_close(&listener);
    end(&stage);
}
END_TEST

/* ---- Several at a time ---- */

START_TEST(after_the_delay_the_next_is_tried_as_well)
{
    struct stage stage;
    begin(&stage);
    plan.what[0] = plan.what[1] = HOLD_BACK;
    stage.list[0] = stage.list[1] = stage.list[2] = stage.here;
    expect_winner(&stage, start(&stage, 3, PAWL_MS(1)), 2, 3);
    end(&stage);
}
END_TEST

START_TEST(before_the_delay_the_next_is_left_alone)
{
    struct stage stage;
    begin(&stage);
    hold_back_all();
    stage.list[0] = stage.list[1] = stage.here;
    struct pawl_task *const task = start(&stage, 2, NEVER);
    net_settle(&stage.net);
    ck_assert_int_eq(plan.calls, 1);
    ck_assert(pawl_task_frame(pawl_connect_any, task)->timer.awaitable.on.when >= NEVER);
    let_go(0);
    expect_winner(&stage, task, 0, 1);
    end(&stage);
}
END_TEST

START_TEST(an_earlier_one_that_answers_late_wins_all_the_same)
{
    struct stage stage;
    begin(&stage);
    hold_back_all();
    for (int i = 0; i < 4; i++) stage.list[i] = stage.here;
    struct pawl_task *const task = start(&stage, 4, PAWL_US(100));
    wait_for_calls(&stage, 4);
    ck_assert_int_eq(net_watched(&stage.net), 4);
    let_go(1);
    expect_winner(&stage, task, 1, 4);
    end(&stage);
}
END_TEST

START_TEST(those_that_fail_late_do_not_matter_while_another_is_on_its_way)
{
    struct stage stage;
    begin(&stage);
    hold_back_all();
    stage.list[0] = stage.list[2] = stage.nobody;
    stage.list[1] = stage.here;
    struct pawl_task *const task = start(&stage, 3, PAWL_US(100));
    wait_for_calls(&stage, 3);
    let_go(0);
    let_go(2);
    while (net_watched(&stage.net) > 1) ck_assert_int_eq(pawl_loop_run_once(&stage.net.loop, true), 0);
    ck_assert(!pawl_future_done(task));
    let_go(1);
    expect_winner(&stage, task, 1, 3);
    end(&stage);
}
END_TEST

START_TEST(the_first_error_is_the_first_in_time)
{
    struct stage stage;
    begin(&stage);
    plan.what[0] = HOLD_BACK;
    plan.what[1] = FAIL;
    plan.error[1] = EHOSTUNREACH;
    stage.list[0] = stage.list[1] = stage.nobody;
    struct pawl_task *const task = start(&stage, 2, PAWL_US(100));
    wait_for_calls(&stage, 2);
    let_go(0);
    expect_error(&stage, task, -EHOSTUNREACH, 2);
    end(&stage);
}
END_TEST

/* A listener whose queue is full answers nobody. */
START_TEST(a_host_that_is_silent_is_overtaken)
{
    struct stage stage;
    uint16_t port;
    begin(&stage);
    const int silent = raw_listen(0, &port), filler = raw_connect(port);
    struct pollfd queue = { .fd = silent, .events = POLLIN };
    ck_assert_int_eq(poll(&queue, 1, -1), 1);
    plan.calls = 0;
    ck_assert_int_eq(pawl_address_parse(&stage.list[0], "127.0.0.1", port), 0);
    stage.list[1] = stage.here;
    expect_winner(&stage, start(&stage, 2, PAWL_MS(1)), 1, 2);
    ck_assert_int_eq(plan.calls, 2);
    close(filler);
    close(silent);
    end(&stage);
}
END_TEST

START_TEST(without_a_delay_of_ones_own_there_is_the_usual_one)
{
    struct stage stage;
    begin(&stage);
    hold_back_all();
    stage.list[0] = stage.list[1] = stage.here;
    const pawl_time before = pawl_loop_time(&stage.net.loop);
    struct pawl_task *const task = start(&stage, 2, 0);
    wait_for_calls(&stage, 2);
    ck_assert(pawl_loop_time(&stage.net.loop) - before >= PAWL_MS(PAWL_ATTEMPT_DELAY_MS));
    let_go(1);
    expect_winner(&stage, task, 1, 2);
    end(&stage);
}
END_TEST

/* ---- Giving up ---- */

START_TEST(cancelled_nothing_is_left_open)
{
    for (int on_their_way = 1; on_their_way <= 4; on_their_way++) {
        struct stage stage;
        begin(&stage);
        hold_back_all();
        for (int i = 0; i < 4; i++) stage.list[i] = stage.here;
        struct pawl_task *const task = start(&stage, 4, PAWL_US(100));
        wait_for_calls(&stage, on_their_way);
        ck_assert(pawl_task_cancel(task));
        expect_error(&stage, task, PAWL_ECANCELLED, pawl_task_frame(pawl_connect_any, task)->started);
        end(&stage);
    }
}
END_TEST

START_TEST(cancelled_between_the_answer_and_the_step_nothing_is_left_open)
{
    struct stage stage;
    begin(&stage);
    hold_back_all();
    stage.list[0] = stage.list[1] = stage.here;
    struct pawl_task *const task = start(&stage, 2, NEVER);
    net_settle(&stage.net);
    let_go(0);
    while (!pawl_future_done(&pawl_task_frame(pawl_connect_any, task)->progress))
        ck_assert_int_eq(stage.net.loop.port->ops->wait(stage.net.loop.port, PAWL_WAIT_FOREVER, 0), 0);
    ck_assert(pawl_task_cancel(task));
    expect_error(&stage, task, PAWL_ECANCELLED, 1);
    end(&stage);
}
END_TEST

START_TEST(a_loop_that_ends_leaves_nothing_open)
{
    struct stage stage;
    begin(&stage);
    hold_back_all();
    for (int i = 0; i < 4; i++) stage.list[i] = stage.here;
    start(&stage, 4, PAWL_US(100));
    wait_for_calls(&stage, 3);
    pawl_loop_use(NULL);
    pawl_loop_finish(&stage.net.loop);
    ck_assert_int_eq(net_watched(&stage.net), 0);
    ck_assert_uint_eq(stage.net.memory.alive, 0);
    pawl_epoll_finish(&stage.net.epoll);
    close(stage.listener);
    close(stage.taken);
    names_end();
}
END_TEST

/* ---- What goes wrong here ---- */

START_TEST(what_cannot_be_watched_is_an_attempt_that_failed)
{
    struct stage stage;
    begin(&stage);
    plan.watch_fails_at = 1;
    plan.what[0] = HOLD_BACK;
    stage.list[0] = stage.list[1] = stage.here;
    expect_winner(&stage, start(&stage, 2, NEVER), 1, 2);
    pawl_socket_close(&stage.sock);

    plan.watches = 0;
    plan.watch_fails_at = 2; /* that is when it is to become the socket */
    expect_error(&stage, start(&stage, 1, NEVER), -ENOSPC, 1);
    end(&stage);
}
END_TEST

START_TEST(a_port_that_cannot_watch_says_so)
{
    struct world world;
    struct pawl_socket sock = { 0 };
    struct pawl_address address;
    memset(&plan, 0, sizeof plan);
    plan.what[0] = HOLD_BACK;
    world_begin(&world);
    ck_assert_int_eq(pawl_address_parse(&address, "127.0.0.1", 1), 0);
    ck_assert_int_eq(world_run(&world, pawl_connect_any(&sock, &address, 1, 0)), PAWL_ENOSYS);
    ck_assert(!pawl_socket_is_open(&sock));
    world_end(&world);
}
END_TEST

START_TEST(without_memory_it_says_so)
{
    struct stage stage;
    TASK(pawl_connect_any) task = { 0 };
    begin(&stage);
    stage.list[0] = stage.here;
    struct pawl_task *const one = start(&stage, 1, NEVER);
    stage.net.memory.fail_at = stage.net.memory.calls + 1;
    expect_error(&stage, one, PAWL_ENOMEM, 0);
    stage.net.loop.allocator = NULL;
    pawl_start(&task, pawl_connect_any(&stage.sock, stage.list, 1, NEVER));
    ck_assert_int_eq(pawl_loop_run_until_complete(&stage.net.loop, &task), PAWL_ENOMEM);
    ck_assert_int_eq(plan.calls, 0);
    end(&stage);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    struct stage stage;
    begin(&stage);
    stage.list[0] = stage.here;
    expect_error(&stage, start(&stage, 0, NEVER), PAWL_EINVAL, 0);
    expect_error(&stage, start(&stage, 2, NEVER), PAWL_EINVAL, 0); /* the second is none */
    expect_error(&stage, pawl_spawn(pawl_connect_any(NULL, stage.list, 1, NEVER)), PAWL_EINVAL, 0);
    expect_error(&stage, pawl_spawn(pawl_connect_any(&stage.sock, NULL, 1, NEVER)), PAWL_EINVAL, 0);
    ck_assert_int_eq(plan.calls, 0);
    end(&stage);
}
END_TEST

START_TEST(a_socket_that_is_open_is_left_as_it_is)
{
    struct stage stage;
    begin(&stage);
    stage.list[0] = stage.here;
    ck_assert_int_eq(pawl_socket_open(&stage.sock, AF_INET, SOCK_STREAM), 0);
    const int fd = pawl_socket_fd(&stage.sock);
    ck_assert_int_eq(net_finish(&stage.net, start(&stage, 1, NEVER)), PAWL_EBUSY);
    ck_assert_int_eq(pawl_socket_fd(&stage.sock), fd);
    ck_assert_int_eq(plan.calls, 0);
    end(&stage);
}
END_TEST

START_TEST(a_socket_that_is_opened_meanwhile_is_left_as_it_is)
{
    struct stage stage;
    begin(&stage);
    hold_back_all();
    stage.list[0] = stage.list[1] = stage.here;
    struct pawl_task *const task = start(&stage, 2, NEVER);
    net_settle(&stage.net);
    ck_assert_int_eq(pawl_socket_open(&stage.sock, AF_INET, SOCK_STREAM), 0);
    const int fd = pawl_socket_fd(&stage.sock);
    let_go(0);
    ck_assert_int_eq(net_finish(&stage.net, task), PAWL_EBUSY);
    ck_assert_int_eq(pawl_socket_fd(&stage.sock), fd);
    ck_assert_int_eq(net_watched(&stage.net), 1);
    end(&stage);
}
END_TEST

/* ---- By name ---- */

static int connect_to(struct stage *stage, const char *host)
{
    return net_connect(&stage->net, &stage->sock, host, pawl_address_port(&stage->here));
}

START_TEST(a_number_needs_no_lookup)
{
    struct stage stage;
    begin(&stage);
    ck_assert_int_eq(connect_to(&stage, "127.0.0.1"), 0);
    expect_connected(&stage);
    pawl_socket_close(&stage.sock);
    ck_assert_int_eq(connect_to(&stage, NULL), 0);
    pawl_socket_close(&stage.sock);
    ck_assert_int_eq(names_asked(), 0);
    ck_assert_int_eq(net_connect(&stage.net, &stage.sock, "127.0.0.1", pawl_address_port(&stage.nobody)), -ECONNREFUSED);
    expect_nothing(&stage);
    end(&stage);
}
END_TEST

START_TEST(a_name_is_looked_up_and_connected_to)
{
    struct stage stage;
    begin(&stage);
    ck_assert_int_eq(connect_to(&stage, "one.test"), 0);
    expect_connected(&stage);
    ck_assert_int_ge(names_asked(), 1);
    ck_assert_uint_eq(stage.net.memory.alive, 0);
    end(&stage);
}
END_TEST

/* Nobody listens on 127.0.0.2. */
START_TEST(all_addresses_of_a_name_are_tried)
{
    struct stage stage;
    begin(&stage);
    ck_assert_int_eq(connect_to(&stage, "two.test"), 0);
    expect_connected(&stage);
    ck_assert_int_eq(plan.calls, 2);
    pawl_socket_close(&stage.sock);
    ck_assert_int_eq(net_connect(&stage.net, &stage.sock, "two.test", pawl_address_port(&stage.nobody)), -ECONNREFUSED);
    expect_nothing(&stage);
    end(&stage);
}
END_TEST

START_TEST(a_name_that_is_not_there_is_told)
{
    struct stage stage;
    begin(&stage);
    ck_assert_int_eq(connect_to(&stage, "nobody.test"), PAWL_EHOST);
    ck_assert_int_eq(connect_to(&stage, "again.test"), PAWL_ERESOLVE);
    expect_nothing(&stage);
    ck_assert_int_eq(plan.calls, 0);
    ck_assert_int_eq(net_connect(&stage.net, NULL, "one.test", 80), PAWL_EINVAL);
    end(&stage);
}
END_TEST

START_TEST(connecting_an_open_socket_by_name_leaves_it_as_it_is)
{
    struct stage stage;
    begin(&stage);
    ck_assert_int_eq(connect_to(&stage, "one.test"), 0);
    ck_assert_int_eq(connect_to(&stage, "one.test"), PAWL_EBUSY);
    expect_connected(&stage);
    end(&stage);
}
END_TEST

START_TEST(cancelled_while_it_looks_up_or_connects_nothing_is_left)
{
    struct stage stage;
    begin(&stage);
    struct pawl_task *task = pawl_spawn(pawl_connect(&stage.sock, "slow.test", pawl_address_port(&stage.here)));
    net_settle(&stage.net);
    names_wait_held(1);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(net_finish(&stage.net, task), PAWL_ECANCELLED);
    expect_nothing(&stage);
    names_let_go(1);

    memset(&plan, 0, sizeof plan);
    hold_back_all();
    task = pawl_spawn(pawl_connect(&stage.sock, "two.test", pawl_address_port(&stage.here)));
    wait_for_calls(&stage, 1);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(net_finish(&stage.net, task), PAWL_ECANCELLED);
    expect_nothing(&stage);

    memset(&plan, 0, sizeof plan);
    hold_back_all();
    task = pawl_spawn(pawl_connect(&stage.sock, "127.0.0.1", pawl_address_port(&stage.here)));
    wait_for_calls(&stage, 1);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(net_finish(&stage.net, task), PAWL_ECANCELLED);
    expect_nothing(&stage);
    end(&stage);
}
END_TEST

START_TEST(by_name_every_allocation_may_fail)
{
    struct stage stage;
    int error = PAWL_ENOMEM;
    begin(&stage);
    for (size_t nth = 1; error != 0; nth++) {
        struct pawl_task *const task = pawl_spawn(pawl_connect(&stage.sock, "one.test", pawl_address_port(&stage.here)));
        stage.net.memory.fail_at = stage.net.memory.calls + nth;
        error = net_finish(&stage.net, task);
        ck_assert(error == 0 || error == PAWL_ENOMEM);
        if (error != 0) expect_nothing(&stage);
        if (error == 0) ck_assert_uint_ge(nth, 3);
    }
    stage.net.memory.fail_at = 0;
    expect_connected(&stage);
    end(&stage);
}
END_TEST

/* ---- By hand ---- */

START_TEST(by_hand_the_test_says_how_it_goes)
{
    static const int outcomes[] = { 0, -ECONNREFUSED, PAWL_EHOST };
    struct pawl_socket sock = { 0 };
    struct pawl_address address;
    memset(&plan, 0, sizeof plan);
    ck_assert_int_eq(pawl_address_parse(&address, "192.0.2.1", 80), 0);
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        struct pawl_connect_any any = pawl_connect_any(&sock, &address, 1, 0);
        ck_assert_ptr_eq(coro_step(&any), &sock.writable);
        pawl_future_settle(&sock.writable, outcomes[i]);
        ck_assert_ptr_null(coro_step(&any));
        ck_assert_int_eq(coro_error(&any), outcomes[i]);
        struct pawl_connect by_name = pawl_connect(&sock, i % 2 ? "one.test" : "192.0.2.1", 80);
        ck_assert_ptr_eq(coro_step(&by_name), &sock.writable);
        pawl_future_settle(&sock.writable, outcomes[i]);
        ck_assert_ptr_null(coro_step(&by_name));
        ck_assert_int_eq(coro_error(&by_name), outcomes[i]);
    }
    ck_assert_int_eq(plan.calls, 0);
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
    Suite *const suite = suite_create("connect");
    ADD(add_case(suite, "one after the other"), the_first_that_answers_is_the_only_one_that_is_tried,
        the_next_begins_at_once_when_one_is_refused, the_next_begins_at_once_when_one_fails_at_once,
        a_family_that_there_is_not_fails_like_any_other, when_all_fail_it_is_the_error_of_the_first_that_did, interrupted_it_goes_on,
        what_is_connected_at_once_does_not_wait);
    ADD(add_case(suite, "several at a time"), after_the_delay_the_next_is_tried_as_well, before_the_delay_the_next_is_left_alone,
        an_earlier_one_that_answers_late_wins_all_the_same, those_that_fail_late_do_not_matter_while_another_is_on_its_way,
        the_first_error_is_the_first_in_time, a_host_that_is_silent_is_overtaken, without_a_delay_of_ones_own_there_is_the_usual_one);
    ADD(add_case(suite, "giving up"), cancelled_nothing_is_left_open, cancelled_between_the_answer_and_the_step_nothing_is_left_open,
        a_loop_that_ends_leaves_nothing_open);
    ADD(add_case(suite, "errors"), what_cannot_be_watched_is_an_attempt_that_failed, a_port_that_cannot_watch_says_so,
        without_memory_it_says_so, what_makes_no_sense_is_refused, a_socket_that_is_open_is_left_as_it_is,
        a_socket_that_is_opened_meanwhile_is_left_as_it_is);
    ADD(add_case(suite, "by name"), a_number_needs_no_lookup, a_name_is_looked_up_and_connected_to, all_addresses_of_a_name_are_tried,
        a_name_that_is_not_there_is_told, connecting_an_open_socket_by_name_leaves_it_as_it_is,
        cancelled_while_it_looks_up_or_connects_nothing_is_left, by_name_every_allocation_may_fail);
    ADD(add_case(suite, "by hand"), by_hand_the_test_says_how_it_goes);
    return suite;
}
