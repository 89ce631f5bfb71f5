/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What a piece of work costs, in nanoseconds an operation: by hand (the floor: a switch machine, an intrusive queue, no
 * errors, no cancellation) and with pawl. Each function does n operations, checks its sums and returns the cost of one.
 */
#ifndef PAWL_BENCH_H
#define PAWL_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef double work(long n);

work floor_generator, floor_await, floor_spawn_join, floor_switch, floor_ping_pong, floor_queues, floor_hand_over;
work pawl_generator, pawl_levels_1, pawl_levels_10, pawl_levels_100, pawl_levels_1000, pawl_await_child, pawl_spawn_join, pawl_switch;
work pawl_queue_ping_pong, pawl_channel_ping_pong, pawl_hand_over;

enum { SWITCHING_TASKS = 1000 };

static inline uint64_t clock_now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline uint64_t wall_now(void)
{
    return clock_now(CLOCK_MONOTONIC);
}

static inline double cost(uint64_t since, long n)
{
    return (double)(wall_now() - since) / (double)n;
}

static inline void must(int right, const char *what)
{
    if (right) return;
    fprintf(stderr, "wrong result: %s\n", what);
    exit(1);
}

#endif
