/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * executor_impl.h: for people who write an executor. Programs that only run
 * graphs don't need it.
 *
 * The engine is passive: it knows which task is ready, what can be freed and
 * what has failed. It starts no thread, takes no lock and does no I/O. An
 * executor drives a run: it takes ready tasks, has them executed somewhere, and
 * says how each ended. It knows the engine by the functions below, and the
 * engine knows it by one struct, plait_executor_ops.
 *
 * A foreign executor's runs are *owned*: one thread at a time drives a run.
 * (The library's own threads executor drives *shared* runs, by many threads.)
 *
 * Tasks are named by their plan number, which is also their priority: lowest
 * first. Every start of a task has an attempt number; a completion that carries
 * an old one is dropped.
 */
#ifndef PLAIT_EXECUTOR_IMPL_H
#define PLAIT_EXECUTOR_IMPL_H

#include <plait/executor.h>

PLAIT_BEGIN_DECLS

/*
 * A task's result as the executor keeps it. In the same address space it is the
 * plait_value; elsewhere a descriptor of 16 bytes that `fetch` turns into one
 * and `drop` frees. An error is always a plait_value.
 */
typedef union plait_slot {
    plait_value value;
    uint64_t words[2];
} plait_slot;

typedef struct plait_attempt {
    uint32_t task; /* the plan number */
    uint32_t number;
} plait_attempt;

#define PLAIT_EXECUTOR_REMOTE_VALUES (1u << 0) /* slots are descriptors */
#define PLAIT_EXECUTOR_OPS_INIT .size = sizeof(plait_executor_ops)

/* `self` is what open made. Slots of ops that the executor doesn't need may be
 * NULL, but for start. */
typedef struct plait_executor_ops {
    PLAIT_SIZE_FIRST(plait_executor_ops);
    const char *name; /* what plait_options.scheduler says; copied */
    uint32_t flags;
    plait_status (*open)(const plait_options *options, void **self,
                         plait_error *err);
    /* Begins to drive the run; waits for no task, unless the executor runs
     * everything in the caller's thread. May call plait_run_set_driver. On
     * failure the run ends with that error. */
    plait_status (*start)(void *self, plait_run *run, plait_error *err);
    /* A task waits for `run`: lend its thread to that run's tasks, and to
     * nothing else, until the run has ended or until_ns (CLOCK_MONOTONIC). May
     * return early when there is nothing to do. */
    void (*help)(void *self, plait_run *run, int64_t until_ns);
    /* The run is cancelled: plait_run_next will give out nothing more. From any
     * thread, once, must not block; it may come before start has returned, or
     * has even begun. */
    void (*cancel)(void *self, plait_run *run);
    /* The value of a descriptor; any thread. */
    plait_status (*fetch)(void *self, plait_run *run, uint32_t task,
                          const plait_slot *slot, plait_value *out,
                          plait_error *err);
    /* A result's last use is over; the thread that drives the run, or the one
     * that frees it. */
    void (*drop)(void *self, plait_run *run, plait_slot *slot);
    /* The run's memory goes: free what start made for it. */
    void (*forget)(void *self, plait_run *run);
    void (*close)(void *self);
    /* A default executor, which runs share, is asked for more workers. */
    plait_status (*grow)(void *self, unsigned workers, plait_error *err);
} plait_executor_ops;

/* Makes an executor known by name. The struct is copied. A name that is taken
 * is PLAIT_EINVAL.  Thread: any.  Blocks: no. */
PLAIT_API plait_status plait_executor_register(const plait_executor_ops *ops,
                                               plait_error *err);

/* ---- driving an owned run.  Thread: the one that drives.  Blocks: no. ---- */

/* What the executor keeps per run. */
PLAIT_API void plait_run_set_driver(plait_run *run, void *driver);
PLAIT_API void *plait_run_driver(const plait_run *run);

/* Begins the ready task of lowest number; false: none is ready now. */
PLAIT_API bool plait_run_next(plait_run *run, plait_attempt *out);

/* The attempt ended with a result (taken), an error value included. Retries are
 * the engine's: the task may simply be ready again. */
PLAIT_API void plait_run_complete(plait_run *run, plait_attempt attempt,
                                  plait_slot result);

/* The attempt ended with an error value (taken): for REMOTE_VALUES, whose other
 * slots can't be errors. */
PLAIT_API void plait_run_fail(plait_run *run, plait_attempt attempt,
                              plait_value error);

/*
 * The result of a task that was done has died with its worker, or the attempt
 * that was running has: the task is waiting again. Ready successors are
 * withdrawn; inputs that were already freed are lost in turn. A loss of what
 * is neither done nor running is nothing. The dead slot is not dropped.
 */
PLAIT_API void plait_run_lose(plait_run *run, uint32_t task);

/* Whether the run needs nothing more: resolved, or cancelled with nothing
 * running. The executor must go on until then, and then call plait_run_end. */
PLAIT_API bool plait_run_finished(const plait_run *run);

/* The executor lets go of a finished run, once for each run that it started:
 * waiters wake, and the run may be gone when this returns. */
PLAIT_API void plait_run_end(plait_run *run);

/* Whether the run is cancelled, or stopped by a failure.  Thread: any. */
PLAIT_API bool plait_run_stopping(const plait_run *run);

/* Calls the task's function in this thread, with inputs from the slots, which
 * must hold values, and returns what it returned. */
PLAIT_API plait_value plait_run_execute(plait_run *run, plait_attempt attempt,
                                        unsigned worker);

/* The tasks whose results a task uses, in order of its arguments, repeats
 * included: up to n of them; returns how many there are.  Thread: any. */
PLAIT_API size_t plait_run_inputs(const plait_run *run, uint32_t task,
                                  uint32_t *inputs, size_t n);

/* Where the result of a done task is kept; NULL when it is not there.  */
PLAIT_API plait_slot *plait_run_slot(plait_run *run, uint32_t task);

/* The handle of a plan number.  Thread: any. */
PLAIT_API plait_task plait_run_task(const plait_run *run, uint32_t task);

PLAIT_END_DECLS

#endif
