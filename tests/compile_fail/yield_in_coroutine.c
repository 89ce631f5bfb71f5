/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c */
/* error: only a generator has values */
#include <pawl/gen.h>
#include <pawl/task.h>

struct one {
    COROUTINE(int);
    struct pawl_sleep sleep;
    struct pawl_future future;
};

ASYNC_PUBLIC(one)
{
    ASYNC_BEGIN(one);
#ifdef RIGHT
    YIELD_NOW();
#else
    YIELD(1);
#endif
    ASYNC_END;
}
