/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Addresses of sockets: IPv4, IPv6, Unix, as one value that is copied about. Hosted builds; from any thread. */
#ifndef PAWL_ADDRESS_H
#define PAWL_ADDRESS_H

#include "config.h"
#include "error.h"

PAWL_BEGIN_C

struct sockaddr;

/** An address. Zeroed is none. A struct sockaddr of whatever family is in it (pawl_address_sockaddr); the system's headers are
 *  not needed to use one, and so a program keeps names such as send and connect for itself. */
struct pawl_address {
    union {
        uint16_t family; /* AF_INET, AF_INET6, AF_UNIX */
        uint64_t align;
        unsigned char bytes[112];
    } of;
    uint32_t size; /* how many bytes of it count; 0: none */
};

/** It, as the system wants it: with `size` for bind(2) and the like. */
PAWL_INLINE const struct sockaddr *pawl_address_sockaddr(const struct pawl_address *address)
{
    return (const struct sockaddr *)(const void *)address->of.bytes;
}
/** The other way: copies `size` bytes of a struct sockaddr. 0; PAWL_EINVAL for a NULL or a size that no address has. */
PAWL_API int pawl_address_set(struct pawl_address *address, const struct sockaddr *sockaddr, size_t size);

/** A numeric address: "127.0.0.1", "::1", "fe80::1%eth0"; NULL is 0.0.0.0, every IPv4 address of this machine, for listening
 *  ("::" is every one, of both kinds). `port`: 0 to 65535, 0 is any free one. It looks nothing up. 0; PAWL_EINVAL for a NULL;
 *  PAWL_EHOST when it is no numeric address; PAWL_ENOMEM. *address is none after an error. */
PAWL_API int pawl_address_parse(struct pawl_address *address, const char *host, uint16_t port);

/** The address of a Unix socket: a path, or, after an '@', a name that is in no file system (unix(7): abstract), for which
 *  nothing needs to be removed. A file whose name begins so is "./@name". 0; PAWL_EINVAL for NULL and for ""; -ENAMETOOLONG
 *  over 107 bytes. */
PAWL_API int pawl_address_unix(struct pawl_address *address, const char *path);

/** The port of an IP address, 0 to 65535; 0 for others. */
PAWL_API uint16_t pawl_address_port(const struct pawl_address *address);

/** Are they the same? None is not equal to anything. */
PAWL_API bool pawl_address_equal(const struct pawl_address *a, const struct pawl_address *b);

enum { PAWL_ADDRESS_TEXT = 128 };
/** Writes it for people into text[PAWL_ADDRESS_TEXT], and returns that: "127.0.0.1:80", "[fe80::1%eth0]:80", "/run/socket",
 *  "@name", "-" for none. */
PAWL_API const char *pawl_address_text(const struct pawl_address *address, char *text);

PAWL_END_C

#endif
