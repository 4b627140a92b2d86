/* SPDX-License-Identifier: BSD-3-Clause */
/* plan_layout.c: a plan's successors, and its layout in the order chosen. */
#include "graph/plan_maker.h"
#include "platform/pages.h"

/* Set in pl_node.inputs, while successors are filled in, once a user was met.
 */
#define MET (UINT32_C(1) << 31)

#define AHEAD 16

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/*
 * Fills nodes[].successors, which hold counts, and successors from words. The
 * tasks are gone through in falling order, so that each list is filled from its
 * end: the offset is counted down to the list's begin, and lists come out
 * rising. The first user met is the last to run, so this is also a sweep of
 * live results from the end of the run to its begin.
 */
static pl_order_look fill_successors(plait_plan *plan)
{
    pl_node *nodes = plan->nodes;
    uint32_t targets = plan->n_distinct_targets, alive = targets;
    pl_order_look look = { .targets = targets };
    for (uint32_t t = plan->n_tasks; t-- > 0;) {
        for (uint32_t at = nodes[t + 1].words; at-- > nodes[t].words;) {
            uint32_t word = plan->words[at];
            if (word & PL_WORD_LITERAL)
                continue;
            pl_node *input = &nodes[word];
            if (at >= AHEAD) /* random graphs: fetch what comes soon */
                __builtin_prefetch(
                    &nodes[plan->words[at - AHEAD] & ~PL_WORD_LITERAL], 1);
            plan->successors[--input->successors] = t;
            alive +=
                !(input->inputs & MET) && !(input->function & PL_NODE_TARGET);
            input->inputs |= MET;
        }
        nodes[t].inputs &= ~MET;
        look.peak = max_u32(look.peak, alive);
        look.inner = max_u32(look.inner, alive - targets);
        look.widest = max_u32(look.widest, nodes[t].inputs);
        alive--; /* its own result: everything in a plan is used, or a target */
        targets -= (nodes[t].function & PL_NODE_TARGET) != 0;
    }
    return look;
}

bool pl_plan_invert(pl_plan_maker *m)
{
    plait_plan *plan = m->plan;
    plan->successors = pl_pages_alloc(plan->n_edges, sizeof *plan->successors);
    if (!plan->successors)
        return false;
    uint32_t end = 0;
    plan->n_sources = 0;
    for (uint32_t t = 0; t < plan->n_tasks; t++) {
        plan->nodes[t].successors = end += plan->nodes[t].successors;
        plan->n_sources += plan->nodes[t].inputs == 0;
    }
    plan->nodes[plan->n_tasks].successors = end;
    m->look = fill_successors(plan);
    return true;
}

/* What pl_order needs besides the plan's own arrays. */
typedef struct order_arrays {
    uint32_t *input_at;
    uint32_t *inputs;
    uint32_t *successor_at;
    unsigned char *is_target;
    int32_t *priorities;
} order_arrays;

static void free_arrays(const plait_plan *plan, order_arrays *arrays)
{
    size_t n = (size_t)plan->n_tasks + 1;
    pl_pages_free(arrays->input_at, n, sizeof(uint32_t));
    pl_pages_free(arrays->inputs, plan->n_edges, sizeof(uint32_t));
    pl_pages_free(arrays->successor_at, n, sizeof(uint32_t));
    pl_pages_free(arrays->is_target, n, 1);
    pl_pages_free(arrays->priorities, n, sizeof(int32_t));
}

static bool alloc_arrays(const pl_plan_maker *m, order_arrays *arrays)
{
    const plait_plan *plan = m->plan;
    size_t n = (size_t)plan->n_tasks + 1;
    arrays->input_at = pl_pages_alloc(n, sizeof(uint32_t));
    arrays->inputs = pl_pages_alloc(plan->n_edges, sizeof(uint32_t));
    arrays->successor_at = pl_pages_alloc(n, sizeof(uint32_t));
    arrays->is_target = pl_pages_alloc(n, 1);
    if (plan->n_options)
        arrays->priorities = pl_pages_alloc(n, sizeof(int32_t));
    return arrays->input_at && arrays->inputs && arrays->successor_at &&
           arrays->is_target && (arrays->priorities || !plan->n_options);
}

static void fill_arrays(const pl_plan_maker *m, order_arrays *arrays)
{
    const plait_plan *plan = m->plan;
    uint32_t at = 0;
    for (uint32_t t = 0; t < plan->n_tasks; t++) {
        const pl_node *node = &plan->nodes[t];
        arrays->input_at[t] = at;
        arrays->successor_at[t] = node->successors;
        arrays->is_target[t] = (node->function & PL_NODE_TARGET) != 0;
        for (uint32_t i = node->words; i < node[1].words; i++) {
            if (!(plan->words[i] & PL_WORD_LITERAL))
                arrays->inputs[at++] = plan->words[i];
        }
        if (arrays->priorities && (node->function & PL_NODE_OPTIONS))
            arrays->priorities[t] =
                pl_graph_options(m->graph, pl_plan_id(plan, t))->priority;
    }
    arrays->input_at[plan->n_tasks] = at;
    arrays->successor_at[plan->n_tasks] = plan->n_edges;
}

static bool any_priority(const pl_plan_maker *m)
{
    const pl_segvec *options = &m->graph->options;
    for (uint32_t i = 0; m->plan->n_options && i < options->length; i++) {
        if (((const pl_task_options *)pl_segvec_at(options, i))->priority != 0)
            return true;
    }
    return false;
}

/* Asks for the order; m->position is NULL when it is creation order. */
static bool choose_order(pl_plan_maker *m, plait_order wanted)
{
    plait_plan *plan = m->plan;
    bool has_priorities = any_priority(m);
    if (!has_priorities &&
        pl_order_creation_will_do(plan->n_tasks, &m->look, wanted))
        return true;
    order_arrays arrays = { 0 };
    bool identity = true;
    m->position = pl_pages_alloc(plan->n_tasks, sizeof *m->position);
    bool ok = m->position && alloc_arrays(m, &arrays);
    if (ok) {
        fill_arrays(m, &arrays);
        pl_order_graph graph = { plan->n_tasks,
                                 arrays.input_at,
                                 arrays.inputs,
                                 arrays.successor_at,
                                 plan->successors,
                                 arrays.is_target,
                                 has_priorities ? arrays.priorities : NULL };
        ok = pl_order(&graph, wanted, m->position, &identity,
                      &plan->order_bytes);
    }
    free_arrays(plan, &arrays);
    if (!ok || identity) {
        pl_pages_free(m->position, plan->n_tasks, sizeof *m->position);
        m->position = NULL;
    }
    return ok;
}

/* Copies nodes and words to where position says, counting uses. */
static void copy_by_position(pl_plan_maker *m, const uint32_t *ranks,
                             pl_node *nodes, uint32_t *words, uint32_t *ids)
{
    const plait_plan *plan = m->plan;
    uint32_t at = 0;
    for (uint32_t t = 0; t < plan->n_tasks; t++) {
        const pl_node *from = &plan->nodes[ranks[t]];
        nodes[t].function = from->function;
        nodes[t].words = at;
        nodes[t].inputs = from->inputs;
        ids[t] = pl_plan_id(plan, ranks[t]);
        for (uint32_t i = from->words; i < from[1].words; i++) {
            uint32_t word = plan->words[i];
            if (!(word & PL_WORD_LITERAL)) {
                word = m->position[word];
                nodes[word].successors++;
            }
            words[at++] = word;
        }
    }
    nodes[plan->n_tasks].words = at;
}

static void free_layout(plait_plan *plan)
{
    size_t n = plan->n_tasks;
    pl_pages_free(plan->nodes, n + 1, sizeof *plan->nodes);
    pl_pages_free(plan->words, (size_t)plan->n_words + PL_WORDS_SPARE,
                  sizeof *plan->words);
    pl_pages_free(plan->ids, n, sizeof *plan->ids);
    pl_pages_free(plan->successors, plan->n_edges, sizeof *plan->successors);
}

/* Lays nodes, words and ids out by position. */
static bool lay_out_anew(pl_plan_maker *m)
{
    plait_plan *plan = m->plan;
    size_t n = plan->n_tasks;
    plait_plan anew = *plan;
    anew.nodes = pl_pages_alloc(n + 1, sizeof *anew.nodes);
    anew.words = pl_pages_alloc((size_t)plan->n_words + PL_WORDS_SPARE,
                                sizeof *anew.words);
    anew.ids = pl_pages_alloc(n, sizeof *anew.ids);
    anew.successors = NULL;
    uint32_t *ranks = pl_pages_alloc(n, sizeof *ranks);
    bool ok = anew.nodes && anew.words && anew.ids && ranks;
    if (ok) {
        for (uint32_t t = 0; t < n; t++)
            ranks[m->position[t]] = t;
        copy_by_position(m, ranks, anew.nodes, anew.words, anew.ids);
        free_layout(plan);
        *plan = anew;
    } else {
        free_layout(&anew);
    }
    pl_pages_free(ranks, n, sizeof *ranks);
    return ok;
}

bool pl_plan_reorder(pl_plan_maker *m, plait_order wanted)
{
    return choose_order(m, wanted) &&
           (!m->position || (lay_out_anew(m) && pl_plan_invert(m)));
}
