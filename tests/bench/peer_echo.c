/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* An echo server: one task a connection, each with a buffer of its own, as in the peers with tasks. */
#include "peer.h"

#include <pawl/pawl.h>

enum { BUFFER = 65536, BACKLOG = 1024 };

struct connection {
    COROUTINE(void);
    struct pawl_socket *listener;
    struct pawl_socket sock;
    char *buffer;
    union {
        struct pawl_accept accept;
        struct pawl_recv recv;
        struct pawl_send send;
    };
};

ASYNC_DECLARE(connection);

/* A socket lies where it was accepted, so the task that will serve a connection accepts it. */
static void serve_next(struct pawl_socket *listener)
{
    struct pawl_task *const task = pawl_spawn(CORO(connection, .listener = listener));
    must(task != NULL, "spawn");
    pawl_task_release(task);
}

ASYNC(connection)
{
    ASYNC_BEGIN(connection);
    TRY {
        AWAIT(self->accept, pawl_accept(self->listener, &self->sock));
        serve_next(self->listener);
        self->buffer = malloc(BUFFER);
        must(self->buffer != NULL, "malloc");
        for (;;) {
            AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, BUFFER));
            if (self->recv.result == 0) ASYNC_RETURN();
            AWAIT(self->send, pawl_send(&self->sock, self->buffer, self->recv.result));
        }
    } CATCH_ERROR {
        /* a peer that hangs up is its own business */
        must(pawl_socket_is_open(&self->sock), "accept");
    } FINALLY {
        pawl_socket_close(&self->sock);
        free(self->buffer);
    } END_TRY;
    ASYNC_END;
}

struct server {
    COROUTINE(int);
    uint16_t port;
    struct pawl_socket listener;
    struct pawl_future never;
};

ASYNC(server)
{
    ASYNC_BEGIN(server);
    const int error = pawl_listen(&self->listener, "127.0.0.1", self->port, BACKLOG);
    if (error != 0) RAISE(error);
    TRY {
        serve_next(&self->listener);
        puts("ready");
        fflush(stdout);
        AWAIT(&self->never);
    } FINALLY {
        pawl_socket_close(&self->listener);
    } END_TRY;
    ASYNC_RETURN(0);
    ASYNC_END;
}

void echo_server(struct arguments arguments)
{
    const long port = argument_or(arguments, 0, 7777);
    struct pawl_runner runner;
    must(port > 0 && port <= UINT16_MAX, "a port");
    must(pawl_runner_init(&runner, NULL) == 0, "a runner");
    must(pawl_epoll_set_spin(&runner.epoll, PAWL_US(argument_or(arguments, 1, 0))) == 0, "microseconds to spin");
    exit(pawl_runner_run(&runner, CORO(server, .port = (uint16_t)port)) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
