/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * executor.h: executors by name, and the options of a call as they are meant.
 */
#ifndef PL_EXECUTOR_H
#define PL_EXECUTOR_H

#include <plait/executor_impl.h>

#include "base/refcount.h"

/* A flag of our own executors: runs are not driven as owned ones. */
#define PL_EXECUTOR_NOT_OWNED (UINT32_C(1) << 31)

/* Interrupts what runs of a language runtime's tasks, on one worker's lane of a
 * run or (PL_NO_WORKER) all: plait_runtime.interrupt. */
typedef void (*pl_interrupt_fn)(void *self, plait_run *run, unsigned worker);

/* An open executor. Runs hold it, so that it outlives its closing. */
struct plait_executor {
    pl_interrupt_fn interrupt; /* of our own executors; or NULL */
    pl_refcount count;
    plait_executor_ops ops;
    void *self;
    uint32_t generation; /* pl_process_generation when it was opened */
    _Atomic uint32_t workers;
    _Atomic bool closed;
};

/* Our own. */
extern const plait_executor_ops pl_sync_ops;
extern const plait_executor_ops pl_threads_ops;
void pl_sync_interrupt(void *self, plait_run *run, unsigned worker);
void pl_threads_interrupt(void *self, plait_run *run, unsigned worker);

/* A caller's options, with what they leave open filled in from the
 * environment: the scheduler's name, and workers when it says some. */
plait_status pl_options_read(const plait_options *given, plait_options *options,
                             plait_error *err);

/* The executor that the options name, opened when it has to be; a reference.
 * NULL when it failed.  Thread: any.  Blocks: no. */
plait_executor *pl_executor_find(const plait_options *options,
                                 plait_error *err);

void pl_executor_release(plait_executor *executor);

/* Closes it, whatever thread this is: plait_executor_close without its look at
 * the tasks that the thread is in. Takes the reference. */
void pl_executor_close(plait_executor *executor);

/* Opens one of its own; a reference. */
plait_executor *pl_executor_new(const char *name, const plait_options *options,
                                plait_error *err);

#endif
