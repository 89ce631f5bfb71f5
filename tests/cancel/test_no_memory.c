/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Memory that is not there, for each call that takes some: it says so, and nothing has happened. And a program that uses all of
 * them, for which the 1st, 2nd, 3rd … allocation fails, or that and all after it.
 */
#include <support.h>

#include <string.h>

static struct world world;
static int runs; /* bodies that have begun */

/* Fails from the `fails_from`-th call on. */
static size_t fails_from, calls, alive;

static void *allocate(void *context, size_t size)
{
    (void)context;
    if (++calls >= fails_from) return NULL;
    alive++;
    return malloc(size);
}

static void release(void *context, void *memory)
{
    (void)context;
    alive--;
    free(memory);
}

static const struct pawl_allocator exhausted = { .allocate = allocate, .release = release };

static void begin(void)
{
    world_begin(&world);
    runs = 0;
}

static size_t tasks_left(void)
{
    size_t count = 0;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(&world.loop, task)) != NULL;) count++;
    return count;
}

static void fail_next(void)
{
    world.memory.fail_at = world.memory.calls + 1;
}

struct child {
    COROUTINE(void);
    struct pawl_sleep sleep;
    pawl_time span;
};

ASYNC(child)
{
    ASYNC_BEGIN(child);
    runs++;
    AWAIT(self->sleep, pawl_sleep(self->span));
    ASYNC_END;
}

/* ---- Spawning ---- */

START_TEST(a_task_that_finds_no_memory_is_not_made_and_nothing_has_run)
{
    begin();
    fail_next();
    ck_assert_ptr_null(pawl_spawn(CORO(child)));
    fail_next();
    ck_assert_ptr_null(pawl_spawn_eager(CORO(child)));
    ck_assert_int_eq(runs, 0);
    ck_assert_uint_eq(tasks_left(), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

START_TEST(the_next_one_is_made_again)
{
    begin();
    fail_next();
    ck_assert_ptr_null(pawl_spawn(CORO(child)));
    ck_assert_int_eq(world_run(&world, CORO(child)), 0);
    ck_assert_int_eq(runs, 1);
    world_end(&world);
}
END_TEST

START_TEST(a_kept_block_needs_no_memory)
{
    begin();
    world.memory.allocator.keep = 4;
    ck_assert_int_eq(world_run(&world, CORO(child)), 0);
    fail_next();
#ifdef PAWL_SPARES_
    ck_assert_int_eq(world_run(&world, CORO(child)), 0);
    ck_assert_uint_eq(world.memory.calls, 1);
#endif
    world_end(&world);
}
END_TEST

START_TEST(what_takes_a_task_says_that_there_is_none)
{
    static struct pawl_group group;
    static struct pawl_member member;
    struct pawl_handle handle = { 0 };
    begin();
    ck_assert(!pawl_task_cancel(NULL));
    ck_assert(!pawl_task_cancel_because(NULL, "nobody"));
    ck_assert_int_eq(pawl_task_set_name(NULL, NULL, "nobody"), PAWL_EINVAL);
    ck_assert_int_eq(pawl_group_add(&group, &member, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, (struct pawl_task *)NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_add_callback((struct pawl_task *)NULL, &world.loop, &handle, NULL, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_future_error((struct pawl_task *)NULL), PAWL_EINVAL);
    pawl_task_release(NULL);
    world_end(&world);
}
END_TEST

/* ---- Groups ---- */

struct grouped {
    COROUTINE(void);
    struct pawl_group group;
    bool eager;
};

static void spawn_without_memory(struct grouped *self)
{
    fail_next();
    struct pawl_task *const task =
        self->eager ? pawl_group_spawn_eager(&self->group, CORO(child)) : pawl_group_spawn(&self->group, CORO(child));
    ck_assert_ptr_null(task);
}

ASYNC(grouped)
{
    ASYNC_BEGIN(grouped);
    WITH(self->group, pawl_group()) {
        ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, CORO(child, .span = 1)));
        spawn_without_memory(self);
        ck_assert_ptr_null(pawl_group_spawn(&self->group, CORO(child, .span = 2)));
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_child_that_finds_no_memory_fails_its_group)
{
    for (int eager = 0; eager < 2; eager++) {
        begin();
        ck_assert_int_eq(world_run(&world, CORO(grouped, .eager = eager != 0)), PAWL_ENOMEM);
        ck_assert_int_eq(runs, 0);
        ck_assert_uint_eq(world.memory.alive, 0);
        world_end(&world);
    }
}
END_TEST

/* ---- Names and messages ---- */

START_TEST(a_name_that_finds_no_memory_leaves_the_task_as_it_was)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(child));
    fail_next();
    ck_assert_int_eq(pawl_task_set_name(task, NULL, "mine"), PAWL_ENOMEM);
    ck_assert_str_eq(pawl_task_name(task), "child");
    ck_assert_int_eq(pawl_task_set_name(task, NULL, "mine"), 0);
    ck_assert_str_eq(pawl_task_name(task), "mine");
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    pawl_task_release(task);
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_message_that_finds_no_memory_is_dropped_on_the_whole_way_and_the_request_is_not)
{
    begin();
    struct pawl_task *const inner = pawl_spawn(CORO(child, .span = 5));
    struct pawl_task *const outer = pawl_spawn(pawl_wait_for(inner, PAWL_FOREVER));
    pawl_loop_run_once(&world.loop, false);
    world.memory.fail_at = world.memory.calls + 1; /* that of the outer one; the inner one's finds some */
    ck_assert(pawl_task_cancel_because(outer, "too late"));
    ck_assert_ptr_null(pawl_task_cancel_message(outer));
    ck_assert_str_eq(pawl_task_cancel_message(inner), "too late");
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, outer), PAWL_ECANCELLED);
    pawl_task_release(outer);
    pawl_task_release(inner);
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

/* ---- Frames ---- */

START_TEST(a_frame_that_finds_no_memory_is_null_and_its_free_is_harmless)
{
    begin();
    fail_next();
    struct child *const frame = pawl_coro_new(&world.memory.allocator, CORO(child));
    ck_assert_ptr_null(frame);
    ck_assert_int_eq(pawl_coro_free(&world.memory.allocator, frame), 0);
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

struct awaits_nothing {
    COROUTINE(int);
    struct pawl_child entries[2];
    struct pawl_gather gather;
    struct pawl_wait wait;
    struct pawl_select select;
    struct pawl_shield shield;
    struct pawl_wait_for timed;
    struct pawl_task *none;
    TASK(child) arm;
    int refused;
};

ASYNC(awaits_nothing)
{
    ASYNC_BEGIN(awaits_nothing);
    TRY_AWAIT(self->none);
    self->refused += AWAIT_ERROR() == PAWL_EINVAL;
    TRY_AWAIT(self->gather, pawl_gather(CHILDREN(self->entries, pawl_start(&self->arm, CORO(child)), self->none)));
    self->refused += AWAIT_ERROR() == PAWL_EINVAL;
    TRY_AWAIT(self->wait, pawl_wait(CHILDREN(self->entries, &self->arm, self->none), PAWL_ALL_COMPLETED, PAWL_FOREVER));
    self->refused += AWAIT_ERROR() == PAWL_EINVAL;
    TRY_AWAIT(self->select, pawl_select(CHILDREN(self->entries, self->none, &self->arm)));
    self->refused += AWAIT_ERROR() == PAWL_EINVAL && pawl_future_cancelled(&self->arm);
    TRY_AWAIT(self->shield, pawl_shield(self->none));
    self->refused += AWAIT_ERROR() == PAWL_EINVAL;
    TRY_AWAIT(self->timed, pawl_wait_for(self->none, PAWL_SEC(1)));
    self->refused += AWAIT_ERROR() == PAWL_EINVAL;
    ASYNC_RETURN(self->refused);
    ASYNC_END;
}

START_TEST(a_task_that_was_not_made_is_refused_wherever_it_is_awaited)
{
    static TASK(awaits_nothing) slot;
    begin();
    pawl_start(&slot, CORO(awaits_nothing));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_int_eq(slot.frame.result, 6);
    ck_assert_int_eq(runs, 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

/* ---- A program that uses them all ---- */

struct program {
    COROUTINE(void);
    struct pawl_group group;
    struct pawl_task *tasks[3], *child;
    struct pawl_child entries[3];
    struct pawl_gather all;
    struct pawl_wait_for timed;
    struct child *frame;
    const struct pawl_allocator *allocator;
};

static void spawn_some(struct program *self)
{
    self->tasks[0] = pawl_spawn(CORO(child, .span = 1));
    self->tasks[1] = pawl_spawn_eager(CORO(child, .span = 2));
    self->tasks[2] = pawl_spawn(CORO(child, .span = 3));
    for (int i = 0; i < 3; i++) {
        pawl_task_set_name(self->tasks[i], NULL, "worker");
        self->entries[i] = pawl_child(self->tasks[i]);
    }
    pawl_task_cancel_because(self->tasks[2], "not wanted");
}

ASYNC(program)
{
    ASYNC_BEGIN(program);
    WITH(self->group, pawl_group()) {
        self->child = pawl_group_spawn(&self->group, CORO(child, .span = 4));
        if (self->child != NULL) pawl_task_set_name(self->child, NULL, "child");
        pawl_group_spawn_eager(&self->group, CORO(child, .span = 5));
        TRY {
            spawn_some(self);
            AWAIT(self->all, pawl_gather_return_errors(self->entries, 3));
            self->frame = pawl_coro_new(self->allocator, CORO(child, .span = 9));
            AWAIT(self->timed, pawl_wait_for(self->frame, 1));
        } FINALLY {
            pawl_coro_free(self->allocator, self->frame);
            for (int i = 0; i < 3; i++) pawl_task_release(self->tasks[i]);
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

/* Runs it on a loop with this allocator, cancels it with a message after so many iterations: its error. */
static int run_program(const struct pawl_allocator *allocator, int cancel_after)
{
    static TASK(program) slot;
    struct pawl_virtual clock;
    struct pawl_loop loop;
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&loop, &clock.base, allocator), 0);
    pawl_loop_use(&loop);
    struct pawl_task *const task = pawl_start(&slot, CORO(program, .allocator = allocator));
    for (int i = 0; i < cancel_after && !pawl_future_done(task); i++) ck_assert_int_eq(pawl_loop_run_once(&loop, true), 0);
    pawl_task_cancel_because(task, "enough");
    const int error = pawl_loop_run_until_complete(&loop, task);
    while (pawl_task_next(&loop, NULL) != NULL) ck_assert_int_eq(pawl_loop_run_once(&loop, true), 0);
    ck_assert(!pawl_loop_pending(&loop));
    pawl_loop_use(NULL);
    pawl_loop_finish(&loop);
    return error;
}

static bool clear(int error)
{
    return error == PAWL_ETIMEOUT || error == PAWL_EINVAL || error == PAWL_ECANCELLED || error == PAWL_ENOMEM;
}

START_TEST(whichever_allocation_fails_and_wherever_it_is_cancelled_nothing_is_left)
{
    for (int cancel_after = 0; cancel_after < 20; cancel_after++) {
        struct counting memory;
        for (size_t fail_at = 0; fail_at < 16; fail_at++) {
            counting_init(&memory);
            memory.fail_at = fail_at;
            ck_assert(clear(run_program(&memory.allocator, cancel_after)));
            ck_assert_uint_eq(memory.alive, 0);
        }
        ck_assert_uint_lt(memory.calls, 16);
    }
}
END_TEST

START_TEST(when_memory_has_come_to_its_end_nothing_is_left)
{
    for (int cancel_after = 0; cancel_after < 20; cancel_after++) {
        for (fails_from = 1; fails_from < 16; fails_from++) {
            calls = alive = 0;
            ck_assert(clear(run_program(&exhausted, cancel_after)));
            ck_assert_uint_eq(alive, 0);
        }
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("no memory");
    TCase *const tcase = add_case(suite, "no memory");
    tcase_add_test(tcase, a_task_that_finds_no_memory_is_not_made_and_nothing_has_run);
    tcase_add_test(tcase, the_next_one_is_made_again);
    tcase_add_test(tcase, a_kept_block_needs_no_memory);
    tcase_add_test(tcase, what_takes_a_task_says_that_there_is_none);
    tcase_add_test(tcase, a_child_that_finds_no_memory_fails_its_group);
    tcase_add_test(tcase, a_name_that_finds_no_memory_leaves_the_task_as_it_was);
    tcase_add_test(tcase, a_message_that_finds_no_memory_is_dropped_on_the_whole_way_and_the_request_is_not);
    tcase_add_test(tcase, a_frame_that_finds_no_memory_is_null_and_its_free_is_harmless);
    tcase_add_test(tcase, a_task_that_was_not_made_is_refused_wherever_it_is_awaited);
    tcase_add_test(tcase, whichever_allocation_fails_and_wherever_it_is_cancelled_nothing_is_left);
    tcase_add_test(tcase, when_memory_has_come_to_its_end_nothing_is_left);
    return suite;
}
