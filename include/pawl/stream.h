/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Streams: asyncio's reader and writer over a socket, a pipe, TLS, or nothing at all (for tests), as one object with two sides.
 *
 *      AWAIT(self->open, pawl_open_connection(&self->stream, "example.org", 80));
 *      WITH(self->closing, pawl_stream_closing(&self->stream)) {
 *          pawl_stream_write(&self->stream, "GET / HTTP/1.0\r\n\r\n", 18);
 *          AWAIT(self->line, pawl_stream_read_line(&self->stream));
 *          printf("%.*s", (int)self->line.size, self->line.data);
 *      } END_WITH;                                                     what was written is sent, then it is closed
 *
 * Writing never waits: it fills a buffer, which goes out when a task drains the stream or waits for input from it, when a lot has
 * gathered, when it is closed, or else at the end of the loop's iteration; so several small writes are one system call.
 * pawl_stream_drain is the back-pressure: it waits while more than the high-water mark is buffered. Reading is done when somebody
 * reads, and no sooner, so a peer that sends more than is read has to wait.
 *
 * Buffers come from the loop's allocator when there is something in them, and are given back when it waits with nothing in
 * them: an idle stream has none. At a time one task may read; any number may write and drain. Errors of what was sent
 * in the background are told by the next write or drain.
 *
 * A stream is in the caller's memory and must stay until it is closed entirely: awaited by pawl_stream_wait_closed, at the end of
 * pawl_stream_closing, or by pawl_stream_abort, which is at once. It belongs to the loop in which it was opened.
 */
#ifndef PAWL_STREAM_H
#define PAWL_STREAM_H

#include "framing.h"
#include "resolve.h"
#include "scope.h"
#include "socket.h"
#include "waiter.h"

PAWL_BEGIN_C

struct pawl_stream;

/** What a stream moves its bytes with. None of these waits; PAWL_EPENDING says that it would have to, and stream->wants for
 *  what. */
struct pawl_transport {
    const char *name; /* "socket", "tls", "memory" */
    /** Up to `size` (at least 1) bytes: how many, 0 at the end, PAWL_EPENDING, or an error. */
    ptrdiff_t (*read)(struct pawl_stream *stream, void *data, size_t size);
    /** Some of the parts (`count` at least 1, not all empty), at least a byte: how many, PAWL_EPENDING, or an error. After PAWL_EPENDING the
     *  next call begins with the same bytes, wherever they are by then, and has at least as many. */
    ptrdiff_t (*write)(struct pawl_stream *stream, const struct iovec *parts, size_t count);
    /** Tells the peer that nothing more comes, and keeps the other direction open if it can: 0, PAWL_EPENDING, or an error. `closing`: the
     *  stream will not be read any more. */
    int (*end)(struct pawl_stream *stream, bool closing);
    /** Gives back what the transport has of its own. The socket is closed afterwards. May be NULL. */
    void (*release)(struct pawl_stream *stream);
    bool half_close; /* can `end` leave the other direction open? */
};

/* Bytes from begin to end, of room. */
struct pawl_buffer {
    char *data;
    uint32_t begin, end, room;
};

/** A stream. Zeroed is closed. */
struct pawl_stream {
    struct pawl_socket sock;
    const struct pawl_transport *transport; /* NULL: closed */
    void *session;                          /* the transport's own */
    struct pawl_loop *loop;                 /* NULL: a stream without one, for tests */
    struct pawl_buffer in, out;
    struct pawl_handle flusher;
    struct pawl_wait_list drainers, closers;
    uint32_t limit, high, low;
    int16_t error, read_error; /* why nothing can be written, or read, any more */
    uint16_t state, opening;
    uint8_t wants[2]; /* what the transport waits for, reading and writing: PAWL_READABLE, PAWL_WRITABLE */
    uint8_t streak;   /* reads and drains since it last waited */
};

enum {
    PAWL_STREAM_LIMIT = 64 * 1024, /* bytes of a line; bytes written and not sent, above which drain waits */
    PAWL_STREAM_CHUNK = 4 * 1024   /* what a buffer begins with */
};

/* ---- Opening ---- */

/** A stream over a socket: `sock` is moved into it, and is closed afterwards; nobody may wait on it. 0; PAWL_EBUSY when *stream
 *  is open or the socket is in use; PAWL_ECLOSED for a closed socket; PAWL_EINVAL for a NULL; -errno, and then the socket is
 *  closed. */
PAWL_API int pawl_stream_open(struct pawl_stream *stream, struct pawl_socket *sock);

/** A stream over a descriptor (socket, pipe, terminal), which is the stream's in every case. Results as pawl_socket_adopt.
 *  (connect_read_pipe, connect_write_pipe) */
PAWL_API int pawl_stream_adopt(struct pawl_stream *stream, int fd);

/** Two streams that are connected with each other, by a pair of Unix sockets. Both closed before. Results as pawl_socket_pair. */
PAWL_API int pawl_stream_pair(struct pawl_stream *a, struct pawl_stream *b);

/** A stream over nothing, to test what reads and writes one, by hand and without a loop: what it reads is what pawl_stream_feed
 *  gave it; what was written to it stays (pawl_stream_written). `allocator`: for the buffers; NULL is malloc. 0, PAWL_EBUSY,
 *  PAWL_EINVAL. */
PAWL_API int pawl_stream_open_memory(struct pawl_stream *stream, const struct pawl_allocator *allocator);
/** More for it to read, copied; who reads is woken. 0, PAWL_ENOMEM, PAWL_ECLOSED, PAWL_EINVAL (not such a stream, or after the
 *  end). (StreamReader.feed_data, feed_eof) */
PAWL_API int pawl_stream_feed(struct pawl_stream *stream, const void *data, size_t size);
PAWL_API int pawl_stream_feed_end(struct pawl_stream *stream);
/** What has been written to it: the bytes, and how many in *size; until pawl_stream_abort, also when it was closed.
 *  pawl_stream_take_written forgets the first `size` of them, as if they had been sent. */
PAWL_API const char *pawl_stream_written(const struct pawl_stream *stream, size_t *size);
PAWL_API void pawl_stream_take_written(struct pawl_stream *stream, size_t size);

struct pawl_open_connection {
    PAWL_COROUTINE(void);
    struct pawl_stream *stream;
    const char *host;
    uint16_t port;
    const struct pawl_address *address;
    union {
        struct pawl_connect connect;
        struct pawl_connect_to to;
    } step;
};
PAWL_API pawl_resume_fn pawl_open_connection_resume;

/** Connects as pawl_connect does, and makes *stream (closed before) of it. After an error it is closed.
 *  (asyncio.open_connection) */
PAWL_INLINE PAWL_MUST_USE struct pawl_open_connection pawl_open_connection(struct pawl_stream *stream, const char *host, uint16_t port)
{
    struct pawl_open_connection frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_open_connection_resume);
    frame.stream = stream;
    frame.host = host;
    frame.port = port;
    return frame;
}
/** The same to an address, also that of a Unix socket. (asyncio.open_unix_connection) */
PAWL_INLINE PAWL_MUST_USE struct pawl_open_connection pawl_open_connection_at(struct pawl_stream *stream,
                                                                              const struct pawl_address *address)
{
    struct pawl_open_connection frame = pawl_open_connection(stream, NULL, 0);
    frame.address = address;
    return frame;
}

/** The longest line, frame or separated piece, 1 byte to 1 GiB, PAWL_STREAM_LIMIT by default; and the marks of the write
 *  buffer: drain waits while more than `high` bytes are buffered, until it is `low` or less (0 <= low <= high). By default 64
 *  KiB and a quarter of it. 0 or PAWL_EINVAL. (limit=, set_write_buffer_limits) */
PAWL_API int pawl_stream_set_limit(struct pawl_stream *stream, size_t limit);
PAWL_API int pawl_stream_set_water(struct pawl_stream *stream, size_t high, size_t low);

/* ---- Reading ---- */

struct pawl_stream_read {
    struct pawl_coro awaitable;
    struct pawl_stream *stream;
    void *data;
    size_t size;
    size_t result; /* bytes read */
};
PAWL_API pawl_resume_fn pawl_stream_read_resume, pawl_stream_read_exactly_resume;

/** Reads what is there, at least a byte and at most `size` (at least 1), into `data`: 0 is the end. (StreamReader.read) */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_read pawl_stream_read(struct pawl_stream *stream, void *data, size_t size)
{
    struct pawl_stream_read frame = { PAWL_CORO_INIT(pawl_stream_read_resume), stream, data, size, 0 };
    return frame;
}
/** Reads `size` bytes. Raises PAWL_EEOF when the stream ends before; `result` says how many there were. Cancelled, those are
 *  in `data` too, and no longer in the stream. (StreamReader.readexactly) */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_read pawl_stream_read_exactly(struct pawl_stream *stream, void *data, size_t size)
{
    struct pawl_stream_read frame = { PAWL_CORO_INIT(pawl_stream_read_exactly_resume), stream, data, size, 0 };
    return frame;
}

/** What a read of a piece gives: `size` bytes at `data`, in the stream's own buffer, where they stay until it is next read or
 *  closed. They are not terminated, and may be changed. */
struct pawl_stream_piece {
    struct pawl_coro awaitable;
    struct pawl_stream *stream;
    const char *separator;
    uint32_t separator_size, seen;
    char *data;
    size_t size;
};
PAWL_API pawl_resume_fn pawl_stream_read_line_resume, pawl_stream_read_until_resume, pawl_stream_read_piece_resume, pawl_stream_fill_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_stream_piece pawl_stream_piece_(pawl_resume_fn *resume, struct pawl_stream *stream,
                                                                      const char *separator, size_t size)
{
    struct pawl_stream_piece frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(resume);
    frame.stream = stream;
    frame.separator = separator;
    frame.separator_size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    return frame;
}

/** Reads a line with its "\n". What is left at the end of the stream, without one, is a line too; size 0 is the end.
 *  Raises PAWL_ELIMIT for a line that is longer than the limit; as much of it as there is is dropped. (StreamReader.readline) */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_piece pawl_stream_read_line(struct pawl_stream *stream)
{
    return pawl_stream_piece_(pawl_stream_read_line_resume, stream, "\n", 1);
}
/** Reads up to and with a separator of `size` (at least 1) bytes. Raises PAWL_EEOF when the stream ends before; the piece is
 *  what was there. Raises PAWL_ELIMIT when more than the limit would be before it; all of it stays in the stream.
 *  (StreamReader.readuntil) */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_piece pawl_stream_read_until(struct pawl_stream *stream, const char *separator, size_t size)
{
    return pawl_stream_piece_(pawl_stream_read_until_resume, stream, separator, size);
}
/** Reads `size` bytes (at most the limit, else PAWL_ELIMIT) as a piece, without copying them. Raises PAWL_EEOF when the stream
 *  ends before; the piece is what was there. */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_piece pawl_stream_read_piece(struct pawl_stream *stream, size_t size)
{
    return pawl_stream_piece_(pawl_stream_read_piece_resume, stream, NULL, size);
}
PAWL_API pawl_resume_fn pawl_stream_read_frame_resume;
/** Reads a message with its length before it (see framing.h), and gives it without that: a piece of `size` bytes, 0 for an
 *  empty one; `data` is NULL at the end of the stream. Raises PAWL_EEOF when that comes within a message, and PAWL_ELIMIT for
 *  one that is longer than the limit: both leave it in the stream. Cancelled, it has taken nothing. */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_piece pawl_stream_read_frame(struct pawl_stream *stream, enum pawl_length how)
{
    return pawl_stream_piece_(pawl_stream_read_frame_resume, stream, NULL, how);
}
/** Waits until at least `size` bytes (1 to the limit, else PAWL_ELIMIT) are buffered and gives all that are, without taking them
 *  out: a parser says with pawl_stream_consume how many it has dealt with. At the end of the stream fewer, or 0. */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_piece pawl_stream_fill(struct pawl_stream *stream, size_t size)
{
    return pawl_stream_piece_(pawl_stream_fill_resume, stream, NULL, size);
}
/** Takes the first `size` bytes out of the buffer, at most those that are there. */
PAWL_API void pawl_stream_consume(struct pawl_stream *stream, size_t size);
/** How many bytes are buffered for reading. */
PAWL_INLINE size_t pawl_stream_buffered(const struct pawl_stream *stream)
{
    return stream->in.end - stream->in.begin;
}
/** Ends the reading side here: behind what is buffered, a reader finds the end, as if the peer had shut down its side, also one
 *  that waits now. Writing goes on. So a coroutine that serves a connection comes to its own end. Harmless for a closed one.
 *  (StreamReader.feed_eof) */
PAWL_API void pawl_stream_end_input(struct pawl_stream *stream);
/** Has the peer ended, and has everything been read? (StreamReader.at_eof) */
PAWL_API bool pawl_stream_at_end(const struct pawl_stream *stream);

/* ---- Writing ---- */

/** Writes `size` bytes: copies them into the buffer, or sends them. 0; PAWL_ENOMEM, and nothing is written (of 16 KiB and more
 *  a part may have gone: then the stream has failed, and says so from then on); PAWL_ECLOSED after close or
 *  pawl_stream_write_end; the error that ended an earlier write (-EPIPE, -ECONNRESET); PAWL_EINVAL. In the loop's thread.
 *  (StreamWriter.write) */
PAWL_API int pawl_stream_write(struct pawl_stream *stream, const void *data, size_t size);
/** A string, without its terminator. */
PAWL_API int pawl_stream_write_text(struct pawl_stream *stream, const char *text);
/** Formatted as by printf. Besides the errors above PAWL_EINVAL for a bad format. */
PAWL_API int pawl_stream_printf(struct pawl_stream *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Several buffers, all or none. (StreamWriter.writelines) */
PAWL_API int pawl_stream_write_vector(struct pawl_stream *stream, const struct iovec *parts, size_t count);
/** A message with its length before it, both or nothing. PAWL_ELIMIT when its length cannot be told so. */
PAWL_API int pawl_stream_write_frame(struct pawl_stream *stream, enum pawl_length how, const void *data, size_t size);
/** After what has been written the peer sees the end; reading goes on. 0; PAWL_ENOSYS where that cannot be said (TLS, pipes,
 *  terminals: close it); PAWL_ECLOSED. (StreamWriter.write_eof) */
PAWL_API int pawl_stream_write_end(struct pawl_stream *stream);
/** How many bytes are written and not yet sent. */
PAWL_INLINE size_t pawl_stream_unsent(const struct pawl_stream *stream)
{
    return stream->out.end - stream->out.begin;
}

struct pawl_stream_drain {
    struct pawl_coro awaitable;
    struct pawl_stream *stream;
    struct pawl_waiter waiter;
};
PAWL_API pawl_resume_fn pawl_stream_drain_resume, pawl_stream_flush_resume, pawl_stream_wait_closed_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_stream_drain pawl_stream_drain_(pawl_resume_fn *resume, struct pawl_stream *stream)
{
    struct pawl_stream_drain frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(resume);
    frame.stream = stream;
    return frame;
}

/** Sends what goes; waits while more than the high-water mark is left, until it is down at the low one. Raises the error of
 *  what could not be sent. (StreamWriter.drain) */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_drain pawl_stream_drain(struct pawl_stream *stream)
{
    return pawl_stream_drain_(pawl_stream_drain_resume, stream);
}
/** Waits until everything has been sent (to the system; the peer may not have it yet). */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_drain pawl_stream_flush(struct pawl_stream *stream)
{
    return pawl_stream_drain_(pawl_stream_flush_resume, stream);
}

struct pawl_stream_sendfile {
    PAWL_COROUTINE(uint64_t);
    struct pawl_stream *stream;
    int file;
    int64_t offset;
    uint64_t size;
    union {
        struct pawl_stream_drain drain;
        struct pawl_sendfile sendfile;
    } step;
};
PAWL_API pawl_resume_fn pawl_stream_sendfile_resume;
/** Sends what has been written, and then a file as pawl_sendfile does; over TLS it is read and written. `result` as there.
 *  Nobody else may write meanwhile. (loop.sendfile) */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_sendfile pawl_stream_sendfile(struct pawl_stream *stream, int file, int64_t offset,
                                                                           uint64_t size)
{
    struct pawl_stream_sendfile frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_stream_sendfile_resume);
    frame.stream = stream;
    frame.file = file;
    frame.offset = offset;
    frame.size = size;
    return frame;
}

/* ---- Closing ---- */

/** Begins to close: nothing more is read or written (a reader gets PAWL_ECLOSED), what has been written is still sent, and then
 *  the transport is ended and the socket closed. Harmless for a closed one. (StreamWriter.close) */
PAWL_API void pawl_stream_close(struct pawl_stream *stream);
/** Waits until a stream that is being closed is closed. Raises the error if not everything could be sent. Cancelled, it aborts
 *  the stream. One that nobody has closed is closed first. (StreamWriter.wait_closed) */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_drain pawl_stream_wait_closed(struct pawl_stream *stream)
{
    return pawl_stream_drain_(pawl_stream_wait_closed_resume, stream);
}
/** Closes it at once; what has not been sent is lost, and who waits for that (or for the end) gets PAWL_ECLOSED, as a reader
 *  does. Harmless for a closed or zeroed one. (transport.abort) */
PAWL_API void pawl_stream_abort(struct pawl_stream *stream);
/** Is it open, and not being closed? (not is_closing) */
PAWL_API bool pawl_stream_is_open(const struct pawl_stream *stream);

struct pawl_stream_closing {
    PAWL_ONLY_SCOPE_;
    struct pawl_stream *stream;
    struct pawl_waiter waiter;
};
PAWL_API pawl_resume_fn pawl_stream_closing_resume;
/** WITH(self->closing, pawl_stream_closing(&self->stream)): on the way out it is closed, and awaited. When the block was
 *  cancelled, or its frame is being closed, it is aborted instead. (contextlib.aclosing) */
PAWL_INLINE PAWL_MUST_USE struct pawl_stream_closing pawl_stream_closing(struct pawl_stream *stream)
{
    struct pawl_stream_closing frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.scope = pawl_coro_init_(pawl_stream_closing_resume);
    frame.stream = stream;
    return frame;
}

/* ---- For transports ---- */

/** The socket's own transport, to be called by another one on top of it. */
extern PAWL_API const struct pawl_transport pawl_transport_socket;

PAWL_END_C

#endif
