/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What goes through TLS, how it ends, and peers that do not keep to it. Where the network itself is to misbehave there is a relay
 * between the two ends:
 *
 *      client ──► near ══ relay ══► far ──► server          and the same back
 */
#define _GNU_SOURCE
#include "tls_world.h"

#include <openssl/rand.h>
#include <signal.h>

static struct ends ends;

static void begin(void)
{
    ends_begin(&ends, NULL, NULL);
}

/* ---- Bytes ---- */

enum { MUCH = 1024 * 1024 };
static unsigned char sent[2][MUCH], got[2][MUCH];

struct pours {
    COROUTINE(void);
    struct pawl_stream *stream;
    const unsigned char *data;
    size_t at, step;
    struct pawl_stream_drain drain;
};

/* Pieces of all sizes, from a byte to more than a record. */
ASYNC(pours)
{
    ASYNC_BEGIN(pours);
    while (self->at < MUCH) {
        self->step = self->step * 7 % 40009 + 1;
        const size_t left = MUCH - self->at, size = self->step < left ? self->step : left;
        if (pawl_stream_write(self->stream, self->data + self->at, size) != 0) RAISE(-1);
        self->at += size;
        AWAIT(self->drain, pawl_stream_drain(self->stream));
    }
    AWAIT(self->drain, pawl_stream_flush(self->stream));
    ASYNC_END;
}

START_TEST(a_megabyte_goes_both_ways_at_once)
{
    begin();
    only_version(ends.client_context, versions[_i]);
    ends_shake_well(&ends);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(RAND_bytes(sent[i], MUCH), 1);
    struct pawl_task *const tasks[] = {
        pawl_spawn(CORO(pours, .stream = &ends.client, .data = sent[0])),
        pawl_spawn(CORO(pours, .stream = &ends.server, .data = sent[1], .step = 5)),
        pawl_spawn(pawl_stream_read_exactly(&ends.server, got[0], MUCH)),
        pawl_spawn(pawl_stream_read_exactly(&ends.client, got[1], MUCH)),
    };
    for (int i = 0; i < 4; i++) ck_assert_int_eq(net_finish(&ends.net, tasks[i]), 0);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(memcmp(sent[i], got[i], MUCH), 0);
    ends_end(&ends);
}
END_TEST

START_TEST(a_vector_of_small_and_large_parts_arrives_in_order)
{
    struct iovec parts[40];
    size_t size = 0;
    begin();
    ends_shake_well(&ends);
    ck_assert_int_eq(RAND_bytes(sent[0], MUCH), 1);
    for (size_t i = 0; i < 40; i++) {
        const size_t length = i % 3 == 0 ? 0 : i * i * i % 30011;
        parts[i] = (struct iovec){ sent[0] + size, length };
        size += length;
    }
    ck_assert_uint_gt(size, 100000);
    ck_assert_uint_lt(size, MUCH);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_exactly(&ends.server, got[0], size));
    ck_assert_int_eq(pawl_stream_write_vector(&ends.client, parts, 40), 0);
    ck_assert_int_eq(net_finish(&ends.net, reader), 0);
    ck_assert_int_eq(memcmp(sent[0], got[0], size), 0);
    ends_end(&ends);
}
END_TEST

/* The transport itself, with a socket that is full again and again: what comes back is what the reader finds. */
START_TEST(parts_are_taken_up_where_a_full_socket_stopped)
{
    const struct iovec parts[] = { { sent[0], 10 },     { sent[0] + 10, 0 },        { sent[0] + 10, 5000 },
                                   { sent[0] + 5010, 40000 }, { sent[0] + 45010, 1 }, { sent[0] + 45011, 300000 } };
    const size_t all = 345011;
    begin();
    ends_shake_well(&ends);
    ck_assert_int_eq(RAND_bytes(sent[0], MUCH), 1);
    shrink_buffer(pawl_socket_fd(&ends.client.sock), SO_SNDBUF);
    size_t put = 0;
    int refused = 0;
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_exactly(&ends.server, got[0], all));
    while (put < all) {
        struct iovec rest[6];
        size_t skip = put;
        for (int i = 0; i < 6; i++) {
            const size_t some = skip < parts[i].iov_len ? skip : parts[i].iov_len;
            rest[i] = (struct iovec){ (char *)parts[i].iov_base + some, parts[i].iov_len - some };
            skip -= some;
        }
        const ssize_t more = ends.client.transport->write(&ends.client, rest, 6);
        if (more > 0) {
            put += (size_t)more;
        } else {
            ck_assert_int_eq(more, PAWL_EPENDING);
            ck_assert_int_eq(ends.client.wants[1], PAWL_WRITABLE);
            ck_assert_int_eq(pawl_loop_run_once(&ends.net.loop, true), 0);
            refused++;
        }
    }
    ck_assert_int_eq(net_finish(&ends.net, reader), 0);
    ck_assert_int_gt(refused, 3);
    ck_assert_int_eq(memcmp(sent[0], got[0], all), 0);
    ends_end(&ends);
}
END_TEST

START_TEST(keys_are_changed_on_the_way)
{
    begin();
    only_version(ends.client_context, TLS1_3_VERSION);
    ends_shake_well(&ends);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(SSL_key_update(pawl_tls_of(&ends.client), SSL_KEY_UPDATE_REQUESTED), 1);
        talk(&ends);
    }
    ends_end(&ends);
}
END_TEST

START_TEST(nobody_negotiates_again)
{
    char byte;
    begin();
    only_version(ends.client_context, TLS1_2_VERSION);
    ends_shake_well(&ends);
    SSL *const client = pawl_tls_of(&ends.client);
    ck_assert_int_eq(SSL_renegotiate(client), 0);
    SSL_clear_options(client, SSL_OP_NO_RENEGOTIATION); /* a client that does not care */
    ERR_clear_error();
    ck_assert_int_eq(SSL_renegotiate(client), 1);
    struct pawl_task *const server = pawl_spawn(pawl_stream_read(&ends.server, got[0], 10));
    ck_assert_int_eq(get_some(&ends, &ends.client, &byte, 1), PAWL_ETLS);
    ck_assert_ptr_nonnull(strstr(pawl_tls_error_text(), "renegotiation"));
    pawl_stream_abort(&ends.client);
    ck_assert_int_ne(net_finish(&ends.net, server), 0);
    ends_end(&ends);
}
END_TEST

/* ---- Ends ---- */

START_TEST(who_closes_says_goodbye)
{
    begin();
    only_version(ends.client_context, versions[_i]);
    ends_shake_well(&ends);
    ck_assert_int_eq(pawl_stream_write_text(&ends.client, "the last words"), 0);
    close_well(&ends, &ends.client);
    expect_text(&ends, &ends.server, "the last words");
    expect_end(&ends, &ends.server);
    expect_end(&ends, &ends.server);
    ck_assert(pawl_stream_at_end(&ends.server));
    close_well(&ends, &ends.server); /* whose peer is not there any more */
    ends_end(&ends);
}
END_TEST

START_TEST(who_vanishes_did_not_end)
{
    char byte;
    begin();
    only_version(ends.client_context, versions[_i]);
    ends_shake_well(&ends);
    put_text(&ends, &ends.client, "half a sent");
    pawl_stream_abort(&ends.client);
    expect_text(&ends, &ends.server, "half a sent");
    const ssize_t error = get_some(&ends, &ends.server, &byte, 1);
    ck_assert(error == PAWL_EEOF || error == -ECONNRESET);
    ck_assert_int_eq(get_some(&ends, &ends.server, &byte, 1), error);
    ends_end(&ends);
}
END_TEST

START_TEST(writing_to_who_has_vanished_is_an_error_and_no_signal)
{
    begin();
    signal(SIGPIPE, SIG_DFL);
    ends_shake_well(&ends);
    pawl_stream_abort(&ends.server);
    ck_assert_int_eq(pawl_stream_write_text(&ends.client, "anybody there?"), 0);
    const int error = net_finish(&ends.net, pawl_spawn(pawl_stream_flush(&ends.client)));
    ck_assert(error == -EPIPE || error == -ECONNRESET);
    ck_assert_int_eq(pawl_stream_write_text(&ends.client, "nobody"), error);
    ends_end(&ends);
}
END_TEST

START_TEST(after_an_unexpected_end_nothing_can_be_written)
{
    char byte;
    begin();
    ends_shake_well(&ends);
    ck_assert_int_eq(pawl_socket_shutdown(&ends.server.sock, SHUT_WR), 0);
    ck_assert_int_eq(get_some(&ends, &ends.client, &byte, 1), PAWL_EEOF);
    ck_assert_int_eq(pawl_stream_write_text(&ends.client, "x"), 0);
    ck_assert_int_eq(net_finish(&ends.net, pawl_spawn(pawl_stream_flush(&ends.client))), -EPIPE);
    ends_end(&ends);
}
END_TEST

START_TEST(who_has_said_goodbye_can_still_be_written_to)
{
    begin();
    ends_shake_well(&ends);
    /* The socket stays open: only the goodbye is sent. */
    ck_assert_int_eq(ends.client.transport->end(&ends.client, false), 0);
    expect_end(&ends, &ends.server);
    put_text(&ends, &ends.server, "one more thing");
    expect_text(&ends, &ends.client, "one more thing");
    pawl_stream_abort(&ends.client);
    /* A peer that ended and is gone: an error, and not for ever nothing. */
    ck_assert_int_eq(pawl_stream_write_text(&ends.server, "x"), 0);
    ck_assert_int_lt(net_finish(&ends.net, pawl_spawn(pawl_stream_flush(&ends.server))), 0);
    ends_end(&ends);
}
END_TEST

START_TEST(one_half_cannot_be_closed)
{
    begin();
    ends_shake_well(&ends);
    ck_assert_int_eq(pawl_stream_write_end(&ends.client), PAWL_ENOSYS);
    talk(&ends);
    ends_end(&ends);
}
END_TEST

START_TEST(closing_sends_all_that_was_written)
{
    begin();
    ends_shake_well(&ends);
    ck_assert_int_eq(RAND_bytes(sent[0], MUCH), 1);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_exactly(&ends.server, got[0], MUCH));
    ck_assert_int_eq(pawl_stream_write(&ends.client, sent[0], MUCH), 0);
    close_well(&ends, &ends.client);
    ck_assert_int_eq(net_finish(&ends.net, reader), 0);
    ck_assert_int_eq(memcmp(sent[0], got[0], MUCH), 0);
    expect_end(&ends, &ends.server);
    ends_end(&ends);
}
END_TEST

START_TEST(a_file_is_sent)
{
    char name[40];
    begin();
    ends_shake_well(&ends);
    ck_assert_int_eq(RAND_bytes(sent[0], MUCH), 1);
    write_unnamed(name, sizeof name, (const char *)sent[0], 100000);
    const int file = atoi(strrchr(name, '/') + 1);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_exactly(&ends.server, got[0], 99990));
    ck_assert_int_eq(net_finish(&ends.net, pawl_spawn(pawl_stream_sendfile(&ends.client, file, 10, UINT64_MAX))), 0);
    ck_assert_int_eq(net_finish(&ends.net, reader), 0);
    ck_assert_int_eq(memcmp(sent[0] + 10, got[0], 99990), 0);
    close(file);
    ends_end(&ends);
}
END_TEST

/* ---- Others at the same stream, during the handshake ---- */

START_TEST(what_is_written_during_the_handshake_is_encrypted)
{
    begin();
    struct pawl_task *const client = pawl_spawn(pawl_tls_connect(&ends.client, ends.client_context, "localhost"));
    net_settle(&ends.net); /* it has said hello, and waits */
    ck_assert_int_eq(pawl_stream_write_text(&ends.client, "secret"), 0);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_exactly(&ends.client, got[0], 6));
    net_settle(&ends.net);
    ck_assert_int_eq(net_finish(&ends.net, pawl_spawn(pawl_tls_accept(&ends.server, ends.server_context))), 0);
    ck_assert_int_eq(net_finish(&ends.net, client), 0);
    expect_text(&ends, &ends.server, "secret");
    put_text(&ends, &ends.server, "answer");
    ck_assert_int_eq(net_finish(&ends.net, reader), 0);
    ck_assert_int_eq(memcmp(got[0], "answer", 6), 0);
    ends_end(&ends);
}
END_TEST

START_TEST(a_stream_that_is_closed_during_the_handshake_ends_it)
{
    for (int way = 0; way < 2; way++) {
        begin();
        struct pawl_task *const client = pawl_spawn(pawl_tls_connect(&ends.client, ends.client_context, "localhost"));
        net_settle(&ends.net);
        if (way == 0) pawl_stream_abort(&ends.client);
        else pawl_stream_close(&ends.client);
        ck_assert_int_eq(net_finish(&ends.net, client), PAWL_ECLOSED);
        const int error = net_finish(&ends.net, pawl_spawn(pawl_tls_accept(&ends.server, ends.server_context)));
        ck_assert(error == PAWL_EEOF || error == -EPIPE || error == -ECONNRESET);
        ends_end(&ends);
    }
}
END_TEST

struct aborts {
    COROUTINE(void);
    struct pawl_stream *stream;
};

ASYNC(aborts)
{
    ASYNC_BEGIN(aborts);
    AWAIT(pawl_socket_ready(&self->stream->sock, PAWL_READABLE));
    pawl_stream_abort(self->stream);
    ASYNC_END;
}

START_TEST(one_that_is_aborted_when_the_handshake_was_woken_and_has_not_run)
{
    char byte;
    begin();
    ck_assert_int_eq(pawl_socket_try_recv(&ends.client.sock, &byte, 1), PAWL_EPENDING);
    struct pawl_task *const first = pawl_spawn(CORO(aborts, .stream = &ends.client)); /* waits longest, and runs first */
    net_settle(&ends.net);
    struct pawl_task *const client = pawl_spawn(pawl_tls_connect(&ends.client, ends.client_context, "localhost"));
    net_settle(&ends.net);
    ck_assert_int_eq(pawl_socket_try_send(&ends.server.sock, "x", 1), 1);
    ck_assert_int_eq(net_finish(&ends.net, client), PAWL_ECLOSED);
    ck_assert_int_eq(net_finish(&ends.net, first), 0);
    ends_end(&ends);
}
END_TEST

/* ---- Peers that do not speak TLS ---- */

/* The error of an end whose peer says just this, and then ends or stays. */
static int met_by(bool server, const void *data, size_t size, bool stays)
{
    struct net net;
    struct pawl_stream stream = { 0 }, peer = { 0 };
    SSL_CTX *const context = server ? ends.server_context : ends.client_context;
    net_begin(&net);
    ck_assert_int_eq(pawl_stream_pair(&stream, &peer), 0);
    ck_assert_int_eq(pawl_socket_try_send(&peer.sock, data, size), (ssize_t)size);
    if (!stays) ck_assert_int_eq(pawl_socket_shutdown(&peer.sock, SHUT_WR), 0);
    const int error = net_finish(&net, pawl_spawn(pawl_tls_handshake_(&stream, context, server ? NULL : "localhost", NULL, server)));
    ck_assert(!pawl_stream_is_open(&stream));
    pawl_stream_abort(&peer);
    net_end(&net);
    return error;
}

static void contexts_only(void)
{
    begin();
    pawl_stream_abort(&ends.client);
    pawl_stream_abort(&ends.server);
}

START_TEST(a_peer_in_the_clear_is_ETLS)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n", answer[] = "HTTP/1.0 400 Bad Request\r\n\r\n", mail[] = "220 mail ready\r\n";
    contexts_only();
    ck_assert_int_eq(met_by(true, request, sizeof request - 1, true), PAWL_ETLS);
    ck_assert_str_eq(pawl_tls_error_text(), "http request");
    ck_assert_int_eq(met_by(false, answer, sizeof answer - 1, true), PAWL_ETLS);
    ck_assert_str_eq(pawl_tls_error_text(), "wrong version number");
    ck_assert_int_eq(met_by(false, mail, sizeof mail - 1, true), PAWL_ETLS);
    ck_assert_int_eq(met_by(true, mail, sizeof mail - 1, true), PAWL_ETLS);
    ends_end(&ends);
}
END_TEST

START_TEST(a_peer_that_ends_at_once_is_EEOF)
{
    contexts_only();
    ck_assert_int_eq(met_by(true, "", 0, false), PAWL_EEOF);
    ck_assert_int_eq(met_by(false, "", 0, false), PAWL_EEOF);
    ck_assert_int_eq(met_by(true, "\x16\x03\x01", 3, false), PAWL_EEOF);
    ck_assert_int_eq(met_by(false, "\x16\x03\x03\x40", 4, false), PAWL_EEOF);
    ends_end(&ends);
}
END_TEST

START_TEST(garbage_is_an_error_in_either_role)
{
    unsigned char garbage[600];
    contexts_only();
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(RAND_bytes(garbage, sizeof garbage), 1);
        if (i % 2) memcpy(garbage, "\x16\x03\x03\x00\x50", 5); /* a record of a handshake, with nonsense in it */
        if (i % 8 == 3) garbage[5] = 1 + (unsigned char)i % 4;
        const int error = met_by(i % 4 < 2, garbage, 1 + (size_t)i * 3 % sizeof garbage, false);
        ck_assert(error == PAWL_ETLS || error == PAWL_EEOF);
    }
    ends_end(&ends);
}
END_TEST

/* ---- A relay ---- */

struct relay {
    COROUTINE(void);
    struct pawl_socket *from, *to;
    size_t most;    /* bytes at a time */
    size_t cut;     /* after so many bytes all is over; SIZE_MAX: never */
    size_t flip;    /* the place of a byte that comes out as another one; SIZE_MAX: none */
    size_t passed;
    unsigned char data[512];
    union {
        struct pawl_recv recv;
        struct pawl_send send;
    } step;
};

static struct pawl_socket near, far;

static size_t share(const struct relay *self)
{
    const size_t until = self->cut - self->passed;
    return until < self->most ? until : self->most;
}

static void spoil(struct relay *self, size_t size)
{
    if (self->flip - self->passed < size) self->data[self->flip - self->passed] ^= 0x10;
    self->passed += size;
}

ASYNC(relay)
{
    ASYNC_BEGIN(relay);
    while (self->passed < self->cut) {
        TRY_AWAIT(self->step.recv, pawl_recv(self->from, self->data, share(self)));
        if (AWAIT_ERROR() != 0 || self->step.recv.result == 0) break;
        spoil(self, self->step.recv.result);
        TRY_AWAIT(self->step.send, pawl_send(self->to, self->data, self->step.recv.result));
        if (AWAIT_ERROR() != 0) break;
    }
    if (self->passed >= self->cut) {
        pawl_socket_close(self->from);
        pawl_socket_close(self->to);
    } else {
        pawl_socket_shutdown(self->to, SHUT_WR);
    }
    ASYNC_END;
}

/* ---- A conversation: a word there, a word back, goodbye ---- */

struct converses {
    COROUTINE(void);
    struct pawl_stream *stream;
    SSL_CTX *context;
    bool server;
    int error;
    char heard[16];
    struct pawl_tls_handshake handshake;
    struct pawl_stream_read read;
    struct pawl_stream_closing closing;
};

ASYNC(converses)
{
    ASYNC_BEGIN(converses);
    WITH(self->closing, pawl_stream_closing(self->stream)) {
        AWAIT(self->handshake, pawl_tls_handshake_(self->stream, self->context, self->server ? NULL : "localhost", NULL, self->server));
        self->error = self->server ? 0 : pawl_stream_write_text(self->stream, "question");
        if (self->error != 0) RAISE(self->error);
        AWAIT(self->read, pawl_stream_read_exactly(self->stream, self->heard, self->server ? 8 : 6));
        self->error = self->server ? pawl_stream_write_text(self->stream, "answer") : 0;
        if (self->error != 0) RAISE(self->error);
    } END_WITH;
    ASYNC_END;
}

static struct pawl_task *talker(bool server)
{
    return pawl_spawn(CORO(converses, .stream = server ? &ends.server : &ends.client,
                           .context = server ? ends.server_context : ends.client_context, .server = server));
}

struct outcome {
    int error;
    char heard[16];
};

static struct outcome hear(struct pawl_task *task)
{
    struct outcome outcome;
    outcome.error = pawl_loop_run_until_complete(&ends.net.loop, task);
    memcpy(outcome.heard, pawl_task_frame(converses, task)->heard, sizeof outcome.heard);
    pawl_task_release(task);
    return outcome;
}

static void reconnect(void)
{
    pawl_stream_abort(&ends.client);
    pawl_stream_abort(&ends.server);
    ck_assert_int_eq(pawl_socket_pair(&ends.client.sock, &near, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_pair(&ends.server.sock, &far, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_stream_open(&ends.client, &ends.client.sock), 0);
    ck_assert_int_eq(pawl_stream_open(&ends.server, &ends.server.sock), 0);
}

/* A conversation over a relay. How many bytes went through the one that was interfered with. */
static size_t converse(struct relay there, struct relay back, struct outcome *client, struct outcome *server)
{
    reconnect();
    there.from = back.to = &near;
    there.to = back.from = &far;
    struct pawl_task *const relays[] = { pawl_spawn(CORO(relay, .from = &near, .to = &far, .most = there.most, .cut = there.cut,
                                                         .flip = there.flip)),
                                         pawl_spawn(CORO(relay, .from = &far, .to = &near, .most = back.most, .cut = back.cut,
                                                         .flip = back.flip)) };
    struct pawl_task *const ends_of_it[] = { talker(false), talker(true) };
    /* A length that was changed may leave both waiting for each other: when nothing moves any more, the line goes. */
    if (there.flip != back.flip) {
        for (int i = 0; i < 300; i++) ck_assert_int_eq(pawl_loop_run_once(&ends.net.loop, false), 0);
        pawl_socket_close(&near);
        pawl_socket_close(&far);
    }
    *client = hear(ends_of_it[0]);
    *server = hear(ends_of_it[1]);
    size_t passed = 0;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pawl_loop_run_until_complete(&ends.net.loop, relays[i]), 0);
        const struct relay *const relay = pawl_task_frame(relay, relays[i]);
        if ((i == 0 ? &there : &back)->cut != SIZE_MAX || (i == 0 ? &there : &back)->flip != SIZE_MAX) passed = relay->passed;
        pawl_task_release(relays[i]);
    }
    pawl_socket_close(&near);
    pawl_socket_close(&far);
    return passed;
}

static const struct relay untouched = { .most = 512, .cut = SIZE_MAX, .flip = SIZE_MAX };

START_TEST(a_conversation_arrives_byte_by_byte)
{
    struct outcome client, server;
    begin();
    only_version(ends.client_context, versions[_i]);
    struct relay slow = untouched;
    slow.most = 1;
    converse(slow, slow, &client, &server);
    ck_assert_int_eq(client.error, 0);
    ck_assert_int_eq(server.error, 0);
    ck_assert_str_eq(client.heard, "answer");
    ck_assert_str_eq(server.heard, "question");
    ends_end(&ends);
}
END_TEST

static bool is_gone(int error)
{
    return error == PAWL_EEOF || error == -ECONNRESET || error == -EPIPE;
}

/* All of what was said, or nothing. */
static void heard_all_or_nothing(const struct outcome *outcome, const char *said)
{
    if (outcome->heard[0] != '\0') ck_assert_str_eq(outcome->heard, said);
    else ck_assert_int_ne(outcome->error, 0);
}

START_TEST(a_line_that_is_cut_anywhere_is_an_error_at_both_ends)
{
    struct outcome client, server;
    begin();
    only_version(ends.client_context, versions[_i % 2]);
    for (size_t at = 0;; at += at < 8 ? 1 : 37) {
        struct relay there = untouched, back = untouched;
        (_i / 2 == 0 ? &there : &back)->cut = at;
        if (converse(there, back, &client, &server) < at) break; /* it was over before */
        heard_all_or_nothing(&client, "answer");
        heard_all_or_nothing(&server, "question");
        ck_assert(client.error == 0 || is_gone(client.error));
        ck_assert(server.error == 0 || is_gone(server.error));
        ck_assert(at > 200 || (client.error != 0 && server.error != 0));
        ck_assert_uint_lt(at, 10000);
    }
    ck_assert_int_eq(client.error, 0);
    ck_assert_int_eq(server.error, 0);
    ends_end(&ends);
}
END_TEST

START_TEST(a_byte_that_was_changed_is_found_out)
{
    struct outcome client, server;
    int found = 0, tries = 0;
    begin();
    only_version(ends.client_context, versions[_i % 2]);
    for (size_t at = 0;; at += at < 8 ? 1 : 23) {
        struct relay there = untouched, back = untouched;
        (_i / 2 == 0 ? &there : &back)->flip = at;
        if (converse(there, back, &client, &server) <= at) break;
        heard_all_or_nothing(&client, "answer");
        heard_all_or_nothing(&server, "question");
        found += client.error != 0 || server.error != 0;
        tries++;
        ck_assert_uint_lt(at, 10000);
    }
    ck_assert_int_eq(client.error, 0);
    ck_assert_int_eq(server.error, 0);
    ck_assert_int_gt(found, tries / 2); /* some are no matter: the versions of records, an end that nobody waits for */
    ends_end(&ends);
}
END_TEST

/* ---- Cancelled and closed, everywhere ---- */

static bool is_over(int error)
{
    return error == 0 || is_gone(error) || error == PAWL_ETLS;
}

/* Over a relay that moves little at a time, so that there are many places. Cancels one after so many iterations: was it still at
 * work? */
static bool cancel_after(bool server, int iterations)
{
    reconnect();
    struct pawl_task *const relays[] = { pawl_spawn(CORO(relay, .from = &near, .to = &far, .most = 1, .cut = SIZE_MAX, .flip = SIZE_MAX)),
                                         pawl_spawn(CORO(relay, .from = &far, .to = &near, .most = 1, .cut = SIZE_MAX, .flip = SIZE_MAX)) };
    struct pawl_task *const both[] = { talker(false), talker(true) };
    for (int i = 0; i < iterations && !pawl_future_done(both[server]); i++) ck_assert_int_eq(pawl_loop_run_once(&ends.net.loop, true), 0);
    const bool hit = pawl_task_cancel(both[server]);
    struct pawl_stream *const stream = server ? &ends.server : &ends.client;
    const struct outcome victim = hear(both[server]);
    ck_assert_int_eq(victim.error, hit ? PAWL_ECANCELLED : 0);
    if (iterations > 0) ck_assert(!pawl_stream_is_open(stream));
    else pawl_stream_abort(stream); /* of one that never began */
    const struct outcome other = hear(both[!server]);
    ck_assert(is_over(other.error));
    for (int i = 0; i < 2; i++) ck_assert_int_eq(net_finish(&ends.net, relays[i]), 0);
    pawl_socket_close(&near);
    pawl_socket_close(&far);
    return hit;
}

START_TEST(either_end_is_cancelled_wherever_it_waits)
{
    int places = 0;
    begin();
    only_version(ends.client_context, versions[_i % 2]);
    while (cancel_after(_i / 2, places)) places++;
    ck_assert_int_gt(places, 20);
    ends_end(&ends);
}
END_TEST

START_TEST(a_loop_that_is_finished_in_the_middle_leaves_nothing)
{
    for (int iterations = 1, over = 0; !over; iterations++) {
        begin();
        talker(false);
        talker(true);
        for (int i = 0; i < iterations && pawl_task_next(&ends.net.loop, NULL) != NULL; i++) {
            ck_assert_int_eq(pawl_loop_run_once(&ends.net.loop, true), 0);
            if (!pawl_stream_is_open(&ends.client) && !pawl_stream_is_open(&ends.server)) over = 1;
            if (over) break;
        }
        pawl_loop_use(NULL);
        pawl_loop_finish(&ends.net.loop);
        ck_assert(!pawl_stream_is_open(&ends.client));
        ck_assert(!pawl_stream_is_open(&ends.server));
        ck_assert_uint_eq(ends.net.memory.alive, 0);
        pawl_epoll_finish(&ends.net.epoll);
        pawl_tls_context_free(ends.client_context);
        pawl_tls_context_free(ends.server_context);
    }
}
END_TEST

/* ---- Without memory ---- */

START_TEST(a_loop_without_memory_leaves_nothing_behind)
{
    size_t failed = 0;
    begin();
    pawl_stream_abort(&ends.client);
    pawl_stream_abort(&ends.server);
    for (size_t at = 3;; at++) { /* the first two are the tasks */
        ends_connect(&ends);
        const size_t before = ends.net.memory.calls;
        ends.net.memory.fail_at = before + at;
        struct pawl_task *const both[] = { talker(false), talker(true) };
        const struct outcome client = hear(both[0]), server = hear(both[1]);
        const bool hit = ends.net.memory.calls >= before + at;
        ends.net.memory.fail_at = 0;
        ck_assert(is_over(client.error) || client.error == PAWL_ENOMEM);
        ck_assert(is_over(server.error) || server.error == PAWL_ENOMEM);
        if (!hit) break;
        ck_assert(client.error != 0 || server.error != 0);
        failed++;
        pawl_stream_abort(&ends.client);
        pawl_stream_abort(&ends.server);
        ck_assert_uint_eq(ends.net.memory.alive, 0);
    }
    ck_assert_uint_ge(failed, 4);
    ends_end(&ends);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("tls traffic");
    make_certificates();
    TCase *const bytes = add_case(suite, "bytes");
    tcase_add_loop_test(bytes, a_megabyte_goes_both_ways_at_once, 0, 2);
    tcase_add_test(bytes, a_vector_of_small_and_large_parts_arrives_in_order);
    tcase_add_test(bytes, parts_are_taken_up_where_a_full_socket_stopped);
    tcase_add_test(bytes, keys_are_changed_on_the_way);
    tcase_add_test(bytes, nobody_negotiates_again);
    TCase *const endings = add_case(suite, "ends");
    tcase_add_loop_test(endings, who_closes_says_goodbye, 0, 2);
    tcase_add_loop_test(endings, who_vanishes_did_not_end, 0, 2);
    tcase_add_test(endings, writing_to_who_has_vanished_is_an_error_and_no_signal);
    tcase_add_test(endings, after_an_unexpected_end_nothing_can_be_written);
    tcase_add_test(endings, who_has_said_goodbye_can_still_be_written_to);
    tcase_add_test(endings, one_half_cannot_be_closed);
    tcase_add_test(endings, closing_sends_all_that_was_written);
    tcase_add_test(endings, a_file_is_sent);
    TCase *const others = add_case(suite, "others at the same stream");
    tcase_add_test(others, what_is_written_during_the_handshake_is_encrypted);
    tcase_add_test(others, a_stream_that_is_closed_during_the_handshake_ends_it);
    tcase_add_test(others, one_that_is_aborted_when_the_handshake_was_woken_and_has_not_run);
    TCase *const strangers = add_case(suite, "peers that do not speak TLS");
    tcase_add_test(strangers, a_peer_in_the_clear_is_ETLS);
    tcase_add_test(strangers, a_peer_that_ends_at_once_is_EEOF);
    tcase_add_test(strangers, garbage_is_an_error_in_either_role);
    TCase *const lines = add_case(suite, "bad lines");
    tcase_set_timeout(lines, 200); /* under valgrind */
    tcase_add_loop_test(lines, a_conversation_arrives_byte_by_byte, 0, 2);
    tcase_add_loop_test(lines, a_line_that_is_cut_anywhere_is_an_error_at_both_ends, 0, 4);
    tcase_add_loop_test(lines, a_byte_that_was_changed_is_found_out, 0, 4);
    TCase *const cancels = add_case(suite, "cancelled");
    tcase_set_timeout(cancels, 200);
    tcase_add_loop_test(cancels, either_end_is_cancelled_wherever_it_waits, 0, 4);
    tcase_add_test(cancels, a_loop_that_is_finished_in_the_middle_leaves_nothing);
    tcase_add_test(cancels, a_loop_without_memory_leaves_nothing_behind);
    return suite;
}
