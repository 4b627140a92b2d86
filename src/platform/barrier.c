/* SPDX-License-Identifier: BSD-3-Clause */
/* barrier.c: the dear side of the barrier pair. */
#include "platform/barrier.h"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

_Atomic bool pl_barrier_is_asymmetric;

void pl_barrier_init(void)
{
#if defined(__linux__) && defined(SYS_membarrier)
    bool can = syscall(SYS_membarrier,
                       MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    /* relaxed: before the threads of a pair begin; two that begin pools at once
     * store the same */
    atomic_store_explicit(&pl_barrier_is_asymmetric, can, memory_order_relaxed);
#endif
}

#if defined(__linux__) && defined(SYS_membarrier)
/* The kernel has no memory for it, or a filter forbids it since. From now on
 * both sides are full fences; what a light side has stored before has left its
 * CPU's store buffer long before the sleep ends. */
static void give_up_asymmetry(void)
{
    const struct timespec while_stores_drain = { 0, 1000000 };
    atomic_store_explicit(&pl_barrier_is_asymmetric, false,
                          memory_order_seq_cst);
    nanosleep(&while_stores_drain, NULL);
}
#endif

void pl_barrier_heavy(void)
{
#if defined(__linux__) && defined(SYS_membarrier)
    if (atomic_load_explicit(&pl_barrier_is_asymmetric, memory_order_relaxed)) {
        if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) ==
            0)
            return;
        give_up_asymmetry();
    }
#endif
    pl_barrier_full();
}
