/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What the parts of the core share: where a job is, and moving it.
 *
 *        (none) ──────────► ready ──► runs, and is nowhere
 *          │ │                ▲ ▲
 *          │ └──► a future ───┘ │      the future was settled
 *          └────► timer ──► firing ┘   its time came; one iteration on it is ready (asyncio's order)
 *
 * A list is circular and doubly linked, so that leaving one is O(1). The ready queue and the list of tasks have a
 * sentinel; a future and a timer bucket only point to their first element, which keeps a future at two words.
 */
#ifndef PAWL_CORE_H
#define PAWL_CORE_H

#include <pawl/loop.h>
#include <pawl/task.h>

static inline unsigned where(const struct pawl_job *job)
{
    return job->awaitable.flags & PAWL_WHERE_MASK;
}

static inline void set_where(struct pawl_job *job, unsigned place)
{
    job->awaitable.flags = (uint16_t)((job->awaitable.flags & ~(unsigned)PAWL_WHERE_MASK) | place);
}

static inline struct pawl_job *job_of(struct pawl_link *link)
{
    return (struct pawl_job *)(void *)link;
}

static inline struct pawl_handle *handle_of(struct pawl_job *job)
{
    return (struct pawl_handle *)(void *)job;
}

static inline struct pawl_task *task_of(struct pawl_job *job)
{
    return (struct pawl_task *)(void *)job;
}

static inline struct pawl_job *job_of_future(struct pawl_future *future)
{
    return (struct pawl_job *)(void *)((char *)future - offsetof(struct pawl_job, awaitable));
}

static inline struct pawl_task *task_of_all(struct pawl_link *all)
{
    return (struct pawl_task *)(void *)((char *)all - offsetof(struct pawl_task, all));
}

static inline struct pawl_coro *root_of(struct pawl_task *task)
{
    return (struct pawl_coro *)(void *)(task + 1);
}

static inline void set_flags(struct pawl_future *future, unsigned flags)
{
    future->flags = (uint16_t)(future->flags | flags);
}

static inline void clear_flags(struct pawl_future *future, unsigned flags)
{
    future->flags = (uint16_t)(future->flags & ~flags);
}

/* ---- Lists with a sentinel ---- */

static inline void list_init(struct pawl_link *list)
{
    list->next = list->prev = list;
}

static inline bool list_empty(const struct pawl_link *list)
{
    return list->next == list;
}

static inline void list_append(struct pawl_link *list, struct pawl_link *link)
{
    struct pawl_link *const last = list->prev;
    link->next = list;
    link->prev = last;
    last->next = link;
    list->prev = link;
}

static inline void list_unlink(struct pawl_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}

/* ---- Lists without one: *first is NULL when empty ---- */

static inline void ring_append(struct pawl_link **first, struct pawl_link *link)
{
    if (*first == NULL) {
        link->next = link->prev = link;
        *first = link;
    } else {
        list_append(*first, link);
    }
}

static inline void ring_remove(struct pawl_link **first, struct pawl_link *link)
{
    if (link->next == link) {
        *first = NULL;
    } else {
        if (*first == link) *first = link->next;
        list_unlink(link);
    }
}

/* ---- Jobs ---- */

static inline void make_ready(struct pawl_job *job, int outcome)
{
    job->on.outcome = outcome;
    set_where(job, PAWL_WHERE_READY);
    list_append(job->loop->ready, &job->link);
}

/* Takes a job out of whichever list it is in. */
void job_leave(struct pawl_job *job);

/* Marks `future` done and moves its waiters to their ready queues. */
void future_complete(struct pawl_future *future, int error);

/* Puts a job among the waiters of a pending future: 0 or PAWL_EBUSY. */
int future_subscribe(struct pawl_future *future, struct pawl_job *job);

/* Runs a task up to its next suspension. */
void task_step(struct pawl_task *task);

/* Takes an ended task out of the loop and frees it if it is on the heap. */
void task_forget(struct pawl_task *task);

void report_failure(struct pawl_loop *loop, const char *name, const char *where_raised, int error);

/* Does anybody still have to be told of this outcome? */
static inline bool unseen_failure(const struct pawl_future *future)
{
    return (future->flags & (PAWL_FUTURE_DONE | PAWL_FUTURE_SEEN)) == PAWL_FUTURE_DONE && future->error != 0 &&
           future->error != PAWL_ECANCELLED;
}

#endif
