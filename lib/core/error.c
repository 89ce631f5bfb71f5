/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The texts of the library's own errors. */
#include <pawl/error.h>

const char *pawl_error_text(int error)
{
    switch (error) {
    case 0: return "success";
    case PAWL_ECANCELLED: return "cancelled";
    case PAWL_ECLOSED: return "closed";
    case PAWL_ETIMEOUT: return "timed out";
    case PAWL_EINVAL: return "invalid argument to pawl";
    case PAWL_ENOMEM: return "out of memory";
    case PAWL_EBUSY: return "in use already";
    case PAWL_EDONE: return "done already";
    case PAWL_EPENDING: return "no result yet";
    case PAWL_EENDED: return "resumed after its end";
    case PAWL_ERUNNING: return "resumed while it runs";
    case PAWL_EFRESH: return "sent a value before its first yield";
    case PAWL_EYIELDED: return "yielded while being closed";
    case PAWL_EAWAITED: return "awaited already";
    case PAWL_EDEADLK: return "would wait for ever";
    case PAWL_ENOSYS: return "not possible with this port";
    case PAWL_EHOST: return "unknown host, service or address";
    case PAWL_ERESOLVE: return "names cannot be looked up just now";
    case PAWL_ELIMIT: return "over the limit";
    case PAWL_ETLS: return "TLS failed";
    case PAWL_ECERTIFICATE: return "certificate not trusted";
    case PAWL_EEOF: return "unexpected end of stream";
    case PAWL_EFULL: return "full";
    case PAWL_EEMPTY: return "empty";
    case PAWL_EBROKEN: return "barrier broken";
    case PAWL_ELAGGED: return "too slow: values were lost";
    case PAWL_EINTERRUPTED: return "interrupted";
    case PAWL_EEXIT: return "left";
    default: return NULL;
    }
}
