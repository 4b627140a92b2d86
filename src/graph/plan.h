/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan.h: what of a graph is to be run, and in which order.
 *
 * A plan culls: it keeps what its targets need. It numbers those tasks so that
 * the number is the priority and every input has a lower number than what uses
 * it. It is immutable, holds the graph, and can be run again.
 *
 *   nodes[t]       function and flags, first word, first successor, how many
 *                  inputs must arrive; nodes[n_tasks] ends the last one
 *   words          per task its arguments in order, one word each: a plan
 *                  number, or PL_WORD_LITERAL | the number of a literal. The
 *                  references inside a nested literal follow its word, in the
 *                  order of pl_each_ref
 *   successors     per task who uses it, in rising order; once per use, so that
 *                  f(x, x) waits for two arrivals
 *   sources        the tasks without inputs, in rising order
 */
#ifndef PL_PLAN_H
#define PL_PLAN_H

#include <plait/compute.h>

#include "graph/graph.h"

#define PL_NONE UINT32_MAX

/* Arguments up to which a call needs no memory of its own. */
#define PL_ARGS_INLINE 16

typedef enum pl_node_flag {
    PL_NODE_TARGET = 1 << 0,
    PL_NODE_ACCEPTS_ERRORS = 1 << 1,
    PL_NODE_NESTED = 1 << 2,  /* a literal among its words holds references */
    PL_NODE_OPTIONS = 1 << 3, /* has retries, a timeout or a key of its own */
    PL_NODE_RUNTIME = 1 << 4, /* its function needs a language runtime */
    PL_NODE_MANY = 1 << 5,    /* more than PL_ARGS_INLINE arguments */
    PL_NODE_FLAG_BITS = 6
} pl_node_flag;

typedef struct pl_node {
    uint32_t function; /* number << PL_NODE_FLAG_BITS | flags */
    uint32_t words;
    uint32_t successors;
    uint32_t inputs; /* uses of other tasks' results, repeats included */
} pl_node;

/* Words behind the last one, zero: who reads in order may look ahead. */
#define PL_WORDS_SPARE 32

/* Options of a task in a plan; the graph's own may be moved by its builder. */
typedef struct pl_plan_options {
    uint32_t number;
    const pl_task_options *options;
} pl_plan_options;

/* A target's task, and its plan number. */
typedef struct pl_plan_target_id {
    uint32_t id;
    uint32_t number;
} pl_plan_target_id;

struct plait_plan {
    pl_refcount count;
    plait_graph *graph;
    uint32_t n_tasks;
    uint32_t n_targets; /* as asked for, repeats included */
    uint32_t n_distinct_targets;
    uint32_t n_sources;
    uint32_t n_words;
    uint32_t n_edges;
    uint32_t n_options;
    uint32_t n_functions;
    pl_node *nodes;
    uint32_t *words;
    uint32_t *successors;
    uint32_t *sources;
    uint32_t *ids;            /* plan number -> id; NULL: number + 1 */
    uint32_t *targets;        /* plan numbers, as asked for */
    pl_plan_options *options; /* by rising number */
    _Atomic(pl_plan_target_id *) targets_by_id; /* plan_targets.c; or NULL */
    const pl_function **functions;              /* by number: the graph's */
    _Atomic(void *) spare_cells; /* of an earlier run, for the next; or NULL */
    size_t order_bytes;          /* the most that ordering held for a while */
};

/* What a run keeps per task (engine/run.h checks it). */
#define PL_RUN_BYTES_PER_TASK 32

/* plait_plan_new with an order; NULL when it failed.
 * Thread: builder.  Blocks: no. */
plait_plan *pl_plan_new(plait_graph *graph, const plait_task *tasks, size_t n,
                        plait_order wanted, plait_error *err);

void pl_plan_retain(plait_plan *plan);

static inline uint32_t pl_node_flags(const pl_node *node)
{
    return node->function & ((1u << PL_NODE_FLAG_BITS) - 1);
}

static inline const pl_function *pl_plan_function(const plait_plan *plan,
                                                  const pl_node *node)
{
    return plan->functions[node->function >> PL_NODE_FLAG_BITS];
}

static inline uint32_t pl_plan_id(const plait_plan *plan, uint32_t number)
{
    return plan->ids ? plan->ids[number] : number + 1;
}

/* How often a task's result is used, counting being a target as one. */
static inline uint32_t pl_plan_uses(const plait_plan *plan, uint32_t number)
{
    const pl_node *node = &plan->nodes[number];
    return node[1].successors - node->successors +
           (pl_node_flags(node) & PL_NODE_TARGET);
}

/* The options of a task, NULL when it has none; of any thread. */
const pl_task_options *pl_plan_task_options(const plait_plan *plan,
                                            uint32_t number);

/* The plan number of a target by its handle; PL_NONE: it is none. Makes an
 * array at first, where there are many; slower when there is no memory for it.
 * Thread: any.  Blocks: no. */
uint32_t pl_plan_target(plait_plan *plan, plait_task task);

/* The key of a task; as snprintf. */
int pl_plan_key(const plait_plan *plan, uint32_t number, char *buf,
                size_t size);

#endif
