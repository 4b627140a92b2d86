/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer_openmp.c: OpenMP tasks with depend, for gcc's and clang's runtimes. The
 * graph is made as it runs, by one thread of the team, as OpenMP does.
 *
 * A task of up to four inputs names their values in a depend clause of just
 * that many. A task of more (a fan-in) is written as OpenMP programs write
 * it: its inputs read one token, and it writes the token. That is right only
 * when it follows all tasks that read the token, as in the measured graphs.
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "system.h"

#define NAMED_MAX 4u

typedef struct peer {
    bench_workload *workload;
    unsigned workers;
    unsigned char *only_feeds_wide; /* by task; NULL: there are no wide ones */
    char token;
} peer;

static void find_wide(peer *p)
{
    const bench_graph *g = &p->workload->graph;
    for (uint32_t task = 0; task < g->n_tasks; task++)
        for (uint32_t i = g->input_at[task]; i < g->input_at[task + 1]; i++)
            p->only_feeds_wide[g->inputs[i]] =
                bench_graph_in_degree(g, task) > NAMED_MAX;
}

static void *peer_open(bench_workload *workload, unsigned workers)
{
    peer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (peer){ .workload = workload, .workers = workers };
    if (workload->graph.max_inputs > NAMED_MAX) {
        p->only_feeds_wide = calloc(workload->graph.n_tasks, 1);
        if (!p->only_feeds_wide) {
            free(p);
            return NULL;
        }
        find_wide(p);
    }
    unsigned begun = 0;
#pragma omp parallel num_threads(workers) reduction(+ : begun)
    begun++;
    if (begun != workers)
        fprintf(stderr, "openmp: %u threads, not %u\n", begun, workers);
    return p;
}

/* A task that a wide one uses. */
static void create_fed(peer *p, uint32_t task)
{
    const bench_workload *w = p->workload;
    const bench_graph *g = &w->graph;
    if (bench_graph_in_degree(g, task) == 0) {
#pragma omp task depend(in : p->token) firstprivate(w, task)
        bench_execute(w, task);
    } else {
        const uint32_t *in = g->inputs + g->input_at[task];
#pragma omp task depend(in                                     \
                        : p->token) depend(in                  \
                                           : w->values[in[0]]) \
    firstprivate(w, task)
        bench_execute(w, task);
    }
}

static void create_wide(peer *p, uint32_t task)
{
    const bench_workload *w = p->workload;
#pragma omp task depend(out : p->token) firstprivate(w, task)
    bench_execute(w, task);
}

static void create_named(const bench_workload *w, uint32_t task)
{
    const bench_graph *g = &w->graph;
    const uint32_t *in = g->inputs + g->input_at[task];
    switch (bench_graph_in_degree(g, task)) {
    case 0:
#pragma omp task depend(out : w->values[task]) firstprivate(w, task)
        bench_execute(w, task);
        break;
    case 1:
#pragma omp task depend(in                                            \
                        : w->values[in[0]]) depend(out                \
                                                   : w->values[task]) \
    firstprivate(w, task)
        bench_execute(w, task);
        break;
    case 2:
#pragma omp task depend(in                                    \
                        : w->values[in[0]], w->values[in[1]]) \
    depend(out                                                \
           : w->values[task]) firstprivate(w, task)
        bench_execute(w, task);
        break;
    case 3:
#pragma omp task depend(in                                            \
                        : w->values[in[0]], w->values[in[1]],         \
                          w->values[in[2]]) depend(out                \
                                                   : w->values[task]) \
    firstprivate(w, task)
        bench_execute(w, task);
        break;
    default:
#pragma omp task depend(in                                    \
                        : w->values[in[0]], w->values[in[1]], \
                          w->values[in[2]], w->values[in[3]]) \
    depend(out                                                \
           : w->values[task]) firstprivate(w, task)
        bench_execute(w, task);
        break;
    }
}

static void create_all(peer *p)
{
    const bench_graph *g = &p->workload->graph;
    for (uint32_t task = 0; task < g->n_tasks; task++) {
        if (bench_graph_in_degree(g, task) > NAMED_MAX)
            create_wide(p, task);
        else if (p->only_feeds_wide && p->only_feeds_wide[task])
            create_fed(p, task);
        else
            create_named(p->workload, task);
    }
}

static bool peer_run(void *self)
{
    peer *p = self;
#pragma omp parallel num_threads(p->workers)
#pragma omp single
    create_all(p);
    return true;
}

static void peer_close(void *self)
{
    free(((peer *)self)->only_feeds_wide);
    free(self);
}

const bench_system bench_system_measured = {
#ifdef __clang__
    .name = "openmp-llvm",
#else
    .name = "openmp-gcc",
#endif
    .open = peer_open,
    .run = peer_run,
    .close = peer_close,
};
