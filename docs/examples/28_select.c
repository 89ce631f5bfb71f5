/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * select waits for several things and takes the first: here two channels and a timer. The arms that lose are cancelled in
 * that same moment, so no message is received and then lost. An arm is a task in a slot of the frame; a receive and a sleep
 * are coroutines like any other, and can be started as they are.
 */
#include <stdio.h>

#include <pawl/pawl.h>

typedef CHANNEL(const char *, 4) mailbox;

enum { LETTER, PARCEL, NOTHING, ARMS };

struct next_delivery {
    COROUTINE(int); /* which arm it was */
    mailbox *letters, *parcels;
    pawl_time patience;
    const char *what;
    struct pawl_child arms[ARMS];
    struct pawl_select select;
    TASK(pawl_channel_receive) letter, parcel;
    TASK(pawl_sleep) timer;
};

ASYNC(next_delivery)
{
    ASYNC_BEGIN(next_delivery);
    AWAIT(self->select, pawl_select(CHILDREN(self->arms,
        pawl_start(&self->letter, pawl_channel_receive(self->letters, &self->what)),
        pawl_start(&self->parcel, pawl_channel_receive(self->parcels, &self->what)),
        pawl_start(&self->timer, pawl_sleep(self->patience)))));
    ASYNC_RETURN((int)self->select.result);
    ASYNC_END;
}

struct postman {
    COROUTINE(void);
    mailbox *letters, *parcels;
    struct pawl_sleep sleep;
};

ASYNC(postman)
{
    ASYNC_BEGIN(postman);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    pawl_channel_try_send(self->parcels, "a clock");
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    pawl_channel_try_send(self->parcels, "a book"); /* both at once: one ends the select, and the other stays in its box */
    pawl_channel_try_send(self->letters, "a bill");
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    mailbox letters, parcels;
    TASK(postman) postman;
    struct next_delivery next;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_channel_init(&self->letters);
    pawl_channel_init(&self->parcels);
    pawl_start(&self->postman, CORO(postman, .letters = &self->letters, .parcels = &self->parcels));
    do {
        const pawl_time patience = pawl_future_done(&self->postman) ? PAWL_MS(2) : PAWL_SEC(60);
        AWAIT(self->next, CORO(next_delivery, .letters = &self->letters, .parcels = &self->parcels, .patience = patience));
        if (self->next.result == LETTER) printf("letter: %s\n", self->next.what);
        else if (self->next.result == PARCEL) printf("parcel: %s\n", self->next.what);
        else puts("nothing more today");
    } while (self->next.result != NOTHING);
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
