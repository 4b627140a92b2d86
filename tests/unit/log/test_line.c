/* SPDX-License-Identifier: BSD-3-Clause */
/* test_line.c: what a line escapes, pads and cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/line.h"

static void assert_line(const pl_line *line, const char *expected)
{
    assert_int_equal(line->length, strlen(expected));
    assert_memory_equal(line->text, expected, line->length);
}

static void assert_escaped(const char *text, size_t length,
                           const char *expected)
{
    pl_line line;
    pl_line_init(&line);
    pl_line_add_text(&line, text, length, PL_LINE_PLAIN, SIZE_MAX);
    assert_line(&line, expected);
    pl_line_fini(&line);
}

#define ASSERT_ESCAPED(text, expected) \
    assert_escaped(text, sizeof(text) - 1, expected)

static void plain_text_stays(void **state)
{
    (void)state;
    ASSERT_ESCAPED("", "");
    ASSERT_ESCAPED("C:\\new \"x\" {'a': 1}", "C:\\new \"x\" {'a': 1}");
    ASSERT_ESCAPED("żółw \xf0\x9f\x90\xa2 日本", "żółw \xf0\x9f\x90\xa2 日本");
}

static void controls_are_escaped(void **state)
{
    (void)state;
    ASSERT_ESCAPED("a\nb\rc\td", "a\\nb\\rc\\td");
    ASSERT_ESCAPED("\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f");
    ASSERT_ESCAPED("a\0b", "a\\x00b");
    ASSERT_ESCAPED("\xc2\x85\xc2\x9b", "\\u0085\\u009b");
    ASSERT_ESCAPED("\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6",
                   "\\u2028\\u202e\\u2066");
}

static void bytes_that_are_no_utf8_are_escaped(void **state)
{
    (void)state;
    ASSERT_ESCAPED("caf\xe9!", "caf\\xe9!");
    ASSERT_ESCAPED("\xc0\xaf", "\\xc0\\xaf");
    ASSERT_ESCAPED("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
    ASSERT_ESCAPED("\xed\xa0\x80", "\\xed\\xa0\\x80");
    ASSERT_ESCAPED("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    ASSERT_ESCAPED("\xf0\x9f\x90", "\\xf0\\x9f\\x90");
    ASSERT_ESCAPED("\xc3", "\\xc3");
}

static void at_most_so_many_characters(void **state)
{
    (void)state;
    pl_line line;
    pl_line_init(&line);
    pl_line_add_text(&line, "żółw", strlen("żółw"), PL_LINE_PLAIN, 2);
    pl_line_add_text(&line, "a\nb", 3, PL_LINE_PLAIN, 2);
    pl_line_add_text(&line, "abc", 3, PL_LINE_PLAIN, 0);
    assert_line(&line, "żóa\\n");
    pl_line_fini(&line);
}

static void quoted_as_python_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        pl_line_style style;
        const char *expected;
    } cases[] = {
        { "a", PL_LINE_REPR, "'a'" },
        { "it's", PL_LINE_REPR, "\"it's\"" },
        { "it's \"x\"", PL_LINE_REPR, "'it\\'s \"x\"'" },
        { "a\\b\n", PL_LINE_REPR, "'a\\\\b\\n'" },
        { "ż", PL_LINE_REPR, "'ż'" },
        { "é", PL_LINE_ASCII, "'\\xe9'" },
        { "ż\xf0\x9f\x90\xa2", PL_LINE_ASCII, "'\\u017c\\U0001f422'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pl_line line;
        pl_line_init(&line);
        pl_line_add_text(&line, cases[i].text, strlen(cases[i].text),
                         cases[i].style, SIZE_MAX);
        assert_line(&line, cases[i].expected);
        pl_line_fini(&line);
    }
}

static void quotes_count_as_characters(void **state)
{
    (void)state;
    pl_line line;
    pl_line_init(&line);
    pl_line_add_text(&line, "żółw", strlen("żółw"), PL_LINE_REPR, 3);
    assert_line(&line, "'żó");
    pl_line_fini(&line);
}

static void pads_by_characters(void **state)
{
    (void)state;
    pl_line line;
    pl_line_init(&line);
    pl_line_add(&line, "[", 1);
    size_t begin = line.length;
    pl_line_add(&line, "ż", strlen("ż"));
    pl_line_pad(&line, begin, 3, false);
    begin = line.length;
    pl_line_add(&line, "b", 1);
    pl_line_pad(&line, begin, 3, true);
    pl_line_pad(&line, begin, 2, true);
    pl_line_end(&line);
    assert_line(&line, "[  żb  \n");
    pl_line_fini(&line);
}

static void a_long_line_moves_to_the_heap(void **state)
{
    (void)state;
    size_t n = 100 * PL_LINE_ROOM;
    char *text = malloc(n);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + i % 26);
    pl_line line;
    pl_line_init(&line);
    pl_line_add(&line, "begin ", 6);
    for (size_t i = 0; i < n; i += PL_LINE_ROOM)
        pl_line_add_text(&line, text + i, PL_LINE_ROOM, PL_LINE_PLAIN,
                         SIZE_MAX);
    pl_line_end(&line);
    assert_int_equal(line.length, n + 7);
    assert_memory_equal(line.text + 6, text, n);
    assert_int_equal(line.text[line.length - 1], '\n');
    assert_false(line.cut);
    pl_line_fini(&line);
    free(text);
}

static void a_cut_line_says_so(void **state)
{
    (void)state;
    pl_line line;
    pl_line_init(&line);
    pl_line_add(&line, "all there was room for", 22);
    line.cut = true;
    pl_line_end(&line);
    assert_line(&line, "all there was room for [cut: out of memory]\n");
    pl_line_fini(&line);
}

static void the_end_fits_in_every_full_line(void **state)
{
    (void)state;
    for (size_t n = PL_LINE_ROOM - 64; n <= PL_LINE_ROOM + 64; n++) {
        pl_line line;
        pl_line_init(&line);
        for (size_t i = 0; i < n; i++)
            pl_line_add(&line, "x", 1);
        line.cut = true;
        pl_line_end(&line);
        assert_true(line.length <= line.capacity);
        assert_int_equal(line.text[n - 1], 'x');
        assert_int_equal(line.text[n], ' ');
        pl_line_fini(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(controls_are_escaped),
        cmocka_unit_test(bytes_that_are_no_utf8_are_escaped),
        cmocka_unit_test(at_most_so_many_characters),
        cmocka_unit_test(quoted_as_python_does),
        cmocka_unit_test(quotes_count_as_characters),
        cmocka_unit_test(pads_by_characters),
        cmocka_unit_test(a_long_line_moves_to_the_heap),
        cmocka_unit_test(a_cut_line_says_so),
        cmocka_unit_test(the_end_fits_in_every_full_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
