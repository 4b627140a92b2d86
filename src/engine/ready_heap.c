/* SPDX-License-Identifier: BSD-3-Clause */
/* ready_heap.c: a binary heap of task numbers. */
#include "engine/ready_heap.h"

#include "platform/pages.h"

bool pl_ready_heap_init(pl_ready_heap *heap, uint32_t room)
{
    *heap = (pl_ready_heap){ .room = room };
    heap->tasks = pl_pages_alloc(room, sizeof *heap->tasks);
    return heap->tasks != NULL;
}

void pl_ready_heap_fini(pl_ready_heap *heap)
{
    pl_pages_free(heap->tasks, heap->room, sizeof *heap->tasks);
}

void pl_ready_heap_push(pl_ready_heap *heap, uint32_t task)
{
    uint32_t at = heap->n++;
    while (at > 0 && heap->tasks[(at - 1) / 2] > task) {
        heap->tasks[at] = heap->tasks[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->tasks[at] = task;
}

uint32_t pl_ready_heap_pop(pl_ready_heap *heap)
{
    uint32_t least = heap->tasks[0];
    uint32_t last = heap->tasks[--heap->n];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap->n)
            break;
        if (child + 1 < heap->n && heap->tasks[child + 1] < heap->tasks[child])
            child++;
        if (heap->tasks[child] >= last)
            break;
        heap->tasks[at] = heap->tasks[child];
        at = child;
    }
    heap->tasks[at] = last;
    return least;
}
