/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The epoll port: Linux. CLOCK_MONOTONIC in nanoseconds, descriptors watched edge-triggered, an eventfd to be woken. */
#ifndef PAWL_EPOLL_H
#define PAWL_EPOLL_H

#include "port.h"

PAWL_BEGIN_C

/** Its state, in the caller's memory. */
struct pawl_epoll {
    struct pawl_port base;
    int epoll_fd, wake_fd;
    int woken;        /* a wake is on its way; atomic */
    int watched;      /* how many descriptors */
    pawl_time spin;   /* see pawl_epoll_set_spin */
    bool coarse;      /* this kernel waits in milliseconds only */
    void *events;     /* what the current wait has fetched */
    int events_count;
};

/** Opens it: 0, or -errno of epoll_create1, eventfd or epoll_ctl; nothing is open then. */
PAWL_API int pawl_epoll_init(struct pawl_epoll *epoll);
/** Before it sleeps, it looks for events for up to `span` (0, as it is in the beginning: it sleeps at once; at most a second).
 *  A processor that has gone to sleep takes microseconds to wake up; who would rather burn 20 to 100 of them each time and
 *  answer sooner sets this. Only where the peer runs on another processor. 0 or PAWL_EINVAL. */
PAWL_API int pawl_epoll_set_spin(struct pawl_epoll *epoll, pawl_time span);
/** Closes it; its loop is finished before. Harmless for a zeroed or finished one. */
PAWL_API void pawl_epoll_finish(struct pawl_epoll *epoll);

PAWL_END_C

#endif
