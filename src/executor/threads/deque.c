/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deque.c: a work-stealing deque.
 *
 * The one race that matters is for the last task: the owner lowers bottom, then
 * reads top; a thief reads top, then bottom. Both pairs are sequentially
 * consistent, so not both can miss the other, and the compare-and-exchange on
 * top decides between them.
 */
#include "executor/threads/deque.h"

#include "base/alloc.h"

void pl_deque_init(pl_deque *deque)
{
    atomic_init(&deque->top, 0);
    atomic_init(&deque->bottom, 0);
    deque->first =
        (pl_deque_ring){ NULL, PL_DEQUE_INLINE, deque->inline_tasks };
    atomic_init(&deque->ring, &deque->first);
}

void pl_deque_fini(pl_deque *deque)
{
    pl_deque_ring *ring =
        atomic_load_explicit(&deque->ring, memory_order_relaxed);
    while (ring != &deque->first) {
        pl_deque_ring *older = ring->older;
        pl_free(ring);
        ring = older;
    }
}

static _Atomic uint32_t *place(const pl_deque_ring *ring, int64_t at)
{
    return &ring->tasks[at & (ring->capacity - 1)];
}

/* A ring of twice the size with the same tasks. Thieves that still read the
 * old one find the same tasks there. */
static pl_deque_ring *grow(pl_deque *deque, pl_deque_ring *ring, int64_t top,
                           int64_t bottom)
{
    int64_t capacity = 2 * ring->capacity;
    pl_deque_ring *grown =
        pl_alloc(sizeof *grown + (size_t)capacity * sizeof *grown->tasks);
    if (!grown)
        return NULL;
    *grown = (pl_deque_ring){ ring, capacity, (void *)(grown + 1) };
    for (int64_t at = top; at < bottom; at++) {
        uint32_t task =
            atomic_load_explicit(place(ring, at), memory_order_relaxed);
        atomic_store_explicit(place(grown, at), task, memory_order_relaxed);
    }
    /* release: a thief that reads the ring reads its tasks */
    atomic_store_explicit(&deque->ring, grown, memory_order_release);
    return grown;
}

bool pl_deque_push(pl_deque *deque, uint32_t task)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    /* acquire: the places below top are free to be written again */
    int64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    pl_deque_ring *ring =
        atomic_load_explicit(&deque->ring, memory_order_relaxed);
    if (bottom - top >= ring->capacity) {
        ring = grow(deque, ring, top, bottom);
        if (!ring)
            return false;
    }
    atomic_store_explicit(place(ring, bottom), task, memory_order_relaxed);
    /* release: a thief that sees the new bottom sees the task, and what was
     * done before it became ready */
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    return true;
}

uint32_t pl_deque_take(pl_deque *deque)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    /* relaxed: top only rises, so "empty" is true for good; saves the dear
     * store below */
    if (atomic_load_explicit(&deque->top, memory_order_relaxed) >= bottom)
        return PL_NONE;
    bottom--;
    pl_deque_ring *ring =
        atomic_load_explicit(&deque->ring, memory_order_relaxed);
    atomic_store_explicit(&deque->bottom, bottom, memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    uint32_t task = PL_NONE;
    if (top < bottom)
        return atomic_load_explicit(place(ring, bottom), memory_order_relaxed);
    if (top == bottom) { /* the last one: thieves may want it too */
        task = atomic_load_explicit(place(ring, bottom), memory_order_relaxed);
        if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1,
                                                     memory_order_seq_cst,
                                                     memory_order_relaxed))
            task = PL_NONE;
    }
    /* release: keeps the order of stores to bottom that thieves acquire */
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    return task;
}

uint32_t pl_deque_steal(pl_deque *deque)
{
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_seq_cst);
    if (top >= bottom)
        return PL_NONE;
    /* acquire: see grow */
    pl_deque_ring *ring =
        atomic_load_explicit(&deque->ring, memory_order_acquire);
    uint32_t task =
        atomic_load_explicit(place(ring, top), memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1,
                                                 memory_order_seq_cst,
                                                 memory_order_relaxed))
        return PL_NONE;
    return task;
}

uint32_t pl_deque_peek(pl_deque *deque)
{
    int64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_acquire);
    if (top >= bottom)
        return PL_NONE;
    pl_deque_ring *ring =
        atomic_load_explicit(&deque->ring, memory_order_acquire);
    return atomic_load_explicit(place(ring, top), memory_order_relaxed);
}
