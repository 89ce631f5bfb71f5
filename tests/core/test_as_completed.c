/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* as_completed: children in the order of their ends, the timeout that cancels none, and the iteration left, resumed or shared. */
#include <support.h>

#include <string.h>

static struct world world;
static struct trace seen;

static void begin(void)
{
    world_begin(&world);
    memset(&seen, 0, sizeof seen);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

struct job {
    COROUTINE(char);
    char name;
    pawl_time span;
    int error;
    struct pawl_sleep sleep;
};

ASYNC(job)
{
    ASYNC_BEGIN(job);
    if (self->span > 0) AWAIT(self->sleep, pawl_sleep(self->span));
    if (self->error) RAISE(self->error);
    ASYNC_RETURN(self->name);
    ASYNC_END;
}

enum { MOST = 8 };

static TASK(job) jobs[MOST];
static struct pawl_child children[MOST];
static struct pawl_as_completed each;
static int given[MOST]; /* how often which entry */

static void start_job(int i, pawl_time span, int error)
{
    const struct job job = CORO(job, .name = (char)('a' + i), .span = span, .error = error);
    ck_assert_ptr_nonnull(pawl_start(&jobs[i], job));
    children[i] = pawl_child(&jobs[i]);
}

static char name_of(const struct pawl_child *child)
{
    for (int i = 0; i < MOST; i++)
        if (child->future == PAWL_FUTURE(&jobs[i])) return jobs[i].frame.name;
    return '?';
}

/* Goes through them and writes down which one came when, and what it ended with. */
struct goes_through {
    COROUTINE(int);
    size_t count, most; /* most: how many it takes before it leaves the iteration, 0: all */
    pawl_time span;
    bool resumes, stays;
    struct pawl_next_completed next;
};

ASYNC(goes_through)
{
    ASYNC_BEGIN(goes_through);
    if (!self->resumes) {
        const int error = pawl_as_completed_begin(&each, children, self->count, self->span);
        if (error != 0) RAISE(error);
    }
    TRY {
        while (each.left > 0) {
            AWAIT(self->next, pawl_next_completed(&each));
            given[self->next.result - children]++;
            trace(&seen, "%c%d@%d ", name_of(self->next.result), pawl_future_error(self->next.result->future),
                  (int)(pawl_loop_time(&world.loop) / PAWL_MS(1)));
            if (++self->result == (int)self->most) break;
        }
    } FINALLY {
        if (!self->stays) pawl_as_completed_end(&each);
    } END_TRY;
    ASYNC_END;
}

static int go_through(size_t count, pawl_time span)
{
    return world_run(&world, CORO(goes_through, .count = count, .span = span));
}

static void end(void)
{
    ck_assert_int_eq(pawl_loop_shutdown(&world.loop), 0);
    for (int i = 0; i < MOST; i++) ck_assert(!pawl_handle_pending(&children[i].handle));
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}

/* ---- In the order of their ends ---- */

START_TEST(they_come_in_the_order_of_their_ends)
{
    begin();
    start_job(0, PAWL_MS(10), 0);
    start_job(1, PAWL_MS(150), 0);
    start_job(2, PAWL_MS(5), -5);
    start_job(3, PAWL_MS(10), 0);
    ck_assert_int_eq(go_through(4, PAWL_FOREVER), 0);
    ck_assert_trace(&seen, "c-5@5 a0@10 d0@10 b0@150 ");
    end();
}
END_TEST

START_TEST(what_is_done_before_comes_first_and_in_the_order_of_the_entries)
{
    begin();
    start_job(0, PAWL_MS(10), 0);
    start_job(1, 0, 0);
    start_job(2, 0, 0);
    once();
    ck_assert_int_eq(go_through(3, PAWL_FOREVER), 0);
    ck_assert_trace(&seen, "b0@0 c0@0 a0@10 ");
    end();
}
END_TEST

/* One that is entered twice is told of twice: entries are an array, not a set. */
START_TEST(each_entry_is_given_once_and_is_the_one_that_was_passed)
{
    begin();
    for (int i = 0; i < 3; i++) start_job(i, PAWL_MS(i), 0);
    children[3] = pawl_child(&jobs[0]);
    ck_assert_int_eq(go_through(4, PAWL_FOREVER), 0);
    ck_assert_trace(&seen, "a0@0 a0@0 b0@1 c0@2 ");
    for (int i = 0; i < 4; i++) ck_assert_int_eq(given[i], 1);
    end();
}
END_TEST

START_TEST(nothing_is_over_at_once)
{
    begin();
    ck_assert_int_eq(go_through(0, PAWL_SEC(1)), 0);
    ck_assert_trace(&seen, "");
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    end();
}
END_TEST

/* ---- The timeout ---- */

START_TEST(after_the_timeout_it_raises_and_cancels_none)
{
    begin();
    start_job(0, PAWL_MS(100), 0);
    start_job(1, PAWL_MS(150), 0);
    ck_assert_int_eq(go_through(2, PAWL_MS(120)), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "a0@100 ");
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(120));
    ck_assert(!pawl_future_done(&jobs[1]));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &jobs[1]), 0);
    end();
}
END_TEST

struct counts_timeouts {
    COROUTINE(int);
    size_t count;
    struct pawl_next_completed next;
};

ASYNC(counts_timeouts)
{
    ASYNC_BEGIN(counts_timeouts);
    ck_assert_int_eq(pawl_as_completed_begin(&each, children, self->count, PAWL_MS(20)), 0);
    while (each.left > 0) {
        TRY_AWAIT(self->next, pawl_next_completed(&each));
        if (AWAIT_ERROR() == PAWL_ETIMEOUT) self->result++;
    }
    pawl_as_completed_end(&each);
    ASYNC_END;
}

START_TEST(each_that_was_not_done_times_out)
{
    static TASK(counts_timeouts) slot;
    begin();
    for (int i = 0; i < 5; i++) start_job(i, PAWL_MS(10) * i, 0);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(counts_timeouts, .count = 5)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_int_ge(slot.frame.result, 2);
    ck_assert_int_le(slot.frame.result, 3); /* the third ends at that very instant */
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(20));
    end();
}
END_TEST

START_TEST(a_timeout_that_is_not_used_leaves_no_timer)
{
    begin();
    start_job(0, PAWL_MS(10), 0);
    ck_assert_int_eq(world_run(&world, CORO(goes_through, .count = 1, .span = PAWL_SEC(1), .stays = true)), 0);
    ck_assert_trace(&seen, "a0@10 ");
    ck_assert(!pawl_loop_pending(&world.loop)); /* also before its end */
    pawl_as_completed_end(&each);
    end();
}
END_TEST

/* Those that end afterwards have missed it: what was not done when the time came has timed out. */
struct looks_late {
    COROUTINE(void);
    int i;
    struct pawl_next_completed next;
    struct pawl_sleep sleep;
};

ASYNC(looks_late)
{
    ASYNC_BEGIN(looks_late);
    ck_assert_int_eq(pawl_as_completed_begin(&each, children, 2, PAWL_MS(20)), 0);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(60)));
    ck_assert(pawl_future_done(&jobs[0]) && pawl_future_done(&jobs[1]));
    for (self->i = 0; self->i < 2; self->i++) {
        TRY_AWAIT(self->next, pawl_next_completed(&each));
        ck_assert_int_eq(AWAIT_ERROR(), PAWL_ETIMEOUT);
    }
    ck_assert_uint_eq(each.left, 0);
    pawl_as_completed_end(&each);
    ASYNC_END;
}

START_TEST(what_ends_behind_the_timeout_has_timed_out)
{
    begin();
    start_job(0, PAWL_MS(30), 0);
    start_job(1, PAWL_MS(40), 0);
    ck_assert_int_eq(world_run(&world, CORO(looks_late)), 0);
    end();
}
END_TEST

START_TEST(with_no_time_only_what_was_done_comes)
{
    begin();
    start_job(0, 0, 0);
    start_job(1, PAWL_MS(10), 0);
    once();
    ck_assert_int_eq(go_through(2, 0), PAWL_ETIMEOUT);
    ck_assert_trace(&seen, "a0@0 ");
    end();
}
END_TEST

/* ---- Left, resumed, shared ---- */

START_TEST(an_iteration_that_was_left_can_be_resumed)
{
    begin();
    for (int i = 0; i < 4; i++) start_job(i, PAWL_MS(i), 0);
    ck_assert_int_eq(world_run(&world, CORO(goes_through, .count = 4, .most = 2, .span = PAWL_FOREVER, .stays = true)), 0);
    ck_assert_trace(&seen, "a0@0 b0@1 ");
    ck_assert_uint_eq(each.left, 2);
    ck_assert_int_eq(world_run(&world, CORO(goes_through, .resumes = true)), 0);
    ck_assert_trace(&seen, "a0@0 b0@1 c0@2 d0@3 ");
    end();
}
END_TEST

START_TEST(one_that_was_left_for_good_leaves_the_others_alone)
{
    begin();
    start_job(0, 0, 0);
    start_job(1, PAWL_MS(10), 0);
    ck_assert_int_eq(world_run(&world, CORO(goes_through, .count = 2, .most = 1, .span = PAWL_SEC(1))), 0);
    ck_assert_ptr_null(PAWL_FUTURE(&jobs[1])->awaitable.first);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &jobs[1]), 0);
    ck_assert(!pawl_loop_pending(&world.loop));
    end();
}
END_TEST

START_TEST(cancelled_while_it_waits_it_leaves_the_children_alone)
{
    begin();
    start_job(0, PAWL_MS(10), 0);
    struct pawl_task *const task = pawl_spawn(CORO(goes_through, .count = 1, .span = PAWL_SEC(1)));
    once();
    once();
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), PAWL_ECANCELLED);
    ck_assert_uint_eq(pawl_task_cancelling(&jobs[0].awaitable), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &jobs[0]), 0);
    pawl_task_release(task);
    end();
}
END_TEST

/* Made first does not mean served first: whoever waits first gets the first that is done. */
struct in_reverse {
    COROUTINE(void);
    struct pawl_next_completed nexts[2];
};

ASYNC(in_reverse)
{
    ASYNC_BEGIN(in_reverse);
    ck_assert_int_eq(pawl_as_completed_begin(&each, children, 2, PAWL_FOREVER), 0);
    for (int i = 0; i < 2; i++) self->nexts[i] = pawl_next_completed(&each);
    AWAIT(&self->nexts[1]);
    ck_assert_int_eq(name_of(self->nexts[1].result), 'a');
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(50));
    AWAIT(&self->nexts[0]);
    ck_assert_int_eq(name_of(self->nexts[0].result), 'b');
    ck_assert_int_eq(pawl_loop_time(&world.loop), PAWL_MS(100));
    pawl_as_completed_end(&each);
    ASYNC_END;
}

START_TEST(the_first_that_is_awaited_gets_the_first_that_is_done)
{
    begin();
    start_job(0, PAWL_MS(50), 0);
    start_job(1, PAWL_MS(100), 0);
    ck_assert_int_eq(world_run(&world, CORO(in_reverse)), 0);
    end();
}
END_TEST

static TASK(pawl_next_completed) takers[3];

struct shares {
    COROUTINE(void);
    pawl_time span;
    struct pawl_child both[3];
    struct pawl_wait wait;
};

ASYNC(shares)
{
    ASYNC_BEGIN(shares);
    ck_assert_int_eq(pawl_as_completed_begin(&each, children, 2, self->span), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(pawl_start(&takers[i], pawl_next_completed(&each)));
        self->both[i] = pawl_child(&takers[i]);
    }
    AWAIT(self->wait, pawl_wait(self->both, 3, PAWL_ALL_COMPLETED, PAWL_FOREVER));
    pawl_as_completed_end(&each);
    ASYNC_END;
}

/* The third finds that there is no more. */
START_TEST(several_tasks_share_an_iteration)
{
    begin();
    start_job(0, PAWL_MS(50), 0);
    start_job(1, PAWL_MS(50), 0);
    ck_assert_int_eq(world_run(&world, CORO(shares, .span = _i ? PAWL_MS(20) : PAWL_FOREVER)), 0);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_future_error(&takers[i]), _i ? PAWL_ETIMEOUT : 0);
    if (_i == 0) ck_assert_int_eq(name_of(takers[0].frame.result), 'a');
    if (_i == 0) ck_assert_int_eq(name_of(takers[1].frame.result), 'b');
    ck_assert_int_eq(pawl_future_error(&takers[2]), PAWL_EENDED);
    end();
}
END_TEST

/* Begins, and lets two others wait for the first that is done. */
struct owns {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(owns)
{
    ASYNC_BEGIN(owns);
    ck_assert_int_eq(pawl_as_completed_begin(&each, children, 2, PAWL_FOREVER), 0);
    for (int i = 0; i < 2; i++) ck_assert_ptr_nonnull(pawl_start(&takers[i], pawl_next_completed(&each)));
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(5)));
    pawl_as_completed_end(&each);
    ASYNC_END;
}

START_TEST(those_that_still_wait_when_it_ends_hear_that_there_is_no_more)
{
    begin();
    for (int i = 0; i < 2; i++) start_job(i, PAWL_MS(10), 0);
    ck_assert_int_eq(world_run(&world, CORO(owns)), 0);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &takers[i]), PAWL_EENDED);
    ck_assert(!pawl_future_done(&jobs[0]));
    end();
}
END_TEST

static struct pawl_future plain[2];

/* Woken for what is done, and cancelled before it goes on: the next one gets it. */
START_TEST(one_that_is_cancelled_when_its_turn_came_passes_it_on)
{
    begin();
    for (int i = 0; i < 2; i++) children[i] = pawl_child(&plain[i]);
    struct pawl_task *const owner = pawl_spawn(CORO(owns));
    once();
    once();
    pawl_future_set_done(&plain[1]);
    once(); /* it is told, and wakes the first who waits */
    ck_assert(!pawl_future_done(&takers[0]));
    ck_assert(pawl_task_cancel(&takers[0].awaitable));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &takers[0]), PAWL_ECANCELLED);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &takers[1]), 0);
    ck_assert_ptr_eq(takers[1].frame.result, &children[1]);
    ck_assert_int_eq(pawl_loop_time(&world.loop), 0);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, owner), 0);
    pawl_task_release(owner);
    end();
}
END_TEST

/* ---- Wrong arguments ---- */

START_TEST(it_begins_only_in_a_task_and_with_entries)
{
    static struct pawl_future pending, *none;
    begin();
    children[0] = pawl_child(&pending);
    ck_assert_int_eq(pawl_as_completed_begin(&each, children, 1, PAWL_FOREVER), PAWL_EINVAL); /* no task runs */
    children[1] = pawl_child(none);
    ck_assert_int_eq(go_through(2, PAWL_FOREVER), PAWL_EINVAL);
    ck_assert_ptr_null(pending.awaitable.first);
    pawl_as_completed_end(&each);
    pawl_as_completed_end(&each);
    end();
}
END_TEST

START_TEST(entries_that_another_iteration_uses_are_busy)
{
    begin();
    start_job(0, PAWL_MS(10), 0);
    struct pawl_task *const first = pawl_spawn(CORO(goes_through, .count = 1, .span = PAWL_FOREVER));
    once();
    ck_assert_ptr_eq(children[0].whose, &each);
    struct pawl_task *const late = pawl_spawn(CORO(goes_through, .count = 1, .span = PAWL_FOREVER));
    once();
    ck_assert_int_eq(pawl_future_error(late), PAWL_EBUSY);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, first), 0);
    ck_assert_trace(&seen, "a0@10 ");
    pawl_task_release(first);
    pawl_task_release(late);
    end();
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("as_completed");
    TCase *const order = add_case(suite, "order");
    tcase_add_test(order, they_come_in_the_order_of_their_ends);
    tcase_add_test(order, what_is_done_before_comes_first_and_in_the_order_of_the_entries);
    tcase_add_test(order, each_entry_is_given_once_and_is_the_one_that_was_passed);
    tcase_add_test(order, nothing_is_over_at_once);
    TCase *const timeout = add_case(suite, "timeout");
    tcase_add_test(timeout, after_the_timeout_it_raises_and_cancels_none);
    tcase_add_test(timeout, each_that_was_not_done_times_out);
    tcase_add_test(timeout, a_timeout_that_is_not_used_leaves_no_timer);
    tcase_add_test(timeout, what_ends_behind_the_timeout_has_timed_out);
    tcase_add_test(timeout, with_no_time_only_what_was_done_comes);
    TCase *const left = add_case(suite, "left, resumed, shared");
    tcase_add_test(left, an_iteration_that_was_left_can_be_resumed);
    tcase_add_test(left, one_that_was_left_for_good_leaves_the_others_alone);
    tcase_add_test(left, cancelled_while_it_waits_it_leaves_the_children_alone);
    tcase_add_test(left, the_first_that_is_awaited_gets_the_first_that_is_done);
    tcase_add_loop_test(left, several_tasks_share_an_iteration, 0, 2);
    tcase_add_test(left, those_that_still_wait_when_it_ends_hear_that_there_is_no_more);
    tcase_add_test(left, one_that_is_cancelled_when_its_turn_came_passes_it_on);
    TCase *const wrong = add_case(suite, "wrong arguments");
    tcase_add_test(wrong, it_begins_only_in_a_task_and_with_entries);
    tcase_add_test(wrong, entries_that_another_iteration_uses_are_busy);
    return suite;
}
