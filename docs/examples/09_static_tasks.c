/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Tasks without a heap. A TASK(worker) is a task with room for its coroutine, in memory of one's own: here a static pool
 * of two, which three jobs share, so that the third starts when the first has ended. The loop gets no allocator at all,
 * and so pawl_spawn could only say no. The virtual port's clock jumps to the next timer: no time is spent on waiting.
 */
#include <stdio.h>

#include <pawl/combinators.h>
#include <pawl/virtual.h>

struct worker {
    COROUTINE(int);
    int job;
    struct pawl_sleep sleep;
};

ASYNC(worker)
{
    ASYNC_BEGIN(worker);
    printf("job %d begins\n", self->job);
    AWAIT(self->sleep, pawl_sleep(PAWL_SEC(self->job)));
    printf("job %d ends\n", self->job);
    ASYNC_RETURN(self->job * self->job);
    ASYNC_END;
}

static TASK(worker) pool[2];

struct amain {
    COROUTINE(int);
    int sum;
    struct pawl_child both[2];
    struct pawl_gather all;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_start(&pool[0], CORO(worker, .job = 1));
    pawl_start(&pool[1], CORO(worker, .job = 2));
    if (pawl_start(&pool[0], CORO(worker, .job = 3)) == NULL) puts("this slot is at work");

    AWAIT(&pool[0]);
    self->sum = pool[0].frame.result;
    pawl_start(&pool[0], CORO(worker, .job = 3));

    self->both[0] = pawl_child(&pool[0]);
    self->both[1] = pawl_child(&pool[1]);
    AWAIT(self->all, pawl_gather(self->both, 2));
    ASYNC_RETURN(self->sum + pool[0].frame.result + pool[1].frame.result);
    ASYNC_END;
}

static TASK(amain) main_task;

int main(void)
{
    struct pawl_virtual clock;
    struct pawl_loop loop;
    pawl_virtual_init(&clock);
    pawl_loop_init(&loop, &clock.base, NULL);

    pawl_loop_use(&loop);
    if (pawl_spawn(CORO(worker)) == NULL) puts("no heap here");
    pawl_start(&main_task, CORO(amain));

    const int error = pawl_loop_run_until_complete(&loop, &main_task);
    printf("sum %d after %d s\n", main_task.frame.result, (int)(pawl_loop_time(&loop) / PAWL_SEC(1)));
    pawl_loop_finish(&loop);
    return error != 0;
}
