/* SPDX-License-Identifier: BSD-3-Clause */
/* UTF-8: every character is known by its length, and what is none by 0. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Writes a character as UTF-8 does, surrogates and too large ones too. */
static size_t encode(uint32_t c, char *out)
{
    static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(marks[length] | c);
    return length;
}

static void every_character_is_known(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x120000; c++) {
        char text[4];
        size_t length = encode(c, text);
        size_t wanted =
            c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : length;
        if (pl_utf8_length(text, length) != wanted)
            fail_msg("U+%04X is taken for %zu bytes", (unsigned)c,
                     pl_utf8_length(text, length));
    }
}

static void what_is_cut_is_none(void **state)
{
    (void)state;
    assert_int_equal(pl_utf8_length("", 0), 0);
    assert_int_equal(pl_utf8_length("\xc3\xa4", 1), 0);
    assert_int_equal(pl_utf8_length("\xe2\x82\xac", 2), 0);
    assert_int_equal(pl_utf8_length("\xf0\x9f\xa7\xa9", 3), 0);
    assert_int_equal(pl_utf8_length("\xf0\x9f\xa7\xa9more", 8), 4);
}

static void what_is_malformed_is_none(void **state)
{
    static const char *const texts[] = {
        "\x80",
        "\xbf", /* stray */
        "\xc0\x80",
        "\xc1\xbf", /* overlong */
        "\xe0\x80\x80",
        "\xf0\x80\x80\x80", /* overlong */
        "\xc3x",
        "\xe2\x82x", /* what follows doesn't continue */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(pl_utf8_length(texts[i], strlen(texts[i])), 0);
}

static void the_replacement_is_a_character(void **state)
{
    (void)state;
    assert_int_equal(
        pl_utf8_length(PL_UTF8_REPLACEMENT, strlen(PL_UTF8_REPLACEMENT)), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_known),
        cmocka_unit_test(what_is_cut_is_none),
        cmocka_unit_test(what_is_malformed_is_none),
        cmocka_unit_test(the_replacement_is_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
