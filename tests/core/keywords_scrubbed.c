/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A part of test_keywords that overwrites the dead stack before each resume. The mistakes here are on purpose. */
/* Compilers see through a mistake as plain as this one. */
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#ifndef PAWL_DEBUG_SCRUB
#define PAWL_DEBUG_SCRUB 1
#endif
#include <pawl/pawl.h>

#include "keywords.h"

struct forgets {
    GENERATOR(int);
    int set;
};

GEN(forgets)
{
    volatile int lost; /* volatile: it lies on the stack, at any level of optimisation */
    GEN_BEGIN(forgets);
    YIELD(0); /* the first step comes by another way, and so has another place on the stack */
    lost = self->set;
    YIELD(lost);
    YIELD(lost);
    GEN_END;
}

int lost_local_of_generator(int set)
{
    struct forgets gen = CORO(forgets, .set = set);
    if (!gen_next(&gen) || !gen_next(&gen) || gen.value != set || !gen_next(&gen)) return set;
    return gen.value;
}
