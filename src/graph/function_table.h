/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * function_table.h: a graph's functions. plait_call adds each (fn, name) once;
 * plait_function_add always adds.
 *
 * Thread: builder.  Blocks: no.
 */
#ifndef PL_FUNCTION_TABLE_H
#define PL_FUNCTION_TABLE_H

#include "graph/graph.h"

/* Appends a function, whose size was read. NULL: an error stuck to the graph,
 * and the payload has been freed, or will be with the graph. */
pl_function *pl_function_append(plait_graph *graph,
                                const plait_function *given);

/* The function (fn, name), appended when it is new. NULL: an error stuck to the
 * graph. */
pl_function *pl_function_find(plait_graph *graph, plait_fn fn,
                              const char *name);

/* Frees names and payloads. */
void pl_functions_free(plait_graph *graph);

#endif
