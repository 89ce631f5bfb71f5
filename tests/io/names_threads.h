/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* What the tests of the resolver with threads want of names_threads.c beyond names.h. */
#ifndef PAWL_TESTS_NAMES_THREADS_H
#define PAWL_TESTS_NAMES_THREADS_H

#include "names.h"

#include <netdb.h>
#include <signal.h>

enum { NAMES_LOG = 64 };
struct names_log {
    char hosts[NAMES_LOG][32]; /* in the order in which they were asked for */
    int asked, held, most_held, alive;
    sigset_t signals;          /* that were blocked then */
    struct addrinfo hints;     /* of the last one, */
    char service[32];          /* and its service, "-" for none */
};

/* A copy of it as it is now. */
struct names_log names_log(void);

/* "fails.test" fails with this from now on. */
void names_fail_with(int result, int system);

#endif
