/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The end of a stream: what was written is still sent, or is lost at once; who waits is told; and a block around it closes it
 * whichever way it is left. Each test ends with no descriptor watched, none open and no memory held.
 */
#define _GNU_SOURCE
#include "stream_world.h"

enum { MUCH = 1 << 20 };
static char much[MUCH];

static int begin(struct net *net, struct pawl_stream *stream)
{
    memset(stream, 0, sizeof *stream);
    net_begin(net);
    return net_stream(stream);
}

static void write_much(struct pawl_stream *stream)
{
    ck_assert_int_eq(pawl_stream_write(stream, much, MUCH), 0);
    ck_assert_uint_gt(pawl_stream_unsent(stream), 0);
}

/* The peer takes all that comes, up to the end: how much. */
static size_t take_all(struct net *net, int peer)
{
    static char taken[MUCH];
    size_t total = 0;
    for (;;) {
        for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_loop_run_once(&net->loop, false), 0);
        const ssize_t got = recv(peer, taken, sizeof taken, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) continue;
        ck_assert_int_ge(got, 0);
        if (got == 0) return total;
        total += (size_t)got;
    }
}

static void end(struct net *net, int peer)
{
    if (peer >= 0) close(peer);
    net_end(net);
}

/* ---- close ---- */

START_TEST(with_nothing_to_send_it_is_closed_at_once)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    pawl_stream_close(&stream);
    ck_assert(!pawl_stream_is_open(&stream));
    ck_assert_int_eq(net_watched(&net), 0);
    ck_assert_uint_eq(take_all(&net, peer), 0);
    pawl_stream_close(&stream);
    pawl_stream_abort(&stream);
    ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), 0);
    end(&net, peer);
}
END_TEST

START_TEST(what_was_written_is_sent_first)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    pawl_stream_close(&stream);
    ck_assert(!pawl_stream_is_open(&stream));
    ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_stream_write_end(&stream), PAWL_ECLOSED);
    struct pawl_task *const closed = pawl_spawn(pawl_stream_wait_closed(&stream)), *const other = pawl_spawn(pawl_stream_wait_closed(&stream));
    net_settle(&net);
    ck_assert(!pawl_future_done(closed));
    ck_assert_int_eq(net_watched(&net), 1);
    ck_assert_uint_eq(take_all(&net, peer), MUCH);
    ck_assert_int_eq(net_finish(&net, closed), 0);
    ck_assert_int_eq(net_finish(&net, other), 0);
    end(&net, peer);
}
END_TEST

START_TEST(it_is_sent_though_nobody_waits)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "bye"), 0);
    pawl_stream_close(&stream);
    ck_assert_int_eq(net_watched(&net), 0); /* it went at once */
    raw_expect(peer, "bye");
    end(&net, peer);
}
END_TEST

START_TEST(wait_closed_closes_what_nobody_has_closed)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    struct pawl_task *const closed = pawl_spawn_eager(pawl_stream_wait_closed(&stream));
    ck_assert(!pawl_stream_is_open(&stream));
    ck_assert_uint_eq(take_all(&net, peer), MUCH);
    ck_assert_int_eq(net_finish(&net, closed), 0);
    end(&net, peer);
}
END_TEST

START_TEST(those_that_drain_what_is_closing_go_on_when_it_is_sent)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    struct pawl_task *const drain = pawl_spawn(pawl_stream_drain(&stream)), *const flush = pawl_spawn(pawl_stream_flush(&stream));
    net_settle(&net);
    pawl_stream_close(&stream);
    net_settle(&net);
    ck_assert(!pawl_future_done(drain));
    ck_assert_uint_eq(take_all(&net, peer), MUCH);
    ck_assert_int_eq(net_finish(&net, drain), 0);
    ck_assert_int_eq(net_finish(&net, flush), 0);
    end(&net, peer);
}
END_TEST

START_TEST(a_peer_that_goes_meanwhile_is_an_error_for_who_waits)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    struct pawl_task *const closed = pawl_spawn(pawl_stream_wait_closed(&stream));
    net_settle(&net);
    close(peer);
    ck_assert_int_eq(net_finish(&net, closed), -EPIPE);
    ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), -EPIPE); /* and whoever asks later */
    end(&net, -1);
}
END_TEST

START_TEST(a_wait_closed_that_is_cancelled_aborts_it)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    struct pawl_task *const closed = pawl_spawn(pawl_stream_wait_closed(&stream));
    net_settle(&net);
    pawl_task_cancel(closed);
    ck_assert_int_eq(net_finish(&net, closed), PAWL_ECANCELLED);
    ck_assert_int_eq(net_watched(&net), 0);
    ck_assert_uint_lt(take_all(&net, peer), MUCH); /* what was not sent is lost */
    end(&net, peer);
}
END_TEST

START_TEST(after_its_end_it_is_closed_too)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    ck_assert_int_eq(pawl_stream_write_end(&stream), 0);
    struct pawl_task *const closed = pawl_spawn(pawl_stream_wait_closed(&stream));
    ck_assert_uint_eq(take_all(&net, peer), MUCH);
    ck_assert_int_eq(net_finish(&net, closed), 0);
    end(&net, peer);
}
END_TEST

START_TEST(a_closed_one_is_opened_anew)
{
    struct net net;
    struct pawl_stream stream;
    int peer = begin(&net, &stream);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pawl_stream_set_limit(&stream, 10), 0);
        ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), 0);
        ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), 0);
        raw_expect(peer, "x");
        close(peer);
        peer = net_stream(&stream);
        ck_assert_uint_eq(stream.limit, PAWL_STREAM_LIMIT); /* nothing of it is the old one's */
    }
    pawl_stream_abort(&stream);
    end(&net, peer);
}
END_TEST

START_TEST(unread_input_does_not_keep_it_open)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    raw_send(peer, "a line\nand what nobody reads\n");
    net_expect_line(&net, &stream, "a line\n");
    ck_assert_uint_gt(pawl_stream_buffered(&stream), 0);
    ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), 0);
    ck_assert_uint_eq(pawl_stream_buffered(&stream), 0);
    end(&net, peer);
}
END_TEST

/* ---- abort ---- */

START_TEST(abort_ends_a_reader_and_those_that_drain)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_line(&stream));
    struct pawl_task *const drain = pawl_spawn(pawl_stream_drain(&stream)), *const flush = pawl_spawn(pawl_stream_flush(&stream));
    net_settle(&net);
    pawl_stream_abort(&stream);
    ck_assert_int_eq(net_watched(&net), 0);
    ck_assert_ptr_null(stream.out.data);
    ck_assert_int_eq(net_finish(&net, reader), PAWL_ECLOSED);
    ck_assert_int_eq(net_finish(&net, drain), PAWL_ECLOSED);
    ck_assert_int_eq(net_finish(&net, flush), PAWL_ECLOSED);
    ck_assert_uint_lt(take_all(&net, peer), MUCH);
    end(&net, peer);
}
END_TEST

START_TEST(abort_with_data_unsent_is_an_error_for_who_waits_for_the_close)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    struct pawl_task *const closed = pawl_spawn(pawl_stream_wait_closed(&stream));
    net_settle(&net);
    pawl_stream_abort(&stream);
    ck_assert_int_eq(net_finish(&net, closed), PAWL_ECLOSED);
    ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), PAWL_ECLOSED);
    end(&net, peer);
}
END_TEST

START_TEST(abort_with_nothing_unsent_lets_its_closer_end_well)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    pawl_stream_abort(&stream);
    ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), 0);
    end(&net, peer);
}
END_TEST

START_TEST(abort_between_the_event_and_the_reader_gives_it_ECLOSED)
{
    struct net net;
    struct pawl_stream stream;
    struct pawl_stream_piece piece;
    const int peer = begin(&net, &stream);
    struct pawl_task *const reader = pawl_spawn(pawl_stream_read_line(&stream));
    net_settle(&net);
    raw_send(peer, "x\n");
    ck_assert_int_eq(net.epoll.base.ops->wait(&net.epoll.base, PAWL_WAIT_NOT, 0), 0);
    pawl_stream_abort(&stream);
    ck_assert_int_eq(net_finish_piece(&net, reader, &piece), PAWL_ECLOSED);
    end(&net, peer);
}
END_TEST

/* ---- The block around it ---- */

enum way { TO_ITS_END, BY_ERROR, BY_RETURN, CLOSED_INSIDE, ABORTED_INSIDE, WAITS };

struct talks {
    COROUTINE(int);
    struct pawl_stream *stream;
    enum way way;
    bool behind;
    struct pawl_stream_closing closing;
    struct pawl_sleep sleep;
};

ASYNC(talks)
{
    ASYNC_BEGIN(talks);
    TRY {
        WITH(self->closing, pawl_stream_closing(self->stream)) {
            write_much(self->stream);
            if (self->way == BY_ERROR) RAISE(-EPROTO);
            if (self->way == BY_RETURN) ASYNC_RETURN(7);
            if (self->way == CLOSED_INSIDE) pawl_stream_close(self->stream);
            if (self->way == ABORTED_INSIDE) pawl_stream_abort(self->stream);
            if (self->way == WAITS) AWAIT(self->sleep, pawl_sleep(PAWL_FOREVER));
        } END_WITH;
        self->behind = true;
    } FINALLY {
        ck_assert(!pawl_stream_is_open(self->stream));
    } END_TRY;
    ASYNC_END;
}

static struct pawl_task *talk(struct net *net, struct pawl_stream *stream, enum way way)
{
    struct pawl_task *const task = pawl_spawn(CORO(talks, .stream = stream, .way = way));
    net_settle(net);
    return task;
}

START_TEST(however_the_block_is_left_what_was_written_is_sent)
{
    static const struct {
        enum way way;
        int error, result;
        bool behind;
    } ways[] = { { TO_ITS_END, 0, 0, true }, { BY_ERROR, -EPROTO, 0, false }, { BY_RETURN, 0, 7, false }, { CLOSED_INSIDE, 0, 0, true } };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct net net;
        struct pawl_stream stream;
        const int peer = begin(&net, &stream);
        struct pawl_task *const task = talk(&net, &stream, ways[i].way);
        ck_assert(!pawl_future_done(task)); /* it waits until all is sent */
        ck_assert(!pawl_stream_is_open(&stream));
        ck_assert_uint_eq(take_all(&net, peer), MUCH);
        ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, task), ways[i].error);
        ck_assert_int_eq(pawl_task_frame(talks, task)->result, ways[i].result);
        ck_assert_int_eq(pawl_task_frame(talks, task)->behind, ways[i].behind);
        pawl_task_release(task);
        end(&net, peer);
    }
}
END_TEST

START_TEST(a_block_whose_stream_was_aborted_ends_at_once)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    struct pawl_task *const task = talk(&net, &stream, ABORTED_INSIDE);
    ck_assert_int_eq(net_finish(&net, task), 0);
    end(&net, peer);
}
END_TEST

START_TEST(a_block_that_is_cancelled_aborts_it)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    struct pawl_task *const task = talk(&net, &stream, WAITS);
    ck_assert(pawl_stream_is_open(&stream));
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    ck_assert_int_eq(net_watched(&net), 0);
    ck_assert_uint_lt(take_all(&net, peer), MUCH);
    end(&net, peer);
}
END_TEST

START_TEST(a_block_that_is_cancelled_while_it_sends_the_rest_aborts_it)
{
    for (enum way way = TO_ITS_END; way <= CLOSED_INSIDE; way++) {
        struct net net;
        struct pawl_stream stream;
        const int peer = begin(&net, &stream);
        struct pawl_task *const task = talk(&net, &stream, way);
        ck_assert(!pawl_future_done(task));
        pawl_task_cancel(task);
        ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
        ck_assert_int_eq(net_watched(&net), 0);
        ck_assert_uint_lt(take_all(&net, peer), MUCH);
        end(&net, peer);
    }
}
END_TEST

START_TEST(a_block_whose_frame_is_closed_aborts_it)
{
    for (int i = 0; i < 2; i++) {
        struct net net;
        struct pawl_stream stream;
        const int peer = begin(&net, &stream);
        struct pawl_task *const task = talk(&net, &stream, i == 0 ? WAITS : TO_ITS_END);
        pawl_loop_use(NULL);
        pawl_loop_finish(&net.loop); /* closes the frames of all tasks */
        ck_assert(!pawl_stream_is_open(&stream));
        ck_assert_int_eq(net_watched(&net), 0);
        pawl_epoll_finish(&net.epoll);
        ck_assert_uint_eq(net.memory.alive, 0);
        close(peer);
        (void)task;
    }
}
END_TEST

START_TEST(what_could_not_be_sent_is_raised_behind_the_block)
{
    for (int i = 0; i < 2; i++) {
        struct net net;
        struct pawl_stream stream;
        const int peer = begin(&net, &stream);
        struct pawl_task *const task = talk(&net, &stream, i == 0 ? TO_ITS_END : BY_ERROR);
        close(peer);
        ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, task), i == 0 ? -EPIPE : -EPROTO); /* the block's own error comes first */
        pawl_task_release(task);
        end(&net, -1);
    }
}
END_TEST

START_TEST(a_block_around_nothing_is_EINVAL)
{
    struct net net;
    net_begin(&net);
    ck_assert_int_eq(net_run(&net, CORO(talks, .stream = NULL)), PAWL_EINVAL);
    net_end(&net);
}
END_TEST

START_TEST(who_waited_for_the_end_leaves_the_next_opening_alone)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    write_much(&stream);
    struct pawl_task *const closer = pawl_spawn(pawl_stream_wait_closed(&stream));
    net_settle(&net);
    pawl_stream_abort(&stream);
    pawl_task_cancel(closer);
    const int other = net_stream(&stream);
    ck_assert_int_eq(net_finish(&net, closer), PAWL_ECANCELLED);
    ck_assert(pawl_stream_is_open(&stream));
    pawl_stream_abort(&stream);
    close(other);
    end(&net, peer);
}
END_TEST

/* ---- Two streams at once, each the peer of the other ---- */

START_TEST(both_ends_of_a_pair_close_with_data_on_the_way)
{
    struct net net;
    struct pawl_stream a = { 0 }, b = { 0 };
    struct pawl_stream_piece piece;
    net_begin(&net);
    ck_assert_int_eq(pawl_stream_pair(&a, &b), 0);
    ck_assert_int_eq(pawl_stream_write_text(&a, "from a\n"), 0);
    ck_assert_int_eq(pawl_stream_write_text(&b, "from b\n"), 0);
    net_expect_line(&net, &b, "from a\n");
    pawl_stream_close(&a); /* with "from b" unread */
    ck_assert_int_eq(net_piece(&net, &piece, pawl_stream_read_line(&b)), -ECONNRESET); /* as Unix sockets have it */
    pawl_stream_close(&b);
    net_end(&net);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("stream_close");
    TCase *const closing = add_case(suite, "close"), *const aborting = add_case(suite, "abort"), *const block = add_case(suite, "the block");
    tcase_add_test(closing, with_nothing_to_send_it_is_closed_at_once);
    tcase_add_test(closing, what_was_written_is_sent_first);
    tcase_add_test(closing, it_is_sent_though_nobody_waits);
    tcase_add_test(closing, wait_closed_closes_what_nobody_has_closed);
    tcase_add_test(closing, those_that_drain_what_is_closing_go_on_when_it_is_sent);
    tcase_add_test(closing, a_peer_that_goes_meanwhile_is_an_error_for_who_waits);
    tcase_add_test(closing, a_wait_closed_that_is_cancelled_aborts_it);
    tcase_add_test(closing, after_its_end_it_is_closed_too);
    tcase_add_test(closing, a_closed_one_is_opened_anew);
    tcase_add_test(closing, unread_input_does_not_keep_it_open);
    tcase_add_test(closing, both_ends_of_a_pair_close_with_data_on_the_way);
    tcase_add_test(aborting, abort_ends_a_reader_and_those_that_drain);
    tcase_add_test(aborting, abort_with_data_unsent_is_an_error_for_who_waits_for_the_close);
    tcase_add_test(aborting, abort_with_nothing_unsent_lets_its_closer_end_well);
    tcase_add_test(aborting, abort_between_the_event_and_the_reader_gives_it_ECLOSED);
    tcase_add_test(aborting, who_waited_for_the_end_leaves_the_next_opening_alone);
    tcase_add_test(block, however_the_block_is_left_what_was_written_is_sent);
    tcase_add_test(block, a_block_whose_stream_was_aborted_ends_at_once);
    tcase_add_test(block, a_block_that_is_cancelled_aborts_it);
    tcase_add_test(block, a_block_that_is_cancelled_while_it_sends_the_rest_aborts_it);
    tcase_add_test(block, a_block_whose_frame_is_closed_aborts_it);
    tcase_add_test(block, what_could_not_be_sent_is_raised_behind_the_block);
    tcase_add_test(block, a_block_around_nothing_is_EINVAL);
    return suite;
}
