/* SPDX-License-Identifier: BSD-3-Clause */
/* context.h: errors that name the task they happened in. */
#ifndef PL_CONTEXT_H
#define PL_CONTEXT_H

#include "engine/lane.h"

/* An error value of the running task.  Thread: task.  Blocks: no. */
plait_value pl_error_in_task_f(plait_context *ctx, plait_status status,
                               const char *format, ...) PLAIT_PRINTF(3, 4);

/* The same with a payload, which it takes. */
plait_value pl_error_in_task_with(plait_context *ctx, plait_value payload,
                                  plait_status status, const char *format, ...)
    PLAIT_PRINTF(4, 5);

#endif
