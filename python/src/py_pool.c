/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * py_pool.c: pools of one's own: for runs, and for plain calls. What is to be
 * called is kept by who opened the pool: a worker that is sent to work calls
 * `work`, until that returns.
 */
#include "compute.h"
#include "gil.h"

typedef struct py_pool {
    PyObject_HEAD plait_executor *executor; /* NULL: closed */
    PyObject *begin;                        /* begins a thread, or NULL */
    PyObject *work;                         /* what workers are sent to */
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
    Py_CLEAR(((py_pool *)op)->begin);
    Py_CLEAR(((py_pool *)op)->work);
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

/* plait_options.spawn, with a callable that begins threads. */
static bool spawn(void *user, unsigned worker, void (*main)(void *arg),
                  void *arg)
{
    return py_gil_spawn_by(((py_pool *)user)->begin, worker, main, arg);
}

static PyObject *raise_error(const plait_error *err)
{
    PyErr_SetString(err->status == PLAIT_EINVAL ? PyExc_ValueError
                                                : PyExc_RuntimeError,
                    err->message);
    return NULL;
}

PyObject *py_open_executor(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "scheduler", "workers", "begin", "work", NULL };
    py_state *state = py_state_of_module(module);
    const char *scheduler = "threads";
    unsigned workers = 0;
    PyObject *begin = NULL, *work = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|sIOO:open_executor", names,
                                     &scheduler, &workers, &begin, &work))
        return NULL;
    py_pool *pool = PyObject_New(py_pool, state->pool_type);
    if (!pool)
        return NULL;
    pool->begin = Py_XNewRef(begin);
    pool->work = Py_XNewRef(work);
    plait_error err = { PLAIT_ERROR_INIT };
    plait_options options = { PLAIT_OPTIONS_INIT };
    options.workers = workers;
    options.spawn = begin ? spawn : py_gil_spawn;
    options.spawn_user = begin ? (void *)pool : (void *)state;
    py_left left = py_gil_leave();
    pool->executor = plait_executor_open(scheduler, &options, &err);
    py_gil_take(left);
    if (pool->executor)
        return (PyObject *)pool;
    Py_DECREF(pool);
    return raise_error(&err);
}

/* ---- plain calls ---- */

static plait_value work(plait_context *ctx, const plait_value *args,
                        size_t n_args)
{
    (void)args, (void)n_args;
    py_pool *pool = plait_context_user(ctx);
    if (Py_IsFinalizing())
        return plait_nil();
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *result = PyObject_CallNoArgs(pool->work);
    if (!result)
        PyErr_WriteUnraisable(pool->work);
    Py_XDECREF(result);
    PyGILState_Release(gil);
    return plait_nil();
}

static void let_go(plait_run *run, void *user)
{
    (void)user;
    plait_run_free(run);
}

static plait_status send(py_pool *pool, plait_error *err)
{
    plait_options options = { PLAIT_OPTIONS_INIT };
    options.workers = 1;
    options.user = pool;
    plait_run *run =
        plait_submit(pool->executor, work, "call", NULL, 0, &options, err);
    if (!run)
        return err->status;
    plait_status status = plait_run_on_done(run, let_go, NULL);
    if (status != PLAIT_OK)
        plait_run_free(run);
    return status;
}

static PyObject *send_worker(PyObject *op, PyObject *unused)
{
    (void)unused;
    py_pool *pool = (py_pool *)op;
    if (!pool->executor || !pool->work) {
        PyErr_SetString(PyExc_RuntimeError, "the pool is closed");
        return NULL;
    }
    plait_error err = { PLAIT_ERROR_INIT };
    py_left left = py_gil_leave();
    plait_status status = send(pool, &err);
    py_gil_take(left);
    if (status != PLAIT_OK)
        return raise_error(&err);
    Py_RETURN_NONE;
}

static PyObject *grow(PyObject *op, PyObject *number)
{
    py_pool *pool = (py_pool *)op;
    unsigned long workers = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred())
        return NULL;
    if (workers > INT_MAX)
        workers = INT_MAX;
    plait_error err = { PLAIT_ERROR_INIT };
    py_left left = py_gil_leave();
    plait_status status =
        plait_executor_grow(pool->executor, (unsigned)workers, &err);
    py_gil_take(left);
    if (status != PLAIT_OK)
        return raise_error(&err);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    { "_grow", grow, METH_O, PyDoc_STR("Have at least so many workers.") },
    { "_send_worker", send_worker, METH_NOARGS,
      PyDoc_STR("Have a worker call what the pool was opened with.") },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_doc, (void *)PyDoc_STR("Worker threads of one's own.") },
    { Py_tp_dealloc, dealloc },
    { Py_tp_methods, methods },
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
    if (!state->pool_type || PyModule_AddType(module, state->pool_type) != 0)
        return -1;
    return py_calls_setup(module);
}
