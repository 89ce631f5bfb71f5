/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Sockets, on the epoll port. Whoever opens one closes it on the way out, and so its peer sees an end or an error. What was
 * opened for a player that never began is closed by the janitor, a little later.
 */
#define _GNU_SOURCE
#include "everywhere.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { STREAM = 50000, LITTLE = 15000, ENDS = 4 };
static int ends[ENDS]; /* of one pair or two; -1: somebody has taken it over */
static int file = -1;  /* that is sent */
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
    for (int i = 0; i < ENDS; i++) ends[i] = -1;
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
    size_t size;
    struct pawl_send send;
};

static const char stream[STREAM] = { 1, 2, 3 };

ASYNC(sends_stream)
{
    ASYNC_BEGIN(sends_stream);
    TRY {
        hold(pawl_socket_adopt(&sockets[0], take_end(0)) == 0);
        AWAIT(self->send, pawl_send(&sockets[0], stream, self->size));
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
    int end;
    struct pawl_recv recv;
    char buffer[1000];
};

ASYNC(receives_stream)
{
    ASYNC_BEGIN(receives_stream);
    TRY {
        hold(pawl_socket_adopt(&sockets[1], take_end(self->end)) == 0);
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
    for (int i = 0; i < ENDS; i++) close_end(i);
    ASYNC_END;
}

/* Ends `first` and `first + 1`; little fits between them in that direction. */
static void open_ends(int first)
{
    const int size = 4096;
    hold(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends + first) == 0);
    hold(setsockopt(ends[first], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
}

static void begin_stream(void)
{
    begin_sockets();
    open_ends(0);
    player(CORO(receives_stream, .end = 1));
    player(CORO(sends_stream, .size = STREAM));
    helper(CORO(janitor));
}

static void check_sockets(void)
{
    for (int i = 0; i < 6; i++) hold(!pawl_socket_is_open(&sockets[i]));
    for (int i = 0; i < ENDS; i++) close_end(i);
    if (file >= 0) close(file);
    file = -1;
    hold(lowest_free() == lowest);
}

static void check_stream(void)
{
    check_sockets();
    hold(read_so_far <= written);
}

/* ---- splice: from one pair to another ---- */

struct pumps {
    COROUTINE(void);
    struct pawl_splice splice;
};

ASYNC(pumps)
{
    ASYNC_BEGIN(pumps);
    TRY {
        hold(pawl_socket_adopt(&sockets[2], take_end(1)) == 0);
        hold(pawl_socket_adopt(&sockets[3], take_end(2)) == 0);
        AWAIT(self->splice, pawl_splice(&sockets[2], &sockets[3], UINT64_MAX));
    } CATCH_ERROR {
        hold(CAUGHT() == -EPIPE || CAUGHT() == -ECONNRESET);
    } FINALLY {
        hold(self->splice.pipe[0] <= 0 && self->splice.pipe[1] <= 0);
        pawl_socket_close(&sockets[2]);
        pawl_socket_close(&sockets[3]);
    } END_TRY;
    ASYNC_END;
}

static void begin_splice(void)
{
    begin_sockets();
    open_ends(0);
    open_ends(2);
    player(CORO(receives_stream, .end = 3));
    player(CORO(pumps));
    player(CORO(sends_stream, .size = LITTLE));
    helper(CORO(janitor));
}

/* ---- sendfile ---- */

struct sends_file {
    COROUTINE(void);
    struct pawl_sendfile sendfile;
};

ASYNC(sends_file)
{
    ASYNC_BEGIN(sends_file);
    TRY {
        hold(pawl_socket_adopt(&sockets[0], take_end(0)) == 0);
        AWAIT(self->sendfile, pawl_sendfile(&sockets[0], file, 0, UINT64_MAX));
    } CATCH_ERROR {
        hold(CAUGHT() == -EPIPE || CAUGHT() == -ECONNRESET);
    } FINALLY {
        written = (size_t)self->sendfile.result;
        pawl_socket_close(&sockets[0]);
    } END_TRY;
    ASYNC_END;
}

static void begin_sendfile(void)
{
    begin_sockets();
    open_ends(0);
    file = memfd_create("pawl", MFD_CLOEXEC);
    hold(write(file, stream, LITTLE) == LITTLE);
    player(CORO(receives_stream, .end = 1));
    player(CORO(sends_file));
    helper(CORO(janitor));
}

/* ---- Descriptors: whoever has one closes it ---- */

struct sends_fds {
    COROUTINE(void);
    int round, fds[2];
    struct pawl_send_fds send;
};

ASYNC(sends_fds)
{
    ASYNC_BEGIN(sends_fds);
    TRY {
        hold(pawl_socket_adopt(&sockets[0], take_end(0)) == 0);
        for (self->round = 0; self->round < 12; self->round++) {
            self->fds[0] = self->fds[1] = STDERR_FILENO;
            AWAIT(self->send, pawl_send_fds(&sockets[0], stream, 1000, self->fds, 2));
            written += self->send.result;
        }
    } CATCH_ERROR {
        hold(CAUGHT() == -EPIPE || CAUGHT() == -ECONNRESET);
    } FINALLY {
        pawl_socket_close(&sockets[0]);
    } END_TRY;
    ASYNC_END;
}

struct receives_fds {
    COROUTINE(void);
    int fds[2];
    char buffer[700];
    struct pawl_recv_fds recv;
};

ASYNC(receives_fds)
{
    ASYNC_BEGIN(receives_fds);
    TRY {
        hold(pawl_socket_adopt(&sockets[1], take_end(1)) == 0);
        do {
            AWAIT(self->recv, pawl_recv_fds(&sockets[1], self->buffer, sizeof self->buffer, self->fds, 2));
            for (unsigned i = 0; i < self->recv.count; i++) close(self->fds[i]);
            read_so_far += self->recv.result;
        } while (self->recv.result > 0);
    } FINALLY {
        pawl_socket_close(&sockets[1]);
    } END_TRY;
    ASYNC_END;
}

static void begin_fds(void)
{
    begin_sockets();
    open_ends(0);
    player(CORO(receives_fds));
    player(CORO(sends_fds));
    helper(CORO(janitor));
}

/* ---- Messages and vectors, after having waited to be allowed to ---- */

struct sends_messages {
    COROUTINE(void);
    int round;
    struct iovec parts[2];
    struct msghdr message;
    union {
        struct pawl_wait_ready wait;
        struct pawl_send_vector vector;
        struct pawl_message message;
        struct pawl_send_to to;
    } step;
};

static struct iovec *two_parts(struct iovec *parts)
{
    parts[0] = parts[1] = (struct iovec){ (void *)(uintptr_t)stream, 700 };
    return parts;
}

ASYNC(sends_messages)
{
    ASYNC_BEGIN(sends_messages);
    TRY {
        hold(pawl_socket_adopt(&sockets[0], take_end(0)) == 0);
        for (self->round = 0; self->round < 4; self->round++) {
            AWAIT(self->step.wait, pawl_wait_ready(&sockets[0], PAWL_WRITABLE));
            AWAIT(self->step.vector, pawl_send_vector(&sockets[0], two_parts(self->parts), 2));
            self->message = (struct msghdr){ .msg_iov = two_parts(self->parts), .msg_iovlen = 2 };
            AWAIT(self->step.message, pawl_sendmsg(&sockets[0], &self->message, 0));
            AWAIT(self->step.to, pawl_send_to(&sockets[0], stream, 700, NULL));
        }
    } CATCH_ERROR {
        hold(CAUGHT() == -EPIPE || CAUGHT() == -ECONNRESET);
    } FINALLY {
        pawl_socket_close(&sockets[0]);
    } END_TRY;
    ASYNC_END;
}

struct receives_messages {
    COROUTINE(void);
    struct iovec parts[2];
    struct msghdr message;
    char buffer[600];
    size_t got;
    union {
        struct pawl_wait_ready wait;
        struct pawl_message message;
        struct pawl_recv_from from;
    } step;
};

ASYNC(receives_messages)
{
    ASYNC_BEGIN(receives_messages);
    TRY {
        hold(pawl_socket_adopt(&sockets[1], take_end(1)) == 0);
        do {
            AWAIT(self->step.wait, pawl_wait_ready(&sockets[1], PAWL_READABLE));
            self->parts[0] = (struct iovec){ self->buffer, 300 };
            self->parts[1] = (struct iovec){ self->buffer + 300, 300 };
            self->message = (struct msghdr){ .msg_iov = self->parts, .msg_iovlen = 2 };
            AWAIT(self->step.message, pawl_recvmsg(&sockets[1], &self->message, 0));
            AWAIT(self->step.from, pawl_recv_from(&sockets[1], self->buffer, sizeof self->buffer, NULL));
            self->got = self->step.from.result;
        } while (self->got > 0);
    } FINALLY {
        pawl_socket_close(&sockets[1]);
    } END_TRY;
    ASYNC_END;
}

static void begin_messages(void)
{
    begin_sockets();
    open_ends(0);
    player(CORO(receives_messages));
    player(CORO(sends_messages));
    helper(CORO(janitor));
}

/* ---- accept and connect ---- */

static struct pawl_event listening;
static uint16_t port;

struct serves {
    COROUTINE(void);
    bool patient;
    struct pawl_accept accept;
    struct pawl_accept_patiently patiently;
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
            if (self->patient) AWAIT(self->patiently, pawl_accept_patiently(&sockets[0], &sockets[1]));
            else AWAIT(self->accept, pawl_accept(&sockets[0], &sockets[1]));
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
    struct pawl_connect_to connect_to;
    struct pawl_address address;
    struct pawl_recv recv;
    struct pawl_send send;
    int number;
    bool to_address; /* and not to a name */
    bool connected;  /* otherwise it is closed by itself */
    char letter;
};

ASYNC(calls)
{
    ASYNC_BEGIN(calls);
    TRY {
        AWAIT(self->wait, pawl_event_wait(&listening));
        hold(pawl_address_parse(&self->address, "127.0.0.1", port) == 0);
        if (self->to_address) AWAIT(self->connect_to, pawl_connect_to(&sockets[self->number], &self->address));
        else AWAIT(self->connect, pawl_connect(&sockets[self->number], "127.0.0.1", port));
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

static void begin_a_service(bool by_address)
{
    begin_sockets();
    memset(&listening, 0, sizeof listening);
    port = 1; /* nobody is there */
    player(CORO(serves, .patient = by_address));
    player(CORO(calls, .number = 2, .to_address = by_address));
    player(CORO(calls, .number = 3, .to_address = by_address));
    helper(CORO(ends_service));
}

static void begin_service(void)
{
    begin_a_service(false);
}

static void begin_patient_service(void)
{
    begin_a_service(true);
}

static void check_service(void)
{
    check_sockets();
    hold_empty(listening.waiters);
}

const struct scenario net_scenarios[] = {
    { "recv_and_send", begin_stream, check_stream, ON_EPOLL },
    { "splice", begin_splice, check_stream, ON_EPOLL },
    { "sendfile", begin_sendfile, check_stream, ON_EPOLL },
    { "descriptors", begin_fds, check_stream, ON_EPOLL },
    { "messages", begin_messages, check_sockets, ON_EPOLL },
    { "accept_and_connect", begin_service, check_service, ON_EPOLL },
    { "accept_patiently_and_connect_to", begin_patient_service, check_service, ON_EPOLL },
    { NULL, NULL, NULL, 0 }
};
