/* SPDX-License-Identifier: BSD-3-Clause */
/* call.c: calling a Delayed, and what a call says of itself. */
#include "delayed.h"

/* What a call says of itself, which its function doesn't see. */
typedef struct call_options {
    PyObject *key;  /* borrowed, or NULL */
    PyObject *pure; /* borrowed, or NULL */
} call_options;

/* Names in code are interned, so that most are told apart by address; of
 * others the length tells most. */
static bool is_name(PyObject *name, PyObject *ours)
{
    return name == ours ||
           (PyUnicode_GET_LENGTH(name) == PyUnicode_GET_LENGTH(ours) &&
            PyUnicode_Compare(name, ours) == 0);
}

/* Whether a keyword is for us. */
static PyObject **option_of(const py_state *state, PyObject *name,
                            call_options *options)
{
    if (is_name(name, state->str_pure))
        return &options->pure;
    return is_name(name, state->str_dask_key_name) ? &options->key : NULL;
}

/* The keywords that the function sees: `kwnames` itself when that is all. */
static PyObject *own_keywords(py_state *state, PyObject *kwnames,
                              PyObject *const *values, call_options *options)
{
    Py_ssize_t n = PyTuple_GET_SIZE(kwnames);
    Py_ssize_t taken = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject **option =
            option_of(state, PyTuple_GET_ITEM(kwnames, i), options);
        if (option) {
            *option = values[i];
            taken++;
        }
    }
    if (taken == 0)
        return Py_NewRef(kwnames);
    PyObject *rest = PyTuple_New(n - taken);
    for (Py_ssize_t i = 0, at = 0; rest && i < n; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        if (!option_of(state, name, options))
            PyTuple_SET_ITEM(rest, at++, Py_NewRef(name));
    }
    return rest;
}

/* Sets the keyword values, behind `at` positional items. */
static int set_keywords(py_state *state, py_delayed_object *self, Py_ssize_t at,
                        PyObject *kwnames, PyObject *const *values)
{
    call_options ignored = { NULL, NULL };
    bool all = self->kwnames == kwnames;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++) {
        if (!all && option_of(state, PyTuple_GET_ITEM(kwnames, i), &ignored))
            continue;
        if (py_delayed_set(state, self, at++, values[i]) != 0)
            return -1;
    }
    return 0;
}

static int default_purity(py_state *state, PyObject *config)
{
    PyObject *value;
    int found = PyDict_GetItemRef(config, state->str_delayed_pure, &value);
    if (found <= 0)
        return found < 0 ? -1 : 2;
    int truth = value == Py_None ? 2 : PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth;
}

int py_default_purity(py_state *state)
{
    int pure = state->config ? default_purity(state, state->config) : 2;
    if (pure == 2 && state->dask_config)
        pure = default_purity(state, state->dask_config);
    return pure == 2 ? 0 : pure;
}

/* Whether a call of `leaf` (NULL: of no leaf) is pure: 1, 0, -1. */
static int purity(py_state *state, const py_delayed_object *leaf,
                  const call_options *options)
{
    if (options->pure && options->pure != Py_None)
        return PyObject_IsTrue(options->pure);
    if (leaf && leaf->cold && leaf->cold->pure >= 0)
        return leaf->cold->pure;
    return py_default_purity(state);
}

/* Sets what the call said of itself. A pure call gets its key now, when its
 * arguments are what they were when it was made. */
static int set_options(py_state *state, py_delayed_object *self,
                       const py_delayed_object *leaf,
                       const call_options *options)
{
    int pure = purity(state, leaf, options);
    if (pure < 0)
        return -1;
    if (options->key && options->key != Py_None) {
        py_cold *cold = py_delayed_cold(self);
        if (!cold)
            return -1;
        Py_XSETREF(cold->key, Py_NewRef(options->key));
        return 0;
    }
    if (!pure)
        return 0;
    self->flags |= PY_PURE;
    return py_delayed_key(state, self) ? 0 : -1;
}

/* Fills a new call from what vectorcall gets, and takes it. `first` items are
 * set already. */
static PyObject *fill_call(py_state *state, py_delayed_object *self,
                           Py_ssize_t first, PyObject *const *args,
                           Py_ssize_t n_args, PyObject *kwnames,
                           const call_options *options)
{
    const py_delayed_object *leaf =
        self->kind == PY_CALL ? (py_delayed_object *)self->func : NULL;
    for (Py_ssize_t i = 0; i < n_args; i++) {
        if (py_delayed_set(state, self, first + i, args[i]) != 0)
            goto failed;
    }
    if (kwnames &&
        set_keywords(state, self, first + n_args, kwnames, args + n_args) != 0)
        goto failed;
    if (set_options(state, self, leaf, options) != 0)
        goto failed;
    return py_delayed_finish(state, self);
failed:
    Py_DECREF(self);
    return NULL;
}

/* A call of `kind` whose first item is `first` (NULL: none). */
static PyObject *make_call(py_state *state, py_kind kind, PyObject *func,
                           PyObject *first, PyObject *const *args,
                           size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    call_options options = { NULL, NULL };
    PyObject *own = NULL;
    Py_ssize_t n_keywords = 0;
    if (kwnames && PyTuple_GET_SIZE(kwnames) > 0) {
        own = own_keywords(state, kwnames, args + n, &options);
        if (!own)
            return NULL;
        n_keywords = PyTuple_GET_SIZE(own);
    }
    Py_ssize_t before = first ? 1 : 0;
    py_delayed_object *self =
        py_delayed_new(state, kind, func, before + n + n_keywords);
    if (!self) {
        Py_XDECREF(own);
        return NULL;
    }
    if (n_keywords)
        self->kwnames = Py_NewRef(own);
    Py_XDECREF(own);
    if (first && py_delayed_set(state, self, 0, first) != 0) {
        Py_DECREF(self);
        return NULL;
    }
    return fill_call(state, self, before, args, n, kwnames, &options);
}

PyObject *py_leaf_call(PyObject *leaf, PyObject *const *args, size_t nargsf,
                       PyObject *kwnames)
{
    return make_call(py_state_of(leaf), PY_CALL, leaf, NULL, args, nargsf,
                     kwnames);
}

PyObject *py_value_call(PyObject *op, PyObject *const *args, size_t nargsf,
                        PyObject *kwnames)
{
    py_delayed_object *self = (py_delayed_object *)op;
    py_state *state = py_state_of(op);
    if (self->kind == PY_ATTR)
        return make_call(state, PY_METHOD, self->func, self->items[0], args,
                         nargsf, kwnames);
    return make_call(state, PY_APPLY, NULL, op, args, nargsf, kwnames);
}
