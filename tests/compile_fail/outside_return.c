/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* error: outside of a coroutine: it belongs between BEGIN and END */
#include <pawl/async.h>

struct right {
    COROUTINE(void);
};

#ifdef RIGHT
ASYNC_PUBLIC(right)
{
    ASYNC_BEGIN(right);
    ASYNC_RETURN();
    ASYNC_END;
}
#else
void wrong(void);
void wrong(void)
{
    ASYNC_RETURN();
}
#endif
