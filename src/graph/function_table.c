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

static bool set_namesake(plait_graph *graph, pl_function *function)
{
    uint64_t hash = pl_hash_bytes(function->name, strlen(function->name), 0);
    uint32_t first = pl_hashmap_find(&graph->name_index, hash, same_name,
                                     function->name, graph);
    function->namesake = first == PL_HASHMAP_NONE
                             ? function
                             : pl_segvec_at(&graph->functions, first);
    return first != PL_HASHMAP_NONE ||
           pl_hashmap_add(&graph->name_index, hash, function->number);
}

pl_function *pl_function_append(plait_graph *graph, const plait_function *given)
{
    pl_function function = {
        .fn = given->fn,
        .payload = given->payload,
        .runtime = given->runtime,
        .free_payload = given->free_payload,
        .name = pl_strdup(given->name ? given->name : "task"),
        .number = graph->functions.length,
    };
    pl_function *end = NULL;
    if (function.name && function.number < PL_FUNCTIONS_MAX - 1)
        end = pl_segvec_push(&graph->functions);
    if (end) { /* freed with the graph from here on */
        *end = function;
        if (set_namesake(graph, end))
            return end;
    } else {
        if (function.free_payload)
            pl_runtime_call(function.runtime, function.free_payload,
                            function.payload);
        pl_free(function.name);
    }
    pl_graph_stick(graph, pl_error_nomem_value());
    return NULL;
}

static pl_function *add_called(plait_graph *graph, const function_key *key,
                               uint64_t hash)
{
    plait_function given = { .size = sizeof given,
                             .fn = key->fn,
                             .name = key->name };
    pl_function *function = pl_function_append(graph, &given);
    if (!function ||
        pl_hashmap_add(&graph->function_index, hash, function->number))
        return function;
    pl_graph_stick(graph, pl_error_nomem_value());
    return NULL;
}

pl_function *pl_function_find(plait_graph *graph, plait_fn fn, const char *name)
{
    function_key key = { fn, name ? name : "task" };
    pl_function *last = graph->last;
    if (last && last->fn == fn && strcmp(last->name, key.name) == 0)
        return last;
    uintptr_t address = 0;
    memcpy(&address, &fn, sizeof fn);
    uint64_t hash = pl_hash_bytes(key.name, strlen(key.name), address);
    uint32_t number = pl_hashmap_find(&graph->function_index, hash,
                                      same_function, &key, graph);
    pl_function *function = number == PL_HASHMAP_NONE
                                ? add_called(graph, &key, hash)
                                : pl_segvec_at(&graph->functions, number);
    graph->last = function;
    return function;
}
