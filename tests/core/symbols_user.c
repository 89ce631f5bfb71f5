/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What firmware writes, with each header of the core: for the test of what such code needs from a libc. */
#include <pawl/combinators.h>
#include <pawl/gen.h>

struct squares {
    GENERATOR(int, int, long);
    int i;
};

GEN(squares)
{
    GEN_BEGIN(squares);
    TRY {
        for (; self->i < 10; self->i++) YIELD(self->i * self->i + SENT());
        GEN_RETURN(self->i);
    } CATCH(PAWL_ETIMEOUT) {
        YIELD(CAUGHT());
    } FINALLY {
        self->i = 0;
    } END_TRY;
    GEN_END;
}

struct twice {
    GENERATOR(int, int);
    struct squares squares;
};

GEN(twice)
{
    GEN_BEGIN(twice);
    YIELD_FROM(self->squares, CORO(squares));
    YIELD_FROM(self->squares, CORO(squares, .i = 5));
    GEN_END;
}

long sum_of_squares(void);
long sum_of_squares(void)
{
    struct twice gen = CORO(twice);
    long sum = 0;
    GEN_FOREACH(v, &gen) sum += v;
    return gen_close(&gen) == 0 ? sum + gen_error(&gen) : -1;
}

struct blink {
    COROUTINE(int);
    int times;
    struct pawl_sleep sleep;
    struct pawl_gather all;
    struct pawl_child child;
    FUTURE(int) *ready;
};

ASYNC(blink)
{
    ASYNC_BEGIN(blink);
    while (self->times-- > 0) AWAIT(self->sleep, pawl_sleep(100));
    self->child = pawl_child(self->ready);
    AWAIT(self->all, pawl_gather(&self->child, 1));
    ASYNC_RETURN(self->ready->result);
    ASYNC_END;
}

static TASK(blink) task;

struct pawl_task *start_blinking(int times);
struct pawl_task *start_blinking(int times)
{
    return pawl_start(&task, CORO(blink, .times = times));
}
