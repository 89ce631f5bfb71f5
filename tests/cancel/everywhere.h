/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Cancellation everywhere: small worlds in which a few coroutines want the same thing, and a harness that runs each of them
 * again and again and disturbs one of the players at another place each time (everywhere.c).
 *
 * A scenario has players, which may be disturbed, and helpers, which are not: they bring what the others wait for, and at a
 * late time tell those that cannot end otherwise that it is over. The clock is virtual, so that time comes only when nothing
 * else can run: what is left waiting then, though there is something for it, was forgotten.
 */
#ifndef PAWL_TESTS_EVERYWHERE_H
#define PAWL_TESTS_EVERYWHERE_H

#include <support.h>

#include <string.h>

enum {
    BY_HAND = 1,     /* nothing in it needs a task: it is also stepped by hand, and closed and thrown into there */
    ON_EPOLL = 2,    /* on the epoll port, without a clock */
    MAY_REPORT = 4,  /* errors that nobody looks at belong to it */
    MAY_SWALLOW = 8  /* a cancelled player may end well */
};

struct scenario {
    const char *name;
    void (*begin)(void); /* makes what is shared anew, and adds players and helpers */
    void (*check)(void); /* at the end, however it came: everything is where it was */
    unsigned traits;
};

/* Ended by one without a name. */
extern const struct scenario sync_scenarios[], queue_scenarios[], combinator_scenarios[], scope_scenarios[], net_scenarios[],
    resolve_scenarios[], stream_scenarios[];

/* Adds the coroutine that `call` makes. They start in the order in which they are added. */
#define player(...) add_part(PAWL_TEMPORARY_(__VA_ARGS__), sizeof(__VA_ARGS__), true)
#define helper(...) add_part(PAWL_TEMPORARY_(__VA_ARGS__), sizeof(__VA_ARGS__), false)
void add_part(const void *frame, size_t size, bool disturbed);

/* Fails the test, and tells which run it was. */
void wrong(const char *file, int line, const char *what);
#define hold(condition) ((condition) ? (void)0 : wrong(__FILE__, __LINE__, #condition))
#define hold_empty(list) hold((list).first == NULL)

/* When nothing else can run any more. */
#define LATE PAWL_SEC(1)

#endif
