/* SPDX-License-Identifier: BSD-3-Clause */
/* task_options.c: options of single tasks, and their keys. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/graph.h"
#include "value/object.h"

static bool same_task(uint32_t number, const void *key, const void *user)
{
    const plait_graph *graph = user;
    const pl_task_options *options = pl_segvec_at(&graph->options, number);
    return options->task == *(const uint32_t *)key;
}

const pl_task_options *pl_graph_options(const plait_graph *graph, uint32_t id)
{
    uint32_t number = pl_hashmap_find(&graph->options_index, pl_hash_mix(id),
                                      same_task, &id, graph);
    return number == PL_HASHMAP_NONE ? NULL
                                     : pl_segvec_at(&graph->options, number);
}

/* The options of a task, made when there are none yet; NULL: no memory. */
static pl_task_options *make_options(plait_graph *graph, uint32_t id)
{
    uint64_t hash = pl_hash_mix(id);
    uint32_t number =
        pl_hashmap_find(&graph->options_index, hash, same_task, &id, graph);
    if (number != PL_HASHMAP_NONE)
        return pl_segvec_at(&graph->options, number);
    pl_task_options *options = pl_segvec_push(&graph->options);
    if (!options)
        return NULL;
    *options = (pl_task_options){ .task = id };
    return pl_hashmap_add(&graph->options_index, hash,
                          graph->options.length - 1)
               ? options
               : NULL;
}

static plait_status check_settable(plait_graph *graph, plait_task task)
{
    if (task.graph != graph->number || task.id - 1 >= graph->nodes.length)
        return plait_graph_fail(graph, PLAIT_EINVAL,
                                "plait_task_set: task %u of graph %u is no "
                                "task of graph %u",
                                task.id, task.graph, graph->number);
    if (pl_graph_node_at(graph, task.id)->function & PL_GRAPH_NODE_PLANNED) {
        char key[128];
        plait_task_key(graph, task, key, sizeof key);
        return plait_graph_fail(graph, PLAIT_EINVAL,
                                "plait_task_set: %s is in a plan already: set "
                                "its options before the first compute",
                                key);
    }
    return PLAIT_OK;
}

plait_status plait_task_set(plait_graph *graph, plait_task task,
                            const plait_task_options *options)
{
    if (plait_graph_status(graph, NULL) != PLAIT_OK)
        return plait_graph_status(graph, NULL);
    plait_task_options given;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status =
        pl_read_struct(&given, sizeof given, options, "plait_task_options",
                       "PLAIT_TASK_OPTIONS_INIT", &err);
    if (status != PLAIT_OK)
        return plait_graph_fail(graph, status, "%s", err.message);
    status = check_settable(graph, task);
    if (status != PLAIT_OK)
        return status;
    char *key = given.key ? pl_strdup(given.key) : NULL;
    pl_task_options *own = make_options(graph, task.id);
    if (!own || (given.key && !key)) {
        pl_free(key);
        return pl_graph_stick(graph, pl_error_nomem_value());
    }
    pl_free(own->key);
    *own = (pl_task_options){ .key = key,
                              .task = task.id,
                              .retries = given.retries,
                              .timeout_ms = given.timeout_ms,
                              .priority = given.priority,
                              .accepts_errors = given.accepts_errors };
    return PLAIT_OK;
}

int pl_graph_key(const plait_graph *graph, uint32_t id,
                 const pl_task_options *options, char *buf, size_t size)
{
    if (options && options->key)
        return snprintf(buf, size, "%s", options->key);
    const pl_graph_node *node = pl_graph_node_at(graph, id);
    return snprintf(buf, size, "%s-%u",
                    pl_graph_function(graph, node->function)->name,
                    node->ordinal);
}

int plait_task_key(const plait_graph *graph, plait_task task, char *buf,
                   size_t size)
{
    if (!graph || task.graph != graph->number ||
        task.id - 1 >= graph->nodes.length)
        return snprintf(buf, size, "(no task)");
    return pl_graph_key(graph, task.id, pl_graph_options(graph, task.id), buf,
                        size);
}
