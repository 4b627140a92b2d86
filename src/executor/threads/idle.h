/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * idle.h: who of a pool's workers sleeps, who looks for work, and waking.
 *
 * One word holds three numbers:
 *
 *   sleepers   workers that have said that they are going to sleep
 *   tokens     sleepers that were woken and have not noticed yet
 *   searching  whether one worker looks for work (at most one does)
 *
 * Whoever makes work visible calls pl_idle_notify: it wakes a sleeper only when
 * somebody sleeps and nobody searches. A woken sleeper is the searcher. A
 * searcher that finds work stops searching, and wakes another when there is
 * more, in any run: wakes spread as a chain, and a burst of pushes costs one.
 *
 * No wake-up is lost. The notifier makes work visible, then reads the word
 * (a light barrier between). The sleeper writes the word, then looks for work
 * once more (a heavy barrier between). One of them sees the other. A notifier
 * that leaves it to the searcher writes the word (as it is); the searcher
 * clears `searching` behind that, and looks for more work before it turns to
 * anything else that may take long.
 *
 * Modelled in tests/model/idle.pml.
 */
#ifndef PL_IDLE_H
#define PL_IDLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/barrier.h"

#define PL_IDLE_SLEEPER UINT32_C(1)
#define PL_IDLE_SLEEPERS UINT32_C(0xfff)
#define PL_IDLE_TOKEN (UINT32_C(1) << 12)
#define PL_IDLE_TOKENS (UINT32_C(0xfff) << 12)
#define PL_IDLE_SEARCHING (UINT32_C(1) << 24)

/* All zero: nobody is idle. */
typedef struct pl_idle {
    _Alignas(64) _Atomic uint32_t word;
    _Atomic uint32_t epoch; /* what sleepers park on; changed by every wake */
} pl_idle;

/* Becomes the searcher; false: there is one.  Thread: any.  Blocks: no. */
bool pl_idle_search(pl_idle *idle);

/* The searcher is one no more. True: somebody sleeps, so it has to look whether
 * there is more work, and to notify then.  Thread: the searcher.  Blocks: no.
 */
bool pl_idle_found(pl_idle *idle);

/* Whether anybody sleeps.  Thread: any that holds the pool's mutex. */
bool pl_idle_sleeps(const pl_idle *idle);

/* Says that this worker is going to sleep. The caller looks for work once more
 * and then calls pl_idle_sleep or pl_idle_stay.
 * Thread: any but the searcher.  Blocks: no. */
void pl_idle_lie_down(pl_idle *idle);

/* There was work after all. True: it was being woken meanwhile, and is the
 * searcher.  Blocks: no. */
bool pl_idle_stay(pl_idle *idle);

typedef enum pl_idle_end {
    PL_IDLE_WOKEN,  /* it is the searcher now */
    PL_IDLE_LATE,   /* until_ns has passed, and it is a sleeper still */
    PL_IDLE_CLOSING /* *closing is set, and it is no sleeper any more */
} pl_idle_end;

/* Sleeps until woken, until until_ns, or until *closing.  Blocks: yes. */
pl_idle_end pl_idle_sleep(pl_idle *idle, const _Atomic bool *closing,
                          int64_t until_ns);

/* Wakes all sleepers, to see that *closing is set.  Blocks: no. */
void pl_idle_wake_all(pl_idle *idle);

/* The slow half of pl_idle_notify. */
void pl_idle_wake_one(pl_idle *idle);

/* Work was made visible.  Thread: any.  Blocks: no. */
static inline void pl_idle_notify(pl_idle *idle)
{
    pl_barrier_light();
    /* relaxed: the barrier orders it behind the work */
    uint32_t word = atomic_load_explicit(&idle->word, memory_order_relaxed);
    if (word & PL_IDLE_SLEEPERS)
        pl_idle_wake_one(idle);
}

#endif
