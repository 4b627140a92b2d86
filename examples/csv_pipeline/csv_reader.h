/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_reader.h: reads a CSV file, a chunk at a time, into a table of text.
 *
 * The first row names the columns. Fields may be quoted, and may then hold
 * commas, quotes and line ends; lines end with LF, CRLF or CR; a UTF-8 byte
 * order mark is skipped, and so are blank lines. What makes no table is a
 * problem that names its line: a row that is longer or shorter than the header,
 * a stray or open quote, a NUL byte, two columns of one name.
 */
#ifndef EXAMPLE_CSV_READER_H
#define EXAMPLE_CSV_READER_H

#include "problem.h"
#include "table.h"

struct csv_reader;

enum csv_progress { CSV_MORE, CSV_END, CSV_FAILED };

/* NULL when it failed. */
struct csv_reader *csv_reader_open(const char *path, struct problem *problem);
void csv_reader_close(struct csv_reader *reader);

/* Reads the next chunk. */
enum csv_progress csv_reader_step(struct csv_reader *reader,
                                  struct problem *problem);

/* After CSV_END: the table, which is now the caller's. */
struct table *csv_reader_take(struct csv_reader *reader);

#endif
