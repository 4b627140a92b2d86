/* SPDX-License-Identifier: BSD-3-Clause */
/* park.c: futexes, or what serves for them. PL_PARK_PORTABLE takes the latter
 * on Linux too, for its tests. */
#include "platform/park.h"

#include <errno.h>
#include <limits.h>

#if defined(__linux__) && !defined(PL_PARK_PORTABLE)

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

pl_park_result pl_park(_Atomic uint32_t *word, uint32_t expected,
                       int64_t until_ns)
{
    int64_t ns = until_ns > 0 ? until_ns : 0;
    int64_t seconds = ns / 1000000000;
    /* the system call's timespec, which has longs whatever time_t is */
    struct {
        long seconds;
        long nanoseconds;
    } until = { seconds < LONG_MAX ? (long)seconds : LONG_MAX,
                (long)(ns % 1000000000) };
    /* FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC. Forever is
     * a time too: a sleep without one goes on after a handler that was
     * installed with SA_RESTART, and nobody would be told. */
    long failed = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                          &until, NULL, FUTEX_BITSET_MATCH_ANY);
    if (failed && errno == ETIMEDOUT)
        return PL_PARK_TIMEOUT;
    return failed && errno == EINTR ? PL_PARK_SIGNAL : PL_PARK_WOKEN;
}

void pl_unpark(_Atomic uint32_t *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

#else

#include <pthread.h>
#include <time.h>

#define N_LOTS 64

/* Parking lots by address; the mutex closes the gap between the look at the
 * word and the sleep. */
static struct lot {
    pthread_mutex_t mutex;
    pthread_cond_t woken;
} lots[N_LOTS];
static pthread_once_t lots_made = PTHREAD_ONCE_INIT;

static void make_lots(void)
{
    for (int i = 0; i < N_LOTS; i++) {
        pthread_mutex_init(&lots[i].mutex, NULL);
        pthread_cond_init(&lots[i].woken, NULL);
    }
}

static struct lot *lot_of(const void *word)
{
    pthread_once(&lots_made, make_lots);
    return &lots[((uintptr_t)word >> 4) % N_LOTS];
}

/* Condition variables sleep by CLOCK_REALTIME here. */
static struct timespec wall_time(int64_t until_ns)
{
    struct timespec now, wall;
    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t left = until_ns - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    left = left < 0 ? 0 : left > INT64_MAX / 2 ? INT64_MAX / 2 : left;
    int64_t then = wall.tv_nsec + left;
    wall.tv_sec += (time_t)(then / 1000000000);
    wall.tv_nsec = (long)(then % 1000000000);
    return wall;
}

static int sleep_in(struct lot *lot, int64_t until_ns)
{
    if (until_ns == PL_FOREVER)
        return pthread_cond_wait(&lot->woken, &lot->mutex);
    struct timespec until = wall_time(until_ns);
    return pthread_cond_timedwait(&lot->woken, &lot->mutex, &until);
}

pl_park_result pl_park(_Atomic uint32_t *word, uint32_t expected,
                       int64_t until_ns)
{
    struct lot *lot = lot_of(word);
    int failed = 0;
    pthread_mutex_lock(&lot->mutex);
    /* acquire: who sees the change sees what was written before it */
    if (atomic_load_explicit(word, memory_order_acquire) == expected)
        failed = sleep_in(lot, until_ns);
    pthread_mutex_unlock(&lot->mutex);
    return failed == ETIMEDOUT ? PL_PARK_TIMEOUT : PL_PARK_WOKEN;
}

void pl_unpark(_Atomic uint32_t *word, int n)
{
    struct lot *lot = lot_of(word);
    (void)n; /* others share the lot: all look again */
    pthread_mutex_lock(&lot->mutex);
    pthread_cond_broadcast(&lot->woken);
    pthread_mutex_unlock(&lot->mutex);
}

#endif
