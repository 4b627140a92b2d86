/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compat.h: Python.h, and what differs between the versions of CPython that
 * the extension is built for, 3.11 to 3.14: nowhere else is a version asked
 * for.
 */
#ifndef PY_COMPAT_H
#define PY_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030B0000
#error "Plait needs CPython 3.11 or newer"
#endif

#if PY_VERSION_HEX < 0x030C0000
/* The exception that is set, taken; NULL when none is. */
static inline PyObject *PyErr_GetRaisedException(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value && traceback)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* Sets an exception; takes it. */
static inline void PyErr_SetRaisedException(PyObject *exc)
{
    if (!exc) {
        PyErr_Clear();
        return;
    }
    PyObject *type = Py_NewRef((PyObject *)Py_TYPE(exc));
    PyErr_Restore(type, exc, PyException_GetTraceback(exc));
}
#endif

#if PY_VERSION_HEX < 0x030D0000
static inline int Py_IsFinalizing(void)
{
    return _Py_IsFinalizing();
}

/* 1 with a new reference, 0 with NULL, -1 with an exception. */
static inline int PyDict_GetItemRef(PyObject *dict, PyObject *key,
                                    PyObject **out)
{
    *out = Py_XNewRef(PyDict_GetItemWithError(dict, key));
    if (*out)
        return 1;
    return PyErr_Occurred() ? -1 : 0;
}

/* 1 with a new reference, 0 with NULL when there is none, -1. */
static inline int PyObject_GetOptionalAttr(PyObject *object, PyObject *name,
                                           PyObject **out)
{
    return _PyObject_LookupAttr(object, name, out);
}
#endif

#if PY_VERSION_HEX >= 0x030E0000
/* It frees without recursion by itself. */
#undef Py_TRASHCAN_BEGIN
#undef Py_TRASHCAN_END
#define Py_TRASHCAN_BEGIN(op, dealloc) {
#define Py_TRASHCAN_END }
#endif

/* What instances find under a name in their type, borrowed; NULL without an
 * exception when there is nothing. */
static inline PyObject *py_type_lookup(PyTypeObject *type, PyObject *name)
{
    return _PyType_Lookup(type, name);
}

/* Whether this thread has the GIL. PyGILState_Check() says so of every thread,
 * once there was a sub-interpreter. */
static inline bool py_has_gil(void)
{
    PyThreadState *own = PyGILState_GetThisThreadState();
#if PY_VERSION_HEX >= 0x030D0000
    return own && own == PyThreadState_GetUnchecked();
#else
    return own && own == _PyThreadState_UncheckedGet();
#endif
}

/* A vectorcall offset, and a weak references' one, of a heap type. */
#define PY_OFFSET_MEMBER(name, offset)           \
    {                                            \
        name, T_PYSSIZET, offset, READONLY, NULL \
    }

#endif
