/* SPDX-License-Identifier: BSD-3-Clause */
/* compute.h: running a lowering, and waiting for it. */
#ifndef PY_COMPUTE_H
#define PY_COMPUTE_H

#include "lower.h"

/* Reads the arguments that compute and start have in common; `*targets` is a
 * new list. */
int py_settings_read(py_state *state, PyObject *args, PyObject *kwargs,
                     py_settings *settings, PyObject **targets);

/* A number of seconds over 0, or None, which is 0. -1: an exception that names
 * the argument is set. */
int py_seconds_read(PyObject *value, const char *name, double *out);

/* Starts a run of what was lowered (not for no tasks at all); NULL with an
 * exception set. With sync it has ended. */
plait_run *py_run_begin(py_lowering *low, const py_settings *settings);

/*
 * Waits until a run has ended, or timeout_ms have passed (-1: as long as it
 * takes): 1, 0, or -1 with the exception of a signal's handler. `*status` and
 * `err` are the run's.
 */
int py_run_join(plait_run *run, int64_t timeout_ms, plait_status *status,
                plait_error *err);

/* Cancels a run, and lets go of it. */
void py_run_abandon(py_lowering *low, plait_run *run);

/* The value of target i; with `collects` a Failure where there is none. */
PyObject *py_target_value(py_lowering *low, plait_run *run, size_t i,
                          bool collects);

/* The values of all targets: a list. */
PyObject *py_target_values(py_lowering *low, plait_run *run, bool collects);

/* ---- run.c ---- */

/* What a Run runs, borrowed. */
const py_lowering *py_run_lowering(PyObject *run);

/* ---- py_pool.c ---- */

/* The executor of a Pool; NULL with an exception set: it is closed. */
plait_executor *py_pool_executor(py_state *state, PyObject *pool);

#endif
