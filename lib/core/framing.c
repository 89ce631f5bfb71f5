/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Framing. Between two steps the framing has at most the beginning of one frame:
 *
 *      input: [ …taken | left of the piece ]        a frame that is whole in there is given as it lies
 *      buffer: [ begun | room ]                     otherwise what there is of it goes here, and the rest is appended
 *
 * A line that is too long, and a message that would be, are passed over up to their end, which may be pieces away.
 */
#include <pawl/framing.h>

/* ---- Lengths ---- */

int pawl_length_encode(enum pawl_length how, void *head, size_t size)
{
    const size_t bytes = pawl_length_size(how);
    unsigned char *const to = head;
    if (bytes == 0 || head == NULL) return PAWL_EINVAL;
    if (size > UINT32_MAX >> (8 * (4 - bytes))) return PAWL_ELIMIT;
    for (size_t i = 0; i < bytes; i++) to[how & 8 ? i : bytes - 1 - i] = (unsigned char)(size >> 8 * i);
    return (int)bytes;
}

uint32_t pawl_length_decode(enum pawl_length how, const void *head)
{
    const size_t bytes = pawl_length_size(how);
    const unsigned char *const from = head;
    uint32_t size = 0;
    for (size_t i = 0; i < bytes; i++) size |= (uint32_t)from[how & 8 ? i : bytes - 1 - i] << 8 * i;
    return size;
}

/* ---- Pieces ---- */

static const struct pawl_frame none, too_long = { .error = PAWL_ELIMIT }, cut_off = { .error = PAWL_EEOF };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void take(struct pawl_framing *self, size_t size)
{
    self->input.data += size;
    self->input.size -= size;
}

/* Keeps the first bytes of the input for later. */
static void keep(struct pawl_framing *self, size_t size)
{
    if (size > 0) __builtin_memcpy(self->buffer + self->filled, self->input.data, size);
    self->filled += size;
    take(self, size);
}

/* The frame whose last `size` bytes are the next of the input. */
static struct pawl_frame complete(struct pawl_framing *self, size_t size)
{
    struct pawl_frame frame = { .data = self->input.data, .size = size };
    if (self->filled == 0) {
        take(self, size);
    } else {
        keep(self, size);
        frame = (struct pawl_frame){ .data = self->buffer, .size = self->filled };
        self->filled = 0;
    }
    return frame;
}

/* ---- Lines ---- */

static size_t up_to_newline(struct pawl_bytes input)
{
    size_t size = 0;
    while (size < input.size && input.data[size] != '\n') size++;
    return size;
}

/* Forgets the line, up to its end if that has come. */
static void pass_over_line(struct pawl_framing *self, size_t size, bool whole)
{
    take(self, size + whole);
    self->filled = 0;
    self->passing_over = !whole;
}

static struct pawl_frame line_of(struct pawl_framing *self, size_t size)
{
    struct pawl_frame line = complete(self, size);
    take(self, 1);
    if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
    return line;
}

static struct pawl_frame next_line(struct pawl_framing *self)
{
    while (self->input.size > 0) {
        const size_t size = up_to_newline(self->input);
        const bool whole = size < self->input.size, told = self->passing_over;
        if (told || size > self->room - self->filled) {
            pass_over_line(self, size, whole);
            if (!told) return too_long;
        } else if (whole) {
            return line_of(self, size);
        } else {
            keep(self, size);
        }
    }
    return none;
}

/* ---- Messages ---- */

/* Is the length known, or known now? */
static bool has_length(struct pawl_framing *self)
{
    const size_t bytes = pawl_length_size((enum pawl_length)self->how);
    if (self->have == bytes) return true;
    for (; self->have < bytes && self->input.size > 0; take(self, 1)) self->head[self->have++] = *self->input.data;
    self->size = pawl_length_decode((enum pawl_length)self->how, self->head);
    return self->have == bytes;
}

/* Has its end come? */
static bool pass_over_message(struct pawl_framing *self)
{
    const size_t size = smaller(self->size, self->input.size);
    take(self, size);
    self->size -= (uint32_t)size;
    if (self->size == 0) {
        self->passing_over = false;
        self->have = 0;
    }
    return self->size == 0;
}

static struct pawl_frame next_message(struct pawl_framing *self)
{
    while (has_length(self)) {
        if (self->passing_over) {
            if (!pass_over_message(self)) break;
        } else if (self->size > self->room) {
            self->passing_over = true;
            return too_long;
        } else if (self->size - self->filled > self->input.size) {
            keep(self, self->input.size);
            break;
        } else {
            self->have = 0;
            return complete(self, self->size - self->filled);
        }
    }
    return none;
}

/* ---- The generator ---- */

static bool is_possible(const struct pawl_framing *self)
{
    return (self->buffer != NULL || self->room == 0) && (self->how == 0 || pawl_length_size((enum pawl_length)self->how) > 0);
}

static int take_piece(struct pawl_framing *self, struct pawl_bytes piece)
{
    if (piece.data == NULL) return piece.size == 0 ? 0 : PAWL_EINVAL;
    if (self->input.size > 0) return PAWL_EBUSY;
    self->input = piece;
    self->at_end = piece.size == 0;
    return 0;
}

static struct pawl_frame last_frame(const struct pawl_framing *self)
{
    const struct pawl_frame line = { .data = self->buffer, .size = self->filled };
    if (self->how != 0) return self->have > 0 ? cut_off : none;
    return self->filled > 0 ? line : none;
}

GEN_PUBLIC(pawl_framing)
{
    GEN_BEGIN(pawl_framing);
    if (!is_possible(self)) RAISE(PAWL_EINVAL);
    while (!self->at_end) {
        YIELD(self->how == 0 ? next_line(self) : next_message(self));
        const int error = take_piece(self, SENT());
        if (error != 0) RAISE(error);
    }
    if (pawl_is_frame(last_frame(self))) YIELD(last_frame(self));
    GEN_END;
}

struct pawl_frame pawl_framing_send(struct pawl_framing *framing, const void *data, size_t size)
{
    const struct pawl_bytes piece = { data == NULL && size == 0 ? "" : data, size };
    if (pawl_phase_(&framing->awaitable) == PAWL_CORO_FRESH && !gen_next(framing)) return none;
    return gen_send(framing, piece) ? framing->value : none;
}

struct pawl_frame pawl_framing_next(struct pawl_framing *framing)
{
    return gen_next(framing) ? framing->value : none;
}
