/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outputs.h: what a run writes besides its result: log, trace, progress and
 * the drawn graph. There is one set of them in the process, and it outlives
 * main: tasks that never end may still pass their events to its gate.
 */
#ifndef PL_OUTPUTS_H
#define PL_OUTPUTS_H

#include <plait/plait.h>

#include "cli/gate.h"
#include "cli/run_options.h"

/* Each returns false when it failed, which it has reported then. */

/* First.  Thread: main. */
bool pl_outputs_open_log(const pl_run_options *run);

/* The observers that the options ask for.  Thread: main. */
bool pl_outputs_open_observers(const pl_run_options *run);
const pl_gate *pl_outputs_gate(void);

/* The run has ended, as far as it will: no event passes any more. Progress
 * shows its end.  Thread: main. */
void pl_outputs_end_run(void);

/* Draws to the file of the options; after the run coloured.  Thread: main. */
bool pl_outputs_draw(const pl_run_options *run, const plait_graph *graph,
                     plait_task task);

/* Writes the trace and closes the log, while tasks may still run: at the end,
 * or before leaving after a signal.  Thread: any. */
bool pl_outputs_close(void);

/* What only main may free, and the lines that the log could not take. */
void pl_outputs_fini(const pl_run_options *run);

#endif
