/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that grows, and a failure that sticks. */
#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static void puts_add_and_printf_append(void **state)
{
    pl_strbuf buf = { 0 };
    (void)state;
    pl_strbuf_puts(&buf, "one");
    pl_strbuf_add(&buf, ", two", 3);
    pl_strbuf_printf(&buf, "%c%d", 'w', 0);
    assert_true(pl_strbuf_ok(&buf));
    assert_string_equal(buf.text, "one, tw0");
    assert_int_equal(buf.length, 8);
    pl_strbuf_fini(&buf);
    assert_null(buf.text);
    assert_int_equal(buf.length, 0);
}

static void nuls_are_bytes_too(void **state)
{
    pl_strbuf buf = { 0 };
    (void)state;
    pl_strbuf_add(&buf, "a\0b", 3);
    assert_int_equal(buf.length, 3);
    assert_memory_equal(buf.text, "a\0b", 4);
    pl_strbuf_fini(&buf);
}

static void it_grows_as_long_as_needed(void **state)
{
    pl_strbuf buf = { 0 };
    (void)state;
    for (int i = 0; i < 5000; i++)
        pl_strbuf_printf(&buf, "%04d", i);
    assert_true(pl_strbuf_ok(&buf));
    assert_int_equal(buf.length, 20000);
    assert_int_equal(strlen(buf.text), 20000);
    assert_int_equal(strncmp(buf.text + 4 * 4999, "4999", 4), 0);
    pl_strbuf_fini(&buf);
}

/* Every length around the first capacity keeps the NUL inside. */
static void the_nul_always_fits(void **state)
{
    const char text[] = "0123456789012345678901234567890123456789"
                        "012345678901234567890123456789";
    (void)state;
    for (size_t n = 60; n <= 68; n++) {
        pl_strbuf added = { 0 }, printed = { 0 };
        pl_strbuf_add(&added, text, n);
        pl_strbuf_printf(&printed, "%.*s", (int)n, text);
        assert_int_equal(strlen(added.text), n);
        assert_string_equal(added.text, printed.text);
        assert_true(added.capacity > n);
        assert_true(printed.capacity > n);
        pl_strbuf_fini(&added);
        pl_strbuf_fini(&printed);
    }
}

static void failing_sticks(void **state)
{
    pl_strbuf buf = { 0 };
    (void)state;
    pl_strbuf_puts(&buf, "kept");
    pl_strbuf_add(&buf, "never read", SIZE_MAX);
    assert_false(pl_strbuf_ok(&buf));
    pl_strbuf_puts(&buf, "dropped");
    pl_strbuf_printf(&buf, "%s", "dropped");
    assert_false(pl_strbuf_ok(&buf));
    assert_string_equal(buf.text, "kept");
    assert_null(pl_strbuf_take(&buf));
    assert_true(pl_strbuf_ok(&buf)); /* empty again */
    pl_strbuf_fini(&buf);
}

static void take_gives_the_text_away(void **state)
{
    pl_strbuf buf = { 0 };
    (void)state;
    char *empty = pl_strbuf_take(&buf);
    assert_string_equal(empty, "");
    pl_free(empty);
    pl_strbuf_puts(&buf, "text");
    char *text = pl_strbuf_take(&buf);
    assert_string_equal(text, "text");
    assert_null(buf.text);
    pl_strbuf_fini(&buf);
    pl_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_add_and_printf_append),
        cmocka_unit_test(nuls_are_bytes_too),
        cmocka_unit_test(it_grows_as_long_as_needed),
        cmocka_unit_test(the_nul_always_fits),
        cmocka_unit_test(failing_sticks),
        cmocka_unit_test(take_gives_the_text_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
