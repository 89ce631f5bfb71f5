/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The protocol of generators, stepped by hand: next, send, throw, close, foreach, and all that is not allowed. */
#include <support.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

static struct trace seen;

static void clear_trace(void)
{
    memset(&seen, 0, sizeof seen);
}

/* ---- The programs ---- */

struct foo {
    GENERATOR(int, const char *);
};

GEN(foo)
{
    GEN_BEGIN(foo);
    trace(&seen, "foo start\n");
    YIELD(1);
    trace(&seen, "foo a %s\n", SENT() ? SENT() : "None");
    YIELD(2);
    YIELD(3);
    trace(&seen, "foo end\n");
    GEN_END;
}

struct count {
    GENERATOR(int);
    int from, to;
};

GEN(count)
{
    GEN_BEGIN(count);
    for (; self->from < self->to; self->from++) YIELD(self->from);
    GEN_END;
}

/* Tells what it is sent and what is thrown at it, until it is thrown -ENOENT. */
struct echo {
    GENERATOR(int, int);
};

GEN(echo)
{
    GEN_BEGIN(echo);
    self->value = 0;
    for (;;) {
        TRY {
            YIELD(self->value);
            self->value = SENT();
        } CATCH_ERROR {
            if (CAUGHT() == -ENOENT) RERAISE();
            self->value = CAUGHT();
        } END_TRY;
    }
    GEN_END;
}

/* Has something to clean up. */
struct careful {
    GENERATOR(int);
};

GEN(careful)
{
    GEN_BEGIN(careful);
    TRY {
        trace(&seen, "open ");
        YIELD(1);
        YIELD(2);
    } FINALLY {
        trace(&seen, "close ");
    } END_TRY;
    trace(&seen, "after ");
    GEN_END;
}

/* ---- Making and stepping ---- */

START_TEST(making_one_runs_nothing)
{
    struct foo gen = CORO(foo);
    ck_assert_trace(&seen, "");
    ck_assert(!gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_int_eq(gen.value, 0);
}
END_TEST

START_TEST(next_and_send_step_as_in_python)
{
    struct foo gen = CORO(foo);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 1);
    ck_assert_trace(&seen, "foo start\n");
    ck_assert(gen_send(&gen, "a"));
    ck_assert_int_eq(gen.value, 2);
    ck_assert_trace(&seen, "foo start\nfoo a a\n");
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 3);
    ck_assert(!gen_done(&gen));
    ck_assert(!gen_next(&gen));
    ck_assert_trace(&seen, "foo start\nfoo a a\nfoo end\n");
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

START_TEST(every_frame_starts_from_its_beginning)
{
    for (int i = 0; i < 2; i++) {
        struct foo gen = CORO(foo);
        ck_assert(gen_next(&gen));
        ck_assert_int_eq(gen.value, 1);
    }
    ck_assert_trace(&seen, "foo start\nfoo start\n");
}
END_TEST

START_TEST(a_fresh_frame_may_be_copied)
{
    const struct count model = CORO(count, .from = 3, .to = 5);
    struct count a = model, b = model;
    ck_assert(gen_next(&a));
    ck_assert(gen_next(&a));
    ck_assert_int_eq(a.value, 4);
    ck_assert(gen_next(&b));
    ck_assert_int_eq(b.value, 3);
}
END_TEST

START_TEST(two_generators_take_turns)
{
    struct count a = CORO(count, .from = 0, .to = 3), b = CORO(count, .from = 10, .to = 12);
    while (gen_next(&a)) {
        trace(&seen, "%d ", a.value);
        if (gen_next(&b)) trace(&seen, "%d ", b.value);
    }
    ck_assert_trace(&seen, "0 10 1 11 2 ");
    ck_assert(gen_done(&a) && gen_done(&b));
}
END_TEST

START_TEST(one_that_yields_nothing_ends_at_its_first_step)
{
    struct count gen = CORO(count, .from = 1, .to = 1);
    ck_assert(!gen_next(&gen));
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

START_TEST(a_million_values_come_in_order)
{
    struct count gen = CORO(count, .to = 1000000);
    for (int i = 0; i < 1000000; i++)
        if (!gen_next(&gen) || gen.value != i) ck_abort_msg("%d instead of %d", gen.value, i);
    ck_assert(!gen_next(&gen));
}
END_TEST

START_TEST(arguments_are_named_and_default_to_zero)
{
    struct count gen = CORO(count, .to = 7, .from = 5), none = CORO(count);
    ck_assert_int_eq(gen.from, 5);
    ck_assert_int_eq(gen.to, 7);
    ck_assert_int_eq(none.from, 0);
    ck_assert_int_eq(none.to, 0);
}
END_TEST

START_TEST(members_of_type_void_take_no_room)
{
    struct with { GENERATOR(void *, void *, void *); };
    struct without { GENERATOR(void *, void, void); };
    ck_assert_uint_eq(sizeof(struct without), sizeof(struct pawl_coro) + sizeof(void *));
    ck_assert_uint_eq(sizeof(struct with), sizeof(struct pawl_coro) + 3 * sizeof(void *));
}
END_TEST

/* ---- After the end ---- */

START_TEST(next_after_the_end_is_an_error_and_runs_nothing)
{
    struct foo gen = CORO(foo);
    while (gen_next(&gen)) {}
    clear_trace();
    for (int i = 0; i < 3; i++) {
        ck_assert(!gen_next(&gen));
        ck_assert_int_eq(gen_error(&gen), PAWL_EENDED);
        ck_assert(gen_done(&gen));
    }
    ck_assert_int_eq(gen.value, 3);
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(send_after_the_end_is_an_error)
{
    struct echo gen = CORO(echo);
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert(!gen_send(&gen, 5));
    ck_assert_int_eq(gen_error(&gen), PAWL_EENDED);
}
END_TEST

START_TEST(throw_after_the_end_is_an_error)
{
    struct careful gen = CORO(careful);
    while (gen_next(&gen)) {}
    clear_trace();
    ck_assert(!gen_throw(&gen, -EIO));
    ck_assert_int_eq(gen_error(&gen), PAWL_EENDED);
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(a_zeroed_struct_is_no_generator)
{
    struct echo next, send, throw;
    memset(&next, 0, sizeof next);
    memset(&send, 0, sizeof send);
    memset(&throw, 0, sizeof throw);
    ck_assert(!gen_next(&next));
    ck_assert_int_eq(gen_error(&next), PAWL_EINVAL);
    ck_assert(!gen_send(&send, 1));
    ck_assert_int_eq(gen_error(&send), PAWL_EINVAL);
    ck_assert(!gen_throw(&throw, -EIO));
    ck_assert_int_eq(gen_error(&throw), PAWL_EINVAL);
    ck_assert(!gen_next(&next));
    ck_assert_int_eq(gen_error(&next), PAWL_EINVAL);
}
END_TEST

/* ---- Sending ---- */

START_TEST(a_fresh_one_cannot_be_sent_anything_and_stays_fresh)
{
    struct echo gen = CORO(echo);
    ck_assert(!gen_send(&gen, 7));
    ck_assert_int_eq(gen_error(&gen), PAWL_EFRESH);
    ck_assert(!gen_done(&gen));
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 0);
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert(gen_send(&gen, 7));
    ck_assert_int_eq(gen.value, 7);
}
END_TEST

START_TEST(next_sends_zero)
{
    struct echo gen = CORO(echo);
    ck_assert(gen_next(&gen));
    ck_assert(gen_send(&gen, 9));
    ck_assert_int_eq(gen.value, 9);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 0);
}
END_TEST

/* Reads what it was sent more than once, and later. */
struct twice {
    GENERATOR(int, int);
};

GEN(twice)
{
    GEN_BEGIN(twice);
    YIELD(0);
    trace(&seen, "%d ", SENT());
    trace(&seen, "%d ", SENT() + SENT());
    YIELD(0);
    trace(&seen, "%d ", SENT());
    GEN_END;
}

START_TEST(what_was_sent_stays_until_the_next_step)
{
    struct twice gen = CORO(twice);
    ck_assert(gen_next(&gen));
    ck_assert(gen_send(&gen, 21));
    ck_assert_trace(&seen, "21 42 ");
    ck_assert(!gen_next(&gen));
    ck_assert_trace(&seen, "21 42 0 ");
}
END_TEST

struct point {
    short x;
    double y;
};

struct move {
    GENERATOR(struct point, struct point, struct point);
};

GEN(move)
{
    GEN_BEGIN(move);
    self->value = (struct point){ 1, 0.5 };
    while (self->value.x < 10) {
        YIELD(self->value);
        self->value.x = (short)(self->value.x + SENT().x);
        self->value.y += SENT().y;
    }
    GEN_RETURN((struct point){ -1, self->value.y });
    GEN_END;
}

START_TEST(structs_are_yielded_sent_and_returned)
{
    struct move gen = CORO(move);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value.x, 1);
    ck_assert(gen_send(&gen, (struct point){ 2, 0.25 }));
    ck_assert_int_eq(gen.value.x, 3);
    ck_assert_double_eq(gen.value.y, 0.75);
    ck_assert(!gen_send(&gen, (struct point){ 100, 1 }));
    ck_assert_int_eq(gen.result.x, -1);
    ck_assert_double_eq(gen.result.y, 1.75);
}
END_TEST

/* ---- Throwing ---- */

START_TEST(an_error_that_is_caught_leads_to_the_next_value)
{
    struct echo gen = CORO(echo);
    ck_assert(gen_next(&gen));
    ck_assert(gen_throw(&gen, -EIO));
    ck_assert_int_eq(gen.value, -EIO);
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert(gen_send(&gen, 4));
    ck_assert_int_eq(gen.value, 4);
}
END_TEST

START_TEST(an_error_that_is_not_caught_ends_it)
{
    struct careful gen = CORO(careful);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_throw(&gen, -EPERM));
    ck_assert_int_eq(gen_error(&gen), -EPERM);
    ck_assert(gen_done(&gen));
    ck_assert_trace(&seen, "open close ");
}
END_TEST

START_TEST(an_error_that_is_reraised_ends_it)
{
    struct echo gen = CORO(echo);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_throw(&gen, -ENOENT));
    ck_assert_int_eq(gen_error(&gen), -ENOENT);
}
END_TEST

START_TEST(thrown_into_a_fresh_one_its_body_never_runs)
{
    struct careful gen = CORO(careful);
    ck_assert(!gen_throw(&gen, -EIO));
    ck_assert_int_eq(gen_error(&gen), -EIO);
    ck_assert(gen_done(&gen));
    ck_assert_trace(&seen, "");
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), PAWL_EENDED);
}
END_TEST

static const int no_errors[] = { 0, 1, 5, INT_MAX, -32769, -40000, INT_MIN };

START_TEST(what_is_no_error_is_thrown_as_einval)
{
    struct echo gen = CORO(echo);
    ck_assert(gen_next(&gen));
    ck_assert(gen_throw(&gen, no_errors[_i]));
    ck_assert_int_eq(gen.value, PAWL_EINVAL);
}
END_TEST

START_TEST(the_smallest_and_the_largest_error_are_kept)
{
    struct echo gen = CORO(echo);
    ck_assert(gen_next(&gen));
    ck_assert(gen_throw(&gen, -32768));
    ck_assert_int_eq(gen.value, -32768);
    ck_assert(gen_throw(&gen, -1));
    ck_assert_int_eq(gen.value, -1);
}
END_TEST

/* ---- Closing ---- */

START_TEST(close_runs_the_finally_and_nothing_else)
{
    struct careful gen = CORO(careful);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert_trace(&seen, "open close ");
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), PAWL_EENDED);
}
END_TEST

START_TEST(close_is_harmless_when_fresh_ended_closed_or_zeroed)
{
    struct careful fresh = CORO(careful), ended = CORO(careful), zeroed;
    memset(&zeroed, 0, sizeof zeroed);
    ck_assert_int_eq(gen_close(&fresh), 0);
    ck_assert(gen_done(&fresh));
    ck_assert_int_eq(gen_close(&fresh), 0);
    ck_assert_trace(&seen, "");
    while (gen_next(&ended)) {}
    ck_assert_int_eq(gen_close(&ended), 0);
    ck_assert_trace(&seen, "open close after ");
    ck_assert_int_eq(gen_close(&zeroed), 0);
}
END_TEST

START_TEST(close_after_a_failure_keeps_the_error)
{
    struct careful gen = CORO(careful);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_throw(&gen, -EIO));
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert_int_eq(gen_error(&gen), -EIO);
}
END_TEST

/* What it does when it is closed. */
struct stubborn {
    GENERATOR(int);
    bool yields;
    int raises;
};

GEN(stubborn)
{
    GEN_BEGIN(stubborn);
    TRY {
        YIELD(1);
    } CATCH(PAWL_EEXIT) {
        trace(&seen, "caught %d ", CAUGHT() == PAWL_EEXIT);
        if (self->raises) RAISE(self->raises);
        if (self->yields) YIELD(2);
    } END_TRY;
    trace(&seen, "goes on ");
    if (self->yields) YIELD(3);
    GEN_END;
}

START_TEST(one_that_yields_while_it_is_closed_is_an_error_and_stays_suspended)
{
    struct stubborn gen = CORO(stubborn, .yields = true);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), PAWL_EYIELDED);
    ck_assert_int_eq(gen.value, 2);
    ck_assert(!gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 3);
    ck_assert_trace(&seen, "caught 1 goes on ");
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert(gen_done(&gen));
}
END_TEST

START_TEST(one_that_swallows_the_close_and_ends_is_closed)
{
    struct stubborn gen = CORO(stubborn);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert_trace(&seen, "caught 1 goes on ");
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

START_TEST(close_tells_another_error_that_is_raised_meanwhile)
{
    struct stubborn gen = CORO(stubborn, .raises = -EBADF);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), -EBADF);
    ck_assert_int_eq(gen_error(&gen), -EBADF);
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_close(&gen), 0);
}
END_TEST

/* ---- Return values and errors ---- */

struct sum {
    GENERATOR(int, int, long);
};

GEN(sum)
{
    GEN_BEGIN(sum);
    for (;;) {
        YIELD((int)self->result);
        if (SENT() == 0) GEN_RETURN(self->result * 1000000L);
        if (SENT() < 0) GEN_RETURN();
        self->result += SENT();
    }
    GEN_END;
}

START_TEST(a_return_value_is_the_result)
{
    struct sum gen = CORO(sum);
    ck_assert(gen_next(&gen));
    ck_assert(gen_send(&gen, 3));
    ck_assert(gen_send(&gen, 4));
    ck_assert_int_eq(gen.value, 7);
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen.result, 7000000L);
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

START_TEST(a_return_without_a_value_leaves_the_result)
{
    struct sum gen = CORO(sum);
    ck_assert(gen_next(&gen));
    ck_assert(gen_send(&gen, 3));
    ck_assert(!gen_send(&gen, -1));
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen.result, 3);
}
END_TEST

struct fails {
    GENERATOR(int);
    int error;
};

GEN(fails)
{
    GEN_BEGIN(fails);
    YIELD(11);
    RAISE(self->error);
    trace(&seen, "not here");
    GEN_END;
}

START_TEST(an_error_that_it_raises_ends_it)
{
    struct fails gen = CORO(fails, .error = -EIO);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), -EIO);
    ck_assert_int_eq(gen.value, 11);
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(what_is_no_error_is_raised_as_einval)
{
    struct fails gen = CORO(fails, .error = no_errors[_i]);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), PAWL_EINVAL);
}
END_TEST

/* ---- While it runs ---- */

/* Does each of the things that it must not do to itself. */
struct reenters {
    GENERATOR(int, int);
};

GEN(reenters)
{
    GEN_BEGIN(reenters);
    trace(&seen, "%d %d ", gen_next(self), gen_error(self) == PAWL_ERUNNING);
    YIELD(1);
    trace(&seen, "%d %d ", gen_send(self, 99), gen_error(self) == PAWL_ERUNNING);
    YIELD(2);
    trace(&seen, "%d %d ", gen_throw(self, -EIO), gen_error(self) == PAWL_ERUNNING);
    YIELD(3);
    trace(&seen, "%d %d ", gen_close(self) == PAWL_ERUNNING, gen_done(self));
    YIELD(4);
    GEN_END;
}

START_TEST(one_that_runs_cannot_be_resumed_and_is_not_disturbed)
{
    struct reenters gen = CORO(reenters);
    for (int i = 1; i <= 4; i++) {
        ck_assert(gen_next(&gen));
        ck_assert_int_eq(gen.value, i);
        ck_assert_int_eq(gen_error(&gen), 0);
    }
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_trace(&seen, "0 1 0 1 0 1 1 0 ");
}
END_TEST

struct keeps_sent {
    GENERATOR(int, int);
};

GEN(keeps_sent)
{
    GEN_BEGIN(keeps_sent);
    YIELD(0);
    (void)gen_next(self);
    (void)gen_send(self, 13);
    YIELD(SENT());
    GEN_END;
}

START_TEST(a_refused_reentry_leaves_what_was_sent)
{
    struct keeps_sent gen = CORO(keeps_sent);
    ck_assert(gen_next(&gen));
    ck_assert(gen_send(&gen, 5));
    ck_assert_int_eq(gen.value, 5);
}
END_TEST

/* ---- Foreach ---- */

START_TEST(foreach_visits_every_value_and_sends_nothing)
{
    struct foo gen = CORO(foo);
    GEN_FOREACH(v, &gen) trace(&seen, "%d\n", v);
    ck_assert_trace(&seen, "foo start\n1\nfoo a None\n2\n3\nfoo end\n");
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

static int asked;

static struct count *ask(struct count *gen)
{
    asked++;
    return gen;
}

START_TEST(foreach_evaluates_the_generator_once)
{
    struct count gen = CORO(count, .to = 5);
    int sum = 0;
    asked = 0;
    GEN_FOREACH(v, ask(&gen)) sum += v;
    ck_assert_int_eq(sum, 10);
    ck_assert_int_eq(asked, 1);
}
END_TEST

START_TEST(foreach_that_is_left_leaves_it_suspended)
{
    struct careful gen = CORO(careful);
    GEN_FOREACH(v, &gen)
        if (v == 1) break;
    ck_assert(!gen_done(&gen));
    ck_assert_trace(&seen, "open ");
    GEN_FOREACH(v, &gen) trace(&seen, "%d ", v);
    ck_assert_trace(&seen, "open 2 close after ");
}
END_TEST

START_TEST(foreach_nests_and_continues)
{
    struct count outer = CORO(count, .to = 4);
    GEN_FOREACH(a, &outer) {
        struct count inner = CORO(count, .from = 10, .to = 12);
        if (a % 2) continue;
        GEN_FOREACH(b, &inner) trace(&seen, "%d-%d ", a, b);
    }
    ck_assert_trace(&seen, "0-10 0-11 2-10 2-11 ");
}
END_TEST

START_TEST(foreach_of_one_that_has_ended_visits_nothing)
{
    struct count gen = CORO(count, .to = 2);
    while (gen_next(&gen)) {}
    GEN_FOREACH(v, &gen) ck_abort_msg("visited %d", v);
    ck_assert_int_eq(gen_error(&gen), PAWL_EENDED);
}
END_TEST

START_TEST(foreach_ends_at_an_error_that_is_told_afterwards)
{
    struct fails gen = CORO(fails, .error = -EIO);
    int visited = 0;
    GEN_FOREACH(v, &gen) visited += v;
    ck_assert_int_eq(visited, 11);
    ck_assert_int_eq(gen_error(&gen), -EIO);
}
END_TEST

/* ---- Names and linkage ---- */

struct named {
    GENERATOR(const char *);
};

GEN(named)
{
    GEN_BEGIN(named);
    YIELD(pawl_coro_name(&self->awaitable));
    YIELD("again");
    GEN_END;
}

START_TEST(its_name_is_known_at_any_time_and_asking_changes_nothing)
{
    struct named gen = CORO(named), zeroed;
    memset(&zeroed, 0, sizeof zeroed);
    ck_assert_str_eq(pawl_coro_name(&gen.awaitable), "named");
    ck_assert(gen_next(&gen));
    ck_assert_str_eq(gen.value, "named");
    ck_assert_str_eq(pawl_coro_name(&gen.awaitable), "named");
    ck_assert(gen_next(&gen));
    ck_assert_str_eq(gen.value, "again");
    ck_assert(!gen_next(&gen));
    ck_assert_str_eq(pawl_coro_name(&gen.awaitable), "named");
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_str_eq(pawl_coro_name(&zeroed.awaitable), "?");
}
END_TEST

struct declared {
    GENERATOR(int);
};
struct shared {
    GENERATOR(int);
};
GEN_DECLARE(declared);
GEN_EXTERN(shared);

START_TEST(a_declared_one_is_used_before_its_body)
{
    struct declared gen = CORO(declared);
    struct shared other = CORO(shared);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 17);
    ck_assert(gen_next(&other));
    ck_assert_int_eq(other.value, 18);
}
END_TEST

GEN(declared)
{
    GEN_BEGIN(declared);
    YIELD(17);
    GEN_END;
}

GEN_PUBLIC(shared)
{
    GEN_BEGIN(shared);
    YIELD(18);
    GEN_END;
}

static TCase *add_traced_case(Suite *suite, const char *name)
{
    TCase *const tcase = add_case(suite, name);
    tcase_add_checked_fixture(tcase, clear_trace, NULL);
    return tcase;
}

static void add_steps(Suite *suite)
{
    TCase *tcase = add_traced_case(suite, "steps");
    tcase_add_test(tcase, making_one_runs_nothing);
    tcase_add_test(tcase, next_and_send_step_as_in_python);
    tcase_add_test(tcase, every_frame_starts_from_its_beginning);
    tcase_add_test(tcase, a_fresh_frame_may_be_copied);
    tcase_add_test(tcase, two_generators_take_turns);
    tcase_add_test(tcase, one_that_yields_nothing_ends_at_its_first_step);
    tcase_add_test(tcase, a_million_values_come_in_order);
    tcase_add_test(tcase, arguments_are_named_and_default_to_zero);
    tcase_add_test(tcase, members_of_type_void_take_no_room);
    tcase_add_test(tcase, its_name_is_known_at_any_time_and_asking_changes_nothing);
    tcase_add_test(tcase, a_declared_one_is_used_before_its_body);

    tcase = add_traced_case(suite, "end");
    tcase_add_test(tcase, next_after_the_end_is_an_error_and_runs_nothing);
    tcase_add_test(tcase, send_after_the_end_is_an_error);
    tcase_add_test(tcase, throw_after_the_end_is_an_error);
    tcase_add_test(tcase, a_zeroed_struct_is_no_generator);
    tcase_add_test(tcase, a_return_value_is_the_result);
    tcase_add_test(tcase, a_return_without_a_value_leaves_the_result);
    tcase_add_test(tcase, an_error_that_it_raises_ends_it);
    tcase_add_loop_test(tcase, what_is_no_error_is_raised_as_einval, 0, (int)(sizeof no_errors / sizeof no_errors[0]));
}

static void add_exchanges(Suite *suite)
{
    TCase *tcase = add_traced_case(suite, "send");
    tcase_add_test(tcase, a_fresh_one_cannot_be_sent_anything_and_stays_fresh);
    tcase_add_test(tcase, next_sends_zero);
    tcase_add_test(tcase, what_was_sent_stays_until_the_next_step);
    tcase_add_test(tcase, structs_are_yielded_sent_and_returned);

    tcase = add_traced_case(suite, "throw");
    tcase_add_test(tcase, an_error_that_is_caught_leads_to_the_next_value);
    tcase_add_test(tcase, an_error_that_is_not_caught_ends_it);
    tcase_add_test(tcase, an_error_that_is_reraised_ends_it);
    tcase_add_test(tcase, thrown_into_a_fresh_one_its_body_never_runs);
    tcase_add_loop_test(tcase, what_is_no_error_is_thrown_as_einval, 0, (int)(sizeof no_errors / sizeof no_errors[0]));
    tcase_add_test(tcase, the_smallest_and_the_largest_error_are_kept);

    tcase = add_traced_case(suite, "close");
    tcase_add_test(tcase, close_runs_the_finally_and_nothing_else);
    tcase_add_test(tcase, close_is_harmless_when_fresh_ended_closed_or_zeroed);
    tcase_add_test(tcase, close_after_a_failure_keeps_the_error);
    tcase_add_test(tcase, one_that_yields_while_it_is_closed_is_an_error_and_stays_suspended);
    tcase_add_test(tcase, one_that_swallows_the_close_and_ends_is_closed);
    tcase_add_test(tcase, close_tells_another_error_that_is_raised_meanwhile);
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("gen");
    add_steps(suite);
    add_exchanges(suite);

    TCase *tcase = add_traced_case(suite, "running");
    tcase_add_test(tcase, one_that_runs_cannot_be_resumed_and_is_not_disturbed);
    tcase_add_test(tcase, a_refused_reentry_leaves_what_was_sent);

    tcase = add_traced_case(suite, "foreach");
    tcase_add_test(tcase, foreach_visits_every_value_and_sends_nothing);
    tcase_add_test(tcase, foreach_evaluates_the_generator_once);
    tcase_add_test(tcase, foreach_that_is_left_leaves_it_suspended);
    tcase_add_test(tcase, foreach_nests_and_continues);
    tcase_add_test(tcase, foreach_of_one_that_has_ended_visits_nothing);
    tcase_add_test(tcase, foreach_ends_at_an_error_that_is_told_afterwards);
    return suite;
}
