/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: belong into a CATCH|negative|narrowing */
#include <pawl/gen.h>

struct looks {
    GENERATOR(int);
};

GEN_PUBLIC(looks)
{
    GEN_BEGIN(looks);
    TRY {
        YIELD(1);
#ifdef RIGHT
    } CATCH_ALL {
        YIELD(CAUGHT());
        RERAISE();
#endif
    } FINALLY {
#ifndef RIGHT
        RERAISE();
#endif
    } END_TRY;
    GEN_END;
}
