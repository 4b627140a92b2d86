/* SPDX-License-Identifier: BSD-3-Clause */
/* py_run.c: the type Run, a computation that goes on in the background. */
#include "compute.h"
#include "failure.h"
#include "gil.h"
#include "observer.h"

typedef struct py_run {
    PyObject_HEAD PyObject *weakrefs;
    py_lowering *low;
    plait_run *run; /* NULL: there was nothing to do */
    bool collects;
} py_run;

/* ---- waiting ---- */

/* -1 for None, or milliseconds; -2 with an exception set. */
static int64_t read_timeout(PyObject *timeout)
{
    if (timeout == Py_None)
        return -1;
    double seconds = PyFloat_AsDouble(timeout);
    if (PyErr_Occurred())
        return -2;
    return seconds > 0 ? (int64_t)py_milliseconds(seconds) : 0;
}

/* As py_run_join. */
static int join(py_run *self, int64_t timeout_ms, plait_status *status,
                plait_error *err)
{
    *status = PLAIT_OK;
    if (!self->run)
        return 1;
    int ended = py_run_join(self->run, timeout_ms, status, err);
    if (ended > 0 && py_watch_has_raised(self->low))
        *status = PLAIT_ECANCELED;
    return ended;
}

static PyObject *run_wait(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "timeout", NULL };
    PyObject *timeout = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:wait", names, &timeout))
        return NULL;
    int64_t ms = read_timeout(timeout);
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status;
    int ended = ms == -2 ? -1 : join((py_run *)op, ms, &status, &err);
    return ended < 0 ? NULL : PyBool_FromLong(ended);
}

static PyObject *run_done(PyObject *op, PyObject *unused)
{
    (void)unused;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status;
    int ended = join((py_run *)op, 0, &status, &err);
    return ended < 0 ? NULL : PyBool_FromLong(ended);
}

static PyObject *run_cancel(PyObject *op, PyObject *unused)
{
    (void)unused;
    py_run *self = (py_run *)op;
    py_lowering_set_cancelled(self->low);
    py_left left = py_gil_leave();
    plait_run_cancel(self->run);
    py_gil_take(left);
    Py_RETURN_NONE;
}

static PyObject *run_enter(PyObject *op, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(op);
}

static PyObject *run_exit(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    PyObject *cancelled =
        n > 0 && args[0] != Py_None ? run_cancel(op, NULL) : Py_NewRef(Py_None);
    Py_XDECREF(cancelled);
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status;
    int ended = cancelled ? join((py_run *)op, -1, &status, &err) : -1;
    return ended < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- results ---- */

static Py_ssize_t find_target(py_run *self, PyObject *target)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->low->targets); i++) {
        if (PyList_GET_ITEM(self->low->targets, i) == target)
            return i;
    }
    PyErr_SetString(PyExc_ValueError,
                    "that is no target of the run: name it where the run is "
                    "started");
    return -1;
}

static PyObject *result_of(py_run *self, PyObject *target,
                           const plait_error *err)
{
    if (py_watch_has_raised(self->low)) {
        py_failure_raise(self->low, err);
        return NULL;
    }
    if (target == Py_None)
        return py_target_values(self->low, self->run, self->collects);
    Py_ssize_t i = find_target(self, target);
    return i < 0 ? NULL
                 : py_target_value(self->low, self->run, (size_t)i,
                                   self->collects);
}

static PyObject *run_result(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "target", "timeout", NULL };
    py_run *self = (py_run *)op;
    PyObject *target = Py_None, *timeout = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:result", names, &target,
                                     &timeout))
        return NULL;
    int64_t ms = read_timeout(timeout);
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status;
    int ended = ms == -2 ? -1 : join(self, ms, &status, &err);
    if (ended < 0)
        return NULL;
    if (ended)
        return result_of(self, target, &err);
    PyErr_SetString(PyExc_TimeoutError, "the run has not ended yet");
    return NULL;
}

static PyObject *run_exception(PyObject *op, PyObject *unused)
{
    (void)unused;
    py_run *self = (py_run *)op;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status;
    int ended = join(self, 0, &status, &err);
    if (ended < 0)
        return NULL;
    if (!ended || status == PLAIT_OK)
        Py_RETURN_NONE;
    py_failure_raise(self->low, &err);
    return PyErr_GetRaisedException();
}

/* ---- states ---- */

static bool is_running(py_run *self, uint32_t row)
{
    plait_task running[64];
    size_t n = plait_run_running(self->run, running, 64);
    for (size_t i = 0; i < n && i < 64; i++) {
        if (running[i].id == row + 1)
            return true;
    }
    return false;
}

static const char *state_of(py_run *self, uint32_t row, bool ended)
{
    py_lowering *low = self->low;
    if (py_row_ended(low, row))
        return "done";
    if (low->rows[row].failed)
        return "errored";
    if (is_running(self, row))
        return "running";
    return ended ? "skipped" : "waiting";
}

static PyObject *run_state(PyObject *op, PyObject *task)
{
    py_run *self = (py_run *)op;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status;
    int ended = join(self, 0, &status, &err);
    if (ended < 0)
        return NULL;
    py_state *state = self->low->state;
    bool is_leaf = py_is_delayed(state, task) &&
                   ((py_delayed_object *)task)->kind == PY_LEAF;
    if (is_leaf)
        return PyUnicode_FromString("done");
    uint32_t row = py_lowering_find(self->low, task);
    if (row != PY_NO_ROW)
        return PyUnicode_FromString(state_of(self, row, ended));
    PyErr_SetString(PyExc_ValueError, "that is no task of the run");
    return NULL;
}

static PyObject *run_counts(PyObject *op, PyObject *unused)
{
    (void)unused;
    py_run *self = (py_run *)op;
    plait_counts counts = { PLAIT_COUNTS_INIT };
    if (self->run)
        plait_run_counts(self->run, &counts);
    return Py_BuildValue(
        "{snsnsnsnsnsn}", "total", (Py_ssize_t)counts.total, "done",
        (Py_ssize_t)counts.done, "failed", (Py_ssize_t)counts.failed, "skipped",
        (Py_ssize_t)counts.skipped, "running", (Py_ssize_t)counts.running,
        "waiting", (Py_ssize_t)counts.waiting);
}

/* ---- callbacks ---- */

typedef struct done_callback {
    PyObject *run;
    PyObject *fn;
} done_callback;

static void call_back(plait_run *run, void *user)
{
    (void)run;
    done_callback *done = user;
    if (Py_IsFinalizing())
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *result = PyObject_CallOneArg(done->fn, done->run);
    if (!result)
        PyErr_WriteUnraisable(done->fn);
    Py_XDECREF(result);
    Py_DECREF(done->run);
    Py_DECREF(done->fn);
    PyMem_RawFree(done);
    PyGILState_Release(gil);
}

static PyObject *run_add_done_callback(PyObject *op, PyObject *fn)
{
    py_run *self = (py_run *)op;
    if (!self->run)
        return PyObject_CallOneArg(fn, op);
    done_callback *done = PyMem_RawMalloc(sizeof *done);
    if (!done)
        return PyErr_NoMemory();
    *done = (done_callback){ Py_NewRef(op), Py_NewRef(fn) };
    plait_run *run = self->run;
    py_left left = py_gil_leave();
    plait_status status = plait_run_on_done(run, call_back, done);
    py_gil_take(left);
    if (status == PLAIT_OK)
        Py_RETURN_NONE;
    Py_DECREF(done->run);
    Py_DECREF(done->fn);
    PyMem_RawFree(done);
    return PyErr_NoMemory();
}

static PyObject *run_visualize(PyObject *op, PyObject *args, PyObject *kwargs)
{
    py_state *state = py_state_of(op);
    PyObject *module = py_import("collection");
    PyObject *fn =
        module ? PyObject_GetAttr(module, state->str_visualize_run) : NULL;
    PyObject *self = fn ? PyTuple_Pack(1, op) : NULL;
    PyObject *all = self ? PySequence_Concat(self, args) : NULL;
    PyObject *result = all ? PyObject_Call(fn, all, kwargs) : NULL;
    Py_XDECREF(all);
    Py_XDECREF(self);
    Py_XDECREF(fn);
    Py_XDECREF(module);
    return result;
}

/* ---- the object ---- */

static PyObject *get_failures(PyObject *op, void *closure)
{
    (void)closure;
    return PyList_AsTuple(((py_run *)op)->low->failures);
}

static PyObject *get_targets(PyObject *op, void *closure)
{
    (void)closure;
    PyObject *targets = ((py_run *)op)->low->targets;
    return PyList_GetSlice(targets, 0, PyList_GET_SIZE(targets));
}

static PyObject *repr(PyObject *op)
{
    py_run *self = (py_run *)op;
    plait_counts counts = { PLAIT_COUNTS_INIT };
    if (self->run)
        plait_run_counts(self->run, &counts);
    return PyUnicode_FromFormat("<Run: %zu of %zu tasks done>", counts.done,
                                counts.total);
}

/* What the lowering holds is the Run's as long as nobody else has it. An
 * exception's frames may well hold the Run. */
static int traverse(PyObject *op, visitproc visit, void *arg)
{
    py_run *self = (py_run *)op;
    Py_VISIT(Py_TYPE(op));
    if (self->low && py_lowering_is_sole(self->low)) {
        Py_VISIT(self->low->failures);
        Py_VISIT(self->low->targets);
        Py_VISIT(self->low->stopped_by);
    }
    return 0;
}

static int clear(PyObject *op)
{
    py_run *self = (py_run *)op;
    if (!self->low || !py_lowering_is_sole(self->low))
        return 0;
    Py_CLEAR(self->low->stopped_by);
    return PyList_SetSlice(self->low->failures, 0, PY_SSIZE_T_MAX, NULL);
}

static void dealloc(PyObject *op)
{
    py_run *self = (py_run *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->weakrefs)
        PyObject_ClearWeakRefs(op);
    if (self->run)
        py_run_abandon(self->low, self->run);
    if (self->low)
        py_lowering_release(self->low);
    PyObject_GC_Del(op);
    Py_DECREF(type);
}

#define METHOD(fn) ((PyCFunction)(void (*)(void))(fn))

static PyMethodDef methods[] = {
    { "wait", METHOD(run_wait), METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR("Whether it has ended within timeout seconds.") },
    { "__enter__", run_enter, METH_NOARGS, NULL },
    { "__exit__", METHOD(run_exit), METH_FASTCALL,
      PyDoc_STR("Wait; after an exception, cancel first.") },
    { "done", run_done, METH_NOARGS, PyDoc_STR("Whether it has ended.") },
    { "cancel", run_cancel, METH_NOARGS, PyDoc_STR("Start nothing new.") },
    { "result", METHOD(run_result), METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR("The value of a target, or of all as a list; waits.") },
    { "exception", run_exception, METH_NOARGS,
      PyDoc_STR("Why the run failed, or None.") },
    { "state", run_state, METH_O,
      PyDoc_STR("waiting, running, done, errored or skipped.") },
    { "counts", run_counts, METH_NOARGS,
      PyDoc_STR("How many tasks there are, by state.") },
    { "add_done_callback", run_add_done_callback, METH_O,
      PyDoc_STR("Call fn(run) once it has ended, on any thread.") },
    { "visualize", METHOD(run_visualize), METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR("Draw the graph as it stands.") },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef getset[] = {
    { "failures", get_failures, NULL, NULL, NULL },
    { "targets", get_targets, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static PyMemberDef members[] = {
    PY_OFFSET_MEMBER("__weaklistoffset__", offsetof(py_run, weakrefs)),
    { NULL, 0, 0, 0, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_doc,
      (void *)PyDoc_STR("A computation that goes on in the background.") },
    { Py_tp_dealloc, dealloc },
    { Py_tp_traverse, traverse },
    { Py_tp_clear, clear },
    { Py_tp_methods, methods },
    { Py_tp_getset, getset },
    { Py_tp_members, members },
    { Py_tp_repr, repr },
    { 0, NULL },
};

static PyType_Spec spec = {
    .name = "plait._core.Run",
    .basicsize = sizeof(py_run),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

const py_lowering *py_run_lowering(PyObject *op)
{
    return ((py_run *)op)->low;
}

/* Takes the lowering. */
static PyObject *begin(py_state *state, py_lowering *low,
                       const py_settings *settings)
{
    py_run *self = PyObject_GC_New(py_run, state->run_type);
    if (!self) {
        py_lowering_release(low);
        return NULL;
    }
    self->weakrefs = NULL;
    self->low = low;
    self->run = NULL;
    self->collects = settings->on_error == PLAIT_COLLECT;
    PyObject_GC_Track(self);
    if (py_watch_begin(low, settings, true) != 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (low->n_tasks > 0 && (self->run = py_run_begin(low, settings)))
        return (PyObject *)self;
    PyObject *made = low->n_tasks > 0 ? NULL : Py_NewRef((PyObject *)self);
    made = py_watch_end(low, made);
    Py_DECREF(self);
    return made;
}

PyObject *py_start(PyObject *module, PyObject *args, PyObject *kwargs)
{
    py_state *state = py_state_of_module(module);
    py_settings settings;
    PyObject *targets;
    if (py_settings_read(state, args, kwargs, &settings, &targets) != 0)
        return NULL;
    py_lowering *low = py_lower(state, targets, &settings);
    Py_DECREF(targets);
    return low ? begin(state, low, &settings) : NULL;
}

int py_run_setup(PyObject *module, py_state *state)
{
    state->run_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->run_type ? PyModule_AddType(module, state->run_type) : -1;
}
