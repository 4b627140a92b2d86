/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.h: a table with typed columns, which are stored one after another.
 *
 * load_data makes tables of text only, clean_data makes typed ones of them. A
 * table that has been handed to plait_object is not changed any more.
 */
#ifndef EXAMPLE_TABLE_H
#define EXAMPLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum column_kind {
    COLUMN_EMPTY = 0,  /* every value is missing */
    COLUMN_NUMBER = 1, /* every value that is there is a number */
    COLUMN_TEXT = 2,
    COLUMN_MIXED = 3 /* numbers in one file, text in another: no table has it */
};

/* column.starts of a row without a value */
#define NO_TEXT ((size_t)-1)

struct column {
    char *name;
    enum column_kind kind;
    double *numbers; /* COLUMN_NUMBER: one a row, NaN where missing */
    size_t *starts;  /* COLUMN_TEXT: where each row's text begins in `text` */
    char *text;      /* each ends with NUL */
    size_t text_size;
    size_t text_capacity;
};

struct table {
    char *path; /* the file that it was read from */
    size_t n_columns;
    size_t column_capacity;
    struct column *columns;
    size_t n_rows;
    size_t row_capacity;
    size_t *lines; /* in which line of the file each row begins */
};

/* NULL when there is no memory, as for every function here that makes one. */
struct table *table_new(const char *path);
void table_free(struct table *table);

/* Adds a column before there is a row. NULL when there is no memory. */
struct column *table_add_column(struct table *table, const char *name,
                                enum column_kind kind);

/* Adds a row, without values, to a table of text columns; then its values.
 * False when there is no memory. */
bool table_add_row(struct table *table, size_t line);
bool table_put_text(struct table *table, size_t column, const char *text,
                    size_t length);

/* NULL when there is none of that name. */
const struct column *table_find(const struct table *table, const char *name);

/* The text of a row of a text column; NULL when missing. */
const char *column_text(const struct column *column, size_t row);

/* A name for people: "number". */
const char *column_kind_name(enum column_kind kind);

#endif
