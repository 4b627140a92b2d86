/* SPDX-License-Identifier: BSD-3-Clause */
/* summary_text.c: see summary.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "summary.h"
#include "summary_order.h"

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7F;
}

/* In characters: bytes that go on with a UTF-8 character don't count. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (const char *c = text; *c; c++)
        if (is_control((unsigned char)*c))
            width += 4;
        else if (((unsigned char)*c & 0xC0) != 0x80)
            width++;
    return width;
}

/* Control characters as \x0a; filled up with spaces. */
static void put_name(FILE *out, const char *text, size_t width)
{
    for (const char *c = text; *c; c++)
        if (is_control((unsigned char)*c))
            fprintf(out, "\\x%02x", (unsigned)(unsigned char)*c);
        else
            putc(*c, out);
    for (size_t i = width_of(text); i < width; i++)
        putc(' ', out);
}

static void put_number(FILE *out, double number)
{
    if (isnan(number))
        fprintf(out, " %11s", "-");
    else
        fprintf(out, " %11.6g", number);
}

static void put_distinct(FILE *out, const struct column_statistics *column)
{
    if (column->kind != COLUMN_TEXT)
        fprintf(out, " %9s", "-");
    else if (column->too_many)
        fprintf(out, "   >%zu", DISTINCT_LIMIT);
    else
        fprintf(out, " %9zu", column->distinct.n);
}

static void put_column(FILE *out, const struct column_statistics *column,
                       size_t n_rows, size_t width)
{
    put_name(out, column->name, width);
    fprintf(out, "  %-6s %9zu %9zu", column_kind_name(column->kind),
            column->count, n_rows - column->count);
    bool known = column->kind == COLUMN_NUMBER;
    const struct moments *moments = &column->moments;
    put_number(out, known ? moments->mean : (double)NAN);
    put_number(out, known ? moments_deviation(moments) : (double)NAN);
    put_number(out, known ? moments->min : (double)NAN);
    put_number(out, known ? moments->max : (double)NAN);
    put_distinct(out, column);
    putc('\n', out);
}

static void put_columns(FILE *out, const struct statistics *statistics)
{
    size_t width = strlen("column");
    for (size_t i = 0; i < statistics->n_columns; i++) {
        size_t needed = width_of(statistics->columns[i].name);
        width = needed > width ? needed : width;
    }
    put_name(out, "column", width);
    fprintf(out, "  %-6s %9s %9s %11s %11s %11s %11s %9s\n", "kind", "count",
            "missing", "mean", "std", "min", "max", "distinct");
    for (size_t i = 0; i < statistics->n_columns; i++)
        put_column(out, &statistics->columns[i], statistics->n_rows, width);
}

static bool put_group_by(FILE *out, const struct group_by *by)
{
    const struct tally_entry **sorted = summary_sorted(&by->groups);
    if (!sorted)
        return false;
    size_t width = width_of(by->key);
    for (size_t i = 0; i < by->groups.n; i++) {
        size_t needed = width_of(sorted[i]->text);
        width = needed > width ? needed : width;
    }
    fprintf(out, "\nmean of ");
    put_name(out, by->value, 0);
    fprintf(out, " by ");
    put_name(out, by->key, 0);
    putc('\n', out);
    put_name(out, by->key, width);
    fprintf(out, " %9s %11s\n", "count", "mean");
    for (size_t i = 0; i < by->groups.n; i++) {
        put_name(out, sorted[i]->text, width);
        fprintf(out, " %9zu", sorted[i]->count);
        put_number(out, sorted[i]->count ? sorted[i]->mean : (double)NAN);
        putc('\n', out);
    }
    free(sorted);
    return true;
}

char *summary_text(const struct statistics *statistics)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out, "%zu file%s, %zu row%s\n\n", statistics->n_tables,
            statistics->n_tables == 1 ? "" : "s", statistics->n_rows,
            statistics->n_rows == 1 ? "" : "s");
    put_columns(out, statistics);
    bool whole = true;
    for (size_t i = 0; whole && i < statistics->n_group_bys; i++)
        whole = put_group_by(out, &statistics->group_bys[i]);
    whole = whole && !ferror(out);
    if (fclose(out) != 0 || !whole) {
        free(text);
        return NULL;
    }
    return text;
}
