/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: late: GENERATOR or COROUTINE comes first in the struct */
/* only */
#include <pawl/gen.h>

struct late {
#ifdef RIGHT
    GENERATOR(int);
    int argument;
#else
    int argument;
    GENERATOR(int);
#endif
};

GEN_PUBLIC(late)
{
    GEN_BEGIN(late);
    YIELD(self->argument);
    GEN_END;
}
