/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON strings and times. */
#include "observe/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct example {
    const char *text;
    const char *json;
} example;

static const example examples[] = {
    { "", "\"\"" },
    { "plain", "\"plain\"" },
    { "say \"hi\" \\", "\"say \\\"hi\\\" \\\\\"" },
    { "a\nb\tc\rd", "\"a\\nb\\tc\\u000dd\"" },
    { "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
    { "snow \xe2\x98\x83 \xf0\x9f\x98\x80",
      "\"snow \xe2\x98\x83 \xf0\x9f\x98\x80\"" },
    { "\xff", "\"\xef\xbf\xbd\"" },
    { "\xc0\xaf!", "\"\xef\xbf\xbd\xef\xbf\xbd!\"" }, /* overlong */
    { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* half */
    { "cut \xe2\x98", "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },
};

static void write_string(const char *text, size_t length, char *buf,
                         size_t size)
{
    memset(buf, 0, size);
    FILE *file = fmemopen(buf, size, "w");
    assert_non_null(file);
    pl_json_string(file, text, length);
    fclose(file);
}

static void strings_are_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char buf[100];
        write_string(examples[i].text, strlen(examples[i].text), buf,
                     sizeof buf);
        assert_string_equal(buf, examples[i].json);
    }
}

static void nuls_are_text(void **state)
{
    (void)state;
    char buf[100];
    write_string("a\0b", 3, buf, sizeof buf);
    assert_string_equal(buf, "\"a\\u0000b\"");
}

static void times_are_microseconds(void **state)
{
    (void)state;
    const struct {
        int64_t ns;
        const char *text;
    } times[] = {
        { 0, "0.000" },      { 1, "0.001" },
        { 999, "0.999" },    { 1234567, "1234.567" },
        { -1234, "-1.234" }, { INT64_C(86400000000000), "86400000000.000" },
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char buf[100] = "";
        FILE *file = fmemopen(buf, sizeof buf, "w");
        assert_non_null(file);
        pl_json_us(file, times[i].ns);
        fclose(file);
        assert_string_equal(buf, times[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(nuls_are_text),
        cmocka_unit_test(times_are_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
