/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A pipeline: each stage receives from one channel and sends into the next, and closes its output when it ends, for whatever
 * reason. So the end of the source runs through to the sink. One channel has room for two items, so that its ends need not
 * go in step; the other has none, and each send there meets its receive.
 */
#include <stdio.h>

#include <pawl/pawl.h>

typedef CHANNEL(int, 2) buffered;
typedef CHANNEL(int, 0) rendezvous;

struct count {
    COROUTINE(void);
    buffered *out;
    int n, to;
    struct pawl_channel_send send;
};

ASYNC(count)
{
    ASYNC_BEGIN(count);
    TRY {
        for (self->n = 1; self->n <= self->to; self->n++) AWAIT(self->send, pawl_channel_send(self->out, self->n));
    } FINALLY {
        pawl_channel_close(self->out);
    } END_TRY;
    ASYNC_END;
}

struct square {
    COROUTINE(void);
    buffered *in;
    rendezvous *out;
    int n;
    struct pawl_channel_receive receive;
    struct pawl_channel_send send;
};

ASYNC(square)
{
    ASYNC_BEGIN(square);
    TRY {
        for (;;) {
            AWAIT(self->receive, pawl_channel_receive(self->in, &self->n));
            AWAIT(self->send, pawl_channel_send(self->out, self->n * self->n));
        }
    } CATCH(PAWL_ECLOSED) {
        /* the source has ended */
    } FINALLY {
        pawl_channel_close(self->out);
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    buffered numbers;
    rendezvous squares;
    int n, sum;
    struct pawl_group group;
    struct pawl_channel_receive receive;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_channel_init(&self->numbers);
    pawl_channel_init(&self->squares);
    WITH(self->group, pawl_group()) {
        if (pawl_group_spawn(&self->group, CORO(count, .out = &self->numbers, .to = 5)) == NULL) RAISE(PAWL_ENOMEM);
        if (pawl_group_spawn(&self->group, CORO(square, .in = &self->numbers, .out = &self->squares)) == NULL) RAISE(PAWL_ENOMEM);
        TRY {
            for (;;) {
                AWAIT(self->receive, pawl_channel_receive(&self->squares, &self->n));
                printf("%d\n", self->n);
                self->sum += self->n;
            }
        } CATCH(PAWL_ECLOSED) {
            printf("sum %d\n", self->sum);
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
