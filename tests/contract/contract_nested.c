/* SPDX-License-Identifier: BSD-3-Clause */
/* contract_nested.c: tasks that compute, wait, close and cancel themselves. */
#include "contract.h"

#include <pthread.h>

static pthread_mutex_t outer_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Computes `depth` levels below itself, two of them at once on each. The
 * outermost holds a mutex all the while. */
static plait_value go_deeper(plait_context *ctx, const plait_value *args,
                             size_t n)
{
    int64_t depth = plait_as_int(args[0]);
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    if (depth == 0)
        return plait_int(1);
    if (n > 1)
        pthread_mutex_lock(&outer_mutex);
    plait_graph *g = plait_graph_new();
    plait_task two[] = { plait_delayed(g, go_deeper, depth - 1),
                         plait_delayed(g, go_deeper, depth - 1) };
    plait_task total = plait_delayed(g, sum, plait_tasks(two, 2));
    plait_status status = plait_compute(g, total, &options, &out, &err);
    plait_graph_free(g);
    if (n > 1)
        pthread_mutex_unlock(&outer_mutex);
    return status == PLAIT_OK ? out : plait_fail(ctx, "%s", err.message);
}

static void eight_levels_deep(void **state)
{
    (void)state;
    plait_task tasks[2];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 2; i++) /* the second argument: holds the mutex */
        tasks[i] = plait_delayed(g, go_deeper, 8, true);
    assert_int_equal(
        compute_int(g, plait_delayed(g, sum, plait_tasks(tasks, 2))), 2 * 256);
    plait_graph_free(g);
}

static plait_value compute_elsewhere(plait_context *ctx,
                                     const plait_value *args, size_t n)
{
    plait_options options = { PLAIT_OPTIONS_INIT,
                              .scheduler = plait_as_string(args[0]),
                              .workers = 3 };
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    (void)n;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, plait_as_int(args[1]));
    plait_task y = plait_delayed(g, sum, x, x);
    plait_status status = plait_compute(g, y, &options, &out, &err);
    plait_graph_free(g);
    return status == PLAIT_OK ? out : plait_fail(ctx, "%s", err.message);
}

static void a_task_computes_on_another_executor(void **state)
{
    (void)state;
    static const char *const others[] = { "sync", "threads", "inorder",
                                          "scrambled" };
    plait_task tasks[40];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 40; i++)
        tasks[i] = plait_delayed(g, compute_elsewhere, others[i % 4], i);
    assert_int_equal(
        compute_int(g, plait_delayed(g, sum, plait_tasks(tasks, 40))), 2 * 780);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void note_run(const plait_event *event, void *user)
{
    atomic_store((_Atomic(plait_run *) *)user, event->run);
}

static plait_value wait_for_own_run(plait_context *ctx, const plait_value *args,
                                    size_t n)
{
    _Atomic(plait_run *) *run = plait_context_user(ctx);
    (void)args;
    (void)n;
    return plait_int(plait_run_wait(atomic_load(run), -1, NULL));
}

static void a_task_waits_for_its_own_run(void **state)
{
    (void)state;
    plait_options options = contract_options();
    _Atomic(plait_run *) own = NULL;
    plait_observer observer = { PLAIT_OBSERVER_INIT, .kinds = PLAIT_RUN_BEGIN,
                                .on_event = note_run, .user = &own };
    const plait_observer *observers[] = { &observer };
    plait_value out;
    options.user = &own;
    options.observers = observers;
    options.n_observers = 1;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, wait_for_own_run);
    assert_int_equal(plait_compute(g, x, &options, &out, NULL), PLAIT_OK);
    assert_int_equal(plait_as_int(out), PLAIT_EINVAL);
    plait_graph_free(g);
}

static plait_value close_own(plait_context *ctx, const plait_value *args,
                             size_t n)
{
    (void)args;
    (void)n;
    plait_executor_close(plait_context_user(ctx));
    return plait_int(3);
}

static void a_task_cannot_close_its_executor(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_value out;
    plait_executor *ex =
        plait_executor_open(under_test.scheduler, &options, NULL);
    options.executor = ex;
    options.user = ex;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, close_own);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(plait_compute(g, x, &options, &out, NULL), PLAIT_OK);
        assert_int_equal(plait_as_int(out), 3);
    }
    plait_executor_close(ex);
    plait_graph_free(g);
}

/* A task opens an executor of the same kind, uses it, and closes it. */
static plait_value use_own_executor(plait_context *ctx, const plait_value *args,
                                    size_t n)
{
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out = plait_nil();
    plait_executor *ex =
        plait_executor_open(under_test.scheduler, &options, &err);
    if (!ex)
        return plait_fail(ctx, "%s", err.message);
    options.executor = ex;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, plait_as_int(args[0]));
    plait_compute(g, plait_delayed(g, sum, x, 1), &options, &out, &err);
    plait_run *left = plait_start(g, &x, 1, &options, &err);
    plait_executor_close(ex);
    plait_run_free(left);
    plait_graph_free(g);
    (void)n;
    return out;
}

static void a_task_closes_another_executor(void **state)
{
    (void)state;
    plait_task tasks[10];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 10; i++)
        tasks[i] = plait_delayed(g, use_own_executor, i);
    assert_int_equal(
        compute_int(g, plait_delayed(g, sum, plait_tasks(tasks, 10))), 55);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

/* ---- with several tasks at once ---- */

typedef struct meeting {
    gate arrived; /* one enters, the other awaits */
} meeting;

static plait_value come_first(plait_context *ctx, const plait_value *args,
                              size_t n)
{
    meeting *m = plait_context_user(ctx);
    (void)args;
    (void)n;
    gate_enter(&m->arrived);
    return plait_int(1);
}

static plait_value wait_for_other(plait_context *ctx, const plait_value *args,
                                  size_t n)
{
    meeting *m = plait_context_user(ctx);
    (void)args;
    (void)n;
    gate_await(&m->arrived, 1);
    return plait_int(2);
}

/* While its lowest task blocks another thread takes the next. */
static void two_tasks_run_at_once(void **state)
{
    (void)state;
    static meeting m = { GATE_INIT };
    plait_options options = contract_options();
    plait_value outs[2];
    options.user = &m;
    options.order = PLAIT_ORDER_CREATION;
    plait_graph *g = plait_graph_new();
    plait_task two[] = { plait_delayed(g, wait_for_other),
                         plait_delayed(g, come_first) };
    assert_int_equal(plait_compute_all(g, two, 2, &options, outs, NULL),
                     PLAIT_OK);
    plait_graph_free(g);
}

/* The outer task holds a mutex and waits; another run's task, which may get the
 * inner run's worker, wants that mutex. */
static plait_value hold_and_compute(plait_context *ctx, const plait_value *args,
                                    size_t n)
{
    plait_value item = plait_int(8);
    pthread_mutex_lock(&outer_mutex);
    plait_value out = go_deeper(ctx, &item, 1);
    pthread_mutex_unlock(&outer_mutex);
    (void)args;
    (void)n;
    return out;
}

static plait_value want_mutex(plait_context *ctx, const plait_value *args,
                              size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    pthread_mutex_lock(&outer_mutex);
    pthread_mutex_unlock(&outer_mutex);
    return plait_int(1);
}

static void a_mutex_held_by_a_waiting_task(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_run *runs[20];
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 20; i++) {
        plait_task t = plait_delayed(g, i % 2 ? want_mutex : hold_and_compute);
        runs[i] = plait_start(g, &t, 1, &options, NULL);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(plait_run_wait(runs[i], -1, NULL), PLAIT_OK);
        plait_run_free(runs[i]);
    }
    plait_graph_free(g);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(eight_levels_deep),
    cmocka_unit_test(a_task_computes_on_another_executor),
    cmocka_unit_test(a_task_waits_for_its_own_run),
    cmocka_unit_test(a_task_cannot_close_its_executor),
    cmocka_unit_test(a_task_closes_another_executor),
};

static const struct CMUnitTest at_once_cases[] = {
    cmocka_unit_test(two_tasks_run_at_once),
    cmocka_unit_test(a_mutex_held_by_a_waiting_task),
};

const contract_group contract_nested = { cases, COUNT_OF(cases), 0 };
const contract_group contract_nested_at_once = { at_once_cases,
                                                 COUNT_OF(at_once_cases), 2 };
