/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * TCP sockets as awaitables. Each operation is a frame that tries the system call first and waits only when it must.
 *
 *      struct pawl_socket sock;  struct pawl_recv recv;                       in the frame
 *
 *      AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, sizeof self->buffer));
 *      if (self->recv.result == 0) …                                          the peer has closed
 *
 * A socket is registered once with its loop's port, edge-triggered, for its whole life, and is used by tasks of that
 * loop. At a time one task may receive (or accept) and one may send; a second one gets PAWL_EBUSY. Closing it ends those
 * with PAWL_ECLOSED. A peer that is gone is an error (-EPIPE, -ECONNRESET), never a signal. Errors are -errno.
 *
 * Stepped by hand (coro_step), an operation does not touch the system: it waits for a future, and what the test sets
 * there is its outcome.
 */
#ifndef PAWL_NET_H
#define PAWL_NET_H

#include "task.h"

PAWL_BEGIN_C

/** A socket, in the caller's memory; zeroed is closed. It must stay, and not be opened anew, until its operations have
 *  ended, and be closed before its loop is finished (before the end of pawl_run). */
struct pawl_socket {
    struct pawl_watcher watch;
    struct pawl_loop *loop; /* NULL: closed */
    struct pawl_future readable, writable;
    uint8_t state;
};

/** Opens a listening socket on a numeric address ("127.0.0.1", "::1"; NULL is any IPv4 address) and port (0: any free
 *  one). `backlog`: connections that may queue, at least 1. It never waits, and needs a current loop. 0; PAWL_EHOST;
 *  PAWL_EBUSY when *sock is open; PAWL_EINVAL without a loop; -errno. After an error *sock is closed. */
PAWL_API int pawl_listen(struct pawl_socket *sock, const char *host, uint16_t port, int backlog);

/** The local port of an open socket, 1 to 65535, or an error. */
PAWL_API int pawl_socket_port(const struct pawl_socket *sock);

/** Takes over a connected stream descriptor, as pawl_accept gives it, and registers it with the current loop. It is made
 *  non-blocking. 0; PAWL_EBUSY when *sock is open; PAWL_EINVAL for a NULL, a negative descriptor or without a loop; -errno.
 *  In every case the descriptor is pawl's: after an error it is closed. */
PAWL_API int pawl_socket_adopt(struct pawl_socket *sock, int fd);

/** Closes it at once; what waits on it ends with PAWL_ECLOSED. Harmless for a closed or zeroed one. */
PAWL_API void pawl_socket_close(struct pawl_socket *sock);

/** Is it open? */
PAWL_INLINE bool pawl_socket_is_open(const struct pawl_socket *sock)
{
    return sock->loop != NULL;
}

struct pawl_accept {
    struct pawl_coro awaitable;
    struct pawl_socket *listener, *sock;
    int result; /* without a sock: the descriptor, which is the caller's */
};
struct pawl_connect {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    const char *host;
    uint16_t port;
};
struct pawl_recv {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    void *data;
    size_t size;
    size_t result; /* bytes received; 0: the peer has shut down its side */
};
struct pawl_send {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    const void *data;
    size_t size;
    size_t result; /* bytes sent: all of them, or how many before the error */
};

PAWL_API pawl_resume_fn pawl_accept_resume, pawl_connect_resume, pawl_recv_resume, pawl_send_resume;

/** Waits for a connection and opens it as *sock (closed before); a socket stays where it was opened, so that is the frame
 *  that will use it. With NULL for `sock` the connection is left as a descriptor in `result`, for a task that is made
 *  then and adopts it (pawl_socket_adopt). -EMFILE and the like leave the connection in the
 *  queue: wait a little and accept again. */
PAWL_INLINE PAWL_MUST_USE struct pawl_accept pawl_accept(struct pawl_socket *listener, struct pawl_socket *sock)
{
    struct pawl_accept frame = { PAWL_CORO_INIT(pawl_accept_resume), listener, sock, -1 };
    return frame;
}

/** Connects *sock (closed before) to a numeric address; NULL is 127.0.0.1. After an error, or cancelled, it is closed.
 *  `host` is borrowed until then. */
PAWL_INLINE PAWL_MUST_USE struct pawl_connect pawl_connect(struct pawl_socket *sock, const char *host, uint16_t port)
{
    struct pawl_connect frame = { PAWL_CORO_INIT(pawl_connect_resume), sock, host, port };
    return frame;
}

/** Receives up to `size` bytes (at least 1) into `data`, which is borrowed until it has ended. */
PAWL_INLINE PAWL_MUST_USE struct pawl_recv pawl_recv(struct pawl_socket *sock, void *data, size_t size)
{
    struct pawl_recv frame = { PAWL_CORO_INIT(pawl_recv_resume), sock, data, size, 0 };
    return frame;
}

/** Sends all of `data`, which is borrowed until it has ended. */
PAWL_INLINE PAWL_MUST_USE struct pawl_send pawl_send(struct pawl_socket *sock, const void *data, size_t size)
{
    struct pawl_send frame = { PAWL_CORO_INIT(pawl_send_resume), sock, data, size, 0 };
    return frame;
}

PAWL_END_C

#endif
