/* SPDX-License-Identifier: BSD-3-Clause */
/* failure_raise.c: what a run that failed raises, and how its failures are
 * found again from there. */
#include "failure.h"

bool py_is_task_cancelled(const py_state *state, PyObject *exception)
{
    return Py_TYPE(exception) == (PyTypeObject *)state->task_cancelled;
}

/* ---- the failures of a run, as an attribute of what it raised ---- */

/* They stay where they are: in a copy of the exception, which may be made in
 * another process, there are none. */
typedef struct failures {
    PyObject_HEAD PyObject *list;
} failures;

static PyObject *new_failures(py_lowering *low)
{
    failures *self = PyObject_GC_New(failures, low->state->failures_type);
    if (!self)
        return NULL;
    self->list = Py_NewRef(low->failures);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((failures *)op)->list);
    return 0;
}

static int clear(PyObject *op)
{
    Py_CLEAR(((failures *)op)->list);
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

static PyObject *reduce(PyObject *op, PyObject *unused)
{
    (void)op;
    (void)unused;
    return Py_BuildValue("(O())", (PyObject *)&PyTuple_Type);
}

static PyMethodDef methods[] = {
    { "__reduce__", reduce, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_doc, (void *)PyDoc_STR("The failures of a run.") },
    { Py_tp_dealloc, dealloc },
    { Py_tp_traverse, traverse },
    { Py_tp_clear, clear },
    { Py_tp_methods, methods },
    { 0, NULL },
};

static PyType_Spec spec = {
    .name = "plait._core.Failures",
    .basicsize = sizeof(failures),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

/* ---- raising ---- */

static PyObject *class_of(plait_status status)
{
    switch (status) {
    case PLAIT_ENOMEM:
        return PyExc_MemoryError;
    case PLAIT_EINVAL:
    case PLAIT_ETYPE:
        return PyExc_ValueError;
    case PLAIT_ETIMEDOUT:
        return PyExc_TimeoutError;
    case PLAIT_OK:
    case PLAIT_ETASK:
    case PLAIT_ECANCELED:
    case PLAIT_EAGAIN:
    case PLAIT_EINTR:
    case PLAIT_ECLOSED:
    case PLAIT_EWORKER:
    case PLAIT_ECODEC:
    case PLAIT_EUNAVAILABLE:
    case PLAIT_ESYS:
        break;
    }
    return PyExc_RuntimeError;
}

/* Its own traceback, and none of ours: none was added on the way. */
static void raise_failure(py_lowering *low, const py_failure *failure)
{
    PyObject *exception = Py_NewRef(failure->exception);
    PyObject *all = new_failures(low);
    /* generic: the class may let nothing be set */
    if (!all || PyObject_GenericSetAttr(
                    exception, low->state->str___plait_failures__, all) != 0)
        PyErr_Clear();
    Py_XDECREF(all);
    PyErr_SetRaisedException(exception);
}

/* Of a run that was cancelled: what concurrent.futures raises for it. */
static void raise_cancelled(void)
{
    PyObject *module = PyImport_ImportModule("concurrent.futures");
    PyObject *kind =
        module ? PyObject_GetAttrString(module, "CancelledError") : NULL;
    if (kind)
        PyErr_SetString(kind, "the run was cancelled");
    Py_XDECREF(kind);
    Py_XDECREF(module);
}

static bool was_timed_out(const py_lowering *low, const plait_error *err)
{
    return (err->status == PLAIT_ETIMEDOUT && !err->task.id) ||
           (low->stopped_by &&
            py_is_task_cancelled(low->state, low->stopped_by) &&
            py_now_ns() >= low->deadline_ns);
}

void py_failure_raise(py_lowering *low, const plait_error *err)
{
    PyObject *stopper = low->stopped_by;
    py_failure *failure = NULL;
    if (stopper && !py_is_task_cancelled(low->state, stopper)) {
        PyErr_SetRaisedException(Py_NewRef(stopper));
    } else if (stopper && low->outer_ctx && plait_timed_out(low->outer_ctx)) {
        /* sent to the task that computes while it ran one of these */
        PyErr_SetNone(PyExc_TimeoutError);
    } else if (was_timed_out(low, err)) {
        PyErr_SetString(PyExc_TimeoutError,
                        "the run took longer than its run_timeout");
    } else if (err->status == PLAIT_ECANCELED ||
               (stopper && py_lowering_is_cancelled(low))) {
        /* the last task may have ended by that alone, and the run with it */
        raise_cancelled();
    } else if (stopper &&
               (PyList_GET_SIZE(low->failures) == 0 ||
                (low->outer_ctx && plait_cancelled(low->outer_ctx)))) {
        /* else it was sent to a task, or that began too late, as another's
         * failure ended the run */
        PyErr_SetRaisedException(Py_NewRef(stopper));
    } else {
        if (stopper || (err->task.id && !low->passes_failures))
            failure = py_failure_first(low);
        else if (err->task.id)
            failure = py_failure_at(low, err->task.id - 1);
        if (failure)
            raise_failure(low, failure);
        else
            PyErr_SetString(class_of(err->status), err->message);
    }
}

PyObject *py_failures(PyObject *module, PyObject *exc)
{
    py_state *state = py_state_of_module(module);
    PyObject *found = NULL;
    if (PyObject_GetOptionalAttr(exc, state->str___plait_failures__, &found) <
        0)
        return NULL;
    PyObject *list = found && Py_TYPE(found) == state->failures_type
                         ? ((failures *)found)->list
                         : NULL;
    PyObject *tuple = list ? PyList_AsTuple(list) : PyTuple_New(0);
    Py_XDECREF(found);
    return tuple;
}

int py_failure_setup(PyObject *module, py_state *state)
{
    state->failure_type = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &py_failure_spec, NULL);
    state->task_cancelled = PyErr_NewExceptionWithDoc(
        "plait._core.TaskCancelled",
        "Raised in a task of a run that was cancelled.", PyExc_BaseException,
        NULL);
    state->failures_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (!state->failure_type || !state->failures_type || !state->task_cancelled)
        return -1;
    if (PyModule_AddObjectRef(module, "TaskCancelled", state->task_cancelled) !=
        0)
        return -1;
    return PyModule_AddType(module, state->failure_type);
}
