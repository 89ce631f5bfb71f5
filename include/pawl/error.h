/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * The one rule of errors, for the whole library: a function that can fail returns an int, 0 is success and a negative
 * number is an error. A failed system call is told as -errno. What the library itself has to say has a name here.
 * A coroutine raises the same numbers; an error fits in 16 bits, -32768 to -1, on every target. Anything else that is
 * raised or set as an error becomes PAWL_EINVAL.
 *
 *      -1 … -4095          the system's, as -errno
 *      -4096 … -31999      yours
 *      -32000 … -32768     the library's
 */
#ifndef PAWL_ERROR_H
#define PAWL_ERROR_H

#include "config.h"

PAWL_BEGIN_C

enum pawl_error {
    PAWL_ECANCELLED = -32000, /* the task or the future was cancelled (asyncio.CancelledError) */
    PAWL_EEXIT = -32001,      /* the generator or coroutine is being closed (GeneratorExit) */
    PAWL_ETIMEOUT = -32002,   /* a deadline passed (TimeoutError) */
    PAWL_EINVAL = -32003,     /* an argument that this function cannot take */
    PAWL_ENOMEM = -32004,     /* the allocator gave nothing, or there is none */
    PAWL_EBUSY = -32005,      /* that object is in use: a task that runs, a socket with a reader already */
    PAWL_EDONE = -32006,      /* a future is set only once (InvalidStateError) */
    PAWL_EPENDING = -32007,   /* there is no result yet (InvalidStateError) */
    PAWL_EENDED = -32008,     /* resumed after its end (StopIteration) */
    PAWL_ERUNNING = -32009,   /* resumed while it runs (ValueError: generator already executing) */
    PAWL_EFRESH = -32010,     /* sent a value before its first yield (TypeError: just-started generator) */
    PAWL_EYIELDED = -32011,   /* yielded while being closed (RuntimeError: generator ignored GeneratorExit) */
    PAWL_EAWAITED = -32012,   /* a coroutine is awaited once only (RuntimeError: cannot reuse awaited coroutine) */
    PAWL_EDEADLK = -32013,    /* a task awaits itself; or nothing is left that could ever run */
    PAWL_ENOSYS = -32014,     /* this port cannot do that */
    PAWL_EHOST = -32015,      /* there is no such host or service; or, where only numbers are taken, it is no numeric address */
    PAWL_EEOF = -32016,       /* the peer ended before all that was asked for had come */
    PAWL_EFULL = -32017,      /* no room in the queue or channel (QueueFull) */
    PAWL_EEMPTY = -32018,     /* nothing in the queue or channel (QueueEmpty) */
    PAWL_EBROKEN = -32019,    /* the barrier was aborted or reset (BrokenBarrierError) */
    PAWL_ELAGGED = -32020,    /* the subscriber was too slow: values were overwritten */
    PAWL_EINTERRUPTED = -32021, /* Ctrl-C (KeyboardInterrupt) */
    PAWL_ECLOSED = -32022,    /* the socket, stream, channel or queue was closed (QueueShutDown) */
    PAWL_ERESOLVE = -32023,   /* no name server could answer just now (EAI_AGAIN) */
    PAWL_ELIMIT = -32024,     /* more than the limit allows: a line or a frame that is too long (LimitOverrunError) */
    PAWL_ETLS = -32025,       /* the peer does not keep to TLS; pawl_tls_error_text tells more (SSLError) */
    PAWL_ECERTIFICATE = -32026 /* the peer's certificate is not to be trusted (SSLCertVerificationError) */
};

/** The text of one of the errors above: a static string, or NULL when `error` is not the library's own.
 *  From anywhere. */
PAWL_API const char *pawl_error_text(int error);

/** The text of any error: a static string, never NULL. 0 is "success", a negative errno has the system's words.
 *  Hosted builds only. From any thread. */
PAWL_API const char *pawl_strerror(int error);

/** The error as a frame keeps it: itself if it is one, PAWL_EINVAL if it is out of range. */
PAWL_INLINE int pawl_error_checked_(int error)
{
    return error < 0 && error >= INT16_MIN ? error : PAWL_EINVAL;
}

PAWL_END_C

#endif
