/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Servers. One block of memory a connection:
 *
 *      [ task | connection: whose server, in its ring | the handler's frame: header, stream, argument, … ]
 *
 * The task's root is the connection; it awaits the handler, and then the end of the stream. The acceptor, a task in the server, takes
 * connections as long as there is room, and begins each eagerly, so that none ends before it has begun: its stream is always closed.
 * Whatever changes (a connection has ended, the server is closed) wakes those that wait for it, who look again.
 */
#include "stream.h"

#include "io.h"

#include <pawl/server.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 512 };

/* ---- Waiting for a change ---- */

static pawl_resume_fn pawl_server_change_resume;
PAWL_LEAF(pawl_server_change)
{
    PAWL_LEAF_BEGIN(pawl_server_change);
    struct pawl_server_change *const self = (struct pawl_server_change *)(void *)co;
    if (co->point == 0 && error == 0) return pawl_wait_begin(&self->server->changed, &self->waiter, co, root);
    if (co->point != 0) pawl_wait_end(&self->server->changed, &self->waiter);
    return pawl_leaf_done(co, error);
}

static struct pawl_server_change a_change(struct pawl_server *server)
{
    struct pawl_server_change frame = { .awaitable = PAWL_CORO_INIT(pawl_server_change_resume), .server = server };
    return frame;
}

/* ---- A connection ---- */

struct connection {
    PAWL_COROUTINE(void);
    struct pawl_link link;
    struct pawl_server *server;
    const char *where; /* its error was raised */
    int fd;
    uint8_t kind; /* of the descriptor: the listener's */
    int16_t error;
    struct pawl_stream_drain closed;
} __attribute__((aligned(16))); /* as the frame behind it may have to be */

/* The head of every handler's frame. */
struct any_handler {
    PAWL_CONNECTION;
};

static struct any_handler *handler_of(struct connection *connection)
{
    return (struct any_handler *)(void *)(connection + 1);
}

static struct connection *connection_of(struct pawl_link *link)
{
    return (struct connection *)(void *)((char *)link - offsetof(struct connection, link));
}

static struct pawl_task *task_serving(struct connection *connection)
{
    return (struct pawl_task *)(void *)connection - 1;
}

static bool is_cut_off(const struct connection *self)
{
    return self->error == PAWL_ECANCELLED || self->error == PAWL_EEXIT;
}

static bool peers_business(int error)
{
    return error == -ECONNRESET || error == -EPIPE || error == -ETIMEDOUT || error == PAWL_EEOF;
}

static void report(struct connection *self)
{
    const struct pawl_failure failure = { .name = pawl_coro_name(&handler_of(self)->awaitable), .where = self->where,
                                          .error = self->error, .message = "failed to serve a connection" };
    self->server->failed++;
    pawl_loop_report(pawl_loop_current(), &failure);
}

static void connection_end(struct connection *self)
{
    struct pawl_server *const server = self->server;
    if (self->error != 0 && !is_cut_off(self) && !peers_business(self->error)) report(self);
    ring_remove(&server->connections, &self->link);
    server->count--;
    pawl_wait_wake_all(&server->changed, 0);
}

/* What was accepted is known, and needs not be asked for. */
static int stream_begin_accepted(struct connection *self)
{
    struct pawl_stream *const stream = &handler_of(self)->stream;
    struct pawl_loop *const loop = pawl_loop_current();
    const int error = socket_register(&stream->sock, loop, self->fd, self->kind);
    if (error != 0) return error;
    stream_begin(stream, loop, &pawl_transport_socket);
    if (self->server->limit != 0) pawl_stream_set_limit(stream, self->server->limit);
    return 0;
}

ASYNC(connection)
{
    ASYNC_BEGIN(connection);
    TRY {
        const int error = stream_begin_accepted(self);
        if (error != 0) RAISE(error);
        AWAIT(handler_of(self));
    } CATCH_ALL {
        self->error = (int16_t)CAUGHT();
        self->where = CAUGHT_WHERE();
    } END_TRY;
    if (!is_cut_off(self)) TRY_AWAIT(self->closed, pawl_stream_wait_closed(&handler_of(self)->stream));
    pawl_stream_abort(&handler_of(self)->stream);
    connection_end(self);
    ASYNC_END;
}

/* ---- Accepting ---- */

static void cannot_begin(struct pawl_server *server, int fd)
{
    const struct pawl_failure failure = { .name = pawl_coro_name(&(struct pawl_coro)PAWL_CORO_INIT(server->handler.resume)),
                                          .error = PAWL_ENOMEM, .message = "a connection was closed: no memory for its task" };
    close(fd);
    server->failed++;
    pawl_loop_report(server->listener.loop, &failure);
}

static void connection_begin(struct pawl_server *server, int fd)
{
    struct pawl_task *const task = pawl_task_allocate_(sizeof(struct connection) + server->handler.size);
    server->served++;
    if (task == NULL) {
        cannot_begin(server, fd);
        return;
    }
    struct connection *const connection = pawl_task_frame(connection, task);
    struct any_handler *const handler = handler_of(connection);
    *connection = (struct connection){ .awaitable = PAWL_CORO_INIT(connection_resume), .server = server, .fd = fd,
                                         .kind = server->listener.kind };
    memset(handler, 0, server->handler.size);
    handler->awaitable = pawl_coro_init_(server->handler.resume);
    handler->argument = server->argument;
    ring_append(&server->connections, &connection->link);
    server->count++;
    pawl_task_begin_(task, PAWL_FUTURE_HEAP, true);
}

static bool is_full(const struct pawl_server *server)
{
    return server->most != 0 && server->count >= server->most && server->listener.loop != NULL;
}

ASYNC_PUBLIC(pawl_accepting)
{
    ASYNC_BEGIN(pawl_accepting);
    TRY {
        for (;;) {
            while (is_full(self->server)) AWAIT(self->step.change, a_change(self->server));
            AWAIT(self->step.accept, pawl_accept_patiently(&self->server->listener, NULL));
            connection_begin(self->server, self->step.accept.result);
        }
    } CATCH(PAWL_ECLOSED) {
        /* by pawl_server_close */
    } FINALLY {
        pawl_server_close(self->server);
    } END_TRY;
    ASYNC_END;
}

static int start(struct pawl_server *server, struct pawl_handler handler, void *argument)
{
    server->handler = handler;
    server->argument = argument;
    server->served = server->failed = 0;
    /* eagerly, since one that has not begun would not close the listener */
    if (pawl_start_eager(&server->acceptor, CORO(pawl_accepting, .server = server)) != NULL) return 0;
    pawl_socket_close(&server->listener);
    return PAWL_EINVAL;
}

/* The acceptor has never begun, or has ended. */
static bool is_over(const struct pawl_server *server)
{
    const struct pawl_future *const acceptor = &server->acceptor.awaitable.awaitable.awaitable;
    return server->listener.loop == NULL && server->count == 0 && !(acceptor->flags & PAWL_WHERE_MASK) &&
           (acceptor->flags == 0 || (pawl_future_done)(acceptor));
}

static int may_start(const struct pawl_server *server, struct pawl_handler handler)
{
    const struct pawl_loop *const loop = pawl_loop_current();
    if (server == NULL || handler.resume == NULL || loop == NULL || loop->allocator == NULL) return PAWL_EINVAL;
    return is_over(server) ? 0 : PAWL_EBUSY;
}

int pawl_start_server(struct pawl_server *server, const char *host, uint16_t port, struct pawl_handler handler, void *argument)
{
    int error = may_start(server, handler);
    if (error == 0) error = pawl_listen(&server->listener, host, port, BACKLOG);
    return error == 0 ? start(server, handler, argument) : error;
}

int pawl_start_server_at(struct pawl_server *server, const struct pawl_address *address, struct pawl_handler handler, void *argument)
{
    int error = may_start(server, handler);
    if (error == 0) error = pawl_listen_at(&server->listener, address, BACKLOG);
    return error == 0 ? start(server, handler, argument) : error;
}

int pawl_start_server_on(struct pawl_server *server, struct pawl_socket *listener, struct pawl_handler handler, void *argument)
{
    int error = may_start(server, handler);
    if (error == 0 && listener == NULL) error = PAWL_EINVAL;
    if (error == 0) error = pawl_socket_adopt(&server->listener, pawl_socket_release(listener));
    return error == 0 ? start(server, handler, argument) : error;
}

/* ---- Ending ---- */

/* The acceptor may be in a pause, where it does not notice. */
void pawl_server_close(struct pawl_server *server)
{
    if (server == NULL) return;
    struct pawl_task *const acceptor = &server->acceptor.awaitable;
    pawl_socket_close(&server->listener);
    if (pawl_task_current() != acceptor) pawl_task_cancel(acceptor);
    pawl_wait_wake_all(&server->changed, 0);
}

void pawl_server_set_most(struct pawl_server *server, size_t most)
{
    server->most = most;
    pawl_wait_wake_all(&server->changed, 0);
}

/* What is done to a connection ends it in a later iteration, and so the ring stays as it is meanwhile. */
static void for_each_connection(struct pawl_server *server, void (*act)(struct connection *connection))
{
    struct pawl_link *link = server != NULL ? server->connections : NULL;
    if (link == NULL) return;
    do {
        act(connection_of(link));
        link = link->next;
    } while (link != server->connections);
}

static void end_input(struct connection *connection)
{
    pawl_stream_end_input(&handler_of(connection)->stream);
}

static void cancel(struct connection *connection)
{
    pawl_task_cancel(task_serving(connection));
}

void pawl_server_end_input(struct pawl_server *server)
{
    for_each_connection(server, end_input);
}

void pawl_server_cancel(struct pawl_server *server)
{
    for_each_connection(server, cancel);
}

/* May this task wait for the end of the server? Not if the server has to wait for its end. 0 or an error. */
static int may_wait(const struct pawl_server *server)
{
    const struct pawl_task *const current = pawl_task_current();
    if (server == NULL) return PAWL_EINVAL;
    struct pawl_link *link = server->connections;
    if (link == NULL) return 0;
    do {
        if (task_serving(connection_of(link)) == current) return PAWL_EDEADLK;
        link = link->next;
    } while (link != server->connections);
    return 0;
}

ASYNC_PUBLIC(pawl_server_wait_closed)
{
    ASYNC_BEGIN(pawl_server_wait_closed);
    const int error = may_wait(self->server);
    if (error != 0) RAISE(error);
    while (!is_over(self->server)) AWAIT(self->change, a_change(self->server));
    ASYNC_END;
}

/* What the acceptor ended with. */
static int accepting_error(struct pawl_server *server)
{
    const int error = pawl_future_error(&server->acceptor);
    return error == PAWL_EPENDING || error == PAWL_ECANCELLED ? 0 : error;
}

ASYNC_PUBLIC(pawl_serve_forever)
{
    ASYNC_BEGIN(pawl_serve_forever);
    const int error = may_wait(self->server);
    if (error != 0) RAISE(error);
    TRY {
        while (!is_over(self->server)) AWAIT(self->change, a_change(self->server));
        if (accepting_error(self->server) != 0) RAISE(accepting_error(self->server));
    } CATCH(PAWL_ECANCELLED) {
        pawl_server_close(self->server);
        pawl_server_cancel(self->server);
        while (!is_over(self->server)) {
            TRY_AWAIT(self->change, a_change(self->server)); /* also when it is cancelled once more */
            if (AWAIT_ERROR() == PAWL_EEXIT) break;
        }
        RERAISE();
    } FINALLY {
        pawl_server_close(self->server);
    } END_TRY;
    ASYNC_END;
}

ASYNC_PUBLIC(pawl_server_shutdown)
{
    ASYNC_BEGIN(pawl_server_shutdown);
    const int error = may_wait(self->server);
    if (error != 0) RAISE(error);
    pawl_server_close(self->server);
    TRY {
        WITH(self->timeout, pawl_move_on_after(self->grace)) {
            while (self->server->count > 0) AWAIT(self->change, a_change(self->server));
        } END_WITH;
    } CATCH_ALL {
        self->error = (int16_t)CAUGHT();
    } END_TRY;
    pawl_server_cancel(self->server);
    while (!is_over(self->server) && self->error != PAWL_EEXIT) {
        TRY_AWAIT(self->change, a_change(self->server)); /* also when it is cancelled once more */
        if (AWAIT_ERROR() != 0) self->error = (int16_t)AWAIT_ERROR();
    }
    if (self->error != 0) RAISE(self->error);
    ASYNC_END;
}
