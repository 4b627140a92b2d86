/* SPDX-License-Identifier: BSD-3-Clause */
/* order_stack.c: a stack that doubles. */
#include "graph/order_stack.h"

#include "base/alloc.h"

#define FIRST_CAPACITY 256

void pl_order_stack_fini(pl_order_stack *stack)
{
    pl_free(stack->tasks);
    *stack = (pl_order_stack){ 0 };
}

bool pl_order_stack_grow(pl_order_stack *stack, size_t more)
{
    size_t capacity = stack->capacity ? stack->capacity : FIRST_CAPACITY;
    size_t bytes;
    while (capacity - stack->height < more) {
        if (!pl_mul_size(capacity, 2, &capacity))
            return false;
    }
    if (!pl_mul_size(capacity, sizeof *stack->tasks, &bytes))
        return false;
    uint32_t *tasks = pl_realloc(stack->tasks, bytes);
    if (!tasks)
        return false;
    stack->tasks = tasks;
    stack->capacity = capacity;
    return true;
}
