/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Calls from other threads. A handle is pushed onto the loop's inbox, a stack with one atomic word, and the port is
 * woken; the loop takes the whole stack at once and turns it round. No lock, so a signal handler may do it too.
 */
#include <pawl/loop.h>

int pawl_call_soon_threadsafe(struct pawl_loop *loop, struct pawl_handle *handle, pawl_callback *callback, void *argument)
{
    if (loop == NULL || handle == NULL || callback == NULL) return PAWL_EINVAL;
    handle->callback = callback;
    handle->argument = argument;
    handle->awaitable.home = loop; /* its flags and who awaits it are the loop's to touch */
    struct pawl_handle *before = __atomic_load_n(&loop->inbox, __ATOMIC_RELAXED);
    do handle->awaitable.link.next = (struct pawl_link *)(void *)before;
    while (!__atomic_compare_exchange_n(&loop->inbox, &before, handle, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    pawl_loop_wake(loop);
    return 0;
}
