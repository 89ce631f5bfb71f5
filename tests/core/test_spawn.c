/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What a task is made of and what comes out of it: coroutines, leaves, futures that are returned or awaited, sleeps, memory. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

struct says_ok {
    COROUTINE(const char *);
    struct pawl_loop *loop;
};

ASYNC(says_ok)
{
    ASYNC_BEGIN(says_ok);
    self->loop = pawl_task_loop(pawl_task_current());
    ASYNC_RETURN("ok");
    ASYNC_END;
}

/* ---- Whose it is ---- */

START_TEST(a_task_belongs_to_the_loop_that_was_current_when_it_was_made)
{
    struct pawl_loop other;
    struct pawl_virtual clock;
    begin();
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&other, &clock.base, &world.memory.allocator), 0);
    struct pawl_task *const here = pawl_spawn(CORO(says_ok));
    pawl_loop_use(&other);
    struct pawl_task *const there = pawl_spawn(CORO(says_ok));
    pawl_loop_use(NULL);
    ck_assert_ptr_null(pawl_spawn(CORO(says_ok)));
    pawl_loop_use(&world.loop);
    ck_assert_ptr_eq(pawl_task_loop(here), &world.loop);
    ck_assert_ptr_eq(pawl_task_loop(there), &other);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, here), 0);
    ck_assert(!pawl_future_done(there));
    ck_assert_int_eq(pawl_loop_run_until_complete(&other, there), 0);
    ck_assert_ptr_eq(pawl_task_frame(says_ok, here)->loop, &world.loop);
    ck_assert_ptr_eq(pawl_task_frame(says_ok, there)->loop, &other);
    ck_assert_str_eq(pawl_task_frame(says_ok, there)->result, "ok");
    pawl_task_release(here);
    pawl_task_release(there);
    pawl_loop_finish(&other);
    world_end(&world);
}
END_TEST

struct spawns {
    COROUTINE(const char *);
    const char *name;
    struct pawl_task *task;
};

ASYNC(spawns)
{
    ASYNC_BEGIN(spawns);
    self->task = pawl_spawn(CORO(says_ok));
    ck_assert_ptr_eq(pawl_task_loop(self->task), pawl_loop_current());
    if (self->name) ck_assert_int_eq(pawl_task_set_name(self->task, NULL, self->name), 0);
    ck_assert_str_eq(pawl_task_name(self->task), self->name ? self->name : "says_ok");
    AWAIT(self->task);
    self->result = pawl_task_frame(says_ok, self->task)->result;
    pawl_task_release(self->task);
    ASYNC_END;
}

START_TEST(a_task_makes_a_task_and_gives_it_a_name)
{
    static TASK(spawns) slot;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(spawns, .name = _i ? "no-op" : NULL)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_str_eq(slot.frame.result, "ok");
    world_end(&world);
}
END_TEST

START_TEST(the_frame_of_a_task_is_its_coroutine_also_after_its_end)
{
    static TASK(says_ok) slot;
    begin();
    ck_assert_ptr_eq(pawl_start(&slot, CORO(says_ok)), &slot.awaitable);
    ck_assert_ptr_eq(pawl_task_frame(says_ok, &slot.awaitable), &slot.frame);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_ptr_eq(pawl_task_frame(says_ok, &slot.awaitable), &slot.frame);
    ck_assert(coro_done(&slot.frame));
    world_end(&world);
}
END_TEST

START_TEST(a_hundred_runs_leave_no_memory)
{
    static TASK(says_ok) slot;
    begin();
    for (int i = 0; i < 100; i++) {
        ck_assert_ptr_nonnull(pawl_start(&slot, CORO(says_ok)));
        ck_assert_int_eq(pawl_task_set_name(&slot.awaitable, NULL, "again"), 0);
        ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
        struct pawl_task *const task = pawl_spawn(CORO(says_ok));
        ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
        pawl_task_release(task);
        ck_assert_int_eq(pawl_task_finish(&slot.awaitable), 0);
        ck_assert_uint_le(world.memory.alive, 1);
    }
    world_end(&world);
}
END_TEST

/* ---- What a task is ---- */

START_TEST(a_task_is_a_future)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(says_ok));
    struct pawl_future *const future = PAWL_FUTURE(task);
    ck_assert_int_eq(pawl_future_error(future), PAWL_EPENDING);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, future), 0);
    ck_assert(pawl_future_done(future) && pawl_future_done(task));
    ck_assert(!pawl_future_cancel(future));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(what_is_a_future_already_is_taken_as_it_is)
{
    static TASK(says_ok) slot;
    struct pawl_future future = PAWL_FUTURE_INIT, *const none = NULL;
    FUTURE(int) typed = PAWL_FUTURE_INIT;
    begin();
    ck_assert_ptr_eq(PAWL_FUTURE(&future), &future);
    ck_assert_ptr_eq(PAWL_FUTURE(PAWL_FUTURE(&typed)), &typed.awaitable);
    ck_assert_ptr_null(PAWL_FUTURE(none));
    struct pawl_task *const task = pawl_start(&slot, CORO(says_ok));
    ck_assert_ptr_eq(PAWL_FUTURE(task), PAWL_FUTURE(&slot));
    const struct pawl_child child = pawl_child(task);
    ck_assert_ptr_eq(child.future, PAWL_FUTURE(&slot));
    pawl_future_set_done(&future);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, PAWL_FUTURE(&future)), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, PAWL_FUTURE(task)), 0);
    world_end(&world);
}
END_TEST

/* ---- Leaves ---- */

struct number {
    struct pawl_future awaitable;
    int result;
};

struct twice_over {
    struct pawl_coro awaitable;
    int result;
    struct number *number;
};

static PAWL_LEAF(twice_over)
{
    PAWL_LEAF_BEGIN(twice_over);
    struct twice_over *const self = (struct twice_over *)(void *)co;
    if (co->point == 0) {
        co->point = 1;
        return pawl_leaf_await(co, root, PAWL_FUTURE(self->number));
    }
    if (error == 0) self->result = 2 * self->number->result;
    return pawl_leaf_done(co, error);
}

START_TEST(a_leaf_of_ones_own_runs_as_a_task)
{
    static TASK(twice_over) slot;
    for (int i = 0; i < 2; i++) {
        struct number number = { 0 };
        begin();
        ck_assert_ptr_nonnull(pawl_start(&slot, ((struct twice_over){ PAWL_CORO_INIT(twice_over_resume), 0, &number })));
        once();
        ck_assert(!pawl_future_done(&slot));
        ck_assert_str_eq(pawl_task_name(&slot.awaitable), "twice_over");
        pawl_future_set_result(&number, 21);
        ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
        ck_assert_int_eq(slot.frame.result, 42);
        world_end(&world);
    }
}
END_TEST

START_TEST(a_sleep_runs_as_a_task)
{
    begin();
    struct pawl_task *const zero = pawl_spawn(pawl_sleep(0)), *const later = pawl_spawn(pawl_sleep(PAWL_MS(10)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, zero), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, later), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(10));
    pawl_task_release(zero);
    pawl_task_release(later);
    world_end(&world);
}
END_TEST

/* ---- Results ---- */

struct gives {
    COROUTINE(int);
    int value;
};

ASYNC(gives)
{
    ASYNC_BEGIN(gives);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

struct adds {
    COROUTINE(int);
    struct gives a, b;
};

ASYNC(adds)
{
    ASYNC_BEGIN(adds);
    AWAIT(self->a, CORO(gives, .value = 42));
    AWAIT(self->b, CORO(gives, .value = 1000));
    ASYNC_RETURN(self->a.result + self->b.result);
    ASYNC_END;
}

START_TEST(coroutines_that_never_wait_end_in_the_first_step)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(adds));
    once();
    ck_assert(pawl_future_done(task));
    ck_assert_int_eq(pawl_task_frame(adds, task)->result, 1042);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

struct returns_future {
    COROUTINE(struct pawl_future *);
    struct pawl_future *future;
};

ASYNC(returns_future)
{
    ASYNC_BEGIN(returns_future);
    ASYNC_RETURN(self->future);
    ASYNC_END;
}

START_TEST(a_future_that_is_returned_is_not_awaited)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(returns_future, .future = &future));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_ptr_eq(pawl_task_frame(returns_future, task)->result, &future);
    ck_assert(!pawl_future_done(&future));
    ck_assert_ptr_null(future.awaitable.first);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

struct takes {
    COROUTINE(void);
    FUTURE(const int *) future;
    const int *taken;
};

ASYNC(takes)
{
    ASYNC_BEGIN(takes);
    AWAIT(&self->future);
    self->taken = self->future.result;
    ASYNC_END;
}

START_TEST(a_task_registers_with_the_future_that_it_waits_for_and_takes_its_result)
{
    static TASK(takes) slot;
    static const int object;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(takes)));
    ck_assert_ptr_null(slot.frame.future.awaitable.awaitable.first);
    once();
    ck_assert_ptr_nonnull(slot.frame.future.awaitable.awaitable.first);
    pawl_future_set_result(&slot.frame.future, &object);
    ck_assert_ptr_null(slot.frame.taken);
    once();
    ck_assert_ptr_eq(slot.frame.taken, &object);
    ck_assert(pawl_future_done(&slot));
    world_end(&world);
}
END_TEST

struct fails {
    COROUTINE(void);
};

ASYNC(fails)
{
    ASYNC_BEGIN(fails);
    RAISE(-5);
    ASYNC_END;
}

START_TEST(to_cancel_a_task_that_has_failed_counts_as_a_look)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(fails));
    once();
    ck_assert(!pawl_task_cancel(task));
    pawl_task_release(task);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

START_TEST(where_the_error_was_raised_is_known_with_the_task)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(fails));
    once();
    ck_assert_int_eq(pawl_future_error(task), -5);
#if PAWL_RAISE_LOCATION
    ck_assert_ptr_nonnull(strstr(pawl_coro_where(&pawl_task_frame(fails, task)->awaitable), "test_spawn.c:"));
#endif
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Sleeping, and stopping ---- */

struct sleeps_twice {
    COROUTINE(int);
    pawl_time span;
    struct pawl_sleep sleep;
};

ASYNC(sleeps_twice)
{
    ASYNC_BEGIN(sleeps_twice);
    AWAIT(self->sleep, pawl_sleep(self->span / 2));
    AWAIT(self->sleep, pawl_sleep(self->span / 2));
    ASYNC_RETURN(11);
    ASYNC_END;
}

START_TEST(two_sleeps_of_half_the_time_take_the_time)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(sleeps_twice, .span = PAWL_MS(100)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(100));
    ck_assert_int_eq(pawl_task_frame(sleeps_twice, task)->result, 11);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

static void increase(void *number)
{
    ++*(int *)number;
}

struct gives_way {
    COROUTINE(void);
    struct pawl_handle handle;
    int number;
    struct pawl_sleep sleep;
};

ASYNC(gives_way)
{
    ASYNC_BEGIN(gives_way);
    pawl_call_soon(pawl_loop_current(), &self->handle, increase, &self->number);
    ck_assert_int_eq(self->number, 0);
    AWAIT(self->sleep, pawl_sleep(0));
    ck_assert_int_eq(self->number, 1);
    ASYNC_END;
}

START_TEST(a_call_that_was_queued_runs_during_a_sleep_of_nothing)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(gives_way)), 0);
    world_end(&world);
}
END_TEST

struct stops {
    COROUTINE(void);
    int rounds;
    struct pawl_sleep sleep;
};

ASYNC(stops)
{
    ASYNC_BEGIN(stops);
    while (self->rounds < 10) {
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(100)));
        if (++self->rounds == 2) pawl_loop_stop(pawl_loop_current());
    }
    ASYNC_END;
}

START_TEST(a_task_that_stops_its_loop_is_pending_and_can_be_cancelled_in_the_next_run)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(stops));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_EPENDING);
    ck_assert(!pawl_future_done(task));
    ck_assert_int_eq(pawl_task_frame(stops, task)->rounds, 2);
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(200));
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_task_frame(stops, task)->rounds, 2);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("spawn");
    TCase *const whose = add_case(suite, "whose it is");
    tcase_add_test(whose, a_task_belongs_to_the_loop_that_was_current_when_it_was_made);
    tcase_add_loop_test(whose, a_task_makes_a_task_and_gives_it_a_name, 0, 2);
    tcase_add_test(whose, the_frame_of_a_task_is_its_coroutine_also_after_its_end);
    tcase_add_test(whose, a_hundred_runs_leave_no_memory);
    TCase *const what = add_case(suite, "what it is");
    tcase_add_test(what, a_task_is_a_future);
    tcase_add_test(what, what_is_a_future_already_is_taken_as_it_is);
    tcase_add_test(what, a_leaf_of_ones_own_runs_as_a_task);
    tcase_add_test(what, a_sleep_runs_as_a_task);
    TCase *const results = add_case(suite, "results");
    tcase_add_test(results, coroutines_that_never_wait_end_in_the_first_step);
    tcase_add_test(results, a_future_that_is_returned_is_not_awaited);
    tcase_add_test(results, a_task_registers_with_the_future_that_it_waits_for_and_takes_its_result);
    tcase_add_test(results, to_cancel_a_task_that_has_failed_counts_as_a_look);
    tcase_add_test(results, where_the_error_was_raised_is_known_with_the_task);
    TCase *const time = add_case(suite, "sleeping and stopping");
    tcase_add_test(time, two_sleeps_of_half_the_time_take_the_time);
    tcase_add_test(time, a_call_that_was_queued_runs_during_a_sleep_of_nothing);
    tcase_add_test(time, a_task_that_stops_its_loop_is_pending_and_can_be_cancelled_in_the_next_run);
    return suite;
}
