/* SPDX-License-Identifier: BSD-3-Clause */
/* contract_calls.c: plait_map, plait_submit, many runs, and options. */
#include "contract.h"

#include <unistd.h>

/* ---- for all executors ---- */

static _Atomic int running_now, running_most;

static plait_value square(plait_context *ctx, const plait_value *args, size_t n)
{
    int now = atomic_fetch_add(&running_now, 1) + 1;
    int most = atomic_load(&running_most);
    while (now > most &&
           !atomic_compare_exchange_weak(&running_most, &most, now))
        ;
    (void)ctx;
    (void)n;
    int64_t i = counted_number(args[0]);
    atomic_fetch_sub(&running_now, 1);
    return plait_int(i * i);
}

static void map_keeps_the_order(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value items[500], outs[500];
    running_most = 0;
    for (int i = 0; i < 500; i++)
        items[i] = counted_new(i);
    assert_int_equal(plait_map(square, NULL, items, 500, &options, outs, &err),
                     PLAIT_OK);
    for (int i = 0; i < 500; i++)
        assert_int_equal(plait_as_int(outs[i]), i * i);
    assert_int_equal(counted_alive(), 0);
    if (under_test.workers)
        assert_true(running_most <= (int)under_test.workers);
    assert_int_equal(plait_map(square, NULL, NULL, 0, &options, NULL, &err),
                     PLAIT_OK);
}

static plait_value odd_fails(plait_context *ctx, const plait_value *args,
                             size_t n)
{
    (void)n;
    int64_t i = counted_number(args[0]);
    return i % 2 ? plait_fail(ctx, "odd") : plait_int(i);
}

static void map_names_its_failures(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value items[10], outs[10];
    for (int i = 0; i < 10; i++)
        items[i] = counted_new(i + 4);
    options.on_error = PLAIT_COLLECT;
    assert_int_equal(
        plait_map(odd_fails, "even", items, 10, &options, outs, &err),
        PLAIT_OK);
    for (int i = 0; i < 10; i++) {
        char key[32];
        snprintf(key, sizeof key, "even-%d", i);
        if (i % 2)
            assert_string_equal(plait_as_error(outs[i])->key, key);
        else
            assert_int_equal(plait_as_int(outs[i]), i + 4);
        plait_release(outs[i]);
    }
    for (int i = 0; i < 10; i++)
        items[i] = plait_int(i);
    options.on_error = PLAIT_FINISH;
    assert_int_equal(
        plait_map(odd_fails, "even", items, 10, &options, outs, &err),
        PLAIT_ETASK);
    assert_string_equal(err.key, "even-1");
    assert_int_equal(plait_as_int(outs[4]), 4);
    assert_int_equal(plait_kind_of(outs[5]), PLAIT_KIND_NIL);
    assert_int_equal(counted_alive(), 0);
}

static void map_takes_its_items_when_it_fails(void **state)
{
    (void)state;
    plait_options bad = { PLAIT_OPTIONS_INIT, .scheduler = "nobody's" };
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value items[] = { counted_new(1), counted_new(2) };
    plait_value outs[] = { plait_int(1), plait_int(1) };
    assert_int_equal(plait_map(square, NULL, items, 2, &bad, outs, &err),
                     PLAIT_EINVAL);
    assert_int_equal(plait_kind_of(outs[1]), PLAIT_KIND_NIL);
    plait_value more[] = { counted_new(1),
                           plait_error_value(PLAIT_ETYPE, "an item") };
    bad = contract_options();
    assert_int_equal(plait_map(square, NULL, more, 2, &bad, outs, &err),
                     PLAIT_ETYPE);
    assert_int_equal(counted_alive(), 0);
}

static void submit_runs_one_task(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_task first_one = { 1, 0 }, none = { 0, 0 };
    plait_value args[] = { counted_new(20), plait_int(22) };
    plait_value out;
    plait_run *run =
        plait_submit(NULL, counted_sum, "answer", args, 2, &options, &err);
    assert_non_null(run);
    assert_int_equal(plait_run_wait(run, -1, &err), PLAIT_OK);
    assert_int_equal(plait_run_result(run, first_one, &out, &err), PLAIT_OK);
    assert_int_equal(counted_number(out), 42);
    plait_release(out);
    assert_int_equal(plait_run_result(run, none, &out, &err), PLAIT_OK);
    plait_release(out);
    plait_run_free(run);
    plait_executor *ex =
        plait_executor_open(under_test.scheduler, &options, &err);
    plait_value one = counted_new(5);
    run = plait_submit(ex, broken, "bad", &one, 1, NULL, &err);
    assert_int_equal(plait_run_wait(run, -1, &err), PLAIT_ETASK);
    assert_string_equal(err.key, "bad-0");
    plait_run_free(run);
    plait_executor_close(ex);
    assert_int_equal(counted_alive(), 0);
}

static plait_value read_user(plait_context *ctx, const plait_value *args,
                             size_t n)
{
    (void)args;
    (void)n;
    if (strcmp(plait_context_key(ctx), "reader") != 0 ||
        plait_context_payload(ctx) || plait_cancelled(ctx))
        return plait_fail(ctx, "not what was expected");
    return plait_int(*(int *)plait_context_user(ctx));
}

static void a_task_knows_its_context(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_task_options key = { PLAIT_TASK_OPTIONS_INIT, .key = "reader" };
    int user = 12;
    plait_value out;
    options.user = &user;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, read_user);
    plait_task_set(g, x, &key);
    assert_int_equal(plait_compute(g, x, &options, &out, NULL), PLAIT_OK);
    assert_int_equal(plait_as_int(out), 12);
    plait_graph_free(g);
}

static void options_of_older_and_newer_callers(void **state)
{
    (void)state;
    struct {
        plait_options known;
        uint64_t unknown;
    } newer = { .known = contract_options() };
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, broken, 2);
    /* an older caller's struct ends before on_error, which is then FINISH */
    plait_options older = contract_options();
    older.size = offsetof(plait_options, on_error);
    older.on_error = PLAIT_COLLECT;
    assert_int_equal(plait_compute(g, x, &older, &out, &err), PLAIT_ETASK);
    newer.known.size = sizeof newer;
    newer.known.on_error = PLAIT_COLLECT;
    assert_int_equal(plait_compute(g, x, &newer.known, &out, &err), PLAIT_OK);
    plait_release(out);
    newer.unknown = 1;
    assert_int_equal(plait_compute(g, x, &newer.known, &out, &err),
                     PLAIT_EINVAL);
    plait_options zero = { .size = 0 };
    assert_int_equal(plait_compute(g, x, &zero, &out, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "PLAIT_OPTIONS_INIT"));
    assert_null(plait_start(g, &x, 1, &zero, &err));
    assert_null(plait_executor_open(NULL, &zero, &err));
    /* an older caller's error has no message */
    plait_error short_err = { .size = offsetof(plait_error, message),
                              .message = "untouched" };
    older = contract_options();
    assert_int_equal(plait_compute(g, x, &older, &out, &short_err),
                     PLAIT_ETASK);
    assert_string_equal(short_err.key, "broken-0");
    assert_string_equal(short_err.message, "untouched");
    plait_graph_free(g);
}

static void options_that_mean_nothing(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 2);
    plait_options options = contract_options();
    options.workers = 1025;
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_EINVAL);
    options = contract_options();
    options.on_error = (plait_on_error)7;
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_EINVAL);
    options = contract_options();
    options.order = (plait_order)7;
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_EINVAL);
    options = contract_options();
    options.n_observers = 1;
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_EINVAL);
    plait_observer no_size = { .size = 0 };
    const plait_observer *observers[] = { &no_size };
    options.observers = observers;
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "PLAIT_OBSERVER_INIT"));
    options.observers = (const plait_observer *const[]){ NULL };
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_EINVAL);
    plait_graph_free(g);
}

/* ---- for those that run tasks elsewhere ---- */

static void a_hundred_runs_at_once(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_run *runs[100];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 100; i++) {
        plait_task t = plait_delayed(g, counted_sum, i);
        for (int k = 0; k < 50; k++)
            t = plait_delayed(g, counted_sum, t, 1);
        options.workers = under_test.workers ? 1 + (unsigned)i % 4 : 0;
        runs[i] = plait_start(g, &t, 1, &options, NULL);
    }
    for (int i = 0; i < 100; i++) {
        plait_value out;
        assert_int_equal(plait_run_wait(runs[i], -1, NULL), PLAIT_OK);
        plait_run_result(runs[i], (plait_task){ 0, 0 }, &out, NULL);
        assert_int_equal(counted_number(out), i + 50);
        plait_release(out);
        plait_run_free(runs[i]);
    }
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static plait_value sleep_a_little(plait_context *ctx, const plait_value *args,
                                  size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    usleep(100);
    return plait_nil();
}

/* A run of many tasks, 10 s of them on one worker, leaves room for a short. */
static void a_short_run_is_not_starved(void **state)
{
    (void)state;
    plait_options options = contract_options();
    unsigned n = 100000 * contract_at_once();
    plait_task *tasks = calloc(n, sizeof *tasks);
    assert_non_null(tasks);
    plait_graph *g = plait_graph_new();
    for (unsigned i = 0; i < n; i++)
        tasks[i] = plait_delayed(g, sleep_a_little);
    plait_run *slow = plait_start(g, tasks, n, &options, NULL);
    plait_graph *h = plait_graph_new();
    assert_int_equal(compute_int(h, plait_delayed(h, sum, 3)), 3);
    plait_counts counts = { PLAIT_COUNTS_INIT };
    plait_run_counts(slow, &counts);
    assert_true(counts.waiting > 0);
    plait_run_free(slow);
    plait_graph_free(g);
    plait_graph_free(h);
    free(tasks);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(map_keeps_the_order),
    cmocka_unit_test(map_names_its_failures),
    cmocka_unit_test(map_takes_its_items_when_it_fails),
    cmocka_unit_test(submit_runs_one_task),
    cmocka_unit_test(a_task_knows_its_context),
    cmocka_unit_test(options_of_older_and_newer_callers),
    cmocka_unit_test(options_that_mean_nothing),
};

static const struct CMUnitTest async_cases[] = {
    cmocka_unit_test(a_hundred_runs_at_once),
    cmocka_unit_test(a_short_run_is_not_starved),
};

const contract_group contract_calls = { cases, COUNT_OF(cases), 0 };
const contract_group contract_calls_async = { async_cases,
                                              COUNT_OF(async_cases), 1 };
