/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A peer that is gone is an error, never a signal. send(2) can be told so; write(2), sendfile(2) and splice(2) cannot, and so
 * SIGPIPE is blocked around them, and the one that they may have caused, which is this thread's, is taken away. They may have caused
 * one whenever they did not do all: a call that has moved something before the peer was gone says how much, and not EPIPE.
 */
#include "io.h"

static void only_pipe(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

void quiet_begin(struct quiet *quiet)
{
    sigset_t set;
    only_pipe(&set);
    pthread_sigmask(SIG_BLOCK, &set, &quiet->before);
    quiet->pending = false;
    if (!sigismember(&quiet->before, SIGPIPE)) return;
    if (sigpending(&set) == 0) quiet->pending = sigismember(&set, SIGPIPE) == 1;
}

void quiet_end(const struct quiet *quiet, bool cut_short)
{
    const struct timespec at_once = { 0, 0 };
    sigset_t set;
    only_pipe(&set);
    if (cut_short && !quiet->pending) while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR) {}
    pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
}
