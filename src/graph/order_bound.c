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

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

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

/* What t makes sure of. `*least`: how few inputs that are no targets some task
 * has that may be last. */
static void raise_bound(const seen_set *set, uint32_t t, pl_order_bound *bound,
                        uint32_t *least)
{
    const pl_order_graph *graph = set->graph;
    bool is_sink = graph->successor_at[t] == graph->successor_at[t + 1];
    uint32_t k = pl_order_n_inputs(graph, t), others;
    if (k < bound->inner && !(is_sink && *least > 0))
        return;
    k = different_inputs(set, t, &others);
    bound->peak = max_u32(bound->peak, k + 1);
    bound->inner =
        max_u32(bound->inner, others + !pl_order_is_target(graph, t));
    if (is_sink && others < *least)
        *least = others;
}

bool pl_order_find_bound(const pl_order_graph *graph, pl_order_bound *bound)
{
    *bound = (pl_order_bound){ .is_forest = true };
    if (graph->n == 0)
        return true;
    seen_set set = { pl_calloc(graph->n, 1), graph };
    if (!set.seen)
        return false;
    uint32_t targets = 0, least = UINT32_MAX;
    for (uint32_t t = 0; t < graph->n; t++) {
        targets += pl_order_is_target(graph, t);
        raise_bound(&set, t, bound, &least);
        bound->is_forest = bound->is_forest && is_tree_node(graph, t);
    }
    bound->peak = max_u32(bound->peak, targets + least);
    pl_free(set.seen);
    return true;
}
