/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * module.h: the state of the module plait._core, and what its files have in
 * common. No C global holds a Python object: all are here, or in objects.
 *
 * Conventions: a function that returns a PyObject * returns a new reference,
 * or NULL with an exception set, unless it says otherwise; one that returns
 * int returns 0, or -1 with an exception set. All need the GIL.
 */
#ifndef PY_MODULE_H
#define PY_MODULE_H

#include "compat.h"

#include <stdatomic.h>
#include <sys/types.h>

#include <plait/plait.h>

/* The names that the extension looks up, kept as interned strings. */
/* clang-format off */
#define PY_NAMES(X) \
    X(apply) \
    X(config) \
    X(dask_key_name) \
    X(daemon) \
    X(delayed_pure) \
    X(getattr) \
    X(name) \
    X(pure) \
    X(start) \
    X(target) \
    X(from_collection) \
    X(from_graph) \
    X(prepare) \
    X(fresh) \
    X(follow_dask) \
    X(tokenize) \
    X(log_failure) \
    X(warn_unrun) \
    X(warn_of_iterator) \
    X(visualize_run) \
    X(__dask_graph__) \
    X(__dask_scheduler__) \
    X(__name__) \
    X(__qualname__) \
    X(__module__) \
    X(__doc__) \
    X(__wrapped__) \
    X(__dataclass_fields__) \
    X(_fields) \
    X(_make) \
    X(func) \
    X(format_exception) \
    X(add_note) \
    X(status) \
    X(__buffer__) \
    X(__signature__) \
    X(__annotations__) \
    X(__notes__) \
    X(__plait_failures__) \
    X(_state) \
    X(_condition) \
    X(_result) \
    X(_exception) \
    X(_told) \
    X(_open) \
    X(_send_worker) \
    X(_nobody) \
    X(RUNNING) \
    X(FINISHED) \
    X(release) \
    X(set_result) \
    X(set_exception) \
    X(set_running_or_notify_cancel)
/* clang-format on */

/* Operators of Delayed, by the names of module operator. */
/* clang-format off */
#define PY_OPERATORS(X) \
    X(add) \
    X(sub) \
    X(mul) \
    X(matmul) \
    X(truediv) \
    X(floordiv) \
    X(mod) \
    X(pow) \
    X(lshift) \
    X(rshift) \
    X(and_) \
    X(or_) \
    X(xor) \
    X(neg) \
    X(pos) \
    X(abs) \
    X(invert) \
    X(lt) \
    X(le) \
    X(eq) \
    X(ne) \
    X(gt) \
    X(ge) \
    X(getitem)
/* clang-format on */

typedef enum py_operator {
#define PY_OPERATOR_ENUM(name) PY_OP_##name,
    PY_OPERATORS(PY_OPERATOR_ENUM)
#undef PY_OPERATOR_ENUM
        PY_OP_COUNT
} py_operator;

typedef struct py_state {
    PyObject *module; /* borrowed: the state is its */
    PyTypeObject *delayed_type;
    PyTypeObject *packed_type;
    PyTypeObject *ref_type;
    PyTypeObject *method_type;
    PyTypeObject *rebuild_type;
    PyTypeObject *failure_type;
    PyTypeObject *failures_type;
    PyTypeObject *pool_type;
    PyTypeObject *observer_type;
    PyTypeObject *run_type;
    PyTypeObject *native_library_type;
    PyTypeObject *native_function_type;
    PyTypeObject *native_value_type;
    PyTypeObject *native_bytes_type;
    PyObject *task_error;     /* the class plait.TaskError */
    PyObject *task_cancelled; /* the exception that ends cancelled tasks */
    PyObject *operators[PY_OP_COUNT];
    PyObject *operator_names[PY_OP_COUNT];
    PyObject *cold; /* attribute -> function of plait.collection */
    /* found at first use */
    PyObject *config;      /* plait.config.config, a dict */
    PyObject *dask_config; /* dask.config.config, a dict, or NULL */
    PyObject *log_failure; /* of plait.failures */
    PyObject *annotations; /* the context variable, or NULL */
    uint64_t walks;        /* that began; see lower.h */
    uint64_t marker;       /* the walk whose marks the Delayeds bear */
    PyObject *pause;       /* see py_gil_pause */
    /* Buffers that were let go of without the GIL; see convert.c. */
    struct py_buffer *_Atomic dropped;
    /* How many Delayeds were made; it may wrap round. */
    uint32_t births;
#define PY_NAME_FIELD(name) PyObject *str_##name;
    PY_NAMES(PY_NAME_FIELD)
#undef PY_NAME_FIELD
} py_state;

extern struct PyModuleDef py_module_def;

/* The state of the module that made the type, or a base of it. */
static inline py_state *py_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &py_module_def);
    return module ? PyModule_GetState(module) : NULL;
}

static inline py_state *py_state_of(PyObject *object)
{
    return py_state_of_type(Py_TYPE(object));
}

static inline py_state *py_state_of_module(PyObject *module)
{
    return PyModule_GetState(module);
}

/* `plait.<module>`, imported when it is not yet. */
PyObject *py_import(const char *module);

/* Calls `plait.<module>.<name>(args…)`. */
PyObject *py_call_hook(const char *module, PyObject *name,
                       PyObject *const *args, size_t n_args);

/* Each adds its types, functions and constants to the module. */
int py_delayed_setup(PyObject *module, py_state *state);
int py_collect_setup(PyObject *module, py_state *state);
int py_rebuild_setup(PyObject *module, py_state *state);
int py_graph_setup(PyObject *module, py_state *state);
int py_failure_setup(PyObject *module, py_state *state);
int py_log_setup(PyObject *module);
int py_pool_setup(PyObject *module, py_state *state);
int py_calls_setup(PyObject *module);
int py_observer_setup(PyObject *module, py_state *state);
int py_run_setup(PyObject *module, py_state *state);
int py_native_setup(PyObject *module, py_state *state);

/* The module's functions, by the file that has them. */
PyObject *py_delayed(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *py_use_annotations(PyObject *module, PyObject *var);
PyObject *py_collect(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *py_graph(PyObject *module, PyObject *targets);
PyObject *py_dependencies(PyObject *module, PyObject *task);
PyObject *py_label(PyObject *module, PyObject *task);
PyObject *py_options(PyObject *module, PyObject *task);
PyObject *py_compute(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *py_compute_args(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *py_start(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *py_environment_has(PyObject *module, PyObject *beginnings);
PyObject *py_are_delayeds(PyObject *module, PyObject *objects);
PyObject *py_failures(PyObject *module, PyObject *exc);
PyObject *py_open_executor(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *py_close_executor(PyObject *module, PyObject *pool);
PyObject *py_current_task(PyObject *module, PyObject *unused);
PyObject *py_progress(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *py_trace(PyObject *module, PyObject *path);
PyObject *py_profile(PyObject *module, PyObject *unused);
PyObject *py_tally(PyObject *module, PyObject *unused);
PyObject *py_draw(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *py_order(PyObject *module, PyObject *targets);
PyObject *py_native(PyObject *module, PyObject *path);
PyObject *py_restore_native(PyObject *module, PyObject *args);
PyObject *py_restore_value(PyObject *module, PyObject *args);

#endif
