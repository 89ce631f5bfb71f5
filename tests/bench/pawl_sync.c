/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Two tasks that hand something to and fro: through queues, channels and semaphores. */
#include "bench.h"

#include <pawl/pawl.h>

typedef QUEUE(long, 1) slot_queue;
typedef CHANNEL(long, 1) slot_channel;

/* ---- Through queues ---- */

struct queue_player {
    COROUTINE(void);
    slot_queue *in, *out;
    bool first;
    long i, n, value, sum;
    union {
        struct pawl_queue_put put;
        struct pawl_queue_get get;
    };
};

ASYNC(queue_player)
{
    ASYNC_BEGIN(queue_player);
    for (self->i = 0; self->i < self->n; self->i++) {
        if (self->first) AWAIT(self->put, pawl_queue_put(self->out, self->i));
        AWAIT(self->get, pawl_queue_get(self->in, &self->value));
        self->sum += self->value;
        if (!self->first) AWAIT(self->put, pawl_queue_put(self->out, self->value));
    }
    ASYNC_END;
}

struct queue_game {
    COROUTINE(int);
    long n;
    double *cost;
    uint64_t start;
    slot_queue there, back;
    TASK(queue_player) ping, pong;
};

ASYNC(queue_game)
{
    ASYNC_BEGIN(queue_game);
    pawl_queue_init(&self->there);
    pawl_queue_init(&self->back);
    self->start = wall_now();
    pawl_start(&self->ping, CORO(queue_player, .in = &self->back, .out = &self->there, .first = true, .n = self->n / 2));
    pawl_start(&self->pong, CORO(queue_player, .in = &self->there, .out = &self->back, .n = self->n / 2));
    AWAIT(&self->ping);
    AWAIT(&self->pong);
    *self->cost = cost(self->start, self->n);
    must(self->pong.frame.sum == (self->n / 2) * (self->n / 2 - 1) / 2 && self->ping.frame.sum == self->pong.frame.sum, "queue");
    ASYNC_RETURN(0);
    ASYNC_END;
}

double pawl_queue_ping_pong(long n)
{
    double result = 0;
    must(pawl_run(CORO(queue_game, .n = n, .cost = &result)) == 0, "run");
    return result;
}

/* ---- Through channels ---- */

struct channel_player {
    COROUTINE(void);
    slot_channel *in, *out;
    bool first;
    long i, n, value, sum;
    union {
        struct pawl_channel_send send;
        struct pawl_channel_receive receive;
    };
};

ASYNC(channel_player)
{
    ASYNC_BEGIN(channel_player);
    for (self->i = 0; self->i < self->n; self->i++) {
        if (self->first) AWAIT(self->send, pawl_channel_send(self->out, self->i));
        AWAIT(self->receive, pawl_channel_receive(self->in, &self->value));
        self->sum += self->value;
        if (!self->first) AWAIT(self->send, pawl_channel_send(self->out, self->value));
    }
    ASYNC_END;
}

struct channel_game {
    COROUTINE(int);
    long n;
    double *cost;
    uint64_t start;
    slot_channel there, back;
    TASK(channel_player) ping, pong;
};

ASYNC(channel_game)
{
    ASYNC_BEGIN(channel_game);
    pawl_channel_init(&self->there);
    pawl_channel_init(&self->back);
    self->start = wall_now();
    pawl_start(&self->ping, CORO(channel_player, .in = &self->back, .out = &self->there, .first = true, .n = self->n / 2));
    pawl_start(&self->pong, CORO(channel_player, .in = &self->there, .out = &self->back, .n = self->n / 2));
    AWAIT(&self->ping);
    AWAIT(&self->pong);
    *self->cost = cost(self->start, self->n);
    must(self->pong.frame.sum == (self->n / 2) * (self->n / 2 - 1) / 2 && self->ping.frame.sum == self->pong.frame.sum, "channel");
    ASYNC_RETURN(0);
    ASYNC_END;
}

double pawl_channel_ping_pong(long n)
{
    double result = 0;
    must(pawl_run(CORO(channel_game, .n = n, .cost = &result)) == 0, "run");
    return result;
}

/* ---- Through semaphores ---- */

struct relay {
    COROUTINE(void);
    struct pawl_semaphore *mine, *other;
    long i, n;
    struct pawl_semaphore_acquire acquire;
};

ASYNC(relay)
{
    ASYNC_BEGIN(relay);
    for (self->i = 0; self->i < self->n; self->i++) {
        AWAIT(self->acquire, pawl_semaphore_acquire(self->mine));
        pawl_semaphore_release(self->other);
    }
    ASYNC_END;
}

struct relay_race {
    COROUTINE(int);
    long n;
    double *cost;
    uint64_t start;
    struct pawl_semaphore a, b;
    TASK(relay) one, two;
};

ASYNC(relay_race)
{
    ASYNC_BEGIN(relay_race);
    self->a = (struct pawl_semaphore)PAWL_SEMAPHORE_INIT(1);
    self->b = (struct pawl_semaphore)PAWL_SEMAPHORE_INIT(0);
    self->start = wall_now();
    pawl_start(&self->one, CORO(relay, .mine = &self->a, .other = &self->b, .n = self->n / 2));
    pawl_start(&self->two, CORO(relay, .mine = &self->b, .other = &self->a, .n = self->n / 2));
    AWAIT(&self->one);
    AWAIT(&self->two);
    *self->cost = cost(self->start, self->n);
    must(self->a.value == 1 && self->b.value == 0, "semaphores");
    ASYNC_RETURN(0);
    ASYNC_END;
}

double pawl_hand_over(long n)
{
    double result = 0;
    must(pawl_run(CORO(relay_race, .n = n, .cost = &result)) == 0, "run");
    return result;
}
