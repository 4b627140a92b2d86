/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * listener.c: a plait_observer that calls functions of Python.
 *
 * A thread with an event queues it, and waits until its callbacks have been
 * called: by the thread that computes, or by itself when it is its turn. Where
 * another thread calls, the end of a task is not waited for: what comes after
 * it has a begin, which stands behind it in the queue. Who holds the mutex
 * never waits for the GIL; who waits for its turn holds neither.
 *
 * Each hand-over of the GIL costs more than what is called. So who calls tells
 * the one that waits for it when it has let go of the GIL, or calls more.
 */
#include "listener.h"

#include <errno.h>
#include <time.h>

#include "callbacks.h"
#include "compute.h"
#include "event_queue.h"
#include "gil.h"
#include "native.h"

#define LOOK_MS 100
/* More events than this that nobody waits for are waited for. */
#define MANY_POSTED 100

struct py_listener {
    py_lowering *low; /* whose it is */
    plait_observer observer;
    py_callbacks callbacks;
    PyObject *context; /* to call in, or NULL: in that of the thread */
    bool serves;       /* the thread that computes calls */
    bool raised;       /* a callback: low->stopped_by */
    bool hurries;      /* a failure ends the run at once */
    pthread_t caller;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* guarded by mutex */
    py_event_queue queue; /* of those nobody has begun to call for */
    py_event *current;    /* whose callbacks are being called */
    py_event *called;     /* for whom they were, and who is not told yet */
    unsigned inside;      /* threads in on_event */
    bool stops;           /* the run has ended, or is about to be stopped */
    uint8_t *begun;       /* a bit per row */
    /* written under mutex; it may be read without */
    _Atomic bool closed;
};

/* Whose callbacks this thread is in. */
static _Thread_local const py_listener *calling;

bool py_listener_calls(void)
{
    return calling != NULL;
}

bool py_listener_is_closed(const py_listener *self)
{
    /* relaxed: a task that sees it late begins as if a moment earlier */
    return atomic_load_explicit(&self->closed, memory_order_relaxed);
}

bool py_listener_has_raised(const py_listener *self)
{
    return self->raised;
}

/* ---- calling; with the GIL ---- */

/* A task's value, which stays where it is until the event is over. */
static PyObject *result_of(py_listener *self, const py_event *at)
{
    const py_row *row = &self->low->rows[at->row];
    if (at->result)
        return Py_NewRef(at->result);
    if (!row->result && row->native)
        return py_native_import(self->low, at->row, at->value);
    return Py_NewRef(row->result ? row->result : Py_None);
}

static int call_posttask(py_listener *self, const py_event *at, PyObject *key)
{
    PyObject *result = result_of(self, at);
    PyObject *worker = result ? PyLong_FromUnsignedLong(at->worker) : NULL;
    PyObject *args[] = { key, result, Py_None, Py_None, worker };
    int status =
        worker ? py_callbacks_call(&self->callbacks, PY_POSTTASK, args, 5) : -1;
    Py_XDECREF(worker);
    Py_XDECREF(result);
    return status;
}

static int call_for(py_listener *self, const py_event *at)
{
    PyObject *key =
        py_delayed_key(self->low->state, self->low->rows[at->row].task);
    if (!key)
        return -1;
    PyObject *args[] = { key, Py_None, Py_None };
    if (at->kind == PLAIT_TASK_BEGIN)
        return py_callbacks_call(&self->callbacks, PY_PRETASK, args, 3);
    if (at->kind == PLAIT_TASK_END)
        return call_posttask(self, at, key);
    return py_callbacks_call(&self->callbacks, PY_NO_VALUE, args, 1);
}

static int call_in_context(py_listener *self, const py_event *at)
{
    if (!self->context)
        return call_for(self, at);
    if (PyContext_Enter(self->context) != 0)
        return -1;
    int status = call_for(self, at);
    PyObject *raised = status != 0 ? PyErr_GetRaisedException() : NULL;
    if (PyContext_Exit(self->context) != 0)
        status = -1;
    if (raised)
        PyErr_SetRaisedException(raised);
    return status;
}

/* ---- the queue; with the mutex ---- */

static void push(py_listener *self, py_event *at)
{
    py_events_push(&self->queue, at);
    if (self->serves)
        pthread_cond_broadcast(&self->changed);
}

static void tell_called(py_listener *self)
{
    if (self->called)
        py_event_tell(self->called);
    self->called = NULL;
}

/* Nothing is called any more: those who wait for it go on. Returns those that
 * nobody waits for. */
static py_event *shut(py_listener *self)
{
    atomic_store_explicit(&self->closed, true, memory_order_relaxed);
    tell_called(self);
    pthread_cond_broadcast(&self->changed);
    return py_events_clear(&self->queue);
}

/* The exception that is set ends the run. */
static void end_run(py_listener *self, plait_run *run)
{
    PyObject *raised = PyErr_GetRaisedException();
    self->raised = true;
    Py_XSETREF(self->low->stopped_by, raised);
    pthread_mutex_lock(&self->mutex);
    py_event *posted = shut(self);
    pthread_mutex_unlock(&self->mutex);
    py_events_free(posted);
    py_left left = py_gil_leave();
    plait_run_cancel(run);
    py_gil_take(left);
}

/* What a thread is put out of while it calls. */
typedef struct stay {
    py_lowering *lowering;
    bool told;
    uint64_t serial;
} stay;

/* In an event the thread is in no task, so that none is interrupted when the
 * run is cancelled; `attached`: the engine has the GIL for it, and a
 * computation leaves the GIL to the engine. */
static stay step_out(py_thread *thread, bool attached)
{
    stay before = { thread->lowering, thread->told,
                    atomic_load_explicit(&thread->serial,
                                         memory_order_relaxed) };
    thread->lowering = NULL;
    thread->told = attached;
    atomic_store_explicit(&thread->serial, ++thread->tasks,
                          memory_order_relaxed);
    return before;
}

static void step_in(py_thread *thread, const stay *before)
{
    py_interrupt_settle(thread);
    thread->lowering = before->lowering;
    thread->told = before->told;
    atomic_store_explicit(&thread->serial, before->serial,
                          memory_order_relaxed);
}

/* Calls for one event, on a thread that may be in a task's event itself. */
static void call_outside(py_listener *self, const py_event *at, bool attached)
{
    const py_listener *outer = calling;
    PyGILState_STATE gil = PyGILState_Ensure();
    py_thread *thread = py_thread_here();
    stay before;
    if (thread)
        before = step_out(thread, attached);
    calling = self;
    if (call_in_context(self, at) != 0)
        end_run(self, at->run);
    calling = outer;
    if (thread)
        step_in(thread, &before);
    PyGILState_Release(gil);
}

/* Calls for the first event. */
static void serve(py_listener *self, bool attached)
{
    tell_called(self);
    py_event *at = py_events_pop(&self->queue);
    self->current = at;
    pthread_mutex_unlock(&self->mutex);
    call_outside(self, at, attached);
    if (at->posted) {
        PyGILState_STATE gil = PyGILState_Ensure();
        py_events_free(at);
        PyGILState_Release(gil);
        at = NULL;
    }
    pthread_mutex_lock(&self->mutex);
    self->current = NULL;
    self->called = at;
}

/* Until it is told; without the GIL. */
static void wait_for_word(py_listener *self, py_event *at, bool attached)
{
    PyThreadState *tstate = attached ? PyEval_SaveThread() : NULL;
    pthread_cond_wait(&at->told, &self->mutex);
    if (!attached)
        return;
    pthread_mutex_unlock(&self->mutex);
    PyEval_RestoreThread(tstate);
    pthread_mutex_lock(&self->mutex);
}

static bool is_caller(const py_listener *self)
{
    return !self->serves || pthread_equal(self->caller, pthread_self());
}

/* Until the callbacks of an event, which is queued, have been called. */
static void see_to(py_listener *self, py_event *at, bool attached)
{
    bool calls = is_caller(self);
    while (!at->done) {
        if (!calls || self->current ||
            !(self->serves || self->queue.first == at)) {
            wait_for_word(self, at, attached);
            continue;
        }
        serve(self, attached);
        tell_called(self);
        if (!self->serves && self->queue.first)
            pthread_cond_signal(&self->queue.first->told);
    }
}

/* ---- events ---- */

/* A task that is tried again has begun before. */
static bool is_news(py_listener *self, const py_event *at)
{
    if (at->kind != PLAIT_TASK_BEGIN)
        return true;
    uint8_t bit = (uint8_t)(1 << (at->row % 8));
    bool is_first = !(self->begun[at->row / 8] & bit);
    self->begun[at->row / 8] |= bit;
    return is_first;
}

/* An event of its own that nobody waits for; NULL: somebody has to. */
static py_event *post(py_listener *self, const py_event *from, bool attached)
{
    const py_row *row = &self->low->rows[from->row];
    bool is_object = from->kind == PLAIT_TASK_END && !row->native;
    if (from->kind == PLAIT_TASK_BEGIN || is_caller(self) ||
        self->queue.n_posted >= MANY_POSTED || (is_object && !attached))
        return NULL;
    return py_event_post(from, is_object ? row->result : NULL);
}

static void note(py_listener *self, py_event *at, bool attached)
{
    if (py_listener_is_closed(self) || !is_news(self, at))
        return;
    self->stops |= self->hurries && at->kind == PLAIT_TASK_FAILED;
    py_event *posted = post(self, at, attached);
    if (posted) {
        push(self, posted);
        return;
    }
    pthread_cond_init(&at->told, NULL);
    self->inside++;
    push(self, at);
    see_to(self, at, attached);
    self->inside--;
    pthread_cond_destroy(&at->told);
    if (py_listener_is_closed(self))
        pthread_cond_broadcast(&self->changed);
}

static void on_event(const plait_event *said, void *user)
{
    py_listener *self = user;
    if (Py_IsFinalizing())
        return;
    py_event at = { .kind = said->kind,
                    .run = said->run,
                    .row = said->task.id - 1,
                    .worker = said->worker,
                    .value = said->kind == PLAIT_TASK_END ? said->value
                                                          : plait_nil() };
    bool attached = PyGILState_Check();
    pthread_mutex_lock(&self->mutex);
    if (said->kind == PLAIT_RUN_END) {
        self->stops = true;
        pthread_cond_broadcast(&self->changed);
    } else {
        note(self, &at, attached);
    }
    pthread_mutex_unlock(&self->mutex);
}

/* ---- the thread that computes ---- */

static void time_after_ms(struct timespec *time, long ms)
{
    clock_gettime(CLOCK_MONOTONIC, time);
    time->tv_sec += ms / 1000;
    time->tv_nsec += ms % 1000 * 1000000;
    if (time->tv_nsec >= 1000000000) {
        time->tv_sec++;
        time->tv_nsec -= 1000000000;
    }
}

/* Until there is an event (true), or the run may have ended; a while at most.
 * `*wait_ms`: how long to wait for its end. */
static bool wait_for_event(py_listener *self, int64_t *wait_ms)
{
    struct timespec until;
    time_after_ms(&until, LOOK_MS);
    py_left left = py_gil_leave();
    pthread_mutex_lock(&self->mutex);
    tell_called(self);
    while (!self->queue.first && !self->stops && !py_listener_is_closed(self)) {
        if (pthread_cond_timedwait(&self->changed, &self->mutex, &until) ==
            ETIMEDOUT)
            break;
    }
    bool there_is = self->queue.first != NULL;
    *wait_ms = self->stops ? 1 : 0;
    pthread_mutex_unlock(&self->mutex);
    py_gil_take(left);
    return there_is;
}

static void serve_all(py_listener *self)
{
    pthread_mutex_lock(&self->mutex);
    while (self->queue.first)
        serve(self, false);
    pthread_mutex_unlock(&self->mutex);
}

int py_listener_join(py_listener *self, plait_run *run, plait_status *status,
                     plait_error *err)
{
    if (!self->serves)
        return py_run_join(run, -1, status, err);
    for (;;) {
        int64_t wait_ms;
        bool is_event = wait_for_event(self, &wait_ms);
        if (py_gil_look() != 0)
            return -1;
        if (is_event) {
            serve_all(self);
            continue;
        }
        int ended = py_run_join(run, wait_ms, status, err);
        if (ended != 0) {
            serve_all(self);
            return ended;
        }
    }
}

/* ---- begin and end ---- */

int py_listener_start(py_listener *self)
{
    return py_callbacks_start(&self->callbacks);
}

int py_listener_finish(py_listener *self, bool errored)
{
    return py_callbacks_finish(&self->callbacks, errored);
}

void py_listener_close(py_listener *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    unsigned own = calling == self;
    PyThreadState *tstate = PyEval_SaveThread();
    pthread_mutex_lock(&self->mutex);
    py_event *posted = shut(self);
    while (self->inside > own)
        pthread_cond_wait(&self->changed, &self->mutex);
    pthread_mutex_unlock(&self->mutex);
    PyEval_RestoreThread(tstate);
    py_events_free(posted);
    PyErr_SetRaisedException(raised);
}

/* ---- the listener ---- */

const plait_observer *py_listener_observer(const py_listener *self)
{
    return &self->observer;
}

/* What somebody is called for. */
static unsigned kinds_of(const py_listener *self)
{
    unsigned kinds = PLAIT_RUN_END;
    if (py_callbacks_have(&self->callbacks, PY_PRETASK))
        kinds |= PLAIT_TASK_BEGIN;
    if (py_callbacks_have(&self->callbacks, PY_POSTTASK))
        kinds |= PLAIT_TASK_END;
    if (py_callbacks_have(&self->callbacks, PY_NO_VALUE))
        kinds |= PLAIT_TASK_FAILED | PLAIT_TASK_SKIPPED;
    if (self->hurries)
        kinds |= PLAIT_TASK_FAILED;
    return kinds;
}

static void init_sync(py_listener *self)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&self->mutex, NULL);
}

py_listener *py_listener_new(py_lowering *low, PyObject *callbacks,
                             const py_settings *settings, bool in_background)
{
    py_listener *self = PyMem_RawCalloc(1, sizeof *self);
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    init_sync(self);
    self->low = low;
    py_events_init(&self->queue);
    self->serves = !in_background && !py_gil_is_engines();
    self->hurries = settings->on_error == PLAIT_STOP;
    self->caller = pthread_self();
    self->begun = PyMem_RawCalloc(low->n_rows / 8 + 1, 1);
    bool is_good = py_callbacks_read(&self->callbacks, callbacks) == 0;
    if (is_good)
        self->observer = (plait_observer){
            PLAIT_OBSERVER_INIT,
            .kinds = kinds_of(self),
            .on_event = on_event,
            .user = self,
        };
    if (is_good && !self->serves)
        self->context = PyContext_Copy(low->context);
    if (is_good && self->begun && (self->serves || self->context))
        return self;
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    py_listener_free(self);
    return NULL;
}

void py_listener_free(py_listener *self)
{
    if (!self)
        return;
    py_events_free(self->queue.first);
    Py_XDECREF(self->callbacks.tuple);
    Py_XDECREF(self->context);
    PyMem_RawFree(self->begun);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
    PyMem_RawFree(self);
}
