/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: ignoring return value|unused */
#include <pawl/task.h>

struct work {
    COROUTINE(void);
};
ASYNC_EXTERN(work);

void drop(void);
void drop(void)
{
#ifdef RIGHT
    pawl_task_release(pawl_spawn(CORO(work)));
#else
    pawl_spawn(CORO(work));
#endif
}
