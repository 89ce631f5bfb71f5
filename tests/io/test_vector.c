/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Several buffers in one call: all of them, in order, however they are cut; and recvmsg and sendmsg as they are. */
#define _GNU_SOURCE
#include "socket_world.h"

#include <limits.h>
#include <signal.h>
#include <sys/uio.h>

enum { BIG = 2 << 20 };

/* Receives until `size` bytes have come, and compares them. */
static void expect_bytes(struct net *net, struct pawl_socket *sock, const unsigned char *data, size_t size)
{
    unsigned char *const came = malloc(size);
    size_t total = 0;
    for (size_t part; total < size; total += part) {
        ck_assert_int_eq(net_recv(net, sock, came + total, size - total, &part), 0);
        ck_assert_uint_gt(part, 0);
    }
    ck_assert_uint_eq(total, size);
    ck_assert_mem_eq(came, data, size);
    free(came);
}

static size_t left_in(const struct iovec *parts, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) left += parts[i].iov_len;
    return left;
}

/* Cuts `size` bytes into `count` parts, some of them empty. */
static void cut(struct iovec *parts, size_t count, unsigned char *data, size_t size)
{
    for (size_t i = 0, at = 0; i < count; i++) {
        size_t part = i + 1 == count ? size - at : i % 5 == 2 ? 0 : (i * 7919) % (2 * size / count + 1);
        if (part > size - at) part = size - at;
        parts[i] = (struct iovec){ part > 0 ? data + at : NULL, part };
        at += part;
    }
}

/* ---- send_vector ---- */

static void send_cut(struct net *net, struct pawl_socket *a, struct pawl_socket *b, size_t size, size_t count)
{
    unsigned char *const data = some_bytes(size);
    struct iovec *const parts = calloc(count, sizeof *parts);
    cut(parts, count, data, size);
    struct pawl_send_vector send = pawl_send_vector(a, parts, count);
    struct pawl_task *const task = pawl_spawn(send);
    expect_bytes(net, b, data, size);
    ck_assert_int_eq(net_op_end(net, task, &send), 0);
    ck_assert_uint_eq(send.result, size);
    ck_assert_uint_eq(send.count, 0);
    ck_assert_uint_eq(left_in(parts, count), 0);
    expect_idle(a);
    free(parts);
    free(data);
}

static void send_all_cuts(struct net *net, struct pawl_socket *a, struct pawl_socket *b)
{
    static const size_t counts[] = { 1, 2, 3, 17, 1023, 1024, 1025, 3000 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        send_cut(net, a, b, 10000, counts[i]);
        send_cut(net, a, b, BIG, counts[i]);
    }
    close_both(a, b);
    net_end(net);
}

START_TEST(all_parts_go_over_tcp)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    net_pair(&net, &a, &b);
    send_all_cuts(&net, &a, &b);
}
END_TEST

START_TEST(all_parts_go_over_a_unix_socket)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    send_all_cuts(&net, &a, &b);
}
END_TEST

START_TEST(all_parts_go_through_a_pipe)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(&b, &a), 0);
    send_all_cuts(&net, &a, &b);
}
END_TEST

START_TEST(no_parts_and_empty_parts_are_done_at_once)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    struct iovec parts[3] = { { NULL, 0 }, { (void *)(uintptr_t)"", 0 }, { NULL, 0 } };
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    struct pawl_send_vector send = pawl_send_vector(&a, NULL, 0);
    ck_assert_int_eq(net_op(&net, &send), 0);
    send = pawl_send_vector(&a, parts, 3);
    ck_assert_int_eq(net_op(&net, &send), 0);
    ck_assert_uint_eq(send.result, 0);
    ck_assert_int_eq(pawl_socket_try_send_vector(&a, NULL, 0), 0);
    ck_assert_int_eq(pawl_socket_try_send_vector(&a, parts, 3), 0);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(cancelled_the_parts_say_what_is_left)
{
    enum { PARTS = 50 };
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    unsigned char *const data = some_bytes(BIG);
    struct iovec parts[PARTS];
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    cut(parts, PARTS, data, BIG);
    struct pawl_send_vector send = pawl_send_vector(&a, parts, PARTS);
    struct pawl_task *task = net_op_begin(&net, &send);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_op_end(&net, task, &send), PAWL_ECANCELLED);
    ck_assert_uint_gt(send.result, 0);
    ck_assert_uint_lt(send.result, BIG);
    ck_assert_uint_eq(send.result + left_in(parts, PARTS), BIG);
    expect_idle(&a);
    send = pawl_send_vector(&a, parts, PARTS); /* and so the whole array can be sent again for the rest */
    task = pawl_spawn(send);
    expect_bytes(&net, &b, data, BIG);
    ck_assert_int_eq(net_op_end(&net, task, &send), 0);
    free(data);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(a_peer_that_goes_ends_it_and_closing_too)
{
    for (int close_own = 0; close_own < 2; close_own++) {
        struct net net;
        struct pawl_socket a = { 0 }, b = { 0 };
        unsigned char *const data = some_bytes(BIG);
        struct iovec parts[4];
        net_begin(&net);
        signal(SIGPIPE, SIG_DFL);
        net_local_pair(&a, &b, SOCK_STREAM);
        cut(parts, 4, data, BIG);
        struct pawl_send_vector send = pawl_send_vector(&a, parts, 4);
        struct pawl_task *const task = net_op_begin(&net, &send);
        pawl_socket_close(close_own ? &a : &b);
        ck_assert_int_eq(net_op_end(&net, task, &send), close_own ? PAWL_ECLOSED : -EPIPE);
        ck_assert_uint_eq(send.result + left_in(parts, 4), BIG);
        free(data);
        close_both(&a, &b);
        net_end(&net);
    }
}
END_TEST

START_TEST(parts_make_one_datagram)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    struct iovec parts[3] = { { (void *)(uintptr_t)"one", 3 }, { (void *)(uintptr_t)" and ", 5 }, { (void *)(uintptr_t)"two", 3 } };
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_DGRAM);
    struct pawl_send_vector send = pawl_send_vector(&a, parts, 3);
    ck_assert_int_eq(net_op(&net, &send), 0);
    net_expect(&net, &b, "one and two");
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(one_try_sends_what_goes)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    unsigned char *const data = some_bytes(BIG);
    struct iovec parts[2] = { { data, 1000 }, { data + 1000, BIG - 1000 } };
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    const ptrdiff_t put = pawl_socket_try_send_vector(&a, parts, 2);
    ck_assert_int_gt(put, 1000);
    ck_assert_int_lt(put, BIG);
    ck_assert_uint_eq(left_in(parts, 2), BIG); /* these are left as they are */
    while (pawl_socket_try_send(&a, "x", 1) == 1) {}
    ck_assert_int_eq(pawl_socket_try_send_vector(&a, parts, 2), PAWL_EPENDING);
    expect_bytes(&net, &b, data, (size_t)put < 4096 ? (size_t)put : 4096);
    free(data);
    close_both(&a, &b);
    ck_assert_int_eq(pawl_socket_try_send_vector(&a, parts, 2), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_try_send_vector(NULL, parts, 2), PAWL_EINVAL);
    net_end(&net);
}
END_TEST

/* ---- recvmsg and sendmsg ---- */

static struct msghdr message_of(struct iovec *parts, size_t count)
{
    return (struct msghdr){ .msg_iov = parts, .msg_iovlen = count };
}

START_TEST(several_buffers_are_gathered_and_scattered)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char first[4] = "", second[8] = "";
    struct iovec out[2] = { { (void *)(uintptr_t)"abc", 3 }, { (void *)(uintptr_t)"defg", 4 } }, in[2] = { { first, 2 }, { second, 8 } };
    struct msghdr sent = message_of(out, 2), got = message_of(in, 2);
    net_begin(&net);
    net_pair(&net, &a, &b);
    struct pawl_message recv = pawl_recvmsg(&b, &got, 0);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    struct pawl_message send = pawl_sendmsg(&a, &sent, 0);
    ck_assert_int_eq(net_op(&net, &send), 0);
    ck_assert_uint_eq(send.result, 7);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.result, 7);
    ck_assert_str_eq(first, "ab");
    ck_assert_mem_eq(second, "cdefg", 5);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(the_callers_flags_go_with_it)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char data[16];
    struct iovec part = { data, sizeof data };
    struct msghdr message = message_of(&part, 1);
    net_begin(&net);
    net_pair(&net, &a, &b);
    ck_assert_int_eq(net_send(&net, &a, "peeked at", 9), 0);
    for (int i = 0; i < 3; i++) {
        struct pawl_message recv = pawl_recvmsg(&b, &message, MSG_PEEK);
        ck_assert_int_eq(net_op(&net, &recv), 0);
        ck_assert_uint_eq(recv.result, 9);
        ck_assert_mem_eq(data, "peeked at", 9);
    }
    net_expect(&net, &b, "peeked at"); /* it is still there */
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(the_real_size_of_a_datagram_can_be_asked_for)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char data[4];
    struct iovec part = { data, sizeof data };
    struct msghdr message = message_of(&part, 1);
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_DGRAM);
    ck_assert_int_eq(net_send(&net, &a, "much longer", 11), 0);
    struct pawl_message recv = pawl_recvmsg(&b, &message, MSG_TRUNC);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.result, 11);
    ck_assert(message.msg_flags & MSG_TRUNC);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(the_end_of_a_stream_is_0)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char data[4];
    struct iovec part = { data, sizeof data };
    struct msghdr message = message_of(&part, 1);
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    struct pawl_message recv = pawl_recvmsg(&sock, &message, 0);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    close(peer);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.result, 0);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(descriptors_that_come_with_it_are_closed_on_exec)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char data[4], control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(16)));
    const int mine = dup(STDERR_FILENO);
    int fd = -1;
    struct iovec part = { data, sizeof data };
    struct msghdr message = message_of(&part, 1);
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    struct pawl_send_fds send = pawl_send_fds(&a, "x", 1, &mine, 1);
    ck_assert_int_eq(net_op(&net, &send), 0);
    struct pawl_message recv = pawl_recvmsg(&b, &message, 0);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    close(mine);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(a_send_that_does_not_fit_waits_and_tells_how_much_went)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    unsigned char *const data = some_bytes(BIG);
    struct iovec part = { data, BIG };
    struct msghdr message = message_of(&part, 1);
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    struct pawl_message send = pawl_sendmsg(&a, &message, 0);
    ck_assert_int_eq(net_op(&net, &send), 0); /* one call that moved something */
    ck_assert_uint_gt(send.result, 0);
    ck_assert_uint_lt(send.result, BIG);
    const size_t first = send.result;
    size_t more = 0;
    for (ptrdiff_t put; (put = pawl_socket_try_send(&a, data + first + more, BIG - first - more)) > 0;) more += (size_t)put;
    part = (struct iovec){ data + first + more, BIG - first - more };
    send = pawl_sendmsg(&a, &message, 0);
    struct pawl_task *const task = net_op_begin(&net, &send);
    expect_bytes(&net, &b, data, 1000 > first ? first : 1000);
    pawl_task_cancel(task);
    pawl_loop_run_until_complete(&net.loop, task);
    pawl_task_release(task);
    expect_idle(&a);
    free(data);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* Nothing in the queue of errors, or no urgent byte, says nothing about the data. */
START_TEST(what_is_asked_for_beside_the_data_leaves_the_data_alone)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char data[16], control[256] __attribute__((aligned(16)));
    struct iovec part = { data, sizeof data };
    struct msghdr message = message_of(&part, 1);
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    raw_send(peer, "the data");
    net_settle(&net); /* its edge has been told */
    struct pawl_message errors = pawl_recvmsg(&sock, &message, MSG_ERRQUEUE);
    struct pawl_task *const task = net_op_begin(&net, &errors);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_op_end(&net, task, &errors), PAWL_ECANCELLED);
    net_expect(&net, &sock, "the data");

    struct pawl_message urgent = pawl_recvmsg(&sock, &message, MSG_OOB);
    ck_assert_int_eq(net_op(&net, &urgent), -EINVAL); /* there was none */
    ck_assert_int_eq(send(peer, "!", 1, MSG_OOB), 1);
    raw_send(peer, "rest");
    net_settle(&net);
    urgent = pawl_recvmsg(&sock, &message, MSG_OOB);
    ck_assert_int_eq(net_op(&net, &urgent), 0);
    ck_assert_uint_eq(urgent.result, 1);
    ck_assert_int_eq(data[0], '!');
    net_expect(&net, &sock, "rest");
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, closed = { 0 }, pipes[2] = { 0 };
    char data[4] = "";
    struct iovec part = { data, sizeof data };
    struct msghdr message = message_of(&part, 1);
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    ck_assert_int_eq(pawl_pipe(&pipes[0], &pipes[1]), 0);
    const struct { struct pawl_message call; int error; } cases[] = {
        { pawl_recvmsg(NULL, &message, 0), PAWL_EINVAL }, { pawl_recvmsg(&a, NULL, 0), PAWL_EINVAL }, { pawl_recvmsg(&closed, &message, 0), PAWL_ECLOSED },
        { pawl_sendmsg(NULL, &message, 0), PAWL_EINVAL }, { pawl_sendmsg(&a, NULL, 0), PAWL_EINVAL }, { pawl_sendmsg(&closed, &message, 0), PAWL_ECLOSED },
        { pawl_recvmsg(&pipes[0], &message, 0), -ENOTSOCK }, { pawl_sendmsg(&pipes[1], &message, 0), -ENOTSOCK },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pawl_message call = cases[i].call;
        ck_assert_int_eq(net_op(&net, &call), cases[i].error);
    }
    struct pawl_send_vector send = pawl_send_vector(NULL, &part, 1);
    ck_assert_int_eq(net_op(&net, &send), PAWL_EINVAL);
    send = pawl_send_vector(&a, NULL, 1);
    ck_assert_int_eq(net_op(&net, &send), PAWL_EINVAL);
    send = pawl_send_vector(&closed, &part, 1);
    ck_assert_int_eq(net_op(&net, &send), PAWL_ECLOSED);
    expect_idle(&a);
    close_both(&a, &b);
    close_both(&pipes[0], &pipes[1]);
    net_end(&net);
}
END_TEST

START_TEST(by_hand_the_outcome_is_what_the_test_says)
{
    struct pawl_socket sock = { 0 };
    struct iovec part = { NULL, 0 };
    struct msghdr message = message_of(&part, 1);
    struct pawl_message recv = pawl_recvmsg(&sock, &message, 0), send = pawl_sendmsg(&sock, &message, 0);
    struct pawl_future *const comes = coro_step(&recv), *const goes = coro_step(&send);
    ck_assert(comes != NULL && goes != NULL && comes != goes);
    recv.result = 5;
    pawl_future_set_done(comes);
    pawl_future_set_error(goes, -ENOBUFS);
    ck_assert_ptr_null(coro_step(&recv));
    ck_assert_ptr_null(coro_step(&send));
    ck_assert_int_eq(coro_error(&recv), 0);
    ck_assert_int_eq(coro_error(&send), -ENOBUFS);
    struct pawl_send_vector vector = pawl_send_vector(&sock, &part, 1);
    pawl_future_set_done(coro_step(&vector));
    ck_assert_ptr_null(coro_step(&vector));
    ck_assert_int_eq(coro_error(&vector), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("vector");
    ADD(suite, "vector", all_parts_go_over_tcp, all_parts_go_over_a_unix_socket, all_parts_go_through_a_pipe,
        no_parts_and_empty_parts_are_done_at_once, cancelled_the_parts_say_what_is_left, a_peer_that_goes_ends_it_and_closing_too,
        parts_make_one_datagram, one_try_sends_what_goes);
    ADD(suite, "message", several_buffers_are_gathered_and_scattered, the_callers_flags_go_with_it, the_real_size_of_a_datagram_can_be_asked_for,
        the_end_of_a_stream_is_0, descriptors_that_come_with_it_are_closed_on_exec, a_send_that_does_not_fit_waits_and_tells_how_much_went,
        what_is_asked_for_beside_the_data_leaves_the_data_alone);
    ADD(suite, "arguments", wrong_arguments_are_told, by_hand_the_outcome_is_what_the_test_says);
    return suite;
}
