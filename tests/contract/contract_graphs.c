/* SPDX-License-Identifier: BSD-3-Clause */
/* contract_graphs.c: values go where the graph says, whatever its shape. */
#include "contract.h"

static void a_chain(void **state)
{
    (void)state;
    plait_graph *g = plait_graph_new();
    plait_task t = plait_delayed(g, sum, 1);
    for (int i = 0; i < 99999; i++)
        t = plait_delayed(g, sum, t, 1);
    assert_int_equal(compute_int(g, t), 100000);
    plait_graph_free(g);
}

static void a_fan_in(void **state)
{
    (void)state;
    static plait_task tasks[10000];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 10000; i++)
        tasks[i] = plait_delayed(g, sum, i);
    plait_task all = plait_delayed(g, sum, plait_tasks(tasks, 10000));
    assert_int_equal(compute_int(g, all), 9999 * 5000);
    plait_graph_free(g);
}

static void a_fan_out(void **state)
{
    (void)state;
    static plait_task tasks[10000];
    static plait_value outs[10000];
    plait_options options = contract_options();
    plait_graph *g = plait_graph_new();
    plait_task source = plait_delayed(g, counted_sum, 5);
    for (int i = 0; i < 10000; i++)
        tasks[i] = plait_delayed(g, sum, source, i);
    assert_int_equal(plait_compute_all(g, tasks, 10000, &options, outs, NULL),
                     PLAIT_OK);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(plait_as_int(outs[i]), 5 + i);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void a_diamond(void **state)
{
    (void)state;
    plait_graph *g = plait_graph_new();
    plait_task top = plait_delayed(g, sum, 1);
    plait_task left = plait_delayed(g, sum, top, 10);
    plait_task right = plait_delayed(g, sum, top, 100);
    plait_task bottom = plait_delayed(g, sum, left, right);
    assert_int_equal(compute_int(g, bottom), 112);
    plait_graph_free(g);
}

/* Each task of a layer uses two of the one above. */
static void a_grid_of_1e5_tasks(void **state)
{
    (void)state;
    enum { WIDTH = 1000, DEPTH = 100 };
    static plait_task rows[2][WIDTH];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < WIDTH; i++)
        rows[0][i] = plait_delayed(g, sum, i == 0);
    for (int d = 1; d < DEPTH; d++) {
        for (int i = 0; i < WIDTH; i++)
            rows[d % 2][i] = plait_delayed(g, first, rows[(d - 1) % 2][i],
                                           rows[(d - 1) % 2][(i + 1) % WIDTH]);
    }
    plait_task all =
        plait_delayed(g, sum, plait_tasks(rows[(DEPTH - 1) % 2], WIDTH));
    assert_int_equal(plait_graph_size(g), WIDTH * DEPTH + 1);
    assert_int_equal(compute_int(g, all), 1);
    plait_graph_free(g);
}

static void no_targets(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT, .status = PLAIT_EINVAL };
    plait_graph *g = plait_graph_new();
    assert_int_equal(plait_compute_all(g, NULL, 0, &options, NULL, &err),
                     PLAIT_OK);
    assert_int_equal(err.status, PLAIT_OK);
    plait_delayed(g, broken, 1);
    assert_int_equal(plait_compute_all(g, NULL, 0, &options, NULL, &err),
                     PLAIT_OK);
    plait_run *run = plait_start(g, NULL, 0, &options, &err);
    assert_non_null(run);
    assert_int_equal(plait_run_wait(run, -1, &err), PLAIT_OK);
    plait_counts counts = { PLAIT_COUNTS_INIT, .total = 7 };
    assert_int_equal(plait_run_counts(run, &counts), PLAIT_OK);
    assert_int_equal(counts.total, 0);
    plait_run_free(run);
    plait_graph_free(g);
}

static void a_target_that_is_no_task(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out = plait_int(3);
    plait_graph *g = plait_graph_new();
    plait_task none = { 0, 0 };
    assert_int_equal(plait_compute(g, none, &options, &out, &err),
                     PLAIT_EINVAL);
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
    assert_non_null(strstr(err.message, "id 0"));
    plait_graph_free(g);
    out = plait_int(3);
    assert_int_equal(plait_compute(NULL, none, &options, &out, &err),
                     PLAIT_ENOMEM);
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
}

static void one_target_twice(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_value outs[3];
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 4);
    plait_task y = plait_delayed(g, counted_sum, x, 1);
    plait_task targets[] = { x, y, x };
    assert_int_equal(plait_compute_all(g, targets, 3, &options, outs, NULL),
                     PLAIT_OK);
    assert_int_equal(counted_number(outs[0]), 4);
    assert_int_equal(counted_number(outs[1]), 5);
    assert_int_equal(counted_number(outs[2]), 4);
    assert_ptr_equal(outs[0].as.object, outs[2].as.object);
    for (int i = 0; i < 3; i++)
        plait_release(outs[i]);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void references_in_lists_and_dicts(void **state)
{
    (void)state;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 1);
    plait_task y = plait_delayed(g, sum, 10);
    plait_value inner[] = { plait_ref(y), plait_int(100), plait_ref(x) };
    plait_value keys[] = { plait_string("a"), plait_string("b") };
    plait_value values[] = { plait_list(inner, 3), plait_ref(x) };
    plait_value items[] = { plait_dict(keys, values, 2), plait_ref(y) };
    plait_task z = plait_delayed(g, sum, plait_list(items, 2), x);
    /* y + 100 + x + x + y + x */
    assert_int_equal(compute_int(g, z), 10 + 100 + 1 + 1 + 10 + 1);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void one_input_twice(void **state)
{
    (void)state;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 3);
    plait_task y = plait_delayed(g, counted_sum, x, x, x);
    assert_int_equal(compute_int(g, plait_delayed(g, sum, y, y)), 18);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void a_hundred_arguments(void **state)
{
    (void)state;
    plait_value args[100];
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 1000);
    for (int i = 0; i < 100; i++)
        args[i] = i % 2 ? plait_int(i) : plait_ref(x);
    plait_task y = plait_call(g, sum, "many", args, 100);
    assert_int_equal(compute_int(g, y), 50 * 1000 + 2500);
    plait_graph_free(g);
}

static void a_literal_for_many(void **state)
{
    (void)state;
    plait_task tasks[50];
    plait_graph *g = plait_graph_new();
    plait_task shared = plait_literal(g, counted_new(7));
    for (int i = 0; i < 50; i++)
        tasks[i] = plait_delayed(g, counted_sum, shared);
    assert_int_equal(
        compute_int(g, plait_delayed(g, sum, plait_tasks(tasks, 50))), 350);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void what_no_target_needs_never_runs(void **state)
{
    (void)state;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 1);
    plait_delayed(g, broken, x);
    plait_task y = plait_delayed(g, sum, x, 1);
    plait_delayed(g, broken, y);
    assert_int_equal(compute_int(g, y), 2);
    plait_graph_free(g);
}

static plait_value return_ref(plait_context *ctx, const plait_value *args,
                              size_t n)
{
    (void)args;
    (void)n;
    return plait_ref(plait_context_task(ctx));
}

static plait_value return_list_of_ref(plait_context *ctx,
                                      const plait_value *args, size_t n)
{
    plait_value item = return_ref(ctx, args, n);
    return plait_list(&item, 1);
}

static void a_task_returns_a_reference(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, return_ref);
    plait_task y = plait_delayed(g, return_list_of_ref);
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_ETYPE);
    assert_string_equal(err.key, "return_ref-0");
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
    assert_int_equal(plait_compute(g, y, &options, &out, &err), PLAIT_ETYPE);
    assert_string_equal(err.key, "return_list_of_ref-0");
    plait_graph_free(g);
}

static void a_plan_runs_again(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 1);
    plait_task y = plait_delayed(g, counted_sum, x, x);
    plait_plan *plan = plait_plan_new(g, &y, 1, NULL);
    assert_non_null(plan);
    assert_int_equal(plait_plan_size(plan, NULL), 2);
    plait_graph_free(g);
    for (int i = 0; i < 3; i++) {
        plait_value out;
        plait_run *run = plait_plan_start(plan, &options, NULL);
        assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
        assert_int_equal(plait_run_result(run, y, &out, NULL), PLAIT_OK);
        assert_int_equal(counted_number(out), 2);
        plait_release(out);
        plait_run_free(run);
    }
    plait_plan_free(plan);
    assert_int_equal(counted_alive(), 0);
}

static void a_task_in_a_plan_cannot_be_set(void **state)
{
    (void)state;
    plait_task_options changed = { PLAIT_TASK_OPTIONS_INIT, .key = "mine" };
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 1);
    plait_task y = plait_delayed(g, sum, x);
    plait_task z = plait_delayed(g, sum, y);
    assert_int_equal(compute_int(g, y), 1);
    assert_int_equal(plait_task_set(g, z, &changed), PLAIT_OK);
    assert_int_equal(plait_task_set(g, x, &changed), PLAIT_EINVAL);
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_graph_status(g, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "sum-0"));
    plait_graph_free(g);
}

static void handles_of_another_graph_stick(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_graph *other = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 1);
    plait_task stranger = plait_delayed(other, sum, 1);
    assert_int_equal(plait_compute(g, stranger, &options, &out, &err),
                     PLAIT_EINVAL);
    assert_int_equal(plait_graph_status(g, NULL), PLAIT_OK);
    plait_task bad = plait_delayed(g, sum, x, stranger, counted_new(1));
    assert_int_equal(bad.id, 0);
    plait_value two[] = { plait_ref(stranger), counted_new(2) };
    plait_task worse = plait_delayed(g, sum, plait_list(two, 2), bad);
    assert_int_equal(worse.id, 0);
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_EINVAL);
    char both[64];
    snprintf(both, sizeof both, "of graph %u uses task 1 of graph %u", x.graph,
             stranger.graph);
    assert_non_null(strstr(err.message, both));
    plait_graph_free(g);
    plait_graph_free(other);
    assert_int_equal(counted_alive(), 0);
}

static void an_error_as_argument_sticks(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 1);
    plait_delayed(g, sum, plait_error_value(PLAIT_ETYPE, "the first"));
    plait_delayed(g, sum, plait_error_value(PLAIT_EINVAL, "the second"));
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_ETYPE);
    assert_string_equal(err.message, "the first");
    plait_graph_free(g);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_chain),
    cmocka_unit_test(a_fan_in),
    cmocka_unit_test(a_fan_out),
    cmocka_unit_test(a_diamond),
    cmocka_unit_test(a_grid_of_1e5_tasks),
    cmocka_unit_test(no_targets),
    cmocka_unit_test(a_target_that_is_no_task),
    cmocka_unit_test(one_target_twice),
    cmocka_unit_test(references_in_lists_and_dicts),
    cmocka_unit_test(one_input_twice),
    cmocka_unit_test(a_hundred_arguments),
    cmocka_unit_test(a_literal_for_many),
    cmocka_unit_test(what_no_target_needs_never_runs),
    cmocka_unit_test(a_task_returns_a_reference),
    cmocka_unit_test(a_plan_runs_again),
    cmocka_unit_test(a_task_in_a_plan_cannot_be_set),
    cmocka_unit_test(handles_of_another_graph_stick),
    cmocka_unit_test(an_error_as_argument_sticks),
};

const contract_group contract_graphs = { cases, COUNT_OF(cases), 0 };
