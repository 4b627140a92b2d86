/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_stack.h: the stack of a walk down from the targets. Tasks are pushed
 * by keys: the one with the highest rank comes to lie on top, among equals the
 * one created first.
 *
 * Thread: one.  Blocks: no.
 */
#ifndef PL_ORDER_STACK_H
#define PL_ORDER_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/order_sort.h"

/* All zero is empty. */
typedef struct pl_order_stack {
    uint32_t *tasks;
    size_t height, capacity;
} pl_order_stack;

void pl_order_stack_fini(pl_order_stack *stack);

/* Makes room for `more` tasks than there are. False: no memory, unchanged. */
bool pl_order_stack_grow(pl_order_stack *stack, size_t more);

static inline bool pl_order_stack_reserve(pl_order_stack *stack, size_t more)
{
    return more <= stack->capacity - stack->height ||
           pl_order_stack_grow(stack, more);
}

static inline uint32_t pl_order_stack_top(const pl_order_stack *stack)
{
    return stack->tasks[stack->height - 1];
}

static inline uint64_t pl_order_key(uint32_t rank, uint32_t task)
{
    return (uint64_t)rank << 32 | (UINT32_MAX - task);
}

/* Sorts the keys and pushes their tasks, for which there is room. */
static inline void pl_order_stack_push(pl_order_stack *stack, uint64_t *keys,
                                       size_t n)
{
    pl_order_sort(keys, n);
    for (size_t i = 0; i < n; i++)
        stack->tasks[stack->height++] = UINT32_MAX - (uint32_t)keys[i];
}

#endif
