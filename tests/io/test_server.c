/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Servers: starting, serving, what goes wrong with one connection and must not touch the others, and the ends: closed, cancelled, shut
 * down, or dropped with the loop. The clients are raw sockets of this thread: a connect goes into the queue of the listener without
 * anybody accepting, and what is expected of the server is looked for while the loop runs.
 */
#define _GNU_SOURCE
#include "stream_world.h"

#include <dlfcn.h>
#include <sys/stat.h>

/* ---- Accepting, which may fail: the executable is linked with the static library ---- */

static struct {
    int calls, fail; /* with this error, if not 0 */
} accepting;

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
    static __typeof__(accept4) *real;
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "accept4");
    accepting.calls++;
    errno = accepting.fail;
    return accepting.fail != 0 ? -1 : real(fd, address, size, flags);
}

/* ---- What is told ---- */

static struct {
    int count, error;
    char name[32], where[128], message[64];
} told;

static void keep_report(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    (void)loop;
    told.count++;
    told.error = failure->error;
    snprintf(told.name, sizeof told.name, "%s", failure->name ? failure->name : "");
    snprintf(told.where, sizeof told.where, "%s", failure->where ? failure->where : "");
    snprintf(told.message, sizeof told.message, "%s", failure->message ? failure->message : "");
}

/* ---- Handlers ---- */

static int finallys; /* of handlers that have ended, however */

struct echo {
    CONNECTION;
    struct pawl_stream_piece line;
};

ASYNC(echo)
{
    ASYNC_BEGIN(echo);
    TRY {
        for (;;) {
            AWAIT(self->line, pawl_stream_read_line(&self->stream));
            if (self->line.size == 0) break;
            pawl_stream_write(&self->stream, self->line.data, self->line.size);
        }
        pawl_stream_write_text(&self->stream, "bye\n");
    } FINALLY {
        finallys++;
    } END_TRY;
    ASYNC_END;
}

/* Says what it was given, and ends at once. */
struct says {
    CONNECTION;
};

ASYNC(says)
{
    ASYNC_BEGIN(says);
    pawl_stream_write_text(&self->stream, self->argument);
    ASYNC_END;
}

/* Says something and ends with the error that it was given. */
struct fails {
    CONNECTION;
    struct pawl_stream_piece line;
};

ASYNC(fails)
{
    ASYNC_BEGIN(fails);
    AWAIT(self->line, pawl_stream_read_line(&self->stream));
    pawl_stream_write_text(&self->stream, "last words\n");
    RAISE(*(const int *)self->argument);
    ASYNC_END;
}

/* Does not end for a cancellation, but for a line that says so. */
struct stuck {
    CONNECTION;
    struct pawl_stream_piece line;
    int cancelled;
};

ASYNC(stuck)
{
    ASYNC_BEGIN(stuck);
    do {
        TRY_AWAIT(self->line, pawl_stream_read_line(&self->stream));
        if (AWAIT_ERROR() == PAWL_EEXIT) RAISE(PAWL_EEXIT);
        self->cancelled += AWAIT_ERROR() == PAWL_ECANCELLED;
    } while (AWAIT_ERROR() == PAWL_ECANCELLED);
    pawl_stream_printf(&self->stream, "cancelled %d times\n", self->cancelled);
    ASYNC_END;
}

/* ---- The world ---- */

static struct net net;
static struct pawl_server server;

static void begin(void)
{
    memset(&server, 0, sizeof server);
    memset(&told, 0, sizeof told);
    memset(&accepting, 0, sizeof accepting);
    finallys = 0;
    net_begin(&net);
    pawl_loop_set_report(&net.loop, keep_report);
}

static uint16_t serve(struct pawl_handler handler, void *argument)
{
    ck_assert_int_eq(pawl_start_server(&server, "127.0.0.1", 0, handler, argument), 0);
    return (uint16_t)pawl_server_port(&server);
}

static void end(void)
{
    pawl_server_close(&server);
    ck_assert_int_eq(net_run(&net, pawl_server_wait_closed(&server)), 0);
    ck_assert_uint_eq(server.count, 0);
    net_end(&net);
}

static void iterate(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&net.loop, false), 0);
}

/* Runs until the client has got this text; "" is the end. */
static void expect(int fd, const char *text)
{
    char data[256];
    size_t size = strlen(text), total = 0;
    do {
        iterate();
        const ssize_t got = recv(fd, data + total, size > 0 ? size - total : 1, MSG_DONTWAIT);
        if (got < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            continue;
        }
        ck_assert_int_eq(got > 0, size > 0);
        total += (size_t)got;
        if (size == 0) return;
    } while (total < size);
    ck_assert_mem_eq(data, text, size);
}

static void until_count(size_t count)
{
    for (int i = 0; i < 10000 && server.count != count; i++) iterate();
    ck_assert_uint_eq(server.count, count);
}

/* A client that is being served. */
static int client(uint16_t port)
{
    const int fd = raw_connect(port);
    raw_send(fd, "hello\n");
    expect(fd, "hello\n");
    return fd;
}

/* ---- Starting ---- */

START_TEST(it_serves_on_a_host_and_port)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    ck_assert_uint_gt(port, 0);
    const int a = client(port), b = client(port);
    ck_assert_uint_eq(server.count, 2);
    ck_assert_uint_eq(server.served, 2);
    shutdown(a, SHUT_WR);
    expect(a, "bye\n");
    expect(a, "");
    until_count(1);
    close(a);
    close(b);
    until_count(0);
    ck_assert_int_eq(told.count, 0);
    ck_assert_uint_eq(server.failed, 0);
    end();
}
END_TEST

START_TEST(it_serves_on_a_unix_path_and_again_on_the_same)
{
    struct pawl_address address;
    struct pawl_stream stream = { 0 };
    char folder[] = "/tmp/pawl-server-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    ck_assert_int_eq(pawl_address_unix(&address, path), 0);
    for (int i = 0; i < 2; i++) {
        begin();
        ck_assert_int_eq(pawl_start_server_at(&server, &address, HANDLER(echo), NULL), 0);
        ck_assert_int_eq(net_run(&net, pawl_open_connection_at(&stream, &address)), 0);
        ck_assert_int_eq(pawl_stream_write_text(&stream, "over a path\n"), 0);
        net_expect_line(&net, &stream, "over a path\n");
        pawl_stream_abort(&stream);
        end();
        ck_assert_int_eq(access(path, F_OK), 0); /* it stays, and the next one replaces it */
    }
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(a_unix_path_that_somebody_has_taken_away_or_replaced_is_left_alone)
{
    struct pawl_address address;
    struct pawl_socket other = { 0 };
    char folder[] = "/tmp/pawl-server-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    ck_assert_int_eq(pawl_address_unix(&address, path), 0);
    for (int i = 0; i < 2; i++) {
        begin();
        ck_assert_int_eq(pawl_start_server_at(&server, &address, HANDLER(echo), NULL), 0);
        ck_assert_int_eq(unlink(path), 0);
        if (i == 1) ck_assert_int_eq(pawl_listen_at(&other, &address, 1), 0);
        pawl_server_close(&server);
        ck_assert_int_eq(access(path, F_OK), i == 0 ? -1 : 0);
        pawl_socket_close(&other);
        end();
    }
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(it_serves_on_a_socket_of_ones_own)
{
    struct pawl_socket listener = { 0 };
    begin();
    const uint16_t port = net_listen(&listener, 3);
    ck_assert_int_eq(pawl_start_server_on(&server, &listener, HANDLER(echo), NULL), 0);
    ck_assert(!pawl_socket_is_open(&listener)); /* it was moved */
    ck_assert_int_eq(pawl_server_port(&server), port);
    close(client(port));
    until_count(0);
    end();
}
END_TEST

START_TEST(each_handler_has_the_argument)
{
    char text[] = "what it was given\n";
    begin();
    const uint16_t port = serve(HANDLER(says), text);
    for (int i = 0; i < 3; i++) {
        const int fd = raw_connect(port);
        expect(fd, "what it was given\n");
        expect(fd, "");
        close(fd);
    }
    ck_assert_uint_eq(server.served, 3);
    end();
}
END_TEST

START_TEST(what_cannot_be_started_is_refused_and_closed)
{
    struct pawl_socket closed = { 0 };
    struct pawl_address nothing = { .size = 0 };
    begin();
    ck_assert_int_eq(pawl_start_server(NULL, "127.0.0.1", 0, HANDLER(echo), NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_start_server(&server, "127.0.0.1", 0, (struct pawl_handler){ 0 }, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_start_server(&server, "no.such.host.", 0, HANDLER(echo), NULL), PAWL_EHOST);
    ck_assert_int_eq(pawl_start_server_at(&server, NULL, HANDLER(echo), NULL), PAWL_EINVAL);
    ck_assert_int_ne(pawl_start_server_at(&server, &nothing, HANDLER(echo), NULL), 0);
    ck_assert_int_eq(pawl_start_server_on(&server, NULL, HANDLER(echo), NULL), PAWL_EINVAL);
    ck_assert_int_ne(pawl_start_server_on(&server, &closed, HANDLER(echo), NULL), 0);
    pawl_loop_use(NULL);
    ck_assert_int_eq(pawl_start_server(&server, "127.0.0.1", 0, HANDLER(echo), NULL), PAWL_EINVAL);
    pawl_loop_use(&net.loop);
    ck_assert_int_lt(pawl_server_port(&server), 0);
    ck_assert_int_eq(net_run(&net, pawl_server_wait_closed(NULL)), PAWL_EINVAL);
    ck_assert_int_eq(net_run(&net, pawl_serve_forever(NULL)), PAWL_EINVAL);
    ck_assert_int_eq(net_run(&net, pawl_server_shutdown(NULL, 0)), PAWL_EINVAL);
    pawl_server_close(&server);
    pawl_server_cancel(&server);
    ck_assert_int_eq(net_run(&net, pawl_server_shutdown(&server, PAWL_FOREVER)), 0); /* one that never began */
    ck_assert_int_eq(net_run(&net, pawl_serve_forever(&server)), 0);
    end();
}
END_TEST

START_TEST(while_at_work_it_is_EBUSY_and_after_its_end_it_starts_again)
{
    struct pawl_socket listener = { 0 };
    begin();
    const int fd = client(serve(HANDLER(echo), NULL));
    ck_assert_int_eq(pawl_start_server(&server, "127.0.0.1", 0, HANDLER(echo), NULL), PAWL_EBUSY);
    net_listen(&listener, 1);
    ck_assert_int_eq(pawl_start_server_on(&server, &listener, HANDLER(echo), NULL), PAWL_EBUSY);
    ck_assert(pawl_socket_is_open(&listener)); /* and is left alone */
    pawl_socket_close(&listener);
    pawl_server_close(&server);
    iterate();
    ck_assert_int_eq(pawl_start_server(&server, "127.0.0.1", 0, HANDLER(echo), NULL), PAWL_EBUSY); /* a connection is left */
    close(fd);
    ck_assert_int_eq(net_run(&net, pawl_server_wait_closed(&server)), 0);
    for (int i = 0; i < 3; i++) {
        close(client(serve(HANDLER(echo), NULL)));
        ck_assert_uint_eq(server.served, 1);
        pawl_server_close(&server);
        ck_assert_int_eq(net_run(&net, pawl_server_wait_closed(&server)), 0);
    }
    end();
}
END_TEST

START_TEST(closed_before_it_has_begun_it_ends)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int fd = raw_connect(port);
    pawl_server_close(&server);
    ck_assert_int_eq(net_run(&net, pawl_server_wait_closed(&server)), 0);
    ck_assert_uint_eq(server.served, 0);
    close(fd);
    end();
}
END_TEST

/* ---- What goes wrong with one ---- */

START_TEST(an_error_of_a_handler_is_told_with_its_name_and_place)
{
    int error = -EPROTO;
    begin();
    const uint16_t port = serve(HANDLER(fails), &error);
    const int bad = raw_connect(port), other = raw_connect(port);
    raw_send(bad, "x\n");
    expect(bad, "last words\n"); /* is sent all the same */
    expect(bad, "");
    until_count(1);
    ck_assert_int_eq(told.count, 1);
    ck_assert_int_eq(told.error, -EPROTO);
    ck_assert_str_eq(told.name, "fails");
    if (PAWL_RAISE_LOCATION) ck_assert_ptr_nonnull(strstr(told.where, "test_server.c:"));
    ck_assert_str_ne(told.message, "");
    ck_assert_uint_eq(server.failed, 1);
    raw_send(other, "y\n"); /* the others go on */
    expect(other, "last words\n");
    close(bad);
    close(other);
    until_count(0);
    ck_assert_uint_eq(server.failed, 2);
    end();
}
END_TEST

START_TEST(what_is_the_peers_business_is_not_told)
{
    static int errors[] = { -ECONNRESET, -EPIPE, -ETIMEDOUT, PAWL_EEOF, PAWL_ECANCELLED };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        begin();
        const int fd = raw_connect(serve(HANDLER(fails), &errors[i]));
        raw_send(fd, "x\n");
        if (errors[i] != PAWL_ECANCELLED) expect(fd, "last words\n");
        expect(fd, "");
        close(fd);
        until_count(0);
        ck_assert_uint_eq(server.served, 1);
        ck_assert_int_eq(told.count, 0);
        ck_assert_uint_eq(server.failed, 0);
        end();
    }
}
END_TEST

START_TEST(a_peer_that_resets_is_not_told_and_the_server_goes_on)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int fd = client(port);
    raw_reset(fd);
    until_count(0);
    ck_assert_int_eq(finallys, 1);
    raw_reset(raw_connect(port)); /* before it was accepted */
    close(raw_connect(port));
    for (int i = 0; i < 1000 && server.served < 2; i++) iterate();
    until_count(0);
    close(client(port));
    until_count(0);
    ck_assert_int_eq(told.count, 0);
    end();
}
END_TEST

START_TEST(a_line_beyond_the_limit_of_the_server_is_an_error)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    server.limit = 10;
    const int fd = client(port);
    raw_send(fd, "0123456789\n");
    expect(fd, "0123456789\n");
    raw_send(fd, "0123456789a\n");
    expect(fd, "");
    ck_assert_int_eq(told.error, PAWL_ELIMIT);
    ck_assert_str_eq(told.name, "echo");
    close(fd);
    server.limit = 0; /* the default for those that come now */
    const int other = client(port);
    raw_send(other, "0123456789a\n");
    expect(other, "0123456789a\n");
    close(other);
    until_count(0);
    end();
}
END_TEST

START_TEST(without_memory_for_its_task_a_connection_is_closed_and_told)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int fd = raw_connect(port);
    net.memory.fail_at = net.memory.calls + 1;
    expect(fd, "");
    close(fd);
    ck_assert_int_eq(told.count, 1);
    ck_assert_int_eq(told.error, PAWL_ENOMEM);
    ck_assert_str_eq(told.name, "echo");
    ck_assert_uint_eq(server.failed, 1);
    close(client(port));
    until_count(0);
    end();
}
END_TEST

/* Whichever allocation fails from accepting to the end, the next client is served. */
START_TEST(each_allocation_of_a_connection_may_fail)
{
    size_t failures = 0;
    for (size_t fail = 1; fail < 20; fail++) {
        begin();
        const uint16_t port = serve(HANDLER(echo), NULL);
        const int fd = raw_connect(port);
        net.memory.fail_at = net.memory.calls + fail;
        raw_send(fd, "one\n");
        shutdown(fd, SHUT_WR);
        char data[64];
        for (ssize_t got = -1; got != 0;) {
            iterate();
            got = recv(fd, data, sizeof data, MSG_DONTWAIT);
            if (got < 0 && errno != EAGAIN) break; /* reset: input was left unread */
        }
        until_count(0);
        const bool happened = net.memory.calls >= net.memory.fail_at;
        failures += happened;
        net.memory.fail_at = 0;
        close(fd);
        close(client(port));
        until_count(0);
        ck_assert_int_le(told.count, happened);
        end();
        if (!happened) break;
    }
    ck_assert_uint_ge(failures, 2);
    ck_assert_uint_lt(failures, 19);
}
END_TEST

START_TEST(without_descriptors_it_waits_and_goes_on)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int fd = raw_connect(port);
    raw_send(fd, "hello\n");
    accepting.fail = EMFILE;
    for (int i = 0; i < 100 && told.count == 0; i++) iterate();
    ck_assert_int_eq(told.error, -EMFILE);
    net_settle(&net);
    ck_assert_int_lt(accepting.calls, 5); /* it does not ask all the time */
    ck_assert_uint_eq(server.served, 0);
    accepting.fail = 0;
    expect(fd, "hello\n"); /* when it tries again */
    ck_assert_int_eq(told.count, 1);
    close(fd);
    until_count(0);
    end();
}
END_TEST

/* ---- Many ---- */

START_TEST(no_more_are_served_at_a_time_than_it_may)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    pawl_server_set_most(&server, 2);
    const int a = client(port), b = client(port), c = raw_connect(port), d = raw_connect(port);
    raw_send(c, "c\n");
    raw_send(d, "d\n");
    net_settle(&net);
    ck_assert_uint_eq(server.count, 2);
    ck_assert_uint_eq(server.served, 2);
    close(a);
    expect(c, "c\n");
    ck_assert_uint_eq(server.count, 2);
    ck_assert_uint_eq(server.served, 3);
    close(b);
    expect(d, "d\n");
    close(c);
    close(d);
    until_count(0);
    ck_assert_uint_eq(server.served, 4);
    end();
}
END_TEST

START_TEST(a_full_server_is_given_more_room)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    pawl_server_set_most(&server, 1);
    const int a = client(port), b = raw_connect(port), c = raw_connect(port);
    raw_send(b, "b\n");
    raw_send(c, "c\n");
    net_settle(&net);
    ck_assert_uint_eq(server.count, 1);
    pawl_server_set_most(&server, 2);
    expect(b, "b\n");
    ck_assert_uint_eq(server.count, 2);
    pawl_server_set_most(&server, 0);
    expect(c, "c\n");
    ck_assert_uint_eq(server.count, 3);
    close(a);
    close(b);
    close(c);
    until_count(0);
    end();
}
END_TEST

START_TEST(a_full_server_is_closed)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    pawl_server_set_most(&server, 1);
    const int a = client(port), b = raw_connect(port);
    net_settle(&net);
    pawl_server_close(&server);
    struct pawl_task *const waiting = pawl_spawn(pawl_server_wait_closed(&server));
    net_settle(&net);
    ck_assert(!pawl_future_done(waiting));
    close(a);
    ck_assert_int_eq(net_finish(&net, waiting), 0);
    ck_assert_uint_eq(server.served, 1);
    close(b);
    end();
}
END_TEST

START_TEST(a_thousand_connections_come_and_go)
{
    enum { TOGETHER = 20, ROUNDS = 50 };
    int fds[TOGETHER];
    size_t alive = 0;
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < TOGETHER; i++) {
            fds[i] = raw_connect(port);
            raw_send(fds[i], "x\n");
        }
        for (int i = 0; i < TOGETHER; i++) expect(fds[i], "x\n");
        ck_assert_uint_eq(server.count, TOGETHER);
        for (int i = 0; i < TOGETHER; i++) {
            if (i % 3 == 0) raw_reset(fds[i]);
            else close(fds[i]);
        }
        until_count(0);
        if (round == 0) alive = net.memory.alive;
        ck_assert_uint_le(net.memory.alive, alive); /* the loop may keep some for the next ones */
    }
    ck_assert_uint_eq(server.served, TOGETHER * ROUNDS);
    ck_assert_int_eq(finallys, TOGETHER * ROUNDS);
    ck_assert_int_eq(told.count, 0);
    ck_assert_int_eq(net_watched(&net), 1); /* the listener */
    end();
}
END_TEST

/* ---- The end ---- */

START_TEST(wait_closed_waits_for_the_close_and_the_last_connection)
{
    struct pawl_task *waiting[3];
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    waiting[0] = pawl_spawn(pawl_server_wait_closed(&server)); /* nobody is there, and it is open */
    net_settle(&net);
    const int fd = client(port);
    waiting[1] = pawl_spawn(pawl_server_wait_closed(&server));
    net_settle(&net);
    pawl_server_close(&server);
    ck_assert_int_lt(pawl_server_port(&server), 0);
    waiting[2] = pawl_spawn(pawl_server_wait_closed(&server));
    net_settle(&net);
    for (int i = 0; i < 3; i++) ck_assert(!pawl_future_done(waiting[i]));
    raw_send(fd, "still served\n");
    expect(fd, "still served\n");
    pawl_task_cancel(waiting[1]);
    ck_assert_int_eq(net_finish(&net, waiting[1]), PAWL_ECANCELLED);
    ck_assert_uint_eq(server.count, 1); /* that does nothing to the connections */
    close(fd);
    ck_assert_int_eq(net_finish(&net, waiting[0]), 0);
    ck_assert_int_eq(net_finish(&net, waiting[2]), 0);
    ck_assert_int_eq(net_run(&net, pawl_server_wait_closed(&server)), 0); /* at once */
    end();
}
END_TEST

START_TEST(closed_as_a_connection_is_in_the_queue_it_ends)
{
    for (int iterations = 0; iterations < 5; iterations++) {
        begin();
        const uint16_t port = serve(HANDLER(echo), NULL);
        struct pawl_task *const waiting = pawl_spawn(pawl_server_wait_closed(&server));
        const int fd = raw_connect(port);
        for (int i = 0; i < iterations; i++) iterate();
        pawl_server_close(&server);
        close(fd);
        ck_assert_int_eq(net_finish(&net, waiting), 0);
        end();
    }
}
END_TEST

START_TEST(its_connections_are_cancelled)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int a = client(port), b = client(port);
    pawl_server_cancel(&server);
    until_count(0);
    ck_assert_int_eq(finallys, 2);
    expect(a, "");
    expect(b, "");
    ck_assert_int_eq(told.count, 0);
    const int c = client(port); /* it is open still */
    pawl_server_close(&server);
    pawl_server_cancel(&server);
    ck_assert_int_eq(net_run(&net, pawl_server_wait_closed(&server)), 0);
    close(a);
    close(b);
    close(c);
    end();
}
END_TEST

/* One that does not read is sent more than goes, so that its connection waits for that at its end. */
struct floods {
    CONNECTION;
};

ASYNC(floods)
{
    static char much[8 << 20];
    ASYNC_BEGIN(floods);
    pawl_stream_write(&self->stream, much, sizeof much);
    ASYNC_END;
}

START_TEST(a_connection_that_sends_the_rest_is_cancelled_too)
{
    begin();
    const int fd = raw_connect(serve(HANDLER(floods), NULL));
    until_count(1);
    net_settle(&net);
    ck_assert_uint_eq(server.count, 1);
    pawl_server_cancel(&server);
    until_count(0);
    ck_assert_int_eq(told.count, 0);
    close(fd);
    end();
}
END_TEST

START_TEST(serve_forever_ends_with_the_server)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    struct pawl_task *const task = pawl_spawn(pawl_serve_forever(&server));
    const int fd = client(port);
    pawl_server_close(&server);
    net_settle(&net);
    ck_assert(!pawl_future_done(task));
    close(fd);
    ck_assert_int_eq(net_finish(&net, task), 0);
    end();
}
END_TEST

START_TEST(serve_forever_that_is_cancelled_leaves_nothing)
{
    for (int times = 1; times <= 3; times++) {
        begin();
        const uint16_t port = serve(HANDLER(echo), NULL);
        struct pawl_task *const task = pawl_spawn(pawl_serve_forever(&server));
        const int a = client(port), b = client(port), c = raw_connect(port);
        for (int i = 0; i < times; i++) {
            pawl_task_cancel(task);
            if (i < times - 1) iterate();
        }
        ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
        ck_assert_uint_eq(server.count, 0);
        ck_assert_int_eq(net_watched(&net), 0);
        ck_assert_ptr_null(pawl_task_next(&net.loop, NULL));
        ck_assert_int_eq(finallys, (int)server.served);
        close(a);
        close(b);
        close(c);
        end();
    }
}
END_TEST

START_TEST(serve_forever_waits_for_a_handler_that_cleans_up_slowly)
{
    begin();
    const int fd = raw_connect(serve(HANDLER(stuck), NULL));
    struct pawl_task *const task = pawl_spawn(pawl_serve_forever(&server));
    until_count(1);
    for (int i = 0; i < 3; i++) {
        pawl_task_cancel(task);
        net_settle(&net);
        ck_assert(!pawl_future_done(task));
    }
    raw_send(fd, "go\n");
    expect(fd, "cancelled 1 times\n"); /* the connection was told once */
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    close(fd);
    end();
}
END_TEST

START_TEST(a_shutdown_lets_connections_go_to_their_end)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int fd = client(port);
    struct pawl_task *const task = pawl_spawn(pawl_server_shutdown(&server, PAWL_FOREVER));
    net_settle(&net);
    ck_assert(!pawl_future_done(task));
    raw_send(fd, "to the end\n");
    expect(fd, "to the end\n");
    shutdown(fd, SHUT_WR);
    expect(fd, "bye\n");
    ck_assert_int_eq(net_finish(&net, task), 0);
    close(fd);
    end();
}
END_TEST

/* One waits for a line, one has half of one. */
START_TEST(with_their_input_ended_connections_come_to_their_end)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int idle = client(port), busy = client(port);
    raw_send(busy, "half");
    net_settle(&net);
    pawl_server_end_input(&server);
    struct pawl_task *const task = pawl_spawn(pawl_server_shutdown(&server, PAWL_FOREVER));
    expect(idle, "bye\n");
    expect(idle, "");
    expect(busy, "half");
    expect(busy, "bye\n");
    ck_assert_int_eq(net_finish(&net, task), 0);
    pawl_server_end_input(&server); /* nobody is there */
    close(idle);
    close(busy);
    end();
}
END_TEST

START_TEST(a_shutdown_cancels_those_that_are_left)
{
    static const pawl_time graces[] = { 0, PAWL_MS(3) };
    for (size_t i = 0; i < 2; i++) {
        begin();
        const uint16_t port = serve(HANDLER(echo), NULL);
        const int a = client(port), b = client(port);
        ck_assert_int_eq(net_run(&net, pawl_server_shutdown(&server, graces[i])), 0);
        ck_assert_uint_eq(server.count, 0);
        ck_assert_int_eq(finallys, 2);
        ck_assert_int_eq(net_watched(&net), 0);
        close(a);
        close(b);
        end();
    }
}
END_TEST

START_TEST(a_shutdown_with_nobody_there_is_at_once)
{
    begin();
    serve(HANDLER(echo), NULL);
    ck_assert_int_eq(net_run(&net, pawl_server_shutdown(&server, PAWL_FOREVER)), 0);
    ck_assert_int_eq(net_run(&net, pawl_server_shutdown(&server, PAWL_FOREVER)), 0);
    end();
}
END_TEST

START_TEST(a_shutdown_waits_for_handlers_that_are_stuck)
{
    begin();
    const int fd = raw_connect(serve(HANDLER(stuck), NULL));
    until_count(1);
    struct pawl_task *const task = pawl_spawn(pawl_server_shutdown(&server, 0));
    net_settle(&net);
    ck_assert(!pawl_future_done(task));
    raw_send(fd, "go\n");
    expect(fd, "cancelled 1 times\n");
    ck_assert_int_eq(net_finish(&net, task), 0);
    close(fd);
    end();
}
END_TEST

START_TEST(a_shutdown_that_is_cancelled_cancels_the_connections_at_once)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int fd = client(port);
    struct pawl_task *const task = pawl_spawn(pawl_server_shutdown(&server, PAWL_FOREVER));
    net_settle(&net);
    pawl_task_cancel(task);
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(server.count, 0); /* and waits for them */
    ck_assert_int_eq(finallys, 1);
    close(fd);
    end();
}
END_TEST

START_TEST(a_shutdown_that_is_cancelled_waits_for_handlers_that_are_stuck)
{
    begin();
    const int fd = raw_connect(serve(HANDLER(stuck), NULL));
    until_count(1);
    struct pawl_task *const task = pawl_spawn(pawl_server_shutdown(&server, PAWL_FOREVER));
    net_settle(&net);
    for (int i = 0; i < 3; i++) {
        pawl_task_cancel(task);
        net_settle(&net);
        ck_assert(!pawl_future_done(task));
    }
    raw_send(fd, "go\n");
    expect(fd, "cancelled 1 times\n");
    ck_assert_int_eq(net_finish(&net, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(server.count, 0);
    close(fd);
    end();
}
END_TEST

/* A handler that ends the server that it belongs to. */
struct ends_it {
    CONNECTION;
    struct pawl_stream_piece line;
};

ASYNC(ends_it)
{
    ASYNC_BEGIN(ends_it);
    AWAIT(self->line, pawl_stream_read_line(&self->stream));
    pawl_server_close(&server);
    if (self->argument != NULL) pawl_server_cancel(&server);
    pawl_stream_write_text(&self->stream, "closed\n");
    ASYNC_END;
}

START_TEST(a_handler_may_end_its_server)
{
    for (int i = 0; i < 2; i++) {
        begin();
        const int fd = raw_connect(serve(HANDLER(ends_it), i == 0 ? NULL : &net));
        struct pawl_task *const task = pawl_spawn(pawl_serve_forever(&server));
        raw_send(fd, "x\n");
        if (i == 0) expect(fd, "closed\n");
        ck_assert_int_eq(net_finish(&net, task), 0);
        close(fd);
        end();
    }
}
END_TEST

/* It would wait for itself. */
static int outcomes[3];

struct waits_for_it {
    CONNECTION;
    union {
        struct pawl_server_wait_closed wait_closed;
        struct pawl_serve_forever forever;
        struct pawl_server_shutdown shutdown;
    };
};

ASYNC(waits_for_it)
{
    ASYNC_BEGIN(waits_for_it);
    TRY_AWAIT(self->wait_closed, pawl_server_wait_closed(&server));
    outcomes[0] = AWAIT_ERROR();
    TRY_AWAIT(self->forever, pawl_serve_forever(&server));
    outcomes[1] = AWAIT_ERROR();
    TRY_AWAIT(self->shutdown, pawl_server_shutdown(&server, 0));
    outcomes[2] = AWAIT_ERROR();
    ASYNC_END;
}

START_TEST(a_handler_that_waits_for_the_end_of_its_server_is_told)
{
    begin();
    const int fd = raw_connect(serve(HANDLER(waits_for_it), NULL));
    expect(fd, "");
    for (size_t i = 0; i < 3; i++) ck_assert_int_eq(outcomes[i], PAWL_EDEADLK);
    ck_assert(pawl_socket_is_open(&server.listener));
    close(fd);
    end();
}
END_TEST

START_TEST(a_loop_that_is_finished_with_a_server_at_work_closes_all_of_it)
{
    for (int connections = 0; connections < 3; connections++) {
        int fds[3] = { -1, -1, -1 };
        begin();
        const uint16_t port = serve(HANDLER(echo), NULL);
        struct pawl_task *const forever = pawl_spawn(pawl_serve_forever(&server));
        iterate();
        for (int i = 0; i < connections; i++) fds[i] = client(port);
        fds[connections] = raw_connect(port); /* in the queue */
        pawl_loop_use(NULL);
        pawl_loop_finish(&net.loop);
        ck_assert_int_eq(finallys, connections);
        ck_assert_int_eq(net_watched(&net), 0);
        ck_assert_uint_eq(server.count, 0);
        pawl_epoll_finish(&net.epoll);
        ck_assert_uint_eq(net.memory.alive, 0);
        for (int i = 0; i <= connections; i++) close(fds[i]);
        (void)forever;
    }
}
END_TEST

START_TEST(a_loop_that_is_shut_down_ends_its_server)
{
    begin();
    const uint16_t port = serve(HANDLER(echo), NULL);
    const int a = client(port), b = client(port);
    ck_assert_int_eq(pawl_loop_shutdown(&net.loop), 0);
    ck_assert_int_eq(finallys, 2);
    ck_assert_int_eq(net_watched(&net), 0);
    close(a);
    close(b);
    end();
}
END_TEST

START_TEST(a_server_that_has_not_begun_is_closed_with_its_loop)
{
    for (int i = 0; i < 2; i++) {
        begin();
        serve(HANDLER(echo), NULL);
        if (i == 0) ck_assert_int_eq(pawl_loop_shutdown(&net.loop), 0);
        pawl_loop_use(NULL);
        pawl_loop_finish(&net.loop);
        ck_assert_int_eq(net_watched(&net), 0);
        pawl_epoll_finish(&net.epoll);
        ck_assert_uint_eq(net.memory.alive, 0);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("server");
    TCase *const starting = add_case(suite, "starting"), *const wrong = add_case(suite, "what goes wrong with one");
    TCase *const many = add_case(suite, "many"), *const ending = add_case(suite, "the end");
    tcase_add_test(starting, it_serves_on_a_host_and_port);
    tcase_add_test(starting, it_serves_on_a_unix_path_and_again_on_the_same);
    tcase_add_test(starting, a_unix_path_that_somebody_has_taken_away_or_replaced_is_left_alone);
    tcase_add_test(starting, it_serves_on_a_socket_of_ones_own);
    tcase_add_test(starting, each_handler_has_the_argument);
    tcase_add_test(starting, what_cannot_be_started_is_refused_and_closed);
    tcase_add_test(starting, while_at_work_it_is_EBUSY_and_after_its_end_it_starts_again);
    tcase_add_test(starting, closed_before_it_has_begun_it_ends);
    tcase_add_test(wrong, an_error_of_a_handler_is_told_with_its_name_and_place);
    tcase_add_test(wrong, what_is_the_peers_business_is_not_told);
    tcase_add_test(wrong, a_peer_that_resets_is_not_told_and_the_server_goes_on);
    tcase_add_test(wrong, a_line_beyond_the_limit_of_the_server_is_an_error);
    tcase_add_test(wrong, without_memory_for_its_task_a_connection_is_closed_and_told);
    tcase_add_test(wrong, each_allocation_of_a_connection_may_fail);
    tcase_add_test(wrong, without_descriptors_it_waits_and_goes_on);
    tcase_add_test(many, no_more_are_served_at_a_time_than_it_may);
    tcase_add_test(many, a_full_server_is_given_more_room);
    tcase_add_test(many, a_full_server_is_closed);
    tcase_add_test(many, a_thousand_connections_come_and_go);
    tcase_add_test(ending, wait_closed_waits_for_the_close_and_the_last_connection);
    tcase_add_test(ending, closed_as_a_connection_is_in_the_queue_it_ends);
    tcase_add_test(ending, its_connections_are_cancelled);
    tcase_add_test(ending, a_connection_that_sends_the_rest_is_cancelled_too);
    tcase_add_test(ending, serve_forever_ends_with_the_server);
    tcase_add_test(ending, serve_forever_that_is_cancelled_leaves_nothing);
    tcase_add_test(ending, serve_forever_waits_for_a_handler_that_cleans_up_slowly);
    tcase_add_test(ending, a_shutdown_lets_connections_go_to_their_end);
    tcase_add_test(ending, with_their_input_ended_connections_come_to_their_end);
    tcase_add_test(ending, a_shutdown_cancels_those_that_are_left);
    tcase_add_test(ending, a_shutdown_with_nobody_there_is_at_once);
    tcase_add_test(ending, a_shutdown_waits_for_handlers_that_are_stuck);
    tcase_add_test(ending, a_shutdown_that_is_cancelled_cancels_the_connections_at_once);
    tcase_add_test(ending, a_shutdown_that_is_cancelled_waits_for_handlers_that_are_stuck);
    tcase_add_test(ending, a_handler_may_end_its_server);
    tcase_add_test(ending, a_handler_that_waits_for_the_end_of_its_server_is_told);
    tcase_add_test(ending, a_loop_that_is_finished_with_a_server_at_work_closes_all_of_it);
    tcase_add_test(ending, a_loop_that_is_shut_down_ends_its_server);
    tcase_add_test(ending, a_server_that_has_not_begun_is_closed_with_its_loop);
    return suite;
}
