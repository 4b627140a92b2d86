/* SPDX-License-Identifier: BSD-3-Clause */
/* The line that says how far runs are. */
#include "observe/progress_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000000)

typedef struct example {
    pl_progress progress;
    unsigned width;
    const char *line;
} example;

static const example examples[] = {
    /* words */
    { { .total = 1024 }, 0, "0/1024 tasks, 0%" },
    { { .total = 1024, .done = 512, .elapsed_ns = S },
      0,
      "512/1024 tasks, 50%, 512/s, 0:01 left" },
    { { .total = 100,
        .done = 20,
        .failed = 5,
        .skipped = 10,
        .elapsed_ns = 10 * S },
      0,
      "35/100 tasks, 35%, 2.5/s, 5 failed, 10 skipped, 0:26 left" },
    { { .total = 2000000, .done = 1999999, .elapsed_ns = 100 * S },
      0,
      "1999999/2000000 tasks, 99%, 20k/s, 0:00 left" },
    { { .total = 8000, .done = 1, .elapsed_ns = S },
      0,
      "1/8000 tasks, 0%, 1.0/s, 2:13:19 left" },
    { { .total = 80000000, .done = 1, .elapsed_ns = S },
      0,
      "1/80000000 tasks, 0%, 1.0/s" },
    { { .total = 40000000,
        .done = 40000000,
        .elapsed_ns = 2 * S,
        .ended = true },
      0,
      "40000000/40000000 tasks, 100%, 2.0 s, 20M/s" },
    { { .total = 3,
        .done = 1,
        .failed = 1,
        .skipped = 1,
        .elapsed_ns = S / 4,
        .ended = true },
      0,
      "3/3 tasks, 100%, 0.2 s, 8.0/s, 1 failed, 1 skipped" },
    { { .total = 10, .done = 5, .elapsed_ns = 754 * S, .ended = true },
      0,
      "5/10 tasks, 50%, 12:34, 0.4/min" },
    { { .ended = true }, 0, "0/0 tasks, 100%, 0.0 s" },
    /* bars */
    { { .total = 10, .done = 5, .elapsed_ns = S },
      79,
      "[####################                    ]  5/10  50%  5.0/s  0:01 "
      "left" },
    { { .total = 10, .done = 10, .elapsed_ns = S, .ended = true },
      500,
      "[########################################]  10/10  100%  1.0 s  10/s" },
    { { .total = 10, .done = 5, .elapsed_ns = S },
      40,
      "[####     ]  5/10  50%  5.0/s  0:01 left" },
    { { .total = 10, .done = 5, .elapsed_ns = S }, 20, "5/10  50%  5.0/s" },
    { { .total = 10, .done = 5, .elapsed_ns = S }, 1, "5" },
};

static void lines_say_how_far_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char line[PL_PROGRESS_LINE_BYTES];
        memset(line, 'x', sizeof line);
        size_t length =
            pl_progress_line(&examples[i].progress, examples[i].width, line);
        assert_string_equal(line, examples[i].line);
        assert_int_equal(length, strlen(line));
    }
}

/* Whatever the numbers and the terminal: within its width and the buffer. */
static void lines_fit(void **state)
{
    (void)state;
    pl_progress most = { .total = SIZE_MAX,
                         .done = SIZE_MAX / 4,
                         .failed = SIZE_MAX / 4,
                         .skipped = SIZE_MAX / 4,
                         .elapsed_ns = INT64_MAX / 2 };
    for (int ended = 0; ended < 2; ended++) {
        most.ended = ended;
        for (unsigned width = 0; width < 1000; width++) {
            char line[PL_PROGRESS_LINE_BYTES];
            size_t length = pl_progress_line(&most, width, line);
            assert_int_equal(length, strlen(line));
            assert_true(length < sizeof line);
            assert_true(width == 0 || length <= width);
        }
    }
}

static void it_is_100_only_when_nothing_is_left(void **state)
{
    (void)state;
    char line[PL_PROGRESS_LINE_BYTES];
    pl_progress progress = { .total = 1000000000, .done = 999999999 };
    pl_progress_line(&progress, 0, line);
    assert_non_null(strstr(line, " 99%"));
    progress.done++;
    pl_progress_line(&progress, 0, line);
    assert_non_null(strstr(line, " 100%"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_say_how_far_it_is),
        cmocka_unit_test(lines_fit),
        cmocka_unit_test(it_is_100_only_when_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
