/* SPDX-License-Identifier: BSD-3-Clause */
/* pool.c: pools of one's own, and things in C that watch runs. */
#include "compute.h"
#include "gil.h"

typedef struct py_pool {
    PyObject_HEAD plait_executor *executor; /* NULL: closed */
} py_pool;

plait_executor *py_pool_executor(py_state *state, PyObject *op)
{
    if (Py_TYPE(op) != state->pool_type) {
        PyErr_Format(PyExc_TypeError, "executor is no Pool but %.100s",
                     Py_TYPE(op)->tp_name);
        return NULL;
    }
    py_pool *pool = (py_pool *)op;
    if (!pool->executor)
        PyErr_SetString(PyExc_RuntimeError, "the pool is closed");
    return pool->executor;
}

static void close_pool(py_pool *pool)
{
    plait_executor *executor = pool->executor;
    pool->executor = NULL;
    if (!executor)
        return;
    py_left left = py_gil_leave();
    plait_executor_close(executor);
    py_gil_take(left);
}

static void dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *raised = PyErr_GetRaisedException();
    close_pool((py_pool *)op);
    PyErr_SetRaisedException(raised);
    PyObject_Free(op);
    Py_DECREF(type);
}

static PyObject *get_workers(PyObject *op, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLong(
        plait_executor_workers(((py_pool *)op)->executor));
}

static PyObject *get_closed(PyObject *op, void *closure)
{
    (void)closure;
    return PyBool_FromLong(!((py_pool *)op)->executor);
}

static PyGetSetDef getset[] = {
    { "workers", get_workers, NULL, NULL, NULL },
    { "closed", get_closed, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_doc, (void *)PyDoc_STR("Worker threads of one's own.") },
    { Py_tp_dealloc, dealloc },
    { Py_tp_getset, getset },
    { 0, NULL },
};

static PyType_Spec spec = {
    .name = "plait._core.Pool",
    .basicsize = sizeof(py_pool),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

PyObject *py_open_executor(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "scheduler", "workers", NULL };
    py_state *state = py_state_of_module(module);
    const char *scheduler = "threads";
    unsigned workers = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|sI:open_executor", names,
                                     &scheduler, &workers))
        return NULL;
    py_pool *pool = PyObject_New(py_pool, state->pool_type);
    if (!pool)
        return NULL;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_options options = { PLAIT_OPTIONS_INIT };
    options.workers = workers;
    options.spawn = py_gil_spawn;
    options.spawn_user = state;
    py_left left = py_gil_leave();
    pool->executor = plait_executor_open(scheduler, &options, &err);
    py_gil_take(left);
    if (pool->executor)
        return (PyObject *)pool;
    Py_DECREF(pool);
    PyErr_SetString(err.status == PLAIT_EINVAL ? PyExc_ValueError
                                               : PyExc_RuntimeError,
                    err.message);
    return NULL;
}

PyObject *py_close_executor(PyObject *module, PyObject *op)
{
    py_state *state = py_state_of_module(module);
    if (Py_TYPE(op) != state->pool_type) {
        PyErr_SetString(PyExc_TypeError, "a Pool is needed");
        return NULL;
    }
    close_pool((py_pool *)op);
    Py_RETURN_NONE;
}

int py_pool_setup(PyObject *module, py_state *state)
{
    state->pool_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->pool_type ? PyModule_AddType(module, state->pool_type) : -1;
}
