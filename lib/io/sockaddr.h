/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What is in a pawl_address, for those who include the system's headers. */
#ifndef PAWL_SOCKADDR_H
#define PAWL_SOCKADDR_H

#include <pawl/address.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

union sockaddr_any {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
} __attribute__((may_alias));

PAWL_STATIC_ASSERT(sizeof(union sockaddr_any) <= sizeof(((struct pawl_address *)0)->of), "every address that pawl knows has room");

static inline union sockaddr_any *sockaddr_of(const struct pawl_address *address)
{
    return (union sockaddr_any *)(uintptr_t)address->of.bytes;
}

#endif
