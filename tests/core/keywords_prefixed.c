/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A part of test_keywords that has taken the short names for itself: only the prefixed ones are pawl's. */
#define PAWL_PREFIXED_KEYWORDS
#include <pawl/pawl.h>

#include "keywords.h"

#if defined(GENERATOR) || defined(GEN) || defined(GEN_BEGIN) || defined(GEN_END) || defined(YIELD) || defined(SENT) || \
    defined(YIELD_FROM) || defined(GEN_FOREACH) || defined(GEN_RETURN) || defined(gen_next) || defined(gen_close)
#error "a short word of gen.h is defined"
#endif
#if defined(COROUTINE) || defined(ASYNC) || defined(ASYNC_BEGIN) || defined(ASYNC_END) || defined(AWAIT) || \
    defined(TRY_AWAIT) || defined(ASYNC_RETURN) || defined(AWAIT_ERROR) || defined(coro_step) || defined(coro_error)
#error "a short word of async.h is defined"
#endif
#if defined(CORO) || defined(TRY) || defined(CATCH) || defined(CATCH_ALL) || defined(CATCH_ERROR) || defined(FINALLY) || \
    defined(END_TRY) || defined(RAISE) || defined(RERAISE) || defined(CAUGHT) || defined(FUTURE) || defined(TASK)
#error "a short word of coro.h, future.h or task.h is defined"
#endif

enum word { YIELD = 1, AWAIT = 2, TRY = 4, CATCH = 8, SENT = 16 };

struct inner {
    PAWL_GENERATOR(int, int, int);
};

PAWL_GEN(inner)
{
    PAWL_GEN_BEGIN(inner);
    PAWL_TRY {
        PAWL_YIELD(YIELD);
        PAWL_RAISE(PAWL_SENT());
    } PAWL_CATCH(-CATCH) {
        PAWL_YIELD(PAWL_CAUGHT());
    } PAWL_CATCH_ERROR {
        PAWL_RERAISE();
    } PAWL_CATCH_ALL {
        PAWL_YIELD(-1);
    } PAWL_FINALLY {
        PAWL_YIELD(TRY);
    } PAWL_END_TRY;
    PAWL_GEN_RETURN(SENT);
    PAWL_GEN_END;
}

struct outer {
    PAWL_GENERATOR(int, int);
    struct inner inner;
};

PAWL_GEN(outer)
{
    PAWL_GEN_BEGIN(outer);
    PAWL_YIELD_FROM(self->inner, PAWL_CORO(inner));
    PAWL_YIELD(self->inner.result);
    PAWL_GEN_END;
}

int prefixed_generator(void)
{
    struct outer gen = PAWL_CORO(outer);
    int sum = 0;
    if (!pawl_gen_next(&gen) || gen.value != YIELD) return -1;
    if (!pawl_gen_send(&gen, -CATCH) || gen.value != -CATCH) return -2;
    PAWL_GEN_FOREACH(v, &gen) sum += v;
    if (!pawl_gen_done(&gen) || pawl_gen_error(&gen) != 0 || pawl_gen_close(&gen) != 0) return -3;
    return sum;
}

struct answer {
    PAWL_COROUTINE(int);
    PAWL_FUTURE_OF(int) future;
};

PAWL_ASYNC(answer)
{
    PAWL_ASYNC_BEGIN(answer);
    PAWL_TRY_AWAIT(&self->future);
    if (PAWL_AWAIT_ERROR() != 0) PAWL_ASYNC_RETURN(PAWL_AWAIT_ERROR());
    PAWL_AWAIT(&self->future);
    PAWL_ASYNC_RETURN(self->future.result + AWAIT);
    PAWL_ASYNC_END;
}

int prefixed_coroutine(void)
{
    struct answer co = PAWL_CORO(answer);
    if (pawl_coro_step(&co) != PAWL_FUTURE(&co.future)) return -1;
    if (pawl_future_set_result(&co.future, 40) != 0) return -2;
    if (pawl_coro_step(&co) != NULL || !pawl_coro_done(&co)) return -3;
    return co.result;
}
