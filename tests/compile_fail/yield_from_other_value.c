/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: YIELD_FROM: the inner generator yields another type */
/* only */
#include <pawl/gen.h>

struct inner {
#ifdef RIGHT
    GENERATOR(int);
#else
    GENERATOR(long);
#endif
};
GEN_EXTERN(inner);

struct outer {
    GENERATOR(int);
    struct inner inner;
};

GEN_PUBLIC(outer)
{
    GEN_BEGIN(outer);
    YIELD_FROM(self->inner, CORO(inner));
    GEN_END;
}
