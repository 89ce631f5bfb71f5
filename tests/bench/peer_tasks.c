/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Many tasks and many timers at once: sleeping tasks, bare timers, and a tree of a million tasks. */
#include "peer.h"

#include <pawl/pawl.h>

/* ---- Sleeping tasks: each on the heap, with a coroutine of its own that awaits a sleep ---- */

static struct {
    pawl_time span;
    long alive, peak;
    struct pawl_future none_left;
} nights;

struct sleeper {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(sleeper)
{
    ASYNC_BEGIN(sleeper);
    if (++nights.alive > nights.peak) nights.peak = nights.alive;
    AWAIT(self->sleep, pawl_sleep(nights.span));
    if (--nights.alive == 0) pawl_future_set_done(&nights.none_left);
    ASYNC_END;
}

struct dormitory {
    COROUTINE(int);
    long n;
};

ASYNC(dormitory)
{
    ASYNC_BEGIN(dormitory);
    for (long i = 0; i < self->n; i++) {
        struct pawl_task *const task = pawl_spawn(CORO(sleeper));
        must(task != NULL, "spawn");
        pawl_task_release(task);
    }
    if (self->n > 0) AWAIT(&nights.none_left);
    ASYNC_RETURN(0);
    ASYNC_END;
}

void sleeping_tasks(struct arguments arguments)
{
    const long n = argument_or(arguments, 0, 1000000);
    nights.span = PAWL_SEC(argument_or(arguments, 1, 10));
    const uint64_t start = cpu_now();
    must(pawl_run(CORO(dormitory, .n = n)) == 0, "run");
    const double seconds = (double)(cpu_now() - start) / 1e9;
    must(nights.peak == n && nights.alive == 0, "sleepers");
    tell("w4", "peak_alive", (double)nights.peak, "tasks");
    tell("w4", "cpu_s", seconds, "s");
    tell("w4", "hwm", peak_memory(), "KiB");
}

/* ---- Bare timers: handles, no task ---- */

static struct {
    struct pawl_epoll epoll;
    struct pawl_loop loop;
    struct pawl_handle *handles;
    long n, fired;
} clockwork;

/* The same numbers in each run: Weyl's sequence, mixed (Steele, Lea, Flood: Fast splittable generators, 2014). */
static uint64_t random_below(uint64_t limit)
{
    static uint64_t state = 20140401;
    uint64_t x = state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (x ^ (x >> 31)) % limit;
}

static void on_time(void *argument)
{
    (void)argument;
    if (++clockwork.fired == clockwork.n) pawl_loop_stop(&clockwork.loop);
}

static void arm(long i, pawl_time when)
{
    must(pawl_call_at(&clockwork.loop, &clockwork.handles[i], when, on_time, NULL) == 0, "arm");
}

/* One to 61 s away, and cancelled in the order in which they were armed. */
static double arm_and_cancel(void)
{
    const pawl_time now = pawl_loop_time(&clockwork.loop);
    const uint64_t start = wall_now();
    for (long i = 0; i < clockwork.n; i++) arm(i, now + PAWL_SEC(1) + (pawl_time)random_below(60000000000));
    for (long i = 0; i < clockwork.n; i++) must(pawl_handle_cancel(&clockwork.handles[i]), "cancel");
    const double result = cost(start, clockwork.n);
    must(!pawl_loop_pending(&clockwork.loop), "no timer left");
    return result;
}

/* On whole milliseconds, from one second away to two. */
static double arm_and_fire(void)
{
    const pawl_time now = pawl_loop_time(&clockwork.loop);
    const uint64_t start = cpu_now();
    for (long i = 0; i < clockwork.n; i++) arm(i, now + PAWL_SEC(1) + PAWL_MS(random_below(1000)));
    must(pawl_loop_run(&clockwork.loop) == 0 && clockwork.fired == clockwork.n, "fired");
    return (double)(cpu_now() - start) / (double)clockwork.n;
}

void timers(struct arguments arguments)
{
    clockwork.n = argument_or(arguments, 0, 1000000);
    must(clockwork.n > 0, "a number of timers");
    must(pawl_epoll_init(&clockwork.epoll) == 0 && pawl_loop_init(&clockwork.loop, &clockwork.epoll.base, NULL) == 0, "loop");
    clockwork.handles = calloc((size_t)clockwork.n, sizeof *clockwork.handles);
    must(clockwork.handles != NULL, "calloc");
    arm_and_cancel();
    tell("w7", "arm_cancel", arm_and_cancel(), "ns");
    tell("w7", "fire_cpu", arm_and_fire(), "ns");
    pawl_loop_finish(&clockwork.loop);
    pawl_epoll_finish(&clockwork.epoll);
    free(clockwork.handles);
}

/* ---- Skynet: a tree in which every node is a task, ten children a node, joined one after the other ---- */

enum { FAN_OUT = 10 };

struct node {
    COROUTINE(long);
    int number, size; /* the leaves below it: from which on, and how many */
    struct pawl_task **children;
    int i;
};

ASYNC(node)
{
    ASYNC_BEGIN(node);
    if (self->size == 1) ASYNC_RETURN(self->number);
    self->children = malloc(FAN_OUT * sizeof *self->children);
    must(self->children != NULL, "malloc");
    for (int i = 0; i < FAN_OUT; i++) {
        const int size = self->size / FAN_OUT;
        self->children[i] = pawl_spawn(CORO(node, .number = self->number + i * size, .size = size));
    }
    for (; self->i < FAN_OUT; self->i++) {
        AWAIT(self->children[self->i]);
        self->result += pawl_task_frame(node, self->children[self->i])->result;
        pawl_task_release(self->children[self->i]);
    }
    free(self->children);
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

/* The same with the ten tasks of a node in one block, started there instead of spawned one by one. */
struct packed_node {
    COROUTINE(long);
    int number, size;
    void *children;
    int i;
};

typedef TASK(packed_node) packed_task;

static packed_task *child_of(struct packed_node *node, int i)
{
    return (packed_task *)node->children + i;
}

ASYNC(packed_node)
{
    ASYNC_BEGIN(packed_node);
    if (self->size == 1) ASYNC_RETURN(self->number);
    self->children = calloc(FAN_OUT, sizeof(packed_task));
    must(self->children != NULL, "calloc");
    for (int i = 0; i < FAN_OUT; i++) {
        const int size = self->size / FAN_OUT;
        pawl_start(child_of(self, i), CORO(packed_node, .number = self->number + i * size, .size = size));
    }
    for (; self->i < FAN_OUT; self->i++) {
        AWAIT(child_of(self, self->i));
        self->result += child_of(self, self->i)->frame.result;
    }
    free(self->children);
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

static long result;

struct root {
    COROUTINE(int);
    long n;
    struct pawl_task *tree;
};

ASYNC(root)
{
    ASYNC_BEGIN(root);
    self->tree = pawl_spawn(CORO(node, .size = (int)self->n));
    AWAIT(self->tree);
    result = pawl_task_frame(node, self->tree)->result;
    pawl_task_release(self->tree);
    ASYNC_RETURN(0);
    ASYNC_END;
}

struct packed_root {
    COROUTINE(int);
    long n;
    packed_task tree;
};

ASYNC(packed_root)
{
    ASYNC_BEGIN(packed_root);
    pawl_start(&self->tree, CORO(packed_node, .size = (int)self->n));
    AWAIT(&self->tree);
    result = self->tree.frame.result;
    ASYNC_RETURN(0);
    ASYNC_END;
}

static double milliseconds_of(bool packed, long n)
{
    result = -1;
    const uint64_t start = wall_now();
    must((packed ? pawl_run(CORO(packed_root, .n = n)) : pawl_run(CORO(root, .n = n))) == 0, "run");
    const double milliseconds = (double)(wall_now() - start) / 1e6;
    must(result == n * (n - 1) / 2, "skynet");
    return milliseconds;
}

static bool is_power_of_ten(long n)
{
    while (n > 1 && n % FAN_OUT == 0) n /= FAN_OUT;
    return n == 1;
}

void skynet(struct arguments arguments)
{
    const long n = argument_or(arguments, 0, 1000000);
    must(n <= 1000000000 && is_power_of_ten(n), "a number of leaves that is a power of ten");
    milliseconds_of(false, n >= FAN_OUT ? n / FAN_OUT : n);
    tell("w9", "skynet", milliseconds_of(false, n), "ms");
    tell("w9", "hwm", peak_memory() / 1024, "MiB");
    milliseconds_of(true, n >= FAN_OUT ? n / FAN_OUT : n);
    tell_as("pawl_packed", "w9", "skynet", milliseconds_of(true, n), "ms");
}
