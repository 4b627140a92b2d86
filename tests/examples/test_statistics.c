/* SPDX-License-Identifier: BSD-3-Clause */
/* Moments, tallies, and the statistics that are made of them. */
#include "statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "csv_text.h"

static void assert_close(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", found, expected);
}

static void moments_of_few(void **state)
{
    (void)state;
    struct moments moments = { 0 };
    assert_true(isnan(moments_deviation(&moments)));
    moments_add(&moments, 5);
    assert_close(moments.mean, 5);
    assert_true(isnan(moments_deviation(&moments)));
    moments_add(&moments, 5);
    assert_close(moments_deviation(&moments), 0);
    moments_add(&moments, -1);
    assert_close(moments.mean, 3);
    assert_close(moments_deviation(&moments), sqrt(12));
    assert_close(moments.min, -1);
    assert_close(moments.max, 5);
}

/* Far from zero, where a sum of squares has lost every digit. */
static void moments_far_from_zero(void **state)
{
    (void)state;
    const double numbers[] = { 4, 7, 13, 16 };
    struct moments whole = { 0 }, halves[2] = { { 0 }, { 0 } };
    for (size_t i = 0; i < 4; i++) {
        moments_add(&whole, 1e9 + numbers[i]);
        moments_add(&halves[i / 2], 1e9 + numbers[i]);
    }
    moments_merge(&halves[0], &halves[1]);
    assert_close(whole.mean, 1e9 + 10);
    assert_close(moments_deviation(&whole), sqrt(30));
    assert_close(halves[0].mean, 1e9 + 10);
    assert_close(moments_deviation(&halves[0]), sqrt(30));
}

/* Wherever it is cut in two, and with an empty part: the same whole. */
static void moments_merge_at_every_cut(void **state)
{
    (void)state;
    enum { N = 50 };
    struct moments whole = { 0 };
    for (int i = 0; i < N; i++)
        moments_add(&whole, sin(i) * 1000);
    for (int cut = 0; cut <= N; cut++) {
        struct moments left = { 0 }, right = { 0 };
        for (int i = 0; i < N; i++)
            moments_add(i < cut ? &left : &right, sin(i) * 1000);
        moments_merge(&left, &right);
        assert_int_equal(left.count, N);
        assert_close(left.mean, whole.mean);
        assert_close(moments_deviation(&left), moments_deviation(&whole));
        assert_close(left.min, whole.min);
        assert_close(left.max, whole.max);
    }
}

static void tally_of_many(void **state)
{
    (void)state;
    struct tally tally = { 0 };
    char text[16];
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "%d", i % 5000);
        struct tally_entry *entry = tally_at(&tally, text);
        assert_non_null(entry);
        tally_add(entry, i);
    }
    assert_int_equal(tally.n, 5000);
    assert_string_equal(tally.entries[4999].text, "4999");
    assert_int_equal(tally.entries[7].count, 4);
    assert_close(tally.entries[7].mean, 7507);
    struct tally other = { 0 };
    tally_add(tally_at(&other, "7"), 7507 + 5);
    tally_add(tally_at(&other, "new"), 1);
    assert_non_null(tally_at(&other, "empty"));
    assert_true(tally_merge(&tally, &other));
    assert_int_equal(tally.n, 5002);
    assert_int_equal(tally.entries[7].count, 5);
    assert_close(tally.entries[7].mean, 7508);
    assert_int_equal(tally_at(&tally, "empty")->count, 0);
    tally_fini(&tally);
    tally_fini(&other);
}

/* Of a text, with one group-by (key NULL: none). */
static struct statistics *analyze_text(const char *text, const char *key,
                                       const char *value)
{
    struct problem problem;
    struct table *table = csv_text_clean(text);
    struct statistics *made = statistics_new();
    assert_non_null(made);
    if (key)
        assert_true(statistics_group(made, key, value, &problem));
    if (!statistics_of(made, table, &problem))
        fail_msg("%s", problem.text);
    table_free(table);
    return made;
}

static void one_table(void **state)
{
    (void)state;
    struct statistics *made = analyze_text(
        "k,x,e\na,1,\nb,2,NA\na,4,\nNA,8,\nb,NA,\nc,,\n", "k", "x");
    assert_int_equal(made->n_rows, 6);
    assert_int_equal(made->columns[0].count, 5);
    assert_int_equal(made->columns[0].distinct.n, 3);
    assert_int_equal(made->columns[1].count, 4);
    assert_close(made->columns[1].moments.mean, 3.75);
    assert_int_equal(made->columns[2].kind, COLUMN_EMPTY);
    assert_int_equal(made->columns[2].count, 0);
    const struct tally *groups = &made->group_bys[0].groups;
    assert_int_equal(groups->n, 3);
    assert_int_equal(groups->entries[0].count, 2);
    assert_close(groups->entries[0].mean, 2.5);
    assert_int_equal(groups->entries[1].count, 1);
    assert_close(groups->entries[1].mean, 2);
    assert_int_equal(groups->entries[2].count, 0);
    statistics_free(made);
}

static void numbers_as_keys(void **state)
{
    (void)state;
    struct statistics *made =
        analyze_text("k,x\n1,1\n1.0,3\n0.1,5\nNA,7\n", "k", "x");
    const struct tally *groups = &made->group_bys[0].groups;
    assert_int_equal(groups->n, 2);
    assert_string_equal(groups->entries[0].text, "1");
    assert_int_equal(groups->entries[0].count, 2);
    assert_string_equal(groups->entries[1].text, "0.1");
    statistics_free(made);
}

/* Columns in another order, missing in one, empty in one, of two kinds. */
static void tables_that_differ(void **state)
{
    (void)state;
    struct statistics *all = statistics_new();
    struct statistics *first =
        analyze_text("k,x,y,z\na,1,,5\nb,3,,6\n", "k", "x");
    struct statistics *second =
        analyze_text("x,k,y,w\n5,a,2,1\nNA,c,x,1\n8,c,z,1\n", "k", "x");
    struct statistics *third = analyze_text("k,x,z\n", "k", "x");
    assert_true(statistics_merge(all, first));
    assert_true(statistics_merge(all, second));
    assert_true(statistics_merge(all, third));
    statistics_free(first);
    statistics_free(second);
    statistics_free(third);
    assert_int_equal(all->n_tables, 3);
    assert_int_equal(all->n_rows, 5);
    assert_int_equal(all->n_columns, 5);
    assert_int_equal(all->columns[0].distinct.n, 3);
    assert_int_equal(all->columns[1].kind, COLUMN_NUMBER);
    assert_int_equal(all->columns[1].count, 4);
    assert_close(all->columns[1].moments.mean, 4.25);
    assert_int_equal(all->columns[2].kind, COLUMN_TEXT);
    assert_int_equal(all->columns[3].count, 2);
    assert_string_equal(all->columns[4].name, "w");
    assert_int_equal(all->n_group_bys, 1);
    assert_int_equal(all->group_bys[0].groups.n, 3);
    assert_close(all->group_bys[0].groups.entries[0].mean, 3);
    assert_close(all->group_bys[0].groups.entries[2].mean, 8);
    struct statistics *text = analyze_text("x\nmany\n", NULL, NULL);
    assert_true(statistics_merge(all, text));
    assert_int_equal(all->columns[1].kind, COLUMN_MIXED);
    assert_int_equal(all->columns[1].count, 5);
    statistics_free(text);
    statistics_free(all);
}

static void groups_that_cannot_be(void **state)
{
    (void)state;
    struct table *table = csv_text_clean("k,x\na,1\n");
    const struct {
        const char *key, *value, *says;
    } cases[] = { { "none", "x", "no column is named \"none\"" },
                  { "k", "none", "no column is named \"none\"" },
                  { "x", "k", "column \"k\" has text: it has no mean" } };
    for (size_t i = 0; i < 3; i++) {
        struct problem problem;
        struct statistics *made = statistics_new();
        assert_true(
            statistics_group(made, cases[i].key, cases[i].value, &problem));
        assert_false(statistics_of(made, table, &problem));
        assert_string_equal(problem.text, cases[i].says);
        statistics_free(made);
    }
    table_free(table);
    statistics_free(NULL);
}

/* Distinct texts are not kept without end. */
static void too_many_distinct(void **state)
{
    (void)state;
    struct statistics *all = statistics_new();
    struct statistics *part = statistics_new();
    struct column_statistics *column = statistics_add_column(part, "c");
    column->kind = COLUMN_TEXT;
    for (size_t i = 0; i < DISTINCT_LIMIT; i++) {
        char text[16];
        snprintf(text, sizeof text, "%zu", i);
        assert_non_null(tally_at(&column->distinct, text));
    }
    assert_true(statistics_merge(all, part));
    assert_false(all->columns[0].too_many);
    assert_int_equal(all->columns[0].distinct.n, DISTINCT_LIMIT);
    assert_non_null(tally_at(&all->columns[0].distinct, "one more"));
    assert_true(statistics_merge(part, all));
    assert_true(part->columns[0].too_many);
    assert_int_equal(part->columns[0].distinct.n, 0);
    assert_true(statistics_merge(all, part));
    assert_true(all->columns[0].too_many);
    statistics_free(part);
    statistics_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_of_few),
        cmocka_unit_test(moments_far_from_zero),
        cmocka_unit_test(moments_merge_at_every_cut),
        cmocka_unit_test(tally_of_many),
        cmocka_unit_test(one_table),
        cmocka_unit_test(numbers_as_keys),
        cmocka_unit_test(tables_that_differ),
        cmocka_unit_test(groups_that_cannot_be),
        cmocka_unit_test(too_many_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
