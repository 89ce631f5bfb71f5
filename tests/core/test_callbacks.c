/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Callbacks of a future: they run in their order whatever it ended with, each registration is removed by itself. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;

static char word_a[] = "a", word_b[] = "b", word_c[] = "c";

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void speak(void *word)
{
    trace(&seen, "%s ", (const char *)word);
}

/* ---- Running ---- */

START_TEST(all_run_in_their_order_whatever_the_outcome_is)
{
    static const int outcomes[] = { 0, -5, PAWL_ECANCELLED };
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle handles[3] = { 0 };
    static char *const words[] = { word_a, word_b, word_c };
    begin();
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &handles[i], speak, words[i]), 0);
    ck_assert_int_eq(pawl_future_settle(&future, outcomes[_i]), 0);
    ck_assert_trace(&seen, ""); /* nothing runs within the settling */
    once();
    ck_assert_trace(&seen, "a b c ");
    ck_assert_int_eq(pawl_future_error(&future), outcomes[_i]);
    once();
    ck_assert_trace(&seen, "a b c ");
    world_end(&world);
}
END_TEST

START_TEST(one_that_comes_too_late_runs_in_the_next_iteration)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle handle = { 0 };
    begin();
    pawl_future_set_done(&future);
    ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &handle, speak, word_a), 0);
    ck_assert_trace(&seen, "");
    once();
    ck_assert_trace(&seen, "a ");
    world_end(&world);
}
END_TEST

/* ---- Removing ---- */

START_TEST(the_first_two_removed_the_third_runs)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle a = { 0 }, b = { 0 }, c = { 0 };
    begin();
    pawl_future_add_callback(&future, &world.loop, &a, speak, word_a);
    pawl_future_add_callback(&future, &world.loop, &b, speak, word_b);
    pawl_future_add_callback(&future, &world.loop, &c, speak, word_c);
    ck_assert(pawl_future_remove_callback(&a));
    ck_assert(pawl_future_remove_callback(&b));
    ck_assert(!pawl_future_remove_callback(&a));
    pawl_future_set_done(&future);
    once();
    ck_assert_trace(&seen, "c ");
    world_end(&world);
}
END_TEST

START_TEST(each_registration_is_removed_by_itself)
{
    struct pawl_future future = PAWL_FUTURE_INIT;
    struct pawl_handle same[6] = { 0 }, b = { 0 }, never = { 0 };
    begin();
    pawl_future_add_callback(&future, &world.loop, &same[0], speak, word_a);
    pawl_future_add_callback(&future, &world.loop, &b, speak, word_b);
    ck_assert(pawl_future_remove_callback(&b));
    ck_assert(!pawl_future_remove_callback(&never));
    ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &b, speak, word_b), 0);
    for (int i = 1; i < 6; i++) ck_assert_int_eq(pawl_future_add_callback(&future, &world.loop, &same[i], speak, word_a), 0);
    for (int i = 0; i < 6; i++) ck_assert(pawl_future_remove_callback(&same[i]));
    for (int i = 0; i < 6; i++) ck_assert(!pawl_future_remove_callback(&same[i]));
    pawl_future_set_done(&future);
    once();
    ck_assert_trace(&seen, "b ");
    world_end(&world);
}
END_TEST

/* ---- Changing the list while it is worked through ---- */

enum { MANY = 64 };

static struct pawl_future shared;
static struct pawl_handle many[MANY];

static void remove_the_others(void *argument)
{
    (void)argument;
    for (int i = 0; i < MANY; i++) pawl_future_remove_callback(&many[i]);
    trace(&seen, "removed ");
}

START_TEST(a_callback_may_remove_all_that_are_behind_it)
{
    static struct pawl_handle first;
    begin();
    pawl_future_add_callback(&shared, &world.loop, &first, remove_the_others, NULL);
    for (int i = 0; i < MANY; i++) pawl_future_add_callback(&shared, &world.loop, &many[i], speak, word_a);
    pawl_future_set_done(&shared);
    once();
    ck_assert_trace(&seen, "removed ");
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

static void add_again(void *argument)
{
    struct pawl_handle *const handle = argument;
    trace(&seen, "%d ", (int)(handle - many));
    if (handle - many < 3) ck_assert_int_eq(pawl_future_add_callback(&shared, &world.loop, &handle[3], add_again, &handle[3]), 0);
}

/* One that is added while the others run comes in the next iteration: the future is done. */
START_TEST(a_callback_may_add_others)
{
    begin();
    for (int i = 0; i < 3; i++) pawl_future_add_callback(&shared, &world.loop, &many[i], add_again, &many[i]);
    pawl_future_set_done(&shared);
    once();
    ck_assert_trace(&seen, "0 1 2 ");
    once();
    ck_assert_trace(&seen, "0 1 2 3 4 5 ");
    world_end(&world);
}
END_TEST

/* 64 places, taken and left in an order that a small generator makes; a plain array says who must run in which order. */
START_TEST(however_they_are_added_and_removed_those_that_are_left_run_in_their_order)
{
    int order[MANY], count = 0;
    unsigned random = 12345 + (unsigned)_i;
    struct trace expected = { .length = 0 };
    begin();
    for (int step = 0; step < 500; step++) {
        random = random * 1103515245 + 12345;
        const int which = (int)(random >> 16) % 5;
        int at = 0;
        while (at < count && order[at] != which) at++;
        if (at < count) {
            ck_assert(pawl_future_remove_callback(&many[which]));
            memmove(&order[at], &order[at + 1], sizeof *order * (size_t)(--count - at));
        } else {
            ck_assert_int_eq(pawl_future_add_callback(&shared, &world.loop, &many[which], add_again, &many[which + 5]), 0);
            order[count++] = which;
        }
    }
    for (int i = 0; i < count; i++) trace(&expected, "%d ", order[i] + 5);
    pawl_future_set_done(&shared);
    once();
    ck_assert_trace(&seen, expected.text);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("callbacks");
    TCase *const running = add_case(suite, "running");
    tcase_add_loop_test(running, all_run_in_their_order_whatever_the_outcome_is, 0, 3);
    tcase_add_test(running, one_that_comes_too_late_runs_in_the_next_iteration);
    TCase *const removing = add_case(suite, "removing");
    tcase_add_test(removing, the_first_two_removed_the_third_runs);
    tcase_add_test(removing, each_registration_is_removed_by_itself);
    TCase *const changing = add_case(suite, "changing");
    tcase_add_test(changing, a_callback_may_remove_all_that_are_behind_it);
    tcase_add_test(changing, a_callback_may_add_others);
    tcase_add_loop_test(changing, however_they_are_added_and_removed_those_that_are_left_run_in_their_order, 0, 20);
    return suite;
}
