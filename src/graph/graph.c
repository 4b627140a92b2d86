/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * graph.c: drawing a graph. Every building call takes its values, checks them,
 * and appends; what is wrong sticks to the graph.
 */
#include "graph/function_table.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "value/attachment.h"
#include "value/object.h"

/* For callers that can't inline it. */
extern inline plait_value plait_argument(plait_value v);

static const plait_task no_task = { 0, 0 };

plait_graph *plait_graph_new(void)
{
    static _Atomic uint32_t count;
    plait_graph *graph = pl_calloc(1, sizeof *graph);
    if (!graph)
        return NULL;
    atomic_init(&graph->count, 1);
    /* relaxed: only distinct numbers matter; 0 means no graph */
    do
        graph->number =
            atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) + 1;
    while (graph->number == 0);
    pl_segvec_init(&graph->nodes, sizeof(pl_graph_node));
    pl_segvec_init(&graph->words, sizeof(uint32_t));
    pl_segvec_init(&graph->literals, sizeof(plait_value));
    pl_segvec_init(&graph->functions, sizeof(pl_function));
    pl_segvec_init(&graph->options, sizeof(pl_task_options));
    return graph;
}

void pl_graph_retain(plait_graph *graph)
{
    pl_refcount_take(&graph->count);
}

void pl_graph_release(plait_graph *graph)
{
    if (!graph || !pl_refcount_give(&graph->count))
        return;
    for (uint32_t i = 0; i < graph->literals.length; i++)
        plait_release(*(plait_value *)pl_segvec_at(&graph->literals, i));
    for (uint32_t i = 0; i < graph->options.length; i++)
        pl_free(((pl_task_options *)pl_segvec_at(&graph->options, i))->key);
    pl_functions_free(graph);
    plait_release(graph->error);
    pl_segvec_fini(&graph->nodes);
    pl_segvec_fini(&graph->words);
    pl_segvec_fini(&graph->literals);
    pl_segvec_fini(&graph->functions);
    pl_segvec_fini(&graph->options);
    pl_hashmap_fini(&graph->function_index);
    pl_hashmap_fini(&graph->name_index);
    pl_hashmap_fini(&graph->options_index);
    pl_free(graph);
}

void plait_graph_free(plait_graph *graph)
{
    pl_graph_release(graph);
}

plait_status plait_graph_status(const plait_graph *graph, plait_error *err)
{
    if (!graph)
        return pl_error_set(
            err, PLAIT_ENOMEM,
            "the graph is NULL: out of memory when it was made");
    if (plait_is_error(graph->error))
        return pl_error_copy(err, plait_as_error(graph->error));
    pl_error_clear(err);
    return PLAIT_OK;
}

size_t plait_graph_size(const plait_graph *graph)
{
    return graph ? graph->nodes.length : 0;
}

plait_status pl_graph_stick(plait_graph *graph, plait_value error)
{
    plait_status status = plait_as_error(error)->status;
    if (plait_is_error(graph->error))
        plait_release(error);
    else
        graph->error = error;
    return status;
}

plait_status plait_graph_fail(plait_graph *graph, plait_status status,
                              const char *format, ...)
{
    if (!graph)
        return status;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return pl_graph_stick(
        graph, plait_error_value(status == PLAIT_OK ? PLAIT_EINVAL : status,
                                 "%s", text));
}

/* ---- arguments ---- */

/* Whether a reference names an earlier task of this graph; else it sticks. */
static bool check_ref(plait_graph *graph, plait_task task)
{
    if (task.graph == graph->number && task.id - 1 < graph->nodes.length)
        return true;
    if (task.id == 0)
        pl_graph_stick(graph,
                       plait_error_value(
                           PLAIT_EINVAL,
                           "task %zu uses a handle that names no task (id 0): "
                           "the call that made it failed",
                           (size_t)graph->nodes.length + 1));
    else
        pl_graph_stick(
            graph,
            plait_error_value(PLAIT_EINVAL,
                              "task %zu of graph %u uses task %u of graph %u: "
                              "arguments must be tasks of the same graph",
                              (size_t)graph->nodes.length + 1, graph->number,
                              task.id, task.graph));
    return false;
}

static bool check_nested_ref(plait_task task, void *user)
{
    plait_graph *graph = user;
    graph->nested_refs++;
    return check_ref(graph, task);
}

/* The word for a value that is no plain reference. Takes it. */
static bool add_literal(plait_graph *graph, plait_value v, uint32_t *word)
{
    if (plait_is_error(v)) {
        pl_graph_stick(graph, v);
        return false;
    }
    if (pl_has_refs(v) && !pl_each_ref(v, check_nested_ref, graph)) {
        plait_release(v);
        return false;
    }
    plait_value *literal = graph->literals.length < PL_TASKS_MAX
                               ? pl_segvec_push(&graph->literals)
                               : NULL;
    if (!literal) {
        plait_release(v);
        pl_graph_stick(graph, pl_error_nomem_value());
        return false;
    }
    *literal = v;
    *word = PL_WORD_LITERAL | (graph->literals.length - 1);
    return true;
}

static bool add_word(plait_graph *graph, plait_value v)
{
    uint32_t word = (uint32_t)v.as.integer;
    if (v.kind == PLAIT_KIND_REF) {
        if (!check_ref(graph, (plait_task){ word, v.graph }))
            return false;
    } else if (!add_literal(graph, v, &word)) {
        return false;
    }
    uint32_t *end = pl_segvec_push(&graph->words);
    if (!end) { /* a literal is the graph's by now, and freed with it */
        pl_graph_stick(graph, pl_error_nomem_value());
        return false;
    }
    *end = word;
    return true;
}

/* Appends a task; takes the arguments. Words of a task that failed half-way
 * stay: the graph never runs any more. */
static plait_task append(plait_graph *graph, pl_function *function,
                         const plait_value *args, size_t n_args)
{
    uint32_t words = graph->words.length;
    for (size_t i = 0; i < n_args; i++) {
        if (!add_word(graph, args[i])) {
            pl_release_all(args + i + 1, n_args - i - 1);
            return no_task;
        }
    }
    pl_graph_node *node = graph->nodes.length < PL_TASKS_MAX
                              ? pl_segvec_push(&graph->nodes)
                              : NULL;
    if (!node) {
        pl_graph_stick(graph, pl_error_nomem_value());
        return no_task;
    }
    *node =
        (pl_graph_node){ function->number, words, function->namesake->calls++ };
    return (plait_task){ graph->nodes.length, graph->number };
}

/* ---- calls ---- */

static bool usable(plait_graph *graph)
{
    return graph && !plait_is_error(graph->error);
}

plait_task plait_call(plait_graph *graph, plait_fn fn, const char *name,
                      const plait_value *args, size_t n_args)
{
    if (usable(graph) && !fn)
        plait_graph_fail(graph, PLAIT_EINVAL,
                         "task %zu (%s): the function is NULL",
                         (size_t)graph->nodes.length + 1, name ? name : "task");
    pl_function *function =
        usable(graph) ? pl_function_find(graph, fn, name) : NULL;
    if (!function) {
        pl_release_all(args, n_args);
        return no_task;
    }
    return append(graph, function, args, n_args);
}

static plait_value literal(plait_context *ctx, const plait_value *args,
                           size_t n_args)
{
    (void)ctx;
    (void)n_args;
    return plait_retain(args[0]);
}

plait_task plait_literal(plait_graph *graph, plait_value v)
{
    return plait_call(graph, literal, "literal", &v, 1);
}

bool pl_graph_as_literal(const plait_graph *graph, uint32_t id,
                         plait_value *value)
{
    const pl_graph_node *node = pl_graph_node_at(graph, id);
    if (pl_graph_function(graph, node->function)->fn != literal)
        return false;
    uint32_t word = pl_graph_word(graph, node->words);
    *value = word & PL_WORD_LITERAL
                 ? pl_graph_literal(graph, word)
                 : plait_ref((plait_task){ word, graph->number });
    return true;
}

static void free_given_payload(const plait_function *given)
{
    if (given->free_payload)
        pl_runtime_call(given->runtime, given->free_payload, given->payload);
}

plait_func plait_function_add(plait_graph *graph,
                              const plait_function *function)
{
    plait_func none = { 0, 0 };
    plait_function given;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status =
        pl_read_struct(&given, sizeof given, function, "plait_function",
                       "PLAIT_FUNCTION_INIT", &err);
    if (status != PLAIT_OK) {
        plait_graph_fail(graph, status, "%s", err.message);
        return none;
    }
    if (usable(graph) && !given.fn)
        plait_graph_fail(graph, PLAIT_EINVAL, "function %s: fn is NULL",
                         given.name ? given.name : "task");
    if (!usable(graph)) {
        free_given_payload(&given);
        return none;
    }
    const pl_function *added = pl_function_append(graph, &given);
    return added ? (plait_func){ added->number + 1, graph->number } : none;
}

plait_task plait_call_func(plait_graph *graph, plait_func func,
                           const plait_value *args, size_t n_args)
{
    if (usable(graph) &&
        (func.graph != graph->number || func.id - 1 >= graph->functions.length))
        plait_graph_fail(graph, PLAIT_EINVAL,
                         "function %u of graph %u is called in graph %u, which "
                         "has no such function",
                         func.id, func.graph, graph->number);
    if (!usable(graph)) {
        pl_release_all(args, n_args);
        return no_task;
    }
    return append(graph, pl_segvec_at(&graph->functions, func.id - 1), args,
                  n_args);
}

/* ---- inputs ---- */

typedef struct input_visit {
    bool (*visit)(uint32_t input, void *user);
    void *user;
} input_visit;

static bool visit_nested(plait_task task, void *user)
{
    const input_visit *inputs = user;
    return inputs->visit(task.id, inputs->user);
}

bool pl_graph_each_input(const plait_graph *graph, uint32_t id,
                         bool (*visit)(uint32_t input, void *user), void *user)
{
    uint32_t end = pl_graph_words_end(graph, id);
    input_visit inputs = { visit, user };
    for (uint32_t at = pl_graph_node_at(graph, id)->words; at < end; at++) {
        uint32_t word = pl_graph_word(graph, at);
        bool go_on = true;
        if (!(word & PL_WORD_LITERAL))
            go_on = visit(word, user);
        else if (pl_has_refs(pl_graph_literal(graph, word)))
            go_on = pl_each_ref(pl_graph_literal(graph, word), visit_nested,
                                &inputs);
        if (!go_on)
            return false;
    }
    return true;
}
