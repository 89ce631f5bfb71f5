/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Timeouts, cancel scopes and groups, in each other and around locks and channels. */
#include "everywhere.h"

static int at_work; /* children between their first step and their end */
static struct pawl_lock lock;
static struct pawl_semaphore semaphore;

static void begin_work(void)
{
    at_work = 0;
    memset(&lock, 0, sizeof lock);
    semaphore = (struct pawl_semaphore)PAWL_SEMAPHORE_INIT(1);
}

static void check_work(void)
{
    hold(at_work == 0);
    hold(!pawl_lock_locked(&lock));
    hold_empty(lock.waiters);
    hold(semaphore.value == 1 && semaphore.handed == 0);
    hold_empty(semaphore.waiters);
}

/* ---- A child ---- */

struct works {
    COROUTINE(void);
    struct pawl_lock_acquire lock;
    struct pawl_sleep sleep;
    pawl_time span;
    int error;
    bool stubborn, locks;
};

ASYNC(works)
{
    ASYNC_BEGIN(works);
    at_work++;
    TRY {
        TRY {
            if (self->locks) {
                WITH(self->lock, pawl_lock_acquire(&lock)) {
                    AWAIT(self->sleep, pawl_sleep(self->span));
                } END_WITH;
            } else {
                AWAIT(self->sleep, pawl_sleep(self->span));
            }
        } CATCH(PAWL_ECANCELLED) {
            if (!self->stubborn) RERAISE();
            AWAIT(self->sleep, pawl_sleep(1));
        } END_TRY;
        if (self->error != 0) RAISE(self->error);
    } FINALLY {
        at_work--;
    } END_TRY;
    ASYNC_END;
}

/* ---- Timeouts ---- */

struct timed {
    COROUTINE(void);
    struct pawl_timeout outer, inner;
    struct pawl_sleep sleep;
    pawl_time span;
    bool cleans;
};

ASYNC(timed)
{
    ASYNC_BEGIN(timed);
    TRY {
        WITH(self->outer, pawl_timeout(self->span)) {
            TRY {
                AWAIT(self->sleep, pawl_sleep(2));
                YIELD_NOW();
            } FINALLY {
                if (self->cleans) AWAIT(self->sleep, pawl_sleep(1));
            } END_TRY;
        } END_WITH;
    } CATCH(PAWL_ETIMEOUT) {
        YIELD_NOW();
    } END_TRY;
    AWAIT(self->sleep, pawl_sleep(1));
    ASYNC_END;
}

struct timed_twice {
    COROUTINE(void);
    struct pawl_timeout outer, inner;
    struct pawl_sleep sleep;
    pawl_time outer_span, inner_span;
};

ASYNC(timed_twice)
{
    ASYNC_BEGIN(timed_twice);
    TRY {
        WITH(self->outer, pawl_timeout(self->outer_span)) {
            WITH(self->inner, pawl_move_on_after(self->inner_span)) {
                AWAIT(self->sleep, pawl_sleep(2));
            } END_WITH;
            AWAIT(self->sleep, pawl_sleep(1));
        } END_WITH;
    } CATCH(PAWL_ETIMEOUT) {
        hold(pawl_timeout_expired(&self->outer));
    } END_TRY;
    YIELD_NOW();
    ASYNC_END;
}

static void begin_timeout(void)
{
    begin_work();
    player(CORO(timed, .span = 1));
    player(CORO(timed, .span = 1, .cleans = true));
    player(CORO(timed, .span = 2, .cleans = true));
}

static void begin_timeout_in_time(void)
{
    begin_work();
    player(CORO(timed, .span = 9));
    player(CORO(timed, .span = PAWL_FOREVER));
    player(CORO(timed, .span = 0));
}

static void begin_timeout_nested(void)
{
    begin_work();
    player(CORO(timed_twice, .outer_span = 1, .inner_span = 1));
    player(CORO(timed_twice, .outer_span = 2, .inner_span = 1));
    player(CORO(timed_twice, .outer_span = 1, .inner_span = 2));
    player(CORO(timed_twice, .outer_span = 3, .inner_span = 0));
}

struct rescheduled {
    COROUTINE(void);
    struct pawl_timeout scope;
    struct pawl_sleep sleep;
};

ASYNC(rescheduled)
{
    ASYNC_BEGIN(rescheduled);
    TRY {
        WITH(self->scope, pawl_timeout_at(1)) {
            YIELD_NOW();
            hold(pawl_timeout_reschedule(&self->scope, 3) == 0);
            AWAIT(self->sleep, pawl_sleep(2));
            hold(pawl_timeout_reschedule(&self->scope, 0) == 0);
            AWAIT(self->sleep, pawl_sleep(2));
        } END_WITH;
    } CATCH(PAWL_ETIMEOUT) {
    } END_TRY;
    ASYNC_END;
}

static void begin_reschedule(void)
{
    begin_work();
    player(CORO(rescheduled));
    player(CORO(rescheduled));
}

/* ---- Cancel scopes ---- */

static struct pawl_timeout *scopes[2];

struct scoped {
    COROUTINE(void);
    struct pawl_timeout scope;
    struct works work;
    int number;
};

ASYNC(scoped)
{
    ASYNC_BEGIN(scoped);
    WITH(self->scope, pawl_cancel_scope()) {
        scopes[self->number] = &self->scope;
        TRY {
            AWAIT(self->work, CORO(works, .span = 3, .locks = true, .stubborn = self->number == 1));
        } FINALLY {
            scopes[self->number] = NULL;
        } END_TRY;
    } END_WITH;
    YIELD_NOW();
    ASYNC_END;
}

struct cancels_scopes {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(cancels_scopes)
{
    ASYNC_BEGIN(cancels_scopes);
    AWAIT(self->sleep, pawl_sleep(1));
    for (int i = 0; i < 2; i++) pawl_scope_cancel(scopes[i]);
    ASYNC_END;
}

static void begin_cancel_scope(void)
{
    begin_work();
    scopes[0] = scopes[1] = NULL;
    player(CORO(scoped, .number = 0));
    player(CORO(scoped, .number = 1));
    helper(CORO(cancels_scopes));
}

/* A scope in a scope: a lock for a time, a permit within it, and a time for that. */
struct holds_both {
    COROUTINE(void);
    struct pawl_timeout outer, inner;
    struct pawl_lock_acquire lock;
    struct pawl_semaphore_acquire permit;
    struct pawl_sleep sleep;
};

ASYNC(holds_both)
{
    ASYNC_BEGIN(holds_both);
    WITH(self->outer, pawl_move_on_after(5)) {
        WITH(self->lock, pawl_lock_acquire(&lock)) {
            AWAIT(self->sleep, pawl_sleep(1));
            TRY {
                WITH(self->inner, pawl_timeout(2)) {
                    WITH(self->permit, pawl_semaphore_acquire(&semaphore)) {
                        AWAIT(self->sleep, pawl_sleep(1));
                    } END_WITH;
                    AWAIT(self->sleep, pawl_sleep(1));
                } END_WITH;
            } CATCH(PAWL_ETIMEOUT) {
            } END_TRY;
        } END_WITH;
    } END_WITH;
    ASYNC_END;
}

struct keeps_permit {
    COROUTINE(void);
    struct pawl_semaphore_acquire permit;
    struct pawl_sleep sleep;
};

ASYNC(keeps_permit)
{
    ASYNC_BEGIN(keeps_permit);
    YIELD_NOW();
    WITH(self->permit, pawl_semaphore_acquire(&semaphore)) {
        AWAIT(self->sleep, pawl_sleep(3));
    } END_WITH;
    ASYNC_END;
}

static void begin_scopes_nested(void)
{
    begin_work();
    for (int i = 0; i < 3; i++) player(CORO(holds_both));
    player(CORO(keeps_permit));
}

/* ---- Groups ---- */

struct groups {
    COROUTINE(void);
    struct pawl_group group;
    struct pawl_sleep sleep;
    int error, block; /* of a child, and of the block: then the others do not go on for long */
    bool stubborn, eager, locks;
};

static void spawn_eager(struct groups *self)
{
    pawl_group_spawn_eager(&self->group, CORO(works, .span = 2, .error = self->error));
    pawl_group_spawn_eager(&self->group, CORO(works, .span = 3, .stubborn = self->stubborn, .locks = self->locks));
}

ASYNC(groups)
{
    ASYNC_BEGIN(groups);
    TRY {
        WITH(self->group, pawl_group()) {
            pawl_group_spawn(&self->group, CORO(works, .span = 2, .locks = self->locks));
            if (self->eager) spawn_eager(self);
            pawl_group_spawn(&self->group, CORO(works, .span = 1, .error = self->error));
            AWAIT(self->sleep, pawl_sleep(1));
            pawl_group_spawn(&self->group, CORO(works, .span = 2, .stubborn = self->stubborn));
            if (self->block != 0) {
                pawl_group_spawn(&self->group, CORO(works, .span = LATE));
                RAISE(self->block);
            }
        } END_WITH;
        YIELD_NOW();
    } CATCH_ERROR {
        hold(CAUGHT() == -5 || CAUGHT() == -6);
    } FINALLY {
        hold(pawl_loop_time(pawl_loop_current()) < LATE);
    } END_TRY;
    hold(self->group.members == NULL);
    ASYNC_END;
}

static void begin_group(void)
{
    begin_work();
    player(CORO(groups));
    player(CORO(groups, .eager = true, .locks = true));
}

static void begin_group_failing(void)
{
    begin_work();
    player(CORO(groups, .error = -5));
    player(CORO(groups, .error = -5, .eager = true, .locks = true));
}

static void begin_group_block_failing(void)
{
    begin_work();
    player(CORO(groups, .block = -6));
    player(CORO(groups, .block = -6, .error = -5, .eager = true));
}

static void begin_group_stubborn(void)
{
    begin_work();
    player(CORO(groups, .stubborn = true));
    player(CORO(groups, .stubborn = true, .error = -5, .eager = true));
}

/* Children in the frame of the one that waits for them. */
struct groups_static {
    COROUTINE(void);
    struct pawl_group group;
    struct pawl_member members[3];
    TASK(works) children[2];
    TASK(pawl_lock_acquire) locker;
    struct pawl_failure failures[2];
    int error;
};

static void add_members(struct groups_static *self)
{
    struct pawl_task *const first = pawl_start(&self->children[0], CORO(works, .span = 2, .error = self->error));
    struct pawl_task *const second = pawl_start(&self->children[1], CORO(works, .span = 1, .error = self->error, .locks = true));
    hold(pawl_group_add(&self->group, &self->members[0], first) == 0);
    hold(pawl_group_add(&self->group, &self->members[1], second) == 0);
}

ASYNC(groups_static)
{
    ASYNC_BEGIN(groups_static);
    TRY {
        WITH(self->group, pawl_group_keeping(self->failures, 2)) {
            add_members(self);
        } END_WITH;
    } CATCH(-5) {
    } END_TRY;
    ASYNC_END;
}

static void begin_group_static(void)
{
    begin_work();
    player(CORO(groups_static));
    player(CORO(groups_static, .error = -5));
}

/* A group in a group in a timeout. */
struct groups_groups {
    COROUTINE(void);
    struct pawl_timeout timeout;
    struct pawl_group group, inner;
    struct pawl_sleep sleep;
    pawl_time span;
    int error;
};

ASYNC(groups_groups)
{
    ASYNC_BEGIN(groups_groups);
    TRY {
        WITH(self->timeout, pawl_timeout(self->span)) {
            WITH(self->group, pawl_group()) {
                pawl_group_spawn(&self->group, CORO(works, .span = 4, .locks = true));
                pawl_group_spawn(&self->group, CORO(groups, .error = -5));
                WITH(self->inner, pawl_group()) {
                    pawl_group_spawn(&self->inner, CORO(works, .span = 3, .error = self->error));
                    pawl_group_spawn(&self->inner, CORO(works, .span = 4, .locks = true));
                } END_WITH;
                AWAIT(self->sleep, pawl_sleep(1));
            } END_WITH;
        } END_WITH;
    } CATCH(PAWL_ETIMEOUT) {
    } CATCH(-5) {
    } END_TRY;
    YIELD_NOW();
    ASYNC_END;
}

static void begin_group_nested(void)
{
    begin_work();
    player(CORO(groups_groups, .span = 3));
    player(CORO(groups_groups, .span = 3, .error = -5));
}

static void begin_group_nested_long(void)
{
    begin_work();
    player(CORO(groups_groups, .span = PAWL_FOREVER));
    player(CORO(groups_groups, .span = 9, .error = -5));
}

/* One child ends the whole group, once without an error. */
struct ends_group {
    COROUTINE(void);
    struct pawl_sleep sleep;
    struct pawl_group *group;
};

ASYNC(ends_group)
{
    ASYNC_BEGIN(ends_group);
    AWAIT(self->sleep, pawl_sleep(1));
    pawl_group_cancel(self->group);
    AWAIT(self->sleep, pawl_sleep(1));
    ASYNC_END;
}

struct group_ended {
    COROUTINE(void);
    struct pawl_group group;
    struct pawl_sleep sleep;
    pawl_time span;
};

ASYNC(group_ended)
{
    ASYNC_BEGIN(group_ended);
    WITH(self->group, pawl_group()) {
        pawl_group_spawn(&self->group, CORO(works, .span = 3));
        pawl_group_spawn(&self->group, CORO(ends_group, .group = &self->group));
        pawl_group_spawn(&self->group, CORO(works, .span = 3, .stubborn = true));
        AWAIT(self->sleep, pawl_sleep(self->span));
    } END_WITH;
    AWAIT(self->sleep, pawl_sleep(1));
    ASYNC_END;
}

static void begin_group_cancelled(void)
{
    begin_work();
    player(CORO(group_ended, .span = 0));
    player(CORO(group_ended, .span = 1));
    player(CORO(group_ended, .span = 3));
}

/* A pool that takes from a channel; its end is the end of the channel. */
static CHANNEL(int, 1) jobs;
static int got, put;

struct takes_jobs {
    COROUTINE(void);
    struct pawl_channel_receive receive;
    struct pawl_sleep sleep;
    int job;
};

ASYNC(takes_jobs)
{
    ASYNC_BEGIN(takes_jobs);
    for (;;) {
        TRY_AWAIT(self->receive, pawl_channel_receive(&jobs, &self->job));
        if (AWAIT_ERROR() == PAWL_ECLOSED) break;
        if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
        got++;
        AWAIT(self->sleep, pawl_sleep(1));
    }
    ASYNC_END;
}

struct has_pool {
    COROUTINE(void);
    struct pawl_group group;
    struct pawl_channel_send send;
    int job;
};

ASYNC(has_pool)
{
    ASYNC_BEGIN(has_pool);
    WITH(self->group, pawl_group()) {
        for (int i = 0; i < 2; i++) pawl_group_spawn(&self->group, CORO(takes_jobs));
        TRY {
            for (self->job = 0; self->job < 5; self->job++) {
                AWAIT(self->send, pawl_channel_send(&jobs, self->job));
                put++;
            }
        } FINALLY {
            pawl_channel_close(&jobs);
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

static void begin_pool(void)
{
    begin_work();
    pawl_channel_init(&jobs);
    got = put = 0;
    player(CORO(has_pool));
}

static void check_pool(void)
{
    hold(put == got + (int)pawl_channel_size(&jobs));
    hold_empty(jobs.channel.receivers);
    hold_empty(jobs.channel.senders);
    hold(jobs.channel.promised == 0 && jobs.channel.reserved == 0);
}

const struct scenario scope_scenarios[] = {
    { "timeout", begin_timeout, check_work, 0 },
    { "timeout_that_is_long_enough", begin_timeout_in_time, check_work, 0 },
    { "timeouts_nested", begin_timeout_nested, check_work, 0 },
    { "timeout_rescheduled", begin_reschedule, check_work, 0 },
    { "cancel_scope", begin_cancel_scope, check_work, MAY_SWALLOW },
    { "scopes_nested", begin_scopes_nested, check_work, 0 },
    { "group", begin_group, check_work, 0 },
    { "group_of_one_that_fails", begin_group_failing, check_work, MAY_REPORT },
    { "group_whose_block_fails", begin_group_block_failing, check_work, MAY_REPORT },
    { "group_of_one_that_swallows", begin_group_stubborn, check_work, MAY_REPORT },
    { "group_of_static_tasks", begin_group_static, check_work, MAY_REPORT },
    { "groups_nested", begin_group_nested, check_work, MAY_REPORT },
    { "groups_nested_that_have_time", begin_group_nested_long, check_work, MAY_REPORT },
    { "group_cancelled", begin_group_cancelled, check_work, 0 },
    { "group_as_a_pool", begin_pool, check_pool, 0 },
    { NULL, NULL, NULL, 0 }
};
