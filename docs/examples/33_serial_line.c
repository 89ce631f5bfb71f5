/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Firmware with a serial line. Commands come byte by byte, from an interrupt that only stores them; the port hands them to a
 * channel, where a task reads them. A command that stops in the middle is forgotten after twenty ticks: a time limit around a
 * block, without a timer in sight. No heap, no libc; a board that is played on the host stands at the end.
 */
#include <pawl/channel.h>

/* ---- The board ---- */

static volatile int32_t ticks;

/* From the interrupt to the loop: one side moves `in`, the other one `out`. */
static struct {
    volatile char bytes[16];
    volatile unsigned in, out;
} received;

void board_set_lamp(bool on);
void board_complain(void);
void board_sleep(void); /* until an interrupt */

void on_tick(void);
void on_tick(void)
{
    ticks = ticks + 1;
}

void on_byte(char byte);
void on_byte(char byte)
{
    received.bytes[received.in % sizeof received.bytes] = byte;
    received.in = received.in + 1;
}

/* ---- The port: time is in ticks ---- */

static CHANNEL(char, 16) line;
static volatile bool woken;

static pawl_time port_now(struct pawl_port *port)
{
    (void)port;
    return ticks;
}

static int port_wait(struct pawl_port *port, enum pawl_port_wait how, pawl_time deadline)
{
    (void)port;
    while (how != PAWL_WAIT_NOT && !woken && received.in == received.out && (how == PAWL_WAIT_FOREVER || pawl_time_before(ticks, deadline)))
        board_sleep();
    woken = false;
    while (received.in != received.out && pawl_channel_try_send(&line, received.bytes[received.out % sizeof received.bytes]) == 0)
        received.out = received.out + 1;
    return 0;
}

static void port_wake(struct pawl_port *port)
{
    (void)port;
    woken = true;
}

static const struct pawl_port_ops port_ops = { .now = port_now, .wait = port_wait, .wake = port_wake };

/* ---- The task ---- */

struct serve {
    COROUTINE(void);
    char command[4];
    unsigned length;
    struct pawl_channel_receive receive;
    struct pawl_timeout limit;
};

/* `+` and `-` switch the lamp, `q` ends; a newline ends each of them. */
static void obey(const struct serve *self)
{
    if (self->length != 2 || (self->command[0] != '+' && self->command[0] != '-')) board_complain();
    else board_set_lamp(self->command[0] == '+');
}

ASYNC(serve)
{
    ASYNC_BEGIN(serve);
    do {
        AWAIT(self->receive, pawl_channel_receive(&line, &self->command[0])); /* the first byte may take its time */
        self->length = 1;
        WITH(self->limit, pawl_move_on_after(20)) {
            while (self->command[self->length - 1] != '\n' && self->length < sizeof self->command) {
                AWAIT(self->receive, pawl_channel_receive(&line, &self->command[self->length]));
                self->length++;
            }
        } END_WITH;
        if (self->command[0] != 'q') obey(self);
    } while (self->command[0] != 'q');
    ASYNC_END;
}

static struct pawl_port port = { &port_ops };
static struct pawl_loop loop;
static TASK(serve) serve;

int firmware(void);
int firmware(void)
{
    pawl_loop_init(&loop, &port, NULL);
    pawl_loop_use(&loop);
    pawl_channel_init(&line);
    pawl_start(&serve, CORO(serve));
    return pawl_loop_run_until_complete(&loop, &serve);
}

/* ---- The board, played: each sleep lasts until the next tick ---- */

#if __STDC_HOSTED__
#include <stdio.h>

void board_set_lamp(bool on)
{
    printf("tick %d: lamp %s\n", (int)ticks, on ? "on" : "off");
}

void board_complain(void)
{
    printf("tick %d: what?\n", (int)ticks);
}

void board_sleep(void)
{
    static const char typed[] = "+\n" "-" "-\n" "q\n";
    static const int32_t when[] = { 3, 7, 10, 50, 55, 60, 61 };
    static unsigned next;
    on_tick();
    while (next < sizeof when / sizeof when[0] && when[next] == ticks) on_byte(typed[next++]);
}

int main(void)
{
    const int error = firmware();
    printf("tick %d: the end\n", (int)ticks);
    return error != 0;
}
#endif
