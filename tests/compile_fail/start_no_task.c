/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: frame */
#include <pawl/task.h>

struct one {
    COROUTINE(void);
};
ASYNC_EXTERN(one);

#ifdef RIGHT
static TASK(one) slot;
#else
static struct one slot;
#endif

bool begin(void);
bool begin(void)
{
    return pawl_start(&slot, CORO(one)) != NULL;
}
