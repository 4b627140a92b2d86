/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_sort.h: sorts 64-bit keys in place, rising, in n log n at worst and
 * without memory of its own.  Thread: any.  Blocks: no.
 */
#ifndef PL_ORDER_SORT_H
#define PL_ORDER_SORT_H

#include <stddef.h>
#include <stdint.h>

void pl_order_sort_many(uint64_t *keys, size_t n);

static inline void pl_order_sort(uint64_t *keys, size_t n)
{
    if (n > 2) {
        pl_order_sort_many(keys, n);
    } else if (n == 2 && keys[0] > keys[1]) {
        uint64_t key = keys[0];
        keys[0] = keys[1];
        keys[1] = key;
    }
}

#endif
