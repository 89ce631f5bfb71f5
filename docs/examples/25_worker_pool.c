/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A pool of workers and a queue of jobs. The queue is bounded, so that whoever brings jobs waits when the workers are behind.
 * When all jobs are dealt with (join), the queue is shut down, which ends the workers' loops; and the group sees to it that
 * nobody is left, whatever goes wrong.
 */
#include <stdio.h>

#include <pawl/pawl.h>

enum { WORKERS = 3, JOBS = 8, ROOM = 2 };

typedef QUEUE(int, ROOM) job_queue;

struct worker {
    COROUTINE(void);
    job_queue *queue;
    int *sum;
    int name, job;
    union {
        struct pawl_queue_get get;
        struct pawl_sleep sleep;
    };
};

ASYNC(worker)
{
    ASYNC_BEGIN(worker);
    TRY {
        for (;;) {
            AWAIT(self->get, pawl_queue_get(self->queue, &self->job));
            AWAIT(self->sleep, pawl_sleep(PAWL_MS(1))); /* it works */
            *self->sum += self->job;
            pawl_queue_task_done(self->queue);
        }
    } CATCH(PAWL_ECLOSED) {
        printf("worker %d goes home\n", self->name);
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    job_queue queue;
    int sum, job;
    struct pawl_group group;
    union {
        struct pawl_queue_put put;
        struct pawl_queue_join join;
    };
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_queue_init(&self->queue);
    WITH(self->group, pawl_group()) {
        for (int i = 1; i <= WORKERS; i++)
            if (pawl_group_spawn(&self->group, CORO(worker, .queue = &self->queue, .sum = &self->sum, .name = i)) == NULL) RAISE(PAWL_ENOMEM);
        for (self->job = 1; self->job <= JOBS; self->job++) AWAIT(self->put, pawl_queue_put(&self->queue, self->job));
        puts("all jobs are in the queue");
        AWAIT(self->join, pawl_queue_join(&self->queue));
        puts("all jobs are done");
        pawl_queue_shutdown(&self->queue, false);
    } END_WITH;
    printf("sum %d\n", self->sum);
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
