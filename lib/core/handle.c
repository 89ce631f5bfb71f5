/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Handles: callbacks that run in the next iteration, at a time, or when a future is done. */
#include "core.h"

/* What other threads sent, oldest first. */
void take_inbox(struct pawl_loop *loop)
{
    if (PAWL_LIKELY(__atomic_load_n(&loop->inbox, __ATOMIC_RELAXED) == NULL)) return;
    struct pawl_handle *newest = __atomic_exchange_n(&loop->inbox, NULL, __ATOMIC_ACQUIRE), *oldest = NULL;
    while (newest) {
        struct pawl_handle *const before = (struct pawl_handle *)(void *)newest->awaitable.link.next;
        newest->awaitable.link.next = (struct pawl_link *)(void *)oldest;
        oldest = newest;
        newest = before;
    }
    while (oldest) {
        struct pawl_handle *const next = (struct pawl_handle *)(void *)oldest->awaitable.link.next;
        oldest->awaitable.awaitable.flags = PAWL_FUTURE_HANDLE;
        make_ready(&oldest->awaitable, 0);
        oldest = next;
    }
}

/* Is it armed? What another thread has sent counts, and so is looked at first; in the current loop, since the one that the
 * handle knows may be gone. */
bool pawl_handle_pending(const struct pawl_handle *handle)
{
    if (pawl_loop_current_ != NULL) take_inbox(pawl_loop_current_);
    return where(&handle->awaitable) != PAWL_WHERE_NONE;
}

static int handle_prepare(struct pawl_loop *loop, struct pawl_handle *handle, pawl_callback *callback, void *argument)
{
    if (loop == NULL || loop->port == NULL || handle == NULL || callback == NULL) return PAWL_EINVAL;
    take_inbox(loop);
    if (where(&handle->awaitable) != PAWL_WHERE_NONE) return PAWL_EBUSY;
    handle_set(handle, loop, callback, argument);
    return 0;
}

int pawl_call_soon(struct pawl_loop *loop, struct pawl_handle *handle, pawl_callback *callback, void *argument)
{
    const int error = handle_prepare(loop, handle, callback, argument);
    if (error == 0) make_ready(&handle->awaitable, 0);
    return error;
}

int pawl_call_at(struct pawl_loop *loop, struct pawl_handle *handle, pawl_time when, pawl_callback *callback, void *argument)
{
    const int error = handle_prepare(loop, handle, callback, argument);
    if (error != 0) return error;
    set_where(&handle->awaitable, PAWL_WHERE_TIMER);
    pawl_timers_add(&loop->timers, &handle->awaitable, not_passed(loop, when));
    return 0;
}

int pawl_call_later(struct pawl_loop *loop, struct pawl_handle *handle, pawl_time delay, pawl_callback *callback, void *argument)
{
    if (loop == NULL || loop->port == NULL) return PAWL_EINVAL;
    return pawl_call_at(loop, handle, pawl_time_after(pawl_loop_time(loop), delay), callback, argument);
}

bool pawl_handle_cancel(struct pawl_handle *handle)
{
    if (handle == NULL || !pawl_handle_pending(handle)) return false;
    job_leave(&handle->awaitable);
    future_complete(&handle->awaitable.awaitable, PAWL_ECANCELLED);
    return true;
}

void handle_run(struct pawl_handle *handle)
{
    pawl_callback *const callback = handle->callback;
    void *const argument = handle->argument;
    set_where(&handle->awaitable, PAWL_WHERE_NONE);
    future_complete(&handle->awaitable.awaitable, 0);
    callback(argument); /* may arm the handle again, or free it */
}
