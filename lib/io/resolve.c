/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Looking names up: what all resolvers have in common. What is numeric is answered at once, by getaddrinfo(3), which then asks
 * nobody; the rest is a lookup (lookup.h). The addresses come sorted by preference, and in that order the families take turns,
 * so that one family that does not work costs one attempt, and not one for each of its addresses.
 */
#include "lookup.h"

#include <string.h>

enum { MOST_HOST = 255 };

int error_of_getaddrinfo(int result, int system)
{
    switch (result) {
    case 0: return 0;
    case EAI_AGAIN: return PAWL_ERESOLVE;
    case EAI_MEMORY: return PAWL_ENOMEM;
    case EAI_BADFLAGS:
    case EAI_SOCKTYPE: return PAWL_EINVAL;
    case EAI_SYSTEM: return system > 0 ? -system : PAWL_ERESOLVE;
    default: return PAWL_EHOST;
    }
}

/* ---- Addresses ---- */

int addresses_make(struct pawl_getaddrinfo *self, struct pawl_loop *loop, size_t count)
{
    const struct pawl_allocator *const allocator = loop->allocator;
    if (allocator == NULL || count > SIZE_MAX / sizeof *self->addresses) return PAWL_ENOMEM;
    self->addresses = allocator->allocate(allocator->context, count * sizeof *self->addresses);
    if (self->addresses == NULL) return PAWL_ENOMEM;
    memset(self->addresses, 0, count * sizeof *self->addresses);
    self->allocator = allocator;
    self->count = count;
    return 0;
}

int addresses_copy(struct pawl_getaddrinfo *self, struct pawl_loop *loop, const struct addrinfo *found)
{
    size_t count = 0;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) count++;
    const int error = count == 0 ? PAWL_EHOST : addresses_make(self, loop, count);
    if (error != 0) return error;
    for (struct pawl_address *address = self->addresses; found != NULL; found = found->ai_next, address++)
        pawl_address_set(address, found->ai_addr, found->ai_addrlen);
    return 0;
}

void pawl_addresses_free(struct pawl_getaddrinfo *found)
{
    if (found == NULL) return;
    if (found->allocator != NULL) found->allocator->release(found->allocator->context, found->addresses);
    found->addresses = NULL;
    found->allocator = NULL;
    found->count = 0;
}

/* Takes the address at `from` out and puts it in at `to`, before that. */
static void move_ahead(struct pawl_address *addresses, size_t from, size_t to)
{
    const struct pawl_address moved = addresses[from];
    memmove(&addresses[to + 1], &addresses[to], (from - to) * sizeof *addresses);
    addresses[to] = moved;
}

static void take_turns(struct pawl_address *addresses, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const sa_family_t before = addresses[i - 1].of.family;
        size_t other = i;
        while (other < count && addresses[other].of.family == before) other++;
        if (other == count) return;
        move_ahead(addresses, other, i);
    }
}

/* ---- Numbers ---- */

/* A service is a port in digits, up to 65535, or a name; getaddrinfo(3) would take "99999" and "-1" for ports. */
static int check_service(const char *service)
{
    unsigned port = 0;
    if (service == NULL) return 0;
    if (*service == '\0' || strchr(" +-", *service) != NULL) return PAWL_EHOST;
    for (; *service >= '0' && *service <= '9'; service++) {
        port = port * 10 + (unsigned)(*service - '0');
        if (port > 65535) return PAWL_EHOST;
    }
    return 0;
}

static int check(const struct pawl_getaddrinfo *self)
{
    if (self->family != AF_UNSPEC && self->family != AF_INET && self->family != AF_INET6) return PAWL_EINVAL;
    if (self->type != SOCK_STREAM && self->type != SOCK_DGRAM) return PAWL_EINVAL;
    if (self->host != NULL && strnlen(self->host, MOST_HOST + 1) > MOST_HOST) return PAWL_EINVAL;
    if (self->host != NULL && self->host[0] == '\0') return PAWL_EHOST;
    return check_service(self->service);
}

/* PAWL_EPENDING when there is a name in it. */
static int answer_numbers(struct pawl_getaddrinfo *self, struct pawl_loop *loop)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_family = self->family, .ai_socktype = self->type };
    struct addrinfo *found = NULL;
    const char *const service = self->service != NULL ? self->service : "0";
    const int result = getaddrinfo(self->host, service, &hints, &found);
    if (result == EAI_NONAME) return PAWL_EPENDING;
    if (result != 0) return error_of_getaddrinfo(result, errno);
    const int error = addresses_copy(self, loop, found);
    freeaddrinfo(found);
    return error;
}

/* ---- The operation ---- */

/* Answered (`error` is 0), cancelled or closed. */
static struct pawl_coro *finish(struct pawl_getaddrinfo *self, int error)
{
    if (error == 0) error = lookup_take(self);
    lookup_end(self->lookup);
    self->lookup = NULL;
    if (error == 0) take_turns(self->addresses, self->count);
    return pawl_leaf_done(&self->awaitable, error);
}

static struct pawl_coro *begin(struct pawl_getaddrinfo *self, struct pawl_coro *root, struct pawl_loop *loop)
{
    struct pawl_coro *const co = &self->awaitable;
    int error = check(self);
    if (error == 0) error = answer_numbers(self, loop);
    if (error == 0) take_turns(self->addresses, self->count);
    if (error == PAWL_EPENDING) error = lookup_begin(self, loop);
    if (error != 0 || self->lookup == NULL) return pawl_leaf_done(co, error);
    if (pawl_future_done(&self->answered)) return finish(self, 0);
    co->point = WAITS;
    return pawl_leaf_await(co, root, &self->answered);
}

PAWL_LEAF(pawl_getaddrinfo)
{
    PAWL_LEAF_BEGIN(pawl_getaddrinfo);
    struct pawl_getaddrinfo *const self = (struct pawl_getaddrinfo *)(void *)co;
    const struct pawl_task *const task = pawl_leaf_task(root);
    switch (co->point) {
    case START: return task == NULL ? socket_by_hand(co, root, &self->answered) : begin(self, root, pawl_task_loop(task));
    case WAITS: return finish(self, error);
    case PAWL_POINT_EXIT: pawl_addresses_free(self); return pawl_leaf_done(co, pawl_scope_error(co));
    default: return pawl_leaf_done(co, error);
    }
}
