/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The costs that pawl promises, each beside its floor, measured in turn in one run:
 *
 *      meson setup build -Dbuildtype=release && ninja -C build bench && build/tests/bench/bench [ROUNDS]
 *
 * The figure to read is the ratio, the median of the rounds' ratios; the machine may be noisy.
 */
#include "bench.h"

enum { ROUNDS_AT_MOST = 101 };

static const struct {
    const char *name, *floor_name;
    work *floor, *pawl;
    long n;
    double limit;
} works[] = {
    { "generator resume", "switch machine", floor_generator, pawl_generator, 20000000, 1.15 },
    { "value through 1,000 levels", "through 1 level", pawl_levels_1, pawl_levels_1000, 20000000, 1.3 },
    { "await a trivial child", "call through a pointer", floor_await, pawl_await_child, 20000000, 2.0 },
    { "spawn and join", "malloc and a queue", floor_spawn_join, pawl_spawn_join, 4000000, 1.5 },
    { "yield, 1,000 tasks", "intrusive queue", floor_switch, pawl_switch, 10000000, 1.3 },
    { "ping-pong, two queues of 1", "such queues by hand", floor_queues, pawl_queue_ping_pong, 10000000, 1.5 },
    { "ping-pong, two channels of 1", "such queues by hand", floor_queues, pawl_channel_ping_pong, 10000000, 1.5 },
    { "ping-pong, two queues of 1", "bare slots by hand", floor_ping_pong, pawl_queue_ping_pong, 10000000, 0 },
    { "semaphore hand-over", "two counters by hand", floor_hand_over, pawl_hand_over, 10000000, 1.5 },
};

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

int main(int argc, char **argv)
{
    const int asked = argc > 1 ? atoi(argv[1]) : 7;
    const int rounds = asked < 1 ? 1 : asked > ROUNDS_AT_MOST ? ROUNDS_AT_MOST : asked;
    static double floors[ROUNDS_AT_MOST], ours[ROUNDS_AT_MOST], ratios[ROUNDS_AT_MOST];

    printf("%-28s %-24s %9s %9s %7s %7s\n", "work", "floor", "floor ns", "pawl ns", "ratio", "limit");
    for (size_t w = 0; w < sizeof works / sizeof works[0]; w++) {
        works[w].floor(works[w].n / 10);
        works[w].pawl(works[w].n / 10);
        for (int r = 0; r < rounds; r++) {
            floors[r] = works[w].floor(works[w].n);
            ours[r] = works[w].pawl(works[w].n);
            ratios[r] = ours[r] / floors[r];
        }
        printf("%-28s %-24s %9.2f %9.2f %7.2f", works[w].name, works[w].floor_name, median(floors, rounds), median(ours, rounds),
               median(ratios, rounds));
        if (works[w].limit > 0) printf(" %7.2f", works[w].limit);
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}
