/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Items that are copied in and out of queues and channels. */
#ifndef PAWL_CORE_ITEM_H
#define PAWL_CORE_ITEM_H

#include "core.h"

#include <pawl/queue.h>

/* Mostly an item is one word, and a call costs more than the copy. */
static inline void item_copy(void *to, const void *from, size_t size)
{
    if (PAWL_LIKELY(size == sizeof(void *))) __builtin_memcpy(to, from, sizeof(void *));
    else __builtin_memcpy(to, from, size);
}

/* Where the item behind `count` others goes, in a ring of places whose first one is `head`. */
static inline size_t place_behind(size_t capacity, size_t head, size_t count)
{
    const size_t room = capacity - head;
    return count < room ? head + count : count - room;
}

#endif
