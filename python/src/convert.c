/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * convert.c: see convert.h. Arguments are converted while the graph is walked,
 * where no Python code may run; so none is called, not even for what has a
 * buffer of Python's making.
 */
#include "convert.h"

#include "collect.h"
#include "delayed.h"

/* What is no larger is copied: that costs less than keeping it alive. */
#define MOST_COPIED 1024

typedef struct conversion {
    py_state *state;
    py_ref_of ref_of;
    void *user;
    unsigned depth;
} conversion;

static int to_value(conversion *c, PyObject *object, plait_value *out);

/* A value that was made, or the exception for the error that it is. */
static int check(plait_value value, plait_value *out)
{
    if (!plait_is_error(value)) {
        *out = value;
        return 0;
    }
    const plait_error *err = plait_as_error(value);
    PyErr_SetString(err->status == PLAIT_ENOMEM ? PyExc_MemoryError
                                                : PyExc_ValueError,
                    err->message);
    plait_release(value);
    return -1;
}

static int refuse(PyObject *object, const char *why)
{
    PyErr_Format(PyExc_TypeError, "%.100s can't be passed to C%s%s",
                 Py_TYPE(object)->tp_name, *why ? ": " : "", why);
    return -1;
}

/* ---- numbers and text ---- */

static int int_value(PyObject *object, plait_value *out)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (!overflow) {
        *out = plait_int(number);
        return number == -1 && PyErr_Occurred() ? -1 : 0;
    }
    PyErr_SetString(PyExc_OverflowError,
                    "the int doesn't fit the 64 bits that C has");
    return -1;
}

static int str_value(PyObject *object, plait_value *out)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(object, &length);
    if (text)
        return check(plait_string_n(text, (size_t)length), out);
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return -1;
    PyErr_Clear();
    PyObject *bytes =
        PyUnicode_AsEncodedString(object, "utf-8", "surrogateescape");
    if (!bytes)
        return -1;
    int status = check(plait_string_n(PyBytes_AS_STRING(bytes),
                                      (size_t)PyBytes_GET_SIZE(bytes)),
                       out);
    Py_DECREF(bytes);
    return status;
}

/* ---- buffers ---- */

/* A buffer of a Python object that a value borrows. */
typedef struct py_buffer {
    struct py_buffer *next;
    PyObject *module; /* keeps the state */
    Py_buffer view;
} py_buffer;

static void give_back(py_buffer *buffer)
{
    PyObject *module = buffer->module;
    PyBuffer_Release(&buffer->view);
    PyMem_RawFree(buffer);
    Py_DECREF(module);
}

void py_buffers_drain(py_state *state)
{
    /* acquire: what was written to them before they were put there */
    py_buffer *at =
        atomic_exchange_explicit(&state->dropped, NULL, memory_order_acquire);
    while (at) {
        py_buffer *next = at->next;
        give_back(at);
        at = next;
    }
}

/* On any thread. Who has no GIL must not wait for it. */
static void free_buffer(void *data)
{
    py_buffer *buffer = data;
    if (Py_IsFinalizing())
        return;
    if (py_has_gil()) {
        give_back(buffer);
        return;
    }
    py_state *state = PyModule_GetState(buffer->module);
    buffer->next = atomic_load_explicit(&state->dropped, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &state->dropped, &buffer->next, buffer, memory_order_release,
        memory_order_relaxed))
        ;
}

static const plait_type buffer_type = {
    .size = sizeof(plait_type),
    .name = "plait.python.buffer",
    .free = free_buffer,
};

/* An object of no dimensions, of numpy: what its format says it is. */
static int scalar_value(PyObject *object, const char *format, plait_value *out)
{
    bool is_truth = strcmp(format, "?") == 0;
    bool is_int = format[0] && !format[1] && strchr("bBhHiIlLqQ", format[0]);
    bool is_float = format[0] && !format[1] && strchr("efdg", format[0]);
    if (!is_truth && !is_int && !is_float)
        return refuse(object, "it is no number that C has");
    if (is_truth) {
        int truth = PyObject_IsTrue(object);
        *out = plait_bool(truth > 0);
        return truth < 0 ? -1 : 0;
    }
    PyObject *number = is_int ? PyNumber_Index(object) : PyNumber_Float(object);
    if (!number)
        return -1;
    int status = to_value(&(conversion){ NULL }, number, out);
    Py_DECREF(number);
    return status;
}

/* Takes the buffer, and what is in it. */
static int lend(py_state *state, py_buffer *buffer, plait_value *out)
{
    const Py_buffer *view = &buffer->view;
    size_t size = (size_t)view->len;
    if (size > MOST_COPIED) {
        buffer->module = Py_NewRef(state->module);
        plait_value lease = plait_object(&buffer_type, buffer);
        return check(plait_bytes_leased(view->buf, size, lease), out);
    }
    plait_value copy = plait_bytes(size ? view->buf : NULL, size);
    PyBuffer_Release(&buffer->view);
    PyMem_RawFree(buffer);
    return check(copy, out);
}

/* Says of an object's buffer why it won't do. */
static int refuse_buffer(PyObject *object)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyObject *text = PyObject_Str(cause);
    const char *why = text ? PyUnicode_AsUTF8(text) : NULL;
    if (why)
        refuse(object, why);
    Py_XDECREF(text);
    Py_DECREF(cause);
    return -1;
}

static int buffer_value(py_state *state, PyObject *object, plait_value *out)
{
    PyObject *maker = py_type_lookup(Py_TYPE(object), state->str___buffer__);
    if (maker && PyFunction_Check(maker))
        return refuse(object, "its buffer is made by Python code; pass a "
                              "memoryview of it");
    py_buffer *buffer = PyMem_RawCalloc(1, sizeof *buffer);
    if (!buffer) {
        PyErr_NoMemory();
        return -1;
    }
    if (PyObject_GetBuffer(object, &buffer->view, PyBUF_ND | PyBUF_FORMAT) !=
        0) {
        PyMem_RawFree(buffer);
        return refuse_buffer(object);
    }
    const char *format = buffer->view.format ? buffer->view.format : "B";
    bool has_objects = strchr(format, 'O') != NULL;
    if (!has_objects && buffer->view.ndim > 0)
        return lend(state, buffer, out);
    int status = has_objects ? refuse(object, "it holds Python objects")
                             : scalar_value(object, format, out);
    PyBuffer_Release(&buffer->view);
    PyMem_RawFree(buffer);
    return status;
}

/* ---- containers ---- */

/* Values that are being collected, for a list or a dict. */
typedef struct values {
    plait_value *at;
    size_t n;
} values;

static bool begin(values *v, size_t room)
{
    *v = (values){ PyMem_RawMalloc((room + 1) * sizeof *v->at), 0 };
    if (!v->at)
        PyErr_NoMemory();
    return v->at != NULL;
}

static void drop(values *v)
{
    for (size_t i = 0; i < v->n; i++)
        plait_release(v->at[i]);
    PyMem_RawFree(v->at);
}

static int end_list(values *v, plait_value *out)
{
    plait_value list = plait_list(v->at, v->n);
    PyMem_RawFree(v->at);
    return check(list, out);
}

static int add(conversion *c, values *v, PyObject *object)
{
    int status = to_value(c, object, &v->at[v->n]);
    v->n += status == 0;
    return status;
}

static int refuse_change(void)
{
    PyErr_SetString(PyExc_RuntimeError,
                    "a container changed while it was converted");
    return -1;
}

/* Of a list or a tuple. */
static int sequence_value(conversion *c, PyObject *object, plait_value *out)
{
    Py_ssize_t n = PySequence_Fast_GET_SIZE(object);
    values v;
    if (!begin(&v, (size_t)n))
        return -1;
    int status = 0;
    for (Py_ssize_t i = 0; i < n && status == 0; i++) {
        if (PySequence_Fast_GET_SIZE(object) != n) {
            status = refuse_change();
            break;
        }
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(object, i));
        status = add(c, &v, item);
        Py_DECREF(item);
    }
    if (status == 0)
        return end_list(&v, out);
    drop(&v);
    return -1;
}

static int dict_value(conversion *c, PyObject *object, plait_value *out)
{
    size_t n = (size_t)PyDict_GET_SIZE(object);
    values keys, items;
    if (!begin(&keys, n))
        return -1;
    if (!begin(&items, n)) {
        drop(&keys);
        return -1;
    }
    PyObject *key, *item;
    Py_ssize_t at = 0;
    int status = 0;
    while (status == 0 && PyDict_Next(object, &at, &key, &item)) {
        if (keys.n == n || (size_t)PyDict_GET_SIZE(object) != n) {
            status = refuse_change();
            break;
        }
        Py_INCREF(key);
        Py_INCREF(item);
        status = add(c, &keys, key);
        if (status == 0)
            status = add(c, &items, item);
        Py_DECREF(item);
        Py_DECREF(key);
    }
    if (status != 0) {
        drop(&keys);
        drop(&items);
        return -1;
    }
    plait_value dict = plait_dict(keys.at, items.at, n);
    PyMem_RawFree(keys.at);
    PyMem_RawFree(items.at);
    return check(dict, out);
}

/* Of a Packed that pictures a dict: keys and values in turn. */
static int packed_dict_value(conversion *c, const py_packed *packed,
                             plait_value *out)
{
    size_t n = (size_t)Py_SIZE(packed) / 2;
    values v;
    if (!begin(&v, 2 * n))
        return -1;
    int status = 0;
    for (size_t i = 0; i < n && status == 0; i++)
        status = add(c, &v, packed->items[2 * i]);
    for (size_t i = 0; i < n && status == 0; i++)
        status = add(c, &v, packed->items[2 * i + 1]);
    if (status != 0) {
        drop(&v);
        return -1;
    }
    plait_value dict = plait_dict(v.at, v.at + n, n);
    PyMem_RawFree(v.at);
    return check(dict, out);
}

static int packed_list_value(conversion *c, const py_packed *packed,
                             plait_value *out)
{
    values v;
    if (!begin(&v, (size_t)Py_SIZE(packed)))
        return -1;
    for (Py_ssize_t i = 0; i < Py_SIZE(packed); i++) {
        if (add(c, &v, packed->items[i]) != 0) {
            drop(&v);
            return -1;
        }
    }
    return end_list(&v, out);
}

static int packed_value(conversion *c, const py_packed *packed,
                        plait_value *out)
{
    switch ((py_pack)packed->pack) {
    case PY_PACK_LIST:
    case PY_PACK_TUPLE:
    case PY_PACK_NAMED:
        return packed_list_value(c, packed, out);
    case PY_PACK_DICT:
        return packed_dict_value(c, packed, out);
    case PY_PACK_SET:
        PyErr_SetString(PyExc_TypeError, "set can't be passed to C");
        return -1;
    case PY_PACK_SLICE:
        PyErr_SetString(PyExc_TypeError, "slice can't be passed to C");
        return -1;
    case PY_PACK_DATACLASS:
        PyErr_Format(PyExc_TypeError, "%.100s can't be passed to C",
                     ((PyTypeObject *)packed->type)->tp_name);
        return -1;
    }
    Py_UNREACHABLE();
}

static int container_value(conversion *c, PyObject *object, plait_value *out)
{
    if (PyList_Check(object) || PyTuple_Check(object))
        return sequence_value(c, object, out);
    if (PyDict_Check(object))
        return dict_value(c, object, out);
    return packed_value(c, (const py_packed *)object, out);
}

/* ---- any object ---- */

static bool is_container(const conversion *c, PyObject *object)
{
    return PyList_Check(object) || PyTuple_Check(object) ||
           PyDict_Check(object) || Py_TYPE(object) == c->state->packed_type;
}

static int delayed_value(const conversion *c, PyObject *object,
                         plait_value *out)
{
    if (c->ref_of)
        return c->ref_of(object, c->user, out);
    return refuse(object, "nobody has run it");
}

static int object_value(conversion *c, PyObject *object, plait_value *out)
{
    if (py_is_delayed(c->state, object))
        return delayed_value(c, object, out);
    if (Py_TYPE(object) == c->state->native_value_type) {
        *out = plait_retain(py_native_value_of(object));
        return 0;
    }
    if (PyObject_CheckBuffer(object))
        return buffer_value(c->state, object, out);
    if (!is_container(c, object))
        return refuse(object, "");
    if (++c->depth > PLAIT_NESTING_LIMIT) {
        PyErr_Format(PyExc_ValueError, "containers are nested over %d deep",
                     PLAIT_NESTING_LIMIT);
        return -1;
    }
    int status = container_value(c, object, out);
    c->depth--;
    return status;
}

static int to_value(conversion *c, PyObject *object, plait_value *out)
{
    *out = plait_nil();
    if (object == Py_None)
        return 0;
    if (PyBool_Check(object)) {
        *out = plait_bool(object == Py_True);
        return 0;
    }
    if (PyLong_Check(object))
        return int_value(object, out);
    if (PyFloat_Check(object)) {
        *out = plait_float(PyFloat_AS_DOUBLE(object));
        return 0;
    }
    if (PyUnicode_Check(object))
        return str_value(object, out);
    return object_value(c, object, out);
}

int py_to_value(py_state *state, PyObject *object, py_ref_of ref_of, void *user,
                plait_value *out)
{
    conversion c = { state, ref_of, user, 0 };
    return to_value(&c, object, out);
}
