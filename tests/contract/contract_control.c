/* SPDX-License-Identifier: BSD-3-Clause */
/* contract_control.c: asking, cancelling and closing, on every executor. */
#include "contract.h"

static plait_run *start_one(plait_graph *g, plait_task t, void *user)
{
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    options.user = user;
    plait_run *run = plait_start(g, &t, 1, &options, &err);
    if (!run)
        fail_msg("%s", err.message);
    return run;
}

static void asking_a_run_that_is_done(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out = plait_int(1);
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 1);
    plait_task y = plait_delayed(g, counted_sum, x, 1);
    plait_task none = { 0, 0 };
    plait_run *run = start_one(g, y, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(plait_run_wait(run, i - 1, &err), PLAIT_OK);
        assert_int_equal(plait_run_result(run, y, &out, &err), PLAIT_OK);
        assert_int_equal(counted_number(out), 2);
        plait_release(out);
    }
    assert_int_equal(plait_run_result(run, none, &out, &err), PLAIT_OK);
    assert_int_equal(counted_number(out), 2);
    plait_release(out);
    assert_int_equal(plait_run_result(run, x, &out, &err), PLAIT_EINVAL);
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
    plait_counts counts = { PLAIT_COUNTS_INIT };
    assert_int_equal(plait_run_counts(run, &counts), PLAIT_OK);
    assert_int_equal(counts.done, 2);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(plait_run_failure_count(run), 0);
    assert_int_equal(plait_run_running(run, NULL, 0), 0);
    plait_run_cancel(run); /* too late, and harmless */
    assert_int_equal(plait_run_wait(run, -1, &err), PLAIT_OK);
    plait_run_free(run);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void counts_of_older_and_newer_callers(void **state)
{
    (void)state;
    plait_graph *g = plait_graph_new();
    plait_run *run = start_one(g, plait_delayed(g, sum, 1), NULL);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    plait_counts older = { .size = offsetof(plait_counts, failed),
                           .failed = 77 };
    assert_int_equal(plait_run_counts(run, &older), PLAIT_OK);
    assert_int_equal(older.done, 1);
    assert_int_equal(older.failed, 77);
    plait_counts zero = { .size = 0 };
    assert_int_equal(plait_run_counts(run, &zero), PLAIT_EINVAL);
    plait_run_free(run);
    plait_graph_free(g);
}

static void a_run_that_is_null(void **state)
{
    (void)state;
    plait_value out;
    plait_counts counts = { PLAIT_COUNTS_INIT };
    plait_task none = { 0, 0 };
    assert_int_equal(plait_run_wait(NULL, -1, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_run_result(NULL, none, &out, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_run_failure(NULL, 0, &out, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_run_counts(NULL, &counts), PLAIT_EINVAL);
    assert_int_equal(plait_run_failure_count(NULL), 0);
    assert_int_equal(plait_run_running(NULL, NULL, 0), 0);
    plait_run_cancel(NULL);
    plait_run_free(NULL);
}

static void count_call(plait_run *run, void *user)
{
    plait_value out;
    plait_task none = { 0, 0 };
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    assert_int_equal(plait_run_result(run, none, &out, NULL), PLAIT_OK);
    assert_int_equal(plait_as_int(out), 1);
    ++*(_Atomic int *)user;
}

static void on_done_of_a_run_that_is_done(void **state)
{
    (void)state;
    _Atomic int calls = 0;
    plait_graph *g = plait_graph_new();
    plait_run *run = start_one(g, plait_delayed(g, sum, 1), NULL);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    assert_int_equal(plait_run_on_done(run, count_call, &calls), PLAIT_OK);
    assert_int_equal(calls, 1);
    assert_int_equal(plait_run_on_done(run, NULL, NULL), PLAIT_EINVAL);
    plait_run_free(run);
    plait_graph_free(g);
}

static plait_value cancel_own_run(plait_context *ctx, const plait_value *args,
                                  size_t n)
{
    _Atomic(plait_run *) *run = plait_context_user(ctx);
    (void)args;
    (void)n;
    while (!atomic_load(run))
        ;
    plait_run_cancel(atomic_load(run));
    assert_true(plait_cancelled(ctx));
    assert_false(plait_timed_out(ctx));
    return plait_int(5);
}

static void note_run(const plait_event *event, void *user)
{
    atomic_store((_Atomic(plait_run *) *)user, event->run);
}

static void a_task_cancels_its_run(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    _Atomic(plait_run *) own = NULL;
    plait_observer observer = { PLAIT_OBSERVER_INIT, .kinds = PLAIT_RUN_BEGIN,
                                .on_event = note_run, .user = &own };
    const plait_observer *observers[] = { &observer };
    plait_value outs[2];
    options.user = &own;
    options.observers = observers;
    options.n_observers = 1;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, cancel_own_run);
    plait_task y = plait_delayed(g, sum, x);
    plait_task targets[] = { x, y };
    assert_int_equal(plait_compute_all(g, targets, 2, &options, outs, &err),
                     PLAIT_ECANCELED);
    assert_int_equal(plait_kind_of(outs[1]), PLAIT_KIND_NIL);
    plait_release(outs[0]);
    plait_graph_free(g);
}

static void a_closed_executor_takes_no_run(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_executor *ex =
        plait_executor_open(under_test.scheduler, &options, &err);
    assert_non_null(ex);
    assert_true(plait_executor_workers(ex) >= 1);
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 1);
    options.executor = ex;
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_OK);
    plait_release(out);
    plait_run *run = plait_start(g, &x, 1, &options, &err);
    plait_executor_close(ex);
    /* the run is done, or cancelled, and can be asked */
    plait_status status = plait_run_wait(run, -1, &err);
    assert_true(status == PLAIT_OK || status == PLAIT_ECANCELED);
    plait_run_free(run);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(g);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(asking_a_run_that_is_done),
    cmocka_unit_test(counts_of_older_and_newer_callers),
    cmocka_unit_test(a_run_that_is_null),
    cmocka_unit_test(on_done_of_a_run_that_is_done),
    cmocka_unit_test(a_task_cancels_its_run),
    cmocka_unit_test(a_closed_executor_takes_no_run),
};

const contract_group contract_control = { cases, COUNT_OF(cases), 0 };
