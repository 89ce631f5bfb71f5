/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * One generator delegates to another. Through YIELD_FROM, Python's `yield from`, the consumer of the outer one speaks
 * with the inner one: the values that it yields, what is sent to it, and the errors that are thrown into it all pass
 * through, and its return value comes back to the outer one. Closing the outer one runs its FINALLY.
 */
#include <stdio.h>

#include <pawl/gen.h>

enum { VALUE_ERROR = -1000 }; /* a program may have errors of its own: any number from -32768 to -1 */

static const char *message(int error)
{
    return error == VALUE_ERROR ? "oops" : "?";
}

struct inner {
    GENERATOR(int, const char *, const char *); /* yields int, is sent a string, returns a string */
};

GEN(inner)
{
    GEN_BEGIN(inner);
    YIELD(1);
    printf("inner got %s\n", SENT());
    TRY {
        YIELD(2);
    } CATCH(VALUE_ERROR) {
        printf("inner caught %s\n", message(CAUGHT()));
        YIELD(3);
    } END_TRY;
    GEN_RETURN("inner result");
    GEN_END;
}

struct outer {
    GENERATOR(int, const char *);
    struct inner inner;
};

GEN(outer)
{
    GEN_BEGIN(outer);
    TRY {
        YIELD_FROM(self->inner, CORO(inner));
        printf("outer has %s\n", self->inner.result);
        YIELD(4);
    } FINALLY {
        puts("outer cleanup");
    } END_TRY;
    GEN_END;
}

int main(void)
{
    struct outer g = CORO(outer);
    if (gen_next(&g)) printf("%d\n", g.value);
    if (gen_send(&g, "hello")) printf("%d\n", g.value);
    if (gen_throw(&g, VALUE_ERROR)) printf("%d\n", g.value);
    if (gen_next(&g)) printf("%d\n", g.value);
    gen_close(&g);
    if (!gen_next(&g) && gen_error(&g) == PAWL_EENDED) puts("finished");
    return 0;
}
