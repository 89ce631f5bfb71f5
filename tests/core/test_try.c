/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * TRY, CATCH, FINALLY, RAISE, RERAISE: every path through them, where each part may suspend. Most tests run one
 * generator that writes down where it comes by, once straight through and once for each way to leave it early.
 */
#include <support.h>

#include <errno.h>
#include <string.h>

static struct trace seen;

static void clear_trace(void)
{
    memset(&seen, 0, sizeof seen);
}

#define SAY(...) trace(&seen, __VA_ARGS__)

/* Runs `gen` to its end; its values become part of the trace. */
#define RUN(gen) do { \
    while (gen_next(gen)) SAY("<%d> ", (gen)->value); \
    SAY("= %d", gen_error(gen)); \
} while (0)

/* ---- One TRY with everything ---- */

/* What the body does. */
enum { PASS, IO, NOENT, PERM, CANCEL, CLOSE, RETURN };

static const int errors[] = { 0, -EIO, -ENOENT, -EPERM, PAWL_ECANCELLED, PAWL_EEXIT };

struct all {
    GENERATOR(int, void, int);
    int how;
};

GEN(all)
{
    GEN_BEGIN(all);
    TRY {
        SAY("try ");
        if (self->how == RETURN) GEN_RETURN(5);
        if (self->how != PASS) RAISE(errors[self->how]);
        SAY("passed ");
    } CATCH(-EIO) {
        SAY("io ");
    } CATCH(-ENOENT) {
        SAY("noent ");
    } CATCH_ERROR {
        SAY("error %d ", CAUGHT() == -EPERM);
    } CATCH_ALL {
        SAY("all %d ", CAUGHT() == errors[self->how]);
    } FINALLY {
        SAY("finally ");
    } END_TRY;
    SAY("after ");
    GEN_END;
}

static const char *const all_traces[] = {
    [PASS] = "try passed finally after = 0", [IO] = "try io finally after = 0",
    [NOENT] = "try noent finally after = 0", [PERM] = "try error 1 finally after = 0",
    [CANCEL] = "try all 1 finally after = 0", [CLOSE] = "try all 1 finally after = 0",
    [RETURN] = "try finally = 0",
};

START_TEST(the_first_catch_that_fits_takes_the_error)
{
    struct all gen = CORO(all, .how = _i);
    RUN(&gen);
    ck_assert_trace(&seen, all_traces[_i]);
    ck_assert_int_eq(gen.result, _i == RETURN ? 5 : 0);
}
END_TEST

/* A TRY of each smaller shape. */
struct shapes {
    GENERATOR(int);
    int error;
};

GEN(shapes)
{
    GEN_BEGIN(shapes);
    TRY {
        TRY {
            TRY {
                if (self->error) RAISE(self->error);
                SAY("a ");
            } END_TRY;
            SAY("b ");
        } CATCH(-1) {
            SAY("one ");
        } END_TRY;
        SAY("c ");
    } FINALLY {
        SAY("finally ");
    } END_TRY;
    SAY("d ");
    GEN_END;
}

START_TEST(each_part_of_a_try_may_be_left_out)
{
    static const char *const expected[] = { "a b c finally d = 0", "one c finally d = 0", "finally = -2" };
    struct shapes gen = CORO(shapes, .error = -_i);
    RUN(&gen);
    ck_assert_trace(&seen, expected[_i]);
}
END_TEST

struct by_value {
    GENERATOR(int);
    int code;
};

GEN(by_value)
{
    GEN_BEGIN(by_value);
    TRY {
        RAISE(-7);
    } CATCH(self->code) {
        SAY("caught ");
    } END_TRY;
    GEN_END;
}

START_TEST(the_code_of_a_catch_is_any_expression)
{
    struct by_value right = CORO(by_value, .code = -7), wrong = CORO(by_value, .code = -8), positive = CORO(by_value, .code = 7);
    RUN(&right);
    SAY(", ");
    RUN(&wrong);
    SAY(", ");
    RUN(&positive);
    ck_assert_trace(&seen, "caught = 0, = -7, = -7");
}
END_TEST

/* A return is on its way: no CATCH has a say in that. */
struct returns_past {
    GENERATOR(int);
    int code;
};

GEN(returns_past)
{
    GEN_BEGIN(returns_past);
    TRY {
        GEN_RETURN();
    } CATCH(self->code) {
        SAY("code ");
    } CATCH_ERROR {
        SAY("error ");
    } CATCH_ALL {
        SAY("all ");
    } END_TRY;
    SAY("after ");
    GEN_END;
}

START_TEST(no_catch_takes_a_return)
{
    struct returns_past gen = CORO(returns_past, .code = _i);
    RUN(&gen);
    ck_assert_trace(&seen, "= 0");
}
END_TEST

/* ---- Every part suspends ---- */

struct suspends {
    GENERATOR(int);
    int error;
};

GEN(suspends)
{
    GEN_BEGIN(suspends);
    TRY {
        YIELD(1);
        if (self->error) RAISE(self->error);
        YIELD(2);
    } CATCH(-1) {
        YIELD(10);
        SAY("%d ", CAUGHT());
        YIELD(11);
        SAY("%d ", CAUGHT());
    } CATCH_ALL {
        YIELD(20);
        RERAISE();
    } FINALLY {
        YIELD(30);
        YIELD(31);
    } END_TRY;
    YIELD(40);
    GEN_END;
}

START_TEST(every_part_may_suspend)
{
    static const char *const expected[] = {
        "<1> <2> <30> <31> <40> = 0", "<1> <10> -1 <11> -1 <30> <31> <40> = 0", "<1> <20> <30> <31> = -2",
    };
    struct suspends gen = CORO(suspends, .error = -_i);
    RUN(&gen);
    ck_assert_trace(&seen, expected[_i]);
}
END_TEST

START_TEST(an_error_thrown_into_a_handler_goes_outwards_through_the_finally)
{
    struct suspends gen = CORO(suspends, .error = -1);
    ck_assert(gen_next(&gen) && gen_next(&gen));
    ck_assert_int_eq(gen.value, 10);
    ck_assert(gen_throw(&gen, -1)); /* not to the CATCH(-1) that it stands in */
    ck_assert_int_eq(gen.value, 30);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), -1);
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(an_error_thrown_into_a_finally_replaces_what_it_was_there_for)
{
    struct suspends gen = CORO(suspends, .error = -2);
    while (gen_next(&gen) && gen.value != 30) {}
    ck_assert(!gen_throw(&gen, -99));
    ck_assert_int_eq(gen_error(&gen), -99);
}
END_TEST

/* ---- Nesting ---- */

struct nested {
    GENERATOR(int);
    int inner, in_catch, in_finally;
};

GEN(nested)
{
    GEN_BEGIN(nested);
    TRY {
        TRY {
            if (self->inner) RAISE(self->inner);
        } CATCH(-1) {
            SAY("inner %d ", CAUGHT());
            if (self->in_catch) RAISE(self->in_catch);
        } FINALLY {
            SAY("inner finally ");
            if (self->in_finally) RAISE(self->in_finally);
        } END_TRY;
        SAY("between ");
    } CATCH_ALL {
        SAY("outer %d ", CAUGHT());
    } FINALLY {
        SAY("outer finally ");
    } END_TRY;
    SAY("after ");
    GEN_END;
}

static const struct {
    int inner, in_catch, in_finally;
    const char *expected;
} nestings[] = {
    { 0, 0, 0, "inner finally between outer finally after = 0" },
    { -1, 0, 0, "inner -1 inner finally between outer finally after = 0" },
    { -2, 0, 0, "inner finally outer -2 outer finally after = 0" },
    { -1, -1, 0, "inner -1 inner finally outer -1 outer finally after = 0" }, /* not caught by its own TRY again */
    { -1, -3, 0, "inner -1 inner finally outer -3 outer finally after = 0" },
    { 0, 0, -4, "inner finally outer -4 outer finally after = 0" },
    { -2, 0, -4, "inner finally outer -4 outer finally after = 0" }, /* replaces */
    { -1, -3, -4, "inner -1 inner finally outer -4 outer finally after = 0" },
    { -1, 0, -1, "inner -1 inner finally outer -1 outer finally after = 0" },
};

START_TEST(an_error_goes_to_the_innermost_handler_around_it)
{
    struct nested gen = CORO(nested, .inner = nestings[_i].inner, .in_catch = nestings[_i].in_catch,
                             .in_finally = nestings[_i].in_finally);
    RUN(&gen);
    ck_assert_trace(&seen, nestings[_i].expected);
}
END_TEST

/* TRYs in a CATCH and in a FINALLY: the second level of handlers. */
struct in_handlers {
    GENERATOR(int);
    int first, second, third;
};

GEN(in_handlers)
{
    GEN_BEGIN(in_handlers);
    TRY {
        RAISE(self->first);
    } CATCH_ALL {
        TRY {
            SAY("%d ", CAUGHT());
            YIELD(1);
            SAY("%d ", CAUGHT());
            RAISE(self->second);
        } CATCH(-20) {
            SAY("%d ", CAUGHT());
            YIELD(2);
            SAY("%d ", CAUGHT());
        } FINALLY {
            YIELD(3);
        } END_TRY;
        SAY("still %d ", CAUGHT());
        RERAISE();
    } FINALLY {
        TRY {
            YIELD(4);
            RAISE(self->third);
        } CATCH(-30) {
            SAY("%d ", CAUGHT());
            YIELD(5);
        } FINALLY {
            YIELD(6);
        } END_TRY;
        SAY("end ");
    } END_TRY;
    GEN_END;
}

START_TEST(handlers_may_have_handlers_of_their_own)
{
    struct in_handlers gen = CORO(in_handlers, .first = -10, .second = -20, .third = -30);
    RUN(&gen);
    ck_assert_trace(&seen, "-10 <1> -10 -20 <2> -20 <3> still -10 <4> -30 <5> <6> end = -10");
}
END_TEST

START_TEST(an_error_that_leaves_a_handler_takes_the_place_of_the_first)
{
    struct in_handlers gen = CORO(in_handlers, .first = -10, .second = -21, .third = -30);
    RUN(&gen);
    ck_assert_trace(&seen, "-10 <1> -10 <3> <4> -30 <5> <6> end = -21");
}
END_TEST

START_TEST(an_error_that_leaves_a_finally_takes_the_place_of_the_first)
{
    struct in_handlers gen = CORO(in_handlers, .first = -10, .second = -20, .third = -31);
    RUN(&gen);
    ck_assert_trace(&seen, "-10 <1> -10 -20 <2> -20 <3> still -10 <4> <6> = -31");
}
END_TEST

/* What the second level sees, whatever the first has seen. */
struct outer_of_finally {
    GENERATOR(int);
};

GEN(outer_of_finally)
{
    GEN_BEGIN(outer_of_finally);
    TRY {
        RAISE(-10);
    } CATCH_ALL {
        TRY {
            SAY("body ");
        } FINALLY {
            SAY("%d ", CAUGHT());
        } END_TRY;
    } END_TRY;
    GEN_END;
}

START_TEST(caught_in_a_finally_is_that_of_the_catch_around_it)
{
    struct outer_of_finally gen = CORO(outer_of_finally);
    RUN(&gen);
    ck_assert_trace(&seen, "body -10 = 0");
}
END_TEST

/* ---- Loops ---- */

struct retries {
    GENERATOR(int, int, int);
    int attempt;
};

GEN(retries)
{
    GEN_BEGIN(retries);
    for (self->attempt = 1; self->attempt <= 4; self->attempt++) {
        TRY {
            YIELD(self->attempt);
            if (SENT() != 0) RAISE(SENT());
            GEN_RETURN(self->attempt);
        } CATCH(-EAGAIN) {
            SAY("again ");
        } FINALLY {
            SAY("finally ");
        } END_TRY;
    }
    RAISE(PAWL_ETIMEOUT);
    GEN_END;
}

START_TEST(a_try_in_a_loop_starts_afresh_each_time)
{
    struct retries gen = CORO(retries);
    ck_assert(gen_next(&gen));
    ck_assert(gen_send(&gen, -EAGAIN));
    ck_assert(gen_send(&gen, -EAGAIN));
    ck_assert_int_eq(gen.value, 3);
    ck_assert(!gen_send(&gen, 0));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_int_eq(gen.result, 3);
    ck_assert_trace(&seen, "again finally again finally finally ");
}
END_TEST

START_TEST(a_loop_of_tries_ends_with_the_error_that_none_takes)
{
    struct retries gen = CORO(retries);
    ck_assert(gen_next(&gen));
    ck_assert(gen_send(&gen, -EAGAIN));
    ck_assert(!gen_send(&gen, -EIO));
    ck_assert_int_eq(gen_error(&gen), -EIO);
    ck_assert_trace(&seen, "again finally finally ");
}
END_TEST

START_TEST(a_loop_of_tries_may_end_by_itself)
{
    struct retries gen = CORO(retries);
    ck_assert(gen_next(&gen));
    for (int i = 0; i < 3; i++) ck_assert(gen_send(&gen, -EAGAIN));
    ck_assert(!gen_send(&gen, -EAGAIN));
    ck_assert_int_eq(gen_error(&gen), PAWL_ETIMEOUT);
    ck_assert_int_eq(gen.result, 0);
}
END_TEST

/* Loops inside of a TRY: break and continue that stay inside are free. */
struct loops_inside {
    GENERATOR(int);
    int i;
};

GEN(loops_inside)
{
    GEN_BEGIN(loops_inside);
    TRY {
        for (self->i = 0; ; self->i++) {
            if (self->i == 1) continue;
            if (self->i == 4) break;
            YIELD(self->i);
        }
        while (true) {
            YIELD(++self->i);
            if (self->i == 6) RAISE(-6);
        }
    } CATCH(-6) {
        for (self->i = 0; self->i < 2; self->i++) YIELD(-self->i);
    } FINALLY {
        do YIELD(100); while (++self->i < 4);
    } END_TRY;
    GEN_END;
}

START_TEST(loops_stand_in_every_part)
{
    struct loops_inside gen = CORO(loops_inside);
    RUN(&gen);
    ck_assert_trace(&seen, "<0> <2> <3> <5> <6> <0> <-1> <100> <100> = 0");
}
END_TEST

/* A handler that is left by `continue` has nothing of it left behind. */
struct skips {
    GENERATOR(int);
    int i;
};

GEN(skips)
{
    GEN_BEGIN(skips);
    for (self->i = 0; self->i < 3; self->i++) {
        TRY {
            YIELD(self->i);
            if (self->i != 1) RAISE(-5);
        } CATCH(-5) {
            SAY("skip ");
            continue;
        } END_TRY;
        SAY("through ");
    }
    GEN_END;
}

START_TEST(a_catch_that_is_left_by_continue_leaves_nothing_behind)
{
    struct skips gen = CORO(skips);
    RUN(&gen);
    ck_assert_trace(&seen, "<0> skip <1> through <2> skip = 0");
}
END_TEST

/* ---- Returns ---- */

struct returns {
    GENERATOR(int, void, int);
    int where;
    int finally_returns, finally_raises;
};

GEN(returns)
{
    GEN_BEGIN(returns);
    TRY {
        TRY {
            TRY {
                YIELD(1);
                if (self->where == 0) GEN_RETURN(7);
                RAISE(-8);
            } CATCH(-8) {
                YIELD(2);
                if (self->where == 1) GEN_RETURN(8);
                RAISE(-9);
            } FINALLY {
                YIELD(3);
                SAY("a ");
            } END_TRY;
            SAY("not here ");
        } CATCH(-9) {
            SAY("caught ");
            GEN_RETURN(9);
        } FINALLY {
            YIELD(4);
            SAY("b ");
            if (self->finally_returns) GEN_RETURN(self->finally_returns);
            if (self->finally_raises) RAISE(self->finally_raises);
            SAY("b2 ");
        } END_TRY;
        SAY("nor here ");
    } FINALLY {
        SAY("c ");
    } END_TRY;
    SAY("nor there ");
    GEN_END;
}

static const struct {
    int where, finally_returns, finally_raises, result;
    const char *expected;
} returnings[] = {
    { 0, 0, 0, 7, "<1> <3> a <4> b b2 c = 0" },
    { 1, 0, 0, 8, "<1> <2> <3> a <4> b b2 c = 0" },
    { 2, 0, 0, 9, "<1> <2> <3> a caught <4> b b2 c = 0" },
    { 0, 66, 0, 66, "<1> <3> a <4> b c = 0" },       /* a return in a FINALLY replaces the return */
    { 1, 66, 0, 66, "<1> <2> <3> a <4> b c = 0" },
    { 0, 0, -66, 7, "<1> <3> a <4> b c = -66" },     /* and an error replaces it too */
    { 2, 0, -66, 9, "<1> <2> <3> a caught <4> b c = -66" },
};

START_TEST(a_return_runs_every_finally_on_its_way)
{
    struct returns gen = CORO(returns, .where = returnings[_i].where, .finally_returns = returnings[_i].finally_returns,
                              .finally_raises = returnings[_i].finally_raises);
    RUN(&gen);
    ck_assert_trace(&seen, returnings[_i].expected);
    ck_assert_int_eq(gen.result, returnings[_i].result);
}
END_TEST

struct swallows {
    GENERATOR(int, void, int);
    int error;
};

GEN(swallows)
{
    GEN_BEGIN(swallows);
    TRY {
        YIELD(1);
        RAISE(self->error);
    } FINALLY {
        GEN_RETURN(3);
    } END_TRY;
    GEN_END;
}

START_TEST(a_return_in_a_finally_swallows_the_error)
{
    struct swallows gen = CORO(swallows, .error = -5), closed = CORO(swallows);
    RUN(&gen);
    ck_assert_trace(&seen, "<1> = 0");
    ck_assert_int_eq(gen.result, 3);
    ck_assert(gen_next(&closed));
    ck_assert_int_eq(gen_close(&closed), 0);
    ck_assert_int_eq(closed.result, 3);
}
END_TEST

START_TEST(an_error_that_meets_a_return_in_a_finally_is_gone)
{
    struct swallows gen = CORO(swallows);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_throw(&gen, -EIO));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_int_eq(gen.result, 3);
}
END_TEST

/* ---- Closed at every suspension point ---- */

/* Every kind of place to suspend at: a body, a nested body, a CATCH in it, a FINALLY in a CATCH, … */
struct places {
    GENERATOR(int);
    int open; /* how many FINALLYs have yet to run */
};

GEN(places)
{
    GEN_BEGIN(places);
    YIELD(1);
    TRY {
        self->open++;
        YIELD(2);
        TRY {
            self->open++;
            YIELD(3);
            RAISE(-3);
        } CATCH(-3) {
            YIELD(4);
            TRY {
                self->open++;
                YIELD(5);
                RAISE(-5);
            } CATCH(-5) {
                YIELD(6);
            } FINALLY {
                self->open--;
                YIELD(7);
            } END_TRY;
            YIELD(8);
        } FINALLY {
            self->open--;
            TRY {
                self->open++;
                YIELD(9);
            } FINALLY {
                self->open--;
            } END_TRY;
            YIELD(10);
        } END_TRY;
        YIELD(11);
    } FINALLY {
        self->open--;
    } END_TRY;
    YIELD(12);
    GEN_END;
}

enum { PLACES = 12 };

/* Steps `gen` to its `place`-th suspension. */
static void go_to(struct places *gen, int place)
{
    for (int i = 1; i <= place; i++) {
        ck_assert(gen_next(gen));
        ck_assert_int_eq(gen->value, i);
    }
}

START_TEST(the_body_goes_through_all_its_places)
{
    struct places gen = CORO(places);
    go_to(&gen, PLACES);
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_int_eq(gen.open, 0);
}
END_TEST

/* From places 3 to 8 the way out leads through FINALLYs that yield; closing again goes on from there. */
START_TEST(close_at_each_suspension_runs_every_finally)
{
    struct places gen = CORO(places);
    go_to(&gen, _i);
    int closes = 1;
    for (int result; (result = gen_close(&gen)) != 0; closes++) {
        ck_assert_int_eq(result, PAWL_EYIELDED);
        ck_assert(!gen_done(&gen));
        ck_assert_int_lt(closes, 5);
    }
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_int_eq(gen.open, 0);
    static const int expected[PLACES + 1] = { 1, 1, 1, 2, 2, 3, 3, 2, 2, 1, 1, 1, 1 };
    ck_assert_int_eq(closes, expected[_i]);
}
END_TEST

START_TEST(an_error_thrown_at_each_suspension_runs_every_finally)
{
    struct places gen = CORO(places);
    go_to(&gen, _i);
    if (gen_throw(&gen, -77))
        while (gen_next(&gen)) {}
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), -77);
    ck_assert_int_eq(gen.open, 0);
}
END_TEST

/* ---- Re-raising ---- */

struct passes_on {
    GENERATOR(int);
    int levels;
};

GEN(passes_on)
{
    GEN_BEGIN(passes_on);
    TRY {
        TRY {
            RAISE(-5);
        } CATCH_ALL {
            SAY("first ");
            YIELD(1);
            RERAISE();
        } FINALLY {
            SAY("finally ");
        } END_TRY;
    } CATCH(-5) {
        SAY("second ");
        if (self->levels > 1) RERAISE();
    } END_TRY;
    SAY("after ");
    GEN_END;
}

START_TEST(reraise_goes_to_the_next_handler_out)
{
    struct passes_on gen = CORO(passes_on, .levels = 1);
    RUN(&gen);
    ck_assert_trace(&seen, "first <1> finally second after = 0");
}
END_TEST

START_TEST(reraise_without_a_handler_ends_the_coroutine)
{
    struct passes_on gen = CORO(passes_on, .levels = 2);
    RUN(&gen);
    ck_assert_trace(&seen, "first <1> finally second = -5");
}
END_TEST

/* ---- Async: errors of what was awaited ---- */

struct awaits {
    COROUTINE(int);
    struct pawl_future *first, *second, *third;
};

ASYNC(awaits)
{
    ASYNC_BEGIN(awaits);
    TRY {
        AWAIT(self->first);
        SAY("one ");
    } CATCH(-EIO) {
        AWAIT(self->second);
        SAY("two %d ", CAUGHT() == -EIO);
    } FINALLY {
        AWAIT(self->third);
        SAY("three ");
    } END_TRY;
    SAY("after ");
    ASYNC_RETURN(1);
    ASYNC_END;
}

static void settle_and_step(struct awaits *co, struct pawl_future *future, int error)
{
    ck_assert_ptr_eq(coro_step(co), future);
    ck_assert_int_eq(pawl_future_settle(future, error), 0);
}

START_TEST(every_part_may_await)
{
    struct pawl_future first = { 0 }, second = { 0 }, third = { 0 };
    struct awaits co = CORO(awaits, .first = &first, .second = &second, .third = &third);
    settle_and_step(&co, &first, -EIO);
    settle_and_step(&co, &second, 0);
    settle_and_step(&co, &third, 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert_int_eq(co.result, 1);
    ck_assert_trace(&seen, "two 1 three after ");
}
END_TEST

START_TEST(an_awaited_failure_in_a_handler_goes_through_its_own_finally)
{
    struct pawl_future first = { 0 }, second = { 0 }, third = { 0 };
    struct awaits co = CORO(awaits, .first = &first, .second = &second, .third = &third);
    settle_and_step(&co, &first, -EIO);
    settle_and_step(&co, &second, -EIO);
    settle_and_step(&co, &third, 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), -EIO);
    ck_assert_int_eq(co.result, 0);
    ck_assert_trace(&seen, "three ");
}
END_TEST

START_TEST(an_awaited_failure_in_a_finally_replaces)
{
    struct pawl_future first = { 0 }, second = { 0 }, third = { 0 };
    struct awaits co = CORO(awaits, .first = &first, .second = &second, .third = &third);
    settle_and_step(&co, &first, -ENOENT);
    settle_and_step(&co, &third, -EBADF);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), -EBADF);
    ck_assert_trace(&seen, "");
}
END_TEST

struct looks {
    COROUTINE(void);
    struct pawl_future *future;
};

ASYNC(looks)
{
    ASYNC_BEGIN(looks);
    TRY {
        TRY_AWAIT(self->future);
        SAY("%d ", AWAIT_ERROR());
        TRY_AWAIT(self->future);
        SAY("%d ", AWAIT_ERROR());
    } CATCH_ALL {
        SAY("caught ");
    } END_TRY;
    ASYNC_END;
}

START_TEST(try_await_raises_nothing)
{
    struct pawl_future future = { 0 };
    struct looks co = CORO(looks, .future = &future);
    ck_assert_ptr_eq(coro_step(&co), &future);
    ck_assert_int_eq(pawl_future_set_error(&future, -31), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert_trace(&seen, "-31 -31 ");
}
END_TEST

/* ---- Where an error was raised ---- */

static char where[128];

/* "this file:line" */
/* The place that is expected; none where the build leaves places out. */
static const char *here(int line)
{
    snprintf(where, sizeof where, "%s:%d", __FILE__, line);
    return PAWL_RAISE_LOCATION ? where : NULL;
}

struct raises {
    GENERATOR(int);
    int line;
    bool suspends;
};

GEN(raises)
{
    GEN_BEGIN(raises);
    TRY {
        self->line = __LINE__; RAISE(-5);
    } FINALLY {
        if (self->suspends) YIELD(1);
    } END_TRY;
    GEN_END;
}

START_TEST(the_place_of_an_error_is_remembered)
{
    struct raises gen = CORO(raises);
    ck_assert_ptr_null(pawl_coro_where(&gen.awaitable));
    ck_assert(!gen_next(&gen));
    ck_assert_pstr_eq(pawl_coro_where(&gen.awaitable), here(gen.line));
}
END_TEST

START_TEST(a_finally_that_suspends_forgets_the_place)
{
    struct raises gen = CORO(raises, .suspends = true);
    ck_assert(gen_next(&gen));
    ck_assert_ptr_null(pawl_coro_where(&gen.awaitable));
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), -5);
    ck_assert_ptr_null(pawl_coro_where(&gen.awaitable));
}
END_TEST

struct calls {
    GENERATOR(int);
    struct raises raises;
    int line, own;
};

GEN(calls)
{
    GEN_BEGIN(calls);
    TRY {
        YIELD_FROM(self->raises, CORO(raises));
    } CATCH_ALL {
        if (self->own) {
            self->line = __LINE__; RAISE(self->own);
        }
        RERAISE();
    } END_TRY;
    GEN_END;
}

START_TEST(the_place_is_that_of_the_innermost_raise)
{
    struct calls gen = CORO(calls);
    ck_assert(!gen_next(&gen));
    ck_assert_pstr_eq(pawl_coro_where(&gen.awaitable), here(gen.raises.line));
}
END_TEST

START_TEST(a_new_error_has_a_place_of_its_own)
{
    struct calls gen = CORO(calls, .own = -6);
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), -6);
    ck_assert_pstr_eq(pawl_coro_where(&gen.awaitable), here(gen.line));
    ck_assert_int_ne(gen.line, gen.raises.line);
}
END_TEST

struct thrown {
    GENERATOR(int);
    int line;
};

GEN(thrown)
{
    GEN_BEGIN(thrown);
    self->line = __LINE__; YIELD(1);
    GEN_END;
}

START_TEST(the_place_of_a_thrown_error_is_where_it_was_thrown_to)
{
    struct thrown gen = CORO(thrown);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_throw(&gen, -5));
    ck_assert_pstr_eq(pawl_coro_where(&gen.awaitable), here(gen.line));
}
END_TEST

/* One error is dealt with; then comes another, from outside. */
struct then_fails {
    COROUTINE(void);
    struct pawl_future *future;
    int line;
};

ASYNC(then_fails)
{
    ASYNC_BEGIN(then_fails);
    TRY {
        RAISE(-5);
    } CATCH_ALL {
    } END_TRY;
    self->line = __LINE__; if (self->future) AWAIT(self->future);
    ASYNC_END;
}

START_TEST(an_error_that_was_dealt_with_leaves_no_place_behind)
{
    struct then_fails co = CORO(then_fails);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), 0);
    ck_assert_ptr_null(pawl_coro_where(&co.awaitable));
}
END_TEST

START_TEST(a_later_error_is_not_placed_where_an_earlier_one_was)
{
    struct pawl_future future = { 0 };
    struct then_fails co = CORO(then_fails, .future = &future);
    ck_assert_int_eq(pawl_future_set_error(&future, -6), 0);
    ck_assert_ptr_null(coro_step(&co));
    ck_assert_int_eq(coro_error(&co), -6);
    ck_assert_pstr_eq(pawl_coro_where(&co.awaitable), here(co.line));
}
END_TEST

static TCase *add_traced_case(Suite *suite, const char *name)
{
    TCase *const tcase = add_case(suite, name);
    tcase_add_checked_fixture(tcase, clear_trace, NULL);
    return tcase;
}

static void add_paths(Suite *suite)
{
    TCase *tcase = add_traced_case(suite, "paths");
    tcase_add_loop_test(tcase, the_first_catch_that_fits_takes_the_error, PASS, RETURN + 1);
    tcase_add_loop_test(tcase, each_part_of_a_try_may_be_left_out, 0, 3);
    tcase_add_test(tcase, the_code_of_a_catch_is_any_expression);
    tcase_add_loop_test(tcase, no_catch_takes_a_return, -1, 3);
    tcase_add_loop_test(tcase, every_part_may_suspend, 0, 3);
    tcase_add_test(tcase, an_error_thrown_into_a_handler_goes_outwards_through_the_finally);
    tcase_add_test(tcase, an_error_thrown_into_a_finally_replaces_what_it_was_there_for);

    tcase = add_traced_case(suite, "nesting");
    tcase_add_loop_test(tcase, an_error_goes_to_the_innermost_handler_around_it, 0, (int)(sizeof nestings / sizeof nestings[0]));
    tcase_add_test(tcase, handlers_may_have_handlers_of_their_own);
    tcase_add_test(tcase, an_error_that_leaves_a_handler_takes_the_place_of_the_first);
    tcase_add_test(tcase, an_error_that_leaves_a_finally_takes_the_place_of_the_first);
    tcase_add_test(tcase, caught_in_a_finally_is_that_of_the_catch_around_it);
    tcase_add_test(tcase, reraise_goes_to_the_next_handler_out);
    tcase_add_test(tcase, reraise_without_a_handler_ends_the_coroutine);

    tcase = add_traced_case(suite, "loops");
    tcase_add_test(tcase, a_try_in_a_loop_starts_afresh_each_time);
    tcase_add_test(tcase, a_loop_of_tries_ends_with_the_error_that_none_takes);
    tcase_add_test(tcase, a_loop_of_tries_may_end_by_itself);
    tcase_add_test(tcase, loops_stand_in_every_part);
    tcase_add_test(tcase, a_catch_that_is_left_by_continue_leaves_nothing_behind);
}

static void add_ways_out(Suite *suite)
{
    TCase *tcase = add_traced_case(suite, "return");
    tcase_add_loop_test(tcase, a_return_runs_every_finally_on_its_way, 0, (int)(sizeof returnings / sizeof returnings[0]));
    tcase_add_test(tcase, a_return_in_a_finally_swallows_the_error);
    tcase_add_test(tcase, an_error_that_meets_a_return_in_a_finally_is_gone);

    tcase = add_traced_case(suite, "close");
    tcase_add_test(tcase, the_body_goes_through_all_its_places);
    tcase_add_loop_test(tcase, close_at_each_suspension_runs_every_finally, 0, PLACES + 1);
    tcase_add_loop_test(tcase, an_error_thrown_at_each_suspension_runs_every_finally, 0, PLACES + 1);

    tcase = add_traced_case(suite, "await");
    tcase_add_test(tcase, every_part_may_await);
    tcase_add_test(tcase, an_awaited_failure_in_a_handler_goes_through_its_own_finally);
    tcase_add_test(tcase, an_awaited_failure_in_a_finally_replaces);
    tcase_add_test(tcase, try_await_raises_nothing);
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("try");
    add_paths(suite);
    add_ways_out(suite);

    TCase *const tcase = add_traced_case(suite, "where");
    tcase_add_test(tcase, the_place_of_an_error_is_remembered);
    tcase_add_test(tcase, a_finally_that_suspends_forgets_the_place);
    tcase_add_test(tcase, the_place_is_that_of_the_innermost_raise);
    tcase_add_test(tcase, a_new_error_has_a_place_of_its_own);
    tcase_add_test(tcase, the_place_of_a_thrown_error_is_where_it_was_thrown_to);
    tcase_add_test(tcase, an_error_that_was_dealt_with_leaves_no_place_behind);
    tcase_add_test(tcase, a_later_error_is_not_placed_where_an_earlier_one_was);
    return suite;
}
