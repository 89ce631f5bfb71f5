/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A Unix socket, over which descriptors travel. A client asks the scribe for a book to write into, and gets the
 * writing end of a pipe; what it writes goes past the connection, straight to the scribe, who sees the end when the
 * last copy of that end is closed. So a privileged process opens files and ports for others that may not.
 *
 *      client ──"book of Ada\n"──► scribe
 *             ◄──"+", and an end of a pipe──
 *             ──"…"──────pipe─────► scribe, who reads to its end
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pawl/pawl.h>

/* ---- The scribe: a coroutine for each connection ---- */

struct scribe {
    CONNECTION;
    char owner[32];
    struct pawl_socket ours, theirs; /* the ends of the pipe */
    struct pawl_stream book;
    struct pawl_stream_closing closing;
    int fd;
    union {
        struct pawl_stream_piece line;
        struct pawl_send_fds send;
    };
};

static bool read_request(struct scribe *self)
{
    static const char words[] = "book of ";
    const size_t words_size = sizeof words - 1, size = self->line.size;
    if (size < words_size + 2 || size - words_size > sizeof self->owner) return false;
    if (memcmp(self->line.data, words, words_size) != 0) return false;
    memcpy(self->owner, self->line.data + words_size, size - words_size - 1); /* without the newline; the rest is zeroed */
    return true;
}

ASYNC(scribe)
{
    ASYNC_BEGIN(scribe);
    AWAIT(self->line, pawl_stream_read_line(&self->stream));
    if (!read_request(self)) ASYNC_RETURN();
    TRY {
        const int error = pawl_pipe(&self->ours, &self->theirs);
        if (error != 0) RAISE(error);
        self->fd = pawl_socket_fd(&self->theirs);
        AWAIT(self->send, pawl_send_fds(&self->stream.sock, "+", 1, &self->fd, 1));
        pawl_socket_close(&self->theirs); /* or the pipe would never end: the client has a copy */
        const int opened = pawl_stream_open(&self->book, &self->ours);
        if (opened != 0) RAISE(opened);
        WITH(self->closing, pawl_stream_closing(&self->book)) {
            for (;;) {
                AWAIT(self->line, pawl_stream_read_line(&self->book));
                if (self->line.size == 0) break;
                printf("%s: %.*s", self->owner, (int)self->line.size, self->line.data);
            }
            printf("%s has finished\n", self->owner);
            pawl_stream_write_text(&self->stream, "shelved\n");
        } END_WITH;
    } FINALLY {
        pawl_socket_close(&self->ours);
        pawl_socket_close(&self->theirs);
    } END_TRY;
    ASYNC_END;
}

/* ---- A client ---- */

struct author {
    COROUTINE(void);
    const struct pawl_address *address;
    const char *name;
    struct pawl_stream stream, book;
    struct pawl_stream_closing closing;
    char byte;
    int fd;
    union {
        struct pawl_open_connection open;
        struct pawl_stream_drain drain;
        struct pawl_recv_fds recv;
        struct pawl_stream_piece line;
    };
};

ASYNC(author)
{
    ASYNC_BEGIN(author);
    AWAIT(self->open, pawl_open_connection_at(&self->stream, self->address));
    WITH(self->closing, pawl_stream_closing(&self->stream)) {
        pawl_stream_printf(&self->stream, "book of %s\n", self->name);
        /* the socket below the stream may be used when nothing is on its way */
        AWAIT(self->drain, pawl_stream_flush(&self->stream));
        AWAIT(self->recv, pawl_recv_fds(&self->stream.sock, &self->byte, 1, &self->fd, 1));
        if (self->recv.count != 1) RAISE(PAWL_EEOF);
        TRY {
            const int error = pawl_stream_adopt(&self->book, self->fd);
            if (error != 0) RAISE(error);
            pawl_stream_write_text(&self->book, "Once upon a time there was a program.\nIt ended.\n");
            AWAIT(self->drain, pawl_stream_wait_closed(&self->book)); /* the end is what the scribe waits for */
        } FINALLY {
            pawl_stream_abort(&self->book);
        } END_TRY;
        AWAIT(self->line, pawl_stream_read_line(&self->stream));
        printf("the scribe says: %.*s", (int)self->line.size, self->line.data);
    } END_WITH;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct pawl_server server;
    struct pawl_address address;
    union {
        struct author author;
        struct pawl_server_shutdown shutdown;
    };
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    char name[32];
    snprintf(name, sizeof name, "@pawl-scribe-%ld", (long)getpid()); /* a name in no file system: nothing to clean up */
    int error = pawl_address_unix(&self->address, name);
    if (error == 0) error = pawl_start_server_at(&self->server, &self->address, HANDLER(scribe), NULL);
    if (error != 0) RAISE(error);
    TRY {
        AWAIT(self->author, CORO(author, .address = &self->address, .name = "Ada"));
    } FINALLY {
        AWAIT(self->shutdown, pawl_server_shutdown(&self->server, PAWL_SEC(1)));
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
