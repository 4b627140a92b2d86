/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * graphs.h: the task graphs that every system is measured on, as plain lists
 * of edges. Tasks are numbered so that an input has a lower number than what
 * uses it. The same name, size and seed give the same graph everywhere.
 */
#ifndef BENCH_GRAPHS_H
#define BENCH_GRAPHS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Task i's inputs are inputs[input_at[i] .. input_at[i + 1]), all distinct. */
typedef struct bench_graph {
    uint32_t n_tasks;
    uint32_t n_inputs;
    uint32_t *input_at;
    uint32_t *inputs;
    uint32_t *sources; /* tasks without inputs, in rising order */
    uint32_t n_sources;
    uint32_t *sinks; /* tasks that nobody uses, in rising order */
    uint32_t n_sinks;
    uint32_t max_inputs; /* of one task */
} bench_graph;

/* Makes the named graph of about n_tasks tasks:
 *
 *   chain      each task uses the one before
 *   fanin      one task uses all others
 *   fanout     all use the first, and the last uses all of these
 *   tree       each task uses two, down to one
 *   wavefront  a square grid: each task uses its left and its upper neighbour
 *   layers     layers of 1,000; four inputs uniform in the layer before
 *   window     four inputs uniform within the 1,024 tasks before
 *   stencil    rows of 8; each task uses up to three of the row before
 *
 * False: no such name, or no memory. */
bool bench_graph_init(bench_graph *graph, const char *name, uint32_t n_tasks,
                      uint64_t seed);

/* For graphs made by hand: room for that much, then tasks in order, then the
 * end, which fills sources and sinks. False: no memory. */
bool bench_graph_begin(bench_graph *graph, uint32_t n_tasks, uint32_t n_inputs);
void bench_graph_add(bench_graph *graph, const uint32_t *inputs, uint32_t n);
bool bench_graph_end(bench_graph *graph);

void bench_graph_fini(bench_graph *graph);

static inline uint32_t bench_graph_in_degree(const bench_graph *graph,
                                             uint32_t task)
{
    return graph->input_at[task + 1] - graph->input_at[task];
}

#ifdef __cplusplus
}
#endif

#endif
