/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * native_task.c: tasks that are calls of C functions, among tasks in Python.
 */
#include "native.h"

#include "collect.h"
#include "convert.h"
#include "failure.h"
#include "observer.h"

#define FEW_ARGS 8
#define LOOK_NS 50000000

/* A C function of a lowering's graph: the payload of its plait_function. */
typedef struct native_call {
    plait_fn fn;
    py_lowering *low; /* which lives as long as its run */
    const char *name; /* behind it */
} native_call;

/* How a lowering finds the function again that it has added. */
typedef struct py_native {
    plait_fn fn;
    plait_func func;
} native;

/* ---- a Python result that can't be converted ---- */

/*
 * It takes the value's place, for the task that made it has not failed: who
 * uses it in C does. Without the GIL it must be freed, so it is plain C.
 */
typedef struct obstacle {
    int kind; /* of obstacle_classes */
    char text[];
} obstacle;

static const plait_type obstacle_type = {
    .size = sizeof(plait_type),
    .name = "plait.python.obstacle",
    .free = PyMem_RawFree,
};

static PyObject *obstacle_class(int kind)
{
    PyObject *const classes[] = { PyExc_TypeError, PyExc_ValueError,
                                  PyExc_OverflowError, PyExc_RuntimeError };
    return classes[kind];
}

static int kind_of(PyObject *exception)
{
    int kind = 0;
    while (kind < 3 &&
           !PyErr_GivenExceptionMatches(exception, obstacle_class(kind)))
        kind++;
    return kind;
}

/* Takes the exception that is set. */
static plait_value new_obstacle(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *text = PyObject_Str(exception);
    Py_ssize_t size = 0;
    const char *utf8 = text ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    PyErr_Clear();
    obstacle *made = PyMem_RawMalloc(sizeof *made + (size_t)size + 1);
    if (made) {
        made->kind = kind_of(exception);
        memcpy(made->text, utf8 ? utf8 : "", (size_t)size);
        made->text[size] = '\0';
    }
    Py_XDECREF(text);
    Py_DECREF(exception);
    return made ? plait_object(&obstacle_type, made)
                : plait_error_value(PLAIT_ENOMEM, "out of memory");
}

plait_value py_native_export(py_lowering *low, PyObject *result)
{
    plait_value value;
    if (py_to_value(low->state, result, NULL, NULL, &value) == 0)
        return value;
    /* relaxed: whoever gets the value sees what was before it */
    atomic_store_explicit(&low->has_obstacles, true, memory_order_relaxed);
    return new_obstacle();
}

/* The first obstacle in a value; NULL: there is none. */
static const obstacle *find_obstacle(plait_value value)
{
    size_t n = 0;
    const plait_value *items = NULL, *values;
    if (plait_kind_of(value) == PLAIT_KIND_OBJECT)
        return plait_as_object(value, &obstacle_type);
    if (plait_kind_of(value) == PLAIT_KIND_LIST)
        items = plait_as_list(value, &n);
    else if (plait_kind_of(value) == PLAIT_KIND_DICT)
        n = 2 * plait_as_dict(value, &items, &values);
    const obstacle *found = NULL;
    for (size_t i = 0; i < n && !found; i++)
        found = find_obstacle(items[i]);
    return found;
}

/* ---- running ---- */

/* Sets the exception that says which argument it is that is no good. */
static void blame(PyObject *class, const char *name, size_t i, const char *text)
{
    PyErr_Format(class, "%s(), argument %zu: %s", name, i, text);
}

typedef PyObject *(*make_exception)(const native_call *call, const void *data);

static bool is_last_attempt(plait_context *ctx, const native_call *call)
{
    uint32_t row = plait_context_task(ctx).id - 1;
    return plait_context_attempt(ctx) > py_lowering_retries(call->low, row);
}

/* Lists a failure, or keeps what the run is to end with; false: it is to end
 * with another exception. */
static bool add_failure(py_lowering *low, uint32_t row, PyObject *exception,
                        bool is_stop)
{
    if (!is_stop)
        return py_failure_add(low, row, exception);
    if (!low->stopped_by)
        low->stopped_by = Py_NewRef(exception);
    return true;
}

/* Tells of a failure, on a thread without the GIL. Takes and returns the error;
 * it ends the run, when telling was interrupted. */
static plait_value tell(plait_context *ctx, const native_call *call,
                        make_exception make, const void *data,
                        plait_value error)
{
    if (Py_IsFinalizing())
        return error;
    bool is_stop = plait_error_is_stop(error);
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *exception = NULL;
    if (is_stop || is_last_attempt(ctx, call))
        exception = make(call, data);
    bool goes_on =
        !exception || add_failure(call->low, plait_context_task(ctx).id - 1,
                                  exception, is_stop);
    Py_XDECREF(exception);
    PyErr_Clear();
    PyGILState_Release(gil);
    return goes_on ? error : plait_error_stop(error);
}

static PyObject *make_task_error(const native_call *call, const void *data)
{
    return py_task_error(call->low->state, *(const plait_value *)data);
}

typedef struct blocked {
    size_t i; /* from 1 */
    const obstacle *by;
} blocked;

static PyObject *make_blocked(const native_call *call, const void *data)
{
    const blocked *at = data;
    blame(obstacle_class(at->by->kind), call->name, at->i, at->by->text);
    return PyErr_GetRaisedException();
}

/* The error value when an argument could not be converted, else nil. */
static plait_value look_for_obstacles(plait_context *ctx,
                                      const native_call *call,
                                      const plait_value *args, size_t n)
{
    blocked at = { 0, NULL };
    for (; at.i < n && !at.by; at.i++)
        at.by = find_obstacle(args[at.i]);
    if (!at.by)
        return plait_nil();
    return tell(ctx, call, make_blocked, &at,
                plait_fail(ctx, "%s(), argument %zu: %s", call->name, at.i,
                           at.by->text));
}

/* In a run in the thread that waits for it nobody else looks for signals, when
 * all tasks are in C. False: the run is to end. */
static bool look_for_signals(py_lowering *low)
{
    int64_t now = py_now_ns();
    if (now < low->look_ns || Py_IsFinalizing())
        return true;
    low->look_ns = now + LOOK_NS;
    PyGILState_STATE gil = PyGILState_Ensure();
    bool goes_on = PyErr_CheckSignals() == 0;
    if (!goes_on)
        Py_XSETREF(low->stopped_by, PyErr_GetRaisedException());
    PyGILState_Release(gil);
    return goes_on;
}

static plait_value run(plait_context *ctx, const plait_value *args, size_t n)
{
    const native_call *call = plait_context_payload(ctx);
    plait_value value =
        call->low->watch ? py_watch_look(call->low) : plait_nil();
    if (plait_is_error(value))
        return value;
    if (call->low->looks && !look_for_signals(call->low))
        return plait_error_stop(
            plait_error_value(PLAIT_ECANCELED, "ended by a signal"));
    /* relaxed: as where it is set */
    if (atomic_load_explicit(&call->low->has_obstacles, memory_order_relaxed))
        value = look_for_obstacles(ctx, call, args, n);
    if (plait_is_error(value))
        return value;
    value = call->fn(ctx, args, n);
    if (plait_is_error(value))
        return tell(ctx, call, make_task_error, &value, value);
    uint32_t row = plait_context_task(ctx).id - 1;
    /* relaxed: a statistic */
    atomic_store_explicit(&call->low->native_ended[row], true,
                          memory_order_relaxed);
    return value;
}

/* ---- adding tasks ---- */

static plait_func add_function(py_lowering *low, plait_fn fn, const char *name)
{
    plait_func none = { 0, 0 };
    size_t size = strlen(name) + 1;
    native_call *call = PyMem_RawMalloc(sizeof *call + size);
    if (!call)
        return none;
    char *copy = memcpy((char *)(call + 1), name, size);
    *call = (native_call){ fn, low, copy };
    plait_function function = { PLAIT_FUNCTION_INIT };
    function.fn = run;
    function.name = name;
    function.payload = call;
    function.free_payload = PyMem_RawFree;
    return plait_function_add(low->graph, &function);
}

/* The function of a graph that calls fn; id 0: no memory. */
static plait_func func_of(py_lowering *low, PyObject *function)
{
    plait_fn fn = py_native_function(function);
    for (size_t i = 0; i < low->n_natives; i++) {
        if (low->natives[i].fn == fn)
            return low->natives[i].func;
    }
    plait_func none = { 0, 0 };
    native *natives =
        PyMem_RawRealloc(low->natives, (low->n_natives + 1) * sizeof *natives);
    if (!natives)
        return none;
    low->natives = natives;
    const char *name = PyUnicode_AsUTF8(py_native_name(function));
    plait_func func = name ? add_function(low, fn, name) : none;
    if (func.id)
        natives[low->n_natives++] = (native){ fn, func };
    return func;
}

/* An argument that is a Delayed: what a leaf holds, or a reference. */
static int ref_of(PyObject *delayed, void *user, plait_value *out)
{
    py_lowering *low = user;
    const py_delayed_object *input = (const py_delayed_object *)delayed;
    if (input->kind == PY_LEAF)
        return py_to_value(low->state, input->items[0], NULL, NULL, out);
    uint32_t row = py_lowering_row(low, input);
    if (!low->rows[row].native)
        low->rows[row].exported = 1;
    *out = plait_ref(py_lowering_task(low, row));
    return 0;
}

/* Says which argument of which function it is that can't be converted. */
static void blame_argument(PyObject *function, Py_ssize_t i)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyObject *text = PyObject_Str(cause);
    const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
    const char *name = PyUnicode_AsUTF8(py_native_name(function));
    if (utf8 && name)
        blame(obstacle_class(kind_of(cause)), name, (size_t)i + 1, utf8);
    Py_XDECREF(text);
    Py_DECREF(cause);
}

static plait_task call(py_lowering *low, const py_delayed_object *task,
                       PyObject *function, plait_value *args)
{
    plait_task none = { 0, 0 };
    Py_ssize_t n = Py_SIZE(task);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (py_to_value(low->state, task->items[i], ref_of, low, &args[i]) == 0)
            continue;
        blame_argument(function, i);
        while (i-- > 0)
            plait_release(args[i]);
        return none;
    }
    plait_func func = func_of(low, function);
    return plait_call_func(low->graph, func, args, (size_t)n);
}

int py_native_lower(py_lowering *low, const py_delayed_object *task,
                    plait_task *handle)
{
    PyObject *function = ((py_delayed_object *)task->func)->items[0];
    if (task->kwnames) {
        PyErr_Format(PyExc_TypeError,
                     "%U() is a C function and takes no keyword arguments",
                     py_native_name(function));
        return -1;
    }
    plait_value few[FEW_ARGS];
    plait_value *args = few;
    size_t n = (size_t)Py_SIZE(task);
    if (n > FEW_ARGS)
        args = PyMem_RawMalloc(n * sizeof *args);
    *handle = (plait_task){ 0, 0 };
    if (args)
        *handle = call(low, task, function, args);
    if (args != few)
        PyMem_RawFree(args);
    if (handle->id)
        return 0;
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    return -1;
}

/* ---- the table of inputs ---- */

typedef struct listing {
    py_lowering *low;
    size_t n;
    size_t room;
} listing;

static int list_input(PyObject *delayed, void *user)
{
    listing *list = user;
    py_lowering *low = list->low;
    const py_delayed_object *input = (const py_delayed_object *)delayed;
    if (input->kind == PY_LEAF)
        return 0;
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        uint32_t *rows = PyMem_RawRealloc(low->input_rows, room * sizeof *rows);
        if (!rows) {
            PyErr_NoMemory();
            return -1;
        }
        low->input_rows = rows;
        list->room = room;
    }
    low->input_rows[list->n++] = py_lowering_row(low, input);
    return 0;
}

int py_native_lowered(py_lowering *low)
{
    low->native_ended = PyMem_RawCalloc(low->n_rows, sizeof *low->native_ended);
    low->first_inputs =
        PyMem_RawMalloc(low->n_rows * sizeof *low->first_inputs);
    if (!low->native_ended || !low->first_inputs) {
        PyErr_NoMemory();
        return -1;
    }
    listing list = { low, 0, 0 };
    for (uint32_t row = 0; row < low->n_rows; row++) {
        low->first_inputs[row] = list.n;
        const py_delayed_object *task = low->rows[row].task;
        if (low->rows[row].native || !(task->flags & PY_HAS_INPUTS))
            continue;
        for (Py_ssize_t i = 0; i < Py_SIZE(task); i++) {
            if (py_packed_each(low->state, task->items[i], list_input, &list) !=
                0)
                return -1;
        }
    }
    return 0;
}

void py_native_release(py_lowering *low)
{
    PyMem_RawFree(low->natives);
    PyMem_RawFree(low->input_rows);
    PyMem_RawFree(low->first_inputs);
    PyMem_RawFree((void *)low->native_ended);
    py_buffers_drain(low->state);
}

/* ---- results for Python ---- */

PyObject *py_native_import(py_lowering *low, uint32_t row, plait_value value)
{
    py_row *at = &low->rows[row];
    PyObject *object = py_from_value(low->state, value);
    if (!object || at->uses == 0)
        return object;
    if (!at->result) /* else another thread was faster */
        at->result = Py_NewRef(object);
    Py_DECREF(object);
    return Py_NewRef(at->result);
}
