/* SPDX-License-Identifier: BSD-3-Clause */
/* gil.c: threads, and their attaching to the interpreter. */
#include "gil.h"

#include <unistd.h>

#include "lower.h"

/* How often a thread's begin may be interrupted. */
#define MOST_TRIES 100

/* The state that this thread has put down, for tasks that run on it. */
static _Thread_local PyThreadState *put_down;
static _Thread_local py_thread *here;

py_thread *py_thread_here(void)
{
    return here;
}

/* ---- the runtime ---- */

static void *thread_start(void *user, unsigned worker)
{
    (void)user;
    (void)worker;
    py_thread *thread = PyMem_RawCalloc(1, sizeof *thread);
    if (!thread)
        return NULL;
    thread->tstate = put_down;
    if (!thread->tstate && !Py_IsFinalizing()) {
        thread->tstate = PyThreadState_New(PyInterpreterState_Main());
        thread->owned = thread->tstate != NULL;
    }
    thread->ident = PyThread_get_thread_ident();
    thread->outer = here;
    here = thread;
    py_interrupt_add(thread);
    return thread;
}

static void thread_stop(void *user, void *data)
{
    (void)user;
    py_thread *thread = data;
    if (!thread)
        return;
    py_interrupt_remove(thread);
    here = thread->outer;
    if (thread->owned && !Py_IsFinalizing()) {
        PyEval_RestoreThread(thread->tstate);
        PyThreadState_Clear(thread->tstate);
        PyThreadState_DeleteCurrent();
    }
    PyMem_RawFree(thread);
}

/* Frames of Python are left standing: they can't go on without the lock, nor
 * may they be unwound. The process ends without this thread. */
static void wait_for_the_end(void)
{
    for (;;)
        pause();
}

static bool attach(void *user, void *data)
{
    (void)user;
    py_thread *thread = data;
    if (!thread || !thread->tstate)
        return false;
    if (Py_IsFinalizing()) {
        if (thread->lowering) /* it waited in the middle of a task */
            wait_for_the_end();
        return false;
    }
    PyEval_RestoreThread(thread->tstate);
    thread->until_pause = 0; /* signals may be waiting */
    return true;
}

static void detach(void *user, void *data)
{
    (void)user;
    (void)data;
    PyEval_SaveThread();
}

plait_runtime *py_runtime(void)
{
    static plait_runtime runtime = {
        .size = sizeof runtime,
        .name = "python",
        .thread_start = thread_start,
        .thread_stop = thread_stop,
        .attach = attach,
        .detach = detach,
        .interrupt = py_interrupt,
        .yields = true,
    };
    return &runtime;
}

/* ---- pauses ---- */

int py_gil_pause(py_state *state)
{
    /* it is no function of the program's: tracers needn't see it */
    PyThreadState *tstate = PyThreadState_Get();
    PyThreadState_EnterTracing(tstate);
    PyObject *none = PyObject_CallNoArgs(state->pause);
    PyThreadState_LeaveTracing(tstate);
    Py_XDECREF(none);
    return none ? 0 : -1;
}

int py_gil_setup(py_state *state)
{
    PyObject *globals = PyDict_New();
    state->pause =
        globals ? PyRun_String("lambda: None", Py_eval_input, globals, globals)
                : NULL;
    Py_XDECREF(globals);
    return state->pause ? 0 : -1;
}

/* ---- the threads that wait ---- */

bool py_gil_is_engines(void)
{
    return here && (here->lowering || here->told);
}

py_left py_gil_leave(void)
{
    py_left left = { NULL, put_down };
    if (py_gil_is_engines())
        return left;
    left.tstate = put_down = PyEval_SaveThread();
    return left;
}

void py_gil_take(py_left left)
{
    if (!left.tstate)
        return;
    put_down = left.before;
    PyEval_RestoreThread(left.tstate);
}

int py_gil_look(void)
{
    /* see raise_later */
    if (PyErr_CheckSignals() != 0 || Py_MakePendingCalls() != 0)
        return -1;
    return here && here->ctx && here->lowering ? py_gil_may_go_on(here) : 0;
}

int py_gil_may_go_on(py_thread *thread)
{
    if (!plait_cancelled(thread->ctx))
        return 0;
    thread->interrupted = true; /* none is sent besides */
    PyErr_SetNone(plait_timed_out(thread->ctx)
                      ? PyExc_TimeoutError
                      : thread->lowering->state->task_cancelled);
    return -1;
}

/* ---- the threads of a pool ---- */

typedef struct worker_start {
    void (*main)(void *arg);
    void *arg;
    bool taken;   /* guarded by the GIL, both: by the thread */
    bool refused; /* by who begins it, and begins another */
} worker_start;

static PyObject *worker_main(PyObject *capsule, PyObject *unused)
{
    (void)unused;
    worker_start *start = PyCapsule_GetPointer(capsule, "plait worker");
    if (!start)
        return NULL;
    if (start->refused)
        Py_RETURN_NONE;
    start->taken = true;
    put_down = PyEval_SaveThread();
    start->main(start->arg);
    if (Py_IsFinalizing()) /* there is no interpreter to come back to */
        wait_for_the_end();
    PyEval_RestoreThread(put_down);
    put_down = NULL;
    Py_RETURN_NONE;
}

static void free_start(PyObject *capsule)
{
    PyMem_RawFree(PyCapsule_GetPointer(capsule, "plait worker"));
}

static PyMethodDef worker_method = { "run", worker_main, METH_NOARGS, NULL };

/* What the thread calls. */
static PyObject *worker_target(const worker_start *given)
{
    worker_start *start = PyMem_RawMalloc(sizeof *start);
    if (!start)
        return PyErr_NoMemory();
    *start = *given;
    PyObject *capsule = PyCapsule_New(start, "plait worker", free_start);
    if (!capsule) {
        PyMem_RawFree(start);
        return NULL;
    }
    PyObject *target = PyCFunction_New(&worker_method, capsule);
    Py_DECREF(capsule);
    return target;
}

static PyObject *new_thread(py_state *state, PyObject *target, unsigned worker)
{
    PyObject *name = PyUnicode_FromFormat("plait-%u", worker);
    PyObject *threading = name ? PyImport_ImportModule("threading") : NULL;
    PyObject *type =
        threading ? PyObject_GetAttrString(threading, "Thread") : NULL;
    PyObject *names =
        PyTuple_Pack(3, state->str_target, state->str_name, state->str_daemon);
    PyObject *values[] = { target, name, Py_True };
    PyObject *thread =
        type && names ? PyObject_Vectorcall(type, values, 0, names) : NULL;
    Py_XDECREF(names);
    Py_XDECREF(type);
    Py_XDECREF(threading);
    Py_XDECREF(name);
    return thread;
}

static bool start_thread(py_state *state, PyObject *target, unsigned worker)
{
    PyObject *thread = new_thread(state, target, worker);
    PyObject *started =
        thread ? PyObject_CallMethodNoArgs(thread, state->str_start) : NULL;
    Py_XDECREF(thread);
    Py_XDECREF(started);
    return started != NULL;
}

static bool start_by(PyObject *begin, PyObject *target, unsigned worker)
{
    PyObject *started = PyObject_CallFunction(begin, "OI", target, worker);
    Py_XDECREF(started);
    return started != NULL;
}

/* Who begins a worker's thread: `begin`, or (NULL) threading. */
typedef struct spawner {
    py_state *state;
    PyObject *begin;
    unsigned worker;
} spawner;

/*
 * Whether the worker's thread runs, or will. An exception may be set in either
 * case: when a signal came while start() waited for the thread, it has begun
 * perhaps; if not, it never will.
 */
static bool try_spawn(const spawner *by, const worker_start *given)
{
    PyObject *target = worker_target(given);
    if (!target)
        return false;
    if (by->begin ? start_by(by->begin, target, by->worker)
                  : start_thread(by->state, target, by->worker)) {
        Py_DECREF(target);
        return true;
    }
    worker_start *start =
        PyCapsule_GetPointer(PyCFunction_GET_SELF(target), "plait worker");
    bool runs = start->taken;
    start->refused = !runs;
    Py_DECREF(target);
    return runs;
}

/* Takes the exception that is set: the one with which it began, as threading
 * may stumble over what a handler raised in the middle of it. */
static PyObject *first_raised(void)
{
    PyObject *handled = PyErr_GetHandledException();
    PyObject *first = PyErr_GetRaisedException();
    for (int i = 0; i < MOST_TRIES && first; i++) {
        PyObject *context = PyException_GetContext(first);
        if (!context || context == handled) {
            Py_XDECREF(context);
            break;
        }
        Py_SETREF(first, context);
    }
    Py_XDECREF(handled);
    return first;
}

/* Whether it is none that says that there can be no thread: then the handler
 * of a signal raised it. */
static bool is_of_signal(PyObject *exception)
{
    return exception &&
           !PyErr_GivenExceptionMatches(exception, PyExc_RuntimeError) &&
           !PyErr_GivenExceptionMatches(exception, PyExc_MemoryError);
}

static int raise_again(void *exception)
{
    PyErr_SetRaisedException(exception);
    return -1;
}

/* Takes the exception, or NULL. */
static void raise_later(PyObject *exception)
{
    if (!exception)
        return;
    if (PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt)) {
        PyErr_SetInterrupt();
        Py_DECREF(exception);
    } else if (Py_AddPendingCall(raise_again, exception) != 0) {
        PyErr_SetRaisedException(exception);
        PyErr_WriteUnraisable(NULL);
    }
}

/* What the handler of a signal raises, as that of Ctrl-C, is for who waits for
 * the run: it is raised again there, and the thread begun all the same. */
static bool spawn(const spawner *by, void (*main)(void *arg), void *arg)
{
    worker_start start = { .main = main, .arg = arg };
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *pending = PyErr_GetRaisedException();
    PyObject *raised = NULL;
    bool runs = false, again = true;
    for (int i = 0; i < MOST_TRIES && !runs && again; i++) {
        runs = try_spawn(by, &start);
        PyObject *first = first_raised();
        again = is_of_signal(first);
        if (again)
            Py_XSETREF(raised, Py_NewRef(first));
        Py_XDECREF(first);
    }
    raise_later(raised);
    PyErr_SetRaisedException(pending);
    PyGILState_Release(gil);
    return runs;
}

bool py_gil_spawn(void *user, unsigned worker, void (*main)(void *arg),
                  void *arg)
{
    spawner by = { .state = user, .worker = worker };
    return spawn(&by, main, arg);
}

bool py_gil_spawn_by(PyObject *begin, unsigned worker, void (*main)(void *arg),
                     void *arg)
{
    spawner by = { .begin = begin, .worker = worker };
    return spawn(&by, main, arg);
}
