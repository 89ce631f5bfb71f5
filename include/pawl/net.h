/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The network: addresses, sockets, names, streams, servers. TLS is in tls.h, a library of its own. */
#ifndef PAWL_NET_H
#define PAWL_NET_H

#include "address.h"
#include "framing.h"
#include "resolve.h"
#include "server.h"
#include "socket.h"
#include "stream.h"

#endif
