/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A program of one line: int main(void) { return pawl_run(CORO(amain)); }. Hosted builds. */
#ifndef PAWL_RUN_H
#define PAWL_RUN_H

#include "task.h"

PAWL_BEGIN_C

/** malloc and free. */
extern PAWL_API const struct pawl_allocator pawl_allocator_malloc;

/** Writes one line to stderr: "pawl: task 'fetch' failed and nobody looked: Connection refused (raised at fetch.c:12)". */
PAWL_API pawl_report pawl_report_stderr;

PAWL_API int pawl_run_(struct pawl_task *task, const int *result);

/** pawl_run(call): runs the coroutine that `call` makes as the main task of a new loop, on the epoll port and malloc,
 *  until it ends; then cancels all other tasks, waits for them, and takes the loop down. Returns an exit status: the
 *  result of a COROUTINE(int), otherwise 0; 1 when it failed (its error is written to stderr) or the loop could not be
 *  made. Ctrl-C (SIGINT, unless it is ignored or handled otherwise) cancels the main task; if that ends it, the status is
 *  130. A second Ctrl-C kills. Once a thread at a time. (asyncio.run) */
#if defined(__cplusplus)
PAWL_END_C
PAWL_INLINE const int *pawl_int_result_(const int &result) { return &result; }
template <class T> PAWL_INLINE const int *pawl_int_result_(const T &) { return nullptr; }
template <class F> PAWL_INLINE int pawl_run_frame_(const F &frame)
{
    struct { struct pawl_task awaitable; F frame; } main_task = { {}, frame };
    return pawl_run_(&main_task.awaitable, pawl_int_result_(main_task.frame.result));
}
PAWL_BEGIN_C
#define pawl_run(...) pawl_run_frame_(__VA_ARGS__)
#else
#define pawl_run(...) (__extension__ ({ \
    __typeof__(__VA_ARGS__) pawl_frame_ = __VA_ARGS__; \
    /* aligned, so that the main task costs the same wherever the stack begins today */ \
    struct { struct pawl_task awaitable; __typeof__(pawl_frame_) frame; } pawl_main_ __attribute__((aligned(64))) = { .frame = pawl_frame_ }; \
    pawl_run_slot_(&pawl_main_, PAWL_SAME_TYPE(pawl_frame_.result, int) ? offsetof(__typeof__(pawl_main_), frame.result) : 0); \
}))
PAWL_INLINE int pawl_run_slot_(void *slot, size_t result)
{
    return pawl_run_((struct pawl_task *)slot, result ? (const int *)(void *)((char *)slot + result) : NULL);
}
#endif

PAWL_END_C

#endif
