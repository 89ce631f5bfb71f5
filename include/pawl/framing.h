/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Framing: bytes that come in whatever pieces, as lines, or as messages with their length before each. A generator that is sent
 * pieces of input and yields the frames that they complete; without any I/O, and so for sockets, UARTs and tests alike.
 *
 *      char buffer[80];
 *      struct pawl_framing lines = pawl_line_framing(buffer, sizeof buffer);
 *
 *      do {
 *          got = read(0, piece, sizeof piece);
 *          FOREACH_FRAME(line, &lines, piece, got) {
 *              if (line.error != 0) complain(line.error);             too long, or cut off; it goes on with the next
 *              else use(line.data, line.size);
 *          }
 *      } while (got > 0);                                             an empty piece is the end, as read says it
 *
 * A frame that lies within one piece stays where it is; one that came in several is put together in the caller's buffer. How the
 * input was cut makes no difference to what comes out. Freestanding, no allocation. To read such messages from a
 * stream: pawl_stream_read_line, pawl_stream_read_frame.
 */
#ifndef PAWL_FRAMING_H
#define PAWL_FRAMING_H

#include "gen.h"

PAWL_BEGIN_C

/** How the length before a message is written. It counts the message alone. */
enum pawl_length {
    PAWL_LENGTH_BYTE = 1,
    PAWL_LENGTH_16_BIG = 2, /* most significant byte first, as networks have it */
    PAWL_LENGTH_32_BIG = 4,
    PAWL_LENGTH_16_LITTLE = 8 | 2,
    PAWL_LENGTH_32_LITTLE = 8 | 4
};

/** Writes a length into 1, 2 or 4 bytes at `head`, of which there must be room for 4: how many. PAWL_ELIMIT for one that they
 *  cannot tell, PAWL_EINVAL for no such kind of length. */
PAWL_API int pawl_length_encode(enum pawl_length how, void *head, size_t size);
/** Reads one. 0 for no such kind of length. */
PAWL_API uint32_t pawl_length_decode(enum pawl_length how, const void *head);
/** How many bytes a length takes: 1, 2 or 4; 0 for no such kind of length. */
PAWL_INLINE size_t pawl_length_size(enum pawl_length how)
{
    const bool known = how == PAWL_LENGTH_BYTE || how == PAWL_LENGTH_16_BIG || how == PAWL_LENGTH_32_BIG ||
                       how == PAWL_LENGTH_16_LITTLE || how == PAWL_LENGTH_32_LITTLE;
    return known ? (size_t)how & 7 : 0;
}

/** A piece of input: at least a byte; or, with data and of size 0, its end. Without data: nothing. */
struct pawl_bytes {
    const char *data;
    size_t size;
};

/** A frame, without what marks it: no newline, no length. An empty one has data too. */
struct pawl_frame {
    const char *data; /* in the piece or in the buffer, until the next step; NULL: there is none */
    size_t size;
    int error; /* 0; PAWL_ELIMIT: one that was too long is passed over; PAWL_EEOF: the input ended within one */
};

struct pawl_framing {
    PAWL_GENERATOR(struct pawl_frame, struct pawl_bytes);
    char *buffer;
    size_t room, filled;
    struct pawl_bytes input; /* what is left of it */
    uint32_t size;           /* of the message; or what is left of it, if it is passed over */
    uint8_t how;             /* 0: lines */
    uint8_t have;            /* bytes of the length */
    bool passing_over, at_end;
    char head[4];
};
PAWL_API pawl_resume_fn pawl_framing_resume;

PAWL_INLINE struct pawl_framing pawl_framing_(void *buffer, size_t room, unsigned how)
{
    struct pawl_framing framing;
    __builtin_memset(&framing, 0, sizeof framing);
    framing.awaitable = pawl_coro_init_(pawl_framing_resume);
    framing.buffer = (char *)buffer;
    framing.room = room;
    framing.how = (uint8_t)how;
    return framing;
}

/** Lines. Each ends with "\n", which is taken off, with a "\r" before it; what is left at the end, without one, is a line too.
 *  `buffer` has room for the longest one, a "\r" included: one that is longer is PAWL_ELIMIT as soon as that is known, and the
 *  rest of it is passed over. */
PAWL_INLINE PAWL_MUST_USE struct pawl_framing pawl_line_framing(char *buffer, size_t room)
{
    return pawl_framing_(buffer, room, 0);
}

/** Messages with their length before each. `buffer` has room for the longest one: one that is longer is PAWL_ELIMIT, and is passed
 *  over. When the input ends within a message, or its length, PAWL_EEOF comes last. */
PAWL_INLINE PAWL_MUST_USE struct pawl_framing pawl_length_framing(void *buffer, size_t room, enum pawl_length how)
{
    return pawl_framing_(buffer, room, how == 0 ? 1u << 7 : (unsigned)how);
}

/** Sends a piece; size 0 is the end. The first frame that it completes; without data and error when there is none. The piece is
 *  borrowed until all of its frames have been taken: one that is sent before ends the generator with PAWL_EBUSY (gen_error).
 *  After the end there are no more frames. */
PAWL_API struct pawl_frame pawl_framing_send(struct pawl_framing *framing, const void *data, size_t size);
/** The next one. */
PAWL_API struct pawl_frame pawl_framing_next(struct pawl_framing *framing);
/** Is it a frame, or the news of one? */
PAWL_INLINE bool pawl_is_frame(struct pawl_frame frame)
{
    return frame.data != NULL || frame.error != 0;
}

PAWL_END_C

/** FOREACH_FRAME(frame, framing, data, size) statement: sends a piece (of size 0: the end), declares `frame` and runs the
 *  statement with each that it completes. Left early, the rest is there still: while (pawl_is_frame(frame =
 *  pawl_framing_next(framing))) …. Not across a suspension, as GEN_FOREACH. */
#define PAWL_FOREACH_FRAME(frame, framing, data, size) \
    for (struct pawl_framing *pawl_each_##frame = (framing); pawl_each_##frame; pawl_each_##frame = NULL) \
        for (struct pawl_frame frame = pawl_framing_send(pawl_each_##frame, (data), (size_t)(size)); pawl_is_frame(frame); \
             frame = pawl_framing_next(pawl_each_##frame))

#ifndef PAWL_PREFIXED_KEYWORDS
#define FOREACH_FRAME(frame, framing, data, size) PAWL_FOREACH_FRAME(frame, framing, data, size)
#endif

#endif
