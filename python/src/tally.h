/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tally.h: an observer that counts tasks, for who looks now and then. It costs
 * a task an addition.
 */
#ifndef PY_TALLY_H
#define PY_TALLY_H

#include "module.h"

typedef struct py_counts {
    size_t total, done, failed, skipped;
} py_counts;

/* NULL: no memory. Freed with PyMem_RawFree. */
plait_observer *py_tally_new(void);

/* Of all runs that it has watched; while they go on, too. */
py_counts py_tally_counts(const plait_observer *tally);

#endif
