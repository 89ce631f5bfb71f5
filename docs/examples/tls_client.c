/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Asks a web server for its first page, over TLS, and prints the answer.
 *
 *      $ tls_client example.org
 *      $ tls_client localhost 8443 authority.pem
 *
 * The third argument is a file with whom to trust, instead of those whom the system trusts.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>
#include <pawl/tls.h>

#include <stdio.h>
#include <stdlib.h>

struct amain {
    COROUTINE(int);
    const char *host;
    uint16_t port;
    struct ssl_ctx_st *context;
    struct pawl_stream stream;
    struct pawl_stream_closing closing;
    union { /* one at a time */
        struct pawl_open_connection open;
        struct pawl_tls_handshake tls;
        struct pawl_stream_read read;
    };
    char buffer[4096];
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    AWAIT(self->open, pawl_open_connection(&self->stream, self->host, self->port));
    WITH(self->closing, pawl_stream_closing(&self->stream)) {
        AWAIT(self->tls, pawl_tls_connect(&self->stream, self->context, self->host));
        pawl_stream_printf(&self->stream, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", self->host);
        do {
            AWAIT(self->read, pawl_stream_read(&self->stream, self->buffer, sizeof self->buffer));
            fwrite(self->buffer, 1, self->read.result, stdout);
        } while (self->read.result > 0);
    } END_WITH;
    ASYNC_END;
}

/* The whole program, with what has gone wrong in words. */
struct told {
    COROUTINE(int);
    struct amain inner;
};

ASYNC(told)
{
    ASYNC_BEGIN(told);
    TRY {
        AWAIT(&self->inner);
    } CATCH_ERROR {
        const bool of_tls = CAUGHT() == PAWL_ETLS || CAUGHT() == PAWL_ECERTIFICATE;
        fprintf(stderr, "tls_client: %s%s%s\n", pawl_strerror(CAUGHT()), of_tls ? ": " : "", of_tls ? pawl_tls_error_text() : "");
        ASYNC_RETURN(EXIT_FAILURE);
    } END_TRY;
    ASYNC_END;
}

int main(int count, char **arguments)
{
    const long port = count > 2 ? strtol(arguments[2], NULL, 10) : 443;
    if (count < 2 || count > 4 || port < 1 || port > 65535) {
        fputs("usage: tls_client HOST [PORT [CA_FILE]]\n", stderr);
        return 2;
    }
    const struct pawl_tls_options options = { .ca_file = count > 3 ? arguments[3] : NULL };
    struct ssl_ctx_st *context;
    const int error = pawl_tls_context_create(&context, &options);
    if (error != 0) {
        fprintf(stderr, "tls_client: %s: %s\n", options.ca_file, pawl_strerror(error));
        return EXIT_FAILURE;
    }
    const int status = pawl_run(CORO(told, .inner = CORO(amain, .host = arguments[1], .port = (uint16_t)port, .context = context)));
    pawl_tls_context_free(context);
    return status;
}
