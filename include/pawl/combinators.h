/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Waiting for several things, or not for ever. Freestanding, no allocation: what each needs lies in the frame.
 *
 *      struct pawl_child both[2]; struct pawl_gather all;              in the frame
 *
 *      AWAIT(self->all, pawl_gather(CHILDREN(self->both, self->a, self->b)));
 *
 *      AWAIT(self->timed, pawl_wait_for(&self->fetch, PAWL_SEC(5)));    a coroutine made before, a future or a task
 */
#ifndef PAWL_COMBINATORS_H
#define PAWL_COMBINATORS_H

#include "scope.h"
#include "waiter.h"

PAWL_BEGIN_C

/** One of those that a combinator waits for. */
struct pawl_child {
    struct pawl_handle handle;
    struct pawl_future *future;
    void *whose;
};

PAWL_INLINE struct pawl_child pawl_child_of_(struct pawl_future *future)
{
    struct pawl_child child;
    __builtin_memset(&child, 0, sizeof child);
    child.future = future;
    return child;
}

/** pawl_child(x): an entry of a future, FUTURE(T) or task, which must have been started when it is waited for. It is borrowed: it
 *  must stay until what waits for it has ended. */
#define pawl_child(x) pawl_child_of_(PAWL_FUTURE(x))

/** CHILDREN(array, x, y, …): makes entries of 1 to 8 futures and tasks in an array of struct pawl_child, and stands for the two
 *  arguments `children, count` of what follows here:
 *
 *      AWAIT(self->all, pawl_gather(CHILDREN(self->both, self->a, self->b)));
 */
PAWL_INLINE struct pawl_child *pawl_children_(struct pawl_child *children, struct pawl_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++) children[i] = pawl_child_of_(futures[i]);
    return children;
}
#define PAWL_NTH9_(a, b, c, d, e, f, g, h, i, ...) i
#define PAWL_COUNT8_(...) PAWL_NTH9_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, )
#define PAWL_FUTURES_1_(x) PAWL_FUTURE(x)
#define PAWL_FUTURES_2_(x, ...) PAWL_FUTURE(x), PAWL_FUTURES_1_(__VA_ARGS__)
#define PAWL_FUTURES_3_(x, ...) PAWL_FUTURE(x), PAWL_FUTURES_2_(__VA_ARGS__)
#define PAWL_FUTURES_4_(x, ...) PAWL_FUTURE(x), PAWL_FUTURES_3_(__VA_ARGS__)
#define PAWL_FUTURES_5_(x, ...) PAWL_FUTURE(x), PAWL_FUTURES_4_(__VA_ARGS__)
#define PAWL_FUTURES_6_(x, ...) PAWL_FUTURE(x), PAWL_FUTURES_5_(__VA_ARGS__)
#define PAWL_FUTURES_7_(x, ...) PAWL_FUTURE(x), PAWL_FUTURES_6_(__VA_ARGS__)
#define PAWL_FUTURES_8_(x, ...) PAWL_FUTURE(x), PAWL_FUTURES_7_(__VA_ARGS__)
#define PAWL_FUTURES_(...) PAWL_CAT(PAWL_CAT(PAWL_FUTURES_, PAWL_COUNT8_(__VA_ARGS__)), _)(__VA_ARGS__)
#if defined(__cplusplus)
PAWL_END_C
template <class Child, size_t capacity, class... Futures>
PAWL_INLINE Child *pawl_children_into_(Child (&children)[capacity], Futures... futures)
{
    static_assert(sizeof...(futures) <= capacity, "CHILDREN: the array is too small");
    struct pawl_future *const all[] = { futures... };
    return pawl_children_(children, all, sizeof...(futures));
}
PAWL_BEGIN_C
#define PAWL_CHILDREN(array, ...) pawl_children_into_((array), PAWL_FUTURES_(__VA_ARGS__)), PAWL_COUNT8_(__VA_ARGS__)
#else
#define PAWL_CHILDREN(array, ...) \
    pawl_children_((array), (struct pawl_future *const[]){ PAWL_FUTURES_(__VA_ARGS__) }, \
                   PAWL_COUNT8_(__VA_ARGS__) + PAWL_ASSERTED_(PAWL_COUNT8_(__VA_ARGS__) <= sizeof(array) / sizeof((array)[0]), \
                                                              "CHILDREN: the array is too small")), \
    PAWL_COUNT8_(__VA_ARGS__)
#endif

/** The frame of pawl_gather. */
struct pawl_gather {
    struct pawl_coro awaitable;
    struct pawl_hooked_future all;
    struct pawl_child *children;
    size_t count, pending;
    bool return_errors, cancelled;
};

PAWL_API pawl_resume_fn pawl_gather_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_gather pawl_gather_(struct pawl_child *children, size_t count, bool return_errors)
{
    struct pawl_gather frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_gather_resume);
    frame.children = children;
    frame.count = count;
    frame.return_errors = return_errors;
    return frame;
}

/** Waits until all of `children[0..count)` are done. The first error, or cancellation, of one is raised at once; the
 *  others go on, and their errors count as seen. Cancelled, it cancels all of them (tasks that gather tasks
 *  that gather … by recursion, some 300 bytes of stack each), and ends as soon as one is. None is done at once; one may stand in
 *  several entries. Raises PAWL_EINVAL for an entry without a future or when no task runs it,
 *  PAWL_EBUSY for an entry that another gather uses, PAWL_EDEADLK for the task itself. (asyncio.gather, as of CPython 3.12) */
PAWL_INLINE PAWL_MUST_USE struct pawl_gather pawl_gather(struct pawl_child *children, size_t count)
{
    return pawl_gather_(children, count, false);
}

/** The same, but errors of the children are not raised: each is read from its child (pawl_future_error). Cancelled, it
 *  ends when all of them have. */
PAWL_INLINE PAWL_MUST_USE struct pawl_gather pawl_gather_return_errors(struct pawl_child *children, size_t count)
{
    return pawl_gather_(children, count, true);
}

/* ---- wait ---- */

enum pawl_wait_until {
    PAWL_ALL_COMPLETED,   /* all are done */
    PAWL_FIRST_COMPLETED, /* one is done */
    PAWL_FIRST_ERROR      /* one has failed (being cancelled is no failure), or all are done. FIRST_EXCEPTION */
};

/** The frame of pawl_wait. */
struct pawl_wait {
    struct pawl_coro awaitable;
    size_t result; /* how many were done when it ended */
    struct pawl_handle timer;
    struct pawl_future enough;
    struct pawl_child *children;
    size_t count, pending;
    pawl_time span;
    uint8_t until;
};

PAWL_API pawl_resume_fn pawl_wait_resume;

/** Waits until so many of `children[0..count)` are done, or `span` is over (PAWL_FOREVER: never). It raises no error of theirs and
 *  cancels none, also when it is cancelled itself: ask each (pawl_future_done). It takes at least one iteration. Raises
 *  PAWL_EINVAL when there are none, for an entry without a future, an unknown `until`, or when no task runs it; PAWL_EBUSY for an entry that is in
 *  use; PAWL_EDEADLK for the task itself. (asyncio.wait) */
PAWL_INLINE PAWL_MUST_USE struct pawl_wait pawl_wait(struct pawl_child *children, size_t count, enum pawl_wait_until until,
                                                     pawl_time span)
{
    struct pawl_wait frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_wait_resume);
    frame.children = children;
    frame.count = count;
    frame.until = (uint8_t)until;
    frame.span = span;
    return frame;
}

/* ---- select ---- */

/** The frame of pawl_select. */
struct pawl_select {
    struct pawl_coro awaitable;
    size_t result; /* which one it was */
    struct pawl_future ended;
    struct pawl_child *children;
    size_t count, pending;
    int16_t error;
    bool decided, cancelled;
};

PAWL_API pawl_resume_fn pawl_select_resume;

/** Waits for the first of `children[0..count)` that is done, cancels the others, and waits until those have ended too: `result` is
 *  its index, and its error is raised. Arms that are coroutines are started for it:
 *
 *      struct pawl_child arms[2]; struct pawl_select select; TASK(pawl_recv) recv; TASK(pawl_sleep) timer;     in the frame
 *
 *      AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->recv, pawl_recv(…)),
 *                                                           pawl_start(&self->timer, pawl_sleep(PAWL_SEC(5))))));
 *      if (self->select.result == 0) … self->recv.frame.result …
 *
 *  The others are cancelled in the moment in which the first one ends, before any of them runs on: of several that could go
 *  on, such as receives from channels, one does. Arms that are ready are tried in their order. An arm that ended all
 *  the same, since it had swallowed the cancellation, or its item was taken already (a send on a channel of capacity 0), is seen by
 *  its outcome; one that fails on its way out is reported as any task. What is not to be cancelled stands behind a
 *  pawl_shield. Cancelled itself, it cancels all of them, waits for their end, and raises PAWL_ECANCELLED. Errors as
 *  pawl_wait. (tokio's select!) */
PAWL_INLINE PAWL_MUST_USE struct pawl_select pawl_select(struct pawl_child *children, size_t count)
{
    struct pawl_select frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_select_resume);
    frame.children = children;
    frame.count = count;
    return frame;
}

/* ---- as_completed ---- */

/** Children, one after the other as they are done. */
struct pawl_as_completed {
    struct pawl_handle timer;
    struct pawl_child *children;
    size_t count, pending; /* pending: those that are not done */
    size_t left;           /* how often pawl_next_completed may still be awaited */
    size_t expired;        /* how many the timeout has come for */
    struct pawl_wait_list done, waiters;
};

/** Begins: `children` and *each are borrowed until pawl_as_completed_end, which must be called whatever happens (FINALLY). After
 *  `span` (PAWL_FOREVER: no limit) what is not done raises PAWL_ETIMEOUT; nothing is cancelled. 0; PAWL_EINVAL without a
 *  running task or for an entry without a future; PAWL_EBUSY for an entry that is in use. (asyncio.as_completed)
 *
 *      pawl_as_completed_begin(&self->each, CHILDREN(self->all, self->a, self->b), PAWL_FOREVER);
 *      while (self->each.left > 0) {
 *          AWAIT(self->next, pawl_next_completed(&self->each));     struct pawl_next_completed next;
 *          … pawl_future_error(self->next.result->future) …
 *      }
 *      pawl_as_completed_end(&self->each);
 */
PAWL_API int pawl_as_completed_begin(struct pawl_as_completed *each, struct pawl_child *children, size_t count, pawl_time span);

/** Ends: takes leave of those that are not done; who waits for the next one gets PAWL_EENDED in the next iteration, until which
 *  *each must stay. Harmless when it has ended, or was zeroed. */
PAWL_API void pawl_as_completed_end(struct pawl_as_completed *each);

struct pawl_next_completed {
    struct pawl_coro awaitable;
    struct pawl_child *result;
    struct pawl_as_completed *each;
    struct pawl_waiter waiter;
};
PAWL_API pawl_resume_fn pawl_next_completed_resume;

/** Waits for the next one that is done: `result` is its entry; its error is not raised. Raises PAWL_ETIMEOUT after the timeout,
 *  PAWL_EENDED when all have been given. */
PAWL_INLINE PAWL_MUST_USE struct pawl_next_completed pawl_next_completed(struct pawl_as_completed *each)
{
    struct pawl_next_completed frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_next_completed_resume);
    frame.each = each;
    return frame;
}

/* ---- shield ---- */

/** The frame of pawl_shield. */
struct pawl_shield {
    struct pawl_coro awaitable;
    struct pawl_handle handle;
    struct pawl_future outer;
    struct pawl_future *inner;
};

PAWL_API pawl_resume_fn pawl_shield_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_shield pawl_shield_(struct pawl_future *inner)
{
    struct pawl_shield frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_shield_resume);
    frame.inner = inner;
    return frame;
}

/** pawl_shield(x): waits for a future or a task without passing a cancellation on to it: who waits is cancelled, x goes on, and
 *  an error of it that nobody looks at then is reported. Raises what x ends with; PAWL_EINVAL for NULL, or when no task runs it.
 *  (asyncio.shield) */
#define pawl_shield(x) pawl_shield_(PAWL_AWAITED_(x))

/* ---- wait_for ---- */

/** The frame of pawl_wait_for. */
struct pawl_wait_for {
    struct pawl_coro awaitable;
    struct pawl_deadline deadline;
    void *what;
    pawl_time span;
    struct pawl_future ended;
    uint8_t kind, turns;
};

PAWL_API pawl_resume_fn pawl_wait_for_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_wait_for pawl_wait_for_(void *what, int kind, pawl_time span)
{
    struct pawl_wait_for frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_wait_for_resume);
    frame.what = what;
    frame.kind = (uint8_t)kind;
    frame.span = span;
    return frame;
}

/** pawl_wait_for(x, span): awaits a coroutine made before, a future or a task, for at most `span`. After that x is
 *  cancelled, and when it has ended PAWL_ETIMEOUT is raised; if it swallows the cancellation and ends well, so does this.
 *  A span of 0 or less: what is done already is taken, anything else is cancelled (a coroutine never starts). The result
 *  is where x keeps it. By hand (coro_step) there is no clock, and so no timeout. (asyncio.wait_for, as of CPython 3.12) */
#define pawl_wait_for(x, span) pawl_wait_for_(PAWL_AWAITABLE_(x), PAWL_KIND_(x), (span))

PAWL_END_C

#ifndef PAWL_PREFIXED_KEYWORDS
#define CHILDREN(array, ...) PAWL_CHILDREN(array, __VA_ARGS__)
#endif

#endif
