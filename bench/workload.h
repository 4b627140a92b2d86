/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * workload.h: a graph and what its tasks do. Every task of every system reads
 * the 16-byte values of its inputs and makes its own: one more than their sum.
 * So the sinks tell whether a run was right. Some workloads also work.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "graphs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As large as a plait_value. */
typedef struct bench_value {
    uint32_t kind;
    uint32_t spare;
    uint64_t number;
} bench_value;

#define BENCH_KIND_INT 2u

typedef struct bench_workload {
    bench_graph graph;
    bench_value *values; /* one per task; at least the sinks' are filled */
    /* What a task does besides; NULL: nothing. */
    void (*work)(void *self, uint32_t task);
    /* Before each run, untimed; may be NULL. */
    void (*prepare)(void *self);
    /* After each run; NULL: nothing to see. */
    bool (*check)(void *self);
    void (*free)(void *self);
    void *self;
    uint64_t expected; /* the sinks' values, summed */
} bench_workload;

typedef enum bench_work {
    BENCH_NOTHING, /* a no-op task */
    BENCH_SPIN,    /* computes for so many ns */
    BENCH_SLEEP    /* sleeps for so many ns */
} bench_work;

/* Fills in the values and what is expected of the graph, which is there.
 * False: no memory. */
bool bench_workload_init(bench_workload *workload, bench_work work,
                         uint64_t grain_ns);
void bench_workload_fini(bench_workload *workload);

/* Whether the last run left the right values in the sinks; forgets them. */
bool bench_workload_check(bench_workload *workload);

/* How long all of the tasks' work takes on one thread, without a scheduler; 0
 * for tasks that do nothing or sleep. */
uint64_t bench_workload_serial_ns(bench_workload *workload);

/* CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

/* The body of a task, for systems whose values lie in an array. */
static inline void bench_execute(const bench_workload *workload, uint32_t task)
{
    const bench_graph *graph = &workload->graph;
    bench_value out = { BENCH_KIND_INT, 0, 1 };
    for (uint32_t i = graph->input_at[task]; i < graph->input_at[task + 1]; i++)
        out.number += workload->values[graph->inputs[i]].number;
    if (workload->work)
        workload->work(workload->self, task);
    workload->values[task] = out;
}

#ifdef __cplusplus
}
#endif

#endif
