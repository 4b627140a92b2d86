/* SPDX-License-Identifier: BSD-3-Clause */
/* watch.c: who watches one computation, from its begin to its end. */
#include "compute.h"
#include "gil.h"
#include "listener.h"
#include "observer.h"
#include "task.h"

struct py_watch {
    py_listener *listener; /* NULL: no callbacks */
    PyObject *observers;   /* a tuple of Observers that count it, or NULL */
    const plait_observer **list;
    size_t n;
    bool in_background;
    _Atomic bool over; /* the Observers count it no more */
};

/* ---- observers ---- */

static int set_list(py_watch *self)
{
    size_t n = (size_t)PyTuple_GET_SIZE(self->observers);
    self->list = PyMem_RawCalloc(n + 2, sizeof *self->list);
    if (!self->list) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < n; i++)
        self->list[self->n++] =
            py_observer_get(PyTuple_GET_ITEM(self->observers, (Py_ssize_t)i));
    if (self->listener)
        self->list[self->n++] = py_listener_observer(self->listener);
    return 0;
}

/* The observers of the settings, each of which counts this run from here. */
static PyObject *read_observers(py_lowering *low, PyObject *given)
{
    PyObject *all = given ? PySequence_Tuple(given) : PyTuple_New(0);
    for (Py_ssize_t i = 0; all && i < PyTuple_GET_SIZE(all); i++) {
        if (py_observer_begin(low, PyTuple_GET_ITEM(all, i)) == 0)
            continue;
        while (i-- > 0)
            py_observer_end(PyTuple_GET_ITEM(all, i));
        Py_CLEAR(all);
        break;
    }
    return all;
}

static bool need_names(PyObject *observers)
{
    bool need = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(observers) && !need; i++)
        need = py_observer_names(PyTuple_GET_ITEM(observers, i));
    return need;
}

static void let_go(py_watch *self)
{
    /* relaxed: only that it is done once matters */
    if (!self->observers ||
        atomic_exchange_explicit(&self->over, true, memory_order_relaxed))
        return;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->observers); i++)
        py_observer_end(PyTuple_GET_ITEM(self->observers, i));
}

/* ---- a computation ---- */

static int set_up(py_lowering *low, py_watch *self, const py_settings *settings)
{
    self->observers = read_observers(low, settings->observers);
    if (!self->observers ||
        (need_names(self->observers) && py_lowering_name_tasks(low) != 0))
        return -1;
    if (settings->callbacks) {
        self->listener = py_listener_new(low, settings->callbacks, settings,
                                         self->in_background);
        if (!self->listener)
            return -1;
    }
    return set_list(self);
}

int py_watch_begin(py_lowering *low, const py_settings *settings,
                   bool in_background)
{
    if (!settings->observers && !settings->callbacks)
        return 0;
    py_watch *self = PyMem_RawCalloc(1, sizeof *self);
    if (!self) {
        PyErr_NoMemory();
        return -1;
    }
    self->in_background = in_background;
    low->watch = self;
    if (set_up(low, self, settings) != 0)
        return -1;
    return self->listener ? py_listener_start(self->listener) : 0;
}

void py_watch_options(const py_lowering *low, plait_options *options)
{
    py_watch *self = low->watch;
    if (self && self->list) {
        self->list[self->n] = options->observers[0];
        options->observers = self->list;
        options->n_observers = self->n + 1;
    }
    /* Workers may be waiting for this very thread. */
    if (py_listener_calls()) {
        options->scheduler = "sync";
        options->executor = NULL;
    }
}

int py_watch_join(py_lowering *low, plait_run *run, plait_status *status,
                  plait_error *err)
{
    if (low->watch && low->watch->listener)
        return py_listener_join(low->watch->listener, run, status, err);
    return py_run_join(run, -1, status, err);
}

bool py_watch_has_raised(const py_lowering *low)
{
    return low->watch && low->watch->listener &&
           py_listener_has_raised(low->watch->listener);
}

void py_watch_close(py_lowering *low)
{
    if (low->watch && low->watch->listener)
        py_listener_close(low->watch->listener);
}

void py_watch_ended(py_lowering *low, plait_run *run)
{
    py_watch *self = low->watch;
    if (!self)
        return;
    let_go(self);
    if (!self->listener || !self->in_background || Py_IsFinalizing())
        return;
    plait_error err = { PLAIT_ERROR_INIT };
    bool errored = plait_run_wait(run, 0, &err) != PLAIT_OK;
    PyGILState_STATE gil = PyGILState_Ensure();
    errored |= py_listener_has_raised(self->listener);
    if (py_listener_finish(self->listener, errored) != 0)
        PyErr_WriteUnraisable(NULL);
    PyGILState_Release(gil);
}

PyObject *py_watch_end(py_lowering *low, PyObject *result)
{
    py_watch *self = low->watch;
    if (!self)
        return result;
    let_go(self);
    if (self->listener && py_listener_finish(self->listener, !result) != 0)
        Py_CLEAR(result);
    return result;
}

void py_watch_free(py_watch *self)
{
    if (!self)
        return;
    let_go(self);
    py_listener_free(self->listener);
    Py_XDECREF(self->observers);
    PyMem_RawFree(self->list);
    PyMem_RawFree(self);
}

plait_value py_watch_look(const py_lowering *low)
{
    if (!low->watch->listener || !py_listener_is_closed(low->watch->listener))
        return plait_nil();
    return plait_error_stop(
        plait_error_value(PLAIT_ECANCELED, "a callback has ended the run"));
}

plait_value py_watch_task(plait_context *ctx, const plait_value *args,
                          size_t n_args)
{
    const py_lowering *low = plait_context_payload(ctx);
    plait_value error = py_watch_look(low);
    return plait_is_error(error) ? error : py_task_run(ctx, args, n_args);
}
