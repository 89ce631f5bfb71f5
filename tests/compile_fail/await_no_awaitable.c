/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: awaitable */
#include <pawl/async.h>

struct thing {
#ifdef RIGHT
    struct pawl_future awaitable;
#else
    int number;
#endif
};

struct waits {
    COROUTINE(void);
    struct thing thing;
};

ASYNC_PUBLIC(waits)
{
    ASYNC_BEGIN(waits);
    AWAIT(&self->thing);
    ASYNC_END;
}
