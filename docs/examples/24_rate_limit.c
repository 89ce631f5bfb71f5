/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Two limits, both made of semaphores. A token bucket bounds how often: a request takes a token and does not give it back;
 * a task drops a new one in at each tick, and the bucket, a bounded semaphore, refuses what does not fit. The other one bounds
 * how many at a time: its permit is held for the length of a block, and comes back on every way out.
 */
#include <stdio.h>

#include <pawl/pawl.h>

enum { BURST = 2, AT_ONCE = 3, REQUESTS = 5 };

struct limits {
    struct pawl_semaphore tokens, slots;
    int tick, running;
};

struct refill {
    COROUTINE(void);
    struct limits *limits;
    struct pawl_sleep sleep;
};

ASYNC(refill)
{
    ASYNC_BEGIN(refill);
    for (;;) {
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
        self->limits->tick++;
        pawl_semaphore_release(&self->limits->tokens);
    }
    ASYNC_END;
}

struct request {
    COROUTINE(void);
    struct limits *limits;
    int number;
    struct pawl_semaphore_acquire token, slot;
};

ASYNC(request)
{
    ASYNC_BEGIN(request);
    WITH(self->slot, pawl_semaphore_acquire(&self->limits->slots)) {
        self->limits->running++;
        AWAIT(self->token, pawl_semaphore_acquire(&self->limits->tokens));
        printf("request %d at tick %d, %d at a time\n", self->number, self->limits->tick, self->limits->running);
        self->limits->running--;
    } END_WITH;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct limits limits;
    TASK(refill) refill;
    struct pawl_group group;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    self->limits = (struct limits){ .tokens = PAWL_BOUNDED_SEMAPHORE_INIT(BURST), .slots = PAWL_SEMAPHORE_INIT(AT_ONCE) };
    pawl_start(&self->refill, CORO(refill, .limits = &self->limits));
    TRY {
        WITH(self->group, pawl_group()) {
            for (int i = 1; i <= REQUESTS; i++)
                if (pawl_group_spawn(&self->group, CORO(request, .limits = &self->limits, .number = i)) == NULL) RAISE(PAWL_ENOMEM);
        } END_WITH;
    } FINALLY {
        pawl_future_cancel(&self->refill);
        TRY_AWAIT(&self->refill);
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
