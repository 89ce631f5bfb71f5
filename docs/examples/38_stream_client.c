/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A client over a stream: lines, bodies of a known length, a limit of time for each answer and for the whole. It talks to a small
 * store:
 *
 *      put KEY LENGTH\n…    ──►  ok\n
 *      get KEY\n            ──►  LENGTH\n…   or   none\n
 *
 * Several requests are written before the first answer is read: writing only fills a buffer, which goes out, in one piece,
 * when the client begins to wait.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pawl/pawl.h>

enum { MOST = 1000 };

/* ---- The client ---- */

/* The answer to a get: its length, or -1 when there is none; the bytes are in the stream's buffer until it is next read. */
struct answer {
    COROUTINE(int);
    struct pawl_stream *stream;
    const char *data;
    struct pawl_timeout limit;
    struct pawl_stream_piece piece;
};

ASYNC(answer)
{
    ASYNC_BEGIN(answer);
    WITH(self->limit, pawl_timeout(PAWL_SEC(2))) {
        AWAIT(self->piece, pawl_stream_read_line(self->stream));
        if (self->piece.size == 0) RAISE(PAWL_EEOF); /* it has hung up instead */
        if (self->piece.data[0] == 'n') ASYNC_RETURN(-1);
        const int length = atoi(self->piece.data); /* it ends at the newline */
        if (length < 0 || length > MOST) RAISE(PAWL_ELIMIT);
        AWAIT(self->piece, pawl_stream_read_piece(self->stream, (size_t)length));
        self->data = self->piece.data;
    } END_WITH;
    ASYNC_RETURN((int)self->piece.size);
    ASYNC_END;
}

struct client {
    COROUTINE(void);
    uint16_t port;
    int i;
    struct pawl_stream stream;
    struct pawl_timeout whole;
    struct pawl_stream_closing closing;
    union {
        struct pawl_open_connection open;
        struct pawl_stream_piece line;
        struct answer answer;
    };
};

ASYNC(client)
{
    static const char *const keys[] = { "moon", "sun", "moon" };
    ASYNC_BEGIN(client);
    WITH(self->whole, pawl_timeout(PAWL_SEC(10))) {
        AWAIT(self->open, pawl_open_connection(&self->stream, "127.0.0.1", self->port));
        WITH(self->closing, pawl_stream_closing(&self->stream)) {
            pawl_stream_printf(&self->stream, "put moon %d\nmade of\ncheese", 14);
            AWAIT(self->line, pawl_stream_read_line(&self->stream));
            printf("put: %.*s", (int)self->line.size, self->line.data);
            for (int i = 0; i < 3; i++) pawl_stream_printf(&self->stream, "get %s\n", keys[i]);
            for (self->i = 0; self->i < 3; self->i++) {
                AWAIT(self->answer, CORO(answer, .stream = &self->stream));
                if (self->answer.result < 0) printf("%s: none\n", keys[self->i]);
                else printf("%s: \"%.*s\"\n", keys[self->i], self->answer.result, self->answer.data);
            }
            pawl_stream_write_text(&self->stream, "make me a sandwich\n");
            AWAIT(self->answer, CORO(answer, .stream = &self->stream));
        } END_WITH;
    } END_WITH;
    ASYNC_END;
}

/* ---- The store: one key ---- */

struct store {
    CONNECTION;
    char key[32], value[MOST];
    int length;
    struct pawl_stream_piece line;
    struct pawl_stream_read read;
};

static void get(struct store *self, const char *key)
{
    if (strcmp(key, self->key) != 0) {
        pawl_stream_write_text(&self->stream, "none\n");
        return;
    }
    pawl_stream_printf(&self->stream, "%d\n", self->length);
    pawl_stream_write(&self->stream, self->value, (size_t)self->length);
}

ASYNC(store)
{
    ASYNC_BEGIN(store);
    for (;;) {
        AWAIT(self->line, pawl_stream_read_line(&self->stream));
        if (self->line.size == 0) ASYNC_RETURN();
        char key[32];
        self->line.data[self->line.size - 1] = '\0'; /* the piece may be changed: here its newline */
        if (sscanf(self->line.data, "put %31s %d", self->key, &self->length) == 2 && self->length >= 0 && self->length <= MOST) {
            AWAIT(self->read, pawl_stream_read_exactly(&self->stream, self->value, (size_t)self->length));
            pawl_stream_write_text(&self->stream, "ok\n");
        } else if (sscanf(self->line.data, "get %31s", key) == 1) {
            get(self, key);
        } else {
            ASYNC_RETURN(); /* what was written is still sent, and then the connection is closed */
        }
    }
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct pawl_server server;
    union {
        struct client client;
        struct pawl_server_shutdown shutdown;
    };
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    const int error = pawl_start_server(&self->server, "127.0.0.1", 0, HANDLER(store), NULL);
    if (error != 0) RAISE(error);
    TRY {
        AWAIT(self->client, CORO(client, .port = (uint16_t)pawl_server_port(&self->server)));
    } CATCH(PAWL_EEOF) {
        puts("the store has hung up");
    } FINALLY {
        AWAIT(self->shutdown, pawl_server_shutdown(&self->server, PAWL_SEC(1)));
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
