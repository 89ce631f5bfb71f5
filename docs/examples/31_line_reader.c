/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Lines out of a stream. A socket gives bytes in whatever pieces they come; the reader keeps what it has got beyond the line
 * that was asked for, and receives again only when there is no whole line. Its buffer is in the caller's frame, and bounds
 * the length of a line. The client here sends its lines in pieces on purpose.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pawl/pawl.h>

struct line_reader {
    struct pawl_socket *sock;
    size_t begin, end; /* what has been received and not given out */
    char buffer[16];
};

/* The result is the next line, without its newline, good until the next call; NULL at the end of the stream. */
struct read_line {
    COROUTINE(char *);
    struct line_reader *reader;
    struct pawl_recv recv;
};

static char *take_line(struct line_reader *reader)
{
    char *const line = reader->buffer + reader->begin;
    char *const newline = memchr(line, '\n', reader->end - reader->begin);
    if (newline == NULL) return NULL;
    *newline = '\0';
    reader->begin = (size_t)(newline + 1 - reader->buffer);
    return line;
}

static size_t make_room(struct line_reader *reader)
{
    memmove(reader->buffer, reader->buffer + reader->begin, reader->end - reader->begin);
    reader->end -= reader->begin;
    reader->begin = 0;
    return sizeof reader->buffer - reader->end;
}

ASYNC(read_line)
{
    ASYNC_BEGIN(read_line);
    while ((self->result = take_line(self->reader)) == NULL) {
        if (make_room(self->reader) == 0) RAISE(-EMSGSIZE);
        AWAIT(self->recv, pawl_recv(self->reader->sock, self->reader->buffer + self->reader->end, sizeof self->reader->buffer - self->reader->end));
        if (self->recv.result == 0) ASYNC_RETURN(NULL);
        self->reader->end += self->recv.result;
    }
    ASYNC_END;
}

struct client {
    COROUTINE(void);
    uint16_t port;
    struct pawl_socket sock;
    int i;
    union {
        struct pawl_connect connect;
        struct pawl_send send;
    };
};

ASYNC(client)
{
    static const char *const pieces[] = { "tick\nto", "ck\n\ntick tock", " tick\n", "this one is far too long\n" };
    ASYNC_BEGIN(client);
    AWAIT(self->connect, pawl_connect(&self->sock, "127.0.0.1", self->port));
    TRY {
        for (self->i = 0; self->i < 4; self->i++) AWAIT(self->send, pawl_send(&self->sock, pieces[self->i], strlen(pieces[self->i])));
    } FINALLY {
        pawl_socket_close(&self->sock);
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct pawl_socket listener, sock;
    struct line_reader reader;
    struct pawl_group group;
    struct pawl_accept accept;
    struct read_line read;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    TRY {
        const int error = pawl_listen(&self->listener, "127.0.0.1", 0, 1);
        if (error != 0) RAISE(error);
        WITH(self->group, pawl_group()) {
            if (pawl_group_spawn(&self->group, CORO(client, .port = (uint16_t)pawl_socket_port(&self->listener))) == NULL) RAISE(PAWL_ENOMEM);
            AWAIT(self->accept, pawl_accept(&self->listener, &self->sock));
            self->reader.sock = &self->sock;
            for (;;) {
                AWAIT(self->read, CORO(read_line, .reader = &self->reader));
                if (self->read.result == NULL) RAISE(PAWL_EEOF);
                printf("\"%s\"\n", self->read.result);
            }
        } END_WITH;
    } CATCH(-EMSGSIZE) {
        puts("a line that is too long");
    } FINALLY {
        pawl_socket_close(&self->sock);
        pawl_socket_close(&self->listener);
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
