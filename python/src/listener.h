/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * listener.h: the callbacks of one computation: tuples of five functions, as
 * in Dask, (start, start_state, pretask, posttask, finish), or of six.
 *
 * They are called one at a time: a task's function after pretask, and that of
 * what needs its result after posttask. compute calls them in the thread that
 * computes, as in Dask. In a task that computes, and for what start began, they
 * are called where the event happens, in the submitter's context: nobody waits
 * there who could. What a callback computes is computed in its own thread.
 *
 * dsk and state are None here: plait.callbacks has them. The sixth function
 * gets the key of each task that has ended, or never ran, without a value.
 *
 * The first exception of a callback ends the run: no more are called but
 * finish, no task begins, and it is raised in the place of the result.
 */
#ifndef PY_LISTENER_H
#define PY_LISTENER_H

#include "lower.h"

typedef struct py_listener py_listener;

/* For a sequence of callbacks. `in_background`: nobody will wait. */
py_listener *py_listener_new(py_lowering *low, PyObject *callbacks,
                             const py_settings *settings, bool in_background);
void py_listener_free(py_listener *listener);

const plait_observer *py_listener_observer(const py_listener *listener);

/* start and start_state; when one raises, finish is called too. */
int py_listener_start(py_listener *listener);

/* Waits until the run has ended, as py_run_join; calls the callbacks. */
int py_listener_join(py_listener *listener, plait_run *run,
                     plait_status *status, plait_error *err);

/* From now on nothing is called but finish; waits for what is being called,
 * without the GIL. Keeps the exception that is set. */
void py_listener_close(py_listener *listener);

/* Calls finish, once. -1: an exception is set, its or that from before. */
int py_listener_finish(py_listener *listener, bool errored);

/* Whether it is, or a callback has ended the run.  Without the GIL, too. */
bool py_listener_is_closed(const py_listener *listener);

/* Whether a callback has ended the run: low->stopped_by is its exception. */
bool py_listener_has_raised(const py_listener *listener);

/* Whether this thread is in a callback. */
bool py_listener_calls(void);

#endif
