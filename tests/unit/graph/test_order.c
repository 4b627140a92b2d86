/* SPDX-License-Identifier: BSD-3-Clause */
/* test_order.c: the order that is chosen. */
#include "order_graphs.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_never_worse_than_creation),
        cmocka_unit_test(test_many_targets),
        cmocka_unit_test(test_keeps_good_creation_order),
        cmocka_unit_test(test_creation_means_creation),
        cmocka_unit_test(test_creation_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
