/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Datagrams: whole or not at all, from whom they came, and one by one: a short one, of which a stream would say that it is
 * dry, is followed by those that were already there.
 */
#define _GNU_SOURCE
#include "socket_world.h"

#include <signal.h>

static const char here[] = "127.0.0.1";

static struct pawl_address address_of(const struct pawl_socket *sock)
{
    struct pawl_address address;
    ck_assert_int_eq(pawl_socket_address(sock, &address), 0);
    return address;
}

/* A datagram socket on a free port of this host. */
static struct pawl_address open_here(struct pawl_socket *sock, const char *host)
{
    struct pawl_address address;
    ck_assert_int_eq(pawl_address_parse(&address, host, 0), 0);
    ck_assert_int_eq(pawl_datagram_open(sock, address.of.family, &address), 0);
    ck_assert_int_gt(pawl_socket_port(sock), 0);
    return address_of(sock);
}

static int net_send_to(struct net *net, struct pawl_socket *sock, const void *data, size_t size, const struct pawl_address *address)
{
    struct pawl_send_to send = pawl_send_to(sock, data, size, address);
    return net_op(net, &send);
}

/* Receives exactly `text`, and from `sender` unless that is NULL. */
static void expect_from(struct net *net, struct pawl_socket *sock, const char *text, const struct pawl_address *sender)
{
    char data[256];
    struct pawl_address from;
    struct pawl_recv_from recv = pawl_recv_from(sock, data, sizeof data, &from);
    ck_assert_int_eq(net_op(net, &recv), 0);
    ck_assert_uint_eq(recv.result, strlen(text));
    ck_assert_mem_eq(data, text, strlen(text));
    ck_assert(!recv.truncated);
    if (sender != NULL) ck_assert(pawl_address_equal(&from, sender));
}

static bool has_ipv6(void)
{
    const struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) close(fd);
    return has;
}

/* ---- There and back ---- */

static void there_and_back(const char *host)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, host), at_b = open_here(&b, host);
    ck_assert_int_eq(net_send_to(&net, &a, "question", 8, &at_b), 0);
    expect_from(&net, &b, "question", &at_a);
    ck_assert_int_eq(net_send_to(&net, &b, "answer", 6, &at_a), 0);
    expect_from(&net, &a, "answer", &at_b);
    close_both(&a, &b);
    net_end(&net);
}

START_TEST(a_datagram_says_where_it_came_from)
{
    there_and_back(here);
}
END_TEST

START_TEST(so_does_one_of_ipv6)
{
    there_and_back("::1");
}
END_TEST

START_TEST(without_an_address_the_system_chooses_one)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    const struct pawl_address at_b = open_here(&b, here);
    ck_assert_int_eq(pawl_datagram_open(&a, AF_INET, NULL), 0);
    ck_assert_int_eq(pawl_socket_port(&a), 0);
    ck_assert_int_eq(net_send_to(&net, &a, "hi", 2, &at_b), 0);
    const int port = pawl_socket_port(&a);
    ck_assert_int_gt(port, 0);
    char data[8];
    struct pawl_address from;
    struct pawl_recv_from recv = pawl_recv_from(&b, data, sizeof data, &from);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_int_eq(pawl_address_port(&from), port);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* A short datagram does not say that there are no others. */
START_TEST(many_that_came_before_are_read_one_by_one)
{
    enum { MANY = 50 };
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char text[8], data[64];
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, here), at_b = open_here(&b, here);
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        ck_assert_int_eq(net_send_to(&net, &a, text, strlen(text), &at_b), 0);
    }
    net_settle(&net); /* one edge for all of them */
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        if (i % 2) expect_from(&net, &b, text, &at_a);
        else net_expect(&net, &b, text); /* recv as well */
    }
    struct pawl_recv_from recv = pawl_recv_from(&b, data, sizeof data, NULL);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    ck_assert_int_eq(net_send_to(&net, &a, "late", 4, &at_b), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.result, 4);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(an_empty_datagram_is_one_too)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, here), at_b = open_here(&b, here);
    ck_assert_int_eq(net_send_to(&net, &a, NULL, 0, &at_b), 0);
    ck_assert_int_eq(net_send_to(&net, &a, "", 0, &at_b), 0);
    ck_assert_int_eq(net_send_to(&net, &a, "x", 1, &at_b), 0);
    expect_from(&net, &b, "", &at_a);
    expect_from(&net, &b, "", &at_a);
    expect_from(&net, &b, "x", &at_a);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(one_that_does_not_fit_is_cut_and_says_so)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char data[4] = "";
    struct pawl_address from;
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, here), at_b = open_here(&b, here);
    static const char *const texts[] = { "12345", "1234", "123" };
    for (size_t i = 0; i < 3; i++) ck_assert_int_eq(net_send_to(&net, &a, texts[i], strlen(texts[i]), &at_b), 0);
    for (size_t i = 0; i < 3; i++) {
        struct pawl_recv_from recv = pawl_recv_from(&b, data, sizeof data, &from);
        ck_assert_int_eq(net_op(&net, &recv), 0);
        ck_assert_uint_eq(recv.result, i == 2 ? 3 : 4);
        ck_assert(recv.truncated == (i == 0));
        ck_assert(pawl_address_equal(&from, &at_a));
    }
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(a_receiver_without_a_buffer_sees_only_that_one_came)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    struct pawl_address from;
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, here), at_b = open_here(&b, here);
    struct pawl_recv_from recv = pawl_recv_from(&b, NULL, 0, &from);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    ck_assert_int_eq(net_send_to(&net, &a, "knock", 5, &at_b), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.result, 0);
    ck_assert(recv.truncated);
    ck_assert(pawl_address_equal(&from, &at_a));
    ck_assert_int_eq(net_send_to(&net, &a, "next", 4, &at_b), 0);
    expect_from(&net, &b, "next", &at_a);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* ---- Connected ---- */

START_TEST(a_connected_one_needs_no_address_and_hears_only_its_peer)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, stranger = { 0 };
    struct pawl_address peer;
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, here), at_b = open_here(&b, here);
    open_here(&stranger, here);
    struct pawl_connect_to connect = pawl_connect_to(&a, &at_b);
    ck_assert_int_eq(net_op(&net, &connect), 0);
    ck_assert_int_eq(pawl_socket_peer(&a, &peer), 0);
    ck_assert(pawl_address_equal(&peer, &at_b));
    ck_assert_int_eq(net_send_to(&net, &a, "by send_to", 10, NULL), 0);
    ck_assert_int_eq(net_send(&net, &a, "by send", 7), 0);
    expect_from(&net, &b, "by send_to", &at_a);
    expect_from(&net, &b, "by send", &at_a);
    ck_assert_int_eq(net_send_to(&net, &stranger, "spam", 4, &at_a), 0);
    ck_assert_int_eq(net_send_to(&net, &b, "real", 4, &at_a), 0);
    net_expect(&net, &a, "real");
    close_both(&a, &b);
    pawl_socket_close(&stranger);
    net_end(&net);
}
END_TEST

START_TEST(a_port_where_nobody_is_is_told_once_and_the_socket_stays)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char data[8];
    size_t got;
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, here), at_b = open_here(&b, here);
    pawl_socket_close(&b);
    struct pawl_connect_to connect = pawl_connect_to(&a, &at_b);
    ck_assert_int_eq(net_op(&net, &connect), 0);
    struct pawl_recv recv = pawl_recv(&a, data, sizeof data);
    struct pawl_task *task = net_op_begin(&net, &recv);
    ck_assert_int_eq(net_send(&net, &a, "anybody?", 8), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), -ECONNREFUSED);
    recv = pawl_recv(&a, data, sizeof data); /* told; now it waits again */
    task = net_op_begin(&net, &recv);
    ck_assert_int_eq(pawl_datagram_open(&b, AF_INET, &at_b), 0);
    ck_assert_int_eq(net_send(&net, &a, "now?", 4), 0);
    ck_assert_int_eq(net_recv(&net, &b, data, sizeof data, &got), 0);
    ck_assert_uint_eq(got, 4);
    ck_assert_int_eq(net_send_to(&net, &b, "yes", 3, &at_a), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.result, 3);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* ---- What goes wrong ---- */

START_TEST(what_cannot_be_sent_says_why_and_hurts_nobody)
{
    static char large[70000];
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    struct pawl_address broadcast;
    net_begin(&net);
    signal(SIGPIPE, SIG_DFL);
    const struct pawl_address at_a = open_here(&a, here), at_b = open_here(&b, here);
    ck_assert_int_eq(net_send_to(&net, &a, large, sizeof large, &at_b), -EMSGSIZE);
    ck_assert_int_eq(net_send_to(&net, &a, "x", 1, NULL), -EDESTADDRREQ);
    ck_assert_int_eq(pawl_address_parse(&broadcast, "255.255.255.255", 9), 0);
    ck_assert_int_eq(net_send_to(&net, &a, "x", 1, &broadcast), -EACCES); /* without PAWL_BROADCAST */
    const struct pawl_address local = { .of.family = AF_UNIX, .size = 2 };
    ck_assert_int_lt(net_send_to(&net, &a, "x", 1, &local), 0);
    expect_idle(&a);
    ck_assert_int_eq(net_send_to(&net, &a, large, 65507, &at_b), 0);
    char *const came = malloc(65536);
    struct pawl_recv_from recv = pawl_recv_from(&b, came, 65536, NULL);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.result, 65507);
    ck_assert_int_eq(net_send_to(&net, &b, "still here", 10, &at_a), 0);
    expect_from(&net, &a, "still here", &at_b);
    free(came);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, closed = { 0 };
    char data[4];
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, here);
    ck_assert_int_eq(pawl_datagram_open(&a, AF_INET, NULL), PAWL_EBUSY);
    ck_assert_int_eq(pawl_datagram_open(NULL, AF_INET, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_datagram_open(&b, AF_INET, &at_a), -EADDRINUSE);
    ck_assert(!pawl_socket_is_open(&b));
    ck_assert_int_eq(pawl_datagram_open(&b, 12345, NULL), -EAFNOSUPPORT);
    ck_assert_int_lt(pawl_datagram_open(&b, AF_UNIX, &at_a), 0);
    ck_assert(!pawl_socket_is_open(&b));
    const struct { struct pawl_recv_from call; int error; } recvs[] = {
        { pawl_recv_from(NULL, data, 4, NULL), PAWL_EINVAL }, { pawl_recv_from(&a, NULL, 4, NULL), PAWL_EINVAL },
        { pawl_recv_from(&closed, data, 4, NULL), PAWL_ECLOSED },
    };
    for (size_t i = 0; i < sizeof recvs / sizeof *recvs; i++) {
        struct pawl_recv_from recv = recvs[i].call;
        ck_assert_int_eq(net_op(&net, &recv), recvs[i].error);
    }
    ck_assert_int_eq(net_send_to(&net, NULL, "x", 1, &at_a), PAWL_EINVAL);
    ck_assert_int_eq(net_send_to(&net, &a, NULL, 1, &at_a), PAWL_EINVAL);
    ck_assert_int_eq(net_send_to(&net, &closed, "x", 1, &at_a), PAWL_ECLOSED);
    struct pawl_recv_from recv = pawl_recv_from(&a, data, 4, NULL);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    struct pawl_recv_from second = pawl_recv_from(&a, data, 4, NULL);
    ck_assert_int_eq(net_op(&net, &second), PAWL_EBUSY);
    pawl_socket_close(&a);
    ck_assert_int_eq(net_op_end(&net, task, &recv), PAWL_ECLOSED);
    net_end(&net);
}
END_TEST

/* ---- Unix ---- */

static struct pawl_address at_name(const char *name)
{
    struct pawl_address address;
    char text[64];
    snprintf(text, sizeof text, "@pawl-datagram-%s-%d", name, (int)getpid());
    ck_assert_int_eq(pawl_address_unix(&address, text), 0);
    return address;
}

/* Fills the queue of `to` with datagrams of its own: how many there were. */
static int fill_queue(const struct pawl_address *to)
{
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int count = 0;
    while (sendto(fd, "filler", 6, 0, pawl_address_sockaddr(to), to->size) == 6) count++;
    ck_assert_int_eq(errno, EAGAIN);
    close(fd);
    return count;
}

static void expect_fillers(struct net *net, struct pawl_socket *sock, int count)
{
    for (int i = 0; i < count; i++) net_expect(net, sock, "filler");
}

START_TEST(unix_datagrams_have_names_too)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    const struct pawl_address at_a = at_name("a"), at_b = at_name("b");
    net_begin(&net);
    ck_assert_int_eq(pawl_datagram_open(&a, AF_UNIX, &at_a), 0);
    ck_assert_int_eq(pawl_datagram_open(&b, AF_UNIX, &at_b), 0);
    ck_assert_int_eq(net_send_to(&net, &a, "named", 5, &at_b), 0);
    expect_from(&net, &b, "named", &at_a);
    struct pawl_socket unnamed = { 0 };
    struct pawl_address from = at_a;
    char data[16];
    ck_assert_int_eq(pawl_datagram_open(&unnamed, AF_UNIX, NULL), 0);
    ck_assert_int_eq(net_send_to(&net, &unnamed, "unnamed", 7, &at_b), 0);
    struct pawl_recv_from recv = pawl_recv_from(&b, data, sizeof data, &from);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    char text[PAWL_ADDRESS_TEXT];
    ck_assert_str_eq(pawl_address_text(&from, text), "-");
    ck_assert_int_eq(net_send_to(&net, &unnamed, "x", 1, &at_a), 0);
    pawl_socket_close(&a);
    ck_assert_int_eq(net_send_to(&net, &unnamed, "x", 1, &at_a), -ECONNREFUSED);
    close_both(&unnamed, &b);
    net_end(&net);
}
END_TEST

START_TEST(a_connected_sender_waits_for_room_in_its_peers_queue)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    const struct pawl_address at_b = at_name("b");
    net_begin(&net);
    ck_assert_int_eq(pawl_datagram_open(&b, AF_UNIX, &at_b), 0);
    ck_assert_int_eq(pawl_datagram_open(&a, AF_UNIX, NULL), 0);
    struct pawl_connect_to connect = pawl_connect_to(&a, &at_b);
    ck_assert_int_eq(net_op(&net, &connect), 0);
    const int fillers = fill_queue(&at_b);
    struct pawl_send_to send = pawl_send_to(&a, "at last", 7, NULL);
    struct pawl_task *const task = net_op_begin(&net, &send);
    expect_fillers(&net, &b, fillers);
    ck_assert_int_eq(net_op_end(&net, task, &send), 0);
    net_expect(&net, &b, "at last");
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* The system tells nobody when the queue of a socket that one is not connected with has room. */
START_TEST(one_that_is_not_connected_is_told_that_a_queue_is_full)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    const struct pawl_address at_b = at_name("b");
    net_begin(&net);
    ck_assert_int_eq(pawl_datagram_open(&b, AF_UNIX, &at_b), 0);
    ck_assert_int_eq(pawl_datagram_open(&a, AF_UNIX, NULL), 0);
    const int fillers = fill_queue(&at_b);
    ck_assert_int_eq(net_send_to(&net, &a, "later", 5, &at_b), -EAGAIN);
    ck_assert_int_eq(net_send_to(&net, &a, "later", 5, &at_b), -EAGAIN);
    expect_idle(&a);
    expect_fillers(&net, &b, fillers);
    ck_assert_int_eq(net_send_to(&net, &a, "later", 5, &at_b), 0);
    net_expect(&net, &b, "later");
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* Its own buffer is full: that is told. */
START_TEST(a_sender_waits_for_room_of_its_own)
{
    static char block[4000];
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    const struct pawl_address at_b = at_name("b");
    int sent = 0;
    net_begin(&net);
    ck_assert_int_eq(pawl_datagram_open(&b, AF_UNIX, &at_b), 0);
    ck_assert_int_eq(pawl_datagram_open(&a, AF_UNIX, NULL), 0);
    ck_assert_int_eq(pawl_socket_set(&a, PAWL_SEND_BUFFER, 8000), 0);
    struct pawl_send_to send = pawl_send_to(&a, block, sizeof block, &at_b);
    struct pawl_task *task;
    for (;; sent++) {
        task = pawl_spawn(send);
        net_settle(&net);
        if (!pawl_future_done(task)) break;
        ck_assert_int_eq(net_finish(&net, task), 0);
    }
    ck_assert_int_gt(sent, 0);
    char data[5000];
    size_t got;
    for (int i = 0; i < sent; i++) ck_assert_int_eq(net_recv(&net, &b, data, sizeof data, &got), 0);
    ck_assert_int_eq(net_op_end(&net, task, &send), 0);
    ck_assert_int_eq(net_recv(&net, &b, data, sizeof data, &got), 0);
    ck_assert_uint_eq(got, sizeof block);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(cancelled_a_datagram_is_not_lost)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char data[8];
    net_begin(&net);
    const struct pawl_address at_a = open_here(&a, here), at_b = open_here(&b, here);
    struct pawl_recv_from recv = pawl_recv_from(&b, data, sizeof data, NULL);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    const struct sockaddr *const to = pawl_address_sockaddr(&at_b);
    ck_assert_int_eq(sendto(pawl_socket_fd(&a), "kept", 4, 0, to, at_b.size), 4);
    ck_assert_int_eq(net.epoll.base.ops->wait(&net.epoll.base, PAWL_WAIT_NOT, 0), 0); /* told; the cancellation comes first */
    pawl_task_cancel(task);
    ck_assert_int_eq(net_op_end(&net, task, &recv), PAWL_ECANCELLED);
    expect_idle(&b);
    expect_from(&net, &b, "kept", &at_a);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(by_hand_the_outcome_is_what_the_test_says)
{
    struct pawl_socket sock = { 0 };
    struct pawl_address from;
    char data[8];
    struct pawl_recv_from recv = pawl_recv_from(&sock, data, sizeof data, &from);
    struct pawl_send_to send = pawl_send_to(&sock, "x", 1, NULL);
    struct pawl_future *const comes = coro_step(&recv), *const goes = coro_step(&send);
    ck_assert(comes != NULL && goes != NULL && comes != goes);
    recv.result = 5;
    pawl_future_set_done(comes);
    pawl_future_set_error(goes, -ENETDOWN);
    ck_assert_ptr_null(coro_step(&recv));
    ck_assert_ptr_null(coro_step(&send));
    ck_assert_int_eq(coro_error(&recv), 0);
    ck_assert_int_eq(coro_error(&send), -ENETDOWN);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("datagram");
    ADD(suite, "there", a_datagram_says_where_it_came_from, without_an_address_the_system_chooses_one, many_that_came_before_are_read_one_by_one,
        an_empty_datagram_is_one_too, one_that_does_not_fit_is_cut_and_says_so, a_receiver_without_a_buffer_sees_only_that_one_came);
    if (has_ipv6()) ADD(suite, "ipv6", so_does_one_of_ipv6);
    else fprintf(stderr, "# skipped: no ::1 here\n");
    ADD(suite, "connected", a_connected_one_needs_no_address_and_hears_only_its_peer, a_port_where_nobody_is_is_told_once_and_the_socket_stays);
    ADD(suite, "wrong", what_cannot_be_sent_says_why_and_hurts_nobody, wrong_arguments_are_told);
    ADD(suite, "unix", unix_datagrams_have_names_too, a_connected_sender_waits_for_room_in_its_peers_queue,
        one_that_is_not_connected_is_told_that_a_queue_is_full, a_sender_waits_for_room_of_its_own);
    ADD(suite, "ends", cancelled_a_datagram_is_not_lost, by_hand_the_outcome_is_what_the_test_says);
    return suite;
}
