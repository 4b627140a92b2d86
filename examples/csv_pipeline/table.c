/* SPDX-License-Identifier: BSD-3-Clause */
/* table.c: see table.h. */
#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct table *table_new(const char *path)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->path = text_copy(path, strlen(path));
    if (!t->path) {
        free(t);
        return NULL;
    }
    return t;
}

static void column_fini(struct column *column)
{
    free(column->name);
    free(column->numbers);
    free(column->starts);
    free(column->text);
}

void table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_columns; i++)
        column_fini(&table->columns[i]);
    free(table->columns);
    free(table->lines);
    free(table->path);
    free(table);
}

struct column *table_add_column(struct table *table, const char *name,
                                enum column_kind kind)
{
    if (table->n_columns == table->column_capacity) {
        size_t capacity = table->column_capacity * 2 + 16;
        struct column *columns =
            realloc(table->columns, capacity * sizeof *columns);
        if (!columns)
            return NULL;
        table->columns = columns;
        table->column_capacity = capacity;
    }
    struct column *added = &table->columns[table->n_columns];
    *added =
        (struct column){ .name = text_copy(name, strlen(name)), .kind = kind };
    if (!added->name)
        return NULL;
    table->n_columns++;
    return added;
}

static bool grow(size_t **array, size_t capacity)
{
    if (capacity > SIZE_MAX / sizeof **array)
        return false;
    size_t *grown = realloc(*array, capacity * sizeof **array);
    if (grown)
        *array = grown;
    return grown != NULL;
}

static bool grow_rows(struct table *table)
{
    size_t capacity = table->row_capacity * 2 + 16;
    for (size_t i = 0; i < table->n_columns; i++)
        if (!grow(&table->columns[i].starts, capacity))
            return false;
    if (!grow(&table->lines, capacity))
        return false;
    table->row_capacity = capacity;
    return true;
}

bool table_add_row(struct table *table, size_t line)
{
    if (table->n_rows == table->row_capacity && !grow_rows(table))
        return false;
    size_t row = table->n_rows++;
    for (size_t i = 0; i < table->n_columns; i++)
        table->columns[i].starts[row] = NO_TEXT;
    table->lines[row] = line;
    return true;
}

bool table_put_text(struct table *table, size_t index, const char *text,
                    size_t length)
{
    struct column *column = &table->columns[index];
    if (length >= column->text_capacity - column->text_size) {
        if (length > SIZE_MAX / 4 || column->text_size > SIZE_MAX / 4)
            return false;
        size_t capacity = (column->text_size + length) * 2 + 64;
        char *grown = realloc(column->text, capacity);
        if (!grown)
            return false;
        column->text = grown;
        column->text_capacity = capacity;
    }
    column->starts[table->n_rows - 1] = column->text_size;
    memcpy(column->text + column->text_size, text, length);
    column->text[column->text_size + length] = '\0';
    column->text_size += length + 1;
    return true;
}

const struct column *table_find(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const char *column_text(const struct column *column, size_t row)
{
    size_t start = column->starts[row];
    return start == NO_TEXT ? NULL : column->text + start;
}

const char *column_kind_name(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_EMPTY:
        return "empty";
    case COLUMN_NUMBER:
        return "number";
    case COLUMN_TEXT:
        return "text";
    case COLUMN_MIXED:
        return "mixed";
    }
    return "?";
}
