/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * An event and a barrier. The event is the starting gun: all wait for it, one sets it. The barrier stands at the end of each
 * lap: nobody begins the next one before all are there. Who comes first is told so, and announces the lap.
 */
#include <stdio.h>

#include <pawl/pawl.h>

enum { RUNNERS = 3, LAPS = 2 };

struct race {
    struct pawl_event start;
    struct pawl_barrier line;
};

struct runner {
    COROUTINE(void);
    struct race *race;
    int number, lap, steps;
    struct pawl_event_wait start;
    struct pawl_barrier_wait line;
};

ASYNC(runner)
{
    ASYNC_BEGIN(runner);
    printf("%d is ready\n", self->number);
    AWAIT(self->start, pawl_event_wait(&self->race->start));
    for (self->lap = 1; self->lap <= LAPS; self->lap++) {
        for (self->steps = 0; self->steps < 10 * self->number; self->steps++) YIELD_NOW();
        printf("%d at the line\n", self->number);
        AWAIT(self->line, pawl_barrier_wait(&self->race->line));
        if (self->line.result == 0) printf("lap %d: %d was first\n", self->lap, self->number);
    }
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct race race;
    struct pawl_group group;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_barrier_init(&self->race.line, RUNNERS);
    WITH(self->group, pawl_group()) {
        for (int number = RUNNERS; number > 0; number--)
            if (pawl_group_spawn(&self->group, CORO(runner, .race = &self->race, .number = number)) == NULL) RAISE(PAWL_ENOMEM);
        YIELD_NOW();
        puts("go");
        pawl_event_set(&self->race.start);
    } END_WITH;
    puts("all have arrived");
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
