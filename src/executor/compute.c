/* SPDX-License-Identifier: BSD-3-Clause */
/* compute.c: the calls that plan, run and wait in one. */
#include "executor/computation.h"

#include "base/alloc.h"
#include "base/error.h"
#include "value/object.h"

static void all_nil(plait_value *outs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        outs[i] = plait_nil();
}

/* ---- plans ---- */

plait_plan *plait_plan_new_with(plait_graph *graph, const plait_task *tasks,
                                size_t n, const plait_options *options,
                                plait_error *err)
{
    plait_options read;
    if (pl_options_read(options, &read, err) != PLAIT_OK)
        return NULL;
    return pl_plan_new(graph, tasks, n, read.order, err);
}

plait_run *plait_plan_start(plait_plan *plan, const plait_options *options,
                            plait_error *err)
{
    plait_options read;
    if (!plan) {
        pl_error_set(err, PLAIT_EINVAL, "the plan is NULL");
        return NULL;
    }
    if (pl_options_read(options, &read, err) != PLAIT_OK)
        return NULL;
    return pl_computation_start(plan, &read, NULL, err);
}

plait_run *plait_start(plait_graph *graph, const plait_task *tasks, size_t n,
                       const plait_options *options, plait_error *err)
{
    plait_plan *plan = plait_plan_new_with(graph, tasks, n, options, err);
    if (!plan)
        return NULL;
    plait_run *run = plait_plan_start(plan, options, err);
    plait_plan_free(plan);
    return run;
}

/* ---- compute ---- */

static plait_status wait_through_signals(plait_run *run, plait_error *err)
{
    plait_status status;
    do
        status = plait_run_wait(run, -1, err);
    while (status == PLAIT_EINTR);
    return status;
}

/* The values of all targets, in the order asked for. */
static plait_status take_results(plait_run *run, plait_value *outs,
                                 plait_error *err)
{
    pl_computation *c = pl_computation_of(run);
    plait_status failed = PLAIT_OK;
    for (uint32_t i = 0; i < run->plan->n_targets; i++) {
        plait_error why = { PLAIT_ERROR_INIT };
        plait_status status =
            pl_computation_result(c, run->plan->targets[i], &outs[i], &why);
        /* a value that can't be fetched fails a run that went well */
        if (status != PLAIT_OK && failed == PLAIT_OK &&
            pl_run_state(run, run->plan->targets[i]) == PL_DONE)
            failed = pl_error_copy(err, &why);
    }
    return failed;
}

/* Runs a plan (taken) to its end. */
static plait_status compute_plan(plait_plan *plan, const plait_options *options,
                                 plait_value *outs, plait_error *err)
{
    plait_observer *progress = NULL;
    plait_run *run = NULL;
    if (options->progress)
        progress = plait_progress_new(options->progress);
    if (options->progress && !progress)
        pl_error_nomem(err);
    else
        run = pl_computation_start(plan, options, progress, err);
    plait_plan_free(plan);
    plait_status status = PLAIT_ENOMEM;
    if (run) {
        status = wait_through_signals(run, err);
        plait_status fetched =
            take_results(run, outs, status == PLAIT_OK ? err : NULL);
        status = status == PLAIT_OK ? fetched : status;
        plait_run_free(run);
    } else if (err && err->size) {
        status = err->status;
    }
    plait_progress_free(progress);
    return status;
}

plait_status plait_compute_all(plait_graph *graph, const plait_task *tasks,
                               size_t n, const plait_options *options,
                               plait_value *outs, plait_error *err)
{
    plait_error own = { PLAIT_ERROR_INIT };
    plait_error *why = err && err->size ? err : &own;
    plait_options read;
    all_nil(outs, n);
    plait_status status = pl_options_read(options, &read, why);
    if (status != PLAIT_OK)
        return status;
    plait_plan *plan = pl_plan_new(graph, tasks, n, read.order, why);
    return plan ? compute_plan(plan, &read, outs, why) : why->status;
}

plait_status plait_compute(plait_graph *graph, plait_task task,
                           const plait_options *options, plait_value *out,
                           plait_error *err)
{
    return plait_compute_all(graph, &task, 1, options, out, err);
}

/* ---- independent calls ---- */

/* A graph of n calls, one for each item. */
static plait_graph *map_graph(plait_fn fn, const char *name,
                              const plait_value *items, size_t n,
                              plait_task *tasks)
{
    plait_graph *graph = plait_graph_new();
    for (size_t i = 0; i < n; i++) /* takes the items, also for no graph */
        tasks[i] = plait_call(graph, fn, name ? name : "map", &items[i], 1);
    return graph;
}

plait_status plait_map(plait_fn fn, const char *name, const plait_value *items,
                       size_t n, const plait_options *options,
                       plait_value *outs, plait_error *err)
{
    all_nil(outs, n);
    plait_task *tasks = pl_calloc(n, sizeof *tasks);
    if (!tasks) {
        pl_release_all(items, n);
        return pl_error_nomem(err);
    }
    plait_graph *graph = map_graph(fn, name, items, n, tasks);
    plait_status status = plait_graph_status(graph, err);
    if (status == PLAIT_OK)
        status = plait_compute_all(graph, tasks, n, options, outs, err);
    plait_graph_free(graph);
    pl_free(tasks);
    return status;
}

plait_run *plait_submit(plait_executor *executor, plait_fn fn, const char *name,
                        const plait_value *args, size_t n_args,
                        const plait_options *options, plait_error *err)
{
    plait_options read;
    if (pl_options_read(options, &read, err) != PLAIT_OK) {
        pl_release_all(args, n_args);
        return NULL;
    }
    if (executor)
        read.executor = executor;
    plait_graph *graph = plait_graph_new();
    plait_task task = plait_call(graph, fn, name, args, n_args);
    plait_run *run = NULL;
    plait_plan *plan = NULL;
    if (plait_graph_status(graph, err) == PLAIT_OK)
        plan = pl_plan_new(graph, &task, 1, PLAIT_ORDER_CREATION, err);
    if (plan)
        run = pl_computation_start(plan, &read, NULL, err);
    plait_plan_free(plan);
    plait_graph_free(graph);
    return run;
}
