/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Servers: a coroutine for each connection.
 *
 *      struct echo { CONNECTION; char buffer[512]; struct pawl_stream_read read; struct pawl_stream_drain drain; };
 *
 *      ASYNC(echo)
 *      {
 *          ASYNC_BEGIN(echo);
 *          do {
 *              AWAIT(self->read, pawl_stream_read(&self->stream, self->buffer, sizeof self->buffer));
 *              pawl_stream_write(&self->stream, self->buffer, self->read.result);
 *              AWAIT(self->drain, pawl_stream_drain(&self->stream));
 *          } while (self->read.result > 0);
 *          ASYNC_END;
 *      }
 *
 *      error = pawl_start_server(&self->server, "127.0.0.1", 7777, HANDLER(echo), NULL);
 *      AWAIT(self->serve, pawl_serve_forever(&self->server));
 *
 * The frame of the coroutine holds the stream, so a connection is one allocation, from the loop's allocator. When the coroutine
 * ends, what it wrote is still sent, and the stream is closed. Its error ends this connection only, and is told to the loop's
 * report, unless it is the peer's business (-ECONNRESET, -EPIPE, -ETIMEDOUT, PAWL_EEOF).
 */
#ifndef PAWL_SERVER_H
#define PAWL_SERVER_H

#include "stream.h"

PAWL_BEGIN_C

/** CONNECTION: the first member of the struct of a coroutine that serves a connection: `stream`, open; and `argument`, what was
 *  given to the server. */
#define PAWL_CONNECTION PAWL_COROUTINE(void); struct pawl_stream stream; void *argument

/** The coroutine that serves: HANDLER(name). */
struct pawl_handler {
    pawl_resume_fn *resume;
    size_t size;
};
#define PAWL_HANDLER(name) pawl_handler_of_(name##_resume, sizeof(struct name) + PAWL_ASSERTED_( \
    offsetof(struct name, stream) == sizeof(struct pawl_coro) && \
    offsetof(struct name, argument) == sizeof(struct pawl_coro) + sizeof(struct pawl_stream), \
    "HANDLER(" #name "): CONNECTION comes first in its struct"))
PAWL_INLINE struct pawl_handler pawl_handler_of_(pawl_resume_fn *resume, size_t size)
{
    struct pawl_handler handler = { resume, size };
    return handler;
}

struct pawl_server;

/* Waits until something has changed: a connection has ended, the server was closed. */
struct pawl_server_change {
    struct pawl_coro awaitable;
    struct pawl_server *server;
    struct pawl_waiter waiter;
};

/* The task that accepts. */
struct pawl_accepting {
    PAWL_COROUTINE(void);
    struct pawl_server *server;
    union {
        struct pawl_accept_patiently accept;
        struct pawl_server_change change;
    } step;
};

/** A server, in the caller's memory, which must stay until it has ended. Zeroed is closed. */
struct pawl_server {
    struct pawl_socket listener;
    struct pawl_handler handler;
    void *argument;
    struct pawl_link *connections; /* those at work */
    size_t count;    /* how many there are */
    size_t most;     /* with so many connections it accepts no more, see pawl_server_set_most */
    size_t served;   /* how many there have been */
    size_t failed;   /* how many of them ended with an error that was reported */
    uint32_t limit;  /* of the streams, see pawl_stream_set_limit; 0: the default. May be changed at any time */
    struct pawl_wait_list changed;
    PAWL_TASK(pawl_accepting) acceptor;
};

/** Listens as pawl_listen does and begins to accept: each connection is given a task with the coroutine of `handler`, which
 *  runs at once up to its first suspension. `argument` is theirs to see, and borrowed. Needs a running loop with an allocator.
 *  0; PAWL_EINVAL; PAWL_EBUSY when it is at work; the errors of pawl_listen. *server is closed after an error.
 *  (asyncio.start_server) */
PAWL_API int pawl_start_server(struct pawl_server *server, const char *host, uint16_t port, struct pawl_handler handler, void *argument);
/** The same on any address (a Unix socket: asyncio.start_unix_server), and on a listening socket, which is moved into it: for
 *  options, or one that was inherited. */
PAWL_API int pawl_start_server_at(struct pawl_server *server, const struct pawl_address *address, struct pawl_handler handler,
                                  void *argument);
PAWL_API int pawl_start_server_on(struct pawl_server *server, struct pawl_socket *listener, struct pawl_handler handler, void *argument);

/** Its port, as pawl_socket_port. */
PAWL_INLINE int pawl_server_port(const struct pawl_server *server)
{
    return pawl_socket_port(&server->listener);
}

/** Stops accepting; connections go on. Harmless for a closed one. (Server.close) */
PAWL_API void pawl_server_close(struct pawl_server *server);

/** With `most` (0: no limit, the default) connections at work the server accepts no more until one has ended; they queue in the
 *  system. At any time; connections that are more than that already go on, and one that is being waited for is still taken. */
PAWL_API void pawl_server_set_most(struct pawl_server *server, size_t most);

/** Ends the reading side of all connections (pawl_stream_end_input): those that wait for a request come to their end, and those
 *  that are busy with one do so afterwards. Before pawl_server_shutdown, so that idle clients do not use up its grace. */
PAWL_API void pawl_server_end_input(struct pawl_server *server);

/** Cancels the tasks of all connections. */
PAWL_API void pawl_server_cancel(struct pawl_server *server);

struct pawl_server_wait_closed {
    PAWL_COROUTINE(void);
    struct pawl_server *server;
    struct pawl_server_change change;
};
struct pawl_serve_forever {
    PAWL_COROUTINE(void);
    struct pawl_server *server;
    struct pawl_server_change change;
};
struct pawl_server_shutdown {
    PAWL_COROUTINE(void);
    struct pawl_server *server;
    pawl_time grace;
    int16_t error;
    struct pawl_timeout timeout;
    struct pawl_server_change change;
};
PAWL_API pawl_resume_fn pawl_server_wait_closed_resume, pawl_serve_forever_resume, pawl_server_shutdown_resume;

/** Waits until it has been closed and its last connection has ended. Cancelled, it changes nothing. Raises PAWL_EDEADLK, as the
 *  two below, in the task of one of its own connections, which would wait for itself: a handler calls pawl_server_close.
 *  (Server.wait_closed) */
PAWL_INLINE PAWL_MUST_USE struct pawl_server_wait_closed pawl_server_wait_closed(struct pawl_server *server)
{
    struct pawl_server_wait_closed frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_server_wait_closed_resume);
    frame.server = server;
    return frame;
}

/** Waits until the server is closed by somebody, and its connections have ended. Cancelled, it closes the server, cancels all
 *  connections, and waits for their end before it raises PAWL_ECANCELLED: nothing of the server is left then. Raises what ended
 *  the accepting. (Server.serve_forever) */
PAWL_INLINE PAWL_MUST_USE struct pawl_serve_forever pawl_serve_forever(struct pawl_server *server)
{
    struct pawl_serve_forever frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_serve_forever_resume);
    frame.server = server;
    return frame;
}

/** Stops accepting, lets the connections go on to their end for up to `grace` (PAWL_FOREVER: as long as they like), cancels
 *  those that are left, and waits for them. Cancelled meanwhile, it cancels them at once, and raises PAWL_ECANCELLED when they
 *  have ended: nothing of the server is left in any case. */
PAWL_INLINE PAWL_MUST_USE struct pawl_server_shutdown pawl_server_shutdown(struct pawl_server *server, pawl_time grace)
{
    struct pawl_server_shutdown frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_server_shutdown_resume);
    frame.server = server;
    frame.grace = grace;
    return frame;
}

PAWL_END_C

#ifndef PAWL_PREFIXED_KEYWORDS
#define CONNECTION PAWL_CONNECTION
#define HANDLER(name) PAWL_HANDLER(name)
#endif

#endif
