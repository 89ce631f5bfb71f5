/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: the item is of another type than the queue */
#include <pawl/queue.h>

struct gets {
    COROUTINE(void);
    int right;
    long wrong;
    struct pawl_queue_get get;
};

static QUEUE(int, 4) numbers;

ASYNC_PUBLIC(gets)
{
    ASYNC_BEGIN(gets);
#ifdef RIGHT
    AWAIT(self->get, pawl_queue_get(&numbers, &self->right));
#else
    AWAIT(self->get, pawl_queue_get(&numbers, &self->wrong));
#endif
    ASYNC_END;
}
