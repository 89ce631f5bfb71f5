/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: awaitable */
#include <pawl/group.h>

struct waits {
    COROUTINE(void);
    struct pawl_group scope;
};

ASYNC_PUBLIC(waits)
{
    ASYNC_BEGIN(waits);
#ifdef RIGHT
    WITH(self->scope, pawl_group()) {
    } END_WITH;
#else
    AWAIT(self->scope, pawl_group());
#endif
    ASYNC_END;
}
