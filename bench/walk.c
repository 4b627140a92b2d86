/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.c: the least that running a plan can cost. It makes graph and plan with
 * Plait, then walks the plan in order on one thread: gather the arguments,
 * call, store the result, free each input at its last use. No atomics, no
 * deques, no contexts, no errors. It reads the plan's own arrays (plan.h),
 * which a program can't. As Plait does, it takes the memory of a run from huge
 * pages, and keeps it for the next run.
 */
#include "graph/plan.h"
#include "platform/pages.h"

#include <stdio.h>
#include <stdlib.h>

#include "system.h"

typedef struct walker {
    bench_workload *workload;
    plait_graph *graph;
    plait_plan *plan;
    plait_task *tasks;
    plait_task *targets;
    plait_value *args;
    plait_value *slots; /* of the run */
    uint32_t *uses;
} walker;

static plait_value no_op(plait_context *ctx, const plait_value *args,
                         size_t n_args)
{
    (void)ctx;
    uint64_t sum = 1;
    for (size_t i = 0; i < n_args; i++)
        sum += (uint64_t)plait_as_int(args[i]);
    return plait_int((int64_t)sum);
}

static void walker_close(void *self)
{
    walker *w = self;
    free(w->tasks);
    free(w->targets);
    free(w->args);
    free(w);
}

static void *walker_open(bench_workload *workload, unsigned workers)
{
    const bench_graph *g = &workload->graph;
    (void)workers;
    if (workload->work) {
        fprintf(stderr, "walk: only walks no-op tasks\n");
        return NULL;
    }
    walker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->workload = workload;
    w->tasks = calloc((size_t)g->n_tasks + 1, sizeof *w->tasks);
    w->targets = calloc((size_t)g->n_sinks + 1, sizeof *w->targets);
    w->args = calloc((size_t)g->max_inputs + 1, sizeof *w->args);
    if (w->tasks && w->targets && w->args)
        return w;
    walker_close(w);
    return NULL;
}

static bool walker_build(void *self)
{
    walker *w = self;
    const bench_graph *g = &w->workload->graph;
    w->graph = plait_graph_new();
    for (uint32_t task = 0; task < g->n_tasks; task++) {
        const uint32_t *in = g->inputs + g->input_at[task];
        uint32_t n = bench_graph_in_degree(g, task);
        for (uint32_t i = 0; i < n; i++)
            w->args[i] = plait_ref(w->tasks[in[i]]);
        w->tasks[task] = plait_call(w->graph, no_op, "task", w->args, n);
    }
    for (uint32_t i = 0; i < g->n_sinks; i++)
        w->targets[i] = w->tasks[g->sinks[i]];
    return plait_graph_status(w->graph, NULL) == PLAIT_OK;
}

static bool walker_plan(void *self)
{
    walker *w = self;
    w->plan =
        plait_plan_new(w->graph, w->targets, w->workload->graph.n_sinks, NULL);
    return w->plan != NULL;
}

static bool prepare_run(walker *w)
{
    uint32_t n = w->plan->n_tasks;
    if (!w->slots)
        w->slots = pl_pages_alloc(n, sizeof *w->slots);
    if (!w->uses)
        w->uses = pl_pages_alloc(n, sizeof *w->uses);
    if (!w->slots || !w->uses)
        return false;
    for (uint32_t i = 0; i < n; i++)
        w->uses[i] = pl_plan_uses(w->plan, i);
    return true;
}

static void gather(const walker *w, const uint32_t *words, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        w->args[i] = words[i] & PL_WORD_LITERAL
                         ? pl_graph_literal(w->graph, words[i])
                         : w->slots[words[i]];
}

static void free_inputs(const walker *w, const uint32_t *words, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (words[i] & PL_WORD_LITERAL || --w->uses[words[i]] > 0)
            continue;
        plait_value *slot = &w->slots[words[i]];
        if (slot->kind >= PLAIT_KIND_STRING)
            plait_release(*slot);
        *slot = plait_nil();
    }
}

static bool walker_run(void *self)
{
    walker *w = self;
    if (!prepare_run(w))
        return false;
    const plait_plan *plan = w->plan;
    for (uint32_t i = 0; i < plan->n_tasks; i++) {
        const pl_node *node = &plan->nodes[i];
        const uint32_t *words = plan->words + node->words;
        uint32_t n = node[1].words - node->words;
        gather(w, words, n);
        w->slots[i] = pl_plan_function(plan, node)->fn(NULL, w->args, n);
        free_inputs(w, words, n);
    }
    return true;
}

static bool walker_collect(void *self)
{
    walker *w = self;
    const bench_graph *g = &w->workload->graph;
    for (uint32_t i = 0; i < g->n_sinks; i++)
        w->workload->values[g->sinks[i]].number =
            (uint64_t)plait_as_int(w->slots[w->plan->targets[i]]);
    return true;
}

static void walker_end_run(void *self)
{
    const walker *w = self;
    for (uint32_t i = 0; i < w->plan->n_targets; i++)
        plait_release(w->slots[w->plan->targets[i]]);
}

static void walker_discard(void *self)
{
    walker *w = self;
    pl_pages_free(w->slots, w->plan->n_tasks, sizeof *w->slots);
    pl_pages_free(w->uses, w->plan->n_tasks, sizeof *w->uses);
    plait_plan_free(w->plan);
    plait_graph_free(w->graph);
}

const bench_system bench_system_measured = {
    .name = "walk",
    .open = walker_open,
    .build = walker_build,
    .plan = walker_plan,
    .run = walker_run,
    .collect = walker_collect,
    .end_run = walker_end_run,
    .discard = walker_discard,
    .close = walker_close,
};
