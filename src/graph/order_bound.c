/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_bound.c: what no order can beat, so that looking for a better one may
 * end early. When a task ends, its inputs and its result are alive. When the
 * last task ends, all targets are, and those inputs of it that are none.
 */
#include "graph/order_candidate.h"

#include "base/alloc.h"

typedef struct seen_set {
    unsigned char *seen; /* a byte per task, all 0 between two uses */
    const pl_order_graph *graph;
} seen_set;

/* How many different inputs t has; `others`: that are no targets. */
static uint32_t different_inputs(const seen_set *set, uint32_t t,
                                 uint32_t *others)
{
    const pl_order_graph *graph = set->graph;
    const uint32_t *inputs = graph->inputs + graph->input_at[t];
    uint32_t k = pl_order_n_inputs(graph, t), different = 0;
    *others = 0;
    for (uint32_t i = 0; i < k; i++) {
        if (set->seen[inputs[i]])
            continue;
        set->seen[inputs[i]] = 1;
        different++;
        *others += !pl_order_is_target(graph, inputs[i]);
    }
    for (uint32_t i = 0; i < k; i++)
        set->seen[inputs[i]] = 0;
    return different;
}

/* One other task at most uses it; a target none. */
static bool is_tree_node(const pl_order_graph *graph, uint32_t t)
{
    uint32_t at = graph->successor_at[t], end = graph->successor_at[t + 1];
    if (at < end && graph->is_target[t])
        return false;
    for (uint32_t i = at; i < end; i++) {
        if (graph->successors[i] != graph->successors[at])
            return false;
    }
    return true;
}

bool pl_order_find_bound(const pl_order_graph *graph, pl_order_bound *bound)
{
    seen_set set = { pl_calloc(graph->n, 1), graph };
    if (!set.seen)
        return false;
    uint32_t targets = 0, least = UINT32_MAX, others;
    *bound = (pl_order_bound){ .is_forest = true };
    for (uint32_t t = 0; t < graph->n; t++) {
        uint32_t at = graph->successor_at[t], end = graph->successor_at[t + 1];
        uint32_t k = pl_order_n_inputs(graph, t);
        targets += pl_order_is_target(graph, t);
        if (k >= bound->peak || (at == end && least > 0)) {
            k = different_inputs(&set, t, &others);
            if (k + 1 > bound->peak)
                bound->peak = k + 1;
            if (at == end && others < least)
                least = others;
        }
        bound->is_forest = bound->is_forest && is_tree_node(graph, t);
    }
    if (graph->n > 0 && targets + least > bound->peak)
        bound->peak = targets + least;
    pl_free(set.seen);
    return true;
}
