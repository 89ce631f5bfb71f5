/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Everything, for hosted programs. Firmware includes what it uses: gen.h, or combinators.h and a port of its own. */
#ifndef PAWL_PAWL_H
#define PAWL_PAWL_H

#include "channel.h"
#include "combinators.h"
#include "epoll.h"
#include "gen.h"
#include "group.h"
#include "net.h"
#include "queue.h"
#include "run.h"
#include "scope.h"
#include "sync.h"
#include "virtual.h"
#include "waiter.h"

#endif
