/* SPDX-License-Identifier: BSD-3-Clause */
/* executor.c: opening and closing executors, and reading options. */
#include "executor/computation.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "engine/lane.h"
#include "log/log.h"
#include "platform/cpu.h"
#include "process.h"

/* ---- options ---- */

static plait_status read_workers(const char *text, unsigned *workers,
                                 plait_error *err)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || n > PL_WORKERS_MAX)
        return pl_error_set(
            err, PLAIT_EINVAL,
            "$PLAIT_WORKERS is \"%s\": it must be a number from "
            "0 to %d",
            text, PL_WORKERS_MAX);
    *workers = (unsigned)n;
    return PLAIT_OK;
}

static plait_status check_enums(const plait_options *options, plait_error *err)
{
    if ((unsigned)options->on_error > PLAIT_COLLECT)
        return pl_error_set(err, PLAIT_EINVAL,
                            "plait_options.on_error is %d: it must be "
                            "PLAIT_FINISH, PLAIT_STOP or PLAIT_COLLECT",
                            (int)options->on_error);
    if ((unsigned)options->order > PLAIT_ORDER_CREATION)
        return pl_error_set(err, PLAIT_EINVAL,
                            "plait_options.order is %d: it must be "
                            "PLAIT_ORDER_AUTO, PLAIT_ORDER_MEMORY or "
                            "PLAIT_ORDER_CREATION",
                            (int)options->order);
    if (options->workers > PL_WORKERS_MAX)
        return pl_error_set(err, PLAIT_EINVAL,
                            "plait_options.workers is %u: at most %d",
                            options->workers, PL_WORKERS_MAX);
    if (options->n_observers && !options->observers)
        return pl_error_set(err, PLAIT_EINVAL,
                            "plait_options.n_observers is %zu, but observers "
                            "is NULL",
                            options->n_observers);
    return PLAIT_OK;
}

plait_status pl_options_read(const plait_options *given, plait_options *options,
                             plait_error *err)
{
    plait_status status =
        pl_read_struct(options, sizeof *options, given, "plait_options",
                       "PLAIT_OPTIONS_INIT", err);
    if (status == PLAIT_OK)
        status = check_enums(options, err);
    const char *workers = secure_getenv("PLAIT_WORKERS");
    if (status == PLAIT_OK && options->workers == 0 && workers && *workers)
        status = read_workers(workers, &options->workers, err);
    if (!options->scheduler)
        options->scheduler = secure_getenv("PLAIT_SCHEDULER");
    if (!options->scheduler || !*options->scheduler)
        options->scheduler = "threads";
    return status;
}

/* ---- executors ---- */

static plait_status find_ops(const char *name, plait_executor_ops *ops,
                             plait_error *err)
{
    if (pl_process_ops(name, ops))
        return PLAIT_OK;
    if (strcmp(name, "processes") == 0 || strcmp(name, "distributed") == 0)
        return pl_error_set(err, PLAIT_EUNAVAILABLE,
                            "scheduler \"%s\" is not in this version yet: use "
                            "\"threads\" or \"sync\"",
                            name);
    return pl_error_set(err, PLAIT_EINVAL,
                        "no scheduler is called \"%s\": use \"threads\" or "
                        "\"sync\", or register one with "
                        "plait_executor_register",
                        name);
}

plait_status plait_scheduler_available(const char *scheduler, plait_error *err)
{
    plait_executor_ops ops;
    if (!scheduler)
        return pl_error_set(err, PLAIT_EINVAL, "the scheduler's name is NULL");
    plait_status status = find_ops(scheduler, &ops, err);
    if (status == PLAIT_OK)
        pl_error_clear(err);
    return status;
}

static unsigned workers_of(const plait_options *options)
{
    return options->workers ? options->workers : plait_cpu_count();
}

plait_executor *pl_executor_new(const char *name, const plait_options *options,
                                plait_error *err)
{
    plait_executor_ops ops;
    if (find_ops(name, &ops, err) != PLAIT_OK)
        return NULL;
    plait_executor *executor = pl_calloc(1, sizeof *executor);
    if (!executor) {
        pl_error_nomem(err);
        return NULL;
    }
    pl_process_hook();
    executor->ops = ops;
    if (ops.start == pl_threads_ops.start)
        executor->interrupt = pl_threads_interrupt;
    else if (ops.start == pl_sync_ops.start)
        executor->interrupt = pl_sync_interrupt;
    executor->generation = pl_process_generation();
    atomic_init(&executor->count, 1);
    plait_options meant = *options;
    meant.workers = workers_of(options);
    atomic_init(&executor->workers, meant.workers);
    if (ops.open && ops.open(&meant, &executor->self, err) != PLAIT_OK) {
        pl_free(executor);
        return NULL;
    }
    return executor;
}

void pl_executor_release(plait_executor *executor)
{
    if (executor && pl_refcount_give(&executor->count))
        pl_free(executor);
}

/* An executor that others use too is asked for more workers. */
static bool grow(plait_executor *executor, unsigned workers, plait_error *err)
{
    /* relaxed: a number; the executor keeps its own */
    if (workers <=
        atomic_load_explicit(&executor->workers, memory_order_relaxed))
        return true;
    if (executor->ops.grow &&
        executor->ops.grow(executor->self, workers, err) != PLAIT_OK)
        return false;
    atomic_store_explicit(&executor->workers, workers, memory_order_relaxed);
    return true;
}

static plait_executor *open_default(const plait_options *options,
                                    plait_error *err)
{
    plait_executor *opened = pl_executor_new(options->scheduler, options, err);
    if (!opened || pl_process_set_default(opened))
        return opened;
    pl_executor_close(opened); /* another thread was faster */
    return pl_process_default(options->scheduler);
}

/* A reference to an executor that a caller has opened; NULL: it is of no use.
 */
static plait_executor *take_opened(plait_executor *executor, plait_error *err)
{
    /* acquire: closed is closed */
    if (atomic_load_explicit(&executor->closed, memory_order_acquire)) {
        pl_error_set(err, PLAIT_ECLOSED, "the executor is closed");
        return NULL;
    }
    if (executor->generation != pl_process_generation()) {
        pl_error_set(err, PLAIT_EINVAL,
                     "the executor was opened before fork, by the parent "
                     "process: open one in the child");
        return NULL;
    }
    pl_refcount_take(&executor->count);
    return executor;
}

plait_executor *pl_executor_find(const plait_options *options, plait_error *err)
{
    plait_executor *executor = options->executor;
    if (executor)
        return take_opened(executor, err);
    executor = pl_process_default(options->scheduler);
    if (!executor)
        executor = open_default(options, err);
    if (executor && !grow(executor, workers_of(options), err)) {
        pl_executor_release(executor);
        executor = NULL;
    }
    return executor;
}

plait_executor *plait_executor_open(const char *scheduler,
                                    const plait_options *options,
                                    plait_error *err)
{
    plait_options read;
    if (pl_options_read(options, &read, err) != PLAIT_OK)
        return NULL;
    plait_executor *executor =
        pl_executor_new(scheduler ? scheduler : read.scheduler, &read, err);
    if (executor)
        pl_error_clear(err);
    return executor;
}

plait_status plait_executor_grow(plait_executor *executor, unsigned workers,
                                 plait_error *err)
{
    pl_error_clear(err);
    if (!executor || workers > PL_WORKERS_MAX)
        return pl_error_set(err, PLAIT_EINVAL,
                            "an executor with at most %d workers is needed",
                            PL_WORKERS_MAX);
    if (!take_opened(executor, err))
        return err ? err->status : PLAIT_ECLOSED;
    plait_status status = PLAIT_OK;
    if (!executor->ops.grow)
        status = pl_error_set(err, PLAIT_EUNAVAILABLE,
                              "%s: workers can't be added", executor->ops.name);
    else if (!grow(executor, workers, err))
        status = err ? err->status : PLAIT_ESYS;
    pl_executor_release(executor);
    return status;
}

/* Whether this thread is inside a task of the executor: closing it would wait
 * for the task. */
static bool is_inside(const plait_executor *executor)
{
    for (const plait_context *ctx = pl_context_current(); ctx;
         ctx = ctx->outer) {
        if (pl_computation_of(ctx->run)->executor == executor)
            return true;
    }
    return false;
}

void pl_executor_close(plait_executor *executor)
{
    /* acq_rel: the first closes. In a forked child its threads are not there:
     * it stays as it is, the parent's. */
    if (!atomic_exchange_explicit(&executor->closed, true,
                                  memory_order_acq_rel) &&
        executor->ops.close && executor->generation == pl_process_generation())
        executor->ops.close(executor->self);
    pl_executor_release(executor);
}

void plait_executor_close(plait_executor *executor)
{
    if (!executor)
        return;
    if (is_inside(executor)) {
        pl_log_line(PLAIT_ERROR, plait_context_key(pl_context_current()),
                    "plait_executor_close: a task can't close its executor, "
                    "which would wait for the task: close it elsewhere");
        return;
    }
    pl_executor_close(executor);
}

unsigned plait_executor_workers(const plait_executor *executor)
{
    return executor
               ? atomic_load_explicit(&executor->workers, memory_order_relaxed)
               : 0;
}

unsigned plait_cpu_count(void)
{
    return pl_cpu_count();
}
