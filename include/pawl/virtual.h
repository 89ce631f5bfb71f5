/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The virtual port: a clock that stands still while anything can run, and jumps to the next timer when nothing can. For
 * tests: an hour of sleeping takes no time, and comes out the same each time. It watches no descriptors.
 */
#ifndef PAWL_VIRTUAL_H
#define PAWL_VIRTUAL_H

#include "port.h"

PAWL_BEGIN_C

/** Its state, in the caller's memory. */
struct pawl_virtual {
    struct pawl_port base;
    pawl_time now; /* may be set forward between two runs of the loop */
    int woken;     /* atomic */
};

/** Starts it at time 0. To wait for ever is PAWL_EDEADLK: nothing could end it but a wake, which is taken if it came. */
PAWL_API void pawl_virtual_init(struct pawl_virtual *clock);

PAWL_END_C

#endif
