/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * line.h: one line of the log in the making, on the stack while it is short.
 *
 * Text from outside (messages, keys, names) is escaped, so that a line is one
 * line, is valid UTF-8, and can't steer a terminal:
 *   newline, carriage return, tab      \n \r \t
 *   other control characters           \x1b, \u009b
 *   line and paragraph separators,
 *   overrides of the text's direction  \u2028, \u202e
 *   bytes that are no UTF-8            \xff
 * A backslash stays as it is: lines are for people, and Windows paths, regular
 * expressions and JSON should look in the log as they are.
 *
 * Running out of memory cuts the line; pl_line_end then says so in the line.
 *
 * Thread: one at a time.  Blocks: no.
 */
#ifndef PL_LINE_H
#define PL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define PL_LINE_ROOM 1024

typedef struct pl_line {
    char *text; /* `room`, or from the heap; no final NUL */
    size_t length;
    size_t capacity;
    bool cut; /* something was left out for want of memory */
    char room[PL_LINE_ROOM];
} pl_line;

/* How a text's characters are written. */
typedef enum pl_line_style {
    PL_LINE_PLAIN, /* as above */
    PL_LINE_REPR,  /* as Python's repr: quoted, backslashes doubled */
    PL_LINE_ASCII  /* as Python's ascii: also without non-ASCII characters */
} pl_line_style;

void pl_line_init(pl_line *line);
void pl_line_fini(pl_line *line);

/* Bytes as they are. */
void pl_line_add(pl_line *line, const char *text, size_t length);

/* At most `max_characters` of a text, escaped. In a quoted style the quotes
 * count as characters. */
void pl_line_add_text(pl_line *line, const char *text, size_t length,
                      pl_line_style style, size_t max_characters);

/* Pads what is in the line from `begin` on with spaces to `width` characters:
 * behind it when `left`, else before it. */
void pl_line_pad(pl_line *line, size_t begin, size_t width, bool left);

/* Puts the newline, and before it the notice when the line was cut. */
void pl_line_end(pl_line *line);

#endif
