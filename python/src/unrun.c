/* SPDX-License-Identifier: BSD-3-Clause */
/* unrun.c: noticing a Delayed that was made in a task, and that nobody runs. */
#include "failure.h"

static bool is_unrun(py_state *state, PyObject *object, uint32_t births)
{
    if (!py_is_delayed(state, object))
        return false;
    const py_delayed_object *task = (const py_delayed_object *)object;
    return task->kind != PY_LEAF && !(task->flags & PY_LOWERED) &&
           task->mark - births < UINT32_MAX / 2;
}

static bool has_unrun(py_state *state, PyObject *result, uint32_t births)
{
    if (is_unrun(state, result, births))
        return true;
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (PyDict_CheckExact(result)) {
        while (PyDict_Next(result, &at, &key, &value)) {
            if (is_unrun(state, value, births))
                return true;
        }
    } else if (PyList_CheckExact(result) || PyTuple_CheckExact(result)) {
        for (; at < PySequence_Fast_GET_SIZE(result); at++) {
            if (is_unrun(state, PySequence_Fast_GET_ITEM(result, at), births))
                return true;
        }
    }
    return false;
}

PyObject *py_failure_check_result(py_lowering *low, uint32_t row,
                                  PyObject *result, uint32_t births)
{
    if (low->warned || !has_unrun(low->state, result, births))
        return result;
    low->warned = true;
    PyObject *name = py_trail_name(low, row);
    PyObject *args[] = { name, result };
    PyObject *done =
        name ? py_call_hook("failures", low->state->str_warn_unrun, args, 2)
             : NULL;
    Py_XDECREF(name);
    if (!done) /* the warning is an error, where the program says so */
        Py_CLEAR(result);
    Py_XDECREF(done);
    return result;
}
