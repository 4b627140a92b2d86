/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * failure.h: why a task has no value, as an object of Python.
 *
 * A task's exception becomes a Failure, which is listed in the lowering; the
 * engine's error value names the task. The exception that the caller gets has
 * its own traceback and a note that says which input it was; of the others
 * only a stack is kept, as frames keep alive what their variables name. Keys
 * and texts are made when somebody asks.
 */
#ifndef PY_FAILURE_H
#define PY_FAILURE_H

#include "lower.h"

/* Where an exception came through, without frames. */
typedef struct py_stack py_stack;

typedef struct py_failure {
    PyObject_HEAD PyObject *task; /* the Delayed */
    struct py_failure *cause;     /* why it never ran; NULL: it did */
    PyObject *exception;
    PyObject *traceback; /* the task's part, while its frames are kept */
    py_stack *stack;     /* and when they aren't any more; or NULL */
    PyObject *note;      /* the exception's; or NULL */
    PyObject *inputs;    /* list of its inputs' values; or NULL */
    PyObject *sources;   /* tuple of str; NULL: not asked for yet */
    PyObject *text;      /* of the traceback; NULL: not asked for yet */
    uint32_t row;
    bool skipped;
} py_failure;

/* ---- failure_type.c ---- */

extern PyType_Spec py_failure_spec;

/* ---- failure_list.c ---- */

/* The listed failure of the lowest row, borrowed; NULL: there is none. */
py_failure *py_failure_first(const py_lowering *low);

/* The listed failure of a row, borrowed; NULL: there is none. */
py_failure *py_failure_at(const py_lowering *low, uint32_t row);

/* Lists a failure, with the values of its inputs when it is the first, and
 * gives its exception a note. */
int py_failure_list(py_lowering *low, py_failure *failure,
                    const plait_value *args, size_t n_args);

/* It has been told of: its frames go, unless it is the first. */
int py_failure_settle(const py_lowering *low, py_failure *failure);

void py_listing_free(struct py_listing *listing);

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

/* ---- failure_raise.c ---- */

/* Whether an exception is what is sent into tasks of a cancelled run. */
bool py_is_task_cancelled(const py_state *state, PyObject *exception);

/* Raises what the run failed with. */
void py_failure_raise(py_lowering *low, const plait_error *err);

/* ---- unrun.c ---- */

/* Looks at the result (taken) of a task in which Delayeds were made, the first
 * of them number `births`: one that nobody ran is warned of. */
PyObject *py_failure_check_result(py_lowering *low, uint32_t row,
                                  PyObject *result, uint32_t births);

/* ---- trail.c ---- */

/* `analyze-3`: the label, and its number among those in the graph. */
PyObject *py_trail_name(py_lowering *low, uint32_t row);

/* `in task analyze-3 ← clean_data-3 ← load_data('file_3.csv')` */
PyObject *py_trail_note(py_lowering *low, uint32_t row);

/* A tuple of the calls at the beginning of that: `load_data('file_3.csv')`. */
PyObject *py_trail_sources(py_state *state, const py_delayed_object *task);

/* ---- stack.c ---- */

/* The traceback of an exception, new; NULL: it has none. */
PyObject *py_exception_traceback(PyObject *exception);

py_stack *py_stack_of(PyObject *traceback);
/* NULL is fine. */
void py_stack_free(py_stack *stack);
int py_stack_traverse(const py_stack *stack, visitproc visit, void *arg);

/* A traceback with the same lines, whose frames have no variables. */
PyObject *py_stack_traceback(const py_stack *stack);

/* Gives such a traceback to each exception that is behind this one, as cause,
 * context or member of a group, except `but` (or NULL), what this thread
 * handles, and what is behind these. */
int py_stack_lighten_causes(PyObject *exception, PyObject *but);

#endif
