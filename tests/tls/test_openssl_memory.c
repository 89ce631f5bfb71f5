/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Memory that OpenSSL does not get: an allocation of a conversation or a context fails, and then once more, with all that
 * follow. Whatever that comes to, it is an error, nobody waits for ever, and nothing is left.
 *
 * A conversation takes some thousands of allocations. Every 29th of them fails, or as TLS_MEMORY_STEP in the environment says.
 */
#define _GNU_SOURCE
#include "tls_world.h"

static size_t calls, fails_at, alive;
static bool and_after;

static bool fails(void)
{
    calls++;
    return fails_at != 0 && (and_after ? calls >= fails_at : calls == fails_at);
}

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    if (size == 0 || fails()) return NULL;
    alive++;
    return malloc(size);
}

static void give_back(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    if (memory != NULL) alive--;
    free(memory);
}

static void *take_more(void *memory, size_t size, const char *file, int line)
{
    if (memory == NULL) return take(size, file, line);
    if (size == 0) {
        give_back(memory, file, line);
        return NULL;
    }
    return fails() ? NULL : realloc(memory, size);
}

/* From now on: was it reached? */
static void fail_from_now(size_t at, bool all)
{
    calls = 0;
    and_after = all;
    fails_at = at;
}

static bool fail_no_more(void)
{
    const bool reached = calls >= fails_at;
    fails_at = 0;
    return reached;
}

/* ---- A conversation ---- */

static size_t step(void)
{
    const char *const text = getenv("TLS_MEMORY_STEP");
    return text != NULL && atoi(text) > 0 ? (size_t)atoi(text) : 29;
}

static struct ends ends;

struct converses {
    COROUTINE(void);
    struct pawl_stream *stream;
    SSL_CTX *context;
    struct pawl_tls_session *session;
    bool server;
    char heard[16];
    struct pawl_tls_handshake handshake;
    struct pawl_stream_read read;
    struct pawl_stream_closing closing;
};

ASYNC(converses)
{
    ASYNC_BEGIN(converses);
    WITH(self->closing, pawl_stream_closing(self->stream)) {
        AWAIT(self->handshake,
              pawl_tls_handshake_(self->stream, self->context, self->server ? NULL : "localhost", self->session, self->server));
        if (!self->server) pawl_stream_write_text(self->stream, "question");
        AWAIT(self->read, pawl_stream_read_exactly(self->stream, self->heard, self->server ? 8 : 6));
        ck_assert_str_eq(self->heard, self->server ? "question" : "answer");
        if (self->server) pawl_stream_write_text(self->stream, "answer");
    } END_WITH;
    ASYNC_END;
}

static bool may_be(int error)
{
    return error == 0 || error == PAWL_ENOMEM || error == PAWL_ETLS || error == PAWL_EEOF || error == PAWL_ECERTIFICATE ||
        error == -EPIPE || error == -ECONNRESET;
}

/* With the `at`-th allocation failing: was it reached? */
static bool converse(size_t at, bool all, struct pawl_tls_session *session)
{
    ends_connect(&ends);
    struct pawl_task *const both[] = {
        pawl_spawn(CORO(converses, .stream = &ends.client, .context = ends.client_context, .session = session)),
        pawl_spawn(CORO(converses, .stream = &ends.server, .context = ends.server_context, .server = true))
    };
    fail_from_now(at, all);
    const int client = net_finish(&ends.net, both[0]), server = net_finish(&ends.net, both[1]);
    ck_assert(may_be(client));
    ck_assert(may_be(server));
    ck_assert(!pawl_stream_is_open(&ends.client) && !pawl_stream_is_open(&ends.server));
    const bool reached = fail_no_more();
    if (!reached) ck_assert(client == 0 && server == 0);
    return reached;
}

START_TEST(each_allocation_of_a_conversation_fails)
{
    struct pawl_tls_session session = { NULL, NULL };
    struct pawl_tls_session *const kept = _i / 4 ? &session : NULL;
    ends_begin(&ends, NULL, NULL);
    only_version(ends.client_context, versions[_i % 2]);
    pawl_stream_abort(&ends.client);
    pawl_stream_abort(&ends.server);
    converse(0, false, NULL); /* what is made once is made now */
    size_t at = 1;
    while (converse(at, _i / 2 % 2, kept)) at += step();
    ck_assert_uint_gt(at, 200);
    converse(0, false, kept);
    pawl_tls_session_free(&session);
    ERR_clear_error();
    ends_end(&ends);
}
END_TEST

/* ---- Contexts ---- */

static bool create(const struct pawl_tls_options *options, size_t at, bool all)
{
    SSL_CTX *context;
    const size_t before = alive;
    fail_from_now(at, all);
    const int error = pawl_tls_context_create(&context, options);
    const bool reached = fail_no_more();
    ck_assert((error == 0) == (context != NULL));
    ck_assert(error == 0 || error == PAWL_ENOMEM || error == PAWL_ECERTIFICATE);
    if (!reached) ck_assert_int_eq(error, 0);
    pawl_tls_context_free(context);
    ck_assert(!all || alive <= before + 64); /* caches of OpenSSL's */
    return reached;
}

START_TEST(allocations_of_a_context_fail)
{
    const struct certificates *const all = make_certificates();
    const struct pawl_tls_options options[] = {
        { .ca_file = all->authority.file, .certificate_file = all->client.file, .alpn = "h2,http/1.1" },
        { .server = true, .certificate_file = all->server.file, .ca_file = all->authority.file, .ask_client = true, .alpn = "h2" },
    };
    create(&options[_i % 2], 0, false);
    size_t at = 1;
    while (create(&options[_i % 2], at, _i / 2)) at += step();
    ck_assert_uint_gt(at, 500);
}
END_TEST

Suite *make_suite(void)
{
    if (CRYPTO_set_mem_functions(take, take_more, give_back) != 1) abort();
    Suite *const suite = suite_create("OpenSSL without memory");
    make_certificates();
    TCase *const cases = add_case(suite, "each allocation fails");
    tcase_set_timeout(cases, 200);
    tcase_add_loop_test(cases, each_allocation_of_a_conversation_fails, 0, 8);
    tcase_add_loop_test(cases, allocations_of_a_context_fail, 0, 4);
    return suite;
}
