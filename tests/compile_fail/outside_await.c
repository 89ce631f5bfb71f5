/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* error: AWAIT outside of a coroutine: it belongs between BEGIN and END */
#include <pawl/async.h>
#include <pawl/gen.h>

struct inner {
    GENERATOR(int);
};
extern struct inner inner;
extern struct pawl_future future;
void trouble(void);

#ifdef RIGHT
struct right {
    COROUTINE(int);
};

ASYNC_PUBLIC(right)
{
    ASYNC_BEGIN(right);
    TRY {
        trouble();
    } CATCH_ALL {
        AWAIT(&future);
    } END_TRY;
    ASYNC_END;
}
#else
void wrong(void);
void wrong(void)
{
    AWAIT(&future);
}
#endif
