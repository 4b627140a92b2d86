/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for people: every kind, escapes, and buffers that are too small. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <plait/value.h>

/* Takes v. */
static void assert_format(plait_value v, const char *expected)
{
    char text[400];
    int length = plait_format(v, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
    assert_int_equal(plait_format(v, NULL, 0), length);
    plait_release(v);
}

static void inline_kinds(void **state)
{
    (void)state;
    assert_format(plait_nil(), "nil");
    assert_format(plait_bool(true), "true");
    assert_format(plait_bool(false), "false");
    assert_format(plait_int(-3), "-3");
    assert_format(plait_int(INT64_MIN), "-9223372036854775808");
    assert_format(plait_ref((plait_task){ 3, 1 }), "<task 3>");
}

static void floats_are_short_and_look_like_floats(void **state)
{
    (void)state;
    assert_format(plait_float(3.5), "3.5");
    assert_format(plait_float(3), "3.0");
    assert_format(plait_float(-0.0), "-0.0");
    assert_format(plait_float(0.1), "0.1");
    assert_format(plait_float(0.1 + 0.2), "0.30000000000000004");
    assert_format(plait_float(1e100), "1e+100");
    assert_format(plait_float(5e-324), "4.94065645841247e-324");
    assert_format(plait_float((double)INFINITY), "inf");
    assert_format(plait_float(-(double)INFINITY), "-inf");
    assert_format(plait_float((double)NAN), "nan");
}

/* Wherever a locale with another decimal point is installed. */
static void floats_have_a_point_in_every_locale(void **state)
{
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8",
                                         "ps_AF.UTF-8", "C" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (setlocale(LC_NUMERIC, names[i]))
            assert_format(plait_float(-1234.5), "-1234.5");
    }
    setlocale(LC_NUMERIC, "C");
}

static void strings_are_quoted(void **state)
{
    (void)state;
    assert_format(plait_string(""), "\"\"");
    assert_format(plait_string("caf\xc3\xa9 \xf0\x9f\x8e\xb5"),
                  "\"caf\xc3\xa9 \xf0\x9f\x8e\xb5\"");
    assert_format(plait_string("a\"b\\c"), "\"a\\\"b\\\\c\"");
    assert_format(plait_string("\n\r\t\x1b\x7f"), "\"\\n\\r\\t\\x1b\\x7f\"");
    assert_format(plait_string_n("a\0b", 3), "\"a\\x00b\"");
}

/* Lone, overlong, cut, a surrogate, beyond Unicode. */
static void what_is_no_utf8_is_escaped(void **state)
{
    (void)state;
    assert_format(plait_string("\xff"), "\"\\xff\"");
    assert_format(plait_string("\xc0\x80"), "\"\\xc0\\x80\"");
    assert_format(plait_string("x\xe2\x82"), "\"x\\xe2\\x82\"");
    assert_format(plait_string("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"");
    assert_format(plait_string("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\"");
    assert_format(plait_string("\xf8"), "\"\\xf8\"");
}

static void bytes_show_ascii(void **state)
{
    (void)state;
    assert_format(plait_bytes("a\"\xc3\xa9\0", 5), "b\"a\\\"\\xc3\\xa9\\x00\"");
}

static void containers_show_their_items(void **state)
{
    plait_value items[] = { plait_int(1), plait_list(NULL, 0),
                            plait_string("x") };
    plait_value keys[] = { plait_string("a"), plait_int(2) };
    plait_value values[] = { plait_list(items, 3), plait_nil() };
    (void)state;
    assert_format(plait_dict(keys, values, 2),
                  "{\"a\": [1, [], \"x\"], 2: nil}");
    assert_format(plait_dict(NULL, NULL, 0), "{}");
}

static void errors_show_their_whole_text(void **state)
{
    char text[700], expected[720];
    (void)state;
    memset(text, 'e', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    plait_value v = plait_error_value(PLAIT_ETASK, "%s", text);
    snprintf(expected, sizeof expected, "error: %s", text);
    char formatted[800];
    plait_format(v, formatted, sizeof formatted);
    assert_string_equal(formatted, expected);
    plait_release(v);
}

static int format_table(const void *data, char *buf, size_t size)
{
    return snprintf(buf, size, "table of %d rows", *(const int *)data);
}

static void objects_show_what_their_type_says(void **state)
{
    static const plait_type table = { PLAIT_TYPE_INIT, .name = "table",
                                      .format = format_table };
    static const plait_type plain = { PLAIT_TYPE_INIT, .name = "plain" };
    int rows = 12;
    plait_value items[] = { plait_object(&table, &rows),
                            plait_object(&plain, &rows) };
    (void)state;
    assert_format(plait_list(items, 2), "[table of 12 rows, <plain>]");
}

static void a_small_buffer_gets_the_beginning(void **state)
{
    static const plait_type table = { PLAIT_TYPE_INIT, .name = "table",
                                      .format = format_table };
    int rows = 12;
    plait_value items[] = { plait_object(&table, &rows), plait_int(5) };
    plait_value v = plait_list(items, 2);
    const char *whole = "[table of 12 rows, 5]";
    (void)state;
    for (size_t size = 1; size < 30; size++) {
        char text[32];
        memset(text, '#', sizeof text);
        assert_int_equal(plait_format(v, text, size), strlen(whole));
        size_t shown = size - 1 < strlen(whole) ? size - 1 : strlen(whole);
        assert_memory_equal(text, whole, shown);
        assert_int_equal(text[shown], '\0');
        assert_int_equal(text[size], '#');
    }
    plait_release(v);
}

static void text_is_cut_between_characters(void **state)
{
    plait_value v = plait_string("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5");
    static const size_t kept[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };
    (void)state;
    for (size_t room = 0; room < sizeof kept / sizeof *kept; room++) {
        char text[16];
        assert_int_equal(plait_format(v, text, room + 1), 11);
        assert_int_equal(strlen(text), kept[room]);
    }
    plait_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inline_kinds),
        cmocka_unit_test(floats_are_short_and_look_like_floats),
        cmocka_unit_test(floats_have_a_point_in_every_locale),
        cmocka_unit_test(strings_are_quoted),
        cmocka_unit_test(what_is_no_utf8_is_escaped),
        cmocka_unit_test(bytes_show_ascii),
        cmocka_unit_test(containers_show_their_items),
        cmocka_unit_test(errors_show_their_whole_text),
        cmocka_unit_test(objects_show_what_their_type_says),
        cmocka_unit_test(a_small_buffer_gets_the_beginning),
        cmocka_unit_test(text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
