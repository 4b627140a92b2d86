/* SPDX-License-Identifier: BSD-3-Clause */
/* test_deque.c: every task that is pushed comes out once, thieves or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "executor/threads/deque.h"

static void the_owner_takes_last_in_first_out(void **state)
{
    (void)state;
    static pl_deque deque;
    pl_deque_init(&deque);
    assert_int_equal(pl_deque_take(&deque), PL_NONE);
    for (uint32_t i = 0; i < 1000; i++) /* grows several times */
        assert_true(pl_deque_push(&deque, i));
    assert_int_equal(pl_deque_peek(&deque), 0);
    for (uint32_t i = 1000; i-- > 0;)
        assert_int_equal(pl_deque_take(&deque), i);
    assert_int_equal(pl_deque_take(&deque), PL_NONE);
    assert_int_equal(pl_deque_peek(&deque), PL_NONE);
    pl_deque_fini(&deque);
}

static void a_thief_steals_first_in_first_out(void **state)
{
    (void)state;
    static pl_deque deque;
    pl_deque_init(&deque);
    assert_int_equal(pl_deque_steal(&deque), PL_NONE);
    for (uint32_t i = 0; i < 300; i++)
        assert_true(pl_deque_push(&deque, i));
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(pl_deque_peek(&deque), i);
        assert_int_equal(pl_deque_steal(&deque), i);
    }
    for (uint32_t i = 300; i-- > 200;)
        assert_int_equal(pl_deque_take(&deque), i);
    assert_int_equal(pl_deque_steal(&deque), PL_NONE);
    pl_deque_fini(&deque);
}

/* Round and round in one ring, as indexes rise for ever. */
static void a_ring_is_used_again(void **state)
{
    (void)state;
    static pl_deque deque;
    pl_deque_init(&deque);
    for (uint32_t i = 0; i < 10000; i++) {
        assert_true(pl_deque_push(&deque, 2 * i));
        assert_true(pl_deque_push(&deque, 2 * i + 1));
        assert_int_equal(pl_deque_steal(&deque), 2 * i);
        assert_int_equal(pl_deque_take(&deque), 2 * i + 1);
    }
    assert_ptr_equal(deque.ring, &deque.first);
    pl_deque_fini(&deque);
}

/* ---- with thieves ---- */

#define N_TASKS 200000
#define N_THIEVES 3

static pl_deque shared;
static _Atomic uint8_t taken[N_TASKS];
static _Atomic bool done;

static void *thief(void *arg)
{
    (void)arg;
    for (;;) {
        bool last = atomic_load(&done);
        uint32_t task = pl_deque_steal(&shared);
        if (task != PL_NONE)
            atomic_fetch_add(&taken[task], 1);
        else if (last)
            return NULL;
    }
}

/* Bursts of pushes, and as many takes or fewer: often of the last one, which
 * thieves want too. */
static void own(void)
{
    uint32_t next = 0;
    for (uint32_t burst = 0; next < N_TASKS; burst++) {
        for (uint32_t i = 0; i < burst % 7 + 1 && next < N_TASKS; i++)
            assert_true(pl_deque_push(&shared, next++));
        for (uint32_t i = 0; i < burst % 5 + 1; i++) {
            uint32_t task = pl_deque_take(&shared);
            if (task != PL_NONE)
                atomic_fetch_add(&taken[task], 1);
        }
    }
    uint32_t task;
    while ((task = pl_deque_take(&shared)) != PL_NONE)
        atomic_fetch_add(&taken[task], 1);
}

static void each_comes_out_once(void **state)
{
    (void)state;
    pthread_t thieves[N_THIEVES];
    pl_deque_init(&shared);
    for (int i = 0; i < N_THIEVES; i++)
        assert_int_equal(pthread_create(&thieves[i], NULL, thief, NULL), 0);
    own();
    atomic_store(&done, true);
    for (int i = 0; i < N_THIEVES; i++)
        pthread_join(thieves[i], NULL);
    for (uint32_t i = 0; i < N_TASKS; i++)
        assert_int_equal(taken[i], 1);
    pl_deque_fini(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_owner_takes_last_in_first_out),
        cmocka_unit_test(a_thief_steals_first_in_first_out),
        cmocka_unit_test(a_ring_is_used_again),
        cmocka_unit_test(each_comes_out_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
