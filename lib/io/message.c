/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Messages: datagrams with their addresses, and descriptors that travel along. All of them are recvmsg and sendmsg. */
#include "io.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static ssize_t receive_message(struct pawl_socket *sock, struct msghdr *message, int flags)
{
    while (read_may_help(sock)) {
        const ssize_t got = recvmsg(sock->watch.fd, message, flags | MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (got >= 0) return got;
        if (would_block(errno)) read_is_dry(sock);
        else if (errno != EINTR) return -errno;
    }
    return PAWL_EPENDING;
}

static ssize_t send_message(struct pawl_socket *sock, const struct msghdr *message, int flags)
{
    while (!(sock->state & WRITE_DRY)) {
        const ssize_t put = sendmsg(sock->watch.fd, message, flags | MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put >= 0) return put;
        if (would_block(errno)) sock->state |= WRITE_DRY;
        else if (errno != EINTR) return -errno;
    }
    return PAWL_EPENDING;
}

/* ---- As they are ---- */

/* Of urgent data and of the queue of errors EAGAIN says nothing about the data. */
static ssize_t receive_beside(const struct pawl_socket *sock, struct msghdr *message, int flags)
{
    ssize_t got;
    do got = recvmsg(sock->watch.fd, message, flags | MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got >= 0 ? got : would_block(errno) ? PAWL_EPENDING : -errno;
}

static int try_recvmsg(struct pawl_coro *co)
{
    struct pawl_message *const self = (struct pawl_message *)(void *)co;
    const bool beside = (self->flags & (MSG_ERRQUEUE | MSG_OOB)) != 0;
    const ssize_t got = beside ? receive_beside(self->sock, self->message, self->flags)
                               : receive_message(self->sock, self->message, self->flags);
    if (got < 0) return (int)got;
    self->result = (size_t)got;
    return 0;
}

static int try_sendmsg(struct pawl_coro *co)
{
    struct pawl_message *const self = (struct pawl_message *)(void *)co;
    const ssize_t put = send_message(self->sock, self->message, self->flags);
    if (put < 0) return (int)put;
    self->result = (size_t)put;
    return 0;
}

PAWL_LEAF(pawl_recvmsg)
{
    PAWL_LEAF_BEGIN(pawl_recvmsg);
    struct pawl_message *const self = (struct pawl_message *)(void *)co;
    if (self->sock == NULL || self->message == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, READING, try_recvmsg);
}

PAWL_LEAF(pawl_sendmsg)
{
    PAWL_LEAF_BEGIN(pawl_sendmsg);
    struct pawl_message *const self = (struct pawl_message *)(void *)co;
    if (self->sock == NULL || self->message == NULL) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, WRITING, try_sendmsg);
}

/* ---- Datagrams ---- */

static int try_recv_from(struct pawl_coro *co)
{
    struct pawl_recv_from *const self = (struct pawl_recv_from *)(void *)co;
    struct pawl_address *const address = self->address;
    struct iovec part = { self->data, self->size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (address != NULL) {
        memset(address, 0, sizeof *address);
        message.msg_name = &address->of;
        message.msg_namelen = sizeof address->of;
    }
    const ssize_t got = receive_message(self->sock, &message, 0);
    if (got < 0) return (int)got;
    if (address != NULL) address->size = message.msg_namelen;
    self->result = (size_t)got;
    self->truncated = (message.msg_flags & MSG_TRUNC) != 0;
    return 0;
}

PAWL_LEAF(pawl_recv_from)
{
    PAWL_LEAF_BEGIN(pawl_recv_from);
    struct pawl_recv_from *const self = (struct pawl_recv_from *)(void *)co;
    if (self->sock == NULL || (self->data == NULL && self->size > 0)) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, READING, try_recv_from);
}

/* Is it not this socket that is full? Of the queue of a Unix socket that this one is not connected with the system tells nobody when there
 * is room again. */
static bool has_room(struct pawl_socket *sock)
{
    struct pollfd asked = { .fd = sock->watch.fd, .events = POLLOUT };
    const bool room = poll(&asked, 1, 0) == 1;
    if (room) sock->state &= (uint16_t)~WRITE_DRY;
    return room;
}

static int try_send_to(struct pawl_coro *co)
{
    struct pawl_send_to *const self = (struct pawl_send_to *)(void *)co;
    const struct pawl_address *const address = self->address;
    struct iovec part = { (void *)(uintptr_t)self->data, self->size };
    const struct msghdr message = { .msg_name = address ? (void *)(uintptr_t)&address->of : NULL,
                                    .msg_namelen = address ? address->size : 0, .msg_iov = &part, .msg_iovlen = 1 };
    const ssize_t put = send_message(self->sock, &message, 0);
    if (put == PAWL_EPENDING && address != NULL && address->of.family == AF_UNIX && has_room(self->sock)) return -EAGAIN;
    return put < 0 ? (int)put : 0;
}

PAWL_LEAF(pawl_send_to)
{
    PAWL_LEAF_BEGIN(pawl_send_to);
    struct pawl_send_to *const self = (struct pawl_send_to *)(void *)co;
    if (self->sock == NULL || (self->data == NULL && self->size > 0)) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, WRITING, try_send_to);
}

/* ---- Descriptors ---- */

union fd_control {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(int[PAWL_MOST_FDS])) + CMSG_SPACE(sizeof(struct ucred))]; /* PAWL_CREDENTIALS come along */
};

static int try_send_fds(struct pawl_coro *co)
{
    struct pawl_send_fds *const self = (struct pawl_send_fds *)(void *)co;
    const size_t size = sizeof(int) * self->count;
    union fd_control control;
    memset(&control, 0, sizeof control);
    struct iovec part = { (void *)(uintptr_t)self->data, self->size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = CMSG_SPACE(size) };
    struct cmsghdr *const head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(head), self->fds, size);

    const ssize_t put = send_message(self->sock, &message, 0);
    if (put < 0) return (int)put;
    self->result = (size_t)put;
    return 0;
}

PAWL_LEAF(pawl_send_fds)
{
    PAWL_LEAF_BEGIN(pawl_send_fds);
    struct pawl_send_fds *const self = (struct pawl_send_fds *)(void *)co;
    if (self->sock == NULL || self->data == NULL || self->size == 0 || self->fds == NULL || self->count < 1 || self->count > PAWL_MOST_FDS)
        return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, WRITING, try_send_fds);
}

/* Takes the descriptors of one control message; those for which there is no room are closed. */
static void take_fds(struct pawl_recv_fds *self, const struct cmsghdr *head)
{
    const size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
        if (self->count < self->room) self->fds[self->count++] = fd;
        else {
            self->truncated = true;
            close(fd);
        }
    }
}

static int try_recv_fds(struct pawl_coro *co)
{
    struct pawl_recv_fds *const self = (struct pawl_recv_fds *)(void *)co;
    union fd_control control;
    struct iovec part = { self->data, self->size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
    const ssize_t got = receive_message(self->sock, &message, 0);
    if (got < 0) return (int)got;
    self->result = (size_t)got;
    self->truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL; head = CMSG_NXTHDR(&message, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) take_fds(self, head);
    return 0;
}

PAWL_LEAF(pawl_recv_fds)
{
    PAWL_LEAF_BEGIN(pawl_recv_fds);
    struct pawl_recv_fds *const self = (struct pawl_recv_fds *)(void *)co;
    if (self->sock == NULL || self->data == NULL || self->size == 0 || (self->fds == NULL && self->room > 0) || self->room > PAWL_MOST_FDS)
        return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, READING, try_recv_fds);
}
