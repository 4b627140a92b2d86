/* SPDX-License-Identifier: BSD-3-Clause */
/* function_table.c: a graph's functions, each (fn, name) once. */
#include "graph/function_table.h"

#include <string.h>

#include "base/alloc.h"
#include "value/attachment.h"
#include "value/object.h"

void pl_functions_free(plait_graph *graph)
{
    for (uint32_t i = 0; i < graph->functions.length; i++) {
        pl_function *function = pl_segvec_at(&graph->functions, i);
        if (function->free_payload)
            pl_runtime_call(function->runtime, function->free_payload,
                            function->payload);
        pl_free(function->name);
    }
}

typedef struct function_key {
    plait_fn fn;
    const char *name;
} function_key;

static bool same_name(uint32_t number, const void *key, const void *user)
{
    return strcmp(pl_graph_function(user, number)->name, key) == 0;
}

/* Functions with a payload, or added by hand, are never found again. */
static bool same_function(uint32_t number, const void *key, const void *user)
{
    const function_key *wanted = key;
    const pl_function *function = pl_graph_function(user, number);
    return function->fn == wanted->fn &&
           strcmp(function->name, wanted->name) == 0;
}

static bool set_namesake(plait_graph *graph, pl_function *function,
                         uint32_t number)
{
    uint64_t hash = pl_hash_bytes(function->name, strlen(function->name), 0);
    uint32_t first = pl_hashmap_find(&graph->name_index, hash, same_name,
                                     function->name, graph);
    function->namesake = first == PL_HASHMAP_NONE ? number : first;
    return first != PL_HASHMAP_NONE ||
           pl_hashmap_add(&graph->name_index, hash, number);
}

bool pl_function_append(plait_graph *graph, const plait_function *given,
                        uint32_t *number)
{
    pl_function function = { .fn = given->fn,
                             .payload = given->payload,
                             .runtime = given->runtime,
                             .free_payload = given->free_payload,
                             .name = pl_strdup(given->name ? given->name
                                                           : "task") };
    pl_function *end = NULL;
    *number = graph->functions.length;
    if (function.name && *number < PL_FUNCTIONS_MAX - 1)
        end = pl_segvec_push(&graph->functions);
    if (end) { /* freed with the graph from here on */
        *end = function;
        if (set_namesake(graph, end, *number))
            return true;
    } else {
        if (function.free_payload)
            pl_runtime_call(function.runtime, function.free_payload,
                            function.payload);
        pl_free(function.name);
    }
    pl_graph_stick(graph, pl_error_nomem_value());
    return false;
}

bool pl_function_find(plait_graph *graph, plait_fn fn, const char *name,
                      uint32_t *number)
{
    function_key key = { fn, name ? name : "task" };
    *number = graph->last_function;
    if (*number != UINT32_MAX && same_function(*number, &key, graph))
        return true;
    uintptr_t address = 0;
    memcpy(&address, &fn, sizeof fn);
    uint64_t hash = pl_hash_bytes(key.name, strlen(key.name), address);
    *number = pl_hashmap_find(&graph->function_index, hash, same_function, &key,
                              graph);
    if (*number == PL_HASHMAP_NONE) {
        plait_function function = { .size = sizeof function,
                                    .fn = fn,
                                    .name = key.name };
        if (!pl_function_append(graph, &function, number))
            return false;
        if (!pl_hashmap_add(&graph->function_index, hash, *number)) {
            pl_graph_stick(graph, pl_error_nomem_value());
            return false;
        }
    }
    graph->last_function = *number;
    return true;
}
