/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Delegation: everything passes through YIELD_FROM, at any depth, in static memory and on the heap. */
#include <support.h>

#include <errno.h>
#include <string.h>

static struct trace seen;

static void clear_trace(void)
{
    memset(&seen, 0, sizeof seen);
}

/* ---- One level ---- */

/* Yields 1, 2 and what it is sent; returns 70. Tells what it is thrown. */
struct inner {
    GENERATOR(int, int, long);
    bool swallows, yields;
    int raises; /* when it is closed */
};

GEN(inner)
{
    GEN_BEGIN(inner);
    TRY {
        YIELD(1);
        YIELD(SENT() ? SENT() : 2);
    } CATCH_ALL {
        trace(&seen, "inner %d ", CAUGHT());
        if (self->raises) RAISE(self->raises);
        if (self->yields) YIELD(-1);
        if (!self->swallows) RERAISE();
    } FINALLY {
        trace(&seen, "inner finally ");
    } END_TRY;
    GEN_RETURN(70);
    GEN_END;
}

struct outer {
    GENERATOR(int, int);
    struct inner inner;
    bool swallows, yields;
    int raises;
    bool catches;
};

GEN(outer)
{
    GEN_BEGIN(outer);
    TRY {
        YIELD_FROM(self->inner, CORO(inner, .swallows = self->swallows, .yields = self->yields, .raises = self->raises));
        trace(&seen, "got %ld ", self->inner.result);
    } CATCH_ALL {
        trace(&seen, "outer %d ", CAUGHT());
        if (!self->catches) RERAISE();
        YIELD(99);
    } FINALLY {
        trace(&seen, "outer finally ");
    } END_TRY;
    YIELD(3);
    GEN_END;
}

START_TEST(values_sends_and_the_return_value_pass_through)
{
    struct outer gen = CORO(outer);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 1);
    ck_assert(gen_send(&gen, 42));
    ck_assert_int_eq(gen.value, 42);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 3);
    ck_assert_trace(&seen, "inner finally got 70 outer finally ");
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

START_TEST(a_throw_that_the_inner_catches_does_not_reach_the_outer)
{
    struct outer gen = CORO(outer, .yields = true, .swallows = true);
    ck_assert(gen_next(&gen));
    ck_assert(gen_throw(&gen, -5));
    ck_assert_int_eq(gen.value, -1);
    ck_assert_trace(&seen, "inner -5 ");
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 3);
    ck_assert_trace(&seen, "inner -5 inner finally got 70 outer finally ");
}
END_TEST

START_TEST(a_throw_that_nobody_catches_ends_both)
{
    struct outer gen = CORO(outer);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_throw(&gen, -5));
    ck_assert_int_eq(gen_error(&gen), -5);
    ck_assert_trace(&seen, "inner -5 inner finally outer -5 outer finally ");
    ck_assert(gen_done(&gen) && gen_done(&gen.inner));
    ck_assert_int_eq(gen_error(&gen.inner), -5);
}
END_TEST

START_TEST(the_outer_catches_what_the_inner_raises)
{
    struct outer gen = CORO(outer, .raises = -77, .catches = true);
    ck_assert(gen_next(&gen));
    ck_assert(gen_throw(&gen, -5));
    ck_assert_int_eq(gen.value, 99);
    ck_assert_trace(&seen, "inner -5 inner finally outer -77 ");
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 3);
}
END_TEST

START_TEST(close_closes_the_inner_first)
{
    struct outer gen = CORO(outer);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert_trace(&seen, "inner -32001 inner finally outer -32001 outer finally ");
    ck_assert(gen_done(&gen) && gen_done(&gen.inner));
}
END_TEST

START_TEST(an_inner_that_swallows_the_close_does_not_keep_the_outer_open)
{
    struct outer gen = CORO(outer, .swallows = true);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert_trace(&seen, "inner -32001 inner finally outer -32001 outer finally ");
    ck_assert(gen_done(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
}
END_TEST

START_TEST(an_inner_that_yields_while_it_is_closed_keeps_the_chain_suspended)
{
    struct outer gen = CORO(outer, .yields = true, .swallows = true);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), PAWL_EYIELDED);
    ck_assert_int_eq(gen.value, -1);
    ck_assert(!gen_done(&gen));
    ck_assert(gen_next(&gen)); /* the close is over: the outer goes on as if nothing had been */
    ck_assert_int_eq(gen.value, 3);
    ck_assert_trace(&seen, "inner -32001 inner finally got 70 outer finally ");
}
END_TEST

START_TEST(an_error_that_the_inner_raises_when_closed_goes_on_outwards)
{
    struct outer gen = CORO(outer, .raises = -9);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), -9);
    ck_assert_trace(&seen, "inner -32001 inner finally outer -9 outer finally ");
}
END_TEST

START_TEST(an_outer_that_catches_the_inner_error_and_yields_is_told_of)
{
    struct outer gen = CORO(outer, .raises = -9, .catches = true);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), PAWL_EYIELDED);
    ck_assert_int_eq(gen.value, 99);
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert(gen_done(&gen));
}
END_TEST

/* ---- Inner generators that end at once ---- */

struct silent {
    GENERATOR(int, void, int);
    int raises;
};

GEN(silent)
{
    GEN_BEGIN(silent);
    if (self->raises) RAISE(self->raises);
    GEN_RETURN(8);
    GEN_END;
}

struct hasty {
    GENERATOR(int, int);
    struct silent silent;
    int raises;
};

GEN(hasty)
{
    GEN_BEGIN(hasty);
    YIELD_FROM(self->silent, CORO(silent, .raises = self->raises));
    YIELD(self->silent.result);
    GEN_END;
}

START_TEST(an_inner_that_yields_nothing_does_not_suspend)
{
    struct hasty gen = CORO(hasty);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 8);
    ck_assert(!gen_next(&gen));
}
END_TEST

START_TEST(an_inner_that_fails_at_once_fails_the_outer)
{
    struct hasty gen = CORO(hasty, .raises = -12);
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), -12);
}
END_TEST

/* Cleans up with the help of another generator. */
struct tidy {
    GENERATOR(int, int);
    struct silent silent;
};

GEN(tidy)
{
    GEN_BEGIN(tidy);
    TRY {
        YIELD(1);
    } FINALLY {
        trace(&seen, "begin ");
        YIELD_FROM(self->silent, CORO(silent));
        trace(&seen, "end ");
    } END_TRY;
    GEN_END;
}

START_TEST(a_finally_that_delegates_runs_to_its_end_when_closed)
{
    struct tidy gen = CORO(tidy);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert_trace(&seen, "begin end ");
}
END_TEST

START_TEST(a_finally_that_delegates_runs_to_its_end_when_thrown_at)
{
    struct tidy gen = CORO(tidy);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_throw(&gen, -5));
    ck_assert_int_eq(gen_error(&gen), -5);
    ck_assert_trace(&seen, "begin end ");
}
END_TEST

/* Sequential callees in one union, in a loop. */
struct sequence {
    GENERATOR(int, int);
    int round;
    union {
        struct inner inner;
        struct silent silent;
    };
};

GEN(sequence)
{
    GEN_BEGIN(sequence);
    for (; self->round < 3; self->round++) {
        YIELD_FROM(self->inner, CORO(inner));
        YIELD_FROM(self->silent, CORO(silent));
        YIELD(self->round * 10);
    }
    GEN_END;
}

START_TEST(sequential_callees_share_their_memory)
{
    struct sequence gen = CORO(sequence);
    GEN_FOREACH(v, &gen) trace(&seen, "%d ", v);
    ck_assert_trace(&seen, "1 2 inner finally 0 1 2 inner finally 10 1 2 inner finally 20 ");
}
END_TEST

/* ---- A generator that exists already ---- */

struct passes {
    GENERATOR(int, int);
    struct inner *what;
};

GEN(passes)
{
    GEN_BEGIN(passes);
    YIELD_FROM(self->what);
    YIELD((int)self->what->result);
    GEN_END;
}

START_TEST(a_fresh_generator_is_delegated_to_by_pointer)
{
    struct inner inner = CORO(inner);
    struct passes gen = CORO(passes, .what = &inner);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 1);
    ck_assert(gen_send(&gen, 6));
    ck_assert_int_eq(gen.value, 6);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 70);
    ck_assert(!gen_next(&gen));
}
END_TEST

START_TEST(one_that_was_started_or_has_ended_cannot_be_delegated_to)
{
    struct inner started = CORO(inner), ended = CORO(inner), zeroed;
    memset(&zeroed, 0, sizeof zeroed);
    ck_assert(gen_next(&started));
    while (gen_next(&ended)) {}
    struct inner *const unfit[] = { &started, &ended, &zeroed };
    for (int i = 0; i < 3; i++) {
        struct passes gen = CORO(passes, .what = unfit[i]);
        ck_assert(!gen_next(&gen));
        ck_assert_int_eq(gen_error(&gen), i == 2 ? PAWL_EINVAL : PAWL_EAWAITED);
    }
    ck_assert(gen_next(&started)); /* it was left alone */
    ck_assert_int_eq(started.value, 2);
}
END_TEST

START_TEST(to_delegate_to_null_or_a_zeroed_struct_is_invalid)
{
    struct inner zeroed;
    memset(&zeroed, 0, sizeof zeroed);
    struct passes null = CORO(passes), nothing = CORO(passes, .what = &zeroed);
    ck_assert(!gen_next(&null));
    ck_assert_int_eq(gen_error(&null), PAWL_EINVAL);
    ck_assert(!gen_next(&nothing));
    ck_assert_int_eq(gen_error(&nothing), PAWL_EINVAL);
}
END_TEST

START_TEST(one_that_is_delegated_to_cannot_be_stepped_by_another)
{
    struct inner inner = CORO(inner);
    struct passes gen = CORO(passes, .what = &inner);
    ck_assert(gen_next(&gen));
    ck_assert(!gen_next(&inner));
    ck_assert_int_eq(gen_error(&inner), PAWL_ERUNNING);
    ck_assert_int_eq(gen_close(&inner), PAWL_ERUNNING);
    ck_assert(gen_next(&gen));
    ck_assert_int_eq(gen.value, 2);
}
END_TEST

/* ---- Chains of any depth ---- */

enum { DEEPEST = 1001 };

/* What the end of a chain does at its first step. */
enum what { YIELDS, RETURNS, FAILS };

struct link {
    GENERATOR(int, int, long);
    struct link *next;
    enum what what;
};

GEN(link)
{
    GEN_BEGIN(link);
    if (self->next) {
        TRY {
            YIELD_FROM(self->next);
        } FINALLY {
            seen.length++; /* counts the levels that were left */
        } END_TRY;
        GEN_RETURN(self->next->result + 1);
    }
    if (self->what == FAILS) RAISE(-21);
    if (self->what == RETURNS) GEN_RETURN(1);
    TRY {
        YIELD(5);
        YIELD(SENT() * 2);
    } CATCH(-3) {
        YIELD(6);
    } END_TRY;
    GEN_RETURN(1);
    GEN_END;
}

static struct link chain[DEEPEST];

/* A chain of `depth` frames, the last of which does `what`. */
static struct link *chain_make(int depth, enum what what)
{
    ck_assert_int_le(depth, DEEPEST);
    for (int i = 0; i < depth; i++) chain[i] = CORO(link, .next = i + 1 < depth ? &chain[i + 1] : NULL, .what = what);
    return &chain[0];
}

static const int depths[] = { 1, 2, 3, 31, 32, 33, 62, 63, 64, 65, 66, 127, 128, 129, 130, 255, 256, 257, 258, 1000, 1001 };
enum { DEPTHS = sizeof depths / sizeof depths[0] };

START_TEST(values_sends_and_results_pass_through_any_depth)
{
    struct link *const gen = chain_make(depths[_i], YIELDS);
    ck_assert(gen_next(gen));
    ck_assert_int_eq(gen->value, 5);
    ck_assert(gen_send(gen, 11));
    ck_assert_int_eq(gen->value, 22);
    ck_assert_uint_eq(seen.length, 0);
    ck_assert(!gen_next(gen));
    ck_assert_int_eq(gen_error(gen), 0);
    ck_assert_int_eq(gen->result, depths[_i]);
    ck_assert_uint_eq(seen.length, (size_t)depths[_i] - 1);
    for (int i = 0; i < depths[_i]; i++) ck_assert(gen_done(&chain[i]));
}
END_TEST

START_TEST(a_chain_that_never_suspends_returns_at_any_depth)
{
    struct link *const gen = chain_make(depths[_i], RETURNS);
    ck_assert(!gen_next(gen));
    ck_assert_int_eq(gen_error(gen), 0);
    ck_assert_int_eq(gen->result, depths[_i]);
    ck_assert_uint_eq(seen.length, (size_t)depths[_i] - 1);
}
END_TEST

START_TEST(a_chain_that_fails_at_once_fails_at_any_depth)
{
    struct link *const gen = chain_make(depths[_i], FAILS);
    ck_assert(!gen_next(gen));
    ck_assert_int_eq(gen_error(gen), -21);
    ck_assert_uint_eq(seen.length, (size_t)depths[_i] - 1);
    for (int i = 0; i < depths[_i]; i++) ck_assert_int_eq(gen_error(&chain[i]), -21);
}
END_TEST

START_TEST(a_throw_reaches_the_innermost_at_any_depth)
{
    struct link *const gen = chain_make(depths[_i], YIELDS);
    ck_assert(gen_next(gen));
    ck_assert(gen_throw(gen, -3));
    ck_assert_int_eq(gen->value, 6);
    ck_assert(!gen_throw(gen, -4));
    ck_assert_int_eq(gen_error(gen), -4);
    ck_assert_uint_eq(seen.length, (size_t)depths[_i] - 1);
}
END_TEST

START_TEST(close_leaves_every_level_at_any_depth)
{
    struct link *const gen = chain_make(depths[_i], YIELDS);
    ck_assert(gen_next(gen));
    ck_assert_int_eq(gen_close(gen), 0);
    ck_assert_uint_eq(seen.length, (size_t)depths[_i] - 1);
    for (int i = 0; i < depths[_i]; i++) ck_assert(gen_done(&chain[i]));
}
END_TEST

/* Each level cleans up with the help of another generator, and may keep the close to itself. */
struct tidy_level {
    GENERATOR(int, int);
    struct tidy_level *next;
    struct silent silent;
    bool swallows;
    int error;
};

GEN(tidy_level)
{
    GEN_BEGIN(tidy_level);
    TRY {
        if (self->next) YIELD_FROM(self->next);
        else YIELD(1);
    } CATCH_ALL {
        self->error = CAUGHT();
        YIELD_FROM(self->silent, CORO(silent));
        if (!self->swallows) RERAISE();
    } FINALLY {
        YIELD_FROM(self->silent, CORO(silent));
        seen.length++;
    } END_TRY;
    GEN_END;
}

static struct tidy_level tidy_chain[DEEPEST];

static struct tidy_level *tidy_chain_make(int depth, bool swallows)
{
    ck_assert_int_le(depth, DEEPEST);
    for (int i = 0; i < depth; i++) {
        struct tidy_level *const next = i + 1 < depth ? &tidy_chain[i + 1] : NULL;
        tidy_chain[i] = CORO(tidy_level, .next = next, .swallows = swallows);
    }
    return &tidy_chain[0];
}

static void check_closed(struct tidy_level *gen, int depth)
{
    ck_assert(gen_next(gen));
    ck_assert_int_eq(gen_close(gen), 0);
    ck_assert_uint_eq(seen.length, (size_t)depth);
    for (int i = 0; i < depth; i++) {
        ck_assert(gen_done(&tidy_chain[i]));
        ck_assert_int_eq(tidy_chain[i].error, PAWL_EEXIT);
    }
}

START_TEST(every_level_cleans_up_by_delegation_when_closed)
{
    check_closed(tidy_chain_make(depths[_i], false), depths[_i]);
}
END_TEST

START_TEST(every_level_is_closed_though_each_swallows_it)
{
    check_closed(tidy_chain_make(depths[_i], true), depths[_i]);
}
END_TEST

/* ---- The machine stack stays where it is ---- */

struct deep {
    GENERATOR(int);
    struct deep *next;
    uintptr_t *lowest;
};

GEN(deep)
{
    GEN_BEGIN(deep);
    if (self->next) {
        YIELD_FROM(self->next);
    } else {
        *self->lowest = (uintptr_t)__builtin_frame_address(0);
    }
    GEN_END;
}

START_TEST(a_hundred_thousand_levels_need_no_deep_stack)
{
    enum { LEVELS = 100000 };
    uintptr_t lowest = 0;
    struct deep *const frames = malloc(LEVELS * sizeof *frames);
    ck_assert_ptr_nonnull(frames);
    for (int i = 0; i < LEVELS; i++) frames[i] = CORO(deep, .next = i + 1 < LEVELS ? &frames[i + 1] : NULL, .lowest = &lowest);
    ck_assert(!gen_next(&frames[0]));
    ck_assert_int_eq(gen_error(&frames[0]), 0);
    ck_assert_uint_ne(lowest, 0);
    ck_assert_uint_lt((uintptr_t)__builtin_frame_address(0) - lowest, 128 * 1024);
    free(frames);
}
END_TEST

/* ---- Recursion on the heap ---- */

struct node {
    const struct node *left, *right;
    int value;
};

struct walk {
    GENERATOR(int);
    const struct pawl_allocator *memory;
    const struct node *node;
    struct walk *child;
};

GEN(walk)
{
    GEN_BEGIN(walk);
    TRY {
        if (self->node->left) {
            self->child = pawl_coro_new(self->memory, CORO(walk, .memory = self->memory, .node = self->node->left));
            if (self->child == NULL) RAISE(PAWL_ENOMEM);
            YIELD_FROM(self->child);
            (void)pawl_coro_free(self->memory, self->child);
            self->child = NULL;
        }
        YIELD(self->node->value);
        if (self->node->right) {
            self->child = pawl_coro_new(self->memory, CORO(walk, .memory = self->memory, .node = self->node->right));
            if (self->child == NULL) RAISE(PAWL_ENOMEM);
            YIELD_FROM(self->child);
        }
    } FINALLY {
        (void)pawl_coro_free(self->memory, self->child);
    } END_TRY;
    GEN_END;
}

enum { TREE_LEVELS = 5, TREE_NODES = (1 << TREE_LEVELS) - 1 };
static struct node tree[TREE_NODES];

/* A search tree of the numbers from `first`; returns how many nodes it took. */
static int tree_make(int at, int first, int levels)
{
    const int half = 1 << (levels - 1);
    tree[at] = (struct node){ .value = first + half - 1 };
    if (levels == 1) return 1;
    int used = 1;
    tree[at].left = &tree[at + used];
    used += tree_make(at + used, first, levels - 1);
    tree[at].right = &tree[at + used];
    return used + tree_make(at + used, first + half, levels - 1);
}

START_TEST(a_tree_is_walked_in_order)
{
    struct counting memory;
    counting_init(&memory);
    ck_assert_int_eq(tree_make(0, 1, TREE_LEVELS), TREE_NODES);
    struct walk gen = CORO(walk, .memory = &memory.allocator, .node = &tree[0]);
    int expected = 1;
    GEN_FOREACH(v, &gen) ck_assert_int_eq(v, expected++);
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_int_eq(expected, TREE_NODES + 1);
    ck_assert_uint_eq(memory.calls, TREE_NODES - 1);
    ck_assert_uint_eq(memory.alive, 0);
}
END_TEST

START_TEST(a_walk_whose_allocation_fails_tells_so_and_leaks_nothing)
{
    tree_make(0, 1, TREE_LEVELS);
    for (size_t fail_at = 1; fail_at < TREE_NODES; fail_at++) {
        struct counting memory;
        counting_init(&memory);
        memory.fail_at = fail_at;
        struct walk gen = CORO(walk, .memory = &memory.allocator, .node = &tree[0]);
        int values = 0;
        GEN_FOREACH(v, &gen) ck_assert_int_eq(v, ++values);
        ck_assert_int_eq(gen_error(&gen), PAWL_ENOMEM);
        ck_assert_int_lt(values, TREE_NODES);
        ck_assert_uint_eq(memory.calls, fail_at);
        ck_assert_uint_eq(memory.alive, 0);
    }
}
END_TEST

START_TEST(a_walk_that_is_closed_at_any_step_leaks_nothing)
{
    tree_make(0, 1, TREE_LEVELS);
    for (int steps = 0; steps <= TREE_NODES + 1; steps++) {
        struct counting memory;
        counting_init(&memory);
        struct walk gen = CORO(walk, .memory = &memory.allocator, .node = &tree[0]);
        for (int i = 0; i < steps; i++) ck_assert_int_eq(gen_next(&gen), i < TREE_NODES);
        ck_assert_int_eq(gen_close(&gen), 0);
        ck_assert(gen_done(&gen));
        ck_assert_uint_eq(memory.alive, 0);
    }
}
END_TEST

START_TEST(a_walk_that_is_thrown_at_at_any_step_leaks_nothing)
{
    tree_make(0, 1, TREE_LEVELS);
    for (int steps = 0; steps <= TREE_NODES; steps++) {
        struct counting memory;
        counting_init(&memory);
        struct walk gen = CORO(walk, .memory = &memory.allocator, .node = &tree[0]);
        for (int i = 0; i < steps; i++) ck_assert(gen_next(&gen));
        ck_assert(!gen_throw(&gen, -EIO));
        ck_assert_int_eq(gen_error(&gen), -EIO);
        ck_assert_uint_eq(memory.alive, 0);
    }
}
END_TEST

/* n, n - 1, … 1, each from a generator of its own. */
struct down {
    GENERATOR(int, void, long);
    const struct pawl_allocator *memory;
    int n;
    struct down *child;
};

GEN(down)
{
    GEN_BEGIN(down);
    YIELD(self->n);
    if (self->n == 1) GEN_RETURN(1);
    self->child = pawl_coro_new(self->memory, CORO(down, .memory = self->memory, .n = self->n - 1));
    if (self->child == NULL) RAISE(PAWL_ENOMEM);
    TRY {
        YIELD_FROM(self->child);
        self->result = self->child->result + self->n;
    } FINALLY {
        (void)pawl_coro_free(self->memory, self->child);
    } END_TRY;
    GEN_END;
}

START_TEST(a_thousand_recursive_frames_live_on_the_heap)
{
    struct counting memory;
    counting_init(&memory);
    struct down gen = CORO(down, .memory = &memory.allocator, .n = 1000);
    for (int n = 1000; n >= 1; n--) {
        ck_assert(gen_next(&gen));
        ck_assert_int_eq(gen.value, n);
        ck_assert_uint_eq(memory.alive, (size_t)(1000 - n));
    }
    ck_assert(!gen_next(&gen));
    ck_assert_int_eq(gen_error(&gen), 0);
    ck_assert_int_eq(gen.result, 500500);
    ck_assert_uint_eq(memory.alive, 0);
}
END_TEST

START_TEST(a_thousand_recursive_frames_are_freed_by_a_close)
{
    struct counting memory;
    counting_init(&memory);
    struct down gen = CORO(down, .memory = &memory.allocator, .n = 1000);
    for (int i = 0; i < 1000; i++) ck_assert(gen_next(&gen));
    ck_assert_uint_eq(memory.alive, 999);
    ck_assert_int_eq(gen_close(&gen), 0);
    ck_assert_uint_eq(memory.alive, 0);
}
END_TEST

START_TEST(freeing_a_frame_closes_it_first)
{
    struct counting memory;
    counting_init(&memory);
    struct inner *const gen = pawl_coro_new(&memory.allocator, CORO(inner));
    ck_assert_ptr_nonnull(gen);
    ck_assert(gen_next(gen));
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, gen), 0);
    ck_assert_trace(&seen, "inner -32001 inner finally ");
    ck_assert_uint_eq(memory.alive, 0);
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, (struct inner *)NULL), 0);
}
END_TEST

START_TEST(freeing_one_that_raises_when_closed_tells_the_error_and_frees)
{
    struct counting memory;
    counting_init(&memory);
    struct inner *const gen = pawl_coro_new(&memory.allocator, CORO(inner, .raises = -44));
    ck_assert(gen_next(gen));
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, gen), -44);
    ck_assert_uint_eq(memory.alive, 0);
}
END_TEST

START_TEST(one_that_yields_when_closed_is_not_freed)
{
    struct counting memory;
    counting_init(&memory);
    struct inner *const gen = pawl_coro_new(&memory.allocator, CORO(inner, .yields = true, .swallows = true));
    ck_assert(gen_next(gen));
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, gen), PAWL_EYIELDED);
    ck_assert_uint_eq(memory.alive, 1);
    ck_assert_int_eq(gen->value, -1);
    ck_assert(!gen_next(gen));
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, gen), 0);
    ck_assert_uint_eq(memory.alive, 0);
}
END_TEST

/* Frees itself, which must be refused. */
struct suicidal {
    GENERATOR(int);
    const struct pawl_allocator *memory;
};

GEN(suicidal)
{
    GEN_BEGIN(suicidal);
    YIELD(pawl_coro_free(self->memory, self));
    GEN_END;
}

START_TEST(one_that_runs_is_not_freed)
{
    struct counting memory;
    counting_init(&memory);
    struct suicidal *const gen = pawl_coro_new(&memory.allocator, CORO(suicidal, .memory = &memory.allocator));
    ck_assert(gen_next(gen));
    ck_assert_int_eq(gen->value, PAWL_ERUNNING);
    ck_assert_uint_eq(memory.alive, 1);
    ck_assert_int_eq(pawl_coro_free(&memory.allocator, gen), 0);
    ck_assert_uint_eq(memory.alive, 0);
}
END_TEST

static TCase *add_traced_case(Suite *suite, const char *name)
{
    TCase *const tcase = add_case(suite, name);
    tcase_add_checked_fixture(tcase, clear_trace, NULL);
    return tcase;
}

static void add_one_level(Suite *suite)
{
    TCase *tcase = add_traced_case(suite, "one level");
    tcase_add_test(tcase, values_sends_and_the_return_value_pass_through);
    tcase_add_test(tcase, a_throw_that_the_inner_catches_does_not_reach_the_outer);
    tcase_add_test(tcase, a_throw_that_nobody_catches_ends_both);
    tcase_add_test(tcase, the_outer_catches_what_the_inner_raises);
    tcase_add_test(tcase, an_inner_that_yields_nothing_does_not_suspend);
    tcase_add_test(tcase, an_inner_that_fails_at_once_fails_the_outer);
    tcase_add_test(tcase, sequential_callees_share_their_memory);

    tcase = add_traced_case(suite, "close");
    tcase_add_test(tcase, close_closes_the_inner_first);
    tcase_add_test(tcase, an_inner_that_swallows_the_close_does_not_keep_the_outer_open);
    tcase_add_test(tcase, an_inner_that_yields_while_it_is_closed_keeps_the_chain_suspended);
    tcase_add_test(tcase, an_error_that_the_inner_raises_when_closed_goes_on_outwards);
    tcase_add_test(tcase, an_outer_that_catches_the_inner_error_and_yields_is_told_of);
    tcase_add_test(tcase, a_finally_that_delegates_runs_to_its_end_when_closed);
    tcase_add_test(tcase, a_finally_that_delegates_runs_to_its_end_when_thrown_at);

    tcase = add_traced_case(suite, "pointer");
    tcase_add_test(tcase, a_fresh_generator_is_delegated_to_by_pointer);
    tcase_add_test(tcase, one_that_was_started_or_has_ended_cannot_be_delegated_to);
    tcase_add_test(tcase, to_delegate_to_null_or_a_zeroed_struct_is_invalid);
    tcase_add_test(tcase, one_that_is_delegated_to_cannot_be_stepped_by_another);
}

static void add_heap(Suite *suite)
{
    TCase *const tcase = add_traced_case(suite, "heap");
    tcase_add_test(tcase, a_tree_is_walked_in_order);
    tcase_add_test(tcase, a_walk_whose_allocation_fails_tells_so_and_leaks_nothing);
    tcase_add_test(tcase, a_walk_that_is_closed_at_any_step_leaks_nothing);
    tcase_add_test(tcase, a_walk_that_is_thrown_at_at_any_step_leaks_nothing);
    tcase_add_test(tcase, a_thousand_recursive_frames_live_on_the_heap);
    tcase_add_test(tcase, a_thousand_recursive_frames_are_freed_by_a_close);
    tcase_add_test(tcase, freeing_a_frame_closes_it_first);
    tcase_add_test(tcase, freeing_one_that_raises_when_closed_tells_the_error_and_frees);
    tcase_add_test(tcase, one_that_yields_when_closed_is_not_freed);
    tcase_add_test(tcase, one_that_runs_is_not_freed);
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("yield_from");
    add_one_level(suite);

    TCase *tcase = add_traced_case(suite, "depth");
    tcase_add_loop_test(tcase, values_sends_and_results_pass_through_any_depth, 0, DEPTHS);
    tcase_add_loop_test(tcase, a_chain_that_never_suspends_returns_at_any_depth, 0, DEPTHS);
    tcase_add_loop_test(tcase, a_chain_that_fails_at_once_fails_at_any_depth, 0, DEPTHS);
    tcase_add_loop_test(tcase, a_throw_reaches_the_innermost_at_any_depth, 0, DEPTHS);
    tcase_add_loop_test(tcase, close_leaves_every_level_at_any_depth, 0, DEPTHS);
    tcase_add_loop_test(tcase, every_level_cleans_up_by_delegation_when_closed, 0, DEPTHS);
    tcase_add_loop_test(tcase, every_level_is_closed_though_each_swallows_it, 0, DEPTHS);
    tcase_add_test(tcase, a_hundred_thousand_levels_need_no_deep_stack);

    add_heap(suite);
    return suite;
}
