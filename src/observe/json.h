/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.h: writing JSON to a file, fast. The caller puts the punctuation.
 *
 * The first failure sticks: what is put after it goes nowhere.
 *
 * Thread: one at a time.  Blocks: as the file system does.
 */
#ifndef PL_JSON_H
#define PL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PL_JSON_BYTES (32 * 1024)

/* All zero but `file` is the beginning. */
typedef struct pl_json {
    FILE *file;
    int sys_errno; /* why it failed; 0: it didn't */
    size_t n;      /* bytes that wait in `text` */
    char text[PL_JSON_BYTES];
} pl_json;

void pl_json_put(pl_json *json, const char *text, size_t length);
void pl_json_puts(pl_json *json, const char *text);
void pl_json_number(pl_json *json, uint64_t number);

/* Nanoseconds as microseconds with three places: 1234 is 1.234. */
void pl_json_us(pl_json *json, int64_t ns);

/* A string with its quotes. Bytes that are no UTF-8 become U+FFFD: JSON has no
 * other text. */
void pl_json_string(pl_json *json, const char *text, size_t length);

/* Writes what waits. False: something, now or before, could not be written. */
bool pl_json_flush(pl_json *json);

#endif
