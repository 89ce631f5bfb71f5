/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The floors: the least that a C program written by hand needs for the same work. Functions are called through volatile
 * pointers, so that the compiler knows no more of them than it does of a coroutine behind a pointer.
 */
#include "bench.h"

/* ---- A generator ---- */

struct counter {
    int state;
    long i, n, value;
};

static int counter_next(struct counter *self)
{
    switch (self->state) {
    case 0:
        for (self->i = 0; self->i < self->n; self->i++) {
            self->value = self->i;
            self->state = 1;
            return 1;
    case 1:;
        }
    }
    self->state = 2;
    return 0;
}

static int (*volatile opaque_next)(struct counter *) = counter_next;

double floor_generator(long n)
{
    int (*const next)(struct counter *) = opaque_next;
    struct counter counter = { .n = n };
    long sum = 0;
    const uint64_t start = wall_now();
    while (next(&counter)) sum += counter.value;
    const double result = cost(start, n);
    must(sum == n * (n - 1) / 2, "floor generator");
    return result;
}

/* ---- Calling a child that ends at once ---- */

struct child {
    int state;
    long x, result;
};

static int child_run(struct child *self)
{
    switch (self->state) {
    case 0: self->result = self->x + 1;
    }
    self->state = 1;
    return 0;
}

static int (*volatile opaque_child)(struct child *) = child_run;

struct parent {
    int state;
    long i, n, sum;
    struct child child;
    int (*run)(struct child *);
};

static int parent_run(struct parent *self)
{
    switch (self->state) {
    case 0:
        for (self->i = 0; self->i < self->n; self->i++) {
            self->child.state = 0;
            self->child.x = self->sum;
            while (self->run(&self->child)) {
                self->state = 1;
                return 1;
    case 1:;
            }
            self->sum = self->child.result;
        }
    }
    self->state = 2;
    return 0;
}

double floor_await(long n)
{
    struct parent parent = { .n = n, .run = opaque_child };
    const uint64_t start = wall_now();
    parent_run(&parent);
    const double result = cost(start, n);
    must(parent.sum == n, "floor await");
    return result;
}

/* ---- A ready queue ---- */

struct job {
    void (*run)(struct job *);
    struct job *next;
    int state;
};

static struct job *ready, **ready_end = &ready;

static void push(struct job *job)
{
    job->next = NULL;
    *ready_end = job;
    ready_end = &job->next;
}

static void run_all(void)
{
    while (ready) {
        struct job *const job = ready;
        ready = job->next;
        if (ready == NULL) ready_end = &ready;
        job->run(job);
    }
}

/* ---- Spawning and joining ---- */

struct spawned {
    struct job job, *waiter;
    long x, result;
};

static void spawned_run(struct job *job)
{
    struct spawned *const self = (struct spawned *)job;
    self->result = self->x + 1;
    push(self->waiter);
}

static void (*volatile opaque_spawned)(struct job *) = spawned_run;

struct spawner {
    struct job job;
    long i, n, sum;
    struct spawned *task;
};

static void spawner_run(struct job *job)
{
    struct spawner *const self = (struct spawner *)job;
    switch (job->state) {
    case 0:
        for (self->i = 0; self->i < self->n; self->i++) {
            self->task = malloc(sizeof *self->task);
            must(self->task != NULL, "malloc");
            *self->task = (struct spawned){ .job.run = opaque_spawned, .waiter = job, .x = self->sum };
            push(&self->task->job);
            job->state = 1;
            return;
    case 1:
            self->sum = self->task->result;
            free(self->task);
        }
    }
}

double floor_spawn_join(long n)
{
    struct spawner spawner = { .job.run = spawner_run, .n = n };
    push(&spawner.job);
    const uint64_t start = wall_now();
    run_all();
    const double result = cost(start, n);
    must(spawner.sum == n, "floor spawn");
    return result;
}

/* ---- Giving way to the others ---- */

struct yielder {
    struct job job;
    long i, n;
};

static long ended;

static void yielder_run(struct job *job)
{
    struct yielder *const self = (struct yielder *)job;
    switch (job->state) {
    case 0:
        for (self->i = 0; self->i < self->n; self->i++) {
            push(job);
            job->state = 1;
            return;
    case 1:;
        }
    }
    ended++;
}

static void (*volatile opaque_yielder)(struct job *) = yielder_run;

double floor_switch(long n)
{
    struct yielder *const tasks = calloc(SWITCHING_TASKS, sizeof *tasks);
    must(tasks != NULL, "calloc");
    ended = 0;
    for (int i = 0; i < SWITCHING_TASKS; i++) {
        tasks[i] = (struct yielder){ .job.run = opaque_yielder, .n = n / SWITCHING_TASKS };
        push(&tasks[i].job);
    }
    const uint64_t start = wall_now();
    run_all();
    const double result = cost(start, n);
    must(ended == SWITCHING_TASKS, "floor switch");
    free(tasks);
    return result;
}
