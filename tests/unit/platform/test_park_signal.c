/* SPDX-License-Identifier: BSD-3-Clause */
/* Parking tells of signals. Where there are no futexes it can't. */
#include "platform/park.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_int n_handled;
static atomic_int n_told;

static void handle(int number)
{
    (void)number;
    atomic_fetch_add(&n_handled, 1);
}

static void *sleep_until_told(void *arg)
{
    _Atomic uint32_t *word = arg;
    while (pl_park(word, 0, PL_FOREVER) != PL_PARK_SIGNAL)
        ;
    atomic_store(&n_told, 1);
    return NULL;
}

static void assert_told(int flags)
{
    const struct sigaction action = { .sa_handler = handle, .sa_flags = flags };
    _Atomic uint32_t word = 0;
    struct sigaction before;
    pthread_t sleeper;
    atomic_store(&n_handled, 0);
    atomic_store(&n_told, 0);
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(pthread_create(&sleeper, NULL, sleep_until_told, &word),
                     0);
    while (!atomic_load(&n_told)) { /* the first may come before the sleep */
        pthread_kill(sleeper, SIGUSR1);
        usleep(1000);
    }
    pthread_join(sleeper, NULL);
    assert_true(atomic_load(&n_handled) > 0);
    sigaction(SIGUSR1, &before, NULL);
}

static void signals_are_told(void **state)
{
    (void)state;
    assert_told(0);
}

/* The handler asks for system calls to go on. */
static void signals_are_told_with_sa_restart(void **state)
{
    (void)state;
    assert_told(SA_RESTART);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_told),
        cmocka_unit_test(signals_are_told_with_sa_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
