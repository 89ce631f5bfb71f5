/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Streams and servers. Over nothing on the virtual clock, and by hand; over pairs of sockets with small buffers, so that both sides
 * wait, on the epoll port. Whoever opens a stream closes it on the way out, by the block around it; what was opened for a player that never
 * began is closed by the janitor.
 */
#define _GNU_SOURCE
#include "everywhere.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MUCH = 30000 };
static const char much[MUCH] = { 1, 2, 3 };
static struct pawl_stream streams[4];
static int ends[2]; /* of a pair; -1: somebody has taken it over */
static int lowest;  /* free descriptor, before it all */
static size_t total;

static int lowest_free(void)
{
    const int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void begin_streams(void)
{
    memset(streams, 0, sizeof streams);
    ends[0] = ends[1] = -1;
    total = 0;
    lowest = lowest_free();
}

static void begin_pair(void)
{
    const int size = 4096;
    begin_streams();
    hold(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    for (int i = 0; i < 2; i++) hold(setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
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

static void check_streams(void)
{
    for (int i = 0; i < 4; i++) {
        hold(!pawl_stream_is_open(&streams[i]) && !pawl_socket_is_open(&streams[i].sock));
        hold(streams[i].in.data == NULL && streams[i].out.data == NULL);
        hold_empty(streams[i].drainers);
        hold_empty(streams[i].closers);
    }
    close_end(0);
    close_end(1);
    hold(lowest_free() == lowest);
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

/* ---- Over nothing ---- */

static struct pawl_lock turn; /* to read */

struct reads {
    COROUTINE(void);
    struct pawl_lock_acquire hold;
    char data[4];
    union {
        struct pawl_stream_read read;
        struct pawl_stream_piece piece;
    };
};

ASYNC(reads)
{
    ASYNC_BEGIN(reads);
    TRY {
        WITH(self->hold, pawl_lock_acquire(&turn)) {
            AWAIT(self->piece, pawl_stream_read_line(&streams[0]));
            AWAIT(self->piece, pawl_stream_read_until(&streams[0], "--", 2));
            AWAIT(self->read, pawl_stream_read_exactly(&streams[0], self->data, 4));
            AWAIT(self->piece, pawl_stream_read_frame(&streams[0], PAWL_LENGTH_BYTE));
            AWAIT(self->piece, pawl_stream_fill(&streams[0], 3));
            pawl_stream_consume(&streams[0], 3);
            AWAIT(self->piece, pawl_stream_read_piece(&streams[0], 2));
            AWAIT(self->read, pawl_stream_read(&streams[0], self->data, 1));
        } END_WITH;
    } CATCH(PAWL_EEOF) { /* the input is not what it expects when somebody else was cancelled in the middle of it */
    } CATCH(PAWL_ECLOSED) {
    } END_TRY;
    ASYNC_END;
}

struct drains {
    COROUTINE(void);
    bool entirely;
    struct pawl_stream_drain drain;
};

ASYNC(drains)
{
    ASYNC_BEGIN(drains);
    TRY {
        pawl_stream_write_text(&streams[0], "something");
        if (self->entirely) AWAIT(self->drain, pawl_stream_flush(&streams[0]));
        else AWAIT(self->drain, pawl_stream_drain(&streams[0]));
    } CATCH(PAWL_ECLOSED) {
    } END_TRY;
    ASYNC_END;
}

struct feeds {
    COROUTINE(void);
    int i;
    struct pawl_sleep sleep;
};

ASYNC(feeds)
{
    static const char *const pieces[] = { "li", "ne\nuntil", "-", "-exac", "t", "\3fr", "amfil", "lpi", "eceX" };
    ASYNC_BEGIN(feeds);
    for (self->i = 0; self->i < 18; self->i++) {
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
        hold(pawl_stream_feed(&streams[0], pieces[self->i % 9], strlen(pieces[self->i % 9])) == 0);
        pawl_stream_take_written(&streams[0], 5);
    }
    AWAIT(self->sleep, pawl_sleep(LATE));
    hold(pawl_stream_feed_end(&streams[0]) == 0);
    pawl_stream_close(&streams[0]);
    ASYNC_END;
}

static void begin_memory(void)
{
    begin_streams();
    memset(&turn, 0, sizeof turn);
    hold(pawl_stream_open_memory(&streams[0], NULL) == 0);
    hold(pawl_stream_set_water(&streams[0], 8, 2) == 0);
    player(CORO(reads));
    player(CORO(reads));
    player(CORO(drains));
    player(CORO(drains, .entirely = true));
    helper(CORO(feeds));
}

static void check_memory(void)
{
    hold(!pawl_lock_locked(&turn));
    pawl_stream_abort(&streams[0]);
    check_streams();
}

/* ---- Much to send, and a block that waits until it is sent ---- */

struct sends_and_closes {
    COROUTINE(void);
    struct pawl_stream_closing closing;
    struct pawl_stream_drain drain;
};

ASYNC(sends_and_closes)
{
    ASYNC_BEGIN(sends_and_closes);
    hold(pawl_stream_adopt(&streams[0], take_end(0)) == 0);
    hold(pawl_stream_set_water(&streams[0], 5000, 100) == 0);
    TRY {
        WITH(self->closing, pawl_stream_closing(&streams[0])) {
            hold(pawl_stream_write(&streams[0], much, MUCH) == 0 || streams[0].error != 0);
            AWAIT(self->drain, pawl_stream_drain(&streams[0]));
            pawl_stream_write(&streams[0], much, MUCH);
        } END_WITH;
    } CATCH_ERROR {
        hold(CAUGHT() == -EPIPE || CAUGHT() == -ECONNRESET);
    } END_TRY;
    ASYNC_END;
}

struct reads_to_the_end {
    COROUTINE(void);
    struct pawl_stream_closing closing;
    struct pawl_stream_piece piece;
};

ASYNC(reads_to_the_end)
{
    ASYNC_BEGIN(reads_to_the_end);
    hold(pawl_stream_adopt(&streams[1], take_end(1)) == 0);
    WITH(self->closing, pawl_stream_closing(&streams[1])) {
        do {
            AWAIT(self->piece, pawl_stream_fill(&streams[1], 1000));
            total += self->piece.size;
            pawl_stream_consume(&streams[1], self->piece.size);
        } while (self->piece.size > 0);
    } END_WITH;
    ASYNC_END;
}

static void begin_send_and_close(void)
{
    begin_pair();
    player(CORO(sends_and_closes));
    player(CORO(reads_to_the_end));
    helper(CORO(janitor));
}

static void check_send_and_close(void)
{
    hold(total <= 2 * MUCH);
    check_streams();
}

/* ---- Several that wait on one stream: two drain, one flushes, one waits for its end ---- */

static struct pawl_event ready;

struct owns {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(owns)
{
    ASYNC_BEGIN(owns);
    TRY {
        hold(pawl_stream_adopt(&streams[0], take_end(0)) == 0);
        pawl_stream_write(&streams[0], much, MUCH);
        pawl_event_set(&ready);
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    } FINALLY {
        pawl_event_set(&ready);
        pawl_stream_abort(&streams[0]);
        close_end(1);
    } END_TRY;
    ASYNC_END;
}

struct waits {
    COROUTINE(void);
    char for_what;
    struct pawl_event_wait begin;
    struct pawl_stream_drain drain;
};

ASYNC(waits)
{
    ASYNC_BEGIN(waits);
    TRY {
        AWAIT(self->begin, pawl_event_wait(&ready));
        if (self->for_what == 'd') AWAIT(self->drain, pawl_stream_drain(&streams[0]));
        else if (self->for_what == 'f') AWAIT(self->drain, pawl_stream_flush(&streams[0]));
        else AWAIT(self->drain, pawl_stream_wait_closed(&streams[0]));
    } CATCH_ERROR {
        hold(CAUGHT() == -EPIPE || CAUGHT() == -ECONNRESET || CAUGHT() == PAWL_ECLOSED);
    } END_TRY;
    ASYNC_END;
}

static void begin_several(void)
{
    begin_pair();
    memset(&ready, 0, sizeof ready);
    helper(CORO(owns));
    player(CORO(waits, .for_what = 'd'));
    player(CORO(waits, .for_what = 'd'));
    player(CORO(waits, .for_what = 'f'));
    player(CORO(waits, .for_what = 'c'));
    player(CORO(reads_to_the_end));
}

static void check_several(void)
{
    hold_empty(ready.waiters);
    check_streams();
}

/* ---- A file ---- */

static int file;

struct sends_file {
    COROUTINE(void);
    struct pawl_stream_closing closing;
    struct pawl_stream_sendfile sendfile;
};

ASYNC(sends_file)
{
    ASYNC_BEGIN(sends_file);
    hold(pawl_stream_adopt(&streams[0], take_end(0)) == 0);
    TRY {
        WITH(self->closing, pawl_stream_closing(&streams[0])) {
            pawl_stream_write(&streams[0], much, 10000);
            AWAIT(self->sendfile, pawl_stream_sendfile(&streams[0], file, 0, MUCH));
        } END_WITH;
    } CATCH_ERROR {
        hold(CAUGHT() == -EPIPE || CAUGHT() == -ECONNRESET);
    } END_TRY;
    ASYNC_END;
}

static void begin_file(void)
{
    begin_pair();
    file = memfd_create("much", MFD_CLOEXEC);
    hold(file >= 0 && write(file, much, MUCH) == MUCH);
    player(CORO(sends_file));
    player(CORO(reads_to_the_end));
    helper(CORO(janitor));
}

static void check_file(void)
{
    close(file);
    hold(total <= MUCH + 10000);
    check_streams();
}

/* ---- A server ---- */

static struct pawl_server server;
static uint16_t port;
static int begun, ended; /* handlers */

struct answers {
    CONNECTION;
    struct pawl_stream_piece line;
};

ASYNC(answers)
{
    ASYNC_BEGIN(answers);
    begun++;
    TRY {
        for (;;) {
            AWAIT(self->line, pawl_stream_read_line(&self->stream));
            if (self->line.size == 0) break;
            pawl_stream_write(&self->stream, self->line.data, self->line.size);
        }
    } FINALLY {
        ended++;
    } END_TRY;
    ASYNC_END;
}

static void start_server(void)
{
    hold(pawl_start_server(&server, "127.0.0.1", 0, HANDLER(answers), NULL) == 0);
    port = (uint16_t)pawl_server_port(&server);
    pawl_event_set(&ready);
}

struct serves {
    COROUTINE(void);
    struct pawl_serve_forever serve;
};

ASYNC(serves)
{
    ASYNC_BEGIN(serves);
    start_server();
    AWAIT(self->serve, pawl_serve_forever(&server));
    ASYNC_END;
}

struct asks {
    COROUTINE(void);
    int number;
    struct pawl_event_wait begin;
    struct pawl_stream_closing closing;
    union {
        struct pawl_open_connection open;
        struct pawl_stream_piece line;
    };
};

ASYNC(asks)
{
    ASYNC_BEGIN(asks);
    TRY {
        AWAIT(self->begin, pawl_event_wait(&ready));
        AWAIT(self->open, pawl_open_connection(&streams[self->number], "127.0.0.1", port));
        WITH(self->closing, pawl_stream_closing(&streams[self->number])) {
            pawl_stream_write_text(&streams[self->number], "question\n");
            AWAIT(self->line, pawl_stream_read_line(&streams[self->number]));
            hold(self->line.size == 0 || memcmp(self->line.data, "question\n", 9) == 0);
        } END_WITH;
    } CATCH_ERROR {
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
    pawl_event_set(&ready);
    pawl_server_close(&server);
    ASYNC_END;
}

static void begin_server(void)
{
    begin_streams();
    memset(&ready, 0, sizeof ready);
    memset(&server, 0, sizeof server);
    begun = ended = 0;
    port = 1; /* nobody is there */
}

static void begin_serve_forever(void)
{
    begin_server();
    player(CORO(serves));
    player(CORO(asks, .number = 2));
    player(CORO(asks, .number = 3));
    helper(CORO(ends_service));
}

/* Shut down while there is somebody: within the grace they go, or are cancelled. */
struct shuts_down {
    COROUTINE(void);
    pawl_time grace;
    struct pawl_event_wait begin;
    struct pawl_server_shutdown shutdown;
};

ASYNC(shuts_down)
{
    ASYNC_BEGIN(shuts_down);
    AWAIT(self->begin, pawl_event_wait(&ready));
    YIELD_NOW();
    YIELD_NOW();
    AWAIT(self->shutdown, pawl_server_shutdown(&server, self->grace));
    hold(server.count == 0);
    ASYNC_END;
}

static void begin_shutdown(void)
{
    begin_serve_forever();
    player(CORO(shuts_down, .grace = PAWL_FOREVER));
}

static void begin_shutdown_at_once(void)
{
    begin_serve_forever();
    player(CORO(shuts_down, .grace = 0));
}

static void check_server(void)
{
    hold(!pawl_socket_is_open(&server.listener) && server.count == 0 && server.connections == NULL);
    hold(begun == ended && (size_t)begun <= server.served && server.failed == 0);
    hold_empty(server.changed);
    hold_empty(ready.waiters);
    check_streams();
}

const struct scenario stream_scenarios[] = {
    { "stream_over_nothing", begin_memory, check_memory, BY_HAND },
    { "send_and_close", begin_send_and_close, check_send_and_close, ON_EPOLL },
    { "several_on_one_stream", begin_several, check_several, ON_EPOLL },
    { "stream_sendfile", begin_file, check_file, ON_EPOLL },
    { "serve_forever", begin_serve_forever, check_server, ON_EPOLL },
    { "server_shutdown", begin_shutdown, check_server, ON_EPOLL },
    { "server_shutdown_at_once", begin_shutdown_at_once, check_server, ON_EPOLL },
    { NULL, NULL, NULL, 0 }
};
