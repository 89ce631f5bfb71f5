/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* A program of one line: int main(void) { return pawl_run(CORO(amain)); }. Hosted builds. */
#ifndef PAWL_RUN_H
#define PAWL_RUN_H

#include "epoll.h"
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

/** A loop that runs one main task after the other, in the caller's memory. (asyncio.Runner) */
struct pawl_runner {
    struct pawl_loop loop; /* for pawl_loop_set_report and the like */
    struct pawl_epoll epoll;
    bool own_port;
};

/** Makes a runner: a loop on `port`, which is borrowed, or for NULL on an epoll port of its own; with malloc, and reports to
 *  stderr. It does not run yet. 0, PAWL_EINVAL, or -errno (nothing is open then). */
PAWL_API int pawl_runner_init(struct pawl_runner *runner, struct pawl_port *port);

/** Cancels all tasks that are left, runs them to their end, and takes the loop down. 0 or an error of the port; PAWL_EBUSY, and
 *  nothing is done, while it runs. Harmless for a zeroed or finished one. */
PAWL_API int pawl_runner_finish(struct pawl_runner *runner);

PAWL_API int pawl_runner_run_(struct pawl_runner *runner, struct pawl_task *task);

/** pawl_runner_run(runner, call): runs the coroutine that `call` makes as the main task until it ends; other tasks are left as they
 *  are, and go on in the next run. Its outcome: 0 or its error, PAWL_EINTERRUPTED when Ctrl-C cancelled it (as in pawl_run),
 *  PAWL_EBUSY when a loop runs in this thread, PAWL_EINVAL for a finished runner. A main task that has not ended when the run
 *  is over (PAWL_EPENDING: pawl_loop_stop; an error of the port) is cancelled, and runs to its end.
 *  pawl_runner_run_in(runner, slot, call): the same in *slot, a TASK(name), which has the result afterwards. */
#if defined(__cplusplus)
PAWL_END_C
template <class F> PAWL_INLINE int pawl_runner_run(struct pawl_runner *runner, const F &frame)
{
    struct { struct pawl_task awaitable; F frame; } main_task = { {}, frame };
    return pawl_runner_run_(runner, &main_task.awaitable);
}
template <class S, class F> PAWL_INLINE int pawl_runner_run_in(struct pawl_runner *runner, S *slot, const F &frame)
{
    if (pawl_task_finish(&slot->awaitable) != 0) return PAWL_EBUSY;
    slot->frame = frame;
    return pawl_runner_run_(runner, &slot->awaitable);
}
PAWL_BEGIN_C
#else
#define pawl_runner_run(runner, ...) (__extension__ ({ \
    __typeof__(__VA_ARGS__) pawl_frame_ = __VA_ARGS__; \
    struct { struct pawl_task awaitable; __typeof__(pawl_frame_) frame; } pawl_main_ __attribute__((aligned(64))) = { .frame = pawl_frame_ }; \
    pawl_runner_run_((runner), &pawl_main_.awaitable); \
}))
#define pawl_runner_run_in(runner, slot, ...) (__extension__ ({ \
    PAWL_ASSERT_CALL_(PAWL_SAME_TYPE((slot)->frame, __VA_ARGS__), "pawl_runner_run_in(runner, slot, call): the call makes another coroutine than the slot holds"); \
    __typeof__(slot) const pawl_in_ = (slot); \
    const bool pawl_idle_ = pawl_task_finish(&pawl_in_->awaitable) == 0; \
    if (pawl_idle_) pawl_in_->frame = __VA_ARGS__; \
    pawl_idle_ ? pawl_runner_run_((runner), &pawl_in_->awaitable) : PAWL_EBUSY; \
}))
#endif

PAWL_END_C

#endif
