/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: ignoring return value */
#include <pawl/task.h>

pawl_time drop(void);
pawl_time drop(void)
{
#ifdef RIGHT
    return pawl_sleep(1).time;
#else
    pawl_sleep(1);
    return 1;
#endif
}
