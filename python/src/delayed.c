/* SPDX-License-Identifier: BSD-3-Clause */
/* delayed.c: the object: making, freeing, and what is asked of it. */
#include "delayed.h"

#include "collect.h"

/* ---- making ---- */

py_cold *py_delayed_cold(py_delayed_object *self)
{
    if (self->cold)
        return self->cold;
    py_cold *cold = PyMem_Calloc(1, sizeof *cold);
    if (!cold) {
        PyErr_NoMemory();
        return NULL;
    }
    cold->nout = -1;
    cold->pure = -1;
    cold->retries = -1;
    self->cold = cold;
    return cold;
}

static vectorcallfunc call_of(py_kind kind)
{
    return kind == PY_LEAF ? py_leaf_call : py_value_call;
}

py_delayed_object *py_delayed_new(py_state *state, py_kind kind, PyObject *func,
                                  Py_ssize_t n)
{
    py_delayed_object *self =
        PyObject_GC_NewVar(py_delayed_object, state->delayed_type, n);
    if (!self)
        return NULL;
    self->vectorcall = call_of(kind);
    self->func = Py_XNewRef(func);
    self->kwnames = NULL;
    self->cold = NULL;
    self->weakrefs = NULL;
    self->mark = state->births++;
    self->kind = (uint8_t)kind;
    self->flags = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        self->items[i] = NULL;
    if (kind == PY_CALL && ((py_delayed_object *)func)->flags & PY_CYCLIC)
        self->flags = PY_CYCLIC;
    return self;
}

static bool is_collected(PyObject *object)
{
    return PyObject_GC_IsTracked(object) ||
           (PyType_IS_GC(Py_TYPE(object)) && !PyTuple_CheckExact(object));
}

/* An argument that the collector knows of, or that may hold Delayeds. */
static int set_object(py_state *state, py_delayed_object *self, Py_ssize_t i,
                      PyObject *arg)
{
    PyObject *item = py_packed_of(state, arg);
    if (!item)
        return -1;
    self->items[i] = item;
    if (py_is_delayed(state, item)) {
        self->flags |= PY_HAS_INPUTS;
        if (PyObject_GC_IsTracked(item))
            self->flags |= PY_CYCLIC;
    } else if (Py_TYPE(item) == state->packed_type) {
        self->flags |= PY_HAS_INPUTS | PY_CYCLIC;
    } else if (is_collected(item)) {
        self->flags |= PY_CYCLIC;
    }
    return 0;
}

int py_delayed_set(py_state *state, py_delayed_object *self, Py_ssize_t i,
                   PyObject *arg)
{
    if (Py_TYPE(arg) == state->delayed_type) {
        self->items[i] = Py_NewRef(arg);
        self->flags |= PY_HAS_INPUTS;
        if (PyObject_GC_IsTracked(arg))
            self->flags |= PY_CYCLIC;
        return 0;
    }
    if (!PyType_IS_GC(Py_TYPE(arg))) {
        self->items[i] = Py_NewRef(arg);
        return 0;
    }
    return set_object(state, self, i, arg);
}

/* Keeps what plait.annotate says. */
static int annotate(py_state *state, py_delayed_object *self)
{
    PyObject *value;
    if (PyContextVar_Get(state->annotations, Py_None, &value) != 0)
        return -1;
    int status = 0;
    if (value != Py_None && PyObject_IsTrue(value)) {
        py_cold *cold = py_delayed_cold(self);
        if (cold)
            cold->annotations = Py_NewRef(value);
        self->flags |= PY_CYCLIC;
        status = cold ? 0 : -1;
    }
    Py_DECREF(value);
    return status;
}

PyObject *py_delayed_finish(py_state *state, py_delayed_object *self)
{
    if (state->annotations && self->kind != PY_LEAF &&
        annotate(state, self) != 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (self->flags & PY_CYCLIC)
        PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* Whether a function lives as long as an imported module, and holds nothing
 * that a call could have put there. */
static bool is_lasting(PyObject *object)
{
    if (PyCFunction_CheckExact(object)) {
        PyObject *self = PyCFunction_GET_SELF(object);
        return !self || PyModule_Check(self);
    }
    if (PyType_Check(object))
        return !PyType_HasFeature((PyTypeObject *)object, Py_TPFLAGS_HEAPTYPE);
    if (!PyFunction_Check(object) || PyFunction_GetClosure(object))
        return false;
    PyFunctionObject *function = (PyFunctionObject *)object;
    if (!function->func_module || !PyUnicode_Check(function->func_module))
        return false;
    PyObject *module = PyImport_GetModule(function->func_module);
    bool lasting = module && PyModule_Check(module) &&
                   PyModule_GetDict(module) == function->func_globals;
    Py_XDECREF(module);
    PyErr_Clear();
    return lasting;
}

PyObject *py_leaf_new(py_state *state, PyObject *object)
{
    py_delayed_object *self = py_delayed_new(state, PY_LEAF, NULL, 1);
    if (!self)
        return NULL;
    self->items[0] = Py_NewRef(object);
    if (is_collected(object) && !is_lasting(object))
        self->flags |= PY_CYCLIC;
    return py_delayed_finish(state, self);
}

PyObject *py_operator_new(py_state *state, py_operator op, PyObject *left,
                          PyObject *right)
{
    py_delayed_object *self =
        py_delayed_new(state, PY_OPERATOR, state->operators[op], right ? 2 : 1);
    if (!self)
        return NULL;
    self->flags |= PY_PURE;
    if (py_delayed_set(state, self, 0, left) != 0 ||
        (right && py_delayed_set(state, self, 1, right) != 0)) {
        Py_DECREF(self);
        return NULL;
    }
    return py_delayed_finish(state, self);
}

/* ---- what the collector asks ---- */

static int traverse(PyObject *op, visitproc visit, void *arg)
{
    py_delayed_object *self = (py_delayed_object *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->func);
    if (self->cold) {
        Py_VISIT(self->cold->key);
        Py_VISIT(self->cold->annotations);
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++)
        Py_VISIT(self->items[i]);
    return 0;
}

static void free_cold(py_delayed_object *self)
{
    py_cold *cold = self->cold;
    self->cold = NULL;
    if (!cold)
        return;
    Py_XDECREF(cold->key);
    Py_XDECREF(cold->annotations);
    PyMem_Free(cold);
}

static int clear(PyObject *op)
{
    py_delayed_object *self = (py_delayed_object *)op;
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++)
        Py_CLEAR(self->items[i]);
    Py_CLEAR(self->func);
    Py_CLEAR(self->kwnames);
    free_cold(self);
    return 0;
}

static void dealloc(PyObject *op)
{
    py_delayed_object *self = (py_delayed_object *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, dealloc) if (self->weakrefs)
        PyObject_ClearWeakRefs(op);
    clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

/* ---- iteration, hash, text ---- */

Py_ssize_t py_delayed_length(const py_delayed_object *self)
{
    if (self->cold && self->cold->nout >= 0)
        return self->cold->nout;
    if (self->kind != PY_CALL)
        return -1;
    const py_delayed_object *leaf = (py_delayed_object *)self->func;
    return leaf->cold ? leaf->cold->nout : -1;
}

static Py_ssize_t length(PyObject *op)
{
    Py_ssize_t n = py_delayed_length((py_delayed_object *)op);
    if (n < 0)
        PyErr_SetString(PyExc_TypeError,
                        "Delayed objects of unspecified length have no len()");
    return n;
}

static PyObject *iterate(PyObject *op)
{
    py_state *state = py_state_of(op);
    Py_ssize_t n = py_delayed_length((py_delayed_object *)op);
    if (n < 0) {
        PyErr_SetString(
            PyExc_TypeError,
            "Delayed objects of unspecified length are not iterable");
        return NULL;
    }
    PyObject *outputs = PyTuple_New(n);
    for (Py_ssize_t i = 0; outputs && i < n; i++) {
        PyObject *at = PyLong_FromSsize_t(i);
        PyObject *item =
            at ? py_operator_new(state, PY_OP_getitem, op, at) : NULL;
        Py_XDECREF(at);
        if (item)
            PyTuple_SET_ITEM(outputs, i, item);
        else
            Py_CLEAR(outputs);
    }
    PyObject *iterator = outputs ? PyObject_GetIter(outputs) : NULL;
    Py_XDECREF(outputs);
    return iterator;
}

/* An address has zeros at its end: they go where they do no harm. */
static Py_hash_t hash(PyObject *op)
{
    uintptr_t bits = (uintptr_t)op;
    Py_hash_t found = (Py_hash_t)((bits >> 4) | (bits << 60));
    return found == -1 ? -2 : found;
}

static PyObject *repr(PyObject *op)
{
    PyObject *key = py_delayed_key(py_state_of(op), (py_delayed_object *)op);
    return key ? PyUnicode_FromFormat("Delayed(%R)", key) : NULL;
}

static int truth(PyObject *op)
{
    (void)op;
    PyErr_SetString(PyExc_TypeError,
                    "Truth of Delayed objects is not supported");
    return -1;
}

static int set_item(PyObject *op, PyObject *item, PyObject *value)
{
    (void)op;
    (void)item;
    (void)value;
    PyErr_SetString(PyExc_TypeError, "Delayed objects are immutable");
    return -1;
}

static PyObject *bind(PyObject *op, PyObject *instance, PyObject *owner)
{
    (void)owner;
    if (!instance || instance == Py_None)
        return Py_NewRef(op);
    return PyMethod_New(op, instance);
}

static PyMemberDef members[] = {
    PY_OFFSET_MEMBER("__vectorcalloffset__",
                     offsetof(py_delayed_object, vectorcall)),
    PY_OFFSET_MEMBER("__weaklistoffset__",
                     offsetof(py_delayed_object, weakrefs)),
    { NULL, 0, 0, 0, NULL },
};

PyDoc_STRVAR(doc, "A call that has not been made yet, and its value.\n\n"
                  "Calling it, its attributes, items and operators are "
                  "delayed in turn.");

static PyType_Slot slots[] = {
    { Py_tp_doc, (void *)doc },
    { Py_tp_new, py_delayed_type_new },
    { Py_tp_dealloc, dealloc },
    { Py_tp_traverse, traverse },
    { Py_tp_clear, clear },
    { Py_tp_call, PyVectorcall_Call },
    { Py_tp_members, members },
    { Py_tp_methods, py_delayed_methods },
    { Py_tp_getset, py_delayed_getset },
    { Py_tp_getattro, py_delayed_getattro },
    { Py_tp_setattro, set_item },
    { Py_tp_repr, repr },
    { Py_tp_hash, hash },
    { Py_tp_iter, iterate },
    { Py_tp_richcompare, py_tp_richcompare },
    { Py_tp_descr_get, bind },
    { Py_am_await, py_delayed_await },
    { Py_mp_length, length },
    { Py_mp_subscript, py_mp_subscript },
    { Py_mp_ass_subscript, set_item },
    { Py_nb_bool, truth },
    { Py_nb_power, py_nb_power },
    { Py_nb_negative, py_nb_negative },
    { Py_nb_positive, py_nb_positive },
    { Py_nb_absolute, py_nb_absolute },
    { Py_nb_invert, py_nb_invert },
#define SLOT(name) { Py_##name, py_##name },
    PY_OPERATOR_SLOTS(SLOT)
#undef SLOT
        { 0, NULL },
};

PyType_Spec py_delayed_spec = {
    .name = "plait.delayed.Delayed",
    .basicsize = offsetof(py_delayed_object, items),
    .itemsize = sizeof(PyObject *),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
