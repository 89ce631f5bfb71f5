/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What the two sides of a stream share. */
#ifndef PAWL_STREAM_INTERNAL_H
#define PAWL_STREAM_INTERNAL_H

#define _GNU_SOURCE
#include "../core/core.h"

#include <pawl/stream.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* stream->state */
enum {
    STREAM_READING = 1,  /* somebody reads */
    STREAM_AT_END = 2,   /* the peer has ended */
    STREAM_CLOSING = 4,
    STREAM_END_ASKED = 8, /* nothing more is written; */
    STREAM_END_SAID = 16, /* and the peer has been told so */
    STREAM_GONE = 32      /* one without a loop has been closed: what was written is kept to be looked at */
};

/* Makes an open stream of what is closed, but for its socket. */
void stream_begin(struct pawl_stream *stream, struct pawl_loop *loop, const struct pawl_transport *transport);

/* Makes room for `more` bytes at the end of a buffer: 0 or PAWL_ENOMEM, and nothing has changed. */
int stream_reserve(const struct pawl_stream *stream, struct pawl_buffer *buffer, size_t more);

/* Gives its memory back. */
void stream_release(const struct pawl_stream *stream, struct pawl_buffer *buffer);

static inline size_t buffer_used(const struct pawl_buffer *buffer)
{
    return buffer->end - buffer->begin;
}

static inline void stream_release_if_empty(const struct pawl_stream *stream, struct pawl_buffer *buffer)
{
    if (buffer->begin == buffer->end && buffer->room > 0) stream_release(stream, buffer);
}

/* Sends what goes, and sees to it that the rest goes when it can. */
void stream_flush(struct pawl_stream *stream);

/* For reads in other files: what drives them, more into the buffer, and the first bytes of it. See stream_read.c. */
struct pawl_coro *stream_read_operate(struct pawl_coro *co, struct pawl_coro *root, int error, struct pawl_stream *stream,
                                      int (*try_once)(struct pawl_coro *co));
/* Are so many bytes buffered? 1, 0 when the stream ends before, PAWL_EPENDING, or an error. */
int stream_have(struct pawl_stream *stream, size_t size);
int stream_give(struct pawl_stream_piece *self, size_t size);

static inline bool stream_open(const struct pawl_stream *stream)
{
    return stream->transport != NULL && !(stream->state & STREAM_CLOSING);
}

#endif
