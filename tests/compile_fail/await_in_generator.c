/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: AWAIT in a generator */
#include <pawl/gen.h>
#include <pawl/task.h>

struct one {
    GENERATOR(int);
    struct pawl_sleep sleep;
    struct pawl_future future;
};

GEN_PUBLIC(one)
{
    GEN_BEGIN(one);
#ifdef RIGHT
    YIELD(1);
#else
    AWAIT(&self->future);
#endif
    GEN_END;
}
