/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The harness. The place of a disturbance is a number: how many jobs of the loop have run before it. So it comes while a
 * player waits, when it was woken and has not run, and between any two others that run meanwhile.
 *
 * Whatever was done to one of them: all others end, and end well; what was disturbed ends with its cancellation; nothing is
 * armed and no task is left; all memory is given back before the loop is finished; no descriptor is open; and the scenario
 * says that what was shared is as before.
 *
 * With EVERYWHERE_TRACE in the environment each run is told on stderr before it begins.
 */
#include "everywhere.h"

#include <stdio.h>
#include <unistd.h>

enum { PARTS = 12, FRAME = 2048, PLACES = 4000, ROUNDS = 20000 };

enum way {
    NOTHING,
    CANCEL,
    CANCEL_BECAUSE, /* with a message, which takes memory */
    CANCEL_TWICE,
    CANCEL_TWO,     /* it, and the next of the players */
    CANCEL_AGAIN_1, /* once more after so many jobs: while it cleans up */
    CANCEL_AGAIN_2,
    CANCEL_AGAIN_3,
    CANCEL_AGAIN_5,
    UNCANCEL,       /* and take it back at once */
    UNCANCEL_LATER, /* and take it back after a job */
    IN_LOOP_WAYS,
    SHUTDOWN = IN_LOOP_WAYS, /* of the whole loop */
    FINISH,
    WAYS,
    CLOSE = WAYS, /* by hand */
    THROW,
    THROW_CANCELLED
};

static const char *const names[] = { "nothing", "cancel", "cancel because", "cancel twice", "cancel two", "cancel again after 1",
                                     "cancel again after 2", "cancel again after 3", "cancel again after 5", "uncancel",
                                     "uncancel later", "shutdown", "finish", "close", "throw", "throw a cancellation" };

struct part {
    union {
        unsigned char bytes[FRAME];
        struct pawl_coro awaitable;
        long double aligned;
    } frame;
    size_t size;
    bool disturbed;
    struct pawl_task *task;
    unsigned cancels; /* requests that it has had and that were not taken back */
    bool hit;         /* it was disturbed before its end */
    const struct pawl_future *waits; /* by hand: for what */
};

static struct {
    const struct scenario *scenario;
    struct pawl_virtual clock;
    struct pawl_epoll epoll;
    struct pawl_loop loop;
    struct counting memory;
    int reports;
    struct part parts[PARTS];
    int count, victim;
    enum way way;
    long place, seen; /* of the disturbance; of the jobs so far */
    struct pawl_handle first, second;
} stage;

void wrong(const char *file, int line, const char *what)
{
    ck_abort_msg("%s:%d: %s; %s: %s, part %d, place %ld", file, line, what, stage.scenario->name, names[stage.way], stage.victim,
                 stage.place);
}

void add_part(const void *frame, size_t size, bool disturbed)
{
    hold(stage.count < PARTS && size <= FRAME);
    struct part *const part = &stage.parts[stage.count++];
    memset(part, 0, sizeof *part);
    memcpy(part->frame.bytes, frame, size);
    part->size = size;
    part->disturbed = disturbed;
}

/* ---- The stage ---- */

static void count_report(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    (void)loop, (void)failure;
    stage.reports++;
}

static void stage_begin(const struct scenario *scenario, enum way way, int victim, long place)
{
    struct pawl_port *port = &stage.clock.base;
    if (getenv("EVERYWHERE_TRACE")) fprintf(stderr, "%s: %s, part %d, place %ld\n", scenario->name, names[way], victim, place);
    stage.scenario = scenario;
    stage.way = way;
    stage.victim = victim;
    stage.place = place;
    stage.seen = stage.count = stage.reports = 0;
    counting_init(&stage.memory);
    pawl_virtual_init(&stage.clock);
    if (scenario->traits & ON_EPOLL) {
        hold(pawl_epoll_init(&stage.epoll) == 0);
        port = &stage.epoll.base;
    }
    hold(pawl_loop_init(&stage.loop, port, &stage.memory.allocator) == 0);
    pawl_loop_set_report(&stage.loop, count_report);
    pawl_loop_use(&stage.loop);
    scenario->begin();
}

static void stage_end(void)
{
    pawl_loop_use(NULL);
    pawl_loop_finish(&stage.loop);
    stage.scenario->check();
    if (stage.scenario->traits & ON_EPOLL) pawl_epoll_finish(&stage.epoll);
    hold(stage.memory.alive == 0);
    hold(stage.reports == 0 || (stage.scenario->traits & MAY_REPORT));
}

/* ---- Disturbing ---- */

static void cancel(struct part *part, const char *message)
{
    if (!part->disturbed || !pawl_task_cancel_because(part->task, message)) return;
    part->hit = true;
    part->cancels++;
}

static void uncancel(struct part *part)
{
    if (!part->hit || pawl_future_done(part->task)) return;
    pawl_task_uncancel(part->task);
    part->cancels--;
}

static void disturb(void *argument)
{
    struct part *const victim = &stage.parts[stage.victim];
    (void)argument;
    cancel(victim, stage.way == CANCEL_BECAUSE ? "no longer wanted" : NULL);
    if (stage.way == CANCEL_TWICE) cancel(victim, NULL);
    if (stage.way == CANCEL_TWO) cancel(&stage.parts[(stage.victim + 1) % stage.count], NULL);
    if (stage.way == UNCANCEL) uncancel(victim);
}

static void disturb_again(void *argument)
{
    struct part *const victim = &stage.parts[stage.victim];
    (void)argument;
    if (stage.way == UNCANCEL_LATER) uncancel(victim);
    else cancel(victim, NULL);
}

static long gap(enum way way)
{
    switch (way) {
    case CANCEL_AGAIN_1:
    case UNCANCEL_LATER: return 1;
    case CANCEL_AGAIN_2: return 2;
    case CANCEL_AGAIN_3: return 3;
    case CANCEL_AGAIN_5: return 5;
    default: return 0;
    }
}

static long ready_jobs(void)
{
    long count = 0;
    for (const struct pawl_link *link = stage.loop.ready->next; link != stage.loop.ready; link = link->next) count++;
    return count;
}

/* Puts a handle before the job with this number of those that are ready. */
static void arm(struct pawl_handle *handle, pawl_callback *callback, long before)
{
    memset(handle, 0, sizeof *handle);
    hold(pawl_call_soon(&stage.loop, handle, callback, NULL) == 0);
    struct pawl_link *const link = &handle->awaitable.link, *next = stage.loop.ready->next;
    while (before-- > 0) next = next->next;
    if (next == link) return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = next;
    link->prev = next->prev;
    next->prev->next = link;
    next->prev = link;
}

/* Does this place come in the next iteration, which has so many jobs? */
static bool comes(long place, long jobs)
{
    return place >= stage.seen && place < stage.seen + jobs;
}

/* ---- Running ---- */

static void iterate(void)
{
    const long jobs = ready_jobs(), counted = jobs > 0 ? jobs : 1;
    if (stage.way > NOTHING && stage.way < IN_LOOP_WAYS) {
        const long again = stage.place + gap(stage.way);
        if (gap(stage.way) > 0 && comes(again, counted)) arm(&stage.second, disturb_again, again - stage.seen);
        if (comes(stage.place, counted)) arm(&stage.first, disturb, stage.place - stage.seen);
    }
    hold(pawl_loop_run_once(&stage.loop, true) == 0);
    stage.seen += counted;
}

static void spawn_all(void)
{
    for (int i = 0; i < stage.count; i++) {
        stage.parts[i].task = pawl_spawn_(stage.parts[i].frame.bytes, stage.parts[i].size, false);
        hold(stage.parts[i].task != NULL);
    }
}

/* What a part may end with. */
static bool good_end(const struct part *part, int error)
{
    if (!part->hit || stage.way == UNCANCEL || stage.way == UNCANCEL_LATER)
        return error == 0 || (part->hit && error == PAWL_ECANCELLED);
    return error == PAWL_ECANCELLED || (error == 0 && (stage.scenario->traits & MAY_SWALLOW));
}

static void check_ends(void)
{
    for (int i = 0; i < stage.count; i++) {
        struct part *const part = &stage.parts[i];
        hold(pawl_future_done(part->task));
        const int error = pawl_future_error(part->task);
        if (!good_end(part, error)) fprintf(stderr, "part %d ended with %d\n", i, error);
        hold(good_end(part, error));
        hold(pawl_task_cancelling(part->task) == part->cancels);
    }
}

static void release_all(void)
{
    for (int i = 0; i < stage.count; i++) pawl_task_release(stage.parts[i].task);
}

/* Runs to the end: was the disturbance before that of its victim? */
static bool run_in_loop(const struct scenario *scenario, enum way way, int victim, long place)
{
    stage_begin(scenario, way, victim, place);
    spawn_all();
    for (int round = 0; pawl_task_next(&stage.loop, NULL) != NULL; round++) {
        hold(round < ROUNDS);
        iterate();
    }
    pawl_handle_cancel(&stage.first);
    pawl_handle_cancel(&stage.second);
    check_ends();
    const bool hit = stage.parts[victim].hit;
    release_all();
    hold(!pawl_loop_pending(&stage.loop));
    hold(stage.memory.alive == 0);
    stage_end();
    return hit;
}

/* Ends the whole loop after `place` iterations: was anybody still at work? */
static bool run_and_end(const struct scenario *scenario, enum way way, long place)
{
    stage_begin(scenario, way, 0, place);
    spawn_all();
    for (long i = 0; i < place && pawl_task_next(&stage.loop, NULL) != NULL; i++) iterate();
    const bool at_work = pawl_task_next(&stage.loop, NULL) != NULL;
    if (way == SHUTDOWN) {
        hold(pawl_loop_shutdown(&stage.loop) == 0);
        release_all();
        hold(!pawl_loop_pending(&stage.loop));
        hold(stage.memory.alive == 0);
    }
    stage_end();
    return at_work;
}

/* ---- By hand: round and round, and the helpers when nobody else can go on ---- */

/* Steps one: could it go on? */
static bool step(struct part *part)
{
    if (coro_done(&part->frame)) return false;
    const bool goes_on = part->waits == NULL || (pawl_future_done)(part->waits);
    part->waits = coro_step(&part->frame);
    return goes_on;
}

static void disturb_by_hand(struct part *part)
{
    part->hit = true;
    if (stage.way == CLOSE) hold(coro_close(&part->frame) == 0);
    else part->waits = coro_throw(&part->frame, stage.way == THROW ? -5 : PAWL_ECANCELLED);
}

static bool step_all(bool helpers)
{
    bool any = false;
    for (int i = 0; i < stage.count; i++) {
        struct part *const part = &stage.parts[i];
        if (part->disturbed == helpers) continue;
        if (stage.seen++ == stage.place && !coro_done(&stage.parts[stage.victim].frame)) disturb_by_hand(&stage.parts[stage.victim]);
        any = step(part) || any;
        if (helpers && any) break;
    }
    return any;
}

static void check_by_hand(void)
{
    for (int i = 0; i < stage.count; i++) {
        struct part *const part = &stage.parts[i];
        const int error = coro_error(&part->frame);
        hold(coro_done(&part->frame));
        hold(error == 0 || error == PAWL_EENDED || (part->hit && error == (stage.way == THROW ? -5 : PAWL_ECANCELLED)));
    }
}

static bool run_by_hand(const struct scenario *scenario, enum way way, int victim, long place)
{
    stage_begin(scenario, way, victim, place);
    pawl_loop_use(NULL);
    int round = 0;
    while (step_all(false) || step_all(true)) hold(round++ < ROUNDS);
    check_by_hand();
    const bool hit = stage.parts[victim].hit;
    stage_end();
    return hit;
}

/* ---- The suite ---- */

#define LISTS 7
static const struct scenario *const lists[LISTS] = { sync_scenarios, queue_scenarios, combinator_scenarios, scope_scenarios, net_scenarios,
                                                   resolve_scenarios, stream_scenarios };
static const struct scenario *all[200];

static void disturb_each_player(const struct scenario *scenario, enum way way, bool (*run)(const struct scenario *, enum way, int, long))
{
    for (int victim = 0; victim < stage.count; victim++) {
        if (!stage.parts[victim].disturbed) continue;
        long place = 0;
        while (run(scenario, way, victim, place)) hold(place++ < PLACES);
    }
}

static void each_player_everywhere(int index)
{
    const struct scenario *const scenario = all[index];
    run_in_loop(scenario, NOTHING, 0, 0);
    for (enum way way = CANCEL; way < IN_LOOP_WAYS; way++) disturb_each_player(scenario, way, run_in_loop);
}

static void the_loop_ends_everywhere(int index)
{
    for (enum way way = SHUTDOWN; way <= FINISH; way++) {
        long place = 0;
        while (run_and_end(all[index], way, place)) hold(place++ < PLACES);
    }
}

static void each_player_by_hand(int index)
{
    const struct scenario *const scenario = all[index];
    run_by_hand(scenario, NOTHING, 0, -1);
    for (enum way way = CLOSE; way <= THROW_CANCELLED; way++) disturb_each_player(scenario, way, run_by_hand);
}

static TTest tests[3][200];

static void add_scenario(TCase *const cases[3], int index)
{
    static const TFun functions[3] = { each_player_everywhere, the_loop_ends_everywhere, each_player_by_hand };
    for (int i = 0; i < 3; i++) {
        if (i == 2 && !(all[index]->traits & BY_HAND)) continue;
        tests[i][index] = (TTest){ all[index]->name, functions[i], __FILE__, __LINE__ };
        tcase_add_loop_test(cases[i], &tests[i][index], index, index + 1);
    }
}

Suite *make_suite(void)
{
    Suite *const suite = suite_create("everywhere");
    TCase *const cases[3] = { add_case(suite, "each player is cancelled everywhere"), add_case(suite, "the loop ends everywhere"),
                              add_case(suite, "each player is closed and thrown into by hand") };
    int count = 0;
    for (int i = 0; i < LISTS; i++) {
        for (const struct scenario *scenario = lists[i]; scenario->name != NULL; scenario++) {
            all[count] = scenario;
            add_scenario(cases, count++);
        }
    }
    return suite;
}
