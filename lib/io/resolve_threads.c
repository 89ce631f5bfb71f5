/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Names by the system's getaddrinfo(3), in threads, since it blocks. There are PAWL_RESOLVERS of them at most, for all loops
 * together, and one queue. A thread is started when there are more requests than idle threads, and ends when it has been idle for
 * some seconds.
 *
 *                        a thread takes it          getaddrinfo returns
 *      QUEUED ───────────────────────────► BUSY ─────────────────────────► SENT, to the loop's inbox; the loop's from then on
 *        │ given up                          │ given up
 *        ▼                                   ▼
 *      freed                              loop = NULL: freed by the thread
 *
 * Which of these it is is decided under the mutex, and under it a thread sends: so a loop is there as long as a thread may
 * touch it, since a loop that ends closes its tasks first, and those give their requests up. The memory of a request is
 * malloc's, because it may outlive its loop.
 */
#include "lookup.h"

#include "../core/core.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUEUED, BUSY, SENT };
enum { IDLE_SECONDS = 5 };

struct pawl_lookup {
    struct pawl_link link; /* in the queue */
    struct pawl_loop *loop; /* NULL: nobody wants it any more */
    struct pawl_future *answered;
    struct pawl_handle handle;
    struct addrinfo hints, *found;
    int state, result, system;
    unsigned process; /* whose request it is */
    char *host, *service; /* in text, or NULL */
    char text[];
};

struct resolver {
    pthread_t thread;
    bool alive, idle;
};

#define EMPTY_POOL { .mutex = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .queue = { &pool.queue, &pool.queue } }

static struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t work; /* there is something in the queue, or the program ends */
    struct pawl_link queue;
    unsigned queued, idle, alive;
    bool ending;
    struct resolver resolvers[PAWL_RESOLVERS];
} pool = EMPTY_POOL;

static unsigned forks; /* between this process and the first one */

/* ---- Requests ---- */

static struct pawl_lookup *lookup_of(struct pawl_link *link)
{
    return (struct pawl_lookup *)(void *)link;
}

static void lookup_free(struct pawl_lookup *lookup)
{
    if (lookup->found != NULL) freeaddrinfo(lookup->found);
    free(lookup);
}

static size_t room_for(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static struct pawl_lookup *lookup_make(struct pawl_getaddrinfo *self, struct pawl_loop *loop)
{
    const size_t host = room_for(self->host), service = room_for(self->service);
    struct pawl_lookup *const lookup = calloc(1, sizeof *lookup + host + service);
    if (lookup == NULL) return NULL;
    lookup->loop = loop;
    lookup->process = forks;
    lookup->answered = &self->answered;
    lookup->hints = (struct addrinfo){ .ai_family = self->family, .ai_socktype = self->type };
    if (host > 0) lookup->host = memcpy(lookup->text, self->host, host);
    if (service > 0) lookup->service = memcpy(lookup->text + host, self->service, service);
    return lookup;
}

/* In the loop's thread. */
static void told(void *argument)
{
    const struct pawl_lookup *const lookup = argument;
    pawl_future_settle(lookup->answered, 0);
}

/* ---- In the threads. The mutex is held except while a thread looks something up ---- */

/* By the clock that a condition has without being asked: one that jumps makes a thread end sooner or later, which does not
 * matter. */
static bool wait_for_work(struct resolver *resolver)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_SECONDS;
    int error = 0;
    resolver->idle = true;
    pool.idle++;
    while (list_empty(&pool.queue) && !pool.ending && error == 0) error = pthread_cond_timedwait(&pool.work, &pool.mutex, &until);
    pool.idle--;
    resolver->idle = false;
    return !list_empty(&pool.queue) && !pool.ending;
}

static struct pawl_lookup *take_lookup(void)
{
    struct pawl_lookup *const lookup = lookup_of(pool.queue.next);
    list_unlink(&lookup->link);
    pool.queued--;
    lookup->state = BUSY;
    return lookup;
}

static void look_up(struct pawl_lookup *lookup)
{
    lookup->result = getaddrinfo(lookup->host, lookup->service, &lookup->hints, &lookup->found);
    lookup->system = errno;
    if (lookup->result != 0) lookup->found = NULL;
}

static void deliver(struct pawl_lookup *lookup)
{
    lookup->state = SENT;
    if (lookup->loop != NULL) pawl_call_soon_threadsafe(lookup->loop, &lookup->handle, told, lookup);
    else lookup_free(lookup);
}

static void *resolve(void *argument)
{
    struct resolver *const resolver = argument;
    pthread_mutex_lock(&pool.mutex);
    while (wait_for_work(resolver)) {
        struct pawl_lookup *const lookup = take_lookup();
        pthread_mutex_unlock(&pool.mutex);
        look_up(lookup);
        pthread_mutex_lock(&pool.mutex);
        deliver(lookup);
    }
    if (!pool.ending) pthread_detach(resolver->thread); /* otherwise somebody joins it, or has detached it */
    resolver->alive = false;
    pool.alive--;
    pthread_mutex_unlock(&pool.mutex);
    return NULL;
}

/* ---- Starting and ending them ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&pool.mutex);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&pool.mutex);
}

/* A child has none of the threads, and its parent's requests are not its own. */
static void in_child(void)
{
    pool = (struct pool)EMPTY_POOL;
    forks++;
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork, in_child);
}

/* The signals are for the program's own threads. 0 or an error number. */
static int start_resolver(struct resolver *resolver)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&resolver->thread, NULL, resolve, resolver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        resolver->alive = true;
        pool.alive++;
    }
    return error;
}

static struct resolver *free_resolver(void)
{
    for (int i = 0; i < PAWL_RESOLVERS; i++)
        if (!pool.resolvers[i].alive) return &pool.resolvers[i];
    return NULL;
}

/* Somebody will see to what is queued: a thread that is idle, or a new one, or, when there can be no more, one that is busy. */
static int call_for_a_resolver(void)
{
    struct resolver *const resolver = pool.queued > pool.idle ? free_resolver() : NULL;
    const int error = resolver != NULL ? start_resolver(resolver) : 0;
    pthread_cond_signal(&pool.work);
    return error != 0 && pool.alive == 0 ? -error : 0;
}

/* At the end of the program: what is idle would seem to be lost. Who is busy is not waited for. */
static __attribute__((destructor)) void end_resolvers(void)
{
    pthread_t idle[PAWL_RESOLVERS];
    int count = 0;
    pthread_mutex_lock(&pool.mutex);
    pool.ending = true;
    for (int i = 0; i < PAWL_RESOLVERS; i++) {
        if (pool.resolvers[i].idle) idle[count++] = pool.resolvers[i].thread;
        else if (pool.resolvers[i].alive) pthread_detach(pool.resolvers[i].thread);
    }
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.mutex);
    while (count > 0) pthread_join(idle[--count], NULL);
}

/* ---- In the loop's thread ---- */

int lookup_begin(struct pawl_getaddrinfo *self, struct pawl_loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct pawl_lookup *const lookup = lookup_make(self, loop);
    if (lookup == NULL) return PAWL_ENOMEM;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&pool.mutex);
    list_append(&pool.queue, &lookup->link);
    pool.queued++;
    const int error = call_for_a_resolver();
    pthread_mutex_unlock(&pool.mutex);
    if (error == 0) self->lookup = lookup;
    else lookup_end(lookup);
    return error;
}

int lookup_take(struct pawl_getaddrinfo *self)
{
    const struct pawl_lookup *const lookup = self->lookup;
    const int error = error_of_getaddrinfo(lookup->result, lookup->system);
    return error != 0 ? error : addresses_copy(self, lookup->loop, lookup->found);
}

void lookup_end(struct pawl_lookup *lookup)
{
    pthread_mutex_lock(&pool.mutex);
    const bool inherited = lookup->process != forks; /* neither a thread nor the queue knows it */
    const int state = inherited ? SENT : lookup->state;
    if (state == BUSY) lookup->loop = NULL;
    if (state == QUEUED) {
        list_unlink(&lookup->link);
        pool.queued--;
    }
    pthread_mutex_unlock(&pool.mutex);
    if (state == BUSY) return;
    pawl_handle_cancel(&lookup->handle); /* it may still be in the inbox */
    lookup_free(lookup);
}
