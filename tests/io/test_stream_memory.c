/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Streams over nothing, as somebody uses them who tests a protocol: by hand, without a loop, and with tasks on the virtual port. What
 * is read is a script, told as a trace; each input is cut into pieces in every way that there is, and the trace must be the same.
 */
#include <support.h>

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

static struct pawl_stream stream;
static struct counting memory;

static void begin(void)
{
    memset(&stream, 0, sizeof stream);
    counting_init(&memory);
    ck_assert_int_eq(pawl_stream_open_memory(&stream, &memory.allocator), 0);
}

static void end(void)
{
    pawl_stream_abort(&stream);
    ck_assert_uint_eq(memory.alive, 0);
    ck_assert(!pawl_stream_is_open(&stream));
}

static void feed(const char *text)
{
    ck_assert_int_eq(pawl_stream_feed(&stream, text, strlen(text)), 0);
}

/* ---- Scripts ---- */

struct reads {
    COROUTINE(void);
    const char *script;
    struct trace *out;
    char data[64];
    union {
        struct pawl_stream_read read;
        struct pawl_stream_piece piece;
    };
};

static void tell(struct trace *out, int error, const char *data, size_t size)
{
    if (error == PAWL_ELIMIT) trace(out, "<limit>");
    else if (error == PAWL_EEOF) trace(out, "<eof>");
    else if (error != 0) trace(out, "<%d>", error);
    if (error == 0 || size > 0) trace(out, "[%.*s]", (int)size, size > 0 ? data : "");
}

/* l: a line, u: until "--", x: exactly 3, p: a piece of 3, 0: one of none, m: a message, f: fill 2 and take them. */
ASYNC(reads)
{
    ASYNC_BEGIN(reads);
    for (; *self->script; self->script++) {
        const char what = *self->script;
        if (what == 'x') {
            TRY_AWAIT(self->read, pawl_stream_read_exactly(&stream, self->data, 3));
            tell(self->out, AWAIT_ERROR(), self->data, self->read.result);
        } else {
            TRY_AWAIT(self->piece, what == 'l'   ? pawl_stream_read_line(&stream)
                                   : what == 'u' ? pawl_stream_read_until(&stream, "--", 2)
                                   : what == 'm' ? pawl_stream_read_frame(&stream, PAWL_LENGTH_BYTE)
                                   : what == 'f' ? pawl_stream_fill(&stream, 2)
                                                 : pawl_stream_read_piece(&stream, what == 'p' ? 3 : 0));
            const size_t size = *self->script == 'f' && self->piece.size > 2 ? 2 : self->piece.size;
            tell(self->out, AWAIT_ERROR(), self->piece.data, size);
            if (*self->script == 'f') pawl_stream_consume(&stream, size);
            if (AWAIT_ERROR() == PAWL_ECANCELLED) RAISE(PAWL_ECANCELLED);
        }
    }
    ASYNC_END;
}

/* The script, and each piece fed when it waits; the end when there are no more. */
static void run_cut(const char *script, size_t limit, const char *input, size_t size, unsigned cuts, struct trace *out)
{
    struct reads reads = CORO(reads, .script = script, .out = out);
    size_t from = 0;
    bool ended = false;
    out->length = 0;
    out->text[0] = '\0';
    begin();
    if (limit > 0) ck_assert_int_eq(pawl_stream_set_limit(&stream, limit), 0);
    for (const struct pawl_future *waits; (waits = coro_step(&reads)) != NULL;) {
        size_t to = from + 1;
        ck_assert(!(pawl_future_done)(waits));
        ck_assert(!ended);
        while (to < size && !(cuts & 1u << (to - 1))) to++;
        if (from < size) ck_assert_int_eq(pawl_stream_feed(&stream, input + from, to - from), 0);
        else ck_assert_int_eq(pawl_stream_feed_end(&stream), 0);
        ended = from >= size;
        from = to;
    }
    ck_assert_int_eq(coro_error(&reads), 0);
    end();
}

static void check_every_cut(const char *script, size_t limit, const char *input, const char *expected)
{
    const size_t size = strlen(input);
    struct trace out;
    ck_assert_uint_le(size, 14);
    for (unsigned cuts = 0; cuts < 1u << (size > 0 ? size - 1 : 0); cuts++) {
        run_cut(script, limit, input, size, cuts, &out);
        if (strcmp(out.text, expected) != 0) ck_abort_msg("%s of '%s', cuts %x: %s, expected %s", script, input, cuts, out.text, expected);
    }
}

START_TEST(lines_are_read_however_they_come)
{
    check_every_cut("lll", 0, "hello\nworld\n", "[hello\n][world\n][]");
    check_every_cut("llll", 0, "\n\nx\n", "[\n][\n][x\n][]");
    check_every_cut("lll", 0, "a\nrest", "[a\n][rest][]");
    check_every_cut("ll", 0, "", "[][]");
}
END_TEST

START_TEST(a_separator_is_found_across_pieces)
{
    check_every_cut("uuu", 0, "one--two--", "[one--][two--]<eof>");
    check_every_cut("uu", 0, "a-b---c", "[a-b--]<eof>[-c]");
    check_every_cut("uu", 0, "----", "[--][--]");
    check_every_cut("uu", 0, "a-", "<eof>[a-]<eof>");
    check_every_cut("ulu", 0, "a--b\nc--", "[a--][b\n][c--]");
}
END_TEST

START_TEST(so_many_bytes_are_read_however_they_come)
{
    check_every_cut("xxx", 0, "abcdef", "[abc][def]<eof>");
    check_every_cut("xx", 0, "abcd", "[abc]<eof>[d]");
    check_every_cut("ppp", 0, "abcdefg", "[abc][def]<eof>[g]");
    check_every_cut("0p0p", 0, "abc", "[][abc][]<eof>");
    check_every_cut("xlpu", 0, "abcd\nefg--", "[abc][d\n][efg][--]");
}
END_TEST

START_TEST(a_parser_fills_and_consumes)
{
    check_every_cut("ffff", 0, "abcde", "[ab][cd][e][]");
    check_every_cut("flf", 0, "abc\nd", "[ab][c\n][d]");
}
END_TEST

START_TEST(messages_are_read_however_they_come)
{
    check_every_cut("mmm", 0, "\3abc\1d", "[abc][d][]");
    check_every_cut("mmm", 3, "\3abc\4abcd", "[abc]<limit><limit>"); /* it stays, and the next read tells so again */
    check_every_cut("mm", 0, "\1a\3b", "[a]<eof>");
    check_every_cut("ml", 0, "\3ab", "<eof>[\3ab]"); /* it stays */
}
END_TEST

START_TEST(a_line_of_exactly_the_limit_comes)
{
    check_every_cut("ll", 4, "abcd\nefgh\n", "[abcd\n][efgh\n]");
    check_every_cut("ll", 1, "a\n\nb", "[a\n][\n]");
    check_every_cut("ll", 4, "abc\nabcd", "[abc\n][abcd]"); /* at the end too */
    check_every_cut("uu", 4, "abcd--abc--", "[abcd--][abc--]");
}
END_TEST

START_TEST(more_than_the_limit_before_the_separator_is_ELIMIT)
{
    check_every_cut("l", 4, "abcde\nxy", "<limit>");
    check_every_cut("l", 4, "abcdefgh", "<limit>");
    check_every_cut("u", 4, "abcde--", "<limit>");
    check_every_cut("uu", 3, "abcdefg--", "<limit><limit>"); /* it stays */
    check_every_cut("upp", 4, "abcde--", "<limit>[abc][de-]");
    check_every_cut("pxl", 2, "abc", "<limit>[abc][]"); /* nothing was taken */
    check_every_cut("fp", 1, "ab", "<limit><limit>");
}
END_TEST

START_TEST(what_goes_into_the_callers_memory_may_be_more_than_the_limit)
{
    check_every_cut("xx", 2, "abcdef", "[abc][def]");
    check_every_cut("xx", 1, "abcd", "[abc]<eof>[d]");
}
END_TEST

START_TEST(of_a_line_that_is_too_long_as_much_is_dropped_as_is_there)
{
    struct trace out;
    run_cut("ll", 4, "abcdefgh\nnext\n", 14, 0, &out); /* all of it, and its newline */
    ck_assert_trace(&out, "<limit>[next\n]");
    run_cut("ll", 4, "abcdefgh\nnext\n", 14, 1u << 5, &out); /* the newline has not come yet */
    ck_assert_trace(&out, "<limit>[gh\n]");
    run_cut("ll", 4, "abcde\nx\n", 8, 1u << 5, &out); /* the newline comes with it, found just beyond */
    ck_assert_trace(&out, "<limit>[x\n]");
}
END_TEST

/* ---- By hand, one thing after the other ---- */

START_TEST(what_is_there_is_given_without_waiting_and_as_much_as_asked_for)
{
    char data[8] = "";
    begin();
    feed("hello world");
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 11);
    struct pawl_stream_read read = pawl_stream_read(&stream, data, 5);
    ck_assert_ptr_null(coro_step(&read));
    ck_assert_uint_eq(read.result, 5);
    ck_assert_str_eq(data, "hello");
    read = pawl_stream_read(&stream, data, 8);
    ck_assert_ptr_null(coro_step(&read));
    ck_assert_uint_eq(read.result, 6);
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 0);
    end();
}
END_TEST

/* There is one reader at a time; who takes something out behind its back does not lead it astray. */
START_TEST(what_is_consumed_while_somebody_looks_for_a_line_is_gone)
{
    begin();
    feed("abcdef");
    struct pawl_stream_piece line = pawl_stream_read_line(&stream);
    ck_assert_ptr_nonnull(coro_step(&line));
    pawl_stream_consume(&stream, 5);
    feed("\n");
    ck_assert_ptr_null(coro_step(&line));
    ck_assert_int_eq(coro_error(&line), 0);
    ck_assert_uint_eq(line.size, 2);
    ck_assert_mem_eq(line.data, "f\n", 2);
    end();
}
END_TEST

START_TEST(an_empty_feed_is_no_news)
{
    char data[8];
    begin();
    struct pawl_stream_read read = pawl_stream_read(&stream, data, 8);
    const struct pawl_future *const waits = coro_step(&read);
    ck_assert_int_eq(pawl_stream_feed(&stream, "", 0), 0);
    ck_assert_int_eq(pawl_stream_feed(&stream, NULL, 0), 0);
    ck_assert(!(pawl_future_done)(waits));
    feed("x");
    ck_assert((pawl_future_done)(waits));
    ck_assert_ptr_null(coro_step(&read));
    ck_assert_uint_eq(read.result, 1);
    end();
}
END_TEST

START_TEST(at_the_end_a_read_gives_nothing_again_and_again)
{
    char data[8];
    begin();
    feed("x");
    ck_assert_int_eq(pawl_stream_feed_end(&stream), 0);
    ck_assert(!pawl_stream_at_end(&stream)); /* something is to be read yet */
    for (size_t i = 0; i < 3; i++) {
        struct pawl_stream_read read = pawl_stream_read(&stream, data, 8);
        ck_assert_ptr_null(coro_step(&read));
        ck_assert_int_eq(coro_error(&read), 0);
        ck_assert_uint_eq(read.result, i == 0 ? 1 : 0);
        ck_assert(pawl_stream_at_end(&stream));
    }
    ck_assert_int_eq(pawl_stream_feed(&stream, "y", 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_feed_end(&stream), PAWL_EINVAL);
    end();
}
END_TEST

START_TEST(a_loop_of_reads_takes_all_up_to_the_end)
{
    char data[64];
    size_t size = 0;
    begin();
    feed("chunk1\n");
    for (int step = 0;; step++) {
        struct pawl_stream_read read = pawl_stream_read(&stream, data + size, 4);
        while (coro_step(&read) != NULL) {
            if (size < 10) feed("chunk2");
            else ck_assert_int_eq(pawl_stream_feed_end(&stream), 0);
        }
        if (read.result == 0) break;
        size += read.result;
        ck_assert_int_lt(step, 10);
    }
    ck_assert_uint_eq(size, 13);
    ck_assert_mem_eq(data, "chunk1\nchunk2", 13);
    end();
}
END_TEST

START_TEST(an_empty_message_is_told_from_the_end)
{
    begin();
    ck_assert_int_eq(pawl_stream_feed(&stream, "\0\0\0\1x", 5), 0);
    ck_assert_int_eq(pawl_stream_feed_end(&stream), 0);
    struct pawl_stream_piece piece = pawl_stream_read_frame(&stream, PAWL_LENGTH_16_BIG);
    ck_assert_ptr_null(coro_step(&piece));
    ck_assert_ptr_nonnull(piece.data);
    ck_assert_uint_eq(piece.size, 0);
    piece = pawl_stream_read_frame(&stream, PAWL_LENGTH_16_BIG);
    ck_assert_ptr_null(coro_step(&piece));
    ck_assert_mem_eq(piece.data, "x", 1);
    piece = pawl_stream_read_frame(&stream, PAWL_LENGTH_16_BIG);
    ck_assert_ptr_null(coro_step(&piece));
    ck_assert_int_eq(coro_error(&piece), 0);
    ck_assert_ptr_null(piece.data);
    end();
}
END_TEST

START_TEST(a_message_is_written_with_its_length)
{
    size_t size;
    begin();
    ck_assert_int_eq(pawl_stream_write_frame(&stream, PAWL_LENGTH_32_LITTLE, "abc", 3), 0);
    ck_assert_int_eq(pawl_stream_write_frame(&stream, PAWL_LENGTH_BYTE, NULL, 0), 0);
    ck_assert_int_eq(pawl_stream_write_frame(&stream, PAWL_LENGTH_16_BIG, "d", 1), 0);
    ck_assert_int_eq(pawl_stream_write_frame(&stream, PAWL_LENGTH_BYTE, "x", 256), PAWL_ELIMIT);
    ck_assert_int_eq(pawl_stream_write_frame(&stream, (enum pawl_length)3, "x", 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_write_frame(&stream, PAWL_LENGTH_BYTE, NULL, 1), PAWL_EINVAL);
    ck_assert_mem_eq(pawl_stream_written(&stream, &size), "\3\0\0\0abc\0\0\1d", 11);
    ck_assert_uint_eq(size, 11);
    end();
}
END_TEST

START_TEST(a_piece_stays_where_it_is_until_the_next_read)
{
    begin();
    feed("one\ntwo\n");
    struct pawl_stream_piece first = pawl_stream_read_line(&stream);
    ck_assert_ptr_null(coro_step(&first));
    struct pawl_stream_piece second = pawl_stream_read_line(&stream);
    ck_assert_ptr_null(coro_step(&second));
    ck_assert_ptr_eq(second.data, first.data + 4); /* in place, both */
    second.data[3] = '!';                          /* may be changed */
    ck_assert_mem_eq(first.data, "one\ntwo!", 8);
    end();
}
END_TEST

START_TEST(consume_takes_no_more_than_is_there)
{
    begin();
    feed("abc");
    pawl_stream_consume(&stream, 1);
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 2);
    pawl_stream_consume(&stream, 100);
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 0);
    pawl_stream_consume(&stream, 1);
    feed("d");
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 1);
    end();
}
END_TEST

START_TEST(a_second_reader_is_EBUSY_and_the_first_goes_on)
{
    char data[8];
    begin();
    struct pawl_stream_piece line = pawl_stream_read_line(&stream);
    struct pawl_stream_read read = pawl_stream_read(&stream, data, 8);
    ck_assert_ptr_nonnull(coro_step(&line));
    ck_assert_ptr_null(coro_step(&read));
    ck_assert_int_eq(coro_error(&read), PAWL_EBUSY);
    feed("x\n");
    ck_assert_ptr_null(coro_step(&line));
    ck_assert_uint_eq(line.size, 2);
    end();
}
END_TEST

START_TEST(a_reader_that_was_cancelled_leaves_what_had_come)
{
    begin();
    struct pawl_stream_piece line = pawl_stream_read_line(&stream);
    ck_assert_ptr_nonnull(coro_step(&line));
    feed("half ");
    ck_assert_ptr_nonnull(coro_step(&line));
    ck_assert_ptr_null(coro_throw(&line, PAWL_ECANCELLED));
    ck_assert_int_eq(coro_error(&line), PAWL_ECANCELLED);
    feed("a line\n");
    line = pawl_stream_read_line(&stream);
    ck_assert_ptr_null(coro_step(&line));
    ck_assert_mem_eq(line.data, "half a line\n", 12);
    end();
}
END_TEST

START_TEST(a_cancelled_read_exactly_says_what_it_has_taken)
{
    char data[8] = "";
    begin();
    feed("abc");
    struct pawl_stream_read read = pawl_stream_read_exactly(&stream, data, 5);
    ck_assert_ptr_nonnull(coro_step(&read));
    ck_assert_ptr_null(coro_throw(&read, PAWL_ECANCELLED));
    ck_assert_uint_eq(read.result, 3);
    ck_assert_str_eq(data, "abc");
    feed("de");
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 2);
    end();
}
END_TEST

START_TEST(an_error_that_the_test_sets_is_what_the_reader_gets)
{
    begin();
    struct pawl_stream_piece line = pawl_stream_read_line(&stream);
    struct pawl_future *const waits = coro_step(&line);
    (pawl_future_set_error)(waits, -ECONNRESET);
    ck_assert_ptr_null(coro_step(&line));
    ck_assert_int_eq(coro_error(&line), -ECONNRESET);
    end();
}
END_TEST

START_TEST(closing_and_aborting_end_a_reader)
{
    for (int i = 0; i < 2; i++) {
        begin();
        struct pawl_stream_piece line = pawl_stream_read_line(&stream);
        const struct pawl_future *const waits = coro_step(&line);
        if (i == 0) pawl_stream_close(&stream);
        else pawl_stream_abort(&stream);
        ck_assert((pawl_future_done)(waits));
        ck_assert_ptr_null(coro_step(&line));
        ck_assert_int_eq(coro_error(&line), PAWL_ECLOSED);
        line = pawl_stream_read_line(&stream);
        ck_assert_ptr_null(coro_step(&line));
        ck_assert_int_eq(coro_error(&line), PAWL_ECLOSED);
        ck_assert_int_eq(pawl_stream_feed(&stream, "x", 1), PAWL_ECLOSED);
        end();
    }
}
END_TEST

START_TEST(a_reader_of_a_stream_that_was_closed_leaves_alone_what_is_open_there_now)
{
    begin();
    struct pawl_stream_piece line = pawl_stream_read_line(&stream);
    ck_assert_ptr_nonnull(coro_step(&line));
    pawl_stream_abort(&stream);
    ck_assert_int_eq(pawl_stream_open_memory(&stream, &memory.allocator), 0);
    feed("another one's\n");
    ck_assert_ptr_null(coro_step(&line));
    ck_assert_int_eq(coro_error(&line), PAWL_ECLOSED);
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 14);
    end();
}
END_TEST

/* ---- Writing ---- */

static void check_written(const char *text)
{
    size_t size;
    const char *const data = pawl_stream_written(&stream, &size);
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_mem_eq(data, text, size);
    ck_assert_uint_eq(pawl_stream_unsent(&stream), size);
}

START_TEST(what_was_written_is_there_to_be_looked_at)
{
    struct iovec parts[] = { { (char *)(uintptr_t) "one ", 4 }, { NULL, 0 }, { (char *)(uintptr_t) "two ", 4 } };
    begin();
    check_written("");
    ck_assert_int_eq(pawl_stream_write(&stream, "a\0b ", 4), 0);
    pawl_stream_take_written(&stream, 4);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "text "), 0);
    ck_assert_int_eq(pawl_stream_write_vector(&stream, parts, 3), 0);
    ck_assert_int_eq(pawl_stream_printf(&stream, "%d %s", 42, "!"), 0);
    check_written("text one two 42 !");
    pawl_stream_take_written(&stream, 5);
    check_written("one two 42 !");
    pawl_stream_take_written(&stream, 1000);
    check_written("");
    end();
}
END_TEST

START_TEST(to_write_nothing_is_nothing)
{
    struct iovec empty = { NULL, 0 };
    begin();
    ck_assert_int_eq(pawl_stream_write(&stream, "", 0), 0);
    ck_assert_int_eq(pawl_stream_write(&stream, NULL, 0), 0);
    ck_assert_int_eq(pawl_stream_write_text(&stream, ""), 0);
    ck_assert_int_eq(pawl_stream_write_vector(&stream, NULL, 0), 0);
    ck_assert_int_eq(pawl_stream_write_vector(&stream, &empty, 1), 0);
    ck_assert_int_eq(pawl_stream_printf(&stream, "%s", ""), 0);
    check_written("");
    ck_assert_uint_eq(memory.alive, 0);
    end();
}
END_TEST

START_TEST(a_long_format_is_written_whole)
{
    char expected[20001];
    memset(expected, 'x', 20000);
    expected[20000] = '\0';
    begin();
    ck_assert_int_eq(pawl_stream_write_text(&stream, "<"), 0);
    ck_assert_int_eq(pawl_stream_printf(&stream, "%s>", expected), 0);
    size_t size;
    const char *const data = pawl_stream_written(&stream, &size);
    ck_assert_uint_eq(size, 20002);
    ck_assert(data[0] == '<' && data[20001] == '>');
    ck_assert_mem_eq(data + 1, expected, 20000);
    end();
}
END_TEST

START_TEST(drain_waits_above_the_high_mark_until_the_low_one)
{
    begin();
    ck_assert_int_eq(pawl_stream_set_water(&stream, 10, 4), 0);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "0123456789"), 0);
    struct pawl_stream_drain drain = pawl_stream_drain(&stream);
    ck_assert_ptr_null(coro_step(&drain)); /* at the mark, not above it */
    ck_assert_int_eq(pawl_stream_write_text(&stream, "!"), 0);
    drain = pawl_stream_drain(&stream);
    const struct pawl_future *const waits = coro_step(&drain);
    ck_assert(waits != NULL && !(pawl_future_done)(waits));
    pawl_stream_take_written(&stream, 6); /* 5 are left */
    ck_assert(!(pawl_future_done)(waits));
    pawl_stream_take_written(&stream, 1);
    ck_assert((pawl_future_done)(waits));
    ck_assert_ptr_null(coro_step(&drain));
    ck_assert_int_eq(coro_error(&drain), 0);
    end();
}
END_TEST

START_TEST(all_that_drain_go_on_together)
{
    struct pawl_stream_drain drains[3];
    begin();
    ck_assert_int_eq(pawl_stream_set_water(&stream, 0, 0), 0);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "xy"), 0);
    for (int i = 0; i < 3; i++) {
        drains[i] = pawl_stream_drain(&stream);
        ck_assert_ptr_nonnull(coro_step(&drains[i]));
    }
    ck_assert_ptr_null(coro_throw(&drains[1], PAWL_ECANCELLED));
    pawl_stream_take_written(&stream, 2);
    ck_assert_ptr_null(coro_step(&drains[0]));
    ck_assert_ptr_null(coro_step(&drains[2]));
    ck_assert_int_eq(coro_error(&drains[0]), 0);
    ck_assert_int_eq(coro_error(&drains[2]), 0);
    end();
}
END_TEST

START_TEST(flush_waits_until_nothing_is_left)
{
    begin();
    struct pawl_stream_drain flush = pawl_stream_flush(&stream);
    ck_assert_ptr_null(coro_step(&flush));
    ck_assert_int_eq(pawl_stream_write_text(&stream, "xy"), 0);
    flush = pawl_stream_flush(&stream);
    ck_assert_ptr_nonnull(coro_step(&flush));
    pawl_stream_take_written(&stream, 1);
    ck_assert_ptr_nonnull(coro_step(&flush));
    pawl_stream_take_written(&stream, 1);
    ck_assert_ptr_null(coro_step(&flush));
    ck_assert_int_eq(coro_error(&flush), 0);
    end();
}
END_TEST

START_TEST(after_its_end_nothing_is_written_and_reading_goes_on)
{
    begin();
    ck_assert_int_eq(pawl_stream_write_text(&stream, "last"), 0);
    ck_assert_int_eq(pawl_stream_write_end(&stream), 0);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "more"), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_write_end(&stream), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_printf(&stream, "x"), PAWL_ECLOSED);
    check_written("last");
    feed("answer\n");
    struct pawl_stream_piece line = pawl_stream_read_line(&stream);
    ck_assert_ptr_null(coro_step(&line));
    ck_assert_uint_eq(line.size, 7);
    ck_assert(pawl_stream_is_open(&stream));
    end();
}
END_TEST

START_TEST(what_was_written_outlives_the_close)
{
    begin();
    ck_assert_int_eq(pawl_stream_write_text(&stream, "bye"), 0);
    struct pawl_stream_drain closed = pawl_stream_wait_closed(&stream);
    ck_assert_ptr_null(coro_step(&closed));
    ck_assert_int_eq(coro_error(&closed), 0);
    ck_assert(!pawl_stream_is_open(&stream));
    check_written("bye");
    ck_assert_int_eq(pawl_stream_write_text(&stream, "more"), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_open_memory(&stream, NULL), PAWL_EBUSY); /* not before abort */
    end();
    size_t size;
    ck_assert_str_eq(pawl_stream_written(&stream, &size), "");
    ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(closing_wakes_those_that_drain)
{
    begin();
    ck_assert_int_eq(pawl_stream_set_water(&stream, 0, 0), 0);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), 0);
    struct pawl_stream_drain drain = pawl_stream_drain(&stream), flush = pawl_stream_flush(&stream);
    ck_assert_ptr_nonnull(coro_step(&drain));
    ck_assert_ptr_nonnull(coro_step(&flush));
    pawl_stream_close(&stream);
    ck_assert_ptr_null(coro_step(&drain));
    ck_assert_ptr_null(coro_step(&flush));
    ck_assert_int_eq(coro_error(&drain), PAWL_ECLOSED);
    ck_assert_int_eq(coro_error(&flush), PAWL_ECLOSED);
    end();
}
END_TEST

/* ---- The scope ---- */

struct greets {
    COROUTINE(void);
    struct pawl_stream_closing closing;
    struct pawl_stream_piece line;
};

ASYNC(greets)
{
    ASYNC_BEGIN(greets);
    WITH(self->closing, pawl_stream_closing(&stream)) {
        AWAIT(self->line, pawl_stream_read_line(&stream));
        if (self->line.size == 0) RAISE(PAWL_EEOF);
        pawl_stream_printf(&stream, "hello %.*s", (int)self->line.size, self->line.data);
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_conversation_is_tried_by_hand)
{
    struct greets greets = CORO(greets);
    begin();
    ck_assert_ptr_nonnull(coro_step(&greets));
    feed("world\n");
    ck_assert_ptr_null(coro_step(&greets));
    ck_assert_int_eq(coro_error(&greets), 0);
    check_written("hello world\n");
    ck_assert(!pawl_stream_is_open(&stream));
    end();
}
END_TEST

START_TEST(left_by_an_error_it_is_closed)
{
    struct greets greets = CORO(greets);
    begin();
    ck_assert_ptr_nonnull(coro_step(&greets));
    ck_assert_int_eq(pawl_stream_feed_end(&stream), 0);
    ck_assert_ptr_null(coro_step(&greets));
    ck_assert_int_eq(coro_error(&greets), PAWL_EEOF);
    ck_assert(!pawl_stream_is_open(&stream));
    end();
}
END_TEST

START_TEST(left_by_a_cancellation_or_closed_it_is_aborted)
{
    for (int i = 0; i < 2; i++) {
        struct greets greets = CORO(greets);
        begin();
        ck_assert_ptr_nonnull(coro_step(&greets));
        if (i == 0) ck_assert_ptr_null(coro_throw(&greets, PAWL_ECANCELLED));
        else ck_assert_int_eq(coro_close(&greets), 0);
        ck_assert_int_eq(coro_error(&greets), i == 0 ? PAWL_ECANCELLED : 0);
        ck_assert_int_eq(pawl_stream_open_memory(&stream, NULL), 0); /* entirely closed */
        pawl_stream_abort(&stream);
        ck_assert_uint_eq(memory.alive, 0);
    }
}
END_TEST

/* ---- Memory ---- */

START_TEST(a_stream_with_nothing_in_it_has_no_buffers)
{
    char data[8];
    begin();
    ck_assert_uint_eq(memory.alive, 0);
    struct pawl_stream_read read = pawl_stream_read(&stream, data, 8);
    ck_assert_ptr_nonnull(coro_step(&read));
    ck_assert_uint_eq(memory.alive, 0);
    feed("x");
    ck_assert_uint_eq(memory.alive, 1);
    ck_assert_ptr_null(coro_step(&read));
    read = pawl_stream_read(&stream, data, 8);
    ck_assert_ptr_nonnull(coro_step(&read));
    ck_assert_uint_eq(memory.alive, 0); /* it waits with nothing in it */
    end();
}
END_TEST

START_TEST(without_memory_nothing_is_fed_and_nothing_written)
{
    struct iovec part = { (char *)(uintptr_t) "x", 1 };
    begin();
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(pawl_stream_feed(&stream, "x", 1), PAWL_ENOMEM);
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 0);
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(pawl_stream_write(&stream, "x", 1), PAWL_ENOMEM);
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(pawl_stream_write_vector(&stream, &part, 1), PAWL_ENOMEM);
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(pawl_stream_printf(&stream, "%d", 1), PAWL_ENOMEM);
    check_written("");
    ck_assert_int_eq(pawl_stream_write(&stream, "still works", 11), 0); /* it was no error of the stream */
    check_written("still works");
    end();
}
END_TEST

START_TEST(a_buffer_that_cannot_grow_stays_as_it_was)
{
    static char big[PAWL_STREAM_CHUNK + 1];
    begin();
    feed("in");
    ck_assert_int_eq(pawl_stream_write_text(&stream, "out"), 0);
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(pawl_stream_feed(&stream, big, sizeof big), PAWL_ENOMEM);
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(pawl_stream_write(&stream, big, sizeof big), PAWL_ENOMEM);
    check_written("out");
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 2);
    end();
}
END_TEST

/* ---- What cannot be ---- */

#define check_refused(frame, expected) do { \
    __typeof__(frame) refused = (frame); \
    ck_assert_ptr_null(coro_step(&refused)); \
    ck_assert_int_eq(coro_error(&refused), (expected)); \
} while (0)

START_TEST(what_cannot_be_is_EINVAL)
{
    char data[4];
    struct iovec wrong = { NULL, 1 };
    begin();
    check_refused(pawl_stream_read(&stream, data, 0), PAWL_EINVAL);
    check_refused(pawl_stream_read(&stream, NULL, 4), PAWL_EINVAL);
    check_refused(pawl_stream_read(NULL, data, 4), PAWL_EINVAL);
    check_refused(pawl_stream_read_exactly(&stream, NULL, 4), PAWL_EINVAL);
    check_refused(pawl_stream_read_exactly(&stream, NULL, 0), 0);
    check_refused(pawl_stream_read_line(NULL), PAWL_EINVAL);
    check_refused(pawl_stream_read_until(&stream, NULL, 1), PAWL_EINVAL);
    check_refused(pawl_stream_read_until(&stream, "x", 0), PAWL_EINVAL);
    check_refused(pawl_stream_read_piece(NULL, 1), PAWL_EINVAL);
    check_refused(pawl_stream_fill(&stream, 0), PAWL_EINVAL);
    check_refused(pawl_stream_fill(&stream, PAWL_STREAM_LIMIT + 1), PAWL_ELIMIT);
    check_refused(pawl_stream_read_frame(&stream, (enum pawl_length)0), PAWL_EINVAL);
    check_refused(pawl_stream_read_frame(NULL, PAWL_LENGTH_BYTE), PAWL_EINVAL);
    check_refused(pawl_stream_drain(NULL), PAWL_EINVAL);
    check_refused(pawl_stream_flush(NULL), PAWL_EINVAL);
    check_refused(pawl_stream_wait_closed(NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_write(NULL, "x", 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_write(&stream, NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_write_text(&stream, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_write_vector(&stream, NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_write_vector(&stream, &wrong, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_write_end(NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_feed(NULL, "x", 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_feed(&stream, NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_feed_end(NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_open_memory(NULL, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_open_memory(&stream, NULL), PAWL_EBUSY);
    pawl_stream_close(NULL);
    pawl_stream_abort(NULL);
    ck_assert(!pawl_stream_is_open(NULL));
    end();
}
END_TEST

START_TEST(limits_and_marks_have_bounds)
{
    begin();
    ck_assert_int_eq(pawl_stream_set_limit(&stream, 0), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_set_limit(&stream, 1), 0);
    ck_assert_int_eq(pawl_stream_set_limit(&stream, (size_t)1 << 30), 0);
    ck_assert_int_eq(pawl_stream_set_limit(&stream, ((size_t)1 << 30) + 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_set_limit(NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_set_water(&stream, 0, 0), 0);
    ck_assert_int_eq(pawl_stream_set_water(&stream, 1, 2), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_set_water(&stream, SIZE_MAX, 0), PAWL_EINVAL);
    ck_assert_int_eq(pawl_stream_set_water(NULL, 1, 0), PAWL_EINVAL);
    end();
}
END_TEST

START_TEST(a_zeroed_stream_is_closed)
{
    memset(&stream, 0, sizeof stream);
    check_refused(pawl_stream_read_line(&stream), PAWL_ECLOSED);
    check_refused(pawl_stream_drain(&stream), PAWL_ECLOSED);
    check_refused(pawl_stream_wait_closed(&stream), 0);
    ck_assert_int_eq(pawl_stream_write(&stream, "x", 1), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_write_end(&stream), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_feed(&stream, "x", 1), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_feed_end(&stream), PAWL_ECLOSED);
    pawl_stream_close(&stream);
    pawl_stream_abort(&stream);
    pawl_stream_take_written(&stream, 1);
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 0);
    ck_assert_uint_eq(pawl_stream_unsent(&stream), 0);
    ck_assert(!pawl_stream_at_end(&stream));
}
END_TEST

/* ---- With tasks ---- */

START_TEST(a_task_reads_what_another_one_feeds)
{
    struct world world;
    struct trace out = { .length = 0 };
    world_begin(&world);
    begin();
    struct pawl_task *const reader = pawl_spawn(CORO(reads, .script = "lxu", .out = &out));
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert(!pawl_future_done(reader));
    feed("li");
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    feed("ne\nabc");
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    feed("d--");
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, reader), 0);
    pawl_task_release(reader);
    ck_assert_trace(&out, "[line\n][abc][d--]");
    end();
    world_end(&world);
}
END_TEST

START_TEST(a_task_in_the_scope_is_cancelled)
{
    struct world world;
    world_begin(&world);
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(greets));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    pawl_task_cancel(task);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    pawl_task_release(task);
    ck_assert_int_eq(pawl_stream_write(&stream, "x", 1), PAWL_ECLOSED);
    end();
    world_end(&world);
}
END_TEST

START_TEST(a_task_that_reads_times_out_and_reads_again)
{
    struct world world;
    world_begin(&world);
    begin();
    feed("half ");
    struct pawl_stream_piece line = pawl_stream_read_line(&stream);
    ck_assert_int_eq(world_run(&world, pawl_wait_for(&line, PAWL_SEC(1))), PAWL_ETIMEOUT);
    feed("whole\n");
    struct trace out = { .length = 0 };
    ck_assert_int_eq(world_run(&world, CORO(reads, .script = "l", .out = &out)), 0);
    ck_assert_trace(&out, "[half whole\n]");
    end();
    world_end(&world);
}
END_TEST

START_TEST(a_reader_that_was_turned_out_leaves_the_next_one_alone)
{
    struct world world;
    struct trace out = { .length = 0 }, other = { .length = 0 };
    world_begin(&world);
    begin();
    struct pawl_task *const first = pawl_spawn_eager(CORO(reads, .script = "l", .out = &out));
    pawl_stream_abort(&stream);
    ck_assert_int_eq(pawl_stream_open_memory(&stream, &memory.allocator), 0);
    struct pawl_task *const second = pawl_spawn_eager(CORO(reads, .script = "l", .out = &other));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, first), 0);
    feed("x\n");
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, second), 0);
    ck_assert_trace(&other, "[x\n]");
    ck_assert_str_ne(out.text, other.text);
    pawl_task_release(first);
    pawl_task_release(second);
    end();
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("stream_memory");
    TCase *const cuts = add_case(suite, "every cut"), *const hand = add_case(suite, "by hand"), *const writes = add_case(suite, "writing");
    TCase *const scope = add_case(suite, "the scope"), *const room = add_case(suite, "memory"), *const tasks = add_case(suite, "tasks");
    tcase_add_test(cuts, lines_are_read_however_they_come);
    tcase_add_test(cuts, a_separator_is_found_across_pieces);
    tcase_add_test(cuts, so_many_bytes_are_read_however_they_come);
    tcase_add_test(cuts, a_parser_fills_and_consumes);
    tcase_add_test(cuts, messages_are_read_however_they_come);
    tcase_add_test(cuts, a_line_of_exactly_the_limit_comes);
    tcase_add_test(cuts, more_than_the_limit_before_the_separator_is_ELIMIT);
    tcase_add_test(cuts, what_goes_into_the_callers_memory_may_be_more_than_the_limit);
    tcase_add_test(cuts, of_a_line_that_is_too_long_as_much_is_dropped_as_is_there);
    tcase_add_test(hand, what_is_there_is_given_without_waiting_and_as_much_as_asked_for);
    tcase_add_test(hand, what_is_consumed_while_somebody_looks_for_a_line_is_gone);
    tcase_add_test(hand, an_empty_feed_is_no_news);
    tcase_add_test(hand, at_the_end_a_read_gives_nothing_again_and_again);
    tcase_add_test(hand, a_loop_of_reads_takes_all_up_to_the_end);
    tcase_add_test(hand, an_empty_message_is_told_from_the_end);
    tcase_add_test(hand, a_piece_stays_where_it_is_until_the_next_read);
    tcase_add_test(hand, consume_takes_no_more_than_is_there);
    tcase_add_test(hand, a_second_reader_is_EBUSY_and_the_first_goes_on);
    tcase_add_test(hand, a_reader_that_was_cancelled_leaves_what_had_come);
    tcase_add_test(hand, a_cancelled_read_exactly_says_what_it_has_taken);
    tcase_add_test(hand, an_error_that_the_test_sets_is_what_the_reader_gets);
    tcase_add_test(hand, closing_and_aborting_end_a_reader);
    tcase_add_test(hand, a_reader_of_a_stream_that_was_closed_leaves_alone_what_is_open_there_now);
    tcase_add_test(hand, what_cannot_be_is_EINVAL);
    tcase_add_test(hand, limits_and_marks_have_bounds);
    tcase_add_test(hand, a_zeroed_stream_is_closed);
    tcase_add_test(writes, what_was_written_is_there_to_be_looked_at);
    tcase_add_test(writes, a_message_is_written_with_its_length);
    tcase_add_test(writes, to_write_nothing_is_nothing);
    tcase_add_test(writes, a_long_format_is_written_whole);
    tcase_add_test(writes, drain_waits_above_the_high_mark_until_the_low_one);
    tcase_add_test(writes, all_that_drain_go_on_together);
    tcase_add_test(writes, flush_waits_until_nothing_is_left);
    tcase_add_test(writes, after_its_end_nothing_is_written_and_reading_goes_on);
    tcase_add_test(writes, what_was_written_outlives_the_close);
    tcase_add_test(writes, closing_wakes_those_that_drain);
    tcase_add_test(scope, a_conversation_is_tried_by_hand);
    tcase_add_test(scope, left_by_an_error_it_is_closed);
    tcase_add_test(scope, left_by_a_cancellation_or_closed_it_is_aborted);
    tcase_add_test(room, a_stream_with_nothing_in_it_has_no_buffers);
    tcase_add_test(room, without_memory_nothing_is_fed_and_nothing_written);
    tcase_add_test(room, a_buffer_that_cannot_grow_stays_as_it_was);
    tcase_add_test(tasks, a_task_reads_what_another_one_feeds);
    tcase_add_test(tasks, a_task_in_the_scope_is_cancelled);
    tcase_add_test(tasks, a_task_that_reads_times_out_and_reads_again);
    tcase_add_test(tasks, a_reader_that_was_turned_out_leaves_the_next_one_alone);
    return suite;
}
