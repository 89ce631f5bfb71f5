/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A stream over nothing, for tests: what it reads was fed into its buffer, and what was written stays in the other one, as if a peer
 * were slow to take it. It has no loop; its futures work without one.
 */
#include "stream.h"

#include <pawl/run.h>

#include <string.h>

static ssize_t memory_read(struct pawl_stream *stream, void *data, size_t size)
{
    (void)stream, (void)data, (void)size;
    return PAWL_EPENDING; /* what was fed is in the buffer already */
}

static ssize_t memory_write(struct pawl_stream *stream, const struct iovec *parts, size_t count)
{
    (void)stream, (void)parts, (void)count;
    return PAWL_EPENDING;
}

static int memory_end(struct pawl_stream *stream, bool closing)
{
    (void)stream, (void)closing;
    return 0;
}

static const struct pawl_transport memory = {
    .name = "memory", .read = memory_read, .write = memory_write, .end = memory_end, .half_close = true
};

int pawl_stream_open_memory(struct pawl_stream *stream, const struct pawl_allocator *allocator)
{
    if (stream == NULL) return PAWL_EINVAL;
    if (stream->transport != NULL) return PAWL_EBUSY;
    stream_begin(stream, NULL, &memory);
    stream->session = (void *)(uintptr_t)(allocator != NULL ? allocator : &pawl_allocator_malloc);
    return 0;
}

static int may_feed(const struct pawl_stream *stream)
{
    if (stream == NULL || (stream->transport != NULL && stream->transport != &memory)) return PAWL_EINVAL;
    if (!stream_open(stream)) return PAWL_ECLOSED;
    return stream->state & STREAM_AT_END ? PAWL_EINVAL : 0;
}

int pawl_stream_feed(struct pawl_stream *stream, const void *data, size_t size)
{
    int error = may_feed(stream);
    if (error == 0 && data == NULL && size > 0) error = PAWL_EINVAL;
    if (error == 0) error = stream_reserve(stream, &stream->in, size);
    if (error != 0 || size == 0) return error;
    memcpy(stream->in.data + stream->in.end, data, size);
    stream->in.end += (uint32_t)size;
    pawl_future_settle(&stream->sock.readable, 0);
    return 0;
}

int pawl_stream_feed_end(struct pawl_stream *stream)
{
    const int error = may_feed(stream);
    if (error != 0) return error;
    stream->state |= STREAM_AT_END;
    pawl_future_settle(&stream->sock.readable, 0);
    return 0;
}

const char *pawl_stream_written(const struct pawl_stream *stream, size_t *size)
{
    *size = buffer_used(&stream->out);
    return *size > 0 ? stream->out.data + stream->out.begin : "";
}

void pawl_stream_take_written(struct pawl_stream *stream, size_t size)
{
    const size_t used = buffer_used(&stream->out);
    if (stream->transport != &memory) return;
    stream->out.begin += (uint32_t)(size < used ? size : used);
    if (buffer_used(&stream->out) <= stream->low) pawl_wait_wake_all(&stream->drainers, 0);
}
