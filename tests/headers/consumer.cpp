// SPDX-License-Identifier: MIT
// Copyright (c) 2026 the pawl authors
// The macros in a C++20 program: generators, coroutines, futures, tasks, handlers, and a loop to run them.
#include <pawl/pawl.h>

#include <cstdio>

struct count { GENERATOR(int, int, long); int from, to; };

GEN(count)
{
    GEN_BEGIN(count);
    TRY {
        for (; self->from < self->to; self->from++) YIELD(self->from + SENT());
        GEN_RETURN(self->from * 100L);
    } CATCH(PAWL_ETIMEOUT) {
        YIELD(-1);
        RERAISE();
    } FINALLY {
        std::puts("counted");
    } END_TRY;
    GEN_END;
}

struct both { GENERATOR(int, int); struct count count; };

GEN(both)
{
    GEN_BEGIN(both);
    YIELD_FROM(self->count, CORO(count, .from = 1, .to = 3));
    YIELD(static_cast<int>(self->count.result));
    YIELD_FROM(self->count, CORO(count, .to = 1));
    GEN_END;
}

struct nap { COROUTINE(void); pawl_time span; struct pawl_sleep sleep; };

ASYNC(nap)
{
    ASYNC_BEGIN(nap);
    AWAIT(self->sleep, pawl_sleep(self->span));
    ASYNC_END;
}

using number = FUTURE(long);

struct answer { COROUTINE(long); number *future; struct nap nap; };

ASYNC(answer)
{
    ASYNC_BEGIN(answer);
    AWAIT(self->nap, CORO(nap, .span = PAWL_MS(1)));
    AWAIT(self->future);
    ASYNC_RETURN(self->future->result * 2);
    ASYNC_END;
}

struct amain {
    COROUTINE(int);
    number future;
    struct pawl_task *task;
    PAWL_TASK(nap) slot;
    struct pawl_child children[2];
    struct pawl_gather all;
    struct pawl_wait_for timed;
    struct pawl_future never;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    self->task = pawl_spawn(CORO(answer, .future = &self->future));
    if (pawl_start(&self->slot, CORO(nap, .span = PAWL_MS(2))) == nullptr) RAISE(PAWL_EBUSY);
    if (pawl_future_set_result(&self->future, 21) != 0) RAISE(PAWL_EDONE);
    self->children[0] = pawl_child(self->task);
    self->children[1] = pawl_child(&self->slot);
    AWAIT(self->all, pawl_gather(self->children, 2));
    std::printf("answer %ld\n", pawl_task_frame(answer, self->task)->result);
    pawl_task_release(self->task);
    TRY {
        AWAIT(self->timed, pawl_wait_for(&self->never, PAWL_MS(1)));
    } CATCH(PAWL_ETIMEOUT) {
        std::printf("%s\n", pawl_strerror(CAUGHT()));
    } END_TRY;
    ASYNC_RETURN(7);
    ASYNC_END;
}

static void generators()
{
    struct both gen = CORO(both);
    GEN_FOREACH(v, &gen) std::printf("%d\n", v);
    struct count sent = CORO(count, .to = 9);
    if (gen_next(&sent) && gen_send(&sent, 40)) std::printf("sent %d\n", sent.value);
    if (gen_throw(&sent, PAWL_ETIMEOUT)) std::printf("thrown %d\n", sent.value);
    const int closed = gen_close(&sent);
    std::printf("closed %d, error %d, done %d\n", closed, gen_error(&sent), static_cast<int>(gen_done(&sent)));
}

static void by_hand()
{
    struct nap nap = CORO(nap, .span = PAWL_SEC(3600));
    struct pawl_future *const wait = coro_step(&nap);
    std::printf("waits %d\n", wait != nullptr && pawl_future_done(wait) ? 1 : 0);
    std::printf("ended %d\n", coro_step(&nap) == nullptr && coro_error(&nap) == 0 ? 1 : 0);
}

int main()
{
    generators();
    by_hand();
    return pawl_run(CORO(amain)) == 7 ? 0 : 1;
}
