/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * py_compute.c: runs what was lowered. The caller waits without the GIL, and
 * looks for signals every 100 ms at least.
 */
#include "compute.h"

#include "callbacks.h"
#include "failure.h"
#include "gil.h"
#include "native.h"
#include "observer.h"
#include "task.h"

#define LOOK_MS 100

/* ---- runs ---- */

static void raise_plain(const plait_error *err)
{
    PyErr_SetString(err->status == PLAIT_ENOMEM   ? PyExc_MemoryError
                    : err->status == PLAIT_EINVAL ? PyExc_ValueError
                                                  : PyExc_RuntimeError,
                    err->message);
}

static void has_ended(plait_run *run, void *user)
{
    py_watch_ended(user, run);
    py_lowering_release(user);
}

static plait_run *begin(py_lowering *low, const plait_options *options,
                        plait_error *err)
{
    py_lowering_retain(low); /* the run's */
    py_left left = py_gil_leave();
    plait_plan *plan =
        plait_plan_new_with(low->graph, low->tasks, low->n_tasks, options, err);
    plait_run *run = plan ? plait_plan_start(plan, options, err) : NULL;
    if (!run || plait_run_on_done(run, has_ended, low) != PLAIT_OK)
        py_lowering_release(low);
    plait_plan_free(plan);
    py_gil_take(left);
    return run;
}

plait_run *py_run_begin(py_lowering *low, const py_settings *settings)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_options options = { PLAIT_OPTIONS_INIT };
    plait_observer skips = { PLAIT_OBSERVER_INIT, .kinds = PLAIT_TASK_SKIPPED,
                             .on_event = py_task_skipped, .user = low };
    options.observers = (const plait_observer *[]){ &skips };
    options.n_observers = 1;
    options.scheduler = settings->scheduler;
    options.workers = settings->workers;
    options.on_error = settings->on_error;
    options.retries = settings->retries;
    options.timeout_ms = settings->timeout_ms;
    options.run_timeout_ms = settings->run_timeout_ms;
    options.user = low;
    options.spawn = py_gil_spawn;
    options.spawn_user = low->state;
    if (settings->executor) {
        options.executor = py_pool_executor(low->state, settings->executor);
        if (!options.executor)
            return NULL;
    }
    py_watch_options(low, &options);
    plait_run *run = begin(low, &options, &err);
    if (!run)
        raise_plain(&err);
    return run;
}

/* ---- waiting ---- */

static int64_t now_ms(void)
{
    return py_now_ns() / 1000000;
}

int py_run_join(plait_run *run, int64_t timeout_ms, plait_status *status,
                plait_error *err)
{
    int64_t until = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
    for (;;) {
        int64_t left_ms = until == INT64_MAX ? LOOK_MS : until - now_ms();
        if (left_ms < 0)
            left_ms = 0;
        py_left left = py_gil_leave();
        *status =
            plait_run_wait(run, left_ms < LOOK_MS ? left_ms : LOOK_MS, err);
        py_gil_take(left);
        if (*status != PLAIT_EAGAIN && *status != PLAIT_EINTR)
            return 1;
        if (py_gil_look() != 0)
            return -1;
        if (*status == PLAIT_EAGAIN && left_ms == 0)
            return 0;
    }
}

void py_run_abandon(py_lowering *low, plait_run *run)
{
    PyObject *raised = PyErr_GetRaisedException();
    py_lowering_set_cancelled(low);
    py_watch_close(low);
    py_left left = py_gil_leave();
    plait_run_cancel(run);
    plait_run_free(run);
    py_gil_take(left);
    PyErr_SetRaisedException(raised);
}

/* ---- values ---- */

static PyObject *leaf_value(const py_lowering *low, size_t i)
{
    const py_delayed_object *leaf =
        (py_delayed_object *)PyList_GET_ITEM(low->targets, (Py_ssize_t)i);
    return Py_NewRef(leaf->items[0]);
}

PyObject *py_target_value(py_lowering *low, plait_run *run, size_t i,
                          bool collects)
{
    uint32_t row = low->target_rows[i];
    if (row == PY_NO_ROW)
        return leaf_value(low, i);
    if (low->rows[row].result)
        return Py_NewRef(low->rows[row].result);
    plait_value value;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_run_result(run, py_lowering_task(low, row), &value, &err);
    PyObject *result = NULL;
    if (err.status == PLAIT_OK)
        result = py_native_import(low, row, value);
    else if (collects && value.kind == PLAIT_KIND_ERROR)
        result = py_failure_of_target(low, row, value);
    else
        py_failure_raise(low, &err);
    plait_release(value);
    return result;
}

PyObject *py_target_values(py_lowering *low, plait_run *run, bool collects)
{
    Py_ssize_t n = PyList_GET_SIZE(low->targets);
    PyObject *values = PyList_New(n);
    for (Py_ssize_t i = 0; values && i < n; i++) {
        PyObject *value = py_target_value(low, run, (size_t)i, collects);
        if (value)
            PyList_SET_ITEM(values, i, value);
        else
            Py_CLEAR(values);
    }
    return values;
}

/* ---- compute ---- */

static PyObject *run_and_wait(py_lowering *low, const py_settings *settings)
{
    if (low->n_tasks == 0)
        return py_target_values(low, NULL, false);
    plait_run *run = py_run_begin(low, settings);
    if (!run)
        return NULL;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status;
    if (py_watch_join(low, run, &status, &err) < 0) {
        py_run_abandon(low, run);
        return NULL;
    }
    PyObject *values = NULL;
    if (status == PLAIT_OK && !py_watch_has_raised(low))
        values =
            py_target_values(low, run, settings->on_error == PLAIT_COLLECT);
    else
        py_failure_raise(low, &err);
    py_run_abandon(low, run);
    return values;
}

/* The values of the targets, a list. */
static PyObject *compute(py_state *state, PyObject *args, PyObject *kwargs)
{
    py_settings settings;
    PyObject *targets;
    if (py_settings_read(state, args, kwargs, &settings, &targets) != 0)
        return NULL;
    py_lowering *low = py_lower(state, targets, &settings);
    Py_DECREF(targets);
    if (!low)
        return NULL;
    const py_thread *thread = py_thread_here();
    if (thread && thread->lowering) {
        low->outer_ctx = thread->ctx;
        low->outer = thread->lowering;
    }
    PyObject *values = NULL;
    if (py_watch_begin(low, &settings, false) == 0)
        values = run_and_wait(low, &settings);
    values = py_watch_end(low, values);
    py_lowering_release(low);
    return values;
}

PyObject *py_compute(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return compute(py_state_of_module(module), args, kwargs);
}

/* Runs what plait.base.prepare made of the arguments, a tuple. */
static PyObject *compute_prepared(py_state *state, PyObject *prepared)
{
    PyObject *targets, *settings, *finish;
    if (!PyTuple_Check(prepared) ||
        !PyArg_ParseTuple(prepared, "OOO", &targets, &settings, &finish))
        return NULL;
    PyObject *values = Py_NewRef(Py_None);
    if (targets != Py_None) {
        PyObject *args = PyTuple_Pack(1, targets);
        Py_SETREF(values, args ? compute(state, args, settings) : NULL);
        Py_XDECREF(args);
        /* prepare has called their start; finish does nothing the second time
         */
        if (!values && PyDict_Check(settings))
            py_callbacks_abandon(PyDict_GetItemString(settings, "callbacks"));
    }
    if (!values)
        return NULL;
    PyObject *result = PyObject_CallOneArg(finish, values);
    Py_DECREF(values);
    return result;
}

PyObject *py_compute_args(PyObject *module, PyObject *args, PyObject *kwargs)
{
    py_state *state = py_state_of_module(module);
    PyObject *given = kwargs ? Py_NewRef(kwargs) : PyDict_New();
    if (!given)
        return NULL;
    PyObject *hook_args[] = { args, given };
    PyObject *prepared = py_call_hook("base", state->str_prepare, hook_args, 2);
    Py_DECREF(given);
    if (!prepared)
        return NULL;
    PyObject *result = compute_prepared(state, prepared);
    Py_DECREF(prepared);
    return result;
}

PyObject *py_current_task(PyObject *module, PyObject *unused)
{
    (void)unused;
    py_thread *thread = py_thread_here();
    if (!thread || !thread->lowering)
        Py_RETURN_NONE;
    py_lowering *low = thread->lowering;
    return Py_XNewRef(py_delayed_key(py_state_of_module(module),
                                     low->rows[thread->row].task));
}
