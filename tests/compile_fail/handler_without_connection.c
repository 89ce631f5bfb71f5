/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c */
/* error: CONNECTION comes first */
#include <pawl/server.h>

struct serve {
#ifdef RIGHT
    CONNECTION;
#else
    COROUTINE(void);
    void *argument;
    struct pawl_stream stream;
#endif
};
ASYNC_EXTERN(serve);

struct pawl_handler handler(void);
struct pawl_handler handler(void)
{
    return HANDLER(serve);
}
