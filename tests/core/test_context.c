/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Contexts: who has which, from when on, and until when; and what else a task with one does as any other. */
#include <support.h>

#include <string.h>

static struct world world;

struct request {
    struct pawl_context context;
    int id;
};

/* The id of what the running task has in common with others; 0 without. */
static int current_id(void)
{
    const struct pawl_context *const context = pawl_task_context(pawl_task_current());
    return context != NULL ? ((const struct request *)context)->id : 0;
}

static int set_current(struct request *request)
{
    return pawl_task_set_context(pawl_task_current(), request ? &request->context : NULL);
}

static void once(void)
{
    ck_assert_int_eq(pawl_loop_run_once(&world.loop, false), 0);
}

static void settle(void)
{
    while (pawl_loop_pending(&world.loop)) ck_assert_int_eq(pawl_loop_run_once(&world.loop, true), 0);
}

static int looked[2]; /* of the last one that looked: at first, and afterwards */

/* What it has in its first step, and what it has after a wait. */
struct looks {
    COROUTINE(int);
    int first;
    pawl_time span;
    struct pawl_future *future;
    struct pawl_sleep sleep;
};

ASYNC(looks)
{
    ASYNC_BEGIN(looks);
    self->first = looked[0] = current_id();
    if (self->future != NULL) AWAIT(self->future);
    else AWAIT(self->sleep, pawl_sleep(self->span));
    looked[1] = current_id();
    ASYNC_RETURN(looked[1]);
    ASYNC_END;
}

static void assert_saw(const struct looks *looks, int id)
{
    ck_assert_int_eq(looks->first, id);
    ck_assert_int_eq(looks->result, id);
}

/* ---- One task ---- */

START_TEST(a_task_that_was_given_none_has_none)
{
    static TASK(looks) task;
    world_begin(&world);
    ck_assert_ptr_null(pawl_task_context(NULL));
    ck_assert_ptr_null(pawl_task_context(pawl_task_current()));
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(looks)));
    ck_assert_ptr_null(pawl_task_context(&task.awaitable));
    settle();
    assert_saw(&task.frame, 0);
    ck_assert_ptr_null(pawl_task_context(&task.awaitable));
    world_end(&world);
}
END_TEST

START_TEST(what_a_task_was_given_it_has_until_it_ends)
{
    static TASK(looks) task;
    struct request request = { .id = 7 };
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(looks)));
    ck_assert_int_eq(pawl_task_set_context(&task.awaitable, &request.context), 0);
    ck_assert_ptr_eq(pawl_task_context(&task.awaitable), &request.context);
    ck_assert_ptr_eq(pawl_task_loop(&task.awaitable), &world.loop);
    settle();
    assert_saw(&task.frame, 7);
    ck_assert_ptr_null(pawl_task_context(&task.awaitable));
    ck_assert_ptr_eq(pawl_task_loop(&task.awaitable), &world.loop);
    world_end(&world);
}
END_TEST

START_TEST(one_that_has_ended_and_nothing_take_none)
{
    struct request request = { .id = 7 };
    world_begin(&world);
    ck_assert_int_eq(pawl_task_set_context(NULL, &request.context), PAWL_EINVAL);
    struct pawl_task *const task = pawl_spawn(CORO(looks));
    settle();
    ck_assert_int_eq(pawl_task_set_context(task, &request.context), PAWL_EDONE);
    ck_assert_int_eq(pawl_task_set_context(task, NULL), PAWL_EDONE);
    ck_assert_ptr_null(pawl_task_context(task));
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* While it is ready, sleeps, or waits for a future. */
START_TEST(it_may_be_given_and_taken_wherever_the_task_stands)
{
    struct request requests[] = { { .id = 1 }, { .id = 2 } };
    struct pawl_future future = { 0 };
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(looks, .span = 10, .future = _i == 2 ? &future : NULL));
    if (_i > 0) once();
    ck_assert_int_eq(pawl_task_set_context(task, &requests[0].context), 0);
    ck_assert_int_eq(pawl_task_set_context(task, NULL), 0);
    ck_assert_ptr_null(pawl_task_context(task));
    ck_assert_int_eq(pawl_task_set_context(task, &requests[0].context), 0);
    ck_assert_int_eq(pawl_task_set_context(task, &requests[1].context), 0);
    if (_i == 2) pawl_future_set_done(&future);
    settle();
    ck_assert_int_eq(pawl_future_error(task), 0);
    ck_assert_int_eq(pawl_task_frame(looks, task)->first, _i == 0 ? 2 : 0);
    ck_assert_int_eq(pawl_task_frame(looks, task)->result, 2);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- Those that it makes ---- */

enum way { HEAP, STATIC, EAGER_HEAP, EAGER_STATIC, GROUP, EAGER_GROUP, ADDED, ARM, WAYS };

struct parent {
    COROUTINE(void);
    enum way way;
    struct request *request;
    struct pawl_task *child;
    TASK(looks) slot;
    struct pawl_group group;
    struct pawl_member member;
    struct pawl_child arms[1];
    struct pawl_select select;
};

static struct pawl_task *make_child(struct parent *self, struct looks looks)
{
    switch (self->way) {
    case HEAP: return pawl_spawn(looks);
    case STATIC: return pawl_start(&self->slot, looks);
    case EAGER_HEAP: return pawl_spawn_eager(looks);
    case EAGER_STATIC: return pawl_start_eager(&self->slot, looks);
    case GROUP: return pawl_group_spawn(&self->group, looks);
    case EAGER_GROUP: return pawl_group_spawn_eager(&self->group, looks);
    case ADDED: {
        struct pawl_task *const task = pawl_start(&self->slot, looks);
        ck_assert_int_eq(pawl_group_add(&self->group, &self->member, task), 0);
        return task;
    }
    default: return NULL;
    }
}

ASYNC(parent)
{
    ASYNC_BEGIN(parent);
    set_current(self->request);
    if (self->way == ARM) {
        AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->slot, CORO(looks)))));
        ASYNC_RETURN();
    }
    WITH(self->group, pawl_group()) {
        self->child = make_child(self, CORO(looks));
        ck_assert_ptr_eq(pawl_task_context(self->child), &self->request->context);
        AWAIT(self->child);
        if (self->way == HEAP || self->way == EAGER_HEAP) pawl_task_release(self->child);
    } END_WITH;
    ASYNC_END;
}

START_TEST(a_child_has_what_its_maker_has_however_it_is_made)
{
    static TASK(parent) task;
    struct request request = { .id = 7 };
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(parent, .way = (enum way)_i, .request = &request)));
    settle();
    ck_assert_int_eq(pawl_future_error(&task), 0);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(looked[i], 7);
    world_end(&world);
}
END_TEST

/* Three generations, and one that was made before. */
struct ancestor {
    COROUTINE(int);
    struct request *request;
    int depth;
    struct pawl_task *before, *child;
};

ASYNC(ancestor)
{
    ASYNC_BEGIN(ancestor);
    self->before = pawl_spawn(CORO(looks));
    if (self->request != NULL) set_current(self->request);
    if (self->depth > 0) {
        self->child = pawl_spawn(CORO(ancestor, .depth = self->depth - 1));
        AWAIT(self->child);
        self->result = pawl_task_frame(ancestor, self->child)->result;
        pawl_task_release(self->child);
    } else {
        self->result = current_id();
    }
    AWAIT(self->before);
    ck_assert_int_eq(pawl_task_frame(looks, self->before)->first, self->request != NULL ? 0 : 7);
    pawl_task_release(self->before);
    ASYNC_END;
}

START_TEST(it_goes_down_the_generations_but_not_to_those_made_before)
{
    struct request request = { .id = 7 };
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(ancestor, .request = &request, .depth = 3));
    settle();
    ck_assert_int_eq(pawl_task_frame(ancestor, task)->result, 7);
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* Gives itself one, makes a child, gives itself another, makes a child; one child gives itself its own. */
struct changes {
    COROUTINE(void);
    struct request *requests;
    TASK(looks) first, second, third;
};

ASYNC(changes)
{
    ASYNC_BEGIN(changes);
    set_current(&self->requests[0]);
    ck_assert_ptr_nonnull(pawl_start(&self->first, CORO(looks)));
    set_current(&self->requests[1]);
    ck_assert_ptr_nonnull(pawl_start(&self->second, CORO(looks)));
    ck_assert_int_eq(pawl_task_set_context(&self->second.awaitable, &self->requests[2].context), 0);
    ck_assert_int_eq(current_id(), 2);
    set_current(NULL);
    ck_assert_ptr_nonnull(pawl_start(&self->third, CORO(looks)));
    ck_assert_int_eq(current_id(), 0);
    AWAIT(&self->first);
    AWAIT(&self->second);
    AWAIT(&self->third);
    ASYNC_END;
}

START_TEST(another_one_is_for_those_made_from_then_on)
{
    static TASK(changes) task;
    struct request requests[] = { { .id = 1 }, { .id = 2 }, { .id = 3 } };
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&task, CORO(changes, .requests = requests)));
    settle();
    ck_assert_int_eq(pawl_future_error(&task), 0);
    assert_saw(&task.frame.first.frame, 1);
    assert_saw(&task.frame.second.frame, 3);
    assert_saw(&task.frame.third.frame, 0);
    world_end(&world);
}
END_TEST

START_TEST(it_is_one_object_for_all_that_have_it)
{
    static TASK(looks) tasks[2];
    struct request request = { .id = 1 };
    world_begin(&world);
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(pawl_start(&tasks[i], CORO(looks, .span = 10)));
        ck_assert_int_eq(pawl_task_set_context(&tasks[i].awaitable, &request.context), 0);
    }
    once();
    request.id = 2;
    settle();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tasks[i].frame.first, 1);
        ck_assert_int_eq(tasks[i].frame.result, 2);
    }
    world_end(&world);
}
END_TEST

static TASK(looks) made_by_callback;

static void start_in_callback(void *argument)
{
    (void)argument;
    ck_assert_ptr_null(pawl_task_context(pawl_task_current()));
    ck_assert_ptr_nonnull(pawl_start(&made_by_callback, CORO(looks)));
}

START_TEST(a_task_made_by_a_callback_has_none)
{
    static TASK(looks) other;
    static struct pawl_handle handle;
    struct request request = { .id = 1 };
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&other, CORO(looks)));
    ck_assert_int_eq(pawl_task_set_context(&other.awaitable, &request.context), 0);
    ck_assert_int_eq(pawl_call_soon(&world.loop, &handle, start_in_callback, NULL), 0);
    settle();
    assert_saw(&made_by_callback.frame, 0);
    assert_saw(&other.frame, 1);
    world_end(&world);
}
END_TEST

/* ---- Several at work in one loop ---- */

/* A helper that only the context tells whom it works for. */
struct helper {
    COROUTINE(int);
    int i, expected;
    struct pawl_sleep sleep;
};

ASYNC(helper)
{
    ASYNC_BEGIN(helper);
    for (self->i = 0; self->i < 5; self->i++) {
        if (current_id() == self->expected) self->result++;
        AWAIT(self->sleep, pawl_sleep(1 + (self->expected + self->i) % 3));
    }
    ASYNC_END;
}

struct handler {
    COROUTINE(int);
    struct request request;
    struct helper direct;
    TASK(helper) tasks[2];
    struct pawl_child children[2];
    struct pawl_gather all;
    struct pawl_wait_for timed;
};

ASYNC(handler)
{
    ASYNC_BEGIN(handler);
    set_current(&self->request);
    AWAIT(self->all, pawl_gather(CHILDREN(self->children, pawl_start(&self->tasks[0], CORO(helper, .expected = self->request.id)),
                                          pawl_start_eager(&self->tasks[1], CORO(helper, .expected = self->request.id)))));
    self->direct = CORO(helper, .expected = self->request.id);
    AWAIT(self->timed, pawl_wait_for(&self->direct, PAWL_SEC(1)));
    ASYNC_RETURN(self->direct.result + self->tasks[0].frame.result + self->tasks[1].frame.result);
    ASYNC_END;
}

START_TEST(tasks_with_different_ones_do_not_get_in_each_others_way)
{
    enum { HANDLERS = 20 };
    static TASK(handler) handlers[HANDLERS];
    world_begin(&world);
    for (int i = 0; i < HANDLERS; i++) ck_assert_ptr_nonnull(pawl_start(&handlers[i], CORO(handler, .request = { .id = i + 1 })));
    settle();
    for (int i = 0; i < HANDLERS; i++) {
        ck_assert_int_eq(pawl_future_error(&handlers[i]), 0);
        ck_assert_int_eq(handlers[i].frame.result, 15);
    }
    world_end(&world);
}
END_TEST

struct awaits {
    COROUTINE(int);
    struct pawl_task *task;
};

ASYNC(awaits)
{
    ASYNC_BEGIN(awaits);
    AWAIT(self->task);
    ASYNC_RETURN(current_id());
    ASYNC_END;
}

START_TEST(tasks_with_different_ones_may_await_and_cancel_each_other)
{
    static TASK(looks) inner;
    static TASK(awaits) outer;
    struct request requests[] = { { .id = 1 }, { .id = 2 } };
    world_begin(&world);
    ck_assert_ptr_nonnull(pawl_start(&inner, CORO(looks, .span = 10)));
    ck_assert_ptr_nonnull(pawl_start(&outer, CORO(awaits, .task = &inner.awaitable)));
    ck_assert_int_eq(pawl_task_set_context(&inner.awaitable, &requests[0].context), 0);
    if (_i & 1) ck_assert_int_eq(pawl_task_set_context(&outer.awaitable, &requests[1].context), 0);
    once();
    once();
    if (_i & 2) ck_assert(pawl_task_cancel_because(&outer.awaitable, "enough"));
    settle();
    ck_assert_int_eq(pawl_future_error(&inner), _i & 2 ? PAWL_ECANCELLED : 0);
    ck_assert_int_eq(pawl_future_error(&outer), _i & 2 ? PAWL_ECANCELLED : 0);
    if (!(_i & 2)) ck_assert_int_eq(outer.frame.result, _i & 1 ? 2 : 0);
    world_end(&world);
}
END_TEST

START_TEST(a_name_and_a_message_go_with_it)
{
    struct request request = { .id = 1 };
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(looks, .span = 10));
    ck_assert_int_eq(pawl_task_set_name(task, NULL, "named"), 0);
    ck_assert_int_eq(pawl_task_set_context(task, &request.context), 0);
    ck_assert_str_eq(pawl_task_name(task), "named");
    once();
    ck_assert(pawl_task_cancel_because(task, "enough"));
    ck_assert_int_eq(pawl_task_set_context(task, NULL), 0);
    ck_assert_str_eq(pawl_task_cancel_message(task), "enough");
    settle();
    ck_assert_int_eq(pawl_future_error(task), PAWL_ECANCELLED);
    ck_assert_str_eq(pawl_task_cancel_message(task), "enough");
    ck_assert_str_eq(pawl_task_name(task), "named");
    pawl_task_release(task);
    world_end(&world);
}
END_TEST

/* ---- The end ---- */

START_TEST(when_its_tasks_have_ended_it_may_go)
{
    struct pawl_task *tasks[3];
    struct request *const request = malloc(sizeof *request);
    request->id = 7;
    world_begin(&world);
    for (int i = 0; i < 3; i++) {
        tasks[i] = pawl_spawn(CORO(looks, .span = 10));
        ck_assert_int_eq(pawl_task_set_context(tasks[i], &request->context), 0);
    }
    ck_assert(pawl_task_cancel(tasks[1])); /* before its first step */
    once();
    ck_assert(pawl_task_cancel(tasks[2]));
    settle();
    memset(request, 0xa5, sizeof *request);
    free(request);
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_null(pawl_task_context(tasks[i]));
        ck_assert_ptr_eq(pawl_task_loop(tasks[i]), &world.loop);
        pawl_task_release(tasks[i]);
    }
    world_end(&world);
}
END_TEST

START_TEST(a_slot_begins_anew_without_the_one_of_its_last_run)
{
    static TASK(looks) task;
    world_begin(&world);
    for (int id = 0; id < 3; id++) {
        struct request request = { .id = id };
        ck_assert_ptr_nonnull(pawl_start(&task, CORO(looks)));
        ck_assert_ptr_null(pawl_task_context(&task.awaitable));
        ck_assert_int_eq(pawl_task_set_context(&task.awaitable, &request.context), 0);
        settle();
        assert_saw(&task.frame, id);
    }
    world_end(&world);
}
END_TEST

/* It lies in the frame of the task that gave it to its children, and all of them still run when the loop ends. */
struct owner {
    COROUTINE(void);
    struct request request;
    struct pawl_task *child;
    struct pawl_sleep sleep;
};

ASYNC(owner)
{
    ASYNC_BEGIN(owner);
    set_current(&self->request);
    self->child = pawl_spawn(CORO(looks, .span = PAWL_SEC(9)));
    TRY {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(9)));
    } FINALLY {
        ck_assert_int_eq(current_id(), 7);
        pawl_task_release(self->child);
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_loop_may_end_while_it_is_in_use)
{
    world_begin(&world);
    pawl_task_release(pawl_spawn(CORO(owner, .request = { .id = 7 })));
    once();
    once();
    world_end(&world);
}
END_TEST

/* Ends a task, in a FINALLY, that may be closed already. */
struct ends_another {
    COROUTINE(void);
    struct pawl_task *other;
    struct pawl_sleep sleep;
};

ASYNC(ends_another)
{
    ASYNC_BEGIN(ends_another);
    TRY {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(9)));
    } FINALLY {
        pawl_task_cancel(self->other);
        pawl_task_release(self->other);
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_loop_may_end_while_one_that_has_it_is_ended_by_another)
{
    struct request request = { .id = 7 };
    world_begin(&world);
    struct pawl_task *const task = pawl_spawn(CORO(looks, .span = PAWL_SEC(9)));
    ck_assert_int_eq(pawl_task_set_context(task, &request.context), 0);
    pawl_task_release(pawl_spawn(CORO(ends_another, .other = task)));
    once();
    world_end(&world);
}
END_TEST

/* ---- At random ---- */

/* A tree in which every task now and then gives itself one of its own, and makes two children in between. */
struct branch {
    COROUTINE(int);
    unsigned state;
    int depth, expected, i;
    struct request requests[2]; /* one a turn: the children of the first look at theirs while the second is at work */
    struct pawl_group group;
    struct pawl_sleep sleep;
};

static int wrong, branches;

static unsigned at_random(struct branch *branch, unsigned below)
{
    branch->state = branch->state * 1664525u + 1013904223u;
    return (branch->state >> 16) % below;
}

static void look(const struct branch *branch)
{
    if (current_id() != branch->expected) wrong++;
}

ASYNC(branch)
{
    ASYNC_BEGIN(branch);
    branches++;
    look(self);
    WITH(self->group, pawl_group()) {
        for (self->i = 0; self->i < 2; self->i++) {
            if (at_random(self, 2) == 0) {
                self->requests[self->i].id = self->expected = (int)at_random(self, 1000000);
                set_current(&self->requests[self->i]);
            }
            if (self->depth > 0) {
                struct branch child =
                    CORO(branch, .state = self->state + (unsigned)self->i, .depth = self->depth - 1, .expected = self->expected);
                if (at_random(self, 2) == 0) ck_assert_ptr_nonnull(pawl_group_spawn(&self->group, child));
                else ck_assert_ptr_nonnull(pawl_group_spawn_eager(&self->group, child));
            }
            AWAIT(self->sleep, pawl_sleep(at_random(self, 4)));
            look(self);
        }
    } END_WITH;
    look(self);
    ASYNC_END;
}

START_TEST(in_a_tree_of_tasks_each_has_its_own)
{
    for (unsigned seed = 1; seed <= 50; seed++) {
        wrong = branches = 0;
        world_begin(&world);
        pawl_task_release(pawl_spawn(CORO(branch, .state = seed,  .depth = 5)));
        settle();
        ck_assert_msg(wrong == 0, "seed %u: %d of %d tasks saw another one", seed, wrong, branches);
        ck_assert_int_eq(branches, (1 << 6) - 1);
        world_end(&world);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("context");
    TCase *const one = add_case(suite, "one task");
    tcase_add_test(one, a_task_that_was_given_none_has_none);
    tcase_add_test(one, what_a_task_was_given_it_has_until_it_ends);
    tcase_add_test(one, one_that_has_ended_and_nothing_take_none);
    tcase_add_loop_test(one, it_may_be_given_and_taken_wherever_the_task_stands, 0, 3);
    TCase *const children = add_case(suite, "children");
    tcase_add_loop_test(children, a_child_has_what_its_maker_has_however_it_is_made, 0, WAYS);
    tcase_add_test(children, it_goes_down_the_generations_but_not_to_those_made_before);
    tcase_add_test(children, another_one_is_for_those_made_from_then_on);
    tcase_add_test(children, it_is_one_object_for_all_that_have_it);
    tcase_add_test(children, a_task_made_by_a_callback_has_none);
    TCase *const several = add_case(suite, "several");
    tcase_add_test(several, tasks_with_different_ones_do_not_get_in_each_others_way);
    tcase_add_loop_test(several, tasks_with_different_ones_may_await_and_cancel_each_other, 0, 4);
    tcase_add_test(several, a_name_and_a_message_go_with_it);
    tcase_add_test(several, in_a_tree_of_tasks_each_has_its_own);
    TCase *const end = add_case(suite, "end");
    tcase_add_test(end, when_its_tasks_have_ended_it_may_go);
    tcase_add_test(end, a_slot_begins_anew_without_the_one_of_its_last_run);
    tcase_add_test(end, a_loop_may_end_while_it_is_in_use);
    tcase_add_test(end, a_loop_may_end_while_one_that_has_it_is_ended_by_another);
    return suite;
}
