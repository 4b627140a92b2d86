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

/* Creation order will do where it leaves little to save; and then it is what
 * pl_order gives. */
static void test_creation_will_do(void **state)
{
    (void)state;
    const pl_order_look bad = { 9000, 8999, 1, 2 };
    const pl_order_look chain = { 2, 2, 1, 1 };
    const pl_order_look fan_in = { 9999, 9998, 1, 9998 };
    const pl_order_look many_targets = { 5001, 3, 5000, 2 };
    const pl_order_look loads_then_saves = { 5001, 4999, 5000, 1 };
    assert_true(pl_order_creation_will_do(1, &bad, PLAIT_ORDER_MEMORY));
    assert_true(pl_order_creation_will_do(9999, &bad, PLAIT_ORDER_CREATION));
    assert_false(pl_order_creation_will_do(9999, &bad, PLAIT_ORDER_AUTO));
    assert_true(pl_order_creation_will_do(9999, &chain, PLAIT_ORDER_AUTO));
    assert_false(pl_order_creation_will_do(9999, &chain, PLAIT_ORDER_MEMORY));
    assert_false(pl_order_creation_will_do(99, &chain, PLAIT_ORDER_AUTO));
    assert_true(pl_order_creation_will_do(9999, &fan_in, PLAIT_ORDER_AUTO));
    assert_true(
        pl_order_creation_will_do(9999, &many_targets, PLAIT_ORDER_AUTO));
    assert_false(
        pl_order_creation_will_do(9999, &loads_then_saves, PLAIT_ORDER_AUTO));
}

static void test_look_at_creation(void **state)
{
    (void)state;
    for (uint32_t window = 5; window <= 100; window += 5) {
        test_graph *g = random_graph(window, 3000, window, 3);
        const pl_order_graph *graph = finish(g);
        pl_order_score score, naive = naive_score(graph, NULL);
        pl_order_look look;
        assert_true(pl_order_look_at_creation(graph, &look, &score));
        assert_int_equal(score.peak, naive.peak);
        assert_int_equal(score.total, naive.total);
        assert_int_equal(look.peak, naive.peak);
        assert_int_equal(look.inner, naive.inner);
        assert_int_equal(look.widest, 3);
        uint32_t targets = 0;
        for (uint32_t t = 0; t < 3000; t++)
            targets += g->is_target[t];
        assert_int_equal(look.targets, targets);
        if (pl_order_creation_will_do(3000, &look, PLAIT_ORDER_AUTO)) {
            bool is_identity = false;
            uint32_t *position = new_position(graph);
            assert_true(pl_order(graph, PLAIT_ORDER_AUTO, position,
                                 &is_identity, NULL));
            assert_true(is_identity);
            free(position);
        }
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
        cmocka_unit_test(test_look_at_creation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
