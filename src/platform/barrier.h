/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * barrier.h: a pair of memory barriers, one nearly free, one dear.
 *
 * Thread A stores x, then pl_barrier_light, then loads y. Thread B stores y,
 * then pl_barrier_heavy, then loads x. At least one of them sees the other's
 * store, as if both had full fences. The heavy side asks the kernel to run a
 * full barrier on every CPU that runs a thread of this process
 * (membarrier(2)); the light side then only has to keep the compiler in order.
 * Where the kernel can't, both are full fences.
 *
 * Thread: any.  Blocks: no.
 */
#ifndef PL_BARRIER_H
#define PL_BARRIER_H

#include <stdatomic.h>
#include <stdbool.h>

/* Whether the light side may be light. Set by pl_barrier_init, before the first
 * pair; cleared for good when the kernel refuses the heavy side later. */
extern _Atomic bool pl_barrier_is_asymmetric;

/* Idempotent; before any thread uses the pair. */
void pl_barrier_init(void);

void pl_barrier_heavy(void);

static inline void pl_barrier_full(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void pl_barrier_light(void)
{
    /* relaxed: set before the threads of a pair began; who clears it waits */
    if (atomic_load_explicit(&pl_barrier_is_asymmetric, memory_order_relaxed))
        atomic_signal_fence(memory_order_seq_cst);
    else
        pl_barrier_full();
}

#endif
