/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * statistics.h: what is known of one table, or of several together: per column
 * its kind, count, moments and distinct texts, and the groups of each group-by.
 */
#ifndef EXAMPLE_STATISTICS_H
#define EXAMPLE_STATISTICS_H

#include "moments.h"
#include "problem.h"
#include "table.h"
#include "tally.h"

/* Distinct texts are counted up to this many, lest they fill the memory. */
#define DISTINCT_LIMIT ((size_t)100000)

struct column_statistics {
    char *name;
    enum column_kind kind;
    size_t count;           /* of the values that are there */
    struct moments moments; /* COLUMN_NUMBER */
    struct tally distinct;  /* COLUMN_TEXT */
    bool too_many;          /* more than DISTINCT_LIMIT; `distinct` is empty */
};

/* The mean of a column per value of another. A row without the key is in no
 * group; one without the value counts for no mean. */
struct group_by {
    char *key;
    char *value;
    struct tally groups;
};

/* All zero is that of no table. */
struct statistics {
    size_t n_tables;
    size_t n_rows;
    size_t n_columns;
    struct column_statistics *columns;
    size_t n_group_bys;
    struct group_by *group_bys;
};

struct statistics *statistics_new(void);
void statistics_free(struct statistics *statistics);

/* Adds a group-by, before anything is in it. */
bool statistics_group(struct statistics *statistics, const char *key,
                      const char *value, struct problem *problem);

/* Fills new statistics from a typed table. False: no memory, or a column that
 * a group-by names isn't there, or has text where numbers are needed. */
bool statistics_of(struct statistics *statistics, const struct table *table,
                   struct problem *problem);

/* Adds what is known of other tables. False when there is no memory. */
bool statistics_merge(struct statistics *into, const struct statistics *from);

/* For decoding: adds an empty column. NULL when there is no memory. */
struct column_statistics *statistics_add_column(struct statistics *statistics,
                                                const char *name);

#endif
