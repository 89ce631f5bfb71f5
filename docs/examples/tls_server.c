/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A server over TLS that sends back each line, numbered.
 *
 *      $ tls_server server.pem 7443 &
 *      $ echo hello | openssl s_client -quiet -CAfile authority.pem localhost:7443
 *      1: hello
 *
 * server.pem has the certificate and its key. A third argument is a file with whose clients to trust: then clients must show a
 * certificate.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>
#include <pawl/tls.h>

#include <stdio.h>
#include <stdlib.h>

/* ---- One connection: `argument` is the context ---- */

struct numbers {
    CONNECTION;
    unsigned count;
    union {
        struct pawl_tls_handshake tls;
        struct pawl_stream_piece line;
    };
};

static void tell(int error)
{
    fprintf(stderr, "tls_server: %s: %s\n", pawl_strerror(error), pawl_tls_error_text());
}

ASYNC(numbers)
{
    ASYNC_BEGIN(numbers);
    TRY {
        AWAIT(self->tls, pawl_tls_accept(&self->stream, self->argument));
        for (;;) {
            AWAIT(self->line, pawl_stream_read_line(&self->stream));
            if (self->line.size == 0) break;
            pawl_stream_printf(&self->stream, "%u: %.*s", ++self->count, (int)self->line.size, self->line.data);
        }
    } CATCH(PAWL_ETLS) {
        tell(CAUGHT());
    } CATCH(PAWL_ECERTIFICATE) {
        tell(CAUGHT());
    } END_TRY;
    ASYNC_END;
}

/* ---- The program ---- */

struct amain {
    COROUTINE(int);
    struct ssl_ctx_st *context;
    uint16_t port;
    struct pawl_server server;
    struct pawl_serve_forever serve;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    const int error = pawl_start_server(&self->server, "127.0.0.1", self->port, HANDLER(numbers), self->context);
    if (error != 0) {
        fprintf(stderr, "tls_server: cannot listen on port %u: %s\n", (unsigned)self->port, pawl_strerror(error));
        ASYNC_RETURN(EXIT_FAILURE);
    }
    printf("listening on 127.0.0.1 port %d\n", pawl_server_port(&self->server));
    fflush(stdout);
    AWAIT(self->serve, pawl_serve_forever(&self->server)); /* until Ctrl-C */
    ASYNC_END;
}

int main(int count, char **arguments)
{
    const long port = count > 2 ? strtol(arguments[2], NULL, 10) : 7443;
    if (count < 2 || count > 4 || port < 0 || port > 65535) {
        fputs("usage: tls_server CERTIFICATE_FILE [PORT [CA_FILE]]\n", stderr);
        return 2;
    }
    const struct pawl_tls_options options = { .server = true, .certificate_file = arguments[1],
                                              .ca_file = count > 3 ? arguments[3] : NULL, .ask_client = count > 3 };
    struct ssl_ctx_st *context;
    const int error = pawl_tls_context_create(&context, &options);
    if (error != 0) {
        fprintf(stderr, "tls_server: %s: %s\n", arguments[1], pawl_strerror(error));
        return EXIT_FAILURE;
    }
    const int status = pawl_run(CORO(amain, .context = context, .port = (uint16_t)port));
    pawl_tls_context_free(context);
    return status;
}
