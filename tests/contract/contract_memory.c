/* SPDX-License-Identifier: BSD-3-Clause */
/* contract_memory.c: results live from their task to their last use. */
#include "contract.h"

/* Its inputs' sum, as a counted object; fails where the sum is 13. */
static plait_value unlucky(plait_context *ctx, const plait_value *args,
                           size_t n)
{
    plait_value v = counted_sum(ctx, args, n);
    if (counted_number(v) != 13)
        return v;
    return plait_fail_with(ctx, v, "unlucky");
}

static void a_chain_holds_two(void **state)
{
    (void)state;
    plait_graph *g = plait_graph_new();
    plait_task t = plait_delayed(g, counted_sum, 1);
    for (int i = 0; i < 1000; i++)
        t = plait_delayed(g, counted_sum, t, 1);
    counted_reset();
    assert_int_equal(compute_int(g, t), 1001);
    if (under_test.is_exact && strcmp(under_test.scheduler, "scrambled") != 0)
        assert_true(counted_peak() <= 2);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(g);
}

static void only_targets_survive(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_task tasks[100];
    plait_value outs[2];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 100; i++)
        tasks[i] =
            i < 2 ? plait_delayed(g, counted_sum, i)
                  : plait_delayed(g, counted_sum, tasks[i - 1], tasks[i / 2]);
    plait_task targets[] = { tasks[50], tasks[99] };
    plait_plan *plan = plait_plan_new(g, targets, 2, NULL);
    plait_run *run = plait_plan_start(plan, &options, NULL);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    assert_int_equal(counted_alive(), 2);
    plait_run_free(run);
    assert_int_equal(counted_alive(), 0);
    plait_plan_free(plan);
    assert_int_equal(plait_compute_all(g, targets, 2, &options, outs, NULL),
                     PLAIT_OK);
    assert_int_equal(counted_alive(), 2);
    plait_release(outs[0]);
    plait_release(outs[1]);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(g);
}

/* Doomed tasks' uses of sound inputs are given up too. */
static void nothing_survives_for_the_doomed(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_task tasks[200];
    plait_status status;
    options.on_error = PLAIT_COLLECT;
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 200; i++)
        tasks[i] = i < 40 ? plait_delayed(g, unlucky, i)
                          : plait_delayed(g, unlucky, tasks[i - 40],
                                          tasks[(i * 7) % 40]);
    plait_task targets[] = { tasks[199], tasks[198], tasks[173] };
    plait_run *run = plait_start(g, targets, 3, &options, NULL);
    status = plait_run_wait(run, -1, NULL);
    assert_int_equal(status, PLAIT_OK);
    long kept = 0;
    for (int i = 0; i < 3; i++) {
        plait_value out;
        kept += plait_run_result(run, targets[i], &out, NULL) == PLAIT_OK;
        plait_release(out);
    }
    /* the targets' values, and the payloads of the failures on record */
    assert_int_equal(counted_alive(),
                     kept + (long)plait_run_failure_count(run));
    plait_run_free(run);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(g);
}

static void nothing_is_alive_after_a_failed_compute(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task a = plait_delayed(g, counted_sum, 1);
    plait_task b = plait_delayed(g, unlucky, a, 12);
    plait_task c = plait_delayed(g, counted_sum, a, 1);
    plait_task d = plait_delayed(g, counted_sum, a, b, c);
    assert_int_equal(plait_compute(g, d, &options, &out, NULL), PLAIT_ETASK);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(g);
}

static plait_value give_counted(plait_context *ctx, const plait_value *args,
                                size_t n)
{
    (void)n;
    plait_value items[] = { plait_retain(args[0]),
                            counted_new(plait_context_attempt(ctx)) };
    return plait_list(items, 2);
}

static void values_in_lists_are_freed_too(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task t = plait_literal(g, counted_new(3));
    for (int i = 0; i < 20; i++) {
        plait_value nested = plait_ref(t);
        t = plait_delayed(g, give_counted, plait_list(&nested, 1));
    }
    assert_int_equal(plait_compute(g, t, &options, &out, NULL), PLAIT_OK);
    assert_int_equal(counted_alive(), 21);
    plait_release(out);
    assert_int_equal(counted_alive(), 1);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static int payloads;

static void free_payload(void *payload)
{
    free(payload);
    payloads--;
}

static plait_value read_payload(plait_context *ctx, const plait_value *args,
                                size_t n)
{
    const int *payload = plait_context_payload(ctx);
    (void)args;
    (void)n;
    return plait_int(*payload);
}

static void a_payload_lives_as_long_as_its_runs(void **state)
{
    (void)state;
    plait_options options = contract_options();
    int *payload = malloc(sizeof *payload);
    assert_non_null(payload);
    *payload = 17;
    payloads = 1;
    plait_graph *g = plait_graph_new();
    plait_func func = plait_function_add(
        g, &(plait_function){ PLAIT_FUNCTION_INIT, .fn = read_payload,
                              .name = "reader", .payload = payload,
                              .free_payload = free_payload });
    plait_task t = plait_call_func(g, func, NULL, 0);
    plait_run *run = plait_start(g, &t, 1, &options, NULL);
    plait_graph_free(g);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    plait_value out;
    assert_int_equal(plait_run_result(run, t, &out, NULL), PLAIT_OK);
    assert_int_equal(plait_as_int(out), 17);
    assert_int_equal(payloads, 1);
    plait_run_free(run);
    /* the executor's own reference may go a moment later */
    if (under_test.is_inline)
        assert_int_equal(payloads, 0);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_chain_holds_two),
    cmocka_unit_test(only_targets_survive),
    cmocka_unit_test(nothing_survives_for_the_doomed),
    cmocka_unit_test(nothing_is_alive_after_a_failed_compute),
    cmocka_unit_test(values_in_lists_are_freed_too),
    cmocka_unit_test(a_payload_lives_as_long_as_its_runs),
};

const contract_group contract_memory = { cases, COUNT_OF(cases), 0 };
