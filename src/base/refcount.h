/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * refcount.h: counting references, from any thread.
 *
 * Taking a reference needs no order: who takes one has one already. Giving one
 * up releases what this thread wrote; the last one acquires what all wrote, and
 * frees. The load in pl_refcount_give saves the atomic subtraction of the only
 * owner: when the count reads 1, nobody else can raise it.
 *
 * Thread: any.  Blocks: no.
 */
#ifndef PL_REFCOUNT_H
#define PL_REFCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint32_t pl_refcount;

/* Counts from here on are never changed: static objects. */
#define PL_REFCOUNT_STATIC (UINT32_C(1) << 31)

static inline void pl_refcount_take(pl_refcount *count)
{
    /* relaxed: the caller's own reference keeps the object alive */
    if (atomic_load_explicit(count, memory_order_relaxed) < PL_REFCOUNT_STATIC)
        atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

/* True: that was the last one, and the caller frees. */
static inline bool pl_refcount_give(pl_refcount *count)
{
    /* acquire: see what earlier owners wrote before they gave theirs up */
    uint32_t now = atomic_load_explicit(count, memory_order_acquire);
    if (now == 1)
        return true;
    if (now >= PL_REFCOUNT_STATIC)
        return false;
    return atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
}

#endif
