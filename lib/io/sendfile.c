/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Files to sockets, within the kernel. A file that the system cannot send so (some file systems, a device) is read and sent. One
 * that is sent to a fast peer gives way after each share.
 */
#include "io.h"

#include <sys/sendfile.h>
#include <unistd.h>

enum { COPY = 16 * 1024 };

static size_t share_of(const struct pawl_sendfile *self, size_t most)
{
    const uint64_t left = self->size - self->result;
    return left < most ? (size_t)left : most;
}

static ssize_t copy_share(struct pawl_sendfile *self)
{
    char data[COPY];
    const ssize_t got = pread(self->file, data, share_of(self, sizeof data), self->offset);
    if (got < 0) return -errno;
    return got > 0 ? pawl_socket_try_send(self->sock, data, (size_t)got) : 0;
}

static ssize_t send_share(struct pawl_sendfile *self)
{
    struct quiet quiet;
    const size_t share = share_of(self, SHARE);
    off_t offset = self->offset;
    quiet_begin(&quiet);
    const ssize_t put = sendfile(self->sock->watch.fd, self->file, &offset, share);
    const int error = errno;
    quiet_end(&quiet, put < (ssize_t)share);
    return put < 0 ? -error : put;
}

static bool cannot(ssize_t error)
{
    return error == -EINVAL || error == -ENOSYS || error == -EOPNOTSUPP;
}

static ssize_t one_share(struct pawl_sendfile *self)
{
    struct pawl_socket *const sock = self->sock;
    while (!(sock->state & WRITE_DRY)) {
        ssize_t put = send_share(self);
        if (cannot(put)) put = copy_share(self);
        if (put == -EINTR) continue;
        if (put >= 0 || !would_block((int)-put)) return put;
        sock->state |= WRITE_DRY;
    }
    return PAWL_EPENDING;
}

static int try_sendfile(struct pawl_coro *co)
{
    struct pawl_sendfile *const self = (struct pawl_sendfile *)(void *)co;
    if (self->result == self->size) return 0;
    const ssize_t put = one_share(self);
    if (put <= 0) return (int)put; /* 0: the end of the file */
    self->result += (uint64_t)put;
    self->offset += put;
    return self->result == self->size ? 0 : GIVES_WAY;
}

PAWL_LEAF(pawl_sendfile)
{
    PAWL_LEAF_BEGIN(pawl_sendfile);
    struct pawl_sendfile *const self = (struct pawl_sendfile *)(void *)co;
    if (self->sock == NULL || self->file < 0 || self->offset < 0) return pawl_leaf_done(co, PAWL_EINVAL);
    return socket_operate(co, root, error, self->sock, WRITING, try_sendfile);
}
