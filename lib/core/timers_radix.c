/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Timers in a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan: Faster algorithms for the shortest path problem, 1990). It
 * asks that what comes out never goes back in time, which is what clocks do.
 *
 *      bucket 0      due exactly at `last`
 *      bucket b      differs from `last` in bit b - 1 and in none above: at least 2^(b-1) ticks away
 *
 * A bucket is a ring in order of arrival. When the lowest one is due, `last` moves to its soonest timer and the others
 * of that bucket fall into lower ones, in order, so that equal times stay in the order in which they were added. No
 * other bucket has to be touched: the bit in which they differ from `last` is above. A timer moves at most once for each
 * bit of its distance.
 */
#include "../core/core.h"

enum { LOOK_AT_MOST = 64 }; /* how far to search a bucket for its soonest before a lower bound has to do */

static unsigned bucket_of(const struct pawl_timers *timers, pawl_time when)
{
    const uint64_t difference = (uint64_t)when ^ (uint64_t)timers->last;
    return difference ? 64u - (unsigned)__builtin_clzll(difference) : 0;
}

static void put(struct pawl_timers *timers, struct pawl_job *job)
{
    const unsigned bucket = bucket_of(timers, job->on.when);
    ring_append(&timers->bucket[bucket], &job->link);
    timers->used |= (uint64_t)1 << bucket;
}

void pawl_timers_add(struct pawl_timers *timers, struct pawl_job *job, pawl_time when)
{
    if (when < timers->last) when = timers->last;
    job->on.when = when;
    if (timers->used == 0) {
        timers->soonest = when;
        timers->exact = true;
    } else if (when < timers->soonest) {
        timers->soonest = when;
    }
    put(timers, job);
}

void pawl_timers_remove(struct pawl_timers *timers, struct pawl_job *job)
{
    const unsigned bucket = bucket_of(timers, job->on.when);
    ring_remove(&timers->bucket[bucket], &job->link);
    if (timers->bucket[bucket] == NULL) timers->used &= ~((uint64_t)1 << bucket);
    if (job->on.when == timers->soonest) timers->exact = false;
}

/* The first time that belongs into a bucket. */
static pawl_time bucket_start(const struct pawl_timers *timers, unsigned bucket)
{
    if (bucket == 0) return timers->last;
    const uint64_t bit = (uint64_t)1 << (bucket - 1);
    return (pawl_time)(((uint64_t)timers->last | bit) & ~(bit - 1));
}

/* Makes `soonest` exact, looking at no more than `most` timers. */
static bool find_soonest(struct pawl_timers *timers, size_t most)
{
    const unsigned bucket = (unsigned)__builtin_ctzll(timers->used);
    struct pawl_link *const first = timers->bucket[bucket], *link = first;
    pawl_time soonest = PAWL_FOREVER;
    do {
        if (most-- == 0) return false;
        if (job_of(link)->on.when < soonest) soonest = job_of(link)->on.when;
        link = link->next;
    } while (link != first && bucket != 0);
    timers->soonest = soonest;
    timers->exact = true;
    return true;
}

bool pawl_timers_next(struct pawl_timers *timers, pawl_time *when)
{
    if (timers->used == 0) return false;
    if (!timers->exact && !find_soonest(timers, LOOK_AT_MOST))
        timers->soonest = bucket_start(timers, (unsigned)__builtin_ctzll(timers->used));
    *when = timers->soonest;
    return true;
}

/* Moves `last` on to the soonest timer; its bucket falls into the ones below. */
static void spread(struct pawl_timers *timers)
{
    const unsigned bucket = (unsigned)__builtin_ctzll(timers->used);
    struct pawl_link *const first = timers->bucket[bucket], *link = first;
    timers->last = timers->soonest;
    if (bucket == 0) return;
    timers->bucket[bucket] = NULL;
    timers->used &= ~((uint64_t)1 << bucket);
    do {
        struct pawl_link *const next = link->next;
        put(timers, job_of(link));
        link = next;
    } while (link != first);
}

struct pawl_job *pawl_timers_pop(struct pawl_timers *timers, pawl_time now)
{
    if (timers->used == 0 || timers->soonest > now) return NULL;
    if (!timers->exact) find_soonest(timers, SIZE_MAX);
    if (timers->soonest > now) return NULL;
    spread(timers);
    struct pawl_job *const job = job_of(timers->bucket[0]);
    pawl_timers_remove(timers, job);
    if (timers->bucket[0]) timers->exact = true;
    return job;
}
