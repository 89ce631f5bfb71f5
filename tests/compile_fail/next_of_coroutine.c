/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: sent */
#include <pawl/async.h>
#include <pawl/gen.h>

struct one {
#ifdef RIGHT
    GENERATOR(int);
#else
    COROUTINE(int);
#endif
};

bool step(struct one *one);
bool step(struct one *one)
{
    return gen_next(one);
}
