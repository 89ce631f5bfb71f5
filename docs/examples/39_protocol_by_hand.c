/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A protocol under test, with no loop, no socket and no clock. The coroutine reads and writes a stream, and does not
 * ask what is below it. Here that is memory: the test feeds it what the peer would send, in whatever pieces, runs the
 * coroutine with coro_step to where it waits, and looks at what it has written.
 */
#include <stdio.h>

#include <pawl/pawl.h>

/* ---- What is tested: a sum of numbers, one a line, until an empty line ---- */

enum { LONGEST = 16 };

struct sum {
    COROUTINE(int); /* how many there were */
    struct pawl_stream *stream;
    long total;
    struct pawl_stream_piece line;
    struct pawl_stream_drain drain;
};

ASYNC(sum)
{
    ASYNC_BEGIN(sum);
    pawl_stream_set_limit(self->stream, LONGEST);
    for (;;) {
        AWAIT(self->line, pawl_stream_read_line(self->stream));
        if (self->line.size == 0 || self->line.data[self->line.size - 1] != '\n') RAISE(PAWL_EEOF); /* at the end, or within a line */
        self->line.data[self->line.size - 1] = '\0'; /* a piece has no terminator: here its newline is the place for one */
        if (self->line.size == 1) break;
        int number;
        if (sscanf(self->line.data, "%d", &number) == 1) self->total += number, self->result++;
        else pawl_stream_printf(self->stream, "'%s' is no number\n", self->line.data);
    }
    pawl_stream_printf(self->stream, "%ld\n", self->total);
    AWAIT(self->drain, pawl_stream_drain(self->stream));
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

/* ---- The tests ---- */

static void feed(struct pawl_stream *stream, const char *text)
{
    size_t size = 0;
    while (text[size] != '\0') size++;
    if (pawl_stream_feed(stream, text, size) != 0) puts("  could not feed it");
}

static void show_written(struct pawl_stream *stream)
{
    size_t size;
    const char *const text = pawl_stream_written(stream, &size);
    printf("  it has written \"%.*s\"\n", size > 0 ? (int)size - 1 : 0, text); /* without the last newline */
    pawl_stream_take_written(stream, size);
}

static void show_state(struct sum *sum)
{
    if (!coro_done(sum)) puts("  it waits");
    else if (coro_error(sum) != 0) printf("  it failed: %s\n", pawl_strerror(coro_error(sum)));
    else printf("  it has ended, with %d numbers\n", sum->result);
}

static void in_pieces(void)
{
    struct pawl_stream stream = { 0 };
    struct sum sum = CORO(sum, .stream = &stream);
    puts("lines that come in pieces:");
    pawl_stream_open_memory(&stream, NULL);
    feed(&stream, "1\n4");
    coro_step(&sum);
    show_state(&sum);
    feed(&stream, "1\nx\n\n");
    coro_step(&sum);
    show_state(&sum);
    show_written(&stream);
    pawl_stream_abort(&stream);
}

static void the_end_comes_early(void)
{
    struct pawl_stream stream = { 0 };
    struct sum sum = CORO(sum, .stream = &stream);
    puts("the end comes early:");
    pawl_stream_open_memory(&stream, NULL);
    feed(&stream, "1\n");
    pawl_stream_feed_end(&stream);
    coro_step(&sum);
    show_state(&sum);
    pawl_stream_abort(&stream);
}

static void a_line_is_too_long(void)
{
    struct pawl_stream stream = { 0 };
    struct sum sum = CORO(sum, .stream = &stream);
    puts("a line is too long:");
    pawl_stream_open_memory(&stream, NULL);
    feed(&stream, "one thousand and one\n");
    coro_step(&sum);
    show_state(&sum);
    pawl_stream_abort(&stream);
}

static void the_peer_reads_slowly(void)
{
    struct pawl_stream stream = { 0 };
    struct sum sum = CORO(sum, .stream = &stream);
    puts("the peer reads slowly:");
    pawl_stream_open_memory(&stream, NULL);
    pawl_stream_set_water(&stream, 0, 0); /* drain waits for every byte */
    feed(&stream, "2\n\n");
    coro_step(&sum);
    show_state(&sum);
    show_written(&stream); /* the peer has taken it */
    coro_step(&sum);
    show_state(&sum);
    pawl_stream_abort(&stream);
}

static void it_is_cancelled(void)
{
    struct pawl_stream stream = { 0 };
    struct sum sum = CORO(sum, .stream = &stream);
    puts("it is cancelled:");
    pawl_stream_open_memory(&stream, NULL);
    feed(&stream, "1\n2");
    coro_step(&sum);
    coro_throw(&sum, PAWL_ECANCELLED);
    show_state(&sum);
    printf("  of the line that had begun nothing is lost: %d byte in the buffer\n", (int)pawl_stream_buffered(&stream));
    pawl_stream_abort(&stream);
}

int main(void)
{
    in_pieces();
    the_end_comes_early();
    a_line_is_too_long();
    the_peer_reads_slowly();
    it_is_cancelled();
    return 0;
}
