/* SPDX-License-Identifier: BSD-3-Clause */
/* Libraries loaded when first needed: found under one of their names, or why
 * not. */
#include "platform/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void the_first_that_is_there(void **state)
{
    const char *const names[] = { "libno-such-thing.so.1", "libm.so.6", NULL };
    double (*root)(double) = NULL;
    char why[200];
    (void)state;
    void *library = pl_library_open(names, why, sizeof why);
    assert_non_null(library);
    assert_true(pl_library_function(library, "sqrt", &root, sizeof root));
    assert_true(root(9.0) == 3.0);
    assert_false(
        pl_library_function(library, "no_such_function", &root, sizeof root));
    assert_false(pl_library_function(library, "sqrt", &root, 1));
}

static void none_is_there(void **state)
{
    const char *const names[] = { "libno-such-thing.so.1",
                                  "libno-such-thing.so", NULL };
    char why[200];
    (void)state;
    assert_null(pl_library_open(names, why, sizeof why));
    assert_non_null(strstr(why, "libno-such-thing.so.1"));
    assert_null(pl_library_open(names, why, 5)); /* cut */
    assert_int_equal(strlen(why), 4);
    assert_null(pl_library_open(names, why, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_is_there),
        cmocka_unit_test(none_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
