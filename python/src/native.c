/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * native.c: C libraries, and the functions in them. A library stays loaded
 * until the process ends: its tasks may run, and its objects live, that long.
 */
#include "native.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <plait/library.h>

#include "compute.h"
#include "convert.h"

/* ---- functions ---- */

typedef struct native_function {
    PyObject_HEAD vectorcallfunc vectorcall;
    plait_fn fn;
    PyObject *path; /* of its library */
    PyObject *name;
} native_function;

plait_fn py_native_function(PyObject *op)
{
    return ((native_function *)op)->fn;
}

PyObject *py_native_name(PyObject *op)
{
    return ((native_function *)op)->name;
}

/* The value of a task, computed in this thread. */
static PyObject *compute_here(py_state *state, PyObject *task)
{
    PyObject *args = Py_BuildValue("([O])", task);
    PyObject *kwargs = Py_BuildValue("{ss}", "scheduler", "sync");
    PyObject *values =
        args && kwargs ? py_compute(state->module, args, kwargs) : NULL;
    PyObject *value = values ? PySequence_GetItem(values, 0) : NULL;
    Py_XDECREF(values);
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    return value;
}

static PyObject *function_call(PyObject *op, PyObject *const *args,
                               size_t nargsf, PyObject *kwnames)
{
    py_state *state = py_state_of(op);
    PyObject *leaf = py_leaf_new(state, op);
    PyObject *task = leaf ? py_leaf_call(leaf, args, nargsf, kwnames) : NULL;
    PyObject *value = task ? compute_here(state, task) : NULL;
    Py_XDECREF(task);
    Py_XDECREF(leaf);
    return value;
}

static PyObject *function_repr(PyObject *op)
{
    native_function *self = (native_function *)op;
    return PyUnicode_FromFormat("<C function %U of %U>", self->name,
                                self->path);
}

/* It is found again, here or in another process, by these. */
static PyObject *function_reduce(PyObject *op, PyObject *unused)
{
    (void)unused;
    native_function *self = (native_function *)op;
    PyObject *restore =
        PyObject_GetAttrString(py_state_of(op)->module, "_restore_native");
    return restore ? Py_BuildValue("(N(OO))", restore, self->path, self->name)
                   : NULL;
}

static PyObject *function_token(PyObject *op, PyObject *unused)
{
    (void)unused;
    native_function *self = (native_function *)op;
    return PyTuple_Pack(2, self->path, self->name);
}

static void function_dealloc(PyObject *op)
{
    native_function *self = (native_function *)op;
    PyTypeObject *type = Py_TYPE(op);
    Py_XDECREF(self->path);
    Py_XDECREF(self->name);
    PyObject_Free(op);
    Py_DECREF(type);
}

static PyMethodDef function_methods[] = {
    { "__reduce__", function_reduce, METH_NOARGS, NULL },
    { "__dask_tokenize__", function_token, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyMemberDef function_members[] = {
    PY_OFFSET_MEMBER("__vectorcalloffset__",
                     offsetof(native_function, vectorcall)),
    { "__name__", T_OBJECT, offsetof(native_function, name), READONLY, NULL },
    { "__qualname__", T_OBJECT, offsetof(native_function, name), READONLY,
      NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyType_Slot function_slots[] = {
    { Py_tp_doc, (void *)PyDoc_STR("A function of a C library; a call of it "
                                   "runs it at once.") },
    { Py_tp_dealloc, function_dealloc },
    { Py_tp_call, PyVectorcall_Call },
    { Py_tp_repr, function_repr },
    { Py_tp_methods, function_methods },
    { Py_tp_members, function_members },
    { 0, NULL },
};

static PyType_Spec function_spec = {
    .name = "plait._core.NativeFunction",
    .basicsize = sizeof(native_function),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = function_slots,
};

static PyObject *new_function(py_state *state, void *address, PyObject *path,
                              PyObject *name)
{
    native_function *self =
        PyObject_New(native_function, state->native_function_type);
    if (!self)
        return NULL;
    self->vectorcall = function_call;
    memcpy(&self->fn, &address, sizeof self->fn);
    self->path = Py_NewRef(path);
    self->name = Py_NewRef(name);
    return (PyObject *)self;
}

/* ---- libraries ---- */

typedef struct native_library {
    PyObject_HEAD void *handle;
    PyObject *path;
    PyObject *functions; /* name -> Delayed, those that were asked for */
} native_library;

/* Whether an address is in the library itself, not in one that it needs. */
static bool is_inside(void *handle, const Dl_info *info)
{
    struct link_map *map = NULL;
    return dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map &&
           info->dli_fbase == (void *)map->l_addr;
}

/* Why a symbol is no task function; NULL: it may be one. */
static const char *look_at(void *handle, void *address)
{
    Dl_info info;
    void *extra = NULL;
    if (!dladdr1(address, &info, &extra, RTLD_DL_SYMENT) ||
        !is_inside(handle, &info))
        return "it is another library's";
    const ElfW(Sym) *symbol = extra;
    if (symbol && ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
        return "it is no function";
    return NULL;
}

static PyObject *find_function(py_state *state, const native_library *self,
                               PyObject *name)
{
    const char *symbol = PyUnicode_AsUTF8(name);
    if (!symbol)
        return NULL;
    void *address = dlsym(self->handle, symbol);
    const char *why = address ? look_at(self->handle, address) : NULL;
    if (address && !why)
        return new_function(state, address, self->path, name);
    PyErr_Format(PyExc_AttributeError, "%U has no task function '%s'%s%s",
                 self->path, symbol, why ? ": " : "", why ? why : "");
    return NULL;
}

/* The Delayed that stands for a function. */
static PyObject *find(native_library *self, PyObject *name)
{
    PyObject *leaf;
    int known = PyDict_GetItemRef(self->functions, name, &leaf);
    if (known != 0)
        return leaf;
    py_state *state = py_state_of((PyObject *)self);
    PyObject *function = find_function(state, self, name);
    leaf = function ? py_leaf_new(state, function) : NULL;
    Py_XDECREF(function);
    if (leaf && PyDict_SetItem(self->functions, name, leaf) != 0)
        Py_CLEAR(leaf);
    return leaf;
}

static bool is_dunder(PyObject *name)
{
    return PyUnicode_GET_LENGTH(name) > 1 &&
           PyUnicode_READ_CHAR(name, 0) == '_' &&
           PyUnicode_READ_CHAR(name, 1) == '_';
}

static PyObject *library_getattro(PyObject *op, PyObject *name)
{
    if (!PyUnicode_Check(name) || is_dunder(name))
        return PyObject_GenericGetAttr(op, name);
    return find((native_library *)op, name);
}

static PyObject *library_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<C library %U>", ((native_library *)op)->path);
}

static PyObject *library_reduce(PyObject *op, PyObject *unused)
{
    (void)unused;
    PyObject *native =
        PyObject_GetAttrString(py_state_of(op)->module, "native");
    return native
               ? Py_BuildValue("(N(O))", native, ((native_library *)op)->path)
               : NULL;
}

static void library_dealloc(PyObject *op)
{
    native_library *self = (native_library *)op;
    PyTypeObject *type = Py_TYPE(op);
    Py_XDECREF(self->path);
    Py_XDECREF(self->functions);
    PyObject_Free(op);
    Py_DECREF(type);
}

static PyMethodDef library_methods[] = {
    { "__reduce__", library_reduce, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyMemberDef library_members[] = {
    { "__file__", T_OBJECT, offsetof(native_library, path), READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyType_Slot library_slots[] = {
    { Py_tp_doc,
      (void *)PyDoc_STR("A C library; its attributes are delayed functions.") },
    { Py_tp_dealloc, library_dealloc },
    { Py_tp_getattro, library_getattro },
    { Py_tp_repr, library_repr },
    { Py_tp_methods, library_methods },
    { Py_tp_members, library_members },
    { 0, NULL },
};

static PyType_Spec library_spec = {
    .name = "plait._core.NativeLibrary",
    .basicsize = sizeof(native_library),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = library_slots,
};

/* ---- loading ---- */

static void load_error(PyObject *path, const plait_error *err)
{
    PyObject *class = err->status == PLAIT_EINVAL   ? PyExc_ImportError
                      : err->status == PLAIT_ENOMEM ? PyExc_MemoryError
                                                    : PyExc_OSError;
    PyErr_Format(class, "cannot load the library %U: %s", path, err->message);
}

/* Takes the handle; `path` is absolute. */
static PyObject *new_library(py_state *state, void *handle, PyObject *path)
{
    native_library *self =
        PyObject_New(native_library, state->native_library_type);
    if (!self)
        return NULL;
    self->handle = handle;
    self->path = Py_NewRef(path);
    self->functions = PyDict_New();
    if (self->functions)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static PyObject *load(py_state *state, PyObject *path)
{
    PyObject *bytes = PyUnicode_EncodeFSDefault(path);
    if (!bytes)
        return NULL;
    void *handle;
    plait_error err = { PLAIT_ERROR_INIT };
    Py_BEGIN_ALLOW_THREADS /* its constructors may do anything */
        handle = plait_library_load(PyBytes_AS_STRING(bytes), &err);
    Py_END_ALLOW_THREADS Py_DECREF(bytes);
    if (handle)
        return new_library(state, handle, path);
    load_error(path, &err);
    return NULL;
}

/* A name without a slash is a file here, as for `plait run`. */
static PyObject *absolute(PyObject *given)
{
    PyObject *name = PyOS_FSPath(given);
    PyObject *os = name ? PyImport_ImportModule("os.path") : NULL;
    PyObject *decoded = NULL;
    if (os && PyUnicode_FSDecoder(name, &decoded) == 0)
        decoded = NULL;
    PyObject *path =
        decoded ? PyObject_CallMethod(os, "abspath", "O", decoded) : NULL;
    Py_XDECREF(decoded);
    Py_XDECREF(os);
    Py_XDECREF(name);
    return path;
}

PyObject *py_native(PyObject *module, PyObject *given)
{
    PyObject *path = absolute(given);
    PyObject *library = path ? load(py_state_of_module(module), path) : NULL;
    Py_XDECREF(path);
    return library;
}

PyObject *py_restore_native(PyObject *module, PyObject *args)
{
    PyObject *path, *name;
    if (!PyArg_ParseTuple(args, "UU:_restore_native", &path, &name))
        return NULL;
    py_state *state = py_state_of_module(module);
    PyObject *library = load(state, path);
    PyObject *function =
        library ? find_function(state, (native_library *)library, name) : NULL;
    Py_XDECREF(library);
    return function;
}

/* ---- setup ---- */

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **type)
{
    *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *type ? PyModule_AddType(module, *type) : -1;
}

int py_native_setup(PyObject *module, py_state *state)
{
    if (add_type(module, &function_spec, &state->native_function_type) != 0 ||
        add_type(module, &library_spec, &state->native_library_type) != 0 ||
        py_native_values_setup(module, state) != 0)
        return -1;
    state->task_error = PyErr_NewExceptionWithDoc(
        "plait.TaskError",
        "What a C function failed with. `status` is the name of its "
        "plait_status.",
        PyExc_RuntimeError, NULL);
    if (!state->task_error)
        return -1;
    return PyModule_AddObjectRef(module, "TaskError", state->task_error);
}
