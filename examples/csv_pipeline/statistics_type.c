/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * statistics_type.c: see statistics_type.h. Encoded as the array
 *   [tables, rows, [column…], [group-by…]]
 *   column   [name, kind, count, [count, mean, squares, min, max], too many,
 *             [text…]]
 *   group-by [key, value, [[text, count, mean]…]]
 */
#include "statistics_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statistics.h"
#include "text.h"

static void free_statistics(void *data)
{
    statistics_free(data);
}

static int format_statistics(const void *data, char *buf, size_t size)
{
    const struct statistics *statistics = data;
    return snprintf(buf, size, "<statistics: %zu tables, %zu rows>",
                    statistics->n_tables, statistics->n_rows);
}

static void encode_text(plait_encoder *encoder, const char *text)
{
    plait_encode_string(encoder, text, strlen(text));
}

static void encode_moments(plait_encoder *encoder,
                           const struct moments *moments)
{
    plait_encode_array(encoder, 5);
    plait_encode_int(encoder, (int64_t)moments->count);
    plait_encode_float(encoder, moments->mean);
    plait_encode_float(encoder, moments->squares);
    plait_encode_float(encoder, moments->min);
    plait_encode_float(encoder, moments->max);
}

static void encode_column(plait_encoder *encoder,
                          const struct column_statistics *column)
{
    plait_encode_array(encoder, 6);
    encode_text(encoder, column->name);
    plait_encode_int(encoder, column->kind);
    plait_encode_int(encoder, (int64_t)column->count);
    encode_moments(encoder, &column->moments);
    plait_encode_bool(encoder, column->too_many);
    plait_encode_array(encoder, column->distinct.n);
    for (size_t i = 0; i < column->distinct.n; i++)
        encode_text(encoder, column->distinct.entries[i].text);
}

static void encode_group_by(plait_encoder *encoder, const struct group_by *by)
{
    plait_encode_array(encoder, 3);
    encode_text(encoder, by->key);
    encode_text(encoder, by->value);
    plait_encode_array(encoder, by->groups.n);
    for (size_t i = 0; i < by->groups.n; i++) {
        const struct tally_entry *entry = &by->groups.entries[i];
        plait_encode_array(encoder, 3);
        encode_text(encoder, entry->text);
        plait_encode_int(encoder, (int64_t)entry->count);
        plait_encode_float(encoder, entry->mean);
    }
}

/* An encoder's errors stick: plait_encode tells the first. */
static plait_status encode_statistics(const void *data, plait_encoder *encoder,
                                      plait_error *err)
{
    (void)err;
    const struct statistics *statistics = data;
    plait_encode_array(encoder, 4);
    plait_encode_int(encoder, (int64_t)statistics->n_tables);
    plait_encode_int(encoder, (int64_t)statistics->n_rows);
    plait_encode_array(encoder, statistics->n_columns);
    for (size_t i = 0; i < statistics->n_columns; i++)
        encode_column(encoder, &statistics->columns[i]);
    plait_status status = plait_encode_array(encoder, statistics->n_group_bys);
    for (size_t i = 0; i < statistics->n_group_bys; i++)
        encode_group_by(encoder, &statistics->group_bys[i]);
    return status;
}

static bool decode_array_of(plait_decoder *decoder, size_t expected)
{
    size_t n;
    return plait_decode_array(decoder, &n) == PLAIT_OK && n == expected;
}

static bool decode_size(plait_decoder *decoder, size_t *size)
{
    int64_t i;
    if (plait_decode_int(decoder, &i) != PLAIT_OK || i < 0)
        return false;
    *size = (size_t)i;
    return true;
}

static bool decode_moments(plait_decoder *decoder, struct moments *moments)
{
    return decode_array_of(decoder, 5) &&
           decode_size(decoder, &moments->count) &&
           plait_decode_float(decoder, &moments->mean) == PLAIT_OK &&
           plait_decode_float(decoder, &moments->squares) == PLAIT_OK &&
           plait_decode_float(decoder, &moments->min) == PLAIT_OK &&
           plait_decode_float(decoder, &moments->max) == PLAIT_OK;
}

static struct tally_entry *decode_entry(plait_decoder *decoder,
                                        struct tally *tally)
{
    char *text = text_decode(decoder);
    struct tally_entry *entry = text ? tally_at(tally, text) : NULL;
    free(text);
    return entry;
}

static bool decode_distinct(plait_decoder *decoder,
                            struct column_statistics *column)
{
    size_t n;
    if (plait_decode_bool(decoder, &column->too_many) != PLAIT_OK ||
        plait_decode_array(decoder, &n) != PLAIT_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!decode_entry(decoder, &column->distinct))
            return false;
    return true;
}

static bool decode_column(plait_decoder *decoder, struct statistics *statistics)
{
    if (!decode_array_of(decoder, 6))
        return false;
    char *name = text_decode(decoder);
    struct column_statistics *column =
        name ? statistics_add_column(statistics, name) : NULL;
    free(name);
    int64_t kind;
    if (!column || plait_decode_int(decoder, &kind) != PLAIT_OK ||
        kind < COLUMN_EMPTY || kind > COLUMN_MIXED)
        return false;
    column->kind = (enum column_kind)kind;
    return decode_size(decoder, &column->count) &&
           decode_moments(decoder, &column->moments) &&
           decode_distinct(decoder, column);
}

static bool decode_groups(plait_decoder *decoder, struct tally *groups)
{
    size_t n;
    if (plait_decode_array(decoder, &n) != PLAIT_OK)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!decode_array_of(decoder, 3))
            return false;
        struct tally_entry *entry = decode_entry(decoder, groups);
        if (!entry || !decode_size(decoder, &entry->count) ||
            plait_decode_float(decoder, &entry->mean) != PLAIT_OK)
            return false;
    }
    return true;
}

static bool decode_group_by(plait_decoder *decoder,
                            struct statistics *statistics)
{
    if (!decode_array_of(decoder, 3))
        return false;
    size_t known = statistics->n_group_bys;
    struct problem ignored;
    char *key = text_decode(decoder);
    char *value = text_decode(decoder);
    bool sound =
        key && value && statistics_group(statistics, key, value, &ignored);
    free(key);
    free(value);
    return sound && statistics->n_group_bys > known &&
           decode_groups(decoder, &statistics->group_bys[known].groups);
}

static bool decode_all(plait_decoder *decoder, struct statistics *statistics)
{
    size_t n;
    if (!decode_array_of(decoder, 4) ||
        !decode_size(decoder, &statistics->n_tables) ||
        !decode_size(decoder, &statistics->n_rows) ||
        plait_decode_array(decoder, &n) != PLAIT_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!decode_column(decoder, statistics))
            return false;
    if (plait_decode_array(decoder, &n) != PLAIT_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!decode_group_by(decoder, statistics))
            return false;
    return true;
}

static void *decode_statistics(plait_decoder *decoder, plait_error *err)
{
    struct statistics *statistics = statistics_new();
    if (statistics && decode_all(decoder, statistics))
        return statistics;
    statistics_free(statistics);
    if (err) {
        err->status = PLAIT_ECODEC;
        snprintf(err->message, sizeof err->message, "these are no statistics");
    }
    return NULL;
}

const plait_type statistics_type = { PLAIT_TYPE_INIT,
                                     .name = "csv_pipeline.statistics",
                                     .free = free_statistics,
                                     .encode = encode_statistics,
                                     .decode = decode_statistics,
                                     .format = format_statistics };
