/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_priority.c: tasks that their user wants earlier.
 *
 * A task is as urgent as the most urgent of what needs it and itself. Sorting
 * by falling urgency, stably, keeps every input before what uses it: it is at
 * least as urgent, and was earlier before.
 */
#include "graph/order_candidate.h"

#include <string.h>

#include "base/alloc.h"

#define DIGIT_BITS 8
#define DIGITS (1u << DIGIT_BITS)

/* Rising keys are falling urgency. */
static uint32_t key_of(int32_t urgency)
{
    return ~((uint32_t)urgency ^ UINT32_C(0x80000000));
}

/* Whether they differ. */
static bool find_keys(const pl_order_graph *graph, uint32_t *keys)
{
    bool differ = false;
    for (uint32_t t = graph->n; t-- > 0;) {
        uint32_t key = key_of(graph->priorities[t]);
        uint32_t end = graph->successor_at[t + 1];
        for (uint32_t i = graph->successor_at[t]; i < end; i++) {
            if (keys[graph->successors[i]] < key)
                key = keys[graph->successors[i]];
        }
        keys[t] = key;
        differ = differ || key != keys[graph->n - 1];
    }
    return differ;
}

/* One pass of a radix sort, stable; false: all have the same digit, and nothing
 * was written. */
static bool sort_by_digit(const uint32_t *from, uint32_t *to, uint32_t n,
                          const uint32_t *keys, uint32_t shift)
{
    uint32_t at[DIGITS] = { 0 };
    for (uint32_t i = 0; i < n; i++)
        at[keys[i] >> shift & (DIGITS - 1)]++;
    if (at[keys[0] >> shift & (DIGITS - 1)] == n)
        return false;
    uint32_t sum = 0;
    for (uint32_t d = 0; d < DIGITS; d++) {
        uint32_t count = at[d];
        at[d] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < n; i++)
        to[at[keys[from[i]] >> shift & (DIGITS - 1)]++] = from[i];
    return true;
}

static void sort_tasks(uint32_t *sequence, uint32_t *spare, uint32_t n,
                       const uint32_t *keys, uint32_t *position)
{
    for (uint32_t shift = 0; shift < 32; shift += DIGIT_BITS) {
        if (!sort_by_digit(sequence, spare, n, keys, shift))
            continue;
        uint32_t *sorted = spare;
        spare = sequence;
        sequence = sorted;
    }
    for (uint32_t i = 0; i < n; i++)
        position[sequence[i]] = i;
}

bool pl_order_apply_priorities(const pl_order_graph *graph, uint32_t *position,
                               bool *is_identity, size_t *bytes)
{
    size_t n = graph->n;
    *bytes = 0;
    if (!graph->priorities || n == 0)
        return true;
    /* Three arrays: keys, tasks by place, room to sort. */
    uint32_t *keys = pl_calloc(n, 3 * sizeof *keys);
    if (!keys)
        return false;
    *bytes = 3 * n * sizeof *keys;
    if (find_keys(graph, keys)) {
        uint32_t *sequence = keys + n;
        for (uint32_t t = 0; t < graph->n; t++)
            sequence[*is_identity ? t : position[t]] = t;
        sort_tasks(sequence, sequence + n, graph->n, keys, position);
        for (uint32_t t = 0; *is_identity && t < graph->n; t++)
            *is_identity = position[t] == t;
    }
    pl_free(keys);
    return true;
}
