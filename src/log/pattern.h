/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pattern.h: the pattern language of Python's logging, %-style: text, %% and
 * %(field)[flags][width][.precision]conversion.
 *
 * A pattern is parsed once, when the log is opened. What Python would refuse
 * when it formats a line (a string with %d, a field that isn't there) is
 * refused when parsing. Widths and precisions count characters, up to 255.
 *
 * Thread: any, once parsed.  Blocks: no.
 */
#ifndef PL_PATTERN_H
#define PL_PATTERN_H

#include <plait/log.h>

#include "log/line.h"

/* "2026-11-22 12:00:00" and NUL. */
#define PL_DATE_SIZE 32

typedef struct pl_pattern_segment pl_pattern_segment;

/* All zero is empty. */
typedef struct pl_pattern {
    char *text; /* the format; literal segments point into it */
    pl_pattern_segment *segments;
    size_t n_segments;
    size_t capacity;
} pl_pattern;

/* PLAIT_EINVAL says what is wrong, and where. On failure nothing is held. */
plait_status pl_pattern_parse(pl_pattern *pattern, const char *format,
                              plait_error *err);
void pl_pattern_fini(pl_pattern *pattern);

/* Adds a record to a line, without its end, on the thread that logs it. `date`
 * is the record's local time, to the second. */
void pl_pattern_render(const pl_pattern *pattern,
                       const plait_log_record *record, const char *date,
                       pl_line *line);

/* "INFO"; for a number between the levels "Level 25", in `buf`. */
const char *pl_level_name(plait_level level, char buf[24]);

#endif
