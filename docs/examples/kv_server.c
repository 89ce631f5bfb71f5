/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A key-value server that speaks the protocol of Redis (RESP2), for redis-cli, redis-benchmark and the client libraries.
 *
 *      $ kv_server 127.0.0.1 6379 &
 *      $ redis-cli set greeting hello
 *      $ redis-cli get greeting
 *
 * The protocol is read like a text, by coroutines that ask for the next line and the next so many bytes:
 *
 *      client          for each request: read it, run it, and let the replies gather in the stream
 *        read_request  "*2\r\n", then so many bulks; or a line of words
 *          read_bulk   "$3\r\n", then three bytes and "\r\n"
 *
 * A command is a plain function that runs between two requests and never waits, so it is atomic without a lock. Replies go out when
 * the reader has to wait, or when a lot has gathered: a pipeline of sixteen requests is one receive and one send.
 *
 * What a peer can make the server hold is bounded: by the limits below while it sends; and when it does not read, nothing more is
 * read from it until it does. To a subscriber, who is written to by others, that would not help: it is cut off.
 *
 *      keys ──► entry { key, expires, string | list | set | hash }      expires: looked at when it is used, and by a task
 *      channels ──► channel ──► subscription ◄── client                 pub/sub: others write to the stream that we read
 *
 * Left out: persistence, sorted sets, streams, scripts, transactions, passwords. For peers that are trusted.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <time.h>
#include <uthash.h>
#include <utlist.h>

enum {
    BULK_MOST = 64 << 20,      /* bytes of an argument, and of a string */
    ARGUMENTS_MOST = 1 << 20,  /* of a request */
    REQUEST_MOST = 128 << 20,  /* bytes of all of them together, with what it takes to note where each is */
    REPLIES_MOST = 256 << 20,  /* bytes that wait to be sent: one reply may be large */
    SUBSCRIBER_MOST = 8 << 20, /* the same for one to whom others write */
    SHARE = 64 << 10,          /* bytes of an argument that are read at a time, so that memory is taken only for what has come */
    KEEP = 16 << 10            /* bytes that an idle connection may keep */
};

/* ---- Memory and texts ---- */

/* As realloc; there is no going on without memory. */
static void *resize(void *memory, size_t size)
{
    void *const moved = realloc(memory, size > 0 ? size : 1);
    if (moved == NULL) {
        fputs("kv_server: out of memory\n", stderr);
        abort();
    }
    return moved;
}

/* Some bytes of somebody else's. */
struct text {
    const char *data;
    size_t size;
};

static struct text text_of(const char *string)
{
    return (struct text){ string, strlen(string) };
}

/* How much of it an error repeats. */
static int shown(struct text text)
{
    return text.size < 128 ? (int)text.size : 128;
}

static bool is_word(struct text text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

/* An integer as it would be printed, and nothing else. */
static bool read_integer(struct text text, int64_t *value)
{
    char buffer[24], *end;
    if (text.size == 0 || text.size >= sizeof buffer) return false;
    memcpy(buffer, text.data, text.size);
    buffer[text.size] = '\0';
    const char *const digits = buffer + (buffer[0] == '-');
    if (*digits < '0' || *digits > '9' || (*digits == '0' && text.size > 1)) return false;
    errno = 0;
    *value = strtoll(buffer, &end, 10);
    return end == buffer + text.size && errno == 0;
}

/* Does it match [a-z^…] at *pattern? Steps over that. */
static bool match_set(struct text pattern, size_t *at, char c)
{
    size_t i = *at + 1;
    bool found = false;
    const bool inverted = i < pattern.size && pattern.data[i] == '^';
    for (i += inverted; i < pattern.size && pattern.data[i] != ']'; i++) {
        if (pattern.data[i] == '\\' && i + 1 < pattern.size) i++;
        char low = pattern.data[i], high = low;
        if (i + 2 < pattern.size && pattern.data[i + 1] == '-') high = pattern.data[i += 2];
        if (low > high) {
            const char other = low;
            low = high;
            high = other;
        }
        found |= c >= low && c <= high;
    }
    *at = i < pattern.size ? i + 1 : i;
    return found != inverted;
}

static bool match_one(struct text pattern, size_t *at, char c)
{
    if (*at >= pattern.size) return false;
    if (pattern.data[*at] == '[') return match_set(pattern, at, c);
    if (pattern.data[*at] == '\\' && *at + 1 < pattern.size) ++*at;
    else if (pattern.data[*at] == '?') c = '?';
    return pattern.data[(*at)++] == c;
}

/* *, ?, [a-z], \x. To go back to the last star is enough, and so it takes no more than the product of both sizes. */
static bool matches(struct text pattern, struct text text)
{
    size_t at = 0, star = SIZE_MAX, resume = 0;
    for (size_t i = 0; i < text.size;) {
        if (at < pattern.size && pattern.data[at] == '*') {
            star = ++at;
            resume = i;
        } else if (match_one(pattern, &at, text.data[i])) {
            i++;
        } else if (star != SIZE_MAX) {
            at = star;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (at < pattern.size && pattern.data[at] == '*') at++;
    return at == pattern.size;
}

/* ---- Keys and values ---- */

enum kind { STRING, LIST, SET, HASH };
static const char *const kind_names[] = { "string", "list", "set", "hash" };

struct node {
    struct node *prev, *next;
    size_t size;
    char data[];
};

/* Of a hash; of a set, without a value. */
struct field {
    UT_hash_handle hh;
    char *value;
    size_t value_size, size;
    char name[];
};

struct entry {
    UT_hash_handle hh;
    struct entry *prev, *next; /* among those that expire */
    int64_t expires;           /* milliseconds of the clock; 0: never */
    uint64_t number;           /* grows from one to the next, for SCAN */
    enum kind kind;
    union {
        struct {
            char *data;
            size_t size, room;
        } string;
        struct {
            struct node *first;
            size_t count;
        } list;
        struct field *fields;
    };
    size_t size;
    char key[];
};

static struct entry *keys, *fleeting; /* those that expire, in a round */
static struct pawl_event some_fleeting;
static uint64_t entries_made;
static int64_t swept;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool has_expired(const struct entry *entry)
{
    return entry->expires != 0 && entry->expires <= now();
}

static void set_expiry(struct entry *entry, int64_t when)
{
    if (entry->expires != 0 && when == 0) DL_DELETE(fleeting, entry);
    if (entry->expires == 0 && when != 0) DL_APPEND(fleeting, entry);
    entry->expires = when;
    if (when != 0) pawl_event_set(&some_fleeting);
}

static void field_drop(struct field **fields, struct field *field)
{
    HASH_DEL(*fields, field);
    free(field->value);
    free(field);
}

/* What is left is an empty string. */
static void value_clear(struct entry *entry)
{
    struct field *field, *next;
    struct node *node, *after;
    if (entry->kind == STRING) free(entry->string.data);
    else if (entry->kind == LIST) DL_FOREACH_SAFE (entry->list.first, node, after) free(node);
    else HASH_ITER (hh, entry->fields, field, next) field_drop(&entry->fields, field);
    entry->kind = STRING;
    memset(&entry->string, 0, sizeof entry->string);
}

static void drop(struct entry *entry)
{
    set_expiry(entry, 0);
    value_clear(entry);
    HASH_DEL(keys, entry);
    free(entry);
}

static void drop_all(void)
{
    while (keys != NULL) drop(keys);
}

static struct entry *find(struct text key)
{
    struct entry *entry;
    HASH_FIND(hh, keys, key.data, (unsigned)key.size, entry);
    if (entry == NULL || !has_expired(entry)) return entry;
    drop(entry);
    return NULL;
}

static struct entry *find_or_make(struct text key, enum kind kind)
{
    struct entry *entry = find(key);
    if (entry != NULL) return entry;
    entry = resize(NULL, sizeof *entry + key.size);
    memset(entry, 0, sizeof *entry);
    entry->kind = kind;
    entry->number = ++entries_made;
    entry->size = key.size;
    memcpy(entry->key, key.data, key.size);
    HASH_ADD_KEYPTR(hh, keys, entry->key, (unsigned)key.size, entry);
    return entry;
}

static struct text key_of(const struct entry *entry)
{
    return (struct text){ entry->key, entry->size };
}

static struct text string_of(const struct entry *entry)
{
    return (struct text){ entry->string.data, entry->string.size };
}

static void string_append(struct entry *entry, struct text more)
{
    const size_t size = entry->string.size + more.size;
    if (size > entry->string.room) {
        entry->string.room = entry->string.size > 0 ? size * 2 : size;
        entry->string.data = resize(entry->string.data, entry->string.room);
    }
    if (more.size > 0) memcpy(entry->string.data + entry->string.size, more.data, more.size);
    entry->string.size = size;
}

/* Whatever it was before. */
static struct entry *string_set(struct text key, struct text value)
{
    struct entry *const entry = find_or_make(key, STRING);
    if (entry->kind != STRING || value.size > entry->string.room || value.size < entry->string.room / 4) value_clear(entry);
    entry->string.size = 0;
    string_append(entry, value);
    return entry;
}

static void list_push(struct entry *entry, struct text value, bool left)
{
    struct node *const node = resize(NULL, sizeof *node + value.size);
    node->size = value.size;
    memcpy(node->data, value.data, value.size);
    if (left) DL_PREPEND(entry->list.first, node);
    else DL_APPEND(entry->list.first, node);
    entry->list.count++;
}

static void list_drop(struct entry *entry, struct node *node)
{
    DL_DELETE(entry->list.first, node);
    free(node);
    entry->list.count--;
}

static struct field *field_find(struct field *fields, struct text name)
{
    struct field *field;
    HASH_FIND(hh, fields, name.data, (unsigned)name.size, field);
    return field;
}

/* Returns the field, and whether it is new. */
static struct field *field_make(struct field **fields, struct text name, bool *is_new)
{
    struct field *field = field_find(*fields, name);
    *is_new = field == NULL;
    if (field != NULL) return field;
    field = resize(NULL, sizeof *field + name.size);
    memset(field, 0, sizeof *field);
    field->size = name.size;
    memcpy(field->name, name.data, name.size);
    HASH_ADD_KEYPTR(hh, *fields, field->name, (unsigned)name.size, field);
    return field;
}

/* ---- Those that expire ---- */

/* Looks at some of them: how many were over. */
static int sweep(int count)
{
    int gone = 0;
    for (; count > 0 && fleeting != NULL; count--) {
        struct entry *const entry = fleeting;
        if (has_expired(entry)) {
            drop(entry);
            gone++;
        } else { /* to the end of the round */
            DL_DELETE(fleeting, entry);
            DL_APPEND(fleeting, entry);
        }
    }
    if (fleeting == NULL) pawl_event_clear(&some_fleeting);
    swept += gone;
    return gone;
}

struct sweeper {
    COROUTINE(void);
    union {
        struct pawl_event_wait some;
        struct pawl_sleep sleep;
    };
};

/* Keys that nobody asks for any more must go too. Where many are over, it looks on at once; where there are none, it sleeps. */
ASYNC(sweeper)
{
    ASYNC_BEGIN(sweeper);
    for (;;) {
        AWAIT(self->some, pawl_event_wait(&some_fleeting));
        while (sweep(200) > 50) YIELD_NOW();
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(100)));
    }
    ASYNC_END;
}

/* ---- Requests ---- */

/* The arguments lie one after the other, each with its line end. */
struct request {
    char *bytes;
    size_t used, room;
    struct text *arguments; /* while it is read, their sizes */
    size_t count, places;
    char complaint[64]; /* what is wrong with it, with -EPROTO */
};

static void request_clear(struct request *request)
{
    if (request->room > KEEP || request->places * sizeof *request->arguments > KEEP) {
        free(request->bytes);
        free(request->arguments);
        *request = (struct request){ 0 };
    }
    request->used = request->count = 0;
}

static void request_end(struct request *request)
{
    request->room = SIZE_MAX;
    request_clear(request);
}

static int complain(struct request *request, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int complain(struct request *request, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(request->complaint, sizeof request->complaint, format, arguments);
    va_end(arguments);
    return -EPROTO;
}

/* Room for so many bytes more. */
static char *request_room(struct request *request, size_t more)
{
    if (request->room - request->used < more) {
        while (request->room - request->used < more) request->room = request->room > 0 ? request->room * 2 : 512;
        request->bytes = resize(request->bytes, request->room);
    }
    return request->bytes + request->used;
}

/* Notes an argument that begins here. */
static void request_argument(struct request *request, size_t size)
{
    if (request->count == request->places) {
        request->places = request->places > 0 ? request->places * 2 : 8;
        request->arguments = resize(request->arguments, request->places * sizeof *request->arguments);
    }
    request->arguments[request->count++].size = size;
}

/* All is there, and stays where it is: now they can be pointed to. */
static void request_settle(struct request *request)
{
    size_t at = 0;
    for (size_t i = 0; i < request->count; i++) {
        request->arguments[i].data = request->bytes + at;
        at += request->arguments[i].size + 2;
    }
}

/* ---- Requests of one line: words, some of them in quotes ---- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *const found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (int)(found - digits) % 16 : -1;
}

/* What stands behind a backslash in double quotes. Steps over it. */
static char unescape(struct text line, size_t *at)
{
    static const char names[] = "nrtba", values[] = "\n\r\t\b\a";
    const char c = line.data[(*at)++];
    if (c == 'x' && *at + 1 < line.size && hex_digit(line.data[*at]) >= 0 && hex_digit(line.data[*at + 1]) >= 0) {
        *at += 2;
        return (char)(hex_digit(line.data[*at - 2]) * 16 + hex_digit(line.data[*at - 1]));
    }
    const char *const found = c != '\0' ? strchr(names, c) : NULL;
    return found != NULL ? values[found - names] : c;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/* Reads up to the quote that closes, and over it: false if there is none, or something else follows. */
static bool quoted(struct request *request, struct text line, size_t *at, char quote)
{
    while (*at < line.size) {
        char c = line.data[(*at)++];
        if (c == quote) return *at == line.size || is_space(line.data[*at]);
        if (c == '\\' && *at < line.size) {
            if (quote == '"') c = unescape(line, at);
            else if (line.data[*at] == '\'') c = line.data[(*at)++];
        }
        *request_room(request, 1) = c;
        request->used++;
    }
    return false;
}

static bool word(struct request *request, struct text line, size_t *at)
{
    while (*at < line.size && !is_space(line.data[*at])) {
        const char c = line.data[(*at)++];
        if (c == '"' || c == '\'') return quoted(request, line, at, c);
        *request_room(request, 1) = c;
        request->used++;
    }
    return true;
}

static int split(struct request *request, struct text line)
{
    for (size_t at = 0; at < line.size;) {
        if (is_space(line.data[at])) {
            at++;
            continue;
        }
        const size_t begin = request->used;
        if (!word(request, line, &at)) return complain(request, "unbalanced quotes in request");
        request_argument(request, request->used - begin);
        request_room(request, 2);
        request->used += 2;
    }
    return 0;
}

/* ---- Requests as arrays of bulks ---- */

/* The number in a line that begins with a sign of one character. */
static bool read_count(const struct pawl_stream_piece *line, int64_t *value)
{
    if (line->size < 3 || memcmp(line->data + line->size - 2, "\r\n", 2) != 0) return false;
    return read_integer((struct text){ line->data + 1, line->size - 3 }, value);
}

/* At the end of the stream a line may have no end. */
static bool is_whole(const struct pawl_stream_piece *line)
{
    return line->size > 0 && line->data[line->size - 1] == '\n';
}

static int bulk_begin(struct request *request, const struct pawl_stream_piece *line, size_t *size)
{
    int64_t value;
    if (!is_whole(line)) return PAWL_EEOF;
    if (line->data[0] != '$') return complain(request, "expected '$', got '%c'", line->data[0] >= ' ' ? line->data[0] : ' ');
    if (!read_count(line, &value) || value < 0 || value > BULK_MOST) return complain(request, "invalid bulk length");
    *size = (size_t)value + 2;
    const size_t notes = (request->count + 1) * sizeof *request->arguments;
    if (request->used + *size + notes > REQUEST_MOST) return complain(request, "too big request");
    request_argument(request, (size_t)value);
    return 0;
}

static int bulk_end(struct request *request)
{
    return memcmp(request->bytes + request->used - 2, "\r\n", 2) == 0 ? 0 : complain(request, "bulk without its line end");
}

struct read_bulk {
    COROUTINE(void);
    struct pawl_stream *stream;
    struct request *request;
    size_t left;
    union {
        struct pawl_stream_piece line;
        struct pawl_stream_read bytes;
    };
};

ASYNC(read_bulk)
{
    ASYNC_BEGIN(read_bulk);
    TRY_AWAIT(self->line, pawl_stream_read_line(self->stream));
    int error = AWAIT_ERROR();
    if (error == PAWL_ELIMIT) error = complain(self->request, "too big bulk count string");
    if (error == 0) error = bulk_begin(self->request, &self->line, &self->left);
    if (error != 0) RAISE(error);
    while (self->left > 0) {
        const size_t share = self->left < SHARE ? self->left : SHARE;
        AWAIT(self->bytes, pawl_stream_read_exactly(self->stream, request_room(self->request, share), share));
        self->request->used += self->bytes.size;
        self->left -= self->bytes.size;
    }
    error = bulk_end(self->request);
    if (error != 0) RAISE(error);
    ASYNC_END;
}

/* How many bulks follow: none where the line itself is the request. */
static int request_begin(struct request *request, const struct pawl_stream_piece *line, int64_t *bulks)
{
    *bulks = 0;
    if (!is_whole(line)) return PAWL_EEOF;
    if (line->data[0] != '*') return split(request, (struct text){ line->data, line->size });
    return read_count(line, bulks) && *bulks <= ARGUMENTS_MOST ? 0 : complain(request, "invalid multibulk length");
}

struct read_request {
    COROUTINE(bool); /* false: the peer has nothing more to say */
    struct pawl_stream *stream;
    struct request *request;
    int64_t left;
    bool is_array;
    union {
        struct pawl_stream_piece piece;
        struct read_bulk bulk;
    };
};

ASYNC(read_request)
{
    ASYNC_BEGIN(read_request);
    AWAIT(self->piece, pawl_stream_fill(self->stream, 1));
    if (self->piece.size == 0) ASYNC_RETURN(false);
    self->is_array = self->piece.data[0] == '*';
    TRY_AWAIT(self->piece, pawl_stream_read_line(self->stream));
    int error = AWAIT_ERROR();
    if (error == PAWL_ELIMIT) error = complain(self->request, "too big %s", self->is_array ? "mbulk count string" : "inline request");
    if (error == 0) error = request_begin(self->request, &self->piece, &self->left);
    if (error != 0) RAISE(error);
    for (; self->left > 0; self->left--) AWAIT(self->bulk, CORO(read_bulk, .stream = self->stream, .request = self->request));
    request_settle(self->request);
    ASYNC_RETURN(true);
    ASYNC_END;
}

/* ---- Clients and their replies ---- */

struct client {
    CONNECTION;
    struct request request;
    struct subscription *subscriptions;
    size_t subscription_count;
    uint64_t id;
    struct text name; /* ours */
    bool quits;
    union {
        struct read_request read;
        struct pawl_stream_drain drain;
    };
};

static uint64_t clients_seen, clients_now, commands_run;

/* A reply that cannot be sent makes nonsense of all that would follow it. */
static void say_parts(struct client *client, const struct iovec *parts, size_t count)
{
    size_t size = pawl_stream_unsent(&client->stream);
    for (size_t i = 0; i < count; i++) size += parts[i].iov_len;
    if (size > REPLIES_MOST || pawl_stream_write_vector(&client->stream, parts, count) != 0) pawl_stream_abort(&client->stream);
}

static void say(struct client *client, const char *text)
{
    say_parts(client, &(struct iovec){ (char *)(uintptr_t)text, strlen(text) }, 1);
}

/* ":5\r\n", "$5\r\n", "*5\r\n" */
static size_t number_line(char line[static 24], char sign, int64_t value)
{
    return (size_t)snprintf(line, 24, "%c%" PRId64 "\r\n", sign, value);
}

static void say_number(struct client *client, char sign, int64_t value)
{
    char line[24];
    const size_t size = number_line(line, sign, value);
    say_parts(client, &(struct iovec){ line, size }, 1);
}

static void say_integer(struct client *client, int64_t value)
{
    say_number(client, ':', value);
}

/* So many replies follow. */
static void say_array(struct client *client, size_t count)
{
    say_number(client, '*', (int64_t)count);
}

static void say_bulk(struct client *client, struct text text)
{
    char line[24];
    const size_t size = number_line(line, '$', (int64_t)text.size);
    const struct iovec parts[] = {
        { line, size }, { (char *)(uintptr_t)(text.size > 0 ? text.data : ""), text.size }, { (char *)(uintptr_t)"\r\n", 2 }
    };
    say_parts(client, parts, 3);
}

static void say_nil(struct client *client)
{
    say(client, "$-1\r\n");
}

static void say_ok(struct client *client)
{
    say(client, "+OK\r\n");
}

static void say_error(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say_error(struct client *client, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *c = line; *c != '\0'; c++)
        if (*c == '\r' || *c == '\n') *c = ' ';
    const struct iovec parts[] = { { (char *)(uintptr_t)"-", 1 }, { line, strlen(line) }, { (char *)(uintptr_t)"\r\n", 2 } };
    say_parts(client, parts, 3);
}

static void say_arity(struct client *client, const char *command)
{
    say_error(client, "ERR wrong number of arguments for '%s' command", command);
}

static void say_not_integer(struct client *client)
{
    say_error(client, "ERR value is not an integer or out of range");
}

static void say_syntax(struct client *client)
{
    say_error(client, "ERR syntax error");
}

/* Is it of the kind that the command is for (or not there)? Says so if not. */
static bool is_kind(struct client *client, const struct entry *entry, enum kind kind)
{
    if (entry == NULL || entry->kind == kind) return true;
    say_error(client, "WRONGTYPE Operation against a key holding the wrong kind of value");
    return false;
}

/* ---- Commands ---- */

/* `arguments` begins with the command's name; `count` is right for it. */
#define COMMAND(name) static void do_##name(struct client *client, const struct text *arguments, size_t count)
#define UNUSED_COUNT (void)count

COMMAND(ping)
{
    if (client->subscriptions != NULL) {
        say_array(client, 2);
        say_bulk(client, text_of("pong"));
        say_bulk(client, count > 1 ? arguments[1] : text_of(""));
    } else if (count > 2) {
        say_arity(client, "ping");
    } else if (count > 1) {
        say_bulk(client, arguments[1]);
    } else {
        say(client, "+PONG\r\n");
    }
}

COMMAND(echo)
{
    UNUSED_COUNT;
    say_bulk(client, arguments[1]);
}

COMMAND(quit)
{
    (void)arguments, (void)count;
    client->quits = true;
    say_ok(client);
}

COMMAND(select)
{
    int64_t number;
    UNUSED_COUNT;
    if (!read_integer(arguments[1], &number)) say_not_integer(client);
    else if (number != 0) say_error(client, "ERR DB index is out of range");
    else say_ok(client);
}

COMMAND(command)
{
    (void)client;
    if (count > 1 && is_word(arguments[1], "count")) say_integer(client, 0);
    else say_array(client, 0); /* no client needs to know */
}

COMMAND(config)
{
    static const char *const settings[][2] = { { "save", "" }, { "appendonly", "no" } };
    bool wanted[2];
    size_t found = 0;
    if (!is_word(arguments[1], "get") || count < 3) {
        say_error(client, "ERR unknown subcommand '%.*s'. Try CONFIG HELP.", shown(arguments[1]), arguments[1].data);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        wanted[i] = false;
        for (size_t j = 2; j < count; j++) wanted[i] |= matches(arguments[j], text_of(settings[i][0]));
        found += wanted[i];
    }
    say_array(client, found * 2);
    for (size_t i = 0; i < 2; i++) {
        if (!wanted[i]) continue;
        say_bulk(client, text_of(settings[i][0]));
        say_bulk(client, text_of(settings[i][1]));
    }
}

COMMAND(info)
{
    char text[512];
    (void)arguments, (void)count;
    const int size = snprintf(text, sizeof text,
                              "# Server\r\nserver_name:pawl kv_server\r\nredis_version:6.2.0\r\nredis_mode:standalone\r\n\r\n"
                              "# Clients\r\nconnected_clients:%" PRIu64 "\r\n\r\n"
                              "# Stats\r\ntotal_connections_received:%" PRIu64 "\r\ntotal_commands_processed:%" PRIu64 "\r\n"
                              "expired_keys:%" PRId64 "\r\n\r\n# Keyspace\r\ndb0:keys=%u\r\n",
                              clients_now, clients_seen, commands_run, swept, HASH_COUNT(keys));
    say_bulk(client, (struct text){ text, (size_t)size });
}

static void set_name(struct client *client, struct text name)
{
    char *const copy = resize(NULL, name.size);
    memcpy(copy, name.data, name.size);
    free((char *)(uintptr_t)client->name.data);
    client->name = (struct text){ copy, name.size };
    say_ok(client);
}

COMMAND(client)
{
    if (is_word(arguments[1], "id")) say_integer(client, (int64_t)client->id);
    else if (is_word(arguments[1], "setname") && count == 3) set_name(client, arguments[2]);
    else if (is_word(arguments[1], "setinfo")) say_ok(client);
    else if (is_word(arguments[1], "getname") && client->name.size == 0) say_nil(client);
    else if (is_word(arguments[1], "getname")) say_bulk(client, client->name);
    else say_error(client, "ERR unknown subcommand '%.*s'. Try CLIENT HELP.", shown(arguments[1]), arguments[1].data);
}

static void say_field(struct client *client, const char *name, const char *value)
{
    say_bulk(client, text_of(name));
    say_bulk(client, text_of(value));
}

COMMAND(hello)
{
    int64_t version = 2;
    if (count > 1 && !read_integer(arguments[1], &version)) {
        say_error(client, "ERR Protocol version is not an integer or out of range");
    } else if (version != 2) {
        say_error(client, "NOPROTO unsupported protocol version");
    } else if (count > 2) {
        say_syntax(client);
    } else {
        say_array(client, 14);
        say_field(client, "server", "pawl kv_server");
        say_field(client, "version", "6.2.0");
        say_bulk(client, text_of("proto"));
        say_integer(client, 2);
        say_bulk(client, text_of("id"));
        say_integer(client, (int64_t)client->id);
        say_field(client, "mode", "standalone");
        say_field(client, "role", "master");
        say_bulk(client, text_of("modules"));
        say_array(client, 0);
    }
}

/* ---- Commands: keys ---- */

COMMAND(del)
{
    int64_t gone = 0;
    for (size_t i = 1; i < count; i++) {
        struct entry *const entry = find(arguments[i]);
        if (entry == NULL) continue;
        drop(entry);
        gone++;
    }
    say_integer(client, gone);
}

COMMAND(exists)
{
    int64_t found = 0;
    for (size_t i = 1; i < count; i++) found += find(arguments[i]) != NULL;
    say_integer(client, found);
}

COMMAND(type)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    say(client, "+");
    say(client, entry != NULL ? kind_names[entry->kind] : "none");
    say(client, "\r\n");
}

COMMAND(dbsize)
{
    (void)arguments, (void)count;
    say_integer(client, HASH_COUNT(keys));
}

COMMAND(flushall)
{
    (void)arguments, (void)count;
    drop_all();
    say_ok(client);
}

/* Entries to be told, which must be counted first. */
struct found {
    const struct entry **entries;
    size_t count, room;
};

static void found_add(struct found *found, const struct entry *entry)
{
    if (found->count == found->room) {
        found->room = found->room > 0 ? found->room * 2 : 16;
        found->entries = resize(found->entries, found->room * sizeof *found->entries);
    }
    found->entries[found->count++] = entry;
}

static void say_found(struct client *client, struct found *found)
{
    say_array(client, found->count);
    for (size_t i = 0; i < found->count; i++) say_bulk(client, key_of(found->entries[i]));
    free(found->entries);
}

COMMAND(keys)
{
    struct found found = { 0 };
    UNUSED_COUNT;
    for (const struct entry *entry = keys; entry != NULL; entry = entry->hh.next)
        if (!has_expired(entry) && matches(arguments[1], key_of(entry))) found_add(&found, entry);
    say_found(client, &found);
}

struct scan {
    int64_t after, most; /* the cursor is the number of the last entry that was looked at */
    struct text pattern, kind;
};

static bool read_scan(struct client *client, const struct text *arguments, size_t count, struct scan *scan)
{
    *scan = (struct scan){ .most = 10 };
    if (!read_integer(arguments[1], &scan->after) || scan->after < 0) {
        say_error(client, "ERR invalid cursor");
        return false;
    }
    for (size_t i = 2; i + 1 < count; i += 2) {
        if (is_word(arguments[i], "match")) scan->pattern = arguments[i + 1];
        else if (is_word(arguments[i], "type")) scan->kind = arguments[i + 1];
        else if (!is_word(arguments[i], "count")) scan->most = 0;
        else if (!read_integer(arguments[i + 1], &scan->most)) scan->most = -1;
    }
    if (scan->most < 0) say_not_integer(client);
    else if (scan->most == 0 || count % 2 != 0) say_syntax(client);
    return scan->most > 0 && count % 2 == 0;
}

static bool is_wanted(const struct scan *scan, const struct entry *entry)
{
    return !has_expired(entry) && (scan->pattern.data == NULL || matches(scan->pattern, key_of(entry))) &&
           (scan->kind.data == NULL || is_word(scan->kind, kind_names[entry->kind]));
}

/* The table keeps the order in which the entries were made; the place of a cursor is looked for from its beginning. */
COMMAND(scan)
{
    struct scan scan;
    struct found found = { 0 };
    char cursor[24];
    if (!read_scan(client, arguments, count, &scan)) return;
    const struct entry *entry = keys;
    while (entry != NULL && entry->number <= (uint64_t)scan.after) entry = entry->hh.next;
    for (; entry != NULL && scan.most > 0; entry = entry->hh.next, scan.most--) {
        scan.after = (int64_t)entry->number;
        if (is_wanted(&scan, entry)) found_add(&found, entry);
    }
    snprintf(cursor, sizeof cursor, "%" PRId64, entry != NULL ? scan.after : 0);
    say_array(client, 2);
    say_bulk(client, text_of(cursor));
    say_found(client, &found);
}

/* A time from now on in `unit` milliseconds; says what is wrong with it. 0 and less are in the past, which only some may ask for. */
static bool read_expiry(struct client *client, const char *command, struct text text, int64_t unit, bool may_be_past, int64_t *when)
{
    int64_t span;
    if (!read_integer(text, &span)) {
        say_not_integer(client);
        return false;
    }
    if ((span <= 0 && !may_be_past) || __builtin_mul_overflow(span, unit, &span) || __builtin_add_overflow(span, now(), when)) {
        say_error(client, "ERR invalid expire time in '%s' command", command);
        return false;
    }
    if (*when <= 0) *when = 1;
    return true;
}

static void expire(struct client *client, const char *command, const struct text *arguments, int64_t unit)
{
    int64_t when;
    if (!read_expiry(client, command, arguments[2], unit, true, &when)) return;
    struct entry *const entry = find(arguments[1]);
    if (entry != NULL) set_expiry(entry, when);
    if (entry != NULL && has_expired(entry)) drop(entry);
    say_integer(client, entry != NULL);
}

COMMAND(expire)
{
    UNUSED_COUNT;
    expire(client, "expire", arguments, 1000);
}

COMMAND(pexpire)
{
    UNUSED_COUNT;
    expire(client, "pexpire", arguments, 1);
}

/* Milliseconds that are left; -1: it does not expire; -2: there is none. */
static int64_t time_left(struct text key)
{
    const struct entry *const entry = find(key);
    if (entry == NULL) return -2;
    return entry->expires != 0 ? entry->expires - now() : -1;
}

COMMAND(ttl)
{
    UNUSED_COUNT;
    const int64_t left = time_left(arguments[1]);
    say_integer(client, left > 0 ? (left + 500) / 1000 : left);
}

COMMAND(pttl)
{
    UNUSED_COUNT;
    say_integer(client, time_left(arguments[1]));
}

COMMAND(persist)
{
    UNUSED_COUNT;
    struct entry *const entry = find(arguments[1]);
    const bool expires = entry != NULL && entry->expires != 0;
    if (expires) set_expiry(entry, 0);
    say_integer(client, expires);
}

/* ---- Commands: strings ---- */

static void say_string(struct client *client, const struct entry *entry)
{
    if (entry == NULL) say_nil(client);
    else say_bulk(client, string_of(entry));
}

struct set_options {
    bool if_new, if_there, get, keep, expire;
    int64_t expires;
};

static bool read_set_options(struct client *client, const struct text *arguments, size_t count, struct set_options *options)
{
    for (size_t i = 3; i < count; i++) {
        const bool seconds = is_word(arguments[i], "ex");
        if (is_word(arguments[i], "nx") && !options->if_there) options->if_new = true;
        else if (is_word(arguments[i], "xx") && !options->if_new) options->if_there = true;
        else if (is_word(arguments[i], "get")) options->get = true;
        else if (is_word(arguments[i], "keepttl") && !options->expire) options->keep = true;
        else if ((seconds || is_word(arguments[i], "px")) && i + 1 < count && !options->expire && !options->keep) {
            options->expire = true;
            if (!read_expiry(client, "set", arguments[++i], seconds ? 1000 : 1, false, &options->expires)) return false;
        } else {
            say_syntax(client);
            return false;
        }
    }
    return true;
}

COMMAND(set)
{
    struct set_options options = { 0 };
    if (!read_set_options(client, arguments, count, &options)) return;
    struct entry *entry = find(arguments[1]);
    if (options.get) {
        if (!is_kind(client, entry, STRING)) return;
        say_string(client, entry);
    }
    const bool goes = entry != NULL ? !options.if_new : !options.if_there;
    if (goes) entry = string_set(arguments[1], arguments[2]);
    if (goes && !options.keep) set_expiry(entry, options.expires);
    if (options.get) return;
    if (goes) say_ok(client);
    else say_nil(client);
}

COMMAND(setnx)
{
    UNUSED_COUNT;
    const bool is_new = find(arguments[1]) == NULL;
    if (is_new) string_set(arguments[1], arguments[2]);
    say_integer(client, is_new);
}

COMMAND(get)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    if (is_kind(client, entry, STRING)) say_string(client, entry);
}

COMMAND(getset)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    if (!is_kind(client, entry, STRING)) return;
    say_string(client, entry);
    set_expiry(string_set(arguments[1], arguments[2]), 0);
}

COMMAND(getdel)
{
    UNUSED_COUNT;
    struct entry *const entry = find(arguments[1]);
    if (!is_kind(client, entry, STRING)) return;
    say_string(client, entry);
    if (entry != NULL) drop(entry);
}

COMMAND(mget)
{
    say_array(client, count - 1);
    for (size_t i = 1; i < count; i++) {
        const struct entry *const entry = find(arguments[i]);
        say_string(client, entry != NULL && entry->kind == STRING ? entry : NULL);
    }
}

static void set_pairs(const struct text *arguments, size_t count)
{
    for (size_t i = 1; i < count; i += 2) set_expiry(string_set(arguments[i], arguments[i + 1]), 0);
}

COMMAND(mset)
{
    if (count % 2 == 0) {
        say_arity(client, "mset");
        return;
    }
    set_pairs(arguments, count);
    say_ok(client);
}

COMMAND(msetnx)
{
    bool all_new = true;
    if (count % 2 == 0) {
        say_arity(client, "msetnx");
        return;
    }
    for (size_t i = 1; i < count; i += 2) all_new &= find(arguments[i]) == NULL;
    if (all_new) set_pairs(arguments, count);
    say_integer(client, all_new);
}

static void increment(struct client *client, struct text key, int64_t by)
{
    char line[24];
    int64_t value = 0;
    const struct entry *const entry = find(key);
    if (!is_kind(client, entry, STRING)) return;
    if (entry != NULL && !read_integer(string_of(entry), &value)) {
        say_not_integer(client);
    } else if (__builtin_add_overflow(value, by, &value)) {
        say_error(client, "ERR increment or decrement would overflow");
    } else {
        const int size = snprintf(line, sizeof line, "%" PRId64, value);
        string_set(key, (struct text){ line, (size_t)size });
        say_integer(client, value);
    }
}

COMMAND(incr)
{
    UNUSED_COUNT;
    increment(client, arguments[1], 1);
}

COMMAND(decr)
{
    UNUSED_COUNT;
    increment(client, arguments[1], -1);
}

COMMAND(incrby)
{
    int64_t by;
    UNUSED_COUNT;
    if (read_integer(arguments[2], &by)) increment(client, arguments[1], by);
    else say_not_integer(client);
}

COMMAND(decrby)
{
    int64_t by;
    UNUSED_COUNT;
    if (!read_integer(arguments[2], &by)) say_not_integer(client);
    else if (by == INT64_MIN) say_error(client, "ERR decrement would overflow");
    else increment(client, arguments[1], -by);
}

COMMAND(append)
{
    UNUSED_COUNT;
    struct entry *entry = find(arguments[1]);
    if (!is_kind(client, entry, STRING)) return;
    if (entry != NULL && entry->string.size + arguments[2].size > BULK_MOST) {
        say_error(client, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        return;
    }
    if (entry == NULL) entry = find_or_make(arguments[1], STRING);
    string_append(entry, arguments[2]);
    say_integer(client, (int64_t)entry->string.size);
}

COMMAND(strlen)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    if (is_kind(client, entry, STRING)) say_integer(client, entry != NULL ? (int64_t)entry->string.size : 0);
}

/* ---- Commands: lists ---- */

static void push(struct client *client, const struct text *arguments, size_t count, bool left)
{
    struct entry *entry = find(arguments[1]);
    if (!is_kind(client, entry, LIST)) return;
    if (entry == NULL) entry = find_or_make(arguments[1], LIST);
    for (size_t i = 2; i < count; i++) list_push(entry, arguments[i], left);
    say_integer(client, (int64_t)entry->list.count);
}

COMMAND(lpush)
{
    push(client, arguments, count, true);
}

COMMAND(rpush)
{
    push(client, arguments, count, false);
}

/* How many are asked for, -1 when that is not said. Says what is wrong with it. */
static bool read_how_many(struct client *client, const char *command, const struct text *arguments, size_t count, int64_t *most)
{
    *most = -1;
    if (count > 3) say_arity(client, command);
    else if (count == 3 && (!read_integer(arguments[2], most) || *most < 0))
        say_error(client, "ERR value is out of range, must be positive");
    else return true;
    return false;
}

static void pop(struct client *client, const char *command, const struct text *arguments, size_t count, bool left)
{
    int64_t most;
    struct entry *const entry = find(arguments[1]);
    if (!read_how_many(client, command, arguments, count, &most) || !is_kind(client, entry, LIST)) return;
    if (entry == NULL) {
        say(client, most < 0 ? "$-1\r\n" : "*-1\r\n");
        return;
    }
    size_t left_over = most < 0 ? 1 : (uint64_t)most < entry->list.count ? (size_t)most : entry->list.count;
    if (most >= 0) say_array(client, left_over);
    for (; left_over > 0; left_over--) {
        struct node *const node = left ? entry->list.first : entry->list.first->prev;
        say_bulk(client, (struct text){ node->data, node->size });
        list_drop(entry, node);
    }
    if (entry->list.count == 0) drop(entry);
}

COMMAND(lpop)
{
    pop(client, "lpop", arguments, count, true);
}

COMMAND(rpop)
{
    pop(client, "rpop", arguments, count, false);
}

COMMAND(llen)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    if (is_kind(client, entry, LIST)) say_integer(client, entry != NULL ? (int64_t)entry->list.count : 0);
}

/* The node at an index, from the end that is nearer. */
static const struct node *node_at(const struct entry *entry, size_t index)
{
    const struct node *node = entry->list.first;
    if (index < entry->list.count / 2) {
        for (; index > 0; index--) node = node->next;
    } else {
        for (index = entry->list.count - index; index > 0; index--) node = node->prev;
    }
    return node;
}

COMMAND(lrange)
{
    int64_t first, last;
    UNUSED_COUNT;
    if (!read_integer(arguments[2], &first) || !read_integer(arguments[3], &last)) {
        say_not_integer(client);
        return;
    }
    const struct entry *const entry = find(arguments[1]);
    if (!is_kind(client, entry, LIST)) return;
    const int64_t length = entry != NULL ? (int64_t)entry->list.count : 0;
    if (first < 0) first = first + length > 0 ? first + length : 0;
    if (last < 0) last += length;
    if (last >= length) last = length - 1;
    if (first > last) {
        say_array(client, 0);
        return;
    }
    say_array(client, (size_t)(last - first + 1));
    for (const struct node *node = node_at(entry, (size_t)first); first <= last; first++, node = node->next)
        say_bulk(client, (struct text){ node->data, node->size });
}

/* ---- Commands: sets ---- */

COMMAND(sadd)
{
    int64_t added = 0;
    struct entry *entry = find(arguments[1]);
    if (!is_kind(client, entry, SET)) return;
    if (entry == NULL) entry = find_or_make(arguments[1], SET);
    for (size_t i = 2; i < count; i++) {
        bool is_new;
        field_make(&entry->fields, arguments[i], &is_new);
        added += is_new;
    }
    say_integer(client, added);
}

/* SREM and HDEL. */
static void remove_fields(struct client *client, const struct text *arguments, size_t count, enum kind kind)
{
    int64_t gone = 0;
    struct entry *const entry = find(arguments[1]);
    if (!is_kind(client, entry, kind)) return;
    for (size_t i = 2; i < count && entry != NULL; i++) {
        struct field *const field = field_find(entry->fields, arguments[i]);
        if (field == NULL) continue;
        field_drop(&entry->fields, field);
        gone++;
    }
    if (entry != NULL && entry->fields == NULL) drop(entry);
    say_integer(client, gone);
}

COMMAND(srem)
{
    remove_fields(client, arguments, count, SET);
}

static void count_fields(struct client *client, struct text key, enum kind kind)
{
    const struct entry *const entry = find(key);
    if (is_kind(client, entry, kind)) say_integer(client, entry != NULL ? HASH_COUNT(entry->fields) : 0);
}

COMMAND(scard)
{
    UNUSED_COUNT;
    count_fields(client, arguments[1], SET);
}

COMMAND(sismember)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    if (is_kind(client, entry, SET)) say_integer(client, entry != NULL && field_find(entry->fields, arguments[2]) != NULL);
}

static struct text name_of(const struct field *field)
{
    return (struct text){ field->name, field->size };
}

COMMAND(smembers)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    if (!is_kind(client, entry, SET)) return;
    say_array(client, entry != NULL ? HASH_COUNT(entry->fields) : 0);
    for (const struct field *field = entry != NULL ? entry->fields : NULL; field != NULL; field = field->hh.next)
        say_bulk(client, name_of(field));
}

/* Any will do: the oldest. */
COMMAND(spop)
{
    int64_t most;
    struct entry *const entry = find(arguments[1]);
    if (!read_how_many(client, "spop", arguments, count, &most) || !is_kind(client, entry, SET)) return;
    size_t there = entry != NULL ? HASH_COUNT(entry->fields) : 0;
    if (most >= 0) {
        if ((uint64_t)most < there) there = (size_t)most;
        say_array(client, there);
    } else if (entry == NULL) {
        say_nil(client);
    } else {
        there = 1;
    }
    for (; there > 0; there--) {
        say_bulk(client, name_of(entry->fields));
        field_drop(&entry->fields, entry->fields);
    }
    if (entry != NULL && entry->fields == NULL) drop(entry);
}

/* ---- Commands: hashes ---- */

COMMAND(hset)
{
    int64_t added = 0;
    if (count % 2 != 0) {
        say_arity(client, "hset");
        return;
    }
    struct entry *entry = find(arguments[1]);
    if (!is_kind(client, entry, HASH)) return;
    if (entry == NULL) entry = find_or_make(arguments[1], HASH);
    for (size_t i = 2; i < count; i += 2) {
        bool is_new;
        struct field *const field = field_make(&entry->fields, arguments[i], &is_new);
        added += is_new;
        field->value_size = arguments[i + 1].size;
        field->value = resize(field->value, field->value_size);
        memcpy(field->value, arguments[i + 1].data, field->value_size);
    }
    say_integer(client, added);
}

COMMAND(hget)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    if (!is_kind(client, entry, HASH)) return;
    const struct field *const field = entry != NULL ? field_find(entry->fields, arguments[2]) : NULL;
    if (field == NULL) say_nil(client);
    else say_bulk(client, (struct text){ field->value, field->value_size });
}

COMMAND(hdel)
{
    remove_fields(client, arguments, count, HASH);
}

COMMAND(hlen)
{
    UNUSED_COUNT;
    count_fields(client, arguments[1], HASH);
}

COMMAND(hgetall)
{
    UNUSED_COUNT;
    const struct entry *const entry = find(arguments[1]);
    if (!is_kind(client, entry, HASH)) return;
    say_array(client, entry != NULL ? HASH_COUNT(entry->fields) * 2 : 0);
    for (const struct field *field = entry != NULL ? entry->fields : NULL; field != NULL; field = field->hh.next) {
        say_bulk(client, name_of(field));
        say_bulk(client, (struct text){ field->value, field->value_size });
    }
}

/* ---- Commands: pub/sub ---- */

struct channel {
    UT_hash_handle hh;
    struct subscription *subscriptions;
    size_t size;
    char name[];
};

struct subscription {
    struct subscription *prev, *next;           /* of the channel */
    struct subscription *prev_of_client, *next_of_client;
    struct client *client;
    struct channel *channel;
};

static struct channel *channels;

static struct channel *channel_find(struct text name)
{
    struct channel *channel;
    HASH_FIND(hh, channels, name.data, (unsigned)name.size, channel);
    return channel;
}

static struct channel *channel_find_or_make(struct text name)
{
    struct channel *channel = channel_find(name);
    if (channel != NULL) return channel;
    channel = resize(NULL, sizeof *channel + name.size);
    memset(channel, 0, sizeof *channel);
    channel->size = name.size;
    memcpy(channel->name, name.data, name.size);
    HASH_ADD_KEYPTR(hh, channels, channel->name, (unsigned)name.size, channel);
    return channel;
}

static struct subscription *subscription_find(struct client *client, struct text name)
{
    struct channel *const channel = channel_find(name);
    struct subscription *one = NULL;
    if (channel != NULL) DL_FOREACH2 (client->subscriptions, one, next_of_client)
        if (one->channel == channel) break;
    return one;
}

static void subscribe(struct client *client, struct text name)
{
    if (subscription_find(client, name) != NULL) return;
    struct subscription *const one = resize(NULL, sizeof *one);
    *one = (struct subscription){ .client = client, .channel = channel_find_or_make(name) };
    DL_APPEND(one->channel->subscriptions, one);
    DL_APPEND2(client->subscriptions, one, prev_of_client, next_of_client);
    client->subscription_count++;
}

static void unsubscribe(struct subscription *one)
{
    struct channel *const channel = one->channel;
    DL_DELETE2(one->client->subscriptions, one, prev_of_client, next_of_client);
    one->client->subscription_count--;
    DL_DELETE(channel->subscriptions, one);
    free(one);
    if (channel->subscriptions != NULL) return;
    HASH_DEL(channels, channel);
    free(channel);
}

static void say_subscribed(struct client *client, const char *what, struct text name)
{
    say_array(client, 3);
    say_bulk(client, text_of(what));
    if (name.data != NULL) say_bulk(client, name);
    else say_nil(client);
    say_integer(client, (int64_t)client->subscription_count);
}

COMMAND(subscribe)
{
    for (size_t i = 1; i < count; i++) {
        subscribe(client, arguments[i]);
        say_subscribed(client, "subscribe", arguments[i]);
    }
}

/* The channel may go with its last subscription, and its name with it. */
static void unsubscribe_any(struct client *client)
{
    const struct channel *const channel = client->subscriptions->channel;
    char *const name = resize(NULL, channel->size);
    const size_t size = channel->size;
    memcpy(name, channel->name, size);
    unsubscribe(client->subscriptions);
    say_subscribed(client, "unsubscribe", (struct text){ name, size });
    free(name);
}

COMMAND(unsubscribe)
{
    if (count == 1 && client->subscriptions == NULL) say_subscribed(client, "unsubscribe", (struct text){ NULL, 0 });
    while (count == 1 && client->subscriptions != NULL) unsubscribe_any(client);
    for (size_t i = 1; i < count; i++) {
        struct subscription *const one = subscription_find(client, arguments[i]);
        if (one != NULL) unsubscribe(one);
        say_subscribed(client, "unsubscribe", arguments[i]);
    }
}

/* Its task is woken, sees that its stream is closed, and unsubscribes. */
static void cut_off(struct client *client)
{
    pawl_stream_abort(&client->stream);
}

COMMAND(publish)
{
    int64_t receivers = 0;
    struct subscription *one;
    const struct channel *const channel = channel_find(arguments[1]);
    UNUSED_COUNT;
    if (channel != NULL) DL_FOREACH (channel->subscriptions, one) {
        say_array(one->client, 3);
        say_bulk(one->client, text_of("message"));
        say_bulk(one->client, arguments[1]);
        say_bulk(one->client, arguments[2]);
        if (pawl_stream_unsent(&one->client->stream) > SUBSCRIBER_MOST) cut_off(one->client);
        receivers++;
    }
    say_integer(client, receivers);
}

/* ---- The table of commands ---- */

struct command {
    const char *name;
    void (*run)(struct client *client, const struct text *arguments, size_t count);
    int arity;           /* with the name; -3: at least three */
    bool while_listening; /* may it be said by one who has subscribed? */
};

/* In the order of the names. */
static const struct command commands[] = {
    { "append", do_append, 3, false },      { "client", do_client, -2, false },     { "command", do_command, -1, false },
    { "config", do_config, -2, false },     { "dbsize", do_dbsize, 1, false },      { "decr", do_decr, 2, false },
    { "decrby", do_decrby, 3, false },      { "del", do_del, -2, false },           { "echo", do_echo, 2, false },
    { "exists", do_exists, -2, false },     { "expire", do_expire, 3, false },      { "flushall", do_flushall, -1, false },
    { "flushdb", do_flushall, -1, false },  { "get", do_get, 2, false },            { "getdel", do_getdel, 2, false },
    { "getset", do_getset, 3, false },      { "hdel", do_hdel, -3, false },         { "hello", do_hello, -1, false },
    { "hget", do_hget, 3, false },          { "hgetall", do_hgetall, 2, false },    { "hlen", do_hlen, 2, false },
    { "hset", do_hset, -4, false },         { "incr", do_incr, 2, false },          { "incrby", do_incrby, 3, false },
    { "info", do_info, -1, false },         { "keys", do_keys, 2, false },          { "llen", do_llen, 2, false },
    { "lpop", do_lpop, -2, false },         { "lpush", do_lpush, -3, false },       { "lrange", do_lrange, 4, false },
    { "mget", do_mget, -2, false },         { "mset", do_mset, -3, false },         { "msetnx", do_msetnx, -3, false },
    { "persist", do_persist, 2, false },    { "pexpire", do_pexpire, 3, false },    { "ping", do_ping, -1, true },
    { "pttl", do_pttl, 2, false },          { "publish", do_publish, 3, false },    { "quit", do_quit, -1, true },
    { "rpop", do_rpop, -2, false },         { "rpush", do_rpush, -3, false },       { "sadd", do_sadd, -3, false },
    { "scan", do_scan, -2, false },         { "scard", do_scard, 2, false },        { "select", do_select, 2, false },
    { "set", do_set, -3, false },           { "setnx", do_setnx, 3, false },        { "sismember", do_sismember, 3, false },
    { "smembers", do_smembers, 2, false },  { "spop", do_spop, -2, false },         { "srem", do_srem, -3, false },
    { "strlen", do_strlen, 2, false },      { "subscribe", do_subscribe, -2, true }, { "ttl", do_ttl, 2, false },
    { "type", do_type, 2, false },          { "unsubscribe", do_unsubscribe, -1, true },
};

static int compare_name(const void *key, const void *element)
{
    const struct text *const name = key;
    const struct command *const command = element;
    const int order = strncasecmp(name->data, command->name, name->size);
    return order != 0 ? order : -(command->name[name->size] != '\0');
}

static const struct command *command_find(struct text name)
{
    if (name.size == 0 || name.size > 16 || memchr(name.data, '\0', name.size) != NULL) return NULL;
    return bsearch(&name, commands, sizeof commands / sizeof commands[0], sizeof commands[0], compare_name);
}

static void say_unknown(struct client *client, const struct text *arguments, size_t count)
{
    char line[256];
    size_t used = 0;
    for (size_t i = 1; i < count && used < 128; i++) {
        const size_t most = 128 - used, size = arguments[i].size < most ? arguments[i].size : most;
        used += (size_t)snprintf(line + used, sizeof line - used, "'%.*s' ", (int)size, arguments[i].data);
    }
    line[used] = '\0';
    say_error(client, "ERR unknown command '%.*s', with args beginning with: %s",
              shown(arguments[0]), arguments[0].data, line);
}

static void run(struct client *client, const struct text *arguments, size_t count)
{
    const struct command *const command = command_find(arguments[0]);
    commands_run++;
    if (command == NULL) say_unknown(client, arguments, count);
    else if (command->arity > 0 ? count != (size_t)command->arity : count < (size_t)-command->arity) say_arity(client, command->name);
    else if (client->subscriptions != NULL && !command->while_listening)
        say_error(client, "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                  command->name);
    else command->run(client, arguments, count);
}

/* ---- A connection ---- */

static void client_begin(struct client *client)
{
    client->id = ++clients_seen;
    clients_now++;
}

static void client_end(struct client *client)
{
    while (client->subscriptions != NULL) unsubscribe(client->subscriptions);
    request_end(&client->request);
    free((char *)(uintptr_t)client->name.data);
    client->name = (struct text){ NULL, 0 };
    clients_now--;
}

ASYNC(client)
{
    ASYNC_BEGIN(client);
    client_begin(self);
    TRY {
        while (!self->quits) {
            AWAIT(self->read, CORO(read_request, .stream = &self->stream, .request = &self->request));
            if (!self->read.result) break;
            if (self->request.count > 0) run(self, self->request.arguments, self->request.count);
            request_clear(&self->request);
            if (pawl_stream_unsent(&self->stream) > PAWL_STREAM_LIMIT) AWAIT(self->drain, pawl_stream_drain(&self->stream));
        }
    } CATCH(-EPROTO) {
        say_error(self, "ERR Protocol error: %s", self->request.complaint);
    } CATCH(PAWL_ECLOSED) {
        /* it was cut off, for it did not read */
    } FINALLY {
        client_end(self);
    } END_TRY;
    ASYNC_END;
}

/* ---- The program ---- */

static const char *host = "127.0.0.1";
static uint16_t port = 6379;

struct amain {
    COROUTINE(int);
    struct pawl_server server;
    struct pawl_group group;
    struct pawl_serve_forever serve;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    const int error = pawl_start_server(&self->server, host, port, HANDLER(client), NULL);
    if (error != 0) {
        fprintf(stderr, "kv_server: cannot listen on %s port %u: %s\n", host, (unsigned)port, pawl_strerror(error));
        ASYNC_RETURN(EXIT_FAILURE);
    }
    printf("listening on %s port %d\n", host, pawl_server_port(&self->server));
    fflush(stdout);
    TRY {
        WITH(self->group, pawl_group()) {
            pawl_group_spawn(&self->group, CORO(sweeper));
            AWAIT(self->serve, pawl_serve_forever(&self->server)); /* until Ctrl-C */
        } END_WITH;
    } FINALLY {
        drop_all();
    } END_TRY;
    ASYNC_END;
}

static const char usage[] = "usage: kv_server [ADDRESS [PORT]]\n"
                            "Speaks the protocol of Redis, on 127.0.0.1 port 6379 when not told otherwise. PORT 0 is any free one.\n"
                            "Ctrl-C closes all connections and ends it with status 130; what it holds is gone then.\n";

static bool read_port(const char *text)
{
    int64_t value;
    if (!read_integer(text_of(text), &value) || value < 0 || value > 65535) return false;
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
        fprintf(stderr, "kv_server: bad argument '%s'\n%s", arguments[count - 1], usage);
        return 2;
    }
    return pawl_run(CORO(amain));
}
