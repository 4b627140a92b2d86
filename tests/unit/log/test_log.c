/* SPDX-License-Identifier: BSD-3-Clause */
/* test_log.c: the one log of the process. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/log.h"
#include "platform/thread.h"

static char path[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/plait-log-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    plait_log_sink(NULL, NULL);
    plait_log_level(PLAIT_INFO);
    plait_log_close();
    unlink(path);
    return 0;
}

static void open_log(const char *format)
{
    plait_error err = { PLAIT_ERROR_INIT };
    if (plait_log_open(path, format, &err) != PLAIT_OK)
        fail_msg("%s", err.message);
}

static const char *read_log(void)
{
    static char text[1 << 18];
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

static void plait_log_open_tells_what_is_wrong(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_log_open(NULL, NULL, &err), PLAIT_EINVAL);
    assert_int_equal(plait_log_open("", NULL, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_log_open(path, "%(x)s", &err), PLAIT_EINVAL);
    assert_int_equal(err.status, PLAIT_EINVAL);
    assert_int_equal(plait_log_open("/nonexistent/l", NULL, &err), PLAIT_ESYS);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_false(pl_log_enabled(PLAIT_CRITICAL));
}

static void a_failed_open_keeps_the_open_one(void **state)
{
    (void)state;
    open_log("%(message)s");
    assert_int_equal(plait_log_open("/nonexistent/l", NULL, NULL), PLAIT_ESYS);
    plait_log(NULL, PLAIT_INFO, "still here");
    assert_string_equal(read_log(), "still here\n");
}

static void the_default_line(void **state)
{
    (void)state;
    open_log(NULL);
    time_t before = time(NULL);
    plait_log(NULL, PLAIT_WARNING, "%d of %s", 3, "them");
    const char *text = read_log();
    const char *rest = strchr(text, ',');
    assert_non_null(rest);
    assert_string_equal(rest + 4, " [MainThread] WARNING plait: 3 of them\n");
    struct tm tm = { .tm_isdst = -1 };
    assert_ptr_equal(strptime(text, "%Y-%m-%d %H:%M:%S", &tm), rest);
    time_t logged = mktime(&tm);
    assert_in_range(logged, before, time(NULL));
}

static void local_time_is_local(void **state)
{
    (void)state;
    setenv("TZ", "XYZ-05:30", 1);
    tzset();
    /* the date is made once a second: wait for the next */
    for (time_t now = time(NULL); time(NULL) == now;)
        pl_thread_yield();
    open_log("%(created)d %(asctime)s");
    plait_log(NULL, PLAIT_INFO, "x");
    unsetenv("TZ");
    tzset();
    long created = strtol(read_log(), NULL, 10) + 5 * 3600 + 1800;
    char expected[64];
    time_t shifted = (time_t)created;
    struct tm tm;
    gmtime_r(&shifted, &tm);
    strftime(expected, sizeof expected, " %Y-%m-%d %H:%M:%S,", &tm);
    assert_non_null(strstr(read_log(), expected));
}

static void levels(void **state)
{
    (void)state;
    open_log("%(levelname)s");
    plait_log(NULL, PLAIT_DEBUG, "no");
    plait_log(NULL, PLAIT_INFO, "yes");
    plait_log_level(PLAIT_ERROR);
    assert_false(pl_log_enabled(PLAIT_WARNING));
    assert_true(pl_log_enabled(PLAIT_ERROR));
    plait_log(NULL, PLAIT_WARNING, "no");
    plait_log(NULL, PLAIT_CRITICAL, "yes");
    plait_log_level(PLAIT_DEBUG);
    plait_log(NULL, PLAIT_DEBUG, "yes");
    assert_string_equal(read_log(), "INFO\nCRITICAL\nDEBUG\n");
}

static void the_librarys_own_lines(void **state)
{
    (void)state;
    open_log("%(name)s %(task)s %(message)s");
    pl_log_line(PLAIT_ERROR, "load-3", "failed: %s", "no\nfile");
    pl_log_line(PLAIT_INFO, NULL, "done");
    assert_string_equal(read_log(), "plait load-3 failed: no\\nfile\n"
                                    "plait  done\n");
}

static void long_messages_are_whole(void **state)
{
    (void)state;
    open_log("%(message)s|");
    char message[20001];
    for (size_t n = 500; n <= 20000; n += n < 530 ? 1 : 9735) {
        memset(message, 'a', n);
        message[n] = '\0';
        plait_log(NULL, PLAIT_INFO, "%s", message);
        const char *last = strrchr(read_log(), 'a');
        assert_non_null(last);
        assert_string_equal(last + 1, "|\n");
        assert_int_equal(strlen(read_log()), n + 2);
        assert_int_equal(truncate(path, 0), 0);
    }
}

static void errno_is_kept(void **state)
{
    (void)state;
    assert_int_equal(plait_log_open("/dev/full", "%(message)s", NULL),
                     PLAIT_OK);
    errno = ERANGE;
    plait_log(NULL, PLAIT_ERROR, "x");
    assert_int_equal(errno, ERANGE);
}

static void lost_lines_are_counted(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_log_open("/dev/full", NULL, NULL), PLAIT_OK);
    assert_int_equal(plait_log_lost(&err), 0);
    assert_int_equal(err.status, PLAIT_OK);
    plait_log(NULL, PLAIT_INFO, "one");
    plait_log(NULL, PLAIT_INFO, "two");
    assert_int_equal(plait_log_lost(&err), 2);
    assert_int_equal(err.status, PLAIT_ESYS);
    assert_int_equal(err.sys_errno, ENOSPC);
    plait_log_close();
    assert_int_equal(plait_log_lost(NULL), 2);
    open_log(NULL);
    assert_int_equal(plait_log_lost(NULL), 0);
}

static void plait_log_reopen_needs_an_open_log(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_log_reopen(&err), PLAIT_EINVAL);
    open_log("%(message)s");
    unlink(path);
    assert_int_equal(plait_log_reopen(&err), PLAIT_OK);
    plait_log(NULL, PLAIT_INFO, "in the new one");
    assert_string_equal(read_log(), "in the new one\n");
}

static void plait_log_close_twice_is_fine(void **state)
{
    (void)state;
    open_log(NULL);
    plait_log_close();
    plait_log_close();
    plait_log(NULL, PLAIT_CRITICAL, "nowhere");
    assert_string_equal(read_log(), "");
}

/* ---- sinks ---- */

typedef struct seen {
    int n;
    char text[256];
} seen;

static void sink(const plait_log_record *record, void *user)
{
    seen *s = user;
    s->n++;
    snprintf(s->text, sizeof s->text, "%d|%s|%s|%s|%s|%d|%zu|%s", record->level,
             record->logger, record->task, record->process_name,
             record->thread_name, record->process == getpid(),
             record->message_length, record->message);
    plait_log(NULL, PLAIT_ERROR, "from the sink: dropped");
    plait_log_level(PLAIT_INFO); /* no lock is held */
}

static void a_sink_takes_the_files_place(void **state)
{
    (void)state;
    seen s = { 0 };
    open_log("%(message)s");
    plait_log_sink(sink, &s);
    pl_log_line(PLAIT_ERROR, "load-3", "a\nb");
    assert_int_equal(s.n, 1);
    assert_string_equal(s.text,
                        "40|plait|load-3|MainProcess|MainThread|1|3|a\nb");
    plait_log(NULL, PLAIT_DEBUG, "below the level");
    assert_int_equal(s.n, 1);
    plait_log_sink(NULL, NULL);
    plait_log(NULL, PLAIT_INFO, "to the file again");
    assert_int_equal(s.n, 1);
    assert_string_equal(read_log(), "to the file again\n");
}

static void a_sink_needs_no_file(void **state)
{
    (void)state;
    seen s = { 0 };
    plait_log_sink(sink, &s);
    plait_log(NULL, PLAIT_INFO, "x");
    assert_int_equal(s.n, 1);
    plait_log_sink(NULL, NULL);
    assert_false(pl_log_enabled(PLAIT_CRITICAL));
}

/* ---- threads and processes ---- */

static void named_thread(void *arg)
{
    pl_thread_set_name(arg);
    plait_log(NULL, PLAIT_INFO, "x");
}

static void thread_names(void **state)
{
    (void)state;
    open_log("%(threadName)s");
    static char name[] = "plait-7";
    pl_thread thread;
    assert_true(pl_thread_begin(&thread, named_thread, name, name));
    pl_thread_join(thread);
    plait_log(NULL, PLAIT_INFO, "x");
    assert_string_equal(read_log(), "plait-7\nMainThread\n");
}

static void a_forked_child_logs_too(void **state)
{
    (void)state;
    open_log("%(message)s");
    plait_log(NULL, PLAIT_INFO, "before");
    pl_log_fork_prepare();
    pid_t child = fork();
    if (child == 0) {
        pl_log_fork_child();
        plait_log(NULL, PLAIT_INFO, "child");
        plait_log_close();
        _exit(pl_log_enabled(PLAIT_CRITICAL));
    }
    pl_log_fork_parent();
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    plait_log(NULL, PLAIT_INFO, "after");
    assert_string_equal(read_log(), "before\nchild\nafter\n");
}

static atomic_int n_logging;

static void log_until(void *arg)
{
    const atomic_bool *done = arg;
    atomic_fetch_add(&n_logging, 1);
    while (!atomic_load(done))
        plait_log(NULL, PLAIT_INFO, "x");
}

/* Other threads hold the log's mutexes at the moment of the fork, or not. */
static void children_of_a_busy_log(void **state)
{
    (void)state;
    atomic_bool done = false;
    open_log("%(asctime)s %(message)s");
    pl_thread threads[2];
    for (int i = 0; i < 2; i++)
        assert_true(pl_thread_begin(&threads[i], log_until, &done, "log"));
    /* A thread that begins allocates, and a child of AddressSanitizer inherits
     * its allocator's locks as they are. */
    while (atomic_load(&n_logging) < 2)
        pl_thread_yield();
    for (int i = 0; i < 30; i++) {
        pid_t child = fork();
        if (child == 0) {
            plait_log(NULL, PLAIT_INFO, "child");
            plait_log_close();
            _exit(0);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(truncate(path, 0), 0);
    }
    atomic_store(&done, true);
    for (int i = 0; i < 2; i++)
        pl_thread_join(threads[i]);
}

static void a_fork_without_a_log(void **state)
{
    (void)state;
    pl_log_fork_prepare();
    pl_log_fork_child();
    open_log("%(message)s");
    plait_log(NULL, PLAIT_INFO, "x");
    assert_string_equal(read_log(), "x\n");
}

/* Opens, reopens and closes while others log: nobody crashes, and no line is
 * in parts. */
static void log_much(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2000; i++)
        plait_log(NULL, PLAIT_INFO, "abcdefghij");
}

static void a_log_may_change_while_others_log(void **state)
{
    (void)state;
    open_log("%(message)s");
    pl_thread threads[3];
    for (int i = 0; i < 3; i++)
        assert_true(pl_thread_begin(&threads[i], log_much, NULL, "log"));
    for (int i = 0; i < 50; i++) {
        if (i % 10 == 0)
            plait_log_close();
        open_log("%(message)s");
        assert_int_equal(plait_log_reopen(NULL), PLAIT_OK);
        plait_log_level(i % 2 ? PLAIT_INFO : PLAIT_ERROR);
        if (strlen(read_log()) > 30000)
            assert_int_equal(truncate(path, 0), 0);
    }
    for (int i = 0; i < 3; i++)
        pl_thread_join(threads[i]);
    const char *text = read_log();
    for (size_t at = 0; text[at]; at += 11)
        assert_int_equal(strncmp(text + at, "abcdefghij\n", 11), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(plait_log_open_tells_what_is_wrong),
        TEST(a_failed_open_keeps_the_open_one),
        TEST(the_default_line),
        TEST(local_time_is_local),
        TEST(levels),
        TEST(the_librarys_own_lines),
        TEST(long_messages_are_whole),
        TEST(errno_is_kept),
        TEST(lost_lines_are_counted),
        TEST(plait_log_reopen_needs_an_open_log),
        TEST(plait_log_close_twice_is_fine),
        TEST(a_sink_takes_the_files_place),
        TEST(a_sink_needs_no_file),
        TEST(thread_names),
        TEST(a_forked_child_logs_too),
        TEST(children_of_a_busy_log),
        TEST(a_fork_without_a_log),
        TEST(a_log_may_change_while_others_log),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
