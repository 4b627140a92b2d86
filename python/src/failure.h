/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * failure.h: why a task has no value, as an object of Python.
 *
 * A task's exception becomes a Failure, which is listed in the lowering; the
 * engine's error value names the task. The exception that the
 * caller gets has its own traceback and a note that says which input it was;
 * of the others only the text of the traceback is kept, as frames keep alive
 * what their variables name.
 */
#ifndef PY_FAILURE_H
#define PY_FAILURE_H

#include "lower.h"

typedef struct py_failure {
    PyObject_HEAD PyObject *key;
    PyObject *cause_key;
    PyObject *sources; /* tuple of str */
    PyObject *exception;
    PyObject *text;   /* of the traceback; NULL: not asked for yet */
    PyObject *task;   /* the Delayed */
    PyObject *inputs; /* list of its inputs' values, or NULL */
    uint32_t row;
    bool skipped;
} py_failure;

/* ---- failure_type.c ---- */

extern PyType_Spec py_failure_spec;

/* The text of its traceback, made when nobody has asked before. */
PyObject *py_failure_text(py_failure *self);

/* ---- py_failure.c ---- */

/* The error value for a task whose callable has raised, which is set. */
plait_value py_failure_of_task(plait_context *ctx, py_lowering *low,
                               uint32_t row, const plait_value *args,
                               size_t n_args);

/* Lists the failure of a C function with this exception, and tells of it.
 * False: that was interrupted, and the run is to end. */
bool py_failure_add(py_lowering *low, uint32_t row, PyObject *exception);

/* Whether this thread has just told of one, and the engine is about to do so
 * too; forgets it. */
bool py_failure_was_told(void);

/* The Failure that a task gets in the place of an input without a value. */
PyObject *py_failure_as_input(py_lowering *low, const py_delayed_object *input,
                              plait_value error);

/* The Failure of a target without a value. */
PyObject *py_failure_of_target(py_lowering *low, uint32_t row,
                               plait_value error);

/* Looks at the result (taken) of a task in which Delayeds were made, the first
 * of them number `births`: one that nobody ran is warned of. */
PyObject *py_failure_check_result(py_lowering *low, uint32_t row,
                                  PyObject *result, uint32_t births);

/* Raises what the run failed with. */
void py_failure_raise(py_lowering *low, const plait_error *err);

/* ---- trail.c ---- */

/* `analyze-3`: the label, and its number among those in the graph. */
PyObject *py_trail_name(py_lowering *low, uint32_t row);

/* `in task analyze-3 ← clean_data-3 ← load_data('file_3.csv')` */
PyObject *py_trail_note(py_lowering *low, uint32_t row);

/* A tuple of the calls at the beginning of that: `load_data('file_3.csv')`. */
PyObject *py_trail_sources(py_lowering *low, uint32_t row);

#endif
