/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Work from another thread, and results from one, with nothing but calls that are sent: a thread submits a coroutine to a loop and
 * waits for its end; a task waits for what a thread computes. Also made to be run under ThreadSanitizer.
 */
#define _GNU_SOURCE
#include <support.h>

#include <pthread.h>
#include <sched.h>

static struct pawl_epoll epoll;
static struct pawl_loop loop;
static struct counting memory;

static void open_loop(void)
{
    counting_init(&memory);
    ck_assert_int_eq(pawl_epoll_init(&epoll), 0);
    ck_assert_int_eq(pawl_loop_init(&loop, &epoll.base, &memory.allocator), 0);
    pawl_loop_use(&loop);
}

static void close_loop(void)
{
    pawl_loop_use(NULL);
    pawl_loop_finish(&loop);
    pawl_epoll_finish(&epoll);
    ck_assert_uint_eq(memory.alive, 0);
}

/* ---- A coroutine submitted by a thread ---- */

struct add {
    COROUTINE(int);
    int a, b, error;
    bool cancel_itself, for_ever;
    struct pawl_future never;
    struct pawl_sleep sleep;
};

ASYNC(add)
{
    ASYNC_BEGIN(add);
    AWAIT(self->sleep, pawl_yield());
    if (self->for_ever) AWAIT(&self->never);
    if (self->cancel_itself) pawl_task_cancel(pawl_task_current());
    AWAIT(self->sleep, pawl_yield());
    if (self->error) RAISE(self->error);
    ASYNC_RETURN(self->a + self->b);
    ASYNC_END;
}

/* The thread's and the loop's: what lies between `lock` and `changed` belongs to both. */
static struct submission {
    struct pawl_handle begin, cancel, stop;
    struct add call;
    TASK(add) slot;
    struct pawl_handle ended;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    int error, result;
} submission = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void tell(struct submission *what, int error, int result)
{
    pthread_mutex_lock(&what->lock);
    what->done = true;
    what->error = error;
    what->result = result;
    pthread_cond_signal(&what->changed);
    pthread_mutex_unlock(&what->lock);
}

static void on_end(void *argument)
{
    struct submission *const what = argument;
    tell(what, pawl_future_error(&what->slot), what->slot.frame.result);
}

static void on_begin(void *argument)
{
    struct submission *const what = argument;
    struct pawl_task *const task = pawl_start(&what->slot, what->call);
    const int error = task ? pawl_future_add_callback(task, &loop, &what->ended, on_end, what) : PAWL_EBUSY;
    if (error != 0) tell(what, error, 0);
}

static void on_cancel(void *argument)
{
    pawl_task_cancel(&((struct submission *)argument)->slot.awaitable);
}

static void on_stop(void *unused)
{
    (void)unused;
    pawl_loop_stop(&loop);
}

static int wait_for_end(struct submission *what)
{
    pthread_mutex_lock(&what->lock);
    while (!what->done) pthread_cond_wait(&what->changed, &what->lock);
    const int error = what->error;
    pthread_mutex_unlock(&what->lock);
    return error;
}

/* Submits, gives up at once if nobody is to wait for ever, and waits for the end. */
static void *submit(void *argument)
{
    struct submission *const what = argument;
    if (pawl_call_soon_threadsafe(&loop, &what->begin, on_begin, what) != 0) abort();
    if (what->call.for_ever && pawl_call_soon_threadsafe(&loop, &what->cancel, on_cancel, what) != 0) abort();
    wait_for_end(what);
    if (pawl_call_soon_threadsafe(&loop, &what->stop, on_stop, NULL) != 0) abort();
    return what;
}

/* Runs the loop until a thread that submits `call` has seen its end: the error. */
static int run_with_thread(struct add call)
{
    pthread_t thread;
    submission.call = call;
    ck_assert_int_eq(pthread_create(&thread, NULL, submit, &submission), 0);
    ck_assert_int_eq(pawl_loop_run(&loop), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(submission.done);
    ck_assert_ptr_null(pawl_task_next(&loop, NULL));
    return submission.error;
}

START_TEST(a_thread_gets_the_result_of_a_coroutine_that_it_submits)
{
    open_loop();
    ck_assert_int_eq(run_with_thread(CORO(add, .a = 1, .b = 2)), 0);
    ck_assert_int_eq(submission.result, 3);
    close_loop();
}
END_TEST

START_TEST(a_thread_gets_the_error_of_a_coroutine_that_it_submits)
{
    open_loop();
    ck_assert_int_eq(run_with_thread(CORO(add, .a = 1, .b = 2, .error = -5)), -5);
    close_loop();
}
END_TEST

START_TEST(a_thread_is_told_when_its_coroutine_cancels_itself)
{
    open_loop();
    ck_assert_int_eq(run_with_thread(CORO(add, .cancel_itself = true)), PAWL_ECANCELLED);
    close_loop();
}
END_TEST

START_TEST(a_thread_that_gives_up_cancels_its_coroutine_and_no_task_is_left)
{
    open_loop();
    ck_assert_int_eq(run_with_thread(CORO(add, .for_ever = true)), PAWL_ECANCELLED);
    ck_assert(pawl_future_cancelled(&submission.slot));
    close_loop();
}
END_TEST

START_TEST(a_thread_is_told_when_no_task_can_be_made)
{
    open_loop();
    ck_assert_ptr_nonnull(pawl_start(&submission.slot, CORO(add, .for_ever = true))); /* the slot is taken */
    pthread_t thread;
    submission.call = CORO(add, .a = 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, submit, &submission), 0);
    ck_assert_int_eq(pawl_loop_run(&loop), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(submission.error, PAWL_EBUSY);
    ck_assert(!pawl_future_done(&submission.slot));
    ck_assert_int_eq(pawl_loop_shutdown(&loop), 0);
    close_loop();
}
END_TEST

/* ---- A result from a thread ---- */

static struct computation {
    struct pawl_loop *loop;
    FUTURE(int) answer;
    struct pawl_handle arrived;
    pthread_t thread, worker;
    int value, refused;
} computation;

static void on_arrival(void *argument)
{
    struct computation *const what = argument;
    what->refused = pawl_future_set_result(&what->answer, what->value);
}

static void *compute(void *argument)
{
    struct computation *const what = argument;
    what->worker = pthread_self();
    what->value = 6 * 7;
    if (pawl_call_soon_threadsafe(what->loop, &what->arrived, on_arrival, what) != 0) abort();
    return NULL;
}

struct asks {
    COROUTINE(int);
    bool give_up;
    struct pawl_sleep sleep;
};

ASYNC(asks)
{
    ASYNC_BEGIN(asks);
    computation.loop = pawl_loop_current();
    ck_assert_int_eq(pthread_create(&computation.thread, NULL, compute, &computation), 0);
    if (self->give_up) pawl_future_cancel(&computation.answer);
    TRY {
        AWAIT(&computation.answer);
        self->result = computation.answer.result;
    } FINALLY {
        AWAIT(&computation.arrived);
        ck_assert_int_eq(pthread_join(computation.thread, NULL), 0);
    } END_TRY;
    ASYNC_END;
}

START_TEST(a_task_awaits_what_a_thread_computes)
{
    static TASK(asks) slot;
    open_loop();
    ck_assert_ptr_nonnull(pawl_start(&slot, CORO(asks)));
    ck_assert_int_eq(pawl_loop_run_until_complete(&loop, &slot), 0);
    ck_assert_int_eq(slot.frame.result, 42);
    ck_assert_int_eq(computation.refused, 0);
    ck_assert(!pthread_equal(computation.worker, pthread_self()));
    close_loop();
}
END_TEST

START_TEST(what_a_thread_computes_for_nobody_any_more_is_refused_and_still_there)
{
    open_loop();
    struct pawl_task *const task = pawl_spawn(CORO(asks, .give_up = true));
    ck_assert_int_eq(pawl_loop_run_until_complete(&loop, task), PAWL_ECANCELLED);
    ck_assert(pawl_future_cancelled(&computation.answer));
    ck_assert_int_eq(computation.refused, PAWL_EDONE);
    ck_assert_int_eq(computation.value, 42);
    ck_assert_int_eq(computation.answer.result, 0);
    pawl_task_release(task);
    close_loop();
}
END_TEST

/* The thread's job is a future that knows how to stop it; who awaits that in vain is not asked how. */
static struct job {
    struct pawl_hooked_future future;
    struct pawl_handle ended;
    pthread_t thread;
    int unwanted, stopped; /* unwanted: atomic */
} job;

static void on_job_end(void *argument)
{
    struct job *const what = argument;
    pawl_future_settle(&what->future.awaitable, what->stopped ? PAWL_ECANCELLED : 0);
}

static void *work_until_unwanted(void *argument)
{
    struct job *const what = argument;
    while (!__atomic_load_n(&what->unwanted, __ATOMIC_ACQUIRE)) sched_yield();
    what->stopped = 1;
    if (pawl_call_soon_threadsafe(&loop, &what->ended, on_job_end, what) != 0) abort();
    return NULL;
}

static bool stop_job(struct pawl_hooked_future *future)
{
    __atomic_store_n(&((struct job *)(void *)future)->unwanted, 1, __ATOMIC_RELEASE);
    return true; /* under way: the thread tells when it has stopped */
}

struct awaits_job {
    COROUTINE(void);
};

ASYNC(awaits_job)
{
    ASYNC_BEGIN(awaits_job);
    AWAIT(&job.future.awaitable);
    ASYNC_END;
}

START_TEST(a_cancellation_goes_through_to_the_thread_that_computes)
{
    open_loop();
    job.future.awaitable.flags = PAWL_FUTURE_HOOKED;
    job.future.cancel = stop_job;
    ck_assert_int_eq(pthread_create(&job.thread, NULL, work_until_unwanted, &job), 0);
    struct pawl_task *const task = pawl_spawn(CORO(awaits_job));
    ck_assert_int_eq(pawl_loop_run_once(&loop, false), 0);
    ck_assert(pawl_task_cancel(task));
    ck_assert_int_eq(pawl_loop_run_until_complete(&loop, task), PAWL_ECANCELLED);
    ck_assert_int_eq(pthread_join(job.thread, NULL), 0);
    ck_assert(job.stopped && pawl_future_cancelled(&job.future.awaitable));
    pawl_task_release(task);
    close_loop();
}
END_TEST

START_TEST(nothing_is_sent_without_a_loop_a_handle_and_a_callback)
{
    struct pawl_handle handle = { 0 };
    open_loop();
    ck_assert_int_eq(pawl_call_soon_threadsafe(NULL, &handle, on_stop, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_soon_threadsafe(&loop, NULL, on_stop, NULL), PAWL_EINVAL);
    ck_assert_int_eq(pawl_call_soon_threadsafe(&loop, &handle, NULL, NULL), PAWL_EINVAL);
    ck_assert(!pawl_handle_pending(&handle));
    ck_assert(!pawl_loop_pending(&loop));
    close_loop();
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("submit");
    TCase *const submitting = add_case(suite, "submitting");
    tcase_add_test(submitting, a_thread_gets_the_result_of_a_coroutine_that_it_submits);
    tcase_add_test(submitting, a_thread_gets_the_error_of_a_coroutine_that_it_submits);
    tcase_add_test(submitting, a_thread_is_told_when_its_coroutine_cancels_itself);
    tcase_add_test(submitting, a_thread_that_gives_up_cancels_its_coroutine_and_no_task_is_left);
    tcase_add_test(submitting, a_thread_is_told_when_no_task_can_be_made);
    TCase *const results = add_case(suite, "results");
    tcase_add_test(results, a_task_awaits_what_a_thread_computes);
    tcase_add_test(results, what_a_thread_computes_for_nobody_any_more_is_refused_and_still_there);
    tcase_add_test(results, a_cancellation_goes_through_to_the_thread_that_computes);
    tcase_add_test(results, nothing_is_sent_without_a_loop_a_handle_and_a_callback);
    return suite;
}
