/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Tasks. A step resumes the innermost frame of the task's chain and looks at how it came back:
 *
 *      root->link odd         ended: settle the task's future
 *      a future, made odd     waits for it: become one of its waiters
 *      1, in no list          only gave way: to the end of the ready queue
 *      1, in a list           a leaf has put the task where it waits (a timer)
 *
 * Cancelling finds the task in one of those places and takes it from there. What it waits for is left at once; the
 * error is raised at the task's next step.
 */
#include "core.h"

/* ---- Life ---- */

/* A task is at home where the one that makes it is. */
static inline struct pawl_loop *home_of_new(struct pawl_loop *loop)
{
    return PAWL_LIKELY(loop->current == NULL || !pawl_is_odd_(loop->current->awaitable.home)) ? loop : home_of_child(loop->current);
}

bool pawl_task_idle_(struct pawl_task *task)
{
    if (task == NULL || pawl_loop_current_ == NULL || pawl_task_finish(task) != 0) return false;
    if (task->awaitable.awaitable.awaitable.first != NULL) return false; /* somebody waits for what was never started */
    task->awaitable.home = home_of_new(pawl_loop_current_);
    return true;
}

#ifdef PAWL_SPARES_

static inline struct pawl_spare *spare_of(struct pawl_loop *loop, size_t size)
{
    return &loop->spares[size / 16 % PAWL_SPARES_];
}

static void *block_allocate(struct pawl_loop *loop, size_t size)
{
    struct pawl_spare *const spare = spare_of(loop, size);
    void *const block = spare->first;
    if (PAWL_UNLIKELY(block == NULL || spare->size != size)) return loop->allocator->allocate(loop->allocator->context, size);
    spare->first = *(void **)block;
    spare->count--;
    return block;
}

static inline void block_release(struct pawl_loop *loop, void *block, uint32_t size)
{
    struct pawl_spare *const spare = spare_of(loop, size);
    if (spare->first == NULL) spare->size = size;
    if (PAWL_UNLIKELY(spare->size != size || spare->count >= loop->allocator->keep || size == 0)) {
        loop->allocator->release(loop->allocator->context, block);
        return;
    }
    *(void **)block = spare->first;
    spare->first = block;
    spare->count++;
}

static inline uint32_t block_size(const struct pawl_task *task)
{
    return task->awaitable.awaitable.size;
}

void loop_release_spares(struct pawl_loop *loop)
{
    for (struct pawl_spare *spare = loop->spares; spare < loop->spares + PAWL_SPARES_; spare++) {
        while (spare->first != NULL) {
            void *const block = spare->first;
            spare->first = *(void **)block;
            loop->allocator->release(loop->allocator->context, block);
        }
        spare->count = 0;
    }
}

#else

static void *block_allocate(struct pawl_loop *loop, size_t size)
{
    return loop->allocator->allocate(loop->allocator->context, size);
}

static inline void block_release(struct pawl_loop *loop, void *block, uint32_t size)
{
    (void)size;
    loop->allocator->release(loop->allocator->context, block);
}

static inline uint32_t block_size(const struct pawl_task *task)
{
    (void)task;
    return 0;
}

void loop_release_spares(struct pawl_loop *loop)
{
    (void)loop;
}

#endif

void *loop_allocate(struct pawl_loop *loop, size_t size)
{
    return loop->allocator != NULL ? block_allocate(loop, size) : NULL;
}

void loop_release(struct pawl_loop *loop, void *block, size_t size)
{
    block_release(loop, block, (uint32_t)size);
}

struct pawl_task *pawl_task_allocate_(size_t frame_size)
{
    struct pawl_loop *const loop = pawl_loop_current_;
    if (PAWL_UNLIKELY(loop == NULL || loop->allocator == NULL)) return NULL;
    const size_t size = sizeof(struct pawl_task) + frame_size;
    struct pawl_task *const task = block_allocate(loop, size);
    if (PAWL_UNLIKELY(task == NULL)) return NULL;
    task->awaitable.home = home_of_new(loop);
#ifdef PAWL_SPARES_
    task->awaitable.awaitable.size = size <= UINT32_MAX ? (uint32_t)size : 0;
#endif
    return task;
}

static PAWL_COLD void begin_eager(struct pawl_task *task)
{
    struct pawl_loop *const loop = pawl_task_loop(task);
    struct pawl_task *const outer = loop->current;
    set_where(&task->awaitable, PAWL_WHERE_READY);
    task_resume(loop, task, 0);
    loop->current = outer;
}

/* Stand for a frame that was used before, and for one that CORO did not make: the task fails. */
static PAWL_LEAF(used)
{
    PAWL_LEAF_BEGIN(used);
    (void)root, (void)error;
    return pawl_leaf_done(co, PAWL_EAWAITED);
}

static PAWL_LEAF(invalid)
{
    if (co->point == PAWL_POINT_NAME) return (struct pawl_coro *)(uintptr_t)"?";
    (void)root, (void)error;
    return pawl_leaf_done(co, PAWL_EINVAL);
}

struct pawl_task *pawl_task_begin_(struct pawl_task *task, unsigned flags, bool eager)
{
    struct pawl_loop *const loop = pawl_loop_current_;
    struct pawl_future *const future = &task->awaitable.awaitable;
    struct pawl_coro *const root = root_of(task);
    if (PAWL_UNLIKELY(root->state != PAWL_CORO_FRESH || root->resume == NULL))
        *root = pawl_coro_init_(root->resume ? used_resume : invalid_resume);
    future->awaitable.first = NULL;
    future->error = 0;
    future->flags = (uint16_t)(PAWL_FUTURE_TASK | flags);
    root->state = PAWL_CORO_TASK | PAWL_CORO_STARTED;
    root->link = root;
    list_append(&loop->tasks, &task->all);
    if (PAWL_UNLIKELY(eager)) {
        begin_eager(task);
    } else {
        task->awaitable.on.outcome = 0;
        set_where(&task->awaitable, PAWL_WHERE_READY);
        list_append(loop->ready, &task->awaitable.link);
    }
    return task;
}

/* To the loop of today: that of a task in the caller's memory may be gone. */
static PAWL_COLD void report_unseen(struct pawl_task *task)
{
    struct pawl_future *const future = &task->awaitable.awaitable;
    set_flags(future, PAWL_FUTURE_SEEN);
    report_unseen_failure(future->flags & PAWL_FUTURE_HEAP ? pawl_task_loop(task) : pawl_loop_current_, pawl_task_name(task), pawl_coro_where(root_of(task)), future->error);
}

/* An ended task whose turn to go has come. One in the caller's memory may be reported later (pawl_task_finish). */
void task_forget(struct pawl_task *task)
{
    struct pawl_loop *const loop = pawl_task_loop(task);
    const bool heap = (task->awaitable.awaitable.flags & PAWL_FUTURE_HEAP) != 0;
    if (PAWL_UNLIKELY(heap && unseen_failure(&task->awaitable.awaitable))) report_unseen(task);
    if (PAWL_UNLIKELY(task->awaitable.awaitable.flags & PAWL_FUTURE_NOTED)) note_forget(task);
    list_unlink(&task->all);
    if (heap) block_release(loop, task, block_size(task));
}

/* Ended and looked at, with nothing else to do: all of these but the note. */
enum { QUIET_END = PAWL_FUTURE_OWNED | PAWL_FUTURE_DONE | PAWL_FUTURE_SEEN | PAWL_FUTURE_NOTED };

void pawl_task_release(struct pawl_task *task)
{
    if (task == NULL) return;
    const unsigned flags = task->awaitable.awaitable.flags;
    if (!(flags & PAWL_FUTURE_HEAP)) {
        pawl_task_finish(task);
    } else if (PAWL_LIKELY((flags & QUIET_END) == QUIET_END - PAWL_FUTURE_NOTED)) {
        list_unlink(&task->all);
        block_release(task->awaitable.home, task, block_size(task)); /* it has left its context */
    } else if (flags & PAWL_FUTURE_OWNED) {
        clear_flags(&task->awaitable.awaitable, PAWL_FUTURE_OWNED);
        if (flags & PAWL_FUTURE_DONE) task_forget(task);
    }
}

int pawl_task_finish(struct pawl_task *task)
{
    if (task == NULL || !(task->awaitable.awaitable.flags & PAWL_FUTURE_TASK)) return 0;
    if (!(task->awaitable.awaitable.flags & PAWL_FUTURE_DONE)) return PAWL_EBUSY;
    if (unseen_failure(&task->awaitable.awaitable)) report_unseen(task);
    return 0;
}

/* ---- Steps ---- */

int task_await_carefully(struct pawl_task *task, struct pawl_future *future)
{
    struct pawl_future *const mine = &task->awaitable.awaitable;
    if (future == mine) return PAWL_EDEADLK;
    if (of_other_loop(task, future)) return PAWL_EINVAL;
    const int error = future_subscribe(future, &task->awaitable);
    if (error != 0) return error;
    /* a cancel that came while it ran goes to what it waits for now, as in asyncio */
    if ((mine->flags & PAWL_FUTURE_CANCEL) && (pawl_future_cancel)(future)) clear_flags(mine, PAWL_FUTURE_CANCEL);
    return 0;
}

/* A chain that stands at point 0 of its root has not begun. */
static bool has_begun(const struct pawl_coro *root)
{
    return root->link != root || root->point != 0;
}

/* Cancelled before its first step, the body never runs. */
void task_step_cancelled(struct pawl_loop *loop, struct pawl_task *task)
{
    struct pawl_coro *const root = root_of(task);
    clear_flags(&task->awaitable.awaitable, PAWL_FUTURE_CANCEL);
    if (has_begun(root)) {
        task_resume(loop, task, PAWL_ECANCELLED);
        return;
    }
    root->link = PAWL_ODD_;
    pawl_coro_finish_(root, PAWL_ECANCELLED);
    task_end(task, PAWL_ECANCELLED);
}

/* The end of a task that will not be run any more: what its frames hold is given back, their FINALLYs run. Where one would
 * wait it is closed again, a few times. */
void task_close(struct pawl_task *task)
{
    enum { CLOSE_AT_MOST = 16 };
    struct pawl_coro *const root = root_of(task), *what;
    if (task->awaitable.awaitable.flags & PAWL_FUTURE_DONE) return;
    job_leave(&task->awaitable); /* one that was made while another was closed */
    pawl_task_loop(task)->current = task;
    for (int i = 0; i < CLOSE_AT_MOST && has_begun(root) && pawl_close_(root, &what) == PAWL_EYIELDED; i++) job_leave(&task->awaitable);
    pawl_task_loop(task)->current = NULL;
    leave_context(task);
    task->awaitable.awaitable.error = PAWL_ECANCELLED;
    set_flags(&task->awaitable.awaitable, PAWL_FUTURE_DONE);
}

void task_drop(struct pawl_task *task)
{
    if (task->awaitable.awaitable.flags & PAWL_FUTURE_DONE) return;
    task_close(task);
    future_complete(&task->awaitable.awaitable, PAWL_ECANCELLED);
    task_forget(task);
}

void task_drop_static(struct pawl_task *task)
{
    if (!(task->awaitable.awaitable.flags & PAWL_FUTURE_HEAP)) task_drop(task);
}

void task_refuse(struct pawl_task *task)
{
    struct pawl_future *const future = &task->awaitable.awaitable;
    if (!(future->flags & PAWL_FUTURE_TASK) || (future->flags & PAWL_FUTURE_DONE)) return;
    if (has_begun(root_of(task)) || (future->flags & PAWL_FUTURE_HEAP)) pawl_task_cancel(task);
    else task_drop(task);
}

/* ---- Cancelling ---- */

static bool is_asked(const struct pawl_task *task)
{
    return where(&task->awaitable) == PAWL_WHERE_ASKED;
}

static bool awaits(const struct pawl_task *task)
{
    return where(&task->awaitable) == PAWL_WHERE_FUTURE || is_asked(task);
}

/* Takes the mark off, unless the task has been woken meanwhile. */
static void was_asked(struct pawl_task *task)
{
    if (is_asked(task)) set_where(&task->awaitable, PAWL_WHERE_FUTURE);
}

static struct pawl_task *awaited_task(const struct pawl_task *task)
{
    struct pawl_future *const awaited = task->awaitable.on.awaited;
    if (!awaits(task) || !(awaited->flags & PAWL_FUTURE_TASK)) return NULL;
    return task_of(job_of_future(awaited));
}

static void count_cancel(struct pawl_future *future, const char *message)
{
    if (PAWL_UNLIKELY(message != NULL || (future->flags & PAWL_FUTURE_NOTED))) note_message(task_of(job_of_future(future)), message);
    if ((future->flags & PAWL_CANCELLING_MASK) != PAWL_CANCELLING_MASK) future->flags = (uint16_t)(future->flags + PAWL_CANCELLING_ONE);
}

/* The message of a cancellation that is on its way through a future that asks others. */
static PAWL_THREAD_LOCAL const char *message_on_its_way;

/* Is it one that others wait for too, whatever becomes of this task? */
static bool awaits_shared(const struct pawl_task *task)
{
    enum { KIND = PAWL_FUTURE_TASK | PAWL_FUTURE_HANDLE | PAWL_FUTURE_SHARED };
    return (task->awaitable.on.awaited->flags & KIND) == PAWL_FUTURE_SHARED;
}

static bool cancel_awaited(struct pawl_task *task, const char *message)
{
    const char *const before = message_on_its_way;
    message_on_its_way = message;
    const bool cancelled = (pawl_future_cancel)(task->awaitable.on.awaited);
    message_on_its_way = before;
    return cancelled;
}

/* Cancels a task that does not wait for another one. */
static void leave_cancelled(struct pawl_task *task)
{
    job_leave(&task->awaitable);
    make_ready(&task->awaitable, PAWL_ECANCELLED);
}

static void cancel_here(struct pawl_task *task, const char *message)
{
    struct pawl_future *const future = &task->awaitable.awaitable;
    switch (where(&task->awaitable)) {
    case PAWL_WHERE_FUTURE:
        if (awaits_shared(task)) {
            leave_cancelled(task);
            break;
        }
        set_where(&task->awaitable, PAWL_WHERE_ASKED); /* so that a way back to it is seen */
        if (!cancel_awaited(task, message)) set_flags(future, PAWL_FUTURE_CANCEL);
        was_asked(task);
        break;
    case PAWL_WHERE_TIMER:
    case PAWL_WHERE_FIRING: leave_cancelled(task); break;
    default: set_flags(future, PAWL_FUTURE_CANCEL);
    }
}

void task_cancel_parked(struct pawl_task *task)
{
    clear_flags(&task->awaitable.awaitable, PAWL_FUTURE_CANCEL);
    cancel_here(task, NULL);
}

/* The request goes down the chain of tasks that wait for each other, each marked on the way, to the one that waits for
 * something else; then the marks are taken off. A mark that is met is a circle: nobody in it would ever be woken, and so
 * the one before the mark is. No recursion, since a chain may be long and a stack short. */
static bool task_cancel(struct pawl_task *task, const char *message)
{
    if (task == NULL) return false;
    struct pawl_future *const future = &task->awaitable.awaitable;
    if (!(future->flags & PAWL_FUTURE_TASK)) return false;
    if (future->flags & PAWL_FUTURE_DONE) {
        set_flags(future, PAWL_FUTURE_SEEN);
        return false;
    }
    count_cancel(future, message);
    if (is_asked(task)) return false;

    struct pawl_task *last = task, *woken = NULL;
    for (struct pawl_task *next; (next = awaited_task(last)) != NULL; last = next) {
        set_where(&last->awaitable, PAWL_WHERE_ASKED);
        count_cancel(&next->awaitable.awaitable, message);
        if (is_asked(next)) {
            woken = last;
            break;
        }
    }
    if (woken == NULL) cancel_here(last, message);
    for (struct pawl_task *at = task; at != NULL && is_asked(at); at = awaited_task(at)) was_asked(at);
    if (woken != NULL) {
        job_leave(&woken->awaitable);
        make_ready(&woken->awaitable, 0);
    }
    return true;
}

bool pawl_task_cancel(struct pawl_task *task)
{
    return task_cancel(task, message_on_its_way);
}

bool pawl_task_cancel_because(struct pawl_task *task, const char *message)
{
    return task_cancel(task, message);
}

unsigned pawl_task_uncancel(struct pawl_task *task)
{
    struct pawl_future *const future = &task->awaitable.awaitable;
    if (pawl_task_cancelling(task) > 0) future->flags = (uint16_t)(future->flags - PAWL_CANCELLING_ONE);
    if (pawl_task_cancelling(task) == 0) clear_flags(future, PAWL_FUTURE_CANCEL);
    return pawl_task_cancelling(task);
}

bool take_request_back(struct pawl_task *task, unsigned before, bool pending)
{
    if (pawl_task_uncancel(task) > before) return false;
    if (!pending) clear_flags(&task->awaitable.awaitable, PAWL_FUTURE_CANCEL);
    return true;
}

/* ---- Looking ---- */

struct pawl_task *pawl_task_next(struct pawl_loop *loop, struct pawl_task *task)
{
    struct pawl_link *link = task ? task->all.next : loop->tasks.next;
    for (; link != &loop->tasks; link = link->next) {
        struct pawl_task *const found = task_of_all(link);
        if (!(found->awaitable.awaitable.flags & PAWL_FUTURE_DONE)) return found;
    }
    return NULL;
}

/* ---- Sleeping: the task's own job waits among the timers, so a sleep needs no node of its own ---- */

static struct pawl_coro *sleep_until(struct pawl_coro *co, struct pawl_coro *root, struct pawl_task *task, pawl_time when)
{
    set_where(&task->awaitable, PAWL_WHERE_TIMER);
    pawl_timers_add(&pawl_task_loop(task)->timers, &task->awaitable, not_passed(pawl_task_loop(task), when));
    return pawl_leaf_suspend(co, root);
}

PAWL_LEAF(pawl_sleep)
{
    PAWL_LEAF_BEGIN(pawl_sleep);
    if (co->point != 0) return pawl_leaf_done(co, error);
    struct pawl_task *const task = pawl_leaf_task(root);
    const pawl_time span = ((struct pawl_sleep *)(void *)co)->time;
    co->point = 1;
    if (span <= 0 || task == NULL) return pawl_leaf_suspend(co, root);
    return sleep_until(co, root, task, pawl_time_after(pawl_loop_time(pawl_task_loop(task)), span));
}

PAWL_LEAF(pawl_sleep_until)
{
    PAWL_LEAF_BEGIN(pawl_sleep_until);
    if (co->point != 0) return pawl_leaf_done(co, error);
    struct pawl_task *const task = pawl_leaf_task(root);
    co->point = 1;
    if (task == NULL) return pawl_leaf_suspend(co, root);
    return sleep_until(co, root, task, ((struct pawl_sleep *)(void *)co)->time);
}

/* ---- Frames on the heap ---- */

int pawl_coro_free_(const struct pawl_allocator *allocator, struct pawl_coro *frame)
{
    if (frame == NULL) return 0;
    const int error = pawl_coro_close_(frame);
    if (error == PAWL_EYIELDED || error == PAWL_ERUNNING) return error;
    allocator->release(allocator->context, frame);
    return error;
}
