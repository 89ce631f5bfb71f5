/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * One end of a connection, for tests whose other end is another program:
 *
 *      peer ADDRESS VERB [ARGUMENT]             connects, and does what the verb says
 *      peer -l ADDRESS VERB [ARGUMENT]          serves: says "listening on …", and does it with each connection, until Ctrl-C
 *      peer -1 ADDRESS VERB [ARGUMENT]          serves one connection
 *      peer -u ADDRESS [TEXT …]                 datagrams: sends each text and prints the answer; without one, sends back what comes
 *
 *      ADDRESS   tcp:127.0.0.1:80, tcp:::1:80 (port 0: any), unix:PATH, unix:@NAME; file:PATH, which is opened (a terminal, a pipe)
 *      VERB      echo | lines | frames             sends back what comes, in such units
 *                count                             reads to the end, and then says how many bytes that were
 *                ask-lines N | ask-frames N        sends so many, and wants them back: prints "same"
 *                send FILE | receive FILE          all of it, to the end
 *                patient                           wants a line, and looks up every few milliseconds: prints "not yet" once
 *                talk                              between the connection and stdin, stdout
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 65536, LONGEST_FRAME = 40000 };

static const char *verb, *argument = "";
static struct pawl_address address;
static bool once;

/* Line or frame number i: of many lengths, and no newline in it. */
static size_t make_text(char *text, unsigned i, size_t longest)
{
    const size_t size = (i * 2654435761u >> 8) % (i % 8 == 0 ? longest : 100);
    for (size_t k = 0; k < size; k++) text[k] = (char)('a' + (i + k * 7) % 26);
    return size;
}

/* ---- Verbs ---- */

struct echo {
    COROUTINE(void);
    struct pawl_stream *stream;
    union {
        struct pawl_stream_read read;
        struct pawl_stream_drain drain;
    };
    char data[ROOM];
};

ASYNC(echo)
{
    ASYNC_BEGIN(echo);
    for (;;) {
        AWAIT(self->read, pawl_stream_read(self->stream, self->data, sizeof self->data));
        if (self->read.result == 0) break;
        pawl_stream_write(self->stream, self->data, self->read.result);
        AWAIT(self->drain, pawl_stream_drain(self->stream));
    }
    ASYNC_END;
}

/* Lines and frames; `wanted` of them are asked for, or else they are sent back. */
struct pieces {
    COROUTINE(void);
    struct pawl_stream *stream;
    bool frames, asks;
    unsigned wanted, sent, received;
    union {
        struct pawl_stream_piece piece;
        struct pawl_stream_drain drain;
    };
};

static struct pawl_stream_piece next_piece(const struct pieces *self)
{
    return self->frames ? pawl_stream_read_frame(self->stream, PAWL_LENGTH_32_BIG) : pawl_stream_read_line(self->stream);
}

static int write_piece(struct pieces *self, const char *data, size_t size)
{
    return self->frames ? pawl_stream_write_frame(self->stream, PAWL_LENGTH_32_BIG, data, size) : pawl_stream_write(self->stream, data, size);
}

static int ask(struct pieces *self)
{
    char text[LONGEST_FRAME + 1];
    size_t size = make_text(text, self->sent++, LONGEST_FRAME);
    if (!self->frames) text[size++] = '\n';
    return write_piece(self, text, size);
}

static bool is_answer(struct pieces *self)
{
    char text[LONGEST_FRAME + 1];
    size_t size = make_text(text, self->received++, LONGEST_FRAME);
    if (!self->frames) text[size++] = '\n';
    return self->piece.size == size && (size == 0 || memcmp(self->piece.data, text, size) == 0);
}

/* Asking, some are always on their way. */
ASYNC(pieces)
{
    ASYNC_BEGIN(pieces);
    while (!self->asks || self->received < self->wanted) {
        while (self->sent < self->wanted && self->sent < self->received + 4) {
            const int error = ask(self);
            if (error != 0) RAISE(error);
        }
        AWAIT(self->piece, next_piece(self));
        if (!self->asks && self->piece.data == NULL) ASYNC_RETURN();
        const int error = self->asks ? is_answer(self) ? 0 : -EBADMSG : write_piece(self, self->piece.data, self->piece.size);
        if (error != 0) RAISE(error);
        AWAIT(self->drain, pawl_stream_drain(self->stream));
    }
    puts("same");
    ASYNC_END;
}

struct counts {
    COROUTINE(void);
    struct pawl_stream *stream;
    unsigned long long bytes;
    struct pawl_stream_read read;
    char data[ROOM];
};

ASYNC(counts)
{
    ASYNC_BEGIN(counts);
    do {
        AWAIT(self->read, pawl_stream_read(self->stream, self->data, sizeof self->data));
        self->bytes += self->read.result;
    } while (self->read.result > 0);
    pawl_stream_printf(self->stream, "%llu\n", self->bytes);
    ASYNC_END;
}

/* A file goes, or comes; then the other end has its say. */
struct files {
    COROUTINE(void);
    struct pawl_stream *stream;
    bool receives;
    int file;
    union {
        struct pawl_stream_sendfile send;
        struct pawl_stream_read read;
        struct pawl_stream_drain drain;
    };
    char data[ROOM];
};

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t put = write(fd, data, size);
        if (put <= 0) return false;
        data += put;
        size -= (size_t)put;
    }
    return true;
}

ASYNC(files)
{
    ASYNC_BEGIN(files);
    self->file = open(argument, self->receives ? O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600);
    if (self->file < 0) RAISE(-errno);
    TRY {
        if (!self->receives) {
            AWAIT(self->send, pawl_stream_sendfile(self->stream, self->file, 0, UINT64_MAX));
            pawl_stream_write_end(self->stream);
        }
        for (;;) {
            AWAIT(self->read, pawl_stream_read(self->stream, self->data, sizeof self->data));
            if (self->read.result == 0) break;
            if (!write_all(self->receives ? self->file : STDOUT_FILENO, self->data, self->read.result)) RAISE(-EIO);
        }
    } FINALLY {
        close(self->file);
    } END_TRY;
    ASYNC_END;
}

/* Each time it looks up, its read is cancelled: no part of the line may be lost by that. */
struct patient {
    COROUTINE(void);
    struct pawl_stream *stream;
    bool said;
    struct pawl_timeout limit;
    struct pawl_stream_piece line;
};

ASYNC(patient)
{
    ASYNC_BEGIN(patient);
    while (self->line.size == 0) {
        WITH(self->limit, pawl_move_on_after(PAWL_MS(3))) {
            AWAIT(self->line, pawl_stream_read_line(self->stream));
            if (self->line.size == 0) RAISE(PAWL_EEOF);
        } END_WITH;
        if (self->line.size > 0 || self->said) continue;
        puts("not yet");
        fflush(stdout);
        self->said = true;
    }
    pawl_stream_write(self->stream, self->line.data, self->line.size);
    printf("%.*s", (int)self->line.size, self->line.data);
    ASYNC_END;
}

/* From one to the other, and then the end. */
struct pump {
    COROUTINE(void);
    struct pawl_stream *from, *to;
    bool closes;
    union {
        struct pawl_stream_read read;
        struct pawl_stream_drain drain;
    };
    char data[ROOM];
};

ASYNC(pump)
{
    ASYNC_BEGIN(pump);
    for (;;) {
        AWAIT(self->read, pawl_stream_read(self->from, self->data, sizeof self->data));
        if (self->read.result == 0) break;
        const int error = pawl_stream_write(self->to, self->data, self->read.result);
        if (error != 0) RAISE(error);
        AWAIT(self->drain, pawl_stream_drain(self->to));
    }
    if (self->closes) AWAIT(self->drain, pawl_stream_wait_closed(self->to));
    else pawl_stream_write_end(self->to);
    ASYNC_END;
}

struct talk {
    COROUTINE(void);
    struct pawl_stream *stream;
    struct pawl_stream in, out;
    TASK(pump) up, down;
    struct pawl_member members[2];
    struct pawl_group group;
};

ASYNC(talk)
{
    ASYNC_BEGIN(talk);
    int error = pawl_stream_adopt(&self->in, dup(STDIN_FILENO));
    if (error == 0) error = pawl_stream_adopt(&self->out, dup(STDOUT_FILENO));
    if (error != 0) RAISE(error);
    TRY {
        WITH(self->group, pawl_group()) {
            pawl_group_add(&self->group, &self->members[0], pawl_start(&self->up, CORO(pump, .from = &self->in, .to = self->stream)));
            pawl_group_add(&self->group, &self->members[1],
                           pawl_start(&self->down, CORO(pump, .from = self->stream, .to = &self->out, .closes = true)));
        } END_WITH;
    } FINALLY {
        pawl_stream_abort(&self->in);
        pawl_stream_abort(&self->out);
    } END_TRY;
    ASYNC_END;
}

/* ---- Which of them ---- */

struct act {
    COROUTINE(void);
    struct pawl_stream *stream;
    union {
        struct echo echo;
        struct pieces pieces;
        struct counts counts;
        struct files files;
        struct patient patient;
        struct talk talk;
    };
};

struct any {
    struct pawl_coro awaitable;
};

static bool says(const char *word)
{
    return strcmp(verb, word) == 0;
}

static struct pieces some_pieces(struct pawl_stream *stream, bool asks)
{
    return CORO(pieces, .stream = stream, .asks = asks, .frames = strstr(verb, "frames") != NULL,
                .wanted = asks ? (unsigned)strtoul(argument, NULL, 10) : 0);
}

/* Its frame; NULL for a verb that is none. */
static struct pawl_coro *begin(struct act *self)
{
    struct pawl_stream *const stream = self->stream;
    if (says("echo")) self->echo = CORO(echo, .stream = stream);
    else if (says("lines") || says("frames")) self->pieces = some_pieces(stream, false);
    else if (says("ask-lines") || says("ask-frames")) self->pieces = some_pieces(stream, true);
    else if (says("count")) self->counts = CORO(counts, .stream = stream);
    else if (says("send") || says("receive")) self->files = CORO(files, .stream = stream, .receives = says("receive"));
    else if (says("patient")) self->patient = CORO(patient, .stream = stream);
    else if (says("talk")) self->talk = CORO(talk, .stream = stream);
    else return NULL;
    return &self->echo.awaitable; /* a union: all begin so */
}

ASYNC(act)
{
    ASYNC_BEGIN(act);
    struct pawl_coro *const frame = begin(self);
    if (frame == NULL) RAISE(PAWL_EINVAL);
    AWAIT((struct any *)(void *)frame);
    ASYNC_END;
}

/* ---- Both sides ---- */

struct serves {
    CONNECTION;
    struct act act;
};

ASYNC(serves)
{
    ASYNC_BEGIN(serves);
    if (once) pawl_server_close(self->argument);
    AWAIT(self->act, CORO(act, .stream = &self->stream));
    ASYNC_END;
}

struct listens {
    COROUTINE(int);
    struct pawl_server server;
    struct pawl_serve_forever serve;
};

static int start(struct pawl_server *server)
{
    char text[PAWL_ADDRESS_TEXT];
    const int error = pawl_start_server_at(server, &address, HANDLER(serves), server);
    if (error != 0) return error;
    pawl_socket_address(&server->listener, &address);
    printf("listening on %s\n", pawl_address_text(&address, text));
    fflush(stdout);
    return 0;
}

ASYNC(listens)
{
    ASYNC_BEGIN(listens);
    const int error = start(&self->server);
    if (error != 0) RAISE(error);
    AWAIT(self->serve, pawl_serve_forever(&self->server));
    ASYNC_RETURN(self->server.failed > 0);
    ASYNC_END;
}

struct connects {
    COROUTINE(void);
    const char *path;
    struct pawl_stream stream;
    struct pawl_stream_closing closing;
    union {
        struct pawl_open_connection open;
        struct act act;
    };
};

ASYNC(connects)
{
    ASYNC_BEGIN(connects);
    if (self->path != NULL) {
        const int writes = strcmp(verb, "send") == 0 ? O_WRONLY : strcmp(verb, "receive") == 0 ? O_RDONLY : O_RDWR;
        const int fd = open(self->path, writes | O_NOCTTY | O_CLOEXEC);
        const int error = fd < 0 ? -errno : pawl_stream_adopt(&self->stream, fd);
        if (error != 0) RAISE(error);
    } else {
        AWAIT(self->open, pawl_open_connection_at(&self->stream, &address));
    }
    WITH(self->closing, pawl_stream_closing(&self->stream)) {
        AWAIT(self->act, CORO(act, .stream = &self->stream));
    } END_WITH;
    ASYNC_END;
}

/* ---- Datagrams ---- */

struct datagrams {
    COROUTINE(void);
    char **texts;
    bool answers;
    struct pawl_socket sock;
    struct pawl_address from;
    union {
        struct pawl_recv_from recv;
        struct pawl_send_to send;
    };
    char data[ROOM];
};

static int open_datagrams(struct datagrams *self)
{
    char text[PAWL_ADDRESS_TEXT];
    const int error = pawl_datagram_open(&self->sock, pawl_address_sockaddr(&address)->sa_family, self->answers ? &address : NULL);
    if (error != 0 || !self->answers) return error;
    pawl_socket_address(&self->sock, &address);
    printf("listening on %s\n", pawl_address_text(&address, text));
    fflush(stdout);
    return 0;
}

/* One that asks sends first; one that answers, to whoever sent. */
ASYNC(datagrams)
{
    ASYNC_BEGIN(datagrams);
    const int error = open_datagrams(self);
    if (error != 0) RAISE(error);
    TRY {
        for (; self->answers || self->texts[0] != NULL; self->texts += !self->answers) {
            if (!self->answers) AWAIT(self->send, pawl_send_to(&self->sock, self->texts[0], strlen(self->texts[0]), &address));
            AWAIT(self->recv, pawl_recv_from(&self->sock, self->data, sizeof self->data, &self->from));
            if (self->answers) {
                AWAIT(self->send, pawl_send_to(&self->sock, self->data, self->recv.result, &self->from));
            } else {
                if (!pawl_address_equal(&self->from, &address)) RAISE(-EBADMSG);
                printf("%.*s\n", (int)self->recv.result, self->data);
            }
        }
    } FINALLY {
        pawl_socket_close(&self->sock);
    } END_TRY;
    ASYNC_END;
}

/* ---- The program ---- */

static bool read_address(const char *text, const char **path)
{
    char host[64];
    const char *const port = strrchr(text, ':');
    if (strncmp(text, "unix:", 5) == 0) return pawl_address_unix(&address, text + 5) == 0;
    if (strncmp(text, "file:", 5) == 0) {
        *path = text + 5;
        return true;
    }
    if (strncmp(text, "tcp:", 4) != 0 || port < text + 4) return false;
    snprintf(host, sizeof host, "%.*s", (int)(port - text - 4), text + 4);
    return pawl_address_parse(&address, host, (uint16_t)atoi(port + 1)) == 0;
}

int main(int count, char **arguments)
{
    const char *path = NULL;
    const char how = count > 1 && arguments[1][0] == '-' ? arguments[1][1] : ' ';
    char **next = arguments + (how == ' ' ? 1 : 2);
    if (count < (how == ' ' ? 3 : how == 'u' ? 3 : 4) || !read_address(next[0], &path)) {
        fputs("usage: peer [-l | -1] ADDRESS VERB [ARGUMENT]; peer -u ADDRESS [TEXT …]\n", stderr);
        return 2;
    }
    if (how == 'u') return pawl_run(CORO(datagrams, .texts = next + 1, .answers = next[1] == NULL));
    verb = next[1];
    if (next[2] != NULL) argument = next[2];
    once = how == '1';
    return how == ' ' ? pawl_run(CORO(connects, .path = path)) : pawl_run(CORO(listens));
}
