/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Two streams that are connected with each other, in one loop, and a context for each: a client that trusts the authority, and a
 * server with the certificate of localhost.
 */
#ifndef PAWL_TESTS_TLS_WORLD_H
#define PAWL_TESTS_TLS_WORLD_H

#include "../io/net_world.h"
#include "certificates.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pawl/tls.h>

struct ends {
    struct net net;
    const struct certificates *certificates;
    struct pawl_stream client, server;
    SSL_CTX *client_context, *server_context;
    int client_error, server_error; /* of the handshake */
};

static inline SSL_CTX *make_context(const struct pawl_tls_options *options)
{
    SSL_CTX *context;
    ck_assert_int_eq(pawl_tls_context_create(&context, options), 0);
    ck_assert_ptr_nonnull(context);
    return context;
}

static inline struct pawl_tls_options client_options(const struct certificates *certificates)
{
    return (struct pawl_tls_options){ .ca_file = certificates->authority.file };
}

static inline struct pawl_tls_options server_options(const struct certificates *certificates)
{
    return (struct pawl_tls_options){ .server = true, .certificate_file = certificates->server.file };
}

static inline void ends_connect(struct ends *ends)
{
    ck_assert_int_eq(pawl_stream_pair(&ends->client, &ends->server), 0);
}

/* NULL: the options above. */
static inline void ends_begin(struct ends *ends, const struct pawl_tls_options *client, const struct pawl_tls_options *server)
{
    const struct certificates *const certificates = make_certificates();
    const struct pawl_tls_options usual_client = client_options(certificates), usual_server = server_options(certificates);
    memset(ends, 0, sizeof *ends);
    ends->certificates = certificates;
    net_begin(&ends->net);
    ends->client_context = make_context(client != NULL ? client : &usual_client);
    ends->server_context = make_context(server != NULL ? server : &usual_server);
    ends_connect(ends);
}

/* Nothing is left of either, nor in OpenSSL's queue of errors. */
static inline void ends_end(struct ends *ends)
{
    pawl_stream_abort(&ends->client);
    pawl_stream_abort(&ends->server);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    net_end(&ends->net);
    pawl_tls_context_free(ends->client_context);
    pawl_tls_context_free(ends->server_context);
}

/* Both handshakes, to their ends. */
static inline void ends_shake_again(struct ends *ends, const char *name, struct pawl_tls_session *session)
{
    struct pawl_task *const server = pawl_spawn(pawl_tls_accept(&ends->server, ends->server_context));
    ends->client_error = net_finish(&ends->net, pawl_spawn(pawl_tls_connect_again(&ends->client, ends->client_context, name, session)));
    ends->server_error = net_finish(&ends->net, server);
}

static inline void ends_shake(struct ends *ends, const char *name)
{
    ends_shake_again(ends, name, NULL);
}

static inline void ends_shake_well(struct ends *ends)
{
    ends_shake(ends, "localhost");
    ck_assert_int_eq(ends->client_error, 0);
    ck_assert_int_eq(ends->server_error, 0);
}

static inline void put_text(struct ends *ends, struct pawl_stream *stream, const char *text)
{
    ck_assert_int_eq(pawl_stream_write_text(stream, text), 0);
    ck_assert_int_eq(net_finish(&ends->net, pawl_spawn(pawl_stream_flush(stream))), 0);
}

/* Reads up to `size` bytes: how many, or an error. */
static inline ssize_t get_some(struct ends *ends, struct pawl_stream *stream, void *data, size_t size)
{
    struct pawl_task *const task = pawl_spawn(pawl_stream_read(stream, data, size));
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&ends->net.loop, task);
    const size_t got = pawl_task_frame(pawl_stream_read, task)->result;
    pawl_task_release(task);
    return error != 0 ? error : (ssize_t)got;
}

static inline void expect_text(struct ends *ends, struct pawl_stream *stream, const char *text)
{
    char buffer[256] = "";
    const size_t size = strlen(text);
    ck_assert_uint_lt(size, sizeof buffer);
    ck_assert_int_eq(net_finish(&ends->net, pawl_spawn(pawl_stream_read_exactly(stream, buffer, size))), 0);
    ck_assert_str_eq(buffer, text);
}

static inline void expect_end(struct ends *ends, struct pawl_stream *stream)
{
    char byte;
    ck_assert_int_eq(get_some(ends, stream, &byte, 1), 0);
}

static inline void close_well(struct ends *ends, struct pawl_stream *stream)
{
    ck_assert_int_eq(net_finish(&ends->net, pawl_spawn(pawl_stream_wait_closed(stream))), 0);
}

/* A word each way. */
static inline void talk(struct ends *ends)
{
    put_text(ends, &ends->client, "ping");
    expect_text(ends, &ends->server, "ping");
    put_text(ends, &ends->server, "pong");
    expect_text(ends, &ends->client, "pong");
}

/* Only this version from now on. */
static inline void only_version(SSL_CTX *context, int version)
{
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(context, version), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(context, version), 1);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

#endif
