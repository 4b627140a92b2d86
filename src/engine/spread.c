/* SPDX-License-Identifier: BSD-3-Clause */
/* spread.c: from a walk to a run that many lanes share. */
#include "engine/spread.h"

#include "engine/shared.h"
#include "engine/walk.h"
#include "platform/barrier.h"

void pl_spread_init(plait_run *run)
{
    pl_walk_init(run);
    run->spreads = true;
    atomic_init(&run->trouble, PL_WALK_ASIDE);
}

bool pl_spread_enter(plait_run *run)
{
    /* acq_rel: behind the last walker, before what this one does */
    return !(atomic_fetch_and_explicit(&run->trouble, ~(uint32_t)PL_WALK_ASIDE,
                                       memory_order_acq_rel) &
             PL_WALK_SHARED);
}

bool pl_spread_leave(plait_run *run)
{
    /* acq_rel: as pl_spread_enter */
    return !(atomic_fetch_or_explicit(&run->trouble, PL_WALK_ASIDE,
                                      memory_order_acq_rel) &
             PL_WALK_SHARED);
}

/* How many inputs of a task are not before `first`. */
static uint32_t inputs_from(const plait_run *run, uint32_t task, uint32_t first)
{
    const pl_node *node = &run->nodes[task];
    uint32_t n = 0;
    for (uint32_t at = node->words; node->inputs && at < node[1].words; at++) {
        uint32_t word = run->words[at];
        n += !(word & PL_WORD_LITERAL) && word >= first;
    }
    return n;
}

/* Falling order, so that the lowest is pushed last. `arrived`: tasks before it
 * are done. */
static void set_up_from(pl_lane *lane, uint32_t cut, uint32_t arrived)
{
    plait_run *run = lane->run;
    for (uint32_t t = run->plan->n_tasks; t-- > cut;) {
        uint32_t missing = inputs_from(run, t, arrived);
        pl_run_set_up_cell(run, t, missing);
        if (missing == 0 && run->nodes[t].inputs != 0)
            lane->push(lane, t);
    }
    run->cells_ready = true;
}

/* The first of the plan's sources that is not before a task. */
static uint32_t source_from(const plait_plan *plan, uint32_t task)
{
    uint32_t low = 0;
    uint32_t high = plan->n_sources;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->sources[middle] < task)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void publish(plait_run *run, uint32_t cut)
{
    atomic_store_explicit(&run->cursor, source_from(run->plan, cut),
                          memory_order_relaxed);
    /* release: see pl_spread_is_done */
    atomic_store_explicit(&run->shared_from, cut, memory_order_release);
}

bool pl_spread_share(pl_lane *lane, bool walks)
{
    plait_run *run = lane->run;
    /* acq_rel: the results of a walker that has left */
    uint32_t before = atomic_fetch_or_explicit(&run->trouble, PL_WALK_SHARED,
                                               memory_order_acq_rel);
    if (before & PL_WALK_SHARED)
        return false;
    pl_barrier_heavy();
    /* acquire: the results of all before */
    uint32_t at = atomic_load_explicit(&run->walk_at, memory_order_acquire);
    bool has_own =
        walks ? plait_is_error(lane->walk_error) : !(before & PL_WALK_ASIDE);
    if (has_own && at < run->plan->n_tasks)
        run->walk_own = at;
    uint32_t cut = at + (run->walk_own != PL_NONE);
    set_up_from(lane, cut, at);
    publish(run, cut);
    return true;
}

void pl_spread_at_once(plait_run *run)
{
    pl_run_set_up_cells(run, 0);
    atomic_store_explicit(&run->trouble, PL_WALK_SHARED, memory_order_relaxed);
    publish(run, 0);
}

uint32_t pl_spread_finish(pl_lane *lane)
{
    plait_run *run = lane->run;
    uint32_t own = run->walk_own;
    if (own == PL_NONE)
        return PL_NONE;
    plait_value error = lane->walk_error;
    lane->walk_error = plait_nil();
    /* relaxed: only this thread has written it */
    bool has_run =
        !plait_is_error(error) &&
        atomic_load_explicit(&run->walk_at, memory_order_relaxed) != own;
    if (!has_run)
        pl_run_set_up_cell(run, own, 0);
    pl_run_settle_owed(run);
    if (plait_is_error(error))
        return pl_shared_fail(lane, own, error);
    return has_run ? pl_shared_feed(lane, own) : own;
}
