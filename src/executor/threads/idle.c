/* SPDX-License-Identifier: BSD-3-Clause */
/* idle.c: sleeping and waking workers. */
#include "executor/threads/idle.h"

#include <limits.h>

#include "platform/park.h"

bool pl_idle_search(pl_idle *idle)
{
    /* relaxed: the word carries no data; work is published by deques and the
     * pool's mutex, and the barrier pair orders it against the word */
    uint32_t word = atomic_load_explicit(&idle->word, memory_order_relaxed);
    return !(word & PL_IDLE_SEARCHING) &&
           atomic_compare_exchange_strong_explicit(
               &idle->word, &word, word | PL_IDLE_SEARCHING,
               memory_order_relaxed, memory_order_relaxed);
}

bool pl_idle_found(pl_idle *idle)
{
    /* acquire: sees the work of those who did not wake because it searched;
     * release: what the searcher did is behind it when another becomes one */
    uint32_t before = atomic_fetch_and_explicit(&idle->word, ~PL_IDLE_SEARCHING,
                                                memory_order_acq_rel);
    return (before & PL_IDLE_SLEEPERS) != 0;
}

bool pl_idle_sleeps(const pl_idle *idle)
{
    /* relaxed: the mutex under which sleepers look orders it */
    return (atomic_load_explicit(&idle->word, memory_order_relaxed) &
            PL_IDLE_SLEEPERS) != 0;
}

void pl_idle_lie_down(pl_idle *idle)
{
    /* relaxed: the barrier orders it before the last look */
    atomic_fetch_add_explicit(&idle->word, PL_IDLE_SLEEPER,
                              memory_order_relaxed);
    pl_barrier_heavy();
}

/* Leaves the sleepers: by a token when there is one (true), else, when
 * `anyway`, as a sleeper. False and still one of them, or false and gone. */
static bool get_up(pl_idle *idle, bool anyway)
{
    uint32_t word = atomic_load_explicit(&idle->word, memory_order_relaxed);
    for (;;) {
        bool token = (word & PL_IDLE_TOKENS) != 0;
        if (!token && !anyway)
            return false;
        uint32_t less = token ? PL_IDLE_TOKEN : PL_IDLE_SLEEPER;
        /* acquire: pairs with the waker's release */
        if (atomic_compare_exchange_weak_explicit(
                &idle->word, &word, word - less, memory_order_acquire,
                memory_order_relaxed))
            return token;
    }
}

bool pl_idle_stay(pl_idle *idle)
{
    return get_up(idle, true);
}

pl_idle_end pl_idle_sleep(pl_idle *idle, const _Atomic bool *closing,
                          int64_t until_ns)
{
    for (bool is_late = false;;) {
        /* acquire: a wake after this changes the epoch again */
        uint32_t epoch =
            atomic_load_explicit(&idle->epoch, memory_order_acquire);
        if (get_up(idle, false))
            return PL_IDLE_WOKEN;
        if (atomic_load_explicit(closing, memory_order_acquire))
            return get_up(idle, true) ? PL_IDLE_WOKEN : PL_IDLE_CLOSING;
        if (is_late)
            return PL_IDLE_LATE;
        is_late = pl_park(&idle->epoch, epoch, until_ns) == PL_PARK_TIMEOUT;
    }
}

void pl_idle_wake_all(pl_idle *idle)
{
    /* release: `closing` was set before */
    atomic_fetch_add_explicit(&idle->epoch, 1, memory_order_release);
    pl_unpark(&idle->epoch, INT_MAX);
}

void pl_idle_wake_one(pl_idle *idle)
{
    uint32_t word = atomic_load_explicit(&idle->word, memory_order_relaxed);
    uint32_t next;
    do {
        if (!(word & PL_IDLE_SLEEPERS))
            return;
        /* Where somebody searches, the word is written as it is: who clears
         * `searching` comes behind that, and sees the work. */
        next =
            word & PL_IDLE_SEARCHING
                ? word
                : (word - PL_IDLE_SLEEPER + PL_IDLE_TOKEN) | PL_IDLE_SEARCHING;
        /* release: the searcher, or who takes the token, sees the work */
    } while (!atomic_compare_exchange_weak_explicit(
        &idle->word, &word, next, memory_order_release, memory_order_relaxed));
    if (next == word)
        return;
    atomic_fetch_add_explicit(&idle->epoch, 1, memory_order_release);
    pl_unpark(&idle->epoch, 1);
}
