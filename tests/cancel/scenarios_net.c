/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Sockets, on the epoll port. Whoever opens one closes it on the way out, and so its peer sees an end or an error. What was
 * opened for a player that never began is closed by the janitor, a little later.
 */
#define _GNU_SOURCE
#include "everywhere.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM = 50000 };
static int ends[2]; /* of a pair; -1: somebody has taken it over */
static struct pawl_socket sockets[6];
static int lowest;  /* free descriptor, before it all */
static size_t written, read_so_far;

static int lowest_free(void)
{
    const int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void begin_sockets(void)
{
    memset(sockets, 0, sizeof sockets);
    ends[0] = ends[1] = -1;
    written = read_so_far = 0;
    lowest = lowest_free();
}

static int take_end(int which)
{
    const int fd = ends[which];
    ends[which] = -1;
    return fd;
}

static void close_end(int which)
{
    const int fd = take_end(which);
    if (fd >= 0) close(fd);
}

/* ---- recv and send ---- */

struct sends_stream {
    COROUTINE(void);
    struct pawl_send send;
};

static const char stream[STREAM] = { 1, 2, 3 };

ASYNC(sends_stream)
{
    ASYNC_BEGIN(sends_stream);
    TRY {
        hold(pawl_socket_adopt(&sockets[0], take_end(0)) == 0);
        AWAIT(self->send, pawl_send(&sockets[0], stream, sizeof stream));
    } CATCH_ERROR {
        hold(CAUGHT() == -EPIPE || CAUGHT() == -ECONNRESET);
    } FINALLY {
        written = self->send.result;
        pawl_socket_close(&sockets[0]);
    } END_TRY;
    ASYNC_END;
}

struct receives_stream {
    COROUTINE(void);
    struct pawl_recv recv;
    char buffer[1000];
};

ASYNC(receives_stream)
{
    ASYNC_BEGIN(receives_stream);
    TRY {
        hold(pawl_socket_adopt(&sockets[1], take_end(1)) == 0);
        do {
            AWAIT(self->recv, pawl_recv(&sockets[1], self->buffer, sizeof self->buffer));
            read_so_far += self->recv.result;
        } while (self->recv.result > 0);
    } FINALLY {
        pawl_socket_close(&sockets[1]);
    } END_TRY;
    ASYNC_END;
}

struct janitor {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(janitor)
{
    ASYNC_BEGIN(janitor);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    close_end(0);
    close_end(1);
    ASYNC_END;
}

static void begin_stream(void)
{
    const int size = 4096;
    begin_sockets();
    hold(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    hold(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    player(CORO(receives_stream));
    player(CORO(sends_stream));
    helper(CORO(janitor));
}

static void check_sockets(void)
{
    for (int i = 0; i < 6; i++) hold(!pawl_socket_is_open(&sockets[i]));
    close_end(0);
    close_end(1);
    hold(lowest_free() == lowest);
}

static void check_stream(void)
{
    check_sockets();
    hold(read_so_far <= written);
}

/* ---- accept and connect ---- */

static struct pawl_event listening;
static uint16_t port;

struct serves {
    COROUTINE(void);
    struct pawl_accept accept;
    struct pawl_recv recv;
    struct pawl_send send;
    char letter;
};

static void begin_to_listen(void)
{
    hold(pawl_listen(&sockets[0], "127.0.0.1", 0, 4) == 0);
    port = (uint16_t)pawl_socket_port(&sockets[0]);
    pawl_event_set(&listening);
}

ASYNC(serves)
{
    ASYNC_BEGIN(serves);
    TRY {
        begin_to_listen();
        for (;;) {
            AWAIT(self->accept, pawl_accept(&sockets[0], &sockets[1]));
            TRY_AWAIT(self->recv, pawl_recv(&sockets[1], &self->letter, 1));
            if (AWAIT_ERROR() == 0) TRY_AWAIT(self->send, pawl_send(&sockets[1], &self->letter, 1));
            if (AWAIT_ERROR() == PAWL_ECANCELLED || AWAIT_ERROR() == PAWL_EEXIT) RAISE(AWAIT_ERROR());
            pawl_socket_close(&sockets[1]);
        }
    } CATCH(PAWL_ECLOSED) {
    } FINALLY {
        pawl_socket_close(&sockets[1]);
        pawl_socket_close(&sockets[0]);
    } END_TRY;
    ASYNC_END;
}

struct calls {
    COROUTINE(void);
    struct pawl_event_wait wait;
    struct pawl_connect connect;
    struct pawl_recv recv;
    struct pawl_send send;
    int number;
    bool connected; /* otherwise it is closed by itself */
    char letter;
};

ASYNC(calls)
{
    ASYNC_BEGIN(calls);
    TRY {
        AWAIT(self->wait, pawl_event_wait(&listening));
        AWAIT(self->connect, pawl_connect(&sockets[self->number], "127.0.0.1", port));
        self->connected = true;
        AWAIT(self->send, pawl_send(&sockets[self->number], "x", 1));
        AWAIT(self->recv, pawl_recv(&sockets[self->number], &self->letter, 1));
        hold(self->recv.result == 0 || self->letter == 'x');
    } CATCH_ERROR {
    } FINALLY {
        if (self->connected) pawl_socket_close(&sockets[self->number]);
    } END_TRY;
    ASYNC_END;
}

struct ends_service {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(ends_service)
{
    ASYNC_BEGIN(ends_service);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    pawl_event_set(&listening);
    pawl_socket_close(&sockets[0]);
    ASYNC_END;
}

static void begin_service(void)
{
    begin_sockets();
    memset(&listening, 0, sizeof listening);
    port = 1; /* nobody is there */
    player(CORO(serves));
    player(CORO(calls, .number = 2));
    player(CORO(calls, .number = 3));
    helper(CORO(ends_service));
}

static void check_service(void)
{
    check_sockets();
    hold_empty(listening.waiters);
}

const struct scenario net_scenarios[] = {
    { "recv_and_send", begin_stream, check_stream, ON_EPOLL },
    { "accept_and_connect", begin_service, check_service, ON_EPOLL },
    { NULL, NULL, NULL, 0 }
};
