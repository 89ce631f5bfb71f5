/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: WITH inside a handler inside a handler: put it into a coroutine of its own */
#include <pawl/scope.h>

struct deep {
    COROUTINE(void);
    struct pawl_timeout timeout;
};
void trouble(void);

ASYNC_PUBLIC(deep)
{
    ASYNC_BEGIN(deep);
    TRY {
        trouble();
    } CATCH_ALL {
        TRY {
            WITH(self->timeout, pawl_timeout(PAWL_SEC(1))) {
                trouble();
            } END_WITH;
        } FINALLY {
#ifndef RIGHT
            WITH(self->timeout, pawl_timeout(PAWL_SEC(1))) {
                trouble();
            } END_WITH;
#endif
        } END_TRY;
    } END_TRY;
    ASYNC_END;
}
