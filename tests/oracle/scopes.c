/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Statements of timeouts and cancel scopes. x3 is the scope that was entered last under this name, until it is left. */
#include "oracle.h"

enum { NO_LIMIT = -1 };

static pawl_time span_of(int number)
{
    return number == NO_LIMIT ? PAWL_FOREVER : number;
}

static struct pawl_timeout scope_of(const struct statement *at)
{
    const int number = number_at(at, 1);
    if (strcmp(at->word->name, "timeoutat") == 0) return pawl_timeout_at(span_of(number));
    if (strcmp(at->word->name, "moveon") == 0) return number == NO_LIMIT ? pawl_cancel_scope() : pawl_move_on_after(number);
    return pawl_timeout(span_of(number));
}

OPERATION(scope, struct pawl_timeout scope; struct run *run; bool swallowed;);
ASYNC(scope)
{
    ASYNC_BEGIN(scope);
    TRY {
        self->swallowed = true;
        WITH(self->scope, scope_of(self->at)) {
            world.scopes[number_at(self->at, 0)] = &self->scope;
            RUN(block_at(self->at, 2), self->result);
            self->swallowed = false;
        } END_WITH;
    } FINALLY {
        if (world.scopes[number_at(self->at, 0)] == &self->scope) world.scopes[number_at(self->at, 0)] = NULL;
    } END_TRY;
    if (self->swallowed) self->result.returned = false;
    snprintf(self->result.text, sizeof self->result.text, "%s", pawl_timeout_expired(&self->scope) && !self->result.returned ? "expired" : "");
    ASYNC_END;
}

static struct pawl_timeout *scope_at(const struct statement *at)
{
    return world.scopes[number_at(at, 0)];
}

static const char *reschedule(const struct statement *at)
{
    if (scope_at(at) == NULL) return "none";
    const int span = number_at(at, 1);
    const pawl_time when = span == NO_LIMIT ? PAWL_FOREVER : pawl_loop_time(&world.loop) + span;
    return pawl_timeout_reschedule(scope_at(at), when) == 0 ? "ok" : "refused";
}

static const char *expired(const struct statement *at)
{
    return scope_at(at) == NULL ? "none" : pawl_timeout_expired(scope_at(at)) ? "yes" : "no";
}

static const char *when(const struct statement *at)
{
    static char text[24];
    if (scope_at(at) == NULL) return "none";
    const pawl_time when = pawl_timeout_when(scope_at(at));
    if (when == PAWL_FOREVER) return "never";
    if (when <= pawl_loop_time(&world.loop)) return "past";
    snprintf(text, sizeof text, "%lld", (long long)when);
    return text;
}

static const char *cancel(const struct statement *at)
{
    return scope_at(at) == NULL ? "none" : pawl_scope_cancel(scope_at(at)) ? "yes" : "no";
}

const struct word words_scope[] = {
    { "timeout", NULL, make_scope }, { "timeoutat", NULL, make_scope }, { "moveon", NULL, make_scope }, { "resched", reschedule, NULL },
    { "expired", expired, NULL }, { "deadline", when, NULL }, { "cancelscope", cancel, NULL }, { NULL, NULL, NULL },
};
