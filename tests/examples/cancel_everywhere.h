/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Put before an example with -include: pawl_run then runs it again and again, and disturbs it at another place each time. */
#ifndef PAWL_TESTS_CANCEL_EVERYWHERE_H
#define PAWL_TESTS_CANCEL_EVERYWHERE_H

#include <pawl/pawl.h>

int cancel_everywhere(const void *frame, size_t size);

#undef pawl_run
#define pawl_run(...) cancel_everywhere(PAWL_TEMPORARY_(__VA_ARGS__), sizeof(__VA_ARGS__))

#endif
