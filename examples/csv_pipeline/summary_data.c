/* SPDX-License-Identifier: BSD-3-Clause */
/* summary_data.c: see summary.h. Makers never need checking: what went wrong in
 * one part is what the whole becomes. */
#include <math.h>
#include <stdlib.h>

#include "summary.h"
#include "summary_order.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static plait_value count_value(size_t count)
{
    return plait_uint(count);
}

static plait_value number_value(bool known, double number)
{
    return known && isfinite(number) ? plait_float(number) : plait_nil();
}

static plait_value no_memory(void)
{
    return plait_error_value(PLAIT_ENOMEM, "out of memory");
}

static plait_value column_data(const struct column_statistics *column,
                               size_t n_rows)
{
    bool is_number = column->kind == COLUMN_NUMBER;
    bool is_counted = column->kind == COLUMN_TEXT && !column->too_many;
    const struct moments *moments = &column->moments;
    const plait_value keys[] = {
        plait_string("name"),    plait_string("kind"), plait_string("count"),
        plait_string("missing"), plait_string("mean"), plait_string("std"),
        plait_string("min"),     plait_string("max"),  plait_string("distinct")
    };
    const plait_value values[COUNT_OF(keys)] = {
        plait_string(column->name),
        plait_string(column_kind_name(column->kind)),
        count_value(column->count),
        count_value(n_rows - column->count),
        number_value(is_number, moments->mean),
        number_value(is_number, moments_deviation(moments)),
        number_value(is_number, moments->min),
        number_value(is_number, moments->max),
        is_counted ? count_value(column->distinct.n) : plait_nil()
    };
    return plait_dict(keys, values, COUNT_OF(keys));
}

static plait_value entry_data(const struct tally_entry *entry)
{
    const plait_value keys[] = { plait_string("key"), plait_string("count"),
                                 plait_string("mean") };
    const plait_value values[COUNT_OF(keys)] = {
        plait_string(entry->text), count_value(entry->count),
        number_value(entry->count > 0, entry->mean)
    };
    return plait_dict(keys, values, COUNT_OF(keys));
}

/* Takes the values, and frees the array. */
static plait_value list_of(plait_value *values, size_t n)
{
    plait_value list = plait_list(values, n);
    free(values);
    return list;
}

static plait_value entries_data(const struct tally *tally)
{
    const struct tally_entry **sorted = summary_sorted(tally);
    plait_value *values = calloc(tally->n + 1, sizeof *values);
    if (!sorted || !values) {
        free(sorted);
        free(values);
        return no_memory();
    }
    for (size_t i = 0; i < tally->n; i++)
        values[i] = entry_data(sorted[i]);
    free(sorted);
    return list_of(values, tally->n);
}

static plait_value group_by_data(const struct group_by *by)
{
    const plait_value keys[] = { plait_string("key"), plait_string("value"),
                                 plait_string("groups") };
    const plait_value values[COUNT_OF(keys)] = { plait_string(by->key),
                                                 plait_string(by->value),
                                                 entries_data(&by->groups) };
    return plait_dict(keys, values, COUNT_OF(keys));
}

static plait_value columns_data(const struct statistics *statistics)
{
    size_t n = statistics->n_columns;
    plait_value *values = calloc(n + 1, sizeof *values);
    if (!values)
        return no_memory();
    for (size_t i = 0; i < n; i++)
        values[i] = column_data(&statistics->columns[i], statistics->n_rows);
    return list_of(values, n);
}

static plait_value group_bys_data(const struct statistics *statistics)
{
    size_t n = statistics->n_group_bys;
    plait_value *values = calloc(n + 1, sizeof *values);
    if (!values)
        return no_memory();
    for (size_t i = 0; i < n; i++)
        values[i] = group_by_data(&statistics->group_bys[i]);
    return list_of(values, n);
}

plait_value summary_data(const struct statistics *statistics)
{
    const plait_value keys[] = { plait_string("files"), plait_string("rows"),
                                 plait_string("columns"),
                                 plait_string("groups") };
    const plait_value values[COUNT_OF(keys)] = {
        count_value(statistics->n_tables), count_value(statistics->n_rows),
        columns_data(statistics), group_bys_data(statistics)
    };
    return plait_dict(keys, values, COUNT_OF(keys));
}
