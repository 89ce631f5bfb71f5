/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * One iteration of the loop:
 *
 *      ┌─► ask the port ─────── when nothing is ready, or after `patience` jobs although something is:
 *      │      │                 wait at most until the soonest timer; events settle futures, which makes jobs ready
 *      │      ▼
 *      │   timers that are due ─► ready, in order of their time
 *      │      │
 *      │      ▼
 *      └── run the batch ────── what was ready before it began; what becomes ready meanwhile runs in the next iteration
 *
 * That is asyncio's iteration, except that a busy loop does not ask its port every time: a system call each time would
 * cost more than most jobs do. The order of jobs is the same.
 */
#include "../core/core.h"

enum { PATIENCE = 127 };

int pawl_loop_init(struct pawl_loop *loop, struct pawl_port *port, const struct pawl_allocator *allocator)
{
    if (loop == NULL || port == NULL || port->ops == NULL) return PAWL_EINVAL;
    *loop = (struct pawl_loop){ .port = port, .allocator = allocator };
    list_init(&loop->queues[0]);
    list_init(&loop->queues[1]);
    list_init(&loop->tasks);
    loop->ready = &loop->queues[0];
    loop->now = port->ops->now(port);
#ifndef PAWL_TIMER_LIST
    loop->timers.last = loop->now;
#endif
    return 0;
}

/* Handles that are still armed are their owners' again. */
static void release_handles(struct pawl_loop *loop)
{
    pawl_time when;
    for (int i = 0; i < 2; i++)
        while (!list_empty(&loop->queues[i])) job_leave(job_of(loop->queues[i].next));
    while (pawl_timers_next(&loop->timers, &when)) {
        struct pawl_job *const job = pawl_timers_pop(&loop->timers, when);
        if (job != NULL) set_where(job, PAWL_WHERE_NONE);
    }
}

/* Closes all tasks, also those that are made meanwhile, and moves them to `closed`. First all leave their lists, since what
 * one waits for may lie in the frame of another. A FINALLY may release tasks of either list. */
static void close_tasks(struct pawl_loop *loop, struct pawl_link *closed)
{
    list_init(closed);
    for (struct pawl_link *link = loop->tasks.next; link != &loop->tasks; link = link->next) job_leave(&task_of_all(link)->awaitable);
    while (!list_empty(&loop->tasks)) {
        struct pawl_link *const link = loop->tasks.next;
        task_close(task_of_all(link));
        list_unlink(link);
        list_append(closed, link);
    }
}

/* Those in the caller's memory go first: that may be the frame of one on the heap. */
static void abandon_tasks(struct pawl_link *closed)
{
    for (struct pawl_link *link = closed->next, *next; link != closed; link = next) {
        struct pawl_task *const task = task_of_all(link);
        next = link->next;
        if (!(task->awaitable.awaitable.flags & PAWL_FUTURE_HEAP)) task_forget(task);
    }
}

void pawl_loop_finish(struct pawl_loop *loop)
{
    if (loop->port == NULL) return;
    struct pawl_loop *const outer = pawl_loop_use(loop);
    struct pawl_link closed;
    take_inbox(loop);
    close_tasks(loop, &closed);
    release_handles(loop);
    abandon_tasks(&closed);
    while (!list_empty(&closed)) task_forget(task_of_all(closed.next));
    pawl_loop_use(outer == loop ? NULL : outer);
    loop_release_spares(loop);
    *loop = (struct pawl_loop){ 0 };
}

/* ---- One iteration ---- */

static int ask_port(struct pawl_loop *loop, bool wait)
{
    struct pawl_port *const port = loop->port;
    pawl_time deadline = 0;
    enum pawl_port_wait how = PAWL_WAIT_NOT;
    loop->current = NULL;
    take_inbox(loop);
    if (wait && list_empty(loop->ready)) how = pawl_timers_next(&loop->timers, &deadline) ? PAWL_WAIT_UNTIL : PAWL_WAIT_FOREVER;
    const int error = port->ops->wait(port, how, deadline);
    if (pawl_timers_next(&loop->timers, &deadline)) loop->now = port->ops->now(port);
    loop->patience = PATIENCE;
    take_inbox(loop);
    return error;
}

static inline bool timers_may_be_due(const struct pawl_timers *timers, pawl_time now)
{
#ifdef PAWL_TIMER_LIST
    (void)now;
    return timers->first != NULL;
#else
    return timers->levels != 0 && timers->soonest <= now;
#endif
}

/* What is due becomes ready behind what is ready. A task has one more iteration to go: its sleep ends in this one. */
static void fire_timers(struct pawl_loop *loop)
{
    while (pawl_timers_fire(&loop->timers, loop->now, loop->ready)) {}
}

/* Everything but a task that just goes on. */
static PAWL_COLD void run_other(struct pawl_loop *loop, struct pawl_job *job)
{
    loop->current = NULL;
    if (!(job->awaitable.flags & PAWL_FUTURE_TASK)) handle_run(handle_of(job));
    else if (where(job) == PAWL_WHERE_FIRING) make_ready(job, 0); /* its sleep has ended */
    else task_step_cancelled(loop, task_of(job));
}

static inline void run_job(struct pawl_loop *loop, struct pawl_job *job)
{
    enum { GOES_ON = PAWL_FUTURE_TASK | PAWL_WHERE_READY, LOOK_AT = PAWL_FUTURE_TASK | PAWL_WHERE_MASK | PAWL_FUTURE_CANCEL };
#ifdef PAWL_SPARES_
    loop->patience--;
#endif
    if (PAWL_LIKELY((job->awaitable.flags & LOOK_AT) == GOES_ON)) task_resume(loop, task_of(job), job->on.outcome);
    else run_other(loop, job);
}

/* Runs what is ready, iteration by iteration, as long as neither the port nor the timers have to be asked.
 *
 * The queues change places, rather than one being copied: what was stored a moment ago in two words is not to be loaded
 * as one. */
static __attribute__((noinline)) void run_ready(struct pawl_loop *loop, const struct pawl_future *future)
{
    do {
        loop->patience--;
        struct pawl_link *const batch = loop->ready;
        loop->ready = &loop->queues[batch == &loop->queues[0]];
        for (struct pawl_link *link = batch->next; link != batch;) {
            struct pawl_link *next = link->next;
            batch->next = next;
            next->prev = batch;
            __builtin_prefetch((const char *)next + sizeof(struct pawl_task)); /* its frame */
            run_job(loop, job_of(link));
            /* mostly still the next one: to load it again is to wait until the store above has come back */
            if (PAWL_UNLIKELY(loop->taken_out)) {
                loop->taken_out = false;
                next = batch->next;
            }
            link = next;
        }
    } while (loop->patience > 0 && !loop->stop && !(future->flags & PAWL_FUTURE_DONE) && !list_empty(loop->ready) &&
             !timers_may_be_due(&loop->timers, loop->now));
}

/* One iteration, and as many more as need no port and no timer while `future` is not done. */
static int iterate(struct pawl_loop *loop, const struct pawl_future *future, bool wait)
{
    if (PAWL_UNLIKELY(loop->patience <= 0 || list_empty(loop->ready))) {
        const int error = ask_port(loop, wait);
        if (PAWL_UNLIKELY(error != 0)) return error;
    }
    if (timers_may_be_due(&loop->timers, loop->now)) fire_timers(loop);
    run_ready(loop, future);
    return 0;
}

/* ---- Running ---- */

static int enter(struct pawl_loop *loop, struct pawl_loop **outer)
{
    if (loop == NULL || loop->port == NULL) return PAWL_EINVAL;
    *outer = pawl_loop_current_;
    if (loop->running || (*outer != NULL && (*outer)->running)) return PAWL_EBUSY;
    loop->running = true;
    pawl_loop_current_ = loop;
    return 0;
}

static void leave(struct pawl_loop *loop, struct pawl_loop *outer)
{
    loop->running = loop->stop = false;
    loop->current = NULL;
    pawl_loop_current_ = outer;
}

/* For a run that ends at once, and one that does not. */
static const struct pawl_future at_once = { .flags = PAWL_FUTURE_DONE }, never;

/* Iterates until `future` is done, stop is called (before it: one iteration), or the port fails. */
static int run_until(struct pawl_loop *loop, const struct pawl_future *future)
{
    struct pawl_loop *outer;
    int error = enter(loop, &outer);
    if (error != 0) return error;
    while (error == 0 && !(future->flags & PAWL_FUTURE_DONE)) {
        error = iterate(loop, future, !loop->stop);
        if (loop->stop) break;
    }
    leave(loop, outer);
    return error;
}

int pawl_loop_run(struct pawl_loop *loop)
{
    return run_until(loop, &never);
}

int pawl_loop_run_once(struct pawl_loop *loop, bool wait)
{
    struct pawl_loop *outer;
    int error = enter(loop, &outer);
    if (error != 0) return error;
    error = iterate(loop, &at_once, wait && !loop->stop);
    leave(loop, outer);
    return error;
}

int(pawl_loop_run_until_complete)(struct pawl_loop *loop, struct pawl_future *future)
{
    if (future == NULL) return PAWL_EINVAL;
    const int error = run_until(loop, future);
    return error != 0 ? error : (pawl_future_error)(future);
}

int pawl_loop_shutdown(struct pawl_loop *loop)
{
    struct pawl_loop *outer;
    int error = enter(loop, &outer);
    if (error != 0) return error;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(loop, task)) != NULL;) pawl_task_cancel(task);
    while (error == 0 && pawl_task_next(loop, NULL) != NULL) error = iterate(loop, &at_once, true);
    leave(loop, outer);
    return error;
}

void pawl_loop_stop(struct pawl_loop *loop)
{
    loop->stop = true;
}

void pawl_loop_wake(struct pawl_loop *loop)
{
    loop->port->ops->wake(loop->port);
}

bool pawl_loop_pending(const struct pawl_loop *loop)
{
    if (loop->port == NULL) return false;
#ifdef PAWL_TIMER_LIST
    const bool timers = loop->timers.first != NULL;
#else
    const bool timers = loop->timers.levels != 0;
#endif
    return timers || !list_empty(&loop->queues[0]) || !list_empty(&loop->queues[1]) ||
           __atomic_load_n(&loop->inbox, __ATOMIC_RELAXED) != NULL;
}
