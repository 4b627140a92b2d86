/* SPDX-License-Identifier: BSD-3-Clause */
/* Chrome traces, from events that the tests make up; test_observed.c has those
 * of real runs. */
#include "observe/trace.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static plait_run *const run_1 = (plait_run *)0x1000;
static plait_run *const run_2 = (plait_run *)0x2000;

static char folder[] = "/tmp/plait-trace-XXXXXX";
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
    unlink(path);
    return rmdir(folder);
}

typedef struct happening {
    plait_event_kind kind;
    uint32_t id;
    unsigned worker;
    int64_t time_ns;
    const char *key;
    const char *error;
} happening;

/* Times are from the beginning of the trace. */
static void happen(const plait_observer *observer, plait_run *run,
                   happening what)
{
    plait_error error = { PLAIT_ERROR_INIT };
    if (what.error)
        snprintf(error.message, sizeof error.message, "%s", what.error);
    const pl_trace *trace = observer->user;
    plait_event event = { .size = sizeof event,
                          .kind = what.kind,
                          .run = run,
                          .task = { what.id, 1 },
                          .key = what.key,
                          .worker = what.worker,
                          .time_ns = trace->origin_ns + what.time_ns,
                          .error = what.error ? &error : NULL };
    if (observer->kinds & what.kind)
        observer->on_event(&event, observer->user);
}

static plait_observer *new_trace(void)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_observer *trace = plait_trace_new(path, &err);
    assert_string_equal(err.message, "");
    assert_non_null(trace);
    return trace;
}

/* Ends the trace; its text, which any JSON reader can read. To be freed. */
static char *finish(plait_observer *trace)
{
    char command[sizeof path + 64];
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_trace_free(trace, &err), PLAIT_OK);
    snprintf(command, sizeof command, "python3 -m json.tool %s >/dev/null",
             path);
    assert_int_equal(system(command), 0);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1000000);
    assert_non_null(text);
    assert_true(fread(text, 1, 999999, file) > 0);
    fclose(file);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

static void a_task_is_a_slice_on_its_workers_lane(void **state)
{
    (void)state;
    plait_observer *trace = new_trace();
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_BEGIN });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_BEGIN, 1, 0, 1000, "load-0", NULL });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_BEGIN, 2, 1, 1500, "load-1", NULL });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_END, 1, 0, 3500, "load-0", NULL });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_FAILED, 2, 1, 4000, "load-1",
                        "load-1: no such file" });
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_END, .time_ns = 5000 });
    char *text = finish(trace);
    assert_non_null(strstr(
        text, "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":1.000,\"dur\":2.500,"
              "\"cat\":\"task\",\"name\":\"load-0\",\"args\":{\"key\":"
              "\"load-0\",\"task\":1,\"outcome\":\"ok\",\"attempt\":1}}"));
    assert_non_null(strstr(
        text, "{\"ph\":\"X\",\"pid\":1,\"tid\":2,\"ts\":1.500,\"dur\":2.500,"
              "\"cat\":\"task\",\"name\":\"load-1\",\"args\":{\"key\":"
              "\"load-1\",\"task\":2,\"outcome\":\"failed\",\"attempt\":1,"
              "\"error\":\"load-1: no such file\"}}"));
    assert_non_null(strstr(text, "\"tid\":1,\"name\":\"thread_name\",\"args\":{"
                                 "\"name\":\"plait-0\"}}"));
    assert_non_null(strstr(text, "\"tid\":2,\"name\":\"thread_name\",\"args\":{"
                                 "\"name\":\"plait-1\"}}"));
    assert_int_equal(count(text, "thread_name"), 2);
    assert_int_equal(count(text, "process_name"), 1);
    free(text);
}

static void each_attempt_is_a_slice(void **state)
{
    (void)state;
    plait_observer *trace = new_trace();
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_BEGIN });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_BEGIN, 1, 0, 1000, "get-0", NULL });
    happen(
        trace, run_1,
        (happening){ PLAIT_TASK_RETRIED, 1, 0, 2000, "get-0", "get-0: busy" });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_BEGIN, 1, 0, 2000, "get-0", NULL });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_LOST, 1, UINT_MAX, 3000, "get-0", NULL });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_BEGIN, 1, 2, 4000, "get-0", NULL });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_END, 1, 2, 4000, "get-0", NULL });
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_END, .time_ns = 5000 });
    char *text = finish(trace);
    assert_int_equal(count(text, "\"ph\":\"X\""), 3);
    assert_non_null(strstr(text, "\"outcome\":\"retried\",\"attempt\":1,"
                                 "\"error\":\"get-0: busy\""));
    assert_non_null(strstr(text, "\"outcome\":\"lost\",\"attempt\":2}"));
    assert_non_null(strstr(text, "\"outcome\":\"ok\",\"attempt\":3}"));
    assert_non_null(strstr(text, "\"ph\":\"i\",\"pid\":1,\"tid\":1,"
                                 "\"ts\":2.000,\"cat\":\"task\",\"s\":\"t\","
                                 "\"name\":\"retry\""));
    assert_int_equal(count(text, "\"name\":\"lost\""), 1);
    assert_non_null(strstr(text, "\"tid\":3,\"ts\":4.000,\"dur\":0.001"));
    free(text);
}

static void what_the_run_leaves_is_unfinished(void **state)
{
    (void)state;
    plait_observer *trace = new_trace();
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_BEGIN });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_BEGIN, 1, 0, 1000, "slow-0", NULL });
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_END, .time_ns = 3000 });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_END, 1, 0, 9000, "slow-0", NULL });
    char *text = finish(trace);
    assert_non_null(strstr(text, "\"ts\":1.000,\"dur\":2.000"));
    assert_non_null(strstr(text, "\"outcome\":\"unfinished\""));
    free(text);
}

static void runs_at_the_same_time_have_lanes_of_their_own(void **state)
{
    (void)state;
    plait_observer *trace = new_trace();
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_BEGIN });
    happen(trace, run_2, (happening){ .kind = PLAIT_RUN_BEGIN, .time_ns = 10 });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_BEGIN, 1, 0, 20, "one", NULL });
    happen(trace, run_2,
           (happening){ PLAIT_TASK_BEGIN, 1, 0, 30, "two", NULL });
    happen(trace, run_2, (happening){ PLAIT_TASK_END, 1, 0, 40, "two", NULL });
    happen(trace, run_1, (happening){ PLAIT_TASK_END, 1, 0, 50, "one", NULL });
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_END, .time_ns = 60 });
    happen(trace, run_2, (happening){ .kind = PLAIT_RUN_END, .time_ns = 60 });
    /* a later one, where the first was in memory */
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_BEGIN, .time_ns = 70 });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_BEGIN, 1, 0, 80, "three", NULL });
    happen(trace, run_1,
           (happening){ PLAIT_TASK_END, 1, 0, 90, "three", NULL });
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_END, .time_ns = 99 });
    char *text = finish(trace);
    assert_non_null(strstr(text, "\"pid\":1,\"tid\":1,\"ts\":0.020"));
    assert_non_null(strstr(text, "\"pid\":2,\"tid\":1,\"ts\":0.030"));
    assert_non_null(strstr(text, "\"pid\":1,\"tid\":1,\"ts\":0.080"));
    assert_int_equal(count(text, "process_name"), 2);
    free(text);
}

static void hostile_keys_are_still_json(void **state)
{
    (void)state;
    plait_observer *trace = new_trace();
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_BEGIN });
    const char *key = "\"},{\"\\\n\x01\xff\xe2\x98";
    happen(trace, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 0, 1, key, NULL });
    happen(trace, run_1, (happening){ PLAIT_TASK_FAILED, 1, 0, 2, key, key });
    happen(trace, run_1, (happening){ PLAIT_TASK_BEGIN, 2, 0, 3, NULL, NULL });
    happen(trace, run_1, (happening){ PLAIT_TASK_END, 2, 0, 4, NULL, NULL });
    char *text = finish(trace);
    assert_int_equal(count(text, "\"ph\":\"X\""), 2);
    free(text);
}

static void many_tasks_are_all_there(void **state)
{
    (void)state;
    plait_observer *trace = new_trace();
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_BEGIN });
    for (uint32_t i = 1; i <= 3000; i++) {
        happen(trace, run_1,
               (happening){ PLAIT_TASK_BEGIN, i, i % 7, i, "k", NULL });
        happen(trace, run_1,
               (happening){ PLAIT_TASK_END, i, i % 7, i + 1, "k", NULL });
    }
    happen(trace, run_1, (happening){ .kind = PLAIT_RUN_END, .time_ns = 9999 });
    char *text = finish(trace);
    assert_int_equal(count(text, "\"ph\":\"X\""), 3000);
    assert_int_equal(count(text, "thread_name"), 7);
    free(text);
}

static void a_trace_of_nothing_is_a_trace(void **state)
{
    (void)state;
    char *text = finish(new_trace());
    assert_non_null(strstr(text, "\"traceEvents\""));
    free(text);
}

static void a_bad_path_is_known_at_once(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    assert_null(plait_trace_new("/nowhere/at/all.json", &err));
    assert_int_equal(err.status, PLAIT_ESYS);
    assert_non_null(strstr(err.message, "/nowhere/at/all.json"));
    assert_null(plait_trace_new(NULL, &err));
    assert_int_equal(err.status, PLAIT_EINVAL);
    assert_null(plait_trace_new("", NULL));
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_observer *trace = plait_trace_new("/dev/full", &err);
    assert_non_null(trace);
    for (uint32_t i = 1; i < 2000; i++)
        happen(trace, run_1,
               (happening){ PLAIT_TASK_BEGIN, i, 0, i, "key", NULL });
    assert_int_equal(plait_trace_free(trace, &err), PLAIT_ESYS);
    assert_non_null(strstr(err.message, "No space left"));
    trace = plait_trace_new("/dev/full", &err);
    assert_int_equal(plait_trace_free(trace, &err), PLAIT_ESYS);
}

static void what_is_no_trace_is_refused(void **state)
{
    (void)state;
    plait_observer other = { PLAIT_OBSERVER_INIT };
    assert_int_equal(plait_trace_free(&other, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_trace_free(NULL, NULL), PLAIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_a_slice_on_its_workers_lane),
        cmocka_unit_test(each_attempt_is_a_slice),
        cmocka_unit_test(what_the_run_leaves_is_unfinished),
        cmocka_unit_test(runs_at_the_same_time_have_lanes_of_their_own),
        cmocka_unit_test(hostile_keys_are_still_json),
        cmocka_unit_test(many_tasks_are_all_there),
        cmocka_unit_test(a_trace_of_nothing_is_a_trace),
        cmocka_unit_test(a_bad_path_is_known_at_once),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(what_is_no_trace_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
