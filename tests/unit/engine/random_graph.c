/* SPDX-License-Identifier: BSD-3-Clause */
/* random_graph.c: random graphs and a naive reference. */
#include "random_graph.h"

#include <string.h>

#include <plait/task.h>

/* The graph that tasks run in: one thread. */
static random_graph *running;

void complain(random_graph *g, const char *what)
{
    if (!g->complaint)
        g->complaint = what;
}

uint32_t dice(random_graph *g, uint32_t n)
{
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    return (uint32_t)(g->random >> 33) % n;
}

/* ---- tokens ---- */

uint32_t token_new(random_graph *g, uint32_t value)
{
    if (g->n_tokens == MOST_TOKENS) {
        complain(g, "more results than any run should make");
        return 0;
    }
    g->token_values[g->n_tokens] = value;
    g->token_alive[g->n_tokens] = true;
    g->alive++;
    return g->n_tokens++;
}

void token_free(random_graph *g, uint32_t token)
{
    if (token >= g->n_tokens || !g->token_alive[token]) {
        complain(g, "a result was freed twice");
        return;
    }
    g->token_alive[token] = false;
    g->alive--;
}

static void free_data(void *data)
{
    token_free(running, (uint32_t)(uintptr_t)data - 1);
}

static const plait_type token_type = { PLAIT_TYPE_INIT, .name = "token",
                                       .free = free_data };

uint32_t value_of(const random_graph *g, plait_value v)
{
    uintptr_t data = (uintptr_t)plait_as_object(v, &token_type);
    return data ? g->token_values[data - 1] : 0;
}

/* ---- tasks ---- */

uint32_t mix_value(uint32_t so_far, uint32_t value)
{
    return (so_far ^ value) * 2654435761u + 1;
}

uint32_t mix_error(uint32_t so_far, uint32_t failed)
{
    return mix_value(so_far, 0xe0000000u + failed);
}

bool attempt_fails(random_graph *g, uint32_t id)
{
    if (g->meanwhile)
        g->meanwhile(g->meanwhile_user);
    if (g->stop_in && --g->stop_in == 0)
        pl_run_stop(g->run, PLAIT_ECANCELED);
    return g->failed_so_far[id]++ < g->tasks[id].failures;
}

static uint32_t number_of_id(const random_graph *g, uint32_t id)
{
    return g->numbers[id];
}

uint32_t failed_of(const random_graph *g, plait_value error)
{
    return number_of_id(g, plait_as_error(error)->task.id);
}

static uint32_t mix_argument(random_graph *g, uint32_t so_far, plait_value v)
{
    size_t n = 0;
    if (plait_is_error(v))
        return mix_error(so_far, failed_of(g, v));
    const plait_value *items = plait_as_list(v, &n);
    if (!items)
        return mix_value(so_far, value_of(g, v));
    for (size_t i = 0; i < n; i++)
        so_far = mix_argument(g, so_far, items[i]);
    return so_far;
}

static plait_value run_task(plait_context *ctx, const plait_value *args,
                            size_t n_args)
{
    random_graph *g = running;
    uint32_t id = plait_context_task(ctx).id;
    uint32_t number = number_of_id(g, id);
    if (g->fates[number] == FATE_SKIPPED || plait_cancelled(ctx))
        complain(g, "a task ran that should have been skipped");
    if (g->checks_alive && g->alive != g->alive_before[number])
        complain(g, "a result lives longer, or shorter, than it should");
    if (attempt_fails(g, id))
        return plait_fail(ctx, "as it should");
    uint32_t value = id;
    for (size_t i = 0; i < n_args; i++)
        value = mix_argument(g, value, args[i]);
    uintptr_t data = token_new(g, value) + 1;
    return plait_object(&token_type, (void *)data);
}

/* ---- drawing ---- */

static void draw_inputs(random_graph *g, uint32_t id, random_task *task)
{
    uint32_t window = dice(g, 4) ? id - 1 : 3;
    if (window > id - 1)
        window = id - 1;
    task->n_inputs = dice(g, 5);
    for (uint32_t i = 0; i < task->n_inputs; i++)
        task->inputs[i] = id - 1 - dice(g, window);
}

/* A counter that is hammered: each of the many is used by the last, and uses
 * the first. */
static void draw_hub_inputs(random_graph *g, uint32_t id, random_task *task)
{
    bool is_last = id == g->n;
    task->n_inputs = is_last ? id - 1 : dice(g, 8) != 0;
    for (uint32_t i = 0; i < task->n_inputs; i++)
        task->inputs[i] = is_last ? i + 1 : 1;
}

static void draw_task(random_graph *g, uint32_t id)
{
    random_task *task = &g->tasks[id];
    task->n_inputs = 0;
    if (g->is_hub && id > 1)
        draw_hub_inputs(g, id, task);
    else if (id > 1)
        draw_inputs(g, id, task);
    for (uint32_t i = 0; i < task->n_inputs; i++)
        task->in_list[i] = dice(g, 6) == 0;
    task->accepts_errors = dice(g, 8) == 0;
    task->failures = 0;
    uint32_t rarely = g->is_hub ? 10 * g->n : 10;
    if (dice(g, rarely) == 0)
        task->failures = UINT32_MAX;
    else if (dice(g, rarely) == 0)
        task->failures = 1 + dice(g, 3);
}

static plait_task add_task(random_graph *g, uint32_t id)
{
    const random_task *task = &g->tasks[id];
    plait_value args[MOST_INPUTS + 1];
    size_t n = 0;
    for (uint32_t i = 0; i < task->n_inputs; i++) {
        plait_value ref =
            plait_ref((plait_task){ task->inputs[i], g->targets[0].graph });
        args[n++] = task->in_list[i] ? plait_list(&ref, 1) : ref;
    }
    plait_task made = plait_call(g->graph, run_task, "t", args, n);
    plait_task_options options = { PLAIT_TASK_OPTIONS_INIT,
                                   .accepts_errors = task->accepts_errors };
    if (task->failures && task->failures != UINT32_MAX)
        options.retries = task->failures;
    if (task->accepts_errors || options.retries)
        plait_task_set(g->graph, made, &options);
    return made;
}

static bool draw(random_graph *g)
{
    static const plait_order orders[] = { PLAIT_ORDER_AUTO, PLAIT_ORDER_MEMORY,
                                          PLAIT_ORDER_CREATION };
    plait_task tasks[MOST_TASKS + 1];
    g->graph = plait_graph_new();
    /* the graph's number, which references need: from its first task */
    g->tasks[1].n_inputs = 0;
    g->tasks[1].accepts_errors = false;
    g->tasks[1].failures = 0;
    g->targets[0] = tasks[1] = add_task(g, 1);
    for (uint32_t id = 2; id <= g->n; id++) {
        draw_task(g, id);
        tasks[id] = add_task(g, id);
    }
    g->n_targets = 1 + dice(g, MOST_TARGETS);
    for (uint32_t i = 0; i < g->n_targets; i++)
        g->targets[i] = tasks[g->n - dice(g, i ? g->n : 1)];
    plait_options options = { PLAIT_OPTIONS_INIT, .order = orders[dice(g, 3)] };
    g->plan =
        plait_plan_new_with(g->graph, g->targets, g->n_targets, &options, NULL);
    for (uint32_t t = 0; g->plan && t < g->plan->n_tasks; t++)
        g->numbers[pl_plan_id(g->plan, t)] = t;
    return g->plan != NULL;
}

/* ---- the reference ---- */

static void settle_task(random_graph *g, uint32_t number)
{
    const random_task *task = &g->tasks[pl_plan_id(g->plan, number)];
    uint32_t value = pl_plan_id(g->plan, number);
    uint32_t source = PL_NONE;
    for (uint32_t i = 0; i < task->n_inputs; i++) {
        uint32_t input = number_of_id(g, task->inputs[i]);
        if (g->fates[input] == FATE_VALUE)
            value = mix_value(value, g->values[input]);
        else
            value = mix_error(value, g->sources[input]);
        if (g->sources[input] < source)
            source = g->sources[input];
    }
    if (source != PL_NONE && !task->accepts_errors) {
        g->fates[number] = FATE_SKIPPED;
        g->sources[number] = source;
    } else if (task->failures == UINT32_MAX) {
        g->fates[number] = FATE_FAILED;
        g->sources[number] = number;
    } else {
        g->fates[number] = FATE_VALUE;
        g->sources[number] = PL_NONE;
        g->values[number] = value;
    }
}

/* Whether a task below `now` has doomed `user` by then: an input of its that is
 * concluded has failed, or was skipped. */
static bool is_doomed(const random_graph *g, uint32_t user, uint32_t now)
{
    const random_task *task = &g->tasks[pl_plan_id(g->plan, user)];
    for (uint32_t i = 0; i < task->n_inputs && !task->accepts_errors; i++) {
        uint32_t input = number_of_id(g, task->inputs[i]);
        if (input < now && g->fates[input] != FATE_VALUE)
            return true;
    }
    return false;
}

static bool is_target(const random_graph *g, uint32_t number)
{
    return (g->plan->nodes[number].function & PL_NODE_TARGET) != 0;
}

/* Whether a result of `number` is still to be used when `now` begins. */
static bool is_needed(const random_graph *g, uint32_t number, uint32_t now)
{
    if (is_target(g, number))
        return true;
    for (uint32_t user = now; user < g->plan->n_tasks; user++) {
        const random_task *task = &g->tasks[pl_plan_id(g->plan, user)];
        for (uint32_t i = 0; i < task->n_inputs; i++) {
            if (number_of_id(g, task->inputs[i]) == number &&
                !is_doomed(g, user, now))
                return true;
        }
    }
    return false;
}

static void refer(random_graph *g)
{
    for (uint32_t t = 0; t < g->plan->n_tasks; t++)
        settle_task(g, t);
    g->knows_alive = g->n < 64; /* else it would take too long */
    for (uint32_t now = 0; g->knows_alive && now < g->plan->n_tasks; now++) {
        g->alive_before[now] = 0;
        for (uint32_t t = 0; t < now; t++)
            g->alive_before[now] +=
                g->fates[t] == FATE_VALUE && is_needed(g, t, now);
    }
}

/* ---- public ---- */

bool random_graph_make(random_graph *g, uint64_t seed)
{
    g->complaint = NULL;
    g->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    g->is_hub = dice(g, 64) == 0;
    g->n = g->is_hub     ? MOST_TASKS - dice(g, 32)
           : dice(g, 16) ? 1 + dice(g, 12)
                         : 1 + dice(g, 48);
    if (!draw(g)) {
        plait_graph_free(g->graph);
        return false;
    }
    refer(g);
    return true;
}

void random_graph_unmake(random_graph *g)
{
    plait_plan_free(g->plan);
    plait_graph_free(g->graph);
}

void random_graph_begin_run(random_graph *g, plait_run *run)
{
    memset(g->failed_so_far, 0, sizeof g->failed_so_far);
    g->n_tokens = 0;
    g->alive = 0;
    g->checks_alive = false;
    g->run = run;
    g->stop_in = 0;
    g->meanwhile = NULL;
    running = g;
}
