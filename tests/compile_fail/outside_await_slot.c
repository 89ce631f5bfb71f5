/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* error: AWAIT outside of a coroutine: it belongs between BEGIN and END */
#include <pawl/task.h>

struct right {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

#ifdef RIGHT
ASYNC_PUBLIC(right)
{
    ASYNC_BEGIN(right);
    AWAIT(self->sleep, pawl_sleep(1));
    ASYNC_END;
}
#else
void wrong(struct right *self);
void wrong(struct right *self)
{
    AWAIT(self->sleep, pawl_sleep(1));
}
#endif
