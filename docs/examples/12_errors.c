/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * try, except and finally in C. An error is a negative number. RAISE and a failed AWAIT go to the innermost handler,
 * which the compiler knows: nothing is pushed or popped at run time. CATCH takes one error, CATCH_ERROR any but a
 * cancellation, CATCH_ALL any. A FINALLY runs on every way out, a return included, and a handler may suspend, as the
 * pawl_yield in one of them shows.
 */
#include <errno.h>
#include <stdio.h>

#include <pawl/pawl.h>

struct open_door {
    COROUTINE(const char *);
    int error; /* what goes wrong; 0: nothing */
    struct pawl_sleep pause;
};

ASYNC(open_door)
{
    ASYNC_BEGIN(open_door);
    TRY {
        if (self->error != 0) RAISE(self->error);
        ASYNC_RETURN("open");
    } CATCH(-ENOENT) {
        AWAIT(self->pause, pawl_yield());
        printf("  no door: %s\n", pawl_strerror(CAUGHT()));
        ASYNC_RETURN("a hole in the wall");
    } CATCH_ERROR {
        printf("  passed on: %s\n", pawl_strerror(CAUGHT()));
        RERAISE();
    } FINALLY {
        puts("  finally");
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct open_door door;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    puts("returned out of a TRY:");
    AWAIT(self->door, CORO(open_door));
    printf("  %s\n", self->door.result);

    puts("caught, and returned out of a CATCH:");
    AWAIT(self->door, CORO(open_door, .error = -ENOENT));
    printf("  %s\n", self->door.result);

    puts("raised again:");
    TRY {
        AWAIT(self->door, CORO(open_door, .error = -EACCES));
    } CATCH_ALL {
        printf("  at the top: %s\n", pawl_strerror(CAUGHT()));
    } END_TRY;

    puts("as a C programmer does it:");
    TRY_AWAIT(self->door, CORO(open_door, .error = -EIO));
    printf("  %s\n", pawl_strerror(AWAIT_ERROR()));
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
