/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * TLS over a stream, by OpenSSL (3.0 or later): the same stream interface, encrypted. A library of its own, pawl-tls, built when
 * OpenSSL is there (-Dtls=enabled).
 *
 *      AWAIT(self->open, pawl_open_connection(&self->stream, "example.org", 443));
 *      WITH(self->closing, pawl_stream_closing(&self->stream)) {
 *          AWAIT(self->tls, pawl_tls_connect(&self->stream, context, "example.org"));
 *          … as any stream
 *      } END_WITH;
 *
 * A client verifies the server's chain and its name unless it is told not to. Closing a stream says goodbye (close_notify); a peer
 * that is gone without one raises PAWL_EEOF at a read, since what it wanted to say may have been cut off. No half-close.
 *
 * What a context is set to beyond this is set with OpenSSL itself: it is an SSL_CTX.
 */
#ifndef PAWL_TLS_H
#define PAWL_TLS_H

#include "stream.h"

/* OpenSSL's SSL_CTX, SSL and SSL_SESSION, for whoever does not need the rest of it. */
struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

PAWL_BEGIN_C

/** What a context is made with. Zeroed is a client with the system's certificates. Strings are borrowed for the call. */
struct pawl_tls_options {
    const char *certificate_file; /* own chain, PEM, first the own certificate; a server needs one */
    const char *key_file;         /* own key, PEM; NULL: it is in certificate_file */
    const char *key_password;     /* NULL: the key is not encrypted; nobody is asked */
    const char *ca_file;          /* PEM of whom to trust; NULL: whom the system trusts (client), nobody (server) */
    const char *alpn;             /* protocols, the preferred first, separated by commas: "h2,http/1.1"; NULL: none */
    bool server;
    bool insecure;                /* client: take any certificate. For tests */
    bool ask_client;              /* server: the client must have a certificate that ca_file trusts */
};

/** Makes a context, for any number of connections, with TLS 1.2 and later, without renegotiation. NULL for `options` is all of
 *  them zeroed. A server that knows none of the protocols that a client offers by ALPN refuses it (RFC 7301).
 *
 *  0 and *context, which is given back by pawl_tls_context_free (connections keep what they need of it). Otherwise *context is
 *  NULL: PAWL_EINVAL (a server without certificate_file, ask_client without ca_file, key_file alone, a bad alpn); -ENOENT and the
 *  like for a file that cannot be read; PAWL_ECERTIFICATE for one that holds no certificate or no key, a key that does not belong
 *  to the certificate, or a wrong password; PAWL_ENOMEM. From any thread. (ssl.create_default_context) */
PAWL_API int pawl_tls_context_create(struct ssl_ctx_st **context, const struct pawl_tls_options *options);
/** Harmless for NULL. From any thread. */
PAWL_API void pawl_tls_context_free(struct ssl_ctx_st *context);

/** What lets a client come back to a server without a full handshake. Zeroed is none. A session counts for the context that it
 *  was made with, and for the names in the certificate that the server showed then; otherwise it is as if there were none. */
struct pawl_tls_session {
    struct ssl_session_st *session;
    struct ssl_ctx_st *context; /* kept along with it */
};
/** Gives it back: *session is none then. Harmless for none and for NULL. */
PAWL_API void pawl_tls_session_free(struct pawl_tls_session *session);

struct pawl_tls_handshake {
    PAWL_COROUTINE(void);
    struct pawl_stream *stream;
    struct ssl_ctx_st *context;
    const char *name;
    struct pawl_tls_session *session;
    bool server;
    uint8_t wants; /* PAWL_READABLE, PAWL_WRITABLE */
    int outcome;
    struct pawl_stream_drain flush;
};
PAWL_API pawl_resume_fn pawl_tls_handshake_resume;

PAWL_INLINE PAWL_MUST_USE struct pawl_tls_handshake pawl_tls_handshake_(struct pawl_stream *stream, struct ssl_ctx_st *context,
                                                                        const char *name, struct pawl_tls_session *session,
                                                                        bool server)
{
    struct pawl_tls_handshake frame;
    __builtin_memset(&frame, 0, sizeof frame);
    frame.awaitable = pawl_coro_init_(pawl_tls_handshake_resume);
    frame.stream = stream;
    frame.context = context;
    frame.name = name;
    frame.session = session;
    frame.server = server;
    return frame;
}

/** Begins TLS on an open stream over a socket as its client: what was written before is sent first, in the clear. `name`,
 *  borrowed until it has ended: that of the server, for SNI and for its certificate, or a numeric address; NULL: only the chain
 *  is verified.
 *
 *  Raises PAWL_EINVAL (a NULL, no socket, TLS already, a name that begins with a dot or is none), PAWL_ECLOSED, or PAWL_EBUSY
 *  when something is buffered for reading (it would be taken for encrypted, or is an injected command), and the stream is as
 *  before. Raises PAWL_ECERTIFICATE, PAWL_ETLS, PAWL_EEOF, PAWL_ENOMEM or -errno, and the stream is aborted; so it is when this
 *  is cancelled. With TLS 1.3 a server that does not like the client's certificate says so only after the handshake: PAWL_ETLS at
 *  the first read. (loop.start_tls) */
PAWL_INLINE PAWL_MUST_USE struct pawl_tls_handshake pawl_tls_connect(struct pawl_stream *stream, struct ssl_ctx_st *context,
                                                                     const char *name)
{
    return pawl_tls_handshake_(stream, context, name, NULL, false);
}
/** The same, coming back with *session if there is one, and leaving there what the server gives for the next time (with TLS 1.3
 *  while the stream is read, and what has come when it is closed). It must stay until the stream is closed. The context must be
 *  one of pawl_tls_context_create. */
PAWL_INLINE PAWL_MUST_USE struct pawl_tls_handshake pawl_tls_connect_again(struct pawl_stream *stream, struct ssl_ctx_st *context,
                                                                           const char *name, struct pawl_tls_session *session)
{
    return pawl_tls_handshake_(stream, context, name, session, false);
}
/** Begins TLS as the server. Otherwise as pawl_tls_connect. */
PAWL_INLINE PAWL_MUST_USE struct pawl_tls_handshake pawl_tls_accept(struct pawl_stream *stream, struct ssl_ctx_st *context)
{
    return pawl_tls_handshake_(stream, context, NULL, NULL, true);
}

/** OpenSSL's object of a stream with TLS, for what is not here (certificates, ciphers), or NULL. It stays the stream's. */
PAWL_API struct ssl_st *pawl_tls_of(const struct pawl_stream *stream);
/** The protocol that ALPN chose, terminated and as much of it as there is room for, into text[size]: its whole length, 0 for
 *  none. */
PAWL_API size_t pawl_tls_alpn(const struct pawl_stream *stream, char *text, size_t size);
/** Did it come back without a full handshake? */
PAWL_API bool pawl_tls_resumed(const struct pawl_stream *stream);
/** What the last PAWL_ETLS or PAWL_ECERTIFICATE in this thread was about: a text that stays until the next one, "" for none. */
PAWL_API const char *pawl_tls_error_text(void);

PAWL_END_C

#endif
