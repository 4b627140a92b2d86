/* SPDX-License-Identifier: BSD-3-Clause */
/* pickle.c: flat lists of tasks, and back. */
#include "pickle.h"

#include "collect.h"
#include "lower.h"

/* ---- taking apart ---- */

/* A task as a tuple, in which Delayeds are Refs to numbers. */
typedef struct numbering {
    py_state *state;
    PyObject *tasks;   /* list of tuples */
    PyObject *numbers; /* dict: address -> number */
    py_walk walk;
} numbering;

static PyObject *number_of(numbering *n, PyObject *delayed);

/* A Ref of something: takes it. */
static PyObject *new_ref(const numbering *n, PyObject *of)
{
    PyObject *ref =
        of ? PyObject_CallOneArg((PyObject *)n->state->ref_type, of) : NULL;
    Py_XDECREF(of);
    return ref;
}

static PyObject *encode(numbering *n, PyObject *item);

/* (what it is, its class or None, (items…)) */
static PyObject *encode_packed(numbering *n, const py_packed *packed)
{
    PyObject *items = PyTuple_New(Py_SIZE(packed));
    for (Py_ssize_t i = 0; items && i < Py_SIZE(packed); i++) {
        PyObject *item = encode(n, packed->items[i]);
        if (item)
            PyTuple_SET_ITEM(items, i, item);
        else
            Py_CLEAR(items);
    }
    PyObject *tuple =
        items ? Py_BuildValue("(IOO)", (unsigned)packed->pack,
                              packed->type ? packed->type : Py_None, items)
              : NULL;
    Py_XDECREF(items);
    return tuple;
}

/* A Delayed is a Ref of its number, a Packed one of a tuple. */
static PyObject *encode(numbering *n, PyObject *item)
{
    if (py_is_delayed(n->state, item))
        return new_ref(n, number_of(n, item));
    if (Py_TYPE(item) != n->state->packed_type)
        return Py_NewRef(item);
    if (Py_EnterRecursiveCall(" in a nested container"))
        return NULL;
    PyObject *made = new_ref(n, encode_packed(n, (py_packed *)item));
    Py_LeaveRecursiveCall();
    return made;
}

static PyObject *cold_tuple(const py_cold *cold)
{
    if (!cold)
        Py_RETURN_NONE;
    return Py_BuildValue("(OOniiLd)", cold->key ? cold->key : Py_None,
                         cold->annotations ? cold->annotations : Py_None,
                         cold->nout, (int)cold->pure,
                         (int)cold->passes_failures, (long long)cold->retries,
                         cold->timeout);
}

static PyObject *items_tuple(numbering *n, const py_delayed_object *task)
{
    PyObject *items = PyTuple_New(Py_SIZE(task));
    for (Py_ssize_t i = 0; items && i < Py_SIZE(task); i++) {
        PyObject *item = task->kind == PY_LEAF ? Py_NewRef(task->items[i])
                                               : encode(n, task->items[i]);
        if (item)
            PyTuple_SET_ITEM(items, i, item);
        else
            Py_CLEAR(items);
    }
    return items;
}

static PyObject *func_of(numbering *n, const py_delayed_object *task)
{
    if (task->kind == PY_CALL)
        return new_ref(n, number_of(n, task->func));
    return Py_NewRef(task->func ? task->func : Py_None);
}

/* The name under which a leaf can be found again, of a decorated function of a
 * module; NULL without an exception: it has none. What is in __main__ is not
 * there in another process. */
static PyObject *name_of_leaf(const py_delayed_object *leaf)
{
    PyObject *object = leaf->items[0];
    if (leaf->kind != PY_LEAF || !PyFunction_Check(object))
        return NULL;
    PyObject *module_name = ((PyFunctionObject *)object)->func_module;
    PyObject *name = ((PyFunctionObject *)object)->func_qualname;
    if (!module_name || !PyUnicode_Check(module_name) ||
        PyUnicode_CompareWithASCIIString(module_name, "__main__") == 0)
        return NULL;
    PyObject *module = PyImport_GetModule(module_name);
    PyObject *found = NULL;
    if (!module || PyObject_GetOptionalAttr(module, name, &found) < 0)
        PyErr_Clear();
    Py_XDECREF(module);
    bool is_same = found == (PyObject *)leaf;
    Py_XDECREF(found);
    return is_same ? Py_NewRef(name) : NULL;
}

static PyObject *task_tuple(numbering *n, const py_delayed_object *task)
{
    PyObject *name = name_of_leaf(task);
    if (name) {
        Py_DECREF(name);
        return Py_NewRef((PyObject *)task); /* pickled by its name */
    }
    PyObject *func = func_of(n, task);
    PyObject *items = func ? items_tuple(n, task) : NULL;
    PyObject *cold = items ? cold_tuple(task->cold) : NULL;
    PyObject *tuple =
        cold ? Py_BuildValue("(BBOOOO)", task->kind,
                             task->flags & (PY_PURE | PY_HAS_INPUTS), func,
                             items, task->kwnames ? task->kwnames : Py_None,
                             cold)
             : NULL;
    Py_XDECREF(cold);
    Py_XDECREF(items);
    Py_XDECREF(func);
    return tuple;
}

static int add_task(numbering *n, py_delayed_object *task)
{
    PyObject *address = PyLong_FromVoidPtr(task);
    PyObject *tuple = address ? task_tuple(n, task) : NULL;
    PyObject *number =
        tuple ? PyLong_FromSsize_t(PyList_GET_SIZE(n->tasks)) : NULL;
    int status = -1;
    if (number && PyList_Append(n->tasks, tuple) == 0)
        status = PyDict_SetItem(n->numbers, address, number);
    Py_XDECREF(number);
    Py_XDECREF(tuple);
    Py_XDECREF(address);
    return status;
}

/* A leaf that nobody has listed is listed now. */
static PyObject *number_of(numbering *n, PyObject *delayed)
{
    PyObject *address = PyLong_FromVoidPtr(delayed);
    if (!address)
        return NULL;
    PyObject *number = PyDict_GetItemWithError(n->numbers, address);
    if (!number && !PyErr_Occurred() &&
        add_task(n, (py_delayed_object *)delayed) == 0)
        number = PyDict_GetItemWithError(n->numbers, address);
    Py_DECREF(address);
    return Py_XNewRef(number);
}

/* The tuples of what `self` needs, and itself, as the last. */
static PyObject *flatten(py_state *state, py_delayed_object *self)
{
    numbering n = { .state = state };
    n.tasks = PyList_New(0);
    n.numbers = PyDict_New();
    int status = n.tasks && n.numbers ? 0 : -1;
    py_walk_init(&n.walk, state);
    if (status == 0)
        status = py_walk_add(&n.walk, self);
    for (uint32_t i = 0; i < n.walk.n && status == 0; i++)
        status = add_task(&n, n.walk.tasks[i]);
    if (status == 0 && self->kind == PY_LEAF)
        status = add_task(&n, self);
    py_walk_fini(&n.walk);
    Py_XDECREF(n.numbers);
    if (status != 0)
        Py_CLEAR(n.tasks);
    return n.tasks;
}

PyObject *py_delayed_reduce(PyObject *op, PyObject *protocol)
{
    (void)protocol;
    py_state *state = py_state_of(op);
    py_delayed_object *self = (py_delayed_object *)op;
    PyObject *name = name_of_leaf(self);
    if (name)
        return name;                  /* pickle looks it up in the module */
    if (!py_delayed_key(state, self)) /* it stays the same task */
        return NULL;
    PyObject *tasks = flatten(state, self);
    PyObject *restore =
        tasks ? PyObject_GetAttrString(state->module, "_restore") : NULL;
    PyObject *reduced =
        restore ? Py_BuildValue("(O(OO))", restore, Py_TYPE(op), tasks) : NULL;
    Py_XDECREF(restore);
    Py_XDECREF(tasks);
    return reduced;
}

/* ---- putting together ---- */

static int restore_cold(py_delayed_object *self, PyObject *tuple)
{
    if (tuple == Py_None)
        return 0;
    py_cold *cold = py_delayed_cold(self);
    PyObject *key, *annotations;
    int pure, passes;
    long long retries;
    if (!cold ||
        !PyArg_ParseTuple(tuple, "OOniiLd", &key, &annotations, &cold->nout,
                          &pure, &passes, &retries, &cold->timeout))
        return -1;
    cold->pure = (int8_t)pure;
    cold->passes_failures = passes;
    cold->retries = retries;
    cold->key = key == Py_None ? NULL : Py_NewRef(key);
    cold->annotations = annotations == Py_None ? NULL : Py_NewRef(annotations);
    return 0;
}

static PyObject *decode(py_state *state, PyObject *item, PyObject *made);

static PyObject *decode_packed(py_state *state, PyObject *tuple, PyObject *made)
{
    unsigned pack;
    PyObject *type, *items;
    if (!PyArg_ParseTuple(tuple, "IOO!", &pack, &type, &PyTuple_Type, &items))
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    bool is_sound =
        pack <= PY_PACK_DATACLASS && (pack != PY_PACK_SLICE || n == 3) &&
        ((pack != PY_PACK_DICT && pack != PY_PACK_DATACLASS) || n % 2 == 0);
    if (!is_sound) {
        PyErr_SetString(PyExc_ValueError, "no pickle of a Delayed");
        return NULL;
    }
    py_packed *packed =
        py_packed_new(state, (py_pack)pack, type == Py_None ? NULL : type, n);
    for (Py_ssize_t i = 0; packed && i < n; i++) {
        packed->items[i] = decode(state, PyTuple_GET_ITEM(items, i), made);
        if (!packed->items[i])
            Py_CLEAR(packed);
    }
    if (packed)
        PyObject_GC_Track(packed);
    return (PyObject *)packed;
}

static PyObject *decode_ref(py_state *state, PyObject *ref, PyObject *made)
{
    PyObject *of = PyObject_GetAttrString(ref, "key");
    if (!of)
        return NULL;
    PyObject *item = NULL;
    if (PyTuple_Check(of) && Py_EnterRecursiveCall(" in a pickle") == 0) {
        item = decode_packed(state, of, made);
        Py_LeaveRecursiveCall();
    } else if (!PyTuple_Check(of)) {
        item = PyObject_GetItem(made, of);
    }
    Py_DECREF(of);
    return item;
}

static PyObject *decode(py_state *state, PyObject *item, PyObject *made)
{
    return Py_TYPE(item) == state->ref_type ? decode_ref(state, item, made)
                                            : Py_NewRef(item);
}

/* What the kind of a task says of its parts. */
static bool is_sound(py_state *state, unsigned kind, PyObject *func,
                     Py_ssize_t n, Py_ssize_t n_keywords)
{
    switch ((py_kind)kind) {
    case PY_LEAF:
    case PY_CONTAINER:
        return n == 1 && n_keywords == 0;
    case PY_ATTR:
        return n == 1 && n_keywords == 0 && PyUnicode_Check(func);
    case PY_METHOD:
        return n - n_keywords >= 1 && PyUnicode_Check(func);
    case PY_APPLY:
        return n - n_keywords >= 1;
    case PY_CALL:
        return n >= n_keywords && py_is_delayed(state, func) &&
               ((py_delayed_object *)func)->kind == PY_LEAF;
    case PY_OPERATOR:
        return n_keywords == 0 && PyCallable_Check(func);
    }
    return false;
}

/* Fills a task's items from the tuple. */
static int decode_items(py_state *state, py_delayed_object *self,
                        PyObject *items, PyObject *made)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        self->items[i] =
            self->kind == PY_LEAF ? Py_NewRef(item) : decode(state, item, made);
        if (!self->items[i])
            return -1;
        if (PyType_IS_GC(Py_TYPE(self->items[i])))
            self->flags |= PY_CYCLIC;
    }
    return 0;
}

static PyObject *restore_task(py_state *state, PyObject *tuple, PyObject *made)
{
    unsigned char kind, flags;
    PyObject *func, *items, *kwnames, *cold;
    if (py_is_delayed(state, tuple))
        return Py_NewRef(tuple);
    if (!PyArg_ParseTuple(tuple, "BBOO!OO", &kind, &flags, &func, &PyTuple_Type,
                          &items, &kwnames, &cold))
        return NULL;
    func = decode(state, func, made);
    if (!func)
        return NULL;
    Py_ssize_t n_keywords =
        PyTuple_Check(kwnames) ? PyTuple_GET_SIZE(kwnames) : 0;
    py_delayed_object *self = NULL;
    if (is_sound(state, kind, func, PyTuple_GET_SIZE(items), n_keywords))
        self =
            py_delayed_new(state, (py_kind)kind, func == Py_None ? NULL : func,
                           PyTuple_GET_SIZE(items));
    else
        PyErr_SetString(PyExc_ValueError, "no pickle of a Delayed");
    Py_DECREF(func);
    if (!self)
        return NULL;
    self->flags |= flags & (PY_PURE | PY_HAS_INPUTS);
    if (n_keywords)
        self->kwnames = Py_NewRef(kwnames);
    if (decode_items(state, self, items, made) != 0 ||
        restore_cold(self, cold) != 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (self->flags & PY_CYCLIC)
        PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *py_restore(PyObject *module, PyObject *args)
{
    py_state *state = py_state_of_module(module);
    PyObject *type, *tasks;
    if (!PyArg_ParseTuple(args, "O!O!:_restore", &PyType_Type, &type,
                          &PyList_Type, &tasks))
        return NULL;
    PyObject *made = PyList_New(0);
    PyObject *last = NULL;
    for (Py_ssize_t i = 0; made && i < PyList_GET_SIZE(tasks); i++) {
        PyObject *task = restore_task(state, PyList_GET_ITEM(tasks, i), made);
        if (!task || PyList_Append(made, task) != 0)
            Py_CLEAR(made);
        Py_XSETREF(last, task);
    }
    if (!made)
        Py_CLEAR(last);
    Py_XDECREF(made);
    if (!last || type == (PyObject *)state->delayed_type)
        return last;
    PyObject *op = py_delayed_as(state, (PyTypeObject *)type, last);
    Py_DECREF(last);
    return op;
}
