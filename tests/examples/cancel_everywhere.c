/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Runs a main coroutine on a loop of its own, and disturbs it after 0, 1, 2 … iterations, until it ends before that: it is
 * cancelled, cancelled twice, once more while it cleans up; each of its tasks is cancelled in its place; the loop is shut down,
 * or finished as it stands. However far it came, it must end, with success or as cancelled where it was cancelled itself; all
 * other tasks must end with it; and no memory and no descriptor may be left. What the example itself prints is not looked at.
 *
 * The clock is virtual, unless the example needs the system (EXAMPLE_NEEDS_SYSTEM): then a wait that nothing ends is seen too.
 * Each run is a process of its own, since an example may have variables that it does not make anew. Prints TAP, a line for each
 * way of disturbing.
 */
#define _GNU_SOURCE
#include "cancel_everywhere.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OTHERS = 4, PLACES = 1000, HANGS_AFTER = 20 /* seconds */ };
#ifdef EXAMPLE_NEEDS_SYSTEM
#define GIVES_UP_AFTER PAWL_MS(100)
#else
#define GIVES_UP_AFTER PAWL_SEC(1000000)
#endif
enum way { CANCEL, CANCEL_TWICE, CANCEL_AGAIN_1, CANCEL_AGAIN_2, CANCEL_AGAIN_4, SHUTDOWN, FINISH, CANCEL_OTHER, WAYS = CANCEL_OTHER + OTHERS };

static const char *const names[] = { "cancelled", "cancelled twice", "cancelled again one iteration later", "cancelled again two later",
                                     "cancelled again four later", "shut down", "finished as it stands", "its newest task cancelled",
                                     "its newest but one cancelled", "its newest but two cancelled", "its newest but three cancelled" };

static size_t alive;

static void *allocate(void *context, size_t size)
{
    (void)context;
    alive++;
    return malloc(size);
}

static void release(void *context, void *memory)
{
    (void)context;
    alive--;
    free(memory);
}

static const struct pawl_allocator counting = { .allocate = allocate, .release = release };

/* Without a gap between its members, since it goes through a pipe. */
struct outcome {
    int early; /* it had ended before it was disturbed */
    int error, shutdown;
    int tasks, blocks; /* left after the shutdown */
    int leaked, crashed;
};

static void run_for(struct pawl_loop *loop, struct pawl_task *task, int iterations)
{
    for (int i = 0; i < iterations && !pawl_future_done(task); i++)
        if (pawl_loop_run_once(loop, true) != 0) return;
}

/* The newest task besides the main one, the one before that …; NULL when there are not so many. */
static struct pawl_task *other_task(struct pawl_loop *loop, const struct pawl_task *main_task, int number)
{
    struct pawl_task *others[PLACES];
    int count = 0;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(loop, task)) != NULL && count < PLACES;)
        if (task != main_task) others[count++] = task;
    return number < count ? others[count - 1 - number] : NULL;
}

/* Cancels what is to be cancelled, the main task or another one: was that before the end? */
static bool disturb(struct pawl_loop *loop, struct pawl_task *task, enum way way)
{
    static const int later[CANCEL_OTHER] = { [CANCEL_AGAIN_1] = 1, [CANCEL_AGAIN_2] = 2, [CANCEL_AGAIN_4] = 4 };
    if (way >= CANCEL_OTHER) {
        if (!pawl_future_done(task)) pawl_task_cancel(other_task(loop, task, (int)(way - CANCEL_OTHER)));
        return !pawl_future_done(task);
    }
    const bool in_time = pawl_task_cancel_because(task, "to see what happens");
    if (way == CANCEL_TWICE) pawl_task_cancel(task);
    if (later[way] > 0) {
        run_for(loop, task, later[way]);
        pawl_task_cancel(task);
    }
    return in_time;
}

static void give_up(void *task)
{
    pawl_task_cancel(task);
}

/* Without one of its tasks it may wait for ever. */
static int run_to_end(struct pawl_loop *loop, struct pawl_task *task, enum way way)
{
    struct pawl_handle late = { 0 };
    if (way >= CANCEL_OTHER) pawl_call_later(loop, &late, GIVES_UP_AFTER, give_up, task);
    const int error = pawl_loop_run_until_complete(loop, task);
    pawl_handle_cancel(&late);
    return error;
}

static struct outcome run_and_disturb(struct pawl_loop *loop, const void *frame, size_t size, enum way way, int after)
{
    struct outcome outcome = { 0 };
    struct pawl_task *const task = pawl_spawn_(frame, size, false);
    run_for(loop, task, after);
    if (way == FINISH || way == SHUTDOWN) {
        outcome.early = pawl_future_done(task);
    } else {
        outcome.early = !disturb(loop, task, way);
        outcome.error = run_to_end(loop, task, way);
    }
    if (way == FINISH) return outcome;
    outcome.shutdown = pawl_loop_shutdown(loop); /* before the release: other tasks may lie in its frame */
    for (struct pawl_task *left = NULL; (left = pawl_task_next(loop, left)) != NULL;) outcome.tasks++;
    pawl_task_release(task);
    return outcome;
}

static struct outcome run_on_a_fresh_loop(struct pawl_port *port, const void *frame, size_t size, enum way way, int after)
{
    struct outcome outcome = { .error = PAWL_EPENDING };
    struct pawl_loop loop;
    if (pawl_loop_init(&loop, port, &counting) != 0) return outcome;
    struct pawl_loop *const before = pawl_loop_use(&loop);
    outcome = run_and_disturb(&loop, frame, size, way, after);
    pawl_loop_use(before);
    pawl_loop_finish(&loop);
    return outcome;
}

#ifdef EXAMPLE_NEEDS_SYSTEM
static struct outcome run(const void *frame, size_t size, enum way way, int after)
{
    struct outcome outcome = { .error = PAWL_EPENDING };
    struct pawl_epoll epoll;
    if (pawl_epoll_init(&epoll) != 0) return outcome;
    outcome = run_on_a_fresh_loop(&epoll.base, frame, size, way, after);
    pawl_epoll_finish(&epoll);
    return outcome;
}
#else
static struct outcome run(const void *frame, size_t size, enum way way, int after)
{
    struct pawl_virtual clock;
    pawl_virtual_init(&clock);
    return run_on_a_fresh_loop(&clock.base, frame, size, way, after);
}
#endif

/* The lowest descriptor that is free: the same before and after, or one has leaked. */
static int lowest_free(void)
{
    const int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

/* ---- Processes ---- */

static void run_in_child(int pipe_end, const void *frame, size_t size, enum way way, int after)
{
    alarm(HANGS_AFTER);
    const int fd = lowest_free();
    struct outcome outcome = run(frame, size, way, after);
    outcome.blocks = (int)alive;
    outcome.leaked = lowest_free() != fd;
    const bool told = write(pipe_end, &outcome, sizeof outcome) == (ssize_t)sizeof outcome;
    exit(told ? EXIT_SUCCESS : EXIT_FAILURE); /* with exit, so that a leak checker has its turn */
}

static struct outcome run_in_process(const void *frame, size_t size, enum way way, int after)
{
    struct outcome outcome = { .crashed = true };
    int ends[2], status = 0;
    if (pipe(ends) != 0) return outcome;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) run_in_child(ends[1], frame, size, way, after);
    close(ends[1]);
    const bool told = read(ends[0], &outcome, sizeof outcome) == (ssize_t)sizeof outcome;
    close(ends[0]);
    outcome.crashed = waitpid(child, &status, 0) != child || !told || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS;
    return outcome;
}

/* ---- All of them ---- */

/* Without one of its tasks it may fail as it likes. */
static bool ended_well(const struct outcome *outcome, enum way way)
{
    return outcome->error == 0 || (!outcome->early && (way >= CANCEL_OTHER || outcome->error == PAWL_ECANCELLED));
}

static bool good(const struct outcome *outcome, enum way way, int after)
{
    if (!outcome->crashed && !outcome->leaked && outcome->shutdown == 0 && outcome->tasks == 0 && outcome->blocks == 0 &&
        ended_well(outcome, way))
        return true;
    fprintf(stderr, "%s after %d: error %d, shutdown %d, tasks %d, blocks %d, descriptor leaked: %d, crashed: %d\n", names[way], after,
            outcome->error, outcome->shutdown, outcome->tasks, outcome->blocks, outcome->leaked, outcome->crashed);
    return false;
}

static bool try_way(FILE *tap, const void *frame, size_t size, enum way way)
{
    struct outcome outcome = { 0 };
    bool all_good = true;
    int after = 0;
    for (; !outcome.early && !outcome.crashed && after < PLACES; after++) {
        outcome = run_in_process(frame, size, way, after);
        all_good = good(&outcome, way, after) && all_good;
    }
    if (!outcome.early) all_good = false;
    fprintf(tap, "%s %d - %s after each of %d iterations\n", all_good ? "ok" : "not ok", (int)way + 1, names[way], after - 1);
    return all_good;
}

int cancel_everywhere(const void *frame, size_t size)
{
    FILE *const tap = fdopen(dup(STDOUT_FILENO), "w");
    const int nowhere = open("/dev/null", O_WRONLY);
    if (tap == NULL || nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0) return EXIT_FAILURE;
    close(nowhere);

    bool all_good = true;
    for (enum way way = CANCEL; way < WAYS; way++) all_good = try_way(tap, frame, size, way) && all_good;
    fprintf(tap, "1..%d\n", (int)WAYS);
    fclose(tap);
    return all_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
