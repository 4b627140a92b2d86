/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_oom.c: each scenario is run with its first allocation failing, then its
 * second, and so on until none does. It must end, with success or an error that
 * says why, and leave nothing behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <plait/plait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail_alloc.h"

/* What a scenario may use: the executor is made by it, and closed. */
typedef plait_status (*scenario_fn)(const char *scheduler, plait_error *err);

/* ---- tasks ---- */

static plait_value join(plait_context *ctx, const plait_value *args, size_t n)
{
    char text[64];
    (void)ctx;
    (void)n;
    plait_format(args[0], text, sizeof text);
    plait_value items[] = { plait_string(text), plait_retain(args[0]) };
    return plait_list(items, 2);
}

static plait_value broken(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)args;
    (void)n;
    return plait_fail_with(ctx, plait_string("a payload"), "broken");
}

/* Accepts errors inside lists, but gets none instead of a list. */
static plait_value count(plait_context *ctx, const plait_value *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (plait_is_error(args[i]))
            return plait_error_value(PLAIT_EINVAL, "%s was given an error",
                                     plait_context_key(ctx));
    }
    return plait_int((int64_t)n);
}

/* ---- scenarios ---- */

static plait_graph *draw(plait_task *targets)
{
    plait_graph *g = plait_graph_new();
    plait_task shared = plait_literal(g, plait_string("shared"));
    plait_task x = plait_delayed(g, join, shared);
    plait_value args[20];
    plait_task_options own = { PLAIT_TASK_OPTIONS_INIT, .key = "mine",
                               .retries = 1 };
    for (int i = 0; i < 20; i++)
        args[i] = i % 2 ? plait_ref(x) : plait_string("text");
    plait_task many = plait_call(g, count, "many", args, 20);
    plait_value keys[] = { plait_string("a"), plait_int(2) };
    plait_value values[] = { plait_ref(x), plait_ref(many) };
    plait_task nested = plait_delayed(g, join, plait_dict(keys, values, 2));
    plait_task_set(g, nested, &own);
    plait_task both[] = { x, nested };
    targets[0] = plait_delayed(g, join, plait_tasks(both, 2), 0.5);
    targets[1] = nested;
    return g;
}

static plait_status build_and_plan(const char *scheduler, plait_error *err)
{
    plait_task targets[2];
    (void)scheduler;
    plait_graph *g = draw(targets);
    plait_plan *plan = plait_plan_new(g, targets, 2, err);
    plait_status status = plan ? PLAIT_OK : err->status;
    plait_plan_free(plan);
    plait_graph_free(g);
    return status;
}

/* An executor of one's own, so that the scenario ends when it is closed. */
static plait_executor *open_pool(const char *scheduler, plait_options *options,
                                 plait_error *err)
{
    *options = (plait_options){ PLAIT_OPTIONS_INIT, .workers = 3 };
    options->executor = plait_executor_open(scheduler, options, err);
    return options->executor;
}

static plait_status compute(const char *scheduler, plait_error *err)
{
    plait_options options;
    plait_task targets[2];
    plait_value outs[2];
    if (!open_pool(scheduler, &options, err))
        return err->status;
    plait_graph *g = draw(targets);
    plait_status status = plait_compute_all(g, targets, 2, &options, outs, err);
    bool has_all = plait_kind_of(outs[0]) == PLAIT_KIND_LIST &&
                   plait_kind_of(outs[1]) == PLAIT_KIND_LIST;
    assert_int_equal(has_all, status == PLAIT_OK);
    plait_release(outs[0]);
    plait_release(outs[1]);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    return status;
}

/* Big enough for memory from the kernel. */
static plait_status compute_much(const char *scheduler, plait_error *err)
{
    plait_options options;
    plait_value out;
    if (!open_pool(scheduler, &options, err))
        return err->status;
    plait_graph *g = plait_graph_new();
    plait_task t = plait_delayed(g, count);
    for (int i = 0; i < 70000; i++)
        t = plait_delayed(g, count, t);
    plait_status status = plait_compute(g, t, &options, &out, err);
    plait_release(out);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    return status;
}

/* Many are ready at once: deques grow. */
static plait_status fan_out(const char *scheduler, plait_error *err)
{
    static plait_task tasks[1000];
    static plait_value outs[1000];
    plait_options options;
    if (!open_pool(scheduler, &options, err))
        return err->status;
    plait_graph *g = plait_graph_new();
    plait_task source = plait_delayed(g, count);
    for (int i = 0; i < 1000; i++)
        tasks[i] = plait_delayed(g, count, source);
    plait_status status =
        plait_compute_all(g, tasks, 1000, &options, outs, err);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    return status;
}

static plait_status fail_and_collect(const char *scheduler, plait_error *err)
{
    plait_options options;
    plait_value outs[3];
    plait_task_options accepts = { PLAIT_TASK_OPTIONS_INIT,
                                   .accepts_errors = true };
    if (!open_pool(scheduler, &options, err))
        return err->status;
    plait_graph *g = plait_graph_new();
    plait_task bad = plait_delayed(g, broken);
    plait_task next = plait_delayed(g, join, bad);
    plait_task both[] = { bad, next };
    plait_task summary = plait_delayed(g, count, plait_tasks(both, 2));
    plait_task_set(g, summary, &accepts);
    plait_task targets[] = { next, summary, bad };
    options.on_error = PLAIT_COLLECT;
    plait_status status = plait_compute_all(g, targets, 3, &options, outs, err);
    if (status == PLAIT_OK && !plait_is_error(outs[0]))
        status = PLAIT_EINVAL;
    for (int i = 0; i < 3; i++) {
        if (plait_is_error(outs[i]) && status == PLAIT_OK &&
            plait_as_error(outs[i])->status != PLAIT_ETASK)
            status = plait_as_error(outs[i])->status;
        plait_release(outs[i]);
    }
    plait_graph_free(g);
    plait_executor_close(options.executor);
    return status;
}

static plait_status start_and_ask(const char *scheduler, plait_error *err)
{
    plait_options options;
    plait_task targets[2];
    plait_value out;
    plait_counts counts = { PLAIT_COUNTS_INIT };
    if (!open_pool(scheduler, &options, err))
        return err->status;
    options.run_timeout_ms = 600000;
    plait_graph *g = draw(targets);
    plait_run *run = plait_start(g, targets, 2, &options, err);
    plait_status status = run ? plait_run_wait(run, -1, err) : err->status;
    plait_run_counts(run, &counts);
    if (run && status == PLAIT_OK)
        status = plait_run_result(run, targets[1], &out, err);
    else
        out = plait_nil();
    plait_release(out);
    if (run && plait_run_failure(run, 0, &out, NULL) == PLAIT_OK)
        plait_release(out);
    plait_run_free(run);
    plait_graph_free(g);
    plait_executor_close(options.executor);
    return status;
}

static plait_status map_and_submit(const char *scheduler, plait_error *err)
{
    plait_options options;
    plait_value items[10], outs[10], out = plait_nil();
    if (!open_pool(scheduler, &options, err))
        return err->status;
    for (int i = 0; i < 10; i++)
        items[i] = plait_string("item");
    plait_status status =
        plait_map(join, "joined", items, 10, &options, outs, err);
    for (int i = 0; i < 10; i++)
        plait_release(outs[i]);
    plait_value one = plait_string("alone");
    plait_run *run = plait_submit(options.executor, join, "lone", &one, 1,
                                  &options, status == PLAIT_OK ? err : NULL);
    if (status == PLAIT_OK)
        status = run ? plait_run_wait(run, -1, err) : err->status;
    if (run)
        plait_run_result(run, (plait_task){ 1, 0 }, &out, NULL);
    plait_release(out);
    plait_run_free(run);
    plait_executor_close(options.executor);
    return status;
}

static plait_status watch(const char *scheduler, plait_error *err)
{
    plait_options options;
    plait_task targets[2];
    plait_value outs[2];
    if (!open_pool(scheduler, &options, err))
        return err->status;
    plait_observer *profile = plait_profile_new();
    plait_observer *trace = plait_trace_new("/dev/null", err);
    const plait_observer *observers[] = { profile, trace };
    options.observers = observers;
    options.n_observers = 2;
    plait_status status = PLAIT_ENOMEM;
    if (profile && trace) {
        plait_graph *g = draw(targets);
        status = plait_compute_all(g, targets, 2, &options, outs, err);
        plait_release(outs[0]);
        plait_release(outs[1]);
        plait_graph_free(g);
    }
    plait_status written = trace ? plait_trace_free(trace, NULL) : PLAIT_OK;
    plait_profile_free(profile);
    plait_executor_close(options.executor);
    return status == PLAIT_OK ? written : status;
}

static plait_status log_a_failure(const char *scheduler, plait_error *err)
{
    plait_options options;
    plait_value out;
    plait_status status = plait_log_open("/dev/null", NULL, err);
    if (status != PLAIT_OK)
        return status;
    plait_log(NULL, PLAIT_WARNING, "a line of %d words", 5);
    if (open_pool(scheduler, &options, err)) {
        plait_graph *g = plait_graph_new();
        plait_task bad = plait_delayed(g, broken);
        status = plait_compute(g, bad, &options, &out, err);
        plait_graph_free(g);
        plait_executor_close(options.executor);
    } else {
        status = err->status;
    }
    plait_log_close();
    return status == PLAIT_ETASK ? PLAIT_OK : status;
}

static plait_status encode_and_decode(const char *scheduler, plait_error *err)
{
    plait_encoded encoded = { 0 };
    plait_value keys[] = { plait_string("k"), plait_int(3) };
    plait_value values[] = { plait_bytes("xyz", 3), plait_float(0.5) };
    plait_value items[] = { plait_dict(keys, values, 2), plait_nil(),
                            plait_string("text"), plait_bool(true) };
    plait_value v = plait_list(items, 4);
    plait_value back = plait_nil();
    (void)scheduler;
    if (plait_is_error(v)) /* made without memory */
        return plait_as_error(v)->status;
    plait_status status = plait_encode(v, true, &encoded, err);
    if (status == PLAIT_OK)
        status = plait_decode(&encoded, &back, err);
    plait_encoded_free(&encoded);
    plait_release(back);
    plait_release(v);
    return status;
}

/* ---- */

/* The first time, when nothing fails, makes what a process keeps. */
static void check(const char *what, scenario_fn scenario, const char *scheduler)
{
    plait_error err = { PLAIT_ERROR_INIT };
    fail_alloc_at(0);
    assert_int_equal(scenario(scheduler, &err), PLAIT_OK);
    /* The thread for alarms lets go of its own a moment later, so that this may
     * be one too many until then. */
    long least = fail_alloc_alive();
    bool failed = true;
    for (long n = 1; failed; n++) {
        err = (plait_error){ PLAIT_ERROR_INIT };
        fail_alloc_at(n);
        plait_status status = scenario(scheduler, &err);
        failed = fail_alloc_has_failed();
        fail_alloc_at(0);
        if (status != PLAIT_OK &&
            !(failed && (status == PLAIT_ENOMEM || status == PLAIT_ESYS)))
            fail_msg("%s on %s, allocation %ld: %s: %s", what, scheduler, n,
                     plait_status_name(status), err.message);
        long alive;
        for (int i = 0; (alive = fail_alloc_alive()) > least && i < 10000; i++)
            usleep(1000);
        if (alive > least)
            fail_msg("%s on %s, allocation %ld: %ld pieces are left", what,
                     scheduler, n, alive - least);
        least = alive;
    }
}

#define SCENARIO(name)                    \
    static void name##_runs(void **state) \
    {                                     \
        (void)state;                      \
        check(#name, name, "sync");       \
        check(#name, name, "threads");    \
    }
SCENARIO(build_and_plan)
SCENARIO(compute)
SCENARIO(compute_much)
SCENARIO(fan_out)
SCENARIO(fail_and_collect)
SCENARIO(start_and_ask)
SCENARIO(map_and_submit)
SCENARIO(watch)
SCENARIO(log_a_failure)
SCENARIO(encode_and_decode)
#undef SCENARIO

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build_and_plan_runs),
        cmocka_unit_test(compute_runs),
        cmocka_unit_test(compute_much_runs),
        cmocka_unit_test(fan_out_runs),
        cmocka_unit_test(fail_and_collect_runs),
        cmocka_unit_test(start_and_ask_runs),
        cmocka_unit_test(map_and_submit_runs),
        cmocka_unit_test(watch_runs),
        cmocka_unit_test(log_a_failure_runs),
        cmocka_unit_test(encode_and_decode_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
