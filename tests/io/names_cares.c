/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Names by a name server in a thread, on a port of its own, at which every channel of c-ares is pointed. A query is answered as
 * RFC 1035, 4.1 has it: the same header and question once more, and the addresses of the family that was asked for.
 */
#define _GNU_SOURCE
#include "names.h"

#include <ares.h>
#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKET = 512, HEADER = 12, TRUNCATED = 2, TYPE_A = 1, TYPE_AAAA = 28, SERVER_FAILURE = 2, NO_SUCH_NAME = 3, MOST_HELD = 64 };

struct query {
    unsigned char packet[PACKET];
    size_t size; /* of the header and the question */
    char host[256];
    int type;
    struct sockaddr_in from;
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread, stream_thread;
    int fd, stream_fd, port, asked, count, go;
    bool running;
    struct query held[MOST_HELD];
} server = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .fd = -1, .stream_fd = -1 };

/* ---- Queries ---- */

static bool read_question(struct query *query, size_t received)
{
    size_t at = HEADER, length = 0;
    while (at < received && query->packet[at] != 0) {
        const size_t label = query->packet[at++];
        if (at + label >= received || length + label + 1 >= sizeof query->host) return false;
        memcpy(query->host + length, query->packet + at, label);
        query->host[length + label] = '.';
        length += label + 1;
        at += label;
    }
    if (length == 0 || at + 5 > received) return false;
    query->host[length - 1] = '\0';
    query->type = query->packet[at + 1] << 8 | query->packet[at + 2];
    query->size = at + 5;
    return true;
}

/* Appends the address when it is of the family that was asked for: 1 or 0. */
static int append_address(const struct query *query, unsigned char *packet, size_t *size, const char *text)
{
    const bool v6 = strchr(text, ':') != NULL;
    const unsigned char head[] = { 0xc0, HEADER, 0, (unsigned char)query->type, 0, 1, 0, 0, 0, 60, 0, v6 ? 16 : 4 };
    if (query->type != (v6 ? TYPE_AAAA : TYPE_A)) return 0;
    memcpy(packet + *size, head, sizeof head);
    inet_pton(v6 ? AF_INET6 : AF_INET, text, packet + *size + sizeof head);
    *size += sizeof head + (v6 ? 16 : 4);
    return 1;
}

static size_t make_answer(const struct query *query, const struct name *name, unsigned char *packet)
{
    size_t size = query->size;
    int count = 0;
    memcpy(packet, query->packet, size);
    for (int i = 0; name != NULL && name->addresses[i] != NULL; i++) count += append_address(query, packet, &size, name->addresses[i]);
    packet[2] = 0x81; /* an answer; the question wanted recursion */
    packet[3] = (unsigned char)(0x80 | (name == NULL ? NO_SUCH_NAME : name->again ? SERVER_FAILURE : 0));
    packet[7] = (unsigned char)count;
    packet[9] = packet[11] = 0;
    return size;
}

static void answer(const struct query *query)
{
    unsigned char packet[PACKET] = { 0 };
    const size_t size = make_answer(query, name_find(query->host), packet);
    const bool large = strcmp(query->host, "large.test") == 0;
    if (large) packet[2] |= TRUNCATED;
    if (large) packet[7] = 0;
    sendto(server.fd, packet, large ? query->size : size, 0, (const struct sockaddr *)&query->from, sizeof query->from);
}

static void answer_held(void)
{
    while (server.go > 0 && server.count > 0) {
        answer(&server.held[0]);
        memmove(&server.held[0], &server.held[1], (size_t)--server.count * sizeof server.held[0]);
        server.go--;
    }
}

static void take(const struct query *query)
{
    const struct name *const name = name_find(query->host);
    server.asked++;
    if (name == NULL || strcmp(name->name, "slow") != 0) {
        answer(query);
    } else if (server.count < MOST_HELD) {
        server.held[server.count++] = *query;
        answer_held();
    }
    pthread_cond_broadcast(&server.changed);
}

static void *serve(void *nothing)
{
    (void)nothing;
    for (;;) {
        struct query query = { .size = 0 };
        socklen_t size = sizeof query.from;
        const ssize_t got = recvfrom(server.fd, query.packet, sizeof query.packet, 0, (struct sockaddr *)&query.from, &size);
        pthread_mutex_lock(&server.mutex);
        const bool running = server.running;
        if (running && got > HEADER && read_question(&query, (size_t)got)) take(&query);
        pthread_mutex_unlock(&server.mutex);
        if (!running) return NULL;
    }
}

/* By TCP each message has its length before it. The answers come in pieces, each of which is an event of its own or is not. */
static void answer_stream(int fd)
{
    unsigned char packet[2 + PACKET];
    struct query query;
    while (recv(fd, packet, 2, MSG_WAITALL) == 2) {
        const size_t size = (size_t)packet[0] << 8 | packet[1];
        if (size <= HEADER || size > PACKET || recv(fd, query.packet, size, MSG_WAITALL) != (ssize_t)size || !read_question(&query, size)) return;
        const size_t answer_size = make_answer(&query, name_find(query.host), packet + 2);
        packet[0] = (unsigned char)(answer_size >> 8);
        packet[1] = (unsigned char)answer_size;
        for (size_t sent = 0, piece; sent < answer_size + 2; sent += piece) {
            piece = sent == 0 ? 1 : sent + 20 < answer_size + 2 ? 20 : answer_size + 2 - sent;
            if (send(fd, packet + sent, piece, MSG_NOSIGNAL) != (ssize_t)piece) return;
        }
    }
}

static void *serve_streams(void *nothing)
{
    (void)nothing;
    for (int fd; (fd = accept4(server.stream_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        answer_stream(fd);
        close(fd);
    }
    return NULL;
}

/* ---- c-ares is pointed at it ---- */

int ares_init_options(ares_channel *channel, struct ares_options *options, int mask)
{
    __typeof__(ares_init_options) *real;
    char text[32];
    *(void **)&real = dlsym(RTLD_NEXT, "ares_init_options");
    const int status = real(channel, options, mask);
    if (status != ARES_SUCCESS) return status;
    snprintf(text, sizeof text, "127.0.0.1:%d", server.port);
    return ares_set_servers_ports_csv(*channel, text);
}

/* ---- For the tests ---- */

/* A datagram socket and a listener with the same port. */
static bool open_both(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    server.stream_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server.fd, (const struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(server.fd, (struct sockaddr *)&address, &size), 0);
    server.port = ntohs(address.sin_port);
    if (bind(server.stream_fd, (const struct sockaddr *)&address, size) == 0 && listen(server.stream_fd, 16) == 0) return true;
    close(server.fd);
    close(server.stream_fd);
    return false;
}

void names_begin(void)
{
    while (!open_both()) {}
    server.asked = server.count = server.go = 0;
    server.running = true;
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
    ck_assert_int_eq(pthread_create(&server.stream_thread, NULL, serve_streams, NULL), 0);
}

int names_asked(void)
{
    pthread_mutex_lock(&server.mutex);
    const int asked = server.asked;
    pthread_mutex_unlock(&server.mutex);
    return asked;
}

void names_wait_held(int count)
{
    pthread_mutex_lock(&server.mutex);
    while (server.count < count) pthread_cond_wait(&server.changed, &server.mutex);
    pthread_mutex_unlock(&server.mutex);
}

void names_let_go(int count)
{
    pthread_mutex_lock(&server.mutex);
    server.go += count;
    answer_held();
    pthread_mutex_unlock(&server.mutex);
}

/* Nothing outlives its lookup. A datagram wakes the server, which sees that it is over. */
void names_end(void)
{
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((in_port_t)server.port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    pthread_mutex_lock(&server.mutex);
    server.running = false;
    pthread_mutex_unlock(&server.mutex);
    sendto(server.fd, "", 1, 0, (const struct sockaddr *)&address, sizeof address);
    shutdown(server.stream_fd, SHUT_RDWR); /* ends its accept */
    pthread_join(server.thread, NULL);
    pthread_join(server.stream_thread, NULL);
    close(server.fd);
    close(server.stream_fd);
}
