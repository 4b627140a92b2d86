/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * task.c: a task of the engine that calls a Python callable, with the results
 * of other tasks in the places of the Delayeds among its arguments.
 */
#include "task.h"

#include "collect.h"
#include "failure.h"
#include "gil.h"
#include "native.h"

#define FEW_ITEMS 8
#define STRIDE 8
#define SHORT_NS 20000

/* ---- the values of inputs ---- */

/* Where inputs come from, one after the other: a list, or a run's rows. */
typedef struct inputs {
    py_state *state;
    py_lowering *low; /* NULL: from the list */
    const plait_value *args;
    uint32_t row; /* of the task in the run */
    PyObject *list;
    const py_delayed_object *task;
    size_t at;
} inputs;

/* The value of input i of a run's row, which has one. */
static PyObject *input_at(py_lowering *low, uint32_t row,
                          const plait_value *args, size_t i)
{
    uint32_t input = py_input_row(low, row, args, i);
    PyObject *result = low->rows[input].result;
    return result ? Py_NewRef(result) : py_native_import(low, input, args[i]);
}

/* The value of one input of a run: new, as a failure may be made for it. */
static PyObject *input_of_run(const inputs *in, const py_delayed_object *input,
                              size_t i)
{
    if (in->args[i].kind != PLAIT_KIND_ERROR)
        return input_at(in->low, in->row, in->args, i);
    return py_failure_as_input(in->low, input, in->args[i]);
}

/* The value in the place of a Delayed. */
static PyObject *value_of(PyObject *delayed, void *user)
{
    inputs *in = user;
    const py_delayed_object *input = (const py_delayed_object *)delayed;
    if (input->kind == PY_LEAF)
        return Py_NewRef(input->items[0]);
    size_t at = in->at++;
    if (in->low)
        return input_of_run(in, input, at);
    return Py_NewRef(PyList_GET_ITEM(in->list, (Py_ssize_t)at));
}

PyObject *py_task_inputs(py_lowering *low, uint32_t row,
                         const plait_value *args, size_t n_args)
{
    PyObject *list = PyList_New((Py_ssize_t)n_args);
    for (size_t i = 0; list && i < n_args; i++) {
        PyObject *value = args[i].kind == PLAIT_KIND_ERROR
                              ? NULL
                              : input_at(low, row, args, i);
        if (value)
            PyList_SET_ITEM(list, (Py_ssize_t)i, value);
        else
            Py_CLEAR(list);
    }
    return list;
}

/* ---- calling ---- */

static PyObject *call(const py_delayed_object *task, PyObject *const *items,
                      size_t offset)
{
    size_t n = (size_t)Py_SIZE(task);
    if (task->kwnames)
        n -= (size_t)PyTuple_GET_SIZE(task->kwnames);
    switch ((py_kind)task->kind) {
    case PY_CALL:
        return PyObject_Vectorcall(((py_delayed_object *)task->func)->items[0],
                                   items, n | offset, task->kwnames);
    case PY_METHOD:
        return PyObject_VectorcallMethod(task->func, items, n | offset,
                                         task->kwnames);
    case PY_ATTR:
        return PyObject_GetAttr(items[0], task->func);
    case PY_OPERATOR:
        return PyObject_Vectorcall(task->func, items, n | offset, NULL);
    case PY_APPLY:
        return PyObject_Vectorcall(items[0], items + 1, (n - 1) | offset,
                                   task->kwnames);
    case PY_LEAF:
    case PY_CONTAINER:
        return Py_NewRef(items[0]);
    }
    Py_UNREACHABLE();
}

static void release(PyObject **items, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        Py_DECREF(items[i]);
}

/* Fills the items of a task; returns how many there are, or -1. */
static Py_ssize_t fill(inputs *in, PyObject **items)
{
    Py_ssize_t n = Py_SIZE(in->task);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = in->task->items[i];
        items[i] = PyType_IS_GC(Py_TYPE(item))
                       ? py_packed_fill(in->state, item, value_of, in)
                       : Py_NewRef(item);
        if (!items[i]) {
            release(items, i);
            return -1;
        }
    }
    return n;
}

static PyObject *call_with(inputs *in)
{
    const py_delayed_object *task = in->task;
    if (!(task->flags & PY_HAS_INPUTS))
        return call(task, task->items, 0);
    /* one more in front, which the callee may use */
    PyObject *few[FEW_ITEMS + 1] = { NULL };
    PyObject **items = few;
    size_t n = (size_t)Py_SIZE(task);
    if (n > FEW_ITEMS)
        items = PyMem_Malloc((n + 1) * sizeof *items);
    if (!items)
        return PyErr_NoMemory();
    PyObject *result = NULL;
    if (fill(in, items + 1) >= 0) {
        result = call(task, items + 1, PY_VECTORCALL_ARGUMENTS_OFFSET);
        release(items + 1, (Py_ssize_t)n);
    }
    if (items != few)
        PyMem_Free(items);
    return result;
}

PyObject *py_task_call(py_state *state, const py_delayed_object *task,
                       PyObject *list)
{
    inputs in = { .state = state, .list = list, .task = task };
    return call_with(&in);
}

/* ---- running ---- */

/* In a copy of the submitter's context, so that what the task sets there is
 * not seen by the next. */
static PyObject *call_in_context(py_thread *thread, py_lowering *low,
                                 inputs *in)
{
    /* who cancelled the run while this waited for the GIL found no task here */
    if (py_gil_may_go_on(thread) != 0)
        return NULL;
    if (py_lowering_is_left(low)) {
        PyErr_SetNone(low->state->task_cancelled);
        return NULL;
    }
    PyObject *context = PyContext_Copy(low->context);
    if (!context)
        return NULL;
    PyObject *result = NULL;
    if (PyContext_Enter(context) == 0) {
        result = call_with(in);
        PyObject *raised = result ? NULL : PyErr_GetRaisedException();
        if (PyContext_Exit(context) != 0)
            Py_CLEAR(result);
        if (raised)
            PyErr_SetRaisedException(raised);
    }
    Py_DECREF(context);
    return result;
}

/*
 * Calls of C never let go of the GIL, nor see signals: between tasks that are
 * such calls, somebody has to, as between the calls of Python code. After each
 * task that took long, and after so many that were short.
 */
static int pause_sometimes(py_thread *thread, py_state *state)
{
    if (thread->until_pause > 0) {
        thread->until_pause--;
        return 0;
    }
    int64_t now = py_now_ns();
    thread->until_pause =
        now - thread->paused_ns < STRIDE * SHORT_NS ? STRIDE : 0;
    thread->paused_ns = now;
    return py_gil_pause(state);
}

static void drop_use(py_row *row)
{
    if (--row->uses == 0)
        Py_CLEAR(row->result);
}

void py_task_drop_inputs(py_lowering *low, uint32_t number,
                         const plait_value *args, size_t n_args)
{
    for (size_t i = 0; i < n_args; i++) {
        if (args[i].kind != PLAIT_KIND_ERROR)
            drop_use(&low->rows[py_input_row(low, number, args, i)]);
    }
}

/* Gives up the use that a skipped task had of one input; a failed one counts
 * none. */
static int drop_skipped(PyObject *delayed, void *user)
{
    py_lowering *low = user;
    if (((py_delayed_object *)delayed)->kind == PY_LEAF)
        return 0;
    uint32_t input = py_lowering_find(low, delayed);
    if (input != PY_NO_ROW && !low->rows[input].failed &&
        low->rows[input].uses > 0)
        drop_use(&low->rows[input]);
    return 0;
}

/* What is left when a run is cancelled goes with the run. */
static bool is_for_failure(const plait_event *event)
{
    return event->error && event->error->task.id;
}

static void drop_all_skipped(py_lowering *low, const py_delayed_object *task)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(task); i++)
        py_packed_each(low->state, task->items[i], drop_skipped, low);
}

void py_task_skipped(const plait_event *event, void *user)
{
    py_lowering *low = user;
    const py_row *row = &low->rows[event->task.id - 1];
    if (row->native || !is_for_failure(event) || Py_IsFinalizing() ||
        !(row->task->flags & PY_HAS_INPUTS))
        return;
    bool attached = py_has_gil();
    PyGILState_STATE gil = PyGILState_Ensure();
    py_thread *thread = py_thread_here();
    if (!thread) {
        drop_all_skipped(low, row->task);
    } else { /* what is let go of may compute: this is no task, but an event */
        py_lowering *outer = thread->lowering;
        bool told = thread->told;
        thread->lowering = NULL;
        thread->told = attached;
        drop_all_skipped(low, row->task);
        thread->told = told;
        thread->lowering = outer;
    }
    PyGILState_Release(gil);
}

/* The thread is in a task now; `outer` is the one that it was in. */
typedef struct stay {
    plait_context *ctx;
    py_lowering *lowering;
    uint32_t row;
    uint64_t serial;
} stay;

static stay enter(py_thread *thread, plait_context *ctx, py_lowering *low,
                  uint32_t row)
{
    stay outer = { thread->ctx, thread->lowering, thread->row,
                   atomic_load_explicit(&thread->serial,
                                        memory_order_relaxed) };
    thread->ctx = ctx;
    thread->failure_told = false;
    thread->lowering = low;
    thread->row = row;
    atomic_store_explicit(&thread->serial, ++thread->tasks,
                          memory_order_relaxed);
    return outer;
}

static void leave(py_thread *thread, const stay *outer)
{
    if (thread->interrupted ||
        atomic_load_explicit(&thread->wanted, memory_order_relaxed))
        py_interrupt_settle(thread);
    thread->ctx = outer->ctx;
    thread->lowering = outer->lowering;
    thread->row = outer->row;
    atomic_store_explicit(&thread->serial, outer->serial, memory_order_relaxed);
}

/* For the tasks that use it, and who watches; tasks in C have a value of their
 * own. */
static void keep_result(const py_lowering *low, py_row *row, PyObject *result)
{
    row->ended = true;
    if (row->uses > 0 || low->watch)
        row->result = result;
    else
        Py_DECREF(result);
}

plait_value py_task_run(plait_context *ctx, const plait_value *args,
                        size_t n_args)
{
    py_lowering *low = plait_context_payload(ctx);
    py_thread *thread = py_thread_here();
    uint32_t number = plait_context_task(ctx).id - 1;
    py_row *row = &low->rows[number];
    inputs in = { .state = low->state,
                  .low = low,
                  .args = args,
                  .row = number,
                  .task = row->task };
    stay outer = enter(thread, ctx, low, number);
    uint32_t births = low->state->births;
    PyObject *result = NULL;
    if (pause_sometimes(thread, low->state) == 0)
        result = call_in_context(thread, low, &in);
    if (result && births != low->state->births)
        result = py_failure_check_result(low, number, result, births);
    plait_value value = plait_int(number);
    if (!result) {
        py_interrupt_stop(
            thread); /* or it would end who tells of the failure */
        value = py_failure_of_task(ctx, low, number, args, n_args);
    }
    leave(thread, &outer);
    if (!result)
        return value;
    if (row->exported)
        value = py_native_export(low, result);
    keep_result(low, row, result);
    py_task_drop_inputs(low, number, args, n_args);
    return value;
}
