/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * An echo server for nc and other clients: one task a connection.
 *
 *      $ echo_server 127.0.0.1 7777 &
 *      $ echo hello | nc -N 127.0.0.1 7777
 *
 * A socket is registered with the loop where it lies, so it is accepted right into the frame of the task that will serve
 * it: whoever waits at the listener takes the connection that comes, and leaves its place to a new task. When there is no
 * memory for a new one, it comes back to the listener itself after its connection has ended.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- One connection ---- */

/* Accepts, and when the system has no descriptor or memory to spare just now, tries again a little later. */
struct accept_patiently {
    COROUTINE(void);
    struct pawl_socket *listener, *sock;
    union { /* one at a time */
        struct pawl_accept accept;
        struct pawl_sleep sleep;
    };
};

static bool may_pass(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM || error == -ENOSPC;
}

ASYNC(accept_patiently)
{
    ASYNC_BEGIN(accept_patiently);
    for (;;) {
        TRY_AWAIT(self->accept, pawl_accept(self->listener, self->sock));
        if (!may_pass(AWAIT_ERROR())) break;
        fprintf(stderr, "echo_server: cannot accept just now: %s\n", pawl_strerror(AWAIT_ERROR()));
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(200)));
    }
    if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

struct echo {
    COROUTINE(void);
    struct pawl_socket *sock;
    union {
        struct pawl_recv recv;
        struct pawl_send send;
    };
    char buffer[4096];
};

ASYNC(echo)
{
    ASYNC_BEGIN(echo);
    for (;;) {
        AWAIT(self->recv, pawl_recv(self->sock, self->buffer, sizeof self->buffer));
        if (self->recv.result == 0) break; /* the peer has nothing more to say */
        AWAIT(self->send, pawl_send(self->sock, self->buffer, self->recv.result));
    }
    ASYNC_END;
}

struct connection {
    COROUTINE(void);
    struct pawl_socket *listener;
    struct pawl_socket sock;
    bool replaced; /* another task waits at the listener now */
    union {
        struct accept_patiently accept;
        struct echo echo;
    };
};

ASYNC_DECLARE(connection);

/* Puts a task at the listener. Nobody awaits it, so it is released at once: it frees itself when it has ended. */
static bool serve_next(struct pawl_socket *listener)
{
    struct pawl_task *const task = pawl_spawn(CORO(connection, .listener = listener));
    pawl_task_release(task);
    return task != NULL;
}

ASYNC(connection)
{
    ASYNC_BEGIN(connection);
    while (!self->replaced) {
        TRY {
            AWAIT(self->accept, CORO(accept_patiently, .listener = self->listener, .sock = &self->sock));
            self->replaced = serve_next(self->listener);
            AWAIT(self->echo, CORO(echo, .sock = &self->sock));
        } CATCH(-ECONNRESET) {
            /* a peer that hangs up in the middle is its own business */
        } CATCH(-EPIPE) {
        } FINALLY {
            pawl_socket_close(&self->sock);
        } END_TRY;
    }
    ASYNC_END;
}

/* ---- The program ---- */

static const char *host = "127.0.0.1";
static uint16_t port = 7777;

struct amain {
    COROUTINE(int);
    struct pawl_socket listener;
    struct pawl_future never;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    const int error = pawl_listen(&self->listener, host, port, 512);
    if (error != 0) {
        fprintf(stderr, "echo_server: cannot listen on %s port %u: %s\n", host, (unsigned)port, pawl_strerror(error));
        ASYNC_RETURN(EXIT_FAILURE);
    }
    TRY {
        printf("listening on %s port %d\n", host, pawl_socket_port(&self->listener));
        fflush(stdout);
        if (!serve_next(&self->listener)) RAISE(PAWL_ENOMEM);
        AWAIT(&self->never); /* until Ctrl-C cancels it; pawl_run then cancels the connections */
    } FINALLY {
        pawl_socket_close(&self->listener);
    } END_TRY;
    ASYNC_END;
}

static const char usage[] = "usage: echo_server [ADDRESS [PORT]]\n"
                            "Sends back what it receives, on 127.0.0.1 port 7777 when not told otherwise. PORT 0 is any free one.\n"
                            "Ctrl-C closes all connections and ends it with status 130.\n";

static bool read_port(const char *text)
{
    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < 0 || value > 65535) return false;
    port = (uint16_t)value;
    return true;
}

int main(int count, char **arguments)
{
    if (count == 2 && (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0)) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (count > 1) host = arguments[1];
    if (count > 3 || host[0] == '-' || (count == 3 && !read_port(arguments[2]))) {
        fprintf(stderr, "echo_server: bad argument '%s'\n%s", arguments[count - 1], usage);
        return 2;
    }
    return pawl_run(CORO(amain));
}
