/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: an item of this size is put by its address */
#include <pawl/queue.h>

struct job {
    char text[64];
};
struct puts {
    COROUTINE(void);
    struct job job;
    struct pawl_queue_put put;
};

static QUEUE(struct job, 4) jobs;

ASYNC_PUBLIC(puts)
{
    ASYNC_BEGIN(puts);
#ifdef RIGHT
    AWAIT(self->put, pawl_queue_put_from(&jobs, &self->job));
#else
    AWAIT(self->put, pawl_queue_put(&jobs, self->job));
#endif
    ASYNC_END;
}
