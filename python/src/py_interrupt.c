/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * py_interrupt.c: sending an exception into a task whose time is up, or whose
 * run was cancelled. Sending needs the GIL, and who finds out that it is time
 * must not wait for it, so that a thread of its own does it, begun at first
 * need.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "gil.h"
#include "lower.h"

static struct {
    pthread_mutex_t mutex;
    py_thread *threads; /* guarded by mutex */
    pid_t begun;        /* guarded by mutex: the process it was begun in */
    sem_t wanted;
} interrupts = { .mutex = PTHREAD_MUTEX_INITIALIZER };

void py_interrupt_add(py_thread *thread)
{
    pthread_mutex_lock(&interrupts.mutex);
    thread->next = interrupts.threads;
    if (thread->next)
        thread->next->previous = thread;
    interrupts.threads = thread;
    pthread_mutex_unlock(&interrupts.mutex);
}

void py_interrupt_remove(py_thread *thread)
{
    pthread_mutex_lock(&interrupts.mutex);
    if (thread->previous)
        thread->previous->next = thread->next;
    else
        interrupts.threads = thread->next;
    if (thread->next)
        thread->next->previous = thread->previous;
    pthread_mutex_unlock(&interrupts.mutex);
}

/* Whether it was wanted of the task that runs now, or would have been, had that
 * begun a little earlier: nobody tells it again. */
static bool is_wanted(py_thread *thread)
{
    uint64_t wanted =
        atomic_exchange_explicit(&thread->wanted, 0, memory_order_acq_rel);
    return plait_cancelled(thread->ctx) ||
           (wanted && wanted == atomic_load_explicit(&thread->serial,
                                                     memory_order_relaxed));
}

/* With the GIL, and so while the task, if it still runs, stands still. */
static void send(py_thread *thread)
{
    py_lowering *low = thread->lowering;
    if (!low || thread->interrupted || !is_wanted(thread))
        return;
    PyObject *kind = plait_timed_out(thread->ctx) ? PyExc_TimeoutError
                                                  : low->state->task_cancelled;
    thread->interrupted = true;
    PyThreadState_SetAsyncExc(thread->ident, kind);
}

static void send_all(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    pthread_mutex_lock(&interrupts.mutex);
    for (py_thread *at = interrupts.threads; at; at = at->next)
        send(at);
    pthread_mutex_unlock(&interrupts.mutex);
    PyGILState_Release(gil);
}

static void *run(void *unused)
{
    (void)unused;
    for (;;) {
        while (sem_wait(&interrupts.wanted) != 0 && errno == EINTR)
            ;
        if (Py_IsFinalizing())
            return NULL;
        send_all();
    }
}

/* Under the mutex. Without the thread a task is not interrupted. */
static void begin(void)
{
    if (interrupts.begun == getpid())
        return;
    pthread_t thread;
    pthread_attr_t attributes;
    if (sem_init(&interrupts.wanted, 0, 0) != 0 ||
        pthread_attr_init(&attributes) != 0)
        return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, run, NULL) == 0)
        interrupts.begun = getpid();
    pthread_attr_destroy(&attributes);
}

void py_interrupt(void *user, void *data)
{
    (void)user;
    py_thread *thread = data;
    if (!thread)
        return;
    uint64_t serial =
        atomic_load_explicit(&thread->serial, memory_order_relaxed);
    atomic_store_explicit(&thread->wanted, serial, memory_order_release);
    pthread_mutex_lock(&interrupts.mutex);
    begin();
    pthread_mutex_unlock(&interrupts.mutex);
    sem_post(&interrupts.wanted);
}

void py_interrupt_settle(py_thread *thread)
{
    atomic_store_explicit(&thread->wanted, 0, memory_order_relaxed);
    if (!thread->interrupted)
        return;
    thread->interrupted = false;
    /* Taking back what was never sent, or has arrived, would leave the
     * interpreter looking for it, in 3.11 without end under a tracer. */
    if (thread->tstate->async_exc)
        PyThreadState_SetAsyncExc(thread->ident, NULL);
}

void py_interrupt_stop(py_thread *thread)
{
    py_interrupt_settle(thread);
    thread->interrupted = true;
}
