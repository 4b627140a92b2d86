/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * convert.h: Python's objects as plait's values, and back.
 *
 *   None, bool, int (64 bits), float    nil, bool, int, float
 *   str                                 string; what os.fsdecode made of bytes
 *                                       that are no UTF-8 becomes those again
 *   list, tuple                         list; comes back as a list
 *   dict                                dict
 *   bytes and whatever has a buffer     bytes, of the same memory where that
 *                                       is more than a KiB; come back as a
 *                                       memoryview, of the same memory too
 *   scalars of numpy                    bool, int, float
 *   NativeValue                         the object that it holds
 *
 * A buffer is in one piece, in C order, and must not change while it is used.
 */
#ifndef PY_CONVERT_H
#define PY_CONVERT_H

#include "module.h"

/* Makes a reference to a task of a Delayed; see py_to_value. */
typedef int (*py_ref_of)(PyObject *delayed, void *user, plait_value *out);

/*
 * Makes a value of an object, or of a Packed, in which each Delayed is what
 * ref_of says (NULL: it is refused). `*out` is nil when it fails: TypeError,
 * OverflowError for integers, ValueError for what is nested too deep. Runs no
 * Python code when the object is no Packed and holds no such.
 */
int py_to_value(py_state *state, PyObject *object, py_ref_of ref_of, void *user,
                plait_value *out);

/* Makes an object of a value, which it borrows. */
PyObject *py_from_value(py_state *state, plait_value value);

/* The exception for an error value: a TaskError, or a MemoryError or
 * TimeoutError, with the status in its attribute. Not raised. */
PyObject *py_task_error(py_state *state, plait_value error);

/* Gives back buffers that were let go of without the GIL. */
void py_buffers_drain(py_state *state);

/* ---- native_values.c ---- */

/* A memoryview of a value of bytes; and a NativeValue of an object. Both keep a
 * reference to the value. */
PyObject *py_view_of_bytes(py_state *state, plait_value bytes);
PyObject *py_native_value_new(py_state *state, plait_value object);

/* The value that a NativeValue holds, borrowed. */
plait_value py_native_value_of(PyObject *op);

int py_native_values_setup(PyObject *module, py_state *state);

#endif
