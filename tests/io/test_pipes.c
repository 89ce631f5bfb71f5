/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Pipes, FIFOs and terminals: read and written like sockets. A reader that is gone is -EPIPE and never a signal, whatever
 * the program does with SIGPIPE, and what it has done with it is as before afterwards.
 */
#define _GNU_SOURCE
#include "socket_world.h"

#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <termios.h>

enum { BIG = 1 << 20 };

/* ---- Pipes ---- */

START_TEST(a_pipe_is_read_at_one_end_and_written_at_the_other)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    size_t got = 9;
    char byte;
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    ck_assert(fcntl(pawl_socket_fd(&a), F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(pawl_socket_fd(&b), F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(net_send(&net, &b, "through", 7), 0);
    net_expect(&net, &a, "through");
    ck_assert_int_eq(net_send(&net, &a, "x", 1), -EBADF);
    ck_assert_int_eq(net_recv(&net, &b, &byte, 1, &got), -EBADF);
    pawl_socket_close(&b);
    ck_assert_int_eq(net_recv(&net, &a, &byte, 1, &got), 0);
    ck_assert_uint_eq(got, 0);
    pawl_socket_close(&a);
    net_end(&net);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, c = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(NULL, &b), PAWL_EINVAL);
    ck_assert_int_eq(pawl_pipe(&a, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_pipe(&a, &a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_pair(NULL, &b, SOCK_STREAM), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_pair(&a, NULL, SOCK_STREAM), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_pair(&a, &a, SOCK_STREAM), PAWL_EINVAL);
    ck_assert_int_lt(pawl_socket_pair(&a, &b, 12345), 0);
    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    ck_assert_int_eq(pawl_pipe(&a, &c), PAWL_EBUSY);
    ck_assert_int_eq(pawl_pipe(&c, &b), PAWL_EBUSY);
    ck_assert_int_eq(pawl_socket_pair(&c, &b, SOCK_STREAM), PAWL_EBUSY);
    ck_assert(!pawl_socket_is_open(&c));
    ck_assert_int_eq(pawl_socket_port(&a), -ENOTSOCK);
    ck_assert_int_eq(pawl_socket_shutdown(&b, SHUT_WR), -ENOTSOCK);
    close_both(&a, &b);
    pawl_loop_use(NULL);
    ck_assert_int_eq(pawl_pipe(&a, &b), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_pair(&a, &b, SOCK_STREAM), PAWL_EINVAL);
    pawl_loop_use(&net.loop);
    net_end(&net);
}
END_TEST

struct drinks {
    COROUTINE(uint64_t);
    struct pawl_socket *sock;
    size_t total, part;
    unsigned char buffer[5000];
    struct pawl_recv recv;
};

/* Receives to the end, in parts of all sizes: the hash. */
ASYNC(drinks)
{
    ASYNC_BEGIN(drinks);
    self->result = HASH_SEED;
    for (self->part = 1;; self->part = self->part * 13 % sizeof self->buffer + 1) {
        AWAIT(self->recv, pawl_recv(self->sock, self->buffer, self->part));
        if (self->recv.result == 0) break;
        self->result = hash_more(self->result, self->buffer, self->recv.result);
        self->total += self->recv.result;
    }
    ASYNC_END;
}

static void expect_drunk(struct net *net, struct pawl_task *task, const unsigned char *data, size_t size)
{
    ck_assert_int_eq(pawl_loop_run_until_complete(&net->loop, task), 0);
    ck_assert_uint_eq(pawl_task_frame(drinks, task)->total, size);
    ck_assert_uint_eq(pawl_task_frame(drinks, task)->result, hash_more(HASH_SEED, data, size));
    pawl_task_release(task);
}

START_TEST(what_is_larger_than_a_pipe_goes_through_it)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    unsigned char *const data = some_bytes(BIG);
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    struct pawl_task *const reader = pawl_spawn(CORO(drinks, .sock = &a));
    ck_assert_int_eq(net_send(&net, &b, data, BIG), 0);
    pawl_socket_close(&b);
    expect_drunk(&net, reader, data, BIG);
    pawl_socket_close(&a);
    free(data);
    net_end(&net);
}
END_TEST

START_TEST(a_writer_waits_for_a_reader_and_nobody_else_gets_in)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    unsigned char *const data = some_bytes(BIG);
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    struct pawl_send send = pawl_send(&b, data, BIG);
    struct pawl_task *const writer = net_op_begin(&net, &send);
    ck_assert_int_eq(net_send(&net, &b, "x", 1), PAWL_EBUSY);
    struct pawl_task *const reader = pawl_spawn(CORO(drinks, .sock = &a));
    ck_assert_int_eq(net_op_end(&net, writer, &send), 0);
    pawl_socket_close(&b);
    expect_drunk(&net, reader, data, BIG);
    pawl_socket_close(&a);
    free(data);
    net_end(&net);
}
END_TEST

START_TEST(closing_an_end_wakes_who_uses_it_and_who_uses_the_other)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    unsigned char *const data = some_bytes(BIG);
    char byte;
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    struct pawl_recv recv = pawl_recv(&a, &byte, 1);
    struct pawl_task *task = net_op_begin(&net, &recv);
    pawl_socket_close(&a);
    ck_assert_int_eq(net_op_end(&net, task, &recv), PAWL_ECLOSED);
    pawl_socket_close(&b);

    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    recv = pawl_recv(&a, &byte, 1);
    task = net_op_begin(&net, &recv);
    pawl_socket_close(&b);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0); /* the end */
    ck_assert_uint_eq(recv.result, 0);
    pawl_socket_close(&a);

    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    struct pawl_send send = pawl_send(&b, data, BIG);
    task = net_op_begin(&net, &send);
    pawl_socket_close(&b);
    ck_assert_int_eq(net_op_end(&net, task, &send), PAWL_ECLOSED);
    pawl_socket_close(&a);

    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    send = pawl_send(&b, data, BIG);
    task = net_op_begin(&net, &send);
    pawl_socket_close(&a);
    ck_assert_int_eq(net_op_end(&net, task, &send), -EPIPE);
    ck_assert_uint_gt(send.result, 0);
    pawl_socket_close(&b);
    free(data);
    net_end(&net);
}
END_TEST

/* ---- SIGPIPE ---- */

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static bool is_pending(void)
{
    sigset_t set;
    ck_assert_int_eq(sigpending(&set), 0);
    return sigismember(&set, SIGPIPE) == 1;
}

static bool is_blocked(void)
{
    sigset_t set;
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
    return sigismember(&set, SIGPIPE) == 1;
}

static void block(bool on)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    ck_assert_int_eq(pthread_sigmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL), 0);
}

/* Everything that writes, to a pipe without a reader. */
static void write_to_nobody(void)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, from = { 0 }, to_from = { 0 };
    struct iovec parts[2] = { { (void *)(uintptr_t)"a", 1 }, { (void *)(uintptr_t)"b", 1 } };
    net_begin(&net);
    ck_assert_int_eq(pawl_pipe(&a, &b), 0);
    net_local_pair(&from, &to_from, SOCK_STREAM);
    pawl_socket_close(&a);
    const int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(net_send(&net, &b, "x", 1), -EPIPE);
    struct pawl_send some = pawl_send_some(&b, "x", 1);
    ck_assert_int_eq(net_op(&net, &some), -EPIPE);
    struct pawl_send_vector vector = pawl_send_vector(&b, parts, 2);
    ck_assert_int_eq(net_op(&net, &vector), -EPIPE);
    ck_assert_int_eq(pawl_socket_try_send(&b, "x", 1), -EPIPE);
    ck_assert_int_eq(pawl_socket_try_send_vector(&b, parts, 2), -EPIPE);
    struct pawl_sendfile sendfile = pawl_sendfile(&b, file, 0, 100);
    ck_assert_int_eq(net_op(&net, &sendfile), -EPIPE);
    ck_assert_int_eq(net_send(&net, &to_from, "x", 1), 0);
    struct pawl_splice splice = pawl_splice(&from, &b, 1);
    ck_assert_int_eq(net_op(&net, &splice), -EPIPE);
    close(file);
    close_both(&from, &to_from);
    pawl_socket_close(&b);
    net_end(&net);
}

START_TEST(by_default_it_would_kill_and_does_not)
{
    signal(SIGPIPE, SIG_DFL);
    write_to_nobody();
    ck_assert(!is_blocked() && !is_pending());
}
END_TEST

START_TEST(a_handler_is_not_called)
{
    signal(SIGPIPE, count_signal);
    write_to_nobody();
    ck_assert_int_eq(signals, 0);
    ck_assert(!is_blocked() && !is_pending());
    raise(SIGPIPE); /* and is still there */
    ck_assert_int_eq(signals, 1);
}
END_TEST

START_TEST(ignored_it_stays_ignored)
{
    struct sigaction action;
    signal(SIGPIPE, SIG_IGN);
    write_to_nobody();
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_IGN);
    ck_assert(!is_blocked() && !is_pending());
}
END_TEST

START_TEST(blocked_it_stays_blocked_and_none_is_left_behind)
{
    signal(SIGPIPE, count_signal);
    block(true);
    write_to_nobody();
    ck_assert(is_blocked());
    ck_assert(!is_pending());
    block(false);
    ck_assert_int_eq(signals, 0);
}
END_TEST

START_TEST(one_that_was_pending_before_is_still_pending)
{
    signal(SIGPIPE, count_signal);
    block(true);
    raise(SIGPIPE);
    ck_assert(is_pending());
    write_to_nobody();
    ck_assert(is_blocked() && is_pending());
    block(false);
    ck_assert_int_eq(signals, 1);
}
END_TEST

START_TEST(other_signals_that_wait_are_left_alone)
{
    sigset_t set;
    signal(SIGUSR1, count_signal);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    raise(SIGUSR1);
    write_to_nobody();
    ck_assert_int_eq(signals, 0);
    ck_assert_int_eq(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    ck_assert_int_eq(signals, 1);
}
END_TEST

/* ---- FIFOs ---- */

START_TEST(a_fifo_outlives_its_writers)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char folder[] = P_tmpdir "/pawl-fifo-XXXXXX", path[64], byte;
    net_begin(&net);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pawl_socket_adopt(&sock, open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)), 0);
    for (int i = 0; i < 3; i++) {
        const int writer = open(path, O_WRONLY | O_CLOEXEC);
        struct pawl_recv recv = pawl_recv(&sock, &byte, 1);
        struct pawl_task *const task = net_op_begin(&net, &recv);
        ck_assert_int_eq(write(writer, "abc", 3), 3);
        ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
        ck_assert_uint_eq(recv.result, 1);
        close(writer);
        net_expect(&net, &sock, "bc");
        net_expect(&net, &sock, ""); /* no writer: the end */
        net_expect(&net, &sock, "");
    }
    unlink(path);
    rmdir(folder);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* ---- Terminals ---- */

static void terminal_begin(struct pawl_socket *master, struct pawl_socket *slave)
{
    struct termios raw = { 0 };
    int fds[2];
    cfmakeraw(&raw);
    ck_assert_int_eq(openpty(&fds[0], &fds[1], NULL, &raw, NULL), 0);
    ck_assert_int_eq(pawl_socket_adopt(master, fds[0]), 0);
    ck_assert_int_eq(pawl_socket_adopt(slave, fds[1]), 0);
}

START_TEST(bytes_go_both_ways_over_a_terminal)
{
    struct net net;
    struct pawl_socket master = { 0 }, slave = { 0 };
    char byte;
    net_begin(&net);
    terminal_begin(&master, &slave);
    struct pawl_recv recv = pawl_recv(&slave, &byte, 1);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    ck_assert_int_eq(net_send(&net, &master, "ls", 2), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_int_eq(byte, 'l');
    net_expect(&net, &slave, "s");
    ck_assert_int_eq(net_send(&net, &slave, "files", 5), 0);
    net_expect(&net, &master, "files");
    close_both(&master, &slave);
    net_end(&net);
}
END_TEST

/* A line at a time is a short read, and there may be another. */
START_TEST(lines_of_a_terminal_come_one_by_one)
{
    struct net net;
    struct pawl_socket slave = { 0 };
    int fds[2];
    net_begin(&net);
    ck_assert_int_eq(openpty(&fds[0], &fds[1], NULL, NULL, NULL), 0);
    ck_assert_int_eq(pawl_socket_adopt(&slave, fds[1]), 0);
    ck_assert_int_eq(write(fds[0], "one\ntwo\nthree\n", 14), 14);
    net_expect(&net, &slave, "one\n");
    net_expect(&net, &slave, "two\n");
    net_expect(&net, &slave, "three\n");
    pawl_socket_close(&slave);
    close(fds[0]);
    net_end(&net);
}
END_TEST

START_TEST(much_goes_over_a_terminal_both_ways)
{
    enum { MUCH = 200000 };
    unsigned char *const data = some_bytes(MUCH), *const came = malloc(MUCH);
    for (int back = 0; back < 2; back++) {
        struct net net;
        struct pawl_socket ends[2] = { 0 };
        size_t total = 0, part;
        net_begin(&net);
        terminal_begin(&ends[0], &ends[1]);
        struct pawl_send send = pawl_send(&ends[back], data, MUCH);
        struct pawl_task *const writer = net_op_begin(&net, &send);
        for (; total < MUCH; total += part) {
            ck_assert_int_eq(net_recv(&net, &ends[1 - back], came + total, MUCH - total, &part), 0);
            ck_assert_uint_gt(part, 0);
        }
        ck_assert_mem_eq(came, data, MUCH);
        ck_assert_int_eq(net_op_end(&net, writer, &send), 0);
        close_both(&ends[0], &ends[1]);
        net_end(&net);
    }
    free(data);
    free(came);
}
END_TEST

START_TEST(a_terminal_that_is_gone_ends_who_reads_it)
{
    struct net net;
    struct pawl_socket master = { 0 }, slave = { 0 };
    char byte;
    net_begin(&net);
    terminal_begin(&master, &slave);
    struct pawl_recv recv = pawl_recv(&master, &byte, 1);
    struct pawl_task *task = net_op_begin(&net, &recv);
    pawl_socket_close(&slave);
    ck_assert_int_eq(net_op_end(&net, task, &recv), -EIO);
    pawl_socket_close(&master);
    net_end(&net);
}
END_TEST

/* ---- Others ---- */

START_TEST(whatever_can_be_polled_can_be_adopted)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    uint64_t count = 3;
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_adopt(&sock, eventfd(0, EFD_CLOEXEC)), 0);
    struct pawl_recv recv = pawl_recv(&sock, &count, sizeof count);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    const uint64_t seven = 7;
    ck_assert_int_eq(net_send(&net, &sock, &seven, sizeof seven), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.result, sizeof count);
    ck_assert_uint_eq(count, 7);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(what_is_always_ready_is_EPERM_and_closed)
{
    static const char *const paths[] = { "/dev/null", "/proc/self/exe", "/" };
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pawl_socket_adopt(&sock, fd), -EPERM);
        ck_assert(!descriptor_is_open(fd));
        ck_assert(!pawl_socket_is_open(&sock));
    }
    net_end(&net);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("pipes");
    ADD(suite, "pipes", a_pipe_is_read_at_one_end_and_written_at_the_other, wrong_arguments_are_told, what_is_larger_than_a_pipe_goes_through_it,
        a_writer_waits_for_a_reader_and_nobody_else_gets_in, closing_an_end_wakes_who_uses_it_and_who_uses_the_other);
    ADD(suite, "SIGPIPE", by_default_it_would_kill_and_does_not, a_handler_is_not_called, ignored_it_stays_ignored,
        blocked_it_stays_blocked_and_none_is_left_behind, one_that_was_pending_before_is_still_pending, other_signals_that_wait_are_left_alone);
    ADD(suite, "fifos", a_fifo_outlives_its_writers);
    ADD(suite, "terminals", bytes_go_both_ways_over_a_terminal, lines_of_a_terminal_come_one_by_one, much_goes_over_a_terminal_both_ways,
        a_terminal_that_is_gone_ends_who_reads_it);
    ADD(suite, "others", whatever_can_be_polled_can_be_adopted, what_is_always_ready_is_EPERM_and_closed);
    return suite;
}
