/* SPDX-License-Identifier: BSD-3-Clause */
/* view.c: graphs as Python sees them: keys, functions, arguments. */
#include "collect.h"
#include "lower.h"

/* ---- Ref and Method ---- */

/* An object that holds one other. */
typedef struct holder {
    PyObject_HEAD PyObject *held;
} holder;

static int traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((holder *)op)->held);
    return 0;
}

static void dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((holder *)op)->held);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *new_holder(PyTypeObject *type, PyObject *args,
                            PyObject *kwargs)
{
    PyObject *held;
    if (kwargs && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "no keyword arguments are taken");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O", &held))
        return NULL;
    PyObject *op = type->tp_alloc(type, 0);
    if (op)
        ((holder *)op)->held = Py_NewRef(held);
    return op;
}

static PyObject *repr(PyObject *op)
{
    PyObject *name = PyType_GetName(Py_TYPE(op));
    PyObject *text =
        name ? PyUnicode_FromFormat("%U(%R)", name, ((holder *)op)->held)
             : NULL;
    Py_XDECREF(name);
    return text;
}

static PyObject *compare(PyObject *left, PyObject *right, int op)
{
    if (Py_TYPE(left) != Py_TYPE(right))
        Py_RETURN_NOTIMPLEMENTED;
    return PyObject_RichCompare(((holder *)left)->held, ((holder *)right)->held,
                                op);
}

static Py_hash_t hash(PyObject *op)
{
    return PyObject_Hash(((holder *)op)->held);
}

static PyObject *reduce(PyObject *op, PyObject *unused)
{
    (void)unused;
    return Py_BuildValue("(O(O))", Py_TYPE(op), ((holder *)op)->held);
}

static PyMethodDef methods[] = {
    { "__reduce__", reduce, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyMemberDef ref_members[] = {
    { "key", T_OBJECT, offsetof(holder, held), READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyMemberDef method_members[] = {
    { "method", T_OBJECT, offsetof(holder, held), READONLY, NULL },
    { "__name__", T_OBJECT, offsetof(holder, held), READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

/* Method(name)(obj, *args, **kwargs) */
static PyObject *method_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) == 0) {
        PyErr_SetString(PyExc_TypeError, "an object is needed");
        return NULL;
    }
    PyObject *fn =
        PyObject_GetAttr(PyTuple_GET_ITEM(args, 0), ((holder *)op)->held);
    PyObject *rest =
        fn ? PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)) : NULL;
    PyObject *result = rest ? PyObject_Call(fn, rest, kwargs) : NULL;
    Py_XDECREF(rest);
    Py_XDECREF(fn);
    return result;
}

#define HOLDER_SLOTS(members)                                 \
    { Py_tp_new, new_holder }, { Py_tp_dealloc, dealloc },    \
        { Py_tp_traverse, traverse }, { Py_tp_repr, repr },   \
        { Py_tp_richcompare, compare }, { Py_tp_hash, hash }, \
        { Py_tp_methods, methods },                           \
    {                                                         \
        Py_tp_members, members                                \
    }

static PyType_Slot ref_slots[] = {
    HOLDER_SLOTS(ref_members),
    { 0, NULL },
};

static PyType_Slot method_slots[] = {
    HOLDER_SLOTS(method_members),
    { Py_tp_call, method_call },
    { 0, NULL },
};

#define HOLDER_FLAGS \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE)

static PyType_Spec ref_spec = {
    .name = "plait._core.Ref",
    .basicsize = sizeof(holder),
    .flags = HOLDER_FLAGS,
    .slots = ref_slots,
};

static PyType_Spec method_spec = {
    .name = "plait._core.Method",
    .basicsize = sizeof(holder),
    .flags = HOLDER_FLAGS,
    .slots = method_slots,
};

/* ---- graph() ---- */

static PyObject *as_ref(PyObject *delayed, void *user)
{
    py_state *state = user;
    PyObject *key = py_delayed_key(state, (py_delayed_object *)delayed);
    return key ? PyObject_CallOneArg((PyObject *)state->ref_type, key) : NULL;
}

/* What a task calls, as an object. */
static PyObject *function_of(py_state *state, const py_delayed_object *task)
{
    switch ((py_kind)task->kind) {
    case PY_LEAF:
    case PY_CONTAINER:
        Py_RETURN_NONE;
    case PY_CALL:
        return Py_NewRef(((py_delayed_object *)task->func)->items[0]);
    case PY_METHOD:
        return PyObject_CallOneArg((PyObject *)state->method_type, task->func);
    case PY_ATTR: {
        PyObject *builtins = PyEval_GetBuiltins();
        return Py_XNewRef(
            PyDict_GetItemWithError(builtins, state->str_getattr));
    }
    case PY_OPERATOR:
        return Py_NewRef(task->func);
    case PY_APPLY:
        return as_ref(task->items[0], state);
    }
    Py_UNREACHABLE();
}

/* The positional arguments, items [from, to). */
static PyObject *args_of(py_state *state, const py_delayed_object *task,
                         Py_ssize_t from, Py_ssize_t to)
{
    bool is_attribute = task->kind == PY_ATTR;
    PyObject *args = PyTuple_New(to - from + is_attribute);
    for (Py_ssize_t i = from; args && i < to; i++) {
        PyObject *value =
            task->kind == PY_LEAF
                ? Py_NewRef(task->items[i])
                : py_packed_fill(state, task->items[i], as_ref, state);
        if (value)
            PyTuple_SET_ITEM(args, i - from, value);
        else
            Py_CLEAR(args);
    }
    if (args && is_attribute)
        PyTuple_SET_ITEM(args, to - from, Py_NewRef(task->func));
    return args;
}

static PyObject *kwargs_of(py_state *state, const py_delayed_object *task,
                           Py_ssize_t from)
{
    PyObject *kwargs = PyDict_New();
    for (Py_ssize_t i = from; kwargs && i < Py_SIZE(task); i++) {
        PyObject *value = py_packed_fill(state, task->items[i], as_ref, state);
        if (!value ||
            PyDict_SetItem(kwargs, PyTuple_GET_ITEM(task->kwnames, i - from),
                           value) != 0)
            Py_CLEAR(kwargs);
        Py_XDECREF(value);
    }
    return kwargs;
}

static PyObject *node_of(py_state *state, const py_delayed_object *task)
{
    Py_ssize_t n_keywords = task->kwnames ? PyTuple_GET_SIZE(task->kwnames) : 0;
    Py_ssize_t to = Py_SIZE(task) - n_keywords;
    PyObject *func = function_of(state, task);
    PyObject *args =
        func ? args_of(state, task, task->kind == PY_APPLY, to) : NULL;
    PyObject *kwargs = args ? kwargs_of(state, task, to) : NULL;
    PyObject *node = kwargs ? PyTuple_Pack(3, func, args, kwargs) : NULL;
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    Py_XDECREF(func);
    return node;
}

static int add_node(py_state *state, PyObject *graph, py_delayed_object *task)
{
    PyObject *key = py_delayed_key(state, task);
    if (!key)
        return -1;
    int known = PyDict_Contains(graph, key);
    if (known)
        return known < 0 ? -1 : 0;
    PyObject *node = node_of(state, task);
    int status = node ? PyDict_SetItem(graph, key, node) : -1;
    Py_XDECREF(node);
    return status;
}

typedef struct leaf_visit {
    py_state *state;
    PyObject *graph;
} leaf_visit;

/* Leaves are nodes here, before what uses them. */
static int add_leaf(PyObject *delayed, void *user)
{
    const leaf_visit *visit = user;
    py_delayed_object *task = (py_delayed_object *)delayed;
    return task->kind == PY_LEAF ? add_node(visit->state, visit->graph, task)
                                 : 0;
}

static int add_task(py_state *state, PyObject *graph, py_delayed_object *task)
{
    leaf_visit visit = { state, graph };
    for (Py_ssize_t i = 0; task->kind != PY_LEAF && i < Py_SIZE(task); i++) {
        if (py_packed_each(state, task->items[i], add_leaf, &visit) != 0)
            return -1;
    }
    return add_node(state, graph, task);
}

static int add_targets(py_state *state, PyObject *graph, PyObject *targets)
{
    py_walk walk;
    py_walk_init(&walk, state);
    int status = 0;
    Py_ssize_t n = PyList_GET_SIZE(targets);
    for (Py_ssize_t i = 0; i < n && status == 0; i++)
        status = py_walk_add(&walk,
                             (py_delayed_object *)PyList_GET_ITEM(targets, i));
    for (uint32_t i = 0; i < walk.n && status == 0; i++)
        status = add_task(state, graph, walk.tasks[i]);
    for (Py_ssize_t i = 0; i < n && status == 0; i++)
        status = add_leaf(PyList_GET_ITEM(targets, i),
                          &(leaf_visit){ state, graph });
    py_walk_fini(&walk);
    return status;
}

/* A list of Delayeds, from any sequence. */
PyObject *py_delayed_list(py_state *state, PyObject *targets)
{
    PyObject *list = PySequence_List(targets);
    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(list); i++) {
        if (py_is_delayed(state, PyList_GET_ITEM(list, i)))
            continue;
        PyErr_Format(PyExc_TypeError, "item %zd is no Delayed", i);
        Py_CLEAR(list);
    }
    return list;
}

PyObject *py_graph(PyObject *module, PyObject *targets)
{
    py_state *state = py_state_of_module(module);
    PyObject *list = py_delayed_list(state, targets);
    PyObject *graph = list ? PyDict_New() : NULL;
    if (graph && add_targets(state, graph, list) != 0)
        Py_CLEAR(graph);
    Py_XDECREF(list);
    return graph;
}

/* ---- of one task ---- */

static py_delayed_object *delayed_of(py_state *state, PyObject *object)
{
    if (py_is_delayed(state, object))
        return (py_delayed_object *)object;
    PyErr_Format(PyExc_TypeError, "a Delayed is needed, not %.100s",
                 Py_TYPE(object)->tp_name);
    return NULL;
}

static int add_unique(PyObject *delayed, void *user)
{
    PyObject *unique = user;
    if (((py_delayed_object *)delayed)->kind == PY_LEAF)
        return 0;
    PyObject *address = PyLong_FromVoidPtr(delayed);
    int status = address ? PyDict_SetItem(unique, address, delayed) : -1;
    Py_XDECREF(address);
    return status;
}

PyObject *py_dependencies(PyObject *module, PyObject *op)
{
    py_state *state = py_state_of_module(module);
    py_delayed_object *task = delayed_of(state, op);
    PyObject *unique = task ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0; unique && task->kind != PY_LEAF && i < Py_SIZE(task);
         i++) {
        if (py_packed_each(state, task->items[i], add_unique, unique) != 0)
            Py_CLEAR(unique);
    }
    PyObject *list = unique ? PyDict_Values(unique) : NULL;
    Py_XDECREF(unique);
    return list;
}

PyObject *py_label(PyObject *module, PyObject *op)
{
    py_state *state = py_state_of_module(module);
    py_delayed_object *task = delayed_of(state, op);
    return task ? py_delayed_label(state, task) : NULL;
}

static int put(PyObject *dict, const char *name, PyObject *value)
{
    int status = value ? PyDict_SetItemString(dict, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

static int put_options(PyObject *dict, const py_cold *cold)
{
    if (!cold)
        return 0;
    if (cold->retries >= 0 &&
        put(dict, "retries", PyLong_FromLongLong(cold->retries)) != 0)
        return -1;
    if (cold->timeout > 0 &&
        put(dict, "timeout", PyFloat_FromDouble(cold->timeout)) != 0)
        return -1;
    if (cold->passes_failures &&
        put(dict, "on_failure", PyUnicode_FromString("pass")) != 0)
        return -1;
    if (cold->annotations)
        return put(dict, "annotations", Py_NewRef(cold->annotations));
    return 0;
}

PyObject *py_options(PyObject *module, PyObject *op)
{
    py_state *state = py_state_of_module(module);
    py_delayed_object *task = delayed_of(state, op);
    PyObject *dict = task ? PyDict_New() : NULL;
    if (!dict)
        return NULL;
    const py_cold *of_function =
        task->kind == PY_CALL ? ((py_delayed_object *)task->func)->cold : NULL;
    if (put_options(dict, of_function) != 0 ||
        put_options(dict, task->cold) != 0)
        Py_CLEAR(dict);
    return dict;
}

int py_graph_setup(PyObject *module, py_state *state)
{
    state->ref_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &ref_spec, NULL);
    state->method_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &method_spec, NULL);
    if (!state->ref_type || !state->method_type ||
        PyModule_AddType(module, state->ref_type) != 0)
        return -1;
    return PyModule_AddType(module, state->method_type);
}
