/* SPDX-License-Identifier: BSD-3-Clause */
/* future.h: the Future of a call that a worker makes. */
#ifndef PY_FUTURE_H
#define PY_FUTURE_H

#include "module.h"

/* Before the call: whether it is to be made. When not, it was cancelled, or an
 * exception is set. */
bool py_future_begin(const py_state *state, PyObject *future);

/* After it: sets the result, or (that is NULL) the exception. */
int py_future_end(const py_state *state, PyObject *future, PyObject *result,
                  PyObject *exception);

#endif
