/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Timers in a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan: Faster algorithms for the shortest path problem, 1990), with
 * digits of five bits. It asks that what comes out never goes back in time, which is what clocks do.
 *
 *      level 0, bucket d     differs from `last` in the lowest digit only: all in it are due at one instant
 *      level l, bucket d     differs from `last` in digit l, which is d, and in none above
 *
 * A bucket is a ring in order of arrival. When the lowest one is due, `last` moves to the lower bound of its timers, which
 * fall into lower ones, in order, so that equal times stay in the order in which they were added. No other bucket has
 * to be touched: the digit in which they differ from `last` is above. A timer moves at most once for each digit of its
 * distance. With a million timers each move is a cache miss, so nothing but the move looks at them: the lower bound is
 * kept on the way in.
 */
#include "../core/core.h"

enum { LOOK_AT_MOST = 64 };

struct place {
    unsigned level, digit;
};

static struct place place_of(const struct pawl_timers *timers, pawl_time when)
{
    const uint64_t difference = (uint64_t)when ^ (uint64_t)timers->last;
    const unsigned level = (63u - (unsigned)__builtin_clzll(difference | 1)) / PAWL_DIGIT_BITS_;
    return (struct place){ level, (unsigned)((uint64_t)when >> level * PAWL_DIGIT_BITS_) % (1u << PAWL_DIGIT_BITS_) };
}

static struct place lowest_place(const struct pawl_timers *timers)
{
    const unsigned level = (unsigned)__builtin_ctz(timers->levels);
    return (struct place){ level, (unsigned)__builtin_ctz(timers->used[level]) };
}

static struct pawl_bucket *bucket_at(struct pawl_timers *timers, struct place place)
{
    return &timers->bucket[place.level][place.digit];
}

static void mark_used(struct pawl_timers *timers, struct place place)
{
    timers->used[place.level] = timers->used[place.level] | (uint32_t)1 << place.digit;
    timers->levels = (uint16_t)(timers->levels | 1u << place.level);
}

static void mark_empty(struct pawl_timers *timers, struct place place)
{
    timers->used[place.level] = timers->used[place.level] & ~((uint32_t)1 << place.digit);
    if (timers->used[place.level] == 0) timers->levels = (uint16_t)(timers->levels & ~(1u << place.level));
}

static void put(struct pawl_timers *timers, struct pawl_job *job)
{
    const pawl_time when = job->on.when;
    const struct place place = place_of(timers, when);
    struct pawl_bucket *const bucket = bucket_at(timers, place);
    if (bucket->first == NULL) {
        bucket->lower = when;
        mark_used(timers, place);
    } else if (when < bucket->lower) {
        bucket->lower = when;
    }
    ring_append(&bucket->first, &job->link);
}

void pawl_timers_add(struct pawl_timers *timers, struct pawl_job *job, pawl_time when)
{
    if (when < timers->last) when = timers->last;
    job->on.when = when;
    if (timers->levels == 0 || when < timers->soonest) timers->soonest = when;
    put(timers, job);
}

/* What is left of a small bucket has a bound of its own again, so that the loop does not wake up for nothing. */
static void tighten(struct pawl_bucket *bucket)
{
    struct pawl_link *const first = bucket->first, *link = first;
    pawl_time lower = PAWL_FOREVER;
    int most = LOOK_AT_MOST;
    do {
        if (most-- == 0) return;
        if (job_of(link)->on.when < lower) lower = job_of(link)->on.when;
        link = link->next;
    } while (link != first);
    bucket->lower = lower;
}

static void take_out(struct pawl_timers *timers, struct pawl_job *job, struct place place)
{
    struct pawl_bucket *const bucket = bucket_at(timers, place);
    ring_remove(&bucket->first, &job->link);
    if (bucket->first == NULL) mark_empty(timers, place);
}

void pawl_timers_remove(struct pawl_timers *timers, struct pawl_job *job)
{
    take_out(timers, job, place_of(timers, job->on.when));
}

bool pawl_timers_next(struct pawl_timers *timers, pawl_time *when)
{
    if (timers->levels == 0) return false;
    struct pawl_bucket *const bucket = bucket_at(timers, lowest_place(timers));
    tighten(bucket);
    *when = timers->soonest = bucket->lower;
    return true;
}

/* Moves `last` on to the lower bound of a bucket; what is in it falls into the ones below. */
static void spread(struct pawl_timers *timers, struct place place)
{
    struct pawl_bucket *const bucket = bucket_at(timers, place);
    struct pawl_link *const first = bucket->first, *link = first;
    timers->last = bucket->lower;
    bucket->first = NULL;
    mark_empty(timers, place);
    do {
        struct pawl_link *const next = link->next;
        put(timers, job_of(link));
        link = next;
    } while (link != first);
}

/* As a spread, but what is due at that very time has arrived: a timer mostly need not fall through all levels. */
bool pawl_timers_fire(struct pawl_timers *timers, pawl_time now, struct pawl_link *ready)
{
    if (timers->levels == 0) return false;
    const struct place place = lowest_place(timers);
    struct pawl_bucket *const bucket = bucket_at(timers, place);
    struct pawl_link *const first = bucket->first, *link = first;
    const pawl_time lower = timers->soonest = bucket->lower;
    if (lower > now) return false;
    timers->last = lower;
    bucket->first = NULL;
    mark_empty(timers, place);
    do {
        struct pawl_link *const next = link->next;
        __builtin_prefetch(next);
        if (job_of(link)->on.when == lower) fire(job_of(link), ready);
        else put(timers, job_of(link));
        link = next;
    } while (link != first);
    return true;
}

struct pawl_job *pawl_timers_pop(struct pawl_timers *timers, pawl_time now)
{
    while (timers->levels != 0) {
        const struct place place = lowest_place(timers);
        struct pawl_bucket *const bucket = bucket_at(timers, place);
        timers->soonest = bucket->lower;
        if (bucket->lower > now) return NULL;
        if (place.level == 0) {
            struct pawl_job *const job = job_of(bucket->first);
            timers->last = bucket->lower;
            take_out(timers, job, place);
            return job;
        }
        spread(timers, place);
    }
    return NULL;
}
