/* SPDX-License-Identifier: BSD-3-Clause */
/* test_plan.c: a plan holds what its targets need, in a topological order. */
#include "graph/plan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

static plait_value f(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    return plait_nil();
}

/* Every edge is there twice, once in the words and once in the successors, and
 * lists rise. */
static void check_plan(const plait_plan *plan)
{
    uint32_t n = plan->n_tasks, edges = 0, sources = 0, targets = 0;
    assert_int_equal(plan->nodes[n].words, plan->n_words);
    assert_int_equal(plan->nodes[n].successors, plan->n_edges);
    for (uint32_t t = 0; t < n; t++) {
        const pl_node *node = &plan->nodes[t];
        uint32_t inputs = 0;
        for (uint32_t at = node->words; at < node[1].words; at++) {
            if (plan->words[at] & PL_WORD_LITERAL)
                continue;
            assert_true(plan->words[at] < t);
            inputs++;
        }
        assert_int_equal(node->inputs, inputs);
        edges += inputs;
        if (inputs == 0)
            assert_int_equal(plan->sources[sources++], t);
        targets += (node->function & PL_NODE_TARGET) != 0;
        for (uint32_t at = node->successors; at < node[1].successors; at++) {
            uint32_t user = plan->successors[at];
            assert_true(user > t && user < n);
            if (at > node->successors)
                assert_true(plan->successors[at - 1] <= user);
            uint32_t uses = 0, told = 0;
            for (uint32_t w = plan->nodes[user].words;
                 w < plan->nodes[user + 1].words; w++)
                uses += plan->words[w] == t;
            for (uint32_t k = node->successors; k < node[1].successors; k++)
                told += plan->successors[k] == user;
            assert_int_equal(told, uses);
        }
    }
    assert_int_equal(edges, plan->n_edges);
    assert_int_equal(sources, plan->n_sources);
    assert_int_equal(targets, plan->n_distinct_targets);
    for (uint32_t i = 0; i < plan->n_targets; i++)
        assert_true(plan->nodes[plan->targets[i]].function & PL_NODE_TARGET);
}

/* Tasks of one name, each of a few random earlier ones. */
static plait_graph *random_graph(uint32_t n, uint32_t seed, plait_task *tasks)
{
    plait_graph *graph = plait_graph_new();
    uint32_t x = seed * 2654435761u + 1;
    for (uint32_t i = 0; i < n; i++) {
        plait_value args[4];
        size_t n_args = 0;
        for (; n_args < i && n_args < 4 && (x >> 13) % 4 > n_args; n_args++) {
            x = x * 1664525u + 1013904223u;
            args[n_args] = plait_ref(tasks[(x >> 8) % i]);
            if ((x >> 5) % 5 == 0)
                args[n_args] = plait_list(&args[n_args], 1);
        }
        x = x * 1664525u + 1013904223u;
        tasks[i] = plait_call(graph, f, "f", args, n_args);
    }
    return graph;
}

static void every_edge_is_kept_in_every_order(void **state)
{
    static const plait_order orders[] = { PLAIT_ORDER_AUTO, PLAIT_ORDER_MEMORY,
                                          PLAIT_ORDER_CREATION };
    plait_task tasks[200];
    (void)state;
    for (uint32_t seed = 0; seed < 150; seed++) {
        uint32_t n = 1 + seed;
        plait_graph *graph = random_graph(n, seed, tasks);
        plait_task targets[] = { tasks[n - 1], tasks[n / 2], tasks[n - 1] };
        plait_error err = { PLAIT_ERROR_INIT };
        plait_plan *plan =
            pl_plan_new(graph, targets, 3, orders[seed % 3], &err);
        assert_non_null(plan);
        check_plan(plan);
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(pl_plan_id(plan, plan->targets[i]), targets[i].id);
            assert_int_equal(pl_plan_target(plan, targets[i]),
                             plan->targets[i]);
        }
        plait_plan_free(plan);
        plait_graph_free(graph);
    }
}

static void only_what_is_needed(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_delayed(graph, f);
    plait_task b = plait_delayed(graph, f);
    plait_task c = plait_delayed(graph, f, a);
    plait_task d = plait_delayed(graph, f, b, c);
    plait_task e = plait_delayed(graph, f, plait_tasks(&c, 1));
    plait_task in_plan[5];
    plait_plan *plan = plait_plan_new(graph, &e, 1, NULL);
    assert_int_equal(plait_plan_size(plan, NULL), 3);
    plait_plan_order(plan, in_plan);
    assert_int_equal(in_plan[0].id, a.id);
    assert_int_equal(in_plan[1].id, c.id);
    assert_int_equal(in_plan[2].id, e.id);
    assert_true(plan->nodes[2].function & PL_NODE_NESTED);
    assert_int_equal(pl_plan_target(plan, c), PL_NONE);
    assert_int_equal(pl_plan_target(plan, d), PL_NONE);
    assert_int_equal(pl_plan_target(plan, e), 2);
    assert_int_equal(pl_plan_target(plan, (plait_task){ 0, 0 }), 2);
    assert_int_equal(pl_plan_target(plan, (plait_task){ e.id, 999999 }),
                     PL_NONE);
    char key[32];
    pl_plan_key(plan, 2, key, sizeof key);
    assert_string_equal(key, "f-4");
    check_plan(plan);
    plait_plan_free(plan);
    plait_graph_free(graph);
}

/* Numbers are no ids: every second task is not needed. */
static void many_targets_of_a_culled_graph(void **state)
{
    (void)state;
    plait_task tasks[200], targets[101];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 200; i++)
        tasks[i] = plait_literal(g, plait_int(i));
    for (int i = 0; i < 100; i++)
        targets[i] = tasks[199 - 2 * i];
    targets[100] = targets[7]; /* asked for twice */
    plait_plan *plan = plait_plan_new(g, targets, 101, NULL);
    for (int i = 0; i < 101; i++) {
        uint32_t number = pl_plan_target(plan, targets[i]);
        assert_int_equal(number, plan->targets[i]);
        assert_int_equal(pl_plan_id(plan, number), targets[i].id);
    }
    for (int i = 0; i < 200; i += 2)
        assert_int_equal(pl_plan_target(plan, tasks[i]), PL_NONE);
    plait_plan_free(plan);
    plait_graph_free(g);
}

static void a_plan_is_of_the_graph_as_it_was(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_delayed(graph, f, 1);
    plait_task b = plait_delayed(graph, f, a, "two");
    plait_plan *plan = plait_plan_new(graph, &b, 1, NULL);
    for (int i = 0; i < 3000; i++)
        b = plait_delayed(graph, f, b, i);
    plait_graph_fail(graph, PLAIT_EINVAL, "spoilt afterwards");
    plait_graph_free(graph);
    check_plan(plan);
    assert_int_equal(plait_plan_size(plan, NULL), 2);
    plait_plan_free(plan);
}

static void priorities_go_first(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task tasks[10], in_plan[11];
    for (int i = 0; i < 10; i++) {
        plait_task_options options = { PLAIT_TASK_OPTIONS_INIT,
                                       .priority = i == 7 ? 5 : 0 };
        tasks[i] = plait_delayed(graph, f);
        plait_task_set(graph, tasks[i], &options);
    }
    plait_task all = plait_delayed(graph, f, plait_tasks(tasks, 10));
    plait_plan *plan = plait_plan_new(graph, &all, 1, NULL);
    plait_plan_order(plan, in_plan);
    assert_int_equal(in_plan[0].id, tasks[7].id);
    assert_int_equal(in_plan[10].id, all.id);
    check_plan(plan);
    plait_plan_free(plan);
    plait_graph_free(graph);
}

static void no_targets_are_an_empty_plan(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_plan *plan = plait_plan_new(graph, NULL, 0, NULL);
    assert_non_null(plan);
    assert_int_equal(plait_plan_size(plan, NULL), 0);
    assert_int_equal(pl_plan_target(plan, (plait_task){ 0, 0 }), PL_NONE);
    check_plan(plan);
    plait_plan_free(plan);
    plait_plan_free(NULL);
    plait_graph_free(graph);
}

static void targets_that_cannot_be(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_delayed(graph, f);
    const plait_task bad[] = { { 0, 0 },
                               { 0, a.graph },
                               { 2, a.graph },
                               { UINT32_MAX, a.graph },
                               { 1, a.graph + 1 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(plait_plan_new(graph, &bad[i], 1, &err));
        assert_int_equal(err.status, PLAIT_EINVAL);
    }
    assert_null(plait_plan_new(NULL, &a, 1, &err));
    assert_int_equal(err.status, PLAIT_ENOMEM);
    plait_graph_fail(graph, PLAIT_ETYPE, "spoilt");
    assert_null(plait_plan_new(graph, &a, 1, &err));
    assert_int_equal(err.status, PLAIT_ETYPE);
    plait_graph_free(graph);
}

/* The promise of 100 bytes a task, for two arguments each. */
static void a_task_takes_few_bytes(void **state)
{
    (void)state;
    enum { N = 100000 };
    plait_graph *graph = plait_graph_new();
    plait_task t = plait_delayed(graph, f);
    plait_task u = t;
    for (int i = 1; i < N; i++) {
        plait_task next = plait_delayed(graph, f, t, u);
        u = t;
        t = next;
    }
    plait_plan *plan = plait_plan_new(graph, &t, 1, NULL);
    size_t bytes = 0;
    assert_int_equal(plait_plan_size(plan, &bytes), N);
    assert_in_range(bytes, 1, 100 * N);
    plait_plan_free(plan);
    plait_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edge_is_kept_in_every_order),
        cmocka_unit_test(only_what_is_needed),
        cmocka_unit_test(many_targets_of_a_culled_graph),
        cmocka_unit_test(a_plan_is_of_the_graph_as_it_was),
        cmocka_unit_test(priorities_go_first),
        cmocka_unit_test(no_targets_are_an_empty_plan),
        cmocka_unit_test(targets_that_cannot_be),
        cmocka_unit_test(a_task_takes_few_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
