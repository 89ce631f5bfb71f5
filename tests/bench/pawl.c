/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The same work with pawl, on the loop that pawl_run makes: epoll, malloc. */
#include "child.h"

/* ---- A generator ---- */

struct counter {
    GENERATOR(long);
    long i, n;
};

GEN(counter)
{
    GEN_BEGIN(counter);
    for (self->i = 0; self->i < self->n; self->i++) YIELD(self->i);
    GEN_END;
}

static pawl_resume_fn *volatile opaque_counter = counter_resume;

double pawl_generator(long n)
{
    struct counter counter = CORO(counter, .n = n);
    counter.awaitable.resume = opaque_counter;
    long sum = 0;
    const uint64_t start = wall_now();
    while (gen_next(&counter)) sum += counter.value;
    const double result = cost(start, n);
    must(sum == n * (n - 1) / 2, "generator");
    return result;
}

/* ---- A value through many levels ---- */

struct level {
    GENERATOR(long);
    struct level *inner;
    long i, n;
};

GEN(level)
{
    GEN_BEGIN(level);
    if (self->inner) YIELD_FROM(self->inner);
    else for (self->i = 0; self->i < self->n; self->i++) YIELD(self->i);
    GEN_END;
}

static double through_levels(long levels, long n)
{
    struct level *const chain = malloc((size_t)(levels + 1) * sizeof *chain);
    must(chain != NULL, "malloc");
    for (long i = 0; i < levels; i++) chain[i] = CORO(level, .inner = &chain[i + 1]);
    chain[levels] = CORO(level, .n = n);
    long sum = 0;
    const uint64_t start = wall_now();
    while (gen_next(chain)) sum += chain->value;
    const double result = cost(start, n);
    must(sum == n * (n - 1) / 2, "levels");
    free(chain);
    return result;
}

double pawl_levels_1(long n)
{
    return through_levels(1, n);
}

double pawl_levels_10(long n)
{
    return through_levels(10, n);
}

double pawl_levels_100(long n)
{
    return through_levels(100, n);
}

double pawl_levels_1000(long n)
{
    return through_levels(1000, n);
}

/* ---- Awaiting a child that ends at once ---- */

struct parent {
    COROUTINE(int);
    long i, n, sum;
    double *cost;
    uint64_t start;
    struct child child;
};

ASYNC(parent)
{
    ASYNC_BEGIN(parent);
    self->start = wall_now();
    for (self->i = 0; self->i < self->n; self->i++) {
        AWAIT(self->child, CORO(child, .x = self->sum));
        self->sum = self->child.result;
    }
    *self->cost = cost(self->start, self->n);
    must(self->sum == self->n, "await");
    ASYNC_RETURN(0);
    ASYNC_END;
}

double pawl_await_child(long n)
{
    double result = 0;
    must(pawl_run(CORO(parent, .n = n, .cost = &result)) == 0, "run");
    return result;
}

/* ---- Spawning and joining ---- */

struct spawner {
    COROUTINE(int);
    long i, n, sum;
    double *cost;
    uint64_t start;
    struct pawl_task *task;
};

ASYNC(spawner)
{
    ASYNC_BEGIN(spawner);
    self->start = wall_now();
    for (self->i = 0; self->i < self->n; self->i++) {
        self->task = pawl_spawn(CORO(child, .x = self->sum));
        AWAIT(self->task);
        self->sum = pawl_task_frame(child, self->task)->result;
        pawl_task_release(self->task);
    }
    *self->cost = cost(self->start, self->n);
    must(self->sum == self->n, "spawn");
    ASYNC_RETURN(0);
    ASYNC_END;
}

double pawl_spawn_join(long n)
{
    double result = 0;
    must(pawl_run(CORO(spawner, .n = n, .cost = &result)) == 0, "run");
    return result;
}

/* ---- Giving way to the others ---- */

struct yielder {
    COROUTINE(void);
    long i, n;
};

ASYNC(yielder)
{
    ASYNC_BEGIN(yielder);
    for (self->i = 0; self->i < self->n; self->i++) YIELD_NOW();
    ASYNC_END;
}

typedef TASK(yielder) yielder_task;

struct switcher {
    COROUTINE(int);
    long i, n;
    double *cost;
    uint64_t start;
    yielder_task *tasks;
};

ASYNC(switcher)
{
    ASYNC_BEGIN(switcher);
    self->tasks = calloc(SWITCHING_TASKS, sizeof *self->tasks);
    must(self->tasks != NULL, "calloc");
    for (self->i = 0; self->i < SWITCHING_TASKS; self->i++)
        pawl_start(&self->tasks[self->i], CORO(yielder, .n = self->n / SWITCHING_TASKS));
    self->start = wall_now();
    for (self->i = 0; self->i < SWITCHING_TASKS; self->i++) AWAIT(&self->tasks[self->i]);
    *self->cost = cost(self->start, self->n);
    free(self->tasks);
    ASYNC_RETURN(0);
    ASYNC_END;
}

double pawl_switch(long n)
{
    double result = 0;
    must(pawl_run(CORO(switcher, .n = n, .cost = &result)) == 0, "run");
    return result;
}
