/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * One speaks, many listen. A broadcast gives every item to each subscriber, and keeps only so many of them: who is too slow
 * is told how many were missed, and goes on with the oldest that is left. A watch is one value: who follows it hears that it
 * has changed and sees the latest, however often it changed in between. In both the speaker never waits.
 */
#include <stdio.h>

#include <pawl/pawl.h>

typedef BROADCAST(int, 3) news;
typedef WATCH(int) thermometer;

struct listener {
    COROUTINE(void);
    news *news;
    const char *name;
    struct pawl_subscriber place;
    int item;
    struct pawl_broadcast_receive receive;
};

ASYNC(listener)
{
    ASYNC_BEGIN(listener);
    TRY {
        for (;;) {
            TRY_AWAIT(self->receive, pawl_broadcast_receive(self->news, &self->place, &self->item));
            if (AWAIT_ERROR() == 0) printf("%s: %d\n", self->name, self->item);
            else if (AWAIT_ERROR() == PAWL_ELAGGED) printf("%s missed %d\n", self->name, (int)self->place.missed);
            else RAISE(AWAIT_ERROR());
        }
    } CATCH(PAWL_ECLOSED) {
        printf("%s: end\n", self->name);
    } END_TRY;
    ASYNC_END;
}

struct follower {
    COROUTINE(void);
    thermometer *outside;
    struct pawl_seen seen;
    struct pawl_watch_changed changed;
};

ASYNC(follower)
{
    ASYNC_BEGIN(follower);
    printf("it is %d degrees\n", self->outside->value);
    TRY {
        for (;;) {
            AWAIT(self->changed, pawl_watch_changed(self->outside, &self->seen));
            printf("now it is %d degrees\n", self->outside->value);
        }
    } CATCH(PAWL_ECLOSED) {
        puts("the thermometer is broken");
    } END_TRY;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    news news;
    thermometer outside;
    TASK(listener) early, late; /* gathered: the main task's frame stays until all tasks have ended */
    TASK(follower) follower;
    struct pawl_child all[3];
    struct pawl_gather gather;
    int n;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    pawl_broadcast_init(&self->news);
    self->outside.value = 15;
    pawl_start(&self->early, CORO(listener, .news = &self->news, .name = "early", .place = pawl_subscribe(&self->news)));
    for (self->n = 1; self->n <= 2; self->n++) {
        pawl_broadcast_send(&self->news, self->n);
        YIELD_NOW();
        YIELD_NOW();
    }
    pawl_start(&self->late, CORO(listener, .news = &self->news, .name = "late", .place = pawl_subscribe(&self->news)));
    for (self->n = 3; self->n <= 7; self->n++) pawl_broadcast_send(&self->news, self->n); /* without a pause */
    pawl_broadcast_close(&self->news);

    pawl_start(&self->follower, CORO(follower, .outside = &self->outside));
    YIELD_NOW();
    for (int degrees = 16; degrees <= 20; degrees++) pawl_watch_send(&self->outside, degrees);
    YIELD_NOW();
    YIELD_NOW();
    pawl_watch_close(&self->outside);
    AWAIT(self->gather, pawl_gather(CHILDREN(self->all, &self->early, &self->late, &self->follower)));
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
