/* SPDX-License-Identifier: BSD-3-Clause */
/* order_number.c: how many results a task's computation needs alive. */
#include "graph/order_candidate.h"

#include "graph/order_sort.h"

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Of inputs taken in falling order of their numbers, the i-th is computed while
 * the results of i others wait. An input may be repeated. */
static uint32_t number_many(const uint16_t *numbers, const uint32_t *inputs,
                            uint32_t k, uint64_t *keys)
{
    for (uint32_t i = 0; i < k; i++)
        keys[i] = (uint64_t)numbers[inputs[i]] << 32 | inputs[i];
    pl_order_sort(keys, k);
    uint32_t number = 1, waiting = 0;
    for (uint32_t i = k; i-- > 0;) {
        if (i + 1 < k && keys[i] == keys[i + 1])
            continue;
        number = max_u32(number, (uint32_t)(keys[i] >> 32) + waiting++);
    }
    return max_u32(number, waiting + 1);
}

static uint32_t number_one(const uint16_t *numbers, const uint32_t *inputs,
                           uint32_t k, uint64_t *keys)
{
    if (k == 0)
        return 1;
    if (k == 1 || (k == 2 && inputs[0] == inputs[1]))
        return max_u32(numbers[inputs[0]], 2);
    if (k > 2)
        return number_many(numbers, inputs, k, keys);
    uint32_t a = numbers[inputs[0]], b = numbers[inputs[1]];
    return max_u32(a == b ? a + 1 : max_u32(a, b), 3);
}

void pl_order_number(const pl_order_graph *graph, uint16_t *numbers,
                     uint64_t *keys)
{
    for (uint32_t t = 0; t < graph->n; t++) {
        uint32_t number =
            number_one(numbers, graph->inputs + graph->input_at[t],
                       pl_order_n_inputs(graph, t), keys);
        numbers[t] = (uint16_t)(number < UINT16_MAX ? number : UINT16_MAX);
    }
}

size_t pl_order_widest(const pl_order_graph *graph)
{
    size_t most = 0, sinks = 0;
    for (uint32_t t = 0; t < graph->n; t++) {
        size_t k = pl_order_n_inputs(graph, t);
        most = k > most ? k : most;
        sinks += graph->successor_at[t] == graph->successor_at[t + 1];
    }
    return most > sinks ? most : sinks;
}
