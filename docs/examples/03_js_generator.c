/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A generator as in JavaScript. There, next() gives an object { value, done }; here the truth of gen_next says whether
 * there is a value, and the value is a member of the generator. return(7) ends it early and says so with the value that
 * it was given: that is gen_close, and the caller, who has the value, keeps it. Both are written below as the iterator
 * protocol has them, with a NULL where JavaScript has undefined.
 */
#include <stdio.h>

#include <pawl/gen.h>

struct foo {
    GENERATOR(int, const char *);
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

struct result {
    const int *value; /* NULL: undefined */
    bool done;
};

static struct result js_next(struct foo *gen)
{
    const bool more = gen_next(gen);
    return (struct result){ more ? &gen->value : NULL, !more };
}

static struct result js_return(struct foo *gen, const int *value)
{
    gen_close(gen);
    return (struct result){ value, gen_done(gen) };
}

static void print(struct result result, const char *end)
{
    char value[16] = "(null)";
    if (result.value != NULL) snprintf(value, sizeof value, "%d", *result.value);
    printf("{ .value = %s, .done = %s }%s", value, result.done ? "true" : "false", end);
}

int main(void)
{
    struct foo gen = CORO(foo);
    for (int i = 0; i < 3; i++) printf("%d\n", *js_next(&gen).value);

    for (int i = 0; i < 2; i++) {
        struct foo fresh = CORO(foo);
        printf("%d\n", *js_next(&fresh).value);
    }

    struct foo r = CORO(foo);
    js_next(&r);
    print(js_return(&r, &(const int){ 7 }), " ");
    print(js_next(&r), "\n");
    return 0;
}
