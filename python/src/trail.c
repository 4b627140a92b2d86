/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trail.c: saying which input a failure is of, in one short line:
 * `in task analyze-3 ← clean_data-3 ← load_data('file_3.csv')`.
 */
#include "collect.h"
#include "failure.h"

#define MOST_NAMES 6
#define MOST_ARGUMENTS 4
#define MOST_CHARACTERS 60
#define MOST_STEPS 10000

/* ---- names ---- */

/* Gives each row its number among those of the same label. */
static int number_rows(py_lowering *low)
{
    if (low->numbered)
        return 0;
    PyObject *counts = PyDict_New();
    int status = counts ? 0 : -1;
    for (uint32_t i = 0; i < low->n_rows && status == 0; i++) {
        PyObject *label = py_delayed_label(low->state, low->rows[i].task);
        PyObject *count = label ? PyDict_GetItemWithError(counts, label) : NULL;
        uint32_t number = count ? (uint32_t)PyLong_AsUnsignedLong(count) : 0;
        low->rows[i].number = number & PY_MOST_NUMBER;
        PyObject *next = PyLong_FromUnsignedLong(number + 1ul);
        if (!label || !next || PyErr_Occurred())
            status = -1;
        else
            status = PyDict_SetItem(counts, label, next);
        Py_XDECREF(next);
        Py_XDECREF(label);
    }
    Py_XDECREF(counts);
    low->numbered = status == 0;
    return status;
}

PyObject *py_trail_name(py_lowering *low, uint32_t row)
{
    if (number_rows(low) != 0)
        return NULL;
    PyObject *label = py_delayed_label(low->state, low->rows[row].task);
    PyObject *name = label
                         ? PyUnicode_FromFormat("%U-%u", label,
                                                (unsigned)low->rows[row].number)
                         : NULL;
    Py_XDECREF(label);
    return name;
}

/* ---- calls ---- */

static PyObject *short_repr(PyObject *object)
{
    PyObject *text = PyObject_Repr(object);
    if (!text) { /* somebody's __repr__ raised: it is only a note */
        if (!PyErr_ExceptionMatches(PyExc_Exception))
            return NULL;
        PyErr_Clear();
        return PyUnicode_FromFormat("<%s>", Py_TYPE(object)->tp_name);
    }
    if (PyUnicode_GET_LENGTH(text) <= MOST_CHARACTERS)
        return text;
    PyObject *cut = PyUnicode_Substring(text, 0, MOST_CHARACTERS - 1);
    Py_DECREF(text);
    PyUnicode_AppendAndDel(&cut, PyUnicode_FromString("…"));
    return cut;
}

static bool is_literal(const py_state *state, PyObject *item)
{
    if (Py_TYPE(item) == state->packed_type)
        return false;
    return !py_is_delayed(state, item) ||
           ((py_delayed_object *)item)->kind == PY_LEAF;
}

static PyObject *argument_text(py_state *state, PyObject *item)
{
    if (!is_literal(state, item))
        return PyUnicode_FromString("…");
    if (py_is_delayed(state, item))
        item = ((py_delayed_object *)item)->items[0];
    return short_repr(item);
}

static PyObject *arguments_text(py_state *state, const py_delayed_object *task)
{
    Py_ssize_t n = Py_SIZE(task);
    PyObject *parts = PyList_New(0);
    for (Py_ssize_t i = 0; parts && i < n; i++) {
        PyObject *part = i < MOST_ARGUMENTS
                             ? argument_text(state, task->items[i])
                             : PyUnicode_FromString("…");
        if (!part || PyList_Append(parts, part) != 0)
            Py_CLEAR(parts);
        Py_XDECREF(part);
        if (i == MOST_ARGUMENTS)
            break;
    }
    PyObject *comma = parts ? PyUnicode_FromString(", ") : NULL;
    PyObject *text = comma ? PyUnicode_Join(comma, parts) : NULL;
    Py_XDECREF(comma);
    Py_XDECREF(parts);
    return text;
}

/* load_data('file_3.csv') */
static PyObject *call_text(py_state *state, const py_delayed_object *task)
{
    PyObject *label = py_delayed_label(state, task);
    PyObject *args = label ? arguments_text(state, task) : NULL;
    PyObject *text = args ? PyUnicode_FromFormat("%U(%U)", label, args) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(label);
    return text;
}

/* ---- trails ---- */

typedef struct first_input {
    const py_delayed_object *task; /* NULL: there is none */
    uint32_t n;                    /* how many there are */
} first_input;

static int look(PyObject *delayed, void *user)
{
    first_input *first = user;
    const py_delayed_object *task = (py_delayed_object *)delayed;
    if (task->kind != PY_LEAF && first->n++ == 0)
        first->task = task;
    return 0;
}

static first_input input_of(py_state *state, const py_delayed_object *task)
{
    first_input first = { NULL, 0 };
    if (!(task->flags & PY_HAS_INPUTS))
        return first;
    for (Py_ssize_t i = 0; i < Py_SIZE(task); i++)
        py_packed_each(state, task->items[i], look, &first);
    return first;
}

PyObject *py_trail_note(py_lowering *low, uint32_t row)
{
    PyObject *note = PyUnicode_FromString("in task ");
    for (int i = 0; note; i++) {
        const py_delayed_object *task = low->rows[row].task;
        first_input input = input_of(low->state, task);
        PyObject *name =
            input.task ? py_trail_name(low, row) : call_text(low->state, task);
        PyUnicode_AppendAndDel(&note, name);
        if (!input.task || !note)
            break;
        if (input.n > 1)
            PyUnicode_AppendAndDel(
                &note, PyUnicode_FromFormat(" (1 of %u inputs)", input.n));
        PyUnicode_AppendAndDel(&note, PyUnicode_FromString(" ← "));
        row = py_lowering_find(low, (const PyObject *)input.task);
        if (note && (i == MOST_NAMES - 2 || row == PY_NO_ROW)) {
            PyUnicode_AppendAndDel(&note, PyUnicode_FromString("…"));
            break;
        }
    }
    return note;
}

PyObject *py_trail_sources(py_state *state, const py_delayed_object *task)
{
    for (int i = 0; i < MOST_STEPS; i++) {
        first_input input = input_of(state, task);
        if (!input.task)
            break;
        task = input.task;
    }
    PyObject *text = call_text(state, task);
    PyObject *sources = text ? PyTuple_Pack(1, text) : NULL;
    Py_XDECREF(text);
    return sources;
}
