/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A generator as in Python. Calling foo() there, CORO(foo) here, runs nothing; each step runs to the next YIELD. The
 * generator is sent a string with gen_send, and sees NULL, Python's None, when it was stepped with gen_next. It is a plain
 * struct: it needs no heap, and one that is dropped in the middle has nothing to free.
 */
#include <stdio.h>

#include <pawl/gen.h>

struct foo {
    GENERATOR(int, const char *); /* yields int, is sent const char * */
};

GEN(foo)
{
    GEN_BEGIN(foo);
    puts("foo start");
    YIELD(1);
    printf("foo a %s\n", SENT());
    YIELD(2);
    YIELD(3);
    puts("foo end");
    GEN_END;
}

int main(void)
{
    struct foo gen = CORO(foo);
    if (gen_next(&gen)) printf("%d\n", gen.value);
    if (gen_send(&gen, "a")) printf("%d\n", gen.value);

    for (int i = 0; i < 2; i++) { /* a new one each time: each starts at the top */
        struct foo fresh = CORO(foo);
        if (gen_next(&fresh)) printf("%d\n", fresh.value);
    }

    struct foo all = CORO(foo);
    GEN_FOREACH(value, &all) (void)value;
    return 0;
}
