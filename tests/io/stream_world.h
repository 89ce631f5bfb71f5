/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Streams in the world of sockets: operations run to their end from a test's plain code, and raw peers for them. */
#ifndef PAWL_TESTS_STREAM_WORLD_H
#define PAWL_TESTS_STREAM_WORLD_H

#include "net_world.h"

#include <fcntl.h>

/* A stream whose peer is a raw, blocking descriptor. */
static inline int net_stream(struct pawl_stream *stream)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq(pawl_stream_adopt(stream, fds[0]), 0);
    return fds[1];
}

/* The same over TCP. */
static inline int net_tcp_stream(struct net *net, struct pawl_stream *stream)
{
    struct pawl_socket sock = { 0 };
    const int peer = net_raw_pair(net, &sock);
    ck_assert_int_eq(pawl_stream_open(stream, &sock), 0);
    ck_assert(!pawl_socket_is_open(&sock));
    return peer;
}

/* Runs a pawl_stream_piece to its end: its error, and the piece. */
static inline int net_finish_piece(struct net *net, struct pawl_task *task, struct pawl_stream_piece *piece)
{
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    *piece = *pawl_task_frame(pawl_stream_piece, task);
    pawl_task_release(task);
    return error;
}

static inline int net_finish_read(struct net *net, struct pawl_task *task, size_t *got)
{
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    *got = pawl_task_frame(pawl_stream_read, task)->result;
    pawl_task_release(task);
    return error;
}

#define net_piece(net, piece, ...) net_finish_piece((net), pawl_spawn(__VA_ARGS__), (piece))
#define net_run(net, ...) net_finish((net), pawl_spawn(__VA_ARGS__))

/* Reads exactly this line. */
static inline void net_expect_line(struct net *net, struct pawl_stream *stream, const char *text)
{
    struct pawl_stream_piece piece;
    ck_assert_int_eq(net_piece(net, &piece, pawl_stream_read_line(stream)), 0);
    ck_assert_uint_eq(piece.size, strlen(text));
    if (piece.size > 0) ck_assert_mem_eq(piece.data, text, piece.size);
}

/* Whatever the peer has been sent by now, without waiting: how much. */
static inline size_t raw_take(int fd, char *data, size_t size)
{
    size_t total = 0;
    for (ssize_t got; total < size && (got = recv(fd, data + total, size - total, MSG_DONTWAIT)) > 0;) total += (size_t)got;
    return total;
}

#endif
