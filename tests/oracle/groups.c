/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Statements of task groups. g1 is the group that was entered last under this name, until it is left. */
#include "oracle.h"

/* Where an error goes that asyncio would put into an ExceptionGroup: all are told, and the first is raised. */
static void tell_failures(const struct statement *at, const struct pawl_group *group, const struct pawl_failure *failures)
{
    char text[128] = "";
    for (size_t i = 0, length = 0; i < group->failed && i < TASKS; i++) {
        snprintf(text + length, sizeof text - length, "%s%s", i > 0 ? "," : "", error_text(failures[i].error));
        length = strlen(text);
    }
    say("%d group failed %s", at->number, text);
}

OPERATION(group, struct pawl_group group; struct group_place place; struct pawl_failure failures[TASKS]; struct run *run; bool swallowed;);
ASYNC(group)
{
    ASYNC_BEGIN(group);
    TRY {
        self->swallowed = true;
        WITH(self->group, pawl_group_keeping(self->failures, TASKS)) {
            self->place.group = &self->group;
            world.groups[number_at(self->at, 0)] = &self->place;
            RUN(block_at(self->at, 1), self->result);
            self->swallowed = false;
        } END_WITH;
    } CATCH_ALL {
        if (CAUGHT() != PAWL_ECANCELLED) {
            if (self->group.failed == 0) say("%d group failed %s", self->at->number, error_text(CAUGHT()));
            else tell_failures(self->at, &self->group, self->failures);
        }
        RERAISE();
    } FINALLY {
        if (world.groups[number_at(self->at, 0)] == &self->place) world.groups[number_at(self->at, 0)] = NULL;
    } END_TRY;
    if (self->swallowed) self->result.returned = false;
    *self->result.text = '\0';
    ASYNC_END;
}

enum { TAKEN_IN, EAGER, ANONYMOUS };

/* A child that the group owns: nobody else knows it. */
static bool spawn_anonymous(struct group_place *place, int k, bool eager)
{
    world.used[k] = true;
    struct pawl_task *const task = eager ? pawl_group_spawn_eager(place->group, CORO(body, .k = k))
                                         : pawl_group_spawn(place->group, CORO(body, .k = k));
    world.used[k] = task != NULL;
    return task != NULL;
}

static bool take_in(struct group_place *place, int k)
{
    struct pawl_task *const task = spawn(k, false);
    if (pawl_group_add(place->group, &place->members[k], task) == 0) return true;
    world.tasks[k] = NULL;
    world.used[k] = false;
    pawl_task_release(task);
    return false;
}

static const char *child(const struct statement *at)
{
    struct group_place *const place = world.groups[number_at(at, 0)];
    const int k = number_at(at, 1), how = number_at(at, 2);
    if (place == NULL || k >= world.scenario->bodies || world.used[k]) return "none";
    return (how == TAKEN_IN ? take_in(place, k) : spawn_anonymous(place, k, how == EAGER)) ? "new" : "refused";
}

static const char *cancel(const struct statement *at)
{
    struct group_place *const place = world.groups[number_at(at, 0)];
    return place == NULL ? "none" : pawl_group_cancel(place->group) ? "yes" : "no";
}

const struct word words_group[] = {
    { "group", NULL, make_group }, { "child", child, NULL }, { "cancelgroup", cancel, NULL }, { NULL, NULL, NULL },
};
