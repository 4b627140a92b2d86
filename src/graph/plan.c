/* SPDX-License-Identifier: BSD-3-Clause */
/* plan.c: asking a plan, and freeing it. plan_make.c makes one. */
#include "graph/plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "platform/pages.h"

void pl_plan_retain(plait_plan *plan)
{
    pl_refcount_take(&plan->count);
}

void plait_plan_free(plait_plan *plan)
{
    if (!plan || !pl_refcount_give(&plan->count))
        return;
    size_t n = plan->n_tasks;
    pl_pages_free(plan->nodes, n + 1, sizeof *plan->nodes);
    pl_pages_free(plan->words, (size_t)plan->n_words + PL_WORDS_SPARE,
                  sizeof *plan->words);
    pl_pages_free(plan->successors, plan->n_edges, sizeof *plan->successors);
    pl_pages_free(plan->sources, plan->n_sources, sizeof *plan->sources);
    pl_pages_free(plan->ids, n, sizeof *plan->ids);
    pl_pages_free(plan->targets, plan->n_targets, sizeof *plan->targets);
    pl_pages_free(
        atomic_load_explicit(&plan->spare_cells, memory_order_acquire), n,
        PL_RUN_BYTES_PER_TASK);
    pl_free(atomic_load_explicit(&plan->targets_by_id, memory_order_acquire));
    pl_free(plan->options);
    pl_free(plan->functions);
    pl_graph_release(plan->graph);
    pl_free(plan);
}

static int by_number(const void *key, const void *entry)
{
    uint32_t a = *(const uint32_t *)key;
    uint32_t b = ((const pl_plan_options *)entry)->number;
    return a < b ? -1 : a > b;
}

const pl_task_options *pl_plan_task_options(const plait_plan *plan,
                                            uint32_t number)
{
    if (!(plan->nodes[number].function & PL_NODE_OPTIONS))
        return NULL;
    const pl_plan_options *found = bsearch(
        &number, plan->options, plan->n_options, sizeof *found, by_number);
    return found ? found->options : NULL;
}

int pl_plan_key(const plait_plan *plan, uint32_t number, char *buf, size_t size)
{
    return pl_graph_key(plan->graph, pl_plan_id(plan, number),
                        pl_plan_task_options(plan, number), buf, size);
}

size_t plait_plan_size(const plait_plan *plan, size_t *bytes)
{
    if (bytes) {
        const plait_graph *graph = plan->graph;
        size_t n = plan->n_tasks;
        *bytes =
            pl_segvec_bytes(&graph->nodes) + pl_segvec_bytes(&graph->words) +
            pl_segvec_bytes(&graph->literals) + (n + 1) * sizeof *plan->nodes +
            ((size_t)plan->n_words + plan->n_edges + plan->n_sources +
             plan->n_targets + (plan->ids ? n : 0)) *
                sizeof(uint32_t) +
            n * PL_RUN_BYTES_PER_TASK;
    }
    return plan->n_tasks;
}

void plait_plan_order(const plait_plan *plan, plait_task *tasks)
{
    for (uint32_t t = 0; t < plan->n_tasks; t++)
        tasks[t] = (plait_task){ pl_plan_id(plan, t), plan->graph->number };
}
