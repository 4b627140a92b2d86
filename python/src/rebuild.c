/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rebuild.c: collect(): the Delayeds in containers, and an object that makes
 * the containers anew with results in their places. Places are met in the same
 * order both times, so that a number for each is all there is to keep.
 */
#include "collect.h"
#include "lower.h"

typedef struct rebuild_object {
    PyObject_HEAD vectorcallfunc vectorcall;
    PyObject *item;
    uint32_t *indices; /* of results, by place */
    size_t n_places;
    size_t room;
} rebuild_object;

/* ---- finding ---- */

typedef struct finding {
    py_walk walk; /* its list has the Delayeds that were found */
    rebuild_object *rebuild;
} finding;

static int add_place(rebuild_object *self, uint32_t index)
{
    if (self->n_places == self->room) {
        size_t room = self->room ? 2 * self->room : 16;
        uint32_t *indices =
            PyMem_RawRealloc(self->indices, room * sizeof *indices);
        if (!indices) {
            PyErr_NoMemory();
            return -1;
        }
        self->indices = indices;
        self->room = room;
    }
    self->indices[self->n_places++] = index;
    return 0;
}

static int find(PyObject *delayed, void *user)
{
    finding *f = user;
    py_delayed_object *found = (py_delayed_object *)delayed;
    if (py_walk_note(&f->walk, found) != 0)
        return -1;
    return add_place(f->rebuild, found->mark);
}

static PyObject *list_of(const py_walk *walk)
{
    PyObject *list = PyList_New(walk->n);
    for (uint32_t i = 0; list && i < walk->n; i++)
        PyList_SET_ITEM(list, i, Py_NewRef((PyObject *)walk->tasks[i]));
    return list;
}

/* ---- making anew ---- */

typedef struct placing {
    const rebuild_object *rebuild;
    PyObject *results; /* a list or a tuple */
    size_t at;
} placing;

static PyObject *next_result(PyObject *delayed, void *user)
{
    (void)delayed;
    placing *p = user;
    Py_ssize_t i = p->rebuild->indices[p->at++];
    if (i < PySequence_Fast_GET_SIZE(p->results))
        return Py_NewRef(PySequence_Fast_GET_ITEM(p->results, i));
    PyErr_SetString(PyExc_ValueError, "there are fewer results than Delayeds");
    return NULL;
}

static PyObject *rebuild_call(PyObject *op, PyObject *const *args,
                              size_t nargsf, PyObject *kwnames)
{
    const rebuild_object *self = (rebuild_object *)op;
    if (PyVectorcall_NARGS(nargsf) != 1 || kwnames) {
        PyErr_SetString(PyExc_TypeError, "one argument is needed: the results");
        return NULL;
    }
    placing p = { .rebuild = self };
    p.results = PySequence_Fast(args[0], "the results are no sequence");
    PyObject *made =
        p.results ? py_packed_fill(py_state_of(op), self->item, next_result, &p)
                  : NULL;
    Py_XDECREF(p.results);
    return made;
}

/* ---- the object ---- */

static int traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((rebuild_object *)op)->item);
    return 0;
}

static void dealloc(PyObject *op)
{
    rebuild_object *self = (rebuild_object *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_XDECREF(self->item);
    PyMem_RawFree(self->indices);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    PY_OFFSET_MEMBER("__vectorcalloffset__",
                     offsetof(rebuild_object, vectorcall)),
    { NULL, 0, 0, 0, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_dealloc, dealloc },
    { Py_tp_traverse, traverse },
    { Py_tp_call, PyVectorcall_Call },
    { Py_tp_members, members },
    { 0, NULL },
};

static PyType_Spec spec = {
    .name = "plait._core.Rebuild",
    .basicsize = sizeof(rebuild_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

/* Takes the item, which may be NULL. */
static rebuild_object *new_rebuild(py_state *state, PyObject *item)
{
    rebuild_object *self =
        item ? PyObject_GC_New(rebuild_object, state->rebuild_type) : NULL;
    if (!self) {
        Py_XDECREF(item);
        return NULL;
    }
    self->vectorcall = rebuild_call;
    self->item = item;
    self->indices = NULL;
    self->n_places = 0;
    self->room = 0;
    PyObject_GC_Track(self);
    return self;
}

PyObject *py_collect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "obj", "traverse", NULL };
    py_state *state = py_state_of_module(module);
    PyObject *object;
    int traverses = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|p:collect", names,
                                     &object, &traverses))
        return NULL;
    finding f;
    f.rebuild =
        new_rebuild(state, traverses ? py_packed_of_targets(state, object)
                                     : Py_NewRef(object));
    if (!f.rebuild)
        return NULL;
    py_walk_init(&f.walk, state);
    PyObject *list = NULL;
    if (py_packed_each(state, f.rebuild->item, find, &f) == 0)
        list = list_of(&f.walk);
    py_walk_fini(&f.walk);
    PyObject *both = list ? PyTuple_Pack(2, list, (PyObject *)f.rebuild) : NULL;
    Py_XDECREF(list);
    Py_DECREF(f.rebuild);
    return both;
}

int py_rebuild_setup(PyObject *module, py_state *state)
{
    state->rebuild_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->rebuild_type ? 0 : -1;
}
