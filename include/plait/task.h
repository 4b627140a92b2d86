/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * task.h: what a task's function may do with its context.
 *
 * The context serves the task's own threads, while the task runs. compute.h
 * may be used in a task too: a wait in a task helps with what it waits for.
 *
 * The threads of a pool block signals, but for those that a fault sends. A
 * process that a task begins inherits that, and could not be told to end: give
 * it a mask of its own (posix_spawnattr_setsigmask, or sigprocmask after fork).
 */
#ifndef PLAIT_TASK_H
#define PLAIT_TASK_H

#include <plait/graph.h>

PLAIT_BEGIN_DECLS

/* An error value to return: the task failed (PLAIT_ETASK, or PLAIT_ETIMEDOUT
 * after its deadline). The message begins with the task's key.
 * Thread: task.  Blocks: no. */
PLAIT_API plait_value plait_fail(plait_context *ctx, const char *format, ...)
    PLAIT_PRINTF(2, 3);

/* The same with a payload (taken): a front end's exception object.
 * Thread: task.  Blocks: no. */
PLAIT_API plait_value plait_fail_with(plait_context *ctx, plait_value payload,
                                      const char *format, ...)
    PLAIT_PRINTF(3, 4);

/* Whether the run is cancelled or the task's deadline over, and the task had
 * better return. A value that comes late is still accepted.
 * Thread: task.  Blocks: no. */
PLAIT_API bool plait_cancelled(const plait_context *ctx);

/* Whether the task's own deadline is over: why plait_cancelled may be true.
 * Thread: task, or one that knows it to be in its function.  Blocks: no. */
PLAIT_API bool plait_timed_out(const plait_context *ctx);

/* The task's key; valid while the task runs.  Thread: task.  Blocks: no. */
PLAIT_API const char *plait_context_key(plait_context *ctx);

/* The number of the worker that runs the task, from 0; within a run no two
 * tasks have the same one at the same time.  Thread: task.  Blocks: no. */
PLAIT_API unsigned plait_context_worker(const plait_context *ctx);

/* The task's handle.  Thread: task.  Blocks: no. */
PLAIT_API plait_task plait_context_task(const plait_context *ctx);

/* Which attempt at the task this is, from 1.  Thread: task.  Blocks: no. */
PLAIT_API unsigned plait_context_attempt(const plait_context *ctx);

/* plait_function.payload.  Thread: task.  Blocks: no. */
PLAIT_API void *plait_context_payload(const plait_context *ctx);

/* plait_options.user.  Thread: task.  Blocks: no. */
PLAIT_API void *plait_context_user(const plait_context *ctx);

PLAIT_END_DECLS

#endif
