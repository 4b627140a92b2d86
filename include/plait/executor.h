/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * executor.h: pools of one's own. Naming a scheduler in plait_options is
 * enough for most programs: named schedulers share one default pool, begun at
 * first use, joined at exit when idle, safe over fork.
 */
#ifndef PLAIT_EXECUTOR_H
#define PLAIT_EXECUTOR_H

#include <plait/compute.h>

PLAIT_BEGIN_DECLS

/*
 * Optional; first in main, while the process has one thread. Reserved for the
 * processes scheduler, which is not in this version.
 * Thread: the main one.  Blocks: no.
 */
PLAIT_API plait_status plait_init(void);

/* Opens a pool of options->workers workers; NULL when it failed. `scheduler`
 * NULL: as options say.  Thread: any.  Blocks: no. */
PLAIT_API plait_executor *plait_executor_open(const char *scheduler,
                                              const plait_options *options,
                                              plait_error *err);

/*
 * Cancels the pool's runs, waits for its running tasks, and frees it. In a task
 * of the same pool it would wait for itself: PLAIT_EINVAL, and nothing happens.
 * NULL is fine.
 * Thread: any but the pool's own.  Blocks: yes.
 */
PLAIT_API void plait_executor_close(plait_executor *executor);

/* Asks for more workers, for the runs that begin from now on; fewer is fine,
 * and nothing happens. PLAIT_EUNAVAILABLE: this kind of executor has what it
 * was opened with.  Thread: any.  Blocks: as the beginning of threads does. */
PLAIT_API plait_status plait_executor_grow(plait_executor *executor,
                                           unsigned workers, plait_error *err);

/* The number of workers, and whether a scheduler can be had: PLAIT_OK, or
 * PLAIT_EUNAVAILABLE with the reason in `err`, or PLAIT_EINVAL for a name that
 * nobody knows.  Thread: any.  Blocks: no. */
PLAIT_API unsigned plait_executor_workers(const plait_executor *executor);
PLAIT_API plait_status plait_scheduler_available(const char *scheduler,
                                                 plait_error *err);

/* The CPUs that this process may use, by affinity and cgroup quota; at least 1.
 * Thread: any.  Blocks: no. */
PLAIT_API unsigned plait_cpu_count(void);

PLAIT_END_DECLS

#endif
