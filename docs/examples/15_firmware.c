/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Firmware: a lamp that blinks while a button is held, on a board with a tick counter, no heap and no libc. The port has
 * the three functions that every port has: what time it is, how to wait, and how to be woken. Interrupts only note what
 * happened; the port settles the futures when it has been woken, and so the tasks never meet an interrupt. All of it is
 * freestanding, includes only core headers and links only the core. A board that is played on the host stands at the end.
 */
#include <pawl/combinators.h>

/* ---- The board: two interrupts and two functions ---- */

static volatile int32_t ticks;
static volatile bool button_held, button_moved;

void board_set_lamp(bool on);
void board_sleep(void); /* until an interrupt: `wfi`, with interrupts masked from the last look at the flags on */

void on_tick(void);
void on_tick(void)
{
    ticks = ticks + 1;
}

void on_button(bool held);
void on_button(bool held)
{
    button_held = held;
    button_moved = true;
}

/* ---- The port: time is in ticks ---- */

static struct pawl_future button;
static volatile bool woken;

static pawl_time port_now(struct pawl_port *port)
{
    (void)port;
    return ticks;
}

static int port_wait(struct pawl_port *port, enum pawl_port_wait how, pawl_time deadline)
{
    (void)port;
    while (how != PAWL_WAIT_NOT && !woken && !button_moved && (how == PAWL_WAIT_FOREVER || pawl_time_before(ticks, deadline)))
        board_sleep();
    woken = false;
    if (button_moved) pawl_future_set_done(&button);
    button_moved = false;
    return 0;
}

static void port_wake(struct pawl_port *port)
{
    (void)port;
    woken = true;
}

static const struct pawl_port_ops port_ops = { .now = port_now, .wait = port_wait, .wake = port_wake };

/* ---- The tasks ---- */

struct blink {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(blink)
{
    ASYNC_BEGIN(blink);
    TRY {
        for (;;) {
            board_set_lamp(true);
            AWAIT(self->sleep, pawl_sleep(10));
            board_set_lamp(false);
            AWAIT(self->sleep, pawl_sleep(10));
        }
    } FINALLY {
        board_set_lamp(false);
    } END_TRY;
    ASYNC_END;
}

struct lamp {
    COROUTINE(void);
    int presses;
    TASK(blink) blink;
};

ASYNC(lamp)
{
    ASYNC_BEGIN(lamp);
    for (; self->presses > 0; self->presses--) {
        while (!button_held) {
            AWAIT(&button);
            pawl_future_reset(&button);
        }
        pawl_start(&self->blink, CORO(blink));
        while (button_held) {
            AWAIT(&button);
            pawl_future_reset(&button);
        }
        pawl_future_cancel(&self->blink);
        TRY_AWAIT(&self->blink);
    }
    ASYNC_END;
}

static struct pawl_port port = { &port_ops };
static struct pawl_loop loop;
static TASK(lamp) lamp;

int firmware(void);
int firmware(void)
{
    pawl_loop_init(&loop, &port, NULL);
    pawl_loop_use(&loop);
    pawl_start(&lamp, CORO(lamp, .presses = 2));
    return pawl_loop_run_until_complete(&loop, &lamp);
}

/* ---- The board, played: each sleep lasts until the next tick ---- */

#if __STDC_HOSTED__
#include <stdio.h>

void board_set_lamp(bool on)
{
    printf("tick %d: lamp %s\n", (int)ticks, on ? "on" : "off");
}

void board_sleep(void)
{
    on_tick();
    if (ticks == 5 || ticks == 50) on_button(true);
    if (ticks == 32 || ticks == 53) on_button(false);
}

int main(void)
{
    const int error = firmware();
    printf("tick %d: the end\n", (int)ticks);
    return error != 0;
}
#endif
