/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Tasks: whose memory it is, who is told of errors, names, enumeration, awaiting what cannot be awaited. */
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

struct worker {
    COROUTINE(int);
    int n, error, yields;
    struct pawl_sleep sleep;
};

ASYNC(worker)
{
    ASYNC_BEGIN(worker);
    while (self->yields-- > 0) AWAIT(self->sleep, pawl_yield());
    if (self->error) RAISE(self->error);
    ASYNC_RETURN(self->n * self->n);
    ASYNC_END;
}

struct awaits_task {
    COROUTINE(int);
    struct pawl_task *task;
};

ASYNC(awaits_task)
{
    ASYNC_BEGIN(awaits_task);
    AWAIT(self->task);
    ASYNC_RETURN(pawl_task_frame(worker, self->task)->result);
    ASYNC_END;
}

/* ---- Ownership ---- */

START_TEST(a_spawned_task_is_freed_when_it_has_ended_and_was_released)
{
    begin();
    struct pawl_task *task = pawl_spawn(CORO(worker, .n = 3));
    ck_assert_uint_eq(world.memory.alive, 1);
    if (_i == 0) { /* released before its first step */
        pawl_task_release(task);
        ck_assert_uint_eq(world.memory.alive, 1);
        once();
    } else { /* ended before it was released */
        once();
        ck_assert_uint_eq(world.memory.alive, 1);
        ck_assert_int_eq(pawl_task_frame(worker, task)->result, 9);
        pawl_task_release(task);
    }
    ck_assert_uint_eq(world.memory.alive, 0);
    ck_assert_uint_eq(world.memory.calls, 1);
    world_end(&world);
}
END_TEST

START_TEST(released_again_before_its_end_it_still_is_freed_once)
{
    begin();
    struct pawl_task *task = pawl_spawn(CORO(worker, .n = 3, .yields = 1));
    once();
    pawl_task_release(task);
    pawl_task_release(task);
    ck_assert_uint_eq(world.memory.alive, 1);
    once();
    ck_assert_uint_eq(world.memory.alive, 0);
    pawl_task_release(NULL);
    world_end(&world);
}
END_TEST

struct releases_itself {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(releases_itself)
{
    ASYNC_BEGIN(releases_itself);
    pawl_task_release(pawl_task_current());
    trace(&seen, "alive ");
    AWAIT(self->sleep, pawl_sleep(3));
    trace(&seen, "still ");
    ASYNC_END;
}

START_TEST(a_task_may_release_itself_while_it_runs)
{
    begin();
    ck_assert_ptr_nonnull(pawl_spawn(CORO(releases_itself)));
    once();
    pawl_loop_run_once(&world.loop, true);
    once();
    ck_assert_trace(&seen, "alive still ");
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_released_task_that_is_awaited_ends_before_it_is_freed)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(worker, .n = 4, .yields = 2));
    struct pawl_task *const waiter = pawl_spawn(CORO(awaits_task, .task = task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, waiter), 0);
    ck_assert_int_eq(pawl_task_frame(awaits_task, waiter)->result, 16);
    pawl_task_release(task);
    pawl_task_release(waiter);
    world_end(&world);
}
END_TEST

START_TEST(nothing_is_spawned_without_memory_an_allocator_or_a_loop)
{
    static TASK(worker) slot;
    struct pawl_virtual clock;
    struct pawl_loop bare;
    pawl_virtual_init(&clock);
    ck_assert_int_eq(pawl_loop_init(&bare, &clock.base, NULL), 0);
    begin();
    world.memory.fail_at = 1;
    ck_assert_ptr_null(pawl_spawn(CORO(worker)));
    world.memory.fail_at = 2;
    ck_assert_ptr_null(pawl_spawn_eager(CORO(worker)));
    pawl_loop_use(&bare);
    ck_assert_ptr_null(pawl_spawn(CORO(worker)));
    pawl_loop_use(NULL);
    ck_assert_ptr_null(pawl_spawn(CORO(worker)));
    ck_assert_ptr_null(pawl_spawn_eager(CORO(worker)));
    ck_assert_ptr_null(pawl_start(&slot, CORO(worker)));
    ck_assert_int_eq(pawl_task_finish(&slot.awaitable), 0);
    pawl_loop_use(&bare);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(worker, .n = 2))); /* needs no allocator */
    ck_assert_int_eq(pawl_loop_run_until_complete(&bare, &slot), 0);
    ck_assert_int_eq(slot.frame.result, 4);
    pawl_loop_finish(&bare);
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

/* ---- Static tasks ---- */

START_TEST(a_static_task_is_started_again_after_its_end)
{
    static TASK(worker) slot;
    begin();
    for (int i = 1; i < 5; i++) {
        ck_assert_ptr_eq(pawl_start(&slot, CORO(worker, .n = i, .yields = i)), &slot.awaitable);
        ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
        ck_assert_int_eq(slot.frame.result, i * i);
        ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
    }
    ck_assert_uint_eq(world.memory.calls, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_static_task_at_work_is_not_started_again)
{
    static TASK(worker) slot;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(worker, .n = 5, .yields = 2)));
    ck_assert_ptr_null(pawl_start(&slot, CORO(worker, .n = 6)));
    once();
    ck_assert_ptr_null(pawl_start_eager(&slot, CORO(worker, .n = 7)));
    ck_assert_int_eq(pawl_task_finish(&slot.awaitable), PAWL_EBUSY);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    ck_assert_int_eq(slot.frame.result, 25);
    ck_assert_int_eq(pawl_task_finish(&slot.awaitable), 0);
    world_end(&world);
}
END_TEST

START_TEST(an_eager_task_may_end_before_it_is_returned)
{
    static TASK(worker) slot;
    begin();
    ck_assert_ptr_nonnull(pawl_start_eager(&slot, CORO(worker, .n = 6)));
    ck_assert(pawl_future_done(&slot));
    ck_assert_int_eq(slot.frame.result, 36);
    struct pawl_task *const task = pawl_spawn_eager(CORO(worker, .n = 7));
    ck_assert(pawl_future_done(task));
    ck_assert_int_eq(pawl_task_frame(worker, task)->result, 49);
    ck_assert(!pawl_loop_pending(&world.loop));
    ck_assert_uint_eq(world.memory.alive, 1);
    pawl_task_release(task);
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

START_TEST(static_tasks_left_by_a_finished_loop_can_be_started_on_another)
{
    static TASK(worker) slot;
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(worker, .n = 5, .yields = 100)));
    once();
    world_end(&world);
    begin();
    memset(&slot, 0, sizeof slot); /* the loop went away without it: it is nobody's */
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(worker, .n = 5)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), 0);
    world_end(&world);
}
END_TEST

/* ---- Errors that nobody saw ---- */

enum look { NEVER, ASKED, AWAITED, RUN_UNTIL, CALLED_BACK, LOOKS };

static void ignore(void *argument)
{
    (void)argument;
}

static void look_at(struct pawl_task *task, enum look how)
{
    static struct pawl_handle handle;
    if (how == ASKED) ck_assert_int_eq(pawl_future_error(task), -5);
    if (how == AWAITED) ck_assert_int_eq(world_run(&world, CORO(awaits_task, .task = task)), -5);
    if (how == RUN_UNTIL) ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), -5);
    if (how == CALLED_BACK) ck_assert_int_eq(pawl_future_add_callback(task, &world.loop, &handle, ignore, NULL), 0);
    once();
}

START_TEST(an_error_is_reported_at_release_unless_somebody_looked)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(worker, .error = -5));
    once();
    ck_assert(pawl_future_done(task));
    look_at(task, (enum look)_i);
    ck_assert_int_eq(world.reports, 0);
    pawl_task_release(task);
    const bool reported = _i == NEVER || _i == CALLED_BACK; /* a callback is told nothing of the outcome */
    ck_assert_int_eq(world.reports, reported);
    if (reported) ck_assert_int_eq(world.last_error, -5);
    if (reported) ck_assert_str_eq(world.last_name, "worker");
    world_end(&world);
    ck_assert_int_eq(world.reports, reported);
}
END_TEST

START_TEST(the_error_of_a_task_that_was_released_first_is_reported_at_its_end)
{
    begin();
    pawl_task_release(pawl_spawn(CORO(worker, .error = -6, .yields = 1)));
    once();
    ck_assert_int_eq(world.reports, 0);
    once();
    ck_assert_int_eq(world.reports, 1);
    ck_assert_int_eq(world.last_error, -6);
    world_end(&world);
    ck_assert_int_eq(world.reports, 1);
}
END_TEST

START_TEST(a_task_that_waits_for_it_has_seen_the_error)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(worker, .error = -7, .yields = 2));
    struct pawl_task *const waiter = pawl_spawn(CORO(awaits_task, .task = task));
    once();
    pawl_task_release(task); /* the waiter holds no share, but it waits */
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, waiter), -7);
    pawl_task_release(waiter);
    ck_assert_int_eq(world.reports, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_loop_that_finishes_reports_what_was_never_seen_once)
{
    begin();
    struct pawl_task *const failed = pawl_spawn(CORO(worker, .error = -8));
    struct pawl_task *const fine = pawl_spawn(CORO(worker));
    struct pawl_task *const unfinished = pawl_spawn(CORO(worker, .yields = 9));
    once();
    ck_assert(pawl_future_done(failed) && pawl_future_done(fine) && !pawl_future_done(unfinished));
    world_end(&world);
    ck_assert_int_eq(world.reports, 1);
    ck_assert_int_eq(world.last_error, -8);
}
END_TEST

START_TEST(a_static_task_reports_when_it_is_finished_or_started_again)
{
    static TASK(worker) slot;
    begin();
    for (int i = 1; i < 3; i++) {
        ck_assert_ptr_nonnull(pawl_start(&slot, CORO(worker, .error = -i)));
        once();
        ck_assert_int_eq(world.reports, i - 1);
    }
    ck_assert_int_eq(world.last_error, -1);
    ck_assert_int_eq(pawl_task_finish(&slot.awaitable), 0);
    ck_assert_int_eq(pawl_task_finish(&slot.awaitable), 0);
    pawl_task_release(&slot.awaitable);
    ck_assert_int_eq(world.reports, 2);
    ck_assert_int_eq(world.last_error, -2);
    world_end(&world);
}
END_TEST

START_TEST(a_cancelled_task_is_no_failure_to_report)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(worker, .yields = 5));
    once();
    pawl_task_cancel(task);
    once();
    ck_assert(pawl_future_cancelled(task));
    pawl_task_release(task);
    ck_assert_int_eq(world.reports, 0);
    ck_assert_int_eq(pawl_task_finish(NULL), 0);
    world_end(&world);
}
END_TEST

static const char *where_raised;

static void keep_where(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    (void)loop;
    where_raised = failure->where;
}

START_TEST(a_report_tells_where_the_error_was_raised)
{
    begin();
    pawl_loop_set_report(&world.loop, keep_where);
    pawl_task_release(pawl_spawn(CORO(worker, .error = -5)));
    once();
#if PAWL_RAISE_LOCATION
    ck_assert_ptr_nonnull(where_raised);
    ck_assert_ptr_nonnull(strstr(where_raised, "test_task.c:"));
#else
    ck_assert_ptr_null(where_raised);
#endif
    world_end(&world);
}
END_TEST

/* ---- Names ---- */

START_TEST(a_task_has_the_name_of_its_coroutine_or_one_of_its_own)
{
    struct pawl_task_note storage;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(worker, .yields = 1));
    ck_assert_str_eq(pawl_task_name(task), "worker");
    ck_assert_int_eq(pawl_task_set_name(task, &storage, "own"), 0);
    ck_assert_str_eq(pawl_task_name(task), "own");
    ck_assert_uint_eq(world.memory.alive, 1);
    ck_assert_int_eq(pawl_task_set_name(task, NULL, "replaced"), 0); /* in place: allocates nothing */
    ck_assert_uint_eq(world.memory.alive, 1);
    ck_assert_str_eq(pawl_task_name(task), "replaced");
    once();
    ck_assert_str_eq(pawl_task_name(task), "replaced");
    once();
    ck_assert_int_eq(pawl_task_set_name(task, NULL, "late"), PAWL_EDONE);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(an_allocated_name_is_freed_with_its_task)
{
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(worker, .error = -5, .yields = 1));
    ck_assert_int_eq(pawl_task_set_name(task, NULL, "failing"), 0);
    ck_assert_uint_eq(world.memory.alive, 2);
    pawl_task_release(task);
    once();
    once();
    ck_assert_str_eq(world.last_name, "failing");
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

START_TEST(a_name_without_memory_is_an_error_and_the_old_one_stays)
{
    static TASK(worker) slot;
    struct pawl_virtual clock;
    struct pawl_loop bare;
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(worker));
    world.memory.fail_at = 2;
    ck_assert_int_eq(pawl_task_set_name(task, NULL, "none"), PAWL_ENOMEM);
    ck_assert_str_eq(pawl_task_name(task), "worker");
    once();
    pawl_task_release(task);
    world_end(&world);

    pawl_virtual_init(&clock);
    pawl_loop_init(&bare, &clock.base, NULL);
    pawl_loop_use(&bare);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(worker)));
    ck_assert_int_eq(pawl_task_set_name(&slot.awaitable, NULL, "none"), PAWL_ENOMEM);
    pawl_loop_run_once(&bare, false);
    pawl_loop_finish(&bare);
    pawl_loop_use(NULL);
}
END_TEST

/* The storage of a name is the caller's again when the task has ended, whether or not it was released. */
START_TEST(the_storage_of_a_name_is_not_used_after_the_end_of_its_task)
{
    struct pawl_task_note first, second;
    begin();
    struct pawl_task *const ended = pawl_spawn(CORO(worker));
    struct pawl_task *const other = pawl_spawn(CORO(worker, .yields = 1));
    ck_assert_int_eq(pawl_task_set_name(ended, &first, "first"), 0);
    once();
    ck_assert(pawl_future_done(ended));
    memset(&first, 0xA5, sizeof first);
    ck_assert_int_eq(pawl_task_set_name(other, &second, "second"), 0);
    ck_assert_str_eq(pawl_task_name(other), "second");
    once();
    pawl_task_release(ended);
    pawl_task_release(other);
    world_end(&world);
}
END_TEST

START_TEST(many_named_tasks_keep_their_names_apart)
{
    enum { MANY = 20 };
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    struct pawl_task *tasks[MANY];
    struct pawl_task_note storage[MANY];
    begin();
    for (int i = 0; i < MANY; i++) {
        tasks[i] = pawl_spawn(CORO(worker, .yields = i % 4));
        ck_assert_int_eq(pawl_task_set_name(tasks[i], i % 2 ? NULL : &storage[i], names[i % 5]), 0);
    }
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < MANY; i++) {
            if (!pawl_future_done(tasks[i])) ck_assert_str_eq(pawl_task_name(tasks[i]), names[i % 5]);
        }
        once();
    }
    for (int i = 0; i < MANY; i++) pawl_task_release(tasks[i]);
    world_end(&world);
}
END_TEST

/* ---- Which task runs, and which there are ---- */

static void sees_no_task(void *argument)
{
    trace(&seen, "%s", (const char *)argument);
    ck_assert_ptr_null(pawl_task_current());
}

static char callback_word[] = "callback ";

struct knows_itself {
    COROUTINE(void);
    struct pawl_task *inner;
    struct pawl_handle handle;
    struct pawl_sleep sleep;
    bool leaf;
};

ASYNC(knows_itself)
{
    ASYNC_BEGIN(knows_itself);
    ck_assert_ptr_eq(pawl_task_frame(knows_itself, pawl_task_current()), self);
    if (!self->leaf) {
        self->inner = pawl_spawn_eager(CORO(knows_itself, .leaf = true));
        ck_assert_ptr_eq(pawl_task_frame(knows_itself, pawl_task_current()), self); /* back after the eager step */
        pawl_call_soon(pawl_loop_current(), &self->handle, sees_no_task, callback_word);
        AWAIT(self->inner);
        pawl_task_release(self->inner);
    }
    ck_assert_ptr_eq(pawl_task_frame(knows_itself, pawl_task_current()), self);
    AWAIT(self->sleep, pawl_sleep(1));
    ck_assert_ptr_eq(pawl_task_frame(knows_itself, pawl_task_current()), self);
    trace(&seen, "%s ", self->leaf ? "leaf" : "root");
    ASYNC_END;
}

START_TEST(the_current_task_is_right_also_during_an_eager_start)
{
    begin();
    ck_assert_ptr_null(pawl_task_current());
    ck_assert_int_eq(world_run(&world, CORO(knows_itself)), 0);
    ck_assert_ptr_null(pawl_task_current());
    ck_assert_trace(&seen, "callback leaf root ");
    world_end(&world);
    ck_assert_ptr_null(pawl_task_current());
}
END_TEST

static int count_tasks(void)
{
    int count = 0;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(&world.loop, task)) != NULL;) count++;
    return count;
}

START_TEST(enumeration_gives_those_that_have_not_ended_in_order)
{
    struct pawl_task *tasks[6];
    begin();
    ck_assert_ptr_null(pawl_task_next(&world.loop, NULL));
    for (int i = 0; i < 6; i++) tasks[i] = pawl_spawn(CORO(worker, .yields = i % 2));
    struct pawl_task *task = NULL;
    for (int i = 0; i < 6; i++) ck_assert_ptr_eq(task = pawl_task_next(&world.loop, task), tasks[i]);
    ck_assert_ptr_null(pawl_task_next(&world.loop, task));
    once(); /* the even ones end, and are not released yet */
    for (int i = 1; i < 6; i += 2) ck_assert_ptr_eq(task = pawl_task_next(&world.loop, i == 1 ? NULL : task), tasks[i]);
    ck_assert_ptr_eq(pawl_task_next(&world.loop, tasks[2]), tasks[3]); /* on from one that has ended */
    ck_assert_int_eq(count_tasks(), 3);
    once();
    ck_assert_int_eq(count_tasks(), 0);
    for (int i = 0; i < 6; i++) pawl_task_release(tasks[i]);
    world_end(&world);
}
END_TEST

START_TEST(tasks_can_be_cancelled_and_released_while_enumerating)
{
    enum { MANY = 10 };
    begin();
    for (int i = 0; i < MANY; i++) ck_assert_ptr_nonnull(pawl_spawn(CORO(worker, .yields = 3)));
    once();
    int count = 0;
    for (struct pawl_task *task = pawl_task_next(&world.loop, NULL), *next; task; task = next, count++) {
        next = pawl_task_next(&world.loop, task);
        ck_assert(pawl_task_cancel(task));
        pawl_task_release(task);
    }
    ck_assert_int_eq(count, MANY);
    once();
    ck_assert_int_eq(count_tasks(), 0);
    ck_assert_uint_eq(world.memory.alive, 0);
    world_end(&world);
}
END_TEST

/* ---- Awaiting what cannot be awaited ---- */

struct awaits_badly {
    COROUTINE(void);
    int way;
    struct pawl_task *task;
    struct pawl_future *future;
    struct worker *coroutine;
    struct worker worker;
};

ASYNC(awaits_badly)
{
    ASYNC_BEGIN(awaits_badly);
    if (self->way == 0) AWAIT(self->task);
    if (self->way == 1) AWAIT(self->future);
    if (self->way == 2) AWAIT(self->coroutine);
    if (self->way == 3) AWAIT(pawl_task_current());
    if (self->way == 4) {
        AWAIT(self->worker, CORO(worker, .n = 2));
        ck_assert_int_eq(self->worker.result, 4);
        AWAIT(&self->worker);
    }
    if (self->way == 5) AWAIT(&self->worker); /* zeroed: no coroutine */
    ASYNC_END;
}

static const int bad_outcomes[] = { PAWL_EINVAL, PAWL_EINVAL, PAWL_EINVAL, PAWL_EDEADLK, PAWL_EAWAITED, PAWL_EINVAL };

START_TEST(awaiting_nothing_oneself_or_twice_raises)
{
    begin();
    ck_assert_int_eq(world_run(&world, CORO(awaits_badly, .way = _i)), bad_outcomes[_i]);
    ck_assert(!pawl_loop_pending(&world.loop));
    world_end(&world);
}
END_TEST

START_TEST(a_zeroed_task_has_no_coroutine_and_ends_with_an_error)
{
    static TASK(worker) slot;
    struct worker nothing;
    memset(&nothing, 0, sizeof nothing);
    begin();
    ck_assert_ptr_nonnull(pawl_start(&slot, nothing));
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, &slot), PAWL_EINVAL);
    ck_assert_ptr_nonnull(pawl_start_eager(&slot, nothing));
    ck_assert_int_eq(pawl_future_error(&slot), PAWL_EINVAL);
    ck_assert_ptr_nonnull(pawl_task_name(&slot.awaitable));
    world_end(&world);
}
END_TEST

START_TEST(a_frame_that_has_run_makes_a_task_that_fails)
{
    begin();
    struct worker used = CORO(worker, .n = 3, .yields = 1);
    if (_i == 0) ck_assert_ptr_nonnull(coro_step(&used)); /* suspended; then ended */
    else while (coro_step(&used)) continue;
    struct pawl_task *const task = pawl_spawn(used);
    const int error = pawl_loop_run_until_complete(&world.loop, task);
    ck_assert_int_eq(error, PAWL_EAWAITED);
    ck_assert_int_eq(pawl_task_frame(worker, task)->sleep.time, 0);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_task_is_awaited_many_times_by_many)
{
    enum { MANY = 5 };
    struct pawl_task *waiters[MANY];
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(worker, .n = 5, .yields = 2));
    for (int i = 0; i < MANY; i++) waiters[i] = pawl_spawn(CORO(awaits_task, .task = task));
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, waiters[i]), 0);
        ck_assert_int_eq(pawl_task_frame(awaits_task, waiters[i])->result, 25);
        pawl_task_release(waiters[i]);
    }
    ck_assert_int_eq(world_run(&world, CORO(awaits_task, .task = task)), 0); /* also when it has long ended */
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(a_task_of_another_loop_is_not_awaited)
{
    static TASK(worker) slot;
    struct pawl_virtual clock;
    struct pawl_loop other;
    pawl_virtual_init(&clock);
    pawl_loop_init(&other, &clock.base, NULL);
    pawl_loop_use(&other);
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(worker)));
    begin();
    ck_assert_int_eq(world_run(&world, CORO(awaits_task, .task = &slot.awaitable)), PAWL_EINVAL);
    world_end(&world);
    ck_assert_int_eq(pawl_loop_run_until_complete(&other, &slot), 0);
    pawl_loop_finish(&other);
}
END_TEST

/* ---- Frames on the heap ---- */

struct deep {
    COROUTINE(long);
    long n;
    const struct pawl_allocator *memory;
    struct deep *inner;
    struct pawl_sleep sleep;
};

ASYNC_DECLARE(deep);

ASYNC(deep)
{
    ASYNC_BEGIN(deep);
    if (self->n == 0) {
        AWAIT(self->sleep, pawl_sleep(1));
        ASYNC_RETURN(0);
    }
    self->inner = pawl_coro_new(self->memory, CORO(deep, .n = self->n - 1, .memory = self->memory));
    if (self->inner == NULL) RAISE(PAWL_ENOMEM);
    TRY {
        AWAIT(self->inner);
        self->result = self->inner->result + self->n;
    } FINALLY {
        pawl_coro_free(self->memory, self->inner);
    } END_TRY;
    ASYNC_END;
}

START_TEST(recursion_on_the_heap_frees_every_frame)
{
    enum { DEPTH = 1000 };
    begin();
    struct pawl_task *const task = pawl_spawn(CORO(deep, .n = DEPTH, .memory = &world.memory.allocator));
    once();
    ck_assert_uint_eq(world.memory.alive, DEPTH + 1);
    if (_i == 1) pawl_task_cancel(task);
    ck_assert_int_eq(pawl_loop_run_until_complete(&world.loop, task), _i == 1 ? PAWL_ECANCELLED : 0);
    if (_i == 0) ck_assert_int_eq(pawl_task_frame(deep, task)->result, DEPTH * (DEPTH + 1L) / 2);
    ck_assert_uint_eq(world.memory.alive, 1);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

START_TEST(recursion_that_runs_out_of_memory_unwinds)
{
    begin();
    world.memory.fail_at = 70;
    ck_assert_int_eq(world_run(&world, CORO(deep, .n = 500, .memory = &world.memory.allocator)), PAWL_ENOMEM);
    ck_assert_uint_eq(world.memory.alive, 0);
    ck_assert_uint_eq(world.memory.calls, 70);
    world_end(&world);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("task");
    TCase *const ownership = add_case(suite, "ownership");
    tcase_add_loop_test(ownership, a_spawned_task_is_freed_when_it_has_ended_and_was_released, 0, 2);
    tcase_add_test(ownership, released_again_before_its_end_it_still_is_freed_once);
    tcase_add_test(ownership, a_task_may_release_itself_while_it_runs);
    tcase_add_test(ownership, a_released_task_that_is_awaited_ends_before_it_is_freed);
    tcase_add_test(ownership, nothing_is_spawned_without_memory_an_allocator_or_a_loop);
    tcase_add_loop_test(ownership, recursion_on_the_heap_frees_every_frame, 0, 2);
    tcase_add_test(ownership, recursion_that_runs_out_of_memory_unwinds);
    TCase *const slots = add_case(suite, "static");
    tcase_add_test(slots, a_static_task_is_started_again_after_its_end);
    tcase_add_test(slots, a_static_task_at_work_is_not_started_again);
    tcase_add_test(slots, an_eager_task_may_end_before_it_is_returned);
    tcase_add_test(slots, static_tasks_left_by_a_finished_loop_can_be_started_on_another);
    TCase *const reports = add_case(suite, "reports");
    tcase_add_loop_test(reports, an_error_is_reported_at_release_unless_somebody_looked, 0, LOOKS);
    tcase_add_test(reports, the_error_of_a_task_that_was_released_first_is_reported_at_its_end);
    tcase_add_test(reports, a_task_that_waits_for_it_has_seen_the_error);
    tcase_add_test(reports, a_loop_that_finishes_reports_what_was_never_seen_once);
    tcase_add_test(reports, a_static_task_reports_when_it_is_finished_or_started_again);
    tcase_add_test(reports, a_cancelled_task_is_no_failure_to_report);
    tcase_add_test(reports, a_report_tells_where_the_error_was_raised);
    TCase *const names = add_case(suite, "names");
    tcase_add_test(names, a_task_has_the_name_of_its_coroutine_or_one_of_its_own);
    tcase_add_test(names, an_allocated_name_is_freed_with_its_task);
    tcase_add_test(names, a_name_without_memory_is_an_error_and_the_old_one_stays);
    tcase_add_test(names, the_storage_of_a_name_is_not_used_after_the_end_of_its_task);
    tcase_add_test(names, many_named_tasks_keep_their_names_apart);
    TCase *const all = add_case(suite, "current and all");
    tcase_add_test(all, the_current_task_is_right_also_during_an_eager_start);
    tcase_add_test(all, enumeration_gives_those_that_have_not_ended_in_order);
    tcase_add_test(all, tasks_can_be_cancelled_and_released_while_enumerating);
    TCase *const awaiting = add_case(suite, "awaiting");
    tcase_add_loop_test(awaiting, awaiting_nothing_oneself_or_twice_raises, 0, 6);
    tcase_add_test(awaiting, a_zeroed_task_has_no_coroutine_and_ends_with_an_error);
    tcase_add_loop_test(awaiting, a_frame_that_has_run_makes_a_task_that_fails, 0, 2);
    tcase_add_test(awaiting, a_task_is_awaited_many_times_by_many);
    tcase_add_test(awaiting, a_task_of_another_loop_is_not_awaited);
    return suite;
}
