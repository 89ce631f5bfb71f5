/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * An echo server for nc and other clients: a coroutine for each connection.
 *
 *      $ echo_server 127.0.0.1 7777 &
 *      $ echo hello | nc -N 127.0.0.1 7777
 *
 * It waits for a client to take what it was sent before it reads more, so a connection never needs more than its buffers. Out of
 * descriptors it says so, and accepts again when there are some. A client that hangs up in the middle is its own business.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- One connection ---- */

struct echo {
    CONNECTION;
    union { /* one at a time */
        struct pawl_stream_read read;
        struct pawl_stream_drain drain;
    };
    char buffer[4096];
};

ASYNC(echo)
{
    ASYNC_BEGIN(echo);
    for (;;) {
        AWAIT(self->read, pawl_stream_read(&self->stream, self->buffer, sizeof self->buffer));
        if (self->read.result == 0) break; /* the peer has nothing more to say */
        const int error = pawl_stream_write(&self->stream, self->buffer, self->read.result);
        if (error != 0) RAISE(error);
        AWAIT(self->drain, pawl_stream_drain(&self->stream));
    }
    ASYNC_END;
}

/* ---- The program ---- */

static const char *host = "127.0.0.1";
static uint16_t port = 7777;

struct amain {
    COROUTINE(int);
    struct pawl_server server;
    struct pawl_serve_forever serve;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    const int error = pawl_start_server(&self->server, host, port, HANDLER(echo), NULL);
    if (error != 0) {
        fprintf(stderr, "echo_server: cannot listen on %s port %u: %s\n", host, (unsigned)port, pawl_strerror(error));
        ASYNC_RETURN(EXIT_FAILURE);
    }
    printf("listening on %s port %d\n", host, pawl_server_port(&self->server));
    fflush(stdout);
    AWAIT(self->serve, pawl_serve_forever(&self->server)); /* until Ctrl-C cancels it, and with it all connections */
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
