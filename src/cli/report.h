/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.h: the command's lines on standard error. Each is one line, whatever
 * the message: names of files are hostile.
 */
#ifndef PL_REPORT_H
#define PL_REPORT_H

#include <stddef.h>

#include <plait/version.h>

/* "plait: …" and a newline. */
void pl_report(const char *format, ...) PLAIT_PRINTF(1, 2);

/* The same, and a pointer to the help of `command`; returns PL_EXIT_USAGE. */
int pl_report_usage(const char *command, const char *format, ...)
    PLAIT_PRINTF(2, 3);

/* Copies text with control characters escaped, cut to `size` bytes with the
 * final NUL; returns the length. */
size_t pl_escape(char *buf, size_t size, const char *text);

/* Writes out what was printed; false, reported, when that failed. */
bool pl_flush_output(void);

#endif
