/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: TRY inside a handler inside a handler: put it into a coroutine of its own */
#include <pawl/gen.h>

struct deep {
    GENERATOR(int);
};

GEN_PUBLIC(deep)
{
    GEN_BEGIN(deep);
    TRY {
        YIELD(1);
    } CATCH_ALL {
        TRY {
            YIELD(2);
        } FINALLY {
#ifndef RIGHT
            TRY {
                YIELD(3);
            } CATCH_ALL {
                YIELD(4);
            } END_TRY;
#endif
        } END_TRY;
    } END_TRY;
    GEN_END;
}
