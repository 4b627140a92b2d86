/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table_type.c: see table_type.h. A table is encoded as the array
 *   [path, rows, lines, columns, then each column's name, kind and cells]
 * where the cells of numbers are one buffer, of texts two (starts, text). The
 * buffers are in this machine's byte order. Nothing that is decoded is trusted.
 */
#include "table_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "text.h"

static void free_table(void *data)
{
    table_free(data);
}

static int format_table(const void *data, char *buf, size_t size)
{
    const struct table *table = data;
    return snprintf(buf, size, "<table %s: %zu rows, %zu columns>", table->path,
                    table->n_rows, table->n_columns);
}

static size_t items_of(enum column_kind kind)
{
    return kind == COLUMN_NUMBER ? 3 : kind == COLUMN_TEXT ? 4 : 2;
}

static void encode_column(const struct column *column, size_t n_rows,
                          plait_encoder *encoder)
{
    plait_encode_string(encoder, column->name, strlen(column->name));
    plait_encode_int(encoder, column->kind);
    if (column->kind == COLUMN_NUMBER) {
        plait_encode_buffer(encoder, column->numbers,
                            n_rows * sizeof *column->numbers, plait_nil());
    } else if (column->kind == COLUMN_TEXT) {
        plait_encode_buffer(encoder, column->starts,
                            n_rows * sizeof *column->starts, plait_nil());
        plait_encode_buffer(encoder, column->text, column->text_size,
                            plait_nil());
    }
}

/* An encoder's errors stick: plait_encode tells the first. */
static plait_status encode_table(const void *data, plait_encoder *encoder,
                                 plait_error *err)
{
    (void)err;
    const struct table *table = data;
    size_t n_items = 4;
    for (size_t i = 0; i < table->n_columns; i++)
        n_items += items_of(table->columns[i].kind);
    plait_encode_array(encoder, n_items);
    plait_encode_string(encoder, table->path, strlen(table->path));
    plait_encode_int(encoder, (int64_t)table->n_rows);
    plait_encode_buffer(encoder, table->lines,
                        table->n_rows * sizeof *table->lines, plait_nil());
    plait_status status = plait_encode_int(encoder, (int64_t)table->n_columns);
    for (size_t i = 0; i < table->n_columns; i++)
        encode_column(&table->columns[i], table->n_rows, encoder);
    return status;
}

/* A copy of a buffer that must have `n` items of `item_size`; `n` SIZE_MAX:
 * any number, which is then told. */
static void *decode_array(plait_decoder *decoder, size_t item_size, size_t *n)
{
    const void *data;
    size_t size;
    plait_value lease;
    if (plait_decode_buffer(decoder, &data, &size, &lease) != PLAIT_OK)
        return NULL;
    void *copy = NULL;
    if (*n == SIZE_MAX)
        *n = size / item_size;
    if (size % item_size == 0 && size / item_size == *n)
        copy = malloc(size ? size : 1);
    if (copy && size)
        memcpy(copy, data, size);
    plait_release(lease);
    return copy;
}

static bool texts_are_sound(const struct column *column, size_t n_rows)
{
    if (column->text_size && column->text[column->text_size - 1] != '\0')
        return false;
    for (size_t row = 0; row < n_rows; row++)
        if (column->starts[row] != NO_TEXT &&
            column->starts[row] >= column->text_size)
            return false;
    return true;
}

static bool decode_column(plait_decoder *decoder, struct table *table)
{
    char *name = text_decode(decoder);
    int64_t kind = COLUMN_EMPTY;
    struct column *column = NULL;
    if (name && plait_decode_int(decoder, &kind) == PLAIT_OK)
        column = table_add_column(table, name, COLUMN_EMPTY);
    free(name);
    if (!column || kind < COLUMN_EMPTY || kind > COLUMN_TEXT)
        return false;
    size_t n_rows = table->n_rows;
    if (kind == COLUMN_NUMBER) {
        column->numbers =
            decode_array(decoder, sizeof *column->numbers, &n_rows);
        if (!column->numbers)
            return false;
    } else if (kind == COLUMN_TEXT) {
        column->starts = decode_array(decoder, sizeof *column->starts, &n_rows);
        column->text_size = SIZE_MAX;
        column->text = decode_array(decoder, 1, &column->text_size);
        if (!column->starts || !column->text ||
            !texts_are_sound(column, table->n_rows))
            return false;
        column->text_capacity = column->text_size;
    }
    column->kind = (enum column_kind)kind;
    return true;
}

static bool decode_header(plait_decoder *decoder, struct table *table,
                          size_t *n_columns)
{
    int64_t n_rows;
    int64_t n;
    if (plait_decode_int(decoder, &n_rows) != PLAIT_OK || n_rows < 0)
        return false;
    table->n_rows = table->row_capacity = (size_t)n_rows;
    table->lines = decode_array(decoder, sizeof *table->lines, &table->n_rows);
    if (!table->lines || plait_decode_int(decoder, &n) != PLAIT_OK || n < 0)
        return false;
    *n_columns = (size_t)n;
    return true;
}

static struct table *decode_rows(plait_decoder *decoder)
{
    size_t n_items;
    if (plait_decode_array(decoder, &n_items) != PLAIT_OK || n_items < 4)
        return NULL;
    char *path = text_decode(decoder);
    struct table *table = path ? table_new(path) : NULL;
    free(path);
    size_t n_columns = 0;
    bool sound = table && decode_header(decoder, table, &n_columns);
    size_t n_decoded = 4;
    for (size_t i = 0; sound && i < n_columns; i++) {
        sound = decode_column(decoder, table);
        if (sound)
            n_decoded += items_of(table->columns[i].kind);
    }
    if (sound && n_decoded == n_items)
        return table;
    table_free(table);
    return NULL;
}

static void *decode_table(plait_decoder *decoder, plait_error *err)
{
    struct table *table = decode_rows(decoder);
    if (!table && err) {
        err->status = PLAIT_ECODEC;
        snprintf(err->message, sizeof err->message, "this is no table");
    }
    return table;
}

const plait_type table_type = {
    PLAIT_TYPE_INIT,        .name = "csv_pipeline.table", .free = free_table,
    .encode = encode_table, .decode = decode_table,       .format = format_table
};
