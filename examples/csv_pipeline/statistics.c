/* SPDX-License-Identifier: BSD-3-Clause */
/* statistics.c: see statistics.h. */
#include "statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct statistics *statistics_new(void)
{
    return calloc(1, sizeof(struct statistics));
}

void statistics_free(struct statistics *statistics)
{
    if (!statistics)
        return;
    for (size_t i = 0; i < statistics->n_columns; i++) {
        free(statistics->columns[i].name);
        tally_fini(&statistics->columns[i].distinct);
    }
    for (size_t i = 0; i < statistics->n_group_bys; i++) {
        free(statistics->group_bys[i].key);
        free(statistics->group_bys[i].value);
        tally_fini(&statistics->group_bys[i].groups);
    }
    free(statistics->columns);
    free(statistics->group_bys);
    free(statistics);
}

struct column_statistics *statistics_add_column(struct statistics *statistics,
                                                const char *name)
{
    size_t size = (statistics->n_columns + 1) * sizeof *statistics->columns;
    struct column_statistics *columns = realloc(statistics->columns, size);
    if (!columns)
        return NULL;
    statistics->columns = columns;
    struct column_statistics *added = &columns[statistics->n_columns];
    *added =
        (struct column_statistics){ .name = text_copy(name, strlen(name)) };
    if (!added->name)
        return NULL;
    statistics->n_columns++;
    return added;
}

static struct group_by *find_group_by(struct statistics *statistics,
                                      const char *key, const char *value)
{
    for (size_t i = 0; i < statistics->n_group_bys; i++) {
        struct group_by *at = &statistics->group_bys[i];
        if (strcmp(at->key, key) == 0 && strcmp(at->value, value) == 0)
            return at;
    }
    return NULL;
}

bool statistics_group(struct statistics *statistics, const char *key,
                      const char *value, struct problem *problem)
{
    if (find_group_by(statistics, key, value))
        return true;
    size_t size = (statistics->n_group_bys + 1) * sizeof(struct group_by);
    struct group_by *group_bys = realloc(statistics->group_bys, size);
    if (!group_bys)
        return problem_no_memory(problem);
    statistics->group_bys = group_bys;
    struct group_by added = { text_copy(key, strlen(key)),
                              text_copy(value, strlen(value)),
                              { 0 } };
    if (!added.key || !added.value) {
        free(added.key);
        free(added.value);
        return problem_no_memory(problem);
    }
    group_bys[statistics->n_group_bys++] = added;
    return true;
}

static bool count_distinct(struct column_statistics *into, const char *text)
{
    if (into->too_many)
        return true;
    if (!tally_at(&into->distinct, text))
        return false;
    if (into->distinct.n > DISTINCT_LIMIT) {
        into->too_many = true;
        tally_fini(&into->distinct);
    }
    return true;
}

static void add_numbers(struct column_statistics *into,
                        const struct column *column, size_t n_rows)
{
    for (size_t row = 0; row < n_rows; row++)
        if (!isnan(column->numbers[row]))
            moments_add(&into->moments, column->numbers[row]);
    into->count = into->moments.count;
}

static bool add_texts(struct column_statistics *into,
                      const struct column *column, size_t n_rows)
{
    for (size_t row = 0; row < n_rows; row++) {
        const char *text = column_text(column, row);
        if (!text)
            continue;
        into->count++;
        if (!count_distinct(into, text))
            return false;
    }
    return true;
}

static bool add_column(struct statistics *statistics, const struct table *table,
                       const struct column *column)
{
    struct column_statistics *into =
        statistics_add_column(statistics, column->name);
    if (!into)
        return false;
    into->kind = column->kind;
    if (column->kind == COLUMN_NUMBER)
        add_numbers(into, column, table->n_rows);
    return column->kind != COLUMN_TEXT ||
           add_texts(into, column, table->n_rows);
}

/* A number that is a key: as short as it can be read back from. */
static const char *number_text(double number, char *buf, size_t size)
{
    snprintf(buf, size, "%.15g", number);
    if (strtod(buf, NULL) != number)
        snprintf(buf, size, "%.17g", number);
    return buf;
}

/* NULL when missing. */
static const char *key_text(const struct column *column, size_t row, char *buf,
                            size_t size)
{
    switch (column->kind) {
    case COLUMN_TEXT:
        return column_text(column, row);
    case COLUMN_NUMBER:
        if (!isnan(column->numbers[row]))
            return number_text(column->numbers[row], buf, size);
        return NULL;
    case COLUMN_EMPTY:
    case COLUMN_MIXED:
        break;
    }
    return NULL;
}

static bool add_groups(struct group_by *into, const struct column *keys,
                       const struct column *values, size_t n_rows)
{
    for (size_t row = 0; row < n_rows; row++) {
        char buf[32];
        const char *key = key_text(keys, row, buf, sizeof buf);
        if (!key)
            continue;
        struct tally_entry *entry = tally_at(&into->groups, key);
        if (!entry)
            return false;
        if (values->kind == COLUMN_NUMBER && !isnan(values->numbers[row]))
            tally_add(entry, values->numbers[row]);
    }
    return true;
}

static bool fill_group_by(struct group_by *into, const struct table *table,
                          struct problem *problem)
{
    const struct column *keys = table_find(table, into->key);
    const struct column *values = table_find(table, into->value);
    if (!keys || !values)
        return problem_set(problem, 1, "no column is named \"%.60s\"",
                           keys ? into->value : into->key);
    if (values->kind == COLUMN_TEXT)
        return problem_set(problem, 1,
                           "column \"%.60s\" has text: it has no mean",
                           into->value);
    return add_groups(into, keys, values, table->n_rows) ||
           problem_no_memory(problem);
}

bool statistics_of(struct statistics *statistics, const struct table *table,
                   struct problem *problem)
{
    statistics->n_tables = 1;
    statistics->n_rows = table->n_rows;
    for (size_t i = 0; i < table->n_columns; i++)
        if (!add_column(statistics, table, &table->columns[i]))
            return problem_no_memory(problem);
    for (size_t i = 0; i < statistics->n_group_bys; i++)
        if (!fill_group_by(&statistics->group_bys[i], table, problem))
            return false;
    return true;
}

/* Files of one sort have their columns in the same places. */
static struct column_statistics *find_column(struct statistics *statistics,
                                             const char *name, size_t guess)
{
    if (guess < statistics->n_columns &&
        strcmp(statistics->columns[guess].name, name) == 0)
        return &statistics->columns[guess];
    for (size_t i = 0; i < statistics->n_columns; i++)
        if (strcmp(statistics->columns[i].name, name) == 0)
            return &statistics->columns[i];
    return statistics_add_column(statistics, name);
}

static enum column_kind kind_of_both(enum column_kind a, enum column_kind b)
{
    if (a == COLUMN_EMPTY || a == b)
        return b;
    return b == COLUMN_EMPTY ? a : COLUMN_MIXED;
}

static bool merge_distinct(struct column_statistics *into,
                           const struct column_statistics *from)
{
    for (size_t i = 0; i < from->distinct.n; i++)
        if (!count_distinct(into, from->distinct.entries[i].text))
            return false;
    if (from->too_many && !into->too_many) {
        into->too_many = true;
        tally_fini(&into->distinct);
    }
    return true;
}

static bool merge_column(struct column_statistics *into,
                         const struct column_statistics *from)
{
    into->kind = kind_of_both(into->kind, from->kind);
    into->count += from->count;
    moments_merge(&into->moments, &from->moments);
    return merge_distinct(into, from);
}

static bool merge_group_by(struct statistics *into, const struct group_by *from)
{
    struct problem ignored;
    if (!statistics_group(into, from->key, from->value, &ignored))
        return false;
    struct group_by *to = find_group_by(into, from->key, from->value);
    return tally_merge(&to->groups, &from->groups);
}

bool statistics_merge(struct statistics *into, const struct statistics *from)
{
    into->n_tables += from->n_tables;
    into->n_rows += from->n_rows;
    for (size_t i = 0; i < from->n_columns; i++) {
        struct column_statistics *to =
            find_column(into, from->columns[i].name, i);
        if (!to || !merge_column(to, &from->columns[i]))
            return false;
    }
    for (size_t i = 0; i < from->n_group_bys; i++)
        if (!merge_group_by(into, &from->group_bys[i]))
            return false;
    return true;
}
