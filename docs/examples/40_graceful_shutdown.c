/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A server that is asked to end. It takes no new connections; who waits for a request is sent home at once, who is at
 * work may finish, for a while, and who does not finish is cancelled.
 *
 *      SIGTERM ──► terminate ──┬─► amain: pawl_server_shutdown(grace)
 *                              └─► each connection: it waits for a request or for this, whichever is first
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <pawl/pawl.h>

enum { GRACE_MS = 80 };

/* ---- The signal: a callback to the loop, which sets an event ---- */

static struct pawl_loop *loop;
static struct pawl_handle handle;
static struct pawl_event terminate, all_at_work;

static void set(void *event)
{
    pawl_event_set(event);
}

static void on_sigterm(int number)
{
    (void)number;
    pawl_call_soon_threadsafe(loop, &handle, set, &terminate);
}

/* ---- The server: works for as many milliseconds as a line says ---- */

enum { LINE, END, ARMS };

struct work {
    CONNECTION;
    struct pawl_child arms[ARMS];
    struct pawl_select select;
    TASK(pawl_stream_piece) line;
    TASK(pawl_event_wait) end;
    struct pawl_sleep job;
    char name[16];
    int ms;
};

ASYNC(work)
{
    ASYNC_BEGIN(work);
    TRY {
        for (;;) {
            AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->line, pawl_stream_read_line(&self->stream)),
                                                     pawl_start(&self->end, pawl_event_wait(&terminate)))));
            if (self->select.result == END || self->line.frame.size == 0) break;
            self->line.frame.data[self->line.frame.size - 1] = '\0'; /* over the newline: a piece has no terminator */
            if (sscanf(self->line.frame.data, "%15s %d", self->name, &self->ms) != 2) break;
            if (strcmp(self->name, "cathedral") == 0) pawl_event_set(&all_at_work);
            AWAIT(self->job, pawl_sleep(PAWL_MS(self->ms)));
            pawl_stream_printf(&self->stream, "%s is done\n", self->name);
        }
        pawl_stream_write_text(&self->stream, "goodbye\n");
    } CATCH(PAWL_ECANCELLED) {
        printf("server: %s is given up\n", self->name);
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

/* ---- Clients ---- */

struct client {
    COROUTINE(void);
    uint16_t port;
    const char *request; /* NULL: none */
    const char *name;
    struct pawl_stream stream;
    struct pawl_stream_closing closing;
    union {
        struct pawl_open_connection open;
        struct pawl_stream_piece line;
    };
};

ASYNC(client)
{
    ASYNC_BEGIN(client);
    TRY {
        AWAIT(self->open, pawl_open_connection(&self->stream, "127.0.0.1", self->port));
        WITH(self->closing, pawl_stream_closing(&self->stream)) {
            if (self->request != NULL) pawl_stream_printf(&self->stream, "%s\n", self->request);
            do {
                AWAIT(self->line, pawl_stream_read_line(&self->stream));
                printf("%s: %.*s%s", self->name, (int)self->line.size, self->line.data, self->line.size == 0 ? "the end\n" : "");
            } while (self->line.size > 0);
        } END_WITH;
    } CATCH_ERROR {
        printf("%s: %s\n", self->name, pawl_strerror(CAUGHT()));
    } END_TRY;
    ASYNC_END;
}

/* ---- The program ---- */

struct amain {
    COROUTINE(void);
    struct pawl_server server;
    struct pawl_group clients;
    struct sigaction before;
    union {
        struct pawl_event_wait wait;
        struct pawl_server_shutdown shutdown;
    };
};

static int listen_to_sigterm(struct sigaction *before)
{
    const struct sigaction action = { .sa_handler = on_sigterm };
    loop = pawl_loop_current();
    return sigaction(SIGTERM, &action, before) == 0 ? 0 : PAWL_EINVAL;
}

static void begin_clients(struct pawl_group *clients, uint16_t port)
{
    pawl_group_spawn(clients, CORO(client, .port = port, .name = "idle"));
    pawl_group_spawn(clients, CORO(client, .port = port, .name = "busy", .request = "cake 30"));
    pawl_group_spawn(clients, CORO(client, .port = port, .name = "stubborn", .request = "cathedral 1000000"));
}

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    int error = listen_to_sigterm(&self->before);
    if (error == 0) error = pawl_start_server(&self->server, "127.0.0.1", 0, HANDLER(work), NULL);
    if (error != 0) RAISE(error);
    TRY {
        WITH(self->clients, pawl_group()) {
            begin_clients(&self->clients, (uint16_t)pawl_server_port(&self->server));
            AWAIT(self->wait, pawl_event_wait(&all_at_work));
            raise(SIGTERM); /* somebody says `kill` */
            AWAIT(self->wait, pawl_event_wait(&terminate));
            AWAIT(self->shutdown, pawl_server_shutdown(&self->server, PAWL_MS(GRACE_MS)));
            printf("server: closed, after %d connections\n", (int)self->server.served);
        } END_WITH;
    } FINALLY {
        sigaction(SIGTERM, &self->before, NULL);
        AWAIT(self->shutdown, pawl_server_shutdown(&self->server, 0)); /* whatever happened, nothing of it is left */
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
