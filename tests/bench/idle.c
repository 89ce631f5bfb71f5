/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What a connection costs in memory while nothing is said: idle [CONNECTIONS], 10,000 if the system lets it have so many descriptors.
 *
 *      idle ──fork──► server: waits in a line, or in a recv, on each ◄───── client: connects, says a line, hears the answer,
 *                     and is measured when all of them are silent          and keeps all of them open
 *
 * Each sort of server has a process of its own, so that what the one before has left in the heap does not count. Each connection has been
 * used once, since a connection that has not is cheaper than it will ever be again.
 */
#include <pawl/pawl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char question[] = "is anybody there?\n", answer[] = "yes\n";

static long connections = 10000;
static long answered;

static void must(int right, const char *what)
{
    if (right) return;
    fprintf(stderr, "idle: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- The client: blocking sockets ---- */

static void receive_answer(int fd)
{
    char text[sizeof answer];
    size_t got = 0;
    while (got < sizeof answer - 1) {
        const ssize_t part = recv(fd, text + got, sizeof answer - 1 - got, 0);
        must(part > 0, "recv");
        got += (size_t)part;
    }
    must(memcmp(text, answer, got) == 0, "another answer");
}

static void connect_one(int port)
{
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0, "socket");
    must(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0, "connect");
    must(send(fd, question, sizeof question - 1, MSG_NOSIGNAL) == sizeof question - 1, "send");
    receive_answer(fd);
}

/* Connects to the port that it reads, and stays until the pipe is closed. */
static void client(int from)
{
    int port;
    char nothing;
    must(read(from, &port, sizeof port) == sizeof port, "the port");
    for (long i = 0; i < connections; i++) connect_one(port);
    must(read(from, &nothing, 1) == 0, "the end");
    exit(0);
}

static pid_t client_begin(int *to)
{
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    const pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        close(ends[1]);
        client(ends[0]);
    }
    close(ends[0]);
    *to = ends[1];
    return pid;
}

/* ---- The memory of this process ---- */

struct memory {
    double allocated, resident;
};

static struct memory memory_now(void)
{
    const struct mallinfo2 info = mallinfo2();
    long size, resident = 0;
    FILE *const file = fopen("/proc/self/statm", "r");
    must(file != NULL && fscanf(file, "%ld %ld", &size, &resident) == 2, "/proc/self/statm");
    fclose(file);
    return (struct memory){ (double)(info.uordblks + info.hblkhd), (double)resident * (double)sysconf(_SC_PAGESIZE) };
}

static void tell(const char *what, size_t frame, const struct memory *before)
{
    const struct memory now = memory_now();
    printf("%-28s %8ld %10zu %12.0f %12.0f\n", what, connections, frame, (now.allocated - before->allocated) / (double)connections,
           (now.resident - before->resident) / (double)connections);
    fflush(stdout);
}

/* ---- A server with streams: one waits for a line on each ---- */

struct talk {
    CONNECTION;
    struct pawl_stream_piece line;
};

ASYNC(talk)
{
    ASYNC_BEGIN(talk);
    for (;;) {
        AWAIT(self->line, pawl_stream_read_line(&self->stream));
        if (self->line.size == 0) ASYNC_RETURN();
        pawl_stream_write_text(&self->stream, answer);
        answered++;
    }
    ASYNC_END;
}

/* ---- A server with bare sockets: one waits for bytes on each ---- */

struct bare {
    COROUTINE(void);
    int fd;
    struct pawl_socket sock;
    union {
        struct pawl_recv recv;
        struct pawl_send send;
    };
    char buffer[sizeof question];
};

ASYNC(bare)
{
    ASYNC_BEGIN(bare);
    must(pawl_socket_adopt(&self->sock, self->fd) == 0, "adopt");
    for (;;) {
        AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, sizeof self->buffer));
        if (self->recv.result == 0) break;
        AWAIT(self->send, pawl_send(&self->sock, answer, sizeof answer - 1));
        answered++;
    }
    pawl_socket_close(&self->sock);
    ASYNC_END;
}

struct accepting {
    COROUTINE(void);
    struct pawl_socket *listener;
    struct pawl_accept accept;
};

ASYNC(accepting)
{
    ASYNC_BEGIN(accepting);
    for (;;) {
        AWAIT(self->accept, pawl_accept(self->listener, NULL));
        struct pawl_task *const task = pawl_spawn(CORO(bare, .fd = self->accept.result));
        must(task != NULL, "spawn");
        pawl_task_release(task);
    }
    ASYNC_END;
}

/* ---- Measuring ---- */

struct measure {
    COROUTINE(void);
    bool streams;
    int to;
    struct memory before;
    struct pawl_server server;
    struct pawl_socket listener;
    TASK(accepting) accepting;
    struct pawl_sleep sleep;
    struct pawl_server_shutdown shutdown;
};

/* The server begins; the client is told where. */
static void begin(struct measure *self)
{
    const int error = self->streams ? pawl_start_server(&self->server, "127.0.0.1", 0, HANDLER(talk), NULL)
                                    : pawl_listen(&self->listener, "127.0.0.1", 0, 512);
    must(error == 0, "listen");
    if (!self->streams) pawl_start(&self->accepting, CORO(accepting, .listener = &self->listener));
    const int port = self->streams ? pawl_server_port(&self->server) : pawl_socket_port(&self->listener);
    self->before = memory_now();
    must(write(self->to, &port, sizeof port) == sizeof port, "write");
}

ASYNC(measure)
{
    ASYNC_BEGIN(measure);
    begin(self);
    while (answered < connections) AWAIT(self->sleep, pawl_sleep(PAWL_MS(5)));
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(50))); /* all wait now */
    tell(self->streams ? "server, waiting for a line" : "sockets, waiting in a recv", self->streams ? sizeof(struct talk) : sizeof(struct bare),
         &self->before);
    close(self->to);
    if (self->streams) {
        AWAIT(self->shutdown, pawl_server_shutdown(&self->server, PAWL_FOREVER));
    } else {
        pawl_task_cancel(&self->accepting.awaitable);
        TRY_AWAIT(&self->accepting);
        pawl_socket_close(&self->listener);
    }
    ASYNC_END;
}

static void measure_in_child(bool streams)
{
    fflush(stdout);
    const pid_t pid = fork();
    int status, to;
    must(pid >= 0, "fork");
    if (pid == 0) {
        const pid_t other = client_begin(&to);
        const int result = pawl_run(CORO(measure, .streams = streams, .to = to));
        must(waitpid(other, &status, 0) == other && status == 0, "the client");
        exit(result);
    }
    must(waitpid(pid, &status, 0) == pid && status == 0, "a measurement");
}

/* ---- The program ---- */

/* As many descriptors as it takes, or as many connections as there are descriptors for. */
static void make_room(void)
{
    enum { OTHERS = 32 };
    const rlim_t wanted = (rlim_t)connections + OTHERS;
    struct rlimit limit;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    if (limit.rlim_cur >= wanted) return;
    const struct rlimit more = { wanted, limit.rlim_max > wanted ? limit.rlim_max : wanted };
    const struct rlimit most = { limit.rlim_max, limit.rlim_max };
    if (setrlimit(RLIMIT_NOFILE, &more) == 0) return;
    must(setrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur > OTHERS, "descriptors");
    connections = (long)(most.rlim_cur - OTHERS);
    printf("no more than %llu descriptors: %ld connections\n", (unsigned long long)most.rlim_cur, connections);
}

int main(int count, char **arguments)
{
    if (count > 1) connections = strtol(arguments[1], NULL, 10);
    if (count > 2 || connections < 1 || connections > 25000) {
        fputs("usage: idle [CONNECTIONS]    1 to 25000: one address has about 28,000 ports to connect from\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    make_room();
    printf("a stream is %zu bytes, a socket %zu\n", sizeof(struct pawl_stream), sizeof(struct pawl_socket));
    printf("%-28s %8s %10s %12s %12s\n", "bytes a connection", "number", "frame", "allocated", "resident");
    measure_in_child(true);
    measure_in_child(false);
    return 0;
}
