/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The port contract: who tells the time, who waits, who wakes. Everything that a loop asks of the world goes through
 * one struct pawl_port; to port pawl is to fill in `now`, `wait` and `wake`. One test suite runs over every port.
 */
#ifndef PAWL_PORT_H
#define PAWL_PORT_H

#include "config.h"

PAWL_BEGIN_C

struct pawl_port;
struct pawl_watcher;

/** How long `wait` may block. */
enum pawl_port_wait {
    PAWL_WAIT_NOT,    /* look for events and return */
    PAWL_WAIT_UNTIL,  /* at most until the deadline; a little later is right, a little earlier is not */
    PAWL_WAIT_FOREVER /* until an event or a wake */
};

/** What happened to a watched descriptor. */
enum {
    PAWL_WATCH_READ = 1,  /* it may be readable: data, a connection, the end of the stream */
    PAWL_WATCH_WRITE = 2, /* it may be writable, or a connect has ended */
    PAWL_WATCH_HANGUP = 4 /* the peer has shut down, an error is pending, or there is urgent data: that a read comes
                             back short does not say that there is no more */
};

/** A descriptor that a port watches, from watch() to unwatch(). Lives in the caller's memory. */
struct pawl_watcher {
    int fd;
    void (*notify)(struct pawl_watcher *watch, unsigned events); /* called by the port, within its wait() */
};

struct pawl_port_ops {
    /** Mandatory. The time: not negative, and never smaller than before (with PAWL_TIME_32 it wraps). */
    pawl_time (*now)(struct pawl_port *port);
    /** Mandatory. Waits as told, tells the watches what happened to them, and returns 0. A wake that came before the
     *  call ends it at once, and is used up then. An error (negative) ends the run of the loop: PAWL_EDEADLK when
     *  nothing could ever end the wait. */
    int (*wait)(struct pawl_port *port, enum pawl_port_wait how, pawl_time deadline);
    /** Mandatory. Ends the wait() that goes on now, or the next one. From any thread, interrupt or signal handler. */
    void (*wake)(struct pawl_port *port);
    /** Optional (NULL: PAWL_ENOSYS). Watches watch->fd for all its life, edge-triggered: each event is told once when
     *  it comes up. 0 or an error; after an error nothing is watched. */
    int (*watch)(struct pawl_port *port, struct pawl_watcher *watch);
    /** Optional, with watch. Nothing is told of it afterwards, also not what the current wait() has already fetched.
     *  To be called before the descriptor is closed. */
    void (*unwatch)(struct pawl_port *port, struct pawl_watcher *watch);
};

/** The base of every port; the port's own state follows it. */
struct pawl_port {
    const struct pawl_port_ops *ops;
};

PAWL_END_C

#endif
