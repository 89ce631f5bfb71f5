/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The virtual port: waiting is setting the clock. */
#include <pawl/error.h>
#include <pawl/timer.h>
#include <pawl/virtual.h>

static pawl_time now(struct pawl_port *port)
{
    return ((struct pawl_virtual *)(void *)port)->now;
}

static int wait_until(struct pawl_port *port, enum pawl_port_wait how, pawl_time deadline)
{
    struct pawl_virtual *const clock = (struct pawl_virtual *)(void *)port;
    if (__atomic_exchange_n(&clock->woken, 0, __ATOMIC_ACQUIRE) || how == PAWL_WAIT_NOT) return 0;
    if (how == PAWL_WAIT_FOREVER) return PAWL_EDEADLK;
    if (pawl_time_before(clock->now, deadline)) clock->now = deadline;
    return 0;
}

static void wake(struct pawl_port *port)
{
    __atomic_store_n(&((struct pawl_virtual *)(void *)port)->woken, 1, __ATOMIC_RELEASE);
}

static const struct pawl_port_ops virtual_ops = { .now = now, .wait = wait_until, .wake = wake };

void pawl_virtual_init(struct pawl_virtual *clock)
{
    *clock = (struct pawl_virtual){ .base.ops = &virtual_ops };
}
