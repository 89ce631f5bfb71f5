/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What the tests of single operations share, on top of net_world.h: an operation's frame that runs as a task of its own and
 * comes back as it ended, bytes that are known by their place, and their hash.
 *
 *      struct pawl_splice splice = pawl_splice(&a, &b, 5);
 *      ck_assert_int_eq(net_op(&net, &splice), 0);
 *      ck_assert_uint_eq(splice.result, 5);
 */
#ifndef PAWL_TESTS_SOCKET_WORLD_H
#define PAWL_TESTS_SOCKET_WORLD_H

#include "net_world.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/un.h>

/* Runs a task that was spawned from *frame to its end: its error. *frame is as it ended then. */
#define net_op_end(net, task, frame) net_op_end_((net), (task), (frame), sizeof *(frame))
#define net_op(net, frame) net_op_end((net), pawl_spawn(*(frame)), (frame))

static inline int net_op_end_(struct net *net, struct pawl_task *task, void *frame, size_t size)
{
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    memcpy(frame, (const void *)(task + 1), size);
    pawl_task_release(task);
    return error;
}

/* Spawns *frame, and lets it run until it waits. */
#define net_op_begin(net, frame) net_op_begun_((net), pawl_spawn(*(frame)))
static inline struct pawl_task *net_op_begun_(struct net *net, struct pawl_task *task)
{
    ck_assert_ptr_nonnull(task);
    net_settle(net);
    ck_assert_msg(!pawl_future_done(task), "it ended with %d (%s) where it should wait", pawl_future_error(task),
                  pawl_strerror(pawl_future_error(task)));
    return task;
}

/* Two connected Unix sockets, both pawl's. */
static inline void net_local_pair(struct pawl_socket *a, struct pawl_socket *b, int type)
{
    ck_assert_int_eq(pawl_socket_pair(a, b, type), 0);
}

/* One of them pawl's, the other raw and blocking. */
static inline int net_local_raw_pair(struct pawl_socket *sock, int type)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq(pawl_socket_adopt(sock, fds[0]), 0);
    return fds[1];
}

static inline void close_both(struct pawl_socket *a, struct pawl_socket *b)
{
    pawl_socket_close(a);
    pawl_socket_close(b);
}

/* Neither side of it is anybody's: it can be received from and sent to. */
static inline void expect_idle(const struct pawl_socket *sock)
{
    ck_assert_ptr_null(sock->readable.awaitable.first);
    ck_assert_ptr_null(sock->writable.awaitable.first);
    ck_assert_msg((sock->state & (8 | 16)) == 0, "a side of the socket is still occupied: state %u", (unsigned)sock->state);
}

/* ---- Bytes that are known by their place ---- */

static inline unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 31 + i / 251 + i / 65521);
}

static inline unsigned char *some_bytes(size_t size)
{
    unsigned char *const data = malloc(size + 1);
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < size; i++) data[i] = byte_at(i);
    return data;
}

enum { HASH_SEED = 5381 };
static inline uint64_t hash_more(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *const bytes = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

/* ---- Descriptors ---- */

static inline bool descriptor_is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* The lowest number that is free: a leak of even one descriptor changes it. */
static inline int lowest_free(void)
{
    const int fd = dup(STDERR_FILENO);
    ck_assert_int_ge(fd, 0);
    close(fd);
    return fd;
}

/* ---- Suites ---- */

#define ADD(suite, name, ...) \
    do { \
        TCase *const tcase_ = add_case((suite), (name)); \
        const TTest *const tests_[] = { __VA_ARGS__ }; \
        for (size_t i_ = 0; i_ < sizeof tests_ / sizeof *tests_; i_++) tcase_add_test(tcase_, tests_[i_]); \
    } while (0)

#endif
