/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: awaitable */
#include <pawl/group.h>

struct waits {
    COROUTINE(void);
    struct pawl_timeout scope;
};

ASYNC_PUBLIC(waits)
{
    ASYNC_BEGIN(waits);
#ifdef RIGHT
    WITH(self->scope, pawl_timeout(PAWL_SEC(1))) {
    } END_WITH;
#else
    AWAIT(self->scope, pawl_timeout(PAWL_SEC(1)));
#endif
    ASYNC_END;
}
