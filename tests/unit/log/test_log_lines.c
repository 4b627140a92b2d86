/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_log_lines.c: 8 threads log 100,000 lines each (or as many as the first
 * argument says) of many lengths; every line is in the file, whole, once, and
 * in its thread's order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <plait/log.h>

#include "platform/thread.h"

#define THREADS 8

static unsigned lines = 100000;

/* What the message of a line is filled with: its length tells torn lines. */
static unsigned filling(unsigned thread, unsigned line)
{
    unsigned length = (thread * 7919 + line * 104729) % 97;
    return line % 1000 == 0 ? 2000 + length : length;
}

static void log_lines(void *arg)
{
    static const char hostile[] = "two\nlines";
    unsigned thread = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < lines; i++)
        plait_log(NULL, PLAIT_INFO, "%u %u %s %0*d", thread, i, hostile,
                  (int)filling(thread, i) + 1, 0);
}

static void check_line(char *text, unsigned next[THREADS])
{
    unsigned thread, line;
    int at = 0;
    int n = sscanf(text, "INFO %u %u two\\nlines %n", &thread, &line, &at);
    if (n != 2 || at == 0 || thread >= THREADS)
        fail_msg("a torn line: %s", text);
    assert_int_equal(line, next[thread]);
    next[thread]++;
    size_t zeros = strspn(text + at, "0");
    assert_int_equal(zeros, filling(thread, line) + 1);
    assert_string_equal(text + at + zeros, "\n");
}

static void all_lines_are_whole(void **state)
{
    (void)state;
    char path[] = "/tmp/plait-lines-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(plait_log_open(path, "%(levelname)s %(message)s", NULL),
                     PLAIT_OK);
    pl_thread threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_true(pl_thread_begin(&threads[i], log_lines, (void *)i, "log"));
    for (unsigned i = 0; i < THREADS; i++)
        pl_thread_join(threads[i]);
    assert_int_equal(plait_log_lost(NULL), 0);
    plait_log_close();

    FILE *stream = fdopen(fd, "r");
    assert_non_null(stream);
    unlink(path);
    char *text = NULL;
    size_t size = 0;
    unsigned next[THREADS] = { 0 };
    while (getline(&text, &size, stream) > 0)
        check_line(text, next);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(next[i], lines);
    free(text);
    fclose(stream);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        lines = (unsigned)strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lines_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
