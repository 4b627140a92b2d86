/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * future.c: what a worker does with a call's Future, see plait.executors. As
 * long as nobody has asked for that one's condition, nobody else can be about
 * to change its state, and it is written here; otherwise its own methods do.
 */
#include "future.h"

/* The future's dict, borrowed; NULL: only its methods may change its state. */
static PyObject *own_dict(const py_state *state, PyObject *future)
{
    PyObject *dict = PyObject_GenericGetDict(future, NULL);
    if (!dict) {
        PyErr_Clear();
        return NULL;
    }
    Py_DECREF(dict);
    return PyDict_Contains(dict, state->str__condition) == 0 ? dict : NULL;
}

bool py_future_begin(const py_state *state, PyObject *future)
{
    PyObject *dict = own_dict(state, future);
    if (dict)
        return PyDict_SetItem(dict, state->str__state, state->str_RUNNING) == 0;
    PyObject *runs = PyObject_CallMethodNoArgs(
        future, state->str_set_running_or_notify_cancel);
    bool begins = runs && PyObject_IsTrue(runs) > 0;
    Py_XDECREF(runs);
    return begins;
}

/* Wakes who waits in the future's result(): locks. */
static int tell(const py_state *state, PyObject *dict)
{
    PyObject *told;
    if (PyDict_GetItemRef(dict, state->str__told, &told) <= 0)
        return PyErr_Occurred() ? -1 : 0;
    int status = PyDict_DelItem(dict, state->str__told);
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(told); i++) {
        PyObject *done = PyObject_CallMethodNoArgs(PyList_GET_ITEM(told, i),
                                                   state->str_release);
        status = done ? 0 : -1;
        Py_XDECREF(done);
    }
    Py_DECREF(told);
    return status;
}

int py_future_end(const py_state *state, PyObject *future, PyObject *result,
                  PyObject *exception)
{
    PyObject *value = result ? result : exception;
    PyObject *dict = own_dict(state, future);
    if (dict) {
        PyObject *name = result ? state->str__result : state->str__exception;
        if (PyDict_SetItem(dict, name, value) != 0 ||
            PyDict_SetItem(dict, state->str__state, state->str_FINISHED) != 0)
            return -1;
        return tell(state, dict);
    }
    PyObject *done = PyObject_CallMethodOneArg(
        future, result ? state->str_set_result : state->str_set_exception,
        value);
    Py_XDECREF(done);
    return done ? 0 : -1;
}
