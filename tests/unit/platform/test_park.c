/* SPDX-License-Identifier: BSD-3-Clause */
/* Parking: no sleep on a word that has changed, no lost wake-up, time-outs that
 * are not early. Built twice: with futexes, and with what serves for them. */
#include "platform/park.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "platform/clock.h"

#define N_TURNS 5000u
#define N_SLEEPERS 3

static void no_sleep_when_the_word_differs(void **state)
{
    _Atomic uint32_t word = 1;
    (void)state;
    assert_int_equal(pl_park(&word, 0, PL_FOREVER), PL_PARK_WOKEN);
}

static void times_out_not_before_its_time(void **state)
{
    _Atomic uint32_t word = 0;
    int64_t until_ns = pl_clock_ns() + 3000000;
    pl_park_result result;
    (void)state;
    do /* wake-ups may be spurious */
        result = pl_park(&word, 0, until_ns);
    while (result != PL_PARK_TIMEOUT);
    assert_true(pl_clock_ns() >= until_ns);
}

static void times_in_the_past_time_out(void **state)
{
    const int64_t times[] = { 0, 1, -1, INT64_MIN / 2 };
    _Atomic uint32_t word = 0;
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_int_equal(pl_park(&word, 0, times[i]), PL_PARK_TIMEOUT);
}

/* Two threads hand a number to and fro: a lost wake-up would hang. */
static void *take_odd_turns(void *arg)
{
    _Atomic uint32_t *word = arg;
    for (uint32_t turn = 1; turn < N_TURNS; turn += 2) {
        uint32_t now;
        while ((now = atomic_load(word)) != turn)
            pl_park(word, now, PL_FOREVER);
        atomic_store(word, turn + 1);
        pl_unpark(word, 1);
    }
    return NULL;
}

static void no_wake_up_is_lost(void **state)
{
    _Atomic uint32_t word = 0;
    pthread_t other;
    (void)state;
    assert_int_equal(pthread_create(&other, NULL, take_odd_turns, &word), 0);
    for (uint32_t turn = 0; turn < N_TURNS; turn += 2) {
        uint32_t now;
        while ((now = atomic_load(&word)) != turn)
            pl_park(&word, now, INT64_MAX - 1); /* a time, and a far one */
        atomic_store(&word, turn + 1);
        pl_unpark(&word, 1);
    }
    pthread_join(other, NULL);
    assert_int_equal(atomic_load(&word), N_TURNS);
}

static void *sleep_until_set(void *arg)
{
    _Atomic uint32_t *word = arg;
    while (atomic_load(word) == 0)
        pl_park(word, 0, PL_FOREVER);
    return NULL;
}

static void unpark_wakes_all_of_them(void **state)
{
    _Atomic uint32_t word = 0;
    pthread_t sleepers[N_SLEEPERS];
    (void)state;
    for (int i = 0; i < N_SLEEPERS; i++)
        assert_int_equal(
            pthread_create(&sleepers[i], NULL, sleep_until_set, &word), 0);
    sched_yield();
    atomic_store(&word, 1);
    pl_unpark(&word, N_SLEEPERS);
    for (int i = 0; i < N_SLEEPERS; i++)
        pthread_join(sleepers[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sleep_when_the_word_differs),
        cmocka_unit_test(times_out_not_before_its_time),
        cmocka_unit_test(times_in_the_past_time_out),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(unpark_wakes_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
