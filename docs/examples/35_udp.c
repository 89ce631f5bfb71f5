/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Questions over UDP. A datagram arrives whole, or not at all: so the client asks again when no answer has come in
 * time, and takes only the answer to this question, since one to an earlier try may still be on its way. The server
 * here is deaf to the first datagram.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <pawl/pawl.h>

enum { TRIES = 3, PATIENCE_MS = 100 };

/* ---- The server ---- */

struct serve {
    COROUTINE(void);
    struct pawl_socket *sock;
    struct pawl_address from; /* who asked, and is answered */
    char text[64];
    unsigned heard;
    union {
        struct pawl_recv_from recv;
        struct pawl_send_to send;
    };
};

static void shout(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] >= 'a' && text[i] <= 'z') text[i] = (char)(text[i] - 'a' + 'A');
}

ASYNC(serve)
{
    ASYNC_BEGIN(serve);
    for (;;) {
        AWAIT(self->recv, pawl_recv_from(self->sock, self->text, sizeof self->text, &self->from));
        if (self->heard++ == 0) continue;
        shout(self->text, self->recv.result);
        AWAIT(self->send, pawl_send_to(self->sock, self->text, self->recv.result, &self->from));
    }
    ASYNC_END;
}

/* ---- The client ---- */

/* Waits for the answer that begins with the number of the question; others are passed over. */
struct listen {
    COROUTINE(void);
    struct pawl_socket *sock;
    char number;
    char *text;
    size_t room;
    struct pawl_recv recv;
};

ASYNC(listen)
{
    ASYNC_BEGIN(listen);
    do AWAIT(self->recv, pawl_recv(self->sock, self->text, self->room - 1));
    while (self->recv.result == 0 || self->text[0] != self->number);
    self->text[self->recv.result] = '\0';
    ASYNC_END;
}

struct ask {
    COROUTINE(void);
    struct pawl_socket *sock;
    const char *question;
    char answer[64];
    int tries;
    struct pawl_timeout limit;
    union {
        struct pawl_send send;
        struct listen listen;
    };
};

ASYNC(ask)
{
    ASYNC_BEGIN(ask);
    for (self->tries = 1; self->tries <= TRIES; self->tries++) {
        AWAIT(self->send, pawl_send(self->sock, self->question, strlen(self->question)));
        WITH(self->limit, pawl_move_on_after(PAWL_MS(PATIENCE_MS))) {
            AWAIT(self->listen, CORO(listen, .sock = self->sock, .number = self->question[0], .text = self->answer,
                                     .room = sizeof self->answer));
            ASYNC_RETURN();
        } END_WITH;
        printf("\"%s\": no answer to try %d\n", self->question, self->tries);
    }
    RAISE(PAWL_ETIMEOUT);
    ASYNC_END;
}

/* ---- Both ---- */

static const char *const questions[] = { "1 who is there?", "2 and what is the time?" };

struct amain {
    COROUTINE(void);
    struct pawl_socket server_sock, sock;
    struct pawl_address address;
    struct pawl_group group;
    struct pawl_connect_to connect;
    struct ask ask;
    size_t i;
};

static int open_server(struct amain *self)
{
    int error = pawl_address_parse(&self->address, "127.0.0.1", 0);
    if (error == 0) error = pawl_datagram_open(&self->server_sock, AF_INET, &self->address);
    return error == 0 ? pawl_socket_address(&self->server_sock, &self->address) : error; /* with the port that it was given */
}

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    TRY {
        const int error = open_server(self);
        if (error != 0) RAISE(error);
        WITH(self->group, pawl_group()) {
            pawl_group_spawn(&self->group, CORO(serve, .sock = &self->server_sock));
            const int opened = pawl_datagram_open(&self->sock, AF_INET, NULL);
            if (opened != 0) RAISE(opened);
            AWAIT(self->connect, pawl_connect_to(&self->sock, &self->address)); /* sends nothing: it only says whom we talk to */
            for (self->i = 0; self->i < 2; self->i++) {
                AWAIT(self->ask, CORO(ask, .sock = &self->sock, .question = questions[self->i]));
                printf("\"%s\": %s\n", questions[self->i], self->ask.answer);
            }
            pawl_group_cancel(&self->group); /* the server, which would listen for ever */
        } END_WITH;
    } FINALLY {
        pawl_socket_close(&self->sock);
        pawl_socket_close(&self->server_sock);
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
