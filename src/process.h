/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process.h: what there is once per process: the default executors that named
 * schedulers share, the executors that others registered, and what has to
 * happen at fork and at exit. (The log and the table of types keep their own.)
 */
#ifndef PL_PROCESS_H
#define PL_PROCESS_H

#include "executor/executor.h"

#define PL_SCHEDULERS_MAX 32 /* registered; our own come on top */

/* The ops of a scheduler by name, copied; false: nobody knows it.
 * Thread: any.  Blocks: no. */
bool pl_process_ops(const char *name, plait_executor_ops *ops);

/* The default executor of a scheduler, a reference; NULL: not open yet.
 * Thread: any.  Blocks: no. */
plait_executor *pl_process_default(const char *name);

/* Makes `executor` the default of its scheduler, unless there is one by now;
 * true: it is (and the process holds a reference).  Thread: any.  Blocks: no.
 */
bool pl_process_set_default(plait_executor *executor);

/* Sets up what has to happen at fork and at exit, once. No lock is held: the C
 * library may hold one of its own while it registers hooks, and while it runs
 * them.  Thread: any.  Blocks: no. */
void pl_process_hook(void);

/* How often this process has been forked: runs of a parent can't be waited for
 * in its child.  Thread: any.  Blocks: no. */
uint32_t pl_process_generation(void);

#endif
