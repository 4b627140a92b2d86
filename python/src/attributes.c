/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attributes.c: what `delayed.name` is: an attribute of Delayed, something of
 * the wrapped function, or a delayed attribute of the value. The cold half of
 * Delayed is written in Python, in plait.collection.
 */
#include "delayed.h"
#include "pickle.h"

/* ---- the cold half ---- */

/* clang-format off */
#define COLD_METHODS(X) \
    X(persist) \
    X(visualize) \
    X(visualise) \
    X(__dask_graph__) \
    X(__dask_keys__) \
    X(__dask_layers__) \
    X(__dask_tokenize__) \
    X(__dask_optimize__) \
    X(__dask_postcompute__) \
    X(__dask_postpersist__) \
    X(_repr_svg_) \
    X(_repr_html_) \
    X(_repr_mimebundle_)
/* clang-format on */

/* plait.collection.<name>(self, *args, **kwargs) */
static PyObject *forward(PyObject *self, const char *name, PyObject *args,
                         PyObject *kwargs)
{
    PyObject *module = py_import("collection");
    PyObject *fn = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    Py_ssize_t n = args ? PyTuple_GET_SIZE(args) : 0;
    PyObject *all = fn ? PyTuple_New(n + 1) : NULL;
    PyObject *result = NULL;
    if (all) {
        PyTuple_SET_ITEM(all, 0, Py_NewRef(self));
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        result = PyObject_Call(fn, all, kwargs);
    }
    Py_XDECREF(all);
    Py_XDECREF(fn);
    return result;
}

#define DEFINE_COLD(name)                                        \
    static PyObject *cold_##name(PyObject *self, PyObject *args, \
                                 PyObject *kwargs)               \
    {                                                            \
        return forward(self, #name, args, kwargs);               \
    }
COLD_METHODS(DEFINE_COLD)
#undef DEFINE_COLD

PyObject *py_delayed_await(PyObject *self)
{
    return forward(self, "__await__", NULL, NULL);
}

static PyObject *get_dask(PyObject *self, void *closure)
{
    (void)closure;
    return forward(self, "dask", NULL, NULL);
}

static PyObject *get_layer(PyObject *self, void *closure)
{
    (void)closure;
    return forward(self, "_layer", NULL, NULL);
}

/* Dask asks isinstance(x, dask.delayed.Delayed) in many places: once it is
 * loaded, the answer is yes. */
static PyObject *get_class(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *own = Py_NewRef((PyObject *)Py_TYPE(self));
    PyObject *name = PyUnicode_InternFromString("dask.delayed");
    PyObject *module = name ? PyImport_GetModule(name) : NULL;
    Py_XDECREF(name);
    PyObject *found = NULL;
    if (module && Py_TYPE(self) == py_state_of(self)->delayed_type)
        found = PyObject_GetAttrString(module, "Delayed");
    Py_XDECREF(module);
    PyErr_Clear(); /* it is just being imported */
    if (found && PyType_Check(found))
        Py_SETREF(own, Py_NewRef(found));
    Py_XDECREF(found);
    return own;
}

static PyObject *get_dask_scheduler(PyObject *self, void *closure)
{
    (void)closure;
    py_state *state = py_state_of(self);
    PyObject *module = py_import("collection");
    PyObject *found =
        module ? PyObject_GetAttr(module, state->str___dask_scheduler__) : NULL;
    Py_XDECREF(module);
    return found;
}

/* ---- compute ---- */

/* The value: compute_args gives a tuple of one. */
static PyObject *compute(PyObject *self, PyObject *args, PyObject *kwargs)
{
    py_state *state = py_state_of(self);
    if (PyTuple_GET_SIZE(args) != 0) {
        PyErr_SetString(PyExc_TypeError,
                        "compute() takes keyword arguments only");
        return NULL;
    }
    PyObject *all = PyTuple_Pack(1, self);
    if (!all)
        return NULL;
    PyObject *values = py_compute_args(state->module, all, kwargs);
    Py_DECREF(all);
    if (!values)
        return NULL;
    PyObject *value = PySequence_GetItem(values, 0);
    Py_DECREF(values);
    return value;
}

static PyObject *dir(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__dir__", "O",
                               self);
}

PyMethodDef py_delayed_methods[] = {
    { "compute", (PyCFunction)(void (*)(void))compute,
      METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR("Run what the value needs, and return it.") },
    { "__dir__", dir, METH_NOARGS, NULL },
    { "__reduce_ex__", py_delayed_reduce, METH_O, NULL },
#define COLD_METHOD(name)                              \
    { #name, (PyCFunction)(void (*)(void))cold_##name, \
      METH_VARARGS | METH_KEYWORDS, NULL },
    COLD_METHODS(COLD_METHOD)
#undef COLD_METHOD
        { NULL, NULL, 0, NULL },
};

/* ---- what was given ---- */

static PyObject *refuse(PyObject *self, const char *name)
{
    PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%s'",
                 Py_TYPE(self)->tp_name, name);
    return NULL;
}

static PyObject *get_key(PyObject *op, void *closure)
{
    (void)closure;
    return Py_XNewRef(py_delayed_key(py_state_of(op), (py_delayed_object *)op));
}

static PyObject *get_length(PyObject *op, void *closure)
{
    (void)closure;
    Py_ssize_t n = py_delayed_length((py_delayed_object *)op);
    if (n < 0)
        Py_RETURN_NONE;
    return PyLong_FromSsize_t(n);
}

static PyObject *get_obj(PyObject *op, void *closure)
{
    (void)closure;
    py_delayed_object *self = (py_delayed_object *)op;
    if (self->kind != PY_LEAF && self->kind != PY_ATTR)
        return refuse(op, "_obj");
    return Py_NewRef(self->items[0]);
}

static PyObject *get_pure(PyObject *op, void *closure)
{
    (void)closure;
    py_delayed_object *self = (py_delayed_object *)op;
    if (self->kind != PY_LEAF)
        return refuse(op, "_pure");
    if (!self->cold || self->cold->pure < 0)
        Py_RETURN_NONE;
    return PyBool_FromLong(self->cold->pure);
}

static PyObject *get_nout(PyObject *op, void *closure)
{
    (void)closure;
    py_delayed_object *self = (py_delayed_object *)op;
    if (self->kind != PY_LEAF)
        return refuse(op, "_nout");
    if (!self->cold || self->cold->nout < 0)
        Py_RETURN_NONE;
    return PyLong_FromSsize_t(self->cold->nout);
}

static PyObject *get_attr(PyObject *op, void *closure)
{
    (void)closure;
    py_delayed_object *self = (py_delayed_object *)op;
    return self->kind == PY_ATTR ? Py_NewRef(self->func) : refuse(op, "_attr");
}

PyGetSetDef py_delayed_getset[] = {
    { "key", get_key, NULL, PyDoc_STR("The task's key."), NULL },
    { "dask", get_dask, NULL, PyDoc_STR("The graph, as Dask has it."), NULL },
    { "__dask_scheduler__", get_dask_scheduler, NULL, NULL, NULL },
    { "__class__", get_class, NULL, NULL, NULL },
    { "_layer", get_layer, NULL, NULL, NULL },
    { "_key", get_key, NULL, NULL, NULL },
    { "_length", get_length, NULL, NULL, NULL },
    { "_obj", get_obj, NULL, NULL, NULL },
    { "_pure", get_pure, NULL, NULL, NULL },
    { "_nout", get_nout, NULL, NULL, NULL },
    { "_attr", get_attr, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

/* ---- attributes ---- */

/* Whether a leaf shows its object's attribute instead of its own. */
static bool is_forwarded(const py_state *state, PyObject *name)
{
    PyObject *const names[] = {
        state->str___doc__,         state->str___name__,
        state->str___qualname__,    state->str___module__,
        state->str___annotations__, state->str___signature__
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (name == names[i] || PyUnicode_Compare(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* The attribute of a leaf's function; `*found` NULL: it has none. */
static int leaf_attribute(py_state *state, py_delayed_object *self,
                          PyObject *name, PyObject **found)
{
    *found = NULL;
    if (self->kind != PY_LEAF)
        return 0;
    if (PyUnicode_Compare(name, state->str___wrapped__) == 0) {
        if (PyCallable_Check(self->items[0]))
            *found = Py_NewRef(self->items[0]);
        return 0;
    }
    if (!is_forwarded(state, name))
        return 0;
    return PyObject_GetOptionalAttr(self->items[0], name, found) < 0 ? -1 : 0;
}

/* x.dtype.dtype is refused: numpy looks for it until the stack ends. */
static bool is_own_attribute(const py_delayed_object *self, PyObject *name)
{
    return self->kind == PY_ATTR &&
           PyUnicode_CompareWithASCIIString(name, "dtype") == 0 &&
           PyUnicode_Compare(self->func, name) == 0;
}

static PyObject *delayed_attribute(py_state *state, py_delayed_object *self,
                                   PyObject *name)
{
    if (is_own_attribute(self, name)) {
        PyErr_Format(PyExc_AttributeError, "Attribute %U not found", name);
        return NULL;
    }
    py_delayed_object *attribute = py_delayed_new(state, PY_ATTR, name, 1);
    if (!attribute)
        return NULL;
    attribute->flags |= PY_PURE;
    if (py_delayed_set(state, attribute, 0, (PyObject *)self) != 0) {
        Py_DECREF(attribute);
        return NULL;
    }
    return py_delayed_finish(state, attribute);
}

PyObject *py_delayed_getattro(PyObject *op, PyObject *name)
{
    py_state *state = py_state_of(op);
    py_delayed_object *self = (py_delayed_object *)op;
    bool is_private =
        PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '_';
    if (is_private) {
        PyObject *found;
        if (leaf_attribute(state, self, name, &found) != 0 || found)
            return found;
    }
    PyObject *own = PyObject_GenericGetAttr(op, name);
    if (own || is_private || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return own;
    PyErr_Clear();
    return delayed_attribute(state, self, name);
}
