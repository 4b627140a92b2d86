/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * graph.h: drawing a task graph. Nothing runs until compute.h is asked.
 *
 * A graph is built by one thread at a time. Its references only name earlier
 * tasks, so ids are a topological order and a cycle can't be built. Building
 * never needs checking: an error (no memory, a handle of another graph, an
 * error value as argument) sticks to the graph, the call returns a task with
 * id 0, and plait_compute returns the error. Every building call takes the
 * values it is given, even when it fails or the graph is NULL.
 */
#ifndef PLAIT_GRAPH_H
#define PLAIT_GRAPH_H

#include <stdio.h>

#include <plait/value.h>

PLAIT_BEGIN_DECLS

typedef struct plait_graph plait_graph;

/*
 * A task's function: gets the task's context and its arguments (borrowed),
 * returns a value that the caller owns, or an error (plait_fail). To return an
 * argument: plait_retain(args[i]).
 */
typedef plait_value (*plait_fn)(plait_context *ctx, const plait_value *args,
                                size_t n_args);

/* NULL when there is no memory; every call takes a NULL graph.
 * Thread: any.  Blocks: no. */
PLAIT_API plait_graph *plait_graph_new(void);

/* Lets go of the graph; plans and runs of it live on. NULL is fine.
 * Thread: any.  Blocks: no. */
PLAIT_API void plait_graph_free(plait_graph *graph);

/* PLAIT_OK, or the first error that stuck.
 * Thread: builder.  Blocks: no. */
PLAIT_API plait_status plait_graph_status(const plait_graph *graph,
                                          plait_error *err);

/* The number of tasks.  Thread: builder.  Blocks: no. */
PLAIT_API size_t plait_graph_size(const plait_graph *graph);

/* Says that building went wrong; the first error sticks. Returns `status`.
 * Thread: builder.  Blocks: no. */
PLAIT_API plait_status plait_graph_fail(plait_graph *graph, plait_status status,
                                        const char *format, ...)
    PLAIT_PRINTF(3, 4);

/*
 * Adds a task: fn called with these arguments. `name` (copied; may be NULL)
 * names the task in keys: "name-3". Takes the n_args values.
 * Thread: builder.  Blocks: no.
 */
PLAIT_API plait_task plait_call(plait_graph *graph, plait_fn fn,
                                const char *name, const plait_value *args,
                                size_t n_args);

/* A node that holds a value, for many tasks to use. Takes `v`.
 * Thread: builder.  Blocks: no. */
PLAIT_API plait_task plait_literal(plait_graph *graph, plait_value v);

#define PLAIT_FUNCTION_INIT .size = sizeof(plait_function)

/* A function with a payload, named and added once: four bytes a task. */
typedef struct plait_function {
    PLAIT_SIZE_FIRST(plait_function);
    plait_fn fn;
    const char *name; /* copied; NULL: "task" */
    void *payload;    /* -> plait_context_payload */
    /* called once, when graph, plans and runs are gone; may be NULL. With a
     * runtime: attached. */
    void (*free_payload)(void *payload);
    plait_runtime *runtime; /* NULL: plain C */
} plait_function;

/* A function of one graph; id 0 is none. */
typedef struct plait_func {
    uint32_t id;
    uint32_t graph;
} plait_func;

/* Adds a function; takes `payload`.  Thread: builder.  Blocks: no. */
PLAIT_API plait_func plait_function_add(plait_graph *graph,
                                        const plait_function *function);

/* Adds a task of an added function.  Thread: builder.  Blocks: no. */
PLAIT_API plait_task plait_call_func(plait_graph *graph, plait_func func,
                                     const plait_value *args, size_t n_args);

#define PLAIT_TASK_OPTIONS_INIT .size = sizeof(plait_task_options)

typedef struct plait_task_options {
    PLAIT_SIZE_FIRST(plait_task_options);
    const char *key;     /* copied; NULL: name and number, "load-3" */
    unsigned retries;    /* after an error; 0: the run's */
    unsigned timeout_ms; /* 0: the run's */
    int priority;        /* higher runs earlier; 0: as the graph says */
    bool accepts_errors; /* gets error values as arguments, and runs */
} plait_task_options;

/* Sets a task's options, all of them. A task that is in a plan can't be
 * changed any more: PLAIT_EINVAL, which also sticks.
 * Thread: builder.  Blocks: no. */
PLAIT_API plait_status plait_task_set(plait_graph *graph, plait_task task,
                                      const plait_task_options *options);

/* Writes the task's key, as snprintf; returns the length of the whole key.
 * Thread: builder.  Blocks: no. */
PLAIT_API int plait_task_key(const plait_graph *graph, plait_task task,
                             char *buf, size_t size);

/* Writes what the n tasks need, and them, as a Graphviz digraph; n == 0: the
 * whole graph.  Thread: builder.  Blocks: as the stream does. */
PLAIT_API plait_status plait_graph_dot(const plait_graph *graph,
                                       const plait_task *tasks, size_t n,
                                       FILE *stream);

PLAIT_END_DECLS

#include <plait/delayed.h>

#endif
