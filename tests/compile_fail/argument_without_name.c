/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* error: excess elements|no elements requires explicit braces */
#include <pawl/async.h>

struct add {
    COROUTINE(int);
    int a, b;
};

ASYNC_EXTERN(add);
struct add make(void);
struct add make(void)
{
#ifdef RIGHT
    return CORO(add, .a = 1, .b = 2);
#else
    return CORO(add, 1, 2);
#endif
}
