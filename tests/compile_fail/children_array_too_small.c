/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: CHILDREN: the array is too small */
#include <pawl/combinators.h>

struct both {
    COROUTINE(void);
    struct pawl_future futures[3];
    struct pawl_child children[2];
    struct pawl_gather all;
};

ASYNC_PUBLIC(both)
{
    ASYNC_BEGIN(both);
#ifdef RIGHT
    AWAIT(self->all, pawl_gather(CHILDREN(self->children, &self->futures[0], &self->futures[1])));
#else
    AWAIT(self->all, pawl_gather(CHILDREN(self->children, &self->futures[0], &self->futures[1], &self->futures[2])));
#endif
    ASYNC_END;
}
