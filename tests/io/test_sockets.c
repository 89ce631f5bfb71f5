/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What is true of every operation on a socket: one reader and one writer at a time, all of them ended by closing, releasing and
 * cancelling, none woken by events of others, none that keeps the loop for itself; and sockets opened, bound and connected
 * step by step, taken over and given away.
 */
#define _GNU_SOURCE
#include "socket_world.h"

#include <pthread.h>

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

static const char here[] = "127.0.0.1";

static struct pawl_address parsed(const char *host, uint16_t port)
{
    struct pawl_address address;
    ck_assert_int_eq(pawl_address_parse(&address, host, port), 0);
    return address;
}

static int net_connect_to(struct net *net, struct pawl_socket *sock, const struct pawl_address *address)
{
    struct pawl_connect_to connect = pawl_connect_to(sock, address);
    return net_op(net, &connect);
}

static bool has_ipv6(void)
{
    const struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) close(fd);
    return has;
}

/* ---- Step by step ---- */

START_TEST(open_bind_listen_connect_and_accept)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    struct pawl_address at, own, peer;
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_fd(&listener), -1);
    ck_assert_int_eq(pawl_socket_open(&listener, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_ge(pawl_socket_fd(&listener), 0);
    ck_assert_int_eq(pawl_socket_port(&listener), 0);
    ck_assert_int_eq(pawl_socket_peer(&listener, &peer), -ENOTCONN);
    ck_assert_uint_eq(peer.size, 0);
    at = parsed(here, 0);
    ck_assert_int_eq(pawl_socket_bind(&listener, &at), 0);
    ck_assert_int_eq(pawl_socket_bind(&listener, &at), -EINVAL); /* once */
    ck_assert_int_eq(pawl_socket_listen(&listener, 3), 0);
    ck_assert_int_eq(pawl_socket_address(&listener, &at), 0);
    ck_assert_uint_gt(pawl_address_port(&at), 0);
    ck_assert_int_eq(pawl_address_port(&at), pawl_socket_port(&listener));
    ck_assert_int_eq(pawl_socket_open(&a, AF_INET, SOCK_STREAM), 0);
    own = parsed(here, 0);
    ck_assert_int_eq(pawl_socket_bind(&a, &own), 0);
    ck_assert_int_eq(pawl_socket_address(&a, &own), 0);
    net_settle(&net); /* what the port says of a socket that is not connected is of no account */
    ck_assert_int_eq(net_connect_to(&net, &a, &at), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(pawl_socket_peer(&b, &peer), 0);
    ck_assert(pawl_address_equal(&peer, &own));
    ck_assert_int_eq(pawl_socket_peer(&a, &peer), 0);
    ck_assert(pawl_address_equal(&peer, &at));
    expect_idle(&a);
    ck_assert_int_eq(net_send(&net, &a, "steps", 5), 0);
    net_expect(&net, &b, "steps");
    close_both(&a, &b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(a_connect_that_fails_closes_the_socket_that_was_open)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    const struct pawl_address nobody = parsed(here, net_listen(&listener, 1));
    pawl_socket_close(&listener);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(net_connect_to(&net, &sock, &nobody), -ECONNREFUSED);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_int_eq(net_connect_to(&net, &sock, &nobody), -ECONNREFUSED);
    ck_assert(!pawl_socket_is_open(&sock));
    net_listen(&sock, 1); /* it can be used again */
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(the_steps_tell_what_is_wrong)
{
    struct net net;
    struct pawl_socket sock = { 0 }, other = { 0 }, closed = { 0 };
    struct pawl_address at, none = { .size = 0 };
    net_begin(&net);
    at = parsed(here, 0);
    ck_assert_int_eq(pawl_socket_open(NULL, AF_INET, SOCK_STREAM), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_open(&sock, 12345, SOCK_STREAM), -EAFNOSUPPORT);
    ck_assert_int_lt(pawl_socket_open(&sock, AF_INET, 12345), 0);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_int_eq(pawl_socket_bind(&closed, &at), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_listen(&closed, 1), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_bind(NULL, &at), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_listen(NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_address(&closed, &at), PAWL_ECLOSED);
    ck_assert_uint_eq(at.size, 0);
    ck_assert_int_eq(pawl_socket_peer(&closed, &at), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_release(&closed), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_shutdown(&closed, SHUT_WR), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_listen_at(&sock, NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_listen_at(&sock, &none, 1), -EAFNOSUPPORT);
    at = parsed(here, 0);
    ck_assert_int_eq(pawl_listen_at(NULL, &at, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_listen_at(&sock, &at, 0), PAWL_EINVAL);
    ck_assert(!pawl_socket_is_open(&sock));

    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), PAWL_EBUSY);
    ck_assert_int_eq(pawl_socket_bind(&sock, NULL), PAWL_EINVAL);
    ck_assert_int_lt(pawl_socket_bind(&sock, &none), 0);
    ck_assert_int_eq(pawl_socket_listen(&sock, 0), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_address(&sock, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_peer(NULL, &at), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_shutdown(&sock, SHUT_WR), -ENOTCONN);
    ck_assert_int_eq(pawl_datagram_open(&other, AF_INET, NULL), 0);
    ck_assert_int_eq(pawl_socket_listen(&other, 1), -EOPNOTSUPP);
    ck_assert_int_eq(net_connect_to(&net, NULL, &at), PAWL_EINVAL);
    ck_assert_int_eq(net_connect_to(&net, &closed, NULL), PAWL_EINVAL);
    ck_assert_int_eq(net_connect_to(&net, &closed, &none), PAWL_EINVAL);
    ck_assert_int_eq(net_connect_to(&net, &sock, &none), PAWL_EINVAL);
    ck_assert(pawl_socket_is_open(&sock));
    close_both(&sock, &other);
    pawl_loop_use(NULL);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_INET, SOCK_STREAM), PAWL_EINVAL);
    pawl_loop_use(&net.loop);
    net_end(&net);
}
END_TEST

START_TEST(ipv6_step_by_step)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    net_begin(&net);
    struct pawl_address at = parsed("::1", 0), peer;
    ck_assert_int_eq(pawl_listen_at(&listener, &at, 4), 0);
    ck_assert_int_eq(pawl_socket_address(&listener, &at), 0);
    ck_assert_int_eq(pawl_address_port(&at), pawl_socket_port(&listener));
    ck_assert_int_eq(net_connect_to(&net, &a, &at), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(pawl_socket_peer(&a, &peer), 0);
    ck_assert(pawl_address_equal(&peer, &at));
    close_both(&a, &b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(an_ipv6_listener_takes_ipv4_unless_it_is_told_not_to)
{
    for (int only = 0; only < 2; only++) {
        struct net net;
        struct pawl_socket listener = { 0 }, a = { 0 };
        int value;
        net_begin(&net);
        const struct pawl_address any = parsed("::", 0);
        ck_assert_int_eq(pawl_socket_open(&listener, AF_INET6, SOCK_STREAM), 0);
        ck_assert_int_eq(pawl_socket_set(&listener, PAWL_V6ONLY, only), 0);
        ck_assert_int_eq(pawl_socket_get(&listener, PAWL_V6ONLY, &value), 0);
        ck_assert_int_eq(value, only);
        ck_assert_int_eq(pawl_socket_bind(&listener, &any), 0);
        ck_assert_int_eq(pawl_socket_listen(&listener, 4), 0);
        const struct pawl_address v4 = parsed(here, (uint16_t)pawl_socket_port(&listener));
        ck_assert_int_eq(net_connect_to(&net, &a, &v4), only ? -ECONNREFUSED : 0);
        close_both(&a, &listener);
        net_end(&net);
    }
}
END_TEST

/* ---- Taken over and given away ---- */

START_TEST(a_listening_descriptor_is_taken_over)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    uint16_t port;
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_adopt(&listener, raw_listen(4, &port)), 0);
    const struct pawl_address at = parsed(here, port);
    ck_assert_int_eq(net_connect_to(&net, &a, &at), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(net_send(&net, &a, "taken", 5), 0);
    net_expect(&net, &b, "taken");
    close_both(&a, &b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(a_descriptor_goes_and_comes_back_with_all_that_is_in_it)
{
    struct net net;
    struct pawl_socket sock = { 0 }, again = { 0 };
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    raw_send(peer, "in it");
    net_settle(&net);
    const int fd = pawl_socket_release(&sock);
    ck_assert_int_ge(fd, 0);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_int_eq(net_watched(&net), 0);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert_int_eq(pawl_socket_adopt(&again, fd), 0);
    net_expect(&net, &again, "in it");
    ck_assert_int_eq(pawl_socket_release(&again), fd);
    ck_assert_int_eq(pawl_socket_adopt(&sock, fd), 0);
    ck_assert_int_eq(net_send(&net, &sock, "back", 4), 0);
    raw_expect(peer, "back");
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(a_regular_file_is_EPERM_and_closed)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    const int file = memfd_create("pawl", MFD_CLOEXEC);
    ck_assert_int_eq(pawl_socket_adopt(&sock, file), -EPERM);
    ck_assert(!descriptor_is_open(file));
    ck_assert(!pawl_socket_is_open(&sock));
    net_end(&net);
}
END_TEST

/* ---- Every operation that waits ---- */

/* A Unix stream with nothing to read and no room to write, so that whatever is asked of it waits. */
struct party {
    struct net net;
    struct pawl_socket sock, other;
    int peer, other_peer, file, fds[2];
    char data[16];
    struct iovec in, out;
    struct msghdr get, put;
};

struct op {
    const char *name;
    unsigned char frame[512] __attribute__((aligned(16)));
    size_t size;
    int writes; /* the reading or the writing side of `sock` */
};

enum { READS, WRITES, OPS = 16 };

static void make_op(struct op *op, const char *name, int writes, const void *frame, size_t size)
{
    ck_assert_uint_le(size, sizeof op->frame);
    op->name = name;
    op->size = size;
    op->writes = writes;
    memcpy(op->frame, frame, size);
}
#define OP(writes, what, ...) make_op(&ops[count++], #what, (writes), PAWL_TEMPORARY_(what(__VA_ARGS__)), sizeof(what(__VA_ARGS__)))

static int all_ops(struct party *p, struct op *ops)
{
    int count = 0;
    OP(READS, pawl_recv, &p->sock, p->data, 1);
    OP(READS, pawl_recv_from, &p->sock, p->data, 1, NULL);
    OP(READS, pawl_recvmsg, &p->sock, &p->get, 0);
    OP(READS, pawl_recv_fds, &p->sock, p->data, 1, p->fds, 1);
    OP(READS, pawl_wait_ready, &p->sock, PAWL_READABLE);
    OP(READS, pawl_splice, &p->sock, &p->other, 1);
    OP(WRITES, pawl_send, &p->sock, "x", 1);
    OP(WRITES, pawl_send_some, &p->sock, "x", 1);
    OP(WRITES, pawl_send_to, &p->sock, "x", 1, NULL);
    OP(WRITES, pawl_sendmsg, &p->sock, &p->put, 0);
    OP(WRITES, pawl_send_vector, &p->sock, &p->out, 1);
    OP(WRITES, pawl_send_fds, &p->sock, "x", 1, &p->file, 1);
    OP(WRITES, pawl_sendfile, &p->sock, p->file, 0, 1);
    OP(WRITES, pawl_wait_ready, &p->sock, PAWL_WRITABLE);
    OP(WRITES, pawl_splice, &p->other, &p->sock, 1);
    ck_assert_int_le(count, OPS);
    return count;
}

static void fill(struct pawl_socket *sock)
{
    static const char filler[4096];
    while (pawl_socket_try_send(sock, filler, sizeof filler) > 0) {}
}

static void party_begin(struct party *p)
{
    memset(p, 0, sizeof *p);
    net_begin(&p->net);
    p->peer = net_local_raw_pair(&p->sock, SOCK_STREAM);
    p->other_peer = net_local_raw_pair(&p->other, SOCK_STREAM);
    p->file = memfd_create("pawl", MFD_CLOEXEC);
    ck_assert_int_eq(write(p->file, "file", 4), 4);
    p->in = (struct iovec){ p->data, 1 };
    p->out = (struct iovec){ (void *)(uintptr_t)"v", 1 };
    p->get = (struct msghdr){ .msg_iov = &p->in, .msg_iovlen = 1 };
    p->put = (struct msghdr){ .msg_iov = &p->out, .msg_iovlen = 1 };
    fill(&p->sock);
}

static void party_end(struct party *p)
{
    close_both(&p->sock, &p->other);
    close(p->peer);
    close(p->other_peer);
    close(p->file);
    net_end(&p->net);
}

static struct pawl_task *begin_op(struct party *p, const struct op *op)
{
    struct pawl_task *const task = pawl_spawn_(op->frame, op->size, false);
    ck_assert_ptr_nonnull(task);
    net_settle(&p->net);
    ck_assert_msg(!pawl_future_done(task), "%s does not wait: %d", op->name, pawl_future_error(task));
    return task;
}

static void expect_end(struct party *p, struct pawl_task *task, const struct op *op, int error)
{
    const int ended = net_finish(&p->net, task);
    ck_assert_msg(ended == error, "%s ends with %d (%s), not with %d", op->name, ended, pawl_strerror(ended), error);
}

START_TEST(closing_or_releasing_ends_every_operation)
{
    struct op ops[OPS];
    struct party p;
    for (int i = 0, count = 1; i < count; i++) {
        for (int release = 0; release < 2; release++) {
            party_begin(&p);
            count = all_ops(&p, ops);
            struct pawl_task *const task = begin_op(&p, &ops[i]);
            const int fd = release ? pawl_socket_release(&p.sock) : -1;
            pawl_socket_close(&p.sock);
            expect_end(&p, task, &ops[i], PAWL_ECLOSED);
            expect_idle(&p.other);
            if (release) ck_assert_int_eq(close(fd), 0);
            party_end(&p);
        }
    }
}
END_TEST

START_TEST(cancelling_ends_every_operation_and_leaves_the_socket_free)
{
    struct op ops[OPS];
    struct party p;
    for (int i = 0, count = 1; i < count; i++) {
        party_begin(&p);
        count = all_ops(&p, ops);
        struct pawl_task *const task = begin_op(&p, &ops[i]);
        pawl_task_cancel(task);
        expect_end(&p, task, &ops[i], PAWL_ECANCELLED);
        expect_idle(&p.sock);
        expect_idle(&p.other);
        struct pawl_task *const again = begin_op(&p, &ops[i]);
        pawl_task_cancel(again);
        expect_end(&p, again, &ops[i], PAWL_ECANCELLED);
        party_end(&p);
    }
}
END_TEST

/* Whichever comes first, who was cancelled is told of that. */
START_TEST(cancelled_and_closed_in_one_turn_is_cancelled)
{
    struct op ops[OPS];
    struct party p;
    for (int i = 0, count = 1; i < count; i++) {
        for (int close_first = 0; close_first < 2; close_first++) {
            party_begin(&p);
            count = all_ops(&p, ops);
            struct pawl_task *const task = begin_op(&p, &ops[i]);
            if (close_first) pawl_socket_close(&p.sock);
            pawl_task_cancel(task);
            pawl_socket_close(&p.sock);
            expect_end(&p, task, &ops[i], PAWL_ECANCELLED);
            party_end(&p);
        }
    }
}
END_TEST

/* What was woken and has not run yet ends without touching what goes on there now. */
START_TEST(a_socket_that_is_opened_anew_belongs_to_its_new_operations)
{
    struct op ops[OPS];
    struct party p;
    char drain[65536], byte;
    for (int i = 0, count = 1; i < count; i++) {
        for (int cancelled = 0; cancelled < 2; cancelled++) {
            party_begin(&p);
            count = all_ops(&p, ops);
            struct pawl_task *const old = begin_op(&p, &ops[i]);
            pawl_socket_close(&p.sock);
            if (cancelled) pawl_task_cancel(old);
            close(p.peer);
            p.peer = net_local_raw_pair(&p.sock, SOCK_STREAM);
            fill(&p.sock);
            struct pawl_task *const reader = pawl_spawn_eager(pawl_recv(&p.sock, &byte, 1));
            struct pawl_task *const writer = pawl_spawn_eager(pawl_send(&p.sock, "x", 1));
            expect_end(&p, old, &ops[i], cancelled ? PAWL_ECANCELLED : PAWL_ECLOSED);
            net_settle(&p.net);
            ck_assert_msg(!pawl_future_done(reader) && !pawl_future_done(writer), "%s has woken who came after it", ops[i].name);
            ck_assert_int_eq(net_send(&p.net, &p.sock, "y", 1), PAWL_EBUSY);
            ck_assert_int_eq(net_finish(&p.net, pawl_spawn(pawl_wait_ready(&p.sock, PAWL_READABLE))), PAWL_EBUSY);
            raw_send(p.peer, "r");
            while (recv(p.peer, drain, sizeof drain, MSG_DONTWAIT) > 0) {}
            ck_assert_int_eq(net_finish(&p.net, reader), 0);
            ck_assert_int_eq(net_finish(&p.net, writer), 0);
            expect_idle(&p.sock);
            party_end(&p);
        }
    }
}
END_TEST

START_TEST(a_second_operation_on_a_side_is_EBUSY_and_one_on_the_other_is_not)
{
    struct op ops[OPS];
    struct party p;
    for (int i = 0, count = 1; i < count; i++) {
        party_begin(&p);
        count = all_ops(&p, ops);
        struct pawl_task *const first = begin_op(&p, &ops[i]);
        for (int j = 0; j < count; j++) {
            struct pawl_task *const second = pawl_spawn_(ops[j].frame, ops[j].size, false);
            net_settle(&p.net);
            if (ops[i].writes == ops[j].writes) {
                expect_end(&p, second, &ops[j], PAWL_EBUSY);
            } else if (strcmp(ops[i].name, "pawl_splice") != 0 || strcmp(ops[j].name, "pawl_splice") != 0) {
                ck_assert_msg(!pawl_future_done(second), "%s beside %s: %d", ops[j].name, ops[i].name, pawl_future_error(second));
                pawl_task_cancel(second);
                expect_end(&p, second, &ops[j], PAWL_ECANCELLED);
            } else {
                pawl_task_cancel(second);
                net_finish(&p.net, second);
            }
            ck_assert(!pawl_future_done(first));
        }
        pawl_socket_close(&p.sock);
        expect_end(&p, first, &ops[i], PAWL_ECLOSED);
        party_end(&p);
    }
}
END_TEST

START_TEST(every_operation_needs_an_open_socket_of_its_loop)
{
    struct op ops[OPS];
    struct party p;
    struct net other;
    party_begin(&p);
    const int count = all_ops(&p, ops);
    net_begin(&other);
    for (int i = 0; i < count; i++) {
        const int error = net_finish(&other, pawl_spawn_(ops[i].frame, ops[i].size, false));
        ck_assert_msg(error == PAWL_EINVAL, "%s on another loop: %d", ops[i].name, error);
    }
    net_end(&other);
    pawl_loop_use(&p.net.loop);
    expect_idle(&p.sock);
    pawl_socket_close(&p.sock);
    for (int i = 0; i < count; i++) {
        const int error = net_finish(&p.net, pawl_spawn_(ops[i].frame, ops[i].size, false));
        ck_assert_msg(error == PAWL_ECLOSED, "%s on a closed socket: %d", ops[i].name, error);
    }
    party_end(&p);
}
END_TEST

/* Bytes for a reader and room for a writer at once: both go on. */
START_TEST(a_reader_and_a_writer_go_on_side_by_side)
{
    struct op ops[OPS];
    struct party p;
    char drain[65536];
    for (int i = 0, count = 1; i < count; i++) {
        party_begin(&p);
        count = all_ops(&p, ops);
        for (int j = i + 1; j < count; j++) {
            if (ops[i].writes == ops[j].writes || strcmp(ops[j].name, "pawl_splice") == 0) continue;
            struct pawl_task *const a = begin_op(&p, &ops[i]), *const b = begin_op(&p, &ops[j]);
            raw_send(p.peer, "in");
            while (recv(p.peer, drain, sizeof drain, MSG_DONTWAIT) > 0) {}
            expect_end(&p, a, &ops[i], 0);
            expect_end(&p, b, &ops[j], 0);
            for (int k = 0; k < 2; k++) pawl_socket_try_recv(&p.sock, drain, sizeof drain);
            while (pawl_socket_try_recv(&p.sock, drain, sizeof drain) >= 0) {}
            while (recv(p.other_peer, drain, sizeof drain, MSG_DONTWAIT) > 0) {}
            while (pawl_socket_try_send(&p.sock, drain, 4096) > 0) {} /* full again */
            p.out = (struct iovec){ (void *)(uintptr_t)"v", 1 };
        }
        party_end(&p);
    }
}
END_TEST

/* ---- Half-close ---- */

START_TEST(half_of_a_connection_is_closed)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char byte;
    size_t got;
    net_begin(&net);
    net_pair(&net, &a, &b);
    ck_assert_int_eq(net_send(&net, &a, "last", 4), 0);
    ck_assert_int_eq(pawl_socket_shutdown(&a, SHUT_WR), 0);
    net_expect(&net, &b, "last");
    ck_assert_int_eq(net_recv(&net, &b, &byte, 1, &got), 0);
    ck_assert_uint_eq(got, 0);
    ck_assert_int_eq(net_send(&net, &a, "x", 1), -EPIPE);
    ck_assert_int_eq(net_send(&net, &b, "answer", 6), 0);
    net_expect(&net, &a, "answer");
    ck_assert_int_eq(pawl_socket_shutdown(&a, 12345), -EINVAL);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(shutting_down_ones_own_side_wakes_ones_own_reader)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char byte;
    net_begin(&net);
    net_pair(&net, &a, &b);
    struct pawl_recv recv = pawl_recv(&a, &byte, 1);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    ck_assert_int_eq(pawl_socket_shutdown(&a, SHUT_RD), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.result, 0);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

START_TEST(a_listener_that_is_shut_down_ends_who_accepts)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    net_listen(&listener, 1);
    struct pawl_accept accept = pawl_accept(&listener, &sock);
    struct pawl_task *const task = net_op_begin(&net, &accept);
    ck_assert_int_eq(pawl_socket_shutdown(&listener, SHUT_RD), 0);
    ck_assert_int_eq(net_op_end(&net, task, &accept), -EINVAL);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

/* ---- wait_ready ---- */

static int net_wait_ready(struct net *net, struct pawl_socket *sock, enum pawl_direction direction)
{
    struct pawl_wait_ready wait = pawl_wait_ready(sock, direction);
    return net_op(net, &wait);
}

START_TEST(somebody_else_may_read_in_between)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char data[16];
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock), fd = pawl_socket_fd(&sock);
    for (int i = 0; i < 5; i++) {
        struct pawl_wait_ready wait = pawl_wait_ready(&sock, PAWL_READABLE);
        struct pawl_task *const task = net_op_begin(&net, &wait);
        raw_send(peer, "abcdef");
        ck_assert_int_eq(net_op_end(&net, task, &wait), 0);
        ck_assert_int_eq(net_wait_ready(&net, &sock, PAWL_READABLE), 0); /* it still is */
        ck_assert_int_eq(recv(fd, data, 2, 0), 2);                            /* a library of others */
        ck_assert_int_eq(net_wait_ready(&net, &sock, PAWL_READABLE), 0);
        if (i % 2) net_expect(&net, &sock, "cdef"); /* both ways mixed */
        else ck_assert_int_eq(recv(fd, data, sizeof data, 0), 4);
    }
    raw_send(peer, "gone before");
    net_settle(&net); /* told, and read by somebody else */
    ck_assert_int_eq(recv(fd, data, 11, 0), 11);
    struct pawl_wait_ready wait = pawl_wait_ready(&sock, PAWL_READABLE);
    struct pawl_task *const task = net_op_begin(&net, &wait);
    close(peer);
    ck_assert_int_eq(net_op_end(&net, task, &wait), 0); /* an end to tell */
    net_expect(&net, &sock, "");
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(room_and_errors_and_connections_are_waited_for_too)
{
    struct net net;
    struct pawl_socket sock = { 0 }, listener = { 0 }, b = { 0 };
    char drain[65536];
    net_begin(&net);
    const int peer = net_local_raw_pair(&sock, SOCK_STREAM), fd = pawl_socket_fd(&sock);
    ck_assert_int_eq(net_wait_ready(&net, &sock, PAWL_WRITABLE), 0);
    memset(drain, 0, sizeof drain);
    while (send(fd, drain, sizeof drain, MSG_NOSIGNAL) > 0) {} /* not by pawl */
    struct pawl_wait_ready wait = pawl_wait_ready(&sock, PAWL_WRITABLE);
    struct pawl_task *task = net_op_begin(&net, &wait);
    while (recv(peer, drain, sizeof drain, MSG_DONTWAIT) > 0) {}
    ck_assert_int_eq(net_op_end(&net, task, &wait), 0);
    close(peer);
    ck_assert_int_eq(net_wait_ready(&net, &sock, PAWL_WRITABLE), 0);
    ck_assert_int_eq(net_wait_ready(&net, &sock, PAWL_READABLE), 0);
    ck_assert_int_eq(net_wait_ready(&net, &sock, (enum pawl_direction)3), PAWL_EINVAL);
    ck_assert_int_eq(net_wait_ready(&net, &sock, (enum pawl_direction)0), PAWL_EINVAL);
    ck_assert_int_eq(net_wait_ready(&net, NULL, PAWL_READABLE), PAWL_EINVAL);

    const uint16_t port = net_listen(&listener, 2);
    wait = pawl_wait_ready(&listener, PAWL_READABLE);
    task = net_op_begin(&net, &wait);
    const int late = raw_connect(port);
    ck_assert_int_eq(net_op_end(&net, task, &wait), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    close(late);
    close_both(&listener, &b);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

/* ---- Without waiting ---- */

START_TEST(a_try_says_how_much_or_that_it_would_wait)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 }, closed = { 0 };
    char data[16];
    net_begin(&net);
    net_pair(&net, &a, &b);
    ck_assert_int_eq(pawl_socket_try_recv(&a, data, sizeof data), PAWL_EPENDING);
    ck_assert_int_eq(pawl_socket_try_send(&b, "some", 4), 4);
    ck_assert_int_eq(pawl_socket_try_send(&b, NULL, 0), 0);
    struct pawl_future *const ready = pawl_socket_ready(&a, PAWL_READABLE);
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, ready), 0);
    ck_assert_int_eq(pawl_socket_try_recv(&a, data, sizeof data), 4);
    ck_assert_int_eq(pawl_socket_try_recv(&a, data, sizeof data), PAWL_EPENDING);
    pawl_socket_close(&b);
    ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, pawl_socket_ready(&a, PAWL_READABLE)), 0);
    ck_assert_int_eq(pawl_socket_try_recv(&a, data, sizeof data), 0);
    ck_assert_int_eq(pawl_socket_try_recv(&a, data, sizeof data), 0);
    ck_assert_int_eq(pawl_socket_try_recv(NULL, data, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_try_recv(&a, NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_try_send(&a, NULL, 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_try_send(NULL, "x", 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_socket_try_recv(&closed, data, 1), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_socket_try_send(&closed, "x", 1), PAWL_ECLOSED);
    pawl_socket_close(&a);
    net_end(&net);
}
END_TEST

struct waits_for {
    COROUTINE(void);
    struct pawl_future *future;
};

ASYNC(waits_for)
{
    ASYNC_BEGIN(waits_for);
    AWAIT(self->future);
    ASYNC_END;
}

START_TEST(any_number_may_wait_until_it_is_ready)
{
    enum { MANY = 5 };
    struct net net;
    struct pawl_socket sock = { 0 };
    struct pawl_task *tasks[MANY];
    char data[4];
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    for (int closing = 0; closing < 2; closing++) {
        ck_assert_int_eq(pawl_socket_try_recv(&sock, data, sizeof data), PAWL_EPENDING);
        for (int i = 0; i < MANY; i++) tasks[i] = pawl_spawn(CORO(waits_for, .future = pawl_socket_ready(&sock, PAWL_READABLE)));
        struct pawl_recv recv = pawl_recv(&sock, data, sizeof data); /* and one who reads */
        struct pawl_task *const reader = net_op_begin(&net, &recv);
        for (int i = 0; i < MANY; i++) ck_assert(!pawl_future_done(tasks[i]));
        if (closing) pawl_socket_close(&sock);
        else raw_send(peer, "x");
        ck_assert_int_eq(net_op_end(&net, reader, &recv), closing ? PAWL_ECLOSED : 0);
        for (int i = 0; i < MANY; i++) ck_assert_int_eq(net_finish(&net, tasks[i]), closing ? PAWL_ECLOSED : 0);
    }
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(one_that_does_not_wait_any_more_leaves_it_to_the_others)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    struct pawl_task *tasks[3];
    char data[4];
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    ck_assert_int_eq(pawl_socket_try_recv(&sock, data, sizeof data), PAWL_EPENDING);
    for (int i = 0; i < 3; i++) tasks[i] = pawl_spawn(CORO(waits_for, .future = pawl_socket_ready(&sock, PAWL_READABLE)));
    struct pawl_recv recv = pawl_recv(&sock, data, sizeof data);
    struct pawl_task *const reader = net_op_begin(&net, &recv);
    pawl_task_cancel(tasks[1]);
    ck_assert_int_eq(net_finish(&net, tasks[1]), PAWL_ECANCELLED);
    net_settle(&net);
    ck_assert(!pawl_future_done(tasks[0]) && !pawl_future_done(tasks[2]) && !pawl_future_done(reader));
    raw_send(peer, "x");
    ck_assert_int_eq(net_op_end(&net, reader, &recv), 0);
    ck_assert_uint_eq(recv.result, 1);
    ck_assert_int_eq(net_finish(&net, tasks[0]), 0);
    ck_assert_int_eq(net_finish(&net, tasks[2]), 0);
    close(peer);
    pawl_socket_close(&sock);
    net_end(&net);
}
END_TEST

START_TEST(of_a_closed_socket_ready_is_ECLOSED)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    ck_assert_int_eq(pawl_future_error(pawl_socket_ready(&sock, PAWL_READABLE)), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_future_error(pawl_socket_ready(&sock, PAWL_WRITABLE)), PAWL_ECLOSED);
    const int peer = net_raw_pair(&net, &sock);
    net_settle(&net);
    ck_assert_int_eq(pawl_future_error(pawl_socket_ready(&sock, PAWL_WRITABLE)), 0);
    pawl_socket_close(&sock);
    ck_assert_int_eq(pawl_future_error(pawl_socket_ready(&sock, PAWL_READABLE)), PAWL_ECLOSED);
    ck_assert_int_eq(pawl_future_error(pawl_socket_ready(&sock, PAWL_WRITABLE)), PAWL_ECLOSED);
    close(peer);
    net_end(&net);
}
END_TEST

/* ---- Numbers that come again ---- */

struct swaps {
    COROUTINE(void);
    struct pawl_socket *mine, *others;
    int count, *made, *peers;
    char byte;
    struct pawl_recv recv;
};

static const char fresh_byte = 'f';

/* As it is woken it closes all the others, and opens new ones under the same numbers, before they have run. */
ASYNC(swaps)
{
    ASYNC_BEGIN(swaps);
    AWAIT(self->recv, pawl_recv(self->mine, &self->byte, 1));
    for (int i = 0; i < self->count; i++) pawl_socket_close(&self->others[i]);
    for (int i = 0; i < self->count; i++) {
        int fds[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        self->made[i] = fds[0];
        self->peers[i] = fds[1];
    }
    ASYNC_END;
}

START_TEST(a_number_that_is_closed_and_opened_within_a_batch_wakes_nobody_wrong)
{
    enum { MANY = 8, ROUNDS = 60 };
    struct net net;
    net_begin(&net);
    for (int round = 0; round < ROUNDS; round++) {
        struct pawl_socket first = { 0 }, old[MANY] = { 0 }, fresh[MANY] = { 0 };
        int old_peers[MANY], made[MANY], peers[MANY];
        char bytes[MANY], fresh_bytes[MANY] = { 0 };
        struct pawl_task *readers[MANY], *fresh_readers[MANY];
        const int first_peer = net_local_raw_pair(&first, SOCK_STREAM);
        struct pawl_task *const swapper =
            pawl_spawn(CORO(swaps, .mine = &first, .others = old, .count = MANY, .made = made, .peers = peers));
        for (int i = 0; i < MANY; i++) {
            old_peers[i] = net_local_raw_pair(&old[i], SOCK_STREAM);
            readers[i] = pawl_spawn(pawl_recv(&old[i], &bytes[i], 1));
        }
        net_settle(&net);
        if (round % 2) raw_send(first_peer, "x"); /* first or last in the batch */
        for (int i = 0; i < MANY; i++) raw_send(old_peers[i], "o");
        if (round % 2 == 0) raw_send(first_peer, "x");
        ck_assert_int_eq(net_finish(&net, swapper), 0);
        for (int i = 0; i < MANY; i++) {
            ck_assert_int_eq(pawl_socket_adopt(&fresh[i], made[i]), 0);
            fresh_readers[i] = pawl_spawn(pawl_recv(&fresh[i], &fresh_bytes[i], 1));
        }
        net_settle(&net);
        for (int i = 0; i < MANY; i++) {
            const int error = net_finish(&net, readers[i]);
            ck_assert(error == PAWL_ECLOSED || (error == 0 && bytes[i] == 'o')); /* some had run before */
            ck_assert_msg(!pawl_future_done(fresh_readers[i]), "a new reader was woken by an old event");
            ck_assert_int_eq(write(peers[i], &fresh_byte, 1), 1);
            ck_assert_int_eq(net_finish(&net, fresh_readers[i]), 0);
            ck_assert_int_eq(fresh_bytes[i], fresh_byte);
            pawl_socket_close(&fresh[i]);
            close(peers[i]);
            close(old_peers[i]);
        }
        pawl_socket_close(&first);
        close(first_peer);
    }
    net_end(&net);
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

struct never_waits {
    COROUTINE(int);
    struct pawl_socket *sock;
    int kind, left; /* below 0: for ever */
    char data[4];
    struct pawl_timeout timeout;
    union {
        struct pawl_recv recv;
        struct pawl_recv_from recv_from;
        struct pawl_send send;
        struct pawl_wait_ready wait;
    } step;
};

/* Zeroes come for ever from a peer that has gone, and what is sent is always taken: no operation ever has to wait. */
ASYNC(never_waits)
{
    ASYNC_BEGIN(never_waits);
    WITH(self->timeout, pawl_timeout(self->left < 0 ? PAWL_MS(5) : PAWL_FOREVER)) {
        for (; self->left != 0; self->left--) {
            if (self->kind == 0) AWAIT(self->step.recv, pawl_recv(self->sock, self->data, 1));
            if (self->kind == 1) AWAIT(self->step.recv_from, pawl_recv_from(self->sock, self->data, 1, NULL));
            if (self->kind == 2) AWAIT(self->step.wait, pawl_wait_ready(self->sock, PAWL_READABLE));
            if (self->kind == 3) AWAIT(self->step.send, pawl_send(self->sock, "", 0));
            if (self->kind == 4) AWAIT(self->step.send, pawl_send_some(self->sock, "", 0));
            if (self->kind == 5) AWAIT(self->step.wait, pawl_wait_ready(self->sock, PAWL_WRITABLE));
            self->result++;
        }
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_task_that_never_has_to_wait_gives_way)
{
    enum { OFTEN = 6400 };
    for (int kind = 0; kind < 6; kind++) {
        struct net net;
        struct pawl_socket sock = { 0 };
        net_begin(&net);
        const int peer = net_raw_pair(&net, &sock);
        if (kind < 3) shutdown(peer, SHUT_WR);
        net_settle(&net);
        struct pawl_task *const counter = pawl_spawn(CORO(counts));
        ck_assert_int_eq(net_finish(&net, pawl_spawn(CORO(never_waits, .sock = &sock, .kind = kind, .left = OFTEN))), 0);
        const int count = pawl_task_frame(counts, counter)->result;
        ck_assert_msg(count >= OFTEN / 64 - 2, "kind %d: %d operations, and others ran %d times", kind, OFTEN, count);
        ck_assert_msg(count <= OFTEN / 64 + 3, "kind %d gives way too often: %d times", kind, count);
        pawl_task_cancel(counter);
        ck_assert_int_eq(net_finish(&net, counter), PAWL_ECANCELLED);
        close(peer);
        pawl_socket_close(&sock);
        net_end(&net);
    }
}
END_TEST

START_TEST(a_timeout_and_a_cancellation_get_through_to_it)
{
    for (int kind = 0; kind < 6; kind++) {
        struct net net;
        struct pawl_socket sock = { 0 };
        net_begin(&net);
        const int peer = net_raw_pair(&net, &sock);
        if (kind < 3) shutdown(peer, SHUT_WR);
        net_settle(&net);
        ck_assert_int_eq(net_finish(&net, pawl_spawn(CORO(never_waits, .sock = &sock, .kind = kind, .left = -1))), PAWL_ETIMEOUT);
        expect_idle(&sock);
        struct pawl_task *const task = pawl_spawn(CORO(never_waits, .sock = &sock, .kind = kind, .left = -1));
        for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_loop_run_once(&net.loop, false), 0);
        ck_assert_int_gt(pawl_task_frame(never_waits, task)->result, 60);
        pawl_task_cancel(task);
        ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
        expect_idle(&sock);
        close(peer);
        pawl_socket_close(&sock);
        net_end(&net);
    }
}
END_TEST

/* To a Unix socket a connect never waits, whether it is taken or, its queue being full, not. */
struct connects {
    COROUTINE(void);
    struct pawl_address address;
    struct pawl_socket sock;
    struct pawl_connect_to connect;
    int left;
};

ASYNC(connects)
{
    ASYNC_BEGIN(connects);
    for (; self->left > 0; self->left--) {
        TRY_AWAIT(self->connect, pawl_connect_to(&self->sock, &self->address));
        if (AWAIT_ERROR() != 0 && AWAIT_ERROR() != -EAGAIN) RAISE(AWAIT_ERROR());
        pawl_socket_close(&self->sock);
    }
    ASYNC_END;
}

START_TEST(a_task_that_connects_and_connects_gives_way)
{
    enum { OFTEN = 640 };
    struct net net;
    struct pawl_socket listener = { 0 };
    struct pawl_address address;
    char name[64];
    net_begin(&net);
    snprintf(name, sizeof name, "@pawl-connects-%d", (int)getpid());
    ck_assert_int_eq(pawl_address_unix(&address, name), 0);
    ck_assert_int_eq(pawl_listen_at(&listener, &address, 4), 0);
    struct pawl_task *const counter = pawl_spawn(CORO(counts));
    ck_assert_int_eq(net_finish(&net, pawl_spawn(CORO(connects, .address = address, .left = OFTEN))), 0);
    ck_assert_int_ge(pawl_task_frame(counts, counter)->result, OFTEN / 64 - 2);
    pawl_task_cancel(counter);
    ck_assert_int_eq(net_finish(&net, counter), PAWL_ECANCELLED);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

/* The peer is a thread that takes whatever comes. */
static void *takes_all(void *argument)
{
    static char taken[1 << 16];
    while (read(*(int *)argument, taken, sizeof taken) > 0) {}
    return NULL;
}

START_TEST(a_large_send_gives_way_within)
{
    enum { MUCH = 64 << 20 };
    struct net net;
    struct pawl_socket sock = { 0 };
    pthread_t thread;
    char *const data = calloc(1, MUCH);
    ck_assert_ptr_nonnull(data);
    net_begin(&net);
    int peer = net_raw_pair(&net, &sock);
    ck_assert_int_eq(pthread_create(&thread, NULL, takes_all, &peer), 0);
    struct pawl_task *const counter = pawl_spawn(CORO(counts));
    ck_assert_int_eq(net_send(&net, &sock, data, MUCH), 0);
    ck_assert_int_ge(pawl_task_frame(counts, counter)->result, MUCH >> 21); /* half as often as MiB at least, however fast the peer */
    pawl_task_cancel(counter);
    ck_assert_int_eq(net_finish(&net, counter), PAWL_ECANCELLED);
    pawl_socket_close(&sock);
    pthread_join(thread, NULL);
    close(peer);
    free(data);
    net_end(&net);
}
END_TEST

/* Whoever gives way has the side all the while, and is ended by closing like one that waits. */
START_TEST(one_that_gives_way_is_still_the_only_one)
{
    struct net net;
    struct pawl_socket sock = { 0 };
    char byte;
    size_t got;
    net_begin(&net);
    const int peer = net_raw_pair(&net, &sock);
    shutdown(peer, SHUT_WR);
    net_settle(&net);
    struct pawl_task *const task = pawl_spawn(CORO(never_waits, .sock = &sock, .kind = 0, .left = 1000000));
    ck_assert_int_eq(pawl_loop_run_once(&net.loop, false), 0);
    ck_assert(!pawl_future_done(task));
    struct pawl_task *const second = pawl_spawn_eager(pawl_recv(&sock, &byte, 1));
    ck_assert(pawl_future_done(second));
    ck_assert_int_eq(net_finish_recv(&net, second, &got), PAWL_EBUSY);
    pawl_socket_close(&sock);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECLOSED);
    close(peer);
    net_end(&net);
}
END_TEST

/* ---- Accepting patiently ---- */

/* No descriptor is left for this process until the limit is lifted. */
static struct rlimit limit_before;
static void use_up_descriptors(void)
{
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit_before), 0);
    const struct rlimit limit = { (rlim_t)lowest_free(), limit_before.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void give_descriptors_back(void)
{
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit_before), 0);
}

/* Valgrind has the system take the connection, and closes it then. */
static bool is_queued(const struct pawl_socket *listener)
{
    struct pollfd asked = { .fd = listener->watch.fd, .events = POLLIN };
    const bool queued = poll(&asked, 1, 0) == 1;
    if (!queued) fprintf(stderr, "# skipped: without a descriptor the connection does not stay in the queue here\n");
    return queued;
}

/* NULL: it cannot be tried here. */
static struct pawl_task *accept_without_descriptors(struct net *net, struct pawl_socket *listener, struct pawl_socket *sock, int *peer)
{
    const uint16_t port = net_listen(listener, 4);
    *peer = raw_connect(port);
    use_up_descriptors();
    struct pawl_accept accept = pawl_accept(listener, sock);
    ck_assert_int_eq(net_op(net, &accept), -EMFILE); /* the impatient one */
    expect_idle(listener);
    if (!is_queued(listener)) return NULL;
    struct pawl_task *const task = pawl_spawn(pawl_accept_patiently(listener, sock));
    const pawl_time until = pawl_loop_time(&net->loop) + PAWL_MS(60); /* several pauses */
    while (pawl_loop_time(&net->loop) < until) ck_assert_int_eq(net_finish(net, pawl_spawn(pawl_sleep(PAWL_MS(10)))), 0);
    ck_assert(!pawl_future_done(task));
    ck_assert_int_eq(net->reports, 1); /* told once */
    net->reports = 0;
    return task;
}

START_TEST(without_a_descriptor_it_waits_tells_once_and_goes_on)
{
    for (int into = 0; into < 2; into++) {
        struct net net;
        struct pawl_socket listener = { 0 }, sock = { 0 };
        int peer;
        net_begin(&net);
        struct pawl_task *const task = accept_without_descriptors(&net, &listener, into ? &sock : NULL, &peer);
        give_descriptors_back();
        if (task != NULL) {
            ck_assert_int_eq(pawl_loop_run_until_complete(&net.loop, task), 0);
            const int fd = pawl_task_frame(pawl_accept_patiently, task)->result;
            pawl_task_release(task);
            if (!into) ck_assert_int_eq(pawl_socket_adopt(&sock, fd), 0);
            raw_send(peer, "patience");
            net_expect(&net, &sock, "patience");
        }
        close(peer);
        close_both(&listener, &sock);
        net_end(&net);
    }
}
END_TEST

START_TEST(cancelled_or_closed_in_its_pause_it_ends)
{
    for (int closing = 0; closing < 2; closing++) {
        struct net net;
        struct pawl_socket listener = { 0 }, sock = { 0 };
        int peer;
        net_begin(&net);
        struct pawl_task *const task = accept_without_descriptors(&net, &listener, &sock, &peer);
        if (task != NULL) {
            if (closing) pawl_socket_close(&listener);
            else pawl_task_cancel(task);
            ck_assert_int_eq(net_finish(&net, task), closing ? PAWL_ECLOSED : PAWL_ECANCELLED);
            ck_assert(!pawl_socket_is_open(&sock));
        }
        give_descriptors_back();
        if (task != NULL && !closing) ck_assert_int_eq(net_accept(&net, &listener, &sock), 0); /* the connection is still there */
        close(peer);
        close_both(&listener, &sock);
        net_end(&net);
    }
}
END_TEST

START_TEST(patience_is_only_for_what_may_pass)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 }, closed = { 0 };
    net_begin(&net);
    struct pawl_accept_patiently accept = pawl_accept_patiently(NULL, &a);
    ck_assert_int_eq(net_op(&net, &accept), PAWL_EINVAL);
    accept = pawl_accept_patiently(&closed, &a);
    ck_assert_int_eq(net_op(&net, &accept), PAWL_ECLOSED);
    net_pair(&net, &a, &b);
    accept = pawl_accept_patiently(&a, &closed);
    ck_assert_int_eq(net_op(&net, &accept), -EINVAL);
    net_listen(&listener, 1);
    accept = pawl_accept_patiently(&listener, &a);
    ck_assert_int_eq(net_op(&net, &accept), PAWL_EBUSY);
    accept = pawl_accept_patiently(&listener, &closed);
    struct pawl_task *const task = net_op_begin(&net, &accept);
    struct pawl_accept second = pawl_accept(&listener, &closed);
    ck_assert_int_eq(net_op(&net, &second), PAWL_EBUSY);
    pawl_socket_close(&listener);
    ck_assert_int_eq(net_op_end(&net, task, &accept), PAWL_ECLOSED);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

/* ---- By hand ---- */

START_TEST(by_hand_every_operation_waits_for_what_the_test_says)
{
    struct op ops[OPS];
    static struct party p;
    struct pawl_coro *co;
    memset(&p, 0, sizeof p);
    const int lowest = lowest_free(), count = all_ops(&p, ops); /* sockets that are closed: the system is not touched */
    for (int i = 0; i < count; i++) {
        for (int outcome = 0; outcome < 2; outcome++) {
            struct op op = ops[i];
            co = (struct pawl_coro *)(void *)op.frame;
            struct pawl_future *const waits = pawl_coro_step_(co);
            ck_assert_msg(waits != NULL && !pawl_future_done(waits), "%s", op.name);
            ck_assert_ptr_eq(pawl_coro_step_(co), waits); /* stepping it again changes nothing */
            if (outcome) pawl_future_set_error(waits, -EHOSTDOWN);
            else pawl_future_set_done(waits);
            ck_assert_ptr_null(pawl_coro_step_(co));
            ck_assert_int_eq(pawl_coro_error_(co), outcome ? -EHOSTDOWN : 0);
        }
        struct op op = ops[i];
        co = (struct pawl_coro *)(void *)op.frame;
        ck_assert_ptr_nonnull(pawl_coro_step_(co));
        ck_assert_int_eq(pawl_coro_close_(co), 0);
        ck_assert(!pawl_socket_is_open(&p.sock));
    }
    ck_assert_int_eq(lowest_free(), lowest);
}
END_TEST

START_TEST(by_hand_patience_and_connecting_are_played_too)
{
    struct pawl_socket listener = { 0 }, sock = { 0 };
    const struct pawl_address at = parsed(here, 1);
    struct pawl_accept_patiently accept = pawl_accept_patiently(&listener, &sock);
    pawl_future_set_done(coro_step(&accept));
    accept.step.accept.result = 77;
    ck_assert_ptr_null(coro_step(&accept));
    ck_assert_int_eq(coro_error(&accept), 0);
    ck_assert_int_eq(accept.result, 77);
    struct pawl_connect_to connect = pawl_connect_to(&sock, &at);
    pawl_future_set_error(coro_step(&connect), -ECONNREFUSED);
    ck_assert_ptr_null(coro_step(&connect));
    ck_assert_int_eq(coro_error(&connect), -ECONNREFUSED);
    ck_assert(!pawl_socket_is_open(&sock));
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("sockets");
    ADD(suite, "steps", open_bind_listen_connect_and_accept, a_connect_that_fails_closes_the_socket_that_was_open, the_steps_tell_what_is_wrong);
    if (has_ipv6()) ADD(suite, "ipv6", ipv6_step_by_step, an_ipv6_listener_takes_ipv4_unless_it_is_told_not_to);
    else fprintf(stderr, "# skipped: no ::1 here\n");
    ADD(suite, "adopt", a_listening_descriptor_is_taken_over, a_descriptor_goes_and_comes_back_with_all_that_is_in_it,
        a_regular_file_is_EPERM_and_closed);
    ADD(suite, "every", closing_or_releasing_ends_every_operation, cancelling_ends_every_operation_and_leaves_the_socket_free,
        cancelled_and_closed_in_one_turn_is_cancelled, a_socket_that_is_opened_anew_belongs_to_its_new_operations,
        a_second_operation_on_a_side_is_EBUSY_and_one_on_the_other_is_not,
        every_operation_needs_an_open_socket_of_its_loop, a_reader_and_a_writer_go_on_side_by_side);
    ADD(suite, "half", half_of_a_connection_is_closed, shutting_down_ones_own_side_wakes_ones_own_reader,
        a_listener_that_is_shut_down_ends_who_accepts);
    ADD(suite, "ready", somebody_else_may_read_in_between, room_and_errors_and_connections_are_waited_for_too);
    ADD(suite, "try", a_try_says_how_much_or_that_it_would_wait, any_number_may_wait_until_it_is_ready,
        one_that_does_not_wait_any_more_leaves_it_to_the_others, of_a_closed_socket_ready_is_ECLOSED);
    ADD(suite, "numbers", a_number_that_is_closed_and_opened_within_a_batch_wakes_nobody_wrong);
    ADD(suite, "fair", a_task_that_never_has_to_wait_gives_way, a_task_that_connects_and_connects_gives_way, a_large_send_gives_way_within,
        a_timeout_and_a_cancellation_get_through_to_it,
        one_that_gives_way_is_still_the_only_one);
    ADD(suite, "patience", without_a_descriptor_it_waits_tells_once_and_goes_on, cancelled_or_closed_in_its_pause_it_ends,
        patience_is_only_for_what_may_pass);
    ADD(suite, "by hand", by_hand_every_operation_waits_for_what_the_test_says, by_hand_patience_and_connecting_are_played_too);
    return suite;
}
