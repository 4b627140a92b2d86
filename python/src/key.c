/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key.c: keys, made when somebody asks. The key of an impure task is like no
 * other; that of a pure one is made of its arguments, inputs first and without
 * recursion, since a chain of operators may be long.
 */
#include "collect.h"
#include "delayed.h"

#define MOST_CHARACTERS 50

/* ---- labels ---- */

/* Takes a function's name; returns it as it is shown in keys. */
static PyObject *shown(PyObject *name)
{
    if (PyUnicode_CompareWithASCIIString(name, "<lambda>") == 0)
        Py_SETREF(name, PyUnicode_FromString("lambda"));
    else if (PyUnicode_GET_LENGTH(name) > MOST_CHARACTERS)
        Py_SETREF(name, PyUnicode_Substring(name, 0, MOST_CHARACTERS));
    return name;
}

/* The name of a callable, or of a value's type. */
static PyObject *name_of(py_state *state, PyObject *object)
{
    PyObject *found = NULL;
    PyObject *at = Py_NewRef(object);
    /* a partial is called what its function is */
    for (int i = 0; i < 10; i++) {
        if (PyObject_GetOptionalAttr(at, state->str___name__, &found) < 0)
            PyErr_Clear();
        if (found && PyUnicode_Check(found)) {
            Py_DECREF(at);
            return shown(found);
        }
        Py_CLEAR(found);
        if (!PyCallable_Check(at) ||
            PyObject_GetOptionalAttr(at, state->str_func, &found) < 0)
            PyErr_Clear();
        if (!found)
            break;
        Py_SETREF(at, found);
        found = NULL;
    }
    Py_DECREF(at);
    return PyType_GetName(Py_TYPE(object));
}

static PyObject *operator_name(py_state *state, PyObject *function)
{
    for (int i = 0; i < PY_OP_COUNT; i++) {
        if (state->operators[i] == function)
            return Py_NewRef(state->operator_names[i]);
    }
    return name_of(state, function);
}

static PyObject *container_name(PyObject *item)
{
    static const char *const names[] = { "list", "tuple", "set", "dict",
                                         "slice" };
    const py_packed *packed = (const py_packed *)item;
    if (packed->type)
        return PyType_GetName((PyTypeObject *)packed->type);
    return PyUnicode_FromString(names[packed->pack]);
}

PyObject *py_delayed_label(py_state *state, const py_delayed_object *self)
{
    switch ((py_kind)self->kind) {
    case PY_LEAF:
        return name_of(state, self->items[0]);
    case PY_CALL:
        return name_of(state, ((py_delayed_object *)self->func)->items[0]);
    case PY_METHOD:
        return Py_NewRef(self->func);
    case PY_ATTR:
        return Py_NewRef(state->str_getattr);
    case PY_OPERATOR:
        return operator_name(state, self->func);
    case PY_APPLY:
        return Py_NewRef(state->str_apply);
    case PY_CONTAINER:
        return container_name(self->items[0]);
    }
    Py_UNREACHABLE();
}

/* ---- tokens ---- */

static PyObject *as_itself(PyObject *delayed, void *user)
{
    (void)user;
    return Py_NewRef(delayed);
}

/* A dict of the keyword arguments; `*n` is left the number of the others. */
static PyObject *keywords(py_state *state, const py_delayed_object *self,
                          Py_ssize_t *n)
{
    PyObject *kwargs = PyDict_New();
    Py_ssize_t n_keywords = self->kwnames ? PyTuple_GET_SIZE(self->kwnames) : 0;
    *n = Py_SIZE(self) - n_keywords;
    for (Py_ssize_t i = 0; kwargs && i < n_keywords; i++) {
        PyObject *value =
            py_packed_fill(state, self->items[*n + i], as_itself, NULL);
        if (!value || PyDict_SetItem(kwargs, PyTuple_GET_ITEM(self->kwnames, i),
                                     value) != 0)
            Py_CLEAR(kwargs);
        Py_XDECREF(value);
    }
    return kwargs;
}

/* The key of the leaf that `delayed(operator, pure=True)` would be. */
static PyObject *operator_key(py_state *state, PyObject *function)
{
    PyObject *leaf = py_leaf_new(state, function);
    py_cold *cold = leaf ? py_delayed_cold((py_delayed_object *)leaf) : NULL;
    if (cold)
        cold->pure = 1;
    PyObject *key =
        cold ? py_delayed_key(state, (py_delayed_object *)leaf) : NULL;
    Py_XINCREF(key);
    Py_XDECREF(leaf);
    return key;
}

/* What the token of a task says of its function. */
static PyObject *func_token(py_state *state, const py_delayed_object *self)
{
    if (self->kind == PY_CALL)
        return Py_XNewRef(
            py_delayed_key(state, (py_delayed_object *)self->func));
    if (self->kind == PY_OPERATOR)
        return operator_key(state, self->func);
    return Py_NewRef(self->func ? self->func : Py_None);
}

/* What else is in the token of a leaf: how many outputs it has. */
static PyObject *leaf_token(const py_delayed_object *self)
{
    if (!self->cold || self->cold->nout < 0)
        Py_RETURN_NONE;
    return PyLong_FromSsize_t(self->cold->nout);
}

/*
 * What a token is made of, as in Dask: the function, then the items; of a leaf
 * the object and nout, of an attribute the object and its name.
 */
static PyObject *token_args(py_state *state, const py_delayed_object *self,
                            Py_ssize_t n)
{
    bool is_last = self->kind == PY_LEAF || self->kind == PY_ATTR;
    PyObject *args = PyTuple_New(n + 1);
    PyObject *func =
        self->kind == PY_LEAF ? leaf_token(self) : func_token(state, self);
    if (!args || !func) {
        Py_XDECREF(args);
        Py_XDECREF(func);
        return NULL;
    }
    PyTuple_SET_ITEM(args, is_last ? n : 0, func);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *value =
            self->kind == PY_LEAF
                ? Py_NewRef(self->items[i])
                : py_packed_fill(state, self->items[i], as_itself, NULL);
        if (!value) {
            Py_DECREF(args);
            return NULL;
        }
        PyTuple_SET_ITEM(args, is_last ? i : i + 1, value);
    }
    return args;
}

static bool is_pure(py_state *state, const py_delayed_object *self)
{
    if (self->kind != PY_LEAF && self->kind != PY_CONTAINER)
        return self->flags & PY_PURE;
    if (self->cold && self->cold->pure >= 0)
        return self->cold->pure;
    int pure = py_default_purity(state);
    if (pure < 0)
        PyErr_Clear();
    return pure > 0;
}

static PyObject *make_token(py_state *state, py_delayed_object *self)
{
    if (!is_pure(state, self))
        return py_call_hook("tokenize", state->str_fresh, NULL, 0);
    PyObject *module = py_import("tokenize");
    PyObject *tokenize =
        module ? PyObject_GetAttr(module, state->str_tokenize) : NULL;
    Py_XDECREF(module);
    Py_ssize_t n;
    PyObject *kwargs = tokenize ? keywords(state, self, &n) : NULL;
    PyObject *args = kwargs ? token_args(state, self, n) : NULL;
    PyObject *token = args ? PyObject_Call(tokenize, args, kwargs) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(tokenize);
    return token;
}

/* ---- keys ---- */

static bool has_key(const py_delayed_object *self)
{
    return self->cold && self->cold->key;
}

static int make_key(py_state *state, py_delayed_object *self)
{
    PyObject *label = py_delayed_label(state, self);
    PyObject *token = label ? make_token(state, self) : NULL;
    PyObject *key = token ? PyUnicode_FromFormat("%S-%S", label, token) : NULL;
    Py_XDECREF(token);
    Py_XDECREF(label);
    py_cold *cold = key ? py_delayed_cold(self) : NULL;
    if (!cold) {
        Py_XDECREF(key);
        return -1;
    }
    if (cold->key) /* made meanwhile, on another thread */
        Py_DECREF(key);
    else
        cold->key = key;
    return 0;
}

typedef struct key_stack {
    py_state *state;
    PyObject *pending; /* list of Delayeds without keys */
} key_stack;

static int push_input(PyObject *delayed, void *user)
{
    key_stack *stack = user;
    return has_key((py_delayed_object *)delayed)
               ? 0
               : PyList_Append(stack->pending, delayed);
}

/* Puts the inputs that need keys of their own on the stack. */
static int push_inputs(key_stack *stack, const py_delayed_object *self)
{
    if (!(self->flags & PY_HAS_INPUTS) || !is_pure(stack->state, self))
        return 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        if (py_packed_each(stack->state, self->items[i], push_input, stack))
            return -1;
    }
    return 0;
}

static int make_keys(key_stack *stack)
{
    Py_ssize_t n;
    while ((n = PyList_GET_SIZE(stack->pending)) > 0) {
        py_delayed_object *last =
            (py_delayed_object *)PyList_GET_ITEM(stack->pending, n - 1);
        if (!has_key(last) && push_inputs(stack, last) != 0)
            return -1;
        if (PyList_GET_SIZE(stack->pending) > n)
            continue;
        if (!has_key(last) && make_key(stack->state, last) != 0)
            return -1;
        if (PyList_SetSlice(stack->pending, n - 1, n, NULL) != 0)
            return -1;
    }
    return 0;
}

PyObject *py_delayed_key(py_state *state, py_delayed_object *self)
{
    if (has_key(self))
        return self->cold->key;
    key_stack stack = { state, PyList_New(0) };
    if (!stack.pending)
        return NULL;
    int status = PyList_Append(stack.pending, (PyObject *)self);
    if (status == 0)
        status = make_keys(&stack);
    Py_DECREF(stack.pending);
    return status == 0 ? self->cold->key : NULL;
}
