/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A storm on sockets: many connections in one loop, each end with a task that writes and a task that reads, which are cancelled, run out
 * of time, and have their connections torn, at random.
 *
 *      slot:   end 0 ══════════════ flow 0 ═════════════► end 1        a session; when it is over, the slot opens the next one,
 *              writer, reader ◄════ flow 1 ══════════════ writer, …    and so takes the descriptors that were closed just now
 *                       (perhaps through a proxy that splices)
 *
 * What travels is known in advance: one long pad of random bytes, the same for all, in memory and in a file. A flow begins at a place of
 * its own in it. So each byte that comes is compared with the one that belongs there, and to send is to point into the pad.
 * The writer counts what it offers and what its operations say that they moved; the reader counts what came.
 *
 *      not broken:  received == sent, and then the end           broken:  received <= offered, and then an end or an error
 */
#ifndef PAWL_TESTS_STORM_H
#define PAWL_TESTS_STORM_H

#define _GNU_SOURCE
#include "../net_world.h"

enum {
    PAD = 1000003,          /* bytes after which it repeats: a prime, so that no loss of a round number of them goes unseen */
    MOST_AT_ONCE = 1 << 18, /* bytes of a message or a piece: the pad goes on for so long */
    SLOTS = 24,
    TAKE_ROOM = 1 << 16,
    MOST_PARTS = 5,
    MARKS = 32
};

/* What was done, to see that everything was. The readers' operations, then the writers', then what disturbed them. */
enum count {
    RECV, RECVMSG, RECV_FDS, TRY_RECV, RAW_RECV, BARE_TAKES,
    READ = BARE_TAKES, READ_EXACTLY, LINE, UNTIL, PIECE, FILL, PARTS, FRAME, TAKES,
    SEND = TAKES, SEND_SOME, SEND_VECTOR, SENDMSG, SENDFILE, TRY_SEND, SEND_FDS, RAW_SEND, BARE_PUTS,
    WRITE = BARE_PUTS, WRITE_VECTOR, WRITE_FRAME, PRINTF, STREAM_SENDFILE, PUTS,
    SPLICE = PUTS, DRAIN, FLUSH,
    CANCELLED, CANCELLED_HALF_WAY, TIMED_OUT, NO_MEMORY, TOO_LONG, DESCRIPTORS,
    TCP, TCP6, LOCAL, SERVED, PAIR, PIPE, PROXIED, SESSIONS,
    RESET, ABORTED, CLOSED_EARLY, SERVER_CANCELLED, MIDDLE_CLOSED, LOST_IN_PROXY, CLOSING_CANCELLED, CONNECT_TIMED_OUT, HALF_CLOSED, CLOSED_WITH_UNSENT,
    COUNTS
};

/* One direction of a connection. */
struct flow {
    size_t base; /* where in the pad it begins */
    uint64_t offered, sent, received;
    bool present, ended;
    int broken; /* how many reasons there are for it to end early */
    struct mark {
        uint64_t position;
        unsigned count; /* descriptors that went with that byte */
    } marks[MARKS];
    unsigned first_mark, marks_count;
};

struct slot;

struct end {
    struct slot *slot;
    struct flow *in, *out;
    struct pawl_socket sock;
    struct pawl_stream *stream, own; /* its own, or that of a server's connection */
    bool is_stream, is_served, is_pipe;
    bool passes_fds;  /* what it sends along reaches the other end */
    bool small_limit; /* of its stream: pieces may be too long for it */
    bool leaves_end_to_close; /* its writer does not shut its side down */
};

/* An operation, whichever, to be awaited. */
struct any {
    struct pawl_coro awaitable;
};

struct storm {
    struct net net;
    unsigned seed;
    long messages, wanted; /* written entirely */
    uint64_t bytes;
    bool short_of_memory, has_ipv6;
    const char *pad;
    int file; /* the pad too */
    long counts[COUNTS];
};
extern struct storm storm;

/* As ck_assert, which writes to a file each time, and this is asked millions of times. */
#define must(condition) do { if (!(condition)) ck_abort_msg("%s:%d: not so: %s", __FILE__, __LINE__, #condition); } while (0)

static inline unsigned chance(unsigned of)
{
    storm.seed = storm.seed * 1664525u + 1013904223u;
    return (unsigned)((uint64_t)(storm.seed ^ storm.seed << 15) * of >> 32);
}

static inline bool once_in(unsigned of)
{
    return chance(of) == 0;
}

static inline const char *pad_at(const struct flow *flow, uint64_t position)
{
    return storm.pad + (flow->base + position) % PAD;
}

/* The next bytes of a flow have come. */
void check(struct flow *flow, const void *data, size_t size);

/* How many bytes next. */
size_t some_size(void);

/* How long an operation may take. */
struct pawl_timeout some_limit(const struct slot *slot);

/* An operation ended with an error: may it go on? An error that only a broken connection has is one of a broken one. */
bool goes_on(const struct flow *flow, int error);

/* Is this slot left alone by all disturbances? What waits in it must be woken by the network itself. */
bool is_calm(const struct slot *slot);

/* From now on both flows may end early. */
void break_flows(struct slot *slot);

static inline struct pawl_socket *socket_of(struct end *end)
{
    return end->is_stream ? &end->stream->sock : &end->sock;
}

/* ---- The tasks ---- */

/* Try, and wait for the socket. */
struct tries {
    COROUTINE(size_t);
    struct pawl_socket *sock;
    char *data;
    size_t size;
    bool sends;
};

/* Wait for the socket, and call the system oneself. */
struct raw {
    COROUTINE(size_t);
    struct pawl_socket *sock;
    char *data;
    size_t size;
    bool sends;
    struct pawl_wait_ready ready;
};

/* A length and what it counts, in two operations. */
struct parts {
    COROUTINE(void);
    struct end *end;
    unsigned char head[2];
    union {
        struct pawl_stream_read head;
        struct pawl_stream_piece body;
    } step;
};

ASYNC_EXTERN(tries);
ASYNC_EXTERN(raw);
ASYNC_EXTERN(parts);

struct reader {
    COROUTINE(void);
    struct end *end;
    bool begun, over;
    enum count take;
    int error;
    size_t size;
    struct pawl_coro *operation; /* in `step` */
    struct pawl_timeout limit;
    struct pawl_sleep pause;
    union {
        struct pawl_recv recv;
        struct pawl_message message;
        struct pawl_recv_fds fds;
        struct tries tries;
        struct raw raw;
        struct pawl_stream_read read;
        struct pawl_stream_piece piece;
        struct parts parts;
    } step;
    struct msghdr message;
    struct iovec parts[2];
    int fds[PAWL_MOST_FDS];
    char buffer[TAKE_ROOM];
};

struct writer {
    COROUTINE(void);
    struct end *end;
    bool begun, over;
    enum count put;
    int error;
    long messages;
    size_t left, size; /* of the message, and of this operation */
    struct pawl_coro *operation;
    struct pawl_timeout limit;
    struct pawl_sleep pause;
    union {
        struct pawl_send send;
        struct pawl_send_vector vector;
        struct pawl_message message;
        struct pawl_sendfile sendfile;
        struct pawl_send_fds fds;
        struct tries tries;
        struct raw raw;
        struct pawl_stream_sendfile stream_sendfile;
        struct pawl_stream_drain drain;
    } step;
    struct msghdr message;
    struct iovec parts[MOST_PARTS];
    int fds[PAWL_MOST_FDS];
};

/* One direction of a proxy. */
struct forwarder {
    COROUTINE(void);
    struct slot *slot;
    struct flow *flow;
    struct pawl_socket *from, *to;
    bool begun;
    int error;
    struct pawl_timeout limit;
    struct pawl_splice splice;
};

ASYNC_EXTERN(reader);
ASYNC_EXTERN(writer);
ASYNC_EXTERN(forwarder);

#endif
