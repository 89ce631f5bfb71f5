/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Framing: bytes that come in whatever pieces, as lines, or as messages with a length before each. Generators, without any I/O: they are sent pieces
 * and yield what is complete, and so serve sockets, UARTs and tests alike.
 *
 *      struct pawl_line_framing lines = pawl_line_framing(buffer, sizeof buffer);
 *      gen_next(&lines);                                                  to its first yield: it wants input
 *      gen_send(&lines, PAWL_BYTES("hel"));
 *      gen_send(&lines, PAWL_BYTES("lo\nwor"));                           lines.value: "hello"
 *
 * Freestanding, no allocation: a frame that came in several pieces is put together in a buffer of the caller's.
 */
#ifndef PAWL_FRAMING_H
#define PAWL_FRAMING_H

#include "gen.h"

PAWL_BEGIN_C

/** Some bytes, somewhere. */
struct pawl_bytes {
    const char *data; /* NULL: none */
    size_t size;
};
PAWL_INLINE struct pawl_bytes pawl_bytes(const void *data, size_t size)
{
    struct pawl_bytes bytes = { (const char *)data, size };
    return bytes;
}

/** Bytes in, lines out. */
struct pawl_line_framing {
    PAWL_GENERATOR(struct pawl_bytes, struct pawl_bytes);
    char *buffer;
    size_t room, filled;
    struct pawl_bytes input;
};
PAWL_API pawl_resume_fn pawl_line_framing_resume;

PAWL_END_C

#endif
