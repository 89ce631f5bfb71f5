/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Bytes from one socket to another: all of them, in order, in both directions at once, and whatever happens at either end,
 * both sockets are free again afterwards and the pipe between them is gone.
 *
 *      client ──► a0 ═══ a1 ──splice──► b0 ═══ b1 ──► server      and back: the proxy is what holds a1 and b0
 */
#define _GNU_SOURCE
#include "socket_world.h"

#include <signal.h>

/* ---- One after the other ---- */

START_TEST(so_many_bytes_are_moved_and_no_more)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    raw_send(source, "hello world");
    struct pawl_splice splice = pawl_splice(&from, &to, 5);
    ck_assert_int_eq(net_op(&net, &splice), 0);
    ck_assert_uint_eq(splice.result, 5);
    ck_assert_uint_eq(splice.waiting, 0);
    raw_expect(sink, "hello");
    expect_idle(&from);
    expect_idle(&to);
    net_expect(&net, &from, " world");
    ck_assert_int_eq(net_send(&net, &to, "!", 1), 0);
    raw_expect(sink, "!");
    close(source);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(nothing_is_moved_when_nothing_is_asked_for)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    struct pawl_splice splice = pawl_splice(&from, &to, 0);
    ck_assert_int_eq(net_op(&net, &splice), 0);
    ck_assert_uint_eq(splice.result, 0);
    expect_idle(&from);
    expect_idle(&to);
    close(source);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(bytes_that_come_in_parts_are_moved_as_they_come)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    struct pawl_splice splice = pawl_splice(&from, &to, 9);
    struct pawl_task *const task = net_op_begin(&net, &splice);
    static const char *const parts[] = { "a", "bcd", "ef", "gh" };
    for (size_t i = 0; i < 4; i++) {
        raw_send(source, parts[i]);
        net_settle(&net);
        ck_assert(!pawl_future_done(task));
        raw_expect(sink, parts[i]);
    }
    raw_send(source, "ijk");
    ck_assert_int_eq(net_op_end(&net, task, &splice), 0);
    ck_assert_uint_eq(splice.result, 9);
    raw_expect(sink, "i");
    net_expect(&net, &from, "jk");
    expect_idle(&to);
    close(source);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(the_end_of_the_stream_ends_it_and_leaves_the_other_open)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    struct pawl_splice splice = pawl_splice(&from, &to, UINT64_MAX);
    struct pawl_task *const task = net_op_begin(&net, &splice);
    raw_send(source, "the last words");
    close(source);
    ck_assert_int_eq(net_op_end(&net, task, &splice), 0);
    ck_assert_uint_eq(splice.result, 14);
    raw_expect(sink, "the last words");
    expect_idle(&from);
    expect_idle(&to);
    ck_assert_int_eq(net_send(&net, &to, "more", 4), 0);
    raw_expect(sink, "more");
    ck_assert_int_eq(pawl_socket_shutdown(&to, SHUT_WR), 0);
    char byte;
    ck_assert_int_eq(recv(sink, &byte, 1, 0), 0);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(an_end_that_was_there_before_is_the_end)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    raw_send(source, "xyz");
    close(source);
    net_settle(&net);
    struct pawl_splice splice = pawl_splice(&from, &to, 100);
    ck_assert_int_eq(net_op(&net, &splice), 0);
    ck_assert_uint_eq(splice.result, 3); /* fewer than were asked for */
    struct pawl_splice again = pawl_splice(&from, &to, 100);
    ck_assert_int_eq(net_op(&net, &again), 0);
    ck_assert_uint_eq(again.result, 0);
    raw_expect(sink, "xyz");
    expect_idle(&from);
    expect_idle(&to);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(what_recv_has_left_is_moved)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    char buffer[4];
    size_t got;
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    raw_send(source, "headbody");
    net_settle(&net);
    ck_assert_int_eq(net_recv(&net, &from, buffer, 4, &got), 0);
    ck_assert_uint_eq(got, 4);
    struct pawl_splice splice = pawl_splice(&from, &to, 4);
    ck_assert_int_eq(net_op(&net, &splice), 0);
    raw_expect(sink, "body");
    raw_send(source, "tail"); /* recv finds what comes after it */
    net_expect(&net, &from, "tail");
    close(source);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

/* ---- A proxy ---- */

enum { MUCH = 3 << 20, PART = 20000 };

struct pump {
    COROUTINE(void);
    struct pawl_socket *from, *to;
    struct pawl_splice splice;
};

/* One direction of a proxy: to its end, which is passed on. */
ASYNC(pump)
{
    ASYNC_BEGIN(pump);
    AWAIT(self->splice, pawl_splice(self->from, self->to, UINT64_MAX));
    pawl_socket_shutdown(self->to, SHUT_WR);
    ASYNC_END;
}

struct talker {
    COROUTINE(void);
    struct pawl_socket *sock;
    const unsigned char *data;
    size_t sent, part;
    struct pawl_send send;
};

ASYNC(talker)
{
    ASYNC_BEGIN(talker);
    for (self->part = 1; self->sent < MUCH; self->sent += self->part) {
        self->part = self->part * 7 % PART + 1; /* of all sizes */
        if (self->part > MUCH - self->sent) self->part = MUCH - self->sent;
        AWAIT(self->send, pawl_send(self->sock, self->data + self->sent, self->part));
    }
    pawl_socket_shutdown(self->sock, SHUT_WR);
    ASYNC_END;
}

struct listener {
    COROUTINE(uint64_t);
    struct pawl_socket *sock;
    size_t total;
    unsigned char buffer[PART / 3];
    struct pawl_recv recv;
};

/* The hash of all that comes. */
ASYNC(listener)
{
    ASYNC_BEGIN(listener);
    self->result = HASH_SEED;
    for (;;) {
        AWAIT(self->recv, pawl_recv(self->sock, self->buffer, sizeof self->buffer));
        if (self->recv.result == 0) break;
        self->result = hash_more(self->result, self->buffer, self->recv.result);
        self->total += self->recv.result;
    }
    ASYNC_END;
}

static void expect_heard(struct net *net, struct pawl_task *task, const unsigned char *data)
{
    ck_assert_int_eq(pawl_loop_run_until_complete(&net->loop, task), 0);
    const struct listener *const heard = pawl_task_frame(listener, task);
    ck_assert_uint_eq(heard->total, MUCH);
    ck_assert_uint_eq(heard->result, hash_more(HASH_SEED, data, MUCH));
    pawl_task_release(task);
}

/* Both directions at once through a1 and b0, which were connected to a0 and b1. */
static void proxy(struct net *net, struct pawl_socket *a0, struct pawl_socket *a1, struct pawl_socket *b0, struct pawl_socket *b1)
{
    unsigned char *const there = some_bytes(MUCH), *const back = some_bytes(MUCH);
    for (size_t i = 0; i < MUCH; i++) back[i] ^= 0x5A;
    struct pawl_task *const pumps[2] = { pawl_spawn(CORO(pump, .from = a1, .to = b0)), pawl_spawn(CORO(pump, .from = b0, .to = a1)) };
    struct pawl_task *const talkers[2] = { pawl_spawn(CORO(talker, .sock = a0, .data = there)), pawl_spawn(CORO(talker, .sock = b1, .data = back)) };
    struct pawl_task *const heard_there = pawl_spawn(CORO(listener, .sock = b1)), *const heard_back = pawl_spawn(CORO(listener, .sock = a0));
    expect_heard(net, heard_there, there);
    expect_heard(net, heard_back, back);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pawl_loop_run_until_complete(&net->loop, pumps[i]), 0);
        ck_assert_uint_eq(pawl_task_frame(pump, pumps[i])->splice.result, MUCH);
        pawl_task_release(pumps[i]);
        ck_assert_int_eq(net_finish(net, talkers[i]), 0);
    }
    expect_idle(a1);
    expect_idle(b0);
    free(there);
    free(back);
    close_both(a0, a1);
    close_both(b0, b1);
}

START_TEST(a_proxy_between_tcp_and_tcp_loses_nothing)
{
    struct net net;
    struct pawl_socket a0 = { 0 }, a1 = { 0 }, b0 = { 0 }, b1 = { 0 };
    net_begin(&net);
    net_pair(&net, &a0, &a1);
    net_pair(&net, &b0, &b1);
    shrink_buffer(b0.watch.fd, SO_SNDBUF);
    proxy(&net, &a0, &a1, &b0, &b1);
    net_end(&net);
}
END_TEST

START_TEST(a_proxy_between_unix_and_tcp_loses_nothing)
{
    struct net net;
    struct pawl_socket a0 = { 0 }, a1 = { 0 }, b0 = { 0 }, b1 = { 0 };
    net_begin(&net);
    net_local_pair(&a0, &a1, SOCK_STREAM);
    net_pair(&net, &b0, &b1);
    proxy(&net, &a0, &a1, &b0, &b1);
    net_end(&net);
}
END_TEST

START_TEST(a_proxy_between_unix_and_unix_loses_nothing)
{
    struct net net;
    struct pawl_socket a0 = { 0 }, a1 = { 0 }, b0 = { 0 }, b1 = { 0 };
    net_begin(&net);
    net_local_pair(&a0, &a1, SOCK_STREAM);
    net_local_pair(&b0, &b1, SOCK_STREAM);
    proxy(&net, &a0, &a1, &b0, &b1);
    net_end(&net);
}
END_TEST

/* Through a pipe of pipes: what cannot be read further is a socket, a pipe is one side only. */
START_TEST(pipes_can_stand_at_either_end)
{
    struct net net;
    struct pawl_socket p0 = { 0 }, p1 = { 0 }, q0 = { 0 }, q1 = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(&p0, &p1), 0);
    ck_assert_int_eq(pawl_pipe(&q0, &q1), 0);
    unsigned char *const data = some_bytes(MUCH);
    struct pawl_task *const heard = pawl_spawn(CORO(listener, .sock = &q0));
    struct pawl_splice splice = pawl_splice(&p0, &q1, UINT64_MAX);
    struct pawl_task *const pumps = pawl_spawn(splice);
    ck_assert_int_eq(net_send(&net, &p1, data, MUCH), 0);
    pawl_socket_close(&p1);
    ck_assert_int_eq(net_op_end(&net, pumps, &splice), 0);
    ck_assert_uint_eq(splice.result, MUCH);
    pawl_socket_close(&q1);
    expect_heard(&net, heard, data);
    free(data);
    close_both(&p0, &q0);
    net_end(&net);
}
END_TEST

START_TEST(an_echo_is_a_splice_from_a_socket_to_itself)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    net_pair(&net, &a, &b);
    unsigned char *const data = some_bytes(MUCH);
    struct pawl_task *const echo = pawl_spawn(CORO(pump, .from = &b, .to = &b));
    struct pawl_task *const heard = pawl_spawn(CORO(listener, .sock = &a));
    struct pawl_task *const talk = pawl_spawn(CORO(talker, .sock = &a, .data = data));
    expect_heard(&net, heard, data);
    ck_assert_int_eq(net_finish(&net, echo), 0);
    ck_assert_int_eq(net_finish(&net, talk), 0);
    expect_idle(&b);
    free(data);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* ---- Who has which side ---- */

START_TEST(it_is_the_reader_of_one_and_the_writer_of_the_other)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    char byte;
    size_t got;
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    struct pawl_splice splice = pawl_splice(&from, &to, UINT64_MAX);
    struct pawl_task *const task = net_op_begin(&net, &splice);
    ck_assert_int_eq(net_recv(&net, &from, &byte, 1, &got), PAWL_EBUSY);
    ck_assert_int_eq(net_send(&net, &to, "x", 1), PAWL_EBUSY);
    struct pawl_splice second = pawl_splice(&from, &to, 1);
    ck_assert_int_eq(net_op(&net, &second), PAWL_EBUSY);
    ck_assert_int_eq(net_send(&net, &from, "x", 1), 0); /* the other sides are free */
    raw_expect(source, "x");
    raw_send(sink, "y");
    net_expect(&net, &to, "y");
    raw_send(source, "z"); /* and it goes on undisturbed */
    close(source);
    ck_assert_int_eq(net_op_end(&net, task, &splice), 0);
    raw_expect(sink, "z");
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(a_side_that_is_taken_is_EBUSY_and_the_other_is_left_alone)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    char byte;
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    struct pawl_recv recv = pawl_recv(&from, &byte, 1);
    struct pawl_task *const reader = net_op_begin(&net, &recv);
    struct pawl_splice splice = pawl_splice(&from, &to, 1);
    ck_assert_int_eq(net_op(&net, &splice), PAWL_EBUSY);
    expect_idle(&to);
    raw_send(source, "r");
    ck_assert_int_eq(net_op_end(&net, reader, &recv), 0);
    ck_assert_uint_eq(recv.result, 1);

    const size_t size = 8 << 20;
    unsigned char *const data = some_bytes(size);
    struct pawl_send send = pawl_send(&to, data, size);
    struct pawl_task *const writer = net_op_begin(&net, &send);
    splice = pawl_splice(&from, &to, 1);
    ck_assert_int_eq(net_op(&net, &splice), PAWL_EBUSY);
    expect_idle(&from);
    pawl_socket_close(&to);
    ck_assert_int_eq(net_op_end(&net, writer, &send), PAWL_ECLOSED);
    free(data);
    close(source);
    close(sink);
    pawl_socket_close(&from);
    net_end(&net);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    struct net net, other;
    struct pawl_socket a = { 0 }, b = { 0 }, closed = { 0 };
    net_begin(&net);
    net_pair(&net, &a, &b);
    struct pawl_splice splice = pawl_splice(NULL, &b, 1);
    ck_assert_int_eq(net_op(&net, &splice), PAWL_EINVAL);
    splice = pawl_splice(&a, NULL, 1);
    ck_assert_int_eq(net_op(&net, &splice), PAWL_EINVAL);
    splice = pawl_splice(&closed, &b, 1);
    ck_assert_int_eq(net_op(&net, &splice), PAWL_ECLOSED);
    splice = pawl_splice(&a, &closed, 1);
    ck_assert_int_eq(net_op(&net, &splice), PAWL_ECLOSED);
    net_begin(&other);
    splice = pawl_splice(&a, &b, 1);
    ck_assert_int_eq(net_op(&other, &splice), PAWL_EINVAL);
    net_end(&other);
    pawl_loop_use(&net.loop);
    expect_idle(&a);
    expect_idle(&b);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* ---- Peers that vanish, sockets that are closed ---- */

START_TEST(a_receiver_that_is_gone_is_an_error_and_no_signal)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    signal(SIGPIPE, SIG_DFL); /* would end this process */
    const int source = net_raw_pair(&net, &from), sink = net_local_raw_pair(&to, SOCK_STREAM);
    raw_send(source, "for nobody");
    close(sink);
    struct pawl_splice splice = pawl_splice(&from, &to, UINT64_MAX);
    ck_assert_int_eq(net_op(&net, &splice), -EPIPE);
    ck_assert_uint_eq(splice.result, 0);
    ck_assert_uint_eq(splice.waiting, 10); /* they have left `from`, and are lost */
    expect_idle(&from);
    expect_idle(&to);
    raw_send(source, "next");
    net_expect(&net, &from, "next");
    close(source);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(a_receiver_that_goes_while_it_is_waited_for_ends_it)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    signal(SIGPIPE, SIG_DFL);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    unsigned char *const data = some_bytes(MUCH);
    shrink_buffer(to.watch.fd, SO_SNDBUF);
    struct pawl_splice splice = pawl_splice(&from, &to, UINT64_MAX);
    struct pawl_task *const task = net_op_begin(&net, &splice);
    for (int i = 0; i < 400; i++) { /* until it cannot take more */
        if (send(source, data, MUCH, MSG_DONTWAIT | MSG_NOSIGNAL) <= 0) break;
        net_settle(&net);
    }
    ck_assert(!pawl_future_done(task));
    raw_reset(sink);
    const int error = net_op_end(&net, task, &splice);
    ck_assert(error == -ECONNRESET || error == -EPIPE);
    ck_assert_uint_gt(splice.waiting, 0);
    expect_idle(&from);
    expect_idle(&to);
    free(data);
    close(source);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(a_sender_that_resets_is_an_error)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to);
    struct pawl_splice splice = pawl_splice(&from, &to, UINT64_MAX);
    struct pawl_task *const task = net_op_begin(&net, &splice);
    raw_reset(source);
    ck_assert_int_eq(net_op_end(&net, task, &splice), -ECONNRESET);
    ck_assert_uint_eq(splice.result, 0);
    expect_idle(&to);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

/* It waits for `from`, or, when its receiver is full, for `to`; either of them is closed, or leaves. */
static void close_under_it(bool full, bool close_from, bool release)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_local_raw_pair(&from, SOCK_STREAM), sink = net_local_raw_pair(&to, SOCK_STREAM);
    struct pawl_splice splice = pawl_splice(&from, &to, UINT64_MAX);
    struct pawl_task *const task = net_op_begin(&net, &splice);
    unsigned char *const data = some_bytes(MUCH);
    for (int i = 0; full && i < 400; i++) {
        if (send(source, data, PART, MSG_DONTWAIT) <= 0) break;
        net_settle(&net);
    }
    ck_assert(!pawl_future_done(task));
    struct pawl_socket *const victim = close_from ? &from : &to, *const other = close_from ? &to : &from;
    const int fd = release ? pawl_socket_release(victim) : -1;
    pawl_socket_close(victim);
    net_settle(&net);
    ck_assert_msg(pawl_future_done(task), "closing '%s' does not end it (%s)", close_from ? "from" : "to", full ? "full" : "empty");
    ck_assert_int_eq(net_op_end(&net, task, &splice), PAWL_ECLOSED);
    expect_idle(other);
    ck_assert_int_eq(splice.pipe[0], -1);
    ck_assert(!release || descriptor_is_open(fd));
    if (fd >= 0) close(fd);
    free(data);
    close(source);
    close(sink);
    pawl_socket_close(other);
    net_end(&net);
}

START_TEST(closing_the_one_that_it_waits_for_ends_it)
{
    close_under_it(false, true, false);
    close_under_it(false, true, true);
    close_under_it(true, false, false);
    close_under_it(true, false, true);
}
END_TEST

START_TEST(closing_the_one_that_it_does_not_wait_for_ends_it_too)
{
    close_under_it(false, false, false);
    close_under_it(false, false, true);
    close_under_it(true, true, false);
    close_under_it(true, true, true);
}
END_TEST

/* ---- Cancelling ---- */

START_TEST(cancelled_it_says_what_arrived_and_what_is_lost)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_local_raw_pair(&from, SOCK_STREAM), sink = net_local_raw_pair(&to, SOCK_STREAM);
    unsigned char *const data = some_bytes(MUCH), *const came = malloc(MUCH);
    size_t sent = 0, got = 0;
    struct pawl_splice splice = pawl_splice(&from, &to, UINT64_MAX);
    struct pawl_task *const task = net_op_begin(&net, &splice);
    for (ssize_t put; sent < MUCH && (put = send(source, data + sent, MUCH - sent, MSG_DONTWAIT)) > 0; net_settle(&net)) sent += (size_t)put;
    ck_assert(!pawl_future_done(task));
    pawl_task_cancel(task);
    ck_assert_int_eq(net_op_end(&net, task, &splice), PAWL_ECANCELLED);
    ck_assert_uint_gt(splice.result, 0);
    expect_idle(&from);
    expect_idle(&to);
    for (ssize_t part; (part = recv(sink, came + got, MUCH - got, MSG_DONTWAIT)) > 0;) got += (size_t)part;
    ck_assert_uint_eq(got, splice.result);
    ck_assert_mem_eq(came, data, got);
    size_t left = 0; /* the rest is still in `from` */
    close(source);
    for (size_t part = 1; part > 0; left += part) {
        ck_assert_int_eq(net_recv(&net, &from, came + left, MUCH - left, &part), 0);
        ck_assert_mem_eq(came + left, data + got + splice.waiting + left, part);
    }
    ck_assert_uint_eq(got + splice.waiting + left, sent);
    free(data);
    free(came);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

START_TEST(cancelled_while_it_waits_for_bytes_it_leaves_both_usable)
{
    struct net net;
    struct pawl_socket from = { 0 }, to = { 0 };
    net_begin(&net);
    const int source = net_raw_pair(&net, &from), sink = net_raw_pair(&net, &to), lowest = lowest_free();
    struct pawl_splice splice = pawl_splice(&from, &to, UINT64_MAX);
    struct pawl_task *const task = net_op_begin(&net, &splice);
    ck_assert_int_ne(lowest_free(), lowest);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_op_end(&net, task, &splice), PAWL_ECANCELLED);
    ck_assert_int_eq(lowest_free(), lowest); /* the pipe is gone */
    expect_idle(&from);
    expect_idle(&to);
    raw_send(source, "kept");
    struct pawl_splice again = pawl_splice(&from, &to, 4);
    ck_assert_int_eq(net_op(&net, &again), 0);
    raw_expect(sink, "kept");
    close(source);
    close(sink);
    close_both(&from, &to);
    net_end(&net);
}
END_TEST

/* ---- Fairness ---- */

struct counts {
    COROUTINE(int);
};

ASYNC(counts)
{
    ASYNC_BEGIN(counts);
    for (;;) {
        self->result++;
        YIELD_NOW();
    }
    ASYNC_END;
}

static int count_and_stop(struct net *net, struct pawl_task *task)
{
    const int count = pawl_task_frame(counts, task)->result;
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish(net, task), PAWL_ECANCELLED);
    return count;
}

struct small_pieces {
    COROUTINE(void);
    struct pawl_socket *from, *to;
    int left;
    struct pawl_splice splice;
};

ASYNC(small_pieces)
{
    ASYNC_BEGIN(small_pieces);
    for (; self->left > 0; self->left--) AWAIT(self->splice, pawl_splice(self->from, self->to, 1));
    ASYNC_END;
}

START_TEST(splices_that_never_wait_give_way)
{
    enum { PIECES = 2000 };
    struct net net;
    struct pawl_socket p0 = { 0 }, p1 = { 0 }, q0 = { 0 }, q1 = { 0 };
    unsigned char *const data = some_bytes(PIECES);
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(&p0, &p1), 0);
    net_local_pair(&q0, &q1, SOCK_STREAM);
    ck_assert_int_eq(net_send(&net, &p1, data, PIECES), 0);
    ck_assert_int_eq(pawl_socket_set(&q1, PAWL_SEND_BUFFER, 8 << 20), 0);
    struct pawl_task *const counter = pawl_spawn(CORO(counts));
    net_settle(&net);
    const int before = pawl_task_frame(counts, counter)->result;
    /* as many as the receiver takes without being read from */
    ck_assert_int_eq(net_finish(&net, pawl_spawn(CORO(small_pieces, .from = &p0, .to = &q1, .left = 200))), 0);
    ck_assert_int_ge(count_and_stop(&net, counter) - before, 3);
    free(data);
    close_both(&p0, &p1);
    close_both(&q0, &q1);
    net_end(&net);
}
END_TEST

START_TEST(a_proxy_gives_way_and_hears_of_its_cancellation)
{
    struct net net;
    struct pawl_socket p0 = { 0 }, p1 = { 0 };
    net_begin(&net);
    net_local_pair(&p0, &p1, SOCK_STREAM);
    /* two echoes that hand the same bytes to each other for ever, and never wait for long */
    struct pawl_task *const echo[2] = { pawl_spawn(pawl_splice(&p0, &p0, UINT64_MAX)), pawl_spawn(pawl_splice(&p1, &p1, UINT64_MAX)) };
    struct pawl_task *const counter = pawl_spawn(CORO(counts));
    ck_assert_int_eq(pawl_socket_try_send(&p0, "to and fro", 10), 10);
    for (int i = 0; i < 5000; i++) ck_assert_int_eq(pawl_loop_run_once(&net.loop, false), 0);
    ck_assert_int_ge(count_and_stop(&net, counter), 100);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_gt(pawl_task_frame(pawl_splice, echo[i])->result, 100);
        pawl_task_cancel(echo[i]);
        ck_assert_int_eq(net_finish(&net, echo[i]), PAWL_ECANCELLED);
    }
    close_both(&p0, &p1);
    net_end(&net);
}
END_TEST

/* ---- By hand ---- */

START_TEST(by_hand_the_outcome_is_what_the_test_says)
{
    const int lowest = lowest_free();
    struct pawl_socket from = { 0 }, to = { 0 };
    struct pawl_splice splice = pawl_splice(&from, &to, 10);
    struct pawl_future *const waits = coro_step(&splice);
    ck_assert_ptr_nonnull(waits);
    ck_assert_int_eq(lowest_free(), lowest);
    splice.result = 10;
    pawl_future_set_done(waits);
    ck_assert_ptr_null(coro_step(&splice));
    ck_assert_int_eq(coro_error(&splice), 0);
    ck_assert_uint_eq(splice.result, 10);

    struct pawl_splice fails = pawl_splice(&from, &to, 10);
    pawl_future_set_error(coro_step(&fails), -EPIPE);
    ck_assert_ptr_null(coro_step(&fails));
    ck_assert_int_eq(coro_error(&fails), -EPIPE);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("splice");
    ADD(suite, "one way", so_many_bytes_are_moved_and_no_more, nothing_is_moved_when_nothing_is_asked_for,
        bytes_that_come_in_parts_are_moved_as_they_come, the_end_of_the_stream_ends_it_and_leaves_the_other_open,
        an_end_that_was_there_before_is_the_end, what_recv_has_left_is_moved);
    ADD(suite, "proxy", a_proxy_between_tcp_and_tcp_loses_nothing, a_proxy_between_unix_and_tcp_loses_nothing,
        a_proxy_between_unix_and_unix_loses_nothing, pipes_can_stand_at_either_end, an_echo_is_a_splice_from_a_socket_to_itself);
    ADD(suite, "sides", it_is_the_reader_of_one_and_the_writer_of_the_other, a_side_that_is_taken_is_EBUSY_and_the_other_is_left_alone,
        wrong_arguments_are_told);
    ADD(suite, "gone", a_receiver_that_is_gone_is_an_error_and_no_signal, a_receiver_that_goes_while_it_is_waited_for_ends_it,
        a_sender_that_resets_is_an_error, closing_the_one_that_it_waits_for_ends_it, closing_the_one_that_it_does_not_wait_for_ends_it_too);
    ADD(suite, "cancel", cancelled_it_says_what_arrived_and_what_is_lost, cancelled_while_it_waits_for_bytes_it_leaves_both_usable);
    ADD(suite, "fair", splices_that_never_wait_give_way, a_proxy_gives_way_and_hears_of_its_cancellation);
    ADD(suite, "by hand", by_hand_the_outcome_is_what_the_test_says);
    return suite;
}
