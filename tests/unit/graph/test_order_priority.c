/* SPDX-License-Identifier: BSD-3-Clause */
/* test_order_priority.c: urgent tasks, and what they need, run earlier. */
#include "order_graphs.h"

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
        cmocka_unit_test(test_priorities),
        cmocka_unit_test(test_priorities_on_random_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
