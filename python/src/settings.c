/* SPDX-License-Identifier: BSD-3-Clause */
/* settings.c: the arguments of compute and start, and the environment. */
#include "compute.h"

#include "gil.h"

extern char **environ;

static int read_on_error(const char *text, plait_on_error *out)
{
    static const struct {
        const char *text;
        plait_on_error value;
    } known[] = { { "finish", PLAIT_FINISH },
                  { "stop", PLAIT_STOP },
                  { "collect", PLAIT_COLLECT } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(text, known[i].text) == 0) {
            *out = known[i].value;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError,
                 "on_error is '%.50s': it must be \"finish\", \"stop\" or "
                 "\"collect\"",
                 text);
    return -1;
}

int py_seconds_read(PyObject *value, const char *name, double *out)
{
    *out = value == Py_None ? 0 : PyFloat_AsDouble(value);
    bool is_number = !PyErr_Occurred();
    if (!is_number && !PyErr_ExceptionMatches(PyExc_TypeError))
        return -1;
    PyErr_Clear();
    if (value == Py_None || (is_number && *out > 0))
        return 0;
    PyErr_Format(is_number ? PyExc_ValueError : PyExc_TypeError,
                 "%s must be None or a number of seconds over 0, got %R", name,
                 value);
    return -1;
}

static int read_milliseconds(PyObject *value, const char *name, unsigned *out)
{
    double seconds;
    int status = py_seconds_read(value, name, &seconds);
    *out = status == 0 ? py_milliseconds(seconds) : 0;
    return status;
}

/* After so many targets, others may run: about 0.1 ms. */
#define STEPS 4096

static int pause_sometimes(py_state *state, Py_ssize_t i)
{
    return i % STEPS == STEPS - 1 ? py_gil_pause(state) : 0;
}

static int copy_targets(py_state *state, PyObject *targets, PyObject *list)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(targets); i++) {
        PyObject *target = PyTuple_GET_ITEM(targets, i);
        if (!py_is_delayed(state, target)) {
            PyErr_Format(PyExc_TypeError, "target %zd is no Delayed but %.100s",
                         i, Py_TYPE(target)->tp_name);
            return -1;
        }
        PyList_SET_ITEM(list, i, Py_NewRef(target));
        if (pause_sometimes(state, i) != 0)
            return -1;
    }
    return 0;
}

static PyObject *read_targets(py_state *state, PyObject *given)
{
    PyObject *targets = PySequence_Tuple(given);
    PyObject *list = targets ? PyList_New(PyTuple_GET_SIZE(targets)) : NULL;
    if (list) {
        PyObject_GC_UnTrack(list); /* it has holes while others run */
        int status = copy_targets(state, targets, list);
        PyObject_GC_Track(list);
        if (status != 0)
            Py_CLEAR(list);
    }
    Py_XDECREF(targets);
    return list;
}

static PyObject *or_null(PyObject *object)
{
    return object == Py_None ? NULL : object;
}

/* A sequence, or NULL for none and for an empty one. */
static int read_sequence(PyObject *given, PyObject **out)
{
    Py_ssize_t n = given == Py_None ? 0 : PySequence_Size(given);
    *out = n > 0 ? given : NULL;
    return n < 0 ? -1 : 0;
}

/* A count from 0 to `most`. */
static int read_count(long number, const char *name, long most, unsigned *out)
{
    if (number >= 0 && number <= most) {
        *out = (unsigned)number;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "%s must be from 0 to %ld, got %ld", name,
                 most, number);
    return -1;
}

static int read_settings(PyObject *args, PyObject *kwargs,
                         py_settings *settings, PyObject **targets)
{
    static char *names[] = { "targets",   "scheduler", "workers", "executor",
                             "on_error",  "retries",   "timeout", "run_timeout",
                             "observers", "callbacks", NULL };
    PyObject *executor = Py_None, *timeout = Py_None, *run_timeout = Py_None,
             *observers = Py_None, *callbacks = Py_None;
    const char *on_error = "finish";
    long workers = 0, retries = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$slOslOOOO", names,
                                     targets, &settings->scheduler, &workers,
                                     &executor, &on_error, &retries, &timeout,
                                     &run_timeout, &observers, &callbacks) ||
        read_count(workers, "workers", 1024, &settings->workers) != 0 ||
        read_count(retries, "retries", INT32_MAX, &settings->retries) != 0 ||
        read_on_error(on_error, &settings->on_error) != 0 ||
        read_milliseconds(timeout, "timeout", &settings->timeout_ms) != 0 ||
        read_milliseconds(run_timeout, "run_timeout",
                          &settings->run_timeout_ms) != 0 ||
        read_sequence(observers, &settings->observers) != 0 ||
        read_sequence(callbacks, &settings->callbacks) != 0)
        return -1;
    settings->executor = or_null(executor);
    return 0;
}

int py_settings_read(py_state *state, PyObject *args, PyObject *kwargs,
                     py_settings *settings, PyObject **targets)
{
    *settings =
        (py_settings){ .scheduler = "threads", .on_error = PLAIT_FINISH };
    bool alone = PyTuple_GET_SIZE(args) == 1 &&
                 (!kwargs || PyDict_GET_SIZE(kwargs) == 0);
    PyObject *given = alone ? PyTuple_GET_ITEM(args, 0) : NULL;
    if (!alone && read_settings(args, kwargs, settings, &given) != 0)
        return -1;
    *targets = read_targets(state, given);
    return *targets ? 0 : -1;
}

/* ---- the targets ---- */

PyObject *py_are_delayeds(PyObject *module, PyObject *objects)
{
    py_state *state = py_state_of_module(module);
    if (!PyTuple_Check(objects)) {
        PyErr_SetString(PyExc_TypeError, "a tuple is needed");
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(objects);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (Py_TYPE(PyTuple_GET_ITEM(objects, i)) != state->delayed_type)
            Py_RETURN_FALSE;
        if (pause_sometimes(state, i) != 0)
            return NULL;
    }
    return PyBool_FromLong(n > 0);
}

/* ---- the environment ---- */

static bool has_line(const char *beginning, size_t length)
{
    for (char **line = environ; line && *line; line++) {
        if (**line == *beginning && strncmp(*line, beginning, length) == 0)
            return true;
    }
    return false;
}

PyObject *py_environment_has(PyObject *module, PyObject *beginnings)
{
    (void)module;
    if (!PyTuple_Check(beginnings)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of bytes is needed");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(beginnings); i++) {
        char *text;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(beginnings, i), &text,
                                    &length) != 0)
            return NULL;
        if (has_line(text, (size_t)length))
            Py_RETURN_TRUE;
    }
    Py_RETURN_FALSE;
}
