/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * collect.h: Delayeds inside containers.
 *
 * An argument that has Delayeds somewhere inside is packed when the call is
 * made: a Packed is an immutable picture of the container, in which what comes
 * after (an append to the list) is not seen. An argument without any is kept
 * as it is.
 */
#ifndef PY_COLLECT_H
#define PY_COLLECT_H

#include "module.h"

typedef enum py_pack {
    PY_PACK_LIST,
    PY_PACK_TUPLE,
    PY_PACK_SET,
    PY_PACK_DICT,      /* items: key, value, …; type: its class, or NULL */
    PY_PACK_SLICE,     /* items: start, stop, step */
    PY_PACK_NAMED,     /* a namedtuple; type: its class */
    PY_PACK_DATACLASS, /* items: name, value, …; type: its class */
} py_pack;

typedef struct py_packed {
    PyObject_VAR_HEAD PyObject *type; /* or NULL */
    uint32_t pack;                    /* py_pack */
    PyObject *items[];
} py_packed;

extern PyType_Spec py_packed_spec;

/* A Packed with room for n items, all NULL, untracked. */
py_packed *py_packed_new(py_state *state, py_pack pack, PyObject *type,
                         Py_ssize_t n);

/*
 * What is kept for `object`: a new reference to itself, a Delayed (that it is,
 * or is a collection of Dask made one) or a Packed. An iterator becomes a list.
 */
PyObject *py_packed_of(py_state *state, PyObject *object);

/* The same where targets are looked for, in more kinds of containers. */
PyObject *py_packed_of_targets(py_state *state, PyObject *object);

/* Gives the value of each Delayed on the way through an item, in order. */
typedef PyObject *(*py_value_of)(PyObject *delayed, void *user);

/* Makes an item anew: a Delayed is what `value_of` says, a Packed the container
 * that it pictures, all else itself. */
PyObject *py_packed_fill(py_state *state, PyObject *item, py_value_of value_of,
                         void *user);

/* Calls visit for each Delayed in an item, in the same order; stops at -1. */
int py_packed_each(py_state *state, PyObject *item,
                   int (*visit)(PyObject *delayed, void *user), void *user);

#endif
