/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Time limits around a block. pawl_timeout raises PAWL_ETIMEOUT when the block took too long; pawl_move_on_after only goes on
 * behind it; a cancel scope is ended by somebody else. In each of them the block is cancelled where it waits, and cleans up
 * as usual. They may stand inside each other, and each knows its own cancellation from those of others.
 */
#include <stdio.h>

#include <pawl/pawl.h>

static void press_stop(void *scope)
{
    pawl_scope_cancel(scope);
}

struct nested {
    COROUTINE(void);
    struct pawl_timeout outer, inner;
    struct pawl_sleep sleep;
};

ASYNC(nested)
{
    ASYNC_BEGIN(nested);
    TRY {
        WITH(self->outer, pawl_timeout(PAWL_MS(2))) {
            WITH(self->inner, pawl_move_on_after(PAWL_SEC(60))) {
                AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
            } END_WITH;
            puts("never printed: it is the outer one whose time is up");
        } END_WITH;
    } CATCH(PAWL_ETIMEOUT) {
        printf("nested: outer %s, inner %s\n", pawl_timeout_expired(&self->outer) ? "expired" : "not",
               pawl_timeout_expired(&self->inner) ? "expired" : "not");
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct pawl_timeout scope;
    struct pawl_sleep sleep;
    struct nested nested;
    struct pawl_handle button;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    TRY {
        WITH(self->scope, pawl_timeout(PAWL_MS(2))) {
            AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
        } END_WITH;
    } CATCH(PAWL_ETIMEOUT) {
        puts("timeout: too slow");
    } END_TRY;

    WITH(self->scope, pawl_timeout(PAWL_MS(2))) {
        pawl_timeout_reschedule(&self->scope, PAWL_FOREVER); /* more time, before it is too late */
        AWAIT(self->sleep, pawl_sleep(PAWL_MS(4)));
    } END_WITH;
    puts("rescheduled: in time");

    WITH(self->scope, pawl_move_on_after(PAWL_MS(2))) {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
    } END_WITH;
    if (pawl_timeout_expired(&self->scope)) puts("move on after: moved on");

    AWAIT(self->nested, CORO(nested));

    TRY {
        WITH(self->scope, pawl_cancel_scope()) {
            pawl_call_later(pawl_loop_current(), &self->button, PAWL_MS(2), press_stop, &self->scope);
            AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
        } END_WITH;
        puts("cancel scope: stopped from outside");
    } FINALLY {
        pawl_handle_cancel(&self->button);
    } END_TRY;
    printf("requests that are left: %u\n", pawl_task_cancelling(pawl_task_current()));
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
