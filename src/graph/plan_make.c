/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_make.c: making a plan. Each pass goes through the tasks once:
 *   1. cull: one backward sweep marks what the targets need
 *   2. translate: needed tasks get their rank in creation order; words name
 *      ranks instead of ids; uses are counted
 *   3. invert: successors from words, as CSR arrays, in rising order; on the
 *      way, the most results that are alive at a time in creation order
 *   4. order: when that is many, a position for each rank (order.h), by which
 *      all is laid out anew and inverted again
 *   5. finish: targets, sources, options
 * Planning a million tasks costs mostly the memory it touches, so what can be
 * found on the way is.
 */
#include "graph/plan_maker.h"

#include "base/alloc.h"
#include "base/error.h"
#include "platform/pages.h"
#include "value/object.h"

/* ---- cull ---- */

static plait_status check_targets(const pl_plan_maker *m, plait_error *err)
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

static bool mark_ref(plait_task task, void *user)
{
    ((unsigned char *)user)[task.id - 1] = 1;
    return true;
}

/* Marks what the words [begin, end) of a task name. */
static void mark_inputs(pl_plan_maker *m, uint32_t begin, uint32_t end)
{
    for (uint32_t at = begin; at < end;) {
        pl_segvec_span span = pl_segvec_span_of(&m->graph->words, at);
        const uint32_t *word = (const void *)span.item;
        for (; at < end && (const char *)word < span.end; word++, at++) {
            if (!(*word & PL_WORD_LITERAL))
                m->needed[*word - 1] = 1;
            else if (m->graph->nested_refs)
                pl_each_ref(pl_graph_literal(m->graph, *word), mark_ref,
                            m->needed);
        }
    }
}

/* Marks what the targets need; returns how many tasks that is. */
static uint32_t mark_needed(pl_plan_maker *m)
{
    uint32_t n = 0;
    uint32_t end = pl_graph_words_end(m->graph, m->last_id);
    uint32_t id = m->last_id;
    while (id > 0) {
        pl_segvec_span span = pl_segvec_span_of(&m->graph->nodes, id - 1);
        pl_graph_node *node = (void *)span.item;
        for (; (char *)node >= span.begin; node--, id--) {
            if (m->needed[id - 1]) {
                n++;
                /* runs may be reading what is in a plan already */
                if (!(node->function & PL_GRAPH_NODE_PLANNED))
                    node->function |= PL_GRAPH_NODE_PLANNED;
                mark_inputs(m, node->words, end);
            }
            end = node->words;
        }
    }
    return n;
}

static bool rank_needed(pl_plan_maker *m)
{
    plait_plan *plan = m->plan;
    m->ranks = pl_pages_alloc(m->last_id, sizeof *m->ranks);
    plan->ids = pl_pages_alloc(plan->n_tasks, sizeof *plan->ids);
    if (!m->ranks || !plan->ids)
        return false;
    uint32_t rank = 0;
    for (uint32_t id = 1; id <= m->last_id; id++) {
        if (m->needed[id - 1]) {
            m->ranks[id - 1] = rank;
            plan->ids[rank++] = id;
        }
    }
    return true;
}

static bool cull(pl_plan_maker *m)
{
    for (size_t i = 0; i < m->n_targets; i++) {
        if (m->targets[i].id > m->last_id)
            m->last_id = m->targets[i].id;
    }
    m->needed = pl_pages_alloc(m->last_id, 1);
    if (!m->needed)
        return false;
    for (size_t i = 0; i < m->n_targets; i++)
        m->needed[m->targets[i].id - 1] = 1;
    if (m->last_id)
        m->plan->n_tasks = mark_needed(m);
    return m->plan->n_tasks == m->last_id || rank_needed(m);
}

/* ---- translate ---- */

static bool count_ref(plait_task task, void *user)
{
    (void)task;
    ++*(uint64_t *)user;
    return true;
}

/* How many words the plan has: those of the needed tasks, and one for each
 * reference inside a literal. */
static uint64_t count_words(const pl_plan_maker *m)
{
    const plait_graph *graph = m->graph;
    uint64_t n = 0;
    if (!m->ranks && m->last_id == graph->nodes.length)
        return (uint64_t)graph->words.length + graph->nested_refs;
    for (uint32_t id = 1; id <= m->last_id; id++) {
        if (!m->needed[id - 1])
            continue;
        uint32_t at = pl_graph_node_at(graph, id)->words;
        uint32_t end = pl_graph_words_end(graph, id);
        n += end - at;
        for (; graph->nested_refs && at < end; at++) {
            uint32_t word = pl_graph_word(graph, at);
            if (word & PL_WORD_LITERAL)
                pl_each_ref(pl_graph_literal(graph, word), count_ref, &n);
        }
    }
    return n;
}

static inline void write_input(pl_plan_maker *m, uint32_t rank)
{
    m->plan->words[m->at++] = rank;
    m->plan->nodes[rank].successors++;
}

static bool write_ref(plait_task task, void *user)
{
    pl_plan_maker *m = user;
    write_input(m, pl_rank_of(m, task.id));
    return true;
}

/* Writes a literal's word, and those of the references inside. */
static uint32_t write_literal(pl_plan_maker *m, uint32_t word, uint32_t *flags)
{
    m->plan->words[m->at++] = word;
    if (m->graph->nested_refs == 0)
        return 0;
    plait_value v = pl_graph_literal(m->graph, word);
    if (!pl_has_refs(v))
        return 0;
    uint32_t before = m->at;
    pl_each_ref(v, write_ref, m);
    *flags |= PL_NODE_NESTED;
    return m->at - before;
}

/* Writes a word; returns how many inputs that makes. */
static inline uint32_t write_word(pl_plan_maker *m, uint32_t word,
                                  uint32_t *flags)
{
    if (word & PL_WORD_LITERAL)
        return write_literal(m, word, flags);
    write_input(m, pl_rank_of(m, word));
    return 1;
}

static uint32_t flags_of(const pl_plan_maker *m, uint32_t id, uint32_t function)
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

/* Writes a task, whose words in the graph are [begin, end). */
static void write_task(pl_plan_maker *m, uint32_t id, const pl_graph_node *from,
                       uint32_t end)
{
    plait_plan *plan = m->plan;
    pl_node *node = &plan->nodes[pl_rank_of(m, id)];
    uint32_t function = from->function & ~PL_GRAPH_NODE_PLANNED;
    uint32_t flags = flags_of(m, id, function);
    uint32_t inputs = 0;
    node->words = m->at;
    for (uint32_t at = from->words; at < end;) {
        pl_segvec_span span = pl_segvec_span_of(&m->graph->words, at);
        const uint32_t *word = (const void *)span.item;
        for (; at < end && (const char *)word < span.end; word++, at++)
            inputs += write_word(m, *word, &flags);
    }
    if (end - from->words > PL_ARGS_INLINE)
        flags |= PL_NODE_MANY;
    node->inputs = inputs;
    node->function = function << PL_NODE_FLAG_BITS | flags;
    plan->n_edges += inputs;
}

static bool find_functions(pl_plan_maker *m)
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

static void write_tasks(pl_plan_maker *m)
{
    const pl_segvec *nodes = &m->graph->nodes;
    uint32_t id = 1;
    while (id <= m->last_id) {
        pl_segvec_span span = pl_segvec_span_of(nodes, id - 1);
        const pl_graph_node *node = (const void *)span.item;
        for (; (const char *)node < span.end && id <= m->last_id;
             node++, id++) {
            if (m->needed[id - 1])
                write_task(m, id, node,
                           (const char *)(node + 1) < span.end
                               ? node[1].words
                               : pl_graph_words_end(m->graph, id));
        }
    }
}

static bool translate(pl_plan_maker *m)
{
    plait_plan *plan = m->plan;
    uint64_t n_words = count_words(m);
    if (n_words >= PL_WORD_LITERAL || !find_functions(m))
        return false;
    plan->n_words = (uint32_t)n_words;
    plan->nodes =
        pl_pages_alloc((size_t)plan->n_tasks + 1, sizeof *plan->nodes);
    plan->words = pl_pages_alloc(n_words + PL_WORDS_SPARE, sizeof *plan->words);
    if (!plan->nodes || !plan->words)
        return false;
    write_tasks(m);
    plan->nodes[plan->n_tasks].words = m->at;
    for (size_t i = 0; i < m->n_targets; i++) {
        pl_node *node = &plan->nodes[pl_rank_of(m, m->targets[i].id)];
        plan->n_distinct_targets += !(node->function & PL_NODE_TARGET);
        node->function |= PL_NODE_TARGET;
    }
    return true;
}

/* ---- finish ---- */

static bool finish_targets(pl_plan_maker *m)
{
    plait_plan *plan = m->plan;
    plan->targets = pl_pages_alloc(m->n_targets, sizeof *plan->targets);
    if (!plan->targets)
        return false;
    plan->n_targets = (uint32_t)m->n_targets;
    for (size_t i = 0; i < m->n_targets; i++) {
        uint32_t rank = pl_rank_of(m, m->targets[i].id);
        plan->targets[i] = m->position ? m->position[rank] : rank;
    }
    return true;
}

static bool finish_sources(plait_plan *plan)
{
    plan->sources = pl_pages_alloc(plan->n_sources, sizeof *plan->sources);
    if (!plan->sources)
        return false;
    for (uint32_t t = 0, n = 0; n < plan->n_sources; t++) {
        if (plan->nodes[t].inputs == 0)
            plan->sources[n++] = t;
    }
    return true;
}

static bool finish_options(pl_plan_maker *m)
{
    plait_plan *plan = m->plan;
    plan->options = pl_calloc(plan->n_options, sizeof *plan->options);
    if (!plan->options)
        return false;
    for (uint32_t t = 0, n = 0; n < plan->n_options; t++) {
        if (plan->nodes[t].function & PL_NODE_OPTIONS)
            plan->options[n++] =
                (pl_plan_options){ t, pl_graph_options(m->graph,
                                                       pl_plan_id(plan, t)) };
    }
    return true;
}

static bool make(pl_plan_maker *m, plait_order wanted)
{
    return cull(m) && translate(m) && pl_plan_invert(m) &&
           pl_plan_reorder(m, wanted) && finish_targets(m) &&
           finish_sources(m->plan) && finish_options(m);
}

static void maker_fini(pl_plan_maker *m)
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
                        plait_order wanted, plait_error *err)
{
    if (plait_graph_status(graph, err) != PLAIT_OK)
        return NULL;
    pl_plan_maker m = { .graph = graph, .targets = tasks, .n_targets = n };
    if (check_targets(&m, err) != PLAIT_OK)
        return NULL;
    m.plan = n < PL_TASKS_MAX ? new_plan(graph) : NULL;
    if (!m.plan) {
        pl_error_nomem(err);
        return NULL;
    }
    bool ok = make(&m, wanted);
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
