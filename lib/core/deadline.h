/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A time after which a task is cancelled: what timeout scopes and wait_for share. */
#ifndef PAWL_CORE_DEADLINE_H
#define PAWL_CORE_DEADLINE_H

#include "core.h"

#include <pawl/scope.h>

/* Begins: `when` may be a span from now. Without a task nothing ever happens. */
void deadline_begin(struct pawl_deadline *deadline, struct pawl_task *task, pawl_time when, bool relative);

/* Ends, with the error that its block ended with: what goes on, PAWL_ETIMEOUT when that was its own cancellation. */
int deadline_end(struct pawl_deadline *deadline, int error);

#endif
