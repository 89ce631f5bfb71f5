/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* error: AWAIT|generator */
/* todo: its YIELD writes into a root that has no value */
#include <pawl/async.h>
#include <pawl/gen.h>

#ifdef RIGHT
struct callee {
    COROUTINE(int);
};
#else
struct callee {
    GENERATOR(int);
};
#endif
extern pawl_resume_fn callee_resume;

struct waits {
    COROUTINE(void);
    struct callee callee;
};

ASYNC_PUBLIC(waits)
{
    ASYNC_BEGIN(waits);
    AWAIT(self->callee, CORO(callee));
    ASYNC_END;
}
