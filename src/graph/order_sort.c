/* SPDX-License-Identifier: BSD-3-Clause */
/* order_sort.c: insertion sort for few keys, heap sort for many. */
#include "graph/order_sort.h"

#define FEW 24

static void insertion_sort(uint64_t *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t key = keys[i];
        size_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

static void sift_down(uint64_t *keys, size_t at, size_t n)
{
    uint64_t key = keys[at];
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && keys[child + 1] > keys[child];
        if (keys[child] <= key)
            break;
        keys[at] = keys[child];
    }
    keys[at] = key;
}

void pl_order_sort_many(uint64_t *keys, size_t n)
{
    if (n <= FEW) {
        insertion_sort(keys, n);
        return;
    }
    for (size_t i = n / 2; i-- > 0;)
        sift_down(keys, i, n);
    for (size_t last = n - 1; last > 0; last--) {
        uint64_t top = keys[0];
        keys[0] = keys[last];
        keys[last] = top;
        sift_down(keys, 0, last);
    }
}
