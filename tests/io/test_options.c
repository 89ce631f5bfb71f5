/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Options: what is set is what the system says, what is out of range never reaches it, and what does not fit a socket is told. */
#define _GNU_SOURCE
#include "socket_world.h"

#include <limits.h>

static int asked(const struct pawl_socket *sock, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    ck_assert_int_eq(getsockopt(sock->watch.fd, level, name, &value, &size), 0);
    return value;
}

static int got(const struct pawl_socket *sock, enum pawl_socket_option option)
{
    int value = -1;
    ck_assert_int_eq(pawl_socket_get(sock, option, &value), 0);
    return value;
}

static const struct { enum pawl_socket_option option; int level, name; } flags[] = {
    { PAWL_NODELAY, IPPROTO_TCP, TCP_NODELAY }, { PAWL_REUSEADDR, SOL_SOCKET, SO_REUSEADDR },
    { PAWL_REUSEPORT, SOL_SOCKET, SO_REUSEPORT }, { PAWL_BROADCAST, SOL_SOCKET, SO_BROADCAST },
};

START_TEST(a_flag_is_switched_on_and_off)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), 0);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        for (int on = 0; on < 2; on++) {
            ck_assert_int_eq(pawl_socket_set(&sock, flags[i].option, on), 0);
            ck_assert_int_eq(asked(&sock, flags[i].level, flags[i].name) != 0, on);
            ck_assert_int_eq(got(&sock, flags[i].option) != 0, on);
        }
        ck_assert_int_eq(pawl_socket_set(&sock, flags[i].option, 2), PAWL_EINVAL);
        ck_assert_int_eq(pawl_socket_set(&sock, flags[i].option, -1), PAWL_EINVAL);
        ck_assert_int_ne(asked(&sock, flags[i].level, flags[i].name), 0); /* as it was */
    }
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_tcp_socket_does_not_delay_by_itself)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_ne(got(&sock, PAWL_NODELAY), 0);
    ck_assert_int_eq(got(&sock, PAWL_REUSEADDR), 0);
    pawl_socket_close(&sock);
    ck_assert_int_eq(pawl_listen(&sock, "127.0.0.1", 0, 1), 0);
    ck_assert_int_ne(got(&sock, PAWL_REUSEADDR), 0);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(keepalive_is_seconds_of_silence)
{
    static const struct { int seconds, between; } cases[] = { { 1, 1 }, { 2, 1 }, { 3, 1 }, { 60, 20 }, { 32767, 10922 } };
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(got(&sock, PAWL_KEEPALIVE), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(pawl_socket_set(&sock, PAWL_KEEPALIVE, cases[i].seconds), 0);
        ck_assert_int_ne(asked(&sock, SOL_SOCKET, SO_KEEPALIVE), 0);
        ck_assert_int_eq(asked(&sock, IPPROTO_TCP, TCP_KEEPIDLE), cases[i].seconds);
        ck_assert_int_eq(asked(&sock, IPPROTO_TCP, TCP_KEEPINTVL), cases[i].between);
        ck_assert_int_eq(asked(&sock, IPPROTO_TCP, TCP_KEEPCNT), 3);
        ck_assert_int_eq(got(&sock, PAWL_KEEPALIVE), cases[i].seconds);
    }
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_KEEPALIVE, 32768), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_KEEPALIVE, -1), PAWL_EINVAL);
    ck_assert_int_eq(got(&sock, PAWL_KEEPALIVE), 32767);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_KEEPALIVE, 0), 0);
    ck_assert_int_eq(got(&sock, PAWL_KEEPALIVE), 0);
    ck_assert_int_eq(asked(&sock, SOL_SOCKET, SO_KEEPALIVE), 0);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_buffer_is_at_least_as_large_as_asked_for)
{
    static const enum pawl_socket_option buffers[] = { PAWL_RECV_BUFFER, PAWL_SEND_BUFFER };
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), 0);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(pawl_socket_set(&sock, buffers[i], 20000), 0);
        ck_assert_int_eq(got(&sock, buffers[i]), 40000); /* doubled */
        ck_assert_int_eq(pawl_socket_set(&sock, buffers[i], 1), 0);
        ck_assert_int_lt(got(&sock, buffers[i]), 40000);
        ck_assert_int_eq(pawl_socket_set(&sock, buffers[i], INT_MAX), 0);
        ck_assert_int_gt(got(&sock, buffers[i]), 40000); /* up to a limit */
        ck_assert_int_eq(pawl_socket_set(&sock, buffers[i], 0), PAWL_EINVAL);
        ck_assert_int_eq(pawl_socket_set(&sock, buffers[i], INT_MIN), PAWL_EINVAL);
    }
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(times_and_marks_of_tcp_are_kept)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_USER_TIMEOUT, 12345), 0);
    ck_assert_int_eq(got(&sock, PAWL_USER_TIMEOUT), 12345);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_USER_TIMEOUT, 0), 0);
    ck_assert_int_eq(got(&sock, PAWL_USER_TIMEOUT), 0);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_USER_TIMEOUT, -1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_NOTSENT_LOWAT, 16384), 0);
    ck_assert_int_eq(got(&sock, PAWL_NOTSENT_LOWAT), 16384);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_NOTSENT_LOWAT, 0), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_DEFER_ACCEPT, 1), 0);
    ck_assert_int_ge(got(&sock, PAWL_DEFER_ACCEPT), 1);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_DEFER_ACCEPT, -1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_FASTOPEN, -1), PAWL_EINVAL);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* With a mark, little is queued and not sent; and the sender is woken when less than that is left. */
START_TEST(a_sender_with_a_mark_sends_all_of_it)
{
    enum { SIZE = 2 << 20 };
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    unsigned char *const data = some_bytes(SIZE), *const came = malloc(SIZE);
    size_t total = 0, part;
    net_begin(&net);
    net_pair(&net, &a, &b);
    ck_assert_int_eq(pawl_socket_set(&a, PAWL_NOTSENT_LOWAT, 4096), 0);
    struct pawl_send send = pawl_send(&a, data, SIZE);
    struct pawl_task *const task = pawl_spawn(send);
    for (; total < SIZE; total += part) {
        ck_assert_int_eq(net_recv(&net, &b, came + total, SIZE - total, &part), 0);
        ck_assert_uint_gt(part, 0);
    }
    ck_assert_int_eq(net_op_end(&net, task, &send), 0);
    ck_assert_mem_eq(came, data, SIZE);
    free(data);
    free(came);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(two_sockets_share_a_port_when_both_say_so)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, c = { 0 };
    struct pawl_address address;
    net_begin(&net);
    ck_assert_int_eq(pawl_address_parse(&address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(pawl_socket_open(&a, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_set(&a, PAWL_REUSEPORT, 1), 0);
    ck_assert_int_eq(pawl_socket_bind(&a, &address), 0);
    ck_assert_int_eq(pawl_socket_listen(&a, 4), 0);
    ck_assert_int_eq(pawl_socket_address(&a, &address), 0);
    ck_assert_int_eq(pawl_socket_open(&b, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_set(&b, PAWL_REUSEPORT, 1), 0);
    ck_assert_int_eq(pawl_socket_bind(&b, &address), 0);
    ck_assert_int_eq(pawl_socket_listen(&b, 4), 0);
    ck_assert_int_eq(pawl_socket_port(&b), pawl_socket_port(&a));
    ck_assert_int_eq(pawl_socket_open(&c, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_bind(&c, &address), -EADDRINUSE);
    pawl_socket_close(&c);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(a_connection_that_says_nothing_is_not_accepted_when_that_is_deferred)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    struct pawl_address address;
    net_begin(&net);
    ck_assert_int_eq(pawl_address_parse(&address, "127.0.0.1", 0), 0);
    ck_assert_int_eq(pawl_socket_open(&listener, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_set(&listener, PAWL_DEFER_ACCEPT, 30), 0);
    ck_assert_int_eq(pawl_socket_bind(&listener, &address), 0);
    ck_assert_int_eq(pawl_socket_listen(&listener, 4), 0);
    const int peer = raw_connect((uint16_t)pawl_socket_port(&listener));
    struct pawl_accept accept = pawl_accept(&listener, &sock);
    struct pawl_task *const task = net_op_begin(&net, &accept);
    raw_send(peer, "hello");
    ck_assert_int_eq(net_op_end(&net, task, &accept), 0);
    net_expect(&net, &sock, "hello");
    close(peer);
    close_both(&listener, &sock);
    net_end(&net);
}
END_TEST

START_TEST(a_unix_socket_is_told_who_sends)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char data[8], control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(16)));
    struct ucred who;
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    ck_assert_int_eq(got(&sock, PAWL_CREDENTIALS), 0);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_CREDENTIALS, 1), 0);
    ck_assert_int_eq(got(&sock, PAWL_CREDENTIALS), 1);
    raw_send(peer, "x");
    struct iovec part = { data, sizeof data };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct pawl_message recv = pawl_recvmsg(&sock, &message, 0);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    const struct cmsghdr *const head = CMSG_FIRSTHDR(&message);
    ck_assert_ptr_nonnull(head);
    ck_assert_int_eq(head->cmsg_type, SCM_CREDENTIALS);
    memcpy(&who, CMSG_DATA(head), sizeof who);
    ck_assert_int_eq(who.pid, getpid());
    ck_assert_uint_eq(who.uid, getuid());
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* ---- What does not fit ---- */

START_TEST(what_a_socket_cannot_is_told)
{
    struct net net;
    struct pawl_socket local = { 0 }, other = { 0 }, datagram = { 0 }, read_end = { 0 }, write_end = { 0 };
    int value = -7;
    net_begin(&net);
    net_local_pair(&local, &other, SOCK_STREAM);
    ck_assert_int_eq(pawl_socket_set(&local, PAWL_NODELAY, 1), -EOPNOTSUPP);
    ck_assert_int_eq(pawl_socket_get(&local, PAWL_NODELAY, &value), -EOPNOTSUPP);
    ck_assert_int_eq(pawl_socket_set(&local, PAWL_KEEPALIVE, 10), -EOPNOTSUPP);
    ck_assert_int_eq(got(&local, PAWL_KEEPALIVE), 0); /* not switched on by halves */
    ck_assert_int_eq(pawl_datagram_open(&datagram, AF_INET, NULL), 0);
    ck_assert_int_eq(pawl_socket_set(&datagram, PAWL_NODELAY, 1), -ENOPROTOOPT);
    ck_assert_int_lt(pawl_socket_set(&datagram, PAWL_V6ONLY, 1), 0);
    ck_assert_int_eq(pawl_pipe(&read_end, &write_end), 0);
    for (int option = PAWL_NODELAY; option <= PAWL_CREDENTIALS; option++) {
        ck_assert_int_eq(pawl_socket_set(&write_end, (enum pawl_socket_option)option, 1), -ENOTSOCK);
        ck_assert_int_eq(pawl_socket_get(&write_end, (enum pawl_socket_option)option, &value), -ENOTSOCK);
    }
    ck_assert_int_eq(value, -7); /* left alone */
    close_both(&local, &other);
    close_both(&read_end, &write_end);
    pawl_socket_close(&datagram);
    net_end(&net);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    struct net net;
    struct pawl_socket sock = { 0 }, closed = { 0 };
    int value = -7;
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_set(NULL, PAWL_NODELAY, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_get(NULL, PAWL_NODELAY, &value), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_get(&sock, PAWL_NODELAY, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_set(&sock, (enum pawl_socket_option)(PAWL_CREDENTIALS + 1), 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_get(&sock, (enum pawl_socket_option)(PAWL_CREDENTIALS + 1), &value), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_set(&sock, (enum pawl_socket_option)1000000, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_set(&closed, PAWL_NODELAY, 1), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_get(&closed, PAWL_NODELAY, &value), PAWL_ECLOSED);
    pawl_socket_close(&sock);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_NODELAY, 1), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_get(&sock, PAWL_KEEPALIVE, &value), PAWL_ECLOSED);
    ck_assert_int_eq(value, -7);
    net_end(&net);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("options");
    ADD(suite, "values", a_flag_is_switched_on_and_off, a_tcp_socket_does_not_delay_by_itself, keepalive_is_seconds_of_silence,
        a_buffer_is_at_least_as_large_as_asked_for, times_and_marks_of_tcp_are_kept);
    ADD(suite, "effects", a_sender_with_a_mark_sends_all_of_it, two_sockets_share_a_port_when_both_say_so,
        a_connection_that_says_nothing_is_not_accepted_when_that_is_deferred, a_unix_socket_is_told_who_sends);
    ADD(suite, "wrong", what_a_socket_cannot_is_told, wrong_arguments_are_told);
    return suite;
}
