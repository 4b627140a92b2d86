/* SPDX-License-Identifier: BSD-3-Clause */
/* The barrier pair: of two threads that each store, pass their barrier and load
 * what the other stored, at least one sees the other's store. */
#include "platform/barrier.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define N_ROUNDS 20000
#define N_SLOW 48
#define N_SPINS 1000

typedef struct line {
    atomic_int word;
    char apart[128 - sizeof(atomic_int)];
} line;

static line light_stored, heavy_stored, arrived;
/* The heavy side writes them before a round, so that they are not in the light
 * side's cache: its stores to them wait, and so do those behind. */
static line slow[N_SLOW];
static unsigned char light_saw[N_ROUNDS], heavy_saw[N_ROUNDS];

/* Both begin a round together, else they would never meet. */
static void meet(int round)
{
    atomic_fetch_add(&arrived.word, 1);
    for (int i = 0; atomic_load(&arrived.word) < 2 * (round + 1); i++) {
        if (i > N_SPINS)
            sched_yield();
    }
}

static void write_slow(int round)
{
    for (int i = 0; i < N_SLOW; i++)
        atomic_store_explicit(&slow[i].word, round, memory_order_relaxed);
}

/* In round r the sides store r + 1. */
static int load(line *other)
{
    return atomic_load_explicit(&other->word, memory_order_relaxed);
}

static void *light_side(void *arg)
{
    (void)arg;
    for (int round = 0; round < N_ROUNDS; round++) {
        meet(2 * round);
        write_slow(round);
        atomic_store_explicit(&light_stored.word, round + 1,
                              memory_order_relaxed);
        pl_barrier_light();
        light_saw[round] = load(&heavy_stored) > round;
        meet(2 * round + 1);
    }
    return NULL;
}

static void heavy_side(void)
{
    for (int round = 0; round < N_ROUNDS; round++) {
        write_slow(round);
        meet(2 * round);
        atomic_store_explicit(&heavy_stored.word, round + 1,
                              memory_order_relaxed);
        pl_barrier_heavy();
        heavy_saw[round] = load(&light_stored) > round;
        meet(2 * round + 1);
    }
}

/* How often neither side saw the other's store. */
static int count_missed(void)
{
    pthread_t other;
    int missed = 0;
    atomic_store(&light_stored.word, 0);
    atomic_store(&heavy_stored.word, 0);
    atomic_store(&arrived.word, 0);
    if (pthread_create(&other, NULL, light_side, NULL) != 0)
        return -1;
    heavy_side();
    pthread_join(other, NULL);
    for (int i = 0; i < N_ROUNDS; i++)
        missed += !light_saw[i] && !heavy_saw[i];
    return missed;
}

static void the_pair_orders(void **state)
{
    (void)state;
    pl_barrier_init();
    assert_int_equal(count_missed(), 0);
}

static void full_fences_order_where_the_kernel_cannot(void **state)
{
    (void)state;
    pl_barrier_init();
    bool before = atomic_load(&pl_barrier_is_asymmetric);
    atomic_store(&pl_barrier_is_asymmetric, false);
    assert_int_equal(count_missed(), 0);
    atomic_store(&pl_barrier_is_asymmetric, before);
}

static void the_pair_orders_in_a_forked_child(void **state)
{
    int status = -1;
    (void)state;
    pl_barrier_init();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(count_missed() == 0 ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pair_orders),
        cmocka_unit_test(full_fences_order_where_the_kernel_cannot),
        cmocka_unit_test(the_pair_orders_in_a_forked_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
