/* SPDX-License-Identifier: BSD-3-Clause */
/* operators.c: the operators of Delayed, each a pure task. */
#include "delayed.h"

/* Either operand may be the Delayed. */
static py_state *state_of_either(PyObject *left, PyObject *right)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(left), &py_module_def);
    if (!module) {
        PyErr_Clear();
        module = PyType_GetModuleByDef(Py_TYPE(right), &py_module_def);
    }
    return module ? py_state_of_module(module) : NULL;
}

static PyObject *binary(py_operator op, PyObject *left, PyObject *right)
{
    py_state *state = state_of_either(left, right);
    return state ? py_operator_new(state, op, left, right) : NULL;
}

#define BINARY(slot, op)                                 \
    PyObject *py_##slot(PyObject *left, PyObject *right) \
    {                                                    \
        return binary(PY_OP_##op, left, right);          \
    }

BINARY(nb_add, add)
BINARY(nb_subtract, sub)
BINARY(nb_multiply, mul)
BINARY(nb_matrix_multiply, matmul)
BINARY(nb_true_divide, truediv)
BINARY(nb_floor_divide, floordiv)
BINARY(nb_remainder, mod)
BINARY(nb_lshift, lshift)
BINARY(nb_rshift, rshift)
BINARY(nb_and, and_)
BINARY(nb_or, or_)
BINARY(nb_xor, xor)

#undef BINARY

PyObject *py_nb_power(PyObject *left, PyObject *right, PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return binary(PY_OP_pow, left, right);
}

#define UNARY(slot, op)                                                    \
    PyObject *py_##slot(PyObject *self)                                    \
    {                                                                      \
        return py_operator_new(py_state_of(self), PY_OP_##op, self, NULL); \
    }

UNARY(nb_negative, neg)
UNARY(nb_positive, pos)
UNARY(nb_absolute, abs)
UNARY(nb_invert, invert)

#undef UNARY

PyObject *py_tp_richcompare(PyObject *left, PyObject *right, int op)
{
    static const py_operator operators[] = {
        [Py_LT] = PY_OP_lt, [Py_LE] = PY_OP_le, [Py_EQ] = PY_OP_eq,
        [Py_NE] = PY_OP_ne, [Py_GT] = PY_OP_gt, [Py_GE] = PY_OP_ge,
    };
    return py_operator_new(py_state_of(left), operators[op], left, right);
}

PyObject *py_mp_subscript(PyObject *self, PyObject *item)
{
    return py_operator_new(py_state_of(self), PY_OP_getitem, self, item);
}
