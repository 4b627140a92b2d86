/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gil.h: who holds Python's lock. The engine's workers take it through the one
 * plait_runtime of the extension, over consecutive tasks; the thread that
 * waits for a run lets go of it.
 */
#ifndef PY_GIL_H
#define PY_GIL_H

#include <stdatomic.h>

#include "module.h"

/* A thread on which tasks run; that thread's own, but for what is atomic. */
typedef struct py_thread {
    struct py_thread *next; /* guarded by the list's mutex, with `previous` */
    struct py_thread *previous;
    struct py_thread *outer; /* of this thread, before */
    PyThreadState *tstate;
    unsigned long ident;  /* as threading has it */
    bool owned;           /* the thread state was made for it */
    unsigned until_pause; /* tasks; see task.c */
    int64_t paused_ns;
    bool failure_told;  /* its failure is logged: the engine need not */
    bool interrupted;   /* guarded by the GIL: none is sent any more */
    plait_context *ctx; /* of the task that runs; NULL: none */
    struct py_lowering *lowering; /* of that task */
    bool told;                    /* in an event; the engine has the GIL */
    uint32_t row;                 /* of that task */
    uint64_t tasks;               /* that it has begun */
    _Atomic uint64_t serial;      /* of the task that runs, by that count */
    _Atomic uint64_t wanted;      /* the serial of a task to interrupt */
} py_thread;

/* The one runtime: the process's, as its engine is. */
plait_runtime *py_runtime(void);

/* What this thread is as one of tasks; NULL: it runs none now. */
py_thread *py_thread_here(void);

/* A lock that was let go of. */
typedef struct py_left {
    PyThreadState *tstate; /* NULL: it was not */
    PyThreadState *before;
} py_left;

/*
 * Lets go of the lock while C waits or runs tasks; py_gil_take gets it back.
 * In a task the engine does that by itself, and nothing is done.
 */
py_left py_gil_leave(void);
void py_gil_take(py_left left);

/*
 * What the interpreter does between two calls of Python code, and never between
 * two of C: lets others have the lock if they asked for it, calls the handlers
 * of signals (on the main thread), raises what was sent to this thread. Runs
 * any code. -1: an exception is set. About 40 ns.
 */
int py_gil_pause(py_state *state);

int py_gil_setup(py_state *state);

/* Whether it would do nothing. */
bool py_gil_is_engines(void);

/*
 * For who waits: calls the handlers of signals, and looks whether the task that
 * this thread is in, if any, had better end. -1: an exception is set.
 */
int py_gil_look(void);

/* The latter, of the task that this thread is in. */
int py_gil_may_go_on(py_thread *thread);

/* plait_options.spawn: a threading.Thread that runs main(arg). `user` is a
 * py_state. */
bool py_gil_spawn(void *user, unsigned worker, void (*main)(void *arg),
                  void *arg);

/* The same by `begin`, called with what the thread has to call, and its number:
 * it begins the thread. */
bool py_gil_spawn_by(PyObject *begin, unsigned worker, void (*main)(void *arg),
                     void *arg);

/* ---- py_interrupt.c ---- */

/* A thread comes, or goes. */
void py_interrupt_add(py_thread *thread);
void py_interrupt_remove(py_thread *thread);

/* plait_runtime.interrupt: sends an exception into the task that runs there,
 * soon, from a thread of its own. Any thread; doesn't block. */
void py_interrupt(void *user, void *thread);

/* After a task: takes back what was sent and has not arrived. */
void py_interrupt_settle(py_thread *thread);

/* The same before the task is left: what follows isn't its function. */
void py_interrupt_stop(py_thread *thread);

#endif
