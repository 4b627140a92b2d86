/* SPDX-License-Identifier: BSD-3-Clause */
/* Trace, profile and picture of real runs, on each scheduler. */
#include <plait/plait.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/plait-observed-XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/trace.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* What is in the file, which is then removed. To be freed. */
static char *take_file(void)
{
    char *text = calloc(1, 4000000);
    assert_non_null(text);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, 3999999, file) > 0);
    fclose(file);
    unlink(path);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

static plait_value one(plait_context *ctx, const plait_value *args,
                       size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    return plait_int(1);
}

static plait_value add(plait_context *ctx, const plait_value *args,
                       size_t n_args)
{
    int64_t sum = 0;
    (void)ctx;
    for (size_t i = 0; i < n_args; i++)
        sum += plait_as_int(args[i]);
    return plait_int(sum);
}

static plait_value fail_once(plait_context *ctx, const plait_value *args,
                             size_t n_args)
{
    (void)args;
    (void)n_args;
    return plait_context_attempt(ctx) == 1 ? plait_fail(ctx, "not yet")
                                           : plait_int(5);
}

static plait_value broken(plait_context *ctx, const plait_value *args,
                          size_t n_args)
{
    (void)args;
    (void)n_args;
    return plait_fail(ctx, "broken");
}

/* The file, read by a program of another language: what it checks of arrows is
 * what a viewer relies on. */
static const char *const read_trace =
    "import json, sys\n"
    "events = json.load(open(sys.argv[1]))['traceEvents']\n"
    "slices = {}\n"
    "for e in events:\n"
    "    if e['ph'] == 'X':\n"
    "        slices.setdefault((e['pid'], e['tid']), []).append(e)\n"
    "for lane in slices.values():\n"
    "    lane.sort(key=lambda e: e['ts'])\n"
    "    for a, b in zip(lane, lane[1:]):\n"
    "        assert a['ts'] + a['dur'] <= b['ts'] + 1e-4, (a, b)\n"
    "def at(e):\n"
    "    found = [s for s in slices[e['pid'], e['tid']]\n"
    "             if s['ts'] - 1e-4 <= e['ts'] < s['ts'] + s['dur'] - 1e-4]\n"
    "    assert len(found) == 1, (e, found)\n"
    "    return found[0]['name']\n"
    "ends = {}\n"
    "for e in events:\n"
    "    if e['ph'] in 'sf':\n"
    "        ends.setdefault(e['id'], {})[e['ph']] = e\n"
    "arrows = sorted(at(a['s']) + '>' + at(a['f']) for a in ends.values())\n"
    "assert all(a['s']['ts'] <= a['f']['ts'] for a in ends.values())\n"
    "print(' '.join(arrows))\n";

static void assert_arrows(const char *expected)
{
    char script[sizeof path], command[2 * sizeof path + 32], answer[4096] = "";
    snprintf(script, sizeof script, "%s/read.py", folder);
    FILE *file = fopen(script, "w");
    assert_non_null(file);
    fputs(read_trace, file);
    fclose(file);
    snprintf(command, sizeof command, "python3 %s %s", script, path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = fread(answer, 1, sizeof answer - 1, pipe);
    assert_int_equal(pclose(pipe), 0);
    assert_true(n > 0);
    answer[n - 1] = '\0';
    unlink(script);
    assert_string_equal(answer, expected);
}

static void a_trace_has_an_arrow_per_use(void **state)
{
    const char *scheduler = *state;
    plait_observer *trace = plait_trace_new(path, NULL);
    assert_non_null(trace);
    plait_graph *graph = plait_graph_new();
    plait_delayed(graph, one); /* nobody needs it: ids and plan differ */
    plait_task a = plait_delayed(graph, one);
    plait_task b = plait_delayed(graph, fail_once, a);
    plait_task c = plait_delayed(graph, add, a, a, b);
    plait_task list =
        plait_delayed(graph, add, plait_tasks((plait_task[]){ c, b }, 2), 2);
    plait_options options = { PLAIT_OPTIONS_INIT,
                              .scheduler = scheduler,
                              .workers = 2,
                              .retries = 1,
                              .observers = (const plait_observer *[]){ trace },
                              .n_observers = 1 };
    plait_value out;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_compute(graph, list, &options, &out, &err);
    assert_string_equal(err.message, "");
    plait_release(out);
    plait_graph_free(graph); /* the trace needs it no more */
    assert_int_equal(plait_trace_free(trace, NULL), PLAIT_OK);
    assert_arrows("add-0>add-1 fail_once-0>add-0 fail_once-0>add-1 "
                  "one-1>add-0 one-1>fail_once-0");
    char *text = take_file();
    assert_int_equal(count(text, "\"ph\":\"X\""), 5);
    assert_int_equal(count(text, "\"outcome\":\"retried\""), 1);
    assert_int_equal(count(text, "\"name\":\"retry\""), 1);
    assert_non_null(strstr(text, "not yet"));
    free(text);
}

static void a_trace_of_many_runs_has_them_all(void **state)
{
    const char *scheduler = *state;
    plait_observer *trace = plait_trace_new(path, NULL);
    assert_non_null(trace);
    plait_graph *graph = plait_graph_new();
    plait_task last = plait_delayed(graph, one);
    for (int i = 0; i < 99; i++)
        last = plait_delayed(graph, add, last, 1);
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = scheduler,
                              .workers = 2,
                              .observers = (const plait_observer *[]){ trace },
                              .n_observers = 1 };
    plait_plan *plan = plait_plan_new(graph, &last, 1, NULL);
    assert_non_null(plan);
    for (int i = 0; i < 10; i++) {
        plait_run *run = plait_plan_start(plan, &options, NULL);
        assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
        plait_run_free(run);
    }
    plait_plan_free(plan);
    plait_graph_free(graph);
    assert_int_equal(plait_trace_free(trace, NULL), PLAIT_OK);
    char *text = take_file();
    assert_int_equal(count(text, "\"ph\":\"X\""), 1000);
    assert_int_equal(count(text, "\"ph\":\"s\""), 990);
    assert_int_equal(count(text, "\"ph\":\"f\""), 990);
    assert_int_equal(count(text, "process_name"), 1);
    free(text);
}

static void a_run_is_profiled_and_drawn(void **state)
{
    const char *scheduler = *state;
    plait_observer *profile = plait_profile_new();
    plait_graph *graph = plait_graph_new();
    plait_task good = plait_delayed(graph, fail_once);
    plait_task bad = plait_delayed(graph, broken, good);
    plait_task after = plait_delayed(graph, add, bad, good);
    plait_options options = {
        PLAIT_OPTIONS_INIT, .scheduler = scheduler,
        .retries = 1,       .observers = (const plait_observer *[]){ profile },
        .n_observers = 1,
    };
    plait_value out;
    assert_int_equal(plait_compute(graph, after, &options, &out, NULL),
                     PLAIT_ETASK);
    plait_release(out);
    plait_timing timing = { PLAIT_TIMING_INIT };
    assert_int_equal(plait_profile_task(profile, good, &timing), PLAIT_OK);
    assert_int_equal(timing.outcome, PLAIT_OUTCOME_OK);
    assert_int_equal(timing.attempts, 2);
    assert_true(timing.worker < 1024);
    assert_true(timing.begin_ns > 0 && timing.begin_ns <= timing.end_ns);
    plait_profile_task(profile, bad, &timing);
    assert_int_equal(timing.outcome, PLAIT_OUTCOME_FAILED);
    assert_int_equal(timing.attempts, 2);
    plait_profile_task(profile, after, &timing);
    assert_int_equal(timing.outcome, PLAIT_OUTCOME_SKIPPED);
    assert_int_equal(timing.begin_ns, 0);
    char name[sizeof path];
    snprintf(name, sizeof name, "%s", path);
    snprintf(path, sizeof path, "%s/g.svg", folder);
    assert_int_equal(plait_graph_draw(graph, &after, 1, profile, path, NULL),
                     PLAIT_OK);
    char *text = take_file();
    memcpy(path, name, sizeof path);
    assert_int_equal(count(text, "class=\"node\""), 3);
    assert_int_equal(count(text, "fill=\"#e0524d\""), 1);
    assert_int_equal(count(text, "fill=\"#c8c8c8\""), 1);
    free(text);
    plait_profile_free(profile);
    plait_graph_free(graph);
}

int main(void)
{
    char sync[] = "sync", threads[] = "threads";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_trace_has_an_arrow_per_use, sync),
        cmocka_unit_test_prestate(a_trace_has_an_arrow_per_use, threads),
        cmocka_unit_test_prestate(a_trace_of_many_runs_has_them_all, sync),
        cmocka_unit_test_prestate(a_trace_of_many_runs_has_them_all, threads),
        cmocka_unit_test_prestate(a_run_is_profiled_and_drawn, sync),
        cmocka_unit_test_prestate(a_run_is_profiled_and_drawn, threads),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
