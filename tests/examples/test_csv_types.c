/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables and statistics leave the process and come back; nonsense doesn't. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <plait/value.h>

#include "csv_text.h"
#include "statistics.h"
#include "statistics_type.h"
#include "table_type.h"

static const char text[] = "n,t,e,k\n1.5,x,,a\n\nNA,NA,NA,b\n-2,y z,,a\n";

static int register_types(void **state)
{
    (void)state;
    return plait_type_register(&table_type, NULL) != PLAIT_OK ||
           plait_type_register(&statistics_type, NULL) != PLAIT_OK;
}

static plait_value new_statistics(void)
{
    struct problem problem;
    struct table *table = csv_text_clean(text);
    struct statistics *made = statistics_new();
    assert_non_null(made);
    assert_true(statistics_group(made, "k", "n", &problem));
    assert_true(statistics_of(made, table, &problem));
    table_free(table);
    return plait_object(&statistics_type, made);
}

static plait_value new_table(void)
{
    return plait_object(&table_type, csv_text_clean(text));
}

/* Takes the value, returns what it has become. */
static plait_value send(plait_value v, bool in_band)
{
    plait_encoded encoded;
    plait_error err = { PLAIT_ERROR_INIT };
    if (plait_encode(v, in_band, &encoded, &err) != PLAIT_OK)
        fail_msg("%s", err.message);
    plait_release(v);
    plait_value back;
    if (plait_decode(&encoded, &back, &err) != PLAIT_OK)
        fail_msg("%s", err.message);
    plait_encoded_free(&encoded);
    return back;
}

static void a_table_is_sent(void **state)
{
    (void)state;
    for (int in_band = 0; in_band < 2; in_band++) {
        plait_value back = send(new_table(), in_band != 0);
        const struct table *table = plait_as_object(back, &table_type);
        assert_non_null(table);
        assert_int_equal(table->n_rows, 3);
        assert_int_equal(table->n_columns, 4);
        assert_int_equal(table->lines[2], 5);
        assert_true(table->columns[0].numbers[0] == 1.5);
        assert_true(isnan(table->columns[0].numbers[1]));
        assert_string_equal(column_text(&table->columns[1], 2), "y z");
        assert_null(column_text(&table->columns[1], 1));
        assert_int_equal(table->columns[2].kind, COLUMN_EMPTY);
        assert_string_equal(table->columns[3].name, "k");
        plait_release(back);
    }
}

/* Enough for buffers out of band. */
static void a_large_table_is_sent(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    struct table *table = table_new("large.csv");
    struct column *column = table_add_column(table, "x", COLUMN_NUMBER);
    column->numbers = malloc(ROWS * sizeof *column->numbers);
    table->lines = malloc(ROWS * sizeof *table->lines);
    assert_true(column->numbers && table->lines);
    for (size_t i = 0; i < ROWS; i++) {
        column->numbers[i] = (double)i / 3;
        table->lines[i] = i + 2;
    }
    table->n_rows = ROWS;
    plait_value back = send(plait_object(&table_type, table), false);
    table = plait_as_object(back, &table_type);
    assert_non_null(table);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(table->columns[0].numbers[i] == (double)i / 3);
        assert_int_equal(table->lines[i], i + 2);
    }
    plait_release(back);
}

static void statistics_are_sent(void **state)
{
    (void)state;
    plait_value back = send(new_statistics(), true);
    const struct statistics *made = plait_as_object(back, &statistics_type);
    assert_non_null(made);
    assert_int_equal(made->n_rows, 3);
    assert_int_equal(made->n_columns, 4);
    assert_int_equal(made->columns[0].count, 2);
    assert_true(made->columns[0].moments.mean == -0.25);
    assert_int_equal(made->columns[1].distinct.n, 2);
    assert_string_equal(made->group_bys[0].value, "n");
    assert_int_equal(made->group_bys[0].groups.n, 2);
    assert_true(made->group_bys[0].groups.entries[0].mean == -0.25);
    plait_release(back);
}

/* Decodes what a hostile peer might send: any status, but no crash. */
static plait_status try_decode(const void *data, size_t size)
{
    plait_encoded encoded = { .data = (void *)(uintptr_t)data, .size = size };
    plait_value v;
    plait_status status = plait_decode(&encoded, &v, NULL);
    char buf[128];
    plait_format(v, buf, sizeof buf);
    plait_release(v);
    return status;
}

static void hostile_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        plait_value v = i ? new_statistics() : new_table();
        plait_encoded encoded;
        assert_int_equal(plait_encode(v, true, &encoded, NULL), PLAIT_OK);
        plait_release(v);
        for (size_t size = 0; size < encoded.size; size++)
            assert_int_not_equal(try_decode(encoded.data, size), PLAIT_OK);
        unsigned char *bytes = encoded.data;
        for (size_t at = 0; at < encoded.size; at++) {
            unsigned char was = bytes[at];
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[at] = (unsigned char)(was ^ 1u << bit);
                try_decode(bytes, encoded.size);
            }
            bytes[at] = was;
        }
        assert_int_equal(try_decode(bytes, encoded.size), PLAIT_OK);
        plait_encoded_free(&encoded);
    }
}

static void people_see_their_size(void **state)
{
    (void)state;
    char buf[256];
    plait_value table = new_table();
    plait_format(table, buf, sizeof buf);
    assert_non_null(strstr(buf, "3 rows, 4 columns"));
    plait_release(table);
    plait_value statistics = new_statistics();
    plait_format(statistics, buf, sizeof buf);
    assert_non_null(strstr(buf, "1 tables, 3 rows"));
    plait_release(statistics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_sent),
        cmocka_unit_test(a_large_table_is_sent),
        cmocka_unit_test(statistics_are_sent),
        cmocka_unit_test(hostile_bytes),
        cmocka_unit_test(people_see_their_size),
    };
    return cmocka_run_group_tests(tests, register_types, NULL);
}
