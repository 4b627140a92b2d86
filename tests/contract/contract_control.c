/* SPDX-License-Identifier: BSD-3-Clause */
/* contract_control.c: starting, waiting, cancelling, freeing, asking. */
#include "contract.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static plait_run *start_one(plait_graph *g, plait_task t, void *user)
{
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    options.user = user;
    plait_run *run = plait_start(g, &t, 1, &options, &err);
    if (!run)
        fail_msg("%s", err.message);
    return run;
}

/* ---- for all executors ---- */

static void asking_a_run_that_is_done(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out = plait_int(1);
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 1);
    plait_task y = plait_delayed(g, counted_sum, x, 1);
    plait_task none = { 0, 0 };
    plait_run *run = start_one(g, y, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(plait_run_wait(run, i - 1, &err), PLAIT_OK);
        assert_int_equal(plait_run_result(run, y, &out, &err), PLAIT_OK);
        assert_int_equal(counted_number(out), 2);
        plait_release(out);
    }
    assert_int_equal(plait_run_result(run, none, &out, &err), PLAIT_OK);
    assert_int_equal(counted_number(out), 2);
    plait_release(out);
    assert_int_equal(plait_run_result(run, x, &out, &err), PLAIT_EINVAL);
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
    plait_counts counts = { PLAIT_COUNTS_INIT };
    assert_int_equal(plait_run_counts(run, &counts), PLAIT_OK);
    assert_int_equal(counts.done, 2);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(plait_run_failure_count(run), 0);
    assert_int_equal(plait_run_running(run, NULL, 0), 0);
    plait_run_cancel(run); /* too late, and harmless */
    assert_int_equal(plait_run_wait(run, -1, &err), PLAIT_OK);
    plait_run_free(run);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void counts_of_older_and_newer_callers(void **state)
{
    (void)state;
    plait_graph *g = plait_graph_new();
    plait_run *run = start_one(g, plait_delayed(g, sum, 1), NULL);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    plait_counts older = { .size = offsetof(plait_counts, failed),
                           .failed = 77 };
    assert_int_equal(plait_run_counts(run, &older), PLAIT_OK);
    assert_int_equal(older.done, 1);
    assert_int_equal(older.failed, 77);
    plait_counts zero = { .size = 0 };
    assert_int_equal(plait_run_counts(run, &zero), PLAIT_EINVAL);
    plait_run_free(run);
    plait_graph_free(g);
}

static void a_run_that_is_null(void **state)
{
    (void)state;
    plait_value out;
    plait_counts counts = { PLAIT_COUNTS_INIT };
    plait_task none = { 0, 0 };
    assert_int_equal(plait_run_wait(NULL, -1, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_run_result(NULL, none, &out, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_run_failure(NULL, 0, &out, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_run_counts(NULL, &counts), PLAIT_EINVAL);
    assert_int_equal(plait_run_failure_count(NULL), 0);
    assert_int_equal(plait_run_running(NULL, NULL, 0), 0);
    plait_run_cancel(NULL);
    plait_run_free(NULL);
}

static void count_call(plait_run *run, void *user)
{
    plait_value out;
    plait_task none = { 0, 0 };
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    assert_int_equal(plait_run_result(run, none, &out, NULL), PLAIT_OK);
    assert_int_equal(plait_as_int(out), 1);
    ++*(_Atomic int *)user;
}

static void on_done_of_a_run_that_is_done(void **state)
{
    (void)state;
    _Atomic int calls = 0;
    plait_graph *g = plait_graph_new();
    plait_run *run = start_one(g, plait_delayed(g, sum, 1), NULL);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    assert_int_equal(plait_run_on_done(run, count_call, &calls), PLAIT_OK);
    assert_int_equal(calls, 1);
    assert_int_equal(plait_run_on_done(run, NULL, NULL), PLAIT_EINVAL);
    plait_run_free(run);
    plait_graph_free(g);
}

static plait_value cancel_own_run(plait_context *ctx, const plait_value *args,
                                  size_t n)
{
    _Atomic(plait_run *) *run = plait_context_user(ctx);
    (void)args;
    (void)n;
    while (!atomic_load(run))
        ;
    plait_run_cancel(atomic_load(run));
    assert_true(plait_cancelled(ctx));
    return plait_int(5);
}

static void note_run(const plait_event *event, void *user)
{
    atomic_store((_Atomic(plait_run *) *)user, event->run);
}

static void a_task_cancels_its_run(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    _Atomic(plait_run *) own = NULL;
    plait_observer observer = { PLAIT_OBSERVER_INIT, .kinds = PLAIT_RUN_BEGIN,
                                .on_event = note_run, .user = &own };
    const plait_observer *observers[] = { &observer };
    plait_value outs[2];
    options.user = &own;
    options.observers = observers;
    options.n_observers = 1;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, cancel_own_run);
    plait_task y = plait_delayed(g, sum, x);
    plait_task targets[] = { x, y };
    assert_int_equal(plait_compute_all(g, targets, 2, &options, outs, &err),
                     PLAIT_ECANCELED);
    assert_int_equal(plait_kind_of(outs[1]), PLAIT_KIND_NIL);
    plait_release(outs[0]);
    plait_graph_free(g);
}

static void a_closed_executor_takes_no_run(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_executor *ex =
        plait_executor_open(under_test.scheduler, &options, &err);
    assert_non_null(ex);
    assert_true(plait_executor_workers(ex) >= 1);
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 1);
    options.executor = ex;
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_OK);
    plait_release(out);
    plait_run *run = plait_start(g, &x, 1, &options, &err);
    plait_executor_close(ex);
    /* the run is done, or cancelled, and can be asked */
    plait_status status = plait_run_wait(run, -1, &err);
    assert_true(status == PLAIT_OK || status == PLAIT_ECANCELED);
    plait_run_free(run);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(g);
}

/* ---- for those that run tasks elsewhere ---- */

static void a_wait_with_a_timeout(void **state)
{
    (void)state;
    static gate at = GATE_INIT;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out = plait_int(1);
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, pass_gate, 6);
    plait_run *run = start_one(g, x, &at);
    gate_await(&at, 1);
    assert_int_equal(plait_run_wait(run, 0, &err), PLAIT_EAGAIN);
    assert_int_equal(plait_run_wait(run, 1, &err), PLAIT_EAGAIN);
    assert_int_equal(plait_run_result(run, x, &out, &err), PLAIT_EAGAIN);
    assert_int_equal(plait_kind_of(out), PLAIT_KIND_NIL);
    plait_task running[2];
    assert_int_equal(plait_run_running(run, running, 2), 1);
    assert_int_equal(running[0].id, x.id);
    plait_counts counts = { PLAIT_COUNTS_INIT };
    plait_run_counts(run, &counts);
    assert_int_equal(counts.running, 1);
    assert_int_equal(counts.done, 0);
    gate_open(&at);
    assert_int_equal(plait_run_wait(run, -1, &err), PLAIT_OK);
    plait_run_free(run);
    plait_graph_free(g);
}

static void note_end(plait_run *run, void *user)
{
    (void)run;
    gate_enter(user);
}

static void cancel_returns_at_once(void **state)
{
    (void)state;
    static gate at = GATE_INIT, done = GATE_INIT;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, pass_gate, 6);
    plait_task y = plait_delayed(g, sum, x);
    plait_run *run = start_one(g, y, &at);
    gate_await(&at, 1);
    assert_int_equal(plait_run_on_done(run, note_end, &done), PLAIT_OK);
    plait_run_cancel(run);
    plait_run_cancel(run);
    /* x goes on all the while */
    assert_int_equal(plait_run_wait(run, -1, &err), PLAIT_ECANCELED);
    plait_value out;
    assert_int_equal(plait_run_result(run, y, &out, &err), PLAIT_ECANCELED);
    gate_open(&at);
    gate_await(&done, 1);
    assert_int_equal(plait_run_wait(run, -1, &err), PLAIT_ECANCELED);
    assert_int_equal(plait_run_result(run, y, &out, &err), PLAIT_ECANCELED);
    plait_counts counts = { PLAIT_COUNTS_INIT };
    plait_run_counts(run, &counts);
    assert_int_equal(counts.done, 1); /* late, and accepted */
    assert_int_equal(counts.skipped, 1);
    assert_int_equal(counts.waiting, 0);
    plait_run_free(run);
    plait_graph_free(g);
}

/* Freed while it runs: what tasks need lives until the last of them ends. */
static void free_while_it_runs(void **state)
{
    (void)state;
    static gate at = GATE_INIT, done = GATE_INIT;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, counted_sum, 1);
    plait_task y = plait_delayed(g, pass_gate, x, plait_string("kept"));
    plait_task z = plait_delayed(g, counted_sum, y);
    plait_run *run = start_one(g, z, &at);
    gate_await(&at, 1);
    assert_int_equal(plait_run_on_done(run, note_end, &done), PLAIT_OK);
    plait_graph_free(g);
    plait_run_free(run);
    gate_open(&at);
    gate_await(&done, 1);
}

static void free_at_any_moment(void **state)
{
    (void)state;
    static gate done = GATE_INIT;
    for (int i = 0; i < 200; i++) {
        plait_graph *g = plait_graph_new();
        plait_task t = plait_delayed(g, counted_sum, 1);
        plait_task u = plait_delayed(g, counted_sum, 1);
        for (int k = 0; k < 20; k++) {
            t = plait_delayed(g, counted_sum, t, u);
            u = plait_delayed(g, k == 15 ? broken : counted_sum, u);
        }
        plait_run *run = start_one(g, plait_delayed(g, sum, t, u), NULL);
        plait_run_on_done(run, note_end, &done);
        if (i % 3 == 1)
            plait_run_cancel(run);
        if (i % 3 == 2)
            plait_run_wait(run, 0, NULL);
        plait_run_free(run);
        plait_graph_free(g);
    }
    gate_await(&done, 200);
}

typedef struct asker {
    plait_run *run;
    plait_task target;
    plait_status status;
    int64_t number;
} asker;

static void *ask(void *arg)
{
    asker *a = arg;
    plait_value out;
    plait_counts counts = { PLAIT_COUNTS_INIT };
    while (plait_run_result(a->run, a->target, &out, NULL) == PLAIT_EAGAIN) {
        plait_run_counts(a->run, &counts);
        plait_run_failure_count(a->run);
        plait_run_running(a->run, NULL, 0);
        if (plait_run_wait(a->run, 1, NULL) != PLAIT_EAGAIN)
            break;
    }
    plait_release(out);
    a->status = plait_run_wait(a->run, -1, NULL);
    plait_run_result(a->run, a->target, &out, NULL);
    a->number = counted_number(out);
    plait_release(out);
    return NULL;
}

static void many_threads_ask_one_run(void **state)
{
    (void)state;
    static gate at = GATE_INIT, done = GATE_INIT;
    pthread_t threads[6];
    asker askers[6];
    plait_graph *g = plait_graph_new();
    plait_task t = plait_delayed(g, pass_gate, 1);
    for (int i = 0; i < 2000; i++)
        t = plait_delayed(g, counted_sum, t, 1);
    plait_run *run = start_one(g, t, &at);
    for (int i = 0; i < 6; i++) {
        askers[i] = (asker){ .run = run, .target = t };
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    assert_int_equal(plait_run_on_done(run, note_end, &done), PLAIT_OK);
    gate_open(&at);
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].status, PLAIT_OK);
        assert_int_equal(askers[i].number, 2001);
    }
    assert_int_equal(done.entered, 1);
    plait_run_free(run);
    plait_graph_free(g);
    assert_int_equal(counted_alive(), 0);
}

static void one_plan_runs_several_times_at_once(void **state)
{
    (void)state;
    plait_options options = contract_options();
    plait_run *runs[8];
    plait_graph *g = plait_graph_new();
    plait_task t = plait_delayed(g, counted_sum, 1);
    for (int i = 0; i < 500; i++)
        t = plait_delayed(g, counted_sum, t, 1);
    plait_plan *plan = plait_plan_new(g, &t, 1, NULL);
    for (int i = 0; i < 8; i++)
        runs[i] = plait_plan_start(plan, &options, NULL);
    plait_plan_free(plan);
    plait_graph_free(g);
    for (int i = 0; i < 8; i++) {
        plait_value out;
        assert_int_equal(plait_run_wait(runs[i], -1, NULL), PLAIT_OK);
        assert_int_equal(plait_run_result(runs[i], t, &out, NULL), PLAIT_OK);
        assert_int_equal(counted_number(out), 501);
        plait_release(out);
        plait_run_free(runs[i]);
    }
    assert_int_equal(counted_alive(), 0);
}

static void look_at_key(const plait_event *event, void *user)
{
    atomic_fetch_add((_Atomic size_t *)user, strlen(event->key));
}

/* The graph grows, and is planned anew, while a run of it goes on. */
static void a_graph_grows_during_a_run(void **state)
{
    (void)state;
    static gate at = GATE_INIT;
    static _Atomic size_t lengths;
    plait_observer observer = { PLAIT_OBSERVER_INIT, .on_event = look_at_key,
                                .user = &lengths };
    const plait_observer *observers[] = { &observer };
    plait_options options = contract_options();
    options.observers = observers;
    options.n_observers = 1;
    options.user = &at;
    plait_graph *g = plait_graph_new();
    plait_task y = plait_delayed(g, pass_gate, 1);
    for (int i = 0; i < 3000; i++)
        y = plait_delayed(g, sum, y, 1);
    plait_run *run = plait_start(g, &y, 1, &options, NULL);
    gate_await(&at, 1);
    plait_task t = plait_delayed(g, sum, 3);
    for (int i = 0; i < 5000; i++)
        t = plait_delayed(g, sum, t, 1, plait_string("more"));
    gate_open(&at);
    for (int i = 0; i < 5000; i++)
        t = plait_delayed(g, i % 2 ? sum : first, t, 1);
    plait_task both = plait_delayed(g, sum, t, y);
    plait_run *second = plait_start(g, &both, 1, &options, NULL);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    assert_int_equal(plait_run_wait(second, -1, NULL), PLAIT_OK);
    plait_value out;
    plait_task none = { 0, 0 };
    assert_int_equal(plait_run_result(second, none, &out, NULL), PLAIT_OK);
    assert_int_equal(plait_as_int(out), 3 + 5000 + 2500 + 3001);
    plait_run_free(run);
    plait_run_free(second);
    plait_graph_free(g);
    assert_true(lengths > 0);
}

static void do_nothing(int signal)
{
    (void)signal;
}

static pthread_t main_thread;

/* A task that sends signals to the waiter until it has been seen. */
static plait_value send_signals(plait_context *ctx, const plait_value *args,
                                size_t n)
{
    gate *at = plait_context_user(ctx);
    (void)args;
    (void)n;
    for (;;) {
        pthread_mutex_lock(&at->mutex);
        bool open = at->open;
        pthread_mutex_unlock(&at->mutex);
        if (open)
            return plait_int(1);
        pthread_kill(main_thread, SIGUSR1);
        usleep(1000);
    }
}

static void a_signal_ends_a_wait(void **state)
{
    (void)state;
    static gate at = GATE_INIT;
    struct sigaction act = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };
    struct sigaction old;
    sigaction(SIGUSR1, &act, &old);
    main_thread = pthread_self();
    plait_graph *g = plait_graph_new();
    plait_run *run = start_one(g, plait_delayed(g, send_signals), &at);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_EINTR);
    gate_open(&at);
    while (plait_run_wait(run, -1, NULL) == PLAIT_EINTR)
        ;
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    plait_run_free(run);
    plait_graph_free(g);
    sigaction(SIGUSR1, &old, NULL);
}

/* In a child: exit status 0 when all is as it should be. */
static int in_child(plait_graph *g, plait_task x, plait_run *parents,
                    plait_executor *opened)
{
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    if (plait_run_wait(parents, -1, &err) != PLAIT_EINVAL)
        return 1;
    plait_run_cancel(parents);
    plait_run_free(parents);
    if (plait_compute(g, x, &options, &out, &err) != PLAIT_OK ||
        plait_as_int(out) != 4)
        return 2;
    options.executor = opened;
    if (plait_compute(g, x, &options, &out, &err) != PLAIT_EINVAL)
        return 3;
    plait_executor_close(opened);
    return 0;
}

static void a_forked_child_computes(void **state)
{
    (void)state;
    static gate at = GATE_INIT;
    plait_options options = contract_options();
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 4);
    plait_task y = plait_delayed(g, pass_gate, x);
    plait_executor *opened =
        plait_executor_open(under_test.scheduler, &options, NULL);
    plait_run *run = start_one(g, y, &at);
    gate_await(&at, 1);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(in_child(g, x, run, opened));
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    gate_open(&at);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    plait_run_free(run);
    plait_executor_close(opened);
    plait_graph_free(g);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(asking_a_run_that_is_done),
    cmocka_unit_test(counts_of_older_and_newer_callers),
    cmocka_unit_test(a_run_that_is_null),
    cmocka_unit_test(on_done_of_a_run_that_is_done),
    cmocka_unit_test(a_task_cancels_its_run),
    cmocka_unit_test(a_closed_executor_takes_no_run),
};

static const struct CMUnitTest async_cases[] = {
    cmocka_unit_test(a_wait_with_a_timeout),
    cmocka_unit_test(cancel_returns_at_once),
    cmocka_unit_test(free_while_it_runs),
    cmocka_unit_test(free_at_any_moment),
    cmocka_unit_test(many_threads_ask_one_run),
    cmocka_unit_test(one_plan_runs_several_times_at_once),
    cmocka_unit_test(a_graph_grows_during_a_run),
    cmocka_unit_test(a_signal_ends_a_wait),
    cmocka_unit_test(a_forked_child_computes),
};

const contract_group contract_control = { cases, COUNT_OF(cases), 0 };
const contract_group contract_control_async = { async_cases,
                                                COUNT_OF(async_cases), 1 };
