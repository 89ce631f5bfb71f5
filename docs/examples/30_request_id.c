/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Which request does a line of the log belong to? A task has a context, and the tasks that it makes inherit it: so whatever
 * is logged below a request carries its number, without anybody handing it down.
 */
#include <stdarg.h>
#include <stdio.h>

#include <pawl/pawl.h>

struct request {
    struct pawl_context context; /* first */
    int id;
};

static void log_line(const char *format, ...)
{
    const struct pawl_context *const context = pawl_task_context(pawl_task_current());
    va_list arguments;
    if (context != NULL) printf("[request %d] ", ((const struct request *)(const void *)context)->id);
    else printf("[no request] ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

struct query {
    COROUTINE(void);
    const char *table;
};

ASYNC(query)
{
    ASYNC_BEGIN(query);
    log_line("asks for %s", self->table);
    YIELD_NOW();
    log_line("has %s", self->table);
    ASYNC_END;
}

struct handle_request {
    COROUTINE(void);
    struct request request;
    struct pawl_group group;
};

ASYNC(handle_request)
{
    ASYNC_BEGIN(handle_request);
    pawl_task_set_context(pawl_task_current(), &self->request.context);
    log_line("begins");
    WITH(self->group, pawl_group()) { /* so that the context, in this frame, outlives the tasks that have it */
        if (pawl_group_spawn(&self->group, CORO(query, .table = "users")) == NULL) RAISE(PAWL_ENOMEM);
        if (pawl_group_spawn(&self->group, CORO(query, .table = "orders")) == NULL) RAISE(PAWL_ENOMEM);
    } END_WITH;
    log_line("ends");
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct pawl_group group;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    log_line("the server is up");
    WITH(self->group, pawl_group()) {
        for (int id = 1; id <= 2; id++)
            if (pawl_group_spawn(&self->group, CORO(handle_request, .request = { .id = id })) == NULL) RAISE(PAWL_ENOMEM);
    } END_WITH;
    log_line("the server is down");
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
