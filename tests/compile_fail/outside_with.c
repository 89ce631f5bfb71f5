/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: WITH outside of a coroutine: it belongs between BEGIN and END */
#include <pawl/scope.h>

struct right {
    COROUTINE(void);
    struct pawl_timeout timeout;
};
void trouble(void);

#ifdef RIGHT
ASYNC_PUBLIC(right)
{
    ASYNC_BEGIN(right);
    WITH(self->timeout, pawl_timeout(PAWL_SEC(1))) {
        trouble();
    } END_WITH;
    ASYNC_END;
}
#else
void wrong(struct right *self);
void wrong(struct right *self)
{
    WITH(self->timeout, pawl_timeout(PAWL_SEC(1))) {
        trouble();
    } END_WITH;
}
#endif
