/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A loop on the epoll port for the tests of sockets, raw peers for them (plain blocking sockets, which do what a test
 * wants of the other side), and operations run to their end from a test's plain code: a leaf such as pawl_recv is a frame
 * like any other, so it can be spawned as a task of its own.
 */
#ifndef PAWL_TESTS_NET_WORLD_H
#define PAWL_TESTS_NET_WORLD_H

#include <support.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct net {
    struct pawl_epoll epoll;
    struct pawl_loop loop;
    struct counting memory;
    int reports;
};

static inline void net_report(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    (void)failure;
    ((struct net *)(void *)((char *)loop - offsetof(struct net, loop)))->reports++;
}

static inline void net_begin(struct net *net)
{
    memset(net, 0, sizeof *net);
    counting_init(&net->memory);
    ck_assert_int_eq(pawl_epoll_init(&net->epoll), 0);
    ck_assert_int_eq(pawl_loop_init(&net->loop, &net->epoll.base, &net->memory.allocator), 0);
    pawl_loop_set_report(&net->loop, net_report);
    pawl_loop_use(&net->loop);
}

/* How many descriptors the port watches besides its own eventfd, as the kernel tells it. */
static inline int net_watched(const struct net *net)
{
    char path[64], line[256];
    int count = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", net->epoll.epoll_fd);
    FILE *const file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) count += strncmp(line, "tfd:", 4) == 0;
    fclose(file);
    return count - 1;
}

/* Every socket is closed and unregistered, no task is left, and nobody failed unseen. */
static inline void net_end(struct net *net)
{
    ck_assert_int_eq(net_watched(net), 0);
    ck_assert_ptr_null(pawl_task_next(&net->loop, NULL));
    pawl_loop_use(NULL);
    pawl_loop_finish(&net->loop);
    pawl_epoll_finish(&net->epoll);
    ck_assert_uint_eq(net->memory.alive, 0);
    ck_assert_int_eq(net->reports, 0);
}

/* Lets everything run that can without waiting for anybody. */
static inline void net_settle(struct net *net)
{
    for (int i = 0; i < 8; i++) ck_assert_int_eq(pawl_loop_run_once(&net->loop, false), 0);
}

/* Runs a task to its end, releases it: its error. */
static inline int net_finish(struct net *net, struct pawl_task *task)
{
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    pawl_task_release(task);
    return error;
}

/* The same, and how many bytes its pawl_recv or pawl_send came to. */
static inline int net_finish_recv(struct net *net, struct pawl_task *task, size_t *got)
{
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    *got = pawl_task_frame(pawl_recv, task)->result;
    pawl_task_release(task);
    return error;
}

static inline int net_finish_send(struct net *net, struct pawl_task *task, size_t *put)
{
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&net->loop, task);
    *put = pawl_task_frame(pawl_send, task)->result;
    pawl_task_release(task);
    return error;
}

#define net_connect(net, sock, host, port) net_finish((net), pawl_spawn(pawl_connect((sock), (host), (port))))
#define net_accept(net, listener, sock) net_finish((net), pawl_spawn(pawl_accept((listener), (sock))))
#define net_send(net, sock, data, size) net_finish((net), pawl_spawn(pawl_send((sock), (data), (size))))
#define net_recv(net, sock, data, size, got) net_finish_recv((net), pawl_spawn(pawl_recv((sock), (data), (size))), (got))

/* Receives exactly `text`. */
static inline void net_expect(struct net *net, struct pawl_socket *sock, const char *text)
{
    char buffer[256];
    size_t got = 0;
    ck_assert_uint_lt(strlen(text), sizeof buffer);
    ck_assert_int_eq(net_recv(net, sock, buffer, sizeof buffer - 1, &got), 0);
    buffer[got] = '\0';
    ck_assert_str_eq(buffer, text);
}

/* Listens on a free port of this host: the port. */
static inline uint16_t net_listen(struct pawl_socket *listener, int backlog)
{
    ck_assert_int_eq(pawl_listen(listener, "127.0.0.1", 0, backlog), 0);
    const int port = pawl_socket_port(listener);
    ck_assert_int_gt(port, 0);
    return (uint16_t)port;
}

/* Two connected pawl sockets. */
static inline void net_pair(struct net *net, struct pawl_socket *a, struct pawl_socket *b)
{
    struct pawl_socket listener = { 0 };
    const uint16_t port = net_listen(&listener, 4);
    ck_assert_int_eq(net_connect(net, a, "127.0.0.1", port), 0);
    ck_assert_int_eq(net_accept(net, &listener, b), 0);
    pawl_socket_close(&listener);
}

/* ---- Raw peers ---- */

static inline struct sockaddr_in raw_address(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static inline int raw_connect(uint16_t port)
{
    const struct sockaddr_in address = raw_address(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline int raw_listen(int backlog, uint16_t *port)
{
    struct sockaddr_in address = raw_address(0);
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* A pawl socket whose peer is a raw one. */
static inline int net_raw_pair(struct net *net, struct pawl_socket *sock)
{
    struct pawl_socket listener = { 0 };
    const uint16_t port = net_listen(&listener, 4);
    const int fd = raw_connect(port);
    ck_assert_int_eq(net_accept(net, &listener, sock), 0);
    pawl_socket_close(&listener);
    return fd;
}

static inline void raw_send(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Receives exactly `text`, in however many parts. */
static inline void raw_expect(int fd, const char *text)
{
    char buffer[256] = "";
    const size_t size = strlen(text);
    for (size_t got = 0; got < size;) {
        const ssize_t part = recv(fd, buffer + got, size - got, 0);
        ck_assert_int_gt(part, 0);
        got += (size_t)part;
    }
    ck_assert_str_eq(buffer, text);
}

/* Closes so that the peer sees a reset. */
static inline void raw_reset(int fd)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

static inline void shrink_buffer(int fd, int which)
{
    const int size = 4096;
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, which, &size, sizeof size), 0);
}

#endif
