/* SPDX-License-Identifier: BSD-3-Clause */
/* order_graphs.h: graphs for the tests of orders, and orders checked. */
#ifndef ORDER_GRAPHS_H
#define ORDER_GRAPHS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "graph/order_candidate.h"

/* A graph under construction: inputs task by task, then finish. */
typedef struct test_graph {
    pl_order_graph graph;
    uint32_t *input_at, *inputs, *successor_at, *successors;
    unsigned char *is_target;
    uint32_t n, m;
} test_graph;

static inline test_graph *graph_new(uint32_t most_tasks, uint32_t most_inputs)
{
    test_graph *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->input_at = calloc(most_tasks + 1, sizeof(uint32_t));
    g->inputs = calloc(most_inputs + 1, sizeof(uint32_t));
    g->successor_at = calloc(most_tasks + 2, sizeof(uint32_t));
    g->successors = calloc(most_inputs + 1, sizeof(uint32_t));
    g->is_target = calloc(most_tasks + 1, 1);
    assert_non_null(g->input_at);
    assert_non_null(g->inputs);
    assert_non_null(g->successor_at);
    assert_non_null(g->successors);
    assert_non_null(g->is_target);
    return g;
}

static inline void graph_free(test_graph *g)
{
    free(g->input_at);
    free(g->inputs);
    free(g->successor_at);
    free(g->successors);
    free(g->is_target);
    free(g);
}

static inline uint32_t add_task(test_graph *g)
{
    g->input_at[++g->n] = g->m;
    return g->n - 1;
}

/* To the task that was added last. */
static inline void add_input(test_graph *g, uint32_t input)
{
    g->inputs[g->m++] = input;
    g->input_at[g->n] = g->m;
}

static inline const pl_order_graph *finish(test_graph *g)
{
    uint32_t *at = g->successor_at + 1;
    for (uint32_t i = 0; i < g->m; i++)
        at[g->inputs[i]]++;
    for (uint32_t t = 0, sum = 0; t < g->n; t++) {
        uint32_t count = at[t];
        at[t] = sum;
        sum += count;
    }
    for (uint32_t t = 0; t < g->n; t++) {
        for (uint32_t i = g->input_at[t]; i < g->input_at[t + 1]; i++)
            g->successors[at[g->inputs[i]]++] = t;
    }
    for (uint32_t t = 0; t < g->n; t++)
        g->is_target[t] |= at[t] == g->successor_at[t];
    g->graph = (pl_order_graph){ g->n,          g->input_at,
                                 g->inputs,     g->successor_at,
                                 g->successors, g->is_target,
                                 NULL };
    return &g->graph;
}

static uint64_t random_state;

static inline uint32_t random_below(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % below);
}

/* Inputs from the last `window` tasks; some repeated, some tasks are targets
 * besides. */
static inline test_graph *random_graph(uint64_t seed, uint32_t n,
                                       uint32_t window, uint32_t most)
{
    random_state = seed;
    test_graph *g = graph_new(n, n * most);
    for (uint32_t t = 0; t < n; t++) {
        add_task(g);
        uint32_t reach = t < window ? t : window;
        uint32_t k = reach ? random_below(most + 1) : 0;
        for (uint32_t i = 0; i < k; i++)
            add_input(g, t - 1 - random_below(reach));
        g->is_target[t] = random_below(10) == 0;
    }
    return g;
}

/* n leaves, then each level of sums of two, as loops create them. */
static inline test_graph *level_tree(uint32_t leaves)
{
    test_graph *g = graph_new(2 * leaves, 2 * leaves);
    for (uint32_t t = 0; t < 2 * leaves - 1; t++) {
        add_task(g);
        if (t >= leaves) {
            add_input(g, 2 * (t - leaves));
            add_input(g, 2 * (t - leaves) + 1);
        }
    }
    return g;
}

/* The sweep as its contract words it, forwards and with counters. */
static inline pl_order_score naive_score(const pl_order_graph *g,
                                         const uint32_t *position)
{
    uint32_t *uses = calloc(g->n + 1, sizeof *uses);
    uint32_t *sequence = calloc(g->n + 1, sizeof *sequence);
    assert_non_null(uses);
    assert_non_null(sequence);
    for (uint32_t t = 0; t < g->n; t++) {
        sequence[position ? position[t] : t] = t;
        uses[t] = g->successor_at[t + 1] - g->successor_at[t];
    }
    pl_order_score score = { 0 };
    uint32_t live = 0, targets = 0;
    for (uint32_t at = 0; at < g->n; at++) {
        uint32_t t = sequence[at];
        live++;
        targets += g->is_target[t];
        score.peak = live > score.peak ? live : score.peak;
        uint32_t inner = live - targets;
        score.inner = inner > score.inner ? inner : score.inner;
        score.total += live;
        for (uint32_t i = g->input_at[t]; i < g->input_at[t + 1]; i++) {
            if (--uses[g->inputs[i]] == 0 && !g->is_target[g->inputs[i]])
                live--;
        }
    }
    free(uses);
    free(sequence);
    return score;
}

static inline void assert_topological(const pl_order_graph *g,
                                      const uint32_t *position)
{
    unsigned char *taken = calloc(g->n + 1, 1);
    assert_non_null(taken);
    for (uint32_t t = 0; t < g->n; t++) {
        assert_true(position[t] < g->n);
        assert_false(taken[position[t]]);
        taken[position[t]] = 1;
        for (uint32_t i = g->input_at[t]; i < g->input_at[t + 1]; i++)
            assert_true(position[g->inputs[i]] < position[t]);
    }
    free(taken);
}

static inline uint32_t *new_position(const pl_order_graph *g)
{
    uint32_t *position = malloc((g->n + 1) * sizeof *position);
    assert_non_null(position);
    memset(position, 0xff, (g->n + 1) * sizeof *position);
    return position;
}

/* Orders, checks that the order is one, and returns its score. */
static inline pl_order_score order_score(const pl_order_graph *g,
                                         plait_order wanted)
{
    uint32_t *position = new_position(g);
    bool is_identity = false;
    pl_order_score score;
    assert_true(pl_order(g, wanted, position, &is_identity, NULL));
    if (!is_identity)
        assert_topological(g, position);
    assert_true(pl_order_sweep(g, is_identity ? NULL : position, &score));
    free(position);
    return score;
}

#endif
