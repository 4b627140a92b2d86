/* SPDX-License-Identifier: BSD-3-Clause */
/* test_idle.c: sleepers are woken one by one, and no wake-up is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "executor/threads/idle.h"
#include "platform/park.h"

static void one_searches_at_a_time(void **state)
{
    (void)state;
    pl_idle idle = { 0 };
    assert_true(pl_idle_search(&idle));
    assert_false(pl_idle_search(&idle));
    pl_idle_found(&idle);
    assert_true(pl_idle_search(&idle));
    pl_idle_found(&idle);
    assert_int_equal(idle.word, 0);
}

static void a_notice_wakes_only_when_somebody_sleeps(void **state)
{
    (void)state;
    pl_idle idle = { 0 };
    pl_idle_notify(&idle);
    assert_int_equal(idle.epoch, 0);
    pl_idle_lie_down(&idle);
    pl_idle_notify(&idle);
    assert_int_equal(idle.epoch, 1);
    /* the one that is being woken searches: another notice wakes nobody */
    pl_idle_lie_down(&idle);
    pl_idle_notify(&idle);
    assert_int_equal(idle.epoch, 1);
    assert_true(pl_idle_stay(&idle)); /* it was woken, and searches */
    pl_idle_found(&idle);
    assert_false(pl_idle_stay(&idle)); /* the second was not */
    assert_int_equal(idle.word, 0);
}

static void who_stops_searching_is_told_of_sleepers(void **state)
{
    (void)state;
    pl_idle idle = { 0 };
    assert_true(pl_idle_search(&idle));
    assert_false(pl_idle_found(&idle));
    assert_true(pl_idle_search(&idle));
    pl_idle_lie_down(&idle);
    assert_true(pl_idle_sleeps(&idle));
    pl_idle_notify(&idle); /* left to the searcher */
    assert_int_equal(idle.epoch, 0);
    assert_true(pl_idle_found(&idle));
    pl_idle_notify(&idle);
    assert_int_equal(idle.epoch, 1);
    assert_true(pl_idle_stay(&idle));
    assert_false(pl_idle_found(&idle));
    assert_false(pl_idle_sleeps(&idle));
}

static void who_closes_wakes_all(void **state)
{
    (void)state;
    pl_idle idle = { 0 };
    _Atomic bool closing = true;
    pl_idle_lie_down(&idle);
    assert_int_equal(pl_idle_sleep(&idle, &closing, PL_FOREVER),
                     PL_IDLE_CLOSING);
    pl_idle_lie_down(&idle);
    pl_idle_wake_one(&idle); /* a token: it is the searcher, closing or not */
    assert_int_equal(pl_idle_sleep(&idle, &closing, PL_FOREVER), PL_IDLE_WOKEN);
    pl_idle_found(&idle);
    assert_int_equal(idle.word, 0);
}

/* ---- threads: work is a number, taken by who finds it ---- */

#define N_WORKERS 4
#define N_WORK 20000

static pl_idle idle_workers;
static _Atomic int work;
static _Atomic int worked;
static _Atomic bool finished;

static bool take(void)
{
    int n = atomic_load(&work);
    while (n > 0) {
        if (atomic_compare_exchange_weak(&work, &n, n - 1))
            return true;
    }
    return false;
}

static void *worker(void *arg)
{
    bool searching = false;
    (void)arg;
    for (;;) {
        bool got = take();
        if (!got) {
            if (searching)
                pl_idle_found(&idle_workers);
            pl_idle_lie_down(&idle_workers);
            got = take();
            searching = got ? pl_idle_stay(&idle_workers)
                            : pl_idle_sleep(&idle_workers, &finished,
                                            PL_FOREVER) == PL_IDLE_WOKEN;
            if (!got && !searching)
                return NULL;
        }
        if (searching && got) {
            searching = false;
            pl_idle_found(&idle_workers);
            if (atomic_load(&work) > 0)
                pl_idle_notify(&idle_workers);
        }
        if (got)
            atomic_fetch_add(&worked, 1);
    }
}

/* Each piece is worked on before the next is given out, so a wake-up that is
 * lost leaves this test waiting for ever. */
static void no_wake_up_is_lost(void **state)
{
    (void)state;
    pthread_t threads[N_WORKERS];
    pl_barrier_init();
    for (int i = 0; i < N_WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, NULL), 0);
    for (int i = 1; i <= N_WORK; i++) {
        atomic_fetch_add(&work, 1);
        pl_idle_notify(&idle_workers);
        while (i % 3 == 0 && atomic_load(&worked) < i)
            sched_yield();
    }
    while (atomic_load(&worked) < N_WORK)
        sched_yield();
    atomic_store(&finished, true);
    pl_idle_wake_all(&idle_workers);
    for (int i = 0; i < N_WORKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(worked, N_WORK);
    assert_int_equal(idle_workers.word, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_searches_at_a_time),
        cmocka_unit_test(a_notice_wakes_only_when_somebody_sleeps),
        cmocka_unit_test(who_stops_searching_is_told_of_sleepers),
        cmocka_unit_test(who_closes_wakes_all),
        cmocka_unit_test(no_wake_up_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
