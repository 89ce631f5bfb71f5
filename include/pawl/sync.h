/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Between the tasks of one loop: lock, event, condition, semaphore, barrier. asyncio's, to the letter, with its fairness:
 * first come first served, and a hand-over that is cancelled on its way goes to the next one. Freestanding, no
 * allocation; all of them in the caller's memory, which must stay while somebody waits.
 *
 *      static struct pawl_lock lock;                                    zeroed is unlocked
 *
 *      WITH(self->hold, pawl_lock_acquire(&lock)) { … } END_WITH;       struct pawl_lock_acquire hold; in the frame
 *
 * What waits is a coroutine (`AWAIT(slot, call)`, or `WITH(slot, call)` where leaving gives back what entering took); the rest
 * are plain functions, to be called in the thread of the loop, from tasks and callbacks alike. Cancelled while it waits, an
 * operation has not happened. Each works by hand too, without a loop.
 *
 * Hazard: a condition's wait that is closed (coro_close) while another one has the lock leaves without it, since who is closed
 * cannot wait. A WITH of that lock around it knows; a pawl_lock_release in a FINALLY unlocks what is another one's.
 */
#ifndef PAWL_SYNC_H
#define PAWL_SYNC_H

#include "scope.h"
#include "waiter.h"

PAWL_BEGIN_C

/* ---- Lock ---- */

/** A lock (mutex) for tasks. Not recursive. (asyncio.Lock) */
struct pawl_lock {
    struct pawl_wait_list waiters;
    bool locked;
    uint8_t owed; /* waits for a condition that were closed and could not lock again: a scope around them must not unlock */
};
#define PAWL_LOCK_INIT { { NULL }, false, 0 }

struct pawl_lock_acquire {
    PAWL_SCOPE;
    struct pawl_waiter waiter;
    struct pawl_lock *lock;
};
PAWL_API pawl_resume_fn pawl_lock_acquire_resume;

/** Waits until the lock is free and nobody was before us, and locks it. As a scope it unlocks on the way out. Raises
 *  PAWL_EINVAL for NULL. */
PAWL_INLINE PAWL_MUST_USE struct pawl_lock_acquire pawl_lock_acquire(struct pawl_lock *lock)
{
    struct pawl_lock_acquire frame;
    frame.awaitable = pawl_coro_init_(pawl_lock_acquire_resume);
    frame.lock = lock;
    return frame;
}

/** Locks it if nobody has it or waits for it: true. */
PAWL_API bool pawl_lock_try_acquire(struct pawl_lock *lock);

/** Unlocks; the first that waits has it next. 0; PAWL_EINVAL when it is not locked. Whoever calls it unlocks: there is no owner. */
PAWL_API int pawl_lock_release(struct pawl_lock *lock);

PAWL_INLINE bool pawl_lock_locked(const struct pawl_lock *lock)
{
    return lock->locked;
}

/* ---- Event ---- */

/** A flag that can be waited for. Zeroed is not set. (asyncio.Event) */
struct pawl_event {
    struct pawl_wait_list waiters;
    bool is_set;
};

struct pawl_event_wait {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_event *event;
};
PAWL_API pawl_resume_fn pawl_event_wait_resume;

/** Waits until it is set; at once when it is. Raises PAWL_EINVAL for NULL. */
PAWL_INLINE PAWL_MUST_USE struct pawl_event_wait pawl_event_wait(struct pawl_event *event)
{
    struct pawl_event_wait frame;
    frame.awaitable = pawl_coro_init_(pawl_event_wait_resume);
    frame.event = event;
    return frame;
}

/** Sets it, and wakes all that wait, also when it is cleared before they run. */
PAWL_API void pawl_event_set(struct pawl_event *event);

PAWL_INLINE void pawl_event_clear(struct pawl_event *event)
{
    event->is_set = false;
}

PAWL_INLINE bool pawl_event_is_set(const struct pawl_event *event)
{
    return event->is_set;
}

/* ---- Condition ---- */

/** Waiting for something to become true that a lock protects. Several may share a lock. (asyncio.Condition) */
struct pawl_condition {
    struct pawl_lock *lock;
    struct pawl_wait_list waiters;
};
#define PAWL_CONDITION_INIT(lock) { (lock), { NULL } }

/** Is what somebody waits for true? */
typedef bool pawl_predicate(void *argument);

struct pawl_condition_wait {
    struct pawl_coro awaitable;
    struct pawl_waiter waiter;
    struct pawl_condition *condition;
    pawl_predicate *predicate;
    void *argument;
    int16_t error;
};
PAWL_API pawl_resume_fn pawl_condition_wait_resume;

/** Waits until predicate(argument) is true: unlocks, waits to be notified, and locks again, also when it is cancelled
 *  meanwhile; NULL is true after any notification. To wait, the lock must be held: otherwise PAWL_EINVAL is raised. The predicate is
 *  called with the lock held and must not block. */
PAWL_INLINE PAWL_MUST_USE struct pawl_condition_wait pawl_condition_wait_for(struct pawl_condition *condition,
                                                                             pawl_predicate *predicate, void *argument)
{
    struct pawl_condition_wait frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_condition_wait_resume);
    frame.condition = condition;
    frame.predicate = predicate;
    frame.argument = argument;
    return frame;
}

/** Waits for one notification: the caller looks whether what it waits for is true, and waits again if not. */
PAWL_INLINE PAWL_MUST_USE struct pawl_condition_wait pawl_condition_wait(struct pawl_condition *condition)
{
    return pawl_condition_wait_for(condition, NULL, NULL);
}

/** Wakes up to `count` of those that wait, in their order; each goes on when it has the lock. 0; PAWL_EINVAL when the lock is
 *  not held. */
PAWL_API int pawl_condition_notify(struct pawl_condition *condition, unsigned count);

/** Wakes all of them. */
PAWL_API int pawl_condition_notify_all(struct pawl_condition *condition);

/* ---- Semaphore ---- */

/** A number of permits. (asyncio.Semaphore, BoundedSemaphore) */
struct pawl_semaphore {
    struct pawl_wait_list waiters;
    unsigned value;  /* permits that nobody has */
    unsigned handed; /* permits on their way to somebody that was woken */
    unsigned bound;  /* never more than these; 0: no bound */
};
/** Static initialisers: `permits` to begin with, 0 or more; the bounded one never has more than that, and takes at least 1. */
#define PAWL_SEMAPHORE_INIT(permits) { { NULL }, (permits), 0, 0 }
#define PAWL_BOUNDED_SEMAPHORE_INIT(permits) { { NULL }, (permits), 0, (permits) }

struct pawl_semaphore_acquire {
    PAWL_SCOPE;
    struct pawl_waiter waiter;
    struct pawl_semaphore *semaphore;
};
PAWL_API pawl_resume_fn pawl_semaphore_acquire_resume;

/** Waits for a permit, in turn. As a scope it gives it back on the way out. Raises PAWL_EINVAL for NULL. */
PAWL_INLINE PAWL_MUST_USE struct pawl_semaphore_acquire pawl_semaphore_acquire(struct pawl_semaphore *semaphore)
{
    struct pawl_semaphore_acquire frame;
    frame.awaitable = pawl_coro_init_(pawl_semaphore_acquire_resume);
    frame.semaphore = semaphore;
    return frame;
}

/** Takes a permit if there is one and nobody waits for it: true. */
PAWL_API bool pawl_semaphore_try_acquire(struct pawl_semaphore *semaphore);

/** Gives a permit back, or adds one. 0; PAWL_EINVAL when that would be more than its bound, or than UINT_MAX. */
PAWL_API int pawl_semaphore_release(struct pawl_semaphore *semaphore);

/** Would an acquire wait? True also while a permit is on its way to somebody. */
PAWL_API bool pawl_semaphore_locked(const struct pawl_semaphore *semaphore);

/* ---- Barrier ---- */

/** A meeting point of a number of tasks, over and over. Stays where it was initialised. (asyncio.Barrier) */
struct pawl_barrier {
    struct pawl_lock lock;
    struct pawl_condition condition;
    unsigned parties, count;
    uint8_t state;
};

/** `parties`: how many must come, at least 1. 0, or PAWL_EINVAL. */
PAWL_API int pawl_barrier_init(struct pawl_barrier *barrier, unsigned parties);

/** The frame of pawl_barrier_wait; its result says as how manieth this task came, 0 to parties - 1. */
struct pawl_barrier_wait {
    PAWL_COROUTINE(unsigned);
    struct pawl_barrier *barrier;
    struct pawl_lock_acquire hold;
    struct pawl_condition_wait wait;
};
PAWL_API pawl_resume_fn pawl_barrier_wait_resume;

/** Waits until all parties wait here, then all go on; the next round begins when they have. Raises PAWL_EBROKEN when the barrier
 *  is aborted, or reset while this waits. */
PAWL_INLINE PAWL_MUST_USE struct pawl_barrier_wait pawl_barrier_wait(struct pawl_barrier *barrier)
{
    struct pawl_barrier_wait frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_barrier_wait_resume);
    frame.barrier = barrier;
    return frame;
}

/** The frame of pawl_barrier_reset and pawl_barrier_abort. */
struct pawl_barrier_end {
    PAWL_COROUTINE(void);
    struct pawl_barrier *barrier;
    struct pawl_lock_acquire hold;
    bool broken;
};
PAWL_API pawl_resume_fn pawl_barrier_end_resume;

PAWL_INLINE struct pawl_barrier_end pawl_barrier_end_(struct pawl_barrier *barrier, bool broken)
{
    struct pawl_barrier_end frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_barrier_end_resume);
    frame.barrier = barrier;
    frame.broken = broken;
    return frame;
}

/** Empties it: those that wait get PAWL_EBROKEN, and it works as before, also after an abort. (Barrier.reset) */
PAWL_INLINE PAWL_MUST_USE struct pawl_barrier_end pawl_barrier_reset(struct pawl_barrier *barrier)
{
    return pawl_barrier_end_(barrier, false);
}

/** Breaks it: those that wait, and those that come, get PAWL_EBROKEN, until it is reset. (Barrier.abort) */
PAWL_INLINE PAWL_MUST_USE struct pawl_barrier_end pawl_barrier_abort(struct pawl_barrier *barrier)
{
    return pawl_barrier_end_(barrier, true);
}

/** How many wait; 0 while they go out. */
PAWL_API unsigned pawl_barrier_waiting(const struct pawl_barrier *barrier);
PAWL_API bool pawl_barrier_broken(const struct pawl_barrier *barrier);

PAWL_END_C

#endif
