/* SPDX-License-Identifier: BSD-3-Clause */
/* csv_text.h: tables from CSV text, for tests of what csv_pipeline is made of.
 */
#ifndef CSV_TEXT_H
#define CSV_TEXT_H

#include <stddef.h>

#include "problem.h"
#include "table.h"

/* Reads text by way of a file; NULL, and the problem, when it is no table. */
struct table *csv_text_read(const char *text, size_t size,
                            struct problem *problem);

/* The same, cleaned too. Asserts that both work. */
struct table *csv_text_clean(const char *text);

#endif
