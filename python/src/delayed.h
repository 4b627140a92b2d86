/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * delayed.h: the type Delayed.
 *
 * One object, one allocation: the arguments lie inside. What few tasks have (a
 * key that somebody asked for, options) is in a block made when needed. A
 * Delayed never changes once it is made, but for that block's cached key, and
 * `mark`, which is for whoever walks the graph (see lower.h).
 *
 * It is born untracked by Python's collector when nothing in it can make a
 * cycle: its arguments are not collected themselves, or are tuples or Delayeds
 * that are untracked, and its function is that of an imported module and has
 * no closure. A million such objects cost the collector nothing.
 */
#ifndef PY_DELAYED_H
#define PY_DELAYED_H

#include "module.h"

typedef enum py_kind {
    PY_LEAF,      /* items: the object */
    PY_CALL,      /* func: a leaf; items: arguments, then keyword values */
    PY_METHOD,    /* func: the name; items: the object, arguments, keywords */
    PY_ATTR,      /* func: the name; items: the object */
    PY_OPERATOR,  /* func: a function of module operator; items: operands */
    PY_APPLY,     /* items: the function, a Delayed; arguments, keywords */
    PY_CONTAINER, /* items: what to rebuild, a Packed */
} py_kind;

/* An item is a Delayed or a Packed. */
#define PY_HAS_INPUTS (1u << 0)
/* Something in it can make a cycle. */
#define PY_CYCLIC (1u << 1)
/* It was in a computation. */
#define PY_LOWERED (1u << 2)
/* Its key is made of its arguments; else it is like no other. */
#define PY_PURE (1u << 3)

/* What few have. Objects may be NULL. */
typedef struct py_cold {
    PyObject *key;         /* str or tuple */
    PyObject *annotations; /* dict */
    Py_ssize_t nout;       /* -1: unknown */
    int8_t pure;           /* a leaf's: 0, 1; -1: as the config says */
    bool passes_failures;
    int64_t retries; /* -1: the run's */
    double timeout;  /* seconds; 0: the run's */
} py_cold;

typedef struct py_delayed_object {
    PyObject_VAR_HEAD vectorcallfunc vectorcall;
    PyObject *func;
    PyObject *kwnames; /* a tuple, or NULL */
    py_cold *cold;     /* or NULL */
    PyObject *weakrefs;
    uint32_t mark;
    uint8_t kind; /* py_kind */
    uint8_t flags;
    PyObject *items[];
} py_delayed_object;

extern PyType_Spec py_delayed_spec;

static inline bool py_is_delayed(const py_state *state, PyObject *object)
{
    return Py_TYPE(object) == state->delayed_type ||
           PyType_IsSubtype(Py_TYPE(object), state->delayed_type);
}

/*
 * An unfinished Delayed with room for n items, all NULL: fill them, then call
 * py_delayed_finish. `func` may be NULL; it is not taken.
 */
py_delayed_object *py_delayed_new(py_state *state, py_kind kind, PyObject *func,
                                  Py_ssize_t n);

/* Sets an item to what stands for `arg`: itself, or a Packed. */
int py_delayed_set(py_state *state, py_delayed_object *self, Py_ssize_t i,
                   PyObject *arg);

/* Takes `self`, and returns it, annotated, tracked where that is needed. */
PyObject *py_delayed_finish(py_state *state, py_delayed_object *self);

/* The block of what few have, made when there is none. */
py_cold *py_delayed_cold(py_delayed_object *self);

/* An instance of `type`, a subclass of Delayed, that is what `made` is. */
PyObject *py_delayed_as(py_state *state, PyTypeObject *type, PyObject *made);

/* A leaf that holds `object`. */
PyObject *py_leaf_new(py_state *state, PyObject *object);

/* A call of `leaf`, as vectorcall. */
PyObject *py_leaf_call(PyObject *leaf, PyObject *const *args, size_t nargsf,
                       PyObject *kwnames);
/* A call of any other Delayed. */
PyObject *py_value_call(PyObject *self, PyObject *const *args, size_t nargsf,
                        PyObject *kwnames);

/* An operator's Delayed; `right` may be NULL. */
PyObject *py_operator_new(py_state *state, py_operator op, PyObject *left,
                          PyObject *right);

/* How many outputs it has; -1: unknown. */
Py_ssize_t py_delayed_length(const py_delayed_object *self);

/* A list of Delayeds, from any sequence of them. */
PyObject *py_delayed_list(py_state *state, PyObject *sequence);

/* What it does, in a word: the function's name. */
PyObject *py_delayed_label(py_state *state, const py_delayed_object *self);

/* The key, borrowed: made when nobody has asked for it before. */
PyObject *py_delayed_key(py_state *state, py_delayed_object *self);

/* Whether a call whose purity nobody said is pure: 1, 0, -1. */
int py_default_purity(py_state *state);

/* For py_delayed_spec. */
extern PyMethodDef py_delayed_methods[];
extern PyGetSetDef py_delayed_getset[];
PyObject *py_delayed_getattro(PyObject *op, PyObject *name);
PyObject *py_delayed_await(PyObject *op);
PyObject *py_delayed_type_new(PyTypeObject *type, PyObject *args,
                              PyObject *kwargs);
/* clang-format off */
#define PY_OPERATOR_SLOTS(X) \
    X(nb_add) \
    X(nb_subtract) \
    X(nb_multiply) \
    X(nb_matrix_multiply) \
    X(nb_true_divide) \
    X(nb_floor_divide) \
    X(nb_remainder) \
    X(nb_lshift) \
    X(nb_rshift) \
    X(nb_and) \
    X(nb_or) \
    X(nb_xor)
/* clang-format on */
#define PY_DECLARE_SLOT(name) PyObject *py_##name(PyObject *, PyObject *);
PY_OPERATOR_SLOTS(PY_DECLARE_SLOT)
#undef PY_DECLARE_SLOT
PyObject *py_nb_power(PyObject *left, PyObject *right, PyObject *modulus);
PyObject *py_nb_negative(PyObject *self);
PyObject *py_nb_positive(PyObject *self);
PyObject *py_nb_absolute(PyObject *self);
PyObject *py_nb_invert(PyObject *self);
PyObject *py_tp_richcompare(PyObject *left, PyObject *right, int op);
PyObject *py_mp_subscript(PyObject *self, PyObject *item);

#endif
