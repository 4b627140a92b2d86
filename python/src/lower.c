/* SPDX-License-Identifier: BSD-3-Clause */
/* lower.c: one plait_graph for what the targets need. */
#include "lower.h"

#include <math.h>
#include <time.h>

#include "collect.h"
#include "failure.h"
#include "gil.h"
#include "native.h"
#include "observer.h"
#include "task.h"

#define FEW_INPUTS 16
/* With the GIL: longer than others wait before they ask for it, 5 ms, as only
 * who has asked is sure to get it. */
#define MOST_NS 10000000

typedef struct lowering_walk {
    py_walk walk;
    py_lowering *low;
    PyObject *keys; /* of pure tasks: key -> row; NULL: none were met */
    plait_value few[FEW_INPUTS];
    plait_value *inputs;
    size_t n_inputs;
    size_t inputs_room;
} lowering_walk;

/* ---- rows ---- */

static py_row *add_row(py_lowering *low, py_delayed_object *task)
{
    if (low->n_rows == low->room) {
        uint32_t room = low->room ? low->room * 2 : 16;
        py_row *rows = PyMem_RawRealloc(low->rows, room * sizeof *rows);
        if (!rows) {
            PyErr_NoMemory();
            return NULL;
        }
        low->rows = rows;
        low->room = room;
    }
    py_row *row = &low->rows[low->n_rows++];
    *row = (py_row){ .task = task };
    return row;
}

/* Notes which row the task of a place in the walk has. */
static int set_id(py_lowering *low, uint32_t place, uint32_t row)
{
    if (place >= low->ids_room) {
        uint32_t room = low->ids_room ? low->ids_room * 2 : 16;
        uint32_t *ids = PyMem_RawRealloc(low->ids, room * sizeof *ids);
        if (!ids) {
            PyErr_NoMemory();
            return -1;
        }
        low->ids = ids;
        low->ids_room = room;
    }
    low->ids[place] = row;
    return 0;
}

/* ---- inputs ---- */

static int more_inputs(lowering_walk *w)
{
    size_t room = w->inputs_room * 2;
    plait_value *inputs = PyMem_RawMalloc(room * sizeof *inputs);
    if (!inputs) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(inputs, w->inputs, w->n_inputs * sizeof *inputs);
    if (w->inputs != w->few)
        PyMem_RawFree(w->inputs);
    w->inputs = inputs;
    w->inputs_room = room;
    return 0;
}

static int add_input(PyObject *delayed, void *user)
{
    lowering_walk *w = user;
    py_delayed_object *input = (py_delayed_object *)delayed;
    if (input->kind == PY_LEAF)
        return 0;
    if (w->n_inputs == w->inputs_room && more_inputs(w) != 0)
        return -1;
    uint32_t row = py_lowering_row(w->low, input);
    w->inputs[w->n_inputs++] = plait_ref(py_lowering_task(w->low, row));
    return 0;
}

static int find_inputs(lowering_walk *w, const py_delayed_object *task)
{
    w->n_inputs = 0;
    if (!(task->flags & PY_HAS_INPUTS))
        return 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(task); i++) {
        if (py_packed_each(w->walk.state, task->items[i], add_input, w) != 0)
            return -1;
    }
    return 0;
}

/* ---- options ---- */

/* A number that plait.annotate gave, or `otherwise`. */
static int64_t annotation(const py_cold *cold, const char *name,
                          int64_t otherwise)
{
    PyObject *value = cold->annotations
                          ? PyDict_GetItemString(cold->annotations, name)
                          : NULL;
    if (!value || !PyLong_Check(value))
        return otherwise;
    int overflow;
    int64_t number = PyLong_AsLongAndOverflow(value, &overflow);
    return overflow || number > INT32_MAX || number < INT32_MIN ? otherwise
                                                                : number;
}

unsigned py_milliseconds(double seconds)
{
    double ms = ceil(seconds * 1000);
    return ms >= (double)UINT32_MAX ? UINT32_MAX : (unsigned)ms;
}

/* Of a call, and before it of the function that it calls. */
static const py_cold *cold_of(const py_delayed_object *task, int at)
{
    if (at == 0)
        return task->cold;
    return task->kind == PY_CALL ? ((py_delayed_object *)task->func)->cold
                                 : NULL;
}

/* False: it has none. */
static bool find_options(const py_delayed_object *task,
                         plait_task_options *options)
{
    bool any = false;
    for (int at = 1; at >= 0; at--) {
        const py_cold *cold = cold_of(task, at);
        if (!cold)
            continue;
        int64_t retries = annotation(cold, "retries", cold->retries);
        if (retries >= 0)
            options->retries = (unsigned)retries;
        if (cold->timeout > 0)
            options->timeout_ms = py_milliseconds(cold->timeout);
        options->accepts_errors |= cold->passes_failures;
        options->priority =
            (int)annotation(cold, "priority", options->priority);
        any |= retries > 0 || cold->timeout > 0 || options->accepts_errors ||
               options->priority;
    }
    return any;
}

static void set_options(py_lowering *low, const py_delayed_object *task,
                        plait_task handle)
{
    plait_task_options options = { PLAIT_TASK_OPTIONS_INIT };
    if (!find_options(task, &options))
        return;
    low->has_options = true;
    low->passes_failures |= options.accepts_errors;
    plait_task_set(low->graph, handle, &options);
}

unsigned py_lowering_retries(const py_lowering *low, uint32_t row)
{
    plait_task_options options = { PLAIT_TASK_OPTIONS_INIT };
    if (low->has_options)
        find_options(low->rows[row].task, &options);
    return options.retries ? options.retries : low->retries;
}

unsigned py_lowering_timeout_ms(const py_lowering *low, uint32_t row)
{
    plait_task_options options = { PLAIT_TASK_OPTIONS_INIT };
    if (low->has_options)
        find_options(low->rows[row].task, &options);
    return options.timeout_ms ? options.timeout_ms : low->timeout_ms;
}

int py_lowering_name_tasks(py_lowering *low)
{
    for (uint32_t row = 0; row < low->n_rows; row++) {
        plait_task_options options = { PLAIT_TASK_OPTIONS_INIT };
        find_options(low->rows[row].task, &options);
        PyObject *name = py_trail_name(low, row);
        options.key = name ? PyUnicode_AsUTF8(name) : NULL;
        if (options.key)
            plait_task_set(low->graph, py_lowering_task(low, row), &options);
        Py_XDECREF(name);
        if (!options.key)
            return -1;
    }
    return 0;
}

int64_t py_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t after_ms(unsigned ms)
{
    return ms ? py_now_ns() + (int64_t)ms * 1000000 : INT64_MAX;
}

/* ---- merging ---- */

/* Whether looking a key up runs no Python code. */
static bool is_plain(PyObject *key)
{
    if (!PyTuple_CheckExact(key))
        return PyUnicode_CheckExact(key) || PyLong_CheckExact(key) ||
               PyFloat_CheckExact(key);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); i++) {
        PyObject *part = PyTuple_GET_ITEM(key, i);
        if (PyTuple_CheckExact(part) || !is_plain(part))
            return false;
    }
    return true;
}

/* The row of a task with the same key; PY_NO_ROW: it is the first. What nobody
 * has asked the key of is like no other. */
static int find_equal(lowering_walk *w, const py_delayed_object *task,
                      uint32_t *row)
{
    *row = PY_NO_ROW;
    if (!task->cold || !task->cold->key || !is_plain(task->cold->key))
        return 0;
    if (!w->keys && !(w->keys = PyDict_New()))
        return -1;
    PyObject *number = PyLong_FromUnsignedLong(w->low->n_rows);
    PyObject *found =
        number ? PyDict_SetDefault(w->keys, task->cold->key, number) : NULL;
    if (found && found != number)
        *row = (uint32_t)PyLong_AsUnsignedLong(found);
    Py_XDECREF(number);
    return found ? 0 : -1;
}

/* ---- tasks ---- */

/* Adds the task of the last row to the graph. */
static int add_to_graph(lowering_walk *w, const py_delayed_object *task,
                        plait_task *handle)
{
    py_lowering *low = w->low;
    if (py_is_native(low->state, task)) {
        low->rows[low->n_rows - 1].native = 1;
        return py_native_lower(low, task, handle);
    }
    if (find_inputs(w, task) != 0)
        return -1;
    for (size_t i = 0; i < w->n_inputs; i++)
        low->rows[w->inputs[i].as.integer - 1].uses++;
    *handle = plait_call_func(low->graph, low->func, w->inputs, w->n_inputs);
    return 0;
}

static int visit(py_walk *walk, py_delayed_object *task)
{
    lowering_walk *w = (lowering_walk *)walk;
    py_lowering *low = w->low;
    uint32_t equal, place = walk->n - 1;
    task->flags |= PY_LOWERED;
    if (find_equal(w, task, &equal) != 0)
        return -1;
    if (equal != PY_NO_ROW)
        return set_id(low, place, equal);
    plait_task handle;
    if (!add_row(low, task) || set_id(low, place, low->n_rows - 1) != 0 ||
        add_to_graph(w, task, &handle) != 0)
        return -1;
    if (task->cold ||
        (task->kind == PY_CALL && ((py_delayed_object *)task->func)->cold))
        set_options(low, task, handle);
    return 0;
}

static int add_target(lowering_walk *w, size_t i)
{
    py_lowering *low = w->low;
    py_delayed_object *target =
        (py_delayed_object *)PyList_GET_ITEM(low->targets, (Py_ssize_t)i);
    low->target_rows[i] = PY_NO_ROW;
    if (target->kind == PY_LEAF)
        return 0;
    if (py_walk_add(&w->walk, target) != 0)
        return -1;
    uint32_t row = py_lowering_row(low, target);
    low->target_rows[i] = row;
    low->rows[row].uses++;
    low->tasks[low->n_tasks++] = py_lowering_task(low, row);
    return 0;
}

static int add_targets(py_lowering *low)
{
    lowering_walk w = { .low = low, .inputs_room = FEW_INPUTS };
    py_walk_init(&w.walk, low->state);
    w.walk.visit = visit;
    low->walk = &w.walk;
    w.inputs = w.few;
    int status = 0;
    size_t n = (size_t)PyList_GET_SIZE(low->targets);
    for (size_t i = 0; i < n && status == 0; i++)
        status = add_target(&w, i);
    if (status == 0 && low->n_natives > 0)
        status = py_native_lowered(low);
    low->places = w.walk.tasks;
    low->n_places = w.walk.n;
    w.walk.tasks = NULL;
    low->walk = NULL;
    py_walk_fini(&w.walk);
    if (w.inputs != w.few)
        PyMem_RawFree(w.inputs);
    Py_XDECREF(w.keys);
    return status;
}

/* ---- lowerings ---- */

static int set_up(py_lowering *low, const py_settings *settings)
{
    size_t n = (size_t)PyList_GET_SIZE(low->targets);
    low->target_rows = PyMem_RawCalloc(n + 1, sizeof *low->target_rows);
    low->tasks = PyMem_RawCalloc(n + 1, sizeof *low->tasks);
    low->graph = plait_graph_new();
    if (!low->target_rows || !low->tasks || !low->graph) {
        PyErr_NoMemory();
        return -1;
    }
    plait_function function = { PLAIT_FUNCTION_INIT };
    function.fn = settings->callbacks ? py_watch_task : py_task_run;
    function.payload = low;
    function.runtime = py_runtime();
    low->func = plait_function_add(low->graph, &function);
    low->retries = settings->retries;
    low->timeout_ms = settings->timeout_ms;
    low->looks = strcmp(settings->scheduler, "sync") == 0;
    low->deadline_ns = after_ms(settings->run_timeout_ms);
    low->failures = PyList_New(0);
    low->context = PyContext_CopyCurrent();
    return low->failures && low->context ? 0 : -1;
}

py_lowering *py_lower(py_state *state, PyObject *targets,
                      const py_settings *settings)
{
    py_lowering *low = PyMem_RawCalloc(1, sizeof *low);
    if (!low) {
        PyErr_NoMemory();
        return NULL;
    }
    atomic_init(&low->count, 1);
    low->state = state;
    low->module = Py_NewRef(state->module);
    low->targets = Py_NewRef(targets);
    if (set_up(low, settings) == 0 && add_targets(low) == 0)
        return low;
    py_lowering_release(low);
    return NULL;
}

/* Lets others have the GIL now and then: no signal is looked for, as there is
 * nobody to tell of what its handler raised. */
static void release_results(py_lowering *low)
{
    int64_t kept_ns = py_now_ns();
    for (uint32_t i = 0; i < low->n_rows; i++) {
        Py_CLEAR(low->rows[i].result);
        if (i % 4096 == 0 && py_now_ns() - kept_ns > MOST_NS) {
            PyEval_RestoreThread(PyEval_SaveThread());
            kept_ns = py_now_ns();
        }
    }
}

/* May take long, and needs no GIL. */
static void free_arrays(py_lowering *low)
{
    PyThreadState *tstate = PyEval_SaveThread();
    plait_graph_free(low->graph);
    PyMem_RawFree(low->rows);
    PyMem_RawFree(low->ids);
    PyMem_RawFree(low->places);
    PyMem_RawFree(low->index);
    PyMem_RawFree(low->target_rows);
    PyMem_RawFree(low->tasks);
    PyEval_RestoreThread(tstate);
}

static void lowering_free(py_lowering *low)
{
    py_watch_free(low->watch);
    release_results(low);
    Py_XDECREF(low->targets); /* there may be many */
    free_arrays(low);
    py_native_release(low);
    Py_XDECREF(low->context);
    Py_XDECREF(low->failures);
    py_listing_free(low->listing);
    Py_XDECREF(low->stopped_by);
    Py_DECREF(low->module);
    PyMem_RawFree(low);
}

void py_lowering_retain(py_lowering *low)
{
    atomic_fetch_add_explicit(&low->count, 1, memory_order_relaxed);
}

void py_lowering_release(py_lowering *low)
{
    /* acq_rel: what others did to it is behind its end */
    if (atomic_fetch_sub_explicit(&low->count, 1, memory_order_acq_rel) != 1)
        return;
    if (PyGILState_Check()) {
        lowering_free(low);
    } else if (!Py_IsFinalizing()) {
        PyGILState_STATE gil = PyGILState_Ensure();
        lowering_free(low);
        PyGILState_Release(gil);
    }
}

/* ---- finding ---- */

static uint32_t slot_of(const py_lowering *low, const void *address)
{
    /* Fibonacci hashing (Knuth 6.4) */
    uint64_t hash =
        (uint64_t)(uintptr_t)address * UINT64_C(11400714819323198485);
    return (uint32_t)(hash >> 32) & (low->index_room - 1);
}

static bool make_index(py_lowering *low)
{
    uint32_t room = 16;
    while (room / 2 < low->n_places)
        room *= 2;
    low->index = PyMem_RawMalloc(room * sizeof *low->index);
    if (!low->index)
        return false;
    low->index_room = room;
    for (uint32_t i = 0; i < room; i++)
        low->index[i] = PY_NO_ROW;
    for (uint32_t i = 0; i < low->n_places; i++) {
        uint32_t at = slot_of(low, low->places[i]);
        while (low->index[at] != PY_NO_ROW)
            at = (at + 1) & (room - 1);
        low->index[at] = i;
    }
    return true;
}

uint32_t py_lowering_find(py_lowering *low, const PyObject *delayed)
{
    if (!low->index && !make_index(low))
        return PY_NO_ROW;
    uint32_t at = slot_of(low, delayed);
    for (; low->index[at] != PY_NO_ROW; at = (at + 1) & (low->index_room - 1)) {
        uint32_t place = low->index[at];
        if ((const PyObject *)low->places[place] == delayed)
            return low->ids[place];
    }
    return PY_NO_ROW;
}
