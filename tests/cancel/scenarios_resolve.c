/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Looking names up, and connecting to one of several addresses, on the epoll port. Answers and connections come when they come,
 * so a place is not the same instant in each run; what must hold afterwards is the same at any.
 *
 * A listener has all the connections in its queue, and nobody accepts them; the queue of another is full, and so it is silent.
 */
#define _GNU_SOURCE
#include "../io/names.h"
#include "everywhere.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALLERS = 3 };
static struct pawl_socket sockets[CALLERS];
static struct pawl_address list[3]; /* nobody, silent, here */
static int nobody, silent, here, filler;
static int lowest; /* free descriptor, before it all */

static int lowest_free(void)
{
    const int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

/* ---- Lookups ---- */

struct looks_up {
    COROUTINE(void);
    const char *host;
    int error; /* that it is to have */
    struct pawl_getaddrinfo found;
};

ASYNC(looks_up)
{
    ASYNC_BEGIN(looks_up);
    TRY {
        WITH(self->found, pawl_getaddrinfo(self->host, "80", AF_UNSPEC, SOCK_STREAM)) {
            hold(self->found.count > 0 && self->error == 0);
            YIELD_NOW();
        } END_WITH;
    } CATCH_ERROR {
        hold(CAUGHT() == self->error);
    } END_TRY;
    ASYNC_END;
}

static void begin_lookups(void)
{
    lowest = lowest_free();
    names_begin();
    player(CORO(looks_up, .host = "one.test"));
    player(CORO(looks_up, .host = "nobody.test", .error = PAWL_EHOST));
    player(CORO(looks_up, .host = "many.test"));
    player(CORO(looks_up, .host = "192.0.2.1"));
    for (int i = 0; i < 4; i++) helper(CORO(looks_up, .host = "two.test")); /* for whom there is no thread at first */
}

static void check_lookups(void)
{
    names_end();
    hold(lowest_free() == lowest);
}

/* ---- Connecting ---- */

static int bind_somewhere(struct pawl_address *address)
{
    struct sockaddr_in any = { .sin_family = AF_INET };
    socklen_t size = sizeof any;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    hold(bind(fd, (const struct sockaddr *)&any, size) == 0 && getsockname(fd, (struct sockaddr *)&any, &size) == 0);
    hold(pawl_address_set(address, (const struct sockaddr *)&any, size) == 0);
    return fd;
}

/* Once there is one in its queue, there is room for no other. */
static int fill(int listener, const struct pawl_address *address)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd queue = { .fd = listener, .events = POLLIN };
    hold(connect(fd, pawl_address_sockaddr(address), address->size) == 0);
    hold(poll(&queue, 1, -1) == 1);
    return fd;
}

static void begin_network(void)
{
    lowest = lowest_free();
    memset(sockets, 0, sizeof sockets);
    names_begin();
    nobody = bind_somewhere(&list[0]);
    silent = bind_somewhere(&list[1]);
    here = bind_somewhere(&list[2]);
    hold(listen(silent, 0) == 0 && listen(here, 16) == 0);
    filler = fill(silent, &list[1]);
}

static void check_network(void)
{
    for (int i = 0; i < CALLERS; i++) hold(!pawl_socket_is_open(&sockets[i]));
    close(filler);
    close(nobody);
    close(silent);
    close(here);
    check_lookups();
}

struct connects {
    COROUTINE(void);
    int number;
    union {
        struct pawl_connect_any any;
        struct pawl_connect by_name;
    } step;
};

ASYNC(connects)
{
    ASYNC_BEGIN(connects);
    TRY {
        AWAIT(self->step.any, pawl_connect_any(&sockets[self->number], list, 3, PAWL_US(20)));
        hold(self->step.any.result == 2 && pawl_socket_is_open(&sockets[self->number]));
        YIELD_NOW();
    } FINALLY {
        pawl_socket_close(&sockets[self->number]);
    } END_TRY;
    ASYNC_END;
}

struct connects_by_name {
    COROUTINE(void);
    int number;
    const char *host;
    struct pawl_connect connect;
};

ASYNC(connects_by_name)
{
    ASYNC_BEGIN(connects_by_name);
    TRY {
        AWAIT(self->connect, pawl_connect(&sockets[self->number], self->host, pawl_address_port(&list[2])));
        hold(pawl_socket_is_open(&sockets[self->number]));
        YIELD_NOW();
    } FINALLY {
        pawl_socket_close(&sockets[self->number]);
    } END_TRY;
    ASYNC_END;
}

static void begin_connects(void)
{
    begin_network();
    for (int i = 0; i < CALLERS; i++) player(CORO(connects, .number = i));
}

/* The first address of "two.test" is nobody's. */
static void begin_names(void)
{
    begin_network();
    player(CORO(connects_by_name, .number = 0, .host = "one.test"));
    player(CORO(connects_by_name, .number = 1, .host = "two.test"));
    player(CORO(connects_by_name, .number = 2, .host = "127.0.0.1"));
}

const struct scenario resolve_scenarios[] = {
    { "getaddrinfo", begin_lookups, check_lookups, ON_EPOLL },
    { "connect_any", begin_connects, check_network, ON_EPOLL },
    { "connect_by_name", begin_names, check_network, ON_EPOLL },
    { NULL, NULL, NULL, 0 }
};
