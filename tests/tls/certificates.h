/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Certificates for the tests, made when they run. Each lies, with its key, in a file that has a name only below /proc: nothing is
 * left behind.
 *
 *      authority ──┬──► server        localhost, *.example.org, 127.0.0.1, ::1
 *                  ├──► other         other.example.org
 *                  ├──► expired       localhost, until yesterday
 *                  ├──► unborn        localhost, from tomorrow on
 *                  ├──► client        for clients only
 *                  └──► middle ──► deep      localhost; its file has the chain
 *      stranger  ──┬──► forged        localhost
 *                  └──► intruder      for clients only
 *      alone                          localhost, signed by itself
 */
#ifndef PAWL_TESTS_CERTIFICATES_H
#define PAWL_TESTS_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>

struct identity {
    char file[40];   /* certificate, chain and key */
    char secret[40]; /* the key alone, encrypted; the password is "open sesame" */
    void *certificate, *key;
};

struct certificates {
    struct identity authority, server, other, expired, unborn, client, middle, deep, stranger, forged, intruder, alone;
    char nothing[40]; /* a file without a certificate */
};

/* Makes all of them, in memory that stays until the process ends. */
const struct certificates *make_certificates(void);

/* A file with these contents: its name. */
void write_unnamed(char *name, size_t room, const char *contents, size_t size);

#endif
