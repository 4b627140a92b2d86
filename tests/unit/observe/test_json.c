/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON strings and times. */
#include "observe/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
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
    pl_json json = { .file = fmemopen(buf, size, "w") };
    memset(buf, 0, size);
    assert_non_null(json.file);
    pl_json_string(&json, text, length);
    assert_true(pl_json_flush(&json));
    fclose(json.file);
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
        { 0, "0.000" },
        { 1, "0.001" },
        { 999, "0.999" },
        { 1234567, "1234.567" },
        { -1234, "-1.234" },
        { INT64_C(86400000000000), "86400000000.000" },
        { INT64_MIN, "-9223372036854775.808" },
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char buf[100] = "";
        pl_json json = { .file = fmemopen(buf, sizeof buf, "w") };
        assert_non_null(json.file);
        pl_json_us(&json, times[i].ns);
        assert_true(pl_json_flush(&json));
        fclose(json.file);
        assert_string_equal(buf, times[i].text);
    }
}

static void numbers_are_whole(void **state)
{
    (void)state;
    char buf[100] = "";
    pl_json json = { .file = fmemopen(buf, sizeof buf, "w") };
    assert_non_null(json.file);
    pl_json_number(&json, 0);
    pl_json_puts(&json, " ");
    pl_json_number(&json, UINT64_MAX);
    assert_true(pl_json_flush(&json));
    fclose(json.file);
    assert_string_equal(buf, "0 18446744073709551615");
}

/* Pieces of every length around the size of the buffer. */
static void nothing_is_lost_at_the_buffers_end(void **state)
{
    (void)state;
    static char piece[3 * PL_JSON_BYTES];
    memset(piece, 'x', sizeof piece);
    const size_t lengths[] = {
        PL_JSON_BYTES - 1, 1, 1, PL_JSON_BYTES, PL_JSON_BYTES + 1, 7,
        3 * PL_JSON_BYTES, 0
    };
    char *written = NULL;
    size_t size = 0, sum = 0;
    pl_json json = { .file = open_memstream(&written, &size) };
    assert_non_null(json.file);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        pl_json_put(&json, piece, lengths[i]);
        pl_json_puts(&json, ",");
        sum += lengths[i] + 1;
    }
    assert_true(pl_json_flush(&json));
    fclose(json.file);
    assert_int_equal(size, sum);
    size_t at = 0;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        at += lengths[i];
        assert_int_equal(written[at++], ',');
    }
    free(written);
}

static void the_first_failure_sticks(void **state)
{
    (void)state;
    pl_json json = { .file = fopen("/dev/full", "w") };
    assert_non_null(json.file);
    pl_json_puts(&json, "x");
    assert_false(pl_json_flush(&json));
    assert_int_equal(json.sys_errno, ENOSPC);
    pl_json_puts(&json, "y");
    assert_false(pl_json_flush(&json));
    assert_int_equal(json.sys_errno, ENOSPC);
    fclose(json.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(nuls_are_text),
        cmocka_unit_test(times_are_microseconds),
        cmocka_unit_test(numbers_are_whole),
        cmocka_unit_test(nothing_is_lost_at_the_buffers_end),
        cmocka_unit_test(the_first_failure_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
