/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A random crowd: tasks that do whatever the library has, with a few shared things, while anybody may be cancelled at any time.
 * Whenever nothing can run until some time has passed, nobody waits for what is there. A director cancels some, and ends all
 * that are left when nothing at all can run any more (the clock is virtual). At the end everything is where it was: no item is
 * lost or there twice, locks are free, permits are back, lists are empty, nothing is armed, no memory is left. In some runs the
 * loop is shut down, or finished, in the middle of it.
 *
 * Each seed is one course of events. STRESS_FIRST and STRESS_COUNT in the environment say which are run.
 */
#include <support.h>

#include <stdio.h>
#include <string.h>

enum { ACTORS = 12, STEPS = 30, ITEMS = 1 << 13, PERMITS = 2, PARTIES = 3, MANY_ROUNDS = 100000 };
#define LATE PAWL_SEC(1)

static struct pawl_virtual clock_port;
static struct pawl_loop loop;
static struct counting memory;
static struct pawl_task *director, *actors[ACTORS];
static unsigned long seed;
static bool over; /* nobody swallows a cancellation any more */
static uint64_t state;

static struct pawl_lock lock;
static struct pawl_condition condition;
static int inside, permitted, goods;
static struct pawl_semaphore semaphore;
static struct pawl_event event;
static struct pawl_barrier barrier;
static QUEUE(int, 2) fifo;
static QUEUE(int, 3) heap;
static CHANNEL(int, 0) rendezvous;
static CHANNEL(int, 1) narrow;
static CHANNEL(int, 3) wide;
static BROADCAST(int, 2) news;
static WATCH(int) watch;

static struct pawl_queue *const queues[] = { &fifo.queue, &heap.queue };
static struct pawl_channel *const channels[] = { &rendezvous.channel, &narrow.channel, &wide.channel };

static void broken(int line, const char *what)
{
    ck_abort_msg("%s:%d: %s, with seed %lu", __FILE__, line, what, seed);
}
#define must(condition) ((condition) ? (void)0 : broken(__LINE__, #condition))

/* 0 to n - 1. */
static unsigned any(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state * 2685821657736338717u) >> 33) % n;
}

/* ---- Items, of which each is sent and received once ---- */

enum { SENT = 1, RECEIVED = 2, UNSURE = 4 };
static unsigned char items[ITEMS];
static int next_item;

static int new_item(void)
{
    must(next_item < ITEMS);
    return next_item++;
}

static void mark(int item, unsigned char how)
{
    must((items[item] & how) == 0);
    items[item] |= how;
}

/* What the outcome of a send says: whoever was closed cannot tell. */
static void sending_ended(int item, int error)
{
    if (error == 0) mark(item, SENT);
    else if (error == PAWL_EEXIT) items[item] |= UNSURE;
}

static void check_items(void)
{
    for (int i = 0; i < next_item; i++)
        must((items[i] & UNSURE) || ((items[i] & SENT) != 0) == ((items[i] & RECEIVED) != 0));
}

/* ---- What is done to one thing ---- */

struct locks {
    COROUTINE(void);
    struct pawl_lock_acquire scope;
    struct pawl_sleep sleep;
};

ASYNC(locks)
{
    ASYNC_BEGIN(locks);
    WITH(self->scope, pawl_lock_acquire(&lock)) {
        must(++inside == 1);
        TRY {
            AWAIT(self->sleep, pawl_sleep(any(3)));
        } FINALLY {
            inside--;
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

struct takes_permit {
    COROUTINE(void);
    struct pawl_semaphore_acquire scope;
    struct pawl_sleep sleep;
};

ASYNC(takes_permit)
{
    ASYNC_BEGIN(takes_permit);
    WITH(self->scope, pawl_semaphore_acquire(&semaphore)) {
        must(++permitted <= PERMITS);
        TRY {
            AWAIT(self->sleep, pawl_sleep(any(3)));
        } FINALLY {
            permitted--;
        } END_TRY;
    } END_WITH;
    ASYNC_END;
}

struct consumes {
    COROUTINE(void);
    struct pawl_lock_acquire scope;
    struct pawl_condition_wait wait;
    struct pawl_sleep sleep;
};

static bool any_goods(void *argument)
{
    (void)argument;
    must(pawl_lock_locked(&lock));
    return goods > 0;
}

ASYNC(consumes)
{
    ASYNC_BEGIN(consumes);
    WITH(self->scope, pawl_lock_acquire(&lock)) {
        if (any(2)) {
            AWAIT(self->wait, pawl_condition_wait_for(&condition, any_goods, NULL));
        } else {
            while (goods == 0) AWAIT(self->wait, pawl_condition_wait(&condition));
        }
        goods--;
        if (any(2)) YIELD_NOW();
    } END_WITH;
    ASYNC_END;
}

struct produces {
    COROUTINE(void);
    struct pawl_lock_acquire scope;
};

ASYNC(produces)
{
    ASYNC_BEGIN(produces);
    WITH(self->scope, pawl_lock_acquire(&lock)) {
        const int count = (int)any(3);
        goods += count;
        must(pawl_condition_notify(&condition, (unsigned)count) == 0);
        if (any(2)) YIELD_NOW();
    } END_WITH;
    ASYNC_END;
}

struct meets {
    COROUTINE(void);
    struct pawl_barrier_wait wait;
    struct pawl_barrier_end end;
};

ASYNC(meets)
{
    ASYNC_BEGIN(meets);
    if (any(5) == 0) AWAIT(self->end, any(2) ? pawl_barrier_abort(&barrier) : pawl_barrier_reset(&barrier));
    AWAIT(self->wait, pawl_barrier_wait(&barrier));
    ASYNC_END;
}

struct puts_item {
    COROUTINE(void);
    struct pawl_queue_put put;
    int item;
};

ASYNC(puts_item)
{
    ASYNC_BEGIN(puts_item);
    self->item = new_item();
    TRY_AWAIT(self->put, pawl_queue_put_(queues[any(2)], pawl_item_of_(&self->item, sizeof self->item)));
    sending_ended(self->item, AWAIT_ERROR());
    if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

struct gets_item {
    COROUTINE(void);
    struct pawl_queue_get get;
    struct pawl_sleep sleep;
    struct pawl_queue *queue;
    int item;
};

ASYNC(gets_item)
{
    ASYNC_BEGIN(gets_item);
    self->queue = queues[any(2)];
    AWAIT(self->get, pawl_queue_get_(self->queue, &self->item));
    mark(self->item, RECEIVED);
    TRY {
        if (any(2)) AWAIT(self->sleep, pawl_sleep(1));
    } FINALLY {
        must(pawl_queue_task_done_(self->queue) == 0);
    } END_TRY;
    ASYNC_END;
}

struct joins {
    COROUTINE(void);
    struct pawl_queue_join join;
};

ASYNC(joins)
{
    ASYNC_BEGIN(joins);
    AWAIT(self->join, pawl_queue_join_(queues[any(2)]));
    ASYNC_END;
}

static struct pawl_channel_send send_of_any(const int *item)
{
    return pawl_channel_send_(channels[any(3)], pawl_item_of_(item, sizeof *item));
}

static struct pawl_channel_receive receive_of_any(int *item)
{
    return pawl_channel_receive_(channels[any(3)], item);
}

struct sends_item {
    COROUTINE(void);
    struct pawl_channel_send send;
    struct pawl_wait_for timed;
    int item;
};

ASYNC(sends_item)
{
    ASYNC_BEGIN(sends_item);
    self->item = new_item();
    self->send = send_of_any(&self->item);
    if (any(2)) TRY_AWAIT(&self->send);
    else TRY_AWAIT(self->timed, pawl_wait_for(&self->send, any(4)));
    sending_ended(self->item, AWAIT_ERROR());
    if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
    ASYNC_END;
}

struct receives_item {
    COROUTINE(void);
    struct pawl_channel_receive receive;
    struct pawl_wait_for timed;
    int item;
};

ASYNC(receives_item)
{
    ASYNC_BEGIN(receives_item);
    self->receive = receive_of_any(&self->item);
    if (any(2)) AWAIT(&self->receive);
    else AWAIT(self->timed, pawl_wait_for(&self->receive, any(4)));
    mark(self->item, RECEIVED);
    ASYNC_END;
}

struct tries {
    COROUTINE(void);
    int item;
};

ASYNC(tries)
{
    ASYNC_BEGIN(tries);
    if (pawl_channel_try_receive_(channels[any(3)], &self->item) == 0) mark(self->item, RECEIVED);
    self->item = new_item();
    if (pawl_channel_try_send_(channels[any(3)], pawl_item_of_(&self->item, sizeof self->item)) == 0) mark(self->item, SENT);
    self->item = new_item();
    if (pawl_queue_put_nowait_(queues[any(2)], pawl_item_of_(&self->item, sizeof self->item)) == 0) mark(self->item, SENT);
    ASYNC_END;
}

struct follows {
    COROUTINE(void);
    struct pawl_event_wait wait;
    struct pawl_broadcast_receive receive;
    struct pawl_subscriber subscriber;
    struct pawl_watch_changed changed;
    struct pawl_seen seen;
    int last;
};

ASYNC(follows)
{
    ASYNC_BEGIN(follows);
    self->subscriber = pawl_subscribe(&news);
    self->seen.version = watch.watch.version;
    AWAIT(self->wait, pawl_event_wait(&event));
    AWAIT(self->changed, pawl_watch_changed(&watch, &self->seen));
    AWAIT(self->receive, pawl_broadcast_receive(&news, &self->subscriber, &self->last));
    ASYNC_END;
}

struct tells {
    COROUTINE(void);
    int turn;
};

ASYNC(tells)
{
    ASYNC_BEGIN(tells);
    for (self->turn = 0; self->turn < 3; self->turn++) {
        if (any(2)) pawl_event_set(&event);
        else pawl_event_clear(&event);
        if (any(2)) must(pawl_watch_send(&watch, self->turn) == 0);
        if (any(2)) must(pawl_broadcast_send(&news, self->turn) == 0);
        if (any(2)) YIELD_NOW();
    }
    ASYNC_END;
}

/* ---- What is done to several ---- */

struct selects {
    COROUTINE(void);
    struct pawl_select select;
    struct pawl_child arms[3];
    TASK(pawl_channel_receive) receive;
    TASK(pawl_channel_send) send;
    TASK(pawl_sleep) timer;
    int received, sent;
    bool armed;
};

/* An arm that was closed before it ran on does not know. */
static void look_at_arms(struct selects *self)
{
    struct pawl_task *const receive = &self->receive.awaitable, *const send = &self->send.awaitable;
    if (!self->armed) return;
    if (pawl_future_done(receive) && pawl_future_error(receive) == 0) mark(self->received, RECEIVED);
    sending_ended(self->sent, pawl_future_done(send) ? pawl_future_error(send) : PAWL_EEXIT);
    if (pawl_loop_current() != NULL && !pawl_loop_current()->running) items[self->sent] |= UNSURE;
    self->armed = false;
}

ASYNC(selects)
{
    ASYNC_BEGIN(selects);
    self->sent = new_item();
    TRY {
        self->armed = true;
        AWAIT(self->select, pawl_select(CHILDREN(self->arms, pawl_start(&self->receive, receive_of_any(&self->received)),
                                                 pawl_start(&self->send, send_of_any(&self->sent)),
                                                 pawl_start(&self->timer, pawl_sleep(any(5))))));
    } FINALLY {
        look_at_arms(self);
    } END_TRY;
    ASYNC_END;
}

ASYNC_DECLARE(actor);
struct actor;
static struct pawl_task *spawn_actor(struct pawl_group *group, int steps, int depth);

struct has_children {
    COROUTINE(void);
    struct pawl_child entries[3];
    struct pawl_task *children[3];
    struct pawl_gather all;
    struct pawl_wait wait;
    struct pawl_shield shield;
    struct pawl_as_completed each;
    struct pawl_next_completed next;
    struct pawl_wait_for timed;
    unsigned how;
    int depth;
};

static void make_children(struct has_children *self)
{
    self->how = any(6);
    for (int i = 0; i < 3; i++) {
        self->children[i] = spawn_actor(NULL, 2, self->depth - 1);
        self->entries[i] = pawl_child(self->children[i]);
    }
}

static void end_children(struct has_children *self)
{
    pawl_as_completed_end(&self->each);
    for (int i = 0; i < 3; i++) {
        if (any(2)) pawl_task_cancel(self->children[i]);
        pawl_task_release(self->children[i]);
    }
}

ASYNC(has_children)
{
    ASYNC_BEGIN(has_children);
    TRY {
        make_children(self);
        if (self->how == 0) AWAIT(self->all, pawl_gather(self->entries, 3));
        if (self->how == 1) AWAIT(self->all, pawl_gather_return_errors(self->entries, 3));
        if (self->how == 2) AWAIT(self->wait, pawl_wait(self->entries, 3, (enum pawl_wait_until)any(3), any(2) ? PAWL_FOREVER : 2));
        if (self->how == 3) AWAIT(self->shield, pawl_shield(self->children[0]));
        if (self->how == 4) AWAIT(self->timed, pawl_wait_for(self->children[0], any(6)));
        if (self->how == 5) {
            must(pawl_as_completed_begin(&self->each, self->entries, 3, any(2) ? PAWL_FOREVER : 3) == 0);
            while (self->each.left > 0) AWAIT(self->next, pawl_next_completed(&self->each));
        }
    } FINALLY {
        end_children(self);
    } END_TRY;
    ASYNC_END;
}

struct has_group {
    COROUTINE(void);
    struct pawl_group group;
    struct pawl_timeout limit;
    struct pawl_sleep sleep;
    int depth;
};

static void fill(struct has_group *self)
{
    for (unsigned i = any(4); i > 0; i--) spawn_actor(&self->group, 2, self->depth - 1);
    if (any(6) == 0) pawl_group_cancel(&self->group);
}

ASYNC(has_group)
{
    ASYNC_BEGIN(has_group);
    WITH(self->limit, pawl_timeout(any(3) ? PAWL_FOREVER : any(4))) {
        WITH(self->group, pawl_group()) {
            fill(self);
            if (any(2)) AWAIT(self->sleep, pawl_sleep(any(3)));
            if (any(4) == 0) pawl_scope_cancel(&self->limit);
            if (any(6) == 0) RAISE(-6);
            fill(self);
        } END_WITH;
    } END_WITH;
    ASYNC_END;
}

/* ---- The crowd ---- */

struct step {
    COROUTINE(void);
    union {
        struct pawl_sleep sleep;
        struct locks locks;
        struct takes_permit takes_permit;
        struct consumes consumes;
        struct produces produces;
        struct meets meets;
        struct puts_item puts_item;
        struct gets_item gets_item;
        struct joins joins;
        struct sends_item sends_item;
        struct receives_item receives_item;
        struct tries tries;
        struct follows follows;
        struct tells tells;
        struct selects selects;
        struct has_children has_children;
        struct has_group has_group;
    } a;
    unsigned what;
    int depth;
};

/* Anybody but the director. */
static void cancel_anybody(void)
{
    int count = 0;
    struct pawl_task *found = NULL;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(&loop, task)) != NULL;)
        if (task != director && any((unsigned)++count) == 0) found = task;
    if (found == NULL || over) return;
    if (any(2)) pawl_task_cancel(found);
    else pawl_task_cancel_because(found, "somebody had to go");
    if (any(8) == 0) pawl_task_uncancel(found);
}

ASYNC(step)
{
    ASYNC_BEGIN(step);
    self->what = any(self->depth > 0 ? 22 : 18);
    if (self->what == 0) YIELD_NOW();
    if (self->what == 1) AWAIT(self->a.sleep, pawl_sleep(any(4)));
    if (self->what == 2) AWAIT(self->a.locks, CORO(locks));
    if (self->what == 3) AWAIT(self->a.takes_permit, CORO(takes_permit));
    if (self->what == 4) AWAIT(self->a.consumes, CORO(consumes));
    if (self->what == 5) AWAIT(self->a.produces, CORO(produces));
    if (self->what == 6) AWAIT(self->a.meets, CORO(meets));
    if (self->what == 7) AWAIT(self->a.puts_item, CORO(puts_item));
    if (self->what == 8) AWAIT(self->a.gets_item, CORO(gets_item));
    if (self->what == 9) AWAIT(self->a.joins, CORO(joins));
    if (self->what == 10 || self->what == 11) AWAIT(self->a.sends_item, CORO(sends_item));
    if (self->what == 12 || self->what == 13) AWAIT(self->a.receives_item, CORO(receives_item));
    if (self->what == 14) AWAIT(self->a.tries, CORO(tries));
    if (self->what == 15) AWAIT(self->a.follows, CORO(follows));
    if (self->what == 16) AWAIT(self->a.tells, CORO(tells));
    if (self->what == 17) RAISE(-5);
    if (self->what == 18) AWAIT(self->a.selects, CORO(selects));
    if (self->what == 19) AWAIT(self->a.has_children, CORO(has_children, .depth = self->depth));
    if (self->what == 20) AWAIT(self->a.has_group, CORO(has_group, .depth = self->depth));
    if (self->what == 21) cancel_anybody();
    ASYNC_END;
}

struct actor {
    COROUTINE(void);
    struct pawl_timeout limit;
    struct step step;
    int steps, depth;
};

ASYNC(actor)
{
    ASYNC_BEGIN(actor);
    for (; self->steps > 0; self->steps--) {
        TRY {
            if (any(3)) {
                WITH(self->limit, pawl_move_on_after(any(6))) {
                    AWAIT(self->step, CORO(step, .depth = self->depth));
                } END_WITH;
            } else {
                AWAIT(self->step, CORO(step, .depth = self->depth));
            }
        } CATCH(PAWL_ECANCELLED) {
            if (over || any(3) == 0) RERAISE();
            pawl_task_uncancel(pawl_task_current());
        } CATCH_ERROR {
            if (any(10) == 0) RERAISE();
        } END_TRY;
    }
    ASYNC_END;
}

static struct pawl_task *spawn_actor(struct pawl_group *group, int steps, int depth)
{
    const bool eager = any(4) == 0;
    struct actor frame = CORO(actor, .steps = steps, .depth = depth);
    if (group == NULL) return eager ? pawl_spawn_eager(frame) : pawl_spawn(frame);
    return eager ? pawl_group_spawn_eager(group, frame) : pawl_group_spawn(group, frame);
}

/* ---- The director ---- */

/* When nothing can run before some time has passed, nobody waits for what is there. */
static void look_for_the_forgotten(void)
{
    must(pawl_lock_locked(&lock) || lock.waiters.first == NULL);
    must(pawl_lock_locked(&lock) || goods == 0 || condition.waiters.first == NULL);
    must(semaphore.handed == 0 && (semaphore.value == 0 || semaphore.waiters.first == NULL));
    must(!pawl_event_is_set(&event) || event.waiters.first == NULL);
    must(!pawl_lock_locked(&barrier.lock) && barrier.lock.waiters.first == NULL && barrier.count < PARTIES);
    must((barrier.count > 0) == (barrier.condition.waiters.first != NULL));
    for (int i = 0; i < 2; i++) {
        must(queues[i]->count == 0 || queues[i]->getters.first == NULL);
        must(queues[i]->count == queues[i]->capacity || queues[i]->putters.first == NULL);
        must(queues[i]->unfinished > 0 || queues[i]->finished.waiters.first == NULL);
    }
    for (int i = 0; i < 3; i++) {
        must(channels[i]->promised == 0 && channels[i]->reserved == 0);
        must(channels[i]->count == 0 || channels[i]->receivers.first == NULL);
        must(channels[i]->count >= channels[i]->capacity || channels[i]->senders.first == NULL);
    }
}

/* When no time passes any more either, nobody has anything. */
static void look_around(void)
{
    look_for_the_forgotten();
    must(inside == 0 && !pawl_lock_locked(&lock));
    must(permitted == 0 && semaphore.value == PERMITS);
    for (int i = 0; i < 2; i++) must(queues[i]->unfinished == queues[i]->count);
}

static bool cancel_all_others(void)
{
    bool found = false;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(&loop, task)) != NULL;) {
        if (task == director) continue;
        found = true;
        pawl_task_cancel(task);
    }
    return found;
}

struct directs {
    COROUTINE(void);
    struct pawl_sleep sleep;
    int turns;
};

ASYNC(directs)
{
    ASYNC_BEGIN(directs);
    for (self->turns = (int)any(40); self->turns > 0; self->turns--) {
        AWAIT(self->sleep, pawl_sleep(any(3)));
        cancel_anybody();
    }
    AWAIT(self->sleep, pawl_sleep_until(LATE));
    look_around();
    while (cancel_all_others()) AWAIT(self->sleep, pawl_sleep(1));
    ASYNC_END;
}

/* ---- A run ---- */

static bool before(const void *a, const void *b)
{
    return *(const int *)a < *(const int *)b;
}

static void make_things(void)
{
    lock = (struct pawl_lock)PAWL_LOCK_INIT;
    condition = (struct pawl_condition)PAWL_CONDITION_INIT(&lock);
    semaphore = (struct pawl_semaphore)PAWL_BOUNDED_SEMAPHORE_INIT(PERMITS);
    memset(&event, 0, sizeof event);
    memset(&watch, 0, sizeof watch);
    pawl_barrier_init(&barrier, PARTIES);
    pawl_queue_init(&fifo);
    pawl_priority_queue_init(&heap, before);
    pawl_channel_init(&rendezvous);
    pawl_channel_init(&narrow);
    pawl_channel_init(&wide);
    pawl_broadcast_init(&news);
    inside = permitted = goods = next_item = 0;
    memset(items, 0, sizeof items);
}

static void begin(void)
{
    state = seed * 0x9E3779B97F4A7C15u + 1;
    for (int i = 0; i < 8; i++) any(2);
    make_things();
    counting_init(&memory);
    memory.allocator.keep = any(3);
    pawl_virtual_init(&clock_port);
    must(pawl_loop_init(&loop, &clock_port.base, &memory.allocator) == 0);
    pawl_loop_use(&loop);
    director = NULL;
    over = false;
    for (int i = 0; i < ACTORS; i++) actors[i] = spawn_actor(NULL, STEPS, 2);
    director = pawl_spawn(CORO(directs));
}

static void take_what_is_left(void)
{
    int item;
    for (int i = 0; i < 2; i++) {
        while (pawl_queue_get_nowait_(queues[i], &item) == 0) {
            mark(item, RECEIVED);
            must(pawl_queue_task_done_(queues[i]) == 0);
        }
        must(queues[i]->unfinished == 0);
    }
    for (int i = 0; i < 3; i++)
        while (pawl_channel_try_receive_(channels[i], &item) == 0) mark(item, RECEIVED);
}

static void check_things(void)
{
    look_around();
    must(condition.waiters.first == NULL && event.waiters.first == NULL && barrier.count == 0);
    must(barrier.lock.waiters.first == NULL && barrier.condition.waiters.first == NULL);
    must(news.broadcast.waiters.first == NULL && watch.watch.waiters.first == NULL);
    take_what_is_left();
    for (int i = 0; i < 2; i++) must(!queues[i]->getters.first && !queues[i]->putters.first && !queues[i]->finished.waiters.first);
    for (int i = 0; i < 3; i++) must(!channels[i]->receivers.first && !channels[i]->senders.first && channels[i]->count == 0);
    check_items();
}

static void run_once(void)
{
    must(pawl_loop_run_once(&loop, true) == 0);
    if (loop.ready->next == loop.ready) look_for_the_forgotten();
}

/* A request that was not heard yet when a scope is entered may be taken for the scope's own, as in asyncio: then once more. */
static void shut_down(void)
{
    int tries = 0;
    while (pawl_loop_shutdown(&loop) != 0) must(++tries < 5);
}

/* To the end; or part of the way, and then the loop is shut down, or not even that. */
static void run(void)
{
    const unsigned how = any(6);
    const int rounds = how >= 4 ? (int)any(120) : MANY_ROUNDS;
    for (int i = 0; i < rounds && pawl_task_next(&loop, NULL) != NULL; i++) run_once();
    over = true;
    if (how == 4) shut_down();
    if (how == 5) return;
    must(pawl_task_next(&loop, NULL) == NULL);
    must(pawl_future_error(director) == 0 || how == 4);
    for (int i = 0; i < ACTORS; i++) pawl_task_release(actors[i]);
    pawl_task_release(director);
    must(!pawl_loop_pending(&loop));
    if (memory.allocator.keep == 0) must(memory.alive == 0);
}

static void run_seed(void)
{
    begin();
    run();
    pawl_loop_use(NULL);
    pawl_loop_finish(&loop);
    must(memory.alive == 0);
    check_things();
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
    const char *const text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

START_TEST(whatever_a_crowd_does_and_whoever_is_cancelled_nothing_is_lost)
{
    const unsigned long first = from_environment("STRESS_FIRST", 1), count = from_environment("STRESS_COUNT", 1000);
    for (seed = first; seed < first + count; seed++) {
        if (getenv("STRESS_TRACE")) fprintf(stderr, "seed %lu\n", seed);
        run_seed();
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("stress");
    TCase *const tcase = add_case(suite, "stress");
    tcase_set_timeout(tcase, getenv("STRESS_COUNT") ? 0 : 200);
    tcase_add_test(tcase, whatever_a_crowd_does_and_whoever_is_cancelled_nothing_is_lost);
    return suite;
}
