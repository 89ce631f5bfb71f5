/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * An echo server for one connection, to count its system calls: calls SORT MESSAGES [AT_ONCE]. calls.sh runs it under strace.
 *
 *      floor     epoll by hand, edge-triggered: recv, send, epoll_wait
 *      socket    pawl_recv and pawl_send
 *      stream    a server's stream: lines, and what was written goes out when the next one is waited for
 *
 * The client is a child with blocking sockets, which sends AT_ONCE lines and waits for all of them to come back, MESSAGES in all.
 */
#include <pawl/pawl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE = 64, MOST_AT_ONCE = 256 };

static long messages, at_once = 1;
static pid_t client_pid;

static void must(int right, const char *what)
{
    if (right) return;
    fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- The client ---- */

static void receive_all(int fd, char *data, size_t size)
{
    for (size_t got = 0; got < size;) {
        const ssize_t part = recv(fd, data + got, size - got, 0);
        must(part > 0, "recv");
        got += (size_t)part;
    }
}

static void client(int port)
{
    static char sent[MESSAGE * MOST_AT_ONCE], received[sizeof sent];
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const size_t size = (size_t)at_once * MESSAGE;
    const int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    must(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    memset(sent, 'x', sizeof sent);
    for (size_t i = MESSAGE; i <= sizeof sent; i += MESSAGE) sent[i - 1] = '\n';
    for (long left = messages; left > 0; left -= at_once) {
        must(send(fd, sent, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
        receive_all(fd, received, size);
        must(memcmp(sent, received, size) == 0, "other bytes came back");
    }
    exit(0);
}

/* The child that talks to this port. */
static void client_begin(int port)
{
    client_pid = fork();
    must(client_pid >= 0, "fork");
    if (client_pid == 0) client(port);
}

/* ---- By hand ---- */

static int floor_listen(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    must(fd >= 0 && bind(fd, (const struct sockaddr *)&address, size) == 0 && listen(fd, 4) == 0, "listen");
    must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

static void floor_watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd };
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void floor_accept(int epoll, int listener)
{
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), one = 1;
    must(fd >= 0, "accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    floor_watch(epoll, fd);
}

/* One event, one recv, one send: it ends when the client does. */
static bool floor_serve(int fd)
{
    static char buffer[65536];
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got > 0) must(send(fd, buffer, (size_t)got, MSG_NOSIGNAL) == got, "send");
    return got > 0;
}

static int run_floor(void)
{
    int port;
    const int listener = floor_listen(&port), epoll = epoll_create1(0);
    floor_watch(epoll, listener);
    client_begin(port);
    for (;;) {
        struct epoll_event event;
        must(epoll_wait(epoll, &event, 1, -1) == 1, "epoll_wait");
        if (event.data.fd == listener) floor_accept(epoll, listener);
        else if (!floor_serve(event.data.fd)) return 0;
    }
}

/* ---- pawl: sockets ---- */

struct sockets {
    COROUTINE(void);
    struct pawl_socket listener, sock;
    union {
        struct pawl_accept accept;
        struct pawl_recv recv;
        struct pawl_send send;
    };
    char buffer[65536];
};

ASYNC(sockets)
{
    ASYNC_BEGIN(sockets);
    must(pawl_listen(&self->listener, "127.0.0.1", 0, 4) == 0, "listen");
    client_begin(pawl_socket_port(&self->listener));
    AWAIT(self->accept, pawl_accept(&self->listener, &self->sock));
    for (;;) {
        AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, sizeof self->buffer));
        if (self->recv.result == 0) break;
        AWAIT(self->send, pawl_send(&self->sock, self->buffer, self->recv.result));
    }
    pawl_socket_close(&self->sock);
    pawl_socket_close(&self->listener);
    ASYNC_END;
}

/* ---- pawl: a server's stream ---- */

struct echo {
    CONNECTION;
    struct pawl_stream_piece line;
};

ASYNC(echo)
{
    ASYNC_BEGIN(echo);
    for (;;) {
        AWAIT(self->line, pawl_stream_read_line(&self->stream));
        if (self->line.size == 0) break;
        pawl_stream_write(&self->stream, self->line.data, self->line.size);
    }
    pawl_server_close(self->argument);
    ASYNC_END;
}

struct streams {
    COROUTINE(void);
    struct pawl_server server;
    struct pawl_serve_forever serve;
};

ASYNC(streams)
{
    ASYNC_BEGIN(streams);
    must(pawl_start_server(&self->server, "127.0.0.1", 0, HANDLER(echo), &self->server) == 0, "listen");
    client_begin(pawl_server_port(&self->server));
    AWAIT(self->serve, pawl_serve_forever(&self->server));
    ASYNC_END;
}

/* ---- The program ---- */

static int run(const char *sort)
{
    static struct sockets sockets;
    if (strcmp(sort, "floor") == 0) return run_floor();
    if (strcmp(sort, "stream") == 0) return pawl_run(CORO(streams));
    sockets = CORO(sockets);
    return pawl_run(sockets);
}

int main(int count, char **arguments)
{
    if (count > 2) messages = strtol(arguments[2], NULL, 10);
    if (count > 3) at_once = strtol(arguments[3], NULL, 10);
    if (count < 3 || messages < 0 || at_once < 1 || at_once > MOST_AT_ONCE) {
        fputs("usage: calls floor|socket|stream MESSAGES [AT_ONCE]\n", stderr);
        return 2;
    }
    int status;
    const int result = run(arguments[1]);
    must(waitpid(client_pid, &status, 0) == client_pid && status == 0, "the client");
    return result;
}
