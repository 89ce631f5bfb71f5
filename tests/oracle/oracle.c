/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The world of one scenario: what is there, how it is run and ended, and what is told of it. */
#include "oracle.h"

#include <stdarg.h>

enum { MOST_EVENTS = 400, MOST_ROUNDS = 8 };

struct world world;
const struct word *const all_words[] = { words_now, words_later, words_sync, words_queue, words_scope, words_group, NULL };

/* ---- The trace ---- */

static void tell(const char *who, const char *format, va_list arguments)
{
    printf("%lld %s", (long long)pawl_loop_time(&world.loop), who);
    vprintf(format, arguments);
    putchar('\n');
    world.events++;
}

void say(const char *format, ...)
{
    const struct pawl_task *const task = pawl_task_current();
    char who[16] = "- ";
    va_list arguments;
    if (world.over) return;
    if (task != NULL) snprintf(who, sizeof who, "t%d ", pawl_task_frame(body, task)->k);
    va_start(arguments, format);
    tell(who, format, arguments);
    va_end(arguments);
    if (world.events < MOST_EVENTS) return;
    puts("limit");
    world.over = true;
    pawl_loop_stop(&world.loop);
}

void note(const char *format, ...)
{
    va_list arguments;
    if (world.over) return;
    va_start(arguments, format);
    tell("", format, arguments);
    va_end(arguments);
}

const char *error_text(int error)
{
    static char own[16];
    switch (error) {
    case PAWL_ECANCELLED: return "cancelled";
    case PAWL_ETIMEOUT: return "timeout";
    case PAWL_EDONE: case PAWL_EPENDING: return "invalid";
    case PAWL_EDEADLK: return "itself";
    case PAWL_EINVAL: return "refused";
    case PAWL_EBROKEN: return "broken";
    case PAWL_EFULL: return "full";
    case PAWL_EEMPTY: return "empty";
    case PAWL_ECLOSED: return "shutdown";
    default: break;
    }
    if (error > ITS_OWN_ERRORS || error < ITS_OWN_ERRORS - 9) return pawl_strerror(error);
    snprintf(own, sizeof own, "e%d", ITS_OWN_ERRORS - error);
    return own;
}

/* ---- Memory ---- */

static void *memory_allocate(void *context, size_t size)
{
    struct memory *const memory = context;
    memory->alive++;
    return malloc(size);
}

static void memory_release(void *context, void *block)
{
    struct memory *const memory = context;
    memory->alive--;
    free(block);
}

/* ---- Things ---- */

struct pawl_future *thing(const struct argument *argument)
{
    if (argument->kind == 'f') return PAWL_FUTURE(&world.futures[argument->value]);
    return PAWL_FUTURE(world.tasks[argument->value]);
}

int value_of(const struct argument *argument)
{
    if (argument->kind == 'f') return world.futures[argument->value].result;
    return pawl_task_frame(body, world.tasks[argument->value])->result;
}

/* ---- Blocks and bodies ---- */

struct run *run_new(const struct block *block)
{
    return pawl_coro_new(&world.memory.allocator, CORO(run, .block = block));
}

struct outcome run_take(struct run **run)
{
    const struct outcome outcome = (*run)->result;
    pawl_coro_free(&world.memory.allocator, *run);
    *run = NULL;
    return outcome;
}

/* A statement that cannot wait: the error of a `raise`, or 0. */
static int run_statement(const struct statement *at, struct outcome *outcome)
{
    if (strcmp(at->word->name, "return") == 0) {
        *outcome = (struct outcome){ .returned = true, .value = number_at(at, 0) };
        say("%d return", at->number);
        return 0;
    }
    const int error = strcmp(at->word->name, "raise") != 0 ? 0 : number_at(at, 0) > 0 ? ITS_OWN_ERRORS - number_at(at, 0) : PAWL_ECANCELLED;
    const char *const text = error != 0 ? error_text(error) : at->word->now(at);
    say("%d %s %s", at->number, at->word->name, text);
    return error;
}

void run_now(const struct block *block)
{
    struct outcome outcome;
    for (const struct statement *at = block->first; at != NULL; at = at->next) run_statement(at, &outcome);
}

static void say_outcome(const struct statement *at, int error, const struct outcome *outcome)
{
    if (error != 0) say("%d %s = %s", at->number, at->word->name, error_text(error));
    else say("%d %s = ok%s%s", at->number, at->word->name, *outcome->text != '\0' ? " " : "", outcome->text);
}

ASYNC_PUBLIC(run)
{
    ASYNC_BEGIN(run);
    for (self->at = self->block->first; self->at != NULL; self->at = self->at->next) {
        if (self->at->word->later == NULL) {
            self->error = run_statement(self->at, &self->result);
        } else {
            say("%d %s >", self->at->number, self->at->word->name);
            self->inner = self->at->word->later(self->at);
            TRY_AWAIT(self->inner);
            self->error = AWAIT_ERROR();
            self->result = self->inner->result;
            pawl_coro_free(&world.memory.allocator, self->inner);
            say_outcome(self->at, self->error, &self->result);
        }
        if (self->error != 0) RAISE(self->error);
        if (self->result.returned) ASYNC_RETURN(self->result);
    }
    ASYNC_END;
}

ASYNC_PUBLIC(body)
{
    ASYNC_BEGIN(body);
    say("begins");
    self->run = run_new(world.scenario->body[self->k]);
    TRY_AWAIT(self->run);
    self->error = AWAIT_ERROR();
    const struct outcome outcome = run_take(&self->run);
    if (self->error != 0) {
        say("ends %s", error_text(self->error));
        RAISE(self->error);
    }
    self->result = outcome.returned ? outcome.value : self->k;
    say("ends %d", self->result);
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

struct pawl_task *spawn(int k, bool eager)
{
    if (k >= world.scenario->bodies || world.used[k]) return NULL;
    world.used[k] = true; /* before it runs: an eager one may ask for itself */
    world.tasks[k] = eager ? pawl_spawn_eager(CORO(body, .k = k)) : pawl_spawn(CORO(body, .k = k));
    return world.tasks[k];
}

/* ---- From the beginning to the end ---- */

static void report(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    (void)loop, (void)failure;
    world.lost++;
}

/* The numbers are those of oracle.py. */
static void objects_begin(void)
{
    static const struct pawl_semaphore semaphores[SEMAPHORES] = {
        PAWL_SEMAPHORE_INIT(0), PAWL_SEMAPHORE_INIT(1), PAWL_SEMAPHORE_INIT(2), PAWL_BOUNDED_SEMAPHORE_INIT(1),
    };
    memcpy(world.semaphores, semaphores, sizeof semaphores);
    for (int i = 0; i < CONTEXTS; i++) world.contexts[i].number = i;
    for (int i = 0; i < CONDITIONS; i++) world.conditions[i].lock = &world.condition_locks[i];
    for (int i = 0; i < BARRIERS; i++) pawl_barrier_init(&world.barriers[i], 2 + (unsigned)i);
    queues_begin();
}

static void world_begin(const struct scenario *scenario)
{
    memset(&world, 0, sizeof world);
    world.scenario = scenario;
    world.memory.allocator = (struct pawl_allocator){ memory_allocate, memory_release, &world.memory, 0 };
    pawl_virtual_init(&world.clock);
    pawl_loop_init(&world.loop, &world.clock.base, &world.memory.allocator);
    pawl_loop_set_report(&world.loop, report);
    pawl_loop_use(&world.loop);
    objects_begin();
}

/* As asyncio.run ends; again when what cleans up waits for ever. */
static void shut_down(void)
{
    int round = 0;
    for (; round < MOST_ROUNDS && !world.over; round++) {
        note("shut down");
        if (pawl_loop_shutdown(&world.loop) == 0) break;
        note("deadlock");
    }
    if (round == MOST_ROUNDS) {
        note("stuck");
        world.over = true;
    }
    for (int i = 0; i < MOST_ROUNDS && !world.over; i++) pawl_loop_run_once(&world.loop, false);
}

static void tell_unseen(char kind, int k, const struct pawl_future *future, bool exempt)
{
    if (exempt || future == NULL || !(future->flags & PAWL_FUTURE_DONE) || (future->flags & PAWL_FUTURE_SEEN)) return;
    if (future->error != 0 && future->error != PAWL_ECANCELLED) note("unseen %c%d %s", kind, k, error_text(future->error));
}

/* What has come to its end leaves nothing behind that the loop would have to find. */
static void release_tasks(void)
{
    for (int k = 0; k < TASKS; k++) pawl_task_release(world.tasks[k]);
    if (world.memory.alive != 0) printf("%zu left by tasks that have ended\n", world.memory.alive);
}

static void world_end(void)
{
    note("lost %d", world.lost);
    for (int k = 0; k < TASKS; k++) tell_unseen('t', k, PAWL_FUTURE(world.tasks[k]), world.exempt_tasks[k]);
    for (int k = 0; k < FUTURES; k++) tell_unseen('f', k, PAWL_FUTURE(&world.futures[k]), world.exempt_futures[k]);
    if (!world.over && pawl_task_next(&world.loop, NULL) == NULL) release_tasks();
    world.over = true;
    pawl_loop_use(NULL);
    pawl_loop_finish(&world.loop);
    if (world.memory.alive != 0) printf("%zu left\n", world.memory.alive);
}

static void run_scenario(const struct scenario *scenario)
{
    world_begin(scenario);
    if (pawl_loop_run_until_complete(&world.loop, spawn(0, false)) == PAWL_EDEADLK && !pawl_future_done(world.tasks[0])) note("deadlock");
    shut_down();
    world_end();
    puts(".");
    fflush(stdout); /* should the next one end the program, it is known which one that was */
}

static void list_words(void)
{
    for (const struct word *const *list = all_words; *list != NULL; list++)
        for (const struct word *word = *list; word->name != NULL; word++) puts(word->name);
}

int main(int count, char **arguments)
{
    struct scenario scenario;
    if (count > 1 && strcmp(arguments[1], "--words") == 0) {
        list_words();
        return EXIT_SUCCESS;
    }
    while (scenario_read(&scenario)) {
        run_scenario(&scenario);
        scenario_free();
    }
    scenario_free();
    return EXIT_SUCCESS;
}
