/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* pawl_run: each case is a program of its own, in a child process, with what it prints and how it ends. */
#define _GNU_SOURCE
#include <support.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A program in a child ---- */

static struct {
    int status;
    char out[2048], err[2048];
} program;

static void read_all(int fd, char *text, size_t size)
{
    size_t length = 0;
    for (ssize_t got; length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0;) length += (size_t)got;
    text[length] = '\0';
    close(fd);
}

static void say(const char *text)
{
    ssize_t written = write(STDOUT_FILENO, text, strlen(text));
    (void)written;
}

/* Runs `body` as a program, and sends it `signals` times SIGINT: one for each line that it has written. */
static void run_program(int (*body)(void), int signals)
{
    int out[2], err[2];
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        alarm(20);
        signal(SIGINT, SIG_DFL); /* a shell's background jobs inherit it ignored */
        _exit(body());
    }
    close(out[1]);
    close(err[1]);
    size_t length = 0;
    memset(&program, 0, sizeof program);
    for (; signals > 0; signals--) {
        do ck_assert_int_eq(read(out[0], &program.out[length], 1), 1);
        while (program.out[length++] != '\n');
        ck_assert_int_eq(kill(child, SIGINT), 0);
    }
    read_all(out[0], program.out + length, sizeof program.out - length);
    read_all(err[0], program.err, sizeof program.err);
    ck_assert_int_eq(waitpid(child, &program.status, 0), child);
}

#define ck_assert_exits_with(code) do { \
    ck_assert_msg(WIFEXITED(program.status), "ended with %#x: %s", (unsigned)program.status, program.err); \
    ck_assert_int_eq(WEXITSTATUS(program.status), (code)); \
} while (0)

/* ---- Programs ---- */

struct answers {
    COROUTINE(int);
    int answer, error;
    struct pawl_sleep sleep;
};

ASYNC(answers)
{
    ASYNC_BEGIN(answers);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    if (self->error) RAISE(self->error);
    ASYNC_RETURN(self->answer);
    ASYNC_END;
}

struct no_answer {
    COROUTINE(void);
    struct pawl_sleep sleep;
};

ASYNC(no_answer)
{
    ASYNC_BEGIN(no_answer);
    AWAIT(self->sleep, pawl_yield());
    ASYNC_END;
}

struct long_answer {
    COROUTINE(long);
};

ASYNC(long_answer)
{
    ASYNC_BEGIN(long_answer);
    ASYNC_RETURN(7);
    ASYNC_END;
}

static int int_main(void) { return pawl_run(CORO(answers, .answer = 42)); }
static int void_main(void) { return pawl_run(CORO(no_answer)); }
static int long_main(void) { return pawl_run(CORO(long_answer)); }
static int failing_main(void) { return pawl_run(CORO(answers, .error = -ECONNREFUSED)); }
static int own_error_main(void) { return pawl_run(CORO(answers, .error = PAWL_EHOST)); }

static int twice_main(void)
{
    return pawl_run(CORO(answers, .answer = 5)) + pawl_run(CORO(answers, .answer = 6));
}

START_TEST(the_status_is_the_result_of_an_int_and_0_of_any_other)
{
    run_program(int_main, 0);
    ck_assert_exits_with(42);
    ck_assert_str_eq(program.err, "");
    run_program(void_main, 0);
    ck_assert_exits_with(0);
    run_program(long_main, 0);
    ck_assert_exits_with(0);
    run_program(twice_main, 0);
    ck_assert_exits_with(11);
    ck_assert_str_eq(program.err, "");
}
END_TEST

START_TEST(a_failure_is_told_on_stderr_and_the_status_is_1)
{
    run_program(failing_main, 0);
    ck_assert_exits_with(1);
    ck_assert_ptr_nonnull(strstr(program.err, "answers"));
    ck_assert_ptr_nonnull(strstr(program.err, "Connection refused"));
#if PAWL_RAISE_LOCATION
    ck_assert_ptr_nonnull(strstr(program.err, "test_run.c:"));
#endif
    ck_assert_int_eq(program.err[strlen(program.err) - 1], '\n');
    ck_assert_ptr_eq(strchr(program.err, '\n'), program.err + strlen(program.err) - 1); /* one line */
    run_program(own_error_main, 0);
    ck_assert_exits_with(1);
    ck_assert_ptr_nonnull(strstr(program.err, "unknown host, service or address"));
}
END_TEST

static int no_descriptors_main(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 98;
    limit.rlim_cur = 3;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 97;
    close(0);
    const int status = pawl_run(CORO(answers, .answer = 42));
    return open("/dev/null", O_RDONLY) == 0 ? status : 99; /* what it opened it has closed */
}

START_TEST(a_loop_that_cannot_be_made_is_told_and_the_status_is_1)
{
    run_program(no_descriptors_main, 0);
    ck_assert_exits_with(1);
    ck_assert_ptr_nonnull(strstr(program.err, "Too many open files"));
}
END_TEST

struct nested_main {
    COROUTINE(int);
};

ASYNC(nested_main)
{
    ASYNC_BEGIN(nested_main);
    ASYNC_RETURN(10 + pawl_run(CORO(answers, .answer = 42)));
    ASYNC_END;
}

static int nested(void) { return pawl_run(CORO(nested_main)); }

START_TEST(a_run_within_a_run_fails_and_the_outer_goes_on)
{
    run_program(nested, 0);
    ck_assert_exits_with(11);
    ck_assert_ptr_nonnull(strstr(program.err, "in use already"));
}
END_TEST

struct background {
    COROUTINE(void);
    int error;
    struct pawl_sleep sleep;
};

ASYNC(background)
{
    ASYNC_BEGIN(background);
    if (self->error) RAISE(self->error);
    TRY {
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
    } FINALLY {
        say("cleaned up\n");
    } END_TRY;
    ASYNC_END;
}

struct leaves_tasks {
    COROUTINE(int);
    struct pawl_sleep sleep;
};

ASYNC(leaves_tasks)
{
    ASYNC_BEGIN(leaves_tasks);
    pawl_task_release(pawl_spawn(CORO(background)));
    ck_assert_ptr_nonnull(pawl_spawn(CORO(background)));
    pawl_task_release(pawl_spawn(CORO(background, .error = -EPERM)));
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(2)));
    ASYNC_RETURN(3);
    ASYNC_END;
}

static int leaves_tasks_main(void) { return pawl_run(CORO(leaves_tasks)); }

START_TEST(tasks_that_are_left_are_cancelled_and_unseen_errors_told)
{
    run_program(leaves_tasks_main, 0);
    ck_assert_exits_with(3);
    ck_assert_str_eq(program.out, "cleaned up\ncleaned up\n");
    ck_assert_ptr_nonnull(strstr(program.err, "'background' failed and nobody looked: Operation not permitted"));
}
END_TEST

/* ---- Ctrl-C ---- */

enum kind { CLEAN, STUBBORN, SWALLOWS };

struct waits_for_interrupt {
    COROUTINE(int);
    enum kind kind;
    struct pawl_task *other;
    struct pawl_sleep sleep;
};

ASYNC(waits_for_interrupt)
{
    ASYNC_BEGIN(waits_for_interrupt);
    self->other = pawl_spawn(CORO(background));
    TRY {
        say("ready\n");
        AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
    } CATCH(PAWL_ECANCELLED) {
        say("interrupted\n");
        if (self->kind == STUBBORN) AWAIT(self->sleep, pawl_sleep(PAWL_SEC(3600)));
        if (self->kind != SWALLOWS) RERAISE();
    } FINALLY {
        pawl_task_release(self->other);
        say("finally\n");
    } END_TRY;
    ASYNC_RETURN(9);
    ASYNC_END;
}

static int clean_main(void) { return pawl_run(CORO(waits_for_interrupt)); }
static int stubborn_main(void) { return pawl_run(CORO(waits_for_interrupt, .kind = STUBBORN)); }
static int swallowing_main(void) { return pawl_run(CORO(waits_for_interrupt, .kind = SWALLOWS)); }

START_TEST(an_interrupt_runs_every_finally_and_the_status_is_130)
{
    run_program(clean_main, 1);
    ck_assert_exits_with(130);
    ck_assert_str_eq(program.out, "ready\ninterrupted\nfinally\ncleaned up\n");
    ck_assert_str_eq(program.err, "");
}
END_TEST

START_TEST(a_second_interrupt_kills)
{
    run_program(stubborn_main, 2);
    ck_assert(WIFSIGNALED(program.status));
    ck_assert_int_eq(WTERMSIG(program.status), SIGINT);
    ck_assert_str_eq(program.out, "ready\ninterrupted\n");
}
END_TEST

START_TEST(an_interrupt_that_is_swallowed_leaves_the_result)
{
    run_program(swallowing_main, 1);
    ck_assert_exits_with(9);
    ck_assert_str_eq(program.out, "ready\ninterrupted\nfinally\ncleaned up\n");
}
END_TEST

struct naps_a_little {
    COROUTINE(int);
    struct pawl_sleep sleep;
};

ASYNC(naps_a_little)
{
    ASYNC_BEGIN(naps_a_little);
    say("ready\n");
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(200)));
    ASYNC_RETURN(8);
    ASYNC_END;
}

static volatile sig_atomic_t own_handler_ran;

static void own_handler(int number)
{
    (void)number;
    own_handler_ran = 1;
}

static bool sigint_is(void (*handler)(int))
{
    struct sigaction action;
    return sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == handler;
}

static int ignoring_main(void)
{
    signal(SIGINT, SIG_IGN);
    const int status = pawl_run(CORO(naps_a_little));
    return sigint_is(SIG_IGN) ? status : 99;
}

static int handling_main(void)
{
    signal(SIGINT, own_handler);
    const int status = pawl_run(CORO(naps_a_little));
    return sigint_is(own_handler) && own_handler_ran ? status : 99;
}

static int restoring_main(void)
{
    const int status = pawl_run(CORO(naps_a_little));
    return sigint_is(SIG_DFL) ? status : 99;
}

START_TEST(an_ignored_interrupt_stays_ignored)
{
    run_program(ignoring_main, 1);
    ck_assert_exits_with(8);
}
END_TEST

START_TEST(a_handler_of_the_program_stays_in_charge)
{
    run_program(handling_main, 1);
    ck_assert_exits_with(8);
}
END_TEST

START_TEST(afterwards_an_interrupt_kills_again)
{
    run_program(restoring_main, 0);
    ck_assert_exits_with(8);
}
END_TEST

struct takes_over {
    COROUTINE(int);
};

ASYNC(takes_over)
{
    ASYNC_BEGIN(takes_over);
    signal(SIGINT, own_handler);
    ASYNC_RETURN(8);
    ASYNC_END;
}

static int taking_over_main(void)
{
    const int status = pawl_run(CORO(takes_over));
    return sigint_is(own_handler) ? status : 99;
}

START_TEST(a_handler_that_was_set_meanwhile_is_not_taken_away)
{
    run_program(taking_over_main, 0);
    ck_assert_exits_with(8);
}
END_TEST

struct cancels_itself {
    COROUTINE(int);
};

ASYNC(cancels_itself)
{
    ASYNC_BEGIN(cancels_itself);
    pawl_task_cancel(pawl_task_current());
    ASYNC_END;
}

static int cancelled_main(void) { return pawl_run(CORO(cancels_itself)); }

START_TEST(a_main_task_that_was_cancelled_by_the_program_has_failed)
{
    run_program(cancelled_main, 0);
    ck_assert_exits_with(1);
    ck_assert_ptr_nonnull(strstr(program.err, "cancelled"));
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("run");
    TCase *const statuses = add_case(suite, "status");
    tcase_add_test(statuses, the_status_is_the_result_of_an_int_and_0_of_any_other);
    tcase_add_test(statuses, a_failure_is_told_on_stderr_and_the_status_is_1);
    tcase_add_test(statuses, a_loop_that_cannot_be_made_is_told_and_the_status_is_1);
    tcase_add_test(statuses, a_run_within_a_run_fails_and_the_outer_goes_on);
    tcase_add_test(statuses, tasks_that_are_left_are_cancelled_and_unseen_errors_told);
    tcase_add_test(statuses, a_main_task_that_was_cancelled_by_the_program_has_failed);
    TCase *const interrupts = add_case(suite, "interrupts");
    tcase_add_test(interrupts, an_interrupt_runs_every_finally_and_the_status_is_130);
    tcase_add_test(interrupts, a_second_interrupt_kills);
    tcase_add_test(interrupts, an_interrupt_that_is_swallowed_leaves_the_result);
    tcase_add_test(interrupts, an_ignored_interrupt_stays_ignored);
    tcase_add_test(interrupts, a_handler_of_the_program_stays_in_charge);
    tcase_add_test(interrupts, afterwards_an_interrupt_kills_again);
    tcase_add_test(interrupts, a_handler_that_was_set_meanwhile_is_not_taken_away);
    return suite;
}
