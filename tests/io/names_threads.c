/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Names by a getaddrinfo(3) of the test's own, which the library calls in its threads. What is numeric goes to the real one. */
#define _GNU_SOURCE
#include "names_threads.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct names_log kept;
static int go, fail_result, fail_system;

enum { OURS = 0x4000 }; /* ai_flags of what was made here */

/* The function of that name which would have been called; looked up each time, since several threads do. */
#define REAL(name) __extension__({ \
    __typeof__(name) *real_; \
    *(void **)&real_ = dlsym(RTLD_NEXT, #name); \
    real_; \
})

static struct addrinfo *address_make(const char *text, const struct addrinfo *hints, in_port_t port)
{
    struct both {
        struct addrinfo info;
        struct sockaddr_in6 v6;
    } *const both = calloc(1, sizeof *both);
    const bool v6 = strchr(text, ':') != NULL;
    struct sockaddr_in *const v4 = (struct sockaddr_in *)(void *)&both->v6;
    both->info = (struct addrinfo){ .ai_flags = OURS, .ai_family = v6 ? AF_INET6 : AF_INET, .ai_socktype = hints->ai_socktype };
    both->info.ai_addr = (struct sockaddr *)(void *)&both->v6;
    both->info.ai_addrlen = v6 ? sizeof both->v6 : sizeof *v4;
    both->v6.sin6_family = (sa_family_t)both->info.ai_family;
    both->v6.sin6_port = port; /* at the same place in both */
    inet_pton(both->info.ai_family, text, v6 ? (void *)&both->v6.sin6_addr : (void *)&v4->sin_addr);
    return &both->info;
}

static int make_addresses(const struct name *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    const in_port_t port = htons(service != NULL ? (in_port_t)atoi(service) : 0);
    *found = NULL;
    for (int i = 0; name->addresses[i] != NULL; i++) {
        struct addrinfo *const made = address_make(name->addresses[i], hints, port);
        if (hints->ai_family != AF_UNSPEC && hints->ai_family != made->ai_family) {
            free(made);
            continue;
        }
        *found = made;
        found = &made->ai_next;
        kept.alive++;
    }
    return 0;
}

static void log_call(const char *host, const char *service, const struct addrinfo *hints)
{
    if (kept.asked < NAMES_LOG) strncpy(kept.hosts[kept.asked], host != NULL ? host : "-", sizeof kept.hosts[0] - 1);
    kept.asked++;
    kept.hints = *hints;
    strncpy(kept.service, service != NULL ? service : "-", sizeof kept.service - 1);
    pthread_sigmask(SIG_BLOCK, NULL, &kept.signals);
}

static void hold_back(void)
{
    kept.held++;
    if (kept.held > kept.most_held) kept.most_held = kept.held;
    pthread_cond_broadcast(&changed);
    while (go == 0) pthread_cond_wait(&changed, &mutex);
    go--;
    kept.held--;
    pthread_cond_broadcast(&changed);
}

static int answer(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    const struct name *const name = host != NULL ? name_find(host) : NULL;
    log_call(host, service, hints);
    if (host != NULL && strcmp(host, "fails.test") == 0) {
        errno = fail_system;
        return fail_result;
    }
    if (name == NULL) return EAI_NONAME;
    if (name->again) return EAI_AGAIN;
    if (strcmp(name->name, "slow") == 0) hold_back();
    return make_addresses(name, service, hints, found);
}

int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found)
{
    if (hints->ai_flags & AI_NUMERICHOST) return REAL(getaddrinfo)(host, service, hints, found);
    pthread_mutex_lock(&mutex);
    const int result = answer(host, service, hints, found), error = errno;
    pthread_mutex_unlock(&mutex);
    errno = error;
    return result;
}

void freeaddrinfo(struct addrinfo *found)
{
    if (found != NULL && found->ai_flags != OURS) {
        REAL(freeaddrinfo)(found);
        return;
    }
    pthread_mutex_lock(&mutex);
    for (struct addrinfo *next; found != NULL; found = next) {
        next = found->ai_next;
        free(found);
        kept.alive--;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* ---- For the tests ---- */

struct names_log names_log(void)
{
    pthread_mutex_lock(&mutex);
    const struct names_log copy = kept;
    pthread_mutex_unlock(&mutex);
    return copy;
}

void names_fail_with(int result, int system)
{
    pthread_mutex_lock(&mutex);
    fail_result = result;
    fail_system = system;
    pthread_mutex_unlock(&mutex);
}

/* In a child of fork nobody waits any more. Otherwise a lookup that was given up may still be on its way through here. */
void names_begin(void)
{
    static pid_t process;
    if (process == getpid()) return;
    process = getpid();
    mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    memset(&kept, 0, sizeof kept);
    go = fail_result = fail_system = 0;
}

int names_asked(void)
{
    return names_log().asked;
}

void names_wait_held(int count)
{
    pthread_mutex_lock(&mutex);
    while (kept.held < count) pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

void names_let_go(int count)
{
    pthread_mutex_lock(&mutex);
    go += count;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void names_end(void)
{
    pthread_mutex_lock(&mutex);
    while (kept.held > 0 || kept.alive > 0) pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}
