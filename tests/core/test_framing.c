/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Framing: however an input is cut into pieces, the same frames come out. Short inputs are cut in every way that there is; each
 * piece is a block of memory of its own, so that a byte read beyond it is seen by the sanitizers.
 */
#include <support.h>

#include <pawl/framing.h>
#include <string.h>

enum { ROOM = 8 };

static char buffer[ROOM];

static void tell(struct trace *out, struct pawl_frame frame)
{
    if (frame.error != 0) trace(out, "<%s>", frame.error == PAWL_ELIMIT ? "limit" : frame.error == PAWL_EEOF ? "eof" : "?");
    else trace(out, "[%.*s]", (int)frame.size, frame.data);
    if (frame.error != 0) ck_assert_ptr_null(frame.data);
}

static void send_piece(struct pawl_framing *framing, struct trace *out, const char *data, size_t size)
{
    char *const piece = malloc(size > 0 ? size : 1);
    if (size > 0) memcpy(piece, data, size);
    FOREACH_FRAME(frame, framing, piece, size) tell(out, frame);
    free(piece);
}

/* A piece ends behind byte i when bit i of `cuts` is set. */
static void send_cut(struct pawl_framing framing, struct trace *out, const char *input, size_t size, unsigned cuts)
{
    out->length = 0;
    out->text[0] = '\0';
    for (size_t begin = 0, end = 1; end <= size; end++) {
        if (end < size && !(cuts & 1u << (end - 1))) continue;
        send_piece(&framing, out, input + begin, end - begin);
        begin = end;
    }
    trace(out, "|");
    send_piece(&framing, out, NULL, 0);
    ck_assert(!gen_next(&framing)); /* the end is the end */
    ck_assert(gen_done(&framing));
}

static void check_every_cut(struct pawl_framing framing, const char *input, size_t size, const char *expected)
{
    struct trace out;
    ck_assert_uint_le(size, 16);
    for (unsigned cuts = 0; cuts < 1u << (size > 0 ? size - 1 : 0); cuts++) {
        send_cut(framing, &out, input, size, cuts);
        if (strcmp(out.text, expected) != 0) ck_abort_msg("cuts %x: %s, expected %s", cuts, out.text, expected);
    }
}

static void check_lines(size_t room, const char *input, const char *expected)
{
    check_every_cut(pawl_line_framing(buffer, room), input, strlen(input), expected);
}

#define check_messages(how, room, input, expected) \
    check_every_cut(pawl_length_framing(buffer, (room), (how)), (input), sizeof(input) - 1, (expected))

/* ---- Lines ---- */

START_TEST(lines_come_out_whole_however_they_were_cut)
{
    check_lines(ROOM, "hello\nworld\n", "[hello][world]|");
    check_lines(ROOM, "a\nb\nc\nd\n", "[a][b][c][d]|");
    check_lines(ROOM, "\n\nx\n\n", "[][][x][]|");
}
END_TEST

START_TEST(what_is_left_at_the_end_is_a_line)
{
    check_lines(ROOM, "one\ntwo", "[one]|[two]");
    check_lines(ROOM, "one\n", "[one]|");
    check_lines(ROOM, "x", "|[x]");
    check_lines(ROOM, "", "|");
}
END_TEST

START_TEST(a_return_before_the_newline_is_taken_off)
{
    check_lines(ROOM, "ab\r\ncd\r\n\r\n", "[ab][cd][]|");
    check_lines(ROOM, "a\rb\n\r\r\n", "[a\rb][\r]|");
    check_lines(ROOM, "a\nb\r", "[a]|[b\r]");
}
END_TEST

START_TEST(a_line_that_fits_exactly_comes_and_one_longer_is_told_and_passed_over)
{
    check_lines(4, "abcd\nabcde\nok\n", "[abcd]<limit>[ok]|");
    check_lines(4, "abcdefghijk\nabcd", "<limit>|[abcd]");
    check_lines(4, "abc\r\nabcd\r\nx", "[abc]<limit>|[x]"); /* the return counts */
    check_lines(1, "a\nbb\n\nc\n", "[a]<limit>[][c]|");
    check_lines(0, "\nx\n\n", "[]<limit>[]|");
}
END_TEST

START_TEST(a_long_line_that_the_input_ends_in_was_told_already)
{
    check_lines(3, "ok\nabcdefgh", "[ok]<limit>|");
    check_lines(3, "abcd", "<limit>|");
    check_lines(3, "abc", "|[abc]");
}
END_TEST

START_TEST(each_of_two_long_lines_is_told)
{
    check_lines(2, "abc\ndef\ng\n", "<limit><limit>[g]|");
    check_lines(2, "abcdef\n\nghi\n", "<limit>[]<limit>|");
}
END_TEST

START_TEST(bytes_of_any_value_stand_in_a_line)
{
    const char input[] = "a\0b\n\xff\x80\n";
    for (unsigned cuts = 0; cuts < 1u << (sizeof input - 2); cuts++) {
        struct pawl_framing lines = pawl_line_framing(buffer, ROOM);
        size_t count = 0;
        for (size_t begin = 0, end = 1; end <= sizeof input - 1; end++) {
            if (end < sizeof input - 1 && !(cuts & 1u << (end - 1))) continue;
            FOREACH_FRAME(line, &lines, input + begin, end - begin) {
                ck_assert_uint_eq(line.size, count == 0 ? 3 : 2);
                ck_assert_mem_eq(line.data, count == 0 ? "a\0b" : "\xff\x80", line.size);
                count++;
            }
            begin = end;
        }
        ck_assert_uint_eq(count, 2);
    }
}
END_TEST

/* ---- Messages ---- */

START_TEST(messages_come_out_whole_however_they_were_cut)
{
    check_messages(PAWL_LENGTH_BYTE, ROOM, "\3abc\1d\2ef", "[abc][d][ef]|");
    check_messages(PAWL_LENGTH_16_BIG, ROOM, "\0\3abc\0\1d", "[abc][d]|");
    check_messages(PAWL_LENGTH_16_LITTLE, ROOM, "\3\0abc\1\0d", "[abc][d]|");
    check_messages(PAWL_LENGTH_32_BIG, ROOM, "\0\0\0\3abc\0\0\0\1d", "[abc][d]|");
    check_messages(PAWL_LENGTH_32_LITTLE, ROOM, "\3\0\0\0abc\1\0\0\0d", "[abc][d]|");
}
END_TEST

START_TEST(an_empty_message_is_a_message)
{
    check_messages(PAWL_LENGTH_BYTE, ROOM, "\0\0\1x\0", "[][][x][]|");
    check_messages(PAWL_LENGTH_16_BIG, 0, "\0\0\0\0", "[][]|");
    check_messages(PAWL_LENGTH_32_LITTLE, ROOM, "\0\0\0\0\1\0\0\0x", "[][x]|");
}
END_TEST

START_TEST(a_message_that_fits_exactly_comes_and_one_longer_is_told_and_passed_over)
{
    check_messages(PAWL_LENGTH_BYTE, 3, "\3abc\4abcd\2ok", "[abc]<limit>[ok]|");
    check_messages(PAWL_LENGTH_BYTE, 3, "\4\2\2\2\2\1x", "<limit>[x]|"); /* what is in it is no length */
    check_messages(PAWL_LENGTH_16_BIG, 3, "\0\4abcd\0\5abcde", "<limit><limit>|");
    check_messages(PAWL_LENGTH_32_LITTLE, 1, "\5\0\0\0abcde\1\0\0\0x", "<limit>[x]|");
    check_messages(PAWL_LENGTH_BYTE, 0, "\1x\0\1y\0", "<limit>[]<limit>[]|");
}
END_TEST

START_TEST(an_input_that_ends_within_a_message_is_cut_off)
{
    check_messages(PAWL_LENGTH_BYTE, ROOM, "\1x\3ab", "[x]|<eof>");
    check_messages(PAWL_LENGTH_BYTE, ROOM, "\1x\3", "[x]|<eof>");
    check_messages(PAWL_LENGTH_16_BIG, ROOM, "\0\1x\0", "[x]|<eof>");
    check_messages(PAWL_LENGTH_32_BIG, ROOM, "\0\0\0", "|<eof>");
    check_messages(PAWL_LENGTH_BYTE, 2, "\5abc", "<limit>|<eof>");
    check_messages(PAWL_LENGTH_BYTE, ROOM, "", "|");
}
END_TEST

START_TEST(the_longest_length_is_told_and_nothing_of_it_kept)
{
    check_messages(PAWL_LENGTH_32_BIG, ROOM, "\xff\xff\xff\xff xyz", "<limit>|<eof>");
    check_messages(PAWL_LENGTH_16_LITTLE, ROOM, "\xff\xff xyz", "<limit>|<eof>");
}
END_TEST

/* Random cuts of an input that is too long for all of them. */
START_TEST(a_long_input_gives_the_same_however_it_was_cut)
{
    static char input[600], big[64];
    struct trace whole, out;
    uint32_t seed = 1;
    size_t size = 0;
    for (unsigned i = 0; size + 64 < sizeof input; i++) {
        const size_t length = i * 7 % 50;
        input[size++] = (char)length;
        for (size_t k = 0; k < length; k++) input[size++] = (char)('a' + (i + k) % 26);
    }
    for (int round = 0; round < 200; round++) {
        struct pawl_framing framing = pawl_length_framing(big, 40, PAWL_LENGTH_BYTE);
        struct trace *const to = round == 0 ? &whole : &out;
        memset(to, 0, sizeof *to);
        for (size_t at = 0, step; at < size; at += step) {
            seed = seed * 1664525u + 1013904223u;
            step = round == 0 ? size : 1 + (seed >> 16) % 90;
            if (step > size - at) step = size - at;
            send_piece(&framing, to, input + at, step);
        }
        if (round > 0) ck_assert_str_eq(out.text, whole.text);
    }
    ck_assert_ptr_nonnull(strstr(whole.text, "<limit>"));
}
END_TEST

/* ---- Where a frame is ---- */

START_TEST(a_frame_within_one_piece_is_not_copied)
{
    const char lines[] = "one\ntwo\nthr", messages[] = "\3one\3two\3th";
    struct pawl_framing framing = pawl_line_framing(buffer, ROOM);
    ck_assert_ptr_eq(pawl_framing_send(&framing, lines, 11).data, lines);
    ck_assert_ptr_eq(pawl_framing_next(&framing).data, lines + 4);
    ck_assert(!pawl_is_frame(pawl_framing_next(&framing)));
    ck_assert_ptr_eq(pawl_framing_send(&framing, "ee\n", 3).data, buffer);
    ck_assert_mem_eq(buffer, "three", 5);

    framing = pawl_length_framing(buffer, ROOM, PAWL_LENGTH_BYTE);
    ck_assert_ptr_eq(pawl_framing_send(&framing, messages, 11).data, messages + 1);
    ck_assert_ptr_eq(pawl_framing_next(&framing).data, messages + 5);
    ck_assert(!pawl_is_frame(pawl_framing_next(&framing)));
    ck_assert_ptr_eq(pawl_framing_send(&framing, "r\0", 2).data, buffer);
    ck_assert_mem_eq(buffer, "thr", 3);
    const struct pawl_frame empty = pawl_framing_next(&framing);
    ck_assert_ptr_nonnull(empty.data);
    ck_assert_uint_eq(empty.size, 0);
}
END_TEST

/* ---- The protocol ---- */

START_TEST(as_a_plain_generator_it_is_sent_pieces_and_asked_for_more)
{
    const struct pawl_bytes hel = { "hel", 3 }, rest = { "lo\nworld\n", 9 }, end = { "", 0 };
    struct pawl_framing lines = pawl_line_framing(buffer, ROOM);
    ck_assert(gen_next(&lines)); /* to where it wants input */
    ck_assert(!pawl_is_frame(lines.value));
    ck_assert(gen_send(&lines, hel) && !pawl_is_frame(lines.value));
    ck_assert(gen_next(&lines) && !pawl_is_frame(lines.value)); /* nothing sent: nothing new */
    ck_assert(gen_send(&lines, rest));
    ck_assert_mem_eq(lines.value.data, "hello", lines.value.size);
    ck_assert(gen_next(&lines));
    ck_assert_mem_eq(lines.value.data, "world", lines.value.size);
    ck_assert(gen_next(&lines) && !pawl_is_frame(lines.value));
    ck_assert(!gen_send(&lines, end));
    ck_assert_int_eq(gen_error(&lines), 0);
    ck_assert(!pawl_is_frame(pawl_framing_send(&lines, "x\n", 2)));
    ck_assert_int_eq(gen_error(&lines), PAWL_EENDED);
}
END_TEST

START_TEST(the_last_line_comes_as_the_end_is_sent)
{
    struct pawl_framing lines = pawl_line_framing(buffer, ROOM);
    ck_assert(!pawl_is_frame(pawl_framing_send(&lines, "las", 3)));
    ck_assert(!pawl_is_frame(pawl_framing_send(&lines, "t", 1)));
    const struct pawl_frame last = pawl_framing_send(&lines, NULL, 0);
    ck_assert_uint_eq(last.size, 4);
    ck_assert_mem_eq(last.data, "last", 4);
    ck_assert(!pawl_is_frame(pawl_framing_next(&lines)));
    ck_assert(gen_done(&lines));
}
END_TEST

START_TEST(a_loop_that_was_left_early_can_be_gone_on_with)
{
    struct pawl_framing lines = pawl_line_framing(buffer, ROOM);
    struct trace out = { .length = 0 };
    FOREACH_FRAME(line, &lines, "a\nb\nc\n", 6) {
        tell(&out, line);
        break;
    }
    for (struct pawl_frame line; pawl_is_frame(line = pawl_framing_next(&lines));) tell(&out, line);
    FOREACH_FRAME(line, &lines, "d\n", 2) {
        if (line.size == 1) continue;
        ck_abort();
    }
    ck_assert_trace(&out, "[a][b][c]");
}
END_TEST

START_TEST(a_piece_before_the_last_one_is_used_up_is_refused)
{
    struct pawl_framing lines = pawl_line_framing(buffer, ROOM);
    ck_assert(pawl_is_frame(pawl_framing_send(&lines, "a\nb\n", 4)));
    ck_assert(!pawl_is_frame(pawl_framing_send(&lines, "c\n", 2)));
    ck_assert_int_eq(gen_error(&lines), PAWL_EBUSY);

    lines = pawl_line_framing(buffer, ROOM);
    ck_assert(pawl_is_frame(pawl_framing_send(&lines, "a\nb\n", 4)));
    ck_assert(!pawl_is_frame(pawl_framing_send(&lines, NULL, 0))); /* the end too */
    ck_assert_int_eq(gen_error(&lines), PAWL_EBUSY);
}
END_TEST

START_TEST(what_cannot_be_a_framing_ends_with_EINVAL)
{
    struct pawl_framing framings[] = { pawl_line_framing(NULL, 5), pawl_length_framing(buffer, ROOM, (enum pawl_length)0),
                                       pawl_length_framing(buffer, ROOM, (enum pawl_length)3),
                                       pawl_length_framing(buffer, ROOM, (enum pawl_length)9),
                                       pawl_length_framing(NULL, 1, PAWL_LENGTH_BYTE) };
    for (size_t i = 0; i < sizeof framings / sizeof *framings; i++) {
        ck_assert(!pawl_is_frame(pawl_framing_send(&framings[i], "x\n", 2)));
        ck_assert_int_eq(gen_error(&framings[i]), PAWL_EINVAL);
    }
    struct pawl_framing lines = pawl_line_framing(buffer, ROOM);
    ck_assert(!pawl_is_frame(pawl_framing_send(&lines, NULL, 5)));
    ck_assert_int_eq(gen_error(&lines), PAWL_EINVAL);
    check_every_cut(pawl_length_framing(NULL, 0, PAWL_LENGTH_BYTE), "\0\0", 2, "[][]|");
}
END_TEST

START_TEST(a_framing_is_closed_and_thrown_into_like_any_generator)
{
    struct pawl_framing lines = pawl_line_framing(buffer, ROOM);
    pawl_framing_send(&lines, "a\nb", 3);
    ck_assert_int_eq(gen_close(&lines), 0);
    ck_assert(!pawl_is_frame(pawl_framing_next(&lines)));
    lines = pawl_line_framing(buffer, ROOM);
    pawl_framing_send(&lines, "a\nb", 3);
    ck_assert(!gen_throw(&lines, -5));
    ck_assert_int_eq(gen_error(&lines), -5);
}
END_TEST

/* ---- Lengths ---- */

START_TEST(a_length_is_written_and_read_in_its_order)
{
    static const struct {
        enum pawl_length how;
        size_t size;
        const char *bytes;
        int count;
    } cases[] = { { PAWL_LENGTH_BYTE, 0xfe, "\xfe", 1 },
                  { PAWL_LENGTH_16_BIG, 0x0102, "\1\2", 2 },
                  { PAWL_LENGTH_16_LITTLE, 0x0102, "\2\1", 2 },
                  { PAWL_LENGTH_32_BIG, 0x01020384, "\1\2\3\x84", 4 },
                  { PAWL_LENGTH_32_LITTLE, 0x01020384, "\x84\3\2\1", 4 },
                  { PAWL_LENGTH_32_BIG, 0xffffffff, "\xff\xff\xff\xff", 4 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[5] = "....";
        ck_assert_int_eq(pawl_length_encode(cases[i].how, head, cases[i].size), cases[i].count);
        ck_assert_mem_eq(head, cases[i].bytes, (size_t)cases[i].count);
        if (cases[i].count < 4) ck_assert_int_eq(head[cases[i].count], '.');
        ck_assert_uint_eq(pawl_length_decode(cases[i].how, head), cases[i].size);
        ck_assert_uint_eq(pawl_length_size(cases[i].how), (size_t)cases[i].count);
    }
}
END_TEST

START_TEST(a_length_that_does_not_fit_is_ELIMIT)
{
    char head[4];
    ck_assert_int_eq(pawl_length_encode(PAWL_LENGTH_BYTE, head, 255), 1);
    ck_assert_int_eq(pawl_length_encode(PAWL_LENGTH_BYTE, head, 256), PAWL_ELIMIT);
    ck_assert_int_eq(pawl_length_encode(PAWL_LENGTH_16_BIG, head, 65535), 2);
    ck_assert_int_eq(pawl_length_encode(PAWL_LENGTH_16_LITTLE, head, 65536), PAWL_ELIMIT);
#if SIZE_MAX > UINT32_MAX
    ck_assert_int_eq(pawl_length_encode(PAWL_LENGTH_32_BIG, head, (size_t)UINT32_MAX + 1), PAWL_ELIMIT);
#endif
    ck_assert_int_eq(pawl_length_encode((enum pawl_length)0, head, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_length_encode(PAWL_LENGTH_BYTE, NULL, 1), PAWL_EINVAL);
    ck_assert_uint_eq(pawl_length_decode((enum pawl_length)5, head), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("framing");
    TCase *const lines = add_case(suite, "lines"), *const messages = add_case(suite, "messages"), *const steps = add_case(suite, "steps");
    tcase_add_test(lines, lines_come_out_whole_however_they_were_cut);
    tcase_add_test(lines, what_is_left_at_the_end_is_a_line);
    tcase_add_test(lines, a_return_before_the_newline_is_taken_off);
    tcase_add_test(lines, a_line_that_fits_exactly_comes_and_one_longer_is_told_and_passed_over);
    tcase_add_test(lines, a_long_line_that_the_input_ends_in_was_told_already);
    tcase_add_test(lines, each_of_two_long_lines_is_told);
    tcase_add_test(lines, bytes_of_any_value_stand_in_a_line);
    tcase_add_test(messages, messages_come_out_whole_however_they_were_cut);
    tcase_add_test(messages, an_empty_message_is_a_message);
    tcase_add_test(messages, a_message_that_fits_exactly_comes_and_one_longer_is_told_and_passed_over);
    tcase_add_test(messages, an_input_that_ends_within_a_message_is_cut_off);
    tcase_add_test(messages, the_longest_length_is_told_and_nothing_of_it_kept);
    tcase_add_test(messages, a_long_input_gives_the_same_however_it_was_cut);
    tcase_add_test(messages, a_length_is_written_and_read_in_its_order);
    tcase_add_test(messages, a_length_that_does_not_fit_is_ELIMIT);
    tcase_add_test(steps, a_frame_within_one_piece_is_not_copied);
    tcase_add_test(steps, as_a_plain_generator_it_is_sent_pieces_and_asked_for_more);
    tcase_add_test(steps, the_last_line_comes_as_the_end_is_sent);
    tcase_add_test(steps, a_loop_that_was_left_early_can_be_gone_on_with);
    tcase_add_test(steps, a_piece_before_the_last_one_is_used_up_is_refused);
    tcase_add_test(steps, what_cannot_be_a_framing_ends_with_EINVAL);
    tcase_add_test(steps, a_framing_is_closed_and_thrown_into_like_any_generator);
    return suite;
}
