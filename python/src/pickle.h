/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pickle.h: Delayeds as bytes.
 *
 * A chain of a hundred thousand is pickled without recursion: what is pickled
 * for a Delayed is the flat list of all that it needs, inputs first, in which
 * they name each other by number. A leaf of a decorated module-level function
 * is pickled by that name.
 */
#ifndef PY_PICKLE_H
#define PY_PICKLE_H

#include "module.h"

/* Delayed.__reduce_ex__ */
PyObject *py_delayed_reduce(PyObject *self, PyObject *protocol);

/* _core._restore: what a pickle calls. */
PyObject *py_restore(PyObject *module, PyObject *args);

#endif
