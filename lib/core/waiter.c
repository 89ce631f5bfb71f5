/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Lists of those that wait their turn. One that was cancelled stays in the list until its task has run, in the next
 * iteration; who looks for somebody to wake takes it out on the way, so that each is passed over once.
 */
#include "core.h"

bool somebody_waits(const struct pawl_wait_list *list)
{
    struct pawl_link *link = list->first;
    if (link == NULL) return false;
    do {
        if (!(pawl_future_cancelled)(&waiter_of(link)->future)) return true;
        link = link->next;
    } while (link != list->first);
    return false;
}

struct pawl_coro *pawl_wait_begin(struct pawl_wait_list *list, struct pawl_waiter *waiter, struct pawl_coro *co, struct pawl_coro *root)
{
    return waiter_begin(list, waiter, co, root);
}

void pawl_wait_end(struct pawl_wait_list *list, struct pawl_waiter *waiter)
{
    waiter_end(list, waiter);
}

struct pawl_waiter *pawl_wait_wake(struct pawl_wait_list *list, int error)
{
    while (list->first != NULL) {
        struct pawl_waiter *const waiter = waiter_of(list->first);
        ring_remove(&list->first, &waiter->link);
        waiter->link.next = NULL;
        if (PAWL_UNLIKELY(waiter->future.flags & PAWL_FUTURE_DONE)) continue;
        waiter_wake(waiter, error);
        return waiter;
    }
    return NULL;
}

void pawl_wait_wake_all(struct pawl_wait_list *list, int error)
{
    while (pawl_wait_wake(list, error) != NULL) {}
}
