/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Two tasks side by side, and one wait for both. gather raises the first error if there is one; the results are where
 * each task keeps its own. Each sleeps for a fifth of a second, and so do both together.
 */
#include <stdio.h>

#include <pawl/pawl.h>

struct work {
    COROUTINE(int);
    int name;
    struct pawl_sleep sleep;
};

ASYNC(work)
{
    ASYNC_BEGIN(work);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(200)));
    printf("work %d\n", self->name);
    ASYNC_RETURN(self->name);
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    pawl_time began;
    TASK(work) a, b; /* gathered: the main task's frame stays until all tasks have ended */
    struct pawl_child both[2];
    struct pawl_gather all;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    self->began = pawl_loop_time(pawl_loop_current());
    pawl_start(&self->a, CORO(work, .name = 1));
    pawl_start(&self->b, CORO(work, .name = 2));
    self->both[0] = pawl_child(&self->a);
    self->both[1] = pawl_child(&self->b);

    AWAIT(self->all, pawl_gather(self->both, 2));
    printf("[%d, %d]\n", self->a.frame.result, self->b.frame.result);
    puts(pawl_loop_time(pawl_loop_current()) - self->began < PAWL_MS(350) ? "together" : "one after the other");
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
