/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* TCP sockets on the real kernel: what is sent arrives, who waits is woken, and every way out leaves things in order. */
#define _GNU_SOURCE
#include "net_world.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>

static const char here[] = "127.0.0.1";

/* ---- Listening ---- */

START_TEST(listening_on_port_0_gets_a_free_port)
{
    struct net net;
    struct pawl_socket first = { 0 }, second = { 0 };
    net_begin(&net);
    const uint16_t one = net_listen(&first, 1), two = net_listen(&second, 1);
    ck_assert_uint_ne(one, two);
    ck_assert(pawl_socket_is_open(&first));
    ck_assert_int_eq(net_watched(&net), 2);
    pawl_socket_close(&first);
    pawl_socket_close(&second);
    ck_assert(!pawl_socket_is_open(&first));
    net_end(&net);
}
END_TEST

START_TEST(listening_on_what_is_no_numeric_address_is_EHOST)
{
    static const char *const bad[] = { "localhost", "300.1.1.1", "", "127.0.0.1:80", "::g", "1.2.3.4.5" };
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(pawl_listen(&sock, bad[i], 0, 1), PAWL_EHOST);
        ck_assert(!pawl_socket_is_open(&sock));
    }
    net_end(&net);
}
END_TEST

START_TEST(listening_twice_on_one_socket_is_EBUSY_and_does_no_harm)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    const uint16_t port = net_listen(&sock, 1);
    ck_assert_int_eq(pawl_listen(&sock, here, 0, 1), PAWL_EBUSY);
    ck_assert_int_eq(pawl_socket_port(&sock), port);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(listening_with_bad_arguments_is_EINVAL)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_listen(NULL, here, 0, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_listen(&sock, here, 0, 0), PAWL_EINVAL);
    ck_assert_int_eq(pawl_listen(&sock, here, 0, -1), PAWL_EINVAL);
    pawl_loop_use(NULL);
    ck_assert_int_eq(pawl_listen(&sock, here, 0, 1), PAWL_EINVAL);
    pawl_loop_use(&net.loop);
    ck_assert(!pawl_socket_is_open(&sock));
    net_end(&net);
}
END_TEST

START_TEST(listening_on_a_port_in_use_is_EADDRINUSE)
{
    struct net net;
    struct pawl_socket first = { 0 }, second = { 0 };
    net_begin(&net);
    const uint16_t port = net_listen(&first, 1);
    ck_assert_int_eq(pawl_listen(&second, here, port, 1), -EADDRINUSE);
    ck_assert(!pawl_socket_is_open(&second));
    pawl_socket_close(&first);
    ck_assert_int_eq(pawl_listen(&second, here, port, 1), 0);
    ck_assert_int_eq(pawl_socket_port(&second), port);
    pawl_socket_close(&second);
    net_end(&net);
}
END_TEST

START_TEST(a_loop_whose_port_watches_nothing_has_no_sockets)
{
    struct world world;
    struct pawl_socket sock = { 0 };
    world_begin(&world);
    ck_assert_int_eq(pawl_listen(&sock, here, 0, 1), PAWL_ENOSYS);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_int_eq(world_run(&world, pawl_connect(&sock, here, 1)), PAWL_ENOSYS);
    ck_assert(!pawl_socket_is_open(&sock));
    world_end(&world);
}
END_TEST

START_TEST(a_closed_socket_has_no_port_and_closing_it_again_is_harmless)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_port(&sock), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_port(NULL), PAWL_ECLOSED);
    pawl_socket_close(&sock); /* zeroed */
    net_listen(&sock, 1);
    pawl_socket_close(&sock);
    const int other = open("/dev/null", O_RDONLY | O_CLOEXEC); /* takes the number */
    pawl_socket_close(&sock);
    ck_assert_int_ge(fcntl(other, F_GETFD), 0);
    ck_assert_int_eq(pawl_socket_port(&sock), PAWL_ECLOSED);
    close(other);
    net_end(&net);
}
END_TEST

/* ---- Connecting and accepting ---- */

START_TEST(bytes_go_both_ways)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    net_pair(&net, &a, &b);
    ck_assert_int_eq(net_send(&net, &a, "ping", 4), 0);
    net_expect(&net, &b, "ping");
    ck_assert_int_eq(net_send(&net, &b, "pong!", 5), 0);
    net_expect(&net, &a, "pong!");
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    net_end(&net);
}
END_TEST

static bool has_ipv6(void)
{
    const struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) close(fd);
    return has;
}

START_TEST(ipv6_addresses_work_as_well)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_listen(&listener, "::1", 0, 1), 0);
    const int port = pawl_socket_port(&listener);
    ck_assert_int_gt(port, 0);
    ck_assert_int_eq(net_connect(&net, &a, "::1", (uint16_t)port), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(net_send(&net, &b, "six", 3), 0);
    net_expect(&net, &a, "six");
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(who_listens_on_any_address_is_reached_on_this_host)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_listen(&listener, NULL, 0, 2), 0);
    const int port = pawl_socket_port(&listener);
    ck_assert_int_eq(net_connect(&net, &a, here, (uint16_t)port), 0);
    pawl_socket_close(&a);
    ck_assert_int_eq(net_connect(&net, &a, NULL, (uint16_t)port), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(a_connection_is_refused_where_nobody_listens)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    const uint16_t port = net_listen(&listener, 1);
    pawl_socket_close(&listener);
    ck_assert_int_eq(net_connect(&net, &sock, here, port), -ECONNREFUSED);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_int_eq(net_watched(&net), 0);
    net_end(&net);
}
END_TEST

START_TEST(connecting_with_bad_arguments_tells_so)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    ck_assert_int_eq(net_connect(&net, &a, "example.org", 80), PAWL_EHOST);
    ck_assert(!pawl_socket_is_open(&a));
    ck_assert_int_eq(net_connect(&net, NULL, here, 80), PAWL_EINVAL);
    net_pair(&net, &a, &b);
    ck_assert_int_eq(net_connect(&net, &a, here, 80), PAWL_EBUSY);
    ck_assert_int_eq(net_send(&net, &a, "still open", 10), 0);
    net_expect(&net, &b, "still open");
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    net_end(&net);
}
END_TEST

START_TEST(accepting_with_bad_arguments_tells_so)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 }, closed = { 0 };
    net_begin(&net);
    const uint16_t port = net_listen(&listener, 4);
    ck_assert_int_eq(net_accept(&net, NULL, &a), PAWL_EINVAL);
    ck_assert_int_eq(net_accept(&net, NULL, NULL), PAWL_EINVAL);
    ck_assert_int_eq(net_accept(&net, &closed, &a), PAWL_ECLOSED);
    ck_assert_int_eq(net_connect(&net, &a, here, port), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &a), PAWL_EBUSY); /* that one is open; the connection stays queued */
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(net_accept(&net, &b, &closed), -EINVAL); /* a connection is no listener */
    ck_assert(!pawl_socket_is_open(&closed));
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

/* Accepts a connection as a descriptor. */
static int accept_descriptor(struct net *net, struct pawl_socket *listener)
{
    struct pawl_task *const task = pawl_spawn(pawl_accept(listener, NULL));
    ck_assert_int_eq(pawl_loop_run_until_complete(&net->loop, task), 0);
    const int fd = pawl_task_frame(pawl_accept, task)->result;
    pawl_task_release(task);
    return fd;
}

START_TEST(a_connection_is_accepted_as_a_descriptor_and_adopted)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    net_begin(&net);
    ck_assert_int_eq(net_connect(&net, &a, here, net_listen(&listener, 4)), 0);
    const int fd = accept_descriptor(&net, &listener);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(net_watched(&net), 2); /* not that one */
    ck_assert_int_eq(pawl_socket_adopt(&b, fd), 0);
    ck_assert_int_eq(net_watched(&net), 3);
    ck_assert_int_eq(net_send(&net, &a, "hello", 5), 0);
    net_expect(&net, &b, "hello");
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(adopting_with_bad_arguments_tells_so_and_closes_the_descriptor)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    net_listen(&listener, 4);
    ck_assert_int_eq(pawl_socket_adopt(&sock, -1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_adopt(NULL, dup(0)), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_adopt(&listener, dup(0)), PAWL_EBUSY);
    const int closed = dup(0);
    close(closed);
    ck_assert_int_eq(pawl_socket_adopt(&sock, closed), -EBADF);
    pawl_loop_use(NULL);
    ck_assert_int_eq(pawl_socket_adopt(&sock, dup(0)), PAWL_EINVAL);
    pawl_loop_use(&net.loop);
    ck_assert(!pawl_socket_is_open(&sock));
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(an_adopted_descriptor_that_blocks_does_so_no_more)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    int pair[2];
    size_t got;
    char byte;
    net_begin(&net);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(pawl_socket_adopt(&sock, pair[0]), 0);
    struct pawl_task *const waits = pawl_spawn(pawl_recv(&sock, &byte, 1));
    net_settle(&net);
    ck_assert(!pawl_future_done(waits));
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    ck_assert_int_eq(net_finish_recv(&net, waits, &got), 0);
    ck_assert_uint_eq(got, 1);
    ck_assert_int_eq(byte, 'x');
    close(pair[1]);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(all_that_queued_up_is_accepted_after_one_edge)
{
    enum { MANY = 40 };
    struct net net;
    struct pawl_socket listener = { 0 }, socks[MANY] = { 0 };
    int peers[MANY];
    net_begin(&net);
    const uint16_t port = net_listen(&listener, MANY);
    for (int i = 0; i < MANY; i++) peers[i] = raw_connect(port);
    net_settle(&net); /* the edge has come and gone before anybody accepts */
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(net_accept(&net, &listener, &socks[i]), 0);
    struct pawl_socket none = { 0 };
    struct pawl_task *const waits = pawl_spawn(pawl_accept(&listener, &none));
    net_settle(&net);
    ck_assert(!pawl_future_done(waits));
    const int late = raw_connect(port);
    ck_assert_int_eq(net_finish(&net, waits), 0);
    for (int i = 0; i < MANY; i++) {
        pawl_socket_close(&socks[i]);
        close(peers[i]);
    }
    close(late);
    pawl_socket_close(&none);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

static int int_option(const struct pawl_socket *sock, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    ck_assert_int_eq(getsockopt(sock->watch.fd, level, option, &value, &size), 0);
    return value;
}

START_TEST(sockets_do_not_block_do_not_delay_and_are_not_inherited)
{
    struct net net;
    struct pawl_socket pair[2] = { 0 };
    net_begin(&net);
    net_pair(&net, &pair[0], &pair[1]);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(int_option(&pair[i], IPPROTO_TCP, TCP_NODELAY), 1);
        ck_assert(fcntl(pair[i].watch.fd, F_GETFL) & O_NONBLOCK);
        ck_assert(fcntl(pair[i].watch.fd, F_GETFD) & FD_CLOEXEC);
        pawl_socket_close(&pair[i]);
    }
    net_end(&net);
}
END_TEST

/* ---- Receiving ---- */

START_TEST(recv_takes_what_is_there_and_waits_for_more)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[100];
    size_t got;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    raw_send(peer, "abc");
    net_expect(&net, &sock, "abc");
    struct pawl_task *const task = pawl_spawn(pawl_recv(&sock, buffer, sizeof buffer));
    net_settle(&net);
    ck_assert(!pawl_future_done(task));
    raw_send(peer, "defg");
    ck_assert_int_eq(net_finish_recv(&net, task, &got), 0);
    ck_assert_uint_eq(got, 4);
    ck_assert_mem_eq(buffer, "defg", 4);
    pawl_socket_close(&sock);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(recv_leaves_what_does_not_fit_for_the_next)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[4];
    size_t got;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    raw_send(peer, "0123456789");
    net_settle(&net);
    ck_assert_int_eq(net_recv(&net, &sock, buffer, 4, &got), 0);
    ck_assert_uint_eq(got, 4);
    ck_assert_mem_eq(buffer, "0123", 4);
    ck_assert_int_eq(net_recv(&net, &sock, buffer, 4, &got), 0);
    ck_assert_mem_eq(buffer, "4567", 4);
    ck_assert_int_eq(net_recv(&net, &sock, buffer, 4, &got), 0);
    ck_assert_uint_eq(got, 2);
    ck_assert_mem_eq(buffer, "89", 2);
    pawl_socket_close(&sock);
    close(peer);
    net_end(&net);
}
END_TEST

struct collect {
    COROUTINE(size_t);
    struct pawl_socket *sock;
    char *into;
    size_t size;
    struct pawl_recv recv;
};

/* Receives until the end of the stream. */
ASYNC(collect)
{
    ASYNC_BEGIN(collect);
    for (;;) {
        AWAIT(self->recv, pawl_recv(self->sock, self->into + self->result, self->size - self->result));
        if (self->recv.result == 0) break;
        self->result += self->recv.result;
    }
    ASYNC_END;
}

START_TEST(a_peer_that_sends_a_byte_at_a_time_is_heard_to_the_last)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog, one byte at a time.";
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[200];
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    const int one = 1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct pawl_task *const task = pawl_spawn(CORO(collect, .sock = &sock, .into = buffer, .size = sizeof buffer));
    for (size_t i = 0; i < sizeof text; i++) {
        ck_assert_int_eq(send(peer, text + i, 1, 0), 1);
        if (i % 3 == 0) net_settle(&net);
    }
    close(peer);
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, task), 0);
    ck_assert_uint_eq(pawl_task_frame(collect, task)->result, sizeof text);
    ck_assert_mem_eq(buffer, text, sizeof text);
    pawl_task_release(task);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(urgent_data_in_between_does_not_stall_the_stream)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[100];
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    raw_send(peer, "before");
    ck_assert_int_eq(send(peer, "!", 1, MSG_OOB), 1);
    raw_send(peer, "after");
    net_settle(&net); /* all edges have come: the stream is cut in two at the urgent byte */
    struct pawl_task *const task = pawl_spawn(CORO(collect, .sock = &sock, .into = buffer, .size = sizeof buffer));
    net_settle(&net);
    ck_assert_uint_eq(pawl_task_frame(collect, task)->result, 11);
    ck_assert_mem_eq(buffer, "beforeafter", 11);
    close(peer);
    ck_assert_int_eq(net_finish(&net, task), 0);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(the_end_of_the_stream_is_0_again_and_again)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8];
    size_t got = 99;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    struct pawl_task *const task = pawl_spawn(pawl_recv(&sock, buffer, sizeof buffer));
    net_settle(&net);
    close(peer);
    ck_assert_int_eq(net_finish_recv(&net, task, &got), 0);
    ck_assert_uint_eq(got, 0);
    for (int i = 0; i < 3; i++) {
        got = 99;
        ck_assert_int_eq(net_recv(&net, &sock, buffer, sizeof buffer, &got), 0);
        ck_assert_uint_eq(got, 0);
    }
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(what_was_sent_before_the_end_comes_before_the_end)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8];
    size_t got = 99;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    raw_send(peer, "last words");
    close(peer);
    net_settle(&net);
    net_expect(&net, &sock, "last words");
    ck_assert_int_eq(net_recv(&net, &sock, buffer, sizeof buffer, &got), 0);
    ck_assert_uint_eq(got, 0);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_peer_that_has_shut_down_its_side_can_still_be_answered)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8];
    size_t got = 99;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    raw_send(peer, "question");
    ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
    net_expect(&net, &sock, "question");
    ck_assert_int_eq(net_recv(&net, &sock, buffer, sizeof buffer, &got), 0);
    ck_assert_uint_eq(got, 0);
    ck_assert_int_eq(net_send(&net, &sock, "answer", 6), 0);
    raw_expect(peer, "answer");
    pawl_socket_close(&sock);
    ck_assert_int_eq(recv(peer, buffer, sizeof buffer, 0), 0);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(receiving_with_bad_arguments_tells_so)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, closed = { 0 };
    char buffer[4];
    size_t got;
    net_begin(&net);
    net_pair(&net, &a, &b);
    ck_assert_int_eq(net_recv(&net, &a, NULL, 4, &got), PAWL_EINVAL);
    ck_assert_int_eq(net_recv(&net, &a, buffer, 0, &got), PAWL_EINVAL);
    ck_assert_int_eq(net_recv(&net, NULL, buffer, 4, &got), PAWL_EINVAL);
    ck_assert_int_eq(net_recv(&net, &closed, buffer, 4, &got), PAWL_ECLOSED);
    pawl_socket_close(&a);
    ck_assert_int_eq(net_recv(&net, &a, buffer, 4, &got), PAWL_ECLOSED);
    pawl_socket_close(&b);
    net_end(&net);
}
END_TEST

/* ---- Sending ---- */

enum { BIG = 600000, TALK = 30000 };

static unsigned char pattern(size_t at)
{
    return (unsigned char)((at * 2654435761u) >> 11);
}

static unsigned char *big_block(void)
{
    unsigned char *const block = malloc(BIG);
    ck_assert_ptr_nonnull(block);
    for (size_t i = 0; i < BIG; i++) block[i] = pattern(i);
    return block;
}

/* Receives the big block from a raw socket until `until` bytes have come; all must be as sent. */
static void raw_drain(struct net *net, int fd, size_t *got, size_t until)
{
    unsigned char part[10000];
    while (*got < until) {
        const size_t want = until - *got < sizeof part ? until - *got : sizeof part;
        const ssize_t size = recv(fd, part, want, MSG_DONTWAIT);
        if (size < 0) ck_assert_int_eq(errno, EAGAIN);
        size_t others = 0;
        for (ssize_t i = 0; i < size; i++) others += part[i] != pattern(*got + (size_t)i);
        ck_assert_uint_eq(others, 0);
        if (size > 0) *got += (size_t)size;
        ck_assert_int_eq(pawl_loop_run_once(&net->loop, false), 0);
    }
}

START_TEST(a_send_that_does_not_fit_waits_and_loses_nothing)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    size_t put, got = 0;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    shrink_buffer(sock.watch.fd, SO_SNDBUF);
    unsigned char *const block = big_block();
    struct pawl_task *const task = pawl_spawn(pawl_send(&sock, block, BIG));
    net_settle(&net);
    ck_assert(!pawl_future_done(task));
    raw_drain(&net, peer, &got, BIG);
    ck_assert_int_eq(net_finish_send(&net, task, &put), 0);
    ck_assert_uint_eq(put, BIG);
    ck_assert_int_eq(recv(peer, block, 1, MSG_DONTWAIT), -1); /* and nothing twice */
    free(block);
    pawl_socket_close(&sock);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(sending_nothing_is_done_and_bad_arguments_are_told)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, closed = { 0 };
    net_begin(&net);
    net_pair(&net, &a, &b);
    ck_assert_int_eq(net_send(&net, &a, NULL, 0), 0);
    ck_assert_int_eq(net_send(&net, &a, "", 0), 0);
    ck_assert_int_eq(net_send(&net, &a, NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(net_send(&net, NULL, "x", 1), PAWL_EINVAL);
    ck_assert_int_eq(net_send(&net, &closed, "x", 1), PAWL_ECLOSED);
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    net_end(&net);
}
END_TEST

/* ---- Peers that are gone ---- */

START_TEST(a_reset_while_receiving_is_ECONNRESET)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8];
    size_t got;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    struct pawl_task *const task = pawl_spawn(pawl_recv(&sock, buffer, sizeof buffer));
    net_settle(&net);
    raw_reset(peer);
    ck_assert_int_eq(net_finish_recv(&net, task, &got), -ECONNRESET);
    ck_assert(pawl_socket_is_open(&sock)); /* closing it is its user's */
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(sending_to_a_peer_that_is_gone_is_an_error_and_no_signal)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    signal(SIGPIPE, SIG_DFL); /* would kill this process */
    const int peer = net_raw_pair(&net, &sock);
    raw_reset(peer);
    const int first = net_send(&net, &sock, "x", 1), second = net_send(&net, &sock, "x", 1);
    ck_assert_int_eq(first, -ECONNRESET);
    ck_assert_int_eq(second, -EPIPE);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_reset_ends_a_send_that_waits)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    size_t put;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    unsigned char *const block = big_block();
    shrink_buffer(sock.watch.fd, SO_SNDBUF);
    struct pawl_task *const task = pawl_spawn(pawl_send(&sock, block, BIG));
    net_settle(&net);
    ck_assert(!pawl_future_done(task));
    raw_reset(peer);
    const int error = net_finish_send(&net, task, &put);
    ck_assert(error == -ECONNRESET || error == -EPIPE);
    ck_assert_uint_gt(put, 0);
    ck_assert_uint_lt(put, BIG);
    free(block);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* ---- Closing under somebody who waits ---- */

START_TEST(closing_ends_who_receives_and_who_sends)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8];
    size_t got, put;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    unsigned char *const block = big_block();
    shrink_buffer(sock.watch.fd, SO_SNDBUF);
    struct pawl_task *const reader = pawl_spawn(pawl_recv(&sock, buffer, sizeof buffer));
    struct pawl_task *const writer = pawl_spawn(pawl_send(&sock, block, BIG));
    net_settle(&net);
    ck_assert(!pawl_future_done(reader) && !pawl_future_done(writer));
    pawl_socket_close(&sock);
    ck_assert_int_eq(net_watched(&net), 0);
    ck_assert_int_eq(net_finish_recv(&net, reader, &got), PAWL_ECLOSED);
    ck_assert_int_eq(net_finish_send(&net, writer, &put), PAWL_ECLOSED);
    free(block);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(closing_ends_who_accepts)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    net_listen(&listener, 1);
    struct pawl_task *const task = pawl_spawn(pawl_accept(&listener, &sock));
    net_settle(&net);
    pawl_socket_close(&listener);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECLOSED);
    ck_assert(!pawl_socket_is_open(&sock));
    net_end(&net);
}
END_TEST

/* A listener that takes no connection any more: a connect to it stays on its way. */
struct full {
    int listener, filler[8], fillers;
    uint16_t port;
};

static void full_begin(struct full *full)
{
    full->listener = raw_listen(0, &full->port);
    const struct sockaddr_in address = raw_address(full->port);
    for (full->fillers = 0; full->fillers < 8; full->fillers++) {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(fd, (const struct sockaddr *)&address, sizeof address);
        full->filler[full->fillers] = fd;
    }
}

static void full_end(struct full *full)
{
    for (int i = 0; i < full->fillers; i++) close(full->filler[i]);
    close(full->listener);
}

START_TEST(closing_ends_who_connects)
{
    struct net net;
    struct full full;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    full_begin(&full);
    struct pawl_task *const task = pawl_spawn(pawl_connect(&sock, here, full.port));
    net_settle(&net);
    ck_assert(!pawl_future_done(task));
    pawl_socket_close(&sock);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECLOSED);
    ck_assert(!pawl_socket_is_open(&sock));
    full_end(&full);
    net_end(&net);
}
END_TEST

START_TEST(closing_between_the_event_and_the_reader_gives_it_ECLOSED)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8] = "";
    size_t got;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    struct pawl_task *const task = pawl_spawn(pawl_recv(&sock, buffer, sizeof buffer));
    net_settle(&net);
    raw_send(peer, "x");
    ck_assert_int_eq(net.epoll.base.ops->wait(&net.epoll.base, PAWL_WAIT_NOT, 0), 0); /* told: the reader is ready */
    ck_assert(sock.readable.flags & PAWL_FUTURE_DONE);
    pawl_socket_close(&sock);
    ck_assert_int_eq(net_finish_recv(&net, task, &got), PAWL_ECLOSED);
    ck_assert_str_eq(buffer, "");
    close(peer);
    net_end(&net);
}
END_TEST

/* ---- One reader, one writer, one loop ---- */

/* A side of a socket is one operation's also between an event and the step that it leads to. */
START_TEST(no_second_sender_gets_in_between_the_steps_of_the_first)
{
    enum { SIZE = 4 << 20 };
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char *const data = malloc(SIZE), *const came = malloc(SIZE);
    size_t total = 0;
    net_begin(&net);
    net_pair(&net, &a, &b);
    memset(data, '1', SIZE);
    struct pawl_task *const first = pawl_spawn(pawl_send(&a, data, SIZE));
    net_settle(&net);
    while (!pawl_future_done(first)) {
        size_t got = 0;
        struct pawl_task *const second = pawl_spawn(pawl_send(&a, "2", 1));
        ck_assert_int_eq(net_recv(&net, &b, came + total, SIZE - total, &got), 0);
        total += got;
        if (!pawl_future_done(first)) ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, second), PAWL_EBUSY);
        pawl_loop_run_until_complete(&net.loop, second);
        pawl_task_release(second);
        if (total == SIZE) break;
    }
    ck_assert_int_eq(net_finish(&net, first), 0);
    size_t others = 0; /* an assertion for each byte would take minutes */
    for (size_t i = 0; i < total; i++) others += came[i] != '1';
    ck_assert_uint_eq(others, 0);
    free(data);
    free(came);
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    net_end(&net);
}
END_TEST

START_TEST(closing_between_the_event_and_the_connect_gives_it_ECLOSED)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    const uint16_t port = net_listen(&listener, 4);
    struct pawl_task *const task = pawl_spawn_eager(pawl_connect(&sock, here, port));
    while (!(sock.writable.flags & PAWL_FUTURE_DONE)) net.epoll.base.ops->wait(&net.epoll.base, PAWL_WAIT_FOREVER, 0);
    pawl_socket_close(&sock);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECLOSED);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(a_connect_that_was_closed_leaves_alone_what_is_open_there_now)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    const uint16_t port = net_listen(&listener, 4);
    struct pawl_task *const task = pawl_spawn_eager(pawl_connect(&sock, here, port));
    if (!pawl_future_done(task)) {
        pawl_socket_close(&sock);
        net_listen(&sock, 4);
        ck_assert_int_eq(net_finish(&net, task), PAWL_ECLOSED);
    } else {
        pawl_task_release(task); /* connected at once: nothing to close under it */
    }
    ck_assert(pawl_socket_is_open(&sock));
    pawl_socket_close(&sock);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(a_second_reader_writer_or_acceptor_is_EBUSY)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 }, one = { 0 }, two = { 0 };
    char first[8], second[8];
    size_t size;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    net_listen(&listener, 1);
    unsigned char *const block = big_block();
    shrink_buffer(sock.watch.fd, SO_SNDBUF);
    struct pawl_task *const reader = pawl_spawn(pawl_recv(&sock, first, sizeof first));
    struct pawl_task *const writer = pawl_spawn(pawl_send(&sock, block, BIG));
    struct pawl_task *const acceptor = pawl_spawn(pawl_accept(&listener, &one));
    net_settle(&net);
    ck_assert_int_eq(net_recv(&net, &sock, second, sizeof second, &size), PAWL_EBUSY);
    ck_assert_int_eq(net_send(&net, &sock, "x", 1), PAWL_EBUSY);
    ck_assert_int_eq(net_accept(&net, &listener, &two), PAWL_EBUSY);
    ck_assert(!pawl_socket_is_open(&two));
    raw_send(peer, "to one");
    ck_assert_int_eq(net_finish_recv(&net, reader, &size), 0); /* who was there first goes on undisturbed */
    ck_assert_mem_eq(first, "to one", 6);
    size_t got = 0;
    raw_drain(&net, peer, &got, BIG);
    ck_assert_int_eq(net_finish_send(&net, writer, &size), 0);
    pawl_socket_close(&listener);
    ck_assert_int_eq(net_finish(&net, acceptor), PAWL_ECLOSED);
    free(block);
    pawl_socket_close(&sock);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_socket_of_another_loop_is_EINVAL)
{
    struct net net, other;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 }, c = { 0 };
    char buffer[8];
    size_t got;
    net_begin(&net);
    net_listen(&listener, 1);
    net_pair(&net, &a, &b);
    net_begin(&other);
    ck_assert_int_eq(net_recv(&other, &a, buffer, sizeof buffer, &got), PAWL_EINVAL);
    ck_assert_int_eq(net_send(&other, &a, "x", 1), PAWL_EINVAL);
    ck_assert_int_eq(net_accept(&other, &listener, &c), PAWL_EINVAL);
    net_end(&other);
    pawl_loop_use(&net.loop);
    ck_assert_int_eq(net_send(&net, &a, "x", 1), 0);
    net_expect(&net, &b, "x");
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

/* ---- Cancelling ---- */

START_TEST(a_cancelled_connect_closes_its_socket)
{
    struct net net;
    struct full full;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    full_begin(&full);
    struct pawl_task *const task = pawl_spawn(pawl_connect(&sock, here, full.port));
    net_settle(&net);
    ck_assert(!pawl_future_done(task));
    ck_assert_int_eq(net_watched(&net), 1);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_int_eq(net_watched(&net), 0);
    full_end(&full);
    net_end(&net);
}
END_TEST

START_TEST(a_cancelled_accept_leaves_the_listener_usable)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    const uint16_t port = net_listen(&listener, 1);
    struct pawl_task *const task = pawl_spawn(pawl_accept(&listener, &sock));
    net_settle(&net);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_ptr_null(listener.readable.awaitable.first);
    const int peer = raw_connect(port);
    ck_assert_int_eq(net_accept(&net, &listener, &sock), 0);
    pawl_socket_close(&sock);
    pawl_socket_close(&listener);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_cancelled_recv_leaves_the_socket_usable)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8];
    size_t got;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    struct pawl_task *const task = pawl_spawn(pawl_recv(&sock, buffer, sizeof buffer));
    net_settle(&net);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish_recv(&net, task, &got), PAWL_ECANCELLED);
    ck_assert_ptr_null(sock.readable.awaitable.first);
    raw_send(peer, "later");
    net_expect(&net, &sock, "later");
    pawl_socket_close(&sock);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_recv_that_is_cancelled_as_its_data_comes_loses_none)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8];
    size_t got;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    struct pawl_task *const task = pawl_spawn(pawl_recv(&sock, buffer, sizeof buffer));
    net_settle(&net);
    raw_send(peer, "kept");
    ck_assert_int_eq(net.epoll.base.ops->wait(&net.epoll.base, PAWL_WAIT_NOT, 0), 0);
    pawl_task_cancel(task); /* it is ready already; the cancellation wins */
    ck_assert_int_eq(net_finish_recv(&net, task, &got), PAWL_ECANCELLED);
    net_expect(&net, &sock, "kept");
    pawl_socket_close(&sock);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_cancelled_send_tells_how_far_it_came)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    size_t put, got = 0;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    unsigned char *const block = big_block();
    shrink_buffer(sock.watch.fd, SO_SNDBUF);
    struct pawl_task *task = pawl_spawn(pawl_send(&sock, block, BIG));
    net_settle(&net);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish_send(&net, task, &put), PAWL_ECANCELLED);
    ck_assert_uint_gt(put, 0);
    ck_assert_uint_lt(put, BIG);
    ck_assert_ptr_null(sock.writable.awaitable.first);
    task = pawl_spawn(pawl_send(&sock, block + put, BIG - put)); /* and so the rest can be sent */
    raw_drain(&net, peer, &got, BIG);
    ck_assert_int_eq(net_finish(&net, task), 0);
    free(block);
    pawl_socket_close(&sock);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_recv_that_timed_out_can_be_tried_again)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char buffer[8];
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    struct pawl_recv recv = pawl_recv(&sock, buffer, sizeof buffer);
    ck_assert_int_eq(net_finish(&net, pawl_spawn(pawl_wait_for(&recv, PAWL_MS(5)))), PAWL_ETIMEOUT);
    raw_send(peer, "late");
    net_expect(&net, &sock, "late");
    pawl_socket_close(&sock);
    close(peer);
    net_end(&net);
}
END_TEST

/* A conversation with a suspension in each operation, cancelled at each of them in turn. */
struct talk {
    COROUTINE(void);
    struct pawl_socket listener, a, b;
    struct pawl_task *accept;
    int finallys;
    char got[64];
    const unsigned char *block;
    unsigned char into[4000];
    size_t left;
    union {
        struct pawl_connect connect;
        struct pawl_recv recv;
        struct pawl_send send;
        struct pawl_sleep sleep;
    };
};

struct talk_back {
    COROUTINE(void);
    struct pawl_socket *sock;
    const unsigned char *block;
    struct pawl_send send;
    struct pawl_sleep sleep;
};

ASYNC(talk_back)
{
    ASYNC_BEGIN(talk_back);
    AWAIT(self->sleep, pawl_sleep(PAWL_US(100)));
    AWAIT(self->send, pawl_send(self->sock, self->block, TALK));
    ASYNC_END;
}

ASYNC(talk)
{
    ASYNC_BEGIN(talk);
    TRY {
        const uint16_t port = net_listen(&self->listener, 1);
        self->accept = pawl_spawn(pawl_accept(&self->listener, &self->b));
        AWAIT(self->connect, pawl_connect(&self->a, here, port));
        AWAIT(self->accept);
        pawl_task_release(self->accept);
        shrink_buffer(self->a.watch.fd, SO_SNDBUF);
        self->accept = pawl_spawn(CORO(talk_back, .sock = &self->a, .block = self->block));
        for (self->left = TALK; self->left > 0; self->left -= self->recv.result) {
            AWAIT(self->recv, pawl_recv(&self->b, self->into, sizeof self->into));
            if (self->recv.result == 0) RAISE(PAWL_EEOF);
        }
        AWAIT(self->accept);
    } FINALLY {
        self->finallys++;
        pawl_task_cancel(self->accept);
        pawl_task_release(self->accept);
        pawl_socket_close(&self->a);
        pawl_socket_close(&self->b);
        pawl_socket_close(&self->listener);
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_conversation_can_be_cancelled_at_every_step)
{
    unsigned char *const block = big_block();
    int ended_well = 0, cancelled = 0;
    for (int step = 0; step < 500 && ended_well < 3; step++) {
        struct net net;
        net_begin(&net);
        struct pawl_task *const task = pawl_spawn(CORO(talk, .block = block));
        for (int i = 0; i < step && !pawl_future_done(task); i++) ck_assert_int_eq(pawl_loop_run_once(&net.loop, true), 0);
        pawl_task_cancel(task);
        const int error = pawl_loop_run_until_complete(&net.loop, task);
        ck_assert_int_eq(pawl_task_frame(talk, task)->finallys, step > 0);
        ck_assert(error == 0 || error == PAWL_ECANCELLED);
        ended_well += error == 0;
        cancelled += error != 0;
        ck_assert_int_eq(pawl_loop_shutdown(&net.loop), 0);
        pawl_task_release(task);
        net_end(&net);
    }
    ck_assert_int_eq(ended_well, 3);
    ck_assert_int_gt(cancelled, 5);
    free(block);
}
END_TEST

/* ---- Descriptors that come again, events that come late ---- */

START_TEST(a_descriptor_number_that_comes_again_wakes_its_new_owner_only)
{
    struct net net;
    struct pawl_socket old = { 0 }, fresh = { 0 }, listener = { 0 };
    char stale_buffer[8] = "", buffer[8] = "";
    size_t got;
    net_begin(&net);
    const int old_peer = net_raw_pair(&net, &old);
    const uint16_t port = net_listen(&listener, 1);
    const int peer = raw_connect(port), number = old.watch.fd;
    struct pawl_task *const stale = pawl_spawn(pawl_recv(&old, stale_buffer, sizeof stale_buffer));
    net_settle(&net);
    raw_send(old_peer, "old"); /* an event is on its way for the number */
    pawl_socket_close(&old);
    ck_assert_int_eq(net_accept(&net, &listener, &fresh), 0);
    ck_assert_int_eq(fresh.watch.fd, number);
    struct pawl_task *const reader = pawl_spawn(pawl_recv(&fresh, buffer, sizeof buffer));
    net_settle(&net);
    ck_assert_int_eq(pawl_future_error(stale), PAWL_ECLOSED);
    ck_assert(!pawl_future_done(reader));
    raw_send(peer, "new");
    ck_assert_int_eq(net_finish_recv(&net, reader, &got), 0);
    ck_assert_str_eq(buffer, "new");
    ck_assert_str_eq(stale_buffer, "");
    pawl_task_release(stale);
    pawl_socket_close(&fresh);
    pawl_socket_close(&listener);
    close(peer);
    close(old_peer);
    net_end(&net);
}
END_TEST

/* Two watches that are both ready in one batch; whichever is told first takes the other away. */
struct rival {
    struct pawl_watcher watch;
    struct rival *other;
    struct pawl_port *port;
    int told;
};

static void rival_notify(struct pawl_watcher *watch, unsigned events)
{
    struct rival *const self = (struct rival *)(void *)watch;
    (void)events;
    self->told++;
    self->port->ops->unwatch(self->port, &self->other->watch);
    close(self->other->watch.fd);
    memset(&self->other->watch, 0xA5, sizeof self->other->watch); /* its memory is somebody else's now */
}

START_TEST(a_watch_that_goes_away_within_a_batch_is_not_told_any_more)
{
    struct net net;
    struct rival rivals[2];
    int pipes[2][2];
    net_begin(&net);
    struct pawl_port *const port = &net.epoll.base;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(write(pipes[i][1], "x", 1), 1);
        rivals[i] = (struct rival){ { pipes[i][0], rival_notify }, &rivals[1 - i], port, 0 };
        ck_assert_int_eq(port->ops->watch(port, &rivals[i].watch), 0);
    }
    ck_assert_int_eq(port->ops->wait(port, PAWL_WAIT_NOT, 0), 0);
    ck_assert_int_eq(rivals[0].told + rivals[1].told, 1);
    struct rival *const left = rivals[0].told ? &rivals[0] : &rivals[1];
    port->ops->unwatch(port, &left->watch);
    close(left->watch.fd);
    close(pipes[0][1]);
    close(pipes[1][1]);
    net_end(&net);
}
END_TEST

struct spoiler {
    COROUTINE(void);
    struct pawl_socket *mine, *other;
    char buffer[8];
    struct pawl_recv recv;
};

/* Receives once, and closes a socket that is not its own. */
ASYNC(spoiler)
{
    ASYNC_BEGIN(spoiler);
    AWAIT(self->recv, pawl_recv(self->mine, self->buffer, sizeof self->buffer));
    pawl_socket_close(self->other);
    ASYNC_END;
}

START_TEST(a_task_that_closes_its_neighbours_socket_in_one_batch_is_safe)
{
    struct net net;
    struct pawl_socket socks[2] = { 0 };
    struct pawl_task *tasks[2];
    int peers[2], ended_well = 0;
    net_begin(&net);
    for (int i = 0; i < 2; i++) peers[i] = net_raw_pair(&net, &socks[i]);
    for (int i = 0; i < 2; i++) tasks[i] = pawl_spawn(CORO(spoiler, .mine = &socks[i], .other = &socks[1 - i]));
    net_settle(&net);
    for (int i = 0; i < 2; i++) raw_send(peers[i], "x");
    for (int i = 0; i < 2; i++) { /* both were ready; the first to run has closed the other one's socket */
        const int error = net_finish(&net, tasks[i]);
        ck_assert(error == 0 || error == PAWL_ECLOSED);
        ended_well += error == 0;
    }
    ck_assert_int_eq(ended_well, 1);
    for (int i = 0; i < 2; i++) {
        pawl_socket_close(&socks[i]);
        close(peers[i]);
    }
    net_end(&net);
}
END_TEST

/* ---- Many ---- */

struct pinger {
    COROUTINE(unsigned);
    struct pawl_socket *listener;
    uint16_t port;
    unsigned id, round;
    struct pawl_socket sock;
    unsigned char sent[48], got[64];
    size_t have;
    struct pawl_task *server;
    union {
        struct pawl_connect connect;
        struct pawl_send send;
        struct pawl_recv recv;
    };
};

struct ponger {
    COROUTINE(void);
    struct pawl_socket *listener;
    struct pawl_socket sock;
    unsigned char buffer[31]; /* less than a message */
    union {
        struct pawl_accept accept;
        struct pawl_send send;
        struct pawl_recv recv;
    };
};

ASYNC(ponger)
{
    ASYNC_BEGIN(ponger);
    AWAIT(self->accept, pawl_accept(self->listener, &self->sock));
    TRY {
        for (;;) {
            AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, sizeof self->buffer));
            if (self->recv.result == 0) break;
            AWAIT(self->send, pawl_send(&self->sock, self->buffer, self->recv.result));
        }
    } FINALLY {
        pawl_socket_close(&self->sock);
    } END_TRY;
    ASYNC_END;
}

ASYNC(pinger)
{
    ASYNC_BEGIN(pinger);
    TRY {
        AWAIT(self->connect, pawl_connect(&self->sock, here, self->port));
        for (self->round = 0; self->round < 20; self->round++) {
            for (size_t i = 0; i < sizeof self->sent; i++) self->sent[i] = pattern(self->id * 100000 + self->round * 1000 + i);
            AWAIT(self->send, pawl_send(&self->sock, self->sent, sizeof self->sent));
            for (self->have = 0; self->have < sizeof self->sent; self->have += self->recv.result) {
                AWAIT(self->recv, pawl_recv(&self->sock, self->got + self->have, sizeof self->got - self->have));
                if (self->recv.result == 0) RAISE(PAWL_EEOF);
            }
            if (self->have != sizeof self->sent || memcmp(self->sent, self->got, self->have) != 0) RAISE(-EBADMSG);
            self->result++;
        }
    } FINALLY {
        pawl_socket_close(&self->sock);
    } END_TRY;
    ASYNC_END;
}

START_TEST(two_hundred_pairs_of_tasks_keep_their_bytes_apart)
{
    enum { MANY = 200 };
    struct net net;
    struct pawl_socket listener = { 0 };
    struct pawl_task *clients[MANY], *servers[MANY];
    net_begin(&net);
    const uint16_t port = net_listen(&listener, MANY);
    for (unsigned i = 0; i < MANY; i++) clients[i] = pawl_spawn(CORO(pinger, .port = port, .id = i));
    /* one task at a time may accept: each starts when the one before has its connection */
    for (int i = 0; i < MANY; i++) {
        servers[i] = pawl_spawn(CORO(ponger, .listener = &listener));
        while (!pawl_socket_is_open(&pawl_task_frame(ponger, servers[i])->sock)) {
            ck_assert(!pawl_future_done(servers[i]));
            ck_assert_int_eq(pawl_loop_run_once(&net.loop, true), 0);
        }
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, clients[i]), 0);
        ck_assert_uint_eq(pawl_task_frame(pinger, clients[i])->result, 20);
        pawl_task_release(clients[i]);
        ck_assert_int_eq(net_finish(&net, servers[i]), 0);
    }
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

/* ---- By hand ---- */

START_TEST(stepped_by_hand_an_operation_waits_for_what_the_test_says)
{
    struct pawl_socket listener = { 0 }, sock = { 0 };
    char buffer[4];
    struct pawl_connect connect = pawl_connect(&sock, "no such host", 1);
    struct pawl_future *waits = pawl_coro_step(&connect);
    ck_assert_ptr_nonnull(waits);
    pawl_future_set_error(waits, -EHOSTUNREACH);
    ck_assert_ptr_null(pawl_coro_step(&connect));
    ck_assert_int_eq(pawl_coro_error(&connect), -EHOSTUNREACH);

    struct pawl_accept accept = pawl_accept(&listener, &sock);
    waits = pawl_coro_step(&accept);
    ck_assert_ptr_nonnull(waits);
    pawl_future_set_done(waits);
    ck_assert_ptr_null(pawl_coro_step(&accept));
    ck_assert_int_eq(pawl_coro_error(&accept), 0);

    struct pawl_recv recv = pawl_recv(&sock, buffer, sizeof buffer);
    struct pawl_send send = pawl_send(&sock, "x", 1);
    waits = pawl_coro_step(&recv);
    struct pawl_future *const drain = pawl_coro_step(&send);
    ck_assert(waits != NULL && drain != NULL && waits != drain);
    recv.result = 3; /* the test plays the system */
    pawl_future_set_done(waits);
    pawl_future_set_error(drain, -EPIPE);
    ck_assert_ptr_null(pawl_coro_step(&recv));
    ck_assert_ptr_null(pawl_coro_step(&send));
    ck_assert_uint_eq(recv.result, 3);
    ck_assert_int_eq(pawl_coro_error(&send), -EPIPE);
    ck_assert(!pawl_socket_is_open(&sock));
}
END_TEST

static void add_tests(TCase *tcase, const TTest *const *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) tcase_add_test(tcase, tests[i]);
}
#define ADD(suite, name, ...) \
    add_tests(add_case((suite), (name)), (const TTest *const[]){ __VA_ARGS__ }, \
              sizeof((const TTest *const[]){ __VA_ARGS__ }) / sizeof(const TTest *))

Suite *make_suite(void)
{
    Suite *const suite = suite_create("net");
    ADD(suite, "listen", listening_on_port_0_gets_a_free_port, listening_on_what_is_no_numeric_address_is_EHOST,
        listening_twice_on_one_socket_is_EBUSY_and_does_no_harm, listening_with_bad_arguments_is_EINVAL,
        listening_on_a_port_in_use_is_EADDRINUSE, a_loop_whose_port_watches_nothing_has_no_sockets,
        a_closed_socket_has_no_port_and_closing_it_again_is_harmless);
    ADD(suite, "connect and accept", bytes_go_both_ways, who_listens_on_any_address_is_reached_on_this_host,
        a_connection_is_refused_where_nobody_listens, connecting_with_bad_arguments_tells_so,
        accepting_with_bad_arguments_tells_so, a_connection_is_accepted_as_a_descriptor_and_adopted,
        adopting_with_bad_arguments_tells_so_and_closes_the_descriptor, an_adopted_descriptor_that_blocks_does_so_no_more,
        all_that_queued_up_is_accepted_after_one_edge,
        sockets_do_not_block_do_not_delay_and_are_not_inherited);
    if (has_ipv6()) ADD(suite, "ipv6", ipv6_addresses_work_as_well);
    ADD(suite, "recv", recv_takes_what_is_there_and_waits_for_more, recv_leaves_what_does_not_fit_for_the_next,
        a_peer_that_sends_a_byte_at_a_time_is_heard_to_the_last, urgent_data_in_between_does_not_stall_the_stream,
        the_end_of_the_stream_is_0_again_and_again, what_was_sent_before_the_end_comes_before_the_end,
        a_peer_that_has_shut_down_its_side_can_still_be_answered, receiving_with_bad_arguments_tells_so);
    ADD(suite, "send", a_send_that_does_not_fit_waits_and_loses_nothing, sending_nothing_is_done_and_bad_arguments_are_told);
    ADD(suite, "gone", a_reset_while_receiving_is_ECONNRESET, sending_to_a_peer_that_is_gone_is_an_error_and_no_signal,
        a_reset_ends_a_send_that_waits);
    ADD(suite, "close", closing_ends_who_receives_and_who_sends, closing_ends_who_accepts, closing_ends_who_connects,
        closing_between_the_event_and_the_reader_gives_it_ECLOSED);
    ADD(suite, "in between", no_second_sender_gets_in_between_the_steps_of_the_first,
        closing_between_the_event_and_the_connect_gives_it_ECLOSED, a_connect_that_was_closed_leaves_alone_what_is_open_there_now);
    ADD(suite, "one at a time", a_second_reader_writer_or_acceptor_is_EBUSY, a_socket_of_another_loop_is_EINVAL);
    ADD(suite, "cancel", a_cancelled_connect_closes_its_socket, a_cancelled_accept_leaves_the_listener_usable,
        a_cancelled_recv_leaves_the_socket_usable, a_recv_that_is_cancelled_as_its_data_comes_loses_none,
        a_cancelled_send_tells_how_far_it_came, a_recv_that_timed_out_can_be_tried_again,
        a_conversation_can_be_cancelled_at_every_step);
    ADD(suite, "events", a_descriptor_number_that_comes_again_wakes_its_new_owner_only,
        a_watch_that_goes_away_within_a_batch_is_not_told_any_more,
        a_task_that_closes_its_neighbours_socket_in_one_batch_is_safe);
    ADD(suite, "many", two_hundred_pairs_of_tasks_keep_their_bytes_apart);
    ADD(suite, "by hand", stepped_by_hand_an_operation_waits_for_what_the_test_says);
    return suite;
}
