/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * native.h: functions of C libraries as tasks.
 *
 * `plait.native(path)` is a NativeLibrary; its attributes are Delayeds that
 * hold a NativeFunction, so that calling one makes a task as calling any
 * delayed function does. In a lowering such a task is one of the C function
 * itself: its arguments are values, or references to other tasks, and it runs
 * without the GIL. Calling the NativeFunction runs it at once.
 *
 * A graph in which there are such tasks is mixed. In it the result of a task in
 * Python that a C function takes is converted when that task ends, and is what
 * the engine sees; a Python task finds its inputs' rows in a table. The result
 * of a C function is converted when the first Python task asks for it.
 */
#ifndef PY_NATIVE_H
#define PY_NATIVE_H

#include "lower.h"

/* The C function of a NativeFunction, and its name. */
plait_fn py_native_function(PyObject *op);
PyObject *py_native_name(PyObject *op);

static inline bool py_is_native(const py_state *state,
                                const py_delayed_object *task)
{
    return task->kind == PY_CALL &&
           Py_TYPE(((py_delayed_object *)task->func)->items[0]) ==
               state->native_function_type;
}

/* ---- native_task.c ---- */

/* Adds the task of a native call to the graph, during the walk. */
int py_native_lower(py_lowering *low, const py_delayed_object *task,
                    plait_task *handle);

/* After the walk of a mixed graph: makes what running it needs. */
int py_native_lowered(py_lowering *low);

/* What the engine gets for a Python result that C functions take. */
plait_value py_native_export(py_lowering *low, PyObject *result);

/* The Python object for a native row's value; kept in the row while tasks that
 * use it are to come. */
PyObject *py_native_import(py_lowering *low, uint32_t row, plait_value value);

void py_native_release(py_lowering *low);

#endif
