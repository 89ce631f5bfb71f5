/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Writing to streams: when the bytes leave, in how many system calls, what waits for them, and what becomes of an error. The executable
 * defines the calls that send, and is linked with the static library, so that they are counted here and can be made to take less,
 * nothing, or fail.
 */
#define _GNU_SOURCE
#include "stream_world.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/uio.h>

static struct {
    int calls;
    size_t most; /* a call takes no more than this; 0: no limit */
    int fail;    /* with this error, if not 0 */
} sending;

#define REAL(name, ...) \
    __extension__ ({ \
        static __typeof__(name) *real_; \
        if (real_ == NULL) *(void **)&real_ = dlsym(RTLD_NEXT, #name); \
        real_(__VA_ARGS__); \
    })

static bool sending_fails(void)
{
    sending.calls++;
    errno = sending.fail;
    return sending.fail != 0;
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    if (sending_fails()) return -1;
    return REAL(send, fd, data, sending.most > 0 && size > sending.most ? sending.most : size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (sending_fails()) return -1;
    return REAL(sendmsg, fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (sending_fails()) return -1;
    return REAL(writev, fd, parts, count);
}

/* The peer's side is raw and sends with write, which is not counted. */
static void peer_says(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int begin(struct net *net, struct pawl_stream *stream)
{
    memset(&sending, 0, sizeof sending);
    memset(stream, 0, sizeof *stream);
    net_begin(net);
    return net_stream(stream);
}

static void end(struct net *net, struct pawl_stream *stream, int peer)
{
    pawl_stream_abort(stream);
    if (peer >= 0) close(peer);
    net_end(net);
}

static void iterate(struct net *net)
{
    ck_assert_int_eq(pawl_loop_run_once(&net->loop, false), 0);
}

/* ---- When it leaves ---- */

START_TEST(several_writes_are_one_system_call_at_the_end_of_the_iteration)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    for (int i = 0; i < 10; i++) ck_assert_int_eq(pawl_stream_printf(&stream, "%d", i), 0);
    ck_assert_int_eq(sending.calls, 0);
    ck_assert_uint_eq(pawl_stream_unsent(&stream), 10);
    iterate(&net);
    ck_assert_int_eq(sending.calls, 1);
    ck_assert_uint_eq(pawl_stream_unsent(&stream), 0);
    raw_expect(peer, "0123456789");
    iterate(&net);
    ck_assert_int_eq(sending.calls, 1);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(drain_sends_at_once)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "now"), 0);
    struct pawl_task *const task = pawl_spawn_eager(pawl_stream_drain(&stream));
    ck_assert(pawl_future_done(task)); /* and does not wait below the mark */
    ck_assert_int_eq(sending.calls, 1);
    raw_expect(peer, "now");
    iterate(&net); /* nothing is left for later */
    ck_assert_int_eq(sending.calls, 1);
    ck_assert_int_eq(net_finish(&net, task), 0);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_reader_that_has_to_wait_sends_first)
{
    struct net net;
    struct pawl_stream stream;
    struct pawl_stream_piece line;
    const int peer = begin(&net, &stream);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "question"), 0);
    struct pawl_task *const reader = pawl_spawn_eager(pawl_stream_read_line(&stream));
    ck_assert_int_eq(sending.calls, 1);
    raw_expect(peer, "question");
    peer_says(peer, "answer\nanother\n");
    ck_assert_int_eq(net_finish_piece(&net, reader, &line), 0);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "thanks"), 0);
    struct pawl_task *const again = pawl_spawn_eager(pawl_stream_read_line(&stream));
    ck_assert_int_eq(sending.calls, 1); /* a line was there: nothing to wait for */
    ck_assert_int_eq(net_finish(&net, again), 0);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_lot_that_has_gathered_is_sent)
{
    struct net net;
    struct pawl_stream stream;
    static char data[8 * 1024], taken[128 * 1024];
    const int peer = begin(&net, &stream);
    const int size = 1 << 20;
    setsockopt(stream.sock.watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    int writes = 0;
    for (; sending.calls == 0 && writes < 20; writes++) ck_assert_int_eq(pawl_stream_write(&stream, data, sizeof data), 0);
    ck_assert_int_eq(writes, 8); /* 64 KiB */
    ck_assert_uint_gt(raw_take(peer, taken, sizeof taken), 0);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_large_write_is_sent_without_being_copied)
{
    struct net net;
    struct pawl_stream stream;
    static char data[16 * 1024], taken[32 * 1024];
    const int peer = begin(&net, &stream);
    const size_t before = net.memory.calls;
    ck_assert_int_eq(pawl_stream_write(&stream, data, sizeof data), 0);
    ck_assert_int_eq(sending.calls, 1);
    ck_assert_uint_eq(net.memory.calls, before);
    ck_assert_uint_eq(raw_take(peer, taken, sizeof taken), sizeof data);
    ck_assert_int_eq(pawl_stream_write(&stream, data, sizeof data - 1), 0); /* one byte less is not that large */
    ck_assert_int_eq(sending.calls, 1);
    iterate(&net);
    ck_assert_uint_eq(raw_take(peer, taken, sizeof taken), sizeof data - 1);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_large_write_stays_behind_a_small_one)
{
    struct net net;
    struct pawl_stream stream;
    static char data[20 * 1024], taken[32 * 1024];
    const int peer = begin(&net, &stream);
    memset(data, 'x', sizeof data);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "first"), 0);
    ck_assert_int_eq(pawl_stream_write(&stream, data, sizeof data), 0);
    iterate(&net);
    ck_assert_uint_eq(raw_take(peer, taken, sizeof taken), 5 + sizeof data);
    ck_assert_mem_eq(taken, "firstx", 6);
    end(&net, &stream, peer);
}
END_TEST

/* What the system takes of it in parts, and not all at once, arrives whole and in order. */
START_TEST(much_arrives_whole_and_in_order)
{
    enum { SIZE = 1 << 20 };
    char *const sent = malloc(SIZE), *const came = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) sent[i] = (char)(i * 31 % 253);
    for (int large = 0; large < 2; large++) {
        struct net net;
        struct pawl_stream stream;
        size_t total = 0;
        const int peer = begin(&net, &stream);
        sending.most = 5000;
        for (size_t at = 0, step = large ? SIZE : 777; at < SIZE; at += step)
            ck_assert_int_eq(pawl_stream_write(&stream, sent + at, at + step > SIZE ? SIZE - at : step), 0);
        struct pawl_task *const flush = pawl_spawn(pawl_stream_flush(&stream));
        while (total < SIZE) {
            iterate(&net);
            total += raw_take(peer, came + total, SIZE - total);
        }
        ck_assert_int_eq(net_finish(&net, flush), 0);
        ck_assert_int_eq(memcmp(sent, came, SIZE), 0);
        ck_assert_ptr_null(stream.out.data); /* nothing in it, no buffer */
        end(&net, &stream, peer);
    }
    free(sent);
    free(came);
}
END_TEST

START_TEST(a_vector_arrives_in_order)
{
    struct net net;
    struct pawl_stream stream;
    struct iovec parts[] = { { (char *)(uintptr_t) "one ", 4 }, { NULL, 0 }, { (char *)(uintptr_t) "two", 3 } };
    const int peer = begin(&net, &stream);
    ck_assert_int_eq(pawl_stream_write_vector(&stream, parts, 3), 0);
    iterate(&net);
    ck_assert_int_eq(sending.calls, 1);
    raw_expect(peer, "one two");
    end(&net, &stream, peer);
}
END_TEST

/* ---- Back-pressure ---- */

/* Fills the stream so that `more` bytes at least are left unsent. */
static void fill_up(struct pawl_stream *stream, size_t more)
{
    static char data[32 * 1024];
    while (pawl_stream_unsent(stream) < more) ck_assert_int_eq(pawl_stream_write(stream, data, sizeof data), 0);
}

static void empty_out(struct net *net, int peer, struct pawl_task *until)
{
    static char taken[256 * 1024];
    for (int i = 0; i < 100000 && !pawl_future_done(until); i++) {
        raw_take(peer, taken, sizeof taken);
        iterate(net);
    }
    ck_assert(pawl_future_done(until));
}

START_TEST(drain_waits_from_the_high_mark_to_the_low_one)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    shrink_buffer(stream.sock.watch.fd, SO_SNDBUF); /* so that it goes in small steps */
    ck_assert_int_eq(pawl_stream_set_water(&stream, 100 * 1024, 30 * 1024), 0);
    fill_up(&stream, 101 * 1024);
    struct pawl_task *const drain = pawl_spawn(pawl_stream_drain(&stream));
    net_settle(&net);
    ck_assert(!pawl_future_done(drain));
    empty_out(&net, peer, drain);
    ck_assert_uint_le(pawl_stream_unsent(&stream), 30 * 1024);
    ck_assert_int_eq(net_finish(&net, drain), 0);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(several_drain_and_flush_at_the_same_time)
{
    struct net net;
    struct pawl_stream stream;
    struct pawl_task *drains[4];
    const int peer = begin(&net, &stream);
    fill_up(&stream, 200 * 1024);
    for (int i = 0; i < 3; i++) drains[i] = pawl_spawn(pawl_stream_drain(&stream));
    drains[3] = pawl_spawn(pawl_stream_flush(&stream));
    net_settle(&net);
    for (int i = 0; i < 4; i++) ck_assert(!pawl_future_done(drains[i]));
    pawl_task_cancel(drains[1]);
    ck_assert_int_eq(net_finish(&net, drains[1]), PAWL_ECANCELLED);
    empty_out(&net, peer, drains[0]);
    iterate(&net);
    ck_assert(pawl_future_done(drains[2]));
    empty_out(&net, peer, drains[3]);
    ck_assert_uint_eq(pawl_stream_unsent(&stream), 0);
    ck_assert_int_eq(net_finish(&net, drains[0]), 0);
    ck_assert_int_eq(net_finish(&net, drains[2]), 0);
    ck_assert_int_eq(net_finish(&net, drains[3]), 0);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_stream_with_no_marks_waits_for_everything)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    ck_assert_int_eq(pawl_stream_set_water(&stream, 0, 0), 0);
    sending.fail = EAGAIN;
    ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), 0);
    struct pawl_task *const drain = pawl_spawn_eager(pawl_stream_drain(&stream));
    ck_assert(!pawl_future_done(drain));
    sending.fail = 0;
    const int sndbuf = 1 << 16; /* an event as there would be one: it is writable */
    setsockopt(stream.sock.watch.fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
    stream.sock.watch.notify(&stream.sock.watch, PAWL_WATCH_WRITE);
    ck_assert_int_eq(net_finish(&net, drain), 0);
    raw_expect(peer, "x");
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_task_that_only_drains_gives_way_to_others)
{
    struct net net;
    struct pawl_stream stream;
    int at_once = 0;
    const int peer = begin(&net, &stream);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), 0);
        struct pawl_task *const task = pawl_spawn_eager(pawl_stream_drain(&stream));
        at_once += pawl_future_done(task);
        ck_assert_int_eq(net_finish(&net, task), 0);
    }
    ck_assert_int_lt(at_once, 100);
    ck_assert_int_gt(at_once, 50);
    end(&net, &stream, peer);
}
END_TEST

/* ---- Errors ---- */

START_TEST(an_error_in_the_background_is_told_by_the_next_write_and_drain)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    close(peer);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "into nothing"), 0);
    iterate(&net);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), -EPIPE);
    ck_assert_int_eq(pawl_stream_printf(&stream, "x"), -EPIPE);
    ck_assert_int_eq(pawl_stream_write_end(&stream), -EPIPE);
    ck_assert_int_eq(net_run(&net, pawl_stream_drain(&stream)), -EPIPE);
    ck_assert_int_eq(net_run(&net, pawl_stream_flush(&stream)), -EPIPE);
    ck_assert_uint_eq(pawl_stream_unsent(&stream), 0);
    net_expect_line(&net, &stream, ""); /* reading is another matter */
    ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), -EPIPE);
    ck_assert(!pawl_stream_is_open(&stream));
    end(&net, &stream, -1);
}
END_TEST

START_TEST(an_error_of_a_large_write_is_told_by_itself)
{
    struct net net;
    struct pawl_stream stream;
    static char data[20000];
    const int peer = begin(&net, &stream);
    sending.fail = ECONNRESET;
    ck_assert_int_eq(pawl_stream_write(&stream, data, sizeof data), -ECONNRESET);
    sending.fail = 0;
    ck_assert_int_eq(pawl_stream_write(&stream, data, sizeof data), -ECONNRESET); /* a part may be missing: nothing follows */
    ck_assert_int_eq(sending.calls, 1);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_broken_pipe_is_an_error_and_no_signal)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    int pipes[2];
    memset(&sending, 0, sizeof sending);
    net_begin(&net);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    ck_assert_int_eq(pawl_stream_adopt(&stream, pipes[1]), 0);
    close(pipes[0]);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), 0);
    ck_assert_int_eq(net_run(&net, pawl_stream_drain(&stream)), -EPIPE);
    end(&net, &stream, -1);
}
END_TEST

START_TEST(those_that_drain_are_told_the_error)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    fill_up(&stream, 100 * 1024);
    struct pawl_task *const drain = pawl_spawn(pawl_stream_drain(&stream)), *const flush = pawl_spawn(pawl_stream_flush(&stream));
    net_settle(&net);
    close(peer);
    ck_assert_int_eq(net_finish(&net, drain), -EPIPE);
    ck_assert_int_eq(net_finish(&net, flush), -EPIPE);
    ck_assert_ptr_null(stream.out.data);
    end(&net, &stream, -1);
}
END_TEST

/* Nothing but writes and drains, none of which has to wait. */
struct only_drains {
    COROUTINE(void);
    struct pawl_stream *stream;
    struct pawl_stream_drain drain;
};

ASYNC(only_drains)
{
    ASYNC_BEGIN(only_drains);
    for (;;) {
        pawl_stream_write_text(self->stream, "again\n");
        AWAIT(self->drain, pawl_stream_drain(self->stream));
    }
    ASYNC_END;
}

START_TEST(a_task_that_only_drains_meets_the_error)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    memset(&sending, 0, sizeof sending);
    net_begin(&net);
    const int peer = net_tcp_stream(&net, &stream);
    close(peer);
    const int error = net_run(&net, CORO(only_drains, .stream = &stream));
    ck_assert(error == -EPIPE || error == -ECONNRESET);
    end(&net, &stream, -1);
}
END_TEST

START_TEST(without_memory_nothing_is_written_and_the_stream_goes_on)
{
    struct net net;
    struct pawl_stream stream;
    struct iovec part = { (char *)(uintptr_t) "x", 1 };
    const int peer = begin(&net, &stream);
    net.memory.fail_at = net.memory.calls + 1;
    ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), PAWL_ENOMEM);
    net.memory.fail_at = net.memory.calls + 1;
    ck_assert_int_eq(pawl_stream_write_vector(&stream, &part, 1), PAWL_ENOMEM);
    net.memory.fail_at = net.memory.calls + 1;
    ck_assert_int_eq(pawl_stream_printf(&stream, "x"), PAWL_ENOMEM);
    net.memory.fail_at = net.memory.calls + 1;
    ck_assert_int_eq(pawl_stream_write_frame(&stream, PAWL_LENGTH_BYTE, "x", 1), PAWL_ENOMEM);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "whole"), 0);
    iterate(&net);
    raw_expect(peer, "whole");
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_part_that_has_gone_without_memory_for_the_rest_ends_the_writing)
{
    struct net net;
    struct pawl_stream stream;
    enum { SIZE = 4 << 20 };
    char *const data = calloc(1, SIZE);
    const int peer = begin(&net, &stream);
    net.memory.fail_at = net.memory.calls + 1;
    ck_assert_int_eq(pawl_stream_write(&stream, data, SIZE), PAWL_ENOMEM);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), PAWL_ENOMEM);
    ck_assert_int_eq(net_run(&net, pawl_stream_drain(&stream)), PAWL_ENOMEM);
    free(data);
    end(&net, &stream, peer);
}
END_TEST

/* ---- Half-closed ---- */

START_TEST(after_its_end_the_peer_sees_it_and_may_answer)
{
    struct net net;
    struct pawl_stream stream;
    char data[8];
    for (int tcp = 0; tcp < 2; tcp++) {
        int peer = begin(&net, &stream);
        if (tcp) {
            pawl_stream_abort(&stream);
            close(peer);
            peer = net_tcp_stream(&net, &stream);
        }
        ck_assert_int_eq(pawl_stream_write_text(&stream, "all"), 0);
        ck_assert_int_eq(pawl_stream_write_end(&stream), 0);
        raw_expect(peer, "all");
        ck_assert_int_eq(recv(peer, data, sizeof data, 0), 0);
        ck_assert_int_eq(pawl_stream_write_text(&stream, "more"), PAWL_ECLOSED);
        ck_assert_int_eq(pawl_stream_write_end(&stream), PAWL_ECLOSED);
        ck_assert_int_eq(net_run(&net, pawl_stream_drain(&stream)), 0);
        peer_says(peer, "answer\n");
        net_expect_line(&net, &stream, "answer\n");
        ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), 0);
        end(&net, &stream, peer);
    }
}
END_TEST

START_TEST(the_end_comes_behind_what_has_to_wait)
{
    enum { SIZE = 1 << 20 };
    struct net net;
    struct pawl_stream stream;
    char *const data = calloc(1, SIZE);
    size_t total = 0;
    const int peer = begin(&net, &stream);
    ck_assert_int_eq(pawl_stream_write(&stream, data, SIZE), 0);
    ck_assert_int_eq(pawl_stream_write_end(&stream), 0);
    ck_assert_uint_gt(pawl_stream_unsent(&stream), 0);
    ssize_t got;
    do {
        iterate(&net);
        got = recv(peer, data, SIZE, 0);
        ck_assert_int_ge(got, 0);
        total += (size_t)got;
    } while (got > 0);
    ck_assert_uint_eq(total, SIZE);
    free(data);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_pipe_cannot_be_half_closed_and_goes_on)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    char data[8];
    int pipes[2];
    memset(&sending, 0, sizeof sending);
    net_begin(&net);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    ck_assert_int_eq(pawl_stream_adopt(&stream, pipes[1]), 0);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "x"), 0);
    ck_assert_int_eq(pawl_stream_write_end(&stream), PAWL_ENOSYS);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "y"), 0);
    ck_assert_int_eq(net_run(&net, pawl_stream_wait_closed(&stream)), 0); /* so it ends */
    ck_assert_int_eq(read(pipes[0], data, sizeof data), 2);
    ck_assert_int_eq(read(pipes[0], data, sizeof data), 0);
    end(&net, &stream, pipes[0]);
}
END_TEST

START_TEST(the_other_side_may_end_first)
{
    struct net net;
    struct pawl_stream stream;
    const int peer = begin(&net, &stream);
    ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
    net_expect_line(&net, &stream, "");
    ck_assert(pawl_stream_at_end(&stream));
    ck_assert_int_eq(pawl_stream_write_text(&stream, "still"), 0);
    ck_assert_int_eq(net_run(&net, pawl_stream_flush(&stream)), 0);
    raw_expect(peer, "still");
    end(&net, &stream, peer);
}
END_TEST

/* ---- Files ---- */

static int make_file(size_t size)
{
    const int file = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_ge(file, 0);
    for (size_t i = 0; i < size; i++) ck_assert_int_eq(pwrite(file, &(char){ (char)('a' + i % 26) }, 1, (off_t)i), 1);
    return file;
}

START_TEST(a_file_is_sent_behind_what_was_written)
{
    struct net net;
    struct pawl_stream stream;
    const int file = make_file(30), peer = begin(&net, &stream);
    ck_assert_int_eq(pawl_stream_write_text(&stream, "head "), 0);
    struct pawl_task *const task = pawl_spawn(pawl_stream_sendfile(&stream, file, 2, 5));
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, task), 0);
    ck_assert_uint_eq(pawl_task_frame(pawl_stream_sendfile, task)->result, 5);
    pawl_task_release(task);
    struct pawl_task *const rest = pawl_spawn(pawl_stream_sendfile(&stream, file, 27, UINT64_MAX));
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, rest), 0);
    ck_assert_uint_eq(pawl_task_frame(pawl_stream_sendfile, rest)->result, 3);
    pawl_task_release(rest);
    ck_assert_int_eq(pawl_stream_write_text(&stream, " tail"), 0);
    iterate(&net);
    raw_expect(peer, "head cdefgbcd tail");
    close(file);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_file_is_refused_where_it_cannot_be_sent)
{
    struct net net;
    struct pawl_stream stream;
    const int file = make_file(3), peer = begin(&net, &stream);
    ck_assert_int_eq(net_run(&net, pawl_stream_sendfile(NULL, file, 0, 1)), PAWL_EINVAL);
    ck_assert_int_eq(net_run(&net, pawl_stream_sendfile(&stream, -1, 0, 1)), PAWL_EINVAL);
    ck_assert_int_eq(net_run(&net, pawl_stream_sendfile(&stream, file, -1, 1)), PAWL_EINVAL);
    pawl_stream_abort(&stream);
    ck_assert_int_eq(net_run(&net, pawl_stream_sendfile(&stream, file, 0, 1)), PAWL_ECLOSED);
    close(file);
    end(&net, &stream, peer);
}
END_TEST

START_TEST(a_file_that_is_being_sent_is_cancelled)
{
    struct net net;
    struct pawl_stream stream;
    const int file = make_file(10), peer = begin(&net, &stream);
    fill_up(&stream, 200 * 1024);
    struct pawl_task *const task = pawl_spawn(pawl_stream_sendfile(&stream, file, 0, 10));
    net_settle(&net);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    struct pawl_task *const flush = pawl_spawn(pawl_stream_flush(&stream)); /* and the rest goes on */
    empty_out(&net, peer, flush);
    ck_assert_int_eq(net_finish(&net, flush), 0);
    close(file);
    end(&net, &stream, peer);
}
END_TEST

/* One that the system tells of once only, and not by an event: the flush is the reader's own. */
START_TEST(a_reader_whose_own_flush_fails_is_told)
{
    struct net net;
    struct pawl_stream stream = { 0 };
    const int small = 4608;
    int fds[2];
    net_begin(&net);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    ck_assert_int_eq(pawl_stream_adopt(&stream, fds[0]), 0);
    static const char data[15000];
    for (int i = 0; i < 4; i++) ck_assert_int_eq(pawl_stream_write(&stream, data, sizeof data), 0);
    ck_assert_int_eq(net_run(&net, pawl_stream_read_line(&stream)), -EMSGSIZE);
    ck_assert_int_eq(net_run(&net, pawl_stream_read_line(&stream)), -EMSGSIZE);
    ck_assert_int_eq(pawl_stream_write(&stream, "x", 1), -EMSGSIZE);
    pawl_stream_abort(&stream);
    close(fds[1]);
    net_end(&net);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("stream_write");
    TCase *const leaving = add_case(suite, "when it leaves"), *const pressure = add_case(suite, "back-pressure");
    TCase *const errors = add_case(suite, "errors"), *const half = add_case(suite, "half-closed"), *const files = add_case(suite, "files");
    tcase_add_test(leaving, several_writes_are_one_system_call_at_the_end_of_the_iteration);
    tcase_add_test(leaving, drain_sends_at_once);
    tcase_add_test(leaving, a_reader_that_has_to_wait_sends_first);
    tcase_add_test(leaving, a_lot_that_has_gathered_is_sent);
    tcase_add_test(leaving, a_large_write_is_sent_without_being_copied);
    tcase_add_test(leaving, a_large_write_stays_behind_a_small_one);
    tcase_add_test(leaving, much_arrives_whole_and_in_order);
    tcase_add_test(leaving, a_vector_arrives_in_order);
    tcase_add_test(pressure, drain_waits_from_the_high_mark_to_the_low_one);
    tcase_add_test(pressure, several_drain_and_flush_at_the_same_time);
    tcase_add_test(pressure, a_stream_with_no_marks_waits_for_everything);
    tcase_add_test(pressure, a_task_that_only_drains_gives_way_to_others);
    tcase_add_test(errors, an_error_in_the_background_is_told_by_the_next_write_and_drain);
    tcase_add_test(errors, an_error_of_a_large_write_is_told_by_itself);
    tcase_add_test(errors, a_reader_whose_own_flush_fails_is_told);
    tcase_add_test(errors, a_broken_pipe_is_an_error_and_no_signal);
    tcase_add_test(errors, those_that_drain_are_told_the_error);
    tcase_add_test(errors, a_task_that_only_drains_meets_the_error);
    tcase_add_test(errors, without_memory_nothing_is_written_and_the_stream_goes_on);
    tcase_add_test(errors, a_part_that_has_gone_without_memory_for_the_rest_ends_the_writing);
    tcase_add_test(half, after_its_end_the_peer_sees_it_and_may_answer);
    tcase_add_test(half, the_end_comes_behind_what_has_to_wait);
    tcase_add_test(half, a_pipe_cannot_be_half_closed_and_goes_on);
    tcase_add_test(half, the_other_side_may_end_first);
    tcase_add_test(files, a_file_is_sent_behind_what_was_written);
    tcase_add_test(files, a_file_is_refused_where_it_cannot_be_sent);
    tcase_add_test(files, a_file_that_is_being_sent_is_cancelled);
    return suite;
}
