/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deque.h: a work-stealing deque of task numbers: one owner pushes and takes at
 * the bottom, thieves steal at the top. Chase and Lev, "Dynamic Circular
 * Work-Stealing Deque" (SPAA 2005), in the C11 form of Lê, Pop, Cohen and
 * Nardelli (PPoPP 2013), with sequentially consistent accesses in the place of
 * fences, which ThreadSanitizer does not know.
 *
 * Modelled in tests/model/deque.pml.
 */
#ifndef PL_DEQUE_H
#define PL_DEQUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "graph/plan.h"

#define PL_DEQUE_INLINE 64

typedef struct pl_deque_ring {
    struct pl_deque_ring *older; /* thieves may still read it: freed last */
    int64_t capacity;            /* a power of two */
    _Atomic uint32_t *tasks;
} pl_deque_ring;

/* top and bottom are on cache lines of their own: thieves write one, the owner
 * the other. */
typedef struct pl_deque {
    _Alignas(64) _Atomic int64_t top;
    _Alignas(64) _Atomic int64_t bottom;
    _Atomic(pl_deque_ring *) ring;
    pl_deque_ring first;
    _Atomic uint32_t inline_tasks[PL_DEQUE_INLINE];
} pl_deque;

void pl_deque_init(pl_deque *deque);
void pl_deque_fini(pl_deque *deque);

/* False: it is full, and there is no memory to grow.
 * Thread: the owner.  Blocks: no. */
bool pl_deque_push(pl_deque *deque, uint32_t task);

/* The task pushed last, or PL_NONE.  Thread: the owner.  Blocks: no. */
uint32_t pl_deque_take(pl_deque *deque);

/* The task pushed first; PL_NONE: empty, or another thief was faster.
 * Thread: any.  Blocks: no. */
uint32_t pl_deque_steal(pl_deque *deque);

/* What pl_deque_steal would probably return.  Thread: any.  Blocks: no. */
uint32_t pl_deque_peek(pl_deque *deque);

/* About how many tasks there are.  Thread: any.  Blocks: no. */
static inline int64_t pl_deque_length(const pl_deque *deque)
{
    /* relaxed: a guess */
    return atomic_load_explicit(&deque->bottom, memory_order_relaxed) -
           atomic_load_explicit(&deque->top, memory_order_relaxed);
}

#endif
