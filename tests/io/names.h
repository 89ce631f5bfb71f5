/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A world of names for the tests, whichever resolver the library was built with: names_threads.c is a getaddrinfo(3) that knows
 * them, names_cares.c a name server. Both count, and hold back the answers to names that begin with "slow" until the test lets them go.
 *
 *      one.test        127.0.0.1
 *      two.test        127.0.0.2 127.0.0.1
 *      v6.test         ::1
 *      large.test      127.0.0.1 to 127.0.0.5; too much for a datagram, says the name server, and so it is asked for by TCP
 *      many.test       2001:db8::1 to ::3, then 192.0.2.1 and 192.0.2.2
 *      slow….test      127.0.0.1, when it is let go
 *      again.test      no server can answer just now
 *      anything else   there is no such name
 */
#ifndef PAWL_TESTS_NAMES_H
#define PAWL_TESTS_NAMES_H

#include <stdbool.h>

enum { NAMES_ADDRESSES = 6 };
struct name {
    const char *name;
    bool again;
    const char *addresses[NAMES_ADDRESSES]; /* ended by NULL */
};

/* What is known of it, or NULL. */
const struct name *name_find(const char *host);

/* Before the first lookup of a test, in its process. */
void names_begin(void);

/* How many names were asked for. */
int names_asked(void);

/* Waits until at least `count` names are being held back. */
void names_wait_held(int count);

/* Answers `count` of those held back, or of those to come. */
void names_let_go(int count);

/* At the end of a test: what belonged to lookups that nobody wanted any more has been given back, which it waits for. */
void names_end(void);

#endif
