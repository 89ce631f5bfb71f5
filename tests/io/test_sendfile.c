/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Files to sockets: exactly the range that was asked for, whatever the file, and whatever the peer does meanwhile. */
#define _GNU_SOURCE
#include "socket_world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

enum { BIG = 6 << 20 };

/* An open file of that size, whose bytes are known by their place; it stands at its end. */
static int file_of(size_t size)
{
    const int file = memfd_create("pawl", MFD_CLOEXEC);
    unsigned char *const data = some_bytes(size);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, data, size), (ssize_t)size);
    free(data);
    return file;
}

/* All that comes until the end, on a thread of its own: a peer that is always fast. */
struct drain {
    pthread_t thread;
    int fd;
    size_t total;
    bool right;     /* are these bytes known by their place, from `first` on? */
    size_t first;
};

static void *drain_run(void *argument)
{
    struct drain *const drain = argument;
    static unsigned char buffer[256 * 1024];
    drain->right = true;
    for (ssize_t got; (got = read(drain->fd, buffer, sizeof buffer)) > 0; drain->total += (size_t)got)
        for (ssize_t i = 0; i < got && drain->right; i++) drain->right = buffer[i] == byte_at(drain->first + drain->total + (size_t)i);
    return NULL;
}

static void drain_begin(struct drain *drain, int fd, size_t first)
{
    *drain = (struct drain){ .fd = fd, .first = first };
    ck_assert_int_eq(pthread_create(&drain->thread, NULL, drain_run, drain), 0);
}

static void drain_end(struct drain *drain)
{
    pthread_join(drain->thread, NULL);
    close(drain->fd);
}

/* ---- Ranges ---- */

/* Sends that range of a file of `length` bytes: `expected` of them come. */
static void send_range(size_t length, int64_t offset, uint64_t size, size_t expected)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct drain drain;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock), file = file_of(length);
    drain_begin(&drain, peer, (size_t)offset);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, offset, size);
    ck_assert_int_eq(net_op(&net, &sendfile), 0);
    ck_assert_uint_eq(sendfile.result, expected);
    expect_idle(&sock);
    pawl_socket_close(&sock);
    drain_end(&drain);
    ck_assert_uint_eq(drain.total, expected);
    ck_assert(drain.right);
    ck_assert_int_eq(lseek(file, 0, SEEK_CUR), (off_t)length); /* it stands where it stood */
    close(file);
    net_end(&net);
}

START_TEST(the_range_that_was_asked_for_is_sent)
{
    send_range(1000, 0, 1000, 1000);
    send_range(1000, 0, 1, 1);
    send_range(1000, 17, 100, 100);
    send_range(1000, 999, 1, 1);
    send_range(100000, 4095, 8194, 8194);
}
END_TEST

START_TEST(without_a_size_it_goes_to_the_end)
{
    send_range(1000, 0, UINT64_MAX, 1000);
    send_range(1000, 990, UINT64_MAX, 10);
    send_range(1000, 1000, UINT64_MAX, 0);
    send_range(0, 0, UINT64_MAX, 0);
}
END_TEST

START_TEST(a_file_that_ends_before_ends_it_early)
{
    send_range(1000, 0, 2000, 1000);
    send_range(1000, 900, 101, 100);
    send_range(1000, 5000, 10, 0);
    send_range(1000, INT64_C(1) << 40, 10, 0);
    send_range(0, 0, 10, 0);
}
END_TEST

START_TEST(nothing_is_sent_when_nothing_is_asked_for)
{
    send_range(1000, 0, 0, 0);
    send_range(1000, 500, 0, 0);
}
END_TEST

START_TEST(what_is_larger_than_every_buffer_goes_in_shares)
{
    send_range(BIG, 0, UINT64_MAX, BIG);
    send_range(BIG, 12345, BIG - 54321, BIG - 54321);
    send_range(3 << 20, 0, 1 << 20, 1 << 20); /* a share exactly */
}
END_TEST

START_TEST(a_peer_that_reads_later_gets_all_of_it)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct drain drain;
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), file = file_of(BIG);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 0, BIG);
    struct pawl_task *const task = net_op_begin(&net, &sendfile);
    char byte;
    size_t got;
    ck_assert_int_eq(net_send(&net, &sock, "x", 1), PAWL_EBUSY); /* the writer's side is taken */
    ck_assert_int_eq(send(peer, "r", 1, 0), 1);                    /* the reader's is not */
    ck_assert_int_eq(net_recv(&net, &sock, &byte, 1, &got), 0);
    drain_begin(&drain, peer, 0);
    ck_assert_int_eq(net_op_end(&net, task, &sendfile), 0);
    ck_assert_uint_eq(sendfile.result, BIG);
    pawl_socket_close(&sock);
    drain_end(&drain);
    ck_assert_uint_eq(drain.total, BIG);
    ck_assert(drain.right);
    close(file);
    net_end(&net);
}
END_TEST

START_TEST(what_is_sent_around_it_stays_in_order)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock), file = memfd_create("pawl", MFD_CLOEXEC);
    ck_assert_int_eq(write(file, "the body", 8), 8);
    ck_assert_int_eq(net_send(&net, &sock, "head ", 5), 0);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 4, 4);
    ck_assert_int_eq(net_op(&net, &sendfile), 0);
    ck_assert_int_eq(net_send(&net, &sock, " tail", 5), 0);
    raw_expect(peer, "head body tail");
    close(file);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* ---- Where it goes ---- */

static void send_through(struct pawl_socket *sock, struct net *net, int peer)
{
    struct drain drain;
    const int file = file_of(BIG);
    drain_begin(&drain, peer, 100);
    struct pawl_sendfile sendfile = pawl_sendfile(sock, file, 100, UINT64_MAX);
    ck_assert_int_eq(net_op(net, &sendfile), 0);
    ck_assert_uint_eq(sendfile.result, BIG - 100);
    pawl_socket_close(sock);
    drain_end(&drain);
    ck_assert_uint_eq(drain.total, BIG - 100);
    ck_assert(drain.right);
    close(file);
    net_end(net);
}

START_TEST(a_file_goes_to_a_unix_socket)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    send_through(&sock, &net, net_local_raw_pair(&sock, SOCK_STREAM));
}
END_TEST

START_TEST(a_file_goes_into_a_pipe)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    int fds[2];
    net_begin(&net);
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    ck_assert_int_eq(pawl_socket_adopt(&sock, fds[1]), 0);
    send_through(&sock, &net, fds[0]);
}
END_TEST

/* ---- Files that the system cannot send ---- */

START_TEST(a_file_that_the_system_cannot_send_is_read_and_sent)
{
    char expected[4096], came[4096];
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), file = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    const ssize_t size = pread(file, expected, sizeof expected, 0);
    ck_assert_int_gt(size, 12);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 0, (uint64_t)size);
    ck_assert_int_eq(net_op(&net, &sendfile), 0);
    ck_assert_uint_eq(sendfile.result, (uint64_t)size);
    ck_assert_int_eq(recv(peer, came, sizeof came, MSG_WAITALL | MSG_DONTWAIT), size);
    ck_assert_mem_eq(came, expected, (size_t)size);

    sendfile = pawl_sendfile(&sock, file, 5, 7);
    ck_assert_int_eq(net_op(&net, &sendfile), 0);
    ck_assert_int_eq(recv(peer, came, sizeof came, 0), 7);
    ck_assert_mem_eq(came, expected + 5, 7);
    ck_assert_int_eq(lseek(file, 0, SEEK_CUR), 0);
    close(file);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* It has as many bytes as pages of memory there could be, most of them zero: more than any buffer takes. */
START_TEST(such_a_file_waits_for_room_too)
{
    enum { SOME = 1 << 20 };
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 0, SOME);
    struct pawl_task *const task = net_op_begin(&net, &sendfile);
    char *const came = malloc(SOME);
    size_t got = 0;
    while (got < SOME) {
        const ssize_t part = recv(peer, came + got, SOME - got, MSG_DONTWAIT);
        if (part > 0) got += (size_t)part;
        else ck_assert_int_eq(pawl_loop_run_once(&net.loop, true), 0);
    }
    ck_assert_int_eq(net_op_end(&net, task, &sendfile), 0);
    ck_assert_uint_eq(sendfile.result, SOME);
    ck_assert_int_lt(recv(peer, came, 1, MSG_DONTWAIT), 0);
    free(came);
    close(file);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(what_cannot_be_read_says_why)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    int fds[2];
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    const int folder = open("/", O_RDONLY | O_CLOEXEC), blind = open("/dev/null", O_WRONLY | O_CLOEXEC), gone = lowest_free();
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    close(gone == fds[0] || gone == fds[1] ? -1 : gone);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, folder, 0, 10);
    ck_assert_int_eq(net_op(&net, &sendfile), -EISDIR);
    sendfile = pawl_sendfile(&sock, blind, 0, 10);
    ck_assert_int_eq(net_op(&net, &sendfile), -EBADF);
    sendfile = pawl_sendfile(&sock, fds[0], 0, 10); /* has no places */
    ck_assert_int_eq(net_op(&net, &sendfile), -ESPIPE);
    sendfile = pawl_sendfile(&sock, 1023, 0, 10);
    ck_assert_int_eq(net_op(&net, &sendfile), -EBADF);
    ck_assert_uint_eq(sendfile.result, 0);
    expect_idle(&sock);
    ck_assert_int_eq(net_send(&net, &sock, "ok", 2), 0);
    raw_expect(peer, "ok");
    close(folder);
    close(blind);
    close(fds[0]);
    close(fds[1]);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    struct net net;
    struct pawl_socket sock = { 0 }, closed = { 0 };
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), file = file_of(10);
    struct pawl_sendfile sendfile = pawl_sendfile(NULL, file, 0, 10);
    ck_assert_int_eq(net_op(&net, &sendfile), PAWL_EINVAL);
    sendfile = pawl_sendfile(&sock, -1, 0, 10);
    ck_assert_int_eq(net_op(&net, &sendfile), PAWL_EINVAL);
    sendfile = pawl_sendfile(&sock, file, -1, 10);
    ck_assert_int_eq(net_op(&net, &sendfile), PAWL_EINVAL);
    sendfile = pawl_sendfile(&closed, file, 0, 10);
    ck_assert_int_eq(net_op(&net, &sendfile), PAWL_ECLOSED);
    close(file);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* ---- Peers that vanish ---- */

START_TEST(a_peer_that_is_gone_is_EPIPE_and_no_signal)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    signal(SIGPIPE, SIG_DFL); /* would end this process */
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), file = file_of(1000);
    close(peer);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 0, 1000);
    ck_assert_int_eq(net_op(&net, &sendfile), -EPIPE);
    ck_assert_uint_eq(sendfile.result, 0);
    expect_idle(&sock);
    sigset_t pending;
    ck_assert_int_eq(sigpending(&pending), 0);
    ck_assert(!sigismember(&pending, SIGPIPE));
    close(file);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(such_a_file_to_a_peer_that_is_gone_is_EPIPE_too)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    signal(SIGPIPE, SIG_DFL);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), file = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
    close(peer);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 0, 10);
    ck_assert_int_eq(net_op(&net, &sendfile), -EPIPE);
    close(file);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_pipe_without_a_reader_is_EPIPE)
{
    struct net net;
    struct pawl_socket read_end = { 0 }, write_end = { 0 };
    net_begin(&net);
    signal(SIGPIPE, SIG_DFL);
    const int file = file_of(1000);
    ck_assert_int_eq(pawl_pipe(&read_end, &write_end), 0);
    pawl_socket_close(&read_end);
    struct pawl_sendfile sendfile = pawl_sendfile(&write_end, file, 0, 1000);
    ck_assert_int_eq(net_op(&net, &sendfile), -EPIPE);
    close(file);
    pawl_socket_close(&write_end);
    net_end(&net);
}
END_TEST

START_TEST(a_peer_that_goes_while_it_is_full_ends_it)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    signal(SIGPIPE, SIG_DFL);
    const int peer = net_raw_pair(&net, &sock), file = file_of(BIG);
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 0, BIG);
    struct pawl_task *const task = net_op_begin(&net, &sendfile);
    raw_reset(peer);
    const int error = net_op_end(&net, task, &sendfile);
    ck_assert(error == -EPIPE || error == -ECONNRESET);
    ck_assert_uint_gt(sendfile.result, 0);
    ck_assert_uint_lt(sendfile.result, BIG);
    expect_idle(&sock);
    close(file);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* A reader that takes some and goes, while the kernel is in the middle of a share. */
static void *read_and_go(void *argument)
{
    static char buffer[100000];
    const int fd = *(int *)argument;
    for (ssize_t got = 0, part; got < 300000 && (part = read(fd, buffer, sizeof buffer)) > 0;) got += part;
    close(fd);
    return NULL;
}

START_TEST(a_peer_that_goes_within_a_share_is_no_signal_either)
{
    signal(SIGPIPE, SIG_DFL);
    const int file = file_of(BIG);
    for (int round = 0; round < 40; round++) {
        struct net net;
        struct pawl_socket sock = { 0 };
        pthread_t reader;
        net_begin(&net);
        int peer = net_local_raw_pair(&sock, SOCK_STREAM);
        ck_assert_int_eq(pawl_socket_set(&sock, PAWL_SEND_BUFFER, 4 << 20), 0);
        ck_assert_int_eq(pthread_create(&reader, NULL, read_and_go, &peer), 0);
        struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 0, BIG);
        const int error = net_op(&net, &sendfile);
        ck_assert_msg(error == -EPIPE || error == -ECONNRESET || (error == 0 && sendfile.result == BIG), "it ended with %d", error);
        pthread_join(reader, NULL);
        pawl_socket_close(&sock);
        net_end(&net);
    }
    close(file);
}
END_TEST

START_TEST(closing_or_cancelling_ends_it_and_says_how_far_it_came)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        struct net net;
        struct pawl_socket sock = { 0 };
        static char came[BIG];
        net_begin(&net);
        const int peer = net_raw_pair(&net, &sock), file = file_of(BIG);
        shrink_buffer(sock.watch.fd, SO_SNDBUF);
        struct pawl_sendfile sendfile = pawl_sendfile(&sock, file, 0, BIG);
        struct pawl_task *const task = net_op_begin(&net, &sendfile);
        if (cancel) pawl_task_cancel(task);
        else pawl_socket_close(&sock);
        ck_assert_int_eq(net_op_end(&net, task, &sendfile), cancel ? PAWL_ECANCELLED : PAWL_ECLOSED);
        if (cancel) expect_idle(&sock);
        pawl_socket_close(&sock);
        size_t got = 0;
        for (ssize_t part; (part = recv(peer, came + got, sizeof came - got, 0)) > 0;) got += (size_t)part;
        ck_assert_uint_eq(got, sendfile.result);
        ck_assert(descriptor_is_open(file)); /* the file is the caller's */
        close(file);
        close(peer);
        net_end(&net);
    }
}
END_TEST

/* ---- Fairness ---- */

struct counts {
    COROUTINE(int);
};

ASYNC(counts)
{
    ASYNC_BEGIN(counts);
    for (;;) {
        self->result++;
        YIELD_NOW();
    }
    ASYNC_END;
}

START_TEST(another_task_runs_after_each_share)
{
    enum { SHARES = 32 };
    struct net net;
    struct pawl_socket sock = { 0 };
    struct drain drain;
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    drain_begin(&drain, peer, 0);
    struct pawl_task *const counter = pawl_spawn(CORO(counts));
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, zero, 0, (uint64_t)SHARES << 20);
    ck_assert_int_eq(net_op(&net, &sendfile), 0);
    ck_assert_uint_eq(sendfile.result, (uint64_t)SHARES << 20);
    ck_assert_int_ge(pawl_task_frame(counts, counter)->result, SHARES - 1);
    pawl_task_cancel(counter);
    ck_assert_int_eq(net_finish(&net, counter), PAWL_ECANCELLED);
    pawl_socket_close(&sock);
    drain_end(&drain);
    ck_assert_uint_eq(drain.total, (size_t)SHARES << 20);
    close(zero);
    net_end(&net);
}
END_TEST

struct endless {
    COROUTINE(void);
    struct pawl_socket *sock;
    int file;
    struct pawl_sendfile sendfile;
    struct pawl_timeout timeout;
};

ASYNC(endless)
{
    ASYNC_BEGIN(endless);
    WITH(self->timeout, pawl_timeout(PAWL_MS(3))) {
        AWAIT(self->sendfile, pawl_sendfile(self->sock, self->file, 0, UINT64_MAX));
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_timeout_gets_through_to_one_that_never_ends)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct drain drain;
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    drain_begin(&drain, peer, 0);
    struct endless endless = CORO(endless, .sock = &sock, .file = zero);
    ck_assert_int_eq(net_op(&net, &endless), PAWL_ETIMEOUT);
    expect_idle(&sock);
    pawl_socket_close(&sock);
    drain_end(&drain);
    ck_assert_uint_eq(drain.total, endless.sendfile.result);
    close(zero);
    net_end(&net);
}
END_TEST

/* ---- By hand ---- */

START_TEST(by_hand_the_outcome_is_what_the_test_says)
{
    struct pawl_socket sock = { 0 };
    struct pawl_sendfile sendfile = pawl_sendfile(&sock, 0, 0, 10);
    struct pawl_future *const waits = coro_step(&sendfile);
    ck_assert_ptr_nonnull(waits);
    sendfile.result = 10;
    pawl_future_set_done(waits);
    ck_assert_ptr_null(coro_step(&sendfile));
    ck_assert_int_eq(coro_error(&sendfile), 0);

    struct pawl_sendfile fails = pawl_sendfile(&sock, 0, 0, 10);
    pawl_future_set_error(coro_step(&fails), -EIO);
    ck_assert_ptr_null(coro_step(&fails));
    ck_assert_int_eq(coro_error(&fails), -EIO);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("sendfile");
    ADD(suite, "ranges", the_range_that_was_asked_for_is_sent, without_a_size_it_goes_to_the_end, a_file_that_ends_before_ends_it_early,
        nothing_is_sent_when_nothing_is_asked_for, what_is_larger_than_every_buffer_goes_in_shares, a_peer_that_reads_later_gets_all_of_it,
        what_is_sent_around_it_stays_in_order);
    ADD(suite, "to", a_file_goes_to_a_unix_socket, a_file_goes_into_a_pipe);
    ADD(suite, "copied", a_file_that_the_system_cannot_send_is_read_and_sent, such_a_file_waits_for_room_too, what_cannot_be_read_says_why,
        wrong_arguments_are_told);
    ADD(suite, "gone", a_peer_that_is_gone_is_EPIPE_and_no_signal, such_a_file_to_a_peer_that_is_gone_is_EPIPE_too,
        a_pipe_without_a_reader_is_EPIPE, a_peer_that_goes_while_it_is_full_ends_it, a_peer_that_goes_within_a_share_is_no_signal_either,
        closing_or_cancelling_ends_it_and_says_how_far_it_came);
    ADD(suite, "fair", another_task_runs_after_each_share, a_timeout_gets_through_to_one_that_never_ends);
    ADD(suite, "by hand", by_hand_the_outcome_is_what_the_test_says);
    return suite;
}
