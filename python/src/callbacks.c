/* SPDX-License-Identifier: BSD-3-Clause */
/* callbacks.c: calling callbacks, and their beginning and end. */
#include "callbacks.h"

/* ---- reading ---- */

static int check(PyObject *callback)
{
    bool is_good = PyTuple_Check(callback);
    Py_ssize_t n = is_good ? PyTuple_GET_SIZE(callback) : 0;
    is_good = n == PY_NO_VALUE || n == PY_CALLBACK_MOST;
    for (Py_ssize_t i = 0; is_good && i < n; i++) {
        PyObject *fn = PyTuple_GET_ITEM(callback, i);
        is_good = fn == Py_None || PyCallable_Check(fn);
    }
    if (is_good)
        return 0;
    PyErr_Format(PyExc_TypeError,
                 "a callback must be a tuple of five functions or None, not "
                 "%R",
                 callback);
    return -1;
}

int py_callbacks_read(py_callbacks *self, PyObject *sequence)
{
    self->n_started = 0;
    self->tuple = PySequence_Tuple(sequence);
    if (!self->tuple)
        return -1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->tuple); i++) {
        if (check(PyTuple_GET_ITEM(self->tuple, i)) != 0)
            return -1;
    }
    return 0;
}

/* ---- calling ---- */

/* Borrowed; None: there is none. */
static PyObject *function_at(PyObject *callback, int place)
{
    return place < PyTuple_GET_SIZE(callback)
               ? PyTuple_GET_ITEM(callback, place)
               : Py_None;
}

bool py_callbacks_have(const py_callbacks *self, int place)
{
    bool found = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->tuple) && !found; i++)
        found = function_at(PyTuple_GET_ITEM(self->tuple, i), place) != Py_None;
    return found;
}

static int call(PyObject *callback, int place, PyObject *const *args,
                size_t n_args)
{
    PyObject *fn = function_at(callback, place);
    if (fn == Py_None)
        return 0;
    PyObject *result = PyObject_Vectorcall(fn, args, n_args, NULL);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int py_callbacks_call(const py_callbacks *self, int place,
                      PyObject *const *args, size_t n_args)
{
    int status = 0;
    for (Py_ssize_t i = 0; i < self->n_started && status == 0; i++)
        status = call(PyTuple_GET_ITEM(self->tuple, i), place, args, n_args);
    return status;
}

int py_callbacks_start(py_callbacks *self)
{
    PyObject *args[] = { Py_None, Py_None };
    Py_ssize_t n = PyTuple_GET_SIZE(self->tuple);
    int status = 0;
    while (status == 0 && self->n_started < n) {
        PyObject *next = PyTuple_GET_ITEM(self->tuple, self->n_started);
        status = call(next, PY_START, args, 1);
        self->n_started += status == 0;
    }
    if (status == 0)
        status = py_callbacks_call(self, PY_START_STATE, args, 2);
    return status == 0 ? 0 : py_callbacks_finish(self, true);
}

/* What was raised before (taken) becomes the context of what is raised now. */
static void chain(PyObject *before)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (before && before != raised)
        PyException_SetContext(raised, before); /* takes it */
    else
        Py_XDECREF(before);
    PyErr_SetRaisedException(raised);
}

int py_callbacks_finish(py_callbacks *self, bool errored)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *args[] = { Py_None, Py_None, errored ? Py_True : Py_False };
    Py_ssize_t n = self->n_started;
    self->n_started = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (call(PyTuple_GET_ITEM(self->tuple, i), PY_FINISH, args, 3) == 0)
            continue;
        chain(raised);
        raised = PyErr_GetRaisedException();
    }
    if (!raised)
        return 0;
    PyErr_SetRaisedException(raised);
    return -1;
}

void py_callbacks_abandon(PyObject *sequence)
{
    py_callbacks all;
    PyObject *raised = PyErr_GetRaisedException();
    bool is_good = sequence && py_callbacks_read(&all, sequence) == 0;
    if (sequence && !is_good)
        PyErr_Clear();
    PyErr_SetRaisedException(raised);
    if (!sequence)
        return;
    if (is_good) {
        all.n_started = PyTuple_GET_SIZE(all.tuple);
        py_callbacks_finish(&all, true);
    }
    Py_XDECREF(all.tuple);
}
