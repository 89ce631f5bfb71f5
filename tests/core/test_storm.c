/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * All together: trees of tasks that use one lock, semaphore, condition, event, queue and barrier within timeouts and groups, that
 * fail, return and cancel each other at random. Whatever happens, one at a time has the lock, nobody waits for ever,
 * requests to end are counted right, and at last everything is given back, also when the loop finishes in the middle.
 * The numbers are made of a seed, so that a failure comes again.
 */
#include <support.h>

#include <string.h>

enum { PERMITS = 2, PARTIES = 3, NODES = 200, CHILDREN_EACH = 3 };

static struct world world;
static struct pawl_lock lock;
static struct pawl_condition condition;
static struct pawl_event event;
static struct pawl_semaphore semaphore;
static struct pawl_barrier barrier;
static QUEUE(int, 2) queue;
static int holding, permitted, nodes, in_queue;
static unsigned seed;

static unsigned chance(unsigned of)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 12) % of;
}

static bool once_in(unsigned of)
{
    return chance(of) == 0;
}

/* ---- What a task does: one small coroutine for each primitive ---- */

struct locks {
    COROUTINE(int);
    struct pawl_lock_acquire hold;
    struct pawl_sleep sleep;
};

ASYNC(locks)
{
    ASYNC_BEGIN(locks);
    WITH(self->hold, pawl_lock_acquire(&lock)) {
        ck_assert_int_eq(holding++, 0);
        TRY {
            AWAIT(self->sleep, pawl_sleep((pawl_time)chance(3)));
            if (once_in(4)) RAISE(-5);
            if (once_in(6)) ASYNC_RETURN(1);
        } FINALLY {
            holding--;
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

struct permits {
    COROUTINE(int);
    struct pawl_semaphore_acquire hold;
    struct pawl_sleep sleep;
};

ASYNC(permits)
{
    ASYNC_BEGIN(permits);
    WITH(self->hold, pawl_semaphore_acquire(&semaphore)) {
        ck_assert_int_lt(permitted++, PERMITS);
        TRY {
            AWAIT(self->sleep, pawl_sleep((pawl_time)chance(3)));
            if (once_in(6)) RAISE(-5);
        } FINALLY {
            permitted--;
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

struct conditions {
    COROUTINE(int);
    bool notifies;
    struct pawl_lock_acquire hold;
    struct pawl_condition_wait wait;
    struct pawl_sleep sleep;
};

ASYNC(conditions)
{
    ASYNC_BEGIN(conditions);
    WITH(self->hold, pawl_lock_acquire(&lock)) {
        ck_assert_int_eq(holding, 0);
        if (self->notifies) ck_assert_int_eq(pawl_condition_notify(&condition, chance(3)), 0);
        else AWAIT(self->wait, pawl_condition_wait(&condition));
        ck_assert(pawl_lock_locked(&lock));
        if (once_in(3)) AWAIT(self->sleep, pawl_yield());
        ck_assert_int_eq(holding, 0);
    } END_WITH;
    ASYNC_END;
}

struct queues {
    COROUTINE(int);
    bool puts;
    int item;
    struct pawl_queue_put put;
    struct pawl_queue_get get;
};

ASYNC(queues)
{
    ASYNC_BEGIN(queues);
    if (self->puts) AWAIT(self->put, pawl_queue_put(&queue, 1));
    else AWAIT(self->get, pawl_queue_get(&queue, &self->item));
    in_queue += self->puts ? 1 : -1;
    ASYNC_END;
}

struct barriers {
    COROUTINE(int);
    struct pawl_barrier_wait wait;
    struct pawl_barrier_end end;
};

ASYNC(barriers)
{
    ASYNC_BEGIN(barriers);
    if (once_in(8)) AWAIT(self->end, pawl_barrier_abort(&barrier));
    else if (once_in(6)) AWAIT(self->end, pawl_barrier_reset(&barrier));
    else AWAIT(self->wait, pawl_barrier_wait(&barrier));
    ASYNC_END;
}

struct events {
    COROUTINE(int);
    struct pawl_event_wait wait;
};

ASYNC(events)
{
    ASYNC_BEGIN(events);
    if (once_in(2)) AWAIT(self->wait, pawl_event_wait(&event));
    pawl_event_set(&event);
    if (once_in(2)) pawl_event_clear(&event);
    ASYNC_END;
}

/* ---- The tree ---- */

struct node;
struct grows {
    COROUTINE(int);
    int depth;
    struct pawl_task *child;
    struct pawl_group group;
    struct pawl_failure failures[2];
    struct pawl_shield shield;
    struct pawl_wait_for timed;
    struct pawl_sleep sleep;
};
ASYNC_DECLARE(grows);

struct node {
    COROUTINE(int);
    bool root;
    int depth, steps, cancels; /* cancels: how many requests came from elsewhere than groups and timeouts */
    struct pawl_timeout scope;
    struct pawl_sleep sleep;
    struct locks locks;
    struct permits permits;
    struct conditions conditions;
    struct queues queues;
    struct barriers barriers;
    struct events events;
    struct grows grows;
};
ASYNC_DECLARE(node);

static struct node node_of(int depth)
{
    nodes++;
    return CORO(node, .depth = depth, .steps = 1 + (int)chance(4));
}

/* Asks one of the tasks to end; the root seldom. */
static void cancel_one(void)
{
    unsigned count = 0;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(&world.loop, task)) != NULL;) count++;
    if (count == 0) return;
    struct pawl_task *task = NULL;
    for (unsigned skip = chance(count) + 1; skip > 0; skip--) task = pawl_task_next(&world.loop, task);
    struct node *const node = pawl_task_frame(node, task);
    if (node->root && !once_in(60)) return;
    if (pawl_task_cancel(task)) node->cancels++;
}

static struct pawl_timeout some_scope(void)
{
    switch (chance(5)) {
    case 0: return pawl_timeout((pawl_time)chance(6));
    case 1: return pawl_move_on_after((pawl_time)chance(6));
    case 2: return pawl_timeout_at(pawl_loop_time(&world.loop) + (pawl_time)chance(8));
    case 3: return pawl_timeout(20);
    default: return pawl_move_on_after(15);
    }
}

static void spawn_some(struct grows *self)
{
    for (int i = 0; i < CHILDREN_EACH; i++) {
        if (once_in(3)) pawl_group_spawn_eager(&self->group, node_of(self->depth - 1));
        else pawl_group_spawn(&self->group, node_of(self->depth - 1));
    }
}

/* A group, or a task of its own that is waited for, perhaps behind a shield. */
ASYNC(grows)
{
    ASYNC_BEGIN(grows);
    if (self->depth == 0 || nodes > NODES) ASYNC_RETURN();
    if (chance(8) < 5) {
        WITH(self->group, pawl_group_keeping(self->failures, chance(3))) {
            spawn_some(self);
            if (once_in(3)) AWAIT(self->sleep, pawl_sleep((pawl_time)chance(5)));
            if (once_in(6)) pawl_group_cancel(&self->group);
            if (once_in(6)) RAISE(-6);
            if (once_in(8)) ASYNC_RETURN(1);
        } END_WITH;
        ASYNC_RETURN();
    }
    self->child = pawl_spawn(node_of(self->depth - 1));
    if (self->child == NULL) ASYNC_RETURN();
    TRY {
        self->shield = pawl_shield(self->child);
        if (once_in(3)) AWAIT(self->timed, pawl_wait_for(&self->shield, (pawl_time)chance(5)));
        else AWAIT(self->timed, pawl_wait_for(self->child, (pawl_time)chance(6) - 1));
    } FINALLY {
        pawl_task_release(self->child);
    } END_TRY;
    ASYNC_END;
}

/* The next thing to do, by its frame. */
static struct pawl_coro *something(struct node *self)
{
    self->sleep = pawl_sleep((pawl_time)chance(6));
    switch (self->root ? 0 : chance(10)) {
    case 0: self->grows = CORO(grows, .depth = self->depth); return &self->grows.awaitable;
    case 1: self->locks = CORO(locks); return &self->locks.awaitable;
    case 2: self->permits = CORO(permits); return &self->permits.awaitable;
    case 3: case 4: self->conditions = CORO(conditions, .notifies = once_in(2)); return &self->conditions.awaitable;
    case 5: case 6: self->queues = CORO(queues, .puts = once_in(2)); return &self->queues.awaitable;
    case 7: self->barriers = CORO(barriers); return &self->barriers.awaitable;
    case 8: self->events = CORO(events); return &self->events.awaitable;
    default: cancel_one(); return &self->sleep.awaitable;
    }
}

struct any {
    struct pawl_coro awaitable;
};

ASYNC(node)
{
    ASYNC_BEGIN(node);
    while (self->steps-- > 0) {
        TRY {
            WITH(self->scope, some_scope()) {
                AWAIT((struct any *)(void *)something(self));
                if (once_in(10)) RAISE(-7);
                if (once_in(8)) pawl_scope_cancel(&self->scope);
            } END_WITH;
        } CATCH_ERROR {
            if (!self->root && once_in(4)) RERAISE();
        } FINALLY {
            if (once_in(3)) AWAIT(self->sleep, pawl_sleep((pawl_time)chance(3)));
        } END_TRY;
        const int requests = (int)pawl_task_cancelling(pawl_task_current());
        if (self->root) ck_assert_int_eq(requests, self->cancels); /* all that was the scopes' own is taken back */
        else ck_assert_int_ge(requests, self->cancels);
    }
    ASYNC_END;
}

/* ---- Many storms ---- */

static TASK(node) root;

static void storm_begin(unsigned number)
{
    world_begin(&world);
    seed = number * 2654435761u;
    lock = (struct pawl_lock){ 0 };
    condition = (struct pawl_condition)PAWL_CONDITION_INIT(&lock);
    event = (struct pawl_event){ 0 };
    semaphore = (struct pawl_semaphore)PAWL_BOUNDED_SEMAPHORE_INIT(PERMITS);
    pawl_queue_init(&queue);
    ck_assert_int_eq(pawl_barrier_init(&barrier, PARTIES), 0);
    holding = permitted = nodes = in_queue = 0;
    memset(&root, 0, sizeof root);
    struct node frame = node_of(4);
    frame.root = true;
    frame.steps = 30;
    ck_assert_ptr_nonnull(pawl_start(&root, frame));
}

static void all_is_given_back(void)
{
    ck_assert_int_eq(holding + permitted, 0);
    ck_assert(!pawl_lock_locked(&lock) && !pawl_lock_locked(&barrier.lock));
    ck_assert_ptr_null(lock.waiters.first);
    ck_assert_ptr_null(condition.waiters.first);
    ck_assert_ptr_null(event.waiters.first);
    ck_assert_ptr_null(semaphore.waiters.first);
    ck_assert_ptr_null(queue.queue.getters.first);
    ck_assert_ptr_null(queue.queue.putters.first);
    ck_assert_uint_eq(semaphore.value, PERMITS);
    ck_assert_uint_eq(barrier.count, 0);
}

static void run(int iterations)
{
    for (int i = 0; i < iterations && pawl_loop_pending(&world.loop); i++) {
        if (once_in(40)) cancel_one();
        ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    }
}

enum { STORMS = 100, EACH = 20, NO_END = 100000 };

START_TEST(whatever_tasks_do_to_each_other_all_end_and_everything_is_given_back)
{
    for (int i = 0; i < EACH; i++) {
        storm_begin((unsigned)(_i * EACH + i));
        run(NO_END);
        ck_assert(pawl_future_done(&root));
        ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
        ck_assert_uint_eq(world.memory.alive, 0);
        ck_assert_int_eq(in_queue, (int)pawl_queue_size(&queue));
        all_is_given_back();
        world_end(&world);
    }
}
END_TEST

START_TEST(a_loop_that_finishes_in_the_middle_gives_everything_back)
{
    for (int i = 0; i < EACH; i++) {
        storm_begin((unsigned)(_i * EACH + i));
        run((int)chance(150));
        world_end(&world);
        all_is_given_back();
    }
}
END_TEST

START_TEST(a_loop_that_is_shut_down_in_the_middle_gives_everything_back)
{
    for (int i = 0; i < EACH; i++) {
        storm_begin((unsigned)(_i * EACH + i));
        run((int)chance(150));
        for (struct pawl_task *task = NULL; (task = pawl_task_next(&world.loop, task)) != NULL;) pawl_task_frame(node, task)->cancels++;
        ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
        ck_assert_uint_eq(world.memory.alive, 0);
        all_is_given_back();
        world_end(&world);
    }
}
END_TEST

START_TEST(without_memory_now_and_then_all_end_and_everything_is_given_back)
{
    for (int i = 0; i < EACH; i++) {
        storm_begin((unsigned)(_i * EACH + i));
        for (int k = 0; k < NO_END && pawl_loop_pending(&world.loop); k++) {
            if (once_in(4)) world.memory.fail_at = world.memory.calls + 1;
            run(1);
        }
        ck_assert_uint_eq(world.memory.alive, 0);
        all_is_given_back();
        world_end(&world);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("storm");
    const int count = under_valgrind() ? STORMS / 10 : STORMS;
    TCase *const storms = add_case(suite, "storms");
    tcase_add_loop_test(storms, whatever_tasks_do_to_each_other_all_end_and_everything_is_given_back, 0, count);
    tcase_add_loop_test(storms, a_loop_that_finishes_in_the_middle_gives_everything_back, 0, count);
    tcase_add_loop_test(storms, a_loop_that_is_shut_down_in_the_middle_gives_everything_back, 0, count);
    tcase_add_loop_test(storms, without_memory_now_and_then_all_end_and_everything_is_given_back, 0, count);
    return suite;
}
