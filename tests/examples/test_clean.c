/* SPDX-License-Identifier: BSD-3-Clause */
/* What is a number, what is missing, and which kind a column is of. */
#include "clean.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "csv_text.h"

static void numbers(void **state)
{
    (void)state;
    const struct {
        const char *text;
        enum number_kind kind;
        double number;
    } cases[] = {
        { "0", NUMBER_FITS, 0 },          { "-12.5e3", NUMBER_FITS, -12500 },
        { "+.5", NUMBER_FITS, 0.5 },      { "5.", NUMBER_FITS, 5 },
        { "1e-400", NUMBER_FITS, 0 },     { "1E2", NUMBER_FITS, 100 },
        { "1e400", NUMBER_TOO_LARGE, 0 }, { "-1e400", NUMBER_TOO_LARGE, 0 },
        { "", NUMBER_NONE, 0 },           { ".", NUMBER_NONE, 0 },
        { "-", NUMBER_NONE, 0 },          { "1e", NUMBER_NONE, 0 },
        { "1e+", NUMBER_NONE, 0 },        { "0x10", NUMBER_NONE, 0 },
        { "inf", NUMBER_NONE, 0 },        { " 1", NUMBER_NONE, 0 },
        { "1 ", NUMBER_NONE, 0 },         { "1,5", NUMBER_NONE, 0 },
        { "--1", NUMBER_NONE, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double number = 0;
        enum number_kind kind = number_read(cases[i].text, &number);
        if (kind != cases[i].kind)
            fail_msg("%s: kind %d", cases[i].text, (int)kind);
        if (kind == NUMBER_FITS)
            assert_true(number == cases[i].number);
    }
}

static void kinds_and_missing_values(void **state)
{
    (void)state;
    struct table *clean = csv_text_clean("n,t,e,m\n"
                                         "1,x,,1\n"
                                         "NA,NA,NA,x\n"
                                         "NaN,\"\",nan,NA\n"
                                         "-2,y,,2\n");
    assert_int_equal(clean->n_rows, 4);
    assert_int_equal(clean->columns[0].kind, COLUMN_NUMBER);
    assert_true(clean->columns[0].numbers[0] == 1);
    assert_true(isnan(clean->columns[0].numbers[1]));
    assert_true(isnan(clean->columns[0].numbers[2]));
    assert_true(clean->columns[0].numbers[3] == -2);
    assert_int_equal(clean->columns[1].kind, COLUMN_TEXT);
    assert_string_equal(column_text(&clean->columns[1], 0), "x");
    assert_null(column_text(&clean->columns[1], 1));
    assert_null(column_text(&clean->columns[1], 2));
    assert_int_equal(clean->columns[2].kind, COLUMN_EMPTY);
    assert_int_equal(clean->columns[3].kind, COLUMN_TEXT);
    assert_string_equal(column_text(&clean->columns[3], 3), "2");
    table_free(clean);
}

static void count_note(const struct problem *found, void *user)
{
    ++*(int *)user;
    assert_int_equal(found->line, 4);
    assert_non_null(strstr(found->text, "\"n\""));
    assert_non_null(strstr(found->text, "\"oops\""));
}

static void odd_text_is_noted(void **state)
{
    (void)state;
    const char *text = "n,t\n1,x\n2,y\noops,z\n";
    struct problem problem;
    struct table *raw = csv_text_read(text, strlen(text), &problem);
    int notes = 0;
    struct table *clean = table_clean(raw, count_note, &notes, &problem);
    assert_non_null(clean);
    assert_int_equal(notes, 1);
    table_free(clean);
    table_free(raw);
}

static void a_number_that_is_too_large(void **state)
{
    (void)state;
    const char *text = "a,b\n1,2\n\n3,1e400\n";
    struct problem problem;
    struct table *raw = csv_text_read(text, strlen(text), &problem);
    assert_null(table_clean(raw, NULL, NULL, &problem));
    assert_int_equal(problem.line, 4);
    assert_string_equal(problem.text,
                        "column \"b\": 1e400 is too large for a number");
    table_free(raw);
    /* In a column of text it is text. */
    struct table *clean = csv_text_clean("a\n1e400\nx\n");
    assert_int_equal(clean->columns[0].kind, COLUMN_TEXT);
    table_free(clean);
}

static void no_rows(void **state)
{
    (void)state;
    struct table *clean = csv_text_clean("a,b\n");
    assert_int_equal(clean->n_rows, 0);
    assert_int_equal(clean->n_columns, 2);
    assert_int_equal(clean->columns[1].kind, COLUMN_EMPTY);
    table_free(clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(kinds_and_missing_values),
        cmocka_unit_test(odd_text_is_noted),
        cmocka_unit_test(a_number_that_is_too_large),
        cmocka_unit_test(no_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
