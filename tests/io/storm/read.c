/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The readers. Each turn takes something in one way or another, and compares it; what an operation says that it has taken is taken, also
 * when it was cancelled.
 */
#include "storm.h"

#include <sys/stat.h>
#include <sys/uio.h>

static const char separator[2] = { '\r', '\n' };

/* ---- Ways to take that are more than one operation ---- */

ASYNC_PUBLIC(tries)
{
    ASYNC_BEGIN(tries);
    for (;;) {
        const ptrdiff_t moved = self->sends ? pawl_socket_try_send(self->sock, self->data, self->size)
                                            : pawl_socket_try_recv(self->sock, self->data, self->size);
        if (moved >= 0) ASYNC_RETURN((size_t)moved);
        if (moved != PAWL_EPENDING) RAISE((int)moved);
        AWAIT(pawl_socket_ready(self->sock, self->sends ? PAWL_WRITABLE : PAWL_READABLE));
    }
    ASYNC_END;
}

ASYNC_PUBLIC(raw)
{
    ASYNC_BEGIN(raw);
    for (;;) {
        AWAIT(self->ready, pawl_wait_ready(self->sock, self->sends ? PAWL_WRITABLE : PAWL_READABLE));
        const int fd = pawl_socket_fd(self->sock);
        const ssize_t moved = self->sends ? send(fd, self->data, self->size, MSG_NOSIGNAL) : read(fd, self->data, self->size);
        if (moved >= 0) ASYNC_RETURN((size_t)moved);
        if (errno != EAGAIN) RAISE(-errno);
    }
    ASYNC_END;
}

/* Whatever part of it came is compared at once. */
ASYNC_PUBLIC(parts)
{
    ASYNC_BEGIN(parts);
    TRY_AWAIT(self->step.head, pawl_stream_read_exactly(self->end->stream, self->head, sizeof self->head));
    check(self->end->in, self->head, self->step.head.result);
    if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
    TRY_AWAIT(self->step.body, pawl_stream_read_piece(self->end->stream, self->head[0] * 4u));
    check(self->end->in, self->step.body.data, self->step.body.size);
    if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

/* ---- Beginning ---- */

static struct pawl_coro *begin_message(struct reader *self)
{
    const size_t first = chance((unsigned)self->size + 1);
    self->parts[0] = (struct iovec){ self->buffer, first };
    self->parts[1] = (struct iovec){ self->buffer + first, self->size - first };
    self->message = (struct msghdr){ .msg_iov = self->parts, .msg_iovlen = 2 };
    self->step.message = pawl_recvmsg(&self->end->sock, &self->message, 0);
    return &self->step.message.awaitable;
}

static struct pawl_coro *begin_bare(struct reader *self)
{
    struct pawl_socket *const sock = &self->end->sock;
    switch (self->take) {
    case RECVMSG: return begin_message(self);
    case RECV_FDS: self->step.fds = pawl_recv_fds(sock, self->buffer, self->size, self->fds, chance(PAWL_MOST_FDS + 1));
        return &self->step.fds.awaitable;
    case TRY_RECV: self->step.tries = CORO(tries, .sock = sock, .data = self->buffer, .size = self->size);
        return &self->step.tries.awaitable;
    case RAW_RECV: self->step.raw = CORO(raw, .sock = sock, .data = self->buffer, .size = self->size);
        return &self->step.raw.awaitable;
    default: self->step.recv = pawl_recv(sock, self->buffer, self->size);
        return &self->step.recv.awaitable;
    }
}

static struct pawl_coro *begin_stream(struct reader *self)
{
    struct pawl_stream *const stream = self->end->stream;
    switch (self->take) {
    case READ: self->step.read = pawl_stream_read(stream, self->buffer, self->size); return &self->step.read.awaitable;
    case READ_EXACTLY: self->step.read = pawl_stream_read_exactly(stream, self->buffer, self->size); return &self->step.read.awaitable;
    case PARTS: self->step.parts = CORO(parts, .end = self->end); return &self->step.parts.awaitable;
    case FRAME: self->step.piece = pawl_stream_read_frame(stream, PAWL_LENGTH_BYTE); break;
    case LINE: self->step.piece = pawl_stream_read_line(stream); break;
    case UNTIL: self->step.piece = pawl_stream_read_until(stream, separator, sizeof separator); break;
    case PIECE: self->step.piece = pawl_stream_read_piece(stream, self->size % stream->limit); break;
    default: self->step.piece = pawl_stream_fill(stream, 1 + self->size % stream->limit); break;
    }
    return &self->step.piece.awaitable;
}

/* A line that is too long loses what no reader can count; descriptors come by sockets only. */
static enum count some_take(const struct end *end)
{
    for (;;) {
        const enum count take = end->is_stream ? READ + chance(TAKES - READ) : chance(BARE_TAKES);
        if (take == LINE && end->small_limit) continue;
        if ((take == RECV_FDS || take == RECVMSG) && end->is_pipe) continue;
        return take;
    }
}

static struct pawl_coro *begin(struct reader *self)
{
    const size_t size = some_size();
    if (self->take != FILL || self->error != PAWL_ELIMIT) self->take = some_take(self->end);
    self->size = size > TAKE_ROOM ? TAKE_ROOM : size;
    self->error = 0;
    storm.counts[self->take]++;
    return self->end->is_stream ? begin_stream(self) : begin_bare(self);
}

/* ---- Ending ---- */

/* Something came, or the end. */
static void came(struct reader *self, const void *data, size_t size)
{
    check(self->end->in, data, size);
    if (size == 0) self->end->in->ended = true;
}

/* How many descriptors went with the bytes of this flow from here on. */
static unsigned marked(struct flow *flow, size_t size)
{
    unsigned count = 0;
    for (; flow->marks_count > 0 && flow->marks[flow->first_mark].position < flow->received + size; flow->marks_count--) {
        const struct mark *const mark = &flow->marks[flow->first_mark];
        if (mark->position >= flow->received) count += mark->count;
        flow->first_mark = (flow->first_mark + 1) % MARKS;
    }
    return count;
}

static bool is_the_pad(int fd)
{
    struct stat here, there;
    must(fstat(fd, &here) == 0 && fstat(storm.file, &there) == 0);
    return here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

static void took_fds(struct reader *self)
{
    const struct pawl_recv_fds *const fds = &self->step.fds;
    const unsigned expected = marked(self->end->in, fds->result);
    for (unsigned i = 0; i < fds->count; i++) {
        must(is_the_pad(self->fds[i]));
        close(self->fds[i]);
    }
    must(fds->count == (expected < fds->room ? expected : fds->room) && fds->truncated == (expected > fds->room));
    storm.counts[DESCRIPTORS] += fds->count;
    if (self->error == 0) came(self, self->buffer, fds->result);
}

static void took_bare(struct reader *self)
{
    size_t size = 0;
    switch (self->take) {
    case RECVMSG: size = self->step.message.result; break;
    case RECV_FDS: took_fds(self); return;
    case TRY_RECV: size = self->step.tries.result; break;
    case RAW_RECV: size = self->step.raw.result; break;
    default: size = self->step.recv.result; break;
    }
    must(self->error == 0 || size == 0);
    if (self->error == 0) came(self, self->buffer, size);
}

static void took_read(struct reader *self)
{
    const size_t size = self->step.read.result;
    if (self->take == READ) {
        must(self->error == 0 || size == 0);
        if (self->error == 0) came(self, self->buffer, size);
        return;
    }
    must(self->error == 0 ? size == self->size : size < self->size);
    check(self->end->in, self->buffer, size);
}

/* The separator is at the end of it, and nowhere before; or it is what was left. */
static void took_until(struct reader *self, const char *what, size_t length)
{
    const struct pawl_stream_piece *const piece = &self->step.piece;
    const char *const found = piece->size > 0 ? memmem(piece->data, piece->size, what, length) : NULL;
    if (self->error == 0 && piece->size > 0 && found != NULL) must(found + length == piece->data + piece->size);
    else must(found == NULL && (self->take == LINE || self->error != 0));
    check(self->end->in, piece->data, piece->size);
    if (self->take == LINE && self->error == 0 && found == NULL) {
        must(pawl_stream_at_end(self->end->stream));
        self->end->in->ended = piece->size == 0;
    }
}

static void took_filled(struct reader *self)
{
    const struct pawl_stream_piece *const piece = &self->step.piece;
    if (self->error != 0) return;
    must(piece->size == pawl_stream_buffered(self->end->stream));
    const size_t some = piece->size > 0 ? 1 + chance((unsigned)piece->size) : 0;
    came(self, piece->data, some);
    pawl_stream_consume(self->end->stream, some);
}

/* The byte before it said how long it is. At the end of the stream there is none; one that was cut off stays where it is. */
static void took_frame(struct reader *self)
{
    const struct pawl_stream_piece *const piece = &self->step.piece;
    struct flow *const in = self->end->in;
    if (self->error == 0 && piece->data != NULL) {
        const char length = (char)piece->size;
        must(piece->size < 256);
        check(in, &length, 1);
        check(in, piece->data, piece->size);
    } else if (self->error == 0) {
        in->ended = true;
    } else if (self->error == PAWL_EEOF) {
        check(in, self->end->stream->in.data + self->end->stream->in.begin, pawl_stream_buffered(self->end->stream));
        pawl_stream_consume(self->end->stream, SIZE_MAX);
    } else {
        must(piece->data == NULL && piece->size == 0);
    }
}

static void took_stream(struct reader *self)
{
    const struct pawl_stream_piece *const piece = &self->step.piece;
    switch (self->take) {
    case READ: case READ_EXACTLY: took_read(self); break;
    case LINE: took_until(self, "\n", 1); break;
    case UNTIL: took_until(self, separator, sizeof separator); break;
    case PIECE:
        must(self->error != 0 || piece->size == piece->separator_size);
        check(self->end->in, piece->data, piece->size);
        break;
    case FILL: took_filled(self); break;
    case FRAME: took_frame(self); break;
    default: break; /* parts have been compared */
    }
}

static void took(struct reader *self)
{
    if (self->end->is_stream) took_stream(self);
    else took_bare(self);
    if (self->error == PAWL_EEOF) self->end->in->ended = true;
    if (self->error == PAWL_ELIMIT) {
        must(self->take == UNTIL || (self->take == PARTS && self->end->small_limit));
        storm.counts[TOO_LONG]++;
        if (self->take == UNTIL) self->take = FILL; /* what is there must be taken in another way */
    } else if (self->error != 0 && self->error != PAWL_EEOF && !goes_on(self->end->in, self->error)) {
        self->over = true;
    }
    if (self->end->in->ended) self->over = true;
}

ASYNC_PUBLIC(reader)
{
    ASYNC_BEGIN(reader);
    self->begun = true;
    while (!self->over) {
        self->operation = begin(self);
        TRY {
            WITH(self->limit, some_limit(self->end->slot)) {
                AWAIT((struct any *)(void *)self->operation);
            } END_WITH;
        } CATCH_ALL {
            self->error = CAUGHT();
        } END_TRY;
        took(self);
        if (once_in(200)) {
            TRY_AWAIT(self->pause, pawl_sleep((pawl_time)chance(100000)));
            if (AWAIT_ERROR() != 0) goes_on(self->end->in, AWAIT_ERROR());
        }
    }
    self->begun = false;
    ASYNC_END;
}
