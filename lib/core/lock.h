/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What a condition has to know of its lock. */
#ifndef PAWL_CORE_LOCK_H
#define PAWL_CORE_LOCK_H

#include "core.h"

#include <pawl/sync.h>

/* One that waited for the lock runs: it has the lock, or, with an error, leaves it to the next. */
void lock_taken(struct pawl_lock *lock, struct pawl_waiter *waiter, int error);

#endif
