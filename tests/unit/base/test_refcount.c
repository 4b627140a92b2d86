/* SPDX-License-Identifier: BSD-3-Clause */
/* Reference counts: the last one is told, static ones never end, and threads
 * that share an object see it freed once. */
#include "base/refcount.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define N_THREADS 4
#define N_ROUNDS 20000

static void the_last_reference_is_told(void **state)
{
    pl_refcount count = 1;
    (void)state;
    pl_refcount_take(&count);
    pl_refcount_take(&count);
    assert_false(pl_refcount_give(&count));
    assert_false(pl_refcount_give(&count));
    assert_true(pl_refcount_give(&count));
}

static void static_counts_never_change(void **state)
{
    pl_refcount count = PL_REFCOUNT_STATIC;
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_false(pl_refcount_give(&count));
    pl_refcount_take(&count);
    assert_true(count == PL_REFCOUNT_STATIC);
}

static struct shared {
    pl_refcount count;
    int written[N_THREADS]; /* plain: ordered by the count alone */
    atomic_int freed;
} shared;

static void give(void)
{
    if (!pl_refcount_give(&shared.count))
        return;
    for (int i = 0; i < N_THREADS; i++)
        shared.written[i] = -shared.written[i];
    atomic_fetch_add(&shared.freed, 1);
}

static void *take_and_give(void *arg)
{
    int self = *(int *)arg;
    for (int i = 0; i < N_ROUNDS; i++) {
        pl_refcount_take(&shared.count);
        shared.written[self]++;
        give();
    }
    give();
    return NULL;
}

static void threads_free_once(void **state)
{
    pthread_t threads[N_THREADS];
    int numbers[N_THREADS];
    (void)state;
    atomic_store(&shared.count, N_THREADS);
    for (int i = 0; i < N_THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(
            pthread_create(&threads[i], NULL, take_and_give, &numbers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&shared.freed), 1);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(shared.written[i], -N_ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reference_is_told),
        cmocka_unit_test(static_counts_never_change),
        cmocka_unit_test(threads_free_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
