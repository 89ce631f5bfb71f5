/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Who is let in, under which name, with which protocol, and who comes back; and what is said to those who are not. */
#define _GNU_SOURCE
#include "tls_world.h"

/* ---- Contexts ---- */

static int create(const struct pawl_tls_options *options)
{
    SSL_CTX *context = (SSL_CTX *)(uintptr_t)1;
    const int error = pawl_tls_context_create(&context, options);
    ck_assert((error == 0) == (context != NULL));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    pawl_tls_context_free(context);
    return error;
}

START_TEST(options_that_make_no_sense_are_EINVAL)
{
    const struct certificates *const c = make_certificates();
    const struct pawl_tls_options bad[] = {
        { .server = true },
        { .key_file = c->server.file },
        { .ask_client = true, .ca_file = c->authority.file },
        { .server = true, .certificate_file = c->server.file, .ask_client = true },
        { .alpn = "" },
        { .alpn = "h2," },
        { .alpn = ",h2" },
        { .alpn = "h2,,http/1.1" },
        { .server = true, .certificate_file = c->server.file, .alpn = "," },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ck_assert_int_eq(create(&bad[i]), PAWL_EINVAL);
    ck_assert_int_eq(pawl_tls_context_create(NULL, NULL), PAWL_EINVAL);
    ck_assert_int_eq(create(NULL), 0);
    pawl_tls_context_free(NULL);
}
END_TEST

START_TEST(a_protocol_has_255_bytes_at_most)
{
    char name[300];
    struct pawl_tls_options options = { .alpn = name };
    memset(name, 'x', sizeof name);
    name[256] = '\0';
    ck_assert_int_eq(create(&options), PAWL_EINVAL);
    name[255] = '\0';
    ck_assert_int_eq(create(&options), 0);
    name[100] = ',';
    ck_assert_int_eq(create(&options), 0);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_told_by_errno)
{
    const struct certificates *const c = make_certificates();
    ck_assert_int_eq(create(&(struct pawl_tls_options){ .ca_file = "/nowhere/at/all" }), -ENOENT);
    ck_assert_int_eq(create(&(struct pawl_tls_options){ .certificate_file = "/nowhere/at/all" }), -ENOENT);
    ck_assert_int_eq(create(&(struct pawl_tls_options){ .certificate_file = c->client.file, .key_file = "/nowhere" }), -ENOENT);
}
END_TEST

START_TEST(files_without_what_is_needed_are_ECERTIFICATE)
{
    const struct certificates *const c = make_certificates();
    const struct pawl_tls_options bad[] = {
        { .ca_file = c->nothing },
        { .certificate_file = c->nothing },
        { .certificate_file = c->client.file, .key_file = c->nothing },
        { .certificate_file = c->client.file, .key_file = c->server.file }, /* not the one of this certificate */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(create(&bad[i]), PAWL_ECERTIFICATE);
        ck_assert_str_ne(pawl_tls_error_text(), "");
    }
    ck_assert_str_eq(pawl_tls_error_text(), "key values mismatch");
}
END_TEST

START_TEST(an_encrypted_key_needs_its_password_and_nobody_is_asked)
{
    const struct certificates *const c = make_certificates();
    struct pawl_tls_options options = { .certificate_file = c->client.file, .key_file = c->client.secret };
    ck_assert_int_eq(create(&options), PAWL_ECERTIFICATE);
    options.key_password = "open barley";
    ck_assert_int_eq(create(&options), PAWL_ECERTIFICATE);
    options.key_password = "";
    ck_assert_int_eq(create(&options), PAWL_ECERTIFICATE);
    options.key_password = "open sesame";
    ck_assert_int_eq(create(&options), 0);
}
END_TEST

/* ---- Handshakes ---- */

START_TEST(both_ends_talk_encrypted)
{
    struct ends ends;
    ends_begin(&ends, NULL, NULL);
    only_version(ends.client_context, versions[_i]);
    ck_assert_ptr_null(pawl_tls_of(&ends.client));
    ends_shake_well(&ends);
    ck_assert_int_eq(SSL_version(pawl_tls_of(&ends.client)), versions[_i]);
    ck_assert_int_eq(SSL_version(pawl_tls_of(&ends.server)), versions[_i]);
    ck_assert(!pawl_tls_resumed(&ends.client));
    talk(&ends);
    ck_assert_str_eq(ends.client.transport->name, "tls");
    ends_end(&ends);
}
END_TEST

START_TEST(versions_before_1_2_are_refused)
{
    struct ends ends;
    ends_begin(&ends, NULL, NULL);
    SSL_CTX_set_security_level(ends.client_context, 0);
    only_version(ends.client_context, TLS1_1_VERSION);
    ends_shake(&ends, "localhost");
    ck_assert_int_eq(ends.server_error, PAWL_ETLS);
    ck_assert_int_eq(ends.client_error, PAWL_ETLS);
    ends_end(&ends);
}
END_TEST

static const struct visit {
    size_t identity; /* of the server */
    const char *name;
    int error;
    const char *text;
} visits[] = {
#define OF(who) offsetof(struct certificates, who)
    { OF(server), "localhost", 0, NULL },
    { OF(server), "LocalHost", 0, NULL },
    { OF(server), "www.example.org", 0, NULL },
    { OF(server), "127.0.0.1", 0, NULL },
    { OF(server), "::1", 0, NULL },
    { OF(server), NULL, 0, NULL },
    { OF(deep), "localhost", 0, NULL },
    { OF(server), "example.org", PAWL_ECERTIFICATE, "hostname mismatch" },
    { OF(server), "a.b.example.org", PAWL_ECERTIFICATE, "hostname mismatch" },
    { OF(server), "127.0.0.2", PAWL_ECERTIFICATE, "IP address mismatch" },
    { OF(server), "::2", PAWL_ECERTIFICATE, "IP address mismatch" },
    { OF(server), "server", PAWL_ECERTIFICATE, "hostname mismatch" }, /* the common name does not count */
    { OF(other), "localhost", PAWL_ECERTIFICATE, "hostname mismatch" },
    { OF(expired), "localhost", PAWL_ECERTIFICATE, "certificate has expired" },
    { OF(unborn), "localhost", PAWL_ECERTIFICATE, "certificate is not yet valid" },
    { OF(forged), "localhost", PAWL_ECERTIFICATE, "unable to get local issuer certificate" },
    { OF(forged), NULL, PAWL_ECERTIFICATE, "unable to get local issuer certificate" },
    { OF(alone), "localhost", PAWL_ECERTIFICATE, "self-signed certificate" },
    { OF(client), "localhost", PAWL_ECERTIFICATE, NULL }, /* for clients only: the words depend on the version */
};

static const char *file_of(const struct certificates *all, size_t identity)
{
    return ((const struct identity *)(const void *)((const char *)all + identity))->file;
}

static void visit(const struct visit *visit, int version)
{
    struct ends ends;
    const struct certificates *const all = make_certificates();
    const struct pawl_tls_options server = { .server = true, .certificate_file = file_of(all, visit->identity) };
    ends_begin(&ends, NULL, &server);
    only_version(ends.client_context, version);
    ends_shake(&ends, visit->name);
    ck_assert_int_eq(ends.client_error, visit->error);
    if (visit->error == 0) {
        ck_assert_int_eq(ends.server_error, 0);
        talk(&ends);
    } else {
        ck_assert_int_eq(ends.server_error, PAWL_ETLS); /* by an alert */
        ck_assert(!pawl_stream_is_open(&ends.client));
        ck_assert(!pawl_stream_is_open(&ends.server));
    }
    ends_end(&ends);
}

START_TEST(a_client_takes_who_has_the_right_certificate_and_nobody_else)
{
    for (int i = 0; i < 2; i++) visit(&visits[_i], versions[i]);
}
END_TEST

START_TEST(the_text_tells_what_is_wrong_with_a_certificate)
{
    const struct certificates *const all = make_certificates();
    for (size_t i = 0; i < sizeof visits / sizeof *visits; i++) {
        struct ends ends;
        const struct pawl_tls_options server = { .server = true, .certificate_file = file_of(all, visits[i].identity) };
        if (visits[i].text == NULL) continue;
        ends_begin(&ends, NULL, &server);
        struct pawl_task *const task = pawl_spawn(pawl_tls_accept(&ends.server, ends.server_context));
        ck_assert_int_eq(net_finish(&ends.net, pawl_spawn(pawl_tls_connect(&ends.client, ends.client_context, visits[i].name))),
                         PAWL_ECERTIFICATE);
        ck_assert(strcasecmp(pawl_tls_error_text(), visits[i].text) == 0);
        ck_assert_int_eq(net_finish(&ends.net, task), PAWL_ETLS);
        ends_end(&ends);
    }
}
END_TEST

START_TEST(an_insecure_client_takes_anybody)
{
    const struct certificates *const all = make_certificates();
    const struct pawl_tls_options client = { .insecure = true };
    for (size_t i = 0; i < sizeof visits / sizeof *visits; i++) {
        struct ends ends;
        const struct pawl_tls_options server = { .server = true, .certificate_file = file_of(all, visits[i].identity) };
        ends_begin(&ends, &client, &server);
        ends_shake(&ends, visits[i].name);
        ck_assert_int_eq(ends.client_error, 0);
        talk(&ends);
        ends_end(&ends);
    }
}
END_TEST

START_TEST(a_ca_file_may_have_the_servers_certificate_itself)
{
    struct ends ends;
    const struct certificates *const all = make_certificates();
    const size_t trusted[] = { OF(server), OF(alone) };
    for (int i = 0; i < 2; i++) {
        const struct pawl_tls_options client = { .ca_file = file_of(all, trusted[i]) };
        const struct pawl_tls_options server = { .server = true, .certificate_file = file_of(all, trusted[i]) };
        ends_begin(&ends, &client, &server);
        ends_shake_well(&ends);
        ends_end(&ends);
    }
}
END_TEST

START_TEST(the_system_does_not_trust_our_authority)
{
    struct ends ends;
    ends_begin(&ends, &(struct pawl_tls_options){ 0 }, NULL);
    ends_shake(&ends, "localhost");
    ck_assert_int_eq(ends.client_error, PAWL_ECERTIFICATE);
    ends_end(&ends);
}
END_TEST

START_TEST(the_server_is_told_a_name_but_not_an_address)
{
    static const char *const names[][2] = { { "localhost", "localhost" }, { "127.0.0.1", NULL }, { "::1", NULL }, { NULL, NULL } };
    for (int i = 0; i < 4; i++) {
        struct ends ends;
        ends_begin(&ends, NULL, NULL);
        ends_shake(&ends, names[i][0]);
        ck_assert_int_eq(ends.server_error, 0);
        const char *const told = SSL_get_servername(pawl_tls_of(&ends.server), TLSEXT_NAMETYPE_host_name);
        if (names[i][1] == NULL) ck_assert_ptr_null(told);
        else ck_assert_str_eq(told, names[i][1]);
        ends_end(&ends);
    }
}
END_TEST

/* ---- Clients' certificates ---- */

/* What the server says of a client with this certificate, NULL for none. */
static int client_shown(const char *file, int version)
{
    struct ends ends;
    const struct certificates *const all = make_certificates();
    const struct pawl_tls_options client = { .ca_file = all->authority.file, .certificate_file = file };
    const struct pawl_tls_options server = { .server = true, .certificate_file = all->server.file, .ca_file = all->authority.file,
                                             .ask_client = true };
    ends_begin(&ends, &client, &server);
    only_version(ends.client_context, version);
    ends_shake(&ends, "localhost");
    if (ends.server_error == 0) {
        ck_assert_int_eq(ends.client_error, 0);
        X509 *const shown = SSL_get0_peer_certificate(pawl_tls_of(&ends.server));
        ck_assert_int_eq(X509_cmp(shown, all->client.certificate), 0);
        talk(&ends);
    } else if (version == TLS1_3_VERSION) {
        char byte;
        ck_assert_int_eq(ends.client_error, 0); /* it hears of it when it reads */
        ck_assert_int_eq(get_some(&ends, &ends.client, &byte, 1), PAWL_ETLS);
        ck_assert_ptr_nonnull(strstr(pawl_tls_error_text(), "alert"));
        ck_assert_int_eq(get_some(&ends, &ends.client, &byte, 1), PAWL_ETLS); /* and it stays so */
    } else {
        ck_assert_int_eq(ends.client_error, PAWL_ETLS);
    }
    const int error = ends.server_error;
    ends_end(&ends);
    return error;
}

START_TEST(a_server_that_asks_takes_only_clients_that_it_trusts)
{
    const struct certificates *const all = make_certificates();
    ck_assert_int_eq(client_shown(all->client.file, versions[_i]), 0);
    ck_assert_int_eq(client_shown(NULL, versions[_i]), PAWL_ECERTIFICATE);
    ck_assert_int_eq(client_shown(all->intruder.file, versions[_i]), PAWL_ECERTIFICATE);
    ck_assert_int_eq(client_shown(all->server.file, versions[_i]), PAWL_ECERTIFICATE); /* for servers only */
}
END_TEST

/* ---- Protocols ---- */

static void agree(const char *client, const char *server, const char *chosen)
{
    struct ends ends;
    char text[16];
    struct pawl_tls_options of_client = client_options(make_certificates()), of_server = server_options(make_certificates());
    of_client.alpn = client;
    of_server.alpn = server;
    ends_begin(&ends, &of_client, &of_server);
    ends_shake_well(&ends);
    ck_assert_uint_eq(pawl_tls_alpn(&ends.client, text, sizeof text), strlen(chosen));
    ck_assert_str_eq(text, chosen);
    ck_assert_uint_eq(pawl_tls_alpn(&ends.server, text, sizeof text), strlen(chosen));
    ck_assert_str_eq(text, chosen);
    ends_end(&ends);
}

START_TEST(a_protocol_is_agreed_upon_as_the_server_prefers)
{
    agree("http/1.1,h2", "h2,http/1.1", "h2");
    agree("http/1.1", "h2,http/1.1", "http/1.1");
    agree("x,y,z", "z", "z");
    agree(NULL, "h2", "");
    agree("h2", NULL, "");
    agree(NULL, NULL, "");
}
END_TEST

START_TEST(without_a_common_protocol_there_is_no_connection)
{
    struct ends ends;
    struct pawl_tls_options client = client_options(make_certificates()), server = server_options(make_certificates());
    client.alpn = "smtp";
    server.alpn = "h2,http/1.1";
    ends_begin(&ends, &client, &server);
    ends_shake(&ends, "localhost");
    ck_assert_int_eq(ends.client_error, PAWL_ETLS);
    ck_assert_int_eq(ends.server_error, PAWL_ETLS);
    ck_assert_str_ne(pawl_tls_error_text(), "");
    ends_end(&ends);
}
END_TEST

START_TEST(a_protocols_name_is_cut_where_there_is_no_room)
{
    struct ends ends;
    char text[4] = "xxx";
    struct pawl_tls_options client = client_options(make_certificates()), server = server_options(make_certificates());
    client.alpn = server.alpn = "http/1.1";
    ends_begin(&ends, &client, &server);
    ck_assert_uint_eq(pawl_tls_alpn(&ends.client, text, sizeof text), 0); /* not yet */
    ck_assert_str_eq(text, "");
    ends_shake_well(&ends);
    ck_assert_uint_eq(pawl_tls_alpn(&ends.client, text, sizeof text), 8);
    ck_assert_str_eq(text, "htt");
    ck_assert_uint_eq(pawl_tls_alpn(&ends.client, NULL, 0), 8);
    ends_end(&ends);
}
END_TEST

/* ---- Sessions ---- */

/* A connection: was it resumed? What the server gives goes to *session. */
static bool come(struct ends *ends, const char *name, struct pawl_tls_session *session)
{
    if (!pawl_stream_is_open(&ends->client)) ends_connect(ends);
    ends_shake_again(ends, name, session);
    ck_assert_int_eq(ends->client_error, 0);
    ck_assert_int_eq(ends->server_error, 0);
    talk(ends);
    const bool resumed = pawl_tls_resumed(&ends->client);
    ck_assert(resumed == pawl_tls_resumed(&ends->server));
    close_well(ends, &ends->client);
    close_well(ends, &ends->server);
    return resumed;
}

START_TEST(who_comes_again_is_known)
{
    struct ends ends;
    struct pawl_tls_session session = { NULL, NULL };
    ends_begin(&ends, NULL, NULL);
    only_version(ends.client_context, versions[_i]);
    ck_assert(!come(&ends, "localhost", &session));
    ck_assert_ptr_nonnull(session.session);
    for (int i = 0; i < 3; i++) ck_assert(come(&ends, "localhost", &session));
    ck_assert(!come(&ends, "localhost", NULL));
    pawl_tls_session_free(&session);
    ck_assert_ptr_null(session.session);
    ck_assert(!come(&ends, "localhost", &session));
    pawl_tls_session_free(&session);
    pawl_tls_session_free(&session);
    pawl_tls_session_free(NULL);
    ends_end(&ends);
}
END_TEST

START_TEST(with_a_clients_certificate_too)
{
    struct ends ends;
    struct pawl_tls_session session = { NULL, NULL };
    const struct certificates *const all = make_certificates();
    const struct pawl_tls_options client = { .ca_file = all->authority.file, .certificate_file = all->client.file };
    const struct pawl_tls_options server = { .server = true, .certificate_file = all->server.file, .ca_file = all->authority.file,
                                             .ask_client = true };
    ends_begin(&ends, &client, &server);
    only_version(ends.client_context, versions[_i]);
    ck_assert(!come(&ends, "localhost", &session));
    ck_assert(come(&ends, "localhost", &session));
    pawl_tls_session_free(&session);
    ends_end(&ends);
}
END_TEST

START_TEST(a_session_counts_for_the_names_of_its_certificate)
{
    struct ends ends;
    struct pawl_tls_session session = { NULL, NULL };
    ends_begin(&ends, NULL, NULL);
    ck_assert(!come(&ends, "localhost", &session));
    ck_assert(come(&ends, "www.example.org", &session));
    ck_assert(come(&ends, "127.0.0.1", &session));
    ck_assert(come(&ends, NULL, &session));
    /* Who shows no certificate would not be found out to be somebody else. */
    ends_connect(&ends);
    ends_shake_again(&ends, "elsewhere.example.com", &session);
    ck_assert_int_eq(ends.client_error, PAWL_ECERTIFICATE);
    pawl_tls_session_free(&session);
    ends_end(&ends);
}
END_TEST

START_TEST(a_session_counts_for_its_context)
{
    struct ends ends;
    struct pawl_tls_session session = { NULL, NULL };
    const struct certificates *const all = make_certificates();
    const struct pawl_tls_options insecure = { .insecure = true }, usual = client_options(all);
    const struct pawl_tls_options forged = { .server = true, .certificate_file = all->forged.file };
    ends_begin(&ends, &insecure, &forged);
    ck_assert(!come(&ends, "localhost", &session));
    ck_assert(come(&ends, "localhost", &session));
    pawl_tls_context_free(ends.client_context);
    ends.client_context = make_context(&usual);
    ends_connect(&ends);
    ends_shake_again(&ends, "localhost", &session);
    ck_assert_int_eq(ends.client_error, PAWL_ECERTIFICATE);
    pawl_tls_session_free(&session);
    ends_end(&ends);
}
END_TEST

START_TEST(a_session_outlives_a_connection_that_was_aborted)
{
    struct ends ends;
    struct pawl_tls_session session = { NULL, NULL };
    ends_begin(&ends, NULL, NULL);
    only_version(ends.client_context, versions[_i]);
    ends_shake_again(&ends, "localhost", &session);
    talk(&ends);
    pawl_stream_abort(&ends.client);
    pawl_stream_abort(&ends.server);
    ck_assert(come(&ends, "localhost", &session));
    pawl_tls_session_free(&session);
    ends_end(&ends);
}
END_TEST

START_TEST(a_server_that_has_forgotten_makes_a_full_handshake)
{
    struct ends ends;
    struct pawl_tls_session session = { NULL, NULL };
    const struct pawl_tls_options server = server_options(make_certificates());
    ends_begin(&ends, NULL, NULL);
    ck_assert(!come(&ends, "localhost", &session));
    pawl_tls_context_free(ends.server_context);
    ends.server_context = make_context(&server);
    ck_assert(!come(&ends, "localhost", &session));
    ck_assert(come(&ends, "localhost", &session));
    pawl_tls_session_free(&session);
    ends_end(&ends);
}
END_TEST

/* ---- What cannot begin ---- */

static int connect_now(struct ends *ends, struct pawl_stream *stream, SSL_CTX *context, const char *name)
{
    return net_finish(&ends->net, pawl_spawn(pawl_tls_connect(stream, context, name)));
}

START_TEST(what_cannot_begin_is_told_and_nothing_has_happened)
{
    struct ends ends;
    char name[300];
    struct pawl_stream closed = { 0 }, memory = { 0 };
    ends_begin(&ends, NULL, NULL);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_eq(connect_now(&ends, NULL, ends.client_context, "localhost"), PAWL_EINVAL);
    ck_assert_int_eq(connect_now(&ends, &ends.client, NULL, "localhost"), PAWL_EINVAL);
    ck_assert_int_eq(connect_now(&ends, &ends.client, ends.client_context, ""), PAWL_EINVAL);
    ck_assert_int_eq(connect_now(&ends, &ends.client, ends.client_context, ".example.org"), PAWL_EINVAL);
    ck_assert_int_eq(connect_now(&ends, &ends.client, ends.client_context, name), PAWL_EINVAL);
    ck_assert_int_eq(connect_now(&ends, &closed, ends.client_context, "localhost"), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_open_memory(&memory, NULL), 0);
    ck_assert_int_eq(connect_now(&ends, &memory, ends.client_context, "localhost"), PAWL_EINVAL);
    pawl_stream_abort(&memory);
    talk(&ends); /* still in the clear */
    ends_shake_well(&ends);
    ck_assert_int_eq(connect_now(&ends, &ends.client, ends.client_context, "localhost"), PAWL_EINVAL); /* once is enough */
    talk(&ends);
    ends_end(&ends);
}
END_TEST

/* The first one still sends what was written in the clear when the second one comes. */
START_TEST(a_second_handshake_does_not_take_the_place_of_the_first)
{
    struct ends ends;
    ends_begin(&ends, NULL, NULL);
    struct pawl_task *const server = pawl_spawn(pawl_tls_accept(&ends.server, ends.server_context));
    struct pawl_task *const one = pawl_spawn(pawl_tls_connect(&ends.client, ends.client_context, "localhost"));
    struct pawl_task *const other = pawl_spawn(pawl_tls_connect(&ends.client, ends.client_context, "localhost"));
    const int first = net_finish(&ends.net, one), second = net_finish(&ends.net, other);
    ck_assert_int_eq(first, 0);
    ck_assert(second == PAWL_EBUSY || second == PAWL_EINVAL);
    ck_assert_int_eq(net_finish(&ends.net, server), 0);
    talk(&ends);
    ends_end(&ends);
}
END_TEST

START_TEST(what_was_read_ahead_in_the_clear_is_not_taken_for_encrypted)
{
    struct ends ends;
    ends_begin(&ends, NULL, NULL);
    put_text(&ends, &ends.client, "STARTTLS\nDELETE everything\n"); /* the second one was put there by somebody in between */
    expect_text(&ends, &ends.server, "STARTTLS\n");
    ck_assert_uint_gt(pawl_stream_buffered(&ends.server), 0);
    ck_assert_int_eq(net_finish(&ends.net, pawl_spawn(pawl_tls_accept(&ends.server, ends.server_context))), PAWL_EBUSY);
    ck_assert(pawl_stream_is_open(&ends.server));
    expect_text(&ends, &ends.server, "DELETE everything\n");
    ends_shake_well(&ends);
    talk(&ends);
    ends_end(&ends);
}
END_TEST

START_TEST(tls_begins_after_some_lines_in_the_clear)
{
    struct ends ends;
    ends_begin(&ends, NULL, NULL);
    put_text(&ends, &ends.server, "220 ready\n");
    expect_text(&ends, &ends.client, "220 ready\n");
    put_text(&ends, &ends.client, "STARTTLS\n");
    expect_text(&ends, &ends.server, "STARTTLS\n");
    /* The answer is still in the buffer when the handshake begins: it goes out before it. */
    ck_assert_int_eq(pawl_stream_write_text(&ends.server, "220 go on\n"), 0);
    struct pawl_task *const server = pawl_spawn(pawl_tls_accept(&ends.server, ends.server_context));
    expect_text(&ends, &ends.client, "220 go on\n");
    ck_assert_int_eq(connect_now(&ends, &ends.client, ends.client_context, "localhost"), 0);
    ck_assert_int_eq(net_finish(&ends.net, server), 0);
    talk(&ends);
    ends_end(&ends);
}
END_TEST

START_TEST(a_client_with_a_servers_context_is_ETLS)
{
    struct ends ends;
    ends_begin(&ends, NULL, NULL);
    ck_assert_int_eq(connect_now(&ends, &ends.client, ends.server_context, "localhost"), PAWL_ETLS);
    ck_assert(!pawl_stream_is_open(&ends.client));
    ends_end(&ends);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("tls");
    make_certificates();
    TCase *const contexts = add_case(suite, "contexts");
    tcase_add_test(contexts, options_that_make_no_sense_are_EINVAL);
    tcase_add_test(contexts, a_protocol_has_255_bytes_at_most);
    tcase_add_test(contexts, files_that_cannot_be_read_are_told_by_errno);
    tcase_add_test(contexts, files_without_what_is_needed_are_ECERTIFICATE);
    tcase_add_test(contexts, an_encrypted_key_needs_its_password_and_nobody_is_asked);
    TCase *const handshakes = add_case(suite, "handshakes");
    tcase_add_loop_test(handshakes, both_ends_talk_encrypted, 0, 2);
    tcase_add_test(handshakes, versions_before_1_2_are_refused);
    tcase_add_loop_test(handshakes, a_client_takes_who_has_the_right_certificate_and_nobody_else, 0,
                        (int)(sizeof visits / sizeof *visits));
    tcase_add_test(handshakes, the_text_tells_what_is_wrong_with_a_certificate);
    tcase_add_test(handshakes, an_insecure_client_takes_anybody);
    tcase_add_test(handshakes, a_ca_file_may_have_the_servers_certificate_itself);
    tcase_add_test(handshakes, the_system_does_not_trust_our_authority);
    tcase_add_test(handshakes, the_server_is_told_a_name_but_not_an_address);
    tcase_add_loop_test(handshakes, a_server_that_asks_takes_only_clients_that_it_trusts, 0, 2);
    TCase *const protocols = add_case(suite, "protocols");
    tcase_add_test(protocols, a_protocol_is_agreed_upon_as_the_server_prefers);
    tcase_add_test(protocols, without_a_common_protocol_there_is_no_connection);
    tcase_add_test(protocols, a_protocols_name_is_cut_where_there_is_no_room);
    TCase *const sessions = add_case(suite, "sessions");
    tcase_add_loop_test(sessions, who_comes_again_is_known, 0, 2);
    tcase_add_loop_test(sessions, with_a_clients_certificate_too, 0, 2);
    tcase_add_test(sessions, a_session_counts_for_the_names_of_its_certificate);
    tcase_add_test(sessions, a_session_counts_for_its_context);
    tcase_add_loop_test(sessions, a_session_outlives_a_connection_that_was_aborted, 0, 2);
    tcase_add_test(sessions, a_server_that_has_forgotten_makes_a_full_handshake);
    TCase *const beginnings = add_case(suite, "beginnings");
    tcase_add_test(beginnings, what_cannot_begin_is_told_and_nothing_has_happened);
    tcase_add_test(beginnings, a_second_handshake_does_not_take_the_place_of_the_first);
    tcase_add_test(beginnings, what_was_read_ahead_in_the_clear_is_not_taken_for_encrypted);
    tcase_add_test(beginnings, tls_begins_after_some_lines_in_the_clear);
    tcase_add_test(beginnings, a_client_with_a_servers_context_is_ETLS);
    return suite;
}
