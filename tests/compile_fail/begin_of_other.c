/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: pawl_body_of_other */
#include <pawl/async.h>

struct other {
    COROUTINE(void);
    int x;
};

struct mine {
    COROUTINE(void);
    int x;
};

ASYNC_PUBLIC(mine)
{
#ifdef RIGHT
    ASYNC_BEGIN(mine);
#else
    ASYNC_BEGIN(other);
#endif
    self->x = 1;
    ASYNC_END;
}
