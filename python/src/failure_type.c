/* SPDX-License-Identifier: BSD-3-Clause */
/* failure_type.c: the type Failure. */
#include "collect.h"
#include "failure.h"
#include "task.h"

static int traverse(PyObject *op, visitproc visit, void *arg)
{
    py_failure *self = (py_failure *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->task);
    Py_VISIT(self->cause);
    Py_VISIT(self->exception);
    Py_VISIT(self->traceback);
    Py_VISIT(self->inputs);
    return py_stack_traverse(self->stack, visit, arg);
}

static int clear(PyObject *op)
{
    py_failure *self = (py_failure *)op;
    py_stack *stack = self->stack;
    self->stack = NULL;
    Py_CLEAR(self->task);
    Py_CLEAR(self->cause);
    Py_CLEAR(self->exception);
    Py_CLEAR(self->traceback);
    Py_CLEAR(self->note);
    Py_CLEAR(self->inputs);
    Py_CLEAR(self->sources);
    Py_CLEAR(self->text);
    py_stack_free(stack);
    return 0;
}

static void dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static int truth(PyObject *op)
{
    (void)op;
    return 0;
}

/* ---- what is made when somebody asks ---- */

/* Why the task has no value: itself, when that is its own failure. */
static py_failure *cause_of(py_failure *self)
{
    return self->cause ? self->cause : self;
}

static PyObject *key_of(const py_failure *self)
{
    if (!self->task) /* cleared */
        Py_RETURN_NONE;
    py_state *state = py_state_of((PyObject *)self);
    return Py_XNewRef(py_delayed_key(state, (py_delayed_object *)self->task));
}

static PyObject *get_key(PyObject *op, void *closure)
{
    (void)closure;
    return key_of((py_failure *)op);
}

static PyObject *get_cause_key(PyObject *op, void *closure)
{
    (void)closure;
    return key_of(cause_of((py_failure *)op));
}

static PyObject *get_sources(PyObject *op, void *closure)
{
    (void)closure;
    py_failure *self = cause_of((py_failure *)op);
    if (!self->sources && self->task) {
        PyObject *made = py_trail_sources(
            py_state_of(op), (const py_delayed_object *)self->task);
        Py_XSETREF(self->sources, made);
    }
    if (!self->sources)
        return self->task ? NULL : PyTuple_New(0);
    return Py_NewRef(self->sources);
}

static PyObject *repr(PyObject *op)
{
    py_failure *self = (py_failure *)op;
    PyObject *key = key_of(self);
    PyObject *text =
        key ? PyUnicode_FromFormat(self->skipped ? "<Failure %R: skipped, %R>"
                                                 : "<Failure %R: %R>",
                                   key, self->exception)
            : NULL;
    Py_XDECREF(key);
    return text;
}

static PyObject *format_traceback(py_state *state, PyObject *exception,
                                  PyObject *traceback)
{
    PyObject *args[] = { exception, traceback };
    return py_call_hook("failures", state->str_format_exception, args, 2);
}

/* New; None: there is none. */
static PyObject *traceback_of(const py_failure *self)
{
    if (self->traceback)
        return Py_NewRef(self->traceback);
    return self->stack ? py_stack_traceback(self->stack) : Py_NewRef(Py_None);
}

static PyObject *get_text(PyObject *op, void *closure)
{
    (void)closure;
    py_failure *self = cause_of((py_failure *)op);
    if (!self->text && self->exception) {
        PyObject *traceback = traceback_of(self);
        PyObject *made =
            traceback
                ? format_traceback(py_state_of(op), self->exception, traceback)
                : NULL;
        Py_XDECREF(traceback);
        Py_XSETREF(self->text, made);
    }
    if (!self->text)
        return self->exception ? NULL : PyUnicode_New(0, 0);
    return Py_NewRef(self->text);
}

/* ---- running it again ---- */

static int add_input(PyObject *delayed, void *user)
{
    return ((py_delayed_object *)delayed)->kind == PY_LEAF
               ? 0
               : PyList_Append(user, delayed);
}

/* The tasks whose results a task takes, in order, repeats included. */
static PyObject *inputs_of(py_state *state, const py_delayed_object *task)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list && i < Py_SIZE(task); i++) {
        if (py_packed_each(state, task->items[i], add_input, list) != 0)
            Py_CLEAR(list);
    }
    return list;
}

/* Whether a task is called although inputs have failed. */
static bool takes_failures(const py_delayed_object *task)
{
    const py_cold *func =
        task->kind == PY_CALL ? ((py_delayed_object *)task->func)->cold : NULL;
    return (task->cold && task->cold->passes_failures) ||
           (func && func->passes_failures);
}

/* The values of the inputs: those that were kept, or computed again. */
static PyObject *inputs_again(py_state *state, py_failure *self)
{
    if (self->inputs)
        return Py_NewRef(self->inputs);
    PyObject *tasks = inputs_of(state, (py_delayed_object *)self->task);
    PyObject *args = tasks ? PyTuple_Pack(1, tasks) : NULL;
    /* it is not called when one fails, unless it takes failures */
    bool takes = takes_failures((py_delayed_object *)self->task);
    PyObject *kwargs =
        Py_BuildValue("{ss}", "on_error", takes ? "collect" : "finish");
    PyObject *values =
        args && kwargs ? py_compute(state->module, args, kwargs) : NULL;
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    Py_XDECREF(tasks);
    return values;
}

static PyObject *rerun(PyObject *op, PyObject *unused)
{
    (void)unused;
    py_failure *self = (py_failure *)op;
    py_state *state = py_state_of(op);
    PyObject *inputs = inputs_again(state, self);
    if (!inputs)
        return NULL;
    PyObject *result =
        py_task_call(state, (py_delayed_object *)self->task, inputs);
    Py_DECREF(inputs);
    return result;
}

static PyMethodDef methods[] = {
    { "rerun", rerun, METH_NOARGS,
      PyDoc_STR("Call the failed task's function again, with its inputs.") },
    { NULL, NULL, 0, NULL },
};

static PyMemberDef members[] = {
    { "skipped", T_BOOL, offsetof(py_failure, skipped), READONLY, NULL },
    { "exception", T_OBJECT, offsetof(py_failure, exception), READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyGetSetDef getset[] = {
    { "key", get_key, NULL, NULL, NULL },
    { "cause_key", get_cause_key, NULL, NULL, NULL },
    { "sources", get_sources, NULL, NULL, NULL },
    { "traceback_text", get_text, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_doc, (void *)PyDoc_STR("Why a task has no value. False.") },
    { Py_tp_dealloc, dealloc },
    { Py_tp_traverse, traverse },
    { Py_tp_clear, clear },
    { Py_tp_methods, methods },
    { Py_tp_members, members },
    { Py_tp_getset, getset },
    { Py_tp_repr, repr },
    { Py_nb_bool, truth },
    { 0, NULL },
};

PyType_Spec py_failure_spec = {
    .name = "plait._core.Failure",
    .basicsize = sizeof(py_failure),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
