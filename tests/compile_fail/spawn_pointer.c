/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: pawl_spawn takes a frame by value */
#include <pawl/gen.h>
#include <pawl/task.h>

struct one {
    COROUTINE(int);
    struct pawl_sleep sleep;
    struct pawl_future future;
};

ASYNC_EXTERN(one);
struct pawl_task *start(struct one *frame);
struct pawl_task *start(struct one *frame)
{
#ifdef RIGHT
    return pawl_spawn(*frame);
#else
    return pawl_spawn(frame);
#endif
}
