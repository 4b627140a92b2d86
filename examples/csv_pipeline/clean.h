/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clean.h: makes a typed table of a table of text.
 *
 * A value is missing when it is empty, NA, NaN or nan. A column in which every
 * other value is a number becomes one of numbers.
 */
#ifndef EXAMPLE_CLEAN_H
#define EXAMPLE_CLEAN_H

#include "problem.h"
#include "table.h"

/*
 * NULL when it failed: no memory, or a number that a double can't hold. `note`
 * (may be NULL) is told of each text column that has numbers in it too, and of
 * the first line that has none.
 */
struct table *table_clean(const struct table *raw,
                          void (*note)(const struct problem *found, void *user),
                          void *user, struct problem *problem);

enum number_kind { NUMBER_NONE, NUMBER_FITS, NUMBER_TOO_LARGE };

/* Reads a decimal number, "-12.5e3", if the whole text is one. */
enum number_kind number_read(const char *text, double *number);

#endif
