/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Three orders in which a queue may give its items back: first in first out, last in first out, and the most urgent first.
 * They are the same type; how it was initialised decides. Without waiting none of them needs a loop: a callback, or a
 * driver, puts and gets at once, and is told when there is no room, or nothing.
 */
#include <stdio.h>

#include <pawl/queue.h>

struct patient {
    const char *name;
    int urgency;
    char complaint[20];
};

static bool more_urgent(const void *a, const void *b)
{
    return ((const struct patient *)a)->urgency > ((const struct patient *)b)->urgency;
}

typedef QUEUE(struct patient, 3) waiting_room;

static void fill(waiting_room *room)
{
    static const struct patient patients[] = {
        { "Ada", 2, "a cough" }, { "Ben", 9, "a broken leg" }, { "Cleo", 5, "a fever" }, { "Dan", 1, "curious" }
    };
    for (size_t i = 0; i < sizeof patients / sizeof patients[0]; i++)
        if (pawl_queue_put_nowait_from(room, &patients[i]) == PAWL_EFULL) printf("  no chair for %s\n", patients[i].name);
}

static void call_in(waiting_room *room)
{
    struct patient patient;
    while (pawl_queue_get_nowait(room, &patient) == 0) printf("  %s with %s\n", patient.name, patient.complaint);
}

int main(void)
{
    waiting_room room;

    puts("first come, first served:");
    pawl_queue_init(&room);
    fill(&room);
    call_in(&room);

    puts("last come, first served:");
    pawl_lifo_queue_init(&room);
    fill(&room);
    call_in(&room);

    puts("the most urgent first:");
    pawl_priority_queue_init(&room, more_urgent);
    fill(&room);
    call_in(&room);
    return 0;
}
