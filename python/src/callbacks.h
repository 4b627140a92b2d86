/* SPDX-License-Identifier: BSD-3-Clause */
/* callbacks.h: tuples of functions of Python, which listener.h calls. */
#ifndef PY_CALLBACKS_H
#define PY_CALLBACKS_H

#include "module.h"

/* The places of functions in a tuple; each may be None, the last left out. */
enum {
    PY_START,
    PY_START_STATE,
    PY_PRETASK,
    PY_POSTTASK,
    PY_FINISH,
    PY_NO_VALUE,
    PY_CALLBACK_MOST
};

typedef struct py_callbacks {
    PyObject *tuple;      /* of tuples */
    Py_ssize_t n_started; /* whose start was called: others aren't called */
} py_callbacks;

/* From a sequence; -1: something in it is no callback. */
int py_callbacks_read(py_callbacks *callbacks, PyObject *sequence);

/* Whether there is a function in that place. */
bool py_callbacks_have(const py_callbacks *callbacks, int place);

/* Calls the functions in that place, up to the first that raises. */
int py_callbacks_call(const py_callbacks *callbacks, int place,
                      PyObject *const *args, size_t n_args);

/* Calls start and start_state; when one raises, finish too. */
int py_callbacks_start(py_callbacks *callbacks);

/* Calls finish of all in a sequence, or NULL, for a computation that failed
 * before they could be started; an exception is set, and one stays set. */
void py_callbacks_abandon(PyObject *sequence);

/* Calls finish of all that were started, once. -1: an exception is set, theirs
 * or that from before. */
int py_callbacks_finish(py_callbacks *callbacks, bool errored);

#endif
