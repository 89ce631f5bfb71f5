/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * pawl's side of the differential test: reads scenarios, runs each, and prints what happened. What a scenario is, and how
 * its trace is to be read, stands at the head of oracle.py.
 *
 *      scenario.c      text ──► blocks of statements
 *      now.c           the statements that cannot wait, a function each
 *      later.c …       the others, a coroutine each, whose frame is made when its turn comes
 *      oracle.c        the world of one scenario, its trace, and the blocks themselves
 */
#ifndef PAWL_TESTS_ORACLE_H
#define PAWL_TESTS_ORACLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pawl/pawl.h>

/* How many there are of each, as in scenario.py. */
enum { TASKS = 8, FUTURES = 4, HANDLES = 4, LOCKS = 2, EVENTS = 2, CONDITIONS = 1, SEMAPHORES = 4, BARRIERS = 2, SCOPES = 8, GROUPS = 4 };
enum { CONTEXTS = 4, ARGUMENTS = 10, MOST_ITEMS = 200, ITS_OWN_ERRORS = -5000 };

/* ---- A scenario ---- */

struct block;
struct statement;

/* A number ('i'), a block ('{'), or a thing: 't' and 3 is t3. */
struct argument {
    char kind;
    int value;
    struct block *block;
};

/* What a statement comes to. */
struct outcome {
    bool returned; /* `return` was met: the body, or the call, ends with `value` */
    int value;
    char text[64];
};

/* The frame of any statement that can wait begins so. */
struct frame {
    COROUTINE(struct outcome);
    const struct statement *at;
};

/* A word and how it is run: one of the two. */
struct word {
    const char *name;
    const char *(*now)(const struct statement *at);
    void *(*later)(const struct statement *at);
};
extern const struct word words_now[], words_later[], words_sync[], words_queue[], words_scope[], words_group[];
extern const struct word *const all_words[];

struct statement {
    struct statement *next;
    const struct word *word;
    int number, count;
    struct argument arguments[ARGUMENTS];
};

struct block {
    struct statement *first;
};

struct scenario {
    int bodies;
    struct block *body[TASKS];
};

/* Reads the next one; false at the end of the input. */
bool scenario_read(struct scenario *scenario);
void scenario_free(void);

/* ---- The world of one scenario ---- */

struct callback {
    struct pawl_handle handle;
    const struct block *block;
};

/* A group with the places of its children. */
struct group_place {
    struct pawl_group *group;
    struct pawl_member members[TASKS];
};

struct context {
    struct pawl_context context;
    int number;
};

struct memory {
    struct pawl_allocator allocator;
    size_t alive;
};

struct world {
    const struct scenario *scenario;
    struct pawl_virtual clock;
    struct pawl_loop loop;
    struct memory memory;
    struct pawl_task *tasks[TASKS];
    bool used[TASKS]; /* there is, or was, a task of this body */
    struct context contexts[CONTEXTS];
    int lost; /* errors that were reported while it ran: of tasks that were released */
    FUTURE(int) futures[FUTURES];
    struct callback handles[HANDLES];
    struct pawl_lock locks[LOCKS];
    struct pawl_event flags[EVENTS];
    struct pawl_condition conditions[CONDITIONS];
    struct pawl_lock condition_locks[CONDITIONS];
    struct pawl_semaphore semaphores[SEMAPHORES];
    struct pawl_barrier barriers[BARRIERS];
    struct {
        QUEUE(int, MOST_ITEMS) large;
        QUEUE(int, 1) one;
        QUEUE(int, 2) two[2];
        QUEUE(int, 5) five;
    } queues;
    struct pawl_timeout *scopes[SCOPES];
    struct group_place *groups[GROUPS];
    bool exempt_tasks[TASKS], exempt_futures[FUTURES]; /* of what is told of errors that nobody looked at */
    int events;
    bool over;
};
extern struct world world;

/* A body, which is what each task runs. */
struct body {
    COROUTINE(int);
    int k, error;
    struct run *run;
};
ASYNC_EXTERN(body);

/* The statements of a block, one after the other. */
struct run {
    COROUTINE(struct outcome);
    const struct block *block;
    const struct statement *at;
    struct frame *inner;
    int error;
};
ASYNC_EXTERN(run);
struct run *run_new(const struct block *block);
/* Its result; frees it. */
struct outcome run_take(struct run **run);

/* The same for a block whose statements cannot wait, in a callback. */
void run_now(const struct block *block);

/* Both trace a line: with the time and the task, and with the time alone. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *error_text(int error);

/* What an argument means: NULL when there is no such task (yet). */
struct pawl_future *thing(const struct argument *argument);
/* The outcome of a future that is done and went well, as text. */
int value_of(const struct argument *argument);
void queues_begin(void);
/* A task of body k; NULL when there was one already. */
struct pawl_task *spawn(int k, bool eager);

static inline int number_at(const struct statement *at, int i)
{
    return at->arguments[i].value;
}
static inline const struct block *block_at(const struct statement *at, int i)
{
    return at->arguments[i].block;
}
static inline struct pawl_task *task_at(const struct statement *at, int i)
{
    return world.tasks[at->arguments[i].value];
}

/* OPERATION(name, members): the frame of a statement that can wait, and the function that makes one. */
#define OPERATION(name, members) \
    struct name { \
        COROUTINE(struct outcome); \
        const struct statement *at; \
        int error; \
        members \
    }; \
    ASYNC_DECLARE(name); \
    static void *make_##name(const struct statement *at) \
    { \
        return pawl_coro_new(&world.memory.allocator, CORO(name, .at = at)); \
    } \
    ASYNC_DECLARE(name)

/* Runs a block to its end, and leaves what it comes to in `into`. The frame has a member `run`. */
#define RUN(what, into) do { \
    self->run = run_new(what); \
    TRY_AWAIT(self->run); \
    self->error = AWAIT_ERROR(); \
    (into) = run_take(&self->run); \
    if (self->error != 0) RAISE(self->error); \
} while (0)

#endif
