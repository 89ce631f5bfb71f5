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

/* ---- Two tasks and two slots: a value goes to and fro ---- */

struct slot {
    bool full;
    long value;
    struct job *reader, *writer;
};

struct player {
    struct job job;
    struct slot *in, *out;
    bool first;
    long i, n, value, sum;
};

static void wake(struct job **waiting)
{
    if (*waiting == NULL) return;
    push(*waiting);
    *waiting = NULL;
}

static bool put(struct slot *slot, struct job *job, long value)
{
    if (slot->full) {
        slot->writer = job;
        return false;
    }
    slot->value = value;
    slot->full = true;
    wake(&slot->reader);
    return true;
}

static bool get(struct slot *slot, struct job *job, long *value)
{
    if (!slot->full) {
        slot->reader = job;
        return false;
    }
    *value = slot->value;
    slot->full = false;
    wake(&slot->writer);
    return true;
}

static void player_run(struct job *job)
{
    struct player *const self = (struct player *)job;
    switch (job->state) {
    case 0:
        for (self->i = 0; self->i < self->n; self->i++) {
            if (self->first) {
                job->state = 1;
                __attribute__((fallthrough));
    case 1:
                if (!put(self->out, job, self->i)) return;
            }
            job->state = 2;
            __attribute__((fallthrough));
    case 2:
            if (!get(self->in, job, &self->value)) return;
            self->sum += self->value;
            if (!self->first) {
                job->state = 3;
                __attribute__((fallthrough));
    case 3:
                if (!put(self->out, job, self->value)) return;
            }
        }
    }
}

static void (*volatile opaque_player)(struct job *) = player_run;

double floor_ping_pong(long n)
{
    struct slot there = { .full = false }, back = { .full = false };
    struct player ping = { .job.run = opaque_player, .in = &back, .out = &there, .first = true, .n = n / 2 };
    struct player pong = { .job.run = opaque_player, .in = &there, .out = &back, .n = n / 2 };
    push(&ping.job);
    push(&pong.job);
    const uint64_t start = wall_now();
    run_all();
    const double result = cost(start, n);
    must(ping.sum == (n / 2) * (n / 2 - 1) / 2 && pong.sum == ping.sum, "floor ping-pong");
    return result;
}

/* ---- The same with queues as one writes them for good: any capacity, who waits in order, and may be cancelled ---- */

struct link {
    struct link *next, *prev;
};

struct step {
    struct link link; /* first: in the ready list */
    void (*run)(struct step *);
    int state, error; /* error: cancelled */
};

struct place {
    struct link link; /* first: among those that wait for a queue */
    struct step *whose;
    bool waits, woken;
};

struct queue {
    long *items;
    size_t capacity, count, head, unfinished;
    struct link getters, putters;
    bool shut;
};

static struct link steps = { &steps, &steps };

static void append(struct link *list, struct link *link)
{
    link->next = list;
    link->prev = list->prev;
    list->prev->next = link;
    list->prev = link;
}

static void unlink_it(struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}

static void run_steps(void)
{
    while (steps.next != &steps) {
        struct step *const step = (struct step *)steps.next;
        unlink_it(&step->link);
        step->run(step);
    }
}

static void wake_first(struct link *list)
{
    if (list->next == list) return;
    struct place *const place = (struct place *)list->next;
    unlink_it(&place->link);
    place->waits = false;
    place->woken = true;
    append(&steps, &place->whose->link);
}

static void wait_in(struct link *list, struct place *place, struct step *step)
{
    place->whose = step;
    place->waits = true;
    place->woken = false;
    append(list, &place->link);
}

/* 1: done, 0: waits, -1: failed. `resumed`: it has waited. */
static int queue_put(struct queue *queue, struct place *place, struct step *step, bool resumed, long value)
{
    if (resumed && place->waits) unlink_it(&place->link);
    if (resumed && step->error != 0) {
        if (place->woken && queue->count < queue->capacity) wake_first(&queue->putters);
        return -1;
    }
    if (queue->shut) return -1;
    if (queue->count >= queue->capacity) {
        wait_in(&queue->putters, place, step);
        return 0;
    }
    const size_t at = queue->head + queue->count;
    queue->items[at < queue->capacity ? at : at - queue->capacity] = value;
    queue->count++;
    queue->unfinished++;
    wake_first(&queue->getters);
    return 1;
}

static int queue_get(struct queue *queue, struct place *place, struct step *step, bool resumed, long *value)
{
    if (resumed && place->waits) unlink_it(&place->link);
    if (resumed && step->error != 0) {
        if (place->woken && queue->count > 0) wake_first(&queue->getters);
        return -1;
    }
    if (queue->count == 0) {
        if (queue->shut) return -1;
        wait_in(&queue->getters, place, step);
        return 0;
    }
    *value = queue->items[queue->head];
    if (++queue->head == queue->capacity) queue->head = 0;
    queue->count--;
    wake_first(&queue->putters);
    return 1;
}

struct partner {
    struct step step;
    struct place place;
    struct queue *in, *out;
    bool first;
    long i, n, value, sum;
};

static void partner_run(struct step *step)
{
    struct partner *const self = (struct partner *)step;
    bool resumed = true;
    int how;
    switch (step->state) {
    case 0:
        for (self->i = 0; self->i < self->n; self->i++) {
            if (self->first) {
                step->state = 1;
                resumed = false;
                __attribute__((fallthrough));
    case 1:
                how = queue_put(self->out, &self->place, step, resumed, self->i);
                if (how <= 0) return;
            }
            step->state = 2;
            resumed = false;
            __attribute__((fallthrough));
    case 2:
            how = queue_get(self->in, &self->place, step, resumed, &self->value);
            if (how <= 0) return;
            self->sum += self->value;
            if (!self->first) {
                step->state = 3;
                resumed = false;
                __attribute__((fallthrough));
    case 3:
                how = queue_put(self->out, &self->place, step, resumed, self->value);
                if (how <= 0) return;
            }
        }
    }
}

static void (*volatile opaque_partner)(struct step *) = partner_run;

static void queue_begin(struct queue *queue, long *items, size_t capacity)
{
    *queue = (struct queue){ .items = items, .capacity = capacity };
    queue->getters.next = queue->getters.prev = &queue->getters;
    queue->putters.next = queue->putters.prev = &queue->putters;
}

double floor_queues(long n)
{
    static volatile size_t capacity = 1;
    struct queue there, back;
    long items[2];
    queue_begin(&there, &items[0], capacity);
    queue_begin(&back, &items[1], capacity);
    struct partner ping = { .step.run = opaque_partner, .in = &back, .out = &there, .first = true, .n = n / 2 };
    struct partner pong = { .step.run = opaque_partner, .in = &there, .out = &back, .n = n / 2 };
    append(&steps, &ping.step.link);
    append(&steps, &pong.step.link);
    const uint64_t start = wall_now();
    run_steps();
    const double result = cost(start, n);
    must(ping.sum == (n / 2) * (n / 2 - 1) / 2 && pong.sum == ping.sum, "floor queues");
    return result;
}

/* ---- Two tasks and two semaphores: a permit goes to and fro ---- */

struct counter_of_permits {
    long permits;
    struct job *waiting;
};

struct relay {
    struct job job;
    struct counter_of_permits *mine, *other;
    long i, n;
};

static void release(struct counter_of_permits *semaphore)
{
    if (semaphore->waiting) wake(&semaphore->waiting);
    else semaphore->permits++;
}

static void relay_run(struct job *job)
{
    struct relay *const self = (struct relay *)job;
    switch (job->state) {
    case 0:
        for (self->i = 0; self->i < self->n; self->i++) {
            if (self->mine->permits > 0) {
                self->mine->permits--;
            } else {
                self->mine->waiting = job;
                job->state = 1;
                return;
            }
            __attribute__((fallthrough));
    case 1:
            release(self->other);
        }
    }
}

static void (*volatile opaque_relay)(struct job *) = relay_run;

double floor_hand_over(long n)
{
    struct counter_of_permits a = { .permits = 1 }, b = { .permits = 0 };
    struct relay one = { .job.run = opaque_relay, .mine = &a, .other = &b, .n = n / 2 };
    struct relay two = { .job.run = opaque_relay, .mine = &b, .other = &a, .n = n / 2 };
    push(&one.job);
    push(&two.job);
    const uint64_t start = wall_now();
    run_all();
    const double result = cost(start, n);
    must(a.permits == 1 && b.permits == 0 && one.i == n / 2 && two.i == n / 2, "floor hand-over");
    return result;
}
