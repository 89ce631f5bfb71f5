/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The loop: the ways to run and to end it, and calls in every state. On the virtual port unless a test says otherwise. */
#include <support.h>

#include <string.h>
#include <unistd.h>

static struct world world;
static struct trace seen;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
}

static char word_a[] = "a", word_b[] = "b";

static void speak(void *word)
{
    trace(&seen, "%s ", (const char *)word);
}

static void stop_loop(void *argument)
{
    trace(&seen, "stop ");
    pawl_loop_stop(argument);
}

struct naps {
    COROUTINE(int);
    pawl_time span;
    int error;
    bool stubborn;
    struct pawl_future never;
    struct pawl_sleep sleep;
};

ASYNC(naps)
{
    ASYNC_BEGIN(naps);
    TRY {
        AWAIT(self->sleep, pawl_sleep(self->span));
    } FINALLY {
        trace(&seen, "fin ");
        if (self->stubborn) AWAIT(&self->never);
    } END_TRY;
    if (self->error) RAISE(self->error);
    ASYNC_RETURN(4);
    ASYNC_END;
}

/* ---- Init and finish ---- */

START_TEST(a_loop_needs_memory_and_a_port)
{
    struct pawl_loop loop;
    struct pawl_virtual clock;
    struct pawl_port no_port = { .ops = NULL };
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(NULL, &clock.base, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_loop_init(&loop, NULL, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_loop_init(&loop, &no_port, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_loop_init(&loop, &clock.base, NULL), 0);
    pawl_loop_finish(&loop);
}
END_TEST

START_TEST(finishing_a_finished_or_zeroed_loop_is_harmless_and_running_it_an_error)
{
    struct pawl_loop zeroed, finished;
    struct pawl_virtual clock;
    struct pawl_future future = PAWL_FUTURE_INIT;
    memset(&zeroed, 0, sizeof zeroed);
    pawl_loop_finish(&zeroed);
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&finished, &clock.base, NULL), 0);
    pawl_loop_finish(&finished);
    pawl_loop_finish(&finished);
    struct pawl_loop *const loops[] = { NULL, &zeroed, &finished };
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pawl_loop_run(loops[i]), PAWL_EINVAL);
        ck_assert_int_eq(pawl_loop_run_once(loops[i], true), PAWL_EINVAL);
        ck_assert_int_eq(pawl_loop_run_until_complete(loops[i], &future), PAWL_EINVAL);
        ck_assert_int_eq(pawl_loop_shutdown(loops[i]), PAWL_EINVAL);
    }
    ck_assert_ptr_null(pawl_loop_current());
}
END_TEST

START_TEST(a_finished_loop_closes_and_frees_the_tasks_that_are_left)
{
    begin();
    ck_assert_ptr_nonnull(pawl_spawn(CORO(naps, .span = 5)));
    struct pawl_task *const asleep = pawl_spawn(CORO(naps, .span = 5));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert_ptr_nonnull(pawl_spawn(CORO(naps, .span = 5))); /* not started */
    pawl_task_release(asleep);
    ck_assert_uint_eq(world.memory.alive, 3);
    world_end(&world); /* checks that none is alive */
    ck_assert_trace(&seen, "fin fin "); /* the FINALLYs of those that had begun */
    ck_assert_int_eq(world.reports, 0);
}
END_TEST

/* ---- Running ---- */

START_TEST(run_goes_on_until_stop_and_ends_its_iteration)
{
    struct pawl_handle a = { 0 }, stop = { 0 }, b = { 0 }, later = { 0 };
    begin();
    pawl_call_soon(&world.loop, &a, speak, word_a);
    pawl_call_soon(&world.loop, &stop, stop_loop, &world.loop);
    pawl_call_soon(&world.loop, &b, speak, word_b);
    pawl_call_later(&world.loop, &later, 5, speak, word_a);
    ck_assert_int_eq(pawl_loop_run(&world.loop), 0);
    ck_assert_trace(&seen, "a stop b ");
    ck_assert(pawl_handle_pending(&later));
    pawl_call_later(&world.loop, &stop, 6, stop_loop, &world.loop);
    ck_assert_int_eq(pawl_loop_run(&world.loop), 0); /* and can be run again */
    ck_assert_trace(&seen, "a stop b a stop ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 6);
    world_end(&world);
}
END_TEST

START_TEST(run_until_complete_gives_the_outcome)
{
    begin();
    struct pawl_task *const fine = pawl_spawn(CORO(naps, .span = 5));
    struct pawl_task *const fails = pawl_spawn(CORO(naps, .span = 7, .error = -5));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, fine), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, fine), 0); /* done already */
    ck_assert_int_eq(pawl_loop_time(&world.loop), 5);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, fails), -5);
    pawl_task_release(fine);
    pawl_task_release(fails);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

START_TEST(stopped_before_its_future_is_done_run_until_complete_says_pending)
{
    struct pawl_handle stop = { 0 };
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(naps, .span = 5));
    pawl_call_later(&world.loop, &stop, 2, stop_loop, &world.loop);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_EPENDING);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 2);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(what_nothing_can_ever_end_is_a_deadlock)
{
    struct pawl_future never = PAWL_FUTURE_INIT;
    begin();
    ck_assert_int_eq(pawl_loop_run(&world.loop), PAWL_EDEADLK);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), PAWL_EDEADLK);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &never), PAWL_EDEADLK);
    ck_assert(!pawl_future_done(&never));
    pawl_loop_wake(&world.loop); /* a wake is taken, and then it is one again */
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), PAWL_EDEADLK);
    world_end(&world);
}
END_TEST

static int inner_results[5];

static void run_again(void *argument)
{
    struct pawl_loop *const other = argument;
    struct pawl_future future = PAWL_FUTURE_INIT;
    inner_results[0] = pawl_loop_run(&world.loop);
    inner_results[1] = pawl_loop_run_once(&world.loop, true);
    inner_results[2] = pawl_loop_run_until_complete(&world.loop, &future);
    inner_results[3] = pawl_loop_shutdown(&world.loop);
    inner_results[4] = pawl_loop_run(other);
    ck_assert_ptr_eq(pawl_loop_current(), &world.loop);
}

START_TEST(a_run_within_a_run_is_busy_also_of_another_loop)
{
    struct pawl_handle handle = { 0 }, after = { 0 };
    struct pawl_virtual clock;
    struct pawl_loop other;
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&other, &clock.base, NULL), 0);
    begin();
    pawl_call_soon(&world.loop, &handle, run_again, &other);
    pawl_call_soon(&world.loop, &after, speak, word_a);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    for (int i = 0; i < 5; i++) ck_assert_int_eq(inner_results[i], PAWL_EBUSY);
    ck_assert_trace(&seen, "a ");
    ck_assert_int_eq(pawl_loop_run(&other), PAWL_EDEADLK); /* one after the other is fine */
    pawl_loop_finish(&other);
    world_end(&world);
}
END_TEST

START_TEST(the_current_loop_is_that_which_runs_and_then_the_one_before)
{
    struct pawl_loop *before;
    begin();
    ck_assert_ptr_eq(pawl_loop_current(), &world.loop);
    ck_assert_ptr_eq(pawl_loop_use(NULL), &world.loop);
    ck_assert_ptr_null(pawl_loop_current());
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert_ptr_null(pawl_loop_current());
    before = pawl_loop_use(&world.loop);
    ck_assert_ptr_null(before);
    world_end(&world);
}
END_TEST

START_TEST(run_once_without_waiting_leaves_the_future_alone)
{
    struct pawl_handle later = { 0 };
    begin();
    pawl_call_later(&world.loop, &later, 5, speak, word_a);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    ck_assert_trace(&seen, "");
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_trace(&seen, "a ");
    world_end(&world);
}
END_TEST

START_TEST(shutdown_cancels_all_tasks_and_waits_for_their_cleanup)
{
    begin();
    for (int i = 0; i < 3; i++) pawl_task_release(pawl_spawn(CORO(naps, .span = 100)));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    pawl_task_release(pawl_spawn(CORO(naps, .span = 100))); /* never started: no FINALLY */
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
    ck_assert_trace(&seen, "fin fin fin ");
    ck_assert_uint_eq(world.memory.alive, 0);
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
    world_end(&world);
}
END_TEST

START_TEST(shutdown_of_a_task_that_will_not_end_is_the_error_of_the_port)
{
    begin();
    pawl_task_release(pawl_spawn(CORO(naps, .span = 100, .stubborn = true)));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), PAWL_EDEADLK);
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0); /* the second request gets it */
    world_end(&world);
}
END_TEST

/* ---- Calls in every state ---- */

START_TEST(calls_need_a_loop_a_handle_and_a_callback)
{
    struct pawl_handle handle = { 0 };
    begin();
    ck_assert_int_eq(pawl_call_soon(NULL, &handle, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_soon(&world.loop, NULL, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_soon(&world.loop, &handle, NULL, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_later(NULL, &handle, 1, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_later(&world.loop, NULL, 1, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_later(&world.loop, &handle, 1, NULL, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_at(NULL, &handle, 1, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_at(&world.loop, NULL, 1, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_soon_threadsafe(NULL, &handle, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_soon_threadsafe(&world.loop, NULL, speak, word_a), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_soon_threadsafe(&world.loop, &handle, NULL, word_a), PAWL_EINVAL);
    ck_assert(!pawl_handle_cancel(NULL));
    ck_assert(!pawl_handle_cancel(&handle));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

static const pawl_time past[] = { 0, -1, -PAWL_SEC(1), -PAWL_FOREVER };

START_TEST(a_delay_or_a_time_that_has_passed_is_now)
{
    struct pawl_handle later = { 0 }, at = { 0 };
    begin();
    world.clock.now = PAWL_SEC(3);
    ck_assert_int_eq(pawl_call_later(&world.loop, &later, past[_i], speak, word_a), 0);
    ck_assert_int_eq(pawl_call_at(&world.loop, &at, past[_i], speak, word_a), 0);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_trace(&seen, "a a ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_SEC(3));
    world_end(&world);
}
END_TEST

struct canceller {
    struct pawl_handle self, soon, timer, due;
};

/* Runs in one batch with `due`, whose time has come. */
static void cancel_the_rest(void *argument)
{
    struct canceller *const canceller = argument;
    ck_assert(!pawl_handle_cancel(&canceller->self)); /* it runs: too late */
    ck_assert(pawl_handle_cancel(&canceller->soon));
    ck_assert(pawl_handle_cancel(&canceller->timer));
    ck_assert(pawl_handle_cancel(&canceller->due));
    ck_assert(!pawl_handle_cancel(&canceller->due));
}

START_TEST(a_call_can_be_cancelled_wherever_it_is)
{
    struct canceller canceller;
    begin();
    memset(&canceller, 0, sizeof canceller);
    pawl_call_soon(&world.loop, &canceller.self, cancel_the_rest, &canceller);
    pawl_call_soon(&world.loop, &canceller.soon, speak, word_a);
    pawl_call_later(&world.loop, &canceller.due, 0, speak, word_a);
    pawl_call_later(&world.loop, &canceller.timer, 50, speak, word_a);
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_trace(&seen, "");
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert(pawl_future_done(&canceller.self) && !pawl_future_cancelled(&canceller.self));
    ck_assert(pawl_future_cancelled(&canceller.soon));
    ck_assert(pawl_future_cancelled(&canceller.timer));
    ck_assert(pawl_future_cancelled(&canceller.due));
    ck_assert_int_eq(pawl_call_soon(&world.loop, &canceller.due, speak, word_b), 0); /* and used again */
    ck_assert(!pawl_future_done(&canceller.due));
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_trace(&seen, "b ");
    world_end(&world);
}
END_TEST

struct repeating {
    struct pawl_handle handle;
    int left;
    bool soon;
};

static void repeat(void *argument)
{
    struct repeating *const repeating = argument;
    trace(&seen, "%d ", repeating->left);
    if (--repeating->left == 0) return;
    if (repeating->soon) ck_assert_int_eq(pawl_call_soon(&world.loop, &repeating->handle, repeat, repeating), 0);
    else ck_assert_int_eq(pawl_call_later(&world.loop, &repeating->handle, 10, repeat, repeating), 0);
    ck_assert_int_eq(pawl_call_soon(&world.loop, &repeating->handle, repeat, repeating), PAWL_EBUSY);
}

START_TEST(a_callback_may_arm_its_own_handle_again)
{
    struct repeating repeating = { .left = 4, .soon = _i == 1 };
    begin();
    pawl_call_soon(&world.loop, &repeating.handle, repeat, &repeating);
    for (int i = 0; i < 4; i++) {
        ck_assert(pawl_loop_pending(&world.loop));
        ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    }
    ck_assert_trace(&seen, "4 3 2 1 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), _i == 1 ? 0 : 30);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

static void free_handle(void *argument)
{
    memset(argument, 0xA5, sizeof(struct pawl_handle));
    free(argument);
    trace(&seen, "freed ");
}

START_TEST(a_callback_may_free_its_own_handle)
{
    begin();
    struct pawl_handle *const soon = calloc(1, sizeof *soon), *const later = calloc(1, sizeof *later);
    struct pawl_handle *const waiting = calloc(1, sizeof *waiting);
    struct pawl_future future = PAWL_FUTURE_INIT;
    pawl_call_soon(&world.loop, soon, free_handle, soon);
    pawl_call_later(&world.loop, later, 5, free_handle, later);
    pawl_future_add_callback(&future, &world.loop, waiting, free_handle, waiting);
    pawl_future_set_done(&future);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    ck_assert_trace(&seen, "freed freed freed ");
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

/* ---- A busy loop ---- */

static void busy(void *argument)
{
    struct pawl_handle *const handle = argument;
    pawl_call_soon(&world.loop, handle, busy, handle);
}

START_TEST(a_busy_loop_still_asks_its_port)
{
    static struct pawl_handle spinning[3];
    struct pawl_handle woken = { 0 }, timer = { 0 };
    begin();
    for (int i = 0; i < 3; i++) pawl_call_soon(&world.loop, &spinning[i], busy, &spinning[i]);
    pawl_call_at(&world.loop, &timer, 10, speak, word_a);
    world.clock.now = 10; /* the time passes while the loop is busy */
    ck_assert_int_eq(pawl_call_soon_threadsafe(&world.loop, &woken, speak, word_b), 0);
    int rounds = 0;
    while (seen.length < 4) {
        ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
        ck_assert_int_lt(++rounds, 100);
    }
    ck_assert(strcmp(seen.text, "a b ") == 0 || strcmp(seen.text, "b a ") == 0);
    world_end(&world);
}
END_TEST

struct pipe_watch {
    struct pawl_watcher watch;
    int told;
};

static void count_event(struct pawl_watcher *watch, unsigned events)
{
    if (events & PAWL_WATCH_READ) ((struct pipe_watch *)(void *)watch)->told++;
}

static void spin(void *argument)
{
    struct pawl_handle *const handle = argument;
    pawl_call_soon(pawl_loop_current(), handle, spin, handle);
}

START_TEST(a_busy_loop_still_sees_its_descriptors)
{
    struct pawl_epoll epoll;
    struct pawl_loop loop;
    struct pawl_handle spinning = { 0 };
    struct pipe_watch reader;
    int ends[2];
    memset(&reader, 0, sizeof reader);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(pawl_epoll_init(&epoll), 0);
    ck_assert_int_eq(pawl_loop_init(&loop, &epoll.base, NULL), 0);
    reader.watch.fd = ends[0];
    reader.watch.notify = count_event;
    ck_assert_int_eq(epoll.base.ops->watch(&epoll.base, &reader.watch), 0);
    pawl_call_soon(&loop, &spinning, spin, &spinning);
    ck_assert_int_eq(pawl_loop_run_once(&loop, true), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    for (int i = 0; i < 200 && reader.told == 0; i++) ck_assert_int_eq(pawl_loop_run_once(&loop, true), 0);
    ck_assert_int_eq(reader.told, 1);
    epoll.base.ops->unwatch(&epoll.base, &reader.watch);
    pawl_loop_finish(&loop);
    pawl_epoll_finish(&epoll);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("loop");
    TCase *const life = add_case(suite, "life");
    tcase_add_test(life, a_loop_needs_memory_and_a_port);
    tcase_add_test(life, finishing_a_finished_or_zeroed_loop_is_harmless_and_running_it_an_error);
    tcase_add_test(life, a_finished_loop_closes_and_frees_the_tasks_that_are_left);
    TCase *const running = add_case(suite, "running");
    tcase_add_test(running, run_goes_on_until_stop_and_ends_its_iteration);
    tcase_add_test(running, run_until_complete_gives_the_outcome);
    tcase_add_test(running, stopped_before_its_future_is_done_run_until_complete_says_pending);
    tcase_add_test(running, what_nothing_can_ever_end_is_a_deadlock);
    tcase_add_test(running, a_run_within_a_run_is_busy_also_of_another_loop);
    tcase_add_test(running, the_current_loop_is_that_which_runs_and_then_the_one_before);
    tcase_add_test(running, run_once_without_waiting_leaves_the_future_alone);
    tcase_add_test(running, shutdown_cancels_all_tasks_and_waits_for_their_cleanup);
    tcase_add_test(running, shutdown_of_a_task_that_will_not_end_is_the_error_of_the_port);
    TCase *const calls = add_case(suite, "calls");
    tcase_add_test(calls, calls_need_a_loop_a_handle_and_a_callback);
    tcase_add_loop_test(calls, a_delay_or_a_time_that_has_passed_is_now, 0, sizeof past / sizeof *past);
    tcase_add_test(calls, a_call_can_be_cancelled_wherever_it_is);
    tcase_add_loop_test(calls, a_callback_may_arm_its_own_handle_again, 0, 2);
    tcase_add_test(calls, a_callback_may_free_its_own_handle);
    TCase *const busy_case = add_case(suite, "busy");
    tcase_add_test(busy_case, a_busy_loop_still_asks_its_port);
    tcase_add_test(busy_case, a_busy_loop_still_sees_its_descriptors);
    return suite;
}
