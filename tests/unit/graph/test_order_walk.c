/* SPDX-License-Identifier: BSD-3-Clause */
/* test_order_walk.c: sweeps and walks are what they say, and low. */
#include "order_graphs.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweep_by_hand),
        cmocka_unit_test(test_sweep_equals_naive),
        cmocka_unit_test(test_walks_are_orders),
        cmocka_unit_test(test_bound_and_walk_beside_all_orders),
        cmocka_unit_test(test_depth_is_best_on_forests),
        cmocka_unit_test(test_is_forest),
        cmocka_unit_test(test_level_order_tree),
        cmocka_unit_test(test_gives_up),
        cmocka_unit_test(test_long_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
