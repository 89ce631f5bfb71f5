/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Sockets as awaitables, and pipes and terminals with them: whatever a port can watch. Each operation is a frame that tries
 * the system call first and waits only when it must.
 *
 *      struct pawl_socket sock;  struct pawl_recv recv;                       in the frame
 *
 *      AWAIT(self->recv, pawl_recv(&self->sock, self->buffer, sizeof self->buffer));
 *      if (self->recv.result == 0) …                                          the peer has closed
 *
 * A socket is registered once with its loop's port, edge-triggered, for its whole life, and is used by tasks of that
 * loop. At a time one task may receive (or accept) and one may send (or connect); a second one gets PAWL_EBUSY. Closing it
 * ends those with PAWL_ECLOSED. A peer that is gone is an error (-EPIPE, -ECONNRESET), never a signal, on pipes too. Errors
 * are -errno. Cancelled, an operation that moves bytes has moved those that its result says.
 *
 * A task that never has to wait, since its peer is so fast, gives way to the others after every 64 operations, and within one after
 * every MiB.
 *
 * Buffers, addresses and arrays are borrowed until the operation has ended. Stepped by hand (coro_step), an operation does
 * not touch the system: it waits for a future, and what the test sets there is its outcome.
 */
#ifndef PAWL_SOCKET_H
#define PAWL_SOCKET_H

#include "address.h"
#include "task.h"

PAWL_BEGIN_C

/* of <sys/uio.h> and <sys/socket.h>, for those who use them */
struct iovec;
struct msghdr;

/** A socket, in the caller's memory; zeroed is closed. It must stay, and not be opened anew, until its operations have
 *  ended, and be closed before its loop is finished (before the end of pawl_run). */
struct pawl_socket {
    struct pawl_watcher watch;
    struct pawl_loop *loop; /* NULL: closed */
    struct pawl_future readable, writable;
    uint16_t state;
    uint16_t opening;     /* how manieth: an operation belongs to one of them */
    uint8_t kind, streak; /* operations since it last waited */
};

/* ---- Opening and closing ---- */

/** Opens a new socket of a family (AF_INET, AF_INET6, AF_UNIX) and a type (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET), neither
 *  bound nor connected: for options, pawl_socket_bind, pawl_connect_to. Needs a current loop. Never inherited by programs that
 *  this one starts. 0; PAWL_EBUSY when *sock is open; PAWL_EINVAL without a loop; -errno. *sock is closed after an error. */
PAWL_API int pawl_socket_open(struct pawl_socket *sock, int family, int type);

/** Gives an open socket its local address. A Unix path must not exist yet (but see pawl_listen_at), and stays when the socket is
 *  closed. 0, PAWL_EINVAL for a NULL, PAWL_ECLOSED, or -errno. */
PAWL_API int pawl_socket_bind(struct pawl_socket *sock, const struct pawl_address *address);

/** Has a bound socket listen. `backlog`: connections that may queue, at least 1. Results as pawl_socket_bind. */
PAWL_API int pawl_socket_listen(struct pawl_socket *sock, int backlog);

/** The four steps in one: opens a listening TCP socket on a numeric address (see pawl_address_parse) and port (0: any free
 *  one), with PAWL_REUSEADDR. It never waits, and needs a current loop. 0; PAWL_EHOST;
 *  PAWL_EBUSY when *sock is open; PAWL_EINVAL without a loop; -errno. After an error *sock is closed. */
PAWL_API int pawl_listen(struct pawl_socket *sock, const char *host, uint16_t port, int backlog);
/** The same on any address. On a Unix path a socket that nobody listens to any more is replaced. */
PAWL_API int pawl_listen_at(struct pawl_socket *sock, const struct pawl_address *address, int backlog);
/** A datagram socket with a local address; NULL for `address` leaves that to the system. Results as pawl_listen. */
PAWL_API int pawl_datagram_open(struct pawl_socket *sock, int family, const struct pawl_address *address);

/** Takes over a descriptor (a socket, a pipe, a terminal; a listening one too) and registers it with the current loop. It is
 *  made non-blocking. 0; PAWL_EBUSY when *sock is open; PAWL_EINVAL for a NULL, a negative descriptor or without a loop; -EPERM
 *  for a regular file, which is always ready; -errno. In every case the descriptor is pawl's: after an error it is closed. */
PAWL_API int pawl_socket_adopt(struct pawl_socket *sock, int fd);

/** The opposite: the descriptor leaves pawl, still open and non-blocking, and *sock is closed. What waits on it ends with
 *  PAWL_ECLOSED. The descriptor, or PAWL_ECLOSED. */
PAWL_API int pawl_socket_release(struct pawl_socket *sock);

/** Two ends of a new connection within this process: sockets of AF_UNIX (`type` as above), or a pipe that is read at
 *  `a` and written at `b`. Both are closed before. 0; PAWL_EBUSY; PAWL_EINVAL; -errno, and neither is open. */
PAWL_API int pawl_socket_pair(struct pawl_socket *a, struct pawl_socket *b, int type);
PAWL_API int pawl_pipe(struct pawl_socket *a, struct pawl_socket *b);

/** Closes it at once; what waits on it ends with PAWL_ECLOSED. Harmless for a closed or zeroed one, and for NULL. */
PAWL_API void pawl_socket_close(struct pawl_socket *sock);

/** Half-close: SHUT_RD, SHUT_WR or SHUT_RDWR. After SHUT_WR the peer sees the end, and can still send. 0, PAWL_ECLOSED or
 *  -errno (-ENOTCONN). (shutdown(2)) */
PAWL_API int pawl_socket_shutdown(struct pawl_socket *sock, int how);

/** Is it open? */
PAWL_INLINE bool pawl_socket_is_open(const struct pawl_socket *sock)
{
    return sock->loop != NULL;
}

/** Its descriptor, which stays the socket's, or -1. */
PAWL_INLINE int pawl_socket_fd(const struct pawl_socket *sock)
{
    return sock->loop != NULL ? sock->watch.fd : -1;
}

/** The local port of an open socket, 1 to 65535 (0 when it has none), or an error. */
PAWL_API int pawl_socket_port(const struct pawl_socket *sock);
/** Its own address and that of its peer. 0, PAWL_ECLOSED, PAWL_EINVAL for a NULL, or -errno (-ENOTCONN). */
PAWL_API int pawl_socket_address(const struct pawl_socket *sock, struct pawl_address *address);
PAWL_API int pawl_socket_peer(const struct pawl_socket *sock, struct pawl_address *address);

/* ---- Options ---- */

/** What can be set. Those that say "before" count for bind or listen. */
enum pawl_socket_option {
    PAWL_NODELAY,         /* 0 or 1: small messages go out at once. On by default (tcp(7)) */
    PAWL_REUSEADDR,       /* 0 or 1, before bind: an address of which connections are still dying away */
    PAWL_REUSEPORT,       /* 0 or 1, before bind: several sockets on one port, which the system spreads connections over */
    PAWL_KEEPALIVE,       /* seconds of silence, 1 to 32767, after which the peer is probed; 0: never. Three probes, each a
                             third of that time apart, at least a second */
    PAWL_V6ONLY,          /* 0 or 1, before bind: an IPv6 socket takes no IPv4 (ipv6(7)) */
    PAWL_RECV_BUFFER,     /* bytes, 1 or more; the system doubles it, and has a limit */
    PAWL_SEND_BUFFER,     /* the same */
    PAWL_BROADCAST,       /* 0 or 1: datagrams to broadcast addresses */
    PAWL_USER_TIMEOUT,    /* milliseconds, 0 or more: what was sent and is not acknowledged for so long ends the connection */
    PAWL_NOTSENT_LOWAT,   /* bytes, 1 or more: writable only while less than that is unsent, which keeps queues short */
    PAWL_DEFER_ACCEPT,    /* seconds, before listen: accept a connection when its first data has come */
    PAWL_FASTOPEN,        /* queue length, before listen: data in the SYN */
    PAWL_CREDENTIALS      /* 0 or 1: a Unix socket is told who sends */
};

/** Sets one. 0; PAWL_EINVAL for a value out of range or an unknown option; PAWL_ECLOSED; -errno (-EOPNOTSUPP, -ENOPROTOOPT: not
 *  this kind of socket). */
PAWL_API int pawl_socket_set(struct pawl_socket *sock, enum pawl_socket_option option, int value);
/** Reads one into *value. The same results; *value is left alone after an error. */
PAWL_API int pawl_socket_get(const struct pawl_socket *sock, enum pawl_socket_option option, int *value);

/* ---- Operations ---- */

struct pawl_accept {
    struct pawl_coro awaitable;
    struct pawl_socket *listener, *sock;
    int result; /* without a sock: the descriptor, which is the caller's */
};
/** Waits for a connection and opens it as *sock (closed before); a socket stays where it was opened, so that is the frame
 *  that will use it. With NULL for `sock` the connection is left as a descriptor in `result`, for a task that is made
 *  then and adopts it (pawl_socket_adopt). Connections that died in the queue are passed over. -EMFILE and the like leave
 *  the connection in the queue: pawl_accept_patiently. (loop.sock_accept) */
PAWL_INLINE PAWL_MUST_USE struct pawl_accept pawl_accept(struct pawl_socket *listener, struct pawl_socket *sock);

struct pawl_accept_patiently {
    PAWL_COROUTINE(int);
    struct pawl_socket *listener, *sock;
    pawl_time pause;
    union {
        struct pawl_accept accept;
        struct pawl_sleep sleep;
    } step;
};
/** The same, but when the system has no descriptor or memory to spare (EMFILE, ENFILE, ENOBUFS, ENOMEM) it tries again after a
 *  pause, 5 ms the first time and twice as long each time up to a second. The first time for each listener the loop's report is
 *  told. */
PAWL_INLINE PAWL_MUST_USE struct pawl_accept_patiently pawl_accept_patiently(struct pawl_socket *listener, struct pawl_socket *sock);

struct pawl_connect_to {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    const struct pawl_address *address;
};
/** Connects *sock to an address. When it is closed, it is opened as a stream of that family; one that is open (with its
 *  options, or bound) is connected as it is. After an error, or cancelled, it is closed. (loop.sock_connect) */
PAWL_INLINE PAWL_MUST_USE struct pawl_connect_to pawl_connect_to(struct pawl_socket *sock, const struct pawl_address *address);

struct pawl_recv {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    void *data;
    size_t size;
    size_t result; /* bytes received; 0: the peer has shut down its side (a datagram may also be empty) */
};
/** Receives up to `size` bytes (at least 1) into `data`. (loop.sock_recv_into) */
PAWL_INLINE PAWL_MUST_USE struct pawl_recv pawl_recv(struct pawl_socket *sock, void *data, size_t size);

struct pawl_send {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    const void *data;
    size_t size;
    size_t result; /* bytes sent: all of them, or how many before the error */
};
/** Sends all of `data`. (loop.sock_sendall) */
PAWL_INLINE PAWL_MUST_USE struct pawl_send pawl_send(struct pawl_socket *sock, const void *data, size_t size);
/** Sends what goes without waiting for more room, at least one byte, and says how much that was. (send(2)) */
PAWL_INLINE PAWL_MUST_USE struct pawl_send pawl_send_some(struct pawl_socket *sock, const void *data, size_t size);

struct pawl_recv_from {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    void *data;
    size_t size;
    struct pawl_address *address;
    size_t result;  /* bytes received, at most `size` */
    bool truncated; /* the datagram was longer, and the rest of it is gone */
};
/** Receives a datagram of up to `size` bytes (0: only to see that one came), and the address that it came from; NULL: does not
 *  matter. (loop.sock_recvfrom_into) */
PAWL_INLINE PAWL_MUST_USE struct pawl_recv_from pawl_recv_from(struct pawl_socket *sock, void *data, size_t size,
                                                               struct pawl_address *address);

struct pawl_send_to {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    const void *data;
    size_t size;
    const struct pawl_address *address;
};
/** Of a datagram socket: sends a datagram, whole or not at all; NULL for `address` when the socket is connected. Raises -EAGAIN
 *  when the queue of a Unix socket that it is sent to is full: the system does not tell when that has room, so try again later,
 *  or connect. (loop.sock_sendto) */
PAWL_INLINE PAWL_MUST_USE struct pawl_send_to pawl_send_to(struct pawl_socket *sock, const void *data, size_t size,
                                                           const struct pawl_address *address);

struct pawl_message {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    struct msghdr *message;
    int flags;
    size_t result; /* bytes */
};
/** recvmsg(2) and sendmsg(2) as they are: several buffers, ancillary data, one call that moved something. `message` is yours;
 *  `flags` go with it (MSG_NOSIGNAL and MSG_CMSG_CLOEXEC are always set). */
PAWL_INLINE PAWL_MUST_USE struct pawl_message pawl_recvmsg(struct pawl_socket *sock, struct msghdr *message, int flags);
PAWL_INLINE PAWL_MUST_USE struct pawl_message pawl_sendmsg(struct pawl_socket *sock, struct msghdr *message, int flags);

struct pawl_send_vector {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    struct iovec *parts;
    size_t count;
    size_t result; /* bytes sent: all of them, or how many before the error */
};
/** Sends all of `count` buffers, one after the other, with as few calls as go (sendmsg). `parts` is used up: it says
 *  afterwards what was not sent. */
PAWL_INLINE PAWL_MUST_USE struct pawl_send_vector pawl_send_vector(struct pawl_socket *sock, struct iovec *parts, size_t count);

enum { PAWL_MOST_FDS = 16 };
struct pawl_send_fds {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    const void *data;
    size_t size;
    const int *fds;
    unsigned count;
    size_t result; /* bytes sent */
};
/** Sends descriptors along with some bytes (at least 1) over a Unix socket: 1 to PAWL_MOST_FDS of them, which stay the
 *  caller's (the peer gets others for the same files). On a stream it may be only the first of the bytes that go:
 *  `result` says how many, the descriptors go with those. PAWL_EINVAL for a wrong number. (socket.send_fds) */
PAWL_INLINE PAWL_MUST_USE struct pawl_send_fds pawl_send_fds(struct pawl_socket *sock, const void *data, size_t size,
                                                             const int *fds, unsigned count);

struct pawl_recv_fds {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    void *data;
    size_t size;
    int *fds;
    unsigned room;
    unsigned count; /* how many came: they are the caller's, to be closed */
    bool truncated; /* there were more descriptors than room (they are closed), or the datagram was longer than `size` */
    size_t result;  /* bytes received; 0: the peer has shut down its side */
};
/** Receives bytes, and up to `room` (at most PAWL_MOST_FDS) descriptors that came with them, closed on exec. (socket.recv_fds) */
PAWL_INLINE PAWL_MUST_USE struct pawl_recv_fds pawl_recv_fds(struct pawl_socket *sock, void *data, size_t size, int *fds,
                                                             unsigned room);

struct pawl_sendfile {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    int file;
    int64_t offset;
    uint64_t size;
    uint64_t result; /* bytes sent: less than `size` when the file ended before, or there was an error */
};
/** Sends `size` bytes of an open file from `offset` on, without copying them through this process; UINT64_MAX: up to its end. The
 *  file's own position is left alone. Where the system cannot do so for this file, it is read and sent. Reading a file may
 *  block on the disk. (loop.sock_sendfile) */
PAWL_INLINE PAWL_MUST_USE struct pawl_sendfile pawl_sendfile(struct pawl_socket *sock, int file, int64_t offset, uint64_t size);

struct pawl_splice {
    struct pawl_coro awaitable;
    struct pawl_socket *from, *to;
    uint64_t size;
    uint64_t result;  /* bytes that have arrived in `to` */
    uint64_t waiting; /* bytes taken out of `from`, which are in the pipe between them; lost after an error */
    struct pawl_handle other; /* looks after the one that is not waited for */
    int pipe[2];
    uint16_t openings[2];     /* of the two */
};
/** Moves `size` bytes (UINT64_MAX: until the peer of `from` shuts down its side) from one socket or pipe to another, without
 *  copying them through this process: what a proxy does. `to` is left open. It is the reader of `from` and the writer of `to`
 *  meanwhile. (splice(2)) */
PAWL_INLINE PAWL_MUST_USE struct pawl_splice pawl_splice(struct pawl_socket *from, struct pawl_socket *to, uint64_t size);

enum pawl_direction { PAWL_READABLE = 1, PAWL_WRITABLE = 2 };
struct pawl_wait_ready {
    struct pawl_coro awaitable;
    struct pawl_socket *sock;
    enum pawl_direction direction;
};
/** Waits until it can be read or written (or has an error or an end to tell), for a descriptor that a library of others reads
 *  and writes. Level-triggered: it asks the system (poll(2)) before it waits. (loop.add_reader) */
PAWL_INLINE PAWL_MUST_USE struct pawl_wait_ready pawl_wait_ready(struct pawl_socket *sock, enum pawl_direction direction);

/* ---- Without waiting ---- */

/** One try, without waiting: how many bytes (0: the end; for send at least 1 unless size is 0), PAWL_EPENDING when it would
 *  have to wait, or an error. Whoever got PAWL_EPENDING may await pawl_socket_ready. For protocols on top, such as TLS. */
PAWL_API ptrdiff_t pawl_socket_try_recv(struct pawl_socket *sock, void *data, size_t size);
PAWL_API ptrdiff_t pawl_socket_try_send(struct pawl_socket *sock, const void *data, size_t size);
PAWL_API ptrdiff_t pawl_socket_try_send_vector(struct pawl_socket *sock, const struct iovec *parts, size_t count);

/** The future that is settled when the system next has something to tell in that direction, after a try that gave PAWL_EPENDING.
 *  Any number may wait for it. It ends with PAWL_ECLOSED when the socket is closed. */
PAWL_API struct pawl_future *pawl_socket_ready(struct pawl_socket *sock, enum pawl_direction direction);

/* ---- The frames' makers ---- */

PAWL_API pawl_resume_fn pawl_accept_resume, pawl_accept_patiently_resume, pawl_connect_to_resume, pawl_recv_resume, pawl_send_resume,
    pawl_send_some_resume, pawl_recv_from_resume, pawl_send_to_resume, pawl_recvmsg_resume, pawl_sendmsg_resume,
    pawl_send_vector_resume, pawl_send_fds_resume, pawl_recv_fds_resume, pawl_sendfile_resume, pawl_splice_resume, pawl_wait_ready_resume;

PAWL_INLINE struct pawl_accept pawl_accept(struct pawl_socket *listener, struct pawl_socket *sock)
{
    struct pawl_accept frame = { PAWL_CORO_INIT(pawl_accept_resume), listener, sock, -1 };
    return frame;
}
PAWL_INLINE struct pawl_accept_patiently pawl_accept_patiently(struct pawl_socket *listener, struct pawl_socket *sock)
{
    struct pawl_accept_patiently frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_accept_patiently_resume);
    frame.listener = listener;
    frame.sock = sock;
    return frame;
}
PAWL_INLINE struct pawl_connect_to pawl_connect_to(struct pawl_socket *sock, const struct pawl_address *address)
{
    struct pawl_connect_to frame = { PAWL_CORO_INIT(pawl_connect_to_resume), sock, address };
    return frame;
}
PAWL_INLINE struct pawl_recv pawl_recv(struct pawl_socket *sock, void *data, size_t size)
{
    struct pawl_recv frame = { PAWL_CORO_INIT(pawl_recv_resume), sock, data, size, 0 };
    return frame;
}
PAWL_INLINE struct pawl_send pawl_send(struct pawl_socket *sock, const void *data, size_t size)
{
    struct pawl_send frame = { PAWL_CORO_INIT(pawl_send_resume), sock, data, size, 0 };
    return frame;
}
PAWL_INLINE struct pawl_send pawl_send_some(struct pawl_socket *sock, const void *data, size_t size)
{
    struct pawl_send frame = { PAWL_CORO_INIT(pawl_send_some_resume), sock, data, size, 0 };
    return frame;
}
PAWL_INLINE struct pawl_recv_from pawl_recv_from(struct pawl_socket *sock, void *data, size_t size, struct pawl_address *address)
{
    struct pawl_recv_from frame = { PAWL_CORO_INIT(pawl_recv_from_resume), sock, data, size, address, 0, false };
    return frame;
}
PAWL_INLINE struct pawl_send_to pawl_send_to(struct pawl_socket *sock, const void *data, size_t size, const struct pawl_address *address)
{
    struct pawl_send_to frame = { PAWL_CORO_INIT(pawl_send_to_resume), sock, data, size, address };
    return frame;
}
PAWL_INLINE struct pawl_message pawl_recvmsg(struct pawl_socket *sock, struct msghdr *message, int flags)
{
    struct pawl_message frame = { PAWL_CORO_INIT(pawl_recvmsg_resume), sock, message, flags, 0 };
    return frame;
}
PAWL_INLINE struct pawl_message pawl_sendmsg(struct pawl_socket *sock, struct msghdr *message, int flags)
{
    struct pawl_message frame = { PAWL_CORO_INIT(pawl_sendmsg_resume), sock, message, flags, 0 };
    return frame;
}
PAWL_INLINE struct pawl_send_vector pawl_send_vector(struct pawl_socket *sock, struct iovec *parts, size_t count)
{
    struct pawl_send_vector frame = { PAWL_CORO_INIT(pawl_send_vector_resume), sock, parts, count, 0 };
    return frame;
}
PAWL_INLINE struct pawl_send_fds pawl_send_fds(struct pawl_socket *sock, const void *data, size_t size, const int *fds, unsigned count)
{
    struct pawl_send_fds frame = { PAWL_CORO_INIT(pawl_send_fds_resume), sock, data, size, fds, count, 0 };
    return frame;
}
PAWL_INLINE struct pawl_recv_fds pawl_recv_fds(struct pawl_socket *sock, void *data, size_t size, int *fds, unsigned room)
{
    struct pawl_recv_fds frame = { PAWL_CORO_INIT(pawl_recv_fds_resume), sock, data, size, fds, room, 0, false, 0 };
    return frame;
}
PAWL_INLINE struct pawl_sendfile pawl_sendfile(struct pawl_socket *sock, int file, int64_t offset, uint64_t size)
{
    struct pawl_sendfile frame = { PAWL_CORO_INIT(pawl_sendfile_resume), sock, file, offset, size, 0 };
    return frame;
}
PAWL_INLINE struct pawl_splice pawl_splice(struct pawl_socket *from, struct pawl_socket *to, uint64_t size)
{
    struct pawl_splice frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_splice_resume);
    frame.from = from;
    frame.to = to;
    frame.size = size;
    frame.pipe[0] = frame.pipe[1] = -1;
    return frame;
}
PAWL_INLINE struct pawl_wait_ready pawl_wait_ready(struct pawl_socket *sock, enum pawl_direction direction)
{
    struct pawl_wait_ready frame = { PAWL_CORO_INIT(pawl_wait_ready_resume), sock, direction };
    return frame;
}

PAWL_END_C

#endif
