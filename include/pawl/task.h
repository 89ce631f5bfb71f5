/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Tasks: a coroutine that a loop runs, and the future of its end.
 *
 *      self->a = pawl_spawn(CORO(worker, .n = 1));          on the heap; freed when it has ended and was released
 *      AWAIT(self->a); … pawl_task_frame(worker, self->a)->result
 *      pawl_task_release(self->a);
 *
 *      static TASK(worker) pool[4];                          in memory of one's own
 *      pawl_start(&pool[i], CORO(worker, .n = i));
 *      AWAIT(&pool[i]); … pool[i].frame.result
 *
 * The model is asyncio.Task's. A task starts in the next iteration (or at once, *_eager); its errors stay inside until
 * somebody awaits it or looks; one that nobody looked at is reported when the task is freed or finished.
 *
 * Hazard: what `call` points to must live as long as the task: a compound literal such as (int[]){ 1, 2 } among its arguments is
 * gone when pawl_spawn or pawl_start returns.
 */
#ifndef PAWL_TASK_H
#define PAWL_TASK_H

#include "async.h"
#include "loop.h"

PAWL_BEGIN_C

/** TASK(name): a task and the frame of the coroutine `name`, for memory of one's own. Zeroed before its first start. */
#define PAWL_TASK(name) struct { struct pawl_task awaitable; struct name frame; }

/* Allocates a task with room for a frame; NULL without a running loop, an allocator, or memory. */
PAWL_API struct pawl_task *pawl_task_allocate_(size_t frame_size);
/* Puts a task whose frame is in place to work on its loop. */
PAWL_API struct pawl_task *pawl_task_begin_(struct pawl_task *task, unsigned flags, bool eager);
/* Readies a task in the caller's memory for the current loop; false: it is at work, or there is no loop. */
PAWL_API bool pawl_task_idle_(struct pawl_task *task);

PAWL_INLINE PAWL_MUST_USE struct pawl_task *pawl_spawn_(const void *frame, size_t size, bool eager)
{
    struct pawl_task *const task = pawl_task_allocate_(size);
    if (PAWL_UNLIKELY(task == NULL)) return NULL;
    __builtin_memcpy((void *)(task + 1), frame, size);
    return pawl_task_begin_(task, PAWL_FUTURE_HEAP | PAWL_FUTURE_OWNED, eager);
}

/** pawl_spawn(call): makes a task of the coroutine that `call` makes, on the heap of the running loop. Its first step
 *  runs in the next iteration; pawl_spawn_eager runs it at once up to its first suspension (the current task is right
 *  meanwhile). The caller owns the task together with its run: it is freed when it has ended and pawl_task_release was
 *  called, whichever is later. NULL: no memory, no allocator, or no loop runs in this thread; nothing has run then.
 *  pawl_start(slot, call), pawl_start_eager(slot, call): the same in *slot, a TASK(name), which must be zeroed or have
 *  ended; NULL when it is still at work, or somebody waits for it already. The slot must stay until the task has ended. */
#if defined(__cplusplus)
PAWL_END_C
template <class F> PAWL_INLINE PAWL_MUST_USE struct pawl_task *pawl_spawn_frame_(const F &frame, bool eager)
{
    static_assert(!pawl_pointer_<F>::yes, "pawl_spawn takes a frame by value: CORO(name), not a pointer");
    static_assert(alignof(F) <= 16, "a frame's alignment is that of malloc");
    return pawl_spawn_(&frame, sizeof frame, eager);
}
template <class S, class F> PAWL_INLINE struct pawl_task *pawl_start_frame_(S *slot, const F &frame, bool eager)
{
    static_assert(offsetof(S, frame) == sizeof(struct pawl_task), "the frame stands right behind its task");
    if (!pawl_task_idle_(&slot->awaitable)) return NULL;
    slot->frame = frame;
    return pawl_task_begin_(&slot->awaitable, 0, eager);
}
PAWL_BEGIN_C
#define pawl_spawn(...) pawl_spawn_frame_(__VA_ARGS__, false)
#define pawl_spawn_eager(...) pawl_spawn_frame_(__VA_ARGS__, true)
#define pawl_start(slot, ...) pawl_start_frame_((slot), __VA_ARGS__, false)
#define pawl_start_eager(slot, ...) pawl_start_frame_((slot), __VA_ARGS__, true)
#else
/* An array of one frame, made by the call, as a pointer. */
#define PAWL_TEMPORARY_(...) ((const __typeof__(__VA_ARGS__)[1]){ __VA_ARGS__ })
/* The frame is made where it will live: to copy what was stored a moment ago costs more than to make it. */
#define PAWL_SPAWN_(task, eager, ...) pawl_spawned_(__extension__ ({ \
    PAWL_ASSERT_CALL_(PAWL_IS_STRUCT_(__VA_ARGS__), "pawl_spawn takes a frame by value: CORO(name), not a pointer"); \
    struct pawl_task *const task = pawl_task_allocate_(sizeof(__VA_ARGS__)); \
    if (PAWL_LIKELY(task != NULL)) *(__typeof__((void)0, __VA_ARGS__) *)(void *)(task + 1) = __VA_ARGS__; \
    task; \
}), eager)
PAWL_INLINE PAWL_MUST_USE struct pawl_task *pawl_spawned_(struct pawl_task *task, bool eager)
{
    return PAWL_LIKELY(task != NULL) ? pawl_task_begin_(task, PAWL_FUTURE_HEAP | PAWL_FUTURE_OWNED, eager) : NULL;
}
#define pawl_spawn(...) PAWL_SPAWN_(PAWL_CAT(pawl_new_, __COUNTER__), false, __VA_ARGS__)
#define pawl_spawn_eager(...) PAWL_SPAWN_(PAWL_CAT(pawl_new_, __COUNTER__), true, __VA_ARGS__)
#define PAWL_START_(slot, eager, ...) (__extension__ ({ \
    PAWL_ASSERT_CALL_(PAWL_SAME_TYPE((slot)->frame, __VA_ARGS__), "pawl_start(slot, call): the call makes another coroutine than the slot holds"); \
    pawl_start_((slot), offsetof(__typeof__(*(slot)), frame) == sizeof(struct pawl_task), PAWL_TEMPORARY_(__VA_ARGS__), \
                sizeof(__VA_ARGS__), eager); \
}))
PAWL_INLINE struct pawl_task *pawl_start_(void *slot, bool fits, const void *frame, size_t size, bool eager)
{
    struct pawl_task *const task = (struct pawl_task *)slot;
    if (!fits || !pawl_task_idle_(task)) return NULL;
    __builtin_memcpy((void *)(task + 1), frame, size);
    return pawl_task_begin_(task, 0, eager);
}
#define pawl_start(slot, ...) PAWL_START_(slot, false, __VA_ARGS__)
#define pawl_start_eager(slot, ...) PAWL_START_(slot, true, __VA_ARGS__)
#endif

/** Gives a heap task out of the caller's hand: it is freed at its end, or now when it has ended; an error that nobody
 *  looked at is reported then. NULL, and a task that was released before its end, are harmless; the pointer must not
 *  be used afterwards. A task in the caller's memory is only looked at (as pawl_task_finish). */
PAWL_API void pawl_task_release(struct pawl_task *task);

/** For a task in the caller's memory that goes away: reports its error when nobody saw it. 0; PAWL_EBUSY when it is
 *  still at work (nothing is done then: cancel it and await its end). Harmless for a zeroed one and for NULL. */
PAWL_API int pawl_task_finish(struct pawl_task *task);

/** Asks a task to end: PAWL_ECANCELLED is raised where it waits, and what it waits for is cancelled or taken leave of
 *  at once. One that has not started never runs. True, also when the task may still swallow it; false when it has
 *  ended already. (asyncio.Task.cancel) */
PAWL_API bool pawl_task_cancel(struct pawl_task *task);
/** The same, with a message for people (a string that stays, borrowed): the last one is told by pawl_task_cancel_message, NULL
 *  when there was none. It is kept in the task's note, or in memory from the loop's allocator; without either the message is
 *  dropped, and the request stands. Tasks that are cancelled because this one waits for them, also through gather, have it too. A task in the caller's memory has
 *  it until its end, a heap task until it is freed. (Task.cancel(msg)) */
PAWL_API bool pawl_task_cancel_because(struct pawl_task *task, const char *message);
PAWL_API const char *pawl_task_cancel_message(const struct pawl_task *task);
/** How many cancel requests it has had that were not taken back, up to 63. */
PAWL_INLINE unsigned pawl_task_cancelling(const struct pawl_task *task)
{
    return task->awaitable.awaitable.flags / PAWL_CANCELLING_ONE;
}
/** Takes a cancel request back, as one does who swallows it; when none is left, one that was not yet delivered is
 *  dropped. Returns how many are left. */
PAWL_API unsigned pawl_task_uncancel(struct pawl_task *task);

/** The frame of a task's coroutine: pawl_task_frame(worker, task)->result. */
#define pawl_task_frame(coroutine, task) ((struct coroutine *)(void *)((struct pawl_task *)(task) + 1))

PAWL_INLINE struct pawl_coro *pawl_root_of_(struct pawl_task *task)
{
    return (struct pawl_coro *)(void *)(task + 1);
}

/** The task that is running, or NULL (in a callback, or outside of the loop). */
PAWL_INLINE struct pawl_task *pawl_task_current(void)
{
    return pawl_loop_current_ ? pawl_loop_current_->current : NULL;
}

/** The loop that a task belongs to. */
PAWL_INLINE struct pawl_loop *pawl_task_loop(const struct pawl_task *task)
{
    return pawl_job_loop_(&task->awaitable);
}

/** What the task and those that it makes from now on have in common; NULL: nothing. Those inherit the pointer, not a copy, and
 *  may be given another one. The context must stay until all of them have ended, and serves one loop.
 *
 *      struct request { struct pawl_context context; unsigned id; };
 *      pawl_task_set_context(pawl_task_current(), &self->request.context);
 *      … ((struct request *)pawl_task_context(pawl_task_current()))->id        in any task below
 *
 *  0, PAWL_EDONE when it has ended, PAWL_EINVAL for NULL. (contextvars) */
PAWL_API int pawl_task_set_context(struct pawl_task *task, struct pawl_context *context);
/** The context of a task that has not ended, or NULL; NULL for NULL. */
PAWL_INLINE struct pawl_context *pawl_task_context(const struct pawl_task *task)
{
    return task != NULL ? pawl_job_context_(&task->awaitable) : NULL;
}

/** The loop's tasks that have not ended: the first for NULL, else the one after `task`; NULL at the end. */
PAWL_API struct pawl_task *pawl_task_next(struct pawl_loop *loop, struct pawl_task *task);

/** The task's name: its own, or that of its coroutine. */
PAWL_API const char *pawl_task_name(struct pawl_task *task);
/** Gives it a name of its own. `name` is borrowed; so is `storage` until the task has ended, and NULL takes it from the
 *  loop's allocator. A name that it has already is replaced in place (`storage` is not used then). 0, PAWL_ENOMEM,
 *  PAWL_EDONE when it has ended, or PAWL_EINVAL for NULL and for a TASK(name) that was never started. */
PAWL_API int pawl_task_set_name(struct pawl_task *task, struct pawl_task_note *storage, const char *name);

/** Raises nothing, waits for a span of time: 0 or less lets the others run once. AWAIT(self->sleep, pawl_sleep(…)). */
struct pawl_sleep {
    struct pawl_coro awaitable;
    pawl_time time;
};
PAWL_API pawl_resume_fn pawl_sleep_resume, pawl_sleep_until_resume;
PAWL_INLINE PAWL_MUST_USE struct pawl_sleep pawl_sleep(pawl_time span)
{
    struct pawl_sleep frame = { PAWL_CORO_INIT(pawl_sleep_resume), span };
    return frame;
}
/** The same until a time of the loop's clock. */
PAWL_INLINE PAWL_MUST_USE struct pawl_sleep pawl_sleep_until(pawl_time when)
{
    struct pawl_sleep frame = { PAWL_CORO_INIT(pawl_sleep_until_resume), when };
    return frame;
}
/** Lets everything that is ready run once: pawl_sleep(0). */
PAWL_INLINE PAWL_MUST_USE struct pawl_sleep pawl_yield(void)
{
    return pawl_sleep(0);
}

#ifndef PAWL_TIME_32
PAWL_STATIC_ASSERT(sizeof(void *) != 8 || sizeof(struct pawl_task) + sizeof(struct pawl_coro) + sizeof(struct pawl_sleep) <= 120,
                   "a sleeping heap task is 128 bytes, malloc's own 8 included");
#endif

/** A coroutine's frame in memory from `allocator`, for recursion: pawl_coro_new(allocator, call) is a pointer to a
 *  frame of the call's type, or NULL. pawl_coro_free closes it first if it is suspended; harmless for NULL. Returns what
 *  the close returned; after PAWL_EYIELDED or PAWL_ERUNNING it is not freed. */
#if defined(__cplusplus)
PAWL_END_C
template <class F> PAWL_INLINE F *pawl_coro_new(const struct pawl_allocator *allocator, const F &frame)
{
    F *const copy = (F *)allocator->allocate(allocator->context, sizeof frame);
    if (copy) *copy = frame;
    return copy;
}
PAWL_BEGIN_C
#else
PAWL_INLINE void *pawl_coro_new_(const struct pawl_allocator *allocator, const void *frame, size_t size)
{
    void *const copy = allocator->allocate(allocator->context, size);
    if (copy) __builtin_memcpy(copy, frame, size);
    return copy;
}
#define pawl_coro_new(allocator, ...) \
    ((__typeof__(__VA_ARGS__) *)pawl_coro_new_((allocator), PAWL_TEMPORARY_(__VA_ARGS__), sizeof(__VA_ARGS__)))
#endif
PAWL_API int pawl_coro_free_(const struct pawl_allocator *allocator, struct pawl_coro *frame);
#define pawl_coro_free(allocator, frame) pawl_coro_free_((allocator), (struct pawl_coro *)PAWL_AWAITABLE_(frame))

PAWL_END_C

#ifndef PAWL_PREFIXED_KEYWORDS
#define TASK(name) PAWL_TASK(name)
#endif

#endif
