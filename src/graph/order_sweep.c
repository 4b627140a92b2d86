/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_sweep.c: how many results an order keeps alive.
 *
 * The sweep goes backwards: the first time that a result is met is its last
 * use. So a byte per task is all it has to remember, and creation order is
 * scored by a single pass over the inputs.
 */
#include "graph/order_candidate.h"

#include <string.h>

#include "base/alloc.h"

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t count_targets(const pl_order_graph *graph)
{
    uint32_t targets = 0;
    for (uint32_t t = 0; t < graph->n; t++)
        targets += pl_order_is_target(graph, t);
    return targets;
}

/* `sequence` NULL: creation order. `met` has room for n. */
static void sweep(const pl_order_graph *graph, const uint32_t *sequence,
                  unsigned char *met, pl_order_score *score, uint32_t *widest)
{
    /* Targets are met from the start: nothing frees them. */
    memcpy(met, graph->is_target, graph->n);
    uint32_t targets = count_targets(graph), live = targets;
    for (uint32_t at = graph->n; at-- > 0;) {
        uint32_t t = sequence ? sequence[at] : at;
        uint32_t first = graph->input_at[t], end = graph->input_at[t + 1];
        *widest = max_u32(end - first, *widest);
        for (uint32_t i = first; i < end; i++) {
            live += !met[graph->inputs[i]];
            met[graph->inputs[i]] = 1;
        }
        /* Its inputs and its result are alive together for a moment. */
        score->peak = max_u32(live, score->peak);
        score->inner = max_u32(live - targets, score->inner);
        score->total += live--;
        targets -= pl_order_is_target(graph, t);
    }
}

static bool sweep_order(const pl_order_graph *graph, const uint32_t *position,
                        pl_order_score *score, uint32_t *widest)
{
    size_t n = graph->n;
    *score = (pl_order_score){ 0 };
    *widest = 0;
    if (n == 0)
        return true;
    /* The sequence and, behind it, what was met. */
    size_t order_bytes = position ? n * sizeof *position : 0;
    uint32_t *sequence = pl_alloc(order_bytes + n);
    if (!sequence)
        return false;
    for (uint32_t t = 0; position && t < graph->n; t++)
        sequence[position[t]] = t;
    sweep(graph, position ? sequence : NULL,
          (unsigned char *)sequence + order_bytes, score, widest);
    pl_free(sequence);
    return true;
}

bool pl_order_look_at_creation(const pl_order_graph *graph, pl_order_look *look,
                               pl_order_score *score)
{
    bool ok = sweep_order(graph, NULL, score, &look->widest);
    look->peak = score->peak;
    look->inner = score->inner;
    look->targets = count_targets(graph);
    return ok;
}

bool pl_order_sweep(const pl_order_graph *graph, const uint32_t *position,
                    pl_order_score *score)
{
    uint32_t widest;
    return sweep_order(graph, position, score, &widest);
}
