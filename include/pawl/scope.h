/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Scopes: something that is entered and left around a block, whichever way the block is left (Python's `async with`), and
 * the ones for time and cancellation.
 *
 *      WITH(self->timeout, pawl_timeout(PAWL_SEC(5))) {
 *          AWAIT(self->recv, pawl_recv(…));
 *      } END_WITH;                                            raises PAWL_ETIMEOUT after five seconds
 *
 * Both entering and leaving may wait. A scope is a leaf in a slot of the frame, and is run twice: when the block begins,
 * and, with the error that the block ended with, when it is left. What it ends with then is what goes on: 0 takes the
 * error away. Locks, semaphores and groups are scopes too. By hand (coro_step) there is no clock, and no timeout.
 *
 * Of the task's point of view all of them work as asyncio's: by cancelling the task, once, where it waits; and the one
 * that asked for the cancellation takes it back when the block is left.
 *
 * Hazards: `goto` out of a WITH skips its end, and so do `break` and `continue`, which gcc and clang refuse; ASYNC_RETURN does not.
 * The slot is looked up again at the end: WITH(self->holds[self->i], …) needs the same i there.
 */
#ifndef PAWL_SCOPE_H
#define PAWL_SCOPE_H

#include "task.h"

PAWL_BEGIN_C

/** PAWL_SCOPE: the first member of a scope of one's own. Its resume function is called at point 0 to enter; and with co->point
 *  == PAWL_POINT_EXIT to leave: pawl_scope_error(co) is what the block ended with then, and pawl_leaf_done(co, error) says what
 *  goes on from there. Both may wait at points of their own. */
#define PAWL_SCOPE __extension__ union { struct pawl_coro awaitable, scope; }
/* One that makes no sense without its block: AWAIT does not take it. */
#define PAWL_ONLY_SCOPE_ struct pawl_coro scope

/** What the block of a scope that is being left ended with: 0 (also when it returned) or the error. */
PAWL_INLINE int pawl_scope_error(const struct pawl_coro *co)
{
    return co->errors[1];
}

/* Has the scope run once more. */
PAWL_INLINE struct pawl_coro *pawl_scope_leave_(struct pawl_coro *co, int error)
{
    co->state = PAWL_CORO_FRESH;
    co->point = PAWL_POINT_EXIT;
    co->errors[1] = (int16_t)(error < 0 ? error : 0);
    return co;
}

/* The error that goes on when a block ended with `error` and its scope with `outcome`. A return goes on unless leaving failed. */
PAWL_INLINE int pawl_scope_left_(int error, int outcome)
{
    return outcome == 0 && error == PAWL_RETURNING_ ? error : outcome;
}

/*
 * WITH(slot, call) { A } END_WITH; becomes, with the switch engine,
 *
 *      { enum { try_ = 1, over_ = 2 };
 *        AWAIT(slot, call);
 *        if (0) {
 *      case try_:  errors[slot_] = error;                    A has ended: here, with the error, or LEFT
 *            await the slot once more, with the error;
 *            if (error) goto the outer handler;
 *            goto over_;
 *        }
 *        { enum { handler_ = try_ };
 *          for (;; skipped()) {                              { A }
 *              error = LEFT; goto try_; }                    a break or continue of A would meet a call that does not compile
 *          skipped(); }
 *      case over_: ; }
 */
#define PAWL_LEFT_ 2

/* Called where a break or a continue of the block would lead to, and so only there. */
#if defined(__has_attribute)
#if __has_attribute(error)
extern void pawl_with_was_skipped_(void) __attribute__((error("break or continue out of a WITH: its end would be skipped")));
#define PAWL_SKIPPED_() pawl_with_was_skipped_()
#endif
#endif
#ifndef PAWL_SKIPPED_
#define PAWL_SKIPPED_() (void)0
#endif
#define PAWL_WITH(slot, ...) \
    { \
        PAWL_SCOPED_POINT_(pawl_try_) \
        PAWL_SCOPED_POINT_(pawl_over_) \
        PAWL_SCOPED_POINT_(pawl_left_) \
        PAWL_QUIET_SHADOW_ \
        enum { pawl_slot_ = (int)pawl_level_ }; \
        PAWL_LOUD_ \
        PAWL_INSIDE_("WITH"); \
        PAWL_STATIC_ASSERT((int)pawl_level_ < (int)PAWL_HANDLER_LEVELS, "WITH inside a handler inside a handler: put it into a coroutine of its own"); \
        PAWL_STATIC_ASSERT(!pawl_yields_, "WITH in a generator: its consumer could not tell its waits from a YIELD"); \
        do { \
            PAWL_POINT_DECL_(pawl_here_); \
            { \
                __typeof__(slot) *const pawl_slot_here_ = &(slot); \
                *pawl_slot_here_ = __VA_ARGS__; \
                PAWL_CALL_(pawl_here_, &pawl_slot_here_->scope) \
            } \
            PAWL_POINT_(pawl_here_) \
            PAWL_FAIL_IF_(); \
        } while (0); \
        if (0) { \
            PAWL_POINT_(pawl_try_) \
            PAWL_KEEP_(); \
            { PAWL_CALL_(pawl_left_, pawl_scope_leave_(&(slot).scope, pawl_err_)) } \
            PAWL_POINT_(pawl_left_) \
            if (pawl_err_ == 0) pawl_dealt_with_(pawl_root_); \
            pawl_err_ = pawl_scope_left_(pawl_co_->errors[(int)pawl_slot_ % (int)PAWL_HANDLER_LEVELS], pawl_err_); \
            pawl_co_->errors[(int)pawl_slot_ % (int)PAWL_HANDLER_LEVELS] = 0; \
            if (pawl_err_ != 0) PAWL_UNWIND_(); \
            PAWL_GO_(pawl_over_); \
        } \
        { \
            PAWL_HANDLER_LABEL_ \
            PAWL_QUIET_SHADOW_ PAWL_HANDLER_(pawl_try_) PAWL_LOUD_ \
            PAWL_HANDLER_JUMP_(pawl_try_) \
            for (;; PAWL_SKIPPED_()) { {

#define PAWL_END_WITH \
            } pawl_err_ = PAWL_LEFT_; PAWL_GO_(pawl_try_); } \
            PAWL_SKIPPED_(); \
        } \
        __builtin_unreachable(); \
        PAWL_POINT_(pawl_over_) ; \
    } do {} while (0)

/* ---- Time and cancellation ---- */

/* A time after which the task is cancelled, and what tells that cancellation from those of others. */
struct pawl_deadline {
    struct pawl_handle timer;
    struct pawl_task *task;
    pawl_time when; /* PAWL_FOREVER: none */
    uint8_t state, cancelling; /* how many requests there were when it began; */
    bool pending;              /* and was one of them still to be raised? */
};

/** A scope that cancels its block. */
struct pawl_timeout {
    PAWL_ONLY_SCOPE_;
    struct pawl_deadline deadline;
    bool relative, quiet;
};

PAWL_API pawl_resume_fn pawl_timeout_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_timeout pawl_timeout_(pawl_time when, bool relative, bool quiet)
{
    struct pawl_timeout frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.scope = pawl_coro_init_(pawl_timeout_resume);
    frame.deadline.when = when;
    frame.relative = relative;
    frame.quiet = quiet;
    return frame;
}

/** WITH(self->timeout, pawl_timeout(span)): when the block has not ended after `span` (PAWL_FOREVER: no limit; 0 or less: at the
 *  next suspension), it is cancelled, and PAWL_ETIMEOUT is raised by END_WITH unless the block ended otherwise. Nested ones,
 *  and cancellations that come from elsewhere meanwhile, are told apart. (asyncio.timeout) */
PAWL_INLINE PAWL_MUST_USE struct pawl_timeout pawl_timeout(pawl_time span)
{
    return pawl_timeout_(span, true, false);
}

/** The same until a time of the loop's clock. (asyncio.timeout_at) */
PAWL_INLINE PAWL_MUST_USE struct pawl_timeout pawl_timeout_at(pawl_time when)
{
    return pawl_timeout_(when, false, false);
}

/** As pawl_timeout, but raises nothing: what follows END_WITH goes on; pawl_timeout_expired tells. (anyio.move_on_after) */
PAWL_INLINE PAWL_MUST_USE struct pawl_timeout pawl_move_on_after(pawl_time span)
{
    return pawl_timeout_(span, true, true);
}

/** WITH(self->scope, pawl_cancel_scope()): a block that pawl_scope_cancel ends, from anywhere in the loop's thread, and after
 *  which the task goes on. */
PAWL_INLINE PAWL_MUST_USE struct pawl_timeout pawl_cancel_scope(void)
{
    return pawl_timeout_(PAWL_FOREVER, true, true);
}

/** Cancels the block of a scope now, as if its time had come: true; false when it has been left, cancelled, or not entered. */
PAWL_API bool pawl_scope_cancel(struct pawl_timeout *scope);

/** Gives a scope another time (PAWL_FOREVER: none), one that has passed being at once. 0; PAWL_EDONE when it has expired or was
 *  left; PAWL_EINVAL when it was not entered, or by no task. (Timeout.reschedule) */
PAWL_API int pawl_timeout_reschedule(struct pawl_timeout *scope, pawl_time when);

/** Did it cancel its block? (Timeout.expired) */
PAWL_API bool pawl_timeout_expired(const struct pawl_timeout *scope);

/** The time of the loop's clock at which it expires, PAWL_FOREVER for none. Once entered. (Timeout.when) */
PAWL_INLINE pawl_time pawl_timeout_when(const struct pawl_timeout *scope)
{
    return scope->deadline.when;
}

PAWL_END_C

#ifndef PAWL_PREFIXED_KEYWORDS
#define WITH(...) PAWL_WITH(__VA_ARGS__)
#define END_WITH PAWL_END_WITH
#endif

#endif
