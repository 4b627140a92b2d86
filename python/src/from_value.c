/* SPDX-License-Identifier: BSD-3-Clause */
/* from_value.c: Python's objects for plait's values; see convert.h. */
#include "convert.h"

static PyObject *str_of(plait_value value)
{
    size_t length;
    const char *text = plait_as_string_n(value, &length);
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "surrogateescape");
}

static PyObject *list_of(py_state *state, plait_value value)
{
    size_t n;
    const plait_value *items = plait_as_list(value, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *item = py_from_value(state, items[i]);
        if (item)
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
        else
            Py_CLEAR(list);
    }
    return list;
}

/* A key must have a hash, and be equal to what it was made of: a list is a
 * tuple, and bytes are bytes. */
static PyObject *key_of(py_state *state, plait_value value)
{
    size_t n;
    if (plait_kind_of(value) == PLAIT_KIND_BYTES) {
        const char *data = plait_as_bytes(value, &n);
        return PyBytes_FromStringAndSize(data, (Py_ssize_t)n);
    }
    if (plait_kind_of(value) != PLAIT_KIND_LIST)
        return py_from_value(state, value);
    const plait_value *items = plait_as_list(value, &n);
    PyObject *tuple = PyTuple_New((Py_ssize_t)n);
    for (size_t i = 0; tuple && i < n; i++) {
        PyObject *item = key_of(state, items[i]);
        if (item)
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, item);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *dict_of(py_state *state, plait_value value)
{
    const plait_value *keys, *values;
    size_t n = plait_as_dict(value, &keys, &values);
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && i < n; i++) {
        PyObject *key = key_of(state, keys[i]);
        PyObject *item = key ? py_from_value(state, values[i]) : NULL;
        if (!item || PyDict_SetItem(dict, key, item) != 0)
            Py_CLEAR(dict);
        Py_XDECREF(item);
        Py_XDECREF(key);
    }
    return dict;
}

PyObject *py_from_value(py_state *state, plait_value value)
{
    switch (plait_kind_of(value)) {
    case PLAIT_KIND_NIL:
        Py_RETURN_NONE;
    case PLAIT_KIND_BOOL:
        return PyBool_FromLong(plait_as_bool(value));
    case PLAIT_KIND_INT:
        return PyLong_FromLongLong(plait_as_int(value));
    case PLAIT_KIND_FLOAT:
        return PyFloat_FromDouble(plait_as_float(value));
    case PLAIT_KIND_STRING:
        return str_of(value);
    case PLAIT_KIND_BYTES:
        return py_view_of_bytes(state, value);
    case PLAIT_KIND_LIST:
        return list_of(state, value);
    case PLAIT_KIND_DICT:
        return dict_of(state, value);
    case PLAIT_KIND_OBJECT:
        return py_native_value_new(state, value);
    case PLAIT_KIND_ERROR:
        return py_task_error(state, value);
    case PLAIT_KIND_REF:
        break;
    }
    PyErr_SetString(PyExc_SystemError, "a task reference is no result");
    return NULL;
}

/* ---- errors ---- */

static PyObject *class_of(const py_state *state, plait_status status)
{
    if (status == PLAIT_ENOMEM)
        return PyExc_MemoryError;
    return status == PLAIT_ETIMEDOUT ? PyExc_TimeoutError : state->task_error;
}

/* The text without the task's key in front: that is for the graph of C. */
static const char *text_of(plait_value error)
{
    const char *text = plait_error_text(error);
    const plait_error *err = plait_as_error(error);
    size_t length = strlen(err->key);
    if (length > 0 && strncmp(text, err->key, length) == 0 &&
        strncmp(text + length, ": ", 2) == 0)
        text += length + 2;
    return text;
}

PyObject *py_task_error(py_state *state, plait_value error)
{
    const char *text = text_of(error);
    plait_status status = plait_as_error(error)->status;
    PyObject *message =
        PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    PyObject *exception =
        message ? PyObject_CallOneArg(class_of(state, status), message) : NULL;
    PyObject *name = PyUnicode_FromString(plait_status_name(status));
    if (exception &&
        (!name || PyObject_SetAttr(exception, state->str_status, name) != 0))
        Py_CLEAR(exception);
    Py_XDECREF(name);
    Py_XDECREF(message);
    return exception;
}
