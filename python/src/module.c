/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * module.c: the module plait._core: its state, its functions, its birth and
 * its end. Only the main interpreter may import it: worker threads belong to
 * one interpreter, and the engine's pools are the process's.
 */
#include "module.h"

#include "collect.h"
#include "delayed.h"
#include "gil.h"
#include "pickle.h"

/* ---- what others call ---- */

PyObject *py_import(const char *module)
{
    PyObject *name = PyUnicode_FromFormat("plait.%s", module);
    if (!name)
        return NULL;
    PyObject *found = PyImport_GetModule(name);
    if (!found && !PyErr_Occurred())
        found = PyImport_Import(name);
    Py_DECREF(name);
    return found;
}

PyObject *py_call_hook(const char *module, PyObject *name,
                       PyObject *const *args, size_t n_args)
{
    PyObject *from = py_import(module);
    if (!from)
        return NULL;
    PyObject *fn = PyObject_GetAttr(from, name);
    Py_DECREF(from);
    if (!fn)
        return NULL;
    PyObject *result = PyObject_Vectorcall(fn, args, n_args, NULL);
    Py_DECREF(fn);
    return result;
}

/* ---- state ---- */

static int init_names(py_state *state)
{
#define PY_NAME_INIT(name)                                 \
    state->str_##name = PyUnicode_InternFromString(#name); \
    if (!state->str_##name)                                \
        return -1;
    PY_NAMES(PY_NAME_INIT)
#undef PY_NAME_INIT
    return 0;
}

/* and_ is called and by everybody. */
static PyObject *shown_name(const char *name)
{
    size_t length = strlen(name);
    if (name[length - 1] == '_')
        length--;
    return PyUnicode_FromStringAndSize(name, (Py_ssize_t)length);
}

static int init_operators(py_state *state)
{
    static const char *const names[PY_OP_COUNT] = {
#define PY_OPERATOR_NAME(name) #name,
        PY_OPERATORS(PY_OPERATOR_NAME)
#undef PY_OPERATOR_NAME
    };
    PyObject *module = PyImport_ImportModule("_operator");
    if (!module)
        return -1;
    int status = 0;
    for (int i = 0; i < PY_OP_COUNT && status == 0; i++) {
        state->operators[i] = PyObject_GetAttrString(module, names[i]);
        state->operator_names[i] = shown_name(names[i]);
        if (!state->operators[i] || !state->operator_names[i])
            status = -1;
    }
    Py_DECREF(module);
    return status;
}

static int refuse_subinterpreters(void)
{
    if (PyInterpreterState_Get() == PyInterpreterState_Main())
        return 0;
    PyErr_SetString(PyExc_ImportError,
                    "plait can't be imported in a sub-interpreter: its "
                    "threads belong to the main one");
    return -1;
}

static int exec(PyObject *module)
{
    py_state *state = py_state_of_module(module);
    state->module = module;
    if (refuse_subinterpreters() != 0 || init_names(state) != 0 ||
        init_operators(state) != 0 || py_delayed_setup(module, state) != 0 ||
        py_collect_setup(module, state) != 0 ||
        py_rebuild_setup(module, state) != 0 ||
        py_graph_setup(module, state) != 0 ||
        py_failure_setup(module, state) != 0 || py_log_setup(module) != 0 ||
        py_pool_setup(module, state) != 0 ||
        py_observer_setup(module, state) != 0 || py_gil_setup(state) != 0 ||
        py_run_setup(module, state) != 0 || py_native_setup(module, state) != 0)
        return -1;
    return PyModule_AddStringConstant(module, "__version__", plait_version());
}

/* Visits all objects of the state. */
/* clang-format off */
#define FOR_OBJECTS(X) \
    X(delayed_type) \
    X(packed_type) \
    X(ref_type) \
    X(method_type) \
    X(rebuild_type) \
    X(failure_type) \
    X(failures_type) \
    X(pool_type) \
    X(observer_type) \
    X(run_type) \
    X(task_cancelled) \
    X(pause) \
    X(cold) \
    X(config) \
    X(dask_config) \
    X(log_failure) \
    X(annotations)
/* clang-format on */

/* clang-format off */
#define FOR_NATIVE_OBJECTS(X) \
    X(native_library_type)    \
    X(native_function_type)   \
    X(native_value_type)      \
    X(native_bytes_type)      \
    X(task_error)
/* clang-format on */

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    py_state *state = py_state_of_module(module);
#define VISIT(name) Py_VISIT(state->name);
    FOR_OBJECTS(VISIT)
    FOR_NATIVE_OBJECTS(VISIT)
#undef VISIT
    for (int i = 0; i < PY_OP_COUNT; i++)
        Py_VISIT(state->operators[i]);
    return 0;
}

static int clear(PyObject *module)
{
    py_state *state = py_state_of_module(module);
#define CLEAR(name) Py_CLEAR(state->name);
    FOR_OBJECTS(CLEAR)
    FOR_NATIVE_OBJECTS(CLEAR)
#undef CLEAR
#define PY_NAME_CLEAR(name) Py_CLEAR(state->str_##name);
    PY_NAMES(PY_NAME_CLEAR)
#undef PY_NAME_CLEAR
    for (int i = 0; i < PY_OP_COUNT; i++) {
        Py_CLEAR(state->operators[i]);
        Py_CLEAR(state->operator_names[i]);
    }
    return 0;
}

static void free_state(void *module)
{
    clear(module);
}

/* ---- the module ---- */

#define WITH_KEYWORDS (METH_VARARGS | METH_KEYWORDS)
#define KEYWORDS_FUNCTION(fn) ((PyCFunction)(void (*)(void))(fn))

static PyMethodDef functions[] = {
    { "delayed", KEYWORDS_FUNCTION(py_delayed), WITH_KEYWORDS,
      PyDoc_STR("Make a function lazy, or wrap a value.") },
    { "collect", KEYWORDS_FUNCTION(py_collect), WITH_KEYWORDS,
      PyDoc_STR("The Delayeds in containers, and a function that rebuilds.") },
    { "compute", KEYWORDS_FUNCTION(py_compute), WITH_KEYWORDS,
      PyDoc_STR("Run what the targets need; their values, in order.") },
    { "compute_args", KEYWORDS_FUNCTION(py_compute_args), WITH_KEYWORDS,
      PyDoc_STR("Compute several values at once; a tuple.") },
    { "start", KEYWORDS_FUNCTION(py_start), WITH_KEYWORDS,
      PyDoc_STR("Run what the targets need in the background; a Run.") },
    { "graph", py_graph, METH_O,
      PyDoc_STR("key -> (function, args, kwargs), inputs first.") },
    { "dependencies", py_dependencies, METH_O,
      PyDoc_STR("The tasks whose results a task uses.") },
    { "label", py_label, METH_O, PyDoc_STR("What a task does, in a word.") },
    { "options", py_options, METH_O,
      PyDoc_STR("The options of a task that were set.") },
    { "are_delayeds", py_are_delayeds, METH_O,
      PyDoc_STR("Whether all objects in a tuple are Delayeds themselves.") },
    { "environment_has", py_environment_has, METH_O,
      PyDoc_STR(
          "Whether a variable of the process begins with one of these.") },
    { "failures", py_failures, METH_O,
      PyDoc_STR("All failures of the run that raised an exception.") },
    { "use_annotations", py_use_annotations, METH_O,
      PyDoc_STR("Keep with each Delayed what a context variable says.") },
    { "open_executor", KEYWORDS_FUNCTION(py_open_executor), WITH_KEYWORDS,
      PyDoc_STR("Open a pool of one's own.") },
    { "close_executor", py_close_executor, METH_O,
      PyDoc_STR("Cancel a pool's runs, and end its threads.") },
    { "current_task", py_current_task, METH_NOARGS,
      PyDoc_STR("The key of the task that this thread runs.") },
    { "progress", KEYWORDS_FUNCTION(py_progress), WITH_KEYWORDS,
      PyDoc_STR("An Observer that shows progress on a file.") },
    { "trace", py_trace, METH_O,
      PyDoc_STR("An Observer that writes a Chrome trace when it is closed.") },
    { "profile", py_profile, METH_NOARGS,
      PyDoc_STR("An Observer that notes when each task ran.") },
    { "tally", py_tally, METH_NOARGS,
      PyDoc_STR("An Observer that counts tasks.") },
    { "order", py_order, METH_O,
      PyDoc_STR("The tasks of Delayeds in the order in which they run.") },
    { "native", py_native, METH_O,
      PyDoc_STR("The task functions of a C library, as attributes.") },
    { "_restore_native", py_restore_native, METH_VARARGS,
      PyDoc_STR("A function of a C library, by their names.") },
    { "_restore_value", py_restore_value, METH_VARARGS,
      PyDoc_STR("An object of a C library, of its encoded form.") },
    { "draw", KEYWORDS_FUNCTION(py_draw), WITH_KEYWORDS,
      PyDoc_STR("Draw Delayeds, or a Run, by Graphviz in this process.") },
    { "_restore", py_restore, METH_VARARGS,
      PyDoc_STR("A Delayed, from what was pickled.") },
    { NULL, NULL, 0, NULL },
};

static PyModuleDef_Slot slots[] = {
    { Py_mod_exec, exec },
#if PY_VERSION_HEX >= 0x030C0000
    { Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED },
#endif
    { 0, NULL },
};

struct PyModuleDef py_module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "plait._core",
    .m_doc = PyDoc_STR("The C half of plait."),
    .m_size = sizeof(py_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&py_module_def);
}
