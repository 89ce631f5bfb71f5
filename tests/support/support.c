/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
#define _GNU_SOURCE
#include "support.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool under_valgrind(void)
{
    const char *const preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "valgrind") != NULL;
}

/* ---- Leaked descriptors ---- */

static unsigned open_before[32]; /* a bit each */

static void look_at_descriptors(unsigned *bits)
{
    DIR *const folder = opendir("/proc/self/fd");
    memset(bits, 0, sizeof open_before);
    if (folder == NULL) return;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(folder) || fd < 0 || fd >= 1024) continue;
        bits[fd / 32] |= 1u << (fd % 32);
    }
    closedir(folder);
}

static void remember_descriptors(void)
{
    look_at_descriptors(open_before);
}

static void check_descriptors(void)
{
    unsigned now[32];
    look_at_descriptors(now);
    for (int fd = 0; fd < 1024; fd++)
        if (now[fd / 32] & ~open_before[fd / 32] & (1u << (fd % 32))) ck_abort_msg("file descriptor %d leaked", fd);
}

TCase *add_case(Suite *suite, const char *name)
{
    TCase *const tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, remember_descriptors, check_descriptors);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    SRunner *const runner = srunner_create(make_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- Memory ---- */

static void *count_allocate(void *context, size_t size)
{
    struct counting *const counting = context;
    if (++counting->calls == counting->fail_at) return NULL;
    counting->alive++;
    return malloc(size);
}

static void count_release(void *context, void *memory)
{
    struct counting *const counting = context;
    counting->alive--;
    free(memory);
}

void counting_init(struct counting *counting)
{
    *counting = (struct counting){ .allocator = { .allocate = count_allocate, .release = count_release, .context = counting } };
}

/* ---- A loop with virtual time ---- */

static void keep_report(struct pawl_loop *loop, const struct pawl_failure *failure)
{
    struct world *const world = (struct world *)(void *)((char *)loop - offsetof(struct world, loop));
    world->reports++;
    world->last_error = failure->error;
    snprintf(world->last_name, sizeof world->last_name, "%s", failure->name);
}

void world_begin(struct world *world)
{
    memset(world, 0, sizeof *world);
    counting_init(&world->memory);
    pawl_virtual_init(&world->clock);
    ck_assert_int_eq(pawl_loop_init(&world->loop, &world->clock.base, &world->memory.allocator), 0);
    pawl_loop_set_report(&world->loop, keep_report);
    pawl_loop_use(&world->loop);
}

void world_end(struct world *world)
{
    pawl_loop_use(NULL);
    pawl_loop_finish(&world->loop);
    ck_assert_uint_eq(world->memory.alive, 0);
}

int world_run_(struct world *world, const void *frame, size_t size)
{
    struct pawl_task *const task = pawl_spawn_(frame, size, false);
    ck_assert_ptr_nonnull(task);
    const int error = pawl_loop_run_until_complete(&world->loop, task);
    pawl_task_release(task);
    return error;
}

/* ---- Traces ---- */

void trace(struct trace *trace, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int written = vsnprintf(trace->text + trace->length, sizeof trace->text - trace->length, format, arguments);
    va_end(arguments);
    ck_assert_int_ge(written, 0);
    trace->length += (size_t)written;
    ck_assert_uint_lt(trace->length, sizeof trace->text);
}
