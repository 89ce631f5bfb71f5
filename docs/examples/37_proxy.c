/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A proxy. Two pumps a connection, one for each direction; the bytes go from socket to socket within the kernel. Each
 * direction ends by itself: when one side has nothing more to say, the other is told so, and may go on talking. The
 * poet behind the proxy depends on that: it answers when it has heard everything.
 *
 *      client ═══► proxy ═══► poet
 *             ◄═══       ◄═══
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <pawl/pawl.h>

/* ---- The proxy ---- */

struct pump {
    COROUTINE(void);
    struct pawl_socket *from, *to;
    const char *direction;
    struct pawl_splice splice;
};

ASYNC(pump)
{
    ASYNC_BEGIN(pump);
    AWAIT(self->splice, pawl_splice(self->from, self->to, UINT64_MAX)); /* to the end */
    pawl_socket_shutdown(self->to, SHUT_WR);
    printf("%s: %u bytes\n", self->direction, (unsigned)self->splice.result);
    ASYNC_END;
}

struct relay {
    CONNECTION; /* argument: where the poet is */
    struct pawl_socket poet;
    struct pawl_connect_to connect;
    struct pawl_timeout limit;
    struct pawl_group group;
};

ASYNC(relay)
{
    ASYNC_BEGIN(relay);
    TRY {
        WITH(self->limit, pawl_timeout(PAWL_SEC(5))) {
            AWAIT(self->connect, pawl_connect_to(&self->poet, self->argument));
        } END_WITH;
        WITH(self->group, pawl_group()) { /* a pump that fails takes the other one with it */
            pawl_group_spawn(&self->group, CORO(pump, .from = &self->stream.sock, .to = &self->poet, .direction = "there"));
            pawl_group_spawn(&self->group, CORO(pump, .from = &self->poet, .to = &self->stream.sock, .direction = "back"));
        } END_WITH;
    } FINALLY {
        pawl_socket_close(&self->poet);
    } END_TRY;
    ASYNC_END;
}

/* ---- The poet: says backwards what it has heard, once that is complete ---- */

struct poet {
    CONNECTION;
    char text[64];
    struct pawl_stream_read read;
};

static void turn(char *text, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        const char c = text[i];
        text[i] = text[size - 1 - i];
        text[size - 1 - i] = c;
    }
}

ASYNC(poet)
{
    ASYNC_BEGIN(poet);
    TRY {
        AWAIT(self->read, pawl_stream_read_exactly(&self->stream, self->text, sizeof self->text));
        RAISE(PAWL_ELIMIT); /* longer than it can remember */
    } CATCH(PAWL_EEOF) {
        turn(self->text, self->read.result);
        pawl_stream_write(&self->stream, self->text, self->read.result);
    } END_TRY;
    ASYNC_END;
}

/* ---- A client ---- */

struct client {
    COROUTINE(void);
    const struct pawl_address *proxy;
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
    AWAIT(self->open, pawl_open_connection_at(&self->stream, self->proxy));
    WITH(self->closing, pawl_stream_closing(&self->stream)) {
        pawl_stream_write_text(&self->stream, "ton ro ,eb ot");
        pawl_stream_write_end(&self->stream); /* that was all; the answer may come */
        AWAIT(self->line, pawl_stream_read_line(&self->stream));
        printf("%.*s\n", (int)self->line.size, self->line.data);
    } END_WITH;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct pawl_server poet, proxy;
    struct pawl_address poet_address, proxy_address;
    union {
        struct client client;
        struct pawl_server_shutdown shutdown;
    };
};

static int start_both(struct amain *self)
{
    int error = pawl_start_server(&self->poet, "127.0.0.1", 0, HANDLER(poet), NULL);
    if (error == 0) error = pawl_socket_address(&self->poet.listener, &self->poet_address);
    if (error == 0) error = pawl_start_server(&self->proxy, "127.0.0.1", 0, HANDLER(relay), &self->poet_address);
    return error == 0 ? pawl_socket_address(&self->proxy.listener, &self->proxy_address) : error;
}

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    TRY {
        const int error = start_both(self);
        if (error != 0) RAISE(error);
        AWAIT(self->client, CORO(client, .proxy = &self->proxy_address));
    } FINALLY {
        AWAIT(self->shutdown, pawl_server_shutdown(&self->proxy, PAWL_SEC(1)));
        AWAIT(self->shutdown, pawl_server_shutdown(&self->poet, PAWL_SEC(1)));
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
