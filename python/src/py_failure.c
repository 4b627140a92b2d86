/* SPDX-License-Identifier: BSD-3-Clause */
/* py_failure.c: how exceptions become Failures, and come back. */
#include "failure.h"

#include "gil.h"
#include "task.h"

/* ---- making ---- */

static py_failure *new_failure(py_lowering *low, uint32_t row,
                               PyObject *exception)
{
    py_failure *self = PyObject_GC_New(py_failure, low->state->failure_type);
    if (!self)
        return NULL;
    self->task = Py_NewRef((PyObject *)low->rows[row].task);
    self->cause = NULL;
    self->exception = Py_NewRef(exception);
    self->traceback = NULL;
    self->stack = NULL;
    self->note = NULL;
    self->inputs = NULL;
    self->sources = NULL;
    self->text = NULL;
    self->row = row;
    self->skipped = false;
    PyObject_GC_Track(self);
    return self;
}

/* Of a task that never ran, for a failure of another. */
static PyObject *skipped_failure(py_lowering *low, uint32_t row,
                                 py_failure *cause)
{
    py_failure *self = new_failure(low, row, cause->exception);
    if (!self)
        return NULL;
    self->skipped = true;
    self->cause = (py_failure *)Py_NewRef((PyObject *)cause);
    return (PyObject *)self;
}

/* ---- while the run goes on ---- */

/* What was raised that is no failure of the task itself must not hide it; what
 * is no Exception (a Ctrl-C, mostly) is returned. */
static PyObject *interruption(void)
{
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception))
        return PyErr_GetRaisedException();
    PyErr_Clear();
    return NULL;
}

static PyObject *find_log(py_state *state)
{
    if (!state->log_failure) {
        PyObject *module = py_import("failures");
        if (module)
            state->log_failure =
                PyObject_GetAttr(module, state->str_log_failure);
        Py_XDECREF(module);
    }
    return state->log_failure;
}

static PyObject *log_failure(const py_lowering *low, py_failure *failure)
{
    PyObject *log = find_log(low->state);
    PyObject *traceback =
        Py_NewRef(failure->traceback ? failure->traceback : Py_None);
    PyObject *args[] = { (PyObject *)failure, traceback };
    PyObject *done = log ? PyObject_Vectorcall(log, args, 2, NULL) : NULL;
    Py_DECREF(traceback);
    Py_XDECREF(done);
    if (!done && PyErr_ExceptionMatches(PyExc_Exception))
        PyErr_WriteUnraisable(NULL);
    return interruption();
}

/* Lists a failure, and tells of it; returns what interrupted that. */
static PyObject *tell(py_lowering *low, py_failure *failure,
                      const plait_value *args, size_t n_args)
{
    py_failure_list(low, failure, args, n_args);
    PyObject *stop = interruption();
    if (!stop)
        stop = log_failure(low, failure);
    if (py_failure_settle(low, failure) != 0)
        PyErr_Clear();
    return stop;
}

/* Keeps what is no Exception, to be raised where the run is waited for: one
 * that a task raised by itself before one that was sent into it. Takes it. */
static void keep_stopper(py_lowering *low, PyObject *exception)
{
    if (!low->stopped_by || py_is_task_cancelled(low->state, low->stopped_by))
        Py_XSETREF(low->stopped_by, exception);
    else
        Py_DECREF(exception);
}

/* Takes what is no Exception: it ends the run. */
static plait_value stopped(py_lowering *low, PyObject *exception)
{
    keep_stopper(low, exception);
    return plait_error_stop(
        plait_error_value(PLAIT_ETASK, "ended by an exception that is no "
                                       "Exception"));
}

/* A timeout that the interrupter sent says what it is of. */
static int explain_timeout(py_lowering *low, uint32_t row, PyObject *exception)
{
    if (Py_TYPE(exception) != (PyTypeObject *)PyExc_TimeoutError ||
        !py_lowering_timeout_ms(low, row))
        return 0;
    PyObject *args = PyObject_GetAttrString(exception, "args");
    if (!args || !PyTuple_Check(args) || PyTuple_GET_SIZE(args) > 0) {
        Py_XDECREF(args);
        return args ? 0 : -1;
    }
    Py_DECREF(args);
    PyObject *seconds =
        PyFloat_FromDouble(py_lowering_timeout_ms(low, row) / 1000.0);
    PyObject *text =
        seconds ? PyUnicode_FromFormat("the task took longer than its %R s",
                                       seconds)
                : NULL;
    PyObject *values = text ? PyTuple_Pack(1, text) : NULL;
    int status =
        values ? PyObject_SetAttrString(exception, "args", values) : -1;
    Py_XDECREF(values);
    Py_XDECREF(text);
    Py_XDECREF(seconds);
    return status;
}

/* A failure in C was logged on this thread, where no task in Python may ever
 * have run. */
static _Thread_local bool told;

bool py_failure_was_told(void)
{
    bool was = told;
    told = false;
    return was;
}

bool py_failure_add(py_lowering *low, uint32_t row, PyObject *exception)
{
    py_failure *failure = new_failure(low, row, exception);
    PyObject *stop = failure ? tell(low, failure, NULL, 0) : NULL;
    if (stop)
        keep_stopper(low, stop);
    told = failure != NULL;
    Py_XDECREF(failure);
    PyErr_Clear();
    return !stop;
}

/* The engine's word on it, which names the task; only traces show it. */
static plait_value error_of(plait_context *ctx, const py_lowering *low,
                            PyObject *exception)
{
    if (!low->watch)
        return plait_fail(ctx, "%s", Py_TYPE(exception)->tp_name);
    PyObject *text = PyObject_Repr(exception);
    const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
    plait_value value = plait_fail(ctx, "%s", utf8 ? utf8 : "an exception");
    Py_XDECREF(text);
    return value;
}

/* The failure (taken) is listed: only Python knows of it, so that its collector
 * can find cycles. */
static plait_value failed(plait_context *ctx, py_lowering *low,
                          py_failure *failure, const plait_value *args,
                          size_t n_args)
{
    PyObject *stop = tell(low, failure, args, n_args);
    py_task_drop_inputs(low, failure->row, args, n_args);
    plait_value value = plait_nil();
    if (!stop) {
        py_thread_here()->failure_told = true;
        value = error_of(ctx, low, failure->exception);
        stop = interruption();
    }
    Py_DECREF(failure);
    if (!stop)
        return value;
    plait_release(value);
    return stopped(low, stop);
}

plait_value py_failure_of_task(plait_context *ctx, py_lowering *low,
                               uint32_t row, const plait_value *args,
                               size_t n_args)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (!PyErr_GivenExceptionMatches(exception, PyExc_Exception))
        return stopped(low, exception);
    if (plait_context_attempt(ctx) <= py_lowering_retries(low, row)) {
        Py_DECREF(exception);
        return plait_fail(ctx, "tried again");
    }
    if (explain_timeout(low, row, exception) != 0)
        PyErr_Clear();
    py_failure *failure = new_failure(low, row, exception);
    Py_DECREF(exception);
    if (failure)
        return failed(ctx, low, failure, args, n_args);
    PyErr_Clear();
    return plait_fail(ctx, "out of memory");
}

/* ---- failures as values ---- */

static PyObject *generic_exception(const plait_error *err)
{
    return PyObject_CallFunction(PyExc_RuntimeError, "s", err->message);
}

/* The Failure of a row: its own, or one that says "skipped". */
static PyObject *failure_of(py_lowering *low, uint32_t row, plait_value error)
{
    const plait_error *err = plait_as_error(error);
    py_failure *cause =
        err && err->task.id ? py_failure_at(low, err->task.id - 1) : NULL;
    if (cause)
        return cause->row == row ? Py_NewRef((PyObject *)cause)
                                 : skipped_failure(low, row, cause);
    PyObject *exception = err ? generic_exception(err) : NULL;
    py_failure *made = exception ? new_failure(low, row, exception) : NULL;
    Py_XDECREF(exception);
    if (made && err->task.id && err->task.id - 1 != row)
        made->skipped = true;
    return (PyObject *)made;
}

PyObject *py_failure_as_input(py_lowering *low, const py_delayed_object *input,
                              plait_value error)
{
    uint32_t row = py_lowering_find(low, (const PyObject *)input);
    if (row != PY_NO_ROW)
        return failure_of(low, row, error);
    PyErr_SetString(PyExc_SystemError, "an input that is not in the graph");
    return NULL;
}

PyObject *py_failure_of_target(py_lowering *low, uint32_t row,
                               plait_value error)
{
    return failure_of(low, row, error);
}
