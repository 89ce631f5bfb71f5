/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A future is a result that is not there yet. Here main waits for one while a task sleeps and then sets it. The result
 * has a type, and the future lies in main's own frame: nothing is allocated for it. It is set once only.
 */
#include <stdio.h>

#include <pawl/pawl.h>

typedef FUTURE(const char *) text_future;

struct setter {
    COROUTINE(void);
    text_future *future;
    struct pawl_sleep sleep;
};

ASYNC(setter)
{
    ASYNC_BEGIN(setter);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(20)));
    pawl_future_set_result(self->future, "Finished!");
    ASYNC_END;
}

static const char *yes(bool condition)
{
    return condition ? "True" : "False";
}

struct amain {
    COROUTINE(void);
    text_future future;
    TASK(setter) setter;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    printf("done %s\n", yes(pawl_future_done(&self->future)));
    pawl_start(&self->setter, CORO(setter, .future = &self->future));

    AWAIT(&self->future);
    puts(self->future.result);
    printf("done %s %s\n", yes(pawl_future_done(&self->future)), yes(pawl_future_done(&self->setter)));
    if (pawl_future_set_result(&self->future, "again") == PAWL_EDONE) puts("set once only");
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
