/* SPDX-License-Identifier: BSD-3-Clause */
/* test_order.c: orders are topological, scored right, and low. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "graph/order_candidate.h"

/* A graph under construction: inputs task by task, then order_test_finish. */
typedef struct test_graph {
    pl_order_graph graph;
    uint32_t *input_at, *inputs, *successor_at, *successors;
    unsigned char *is_target;
    uint32_t n, m;
} test_graph;

static test_graph *graph_new(uint32_t most_tasks, uint32_t most_inputs)
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

static void graph_free(test_graph *g)
{
    free(g->input_at);
    free(g->inputs);
    free(g->successor_at);
    free(g->successors);
    free(g->is_target);
    free(g);
}

static uint32_t add_task(test_graph *g)
{
    g->input_at[++g->n] = g->m;
    return g->n - 1;
}

/* To the task that was added last. */
static void add_input(test_graph *g, uint32_t input)
{
    g->inputs[g->m++] = input;
    g->input_at[g->n] = g->m;
}

static const pl_order_graph *finish(test_graph *g)
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

static uint32_t random_below(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % below);
}

/* Inputs from the last `window` tasks; some repeated, some tasks are targets
 * besides. */
static test_graph *random_graph(uint64_t seed, uint32_t n, uint32_t window,
                                uint32_t most)
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
static test_graph *level_tree(uint32_t leaves)
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
static pl_order_score naive_score(const pl_order_graph *g,
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

static void assert_topological(const pl_order_graph *g,
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

static uint32_t *new_position(const pl_order_graph *g)
{
    uint32_t *position = malloc((g->n + 1) * sizeof *position);
    assert_non_null(position);
    memset(position, 0xff, (g->n + 1) * sizeof *position);
    return position;
}

/* Orders, checks that the order is one, and returns its score. */
static pl_order_score order_score(const pl_order_graph *g, plait_order wanted)
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

/* A walk by itself: an order, and its own count is the sweep's. */
static pl_order_score walk_score(const pl_order_graph *g,
                                 pl_order_outcome (*walk)(pl_order_trial *),
                                 bool for_inner)
{
    pl_order_trial trial = { .graph = g,
                             .position = new_position(g),
                             .limit = UINT32_MAX,
                             .for_inner = for_inner };
    assert_int_equal(walk(&trial), PL_ORDER_DONE);
    assert_topological(g, trial.position);
    pl_order_score score;
    assert_true(pl_order_sweep(g, trial.position, &score));
    assert_int_equal(score.peak, trial.score.peak);
    assert_int_equal(score.inner, trial.score.inner);
    assert_int_equal(score.total, trial.score.total);
    assert_true(trial.bytes > 0);
    free(trial.position);
    return score;
}

static bool is_alive(const pl_order_graph *g, uint32_t done, uint32_t t,
                     bool with_targets)
{
    if (!(done >> t & 1))
        return false;
    if (g->is_target[t])
        return with_targets;
    for (uint32_t i = g->successor_at[t]; i < g->successor_at[t + 1]; i++) {
        if (!(done >> g->successors[i] & 1))
            return true;
    }
    return false;
}

static bool is_ready(const pl_order_graph *g, uint32_t done, uint32_t t)
{
    for (uint32_t i = g->input_at[t]; i < g->input_at[t + 1]; i++) {
        if (!(done >> g->inputs[i] & 1))
            return false;
    }
    return !(done >> t & 1);
}

/* The lowest peak of all orders, by trying them all; `done` is a set of bits.
 */
static uint32_t best_peak(const pl_order_graph *g, uint32_t done,
                          bool with_targets)
{
    if (done == (UINT32_C(1) << g->n) - 1)
        return 0;
    uint32_t live = 0, best = UINT32_MAX;
    for (uint32_t t = 0; t < g->n; t++)
        live += is_alive(g, done, t, with_targets);
    for (uint32_t t = 0; t < g->n; t++) {
        if (!is_ready(g, done, t))
            continue;
        uint32_t peak = best_peak(g, done | UINT32_C(1) << t, with_targets);
        uint32_t now = live + (with_targets || !g->is_target[t]);
        peak = peak < now ? now : peak;
        best = peak < best ? peak : best;
    }
    return best;
}

static void test_sweep_by_hand(void **state)
{
    (void)state;
    pl_order_score score;
    test_graph *g = graph_new(6, 8);
    const pl_order_graph *empty = finish(g);
    assert_true(pl_order_sweep(empty, NULL, &score));
    assert_int_equal(score.peak, 0);
    graph_free(g);

    /* 0 and 1 feed 2 (0 twice), 2 feeds 3; 4 is alone; 2 is a target too. */
    g = graph_new(6, 8);
    add_task(g);
    add_task(g);
    add_task(g);
    add_input(g, 0);
    add_input(g, 1);
    add_input(g, 0);
    add_task(g);
    add_input(g, 2);
    add_task(g);
    g->is_target[2] = 1;
    assert_true(pl_order_sweep(finish(g), NULL, &score));
    assert_int_equal(score.peak, 3);
    assert_int_equal(score.inner, 2);
    assert_int_equal(score.total, 1 + 2 + 3 + 2 + 3);
    const uint32_t alone_first[] = { 1, 2, 3, 4, 0 };
    assert_true(pl_order_sweep(&g->graph, alone_first, &score));
    assert_int_equal(score.peak, 4);
    assert_int_equal(score.inner, 2);
    assert_int_equal(score.total, 1 + 2 + 3 + 4 + 3);
    graph_free(g);
}

static void test_sweep_equals_naive(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        test_graph *g = random_graph(seed, 60, 5 + (uint32_t)seed % 40, 4);
        const pl_order_graph *graph = finish(g);
        pl_order_score score, naive = naive_score(graph, NULL);
        assert_true(pl_order_sweep(graph, NULL, &score));
        assert_int_equal(score.peak, naive.peak);
        assert_int_equal(score.inner, naive.inner);
        assert_int_equal(score.total, naive.total);
        pl_order_trial trial = { .graph = graph,
                                 .position = new_position(graph),
                                 .limit = UINT32_MAX };
        assert_int_equal(pl_order_walk(&trial), PL_ORDER_DONE);
        naive = naive_score(graph, trial.position);
        assert_int_equal(trial.score.peak, naive.peak);
        assert_int_equal(trial.score.inner, naive.inner);
        assert_int_equal(trial.score.total, naive.total);
        free(trial.position);
        graph_free(g);
    }
}

static void test_walks_are_orders(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        uint32_t n = 1 + (uint32_t)(seed * 7 % 200);
        test_graph *g = random_graph(seed, n, 1 + (uint32_t)seed % 50,
                                     1 + (uint32_t)seed % 30);
        const pl_order_graph *graph = finish(g);
        walk_score(graph, pl_order_depth, false);
        walk_score(graph, pl_order_walk, false);
        walk_score(graph, pl_order_walk, true);
        graph_free(g);
    }
}

static void test_order_never_worse_than_creation(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        uint32_t n = (uint32_t)(seed * 11 % 300);
        test_graph *g = random_graph(seed, n, 1 + (uint32_t)seed % 90, 3);
        const pl_order_graph *graph = finish(g);
        pl_order_score creation = order_score(graph, PLAIT_ORDER_CREATION);
        pl_order_score chosen = order_score(graph, PLAIT_ORDER_AUTO);
        pl_order_score memory = order_score(graph, PLAIT_ORDER_MEMORY);
        assert_true(chosen.peak <= creation.peak);
        assert_true(memory.peak <= chosen.peak);
        pl_order_bound bound;
        assert_true(pl_order_find_bound(graph, &bound));
        assert_true(bound.peak <= memory.peak);
        graph_free(g);
    }
}

static void test_bound_and_walk_beside_all_orders(void **state)
{
    (void)state;
    uint32_t best_sum = 0, walk_sum = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        test_graph *g = random_graph(seed, 7, 6, 3);
        const pl_order_graph *graph = finish(g);
        uint32_t best = best_peak(graph, 0, true);
        pl_order_bound bound;
        assert_true(pl_order_find_bound(graph, &bound));
        assert_true(bound.peak <= best);
        assert_true(bound.inner <= best_peak(graph, 0, false));
        uint32_t found = order_score(graph, PLAIT_ORDER_MEMORY).peak;
        assert_true(found >= best);
        best_sum += best;
        walk_sum += found;
        graph_free(g);
    }
    /* 1 % above the best on the whole. */
    assert_true(walk_sum * 100 <= best_sum * 101);
}

static void test_depth_is_best_on_forests(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        random_state = seed;
        test_graph *g = graph_new(8, 16);
        bool used[8] = { false };
        for (uint32_t t = 0; t < 8; t++) {
            add_task(g);
            for (uint32_t i = 0; i < t; i++) {
                if (used[i] || random_below(3) > 0)
                    continue;
                used[i] = true;
                add_input(g, i);
                if (random_below(4) == 0)
                    add_input(g, i);
            }
        }
        const pl_order_graph *graph = finish(g);
        pl_order_bound bound;
        assert_true(pl_order_find_bound(graph, &bound));
        assert_true(bound.is_forest);
        pl_order_score found = order_score(graph, PLAIT_ORDER_AUTO);
        assert_int_equal(found.peak, best_peak(graph, 0, true));
        assert_int_equal(found.inner, best_peak(graph, 0, false));
        graph_free(g);
    }
}

static void test_is_forest(void **state)
{
    (void)state;
    pl_order_bound bound;
    test_graph *g = level_tree(8);
    assert_true(pl_order_find_bound(finish(g), &bound));
    assert_true(bound.is_forest);
    assert_int_equal(bound.peak, 3);
    /* A target that is used besides: no longer exact. */
    g->is_target[3] = 1;
    assert_true(pl_order_find_bound(&g->graph, &bound));
    assert_false(bound.is_forest);
    graph_free(g);

    g = graph_new(3, 4);
    add_task(g);
    add_task(g);
    add_input(g, 0);
    add_task(g);
    add_input(g, 0);
    assert_true(pl_order_find_bound(finish(g), &bound));
    assert_false(bound.is_forest);
    graph_free(g);
}

static void test_level_order_tree(void **state)
{
    (void)state;
    /* Both sides of the limit up to which all candidates compete. */
    for (uint32_t leaves = 1024; leaves <= 131072; leaves *= 128) {
        test_graph *g = level_tree(leaves);
        const pl_order_graph *graph = finish(g);
        uint32_t height = 1;
        for (uint32_t width = leaves; width > 1; width /= 2)
            height++;
        pl_order_score creation = order_score(graph, PLAIT_ORDER_CREATION);
        assert_int_equal(creation.peak, leaves + 1);
        assert_int_equal(order_score(graph, PLAIT_ORDER_AUTO).peak, height + 1);
        assert_int_equal(walk_score(graph, pl_order_walk, false).peak,
                         height + 1);
        graph_free(g);
    }
}

/* All loads, then all saves: the targets hide it, but loads pile up. */
static void test_many_targets(void **state)
{
    (void)state;
    for (uint32_t n = 100; n <= 200000; n *= 200000 / 100) {
        test_graph *g = graph_new(2 * n, n);
        for (uint32_t t = 0; t < 2 * n; t++) {
            add_task(g);
            if (t >= n)
                add_input(g, t - n);
        }
        const pl_order_graph *graph = finish(g);
        assert_int_equal(order_score(graph, PLAIT_ORDER_CREATION).inner, n);
        assert_int_equal(order_score(graph, PLAIT_ORDER_AUTO).inner, 1);
        graph_free(g);
    }
}

static void test_keeps_good_creation_order(void **state)
{
    (void)state;
    test_graph *g = graph_new(1000, 1000);
    for (uint32_t t = 0; t < 1000; t++) {
        add_task(g);
        if (t > 0)
            add_input(g, t - 1);
    }
    const pl_order_graph *graph = finish(g);
    bool is_identity = false;
    size_t bytes = 0;
    uint32_t *position = new_position(graph);
    assert_true(
        pl_order(graph, PLAIT_ORDER_MEMORY, position, &is_identity, &bytes));
    assert_true(is_identity);
    assert_int_equal(position[0], UINT32_MAX); /* left unwritten */
    assert_true(bytes >= 1000);
    free(position);
    graph_free(g);
}

static void test_creation_means_creation(void **state)
{
    (void)state;
    test_graph *g = level_tree(64);
    const pl_order_graph *graph = finish(g);
    bool is_identity = false;
    assert_true(
        pl_order(graph, PLAIT_ORDER_CREATION, NULL, &is_identity, NULL));
    assert_true(is_identity);
    graph_free(g);
}

/* What is said of creation order before a graph is laid out is what pl_order
 * finds. */
static void test_creation_will_do(void **state)
{
    (void)state;
    assert_true(pl_order_creation_will_do(0, 0, PLAIT_ORDER_MEMORY));
    assert_true(pl_order_creation_will_do(1, 1, PLAIT_ORDER_AUTO));
    assert_true(pl_order_creation_will_do(9, 9, PLAIT_ORDER_CREATION));
    assert_false(pl_order_creation_will_do(9, 2, PLAIT_ORDER_AUTO));
    assert_false(pl_order_creation_will_do(9999, 9000, PLAIT_ORDER_AUTO));
    assert_false(pl_order_creation_will_do(9999, 2, PLAIT_ORDER_MEMORY));
    for (uint32_t reach = 10; reach <= 100; reach += 10) {
        /* One target: each task uses the one before, and an older one. */
        test_graph *g = graph_new(3000, 6000);
        random_state = reach;
        for (uint32_t t = 0; t < 3000; t++) {
            add_task(g);
            if (t < reach)
                continue;
            add_input(g, t - 1);
            add_input(g, t - 2 - random_below(reach - 2));
        }
        const pl_order_graph *graph = finish(g);
        pl_order_score score = naive_score(graph, NULL);
        bool is_identity = false;
        uint32_t *position = new_position(graph);
        assert_true(
            pl_order(graph, PLAIT_ORDER_AUTO, position, &is_identity, NULL));
        if (pl_order_creation_will_do(3000, score.peak, PLAIT_ORDER_AUTO))
            assert_true(is_identity);
        else
            assert_true(score.peak > 3000 / 64);
        free(position);
        graph_free(g);
    }
}

static void test_gives_up(void **state)
{
    (void)state;
    test_graph *g = random_graph(1, 500, 100, 3);
    pl_order_trial trial = { .graph = finish(g),
                             .position = new_position(&g->graph),
                             .limit = 3 };
    assert_int_equal(pl_order_depth(&trial), PL_ORDER_GAVE_UP);
    assert_int_equal(pl_order_walk(&trial), PL_ORDER_GAVE_UP);
    free(trial.position);
    graph_free(g);
}

/* A chain of a million in which each task also uses the first one, so that no
 * order is quickly known to be best: no recursion. */
static void test_long_chain(void **state)
{
    (void)state;
    const uint32_t n = 1000000;
    test_graph *g = graph_new(n, 2 * n);
    for (uint32_t t = 0; t < n; t++) {
        add_task(g);
        if (t > 0)
            add_input(g, t - 1);
        if (t > 1)
            add_input(g, 0);
    }
    const pl_order_graph *graph = finish(g);
    assert_int_equal(walk_score(graph, pl_order_depth, false).peak, 3);
    assert_int_equal(walk_score(graph, pl_order_walk, false).peak, 3);
    graph_free(g);
}

static void test_priorities(void **state)
{
    (void)state;
    /* 0 -> 2 -> 4, 1 -> 3; 5 alone. */
    test_graph *g = graph_new(6, 6);
    add_task(g);
    add_task(g);
    add_task(g);
    add_input(g, 0);
    add_task(g);
    add_input(g, 1);
    add_task(g);
    add_input(g, 2);
    add_task(g);
    finish(g);
    bool is_identity;
    uint32_t position[6];

    const int32_t zeros[6] = { 0 };
    g->graph.priorities = zeros;
    assert_true(pl_order(&g->graph, PLAIT_ORDER_CREATION, position,
                         &is_identity, NULL));
    assert_true(is_identity);

    /* 3 is urgent, and so is 1, which it needs; 5 can wait. */
    const int32_t some[6] = { 0, -5, 0, 7, 0, INT32_MIN };
    g->graph.priorities = some;
    assert_true(pl_order(&g->graph, PLAIT_ORDER_CREATION, position,
                         &is_identity, NULL));
    assert_false(is_identity);
    const uint32_t wanted[6] = { 2, 0, 3, 1, 4, 5 };
    assert_memory_equal(position, wanted, sizeof wanted);

    const int32_t last[6] = { 0, 0, 0, 0, 0, INT32_MAX };
    g->graph.priorities = last;
    assert_true(
        pl_order(&g->graph, PLAIT_ORDER_AUTO, position, &is_identity, NULL));
    assert_false(is_identity);
    assert_int_equal(position[5], 0);
    assert_topological(&g->graph, position);

    /* Priorities that creation order honours already. */
    const int32_t falling[6] = { 5, 4, 3, 2, 1, 0 };
    g->graph.priorities = falling;
    assert_true(pl_order(&g->graph, PLAIT_ORDER_CREATION, position,
                         &is_identity, NULL));
    assert_true(is_identity);
    graph_free(g);
}

/* Against sorting by comparison. */
static void test_priorities_on_random_graphs(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        test_graph *g = random_graph(seed, 200, 50, 2);
        finish(g);
        int32_t priorities[200], urgency[200];
        const int32_t scale[] = { 1, 100, 100000, 20000000 };
        for (uint32_t t = 0; t < 200; t++)
            priorities[t] =
                ((int32_t)random_below(201) - 100) * scale[seed % 4];
        for (uint32_t t = 200; t-- > 0;) {
            urgency[t] = priorities[t];
            for (uint32_t i = g->successor_at[t]; i < g->successor_at[t + 1];
                 i++) {
                int32_t other = urgency[g->successors[i]];
                urgency[t] = other > urgency[t] ? other : urgency[t];
            }
        }
        uint32_t plain[200], position[200];
        bool is_identity;
        assert_true(
            pl_order(&g->graph, PLAIT_ORDER_AUTO, plain, &is_identity, NULL));
        for (uint32_t t = 0; is_identity && t < 200; t++)
            plain[t] = t;
        g->graph.priorities = priorities;
        assert_true(pl_order(&g->graph, PLAIT_ORDER_AUTO, position,
                             &is_identity, NULL));
        for (uint32_t t = 0; is_identity && t < 200; t++)
            position[t] = t;
        assert_topological(&g->graph, position);
        for (uint32_t a = 0; a < 200; a++) {
            for (uint32_t b = 0; b < 200; b++) {
                bool first = urgency[a] > urgency[b] ||
                             (urgency[a] == urgency[b] && plain[a] < plain[b]);
                assert_int_equal(first, position[a] < position[b]);
            }
        }
        graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweep_by_hand),
        cmocka_unit_test(test_sweep_equals_naive),
        cmocka_unit_test(test_walks_are_orders),
        cmocka_unit_test(test_order_never_worse_than_creation),
        cmocka_unit_test(test_bound_and_walk_beside_all_orders),
        cmocka_unit_test(test_depth_is_best_on_forests),
        cmocka_unit_test(test_is_forest),
        cmocka_unit_test(test_level_order_tree),
        cmocka_unit_test(test_many_targets),
        cmocka_unit_test(test_keeps_good_creation_order),
        cmocka_unit_test(test_creation_means_creation),
        cmocka_unit_test(test_creation_will_do),
        cmocka_unit_test(test_gives_up),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_priorities),
        cmocka_unit_test(test_priorities_on_random_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
