/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What the combinators have in common: looking at their entries, and taking leave of them. */
#ifndef PAWL_CORE_CHILDREN_H
#define PAWL_CORE_CHILDREN_H

#include "core.h"

#include <pawl/combinators.h>

/* May `task` wait for these? 0, or what to raise. */
int children_check(const struct pawl_child *children, size_t count, const struct pawl_task *task);

/* Registers `callback` with one entry, which knows whose it is then. 0 or PAWL_EBUSY. */
int child_register(struct pawl_child *child, void *whose, struct pawl_loop *loop, pawl_callback *callback);

/* Takes leave of those that have not told of their end. */
void children_leave(struct pawl_child *children, size_t count);

#endif
