/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Runs a main coroutine on a loop of its own, cancels it after 0, 1, 2 … iterations until it ends before that, and prints
 * TAP, a line for each place. However far it came, it must end, with success or as cancelled; all other tasks must end
 * with it; and no memory and no descriptor may be left. What the example itself prints is not looked at.
 */
#include "cancel_everywhere.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

struct outcome {
    bool early; /* it had ended before it was cancelled */
    int error, shutdown;
    int tasks; /* left after the shutdown */
};

static struct outcome run_and_cancel(struct pawl_loop *loop, const void *frame, size_t size, int after)
{
    struct outcome outcome = { .early = false };
    struct pawl_task *const task = pawl_spawn_(frame, size, false);
    for (int i = 0; i < after && !pawl_future_done(task); i++) pawl_loop_run_once(loop, true);
    outcome.early = !pawl_task_cancel(task);
    outcome.error = pawl_loop_run_until_complete(loop, task);
    outcome.shutdown = pawl_loop_shutdown(loop); /* before the release: other tasks may lie in its frame */
    for (struct pawl_task *left = NULL; (left = pawl_task_next(loop, left)) != NULL;) outcome.tasks++;
    pawl_task_release(task);
    return outcome;
}

static struct outcome run_on_a_fresh_loop(const void *frame, size_t size, int after)
{
    struct outcome outcome = { .error = PAWL_EPENDING };
    struct pawl_epoll epoll;
    struct pawl_loop loop;
    if (pawl_epoll_init(&epoll) != 0 || pawl_loop_init(&loop, &epoll.base, &counting) != 0) return outcome;
    struct pawl_loop *const before = pawl_loop_use(&loop);
    outcome = run_and_cancel(&loop, frame, size, after);
    pawl_loop_use(before);
    pawl_loop_finish(&loop);
    pawl_epoll_finish(&epoll);
    return outcome;
}

/* The lowest descriptor that is free: the same before and after, or one has leaked. */
static int lowest_free(void)
{
    const int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static bool report(FILE *tap, const struct outcome *outcome, int after, bool leaked)
{
    const bool good = (outcome->error == 0 || (!outcome->early && outcome->error == PAWL_ECANCELLED)) &&
                      outcome->shutdown == 0 && outcome->tasks == 0 && alive == 0 && !leaked;
    fprintf(tap, "%s %d - %s after %d iterations: %s\n", good ? "ok" : "not ok", after + 1,
            outcome->early ? "ended by itself" : "cancelled", after, pawl_strerror(outcome->error));
    if (!good)
        fprintf(stderr, "after %d: error %d, shutdown %d, tasks %d, blocks %zu, descriptor leaked: %d\n", after, outcome->error,
                outcome->shutdown, outcome->tasks, alive, leaked);
    return good;
}

int cancel_everywhere(const void *frame, size_t size)
{
    FILE *const tap = fdopen(dup(STDOUT_FILENO), "w");
    const int nowhere = open("/dev/null", O_WRONLY);
    if (tap == NULL || nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0) return EXIT_FAILURE;
    close(nowhere);

    struct outcome outcome = { .early = false };
    bool good = true;
    int after = 0;
    for (; !outcome.early && after < 1000; after++) {
        const int fd = lowest_free();
        outcome = run_on_a_fresh_loop(frame, size, after);
        good = report(tap, &outcome, after, lowest_free() != fd) && good;
    }
    fprintf(tap, "1..%d\n", after);
    fclose(tap);
    return good && outcome.early ? EXIT_SUCCESS : EXIT_FAILURE;
}
