/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ready_heap.h: the ready tasks of an owned run, lowest number first: a binary
 * heap with room for every task.
 *
 * Thread: the run's driver.  Blocks: no.
 */
#ifndef PL_READY_HEAP_H
#define PL_READY_HEAP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pl_ready_heap {
    uint32_t *tasks;
    uint32_t n;
    uint32_t room;
} pl_ready_heap;

/* False: no memory. */
bool pl_ready_heap_init(pl_ready_heap *heap, uint32_t room);
void pl_ready_heap_fini(pl_ready_heap *heap);

/* The caller pushes a task once, until it is popped. */
void pl_ready_heap_push(pl_ready_heap *heap, uint32_t task);

/* The lowest; the heap is not empty. */
uint32_t pl_ready_heap_pop(pl_ready_heap *heap);

#endif
