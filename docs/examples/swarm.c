/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A swarm: an echo server and a thousand clients that talk to it over real TCP, in one process and one thread.
 *
 *      client ──message──► kernel ──► connection          as many tasks of each as there are clients,
 *        ▲                                │               and one more connection that waits at the listener
 *        └────────── kernel ◄─────────────┘
 *
 * Each client sends messages of its own pseudo-random bytes, one after the other, and compares every byte that comes
 * back. A task is one block of memory: the task itself (64 bytes) and the frame of its coroutine, in which stand its
 * socket, its buffer, and the operations that it awaits, one at a time in a union. Nothing is allocated for a message.
 *
 * Ctrl-C cancels the main coroutine; pawl_run then cancels all the others. Every FINALLY runs, and every socket that was
 * opened here is closed in one.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    BUFFER = 256,          /* of each task; a longer message goes in parts */
    BACKLOG = 4096,        /* connections that may queue at the listener … */
    CONNECTING = 100,      /* … of which there are never more than this, for systems with a smaller limit */
    OWN_DESCRIPTORS = 16,  /* that are not a client's: stdio, the loop's, the listener, and some to spare */
    MOST_CLIENTS = 25000,  /* one address has about 28,000 ports to connect from */
    MOST_SIZE = 65536      /* a client sends all of a message before it reads: it must fit into the kernel's buffers */
};

static struct {
    size_t clients, size;
    double seconds;
} options = { .clients = 1000, .size = 64, .seconds = 3 };

/* ---- Latencies: a histogram with 64 steps to each power of two, so a value is known to within 1.6 % ---- */

enum { STEP_BITS = 6, STEPS = 1 << STEP_BITS };

static uint64_t latencies[STEPS * (64 - STEP_BITS + 1)];

static void latency_add(pawl_time span)
{
    const uint64_t value = span > 0 ? (uint64_t)span : 0;
    const int shift = value < STEPS ? 0 : 63 - __builtin_clzll(value) - STEP_BITS;
    latencies[(uint64_t)shift * STEPS + (value >> shift)]++;
}

/* The latency that `part` (0 to 1) of `count` messages did not exceed, in microseconds. */
static double latency_percentile(double part, uint64_t count)
{
    const uint64_t rank = (uint64_t)(part * (double)count);
    uint64_t seen = 0;
    for (size_t i = 0; i < sizeof latencies / sizeof *latencies; i++) {
        seen += latencies[i];
        if (seen <= rank) continue;
        const size_t shift = i < 2 * STEPS ? 0 : i / STEPS - 1;
        return ((double)(i - shift * STEPS) + 0.5) * (double)(UINT64_C(1) << shift) / 1000;
    }
    return 0;
}

/* ---- What all tasks share. One thread, so plain variables do ---- */

static struct {
    uint16_t port;              /* of the server */
    bool over;                  /* the time is up: no new messages */
    size_t started, settled;    /* clients that were started; that are connected, or failed to */
    size_t alive;               /* clients that have not ended */
    struct pawl_future all_ended;
    pawl_time began, ended;
    uint64_t messages;
    size_t tasks;               /* the most that there were at once */
    size_t client_bytes, connection_bytes;
    size_t sockets_closed, errors;
    int first_error;
} swarm;

static pawl_time now(void)
{
    return pawl_loop_time(pawl_loop_current());
}

static void count_error(int error)
{
    if (swarm.errors++ == 0) swarm.first_error = error;
}

static void close_and_count(struct pawl_socket *sock)
{
    swarm.sockets_closed += pawl_socket_is_open(sock);
    pawl_socket_close(sock); /* harmless when it is not open */
}

/* What the allocator took for a task and its frame: with its own word of bookkeeping. */
static size_t heap_bytes(struct pawl_task *task)
{
    return malloc_usable_size(task) + sizeof(size_t);
}

/* ---- The server: one task a connection ---- */

struct connection {
    COROUTINE(void);
    struct pawl_socket *listener;
    struct pawl_socket sock;
    union { /* one at a time */
        struct pawl_accept accept;
        struct pawl_recv recv;
        struct pawl_send send;
    };
    char buffer[BUFFER];
};

ASYNC_DECLARE(connection);

/* Puts a task at the listener. Nobody waits for its end: it takes care of its own errors, and frees itself. */
static int serve_next(struct pawl_socket *listener)
{
    struct pawl_task *const task = pawl_spawn(CORO(connection, .listener = listener));
    if (task == NULL) return PAWL_ENOMEM;
    swarm.connection_bytes = heap_bytes(task);
    pawl_task_release(task);
    return 0;
}

/* Whoever waits at the listener serves the connection that comes, and leaves its place to a new task. */
ASYNC(connection)
{
    ASYNC_BEGIN(connection);
    TRY {
        AWAIT(self->accept, pawl_accept(self->listener, &self->sock));
        if (serve_next(self->listener) != 0) RAISE(PAWL_ENOMEM);
        for (;;) {
            AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, sizeof self->buffer));
            if (self->recv.result == 0) break;
            AWAIT(self->send, pawl_send(&self->sock, self->buffer, self->recv.result));
        }
    } CATCH(PAWL_ECLOSED) {
        /* the listener was closed while this one waited there */
    } CATCH_ERROR {
        count_error(CAUGHT());
    } FINALLY {
        close_and_count(&self->sock);
    } END_TRY;
    ASYNC_END;
}

/* ---- The clients ---- */

/* An endless sequence of bytes, a different one for each seed. */
struct pattern {
    uint64_t state;
};

static unsigned char pattern_next(struct pattern *pattern)
{
    pattern->state = pattern->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned char)(pattern->state >> 56);
}

static void pattern_fill(struct pattern *pattern, unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) bytes[i] = pattern_next(pattern);
}

static bool pattern_matches(struct pattern *pattern, const unsigned char *bytes, size_t size)
{
    bool same = true;
    for (size_t i = 0; i < size; i++) same &= bytes[i] == pattern_next(pattern);
    return same;
}

struct client {
    COROUTINE(void);
    struct pattern sent, expected;
    pawl_time began; /* the message that is under way */
    size_t done;     /* bytes of it that have been sent, then: that have come back */
    struct pawl_socket sock;
    union {
        struct pawl_connect connect;
        struct pawl_send send;
        struct pawl_recv recv;
    };
    unsigned char buffer[BUFFER];
};

/* Puts the next part of the message into the buffer; returns its size. */
static size_t prepare_part(struct client *client)
{
    const size_t left = options.size - client->done, size = left < BUFFER ? left : BUFFER;
    pattern_fill(&client->sent, client->buffer, size);
    return size;
}

/* Takes what was received; 0, or what is wrong with it. */
static int check_part(struct client *client)
{
    const size_t size = client->recv.result;
    client->done += size;
    if (size == 0) return PAWL_EEOF;
    return client->done <= options.size && pattern_matches(&client->expected, client->buffer, size) ? 0 : -EBADMSG;
}

static void message_done(const struct client *client)
{
    swarm.messages++;
    latency_add(now() - client->began);
}

static void client_ended(void)
{
    if (--swarm.alive == 0) pawl_future_set_done(&swarm.all_ended);
}

ASYNC(client)
{
    ASYNC_BEGIN(client);
    TRY {
        TRY_AWAIT(self->connect, pawl_connect(&self->sock, "127.0.0.1", swarm.port));
        swarm.settled++;
        if (AWAIT_ERROR() != 0) RAISE(AWAIT_ERROR());
        while (!swarm.over) {
            self->began = now();
            for (self->done = 0; self->done < options.size; self->done += self->send.result)
                AWAIT(self->send, pawl_send(&self->sock, self->buffer, prepare_part(self)));
            for (self->done = 0; self->done < options.size;) {
                AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, sizeof self->buffer));
                const int error = check_part(self);
                if (error != 0) RAISE(error);
            }
            message_done(self);
        }
    } CATCH_ERROR {
        count_error(CAUGHT());
    } FINALLY {
        close_and_count(&self->sock);
        client_ended();
    } END_TRY;
    ASYNC_END;
}

/* ---- The main coroutine ---- */

static void show_progress(size_t clients, bool last)
{
    if (!isatty(STDOUT_FILENO)) return;
    const double seconds = (double)(now() - swarm.began) / 1e9;
    if (last) fputs("\r\033[K", stdout);
    else printf("\r%5.1f s  %zu clients  %llu messages  %zu errors\033[K", swarm.began ? seconds : 0, clients,
                (unsigned long long)swarm.messages, swarm.errors);
    fflush(stdout);
}

static void count_tasks(void)
{
    size_t count = 0;
    for (struct pawl_task *task = NULL; (task = pawl_task_next(pawl_loop_current(), task)) != NULL;) count++;
    if (count > swarm.tasks) swarm.tasks = count;
}

/* Starts a client; it runs at once until its connect waits. */
static int start_client(void)
{
    const struct pattern pattern = { .state = (swarm.started + 1) * UINT64_C(0x9E3779B97F4A7C15) };
    swarm.started++;
    swarm.alive++;
    struct pawl_task *const task = pawl_spawn_eager(CORO(client, .sent = pattern, .expected = pattern));
    if (task == NULL) return PAWL_ENOMEM;
    swarm.client_bytes = heap_bytes(task);
    pawl_task_release(task);
    return 0;
}

struct amain {
    COROUTINE(int);
    struct pawl_socket listener;
    pawl_time deadline;
    union {
        struct pawl_sleep sleep;
        struct pawl_wait_for wait;
    };
};

static int open_listener(struct amain *self)
{
    const int error = pawl_listen(&self->listener, "127.0.0.1", 0, BACKLOG);
    if (error != 0) return error;
    const int port = pawl_socket_port(&self->listener);
    if (port < 0) return port;
    swarm.port = (uint16_t)port;
    return serve_next(&self->listener);
}

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    TRY {
        const int error = open_listener(self);
        if (error != 0) RAISE(error);
        while (swarm.started < options.clients) {
            if (start_client() != 0) RAISE(PAWL_ENOMEM);
            while (swarm.started - swarm.settled >= CONNECTING) AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
        }
        swarm.began = now();
        self->deadline = pawl_time_after(swarm.began, (pawl_time)(options.seconds * 1e9));
        while (now() < self->deadline && swarm.alive > 0) {
            const pawl_time rest = self->deadline - now();
            AWAIT(self->sleep, pawl_sleep(rest < PAWL_MS(200) ? rest : PAWL_MS(200)));
            count_tasks();
            show_progress(swarm.alive, false);
        }
        swarm.over = true;
        swarm.ended = now();
        AWAIT(self->wait, pawl_wait_for(&swarm.all_ended, PAWL_SEC(10)));
    } CATCH(PAWL_ETIMEOUT) {
        for (size_t i = 0; i < swarm.alive; i++) count_error(PAWL_ETIMEOUT); /* these hang */
    } FINALLY {
        show_progress(0, true);
        close_and_count(&self->listener);
    } END_TRY;
    ASYNC_RETURN(swarm.errors == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    ASYNC_END;
}

/* ---- The program around it ---- */

/* How many descriptors this process has open, as the system counts them. */
static size_t count_descriptors(void)
{
    DIR *const folder = opendir("/proc/self/fd");
    size_t count = 0;
    if (folder == NULL) return 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

/* Makes room for two descriptors a client, or lowers the number of clients to what there is room for. */
static bool make_room(void)
{
    struct rlimit limit;
    const rlim_t wanted = 2 * options.clients + OWN_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return true;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return true;

    options.clients = limit.rlim_cur < OWN_DESCRIPTORS ? 0 : (size_t)(limit.rlim_cur - OWN_DESCRIPTORS) / 2;
    fprintf(stderr, "swarm: no more than %llu descriptors may be open here (ulimit -Hn): %zu clients\n",
            (unsigned long long)limit.rlim_cur, options.clients);
    return options.clients > 0;
}

static void print_table(void)
{
    const double seconds = (double)(swarm.ended - swarm.began) / 1e9;
    const double rate = seconds > 0 ? (double)swarm.messages / seconds : 0;
    printf("clients              %12zu\n", swarm.started);
    printf("tasks                %12zu\n", swarm.tasks);
    printf("bytes a client task  %12zu  task, frame, socket, a buffer of %d, and the allocator's own\n", swarm.client_bytes, BUFFER);
    printf("bytes a server task  %12zu  the same\n", swarm.connection_bytes);
    printf("seconds              %12.2f\n", seconds);
    printf("messages             %12llu  of %zu bytes, each byte compared\n", (unsigned long long)swarm.messages, options.size);
    printf("messages per second  %12.0f\n", rate);
    printf("latency p50          %12.1f  microseconds\n", latency_percentile(0.50, swarm.messages));
    printf("latency p99          %12.1f  microseconds\n", latency_percentile(0.99, swarm.messages));
    printf("sockets closed       %12zu\n", swarm.sockets_closed);
    printf("errors               %12zu%s%s\n", swarm.errors, swarm.errors ? "  the first: " : "",
           swarm.errors ? pawl_strerror(swarm.first_error) : "");
}

static const char usage[] =
    "usage: swarm [--clients N] [--seconds S] [--size BYTES]\n"
    "An echo server and N clients (1 to 25000, default 1000) talk over loopback TCP for S seconds (0.1 to 86400,\n"
    "default 3), each sending messages of BYTES (1 to 65536, default 64) and comparing what comes back.\n"
    "Exit status: 0; 1 after any error; 2 for bad options; 130 after Ctrl-C.\n";

static double number(const char *option, const char *text, double least, double most, bool whole)
{
    char *end;
    const double value = strtod(text, &end);
    if (end != text && *end == '\0' && value >= least && value <= most && (!whole || value == (double)(long)value)) return value;
    fprintf(stderr, "swarm: --%s takes a %snumber from %g to %g, not '%s'\n", option, whole ? "whole " : "", least, most, text);
    exit(2);
}

static void read_options(int count, char **arguments)
{
    static const struct option known[] = { { "clients", required_argument, NULL, 'c' }, { "seconds", required_argument, NULL, 's' },
                                           { "size", required_argument, NULL, 'b' }, { "help", no_argument, NULL, 'h' }, { 0 } };
    for (int option; (option = getopt_long(count, arguments, "c:s:b:h", known, NULL)) != -1;) {
        switch (option) {
        case 'c': options.clients = (size_t)number("clients", optarg, 1, MOST_CLIENTS, true); break;
        case 's': options.seconds = number("seconds", optarg, 0.1, 86400, false); break;
        case 'b': options.size = (size_t)number("size", optarg, 1, MOST_SIZE, true); break;
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: fputs(usage, stderr); exit(2); /* getopt_long has said what is wrong */
        }
    }
    if (optind == count) return;
    fprintf(stderr, "swarm: unexpected argument '%s'\n%s", arguments[optind], usage);
    exit(2);
}

int main(int count, char **arguments)
{
    read_options(count, arguments);
    if (!make_room()) return EXIT_FAILURE;

    const size_t open_before = count_descriptors();
    const int status = pawl_run(CORO(amain));
    const size_t left_open = count_descriptors() - open_before;

    if (status == 130) fprintf(stderr, "swarm: interrupted; sockets closed: %zu, still open: %zu\n", swarm.sockets_closed, left_open);
    else if (swarm.ended != 0) print_table();
    return left_open == 0 ? status : EXIT_FAILURE;
}
