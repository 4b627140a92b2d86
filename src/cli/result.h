/* SPDX-License-Identifier: BSD-3-Clause */
/* result.h: printing what came of a run. */
#ifndef PL_RESULT_H
#define PL_RESULT_H

#include <plait/compute.h>

/* The value on standard output: strings as they are, all else as plait_format
 * has it, or as JSON; and a newline. */
void pl_result_print(plait_value value, bool json);

/* A line for an error, which begins with the task's key. */
void pl_result_report(const plait_error *err, const char *text);

/* A line for each task that failed itself; how many did. */
size_t pl_result_report_failures(plait_run *run);

#endif
