/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Task groups: children that all have ended when the block is left (structured concurrency, asyncio.TaskGroup).
 *
 *      TRY {
 *          WITH(self->group, pawl_group()) {                        struct pawl_group group; in the frame
 *              pawl_group_spawn(&self->group, CORO(worker, .n = 1));
 *              pawl_group_spawn(&self->group, CORO(worker, .n = 2));
 *          } END_WITH;                                              waits for both
 *      } CATCH_ERROR {
 *          … CAUGHT() is the first error; self->group.failed says how many there were
 *      } END_TRY;
 *
 * The first child that fails cancels the others and the block; END_WITH raises its error when all have ended. An error of the
 * block does the same, and is raised itself unless a child fails too: the block's stands last. A child that is merely cancelled fails nobody. A
 * cancellation of the task that comes from outside cancels the children, and goes on afterwards, behind their errors.
 *
 * Every child's error can be read: give the group room for failures (pawl_group_keeping), or look at tasks that you hold
 * yourself. What finds no room, and is not the one that is raised, is told to the loop's report.
 */
#ifndef PAWL_GROUP_H
#define PAWL_GROUP_H

#include "scope.h"

PAWL_BEGIN_C

struct pawl_group;

/** A child of a group, in memory of yours: it must stay until the child has ended. Zeroed. */
struct pawl_member {
    struct pawl_handle handle;
    struct pawl_link link;
    struct pawl_group *group;
    struct pawl_task *task;
    bool owned; /* the group's own: behind the frame of a heap task */
};

/** The frame of pawl_group. */
struct pawl_group {
    PAWL_ONLY_SCOPE_;
    struct pawl_task *parent;
    struct pawl_future ended;
    struct pawl_link *members;
    struct pawl_failure *failures;
    size_t room;
    size_t failed; /* how many children have failed; the first `room` of them are in `failures` */
    int16_t error; /* of the first that failed */
    int16_t body;  /* what the block ended with */
    uint8_t cancelling; /* requests when the block began */
    bool pending, exiting, aborting, asked;
};

PAWL_API pawl_resume_fn pawl_group_resume;

/** WITH(self->group, pawl_group()): a group around a block. Raises PAWL_EINVAL when no task runs it. */
PAWL_INLINE PAWL_MUST_USE struct pawl_group pawl_group(void)
{
    struct pawl_group frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.scope = pawl_coro_init_(pawl_group_resume);
    return frame;
}

/** The same, with room for failures: each child that fails is noted in `failures[0..room)` with its name, its error and where
 *  that was raised, in their order. The names are borrowed from the tasks. The array must stay until the end of the block. */
PAWL_INLINE PAWL_MUST_USE struct pawl_group pawl_group_keeping(struct pawl_failure *failures, size_t room)
{
    struct pawl_group frame = pawl_group();
    frame.failures = failures;
    frame.room = room;
    return frame;
}

PAWL_API struct pawl_task *pawl_group_allocate_(struct pawl_group *group, size_t frame_size);
PAWL_API struct pawl_task *pawl_group_begin_(struct pawl_group *group, struct pawl_task *task, size_t frame_size, bool eager);

/** pawl_group_spawn(group, call): makes a child of the coroutine that `call` makes, on the heap of the running loop; pawl_group_
 *  spawn_eager runs it at once up to its first suspension. The group owns it: it is freed when it has ended, and the pointer
 *  that this returns is good until then (to name it, or to cancel it). NULL, and nothing has run: no memory (the group fails with
 *  PAWL_ENOMEM then, as if the child had), the group was not entered, it is being aborted, or it is left and its last child has
 *  ended. */
#if defined(__cplusplus)
PAWL_END_C
template <class F> PAWL_INLINE struct pawl_task *pawl_group_spawn_(struct pawl_group *group, const F &frame, bool eager)
{
    static_assert(!pawl_pointer_<F>::yes, "pawl_group_spawn takes a frame by value: CORO(name), not a pointer");
    static_assert(alignof(F) <= 16, "a frame's alignment is that of malloc");
    struct pawl_task *const task = pawl_group_allocate_(group, sizeof frame);
    if (task) *(F *)(void *)(task + 1) = frame;
    return pawl_group_begin_(group, task, sizeof frame, eager);
}
PAWL_BEGIN_C
#define pawl_group_spawn(group, ...) pawl_group_spawn_((group), __VA_ARGS__, false)
#define pawl_group_spawn_eager(group, ...) pawl_group_spawn_((group), __VA_ARGS__, true)
#else
#define PAWL_GROUP_SPAWN_(whose, task, eager, ...) (__extension__ ({ \
    PAWL_ASSERT_CALL_(PAWL_IS_STRUCT_(__VA_ARGS__), "pawl_group_spawn takes a frame by value: CORO(name), not a pointer"); \
    struct pawl_group *const PAWL_CAT(task, group_) = (whose); \
    struct pawl_task *const task = pawl_group_allocate_(PAWL_CAT(task, group_), sizeof(__VA_ARGS__)); \
    if (PAWL_LIKELY(task != NULL)) *(__typeof__((void)0, __VA_ARGS__) *)(void *)(task + 1) = __VA_ARGS__; \
    pawl_group_begin_(PAWL_CAT(task, group_), task, sizeof(__VA_ARGS__), eager); \
}))
#define pawl_group_spawn(group, ...) PAWL_GROUP_SPAWN_(group, PAWL_CAT(pawl_new_, __COUNTER__), false, __VA_ARGS__)
#define pawl_group_spawn_eager(group, ...) PAWL_GROUP_SPAWN_(group, PAWL_CAT(pawl_new_, __COUNTER__), true, __VA_ARGS__)
#endif

/** Takes a task that was just made (pawl_start in static memory, pawl_spawn) in as a child: pawl_group_add(&self->group,
 *  &self->members[i], pawl_start(&self->workers[i], CORO(worker))). Who owns a heap task goes on owning it, and its outcome can be
 *  read after the block; it must not be released before. 0; otherwise the task is cancelled, and does not begin (one in memory of yours has ended then): PAWL_EINVAL for a NULL, without a block, or
 *  for the task of the block itself; PAWL_EBUSY when the member is in use; PAWL_ECLOSED when the group is being aborted, or is
 *  left and its last child has ended. */
PAWL_API int pawl_group_add(struct pawl_group *group, struct pawl_member *member, struct pawl_task *task);

/** Cancels all children, and the block if it still runs; the task goes on behind END_WITH. True; false when the group is not
 *  entered, or is aborted already. */
PAWL_API bool pawl_group_cancel(struct pawl_group *group);

PAWL_END_C

#endif
