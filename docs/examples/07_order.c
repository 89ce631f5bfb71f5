/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Coroutines are lazy: awaiting c() runs it to its end, and nothing behind the AWAIT runs before. So main prints its 2
 * after 1, 3 and 4. (An eager call, as JavaScript's async functions make it, is a task: pawl_spawn_eager.)
 */
#include <stdio.h>

#include <pawl/pawl.h>

struct timer {
    COROUTINE(void);
    pawl_time span;
    int number;
    struct pawl_sleep sleep;
};

ASYNC(timer)
{
    ASYNC_BEGIN(timer);
    AWAIT(self->sleep, pawl_sleep(self->span));
    printf("%d\n", self->number);
    ASYNC_END;
}

struct c {
    COROUTINE(void);
    struct timer timer;
};

ASYNC(c)
{
    ASYNC_BEGIN(c);
    puts("1");
    AWAIT(self->timer, CORO(timer, .span = PAWL_MS(10), .number = 3));
    AWAIT(self->timer, CORO(timer, .span = PAWL_MS(10), .number = 4));
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    union {
        struct c c;
        struct pawl_sleep sleep;
    };
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    AWAIT(self->c, CORO(c));
    puts("2");
    AWAIT(self->sleep, pawl_sleep(0));
    puts("5");
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
