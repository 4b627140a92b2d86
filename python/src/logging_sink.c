/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * logging_sink.c: where the C library's log lines go in a Python program: to a
 * callable, which hands them to the module logging. It is called on the thread
 * that logs, with the GIL and no other lock.
 */
#include "failure.h"
#include "gil.h"

#define SINK "_log_sink" /* the module's attribute that holds it */

/* What no handler may do to a C task: end it. An interrupt is raised again,
 * where the main thread looks for it. */
static void settle(PyObject *sink)
{
    if (!PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_WriteUnraisable(sink);
        return;
    }
    PyErr_Clear();
    PyErr_SetInterrupt();
}

static PyObject *text(const char *bytes, size_t length)
{
    return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)length, "backslashreplace");
}

static PyObject *call(PyObject *sink, const plait_log_record *record)
{
    PyObject *message = text(record->message, record->message_length);
    PyObject *task = text(record->task, strlen(record->task));
    PyObject *thread = text(record->thread_name, strlen(record->thread_name));
    PyObject *result = NULL;
    if (message && task && thread)
        result = PyObject_CallFunction(sink, "idsOOO", (int)record->level,
                                       (double)record->time_ns * 1e-9,
                                       record->logger, task, thread, message);
    Py_XDECREF(thread);
    Py_XDECREF(task);
    Py_XDECREF(message);
    return result;
}

/* Whether this is the engine's word on a failure that was told in full. */
static bool is_told(const plait_log_record *record)
{
    if (record->level != PLAIT_ERROR)
        return false;
    if (py_failure_was_told())
        return true;
    py_thread *thread = py_thread_here();
    if (!thread || !thread->failure_told)
        return false;
    thread->failure_told = false;
    return true;
}

static void take(const plait_log_record *record, void *user)
{
    PyObject *module = user;
    if (is_told(record) || Py_IsFinalizing())
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *sink = PyObject_GetAttrString(module, SINK);
    PyObject *result = sink && sink != Py_None ? call(sink, record) : sink;
    if (!result)
        settle(sink);
    if (result != sink)
        Py_XDECREF(result);
    Py_XDECREF(sink);
    PyErr_SetRaisedException(raised);
    PyGILState_Release(gil);
}

static PyObject *set_log_sink(PyObject *module, PyObject *sink)
{
    if (sink != Py_None && !PyCallable_Check(sink)) {
        PyErr_SetString(PyExc_TypeError, "the sink must be callable, or None");
        return NULL;
    }
    /* A line may be on its way although the sink is changed: from the first
     * sink on the module stays. */
    bool first = !PyObject_HasAttrString(module, SINK);
    if (PyObject_SetAttrString(module, SINK, sink) != 0)
        return NULL;
    if (first)
        Py_INCREF(module);
    plait_log_sink(sink == Py_None ? NULL : take, module);
    Py_RETURN_NONE;
}

static PyObject *set_log_level(PyObject *module, PyObject *args)
{
    (void)module;
    int level;
    if (!PyArg_ParseTuple(args, "i:set_log_level", &level))
        return NULL;
    plait_log_level((plait_level)level);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    { "set_log_sink", set_log_sink, METH_O,
      PyDoc_STR("Where the C library's log lines go.") },
    { "set_log_level", set_log_level, METH_VARARGS,
      PyDoc_STR("The lowest level of lines that go there.") },
    { NULL, NULL, 0, NULL },
};

int py_log_setup(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
