/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * calls.c: the type Calls: calls that wait for workers, and workers that wait
 * for calls. plait.executors makes executors of it. The GIL guards all of it.
 */
#include "future.h"
#include "lower.h"

/* A worker looks for other work of its pool this often. */
#define TURN_NS 10000000

/* It waits this long for a call when the pool may have other work. */
#define LINGER_US 1000

typedef struct py_call {
    PyObject *future; /* NULL: no call */
    PyObject *function;
    PyObject *args;
    PyObject *kwargs; /* or NULL */
} py_call;

/* A worker that waits, on its stack. */
typedef struct py_idle {
    struct py_idle *next;
    PyThread_type_lock told; /* held until there is something to do */
    py_call call;            /* what that is, if it is a call */
} py_idle;

typedef struct py_calls {
    PyObject_HEAD PyObject *future_type;
    PyObject *refusal; /* of more calls: class and message; NULL: none */
    py_call *ring;     /* the calls that wait, the oldest first */
    size_t room;       /* a power of 2, or 0 */
    size_t first;
    size_t n;
    size_t begun; /* of these, the oldest: a worker is on its way to each */
    unsigned limit;
    unsigned workers; /* here, or on their way */
    unsigned forks;
    PY_TIMEOUT_T linger_us; /* how long they wait; -1: for ever */
    py_idle *idle;          /* the last that came is the first */
} py_calls;

static void drop_call(py_call *call)
{
    Py_CLEAR(call->function);
    Py_CLEAR(call->args);
    Py_CLEAR(call->kwargs);
    Py_CLEAR(call->future);
}

/* ---- the calls that wait ---- */

static py_call *place(const py_calls *self, size_t i)
{
    return &self->ring[(self->first + i) & (self->room - 1)];
}

static int grow(py_calls *self)
{
    size_t room = self->room ? 2 * self->room : 16;
    py_call *ring = PyMem_New(py_call, room);
    if (!ring) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < self->n; i++)
        ring[i] = *place(self, i);
    PyMem_Free(self->ring);
    self->ring = ring;
    self->room = room;
    self->first = 0;
    return 0;
}

/* Takes the call. */
static int push(py_calls *self, py_call call)
{
    if (self->n == self->room && grow(self) != 0)
        return -1;
    *place(self, self->n++) = call;
    return 0;
}

/* The oldest call, taken out; false: there is none. */
static bool take(py_calls *self, py_call *call)
{
    if (self->n == 0)
        return false;
    *call = *place(self, 0);
    self->first = (self->first + 1) & (self->room - 1);
    self->n--;
    if (self->begun > 0)
        self->begun--;
    return true;
}

/* The call with that future, taken out from among the last ones. */
static bool take_back(py_calls *self, const PyObject *future, py_call *call)
{
    size_t i = self->n;
    while (i > 0 && place(self, i - 1)->future != future)
        i--;
    if (i == 0)
        return false;
    *call = *place(self, i - 1);
    for (; i < self->n; i++)
        *place(self, i - 1) = *place(self, i);
    self->n--;
    if (self->begun > self->n)
        self->begun = self->n;
    return true;
}

/* ---- workers that wait ---- */

/* One that waits goes, or makes the call, which is taken. */
static void wake(py_calls *self, const py_call *call)
{
    py_idle *idle = self->idle;
    self->idle = idle->next;
    if (call)
        idle->call = *call;
    PyThread_release_lock(idle->told);
}

static PyObject *rouse(PyObject *op, PyObject *unused)
{
    (void)unused;
    while (((py_calls *)op)->idle)
        wake((py_calls *)op, NULL);
    Py_RETURN_NONE;
}

/* Whether it was still in the list. */
static bool unlist(py_calls *self, const py_idle *idle)
{
    for (py_idle **at = &self->idle; *at; at = &(*at)->next) {
        if (*at == idle) {
            *at = idle->next;
            return true;
        }
    }
    return false;
}

/* Waits for a call; false: none came in time. */
static bool rest(py_calls *self, py_idle *here)
{
    PY_TIMEOUT_T linger_us = self->linger_us;
    PyLockStatus told;
    here->next = self->idle;
    self->idle = here;
    Py_BEGIN_ALLOW_THREADS told =
        PyThread_acquire_lock_timed(here->told, linger_us, 0);
    Py_END_ALLOW_THREADS if (told == PY_LOCK_ACQUIRED) return true;
    if (unlist(self, here))
        return false;
    PyThread_acquire_lock(here->told, WAIT_LOCK);
    return true;
}

static void call_method(PyObject *op, PyObject *name)
{
    PyObject *result = PyObject_CallMethodNoArgs(op, name);
    if (!result)
        PyErr_WriteUnraisable(op);
    Py_XDECREF(result);
}

/* One worker less. */
static void gone(py_calls *self)
{
    if (--self->workers == 0)
        call_method((PyObject *)self,
                    py_state_of((PyObject *)self)->str__nobody);
}

static PyObject *leave(PyObject *op, PyObject *unused)
{
    (void)unused;
    gone((py_calls *)op);
    Py_RETURN_NONE;
}

/* ---- workers ---- */

/* Makes a call, and lets go of it. */
static void make(const py_state *state, py_call *call)
{
    if (py_future_begin(state, call->future)) {
        PyObject *result =
            PyObject_Call(call->function, call->args, call->kwargs);
        PyObject *exception = result ? NULL : PyErr_GetRaisedException();
        Py_CLEAR(call->function);
        Py_CLEAR(call->args);
        Py_CLEAR(call->kwargs);
        if (py_future_end(state, call->future, result, exception) != 0)
            PyErr_WriteUnraisable(call->future);
        Py_XDECREF(exception);
        Py_XDECREF(result);
    } else if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(call->future);
    }
    drop_call(call);
}

/* The next call for a worker; false: it goes, and is counted out. */
static bool next(py_calls *self, py_idle *here, py_call *call)
{
    if (take(self, call))
        return true;
    if (!self->refusal && rest(self, here)) {
        *call = here->call;
        here->call = (py_call){ NULL, NULL, NULL, NULL };
        if (call->future || take(self, call))
            return true;
    } else if (take(self, call)) {
        return true;
    }
    gone(self);
    return false;
}

/* Sends a worker, who is counted. If that fails, for whatever reason, none
 * comes: from the pool on, no code of Python runs, nor handlers of signals. */
static int send_worker(py_calls *self)
{
    const py_state *state = py_state_of((PyObject *)self);
    PyObject *pool =
        PyObject_CallMethodNoArgs((PyObject *)self, state->str__open);
    PyObject *sent =
        pool ? PyObject_CallMethodNoArgs(pool, state->str__send_worker) : NULL;
    Py_XDECREF(pool);
    Py_XDECREF(sent);
    return sent ? 0 : -1;
}

/* Whether another worker comes in this one's place, behind what else the pool
 * has to do. */
static bool yields(py_calls *self, int64_t *until)
{
    if (self->linger_us < 0 || py_now_ns() < *until)
        return false;
    *until = py_now_ns() + TURN_NS;
    bool sent = send_worker(self) == 0;
    PyErr_Clear();
    return sent;
}

static PyObject *serve(PyObject *op, PyObject *unused)
{
    (void)unused;
    py_calls *self = (py_calls *)op;
    const py_state *state = py_state_of(op);
    int64_t until = py_now_ns() + TURN_NS;
    unsigned forks = self->forks;
    py_idle here = { .told = PyThread_allocate_lock() };
    if (!here.told) {
        gone(self);
        return PyErr_NoMemory();
    }
    PyThread_acquire_lock(here.told, WAIT_LOCK);
    py_call call;
    while (next(self, &here, &call)) {
        make(state, &call);
        /* In a forked child the thread is nobody's worker any more. */
        if (self->forks != forks || yields(self, &until))
            break;
    }
    PyThread_release_lock(here.told);
    PyThread_free_lock(here.told);
    Py_RETURN_NONE;
}

/* ---- submitting ---- */

/* Sends a worker that was counted in, or takes that and the call back. */
static int send(py_calls *self, const PyObject *future)
{
    if (send_worker(self) == 0)
        return 0;
    PyObject *raised = PyErr_GetRaisedException();
    py_call call;
    bool is_left = take_back(self, future, &call);
    gone(self);
    if (is_left)
        drop_call(&call);
    if (is_left || !PyErr_GivenExceptionMatches(raised, PyExc_RuntimeError)) {
        PyErr_SetRaisedException(raised);
        return -1;
    }
    Py_DECREF(raised); /* another worker has the call */
    return 0;
}

/* Takes the call. */
static int queue_call(py_calls *self, py_call call)
{
    if (self->idle) {
        wake(self, &call);
        return 0;
    }
    if (push(self, call) != 0) {
        drop_call(&call);
        return -1;
    }
    if (self->workers >= self->limit)
        return 0;
    self->workers++;
    self->begun++;
    return send(self, call.future);
}

static PyObject *put(PyObject *op, PyObject *const *args, Py_ssize_t n_args)
{
    py_calls *self = (py_calls *)op;
    if (n_args != 3 || !PyTuple_Check(args[1]) || !PyDict_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "put(function, args, kwargs)");
        return NULL;
    }
    PyObject *future = PyObject_CallNoArgs(self->future_type);
    if (!future)
        return NULL;
    if (self->refusal) { /* asked last: making a Future may run anything */
        Py_DECREF(future);
        PyErr_SetObject(PyTuple_GET_ITEM(self->refusal, 0),
                        PyTuple_GET_ITEM(self->refusal, 1));
        return NULL;
    }
    py_call call = {
        .future = Py_NewRef(future),
        .function = Py_NewRef(args[0]),
        .args = Py_NewRef(args[1]),
        .kwargs = PyDict_GET_SIZE(args[2]) > 0 ? Py_NewRef(args[2]) : NULL,
    };
    if (queue_call(self, call) != 0)
        Py_CLEAR(future);
    return future;
}

static PyObject *refuse(PyObject *op, PyObject *refusal)
{
    if (!PyTuple_Check(refusal) || PyTuple_GET_SIZE(refusal) != 2) {
        PyErr_SetString(PyExc_TypeError, "class and message are needed");
        return NULL;
    }
    Py_XSETREF(((py_calls *)op)->refusal, Py_NewRef(refusal));
    Py_RETURN_NONE;
}

/* Takes calls out, to be cancelled, all or those to which no worker comes. */
static PyObject *withdraw(PyObject *op, PyObject *all)
{
    py_calls *self = (py_calls *)op;
    size_t left = all == Py_True ? 0 : self->begun;
    PyObject *futures = PyList_New(0);
    while (futures && self->n > left) {
        py_call call = *place(self, --self->n);
        int status = PyList_Append(futures, call.future);
        drop_call(&call);
        if (status != 0)
            Py_CLEAR(futures);
    }
    if (self->begun > self->n)
        self->begun = self->n;
    if (futures && PyList_Reverse(futures) != 0)
        Py_CLEAR(futures);
    return futures;
}

/* The pool may have other work from now on: workers don't wait here long. */
static PyObject *share(PyObject *op, PyObject *unused)
{
    ((py_calls *)op)->linger_us = LINGER_US;
    return rouse(op, unused);
}

/* In a forked child: there are no workers, and the calls are the parent's. */
static PyObject *renew(PyObject *op, PyObject *unused)
{
    (void)unused;
    py_calls *self = (py_calls *)op;
    self->forks++;
    self->workers = 0;
    self->begun = 0;
    self->idle = NULL;
    py_call call;
    while (take(self, &call))
        drop_call(&call);
    Py_RETURN_NONE;
}

/* ---- the object ---- */

static int init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = { "limit", "future_type", NULL };
    py_calls *self = (py_calls *)op;
    PyObject *future_type;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "IO:Calls", names,
                                     &self->limit, &future_type))
        return -1;
    Py_XSETREF(self->future_type, Py_NewRef(future_type));
    self->linger_us = -1;
    return 0;
}

static int traverse(PyObject *op, visitproc visit, void *arg)
{
    py_calls *self = (py_calls *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->future_type);
    Py_VISIT(self->refusal);
    for (size_t i = 0; i < self->n; i++) {
        Py_VISIT(place(self, i)->future);
        Py_VISIT(place(self, i)->function);
        Py_VISIT(place(self, i)->args);
        Py_VISIT(place(self, i)->kwargs);
    }
    return 0;
}

static int clear(PyObject *op)
{
    py_calls *self = (py_calls *)op;
    Py_CLEAR(self->future_type);
    Py_CLEAR(self->refusal);
    py_call call;
    while (take(self, &call))
        drop_call(&call);
    return 0;
}

static void dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    clear(op);
    PyMem_Free(((py_calls *)op)->ring);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *get_workers(PyObject *op, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLong(((py_calls *)op)->workers);
}

static PyGetSetDef getset[] = {
    { "workers", get_workers, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static PyMethodDef methods[] = {
    { "put", (PyCFunction)(void (*)(void))put, METH_FASTCALL,
      PyDoc_STR("A Future of function(*args, **kwargs).") },
    { "serve", serve, METH_NOARGS,
      PyDoc_STR("Make calls, until there are none for long.") },
    { "leave", leave, METH_NOARGS,
      PyDoc_STR("For a worker that can't serve: it is counted out.") },
    { "refuse", refuse, METH_O,
      PyDoc_STR("From now on put() raises; workers leave when all is done.") },
    { "rouse", rouse, METH_NOARGS, PyDoc_STR("Workers that wait, leave.") },
    { "share", share, METH_NOARGS,
      PyDoc_STR("Workers no longer wait for long.") },
    { "withdraw", withdraw, METH_O,
      PyDoc_STR("Take out calls; their Futures.") },
    { "renew", renew, METH_NOARGS, PyDoc_STR("After a fork, in the child.") },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
    { Py_tp_doc, (void *)PyDoc_STR("Calls that wait for workers.") },
    { Py_tp_init, init },
    { Py_tp_new, PyType_GenericNew },
    { Py_tp_dealloc, dealloc },
    { Py_tp_traverse, traverse },
    { Py_tp_clear, clear },
    { Py_tp_methods, methods },
    { Py_tp_getset, getset },
    { 0, NULL },
};

static PyType_Spec spec = {
    .name = "plait._core.Calls",
    .basicsize = sizeof(py_calls),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int py_calls_setup(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int status = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return status;
}
