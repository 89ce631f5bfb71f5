/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The order in which a loop runs things, as traces. The expected traces are those that asyncio prints for the same
 * programs (CPython 3.13), but for timers due at one instant, where asyncio promises nothing.
 */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
}

static void speak(void *word)
{
    trace(&seen, "%s ", (const char *)word);
}

/* Says t0, t1, … once in each iteration. */
struct ticker {
    struct pawl_handle handle;
    int next, end;
};

static void tick(void *argument)
{
    struct ticker *const ticker = argument;
    trace(&seen, "t%d ", ticker->next++);
    if (ticker->next < ticker->end) pawl_call_soon(&world.loop, &ticker->handle, tick, ticker);
}

/* In no frame: it may outlive the task that started it. */
static void start_ticker(int end)
{
    static struct ticker ticker;
    ticker = (struct ticker){ .end = end };
    ck_assert_int_eq(pawl_call_soon(&world.loop, &ticker.handle, tick, &ticker), 0);
}

static char word_a[] = "a", word_b[] = "b", word_c[] = "c", word_d[] = "d", word_late[] = "late";

/* ---- Calls ---- */

struct queueing {
    struct pawl_handle outer, inner;
};

static void speak_and_queue(void *argument)
{
    struct queueing *const queueing = argument;
    speak(word_a);
    pawl_call_soon(&world.loop, &queueing->inner, speak, word_c);
}

struct calls {
    COROUTINE(void);
    struct queueing queueing;
    struct pawl_handle b;
    struct pawl_sleep sleep;
    int i;
};

ASYNC(calls)
{
    ASYNC_BEGIN(calls);
    pawl_call_soon(pawl_loop_current(), &self->queueing.outer, speak_and_queue, &self->queueing);
    pawl_call_soon(pawl_loop_current(), &self->b, speak, word_b);
    start_ticker(3);
    for (self->i = 0; self->i < 3; self->i++) AWAIT(self->sleep, pawl_yield());
    trace(&seen, "m ");
    ASYNC_END;
}

START_TEST(calls_are_first_in_first_out_and_new_ones_wait_an_iteration)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(calls)), 0);
    ck_assert_trace(&seen, "a b t0 c t1 t2 m ");
    world_end(&world);
}
END_TEST

static void append_number(void *argument)
{
    int *const number = argument;
    static int last;
    if (*number == 0) last = -1;
    ck_assert_int_eq(*number, last + 1);
    last = *number;
}

START_TEST(a_thousand_calls_keep_their_order)
{
    enum { MANY = 1000 };
    static struct pawl_handle handles[MANY];
    static int numbers[MANY];
    begin();
    for (int i = 0; i < MANY; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pawl_call_soon(&world.loop, &handles[i], append_number, &numbers[i]), 0);
    }
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    for (int i = 0; i < MANY; i++) ck_assert(pawl_future_done(&handles[i]));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

/* ---- Futures ---- */

START_TEST(settling_queues_the_callbacks_in_order_and_runs_none)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle a = { 0 }, b = { 0 }, c = { 0 }, late = { 0 };
    begin();
    pawl_future_add_callback(&future, &world.loop, &a, speak, word_a);
    pawl_future_add_callback(&future, &world.loop, &b, speak, word_b);
    pawl_future_add_callback(&future, &world.loop, &c, speak, word_c);
    ck_assert_int_eq(pawl_future_set_done(&future), 0);
    trace(&seen, "set ");
    ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &late, speak, word_late), 0);
    trace(&seen, "added ");
    pawl_loop_run_once(&world.loop, false);
    ck_assert_trace(&seen, "set added a b c late ");
    world_end(&world);
}
END_TEST

struct waiter {
    COROUTINE(void);
    struct pawl_future *future;
    const char *name;
};

ASYNC(waiter)
{
    ASYNC_BEGIN(waiter);
    AWAIT(self->future);
    trace(&seen, "%s ", self->name);
    ASYNC_END;
}

struct mixed {
    COROUTINE(void);
    struct pawl_future future;
    struct pawl_handle handle;
    struct pawl_task *first, *second;
    struct pawl_sleep sleep;
};

ASYNC(mixed)
{
    ASYNC_BEGIN(mixed);
    self->first = pawl_spawn(CORO(waiter, .future = &self->future, .name = "t1"));
    AWAIT(self->sleep, pawl_yield());
    pawl_future_add_callback(&self->future, pawl_loop_current(), &self->handle, speak, word_b);
    self->second = pawl_spawn(CORO(waiter, .future = &self->future, .name = "t2"));
    AWAIT(self->sleep, pawl_yield());
    pawl_future_set_done(&self->future);
    trace(&seen, "set ");
    AWAIT(self->second);
    trace(&seen, "end ");
    pawl_task_release(self->first);
    pawl_task_release(self->second);
    ASYNC_END;
}

START_TEST(tasks_and_callbacks_wait_for_a_future_in_one_line)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(mixed)), 0);
    ck_assert_trace(&seen, "set t1 b t2 end ");
    world_end(&world);
}
END_TEST

struct looks_at_done {
    COROUTINE(int);
    struct pawl_future *future;
};

ASYNC(looks_at_done)
{
    ASYNC_BEGIN(looks_at_done);
    AWAIT(self->future);
    ASYNC_RETURN(1);
    ASYNC_END;
}

struct no_suspension {
    COROUTINE(void);
    struct pawl_future future;
    struct looks_at_done inner;
    struct pawl_sleep sleep;
};

ASYNC(no_suspension)
{
    ASYNC_BEGIN(no_suspension);
    start_ticker(3);
    pawl_future_set_done(&self->future);
    AWAIT(&self->future);
    AWAIT(self->inner, CORO(looks_at_done, .future = &self->future));
    ck_assert_int_eq(self->inner.result, 1);
    trace(&seen, "m ");
    AWAIT(self->sleep, pawl_yield());
    AWAIT(self->sleep, pawl_yield());
    trace(&seen, "m2 ");
    AWAIT(self->sleep, pawl_yield());
    ASYNC_END;
}

START_TEST(neither_a_done_future_nor_a_coroutine_suspends_its_awaiter)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(no_suspension)), 0);
    ck_assert_trace(&seen, "m t0 t1 m2 t2 ");
    world_end(&world);
}
END_TEST

/* ---- Tasks ---- */

struct two_steps {
    COROUTINE(int);
    const char *name;
    int number;
    struct pawl_sleep sleep;
};

ASYNC(two_steps)
{
    ASYNC_BEGIN(two_steps);
    trace(&seen, "%s0 ", self->name);
    AWAIT(self->sleep, pawl_yield());
    trace(&seen, "%s1 ", self->name);
    ASYNC_RETURN(self->number);
    ASYNC_END;
}

struct parent {
    COROUTINE(void);
    bool through_gather;
    struct pawl_task *task;
    struct pawl_child child;
    union {
        struct pawl_gather gather;
        struct pawl_sleep sleep;
    };
};

ASYNC(parent)
{
    ASYNC_BEGIN(parent);
    start_ticker(6);
    self->task = pawl_spawn(CORO(two_steps, .name = "c"));
    if (self->through_gather) {
        self->child = pawl_child(self->task);
        AWAIT(self->gather, pawl_gather(&self->child, 1));
    } else {
        AWAIT(self->task);
    }
    trace(&seen, "parent ");
    pawl_task_release(self->task);
    AWAIT(self->sleep, pawl_yield());
    ASYNC_END;
}

static void drain(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

START_TEST(a_parent_resumes_one_iteration_after_its_task)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(parent)), 0);
    drain();
    ck_assert_trace(&seen, "t0 c0 t1 c1 t2 parent t3 t4 t5 ");
    world_end(&world);
}
END_TEST

START_TEST(through_gather_a_parent_resumes_two_iterations_after_its_task)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(parent, .through_gather = true)), 0);
    drain();
    ck_assert_trace(&seen, "t0 c0 t1 c1 t2 t3 parent t4 t5 ");
    world_end(&world);
}
END_TEST

struct gathers_done {
    COROUTINE(void);
    struct pawl_future future;
    struct pawl_child children[2];
    struct pawl_gather gather;
    struct pawl_sleep sleep;
};

ASYNC(gathers_done)
{
    ASYNC_BEGIN(gathers_done);
    start_ticker(3);
    pawl_future_set_done(&self->future);
    self->children[0] = pawl_child(&self->future);
    self->children[1] = pawl_child(&self->future);
    AWAIT(self->gather, pawl_gather(self->children, 2));
    trace(&seen, "m ");
    AWAIT(self->gather, pawl_gather(NULL, 0));
    trace(&seen, "m2 ");
    AWAIT(self->sleep, pawl_yield());
    AWAIT(self->sleep, pawl_yield());
    ASYNC_END;
}

START_TEST(gathering_what_is_done_or_nothing_does_not_suspend)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(gathers_done)), 0);
    drain();
    ck_assert_trace(&seen, "m m2 t0 t1 t2 ");
    world_end(&world);
}
END_TEST

struct lazily {
    COROUTINE(void);
    struct two_steps a, b;
    struct pawl_task *first, *second;
};

ASYNC(lazily)
{
    ASYNC_BEGIN(lazily);
    self->a = CORO(two_steps, .name = "a", .number = 1);
    self->b = CORO(two_steps, .name = "b", .number = 2);
    trace(&seen, "made ");
    self->first = pawl_spawn(self->a);
    self->second = pawl_spawn(self->b);
    trace(&seen, "tasks ");
    AWAIT(self->first);
    trace(&seen, "%d ", pawl_task_frame(two_steps, self->first)->result);
    AWAIT(self->second);
    trace(&seen, "%d ", pawl_task_frame(two_steps, self->second)->result);
    pawl_task_release(self->first);
    pawl_task_release(self->second);
    ASYNC_END;
}

START_TEST(a_made_coroutine_runs_nothing_and_a_task_starts_an_iteration_later)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(lazily)), 0);
    ck_assert_trace(&seen, "made tasks a0 b0 a1 b1 1 2 ");
    world_end(&world);
}
END_TEST

struct eagerly {
    COROUTINE(void);
    struct pawl_task *first, *second;
};

ASYNC(eagerly)
{
    ASYNC_BEGIN(eagerly);
    self->first = pawl_spawn_eager(CORO(two_steps, .name = "a"));
    self->second = pawl_spawn(CORO(two_steps, .name = "b"));
    trace(&seen, "m ");
    AWAIT(self->first);
    trace(&seen, "a! ");
    AWAIT(self->second);
    trace(&seen, "b! ");
    pawl_task_release(self->first);
    pawl_task_release(self->second);
    ASYNC_END;
}

START_TEST(an_eager_task_runs_at_once_to_its_first_suspension)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(eagerly)), 0);
    ck_assert_trace(&seen, "a0 m a1 b0 a! b1 b! ");
    world_end(&world);
}
END_TEST

struct rounds {
    COROUTINE(void);
    const char *name;
    int i;
    struct pawl_sleep sleep;
};

ASYNC(rounds)
{
    ASYNC_BEGIN(rounds);
    for (self->i = 0; self->i < 3; self->i++) {
        trace(&seen, "%s%d ", self->name, self->i);
        AWAIT(self->sleep, pawl_yield());
    }
    ASYNC_END;
}

START_TEST(tasks_that_yield_take_turns)
{
    static TASK(rounds) tasks[3];
    begin();
    static const char *const names[] = { "a", "b", "c" };
    for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(pawl_start(&tasks[i], CORO(rounds, .name = names[i])));
    drain();
    ck_assert_trace(&seen, "a0 b0 c0 a1 b1 c1 a2 b2 c2 ");
    world_end(&world);
}
END_TEST

struct sleeps_backwards {
    COROUTINE(void);
    pawl_time span;
    struct pawl_sleep sleep;
};

ASYNC(sleeps_backwards)
{
    ASYNC_BEGIN(sleeps_backwards);
    trace(&seen, "in ");
    AWAIT(self->sleep, pawl_sleep(self->span));
    trace(&seen, "out ");
    ASYNC_END;
}

START_TEST(a_sleep_of_nothing_or_less_gives_way_once)
{
    static TASK(sleeps_backwards) task;
    static const pawl_time spans[] = { 0, -1, -PAWL_SEC(5), -PAWL_FOREVER };
    begin();
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(sleeps_backwards, .span = spans[_i])));
    start_ticker(3);
    drain();
    ck_assert_trace(&seen, "in t0 out t1 t2 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    world_end(&world);
}
END_TEST

/* ---- Timers ---- */

START_TEST(timers_due_at_one_instant_fire_in_the_order_armed)
{
    enum { MANY = 300 };
    static struct pawl_handle handles[MANY];
    static int numbers[MANY];
    begin();
    /* armed late to early in blocks of a hundred; within a block all are due at once */
    for (int i = 0; i < MANY; i++) {
        numbers[i] = (i + 100) % MANY;
        const int at = (numbers[i] / 100 + 1) * 7;
        ck_assert_int_eq(pawl_call_at(&world.loop, &handles[i], at, append_number, &numbers[i]), 0);
    }
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_int_eq(numbers[MANY - 1], 99);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 21);
    for (int i = 0; i < MANY; i++) ck_assert(pawl_future_done(&handles[i]));
    world_end(&world);
}
END_TEST

START_TEST(due_timers_run_behind_what_is_ready_in_the_same_iteration)
{
    struct pawl_handle a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
    begin();
    pawl_call_at(&world.loop, &a, 5, speak, word_a);
    pawl_call_at(&world.loop, &b, 3, speak, word_b);
    world.clock.now = 9;
    pawl_call_soon(&world.loop, &c, speak, word_c);
    pawl_call_soon(&world.loop, &d, speak, word_d);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_trace(&seen, "c d b a ");
    world_end(&world);
}
END_TEST

struct sleeper {
    COROUTINE(void);
    const char *name;
    pawl_time until;
    struct pawl_sleep sleep;
};

ASYNC(sleeper)
{
    ASYNC_BEGIN(sleeper);
    AWAIT(self->sleep, pawl_sleep_until(self->until));
    trace(&seen, "%s ", self->name);
    ASYNC_END;
}

START_TEST(a_sleeper_resumes_one_iteration_after_a_call_of_the_same_instant)
{
    static TASK(sleeper) first, second;
    struct pawl_handle a = { 0 }, b = { 0 };
    begin();
    ck_assert_ptr_nonnull(pawl_start(&first, CORO(sleeper, .name = "s1", .until = 50)));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    pawl_call_at(&world.loop, &a, 50, speak, word_a);
    ck_assert_ptr_nonnull(pawl_start(&second, CORO(sleeper, .name = "s2", .until = 50)));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    pawl_call_at(&world.loop, &b, 50, speak, word_b);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    start_ticker(2);
    drain();
    ck_assert_trace(&seen, "a b s1 s2 t0 t1 ");
    world_end(&world);
}
END_TEST

struct js_order {
    COROUTINE(void);
    int first, second;
    struct pawl_sleep sleep;
};

ASYNC(js_order)
{
    ASYNC_BEGIN(js_order);
    trace(&seen, "%d ", self->first);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(10)));
    trace(&seen, "%d ", self->second);
    ASYNC_END;
}

struct spawns_and_goes_on {
    COROUTINE(void);
    bool eager;
    struct pawl_task *task;
    struct pawl_sleep sleep;
};

ASYNC(spawns_and_goes_on)
{
    ASYNC_BEGIN(spawns_and_goes_on);
    self->task = self->eager ? pawl_spawn_eager(CORO(js_order, .first = 1, .second = 3))
                             : pawl_spawn(CORO(js_order, .first = 1, .second = 3));
    trace(&seen, "2 ");
    AWAIT(self->task);
    trace(&seen, "4 ");
    AWAIT(self->sleep, pawl_sleep(1));
    trace(&seen, "5 ");
    pawl_task_release(self->task);
    ASYNC_END;
}

START_TEST(lazy_and_eager_spawns_differ_in_who_speaks_first)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(spawns_and_goes_on)), 0);
    ck_assert_trace(&seen, "2 1 3 4 5 ");
    memset(&seen, 0, sizeof seen);
    ck_assert_int_eq(world_run(&world, CORO(spawns_and_goes_on, .eager = true)), 0);
    ck_assert_trace(&seen, "1 2 3 4 5 ");
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("order");
    TCase *const calls_case = add_case(suite, "calls and futures");
    tcase_add_test(calls_case, calls_are_first_in_first_out_and_new_ones_wait_an_iteration);
    tcase_add_test(calls_case, a_thousand_calls_keep_their_order);
    tcase_add_test(calls_case, settling_queues_the_callbacks_in_order_and_runs_none);
    tcase_add_test(calls_case, tasks_and_callbacks_wait_for_a_future_in_one_line);
    tcase_add_test(calls_case, neither_a_done_future_nor_a_coroutine_suspends_its_awaiter);
    TCase *const tasks_case = add_case(suite, "tasks");
    tcase_add_test(tasks_case, a_parent_resumes_one_iteration_after_its_task);
    tcase_add_test(tasks_case, through_gather_a_parent_resumes_two_iterations_after_its_task);
    tcase_add_test(tasks_case, gathering_what_is_done_or_nothing_does_not_suspend);
    tcase_add_test(tasks_case, a_made_coroutine_runs_nothing_and_a_task_starts_an_iteration_later);
    tcase_add_test(tasks_case, an_eager_task_runs_at_once_to_its_first_suspension);
    tcase_add_test(tasks_case, tasks_that_yield_take_turns);
    tcase_add_loop_test(tasks_case, a_sleep_of_nothing_or_less_gives_way_once, 0, 4);
    tcase_add_test(tasks_case, lazy_and_eager_spawns_differ_in_who_speaks_first);
    TCase *const timers_case = add_case(suite, "timers");
    tcase_add_test(timers_case, timers_due_at_one_instant_fire_in_the_order_armed);
    tcase_add_test(timers_case, due_timers_run_behind_what_is_ready_in_the_same_iteration);
    tcase_add_test(timers_case, a_sleeper_resumes_one_iteration_after_a_call_of_the_same_instant);
    return suite;
}
