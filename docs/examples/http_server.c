/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * An HTTP/1.1 server, with llhttp (the parser of Node) to take requests apart.
 *
 *      $ http_server --port 8000 FOLDER &
 *      $ curl http://127.0.0.1:8000/hello
 *
 * A connection is a coroutine, and each of its requests goes through these steps:
 *
 *      stream ──fill──► llhttp ──► request ──► page ──write──► stream        serve: again, while the connection is kept alive
 *                 receive: the head, then the body      answer
 *
 * Pages come last in this file, and know nothing of the protocol: a page is a coroutine that says http_begin and http_write, or
 * http_text. What it writes is gathered by the stream, so the answers to requests that came together leave together.
 *
 * One deadline stands over all that a connection waits for, and is moved on from step to step: so much time for a head, a
 * body, a peer that takes nothing, a connection without a request. Behind it there is only the farewell: a connection that is closed while the peer
 * still sends would be reset, and the last answer lost with it; so the end is said, and what still comes is read and dropped for a while.
 *
 *      serve ── the last request, a refusal, the peer's end ──► farewell ──► closed
 *        └───── the deadline: 408 if a request was half there ────┘
 *
 * Reading files may hold up everybody for as long as the disk takes.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_HEAD = 8 * 1024,             /* bytes of a request before its body … */
    MOST_TARGET = 2 * 1024,           /* … of which the target of the request is a part, … */
    MOST_NAME = 24, MOST_VALUE = 64,  /* … and longer than those that are understood no field is kept */
    MANY_UNSENT = 16 * 1024,          /* bytes written, with which the next request waits */
    SHARE = 256 * 1024,               /* of a file or a body: what the peer must take in the time for it */
    MOST_DROPPED = 4 * 1024 * 1024    /* bytes read in a farewell */
};

static struct {
    const char *host;
    const char *folder; /* NULL: no files */
    uint16_t port;
    size_t connections;
    uint64_t body; /* bytes, at most */
    pawl_time head_time, body_time, idle_time, stall_time, farewell_time, grace;
} options = {
    .host = "127.0.0.1", .port = 8000, .connections = 1000, .body = 1024 * 1024,
    .head_time = PAWL_SEC(10), .body_time = PAWL_SEC(30), .idle_time = PAWL_SEC(30), .stall_time = PAWL_SEC(30),
    .farewell_time = PAWL_SEC(2), .grace = PAWL_SEC(5)
};

/* ---- An exchange: a request and its answer ---- */

enum method { GET = 1, HEAD = 2, POST = 4 }; /* those that are known; 0 is any other */

/* What a Range asks for: from `first` to `last`, or the last so many bytes. */
struct range {
    enum { WHOLE, FROM_TO, LAST } kind;
    uint64_t first, last;
};

struct request {
    enum method method;
    size_t target_size;
    uint64_t body_size;
    unsigned hosts, encodings; /* fields of that name */
    bool strange_encoding, expects_continue, strange_expectation;
    bool if_range;
    struct range range;
    time_t if_modified_since; /* -1: no matter */
};

/* A field of the head, while it comes in. */
struct field {
    char name[MOST_NAME], value[MOST_VALUE];
    size_t name_size, value_size;
};

struct answer {
    bool begun, chunked, bodiless;
    uint64_t left; /* bytes that were announced and not yet written */
};

/* A page, and who may see it. */
struct http;
union page;
struct route {
    const char *path; /* NULL: any other */
    unsigned methods;
    bool takes_body;
    void (*make)(union page *page, struct http *http);
};

/* A connection, and the exchange that it is at. */
struct http {
    struct pawl_stream *stream;
    struct pawl_timeout *deadline;
    struct http *next, **link; /* in the list of all */

    llhttp_t parser;
    enum { BEFORE, IN_HEAD, IN_BODY, COMPLETE } stage;
    bool paused;      /* the parser: the head is there, or all of the request */
    bool ended;       /* no further request comes */
    bool keep_alive;
    unsigned refused; /* the status with which the connection ends */
    int error;        /* of what was written */
    size_t head_size;
    char target[MOST_TARGET + 1]; /* as it came: /a%20b?c=d */
    struct field field;
    struct request request;
    const struct route *route;
    struct answer answer;
    char *body; /* if the route takes one */
    size_t body_room;
};

static struct {
    struct http *connections;
    bool closing;
    int folder;
} site = { .folder = -1 };

/* From now on it may wait for so long, and then it is over. */
static void http_allow(struct http *http, pawl_time span)
{
    pawl_timeout_reschedule(http->deadline, span == PAWL_FOREVER ? span : pawl_loop_time(pawl_loop_current()) + span);
}

/* ---- Answers ---- */

#define CHUNKED UINT64_MAX /* for a length: not known yet */

static const char *status_text(unsigned status)
{
    static const struct { unsigned status; const char *text; } texts[] = {
        { 200, "OK" }, { 206, "Partial Content" }, { 301, "Moved Permanently" }, { 304, "Not Modified" }, { 400, "Bad Request" },
        { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 408, "Request Timeout" },
        { 413, "Content Too Large" }, { 414, "URI Too Long" }, { 416, "Range Not Satisfiable" }, { 417, "Expectation Failed" },
        { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
        { 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) if (texts[i].status == status) return texts[i].text;
    return "Unknown";
}

#define DATE_FORMAT "%a, %d %b %Y %H:%M:%S GMT"
enum { DATE_SIZE = 32 };

static const char *write_date(char text[DATE_SIZE], time_t when)
{
    struct tm parts;
    if (gmtime_r(&when, &parts) == NULL || strftime(text, DATE_SIZE, DATE_FORMAT, &parts) == 0) text[0] = '\0';
    return text;
}

/* The date of now, made once a second. */
static const char *date_of_now(void)
{
    static char text[DATE_SIZE];
    static time_t made = -1;
    const time_t now = time(NULL);
    if (now != made) write_date(text, made = now);
    return text;
}

/* What was not written would be missing in the middle: the first error ends the connection. */
static void put(struct http *http, const void *data, size_t size)
{
    if (http->error == 0) http->error = pawl_stream_write(http->stream, data, size);
}

static void put_text(struct http *http, const char *text)
{
    put(http, text, strlen(text));
}

/* Without chunks, what has no known length ends with the connection. */
static void choose_framing(struct http *http, unsigned status, uint64_t length)
{
    const bool chunks = http->parser.http_major == 1 && http->parser.http_minor >= 1;
    http->answer = (struct answer){ .begun = true, .bodiless = http->request.method == HEAD || status == 304, .left = length };
    http->answer.chunked = length == CHUNKED && chunks;
    if (length == CHUNKED && !chunks) http->keep_alive = false;
    if (http->refused != 0 || site.closing) http->keep_alive = false;
}

static const char *connection_field(const struct http *http)
{
    if (!http->keep_alive) return "Connection: close\r\n";
    return http->parser.http_minor == 0 ? "Connection: keep-alive\r\n" : "";
}

/* Begins an answer: its status, the type of its body (NULL: none) and the length, or CHUNKED; and further fields, each with its line end,
 * or NULL. */
static void http_begin(struct http *http, unsigned status, const char *type, uint64_t length, const char *fields)
{
    char text[512];
    choose_framing(http, status, length);
    int size = snprintf(text, sizeof text, "HTTP/1.1 %u %s\r\nDate: %s\r\n%s", status, status_text(status), date_of_now(), connection_field(http));
    if (type != NULL) size += snprintf(text + size, sizeof text - (size_t)size, "Content-Type: %s\r\n", type);
    if (http->answer.chunked) size += snprintf(text + size, sizeof text - (size_t)size, "Transfer-Encoding: chunked\r\n");
    else if (length != CHUNKED && status != 304)
        size += snprintf(text + size, sizeof text - (size_t)size, "Content-Length: %llu\r\n", (unsigned long long)length);
    put(http, text, (size_t)size);
    if (fields != NULL) put_text(http, fields);
    put(http, "\r\n", 2);
}

/* A part of the body. */
static void http_write(struct http *http, const void *data, size_t size)
{
    if (http->answer.bodiless || size == 0) return;
    if (http->answer.chunked) {
        char head[24];
        put(http, head, (size_t)snprintf(head, sizeof head, "%zx\r\n", size));
    } else if (http->answer.left != CHUNKED) {
        http->answer.left -= size;
    }
    put(http, data, size);
    if (http->answer.chunked) put(http, "\r\n", 2);
}

/* A whole answer. */
static void http_text(struct http *http, unsigned status, const char *text)
{
    http_begin(http, status, "text/plain; charset=utf-8", strlen(text), NULL);
    http_write(http, text, strlen(text));
}

static void http_error(struct http *http, unsigned status, const char *fields)
{
    char text[64];
    const int size = snprintf(text, sizeof text, "%u %s\n", status, status_text(status));
    http_begin(http, status, "text/plain; charset=utf-8", (uint64_t)size, fields);
    http_write(http, text, (size_t)size);
}

/* After the page. What was announced and did not come cannot be made good: the connection ends. */
static void http_finish(struct http *http)
{
    if (http->answer.chunked && !http->answer.bodiless) put(http, "0\r\n\r\n", 5);
    if (!http->answer.bodiless && http->answer.left != CHUNKED && http->answer.left != 0) http->keep_alive = false;
}

/* Should a page that goes on writing drain the stream first? The peer has its time then. */
static bool http_is_full(struct http *http)
{
    if (pawl_stream_unsent(http->stream) < MANY_UNSENT) return false;
    http_allow(http, options.stall_time);
    return true;
}

/* Writes a large part, as fast as the peer takes it. */
struct http_send {
    COROUTINE(void);
    struct http *http;
    const char *data;
    size_t size;
    struct pawl_stream_drain drain;
};

ASYNC(http_send)
{
    ASYNC_BEGIN(http_send);
    while (self->size > 0) {
        const size_t share = self->size < SHARE ? self->size : SHARE;
        http_write(self->http, self->data, share);
        self->data += share;
        self->size -= share;
        if (http_is_full(self->http)) AWAIT(self->drain, pawl_stream_drain(self->http->stream));
    }
    ASYNC_END;
}

/* ---- The parser ---- */

static struct http *http_of(const llhttp_t *parser)
{
    return parser->data;
}

/* Ends the parsing, and with it the connection. */
static int refuse(struct http *http, unsigned status)
{
    if (http->refused == 0) http->refused = status;
    return -1;
}

static int on_begin(llhttp_t *parser)
{
    http_of(parser)->stage = IN_HEAD;
    return 0;
}

static int on_target(llhttp_t *parser, const char *text, size_t size)
{
    struct http *const http = http_of(parser);
    if (http->request.target_size + size > MOST_TARGET) return refuse(http, 414);
    memcpy(http->target + http->request.target_size, text, size);
    http->request.target_size += size;
    return 0;
}

/* What is too long for any field that is understood is cut off: it is not understood then either. */
static size_t append(char *text, size_t used, size_t room, const char *more, size_t size)
{
    const size_t fits = size < room - 1 - used ? size : room - 1 - used;
    memcpy(text + used, more, fits);
    return used + fits;
}

/* Fields behind a body count as those before it, which are counted as they are parsed. */
static int count_trailer(struct http *http, size_t size)
{
    if (http->stage <= IN_HEAD) return 0;
    http->head_size += size;
    return http->head_size > MOST_HEAD ? refuse(http, 431) : 0;
}

static int on_field_name(llhttp_t *parser, const char *text, size_t size)
{
    struct field *const field = &http_of(parser)->field;
    field->name_size = append(field->name, field->name_size, sizeof field->name, text, size);
    return count_trailer(http_of(parser), size);
}

static int on_field_value(llhttp_t *parser, const char *text, size_t size)
{
    struct field *const field = &http_of(parser)->field;
    field->value_size = append(field->value, field->value_size, sizeof field->value, text, size);
    return count_trailer(http_of(parser), size);
}

static bool read_number(const char **text, uint64_t *number)
{
    char *end;
    if (!isdigit((unsigned char)**text)) return false;
    *number = strtoull(*text, &end, 10); /* one that is too large is the largest */
    *text = end;
    return true;
}

/* One range of bytes. Any other form may be ignored. */
static struct range read_range(const char *text)
{
    struct range range = { FROM_TO, 0, UINT64_MAX };
    if (strncasecmp(text, "bytes=", 6) != 0) return (struct range){ WHOLE, 0, 0 };
    text += 6;
    if (!read_number(&text, &range.first)) range.kind = LAST;
    if (*text++ != '-') return (struct range){ WHOLE, 0, 0 };
    const bool has_last = read_number(&text, &range.last);
    if (*text != '\0' || (range.kind == LAST && !has_last) || (range.kind == FROM_TO && range.last < range.first)) range.kind = WHOLE;
    return range;
}

static time_t read_date(const char *text)
{
    struct tm parts = { 0 };
    const char *const end = strptime(text, DATE_FORMAT, &parts);
    return end != NULL && *end == '\0' ? timegm(&parts) : -1;
}

static void understand(struct request *request, const char *name, const char *value)
{
    if (strcasecmp(name, "Host") == 0) request->hosts++;
    else if (strcasecmp(name, "If-Range") == 0) request->if_range = true;
    else if (strcasecmp(name, "Range") == 0) request->range = read_range(value);
    else if (strcasecmp(name, "If-Modified-Since") == 0) request->if_modified_since = read_date(value);
    else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        request->strange_encoding |= request->encodings++ > 0 || strcasecmp(value, "chunked") != 0;
    } else if (strcasecmp(name, "Expect") == 0) {
        if (strcasecmp(value, "100-continue") == 0) request->expects_continue = true;
        else request->strange_expectation = true;
    }
}

static int on_field_end(llhttp_t *parser)
{
    struct http *const http = http_of(parser);
    struct field *const field = &http->field;
    const bool cut = field->name_size == sizeof field->name - 1 || field->value_size == sizeof field->value - 1;
    field->name[field->name_size] = field->value[field->value_size] = '\0';
    while (field->value_size > 0 && strchr(" \t", field->value[field->value_size - 1])) field->value[--field->value_size] = '\0';
    if (http->stage <= IN_HEAD && !cut) understand(&http->request, field->name, field->value); /* one in a trailer comes too late */
    field->name_size = field->value_size = 0;
    return 0;
}

static enum method method_of(const llhttp_t *parser)
{
    return parser->method == HTTP_GET ? GET : parser->method == HTTP_HEAD ? HEAD : parser->method == HTTP_POST ? POST : 0;
}

/* What is wrong with a head, that nobody can say where its body ends, or that it asks for what is not to be had: its status, or 0. */
static unsigned judge_head(const llhttp_t *parser, const struct request *request)
{
    const bool old = parser->http_minor == 0;
    if (parser->http_major != 1) return 505;
    if (request->hosts > 1 || (request->hosts == 0 && !old)) return 400;
    if (request->encodings > 0 && old) return 400;
    if (request->strange_encoding) return 501;
    if (request->strange_expectation) return 417;
    if (request->encodings == 0 && parser->content_length > options.body) return 413;
    return 0;
}

static int on_head_end(llhttp_t *parser)
{
    struct http *const http = http_of(parser);
    const unsigned status = judge_head(parser, &http->request);
    http->request.method = method_of(parser);
    if (status != 0) return refuse(http, status);
    http->target[http->request.target_size] = '\0';
    http->keep_alive = llhttp_should_keep_alive(parser);
    http->stage = IN_BODY;
    http->paused = true;
    parser->upgrade = 0; /* to no other protocol */
    return HPE_PAUSED;
}

/* The body in one piece, so that a page need not wait for its parts. */
static int keep_body(struct http *http, const char *data, size_t size)
{
    const size_t used = (size_t)http->request.body_size, needed = used + size;
    if (needed > http->body_room) {
        size_t room = http->body_room > 0 ? http->body_room : 4096;
        while (room < needed) room *= 2;
        char *const body = realloc(http->body, room);
        if (body == NULL) return refuse(http, 503);
        http->body = body;
        http->body_room = room;
    }
    memcpy(http->body + used, data, size);
    return 0;
}

static int on_body(llhttp_t *parser, const char *data, size_t size)
{
    struct http *const http = http_of(parser);
    if (http->request.body_size + size > options.body) return refuse(http, 413);
    if (http->route != NULL && http->route->takes_body && keep_body(http, data, size) != 0) return -1;
    http->request.body_size += size;
    return 0;
}

static int on_request_end(llhttp_t *parser)
{
    struct http *const http = http_of(parser);
    http->stage = COMPLETE;
    http->paused = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_message_begin = on_begin, .on_url = on_target, .on_header_field = on_field_name, .on_header_value = on_field_value, .on_header_value_complete = on_field_end,
    .on_headers_complete = on_head_end, .on_body = on_body, .on_message_complete = on_request_end
};

/* Forgets the last request. */
static void http_next(struct http *http)
{
    llhttp_init(&http->parser, HTTP_REQUEST, &callbacks);
    http->parser.data = http;
    http->stage = BEFORE;
    http->head_size = http->field.name_size = http->field.value_size = 0;
    http->answer = (struct answer){ 0 };
    http->route = NULL;
    http->request = (struct request){ .if_modified_since = -1 };
    free(http->body);
    http->body = NULL;
    http->body_room = 0;
}

/* A method is a word. One that nobody knows is no mistake of the syntax. */
static bool may_be_word(unsigned char c)
{
    return isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static unsigned status_of(llhttp_errno_t error, const char *where, const char *end)
{
    if (error == HPE_INVALID_METHOD) return where < end && may_be_word((unsigned char)*where) ? 501 : 400;
    return error == HPE_INVALID_VERSION || error == HPE_PAUSED_H2_UPGRADE ? 505 : 400;
}

/* Gives the parser what came: how much of it is dealt with. */
static size_t parse(struct http *http, const char *data, size_t size)
{
    const bool in_head = http->stage <= IN_HEAD;
    http->paused = false;
    const llhttp_errno_t error = llhttp_execute(&http->parser, data, size);
    const char *const stop = error != HPE_OK ? llhttp_get_error_pos(&http->parser) : data + size;
    if (error == HPE_PAUSED && http->paused) llhttp_resume(&http->parser);
    else if (error != HPE_OK) refuse(http, status_of(error, stop, data + size));
    const size_t used = (size_t)(stop - data);
    if (!in_head) return used;
    http->head_size += used;
    if (http->head_size > MOST_HEAD) refuse(http, 431);
    return used;
}

/* ---- Receiving a request ---- */

/* How long the peer may take for what comes next, counted from its beginning. */
static void await_more(struct http *http, int before)
{
    if ((int)http->stage == before) return;
    http_allow(http, http->stage == BEFORE ? options.idle_time : http->stage == IN_HEAD ? options.head_time : options.body_time);
}

/* The peer has ended: between two requests that is as it should be. */
static void end_of_input(struct http *http)
{
    http->ended = true;
    if (http->stage != BEFORE) refuse(http, 400);
}

/* Reads up to the end of the head, and called once more up to the end of the request. */
struct receive {
    COROUTINE(void);
    struct http *http;
    int timed; /* the stage that has its time */
    struct pawl_stream_piece fill;
};

ASYNC(receive)
{
    ASYNC_BEGIN(receive);
    self->timed = -1;
    parse(self->http, "", 0); /* without a body there is nothing more to come */
    while (!self->http->paused && self->http->refused == 0) {
        if (pawl_stream_buffered(self->http->stream) == 0) {
            await_more(self->http, self->timed);
            self->timed = (int)self->http->stage;
        }
        AWAIT(self->fill, pawl_stream_fill(self->http->stream, 1));
        if (self->fill.size == 0) {
            end_of_input(self->http);
            break;
        }
        pawl_stream_consume(self->http->stream, parse(self->http, self->fill.data, self->fill.size));
    }
    ASYNC_END;
}

/* ---- Where a request leads to ---- */

/* The path of a target, which may also be written with the server's name in front: without the query. */
static const char *path_of(const struct http *http, size_t *size)
{
    const char *path = http->target;
    if (strncasecmp(path, "http://", 7) == 0) {
        path = strpbrk(path + 7, "/?");
        if (path == NULL || *path == '?') path = "/";
    }
    *size = strcspn(path, "?#");
    return path;
}

/* A number in the query: the first NAME=…, at most `most`. */
static uint64_t query_number(const struct http *http, const char *name, uint64_t otherwise, uint64_t most)
{
    const size_t size = strlen(name);
    uint64_t number;
    for (const char *at = strchr(http->target, '?'); at != NULL; at = strchr(at, '&')) {
        const char *value = ++at + size + 1;
        if (strncmp(at, name, size) != 0 || at[size] != '=' || !read_number(&value, &number)) continue;
        return number < most ? number : most;
    }
    return otherwise;
}

static const struct route *route_to(const char *path, size_t size);

static bool is_allowed(const struct http *http)
{
    return (http->route->methods & http->request.method) != 0;
}

/* The head is there: where does it lead to, and should the body come? A peer that waits to be told so gets the answer at once if it is to
 * be no. */
static void choose_route(struct http *http)
{
    size_t size;
    const char *const path = path_of(http, &size);
    http->route = route_to(path, size);
    const bool has_body = http->request.encodings > 0 || http->parser.content_length > 0;
    if (!http->request.expects_continue || !has_body || http->parser.http_minor == 0) return;
    if (!is_allowed(http)) refuse(http, 405);
    else if (pawl_stream_buffered(http->stream) == 0) put_text(http, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void say_what_is_allowed(struct http *http)
{
    char fields[64];
    const unsigned methods = http->route->methods;
    snprintf(fields, sizeof fields, "Allow: %s%s\r\n", methods & GET ? "GET, HEAD" : "", methods & POST ? "POST" : "");
    http_error(http, 405, fields);
}

/* ---- Files ---- */

/* The path of a file, without the first slash: from target to path[MOST_TARGET + 1]. */
static bool decode(const char *from, size_t size, char *path)
{
    for (size_t i = 0; i < size; i++) {
        if (from[i] != '%') {
            *path++ = from[i];
            continue;
        }
        char digits[3] = "", *end;
        if (size - i > 2) memcpy(digits, from + i + 1, 2);
        *path = (char)strtoul(digits, &end, 16);
        if (!isxdigit((unsigned char)digits[0]) || end != digits + 2 || *path++ == '\0') return false;
        i += 2;
    }
    *path = '\0';
    return true;
}

/* Nothing leads upwards, nothing is hidden, and no name is empty but the last. */
static bool is_proper(const char *path)
{
    for (;; path++) {
        const size_t size = strcspn(path, "/");
        if (path[0] == '.' || (size == 0 && *path == '/')) return false;
        path += size;
        if (*path == '\0') return true;
    }
}

/* Opens what is below the folder, and what no symbolic link leads to; takes the path apart. */
static int open_below(int folder, char *path)
{
    int here = folder;
    for (char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        *slash = '\0';
        const int next = openat(here, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        const int error = errno;
        if (here != folder) close(here);
        errno = error;
        if (next < 0) return -1;
        here = next;
    }
    const int file = openat(here, path[0] != '\0' ? path : "index.html", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const int error = errno;
    if (here != folder) close(here);
    errno = error;
    return file;
}

static unsigned status_of_open(int error)
{
    return error == EACCES ? 403 : error == EMFILE || error == ENFILE || error == ENOMEM ? 503 : 404;
}

static const char *type_of(const char *path)
{
    static const struct { const char *suffix, *type; } types[] = {
        { ".html", "text/html; charset=utf-8" }, { ".css", "text/css; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
        { ".txt", "text/plain; charset=utf-8" }, { ".md", "text/markdown; charset=utf-8" }, { ".c", "text/plain; charset=utf-8" },
        { ".h", "text/plain; charset=utf-8" }, { ".json", "application/json" }, { ".xml", "application/xml" }, { ".svg", "image/svg+xml" },
        { ".png", "image/png" }, { ".jpg", "image/jpeg" }, { ".jpeg", "image/jpeg" }, { ".gif", "image/gif" }, { ".webp", "image/webp" },
        { ".ico", "image/x-icon" }, { ".pdf", "application/pdf" }, { ".wasm", "application/wasm" }, { ".mp4", "video/mp4" },
    };
    const char *const dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot, types[i].suffix) == 0) return types[i].type;
    return path[0] == '\0' || path[strlen(path) - 1] == '/' ? "text/html; charset=utf-8" : "application/octet-stream"; /* index.html */
}

/* What of the file is sent: the status. */
static unsigned choose_part(const struct request *request, uint64_t size, uint64_t *begin, uint64_t *end)
{
    const struct range *const range = &request->range;
    *begin = 0;
    *end = size;
    if (request->method != GET || request->if_range || range->kind == WHOLE) return 200;
    if (range->kind == LAST) *begin = range->last < size ? size - range->last : 0;
    else *begin = range->first;
    if (*begin >= size || (range->kind == LAST && range->last == 0)) return 416;
    if (range->kind == FROM_TO && range->last < size) *end = range->last + 1;
    return 206;
}

struct file {
    COROUTINE(void);
    struct http *http;
    int fd;
    uint64_t begin, end;
    struct pawl_stream_sendfile send;
};

/* A directory without its slash: relative links in its page would lead elsewhere. */
static void redirect(struct http *http)
{
    char fields[MOST_TARGET + 32];
    size_t size;
    const char *const path = path_of(http, &size);
    snprintf(fields, sizeof fields, "Location: %.*s/\r\n", (int)size, path);
    http_error(http, 301, fields);
}

/* Begins the answer, and leaves between begin and end what of the file is to follow. */
static void begin_file(struct file *file, const char *type, const struct stat *about)
{
    char date[DATE_SIZE], range[96] = "", fields[192];
    const struct request *const request = &file->http->request;
    const unsigned long long size = (unsigned long long)about->st_size;
    unsigned status = choose_part(request, size, &file->begin, &file->end);
    if (request->if_modified_since >= 0 && request->if_modified_since >= about->st_mtime) status = 304;
    if (status == 206) snprintf(range, sizeof range, "Content-Range: bytes %llu-%llu/%llu\r\n",
                                (unsigned long long)file->begin, (unsigned long long)file->end - 1, size);
    if (status == 416) snprintf(range, sizeof range, "Content-Range: bytes */%llu\r\n", size);
    snprintf(fields, sizeof fields, "Last-Modified: %s\r\nAccept-Ranges: bytes\r\n%s", write_date(date, about->st_mtime), range);
    if (status == 416) http_error(file->http, status, fields);
    else http_begin(file->http, status, type, file->end - file->begin, fields);
    if (status == 416 || file->http->answer.bodiless) file->begin = file->end;
}

/* No file to send: the whole answer. */
static int no_file(struct http *http, int fd, unsigned status)
{
    if (fd >= 0) close(fd);
    if (status == 301) redirect(http);
    else http_error(http, status, NULL);
    return -1;
}

/* Opens what the request is for, and begins the answer: the descriptor, or -1 when that was all. */
static int open_file(struct file *file)
{
    char path[MOST_TARGET + 1];
    size_t size;
    struct stat about;
    const char *const raw = path_of(file->http, &size);
    if (site.folder < 0 || raw[0] != '/' || !decode(raw + 1, size - 1, path) || !is_proper(path)) return no_file(file->http, -1, 404);
    const char *const type = type_of(path);
    const int fd = open_below(site.folder, path);
    if (fd < 0) return no_file(file->http, fd, status_of_open(errno));
    if (fstat(fd, &about) != 0) return no_file(file->http, fd, 500);
    if (S_ISDIR(about.st_mode)) return no_file(file->http, fd, 301);
    if (!S_ISREG(about.st_mode)) return no_file(file->http, fd, 404);
    begin_file(file, type, &about);
    return fd;
}

ASYNC(file)
{
    ASYNC_BEGIN(file);
    self->fd = open_file(self);
    if (self->fd < 0) ASYNC_RETURN();
    TRY {
        while (self->begin < self->end) {
            const uint64_t left = self->end - self->begin, share = left < SHARE ? left : SHARE;
            http_allow(self->http, options.stall_time);
            AWAIT(self->send, pawl_stream_sendfile(self->http->stream, self->fd, (int64_t)self->begin, share));
            if (self->send.result == 0) RAISE(-EIO); /* it has become shorter meanwhile */
            self->begin += self->send.result;
            self->http->answer.left -= self->send.result;
        }
    } FINALLY {
        close(self->fd);
    } END_TRY;
    ASYNC_END;
}

/* ---- Pages ---- */

struct hello {
    COROUTINE(void);
    struct http *http;
};

ASYNC(hello)
{
    ASYNC_BEGIN(hello);
    http_text(self->http, 200, "hello\n");
    ASYNC_END;
}

struct echo {
    COROUTINE(void);
    struct http *http;
    struct http_send send;
};

ASYNC(echo)
{
    ASYNC_BEGIN(echo);
    http_begin(self->http, 200, "application/octet-stream", self->http->request.body_size, NULL);
    AWAIT(self->send, CORO(http_send, .http = self->http, .data = self->http->body, .size = (size_t)self->http->request.body_size));
    ASYNC_END;
}

/* /slow?ms=N: answers after so many milliseconds. */
struct slow {
    COROUTINE(void);
    struct http *http;
    struct pawl_sleep sleep;
};

ASYNC(slow)
{
    ASYNC_BEGIN(slow);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS((pawl_time)query_number(self->http, "ms", 1000, 60000))));
    http_text(self->http, 200, "at last\n");
    ASYNC_END;
}

/* /count?n=N: so many lines, each a chunk. */
struct count {
    COROUTINE(void);
    struct http *http;
    uint64_t n, i;
    struct pawl_stream_drain drain;
};

ASYNC(count)
{
    ASYNC_BEGIN(count);
    self->n = query_number(self->http, "n", 10, 10 * 1000 * 1000);
    http_begin(self->http, 200, "text/plain; charset=utf-8", CHUNKED, NULL);
    for (self->i = 1; self->i <= self->n && !self->http->answer.bodiless; self->i++) {
        char line[32];
        http_write(self->http, line, (size_t)snprintf(line, sizeof line, "%llu\n", (unsigned long long)self->i));
        if (http_is_full(self->http)) AWAIT(self->drain, pawl_stream_drain(self->http->stream));
    }
    ASYNC_END;
}

/* One page at a time. */
union page {
    struct any_page { COROUTINE(void); } any;
    struct hello hello;
    struct echo echo;
    struct slow slow;
    struct count count;
    struct file file;
};

static void make_hello(union page *page, struct http *http) { page->hello = CORO(hello, .http = http); }
static void make_echo(union page *page, struct http *http) { page->echo = CORO(echo, .http = http); }
static void make_slow(union page *page, struct http *http) { page->slow = CORO(slow, .http = http); }
static void make_count(union page *page, struct http *http) { page->count = CORO(count, .http = http); }
static void make_file(union page *page, struct http *http) { page->file = CORO(file, .http = http, .fd = -1); }

static const struct route routes[] = {
    { "/hello", GET | HEAD, false, make_hello },
    { "/echo", POST, true, make_echo },
    { "/slow", GET | HEAD, false, make_slow },
    { "/count", GET | HEAD, false, make_count },
    { NULL, GET | HEAD, false, make_file },
};

static const struct route *route_to(const char *path, size_t size)
{
    const struct route *route = routes;
    while (route->path != NULL && (strlen(route->path) != size || memcmp(route->path, path, size) != 0)) route++;
    return route;
}

/* ---- A connection ---- */

/* Answers a request. A page that fails before it has begun can still be answered for. */
struct respond {
    COROUTINE(void);
    struct http *http;
    union page page;
};

ASYNC(respond)
{
    ASYNC_BEGIN(respond);
    if (!is_allowed(self->http)) {
        say_what_is_allowed(self->http);
        ASYNC_RETURN();
    }
    self->http->route->make(&self->page, self->http);
    TRY {
        AWAIT(&self->page.any);
    } CATCH_ERROR {
        if (self->http->answer.begun) RERAISE();
        fprintf(stderr, "http_server: %s: %s\n", self->http->target, pawl_strerror(CAUGHT()));
        refuse(self->http, 500);
    } END_TRY;
    if (self->http->refused == 0) http_finish(self->http);
    ASYNC_END;
}

/* One request after the other. */
struct serve {
    COROUTINE(void);
    struct http *http;
    union {
        struct receive receive;
        struct respond respond;
        struct pawl_stream_drain drain;
    } step;
};

ASYNC(serve)
{
    ASYNC_BEGIN(serve);
    do {
        http_next(self->http);
        AWAIT(self->step.receive, CORO(receive, .http = self->http));
        if (self->http->paused) choose_route(self->http);
        if (self->http->paused && self->http->refused == 0) AWAIT(self->step.receive, CORO(receive, .http = self->http));
        if (self->http->ended && self->http->refused == 0) break;
        http_allow(self->http, PAWL_FOREVER);
        if (self->http->refused == 0) AWAIT(self->step.respond, CORO(respond, .http = self->http));
        if (self->http->refused != 0) http_error(self->http, self->http->refused, NULL);
        if (self->http->error != 0) RAISE(self->http->error);
        if (http_is_full(self->http)) AWAIT(self->step.drain, pawl_stream_drain(self->http->stream));
    } while (self->http->keep_alive);
    ASYNC_END;
}

/* Sends what is left, says the end, and drops what still comes. */
struct farewell {
    COROUTINE(void);
    struct pawl_stream *stream;
    size_t dropped;
    struct pawl_timeout limit;
    union {
        struct pawl_stream_drain flush;
        struct pawl_stream_piece fill;
    } step;
};

ASYNC(farewell)
{
    ASYNC_BEGIN(farewell);
    WITH(self->limit, pawl_move_on_after(options.stall_time)) {
        AWAIT(self->step.flush, pawl_stream_flush(self->stream));
        pawl_stream_write_end(self->stream);
    } END_WITH;
    if (!pawl_timeout_expired(&self->limit)) {
        WITH(self->limit, pawl_move_on_after(options.farewell_time)) {
            do {
                AWAIT(self->step.fill, pawl_stream_fill(self->stream, 1));
                pawl_stream_consume(self->stream, self->step.fill.size);
                self->dropped += self->step.fill.size;
            } while (self->step.fill.size > 0 && self->dropped < MOST_DROPPED);
        } END_WITH;
    }
    pawl_stream_abort(self->stream); /* what was sent is on its way */
    ASYNC_END;
}

struct connection {
    CONNECTION;
    struct http http;
    struct pawl_timeout deadline;
    union {
        struct serve serve;
        struct farewell farewell;
    } step;
};

static void http_enter(struct http *http, struct connection *connection)
{
    http->stream = &connection->stream;
    http->deadline = &connection->deadline;
    http->link = &site.connections;
    http->next = site.connections;
    if (http->next != NULL) http->next->link = &http->next;
    site.connections = http;
}

static void http_leave(struct http *http)
{
    *http->link = http->next;
    if (http->next != NULL) http->next->link = http->link;
    free(http->body);
}

/* The deadline has passed. Who takes no answer gets no further one. */
static void time_is_up(struct http *http)
{
    if (http->answer.begun || http->stage == COMPLETE) {
        pawl_stream_abort(http->stream);
    } else if (http->stage != BEFORE) {
        refuse(http, 408);
        http_error(http, 408, NULL);
    }
}

ASYNC(connection)
{
    ASYNC_BEGIN(connection);
    TRY {
        http_enter(&self->http, self);
        WITH(self->deadline, pawl_move_on_after(options.idle_time)) {
            AWAIT(self->step.serve, CORO(serve, .http = &self->http));
        } END_WITH;
        if (pawl_timeout_expired(&self->deadline)) time_is_up(&self->http);
        if (pawl_stream_is_open(&self->stream)) AWAIT(self->step.farewell, CORO(farewell, .stream = &self->stream));
    } FINALLY {
        http_leave(&self->http);
    } END_TRY;
    ASYNC_END;
}

/* ---- The program ---- */

/* Connections at a request say with its answer that they close; the others are not kept waiting. */
static void begin_to_close(void)
{
    site.closing = true;
    for (struct http *http = site.connections; http != NULL; http = http->next) {
        if (http->stage == BEFORE) http_allow(http, 0);
    }
}

struct amain {
    COROUTINE(int);
    struct pawl_server server;
    union {
        struct pawl_server_wait_closed wait;
        struct pawl_server_shutdown shutdown;
    } step;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    const int error = pawl_start_server(&self->server, options.host, options.port, HANDLER(connection), NULL);
    if (error != 0) {
        fprintf(stderr, "http_server: cannot listen on %s port %u: %s\n", options.host, (unsigned)options.port, pawl_strerror(error));
        ASYNC_RETURN(EXIT_FAILURE);
    }
    self->server.most = options.connections;
    printf("listening on %s port %d\n", options.host, pawl_server_port(&self->server));
    fflush(stdout);
    self->result = EXIT_FAILURE;
    TRY {
        AWAIT(self->step.wait, pawl_server_wait_closed(&self->server)); /* nobody closes it: so accepting has failed */
    } CATCH(PAWL_ECANCELLED) {
        fprintf(stderr, "http_server: shutting down\n");
        begin_to_close();
        AWAIT(self->step.shutdown, pawl_server_shutdown(&self->server, options.grace));
        self->result = EXIT_SUCCESS;
    } END_TRY;
    ASYNC_END;
}

static const char usage[] =
    "usage: http_server [OPTION ...] [FOLDER]\n"
    "Serves /hello, /echo, /slow?ms=N, /count?n=N, and the files of FOLDER, but for hidden ones.\n"
    "  --host ADDRESS           127.0.0.1 by default\n"
    "  --port PORT              8000 by default; 0: any free one\n"
    "  --connections N          at once; the others queue in the system (1000)\n"
    "  --most-body BYTES        of a request (1048576)\n"
    "  --head-time SECONDS      for the head of a request, from its first byte on (10)\n"
    "  --body-time SECONDS      for its body (30)\n"
    "  --idle-time SECONDS      until the first byte of a request (30)\n"
    "  --stall-time SECONDS     for the peer to take 256 KiB of an answer (30)\n"
    "  --farewell-time SECONDS  for the peer to close its side (2)\n"
    "  --grace SECONDS          for the requests that are under way when Ctrl-C ends it (5); a second Ctrl-C kills\n";

static double number(const char *name, const char *text, double most)
{
    char *end;
    const double value = strtod(text, &end);
    if (end != text && *end == '\0' && isdigit((unsigned char)text[0]) && value <= most) return value;
    fprintf(stderr, "http_server: --%s takes a number up to %.0f, and not '%s'\n", name, most, text);
    exit(2);
}

static pawl_time span(const char *name, const char *text)
{
    return (pawl_time)(number(name, text, 86400) * (double)PAWL_SEC(1));
}

static void read_options(int count, char **arguments)
{
    static const struct option known[] = {
        { "host", 1, NULL, 'a' }, { "port", 1, NULL, 'p' }, { "connections", 1, NULL, 'c' }, { "most-body", 1, NULL, 'm' },
        { "head-time", 1, NULL, 'H' }, { "body-time", 1, NULL, 'B' }, { "idle-time", 1, NULL, 'I' }, { "stall-time", 1, NULL, 'S' },
        { "farewell-time", 1, NULL, 'F' }, { "grace", 1, NULL, 'G' }, { "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 }
    };
    for (int option, i = 0; (option = getopt_long(count, arguments, "p:h", known, &i)) != -1;) {
        switch (option) {
        case 'a': options.host = optarg; break;
        case 'p': options.port = (uint16_t)number("port", optarg, 65535); break;
        case 'c': options.connections = (size_t)number("connections", optarg, 1e6); break;
        case 'm': options.body = (uint64_t)number("most-body", optarg, 1e9); break;
        case 'H': options.head_time = span("head-time", optarg); break;
        case 'B': options.body_time = span("body-time", optarg); break;
        case 'I': options.idle_time = span("idle-time", optarg); break;
        case 'S': options.stall_time = span("stall-time", optarg); break;
        case 'F': options.farewell_time = span("farewell-time", optarg); break;
        case 'G': options.grace = span("grace", optarg); break;
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: fputs(usage, stderr); exit(2); /* getopt_long has said what is wrong */
        }
    }
    if (optind < count) options.folder = arguments[optind++];
    if (optind == count) return;
    fprintf(stderr, "http_server: unexpected argument '%s'\n%s", arguments[optind], usage);
    exit(2);
}

int main(int count, char **arguments)
{
    read_options(count, arguments);
    if (options.folder != NULL) {
        site.folder = open(options.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (site.folder < 0) {
            fprintf(stderr, "http_server: %s: %s\n", options.folder, strerror(errno));
            return EXIT_FAILURE;
        }
    }
    return pawl_run(CORO(amain));
}
