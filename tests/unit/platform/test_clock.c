/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks go forward, and times that don't fit are forever. */
#include "platform/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "platform/park.h"

static void the_clock_never_goes_back(void **state)
{
    int64_t before = pl_clock_ns();
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = pl_clock_ns();
        assert_true(now >= before);
        before = now;
    }
}

static void the_wall_clock_is_that_of_the_system(void **state)
{
    int64_t before = time(NULL);
    int64_t seconds = pl_clock_wall_ns() / 1000000000;
    (void)state;
    assert_true(seconds >= before - 1);
    assert_true(seconds <= time(NULL) + 1);
}

static void after_adds_milliseconds(void **state)
{
    int64_t before = pl_clock_ns();
    int64_t after = pl_clock_after_ms(1500);
    (void)state;
    assert_true(after >= before + 1500000000);
    assert_true(after <= pl_clock_ns() + 1500000000);
}

static void what_does_not_fit_is_forever(void **state)
{
    (void)state;
    assert_true(pl_clock_after_ms(-1) == PL_FOREVER);
    assert_true(pl_clock_after_ms(INT64_MIN) == PL_FOREVER);
    assert_true(pl_clock_after_ms(INT64_MAX) == PL_FOREVER);
    assert_true(pl_clock_after_ms(INT64_MAX / 1000000) == PL_FOREVER);
    assert_true(pl_clock_after_ms(0) <= pl_clock_ns());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_never_goes_back),
        cmocka_unit_test(the_wall_clock_is_that_of_the_system),
        cmocka_unit_test(after_adds_milliseconds),
        cmocka_unit_test(what_does_not_fit_is_forever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
