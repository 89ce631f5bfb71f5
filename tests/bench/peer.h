/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A workload of the program that is measured beside other frameworks (peer.c): takes its arguments, prints what it costs. */
#ifndef PAWL_BENCH_PEER_H
#define PAWL_BENCH_PEER_H

#include "bench.h"

/* The arguments behind the workload's name. */
struct arguments {
    int count;
    char **texts;
};

typedef void workload(struct arguments arguments);

workload sleeping_tasks, timers, echo_server, skynet;

/** The argument at `index`, a number not below 0, or `otherwise` when there is none. Ends the program for nonsense. */
long argument_or(struct arguments arguments, int index, long otherwise);

/** Prints one figure: "WORKLOAD pawl METRIC VALUE UNIT". */
void tell(const char *name, const char *metric, double value, const char *unit);
/** The same for another way to do the work with pawl, as a peer of its own. */
void tell_as(const char *peer, const char *name, const char *metric, double value, const char *unit);

/** The most memory that this process has had resident, in KiB. */
double peak_memory(void);

static inline uint64_t cpu_now(void)
{
    return clock_now(CLOCK_PROCESS_CPUTIME_ID);
}

#endif
