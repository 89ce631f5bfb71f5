/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The timers of a loop: jobs ordered by the time that they wait for. Intrusive, no allocation. Two structures behind
 * one set of functions, chosen by PAWL_TIMER_LIST:
 *
 *   radix heap (default)   adding and removing are O(1), firing is amortised O(1) for each 5 bits of the distance in
 *                          time; 7 KiB a loop
 *   sorted list            one pointer a loop, adding is O(n) from the far end; for firmware
 *
 * In both, timers due at the same instant come out in the order in which they were added. A loop arms one whose time has passed
 * for now.
 */
#ifndef PAWL_TIMER_H
#define PAWL_TIMER_H

#include "future.h"

PAWL_BEGIN_C

#ifdef PAWL_TIMER_LIST
struct pawl_timers {
    struct pawl_link *first; /* circular, the soonest first */
};
#else
/* A timer is in the bucket of the first digit in which it differs from `last`, and of its own digit there; one due at
 * `last` is on level 0. `last` never passes the time that the loop has seen, and no timer is before it. */
enum { PAWL_DIGIT_BITS_ = 5, PAWL_LEVELS_ = 13 };
struct pawl_timers {
    pawl_time last;
    pawl_time soonest; /* a lower bound */
    uint16_t levels;   /* bit l: a bucket of level l is not empty */
    uint32_t used[PAWL_LEVELS_]; /* bit d: bucket d of this level is not empty */
    struct pawl_bucket {
        struct pawl_link *first;
        pawl_time lower; /* when it is not empty: no timer in it is before this */
    } bucket[PAWL_LEVELS_][1 << PAWL_DIGIT_BITS_];
};
#endif

/** Adds a job that is in no list, to come out at `when`. */
PAWL_API void pawl_timers_add(struct pawl_timers *timers, struct pawl_job *job, pawl_time when);
/** Takes a job out again. */
PAWL_API void pawl_timers_remove(struct pawl_timers *timers, struct pawl_job *job);
/** Takes out the next job whose time is not after `now`; NULL when there is none. */
PAWL_API struct pawl_job *pawl_timers_pop(struct pawl_timers *timers, pawl_time now);
/** Moves jobs whose time has come, not after `now`, to the end of the list `ready`, in order of their times; some of them at a
 *  time: false when there was nothing to do any more. */
PAWL_API bool pawl_timers_fire(struct pawl_timers *timers, pawl_time now, struct pawl_link *ready);
/** A time at which to look again, never later than the soonest timer: *when, and true; false when there is no timer. */
PAWL_API bool pawl_timers_next(struct pawl_timers *timers, pawl_time *when);

/** Is a before b? Wrap-safe where times wrap. */
PAWL_INLINE bool pawl_time_before(pawl_time a, pawl_time b)
{
#ifdef PAWL_TIME_32
    return (int32_t)((uint32_t)a - (uint32_t)b) < 0;
#else
    return a < b;
#endif
}

/** `time` plus `span`; never beyond PAWL_FOREVER where times do not wrap, never PAWL_FOREVER itself where they do (a tick later
 *  then). A negative span counts as 0. */
PAWL_INLINE pawl_time pawl_time_after(pawl_time time, pawl_time span)
{
    if (span < 0) span = 0;
#ifdef PAWL_TIME_32
    const uint32_t sum = (uint32_t)time + (uint32_t)span;
    return (pawl_time)(sum == (uint32_t)PAWL_FOREVER && span > 0 ? sum + 1 : sum);
#else
    return time > 0 && span > PAWL_FOREVER - time ? PAWL_FOREVER : time + span;
#endif
}

PAWL_END_C

#endif
