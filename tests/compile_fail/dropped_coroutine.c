/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: unused|ignoring return value|result unused */
#include <pawl/gen.h>

struct count {
    GENERATOR(int);
};
GEN_EXTERN(count);

void drop(void);
void drop(void)
{
#ifdef RIGHT
    struct count gen = CORO(count);
    (void)gen_next(&gen);
#else
    CORO(count);
#endif
}
