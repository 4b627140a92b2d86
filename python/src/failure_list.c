/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * failure_list.c: the failures of a run, which of them is the first, and what
 * each of them keeps. One exception may be that of many tasks.
 */
#include "failure.h"
#include "task.h"

struct py_listing {
    uint32_t first_row; /* the lowest that failed */
    PyObject *places;   /* address of an exception -> place in the list of the
                           failure with the lowest row; NULL: not asked for */
    Py_ssize_t n_known; /* how many of the list it knows */
};

py_failure *py_failure_at(const py_lowering *low, uint32_t row)
{
    const py_row *at = &low->rows[row];
    return at->failed && at->uses < (size_t)PyList_GET_SIZE(low->failures)
               ? (py_failure *)PyList_GET_ITEM(low->failures, at->uses)
               : NULL;
}

py_failure *py_failure_first(const py_lowering *low)
{
    return low->listing ? py_failure_at(low, low->listing->first_row) : NULL;
}

void py_listing_free(struct py_listing *self)
{
    if (self)
        Py_XDECREF(self->places);
    PyMem_RawFree(self);
}

/* ---- failures by their exceptions ---- */

static py_failure *listed(const py_lowering *low, PyObject *place)
{
    Py_ssize_t at = PyLong_AsSsize_t(place);
    return at < PyList_GET_SIZE(low->failures)
               ? (py_failure *)PyList_GET_ITEM(low->failures, at)
               : NULL;
}

/* Notes the place of the next failure that isn't known yet. */
static int know_next(const py_lowering *low, struct py_listing *self)
{
    const py_failure *next =
        (py_failure *)PyList_GET_ITEM(low->failures, self->n_known);
    PyObject *address = PyLong_FromVoidPtr(next->exception);
    PyObject *place = PyLong_FromSsize_t(self->n_known);
    int status = -1;
    if (address && place) {
        PyObject *known = PyDict_GetItemWithError(self->places, address);
        const py_failure *other = known ? listed(low, known) : NULL;
        if (!PyErr_Occurred())
            status = other && other->row < next->row
                         ? 0
                         : PyDict_SetItem(self->places, address, place);
    }
    self->n_known += status == 0;
    Py_XDECREF(place);
    Py_XDECREF(address);
    return status;
}

/* The failure of the lowest row that has this exception; NULL, perhaps with an
 * exception set: there is none. Asked for few: most exceptions are new. */
static py_failure *find_listed(const py_lowering *low, PyObject *exception)
{
    struct py_listing *self = low->listing;
    if (!self || (!self->places && !(self->places = PyDict_New())))
        return NULL;
    while (self->n_known < PyList_GET_SIZE(low->failures)) {
        if (know_next(low, self) != 0)
            return NULL;
    }
    PyObject *address = PyLong_FromVoidPtr(exception);
    PyObject *place =
        address ? PyDict_GetItemWithError(self->places, address) : NULL;
    Py_XDECREF(address);
    return place ? listed(low, place) : NULL;
}

/* ---- notes ---- */

/* Puts a note in the place of another one, which may be gone. */
static int replace(PyObject *notes, PyObject *old, PyObject *note)
{
    for (Py_ssize_t i = PyList_GET_SIZE(notes); i-- > 0;) {
        if (PyList_GET_ITEM(notes, i) == old)
            return PyList_SetItem(notes, i, Py_NewRef(note));
    }
    return PyList_Append(notes, note);
}

/* An exception has one note of a run, that of the lowest row. */
static int add_to(const py_lowering *low, const py_failure *failure,
                  PyObject *notes)
{
    const py_failure *other = find_listed(low, failure->exception);
    if (!other)
        return PyErr_Occurred() ? -1 : PyList_Append(notes, failure->note);
    if (failure->row > other->row || !other->note)
        return 0;
    return replace(notes, other->note, failure->note);
}

/* The first note, also of a class that lets nothing be set. */
static int set_notes(const py_lowering *low, const py_failure *failure)
{
    PyObject *notes = PyList_New(1);
    if (!notes)
        return -1;
    PyList_SET_ITEM(notes, 0, Py_NewRef(failure->note));
    int status = PyObject_GenericSetAttr(failure->exception,
                                         low->state->str___notes__, notes);
    Py_DECREF(notes);
    return status;
}

static bool has_own_add_note(const py_state *state, PyObject *exception)
{
    return py_type_lookup(Py_TYPE(exception), state->str_add_note) !=
           py_type_lookup((PyTypeObject *)PyExc_BaseException,
                          state->str_add_note);
}

static int add_note(py_lowering *low, py_failure *failure)
{
    py_state *state = low->state;
    failure->note = py_trail_note(low, failure->row);
    if (!failure->note)
        return -1;
    PyObject *exception = failure->exception;
    PyObject *notes = NULL;
    int status;
    if (has_own_add_note(state, exception)) {
        notes = PyObject_CallMethodOneArg(exception, state->str_add_note,
                                          failure->note);
        status = notes ? 0 : -1;
    } else {
        status =
            PyObject_GetOptionalAttr(exception, state->str___notes__, &notes);
        if (status == 0)
            status = set_notes(low, failure);
        else if (status > 0)
            status = PyList_Check(notes) ? add_to(low, failure, notes) : 0;
    }
    Py_XDECREF(notes);
    return status;
}

/* ---- tracebacks ---- */

/* What another task put into the traceback of an exception that both raised
 * ends where `until` begins. */
static int cut(PyObject *traceback, const PyObject *until)
{
    PyObject *at = traceback;
    while (at && at != until) {
        PyObject *next = (PyObject *)((PyTracebackObject *)at)->tb_next;
        if (next == until)
            return PyObject_SetAttrString(at, "tb_next", Py_None);
        at = next;
    }
    return 0;
}

/* Keeps a stack instead of frames. */
static int forget_frames(const py_lowering *low, py_failure *failure)
{
    Py_CLEAR(failure->inputs);
    if (!failure->traceback)
        return 0;
    const py_failure *first = py_failure_first(low);
    PyObject *exception = failure->exception;
    bool shares = first && first->exception == exception;
    py_stack *stack = py_stack_of(failure->traceback);
    if (!stack)
        return -1;
    failure->stack = stack;
    PyObject *traceback = failure->traceback;
    failure->traceback = NULL;
    PyObject *left = shares && first->traceback ? first->traceback : Py_None;
    int status = PyException_SetTraceback(exception, left);
    if (status == 0 && !shares)
        status =
            py_stack_lighten_causes(exception, first ? first->exception : NULL);
    Py_DECREF(traceback);
    return status;
}

/* ---- listing ---- */

/* Takes the traceback that the exception has now. */
static int take_traceback(const py_failure *first, py_failure *failure)
{
    failure->traceback = py_exception_traceback(failure->exception);
    if (!failure->traceback || !first ||
        first->exception != failure->exception || !first->traceback)
        return 0;
    return cut(failure->traceback, first->traceback);
}

static int append(py_lowering *low, py_failure *failure)
{
    if (!low->listing) {
        low->listing = PyMem_RawCalloc(1, sizeof *low->listing);
        if (!low->listing) {
            PyErr_NoMemory();
            return -1;
        }
        low->listing->first_row = failure->row;
    }
    uint32_t place = (uint32_t)PyList_GET_SIZE(low->failures);
    if (PyList_Append(low->failures, (PyObject *)failure) != 0)
        return -1;
    py_row *row = &low->rows[failure->row];
    row->uses = place;
    row->failed = true;
    return 0;
}

int py_failure_list(py_lowering *low, py_failure *failure,
                    const plait_value *args, size_t n_args)
{
    /* what is missing then is a note, and no reason to lose the failure */
    PyObject *raised =
        add_note(low, failure) == 0 ? NULL : PyErr_GetRaisedException();
    py_failure *first = py_failure_first(low);
    if (take_traceback(first, failure) != 0)
        PyErr_Clear();
    if (append(low, failure) != 0) {
        Py_XDECREF(raised);
        return -1;
    }
    if (!first || failure->row < first->row) {
        low->listing->first_row = failure->row;
        failure->inputs =
            args ? py_task_inputs(low, failure->row, args, n_args) : NULL;
        if (first && forget_frames(low, first) != 0)
            PyErr_Clear();
        PyErr_Clear(); /* no memory for the inputs: they are made again */
    }
    PyErr_SetRaisedException(raised);
    return raised ? -1 : 0;
}

int py_failure_settle(const py_lowering *low, py_failure *failure)
{
    return py_failure_first(low) == failure ? 0 : forget_frames(low, failure);
}
