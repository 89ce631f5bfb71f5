/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Notes and contexts: what so few tasks have that it is not in all of them. A task's way to its loop leads through them.
 *
 *      home ──────────────────────────────► loop         most tasks
 *      home ──► context ──────────────────► loop         a context, shared with those that the task makes
 *      home ──► note (its context) ───────► loop         a name of its own, or the message of a cancellation
 */
#include "core.h"

static struct pawl_task_note *note_of(const struct pawl_task *task)
{
    if (!(task->awaitable.awaitable.flags & PAWL_FUTURE_NOTED)) return NULL;
    return (struct pawl_task_note *)(void *)pawl_home_context_(&task->awaitable);
}

/* The loop itself, or what leads to it. */
static struct pawl_loop *home_through(struct pawl_loop *loop, struct pawl_context *context)
{
    return context == NULL ? loop : (struct pawl_loop *)((uintptr_t)context | 1);
}

struct pawl_loop *home_of_child(const struct pawl_task *task)
{
    return home_through(pawl_task_loop(task), pawl_task_context(task));
}

/* The note that the task has, or one in `storage`, or one from the loop's allocator. */
static struct pawl_task_note *note_make(struct pawl_task *task, struct pawl_task_note *storage)
{
    struct pawl_loop *const loop = pawl_task_loop(task);
    struct pawl_task_note *const note = note_of(task);
    const bool allocated = storage == NULL;
    if (note != NULL) return note;
    if (allocated && loop->allocator) storage = loop->allocator->allocate(loop->allocator->context, sizeof *storage);
    if (storage == NULL) return NULL;
    *storage = (struct pawl_task_note){ .way.loop = loop, .context = pawl_task_context(task), .allocated = allocated };
    task->awaitable.home = home_through(loop, &storage->way);
    set_flags(&task->awaitable.awaitable, PAWL_FUTURE_NOTED);
    return storage;
}

void note_forget(struct pawl_task *task)
{
    struct pawl_loop *const loop = pawl_task_loop(task);
    struct pawl_task_note *const note = note_of(task);
    task->awaitable.home = home_through(loop, note->context);
    clear_flags(&task->awaitable.awaitable, PAWL_FUTURE_NOTED);
    if (note->allocated) loop->allocator->release(loop->allocator->context, note);
}

/* One in storage of the caller's is not looked at after the end of the task. */
void note_end(struct pawl_task *task)
{
    if (!note_of(task)->allocated) note_forget(task);
}

void leave_context(struct pawl_task *task)
{
    struct pawl_task_note *const note = note_of(task);
    if (note != NULL) note->context = NULL;
    else task->awaitable.home = pawl_task_loop(task);
}

int pawl_task_set_context(struct pawl_task *task, struct pawl_context *context)
{
    if (task == NULL || !(task->awaitable.awaitable.flags & PAWL_FUTURE_TASK)) return PAWL_EINVAL;
    if (task->awaitable.awaitable.flags & PAWL_FUTURE_DONE) return PAWL_EDONE;
    struct pawl_loop *const loop = pawl_task_loop(task);
    struct pawl_task_note *const note = note_of(task);
    if (context != NULL) context->loop = loop;
    if (note != NULL) note->context = context;
    else task->awaitable.home = home_through(loop, context);
    return 0;
}

const char *pawl_task_name(struct pawl_task *task)
{
    const struct pawl_task_note *const note = note_of(task);
    return note != NULL && note->name != NULL ? note->name : pawl_coro_name(root_of(task));
}

int pawl_task_set_name(struct pawl_task *task, struct pawl_task_note *storage, const char *name)
{
    if (task == NULL || !(task->awaitable.awaitable.flags & PAWL_FUTURE_TASK)) return PAWL_EINVAL;
    if (task->awaitable.awaitable.flags & PAWL_FUTURE_DONE) return PAWL_EDONE;
    struct pawl_task_note *const note = note_make(task, storage);
    if (note == NULL) return PAWL_ENOMEM;
    note->name = name;
    return 0;
}

void note_message(struct pawl_task *task, const char *message)
{
    struct pawl_task_note *const note = message != NULL ? note_make(task, NULL) : note_of(task);
    if (note != NULL) note->message = message;
}

const char *pawl_task_cancel_message(const struct pawl_task *task)
{
    const struct pawl_task_note *const note = note_of(task);
    return note != NULL ? note->message : NULL;
}
