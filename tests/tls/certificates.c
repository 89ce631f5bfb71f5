/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
#define _GNU_SOURCE
#include "certificates.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60 };

/* What a certificate says. */
struct says {
    const char *name, *names; /* subject; alternative names */
    const char *purpose;      /* NULL: an authority */
    long from, until;         /* seconds from now */
    bool chained;             /* the file has the issuer's certificate too */
};

/* This runs before the tests do, when Check cannot be told of anything. */
static void yes(int result)
{
    if (result == 1) return;
    fputs("certificates cannot be made\n", stderr);
    abort();
}

void write_unnamed(char *name, size_t room, const char *contents, size_t size)
{
    const int fd = memfd_create("certificate", MFD_CLOEXEC);
    yes(fd >= 0);
    yes(write(fd, contents, size) == (ssize_t)size);
    snprintf(name, room, "/proc/self/fd/%d", fd);
}

static void extend(X509 *certificate, X509 *issuer, int what, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *const extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
    yes(extension != NULL);
    yes(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static void describe(X509 *certificate, X509 *issuer, const struct says *says)
{
    static long serial;
    yes(X509_set_version(certificate, X509_VERSION_3));
    yes(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial));
    yes(X509_gmtime_adj(X509_getm_notBefore(certificate), says->from) != NULL);
    yes(X509_gmtime_adj(X509_getm_notAfter(certificate), says->until) != NULL);
    yes(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *)says->name, -1, -1,
                                   0));
    yes(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
    extend(certificate, issuer, NID_basic_constraints, says->purpose != NULL ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (says->purpose != NULL) extend(certificate, issuer, NID_ext_key_usage, says->purpose);
    if (says->names != NULL) extend(certificate, issuer, NID_subject_alt_name, says->names);
}

static void take_file(BIO *bio, char *name, size_t room)
{
    char *data;
    const long size = BIO_get_mem_data(bio, &data);
    write_unnamed(name, room, data, (size_t)size);
    BIO_free(bio);
}

static void write_identity(struct identity *identity, const struct identity *above)
{
    static const char password[] = "open sesame";
    BIO *const file = BIO_new(BIO_s_mem()), *const secret = BIO_new(BIO_s_mem());
    yes(PEM_write_bio_X509(file, identity->certificate));
    if (above != NULL) yes(PEM_write_bio_X509(file, above->certificate));
    yes(PEM_write_bio_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL));
    yes(PEM_write_bio_PrivateKey(secret, identity->key, EVP_aes_128_cbc(), (const unsigned char *)password, sizeof password - 1, NULL,
                                 NULL));
    take_file(file, identity->file, sizeof identity->file);
    take_file(secret, identity->secret, sizeof identity->secret);
}

/* `issuer` NULL: signed by itself. */
static void make(struct identity *identity, const struct identity *issuer, struct says says)
{
    identity->key = EVP_EC_gen("P-256");
    identity->certificate = X509_new();
    yes(identity->key != NULL);
    yes(identity->certificate != NULL);
    if (issuer == NULL) issuer = identity;
    if (says.until == 0) says.until = DAY;
    yes(X509_set_pubkey(identity->certificate, identity->key));
    describe(identity->certificate, issuer->certificate, &says);
    yes(X509_sign(identity->certificate, issuer->key, EVP_sha256()) > 0);
    write_identity(identity, says.chained ? issuer : NULL);
}

static void make_all(struct certificates *all)
{
    static const char here[] = "DNS:localhost", server[] = "serverAuth", client[] = "clientAuth";
    make(&all->authority, NULL, (struct says){ .name = "authority" });
    make(&all->stranger, NULL, (struct says){ .name = "stranger" });
    make(&all->middle, &all->authority, (struct says){ .name = "middle" });
    make(&all->server, &all->authority,
         (struct says){ "server", "DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1", server, 0, DAY, false });
    make(&all->other, &all->authority, (struct says){ "other", "DNS:other.example.org", server, 0, DAY, false });
    make(&all->expired, &all->authority, (struct says){ "expired", here, server, -3 * DAY, -DAY, false });
    make(&all->unborn, &all->authority, (struct says){ "unborn", here, server, DAY, 3 * DAY, false });
    make(&all->client, &all->authority, (struct says){ "client", here, client, 0, DAY, false });
    make(&all->deep, &all->middle, (struct says){ "deep", here, server, 0, DAY, true });
    make(&all->forged, &all->stranger, (struct says){ "forged", here, server, 0, DAY, false });
    make(&all->intruder, &all->stranger, (struct says){ "intruder", here, client, 0, DAY, false });
    make(&all->alone, NULL, (struct says){ "alone", here, server, 0, DAY, false });
}

const struct certificates *make_certificates(void)
{
    static struct certificates all;
    if (all.authority.key != NULL) return &all;
    make_all(&all);
    write_unnamed(all.nothing, sizeof all.nothing, "nothing\n", 8);
    return &all;
}
