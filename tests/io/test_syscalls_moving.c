/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * As test_syscalls.c, for the calls that move what is more than plain bytes: messages, descriptors, files, pipes, splices. One
 * scene makes all of them within this process, and is played once for each call that it makes and each error that this call
 * can have. It ends with that error or as if nothing had been, and leaves no descriptor, no memory and nothing registered.
 *
 *      raw ══ sock    a ══ b    c ──► d
 *      adopted        a pair    a pipe
 */
#define _GNU_SOURCE
#include "socket_world.h"

#include <dirent.h>
#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

/* ---- The plan ---- */

enum call {
    NONE, SOCKETPAIR, PIPE2, FCNTL, SO_PROTOCOL_, RECVMSG, SENDMSG, READ, WRITEV, SENDFILE, PREAD, SPLICE_IN, SPLICE_OUT, POLL, SHUTDOWN,
    EPOLL_ADD, CALLS
};

static const char *const call_names[CALLS] = { "none", "socketpair", "pipe2", "fcntl", "getsockopt SO_PROTOCOL", "recvmsg", "sendmsg", "read",
                                               "writev", "sendfile", "pread", "splice into the pipe", "splice out of the pipe", "poll",
                                               "shutdown", "epoll_ctl ADD" };

static struct {
    enum call call;
    int at, times, error;
    bool fired;
    int count[CALLS];
    size_t most;        /* no call moves more than this many bytes; 0: no limit */
    bool signals;       /* and what moved something has caused a SIGPIPE besides */
    bool no_sendfile;   /* the system cannot */
} plan;

static bool fails(enum call call)
{
    const int count = ++plan.count[call];
    if (plan.call != call || count < plan.at || count >= plan.at + plan.times) return false;
    plan.fired = true;
    errno = plan.error;
    return true;
}

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

static int failed(int fd)
{
    if (plan.error == EAGAIN) REAL(epoll_ctl, registered[fd].epoll_fd, EPOLL_CTL_MOD, fd, &registered[fd].event);
    errno = plan.error;
    return -1;
}

static size_t at_most(size_t size)
{
    return plan.most != 0 && size > plan.most ? plan.most : size;
}

/* As the kernel does when the second half of a call meets a peer that is gone. */
static ssize_t moved(ssize_t count, size_t size)
{
    if (count > 0 && (size_t)count < size && plan.signals) raise(SIGPIPE);
    return count;
}

/* ---- The calls ---- */

int epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
    if (what == EPOLL_CTL_ADD && fails(EPOLL_ADD)) return -1;
    if (what == EPOLL_CTL_ADD && fd < 1024) {
        registered[fd].epoll_fd = epoll_fd;
        registered[fd].event = *event;
    }
    return REAL(epoll_ctl, epoll_fd, what, fd, event);
}

int socketpair(int family, int type, int protocol, int fds[2])
{
    return fails(SOCKETPAIR) ? -1 : REAL(socketpair, family, type, protocol, fds);
}

int pipe2(int fds[2], int flags)
{
    return fails(PIPE2) ? -1 : REAL(pipe2, fds, flags);
}

int fcntl(int fd, int what, ...)
{
    va_list arguments;
    va_start(arguments, what);
    const int argument = va_arg(arguments, int);
    va_end(arguments);
    return (what == F_GETFL || what == F_SETFL) && fails(FCNTL) ? -1 : REAL(fcntl, fd, what, argument);
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
    return option == SO_PROTOCOL && fails(SO_PROTOCOL_) ? -1 : REAL(getsockopt, fd, level, option, value, size);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return fails(RECVMSG) ? failed(fd) : REAL(recvmsg, fd, message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (fails(SENDMSG)) return failed(fd);
    struct iovec first = message->msg_iov[0];
    struct msghdr less = *message;
    if (plan.most == 0) return REAL(sendmsg, fd, message, flags);
    first.iov_len = at_most(first.iov_len);
    less.msg_iov = &first;
    less.msg_iovlen = 1;
    return REAL(sendmsg, fd, &less, flags);
}

/* Not the wakes of the port, which are of eight bytes. */
ssize_t read(int fd, void *data, size_t size)
{
    return size != sizeof(uint64_t) && fails(READ) ? failed(fd) : REAL(read, fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (fails(WRITEV)) return failed(fd);
    struct iovec first = parts[0];
    size_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    first.iov_len = at_most(first.iov_len);
    return moved(plan.most == 0 ? REAL(writev, fd, parts, count) : REAL(writev, fd, &first, 1), size);
}

ssize_t sendfile(int to, int file, off_t *offset, size_t size)
{
    if (fails(SENDFILE)) return failed(to);
    if (plan.no_sendfile) {
        errno = ENOSYS;
        return -1;
    }
    return moved(REAL(sendfile, to, file, offset, at_most(size)), size);
}

ssize_t pread(int file, void *data, size_t size, off_t offset)
{
    return fails(PREAD) ? -1 : REAL(pread, file, data, at_most(size), offset);
}

/* Only sockets are registered: the pipe between them is not. */
ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size, unsigned flags)
{
    const bool in = registered[from].epoll_fd != 0;
    if (fails(in ? SPLICE_IN : SPLICE_OUT)) return failed(in ? from : to);
    return moved(REAL(splice, from, from_offset, to, to_offset, at_most(size), flags), size);
}

int poll(struct pollfd *asked, nfds_t count, int timeout)
{
    return fails(POLL) ? -1 : REAL(poll, asked, count, timeout);
}

int shutdown(int fd, int how)
{
    return fails(SHUTDOWN) ? -1 : REAL(shutdown, fd, how);
}

/* ---- The scene ---- */

enum { LENGTH = 30 };
static const char words[LENGTH + 1] = "to be compared, byte for byte!";

struct scene {
    COROUTINE(void);
    struct pawl_socket sock, a, b, c, d;
    int raw, file, fds[2];
    unsigned count; /* of those in fds */
    size_t got;
    char data[64];
    struct iovec parts[2];
    struct msghdr message;
    union {
        struct pawl_recv recv;
        struct pawl_recv_from recv_from;
        struct pawl_recv_fds recv_fds;
        struct pawl_send send;
        struct pawl_send_to send_to;
        struct pawl_send_fds send_fds;
        struct pawl_send_vector vector;
        struct pawl_message moves;
        struct pawl_sendfile sendfile;
        struct pawl_splice splice;
        struct pawl_wait_ready wait;
    } step;
};

static int set_the_stage(struct scene *scene)
{
    int fds[2], error;
    if (REAL(socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return -errno;
    scene->raw = fds[0];
    error = pawl_socket_adopt(&scene->sock, fds[1]);
    if (error == 0) error = pawl_socket_pair(&scene->a, &scene->b, SOCK_STREAM);
    return error == 0 ? pawl_pipe(&scene->d, &scene->c) : error;
}

/* The words, in two parts. */
static struct iovec *cut(struct scene *scene)
{
    scene->parts[0] = (struct iovec){ (void *)(uintptr_t)words, 11 };
    scene->parts[1] = (struct iovec){ (void *)(uintptr_t)(words + 11), LENGTH - 11 };
    return scene->parts;
}

static struct msghdr *message_to(struct scene *scene, char *data, size_t size)
{
    scene->parts[0] = (struct iovec){ data, size };
    scene->message = (struct msghdr){ .msg_iov = scene->parts, .msg_iovlen = 1 };
    return &scene->message;
}

/* Are the words here? Clears them. */
static bool arrived(struct scene *scene)
{
    const bool right = scene->got == LENGTH && memcmp(scene->data, words, LENGTH) == 0;
    memset(scene->data, 0, sizeof scene->data);
    scene->got = 0;
    return right;
}

static void clear_the_stage(struct scene *scene)
{
    for (unsigned i = 0; i < scene->count; i++) close(scene->fds[i]);
    close_both(&scene->a, &scene->b);
    close_both(&scene->c, &scene->d);
    pawl_socket_close(&scene->sock);
    if (scene->raw > 0) close(scene->raw);
    if (scene->file > 0) close(scene->file);
}

#define ALL_OF(operation, ...) \
    do { \
        AWAIT(self->step.operation, __VA_ARGS__); \
        if (self->step.operation.result == 0) RAISE(PAWL_EEOF); \
        self->got += self->step.operation.result; \
    } while (self->got < LENGTH); \
    if (!arrived(self)) RAISE(-EBADMSG)

ASYNC(scene)
{
    ASYNC_BEGIN(scene);
    TRY {
        const int error = set_the_stage(self);
        if (error != 0) RAISE(error);
        self->file = memfd_create("pawl", MFD_CLOEXEC);
        if (write(self->file, words, LENGTH) != LENGTH) RAISE(-EIO);

        AWAIT(self->step.vector, pawl_send_vector(&self->a, cut(self), 2));
        if (self->step.vector.result != LENGTH) RAISE(-EBADMSG);
        ALL_OF(moves, pawl_recvmsg(&self->b, message_to(self, self->data + self->got, LENGTH - self->got), 0));

        for (self->got = 0; self->got < LENGTH; self->got += self->step.moves.result)
            AWAIT(self->step.moves, pawl_sendmsg(&self->b, message_to(self, (char *)(uintptr_t)(words + self->got), LENGTH - self->got), 0));
        self->got = 0;
        ALL_OF(recv_from, pawl_recv_from(&self->a, self->data + self->got, LENGTH - self->got, NULL));

        AWAIT(self->step.send_fds, pawl_send_fds(&self->a, "x", 1, &self->file, 1));
        AWAIT(self->step.recv_fds, pawl_recv_fds(&self->b, self->data, 1, self->fds, 2));
        self->count = self->step.recv_fds.count;
        if (self->count != 1) RAISE(-EBADMSG);
        AWAIT(self->step.send_to, pawl_send_to(&self->a, "x", 1, NULL));
        AWAIT(self->step.wait, pawl_wait_ready(&self->b, PAWL_READABLE));
        AWAIT(self->step.recv, pawl_recv(&self->b, self->data, 1));

        AWAIT(self->step.send, pawl_send(&self->c, words, LENGTH));
        ALL_OF(recv, pawl_recv(&self->d, self->data + self->got, LENGTH - self->got));
        AWAIT(self->step.vector, pawl_send_vector(&self->c, cut(self), 2));

        AWAIT(self->step.splice, pawl_splice(&self->d, &self->a, LENGTH));
        if (self->step.splice.result != LENGTH) RAISE(-EBADMSG);
        ALL_OF(recv, pawl_recv(&self->b, self->data + self->got, LENGTH - self->got));

        AWAIT(self->step.sendfile, pawl_sendfile(&self->sock, self->file, 0, UINT64_MAX));
        if (self->step.sendfile.result != LENGTH) RAISE(-EBADMSG);
        self->got = (size_t)recv(self->raw, self->data, sizeof self->data, MSG_DONTWAIT);
        if (!arrived(self)) RAISE(-EBADMSG);

        const int ended = pawl_socket_shutdown(&self->a, SHUT_WR);
        if (ended != 0) RAISE(ended);
        AWAIT(self->step.recv, pawl_recv(&self->b, self->data, 1));
        if (self->step.recv.result != 0) RAISE(-EBADMSG);
    } FINALLY {
        clear_the_stage(self);
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

static int play(void)
{
    struct net net;
    const enum call call = plan.call;
    memset(registered, 0, sizeof registered);
    plan.call = NONE;
    net_begin(&net);
    plan.call = call; /* from here on */
    memset(plan.count, 0, sizeof plan.count);
    plan.fired = false;
    const int outcome = net_finish(&net, pawl_spawn(CORO(scene)));
    plan.call = NONE;
    net_end(&net);
    return outcome;
}

static int play_with(enum call call, int at, int times, int error)
{
    const int before = open_descriptors();
    plan.call = call;
    plan.at = at;
    plan.times = times;
    plan.error = error;
    const int outcome = play();
    ck_assert_msg(open_descriptors() == before, "%s, the %d-th, fails with %d: a descriptor is left open", call_names[call], at, error);
    return outcome;
}

/* Each call of this kind fails once, at each of its turns; `outcome` is what the scene must then end with. */
static void fail_each(enum call call, int error, int outcome)
{
    ck_assert_int_eq(play_with(NONE, 0, 0, 0), 0);
    const int turns = plan.count[call];
    ck_assert_msg(turns > 0, "the scene never calls %s", call_names[call]);
    for (int at = 1; at <= turns; at++) {
        const int got = play_with(call, at, 1, error);
        ck_assert(plan.fired);
        ck_assert_msg(got == outcome, "%s, the %d-th, fails with %d (%s): the scene ends with %d (%s), not with %d", call_names[call], at, error,
                      strerror(error), got, pawl_strerror(got), outcome);
    }
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

/* ---- Each call ---- */

START_TEST(the_scene_makes_every_call_and_ends_well)
{
    ck_assert_int_eq(play_with(NONE, 0, 0, 0), 0);
    for (int call = NONE + 1; call < CALLS; call++)
        if (call != PREAD) ck_assert_msg(plan.count[call] > 0, "%s is never called", call_names[call]);
    plan.no_sendfile = true;
    ck_assert_int_eq(play_with(NONE, 0, 0, 0), 0);
    ck_assert_int_gt(plan.count[PREAD], 0);
}
END_TEST

START_TEST(what_cannot_be_made_says_why)
{
    FAIL_EACH(SOCKETPAIR, EMFILE, ENFILE, ENOMEM);
    FAIL_EACH(PIPE2, EMFILE, ENFILE);
    FAIL_EACH(EPOLL_ADD, ENOMEM, ENOSPC);
}
END_TEST

START_TEST(what_cannot_be_taken_over_says_why)
{
    FAIL_EACH(FCNTL, EBADF, EPERM);
    FAIL_EACH(SO_PROTOCOL_, EBADF, ENOBUFS, EINVAL);
    GOES_ON_AFTER(SO_PROTOCOL_, ENOTSOCK); /* is read and written then */
}
END_TEST

START_TEST(messages)
{
    GOES_ON_AFTER(RECVMSG, EINTR, EAGAIN);
    FAIL_EACH(RECVMSG, ECONNRESET, ENOMEM, ENOTCONN);
    GOES_ON_AFTER(SENDMSG, EINTR, EAGAIN);
    FAIL_EACH(SENDMSG, EPIPE, ECONNRESET, ENOBUFS, ENOMEM, ETOOMANYREFS, EFAULT);
    ck_assert_int_eq(play_with(RECVMSG, 1, 20, EINTR), 0);
    ck_assert_int_eq(play_with(SENDMSG, 1, 20, EINTR), 0);
}
END_TEST

START_TEST(reading_and_writing)
{
    GOES_ON_AFTER(READ, EINTR, EAGAIN);
    FAIL_EACH(READ, EIO);
    GOES_ON_AFTER(WRITEV, EINTR, EAGAIN);
    FAIL_EACH(WRITEV, EPIPE, EIO, ENOMEM);
    ck_assert_int_eq(play_with(READ, 1, 20, EINTR), 0);
    ck_assert_int_eq(play_with(WRITEV, 1, 20, EINTR), 0);
}
END_TEST

START_TEST(files)
{
    GOES_ON_AFTER(SENDFILE, EINTR, EAGAIN);
    FAIL_EACH(SENDFILE, EPIPE, ECONNRESET, EIO, ENOMEM, EBADF);
    GOES_ON_AFTER(SENDFILE, EINVAL, ENOSYS, EOPNOTSUPP); /* the system cannot: it is read and sent */
    ck_assert_int_eq(play_with(SENDFILE, 1, 20, EINTR), 0);
    plan.no_sendfile = true;
    GOES_ON_AFTER(PREAD, EINTR);
    FAIL_EACH(PREAD, EIO, EISDIR, ENOMEM);
}
END_TEST

START_TEST(splices)
{
    GOES_ON_AFTER(SPLICE_IN, EINTR, EAGAIN);
    FAIL_EACH(SPLICE_IN, ECONNRESET, EINVAL, ENOMEM);
    GOES_ON_AFTER(SPLICE_OUT, EINTR, EAGAIN);
    FAIL_EACH(SPLICE_OUT, EPIPE, ECONNRESET, ENOMEM);
    ck_assert_int_eq(play_with(SPLICE_IN, 1, 20, EINTR), 0);
    ck_assert_int_eq(play_with(SPLICE_OUT, 1, 20, EINTR), 0);
}
END_TEST

START_TEST(asking_and_shutting_down)
{
    GOES_ON_AFTER(POLL, EINTR);
    FAIL_EACH(POLL, ENOMEM, EINVAL);
    ck_assert_int_eq(play_with(POLL, 1, 20, EINTR), 0);
    FAIL_EACH(SHUTDOWN, ENOTCONN, ENOBUFS);
}
END_TEST

/* ---- Cut short ---- */

START_TEST(what_is_cut_short_goes_on_where_it_stopped)
{
    for (size_t most = 1; most <= LENGTH; most++) {
        plan.most = most;
        ck_assert_int_eq(play_with(NONE, 0, 0, 0), 0);
        const int rounds = (int)(LENGTH / most);
        ck_assert_int_ge(plan.count[SENDFILE], rounds);
        ck_assert_int_ge(plan.count[SPLICE_IN], rounds);
        ck_assert_int_ge(plan.count[WRITEV], 2 * rounds);
        plan.no_sendfile = true;
        ck_assert_int_eq(play_with(NONE, 0, 0, 0), 0);
        ck_assert_int_ge(plan.count[PREAD], rounds);
        plan.no_sendfile = false;
    }
}
END_TEST

/* A call that has moved something, and met the end only after that, has its signal as well. */
START_TEST(a_signal_of_what_was_cut_short_does_not_get_through)
{
    signal(SIGPIPE, SIG_DFL); /* would end this process */
    plan.most = 7;
    plan.signals = true;
    ck_assert_int_eq(play_with(NONE, 0, 0, 0), 0);
    sigset_t pending;
    ck_assert_int_eq(sigpending(&pending), 0);
    ck_assert(!sigismember(&pending, SIGPIPE));
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("syscalls of what moves");
    ADD(suite, "calls", the_scene_makes_every_call_and_ends_well, what_cannot_be_made_says_why, what_cannot_be_taken_over_says_why, messages,
        reading_and_writing, files, splices, asking_and_shutting_down);
    ADD(suite, "short", what_is_cut_short_goes_on_where_it_stopped, a_signal_of_what_was_cut_short_does_not_get_through);
    return suite;
}
