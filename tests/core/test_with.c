/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * WITH by itself, over scopes of the test's own: what enters, what is left, with which error, in which order, and where it may
 * wait. Mostly by hand; the file is compiled for both engines.
 */
#include <support.h>

#include <stdio.h>
#include <string.h>

static struct trace seen;

static void clear_trace(void)
{
    memset(&seen, 0, sizeof seen);
}

static TCase *add_traced_case(Suite *suite, const char *name)
{
    TCase *const tcase = add_case(suite, name);
    tcase_add_checked_fixture(tcase, clear_trace, NULL);
    return tcase;
}

/* ---- A scope of one's own ---- */

/* Tells of being entered as "(id ", of being left as ")id:error ", where an error that met it while it waited follows as "!error ". */
struct door {
    PAWL_SCOPE;
    int id, enter_error, leave_error;
    bool waits_entering, waits_leaving, swallows;
};

static pawl_resume_fn door_resume;

static int door_enter(const struct door *self, int error)
{
    if (error != 0) trace(&seen, "!%d ", error);
    else if (self->enter_error == 0) trace(&seen, "(%d ", self->id);
    return error != 0 ? error : self->enter_error;
}

static int door_leave(const struct door *self, int error)
{
    if (error != 0) trace(&seen, "!%d ", error);
    else trace(&seen, ")%d:%d ", self->id, pawl_scope_error(&self->awaitable));
    if (error != 0) return error;
    if (self->leave_error != 0) return self->leave_error;
    return self->swallows ? 0 : pawl_scope_error(&self->awaitable);
}

static PAWL_LEAF(door)
{
    enum { ENTERING = 1, LEAVING = 2 };
    PAWL_LEAF_BEGIN(door);
    struct door *const self = (struct door *)(void *)co;
    const bool enters = co->point == 0, leaves = co->point == PAWL_POINT_EXIT;
    if ((enters && self->waits_entering) || (leaves && self->waits_leaving)) {
        co->point = enters ? ENTERING : LEAVING;
        return pawl_leaf_suspend(co, root);
    }
    if (leaves || co->point == LEAVING) return pawl_leaf_done(co, door_leave(self, error));
    return pawl_leaf_done(co, door_enter(self, error));
}

/* One door around a block that may wait, raise or return. */
struct room {
    COROUTINE(int);
    struct door how, door;
    bool waits, returns;
    int error;
    struct pawl_sleep sleep;
};

ASYNC(room)
{
    ASYNC_BEGIN(room);
    WITH(self->door, self->how) {
        trace(&seen, "in ");
        if (self->waits) AWAIT(self->sleep, pawl_yield());
        if (self->error) RAISE(self->error);
        if (self->returns) ASYNC_RETURN(7);
        trace(&seen, "out ");
    } END_WITH;
    trace(&seen, "after ");
    ASYNC_RETURN(1);
    ASYNC_END;
}

/* Steps it to its end: how often it waited. */
#define run_by_hand(frame) __extension__({ \
    int times = 0; \
    while (coro_step(frame) != NULL) times++; \
    times; \
})

/* ---- The rules ---- */

START_TEST(a_block_is_entered_run_and_left)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1));
    ck_assert_int_eq(run_by_hand(&room), 0);
    ck_assert_int_eq(coro_error(&room), 0);
    ck_assert_int_eq(room.result, 1);
    ck_assert_trace(&seen, "(1 in out )1:0 after ");
}
END_TEST

START_TEST(entering_the_block_and_leaving_may_wait)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .waits_entering = true, .waits_leaving = true), .waits = true);
    ck_assert_ptr_nonnull(coro_step(&room));
    ck_assert_trace(&seen, "");
    ck_assert_ptr_nonnull(coro_step(&room));
    ck_assert_trace(&seen, "(1 in ");
    ck_assert_ptr_nonnull(coro_step(&room));
    ck_assert_trace(&seen, "(1 in out ");
    ck_assert_ptr_null(coro_step(&room));
    ck_assert_trace(&seen, "(1 in out )1:0 after ");
    ck_assert_int_eq(room.result, 1);
}
END_TEST

START_TEST(what_cannot_be_entered_is_not_left)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .enter_error = -6, .waits_entering = _i == 1));
    ck_assert_int_eq(run_by_hand(&room), _i);
    ck_assert_int_eq(coro_error(&room), -6);
    ck_assert_trace(&seen, "");
}
END_TEST

START_TEST(an_error_of_the_block_is_told_and_goes_on)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .waits_leaving = _i & 1), .error = -5, .waits = (_i & 2) != 0);
    ck_assert_int_eq(run_by_hand(&room), (_i & 1) + ((_i & 2) != 0));
    ck_assert_int_eq(coro_error(&room), -5);
    ck_assert_trace(&seen, "(1 in )1:-5 ");
#if PAWL_RAISE_LOCATION
    if (!(_i & 1)) ck_assert_ptr_nonnull(strstr(pawl_coro_where(&room.awaitable), "test_with.c:"));
#endif
}
END_TEST

START_TEST(an_error_of_the_block_may_be_swallowed)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .swallows = true, .waits_leaving = _i == 1), .error = -5);
    ck_assert_int_eq(run_by_hand(&room), _i);
    ck_assert_int_eq(coro_error(&room), 0);
    ck_assert_int_eq(room.result, 1);
    ck_assert_trace(&seen, "(1 in )1:-5 after ");
}
END_TEST

START_TEST(an_error_of_leaving_is_raised_instead_of_that_of_the_block)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .leave_error = -6), .error = _i == 1 ? -5 : 0);
    ck_assert_int_eq(run_by_hand(&room), 0);
    ck_assert_int_eq(coro_error(&room), -6);
    ck_assert_trace(&seen, _i == 1 ? "(1 in )1:-5 " : "(1 in out )1:0 ");
}
END_TEST

START_TEST(a_return_leaves_the_block_without_an_error)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .waits_leaving = _i & 1, .swallows = (_i & 2) != 0), .returns = true);
    ck_assert_int_eq(run_by_hand(&room), _i & 1);
    ck_assert_int_eq(coro_error(&room), 0);
    ck_assert_int_eq(room.result, 7);
    ck_assert_trace(&seen, "(1 in )1:0 ");
}
END_TEST

START_TEST(an_error_of_leaving_is_raised_instead_of_a_return)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .leave_error = -6, .waits_leaving = _i == 1), .returns = true);
    ck_assert_int_eq(run_by_hand(&room), _i);
    ck_assert_int_eq(coro_error(&room), -6);
    ck_assert_trace(&seen, "(1 in )1:0 ");
}
END_TEST

struct rounds {
    COROUTINE(int);
    int i;
    struct door door;
};

ASYNC(rounds)
{
    ASYNC_BEGIN(rounds);
    for (self->i = 0; self->i < 100; self->i++) {
        WITH(self->door, CORO(door, .swallows = true, .waits_leaving = self->i % 2 == 0)) {
            if (self->i % 3 == 0) RAISE(-5);
            self->result++;
            if (self->i == 97) ASYNC_RETURN(self->result);
        } END_WITH;
        memset(&seen, 0, sizeof seen);
    }
    ASYNC_END;
}

START_TEST(a_slot_serves_over_and_over)
{
    struct rounds rounds = CORO(rounds);
    ck_assert_int_eq(run_by_hand(&rounds), 49);
    ck_assert_int_eq(coro_error(&rounds), 0);
    ck_assert_int_eq(rounds.result, 65);
}
END_TEST

/* ---- Size ---- */

struct with_a_door {
    COROUTINE(void);
    struct door door;
};
_Static_assert(sizeof(struct with_a_door) == sizeof(struct pawl_coro) + sizeof(struct door), "a scope takes its slot and nothing else");
_Static_assert(offsetof(struct door, id) == sizeof(struct pawl_coro), "a scope takes its header and nothing else");

START_TEST(nothing_but_the_frame_is_written_to)
{
    struct {
        unsigned char before[64];
        struct room room;
        unsigned char after[64];
    } guarded;
    memset(&guarded, 0x5a, sizeof guarded);
    guarded.room = CORO(room, .how = CORO(door, .waits_entering = true, .waits_leaving = true), .waits = true, .error = -5);
    run_by_hand(&guarded.room);
    for (size_t i = 0; i < sizeof guarded.before; i++) ck_assert(guarded.before[i] == 0x5a && guarded.after[i] == 0x5a);
}
END_TEST

/* ---- Thrown into, and closed ---- */

enum { ENTERING, INSIDE, LEAVING };

static struct room stopped_at(int where)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .waits_entering = where == ENTERING, .waits_leaving = where == LEAVING),
                            .waits = where == INSIDE);
    return room;
}

START_TEST(an_error_thrown_into_it_is_raised_where_it_waits)
{
    static const char *const expected[] = { "!-9 ", "(1 in )1:-9 ", "(1 in out !-9 " };
    struct room room = stopped_at(_i);
    ck_assert_ptr_nonnull(coro_step(&room));
    ck_assert_ptr_null(coro_throw(&room, -9));
    ck_assert_int_eq(coro_error(&room), -9);
    ck_assert_trace(&seen, expected[_i]);
}
END_TEST

START_TEST(closed_where_it_waits_it_is_left_if_it_was_entered)
{
    static const char *const expected[] = { "!-32001 ", "(1 in )1:-32001 ", "(1 in out !-32001 " };
    struct room room = stopped_at(_i);
    ck_assert_ptr_nonnull(coro_step(&room));
    ck_assert_int_eq(coro_close(&room), 0);
    ck_assert(coro_done(&room));
    ck_assert_trace(&seen, expected[_i]);
}
END_TEST

START_TEST(closed_before_it_begins_it_is_not_entered)
{
    struct room room = stopped_at(INSIDE);
    ck_assert_int_eq(coro_close(&room), 0);
    ck_assert_trace(&seen, "");
}
END_TEST

/* Leaving waits, which a close does not allow; but it can go on. */
START_TEST(closed_a_scope_that_waits_on_its_way_out_is_told_of)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .waits_leaving = true), .waits = true);
    ck_assert_ptr_nonnull(coro_step(&room));
    ck_assert_int_eq(coro_close(&room), PAWL_EYIELDED);
    ck_assert(!coro_done(&room));
    ck_assert_trace(&seen, "(1 in ");
    if (_i == 0) {
        ck_assert_ptr_null(coro_step(&room));
        ck_assert_int_eq(coro_error(&room), PAWL_EEXIT);
        ck_assert_trace(&seen, "(1 in )1:-32001 ");
    } else {
        ck_assert_int_eq(coro_close(&room), 0);
        ck_assert_trace(&seen, "(1 in !-32001 ");
    }
}
END_TEST

/* As a generator that swallows GeneratorExit and ends. */
START_TEST(closed_a_scope_that_swallows_lets_the_rest_run)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .swallows = true), .waits = true);
    ck_assert_ptr_nonnull(coro_step(&room));
    ck_assert_int_eq(coro_close(&room), 0);
    ck_assert_trace(&seen, "(1 in )1:-32001 after ");
}
END_TEST

/* An error that meets it while it waits to be left is that of leaving; the block's own is gone, as in Python. */
START_TEST(thrown_into_while_it_is_left_with_an_error_the_newer_one_goes_on)
{
    struct room room = CORO(room, .how = CORO(door, .id = 1, .waits_leaving = true), .error = -5);
    ck_assert_ptr_nonnull(coro_step(&room));
    ck_assert_ptr_null(coro_throw(&room, -9));
    ck_assert_int_eq(coro_error(&room), -9);
    ck_assert_trace(&seen, "(1 in !-9 ");
}
END_TEST

/* ---- In each other, in every order ---- */

enum nest_end { FALLS, RETURNS, RAISES, WAYS };

/* Three layers, each a WITH, a TRY with a FINALLY, or a TRY with a CATCH that raises anew; inside, one way to end. */
#define NEST_FRAME \
    COROUTINE(int); \
    enum nest_end way; \
    bool waits; \
    struct door doors[3]; \
    struct pawl_sleep sleep

#define OPEN_with(n) WITH(self->doors[n], CORO(door, .id = (n), .waits_entering = self->waits, .waits_leaving = self->waits)) {
#define CLOSE_with(n) } END_WITH;
#define OPEN_finally(n) TRY {
#define CLOSE_finally(n) } FINALLY { if (self->waits) AWAIT(self->sleep, pawl_yield()); trace(&seen, "f%d ", (n)); } END_TRY;
#define OPEN_catch(n) TRY {
#define CLOSE_catch(n) \
    } CATCH_ALL { \
        if (self->waits) AWAIT(self->sleep, pawl_yield()); \
        trace(&seen, "c%d:%d ", (n), CAUGHT()); \
        RERAISE(); \
    } END_TRY;

#define NEST(a, b, c) \
    struct nest_##a##_##b##_##c { NEST_FRAME; }; \
    ASYNC(nest_##a##_##b##_##c) \
    { \
        ASYNC_BEGIN(nest_##a##_##b##_##c); \
        OPEN_##a(0) OPEN_##b(1) OPEN_##c(2) \
        if (self->waits) AWAIT(self->sleep, pawl_yield()); \
        trace(&seen, "in "); \
        if (self->way == RETURNS) ASYNC_RETURN(7); \
        if (self->way == RAISES) RAISE(-5); \
        CLOSE_##c(2) CLOSE_##b(1) CLOSE_##a(0) \
        trace(&seen, "after "); \
        ASYNC_RETURN(1); \
        ASYNC_END; \
    } \
    static void check_##a##_##b##_##c(enum nest_end way, bool waits) \
    { \
        struct nest_##a##_##b##_##c nest = CORO(nest_##a##_##b##_##c, .way = way, .waits = waits); \
        run_by_hand(&nest); \
        check_nest(#a " " #b " " #c, way, coro_error(&nest), nest.result); \
    }

/* What the layers tell on the way in and out. */
static void expected_trace(struct trace *expected, const char *layers[3], enum nest_end way)
{
    const int error = way == RAISES ? -5 : 0;
    for (int i = 0; i < 3; i++)
        if (strncmp(layers[i], "with", 4) == 0) trace(expected, "(%d ", i);
    trace(expected, "in ");
    for (int i = 2; i >= 0; i--) {
        if (strncmp(layers[i], "with", 4) == 0) trace(expected, ")%d:%d ", i, error);
        if (strncmp(layers[i], "finally", 7) == 0) trace(expected, "f%d ", i);
        if (strncmp(layers[i], "catch", 5) == 0 && error != 0) trace(expected, "c%d:%d ", i, error);
    }
    if (way == FALLS) trace(expected, "after ");
}

static void check_nest(const char *names, enum nest_end way, int error, int result)
{
    static const int results[] = { 1, 7, 0 };
    static struct trace expected;
    const char *layers[3] = { names, strchr(names, ' ') + 1, strrchr(names, ' ') + 1 };
    memset(&expected, 0, sizeof expected);
    expected_trace(&expected, layers, way);
    ck_assert_msg(strcmp(seen.text, expected.text) == 0, "%s, way %d: %s instead of %s", names, (int)way, seen.text, expected.text);
    ck_assert_msg(error == (way == RAISES ? -5 : 0) && result == results[way], "%s, way %d: %d, %d", names, (int)way, error, result);
    clear_trace();
}

#define NESTS_C(what, a, b) what(a, b, with) what(a, b, finally) what(a, b, catch)
#define NESTS_B(what, a) NESTS_C(what, a, with) NESTS_C(what, a, finally) NESTS_C(what, a, catch)
#define NESTS(what) NESTS_B(what, with) NESTS_B(what, finally) NESTS_B(what, catch)
#define CHECK_OF(a, b, c) check_##a##_##b##_##c,

NESTS(NEST)

static void (*const nests[])(enum nest_end way, bool waits) = { NESTS(CHECK_OF) };
enum { NEST_COUNT = sizeof nests / sizeof nests[0] };

START_TEST(nested_in_any_order_all_are_left_from_the_inside_out)
{
    for (enum nest_end way = FALLS; way < WAYS; way++) {
        nests[_i](way, false);
        nests[_i](way, true);
    }
}
END_TEST

/* The inner one swallows, fails, or both fail. */
struct two_doors {
    COROUTINE(int);
    struct door inner_how, outer_how, inner, outer;
    int error;
};

ASYNC(two_doors)
{
    ASYNC_BEGIN(two_doors);
    WITH(self->outer, self->outer_how) {
        WITH(self->inner, self->inner_how) {
            if (self->error) RAISE(self->error);
        } END_WITH;
        trace(&seen, "between ");
    } END_WITH;
    ASYNC_RETURN(1);
    ASYNC_END;
}

START_TEST(what_the_inner_one_swallows_the_outer_one_is_not_told)
{
    struct two_doors doors =
        CORO(two_doors, .error = -5, .inner_how = CORO(door, .id = 2, .swallows = true), .outer_how = CORO(door, .id = 1));
    run_by_hand(&doors);
    ck_assert_int_eq(coro_error(&doors), 0);
    ck_assert_trace(&seen, "(1 (2 )2:-5 between )1:0 ");
}
END_TEST

START_TEST(an_error_of_leaving_the_inner_one_is_told_to_the_outer_one)
{
    struct two_doors doors =
        CORO(two_doors, .error = _i ? -5 : 0, .inner_how = CORO(door, .id = 2, .leave_error = -6), .outer_how = CORO(door, .id = 1));
    run_by_hand(&doors);
    ck_assert_int_eq(coro_error(&doors), -6);
    ck_assert_trace(&seen, _i ? "(1 (2 )2:-5 )1:-6 " : "(1 (2 )2:0 )1:-6 ");
}
END_TEST

START_TEST(when_the_inner_one_cannot_be_entered_the_outer_one_is_left)
{
    struct two_doors doors = CORO(two_doors, .inner_how = CORO(door, .id = 2, .enter_error = -6, .waits_entering = true),
                                  .outer_how = CORO(door, .id = 1, .swallows = true, .waits_leaving = true));
    ck_assert_int_eq(run_by_hand(&doors), 2);
    ck_assert_int_eq(coro_error(&doors), 0);
    ck_assert_trace(&seen, "(1 )1:-6 ");
}
END_TEST

/* ---- In handlers ---- */

struct handles {
    COROUTINE(int);
    int error; /* of the block in the handler; 1: it raises anew what is caught, 2: it returns */
    bool in_finally, swallows, waits;
    struct door door;
    struct pawl_sleep sleep;
};

ASYNC(handles)
{
    ASYNC_BEGIN(handles);
    TRY {
        RAISE(-5);
    } CATCH(self->in_finally ? -1 : -5) {
        WITH(self->door, CORO(door, .id = 1, .swallows = self->swallows, .waits_entering = self->waits, .waits_leaving = self->waits)) {
            if (self->waits) AWAIT(self->sleep, pawl_yield());
            trace(&seen, "%d ", CAUGHT());
            if (self->error == 1) RERAISE();
            if (self->error == 2) ASYNC_RETURN(7);
            if (self->error < 0) RAISE(self->error);
        } END_WITH;
        trace(&seen, "%d ", CAUGHT());
        if (self->waits) AWAIT(self->sleep, pawl_yield());
        trace(&seen, "%d ", CAUGHT());
    } FINALLY {
        if (self->in_finally) {
            WITH(self->door, CORO(door, .id = 1, .swallows = self->swallows, .waits_entering = self->waits, .waits_leaving = self->waits)) {
                if (self->waits) AWAIT(self->sleep, pawl_yield());
                if (self->error == 2) ASYNC_RETURN(7);
                if (self->error < 0) RAISE(self->error);
            } END_WITH;
        }
        trace(&seen, "f ");
    } END_TRY;
    ASYNC_RETURN(1);
    ASYNC_END;
}

START_TEST(within_a_catch_what_was_caught_stays_caught)
{
    struct handles handles = CORO(handles, .waits = _i == 1);
    ck_assert_int_eq(run_by_hand(&handles), _i == 1 ? 4 : 0);
    ck_assert_int_eq(coro_error(&handles), 0);
    ck_assert_trace(&seen, "(1 -5 )1:0 -5 -5 f ");
}
END_TEST

START_TEST(within_a_catch_a_swallowed_error_leaves_what_was_caught)
{
    struct handles handles = CORO(handles, .error = _i < 2 ? -6 : 1, .swallows = true, .waits = _i & 1);
    run_by_hand(&handles);
    ck_assert_int_eq(coro_error(&handles), 0);
    ck_assert_trace(&seen, _i < 2 ? "(1 -5 )1:-6 -5 -5 f " : "(1 -5 )1:-5 -5 -5 f ");
}
END_TEST

START_TEST(within_a_catch_an_error_goes_on_through_the_finally)
{
    struct handles handles = CORO(handles, .error = _i < 2 ? -6 : 1, .waits = _i & 1);
    run_by_hand(&handles);
    ck_assert_int_eq(coro_error(&handles), _i < 2 ? -6 : -5);
    ck_assert_trace(&seen, _i < 2 ? "(1 -5 )1:-6 f " : "(1 -5 )1:-5 f ");
}
END_TEST

START_TEST(within_a_catch_a_return_goes_on_through_the_finally)
{
    struct handles handles = CORO(handles, .error = 2, .waits = _i == 1);
    run_by_hand(&handles);
    ck_assert_int_eq(coro_error(&handles), 0);
    ck_assert_int_eq(handles.result, 7);
    ck_assert_trace(&seen, "(1 -5 )1:0 f ");
}
END_TEST

START_TEST(within_a_finally_the_error_goes_on_afterwards)
{
    struct handles handles = CORO(handles, .in_finally = true, .waits = _i & 1, .swallows = (_i & 2) != 0, .error = _i & 2 ? -6 : 0);
    run_by_hand(&handles);
    ck_assert_int_eq(coro_error(&handles), -5);
    ck_assert_trace(&seen, _i & 2 ? "(1 )1:-6 f " : "(1 )1:0 f ");
}
END_TEST

START_TEST(within_a_finally_a_newer_error_replaces_it)
{
    struct handles handles = CORO(handles, .in_finally = true, .waits = _i == 1, .error = -6);
    run_by_hand(&handles);
    ck_assert_int_eq(coro_error(&handles), -6);
    ck_assert_trace(&seen, "(1 )1:-6 ");
}
END_TEST

START_TEST(within_a_finally_a_return_takes_the_error_away)
{
    struct handles handles = CORO(handles, .in_finally = true, .waits = _i == 1, .error = 2);
    run_by_hand(&handles);
    ck_assert_int_eq(coro_error(&handles), 0);
    ck_assert_int_eq(handles.result, 7);
    ck_assert_trace(&seen, "(1 )1:0 ");
}
END_TEST

/* A TRY in a WITH in a handler: both levels of handlers are at work. */
struct full {
    COROUTINE(int);
    bool waits;
    struct door outer, inner;
    struct pawl_sleep sleep;
};

ASYNC(full)
{
    ASYNC_BEGIN(full);
    TRY {
        RAISE(-5);
    } CATCH(-5) {
        WITH(self->outer, CORO(door, .id = 1)) {
            TRY {
                WITH(self->inner, CORO(door, .id = 2, .waits_leaving = self->waits)) {
                    RAISE(-6);
                } END_WITH;
            } CATCH(-6) {
                if (self->waits) AWAIT(self->sleep, pawl_yield());
                trace(&seen, "%d ", CAUGHT());
                RAISE(-7);
            } FINALLY {
                if (self->waits) AWAIT(self->sleep, pawl_yield());
                trace(&seen, "f ");
            } END_TRY;
        } END_WITH;
    } END_TRY;
    ASYNC_END;
}

START_TEST(two_levels_of_handlers_with_scopes_between_them)
{
    struct full full = CORO(full, .waits = _i == 1);
    ck_assert_int_eq(run_by_hand(&full), _i == 1 ? 3 : 0);
    ck_assert_int_eq(coro_error(&full), -7);
    ck_assert_trace(&seen, "(1 (2 )2:-6 -6 f )1:-7 ");
}
END_TEST

/* ---- Deep down ---- */

enum { DEPTH = 200 };

struct deep {
    COROUTINE(void);
    struct deep *next;
    bool waits;
    int error;
    struct door door;
    struct pawl_sleep sleep;
};

static struct deep levels[DEPTH];

ASYNC(deep)
{
    ASYNC_BEGIN(deep);
    WITH(self->door, CORO(door, .waits_entering = self->waits, .waits_leaving = self->waits)) {
        memset(&seen, 0, sizeof seen);
        if (self->next != NULL) AWAIT(self->next);
        else if (self->error) RAISE(self->error);
    } END_WITH;
    ASYNC_END;
}

START_TEST(scopes_are_left_at_any_depth)
{
    const int error = _i & 2 ? -5 : 0;
    for (int i = 0; i < DEPTH; i++)
        levels[i] = CORO(deep, .next = i + 1 < DEPTH ? &levels[i + 1] : NULL, .waits = _i & 1, .error = error);
    ck_assert_int_eq(run_by_hand(&levels[0]), _i & 1 ? 2 * DEPTH : 0);
    ck_assert_int_eq(coro_error(&levels[0]), error);
    for (int i = 0; i < DEPTH; i++) ck_assert_int_eq(pawl_scope_error(&levels[i].door.awaitable), error);
}
END_TEST

/* ---- By a task, with the library's own ---- */

static struct world world;
static struct pawl_lock lock;
static struct pawl_semaphore semaphore;

struct worker {
    COROUTINE(int);
    bool returns;
    struct door door;
    struct pawl_lock_acquire hold;
    struct pawl_semaphore_acquire permit;
    struct pawl_timeout timeout;
    struct pawl_sleep sleep;
};

ASYNC(worker)
{
    ASYNC_BEGIN(worker);
    WITH(self->door, CORO(door, .waits_entering = true, .waits_leaving = true)) {
        WITH(self->permit, pawl_semaphore_acquire(&semaphore)) {
            WITH(self->timeout, pawl_timeout(PAWL_SEC(100))) {
                WITH(self->hold, pawl_lock_acquire(&lock)) {
                    AWAIT(self->sleep, pawl_sleep(10));
                    if (self->returns) ASYNC_RETURN(7);
                } END_WITH;
            } END_WITH;
            AWAIT(self->sleep, pawl_yield());
        } END_WITH;
    } END_WITH;
    ASYNC_RETURN(1);
    ASYNC_END;
}

/* Three workers, of whom one is cancelled after so many iterations; returns whether it was at work then. */
static bool cancel_after(int iterations, int which)
{
    static TASK(worker) workers[3];
    world_begin(&world);
    lock = (struct pawl_lock)PAWL_LOCK_INIT;
    semaphore = (struct pawl_semaphore)PAWL_SEMAPHORE_INIT(2);
    for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(pawl_start(&workers[i], CORO(worker, .returns = i == 1)));
    for (int i = 0; i < iterations && pawl_loop_pending(&world.loop); i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    const bool in_time = pawl_task_cancel(&workers[which].awaitable);
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_future_error(&workers[i]), in_time && i == which ? PAWL_ECANCELLED : 0);
    ck_assert(!pawl_lock_locked(&lock));
    ck_assert(pawl_semaphore_try_acquire(&semaphore) && pawl_semaphore_try_acquire(&semaphore));
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
    world_end(&world);
    clear_trace();
    return in_time;
}

START_TEST(cancelled_at_any_iteration_every_scope_is_left)
{
    int iterations = 0;
    while (cancel_after(iterations, _i)) ck_assert_int_lt(++iterations, 100);
    ck_assert_int_ge(iterations, 6);
}
END_TEST

START_TEST(a_loop_may_end_within_scopes)
{
    for (int iterations = 0; iterations < 8; iterations++) {
        world_begin(&world);
        lock = (struct pawl_lock)PAWL_LOCK_INIT;
        semaphore = (struct pawl_semaphore)PAWL_SEMAPHORE_INIT(2);
        for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(pawl_spawn(CORO(worker)));
        for (int i = 0; i < iterations; i++) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
        world_end(&world);
        ck_assert(!pawl_lock_locked(&lock));
        ck_assert(pawl_semaphore_try_acquire(&semaphore) && pawl_semaphore_try_acquire(&semaphore));
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("with");
    TCase *const rules = add_traced_case(suite, "rules");
    tcase_add_test(rules, a_block_is_entered_run_and_left);
    tcase_add_test(rules, entering_the_block_and_leaving_may_wait);
    tcase_add_loop_test(rules, what_cannot_be_entered_is_not_left, 0, 2);
    tcase_add_loop_test(rules, an_error_of_the_block_is_told_and_goes_on, 0, 4);
    tcase_add_loop_test(rules, an_error_of_the_block_may_be_swallowed, 0, 2);
    tcase_add_loop_test(rules, an_error_of_leaving_is_raised_instead_of_that_of_the_block, 0, 2);
    tcase_add_loop_test(rules, a_return_leaves_the_block_without_an_error, 0, 4);
    tcase_add_loop_test(rules, an_error_of_leaving_is_raised_instead_of_a_return, 0, 2);
    tcase_add_test(rules, a_slot_serves_over_and_over);
    tcase_add_test(rules, nothing_but_the_frame_is_written_to);
    TCase *const thrown = add_traced_case(suite, "throw and close");
    tcase_add_loop_test(thrown, an_error_thrown_into_it_is_raised_where_it_waits, 0, 3);
    tcase_add_loop_test(thrown, closed_where_it_waits_it_is_left_if_it_was_entered, 0, 3);
    tcase_add_test(thrown, closed_before_it_begins_it_is_not_entered);
    tcase_add_loop_test(thrown, closed_a_scope_that_waits_on_its_way_out_is_told_of, 0, 2);
    tcase_add_test(thrown, closed_a_scope_that_swallows_lets_the_rest_run);
    tcase_add_test(thrown, thrown_into_while_it_is_left_with_an_error_the_newer_one_goes_on);
    TCase *const nested = add_traced_case(suite, "nested");
    tcase_add_loop_test(nested, nested_in_any_order_all_are_left_from_the_inside_out, 0, NEST_COUNT);
    tcase_add_test(nested, what_the_inner_one_swallows_the_outer_one_is_not_told);
    tcase_add_loop_test(nested, an_error_of_leaving_the_inner_one_is_told_to_the_outer_one, 0, 2);
    tcase_add_test(nested, when_the_inner_one_cannot_be_entered_the_outer_one_is_left);
    tcase_add_loop_test(nested, scopes_are_left_at_any_depth, 0, 4);
    TCase *const handlers = add_traced_case(suite, "in handlers");
    tcase_add_loop_test(handlers, within_a_catch_what_was_caught_stays_caught, 0, 2);
    tcase_add_loop_test(handlers, within_a_catch_a_swallowed_error_leaves_what_was_caught, 0, 4);
    tcase_add_loop_test(handlers, within_a_catch_an_error_goes_on_through_the_finally, 0, 4);
    tcase_add_loop_test(handlers, within_a_catch_a_return_goes_on_through_the_finally, 0, 2);
    tcase_add_loop_test(handlers, within_a_finally_the_error_goes_on_afterwards, 0, 4);
    tcase_add_loop_test(handlers, within_a_finally_a_newer_error_replaces_it, 0, 2);
    tcase_add_loop_test(handlers, within_a_finally_a_return_takes_the_error_away, 0, 2);
    tcase_add_loop_test(handlers, two_levels_of_handlers_with_scopes_between_them, 0, 2);
    TCase *const tasks = add_traced_case(suite, "in tasks");
    tcase_add_loop_test(tasks, cancelled_at_any_iteration_every_scope_is_left, 0, 3);
    tcase_add_test(tasks, a_loop_may_end_within_scopes);
    return suite;
}
