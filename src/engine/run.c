/* SPDX-License-Identifier: BSD-3-Clause */
/* run.c: setting a run up, stopping it, and taking it down. */
#include "engine/run.h"

#include "base/alloc.h"
#include "platform/pages.h"

/* The events that calling a task has no part in. */
#define TOLD_BESIDES                                                       \
    ((unsigned)(PLAIT_TASK_FAILED | PLAIT_TASK_SKIPPED | PLAIT_RUN_BEGIN | \
                PLAIT_RUN_END))

/* A run's cells are kept by the plan for its next run, so that running a plan
 * again takes no fresh memory from the kernel. */
static pl_cell *take_cells(plait_plan *plan)
{
    /* acquire: the last run's writes are behind this one's */
    pl_cell *spare = atomic_exchange_explicit(&plan->spare_cells, NULL,
                                              memory_order_acquire);
    return spare ? spare : pl_pages_alloc(plan->n_tasks, sizeof *spare);
}

static void give_cells(plait_plan *plan, pl_cell *cells)
{
    void *none = NULL;
    /* release: see take_cells; a plan that nobody else has is freed next */
    if (atomic_load_explicit(&plan->count, memory_order_relaxed) == 1 ||
        !atomic_compare_exchange_strong_explicit(&plan->spare_cells, &none,
                                                 cells, memory_order_release,
                                                 memory_order_relaxed))
        pl_pages_free(cells, plan->n_tasks, sizeof *cells);
}

void pl_run_set_up_cells(plait_run *run, uint32_t first)
{
    run->cells_ready = true;
    for (uint32_t t = first; t < run->plan->n_tasks; t++)
        pl_run_set_up_cell(run, t, run->nodes[t].inputs);
}

bool pl_run_init(plait_run *run, plait_plan *plan, const pl_run_setup *setup)
{
    run->cells = take_cells(plan);
    run->lanes = pl_calloc(setup->n_lanes, sizeof *run->lanes);
    if (!run->cells || !run->lanes) {
        pl_pages_free(run->cells, plan->n_tasks, sizeof *run->cells);
        pl_free(run->lanes);
        return false;
    }
    pl_plan_retain(plan);
    run->plan = plan;
    run->nodes = plan->nodes;
    run->words = plan->words;
    run->successors = plan->successors;
    run->functions = plan->functions;
    run->on_event = setup->on_event;
    run->on_stop = setup->on_stop;
    run->on_end = setup->on_end;
    run->on_deadline = setup->on_deadline;
    run->drop = setup->drop;
    run->event_kinds = setup->event_kinds;
    run->on_error = setup->on_error;
    run->retries = setup->retries;
    run->worker_losses = setup->worker_losses;
    run->timeout_ms = setup->timeout_ms;
    run->user = setup->user;
    run->n_lanes = setup->n_lanes;
    run->careful = setup->timeout_ms || setup->retries ||
                   (setup->event_kinds & ~TOLD_BESIDES) != 0;
    run->walk_own = PL_NONE;
    atomic_init(&run->shared_from, PL_NONE);
    atomic_init(&run->failed, PL_NONE);
    atomic_init(&run->targets_left, plan->n_distinct_targets);
    atomic_init(&run->resolved, plan->n_distinct_targets == 0);
    return true;
}

/* Frees a result, or an error, that its cell keeps. */
static void release_cell(plait_run *run, pl_cell *cell)
{
    /* relaxed, here and below: nobody else drives the run any more */
    pl_task_state state =
        (pl_task_state)atomic_load_explicit(&cell->state, memory_order_relaxed);
    if (state == PL_FAILED || (state == PL_DONE && !run->drop))
        plait_release(cell->slot.value);
    else if (state == PL_DONE)
        run->drop(run, &cell->slot);
}

void pl_run_sweep(plait_run *run)
{
    if (pl_run_trouble(run) == 0)
        return;
    for (uint32_t t = 0; t < run->plan->n_tasks; t++) {
        pl_cell *cell = &run->cells[t];
        if (run->nodes[t].function & PL_NODE_TARGET ||
            atomic_load_explicit(&cell->state, memory_order_relaxed) != PL_DONE)
            continue;
        release_cell(run, cell);
        atomic_store_explicit(&cell->state, PL_FREED, memory_order_relaxed);
    }
}

/* In a run without trouble only targets are left. */
static void release_results(plait_run *run)
{
    const plait_plan *plan = run->plan;
    if (pl_run_trouble(run) != 0 || !pl_run_resolved(run)) {
        uint32_t n =
            run->cells_ready
                ? plan->n_tasks
                : atomic_load_explicit(&run->walk_at, memory_order_relaxed);
        for (uint32_t t = 0; t < n; t++)
            release_cell(run, &run->cells[t]);
        return;
    }
    for (uint32_t i = 0; i < plan->n_targets; i++) {
        pl_cell *cell = &run->cells[plan->targets[i]];
        release_cell(run, cell); /* a target may be named twice */
        atomic_store_explicit(&cell->state, PL_FREED, memory_order_relaxed);
    }
}

void pl_run_fini(plait_run *run)
{
    release_results(run);
    give_cells(run->plan, run->cells);
    pl_free(run->lanes);
    plait_plan_free(run->plan);
}

void pl_run_stop(plait_run *run, plait_status status)
{
    int32_t none = 0;
    /* acq_rel: the one who stops it publishes why; who comes later sees it */
    bool is_first = atomic_compare_exchange_strong_explicit(
        &run->stop_status, &none, (int32_t)status, memory_order_acq_rel,
        memory_order_acquire);
    /* release: who sees the trouble sees the status. Not only the first: what
     * follows a call must find the run stopping. */
    atomic_fetch_or_explicit(&run->trouble, PL_TROUBLE_STOPPING,
                             memory_order_release);
    if (is_first && run->on_stop)
        run->on_stop(run);
}
