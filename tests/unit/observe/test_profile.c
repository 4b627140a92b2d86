/* SPDX-License-Identifier: BSD-3-Clause */
/* Profiles, from events that the tests make up. */
#include "observe/profile.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "platform/thread.h"

static plait_run *const run_1 = (plait_run *)0x1000;
static plait_run *const run_2 = (plait_run *)0x2000;

typedef struct happening {
    plait_event_kind kind;
    uint32_t id;
    unsigned worker;
    int64_t time_ns;
} happening;

static void happen(const plait_observer *observer, plait_run *run,
                   happening what)
{
    plait_event event = { .size = sizeof event,
                          .kind = what.kind,
                          .run = run,
                          .task = { what.id, 1 },
                          .key = "key",
                          .worker = what.worker,
                          .time_ns = what.time_ns };
    if (observer->kinds & what.kind)
        observer->on_event(&event, observer->user);
}

static plait_timing timing_of(const plait_observer *profile, uint32_t id)
{
    plait_timing timing = { PLAIT_TIMING_INIT };
    assert_int_equal(
        plait_profile_task(profile, (plait_task){ id, 1 }, &timing), PLAIT_OK);
    return timing;
}

static void a_task_has_its_times_and_its_outcome(void **state)
{
    (void)state;
    plait_observer *profile = plait_profile_new();
    assert_non_null(profile);
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 3, 100 });
    plait_timing timing = timing_of(profile, 1);
    assert_int_equal(timing.outcome, PLAIT_OUTCOME_NONE);
    assert_int_equal(timing.begin_ns, 100);
    happen(profile, run_1, (happening){ PLAIT_TASK_END, 1, 3, 150 });
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 2, 0, 150 });
    happen(profile, run_1, (happening){ PLAIT_TASK_FAILED, 2, 0, 160 });
    happen(profile, run_1, (happening){ PLAIT_TASK_SKIPPED, 3, UINT_MAX, 161 });
    timing = timing_of(profile, 1);
    assert_int_equal(timing.outcome, PLAIT_OUTCOME_OK);
    assert_int_equal(timing.worker, 3);
    assert_int_equal(timing.attempts, 1);
    assert_int_equal(timing.begin_ns, 100);
    assert_int_equal(timing.end_ns, 150);
    assert_int_equal(timing_of(profile, 2).outcome, PLAIT_OUTCOME_FAILED);
    timing = timing_of(profile, 3);
    assert_int_equal(timing.outcome, PLAIT_OUTCOME_SKIPPED);
    assert_int_equal(timing.worker, UINT_MAX);
    assert_int_equal(timing.begin_ns, 0);
    timing = timing_of(profile, 4);
    assert_int_equal(timing.outcome, PLAIT_OUTCOME_NONE);
    assert_int_equal(timing.attempts, 0);
    assert_int_equal(pl_profile_longest_ns(profile, 1), 50);
    plait_profile_free(profile);
}

static void retries_and_losses_are_attempts(void **state)
{
    (void)state;
    plait_observer *profile = plait_profile_new();
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 0, 10 });
    happen(profile, run_1, (happening){ PLAIT_TASK_RETRIED, 1, 0, 20 });
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 0, 20 });
    happen(profile, run_1, (happening){ PLAIT_TASK_LOST, 1, 0, 30 });
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 1, 40 });
    happen(profile, run_1, (happening){ PLAIT_TASK_END, 1, 1, 45 });
    plait_timing timing = timing_of(profile, 1);
    assert_int_equal(timing.attempts, 3);
    assert_int_equal(timing.begin_ns, 40);
    assert_int_equal(timing.end_ns, 45);
    assert_int_equal(timing.worker, 1);
    /* its result is lost too */
    happen(profile, run_1, (happening){ PLAIT_TASK_LOST, 1, 0, 50 });
    assert_int_equal(timing_of(profile, 1).outcome, PLAIT_OUTCOME_NONE);
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 2, 60 });
    happen(profile, run_1, (happening){ PLAIT_TASK_END, 1, 2, 70 });
    timing = timing_of(profile, 1);
    assert_int_equal(timing.attempts, 4);
    assert_int_equal(timing.outcome, PLAIT_OUTCOME_OK);
    plait_profile_free(profile);
}

static void the_last_run_counts(void **state)
{
    (void)state;
    plait_observer *profile = plait_profile_new();
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 0, 10 });
    happen(profile, run_1, (happening){ PLAIT_TASK_FAILED, 1, 0, 20 });
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 2, 0, 10 });
    happen(profile, run_2, (happening){ PLAIT_TASK_BEGIN, 1, 0, 30 });
    assert_int_equal(timing_of(profile, 1).outcome, PLAIT_OUTCOME_NONE);
    happen(profile, run_2, (happening){ PLAIT_TASK_END, 1, 0, 35 });
    happen(profile, run_2, (happening){ PLAIT_TASK_BEGIN, 2, 0, 40 });
    assert_int_equal(timing_of(profile, 1).outcome, PLAIT_OUTCOME_OK);
    assert_int_equal(timing_of(profile, 1).attempts, 1);
    assert_int_equal(timing_of(profile, 2).attempts, 1);
    happen(profile, run_1, (happening){ PLAIT_TASK_SKIPPED, 1, 0, 90 });
    assert_int_equal(timing_of(profile, 1).attempts, 0);
    plait_profile_free(profile);
}

static void graphs_are_kept_apart(void **state)
{
    (void)state;
    plait_observer *profile = plait_profile_new();
    plait_timing timing = { PLAIT_TIMING_INIT };
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 0, 10 });
    assert_int_equal(plait_profile_task(profile, (plait_task){ 1, 2 }, &timing),
                     PLAIT_OK);
    assert_int_equal(timing.attempts, 0);
    happen(profile, run_1, (happening){ PLAIT_TASK_END, 1, 0, 30 });
    assert_int_equal(pl_profile_longest_ns(profile, 1), 20);
    assert_int_equal(pl_profile_longest_ns(profile, 2), 0);
    plait_profile_free(profile);
}

static void ids_may_be_far_apart(void **state)
{
    (void)state;
    plait_observer *profile = plait_profile_new();
    const uint32_t ids[] = { 50000000, 1, 1000, 64, 50000063, 63 };
    size_t n = sizeof ids / sizeof *ids;
    for (unsigned i = 0; i < n; i++)
        happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, ids[i], i, 9 });
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(timing_of(profile, ids[i]).worker, i);
    assert_int_equal(timing_of(profile, 50000001).attempts, 0);
    assert_int_equal(timing_of(profile, 50000001).worker, UINT_MAX);
    assert_int_equal(timing_of(profile, UINT32_MAX).attempts, 0);
    plait_profile_free(profile);
}

#define MANY 20000

static void begin_many(void *arg)
{
    for (uint32_t i = 0; i < MANY; i++) {
        happen(arg, run_1, (happening){ PLAIT_TASK_BEGIN, 2 * i + 1, 1, i });
        happen(arg, run_1, (happening){ PLAIT_TASK_END, 2 * i + 1, 1, 3 * i });
    }
}

static void threads_may_tell_it_at_once(void **state)
{
    (void)state;
    pl_thread thread;
    plait_observer *profile = plait_profile_new();
    assert_true(pl_thread_begin(&thread, begin_many, profile, "other"));
    for (uint32_t i = 0; i < MANY; i++) {
        happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 2 * i, 0, i });
        happen(profile, run_1, (happening){ PLAIT_TASK_END, 2 * i, 0, 2 * i });
    }
    pl_thread_join(thread);
    for (uint32_t i = 1; i < MANY; i++) {
        assert_int_equal(timing_of(profile, 2 * i).end_ns, 2 * i);
        assert_int_equal(timing_of(profile, 2 * i + 1).end_ns, 3 * i);
    }
    assert_int_equal(pl_profile_longest_ns(profile, 1), 2 * (MANY - 1));
    plait_profile_free(profile);
}

static void structs_of_other_sizes_are_filled_as_far_as_they_go(void **state)
{
    (void)state;
    plait_observer *profile = plait_profile_new();
    happen(profile, run_1, (happening){ PLAIT_TASK_BEGIN, 1, 7, 10 });
    plait_timing older = { .size = offsetof(plait_timing, attempts),
                           .attempts = 99 };
    assert_int_equal(plait_profile_task(profile, (plait_task){ 1, 1 }, &older),
                     PLAIT_OK);
    assert_int_equal(older.worker, 7);
    assert_int_equal(older.attempts, 99);
    struct {
        plait_timing known;
        int unknown;
    } newer = { .known.size = sizeof newer, .unknown = 5 };
    assert_int_equal(
        plait_profile_task(profile, (plait_task){ 1, 1 }, &newer.known),
        PLAIT_OK);
    assert_int_equal(newer.known.attempts, 1);
    plait_timing none = { .size = 0 };
    assert_int_equal(plait_profile_task(profile, (plait_task){ 1, 1 }, &none),
                     PLAIT_EINVAL);
    plait_profile_free(profile);
}

static void what_is_no_profile_is_refused(void **state)
{
    (void)state;
    plait_timing timing = { PLAIT_TIMING_INIT };
    plait_observer other = { PLAIT_OBSERVER_INIT };
    plait_task task = { 1, 1 };
    assert_int_equal(plait_profile_task(NULL, task, &timing), PLAIT_EINVAL);
    assert_int_equal(plait_profile_task(&other, task, &timing), PLAIT_EINVAL);
    plait_profile_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_has_its_times_and_its_outcome),
        cmocka_unit_test(retries_and_losses_are_attempts),
        cmocka_unit_test(the_last_run_counts),
        cmocka_unit_test(graphs_are_kept_apart),
        cmocka_unit_test(ids_may_be_far_apart),
        cmocka_unit_test(threads_may_tell_it_at_once),
        cmocka_unit_test(structs_of_other_sizes_are_filled_as_far_as_they_go),
        cmocka_unit_test(what_is_no_profile_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
