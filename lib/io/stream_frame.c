/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Streams: messages with their length before each. Length and message leave the buffer together, when they are whole. */
#include "stream.h"

static enum pawl_length length_of(const struct pawl_stream_piece *self)
{
    return (enum pawl_length)self->separator_size;
}

static int try_read_frame(struct pawl_coro *co)
{
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    struct pawl_stream *const stream = self->stream;
    const size_t head = pawl_length_size(length_of(self));
    int there = stream_have(stream, head);
    if (there == 0 && buffer_used(&stream->in) == 0) return 0;
    if (there <= 0) return there == 0 ? PAWL_EEOF : there;

    const size_t size = pawl_length_decode(length_of(self), stream->in.data + stream->in.begin);
    if (size > stream->limit) return PAWL_ELIMIT;
    there = stream_have(stream, head + size);
    if (there <= 0) return there == 0 ? PAWL_EEOF : there;
    pawl_stream_consume(stream, head);
    return stream_give(self, size);
}

PAWL_LEAF(pawl_stream_read_frame)
{
    PAWL_LEAF_BEGIN(pawl_stream_read_frame);
    struct pawl_stream_piece *const self = (struct pawl_stream_piece *)(void *)co;
    if (pawl_length_size(length_of(self)) == 0) return pawl_leaf_done(co, PAWL_EINVAL);
    return stream_read_operate(co, root, error, self->stream, try_read_frame);
}

int pawl_stream_write_frame(struct pawl_stream *stream, enum pawl_length how, const void *data, size_t size)
{
    unsigned char head[4];
    const int bytes = pawl_length_encode(how, head, size);
    if (bytes < 0) return bytes;
    const struct iovec parts[] = { { head, (size_t)bytes }, { (void *)(uintptr_t)data, size } };
    return pawl_stream_write_vector(stream, parts, 2);
}
