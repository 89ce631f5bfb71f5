/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The loop without coroutines: functions that it calls soon, later, or at a time of its clock. What is called soon runs in
 * the order in which it was asked for; what belongs to one instant runs in the order in which it was armed. The handle of
 * a call is the caller's memory, and takes the call back. Here the clock is the virtual one, which jumps.
 */
#include <stdio.h>

#include <pawl/loop.h>
#include <pawl/virtual.h>

struct call {
    struct pawl_handle handle;
    struct pawl_loop *loop;
    const char *text;
};

static void say(void *argument)
{
    const struct call *const call = argument;
    printf("%d ms: %s\n", (int)(pawl_loop_time(call->loop) / PAWL_MS(1)), call->text);
}

static void say_and_stop(void *argument)
{
    say(argument);
    pawl_loop_stop(((struct call *)argument)->loop);
}

/* A call that makes itself again: setInterval. */
static void tick(void *argument)
{
    struct call *const call = argument;
    say(call);
    pawl_call_later(call->loop, &call->handle, PAWL_MS(4), tick, call);
}

int main(void)
{
    struct pawl_virtual clock;
    struct pawl_loop loop;
    pawl_virtual_init(&clock);
    pawl_loop_init(&loop, &clock.base, NULL);

    struct call first = { .loop = &loop, .text = "first" }, second = { .loop = &loop, .text = "second" };
    struct call later = { .loop = &loop, .text = "later" }, never = { .loop = &loop, .text = "never" };
    struct call ticking = { .loop = &loop, .text = "tick" }, end = { .loop = &loop, .text = "the end" };

    pawl_call_at(&loop, &end.handle, PAWL_MS(10), say_and_stop, &end);
    pawl_call_later(&loop, &later.handle, PAWL_MS(5), say, &later);
    pawl_call_later(&loop, &never.handle, PAWL_MS(5), say, &never);
    pawl_call_later(&loop, &ticking.handle, PAWL_MS(4), tick, &ticking);
    pawl_call_soon(&loop, &first.handle, say, &first);
    pawl_call_soon(&loop, &second.handle, say, &second);
    if (pawl_call_soon(&loop, &second.handle, say, &second) == PAWL_EBUSY) puts("one call a handle");
    if (pawl_handle_cancel(&never.handle)) puts("taken back");

    const int error = pawl_loop_run(&loop);
    pawl_handle_cancel(&ticking.handle);
    pawl_loop_finish(&loop);
    return error != 0;
}
