/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * observer.h: who watches a computation: callbacks of Python (listener.h), and
 * the C library's own observers, which are objects of type Observer.
 *
 * A lowering that nobody watches has no watch, and its run pays nothing.
 */
#ifndef PY_OBSERVER_H
#define PY_OBSERVER_H

#include "lower.h"

typedef struct py_watch py_watch;

/* Has a computation watched as the settings say, and calls the callbacks'
 * start. In the background: finish is called by py_watch_ended. */
int py_watch_begin(py_lowering *low, const py_settings *settings,
                   bool in_background);

/* Adds the run's observers to that of every run, if there is one. */
void py_watch_options(const py_lowering *low, plait_options *options);

/* Waits until the run has ended, as py_run_join without a timeout. */
int py_watch_join(py_lowering *low, plait_run *run, plait_status *status,
                  plait_error *err);

/* Whether a callback has raised, which is to be raised by py_failure_raise;
 * the run may have ended well before it could be cancelled. */
bool py_watch_has_raised(const py_lowering *low);

/* Before a run is let go of: no event comes any more. */
void py_watch_close(py_lowering *low);

/* The run has ended.  Without the GIL. */
void py_watch_ended(py_lowering *low, plait_run *run);

/* The end of a computation that somebody waited for: takes its result, NULL
 * for none, and returns it, or NULL when a callback's finish has raised. */
PyObject *py_watch_end(py_lowering *low, PyObject *result);

/* Needs the GIL. */
void py_watch_free(py_watch *watch);

/* The error of a task that is not to begin, as a callback has ended the run,
 * else nil; for a run that is watched.  Without the GIL, too. */
plait_value py_watch_look(const py_lowering *low);

/* The function of tasks with callbacks: one that has ended the run keeps them
 * from beginning. */
plait_value py_watch_task(plait_context *ctx, const plait_value *args,
                          size_t n_args);

/* ---- observer.c ---- */

/* An Observer begins to watch a run of what was lowered; -1: it is none, or
 * closed. It can't be closed before py_observer_end. */
int py_observer_begin(py_lowering *low, PyObject *observer);
/* With or without the GIL. */
void py_observer_end(PyObject *observer);

const plait_observer *py_observer_get(PyObject *observer);

/* Whether it tells tasks by their names: of what has begun to watch. */
bool py_observer_names(PyObject *observer);

/* Whether it is a profile, not closed, that watched a run of this. */
bool py_observer_knows(const py_lowering *low, PyObject *observer);

#endif
