/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: a call needs a slot in the frame */
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
    AWAIT(self->sleep, pawl_sleep(1));
#else
    AWAIT(pawl_sleep(1));
#endif
    ASYNC_END;
}
