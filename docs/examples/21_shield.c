/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What is not to be interrupted stands behind a shield. The client that asked for the document to be saved goes away, and so
 * its request is cancelled; the saving goes on. It is a task of its own, since somebody has to wait for its end.
 */
#include <stdio.h>

#include <pawl/pawl.h>

struct save {
    COROUTINE(int);
    int left; /* parts */
};

ASYNC(save)
{
    ASYNC_BEGIN(save);
    for (; self->left > 0; self->left--) {
        printf("saving, %d to go\n", self->left);
        YIELD_NOW();
    }
    ASYNC_RETURN(200);
    ASYNC_END;
}

struct request {
    COROUTINE(void);
    struct pawl_task *save;
    struct pawl_shield shield;
};

ASYNC(request)
{
    ASYNC_BEGIN(request);
    TRY {
        AWAIT(self->shield, pawl_shield(self->save));
        puts("never printed");
    } CATCH(PAWL_ECANCELLED) {
        puts("the request is cancelled");
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    TASK(save) save;
    TASK(request) request;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_start(&self->save, CORO(save, .left = 4));
    pawl_start(&self->request, CORO(request, .save = &self->save.awaitable));
    YIELD_NOW();
    YIELD_NOW();

    pawl_future_cancel(&self->request);
    TRY_AWAIT(&self->request);
    printf("the request ended: %s\n", pawl_strerror(AWAIT_ERROR()));
    AWAIT(&self->save);
    printf("the document is saved: %d\n", self->save.frame.result);
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
