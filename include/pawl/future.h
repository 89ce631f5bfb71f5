/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Futures: a result that is not there yet, awaited by any number of tasks and callbacks.
 *
 * Nothing here allocates. Who waits is a job (a task, or a handle: a callback with its argument), and a job is in at
 * most one list at a time: the waiters of one future, the timers, or the ready queue of its loop. Settling a future
 * only moves its waiters to their ready queues, in the order in which they registered; nothing runs inside
 * pawl_future_set_result (asyncio's rule).
 *
 *      FUTURE(int) answer = PAWL_FUTURE_INIT;        a future with a typed result, in the caller's memory
 *      pawl_future_set_result(&answer, 42);
 *      AWAIT(&self->answer); … self->answer.result   in a coroutine
 *
 * Every function here takes a pointer to a struct pawl_future, to a FUTURE(T), to a task or to a handle: all of them
 * are futures. All belong to the thread of the loop that their waiters run on; none may be called from elsewhere.
 */
#ifndef PAWL_FUTURE_H
#define PAWL_FUTURE_H

#include "coro.h"

PAWL_BEGIN_C

struct pawl_loop;
struct pawl_future;

struct pawl_link {
    struct pawl_link *next, *prev;
};

/* First of a circular list in order of registration. Odd: the frame that awaits this future stepped by hand. */
struct pawl_waiters {
    struct pawl_link *first;
};

/** A future. Zeroed is pending; it need not be freed, but pawl_future_finish reports an error that nobody saw. */
struct pawl_future {
    struct pawl_waiters awaitable;
    int16_t error; /* once done: 0 or what it failed with */
    uint16_t flags;
#ifdef PAWL_SPARES_
    uint32_t size; /* heap task: of its block, in what would be padding */
#endif
} PAWL_EVEN;

enum {
    PAWL_FUTURE_TASK = 1,    /* it is the future of a task */
    PAWL_FUTURE_DONE = 2,
    PAWL_FUTURE_SEEN = 4,    /* somebody looked at the outcome */
    PAWL_FUTURE_HEAP = 8,    /* task: its memory came from the loop's allocator */
    PAWL_FUTURE_HOOKED = 8,  /* not a task: the cancel function of a struct pawl_hooked_future decides */
    PAWL_FUTURE_OWNED = 16,  /* task: whoever spawned it has not released it */
    PAWL_FUTURE_AT_ONCE = 16, /* handle: runs within the settling, once all other waiters are ready (the library's own) */
    PAWL_FUTURE_SHARED = 16, /* neither: who waits for it and is cancelled only leaves it (the readiness of a socket) */
    PAWL_FUTURE_CANCEL = 32, /* task: its next step raises PAWL_ECANCELLED */
    PAWL_FUTURE_HANDLE = 32, /* not a task: it is the future of a handle */
    PAWL_WHERE_MASK = 7 << 6, /* in which list this job is */
    PAWL_WHERE_NONE = 0,
    PAWL_WHERE_READY = 1 << 6,
    PAWL_WHERE_FUTURE = 2 << 6,
    PAWL_WHERE_TIMER = 3 << 6,
    PAWL_WHERE_FIRING = 4 << 6, /* its time has come; in the ready queue to be told so */
    PAWL_WHERE_ASKED = 5 << 6,  /* a future that is being asked for its cancellation */
    PAWL_FUTURE_NOTED = 1 << 9, /* task: there is a note of it */
    PAWL_CANCELLING_ONE = 1 << 10, /* the bits from here up count the cancel requests, to 63 */
    PAWL_CANCELLING_MASK = 63 << 10
};

/* Something that a loop runs: a task or a handle. */
struct pawl_job {
    struct pawl_link link;
    union {
        pawl_time when;              /* WHERE_TIMER */
        struct pawl_future *awaited; /* WHERE_FUTURE */
        int outcome;                 /* otherwise: what the task is resumed with */
    } on;
    struct pawl_future awaitable;
    struct pawl_loop *home; /* odd: a struct pawl_context or pawl_task_note, plus 1, which knows the loop */
} PAWL_EVEN;

/** What a task and all tasks that it makes have in common (a request, a user, a trace): the first member of a struct of
 *  yours. See pawl_task_set_context. */
struct pawl_context {
    struct pawl_loop *loop;
} PAWL_EVEN;

/** What few tasks have: a name of their own, the message of a cancellation. It stands between the task and its context. */
struct pawl_task_note {
    struct pawl_context way; /* to the loop */
    struct pawl_context *context;
    const char *name, *message;
    bool allocated;
};

PAWL_INLINE struct pawl_context *pawl_home_context_(const struct pawl_job *job)
{
    return (struct pawl_context *)((uintptr_t)job->home - 1);
}

PAWL_INLINE struct pawl_loop *pawl_job_loop_(const struct pawl_job *job)
{
    return PAWL_LIKELY(!pawl_is_odd_(job->home)) ? job->home : pawl_home_context_(job)->loop;
}

PAWL_INLINE struct pawl_context *pawl_job_context_(const struct pawl_job *job)
{
    if (!pawl_is_odd_(job->home)) return NULL;
    return job->awaitable.flags & PAWL_FUTURE_NOTED ? ((struct pawl_task_note *)(void *)pawl_home_context_(job))->context : pawl_home_context_(job);
}

/** A future that decides itself what it means to be cancelled. */
struct pawl_hooked_future {
    struct pawl_future awaitable;
    bool (*cancel)(struct pawl_hooked_future *future); /* true: the cancellation is under way */
};

/** What a handle runs. */
typedef void pawl_callback(void *argument);

/** A callback with its argument, in the caller's memory, which must stay while it is scheduled or registered. It is a
 *  future itself: done when it ran, cancelled when it was cancelled. Zeroed before its first use. */
struct pawl_handle {
    struct pawl_job awaitable;
    pawl_callback *callback;
    void *argument;
};

/** FUTURE(T): a future with a result of type T (an object type). */
#define PAWL_FUTURE_OF(T) struct { struct pawl_future awaitable; T result; }
#define PAWL_FUTURE_INIT { 0 }

PAWL_STATIC_ASSERT(sizeof(struct pawl_future) <= 2 * sizeof(void *) || sizeof(void *) < 4, "a future is two words");

/* What is behind a pointer to something awaitable: a coroutine's frame, a future, a task or handle, or a TASK(name). */
enum { PAWL_KIND_CORO, PAWL_KIND_FUTURE, PAWL_KIND_JOB, PAWL_KIND_SLOT };

PAWL_INLINE struct pawl_future *pawl_future_of_(void *awaitable, int kind)
{
    return (struct pawl_future *)(kind >= PAWL_KIND_JOB ? pawl_member_(awaitable, offsetof(struct pawl_job, awaitable)) : awaitable);
}

/* The same, but NULL for a TASK(name) that was never started: there is nothing to wait for. */
PAWL_INLINE struct pawl_future *pawl_awaited_of_(void *awaitable, int kind)
{
    struct pawl_future *const future = pawl_future_of_(awaitable, kind);
    return kind == PAWL_KIND_SLOT && future != NULL && future->flags == 0 ? NULL : future;
}
#define PAWL_AWAITED_(x) pawl_awaited_of_(PAWL_AWAITABLE_(x), PAWL_FUTURE_KIND_(x))

/** The future of anything that is one: a struct pawl_future, FUTURE(T), task or handle. NULL stays NULL. */
#define PAWL_FUTURE(x) pawl_future_of_(PAWL_AWAITABLE_(x), PAWL_FUTURE_KIND_(x))

/** Has it a result, an error, or been cancelled? */
PAWL_INLINE bool(pawl_future_done)(const struct pawl_future *future)
{
    return (future->flags & PAWL_FUTURE_DONE) != 0;
}
#define pawl_future_done(f) (pawl_future_done)(PAWL_FUTURE(f))

/** Was it cancelled? */
PAWL_INLINE bool(pawl_future_cancelled)(const struct pawl_future *future)
{
    return (future->flags & PAWL_FUTURE_DONE) && future->error == PAWL_ECANCELLED;
}
#define pawl_future_cancelled(f) (pawl_future_cancelled)(PAWL_FUTURE(f))

/** Its outcome: 0 or the error (PAWL_ECANCELLED when cancelled); PAWL_EPENDING when it is not done, PAWL_EINVAL for
 *  NULL. The outcome counts as seen then. */
PAWL_INLINE int(pawl_future_error)(struct pawl_future *future)
{
    if (future == NULL) return PAWL_EINVAL;
    if (!(future->flags & PAWL_FUTURE_DONE)) return PAWL_EPENDING;
    future->flags |= PAWL_FUTURE_SEEN;
    return future->error;
}
#define pawl_future_error(f) (pawl_future_error)(PAWL_FUTURE(f))

/** Settles `future` with an outcome, 0 or an error. 0; PAWL_EDONE when it is done already (nothing changes then);
 *  PAWL_EINVAL for NULL and for a task, which only its own coroutine settles. */
PAWL_API int pawl_future_settle(struct pawl_future *future, int error);

/** As pawl_future_settle with an error (negative; anything else becomes PAWL_EINVAL). */
PAWL_INLINE int(pawl_future_set_error)(struct pawl_future *future, int error)
{
    return pawl_future_settle(future, pawl_error_checked_(error));
}
#define pawl_future_set_error(f, e) (pawl_future_set_error)(PAWL_FUTURE(f), (e))

/** As pawl_future_settle with success, for a future without a typed result. */
PAWL_INLINE int pawl_future_set_done_(struct pawl_future *future)
{
    return pawl_future_settle(future, 0);
}
#define pawl_future_set_done(f) pawl_future_set_done_(PAWL_FUTURE(f))

/* Copies a typed result in, unless the future is done already. */
PAWL_INLINE int pawl_future_set_(struct pawl_future *future, size_t offset, const void *result, size_t size)
{
    if (future == NULL) return PAWL_EINVAL;
    if (future->flags & PAWL_FUTURE_DONE) return PAWL_EDONE;
    __builtin_memcpy((char *)future + offset, result, size);
    return pawl_future_settle(future, 0);
}

/** int pawl_future_set_result(f, value): settles a FUTURE(T) with a value of type T. Results as pawl_future_settle. */
#if defined(__cplusplus)
PAWL_END_C
template <class F, class V> PAWL_INLINE int pawl_future_set_value_(F *future, const V &value)
{
    __typeof__(future->result) result = value;
    return pawl_future_set_(&future->awaitable, offsetof(F, result), &result, sizeof result);
}
PAWL_BEGIN_C
#define pawl_future_set_result(f, ...) pawl_future_set_value_((f), (__VA_ARGS__))
#else
#define pawl_future_set_result(f, ...) \
    pawl_future_set_((struct pawl_future *)PAWL_AWAITABLE_(f), offsetof(__typeof__(*(f)), result), \
                     (__typeof__((f)->result)[]){ (__VA_ARGS__) }, sizeof((f)->result))
#endif

/** Cancels it: true when that is done or under way, false when it was done already (or NULL). For a task this is
 *  pawl_task_cancel, for a handle pawl_handle_cancel. */
PAWL_API bool pawl_future_cancel(struct pawl_future *future);
#define pawl_future_cancel(f) (pawl_future_cancel)(PAWL_FUTURE(f))

/** Registers `callback(argument)` to run on `loop` after `future` is done: through the ready queue, also when it is
 *  done already. `handle` must be idle and stay until it ran or was removed. 0; PAWL_EBUSY when the handle is in use
 *  (or the future is awaited by a coroutine stepped by hand); PAWL_EINVAL for a NULL. */
PAWL_API int pawl_future_add_callback(struct pawl_future *future, struct pawl_loop *loop, struct pawl_handle *handle,
                                      pawl_callback *callback, void *argument);
#define pawl_future_add_callback(f, loop, handle, callback, argument) \
    (pawl_future_add_callback)(PAWL_AWAITED_(f), (loop), (handle), (callback), (argument))

/** Unregisters, also when the future is done and the callback has only not run yet: true. False: it is not
 *  registered. The handle's memory is the caller's again. */
PAWL_API bool pawl_future_remove_callback(struct pawl_handle *handle);

/** Makes a done future pending again, for one that is used over and over (readiness of a socket). Nobody may wait. */
PAWL_INLINE void pawl_future_reset(struct pawl_future *future)
{
    future->flags &= (uint16_t)~(PAWL_FUTURE_DONE | PAWL_FUTURE_SEEN);
    future->error = 0;
}

PAWL_END_C

/* C99 takes _Generic as an extension. */
#if defined(__cplusplus)
template <class T> struct pawl_kind_;
template <> struct pawl_kind_<struct pawl_coro> { enum { value = PAWL_KIND_CORO }; };
template <> struct pawl_kind_<struct pawl_waiters> { enum { value = PAWL_KIND_FUTURE }; };
template <> struct pawl_kind_<struct pawl_future> { enum { value = PAWL_KIND_FUTURE }; };
template <> struct pawl_kind_<struct pawl_job> { enum { value = PAWL_KIND_JOB }; };
struct pawl_task;
template <> struct pawl_kind_<struct pawl_task> { enum { value = PAWL_KIND_SLOT }; };
#define PAWL_KIND_(x) ((int)pawl_kind_<__typeof__((x)->awaitable)>::value)
#define PAWL_FUTURE_KIND_(x) PAWL_KIND_(x)
#else
#define PAWL_FUTURE_KIND_(x) (__extension__ _Generic((x)->awaitable, \
    struct pawl_waiters: PAWL_KIND_FUTURE, struct pawl_future: PAWL_KIND_FUTURE, \
    struct pawl_job: PAWL_KIND_JOB, struct pawl_task: PAWL_KIND_SLOT))
#define PAWL_KIND_(x) (__extension__ _Generic((x)->awaitable, struct pawl_coro: PAWL_KIND_CORO, \
    struct pawl_waiters: PAWL_KIND_FUTURE, struct pawl_future: PAWL_KIND_FUTURE, \
    struct pawl_job: PAWL_KIND_JOB, struct pawl_task: PAWL_KIND_SLOT))
#endif

/* A task is complete here so that the words above know it; its functions are in task.h. */

/** A task: a job that drives a chain of frames, whose root stands right behind it. */
struct pawl_task {
    struct pawl_job awaitable;
    struct pawl_link all; /* in the loop's list of tasks */
};

#ifdef PAWL_TIME_32
PAWL_STATIC_ASSERT(sizeof(void *) > 4 || sizeof(struct pawl_task) <= 32, "a task is 32 bytes on ILP32");
#endif
PAWL_STATIC_ASSERT(sizeof(void *) != 8 || sizeof(struct pawl_task) <= 64, "a task is 64 bytes on LP64");

#ifndef PAWL_PREFIXED_KEYWORDS
#define FUTURE(T) PAWL_FUTURE_OF(T)
#endif

#endif
