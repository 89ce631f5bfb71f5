/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Statements of locks, events, conditions, semaphores and barriers. */
#include "oracle.h"

static struct pawl_lock *lock_at(const struct statement *at)
{
    const struct argument *const what = &at->arguments[0];
    return what->kind == 'c' ? world.conditions[what->value].lock : &world.locks[what->value];
}

static bool is_semaphore(const struct statement *at)
{
    return at->arguments[0].kind == 's';
}

static struct pawl_semaphore *semaphore_at(const struct statement *at)
{
    return &world.semaphores[number_at(at, 0)];
}

static const char *truth(bool value)
{
    return value ? "yes" : "no";
}

/* ---- Locks and semaphores ---- */

OPERATION(acquire, struct pawl_lock_acquire lock; struct pawl_semaphore_acquire semaphore;);
ASYNC(acquire)
{
    ASYNC_BEGIN(acquire);
    if (is_semaphore(self->at)) AWAIT(self->semaphore, pawl_semaphore_acquire(semaphore_at(self->at)));
    else AWAIT(self->lock, pawl_lock_acquire(lock_at(self->at)));
    ASYNC_END;
}

OPERATION(hold, struct pawl_lock_acquire lock; struct pawl_semaphore_acquire semaphore; struct run *run;);
ASYNC(hold)
{
    ASYNC_BEGIN(hold);
    if (is_semaphore(self->at)) {
        WITH(self->semaphore, pawl_semaphore_acquire(semaphore_at(self->at))) {
            say("%d hold has", self->at->number);
            RUN(block_at(self->at, 1), self->result);
        } END_WITH;
    } else {
        WITH(self->lock, pawl_lock_acquire(lock_at(self->at))) {
            say("%d hold has", self->at->number);
            RUN(block_at(self->at, 1), self->result);
        } END_WITH;
    }
    *self->result.text = '\0';
    ASYNC_END;
}

static const char *try_acquire(const struct statement *at)
{
    return truth(is_semaphore(at) ? pawl_semaphore_try_acquire(semaphore_at(at)) : pawl_lock_try_acquire(lock_at(at)));
}

static const char *release(const struct statement *at)
{
    const int error = is_semaphore(at) ? pawl_semaphore_release(semaphore_at(at)) : pawl_lock_release(lock_at(at));
    return error == 0 ? "ok" : error_text(error);
}

static const char *locked(const struct statement *at)
{
    return truth(is_semaphore(at) ? pawl_semaphore_locked(semaphore_at(at)) : pawl_lock_locked(lock_at(at)));
}

/* ---- Events ---- */

static struct pawl_event *event_at(const struct statement *at, int i)
{
    return &world.flags[number_at(at, i)];
}

OPERATION(event_wait, struct pawl_event_wait wait;);
ASYNC(event_wait)
{
    ASYNC_BEGIN(event_wait);
    AWAIT(self->wait, pawl_event_wait(event_at(self->at, 0)));
    ASYNC_END;
}

static const char *event_set(const struct statement *at)
{
    pawl_event_set(event_at(at, 0));
    return "ok";
}

static const char *event_clear(const struct statement *at)
{
    pawl_event_clear(event_at(at, 0));
    return "ok";
}

static const char *event_is_set(const struct statement *at)
{
    return truth(pawl_event_is_set(event_at(at, 0)));
}

/* ---- Conditions ---- */

static struct pawl_condition *condition_at(const struct statement *at)
{
    return &world.conditions[number_at(at, 0)];
}

OPERATION(condition_wait, struct pawl_condition_wait wait;);
ASYNC(condition_wait)
{
    ASYNC_BEGIN(condition_wait);
    AWAIT(self->wait, pawl_condition_wait(condition_at(self->at)));
    ASYNC_END;
}

static bool event_holds(void *event)
{
    return pawl_event_is_set(event);
}

/* Waits until an event is set, notified by the condition. */
OPERATION(condition_wait_for, struct pawl_condition_wait wait;);
ASYNC(condition_wait_for)
{
    ASYNC_BEGIN(condition_wait_for);
    AWAIT(self->wait, pawl_condition_wait_for(condition_at(self->at), event_holds, event_at(self->at, 1)));
    ASYNC_END;
}

static const char *notify(const struct statement *at)
{
    const int count = number_at(at, 1);
    const int error = count < 0 ? pawl_condition_notify_all(condition_at(at)) : pawl_condition_notify(condition_at(at), (unsigned)count);
    return error == 0 ? "ok" : error_text(error);
}

/* ---- Barriers ---- */

static struct pawl_barrier *barrier_at(const struct statement *at)
{
    return &world.barriers[number_at(at, 0)];
}

OPERATION(meet, struct pawl_barrier_wait wait;);
ASYNC(meet)
{
    ASYNC_BEGIN(meet);
    AWAIT(self->wait, pawl_barrier_wait(barrier_at(self->at)));
    snprintf(self->result.text, sizeof self->result.text, "%u", self->wait.result);
    ASYNC_END;
}

OPERATION(barrier_reset, struct pawl_barrier_end end;);
ASYNC(barrier_reset)
{
    ASYNC_BEGIN(barrier_reset);
    AWAIT(self->end, pawl_barrier_reset(barrier_at(self->at)));
    ASYNC_END;
}

OPERATION(barrier_abort, struct pawl_barrier_end end;);
ASYNC(barrier_abort)
{
    ASYNC_BEGIN(barrier_abort);
    AWAIT(self->end, pawl_barrier_abort(barrier_at(self->at)));
    ASYNC_END;
}

static const char *waiting(const struct statement *at)
{
    static char text[16];
    snprintf(text, sizeof text, "%u", pawl_barrier_waiting(barrier_at(at)));
    return text;
}

static const char *broken(const struct statement *at)
{
    return truth(pawl_barrier_broken(barrier_at(at)));
}

const struct word words_sync[] = {
    { "acquire", NULL, make_acquire }, { "hold", NULL, make_hold }, { "tryacquire", try_acquire, NULL }, { "release", release, NULL },
    { "locked", locked, NULL }, { "waitevent", NULL, make_event_wait }, { "setevent", event_set, NULL }, { "clear", event_clear, NULL },
    { "isset", event_is_set, NULL }, { "condwait", NULL, make_condition_wait }, { "condwaitfor", NULL, make_condition_wait_for },
    { "notify", notify, NULL }, { "meet", NULL, make_meet }, { "reset", NULL, make_barrier_reset }, { "abort", NULL, make_barrier_abort },
    { "waiting", waiting, NULL }, { "broken", broken, NULL }, { NULL, NULL, NULL },
};
