/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Timers in one sorted ring: a pointer of RAM and a few instructions. Adding walks from the far end, which is where a
 * new timer mostly belongs. Times are compared wrap-safe.
 */
#include "../core/core.h"

void pawl_timers_add(struct pawl_timers *timers, struct pawl_job *job, pawl_time when)
{
    struct pawl_link *const first = timers->first;
    job->on.when = when;
    if (first == NULL) {
        ring_append(&timers->first, &job->link);
        return;
    }
    struct pawl_link *before = first; /* insert in front of this one; the first stands for the end of the ring */
    while (pawl_time_before(when, job_of(before->prev)->on.when)) {
        before = before->prev;
        if (before == first) {
            timers->first = &job->link;
            break;
        }
    }
    list_append(before, &job->link);
}

void pawl_timers_remove(struct pawl_timers *timers, struct pawl_job *job)
{
    ring_remove(&timers->first, &job->link);
}

bool pawl_timers_next(struct pawl_timers *timers, pawl_time *when)
{
    if (timers->first == NULL) return false;
    *when = job_of(timers->first)->on.when;
    return true;
}

bool pawl_timers_fire(struct pawl_timers *timers, pawl_time now, struct pawl_link *ready)
{
    struct pawl_job *const job = pawl_timers_pop(timers, now);
    if (job != NULL) fire(job, ready);
    return job != NULL;
}

struct pawl_job *pawl_timers_pop(struct pawl_timers *timers, pawl_time now)
{
    if (timers->first == NULL) return NULL;
    struct pawl_job *const job = job_of(timers->first);
    if (pawl_time_before(now, job->on.when)) return NULL;
    ring_remove(&timers->first, &job->link);
    return job;
}
