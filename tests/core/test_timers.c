/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The timers through their public functions, against a sorted array. This file is compiled once with each structure
 * (and once with times of 32 bits, which wrap), into executables of their own that no loop runs in.
 */
#include <support.h>

#include <string.h>

static struct pawl_job jobs[1024];

static pawl_time plus(pawl_time time, pawl_time span)
{
#ifdef PAWL_TIME_32
    return (pawl_time)((uint32_t)time + (uint32_t)span);
#else
    return time + span;
#endif
}

static void start_at(struct pawl_timers *timers, pawl_time now)
{
    memset(timers, 0, sizeof *timers);
#ifndef PAWL_TIMER_LIST
    timers->last = now;
#else
    (void)now;
#endif
}

/* ---- The plain cases ---- */

START_TEST(a_zeroed_one_is_empty)
{
    struct pawl_timers timers;
    pawl_time when = 77;
    memset(&timers, 0, sizeof timers);
    ck_assert(!pawl_timers_next(&timers, &when));
    ck_assert_int_eq(when, 77);
    ck_assert_ptr_null(pawl_timers_pop(&timers, 0));
    ck_assert_ptr_null(pawl_timers_pop(&timers, PAWL_FOREVER));
}
END_TEST

static const pawl_time instants[] = { 0, 1, 2, 3, 63, 64, 65, 1000000007 };

START_TEST(nothing_comes_out_before_its_time)
{
    struct pawl_timers timers;
    pawl_time when = 0;
    start_at(&timers, 0);
    pawl_timers_add(&timers, &jobs[0], instants[_i]);
    ck_assert(pawl_timers_next(&timers, &when));
    ck_assert_int_eq(when, instants[_i]);
    if (instants[_i] > 0) ck_assert_ptr_null(pawl_timers_pop(&timers, instants[_i] - 1));
    ck_assert_ptr_eq(pawl_timers_pop(&timers, instants[_i]), &jobs[0]);
    ck_assert_ptr_null(pawl_timers_pop(&timers, PAWL_FOREVER));
    ck_assert(!pawl_timers_next(&timers, &when));
}
END_TEST

START_TEST(equal_times_come_out_in_the_order_added)
{
    struct pawl_timers timers;
    start_at(&timers, 0);
    for (int i = 0; i < 300; i++) pawl_timers_add(&timers, &jobs[i], (i % 3 + 1) * 1000);
    for (int time = 0; time < 3; time++) {
        for (int i = time; i < 300; i += 3) ck_assert_ptr_eq(pawl_timers_pop(&timers, 5000), &jobs[i]);
    }
    ck_assert_ptr_null(pawl_timers_pop(&timers, 5000));
}
END_TEST

/* Also when they were added at different distances from now, and so to different places. */
START_TEST(equal_times_added_from_different_distances_keep_their_order)
{
    struct pawl_timers timers;
    static const pawl_time nows[] = { 0, 1, 500, 511, 512, 900, 999 };
    start_at(&timers, 0);
    for (int i = 0; i < 7; i++) {
        if (i > 0) {
            pawl_timers_add(&timers, &jobs[100 + i], nows[i]);
            ck_assert_ptr_eq(pawl_timers_pop(&timers, nows[i]), &jobs[100 + i]);
        }
        pawl_timers_add(&timers, &jobs[i], 1000);
    }
    for (int i = 0; i < 7; i++) ck_assert_ptr_eq(pawl_timers_pop(&timers, 1000), &jobs[i]);
}
END_TEST

START_TEST(a_time_that_has_passed_comes_out_at_once)
{
    struct pawl_timers timers;
    pawl_time when = 0;
    start_at(&timers, 0);
    pawl_timers_add(&timers, &jobs[0], 500);
    ck_assert_ptr_eq(pawl_timers_pop(&timers, 600), &jobs[0]);
    pawl_timers_add(&timers, &jobs[1], 3);
    pawl_timers_add(&timers, &jobs[2], 700);
    ck_assert(pawl_timers_next(&timers, &when));
    ck_assert_int_le(when, 500);
    ck_assert_ptr_eq(pawl_timers_pop(&timers, 600), &jobs[1]);
    ck_assert_ptr_null(pawl_timers_pop(&timers, 600));
    ck_assert_ptr_eq(pawl_timers_pop(&timers, 700), &jobs[2]);
}
END_TEST

START_TEST(any_of_three_can_be_removed)
{
    struct pawl_timers timers;
    pawl_time when = 0;
    start_at(&timers, 0);
    for (int i = 0; i < 3; i++) pawl_timers_add(&timers, &jobs[i], 10 * (i + 1));
    pawl_timers_remove(&timers, &jobs[_i]);
    ck_assert(pawl_timers_next(&timers, &when));
    ck_assert_int_le(when, _i == 0 ? 20 : 10);
    for (int i = 0; i < 3; i++) {
        if (i != _i) ck_assert_ptr_eq(pawl_timers_pop(&timers, 1000), &jobs[i]);
    }
    ck_assert(!pawl_timers_next(&timers, &when));
    pawl_timers_add(&timers, &jobs[_i], 2000); /* and added again */
    ck_assert_ptr_eq(pawl_timers_pop(&timers, 2000), &jobs[_i]);
}
END_TEST

START_TEST(a_time_before_the_start_of_the_clock_has_passed)
{
    struct pawl_timers timers;
    start_at(&timers, 1000);
    pawl_timers_add(&timers, &jobs[0], 1001);
    pawl_timers_add(&timers, &jobs[1], -PAWL_FOREVER / 2);
    ck_assert_ptr_eq(pawl_timers_pop(&timers, 1000), &jobs[1]);
    ck_assert_ptr_null(pawl_timers_pop(&timers, 1000));
    ck_assert_ptr_eq(pawl_timers_pop(&timers, 1001), &jobs[0]);
}
END_TEST

START_TEST(removing_the_last_one_leaves_it_empty)
{
    struct pawl_timers timers;
    pawl_time when = 0;
    start_at(&timers, 0);
    for (int round = 0; round < 3; round++) {
        pawl_timers_add(&timers, &jobs[0], 10);
        pawl_timers_remove(&timers, &jobs[0]);
        ck_assert(!pawl_timers_next(&timers, &when));
        ck_assert_ptr_null(pawl_timers_pop(&timers, 10000));
    }
}
END_TEST

START_TEST(times_come_out_in_their_order_and_none_early)
{
    struct pawl_timers timers;
    static const pawl_time times[] = { 1007, 999, 1000, 100, 1001000, 993, 1001 };
    static const int order[] = { 3, 5, 1, 2, 6, 0, 4 };
    start_at(&timers, 0);
    for (int i = 0; i < 7; i++) pawl_timers_add(&timers, &jobs[i], times[i]);
    for (int i = 0; i < 7; i++) {
        ck_assert_ptr_null(pawl_timers_pop(&timers, times[order[i]] - 1));
        ck_assert_ptr_eq(pawl_timers_pop(&timers, times[order[i]]), &jobs[order[i]]);
    }
}
END_TEST

#ifndef PAWL_TIME_32

START_TEST(for_ever_is_behind_everything)
{
    struct pawl_timers timers;
    pawl_time when = 0;
    start_at(&timers, 5);
    pawl_timers_add(&timers, &jobs[0], PAWL_FOREVER);
    pawl_timers_add(&timers, &jobs[1], PAWL_FOREVER - 1);
    pawl_timers_add(&timers, &jobs[2], PAWL_FOREVER);
    pawl_timers_add(&timers, &jobs[3], 6);
    ck_assert_ptr_eq(pawl_timers_pop(&timers, 6), &jobs[3]);
    ck_assert_ptr_null(pawl_timers_pop(&timers, PAWL_FOREVER - 2));
    ck_assert(pawl_timers_next(&timers, &when));
    ck_assert_int_le(when, PAWL_FOREVER - 1);
    ck_assert_ptr_eq(pawl_timers_pop(&timers, PAWL_FOREVER), &jobs[1]);
    ck_assert_ptr_eq(pawl_timers_pop(&timers, PAWL_FOREVER), &jobs[0]);
    ck_assert_ptr_eq(pawl_timers_pop(&timers, PAWL_FOREVER), &jobs[2]);
}
END_TEST

START_TEST(time_after_stops_at_for_ever)
{
    ck_assert_int_eq(pawl_time_after(5, 7), 12);
    ck_assert_int_eq(pawl_time_after(5, 0), 5);
    ck_assert_int_eq(pawl_time_after(5, -7), 5);
    ck_assert_int_eq(pawl_time_after(5, INT64_MIN), 5);
    ck_assert_int_eq(pawl_time_after(5, PAWL_FOREVER), PAWL_FOREVER);
    ck_assert_int_eq(pawl_time_after(PAWL_FOREVER, 1), PAWL_FOREVER);
    ck_assert_int_eq(pawl_time_after(PAWL_FOREVER - 1, 1), PAWL_FOREVER);
    ck_assert_int_eq(pawl_time_after(0, PAWL_FOREVER), PAWL_FOREVER);
    ck_assert_int_eq(pawl_time_after(-5, PAWL_FOREVER), PAWL_FOREVER - 5);
}
END_TEST

#else

START_TEST(times_are_compared_across_the_wrap)
{
    ck_assert(pawl_time_before(INT32_MAX, INT32_MIN));
    ck_assert(!pawl_time_before(INT32_MIN, INT32_MAX));
    ck_assert(pawl_time_before(-1, 0));
    ck_assert(!pawl_time_before(5, 5));
    ck_assert_int_eq(pawl_time_after(INT32_MAX, 1), INT32_MIN);
    ck_assert_int_eq(pawl_time_after(INT32_MAX, -9), INT32_MAX);
}
END_TEST

START_TEST(timers_across_the_wrap_come_out_in_order)
{
    struct pawl_timers timers;
    const pawl_time now = INT32_MAX - 10;
    static const pawl_time spans[] = { 100, 5, 11, 0, 10, 12, 5, 1000000000 };
    static const int order[] = { 3, 1, 6, 4, 2, 5, 0, 7 };
    start_at(&timers, now);
    for (int i = 0; i < 8; i++) pawl_timers_add(&timers, &jobs[i], plus(now, spans[i]));
    for (int i = 0; i < 8; i++) {
        pawl_time when = 0;
        ck_assert(pawl_timers_next(&timers, &when));
        ck_assert_int_eq(when, plus(now, spans[order[i]]));
        ck_assert_ptr_eq(pawl_timers_pop(&timers, when), &jobs[order[i]]);
    }
}
END_TEST

#endif

/* ---- At random, against a sorted array ---- */

enum { MOST = sizeof jobs / sizeof *jobs, OPERATIONS = 50000 };

static struct {
    struct pawl_timers timers;
    struct pawl_job *sorted[MOST]; /* by time, then by age */
    pawl_time when[MOST];
    int count;
    struct pawl_job *idle[MOST];
    int idle_count;
    pawl_time now;
    uint64_t seed;
} model;

static uint32_t random_below(uint32_t limit)
{
    model.seed = model.seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((model.seed >> 33) % limit);
}

static pawl_time random_span(void)
{
    switch (random_below(6)) {
    case 0: return 0;
    case 1: return (pawl_time)random_below(4);
    case 2: return (pawl_time)random_below(300);
    case 3: return (pawl_time)random_below(100000);
    case 4: return (pawl_time)random_below(500000000);
    default:
#ifdef PAWL_TIME_32
        return (pawl_time)random_below(1000000000);
#else
        return (pawl_time)((uint64_t)random_below(1u << 31) << random_below(20));
#endif
    }
}

static void model_add(void)
{
    if (model.idle_count == 0) return;
    struct pawl_job *const job = model.idle[--model.idle_count];
    pawl_time when = plus(model.now, random_span());
    if (model.count > 0 && random_below(4) == 0) when = model.when[random_below((uint32_t)model.count)]; /* an equal one */
    if (pawl_time_before(when, model.now)) when = model.now;
#ifndef PAWL_TIME_32
    if (random_below(200) == 0) when = PAWL_FOREVER;
#endif
    int at = model.count++;
    for (; at > 0 && pawl_time_before(when, model.when[at - 1]); at--) {
        model.sorted[at] = model.sorted[at - 1];
        model.when[at] = model.when[at - 1];
    }
    model.sorted[at] = job;
    model.when[at] = when;
    pawl_timers_add(&model.timers, job, when);
}

static void model_take_out(int at)
{
    model.idle[model.idle_count++] = model.sorted[at];
    model.count--;
    memmove(&model.sorted[at], &model.sorted[at + 1], (size_t)(model.count - at) * sizeof *model.sorted);
    memmove(&model.when[at], &model.when[at + 1], (size_t)(model.count - at) * sizeof *model.when);
}

static void model_remove(void)
{
    if (model.count == 0) return;
    const int at = (int)random_below((uint32_t)model.count);
    pawl_timers_remove(&model.timers, model.sorted[at]);
    model_take_out(at);
}

/* The clock moves on, mostly a little, and what is due comes out; now and then some of it stays for the next time. */
static void model_pop(void)
{
    static const uint32_t steps[] = { 1, 10, 1000, 100000, 200000000 };
    model.now = plus(model.now, (pawl_time)random_below(steps[random_below(5)]));
    const bool all = random_below(4) != 0;
    do {
        struct pawl_job *const job = pawl_timers_pop(&model.timers, model.now);
        if (model.count == 0 || pawl_time_before(model.now, model.when[0])) {
            ck_assert_ptr_null(job);
            return;
        }
        ck_assert_ptr_eq(job, model.sorted[0]);
        model_take_out(0);
    } while (all);
}

static void model_next(void)
{
    pawl_time when = 0;
    ck_assert(pawl_timers_next(&model.timers, &when) == (model.count > 0));
    if (model.count > 0) ck_assert(!pawl_time_before(model.when[0], when));
}

/* What a loop does: waits for the time that it is told. It must not be told in vain more often than times have bits. */
static void model_drain(void)
{
    int in_vain = 0;
    for (pawl_time when; pawl_timers_next(&model.timers, &when);) {
        if (pawl_time_before(model.now, when)) model.now = when;
        struct pawl_job *const job = pawl_timers_pop(&model.timers, model.now);
        if (job == NULL) {
            ck_assert_int_le(++in_vain, 64);
            continue;
        }
        in_vain = 0;
        ck_assert_ptr_eq(job, model.sorted[0]);
        model_take_out(0);
    }
    ck_assert_int_eq(model.count, 0);
    ck_assert_int_eq(model.idle_count, MOST);
}

START_TEST(random_operations_agree_with_a_sorted_array)
{
    memset(&model, 0, sizeof model);
    memset(jobs, 0, sizeof jobs);
    model.seed = 20260101u + (uint64_t)_i;
    model.now = _i % 2 ? 0 : PAWL_FOREVER / 4 * 3;
    start_at(&model.timers, model.now);
    for (int i = 0; i < MOST; i++) model.idle[model.idle_count++] = &jobs[i];
    for (int i = 0; i < OPERATIONS; i++) {
        const uint32_t what = random_below(100);
        if (what < 55) model_add();
        else if (what < 75) model_remove();
        else if (what < 90) model_pop();
        else model_next();
    }
    model_drain();
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("timers");
    TCase *const plain = add_case(suite, "plain");
    tcase_add_test(plain, a_zeroed_one_is_empty);
    tcase_add_loop_test(plain, nothing_comes_out_before_its_time, 0, sizeof instants / sizeof *instants);
    tcase_add_test(plain, equal_times_come_out_in_the_order_added);
    tcase_add_test(plain, equal_times_added_from_different_distances_keep_their_order);
    tcase_add_test(plain, a_time_that_has_passed_comes_out_at_once);
    tcase_add_loop_test(plain, any_of_three_can_be_removed, 0, 3);
    tcase_add_test(plain, a_time_before_the_start_of_the_clock_has_passed);
    tcase_add_test(plain, removing_the_last_one_leaves_it_empty);
    tcase_add_test(plain, times_come_out_in_their_order_and_none_early);
#ifdef PAWL_TIME_32
    tcase_add_test(plain, times_are_compared_across_the_wrap);
    tcase_add_test(plain, timers_across_the_wrap_come_out_in_order);
#else
    tcase_add_test(plain, for_ever_is_behind_everything);
    tcase_add_test(plain, time_after_stops_at_for_ever);
#endif
    TCase *const at_random = add_case(suite, "at random");
    tcase_add_loop_test(at_random, random_operations_agree_with_a_sorted_array, 0, 4);
    return suite;
}
