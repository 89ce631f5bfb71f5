/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * An HTTP/1.1 client: fetches what a URL names and writes it to stdout. The other side of http_server.c.
 *
 *      $ http_client --include http://127.0.0.1:8000/hello
 *      $ http_client --data @picture.jpg --chunked http://127.0.0.1:8000/echo
 *
 *      URL ──► connect (──► TLS) ──► request ──write──► stream ──fill──► llhttp ──► stdout
 *       ▲                                                                  │
 *       └────────────────────────── Location, with --follow ───────────────┘
 *
 * The request is written at once, whatever its size: the stream sends it while the answer is already being read, so neither side can wait for the other in
 * vain. A time limit stands around all of it. https needs pawl-tls: built without it, the client says so.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>
#ifdef WITH_TLS
#include <pawl/tls.h>
#endif

#include <errno.h>
#include <getopt.h>
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HOST = 256, MOST_TARGET = 4096, MOST_REDIRECTS = 10 };

static struct {
    const char *url, *method, *body; /* NULL: GET, or POST with a body; no body */
    size_t body_size;
    bool chunked, include, follow, insecure;
    pawl_time time;
} options = { .time = PAWL_SEC(60) };

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "http_client: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

/* ---- URLs ---- */

struct url {
    bool tls;
    char host[MOST_HOST];
    uint16_t port;
    char target[MOST_TARGET];
};

static bool has_only_proper_bytes(const char *text)
{
    for (; *text != '\0'; text++) if ((unsigned char)*text <= ' ' || *text == 0x7f) return false;
    return true;
}

static bool copy(char *to, size_t room, const char *from, size_t size)
{
    if (size >= room) return false;
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

/* What stands between "://" and the path: host, [host], host:port. */
static bool read_authority(struct url *url, const char *text, size_t size)
{
    const char *const end = text + size, *host = text, *host_end = memchr(text, ':', size);
    if (size > 0 && *text == '[') {
        host = text + 1;
        host_end = memchr(text, ']', size);
        if (host_end == NULL) return false;
        text = host_end + 1;
    } else {
        if (host_end == NULL) host_end = end;
        text = host_end;
    }
    if (host == host_end || !copy(url->host, sizeof url->host, host, (size_t)(host_end - host))) return false;
    if (text == end) return true;
    char *rest;
    const unsigned long port = *text == ':' ? strtoul(text + 1, &rest, 10) : 0;
    if (port == 0 || port > 65535 || rest != end) return false;
    url->port = (uint16_t)port;
    return true;
}

static bool read_url(struct url *url, const char *text)
{
    if (!has_only_proper_bytes(text)) return false;
    url->tls = strncasecmp(text, "https://", 8) == 0;
    if (!url->tls && strncasecmp(text, "http://", 7) != 0) return false;
    url->port = url->tls ? 443 : 80;
    text += url->tls ? 8 : 7;
    const size_t size = strcspn(text, "/?#");
    if (memchr(text, '@', size) != NULL || !read_authority(url, text, size)) return false;
    text += size;
    const int used = snprintf(url->target, sizeof url->target, "%s%.*s", *text == '/' ? "" : "/", (int)strcspn(text, "#"), text);
    return used < (int)sizeof url->target;
}

/* Where an answer sends the client: another URL, or a path of the same server. */
static bool follow(struct url *url, const char *location)
{
    char whole[MOST_HOST + MOST_TARGET];
    const char *const scheme = url->tls ? "https:" : "http:";
    if (location[0] != '/') return read_url(url, location);
    if (location[1] == '/') {
        snprintf(whole, sizeof whole, "%s%s", scheme, location);
        return read_url(url, whole);
    }
    return has_only_proper_bytes(location) && copy(url->target, sizeof url->target, location, strcspn(location, "#"));
}

/* ---- The answer ---- */

struct answer {
    llhttp_t parser;
    bool complete, told;
    int error;     /* of stdout */
    char name[16]; /* of a field, as far as it matters */
    char location[MOST_TARGET];
    size_t name_size, location_size;
};

static void emit(struct answer *answer, const char *text, size_t size)
{
    if (fwrite(text, 1, size, stdout) != size) answer->error = errno != 0 ? -errno : -EIO;
}

/* With --include: the first line, when all of it is known. */
static void tell_status(struct answer *answer)
{
    char line[32];
    const llhttp_t *const parser = &answer->parser;
    if (!options.include || answer->told) return;
    answer->told = true;
    emit(answer, line, (size_t)snprintf(line, sizeof line, "HTTP/%u.%u %u\n", (unsigned)parser->http_major, (unsigned)parser->http_minor,
                                        (unsigned)parser->status_code));
}

static int on_field_name(llhttp_t *parser, const char *text, size_t size)
{
    struct answer *const answer = parser->data;
    const size_t room = sizeof answer->name - 1 - answer->name_size, fits = size < room ? size : room;
    tell_status(answer);
    memcpy(answer->name + answer->name_size, text, fits);
    answer->name_size += fits;
    if (options.include) emit(answer, text, size);
    return 0;
}

static int on_field_name_end(llhttp_t *parser)
{
    struct answer *const answer = parser->data;
    answer->name[answer->name_size] = '\0';
    if (options.include) emit(answer, ": ", 2);
    return 0;
}

static int on_field_value(llhttp_t *parser, const char *text, size_t size)
{
    struct answer *const answer = parser->data;
    if (options.include) emit(answer, text, size);
    if (strcasecmp(answer->name, "Location") != 0) return 0;
    if (answer->location_size + size >= sizeof answer->location) return -1;
    memcpy(answer->location + answer->location_size, text, size);
    answer->location_size += size;
    return 0;
}

static int on_field_end(llhttp_t *parser)
{
    struct answer *const answer = parser->data;
    answer->name_size = 0;
    if (options.include) emit(answer, "\n", 1);
    return 0;
}

static bool is_redirect(const struct answer *answer)
{
    const unsigned status = answer->parser.status_code;
    return options.follow && answer->location_size > 0 &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

static int on_head_end(llhttp_t *parser)
{
    struct answer *const answer = parser->data;
    tell_status(answer);
    if (options.include) emit(answer, "\n", 1);
    answer->location[answer->location_size] = '\0';
    return options.method != NULL && strcmp(options.method, "HEAD") == 0 ? 1 : 0; /* 1: what it tells of does not come */
}

static int on_body(llhttp_t *parser, const char *data, size_t size)
{
    struct answer *const answer = parser->data;
    if (!is_redirect(answer)) emit(answer, data, size);
    return 0;
}

/* An answer from 100 to 199 is only the first one. */
static int on_answer_end(llhttp_t *parser)
{
    struct answer *const answer = parser->data;
    answer->told = false;
    answer->complete = parser->status_code >= 200;
    return answer->complete ? HPE_PAUSED : 0;
}

static const llhttp_settings_t callbacks = {
    .on_header_field = on_field_name, .on_header_field_complete = on_field_name_end, .on_header_value = on_field_value,
    .on_header_value_complete = on_field_end, .on_headers_complete = on_head_end, .on_body = on_body, .on_message_complete = on_answer_end
};

static void answer_begin(struct answer *answer)
{
    memset(answer, 0, sizeof *answer);
    llhttp_init(&answer->parser, HTTP_RESPONSE, &callbacks);
    answer->parser.data = answer;
}

/* Gives the parser what came; nothing is the end, with which some answers are complete. 0, or an error. */
static int answer_take(struct answer *answer, const char *data, size_t size)
{
    const llhttp_errno_t error = size > 0 ? llhttp_execute(&answer->parser, data, size) : llhttp_finish(&answer->parser);
    if (answer->error != 0) return answer->error;
    if (answer->complete) return 0;
    if (size == 0) return PAWL_EEOF;
    if (error == HPE_OK) return 0;
    fprintf(stderr, "http_client: %s\n", llhttp_get_error_reason(&answer->parser));
    return -EPROTO;
}

/* ---- The request ---- */

static int write_body(struct pawl_stream *stream)
{
    enum { CHUNK = 64 * 1024 };
    int error = 0;
    if (!options.chunked) return pawl_stream_write(stream, options.body, options.body_size);
    for (size_t at = 0; at < options.body_size && error == 0;) {
        const size_t size = options.body_size - at < CHUNK ? options.body_size - at : CHUNK;
        pawl_stream_printf(stream, "%zx\r\n", size);
        pawl_stream_write(stream, options.body + at, size);
        error = pawl_stream_write_text(stream, "\r\n");
        at += size;
    }
    return error != 0 ? error : pawl_stream_write_text(stream, "0\r\n\r\n");
}

static int write_request(struct pawl_stream *stream, const struct url *url)
{
    const bool is_numeric6 = strchr(url->host, ':') != NULL;
    const char *const method = options.method != NULL ? options.method : options.body != NULL ? "POST" : "GET";
    pawl_stream_printf(stream, "%s %s HTTP/1.1\r\nHost: %s%s%s", method, url->target, is_numeric6 ? "[" : "", url->host, is_numeric6 ? "]" : "");
    if (url->port != (url->tls ? 443 : 80)) pawl_stream_printf(stream, ":%u", (unsigned)url->port);
    int error = pawl_stream_write_text(stream, "\r\nUser-Agent: http_client\r\nAccept: */*\r\nConnection: close\r\n");
    if (options.body == NULL) return error != 0 ? error : pawl_stream_write_text(stream, "\r\n");
    if (options.chunked) error = pawl_stream_write_text(stream, "Transfer-Encoding: chunked\r\n\r\n");
    else error = pawl_stream_printf(stream, "Content-Length: %zu\r\n\r\n", options.body_size);
    return error != 0 ? error : write_body(stream);
}

/* ---- TLS ---- */

/* Begins it on a stream that is connected. */
struct secure {
    COROUTINE(void);
    struct pawl_stream *stream;
    const char *host;
#ifdef WITH_TLS
    struct ssl_ctx_st *context;
    struct pawl_tls_handshake handshake;
#endif
};

#ifdef WITH_TLS
ASYNC(secure)
{
    ASYNC_BEGIN(secure);
    const int error = pawl_tls_context_create(&self->context, &(struct pawl_tls_options){ .alpn = "http/1.1", .insecure = options.insecure });
    if (error != 0) RAISE(error);
    TRY {
        AWAIT(self->handshake, pawl_tls_connect(self->stream, self->context, self->host));
    } CATCH_ERROR {
        if (CAUGHT() == PAWL_ETLS || CAUGHT() == PAWL_ECERTIFICATE) complain("TLS", pawl_tls_error_text());
        RERAISE();
    } FINALLY {
        pawl_tls_context_free(self->context); /* the stream keeps what it needs */
    } END_TRY;
    ASYNC_END;
}
#else
ASYNC(secure)
{
    ASYNC_BEGIN(secure);
    complain("https", "this one was built without TLS");
    RAISE(PAWL_ENOSYS);
    ASYNC_END;
}
#endif

/* ---- The program ---- */

/* One request and its answer. */
struct fetch {
    COROUTINE(void);
    const struct url *url;
    struct answer *answer;
    struct pawl_stream stream;
    struct pawl_stream_closing closing;
    union {
        struct pawl_open_connection open;
        struct secure secure;
        struct pawl_stream_piece fill;
    } step;
};

ASYNC(fetch)
{
    ASYNC_BEGIN(fetch);
    int error;
    AWAIT(self->step.open, pawl_open_connection(&self->stream, self->url->host, self->url->port));
    WITH(self->closing, pawl_stream_closing(&self->stream)) {
        if (self->url->tls) AWAIT(self->step.secure, CORO(secure, .stream = &self->stream, .host = self->url->host));
        error = write_request(&self->stream, self->url);
        if (error != 0) RAISE(error);
        answer_begin(self->answer);
        while (!self->answer->complete) {
            AWAIT(self->step.fill, pawl_stream_fill(&self->stream, 1));
            error = answer_take(self->answer, self->step.fill.data, self->step.fill.size);
            if (error != 0) RAISE(error);
            pawl_stream_consume(&self->stream, self->step.fill.size);
        }
        pawl_stream_abort(&self->stream); /* a request that was answered before all of it was sent is not sent on */
    } END_WITH;
    ASYNC_END;
}

struct amain {
    COROUTINE(int);
    struct url url;
    struct answer answer;
    int redirects;
    struct pawl_timeout limit;
    struct fetch fetch;
};

/* What a redirect does to the request: but for 307 and 308 it becomes a GET. */
static int go_on(struct amain *self)
{
    if (++self->redirects > MOST_REDIRECTS) return -ELOOP;
    if (!follow(&self->url, self->answer.location)) return PAWL_EINVAL;
    const bool is_head = options.method != NULL && strcmp(options.method, "HEAD") == 0;
    if (self->answer.parser.status_code >= 307 || is_head) return 0;
    options.method = options.body = NULL;
    return 0;
}

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    if (!read_url(&self->url, options.url)) ASYNC_RETURN(complain(options.url, "no URL that is understood here"));
    TRY {
        WITH(self->limit, pawl_timeout(options.time)) {
            for (;;) {
                AWAIT(self->fetch, CORO(fetch, .url = &self->url, .answer = &self->answer));
                if (!is_redirect(&self->answer)) ASYNC_RETURN(self->answer.parser.status_code < 400 ? EXIT_SUCCESS : 22);
                const int error = go_on(self);
                if (error != 0) RAISE(error);
            }
        } END_WITH;
    } CATCH_ERROR {
        ASYNC_RETURN(complain(self->url.host, pawl_strerror(CAUGHT())));
    } END_TRY;
    ASYNC_END;
}

static const char usage[] =
    "usage: http_client [OPTION ...] URL\n"
    "Writes what a URL names to stdout. Ends with 22 for an answer from 400 on, and with 1 when there was none.\n"
    "  --data TEXT|@FILE  the body of a POST; @- is stdin\n"
    "  --chunked          sends it in chunks\n"
    "  --method METHOD    another one than GET or POST\n"
    "  --include          the head of the answer too\n"
    "  --follow           goes where the answer leads to, up to ten times\n"
    "  --insecure         takes any certificate\n"
    "  --time SECONDS     for all of it (60)\n";

/* All of a file, never given back. */
static int read_file(FILE *file)
{
    char *body = NULL;
    size_t size = 0, got;
    do {
        char *const more = realloc(body, size + 65536);
        if (more == NULL) return complain("the body", strerror(ENOMEM));
        body = more;
        got = fread(body + size, 1, 65536, file);
        size += got;
    } while (got > 0);
    options.body = body;
    options.body_size = size;
    return 0;
}

static int read_body(const char *text)
{
    options.body = text;
    options.body_size = strlen(text);
    if (text[0] != '@') return 0;
    FILE *const file = strcmp(text, "@-") == 0 ? stdin : fopen(text + 1, "rb");
    if (file == NULL) return complain(text + 1, strerror(errno));
    const int status = read_file(file);
    fclose(file);
    return status;
}

static pawl_time read_time(const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    if (end != text && *end == '\0' && value > 0 && value <= 86400) return (pawl_time)(value * (double)PAWL_SEC(1));
    fputs(usage, stderr);
    exit(2);
}

static bool is_word(const char *text)
{
    return text[0] != '\0' && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == strlen(text);
}

static void read_options(int count, char **arguments)
{
    static const struct option known[] = {
        { "data", 1, NULL, 'd' }, { "chunked", 0, NULL, 'c' }, { "method", 1, NULL, 'X' }, { "include", 0, NULL, 'i' },
        { "follow", 0, NULL, 'L' }, { "insecure", 0, NULL, 'k' }, { "time", 1, NULL, 't' }, { "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 }
    };
    for (int option; (option = getopt_long(count, arguments, "d:X:iLkt:h", known, NULL)) != -1;) {
        switch (option) {
        case 'd': if (read_body(optarg) != 0) exit(EXIT_FAILURE); break;
        case 'c': options.chunked = true; break;
        case 'X': options.method = optarg; break;
        case 'i': options.include = true; break;
        case 'L': options.follow = true; break;
        case 'k': options.insecure = true; break;
        case 't': options.time = read_time(optarg); break;
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: fputs(usage, stderr); exit(2); /* getopt_long has said what is wrong */
        }
    }
    if (optind == count - 1 && (options.method == NULL || is_word(options.method))) options.url = arguments[optind];
}

int main(int count, char **arguments)
{
    read_options(count, arguments);
    if (options.url == NULL) {
        fputs(usage, stderr);
        return 2;
    }
    const int status = pawl_run(CORO(amain));
    return fflush(stdout) == 0 ? status : complain("stdout", strerror(errno));
}
