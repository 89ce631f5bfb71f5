/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What a task raises stays inside the task until somebody looks. Not awaited, it disturbs nobody (an error that nobody
 * ever looked at is reported when the task is freed); awaited, it is raised where it is awaited, and goes on up through
 * whoever awaits that.
 */
#include <stdio.h>

#include <pawl/pawl.h>

enum { BOOM = -1000 };

static const char *message(int error)
{
    return error == BOOM ? "boom" : pawl_strerror(error);
}

struct foo {
    COROUTINE(void);
};

ASYNC(foo)
{
    ASYNC_BEGIN(foo);
    puts("foo");
    RAISE(BOOM);
    ASYNC_END;
}

struct unawaited {
    COROUTINE(void);
    struct pawl_task *task;
    struct pawl_sleep sleep;
};

ASYNC(unawaited)
{
    ASYNC_BEGIN(unawaited);
    self->task = pawl_spawn(CORO(foo));
    AWAIT(self->sleep, pawl_yield());
    puts("bar");
    printf("kept inside: %s\n", message(pawl_future_error(self->task)));
    pawl_task_release(self->task);
    ASYNC_END;
}

struct awaited {
    COROUTINE(void);
    struct pawl_task *task;
};

ASYNC(awaited)
{
    ASYNC_BEGIN(awaited);
    TRY {
        self->task = pawl_spawn(CORO(foo));
        AWAIT(self->task);
        puts("never printed");
    } FINALLY {
        pawl_task_release(self->task);
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    union {
        struct unawaited unawaited;
        struct awaited awaited;
    }; /* one after the other, in the same memory */
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    AWAIT(self->unawaited, CORO(unawaited));
    TRY {
        AWAIT(self->awaited, CORO(awaited));
    } CATCH(BOOM) {
        printf("propagated: %s\n", message(CAUGHT()));
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
