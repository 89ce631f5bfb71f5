/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * pawl_wait_for awaits something for a while only. What takes too long is cancelled, and when it has cleaned up after
 * itself PAWL_ETIMEOUT is raised. What ends in time keeps its result; so does what takes the cancellation as a hint to
 * hurry up. It works on a coroutine made before, as here, and on futures and tasks.
 */
#include <stdio.h>

#include <pawl/pawl.h>

struct job {
    COROUTINE(int);
    pawl_time takes;
    bool hurries;
    struct pawl_sleep sleep;
};

ASYNC(job)
{
    ASYNC_BEGIN(job);
    TRY {
        AWAIT(self->sleep, pawl_sleep(self->takes));
    } CATCH(PAWL_ECANCELLED) {
        puts(self->hurries ? "  half done" : "  cancelled");
        if (!self->hurries) RERAISE();
        ASYNC_RETURN(50);
    } END_TRY;
    ASYNC_RETURN(100);
    ASYNC_END;
}

struct attempt {
    COROUTINE(void);
    struct job job;
    struct pawl_wait_for timed;
};

ASYNC(attempt)
{
    ASYNC_BEGIN(attempt);
    TRY {
        AWAIT(self->timed, pawl_wait_for(&self->job, PAWL_MS(20)));
        printf("  %d percent\n", self->job.result);
    } CATCH(PAWL_ETIMEOUT) {
        printf("  %s\n", pawl_strerror(CAUGHT()));
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct attempt attempt;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    puts("in time:");
    AWAIT(self->attempt, CORO(attempt, .job = CORO(job, .takes = PAWL_MS(1))));
    puts("too slow:");
    AWAIT(self->attempt, CORO(attempt, .job = CORO(job, .takes = PAWL_SEC(3600))));
    puts("too slow, but it hurries up:");
    AWAIT(self->attempt, CORO(attempt, .job = CORO(job, .takes = PAWL_SEC(3600), .hurries = true)));
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
