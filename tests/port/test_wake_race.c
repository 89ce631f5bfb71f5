/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A wake that comes in the very moment in which the epoll port takes the one before: this executable defines read(2), and is linked with the
 * static library, so that the port's read of its eventfd comes here, where somebody wakes it once more, before or after the count is read.
 */
#define _GNU_SOURCE
#include <support.h>

#include <dlfcn.h>
#include <pawl/epoll.h>
#include <unistd.h>

static struct pawl_epoll port;
static bool before, after;

static void wake(void)
{
    port.base.ops->wake(&port.base);
}

ssize_t read(int fd, void *data, size_t size)
{
    static ssize_t (*real)(int, void *, size_t);
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "read");
    const bool ours = port.base.ops != NULL && fd == port.wake_fd;
    if (ours && before) wake();
    const ssize_t got = real(fd, data, size);
    if (ours && after) wake();
    return got;
}

static void wait_ends(void)
{
    alarm(20); /* a lost wake hangs */
    ck_assert_int_eq(port.base.ops->wait(&port.base, PAWL_WAIT_FOREVER, 0), 0);
    alarm(0);
}

START_TEST(a_wake_while_another_one_is_taken_does_not_swallow_those_after_it)
{
    ck_assert_int_eq(pawl_epoll_init(&port), 0);
    wake();
    before = _i & 1;
    after = _i & 2;
    wait_ends();
    before = after = false;
    wake();
    wait_ends();
    pawl_epoll_finish(&port);
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("wake race");
    tcase_add_loop_test(add_case(suite, "epoll"), a_wake_while_another_one_is_taken_does_not_swallow_those_after_it, 0, 4);
    return suite;
}
