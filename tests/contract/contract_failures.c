/* SPDX-License-Identifier: BSD-3-Clause */
/* contract_failures.c: what fails, what is skipped, and what is told of it. */
#include "contract.h"

static plait_counts counts_of(const plait_run *run)
{
    plait_counts counts = { PLAIT_COUNTS_INIT };
    assert_int_equal(plait_run_counts(run, &counts), PLAIT_OK);
    return counts;
}

/* Starts a run and waits until it has ended, tasks that still ran included. */
static plait_run *run_to_end(plait_graph *g, const plait_task *tasks, size_t n,
                             const plait_options *options, plait_status *status,
                             plait_error *err)
{
    plait_run *run = plait_start(g, tasks, n, options, err);
    assert_non_null(run);
    *status = plait_run_wait(run, -1, err);
    return run;
}

static void the_failure_names_its_task(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out = plait_int(1);
    plait_graph *g = plait_graph_new();
    plait_delayed(g, broken, 0);
    plait_task x = plait_delayed(g, broken, 7);
    plait_task y = plait_delayed(g, sum, x);
    assert_int_equal(plait_compute(g, y, &options, &out, &err), PLAIT_ETASK);
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
    assert_int_equal(err.status, PLAIT_ETASK);
    assert_int_equal(err.task.id, x.id);
    assert_int_equal(err.task.graph, x.graph);
    assert_string_equal(err.key, "broken-1");
    assert_string_equal(err.message, "broken-1: broken: 7");
    assert_int_equal(plait_compute(g, y, &options, &out, NULL), PLAIT_ETASK);
    plait_graph_free(g);
}

static plait_value fail_outside(plait_context *ctx, const plait_value *args,
                                size_t n)
{
    (void)ctx;
    (void)n;
    return plait_error_value_with(plait_retain(args[0]), PLAIT_ECODEC,
                                  "made without a context");
}

static void an_error_made_without_context_is_named(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    options.on_error = PLAIT_COLLECT;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, fail_outside, counted_new(9));
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_OK);
    assert_true(plait_is_error(out));
    assert_int_equal(plait_as_error(out)->status, PLAIT_ECODEC);
    assert_string_equal(plait_as_error(out)->key, "fail_outside-0");
    assert_int_equal(counted_number(plait_error_payload(out)), 9);
    plait_release(out);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

/* Every branch that needs no failed task is finished. */
static void finish_runs_every_other_branch(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_task targets[40];
    plait_status status;
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 20; i++) {
        plait_task x = i % 4 == 1 ? plait_delayed(g, broken, i)
                                  : plait_delayed(g, counted_sum, i);
        targets[2 * i] = plait_delayed(g, counted_sum, x, 1);
        targets[2 * i + 1] = plait_delayed(g, counted_sum, targets[2 * i]);
    }
    plait_run *run = run_to_end(g, targets, 40, &options, &status, &err);
    assert_int_equal(status, PLAIT_ETASK);
    assert_string_equal(err.key, "broken-0");
    plait_counts counts = counts_of(run);
    assert_int_equal(counts.total, 60);
    assert_int_equal(counts.done, 45);
    assert_int_equal(counts.failed, 5);
    assert_int_equal(counts.skipped, 10);
    assert_int_equal(counts.running, 0);
    assert_int_equal(counts.waiting, 0);
    for (int i = 0; i < 40; i++) {
        plait_value out;
        bool sound = i / 2 % 4 != 1;
        assert_int_equal(plait_run_result(run, targets[i], &out, NULL),
                         sound ? PLAIT_OK : PLAIT_ETASK);
        assert_int_equal(counted_number(out), sound ? i / 2 + 1 : 0);
        plait_release(out);
    }
    plait_run_free(run);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void collect_gives_values_and_errors(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value outs[4];
    options.on_error = PLAIT_COLLECT;
    plait_graph *g = plait_graph_new();
    plait_task bad = plait_delayed(g, broken, 1);
    plait_task targets[] = { plait_delayed(g, sum, 5), bad,
                             plait_delayed(g, sum, bad),
                             plait_delayed(g, broken, bad) };
    assert_int_equal(plait_compute_all(g, targets, 4, &options, outs, &err),
                     PLAIT_OK);
    assert_int_equal(err.status, PLAIT_OK);
    assert_int_equal(plait_as_int(outs[0]), 5);
    for (int i = 1; i < 4; i++) {
        assert_true(plait_is_error(outs[i]));
        assert_string_equal(plait_as_error(outs[i])->key, "broken-0");
    }
    for (int i = 0; i < 4; i++)
        plait_release(outs[i]);
    plait_graph_free(g);
}

/* Failures in rising plan number, and only those that failed themselves. */
static void failures_are_listed_in_order(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_task tasks[100];
    plait_status status;
    options.order = PLAIT_ORDER_CREATION;
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 100; i++)
        tasks[i] = i % 10 == 3 ? plait_delayed(g, broken, i)
                               : plait_delayed(g, sum, i);
    plait_task all = plait_delayed(g, sum, plait_tasks(tasks, 100));
    plait_run *run = run_to_end(g, &all, 1, &options, &status, NULL);
    assert_int_equal(status, PLAIT_ETASK);
    assert_int_equal(plait_run_failure_count(run), 10);
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(plait_run_failure(run, i, &out, &err), PLAIT_OK);
        assert_int_equal(err.task.id, tasks[10 * i + 3].id);
        assert_string_equal(plait_as_error(out)->key, err.key);
        plait_release(out);
    }
    assert_int_equal(plait_run_failure(run, 10, &out, &err), PLAIT_EINVAL);
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
    plait_run_free(run);
    plait_graph_free(g);
}

static plait_value describe_errors(plait_context *ctx, const plait_value *args,
                                   size_t n)
{
    size_t items = 0;
    (void)n;
    const plait_value *list = plait_as_list(args[0], &items);
    if (!plait_is_error(list[1]) || plait_is_error(list[0]) ||
        !plait_is_error(args[1]))
        return plait_fail(ctx, "not what was expected");
    return plait_string(plait_as_error(list[1])->key);
}

static void a_task_that_accepts_errors_gets_them(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_task_options accepts = { PLAIT_TASK_OPTIONS_INIT,
                                   .accepts_errors = true };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task bad = plait_delayed(g, broken, 1);
    plait_task doomed = plait_delayed(g, sum, bad);
    plait_task both[] = { plait_delayed(g, sum, 2), doomed };
    plait_task summary =
        plait_delayed(g, describe_errors, plait_tasks(both, 2), doomed);
    assert_int_equal(plait_task_set(g, summary, &accepts), PLAIT_OK);
    /* the failure has been dealt with: the target has a value */
    assert_int_equal(plait_compute(g, summary, &options, &out, &err), PLAIT_OK);
    assert_int_equal(err.status, PLAIT_OK);
    assert_string_equal(plait_as_string(out), "broken-0");
    plait_release(out);
    options.on_error = PLAIT_COLLECT;
    assert_int_equal(plait_compute(g, summary, &options, &out, &err), PLAIT_OK);
    assert_string_equal(plait_as_string(out), "broken-0");
    plait_release(out);
    plait_graph_free(g);
}

/* What is downstream of a task that accepts errors is sound. */
static void errors_end_where_they_are_accepted(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_task_options accepts = { PLAIT_TASK_OPTIONS_INIT,
                                   .accepts_errors = true };
    plait_status status;
    plait_graph *g = plait_graph_new();
    plait_task bad = plait_delayed(g, broken, 1);
    plait_task one = plait_delayed(g, count_errors, bad, bad);
    plait_task_set(g, one, &accepts);
    plait_task two = plait_delayed(g, sum, one, 40);
    options.on_error = PLAIT_COLLECT;
    plait_run *run = run_to_end(g, &two, 1, &options, &status, NULL);
    plait_value out;
    assert_int_equal(status, PLAIT_OK);
    assert_int_equal(plait_run_result(run, two, &out, NULL), PLAIT_OK);
    assert_int_equal(plait_as_int(out), 42);
    assert_int_equal(counts_of(run).skipped, 0);
    plait_run_free(run);
    plait_graph_free(g);
}

static void stop_begins_nothing_new(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    options.on_error = PLAIT_STOP;
    plait_graph *g = plait_graph_new();
    plait_task t = plait_delayed(g, broken, 1);
    for (int i = 0; i < 1000; i++)
        t = plait_delayed(g, counted_sum, t, 1);
    assert_int_equal(plait_compute(g, t, &options, &out, &err), PLAIT_ETASK);
    assert_string_equal(err.key, "broken-0");
    plait_graph_free(g);
}

static plait_value stop_mark(plait_context *ctx, const plait_value *args,
                             size_t n)
{
    int *calls = plait_context_user(ctx);
    (void)args;
    (void)n;
    ++*calls;
    return plait_error_stop(plait_fail(ctx, "interrupted"));
}

/* In every mode, without retries, and not given to who accepts errors. */
static void a_stop_mark_ends_the_run(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_task_options accepts = { PLAIT_TASK_OPTIONS_INIT,
                                   .accepts_errors = true };
    plait_value out;
    int calls = 0;
    options.user = &calls;
    options.retries = 5;
    options.on_error = PLAIT_COLLECT;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, stop_mark);
    plait_task y = plait_delayed(g, count_errors, x);
    plait_task_set(g, y, &accepts);
    assert_int_equal(plait_compute(g, y, &options, &out, &err), PLAIT_ETASK);
    assert_string_equal(err.key, "stop_mark-0");
    assert_int_equal(plait_as_int(out), 0);
    if (under_test.is_exact)
        assert_int_equal(calls, 1);
    plait_release(out);
    plait_graph_free(g);
}

/* Fails until the attempt that its argument says. */
static plait_value succeed_at(plait_context *ctx, const plait_value *args,
                              size_t n)
{
    (void)n;
    if (plait_context_attempt(ctx) < plait_as_int(args[0]))
        return plait_fail(ctx, "attempt %u", plait_context_attempt(ctx));
    return plait_int(plait_context_attempt(ctx));
}

static void a_task_is_retried(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_task_options four = { PLAIT_TASK_OPTIONS_INIT, .retries = 4 };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, succeed_at, 5);
    plait_task y = plait_delayed(g, succeed_at, 2);
    plait_task z = plait_delayed(g, succeed_at, 100);
    plait_task_set(g, x, &four);
    assert_true(compute_int(g, x) >= 5);
    plait_status status = plait_compute(g, y, &options, &out, &err);
    if (under_test.is_exact) /* else the attempts count lost workers too */
        assert_int_equal(status, PLAIT_ETASK);
    options.retries = 1;
    assert_int_equal(plait_compute(g, y, &options, &out, &err), PLAIT_OK);
    plait_release(out);
    assert_int_equal(plait_compute(g, z, &options, &out, &err), PLAIT_ETASK);
    if (under_test.is_exact)
        assert_string_equal(err.message, "succeed_at-2: attempt 2");
    plait_graph_free(g);
}

/* Lasts until it is told to stop. */
static plait_value until_cancelled(plait_context *ctx, const plait_value *args,
                                   size_t n)
{
    while (!plait_cancelled(ctx))
        ;
    return n ? plait_retain(args[0]) : plait_fail(ctx, "told to stop");
}

static void a_task_that_takes_too_long_is_told(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_task_options one_ms = { PLAIT_TASK_OPTIONS_INIT, .timeout_ms = 1 };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, until_cancelled);
    plait_task y = plait_delayed(g, until_cancelled, 8);
    plait_task_set(g, x, &one_ms);
    assert_int_equal(plait_compute(g, x, &options, &out, &err),
                     PLAIT_ETIMEDOUT);
    assert_string_equal(err.key, "until_cancelled-0");
    options.timeout_ms = 1; /* a value that comes late is accepted */
    assert_int_equal(plait_compute(g, y, &options, &out, &err), PLAIT_OK);
    assert_int_equal(plait_as_int(out), 8);
    plait_graph_free(g);
}

static plait_value until_timed_out(plait_context *ctx, const plait_value *args,
                                   size_t n)
{
    (void)args;
    while (!plait_timed_out(ctx))
        ;
    return plait_int((int64_t)n + plait_cancelled(ctx));
}

static void a_task_knows_that_its_own_time_is_up(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_value out;
    options.timeout_ms = 1;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, until_timed_out);
    assert_int_equal(plait_compute(g, x, &options, &out, NULL), PLAIT_OK);
    assert_int_equal(plait_as_int(out), 1);
    plait_graph_free(g);
}

static void a_run_that_takes_too_long_is_stopped(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    options.run_timeout_ms = 1;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, until_cancelled, 8);
    plait_task y = plait_delayed(g, sum, x);
    assert_int_equal(plait_compute(g, y, &options, &out, &err),
                     PLAIT_ETIMEDOUT);
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
    assert_non_null(strstr(err.message, "1 ms"));
    plait_graph_free(g);
}

/* The same failure on every executor: the one of lowest plan number, though
 * others fail earlier. */
static plait_value broken_late(plait_context *ctx, const plait_value *args,
                               size_t n)
{
    gate_await(plait_context_user(ctx), 1);
    return broken(ctx, args, n);
}

static plait_value broken_early(plait_context *ctx, const plait_value *args,
                                size_t n)
{
    gate_enter(plait_context_user(ctx));
    return broken(ctx, args, n);
}

static void the_first_failure_is_the_lowest(void **state)
{
    (void)state;
    static gate g1 = GATE_INIT;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value outs[2];
    options.user = &g1;
    options.order = PLAIT_ORDER_CREATION;
    plait_graph *g = plait_graph_new();
    plait_task two[] = { plait_delayed(g, broken_late, 1),
                         plait_delayed(g, broken_early, 2) };
    assert_int_equal(plait_compute_all(g, two, 2, &options, outs, &err),
                     PLAIT_ETASK);
    assert_string_equal(err.key, "broken_late-0");
    plait_graph_free(g);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(the_failure_names_its_task),
    cmocka_unit_test(an_error_made_without_context_is_named),
    cmocka_unit_test(finish_runs_every_other_branch),
    cmocka_unit_test(collect_gives_values_and_errors),
    cmocka_unit_test(failures_are_listed_in_order),
    cmocka_unit_test(a_task_that_accepts_errors_gets_them),
    cmocka_unit_test(errors_end_where_they_are_accepted),
    cmocka_unit_test(stop_begins_nothing_new),
    cmocka_unit_test(a_stop_mark_ends_the_run),
    cmocka_unit_test(a_task_is_retried),
    cmocka_unit_test(a_task_that_takes_too_long_is_told),
    cmocka_unit_test(a_task_knows_that_its_own_time_is_up),
    cmocka_unit_test(a_run_that_takes_too_long_is_stopped),
};

static const struct CMUnitTest at_once_cases[] = {
    cmocka_unit_test(the_first_failure_is_the_lowest),
};

const contract_group contract_failures = { cases, COUNT_OF(cases), 0 };
const contract_group contract_failures_at_once = { at_once_cases,
                                                   COUNT_OF(at_once_cases), 2 };
