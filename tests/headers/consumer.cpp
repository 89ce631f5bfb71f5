// SPDX-License-Identifier: MIT
// Copyright (c) 2026 the pawl authors
// The macros in a C++20 program: generators, coroutines, futures, tasks, handlers, scopes, groups, channels, queues, and a loop to
// run them.
#include <pawl/pawl.h>

#include <cstdio>

struct count { GENERATOR(int, int, long); int from, to; };

GEN(count)
{
    GEN_BEGIN(count);
    TRY {
        for (; self->from < self->to; self->from++) YIELD(self->from + SENT());
        GEN_RETURN(self->from * 100L);
    } CATCH(PAWL_ETIMEOUT) {
        YIELD(-1);
        RERAISE();
    } FINALLY {
        std::puts("counted");
    } END_TRY;
    GEN_END;
}

struct both { GENERATOR(int, int); struct count count; };

GEN(both)
{
    GEN_BEGIN(both);
    YIELD_FROM(self->count, CORO(count, .from = 1, .to = 3));
    YIELD(static_cast<int>(self->count.result));
    YIELD_FROM(self->count, CORO(count, .to = 1));
    GEN_END;
}

struct nap { COROUTINE(void); pawl_time span; struct pawl_sleep sleep; };

ASYNC(nap)
{
    ASYNC_BEGIN(nap);
    AWAIT(self->sleep, pawl_sleep(self->span));
    ASYNC_END;
}

using number = FUTURE(long);

struct answer { COROUTINE(long); number *future; struct nap nap; };

ASYNC(answer)
{
    ASYNC_BEGIN(answer);
    AWAIT(self->nap, CORO(nap, .span = PAWL_MS(1)));
    AWAIT(self->future);
    ASYNC_RETURN(self->future->result * 2);
    ASYNC_END;
}

struct letter { char text[32]; };

static CHANNEL(int, 2) numbers;
static CHANNEL(int, 0) direct;
static QUEUE(struct letter, 1) letters;
static BROADCAST(int, 2) news;
static WATCH(int) setting;
static struct pawl_lock lock;

struct sender { COROUTINE(void); int i; struct letter letter; struct pawl_channel_send send; struct pawl_queue_put put; };

ASYNC(sender)
{
    ASYNC_BEGIN(sender);
    for (; self->i < 4; self->i++) AWAIT(self->send, pawl_channel_send(&numbers, self->i));
    pawl_channel_close(&numbers);
    AWAIT(self->send, pawl_channel_send(&direct, 40));
    AWAIT(self->put, pawl_queue_put_from(&letters, &self->letter));
    ASYNC_END;
}

struct receiver {
    COROUTINE(int);
    int item;
    struct letter letter;
    struct pawl_channel_receive receive;
    struct pawl_queue_get get;
    struct pawl_lock_acquire hold;
};

ASYNC(receiver)
{
    ASYNC_BEGIN(receiver);
    WITH(self->hold, pawl_lock_acquire(&lock)) {
        TRY {
            for (;; self->result += self->item) AWAIT(self->receive, pawl_channel_receive(&numbers, &self->item));
        } CATCH(PAWL_ECLOSED) {
            std::printf("closed after %d\n", self->result);
        } END_TRY;
        AWAIT(self->receive, pawl_channel_receive(&direct, &self->item));
        AWAIT(self->get, pawl_queue_get(&letters, &self->letter));
        std::printf("%d, %s\n", self->item, self->letter.text);
        ASYNC_RETURN(self->result + self->item);
    } END_WITH;
    ASYNC_END;
}

struct together {
    COROUTINE(int);
    int item;
    PAWL_TASK(receiver) receiver;
    PAWL_TASK(pawl_sleep) timer;
    PAWL_TASK(pawl_broadcast_receive) listener;
    struct pawl_subscriber subscriber;
    struct pawl_seen seen;
    struct pawl_group group;
    struct pawl_member member;
    struct pawl_timeout timeout;
    struct pawl_sleep sleep;
    struct pawl_child arms[3];
    struct pawl_select select;
    struct pawl_watch_changed changed;
};

ASYNC(together)
{
    ASYNC_BEGIN(together);
    pawl_channel_init(&numbers);
    pawl_channel_init(&direct);
    pawl_queue_init(&letters);
    pawl_broadcast_init(&news);
    WITH(self->group, pawl_group()) {
        if (pawl_group_spawn(&self->group, CORO(sender, .letter = { "a letter" })) == nullptr) RAISE(PAWL_ENOMEM);
        if (pawl_group_add(&self->group, &self->member, pawl_start(&self->receiver, CORO(receiver))) != 0) RAISE(PAWL_EINVAL);
    } END_WITH;
    WITH(self->timeout, pawl_move_on_after(PAWL_MS(1))) {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
    } END_WITH;
    std::printf("moved on %d\n", static_cast<int>(pawl_timeout_expired(&self->timeout)));
    self->subscriber = pawl_subscribe(&news);
    if (pawl_broadcast_send(&news, 5) != 0 || pawl_watch_send(&setting, 6) != 0) RAISE(PAWL_ECLOSED);
    AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->timer, pawl_sleep(PAWL_SEC(1))),
                                             pawl_start(&self->listener, pawl_broadcast_receive(&news, &self->subscriber, &self->item)))));
    AWAIT(self->changed, pawl_watch_changed(&setting, &self->seen));
    std::printf("arm %d: %d, %d\n", static_cast<int>(self->select.result), self->item, setting.value);
    ASYNC_RETURN(self->receiver.frame.result);
    ASYNC_END;
}

struct amain {
    COROUTINE(int);
    number future;
    struct pawl_task *task;
    PAWL_TASK(nap) slot;
    struct pawl_child children[2];
    struct pawl_gather all;
    struct pawl_wait_for timed;
    struct pawl_future never;
    struct together together;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    self->task = pawl_spawn(CORO(answer, .future = &self->future));
    if (pawl_start(&self->slot, CORO(nap, .span = PAWL_MS(2))) == nullptr) RAISE(PAWL_EBUSY);
    if (pawl_future_set_result(&self->future, 21) != 0) RAISE(PAWL_EDONE);
    AWAIT(self->all, pawl_gather(CHILDREN(self->children, self->task, &self->slot)));
    std::printf("answer %ld\n", pawl_task_frame(answer, self->task)->result);
    pawl_task_release(self->task);
    TRY {
        AWAIT(self->timed, pawl_wait_for(&self->never, PAWL_MS(1)));
    } CATCH(PAWL_ETIMEOUT) {
        std::printf("%s\n", pawl_strerror(CAUGHT()));
    } END_TRY;
    AWAIT(self->together, CORO(together));
    std::printf("together %d\n", self->together.result);
    ASYNC_RETURN(7);
    ASYNC_END;
}

static void generators()
{
    struct both gen = CORO(both);
    GEN_FOREACH(v, &gen) std::printf("%d\n", v);
    struct count sent = CORO(count, .to = 9);
    if (gen_next(&sent) && gen_send(&sent, 40)) std::printf("sent %d\n", sent.value);
    if (gen_throw(&sent, PAWL_ETIMEOUT)) std::printf("thrown %d\n", sent.value);
    const int closed = gen_close(&sent);
    std::printf("closed %d, error %d, done %d\n", closed, gen_error(&sent), static_cast<int>(gen_done(&sent)));
}

static void by_hand()
{
    struct nap nap = CORO(nap, .span = PAWL_SEC(3600));
    struct pawl_future *const wait = coro_step(&nap);
    std::printf("waits %d\n", wait != nullptr && pawl_future_done(wait) ? 1 : 0);
    std::printf("ended %d\n", coro_step(&nap) == nullptr && coro_error(&nap) == 0 ? 1 : 0);
}

static void runner()
{
    struct pawl_virtual clock;
    struct pawl_runner runner;
    static PAWL_TASK(nap) slot;
    pawl_virtual_init(&clock);
    const int made = pawl_runner_init(&runner, &clock.base);
    const int first = pawl_runner_run(&runner, CORO(nap, .span = PAWL_SEC(3600)));
    const int second = pawl_runner_run_in(&runner, &slot, CORO(nap, .span = PAWL_SEC(3600)));
    std::printf("runner %d %d %d %d\n", made, first, second, clock.now == PAWL_SEC(7200) ? 1 : 0);
    std::printf("finished %d\n", pawl_runner_finish(&runner));
}

int main()
{
    generators();
    by_hand();
    runner();
    return pawl_run(CORO(amain)) == 7 ? 0 : 1;
}
