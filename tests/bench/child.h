/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A trivial coroutine in a file of its own: whoever awaits it calls what the compiler cannot see. */
#ifndef PAWL_BENCH_CHILD_H
#define PAWL_BENCH_CHILD_H

#include "bench.h"

#include <pawl/pawl.h>

struct child {
    COROUTINE(long);
    long x;
};

ASYNC_EXTERN(child);

#endif
