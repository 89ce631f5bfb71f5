/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
#include "child.h"

ASYNC_PUBLIC(child)
{
    ASYNC_BEGIN(child);
    ASYNC_RETURN(self->x + 1);
    ASYNC_END;
}
