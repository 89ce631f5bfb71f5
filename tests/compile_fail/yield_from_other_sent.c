/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: YIELD_FROM: the inner generator is sent another type */
/* only */
#include <pawl/gen.h>

struct inner {
#ifdef RIGHT
    GENERATOR(int, const char *);
#else
    GENERATOR(int, long);
#endif
};

struct outer {
    GENERATOR(int, const char *);
    struct inner *inner;
};

GEN_PUBLIC(outer)
{
    GEN_BEGIN(outer);
    YIELD_FROM(self->inner);
    GEN_END;
}
