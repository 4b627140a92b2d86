/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan.c: making a plan, in five passes:
 *   1. cull: one backward sweep marks what the targets need
 *   2. translate: needed tasks get their rank in creation order; words name
 *      ranks instead of ids
 *   3. order: a position for each rank; when it isn't the rank, the words are
 *      laid out anew
 *   4. invert: successors from inputs, as CSR arrays, in rising order
 *   5. finish: targets, sources, options, functions
 */
#include "graph/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/order.h"
#include "platform/pages.h"
#include "value/object.h"

/* What is needed only while a plan is made. */
typedef struct maker {
    plait_graph *graph;
    plait_plan *plan;
    const plait_task *targets;
    size_t n_targets;
    uint32_t last_id;      /* the highest that is needed */
    unsigned char *needed; /* by id - 1 */
    uint32_t *ranks;       /* id - 1 -> rank; NULL: all ids are needed */
    uint32_t *position;    /* rank -> plan number; NULL: the same */
    uint32_t at;           /* words written */
} maker;

/* ---- 1. cull ---- */

static plait_status check_targets(const maker *m, plait_error *err)
{
    for (size_t i = 0; i < m->n_targets; i++) {
        plait_task task = m->targets[i];
        if (task.graph == m->graph->number &&
            task.id - 1 < m->graph->nodes.length)
            continue;
        if (task.id == 0)
            return pl_error_set(err, PLAIT_EINVAL,
                                "target %zu names no task (id 0)", i);
        return pl_error_set(err, PLAIT_EINVAL,
                            "target %zu is task %u of graph %u, which graph %u "
                            "doesn't have",
                            i, task.id, task.graph, m->graph->number);
    }
    return PLAIT_OK;
}

static bool mark_input(uint32_t input, void *user)
{
    ((unsigned char *)user)[input - 1] = 1;
    return true;
}

/* Marks what the targets need; returns how many tasks that is. */
static uint32_t mark_needed(maker *m)
{
    const plait_graph *graph = m->graph;
    uint32_t n = 0;
    for (size_t i = 0; i < m->n_targets; i++)
        m->needed[m->targets[i].id - 1] = 1;
    for (uint32_t id = m->last_id; id > 0; id--) {
        if (!m->needed[id - 1])
            continue;
        n++;
        ((pl_graph_node *)pl_segvec_at(&m->graph->nodes, id - 1))->function |=
            PL_GRAPH_NODE_PLANNED;
        if (graph->has_nested) {
            pl_graph_each_input(graph, id, mark_input, m->needed);
            continue;
        }
        uint32_t end = pl_graph_words_end(graph, id);
        for (uint32_t at = pl_graph_node_at(graph, id)->words; at < end; at++) {
            uint32_t word = pl_graph_word(graph, at);
            if (!(word & PL_WORD_LITERAL))
                m->needed[word - 1] = 1;
        }
    }
    return n;
}

static bool cull(maker *m)
{
    for (size_t i = 0; i < m->n_targets; i++) {
        if (m->targets[i].id > m->last_id)
            m->last_id = m->targets[i].id;
    }
    m->needed = pl_pages_alloc(m->last_id, 1);
    if (!m->needed)
        return false;
    m->plan->n_tasks = mark_needed(m);
    if (m->plan->n_tasks == m->last_id)
        return true;
    m->ranks = pl_pages_alloc(m->last_id, sizeof *m->ranks);
    m->plan->ids = pl_pages_alloc(m->plan->n_tasks, sizeof *m->plan->ids);
    if (!m->ranks || !m->plan->ids)
        return false;
    uint32_t rank = 0;
    for (uint32_t id = 1; id <= m->last_id; id++) {
        if (m->needed[id - 1]) {
            m->ranks[id - 1] = rank;
            m->plan->ids[rank++] = id;
        }
    }
    return true;
}

/* ---- 2. translate ---- */

static uint32_t rank_of(const maker *m, uint32_t id)
{
    return m->ranks ? m->ranks[id - 1] : id - 1;
}

static bool count_ref(plait_task task, void *user)
{
    (void)task;
    ++*(uint64_t *)user;
    return true;
}

/* How many words the plan has: those of the needed tasks, and one for each
 * reference inside a literal. */
static uint64_t count_words(const maker *m)
{
    const plait_graph *graph = m->graph;
    uint64_t n = 0;
    for (uint32_t id = 1; id <= m->last_id; id++) {
        if (!m->needed[id - 1])
            continue;
        uint32_t at = pl_graph_node_at(graph, id)->words;
        uint32_t end = pl_graph_words_end(graph, id);
        n += end - at;
        for (; graph->has_nested && at < end; at++) {
            uint32_t word = pl_graph_word(graph, at);
            if (word & PL_WORD_LITERAL)
                pl_each_ref(pl_graph_literal(graph, word), count_ref, &n);
        }
    }
    return n;
}

static bool write_ref(plait_task task, void *user)
{
    maker *m = user;
    m->plan->words[m->at++] = rank_of(m, task.id);
    return true;
}

/* Writes a task's words; returns how many of them are inputs. */
static uint32_t write_words(maker *m, uint32_t id, uint32_t *flags)
{
    const plait_graph *graph = m->graph;
    uint32_t inputs = 0;
    uint32_t end = pl_graph_words_end(graph, id);
    for (uint32_t at = pl_graph_node_at(graph, id)->words; at < end; at++) {
        uint32_t word = pl_graph_word(graph, at);
        if (!(word & PL_WORD_LITERAL)) {
            m->plan->words[m->at++] = rank_of(m, word);
            inputs++;
            continue;
        }
        m->plan->words[m->at++] = word;
        if (!graph->has_nested)
            continue;
        plait_value v = pl_graph_literal(graph, word);
        if (pl_has_refs(v)) {
            uint32_t before = m->at;
            pl_each_ref(v, write_ref, m);
            inputs += m->at - before;
            *flags |= PL_NODE_NESTED;
        }
    }
    return inputs;
}

static uint32_t flags_of(const maker *m, uint32_t id, uint32_t function)
{
    uint32_t flags = 0;
    if (m->plan->functions[function]->runtime)
        flags |= PL_NODE_RUNTIME;
    if (m->graph->options.length == 0)
        return flags;
    const pl_task_options *options = pl_graph_options(m->graph, id);
    if (!options)
        return flags;
    m->plan->n_options++;
    return flags | PL_NODE_OPTIONS |
           (options->accepts_errors ? PL_NODE_ACCEPTS_ERRORS : 0);
}

static bool find_functions(maker *m)
{
    plait_plan *plan = m->plan;
    plan->n_functions = m->graph->functions.length;
    plan->functions = pl_calloc(plan->n_functions, sizeof *plan->functions);
    if (!plan->functions)
        return false;
    for (uint32_t i = 0; i < plan->n_functions; i++)
        plan->functions[i] = pl_graph_function(m->graph, i);
    return true;
}

static bool translate(maker *m)
{
    plait_plan *plan = m->plan;
    uint64_t n_words = count_words(m);
    if (n_words >= PL_WORD_LITERAL || !find_functions(m))
        return false;
    plan->n_words = (uint32_t)n_words;
    plan->nodes =
        pl_pages_alloc((size_t)plan->n_tasks + 1, sizeof *plan->nodes);
    plan->words = pl_pages_alloc(n_words, sizeof *plan->words);
    if (!plan->nodes || !plan->words)
        return false;
    for (uint32_t id = 1; id <= m->last_id; id++) {
        if (!m->needed[id - 1])
            continue;
        pl_node *node = &plan->nodes[rank_of(m, id)];
        uint32_t function =
            pl_graph_node_at(m->graph, id)->function & ~PL_GRAPH_NODE_PLANNED;
        uint32_t flags = flags_of(m, id, function);
        node->words = m->at;
        node->inputs = write_words(m, id, &flags);
        node->function = function << PL_NODE_FLAG_BITS | flags;
        plan->n_edges += node->inputs;
    }
    plan->nodes[plan->n_tasks].words = m->at;
    for (size_t i = 0; i < m->n_targets; i++) {
        pl_node *node = &plan->nodes[rank_of(m, m->targets[i].id)];
        plan->n_distinct_targets += !(node->function & PL_NODE_TARGET);
        node->function |= PL_NODE_TARGET;
    }
    return true;
}

/* ---- 4. invert ---- */

/* Fills nodes[].successors and successors from words. The tasks are gone
 * through in falling order, so that each list is filled from its end: the
 * offset is counted down to the list's begin, and lists come out rising. */
static bool invert(plait_plan *plan)
{
    pl_node *nodes = plan->nodes;
    plan->successors = pl_pages_alloc(plan->n_edges, sizeof *plan->successors);
    if (!plan->successors)
        return false;
    for (uint32_t i = 0; i < plan->n_words; i++) {
        if (!(plan->words[i] & PL_WORD_LITERAL))
            nodes[plan->words[i]].successors++;
    }
    uint32_t end = 0;
    for (uint32_t t = 0; t < plan->n_tasks; t++)
        nodes[t].successors = end += nodes[t].successors;
    nodes[plan->n_tasks].successors = end;
    for (uint32_t t = plan->n_tasks; t-- > 0;) {
        for (uint32_t at = nodes[t + 1].words; at-- > nodes[t].words;) {
            uint32_t word = plan->words[at];
            if (!(word & PL_WORD_LITERAL))
                plan->successors[--nodes[word].successors] = t;
        }
    }
    return true;
}

/* ---- 3. order ---- */

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

static bool alloc_arrays(const maker *m, order_arrays *arrays)
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

static void fill_arrays(const maker *m, order_arrays *arrays)
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
        if (node->function & PL_NODE_OPTIONS)
            arrays->priorities[t] =
                pl_graph_options(m->graph, pl_plan_id(plan, t))->priority;
    }
    arrays->input_at[plan->n_tasks] = at;
    arrays->successor_at[plan->n_tasks] = plan->n_edges;
}

static bool any_priority(const plait_plan *plan, const int32_t *priorities)
{
    for (uint32_t t = 0; priorities && t < plan->n_tasks; t++) {
        if (priorities[t] != 0)
            return true;
    }
    return false;
}

/* Asks for the order; m->position is NULL when it is creation order. */
static bool choose_order(maker *m, plait_order wanted)
{
    plait_plan *plan = m->plan;
    if (wanted == PLAIT_ORDER_CREATION && plan->n_options == 0)
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
                                 any_priority(plan, arrays.priorities)
                                     ? arrays.priorities
                                     : NULL };
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

/* Lays nodes, words and ids out by position. */
static bool lay_out_anew(maker *m)
{
    plait_plan *plan = m->plan;
    size_t n = plan->n_tasks;
    pl_node *nodes = pl_pages_alloc(n + 1, sizeof *nodes);
    uint32_t *words = pl_pages_alloc(plan->n_words, sizeof *words);
    uint32_t *ids = pl_pages_alloc(n, sizeof *ids);
    uint32_t *ranks = pl_pages_alloc(n, sizeof *ranks);
    bool ok = nodes && words && ids && ranks;
    for (uint32_t t = 0; ok && t < n; t++)
        ranks[m->position[t]] = t;
    uint32_t at = 0;
    for (uint32_t t = 0; ok && t < n; t++) {
        const pl_node *from = &plan->nodes[ranks[t]];
        nodes[t] = (pl_node){ from->function, at, 0, from->inputs };
        ids[t] = pl_plan_id(plan, ranks[t]);
        for (uint32_t i = from->words; i < from[1].words; i++) {
            uint32_t word = plan->words[i];
            words[at++] = word & PL_WORD_LITERAL ? word : m->position[word];
        }
    }
    pl_pages_free(ranks, n, sizeof *ranks);
    if (!ok) {
        pl_pages_free(nodes, n + 1, sizeof *nodes);
        pl_pages_free(words, plan->n_words, sizeof *words);
        pl_pages_free(ids, n, sizeof *ids);
        return false;
    }
    nodes[n].words = at;
    pl_pages_free(plan->nodes, n + 1, sizeof *nodes);
    pl_pages_free(plan->words, plan->n_words, sizeof *words);
    pl_pages_free(plan->ids, n, sizeof *ids);
    pl_pages_free(plan->successors, plan->n_edges, sizeof *plan->successors);
    plan->nodes = nodes;
    plan->words = words;
    plan->ids = ids;
    plan->successors = NULL;
    return true;
}

/* ---- 5. finish ---- */

static uint32_t number_of(const maker *m, uint32_t id)
{
    uint32_t rank = rank_of(m, id);
    return m->position ? m->position[rank] : rank;
}

static bool finish_targets(maker *m)
{
    plait_plan *plan = m->plan;
    plan->targets = pl_pages_alloc(m->n_targets, sizeof *plan->targets);
    if (!plan->targets)
        return false;
    plan->n_targets = (uint32_t)m->n_targets;
    for (size_t i = 0; i < m->n_targets; i++)
        plan->targets[i] = number_of(m, m->targets[i].id);
    return true;
}

static bool finish_sources(plait_plan *plan)
{
    for (uint32_t t = 0; t < plan->n_tasks; t++)
        plan->n_sources += plan->nodes[t].inputs == 0;
    plan->sources = pl_pages_alloc(plan->n_sources, sizeof *plan->sources);
    if (!plan->sources)
        return false;
    uint32_t n = 0;
    for (uint32_t t = 0; t < plan->n_tasks; t++) {
        if (plan->nodes[t].inputs == 0)
            plan->sources[n++] = t;
    }
    return true;
}

static bool finish_options(maker *m)
{
    plait_plan *plan = m->plan;
    plan->options = pl_calloc(plan->n_options, sizeof *plan->options);
    if (!plan->options)
        return false;
    uint32_t n = 0;
    for (uint32_t t = 0; n < plan->n_options; t++) {
        if (plan->nodes[t].function & PL_NODE_OPTIONS)
            plan->options[n++] =
                (pl_plan_options){ t, pl_graph_options(m->graph,
                                                       pl_plan_id(plan, t)) };
    }
    return true;
}

static bool make(maker *m, plait_order wanted)
{
    return cull(m) && translate(m) && invert(m->plan) &&
           choose_order(m, wanted) &&
           (!m->position || (lay_out_anew(m) && invert(m->plan))) &&
           finish_targets(m) && finish_sources(m->plan) && finish_options(m);
}

static void maker_fini(maker *m)
{
    pl_pages_free(m->needed, m->last_id, 1);
    pl_pages_free(m->ranks, m->last_id, sizeof *m->ranks);
    pl_pages_free(m->position, m->plan->n_tasks, sizeof *m->position);
}

static plait_plan *new_plan(plait_graph *graph)
{
    plait_plan *plan = pl_calloc(1, sizeof *plan);
    if (!plan)
        return NULL;
    atomic_init(&plan->count, 1);
    pl_graph_retain(graph);
    plan->graph = graph;
    return plan;
}

plait_plan *pl_plan_new(plait_graph *graph, const plait_task *tasks, size_t n,
                        plait_order order, plait_error *err)
{
    if (plait_graph_status(graph, err) != PLAIT_OK)
        return NULL;
    maker m = { .graph = graph, .targets = tasks, .n_targets = n };
    if (check_targets(&m, err) != PLAIT_OK)
        return NULL;
    m.plan = n < PL_TASKS_MAX ? new_plan(graph) : NULL;
    if (!m.plan) {
        pl_error_nomem(err);
        return NULL;
    }
    bool ok = make(&m, order);
    maker_fini(&m);
    if (!ok) {
        pl_error_nomem(err);
        plait_plan_free(m.plan);
        return NULL;
    }
    return m.plan;
}

plait_plan *plait_plan_new(plait_graph *graph, const plait_task *tasks,
                           size_t n, plait_error *err)
{
    return pl_plan_new(graph, tasks, n, PLAIT_ORDER_AUTO, err);
}

/* ---- asking ---- */

void pl_plan_retain(plait_plan *plan)
{
    pl_refcount_take(&plan->count);
}

void plait_plan_free(plait_plan *plan)
{
    if (!plan || !pl_refcount_give(&plan->count))
        return;
    size_t n = plan->n_tasks;
    pl_pages_free(plan->nodes, n + 1, sizeof *plan->nodes);
    pl_pages_free(plan->words, plan->n_words, sizeof *plan->words);
    pl_pages_free(plan->successors, plan->n_edges, sizeof *plan->successors);
    pl_pages_free(plan->sources, plan->n_sources, sizeof *plan->sources);
    pl_pages_free(plan->ids, n, sizeof *plan->ids);
    pl_pages_free(plan->targets, plan->n_targets, sizeof *plan->targets);
    pl_free(plan->options);
    pl_free(plan->functions);
    pl_graph_release(plan->graph);
    pl_free(plan);
}

static int by_number(const void *key, const void *entry)
{
    uint32_t a = *(const uint32_t *)key;
    uint32_t b = ((const pl_plan_options *)entry)->number;
    return a < b ? -1 : a > b;
}

const pl_task_options *pl_plan_task_options(const plait_plan *plan,
                                            uint32_t number)
{
    if (!(plan->nodes[number].function & PL_NODE_OPTIONS))
        return NULL;
    const pl_plan_options *found = bsearch(
        &number, plan->options, plan->n_options, sizeof *found, by_number);
    return found ? found->options : NULL;
}

uint32_t pl_plan_target(const plait_plan *plan, plait_task task)
{
    if (task.id == 0)
        return plan->n_targets ? plan->targets[0] : PL_NONE;
    if (task.graph != plan->graph->number)
        return PL_NONE;
    for (uint32_t i = 0; i < plan->n_targets; i++) {
        if (pl_plan_id(plan, plan->targets[i]) == task.id)
            return plan->targets[i];
    }
    return PL_NONE;
}

int pl_plan_key(const plait_plan *plan, uint32_t number, char *buf, size_t size)
{
    return pl_graph_key(plan->graph, pl_plan_id(plan, number),
                        pl_plan_task_options(plan, number), buf, size);
}

size_t plait_plan_size(const plait_plan *plan, size_t *bytes)
{
    if (bytes) {
        const plait_graph *graph = plan->graph;
        size_t n = plan->n_tasks;
        *bytes =
            pl_segvec_bytes(&graph->nodes) + pl_segvec_bytes(&graph->words) +
            pl_segvec_bytes(&graph->literals) + (n + 1) * sizeof *plan->nodes +
            ((size_t)plan->n_words + plan->n_edges + plan->n_sources +
             plan->n_targets + (plan->ids ? n : 0)) *
                sizeof(uint32_t) +
            n * PL_RUN_BYTES_PER_TASK;
    }
    return plan->n_tasks;
}

void plait_plan_order(const plait_plan *plan, plait_task *tasks)
{
    for (uint32_t t = 0; t < plan->n_tasks; t++)
        tasks[t] = (plait_task){ pl_plan_id(plan, t), plan->graph->number };
}
