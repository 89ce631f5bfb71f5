/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Task groups, as asyncio's: all children have ended when the block is left; who is cancelled, and which error goes on. */
#include <support.h>

#include <string.h>

enum { MOST = 6 };

static struct world world;
static struct trace seen;
static struct pawl_failure failures[MOST];

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
    memset(failures, 0, sizeof failures);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void run_all(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

static void nothing_is_left(void)
{
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
    ck_assert_uint_eq(world.memory.alive, 0);
}

/* Sleeps, says its number or "c" that it was cancelled, and ends as it is told. */
struct child {
    COROUTINE(int);
    int n, error, cleanup, last_error;
    pawl_time span;
    bool swallow;
    struct pawl_sleep sleep;
};

ASYNC(child)
{
    ASYNC_BEGIN(child);
    TRY {
        if (self->span >= 0) AWAIT(self->sleep, pawl_sleep(self->span));
        if (self->error) RAISE(self->error);
        trace(&seen, "%d ", self->n);
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "%dc ", self->n);
        if (!self->swallow) RERAISE();
    } FINALLY {
        while (self->cleanup-- > 0) AWAIT(self->sleep, pawl_yield());
        if (self->last_error) RAISE(self->last_error);
    } END_TRY;
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

/* A block with children of its own; the block itself is a child. */
struct block {
    COROUTINE(int);
    struct child children[MOST];
    int count;
    bool eager, returns;
    struct child body; /* not run with a span below 0 */
    struct child after;
    struct pawl_group group;
};

static void spawn_children(struct block *self)
{
    for (int i = 0; i < self->count; i++) {
        struct child child = self->children[i];
        child.awaitable = CORO(child).awaitable;
        child.n = i;
        if (self->eager) ck_assert_ptr_nonnull(pawl_group_spawn_eager(&self->group, child));
        else ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, child));
    }
}

ASYNC(block)
{
    ASYNC_BEGIN(block);
    WITH(self->group, pawl_group_keeping(failures, MOST)) {
        spawn_children(self);
        if (self->body.span >= 0) {
            self->body.awaitable = CORO(child).awaitable;
            self->body.n = 9;
            AWAIT(&self->body);
        }
        if (self->returns) ASYNC_RETURN(7);
    } END_WITH;
    trace(&seen, "end%u ", pawl_task_cancelling(pawl_task_current()));
    ASYNC_END;
}

#define NO_BODY { .span = -1 }
#define CHILDREN_OF(...) .children = { __VA_ARGS__ }, \
    .count = sizeof((const struct child[]){ __VA_ARGS__ }) / sizeof(struct child)

/* The parent, cancelled at a time; at 0 before its children have begun. */
static int run_and_cancel(struct block block, pawl_time when)
{
    struct pawl_task *const task = pawl_spawn(block);
    for (int i = 0; i < 1 + (when > 0); i++) once();
    while (pawl_loop_time(&world.loop) < when) {
        world.clock.now = when;
        once();
    }
    ck_assert_int_eq(pawl_future_error(task), PAWL_EPENDING);
    ck_assert(pawl_task_cancel(task));
    const int error = pawl_loop_run_until_complete(&world.loop, task);
    pawl_task_release(task);
    return error;
}

/* ---- All have ended when the block is left ---- */

static TASK(child) slots[MOST];
static struct pawl_member members[MOST];

struct adds {
    COROUTINE(int);
    int count;
    pawl_time pause; /* before each but the first */
    int i, outcome[MOST];
    struct child children[MOST];
    struct pawl_task *cancel;
    struct pawl_group group;
    struct pawl_sleep sleep;
};

ASYNC(adds)
{
    ASYNC_BEGIN(adds);
    WITH(self->group, pawl_group()) {
        for (self->i = 0; self->i < self->count; self->i++) {
            if (self->i > 0 && self->pause > 0) AWAIT(self->sleep, pawl_sleep(self->pause));
            if (self->i > 0 && self->cancel != NULL) pawl_task_cancel(self->cancel);
            struct child child = self->children[self->i];
            child.awaitable = CORO(child).awaitable;
            child.n = self->i;
            self->outcome[self->i] = pawl_group_add(&self->group, &members[self->i], pawl_start(&slots[self->i], child));
        }
    } END_WITH;
    trace(&seen, "end%u ", pawl_task_cancelling(pawl_task_current()));
    ASYNC_END;
}

START_TEST(a_block_waits_for_its_children_and_their_results_stay_with_them)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(adds, .count = 2, .children = { { .span = 10 }, { .span = 20 } })), 0);
    ck_assert_trace(&seen, "0 1 end0 ");
    for (int i = 0; i < 2; i++) ck_assert_int_eq(slots[i].frame.result, i);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 20);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(children_may_be_made_at_any_time_in_the_block)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(adds, .count = 2, .pause = 15, .children = { { .span = 10 }, { .span = 20 } })), 0);
    ck_assert_trace(&seen, "0 1 end0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 35);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_child_that_is_merely_cancelled_fails_nobody)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(adds, .count = 2, .pause = 15, .cancel = &slots[0].awaitable,
                                            .children = { { .span = 100 }, { .span = 20 } })), 0);
    ck_assert_trace(&seen, "0c 1 end0 ");
    ck_assert(pawl_future_cancelled(&slots[0]));
    ck_assert_int_eq(pawl_future_error(&slots[1]), 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_block_without_children_is_left_at_once)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(block, .body = NO_BODY));
    once();
    ck_assert_int_eq(pawl_future_error(task), 0);
    ck_assert_trace(&seen, "end0 ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_return_out_of_the_block_waits_for_the_children_and_keeps_its_result)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(block, .body = NO_BODY, .returns = true, CHILDREN_OF({ .span = 10 }, { .span = 20 })));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_task_frame(block, task)->result, 7);
    ck_assert_trace(&seen, "0 1 ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(children_that_have_ended_are_forgotten_while_the_block_runs)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(block, .body = { .span = 100 }, CHILDREN_OF({ .span = 10 }, { .span = 20 }, { .span = 30 })));
    for (int i = 0; i < 2; i++) once();
    ck_assert_uint_eq(world.memory.alive, 4);
    for (size_t left = 3; left > 0; left--) {
        world.clock.now += 10;
        for (int i = 0; i < 4; i++) once();
        ck_assert_uint_eq(world.memory.alive, left);
    }
    ck_assert_ptr_null(pawl_task_frame(block, task)->group.members);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- A child fails ---- */

START_TEST(the_first_child_that_fails_cancels_the_others_and_is_raised_when_all_have_ended)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .body = NO_BODY, CHILDREN_OF({ .span = 10, .error = -5 }, { .span = 100, .cleanup = 3 }))), -5);
    ck_assert_trace(&seen, "1c ");
    ck_assert_int_eq(failures[0].error, -5);
    ck_assert_int_eq(world.reports, 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(children_that_fail_at_one_instant_are_all_noted_and_the_block_is_cancelled)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .body = { .span = 1000 }, CHILDREN_OF({ .span = 10, .error = -5 }, { .span = 10, .error = -6 },
                                                                                         { .span = 10, .error = -7 }, { .span = 500 }))), -5);
    ck_assert_trace(&seen, "3c 9c "); /* the children first */
    ck_assert_int_eq(failures[0].error, -5);
    ck_assert_int_eq(failures[1].error, -6);
    ck_assert_int_eq(failures[2].error, -7);
    ck_assert_int_eq(failures[3].error, 0);
    ck_assert_str_eq(failures[0].name, "child");
    ck_assert_int_eq(world.reports, 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct counts {
    COROUTINE(int);
    size_t room, failed;
    struct pawl_group group;
};

ASYNC(counts)
{
    ASYNC_BEGIN(counts);
    TRY {
        WITH(self->group, pawl_group_keeping(failures, self->room)) {
            for (int i = 0; i < 4; i++) pawl_group_spawn(&self->group, CORO(child, .n = i, .span = 10, .error = -5 - i));
        } END_WITH;
    } CATCH_ERROR {
        self->failed = self->group.failed;
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

START_TEST(failures_that_find_no_room_and_are_not_raised_are_reported)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(counts, .room = (size_t)_i));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), -5);
    ck_assert_uint_eq(pawl_task_frame(counts, task)->failed, 4);
    for (int i = 0; i < MOST; i++) ck_assert_int_eq(failures[i].error, i < _i && i < 4 ? -5 - i : 0);
    ck_assert_int_eq(world.reports, _i == 0 ? 3 : _i < 4 ? 4 - _i : 0);
    if (world.reports) ck_assert_int_eq(world.last_error, -8);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(the_errors_of_cleanups_are_noted_behind_the_first)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .body = NO_BODY, CHILDREN_OF({ .span = 50, .last_error = -6 }, { .span = 10, .error = -5 },
                                                                                { .span = 50, .last_error = -7, .cleanup = 2 }))), -5);
    ck_assert_int_eq(failures[0].error, -5);
    ck_assert_int_eq(failures[1].error, -6);
    ck_assert_int_eq(failures[2].error, -7);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_child_that_swallows_its_cancellation_is_waited_for)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .body = NO_BODY,
        CHILDREN_OF({ .span = 10, .error = -5 }, { .span = 100, .swallow = true, .cleanup = 4 }))), -5);
    ck_assert_trace(&seen, "1c ");
    ck_assert_int_eq(failures[1].error, 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_failure_while_the_block_waits_for_the_end_does_not_cancel_it_before)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .body = { .span = 5 }, CHILDREN_OF({ .span = 10, .error = -5 }, { .span = 100 }))), -5);
    ck_assert_trace(&seen, "9 1c ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- The block fails ---- */

START_TEST(an_error_of_the_block_cancels_the_children_and_is_raised)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .body = { .span = _i ? 1 : 0, .error = -5 }, CHILDREN_OF({ .span = 10 }, { .span = 20 }))), -5);
    ck_assert_trace(&seen, "0c 1c ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct fails_at_once {
    COROUTINE(int);
    struct pawl_group group;
};

ASYNC(fails_at_once)
{
    ASYNC_BEGIN(fails_at_once);
    WITH(self->group, pawl_group()) {
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(pawl_group_add(&self->group, &members[i], pawl_start(&slots[i], CORO(child, .n = i, .span = 10))), 0);
        RAISE(-5);
    } END_WITH;
    ASYNC_END;
}

START_TEST(children_that_have_not_begun_when_the_block_fails_never_do)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(fails_at_once)), -5);
    ck_assert_trace(&seen, "");
    for (int i = 0; i < 2; i++) ck_assert(pawl_future_cancelled(&slots[i]));
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(an_error_of_the_block_is_noted_behind_those_of_the_children)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .body = { .span = 100, .last_error = -6 }, CHILDREN_OF({ .span = 10, .error = -5 }))), -5);
    ck_assert_int_eq(failures[0].error, -5);
    ck_assert_int_eq(failures[1].error, -6);
    ck_assert_str_eq(failures[1].name, "block");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(an_error_of_the_block_that_came_first_is_noted_last_all_the_same)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .body = { .span = 1, .error = -6 }, CHILDREN_OF({ .span = 10, .last_error = -5 }))), -5);
    ck_assert_int_eq(failures[0].error, -5);
    ck_assert_int_eq(failures[1].error, -6);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Cancelled from outside ---- */

START_TEST(the_cancel_of_a_block_that_waits_for_its_children_cancels_them_and_goes_on)
{
    begin();
    ck_assert_int_eq(run_and_cancel(CORO(block, .body = NO_BODY,
        CHILDREN_OF({ .span = 50 }, { .span = 50 }, { .span = 50 }, { .span = 50 }, { .span = 50 })), 10),
                     PAWL_ECANCELLED);
    ck_assert_trace(&seen, "0c 1c 2c 3c 4c ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(the_cancel_of_a_block_that_runs_reaches_the_block_first_and_then_the_children)
{
    begin();
    ck_assert_int_eq(run_and_cancel(CORO(block, .body = { .span = 100 }, CHILDREN_OF({ .span = 50 }, { .span = 50 })), 10), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "9c 0c 1c ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(the_cancel_of_a_block_without_children_goes_on)
{
    begin();
    ck_assert_int_eq(run_and_cancel(CORO(block, .body = { .span = 100 }), 10), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "9c ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(children_that_begin_in_the_iteration_of_the_cancel_are_cancelled_too)
{
    begin();
    ck_assert_int_eq(run_and_cancel(CORO(block, .body = NO_BODY, CHILDREN_OF({ .span = 50 }, { .span = 50 })), 0), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "0c 1c ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(the_error_of_a_childs_cleanup_is_raised_instead_of_the_cancel)
{
    begin();
    ck_assert_int_eq(run_and_cancel(CORO(block, .body = { .span = 100 },
        CHILDREN_OF({ .span = 50, .last_error = -5 }, { .span = 50, .last_error = -5 })), 10), -5);
    ck_assert_int_eq(failures[1].error, -5);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_child_that_cleans_up_is_not_cancelled_again_when_another_one_fails)
{
    begin();
    ck_assert_int_eq(run_and_cancel(CORO(block, .body = NO_BODY,
        CHILDREN_OF({ .span = 50, .last_error = -5 }, { .span = 50, .cleanup = 6, .last_error = -6 })), 10), -5);
    ck_assert_int_eq(failures[0].error, -5);
    ck_assert_int_eq(failures[1].error, -6); /* its cleanup was not interrupted */
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_child_that_fails_during_the_cleanup_of_the_block_is_raised_instead_of_the_cancel)
{
    begin();
    /* the block's own cleanup takes a while, in which the child is not cancelled yet */
    ck_assert_int_eq(run_and_cancel(CORO(block, .body = { .span = 100, .cleanup = 5 }, CHILDREN_OF({ .span = 10, .error = -5 })), 10), -5);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(an_error_that_the_block_makes_of_its_cancel_is_raised)
{
    begin();
    ck_assert_int_eq(run_and_cancel(CORO(block, .body = { .span = 100, .last_error = -6 }), 10), -6);
    ck_assert_trace(&seen, "9c ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct waits_for_a_task {
    COROUTINE(int);
    struct pawl_task *task;
};

ASYNC(waits_for_a_task)
{
    ASYNC_BEGIN(waits_for_a_task);
    AWAIT(self->task);
    ASYNC_END;
}

START_TEST(a_cancel_that_is_forwarded_to_the_task_of_a_group_ends_with_its_error)
{
    begin();
    struct pawl_task *const inner = pawl_spawn(CORO(block, .body = { .span = 100, .cleanup = 5 }, CHILDREN_OF({ .span = 10, .error = -5 }))),
                     *const outer = pawl_spawn(CORO(waits_for_a_task, .task = inner));
    for (int i = 0; i < 3; i++) once();
    world.clock.now = 10;
    once(); /* the child is about to fail */
    ck_assert(pawl_task_cancel(outer));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, outer), -5);
    pawl_task_release(inner);
    pawl_task_release(outer);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_cancel_while_the_children_end_after_a_failure_is_heard_behind_the_error)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(block, .body = { .span = 100 },
        CHILDREN_OF({ .span = 10, .error = -5 }, { .span = 100, .cleanup = 10 })));
    for (int i = 0; i < 2; i++) once();
    world.clock.now = 10;
    for (int i = 0; i < 5; i++) once();
    ck_assert_int_eq(pawl_future_error(task), PAWL_EPENDING);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), -5);
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* A child fails in the iteration in which its parent is cancelled. */
struct goes_on {
    COROUTINE(int);
    struct pawl_group group;
    struct pawl_sleep sleep;
};

ASYNC(goes_on)
{
    ASYNC_BEGIN(goes_on);
    TRY {
        WITH(self->group, pawl_group()) {
            ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, CORO(child, .span = 0, .error = -5)));
            AWAIT(self->sleep, pawl_sleep(10));
        } END_WITH;
    } CATCH(-5) {
        trace(&seen, "e%u ", pawl_task_cancelling(pawl_task_current()));
    } END_TRY;
    trace(&seen, "a%u ", pawl_task_cancelling(pawl_task_current()));
    AWAIT(self->sleep, pawl_sleep(10));
    trace(&seen, "not ");
    ASYNC_END;
}

START_TEST(an_error_and_a_cancel_at_once_give_the_error_and_then_the_cancel)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(goes_on));
    once();
    once(); /* the child has begun */
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "e1 a1 ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct catches {
    COROUTINE(int);
    struct block block;
};

ASYNC(catches)
{
    ASYNC_BEGIN(catches);
    TRY {
        AWAIT(&self->block);
    } CATCH(-5) {
        trace(&seen, "e%u ", pawl_task_cancelling(pawl_task_current()));
    } END_TRY;
    ASYNC_END;
}

START_TEST(after_a_failure_nobody_asks_the_task_to_end_any_more)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(catches, .block = CORO(block, .body = { .span = 100 }, CHILDREN_OF({ .error = -5 })))), 0);
    ck_assert_trace(&seen, "9c e0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* Two children, a block; the parent cancelled before any iteration. */
START_TEST(whenever_the_task_is_cancelled_no_child_outlives_the_block)
{
    static const int errors[] = { 0, -5 };
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(block, .body = { .span = 2 }, .eager = _i & 1,
                                                   CHILDREN_OF({ .span = 1, .cleanup = 2 },
                                                               { .span = 3, .error = errors[_i >> 1 & 1] }, { .span = 4, .cleanup = 1 })));
    for (int i = 0; i < _i >> 2; i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    const bool cancelled = pawl_task_cancel(task);
    const int error = pawl_loop_run_until_complete(&world.loop, task);
    ck_assert(error == (cancelled ? PAWL_ECANCELLED : errors[_i >> 1 & 1]) || error == errors[_i >> 1 & 1]);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Nested ---- */

/* Two groups, one in the other: the children of both, and what the inner block does. */
struct nested {
    COROUTINE(int);
    const struct child *outer_child;
    struct block inner;
    bool catches;
    struct pawl_group group;
};

ASYNC(nested)
{
    ASYNC_BEGIN(nested);
    WITH(self->group, pawl_group()) {
        if (self->outer_child != NULL) {
            struct child child = *self->outer_child;
            child.awaitable = CORO(child).awaitable;
            child.n = 8;
            ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, child));
        }
        AWAIT(&self->inner);
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_cancel_reaches_the_children_of_the_inner_group_and_their_error_comes_out_of_both)
{
    static const struct child sleeper = { .span = 100 };
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(nested, .outer_child = _i == 1 ? &sleeper : NULL,
        .inner = CORO(block, .body = { .span = 100 }, CHILDREN_OF({ .span = 100, .last_error = -5 }, { .span = 100, .last_error = -5 }))));
    for (int i = 0; i < 3; i++) once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), -5);
    ck_assert_trace(&seen, _i == 1 ? "9c 0c 1c 8c " : "9c 0c 1c ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_failure_in_the_outer_group_cancels_the_inner_one)
{
    static const struct child fails = { .span = 10, .error = -5 };
    begin();
    ck_assert_int_eq(world_run(&world, CORO(nested, .outer_child = &fails, .inner = CORO(block, .body = NO_BODY,
        CHILDREN_OF({ .span = 100, .error = -6 })))), -5);
    ck_assert_trace(&seen, "0c ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_failure_in_the_inner_group_cancels_the_outer_ones_children)
{
    static const struct child sleeper = { .span = 100, .error = -6 };
    begin();
    ck_assert_int_eq(world_run(&world, CORO(nested, .outer_child = &sleeper, .inner = CORO(block, .body = NO_BODY,
        CHILDREN_OF({ .span = 10, .error = -5 })))), -5);
    ck_assert_trace(&seen, "8c ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct both_fail {
    COROUTINE(int);
    struct pawl_group outer, inner;
};

ASYNC(both_fail)
{
    ASYNC_BEGIN(both_fail);
    TRY {
        WITH(self->outer, pawl_group()) {
            TRY {
                WITH(self->inner, pawl_group()) {
                    pawl_group_spawn(&self->inner, CORO(child, .span = 0, .error = -5));
                    pawl_group_spawn(&self->outer, CORO(child, .span = 0, .error = -6));
                } END_WITH;
                ck_abort();
            } CATCH(-5) {
                trace(&seen, "inner%u ", pawl_task_cancelling(pawl_task_current()));
            } END_TRY;
        } END_WITH;
        ck_abort();
    } CATCH(-6) {
        trace(&seen, "outer%u ", pawl_task_cancelling(pawl_task_current()));
    } END_TRY;
    ASYNC_END;
}

START_TEST(two_groups_that_fail_at_once_raise_one_after_the_other)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(both_fail)), 0);
    ck_assert_trace(&seen, "inner1 outer0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Children that make children ---- */

struct grows {
    COROUTINE(int);
    struct pawl_group *group;
    int depth, *alive;
    pawl_time span;
    struct pawl_sleep sleep;
};

ASYNC_DECLARE(grows);

ASYNC(grows)
{
    ASYNC_BEGIN(grows);
    ++*self->alive;
    AWAIT(self->sleep, pawl_sleep(self->span));
    if (self->depth > 0)
        for (int i = 0; i < 2; i++) {
            struct grows child = CORO(grows, .group = self->group, .depth = self->depth - 1, .alive = self->alive, .span = self->span * (i + 1));
            if (pawl_group_spawn(self->group, child) == NULL) trace(&seen, "refused ");
        }
    ASYNC_END;
}

struct hercules {
    COROUTINE(int);
    int *alive;
    struct pawl_sleep sleep;
};

ASYNC(hercules)
{
    ASYNC_BEGIN(hercules);
    while (*self->alive < 10) AWAIT(self->sleep, pawl_sleep(15));
    RAISE(-5);
    ASYNC_END;
}

struct grown {
    COROUTINE(int);
    int depth, alive;
    bool fought;
    struct pawl_group group;
};

ASYNC(grown)
{
    ASYNC_BEGIN(grown);
    WITH(self->group, pawl_group()) {
        pawl_group_spawn(&self->group, CORO(grows, .group = &self->group, .depth = self->depth, .alive = &self->alive, .span = 10));
        if (self->fought) pawl_group_spawn(&self->group, CORO(hercules, .alive = &self->alive));
    } END_WITH;
    self->result = self->alive;
    ASYNC_END;
}

START_TEST(a_child_may_make_more_while_the_block_waits_for_it)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(grown, .depth = _i));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_task_frame(grown, task)->result, (2 << _i) - 1);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(children_without_end_are_ended_by_one_that_fails)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(grown, .depth = 1000, .fought = true));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), -5);
    ck_assert_int_ge(pawl_task_frame(grown, task)->alive, 10);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct spawns_late {
    COROUTINE(int);
    struct pawl_group *group;
    struct pawl_sleep sleep;
};

ASYNC(spawns_late)
{
    ASYNC_BEGIN(spawns_late);
    TRY {
        AWAIT(self->sleep, pawl_sleep(100));
    } CATCH(PAWL_ECANCELLED) {
        ck_assert_ptr_null(pawl_group_spawn(self->group, CORO(child)));
        ck_assert_ptr_null(pawl_group_spawn_eager(self->group, CORO(child)));
        ck_assert_int_eq(pawl_group_add(self->group, &members[0], pawl_start(&slots[0], CORO(child))), PAWL_ECLOSED);
        trace(&seen, "refused ");
    } END_TRY;
    ASYNC_END;
}

struct refuses {
    COROUTINE(int);
    struct pawl_group group;
};

ASYNC(refuses)
{
    ASYNC_BEGIN(refuses);
    WITH(self->group, pawl_group()) {
        pawl_group_spawn(&self->group, CORO(child, .span = 1, .error = -5));
        pawl_group_spawn(&self->group, CORO(spawns_late, .group = &self->group));
    } END_WITH;
    ASYNC_END;
}

START_TEST(after_a_failure_no_child_is_taken)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(refuses)), -5);
    ck_assert_trace(&seen, "refused ");
    run_all();
    ck_assert(pawl_future_cancelled(&slots[0])); /* it did not begin */
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- The children's own ---- */

struct names {
    COROUTINE(int);
    struct pawl_group group;
    struct pawl_context context, other;
    struct pawl_task *named, *child;
};

ASYNC(names)
{
    ASYNC_BEGIN(names);
    self->context.loop = self->other.loop = pawl_loop_current();
    ck_assert_int_eq(pawl_task_set_context(pawl_task_current(), &self->context), 0);
    WITH(self->group, pawl_group_keeping(failures, MOST)) {
        self->named = pawl_group_spawn(&self->group, CORO(child, .span = 1));
        ck_assert_int_eq(pawl_task_set_name(self->named, NULL, "yolo"), 0);
        ck_assert_str_eq(pawl_task_name(self->named), "yolo");
        self->child = pawl_group_spawn(&self->group, CORO(child, .span = 2));
        ck_assert_ptr_eq(pawl_task_context(self->named), &self->context);
        ck_assert_int_eq(pawl_task_set_context(self->child, &self->other), 0);
        AWAIT(self->named);
        ck_assert_ptr_eq(pawl_task_context(self->child), &self->other);
        ck_assert_ptr_eq(pawl_task_context(pawl_task_current()), &self->context);
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_child_may_be_named)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(names)), 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_child_inherits_the_context_or_is_given_another)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(names)), 0);
    ck_assert_trace(&seen, "0 0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- A block within: the error of another scope's end ---- */

struct pool {
    PAWL_SCOPE;
};

static PAWL_LEAF(pool)
{
    PAWL_LEAF_BEGIN(pool);
    (void)root;
    return pawl_leaf_done(co, co->point == PAWL_POINT_EXIT ? -6 : error);
}

static struct pool pool(void)
{
    return (struct pool){ .awaitable = PAWL_CORO_INIT(pool_resume) };
}

struct uses_a_pool {
    COROUTINE(int);
    struct pawl_group group;
    struct pool pool;
    struct pawl_sleep sleep;
};

ASYNC(uses_a_pool)
{
    ASYNC_BEGIN(uses_a_pool);
    TRY {
        WITH(self->group, pawl_group_keeping(failures, MOST)) {
            WITH(self->pool, pool()) {
                pawl_group_spawn(&self->group, CORO(child, .span = -1, .error = -5));
                AWAIT(self->sleep, pawl_sleep(100));
            } END_WITH;
        } END_WITH;
        ck_abort();
    } CATCH(-5) {
        ck_assert_uint_eq(pawl_task_cancelling(pawl_task_current()), 0);
        ck_assert_uint_eq(self->group.failed, 2);
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_scope_within_that_makes_an_error_of_the_groups_cancel_adds_it)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(uses_a_pool)), 0);
    ck_assert_int_eq(failures[0].error, -5);
    ck_assert_int_eq(failures[1].error, -6);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Entered or not ---- */

struct enters {
    COROUTINE(int);
    struct pawl_group made, group, inner;
};

ASYNC(enters)
{
    ASYNC_BEGIN(enters);
    self->made = pawl_group();
    WITH(self->group, self->made) {
        WITH(self->inner, self->made) {
            ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, CORO(child, .n = 1)));
            ck_assert_ptr_nonnull(pawl_group_spawn(&self->inner, CORO(child, .n = 2)));
        } END_WITH;
    } END_WITH;
    WITH(self->group, self->made) {
        ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, CORO(child, .n = 3)));
    } END_WITH;
    ck_assert_ptr_null(pawl_group_spawn(&self->made, CORO(child)));
    ASYNC_END;
}

START_TEST(each_block_enters_a_group_of_its_own_also_one_within_the_other)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(enters)), 0);
    ck_assert_trace(&seen, "1 2 3 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_group_that_is_left_may_be_entered_again)
{
    begin();
    for (int i = 0; i < 2; i++) ck_assert_int_eq(world_run(&world, CORO(enters)), 0);
    ck_assert_trace(&seen, "1 2 3 1 2 3 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct leaves {
    COROUTINE(int);
    struct pawl_group group;
};

ASYNC(leaves)
{
    ASYNC_BEGIN(leaves);
    WITH(self->group, pawl_group()) {
    } END_WITH;
    ck_assert_ptr_null(pawl_group_spawn(&self->group, CORO(child)));
    ck_assert_ptr_null(pawl_group_spawn_eager(&self->group, CORO(child)));
    ck_assert_int_lt(pawl_group_add(&self->group, &members[0], pawl_start(&slots[0], CORO(child))), 0);
    ck_assert(!pawl_group_cancel(&self->group));
    ASYNC_END;
}

START_TEST(a_group_that_is_left_takes_no_child)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(leaves)), 0);
    run_all();
    ck_assert_trace(&seen, "");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_task_that_is_refused_never_begins)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(leaves)), 0);
    run_all();
    ck_assert(pawl_future_cancelled(&slots[0]));
    ck_assert_int_eq(world.reports, 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_group_that_is_not_entered_takes_no_child)
{
    begin();
    struct pawl_group group = pawl_group();
    ck_assert_ptr_null(pawl_group_spawn(&group, CORO(child)));
    ck_assert_ptr_null(pawl_group_spawn((struct pawl_group *)NULL, CORO(child)));
    ck_assert_int_eq(pawl_group_add(&group, &members[0], pawl_start(&slots[0], CORO(child))), PAWL_EINVAL);
    ck_assert_int_eq(pawl_group_add(NULL, &members[1], pawl_start(&slots[1], CORO(child))), PAWL_EINVAL);
    ck_assert(!pawl_group_cancel(&group) && !pawl_group_cancel(NULL));
    run_all();
    ck_assert_trace(&seen, "");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(without_a_task_a_group_is_not_entered)
{
    begin();
    struct block by_hand = CORO(block, .body = NO_BODY);
    ck_assert_ptr_null(coro_step(&by_hand));
    ck_assert_int_eq(coro_error(&by_hand), PAWL_EINVAL);
    world_end(&world);
}
END_TEST

struct adds_badly {
    COROUTINE(int);
    struct pawl_group group;
    struct pawl_sleep sleep;
};

ASYNC(adds_badly)
{
    ASYNC_BEGIN(adds_badly);
    WITH(self->group, pawl_group()) {
        ck_assert_int_eq(pawl_group_add(&self->group, &members[0], NULL), PAWL_EINVAL);
        ck_assert_int_eq(pawl_group_add(&self->group, NULL, pawl_start(&slots[0], CORO(child))), PAWL_EINVAL);
        ck_assert_int_eq(pawl_group_add(&self->group, &members[0], pawl_task_current()), PAWL_EINVAL);
        ck_assert_int_eq(pawl_group_add(&self->group, &members[0], pawl_start(&slots[1], CORO(child, .n = 1, .span = 5))), 0);
        ck_assert_int_eq(pawl_group_add(&self->group, &members[0], pawl_start(&slots[2], CORO(child, .n = 2))), PAWL_EBUSY);
        AWAIT(self->sleep, pawl_sleep(1));
        ck_assert_uint_eq(pawl_task_cancelling(pawl_task_current()), 0);
    } END_WITH;
    ASYNC_END;
}

START_TEST(what_is_no_task_or_no_member_is_refused_and_the_rest_goes_on)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(adds_badly)), 0);
    ck_assert_trace(&seen, "1 ");
    ck_assert(pawl_future_cancelled(&slots[0]) && pawl_future_cancelled(&slots[2]));
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* One member and one slot, for one child after the other. */
struct reuses {
    COROUTINE(int);
    int i, error;
    struct pawl_group group;
    struct pawl_sleep sleep;
};

ASYNC(reuses)
{
    ASYNC_BEGIN(reuses);
    WITH(self->group, pawl_group()) {
        for (self->i = 0; self->i < 3; self->i++) {
            struct child child = CORO(child, .n = self->i, .span = 5, .error = self->i == 2 ? self->error : 0);
            ck_assert_int_eq(pawl_group_add(&self->group, &members[0], pawl_start(&slots[0], child)), 0);
            AWAIT(self->sleep, pawl_sleep(6));
        }
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_member_is_free_for_another_child_when_its_child_has_ended)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(reuses, .error = _i ? -5 : 0)), _i ? -5 : 0);
    ck_assert_trace(&seen, _i ? "0 1 " : "0 1 2 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct adds_one {
    COROUTINE(int);
    struct pawl_task *task;
    int expected;
    struct pawl_group group;
};

ASYNC(adds_one)
{
    ASYNC_BEGIN(adds_one);
    WITH(self->group, pawl_group()) {
        ck_assert_int_eq(pawl_group_add(&self->group, &members[0], self->task), self->expected);
    } END_WITH;
    ASYNC_END;
}

static void spawn_too_late(void *argument)
{
    struct pawl_group *const group = argument;
    ck_assert_ptr_null(group->members); /* the last one is gone, and the block has not heard of it */
    ck_assert_ptr_null(pawl_group_spawn(group, CORO(child)));
    ck_assert_int_eq(pawl_group_add(group, &members[1], pawl_start(&slots[1], CORO(child))), PAWL_ECLOSED);
    trace(&seen, "refused ");
}

START_TEST(between_the_end_of_the_last_child_and_that_of_the_block_no_child_is_taken)
{
    static TASK(adds_one) task;
    static struct pawl_handle handle;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slots[0], CORO(child, .n = 1, .span = 5)));
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(adds_one, .task = &slots[0].awaitable)));
    once();
    ck_assert_int_eq(pawl_future_add_callback(&slots[0], &world.loop, &handle, spawn_too_late, &task.frame.group), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &task), 0);
    ck_assert_trace(&seen, "1 refused ");
    run_all();
    ck_assert(pawl_future_cancelled(&slots[1]));
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_task_of_another_loop_is_refused_and_does_not_begin)
{
    static struct world other;
    world_begin(&other);
    struct pawl_task *const stranger = pawl_start(&slots[0], CORO(child, .n = 3));
    begin();
    ck_assert_int_eq(world_run(&world, CORO(adds_one, .task = stranger, .expected = PAWL_EINVAL)), 0);
    nothing_is_left();
    world_end(&world);
    pawl_loop_use(&other.loop);
    ck_assert_int_eq(pawl_loop_run_once(&other.loop, false), 0);
    ck_assert(pawl_future_cancelled(stranger));
    ck_assert_trace(&seen, "");
    world_end(&other);
}
END_TEST

START_TEST(a_task_that_has_ended_counts_as_a_child_that_ends)
{
    static const int errors[] = { 0, -5, PAWL_ECANCELLED };
    begin();
    ck_assert_ptr_nonnull(pawl_start_eager(&slots[0], CORO(child, .span = -1, .error = errors[_i])));
    ck_assert_int_eq(world_run(&world, CORO(adds_one, .task = &slots[0].awaitable)), _i == 1 ? -5 : 0);
    ck_assert_int_eq(world.reports, 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- Memory ---- */

struct runs_out {
    COROUTINE(int);
    struct pawl_group group;
};

ASYNC(runs_out)
{
    ASYNC_BEGIN(runs_out);
    WITH(self->group, pawl_group()) {
        for (int i = 0; i < 3; i++)
            if (pawl_group_spawn(&self->group, CORO(child, .n = i)) == NULL) trace(&seen, "none ");
    } END_WITH;
    ASYNC_END;
}

START_TEST(without_memory_a_child_is_not_made_and_the_group_fails)
{
    static const char *const expected[] = { "none none none ", "none none ", "none " }; /* those made before never begin */
    begin();
    world.memory.fail_at = world.memory.calls + 2 + (size_t)_i;
    ck_assert_int_eq(world_run(&world, CORO(runs_out)), PAWL_ENOMEM);
    ck_assert_trace(&seen, expected[_i]);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct owns {
    COROUTINE(int);
    struct pawl_group group;
    struct pawl_task *task;
};

ASYNC(owns)
{
    ASYNC_BEGIN(owns);
    TRY {
        WITH(self->group, pawl_group()) {
            self->task = pawl_spawn(CORO(child, .n = 4, .span = 1, .error = self->result));
            ck_assert_int_eq(pawl_group_add(&self->group, &members[0], self->task), 0);
        } END_WITH;
    } CATCH(-5) {
        trace(&seen, "e ");
    } END_TRY;
    self->result = pawl_future_error(self->task);
    pawl_task_release(self->task);
    ASYNC_END;
}

START_TEST(a_heap_task_of_ones_own_stays_and_its_outcome_can_be_read_after_the_block)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(owns, .result = _i ? -5 : 0));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_task_frame(owns, task)->result, _i ? -5 : 0);
    ck_assert_trace(&seen, _i ? "e " : "4 ");
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(a_loop_that_finishes_leaves_nothing_of_a_group)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(nested, .inner = CORO(block, .body = { .span = _i & 1 ? 100 : -1 }, .eager = _i & 2,
        CHILDREN_OF({ .span = 10 }, { .span = 20 }))));
    for (int i = 0; i < 1 + (_i & 4); i++) once();
    ck_assert_int_eq(pawl_future_error(task), PAWL_EPENDING);
    world_end(&world);
}
END_TEST

START_TEST(a_loop_that_finishes_gives_members_in_ones_own_memory_back)
{
    static TASK(adds) parent;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&parent, CORO(adds, .count = 3, .children = { { .span = 10 }, { .span = 20 }, { .span = 30 } })));
    once();
    if (_i == 1) once();
    world_end(&world);
    for (int i = 0; i < 3; i++) {
        ck_assert(!pawl_handle_pending(&members[i].handle));
        ck_assert(pawl_future_done(&slots[i]));
    }
}
END_TEST

/* ---- Eager children ---- */

START_TEST(eager_children_run_up_to_their_first_suspension_at_once)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .eager = true, .body = { .span = -1 },
        CHILDREN_OF({ .span = -1 }, { .span = 10 }, { .span = -1 }))), 0);
    ck_assert_trace(&seen, "0 2 1 end0 ");
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(an_eager_child_that_fails_at_once_cancels_the_others_and_the_block)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .eager = true, .body = { .span = 50 },
        CHILDREN_OF({ .span = 10 }, { .span = -1, .error = -5 }, { .span = 10 }))), -5);
    ck_assert_trace(&seen, "0c 2c 9c ");
    ck_assert_int_eq(failures[0].error, -5);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(an_eager_child_that_fails_at_once_in_a_block_that_ends_is_raised)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(block, .eager = true, .body = NO_BODY, CHILDREN_OF({ .span = -1, .error = -5 }))), -5);
    ck_assert_int_eq(failures[0].error, -5);
    ck_assert_int_eq(world.reports, 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- pawl_group_cancel ---- */

struct cancels {
    COROUTINE(int);
    bool in_block, twice;
    struct pawl_group group;
    struct pawl_sleep sleep;
};

static struct pawl_group *the_group;

static void cancel_the_group(void *argument)
{
    (void)argument;
    trace(&seen, pawl_group_cancel(the_group) ? "yes " : "no ");
}

ASYNC(cancels)
{
    ASYNC_BEGIN(cancels);
    WITH(self->group, pawl_group()) {
        the_group = &self->group;
        for (int i = 0; i < 2; i++) pawl_group_spawn(&self->group, CORO(child, .n = i, .span = 100));
        if (self->in_block) AWAIT(self->sleep, pawl_sleep(100));
    } END_WITH;
    trace(&seen, "on%u ", pawl_task_cancelling(pawl_task_current()));
    AWAIT(self->sleep, pawl_sleep(5));
    ASYNC_END;
}

START_TEST(a_group_that_is_cancelled_ends_its_children_and_its_block_and_the_task_goes_on)
{
    struct pawl_handle handles[2] = { 0 };
    begin();
    for (int i = 0; i < 2; i++) pawl_call_at(&world.loop, &handles[i], 10, cancel_the_group, NULL);
    ck_assert_int_eq(world_run(&world, CORO(cancels, .in_block = _i)), 0);
    ck_assert_trace(&seen, "yes no 0c 1c on0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 15);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct cancels_from_a_child {
    COROUTINE(int);
    struct pawl_sleep sleep;
};

ASYNC(cancels_from_a_child)
{
    ASYNC_BEGIN(cancels_from_a_child);
    AWAIT(self->sleep, pawl_sleep(10));
    ck_assert(pawl_group_cancel(the_group));
    trace(&seen, "asked ");
    AWAIT(self->sleep, pawl_sleep(10));
    trace(&seen, "not ");
    ASYNC_END;
}

struct cancelled_from_within {
    COROUTINE(int);
    int how;
    struct pawl_group group;
    struct pawl_sleep sleep;
};

ASYNC(cancelled_from_within)
{
    ASYNC_BEGIN(cancelled_from_within);
    WITH(self->group, pawl_group()) {
        the_group = &self->group;
        pawl_group_spawn(&self->group, CORO(child, .n = 1, .span = 100));
        if (self->how == 0) {
            pawl_group_spawn(&self->group, CORO(cancels_from_a_child));
        } else {
            ck_assert(pawl_group_cancel(&self->group));
            ck_assert_ptr_null(pawl_group_spawn(&self->group, CORO(child)));
            if (self->how == 2) AWAIT(self->sleep, pawl_sleep(100));
            if (self->how == 3) ASYNC_RETURN(7);
            if (self->how == 4) RAISE(-5);
        }
    } END_WITH;
    trace(&seen, "on%u ", pawl_task_cancelling(pawl_task_current()));
    AWAIT(self->sleep, pawl_sleep(5));
    ASYNC_END;
}

START_TEST(a_child_or_the_block_may_cancel_the_group)
{
    static const char *const expected[] = { "asked 1c on0 ", "on0 ", "on0 ", "", "" };
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(cancelled_from_within, .how = _i));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), _i == 4 ? -5 : 0);
    if (_i == 3) ck_assert_int_eq(pawl_task_frame(cancelled_from_within, task)->result, 7);
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    ck_assert_trace(&seen, expected[_i]);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

START_TEST(the_cancel_of_the_task_is_not_swallowed_by_that_of_the_group)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(cancels, .in_block = _i & 1));
    once();
    once();
    if (_i & 2) ck_assert(pawl_task_cancel(task));
    ck_assert(pawl_group_cancel(the_group));
    if (!(_i & 2)) ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(task), 1);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct eager_canceller {
    COROUTINE(int);
    struct pawl_sleep sleep;
};

ASYNC(eager_canceller)
{
    ASYNC_BEGIN(eager_canceller);
    ck_assert(pawl_group_cancel(the_group));
    AWAIT(self->sleep, pawl_sleep(100));
    trace(&seen, "not ");
    ASYNC_END;
}

struct cancelled_eagerly {
    COROUTINE(int);
    struct pawl_group group;
};

ASYNC(cancelled_eagerly)
{
    ASYNC_BEGIN(cancelled_eagerly);
    WITH(self->group, pawl_group()) {
        the_group = &self->group;
        ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, CORO(child, .n = 1, .span = 100)));
        ck_assert_ptr_nonnull(pawl_group_spawn_eager(&self->group, CORO(eager_canceller)));
    } END_WITH;
    trace(&seen, "on%u ", pawl_task_cancelling(pawl_task_current()));
    ASYNC_END;
}

START_TEST(an_eager_child_that_cancels_the_group_in_its_first_step_is_cancelled_too)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(cancelled_eagerly)), 0);
    ck_assert_trace(&seen, "on0 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    nothing_is_left();
    world_end(&world);
}
END_TEST

struct cancels_in_a_cleanup {
    COROUTINE(int);
    bool waits;
    struct pawl_group group;
    struct pawl_sleep sleep;
};

ASYNC(cancels_in_a_cleanup)
{
    ASYNC_BEGIN(cancels_in_a_cleanup);
    TRY {
        AWAIT(self->sleep, pawl_sleep(100));
    } FINALLY {
        WITH(self->group, pawl_group()) {
            ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, CORO(child, .n = 1, .span = 100)));
            ck_assert(pawl_group_cancel(&self->group));
            if (self->waits) AWAIT(self->sleep, pawl_sleep(100));
        } END_WITH;
        AWAIT(self->sleep, pawl_sleep(5));
        trace(&seen, "on%u ", pawl_task_cancelling(pawl_task_current()));
    } END_TRY;
    ASYNC_END;
}

START_TEST(after_a_group_that_is_cancelled_in_a_cleanup_the_cleanup_goes_on)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(cancels_in_a_cleanup, .waits = _i));
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_trace(&seen, "on1 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 5);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

/* ---- With a timeout around it ---- */

struct timed {
    COROUTINE(int);
    struct pawl_timeout timeout;
    struct block block;
};

ASYNC(timed)
{
    ASYNC_BEGIN(timed);
    WITH(self->timeout, pawl_timeout(10)) {
        AWAIT(&self->block);
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_timeout_around_a_group_is_raised_unless_a_child_failed)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(timed, .block = CORO(block, .body = { .span = _i & 1 ? 50 : -1 },
                                                                        CHILDREN_OF({ .span = 50, .last_error = _i & 2 ? -5 : 0 }, { .span = 50 }))));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), _i & 2 ? -5 : PAWL_ETIMEOUT);
    ck_assert_uint_eq(pawl_task_cancelling(task), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 10);
    pawl_task_release(task);
    nothing_is_left();
    world_end(&world);
}
END_TEST

static void add_cancel_cases(Suite *suite)
{
    TCase *const cancelled = add_case(suite, "cancelled from outside");
    tcase_add_test(cancelled, the_cancel_of_a_block_that_waits_for_its_children_cancels_them_and_goes_on);
    tcase_add_test(cancelled, the_cancel_of_a_block_that_runs_reaches_the_block_first_and_then_the_children);
    tcase_add_test(cancelled, the_cancel_of_a_block_without_children_goes_on);
    tcase_add_test(cancelled, children_that_begin_in_the_iteration_of_the_cancel_are_cancelled_too);
    tcase_add_test(cancelled, the_error_of_a_childs_cleanup_is_raised_instead_of_the_cancel);
    tcase_add_test(cancelled, a_child_that_cleans_up_is_not_cancelled_again_when_another_one_fails);
    tcase_add_test(cancelled, a_child_that_fails_during_the_cleanup_of_the_block_is_raised_instead_of_the_cancel);
    tcase_add_test(cancelled, an_error_that_the_block_makes_of_its_cancel_is_raised);
    tcase_add_test(cancelled, a_cancel_that_is_forwarded_to_the_task_of_a_group_ends_with_its_error);
    tcase_add_test(cancelled, a_cancel_while_the_children_end_after_a_failure_is_heard_behind_the_error);
    tcase_add_test(cancelled, an_error_and_a_cancel_at_once_give_the_error_and_then_the_cancel);
    tcase_add_test(cancelled, after_a_failure_nobody_asks_the_task_to_end_any_more);
    tcase_add_loop_test(cancelled, whenever_the_task_is_cancelled_no_child_outlives_the_block, 0, 48);
    TCase *const group = add_case(suite, "the group cancelled");
    tcase_add_loop_test(group, a_group_that_is_cancelled_ends_its_children_and_its_block_and_the_task_goes_on, 0, 2);
    tcase_add_loop_test(group, a_child_or_the_block_may_cancel_the_group, 0, 5);
    tcase_add_loop_test(group, the_cancel_of_the_task_is_not_swallowed_by_that_of_the_group, 0, 4);
    tcase_add_test(group, an_eager_child_that_cancels_the_group_in_its_first_step_is_cancelled_too);
    tcase_add_loop_test(group, after_a_group_that_is_cancelled_in_a_cleanup_the_cleanup_goes_on, 0, 2);
    tcase_add_loop_test(group, a_timeout_around_a_group_is_raised_unless_a_child_failed, 0, 4);
}

static void add_child_cases(Suite *suite)
{
    TCase *const nest = add_case(suite, "nested");
    tcase_add_loop_test(nest, a_cancel_reaches_the_children_of_the_inner_group_and_their_error_comes_out_of_both, 0, 2);
    tcase_add_test(nest, a_failure_in_the_outer_group_cancels_the_inner_one);
    tcase_add_test(nest, a_failure_in_the_inner_group_cancels_the_outer_ones_children);
    tcase_add_test(nest, two_groups_that_fail_at_once_raise_one_after_the_other);
    tcase_add_test(nest, a_scope_within_that_makes_an_error_of_the_groups_cancel_adds_it);
    TCase *const children = add_case(suite, "children");
    tcase_add_loop_test(children, a_child_may_make_more_while_the_block_waits_for_it, 0, 6);
    tcase_add_test(children, children_without_end_are_ended_by_one_that_fails);
    tcase_add_test(children, after_a_failure_no_child_is_taken);
    tcase_add_test(children, a_child_may_be_named);
    tcase_add_test(children, a_child_inherits_the_context_or_is_given_another);
    tcase_add_test(children, eager_children_run_up_to_their_first_suspension_at_once);
    tcase_add_test(children, an_eager_child_that_fails_at_once_cancels_the_others_and_the_block);
    tcase_add_test(children, an_eager_child_that_fails_at_once_in_a_block_that_ends_is_raised);
}

static void add_misuse_cases(Suite *suite)
{
    TCase *const entered = add_case(suite, "entered or not");
    tcase_add_test(entered, each_block_enters_a_group_of_its_own_also_one_within_the_other);
    tcase_add_test(entered, a_group_that_is_left_may_be_entered_again);
    tcase_add_test(entered, a_group_that_is_left_takes_no_child);
    tcase_add_test(entered, a_task_that_is_refused_never_begins);
    tcase_add_test(entered, a_group_that_is_not_entered_takes_no_child);
    tcase_add_test(entered, without_a_task_a_group_is_not_entered);
    tcase_add_test(entered, what_is_no_task_or_no_member_is_refused_and_the_rest_goes_on);
    tcase_add_test(entered, between_the_end_of_the_last_child_and_that_of_the_block_no_child_is_taken);
    tcase_add_test(entered, a_task_of_another_loop_is_refused_and_does_not_begin);
    tcase_add_loop_test(entered, a_member_is_free_for_another_child_when_its_child_has_ended, 0, 2);
    tcase_add_loop_test(entered, a_task_that_has_ended_counts_as_a_child_that_ends, 0, 3);
    TCase *const memory = add_case(suite, "memory");
    tcase_add_loop_test(memory, without_memory_a_child_is_not_made_and_the_group_fails, 0, 3);
    tcase_add_loop_test(memory, a_heap_task_of_ones_own_stays_and_its_outcome_can_be_read_after_the_block, 0, 2);
    tcase_add_loop_test(memory, a_loop_that_finishes_leaves_nothing_of_a_group, 0, 8);
    tcase_add_loop_test(memory, a_loop_that_finishes_gives_members_in_ones_own_memory_back, 0, 2);
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("group");
    TCase *const all = add_case(suite, "all have ended");
    tcase_add_test(all, a_block_waits_for_its_children_and_their_results_stay_with_them);
    tcase_add_test(all, children_may_be_made_at_any_time_in_the_block);
    tcase_add_test(all, a_child_that_is_merely_cancelled_fails_nobody);
    tcase_add_test(all, a_block_without_children_is_left_at_once);
    tcase_add_test(all, a_return_out_of_the_block_waits_for_the_children_and_keeps_its_result);
    tcase_add_test(all, children_that_have_ended_are_forgotten_while_the_block_runs);
    TCase *const fails = add_case(suite, "failures");
    tcase_add_test(fails, the_first_child_that_fails_cancels_the_others_and_is_raised_when_all_have_ended);
    tcase_add_test(fails, children_that_fail_at_one_instant_are_all_noted_and_the_block_is_cancelled);
    tcase_add_loop_test(fails, failures_that_find_no_room_and_are_not_raised_are_reported, 0, 5);
    tcase_add_test(fails, the_errors_of_cleanups_are_noted_behind_the_first);
    tcase_add_test(fails, a_child_that_swallows_its_cancellation_is_waited_for);
    tcase_add_test(fails, a_failure_while_the_block_waits_for_the_end_does_not_cancel_it_before);
    tcase_add_loop_test(fails, an_error_of_the_block_cancels_the_children_and_is_raised, 0, 2);
    tcase_add_test(fails, children_that_have_not_begun_when_the_block_fails_never_do);
    tcase_add_test(fails, an_error_of_the_block_is_noted_behind_those_of_the_children);
    tcase_add_test(fails, an_error_of_the_block_that_came_first_is_noted_last_all_the_same);
    add_cancel_cases(suite);
    add_child_cases(suite);
    add_misuse_cases(suite);
    return suite;
}
