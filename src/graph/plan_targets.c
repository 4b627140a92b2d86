/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_targets.c: the plan number of a target, for results that are asked for
 * by their tasks. Where numbers are no ids, many targets are found in an array
 * sorted by id, which the first question makes.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "graph/plan.h"

#define FEW 8

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const pl_plan_target_id *)a)->id;
    uint32_t y = ((const pl_plan_target_id *)b)->id;
    return x < y ? -1 : x > y;
}

/* The sorted array; NULL: no memory. Two threads may make one: one is kept. */
static const pl_plan_target_id *sorted(plait_plan *plan)
{
    /* acquire: the entries */
    pl_plan_target_id *entries =
        atomic_load_explicit(&plan->targets_by_id, memory_order_acquire);
    if (entries)
        return entries;
    pl_plan_target_id *made = pl_calloc(plan->n_targets, sizeof *made);
    if (!made)
        return NULL;
    for (uint32_t i = 0; i < plan->n_targets; i++) {
        made[i].number = plan->targets[i];
        made[i].id = pl_plan_id(plan, plan->targets[i]);
    }
    qsort(made, plan->n_targets, sizeof *made, by_id);
    /* acq_rel: publishes them, or sees those of another */
    if (atomic_compare_exchange_strong_explicit(&plan->targets_by_id, &entries,
                                                made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    pl_free(made);
    return entries;
}

static uint32_t search_one_by_one(const plait_plan *plan, uint32_t id)
{
    for (uint32_t i = 0; i < plan->n_targets; i++) {
        if (pl_plan_id(plan, plan->targets[i]) == id)
            return plan->targets[i];
    }
    return PL_NONE;
}

uint32_t pl_plan_target(plait_plan *plan, plait_task task)
{
    if (task.id == 0)
        return plan->n_targets ? plan->targets[0] : PL_NONE;
    /* a handle without a graph is one of plait_submit */
    if (task.graph != plan->graph->number && task.graph != 0)
        return PL_NONE;
    if (!plan->ids && task.id - 1 < plan->n_tasks)
        return plan->nodes[task.id - 1].function & PL_NODE_TARGET ? task.id - 1
                                                                  : PL_NONE;
    const pl_plan_target_id *entries =
        plan->n_targets > FEW ? sorted(plan) : NULL;
    if (!entries)
        return search_one_by_one(plan, task.id);
    pl_plan_target_id wanted = { .id = task.id };
    const pl_plan_target_id *found =
        bsearch(&wanted, entries, plan->n_targets, sizeof wanted, by_id);
    return found ? found->number : PL_NONE;
}
