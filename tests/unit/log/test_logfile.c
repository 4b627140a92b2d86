/* SPDX-License-Identifier: BSD-3-Clause */
/* test_logfile.c: whole lines, whatever the file does. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/logfile.h"

static char path[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/plait-logfile-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static pl_logfile *open_log(const char *where)
{
    plait_error err = { PLAIT_ERROR_INIT };
    pl_logfile *file =
        pl_logfile_open(where, "%(levelname)s %(message)s", &err);
    if (!file)
        fail_msg("%s", err.message);
    return file;
}

static plait_log_record record_of(const char *message)
{
    return (plait_log_record){
        PLAIT_LOG_RECORD_INIT, .level = PLAIT_INFO,
        .logger = "plait",     .task = "",
        .process_name = "",    .thread_name = "",
        .message = message,    .message_length = strlen(message)
    };
}

static void write_log(pl_logfile *file, const char *message)
{
    plait_log_record record = record_of(message);
    pl_logfile_write(file, &record, "");
}

static uint64_t settle(pl_logfile *file, int *why)
{
    plait_log_record record = record_of("");
    return pl_logfile_settle(file, &record, "", why);
}

static void assert_file(const char *expected)
{
    char text[4096] = "";
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    assert_string_equal(text, expected);
}

/* Lets files grow to `bytes` and no further; -1: as before. */
static void limit_file_size(long bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < 0 ? limit.rlim_max : (rlim_t)bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void appends_lines(void **state)
{
    (void)state;
    pl_logfile *file = open_log(path);
    write_log(file, "one");
    write_log(file, "two\nthree");
    pl_logfile_release(file);
    file = open_log(path);
    write_log(file, "four");
    pl_logfile_release(file);
    assert_file("INFO one\nINFO two\\nthree\nINFO four\n");
}

static void private_and_closed_on_exec(void **state)
{
    (void)state;
    unlink(path);
    mode_t before = umask(0);
    pl_logfile *file = open_log(path);
    umask(before);
    struct stat st;
    assert_int_equal(fstat(file->fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(fcntl(file->fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(file->fd, F_GETFL) & O_APPEND);
    pl_logfile_release(file);
}

static void what_cannot_be_opened(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    assert_null(pl_logfile_open("/nonexistent/x.log", "%(message)s", &err));
    assert_int_equal(err.status, PLAIT_ESYS);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.message, "/nonexistent/x.log"));
    assert_null(pl_logfile_open("/tmp", "%(message)s", &err));
    assert_int_equal(err.sys_errno, EISDIR);
    assert_null(pl_logfile_open(path, "%(nothing)s", &err));
    assert_int_equal(err.status, PLAIT_EINVAL);
}

static void a_full_disk_is_reported_once(void **state)
{
    (void)state;
    pl_logfile *file = open_log("/dev/full");
    write_log(file, "one");
    write_log(file, "two");
    int why = 0;
    assert_int_equal(pl_logfile_lost(file, &why), 2);
    assert_int_equal(why, ENOSPC);
    /* room again: another file takes the place of the full one */
    free(file->path);
    file->path = strdup(path);
    assert_int_equal(pl_logfile_reopen(file, NULL), PLAIT_OK);
    write_log(file, "three");
    write_log(file, "four");
    assert_int_equal(settle(file, &why), 2);
    pl_logfile_release(file);
    assert_file("WARNING 2 log lines could not be written: No space left on "
                "device\nINFO three\nINFO four\n");
}

static void a_line_that_fits_in_part_is_taken_back(void **state)
{
    (void)state;
    pl_logfile *file = open_log(path);
    write_log(file, "one");
    limit_file_size(12); /* "INFO one\n" is 9: the next fits in part */
    write_log(file, "two");
    assert_file("INFO one\n");
    limit_file_size(9); /* not one byte more */
    write_log(file, "three");
    int why = 0;
    assert_int_equal(pl_logfile_lost(file, &why), 2);
    assert_int_equal(why, EFBIG);
    limit_file_size(-1);
    write_log(file, "four");
    assert_int_equal(settle(file, &why), 2);
    pl_logfile_release(file);
    assert_file("INFO one\nWARNING 2 log lines could not be written: File too "
                "large\nINFO four\n");
}

static void a_limit_known_at_opening_raises_nothing(void **state)
{
    (void)state;
    limit_file_size(0);
    pl_logfile *file = open_log(path);
    write_log(file, "one");
    limit_file_size(-1);
    int why = 0;
    assert_int_equal(settle(file, &why), 1);
    assert_int_equal(why, EFBIG);
    pl_logfile_release(file);
    assert_file("WARNING 1 log line could not be written: File too large\n");
}

static void the_programs_own_signals_stay(void **state)
{
    (void)state;
    sigset_t both, before, pending;
    sigemptyset(&both);
    sigaddset(&both, SIGPIPE);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &both, &before), 0);
    raise(SIGPIPE);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pl_logfile *file = open_log(path);
    close(file->fd);
    file->fd = fds[1];
    file->raises = true;
    close(fds[0]);
    write_log(file, "one"); /* EPIPE */
    int why = 0;
    assert_int_equal(pl_logfile_lost(file, &why), 1);
    assert_int_equal(why, EPIPE);
    pl_logfile_release(file);
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 1);
    int taken;
    sigwait(&both, &taken);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* What can be read from a pipe now. */
static size_t drain(int fd, char *text, size_t size)
{
    size_t length = 0;
    ssize_t n;
    while (length < size && (n = read(fd, text + length, size - length)) > 0)
        length += (size_t)n;
    return length;
}

static void a_pipes_line_is_finished_later(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    int room = fcntl(fds[1], F_SETPIPE_SZ, 4096);
    assert_true(room >= 4096);
    size_t long_line = (size_t)room + 1000;
    char *message = malloc(long_line + 1);
    char *text = malloc(2 * long_line);
    assert_true(message && text);
    memset(message, 'x', long_line);
    message[long_line] = '\0';
    pl_logfile *file = open_log(path);
    close(file->fd);
    file->fd = fds[1];
    write_log(file, message); /* more than the pipe holds */
    write_log(file, "lost");
    int why = 0;
    assert_int_equal(pl_logfile_lost(file, &why), 1);
    assert_int_equal(why, EAGAIN);
    size_t length = drain(fds[0], text, 2 * long_line);
    assert_true(length >= 4096 && length < long_line);
    write_log(file, "after");
    pl_logfile_release(file);
    length += drain(fds[0], text + length, 2 * long_line - length);
    close(fds[0]);
    text[length] = '\0';
    assert_int_equal(strspn(text + 5, "x"), long_line);
    const char *rest = "\nWARNING 1 log line could not be written: Resource "
                       "temporarily unavailable\nINFO after\n";
    assert_string_equal(text + 5 + long_line, rest);
    free(text);
    free(message);
}

static void another_program_may_append(void **state)
{
    (void)state;
    pl_logfile *file = open_log(path);
    write_log(file, "one");
    FILE *other = fopen(path, "a");
    fputs("theirs\n", other);
    fclose(other);
    write_log(file, "two");
    pl_logfile_release(file);
    assert_file("INFO one\ntheirs\nINFO two\n");
}

static void reopening_follows_a_rotation(void **state)
{
    (void)state;
    char moved[80];
    snprintf(moved, sizeof moved, "%s.1", path);
    pl_logfile *file = open_log(path);
    write_log(file, "one");
    assert_int_equal(rename(path, moved), 0);
    write_log(file, "two");
    assert_int_equal(pl_logfile_reopen(file, NULL), PLAIT_OK);
    write_log(file, "three");
    assert_file("INFO three\n");
    unlink(path);
    assert_int_equal(rename(moved, path), 0);
    assert_file("INFO one\nINFO two\n");
    pl_logfile_release(file);
}

static void a_failed_reopening_keeps_the_file(void **state)
{
    (void)state;
    pl_logfile *file = open_log(path);
    free(file->path);
    file->path = strdup("/nonexistent/x.log");
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(pl_logfile_reopen(file, &err), PLAIT_ESYS);
    assert_int_equal(err.sys_errno, ENOENT);
    write_log(file, "still here");
    pl_logfile_release(file);
    assert_file("INFO still here\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(appends_lines),
        TEST(private_and_closed_on_exec),
        TEST(what_cannot_be_opened),
        TEST(a_full_disk_is_reported_once),
        TEST(a_line_that_fits_in_part_is_taken_back),
        TEST(a_limit_known_at_opening_raises_nothing),
        TEST(the_programs_own_signals_stay),
        TEST(a_pipes_line_is_finished_later),
        TEST(another_program_may_append),
        TEST(reopening_follows_a_rotation),
        TEST(a_failed_reopening_keeps_the_file),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
