/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The writers. A message is sent by as many operations as it takes: one that was cancelled half-way has sent what it says, and the next one
 * goes on from there.
 */
#include "storm.h"

/* ---- Beginning ---- */

/* The next bytes, to be sent. They are not written to. */
static char *next_bytes(const struct writer *self)
{
    return (char *)(uintptr_t)pad_at(self->end->out, self->end->out->sent);
}

static int64_t next_offset(const struct writer *self)
{
    return next_bytes(self) - storm.pad;
}

/* Cuts them into parts, some of them perhaps empty. */
static size_t cut(struct writer *self)
{
    const size_t count = 1 + chance(MOST_PARTS);
    char *data = next_bytes(self);
    size_t left = self->size;
    for (size_t i = 0; i < count; i++) {
        const size_t size = i == count - 1 ? left : chance((unsigned)left + 1);
        self->parts[i] = (struct iovec){ data, size };
        data += size;
        left -= size;
    }
    return count;
}

static struct pawl_coro *begin_fds(struct writer *self)
{
    struct flow *const out = self->end->out;
    const unsigned count = 1 + chance(once_in(4) ? PAWL_MOST_FDS : 2);
    for (unsigned i = 0; i < count; i++) self->fds[i] = storm.file;
    out->marks[(out->first_mark + out->marks_count) % MARKS] = (struct mark){ out->sent, count };
    self->step.fds = pawl_send_fds(&self->end->sock, next_bytes(self), self->size, self->fds, count);
    return &self->step.fds.awaitable;
}

static struct pawl_coro *begin_bare(struct writer *self)
{
    struct pawl_socket *const sock = &self->end->sock;
    char *const data = next_bytes(self);
    switch (self->put) {
    case SEND_SOME: self->step.send = pawl_send_some(sock, data, self->size); break;
    case SEND_VECTOR: self->step.vector = pawl_send_vector(sock, self->parts, cut(self)); return &self->step.vector.awaitable;
    case SENDMSG:
        self->message = (struct msghdr){ .msg_iov = self->parts, .msg_iovlen = cut(self) };
        self->step.message = pawl_sendmsg(sock, &self->message, 0);
        return &self->step.message.awaitable;
    case SENDFILE: self->step.sendfile = pawl_sendfile(sock, storm.file, next_offset(self), self->size); return &self->step.sendfile.awaitable;
    case TRY_SEND: self->step.tries = CORO(tries, .sock = sock, .data = data, .size = self->size, .sends = true); return &self->step.tries.awaitable;
    case SEND_FDS: return begin_fds(self);
    case RAW_SEND: self->step.raw = CORO(raw, .sock = sock, .data = data, .size = self->size, .sends = true); return &self->step.raw.awaitable;
    default: self->step.send = pawl_send(sock, data, self->size); break;
    }
    return &self->step.send.awaitable;
}

/* Waits now and then only, unless a lot is buffered. */
static struct pawl_coro *perhaps_drain(struct writer *self)
{
    struct pawl_stream *const stream = self->end->stream;
    if (once_in(8)) {
        storm.counts[FLUSH]++;
        self->step.drain = pawl_stream_flush(stream);
    } else if (once_in(4) || pawl_stream_unsent(stream) > MOST_AT_ONCE) {
        storm.counts[DRAIN]++;
        self->step.drain = pawl_stream_drain(stream);
    } else {
        return NULL;
    }
    return &self->step.drain.awaitable;
}

/* The first bytes, as far as there is no NUL, which %s could not write. */
static int print(struct writer *self)
{
    const char *const data = next_bytes(self);
    const char *const nul = memchr(data, '\0', self->size);
    if (nul != NULL) self->size = (size_t)(nul - data);
    if (nul == data) {
        self->size = 1;
        return pawl_stream_printf(self->end->stream, "%c", 0);
    }
    return pawl_stream_printf(self->end->stream, "%.*s", (int)self->size, data);
}

/* What comes next in the pad is written as a frame whose length happens to be its first byte. */
static int write_frame(struct writer *self)
{
    const char *const data = next_bytes(self);
    const size_t length = (unsigned char)*data;
    if (self->size < length + 1) return pawl_stream_write(self->end->stream, data, self->size);
    self->size = length + 1;
    return pawl_stream_write_frame(self->end->stream, PAWL_LENGTH_BYTE, data + 1, length);
}

/* Writing does not wait: it is done already, or not at all. */
static struct pawl_coro *begin_stream(struct writer *self)
{
    struct pawl_stream *const stream = self->end->stream;
    switch (self->put) {
    case WRITE_VECTOR: self->error = pawl_stream_write_vector(stream, self->parts, cut(self)); break;
    case WRITE_FRAME: self->error = write_frame(self); break;
    case PRINTF: self->error = print(self); break;
    case STREAM_SENDFILE:
        self->step.stream_sendfile = pawl_stream_sendfile(stream, storm.file, next_offset(self), self->size);
        return &self->step.stream_sendfile.awaitable;
    default: self->error = pawl_stream_write(stream, next_bytes(self), self->size); break;
    }
    if (self->error != 0) return NULL;
    self->end->out->sent += self->size;
    self->left -= self->size;
    return perhaps_drain(self);
}

/* Is there room to note the descriptors of one more message? */
static bool has_marks(struct flow *flow)
{
    while (flow->marks_count > 0 && flow->marks[flow->first_mark].position < flow->received) {
        flow->first_mark = (flow->first_mark + 1) % MARKS;
        flow->marks_count--;
    }
    return flow->marks_count < MARKS;
}

static enum count some_put(struct end *end)
{
    for (;;) {
        const enum count put = end->is_stream ? WRITE + chance(PUTS - WRITE) : SEND + chance(BARE_PUTS - SEND);
        if (end->is_pipe && (put == SENDMSG || put == RAW_SEND)) continue; /* no socket; and a raw write would raise SIGPIPE */
        if (put == SEND_FDS && (!end->passes_fds || !has_marks(end->out))) continue;
        return put;
    }
}

static struct pawl_coro *begin(struct writer *self)
{
    struct flow *const out = self->end->out;
    self->put = some_put(self->end);
    self->size = once_in(4) ? 1 + chance((unsigned)self->left) : self->left;
    self->error = 0;
    storm.counts[self->put]++;
    if (out->offered < out->sent + self->size) out->offered = out->sent + self->size;
    return self->end->is_stream ? begin_stream(self) : begin_bare(self);
}

/* ---- Ending ---- */

static size_t moved(const struct writer *self)
{
    switch (self->put) {
    case SEND_VECTOR: return self->step.vector.result;
    case SENDMSG: return self->step.message.result;
    case SENDFILE: return (size_t)self->step.sendfile.result;
    case TRY_SEND: return self->step.tries.result;
    case SEND_FDS: return self->step.fds.result;
    case RAW_SEND: return self->step.raw.result;
    case STREAM_SENDFILE: return (size_t)self->step.stream_sendfile.result;
    default: return self->step.send.result;
    }
}

/* Those that send all that they were given, unless something goes wrong. */
static bool sends_all(const struct writer *self)
{
    return self->put == SEND || self->put == SEND_VECTOR || self->put == SENDFILE || self->put == STREAM_SENDFILE;
}

static void put_it(struct writer *self)
{
    const size_t size = moved(self);
    must(size <= self->size);
    must(self->error != 0 || (sends_all(self) ? size == self->size : size > 0));
    must(self->error == 0 || size == 0 || sends_all(self));
    if (self->error != 0 && size > 0) storm.counts[CANCELLED_HALF_WAY]++;
    if (self->put == SEND_FDS && size > 0) self->end->out->marks_count++;
    self->end->out->sent += size;
    self->left -= size;
}

/* Without memory nothing was written; but when a part had gone already, nothing may follow it, and the stream has failed. */
static bool has_failed(const struct writer *self)
{
    return self->end->is_stream && self->error == PAWL_ENOMEM && self->end->stream->error != 0;
}

static void wrote(struct writer *self)
{
    if (!self->end->is_stream || self->put == STREAM_SENDFILE) put_it(self);
    if (has_failed(self)) {
        break_flows(self->end->slot);
        pawl_stream_abort(self->end->stream);
        self->over = true;
    } else if (self->error != 0 && !goes_on(self->end->out, self->error)) {
        self->over = true;
    }
}

/* The other end is told, or will be when this one is closed. */
static void end_writing(struct writer *self)
{
    struct end *const end = self->end;
    if (self->over || end->is_pipe) return;
    if (end->leaves_end_to_close) return;
    const int error = end->is_stream ? pawl_stream_write_end(end->stream) : pawl_socket_shutdown(&end->sock, SHUT_WR);
    if (error != 0) must(!goes_on(end->out, error));
    storm.counts[HALF_CLOSED]++;
}

ASYNC_PUBLIC(writer)
{
    ASYNC_BEGIN(writer);
    self->begun = true;
    for (; self->messages > 0 && !self->over; self->messages--) {
        self->left = some_size();
        while (self->left > 0 && !self->over) {
            self->operation = begin(self);
            if (self->operation != NULL) {
                TRY {
                    WITH(self->limit, some_limit(self->end->slot)) {
                        AWAIT((struct any *)(void *)self->operation);
                    } END_WITH;
                } CATCH_ALL {
                    self->error = CAUGHT();
                } END_TRY;
            }
            wrote(self);
            if (once_in(200)) {
                TRY_AWAIT(self->pause, pawl_sleep((pawl_time)chance(100000)));
                if (AWAIT_ERROR() != 0) goes_on(self->end->out, AWAIT_ERROR());
            }
        }
        storm.messages += self->left == 0;
    }
    self->begun = false;
    end_writing(self);
    ASYNC_END;
}
