/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What a resolver is asked for: resolve.c answers what is numeric, and leaves names to one of the variants, resolve_threads.c
 * or resolve_cares.c.
 *
 *      lookup_begin ──► … settles self->answered, in the loop's thread … ──► lookup_take ──► lookup_end
 *           │                                                                                   ▲
 *           └──────────────── cancelled, or closed: whatever it is doing ───────────────────────┘
 */
#ifndef PAWL_LOOKUP_H
#define PAWL_LOOKUP_H

#include "io.h"

#include <pawl/resolve.h>

#include <netdb.h>

/* Makes self->lookup for a host (or service) that is a name. It may be answered already when this returns. 0 or an error. */
int lookup_begin(struct pawl_getaddrinfo *self, struct pawl_loop *loop);

/* What an answered one has found becomes self->addresses, in the system's order. 0 or an error. */
int lookup_take(struct pawl_getaddrinfo *self);

/* Gives it back, or gives it up. */
void lookup_end(struct pawl_lookup *lookup);

/* Room for `count` (at least 1) addresses in self->addresses, zeroed. 0 or PAWL_ENOMEM. */
int addresses_make(struct pawl_getaddrinfo *self, struct pawl_loop *loop, size_t count);

/* What getaddrinfo(3) found. 0 or an error. */
int addresses_copy(struct pawl_getaddrinfo *self, struct pawl_loop *loop, const struct addrinfo *found);

/* The error for what getaddrinfo(3) returned; `system` is errno then. */
int error_of_getaddrinfo(int result, int system);

#endif
