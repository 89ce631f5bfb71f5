/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A task is a future: any number of others can await it, and callbacks are told of its end. It has a name, it can be
 * found among all tasks of the loop, and a cancellation may say why.
 */
#include <stdio.h>

#include <pawl/pawl.h>

struct worker {
    COROUTINE(int);
    int turns; /* how often it lets the others run before it is done */
};

ASYNC(worker)
{
    ASYNC_BEGIN(worker);
    TRY {
        while (self->turns-- > 0) YIELD_NOW();
        printf("%s is done\n", pawl_task_name(pawl_task_current()));
        ASYNC_RETURN(42);
    } CATCH(PAWL_ECANCELLED) {
        const char *const why = pawl_task_cancel_message(pawl_task_current());
        printf("%s is told: %s\n", pawl_task_name(pawl_task_current()), why != NULL ? why : "end");
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

struct asker {
    COROUTINE(void);
    struct pawl_task *task;
};

ASYNC(asker)
{
    ASYNC_BEGIN(asker);
    AWAIT(self->task);
    printf("asker: %d\n", pawl_task_frame(worker, self->task)->result);
    ASYNC_END;
}

static void on_end(void *task)
{
    printf("callback: %s\n", pawl_strerror(pawl_future_error((struct pawl_task *)task)));
}

static void print_all_tasks(void)
{
    struct pawl_loop *const loop = pawl_loop_current();
    printf("tasks:");
    for (struct pawl_task *task = NULL; (task = pawl_task_next(loop, task)) != NULL;) printf(" %s", pawl_task_name(task));
    putchar('\n');
}

struct amain {
    COROUTINE(void);
    TASK(worker) quick, slow;
    TASK(asker) askers[2];
    struct pawl_task_note quick_name, slow_name; /* only tasks with a name of their own have such a note */
    struct pawl_handle callback;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_start(&self->quick, CORO(worker, .turns = 2));
    pawl_start(&self->slow, CORO(worker, .turns = 1000));
    pawl_task_set_name(&self->quick.awaitable, &self->quick_name, "quick");
    pawl_task_set_name(&self->slow.awaitable, &self->slow_name, "slow");
    for (int i = 0; i < 2; i++) pawl_start(&self->askers[i], CORO(asker, .task = &self->quick.awaitable));
    print_all_tasks();

    TRY {
        pawl_future_add_callback(&self->slow, pawl_loop_current(), &self->callback, on_end, &self->slow);
        AWAIT(&self->quick);
        printf("main: %d\n", self->quick.frame.result);
        AWAIT(&self->askers[1]);

        pawl_task_cancel_because(&self->slow.awaitable, "we close at six");
        TRY_AWAIT(&self->slow);
        YIELD_NOW();
    } FINALLY {
        pawl_handle_cancel(&self->callback); /* it lies in this frame */
    } END_TRY;
    print_all_tasks();
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
