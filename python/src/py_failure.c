/* SPDX-License-Identifier: BSD-3-Clause */
/* py_failure.c: how exceptions become Failures, and come back. */
#include "failure.h"

#include "gil.h"
#include "task.h"

/* The attribute of an exception by which `failures` finds its run's. */
#define FAILURES_ATTRIBUTE "__plait_failures__"

/* ---- making ---- */

static py_failure *new_failure(py_lowering *low, uint32_t row,
                               PyObject *exception)
{
    py_state *state = low->state;
    py_delayed_object *task = low->rows[row].task;
    PyObject *key = py_delayed_key(state, task);
    PyObject *sources = key ? py_trail_sources(low, row) : NULL;
    py_failure *self =
        sources ? PyObject_GC_New(py_failure, state->failure_type) : NULL;
    if (!self) {
        Py_XDECREF(sources);
        return NULL;
    }
    self->key = Py_NewRef(key);
    self->cause_key = Py_NewRef(key);
    self->sources = sources;
    self->exception = Py_NewRef(exception);
    self->text = NULL;
    self->task = Py_NewRef(task);
    self->inputs = NULL;
    self->row = row;
    self->skipped = false;
    PyObject_GC_Track(self);
    return self;
}

/* Of a task that never ran, for a failure of another. */
static PyObject *skipped_failure(py_lowering *low, uint32_t row,
                                 const py_failure *cause)
{
    py_failure *self = new_failure(low, row, cause->exception);
    if (!self)
        return NULL;
    self->skipped = true;
    Py_SETREF(self->cause_key, Py_NewRef(cause->key));
    Py_SETREF(self->sources, Py_NewRef(cause->sources));
    self->text = Py_XNewRef(cause->text);
    return (PyObject *)self;
}

/* ---- while the run goes on ---- */

/* Keeps the text of a traceback instead of its frames. */
static int forget_frames(py_failure *failure)
{
    PyObject *text = py_failure_text(failure);
    if (!text)
        return -1;
    Py_DECREF(text);
    Py_CLEAR(failure->inputs);
    return PyException_SetTraceback(failure->exception, Py_None);
}

/* The listed failure of the lowest row, borrowed; NULL: there is none. */
static py_failure *first_failure(const py_lowering *low)
{
    py_failure *first = NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(low->failures); i++) {
        py_failure *at = (py_failure *)PyList_GET_ITEM(low->failures, i);
        if (!first || at->row < first->row)
            first = at;
    }
    return first;
}

/* The listed failure of a row, borrowed; NULL: there is none. */
static py_failure *failure_at(const py_lowering *low, uint32_t row)
{
    const py_row *at = &low->rows[row];
    return at->failed && at->uses < (size_t)PyList_GET_SIZE(low->failures)
               ? (py_failure *)PyList_GET_ITEM(low->failures, at->uses)
               : NULL;
}

/* Lists a failure; only that of the lowest row keeps its frames. */
static int list_failure(py_lowering *low, py_failure *failure,
                        const plait_value *args, size_t n_args)
{
    py_failure *first = first_failure(low);
    py_failure *loser = NULL;
    if (!first || failure->row < first->row) {
        failure->inputs =
            args ? py_task_inputs(low, failure->row, args, n_args) : NULL;
        loser = first;
    } else if (failure->exception != first->exception) {
        loser = failure;
    }
    if (loser && loser->exception != failure->exception &&
        forget_frames(loser) != 0)
        return -1;
    if (loser == failure && forget_frames(failure) != 0)
        return -1;
    py_row *row = &low->rows[failure->row];
    uint32_t place = (uint32_t)PyList_GET_SIZE(low->failures);
    if (PyList_Append(low->failures, (PyObject *)failure) != 0)
        return -1;
    row->uses = place;
    row->failed = true;
    return 0;
}

static int add_note(py_lowering *low, uint32_t row, PyObject *exception)
{
    PyObject *note = py_trail_note(low, row);
    PyObject *done = note ? PyObject_CallMethodOneArg(
                                exception, low->state->str_add_note, note)
                          : NULL;
    Py_XDECREF(note);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* What goes wrong in telling of a failure must not hide it; what is no
 * Exception (a Ctrl-C, mostly) is returned. */
static PyObject *log_failure(py_lowering *low, py_failure *failure)
{
    PyObject *arg = (PyObject *)failure;
    PyObject *done =
        py_call_hook("failures", low->state->str_log_failure, &arg, 1);
    Py_XDECREF(done);
    if (!done && !PyErr_ExceptionMatches(PyExc_Exception))
        return PyErr_GetRaisedException();
    if (!done)
        PyErr_WriteUnraisable(NULL);
    return NULL;
}

static bool is_cancelled(const py_lowering *low, PyObject *exception)
{
    return Py_TYPE(exception) == (PyTypeObject *)low->state->task_cancelled;
}

/* Keeps what is no Exception, to be raised where the run is waited for: one
 * that a task raised by itself before one that was sent into it. Takes it. */
static void keep_stopper(py_lowering *low, PyObject *exception)
{
    if (!low->stopped_by || is_cancelled(low, low->stopped_by))
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
    PyObject *stop = NULL;
    if (failure && (add_note(low, row, exception) != 0 ||
                    list_failure(low, failure, NULL, 0) != 0))
        PyErr_Clear();
    if (failure)
        stop = log_failure(low, failure);
    if (stop)
        keep_stopper(low, stop);
    told = failure != NULL;
    Py_XDECREF(failure);
    PyErr_Clear();
    return !stop;
}

/* Takes the exception. The error value names the task, whose Failure is listed:
 * only Python knows of that, so that its collector can find cycles. */
static plait_value failed(plait_context *ctx, py_lowering *low, uint32_t row,
                          PyObject *exception, const plait_value *args,
                          size_t n_args)
{
    bool again = plait_context_attempt(ctx) <= py_lowering_retries(low, row);
    py_failure *failure = NULL;
    if (explain_timeout(low, row, exception) == 0)
        failure = new_failure(low, row, exception);
    if (!failure || again) {
        PyErr_Clear();
        Py_DECREF(exception);
        Py_XDECREF(failure);
        return plait_fail(ctx, failure ? "tried again" : "out of memory");
    }
    if (add_note(low, row, exception) != 0 ||
        list_failure(low, failure, args, n_args) != 0)
        PyErr_Clear();
    PyObject *stop = log_failure(low, failure);
    if (stop) {
        Py_DECREF(exception);
        Py_DECREF(failure);
        return stopped(low, stop);
    }
    py_thread_here()->failure_told = true;
    PyObject *text = PyObject_Repr(exception);
    const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
    if (!utf8)
        PyErr_Clear();
    plait_value value = plait_fail(ctx, "%s", utf8 ? utf8 : "an exception");
    Py_XDECREF(text);
    Py_DECREF(failure);
    Py_DECREF(exception);
    return value;
}

plait_value py_failure_of_task(plait_context *ctx, py_lowering *low,
                               uint32_t row, const plait_value *args,
                               size_t n_args)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (PyErr_GivenExceptionMatches(exception, PyExc_Exception))
        return failed(ctx, low, row, exception, args, n_args);
    return stopped(low, exception);
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
        err && err->task.id ? failure_at(low, err->task.id - 1) : NULL;
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
    if (PyObject_SetAttrString(exception, FAILURES_ATTRIBUTE, low->failures) !=
        0)
        PyErr_Clear(); /* an exception class with slots */
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
           (low->stopped_by && is_cancelled(low, low->stopped_by) &&
            py_now_ns() >= low->deadline_ns);
}

void py_failure_raise(py_lowering *low, const plait_error *err)
{
    PyObject *stopper = low->stopped_by;
    py_failure *failure = NULL;
    if (stopper && !is_cancelled(low, stopper)) {
        PyErr_SetRaisedException(Py_NewRef(stopper));
    } else if (was_timed_out(low, err)) {
        PyErr_SetString(PyExc_TimeoutError,
                        "the run took longer than its run_timeout");
    } else if (err->status == PLAIT_ECANCELED ||
               (stopper && py_lowering_is_cancelled(low))) {
        /* the last task may have ended by that alone, and the run with it */
        raise_cancelled();
    } else if (stopper) {
        PyErr_SetRaisedException(Py_NewRef(stopper));
    } else {
        if (err->task.id && !low->passes_failures)
            failure = first_failure(low);
        else if (err->task.id)
            failure = failure_at(low, err->task.id - 1);
        if (failure)
            raise_failure(low, failure);
        else
            PyErr_SetString(class_of(err->status), err->message);
    }
}

PyObject *py_failures(PyObject *module, PyObject *exc)
{
    (void)module;
    PyObject *list = NULL;
    PyObject *name = PyUnicode_FromString(FAILURES_ATTRIBUTE);
    int found = name ? PyObject_GetOptionalAttr(exc, name, &list) : -1;
    Py_XDECREF(name);
    if (found < 0)
        return NULL;
    if (!list)
        return PyTuple_New(0);
    PyObject *tuple = PySequence_Tuple(list);
    Py_DECREF(list);
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
    if (!state->failure_type || !state->task_cancelled)
        return -1;
    if (PyModule_AddObjectRef(module, "TaskCancelled", state->task_cancelled) !=
        0)
        return -1;
    return PyModule_AddType(module, state->failure_type);
}
