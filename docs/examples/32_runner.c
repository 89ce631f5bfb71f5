/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A runner is a loop that runs one main task after the other; what else is at work goes on in the next run. This one is given
 * the virtual port, so that an hour passes at once: that is how a program with timers is tested. Errors that nobody looks
 * at go to a function of one's own.
 */
#include <stdio.h>

#include <pawl/pawl.h>

struct clock_tower {
    COROUTINE(void);
    int hour;
    struct pawl_sleep sleep;
};

ASYNC(clock_tower)
{
    ASYNC_BEGIN(clock_tower);
    TRY {
        for (;; self->hour++) {
            AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
            printf("  it strikes %d\n", self->hour);
        }
    } FINALLY {
        puts("the clock stops");
    } END_TRY;
    ASYNC_END;
}

struct forgetful {
    COROUTINE(void);
};

ASYNC(forgetful)
{
    ASYNC_BEGIN(forgetful);
    RAISE(PAWL_EEOF);
    ASYNC_END;
}

struct wait_hours {
    COROUTINE(pawl_time); /* what time it is then */
    int hours;
    struct pawl_sleep sleep;
};

ASYNC(wait_hours)
{
    ASYNC_BEGIN(wait_hours);
    pawl_task_release(pawl_spawn(CORO(forgetful))); /* nobody will look how it ends */
    AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600 * self->hours + 60)));
    ASYNC_RETURN(pawl_loop_time(pawl_loop_current()));
    ASYNC_END;
}

static void tell(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    (void)loop;
    printf("  unseen: '%s' %s: %s\n", failure->name, failure->message, pawl_strerror(failure->error));
}

int main(void)
{
    struct pawl_virtual clock;
    struct pawl_runner runner;
    TASK(wait_hours) main_task = { .frame = { .hours = 0 } };
    static TASK(clock_tower) tower;
    pawl_virtual_init(&clock);
    if (pawl_runner_init(&runner, &clock.base) != 0) return 1;
    pawl_loop_set_report(&runner.loop, tell);

    struct pawl_loop *const before = pawl_loop_use(&runner.loop);
    pawl_start(&tower, CORO(clock_tower, .hour = 1));
    pawl_loop_use(before);

    int error = 0;
    for (int i = 1; i <= 2 && error == 0; i++) {
        printf("run %d\n", i);
        error = pawl_runner_run_in(&runner, &main_task, CORO(wait_hours, .hours = i));
        printf("  %d s\n", (int)(main_task.frame.result / PAWL_SEC(1)));
    }
    const int left = pawl_runner_finish(&runner);
    return error != 0 || left != 0;
}
