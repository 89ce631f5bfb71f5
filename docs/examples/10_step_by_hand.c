/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A coroutine under test, with no loop, no clock and no network. coro_step runs it to where it waits and returns the
 * future that it waits for; the test settles that one as it likes and steps on. So every path through a coroutine can be
 * walked, also those that are hard to bring about in the world: here a server that refuses, and a client that gives up.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pawl/pawl.h>

/* What is tested: it says hello to a server and resolves to the length of the answer. */
struct greet {
    COROUTINE(size_t);
    const char *host;
    struct pawl_socket sock;
    char answer[64];
    union {
        struct pawl_connect connect;
        struct pawl_send send;
        struct pawl_recv recv;
    };
};

ASYNC(greet)
{
    ASYNC_BEGIN(greet);
    AWAIT(self->connect, pawl_connect(&self->sock, self->host, 7));
    TRY {
        AWAIT(self->send, pawl_send(&self->sock, "hello\n", 6));
        AWAIT(self->recv, pawl_recv(&self->sock, self->answer, sizeof self->answer));
        ASYNC_RETURN(self->recv.result);
    } FINALLY {
        pawl_socket_close(&self->sock);
        puts("  closed");
    } END_TRY;
    ASYNC_END;
}

static void print_the_end(struct greet *g)
{
    const bool ended = coro_step(g) == NULL;
    printf("  ended %s, %s, result %zu\n", ended ? "yes" : "no", pawl_strerror(coro_error(g)), g->result);
}

static void all_goes_well(void)
{
    struct greet g = CORO(greet, .host = "h");
    puts("all goes well:");
    pawl_future_set_done(coro_step(&g)); /* connected */
    pawl_future_set_done(coro_step(&g)); /* sent */
    struct pawl_future *const waits = coro_step(&g);
    memcpy(g.answer, "hi\n", 3); /* the test plays the server */
    g.recv.result = 3;
    pawl_future_set_done(waits);
    print_the_end(&g);
}

static void the_server_refuses(void)
{
    struct greet g = CORO(greet, .host = "h");
    puts("the server refuses:");
    pawl_future_set_error(coro_step(&g), -ECONNREFUSED);
    print_the_end(&g);
}

static void it_is_cancelled_while_it_sends(void)
{
    struct greet g = CORO(greet, .host = "h");
    puts("it is cancelled while it sends:");
    pawl_future_set_done(coro_step(&g));
    coro_step(&g);
    const bool ended = coro_throw(&g, PAWL_ECANCELLED) == NULL;
    printf("  ended %s, %s\n", ended ? "yes" : "no", pawl_strerror(coro_error(&g)));
}

int main(void)
{
    all_goes_well();
    the_server_refuses();
    it_is_cancelled_while_it_sends();
    return 0;
}
