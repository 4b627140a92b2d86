/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * native_values.c: results of C functions that stay what they are in C: objects
 * of a library's types, and bytes, which Python sees through a memoryview.
 */
#include "convert.h"

#include <dlfcn.h>

#include <plait/library.h>

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

/* ---- pickling: the encoded form, and the library that knows the type ---- */

/* Where a type's name lies, its functions do. None: in no file. */
static PyObject *library_of(plait_value value)
{
    Dl_info info;
    const char *name = plait_object_type_name(value);
    if (dladdr(name, &info) && info.dli_fname)
        return PyUnicode_DecodeFSDefault(info.dli_fname);
    return Py_NewRef(Py_None);
}

static void codec_error(PyObject *class, const char *what,
                        const plait_error *err)
{
    if (err->status == PLAIT_ENOMEM)
        PyErr_NoMemory();
    else
        PyErr_Format(class, "a NativeValue can't be %s: %s", what,
                     err->message);
}

static PyObject *encoded(plait_value value)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_encoded form;
    plait_status status;
    Py_BEGIN_ALLOW_THREADS /* as in format */
        status = plait_encode(value, true, &form, &err);
    Py_END_ALLOW_THREADS if (status != PLAIT_OK)
    {
        codec_error(PyExc_TypeError, "pickled", &err);
        return NULL;
    }
    PyObject *bytes =
        PyBytes_FromStringAndSize(form.data, (Py_ssize_t)form.size);
    plait_encoded_free(&form);
    return bytes;
}

static PyObject *reduce(PyObject *op, PyObject *unused)
{
    (void)unused;
    plait_value value = ((native_value *)op)->value;
    PyObject *bytes = encoded(value);
    PyObject *library = bytes ? library_of(value) : NULL;
    PyObject *restore =
        library
            ? PyObject_GetAttrString(py_state_of(op)->module, "_restore_value")
            : NULL;
    PyObject *reduced =
        restore ? Py_BuildValue("(O(OO))", restore, library, bytes) : NULL;
    Py_XDECREF(restore);
    Py_XDECREF(library);
    Py_XDECREF(bytes);
    return reduced;
}

/* Without the GIL. A type that isn't known may be the library's, or NULL's. */
static plait_status decode(const char *library, const plait_encoded *form,
                           plait_value *value, plait_error *err)
{
    plait_status status = plait_decode(form, value, err);
    if (status != PLAIT_ECODEC || !library)
        return status;
    return plait_library_load(library, err) ? plait_decode(form, value, err)
                                            : err->status;
}

PyObject *py_restore_value(PyObject *module, PyObject *args)
{
    PyObject *path;
    const char *data;
    Py_ssize_t size;
    PyObject *name = NULL;
    if (!PyArg_ParseTuple(args, "Oy#:_restore_value", &path, &data, &size) ||
        (path != Py_None && !PyUnicode_FSConverter(path, &name)))
        return NULL;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_encoded form = { .size = (size_t)size };
    memcpy(&form.data, &data, sizeof data); /* which is only read */
    plait_value value;
    plait_status status;
    const char *library = name ? PyBytes_AS_STRING(name) : NULL;
    Py_BEGIN_ALLOW_THREADS status = decode(library, &form, &value, &err);
    Py_END_ALLOW_THREADS Py_XDECREF(name);
    if (status != PLAIT_OK) {
        codec_error(PyExc_ValueError, "restored", &err);
        return NULL;
    }
    PyObject *object = py_from_value(py_state_of_module(module), value);
    plait_release(value);
    return object;
}

/* It never changes. */
static PyObject *copy(PyObject *op, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(op);
}

static PyMethodDef value_methods[] = {
    { "__reduce__", reduce, METH_NOARGS, NULL },
    { "__copy__", copy, METH_NOARGS, NULL },
    { "__deepcopy__", copy, METH_O, NULL },
    { NULL, NULL, 0, NULL },
};

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
    { Py_tp_methods, value_methods },
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
