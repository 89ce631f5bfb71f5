/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Statements of queues. They are of different types, so that each word asks which one is meant. */
#include "oracle.h"

/* `what` with `q` as a pointer to the queue that is meant. */
#define WITH_QUEUE(at, what) do { \
    switch (number_at((at), 0)) { \
    case 0: { __typeof__(&world.queues.large) const q = &world.queues.large; what; break; } \
    case 1: { __typeof__(&world.queues.one) const q = &world.queues.one; what; break; } \
    case 4: { __typeof__(&world.queues.five) const q = &world.queues.five; what; break; } \
    default: { __typeof__(&world.queues.two[0]) const q = &world.queues.two[number_at((at), 0) - 2]; what; break; } \
    } \
} while (0)

static struct pawl_queue *queue_at(const struct statement *at)
{
    struct pawl_queue *queue = NULL;
    WITH_QUEUE(at, queue = &q->queue);
    return queue;
}

static bool least_first(const void *a, const void *b)
{
    return *(const int *)a < *(const int *)b;
}

void queues_begin(void)
{
    pawl_queue_init(&world.queues.large);
    pawl_queue_init(&world.queues.one);
    pawl_queue_init(&world.queues.two[0]);
    pawl_lifo_queue_init(&world.queues.two[1]);
    pawl_priority_queue_init(&world.queues.five, least_first);
}

static struct pawl_queue_put put_into(const struct statement *at)
{
    struct pawl_queue_put frame = { 0 };
    WITH_QUEUE(at, frame = pawl_queue_put(q, number_at(at, 1)));
    return frame;
}

static struct pawl_queue_get get_from(const struct statement *at, int *item)
{
    struct pawl_queue_get frame = { 0 };
    WITH_QUEUE(at, frame = pawl_queue_get(q, item));
    return frame;
}

OPERATION(put, struct pawl_queue_put put;);
ASYNC(put)
{
    ASYNC_BEGIN(put);
    AWAIT(self->put, put_into(self->at));
    ASYNC_END;
}

OPERATION(get, struct pawl_queue_get get; int item;);
ASYNC(get)
{
    ASYNC_BEGIN(get);
    AWAIT(self->get, get_from(self->at, &self->item));
    snprintf(self->result.text, sizeof self->result.text, "%d", self->item);
    ASYNC_END;
}

OPERATION(join, struct pawl_queue_join join;);
ASYNC(join)
{
    ASYNC_BEGIN(join);
    AWAIT(self->join, pawl_queue_join_(queue_at(self->at)));
    ASYNC_END;
}

static const char *result_text(int error)
{
    return error == 0 ? "ok" : error_text(error);
}

static const char *put_now(const struct statement *at)
{
    int error = 0;
    WITH_QUEUE(at, error = pawl_queue_put_nowait(q, number_at(at, 1)));
    return result_text(error);
}

static const char *get_now(const struct statement *at)
{
    static char text[16];
    int error = 0, item = 0;
    WITH_QUEUE(at, error = pawl_queue_get_nowait(q, &item));
    if (error != 0) return error_text(error);
    snprintf(text, sizeof text, "%d", item);
    return text;
}

static const char *task_done(const struct statement *at)
{
    int error = 0;
    WITH_QUEUE(at, error = pawl_queue_task_done(q));
    return result_text(error);
}

static const char *shut(const struct statement *at)
{
    WITH_QUEUE(at, pawl_queue_shutdown(q, number_at(at, 1) != 0));
    return "ok";
}

static const char *size(const struct statement *at)
{
    static char text[24];
    WITH_QUEUE(at, snprintf(text, sizeof text, "%zu%s%s", pawl_queue_size(q), pawl_queue_empty(q) ? " empty" : "",
                            pawl_queue_full(q) ? " full" : ""));
    return text;
}

const struct word words_queue[] = {
    { "put", NULL, make_put }, { "get", NULL, make_get }, { "join", NULL, make_join }, { "putnow", put_now, NULL },
    { "getnow", get_now, NULL }, { "taskdone", task_done, NULL }, { "shutdown", shut, NULL }, { "size", size, NULL }, { NULL, NULL, NULL },
};
