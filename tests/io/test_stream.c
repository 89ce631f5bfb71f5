/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Reading from streams over what the system has: TCP, Unix sockets, pairs, pipes. What a read does with its buffer is tested over
 * nothing (test_stream_memory.c); here it waits, is woken, meets ends and errors of the system, and asks for no more calls and memory than it
 * needs.
 */
#define _GNU_SOURCE
#include "stream_world.h"

#include <sys/un.h>

/* ---- Opening ---- */

START_TEST(a_stream_is_made_of_a_socket_which_is_moved)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct pawl_stream stream = { 0 }, other = { 0 };
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    const int fd = sock.watch.fd;
    ck_assert_int_eq(pawl_stream_open(&stream, &sock), 0);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_int_eq(stream.sock.watch.fd, fd);
    ck_assert(pawl_stream_is_open(&stream));
    raw_send(peer, "hello\n");
    net_expect_line(&net, &stream, "hello\n");
    ck_assert_int_eq(pawl_stream_open(&other, &sock), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_open(&other, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_open(NULL, &sock), PAWL_EINVAL);
    pawl_stream_abort(&stream);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_stream_in_use_is_EBUSY)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct pawl_stream a = { 0 }, b = { 0 }, other = { 0 };
    char data[4];
    int pipes[2];
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    ck_assert_int_eq(pawl_stream_pair(&a, &b), 0);
    ck_assert_int_eq(pawl_stream_open(&a, &sock), PAWL_EBUSY);
    ck_assert(pawl_socket_is_open(&sock));
    ck_assert_int_eq(pawl_stream_pair(&a, &other), PAWL_EBUSY);
    ck_assert_int_eq(pawl_stream_pair(&other, &a), PAWL_EBUSY);
    ck_assert_int_eq(pawl_stream_pair(&other, &other), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_pair(NULL, &other), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_open_memory(&a, NULL), PAWL_EBUSY);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    ck_assert_int_eq(pawl_stream_adopt(&a, pipes[0]), PAWL_EBUSY); /* and it is closed all the same */
    ck_assert_int_eq(fcntl(pipes[0], F_GETFD), -1);
    ck_assert_int_eq(pawl_stream_adopt(NULL, pipes[1]), PAWL_EINVAL);
    ck_assert_int_eq(fcntl(pipes[1], F_GETFD), -1);
    ck_assert_int_eq(pawl_stream_adopt(&other, -1), PAWL_EINVAL);
    ck_assert_int_eq(net_run(&net, pawl_open_connection(&a, "127.0.0.1", 1)), PAWL_EBUSY);
    ck_assert(pawl_stream_is_open(&a));

    struct pawl_task *const reader = pawl_spawn_eager(pawl_recv(&sock, data, sizeof data));
    ck_assert_int_eq(pawl_stream_open(&other, &sock), PAWL_EBUSY); /* somebody waits on it */
    pawl_socket_close(&sock);
    ck_assert_int_eq(net_finish(&net, reader), PAWL_ECLOSED);
    pawl_stream_abort(&a);
    pawl_stream_abort(&b);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_connection_is_opened_by_address_and_by_host)
{
    for (int i = 0; i < 2; i++) {
        struct net net;
        struct pawl_socket listener = { 0 }, sock = { 0 };
        struct pawl_stream stream = { 0 };
        struct pawl_address address;
        net_begin(&net);
        const uint16_t port = net_listen(&listener, 4);
        ck_assert_int_eq(pawl_socket_address(&listener, &address), 0);
        if (i == 0) ck_assert_int_eq(net_run(&net, pawl_open_connection(&stream, "127.0.0.1", port)), 0);
        else ck_assert_int_eq(net_run(&net, pawl_open_connection_at(&stream, &address)), 0);
        ck_assert_int_eq(net_accept(&net, &listener, &sock), 0);
        ck_assert_int_eq(pawl_stream_write_text(&stream, "hi"), 0);
        net_expect(&net, &sock, "hi");
        pawl_stream_abort(&stream);
        pawl_socket_close(&sock);
        pawl_socket_close(&listener);
        net_end(&net);
    }
}
END_TEST

START_TEST(a_connection_that_fails_leaves_the_stream_closed)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    uint16_t port;
    net_begin(&net);
    close(raw_listen(1, &port)); /* nobody is there any more */
    ck_assert_int_eq(net_run(&net, pawl_open_connection(&stream, "127.0.0.1", port)), -ECONNREFUSED);
    ck_assert(!pawl_stream_is_open(&stream));
    ck_assert_int_eq(net_run(&net, pawl_open_connection(NULL, "127.0.0.1", port)), PAWL_EINVAL);
    const int listener = raw_listen(1, &port);
    ck_assert_int_eq(net_run(&net, pawl_open_connection(&stream, "127.0.0.1", port)), 0); /* it can be used again */
    pawl_stream_abort(&stream);
    close(listener);
    net_end(&net);
}
END_TEST

START_TEST(a_unix_socket_is_connected_to)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_address address;
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    char folder[] = "/tmp/pawl-stream-XXXXXX";
    net_begin(&net);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(name.sun_path, sizeof name.sun_path, "%s/s", folder);
    ck_assert_int_eq(pawl_address_unix(&address, name.sun_path), 0);
    ck_assert_int_eq(net_run(&net, pawl_open_connection_at(&stream, &address)), -ENOENT);
    ck_assert(!pawl_stream_is_open(&stream));
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(net_run(&net, pawl_open_connection_at(&stream, &address)), 0);
    const int peer = accept(listener, NULL, NULL);
    raw_send(peer, "a line\n");
    net_expect_line(&net, &stream, "a line\n");
    pawl_stream_abort(&stream);
    close(peer);
    close(listener);
    unlink(name.sun_path);
    rmdir(folder);
    net_end(&net);
}
END_TEST

START_TEST(a_pipe_is_read_and_another_is_written)
{
    struct net net;
    struct pawl_stream in = { 0 }, out = { 0 };
    int pipes[2];
    char data[4];
    size_t got;
    net_begin(&net);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    ck_assert_int_eq(pawl_stream_adopt(&in, pipes[0]), 0);
    ck_assert_int_eq(pawl_stream_adopt(&out, pipes[1]), 0);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_exactly(&in, data, 4));
    net_settle(&net);
    ck_assert_int_eq(pawl_stream_write_text(&out, "ab"), 0);
    net_settle(&net);
    ck_assert_int_eq(pawl_stream_write_text(&out, "cdrest"), 0);
    ck_assert_int_eq(net_finish(&net, reader), 0);
    ck_assert_mem_eq(data, "abcd", 4);
    ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&out)), 0);
    net_expect_line(&net, &in, "rest");
    ck_assert_int_eq(net_finish_read(&net, pawl_spawn(pawl_stream_read(&in, data, 4)), &got), 0);
    ck_assert_uint_eq(got, 0);
    ck_assert(pawl_stream_at_end(&in));
    pawl_stream_abort(&in);
    net_end(&net);
}
END_TEST

START_TEST(a_regular_file_is_EPERM)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    net_begin(&net);
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(pawl_stream_adopt(&stream, fd), -EPERM);
    ck_assert(!pawl_stream_is_open(&stream));
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    net_end(&net);
}
END_TEST

/* ---- Waiting ---- */

START_TEST(a_line_comes_in_pieces_with_a_wait_between_each)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece line;
    for (int tcp = 0; tcp < 2; tcp++) {
        net_begin(&net);
        const int peer = tcp ? net_tcp_stream(&net, &stream) : net_stream(&stream);
        struct pawl_task *const reader = pawl_spawn(pawl_stream_read_line(&stream));
        for (const char *c = "hello\n"; *c; c++) {
            net_settle(&net);
            ck_assert(!pawl_future_done(reader));
            ck_assert_int_eq(send(peer, c, 1, 0), 1);
        }
        ck_assert_int_eq(net_finish_piece(&net, reader, &line), 0);
        ck_assert_uint_eq(line.size, 6);
        ck_assert_mem_eq(line.data, "hello\n", 6);
        pawl_stream_abort(&stream);
        close(peer);
        net_end(&net);
    }
}
END_TEST

/* A conversation of every operation, the input cut in every way, over a real socket. */
struct reads {
    COROUTINE(void);
    struct pawl_stream *stream;
    struct trace *out;
    char data[8];
    struct pawl_stream_read read;
    struct pawl_stream_piece piece;
};

ASYNC(reads)
{
    ASYNC_BEGIN(reads);
    AWAIT(self->piece, pawl_stream_read_line(self->stream));
    trace(self->out, "[%.*s]", (int)self->piece.size, self->piece.data);
    AWAIT(self->piece, pawl_stream_read_until(self->stream, "--", 2));
    trace(self->out, "[%.*s]", (int)self->piece.size, self->piece.data);
    AWAIT(self->read, pawl_stream_read_exactly(self->stream, self->data, 2));
    trace(self->out, "[%.2s]", self->data);
    AWAIT(self->piece, pawl_stream_read_frame(self->stream, PAWL_LENGTH_BYTE));
    trace(self->out, "[%.*s]", (int)self->piece.size, self->piece.data);
    AWAIT(self->piece, pawl_stream_read_piece(self->stream, 1));
    trace(self->out, "[%.*s]", (int)self->piece.size, self->piece.data);
    AWAIT(self->read, pawl_stream_read(self->stream, self->data, sizeof self->data));
    trace(self->out, "%zu", self->read.result);
    ASYNC_END;
}

START_TEST(every_cut_of_an_input_is_read_the_same)
{
    static const char input[] = "a\nb--cd\2efg";
    enum { SIZE = sizeof input - 1 };
    for (unsigned cuts = 0; cuts < 1u << (SIZE - 1); cuts++) {
        struct net net;
        struct pawl_stream stream = { 0 };
        struct trace out = { .length = 0 };
        net_begin(&net);
        const int peer = net_stream(&stream);
        struct pawl_task *const task = pawl_spawn_eager(CORO(reads, .stream = &stream, .out = &out));
        for (size_t begin = 0, end = 1; end <= SIZE; end++) {
            if (end < SIZE && !(cuts & 1u << (end - 1))) continue;
            ck_assert_int_eq(send(peer, input + begin, end - begin, 0), (ssize_t)(end - begin));
            for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_loop_run_once(&net.loop, false), 0);
            begin = end;
        }
        close(peer);
        ck_assert_int_eq(net_finish(&net, task), 0);
        ck_assert_trace(&out, "[a\n][b--][cd][ef][g]0");
        pawl_stream_abort(&stream);
        net_end(&net);
    }
}
END_TEST

START_TEST(a_large_read_takes_what_is_buffered_and_then_goes_straight_to_its_memory)
{
    enum { SIZE = 100000 };
    struct net net;
    struct pawl_stream stream = { 0 }, other = { 0 };
    char *const sent = malloc(SIZE), *const data = calloc(1, SIZE);
    size_t got;
    net_begin(&net);
    ck_assert_int_eq(pawl_stream_pair(&stream, &other), 0);
    for (size_t i = 0; i < SIZE; i++) sent[i] = (char)(i * 7 % 251);
    ck_assert_int_eq(pawl_stream_write_text(&other, "line\n"), 0);
    ck_assert_int_eq(pawl_stream_write(&other, sent, SIZE), 0);
    net_expect_line(&net, &stream, "line\n");
    ck_assert_uint_gt(pawl_stream_buffered(&stream), 0);
    ck_assert_int_eq(net_finish_read(&net, pawl_spawn(pawl_stream_read_exactly(&stream, data, SIZE)), &got), 0);
    ck_assert_uint_eq(got, SIZE);
    ck_assert_int_eq(memcmp(data, sent, SIZE), 0);
    free(sent);
    free(data);
    pawl_stream_abort(&stream);
    pawl_stream_abort(&other);
    net_end(&net);
}
END_TEST

START_TEST(a_piece_of_the_limit_is_put_together)
{
    struct net net;
    struct pawl_stream stream = { 0 }, other = { 0 };
    struct pawl_stream_piece piece;
    static char sent[PAWL_STREAM_LIMIT + 1];
    net_begin(&net);
    ck_assert_int_eq(pawl_stream_pair(&stream, &other), 0);
    memset(sent, 'x', PAWL_STREAM_LIMIT);
    sent[PAWL_STREAM_LIMIT] = '\n';
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_stream_write(&other, sent, sizeof sent), 0);
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_line(&stream)), 0);
    ck_assert_uint_eq(piece.size, sizeof sent);
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_fill(&stream, PAWL_STREAM_LIMIT)), 0);
    ck_assert_uint_ge(piece.size, PAWL_STREAM_LIMIT);
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_piece(&stream, PAWL_STREAM_LIMIT)), 0);
    ck_assert_mem_eq(piece.data, sent, PAWL_STREAM_LIMIT);
    net_expect_line(&net, &stream, "\n");
    ck_assert_int_eq(pawl_stream_write_frame(&other, PAWL_LENGTH_32_BIG, sent, PAWL_STREAM_LIMIT), 0);
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_frame(&stream, PAWL_LENGTH_32_BIG)), 0);
    ck_assert_uint_eq(piece.size, PAWL_STREAM_LIMIT);
    ck_assert_mem_eq(piece.data, sent, PAWL_STREAM_LIMIT);
    pawl_stream_abort(&stream);
    pawl_stream_abort(&other);
    net_end(&net);
}
END_TEST

START_TEST(a_peer_that_sends_more_than_is_read_has_to_wait)
{
    enum { SIZE = 4 << 20 };
    struct net net;
    struct pawl_stream stream = { 0 }, other = { 0 };
    char *const big = calloc(1, SIZE);
    char data[16];
    net_begin(&net);
    ck_assert_int_eq(pawl_stream_pair(&stream, &other), 0);
    ck_assert_int_eq(pawl_stream_write(&other, big, SIZE), 0);
    struct pawl_task *const drain = pawl_spawn(pawl_stream_drain(&other));
    ck_assert_int_eq(net_run(&net, pawl_stream_read_exactly(&stream, data, sizeof data)), 0);
    net_settle(&net);
    ck_assert(!pawl_future_done(drain));
    ck_assert_uint_le(pawl_stream_buffered(&stream), PAWL_STREAM_LIMIT); /* it reads when somebody reads */
    pawl_stream_abort(&stream);
    ck_assert_int_eq(net_finish(&net, drain), -EPIPE);
    pawl_stream_abort(&other);
    free(big);
    net_end(&net);
}
END_TEST

START_TEST(a_reader_whose_peer_is_fast_gives_way_to_others)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    char data[1];
    net_begin(&net);
    const int peer = net_stream(&stream);
    char many[1000] = "";
    ck_assert_int_eq(send(peer, many, sizeof many, 0), sizeof many);
    /* a hundred reads at once, each there already: some of them have to run later */
    int at_once = 0;
    for (int i = 0; i < 100; i++) {
        struct pawl_task *const task = pawl_spawn_eager(pawl_stream_read(&stream, data, 1));
        at_once += pawl_future_done(task);
        ck_assert_int_eq(net_finish(&net, task), 0);
    }
    ck_assert_int_lt(at_once, 100);
    ck_assert_int_gt(at_once, 50);
    pawl_stream_abort(&stream);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_second_reader_is_EBUSY_and_one_after_the_other_is_not)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece piece;
    net_begin(&net);
    const int peer = net_stream(&stream);
    struct pawl_task *const first = pawl_spawn(pawl_stream_read_line(&stream));
    net_settle(&net);
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_line(&stream)), PAWL_EBUSY);
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_frame(&stream, PAWL_LENGTH_BYTE)), PAWL_EBUSY);
    raw_send(peer, "1\n2\n");
    ck_assert_int_eq(net_finish_piece(&net, first, &piece), 0);
    ck_assert_uint_eq(piece.size, 2);
    net_expect_line(&net, &stream, "2\n");
    pawl_stream_abort(&stream);
    close(peer);
    net_end(&net);
}
END_TEST

/* ---- Ends and errors ---- */

START_TEST(a_reset_is_told_to_this_reader_and_the_next)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece piece;
    char data[8];
    size_t got;
    net_begin(&net);
    const int peer = net_tcp_stream(&net, &stream);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_line(&stream));
    net_settle(&net);
    raw_reset(peer);
    ck_assert_int_eq(net_finish_piece(&net, reader, &piece), -ECONNRESET);
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_line(&stream)), -ECONNRESET);
    ck_assert_int_eq(net_finish_read(&net, pawl_spawn(pawl_stream_read(&stream, data, 8)), &got), -ECONNRESET);
    ck_assert(!pawl_stream_at_end(&stream));
    pawl_stream_abort(&stream);
    net_end(&net);
}
END_TEST

START_TEST(what_came_before_the_end_is_read_first)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece piece;
    net_begin(&net);
    const int peer = net_stream(&stream);
    raw_send(peer, "one\ntwo");
    close(peer);
    net_expect_line(&net, &stream, "one\n");
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_fill(&stream, 100)), 0);
    ck_assert_uint_eq(piece.size, 3);
    ck_assert(!pawl_stream_at_end(&stream));
    net_expect_line(&net, &stream, "two");
    ck_assert(pawl_stream_at_end(&stream));
    net_expect_line(&net, &stream, "");
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_fill(&stream, 1)), 0);
    ck_assert_uint_eq(piece.size, 0);
    pawl_stream_abort(&stream);
    net_end(&net);
}
END_TEST

START_TEST(a_reader_gets_ECLOSED_when_it_is_closed_under_it)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece piece;
    for (int i = 0; i < 2; i++) {
        net_begin(&net);
        const int peer = net_stream(&stream);
        struct pawl_task *const reader = pawl_spawn(pawl_stream_read_line(&stream));
        net_settle(&net);
        if (i == 0) pawl_stream_close(&stream);
        else pawl_stream_abort(&stream);
        ck_assert_int_eq(net_finish_piece(&net, reader, &piece), PAWL_ECLOSED);
        ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_line(&stream)), PAWL_ECLOSED);
        close(peer);
        net_end(&net);
    }
}
END_TEST

START_TEST(a_reader_of_what_is_closing_gets_ECLOSED_though_data_is_there)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece piece;
    net_begin(&net);
    const int peer = net_stream(&stream);
    raw_send(peer, "1\n2\n");
    net_expect_line(&net, &stream, "1\n");
    pawl_stream_close(&stream);
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_line(&stream)), PAWL_ECLOSED);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_reader_that_was_cancelled_as_its_data_came_loses_none)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece piece;
    net_begin(&net);
    const int peer = net_stream(&stream);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_line(&stream));
    net_settle(&net);
    raw_send(peer, "kept\n");
    ck_assert_int_eq(net.epoll.base.ops->wait(&net.epoll.base, PAWL_WAIT_NOT, 0), 0);
    pawl_task_cancel(reader);
    ck_assert_int_eq(net_finish_piece(&net, reader, &piece), PAWL_ECANCELLED);
    net_expect_line(&net, &stream, "kept\n");
    pawl_stream_abort(&stream);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_read_that_timed_out_is_tried_again)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    net_begin(&net);
    const int peer = net_stream(&stream);
    raw_send(peer, "half ");
    struct pawl_stream_piece line = pawl_stream_read_line(&stream);
    ck_assert_int_eq(net_run(&net, pawl_wait_for(&line, PAWL_MS(2))), PAWL_ETIMEOUT);
    raw_send(peer, "a line\n");
    net_expect_line(&net, &stream, "half a line\n");
    pawl_stream_abort(&stream);
    close(peer);
    net_end(&net);
}
END_TEST

/* ---- Memory ---- */

START_TEST(an_idle_stream_holds_no_buffer)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece piece;
    net_begin(&net);
    const int peer = net_stream(&stream);
    raw_send(peer, "line\n");
    net_expect_line(&net, &stream, "line\n");
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_line(&stream));
    ck_assert_int_eq(pawl_stream_write_text(&stream, "answer"), 0);
    net_settle(&net);
    ck_assert(!pawl_future_done(reader));
    ck_assert_ptr_null(stream.in.data);
    ck_assert_ptr_null(stream.out.data);
    raw_send(peer, "x\n");
    ck_assert_int_eq(net_finish_piece(&net, reader, &piece), 0);
    pawl_stream_abort(&stream);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(a_read_without_memory_fails_and_loses_nothing)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    struct pawl_stream_piece piece;
    net_begin(&net);
    const int peer = net_stream(&stream);
    raw_send(peer, "line\n");
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_line(&stream));
    net.memory.fail_at = net.memory.calls + 1;
    ck_assert_int_eq(net_finish_piece(&net, reader, &piece), PAWL_ENOMEM);
    net_expect_line(&net, &stream, "line\n");
    pawl_stream_abort(&stream);
    close(peer);
    net_end(&net);
}
END_TEST

/* Each allocation of a line that grows and grows fails in turn. */
START_TEST(a_long_line_survives_each_allocation_that_fails)
{
    enum { SIZE = 40000 };
    static char line[SIZE + 1];
    size_t calls = 0;
    memset(line, 'x', SIZE - 1);
    line[SIZE - 1] = '\n';
    for (size_t fail = 0; fail <= calls; fail++) {
        struct net net;
        struct pawl_stream stream = { 0 };
        struct pawl_stream_piece piece;
        net_begin(&net);
        const int peer = net_stream(&stream);
        ck_assert_int_eq(send(peer, line, SIZE, 0), SIZE);
        struct pawl_task *task = pawl_spawn(pawl_stream_read_line(&stream));
        const size_t before = net.memory.calls;
        if (fail > 0) net.memory.fail_at = before + fail;
        ck_assert_int_eq(net_finish_piece(&net, task, &piece), fail > 0 ? PAWL_ENOMEM : 0);
        if (fail == 0) calls = net.memory.calls - before;
        if (fail > 0) net_expect_line(&net, &stream, line);
        pawl_stream_abort(&stream);
        close(peer);
        net_end(&net);
    }
    ck_assert_uint_gt(calls, 2);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("stream");
    TCase *const opening = add_case(suite, "opening"), *const waiting = add_case(suite, "waiting"), *const ends = add_case(suite, "ends");
    TCase *const room = add_case(suite, "memory");
    tcase_add_test(opening, a_stream_is_made_of_a_socket_which_is_moved);
    tcase_add_test(opening, a_stream_in_use_is_EBUSY);
    tcase_add_test(opening, a_connection_is_opened_by_address_and_by_host);
    tcase_add_test(opening, a_connection_that_fails_leaves_the_stream_closed);
    tcase_add_test(opening, a_unix_socket_is_connected_to);
    tcase_add_test(opening, a_pipe_is_read_and_another_is_written);
    tcase_add_test(opening, a_regular_file_is_EPERM);
    tcase_add_test(waiting, a_line_comes_in_pieces_with_a_wait_between_each);
    tcase_add_test(waiting, every_cut_of_an_input_is_read_the_same);
    tcase_add_test(waiting, a_large_read_takes_what_is_buffered_and_then_goes_straight_to_its_memory);
    tcase_add_test(waiting, a_piece_of_the_limit_is_put_together);
    tcase_add_test(waiting, a_peer_that_sends_more_than_is_read_has_to_wait);
    tcase_add_test(waiting, a_reader_whose_peer_is_fast_gives_way_to_others);
    tcase_add_test(waiting, a_second_reader_is_EBUSY_and_one_after_the_other_is_not);
    tcase_add_test(ends, a_reset_is_told_to_this_reader_and_the_next);
    tcase_add_test(ends, what_came_before_the_end_is_read_first);
    tcase_add_test(ends, a_reader_gets_ECLOSED_when_it_is_closed_under_it);
    tcase_add_test(ends, a_reader_of_what_is_closing_gets_ECLOSED_though_data_is_there);
    tcase_add_test(ends, a_reader_that_was_cancelled_as_its_data_came_loses_none);
    tcase_add_test(ends, a_read_that_timed_out_is_tried_again);
    tcase_add_test(room, an_idle_stream_holds_no_buffer);
    tcase_add_test(room, a_read_without_memory_fails_and_loses_nothing);
    tcase_add_test(room, a_long_line_survives_each_allocation_that_fails);
    return suite;
}
