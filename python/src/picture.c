/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * picture.c: drawing graphs with the C library, which loads Graphviz itself;
 * and in which order their tasks run.
 */
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

/* ---- order ---- */

/* The Delayeds of the tasks of a plan, which is a permutation of rows. */
static PyObject *ordered(const py_lowering *low, const plait_plan *plan)
{
    size_t n = plait_plan_size(plan, NULL);
    plait_task *tasks = PyMem_RawMalloc((n + 1) * sizeof *tasks);
    if (!tasks)
        return PyErr_NoMemory();
    plait_plan_order(plan, tasks);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *task = (PyObject *)low->rows[tasks[i].id - 1].task;
        PyList_SET_ITEM(list, (Py_ssize_t)i, Py_NewRef(task));
    }
    PyMem_RawFree(tasks);
    return list;
}

static PyObject *plan_order(const py_lowering *low)
{
    if (low->n_tasks == 0)
        return PyList_New(0);
    plait_error err = { PLAIT_ERROR_INIT };
    plait_plan *plan =
        plait_plan_new(low->graph, low->tasks, low->n_tasks, &err);
    PyObject *list = plan ? ordered(low, plan) : NULL;
    if (!plan)
        PyErr_SetString(PyExc_MemoryError, err.message);
    plait_plan_free(plan);
    return list;
}

PyObject *py_order(PyObject *module, PyObject *given)
{
    py_state *state = py_state_of_module(module);
    py_settings settings = { .scheduler = "threads" };
    PyObject *targets = py_delayed_list(state, given);
    py_lowering *low = targets ? py_lower(state, targets, &settings) : NULL;
    PyObject *list = low ? plan_order(low) : NULL;
    if (low)
        py_lowering_release(low);
    Py_XDECREF(targets);
    return list;
}
