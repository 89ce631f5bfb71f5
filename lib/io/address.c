/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Addresses: from text and to text. */
#define _GNU_SOURCE
#include "sockaddr.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static const struct pawl_address none;

int pawl_address_parse(struct pawl_address *address, const char *host, uint16_t port)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                     .ai_family = host ? AF_UNSPEC : AF_INET,
                                     .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    char service[8];
    if (address == NULL) return PAWL_EINVAL;
    *address = none;
    snprintf(service, sizeof service, "%u", (unsigned)port);
    switch (getaddrinfo(host, service, &hints, &found)) {
    case 0: break;
    case EAI_MEMORY: return PAWL_ENOMEM;
    default: return PAWL_EHOST;
    }
    const int error = pawl_address_set(address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return error;
}

static size_t least_size(const struct sockaddr *sockaddr)
{
    return sockaddr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sockaddr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

int pawl_address_set(struct pawl_address *address, const struct sockaddr *sockaddr, size_t size)
{
    if (address == NULL) return PAWL_EINVAL;
    struct pawl_address copy = none;
    bool fits = sockaddr != NULL && size >= sizeof sockaddr->sa_family && size <= sizeof copy.of;
    fits = fits && size >= least_size(sockaddr);
    if (fits) memcpy(&copy.of, sockaddr, size);
    if (fits) copy.size = (uint32_t)size;
    *address = copy;
    return fits ? 0 : PAWL_EINVAL;
}

int pawl_address_unix(struct pawl_address *address, const char *path)
{
    if (address == NULL) return PAWL_EINVAL;
    *address = none;
    if (path == NULL || path[0] == '\0') return PAWL_EINVAL;
    const bool abstract = path[0] == '@';
    const size_t length = strlen(path);
    if (length >= sizeof sockaddr_of(address)->local.sun_path) return -ENAMETOOLONG;
    sockaddr_of(address)->local.sun_family = AF_UNIX;
    memcpy(sockaddr_of(address)->local.sun_path, path, length);
    if (abstract) sockaddr_of(address)->local.sun_path[0] = '\0';
    address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract); /* a path with its terminator */
    return 0;
}

uint16_t pawl_address_port(const struct pawl_address *address)
{
    if (address == NULL || address->size == 0) return 0;
    switch (sockaddr_of(address)->any.sa_family) {
    case AF_INET: return ntohs(sockaddr_of(address)->v4.sin_port);
    case AF_INET6: return ntohs(sockaddr_of(address)->v6.sin6_port);
    default: return 0;
    }
}

/* Of IPv6 the flow is no part of who it is. */
static bool equal_v6(const struct sockaddr_in6 *a, const struct sockaddr_in6 *b)
{
    return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
           memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0;
}

static bool equal_v4(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

/* The name of a Unix socket: a path ends at its first zero, wherever the system says that the address ends. */
static size_t local_name(const struct pawl_address *address)
{
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    const size_t room = address->size > head ? address->size - head : 0;
    return room > 0 && sockaddr_of(address)->local.sun_path[0] != '\0' ? strnlen(sockaddr_of(address)->local.sun_path, room) : room;
}

bool pawl_address_equal(const struct pawl_address *a, const struct pawl_address *b)
{
    if (a == NULL || b == NULL || a->size == 0 || b->size == 0) return false;
    if (sockaddr_of(a)->any.sa_family != sockaddr_of(b)->any.sa_family) return false;
    switch (sockaddr_of(a)->any.sa_family) {
    case AF_INET: return equal_v4(&sockaddr_of(a)->v4, &sockaddr_of(b)->v4);
    case AF_INET6: return equal_v6(&sockaddr_of(a)->v6, &sockaddr_of(b)->v6);
    case AF_UNIX: {
        const size_t length = local_name(a);
        return length > 0 && length == local_name(b) && memcmp(sockaddr_of(a)->local.sun_path, sockaddr_of(b)->local.sun_path, length) == 0;
    }
    default: return false;
    }
}

static void write_local(const struct pawl_address *address, char *text)
{
    const size_t length = local_name(address);
    const char *const name = sockaddr_of(address)->local.sun_path;
    for (size_t i = 0; i < length; i++) text[i] = name[i] != '\0' ? name[i] : '@';
    text[length] = '\0';
    if (length == 0) strcpy(text, "-");
}

const char *pawl_address_text(const struct pawl_address *address, char *text)
{
    char host[PAWL_ADDRESS_TEXT - 16];
    const int family = address != NULL && address->size > 0 ? sockaddr_of(address)->any.sa_family : AF_UNSPEC;
    strcpy(text, "-");
    if (family == AF_UNIX) write_local(address, text);
    if (family != AF_INET && family != AF_INET6) return text;
    if (getnameinfo(&sockaddr_of(address)->any, address->size, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0) return text;
    snprintf(text, PAWL_ADDRESS_TEXT, family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, (unsigned)pawl_address_port(address));
    return text;
}
