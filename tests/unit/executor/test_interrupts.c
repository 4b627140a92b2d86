/* SPDX-License-Identifier: BSD-3-Clause */
/* test_interrupts.c: tasks of a language runtime that are to end early. */
#include "locked_runtime.h"

/* Cancel interrupts what runs in the runtime. */
static _Atomic bool in_task;

static plait_value until_cancelled(plait_context *ctx, const plait_value *args,
                                   size_t n)
{
    (void)args;
    (void)n;
    atomic_store(&in_task, true);
    while (!plait_cancelled(ctx) || fake.interrupts == 0)
        ;
    return plait_fail(ctx, "interrupted");
}

static void a_cancel_interrupts(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT,
                              .executor = open_pool("threads", 2) };
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, until_cancelled);
    plait_task t = plait_call_func(g, func, NULL, 0);
    atomic_store(&in_task, false);
    plait_run *run = plait_start(g, &t, 1, &options, NULL);
    while (!atomic_load(&in_task))
        plait_run_wait(run, 1, NULL);
    plait_run_cancel(run);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_ECANCELED);
    plait_run_free(run);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    assert_true(fake.interrupts >= 1);
    check_pairs();
}

static void a_timeout_interrupts(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT, .timeout_ms = 1,
                              .executor = open_pool("threads", 2) };
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, until_cancelled);
    plait_task t = plait_call_func(g, func, NULL, 0);
    assert_int_equal(plait_compute(g, t, &options, &out, &err),
                     PLAIT_ETIMEDOUT);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    assert_true(fake.interrupts >= 1);
    check_pairs();
}

/* The thread that waits for a sync run is the one that is interrupted: the task
 * ends by nothing else. The time may be up before it begins. */
static void check_sync_timeout(const plait_options *options)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value outs[2];
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, until_cancelled);
    plait_task tasks[] = { plait_call_func(g, func, NULL, 0),
                           plait_delayed(g, plain_task) };
    atomic_store(&in_task, false);
    plait_status status = plait_compute_all(g, tasks, 2, options, outs, &err);
    assert_int_equal(status, PLAIT_ETIMEDOUT);
    plait_graph_free(g);
    assert_true(fake.interrupts >= 1 || !atomic_load(&in_task));
    check_pairs();
}

static void a_timeout_interrupts_sync(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = "sync",
                              .timeout_ms = 1 };
    check_sync_timeout(&options);
}

static void a_run_s_timeout_interrupts_sync(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = "sync",
                              .run_timeout_ms = 1 };
    check_sync_timeout(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_cancel_interrupts, begin),
        cmocka_unit_test_setup(a_timeout_interrupts, begin),
        cmocka_unit_test_setup(a_timeout_interrupts_sync, begin),
        cmocka_unit_test_setup(a_run_s_timeout_interrupts_sync, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
