/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random_graph.h: small random graphs, and a naive reference that says what
 * must come of each task: its value, its failure, or whose failure skips it.
 *
 * A result is a token: a number in a table that says whether it is alive.
 */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include <plait/compute.h>

#include "engine/run.h"

#define MOST_TASKS 160
#define MOST_INPUTS MOST_TASKS
#define MOST_TARGETS 4
#define MOST_TOKENS 8192

typedef enum fate { FATE_VALUE, FATE_FAILED, FATE_SKIPPED } fate;

typedef struct random_task {
    uint32_t n_inputs;
    uint32_t inputs[MOST_INPUTS]; /* ids, of lower ones */
    bool in_list[MOST_INPUTS];    /* inside a list */
    bool accepts_errors;
    uint32_t failures; /* attempts that fail; UINT32_MAX: all */
} random_task;

typedef struct random_graph {
    uint64_t random;
    uint32_t n;
    bool is_hub; /* all use the first, and the last uses all */
    random_task tasks[MOST_TASKS + 1]; /* by id */
    plait_graph *graph;
    plait_plan *plan;
    uint32_t n_targets;
    plait_task targets[MOST_TARGETS];
    uint32_t numbers[MOST_TASKS + 1]; /* id -> plan number */
    /* what the reference says, by plan number */
    fate fates[MOST_TASKS];
    uint32_t values[MOST_TASKS];
    uint32_t sources[MOST_TASKS]; /* the failed task; PL_NONE: none */
    /* one run */
    plait_run *run;
    uint32_t stop_in; /* attempts, and then it is stopped; 0: never */
    uint32_t failed_so_far[MOST_TASKS + 1]; /* attempts, by id */
    uint32_t n_tokens;
    uint32_t token_values[MOST_TOKENS];
    bool token_alive[MOST_TOKENS];
    uint32_t alive;
    /* walk: how many results may be alive when a task begins; by number */
    uint32_t alive_before[MOST_TASKS];
    bool knows_alive; /* alive_before is set */
    bool checks_alive;
    void (*meanwhile)(void *user); /* called in each attempt; or NULL */
    void *meanwhile_user;
    const char *complaint; /* the first thing that was wrong */
} random_graph;

/* A number below n. */
uint32_t dice(random_graph *g, uint32_t n);

/* Draws and plans a graph, and computes the reference. False: no memory. */
bool random_graph_make(random_graph *g, uint64_t seed);
void random_graph_unmake(random_graph *g);

/* Forgets the last run. */
void random_graph_begin_run(random_graph *g, plait_run *run);

/* What is wrong, kept when it is the first. */
void complain(random_graph *g, const char *what);

/* A new token for a value; it dies once. */
uint32_t token_new(random_graph *g, uint32_t value);
void token_free(random_graph *g, uint32_t token);

/* Whether this attempt at a task fails; counts it. */
bool attempt_fails(random_graph *g, uint32_t id);

/* A task's value from its inputs' values, or the numbers of failed tasks. */
uint32_t mix_value(uint32_t so_far, uint32_t value);
uint32_t mix_error(uint32_t so_far, uint32_t failed);

/* The value that a run's result carries; the number of the failed task that an
 * error names. */
uint32_t value_of(const random_graph *g, plait_value v);
uint32_t failed_of(const random_graph *g, plait_value error);

#endif
