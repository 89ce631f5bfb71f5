/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Descriptors that travel over Unix sockets. Each one sent is the write end of a pipe of its own, and so who got which is told
 * by what is written there; that none was left open somewhere by the pipe's end. The fixtures fail what leaks.
 */
#define _GNU_SOURCE
#include "socket_world.h"

#include <limits.h>

/* ---- Things to send ---- */

struct cargo {
    int reads[32], writes[32];
    unsigned count;
};

static void cargo_begin(struct cargo *cargo, unsigned count)
{
    cargo->count = count;
    for (unsigned i = 0; i < count; i++) {
        int fds[2];
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        cargo->reads[i] = fds[0];
        cargo->writes[i] = fds[1];
    }
}

/* Our own ends are closed: are all the others too? */
static void cargo_end(struct cargo *cargo)
{
    char byte;
    for (unsigned i = 0; i < cargo->count; i++) close(cargo->writes[i]);
    for (unsigned i = 0; i < cargo->count; i++) {
        ck_assert_msg(read(cargo->reads[i], &byte, 1) == 0, "descriptor %u is still open somewhere", i);
        close(cargo->reads[i]);
    }
}

/* Is this the one that was sent as the `i`-th? It is closed. */
static void expect_cargo(const struct cargo *cargo, unsigned i, int fd)
{
    char byte;
    for (unsigned j = 0; j < cargo->count; j++) ck_assert_int_ne(fd, cargo->writes[j]); /* a number of its own */
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    ck_assert_int_eq(read(cargo->reads[i], &byte, 1), 1);
    close(fd);
}

/* A raw sendmsg with any number of descriptors. */
static void raw_send_fds(int sock, const char *text, const int *fds, unsigned count)
{
    char control[CMSG_SPACE(sizeof(int[64]))] __attribute__((aligned(16))) = { 0 };
    struct iovec part = { (void *)(uintptr_t)text, strlen(text) };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int) * count) };
    struct cmsghdr *const head = CMSG_FIRSTHDR(&message);
    head->cmsg_len = CMSG_LEN(sizeof(int) * count);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(head), fds, sizeof(int) * count);
    ck_assert_int_eq(sendmsg(sock, &message, 0), (ssize_t)part.iov_len);
}

/* ---- There and back ---- */

static void send_and_receive(int type, unsigned count)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    struct cargo cargo;
    char data[16] = "";
    int fds[PAWL_MOST_FDS];
    net_begin(&net);
    net_local_pair(&a, &b, type);
    cargo_begin(&cargo, count);
    struct pawl_send_fds send = pawl_send_fds(&a, "take it", 7, cargo.writes, count);
    ck_assert_int_eq(net_op(&net, &send), 0);
    ck_assert_uint_eq(send.result, 7);
    for (unsigned i = 0; i < count; i++) ck_assert(descriptor_is_open(cargo.writes[i])); /* they stay the caller's */
    struct pawl_recv_fds recv = pawl_recv_fds(&b, data, sizeof data, fds, PAWL_MOST_FDS);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.result, 7);
    ck_assert_str_eq(data, "take it");
    ck_assert_uint_eq(recv.count, count);
    ck_assert(!recv.truncated);
    for (unsigned i = 0; i < count; i++) expect_cargo(&cargo, i, fds[i]);
    expect_idle(&a);
    expect_idle(&b);
    cargo_end(&cargo);
    close_both(&a, &b);
    net_end(&net);
}

START_TEST(one_to_sixteen_of_them_arrive)
{
    for (unsigned count = 1; count <= PAWL_MOST_FDS; count++) {
        send_and_receive(SOCK_STREAM, count);
        send_and_receive(SOCK_DGRAM, count);
        send_and_receive(SOCK_SEQPACKET, count);
    }
}
END_TEST

START_TEST(who_waits_for_them_gets_them)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    struct cargo cargo;
    char byte;
    int fds[4];
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    cargo_begin(&cargo, 2);
    struct pawl_recv_fds recv = pawl_recv_fds(&b, &byte, 1, fds, 4);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    struct pawl_send_fds send = pawl_send_fds(&a, "x", 1, cargo.writes, 2);
    ck_assert_int_eq(net_op(&net, &send), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.count, 2);
    for (unsigned i = 0; i < 2; i++) expect_cargo(&cargo, i, fds[i]);
    cargo_end(&cargo);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(bytes_without_descriptors_and_the_end_are_told_too)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char data[16];
    int fds[2] = { -7, -7 };
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    raw_send(peer, "only bytes");
    struct pawl_recv_fds recv = pawl_recv_fds(&sock, data, sizeof data, fds, 2);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.result, 10);
    ck_assert_uint_eq(recv.count, 0);
    ck_assert_int_eq(fds[0], -7);
    close(peer);
    recv = pawl_recv_fds(&sock, data, sizeof data, fds, 2);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.result, 0);
    ck_assert_uint_eq(recv.count, 0);
    ck_assert(!recv.truncated);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* On a stream a receive does not go beyond bytes that came with descriptors; none are mixed up. */
START_TEST(descriptors_come_with_the_bytes_that_they_were_sent_with)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    char data[64];
    int fds[4];
    unsigned came = 0;
    size_t bytes = 0;
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    cargo_begin(&cargo, 3);
    for (unsigned i = 0; i < 3; i++) {
        raw_send(peer, "plain");
        raw_send_fds(peer, "carries", &cargo.writes[i], 1);
    }
    while (bytes < 36) {
        struct pawl_recv_fds recv = pawl_recv_fds(&sock, data + bytes, sizeof data - bytes, fds, 4);
        ck_assert_int_eq(net_op(&net, &recv), 0);
        ck_assert_uint_le(recv.count, 1);
        bytes += recv.result;
        if (recv.count == 1) expect_cargo(&cargo, came++, fds[0]);
    }
    ck_assert_uint_eq(came, 3);
    ck_assert_mem_eq(data, "plaincarriesplaincarriesplaincarries", 36);
    cargo_end(&cargo);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_socket_can_be_sent_and_adopted_by_who_gets_it)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, sent = { 0 };
    char byte;
    int fd = -1, got;
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    const int peer = net_raw_pair(&net, &sent), own = pawl_socket_fd(&sent);
    struct pawl_send_fds send = pawl_send_fds(&a, "x", 1, &own, 1);
    ck_assert_int_eq(net_op(&net, &send), 0);
    pawl_socket_close(&sent); /* the file behind it stays open, and tells nobody who is gone */
    raw_send(peer, "hello");
    net_settle(&net);
    struct pawl_recv_fds recv = pawl_recv_fds(&b, &byte, 1, &fd, 1);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    got = pawl_socket_adopt(&sent, fd);
    ck_assert_int_eq(got, 0);
    net_expect(&net, &sent, "hello");
    close(peer);
    close_both(&a, &b);
    pawl_socket_close(&sent);
    net_end(&net);
}
END_TEST

/* ---- Too little room ---- */

static void send_too_many(unsigned count, unsigned room)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    char data[8];
    int fds[PAWL_MOST_FDS + 1] = { 0 };
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), lowest = lowest_free();
    cargo_begin(&cargo, count);
    fds[room] = -7;
    raw_send_fds(peer, "x", cargo.writes, count);
    struct pawl_recv_fds recv = pawl_recv_fds(&sock, data, sizeof data, room > 0 ? fds : NULL, room);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.result, 1);
    ck_assert_uint_eq(recv.count, room);
    ck_assert(recv.truncated);
    ck_assert_int_eq(fds[room], -7);
    for (unsigned i = 0; i < room; i++) expect_cargo(&cargo, i, fds[i]);
    cargo_end(&cargo); /* the rest are closed */
    ck_assert_int_eq(lowest_free(), lowest);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}

START_TEST(those_for_which_there_is_no_room_are_closed)
{
    send_too_many(1, 0);
    send_too_many(2, 1);
    send_too_many(PAWL_MOST_FDS, 1);
    send_too_many(PAWL_MOST_FDS, PAWL_MOST_FDS - 1);
    send_too_many(PAWL_MOST_FDS + 1, PAWL_MOST_FDS);
    send_too_many(32, PAWL_MOST_FDS);
    send_too_many(32, 3);
    send_too_many(32, 0);
}
END_TEST

START_TEST(a_datagram_that_is_too_long_brings_its_descriptors_all_the_same)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    char data[4];
    int fd;
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_DGRAM);
    cargo_begin(&cargo, 1);
    raw_send_fds(peer, "longer than that", cargo.writes, 1);
    struct pawl_recv_fds recv = pawl_recv_fds(&sock, data, sizeof data, &fd, 1);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.result, sizeof data);
    ck_assert_mem_eq(data, "long", 4);
    ck_assert(recv.truncated);
    ck_assert_uint_eq(recv.count, 1);
    expect_cargo(&cargo, 0, fd);
    cargo_end(&cargo);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(credentials_take_no_room_from_them)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    char data[4];
    int fds[PAWL_MOST_FDS];
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    ck_assert_int_eq(pawl_socket_set(&sock, PAWL_CREDENTIALS, 1), 0);
    cargo_begin(&cargo, PAWL_MOST_FDS);
    raw_send_fds(peer, "x", cargo.writes, PAWL_MOST_FDS);
    struct pawl_recv_fds recv = pawl_recv_fds(&sock, data, sizeof data, fds, PAWL_MOST_FDS);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.count, PAWL_MOST_FDS);
    ck_assert(!recv.truncated);
    for (unsigned i = 0; i < recv.count; i++) expect_cargo(&cargo, i, fds[i]);
    cargo_end(&cargo);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* ---- Those that nobody takes ---- */

START_TEST(a_plain_recv_drops_them)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    cargo_begin(&cargo, 4);
    raw_send_fds(peer, "first", cargo.writes, 4);
    raw_send(peer, "second");
    net_expect(&net, &sock, "first"); /* stops there, though there is more */
    net_expect(&net, &sock, "second");
    cargo_end(&cargo);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_receiver_that_is_cancelled_leaves_them_to_the_next)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    char byte;
    int fds[2];
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    cargo_begin(&cargo, 2);
    struct pawl_recv_fds recv = pawl_recv_fds(&sock, &byte, 1, fds, 2);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    raw_send_fds(peer, "x", cargo.writes, 2);
    ck_assert_int_eq(net.epoll.base.ops->wait(&net.epoll.base, PAWL_WAIT_NOT, 0), 0); /* told; the cancellation comes first */
    pawl_task_cancel(task);
    ck_assert_int_eq(net_op_end(&net, task, &recv), PAWL_ECANCELLED);
    ck_assert_uint_eq(recv.count, 0);
    recv = pawl_recv_fds(&sock, &byte, 1, fds, 2);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert_uint_eq(recv.count, 2);
    for (unsigned i = 0; i < 2; i++) expect_cargo(&cargo, i, fds[i]);
    cargo_end(&cargo);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_socket_that_is_closed_takes_them_along)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    char byte;
    int fds[2];
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    cargo_begin(&cargo, 2);
    struct pawl_recv_fds recv = pawl_recv_fds(&sock, &byte, 1, fds, 2);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    raw_send_fds(peer, "x", cargo.writes, 2);
    ck_assert_int_eq(net.epoll.base.ops->wait(&net.epoll.base, PAWL_WAIT_NOT, 0), 0);
    pawl_socket_close(&sock);
    ck_assert_int_eq(net_op_end(&net, task, &recv), PAWL_ECLOSED);
    ck_assert_uint_eq(recv.count, 0);
    cargo_end(&cargo);
    close(peer);
    net_end(&net);
}
END_TEST

/* ---- Sending ---- */

START_TEST(a_sender_waits_for_room_and_sends_them_once)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    static char filler[4096], came[1 << 20];
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    size_t put = 0, got = 0;
    for (ptrdiff_t part; (part = pawl_socket_try_send(&sock, filler, sizeof filler)) > 0;) put += (size_t)part;
    cargo_begin(&cargo, 2);
    struct pawl_send_fds send = pawl_send_fds(&sock, "!", 1, cargo.writes, 2);
    struct pawl_task *const task = net_op_begin(&net, &send);
    ck_assert_int_eq(net_send(&net, &sock, "x", 1), PAWL_EBUSY);
    while (got < put) got += (size_t)recv(peer, came, put - got < sizeof came ? put - got : sizeof came, 0);
    ck_assert_int_eq(net_op_end(&net, task, &send), 0);
    ck_assert_uint_eq(send.result, 1);
    char control[CMSG_SPACE(sizeof(int[16]))] __attribute__((aligned(16)));
    struct iovec part = { came, 16 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    ck_assert_int_eq(recvmsg(peer, &message, MSG_CMSG_CLOEXEC), 1);
    ck_assert_uint_eq(CMSG_FIRSTHDR(&message)->cmsg_len, CMSG_LEN(sizeof(int[2])));
    for (unsigned i = 0; i < 2; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)) + i * sizeof fd, sizeof fd);
        expect_cargo(&cargo, i, fd);
    }
    cargo_end(&cargo);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(what_was_sent_to_a_peer_that_never_reads_is_closed_with_it)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    struct cargo cargo;
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    cargo_begin(&cargo, 3);
    struct pawl_send_fds send = pawl_send_fds(&a, "x", 1, cargo.writes, 3);
    ck_assert_int_eq(net_op(&net, &send), 0);
    close_both(&a, &b);
    cargo_end(&cargo);
    net_end(&net);
}
END_TEST

START_TEST(sending_to_a_peer_that_is_gone_is_EPIPE)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct cargo cargo;
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM);
    cargo_begin(&cargo, 1);
    close(peer);
    struct pawl_send_fds send = pawl_send_fds(&sock, "x", 1, cargo.writes, 1);
    ck_assert_int_eq(net_op(&net, &send), -EPIPE);
    ck_assert_uint_eq(send.result, 0);
    cargo_end(&cargo);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, closed = { 0 }, tcp[2] = { 0 };
    const int fds[PAWL_MOST_FDS + 1] = { 0 }, bad = 1023;
    int room[PAWL_MOST_FDS + 1];
    char data[4];
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    net_pair(&net, &tcp[0], &tcp[1]);
    const struct { struct pawl_send_fds call; int error; } sends[] = {
        { pawl_send_fds(NULL, "x", 1, fds, 1), PAWL_EINVAL }, { pawl_send_fds(&a, NULL, 1, fds, 1), PAWL_EINVAL },
        { pawl_send_fds(&a, "x", 0, fds, 1), PAWL_EINVAL }, { pawl_send_fds(&a, "x", 1, NULL, 1), PAWL_EINVAL },
        { pawl_send_fds(&a, "x", 1, fds, 0), PAWL_EINVAL }, { pawl_send_fds(&a, "x", 1, fds, PAWL_MOST_FDS + 1), PAWL_EINVAL },
        { pawl_send_fds(&a, "x", 1, fds, UINT_MAX), PAWL_EINVAL }, { pawl_send_fds(&closed, "x", 1, fds, 1), PAWL_ECLOSED },
        { pawl_send_fds(&a, "x", 1, &bad, 1), -EBADF },
    };
    for (size_t i = 0; i < sizeof sends / sizeof *sends; i++) {
        struct pawl_send_fds send = sends[i].call;
        ck_assert_int_eq(net_op(&net, &send), sends[i].error);
    }
    const struct { struct pawl_recv_fds call; int error; } recvs[] = {
        { pawl_recv_fds(NULL, data, 4, room, 1), PAWL_EINVAL }, { pawl_recv_fds(&b, NULL, 4, room, 1), PAWL_EINVAL },
        { pawl_recv_fds(&b, data, 0, room, 1), PAWL_EINVAL }, { pawl_recv_fds(&b, data, 4, NULL, 1), PAWL_EINVAL },
        { pawl_recv_fds(&b, data, 4, room, PAWL_MOST_FDS + 1), PAWL_EINVAL }, { pawl_recv_fds(&closed, data, 4, room, 1), PAWL_ECLOSED },
    };
    for (size_t i = 0; i < sizeof recvs / sizeof *recvs; i++) {
        struct pawl_recv_fds recv = recvs[i].call;
        ck_assert_int_eq(net_op(&net, &recv), recvs[i].error);
    }
    expect_idle(&a);
    expect_idle(&b);
    struct pawl_task *const none = pawl_spawn(pawl_recv(&b, data, 4)); /* of all that nothing was sent */
    net_settle(&net);
    ck_assert(!pawl_future_done(none));
    close_both(&a, &b);
    ck_assert_int_eq(net_finish(&net, none), PAWL_ECLOSED);
    close_both(&tcp[0], &tcp[1]);
    net_end(&net);
}
END_TEST

START_TEST(by_hand_the_outcome_is_what_the_test_says)
{
    struct pawl_socket sock = { 0 };
    char data[4];
    int fds[2] = { 0 };
    struct pawl_recv_fds recv = pawl_recv_fds(&sock, data, sizeof data, fds, 2);
    struct pawl_send_fds send = pawl_send_fds(&sock, "x", 1, fds, 2);
    struct pawl_future *const comes = coro_step(&recv), *const goes = coro_step(&send);
    ck_assert(comes != NULL && goes != NULL && comes != goes);
    recv.count = 2;
    pawl_future_set_done(comes);
    pawl_future_set_error(goes, -EPIPE);
    ck_assert_ptr_null(coro_step(&recv));
    ck_assert_ptr_null(coro_step(&send));
    ck_assert_int_eq(coro_error(&recv), 0);
    ck_assert_uint_eq(recv.count, 2);
    ck_assert_int_eq(coro_error(&send), -EPIPE);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("fds");
    ADD(suite, "there", one_to_sixteen_of_them_arrive, who_waits_for_them_gets_them, bytes_without_descriptors_and_the_end_are_told_too,
        descriptors_come_with_the_bytes_that_they_were_sent_with, a_socket_can_be_sent_and_adopted_by_who_gets_it);
    ADD(suite, "room", those_for_which_there_is_no_room_are_closed, a_datagram_that_is_too_long_brings_its_descriptors_all_the_same,
        credentials_take_no_room_from_them);
    ADD(suite, "nobody", a_plain_recv_drops_them, a_receiver_that_is_cancelled_leaves_them_to_the_next, a_socket_that_is_closed_takes_them_along);
    ADD(suite, "send", a_sender_waits_for_room_and_sends_them_once, what_was_sent_to_a_peer_that_never_reads_is_closed_with_it,
        sending_to_a_peer_that_is_gone_is_EPIPE);
    ADD(suite, "arguments", wrong_arguments_are_told, by_hand_the_outcome_is_what_the_test_says);
    return suite;
}
