/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Work on another thread, and its result in a coroutine. A loop and all its objects belong to one thread; what may be
 * called from elsewhere is pawl_call_soon_threadsafe, which has a callback run on the loop. So the worker thread only
 * computes and sends, and the future is set where it belongs. Meanwhile the loop goes on: a second task counts.
 */
#include <pthread.h>
#include <stdio.h>

#include <pawl/pawl.h>

struct sum {
    COROUTINE(long);
    long to;
    struct pawl_loop *loop;
    struct pawl_handle done;
    FUTURE(long) answer;
    pthread_t thread;
};

/* On the loop's thread. */
static void deliver(void *argument)
{
    struct sum *const sum = argument;
    pawl_future_set_done(&sum->answer);
}

/* On a thread of its own. */
static void *compute(void *argument)
{
    struct sum *const sum = argument;
    for (long i = 1; i <= sum->to; i++) sum->answer.result += i;
    pawl_call_soon_threadsafe(sum->loop, &sum->done, deliver, sum);
    return NULL;
}

ASYNC(sum)
{
    ASYNC_BEGIN(sum);
    self->loop = pawl_loop_current();
    const int error = pthread_create(&self->thread, NULL, compute, self);
    if (error != 0) RAISE(-error);
    TRY {
        AWAIT(&self->answer);
    } FINALLY { /* also when cancelled: the thread works in this frame, and what it sent lies there */
        pthread_join(self->thread, NULL);
        pawl_handle_cancel(&self->done);
    } END_TRY;
    ASYNC_RETURN(self->answer.result);
    ASYNC_END;
}

struct count {
    COROUTINE(void);
    int n;
    struct pawl_sleep sleep;
};

ASYNC(count)
{
    ASYNC_BEGIN(count);
    for (; self->n < 3; self->n++) AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    TASK(sum) sum; /* gathered: the main task's frame stays until all tasks have ended */
    TASK(count) count;
    struct pawl_child both[2];
    struct pawl_gather all;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_start(&self->sum, CORO(sum, .to = 1000000));
    pawl_start(&self->count, CORO(count));
    self->both[0] = pawl_child(&self->sum);
    self->both[1] = pawl_child(&self->count);
    AWAIT(self->all, pawl_gather(self->both, 2));
    printf("sum %ld, count %d\n", self->sum.frame.result, self->count.frame.n);
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
