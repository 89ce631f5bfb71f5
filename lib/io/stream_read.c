/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Streams: what is read. A read of many bytes goes straight to the caller's memory; otherwise the buffer is filled, and the piece that was
 * asked for is looked for in it.
 *
 *      transport ──pull──► in: [ given | there | room ]──► a piece, in place, or a copy
 *                               ▲       ▲      ▲
 *                               0     begin   end
 *
 * What has been given stays where it is until the buffer is next used. When a reader has to wait, what was written is sent first,
 * since its answer is probably what it waits for, and an empty buffer is given back.
 */
#include "stream.h"

#include "io.h"

#include <string.h>

enum { DIRECT = 1024, LEAST_ROOM = 1024 };

/* ---- One try ---- */

/* From the transport: how many bytes, 0 at the end, PAWL_EPENDING, or an error, which stays. */
static ssize_t take_in(struct pawl_stream *stream, void *data, size_t size)
{
    if (stream->read_error != 0) return stream->read_error;
    if (stream->state & STREAM_AT_END) return 0;
    ssize_t got = stream->transport->read(stream, data, size);
    if (got == 0 && stream->error == -ECONNRESET) got = -ECONNRESET; /* the system has told of it once, when something was to be sent */
    if (got == 0) stream->state |= STREAM_AT_END;
    if (got < 0 && got != PAWL_EPENDING) stream->read_error = (int16_t)got;
    return got;
}

/* Would a read only say that there is nothing? Then no buffer is needed for it. */
static bool nothing_there(const struct pawl_stream *stream)
{
    return stream->transport == &pawl_transport_socket && !read_may_help(&stream->sock) &&
           !(stream->state & STREAM_AT_END) && stream->read_error == 0;
}

/* Fills the buffer: 1, 0 at the end, PAWL_EPENDING, or an error. */
static int pull(struct pawl_stream *stream)
{
    struct pawl_buffer *const in = &stream->in;
    if (nothing_there(stream)) return PAWL_EPENDING;
    const int error = stream_reserve(stream, in, LEAST_ROOM);
    if (error != 0) return error;
    const ssize_t got = take_in(stream, in->data + in->end, in->room - in->end);
    if (got <= 0) return (int)got;
    in->end += (uint32_t)got;
    return 1;
}

int stream_have(struct pawl_stream *stream, size_t size)
{
    while (buffer_used(&stream->in) < size) {
        const int pulled = pull(stream);
        if (pulled <= 0) return pulled;
    }
    return 1;
}

static size_t take_out(struct pawl_stream *stream, void *data, size_t size)
{
    const size_t used = buffer_used(&stream->in), taken = used < size ? used : size;
    if (taken > 0) memcpy(data, stream->in.data + stream->in.begin, taken);
    stream->in.begin += (uint32_t)taken;
    return taken;
}

/* ---- The shape of a read ---- */

static struct pawl_coro *read_leave(struct pawl_coro *co, struct pawl_stream *stream, int error)
{
    if (operation_is_of(co, stream->opening)) stream->state &= (uint16_t)~STREAM_READING;
    return pawl_leaf_done(co, error);
}

static struct pawl_coro *read_give_way(struct pawl_coro *co, struct pawl_coro *root, struct pawl_stream *stream)
{
    stream->streak = 0;
    stream->state |= STREAM_READING;
    operation_occupy(co, GAVE_WAY, stream->opening);
    return pawl_leaf_suspend(co, root);
}

static struct pawl_future *readiness(struct pawl_stream *stream)
{
    struct pawl_future *const fed = &stream->sock.readable;
    if (stream->loop != NULL) return pawl_socket_ready(&stream->sock, stream->wants[0] == PAWL_WRITABLE ? PAWL_WRITABLE : PAWL_READABLE);
    if (fed->flags & PAWL_FUTURE_DONE) pawl_future_reset(fed);
    return fed;
}

static struct pawl_coro *read_wait(struct pawl_coro *co, struct pawl_coro *root, struct pawl_stream *stream)
{
    if (pawl_stream_unsent(stream) > 0) stream_flush(stream);
    if (stream->read_error != 0) return read_leave(co, stream, stream->read_error); /* that was the flush's: nobody will tell of it again */
    stream_release_if_empty(stream, &stream->in);
    struct pawl_future *const ready = readiness(stream);
    if (ready->flags & PAWL_FUTURE_DONE) return read_give_way(co, root, stream);
    stream->streak = 0;
    stream->state |= STREAM_READING;
    operation_occupy(co, WAITS, stream->opening);
    return pawl_leaf_await(co, root, ready);
}

static int read_check(const struct pawl_coro *co, const struct pawl_stream *stream)
{
    if (!stream_open(stream)) return PAWL_ECLOSED;
    if (co->point == START) return stream->state & STREAM_READING ? PAWL_EBUSY : 0;
    return operation_is_of(co, stream->opening) ? 0 : PAWL_ECLOSED;
}

static inline struct pawl_coro *read_operate(struct pawl_coro *co, struct pawl_coro *root, int error, struct pawl_stream *stream,
                                             int (*try_once)(struct pawl_coro *co))
{
    if (stream == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (error != 0) return read_leave(co, stream, error);
    error = read_check(co, stream);
    if (error != 0) return pawl_leaf_done(co, error);
    if (co->point == START && ++stream->streak > STREAK && stream->loop != NULL) return read_give_way(co, root, stream);
    error = try_once(co);
    if (error == GIVES_WAY) return read_give_way(co, root, stream);
    return error == PAWL_EPENDING ? read_wait(co, root, stream) : read_leave(co, stream, error);
}

/* ---- Into the caller's memory ---- */

/* At least a byte: how many, or as take_in. */
static ssize_t read_some(struct pawl_stream *stream, void *data, size_t size)
{
    if (buffer_used(&stream->in) == 0) {
        if (size >= DIRECT) return take_in(stream, data, size);
        const int pulled = pull(stream);
        if (pulled <= 0) return pulled;
    }
    return (ssize_t)take_out(stream, data, size);
}

static int try_read(struct pawl_coro *co)
{
    struct pawl_stream_read *const self = (struct pawl_stream_read *)(void *)co;
    const ssize_t got = read_some(self->stream, self->data, self->size);
    if (got < 0) return (int)got;
    self->result = (size_t)got;
    return 0;
}

PAWL_LEAF(pawl_stream_read)
{
    PAWL_LEAF_BEGIN(pawl_stream_read);
    struct pawl_stream_read *const self = (struct pawl_stream_read *)(void *)co;
    if (self->data == NULL || self->size == 0) return pawl_leaf_done(co, PAWL_EINVAL);
    return read_operate(co, root, error, self->stream, try_read);
}

static int try_read_exactly(struct pawl_coro *co)
{
    struct pawl_stream_read *const self = (struct pawl_stream_read *)(void *)co;
    const size_t before = self->result;
    while (self->result < self->size) {
        if (self->result - before >= SHARE && self->stream->loop != NULL) return GIVES_WAY;
        const ssize_t got = read_some(self->stream, (char *)self->data + self->result, self->size - self->result);
        if (got <= 0) return got == 0 ? PAWL_EEOF : (int)got;
        self->result += (size_t)got;
    }
    return 0;
}

PAWL_LEAF(pawl_stream_read_exactly)
{
    PAWL_LEAF_BEGIN(pawl_stream_read_exactly);
    struct pawl_stream_read *const self = (struct pawl_stream_read *)(void *)co;
    if (self->data == NULL && self->size > 0) return pawl_leaf_done(co, PAWL_EINVAL);
    return read_operate(co, root, error, self->stream, try_read_exactly);
}

/* ---- Pieces ---- */

/* Gives the first `size` bytes of the buffer. */
static int give(struct pawl_stream_piece *self, size_t size)
{
    struct pawl_buffer *const in = &self->stream->in;
    self->data = in->data + in->begin;
    self->size = size;
    in->begin += (uint32_t)size;
    return 0;
}

static int give_what_is_left(struct pawl_stream_piece *self, int error)
{
    if (buffer_used(&self->stream->in) > 0) give(self, buffer_used(&self->stream->in));
    return error;
}

/* Looks for the separator where it was not looked for yet: how many bytes stand before it, or -1. */
static ssize_t find(struct pawl_stream_piece *self)
{
    const struct pawl_buffer *const in = &self->stream->in;
    const size_t used = buffer_used(in), size = self->separator_size;
    if (used < size) return -1;
    const char *const from = in->data + in->begin;
    if (self->seen > used) self->seen = 0; /* somebody has taken something out meanwhile */
    const char *const found = memmem(from + self->seen, used - self->seen, self->separator, size);
    self->seen = (uint32_t)(used - size + 1);
    return found != NULL ? found - from : -1;
}

static int try_read_until(struct pawl_coro *co)
{
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    struct pawl_stream *const stream = self->stream;
    for (;;) {
        const ssize_t before = find(self);
        if (before > (ssize_t)stream->limit) return PAWL_ELIMIT;
        if (before >= 0) return give(self, (size_t)before + self->separator_size);
        if (buffer_used(&stream->in) >= (size_t)stream->limit + self->separator_size) return PAWL_ELIMIT;
        const int pulled = pull(stream);
        if (pulled <= 0) return pulled == 0 ? give_what_is_left(self, PAWL_EEOF) : pulled;
    }
}

PAWL_LEAF(pawl_stream_read_until)
{
    PAWL_LEAF_BEGIN(pawl_stream_read_until);
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    if (self->separator == NULL || self->separator_size == 0) return pawl_leaf_done(co, PAWL_EINVAL);
    return read_operate(co, root, error, self->stream, try_read_until);
}

/* A line that is too long goes, as far as it is there. */
static int try_read_line(struct pawl_coro *co)
{
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    const int error = try_read_until(co);
    if (error == PAWL_EEOF) return 0;
    if (error != PAWL_ELIMIT) return error;
    self->seen = 0;
    const ssize_t before = find(self);
    pawl_stream_consume(self->stream, before >= 0 ? (size_t)before + self->separator_size : SIZE_MAX);
    return error;
}

PAWL_LEAF(pawl_stream_read_line)
{
    PAWL_LEAF_BEGIN(pawl_stream_read_line);
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    return read_operate(co, root, error, self->stream, try_read_line);
}

static int try_read_piece(struct pawl_coro *co)
{
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    struct pawl_stream *const stream = self->stream;
    const size_t size = self->separator_size;
    if (size > stream->limit) return PAWL_ELIMIT;
    const int there = stream_have(stream, size);
    if (there <= 0) return there == 0 ? give_what_is_left(self, PAWL_EEOF) : there;
    return size > 0 ? give(self, size) : 0;
}

PAWL_LEAF(pawl_stream_read_piece)
{
    PAWL_LEAF_BEGIN(pawl_stream_read_piece);
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    return read_operate(co, root, error, self->stream, try_read_piece);
}

static int try_fill(struct pawl_coro *co)
{
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    struct pawl_stream *const stream = self->stream;
    if (self->separator_size > stream->limit) return PAWL_ELIMIT;
    const int there = stream_have(stream, self->separator_size);
    if (there < 0) return there;
    self->size = buffer_used(&stream->in);
    if (self->size > 0) self->data = stream->in.data + stream->in.begin;
    return 0;
}

PAWL_LEAF(pawl_stream_fill)
{
    PAWL_LEAF_BEGIN(pawl_stream_fill);
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    if (self->separator_size == 0) return pawl_leaf_done(co, PAWL_EINVAL);
    return read_operate(co, root, error, self->stream, try_fill);
}

void pawl_stream_consume(struct pawl_stream *stream, size_t size)
{
    const size_t used = buffer_used(&stream->in);
    stream->in.begin += (uint32_t)(size < used ? size : used);
}

bool pawl_stream_at_end(const struct pawl_stream *stream)
{
    return (stream->state & STREAM_AT_END) && buffer_used(&stream->in) == 0;
}

/* ---- For reads in other files ---- */

struct pawl_coro *stream_read_operate(struct pawl_coro *co, struct pawl_coro *root, int error, struct pawl_stream *stream,
                                      int (*try_once)(struct pawl_coro *co))
{
    return read_operate(co, root, error, stream, try_once);
}

int stream_give(struct pawl_stream_piece *self, size_t size)
{
    return give(self, size);
}
