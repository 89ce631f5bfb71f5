/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Several tasks, and three ways to wait for them. pawl_wait says how many are done and touches none; as_completed gives them
 * one after the other, in the order in which they end; gather, in the end, wants all of them. Errors are raised by gather
 * alone: from the others each is read where one wants to know it.
 */
#include <stdio.h>

#include <pawl/pawl.h>

enum { COUNT = 3, UNLUCKY = -5000 };

struct job {
    COROUTINE(int);
    int turns;
};

ASYNC(job)
{
    ASYNC_BEGIN(job);
    while (self->turns-- > 0) YIELD_NOW();
    ASYNC_RETURN(7);
    ASYNC_END;
}

struct unlucky {
    COROUTINE(void);
};

ASYNC(unlucky)
{
    ASYNC_BEGIN(unlucky);
    YIELD_NOW();
    RAISE(UNLUCKY);
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    TASK(job) slow, quick; /* gathered: the main task's frame stays until all tasks have ended */
    TASK(unlucky) unlucky;
    struct pawl_child all[COUNT];
    union {
        struct pawl_wait wait;
        struct pawl_next_completed next;
        struct pawl_gather gather;
    };
    struct pawl_as_completed each;
};

static void print_child(const struct amain *self, const struct pawl_child *child)
{
    static const char *const names[COUNT] = { "slow", "quick", "unlucky" };
    const int error = pawl_future_error(child->future);
    printf("  %s: %s\n", names[child - self->all], error == UNLUCKY ? "bad luck" : pawl_strerror(error));
}

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_start(&self->slow, CORO(job, .turns = 20));
    pawl_start(&self->quick, CORO(job, .turns = 10));
    pawl_start(&self->unlucky, CORO(unlucky));

    AWAIT(self->wait, pawl_wait(CHILDREN(self->all, &self->slow, &self->quick, &self->unlucky), PAWL_FIRST_COMPLETED, PAWL_SEC(60)));
    printf("done after the first wait: %zu\n", self->wait.result);

    puts("as they are completed:");
    TRY {
        const int error = pawl_as_completed_begin(&self->each, CHILDREN(self->all, &self->slow, &self->quick, &self->unlucky), PAWL_FOREVER);
        if (error != 0) RAISE(error);
        while (self->each.left > 0) {
            AWAIT(self->next, pawl_next_completed(&self->each));
            print_child(self, self->next.result);
        }
    } FINALLY {
        pawl_as_completed_end(&self->each);
    } END_TRY;

    AWAIT(self->gather, pawl_gather(CHILDREN(self->all, &self->slow, &self->quick)));
    printf("gathered: %d and %d\n", self->slow.frame.result, self->quick.frame.result);
    TRY {
        AWAIT(self->gather, pawl_gather(CHILDREN(self->all, &self->slow, &self->unlucky)));
    } CATCH(UNLUCKY) {
        puts("and gather raises what one of them raised");
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
