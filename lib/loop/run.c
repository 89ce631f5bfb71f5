/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A runner is an epoll loop for one main task after the other, and pawl_run is one for one. SIGINT is turned into a
 * cancellation of that task: the signal handler sends a handle to the loop (the inbox and the wake are made for that), and
 * with SA_RESETHAND the next one kills.
 */
#define _GNU_SOURCE
#include "../core/core.h"

#include <pawl/epoll.h>
#include <pawl/run.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* With a sanitizer each task is given back at once, so that it sees who uses one afterwards. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER
#endif
#ifdef ADDRESS_SANITIZER
enum { KEEP = 0 };
#else
enum { KEEP = 64 };
#endif

const struct pawl_allocator pawl_allocator_malloc = { .allocate = allocate, .release = release, .keep = KEEP };

static const char unknown[] = "unknown error";

const char *pawl_strerror(int error)
{
    const char *text = pawl_error_text(error);
    if (text == NULL && error < 0 && error != INT_MIN) text = strerrordesc_np(-error);
    return text != NULL ? text : unknown;
}

/* One line; an error that nobody has words for is told by its number. */
static void tell(const char *what, const char *where, int error)
{
    const char *const text = pawl_strerror(error);
    fprintf(stderr, "pawl: %s: %s", what, text);
    if (text == unknown) fprintf(stderr, " %d", error);
    if (where != NULL) fprintf(stderr, " (raised at %s)", where);
    fputc('\n', stderr);
}

void pawl_report_stderr(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    char what[128];
    (void)loop;
    snprintf(what, sizeof what, "'%s' %s", failure->name, failure->message != NULL ? failure->message : "failed");
    tell(what, failure->where, failure->error);
}

/* ---- Ctrl-C ---- */

static struct {
    struct pawl_loop *loop;
    struct pawl_task *task;
    struct pawl_handle handle;
    bool came, late, taken; /* late: the task had ended before it was told */
} interrupt; /* of the thread that runs the first pawl_run */

static void cancel_main(void *argument)
{
    (void)argument;
    interrupt.late = !pawl_task_cancel(interrupt.task);
}

static void on_sigint(int number)
{
    (void)number;
    __atomic_store_n(&interrupt.came, true, __ATOMIC_RELAXED);
    pawl_call_soon_threadsafe(interrupt.loop, &interrupt.handle, cancel_main, NULL);
}

/* Takes SIGINT over if nobody else has it; returns whether it did. */
static bool watch_interrupt(struct pawl_loop *loop, struct pawl_task *task)
{
    struct sigaction before, action = { .sa_handler = on_sigint, .sa_flags = (int)SA_RESETHAND };
    if (__atomic_exchange_n(&interrupt.taken, true, __ATOMIC_ACQUIRE)) return false;
    interrupt.loop = loop;
    interrupt.task = task;
    interrupt.came = interrupt.late = false;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler == SIG_DFL && sigaction(SIGINT, &action, NULL) == 0) return true;
    __atomic_store_n(&interrupt.taken, false, __ATOMIC_RELEASE);
    return false;
}

enum came { NONE_CAME, CAME, CAME_TOO_LATE };

/* Back to what it was, unless somebody else has taken it over meanwhile. Returns whether one came, and whether the task was told. */
static enum came unwatch_interrupt(void)
{
    const struct sigaction normal = { .sa_handler = SIG_DFL };
    struct sigaction now;
    if (sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == on_sigint) sigaction(SIGINT, &normal, NULL);
    struct pawl_loop *const outer = pawl_loop_use(interrupt.loop); /* one may be on its way to this loop */
    const bool late = pawl_handle_cancel(&interrupt.handle) || interrupt.late;
    pawl_loop_use(outer);
    const bool came = __atomic_load_n(&interrupt.came, __ATOMIC_RELAXED);
    __atomic_store_n(&interrupt.taken, false, __ATOMIC_RELEASE);
    return late ? CAME_TOO_LATE : came ? CAME : NONE_CAME;
}

static int say(const char *what, const char *where, int error)
{
    tell(what, where, error);
    return EXIT_FAILURE;
}

/* ---- Runner ---- */

int pawl_runner_init(struct pawl_runner *runner, struct pawl_port *port)
{
    if (runner == NULL) return PAWL_EINVAL;
    *runner = (struct pawl_runner){ .own_port = port == NULL };
    if (port == NULL) {
        const int error = pawl_epoll_init(&runner->epoll);
        if (error != 0) return error;
        port = &runner->epoll.base;
    }
    const int error = pawl_loop_init(&runner->loop, port, &pawl_allocator_malloc);
    if (error != 0) return error;
    pawl_loop_set_report(&runner->loop, pawl_report_stderr);
    return 0;
}

/* Runs the loop until the main task has ended; one that has not when the run is over (it was stopped, or nothing can run any
 * more) is cancelled, and closed if that is not enough, since its memory goes. */
static int run_to_the_end(struct pawl_loop *loop, struct pawl_task *task)
{
    const int error = pawl_loop_run_until_complete(loop, task);
    if (pawl_future_done(task)) return error;
    pawl_task_cancel(task);
    pawl_loop_run_until_complete(loop, task);
    struct pawl_loop *const outer = pawl_loop_use(loop);
    task_drop(task);
    pawl_loop_use(outer);
    return error;
}

/* Ctrl-C is told as such when nobody else asked for the end, and when it came too late to be told to the task. */
int pawl_runner_run_(struct pawl_runner *runner, struct pawl_task *task)
{
    struct pawl_loop *const loop = &runner->loop;
    if (loop->port == NULL) return PAWL_EINVAL;
    if (pawl_loop_current() != NULL && pawl_loop_current()->running) return PAWL_EBUSY;
    struct pawl_loop *const outer = pawl_loop_use(loop);
    const bool idle = pawl_task_idle_(task);
    if (idle) pawl_task_begin_(task, 0, false);
    pawl_loop_use(outer);
    if (!idle) return PAWL_EBUSY;

    const bool watching = watch_interrupt(loop, task);
    const int error = run_to_the_end(loop, task);
    const enum came came = watching ? unwatch_interrupt() : NONE_CAME;
    const bool ended_it = came == CAME && error == PAWL_ECANCELLED && pawl_task_uncancel(task) == 0;
    return ended_it || (came == CAME_TOO_LATE && error == 0) ? PAWL_EINTERRUPTED : error;
}

int pawl_runner_finish(struct pawl_runner *runner)
{
    if (runner == NULL || runner->loop.port == NULL) return 0;
    if (runner->loop.running) return PAWL_EBUSY;
    const int error = pawl_loop_shutdown(&runner->loop);
    pawl_loop_finish(&runner->loop);
    if (runner->own_port) pawl_epoll_finish(&runner->epoll);
    return error;
}

/* ---- Run ---- */

/* The exit status of a main task. */
static int status_of(struct pawl_task *task, const int *result, int error, int left)
{
    if (error == PAWL_EINTERRUPTED) return 130;
    if (error != 0) return say(pawl_task_name(task), pawl_coro_where(pawl_root_of_(task)), error);
    if (left != 0) return say("shutdown", NULL, left);
    return result != NULL ? *result : EXIT_SUCCESS;
}

int pawl_run_(struct pawl_task *task, const int *result)
{
    struct pawl_runner runner;
    int error = pawl_runner_init(&runner, NULL);
    if (error == 0 && pawl_loop_current() != NULL && pawl_loop_current()->running) {
        pawl_runner_finish(&runner);
        error = PAWL_EBUSY;
    }
    if (error != 0) return say("no event loop", NULL, error);
    error = pawl_runner_run_(&runner, task);
    return status_of(task, result, error, pawl_runner_finish(&runner));
}
