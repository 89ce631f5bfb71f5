/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A stream that waits with nothing in its buffers has none: an idle connection of a server is one block of memory. */
#define _GNU_SOURCE
#include "net_world.h"

enum { CONNECTIONS = 40 };

static struct pawl_stream *streams[CONNECTIONS];
static size_t begun, answered;

struct talk {
    CONNECTION;
    struct pawl_stream_piece line;
};

ASYNC(talk)
{
    ASYNC_BEGIN(talk);
    streams[begun++] = &self->stream;
    for (;;) {
        AWAIT(self->line, pawl_stream_read_line(&self->stream));
        if (self->line.size == 0) break;
        pawl_stream_write(&self->stream, self->line.data, self->line.size);
        answered++;
    }
    ASYNC_END;
}

/* What the tasks of the server have, and nothing else. */
static bool hold_no_buffers(void)
{
    for (size_t i = 0; i < begun; i++)
        if (streams[i]->in.data != NULL || streams[i]->out.data != NULL) return false;
    return true;
}

static size_t buffers_of(const struct net *net)
{
    return net->memory.alive - begun;
}

static void run_until(struct net *net, const size_t *counter, size_t value)
{
    while (*counter < value) ck_assert_int_eq(pawl_loop_run_once(&net->loop, true), 0);
    net_settle(net);
}

static void talk_begin(struct net *net, struct pawl_server *server, int *clients)
{
    net_begin(net);
    begun = answered = 0;
    *server = (struct pawl_server){ .count = 0 };
    ck_assert_int_eq(pawl_start_server(server, "127.0.0.1", 0, HANDLER(talk), NULL), 0);
    for (int i = 0; i < CONNECTIONS; i++) clients[i] = raw_connect((uint16_t)pawl_server_port(server));
    run_until(net, &begun, CONNECTIONS);
}

static void talk_end(struct net *net, struct pawl_server *server, int *clients)
{
    for (int i = 0; i < CONNECTIONS; i++) close(clients[i]);
    ck_assert_int_eq(net_finish(net, pawl_spawn(pawl_server_shutdown(server, PAWL_FOREVER))), 0);
    net_end(net);
}

START_TEST(connections_that_never_said_anything_have_no_buffers)
{
    struct net net;
    struct pawl_server server;
    int clients[CONNECTIONS];
    talk_begin(&net, &server, clients);
    ck_assert_uint_eq(buffers_of(&net), 0);
    ck_assert(hold_no_buffers());
    talk_end(&net, &server, clients);
}
END_TEST

START_TEST(connections_that_have_said_their_line_give_their_buffers_back)
{
    struct net net;
    struct pawl_server server;
    int clients[CONNECTIONS];
    talk_begin(&net, &server, clients);
    for (size_t round = 1; round <= 3; round++) {
        for (int i = 0; i < CONNECTIONS; i++) raw_send(clients[i], "hello\n");
        run_until(&net, &answered, round * CONNECTIONS);
        ck_assert_uint_eq(buffers_of(&net), 0);
        ck_assert(hold_no_buffers());
        for (int i = 0; i < CONNECTIONS; i++) raw_expect(clients[i], "hello\n");
    }
    talk_end(&net, &server, clients);
}
END_TEST

START_TEST(connections_in_the_middle_of_a_line_have_a_buffer_each)
{
    struct net net;
    struct pawl_server server;
    int clients[CONNECTIONS];
    talk_begin(&net, &server, clients);
    for (int i = 0; i < CONNECTIONS; i++) raw_send(clients[i], "hel");
    for (size_t i = 0; i < CONNECTIONS; i++)
        while (pawl_stream_buffered(streams[i]) < 3) ck_assert_int_eq(pawl_loop_run_once(&net.loop, true), 0);
    ck_assert_uint_eq(buffers_of(&net), CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) raw_send(clients[i], "lo\n");
    run_until(&net, &answered, CONNECTIONS);
    ck_assert_uint_eq(buffers_of(&net), 0);
    talk_end(&net, &server, clients);
}
END_TEST

/* What cannot be sent stays in a buffer until it can. */
START_TEST(a_stream_whose_peer_has_taken_everything_has_no_buffer_for_writing)
{
    enum { MUCH = 4 * 1024 * 1024 };
    struct net net;
    struct pawl_stream stream = { .limit = 0 };
    static char data[MUCH], taken[MUCH];
    int ends[2];
    size_t got = 0;
    net_begin(&net);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(pawl_stream_adopt(&stream, ends[0]), 0);
    memset(data, 'x', sizeof data);
    ck_assert_int_eq(pawl_stream_write(&stream, data, sizeof data), 0);
    ck_assert_uint_gt(pawl_stream_unsent(&stream), 0);
    ck_assert_uint_eq(net.memory.alive, 1);
    while (got < MUCH) {
        const ssize_t part = recv(ends[1], taken + got, sizeof taken - got, 0);
        if (part > 0) got += (size_t)part;
        else ck_assert_int_eq(pawl_loop_run_once(&net.loop, true), 0);
    }
    net_settle(&net);
    ck_assert(memcmp(data, taken, MUCH) == 0);
    ck_assert_uint_eq(pawl_stream_unsent(&stream), 0);
    ck_assert_uint_eq(net.memory.alive, 0);
    pawl_stream_abort(&stream);
    close(ends[1]);
    net_end(&net);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("idle");
    TCase *const tcase = add_case(suite, "buffers");
    tcase_add_test(tcase, connections_that_never_said_anything_have_no_buffers);
    tcase_add_test(tcase, connections_that_have_said_their_line_give_their_buffers_back);
    tcase_add_test(tcase, connections_in_the_middle_of_a_line_have_a_buffer_each);
    tcase_add_test(tcase, a_stream_whose_peer_has_taken_everything_has_no_buffer_for_writing);
    return suite;
}
