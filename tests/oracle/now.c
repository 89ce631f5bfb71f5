/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The statements that cannot wait: each does its work and returns what is to be told of it. */
#include "oracle.h"

static const char *number_text(unsigned number)
{
    static char text[16];
    snprintf(text, sizeof text, "%u", number);
    return text;
}

static const char *result_text(int error)
{
    return error == 0 ? "ok" : error_text(error);
}

static const char *mark(const struct statement *at)
{
    (void)at;
    return "here";
}

/* ---- Tasks and futures ---- */

enum { EAGER = 1, RELEASED = 2 };

static const char *spawn_it(const struct statement *at)
{
    const int k = number_at(at, 0), how = number_at(at, 1);
    struct pawl_task *const task = spawn(k, (how & EAGER) != 0);
    if (task == NULL) return "none";
    if (how & RELEASED) {
        world.tasks[k] = NULL;
        pawl_task_release(task);
    }
    return "new";
}

static const char *set(const struct statement *at)
{
    return result_text(pawl_future_set_result(&world.futures[number_at(at, 0)], number_at(at, 1)));
}

static const char *fail(const struct statement *at)
{
    return result_text(pawl_future_set_error(&world.futures[number_at(at, 0)], ITS_OWN_ERRORS - number_at(at, 1)));
}

static const char *cancel(const struct statement *at)
{
    struct pawl_future *const future = thing(&at->arguments[0]);
    return future == NULL ? "none" : (pawl_future_cancel)(future) ? "yes" : "no";
}

static const char *cancelme(const struct statement *at)
{
    struct pawl_task *const task = pawl_task_current();
    (void)at;
    return task == NULL ? "none" : pawl_task_cancel(task) ? "yes" : "no";
}

static const char *uncancel(const struct statement *at)
{
    struct pawl_task *const task = task_at(at, 0);
    return task == NULL ? "none" : number_text(pawl_task_uncancel(task));
}

static const char *cancelling(const struct statement *at)
{
    struct pawl_task *const task = task_at(at, 0);
    return task == NULL ? "none" : number_text(pawl_task_cancelling(task));
}

static const char *done(const struct statement *at)
{
    struct pawl_future *const future = thing(&at->arguments[0]);
    if (future == NULL) return "none";
    return (pawl_future_cancelled)(future) ? "cancelled" : (pawl_future_done)(future) ? "done" : "pending";
}

static const char *look(const struct statement *at)
{
    static char text[24];
    struct pawl_future *const future = thing(&at->arguments[0]);
    if (future == NULL) return "none";
    const int error = (pawl_future_error)(future);
    if (error != 0) return error_text(error);
    snprintf(text, sizeof text, "ok %d", value_of(&at->arguments[0]));
    return text;
}

static const char *name(const struct statement *at)
{
    struct pawl_task *const task = task_at(at, 0);
    return task == NULL ? "none" : pawl_future_done(task) ? "done" : pawl_task_name(task);
}

static const char *rename_it(const struct statement *at)
{
    static const char *const names[] = { "name0", "name1", "name2" };
    struct pawl_task *const task = task_at(at, 0);
    if (task == NULL) return "none";
    const int error = pawl_task_set_name(task, NULL, names[number_at(at, 1)]);
    return error == PAWL_EDONE ? "done" : result_text(error);
}

/* Gives this task another context, unless that is 0, and tells which one it has. */
static const char *context(const struct statement *at)
{
    struct pawl_task *const task = pawl_task_current();
    if (task == NULL) return "none";
    if (number_at(at, 0) > 0) pawl_task_set_context(task, &world.contexts[number_at(at, 0)].context);
    const struct context *const its = (struct context *)(void *)pawl_task_context(task);
    return number_text(its == NULL ? 0 : (unsigned)its->number);
}

/* ---- Callbacks ---- */

static void on_callback(void *argument)
{
    const struct callback *const callback = argument;
    say("runs");
    run_now(callback->block);
}

/* Puts the block in once the handle has been taken. */
static const char *armed(struct callback *callback, int error, const struct block *block)
{
    if (error == 0) callback->block = block;
    return error == PAWL_EBUSY ? "busy" : result_text(error);
}

static const char *soon(const struct statement *at)
{
    struct callback *const callback = &world.handles[number_at(at, 0)];
    return armed(callback, pawl_call_soon(&world.loop, &callback->handle, on_callback, callback), block_at(at, 1));
}

static const char *later(const struct statement *at)
{
    struct callback *const callback = &world.handles[number_at(at, 0)];
    return armed(callback, pawl_call_later(&world.loop, &callback->handle, number_at(at, 1), on_callback, callback), block_at(at, 2));
}

static const char *when(const struct statement *at)
{
    struct callback *const callback = &world.handles[number_at(at, 0)];
    struct pawl_future *const future = thing(&at->arguments[1]);
    if (future == NULL) return "none";
    return armed(callback, (pawl_future_add_callback)(future, &world.loop, &callback->handle, on_callback, callback), block_at(at, 2));
}

static const char *drop(const struct statement *at)
{
    return pawl_handle_cancel(&world.handles[number_at(at, 0)].handle) ? "yes" : "no";
}

const struct word words_now[] = {
    { "mark", mark, NULL }, { "raise", mark, NULL }, { "return", mark, NULL }, { "spawn", spawn_it, NULL }, { "set", set, NULL },
    { "fail", fail, NULL }, { "cancel", cancel, NULL }, { "cancelme", cancelme, NULL }, { "uncancel", uncancel, NULL },
    { "cancelling", cancelling, NULL }, { "done", done, NULL }, { "look", look, NULL }, { "name", name, NULL },
    { "rename", rename_it, NULL }, { "context", context, NULL }, { "soon", soon, NULL }, { "later", later, NULL }, { "when", when, NULL },
    { "drop", drop, NULL },
    { NULL, NULL, NULL },
};
