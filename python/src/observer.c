/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * observer.c: the type Observer: something of the C library that watches runs.
 */
#include "observer.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "gil.h"
#include "tally.h"

typedef enum observer_kind { PROGRESS, TRACE, PROFILE, TALLY } observer_kind;

typedef struct py_observer {
    PyObject_HEAD plait_observer *observer; /* NULL: closed */
    observer_kind kind;
    FILE *stream;          /* of a progress: its own */
    PyObject *keys;        /* of a profile: graph -> keys by row */
    _Atomic unsigned runs; /* that it watches now */
} py_observer;

/* ---- runs ---- */

/* The keys of all rows: a tuple. */
static PyObject *keys_of(py_lowering *low)
{
    PyObject *keys = PyTuple_New(low->n_rows);
    for (uint32_t i = 0; keys && i < low->n_rows; i++) {
        PyObject *key = py_delayed_key(low->state, low->rows[i].task);
        if (key)
            PyTuple_SET_ITEM(keys, i, Py_NewRef(key));
        else
            Py_CLEAR(keys);
    }
    return keys;
}

static int note_keys(py_observer *self, py_lowering *low)
{
    PyObject *graph = PyLong_FromUnsignedLong(low->func.graph);
    PyObject *keys = graph ? keys_of(low) : NULL;
    int status = keys ? PyDict_SetItem(self->keys, graph, keys) : -1;
    Py_XDECREF(keys);
    Py_XDECREF(graph);
    return status;
}

int py_observer_begin(py_lowering *low, PyObject *op)
{
    if (Py_TYPE(op) != low->state->observer_type) {
        PyErr_Format(PyExc_TypeError, "an Observer is needed, not %.100s",
                     Py_TYPE(op)->tp_name);
        return -1;
    }
    py_observer *self = (py_observer *)op;
    if (!self->observer) {
        PyErr_SetString(PyExc_ValueError, "the observer is closed");
        return -1;
    }
    if (self->keys && note_keys(self, low) != 0)
        return -1;
    /* relaxed: it is read under the GIL */
    atomic_fetch_add_explicit(&self->runs, 1, memory_order_relaxed);
    return 0;
}

void py_observer_end(PyObject *op)
{
    /* release: what the run has told is behind it */
    atomic_fetch_sub_explicit(&((py_observer *)op)->runs, 1,
                              memory_order_release);
}

const plait_observer *py_observer_get(PyObject *op)
{
    return ((py_observer *)op)->observer;
}

bool py_observer_names(PyObject *op)
{
    const py_observer *self = (const py_observer *)op;
    return self->kind != TALLY;
}

bool py_observer_knows(const py_lowering *low, PyObject *op)
{
    if (Py_TYPE(op) != low->state->observer_type)
        return false;
    const py_observer *self = (py_observer *)op;
    if (!self->observer || !self->keys)
        return false;
    PyObject *graph = PyLong_FromUnsignedLong(low->func.graph);
    int found = graph ? PyDict_Contains(self->keys, graph) : -1;
    Py_XDECREF(graph);
    if (found < 0)
        PyErr_Clear();
    return found > 0;
}

/* ---- closing ---- */

static plait_status let_go(py_observer *self, plait_error *err)
{
    plait_observer *observer = self->observer;
    self->observer = NULL;
    plait_status status = PLAIT_OK;
    switch (self->kind) {
    case PROGRESS:
        plait_progress_free(observer);
        break;
    case TRACE:
        status = plait_trace_free(observer, err);
        break;
    case PROFILE:
        plait_profile_free(observer);
        break;
    case TALLY:
        PyMem_RawFree(observer);
        break;
    }
    if (self->stream)
        fclose(self->stream);
    self->stream = NULL;
    return status;
}

static PyObject *observer_close(PyObject *op, PyObject *unused)
{
    (void)unused;
    py_observer *self = (py_observer *)op;
    if (!self->observer)
        Py_RETURN_NONE;
    /* acquire: see py_observer_end */
    if (atomic_load_explicit(&self->runs, memory_order_acquire) > 0) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a computation that the observer watches goes on");
        return NULL;
    }
    plait_error err = { PLAIT_ERROR_INIT };
    py_left left = py_gil_leave();
    plait_status status = let_go(self, &err);
    py_gil_take(left);
    if (status == PLAIT_OK)
        Py_RETURN_NONE;
    PyErr_SetString(PyExc_OSError, err.message);
    return NULL;
}

static PyObject *observer_enter(PyObject *op, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(op);
}

static PyObject *observer_exit(PyObject *op, PyObject *args)
{
    (void)args;
    return observer_close(op, NULL);
}

static void dealloc(PyObject *op)
{
    py_observer *self = (py_observer *)op;
    PyTypeObject *type = Py_TYPE(op);
    plait_error err = { PLAIT_ERROR_INIT };
    if (self->observer)
        let_go(self, &err);
    Py_XDECREF(self->keys);
    PyObject_Free(op);
    Py_DECREF(type);
}

static PyObject *get_closed(PyObject *op, void *closure)
{
    (void)closure;
    return PyBool_FromLong(!((py_observer *)op)->observer);
}

static PyObject *get_watches(PyObject *op, void *closure)
{
    (void)closure;
    /* acquire: see py_observer_end */
    unsigned runs =
        atomic_load_explicit(&((py_observer *)op)->runs, memory_order_acquire);
    return PyBool_FromLong(runs > 0);
}

/* ---- what a tally knows ---- */

static PyObject *observer_counts(PyObject *op, PyObject *unused)
{
    (void)unused;
    const py_observer *self = (const py_observer *)op;
    if (self->kind != TALLY || !self->observer) {
        PyErr_SetString(PyExc_ValueError, self->observer
                                              ? "the observer is no tally"
                                              : "the observer is closed");
        return NULL;
    }
    py_counts counts = py_tally_counts(self->observer);
    return Py_BuildValue("{snsnsnsn}", "total", (Py_ssize_t)counts.total,
                         "done", (Py_ssize_t)counts.done, "failed",
                         (Py_ssize_t)counts.failed, "skipped",
                         (Py_ssize_t)counts.skipped);
}

/* ---- what a profile knows ---- */

/* Seconds, as time.monotonic has them; None: there is no such time. */
static PyObject *seconds(int64_t ns)
{
    return ns ? PyFloat_FromDouble((double)ns / 1e9) : Py_NewRef(Py_None);
}

/* (outcome, worker, attempts, begin, end) */
static PyObject *timing_of(const plait_timing *timing)
{
    static const char *const outcomes[] = { "running", "done", "errored",
                                            "skipped" };
    PyObject *worker = timing->worker == UINT_MAX
                           ? Py_NewRef(Py_None)
                           : PyLong_FromUnsignedLong(timing->worker);
    PyObject *begin = seconds(timing->begin_ns);
    PyObject *end = seconds(timing->end_ns);
    PyObject *tuple = worker && begin && end
                          ? Py_BuildValue("(sOIOO)", outcomes[timing->outcome],
                                          worker, timing->attempts, begin, end)
                          : NULL;
    Py_XDECREF(end);
    Py_XDECREF(begin);
    Py_XDECREF(worker);
    return tuple;
}

/* The seconds that a task took; NULL without an exception: it took none yet. */
static PyObject *time_of(const plait_timing *timing)
{
    if (!timing->begin_ns || !timing->end_ns)
        return NULL;
    return PyFloat_FromDouble((double)(timing->end_ns - timing->begin_ns) /
                              1e9);
}

typedef PyObject *(*teller)(const plait_timing *timing);

static int tell_task(py_observer *self, PyObject *dict, PyObject *key,
                     plait_task task, teller tell)
{
    plait_timing timing = { PLAIT_TIMING_INIT };
    plait_profile_task(self->observer, task, &timing);
    if (!timing.begin_ns && timing.outcome == PLAIT_OUTCOME_NONE)
        return 0;
    PyObject *told = tell(&timing);
    if (!told)
        return PyErr_Occurred() ? -1 : 0;
    int status = PyDict_SetItem(dict, key, told);
    Py_DECREF(told);
    return status;
}

/* key -> what is told of the task, in its last run. */
static PyObject *tell_all(PyObject *op, teller tell)
{
    py_observer *self = (py_observer *)op;
    if (!self->keys || !self->observer) {
        PyErr_SetString(PyExc_ValueError, self->keys
                                              ? "the profile is closed"
                                              : "the observer is no profile");
        return NULL;
    }
    PyObject *dict = PyDict_New();
    PyObject *number, *keys;
    Py_ssize_t at = 0;
    while (dict && PyDict_Next(self->keys, &at, &number, &keys)) {
        uint32_t graph = (uint32_t)PyLong_AsUnsignedLong(number);
        for (Py_ssize_t i = 0; dict && i < PyTuple_GET_SIZE(keys); i++) {
            plait_task task = { (uint32_t)i + 1, graph };
            if (tell_task(self, dict, PyTuple_GET_ITEM(keys, i), task, tell) !=
                0)
                Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *observer_times(PyObject *op, PyObject *unused)
{
    (void)unused;
    return tell_all(op, time_of);
}

static PyObject *observer_timings(PyObject *op, PyObject *unused)
{
    (void)unused;
    return tell_all(op, timing_of);
}

/* ---- the type ---- */

static PyMethodDef methods[] = {
    { "counts", observer_counts, METH_NOARGS,
      PyDoc_STR("Of a tally: total, done, failed, skipped.") },
    { "close", observer_close, METH_NOARGS,
      PyDoc_STR("Let go of it; a trace is written now.") },
    { "times", observer_times, METH_NOARGS,
      PyDoc_STR("Of a profile: key -> the seconds that the task took.") },
    { "timings", observer_timings, METH_NOARGS,
      PyDoc_STR("Of a profile: key -> "
                "(outcome, worker, attempts, begin, end).") },
    { "__enter__", observer_enter, METH_NOARGS, NULL },
    { "__exit__", observer_exit, METH_VARARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef getset[] = {
    { "closed", get_closed, NULL, NULL, NULL },
    { "watches", get_watches, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_doc,
      (void *)PyDoc_STR("Something in C that watches computations.") },
    { Py_tp_dealloc, dealloc },
    { Py_tp_methods, methods },
    { Py_tp_getset, getset },
    { 0, NULL },
};

static PyType_Spec spec = {
    .name = "plait._core.Observer",
    .basicsize = sizeof(py_observer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

/* ---- making ---- */

static py_observer *new_observer(PyObject *module, observer_kind kind)
{
    py_observer *self =
        PyObject_New(py_observer, py_state_of_module(module)->observer_type);
    if (!self)
        return NULL;
    self->observer = NULL;
    self->kind = kind;
    self->stream = NULL;
    self->keys = NULL;
    atomic_init(&self->runs, 0);
    return self;
}

/* Takes it; NULL when it observes nothing: there is no memory, or an exception
 * is set. */
static PyObject *made(py_observer *self)
{
    if (self->observer)
        return (PyObject *)self;
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    Py_DECREF(self);
    return NULL;
}

/* A stream of our own on the descriptor of a file, or on stderr. */
static FILE *open_stream(PyObject *file)
{
    int given =
        file == Py_None ? STDERR_FILENO : PyObject_AsFileDescriptor(file);
    int own = given < 0 ? -1 : dup(given);
    FILE *stream = own < 0 ? NULL : fdopen(own, "w");
    if (!stream && !PyErr_Occurred())
        PyErr_SetFromErrno(PyExc_OSError);
    if (!stream && own >= 0)
        close(own);
    return stream;
}

PyObject *py_progress(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "file", NULL };
    PyObject *file = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:progress", names, &file))
        return NULL;
    py_observer *self = new_observer(module, PROGRESS);
    if (!self)
        return NULL;
    self->stream = open_stream(file);
    if (self->stream)
        self->observer = plait_progress_new(self->stream);
    return made(self);
}

PyObject *py_trace(PyObject *module, PyObject *path)
{
    PyObject *bytes;
    if (!PyUnicode_FSConverter(path, &bytes))
        return NULL;
    py_observer *self = new_observer(module, TRACE);
    if (self) {
        plait_error err = { PLAIT_ERROR_INIT };
        self->observer = plait_trace_new(PyBytes_AS_STRING(bytes), &err);
        if (!self->observer && err.status != PLAIT_ENOMEM)
            PyErr_SetString(PyExc_OSError, err.message);
    }
    Py_DECREF(bytes);
    return self ? made(self) : NULL;
}

PyObject *py_profile(PyObject *module, PyObject *unused)
{
    (void)unused;
    py_observer *self = new_observer(module, PROFILE);
    if (!self)
        return NULL;
    self->keys = PyDict_New();
    if (self->keys)
        self->observer = plait_profile_new();
    return made(self);
}

PyObject *py_tally(PyObject *module, PyObject *unused)
{
    (void)unused;
    py_observer *self = new_observer(module, TALLY);
    if (!self)
        return NULL;
    self->observer = py_tally_new();
    return made(self);
}

int py_observer_setup(PyObject *module, py_state *state)
{
    state->observer_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->observer_type ? PyModule_AddType(module, state->observer_type)
                                : -1;
}
