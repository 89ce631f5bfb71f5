/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Streams: what is written, and the end. (What is read: stream_read.c.)
 *
 *      write ──copies──► out ──flush──► transport        flush runs: in drain, before the reader waits, when a lot has
 *                         │                gathered, and otherwise at the end of the iteration (the flusher, a handle)
 *                         └──PAWL_EPENDING──► the flusher waits for the socket, and goes on
 *
 *      OPEN ──close──► CLOSING ──out is empty──► the transport says goodbye ──► closed ──► those that wait for it
 *        └─────────────────────────abort────────────────────────────────────────┘
 *
 * The flusher is in at most one place: nowhere, ready to run, or waiting for the socket.
 */
#include "stream.h"

#include "io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DIRECT = 16 * 1024, FLUSH_AT = 64 * 1024, MOST_LIMIT = 1 << 30 };

static void flush_later(void *argument);

/* ---- Buffers ---- */

static const struct pawl_allocator *allocator_of(const struct pawl_stream *stream)
{
    return stream->loop != NULL ? stream->loop->allocator : stream->session;
}

/* Chunks come and go with each message: the loop keeps some. */
static bool is_kept(const struct pawl_stream *stream, uint64_t room)
{
    return stream->loop != NULL && room == PAWL_STREAM_CHUNK;
}

static char *allocate(const struct pawl_stream *stream, uint64_t room)
{
    const struct pawl_allocator *const allocator = allocator_of(stream);
    if (is_kept(stream, room)) return loop_allocate(stream->loop, (size_t)room);
    return allocator != NULL && room <= UINT32_MAX ? allocator->allocate(allocator->context, (size_t)room) : NULL;
}

void stream_release(const struct pawl_stream *stream, struct pawl_buffer *buffer)
{
    const struct pawl_allocator *const allocator = allocator_of(stream);
    if (buffer->room == 0) return;
    if (is_kept(stream, buffer->room)) loop_release(stream->loop, buffer->data, buffer->room);
    else allocator->release(allocator->context, buffer->data);
    *buffer = (struct pawl_buffer){ 0 };
}

static int buffer_grow(const struct pawl_stream *stream, struct pawl_buffer *buffer, uint64_t least)
{
    const size_t used = buffer_used(buffer);
    uint64_t room = buffer->room > 0 ? buffer->room : PAWL_STREAM_CHUNK;
    while (room < least) room *= 2;
    char *const data = allocate(stream, room);
    if (data == NULL) return PAWL_ENOMEM;
    if (used > 0) memcpy(data, buffer->data + buffer->begin, used);
    stream_release(stream, buffer);
    *buffer = (struct pawl_buffer){ .data = data, .end = (uint32_t)used, .room = (uint32_t)room };
    return 0;
}

int stream_reserve(const struct pawl_stream *stream, struct pawl_buffer *buffer, size_t more)
{
    const size_t used = buffer_used(buffer);
    if (used == 0) buffer->begin = buffer->end = 0;
    if (buffer->room - buffer->end >= more) return 0;
    if (more > UINT32_MAX) return PAWL_ENOMEM;
    /* moved only over at least as many free bytes: so each byte is moved once on average */
    if (buffer->begin < used || buffer->room - used < more) return buffer_grow(stream, buffer, (uint64_t)used + more);
    memmove(buffer->data, buffer->data + buffer->begin, used);
    buffer->begin = 0;
    buffer->end = (uint32_t)used;
    return 0;
}

static void append(struct pawl_buffer *buffer, const void *data, size_t size)
{
    if (size > 0) memcpy(buffer->data + buffer->end, data, size);
    buffer->end += (uint32_t)size;
}

/* ---- The socket as a transport ---- */

static ssize_t socket_read(struct pawl_stream *stream, void *data, size_t size)
{
    return pawl_socket_try_recv(&stream->sock, data, size);
}

static ssize_t socket_write(struct pawl_stream *stream, const struct iovec *parts, size_t count)
{
    return pawl_socket_try_send_vector(&stream->sock, parts, count);
}

/* Before a close there is no need to say so. Of one that the peer has reset the system says that it is not connected. */
static int socket_end(struct pawl_stream *stream, bool closing)
{
    const int error = closing ? 0 : pawl_socket_shutdown(&stream->sock, SHUT_WR);
    return error == -ENOTCONN ? -EPIPE : error;
}

const struct pawl_transport pawl_transport_socket = {
    .name = "socket", .read = socket_read, .write = socket_write, .end = socket_end, .half_close = true
};

/* ---- Opening ---- */

void stream_begin(struct pawl_stream *stream, struct pawl_loop *loop, const struct pawl_transport *transport)
{
    const struct pawl_socket sock = stream->sock; /* whose watch knows its address */
    const unsigned opening = stream->opening + 1u;
    memset(stream, 0, sizeof *stream);
    stream->sock = sock;
    stream->opening = (uint16_t)opening;
    stream->loop = loop;
    stream->transport = transport;
    stream->limit = stream->high = PAWL_STREAM_LIMIT;
    stream->low = PAWL_STREAM_LIMIT / 4;
    stream->wants[0] = PAWL_READABLE;
    stream->wants[1] = PAWL_WRITABLE;
}

int pawl_stream_adopt(struct pawl_stream *stream, int fd)
{
    const bool busy = stream != NULL && stream->transport != NULL;
    if (stream == NULL || busy) {
        if (fd >= 0) close(fd);
        return busy ? PAWL_EBUSY : PAWL_EINVAL;
    }
    const int error = pawl_socket_adopt(&stream->sock, fd);
    if (error == 0) stream_begin(stream, stream->sock.loop, &pawl_transport_socket);
    return error;
}

int pawl_stream_open(struct pawl_stream *stream, struct pawl_socket *sock)
{
    if (stream == NULL || sock == NULL) return PAWL_EINVAL;
    if (sock->loop == NULL) return PAWL_ECLOSED;
    if (stream->transport != NULL) return PAWL_EBUSY;
    if (sock != &stream->sock) {
        if (sock->readable.awaitable.first != NULL || sock->writable.awaitable.first != NULL) return PAWL_EBUSY;
        return pawl_stream_adopt(stream, pawl_socket_release(sock));
    }
    stream_begin(stream, sock->loop, &pawl_transport_socket);
    return 0;
}

int pawl_stream_pair(struct pawl_stream *a, struct pawl_stream *b)
{
    if (a == NULL || b == NULL || a == b) return PAWL_EINVAL;
    if (a->transport != NULL || b->transport != NULL) return PAWL_EBUSY;
    const int error = pawl_socket_pair(&a->sock, &b->sock, SOCK_STREAM);
    if (error != 0) return error;
    stream_begin(a, a->sock.loop, &pawl_transport_socket);
    stream_begin(b, b->sock.loop, &pawl_transport_socket);
    return 0;
}

ASYNC_PUBLIC(pawl_open_connection)
{
    ASYNC_BEGIN(pawl_open_connection);
    if (self->stream == NULL) RAISE(PAWL_EINVAL);
    if (self->stream->transport != NULL) RAISE(PAWL_EBUSY);
    if (self->address != NULL) AWAIT(self->step.to, pawl_connect_to(&self->stream->sock, self->address));
    else AWAIT(self->step.connect, pawl_connect(&self->stream->sock, self->host, self->port));
    stream_begin(self->stream, self->stream->sock.loop, &pawl_transport_socket);
    ASYNC_END;
}

int pawl_stream_set_limit(struct pawl_stream *stream, size_t limit)
{
    if (stream == NULL || limit < 1 || limit > MOST_LIMIT) return PAWL_EINVAL;
    stream->limit = (uint32_t)limit;
    return 0;
}

int pawl_stream_set_water(struct pawl_stream *stream, size_t high, size_t low)
{
    if (stream == NULL || low > high || high > MOST_LIMIT) return PAWL_EINVAL;
    stream->high = (uint32_t)high;
    stream->low = (uint32_t)low;
    return 0;
}

/* ---- Flushing ---- */

static void wake_reader(struct pawl_stream *stream, int error)
{
    pawl_future_settle(&stream->sock.readable, error);
    pawl_future_settle(&stream->sock.writable, error);
}

/* Nothing more can be written: what is left is lost, and who waits for it is told. Who reads is told as well, or would wait for an answer to
 * what was never sent; of a peer that is gone the system tells it, behind what that one still sent. */
static void fail(struct pawl_stream *stream, int error)
{
    stream->error = (int16_t)error;
    stream_release(stream, &stream->out);
    pawl_wait_wake_all(&stream->drainers, error);
    if (error == -EPIPE || error == -ECONNRESET || stream->read_error != 0) return;
    stream->read_error = (int16_t)error;
    wake_reader(stream, 0);
}

/* Takes leave of everything. Who waits for the end is told how it was. */
static void shut(struct pawl_stream *stream)
{
    pawl_handle_cancel(&stream->flusher);
    stream->state |= STREAM_CLOSING;
    if (stream->transport->release != NULL) stream->transport->release(stream);
    pawl_socket_close(&stream->sock);
    stream_release(stream, &stream->in);
    stream_release(stream, &stream->out);
    stream->transport = NULL;
    pawl_wait_wake_all(&stream->drainers, stream->error != 0 ? stream->error : PAWL_ECLOSED);
    pawl_wait_wake_all(&stream->closers, stream->error);
}

/* The transport has to wait. */
static void flush_when_ready(struct pawl_stream *stream)
{
    if (stream->loop == NULL) return; /* what is written stays */
    struct pawl_future *const ready = pawl_socket_ready(&stream->sock, stream->wants[1] == PAWL_READABLE ? PAWL_READABLE : PAWL_WRITABLE);
    (pawl_future_add_callback)(ready, stream->loop, &stream->flusher, flush_later, stream);
}

/* Everything has been sent: is the end to be said? */
static void flushed(struct pawl_stream *stream)
{
    const bool closing = (stream->state & STREAM_CLOSING) != 0;
    if (!(stream->state & (STREAM_CLOSING | STREAM_END_ASKED))) return;
    if (stream->error == 0 && (closing || !(stream->state & STREAM_END_SAID))) {
        const int error = stream->transport->end(stream, closing);
        if (error == PAWL_EPENDING) {
            flush_when_ready(stream);
            return;
        }
        if (error != 0) fail(stream, error);
        stream->state |= STREAM_END_SAID;
    }
    if (closing) shut(stream);
}

void stream_flush(struct pawl_stream *stream)
{
    if (where(&stream->flusher.awaitable) == PAWL_WHERE_FUTURE) return; /* the socket will tell */
    pawl_handle_cancel(&stream->flusher);
    for (size_t sent = 0; stream->out.begin < stream->out.end;) {
        if (sent >= SHARE) {
            pawl_call_soon(stream->loop, &stream->flusher, flush_later, stream); /* others have their turn first */
            break;
        }
        const struct iovec part = { stream->out.data + stream->out.begin, buffer_used(&stream->out) };
        const ssize_t put = stream->transport->write(stream, &part, 1);
        if (put == PAWL_EPENDING) {
            flush_when_ready(stream);
            break;
        }
        if (put < 0) {
            fail(stream, (int)put);
            break;
        }
        stream->out.begin += (uint32_t)put;
        sent += (size_t)put;
    }
    if (buffer_used(&stream->out) <= stream->low && stream->drainers.first != NULL) pawl_wait_wake_all(&stream->drainers, 0);
    if (stream->out.begin < stream->out.end) return;
    stream_release_if_empty(stream, &stream->out);
    flushed(stream);
}

static void flush_later(void *argument)
{
    struct pawl_stream *const stream = argument;
    if (stream->transport != NULL) stream_flush(stream);
}

/* ---- Writing ---- */

static int may_write(const struct pawl_stream *stream)
{
    if (stream == NULL) return PAWL_EINVAL;
    if (!stream_open(stream) || (stream->state & STREAM_END_ASKED)) return PAWL_ECLOSED;
    return stream->error;
}

/* Something is in the buffer. */
static int written(struct pawl_stream *stream)
{
    if (buffer_used(&stream->out) >= FLUSH_AT) stream_flush(stream);
    else if (stream->loop != NULL && where(&stream->flusher.awaitable) == PAWL_WHERE_NONE)
        pawl_call_soon(stream->loop, &stream->flusher, flush_later, stream);
    return stream->error;
}

/* A lot, and nothing before it: what goes is sent without being copied. How much that was, or an error. */
static ssize_t write_direct(struct pawl_stream *stream, const void *data, size_t size)
{
    size_t sent = 0;
    while (sent < size) {
        const struct iovec part = { (char *)(uintptr_t)data + sent, size - sent };
        const ssize_t put = stream->transport->write(stream, &part, 1);
        if (put == PAWL_EPENDING) break;
        if (put < 0) {
            fail(stream, (int)put);
            return put;
        }
        sent += (size_t)put;
    }
    return (ssize_t)sent;
}

int pawl_stream_write(struct pawl_stream *stream, const void *data, size_t size)
{
    const int error = may_write(stream);
    if (error != 0) return error;
    if (size == 0) return 0;
    if (data == NULL) return PAWL_EINVAL;
    ssize_t sent = 0;
    if (size >= DIRECT && stream->transport == &pawl_transport_socket && buffer_used(&stream->out) == 0 &&
        where(&stream->flusher.awaitable) != PAWL_WHERE_FUTURE) {
        sent = write_direct(stream, data, size);
        if (sent < 0) return (int)sent;
        if ((size_t)sent == size) return 0;
    }
    if (stream_reserve(stream, &stream->out, size - (size_t)sent) != 0) {
        if (sent > 0) fail(stream, PAWL_ENOMEM); /* a part has gone: nothing can follow it */
        return PAWL_ENOMEM;
    }
    append(&stream->out, (const char *)data + sent, size - (size_t)sent);
    return written(stream);
}

int pawl_stream_write_text(struct pawl_stream *stream, const char *text)
{
    return pawl_stream_write(stream, text, text != NULL ? strlen(text) : 1);
}

int pawl_stream_write_vector(struct pawl_stream *stream, const struct iovec *parts, size_t count)
{
    size_t size = 0;
    int error = may_write(stream);
    if (error == 0 && parts == NULL && count > 0) error = PAWL_EINVAL;
    for (size_t i = 0; error == 0 && i < count; i++) {
        if (parts[i].iov_base == NULL && parts[i].iov_len > 0) error = PAWL_EINVAL;
        else if (__builtin_add_overflow(size, parts[i].iov_len, &size)) error = PAWL_ENOMEM;
    }
    if (error == 0) error = stream_reserve(stream, &stream->out, size);
    if (error != 0 || size == 0) return error;
    for (size_t i = 0; i < count; i++) append(&stream->out, parts[i].iov_base, parts[i].iov_len);
    return written(stream);
}

int pawl_stream_printf(struct pawl_stream *stream, const char *format, ...)
{
    va_list arguments, again;
    int error = may_write(stream);
    if (error != 0) return error;
    if (format == NULL) return PAWL_EINVAL;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int size = vsnprintf(NULL, 0, format, arguments);
    error = size < 0 ? PAWL_EINVAL : stream_reserve(stream, &stream->out, (size_t)size + 1);
    if (error == 0) {
        vsnprintf(stream->out.data + stream->out.end, (size_t)size + 1, format, again);
        stream->out.end += (uint32_t)size;
    }
    va_end(again);
    va_end(arguments);
    stream_release_if_empty(stream, &stream->out);
    return error != 0 || size == 0 ? error : written(stream);
}

int pawl_stream_write_end(struct pawl_stream *stream)
{
    const int error = may_write(stream);
    if (error != 0) return error;
    if (!stream->transport->half_close || stream->sock.kind == KIND_FILE) return PAWL_ENOSYS;
    stream->state |= STREAM_END_ASKED;
    stream_flush(stream);
    return stream->error;
}

/* ---- Draining ---- */

static struct pawl_coro *wait_here(struct pawl_coro *co, struct pawl_coro *root, struct pawl_wait_list *list)
{
    return pawl_wait_begin(list, &((struct pawl_stream_drain *)(void *)co)->waiter, co, root);
}

/* Waits, unless no more than `most` bytes are left. */
static struct pawl_coro *drain(struct pawl_coro *co, struct pawl_coro *root, int error, bool entirely)
{
    struct pawl_stream_drain *const self = (struct pawl_stream_drain *)(void *)co;
    struct pawl_stream *const stream = self->stream;
    if (stream == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    const bool waited = co->point == 1, gave_way = co->point == 2;
    if (waited) pawl_wait_end(&stream->drainers, &self->waiter);
    else if (error == 0 && stream->transport == NULL) error = PAWL_ECLOSED;
    else if (error == 0 && !gave_way) stream_flush(stream);
    if (error == 0) error = stream->error;
    if (error != 0 || stream->transport == NULL) return pawl_leaf_done(co, error);
    const size_t left = pawl_stream_unsent(stream);
    if (entirely ? left > 0 : left > stream->high && !waited) return wait_here(co, root, &stream->drainers);
    if (waited || gave_way || stream->loop == NULL || ++stream->streak <= STREAK) return pawl_leaf_done(co, 0);
    stream->streak = 0;
    co->point = 2;
    return pawl_leaf_suspend(co, root);
}

PAWL_LEAF(pawl_stream_drain)
{
    PAWL_LEAF_BEGIN(pawl_stream_drain);
    return drain(co, root, error, false);
}

PAWL_LEAF(pawl_stream_flush)
{
    PAWL_LEAF_BEGIN(pawl_stream_flush);
    return drain(co, root, error, true);
}

/* ---- Files ---- */

enum { FILE_SHARE = 16 * 1024 };

/* Reads a share of the file and writes it: how much, 0 at its end, or an error. */
static ssize_t write_share(struct pawl_stream_sendfile *self)
{
    char data[FILE_SHARE];
    const uint64_t left = self->size - self->result;
    ssize_t got;
    do got = pread(self->file, data, left < sizeof data ? (size_t)left : sizeof data, self->offset);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return got < 0 ? -errno : 0;
    const int error = pawl_stream_write(self->stream, data, (size_t)got);
    if (error != 0) return error;
    self->result += (uint64_t)got;
    self->offset += got;
    return got;
}

ASYNC_PUBLIC(pawl_stream_sendfile)
{
    ASYNC_BEGIN(pawl_stream_sendfile);
    if (self->stream == NULL || self->file < 0 || self->offset < 0) RAISE(PAWL_EINVAL);
    AWAIT(self->step.drain, pawl_stream_flush(self->stream));
    if (self->stream->transport == &pawl_transport_socket) {
        TRY_AWAIT(self->step.sendfile, pawl_sendfile(&self->stream->sock, self->file, self->offset, self->size));
        self->result = self->step.sendfile.result;
        if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
        ASYNC_RETURN(self->result);
    }
    while (self->result < self->size) {
        const ssize_t share = write_share(self);
        if (share < 0) RAISE((int)share);
        if (share == 0) break;
        AWAIT(self->step.drain, pawl_stream_drain(self->stream));
        YIELD_NOW();
    }
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

/* ---- Closing ---- */

bool pawl_stream_is_open(const struct pawl_stream *stream)
{
    return stream != NULL && stream_open(stream);
}

void pawl_stream_end_input(struct pawl_stream *stream)
{
    if (stream == NULL || !stream_open(stream)) return;
    stream->state |= STREAM_AT_END;
    wake_reader(stream, 0);
}

/* A reader is woken, and finds that its stream is being closed. */
static void turn_reader_out(struct pawl_stream *stream)
{
    stream->state &= (uint16_t)~STREAM_READING;
    stream_release(stream, &stream->in);
    wake_reader(stream, PAWL_ECLOSED);
}

void pawl_stream_close(struct pawl_stream *stream)
{
    if (stream == NULL || !stream_open(stream)) return;
    stream->state |= STREAM_CLOSING;
    turn_reader_out(stream);
    if (stream->loop != NULL) {
        stream_flush(stream);
    } else {
        stream->state |= STREAM_GONE;
        pawl_wait_wake_all(&stream->drainers, PAWL_ECLOSED);
        pawl_wait_wake_all(&stream->closers, 0);
    }
}

void pawl_stream_abort(struct pawl_stream *stream)
{
    if (stream == NULL || stream->transport == NULL) return;
    if (pawl_stream_unsent(stream) > 0 && stream->error == 0) stream->error = PAWL_ECLOSED;
    turn_reader_out(stream);
    shut(stream);
}

static bool is_gone(const struct pawl_stream *stream)
{
    return stream->transport == NULL || (stream->state & STREAM_GONE);
}

PAWL_LEAF(pawl_stream_wait_closed)
{
    PAWL_LEAF_BEGIN(pawl_stream_wait_closed);
    struct pawl_stream_drain *const self = (struct pawl_stream_drain *)(void *)co;
    struct pawl_stream *const stream = self->stream;
    if (stream == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (co->point == 1) {
        pawl_wait_end(&stream->closers, &self->waiter);
        const bool ours = operation_is_of(co, stream->opening); /* and not one that has been opened since */
        if (ours && (error == PAWL_ECANCELLED || error == PAWL_EEXIT)) pawl_stream_abort(stream);
        return pawl_leaf_done(co, error);
    }
    if (error != 0) return pawl_leaf_done(co, error);
    pawl_stream_close(stream);
    operation_occupy(co, START, stream->opening);
    return is_gone(stream) ? pawl_leaf_done(co, stream->error) : wait_here(co, root, &stream->closers);
}

/* The end of a block: what goes on from there. */
static struct pawl_coro *leave_block(struct pawl_coro *co, struct pawl_coro *root)
{
    struct pawl_stream_closing *const self = (struct pawl_stream_closing *)(void *)co;
    struct pawl_stream *const stream = self->stream;
    const int error = pawl_scope_error(co);
    if (is_gone(stream)) return pawl_leaf_done(co, error);
    if (error == PAWL_ECANCELLED || error == PAWL_EEXIT) {
        pawl_stream_abort(stream);
        return pawl_leaf_done(co, error);
    }
    pawl_stream_close(stream);
    if (is_gone(stream)) return pawl_leaf_done(co, error != 0 ? error : stream->error);
    return pawl_wait_begin(&stream->closers, &self->waiter, co, root);
}

PAWL_LEAF(pawl_stream_closing)
{
    PAWL_LEAF_BEGIN(pawl_stream_closing);
    struct pawl_stream_closing *const self = (struct pawl_stream_closing *)(void *)co;
    if (self->stream == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    if (co->point == 0) return pawl_leaf_done(co, error);
    if (co->point == PAWL_POINT_EXIT) return leave_block(co, root);
    pawl_wait_end(&self->stream->closers, &self->waiter);
    if (error == PAWL_ECANCELLED || error == PAWL_EEXIT) {
        pawl_stream_abort(self->stream);
        return pawl_leaf_done(co, error);
    }
    return pawl_leaf_done(co, pawl_scope_error(co) != 0 ? pawl_scope_error(co) : error);
}
