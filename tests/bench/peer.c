/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * pawl as one of many programs that do the same work, each with its framework, so that a driver can run them in turn:
 *
 *      pawl list               the workloads that it has
 *      pawl WORKLOAD [N …]     runs one, of size N; prints a line "WORKLOAD pawl METRIC VALUE UNIT" for each figure
 *
 *      w1          a generator of N values
 *      w2          N values through 1, 10, 100 and 1,000 delegating levels
 *      w3          a trivial child awaited N times; a trivial task spawned and joined N times
 *      w4 N SECS   N tasks asleep at once
 *      w5          1,000 tasks that give way N times each
 *      w6          N values to and fro through two queues of 1
 *      w7          N timers armed and cancelled; N armed and fired
 *      w8 PORT [US]  a TCP echo server on 127.0.0.1, until it is killed, which looks for events for so many microseconds before it
 *                  sleeps; prints "ready"
 *      w9          N leaves of a tree whose every node is a task
 *
 * Each warms up with a smaller pass of the same work, and ends with status 1 when a sum is wrong.
 */
#include "peer.h"

#include <errno.h>
#include <string.h>

/* ---- What the workloads share ---- */

static void complain(const char *about, const char *text)
{
    fprintf(stderr, "pawl: %s '%s'\n", about, text);
    exit(2);
}

long argument_or(struct arguments arguments, int index, long otherwise)
{
    if (index >= arguments.count) return otherwise;
    char *end;
    errno = 0;
    const long value = strtol(arguments.texts[index], &end, 10);
    if (end == arguments.texts[index] || *end != '\0' || errno != 0 || value < 0) complain("not a number:", arguments.texts[index]);
    return value;
}

void tell_as(const char *peer, const char *name, const char *metric, double value, const char *unit)
{
    printf("%s %s %s %.4f %s\n", name, peer, metric, value, unit);
    fflush(stdout);
}

void tell(const char *name, const char *metric, double value, const char *unit)
{
    tell_as("pawl", name, metric, value, unit);
}

double peak_memory(void)
{
    static const char key[] = "VmHWM:";
    FILE *const status = fopen("/proc/self/status", "r");
    char line[128];
    long kib = 0;
    must(status != NULL, "/proc/self/status");
    while (fgets(line, sizeof line, status))
        if (strncmp(line, key, sizeof key - 1) == 0) kib = strtol(line + sizeof key - 1, NULL, 10);
    fclose(status);
    must(kib > 0, key);
    return (double)kib;
}

/* ---- What bench.c measures too ---- */

static double after_a_smaller_pass(work *run, long n)
{
    run(n / 10 + 1);
    return run(n);
}

static long at_least_one(long n)
{
    return n > 0 ? n : 1;
}

static void generator(struct arguments arguments)
{
    tell("w1", "resume", after_a_smaller_pass(pawl_generator, at_least_one(argument_or(arguments, 0, 100000000))), "ns");
}

static void delegation(struct arguments arguments)
{
    static const struct {
        const char *metric;
        work *run;
    } depths[] = {
        { "value_d1", pawl_levels_1 },
        { "value_d10", pawl_levels_10 },
        { "value_d100", pawl_levels_100 },
        { "value_d1000", pawl_levels_1000 },
    };
    const long n = at_least_one(argument_or(arguments, 0, 20000000));
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++)
        tell("w2", depths[i].metric, after_a_smaller_pass(depths[i].run, n), "ns");
}

static void awaiting(struct arguments arguments)
{
    const long n = at_least_one(argument_or(arguments, 0, 50000000));
    tell("w3", "await", after_a_smaller_pass(pawl_await_child, n), "ns");
    tell("w3", "spawn_join", after_a_smaller_pass(pawl_spawn_join, n), "ns");
}

static void switching(struct arguments arguments)
{
    const long each = at_least_one(argument_or(arguments, 0, 10000));
    tell("w5", "switch", after_a_smaller_pass(pawl_switch, each * SWITCHING_TASKS), "ns");
}

static void ping_pong(struct arguments arguments)
{
    const long n = 2 * at_least_one(argument_or(arguments, 0, 20000000));
    tell("w6", "message", after_a_smaller_pass(pawl_queue_ping_pong, n), "ns");
    tell_as("pawl_channel", "w6", "message", after_a_smaller_pass(pawl_channel_ping_pong, n), "ns");
}

/* ---- The program ---- */

static const struct {
    const char *name;
    workload *run;
} workloads[] = {
    { "w1", generator }, { "w2", delegation }, { "w3", awaiting },    { "w4", sleeping_tasks },
    { "w5", switching }, { "w6", ping_pong },  { "w7", timers },      { "w8", echo_server },
    { "w9", skynet },
};

enum { WORKLOADS = sizeof workloads / sizeof workloads[0] };

static void list(void)
{
    for (int i = 0; i < WORKLOADS; i++) printf("%s%s", i ? " " : "", workloads[i].name);
    putchar('\n');
}

int main(int count, char **texts)
{
    if (count < 2 || strcmp(texts[1], "list") == 0) {
        list();
        return 0;
    }
    for (int i = 0; i < WORKLOADS; i++) {
        if (strcmp(texts[1], workloads[i].name) != 0) continue;
        workloads[i].run((struct arguments){ count - 2, texts + 2 });
        return 0;
    }
    complain("there is no workload", texts[1]);
}
