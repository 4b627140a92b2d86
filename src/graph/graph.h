/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * graph.h: how a graph is stored.
 *
 *   nodes      one per task: its function's number, where its words begin
 *   words      one per argument: a task's id, or PL_WORD_LITERAL | the number
 *              of a literal
 *   literals   values: constants, and lists and dicts that hold references
 *   functions  each (fn, name, payload) once
 *   options    only of tasks that have some
 *
 * All are segmented vectors: nothing moves, so plans and running tasks read
 * functions, literals and options while the builder goes on.
 */
#ifndef PL_GRAPH_H
#define PL_GRAPH_H

#include <plait/graph.h>

#include "base/hashmap.h"
#include "base/refcount.h"
#include "graph/segvec.h"

/* A task's id has 31 bits, and so has a literal's number. */
#define PL_WORD_LITERAL (UINT32_C(1) << 31)
#define PL_TASKS_MAX (PL_WORD_LITERAL - 64)
#define PL_FUNCTION_BITS 26
#define PL_FUNCTIONS_MAX (UINT32_C(1) << PL_FUNCTION_BITS)

/* In pl_graph_node.function: the task is in a plan, and fixed. */
#define PL_GRAPH_NODE_PLANNED (UINT32_C(1) << 31)

typedef struct pl_graph_node {
    uint32_t function; /* its number, and PL_GRAPH_NODE_PLANNED */
    uint32_t words;    /* the first; they end where the next node's begin */
    uint32_t ordinal;  /* which call of that name this is, from 0: its key */
} pl_graph_node;

typedef struct pl_function {
    plait_fn fn;
    void *payload;
    plait_runtime *runtime;
    void (*free_payload)(void *payload);
    char *name;
    struct pl_function *namesake; /* the first of this name; counts for all */
    uint32_t number;
    uint32_t calls;
} pl_function;

typedef struct pl_task_options {
    char *key; /* or NULL */
    uint32_t task;
    uint32_t retries;
    uint32_t timeout_ms;
    int32_t priority;
    bool accepts_errors;
} pl_task_options;

struct plait_graph {
    pl_refcount count;
    uint32_t number;     /* plait_task.graph */
    pl_segvec nodes;     /* pl_graph_node; node i is the task of id i + 1 */
    pl_segvec words;     /* uint32_t */
    pl_segvec literals;  /* plait_value */
    pl_segvec functions; /* pl_function */
    pl_segvec options;   /* pl_task_options */
    pl_hashmap function_index;
    pl_hashmap name_index;
    pl_hashmap options_index;
    pl_function *last;    /* of plait_call: a loop of calls looks up nothing */
    uint32_t nested_refs; /* references inside literals, over all tasks */
    plait_value error;    /* what stuck, or nil */
};

/* A reference to the graph, for plans. */
void pl_graph_retain(plait_graph *graph);
void pl_graph_release(plait_graph *graph);

/* The first error sticks to the graph; takes `error`, returns its status. */
plait_status pl_graph_stick(plait_graph *graph, plait_value error);

static inline const pl_graph_node *pl_graph_node_at(const plait_graph *graph,
                                                    uint32_t id)
{
    return pl_segvec_at(&graph->nodes, id - 1);
}

/* Where the words of a task end. */
static inline uint32_t pl_graph_words_end(const plait_graph *graph, uint32_t id)
{
    return id == graph->nodes.length
               ? graph->words.length
               : ((const pl_graph_node *)pl_segvec_at(&graph->nodes, id))
                     ->words;
}

static inline uint32_t pl_graph_word(const plait_graph *graph, uint32_t at)
{
    return *(const uint32_t *)pl_segvec_at(&graph->words, at);
}

static inline plait_value pl_graph_literal(const plait_graph *graph,
                                           uint32_t word)
{
    return *(const plait_value *)pl_segvec_at(&graph->literals,
                                              word & ~PL_WORD_LITERAL);
}

static inline const pl_function *pl_graph_function(const plait_graph *graph,
                                                   uint32_t number)
{
    return pl_segvec_at(&graph->functions, number & ~PL_GRAPH_NODE_PLANNED);
}

/* The options of a task, or NULL when it has none.
 * Thread: builder.  Blocks: no. */
const pl_task_options *pl_graph_options(const plait_graph *graph, uint32_t id);

/* Whether plait_literal made the task; `*value` is then what it holds,
 * borrowed. Thread: builder.  Blocks: no. */
bool pl_graph_as_literal(const plait_graph *graph, uint32_t id,
                         plait_value *value);

/* Calls visit with the id of each task that `id` uses, repeats included, in the
 * order of its arguments; stops when it returns false, and returns that. */
bool pl_graph_each_input(const plait_graph *graph, uint32_t id,
                         bool (*visit)(uint32_t input, void *user), void *user);

/* The default key, "name-ordinal", or `options`' own (NULL: none); as snprintf.
 * Thread: any, for tasks in a plan.  Blocks: no. */
int pl_graph_key(const plait_graph *graph, uint32_t id,
                 const pl_task_options *options, char *buf, size_t size);

#endif
