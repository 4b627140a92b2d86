/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_candidate.h: what order.c chooses from. Each walk writes a place for
 * every task and counts, as it goes, what pl_order_sweep would count.
 *
 * Thread: any.  Blocks: no.
 */
#ifndef PL_ORDER_CANDIDATE_H
#define PL_ORDER_CANDIDATE_H

#include "base/alloc.h"
#include "graph/order.h"

typedef enum pl_order_outcome {
    PL_ORDER_DONE,
    PL_ORDER_GAVE_UP, /* more results alive than the limit; the places and the
                         score are rubbish */
    PL_ORDER_NO_MEMORY
} pl_order_outcome;

/* What a walk is told, and what it tells. */
typedef struct pl_order_trial {
    const pl_order_graph *graph;
    uint32_t *position; /* room for n */
    uint32_t limit;     /* gives up when more results than this are alive */
    bool for_inner;     /* of pl_order_walk: few results that are no targets;
                           else few in all */
    pl_order_score score;
    size_t bytes; /* the most memory it held */
} pl_order_trial;

/* What no order can beat. */
typedef struct pl_order_bound {
    uint32_t peak;
    uint32_t inner;
    bool is_forest; /* pl_order_depth finds the lowest peaks */
} pl_order_bound;

/* Whether a result is alive at the end, whatever the order is. */
static inline bool pl_order_is_target(const pl_order_graph *graph, uint32_t t)
{
    return graph->is_target[t] ||
           graph->successor_at[t] == graph->successor_at[t + 1];
}

static inline uint32_t pl_order_n_inputs(const pl_order_graph *graph,
                                         uint32_t t)
{
    return graph->input_at[t + 1] - graph->input_at[t];
}

/* How often a result is used, repeats and being a target included. */
static inline uint32_t pl_order_n_uses(const pl_order_graph *graph, uint32_t t)
{
    return graph->successor_at[t + 1] - graph->successor_at[t] +
           pl_order_is_target(graph, t);
}

/* Sweeps creation order, in a few ns per use. False: no memory. */
bool pl_order_look_at_creation(const pl_order_graph *graph, pl_order_look *look,
                               pl_order_score *score);

/* Room for n items; NULL: no memory. */
static inline void *pl_order_array(size_t n, size_t size)
{
    size_t bytes;
    return pl_mul_size(n, size, &bytes) ? pl_alloc(bytes) : NULL;
}

/* False: no memory. */
bool pl_order_find_bound(const pl_order_graph *graph, pl_order_bound *bound);

/* Whichever is more: the most inputs that one task has, repeats included, or
 * the tasks without successors. */
size_t pl_order_widest(const pl_order_graph *graph);

/*
 * Sethi and Ullman's number of each task ("The Generation of Optimal Code for
 * Arithmetic Expressions", 1970): how many results its computation needs alive
 * at a time, if all below it is a tree; capped. `keys` has room for the inputs
 * of any one task.
 */
void pl_order_number(const pl_order_graph *graph, uint16_t *numbers,
                     uint64_t *keys);

/* Depth-first from the targets: see order_depth.c. Needs some 20 ns a task. */
pl_order_outcome pl_order_depth(pl_order_trial *trial);

/* The walk that frees results when it can: see order_walk.c. */
pl_order_outcome pl_order_walk(pl_order_trial *trial);

/*
 * Lets tasks of a higher priority, and all that they need, run earlier, and
 * changes nothing else. `position` is read and written; when `*is_identity`, it
 * is only written, and `*is_identity` becomes false if anything moved.
 * `*bytes` is the most memory it held. False: no memory.
 */
bool pl_order_apply_priorities(const pl_order_graph *graph, uint32_t *position,
                               bool *is_identity, size_t *bytes);

#endif
