/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The loop: runs what is ready, in the order in which it became so, and asks its port to wait when nothing is. One
 * loop a thread runs at a time, and a loop and all that belongs to it (tasks, futures, handles, sockets) are used from
 * the thread that runs it. What may be called from elsewhere says so; nothing else may.
 *
 * A loop is a plain struct in the caller's memory and allocates nothing but the tasks that pawl_spawn makes, through
 * the allocator that it was given.
 */
#ifndef PAWL_LOOP_H
#define PAWL_LOOP_H

#include "future.h"
#include "port.h"
#include "timer.h"

PAWL_BEGIN_C

/** Where memory comes from. `allocate` returns NULL when there is none; the memory is aligned for any type. */
struct pawl_allocator {
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory);
    void *context;
    unsigned keep; /* how many freed tasks (and stream buffers) of one size a loop may keep for the next ones, 0: none. Ignored on 32 bits */
};

/* Freed tasks of one size. */
struct pawl_spare {
    void *first;
    uint32_t size, count;
};

/** An error that nobody will look at any more. */
struct pawl_failure {
    const char *name;    /* of the task or its coroutine; "future" for a plain future */
    const char *where;   /* "file:line" where it was raised, or NULL */
    int error;
    const char *message; /* what the matter is: a static string */
};
typedef void pawl_report(struct pawl_loop *loop, const struct pawl_failure *failure);

/** A loop. Read its fields through the functions below. */
struct pawl_loop {
    struct pawl_link queues[2]; /* what runs in this iteration, and what in the next; they change places */
    struct pawl_link *ready;    /* the one for the next */
    struct pawl_task *current;
    bool stop;
    bool taken_out; /* a job has left a queue otherwise than by its turn */
    bool running;
#ifdef PAWL_SPARES_
    int patience; /* jobs to run before the port is asked although something is ready */
#else
    int8_t patience; /* the same, in iterations: there is no room for more jobs than one can count here */
#endif
    pawl_time now; /* when the port was last asked */
    struct pawl_link tasks; /* those that have not ended, and heap tasks that were not released */
    struct pawl_port *port;
    const struct pawl_allocator *allocator;
    pawl_report *report;
    struct pawl_handle *inbox; /* from other threads, newest first */
#ifdef PAWL_SPARES_
    struct pawl_spare spares[PAWL_SPARES_]; /* a size belongs to one of them, by a hash */
#endif
    struct pawl_timers timers; /* the largest part, and the last, so that the others lie close together */
};

#ifdef PAWL_TIME_32
PAWL_STATIC_ASSERT(sizeof(void *) != 4 || sizeof(struct pawl_loop) <= 64, "a loop is 64 bytes of RAM on ILP32");
#endif

/** The loop that runs in this thread, or NULL. What pawl_spawn, pawl_call_soon and the rest work on. */
extern PAWL_API PAWL_THREAD_LOCAL struct pawl_loop *pawl_loop_current_;
PAWL_INLINE struct pawl_loop *pawl_loop_current(void)
{
    return pawl_loop_current_;
}

/** Makes `loop` (or NULL: none) the current one of this thread, so that tasks can be made for it before it runs. Returns
 *  the one before. Not while a loop runs in this thread. */
PAWL_API struct pawl_loop *pawl_loop_use(struct pawl_loop *loop);

/* The knobs that change a layout are part of the name, so that a mismatch between library and user does not link. */
#define pawl_loop_init PAWL_ABI_NAME_(pawl_loop_init)

/** Makes a loop in the caller's memory. `port` is borrowed and must outlive it. `allocator` (NULL: none, pawl_spawn
 *  fails) is borrowed too. 0, or PAWL_EINVAL for a NULL loop or port. */
PAWL_API int pawl_loop_init(struct pawl_loop *loop, struct pawl_port *port, const struct pawl_allocator *allocator);

/** Ends a loop: reports errors that nobody looked at and frees the heap tasks that are left. Those that have not ended
 *  (pawl_loop_shutdown ends them) are closed: their FINALLYs run, and what would wait in them is closed too. A
 *  task in the caller's memory is cancelled then. Handles that are armed are their owners' again, but callbacks of
 *  futures that outlive the loop are to be removed before, and sockets to be closed. Pointers to heap tasks are void then. Not while it runs. Harmless for a zeroed or finished loop. */
PAWL_API void pawl_loop_finish(struct pawl_loop *loop);

/** Cancels every task and runs until all have ended (asyncio.run's end). 0 or an error of the port. */
PAWL_API int pawl_loop_shutdown(struct pawl_loop *loop);

/** Runs until pawl_loop_stop. 0; PAWL_EBUSY when this loop, or another one in this thread, runs already;
 *  PAWL_EDEADLK when nothing is left that could ever run (a port that can tell); another error of the port. */
PAWL_API int pawl_loop_run(struct pawl_loop *loop);

/** One iteration. `wait`: when nothing is ready, wait for it; otherwise only look. Results as pawl_loop_run. */
PAWL_API int pawl_loop_run_once(struct pawl_loop *loop, bool wait);

/** Runs until `future` is done: its outcome, or an error as from pawl_loop_run (the future is still pending then);
 *  PAWL_EPENDING when pawl_loop_stop came first (asyncio: "Event loop stopped before Future completed"). */
PAWL_API int pawl_loop_run_until_complete(struct pawl_loop *loop, struct pawl_future *future);
#define pawl_loop_run_until_complete(loop, f) (pawl_loop_run_until_complete)((loop), PAWL_FUTURE(f))

/** Ends the run at the end of the current iteration; before a run, that makes it one iteration. In the loop's thread; from elsewhere through
 *  pawl_call_soon_threadsafe. */
PAWL_API void pawl_loop_stop(struct pawl_loop *loop);

/** Makes the loop look at its port. From any thread, interrupt or signal handler. */
PAWL_API void pawl_loop_wake(struct pawl_loop *loop);

/** The time now, as the port tells it. */
PAWL_API pawl_time pawl_loop_time(struct pawl_loop *loop);

/** Is anything of this loop left that is ready, waits for a time, or was sent from another thread? */
PAWL_API bool pawl_loop_pending(const struct pawl_loop *loop);

/** Runs `callback(argument)` in the next iteration, after what was queued before it (FIFO). `handle` is borrowed until
 *  it ran or was cancelled. 0; PAWL_EBUSY when the handle is in use; PAWL_EINVAL for a NULL and a finished loop. */
PAWL_API int pawl_call_soon(struct pawl_loop *loop, struct pawl_handle *handle, pawl_callback *callback, void *argument);
/** The same, `delay` from now. A negative delay is 0. */
PAWL_API int pawl_call_later(struct pawl_loop *loop, struct pawl_handle *handle, pawl_time delay, pawl_callback *callback,
                             void *argument);
/** The same, at the time `when` of this loop's clock. Timers due at one instant run in the order armed. */
PAWL_API int pawl_call_at(struct pawl_loop *loop, struct pawl_handle *handle, pawl_time when, pawl_callback *callback,
                          void *argument);
/** pawl_call_soon from any thread, or from a signal handler. The handle must be idle. The loop must stay until this has
 *  returned: join the thread before the loop is finished, or before the end of pawl_run. 0 or PAWL_EINVAL. Hosted builds. */
PAWL_API int pawl_call_soon_threadsafe(struct pawl_loop *loop, struct pawl_handle *handle, pawl_callback *callback,
                                       void *argument);

/** Cancels a call or a callback that has not run yet: true, and the handle is the caller's again. */
PAWL_API bool pawl_handle_cancel(struct pawl_handle *handle);

/** Is it scheduled or registered, also by another thread for the current loop? */
PAWL_API bool pawl_handle_pending(const struct pawl_handle *handle);

/** Tells the loop's report of a failure that nobody else can be told of; harmless without one, and for a NULL loop. Strings
 *  are borrowed for the call. (loop.call_exception_handler) */
PAWL_API void pawl_loop_report(struct pawl_loop *loop, const struct pawl_failure *failure);

/** What is told of errors that nobody looks at; NULL: nothing. The hosted helpers set one that writes to stderr. It runs
 *  within whatever ends or frees the task, and must neither make nor free tasks. (loop.set_exception_handler) */
PAWL_INLINE void pawl_loop_set_report(struct pawl_loop *loop, pawl_report *report)
{
    loop->report = report;
}

/** For a future that goes away: reports its error when nobody saw it. Harmless for a zeroed one. `loop` may be NULL. */
PAWL_API void pawl_future_finish(struct pawl_future *future, struct pawl_loop *loop);
#define pawl_future_finish(f, loop) (pawl_future_finish)(PAWL_FUTURE(f), (loop))

PAWL_END_C

#endif
