/* SPDX-License-Identifier: BSD-3-Clause */
/* packed.c: the type Packed, and making containers anew from it. */
#include "collect.h"
#include "delayed.h"

/* ---- the object ---- */

static int traverse(PyObject *op, visitproc visit, void *arg)
{
    py_packed *self = (py_packed *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->type);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++)
        Py_VISIT(self->items[i]);
    return 0;
}

static int clear(PyObject *op)
{
    py_packed *self = (py_packed *)op;
    Py_CLEAR(self->type);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++)
        Py_CLEAR(self->items[i]);
    return 0;
}

static void dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, dealloc) clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyType_Slot slots[] = {
    { Py_tp_dealloc, dealloc },
    { Py_tp_traverse, traverse },
    { Py_tp_clear, clear },
    { 0, NULL },
};

PyType_Spec py_packed_spec = {
    .name = "plait._core.Packed",
    .basicsize = offsetof(py_packed, items),
    .itemsize = sizeof(PyObject *),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

/* ---- making anew ---- */

typedef struct filling {
    py_state *state;
    py_value_of value_of;
    void *user;
} filling;

static PyObject *fill(const filling *f, PyObject *item);

static PyObject *fill_list(const filling *f, const py_packed *packed)
{
    Py_ssize_t n = Py_SIZE(packed);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list && i < n; i++) {
        PyObject *value = fill(f, packed->items[i]);
        if (value)
            PyList_SET_ITEM(list, i, value);
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *fill_tuple(const filling *f, const py_packed *packed)
{
    Py_ssize_t n = Py_SIZE(packed);
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n; i++) {
        PyObject *value = fill(f, packed->items[i]);
        if (value)
            PyTuple_SET_ITEM(tuple, i, value);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *fill_dict(const filling *f, const py_packed *packed)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict && i < Py_SIZE(packed); i += 2) {
        PyObject *key = fill(f, packed->items[i]);
        PyObject *value = key ? fill(f, packed->items[i + 1]) : NULL;
        if (!value || PyDict_SetItem(dict, key, value) != 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
        Py_XDECREF(key);
    }
    if (dict && packed->pack == PY_PACK_DICT && packed->type)
        Py_SETREF(dict, PyObject_CallOneArg(packed->type, dict));
    return dict;
}

static PyObject *fill_set(const filling *f, const py_packed *packed)
{
    PyObject *list = fill_list(f, packed);
    PyObject *set = list ? PySet_New(list) : NULL;
    Py_XDECREF(list);
    return set;
}

static PyObject *fill_slice(const filling *f, const py_packed *packed)
{
    PyObject *parts = fill_tuple(f, packed);
    PyObject *slice = parts ? PySlice_New(PyTuple_GET_ITEM(parts, 0),
                                          PyTuple_GET_ITEM(parts, 1),
                                          PyTuple_GET_ITEM(parts, 2))
                            : NULL;
    Py_XDECREF(parts);
    return slice;
}

static PyObject *fill_named(const filling *f, const py_packed *packed)
{
    PyObject *values = fill_tuple(f, packed);
    PyObject *made = values ? PyObject_CallObject(packed->type, values) : NULL;
    Py_XDECREF(values);
    return made;
}

static PyObject *fill_dataclass(const filling *f, const py_packed *packed)
{
    PyObject *fields = fill_dict(f, packed);
    PyObject *none = fields ? PyTuple_New(0) : NULL;
    PyObject *made = none ? PyObject_Call(packed->type, none, fields) : NULL;
    Py_XDECREF(none);
    Py_XDECREF(fields);
    return made;
}

static PyObject *fill_packed(const filling *f, const py_packed *packed)
{
    switch ((py_pack)packed->pack) {
    case PY_PACK_LIST:
        return fill_list(f, packed);
    case PY_PACK_TUPLE:
        return fill_tuple(f, packed);
    case PY_PACK_SET:
        return fill_set(f, packed);
    case PY_PACK_DICT:
        return fill_dict(f, packed);
    case PY_PACK_SLICE:
        return fill_slice(f, packed);
    case PY_PACK_NAMED:
        return fill_named(f, packed);
    case PY_PACK_DATACLASS:
        return fill_dataclass(f, packed);
    }
    Py_UNREACHABLE();
}

static PyObject *fill(const filling *f, PyObject *item)
{
    if (Py_TYPE(item) == f->state->delayed_type)
        return f->value_of(item, f->user);
    if (Py_TYPE(item) != f->state->packed_type)
        return py_is_delayed(f->state, item) ? f->value_of(item, f->user)
                                             : Py_NewRef(item);
    if (Py_EnterRecursiveCall(" in making a nested container"))
        return NULL;
    PyObject *made = fill_packed(f, (py_packed *)item);
    Py_LeaveRecursiveCall();
    return made;
}

PyObject *py_packed_fill(py_state *state, PyObject *item, py_value_of value_of,
                         void *user)
{
    filling f = { state, value_of, user };
    return fill(&f, item);
}

int py_packed_each(py_state *state, PyObject *item,
                   int (*visit)(PyObject *delayed, void *user), void *user)
{
    if (Py_TYPE(item) != state->packed_type)
        return py_is_delayed(state, item) ? visit(item, user) : 0;
    if (Py_EnterRecursiveCall(" in a nested container"))
        return -1;
    const py_packed *packed = (const py_packed *)item;
    int status = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(item) && status == 0; i++)
        status = py_packed_each(state, packed->items[i], visit, user);
    Py_LeaveRecursiveCall();
    return status;
}
