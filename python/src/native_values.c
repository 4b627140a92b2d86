/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * native_values.c: results of C functions that stay what they are in C: objects
 * of a library's types, and bytes, which Python sees through a memoryview.
 */
#include "convert.h"

/* Both kinds of object. */
typedef struct native_value {
    PyObject_HEAD plait_value value;
} native_value;

static PyObject *new_holder(PyTypeObject *type, plait_value value)
{
    native_value *self = PyObject_New(native_value, type);
    if (self)
        self->value = plait_retain(value);
    return (PyObject *)self;
}

static void dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    plait_release(((native_value *)op)->value);
    PyObject_Free(op);
    Py_DECREF(type);
}

plait_value py_native_value_of(PyObject *op)
{
    return ((native_value *)op)->value;
}

/* ---- objects ---- */

PyObject *py_native_value_new(py_state *state, plait_value object)
{
    return new_holder(state->native_value_type, object);
}

/* The type may call back into C that waits for other threads. */
static int format(plait_value value, char *text, size_t size)
{
    int length;
    Py_BEGIN_ALLOW_THREADS length = plait_format(value, text, size);
    Py_END_ALLOW_THREADS return length;
}

static PyObject *repr(PyObject *op)
{
    char text[200];
    plait_value value = ((native_value *)op)->value;
    int length = format(value, text, sizeof text);
    PyObject *shown = PyUnicode_DecodeUTF8(
        text, length < 0 ? 0 : (Py_ssize_t)strlen(text), "replace");
    PyObject *whole =
        shown ? PyUnicode_FromFormat("<NativeValue %U%s>", shown,
                                     (size_t)length < sizeof text ? "" : "…")
              : NULL;
    Py_XDECREF(shown);
    return whole;
}

static PyObject *get_type_name(PyObject *op, void *closure)
{
    (void)closure;
    const char *name = plait_object_type_name(((native_value *)op)->value);
    return PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "replace");
}

static PyGetSetDef getset[] = {
    { "type_name", get_type_name, NULL,
      PyDoc_STR("What the library calls the type."), NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot value_slots[] = {
    { Py_tp_doc,
      (void *)PyDoc_STR("An object of a C library, for its other functions.") },
    { Py_tp_dealloc, dealloc },
    { Py_tp_repr, repr },
    { Py_tp_getset, getset },
    { 0, NULL },
};

static PyType_Spec value_spec = {
    .name = "plait._core.NativeValue",
    .basicsize = sizeof(native_value),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = value_slots,
};

/* ---- bytes ---- */

static int get_buffer(PyObject *op, Py_buffer *view, int flags)
{
    size_t size;
    const void *data = plait_as_bytes(((native_value *)op)->value, &size);
    void *at;
    memcpy(&at, &data, sizeof at); /* read only: the view says so */
    return PyBuffer_FillInfo(view, op, at, (Py_ssize_t)size, 1, flags);
}

PyObject *py_view_of_bytes(py_state *state, plait_value bytes)
{
    PyObject *holder = new_holder(state->native_bytes_type, bytes);
    PyObject *view = holder ? PyMemoryView_FromObject(holder) : NULL;
    Py_XDECREF(holder);
    return view;
}

static PyType_Slot bytes_slots[] = {
    { Py_tp_doc, (void *)PyDoc_STR("The memory of a result of bytes.") },
    { Py_tp_dealloc, dealloc },
    { Py_bf_getbuffer, get_buffer },
    { 0, NULL },
};

static PyType_Spec bytes_spec = {
    .name = "plait._core.NativeBytes",
    .basicsize = sizeof(native_value),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = bytes_slots,
};

int py_native_values_setup(PyObject *module, py_state *state)
{
    state->native_value_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &value_spec, NULL);
    state->native_bytes_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &bytes_spec, NULL);
    if (!state->native_value_type || !state->native_bytes_type)
        return -1;
    return PyModule_AddType(module, state->native_value_type);
}
