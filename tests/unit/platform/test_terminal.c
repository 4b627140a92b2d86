/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a stream is a terminal, and how wide. */
#include "platform/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static void a_file_is_no_terminal(void **state)
{
    FILE *file = tmpfile();
    (void)state;
    assert_non_null(file);
    errno = 7;
    assert_int_equal(pl_terminal_width(file), 0);
    assert_int_equal(errno, 7);
    fclose(file);
}

static void memory_is_no_terminal(void **state)
{
    char memory[16];
    FILE *file = fmemopen(memory, sizeof memory, "w");
    (void)state;
    assert_non_null(file);
    assert_int_equal(pl_terminal_width(file), 0);
    fclose(file);
}

static void a_terminal_has_a_width(void **state)
{
    struct winsize size = { .ws_row = 24, .ws_col = 123 };
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    (void)state;
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    FILE *terminal = fdopen(fd, "w");
    assert_non_null(terminal);
    assert_int_equal(pl_terminal_width(terminal), 80); /* it doesn't say */
    assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
    assert_int_equal(pl_terminal_width(terminal), 123);
    fclose(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_no_terminal),
        cmocka_unit_test(memory_is_no_terminal),
        cmocka_unit_test(a_terminal_has_a_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
