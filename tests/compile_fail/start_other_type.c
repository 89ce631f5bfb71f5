/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* error: the call makes another coroutine than the slot holds */
/* only */
#include <pawl/task.h>

struct one {
    COROUTINE(void);
};
struct two {
    COROUTINE(void);
};
ASYNC_EXTERN(one);
ASYNC_EXTERN(two);

static TASK(one) slot;

bool begin(void);
bool begin(void)
{
#ifdef RIGHT
    return pawl_start(&slot, CORO(one)) != NULL;
#else
    return pawl_start(&slot, CORO(two)) != NULL;
#endif
}
