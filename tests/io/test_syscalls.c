/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Every system call that sockets and the epoll port make fails in turn. This executable defines the libc functions that
 * the library calls and is linked with the static one, so that a call comes here first: a plan says which call fails, at
 * which count, with what. One scene (listen, connect, accept, an echo, a sleep, a wake, the end) is then played once for
 * each call that it makes and each error that this call can have. What must hold every time: the scene ends with that
 * error or as if nothing had been, no descriptor is left open, no memory, nothing registered.
 */
#define _GNU_SOURCE
#include "net_world.h"

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* ---- The plan ---- */

enum call {
    NONE, EPOLL_CREATE, EVENTFD, EPOLL_ADD, EPOLL_DEL, EPOLL_WAIT, EPOLL_PWAIT2, WAKE_READ, WAKE_WRITE, GETADDRINFO, SOCKET,
    REUSEADDR, NODELAY, BIND, LISTEN, GETSOCKNAME, CONNECT, SO_ERROR_, GETPEERNAME, ACCEPT, RECV, SEND, CALLS
};

static const char *const call_names[CALLS] = {
    "none", "epoll_create1", "eventfd", "epoll_ctl ADD", "epoll_ctl DEL", "epoll_wait", "epoll_pwait2", "read", "write",
    "getaddrinfo", "socket", "setsockopt SO_REUSEADDR", "setsockopt TCP_NODELAY", "bind", "listen", "getsockname", "connect",
    "getsockopt SO_ERROR", "getpeername", "accept4", "recv", "send"
};

static struct {
    enum call call;
    int at, times, error; /* the `at`-th to (at + times - 1)-th of these calls fail with `error` */
    bool fired;
    int count[CALLS];
    size_t most;          /* no send takes more than this many bytes; 0: no limit */
} plan;

static bool fails(enum call call)
{
    const int count = ++plan.count[call];
    if (plan.call != call || count < plan.at || count >= plan.at + plan.times) return false;
    plan.fired = true;
    errno = plan.error;
    return true;
}

/* The function of that name which would have been called. */
#define REAL(name, ...) \
    __extension__ ({ \
        static __typeof__(name) *real_; \
        if (real_ == NULL) *(void **)&real_ = dlsym(RTLD_NEXT, #name); \
        real_(__VA_ARGS__); \
    })

/* What each descriptor was registered with. A call that pretends EAGAIN must be followed by an edge, as it would be. */
static struct {
    int epoll_fd;
    struct epoll_event event;
} registered[1024];

static void comes_again(int fd)
{
    if (plan.error == EAGAIN && fd < 1024) REAL(epoll_ctl, registered[fd].epoll_fd, EPOLL_CTL_MOD, fd, &registered[fd].event);
    errno = plan.error;
}

/* ---- The calls ---- */

int epoll_create1(int flags)
{
    return fails(EPOLL_CREATE) ? -1 : REAL(epoll_create1, flags);
}

int eventfd(unsigned count, int flags)
{
    return fails(EVENTFD) ? -1 : REAL(eventfd, count, flags);
}

int epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
    if (fails(what == EPOLL_CTL_ADD ? EPOLL_ADD : EPOLL_DEL)) {
        if (what == EPOLL_CTL_DEL) REAL(epoll_ctl, epoll_fd, what, fd, event);
        errno = plan.error;
        return -1;
    }
    if (what == EPOLL_CTL_ADD && fd < 1024) {
        registered[fd].epoll_fd = epoll_fd;
        registered[fd].event = *event;
    }
    return REAL(epoll_ctl, epoll_fd, what, fd, event);
}

int epoll_wait(int epoll_fd, struct epoll_event *events, int most, int timeout)
{
    return fails(EPOLL_WAIT) ? -1 : REAL(epoll_wait, epoll_fd, events, most, timeout);
}

int epoll_pwait2(int epoll_fd, struct epoll_event *events, int most, const struct timespec *timeout, const sigset_t *signals)
{
    return fails(EPOLL_PWAIT2) ? -1 : REAL(epoll_pwait2, epoll_fd, events, most, timeout, signals);
}

ssize_t read(int fd, void *data, size_t size)
{
    return size == sizeof(uint64_t) && fails(WAKE_READ) ? -1 : REAL(read, fd, data, size);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return size == sizeof(uint64_t) && fails(WAKE_WRITE) ? -1 : REAL(write, fd, data, size);
}

int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found)
{
    return fails(GETADDRINFO) ? plan.error : REAL(getaddrinfo, host, service, hints, found);
}

int socket(int family, int type, int protocol)
{
    return fails(SOCKET) ? -1 : REAL(socket, family, type, protocol);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    const enum call call = level == IPPROTO_TCP && option == TCP_NODELAY ? NODELAY : REUSEADDR;
    return fails(call) ? -1 : REAL(setsockopt, fd, level, option, value, size);
}

int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    return fails(BIND) ? -1 : REAL(bind, fd, address, size);
}

int listen(int fd, int backlog)
{
    return fails(LISTEN) ? -1 : REAL(listen, fd, backlog);
}

int getsockname(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
{
    return fails(GETSOCKNAME) ? -1 : REAL(getsockname, fd, address, size);
}

/* Interrupted, or told to wait, it is on its way all the same. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    const bool failed = fails(CONNECT);
    if (failed && plan.error == EINTR) REAL(connect, fd, address, size);
    if (!failed) return REAL(connect, fd, address, size);
    errno = plan.error;
    return -1;
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
    return option == SO_ERROR && fails(SO_ERROR_) ? -1 : REAL(getsockopt, fd, level, option, value, size);
}

int getpeername(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
{
    if (!fails(GETPEERNAME)) return REAL(getpeername, fd, address, size);
    if (plan.error == ENOTCONN) REAL(epoll_ctl, registered[fd].epoll_fd, EPOLL_CTL_MOD, fd, &registered[fd].event);
    errno = plan.error;
    return -1;
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict size, int flags)
{
    if (!fails(ACCEPT)) return REAL(accept4, fd, address, size, flags);
    comes_again(fd);
    return -1;
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
    if (!fails(RECV)) return REAL(recv, fd, data, size, flags);
    comes_again(fd);
    return -1;
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    if (!fails(SEND)) return REAL(send, fd, data, plan.most != 0 && size > plan.most ? plan.most : size, flags);
    comes_again(fd);
    return -1;
}

/* ---- The scene ---- */

static const char words[] = "to be compared, byte for byte";

struct server {
    COROUTINE(void);
    struct pawl_socket *listener;
    struct pawl_socket sock;
    char buffer[12]; /* the words take several rounds */
    union {
        struct pawl_accept accept;
        struct pawl_recv recv;
        struct pawl_send send;
    };
};

ASYNC(server)
{
    ASYNC_BEGIN(server);
    TRY {
        AWAIT(self->accept, pawl_accept(self->listener, &self->sock));
        for (;;) {
            AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, sizeof self->buffer));
            if (self->recv.result == 0) break;
            AWAIT(self->send, pawl_send(&self->sock, self->buffer, self->recv.result));
        }
    } FINALLY {
        pawl_socket_close(&self->sock);
    } END_TRY;
    ASYNC_END;
}

struct client {
    COROUTINE(void);
    uint16_t port;
    struct pawl_socket sock;
    char buffer[64];
    size_t got;
    union {
        struct pawl_connect connect;
        struct pawl_recv recv;
        struct pawl_send send;
    };
};

ASYNC(client)
{
    ASYNC_BEGIN(client);
    TRY {
        AWAIT(self->connect, pawl_connect(&self->sock, "127.0.0.1", self->port));
        AWAIT(self->send, pawl_send(&self->sock, words, sizeof words));
        for (self->got = 0; self->got < sizeof words; self->got += self->recv.result) {
            AWAIT(self->recv, pawl_recv(&self->sock, self->buffer + self->got, sizeof self->buffer - self->got));
            if (self->recv.result == 0) RAISE(PAWL_EEOF);
        }
        if (self->got != sizeof words || memcmp(self->buffer, words, sizeof words) != 0) RAISE(-EBADMSG);
    } FINALLY {
        pawl_socket_close(&self->sock);
    } END_TRY;
    ASYNC_END;
}

struct scene {
    COROUTINE(void);
    struct pawl_socket listener;
    TASK(server) server;
    TASK(client) client;
    struct pawl_child both[2];
    union {
        struct pawl_gather gather;
        struct pawl_sleep sleep;
    };
};

static int set_the_stage(struct scene *scene)
{
    const int error = pawl_listen(&scene->listener, "127.0.0.1", 0, 4);
    if (error != 0) return error;
    const int port = pawl_socket_port(&scene->listener);
    if (port < 0) return port;
    pawl_start(&scene->server, CORO(server, .listener = &scene->listener));
    pawl_start(&scene->client, CORO(client, .port = (uint16_t)port));
    scene->both[0] = pawl_child(&scene->server);
    scene->both[1] = pawl_child(&scene->client);
    return 0;
}

ASYNC(scene)
{
    ASYNC_BEGIN(scene);
    TRY {
        pawl_loop_wake(pawl_loop_current());
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(2)));
        const int error = set_the_stage(self);
        if (error != 0) RAISE(error);
        AWAIT(self->gather, pawl_gather(self->both, 2));
    } FINALLY {
        pawl_future_cancel(&self->server);
        pawl_future_cancel(&self->client);
        pawl_socket_close(&self->listener);
    } END_TRY;
    ASYNC_END;
}

static int open_descriptors(void)
{
    DIR *const folder = opendir("/proc/self/fd");
    int count = 0;
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

/* Plays it once under the plan: 0, or the error that it ended with. */
static int play(void)
{
    struct net net;
    memset(&net, 0, sizeof net);
    counting_init(&net.memory);
    int error = pawl_epoll_init(&net.epoll);
    if (error != 0) return error;
    ck_assert_int_eq(pawl_loop_init(&net.loop, &net.epoll.base, &net.memory.allocator), 0);
    pawl_loop_use(&net.loop);
    const int looked = pawl_loop_run_once(&net.loop, false); /* asks the port without waiting */
    struct pawl_task *const task = pawl_spawn(CORO(scene));
    error = pawl_loop_run_until_complete(&net.loop, task);
    const int ended = pawl_loop_shutdown(&net.loop);
    if (error == 0) error = looked != 0 ? looked : ended;
    ck_assert_int_eq(pawl_loop_shutdown(&net.loop), 0);
    ck_assert_int_eq(net_watched(&net), 0);
    pawl_task_release(task);
    pawl_loop_use(NULL);
    pawl_loop_finish(&net.loop);
    pawl_epoll_finish(&net.epoll);
    ck_assert_uint_eq(net.memory.alive, 0);
    return error;
}

static int play_with(enum call call, int at, int times, int error)
{
    const int before = open_descriptors();
    memset(&plan, 0, sizeof plan);
    plan.call = call;
    plan.at = at;
    plan.times = times;
    plan.error = error;
    const int outcome = play();
    plan.call = NONE;
    ck_assert_msg(open_descriptors() == before, "%s, the %d-th, fails with %d: a descriptor is left open", call_names[call], at, error);
    return outcome;
}

/* Each call of this kind fails once, at each of its turns; `outcome` is what the scene must then end with. */
static void fail_each(enum call call, int error, int outcome)
{
    play_with(NONE, 0, 0, 0);
    const int turns = plan.count[call];
    int fired = 0;
    ck_assert_msg(turns > 0, "the scene never calls %s", call_names[call]);
    for (int at = 1; at <= turns; at++) {
        const int got = play_with(call, at, 1, error);
        if (!plan.fired) continue; /* how often the port waits depends on the time */
        fired++;
        ck_assert_msg(got == outcome, "%s, the %d-th, fails with %d (%s): the scene ends with %d (%s), not with %d", call_names[call],
                      at, error, strerror(error), got, pawl_strerror(got), outcome);
    }
    ck_assert_int_gt(fired, 0);
}

#define FAIL_EACH(call, ...) \
    do { \
        static const int errors_[] = { __VA_ARGS__ }; \
        for (size_t i = 0; i < sizeof errors_ / sizeof *errors_; i++) fail_each((call), errors_[i], -errors_[i]); \
    } while (0)
#define GOES_ON_AFTER(call, ...) \
    do { \
        static const int errors_[] = { __VA_ARGS__ }; \
        for (size_t i = 0; i < sizeof errors_ / sizeof *errors_; i++) fail_each((call), errors_[i], 0); \
    } while (0)

/* ---- The port ---- */

START_TEST(the_scene_makes_every_call_and_ends_well)
{
    ck_assert_int_eq(play_with(NONE, 0, 0, 0), 0);
    for (int call = NONE + 1; call < CALLS; call++) ck_assert_msg(plan.count[call] > 0, "%s is never called", call_names[call]);
}
END_TEST

START_TEST(a_port_that_cannot_be_opened_says_why)
{
    FAIL_EACH(EPOLL_CREATE, EMFILE, ENFILE, ENOMEM);
    FAIL_EACH(EVENTFD, EMFILE, ENFILE, ENODEV, ENOMEM);
}
END_TEST

START_TEST(what_cannot_be_registered_is_closed_and_told)
{
    FAIL_EACH(EPOLL_ADD, ENOMEM, ENOSPC, EPERM);
}
END_TEST

START_TEST(what_cannot_be_unregistered_is_closed_all_the_same)
{
    GOES_ON_AFTER(EPOLL_DEL, ENOENT, ENOMEM);
}
END_TEST

START_TEST(an_interrupted_wait_goes_on)
{
    GOES_ON_AFTER(EPOLL_WAIT, EINTR);
    GOES_ON_AFTER(EPOLL_PWAIT2, EINTR);
}
END_TEST

START_TEST(a_wait_that_fails_ends_the_run_with_its_error)
{
    FAIL_EACH(EPOLL_WAIT, EBADF, EINVAL, EFAULT);
    FAIL_EACH(EPOLL_PWAIT2, EBADF, EINVAL, ENOMEM);
}
END_TEST

START_TEST(an_old_kernel_waits_in_milliseconds)
{
    ck_assert_int_eq(play_with(EPOLL_PWAIT2, 1, 1000000, ENOSYS), 0);
    ck_assert_int_eq(plan.count[EPOLL_PWAIT2], 1); /* and is not asked again */
    ck_assert(plan.fired);
}
END_TEST

START_TEST(a_sleep_on_an_old_kernel_is_never_too_short)
{
    struct net net;
    net_begin(&net);
    plan.call = EPOLL_PWAIT2;
    plan.at = 1;
    plan.times = 1000000;
    plan.error = ENOSYS;
    for (int i = 0; i < 5; i++) {
        const pawl_time began = pawl_loop_time(&net.loop), span = PAWL_US(100 + 700 * i);
        ck_assert_int_eq(net_finish(&net, pawl_spawn(pawl_sleep(span))), 0);
        ck_assert_int_ge(pawl_loop_time(&net.loop) - began, span);
    }
    ck_assert(plan.fired);
    net_end(&net);
}
END_TEST

START_TEST(a_wake_that_is_interrupted_is_not_lost)
{
    GOES_ON_AFTER(WAKE_WRITE, EINTR, EAGAIN);
    GOES_ON_AFTER(WAKE_READ, EINTR, EAGAIN);
}
END_TEST

/* ---- Sockets ---- */

START_TEST(a_socket_that_cannot_be_made_says_why)
{
    FAIL_EACH(SOCKET, EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EAFNOSUPPORT);
}
END_TEST

START_TEST(listening_tells_what_failed)
{
    FAIL_EACH(REUSEADDR, ENOMEM, ENOPROTOOPT);
    FAIL_EACH(BIND, EADDRINUSE, EACCES, EADDRNOTAVAIL);
    FAIL_EACH(LISTEN, EADDRINUSE, EOPNOTSUPP);
    FAIL_EACH(GETSOCKNAME, ENOBUFS);
}
END_TEST

START_TEST(a_socket_that_cannot_be_told_not_to_delay_works_all_the_same)
{
    GOES_ON_AFTER(NODELAY, EINVAL, ENOBUFS, ENOPROTOOPT);
}
END_TEST

/* To listen, an address must be numeric; to connect, what is not is looked up as a name, and there it is found. */
START_TEST(an_address_that_cannot_be_read_is_ENOMEM_or_EHOST)
{
    fail_each(GETADDRINFO, EAI_MEMORY, PAWL_ENOMEM);
    ck_assert_int_eq(play_with(GETADDRINFO, 1, 1, EAI_NONAME), PAWL_EHOST);
    ck_assert_int_eq(play_with(GETADDRINFO, 1, 1, EAI_AGAIN), PAWL_EHOST);
    ck_assert_int_eq(play_with(GETADDRINFO, 2, 1, EAI_NONAME), 0);
}
END_TEST

START_TEST(an_interrupted_connect_goes_on)
{
    GOES_ON_AFTER(CONNECT, EINTR);
}
END_TEST

START_TEST(a_connect_that_fails_says_why)
{
    FAIL_EACH(CONNECT, ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, EAGAIN, ETIMEDOUT, EACCES);
    FAIL_EACH(SO_ERROR_, ENOBUFS, ENOTSOCK);
    FAIL_EACH(GETPEERNAME, ENOBUFS);
}
END_TEST

START_TEST(a_connect_that_has_not_ended_yet_waits_on)
{
    GOES_ON_AFTER(GETPEERNAME, ENOTCONN);
}
END_TEST

START_TEST(accept_passes_over_connections_that_died_and_interruptions)
{
    GOES_ON_AFTER(ACCEPT, EINTR, ECONNABORTED, EPROTO, EAGAIN);
    GOES_ON_AFTER(ACCEPT, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH); /* those of one connection too */
    ck_assert_int_eq(play_with(ACCEPT, 1, 10, ECONNABORTED), 0);
}
END_TEST

START_TEST(accept_tells_what_failed)
{
    FAIL_EACH(ACCEPT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM);
}
END_TEST

START_TEST(after_EMFILE_the_connection_is_still_there_to_be_accepted)
{
    struct net net;
    struct pawl_socket listener = { 0 }, sock = { 0 };
    net_begin(&net);
    const uint16_t port = net_listen(&listener, 4);
    const int peer = raw_connect(port);
    memset(&plan, 0, sizeof plan);
    plan.call = ACCEPT;
    plan.at = 1;
    plan.times = 3;
    plan.error = EMFILE;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(net_accept(&net, &listener, &sock), -EMFILE);
        ck_assert(!pawl_socket_is_open(&sock));
    }
    ck_assert_int_eq(net_accept(&net, &listener, &sock), 0);
    raw_send(peer, "patience");
    net_expect(&net, &sock, "patience");
    pawl_socket_close(&sock);
    pawl_socket_close(&listener);
    close(peer);
    net_end(&net);
}
END_TEST

START_TEST(patience_waits_for_what_may_pass_and_tells_of_it_once)
{
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct net net;
        struct pawl_socket listener = { 0 }, sock = { 0 };
        const bool passes = errors[i] != EPERM;
        net_begin(&net);
        const int peer = raw_connect(net_listen(&listener, 4));
        memset(&plan, 0, sizeof plan);
        plan.call = ACCEPT;
        plan.at = 1;
        plan.times = 3;
        plan.error = errors[i];
        const pawl_time began = pawl_loop_time(&net.loop);
        ck_assert_int_eq(net_finish(&net, pawl_spawn(pawl_accept_patiently(&listener, &sock))), passes ? 0 : -EPERM);
        ck_assert_int_eq(plan.count[ACCEPT], passes ? 4 : 1);
        ck_assert_int_eq(net.reports, passes);
        if (passes) ck_assert_int_ge(pawl_loop_time(&net.loop) - began, PAWL_MS(5 + 10 + 20)); /* twice as long each time */
        net.reports = 0;
        pawl_socket_close(&sock);
        pawl_socket_close(&listener);
        close(peer);
        net_end(&net);
    }
}
END_TEST

START_TEST(receiving_goes_on_after_interruptions_and_waits_when_there_is_nothing)
{
    GOES_ON_AFTER(RECV, EINTR, EAGAIN);
    ck_assert_int_eq(play_with(RECV, 1, 20, EINTR), 0);
}
END_TEST

START_TEST(receiving_tells_what_failed)
{
    FAIL_EACH(RECV, ECONNRESET, ETIMEDOUT, ENOMEM, ENOTCONN);
}
END_TEST

START_TEST(sending_goes_on_after_interruptions_and_waits_when_it_is_full)
{
    GOES_ON_AFTER(SEND, EINTR, EAGAIN);
    ck_assert_int_eq(play_with(SEND, 1, 20, EINTR), 0);
}
END_TEST

START_TEST(sending_tells_what_failed)
{
    FAIL_EACH(SEND, EPIPE, ECONNRESET, ENOBUFS, ENOMEM);
}
END_TEST

START_TEST(a_send_that_is_cut_short_goes_on_where_it_stopped)
{
    for (size_t most = 1; most < sizeof words; most++) {
        memset(&plan, 0, sizeof plan);
        plan.most = most;
        ck_assert_int_eq(play(), 0);
        ck_assert_int_ge(plan.count[SEND], (int)(sizeof words / most));
    }
}
END_TEST

START_TEST(every_error_has_words)
{
    static const int errors[] = { EMFILE, ENFILE, ENOMEM, EPIPE, ECONNRESET, ECONNREFUSED, EADDRINUSE, ENOSPC };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) ck_assert_str_eq(pawl_strerror(-errors[i]), strerror(errors[i]));
}
END_TEST

/* ---- What an exchange costs ---- */

struct rally {
    COROUTINE(void);
    struct pawl_socket *sock;
    int rounds;
    bool serves;
    char buffer[64];
    union {
        struct pawl_recv recv;
        struct pawl_send send;
    };
};

ASYNC(rally)
{
    ASYNC_BEGIN(rally);
    while (self->rounds-- > 0) {
        if (self->serves) AWAIT(self->send, pawl_send(self->sock, "ball", 4));
        AWAIT(self->recv, pawl_recv(self->sock, self->buffer, sizeof self->buffer));
        if (!self->serves) AWAIT(self->send, pawl_send(self->sock, "ball", 4));
    }
    ASYNC_END;
}

START_TEST(an_exchange_costs_one_recv_and_one_send_on_each_side)
{
    enum { ROUNDS = 500 };
    struct net net;
    struct pawl_socket a = { 0 }, b = { 0 };
    net_begin(&net);
    net_pair(&net, &a, &b);
    struct pawl_task *const one = pawl_spawn(CORO(rally, .sock = &a, .rounds = ROUNDS, .serves = true));
    struct pawl_task *const two = pawl_spawn(CORO(rally, .sock = &b, .rounds = ROUNDS));
    memset(&plan, 0, sizeof plan);
    ck_assert_int_eq(net_finish(&net, one), 0);
    ck_assert_int_eq(net_finish(&net, two), 0);
    ck_assert_int_eq(plan.count[SEND], 2 * ROUNDS);
    ck_assert_int_ge(plan.count[RECV], 2 * ROUNDS);
    ck_assert_int_le(plan.count[RECV], 2 * ROUNDS + 4); /* the first of each side finds nothing */
    ck_assert_int_le(plan.count[EPOLL_WAIT] + plan.count[EPOLL_PWAIT2], 2 * ROUNDS + 10);
    ck_assert_int_eq(plan.count[EPOLL_ADD] + plan.count[EPOLL_DEL], 0);
    pawl_socket_close(&a);
    pawl_socket_close(&b);
    net_end(&net);
}
END_TEST

#define ADD(tcase, ...) \
    do { \
        const TTest *const tests_[] = { __VA_ARGS__ }; \
        for (size_t i = 0; i < sizeof tests_ / sizeof *tests_; i++) tcase_add_test((tcase), tests_[i]); \
    } while (0)

Suite *make_suite(void)
{
    Suite *const suite = suite_create("syscalls");
    ADD(add_case(suite, "port"), the_scene_makes_every_call_and_ends_well, a_port_that_cannot_be_opened_says_why,
        what_cannot_be_registered_is_closed_and_told, what_cannot_be_unregistered_is_closed_all_the_same,
        an_interrupted_wait_goes_on, a_wait_that_fails_ends_the_run_with_its_error, an_old_kernel_waits_in_milliseconds,
        a_sleep_on_an_old_kernel_is_never_too_short, a_wake_that_is_interrupted_is_not_lost);
    ADD(add_case(suite, "sockets"), a_socket_that_cannot_be_made_says_why, listening_tells_what_failed,
        a_socket_that_cannot_be_told_not_to_delay_works_all_the_same, an_address_that_cannot_be_read_is_ENOMEM_or_EHOST,
        an_interrupted_connect_goes_on, a_connect_that_fails_says_why, a_connect_that_has_not_ended_yet_waits_on,
        accept_passes_over_connections_that_died_and_interruptions, accept_tells_what_failed,
        after_EMFILE_the_connection_is_still_there_to_be_accepted, patience_waits_for_what_may_pass_and_tells_of_it_once,
        receiving_goes_on_after_interruptions_and_waits_when_there_is_nothing, receiving_tells_what_failed,
        sending_goes_on_after_interruptions_and_waits_when_it_is_full, sending_tells_what_failed,
        a_send_that_is_cut_short_goes_on_where_it_stopped, every_error_has_words);
    ADD(add_case(suite, "cost"), an_exchange_costs_one_recv_and_one_send_on_each_side);
    return suite;
}
