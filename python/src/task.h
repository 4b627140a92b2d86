/* SPDX-License-Identifier: BSD-3-Clause */
/* task.h: calling what a Delayed says. */
#ifndef PY_TASK_H
#define PY_TASK_H

#include "lower.h"

/* The one function of a lowering's graph: its payload is the lowering. */
plait_value py_task_run(plait_context *ctx, const plait_value *args,
                        size_t n_args);

/* Calls a task with the values of its inputs, a list in order. */
PyObject *py_task_call(py_state *state, const py_delayed_object *task,
                       PyObject *inputs);

/* Lets go of the inputs whose last use this was: a task has ended. */
void py_task_drop_inputs(py_lowering *low, uint32_t row,
                         const plait_value *args, size_t n_args);

/* The same where a task is skipped, for plait_observer: with or without the
 * GIL. */
void py_task_skipped(const plait_event *event, void *low);

/* The values of a running task's inputs: a list. NULL, perhaps without an
 * exception: one has none. */
PyObject *py_task_inputs(py_lowering *low, uint32_t row,
                         const plait_value *args, size_t n_args);

#endif
