/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The keyword macros as macros: where they may stand, how often they evaluate what they are given, how many there may
 * be, and how loud the mistakes are. Runs the same on both engines, but for a suspension inside a switch.
 */
#include <support.h>

#include "keywords.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct trace seen;
static int calls;

static void begin(void)
{
    memset(&seen, 0, sizeof seen);
    calls = 0;
}

/* Gives `value`, and counts that it was asked. */
static int counted(int value)
{
    calls++;
    return value;
}

/* ---- Where they may stand ---- */

struct one_line {
    GENERATOR(int);
    int i;
};

GEN(one_line) { GEN_BEGIN(one_line); YIELD(1); YIELD(2); for (; self->i < 2; self->i++) { YIELD(3); YIELD(4); } TRY { YIELD(5); RAISE(-1); } CATCH_ALL { YIELD(6); } FINALLY { YIELD(7); } END_TRY; GEN_END; }

START_TEST(any_number_of_yields_stands_on_one_line)
{
    struct one_line gen = CORO(one_line);
    GEN_FOREACH(v, &gen) trace(&seen, "%d", v);
    ck_assert_trace(&seen, "123434567");
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

#define YIELD_BOTH(a, b) do { YIELD(a); YIELD(b); } while (0)

struct from_macro {
    GENERATOR(int);
};

GEN(from_macro)
{
    GEN_BEGIN(from_macro);
    YIELD_BOTH(1, 2); YIELD_BOTH(3, 4);
    GEN_END;
}

START_TEST(yields_stand_in_macros_of_the_user)
{
    struct from_macro gen = CORO(from_macro);
    GEN_FOREACH(v, &gen) trace(&seen, "%d", v);
    ck_assert_trace(&seen, "1234");
}
END_TEST

struct unbraced {
    GENERATOR(int);
    int n;
    struct one_line inner;
};

GEN(unbraced)
{
    GEN_BEGIN(unbraced);
    if (self->n == 0) YIELD(10);
    else if (self->n == 1) YIELD(11);
    else if (self->n == 2) YIELD_FROM(self->inner, CORO(one_line, .i = 2));
    else if (self->n == 3) RAISE(-3);
    else if (self->n == 4) GEN_RETURN();
    else YIELD(12);
    for (self->n = 0; self->n < 2; self->n++) YIELD(self->n);
    while (self->n-- > 0) if (self->n) YIELD(20); else YIELD(21);
    do YIELD(30); while (self->n++ < 0);
    YIELD(40);
    GEN_END;
}

START_TEST(every_keyword_is_one_statement)
{
    static const char *const expected[] = {
        "10 0 1 20 21 30 30 40 = 0", "11 0 1 20 21 30 30 40 = 0", "1 2 5 6 7 0 1 20 21 30 30 40 = 0", "= -3", "= 0",
        "12 0 1 20 21 30 30 40 = 0",
    };
    struct unbraced gen = CORO(unbraced, .n = _i);
    GEN_FOREACH(v, &gen) trace(&seen, "%d ", v);
    trace(&seen, "= %d", gen_error(&gen));
    ck_assert_trace(&seen, expected[_i]);
}
END_TEST

struct unbraced_awaits {
    COROUTINE(int);
    struct pawl_future *future;
    int n;
    struct pawl_sleep sleep;
};

ASYNC(unbraced_awaits)
{
    ASYNC_BEGIN(unbraced_awaits);
    if (self->n == 0) AWAIT(self->future);
    else if (self->n == 1) TRY_AWAIT(self->future);
    else if (self->n == 2) AWAIT(self->sleep, pawl_sleep(1));
    else TRY_AWAIT(self->sleep, pawl_sleep(1));
    for (self->n = 0; self->n < 2; self->n++) AWAIT(self->sleep, pawl_sleep(1));
    if (self->n == 2) ASYNC_RETURN(7); else ASYNC_RETURN(8);
    ASYNC_END;
}

START_TEST(every_await_is_one_statement)
{
    struct pawl_future future = { 0 };
    struct unbraced_awaits co = CORO(unbraced_awaits, .future = &future, .n = _i);
    struct pawl_future *const first = coro_step(&co);
    if (_i < 2) {
        ck_assert_ptr_eq(first, &future);
        ck_assert_int_eq(pawl_future_set_done(&future), 0);
    } else {
        ck_assert(pawl_future_done(first));
    }
    ck_assert_ptr_nonnull(coro_step(&co));
    ck_assert_ptr_nonnull(coro_step(&co));
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(co.result, 7);
}
END_TEST

/* Suspends at the very beginning and at the very end, and nowhere. */
struct empty {
    GENERATOR(int);
};

GEN(empty)
{
    GEN_BEGIN(empty);
    GEN_END;
}

START_TEST(a_body_may_be_empty)
{
    struct empty gen = CORO(empty);
    ck_assert(!gen_next(&gen));
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

/* Locals that do not live across a suspension are as in any function. */
struct locals {
    GENERATOR(int);
    int n;
};

GEN(locals)
{
    GEN_BEGIN(locals);
    for (; self->n < 3; self->n++) {
        {
            const int square = self->n * self->n;
            YIELD(square);
        }
        {
            int cube = self->n;
            cube *= self->n * self->n;
            YIELD(cube);
        }
    }
    GEN_END;
}

START_TEST(locals_between_suspensions_are_ordinary)
{
    struct locals gen = CORO(locals, .n = 1);
    GEN_FOREACH(v, &gen) trace(&seen, "%d ", v);
    ck_assert_trace(&seen, "1 1 4 8 ");
}
END_TEST

/* ---- Single evaluation ---- */

struct evaluates {
    GENERATOR(int, int, int);
    struct evaluates *inner;
    int how;
};

GEN_DECLARE(evaluates);

static struct evaluates spare;

static struct evaluates *the_spare(void)
{
    calls++;
    spare = CORO(evaluates, .how = 9);
    return &spare;
}

GEN(evaluates)
{
    GEN_BEGIN(evaluates);
    switch (self->how) {
    case 1: RAISE(counted(-5));
    case 2: GEN_RETURN(counted(6));
    case 9: GEN_RETURN(1);
    default: break;
    }
    if (self->how == 0) YIELD(counted(4));
    if (self->how == 3) YIELD_FROM(*the_spare(), CORO(evaluates, .how = 9));
    if (self->how == 4) YIELD_FROM(the_spare());
    if (self->how == 5) {
        TRY {
            RAISE(-5);
        } CATCH(counted(-4)) {
        } CATCH_ALL {
        } END_TRY;
    }
    GEN_END;
}

START_TEST(an_argument_of_a_keyword_is_evaluated_once)
{
    static const int errors[] = { 0, -5, 0, 0, 0, 0 };
    struct evaluates gen = CORO(evaluates, .how = _i);
    while (gen_next(&gen)) ck_assert_int_eq(gen.value, 4);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(gen_error(&gen), errors[_i]);
    ck_assert_int_eq(gen.result, _i == 2 ? 6 : 0);
}
END_TEST

struct sleeper {
    COROUTINE(int);
    struct pawl_future future;
    struct pawl_sleep sleep;
};

static struct sleeper *counted_sleeper(struct sleeper *sleeper)
{
    calls++;
    return sleeper;
}

ASYNC(sleeper)
{
    ASYNC_BEGIN(sleeper);
    AWAIT(counted_sleeper(self)->sleep, pawl_sleep(counted(1)));
    AWAIT(&counted_sleeper(self)->future);
    TRY_AWAIT(&counted_sleeper(self)->future);
    ASYNC_RETURN(counted(5));
    ASYNC_END;
}

START_TEST(an_argument_of_await_is_evaluated_once)
{
    struct sleeper co = CORO(sleeper);
    ck_assert(pawl_future_done(coro_step(&co)));
    ck_assert_int_eq(calls, 2);
    ck_assert_ptr_eq(coro_step(&co), &co.future);
    ck_assert_int_eq(calls, 3);
    ck_assert_int_eq(pawl_future_set_done(&co.future), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(calls, 5);
    ck_assert_int_eq(co.result, 5);
}
END_TEST

static struct evaluates *counted_gen(struct evaluates *gen)
{
    calls++;
    return gen;
}

START_TEST(an_argument_of_a_step_is_evaluated_once)
{
    struct evaluates gen = CORO(evaluates), thrown = CORO(evaluates);
    ck_assert(gen_next(counted_gen(&gen)));
    calls = 0;
    ck_assert(!gen_send(counted_gen(&gen), counted(3)));
    ck_assert_int_eq(calls, 2);
    ck_assert_int_eq(gen_error(counted_gen(&gen)), 0);
    ck_assert_int_eq(calls, 3);
    ck_assert(gen_done(counted_gen(&gen)));
    ck_assert_int_eq(calls, 4);
    ck_assert(!gen_throw(counted_gen(&thrown), counted(-3)));
    ck_assert_int_eq(calls, 6);
    ck_assert_int_eq(gen_close(counted_gen(&thrown)), 0);
    ck_assert_int_eq(calls, 7);
}
END_TEST

START_TEST(an_argument_of_a_future_function_is_evaluated_once)
{
    FUTURE(int) futures[2];
    int i = 0;
    memset(futures, 0, sizeof futures);
    ck_assert_int_eq(pawl_future_set_result(&futures[i++], counted(7)), 0);
    ck_assert_int_eq(i, 1);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(futures[0].result, 7);
    ck_assert_int_eq(pawl_future_set_error(&futures[i++], counted(-7)), 0);
    ck_assert_int_eq(i, 2);
    ck_assert_int_eq(calls, 2);
    i = 0;
    ck_assert(pawl_future_done(&futures[i++]));
    ck_assert_int_eq(pawl_future_error(&futures[i++]), -7);
    ck_assert_int_eq(i, 2);
}
END_TEST

START_TEST(arguments_of_a_frame_are_evaluated_once)
{
    const struct evaluates gen = CORO(evaluates, .how = counted(2));
    ck_assert_int_eq(gen.how, 2);
    ck_assert_int_eq(calls, 1);
}
END_TEST

/* ---- Many ---- */

#define Y4 YIELD(++self->n); YIELD(++self->n); YIELD(++self->n); YIELD(++self->n);
#define Y16 Y4 Y4 Y4 Y4
#define Y64 Y16 Y16 Y16 Y16

/* What a sanitizer adds makes more of them than the 48 KiB that a coroutine with labels as values may have. */
#if defined(PAWL_COMPUTED_GOTO) && defined(__SANITIZE_ADDRESS__)
#define MORE_YIELDS
enum { MANY = 128 };
#else
#define MORE_YIELDS Y64 Y64 Y64
enum { MANY = 320 };
#endif

struct many {
    GENERATOR(int);
    int n;
};

GEN(many)
{
    GEN_BEGIN(many);
    Y64 Y64
    MORE_YIELDS
    GEN_END;
}

START_TEST(hundreds_of_yields_stand_in_one_body)
{
    struct many gen = CORO(many);
    for (int i = 1; i <= MANY; i++) {
        ck_assert(gen_next(&gen));
        ck_assert_int_eq(gen.value, i);
    }
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

#define T4 TRY { Y4 RAISE(-1); } CATCH(-1) { Y4 } FINALLY { Y4 } END_TRY;
#define T16 T4 T4 T4 T4

struct many_tries {
    GENERATOR(int);
    int n;
};

GEN(many_tries)
{
    GEN_BEGIN(many_tries);
    T16 T16
    GEN_END;
}

START_TEST(many_tries_stand_in_one_body)
{
    struct many_tries gen = CORO(many_tries);
    for (int i = 1; i <= 96; i++) {
        ck_assert(gen_next(&gen));
        ck_assert_int_eq(gen.value, i);
    }
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

/* ---- A suspension inside a switch ---- */

struct switches {
    GENERATOR(int);
    int what;
};

GEN(switches)
{
    GEN_BEGIN(switches);
    YIELD(1);
    switch (self->what) {
    case 1000:
        YIELD(2);
        YIELD(3);
        break;
    default:
        break;
    }
    YIELD(4);
    GEN_END;
}

START_TEST(a_switch_without_a_suspension_taken_is_harmless)
{
    struct switches gen = CORO(switches);
    GEN_FOREACH(v, &gen) trace(&seen, "%d", v);
    ck_assert_trace(&seen, "14");
}
END_TEST

#ifdef PAWL_COMPUTED_GOTO

START_TEST(a_suspension_inside_a_switch_just_works)
{
    struct switches gen = CORO(switches, .what = 1000);
    GEN_FOREACH(v, &gen) trace(&seen, "%d", v);
    ck_assert_trace(&seen, "1234");
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

#define suspension_inside_a_switch a_suspension_inside_a_switch_just_works

#else

/* Runs `run` in a process of its own; returns how that ended, and what it wrote to stderr. */
static int run_apart(void (*run)(void), char *text, size_t size)
{
    int ends[2], status;
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        dup2(ends[1], STDERR_FILENO);
        run();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; length + 1 < size && (got = read(ends[0], text + length, size - 1 - length)) > 0;) length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static void resume_inside_a_switch(void)
{
    struct switches gen = CORO(switches, .what = 1000);
    if (!gen_next(&gen) || gen.value != 1) _exit(1);
    if (!gen_next(&gen) || gen.value != 2) _exit(2);
    (void)gen_next(&gen);
    _exit(3); /* it was silent */
}

START_TEST(a_suspension_inside_a_switch_aborts_at_its_first_resume)
{
    char text[512];
    const int status = run_apart(resume_inside_a_switch, text, sizeof text);
    ck_assert_msg(WIFSIGNALED(status), "ended with status %d, stderr: %s", status, text);
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_msg(strstr(text, "'switches'") != NULL, "stderr: %s", text);
    ck_assert_msg(strstr(text, "switch?") != NULL, "stderr: %s", text);
}
END_TEST

#define suspension_inside_a_switch a_suspension_inside_a_switch_aborts_at_its_first_resume

#endif

/* ---- Locals that do not survive; words of one's own ---- */

START_TEST(the_scrub_makes_a_lost_local_visible)
{
    if (under_valgrind()) return; /* which sees such a local by itself, and would fail the test for it */
    for (int set = 1; set < 1 << 30; set *= 2) ck_assert_int_ne(lost_local_of_generator(set), set);
}
END_TEST

START_TEST(with_prefixed_keywords_the_short_words_are_free)
{
    ck_assert_int_eq(prefixed_generator(), 4 + 16);
    ck_assert_int_eq(prefixed_coroutine(), 42);
}
END_TEST

static TCase *add_traced_case(Suite *suite, const char *name)
{
    TCase *const tcase = add_case(suite, name);
    tcase_add_checked_fixture(tcase, begin, NULL);
    return tcase;
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("keywords");
    TCase *tcase = add_traced_case(suite, "places");
    tcase_add_test(tcase, any_number_of_yields_stands_on_one_line);
    tcase_add_test(tcase, yields_stand_in_macros_of_the_user);
    tcase_add_loop_test(tcase, every_keyword_is_one_statement, 0, 6);
    tcase_add_loop_test(tcase, every_await_is_one_statement, 0, 4);
    tcase_add_test(tcase, a_body_may_be_empty);
    tcase_add_test(tcase, locals_between_suspensions_are_ordinary);
    tcase_add_test(tcase, hundreds_of_yields_stand_in_one_body);
    tcase_add_test(tcase, many_tries_stand_in_one_body);

    tcase = add_traced_case(suite, "evaluation");
    tcase_add_loop_test(tcase, an_argument_of_a_keyword_is_evaluated_once, 0, 6);
    tcase_add_test(tcase, an_argument_of_await_is_evaluated_once);
    tcase_add_test(tcase, an_argument_of_a_step_is_evaluated_once);
    tcase_add_test(tcase, an_argument_of_a_future_function_is_evaluated_once);
    tcase_add_test(tcase, arguments_of_a_frame_are_evaluated_once);

    tcase = add_traced_case(suite, "mistakes");
    tcase_add_test(tcase, a_switch_without_a_suspension_taken_is_harmless);
    tcase_add_test(tcase, suspension_inside_a_switch);
    tcase_add_test(tcase, the_scrub_makes_a_lost_local_visible);
    tcase_add_test(tcase, with_prefixed_keywords_the_short_words_are_free);
    return suite;
}
