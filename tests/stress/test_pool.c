/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pool.c: many threads start, cancel, wait for and free runs of one pool
 * at random, with tasks that compute, fail and cancel. For ThreadSanitizer.
 *   test_pool [ROUNDS [SEED]]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <plait/plait.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "counted.h"
#include "gate.h"

#define N_THREADS 6

static int rounds = 100;
static uint64_t seed;
static plait_executor *pool;
static gate ended = GATE_INIT;

static uint32_t dice(uint64_t *random, uint32_t n)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)(*random >> 33) % n;
}

static plait_value sum(plait_context *ctx, const plait_value *args, size_t n)
{
    int64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += counted_number(args[i]);
    if (total % 97 == 96)
        return plait_fail(ctx, "unlucky");
    return plait_cancelled(ctx) ? plait_int(total) : counted_new(total);
}

static plait_value nested(plait_context *ctx, const plait_value *args, size_t n)
{
    plait_options options = { PLAIT_OPTIONS_INIT, .executor = pool,
                              .workers = 2 };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task t = plait_delayed(g, sum, counted_number(args[0]));
    for (int i = 0; i < 5; i++)
        t = plait_delayed(g, sum, t, t, 1);
    plait_status status = plait_compute(g, t, &options, &out, NULL);
    plait_graph_free(g);
    if (status == PLAIT_OK)
        return out;
    (void)n;
    return plait_fail(ctx, "nested: %s", plait_status_name(status));
}

static plait_graph *draw(uint64_t *random, plait_task *target)
{
    plait_task tasks[60];
    plait_graph *g = plait_graph_new();
    for (uint32_t i = 0; i < 60; i++) {
        plait_fn fn = dice(random, 8) ? sum : nested;
        if (i < 3)
            tasks[i] = plait_delayed(g, fn, i);
        else
            tasks[i] = plait_delayed(g, fn, tasks[dice(random, i)],
                                     tasks[i - 1 - dice(random, 3)]);
    }
    *target = plait_delayed(g, sum, plait_tasks(tasks + 40, 20), tasks[59]);
    return g;
}

static void count_end(plait_run *run, void *user)
{
    (void)run;
    gate_enter(user);
}

static void treat(plait_run *run, uint64_t *random)
{
    plait_value out;
    plait_counts counts = { PLAIT_COUNTS_INIT };
    switch (dice(random, 5)) {
    case 0:
        plait_run_cancel(run);
        break;
    case 1:
        plait_run_wait(run, dice(random, 2), NULL);
        break;
    case 2:
        plait_run_wait(run, -1, NULL);
        plait_run_result(run, (plait_task){ 0, 0 }, &out, NULL);
        plait_release(out);
        break;
    case 3:
        plait_run_counts(run, &counts);
        plait_run_running(run, NULL, 0);
        if (plait_run_failure(run, 0, &out, NULL) == PLAIT_OK)
            plait_release(out);
        break;
    default:
        break;
    }
}

static void *play(void *arg)
{
    uint64_t random = seed * 31 + (uintptr_t)arg + 1;
    for (int i = 0; i < rounds; i++) {
        plait_task target;
        plait_graph *g = draw(&random, &target);
        plait_options options = { PLAIT_OPTIONS_INIT, .executor = pool,
                                  .workers = dice(&random, 4),
                                  .on_error = dice(&random, 3),
                                  .run_timeout_ms = 50 * dice(&random, 2) };
        plait_run *run = plait_start(g, &target, 1, &options, NULL);
        assert_non_null(run);
        assert_int_equal(plait_run_on_done(run, count_end, &ended), PLAIT_OK);
        treat(run, &random);
        treat(run, &random);
        plait_run_free(run);
        plait_graph_free(g);
    }
    return NULL;
}

static void anything_at_any_time(void **state)
{
    (void)state;
    pthread_t threads[N_THREADS];
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 4 };
    printf("# seed %llu\n", (unsigned long long)seed);
    pool = plait_executor_open("threads", &options, NULL);
    assert_non_null(pool);
    for (uintptr_t i = 0; i < N_THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, play, (void *)(i + 1)), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    gate_await(&ended, N_THREADS * rounds);
    plait_executor_close(pool);
    assert_int_equal(ended.entered, N_THREADS * rounds);
    assert_int_equal(counted_alive(), 0);
}

/* Pools come and go with runs in them. */
static void pools_close_at_any_time(void **state)
{
    (void)state;
    uint64_t random = seed + 7;
    for (int i = 0; i < rounds; i++) {
        plait_run *runs[4];
        plait_options options = { PLAIT_OPTIONS_INIT,
                                  .workers = 1 + dice(&random, 5) };
        pool = plait_executor_open("threads", &options, NULL);
        options.executor = pool;
        for (int k = 0; k < 4; k++) {
            plait_task target;
            plait_graph *g = draw(&random, &target);
            runs[k] = plait_start(g, &target, 1, &options, NULL);
            plait_graph_free(g);
        }
        if (dice(&random, 2))
            plait_run_wait(runs[0], -1, NULL);
        plait_executor_close(pool);
        for (int k = 0; k < 4; k++) {
            assert_int_not_equal(plait_run_wait(runs[k], -1, NULL),
                                 PLAIT_EAGAIN);
            plait_run_free(runs[k]);
        }
        assert_int_equal(counted_alive(), 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_at_any_time),
        cmocka_unit_test(pools_close_at_any_time),
    };
    if (argc > 1)
        rounds = atoi(argv[1]);
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
