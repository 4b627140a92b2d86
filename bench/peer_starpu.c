/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer_starpu.c: StarPU, with explicit task dependences and no data handles:
 * its cheapest form. Finished tasks are kept, so that they can be submitted
 * again with the dependences that they have.
 */
#include <starpu.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "system.h"

typedef struct peer {
    bench_workload *workload;
    struct starpu_task **tasks;
    uint32_t n_built;
} peer;

/* The codelet's function gets nothing but its argument: the task's number. */
static const bench_workload *current;

static void body(void *buffers[], void *argument)
{
    (void)buffers;
    bench_execute(current, (uint32_t)(uintptr_t)argument);
}

static struct starpu_codelet codelet = {
    .where = STARPU_CPU,
    .cpu_funcs = { body },
    .nbuffers = 0,
    .name = "bench",
};

static void *peer_open(bench_workload *workload, unsigned workers)
{
    struct starpu_conf conf;
    peer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->workload = workload;
    p->tasks = calloc(workload->graph.n_tasks, sizeof(*p->tasks));
    starpu_conf_init(&conf);
    conf.ncpus = (int)workers;
    conf.ncuda = conf.nopencl = 0;
    int status = p->tasks ? starpu_init(&conf) : -1;
    if (status != 0) {
        fprintf(stderr, "starpu: cannot begin (%d)\n", status);
        free(p->tasks);
        free(p);
        return NULL;
    }
    current = workload;
    return p;
}

static bool peer_build(void *self)
{
    peer *p = self;
    const bench_graph *g = &p->workload->graph;
    struct starpu_task **inputs =
        malloc(((size_t)g->max_inputs + 1) * sizeof(*inputs));
    if (!inputs)
        return false;
    for (uint32_t i = 0; i < g->n_tasks; i++) {
        struct starpu_task *task = starpu_task_create();
        task->cl = &codelet;
        task->cl_arg = (void *)(uintptr_t)i;
        task->destroy = 0;
        p->tasks[i] = task;
        p->n_built++;
        uint32_t n = bench_graph_in_degree(g, i);
        for (uint32_t k = 0; k < n; k++)
            inputs[k] = p->tasks[g->inputs[g->input_at[i] + k]];
        if (n > 0)
            starpu_task_declare_deps_array(task, n, inputs);
    }
    free(inputs);
    return true;
}

static bool peer_run(void *self)
{
    peer *p = self;
    for (uint32_t i = 0; i < p->workload->graph.n_tasks; i++) {
        int status = starpu_task_submit(p->tasks[i]);
        if (status != 0) {
            fprintf(stderr, "starpu: cannot submit (%d)\n", status);
            return false;
        }
    }
    starpu_task_wait_for_all();
    return true;
}

static void peer_discard(void *self)
{
    peer *p = self;
    for (uint32_t i = 0; i < p->n_built; i++)
        starpu_task_destroy(p->tasks[i]);
    p->n_built = 0;
}

static void peer_close(void *self)
{
    peer *p = self;
    starpu_shutdown();
    free(p->tasks);
    free(p);
}

const bench_system bench_system_measured = {
    .name = "starpu",
    .open = peer_open,
    .build = peer_build,
    .run = peer_run,
    .discard = peer_discard,
    .close = peer_close,
};
