/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: no member named .?scope */
#include <pawl/scope.h>

struct sleeper {
    COROUTINE(void);
    struct pawl_sleep sleep;
    struct pawl_timeout timeout;
};

ASYNC_PUBLIC(sleeper)
{
    ASYNC_BEGIN(sleeper);
#ifdef RIGHT
    WITH(self->timeout, pawl_timeout(PAWL_SEC(1))) {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(2)));
    } END_WITH;
#else
    WITH(self->sleep, pawl_sleep(PAWL_SEC(1))) {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(2)));
    } END_WITH;
#endif
    ASYNC_END;
}
