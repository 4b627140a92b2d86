/* SPDX-License-Identifier: BSD-3-Clause */
/* clean.c: see clean.h. */
#include "clean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_digits(const char *c)
{
    while (*c >= '0' && *c <= '9')
        c++;
    return c;
}

static const char *skip_sign(const char *c)
{
    return *c == '+' || *c == '-' ? c + 1 : c;
}

/* strtod alone would also read "0x10", "inf" and " 1". */
static bool is_decimal(const char *text)
{
    const char *begin = skip_sign(text);
    const char *end = skip_digits(begin);
    size_t digits = (size_t)(end - begin);
    if (*end == '.') {
        begin = end + 1;
        end = skip_digits(begin);
        digits += (size_t)(end - begin);
    }
    if (digits == 0)
        return false;
    if (*end == 'e' || *end == 'E') {
        begin = skip_sign(end + 1);
        end = skip_digits(begin);
        if (end == begin)
            return false;
    }
    return *end == '\0';
}

/* Most numbers are short integers: those need no strtod. */
static bool read_short_integer(const char *text, double *number)
{
    const char *begin = skip_sign(text);
    long long integer = 0;
    size_t n = 0;
    for (; begin[n] >= '0' && begin[n] <= '9' && n < 15; n++)
        integer = integer * 10 + (begin[n] - '0');
    *number = (double)(*text == '-' ? -integer : integer);
    return n > 0 && begin[n] == '\0';
}

enum number_kind number_read(const char *text, double *number)
{
    if (read_short_integer(text, number))
        return NUMBER_FITS;
    if (!is_decimal(text))
        return NUMBER_NONE;
    *number = strtod(text, NULL);
    return isfinite(*number) ? NUMBER_FITS : NUMBER_TOO_LARGE;
}

static bool is_missing(const char *text)
{
    return *text == '\0' || strcmp(text, "NA") == 0 ||
           strcmp(text, "NaN") == 0 || strcmp(text, "nan") == 0;
}

/* What a column of text holds. The rows are the first of their sort. */
struct contents {
    size_t n_numbers;
    size_t n_texts;
    size_t text_row;
    size_t n_too_large;
    size_t too_large_row;
};

/* Reads the numbers, as far as there are any, into `numbers`. */
static struct contents examine(const struct column *raw, size_t n_rows,
                               double *numbers)
{
    struct contents found = { 0 };
    for (size_t row = 0; row < n_rows; row++) {
        const char *text = column_text(raw, row);
        numbers[row] = NAN;
        if (!text || is_missing(text))
            continue;
        switch (number_read(text, &numbers[row])) {
        case NUMBER_FITS:
            found.n_numbers++;
            break;
        case NUMBER_TOO_LARGE:
            if (found.n_too_large++ == 0)
                found.too_large_row = row;
            break;
        case NUMBER_NONE:
            if (found.n_texts++ == 0)
                found.text_row = row;
            break;
        }
    }
    return found;
}

static bool copy_texts(const struct column *raw, size_t n_rows,
                       struct column *clean)
{
    clean->starts = malloc(n_rows * sizeof *clean->starts);
    clean->text = malloc(raw->text_size);
    if (!clean->starts || !clean->text)
        return false;
    memcpy(clean->text, raw->text, raw->text_size);
    clean->text_size = clean->text_capacity = raw->text_size;
    for (size_t row = 0; row < n_rows; row++) {
        const char *text = column_text(raw, row);
        bool missing = !text || is_missing(text);
        clean->starts[row] = missing ? NO_TEXT : raw->starts[row];
    }
    return true;
}

static bool too_large(const struct table *table, const struct column *column,
                      size_t row, struct problem *problem)
{
    return problem_set(problem, table->lines[row],
                       "column \"%.60s\": %.60s is too large for a number",
                       column->name, column_text(column, row));
}

static void describe_odd_text(const struct table *table,
                              const struct column *column, size_t row,
                              struct problem *found)
{
    problem_set(found, table->lines[row],
                "column \"%.60s\" has numbers, but this is none: \"%.60s\"",
                column->name, column_text(column, row));
}

/* The note's line is 0 when there is nothing to say. */
static bool clean_column(const struct table *raw, size_t index,
                         struct table *clean, struct problem *note,
                         struct problem *problem)
{
    const struct column *from = &raw->columns[index];
    struct column *to = table_add_column(clean, from->name, COLUMN_EMPTY);
    if (!to)
        return problem_no_memory(problem);
    if (raw->n_rows == 0)
        return true;
    to->numbers = malloc(raw->n_rows * sizeof *to->numbers);
    if (!to->numbers)
        return problem_no_memory(problem);
    struct contents found = examine(from, raw->n_rows, to->numbers);
    if (found.n_texts == 0 && found.n_too_large > 0)
        return too_large(raw, from, found.too_large_row, problem);
    if (found.n_texts == 0 && found.n_numbers > 0) {
        to->kind = COLUMN_NUMBER;
        return true;
    }
    free(to->numbers);
    to->numbers = NULL;
    if (found.n_texts == 0)
        return true;
    to->kind = COLUMN_TEXT;
    if (found.n_numbers > 0)
        describe_odd_text(raw, from, found.text_row, note);
    return copy_texts(from, raw->n_rows, to) || problem_no_memory(problem);
}

static bool copy_lines(const struct table *raw, struct table *clean)
{
    if (raw->n_rows == 0)
        return true;
    clean->lines = malloc(raw->n_rows * sizeof *clean->lines);
    if (!clean->lines)
        return false;
    memcpy(clean->lines, raw->lines, raw->n_rows * sizeof *clean->lines);
    clean->n_rows = clean->row_capacity = raw->n_rows;
    return true;
}

struct table *table_clean(const struct table *raw,
                          void (*note)(const struct problem *found, void *user),
                          void *user, struct problem *problem)
{
    struct table *clean = table_new(raw->path);
    if (!clean || !copy_lines(raw, clean)) {
        problem_no_memory(problem);
        table_free(clean);
        return NULL;
    }
    for (size_t i = 0; i < raw->n_columns; i++) {
        struct problem found = { 0 };
        if (!clean_column(raw, i, clean, &found, problem)) {
            table_free(clean);
            return NULL;
        }
        if (found.line && note)
            note(&found, user);
    }
    return clean;
}
