/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_runtime.c: tasks and objects of a language runtime.
 */
#include "locked_runtime.h"

/* Runtime tasks and plain ones, in a graph where each uses some of both. */
static void compute_mixed(const char *scheduler, unsigned workers)
{
    plait_task tasks[300];
    plait_options options = { PLAIT_OPTIONS_INIT,
                              .executor = open_pool(scheduler, workers) };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, runtime_task);
    for (int i = 0; i < 300; i++) {
        plait_value args[2] = { plait_nil(), plait_nil() };
        if (i)
            args[0] = plait_ref(tasks[i / 2]);
        if (i)
            args[1] = plait_ref(tasks[i * 3 / 4]);
        tasks[i] = i % 3 ? plait_call_func(g, func, args, 2)
                         : plait_call(g, plain_task, "plain", args, 2);
    }
    plait_task all = plait_delayed(g, plain_task, plait_tasks(tasks, 300));
    assert_int_equal(plait_compute(g, all, &options, &out, NULL), PLAIT_OK);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    check_pairs();
    assert_int_equal(fake.objects, 0);
    assert_true(fake.starts >= 1);
}

static void on_sync(void **state)
{
    (void)state;
    compute_mixed("sync", 1);
}

static void on_one_worker(void **state)
{
    (void)state;
    compute_mixed("threads", 1);
    assert_int_equal(fake.starts, 1);
}

static void on_many_workers(void **state)
{
    (void)state;
    compute_mixed("threads", 6);
}

/* A worker stays attached over consecutive tasks of one runtime. */
static void consecutive_tasks_attach_seldom(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT,
                              .executor = open_pool("threads", 1) };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, runtime_task);
    plait_task t = plait_call_func(g, func, NULL, 0);
    for (int i = 0; i < 5000; i++) {
        plait_value arg = plait_ref(t);
        t = plait_call_func(g, func, &arg, 1);
    }
    assert_int_equal(plait_compute(g, t, &options, &out, NULL), PLAIT_OK);
    plait_release(out); /* elsewhere: freed at the next attach, or drain */
    /* offered to others now and then, by tasks or by time */
    assert_in_range(fake.attaches, 1, 4000);
    assert_true(fake.attaches >= 5);
    plait_task one = plait_call_func(g, func, NULL, 0);
    assert_int_equal(plait_compute(g, one, &options, &out, NULL), PLAIT_OK);
    assert_int_equal(fake.objects, 1);
    plait_release(out);
    plait_value arg = plait_ref(one);
    plait_task plain = plait_call(g, plain_task, "plain", &arg, 1);
    assert_int_equal(plait_compute(g, plain, &options, &out, NULL), PLAIT_OK);
    assert_int_equal(fake.objects, 0);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    check_pairs();
}

/* A task of the runtime computes: it is detached while it waits, so that others
 * may have the lock, and attached again when it goes on. */
static plait_value nested_task(plait_context *ctx, const plait_value *args,
                               size_t n)
{
    plait_options options = { PLAIT_OPTIONS_INIT,
                              .executor = plait_context_user(ctx),
                              .user = plait_context_user(ctx) };
    plait_value out;
    (void)args;
    (void)n;
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, runtime_task);
    plait_task two[] = { plait_call_func(g, func, NULL, 0),
                         plait_call_func(g, func, NULL, 0) };
    plait_task all = plait_delayed(g, plain_task, plait_tasks(two, 2));
    int entered = self_thread->entered;
    plait_status status = plait_compute(g, all, &options, &out, NULL);
    plait_graph_free(g);
    complain_unless(is_attached());
    complain_unless(self_thread->entered == entered);
    complain_unless(status == PLAIT_OK);
    return out;
}

static void check_nested(const char *scheduler, unsigned workers)
{
    plait_options options = { PLAIT_OPTIONS_INIT,
                              .executor = open_pool(scheduler, workers) };
    plait_task tasks[10];
    plait_value out;
    options.user = options.executor;
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, nested_task);
    for (int i = 0; i < 10; i++)
        tasks[i] = plait_call_func(g, func, NULL, 0);
    plait_task all = plait_delayed(g, plain_task, plait_tasks(tasks, 10));
    assert_int_equal(plait_compute(g, all, &options, &out, NULL), PLAIT_OK);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    check_pairs();
    assert_int_equal(fake.objects, 0);
}

static void a_task_that_waits_is_detached(void **state)
{
    (void)state;
    check_nested("sync", 1);
    check_nested("threads", 1);
    check_nested("threads", 3);
}

/* The waiting task runs one of the runtime's on its own thread, and then waits
 * for what another thread has to attach for. */
static _Atomic bool quick_has_run;

static plait_value after_quick(plait_context *ctx, const plait_value *args,
                               size_t n)
{
    struct timespec nap = { 0, 200000 };
    (void)ctx;
    (void)args;
    (void)n;
    while (!atomic_load(&quick_has_run))
        nanosleep(&nap, NULL);
    nanosleep(&nap, NULL);
    return plait_int(1);
}

static plait_value quick(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    complain_unless(is_attached());
    atomic_store(&quick_has_run, true);
    return plait_int(1);
}

static plait_value wait_and_help(plait_context *ctx, const plait_value *args,
                                 size_t n)
{
    struct timespec nap = { 0, 5000000 };
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 2,
                              .executor = plait_context_user(ctx),
                              .order = PLAIT_ORDER_CREATION };
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, quick);
    plait_task tasks[3] = { plait_delayed(g, after_quick) };
    plait_value ref = plait_ref(tasks[0]);
    tasks[1] = plait_call_func(g, func, &ref, 1);
    tasks[2] = plait_call_func(g, func, NULL, 0);
    plait_run *run = plait_start(g, tasks, 3, &options, NULL);
    nanosleep(&nap, NULL); /* the other worker is at it */
    complain_unless(plait_run_wait(run, -1, NULL) == PLAIT_OK);
    plait_run_free(run);
    plait_graph_free(g);
    (void)args;
    (void)n;
    return plait_int(1);
}

static void a_task_that_waits_keeps_no_lock(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 2 };
    plait_value out;
    options.executor = open_pool("threads", 2);
    options.user = options.executor;
    atomic_store(&quick_has_run, false);
    plait_graph *g = plait_graph_new();
    plait_task t = plait_delayed(g, wait_and_help);
    assert_int_equal(plait_compute(g, t, &options, &out, NULL), PLAIT_OK);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    check_pairs();
}

/* While the lock is elsewhere a plain task runs on the one worker that could
 * be blocked: the runtime's task was put back, and the other worker, blocked
 * in attach, had it. */
static _Atomic bool plain_has_run;

static plait_value note_plain(plait_context *ctx, const plait_value *args,
                              size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    atomic_store(&plain_has_run, true);
    return plait_int(1);
}

/* Attaches, so that what was released elsewhere is freed. */
static void free_what_waits(void)
{
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = "sync" };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task t = plait_call_func(g, runtime_func(g, quick), NULL, 0);
    assert_int_equal(plait_compute(g, t, &options, &out, NULL), PLAIT_OK);
    plait_graph_free(g);
    assert_int_equal(fake.objects, 0);
}

static void the_task_in_hand_is_put_back(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 2,
                              .order = PLAIT_ORDER_CREATION };
    options.executor = open_pool("threads", 2);
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, runtime_task);
    plait_task tasks[] = { plait_call_func(g, func, NULL, 0),
                           plait_delayed(g, note_plain) };
    atomic_store(&plain_has_run, false);
    pthread_mutex_lock(&fake.lock); /* as the main program would have it */
    plait_run *run = plait_start(g, tasks, 2, &options, NULL);
    while (!atomic_load(&plain_has_run))
        plait_run_wait(run, 1, NULL);
    assert_int_equal(fake.attaches, 0);
    pthread_mutex_unlock(&fake.lock);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    plait_run_free(run);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    free_what_waits();
    check_pairs();
}

/* Last: closing can't be undone. */
static void a_closed_runtime_fails_its_tasks(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT,
                              .executor = open_pool("threads", 2) };
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value outs[2];
    plait_graph *g = plait_graph_new();
    plait_func func = runtime_func(g, runtime_task);
    plait_task tasks[] = { plait_call_func(g, func, NULL, 0),
                           plait_delayed(g, plain_task) };
    plait_runtime_close(&runtime);
    assert_int_equal(plait_compute_all(g, tasks, 2, &options, outs, &err),
                     PLAIT_ECLOSED);
    assert_int_equal(plait_as_int(outs[1]), 1);
    assert_int_equal(fake.attaches, 0);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    check_pairs();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(on_sync, begin),
        cmocka_unit_test_setup(on_one_worker, begin),
        cmocka_unit_test_setup(on_many_workers, begin),
        cmocka_unit_test_setup(consecutive_tasks_attach_seldom, begin),
        cmocka_unit_test_setup(a_task_that_waits_is_detached, begin),
        cmocka_unit_test_setup(a_task_that_waits_keeps_no_lock, begin),
        cmocka_unit_test_setup(the_task_in_hand_is_put_back, begin),
        cmocka_unit_test_setup(a_closed_runtime_fails_its_tasks, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
