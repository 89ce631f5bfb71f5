/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Names by c-ares, without threads. Each request has a channel of its own, whose sockets the loop's port watches.
 *
 *      the port ── an edge ──► pump: while one of the sockets is ready (poll), c-ares processes it ──► the answer
 *      the timer ─────────────►        then the timer is set for what c-ares waits for next
 *
 * c-ares counts on being told again of what is still ready, and asks for writability when it is there already; a port tells of
 * changes only. Hence poll(2), until nothing is ready. All of it happens in the loop's thread, and the memory is its allocator's.
 */
#include "lookup.h"

#include <ares.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

struct watched {
    struct pawl_watcher watch;
    struct pawl_lookup *lookup;
    struct watched *next;
    short events; /* that c-ares wants: POLLIN, POLLOUT */
};

struct pawl_lookup {
    struct pawl_loop *loop;
    struct pawl_future *answered;
    ares_channel channel;
    struct watched *sockets;
    struct pawl_handle timer;
    struct ares_addrinfo *found;
    int error; /* once answered */
};

static int error_of_cares(int status)
{
    switch (status) {
    case ARES_SUCCESS: return 0;
    case ARES_ENOMEM: return PAWL_ENOMEM;
    case ARES_EBADFAMILY:
    case ARES_EBADFLAGS:
    case ARES_EBADHINTS: return PAWL_EINVAL;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_ENONAME:
    case ARES_EBADNAME:
    case ARES_ESERVICE: return PAWL_EHOST;
    default: return PAWL_ERESOLVE;
    }
}

static bool is_answered(const struct pawl_lookup *lookup)
{
    return pawl_future_done(lookup->answered);
}

static void settle(struct pawl_lookup *lookup, int error)
{
    if (is_answered(lookup)) return;
    lookup->error = error;
    pawl_future_settle(lookup->answered, 0);
}

static void *allocate(const struct pawl_loop *loop, size_t size)
{
    return loop->allocator != NULL ? loop->allocator->allocate(loop->allocator->context, size) : NULL;
}

static void release(const struct pawl_loop *loop, void *memory)
{
    loop->allocator->release(loop->allocator->context, memory);
}

/* ---- Driving c-ares ---- */

/* Also when it ends without an answer. */
static void on_answer(void *argument, int status, int timeouts, struct ares_addrinfo *found)
{
    struct pawl_lookup *const lookup = argument;
    (void)timeouts;
    lookup->found = found;
    settle(lookup, error_of_cares(status));
}

/* Sees to one socket that is ready; false when there is none. */
static bool process_one(struct pawl_lookup *lookup)
{
    for (const struct watched *watched = lookup->sockets; watched != NULL; watched = watched->next) {
        struct pollfd ready = { .fd = watched->watch.fd, .events = watched->events };
        if (poll(&ready, 1, 0) <= 0) continue;
        const bool failed = (ready.revents & (POLLERR | POLLHUP)) != 0;
        const ares_socket_t reads = failed || (ready.revents & POLLIN) ? ready.fd : ARES_SOCKET_BAD;
        const ares_socket_t writes = failed || (ready.revents & POLLOUT) ? ready.fd : ARES_SOCKET_BAD;
        ares_process_fd(lookup->channel, reads, writes);
        return true;
    }
    return false;
}

static void on_time(void *argument);

static void arm_timer(struct pawl_lookup *lookup)
{
    struct timeval span;
    pawl_handle_cancel(&lookup->timer);
    if (is_answered(lookup) || ares_timeout(lookup->channel, NULL, &span) == NULL) return;
    pawl_call_later(lookup->loop, &lookup->timer, PAWL_SEC(span.tv_sec) + PAWL_US(span.tv_usec), on_time, lookup);
}

static void pump(struct pawl_lookup *lookup)
{
    while (!is_answered(lookup) && process_one(lookup)) {}
    arm_timer(lookup);
}

static void on_time(void *argument)
{
    struct pawl_lookup *const lookup = argument;
    ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    pump(lookup);
}

static void notify(struct pawl_watcher *watch, unsigned events)
{
    (void)events;
    pump(((struct watched *)(void *)watch)->lookup);
}

/* ---- Its sockets ---- */

static void watch_socket(struct pawl_lookup *lookup, int fd, short events)
{
    struct pawl_port *const port = lookup->loop->port;
    struct watched *const watched = allocate(lookup->loop, sizeof *watched);
    int error = watched == NULL ? PAWL_ENOMEM : port->ops->watch == NULL ? PAWL_ENOSYS : 0;
    if (watched != NULL) *watched = (struct watched){ { fd, notify }, lookup, lookup->sockets, events };
    if (error == 0) error = port->ops->watch(port, &watched->watch);
    if (error == 0) {
        lookup->sockets = watched;
        return;
    }
    if (watched != NULL) release(lookup->loop, watched);
    settle(lookup, error);
}

static void unwatch_socket(struct pawl_lookup *lookup, struct watched **place)
{
    struct watched *const watched = *place;
    *place = watched->next;
    lookup->loop->port->ops->unwatch(lookup->loop->port, &watched->watch);
    release(lookup->loop, watched);
}

/* What c-ares wants to be told of one of its sockets; nothing any more when it is about to close it. */
static void on_socket(void *argument, ares_socket_t fd, int readable, int writable)
{
    struct pawl_lookup *const lookup = argument;
    struct watched **place = &lookup->sockets;
    const short events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    while (*place != NULL && (*place)->watch.fd != fd) place = &(*place)->next;
    if (*place == NULL) {
        if (events != 0 && !is_answered(lookup)) watch_socket(lookup, fd, events);
    } else if (events == 0) {
        unwatch_socket(lookup, place);
    } else {
        (*place)->events = events;
    }
}

static ares_socket_t open_socket(int family, int type, int protocol, void *nothing)
{
    (void)nothing;
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int close_socket(ares_socket_t fd, void *nothing)
{
    (void)nothing;
    return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t size, void *nothing)
{
    (void)nothing;
    return connect(fd, address, size);
}

static ares_ssize_t receive(ares_socket_t fd, void *data, size_t size, int flags, struct sockaddr *from, ares_socklen_t *from_size,
                            void *nothing)
{
    (void)nothing;
    return recvfrom(fd, data, size, flags, from, from_size);
}

/* A name server that is gone is no signal. */
static ares_ssize_t transmit(ares_socket_t fd, const struct iovec *parts, int count, void *nothing)
{
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count };
    (void)nothing;
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static const struct ares_socket_functions socket_functions = { open_socket, close_socket, connect_socket, receive, transmit };

/* ---- Requests ---- */

static void begin_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

static int open_channel(struct pawl_lookup *lookup)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ares_options options = { .sock_state_cb = on_socket, .sock_state_cb_data = lookup };
    pthread_once(&once, begin_library);
    const int status = ares_init_options(&lookup->channel, &options, ARES_OPT_SOCK_STATE_CB);
    if (status == ARES_SUCCESS) ares_set_socket_functions(lookup->channel, &socket_functions, NULL);
    return error_of_cares(status);
}

int lookup_begin(struct pawl_getaddrinfo *self, struct pawl_loop *loop)
{
    const struct ares_addrinfo_hints hints = { .ai_family = self->family, .ai_socktype = self->type };
    struct pawl_lookup *const lookup = allocate(loop, sizeof *lookup);
    if (lookup == NULL) return PAWL_ENOMEM;
    *lookup = (struct pawl_lookup){ .loop = loop, .answered = &self->answered };
    const int error = open_channel(lookup);
    if (error != 0) {
        release(loop, lookup);
        return error;
    }
    self->lookup = lookup;
    ares_getaddrinfo(lookup->channel, self->host != NULL ? self->host : "localhost", self->service, &hints, on_answer, lookup);
    pump(lookup);
    return 0;
}

int lookup_take(struct pawl_getaddrinfo *self)
{
    const struct pawl_lookup *const lookup = self->lookup;
    size_t count = 0;
    if (lookup->error != 0) return lookup->error;
    for (const struct ares_addrinfo_node *node = lookup->found->nodes; node != NULL; node = node->ai_next) count++;
    const int error = count == 0 ? PAWL_EHOST : addresses_make(self, lookup->loop, count);
    if (error != 0) return error;
    struct pawl_address *address = self->addresses;
    for (const struct ares_addrinfo_node *node = lookup->found->nodes; node != NULL; node = node->ai_next, address++)
        pawl_address_set(address, node->ai_addr, node->ai_addrlen);
    return 0;
}

/* To destroy a channel closes its sockets, of which on_socket is told, and ends what it was asked for, of which on_answer is. */
void lookup_end(struct pawl_lookup *lookup)
{
    pawl_handle_cancel(&lookup->timer);
    ares_destroy(lookup->channel);
    if (lookup->found != NULL) ares_freeaddrinfo(lookup->found);
    release(lookup->loop, lookup);
}
