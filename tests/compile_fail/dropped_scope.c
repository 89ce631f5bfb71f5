/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: ignoring return value|unused */
#include <pawl/scope.h>

struct limited {
    COROUTINE(void);
    struct pawl_timeout timeout;
};

ASYNC_PUBLIC(limited)
{
    ASYNC_BEGIN(limited);
#ifdef RIGHT
    WITH(self->timeout, pawl_timeout(PAWL_SEC(1))) {
    } END_WITH;
#else
    pawl_timeout(PAWL_SEC(1));
#endif
    ASYNC_END;
}
