/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The statements that can wait, of tasks, futures and the flow of control: a coroutine each. */
#include "oracle.h"

OPERATION(sleep_, struct pawl_sleep sleep;);
ASYNC(sleep_)
{
    ASYNC_BEGIN(sleep_);
    AWAIT(self->sleep, pawl_sleep(number_at(self->at, 0)));
    ASYNC_END;
}

static void set_text(struct outcome *outcome, const char *text)
{
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
}

static void set_value(struct outcome *outcome, int value)
{
    snprintf(outcome->text, sizeof outcome->text, "%d", value);
}

OPERATION(await_, );
ASYNC(await_)
{
    ASYNC_BEGIN(await_);
    set_text(&self->result, "none");
    if (thing(&self->at->arguments[0]) == NULL) ASYNC_RETURN(self->result);
    AWAIT(thing(&self->at->arguments[0]));
    set_value(&self->result, value_of(&self->at->arguments[0]));
    ASYNC_END;
}

/* ---- Blocks ---- */

/* What `return` returned is the outcome then, and it goes no further. */
static struct outcome called(struct outcome outcome)
{
    if (outcome.returned) set_value(&outcome, outcome.value);
    else *outcome.text = '\0';
    outcome.returned = false;
    return outcome;
}

OPERATION(call, struct run *run;);
ASYNC(call)
{
    ASYNC_BEGIN(call);
    RUN(block_at(self->at, 0), self->result);
    self->result = called(self->result);
    ASYNC_END;
}

/* The outcome of a block that is a part of another statement: only a `return` counts. */
static struct outcome passed_on(struct outcome outcome)
{
    *outcome.text = '\0';
    return outcome;
}

OPERATION(repeat, struct run *run; int i;);
ASYNC(repeat)
{
    ASYNC_BEGIN(repeat);
    for (; self->i < number_at(self->at, 0) && !self->result.returned; self->i++) {
        RUN(block_at(self->at, 1), self->result);
        self->result = passed_on(self->result);
    }
    ASYNC_END;
}

enum { NOTHING, CANCELLATION, ANY_ERROR, ANYTHING, TIMEOUT, OWN_ERROR };

static bool catches(int kind, int error)
{
    switch (kind) {
    case NOTHING: return false;
    case CANCELLATION: return error == PAWL_ECANCELLED;
    case ANY_ERROR: return error != PAWL_ECANCELLED && !world.over;
    case ANYTHING: return true;
    case TIMEOUT: return error == PAWL_ETIMEOUT;
    default: return error == ITS_OWN_ERRORS - 1 - (kind - OWN_ERROR);
    }
}

/* try { 0 } kind { 2 } again { 4 }: after the handler the error is raised again, or not; the last block is the finally. */
OPERATION(try_, struct run *run; struct outcome instead;);
ASYNC(try_)
{
    ASYNC_BEGIN(try_);
    TRY {
        RUN(block_at(self->at, 0), self->result);
    } CATCH_ALL {
        if (!catches(number_at(self->at, 1), CAUGHT())) RERAISE();
        say("%d try caught %s", self->at->number, error_text(CAUGHT()));
        RUN(block_at(self->at, 2), self->result);
        if (!self->result.returned && number_at(self->at, 3) != 0) RERAISE();
    } FINALLY {
        say("%d try finally", self->at->number);
        RUN(block_at(self->at, 4), self->instead);
        if (self->instead.returned) {
            self->result = passed_on(self->instead);
            ASYNC_RETURN(self->result); /* instead of an error too */
        }
    } END_TRY;
    self->result = passed_on(self->result);
    ASYNC_END;
}

/* ---- Several ---- */

/* The arguments from `from` on that are there; returns how many. */
static size_t children_of(const struct statement *at, int from, struct pawl_child *children, const struct argument **which)
{
    size_t count = 0;
    for (int i = from; i < at->count; i++) {
        struct pawl_future *const future = thing(&at->arguments[i]);
        if (future == NULL) continue;
        which[count] = &at->arguments[i];
        children[count++] = pawl_child(future);
    }
    return count;
}

static void add_text(struct outcome *outcome, const char *text)
{
    const size_t length = strlen(outcome->text);
    snprintf(outcome->text + length, sizeof outcome->text - length, "%s%s", length > 0 ? "," : "", text);
}

static void tell_children(struct outcome *outcome, const struct pawl_child *children, const struct argument **which, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", value_of(which[i]));
        const int error = (pawl_future_error)(children[i].future);
        add_text(outcome, error != 0 ? error_text(error) : text);
    }
}

OPERATION(gather, struct pawl_gather gather; struct pawl_child children[ARGUMENTS]; const struct argument *which[ARGUMENTS]; size_t count;);
ASYNC(gather)
{
    ASYNC_BEGIN(gather);
    self->count = children_of(self->at, 1, self->children, self->which);
    if (number_at(self->at, 0) != 0) AWAIT(self->gather, pawl_gather_return_errors(self->children, self->count));
    else AWAIT(self->gather, pawl_gather(self->children, self->count));
    tell_children(&self->result, self->children, self->which, self->count);
    ASYNC_END;
}

OPERATION(wait_for, struct pawl_wait_for wait; struct run *run;);
ASYNC(wait_for)
{
    ASYNC_BEGIN(wait_for);
    if (self->at->arguments[1].kind == '{') {
        self->run = run_new(block_at(self->at, 1));
        TRY_AWAIT(self->wait, pawl_wait_for(self->run, number_at(self->at, 0)));
        self->error = AWAIT_ERROR();
        self->result = called(run_take(&self->run));
        if (self->error != 0) RAISE(self->error);
    } else if (thing(&self->at->arguments[1]) == NULL) {
        set_text(&self->result, "none");
    } else {
        AWAIT(self->wait, pawl_wait_for(thing(&self->at->arguments[1]), number_at(self->at, 0)));
        set_value(&self->result, value_of(&self->at->arguments[1]));
    }
    ASYNC_END;
}

static pawl_time limit_at(const struct statement *at, int i)
{
    return number_at(at, i) < 0 ? PAWL_FOREVER : number_at(at, i);
}

/* A letter for each: done or pending. */
static void tell_done(struct outcome *outcome, const struct pawl_child *children, size_t count)
{
    for (size_t i = 0; i < count; i++) outcome->text[i] = (pawl_future_done)(children[i].future) ? 'D' : 'P';
    outcome->text[count] = '\0';
}

/* Whether FIRST_EXCEPTION has looked at an error depends on its moment in asyncio, also after the wait: it is not told. */
static void exempt(const struct argument **which, size_t count)
{
    for (size_t i = 0; i < count; i++) (which[i]->kind == 'f' ? world.exempt_futures : world.exempt_tasks)[which[i]->value] = true;
}

OPERATION(wait, struct pawl_wait wait; struct pawl_child children[ARGUMENTS]; const struct argument *which[ARGUMENTS]; size_t count;);
ASYNC(wait)
{
    ASYNC_BEGIN(wait);
    self->count = children_of(self->at, 2, self->children, self->which);
    if (number_at(self->at, 0) == PAWL_FIRST_ERROR) exempt(self->which, self->count);
    AWAIT(self->wait, pawl_wait(self->children, self->count, (enum pawl_wait_until)number_at(self->at, 0), limit_at(self->at, 1)));
    tell_done(&self->result, self->children, self->count);
    ASYNC_END;
}

OPERATION(shield, struct pawl_shield shield;);
ASYNC(shield)
{
    ASYNC_BEGIN(shield);
    set_text(&self->result, "none");
    if (thing(&self->at->arguments[0]) == NULL) ASYNC_RETURN(self->result);
    AWAIT(self->shield, pawl_shield(thing(&self->at->arguments[0])));
    set_value(&self->result, value_of(&self->at->arguments[0]));
    ASYNC_END;
}

/* asyncio gives those that are done before in any order: of them only the first is taken. */
static size_t only_one_done(struct pawl_child *children, const struct argument **which, size_t count)
{
    size_t kept = 0;
    bool one = false;
    for (size_t i = 0; i < count; i++) {
        const bool done = (pawl_future_done)(children[i].future);
        if (done && one) continue;
        one = one || done;
        children[kept] = children[i];
        which[kept++] = which[i];
    }
    return kept;
}

OPERATION(completed, struct pawl_as_completed each; struct pawl_next_completed next; struct pawl_child children[ARGUMENTS];
          const struct argument *which[ARGUMENTS]; size_t count;);
ASYNC(completed)
{
    ASYNC_BEGIN(completed);
    self->count = children_of(self->at, 1, self->children, self->which);
    self->count = only_one_done(self->children, self->which, self->count);
    self->error = pawl_as_completed_begin(&self->each, self->children, self->count, limit_at(self->at, 0));
    if (self->error != 0) RAISE(self->error);
    TRY {
        while (self->each.left > 0) {
            AWAIT(self->next, pawl_next_completed(&self->each));
            const struct argument *const which = self->which[self->next.result - self->children];
            say("%d completed %c%d", self->at->number, which->kind, which->value);
        }
    } FINALLY {
        pawl_as_completed_end(&self->each);
    } END_TRY;
    ASYNC_END;
}

const struct word words_later[] = {
    { "sleep", NULL, make_sleep_ }, { "await", NULL, make_await_ }, { "call", NULL, make_call }, { "repeat", NULL, make_repeat },
    { "try", NULL, make_try_ }, { "gather", NULL, make_gather }, { "waitfor", NULL, make_wait_for }, { "wait", NULL, make_wait },
    { "shield", NULL, make_shield }, { "completed", NULL, make_completed }, { NULL, NULL, NULL },
};
