/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Unix sockets: paths that stay behind and names that do not, streams and messages, and a queue of connections that is full. */
#define _GNU_SOURCE
#include "socket_world.h"

#include <sys/stat.h>

/* A folder of this test's own. */
struct folder {
    char path[64];
    char name[96]; /* of the last path made in it */
};

static void folder_begin(struct folder *folder)
{
    strcpy(folder->path, P_tmpdir "/pawl-unix-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder->path));
}

/* Whatever a test has left there is removed by it. */
static void folder_end(struct folder *folder)
{
    ck_assert_msg(rmdir(folder->path) == 0, "%s is not empty", folder->path);
}

static struct pawl_address in_folder(struct folder *folder, const char *name)
{
    struct pawl_address address;
    snprintf(folder->name, sizeof folder->name, "%s/%s", folder->path, name);
    ck_assert_int_eq(pawl_address_unix(&address, folder->name), 0);
    return address;
}

static struct pawl_address abstract(const char *name)
{
    struct pawl_address address;
    char text[64];
    snprintf(text, sizeof text, "@pawl-unix-%s-%d", name, (int)getpid());
    ck_assert_int_eq(pawl_address_unix(&address, text), 0);
    return address;
}

static int net_connect_to(struct net *net, struct pawl_socket *sock, const struct pawl_address *address)
{
    struct pawl_connect_to connect = pawl_connect_to(sock, address);
    return net_op(net, &connect);
}

/* A word there and one back. */
static void expect_connected(struct net *net, struct pawl_socket *a, struct pawl_socket *b)
{
    ck_assert_int_eq(net_send(net, a, "question", 8), 0);
    net_expect(net, b, "question");
    ck_assert_int_eq(net_send(net, b, "answer", 6), 0);
    net_expect(net, a, "answer");
}

/* ---- Streams ---- */

static void listen_and_connect(const struct pawl_address *address)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    struct pawl_address own, peer;
    net_begin(&net);
    ck_assert_int_eq(pawl_listen_at(&listener, address, 4), 0);
    ck_assert_int_eq(pawl_socket_address(&listener, &own), 0);
    ck_assert(pawl_address_equal(&own, address));
    ck_assert_int_eq(pawl_socket_port(&listener), 0);
    ck_assert_int_eq(net_connect_to(&net, &a, address), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(pawl_socket_peer(&a, &peer), 0);
    ck_assert(pawl_address_equal(&peer, address));
    ck_assert_int_eq(pawl_socket_peer(&b, &peer), 0);
    ck_assert(!pawl_address_equal(&peer, &peer)); /* who connects has no name */
    expect_connected(&net, &a, &b);
    close_both(&a, &b);
    pawl_socket_close(&listener);
    net_end(&net);
}

START_TEST(a_stream_goes_over_a_path)
{
    struct folder folder;
    folder_begin(&folder);
    const struct pawl_address address = in_folder(&folder, "sock");
    listen_and_connect(&address);
    ck_assert_int_eq(unlink(folder.name), 0); /* the path stays */
    folder_end(&folder);
}
END_TEST

START_TEST(a_stream_goes_over_a_name)
{
    const struct pawl_address address = abstract("stream");
    listen_and_connect(&address);
    listen_and_connect(&address); /* the name goes with the socket */
}
END_TEST

START_TEST(a_path_of_the_greatest_length_works)
{
    struct folder folder;
    char path[108];
    struct pawl_address address;
    folder_begin(&folder);
    memset(path, 'n', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    memcpy(path, folder.path, strlen(folder.path));
    path[strlen(folder.path)] = '/';
    ck_assert_uint_eq(strlen(path), 107);
    ck_assert_int_eq(pawl_address_unix(&address, path), 0);
    listen_and_connect(&address);
    ck_assert_int_eq(unlink(path), 0);
    folder_end(&folder);
}
END_TEST

START_TEST(seqpackets_keep_their_borders)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    const struct pawl_address address = abstract("seqpacket");
    net_begin(&net);
    ck_assert_int_eq(pawl_socket_open(&listener, AF_UNIX, SOCK_SEQPACKET), 0);
    ck_assert_int_eq(pawl_socket_bind(&listener, &address), 0);
    ck_assert_int_eq(pawl_socket_listen(&listener, 4), 0);
    ck_assert_int_eq(net_connect_to(&net, &a, &address), -ECONNREFUSED); /* as a stream, which is what it is opened as */
    ck_assert_int_eq(pawl_socket_open(&a, AF_UNIX, SOCK_SEQPACKET), 0);
    ck_assert_int_eq(net_connect_to(&net, &a, &address), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(net_send(&net, &a, "one", 3), 0);
    ck_assert_int_eq(net_send(&net, &a, "and another", 11), 0);
    ck_assert_int_eq(net_send(&net, &a, "three", 5), 0);
    net_expect(&net, &b, "one");
    char data[3];
    struct pawl_recv_from recv = pawl_recv_from(&b, data, sizeof data, NULL);
    ck_assert_int_eq(net_op(&net, &recv), 0);
    ck_assert(recv.truncated);
    ck_assert_mem_eq(data, "and", 3);
    net_expect(&net, &b, "three");
    pawl_socket_close(&a);
    size_t got = 9;
    ck_assert_int_eq(net_recv(&net, &b, data, sizeof data, &got), 0);
    ck_assert_uint_eq(got, 0);
    close_both(&b, &listener);
    net_end(&net);
}
END_TEST

START_TEST(pairs_of_every_type_carry_bytes)
{
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
    struct net net;
    net_begin(&net);
    for (size_t i = 0; i < 3; i++) {
        struct pawl_socket a = { 0 }, b = { 0 };
        net_local_pair(&a, &b, types[i]);
        ck_assert(fcntl(pawl_socket_fd(&a), F_GETFL) & O_NONBLOCK);
        ck_assert(fcntl(pawl_socket_fd(&b), F_GETFD) & FD_CLOEXEC);
        expect_connected(&net, &a, &b);
        close_both(&a, &b);
    }
    net_end(&net);
}
END_TEST

/* ---- Paths that are there already ---- */

static void make_stale(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(un.sun_path, path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&un, sizeof un), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    close(fd);
}

START_TEST(a_path_that_nobody_listens_to_is_replaced)
{
    struct folder folder;
    folder_begin(&folder);
    const struct pawl_address address = in_folder(&folder, "stale");
    make_stale(folder.name);
    for (int i = 0; i < 3; i++) listen_and_connect(&address); /* its own is stale then, too */
    ck_assert_int_eq(unlink(folder.name), 0);
    folder_end(&folder);
}
END_TEST

START_TEST(but_not_by_bind_alone)
{
    struct net net;
    struct folder folder;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    folder_begin(&folder);
    const struct pawl_address address = in_folder(&folder, "stale");
    make_stale(folder.name);
    ck_assert_int_eq(pawl_socket_open(&sock, AF_UNIX, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_bind(&sock, &address), -EADDRINUSE);
    pawl_socket_close(&sock);
    ck_assert_int_eq(unlink(folder.name), 0);
    folder_end(&folder);
    net_end(&net);
}
END_TEST

START_TEST(a_path_that_somebody_listens_to_is_left_to_him)
{
    struct net net;
    struct folder folder;
    struct pawl_socket live = { 0 }, late = { 0 }, a = { 0 }, b = { 0 };
    char byte;
    size_t got;
    net_begin(&net);
    folder_begin(&folder);
    const struct pawl_address address = in_folder(&folder, "live");
    ck_assert_int_eq(pawl_listen_at(&live, &address, 4), 0);
    ck_assert_int_eq(pawl_listen_at(&late, &address, 4), -EADDRINUSE);
    ck_assert(!pawl_socket_is_open(&late));
    ck_assert_int_eq(net_accept(&net, &live, &b), 0); /* that was asked whether it lives */
    ck_assert_int_eq(net_recv(&net, &b, &byte, 1, &got), 0);
    ck_assert_uint_eq(got, 0);
    pawl_socket_close(&b);
    ck_assert_int_eq(net_connect_to(&net, &a, &address), 0);
    ck_assert_int_eq(net_accept(&net, &live, &b), 0);
    expect_connected(&net, &a, &b);
    close_both(&a, &b);
    pawl_socket_close(&live);
    ck_assert_int_eq(unlink(folder.name), 0);
    folder_end(&folder);
    net_end(&net);
}
END_TEST

/* Fills its queue of connections with raw ones: how many went in. */
static int fill_backlog(const struct pawl_address *address, int *fds, int most)
{
    for (int i = 0; i < most; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(fds[i], pawl_address_sockaddr(address), address->size) == 0) continue;
        ck_assert_int_eq(errno, EAGAIN);
        close(fds[i]);
        return i;
    }
    ck_abort_msg("the queue is never full");
    return 0;
}

START_TEST(one_whose_queue_is_full_is_alive_all_the_same)
{
    struct net net;
    struct folder folder;
    struct pawl_socket live = { 0 }, late = { 0 };
    int fds[16];
    net_begin(&net);
    folder_begin(&folder);
    const struct pawl_address address = in_folder(&folder, "full");
    ck_assert_int_eq(pawl_listen_at(&live, &address, 1), 0);
    const int count = fill_backlog(&address, fds, 16);
    ck_assert_int_eq(pawl_listen_at(&late, &address, 1), -EADDRINUSE);
    struct stat status;
    ck_assert_int_eq(lstat(folder.name, &status), 0);
    for (int i = 0; i < count; i++) close(fds[i]);
    pawl_socket_close(&live);
    ck_assert_int_eq(unlink(folder.name), 0);
    folder_end(&folder);
    net_end(&net);
}
END_TEST

/* What is no socket of streams is somebody else's. */
START_TEST(a_file_or_a_socket_of_another_kind_is_never_removed)
{
    struct net net;
    struct folder folder;
    struct pawl_socket sock = { 0 }, datagram = { 0 };
    struct stat status;
    char target[96];
    net_begin(&net);
    folder_begin(&folder);
    struct pawl_address address = in_folder(&folder, "file");
    close(open(folder.name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ck_assert_int_eq(pawl_listen_at(&sock, &address, 1), -EADDRINUSE);
    ck_assert_int_eq(unlink(folder.name), 0);

    address = in_folder(&folder, "datagram");
    ck_assert_int_eq(pawl_datagram_open(&datagram, AF_UNIX, &address), 0);
    ck_assert_int_eq(pawl_listen_at(&sock, &address, 1), -EADDRINUSE);
    pawl_socket_close(&datagram);
    ck_assert_int_eq(unlink(folder.name), 0);

    in_folder(&folder, "target");
    strcpy(target, folder.name);
    make_stale(target);
    address = in_folder(&folder, "link"); /* a link to a stale one */
    ck_assert_int_eq(symlink(target, folder.name), 0);
    ck_assert_int_eq(pawl_listen_at(&sock, &address, 1), -EADDRINUSE);
    ck_assert_int_eq(lstat(target, &status), 0);
    ck_assert_int_eq(unlink(folder.name), 0);
    ck_assert_int_eq(unlink(target), 0);

    address = in_folder(&folder, "no/such/folder");
    ck_assert_int_eq(pawl_listen_at(&sock, &address, 1), -ENOENT);
    ck_assert(!pawl_socket_is_open(&sock));
    folder_end(&folder);
    net_end(&net);
}
END_TEST

START_TEST(a_name_in_use_is_told)
{
    struct net net;
    struct pawl_socket first = { 0 }, second = { 0 };
    const struct pawl_address address = abstract("taken");
    net_begin(&net);
    ck_assert_int_eq(pawl_listen_at(&first, &address, 1), 0);
    ck_assert_int_eq(pawl_listen_at(&second, &address, 1), -EADDRINUSE);
    ck_assert_int_eq(pawl_listen_at(&first, &address, 1), PAWL_EBUSY);
    ck_assert(pawl_socket_is_open(&first));
    pawl_socket_close(&first);
    ck_assert_int_eq(pawl_listen_at(&second, &address, 1), 0);
    pawl_socket_close(&second);
    net_end(&net);
}
END_TEST

/* ---- Connecting ---- */

START_TEST(a_full_queue_of_connections_is_EAGAIN)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    const struct pawl_address address = abstract("backlog");
    int fds[16];
    net_begin(&net);
    ck_assert_int_eq(pawl_listen_at(&listener, &address, 2), 0);
    const int count = fill_backlog(&address, fds, 16);
    ck_assert_int_eq(net_connect_to(&net, &a, &address), -EAGAIN);
    ck_assert(!pawl_socket_is_open(&a));
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(net_connect_to(&net, &a, &address), 0);
    for (int i = 0; i < count; i++) close(fds[i]);
    close_both(&a, &b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

START_TEST(where_nobody_listens_it_is_told)
{
    struct net net;
    struct folder folder;
    struct pawl_socket sock = { 0 };
    net_begin(&net);
    folder_begin(&folder);
    struct pawl_address address = in_folder(&folder, "stale");
    ck_assert_int_eq(net_connect_to(&net, &sock, &address), -ENOENT);
    make_stale(folder.name);
    ck_assert_int_eq(net_connect_to(&net, &sock, &address), -ECONNREFUSED);
    ck_assert(!pawl_socket_is_open(&sock));
    ck_assert_int_eq(unlink(folder.name), 0);
    address = abstract("nobody");
    ck_assert_int_eq(net_connect_to(&net, &sock, &address), -ECONNREFUSED);
    folder_end(&folder);
    net_end(&net);
}
END_TEST

START_TEST(one_with_a_name_of_its_own_is_known_by_it)
{
    struct net net;
    struct pawl_socket listener = { 0 }, a = { 0 }, b = { 0 };
    const struct pawl_address address = abstract("named-server"), own = abstract("named-client");
    struct pawl_address peer;
    net_begin(&net);
    ck_assert_int_eq(pawl_listen_at(&listener, &address, 2), 0);
    ck_assert_int_eq(pawl_socket_open(&a, AF_UNIX, SOCK_STREAM), 0);
    ck_assert_int_eq(pawl_socket_bind(&a, &own), 0);
    ck_assert_int_eq(net_connect_to(&net, &a, &address), 0);
    ck_assert_int_eq(net_accept(&net, &listener, &b), 0);
    ck_assert_int_eq(pawl_socket_peer(&b, &peer), 0);
    ck_assert(pawl_address_equal(&peer, &own));
    close_both(&a, &b);
    pawl_socket_close(&listener);
    net_end(&net);
}
END_TEST

/* ---- The end ---- */

START_TEST(a_peer_that_closes_with_bytes_unread_is_a_reset)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char byte;
    size_t got;
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    ck_assert_int_eq(net_send(&net, &a, "unread", 6), 0);
    struct pawl_recv recv = pawl_recv(&a, &byte, 1);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    pawl_socket_close(&b);
    ck_assert_int_eq(net_op_end(&net, task, &recv), -ECONNRESET);
    ck_assert_int_eq(net_recv(&net, &a, &byte, 1, &got), 0);
    ck_assert_uint_eq(got, 0);
    pawl_socket_close(&a);
    net_end(&net);
}
END_TEST

START_TEST(half_of_it_can_be_closed)
{
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    char byte;
    size_t got;
    net_begin(&net);
    net_local_pair(&a, &b, SOCK_STREAM);
    struct pawl_recv recv = pawl_recv(&b, &byte, 1);
    struct pawl_task *const task = net_op_begin(&net, &recv);
    ck_assert_int_eq(pawl_socket_shutdown(&a, SHUT_WR), 0);
    ck_assert_int_eq(net_op_end(&net, task, &recv), 0);
    ck_assert_uint_eq(recv.result, 0);
    ck_assert_int_eq(net_send(&net, &b, "still", 5), 0);
    net_expect(&net, &a, "still");
    ck_assert_int_eq(net_send(&net, &a, "x", 1), -EPIPE);
    ck_assert_int_eq(pawl_socket_shutdown(&a, SHUT_RD), 0);
    ck_assert_int_eq(net_recv(&net, &a, &byte, 1, &got), 0);
    ck_assert_uint_eq(got, 0);
    ck_assert_int_eq(net_send(&net, &b, "x", 1), -EPIPE);
    close_both(&a, &b);
    net_end(&net);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("unix");
    ADD(suite, "streams", a_stream_goes_over_a_path, a_stream_goes_over_a_name, a_path_of_the_greatest_length_works, seqpackets_keep_their_borders,
        pairs_of_every_type_carry_bytes);
    ADD(suite, "paths", a_path_that_nobody_listens_to_is_replaced, but_not_by_bind_alone, a_path_that_somebody_listens_to_is_left_to_him,
        one_whose_queue_is_full_is_alive_all_the_same, a_file_or_a_socket_of_another_kind_is_never_removed, a_name_in_use_is_told);
    ADD(suite, "connect", a_full_queue_of_connections_is_EAGAIN, where_nobody_listens_it_is_told, one_with_a_name_of_its_own_is_known_by_it);
    ADD(suite, "end", a_peer_that_closes_with_bytes_unread_is_a_reset, half_of_it_can_be_closed);
    return suite;
}
