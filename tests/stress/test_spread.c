/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_spread.c: runs of short tasks in which one waits for a later one. The
 * first worker walks such a run until it stands still there, and the others
 * take it over, at any place in the plan. For ThreadSanitizer.
 *   test_spread [ROUNDS [SEED]]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <plait/plait.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "counted.h"

#define N 200

static int rounds = 300;
static uint64_t seed;
static _Atomic bool late_has_run;

static uint32_t dice(uint64_t *random, uint32_t n)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)(*random >> 33) % n;
}

static plait_value sum(plait_context *ctx, const plait_value *args, size_t n)
{
    int64_t total = 1;
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        total += counted_number(args[i]);
    return counted_new(total % 1000003);
}

static plait_value late(plait_context *ctx, const plait_value *args, size_t n)
{
    atomic_store(&late_has_run, true);
    return sum(ctx, args, n);
}

static plait_value wait_for_late(plait_context *ctx, const plait_value *args,
                                 size_t n)
{
    struct timespec nap = { 0, 20000 };
    while (!atomic_load(&late_has_run))
        nanosleep(&nap, NULL);
    return sum(ctx, args, n);
}

static plait_value give_up(plait_context *ctx, const plait_value *args,
                           size_t n)
{
    (void)args;
    (void)n;
    return plait_fail(ctx, "as it should");
}

/* All but the last need earlier ones; `waits` waits for the last, which needs
 * none; `fails`, behind it, is used by the error-accepting sum alone. */
typedef struct drawn {
    plait_graph *graph;
    plait_task targets[3];
    int64_t expected;
} drawn;

static drawn draw(uint64_t *random)
{
    drawn d = { .graph = plait_graph_new() };
    plait_task tasks[N];
    int64_t values[N];
    uint32_t waits = dice(random, N);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t a = i ? dice(random, i) : 0;
        uint32_t b = i > 5 ? i - 1 - dice(random, 5) : a;
        plait_fn fn = i == waits ? wait_for_late : sum;
        if (i == 0) {
            tasks[i] = plait_delayed(d.graph, fn, 1);
            values[i] = 2;
        } else {
            tasks[i] = plait_delayed(d.graph, fn, tasks[a], tasks[b]);
            values[i] = (1 + values[a] + values[b]) % 1000003;
        }
    }
    d.targets[0] = tasks[N - 1];
    d.expected = values[N - 1];
    plait_task failed =
        plait_delayed(d.graph, give_up, tasks[waits], tasks[N / 2]);
    d.targets[1] = plait_delayed(d.graph, sum, failed, tasks[waits]);
    d.targets[2] = plait_delayed(d.graph, late, 1);
    return d;
}

static void a_run_is_taken_from_its_walker(void **state)
{
    (void)state;
    uint64_t random = seed + 1;
    printf("# seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < rounds; i++) {
        plait_value outs[3];
        plait_options options = { PLAIT_OPTIONS_INIT,
                                  .workers = 2 + dice(&random, 4),
                                  .on_error = PLAIT_COLLECT,
                                  .order = PLAIT_ORDER_CREATION };
        options.executor = plait_executor_open("threads", &options, NULL);
        assert_non_null(options.executor);
        drawn d = draw(&random);
        atomic_store(&late_has_run, false);
        assert_int_equal(
            plait_compute_all(d.graph, d.targets, 3, &options, outs, NULL),
            PLAIT_OK);
        assert_int_equal(counted_number(outs[0]), d.expected);
        assert_true(plait_is_error(outs[1]));
        assert_int_equal(counted_number(outs[2]), 2);
        for (int k = 0; k < 3; k++)
            plait_release(outs[k]);
        plait_graph_free(d.graph);
        plait_executor_close(options.executor);
        assert_int_equal(counted_alive(), 0);
    }
}

/* Two runs: the first task of each waits for its second, and all wait for the
 * second one of the second run. Whoever takes the first run from its walker
 * has watched the second one too, and somebody else has to. */
static _Atomic bool second_begins[2];

static void await(_Atomic bool *flag)
{
    struct timespec nap = { 0, 20000 };
    while (!atomic_load(flag))
        nanosleep(&nap, NULL);
}

static plait_value first(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    (void)n;
    await(&second_begins[plait_as_int(args[0])]);
    await(&second_begins[1]);
    return plait_nil();
}

static plait_value second(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    (void)n;
    atomic_store(&second_begins[plait_as_int(args[0])], true);
    await(&second_begins[1]);
    return plait_nil();
}

static void every_walk_is_watched(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 4,
                              .order = PLAIT_ORDER_CREATION };
    options.executor = plait_executor_open("threads", &options, NULL);
    assert_non_null(options.executor);
    for (int i = 0; i < rounds / 10; i++) {
        plait_run *runs[2];
        struct timespec nap = { 0, 2000000 }; /* all workers sleep */
        nanosleep(&nap, NULL);
        for (int k = 0; k < 2; k++) {
            plait_graph *g = plait_graph_new();
            plait_task tasks[2] = { plait_delayed(g, first, k),
                                    plait_delayed(g, second, k) };
            atomic_store(&second_begins[k], false);
            runs[k] = plait_start(g, tasks, 2, &options, NULL);
            plait_graph_free(g);
        }
        for (int k = 0; k < 2; k++) {
            assert_int_equal(plait_run_wait(runs[k], -1, NULL), PLAIT_OK);
            plait_run_free(runs[k]);
        }
    }
    plait_executor_close(options.executor);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_taken_from_its_walker),
        cmocka_unit_test(every_walk_is_watched),
    };
    if (argc > 1)
        rounds = atoi(argv[1]);
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
