/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* language: c c++ */
/* error: an item of this size is put by its address */
#include <pawl/channel.h>

struct job {
    char text[64];
};

static CHANNEL(struct job, 4) jobs;

int try_send(const struct job *job);
int try_send(const struct job *job)
{
#ifdef RIGHT
    return pawl_channel_try_send_from(&jobs, job);
#else
    return pawl_channel_try_send(&jobs, *job);
#endif
}
