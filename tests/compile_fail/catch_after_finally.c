/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* error: FINALLY|CATCH */
#include <pawl/gen.h>

struct late {
    GENERATOR(int);
};

GEN_PUBLIC(late)
{
    GEN_BEGIN(late);
    TRY {
        YIELD(1);
#ifdef RIGHT
    } CATCH_ALL {
        YIELD(3);
    } FINALLY {
        YIELD(2);
#else
    } FINALLY {
        YIELD(2);
    } CATCH_ALL {
        YIELD(3);
#endif
    } END_TRY;
    GEN_END;
}
