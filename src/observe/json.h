/* SPDX-License-Identifier: BSD-3-Clause */
/* json.h: writing JSON to a file.  Thread: one at a time. */
#ifndef PL_JSON_H
#define PL_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <plait/error.h>

/* Writes `text` as a string with its quotes. Bytes that are no UTF-8 become
 * U+FFFD: JSON has no other text.  Blocks: as the file system does. */
void pl_json_string(FILE *file, const char *text, size_t length);

/* Writes nanoseconds as microseconds with three places: 1234 is 1.234. */
void pl_json_us(FILE *file, int64_t ns);

#endif
