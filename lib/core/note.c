/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Notes: what so few tasks have that it is not in all of them, a name of their own and the message of a cancellation. A flag
 * of the task says that its loop has one.
 */
#include "core.h"

static struct pawl_task_note *note_of(const struct pawl_task *task)
{
    if (!(task->awaitable.awaitable.flags & PAWL_FUTURE_NOTED)) return NULL;
    struct pawl_task_note *note = pawl_task_loop(task)->notes;
    while (note->task != task) note = note->next;
    return note;
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
    *storage = (struct pawl_task_note){ .next = loop->notes, .task = task, .allocated = allocated };
    loop->notes = storage;
    set_flags(&task->awaitable.awaitable, PAWL_FUTURE_NOTED);
    return storage;
}

void note_forget(struct pawl_task *task)
{
    struct pawl_loop *const loop = pawl_task_loop(task);
    struct pawl_task_note *const note = note_of(task), **at = &loop->notes;
    while (*at != note) at = &(*at)->next;
    *at = note->next;
    if (note->allocated) loop->allocator->release(loop->allocator->context, note);
    clear_flags(&task->awaitable.awaitable, PAWL_FUTURE_NOTED);
}

/* One in storage of the caller's is not looked at after the end of the task. */
void note_end(struct pawl_task *task)
{
    if (!note_of(task)->allocated) note_forget(task);
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
