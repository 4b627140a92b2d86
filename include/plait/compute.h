/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compute.h: running graphs.
 *
 * Outs are always written before return, on every path, and the caller
 * releases all of them: the value, or nil; under PLAIT_COLLECT the error
 * value. The "first" failure is the one of lowest plan number: the same on
 * every scheduler.
 */
#ifndef PLAIT_COMPUTE_H
#define PLAIT_COMPUTE_H

#include <plait/observe.h>

PLAIT_BEGIN_DECLS

typedef struct plait_plan plait_plan;
typedef struct plait_executor plait_executor;

typedef enum plait_on_error {
    PLAIT_FINISH = 0, /* what needs a failed task never runs, every other
                         branch finishes, then the first failure is returned
                         (none, when tasks that accept errors dealt with all) */
    PLAIT_STOP = 1,   /* start nothing new, return at once */
    PLAIT_COLLECT = 2 /* as FINISH, but every target gets its value or its
                         error value, and the status is PLAIT_OK */
} plait_on_error;

typedef enum plait_order {
    PLAIT_ORDER_AUTO = 0,    /* weigh the time of ordering against the memory */
    PLAIT_ORDER_MEMORY = 1,  /* fewest live results, whatever it takes */
    PLAIT_ORDER_CREATION = 2 /* as the tasks were created */
} plait_order;

/* worker_losses: a task that began on a lost worker is never run again. */
#define PLAIT_ONCE ((unsigned)-1)

#define PLAIT_OPTIONS_INIT .size = sizeof(plait_options)

/* Zero, or NULL, is the default everywhere. Strings are copied. */
typedef struct plait_options {
    PLAIT_SIZE_FIRST(plait_options);
    const char *scheduler; /* "sync", "threads", "processes", "distributed", or
                              a registered one; NULL: $PLAIT_SCHEDULER, else
                              threads */
    plait_executor *executor; /* an opened one, instead of `scheduler` */
    unsigned
        workers; /* the most tasks of this run at one time, up to 1,024;
                    0: $PLAIT_WORKERS, else the CPUs this process may use */
    plait_on_error on_error;
    unsigned retries;       /* of a task, after an error */
    unsigned worker_losses; /* workers that a task may take down before it
                               fails; 0: three; or PLAIT_ONCE */
    plait_order order;
    unsigned timeout_ms;     /* a task; it is told by plait_cancelled */
    unsigned run_timeout_ms; /* the run is cancelled: PLAIT_ETIMEDOUT */
    FILE *progress;          /* shows progress there, while the call lasts */
    const plait_observer *const *observers;
    size_t n_observers;
    void *user; /* -> plait_context_user */
    /* Makes a thread of a pool that is opened with these options: runs
     * main(arg) on a thread of the front end's own; false: it could not.
     * NULL: the library makes its threads. */
    bool (*spawn)(void *spawn_user, unsigned worker, void (*main)(void *arg),
                  void *arg);
    void *spawn_user;
    /* distributed */
    const char *address;
    const char *scheduler_file;
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
    bool allow_insecure;
    const char *python;
    unsigned batch;
} plait_options;

/*
 * Plans, runs and waits. PLAIT_OK, or why not, as the run's failure.
 * Thread: any (a task may; it then helps).  Blocks: yes.
 */
PLAIT_API plait_status plait_compute(plait_graph *graph, plait_task task,
                                     const plait_options *options,
                                     plait_value *out, plait_error *err);

/* The same for n tasks. `outs` has room for n.
 * Thread: any (a task may; it then helps).  Blocks: yes. */
PLAIT_API plait_status plait_compute_all(plait_graph *graph,
                                         const plait_task *tasks, size_t n,
                                         const plait_options *options,
                                         plait_value *outs, plait_error *err);

/*
 * Calls fn once for each of n items (taken), at most options->workers at a
 * time; outs[i] is what fn made of items[i]. `name` (NULL: "map") names them:
 * a failure's key is "name-<index>".
 * Thread: any (a task may; it then helps).  Blocks: yes.
 */
PLAIT_API plait_status plait_map(plait_fn fn, const char *name,
                                 const plait_value *items, size_t n,
                                 const plait_options *options,
                                 plait_value *outs, plait_error *err);

/* ---- plans: a graph as it was, to be run as often as one likes ---- */

/* NULL when it failed. Only what the n tasks need is in the plan. The graph may
 * grow meanwhile.  Thread: builder.  Blocks: no. */
PLAIT_API plait_plan *plait_plan_new(plait_graph *graph,
                                     const plait_task *tasks, size_t n,
                                     plait_error *err);

/* The same with options->order.  Thread: builder.  Blocks: no. */
PLAIT_API plait_plan *plait_plan_new_with(plait_graph *graph,
                                          const plait_task *tasks, size_t n,
                                          const plait_options *options,
                                          plait_error *err);

/* The number of tasks in a plan, and its size with its graph's and a run's, in
 * bytes.  Thread: any.  Blocks: no. */
PLAIT_API size_t plait_plan_size(const plait_plan *plan, size_t *bytes);

/* The tasks in the order of their plan numbers: room for plait_plan_size.
 * Thread: any.  Blocks: no. */
PLAIT_API void plait_plan_order(const plait_plan *plan, plait_task *tasks);

/* NULL when it failed.  Thread: any.  Blocks: with sync, until it ends. */
PLAIT_API plait_run *plait_plan_start(plait_plan *plan,
                                      const plait_options *options,
                                      plait_error *err);

/* Lets go; runs live on. NULL is fine.  Thread: any.  Blocks: no. */
PLAIT_API void plait_plan_free(plait_plan *plan);

/* ---- runs ---- */

/* Plans and starts; NULL when it failed.
 * Thread: any.  Blocks: with sync, until it ends. */
PLAIT_API plait_run *plait_start(plait_graph *graph, const plait_task *tasks,
                                 size_t n, const plait_options *options,
                                 plait_error *err);

/* Starts a run of one task: fn with these arguments (taken), on `executor`
 * (NULL: as the options say). plait_run_result(run, { 1, 0 }, …) is its value:
 * a task of { 0, 0 } means the first target.
 * Thread: any.  Blocks: with sync, until it ends. */
PLAIT_API plait_run *plait_submit(plait_executor *executor, plait_fn fn,
                                  const char *name, const plait_value *args,
                                  size_t n_args, const plait_options *options,
                                  plait_error *err);

/*
 * Waits until the run has ended, or timeout_ms have passed (-1: as long as it
 * takes). PLAIT_OK, or the run's failure; PLAIT_EAGAIN: not yet; PLAIT_EINTR: a
 * signal's handler has run on this thread. In a task it helps with that run; a
 * task that waits for the run it is part of gets PLAIT_EINVAL.
 * Thread: any.  Blocks: yes.
 */
PLAIT_API plait_status plait_run_wait(plait_run *run, int64_t timeout_ms,
                                      plait_error *err);

/* Starts nothing new; waits return PLAIT_ECANCELED at once; tasks of language
 * runtimes are interrupted. Idempotent; safe in a signal handler when all tasks
 * are plain C.  Thread: any.  Blocks: no. */
PLAIT_API void plait_run_cancel(plait_run *run);

/* Cancels and lets go, at any time. What running tasks still need lives until
 * the last of them ends. NULL is fine.  Thread: any.  Blocks: no. */
PLAIT_API void plait_run_free(plait_run *run);

/*
 * A target's result: PLAIT_OK with a reference to its value, the task's failure
 * (`*out` is then nil, under PLAIT_COLLECT the error value), PLAIT_EAGAIN while
 * it is not known. { 0, 0 }: the first target. A task that is no target:
 * PLAIT_EINVAL.  Thread: any.  Blocks: no, but for fetching from afar.
 */
PLAIT_API plait_status plait_run_result(plait_run *run, plait_task task,
                                        plait_value *out, plait_error *err);

#define PLAIT_COUNTS_INIT .size = sizeof(plait_counts)

/* While the run goes on, each is as of some moment of the call. */
typedef struct plait_counts {
    PLAIT_SIZE_FIRST(plait_counts);
    size_t total;
    size_t done;    /* with a value */
    size_t failed;  /* themselves */
    size_t skipped; /* downstream of a failure, or cancelled */
    size_t running;
    size_t waiting; /* the rest */
} plait_counts;

/* Thread: any.  Blocks: no. */
PLAIT_API plait_status plait_run_counts(const plait_run *run,
                                        plait_counts *counts);

/* How many tasks failed themselves, so far.  Thread: any.  Blocks: no. */
PLAIT_API size_t plait_run_failure_count(const plait_run *run);

/* The i-th of them by plan number: `*out` a reference to its error value, `err`
 * the same as a struct. PLAIT_EINVAL when there is none.
 * Thread: any.  Blocks: no. */
PLAIT_API plait_status plait_run_failure(plait_run *run, size_t i,
                                         plait_value *out, plait_error *err);

/* Up to n tasks that run now, in `tasks`; returns how many run.
 * Thread: any.  Blocks: no. */
PLAIT_API size_t plait_run_running(const plait_run *run, plait_task *tasks,
                                   size_t n);

/*
 * Calls fn once, when the run has ended (at once, when it has): on the thread
 * that ended it, with no lock held.
 * Thread: any.  Blocks: no.
 */
PLAIT_API plait_status plait_run_on_done(plait_run *run,
                                         void (*fn)(plait_run *run, void *user),
                                         void *user);

PLAIT_END_DECLS

#endif
