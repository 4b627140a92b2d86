/* SPDX-License-Identifier: BSD-3-Clause */
/* progress_line.h: one line that says how far runs are. */
#ifndef PL_PROGRESS_LINE_H
#define PL_PROGRESS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL_PROGRESS_LINE_BYTES 256

typedef struct pl_progress {
    size_t total;
    size_t done;
    size_t failed;
    size_t skipped;
    int64_t elapsed_ns;
    bool ended;
} pl_progress;

/*
 * Writes the line, without newline; returns its length. `width`: a bar and its
 * numbers, in at most that many columns (as bytes: it is ASCII); 0: words, for
 * a file.
 * Thread: any.  Blocks: no.
 */
size_t pl_progress_line(const pl_progress *progress, unsigned width,
                        char line[PL_PROGRESS_LINE_BYTES]);

#endif
