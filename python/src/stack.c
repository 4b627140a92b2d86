/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack.c: where exceptions came through, without the frames: a frame keeps
 * alive what its variables name, and its callers.
 */
#include "failure.h"

#include <frameobject.h>

typedef struct line {
    PyObject *code;
    PyObject *globals; /* by which the source is found */
    int instruction;
    int number; /* -1: as the instruction says */
} line;

struct py_stack {
    size_t n;
    line lines[];
};

PyObject *py_exception_traceback(PyObject *exception)
{
    PyObject *traceback = PyException_GetTraceback(exception);
    if (traceback && !PyTraceBack_Check(traceback)) /* None, in 3.11 */
        Py_CLEAR(traceback);
    return traceback;
}

/* ---- from a traceback, and back ---- */

static PyTracebackObject *next_of(PyTracebackObject *at)
{
    return (PyTracebackObject *)at->tb_next;
}

py_stack *py_stack_of(PyObject *traceback)
{
    size_t n = 0;
    PyTracebackObject *first = (PyTracebackObject *)traceback;
    for (PyTracebackObject *at = first; at; at = next_of(at))
        n++;
    py_stack *self = PyMem_Malloc(sizeof *self + n * sizeof *self->lines);
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->n = n;
    line *to = self->lines;
    for (PyTracebackObject *at = first; at; at = next_of(at), to++) {
        PyFrameObject *frame = (PyFrameObject *)at->tb_frame;
        to->code = (PyObject *)PyFrame_GetCode(frame);
        to->globals = PyFrame_GetGlobals(frame);
        to->instruction = at->tb_lasti;
        to->number = at->tb_lineno;
    }
    return self;
}

void py_stack_free(py_stack *self)
{
    for (size_t i = 0; self && i < self->n; i++) {
        Py_DECREF(self->lines[i].code);
        Py_DECREF(self->lines[i].globals);
    }
    PyMem_Free(self);
}

int py_stack_traverse(const py_stack *self, visitproc visit, void *arg)
{
    for (size_t i = 0; self && i < self->n; i++) {
        Py_VISIT(self->lines[i].code);
        Py_VISIT(self->lines[i].globals);
    }
    return 0;
}

/* The code of a frame that never runs. Whoever asks that for its variables
 * looks for those of functions around it, up to 3.12, where it has none. */
static PyObject *code_alone(const line *self)
{
    if (PyCode_GetNumFree((PyCodeObject *)self->code) == 0)
        return Py_NewRef(self->code);
    PyObject *replace = PyObject_GetAttrString(self->code, "replace");
    PyObject *none = Py_BuildValue("{s()}", "co_freevars");
    PyObject *args = PyTuple_New(0);
    PyObject *code =
        replace && none && args ? PyObject_Call(replace, args, none) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(none);
    Py_XDECREF(replace);
    return code;
}

static PyFrameObject *new_frame(const line *self)
{
    PyObject *code = code_alone(self);
    PyFrameObject *frame =
        code ? PyFrame_New(PyThreadState_Get(), (PyCodeObject *)code,
                           self->globals, NULL)
             : NULL;
    Py_XDECREF(code);
    return frame;
}

/* A traceback of one line, before `next`, which is taken. */
static PyObject *line_before(const line *self, PyObject *next)
{
    int number = self->number;
    if (number < 0)
        number =
            PyCode_Addr2Line((PyCodeObject *)self->code, self->instruction);
    PyFrameObject *frame = new_frame(self);
    PyObject *made =
        frame ? PyObject_CallFunction((PyObject *)&PyTraceBack_Type, "OOii",
                                      next, frame, self->instruction, number)
              : NULL;
    Py_XDECREF(frame);
    Py_DECREF(next);
    return made;
}

PyObject *py_stack_traceback(const py_stack *self)
{
    PyObject *traceback = Py_NewRef(Py_None);
    for (size_t i = self->n; traceback && i-- > 0;)
        traceback = line_before(&self->lines[i], traceback);
    return traceback;
}

/* ---- causes ---- */

/* Exceptions, each at most once. */
typedef struct chain {
    PyObject *list;
    PyObject *known; /* a set of their addresses */
} chain;

static int add(chain *self, PyObject *exception)
{
    PyObject *address = PyLong_FromVoidPtr(exception);
    int known = address ? PySet_Contains(self->known, address) : -1;
    if (known == 0 && (PySet_Add(self->known, address) != 0 ||
                       PyList_Append(self->list, exception) != 0))
        known = -1;
    Py_XDECREF(address);
    return known < 0 ? -1 : 0;
}

/* Adds one that is taken; NULL: there is none. */
static int add_one(chain *self, PyObject *exception)
{
    int status = exception ? add(self, exception) : 0;
    Py_XDECREF(exception);
    return status;
}

/* The members of a group, which may be of a class of its own. */
static int add_members(chain *self, PyObject *exception)
{
    if (!PyErr_GivenExceptionMatches(exception, PyExc_BaseExceptionGroup))
        return 0;
    PyObject *members = PyObject_GetAttrString(exception, "exceptions");
    int status = members ? 0 : -1;
    Py_ssize_t n =
        members && PyTuple_Check(members) ? PyTuple_GET_SIZE(members) : 0;
    for (Py_ssize_t i = 0; status == 0 && i < n; i++) {
        PyObject *member = PyTuple_GET_ITEM(members, i);
        if (PyExceptionInstance_Check(member))
            status = add(self, member);
    }
    Py_XDECREF(members);
    return status;
}

static int add_behind(chain *self, PyObject *exception)
{
    if (add_one(self, PyException_GetCause(exception)) != 0 ||
        add_one(self, PyException_GetContext(exception)) != 0)
        return -1;
    return add_members(self, exception);
}

/* Puts a traceback without variables in the place of an exception's. */
static int lighten(PyObject *exception)
{
    PyObject *traceback = py_exception_traceback(exception);
    if (!traceback)
        return 0;
    py_stack *stack = py_stack_of(traceback);
    Py_DECREF(traceback);
    PyObject *light = stack ? py_stack_traceback(stack) : NULL;
    py_stack_free(stack);
    int status = light ? PyException_SetTraceback(exception, light) : -1;
    Py_XDECREF(light);
    return status;
}

static bool is_alone(PyObject *exception)
{
    const PyBaseExceptionObject *self = (PyBaseExceptionObject *)exception;
    return !self->cause && !self->context &&
           !PyErr_GivenExceptionMatches(exception, PyExc_BaseExceptionGroup);
}

/* Begins with what is to stay as it is: the exception itself, `but`, and what
 * is handled in this thread, which the caller has: a task that runs there gets
 * it as a context. */
static int begin(chain *self, PyObject *exception, PyObject *but)
{
    self->list = PyList_New(0);
    self->known = PySet_New(NULL);
    if (!self->list || !self->known || add(self, exception) != 0 ||
        (but && add(self, but) != 0))
        return -1;
    return add_one(self, PyErr_GetHandledException());
}

int py_stack_lighten_causes(PyObject *exception, PyObject *but)
{
    if (is_alone(exception))
        return 0;
    chain all = { NULL, NULL };
    int status = begin(&all, exception, but);
    Py_ssize_t i = status == 0 ? PyList_GET_SIZE(all.list) : 0;
    if (status == 0)
        status = add_behind(&all, exception);
    for (; status == 0 && i < PyList_GET_SIZE(all.list); i++) {
        PyObject *behind = PyList_GET_ITEM(all.list, i);
        status = lighten(behind);
        if (status == 0)
            status = add_behind(&all, behind);
    }
    Py_XDECREF(all.list);
    Py_XDECREF(all.known);
    return status;
}
