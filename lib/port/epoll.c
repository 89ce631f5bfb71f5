/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The epoll port. A descriptor is registered once for its life, for everything, edge-triggered, with its watch as the
 * event's data. What a wait has fetched lies on its stack; unwatch() looks through it, so that a watch that goes away
 * while events are being told is not told of afterwards. The eventfd is the one with no watch.
 */
#define _GNU_SOURCE
#include <pawl/epoll.h>
#include <pawl/error.h>

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256 };

static const pawl_time SECOND = 1000000000, MILLISECOND = 1000000;

static pawl_time now(struct pawl_port *port)
{
    (void)port;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (pawl_time)time.tv_sec * SECOND + time.tv_nsec;
}

static int wait_milliseconds(int fd, struct epoll_event *events, pawl_time span)
{
    const pawl_time milliseconds = span / MILLISECOND + (span % MILLISECOND != 0);
    return epoll_wait(fd, events, EVENTS, milliseconds > 3600000 ? 3600000 : (int)milliseconds);
}

/* Looks again and again for a little while. */
static int spin(struct pawl_epoll *epoll, struct epoll_event *events, enum pawl_port_wait how, pawl_time deadline)
{
    pawl_time until = now(&epoll->base) + epoll->spin;
    int count;
    if (how == PAWL_WAIT_UNTIL && deadline < until) until = deadline;
    do count = epoll_wait(epoll->epoll_fd, events, EVENTS, 0);
    while (count == 0 && now(&epoll->base) < until);
    return count;
}

static int fetch(struct pawl_epoll *epoll, struct epoll_event *events, enum pawl_port_wait how, pawl_time deadline)
{
    if (how != PAWL_WAIT_NOT && epoll->spin > 0) {
        const int count = spin(epoll, events, how, deadline);
        if (count != 0) return count;
    }
    if (how == PAWL_WAIT_NOT) return epoll_wait(epoll->epoll_fd, events, EVENTS, 0);
    if (how == PAWL_WAIT_FOREVER) return epoll_wait(epoll->epoll_fd, events, EVENTS, -1);

    pawl_time span = deadline - now(&epoll->base);
    if (span <= 0) return epoll_wait(epoll->epoll_fd, events, EVENTS, 0);
    if (!epoll->coarse) {
        const struct timespec time = { .tv_sec = (time_t)(span / SECOND), .tv_nsec = (long)(span % SECOND) };
        const int count = epoll_pwait2(epoll->epoll_fd, events, EVENTS, &time, NULL);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count; /* an old kernel, or a filter that knows it not */
        epoll->coarse = true;
    }
    return wait_milliseconds(epoll->epoll_fd, events, span);
}

static unsigned told(uint32_t events)
{
    unsigned what = 0;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR)) what |= PAWL_WATCH_READ;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) what |= PAWL_WATCH_WRITE;
    if (events & (EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR)) what |= PAWL_WATCH_HANGUP;
    return what;
}

/* The flag goes down after the count was read: the other way round, what is written between the two would be read too, and the flag
 * stay up for ever with nothing to read. Who finds it still up writes nothing, but this wait ends anyway, and the loop looks at its
 * inbox after it; the exchange lets it see what they put there. */
static void take_wake(struct pawl_epoll *epoll)
{
    uint64_t count;
    const ssize_t got = read(epoll->wake_fd, &count, sizeof count);
    (void)got;
    __atomic_exchange_n(&epoll->woken, 0, __ATOMIC_SEQ_CST);
}

static int wait_events(struct pawl_port *port, enum pawl_port_wait how, pawl_time deadline)
{
    struct pawl_epoll *const epoll = (struct pawl_epoll *)(void *)port;
    struct epoll_event events[EVENTS];
    /* nothing that could have happened: no reason to ask */
    if (how == PAWL_WAIT_NOT && epoll->watched == 0 && !__atomic_load_n(&epoll->woken, __ATOMIC_ACQUIRE)) return 0;
    const int count = fetch(epoll, events, how, deadline);
    if (count < 0) return errno == EINTR ? 0 : -errno;

    epoll->events = events;
    epoll->events_count = count;
    for (int i = 0; i < count; i++) {
        struct pawl_watcher *const watch = events[i].data.ptr;
        if (watch == NULL) continue; /* unwatched meanwhile */
        if ((void *)watch == (void *)epoll) take_wake(epoll);
        else watch->notify(watch, told(events[i].events));
    }
    epoll->events = NULL;
    epoll->events_count = 0;
    return 0;
}

static void wake(struct pawl_port *port)
{
    struct pawl_epoll *const epoll = (struct pawl_epoll *)(void *)port;
    const uint64_t one = 1;
    const int before = errno; /* a signal handler may call this */
    if (__atomic_exchange_n(&epoll->woken, 1, __ATOMIC_SEQ_CST)) return;
    ssize_t put;
    do put = write(epoll->wake_fd, &one, sizeof one);
    while (put < 0 && errno == EINTR);
    errno = before;
}

static int add(struct pawl_epoll *epoll, int fd, uint32_t what, void *data)
{
    struct epoll_event event = { .events = what, .data.ptr = data };
    return epoll_ctl(epoll->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int watch(struct pawl_port *port, struct pawl_watcher *watch)
{
    struct pawl_epoll *const epoll = (struct pawl_epoll *)(void *)port;
    const int error = add(epoll, watch->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET, watch);
    if (error == 0) epoll->watched++;
    return error;
}

static void unwatch(struct pawl_port *port, struct pawl_watcher *watch)
{
    struct pawl_epoll *const epoll = (struct pawl_epoll *)(void *)port;
    struct epoll_event *const events = epoll->events;
    if (epoll_ctl(epoll->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL) == 0) epoll->watched--;
    for (int i = 0; i < epoll->events_count; i++)
        if (events[i].data.ptr == watch) events[i].data.ptr = NULL;
}

static const struct pawl_port_ops epoll_ops = {
    .now = now, .wait = wait_events, .wake = wake, .watch = watch, .unwatch = unwatch
};

int pawl_epoll_init(struct pawl_epoll *epoll)
{
    *epoll = (struct pawl_epoll){ .base.ops = &epoll_ops, .epoll_fd = -1, .wake_fd = -1 };
    epoll->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll->epoll_fd >= 0) epoll->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = epoll->wake_fd < 0 ? -errno : 0;
    if (error == 0) error = add(epoll, epoll->wake_fd, EPOLLIN, epoll);
    if (error != 0) pawl_epoll_finish(epoll);
    return error;
}

int pawl_epoll_set_spin(struct pawl_epoll *epoll, pawl_time span)
{
    if (epoll == NULL || span < 0 || span > SECOND) return PAWL_EINVAL;
    epoll->spin = span;
    return 0;
}

void pawl_epoll_finish(struct pawl_epoll *epoll)
{
    if (epoll->base.ops == NULL) return;
    if (epoll->wake_fd >= 0) close(epoll->wake_fd);
    if (epoll->epoll_fd >= 0) close(epoll->epoll_fd);
    *epoll = (struct pawl_epoll){ .epoll_fd = -1, .wake_fd = -1 };
}
