/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that are tables, in every form, and files that are none. */
#include "csv_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "csv_text.h"

static struct table *read_text(const char *text)
{
    struct problem problem = { 0 };
    struct table *table = csv_text_read(text, strlen(text), &problem);
    if (!table)
        fail_msg("%zu: %s", problem.line, problem.text);
    return table;
}

static void assert_cell(const struct table *table, size_t column, size_t row,
                        const char *text)
{
    assert_string_equal(column_text(&table->columns[column], row), text);
}

static void rows_and_columns(void **state)
{
    (void)state;
    struct table *table = read_text("name,size\nant,1\nbee,2.5\n");
    assert_int_equal(table->n_columns, 2);
    assert_int_equal(table->n_rows, 2);
    assert_string_equal(table->columns[1].name, "size");
    assert_cell(table, 0, 1, "bee");
    assert_cell(table, 1, 1, "2.5");
    table_free(table);
}

/* LF, CRLF, CR, no end at the end, a byte order mark: the same table. */
static void line_ends_and_mark(void **state)
{
    (void)state;
    const char *texts[] = { "a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n",
                            "a,b\r1,2\r3,4\r", "a,b\n1,2\n3,4",
                            ("\xEF\xBB\xBF"
                             "a,b\n1,2\n3,4\n") };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct table *table = read_text(texts[i]);
        assert_int_equal(table->n_rows, 2);
        assert_string_equal(table->columns[0].name, "a");
        assert_cell(table, 1, 1, "4");
        assert_int_equal(table->lines[0], 2);
        assert_int_equal(table->lines[1], 3);
        table_free(table);
    }
}

/* Lines are those of the file: blank ones and those inside quotes count. */
static void quotes_blank_lines_and_numbers_of_lines(void **state)
{
    (void)state;
    struct table *table = read_text("a,b\r\n\"one\r\ntwo\",\"x,\"\"y\"\"\"\r\n"
                                    "\r\n  \r\n\"p\nq\rr\",2\r\n3,4\r\n");
    assert_int_equal(table->n_rows, 3);
    assert_cell(table, 0, 0, "one\r\ntwo");
    assert_cell(table, 1, 0, "x,\"y\"");
    assert_int_equal(table->lines[0], 2);
    assert_int_equal(table->lines[1], 6);
    assert_int_equal(table->lines[2], 9);
    table_free(table);
}

static void empty_fields(void **state)
{
    (void)state;
    struct table *table = read_text("a,b,\n,,\n\"\",x,\n");
    assert_int_equal(table->n_columns, 3);
    assert_string_equal(table->columns[2].name, "");
    assert_int_equal(table->n_rows, 2);
    assert_cell(table, 0, 1, "");
    assert_cell(table, 1, 1, "x");
    table_free(table);
}

static void header_only(void **state)
{
    (void)state;
    struct table *table = read_text("a,b");
    assert_int_equal(table->n_columns, 2);
    assert_int_equal(table->n_rows, 0);
    table_free(table);
}

/* Much more than a chunk, with fields, quotes and line ends on its borders. */
static void many_chunks(void **state)
{
    (void)state;
    enum { ROWS = 30000 };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fputs("n,t\r\n", out);
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "%d,\"%d\r\nend\"\r\n", i, i * 7);
    fclose(out);
    struct problem problem;
    struct table *table = csv_text_read(text, size, &problem);
    assert_non_null(table);
    assert_int_equal(table->n_rows, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "%zu\r\nend", i * 7);
        assert_cell(table, 1, i, expected);
        assert_int_equal(table->lines[i], 2 + 2 * i);
    }
    table_free(table);
    free(text);
}

static void a_field_of_a_megabyte(void **state)
{
    (void)state;
    size_t size = (size_t)1 << 20;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, "a\n\"", 3);
    memcpy(text + size - 2, "\"\n", 2);
    struct problem problem;
    struct table *table = csv_text_read(text, size, &problem);
    assert_non_null(table);
    assert_int_equal(strlen(column_text(&table->columns[0], 0)), size - 5);
    table_free(table);
    free(text);
}

static void problems_name_their_line(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t size; /* 0: up to the NUL */
        size_t line;
        const char *says;
    } cases[] = {
        { "", 0, 0, "empty" },
        { "\n\r\n  \n", 0, 0, "empty" },
        { "\xEF\xBB\xBF", 0, 0, "empty" },
        { "a,b\n1,2\n\n3\n", 0, 4, "1 field, the header has 2" },
        { "a,b\n\"1\n\",2\n3,4,5", 0, 4, "3 fields, the header has 2" },
        { "a,b\n1,2\n\"open,3\n4,5\n", 0, 3, "never closed" },
        { "a,b\n1,2\n3,5\" pipe\n", 0, 3, "where none may" },
        { "a\n\"x\"y\n", 0, 2, "where none may" },
        { "a,b,a\n", 0, 1, "two columns are named \"a\"" },
        { "a,b\n1,2\n3,\0\n", 12, 3, "NUL" },
        { "a\0\n", 3, 1, "NUL" },
        { "\xFF\xFE"
          "a\0,\0b\0\n\0",
          10, 1, "NUL" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem problem = { 0 };
        size_t size = cases[i].size ? cases[i].size : strlen(cases[i].text);
        assert_null(csv_text_read(cases[i].text, size, &problem));
        if (!strstr(problem.text, cases[i].says))
            fail_msg("case %zu: %s", i, problem.text);
        assert_int_equal(problem.line, cases[i].line);
    }
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    struct problem problem = { 0 };
    assert_null(csv_reader_open("/tmp/no such folder/x.csv", &problem));
    assert_string_equal(problem.text,
                        "cannot be opened: No such file or directory");
    struct csv_reader *reader = csv_reader_open("/tmp", &problem);
    if (reader)
        assert_int_equal(csv_reader_step(reader, &problem), CSV_FAILED);
    assert_non_null(strstr(problem.text, "Is a directory"));
    csv_reader_close(reader);
    csv_reader_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_columns),
        cmocka_unit_test(line_ends_and_mark),
        cmocka_unit_test(quotes_blank_lines_and_numbers_of_lines),
        cmocka_unit_test(empty_fields),
        cmocka_unit_test(header_only),
        cmocka_unit_test(many_chunks),
        cmocka_unit_test(a_field_of_a_megabyte),
        cmocka_unit_test(problems_name_their_line),
        cmocka_unit_test(files_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
