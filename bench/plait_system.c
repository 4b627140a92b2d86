/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plait_system.c: Plait as a measured system, through its public API alone.
 * Built twice: with the threads scheduler, and as plait-sync.
 */
#include <plait/plait.h>

#include <stdio.h>
#include <stdlib.h>

#include "system.h"

#ifdef BENCH_SYNC
#define SCHEDULER "sync"
#define NAME "plait-sync"
#else
#define SCHEDULER "threads"
#define NAME "plait"
#endif

typedef struct measured {
    bench_workload *workload;
    unsigned workers;
    plait_executor *executor;
    plait_graph *graph;
    plait_plan *plan;
    plait_run *run;
    plait_task *tasks;   /* by number in the workload */
    plait_task *targets; /* the sinks */
    plait_value *args;   /* room for the most inputs of a task */
} measured;

static plait_value no_op(plait_context *ctx, const plait_value *args,
                         size_t n_args)
{
    (void)ctx;
    uint64_t sum = 1;
    for (size_t i = 0; i < n_args; i++)
        sum += (uint64_t)plait_as_int(args[i]);
    return plait_int((int64_t)sum);
}

/* ids grow in the order of creation, and every task is made here. */
static plait_value working(plait_context *ctx, const plait_value *args,
                           size_t n_args)
{
    const bench_workload *workload = plait_context_user(ctx);
    workload->work(workload->self, plait_context_task(ctx).id - 1);
    return no_op(ctx, args, n_args);
}

static bool say(const plait_error *err)
{
    fprintf(stderr, NAME ": %s: %s\n", plait_status_name(err->status),
            err->message);
    return false;
}

/* The pool's threads are begun by a first small run. */
static bool warm_up(measured *m)
{
    plait_value items[64] = { { 0 } }, outs[64];
    plait_error err = { PLAIT_ERROR_INIT };
    plait_options options = { PLAIT_OPTIONS_INIT, .executor = m->executor,
                              .workers = m->workers };
    return plait_map(no_op, "warm", items, 64, &options, outs, &err) ==
               PLAIT_OK ||
           say(&err);
}

static void system_close(void *self)
{
    measured *m = self;
    plait_executor_close(m->executor);
    free(m->tasks);
    free(m->targets);
    free(m->args);
    free(m);
}

static void *system_open(bench_workload *workload, unsigned workers)
{
    const bench_graph *g = &workload->graph;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = workers };
    measured *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->workload = workload;
    m->workers = workers;
    m->tasks = calloc((size_t)g->n_tasks + 1, sizeof *m->tasks);
    m->targets = calloc((size_t)g->n_sinks + 1, sizeof *m->targets);
    m->args = calloc((size_t)g->max_inputs + 1, sizeof *m->args);
    m->executor = plait_executor_open(SCHEDULER, &options, &err);
    if (!m->executor)
        say(&err);
    if (!m->tasks || !m->targets || !m->args || !m->executor || !warm_up(m)) {
        system_close(m);
        return NULL;
    }
    /* Written once, so that these pages are not counted as Plait's. */
    for (uint32_t i = 0; i < g->n_tasks; i++)
        m->tasks[i].id = 1;
    for (uint32_t i = 0; i < g->max_inputs; i++)
        m->args[i].kind = 1;
    return m;
}

static bool system_build(void *self)
{
    measured *m = self;
    const bench_graph *g = &m->workload->graph;
    plait_fn fn = m->workload->work ? working : no_op;
    plait_error err = { PLAIT_ERROR_INIT };
    m->graph = plait_graph_new();
    for (uint32_t task = 0; task < g->n_tasks; task++) {
        const uint32_t *in = g->inputs + g->input_at[task];
        uint32_t n = bench_graph_in_degree(g, task);
        for (uint32_t i = 0; i < n; i++)
            m->args[i] = plait_ref(m->tasks[in[i]]);
        m->tasks[task] = plait_call(m->graph, fn, "task", m->args, n);
    }
    for (uint32_t i = 0; i < g->n_sinks; i++)
        m->targets[i] = m->tasks[g->sinks[i]];
    return plait_graph_status(m->graph, &err) == PLAIT_OK || say(&err);
}

static bool system_plan(void *self)
{
    measured *m = self;
    plait_error err = { PLAIT_ERROR_INIT };
    m->plan =
        plait_plan_new(m->graph, m->targets, m->workload->graph.n_sinks, &err);
    return m->plan || say(&err);
}

static bool system_run(void *self)
{
    measured *m = self;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_options options = { PLAIT_OPTIONS_INIT, .executor = m->executor,
                              .workers = m->workers, .user = m->workload };
    m->run = plait_plan_start(m->plan, &options, &err);
    return (m->run && plait_run_wait(m->run, -1, &err) == PLAIT_OK) ||
           say(&err);
}

static bool system_collect(void *self)
{
    measured *m = self;
    plait_error err = { PLAIT_ERROR_INIT };
    for (uint32_t i = 0; i < m->workload->graph.n_sinks; i++) {
        plait_value v;
        if (plait_run_result(m->run, m->targets[i], &v, &err) != PLAIT_OK)
            return say(&err);
        m->workload->values[m->workload->graph.sinks[i]].number =
            (uint64_t)plait_as_int(v);
        plait_release(v);
    }
    return true;
}

static void system_end_run(void *self)
{
    measured *m = self;
    plait_run_free(m->run);
    m->run = NULL;
}

static size_t system_bytes(void *self)
{
    size_t bytes = 0;
    plait_plan_size(((measured *)self)->plan, &bytes);
    return bytes;
}

static void system_discard(void *self)
{
    measured *m = self;
    plait_plan_free(m->plan);
    plait_graph_free(m->graph);
}

const bench_system bench_system_measured = {
    .name = NAME,
    .open = system_open,
    .build = system_build,
    .plan = system_plan,
    .run = system_run,
    .collect = system_collect,
    .end_run = system_end_run,
    .bytes = system_bytes,
    .discard = system_discard,
    .close = system_close,
};
