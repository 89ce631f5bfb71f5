/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A coroutine object as in Python: making one runs nothing, awaiting it runs it, and it can be awaited once only. Here
 * it is made first and awaited later, through a pointer. The usual form does both at once: AWAIT(self->c, CORO(f)).
 */
#include <stdio.h>

#include <pawl/pawl.h>

struct f {
    COROUTINE(int); /* resolves to an int */
};

ASYNC(f)
{
    ASYNC_BEGIN(f);
    puts("f is running");
    ASYNC_RETURN(42);
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct f c;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    self->c = CORO(f);
    puts("made, not run");
    AWAIT(&self->c);
    printf("%d\n", self->c.result);
    TRY {
        AWAIT(&self->c);
    } CATCH(PAWL_EAWAITED) {
        puts("awaited twice: error");
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
