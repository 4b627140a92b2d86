/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * collect.c: looking for Delayeds in containers: list, tuple, set, dict,
 * slice, dataclass, namedtuple, and iterators over the first three; among
 * targets also OrderedDict and any iterator. Exact types only: a subclass may
 * be anything.
 */
#include "collect.h"

#include "delayed.h"

py_packed *py_packed_new(py_state *state, py_pack pack, PyObject *type,
                         Py_ssize_t n)
{
    py_packed *packed = PyObject_GC_NewVar(py_packed, state->packed_type, n);
    if (!packed)
        return NULL;
    packed->type = Py_XNewRef(type);
    packed->pack = pack;
    for (Py_ssize_t i = 0; i < n; i++)
        packed->items[i] = NULL;
    return packed;
}

typedef struct packing {
    py_state *state;
    bool computes; /* for collect(), where more kinds are looked into */
} packing;

static PyObject *packed_of(const packing *p, PyObject *object);

static bool is_found(const py_state *state, PyObject *item)
{
    return Py_TYPE(item) == state->packed_type || py_is_delayed(state, item);
}

/* A Packed for all of `parts`, with the first n of them as they are. */
static py_packed *copy_packed(py_state *state, py_pack pack, PyObject *type,
                              PyObject *parts, Py_ssize_t n)
{
    py_packed *packed =
        py_packed_new(state, pack, type, PySequence_Fast_GET_SIZE(parts));
    for (Py_ssize_t i = 0; packed && i < n; i++)
        packed->items[i] = Py_NewRef(PySequence_Fast_GET_ITEM(parts, i));
    return packed;
}

/*
 * Packs the items of `parts`, a list or a tuple that stands for `whole`: a
 * Packed when a Delayed is among them, else `whole` itself.
 */
static PyObject *pack_items(const packing *p, PyObject *whole, PyObject *parts,
                            py_pack pack, PyObject *type)
{
    py_state *state = p->state;
    py_packed *packed = NULL;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(parts);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (PySequence_Fast_GET_SIZE(parts) != n) { /* packing runs Python */
            PyErr_SetString(PyExc_RuntimeError,
                            "a list changed while Delayeds were looked for");
            Py_XDECREF(packed);
            return NULL;
        }
        PyObject *part = Py_NewRef(PySequence_Fast_GET_ITEM(parts, i));
        PyObject *item = packed_of(p, part);
        bool keep = packed || (item && (item != part || is_found(state, item)));
        Py_DECREF(part);
        if (keep && !packed)
            packed = copy_packed(state, pack, type, parts, i);
        if (!item || (keep && !packed)) {
            Py_XDECREF(item);
            Py_XDECREF(packed);
            return NULL;
        }
        if (keep)
            packed->items[i] = item;
        else
            Py_DECREF(item);
    }
    if (!packed)
        return Py_NewRef(whole);
    PyObject_GC_Track(packed);
    return (PyObject *)packed;
}

/* The same for anything that can be iterated over. */
static PyObject *pack_parts(const packing *p, PyObject *whole, PyObject *parts,
                            py_pack pack, PyObject *type)
{
    if (!parts)
        return NULL;
    PyObject *made = pack_items(p, whole, parts, pack, type);
    Py_DECREF(parts);
    return made;
}

/* key, value, key, value, … */
static PyObject *dict_parts(PyObject *dict)
{
    PyObject *parts = PyList_New(0);
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (parts && PyDict_Next(dict, &at, &key, &value)) {
        if (PyList_Append(parts, key) != 0 || PyList_Append(parts, value) != 0)
            Py_CLEAR(parts);
    }
    return parts;
}

/* An iterator is used up, and stands for what it gave. */
static PyObject *pack_iterator(const packing *p, PyObject *iterator)
{
    PyTypeObject *type = Py_TYPE(iterator);
    if (type == &PySetIter_Type && !p->computes) {
        PyObject *set = PySet_New(iterator);
        return set ? pack_parts(p, set, PySequence_List(set), PY_PACK_SET, NULL)
                   : NULL;
    }
    PyObject *list = PySequence_List(iterator);
    if (!list || type != &PyTupleIter_Type || p->computes)
        return pack_parts(p, list, Py_XNewRef(list), PY_PACK_LIST, NULL);
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return pack_parts(p, tuple, Py_XNewRef(tuple), PY_PACK_TUPLE, NULL);
}

/* The iterators of lists, tuples and sets; any, where targets are. */
static bool is_iterator(const packing *p, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (p->computes)
        return type->tp_iter && PyIter_Check(object);
    return type == &PyListIter_Type || type == &PyTupleIter_Type ||
           type == &PySetIter_Type;
}

/* Others are arguments as they are: it is said when Delayeds are in them. */
static PyObject *pack_lazy(const packing *p, PyObject *iterator)
{
    PyObject *done =
        py_call_hook("iterators", p->state->str_warn_of_iterator, &iterator, 1);
    Py_XDECREF(done);
    return done ? Py_NewRef(iterator) : NULL;
}

static bool is_lazy(PyTypeObject *type)
{
    return type == &PyGen_Type || type == &PyMap_Type || type == &PyZip_Type ||
           type == &PyFilter_Type || type == &PyEnum_Type;
}

static PyObject *pack_slice(const packing *p, PyObject *object)
{
    PySliceObject *slice = (PySliceObject *)object;
    PyObject *parts = PyTuple_Pack(3, slice->start, slice->stop, slice->step);
    return pack_parts(p, object, parts, PY_PACK_SLICE, NULL);
}

/* ---- dataclasses ---- */

/* name, value, … of the fields that are set. */
static PyObject *field_parts(PyObject *object)
{
    PyObject *module = PyImport_ImportModule("dataclasses");
    PyObject *fields =
        module ? PyObject_CallMethod(module, "fields", "O", object) : NULL;
    Py_XDECREF(module);
    PyObject *parts = fields ? PyList_New(0) : NULL;
    for (Py_ssize_t i = 0; parts && i < PyTuple_GET_SIZE(fields); i++) {
        PyObject *name =
            PyObject_GetAttrString(PyTuple_GET_ITEM(fields, i), "name");
        PyObject *value = NULL;
        int found = name ? PyObject_GetOptionalAttr(object, name, &value) : -1;
        if (found < 0 || (value && (PyList_Append(parts, name) != 0 ||
                                    PyList_Append(parts, value) != 0)))
            Py_CLEAR(parts);
        Py_XDECREF(value);
        Py_XDECREF(name);
    }
    Py_XDECREF(fields);
    return parts;
}

/* Whether dataclasses.replace refused a field that __init__ doesn't take: by a
 * ValueError, and since 3.13 by a TypeError that says so. */
static bool is_no_init(PyObject *cause)
{
    if (PyErr_GivenExceptionMatches(cause, PyExc_ValueError))
        return true;
    PyObject *text = PyObject_Str(cause);
    PyObject *word = text ? PyUnicode_FromString("init=False") : NULL;
    bool found = word && PyUnicode_Contains(text, word) > 0;
    Py_XDECREF(word);
    Py_XDECREF(text);
    PyErr_Clear();
    return found;
}

/* Says why a dataclass can't be made anew from its fields. */
static void explain_dataclass(PyObject *type)
{
    PyObject *cause = PyErr_GetRaisedException();
    const char *why = NULL;
    PyObject *kind = NULL;
    if (is_no_init(cause)) {
        kind = PyExc_ValueError;
        why = "using fields with `init=False` are not supported";
    } else if (PyErr_GivenExceptionMatches(cause, PyExc_TypeError)) {
        kind = PyExc_TypeError;
        why = "using a custom __init__ is not supported";
    }
    if (!why) {
        PyErr_SetRaisedException(cause);
        return;
    }
    PyErr_Format(kind, "Failed to unpack %R instance. Note that %s.", type,
                 why);
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetCause(error, cause);
    PyErr_SetRaisedException(error);
}

/* Whether its class makes it from its fields: tried with those it has. */
static int check_dataclass(PyObject *object, PyObject *parts)
{
    PyObject *module = PyImport_ImportModule("dataclasses");
    PyObject *replace =
        module ? PyObject_GetAttrString(module, "replace") : NULL;
    PyObject *args = replace ? PyTuple_Pack(1, object) : NULL;
    PyObject *fields = args ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0; fields && i < PyList_GET_SIZE(parts); i += 2) {
        if (PyDict_SetItem(fields, PyList_GET_ITEM(parts, i),
                           PyList_GET_ITEM(parts, i + 1)) != 0)
            Py_CLEAR(fields);
    }
    PyObject *copy = fields ? PyObject_Call(replace, args, fields) : NULL;
    if (fields && !copy)
        explain_dataclass((PyObject *)Py_TYPE(object));
    int status = copy ? 0 : -1;
    Py_XDECREF(copy);
    Py_XDECREF(fields);
    Py_XDECREF(args);
    Py_XDECREF(replace);
    Py_XDECREF(module);
    return status;
}

static PyObject *pack_dataclass(const packing *p, PyObject *object)
{
    PyObject *parts = field_parts(object);
    if (!parts)
        return NULL;
    PyObject *made = pack_items(p, object, parts, PY_PACK_DATACLASS,
                                (PyObject *)Py_TYPE(object));
    if (made && made != object && check_dataclass(object, parts) != 0)
        Py_CLEAR(made);
    Py_DECREF(parts);
    return made;
}

/* ---- any object ---- */

static bool is_namedtuple(py_state *state, PyTypeObject *type)
{
    return PyType_IsSubtype(type, &PyTuple_Type) &&
           py_type_lookup(type, state->str__fields) &&
           py_type_lookup(type, state->str__make);
}

/* An object of a class that somebody defined. */
static PyObject *pack_other(const packing *p, PyObject *object)
{
    py_state *state = p->state;
    PyTypeObject *type = Py_TYPE(object);
    if (py_type_lookup(type, state->str___dataclass_fields__))
        return pack_dataclass(p, object);
    if (is_namedtuple(state, type))
        return pack_items(p, object, object, PY_PACK_NAMED, (PyObject *)type);
    if (py_type_lookup(type, state->str___dask_graph__))
        return py_call_hook("collection", state->str_from_collection, &object,
                            1);
    return is_iterator(p, object) ? pack_iterator(p, object)
                                  : Py_NewRef(object);
}

/* Its order is not that of the dict that it is. */
static PyObject *pack_ordered(const packing *p, PyObject *object)
{
    PyObject *dict = PyObject_CallOneArg((PyObject *)&PyDict_Type, object);
    PyObject *parts = dict ? dict_parts(dict) : NULL;
    Py_XDECREF(dict);
    return pack_parts(p, object, parts, PY_PACK_DICT,
                      (PyObject *)&PyODict_Type);
}

static PyObject *pack(const packing *p, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (type == &PyList_Type)
        return pack_items(p, object, object, PY_PACK_LIST, NULL);
    if (type == &PyTuple_Type)
        return pack_items(p, object, object, PY_PACK_TUPLE, NULL);
    if (type == &PyDict_Type)
        return pack_parts(p, object, dict_parts(object), PY_PACK_DICT, NULL);
    if (p->computes && type == &PyODict_Type)
        return pack_ordered(p, object);
    if (type == &PySet_Type)
        return pack_parts(p, object, PySequence_List(object), PY_PACK_SET,
                          NULL);
    if (type == &PySlice_Type)
        return pack_slice(p, object);
    if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
        return pack_other(p, object);
    if (is_iterator(p, object))
        return pack_iterator(p, object);
    return is_lazy(type) ? pack_lazy(p, object) : Py_NewRef(object);
}

static PyObject *packed_of(const packing *p, PyObject *object)
{
    if (py_is_delayed(p->state, object) || !PyType_IS_GC(Py_TYPE(object)))
        return Py_NewRef(object);
    if (Py_EnterRecursiveCall(" in a nested container"))
        return NULL;
    PyObject *made = pack(p, object);
    Py_LeaveRecursiveCall();
    return made;
}

PyObject *py_packed_of(py_state *state, PyObject *object)
{
    packing p = { .state = state };
    return packed_of(&p, object);
}

PyObject *py_packed_of_targets(py_state *state, PyObject *object)
{
    packing p = { .state = state, .computes = true };
    return packed_of(&p, object);
}

int py_collect_setup(PyObject *module, py_state *state)
{
    state->packed_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &py_packed_spec, NULL);
    return state->packed_type ? 0 : -1;
}
