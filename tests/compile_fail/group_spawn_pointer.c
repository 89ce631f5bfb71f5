/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: pawl_group_spawn takes a frame by value */
#include <pawl/group.h>

struct one {
    COROUTINE(int);
    struct pawl_sleep sleep;
    struct pawl_future future;
};

ASYNC_EXTERN(one);
struct pawl_task *start(struct pawl_group *group, struct one *frame);
struct pawl_task *start(struct pawl_group *group, struct one *frame)
{
#ifdef RIGHT
    return pawl_group_spawn(group, *frame);
#else
    return pawl_group_spawn(group, frame);
#endif
}
