/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Sessions, and what disturbs them. A session opens a connection of some sort, lets both ends write and read until they have ended or
 * the connection is broken, closes everything, and looks whether all has come. Calm sessions are left alone, so that a wakeup that is
 * lost anywhere is not made good by a cancellation: they would wait for ever.
 *
 * STORM_MESSAGES says how many messages are sent (also fewer, for slow machines), STORM_SEED from which numbers, STORM_TELL what was done:
 *
 *      STORM_MESSAGES=1000000 STORM_SEED=7 STORM_TELL=1 build/tests/io/test_net_storm
 */
#include "storm.h"

#include <sys/mman.h>

struct side {
    COROUTINE(void);
    struct end *end;
    struct reader *reader;
    struct writer *writer;
    int error;
    bool may_fail;
    struct pawl_timeout limit;
    struct pawl_stream_closing closing;
    struct pawl_stream_drain closed;
};

/* Opens both ends of a connection. */
struct connects {
    COROUTINE(void);
    struct pawl_socket *a, *b;
    enum count link;
    bool disturbed;
    struct pawl_socket listener;
    struct pawl_address address;
    struct pawl_timeout limit;
    union {
        struct pawl_connect_to connect;
        struct pawl_accept accept;
    } step;
};

struct session {
    COROUTINE(void);
    struct slot *slot;
    struct connects connects;
    struct pawl_event_wait accepted;
    struct pawl_server_shutdown shutdown;
};

struct slot {
    bool calm, at_work, proxied;
    struct flow flows[2];
    struct end ends[2];
    struct pawl_socket middle[2]; /* of the proxy */
    struct pawl_server server;
    struct pawl_event accepted, over; /* its one connection is there; nobody uses it any more */
    TASK(reader) readers[2];
    TASK(writer) writers[2];
    TASK(side) sides[2];
    TASK(forwarder) forwarders[2];
    TASK(session) session;
};

struct storm storm;
static struct slot slots[SLOTS];

/* ---- What all of them use ---- */

void check(struct flow *flow, const void *data, size_t size)
{
    if (flow->received + size > flow->offered) ck_abort_msg("%zu bytes came at %llu, and only %llu were sent", size,
                                                            (unsigned long long)flow->received, (unsigned long long)flow->offered);
    if (size > 0 && memcmp(data, pad_at(flow, flow->received), size) != 0)
        ck_abort_msg("other bytes than were sent, among %zu at %llu", size, (unsigned long long)flow->received);
    flow->received += size;
    storm.bytes += size;
}

size_t some_size(void)
{
    static const unsigned most[] = { 16, 16, 64, 64, 64, 256, 1024, 1024, 4096, 16384 };
    if (once_in(100)) return 1 + chance(MOST_AT_ONCE / 2);
    return 1 + chance(most[chance(sizeof most / sizeof *most)]);
}

bool is_calm(const struct slot *slot)
{
    return slot->calm;
}

struct pawl_timeout some_limit(const struct slot *slot)
{
    return pawl_timeout(slot->calm || !once_in(4) ? PAWL_FOREVER : (pawl_time)chance(once_in(4) ? 200000 : 2000));
}

void break_flows(struct slot *slot)
{
    slot->flows[0].broken++;
    slot->flows[1].broken++;
}

static void mend_flows(struct slot *slot)
{
    slot->flows[0].broken--;
    slot->flows[1].broken--;
}

bool goes_on(const struct flow *flow, int error)
{
    switch (error) {
    case PAWL_ECANCELLED:
        storm.counts[CANCELLED]++;
        while (pawl_task_cancelling(pawl_task_current()) > 0) pawl_task_uncancel(pawl_task_current());
        return true;
    case PAWL_ETIMEOUT: storm.counts[TIMED_OUT]++; return true;
    case PAWL_ENOMEM:
        must(storm.short_of_memory);
        storm.counts[NO_MEMORY]++;
        return true;
    case PAWL_ECLOSED: case -ECONNRESET: case -EPIPE: case -ENOTCONN /* the end could not be said */: break;
    default: ck_abort_msg("an error that nobody expects: %s", pawl_strerror(error));
    }
    if (flow->broken == 0) ck_abort_msg("'%s' on a connection that nobody has broken", pawl_strerror(error));
    return false;
}

/* The peer sees a reset, and not an end. */
static void linger_not(struct pawl_socket *sock)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    if (pawl_socket_is_open(sock)) setsockopt(pawl_socket_fd(sock), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* ---- A proxy ---- */

/* What was in the pipe between the two is lost: then nothing may follow it. */
static bool loses(struct forwarder *self)
{
    if (self->splice.waiting == 0) return false;
    break_flows(self->slot);
    storm.counts[LOST_IN_PROXY]++;
    return true;
}

static void close_middle(struct slot *slot)
{
    pawl_socket_close(&slot->middle[0]);
    pawl_socket_close(&slot->middle[1]);
}

ASYNC_PUBLIC(forwarder)
{
    ASYNC_BEGIN(forwarder);
    self->begun = true;
    for (;;) {
        self->error = 0;
        storm.counts[SPLICE]++;
        TRY {
            WITH(self->limit, some_limit(self->slot)) {
                AWAIT(self->splice, pawl_splice(self->from, self->to, once_in(8) ? UINT64_MAX : some_size()));
            } END_WITH;
        } CATCH_ALL {
            self->error = CAUGHT();
        } END_TRY;
        if (self->error == 0 && self->splice.result < self->splice.size) break;
        if (self->error != 0 && (loses(self) || !goes_on(self->flow, self->error))) break;
    }
    self->begun = false;
    if (self->error != 0) {
        close_middle(self->slot);
    } else {
        const int error = pawl_socket_shutdown(self->to, SHUT_WR);
        if (error != 0) must(self->flow->broken > 0);
    }
    ASYNC_END;
}

/* ---- One end ---- */

/* Perhaps it is given too little time, and is aborted. Its error is what was not sent. */
static void closed(struct side *self)
{
    struct end *const end = self->end;
    must(end->stream->transport == NULL);
    if (self->error == 0 && self->may_fail) mend_flows(end->slot);
    if (self->error == 0) return;
    if (self->error == PAWL_ETIMEOUT) must(self->may_fail);
    else if (self->error != PAWL_ENOMEM) goes_on(end->out, self->error);
    must(end->out->broken > 0);
    storm.counts[CLOSING_CANCELLED] += self->error == PAWL_ETIMEOUT;
}

static struct pawl_timeout closing_limit(struct side *self)
{
    self->may_fail = !self->end->slot->calm && once_in(4);
    if (self->may_fail) break_flows(self->end->slot);
    return pawl_timeout(self->may_fail ? (pawl_time)chance(500) : PAWL_FOREVER);
}

ASYNC(side)
{
    ASYNC_BEGIN(side);
    if (self->reader != NULL) {
        TRY_AWAIT((struct pawl_task *)(void *)self->reader - 1);
        must(AWAIT_ERROR() == 0);
    }
    if (self->writer != NULL) {
        TRY_AWAIT((struct pawl_task *)(void *)self->writer - 1);
        must(AWAIT_ERROR() == 0);
    }
    if (self->end->is_served) {
        self->end->stream = NULL;
        pawl_event_set(&self->end->slot->over);
        ASYNC_RETURN();
    }
    if (!self->end->is_stream) {
        pawl_socket_close(&self->end->sock);
        ASYNC_RETURN();
    }
    if (pawl_stream_unsent(self->end->stream) > 0) storm.counts[CLOSED_WITH_UNSENT]++;
    TRY {
        WITH(self->limit, closing_limit(self)) {
            if (once_in(2)) {
                WITH(self->closing, pawl_stream_closing(self->end->stream)) {
                } END_WITH;
            } else {
                AWAIT(self->closed, pawl_stream_wait_closed(self->end->stream));
            }
        } END_WITH;
    } CATCH_ALL {
        self->error = CAUGHT();
    } END_TRY;
    closed(self);
    ASYNC_END;
}

/* The end of a server's connection: the stream is in this frame, which stays until nobody reads or writes it. Then the server closes it. */
struct serves {
    CONNECTION;
    struct pawl_event_wait over;
};

ASYNC(serves)
{
    ASYNC_BEGIN(serves);
    ((struct slot *)self->argument)->ends[1].stream = &self->stream;
    pawl_event_set(&((struct slot *)self->argument)->accepted);
    TRY {
        AWAIT(self->over, pawl_event_wait(&((struct slot *)self->argument)->over));
    } CATCH(PAWL_ECANCELLED) {
        pawl_stream_abort(&self->stream);
        AWAIT(self->over, pawl_event_wait(&((struct slot *)self->argument)->over));
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

/* ---- Connecting ---- */

static int listens(struct connects *self)
{
    static unsigned number;
    char name[64];
    int error;
    if (self->link == LOCAL) {
        snprintf(name, sizeof name, "@pawl-storm-%d-%u", (int)getpid(), number++);
        error = pawl_address_unix(&self->address, name);
        if (error == 0) error = pawl_listen_at(&self->listener, &self->address, 4);
    } else {
        error = pawl_listen(&self->listener, self->link == TCP6 ? "::1" : "127.0.0.1", 0, 4);
        if (error == 0) error = pawl_socket_address(&self->listener, &self->address);
    }
    return error;
}

static struct pawl_timeout connect_limit(const struct connects *self)
{
    return pawl_timeout(self->disturbed && once_in(4) ? 0 : PAWL_FOREVER);
}

/* A listener of its own each time: a connection that was given up may be left in its queue. */
ASYNC(connects)
{
    ASYNC_BEGIN(connects);
    while (!pawl_socket_is_open(self->b)) {
        must(listens(self) == 0);
        TRY {
            WITH(self->limit, connect_limit(self)) {
                AWAIT(self->step.connect, pawl_connect_to(self->a, &self->address));
            } END_WITH;
            WITH(self->limit, connect_limit(self)) {
                AWAIT(self->step.accept, pawl_accept(&self->listener, self->b));
            } END_WITH;
        } CATCH(PAWL_ETIMEOUT) {
            storm.counts[CONNECT_TIMED_OUT]++;
            must(!pawl_socket_is_open(self->b));
            pawl_socket_close(self->a);
        } END_TRY;
        pawl_socket_close(&self->listener);
    }
    ASYNC_END;
}

/* Not TCP's receive buffer: a small window is opened again by timers. */
static void shrink(struct pawl_socket *sock)
{
    static const int sizes[] = { 2048, 2048, 8192, 32768 };
    if (!once_in(4)) must(pawl_socket_set(sock, PAWL_SEND_BUFFER, sizes[chance(4)]) == 0);
}

static enum count some_link(void)
{
    switch (chance(8)) {
    case 0: case 1: case 2: return TCP;
    case 3: return storm.has_ipv6 ? TCP6 : TCP;
    case 4: return once_in(2) ? LOCAL : storm.short_of_memory ? TCP : SERVED; /* a server without memory turns clients away */
    case 5: return PIPE;
    default: return PAIR;
    }
}

static void connect_at_once(struct connects *self)
{
    const int error = self->link == PIPE ? pawl_pipe(self->b, self->a) : pawl_socket_pair(self->a, self->b, SOCK_STREAM);
    must(error == 0);
}

/* ---- A session ---- */

static void open_flow(struct flow *flow)
{
    *flow = (struct flow){ .base = chance(PAD), .present = true };
}

/* A stream of what was a socket, with limits that matter. */
static void open_stream(struct end *end)
{
    static const size_t highs[] = { 0, 100, 4096, PAWL_STREAM_LIMIT };
    const size_t high = highs[chance(4)];
    if (!end->is_served) end->stream = &end->own;
    if (end->is_served) must(pawl_stream_is_open(end->stream));
    else if (once_in(2)) must(pawl_stream_open(end->stream, &end->sock) == 0);
    else must(pawl_stream_adopt(end->stream, pawl_socket_release(&end->sock)) == 0);
    must(!pawl_socket_is_open(&end->sock));
    must(pawl_stream_set_water(end->stream, high, high / 4) == 0);
    if (end->small_limit) must(pawl_stream_set_limit(end->stream, 300) == 0);
}

static void open_end(struct slot *slot, int i, enum count link)
{
    struct end *const end = &slot->ends[i];
    end->slot = slot;
    end->out = &slot->flows[i];
    end->in = &slot->flows[1 - i];
    end->is_served = i == 1 && link == SERVED && !slot->proxied;
    end->is_stream = end->is_served || once_in(2);
    end->is_pipe = link == PIPE;
    end->small_limit = once_in(4);
    end->leaves_end_to_close = i == 1 && once_in(2);
    if (!end->is_pipe && !end->is_served) shrink(&end->sock);
    if (end->is_stream) open_stream(end);
}

/* Its tasks. A pipe goes one way. */
static void begin_end(struct slot *slot, int i)
{
    struct end *const end = &slot->ends[i];
    const long messages = 1 + (long)chance(once_in(4) ? 400 : 40);
    struct side side = CORO(side, .end = end);
    if (end->in->present) {
        side.reader = &slot->readers[i].frame;
        must(pawl_start(&slot->readers[i], CORO(reader, .end = end)) != NULL);
    }
    if (end->out->present) {
        side.writer = &slot->writers[i].frame;
        must(pawl_start(&slot->writers[i], CORO(writer, .end = end, .messages = messages)) != NULL);
    }
    must(pawl_start(&slot->sides[i], side) != NULL);
}

static void begin_session(struct slot *slot, enum count link)
{
    storm.counts[SESSIONS]++;
    for (int i = 0; i < 2; i++) open_flow(&slot->flows[i]);
    if (link == PIPE) slot->flows[1].present = false;
    for (int i = 0; i < 2; i++) {
        open_end(slot, i, link);
        slot->ends[i].passes_fds = (link == PAIR || link == LOCAL) && !slot->proxied;
    }
    for (int i = 0; i < 2; i++) begin_end(slot, i);
    for (int i = 0; i < 2 && slot->proxied; i++) {
        must(pawl_start(&slot->forwarders[i], CORO(forwarder, .slot = slot, .flow = &slot->flows[i], .from = &slot->middle[i],
                                                   .to = &slot->middle[1 - i])) != NULL);
    }
    slot->at_work = true;
}

/* Nothing is lost but what was broken. */
static void end_session(struct slot *slot)
{
    slot->at_work = false;
    close_middle(slot);
    for (int i = 0; i < 2; i++) {
        const struct flow *const flow = &slot->flows[i];
        must(slot->ends[i].is_served || !pawl_socket_is_open(socket_of(&slot->ends[i])));
        if (!flow->present || flow->broken > 0) continue;
        if (flow->received != flow->sent) ck_abort_msg("%llu bytes sent, %llu received", (unsigned long long)flow->sent, (unsigned long long)flow->received);
        must(flow->ended && flow->sent == flow->offered);
    }
}

static void begin_server(struct slot *slot, struct pawl_address *address)
{
    slot->accepted = slot->over = (struct pawl_event){ .waiters = { 0 } };
    must(pawl_start_server(&slot->server, "127.0.0.1", 0, HANDLER(serves), slot) == 0);
    must(pawl_socket_address(&slot->server.listener, address) == 0);
}

ASYNC(session)
{
    ASYNC_BEGIN(session);
    while (storm.messages < storm.wanted) {
        self->slot->calm = once_in(4);
        self->slot->proxied = once_in(4);
        self->connects = CORO(connects, .a = &self->slot->ends[0].sock, .disturbed = !self->slot->calm, .link = some_link());
        self->connects.b = self->slot->proxied ? &self->slot->middle[0] : &self->slot->ends[1].sock;
        if (self->slot->proxied && (self->connects.link == PIPE || self->connects.link == SERVED)) self->connects.link = TCP;
        storm.counts[self->connects.link]++;
        if (self->connects.link == PAIR || self->connects.link == PIPE) {
            connect_at_once(&self->connects);
        } else if (self->connects.link == SERVED) {
            begin_server(self->slot, &self->connects.address);
            AWAIT(self->connects.step.connect, pawl_connect_to(self->connects.a, &self->connects.address));
            AWAIT(self->accepted, pawl_event_wait(&self->slot->accepted));
        } else {
            AWAIT(&self->connects);
        }
        if (self->slot->proxied) {
            storm.counts[PROXIED]++;
            must(pawl_socket_pair(&self->slot->middle[1], &self->slot->ends[1].sock, SOCK_STREAM) == 0);
        }
        begin_session(self->slot, self->connects.link);
        AWAIT(&self->slot->sides[0]);
        AWAIT(&self->slot->sides[1]);
        if (self->slot->proxied) {
            AWAIT(&self->slot->forwarders[0]);
            AWAIT(&self->slot->forwarders[1]);
        }
        if (self->slot->ends[1].is_served) {
            AWAIT(self->shutdown, pawl_server_shutdown(&self->slot->server, PAWL_FOREVER));
            must(self->slot->server.served == 1 && self->slot->server.count == 0);
        }
        end_session(self->slot);
    }
    ASYNC_END;
}

/* ---- Disturbances ---- */

static void cancel_if(bool begun, void *frame)
{
    if (begun) must(pawl_task_cancel((struct pawl_task *)frame - 1));
}

static void cancel_somebody(struct slot *slot)
{
    const unsigned i = chance(2);
    switch (chance(slot->proxied ? 5 : 4)) {
    case 0: case 1: cancel_if(slot->readers[i].frame.begun, &slot->readers[i].frame); break;
    case 2: case 3: cancel_if(slot->writers[i].frame.begun, &slot->writers[i].frame); break;
    default: cancel_if(slot->forwarders[i].frame.begun, &slot->forwarders[i].frame); break;
    }
}

static void break_end(struct end *end)
{
    const bool resets = once_in(2);
    struct pawl_socket *const sock = socket_of(end);
    if (resets) linger_not(sock);
    if (end->is_stream && (resets || once_in(2))) pawl_stream_abort(end->stream);
    else if (end->is_stream) pawl_stream_close(end->stream);
    else pawl_socket_close(sock);
    storm.counts[resets ? RESET : end->is_stream && end->stream->transport == NULL ? ABORTED : CLOSED_EARLY]++;
}

static void break_something(struct slot *slot)
{
    if (slot->flows[0].broken > 0) return;
    break_flows(slot);
    if (slot->proxied && once_in(3)) {
        const unsigned i = chance(2);
        if (once_in(2)) linger_not(&slot->middle[i]);
        pawl_socket_close(&slot->middle[i]);
        storm.counts[MIDDLE_CLOSED]++;
    } else if (slot->ends[1].is_served && once_in(3)) {
        pawl_server_cancel(&slot->server);
        storm.counts[SERVER_CANCELLED]++;
    } else {
        break_end(&slot->ends[slot->ends[1].stream == NULL && slot->ends[1].is_served ? 0 : chance(2)]);
    }
}

static void disturb(void)
{
    for (unsigned many = chance(SLOTS); many > 0; many--) {
        struct slot *const slot = &slots[chance(SLOTS)];
        if (slot->calm || !slot->at_work) continue;
        if (once_in(40)) break_something(slot);
        else cancel_somebody(slot);
    }
    if (storm.short_of_memory && once_in(3)) storm.net.memory.fail_at = storm.net.memory.calls + 1 + chance(4);
}

struct disturber {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(disturber)
{
    ASYNC_BEGIN(disturber);
    while (storm.messages < storm.wanted) {
        disturb();
        AWAIT(self->sleep, pawl_sleep((pawl_time)chance(1000)));
    }
    ASYNC_END;
}

static TASK(disturber) disturber;

/* ---- The storm ---- */

/* In memory, and behind its end once more; line ends and separators are frequent. */
static void make_pad(void)
{
    char *const pad = malloc(PAD + MOST_AT_ONCE);
    must(pad != NULL);
    for (size_t i = 0; i < PAD; i++) {
        const unsigned byte = chance(256 + 8);
        pad[i] = byte >= 256 ? '\n' : (char)byte;
        if (i > 0 && once_in(200)) {
            pad[i - 1] = '\r';
            pad[i] = '\n';
        }
    }
    memcpy(pad + PAD, pad, MOST_AT_ONCE);
    storm.file = memfd_create("pad", MFD_CLOEXEC);
    must(storm.file >= 0 && write(storm.file, pad, PAD + MOST_AT_ONCE) == PAD + MOST_AT_ONCE);
    storm.pad = pad;
}

static bool has_ipv6(void)
{
    struct pawl_socket sock = { 0 };
    const bool has = pawl_listen(&sock, "::1", 0, 1) == 0;
    pawl_socket_close(&sock);
    return has;
}

static void storm_begin(unsigned seed, long wanted, bool short_of_memory)
{
    memset(&storm, 0, sizeof storm);
    memset(slots, 0, sizeof slots);
    storm.seed = seed * 2654435761u + 1;
    storm.wanted = wanted;
    storm.short_of_memory = short_of_memory;
    net_begin(&storm.net);
    storm.has_ipv6 = has_ipv6();
    make_pad();
}

static void run(void)
{
    for (int i = 0; i < SLOTS; i++) must(pawl_start(&slots[i].session, CORO(session, .slot = &slots[i])) != NULL);
    must(pawl_start(&disturber, CORO(disturber)) != NULL);
    for (int i = 0; i < SLOTS; i++) must(pawl_loop_run_until_complete(&storm.net.loop, &slots[i].session) == 0);
    must(pawl_loop_run_until_complete(&storm.net.loop, &disturber) == 0);
}

static void storm_end(void)
{
    must(storm.net.epoll.watched == 0);
    net_end(&storm.net);
    free((void *)(uintptr_t)storm.pad);
    close(storm.file);
}

static const char *const names[COUNTS] = {
    [RECV] = "recv", [RECVMSG] = "recvmsg", [RECV_FDS] = "recv_fds", [TRY_RECV] = "try_recv", [RAW_RECV] = "wait_ready and read",
    [READ] = "read", [READ_EXACTLY] = "read_exactly", [LINE] = "line", [UNTIL] = "until", [PIECE] = "piece", [FILL] = "fill", [PARTS] = "a length and so many bytes", [FRAME] = "frame",
    [SEND] = "send", [SEND_SOME] = "send_some", [SEND_VECTOR] = "send_vector", [SENDMSG] = "sendmsg", [SENDFILE] = "sendfile",
    [TRY_SEND] = "try_send", [SEND_FDS] = "send_fds", [RAW_SEND] = "wait_ready and send", [WRITE] = "write", [WRITE_VECTOR] = "write_vector",
    [WRITE_FRAME] = "write_frame", [PRINTF] = "printf", [STREAM_SENDFILE] = "stream_sendfile", [SPLICE] = "splice", [DRAIN] = "drain", [FLUSH] = "flush",
    [CANCELLED] = "cancelled", [CANCELLED_HALF_WAY] = "cut short half-way", [TIMED_OUT] = "timed out", [NO_MEMORY] = "calls without memory",
    [TOO_LONG] = "too long for the limit", [DESCRIPTORS] = "descriptors passed", [TCP] = "TCP", [TCP6] = "TCP over IPv6", [LOCAL] = "Unix",
    [SERVED] = "served", [PAIR] = "pair", [PIPE] = "pipe", [PROXIED] = "proxied", [SESSIONS] = "sessions", [RESET] = "reset", [ABORTED] = "aborted",
    [CLOSED_EARLY] = "closed early", [SERVER_CANCELLED] = "server cancelled", [MIDDLE_CLOSED] = "proxy closed early", [LOST_IN_PROXY] = "cancelled within the proxy's pipe",
    [CLOSING_CANCELLED] = "closing timed out", [CONNECT_TIMED_OUT] = "connect or accept timed out", [HALF_CLOSED] = "half-closed",
    [CLOSED_WITH_UNSENT] = "closed with unsent data"
};

/* In a storm of this size. What is torn, and where, is a matter of luck: there are some hundred sessions in a small one. */
static bool must_happen(int i)
{
    if (i == TCP6 && !storm.has_ipv6) return false;
    if (storm.short_of_memory ? i == SERVED || i == SERVER_CANCELLED : i == NO_MEMORY) return false;
    return storm.wanted >= (i < RESET ? 20000 : 500000);
}

/* A storm in which something never happened has not tested it. */
static void everything_happened(void)
{
    for (int i = 0; i < COUNTS; i++) {
        if (getenv("STORM_TELL")) printf("# %-36s %ld\n", names[i], storm.counts[i]);
        if (must_happen(i) && storm.counts[i] == 0) ck_abort_msg("'%s' never happened", names[i]);
    }
    if (getenv("STORM_TELL")) printf("# %ld messages, %llu bytes\n", storm.messages, (unsigned long long)storm.bytes);
    fflush(stdout);
}

static long from_environment(const char *name, long otherwise)
{
    const char *const text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

static long messages(void)
{
    return from_environment("STORM_MESSAGES", under_valgrind() ? 2000 : 50000);
}

enum { SEEDS = 4 };

START_TEST(every_byte_arrives_whatever_is_cancelled_and_torn)
{
    storm_begin((unsigned)(from_environment("STORM_SEED", 1) + _i), messages(), false);
    run();
    everything_happened();
    storm_end();
}
END_TEST

START_TEST(every_byte_arrives_also_when_there_is_no_memory_now_and_then)
{
    storm_begin((unsigned)(from_environment("STORM_SEED", 1) + SEEDS), messages() / 2, true);
    run();
    everything_happened();
    storm_end();
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("storm of sockets");
    TCase *const tcase = add_case(suite, "storm");
    tcase_set_timeout(tcase, getenv("STORM_MESSAGES") ? 0 : 200);
    tcase_add_loop_test(tcase, every_byte_arrives_whatever_is_cancelled_and_torn, 0, getenv("STORM_SEED") ? 1 : SEEDS);
    tcase_add_test(tcase, every_byte_arrives_also_when_there_is_no_memory_now_and_then);
    return suite;
}
