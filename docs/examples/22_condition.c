/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A lock and a condition: who wants more from the account than there is waits until it has changed enough. While it waits
 * the lock is open, and when it goes on it holds the lock again, also when it was cancelled.
 */
#include <stdio.h>

#include <pawl/pawl.h>

struct account {
    struct pawl_lock lock;
    struct pawl_condition changed;
    int balance;
};

struct withdraw {
    COROUTINE(void);
    struct account *account;
    int amount;
    struct pawl_lock_acquire hold;
    struct pawl_condition_wait wait;
};

static bool there_is_enough(void *argument)
{
    const struct withdraw *const self = argument;
    return self->account->balance >= self->amount;
}

ASYNC(withdraw)
{
    ASYNC_BEGIN(withdraw);
    WITH(self->hold, pawl_lock_acquire(&self->account->lock)) {
        printf("%d wanted\n", self->amount);
        AWAIT(self->wait, pawl_condition_wait_for(&self->account->changed, there_is_enough, self));
        self->account->balance -= self->amount;
        printf("%d withdrawn, %d left\n", self->amount, self->account->balance);
    } END_WITH;
    ASYNC_END;
}

struct deposit {
    COROUTINE(void);
    struct account *account;
    int amount;
    struct pawl_lock_acquire hold;
};

ASYNC(deposit)
{
    ASYNC_BEGIN(deposit);
    WITH(self->hold, pawl_lock_acquire(&self->account->lock)) {
        self->account->balance += self->amount;
        printf("%d paid in\n", self->amount);
        pawl_condition_notify_all(&self->account->changed);
    } END_WITH;
    ASYNC_END;
}

struct amain {
    COROUTINE(void);
    struct account account;
    TASK(withdraw) withdrawals[2];
    struct pawl_member members[2];
    struct pawl_group group;
    struct deposit deposit;
    struct pawl_sleep sleep;
    int i;
};

ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    self->account = (struct account){ .changed = PAWL_CONDITION_INIT(&self->account.lock) };
    WITH(self->group, pawl_group()) {
        for (int i = 0; i < 2; i++) {
            struct pawl_task *const task = pawl_start(&self->withdrawals[i], CORO(withdraw, .account = &self->account, .amount = 50 - 30 * i));
            const int error = pawl_group_add(&self->group, &self->members[i], task);
            if (error != 0) RAISE(error);
        }
        for (self->i = 0; self->i < 3; self->i++) {
            AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
            AWAIT(self->deposit, CORO(deposit, .account = &self->account, .amount = 25));
        }
    } END_WITH;
    printf("%d in the end\n", self->account.balance);
    ASYNC_END;
}

int main(void)
{
    return pawl_run(CORO(amain));
}
