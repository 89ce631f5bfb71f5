/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* error: the item is of another type than the queue */
#include <pawl/channel.h>

static CHANNEL(int, 4) numbers;

int try_receive(int *right, float *wrong);
int try_receive(int *right, float *wrong)
{
    (void)right, (void)wrong;
#ifdef RIGHT
    return pawl_channel_try_receive(&numbers, right);
#else
    return pawl_channel_try_receive(&numbers, wrong);
#endif
}
