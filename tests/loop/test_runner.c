/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* pawl_runner: one loop, one main task after the other; what goes on between them, how it ends, and Ctrl-C. */
#define _GNU_SOURCE
#include <support.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct trace seen;
static struct pawl_virtual clock_port;
static struct pawl_runner runner;
static int reports, last_report;

static void keep_report(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    ck_assert_ptr_eq(loop, &runner.loop);
    reports++;
    last_report = failure->error;
}

/* Even a runner that was not made by pawl_runner_init is not looked at before; a shell's background jobs inherit SIGINT ignored. */
static void begin(void)
{
    memset(&seen, 0, sizeof seen);
    memset(&runner, 0xa5, sizeof runner);
    reports = last_report = 0;
    signal(SIGINT, SIG_DFL);
    pawl_virtual_init(&clock_port);
    ck_assert_int_eq(pawl_runner_init(&runner, &clock_port.base), 0);
    pawl_loop_set_report(&runner.loop, keep_report);
}

static void end(void)
{
    ck_assert_int_eq(pawl_runner_finish(&runner), 0);
    ck_assert_ptr_null(pawl_loop_current());
}

static bool sigint_is(void (*handler)(int))
{
    struct sigaction action;
    return sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == handler;
}

/* ---- Main tasks ---- */

struct sleeps {
    COROUTINE(int);
    char name;
    pawl_time span, cleanup;
    int error;
    bool swallows;
    struct pawl_sleep sleep;
};

ASYNC(sleeps)
{
    ASYNC_BEGIN(sleeps);
    TRY {
        AWAIT(self->sleep, pawl_sleep(self->span));
        if (self->error) RAISE(self->error);
        trace(&seen, "%c ", self->name);
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "%cc ", self->name);
        if (!self->swallows) RERAISE();
    } FINALLY {
        if (self->cleanup > 0) AWAIT(self->sleep, pawl_sleep(self->cleanup));
        trace(&seen, "%cf ", self->name);
    } END_TRY;
    ASYNC_RETURN(self->name);
    ASYNC_END;
}

/* Leaves tasks behind. */
struct leaves {
    COROUTINE(void);
    pawl_time spans[3], cleanup;
    int i;
};

ASYNC(leaves)
{
    ASYNC_BEGIN(leaves);
    for (self->i = 0; self->i < 3; self->i++)
        pawl_task_release(
            pawl_spawn_eager(CORO(sleeps, .name = (char)('a' + self->i), .span = self->spans[self->i], .cleanup = self->cleanup)));
    ASYNC_END;
}

static int run_sleep(char name, pawl_time span)
{
    return pawl_runner_run(&runner, CORO(sleeps, .name = name, .span = span));
}

/* ---- Runs ---- */

START_TEST(a_runner_runs_one_main_task_after_the_other)
{
    begin();
    for (char name = 'x'; name <= 'z'; name++) ck_assert_int_eq(run_sleep(name, 10), 0);
    ck_assert_trace(&seen, "x xf y yf z zf ");
    ck_assert_int_eq(pawl_loop_time(&runner.loop), 30);
    ck_assert_ptr_null(pawl_loop_current());
    end();
}
END_TEST

START_TEST(the_result_is_in_the_slot)
{
    static TASK(sleeps) slot;
    begin();
    for (char name = 'x'; name <= 'z'; name++) {
        ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(sleeps, .name = name)), 0);
        ck_assert_int_eq(slot.frame.result, name);
        ck_assert_int_eq(pawl_future_error(&slot), 0);
    }
    end();
}
END_TEST

START_TEST(the_error_of_the_main_task_is_returned_and_not_reported)
{
    static TASK(sleeps) slot;
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(sleeps, .error = -EIO)), -EIO);
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(sleeps, .error = -EPERM)), -EPERM);
    ck_assert_int_eq(pawl_task_finish(&slot.awaitable), 0);
    ck_assert_int_eq(run_sleep('x', 1), 0);
    ck_assert_int_eq(reports, 0);
    end();
}
END_TEST

START_TEST(a_frame_that_was_used_is_an_error)
{
    static TASK(sleeps) slot;
    begin();
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(sleeps, .name = 'x')), 0);
    ck_assert_int_eq(pawl_runner_run(&runner, slot.frame), PAWL_EAWAITED);
    ck_assert_int_eq(run_sleep('y', 1), 0);
    end();
}
END_TEST

START_TEST(tasks_go_on_in_the_next_run)
{
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(leaves, .spans = { 10, 25, 50 })), 0);
    ck_assert_trace(&seen, "");
    ck_assert_int_eq(run_sleep('x', 15), 0);
    ck_assert_trace(&seen, "a af x xf ");
    ck_assert_int_eq(run_sleep('y', 15), 0);
    ck_assert_trace(&seen, "a af x xf b bf y yf ");
    end();
    ck_assert_trace(&seen, "a af x xf b bf y yf cc cf ");
}
END_TEST

static void note_call(void *name)
{
    trace(&seen, "%s ", (const char *)name);
}

START_TEST(a_call_that_was_made_between_runs_is_run_in_the_next)
{
    static struct pawl_handle handle;
    static char name[] = "call";
    begin();
    ck_assert_int_eq(run_sleep('x', 1), 0);
    ck_assert_int_eq(pawl_call_soon(&runner.loop, &handle, note_call, name), 0);
    ck_assert_trace(&seen, "x xf ");
    ck_assert_int_eq(run_sleep('y', 1), 0);
    ck_assert_trace(&seen, "x xf call y yf ");
    end();
}
END_TEST

START_TEST(a_task_may_be_made_between_runs)
{
    begin();
    ck_assert_ptr_null(pawl_loop_use(&runner.loop));
    pawl_task_release(pawl_spawn(CORO(sleeps, .name = 'a', .span = 5)));
    ck_assert_ptr_eq(pawl_loop_use(NULL), &runner.loop);
    ck_assert_int_eq(run_sleep('x', 10), 0);
    ck_assert_trace(&seen, "a af x xf ");
    end();
}
END_TEST

START_TEST(unseen_errors_go_to_the_report_of_the_loop)
{
    begin();
    ck_assert_ptr_null(pawl_loop_use(&runner.loop));
    pawl_task_release(pawl_spawn(CORO(sleeps, .error = -EPERM)));
    pawl_loop_use(NULL);
    ck_assert_int_eq(run_sleep('x', 10), 0);
    ck_assert_int_eq(reports, 1);
    ck_assert_int_eq(last_report, -EPERM);
    end();
}
END_TEST

START_TEST(two_runners_have_a_loop_each)
{
    struct pawl_virtual other_clock;
    struct pawl_runner other;
    begin();
    pawl_virtual_init(&other_clock);
    ck_assert_int_eq(pawl_runner_init(&other, &other_clock.base), 0);
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(leaves, .spans = { 10, 10, 10 })), 0);
    ck_assert_int_eq(pawl_runner_run(&other, CORO(sleeps, .name = 'x', .span = 100)), 0);
    ck_assert_trace(&seen, "x xf ");
    ck_assert_int_eq(pawl_loop_time(&runner.loop), 0);
    ck_assert_int_eq(pawl_runner_finish(&other), 0);
    ck_assert_int_eq(run_sleep('y', 20), 0);
    ck_assert_trace(&seen, "x xf a af b bf c cf y yf ");
    end();
}
END_TEST

START_TEST(without_a_port_it_has_one_of_its_own)
{
    begin();
    end();
    ck_assert_int_eq(pawl_runner_init(&runner, NULL), 0);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(run_sleep('x', PAWL_MS(1)), 0);
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(leaves, .spans = { PAWL_SEC(900), PAWL_SEC(900), PAWL_SEC(900) })), 0);
    end();
    ck_assert_trace(&seen, "x xf x xf x xf ac af bc bf cc cf ");
}
END_TEST

/* ---- The end ---- */

START_TEST(at_the_end_every_task_is_cancelled_and_runs_to_its_end)
{
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(leaves, .spans = { 90, 80, 70 }, .cleanup = 5)), 0);
    end();
    ck_assert_trace(&seen, "ac bc cc af bf cf ");
    ck_assert_int_eq(clock_port.now, 5);
}
END_TEST

START_TEST(finished_twice_or_never_made_it_does_no_harm)
{
    struct pawl_runner zeroed;
    memset(&zeroed, 0, sizeof zeroed);
    ck_assert_int_eq(pawl_runner_finish(&zeroed), 0);
    begin();
    end();
    end();
}
END_TEST

START_TEST(a_finished_one_does_not_run_until_it_is_made_anew)
{
    static TASK(sleeps) slot;
    begin();
    end();
    ck_assert_int_eq(run_sleep('x', 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(sleeps)), PAWL_EINVAL);
    ck_assert_trace(&seen, "");
    begin();
    ck_assert_int_eq(run_sleep('x', 1), 0);
    end();
}
END_TEST

START_TEST(without_memory_for_it_there_is_no_runner)
{
    ck_assert_int_eq(pawl_runner_init(NULL, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_runner_init(NULL, &clock_port.base), PAWL_EINVAL);
}
END_TEST

START_TEST(without_descriptors_there_is_no_runner_and_nothing_is_open)
{
    struct rlimit before, none;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (rlim_t left = 0; left < 2; left++) { /* it needs more than one */
        const int next = dup(0);
        ck_assert_int_ge(next, 0);
        close(next);
        none = (struct rlimit){ .rlim_cur = (rlim_t)next + left, .rlim_max = before.rlim_max };
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
        const int error = pawl_runner_init(&runner, NULL);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        ck_assert_int_eq(error, -EMFILE);
        ck_assert_int_eq(pawl_runner_finish(&runner), 0);
        const int again = dup(0);
        close(again);
        ck_assert_int_eq(again, next);
    }
}
END_TEST

/* ---- Runs that do not end by themselves ---- */

struct stops {
    COROUTINE(void);
    bool stop, stubborn;
    struct pawl_future never;
};

ASYNC(stops)
{
    ASYNC_BEGIN(stops);
    TRY {
        if (self->stop) pawl_loop_stop(pawl_loop_current());
        AWAIT(&self->never);
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "c ");
        pawl_future_reset(&self->never);
        if (self->stubborn) AWAIT(&self->never);
        RERAISE();
    } FINALLY {
        trace(&seen, "f ");
    } END_TRY;
    ASYNC_END;
}

/* With the loop stopped (1), or when nothing can run any more (0). */
START_TEST(a_main_task_that_has_not_ended_is_cancelled_and_ends)
{
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(stops, .stop = _i == 1)), _i == 1 ? PAWL_EPENDING : PAWL_EDEADLK);
    ck_assert_trace(&seen, "c f ");
    ck_assert_int_eq(run_sleep('x', 1), 0);
    end();
    ck_assert_int_eq(reports, 0);
}
END_TEST

START_TEST(one_that_does_not_end_even_so_is_closed)
{
    static TASK(stops) slot;
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(stops, .stubborn = true)), PAWL_EDEADLK);
    ck_assert_trace(&seen, "c f ");
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(stops, .stubborn = true)), PAWL_EDEADLK);
    ck_assert(pawl_future_done(&slot));
    ck_assert_int_eq(run_sleep('x', 1), 0);
    end();
}
END_TEST

/* ---- In each other ---- */

struct nests {
    COROUTINE(int);
    struct pawl_runner *other;
    TASK(sleeps) slot;
};

ASYNC(nests)
{
    ASYNC_BEGIN(nests);
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(sleeps, .name = 'x')), PAWL_EBUSY);
    ck_assert_int_eq(pawl_runner_run(self->other, CORO(sleeps, .name = 'y')), PAWL_EBUSY);
    ck_assert_int_eq(pawl_runner_run_in(self->other, &self->slot, CORO(sleeps, .name = 'z')), PAWL_EBUSY);
    ck_assert_int_eq(pawl_runner_finish(&runner), PAWL_EBUSY);
    ck_assert_ptr_eq(pawl_loop_current(), &runner.loop);
    ck_assert_ptr_nonnull(pawl_task_current());
    ASYNC_RETURN(7);
    ASYNC_END;
}

START_TEST(a_run_within_a_run_is_refused_and_the_outer_one_goes_on)
{
    static TASK(nests) slot;
    struct pawl_virtual other_clock;
    struct pawl_runner other;
    begin();
    pawl_virtual_init(&other_clock);
    ck_assert_int_eq(pawl_runner_init(&other, &other_clock.base), 0);
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(nests, .other = &other)), 0);
    ck_assert_int_eq(slot.frame.result, 7);
    ck_assert_trace(&seen, "");
    ck_assert_int_eq(pawl_runner_run(&other, CORO(sleeps, .name = 'y')), 0);
    ck_assert_int_eq(pawl_runner_finish(&other), 0);
    end();
}
END_TEST

START_TEST(a_slot_that_is_at_work_is_refused)
{
    static TASK(sleeps) slot;
    begin();
    pawl_loop_use(&runner.loop);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(sleeps, .name = 'a', .span = 10)));
    pawl_loop_use(NULL);
    ck_assert_int_eq(run_sleep('x', 5), 0);
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(sleeps, .name = 'y')), PAWL_EBUSY);
    ck_assert_int_eq(run_sleep('x', 10), 0);
    ck_assert_trace(&seen, "x xf a af x xf ");
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(sleeps, .name = 'y')), 0);
    end();
}
END_TEST

/* ---- Ctrl-C ---- */

/* Takes some turns, presses Ctrl-C, and takes some more; or sleeps. In the iteration in which it is told of the Ctrl-C it may be
 * cancelled by a call too. */
struct interrupted {
    COROUTINE(int);
    int before, after;
    pawl_time span;
    bool swallows, cancelled_too;
    struct pawl_handle call;
    struct pawl_sleep sleep;
};

static void cancel_task(void *task)
{
    ck_assert(pawl_task_cancel(task));
}

ASYNC(interrupted)
{
    ASYNC_BEGIN(interrupted);
    TRY {
        while (self->before-- > 0) YIELD_NOW();
        raise(SIGINT);
        if (self->cancelled_too) pawl_call_soon_threadsafe(pawl_loop_current(), &self->call, cancel_task, pawl_task_current());
        while (self->after-- > 0) YIELD_NOW();
        if (self->span > 0) AWAIT(self->sleep, pawl_sleep(self->span));
    } CATCH(PAWL_ECANCELLED) {
        trace(&seen, "c ");
        if (!self->swallows) RERAISE();
    } END_TRY;
    ASYNC_RETURN(7);
    ASYNC_END;
}

static void use_port(int which)
{
    begin();
    if (which == 0) return;
    end();
    ck_assert_int_eq(pawl_runner_init(&runner, NULL), 0);
}

START_TEST(an_interrupt_cancels_the_main_task_and_is_told)
{
    use_port(_i);
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(interrupted, .span = PAWL_SEC(3600))), PAWL_EINTERRUPTED);
    ck_assert_trace(&seen, "c ");
    ck_assert(sigint_is(SIG_DFL));
    end();
}
END_TEST

START_TEST(after_an_interrupt_it_runs_again_and_may_be_interrupted_again)
{
    use_port(_i);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pawl_runner_run(&runner, CORO(interrupted, .span = PAWL_SEC(3600))), PAWL_EINTERRUPTED);
        ck_assert_int_eq(run_sleep('x', PAWL_MS(1)), 0);
    }
    ck_assert_trace(&seen, "c x xf c x xf c x xf ");
    end();
}
END_TEST

/* Wherever it comes: it is never lost, and never left for the next run. */
START_TEST(an_interrupt_is_told_of_at_any_turn)
{
    begin();
    for (int before = 0; before < 300; before++) {
        ck_assert_int_eq(pawl_runner_run(&runner, CORO(interrupted, .before = before, .after = _i)), PAWL_EINTERRUPTED);
        ck_assert_int_eq(pawl_runner_run(&runner, CORO(sleeps, .name = 'x')), 0);
        memset(&seen, 0, sizeof seen);
    }
    end();
}
END_TEST

START_TEST(an_interrupt_leaves_the_other_tasks_alone)
{
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(leaves, .spans = { 10, 10, 10 })), 0);
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(interrupted, .span = PAWL_SEC(3600))), PAWL_EINTERRUPTED);
    ck_assert_trace(&seen, "c ");
    ck_assert_int_eq(run_sleep('x', 20), 0);
    ck_assert_trace(&seen, "c a af b bf c cf x xf ");
    end();
}
END_TEST

START_TEST(an_interrupt_that_is_swallowed_leaves_the_result)
{
    static TASK(interrupted) slot;
    begin();
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(interrupted, .span = PAWL_SEC(3600), .swallows = true)), 0);
    ck_assert_int_eq(slot.frame.result, 7);
    end();
}
END_TEST

START_TEST(a_main_task_that_others_cancelled_too_is_cancelled)
{
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(interrupted, .cancelled_too = true, .span = PAWL_SEC(3600))), PAWL_ECANCELLED);
    ck_assert_int_eq(run_sleep('x', 1), 0);
    end();
}
END_TEST

/* Presses Ctrl-C, and leaves a task that is to be cancelled at the end. */
struct leaves_interrupted {
    COROUTINE(void);
};

ASYNC(leaves_interrupted)
{
    ASYNC_BEGIN(leaves_interrupted);
    pawl_task_release(pawl_spawn_eager(CORO(sleeps, .name = 'a', .span = PAWL_SEC(9), .cleanup = 1)));
    raise(SIGINT);
    ASYNC_END;
}

START_TEST(an_interrupt_in_the_last_step_does_not_outlive_the_run)
{
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(leaves_interrupted)), PAWL_EINTERRUPTED);
    end();
    ck_assert_trace(&seen, "ac af ");
}
END_TEST

static volatile sig_atomic_t own_handler_ran;

static void own_handler(int number)
{
    (void)number;
    own_handler_ran++;
}

START_TEST(a_handler_of_the_program_stays_in_charge)
{
    static TASK(interrupted) slot;
    begin();
    own_handler_ran = 0;
    signal(SIGINT, own_handler);
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(interrupted, .span = 10)), 0);
    ck_assert_int_eq(slot.frame.result, 7);
    ck_assert_int_eq(own_handler_ran, 1);
    ck_assert(sigint_is(own_handler));
    signal(SIGINT, SIG_IGN);
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(interrupted, .span = 10)), 0);
    ck_assert(sigint_is(SIG_IGN));
    signal(SIGINT, SIG_DFL);
    ck_assert_int_eq(pawl_runner_run_in(&runner, &slot, CORO(interrupted, .span = 10)), PAWL_EINTERRUPTED);
    end();
}
END_TEST

struct takes_over {
    COROUTINE(void);
};

ASYNC(takes_over)
{
    ASYNC_BEGIN(takes_over);
    ck_assert(!sigint_is(SIG_DFL));
    signal(SIGINT, own_handler);
    ASYNC_END;
}

START_TEST(a_handler_that_was_set_meanwhile_is_not_taken_away)
{
    begin();
    ck_assert_int_eq(pawl_runner_run(&runner, CORO(takes_over)), 0);
    ck_assert(sigint_is(own_handler));
    signal(SIGINT, SIG_DFL);
    end();
}
END_TEST

/* The second one in a run kills, as without a handler. */
struct interrupted_twice {
    COROUTINE(void);
};

ASYNC(interrupted_twice)
{
    ASYNC_BEGIN(interrupted_twice);
    raise(SIGINT);
    raise(SIGINT);
    ASYNC_END;
}

START_TEST(a_second_interrupt_in_a_run_kills)
{
    int status;
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        begin();
        pawl_runner_run(&runner, CORO(interrupted, .span = 1)); /* one in a run before does not count */
        pawl_runner_run(&runner, CORO(interrupted_twice));
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}
END_TEST

START_TEST(between_runs_an_interrupt_kills)
{
    int status;
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        begin();
        run_sleep('x', 1);
        raise(SIGINT);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("runner");
    TCase *const runs = add_case(suite, "runs");
    tcase_add_test(runs, a_runner_runs_one_main_task_after_the_other);
    tcase_add_test(runs, the_result_is_in_the_slot);
    tcase_add_test(runs, the_error_of_the_main_task_is_returned_and_not_reported);
    tcase_add_test(runs, a_frame_that_was_used_is_an_error);
    tcase_add_test(runs, tasks_go_on_in_the_next_run);
    tcase_add_test(runs, a_call_that_was_made_between_runs_is_run_in_the_next);
    tcase_add_test(runs, a_task_may_be_made_between_runs);
    tcase_add_test(runs, unseen_errors_go_to_the_report_of_the_loop);
    tcase_add_test(runs, two_runners_have_a_loop_each);
    tcase_add_test(runs, without_a_port_it_has_one_of_its_own);
    TCase *const ends = add_case(suite, "end");
    tcase_add_test(ends, at_the_end_every_task_is_cancelled_and_runs_to_its_end);
    tcase_add_test(ends, finished_twice_or_never_made_it_does_no_harm);
    tcase_add_test(ends, a_finished_one_does_not_run_until_it_is_made_anew);
    tcase_add_test(ends, without_memory_for_it_there_is_no_runner);
    tcase_add_test(ends, without_descriptors_there_is_no_runner_and_nothing_is_open);
    tcase_add_loop_test(ends, a_main_task_that_has_not_ended_is_cancelled_and_ends, 0, 2);
    tcase_add_test(ends, one_that_does_not_end_even_so_is_closed);
    TCase *const nested = add_case(suite, "in each other");
    tcase_add_test(nested, a_run_within_a_run_is_refused_and_the_outer_one_goes_on);
    tcase_add_test(nested, a_slot_that_is_at_work_is_refused);
    TCase *const interrupts = add_case(suite, "interrupts");
    tcase_add_loop_test(interrupts, an_interrupt_cancels_the_main_task_and_is_told, 0, 2);
    tcase_add_loop_test(interrupts, after_an_interrupt_it_runs_again_and_may_be_interrupted_again, 0, 2);
    tcase_add_loop_test(interrupts, an_interrupt_is_told_of_at_any_turn, 0, 4);
    tcase_add_test(interrupts, an_interrupt_leaves_the_other_tasks_alone);
    tcase_add_test(interrupts, an_interrupt_that_is_swallowed_leaves_the_result);
    tcase_add_test(interrupts, a_main_task_that_others_cancelled_too_is_cancelled);
    tcase_add_test(interrupts, an_interrupt_in_the_last_step_does_not_outlive_the_run);
    tcase_add_test(interrupts, a_handler_of_the_program_stays_in_charge);
    tcase_add_test(interrupts, a_handler_that_was_set_meanwhile_is_not_taken_away);
    tcase_add_test(interrupts, a_second_interrupt_in_a_run_kills);
    tcase_add_test(interrupts, between_runs_an_interrupt_kills);
    return suite;
}
