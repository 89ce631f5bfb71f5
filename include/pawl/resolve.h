/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Names of hosts: looking them up without holding up the loop, and connecting by name.
 *
 *      WITH(self->found, pawl_getaddrinfo("example.org", "https", AF_UNSPEC, SOCK_STREAM)) {
 *          … self->found.addresses[0 … self->found.count - 1]
 *      } END_WITH;                                                            gives them back
 *
 *      AWAIT(self->connect, pawl_connect(&self->sock, "example.org", 443));
 *
 * The system's getaddrinfo(3) runs in threads of its own, at most PAWL_RESOLVERS at a time, which are started when they are
 * needed and end when they are idle; more requests wait their turn, the oldest first. A request that is cancelled is forgotten
 * at once, though its thread may be busy with it for a while. A child of fork(2) begins with no threads and no requests.
 * Built with c-ares (-Dresolver=c-ares) there are no threads: the loop asks the name servers itself.
 *
 * Hosted builds. Stepped by hand, a lookup waits for its future `answered`, and a connect for its socket's `writable`; what
 * the test sets there is the outcome.
 */
#ifndef PAWL_RESOLVE_H
#define PAWL_RESOLVE_H

#include "scope.h"
#include "socket.h"

PAWL_BEGIN_C

enum { PAWL_RESOLVERS = 4 };

struct pawl_lookup; /* a request on its way */

struct pawl_getaddrinfo {
    PAWL_SCOPE;
    const char *host, *service;
    int family, type;
    struct pawl_lookup *lookup;
    struct pawl_future answered;
    struct pawl_address *addresses; /* the result, in the order in which they are to be tried */
    size_t count;                   /* at least 1 after success */
    const struct pawl_allocator *allocator; /* that they came from; NULL: they are not the library's */
};
PAWL_API pawl_resume_fn pawl_getaddrinfo_resume;

/** Looks a host up. `host`: a name or a numeric address, up to 255 bytes; NULL is this machine (its loopback). `service`: a port
 *  in digits, a name from services(5), or NULL for port 0. `family`: AF_INET, AF_INET6 or AF_UNSPEC for both. `type`: SOCK_STREAM
 *  or SOCK_DGRAM. Both strings are copied when it begins. What is numeric is answered at once.
 *
 *  The addresses are sorted as RFC 6724 says (by the system), and then one family takes turns with the other (RFC 8305, 4). Their
 *  memory comes from the loop's allocator. As a scope it gives them back on the way out; awaited, pawl_addresses_free does.
 *  Raises PAWL_EHOST (no such host or service), PAWL_ERESOLVE (not just now), PAWL_EINVAL, PAWL_ENOMEM, -errno (-EAGAIN: no
 *  thread could be started, and none is there). (loop.getaddrinfo) */
PAWL_INLINE PAWL_MUST_USE struct pawl_getaddrinfo pawl_getaddrinfo(const char *host, const char *service, int family, int type)
{
    struct pawl_getaddrinfo frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_getaddrinfo_resume);
    frame.host = host;
    frame.service = service;
    frame.family = family;
    frame.type = type;
    return frame;
}

/** Gives the addresses of an awaited pawl_getaddrinfo back. Harmless when there are none. */
PAWL_API void pawl_addresses_free(struct pawl_getaddrinfo *found);

/* ---- Connecting ---- */

struct pawl_attempt;

struct pawl_connect_any {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    const struct pawl_address *addresses;
    size_t count;
    pawl_time delay;
    size_t started;                /* how many addresses have been tried, */
    size_t open;                   /* and how many of those tries go on */
    size_t result;                 /* which one it was */
    struct pawl_attempt *attempts; /* one an address */
    struct pawl_future progress;   /* an attempt, or the timer, has something to tell */
    struct pawl_handle timer;
    int16_t error;                 /* of the first that failed */
    bool late;                     /* it is time for the next one */
};
PAWL_API pawl_resume_fn pawl_connect_any_resume;

enum { PAWL_ATTEMPT_DELAY_MS = 250 };

/** Connects *sock (closed before) as a stream to whichever of `count` (at least 1) addresses answers first. They are tried in
 *  their order; the next one begins when one has failed, or after `delay` (0 or less: PAWL_ATTEMPT_DELAY_MS), while those before
 *  go on (RFC 8305: happy eyeballs). Raises the error of the first that failed when all have. *sock stays closed until one is
 *  connected (who opens it meanwhile has PAWL_EBUSY raised here), and after an error, or cancelled, nothing is left open. The
 *  attempts' memory comes from the loop's allocator (PAWL_ENOMEM). (loop.create_connection, happy_eyeballs_delay) */
PAWL_INLINE PAWL_MUST_USE struct pawl_connect_any pawl_connect_any(struct pawl_socket *sock, const struct pawl_address *addresses,
                                                                   size_t count, pawl_time delay)
{
    struct pawl_connect_any frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_connect_any_resume);
    frame.sock = sock;
    frame.addresses = addresses;
    frame.count = count;
    frame.delay = delay;
    return frame;
}

struct pawl_connect {
    PAWL_COROUTINE(void);
    struct pawl_socket *sock;
    const char *host;
    uint16_t port;
    char service[6];
    union {
        struct {
            struct pawl_address address;
            struct pawl_connect_to connect;
        } number;
        struct {
            struct pawl_getaddrinfo found;
            struct pawl_connect_any connect;
        } name;
    } by;
};
PAWL_API pawl_resume_fn pawl_connect_resume;

/** Connects *sock (closed before) to a host by name or numeric address, NULL being 127.0.0.1, and a TCP port: looks it up and
 *  tries its addresses as pawl_connect_any does. After an error, or cancelled, *sock is closed. `host` is borrowed until then. For
 *  a limit in time put it into a pawl_timeout. Raises what pawl_getaddrinfo and pawl_connect_any do. (asyncio.open_connection) */
PAWL_INLINE PAWL_MUST_USE struct pawl_connect pawl_connect(struct pawl_socket *sock, const char *host, uint16_t port)
{
    struct pawl_connect frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_connect_resume);
    frame.sock = sock;
    frame.host = host;
    frame.port = port;
    return frame;
}

PAWL_END_C

#endif
