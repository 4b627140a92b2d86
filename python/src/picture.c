/* SPDX-License-Identifier: BSD-3-Clause */
/* picture.c: drawing graphs with the C library, which loads Graphviz itself. */
#include "compute.h"
#include "gil.h"
#include "observer.h"

static void raise_drawing(const plait_error *err)
{
    PyErr_SetString(err->status == PLAIT_EINVAL         ? PyExc_ValueError
                    : err->status == PLAIT_EUNAVAILABLE ? PyExc_RuntimeError
                    : err->status == PLAIT_ENOMEM       ? PyExc_MemoryError
                                                        : PyExc_OSError,
                    err->message);
}

static PyObject *draw(const py_lowering *low, const plait_observer *profile,
                      const char *path)
{
    plait_error err = { PLAIT_ERROR_INIT };
    py_left left = py_gil_leave();
    plait_status status = plait_graph_draw(low->graph, low->tasks, low->n_tasks,
                                           profile, path, &err);
    py_gil_take(left);
    if (status == PLAIT_OK)
        Py_RETURN_NONE;
    raise_drawing(&err);
    return NULL;
}

/* A graph of its own, with names for the tasks, which those of a run that
 * nobody watches have not. */
static PyObject *draw_targets(py_state *state, PyObject *targets,
                              const char *path)
{
    py_settings settings = { .scheduler = "threads" };
    py_lowering *low = py_lower(state, targets, &settings);
    if (!low)
        return NULL;
    PyObject *result =
        py_lowering_name_tasks(low) == 0 ? draw(low, NULL, path) : NULL;
    py_lowering_release(low);
    return result;
}

static PyObject *draw_run(py_state *state, PyObject *run, PyObject *profile,
                          const char *path)
{
    const py_lowering *low = py_run_lowering(run);
    if (profile == Py_None)
        return draw_targets(state, low->targets, path);
    if (py_observer_knows(low, profile))
        return draw(low, py_observer_get(profile), path);
    PyErr_SetString(PyExc_ValueError,
                    "that is no profile that watched the run");
    return NULL;
}

static PyObject *draw_any(py_state *state, PyObject *source, PyObject *profile,
                          const char *path)
{
    if (Py_TYPE(source) == state->run_type)
        return draw_run(state, source, profile, path);
    if (profile != Py_None) {
        PyErr_SetString(PyExc_ValueError,
                        "a profile is for a Run: it knows when its tasks ran");
        return NULL;
    }
    PyObject *targets = py_delayed_list(state, source);
    PyObject *result = targets ? draw_targets(state, targets, path) : NULL;
    Py_XDECREF(targets);
    return result;
}

PyObject *py_draw(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "source", "path", "profile", NULL };
    PyObject *source, *path, *profile = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO&|O:draw", names, &source,
                                     PyUnicode_FSConverter, &path, &profile))
        return NULL;
    PyObject *result = draw_any(py_state_of_module(module), source, profile,
                                PyBytes_AS_STRING(path));
    Py_DECREF(path);
    return result;
}
