/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Async coroutines: coroutines that await other coroutines, futures and tasks.
 *
 *      struct fetch { COROUTINE(size_t); const char *host; struct pawl_recv recv; … };
 *
 *      ASYNC(fetch)
 *      {
 *          ASYNC_BEGIN(fetch);
 *          AWAIT(self->recv, pawl_recv(…));          a callee, in its slot of the frame
 *          AWAIT(&self->ready);                      a future, a task, or a coroutine made earlier
 *          ASYNC_RETURN(self->recv.result);
 *          ASYNC_END;
 *      }
 *
 * A coroutine is driven by a task, or by hand with coro_step, which needs no loop and no clock: it returns the future
 * that the coroutine waits for, for the test to settle.
 */
#ifndef PAWL_ASYNC_H
#define PAWL_ASYNC_H

#include "coro.h"
#include "future.h"

/** COROUTINE(T): the first member of a coroutine's struct. Its `result` is of type T (an object type, or void). */
#define PAWL_COROUTINE(T) struct pawl_coro awaitable; PAWL_NOTHING_(by_name_only); PAWL_MAYBE_VOID_(T, result)

/** ASYNC(name) { ASYNC_BEGIN(name); … ASYNC_END; }: the body of the coroutine `struct name`. ASYNC_DECLARE(name);
 *  declares it for use before its body; ASYNC_EXTERN(name) and ASYNC_PUBLIC(name) do the same across files. */
#define PAWL_ASYNC(name) PAWL_DEFINE_(static, name)
#define PAWL_ASYNC_PUBLIC(name) PAWL_ASYNC_EXTERN(name); PAWL_DEFINE_(, name)
#define PAWL_ASYNC_DECLARE(name) static pawl_resume_fn name##_resume
#define PAWL_ASYNC_EXTERN(name) extern pawl_resume_fn name##_resume
#define PAWL_ASYNC_BEGIN(name) PAWL_BODY_BEGIN_(name)
#define PAWL_ASYNC_END PAWL_BODY_END_
/** ASYNC_RETURN(), ASYNC_RETURN(value): ends the coroutine, through every FINALLY around this place. */
#define PAWL_ASYNC_RETURN(...) PAWL_RETURN_(__VA_ARGS__)

/* Returned for "waits for this future". */
PAWL_INLINE struct pawl_coro *pawl_waits_for_(struct pawl_coro *co, struct pawl_coro *root, struct pawl_future *future)
{
    root->link = co;
    return (struct pawl_coro *)((uintptr_t)future | 1);
}

/* The outcome of a future that is done, or PAWL_GOES_ON_. A TASK(name) that was never started is nothing to wait for. */
PAWL_INLINE int pawl_look_(struct pawl_future *future, int kind)
{
    if (PAWL_UNLIKELY(future == NULL || (kind == PAWL_KIND_SLOT && future->flags == 0))) return PAWL_EINVAL;
    if (!(future->flags & PAWL_FUTURE_DONE)) return PAWL_GOES_ON_;
    future->flags |= PAWL_FUTURE_SEEN;
    return future->error;
}

/** `return pawl_leaf_await(co, root, future)`: a leaf waits for a pending future, and is resumed with its outcome. */
PAWL_INLINE struct pawl_coro *pawl_leaf_await(struct pawl_coro *co, struct pawl_coro *root, struct pawl_future *future)
{
    return pawl_waits_for_(co, root, future);
}

/** The task that drives the chain of `root`, or NULL when it is stepped by hand. For leaves. */
PAWL_INLINE struct pawl_task *pawl_leaf_task(struct pawl_coro *root)
{
    return root->state & PAWL_CORO_TASK ? (struct pawl_task *)(void *)root - 1 : NULL;
}

/** AWAIT(slot, call): runs the coroutine that `call` makes in `slot` of this frame to its end. AWAIT(pointer): waits
 *  for a future or a task, or runs a coroutine that was made earlier. What is done already does not suspend. Raises
 *  the error that it ended with; raises PAWL_ECANCELLED when this task was cancelled meanwhile. A coroutine is awaited
 *  once only (PAWL_EAWAITED), NULL is PAWL_EINVAL. */
#define PAWL_AWAIT(...) PAWL_AWAIT_(PAWL_FAIL_IF_, __VA_ARGS__)

/** TRY_AWAIT(…): as AWAIT, but raises nothing: AWAIT_ERROR() is the outcome, 0 or the error, until the next
 *  suspension or TRY. A cancellation is left there too: it should be passed on. */
#define PAWL_TRY_AWAIT(...) PAWL_AWAIT_(PAWL_LEAVE_IT_, __VA_ARGS__)
#define PAWL_AWAIT_ERROR() (pawl_err_ + 0 * (int)sizeof(char[pawl_inside_ ? 1 : -1]))

#define PAWL_FAIL_IF_() if (PAWL_UNLIKELY(pawl_err_ != 0)) PAWL_FAIL_()
#define PAWL_LEAVE_IT_() (void)pawl_err_
#define PAWL_AWAIT_(what_then, ...) PAWL_CAT(PAWL_AWAIT_, PAWL_COUNT_(__VA_ARGS__, 0))(what_then, __VA_ARGS__)
#define PAWL_AWAIT_3(what_then, slot, ...) do { \
    PAWL_POINT_DECL_(pawl_here_); \
    PAWL_INSIDE_("AWAIT"); \
    PAWL_STATIC_ASSERT(!pawl_yields_, "AWAIT in a generator: its consumer could not tell it from a YIELD"); \
    { \
        __typeof__(slot) *const pawl_slot_here_ = &(slot); \
        *pawl_slot_here_ = __VA_ARGS__; \
        PAWL_CALL_(pawl_here_, &pawl_slot_here_->awaitable) \
    } \
    PAWL_POINT_(pawl_here_) \
    what_then(); \
} while (0)
#define PAWL_AWAIT_2(what_then, pointer) do { \
    PAWL_POINT_DECL_(pawl_here_); \
    PAWL_STATIC_ASSERT(PAWL_IS_POINTER_(pointer), "AWAIT(slot, call): a call needs a slot in the frame; alone goes a pointer"); \
    PAWL_INSIDE_("AWAIT"); \
    PAWL_STATIC_ASSERT(!pawl_yields_, "AWAIT in a generator: its consumer could not tell it from a YIELD"); \
    { \
        void *const pawl_what_ = PAWL_AWAITABLE_(pointer); \
        if (PAWL_KIND_(pointer) == PAWL_KIND_CORO) { \
            PAWL_CALL_(pawl_here_, (struct pawl_coro *)pawl_what_) \
        } else { \
            pawl_err_ = pawl_look_(pawl_future_of_(pawl_what_, PAWL_KIND_(pointer)), PAWL_KIND_(pointer)); \
            if (pawl_err_ == PAWL_GOES_ON_) { \
                PAWL_STOP_AT_(pawl_here_); \
                return pawl_waits_for_(pawl_co_, pawl_root_, pawl_future_of_(pawl_what_, PAWL_KIND_(pointer))); \
            } \
        } \
    } \
    PAWL_POINT_(pawl_here_) \
    what_then(); \
} while (0)

/** YIELD_NOW(): lets everything else that is ready run once, as AWAIT of a pawl_sleep(0), but without a frame. */
#define PAWL_YIELD_NOW() do { \
    PAWL_POINT_DECL_(pawl_here_); \
    PAWL_INSIDE_("YIELD_NOW"); \
    PAWL_STOP_AT_(pawl_here_); \
    pawl_root_->link = pawl_co_; \
    return PAWL_ODD_; \
    PAWL_POINT_(pawl_here_) \
    if (PAWL_UNLIKELY(pawl_err_ != 0)) PAWL_FAIL_(); \
} while (0)

PAWL_BEGIN_C

/** Steps a coroutine by hand: runs it to its next suspension and returns the future that it waits for; while that is
 *  pending, stepping again changes nothing. A wait that needs no future (sleep, a yield to the scheduler) returns one
 *  that is done already: by hand there is no clock. NULL when the coroutine has ended (also when it could not be
 *  resumed): pawl_coro_error tells. Awaiting a future that another coroutine stepped by hand, or a task, awaits already
 *  raises PAWL_EBUSY in it. Not for a coroutine that a task drives. */
PAWL_API struct pawl_future *pawl_coro_step_(struct pawl_coro *root);
/** Raises `error` (negative) where the coroutine stands. Otherwise as pawl_coro_step. */
PAWL_API struct pawl_future *pawl_coro_throw_(struct pawl_coro *root, int error);
/** Ends it as gen_close does a generator. */
PAWL_API int pawl_coro_close_(struct pawl_coro *root);

PAWL_END_C

#define pawl_coro_step(frame) pawl_coro_step_((struct pawl_coro *)PAWL_AWAITABLE_(frame))
#define pawl_coro_throw(frame, error) pawl_coro_throw_((struct pawl_coro *)PAWL_AWAITABLE_(frame), (error))
#define pawl_coro_close(frame) pawl_coro_close_((struct pawl_coro *)PAWL_AWAITABLE_(frame))
/** 0 or the error that it ended with; 0 while it is suspended, PAWL_ERUNNING while it runs, PAWL_EENDED when it was
 *  resumed after its end. */
#define pawl_coro_error(frame) pawl_coro_error_((const struct pawl_coro *)PAWL_AWAITABLE_(frame))
#define pawl_coro_done(frame) (pawl_phase_((const struct pawl_coro *)PAWL_AWAITABLE_(frame)) == PAWL_CORO_DONE)

#ifndef PAWL_PREFIXED_KEYWORDS
#define COROUTINE(T) PAWL_COROUTINE(T)
#define ASYNC(name) PAWL_ASYNC(name)
#define ASYNC_PUBLIC(name) PAWL_ASYNC_PUBLIC(name)
#define ASYNC_DECLARE(name) PAWL_ASYNC_DECLARE(name)
#define ASYNC_EXTERN(name) PAWL_ASYNC_EXTERN(name)
#define ASYNC_BEGIN(name) PAWL_ASYNC_BEGIN(name)
#define ASYNC_END PAWL_ASYNC_END
#define ASYNC_RETURN(...) PAWL_ASYNC_RETURN(__VA_ARGS__)
#define AWAIT(...) PAWL_AWAIT(__VA_ARGS__)
#define TRY_AWAIT(...) PAWL_TRY_AWAIT(__VA_ARGS__)
#define YIELD_NOW() PAWL_YIELD_NOW()
#define AWAIT_ERROR() PAWL_AWAIT_ERROR()
#define coro_step(frame) pawl_coro_step(frame)
#define coro_throw(frame, error) pawl_coro_throw(frame, error)
#define coro_close(frame) pawl_coro_close(frame)
#define coro_error(frame) pawl_coro_error(frame)
#define coro_done(frame) pawl_coro_done(frame)
#endif

#endif
