/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interrupt.h: Ctrl-C (SIGINT) and SIGTERM end the command soon, whatever its
 * tasks do.
 *
 * Two threads that run no tasks stand by. One waits for the signals: at the
 * first it wakes the other, cancels the run, says which tasks were running,
 * gives them a moment to end, has the files written, and leaves. The other
 * leaves after PL_INTERRUPT_LIMIT_MS, or at a second signal: neither a task
 * that holds a lock nor a pipe that nobody reads keeps the process.
 */
#ifndef PL_INTERRUPT_H
#define PL_INTERRUPT_H

#include <plait/compute.h>

#define PL_INTERRUPT_LIMIT_MS 200

/* First in main, while there is one thread: later ones inherit that the
 * signals are blocked. `write_files` (may be NULL) is called before leaving,
 * on the first thread, while tasks may still run. False, reported: there are
 * no threads to be had. */
bool pl_interrupt_watch(void (*write_files)(void *user), void *user);

/* The run that a signal cancels, and its graph.  Thread: any. */
void pl_interrupt_set_run(plait_run *run, const plait_graph *graph);

/* Before the run is freed: a signal has nothing to cancel any more. When one
 * has come already this doesn't return: the process is leaving. */
void pl_interrupt_clear_run(void);

#endif
