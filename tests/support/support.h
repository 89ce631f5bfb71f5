/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What every test executable shares. A test file defines `Suite *make_suite(void)`; main() is in support.c and prints
 * TAP, so that Meson lists each case. Each test runs in a process of its own (Check's fork mode) between fixtures that
 * fail it when it leaks a file descriptor.
 */
#ifndef PAWL_TESTS_SUPPORT_H
#define PAWL_TESTS_SUPPORT_H

#include <check.h>
#include <stdlib.h>

#include <pawl/pawl.h>

/* A test case with the descriptor fixture. */
TCase *add_case(Suite *suite, const char *name);

/* To be defined by the test file. */
Suite *make_suite(void);

/* Does this program run under valgrind, which takes some fifty times as long? */
bool under_valgrind(void);

/* An allocator that counts what is alive, and fails at the `fail_at`-th call (1 is the first; 0 never). */
struct counting {
    struct pawl_allocator allocator;
    size_t calls, alive, fail_at;
};
void counting_init(struct counting *counting);

/* A loop on the virtual port, with the counting allocator and a report that is kept. */
struct world {
    struct pawl_virtual clock;
    struct pawl_loop loop;
    struct counting memory;
    int reports;      /* how many errors nobody looked at */
    int last_error;   /* of the last one */
    char last_name[32];
};
void world_begin(struct world *world);
/* Finishes the loop; fails the test when a task was left alive in memory. */
void world_end(struct world *world);

/* Runs the coroutine that `call` makes as the main task of `world` to its end: its error. */
#define world_run(world, ...) world_run_((world), PAWL_TEMPORARY_(__VA_ARGS__), sizeof(__VA_ARGS__))
int world_run_(struct world *world, const void *frame, size_t size);

/* A trace of what happened, compared as one string. */
struct trace {
    char text[4096];
    size_t length;
};
void trace(struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define ck_assert_trace(t, expected) ck_assert_str_eq((t)->text, (expected))

#endif
