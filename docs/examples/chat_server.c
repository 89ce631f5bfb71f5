/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A chat for nc, socat and telnet: what one says in a room, all others in it hear.
 *
 *      $ chat_server 127.0.0.1 7778 &
 *      $ nc 127.0.0.1 7778
 *      * welcome, guest1: /nick NAME, /join ROOM, /who, /quit; anything else is said to all
 *
 * Two tasks for each client share its stream: the reader, which is the coroutine of the connection, and a child of its group, which
 * writes what is said in the room. Whichever ends first takes the other with it.
 *
 *      reader ──says──► room: BROADCAST of lines ──┬──► writer ──► stream      at its own pace
 *        ▲                                         ├──► writer ──► stream
 *      stream                                      └──► writer ──► stream      waits, since its client does not read
 *
 * Nobody waits for a slow client, and nothing is kept for it but the last lines of the room, which are there anyway: a writer that
 * comes back too late is told how many lines were overwritten meanwhile, and tells its client. A client that does not read what it
 * asked for itself is not read either.
 *
 * On Ctrl-C the rooms are closed. Each writer still writes what was said, and then a farewell.
 */
#define _GNU_SOURCE
#include <pawl/pawl.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    NAME_MOST = 20,
    LINE_MOST = 400,    /* bytes that one may say at once */
    INPUT_MOST = 4096,  /* a longer line is no chat */
    LINES_KEPT = 256,   /* in a room, for those that are slow */
    ROOMS_MOST = 100,
    GRACE = 2           /* seconds for farewells */
};

/* ---- Rooms ---- */

struct line {
    uint64_t from; /* who need not hear it */
    size_t size;
    char text[LINE_MOST + NAME_MOST + 16];
};

struct room {
    LIST_ENTRY(room) link;
    LIST_HEAD(, chatter) members;
    size_t users; /* members, and writers that have not ended yet */
    char name[NAME_MOST + 1];
    BROADCAST(struct line, LINES_KEPT) lines;
};

struct chatter {
    CONNECTION;
    LIST_ENTRY(chatter) link; /* in the room */
    struct room *room;
    struct pawl_task *writer;
    uint64_t id;
    char name[NAME_MOST + 1];
    bool quits;
    struct pawl_group group;
    union {
        struct pawl_stream_piece input;
        struct pawl_stream_drain drain;
    };
};

static LIST_HEAD(, room) rooms = LIST_HEAD_INITIALIZER(rooms);
static size_t room_count;
static uint64_t chatters_seen;
static bool closing;

static const char LOBBY[] = "lobby";

static struct room *room_find(const char *name)
{
    struct room *room;
    LIST_FOREACH (room, &rooms, link)
        if (strcmp(room->name, name) == 0) return room;
    return NULL;
}

/* NULL when there are too many, or no memory. There is always one for who comes in. */
static struct room *room_find_or_make(const char *name)
{
    struct room *room = room_find(name);
    if (room != NULL || (room_count >= ROOMS_MOST && strcmp(name, LOBBY) != 0)) return room;
    room = calloc(1, sizeof *room);
    if (room == NULL) return NULL;
    snprintf(room->name, sizeof room->name, "%s", name);
    pawl_broadcast_init(&room->lines);
    LIST_INSERT_HEAD(&rooms, room, link);
    room_count++;
    return room;
}

static void room_release(struct room *room)
{
    if (--room->users > 0) return;
    LIST_REMOVE(room, link);
    room_count--;
    free(room);
}

/* Says something to all in the room but the one that it comes from. */
static void announce(const struct chatter *from, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void announce(const struct chatter *from, const char *format, ...)
{
    struct line line = { .from = from->id };
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(line.text, sizeof line.text, format, arguments);
    va_end(arguments);
    line.size = size < (int)sizeof line.text ? (size_t)size : sizeof line.text - 1;
    pawl_broadcast_send_from(&from->room->lines, &line);
}

/* ---- The writer ---- */

struct writer {
    COROUTINE(void);
    struct chatter *chatter;
    struct room *room;
    struct pawl_subscriber subscriber;
    struct line line;
    union {
        struct pawl_broadcast_receive receive;
        struct pawl_stream_drain drain;
    };
};

ASYNC(writer)
{
    ASYNC_BEGIN(writer);
    self->room->users++;
    TRY {
        for (;;) {
            TRY_AWAIT(self->receive, pawl_broadcast_receive(&self->room->lines, &self->subscriber, &self->line));
            const int error = AWAIT_ERROR();
            struct pawl_stream *const stream = &self->chatter->stream;
            if (error == PAWL_ECLOSED) break;
            if (error == PAWL_ELAGGED) pawl_stream_printf(stream, "* you missed %ju lines\n", (uintmax_t)self->subscriber.missed);
            else if (error != 0) RAISE(error);
            else if (self->line.from != self->chatter->id) pawl_stream_write(stream, self->line.text, self->line.size);
            if (pawl_stream_unsent(stream) > PAWL_STREAM_LIMIT) AWAIT(self->drain, pawl_stream_drain(stream));
        }
        pawl_stream_write_text(&self->chatter->stream, "* the server is closed; farewell\n");
        pawl_group_cancel(&self->chatter->group);
    } FINALLY {
        room_release(self->room);
    } END_TRY;
    ASYNC_END;
}

/* ---- What a client may ask for ---- */

static void leave(struct chatter *chatter)
{
    if (chatter->room == NULL) return;
    announce(chatter, "* %s has left\n", chatter->name);
    LIST_REMOVE(chatter, link);
    room_release(chatter->room);
    chatter->room = NULL;
}

static void enter(struct chatter *chatter, struct room *room)
{
    if (chatter->room != NULL) pawl_task_cancel(chatter->writer);
    room->users++;
    leave(chatter);
    chatter->room = room;
    LIST_INSERT_HEAD(&room->members, chatter, link);
    chatter->writer = pawl_group_spawn_eager(
        &chatter->group, CORO(writer, .chatter = chatter, .room = room, .subscriber = pawl_subscribe(&room->lines)));
    announce(chatter, "* %s has come\n", chatter->name);
    pawl_stream_printf(&chatter->stream, "* you are in %s\n", room->name);
}

static bool is_name(const char *name)
{
    const size_t size = strlen(name);
    return size > 0 && size <= NAME_MOST && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == size;
}

static bool is_taken(const char *name)
{
    const struct room *room;
    const struct chatter *other;
    LIST_FOREACH (room, &rooms, link)
        LIST_FOREACH (other, &room->members, link)
            if (strcmp(other->name, name) == 0) return true;
    return false;
}

static void rename_to(struct chatter *chatter, const char *name)
{
    if (!is_name(name)) {
        pawl_stream_printf(&chatter->stream, "* a name has 1 to %d letters, digits, - or _\n", NAME_MOST);
    } else if (is_taken(name)) {
        pawl_stream_printf(&chatter->stream, "* %s is taken\n", name);
    } else {
        announce(chatter, "* %s is %s now\n", chatter->name, name);
        snprintf(chatter->name, sizeof chatter->name, "%s", name);
        pawl_stream_printf(&chatter->stream, "* you are %s\n", name);
    }
}

static void join(struct chatter *chatter, const char *name)
{
    struct room *const room = is_name(name) ? room_find_or_make(name) : NULL;
    if (!is_name(name)) pawl_stream_printf(&chatter->stream, "* a room's name has 1 to %d letters, digits, - or _\n", NAME_MOST);
    else if (room == NULL) pawl_stream_write_text(&chatter->stream, "* there are too many rooms\n");
    else if (room == chatter->room) pawl_stream_printf(&chatter->stream, "* you are in %s\n", room->name);
    else enter(chatter, room);
}

static void who(struct chatter *chatter)
{
    const struct chatter *other;
    pawl_stream_printf(&chatter->stream, "* in %s:", chatter->room->name);
    LIST_FOREACH (other, &chatter->room->members, link) pawl_stream_printf(&chatter->stream, " %s", other->name);
    pawl_stream_write_text(&chatter->stream, "\n");
}

/* What follows the command, or NULL when it is another one. */
static const char *argument_of(const char *text, const char *command)
{
    const size_t size = strlen(command);
    if (strncmp(text, command, size) != 0 || (text[size] != ' ' && text[size] != '\0')) return NULL;
    return text + size + strspn(text + size, " ");
}

static void obey(struct chatter *chatter, const char *text)
{
    const char *argument;
    if ((argument = argument_of(text, "/nick")) != NULL) rename_to(chatter, argument);
    else if ((argument = argument_of(text, "/join")) != NULL) join(chatter, argument);
    else if (argument_of(text, "/who") != NULL) who(chatter);
    else if (argument_of(text, "/quit") != NULL) chatter->quits = true;
    else pawl_stream_write_text(&chatter->stream, "* /nick NAME, /join ROOM, /who, /quit\n");
}

/* A line without its end, and without what would play tricks on the terminals of others. */
static void clean(char text[static LINE_MOST + 1], const char *data, size_t size)
{
    while (size > 0 && (data[size - 1] == '\n' || data[size - 1] == '\r')) size--;
    for (size_t i = 0; i < size; i++) text[i] = (unsigned char)data[i] < ' ' || data[i] == 0x7f ? ' ' : data[i];
    text[size] = '\0';
}

static void hear(struct chatter *chatter, const char *data, size_t size)
{
    char text[LINE_MOST + 1];
    if (closing) return;
    if (size > LINE_MOST) {
        pawl_stream_printf(&chatter->stream, "* too long: at most %d bytes a line\n", LINE_MOST);
        return;
    }
    clean(text, data, size);
    if (text[0] == '/') obey(chatter, text);
    else if (text[0] != '\0') announce(chatter, "<%s> %s\n", chatter->name, text);
}

/* ---- The reader ---- */

static int welcome(struct chatter *chatter)
{
    struct room *const lobby = room_find_or_make(LOBBY);
    if (lobby == NULL) return PAWL_ENOMEM;
    do {
        chatter->id = ++chatters_seen;
        snprintf(chatter->name, sizeof chatter->name, "guest%" PRIu64, chatter->id);
    } while (is_taken(chatter->name));
    pawl_stream_printf(&chatter->stream, "* welcome, %s: /nick NAME, /join ROOM, /who, /quit; anything else is said to all\n",
                       chatter->name);
    enter(chatter, lobby);
    return 0;
}

/* After each line the writers run, and so one who says many at once pushes none out that somebody would have heard in time. */
ASYNC(chatter)
{
    ASYNC_BEGIN(chatter);
    TRY {
        WITH(self->group, pawl_group()) {
            const int error = welcome(self);
            if (error != 0) RAISE(error);
            while (!self->quits) {
                AWAIT(self->input, pawl_stream_read_line(&self->stream));
                if (self->input.size == 0) break;
                hear(self, self->input.data, self->input.size);
                YIELD_NOW();
                if (pawl_stream_unsent(&self->stream) > PAWL_STREAM_LIMIT) AWAIT(self->drain, pawl_stream_drain(&self->stream));
            }
            pawl_task_cancel(self->writer);
        } END_WITH;
    } CATCH(PAWL_ELIMIT) {
        pawl_stream_write_text(&self->stream, "* that is no chat\n");
    } FINALLY {
        leave(self);
    } END_TRY;
    ASYNC_END;
}

/* ---- The program ---- */

static const char *host = "127.0.0.1";
static uint16_t port = 7778;

struct amain {
    COROUTINE(int);
    struct pawl_server server;
    union {
        struct pawl_server_wait_closed wait;
        struct pawl_server_shutdown shutdown;
    };
};

static void close_rooms(void)
{
    struct room *room;
    closing = true;
    LIST_FOREACH (room, &rooms, link) pawl_broadcast_close(&room->lines);
}

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    const int error = pawl_start_server(&self->server, host, port, HANDLER(chatter), NULL);
    if (error != 0) {
        fprintf(stderr, "chat_server: cannot listen on %s port %u: %s\n", host, (unsigned)port, pawl_strerror(error));
        ASYNC_RETURN(EXIT_FAILURE);
    }
    self->server.limit = INPUT_MOST;
    printf("listening on %s port %d\n", host, pawl_server_port(&self->server));
    fflush(stdout);
    TRY {
        AWAIT(self->wait, pawl_server_wait_closed(&self->server)); /* until Ctrl-C */
    } FINALLY {
        close_rooms();
        AWAIT(self->shutdown, pawl_server_shutdown(&self->server, PAWL_SEC(GRACE)));
    } END_TRY;
    ASYNC_END;
}

static const char usage[] = "usage: chat_server [ADDRESS [PORT]]\n"
                            "A chat for nc and telnet, on 127.0.0.1 port 7778 when not told otherwise. PORT 0 is any free one.\n"
                            "Ctrl-C says farewell to all and ends it with status 130.\n";

static bool read_port(const char *text)
{
    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < 0 || value > 65535) return false;
    port = (uint16_t)value;
    return true;
}

int main(int count, char **arguments)
{
    if (count == 2 && (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0)) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (count > 1) host = arguments[1];
    if (count > 3 || host[0] == '-' || (count == 3 && !read_port(arguments[2]))) {
        fprintf(stderr, "chat_server: bad argument '%s'\n%s", arguments[count - 1], usage);
        return 2;
    }
    return pawl_run(CORO(amain));
}
