/* SPDX-License-Identifier: BSD-3-Clause */
/* make.c: `delayed(obj, …)`, and Delayed(key, graph). */
#include "collect.h"
#include "compute.h"
#include "delayed.h"

/* ---- what a leaf is told ---- */

typedef struct leaf_options {
    PyObject *object; /* all borrowed */
    PyObject *name;
    PyObject *pure;
    PyObject *nout;
    int traverse;
    PyObject *retries;
    PyObject *timeout;
    PyObject *on_failure;
} leaf_options;

static int read_nout(PyObject *nout, Py_ssize_t *out)
{
    *out = -1;
    if (nout == Py_None)
        return 0;
    if (PyLong_CheckExact(nout))
        *out = PyLong_AsSsize_t(nout);
    if (*out >= 0)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "nout must be None or a non-negative integer, got %R", nout);
    return -1;
}

static int read_pure(PyObject *pure, int8_t *out)
{
    int truth = pure == Py_None ? -1 : PyObject_IsTrue(pure);
    *out = (int8_t)truth;
    return truth < 0 && PyErr_Occurred() ? -1 : 0;
}

static int read_retries(PyObject *retries, int64_t *out)
{
    *out = -1;
    if (retries == Py_None)
        return 0;
    *out = PyLong_AsLong(retries);
    if (*out >= 0 && *out <= INT32_MAX)
        return 0;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError,
                     "retries must be None or a number from 0, got %R",
                     retries);
    return -1;
}

static int read_on_failure(PyObject *on_failure, bool *passes)
{
    *passes = PyUnicode_Check(on_failure) &&
              PyUnicode_CompareWithASCIIString(on_failure, "pass") == 0;
    if (*passes || on_failure == Py_None)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "on_failure must be None or \"pass\", got %R", on_failure);
    return -1;
}

static int read_cold(const leaf_options *options, py_cold *cold)
{
    if (read_nout(options->nout, &cold->nout) != 0 ||
        read_pure(options->pure, &cold->pure) != 0 ||
        read_retries(options->retries, &cold->retries) != 0 ||
        py_seconds_read(options->timeout, "timeout", &cold->timeout) != 0 ||
        read_on_failure(options->on_failure, &cold->passes_failures) != 0)
        return -1;
    return 0;
}

static bool is_default(const py_cold *cold)
{
    return cold->nout < 0 && cold->pure < 0 && cold->retries < 0 &&
           !(cold->timeout > 0) && !cold->passes_failures && !cold->key;
}

/* Gives what was read to a leaf, or a container. */
static int set_cold(py_delayed_object *self, const py_cold *given)
{
    if (is_default(given))
        return 0;
    py_cold *cold = py_delayed_cold(self);
    if (!cold)
        return -1;
    *cold = *given;
    Py_XINCREF(cold->key);
    return 0;
}

/* ---- what is refused ---- */

#define CODE_ASYNC (CO_COROUTINE | CO_ASYNC_GENERATOR)

/* A coroutine function's task would make a coroutine that nobody awaits. */
static int refuse_coroutines(PyObject *object)
{
    PyObject *function =
        PyMethod_Check(object) ? PyMethod_GET_FUNCTION(object) : object;
    if (!PyFunction_Check(function))
        return 0;
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    if (!(code->co_flags & CODE_ASYNC))
        return 0;
    PyErr_Format(PyExc_TypeError,
                 "%R is a coroutine function, which a task would call and "
                 "never await: wrap it in a function that calls "
                 "asyncio.run()",
                 object);
    return -1;
}

/* ---- configuration ---- */

/* Finds the dict `module.config`, for purity; absent is fine. */
static int find_config(PyObject *module, PyObject *name, PyObject **out)
{
    PyObject *found = NULL;
    if (PyObject_GetOptionalAttr(module, name, &found) < 0)
        return -1;
    if (found && PyDict_Check(found))
        *out = found;
    else
        Py_XDECREF(found);
    return 0;
}

/* From now on tasks keep what dask.annotate says. */
static int follow_dask(py_state *state)
{
    PyObject *var =
        py_call_hook("annotations", state->str_follow_dask, NULL, 0);
    Py_XDECREF(var);
    return var ? 0 : -1;
}

static int find_configs(py_state *state)
{
    if (!state->config) {
        PyObject *module = py_import("config");
        if (!module)
            return -1;
        int status = find_config(module, state->str_config, &state->config);
        Py_DECREF(module);
        if (status != 0)
            return -1;
    }
    if (state->dask_config)
        return 0;
    PyObject *dask = PyUnicode_InternFromString("dask.config");
    PyObject *module = dask ? PyImport_GetModule(dask) : NULL;
    Py_XDECREF(dask);
    if (!module)
        return PyErr_Occurred() ? -1 : 0;
    int status = find_config(module, state->str_config, &state->dask_config);
    Py_DECREF(module);
    return status == 0 && state->dask_config ? follow_dask(state) : status;
}

/* ---- delayed() ---- */

static PyObject *make_container(py_state *state, PyObject *packed)
{
    if (py_is_delayed(state, packed)) /* a collection of Dask */
        return Py_NewRef(packed);
    py_delayed_object *self = py_delayed_new(state, PY_CONTAINER, NULL, 1);
    if (!self)
        return NULL;
    self->items[0] = Py_NewRef(packed);
    self->flags |= PY_HAS_INPUTS | PY_CYCLIC;
    return py_delayed_finish(state, self);
}

static PyObject *make(py_state *state, const leaf_options *options)
{
    py_cold cold = { .key = options->name == Py_None ? NULL : options->name };
    if (read_cold(options, &cold) != 0)
        return NULL;
    if (py_is_delayed(state, options->object))
        return Py_NewRef(options->object);
    if (find_configs(state) != 0 || refuse_coroutines(options->object) != 0)
        return NULL;
    PyObject *kept = options->traverse ? py_packed_of(state, options->object)
                                       : Py_NewRef(options->object);
    if (!kept)
        return NULL;
    bool is_leaf =
        Py_TYPE(kept) != state->packed_type && !py_is_delayed(state, kept);
    PyObject *made =
        is_leaf ? py_leaf_new(state, kept) : make_container(state, kept);
    Py_DECREF(kept);
    if (made && set_cold((py_delayed_object *)made, &cold) != 0)
        Py_CLEAR(made);
    return made;
}

/* A decorator that has the arguments: functools.partial(delayed, …). */
static PyObject *make_decorator(PyObject *module, PyObject *kwargs)
{
    PyObject *functools = PyImport_ImportModule("functools");
    PyObject *partial =
        functools ? PyObject_GetAttrString(functools, "partial") : NULL;
    PyObject *self = PyObject_GetAttrString(module, "delayed");
    PyObject *args = self ? PyTuple_Pack(1, self) : NULL;
    PyObject *made =
        partial && args ? PyObject_Call(partial, args, kwargs) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(self);
    Py_XDECREF(partial);
    Py_XDECREF(functools);
    return made;
}

PyObject *py_delayed(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "obj",     "name",       "pure",
                             "nout",    "traverse",   "retries",
                             "timeout", "on_failure", NULL };
    leaf_options options = { NULL, Py_None, Py_None, Py_None,
                             1,    Py_None, Py_None, Py_None };
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "|OOOOp$OOO:delayed", names, &options.object,
            &options.name, &options.pure, &options.nout, &options.traverse,
            &options.retries, &options.timeout, &options.on_failure))
        return NULL;
    if (!options.object)
        return make_decorator(module, kwargs);
    return make(py_state_of_module(module), &options);
}

PyObject *py_use_annotations(PyObject *module, PyObject *var)
{
    py_state *state = py_state_of_module(module);
    if (!PyContextVar_CheckExact(var)) {
        PyErr_SetString(PyExc_TypeError, "a ContextVar is needed");
        return NULL;
    }
    Py_XSETREF(state->annotations, Py_NewRef(var));
    Py_RETURN_NONE;
}

/* ---- Delayed(key, dsk) ---- */

PyObject *py_delayed_as(py_state *state, PyTypeObject *type, PyObject *made)
{
    py_delayed_object *from = (py_delayed_object *)made;
    Py_ssize_t n = Py_SIZE(made);
    PyObject *op = type->tp_alloc(type, n);
    if (!op)
        return NULL;
    py_delayed_object *self = (py_delayed_object *)op;
    self->vectorcall = from->vectorcall;
    self->func = Py_XNewRef(from->func);
    self->kwnames = Py_XNewRef(from->kwnames);
    self->mark = state->births++;
    self->kind = from->kind;
    self->flags = from->flags | PY_CYCLIC;
    for (Py_ssize_t i = 0; i < n; i++)
        self->items[i] = Py_XNewRef(from->items[i]);
    if (!from->cold)
        return op;
    py_cold *cold = py_delayed_cold(self);
    if (!cold) {
        Py_DECREF(op);
        return NULL;
    }
    *cold = *from->cold;
    Py_XINCREF(cold->key);
    Py_XINCREF(cold->annotations);
    return op;
}

PyObject *py_delayed_type_new(PyTypeObject *type, PyObject *args,
                              PyObject *kwargs)
{
    static char *names[] = { "key", "dsk", "length", "layer", NULL };
    PyObject *key, *dsk, *length = Py_None, *layer = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|OO:Delayed", names, &key,
                                     &dsk, &length, &layer))
        return NULL;
    py_state *state = py_state_of_type(type);
    PyObject *hook_args[] = { (PyObject *)type, key, dsk, length, layer };
    PyObject *made =
        py_call_hook("collection", state->str_from_graph, hook_args, 5);
    if (!made || Py_TYPE(made) == type)
        return made;
    PyObject *op = NULL;
    if (py_is_delayed(state, made))
        op = py_delayed_as(state, type, made);
    else
        PyErr_SetString(PyExc_TypeError, "from_graph returned no Delayed");
    Py_DECREF(made);
    return op;
}

int py_delayed_setup(PyObject *module, py_state *state)
{
    state->delayed_type = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &py_delayed_spec, NULL);
    return state->delayed_type ? PyModule_AddType(module, state->delayed_type)
                               : -1;
}
