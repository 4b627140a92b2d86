/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_ten_million.c: a chain and a fan-in of ten million tasks are built, run
 * and freed, on a small stack: nothing recurses over the graph.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <plait/plait.h>

#include <pthread.h>
#include <stdlib.h>

static uint32_t n_tasks = 10000000;

static plait_value add_one(plait_context *ctx, const plait_value *args,
                           size_t n)
{
    (void)ctx;
    return plait_int(n ? plait_as_int(args[0]) + 1 : 1);
}

static plait_value count_args(plait_context *ctx, const plait_value *args,
                              size_t n)
{
    int64_t total = 0;
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        total += plait_as_int(args[i]);
    return plait_int(total);
}

static plait_graph *chain(plait_task *target)
{
    plait_graph *g = plait_graph_new();
    *target = plait_call(g, add_one, "add", NULL, 0);
    for (uint32_t i = 1; i < n_tasks; i++) {
        plait_value input = plait_ref(*target);
        *target = plait_call(g, add_one, "add", &input, 1);
    }
    return g;
}

static plait_graph *fan_in(plait_task *target)
{
    plait_graph *g = plait_graph_new();
    plait_value *inputs = malloc((n_tasks - 1) * sizeof *inputs);
    assert_non_null(inputs);
    for (uint32_t i = 0; i < n_tasks - 1; i++)
        inputs[i] = plait_ref(plait_call(g, add_one, "add", NULL, 0));
    *target = plait_call(g, count_args, "all", inputs, n_tasks - 1);
    free(inputs);
    return g;
}

typedef struct job {
    plait_graph *(*draw)(plait_task *target);
    const char *scheduler;
    unsigned workers;
    plait_status status;
    int64_t result;
} job;

static void *run_job(void *arg)
{
    job *j = arg;
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = j->scheduler,
                              .workers = j->workers };
    plait_task target;
    plait_value out;
    plait_graph *g = j->draw(&target);
    j->status = plait_compute(g, target, &options, &out, NULL);
    j->result = plait_as_int(out);
    plait_graph_free(g);
    return NULL;
}

/* On a stack that a recursion of ten million calls would not fit into. */
static void check(plait_graph *(*draw)(plait_task *target),
                  const char *scheduler, unsigned workers, int64_t expected)
{
    job j = { draw, scheduler, workers, PLAIT_EAGAIN, 0 };
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 20);
    assert_int_equal(pthread_create(&thread, &attributes, run_job, &j), 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, NULL);
    assert_int_equal(j.status, PLAIT_OK);
    assert_int_equal(j.result, expected);
}

static void chains(void **state)
{
    (void)state;
    check(chain, "sync", 1, n_tasks);
    check(chain, "threads", 2, n_tasks);
}

static void fan_ins(void **state)
{
    (void)state;
    check(fan_in, "sync", 1, n_tasks - 1);
    check(fan_in, "threads", 2, n_tasks - 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains),
        cmocka_unit_test(fan_ins),
    };
    if (argc > 1)
        n_tasks = (uint32_t)strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
