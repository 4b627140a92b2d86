/* SPDX-License-Identifier: BSD-3-Clause */
/* outcome.h: printing what came of a run. */
#ifndef PL_OUTCOME_H
#define PL_OUTCOME_H

#include <plait/compute.h>

/* The value on standard output: strings as they are, all else as plait_format
 * has it, or as JSON; and a newline. */
void pl_outcome_print(plait_value value, bool json);

/* A line for an error, which begins with the task's key. */
void pl_outcome_report(const plait_error *err, const char *text);

/* A line for each task that failed itself; how many did. */
size_t pl_outcome_report_failures(plait_run *run);

#endif
