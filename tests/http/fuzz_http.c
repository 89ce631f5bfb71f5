/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The HTTP server against what no client would send: requests of a corpus, cut, swapped, repeated and bent, the same ones for the same
 * seed.
 *
 *      corpus ──mutate──► bytes ──in random parts──► socket ──► the server
 *                                                     ▲            │
 *          each well-formed, and then the end ◄───────┴──answers───┘
 *
 * Each case writes what it has and says the end, so that it ends by itself, and no time has to pass. What comes back must be a row of
 * well-formed answers, with nothing after one that says it is the last.
 *
 *      fuzz_http [CASES [SEED]]     20000 cases (500 under valgrind) and seed 1 when not told otherwise
 *
 * The server's file is part of this one, so that all of it runs in one loop, under whatever this is run under.
 */
int http_server_main(int count, char **arguments);
#define main http_server_main
#include "../../docs/examples/http_server.c"
#undef main

enum { MOST_INPUT = 64 * 1024, MOST_ANSWERS = 2 * 1024 * 1024 };

/* ---- Chance ---- */

static uint64_t state;

static uint64_t chance(uint64_t below)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (mixed ^ (mixed >> 31)) % below;
}

/* ---- Cases ---- */

#define HOST "Host: a\r\n"
static const char *const corpus[] = {
    "GET /hello HTTP/1.1\r\n" HOST "\r\n",
    "GET /hello?a=b&c=%20 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
    "HEAD /hello HTTP/1.1\r\n" HOST "Accept: */*\r\nUser-Agent: x\r\n\r\n",
    "GET /hello HTTP/1.0\r\n\r\n",
    "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET /count?n=7 HTTP/1.1\r\n" HOST "\r\n",
    "HEAD /count?n=7 HTTP/1.1\r\n" HOST "\r\n",
    "GET /count?n=300 HTTP/1.0\r\n\r\n",
    "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\nhello there",
    "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n there\r\n0\r\nTrailer: x\r\n\r\n",
    "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\n\r\nabc",
    "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
    "GET / HTTP/1.1\r\n" HOST "\r\n",
    "GET /sub HTTP/1.1\r\n" HOST "\r\n",
    "GET /file.txt HTTP/1.1\r\n" HOST "Range: bytes=2-5\r\n\r\n",
    "GET /file.txt HTTP/1.1\r\n" HOST "Range: bytes=-5\r\nIf-Range: x\r\n\r\n",
    "GET /file.txt HTTP/1.1\r\n" HOST "Range: bytes=99999-\r\n\r\n",
    "GET /file.txt HTTP/1.1\r\n" HOST "If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT\r\n\r\n",
    "GET /%2e%2e/%2fetc/passwd HTTP/1.1\r\n" HOST "\r\n",
    "GET http://a/hello HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
    "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "DELETE /file.txt HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "\r\n\r\nGET /hello HTTP/1.1\r\nhost:a\r\nx:\r\ny: \t z \r\n\r\n",
};
static const char *const tokens[] = {
    "\r\n", "\r\n\r\n", "\n", "\r", ":", " ", "\t", "0\r\n\r\n", "ffffffffffffffff\r\n", "Content-Length: 5\r\n", "Content-Length: -1\r\n",
    "Transfer-Encoding: chunked\r\n", HOST, "HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "GET ", "POST ", "HEAD ", "/echo", "%00", "%2f", "..", "/",
    "?n=", "Connection: close\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n", "Range: bytes=", "-", "99999999999999999999",
    "\x80\xff", "Upgrade: websocket\r\nConnection: upgrade\r\n", ";", "\"", "{}", "http://", "*"
};
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct input {
    char data[MOST_INPUT];
    size_t size;
};

/* Puts something in the place of `removed` bytes at `at`. */
static void splice_in(struct input *input, size_t at, size_t removed, const char *data, size_t size)
{
    if (input->size - removed + size > MOST_INPUT) return;
    memmove(input->data + at + size, input->data + at + removed, input->size - at - removed);
    memcpy(input->data + at, data, size);
    input->size += size - removed;
}

static void repeat_a_part(struct input *input)
{
    char part[2048];
    const size_t at = chance(input->size), most = input->size - at < sizeof part ? input->size - at : sizeof part;
    const size_t size = 1 + chance(most);
    memcpy(part, input->data + at, size);
    for (size_t n = 1 + chance(chance(8) == 0 ? 4000 : 6); n > 0; n--) splice_in(input, at, 0, part, size);
}

static void mutate(struct input *input)
{
    if (input->size == 0) return;
    const size_t at = chance(input->size), left = input->size - at;
    const char *const token = tokens[chance(COUNT_OF(tokens))];
    char byte = (char)chance(256);
    switch (chance(7)) {
    case 0: input->data[at] = byte; break;
    case 1: input->data[at] = (char)(input->data[at] ^ (1 << chance(8))); break;
    case 2: splice_in(input, at, 1 + chance(left < 20 ? left : 20), "", 0); break;
    case 3: splice_in(input, at, 0, &byte, 1); break;
    case 4: splice_in(input, at, 0, token, strlen(token)); break;
    case 5: repeat_a_part(input); break;
    default: splice_in(input, at, strlen(token) < left ? strlen(token) : left, token, strlen(token)); break;
    }
}

/* One to four requests, most of them bent. */
static void make_input(struct input *input)
{
    input->size = 0;
    for (size_t n = 1 + chance(4); n > 0; n--) {
        const char *const request = corpus[chance(COUNT_OF(corpus))];
        splice_in(input, input->size, 0, request, strlen(request));
    }
    for (size_t n = chance(6); n > 0; n--) mutate(input);
    if (chance(10) == 0 && input->size > 0) input->size = chance(input->size);
}

/* ---- Answers ---- */

static const char *found_bad; /* what is wrong with the answers */

static const char *bad(const char *what)
{
    if (found_bad == NULL) found_bad = what;
    return NULL;
}

/* The number after a field's name in a head, or -1. */
static long long field_number(const char *head, const char *end, const char *name)
{
    const char *const at = memmem(head, (size_t)(end - head), name, strlen(name));
    return at != NULL ? strtoll(at + strlen(name), NULL, 10) : -1;
}

static const char *skip_chunks(const char *at, const char *end)
{
    for (;;) {
        char *line_end;
        if (memmem(at, (size_t)(end - at), "\r\n", 2) == NULL) return bad("a chunk without its size");
        const unsigned long long size = strtoull(at, &line_end, 16);
        if (line_end == at || line_end[0] != '\r' || size > (unsigned long long)(end - line_end)) return bad("a bad chunk");
        at = line_end + 2 + size;
        if (end - at < 2 || memcmp(at, "\r\n", 2) != 0) return bad("a chunk that does not end");
        at += 2;
        if (size == 0) return at;
    }
}

/* Past one answer, or NULL. Whether it is that to a HEAD is known only to who parsed the request: no body is well-formed too, when another
 * answer or the end follows. */
static const char *skip_answer(const char *at, const char *end, bool *last)
{
    const char *const head_end = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
    if (end - at < 12 || memcmp(at, "HTTP/1.1 ", 9) != 0 || !isdigit((unsigned char)at[9])) return bad("no status line");
    if (head_end == NULL) return bad("a head that does not end");
    const char *const body = head_end + 4;
    const int status = atoi(at + 9);
    if (status < 100 || status > 599) return bad("a status that is none");
    if (status == 100 || status == 304) return body;
    if (memmem(at, (size_t)(body - at), "\r\nDate: ", 8) == NULL) return bad("no date");
    *last = memmem(at, (size_t)(body - at), "\r\nConnection: close\r\n", 21) != NULL;
    const bool no_body = body == end || (end - body > 9 && memcmp(body, "HTTP/1.1 ", 9) == 0);
    if (memmem(at, (size_t)(body - at), "\r\nTransfer-Encoding: chunked\r\n", 30) != NULL) return no_body ? body : skip_chunks(body, end);
    const long long length = field_number(at, body, "\r\nContent-Length: ");
    if (length < 0) return *last ? end : bad("neither a length nor the end");
    if (length > end - body) return no_body ? body : bad("a body that does not end");
    return no_body && length > 0 ? body : body + length;
}

static void check_answers(const char *answers, size_t size)
{
    const char *at = answers, *const end = answers + size;
    bool last = false;
    while (at != NULL && at < end) {
        if (last) bad("an answer after the last one");
        at = skip_answer(at, end, &last);
    }
}

/* ---- A case ---- */

/* Writes in random parts, and says the end. */
struct writer {
    COROUTINE(void);
    const struct input *input;
    struct pawl_stream *stream;
    size_t written;
    struct pawl_stream_drain flush;
};

ASYNC(writer)
{
    ASYNC_BEGIN(writer);
    while (self->written < self->input->size) {
        const size_t left = self->input->size - self->written, size = chance(3) == 0 ? 1 + chance(left < 40 ? left : 40) : left;
        if (pawl_stream_write(self->stream, self->input->data + self->written, size) != 0) ASYNC_RETURN();
        self->written += size;
        TRY_AWAIT(self->flush, pawl_stream_flush(self->stream));
        if (AWAIT_ERROR() != 0) ASYNC_RETURN(); /* the server had enough before it had read all */
        YIELD_NOW();
    }
    pawl_stream_write_end(self->stream);
    ASYNC_END;
}

struct one_case {
    COROUTINE(void);
    const struct pawl_address *address;
    const struct input *input;
    char *answers;
    size_t size;
    struct pawl_stream stream;
    struct pawl_stream_closing closing;
    struct pawl_group group;
    union {
        struct pawl_open_connection open;
        struct pawl_stream_read read;
    } step;
};

ASYNC(one_case)
{
    ASYNC_BEGIN(one_case);
    AWAIT(self->step.open, pawl_open_connection_at(&self->stream, self->address));
    WITH(self->closing, pawl_stream_closing(&self->stream)) {
        WITH(self->group, pawl_group()) {
            pawl_group_spawn(&self->group, CORO(writer, .input = self->input, .stream = &self->stream));
            do {
                AWAIT(self->step.read, pawl_stream_read(&self->stream, self->answers + self->size, MOST_ANSWERS - self->size));
                self->size += self->step.read.result;
            } while (self->step.read.result > 0 && self->size < MOST_ANSWERS);
            if (self->size == MOST_ANSWERS) pawl_group_cancel(&self->group); /* a count up to millions: enough of it */
        } END_WITH;
        pawl_stream_abort(&self->stream);
    } END_WITH;
    ASYNC_END;
}

/* ---- All of them ---- */

static unsigned long cases = 20000, seed = 1;
static size_t answered, answer_bytes;

struct fuzz {
    COROUTINE(int);
    struct pawl_address address;
    struct pawl_server server;
    struct input input;
    char *answers;
    unsigned long i;
    union {
        struct one_case one;
        struct pawl_server_shutdown shutdown;
    } step;
};

static void show(const struct fuzz *self, const char *what)
{
    printf("# case %lu of seed %lu: %s\n# input:\n", self->i, seed, what);
    fwrite(self->input.data, 1, self->input.size, stdout);
    printf("\n# answers, %zu bytes:\n", self->step.one.size);
    fwrite(self->answers, 1, self->step.one.size, stdout);
    putchar('\n');
}

ASYNC(fuzz)
{
    ASYNC_BEGIN(fuzz);
    self->answers = malloc(MOST_ANSWERS);
    int error = pawl_address_unix(&self->address, "@pawl-fuzz-http");
    if (error == 0) error = pawl_start_server_at(&self->server, &self->address, HANDLER(connection), NULL);
    if (error != 0 || self->answers == NULL) RAISE(error != 0 ? error : PAWL_ENOMEM);
    for (self->i = 0; self->i < cases && found_bad == NULL; self->i++) {
        state = (uint64_t)seed << 32 | self->i;
        make_input(&self->input);
        TRY_AWAIT(self->step.one, CORO(one_case, .address = &self->address, .input = &self->input, .answers = self->answers));
        if (AWAIT_ERROR() != 0 && AWAIT_ERROR() != -ECONNRESET) bad(pawl_strerror(AWAIT_ERROR()));
        if (self->step.one.size < MOST_ANSWERS) check_answers(self->answers, self->step.one.size);
        answered += self->step.one.size > 0;
        answer_bytes += self->step.one.size;
        if (found_bad != NULL) show(self, found_bad);
    }
    free(self->answers);
    self->answers = NULL;
    AWAIT(self->step.shutdown, pawl_server_shutdown(&self->server, PAWL_SEC(60)));
    if (site.connections != NULL) bad("a connection was left");
    if (self->server.failed != 0) bad("the server reported an error");
    ASYNC_RETURN(found_bad != NULL);
    ASYNC_END;
}

/* A folder with a file and another folder: the corpus knows them. */
static bool make_folder(char *name)
{
    if (mkdtemp(name) == NULL) return false;
    site.folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const int file = openat(site.folder, "file.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const bool made = file >= 0 && write(file, "0123456789", 10) == 10 && mkdirat(site.folder, "sub", 0700) == 0;
    if (file >= 0) close(file);
    return made;
}

static void remove_folder(const char *name)
{
    unlinkat(site.folder, "file.txt", 0);
    unlinkat(site.folder, "sub", AT_REMOVEDIR);
    close(site.folder);
    rmdir(name);
}

int main(int count, char **arguments)
{
    char folder[] = "/tmp/fuzz-http-XXXXXX";
    const char *const preloaded = getenv("LD_PRELOAD");
    if (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL) cases = 500; /* valgrind takes fifty times as long */
    if (count > 1) cases = strtoul(arguments[1], NULL, 10);
    if (count > 2) seed = strtoul(arguments[2], NULL, 10);
    if (!make_folder(folder)) return EXIT_FAILURE;
    options.body = 100 * 1000; /* so that some are too large */
    puts("1..1");
    const int status = pawl_run(CORO(fuzz));
    remove_folder(folder);
    printf("# %lu cases, %zu answered, %zu bytes of answers\n", cases, answered, answer_bytes);
    printf("%sok 1 - each case is answered well, or closed\n", status == 0 && answered > cases / 2 ? "" : "not ");
    return status;
}
