/* SPDX-License-Identifier: BSD-3-Clause */
/* failure_type.c: the type Failure. */
#include "collect.h"
#include "failure.h"
#include "task.h"

static int traverse(PyObject *op, visitproc visit, void *arg)
{
    py_failure *self = (py_failure *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->key);
    Py_VISIT(self->cause_key);
    Py_VISIT(self->sources);
    Py_VISIT(self->exception);
    Py_VISIT(self->task);
    Py_VISIT(self->inputs);
    return 0;
}

static int clear(PyObject *op)
{
    py_failure *self = (py_failure *)op;
    Py_CLEAR(self->key);
    Py_CLEAR(self->cause_key);
    Py_CLEAR(self->sources);
    Py_CLEAR(self->exception);
    Py_CLEAR(self->text);
    Py_CLEAR(self->task);
    Py_CLEAR(self->inputs);
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

static PyObject *repr(PyObject *op)
{
    py_failure *self = (py_failure *)op;
    return PyUnicode_FromFormat(self->skipped ? "<Failure %R: skipped, %R>"
                                              : "<Failure %R: %R>",
                                self->key, self->exception);
}

/* The lines of traceback.format_exception, as one text. */
static PyObject *format_traceback(py_state *state, PyObject *exception)
{
    PyObject *module = PyImport_ImportModule("traceback");
    PyObject *lines =
        module ? PyObject_CallMethodOneArg(module, state->str_format_exception,
                                           exception)
               : NULL;
    PyObject *empty = lines ? PyUnicode_New(0, 0) : NULL;
    PyObject *text = empty ? PyUnicode_Join(empty, lines) : NULL;
    Py_XDECREF(empty);
    Py_XDECREF(lines);
    Py_XDECREF(module);
    return text;
}

PyObject *py_failure_text(py_failure *self)
{
    if (!self->text)
        self->text =
            format_traceback(py_state_of((PyObject *)self), self->exception);
    return Py_XNewRef(self->text);
}

static PyObject *get_text(PyObject *op, void *closure)
{
    (void)closure;
    return py_failure_text((py_failure *)op);
}

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

/* The values of the inputs: those that were kept, or computed again. */
static PyObject *inputs_again(py_state *state, py_failure *self)
{
    if (self->inputs)
        return Py_NewRef(self->inputs);
    PyObject *tasks = inputs_of(state, (py_delayed_object *)self->task);
    PyObject *args = tasks ? PyTuple_Pack(1, tasks) : NULL;
    PyObject *values = args ? py_compute(state->module, args, NULL) : NULL;
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
    { "key", T_OBJECT, offsetof(py_failure, key), READONLY, NULL },
    { "cause_key", T_OBJECT, offsetof(py_failure, cause_key), READONLY, NULL },
    { "skipped", T_BOOL, offsetof(py_failure, skipped), READONLY, NULL },
    { "sources", T_OBJECT, offsetof(py_failure, sources), READONLY, NULL },
    { "exception", T_OBJECT, offsetof(py_failure, exception), READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyGetSetDef getset[] = {
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
