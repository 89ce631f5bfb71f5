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
#include <pawl/waiter.h>

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

static inline struct pawl_waiter *waiter_of(struct pawl_link *link)
{
    return (struct pawl_waiter *)(void *)link;
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
    list_append(pawl_job_loop_(job)->ready, &job->link);
}

/* A time that has passed, when the port was last asked, is now. */
static inline pawl_time not_passed(const struct pawl_loop *loop, pawl_time when)
{
    return pawl_time_before(when, loop->now) ? loop->now : when;
}

/* A timer's time has come: it goes to the end of the ready queue, to be told so. */
static inline void fire(struct pawl_job *job, struct pawl_link *ready)
{
    set_where(job, PAWL_WHERE_FIRING);
    list_append(ready, &job->link);
}

/* Makes an idle handle one of `loop`; who awaits it goes on waiting. */
static inline void handle_set(struct pawl_handle *handle, struct pawl_loop *loop, pawl_callback *callback, void *argument)
{
    struct pawl_link *const waiters = handle->awaitable.awaitable.awaitable.first;
    *handle = (struct pawl_handle){ .callback = callback, .argument = argument };
    handle->awaitable.awaitable.awaitable.first = waiters;
    handle->awaitable.awaitable.flags = PAWL_FUTURE_HANDLE;
    handle->awaitable.home = loop;
}

/* Makes ready what other threads sent. */
void take_inbox(struct pawl_loop *loop);

/* Runs the callback of a handle that has left the ready queue. */
void handle_run(struct pawl_handle *handle);

/* Takes a job out of whichever list it is in. */
void job_leave(struct pawl_job *job);

/* ---- Futures ---- */

static inline bool awaited_by_hand(const struct pawl_future *future)
{
    return pawl_is_odd_(future->awaitable.first);
}

/* Wakes a ring of waiters, each with its outcome; returns the flags that this adds to the future's. Handles that are to run
 * at once are chained from *at_once on. */
unsigned wake_waiters(struct pawl_link *first, int error, struct pawl_link **at_once);
void run_at_once(struct pawl_link *at_once);

/* Marks `future` done, its flags being `flags` but for that, and moves its waiters to their ready queues. */
static inline void future_complete_as(struct pawl_future *future, unsigned flags, int error)
{
    struct pawl_link *const first = future->awaitable.first, *at_once = NULL;
    flags |= PAWL_FUTURE_DONE;
    future->error = (int16_t)error;
    if (first != NULL && !pawl_is_odd_(first)) {
        future->awaitable.first = NULL;
        if (PAWL_LIKELY(first->next == first && (job_of(first)->awaitable.flags & PAWL_FUTURE_TASK))) {
            make_ready(job_of(first), error);
            flags |= PAWL_FUTURE_SEEN;
        } else {
            flags |= wake_waiters(first, error, &at_once);
        }
    }
    future->flags = (uint16_t)flags;
    if (PAWL_UNLIKELY(at_once != NULL)) run_at_once(at_once);
}

static inline void future_complete(struct pawl_future *future, int error)
{
    future_complete_as(future, future->flags, error);
}

/* Puts a job among the waiters of a pending future: 0 or PAWL_EBUSY. */
static inline int future_subscribe(struct pawl_future *future, struct pawl_job *job)
{
    if (PAWL_UNLIKELY(awaited_by_hand(future))) return PAWL_EBUSY;
    job->on.awaited = future;
    set_where(job, PAWL_WHERE_FUTURE);
    ring_append(&future->awaitable.first, &job->link);
    return 0;
}

/* ---- Waiters: pawl_wait_begin and pawl_wait_end in line ---- */

static inline struct pawl_coro *waiter_begin(struct pawl_wait_list *list, struct pawl_waiter *waiter, struct pawl_coro *co,
                                           struct pawl_coro *root)
{
    waiter->future.error = 0;
    waiter->future.flags = 0;
    ring_append(&list->first, &waiter->link);
    co->point = 1;
    if (PAWL_UNLIKELY(!(root->state & PAWL_CORO_TASK))) {
        waiter->future.awaitable.first = NULL;
        return pawl_leaf_await(co, root, &waiter->future);
    }
    /* nobody else can wait for this future, and so the task becomes its waiter without being asked */
    struct pawl_job *const job = &pawl_leaf_task(root)->awaitable;
    job->on.awaited = &waiter->future;
    set_where(job, PAWL_WHERE_FUTURE);
    waiter->future.awaitable.first = job->link.next = job->link.prev = &job->link;
    return pawl_leaf_suspend(co, root);
}

/* Does anybody wait who was not cancelled? Those that were leave when they run, in the next iteration. */
bool somebody_waits(const struct pawl_wait_list *list);

/* Wakes one that is pending and in no list any more: mostly a task waits for it. */
static inline void waiter_wake(struct pawl_waiter *waiter, int error)
{
    struct pawl_link *const first = waiter->future.awaitable.first;
    if (PAWL_UNLIKELY(first == NULL || pawl_is_odd_(first) || error != 0)) {
        future_complete_as(&waiter->future, 0, error);
        return;
    }
    waiter->future.awaitable.first = NULL;
    waiter->future.flags = PAWL_FUTURE_DONE;
    make_ready(job_of(first), 0);
}

static inline void waiter_end(struct pawl_wait_list *list, struct pawl_waiter *waiter)
{
    if (waiter->link.next == NULL) return;
    ring_remove(&list->first, &waiter->link);
    waiter->link.next = NULL;
}

/* ---- Tasks ---- */

/* The step of a task that is to be told of its cancellation. */
void task_step_cancelled(struct pawl_loop *loop, struct pawl_task *task);

/* Awaiting where something is to be looked at: 0, or what to raise at once. */
int task_await_carefully(struct pawl_task *task, struct pawl_future *future);

/* The chain waits for `future`: 0, or what to raise there at once. Mostly it is the only one that does. */
static inline int task_await(struct pawl_task *task, struct pawl_future *future)
{
    struct pawl_job *const job = &task->awaitable;
    const unsigned flags = job->awaitable.flags;
    if (PAWL_UNLIKELY(future->awaitable.first != NULL || (flags & PAWL_FUTURE_CANCEL) || future == &job->awaitable ||
                      ((future->flags & PAWL_FUTURE_TASK) && job_of_future(future)->home != job->home)))
        return task_await_carefully(task, future);
    job->on.awaited = future;
    job->awaitable.flags = (uint16_t)((flags & ~(unsigned)PAWL_WHERE_MASK) | PAWL_WHERE_FUTURE);
    future->awaitable.first = job->link.next = job->link.prev = &job->link;
    return 0;
}

/* May a task wait for this? Not for a task of another loop: that one lives in another thread, or does not run. */
static inline bool of_other_loop(const struct pawl_task *task, struct pawl_future *future)
{
    return (future->flags & PAWL_FUTURE_TASK) && pawl_job_loop_(job_of_future(future)) != pawl_task_loop(task);
}

/* Has an undelivered request been made of it? */
static inline bool request_pending(const struct pawl_task *task)
{
    return (task->awaitable.awaitable.flags & PAWL_FUTURE_CANCEL) != 0;
}

/* Takes back the request that a block made of its own task: true when there are no more of them than `before` the block, so that
 * nobody else wants it to end. What was not delivered of it is dropped, unless it was `pending` before. */
bool take_request_back(struct pawl_task *task, unsigned before, bool pending);

/* Closes the frames of a task that will not be run any more. */
void task_close(struct pawl_task *task);

/* The same for one in memory that goes away while its loop stays; harmless when it has ended. */
void task_drop(struct pawl_task *task);

/* The same for a task in the caller's memory, which may be the frame that goes; one on the heap is its owner's. */
void task_drop_static(struct pawl_task *task);

/* Ends a task that was made and is not wanted: one that has not begun at once, another one by a cancellation. */
void task_refuse(struct pawl_task *task);

/* Takes an ended task out of the loop, reports it if it is to be, and frees it if it is on the heap. */
void task_forget(struct pawl_task *task);

/* The note of a task that has one: the end of the task, and the task itself, go. */
void note_end(struct pawl_task *task);
void note_forget(struct pawl_task *task);

/* A task that has ended needs its context no more, which may go. */
void leave_context(struct pawl_task *task);

/* Where a task that this one makes is at home: with the same context, but not in its note. */
struct pawl_loop *home_of_child(const struct pawl_task *task);

/* Keeps the message of a cancellation (NULL: none) if there is room for it. */
void note_message(struct pawl_task *task, const char *message);

/* The chain has ended. */
static inline void task_end(struct pawl_task *task, int error)
{
    enum { KEPT = PAWL_FUTURE_HEAP | PAWL_FUTURE_OWNED };
    struct pawl_future *const future = &task->awaitable.awaitable;
    const unsigned flags = future->flags;
    if (PAWL_UNLIKELY(pawl_is_odd_(task->awaitable.home))) leave_context(task);
    /* cancelled while it ran its last step: that counts, whatever it returned (gh-74234) */
    if (PAWL_UNLIKELY(flags & PAWL_FUTURE_CANCEL) && error == 0) error = PAWL_ECANCELLED;
    future_complete_as(future, flags & ~(unsigned)(PAWL_FUTURE_CANCEL | PAWL_WHERE_MASK), error);
    if (PAWL_UNLIKELY((flags & (KEPT | PAWL_FUTURE_NOTED)) != KEPT)) {
        if ((flags & KEPT) != KEPT) task_forget(task);
        else note_end(task);
    }
}

/* A cancel that came while the task ran goes to what it waits for now: an uncancel is too late for it. */
void task_cancel_parked(struct pawl_task *task);

/* Runs a task up to its next suspension, raising `error` where it stands. While it runs it counts as ready, though it is
 * in no queue: what still says so afterwards has only given way. */
static inline void task_resume(struct pawl_loop *loop, struct pawl_task *task, int error)
{
    struct pawl_coro *const root = root_of(task);
    struct pawl_job *const job = &task->awaitable;
    struct pawl_coro *co = root->link;
    loop->current = task;
    pawl_scrub_();
    for (;;) {
        root->link = PAWL_ODD_;
        struct pawl_coro *const what = pawl_drive_(co, root, error);
        co = root->link;
        if (PAWL_UNLIKELY(pawl_is_odd_(co))) break;
        if (PAWL_LIKELY(what == PAWL_ODD_)) {
            if (PAWL_LIKELY(where(job) == PAWL_WHERE_READY)) {
                job->on.outcome = 0;
                list_append(loop->ready, &job->link);
            } else if (PAWL_UNLIKELY(job->awaitable.flags & PAWL_FUTURE_CANCEL)) {
                task_cancel_parked(task);
            }
            return;
        }
        error = task_await(task, (struct pawl_future *)((uintptr_t)what - 1));
        if (PAWL_LIKELY(error == 0)) return;
    }
    task_end(task, root->errors[0]);
}

/* A block of memory such as tasks are made of: one of those that the loop has kept, or from its allocator; NULL when there is none. And back,
 * with the size that it was asked for. */
void *loop_allocate(struct pawl_loop *loop, size_t size);
void loop_release(struct pawl_loop *loop, void *block, size_t size);

/* Gives back the freed blocks that a loop has kept. */
void loop_release_spares(struct pawl_loop *loop);

void report_unseen_failure(struct pawl_loop *loop, const char *name, const char *where_raised, int error);

/* Does anybody still have to be told of this outcome? */
static inline bool unseen_failure(const struct pawl_future *future)
{
    return (future->flags & (PAWL_FUTURE_DONE | PAWL_FUTURE_SEEN)) == PAWL_FUTURE_DONE && future->error != 0 &&
           future->error != PAWL_ECANCELLED;
}

#endif
