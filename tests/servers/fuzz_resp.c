/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The key-value server with mutated requests, by hand over memory streams: no loop, no socket, the same in every run.
 *
 *      good requests ──mutate──► bytes ──┬── all at once ──► client ──► replies ─┐
 *                                        └── in pieces ────► client ──► replies ─┴── the same, and each of them well formed
 *
 * Meanwhile another client listens to a channel, and what it is told must be well formed too. FUZZ_CASES (20000) and FUZZ_SEED (1)
 * say how many and which.
 */
#define _GNU_SOURCE
#include "support.h"

/* The server itself, but for its main. */
int kv_server_main(int count, char **arguments);
#define main kv_server_main
#include "../../docs/examples/kv_server.c"
#undef main

/* ---- A generator of numbers ---- */

static uint64_t seed;

static size_t below(size_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((seed >> 33) % limit);
}

/* ---- Texts ---- */

struct bytes {
    char data[16384];
    size_t size;
};

static void add(struct bytes *bytes, const char *data, size_t size)
{
    if (size > sizeof bytes->data - bytes->size) size = sizeof bytes->data - bytes->size;
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

/* What a client may say. Nothing whose reply tells a time. */
static const char *const requests[] = {
    "SET a 1", "SET a 2 NX", "SET b 3 XX GET", "SET c 4 EX 100000", "GET a", "GET b", "GETSET a x", "GETDEL a",
    "MSET a 1 b 2 c 3", "MGET a b c l", "MSETNX x 1 y 2", "SETNX z 1", "DEL a b", "EXISTS a b c", "INCR n", "DECR n",
    "INCRBY n 10", "DECRBY n 3", "APPEND a more", "STRLEN a", "EXPIRE a 100000", "PERSIST a", "TYPE a", "KEYS *",
    "KEYS [a-c]*", "SCAN 0 MATCH * COUNT 2", "DBSIZE", "FLUSHALL", "COMMAND", "CONFIG GET save", "SELECT 0",
    "CLIENT SETNAME me", "CLIENT GETNAME", "PING", "PING x", "ECHO hello", "LPUSH l 1 2 3", "RPUSH l 4 5", "LPOP l",
    "RPOP l 2", "LLEN l", "LRANGE l 0 -1", "SADD s 1 2 3", "SPOP s", "SREM s 2", "SCARD s", "SMEMBERS s", "SISMEMBER s 1",
    "HSET h f v g w", "HGET h f", "HGETALL h", "HDEL h f", "HLEN h", "PUBLISH news hello", "SUBSCRIBE one two",
    "UNSUBSCRIBE one", "UNSUBSCRIBE", "BOGUS a b", "QUIT",
};

static const char *const morsels[] = {
    "\r\n", "\n", "\r", "*", "$", "*1\r\n", "*2\r\n$4\r\n", "$-1\r\n", "$0\r\n\r\n", "*-1\r\n", "$9999999999\r\n",
    "*9999999999\r\n", "*1048576\r\n", "$67108864\r\n", "-9223372036854775808", "9223372036854775807",
    "18446744073709551616", "\"", "'", "\\x4", "\\", " ", "0", "-", "GET", "news", "*0\r\n", ":1\r\n", "NX", "COUNT",
};

/* As a line, or as an array. */
static void add_request(struct bytes *bytes, const char *text)
{
    char line[64], copy[64], *rest = copy;
    if (below(4) == 0) {
        add(bytes, text, strlen(text));
        add(bytes, "\r\n", 2);
        return;
    }
    size_t count = 1;
    for (const char *c = text; *c != '\0'; c++) count += *c == ' ';
    add(bytes, line, (size_t)snprintf(line, sizeof line, "*%zu\r\n", count));
    snprintf(copy, sizeof copy, "%s", text);
    for (const char *part; (part = strsep(&rest, " ")) != NULL;)
        add(bytes, line, (size_t)snprintf(line, sizeof line, "$%zu\r\n%s\r\n", strlen(part), part));
}

static void insert(struct bytes *bytes, size_t at, const char *data, size_t size)
{
    if (bytes->size + size > sizeof bytes->data) return;
    memmove(bytes->data + at + size, bytes->data + at, bytes->size - at);
    memcpy(bytes->data + at, data, size);
    bytes->size += size;
}

static void erase(struct bytes *bytes, size_t at, size_t size)
{
    if (size > bytes->size - at) size = bytes->size - at;
    memmove(bytes->data + at, bytes->data + at + size, bytes->size - at - size);
    bytes->size -= size;
}

static void mutate(struct bytes *bytes)
{
    if (bytes->size == 0) return;
    const size_t at = below(bytes->size);
    const char *const morsel = morsels[below(sizeof morsels / sizeof morsels[0])];
    char copy[64];
    const size_t size = 1 + below(bytes->size - at < sizeof copy ? bytes->size - at : sizeof copy);
    switch (below(7)) {
    case 0: bytes->data[at] = (char)below(256); break;
    case 1: bytes->data[at] = (char)(bytes->data[at] ^ (1 << below(8))); break;
    case 2: erase(bytes, at, 1 + below(4)); break;
    case 3: insert(bytes, at, morsel, strlen(morsel)); break;
    case 4:
        memcpy(copy, bytes->data + at, size);
        insert(bytes, below(bytes->size), copy, size);
        break;
    case 5: bytes->data[at] = (char)('0' + below(10)); break;
    default: bytes->size = at; break;
    }
}

static void make_input(struct bytes *bytes)
{
    bytes->size = 0;
    for (size_t count = 1 + below(12); count > 0; count--) add_request(bytes, requests[below(sizeof requests / sizeof requests[0])]);
    for (size_t count = below(6); count > 0; count--) mutate(bytes);
}

/* ---- Replies ---- */

/* Steps over one reply; NULL when it is none. */
static const char *reply_end(const char *at, const char *end, int depth)
{
    const char *const line_end = memmem(at, (size_t)(end - at), "\r\n", 2);
    if (line_end == NULL || depth > 3) return NULL;
    const char *next = line_end + 2;
    if (*at == '+' || *at == '-') return next;
    int64_t value;
    if (!read_integer((struct text){ at + 1, (size_t)(line_end - at - 1) }, &value)) return NULL;
    if (*at == ':') return next;
    if (value < -1 || (*at != '$' && *at != '*')) return NULL;
    if (*at == '$' && value >= 0) return end - next >= value + 2 && memcmp(next + value, "\r\n", 2) == 0 ? next + value + 2 : NULL;
    for (; *at == '*' && value > 0 && next != NULL; value--) next = next < end ? reply_end(next, end, depth + 1) : NULL;
    return next;
}

static void check_replies(const char *data, size_t size, const struct bytes *input)
{
    const char *at = data;
    while (at != NULL && at < data + size) at = reply_end(at, data + size, 0);
    ck_assert_msg(at != NULL, "no reply in '%.*s', after '%.*s'", (int)size, data, (int)input->size, input->data);
}

/* ---- Clients by hand ---- */

static void begin(struct client *client)
{
    memset(client, 0, sizeof *client);
    client->awaitable = CORO(client).awaitable;
    ck_assert_int_eq(pawl_stream_open_memory(&client->stream, NULL), 0);
    coro_step(client);
}

/* Until it waits for more. What it says goes to `replies`, as to a peer that reads. */
static void step(struct client *client, struct bytes *replies)
{
    for (bool goes_on = true; goes_on;) {
        const struct pawl_future *const future = coro_step(client);
        size_t size;
        const char *const written = pawl_stream_written(&client->stream, &size);
        add(replies, written, size);
        pawl_stream_take_written(&client->stream, size);
        goes_on = future != NULL && ((future->flags & PAWL_FUTURE_DONE) != 0 || size > PAWL_STREAM_LIMIT);
    }
}

/* In pieces of at most `most` bytes, then the end: its replies. */
static void serve(const struct bytes *input, size_t most, struct bytes *replies)
{
    struct client client;
    replies->size = 0;
    begin(&client);
    for (size_t at = 0; at < input->size && !coro_done(&client);) {
        const size_t left = input->size - at, size = left < most ? left : most;
        ck_assert_int_eq(pawl_stream_feed(&client.stream, input->data + at, size), 0);
        step(&client, replies);
        at += size;
    }
    if (!coro_done(&client)) ck_assert_int_eq(pawl_stream_feed_end(&client.stream), 0);
    if (!coro_done(&client)) step(&client, replies);
    ck_assert(coro_done(&client));
    ck_assert(coro_error(&client) == 0 || coro_error(&client) == PAWL_EEOF);
    ck_assert_ptr_null(client.subscriptions);
    ck_assert_ptr_null(client.request.bytes);
    pawl_stream_abort(&client.stream);
    drop_all();
    entries_made = commands_run = 0; /* which are told */
    clients_seen = 1;
}

static void listen_to(struct client *listener, const char *request)
{
    begin(listener);
    ck_assert_int_eq(pawl_stream_feed(&listener->stream, request, strlen(request)), 0);
    coro_step(listener);
}

static size_t cases(void)
{
    const char *const said = getenv("FUZZ_CASES");
    return said != NULL ? (size_t)strtoul(said, NULL, 10) : 20000;
}

START_TEST(test_mutated)
{
    static struct bytes input, whole, pieces;
    struct client listener;
    const char *const said = getenv("FUZZ_SEED");
    seed = said != NULL ? strtoull(said, NULL, 10) : 1;
    size_t told = 0, refused = 0, messages = 0;
    listen_to(&listener, "SUBSCRIBE news hello\r\n");
    for (size_t i = cases(); i > 0; i--) {
        size_t size;
        make_input(&input);
        serve(&input, SIZE_MAX, &whole);
        serve(&input, 1 + below(9), &pieces);
        check_replies(whole.data, whole.size, &input);
        ck_assert_msg(whole.size == pieces.size && memcmp(whole.data, pieces.data, whole.size) == 0, "'%.*s': '%.*s' or '%.*s'?",
                      (int)input.size, input.data, (int)whole.size, whole.data, (int)pieces.size, pieces.data);
        told += whole.size;
        refused += memmem(whole.data, whole.size, "-ERR Protocol error", 19) != NULL;
        const char *const news = pawl_stream_written(&listener.stream, &size);
        check_replies(news, size, &input);
        messages += size > 0;
        pawl_stream_take_written(&listener.stream, size);
        ck_assert_uint_eq(clients_now, 1);
    }
    /* that it does what it should */
    ck_assert_uint_gt(told, cases() * 20);
    ck_assert_uint_gt(refused, cases() / 20);
    ck_assert_uint_gt(messages, cases() / 100);
    coro_close(&listener);
    pawl_stream_abort(&listener.stream);
    ck_assert_ptr_null(channels);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("fuzz_resp");
    TCase *const tcase = add_case(suite, "mutated");
    tcase_set_timeout(tcase, 900); /* for valgrind, and for more cases */
    tcase_add_test(tcase, test_mutated);
    return suite;
}
