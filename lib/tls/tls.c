/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * TLS as a transport of streams. OpenSSL never sees the descriptor: it reads and writes by a BIO that asks the stream's socket,
 * and so the socket knows what its edge-triggered port has still to tell.
 *
 *      stream ──► transport.read, write ──► SSL_read_ex, SSL_write_ex ──► BIO ──► pawl_socket_try_recv, try_send
 *         ▲                                             │                  │
 *         └── PAWL_EPENDING, stream->wants ◄── WANT_READ, WANT_WRITE ◄─────┘ would have to wait
 *
 * The stream has this transport from the first byte of the handshake on. What another task writes meanwhile goes on with the
 * handshake (SSL does that by itself) and is encrypted, instead of getting into the middle of it in the clear.
 *
 * An error of SSL is final: it is remembered, and SSL is not asked again. What the socket said is an error only when
 * SSL says that it failed for that: it may get over a peer that is gone before it has had its session tickets, and
 * looks at errno to find out.
 */
#include <pawl/tls.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum { READING, WRITING }; /* the places in stream->wants */
enum { RECORD = SSL3_RT_MAX_PLAIN_LENGTH };

/* The session of a stream with TLS, and the data of its BIO. */
struct tls {
    SSL *ssl;
    struct pawl_stream *stream;
    struct pawl_tls_session *kept; /* where the client wants its sessions */
    int said;   /* the socket's error in this call of SSL, 0 for none */
    int failed; /* what has ended it all */
    bool ended; /* the socket has come to its end */
};

/* ---- Errors ---- */

static PAWL_THREAD_LOCAL char error_text[160];

const char *pawl_tls_error_text(void)
{
    return error_text;
}

static int fail_with(int error, const char *text)
{
    snprintf(error_text, sizeof error_text, "%s", text != NULL ? text : "unknown reason");
    return error;
}

/* The error that the queue ends with, which is the one that says most, and none is left. With no_memory when one of them says so,
 * with *system_error when one of them is an errno. */
static unsigned long take_errors(bool *no_memory, int *system_error)
{
    unsigned long last = 0;
    *no_memory = false;
    *system_error = 0;
    for (unsigned long code; (code = ERR_get_error()) != 0; last = code) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) *no_memory = true;
        if (ERR_SYSTEM_ERROR(code)) *system_error = ERR_GET_REASON(code);
    }
    return last;
}

static int error_of_certificate(const SSL *ssl)
{
    const long why = SSL_get_verify_result(ssl);
    if (why == X509_V_ERR_OUT_OF_MEM) return PAWL_ENOMEM;
    return fail_with(PAWL_ECERTIFICATE, X509_verify_cert_error_string(why));
}

/* After SSL_ERROR_SSL. */
static int error_of_protocol(const SSL *ssl)
{
    bool no_memory;
    int system_error;
    const unsigned long code = take_errors(&no_memory, &system_error);
    if (no_memory) return PAWL_ENOMEM;
    const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) return PAWL_EEOF;
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return error_of_certificate(ssl);
    const int error = reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? PAWL_ECERTIFICATE : PAWL_ETLS;
    return fail_with(error, ERR_reason_error_string(code));
}

/* After a file could not be loaded. */
static int error_of_file(void)
{
    bool no_memory;
    int system_error;
    const unsigned long code = take_errors(&no_memory, &system_error);
    if (no_memory) return PAWL_ENOMEM;
    if (system_error != 0) return -system_error;
    return fail_with(PAWL_ECERTIFICATE, ERR_reason_error_string(code));
}

/* ---- The BIO ---- */

static int bio_error(BIO *bio, ssize_t error, int retry)
{
    struct tls *const tls = BIO_get_data(bio);
    if (error == PAWL_EPENDING) {
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    } else {
        tls->said = (int)error;
        errno = error > -4096 ? (int)-error : EPIPE;
    }
    return -1;
}

static int bio_read(BIO *bio, char *data, int size)
{
    struct tls *const tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    const ssize_t got = pawl_socket_try_recv(&tls->stream->sock, data, (size_t)size);
    if (got < 0) return bio_error(bio, got, BIO_FLAGS_READ);
    if (got == 0) tls->ended = true;
    return (int)got;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct tls *const tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    const ssize_t put = pawl_socket_try_send(&tls->stream->sock, data, (size_t)size);
    return put < 0 ? bio_error(bio, put, BIO_FLAGS_WRITE) : (int)put;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    const struct tls *const tls = BIO_get_data(bio);
    (void)number, (void)pointer;
    if (command == BIO_CTRL_FLUSH) return 1;
    return command == BIO_CTRL_EOF ? tls != NULL && tls->ended : 0;
}

/* ---- What there is once in a process ---- */

static struct {
    pthread_mutex_t lock;
    BIO_METHOD *method;
    int type; /* of the BIO */
    int alpn; /* where a server's context has its protocols */
} common = { .lock = PTHREAD_MUTEX_INITIALIZER, .alpn = -1 };

static void free_alpn(void *context, void *alpn, CRYPTO_EX_DATA *data, int index, long number, void *argument)
{
    (void)context, (void)data, (void)index, (void)number, (void)argument;
    OPENSSL_free(alpn);
}

static BIO_METHOD *make_method(int type)
{
    BIO_METHOD *const method = BIO_meth_new(type, "pawl");
    if (method == NULL) return NULL;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

/* Makes it, or what was missing for want of memory the last time. */
static int prepare(void)
{
    pthread_mutex_lock(&common.lock);
    if (common.type <= 0) common.type = BIO_get_new_index();
    if (common.type > 0 && !(common.type & BIO_TYPE_SOURCE_SINK)) common.type |= BIO_TYPE_SOURCE_SINK;
    if (common.type > 0 && common.method == NULL) common.method = make_method(common.type);
    if (common.alpn < 0) common.alpn = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_alpn);
    const bool made = common.method != NULL && common.alpn >= 0;
    pthread_mutex_unlock(&common.lock);
    return made ? 0 : PAWL_ENOMEM;
}

/* The state of an SSL that is a stream's. */
static struct tls *tls_of(const SSL *ssl)
{
    BIO *const bio = SSL_get_rbio(ssl);
    return bio != NULL && BIO_method_type(bio) == common.type ? BIO_get_data(bio) : NULL;
}

/* ---- Contexts: protocols ---- */

struct alpn {
    unsigned size;
    unsigned char list[]; /* each with its length before it */
};

static bool encode_alpn(unsigned char *list, const char *text)
{
    unsigned char *length = list++;
    for (*length = 0;; text++) {
        if (*text != ',' && *text != '\0') {
            if (*length == UINT8_MAX) return false;
            *list++ = (unsigned char)*text;
            ++*length;
            continue;
        }
        if (*length == 0) return false;
        if (*text == '\0') return true;
        length = list++;
        *length = 0;
    }
}

static int make_alpn(struct alpn **alpn, const char *text)
{
    const size_t size = strlen(text) + 1;
    if (size > UINT16_MAX) return PAWL_EINVAL;
    *alpn = OPENSSL_malloc(sizeof **alpn + size);
    if (*alpn == NULL) return PAWL_ENOMEM;
    (*alpn)->size = (unsigned)size;
    if (encode_alpn((*alpn)->list, text)) return 0;
    OPENSSL_free(*alpn);
    return PAWL_EINVAL;
}

static int choose_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *length, const unsigned char *theirs, unsigned size,
                       void *argument)
{
    const struct alpn *const ours = argument;
    (void)ssl;
    const int how = SSL_select_next_proto((unsigned char **)(uintptr_t)chosen, length, ours->list, ours->size, theirs, size);
    return how == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A server is asked for each connection, and so its list stays with the context. */
static int keep_alpn(SSL_CTX *context, struct alpn *alpn)
{
    if (!SSL_CTX_set_ex_data(context, common.alpn, alpn)) {
        OPENSSL_free(alpn);
        return PAWL_ENOMEM;
    }
    SSL_CTX_set_alpn_select_cb(context, choose_alpn, alpn);
    return 0;
}

static int use_alpn(SSL_CTX *context, const struct pawl_tls_options *options)
{
    struct alpn *alpn;
    if (options->alpn == NULL) return 0;
    int error = make_alpn(&alpn, options->alpn);
    if (error != 0) return error;
    if (options->server) return keep_alpn(context, alpn);
    error = SSL_CTX_set_alpn_protos(context, alpn->list, alpn->size) == 0 ? 0 : PAWL_ENOMEM;
    OPENSSL_free(alpn);
    return error;
}

/* ---- Contexts: certificates ---- */

/* Without one of these OpenSSL would ask at the terminal. */
static int tell_password(char *buffer, int size, int writing, void *password)
{
    (void)writing;
    const size_t length = password != NULL ? strlen(password) : 0;
    if (password == NULL || length > (size_t)size) return -1;
    memcpy(buffer, password, length);
    return (int)length;
}

static int use_own(SSL_CTX *context, const struct pawl_tls_options *options)
{
    const char *const key = options->key_file != NULL ? options->key_file : options->certificate_file;
    SSL_CTX_set_default_passwd_cb(context, tell_password);
    if (options->certificate_file == NULL) return 0;
    SSL_CTX_set_default_passwd_cb_userdata(context, (void *)(uintptr_t)options->key_password);
    const bool loaded = SSL_CTX_use_certificate_chain_file(context, options->certificate_file) == 1 &&
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(context) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    return loaded ? 0 : error_of_file();
}

/* Tells clients whose certificates they may show. */
static int name_trusted(SSL_CTX *context, const char *file)
{
    STACK_OF(X509_NAME) *const names = SSL_load_client_CA_file(file);
    if (names == NULL) return error_of_file();
    SSL_CTX_set_client_CA_list(context, names);
    return 0;
}

static int use_trusted(SSL_CTX *context, const struct pawl_tls_options *options)
{
    const bool ask = options->server ? options->ask_client : !options->insecure;
    SSL_CTX_set_verify(context, ask ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, NULL);
    if (options->ca_file != NULL) {
        if (SSL_CTX_load_verify_file(context, options->ca_file) != 1) return error_of_file();
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    } else if (!options->server && SSL_CTX_set_default_verify_paths(context) != 1) {
        return error_of_file();
    }
    return ask && options->server ? name_trusted(context, options->ca_file) : 0;
}

/* ---- Contexts: sessions ---- */

void pawl_tls_session_free(struct pawl_tls_session *session)
{
    if (session == NULL) return;
    SSL_SESSION_free(session->session);
    SSL_CTX_free(session->context);
    *session = (struct pawl_tls_session){ NULL, NULL };
}

/* A server has given this one: 1 when it is kept. */
static int session_came(SSL *ssl, SSL_SESSION *session)
{
    struct tls *const tls = tls_of(ssl);
    SSL_CTX *const context = SSL_get_SSL_CTX(ssl);
    if (tls == NULL || tls->kept == NULL || !SSL_CTX_up_ref(context)) return 0;
    pawl_tls_session_free(tls->kept);
    *tls->kept = (struct pawl_tls_session){ session, context };
    return 1;
}

static bool insecure(const SSL *ssl)
{
    return !(SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER);
}

/* Who comes back is not shown a certificate: was the one of the first time for this name? */
static bool session_is_of(const SSL_SESSION *session, const char *name)
{
    X509 *const peer = SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session);
    if (name == NULL) return true;
    return peer != NULL && (X509_check_host(peer, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1 ||
                            X509_check_ip_asc(peer, name, 0) == 1);
}

static int offer_session(SSL *ssl, const struct pawl_tls_session *kept, const char *name)
{
    if (kept == NULL || kept->session == NULL || kept->context != SSL_get_SSL_CTX(ssl)) return 0;
    if (!SSL_SESSION_is_resumable(kept->session)) return 0;
    if (!insecure(ssl) && !session_is_of(kept->session, name)) return 0;
    return SSL_set_session(ssl, kept->session) == 1 ? 0 : PAWL_ENOMEM;
}

/* ---- Contexts ---- */

static bool options_fit(const struct pawl_tls_options *options)
{
    if (options->server && options->certificate_file == NULL) return false;
    if (options->key_file != NULL && options->certificate_file == NULL) return false;
    return !options->ask_client || (options->server && options->ca_file != NULL);
}

static int use_versions(SSL_CTX *context, bool server)
{
    static const unsigned char id[] = "pawl";
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | (server ? SSL_OP_CIPHER_SERVER_PREFERENCE : 0));
    if (server) {
        if (SSL_CTX_set_session_id_context(context, id, sizeof id - 1) != 1) return PAWL_ENOMEM;
    } else {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, session_came);
    }
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 ? 0 : PAWL_ENOMEM;
}

static int set_up(SSL_CTX *context, const struct pawl_tls_options *options)
{
    int error = use_versions(context, options->server);
    if (error == 0) error = use_own(context, options);
    if (error == 0) error = use_trusted(context, options);
    if (error == 0) error = use_alpn(context, options);
    return error;
}

int pawl_tls_context_create(SSL_CTX **context, const struct pawl_tls_options *options)
{
    static const struct pawl_tls_options none;
    if (context == NULL) return PAWL_EINVAL;
    *context = NULL;
    if (options == NULL) options = &none;
    if (!options_fit(options)) return PAWL_EINVAL;
    int error = prepare();
    if (error != 0) return error;
    SSL_CTX *const made = SSL_CTX_new(options->server ? TLS_server_method() : TLS_client_method());
    if (made == NULL) return PAWL_ENOMEM;
    ERR_clear_error();
    error = set_up(made, options);
    if (error == 0) *context = made;
    else SSL_CTX_free(made);
    ERR_clear_error();
    return error;
}

void pawl_tls_context_free(SSL_CTX *context)
{
    SSL_CTX_free(context);
}

/* ---- The transport ---- */

static void call_begins(struct tls *tls)
{
    ERR_clear_error();
    tls->said = 0;
}

/* What it means that a call of SSL did not succeed: PAWL_EPENDING, and for what in *wants; 0, the peer has said goodbye; or
 * the error that ends it all. */
static int call_failed(struct tls *tls, int result, uint8_t *wants)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ: *wants = PAWL_READABLE; return PAWL_EPENDING;
    case SSL_ERROR_WANT_WRITE: *wants = PAWL_WRITABLE; return PAWL_EPENDING;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL: return tls->failed = tls->said != 0 ? tls->said : PAWL_EEOF;
    default: return tls->failed = error_of_protocol(tls->ssl);
    }
}

static ssize_t tls_read(struct pawl_stream *stream, void *data, size_t size)
{
    struct tls *const tls = stream->session;
    size_t got;
    if (tls->failed != 0) return tls->failed;
    call_begins(tls);
    const int result = SSL_read_ex(tls->ssl, data, size, &got);
    return result == 1 ? (ssize_t)got : call_failed(tls, result, &stream->wants[READING]);
}

/* Bytes of the parts from `at` on, in one piece, and NULL behind the last one: as much as a record takes, or all there are. So a
 * write that has to be repeated never offers less than the first time, which SSL would not forgive. */
static const void *piece_at(const struct iovec *parts, size_t count, size_t at, char *room, size_t *size)
{
    for (; count > 0 && at >= parts->iov_len; parts++, count--) at -= parts->iov_len;
    if (count == 0) return NULL;
    *size = parts->iov_len - at;
    if (count == 1 || *size >= RECORD) return (const char *)parts->iov_base + at;
    for (*size = 0; count > 0 && *size < RECORD; parts++, count--, at = 0) {
        const size_t rest = parts->iov_len - at, free = RECORD - *size, some = rest < free ? rest : free;
        if (some > 0) memcpy(room + *size, (const char *)parts->iov_base + at, some);
        *size += some;
    }
    return room;
}

static int write_failed(struct pawl_stream *stream, int result)
{
    struct tls *const tls = stream->session;
    const int error = call_failed(tls, result, &stream->wants[WRITING]);
    if (error == PAWL_EPENDING) return error;
    if (error == 0 || error == PAWL_EEOF) tls->failed = tls->said != 0 ? tls->said : -EPIPE;
    pawl_socket_shutdown(&stream->sock, SHUT_RD); /* wakes who waits to read: there is nothing more to come */
    return tls->failed;
}

static ssize_t tls_write(struct pawl_stream *stream, const struct iovec *parts, size_t count)
{
    struct tls *const tls = stream->session;
    char room[RECORD];
    const void *data;
    size_t written = 0, size, some;
    if (tls->failed != 0) return tls->failed == PAWL_EEOF ? -EPIPE : tls->failed;
    while ((data = piece_at(parts, count, written, room, &size)) != NULL) {
        call_begins(tls);
        const int result = SSL_write_ex(tls->ssl, data, size, &some);
        if (result != 1) {
            const int error = write_failed(stream, result);
            return written > 0 ? (ssize_t)written : error;
        }
        written += some;
    }
    return (ssize_t)written;
}

/* Takes what has arrived, at most so much: session tickets that nobody has read yet; and a socket that is closed with something
 * unread resets the connection, and the peer may not see all that was sent. */
static void swallow(struct tls *tls)
{
    char bytes[4096];
    size_t got;
    for (int i = 0; i < 16; i++) {
        call_begins(tls);
        if (SSL_read_ex(tls->ssl, bytes, sizeof bytes, &got) != 1) break;
    }
    ERR_clear_error();
}

/* A goodbye that cannot be said is no error: the peer has gone first, and all that was written has been sent. */
static int tls_end(struct pawl_stream *stream, bool closing)
{
    struct tls *const tls = stream->session;
    if (tls->failed != 0 || !SSL_is_init_finished(tls->ssl)) return 0;
    call_begins(tls);
    const int result = SSL_shutdown(tls->ssl);
    if (result < 0 && call_failed(tls, result, &stream->wants[WRITING]) == PAWL_EPENDING) return PAWL_EPENDING;
    if (result >= 0 && closing) swallow(tls);
    return 0;
}

static void tls_free(struct tls *tls)
{
    /* Unless TLS itself has failed, a session is good for the next time even though nobody said goodbye. */
    if (tls->ssl != NULL && tls->failed != PAWL_ETLS) SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN);
    SSL_free(tls->ssl);
    OPENSSL_free(tls);
}

static void tls_release(struct pawl_stream *stream)
{
    tls_free(stream->session);
    stream->session = NULL;
}

static const struct pawl_transport transport_tls = {
    .name = "tls", .read = tls_read, .write = tls_write, .end = tls_end, .release = tls_release
};

/* ---- The handshake ---- */

/* SNI and the name to verify. An address is no name, and is not sent. */
static int use_name(SSL *ssl, const char *name)
{
    if (name == NULL || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1) return 0;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set1_host(ssl, name) != 1) return PAWL_ENOMEM;
    return SSL_set_tlsext_host_name(ssl, name) == 1 ? 0 : PAWL_ENOMEM;
}

static int make_ssl(struct tls *tls, SSL_CTX *context)
{
    BIO *const bio = BIO_new(common.method);
    if (bio == NULL) return PAWL_ENOMEM;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    tls->ssl = SSL_new(context);
    if (tls->ssl == NULL) {
        BIO_free(bio);
        return PAWL_ENOMEM;
    }
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_mode(tls->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_set_read_ahead(tls->ssl, 1);
    return 0;
}

static int set_role(SSL *ssl, const struct pawl_tls_handshake *handshake)
{
    if (handshake->server) {
        SSL_set_accept_state(ssl);
        return 0;
    }
    SSL_set_connect_state(ssl);
    const int error = use_name(ssl, handshake->name);
    return error != 0 ? error : offer_session(ssl, handshake->session, handshake->name);
}

/* Gives the stream its transport. */
static int begin(struct pawl_tls_handshake *handshake)
{
    struct pawl_stream *const stream = handshake->stream;
    if (!pawl_stream_is_open(stream)) return PAWL_ECLOSED;
    /* while what was written before went out, somebody else may have begun */
    if (stream->transport != &pawl_transport_socket || pawl_stream_buffered(stream) > 0) return PAWL_EBUSY;
    int error = prepare();
    if (error != 0) return error;
    struct tls *const tls = OPENSSL_zalloc(sizeof *tls);
    if (tls == NULL) return PAWL_ENOMEM;
    tls->stream = stream;
    tls->kept = handshake->session;
    error = make_ssl(tls, handshake->context);
    if (error == 0) error = set_role(tls->ssl, handshake);
    if (error != 0) {
        tls_free(tls);
        return error;
    }
    stream->session = tls;
    stream->transport = &transport_tls;
    return 0;
}

/* As far as it goes: 0, PAWL_EPENDING and for what, or an error. Somebody else may have closed the stream. */
static int go_on(struct pawl_tls_handshake *handshake)
{
    struct tls *const tls = handshake->stream->session;
    if (handshake->stream->transport != &transport_tls) return PAWL_ECLOSED;
    if (tls->failed != 0) return tls->failed;
    call_begins(tls);
    const int result = SSL_do_handshake(tls->ssl);
    if (result == 1) return 0;
    const int error = call_failed(tls, result, &handshake->wants);
    if (error == PAWL_ETLS || error == PAWL_ECERTIFICATE) { /* so that the peer sees the alert, and not a reset */
        char bytes[4096];
        for (int i = 0; i < 16 && pawl_socket_try_recv(&handshake->stream->sock, bytes, sizeof bytes) > 0; i++) {}
    }
    return error != 0 ? error : PAWL_EEOF;
}

static int refusal(const struct pawl_tls_handshake *handshake)
{
    const struct pawl_stream *const stream = handshake->stream;
    const char *const name = handshake->name;
    if (stream == NULL || handshake->context == NULL) return PAWL_EINVAL;
    /* OpenSSL takes "" for no name at all and ".org" for every one below it. */
    if (name != NULL && (*name == '\0' || *name == '.' || strlen(name) > TLSEXT_MAXLEN_host_name)) return PAWL_EINVAL;
    if (!pawl_stream_is_open(stream)) return PAWL_ECLOSED;
    if (stream->transport != &pawl_transport_socket) return PAWL_EINVAL;
    return pawl_stream_buffered(stream) > 0 ? PAWL_EBUSY : 0;
}

ASYNC_PUBLIC(pawl_tls_handshake)
{
    ASYNC_BEGIN(pawl_tls_handshake);
    self->outcome = refusal(self);
    if (self->outcome != 0) RAISE(self->outcome);
    TRY {
        AWAIT(self->flush, pawl_stream_flush(self->stream));
        self->outcome = begin(self);
        if (self->outcome == 0) self->outcome = go_on(self);
        while (self->outcome == PAWL_EPENDING) {
            AWAIT(pawl_socket_ready(&self->stream->sock, (enum pawl_direction)self->wants));
            self->outcome = go_on(self);
        }
        if (self->outcome != 0) RAISE(self->outcome);
    } CATCH_ALL {
        if (self->outcome != PAWL_EBUSY) pawl_stream_abort(self->stream);
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

/* ---- Asking ---- */

SSL *pawl_tls_of(const struct pawl_stream *stream)
{
    if (stream == NULL || stream->transport != &transport_tls) return NULL;
    return ((const struct tls *)stream->session)->ssl;
}

size_t pawl_tls_alpn(const struct pawl_stream *stream, char *text, size_t size)
{
    const SSL *const ssl = pawl_tls_of(stream);
    const unsigned char *name = NULL;
    unsigned length = 0;
    if (ssl != NULL) SSL_get0_alpn_selected(ssl, &name, &length);
    if (text != NULL && size > 0) snprintf(text, size, "%.*s", (int)length, length > 0 ? (const char *)name : "");
    return length;
}

bool pawl_tls_resumed(const struct pawl_stream *stream)
{
    const SSL *const ssl = pawl_tls_of(stream);
    return ssl != NULL && SSL_session_reused(ssl) == 1;
}
