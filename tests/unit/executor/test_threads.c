/* SPDX-License-Identifier: BSD-3-Clause */
/* test_threads.c: pools of every size, limits, front ends' threads, exit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <plait/plait.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A barrier of tasks: passes when `wanted` are in it at once. */
typedef struct crowd {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned wanted, now, most;
    bool together;
} crowd;

static plait_value meet(plait_context *ctx, const plait_value *args, size_t n)
{
    crowd *c = plait_context_user(ctx);
    (void)args;
    (void)n;
    pthread_mutex_lock(&c->mutex);
    c->now++;
    if (c->now > c->most)
        c->most = c->now;
    if (c->now == c->wanted) {
        c->together = true;
        pthread_cond_broadcast(&c->changed);
    }
    while (!c->together)
        pthread_cond_wait(&c->changed, &c->mutex);
    c->now--;
    pthread_mutex_unlock(&c->mutex);
    return plait_int(plait_context_worker(ctx));
}

/* As many tasks as there are workers are in the barrier at once, and never one
 * more, on a pool of that size or a greater one. */
static void meet_in_a_grown_pool(unsigned from, unsigned pool, unsigned workers)
{
    static plait_value items[3000], outs[3000];
    crowd c = { PTHREAD_MUTEX_INITIALIZER,
                PTHREAD_COND_INITIALIZER,
                workers,
                0,
                0,
                false };
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = "threads",
                              .workers = from };
    plait_error err = { PLAIT_ERROR_INIT };
    plait_executor *ex = plait_executor_open("threads", &options, &err);
    if (!ex)
        fail_msg("%s", err.message);
    if (from != pool)
        assert_int_equal(plait_executor_grow(ex, pool, &err), PLAIT_OK);
    assert_int_equal(plait_executor_workers(ex), pool);
    options.executor = ex;
    options.workers = workers;
    options.user = &c;
    size_t n = 2 * (size_t)workers + 5;
    memset(items, 0, sizeof items);
    assert_int_equal(plait_map(meet, NULL, items, n, &options, outs, &err),
                     PLAIT_OK);
    assert_int_equal(c.most, workers);
    for (size_t i = 0; i < n; i++)
        assert_in_range(plait_as_int(outs[i]), 0, workers - 1);
    plait_executor_close(ex);
}

static void meet_in_a_pool(unsigned pool, unsigned workers)
{
    meet_in_a_grown_pool(pool, pool, workers);
}

static void as_many_at_once_as_workers(void **state)
{
    static const unsigned sizes[] = { 1, 2, 3, 8, 64, 250 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        meet_in_a_pool(sizes[i], sizes[i]);
}

static void a_thousand_and_twenty_four_workers(void **state)
{
    (void)state;
    meet_in_a_pool(1024, 1024);
}

static void a_run_is_limited_in_a_great_pool(void **state)
{
    (void)state;
    meet_in_a_pool(64, 1);
    meet_in_a_pool(64, 5);
}

static void a_pool_of_ones_own_grows(void **state)
{
    (void)state;
    meet_in_a_grown_pool(1, 2, 2);
    meet_in_a_grown_pool(3, 40, 40);
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 2 };
    plait_executor *ex = plait_executor_open("threads", &options, NULL);
    assert_int_equal(plait_executor_grow(ex, 1, NULL), PLAIT_OK);
    assert_int_equal(plait_executor_workers(ex), 2);
    plait_executor_close(ex);
}

static void what_does_not_grow(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_executor_grow(NULL, 1, &err), PLAIT_EINVAL);
    plait_executor *ex = plait_executor_open("sync", NULL, NULL);
    assert_int_equal(plait_executor_grow(ex, 1025, &err), PLAIT_EINVAL);
    assert_int_equal(plait_executor_grow(ex, 2, NULL), PLAIT_EUNAVAILABLE);
    plait_executor_close(ex);
}

static void the_default_pool_grows(void **state)
{
    static const unsigned sizes[] = { 2, 9, 4, 30 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        plait_value items[64] = { 0 }, outs[64];
        crowd c = { PTHREAD_MUTEX_INITIALIZER,
                    PTHREAD_COND_INITIALIZER,
                    sizes[i],
                    0,
                    0,
                    false };
        plait_options options = { PLAIT_OPTIONS_INIT, .workers = sizes[i],
                                  .scheduler = "threads", .user = &c };
        assert_int_equal(plait_map(meet, NULL, items, 64, &options, outs, NULL),
                         PLAIT_OK);
        assert_int_equal(c.most, sizes[i]);
    }
}

/* ---- threads of a front end ---- */

typedef struct spawned {
    void (*main)(void *arg);
    void *arg;
    pthread_t thread;
} spawned;

static spawned threads[8];
static _Atomic unsigned n_spawned;

static void *spawned_main(void *arg)
{
    const spawned *s = arg;
    s->main(s->arg);
    return NULL;
}

static bool spawn(void *user, unsigned worker, void (*main)(void *arg),
                  void *arg)
{
    unsigned most = *(unsigned *)user;
    if (worker >= most)
        return false;
    n_spawned++;
    threads[worker] = (spawned){ .main = main, .arg = arg };
    return pthread_create(&threads[worker].thread, NULL, spawned_main,
                          &threads[worker]) == 0;
}

static void a_front_end_makes_the_threads(void **state)
{
    (void)state;
    unsigned most = 8;
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 3, .spawn = spawn,
                              .spawn_user = &most };
    crowd c = {
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 3, 0, 0, false
    };
    plait_value items[9] = { 0 }, outs[9];
    plait_executor *ex = plait_executor_open("threads", &options, NULL);
    assert_non_null(ex);
    options.executor = ex;
    options.user = &c;
    assert_int_equal(plait_map(meet, NULL, items, 9, &options, outs, NULL),
                     PLAIT_OK);
    assert_int_equal(n_spawned, 3);
    plait_executor_close(ex);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i].thread, NULL);
}

/* Fewer threads than asked for are a pool too; none is an error. */
static void a_front_end_that_makes_few(void **state)
{
    (void)state;
    unsigned most = 2;
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 5, .spawn = spawn,
                              .spawn_user = &most };
    plait_error err = { PLAIT_ERROR_INIT };
    crowd c = {
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 2, 0, 0, false
    };
    plait_value items[9] = { 0 }, outs[9];
    plait_executor *ex = plait_executor_open("threads", &options, &err);
    assert_non_null(ex);
    options.executor = ex;
    options.user = &c;
    assert_int_equal(plait_map(meet, NULL, items, 9, &options, outs, NULL),
                     PLAIT_OK);
    plait_executor_close(ex);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i].thread, NULL);
    most = 0;
    options.executor = NULL;
    assert_null(plait_executor_open("threads", &options, &err));
    assert_int_equal(err.status, PLAIT_ESYS);
}

/* ---- callbacks ---- */

static plait_value wait_for_start(plait_context *ctx, const plait_value *args,
                                  size_t n)
{
    _Atomic bool *started = plait_context_user(ctx);
    (void)args;
    (void)n;
    while (!*started)
        sched_yield();
    return plait_int(1);
}

static plait_value plus_one(plait_context *ctx, const plait_value *args,
                            size_t n)
{
    (void)ctx;
    (void)n;
    return plait_int(plait_as_int(args[0]) + 1);
}

typedef struct sequel {
    plait_executor *ex;
    plait_status status;
    int64_t result;
} sequel;

static void compute_a_sequel(plait_run *run, void *user)
{
    sequel *s = user;
    plait_options options = { PLAIT_OPTIONS_INIT, .executor = s->ex };
    plait_graph *g = plait_graph_new();
    plait_value out;
    (void)run;
    s->status = plait_compute(
        g, plait_delayed(g, plus_one, plait_delayed(g, plus_one, 40)), &options,
        &out, NULL);
    s->result = plait_as_int(out);
    plait_graph_free(g);
}

/* The worker that ends a run may have been the searcher: while it is in the
 * callback, another has to be woken for what the callback computes. */
static void a_callback_computes_on_the_same_pool(void **state)
{
    (void)state;
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = 2 };
    sequel s = { .ex = plait_executor_open("threads", &options, NULL) };
    assert_non_null(s.ex);
    options.executor = s.ex;
    for (int i = 0; i < 50; i++) {
        _Atomic bool started = false;
        s.status = PLAIT_EAGAIN;
        s.result = 0;
        options.user = (void *)&started;
        plait_graph *g = plait_graph_new();
        plait_task last =
            plait_delayed(g, plus_one, plait_delayed(g, wait_for_start));
        plait_run *run = plait_start(g, &last, 1, &options, NULL);
        assert_int_equal(plait_run_on_done(run, compute_a_sequel, &s),
                         PLAIT_OK);
        started = true;
        assert_int_equal(plait_run_wait(run, -1, NULL), PLAIT_OK);
        assert_int_equal(s.status, PLAIT_OK);
        assert_int_equal(s.result, 42);
        plait_run_free(run);
        plait_graph_free(g);
    }
    plait_executor_close(s.ex);
}

/* ---- waiting for a time ---- */

typedef struct patience {
    plait_executor *ex;
    _Atomic bool blocks; /* the pool's other worker is kept busy */
    _Atomic bool waited;
} patience;

static plait_value keep_busy(plait_context *ctx, const plait_value *args,
                             size_t n)
{
    patience *p = plait_context_user(ctx);
    (void)args;
    (void)n;
    p->blocks = true;
    while (!p->waited)
        sched_yield();
    return plait_nil();
}

/* Longer than the wait below. */
static plait_value take_long(plait_context *ctx, const plait_value *args,
                             size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    usleep(3000);
    return plait_nil();
}

/* Waits 1 ms for three tasks that only this thread can run. */
static plait_value wait_a_little(plait_context *ctx, const plait_value *args,
                                 size_t n)
{
    patience *p = plait_context_user(ctx);
    plait_options options = { PLAIT_OPTIONS_INIT, .executor = p->ex };
    plait_graph *g = plait_graph_new();
    plait_task last = plait_delayed(
        g, take_long, plait_delayed(g, take_long, plait_delayed(g, take_long)));
    (void)args;
    (void)n;
    while (!p->blocks)
        sched_yield();
    plait_run *run = plait_start(g, &last, 1, &options, NULL);
    plait_status first = plait_run_wait(run, 1, NULL);
    plait_status second = plait_run_wait(run, -1, NULL);
    plait_run_free(run);
    plait_graph_free(g);
    p->waited = true;
    return plait_bool(first == PLAIT_EAGAIN && second == PLAIT_OK);
}

static void a_helper_leaves_in_time(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        plait_options options = { PLAIT_OPTIONS_INIT, .workers = workers };
        patience p = { .ex = plait_executor_open("threads", &options, NULL) };
        assert_non_null(p.ex);
        p.blocks = workers == 1;
        p.waited = false;
        options.executor = p.ex;
        options.user = &p;
        plait_graph *g = plait_graph_new();
        plait_task tasks[2] = { plait_delayed(g, wait_a_little),
                                plait_delayed(g, keep_busy) };
        plait_value outs[2];
        assert_int_equal(
            plait_compute_all(g, tasks, workers, &options, outs, NULL),
            PLAIT_OK);
        assert_true(plait_as_bool(outs[0]));
        plait_graph_free(g);
        plait_executor_close(p.ex);
    }
}

/* ---- exit ---- */

static plait_value never_ends(plait_context *ctx, const plait_value *args,
                              size_t n)
{
    const int *ends = plait_context_user(ctx);
    (void)args;
    (void)n;
    if (write(ends[1], "x", 1) != 1)
        return plait_nil();
    for (;;)
        pause();
}

/* Exits with a task that never ends, in a child with the default pool. */
static void exit_with_a_stuck_task(int *ends)
{
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = "threads",
                              .workers = 2, .user = ends };
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, never_ends);
    plait_run *run = plait_start(g, &x, 1, &options, NULL);
    static plait_run *keep;
    keep = run;
    char c;
    if (!keep || read(ends[0], &c, 1) != 1)
        _exit(9);
    exit(7); /* with its handlers */
}

static void a_stuck_task_does_not_keep_the_process(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        exit_with_a_stuck_task(ends);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stuck_task_does_not_keep_the_process),
        cmocka_unit_test(as_many_at_once_as_workers),
        cmocka_unit_test(a_thousand_and_twenty_four_workers),
        cmocka_unit_test(a_run_is_limited_in_a_great_pool),
        cmocka_unit_test(a_pool_of_ones_own_grows),
        cmocka_unit_test(what_does_not_grow),
        cmocka_unit_test(the_default_pool_grows),
        cmocka_unit_test(a_front_end_makes_the_threads),
        cmocka_unit_test(a_front_end_that_makes_few),
        cmocka_unit_test(a_callback_computes_on_the_same_pool),
        cmocka_unit_test(a_helper_leaves_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
