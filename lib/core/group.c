/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Task groups. Each child has a callback that is told of its end; leaving the block waits for the last of them. The group asks
 * for the cancellation of its own task at most once, and takes that back when the block is left: that is how it tells
 * "a child failed" from "somebody cancels us", by the count of requests.
 *
 *      open ──► aborting        a child failed, the block failed, or the task was cancelled: children are cancelled, none are taken
 *        │         │
 *        └─────────┴──► left    no child is left
 */
#include "core.h"

#include <pawl/group.h>

/* ---- Children ---- */

static struct pawl_member *member_of(struct pawl_link *link)
{
    return (struct pawl_member *)(void *)((char *)link - offsetof(struct pawl_member, link));
}

/* The member of a child that the group owns stands behind its frame. */
static size_t member_offset(size_t frame_size)
{
    return (frame_size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
}

static void abort_members(struct pawl_group *group)
{
    group->aborting = true;
    struct pawl_link *link = group->members;
    if (link == NULL) return;
    do {
        pawl_task_cancel(member_of(link)->task);
        link = link->next;
    } while (link != group->members);
}

/* The first failure cancels the block, unless that has ended by itself. */
static void ask_parent(struct pawl_group *group)
{
    if (group->aborting || group->asked) return;
    abort_members(group);
    group->asked = true;
    pawl_task_cancel(group->parent);
}

static void note_failure(struct pawl_group *group, struct pawl_task *parent, const struct pawl_failure *failure)
{
    const bool raised = group->failed == 0;
    if (raised) group->error = (int16_t)failure->error;
    if (group->failed < group->room) group->failures[group->failed] = *failure;
    else if (!raised) pawl_loop_report(pawl_task_loop(parent), failure);
    group->failed++;
}

static void child_failed(struct pawl_group *group, struct pawl_task *task, int error)
{
    const struct pawl_failure failure = {
        .name = pawl_task_name(task), .where = pawl_coro_where(root_of(task)), .error = error, .message = "failed in a group with others"
    };
    note_failure(group, group->parent, &failure);
    ask_parent(group);
}

static void remove_member(struct pawl_group *group, struct pawl_member *member)
{
    ring_remove(&group->members, &member->link);
    member->group = NULL;
}

static void child_done(void *argument)
{
    struct pawl_member *const member = argument;
    struct pawl_group *const group = member->group;
    struct pawl_task *const task = member->task;
    const int error = (pawl_future_error)(&task->awaitable.awaitable);
    remove_member(group, member);
    if (group->members == NULL && group->exiting && !(group->ended.flags & PAWL_FUTURE_DONE)) future_complete(&group->ended, 0);
    if (error != 0 && error != PAWL_ECANCELLED) child_failed(group, task, error);
    if (member->owned) pawl_task_release(task);
}

/* ---- Making them ---- */

static int refusal(const struct pawl_group *group)
{
    if (group == NULL || group->parent == NULL) return PAWL_EINVAL;
    return group->aborting || (group->exiting && group->members == NULL) ? PAWL_ECLOSED : 0;
}

static int join(struct pawl_group *group, struct pawl_member *member, struct pawl_task *task)
{
    member->group = group;
    member->task = task;
    const int error = (pawl_future_add_callback)(&task->awaitable.awaitable, pawl_task_loop(task), &member->handle, child_done, member);
    if (error == 0) ring_append(&group->members, &member->link);
    return error;
}

int pawl_group_add(struct pawl_group *group, struct pawl_member *member, struct pawl_task *task)
{
    int error = refusal(group);
    if (error == 0 && (member == NULL || task == NULL || task == group->parent)) error = PAWL_EINVAL;
    if (error == 0 && pawl_task_loop(task) != pawl_task_loop(group->parent)) error = PAWL_EINVAL;
    if (error == 0 && pawl_handle_pending(&member->handle)) error = PAWL_EBUSY;
    if (error == 0) {
        *member = (struct pawl_member){ 0 };
        error = join(group, member, task);
    }
    if (error != 0 && task != NULL && (group == NULL || task != group->parent)) task_refuse(task);
    return error;
}

struct pawl_task *pawl_group_allocate_(struct pawl_group *group, size_t frame_size)
{
    if (refusal(group) != 0) return NULL;
    struct pawl_task *const task = pawl_task_allocate_(member_offset(frame_size) + sizeof(struct pawl_member));
    if (task == NULL) {
        const struct pawl_failure failure = { .name = "child", .error = PAWL_ENOMEM, .message = "could not be made" };
        note_failure(group, group->parent, &failure);
        ask_parent(group);
    }
    return task;
}

struct pawl_task *pawl_group_begin_(struct pawl_group *group, struct pawl_task *task, size_t frame_size, bool eager)
{
    if (task == NULL) return NULL;
    struct pawl_member *const member = (struct pawl_member *)(void *)((char *)(task + 1) + member_offset(frame_size));
    *member = (struct pawl_member){ .owned = true };
    pawl_task_begin_(task, PAWL_FUTURE_HEAP | PAWL_FUTURE_OWNED, eager);
    join(group, member, task);
    if (group->aborting) pawl_task_cancel(task); /* it did so itself, in its first step */
    return task;
}

bool pawl_group_cancel(struct pawl_group *group)
{
    if (group == NULL || group->parent == NULL || group->aborting) return false;
    if (group->exiting) abort_members(group);
    else ask_parent(group);
    return true;
}

/* ---- Leaving ---- */

/* Nothing runs any more: the children lose their group. */
static void abandon(struct pawl_group *group)
{
    while (group->members != NULL) {
        struct pawl_member *const member = member_of(group->members);
        remove_member(group, member);
        pawl_handle_cancel(&member->handle);
        if (member->owned) pawl_task_release(member->task);
        else task_drop_static(member->task);
    }
}

static struct pawl_coro *wait_for_members(struct pawl_group *group, struct pawl_coro *root)
{
    group->ended = (struct pawl_future){ 0 };
    group->scope.point = 1;
    return pawl_leaf_await(&group->scope, root, &group->ended);
}

/* What goes on: the first error; or the cancellation, unless that was the group's own. */
static int group_outcome(struct pawl_group *group)
{
    struct pawl_task *const parent = group->parent;
    const int body = group->body;
    group->parent = NULL;
    const bool nobody_else = group->asked && take_request_back(parent, group->cancelling, group->pending);
    if (group->failed == 0 && body == PAWL_ECANCELLED) return nobody_else ? 0 : body;
    if (group->failed == 0 && body == 0) return 0;
    if (pawl_task_cancelling(parent) > 0) { /* somebody wants it to end, and is to be heard behind the error */
        pawl_task_uncancel(parent);
        pawl_task_cancel(parent);
    }
    if (group->failed == 0) return body;
    if (body != 0 && body != PAWL_ECANCELLED) {
        const struct pawl_failure failure = { .name = "block", .error = body, .message = "failed in a group with others" };
        note_failure(group, parent, &failure);
    }
    return group->error;
}

/* The block is left with `error`: what is still at work is told to end, if there was one. */
static void begin_to_leave(struct pawl_group *group, int error)
{
    group->exiting = true;
    group->body = (int16_t)error;
    if (error != 0 && !group->aborting) abort_members(group);
}

PAWL_LEAF(pawl_group)
{
    PAWL_LEAF_BEGIN(pawl_group);
    struct pawl_group *const self = (struct pawl_group *)(void *)co;
    if (co->point == 0) {
        self->parent = pawl_leaf_task(root);
        if (self->parent == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
        self->cancelling = (uint8_t)pawl_task_cancelling(self->parent);
        self->pending = request_pending(self->parent);
        return pawl_leaf_done(co, 0);
    }
    if (co->point == PAWL_POINT_EXIT) {
        error = pawl_scope_error(co);
        begin_to_leave(self, error);
    } else if (error == PAWL_ECANCELLED) {
        if (self->body == 0) self->body = PAWL_ECANCELLED;
        if (!self->aborting) abort_members(self);
    }
    if (error == PAWL_EEXIT) abandon(self);
    return self->members != NULL ? wait_for_members(self, root) : pawl_leaf_done(co, group_outcome(self));
}
