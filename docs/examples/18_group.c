/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A task group: when its block is left, all its children have ended. The first that fails cancels the others, and its error
 * is raised when all are gone. Who wants to know of each failure gives the group an array for them. Children may lie in
 * one's own memory, where their results can be read afterwards.
 */
#include <errno.h>
#include <stdio.h>

#include <pawl/pawl.h>

struct fetch {
    COROUTINE(int);
    int page, broken; /* broken: the page that cannot be had */
};

ASYNC(fetch)
{
    ASYNC_BEGIN(fetch);
    TRY {
        YIELD_NOW(); /* here a real one would wait for the network */
        if (self->page == self->broken) RAISE(-ECONNREFUSED);
        YIELD_NOW();
        printf("  page %d\n", self->page);
        ASYNC_RETURN(self->page * 100);
    } CATCH(PAWL_ECANCELLED) {
        printf("  page %d is given up\n", self->page);
        if (self->page == 4) RAISE(-EIO); /* this one goes wrong on its way out */
        RERAISE();
    } END_TRY;
    ASYNC_END;
}

struct all_is_well {
    COROUTINE(int);
    TASK(fetch) fetches[3];
    struct pawl_member members[3];
    struct pawl_group group;
};

ASYNC(all_is_well)
{
    ASYNC_BEGIN(all_is_well);
    WITH(self->group, pawl_group()) {
        for (int i = 0; i < 3; i++) {
            struct pawl_task *const task = pawl_start(&self->fetches[i], CORO(fetch, .page = i + 1));
            const int error = pawl_group_add(&self->group, &self->members[i], task);
            if (error != 0) RAISE(error);
        }
    } END_WITH;
    ASYNC_RETURN(self->fetches[0].frame.result + self->fetches[1].frame.result + self->fetches[2].frame.result);
    ASYNC_END;
}

struct one_fails {
    COROUTINE(void);
    struct pawl_group group;
    struct pawl_failure failures[4];
};

ASYNC(one_fails)
{
    ASYNC_BEGIN(one_fails);
    WITH(self->group, pawl_group_keeping(self->failures, 4)) {
        for (int page = 1; page <= 4; page++)
            if (pawl_group_spawn(&self->group, CORO(fetch, .page = page, .broken = 2)) == NULL) RAISE(PAWL_ENOMEM);
    } END_WITH;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct all_is_well all_is_well;
    struct one_fails one_fails;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    puts("all is well:");
    AWAIT(self->all_is_well, CORO(all_is_well));
    printf("  in all %d\n", self->all_is_well.result);

    puts("one fails:");
    TRY {
        AWAIT(self->one_fails, CORO(one_fails));
    } CATCH_ERROR {
        const struct pawl_group *const group = &self->one_fails.group;
        printf("  raised: %s\n", pawl_strerror(CAUGHT()));
        for (size_t i = 0; i < group->failed; i++)
            printf("  %s: %s\n", group->failures[i].name, pawl_strerror(group->failures[i].error));
    } END_TRY;
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
