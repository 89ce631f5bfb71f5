/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Futures. A waiter takes its outcome with it when it leaves for the ready queue, so a future may go away as soon as it
 * is settled.
 *
 * A coroutine that is stepped by hand has no job to wait with. It lends what it has: the future's list of waiters
 * holds the waiting frame, made odd, and the root's link holds the future, made odd. Hence one such waiter a future.
 */
#include "core.h"

unsigned wake_waiters(struct pawl_link *first, int error, struct pawl_link **at_once)
{
    struct pawl_link *link = first;
    unsigned flags = 0;
    *at_once = NULL;
    do {
        struct pawl_link *const next = link->next;
        struct pawl_job *const job = job_of(link);
        const unsigned its = job->awaitable.flags;
        if (its & PAWL_FUTURE_TASK) flags |= PAWL_FUTURE_SEEN;
        if (!(its & PAWL_FUTURE_TASK) && (its & PAWL_FUTURE_AT_ONCE)) {
            set_where(job, PAWL_WHERE_NONE);
            link->next = NULL;
            *at_once = link;
            at_once = &link->next;
        } else {
            make_ready(job, error);
        }
        link = next;
    } while (link != first);
    return flags;
}

/* When all waiters are where they belong, so that what is cancelled here is found. */
void run_at_once(struct pawl_link *at_once)
{
    while (at_once != NULL) {
        struct pawl_link *const next = at_once->next;
        handle_run(handle_of(job_of(at_once)));
        at_once = next;
    }
}

void job_leave(struct pawl_job *job)
{
    switch (where(job)) {
    case PAWL_WHERE_ASKED:
    case PAWL_WHERE_FUTURE: ring_remove(&job->on.awaited->awaitable.first, &job->link); break;
    case PAWL_WHERE_TIMER: pawl_timers_remove(&pawl_job_loop_(job)->timers, job); break;
    case PAWL_WHERE_NONE: return;
    default:
        list_unlink(&job->link);
        pawl_job_loop_(job)->taken_out = true;
    }
    set_where(job, PAWL_WHERE_NONE);
}

int pawl_future_settle(struct pawl_future *future, int error)
{
    if (future == NULL || (future->flags & PAWL_FUTURE_TASK)) return PAWL_EINVAL;
    if (future->flags & PAWL_FUTURE_DONE) return PAWL_EDONE;
    future_complete(future, error == 0 ? 0 : pawl_error_checked_(error));
    return 0;
}

bool(pawl_future_cancel)(struct pawl_future *future)
{
    if (future == NULL) return false;
    if (future->flags & PAWL_FUTURE_DONE) {
        set_flags(future, PAWL_FUTURE_SEEN);
        return false;
    }
    if (future->flags & PAWL_FUTURE_TASK) return pawl_task_cancel(task_of(job_of_future(future)));
    if (future->flags & PAWL_FUTURE_HANDLE) return pawl_handle_cancel(handle_of(job_of_future(future)));
    if (future->flags & PAWL_FUTURE_HOOKED) {
        struct pawl_hooked_future *const hooked = (struct pawl_hooked_future *)(void *)future;
        return hooked->cancel(hooked);
    }
    future_complete(future, PAWL_ECANCELLED);
    return true;
}

int(pawl_future_add_callback)(struct pawl_future *future, struct pawl_loop *loop, struct pawl_handle *handle,
                              pawl_callback *callback, void *argument)
{
    if (future == NULL || loop == NULL || handle == NULL || callback == NULL) return PAWL_EINVAL;
    if (pawl_handle_pending(handle)) return PAWL_EBUSY;
    if (future->flags & PAWL_FUTURE_DONE) return pawl_call_soon(loop, handle, callback, argument);
    if (awaited_by_hand(future)) return PAWL_EBUSY;

    handle_set(handle, loop, callback, argument);
    return future_subscribe(future, &handle->awaitable);
}

bool pawl_future_remove_callback(struct pawl_handle *handle)
{
    return pawl_handle_cancel(handle);
}

void(pawl_future_finish)(struct pawl_future *future, struct pawl_loop *loop)
{
    if (future == NULL || !unseen_failure(future)) return;
    set_flags(future, PAWL_FUTURE_SEEN);
    report_unseen_failure(loop, "future", NULL, future->error);
}

/* ---- Coroutines stepped by hand ---- */

/* What a wait that needs no future returns: done, so that stepping goes on. Never written to. */
static struct pawl_future no_wait = { .flags = PAWL_FUTURE_DONE | PAWL_FUTURE_SEEN };

/* Back to a plainly suspended chain; returns the future that it waited for, or NULL. */
static struct pawl_future *stop_waiting_by_hand(struct pawl_coro *root)
{
    if (!(root->state & PAWL_CORO_BY_HAND)) return NULL;
    struct pawl_future *const future = (struct pawl_future *)((uintptr_t)root->link - 1);
    root->link = (struct pawl_coro *)((uintptr_t)future->awaitable.first - 1);
    root->state &= (uint8_t)~PAWL_CORO_BY_HAND;
    future->awaitable.first = NULL;
    return future;
}

/* The chain came back with `what`: returns what it waits for, or NULL when it has ended. */
static struct pawl_future *wait_by_hand(struct pawl_coro *root, struct pawl_coro *what)
{
    while (pawl_is_frame_(root->link)) {
        if (what == PAWL_ODD_) return &no_wait;
        struct pawl_future *const future = (struct pawl_future *)((uintptr_t)what - 1);
        struct pawl_coro *const co = root->link;
        if (future->awaitable.first == NULL) {
            future->awaitable.first = (struct pawl_link *)((uintptr_t)co | 1);
            root->link = (struct pawl_coro *)((uintptr_t)future | 1);
            root->state |= PAWL_CORO_BY_HAND;
            return future;
        }
        root->link = PAWL_ODD_;
        what = pawl_drive_(co, root, PAWL_EBUSY);
    }
    return NULL;
}

static struct pawl_future *step_by_hand(struct pawl_coro *root, int error)
{
    struct pawl_coro *co = root->link;
    pawl_scrub_();
    if (!pawl_is_frame_(co)) {
        if (pawl_phase_(root) != PAWL_CORO_FRESH || root->resume == NULL || error != 0) {
            pawl_enter_(root, error);
            return NULL;
        }
        root->state |= PAWL_CORO_STARTED;
        root->errors[0] = 0;
        co = root;
    }
    root->link = PAWL_ODD_;
    return wait_by_hand(root, pawl_drive_(co, root, error));
}

struct pawl_future *pawl_coro_step_(struct pawl_coro *root)
{
    int error = 0;
    if (root->state & PAWL_CORO_BY_HAND) {
        struct pawl_future *const future = (struct pawl_future *)((uintptr_t)root->link - 1);
        if (!(future->flags & PAWL_FUTURE_DONE)) return future;
        stop_waiting_by_hand(root);
        error = (pawl_future_error)(future);
    }
    return step_by_hand(root, error);
}

struct pawl_future *pawl_coro_throw_(struct pawl_coro *root, int error)
{
    stop_waiting_by_hand(root);
    return step_by_hand(root, pawl_error_checked_(error));
}

int pawl_coro_close_(struct pawl_coro *root)
{
    struct pawl_coro *what = PAWL_ODD_;
    stop_waiting_by_hand(root);
    const int error = pawl_close_(root, &what);
    if (error == PAWL_EYIELDED) wait_by_hand(root, what);
    return error;
}
