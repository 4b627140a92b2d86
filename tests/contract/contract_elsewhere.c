/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * contract_elsewhere.c: waiting, cancelling, freeing and asking while tasks run
 * elsewhere than in the caller's thread.
 */
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

/* Waits until all threads of a pool have begun: one that begins allocates, and
 * a child of AddressSanitizer inherits its allocator's locks as they are. */
static void await_threads(plait_executor *opened)
{
    static gate at = GATE_INIT;
    int n = (int)plait_executor_workers(opened);
    if (strcmp(under_test.scheduler, "threads") != 0)
        return;
    plait_options options = contract_options();
    options.executor = opened;
    options.user = &at;
    plait_graph *g = plait_graph_new();
    plait_task *tasks = calloc((size_t)n, sizeof *tasks);
    assert_non_null(tasks);
    for (int i = 0; i < n; i++)
        tasks[i] = plait_delayed(g, pass_gate, i);
    plait_run *run = plait_start(g, tasks, (size_t)n, &options, NULL);
    assert_non_null(run);
    gate_await(&at, n);
    gate_open(&at);
    assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
    plait_run_free(run);
    plait_graph_free(g);
    free(tasks);
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
    await_threads(opened);
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

const contract_group contract_control_async = { cases, COUNT_OF(cases), 1 };
