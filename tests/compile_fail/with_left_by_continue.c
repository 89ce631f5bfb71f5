/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: break or continue out of a WITH: its end would be skipped */
#include <pawl/scope.h>

struct hasty {
    COROUTINE(void);
    struct pawl_timeout timeout;
    int i;
};

ASYNC_PUBLIC(hasty)
{
    ASYNC_BEGIN(hasty);
    for (self->i = 0; self->i < 3; self->i++) {
        WITH(self->timeout, pawl_timeout(PAWL_SEC(1))) {
            while (self->i > 5) {
                if (self->i == 7) continue;
                self->i++;
            }
#ifndef RIGHT
            if (self->i == 1) continue;
#endif
        } END_WITH;
        if (self->i == 2) continue;
    }
    ASYNC_END;
}
