/* SPDX-License-Identifier: BSD-3-Clause */
/* segvec.c: a vector whose items never move. */
#include "base/segvec.h"

#include "base/alloc.h"

void pl_segvec_init(pl_segvec *vec, uint32_t item_size)
{
    *vec = (pl_segvec){ .item_size = item_size };
}

void pl_segvec_fini(pl_segvec *vec)
{
    for (size_t k = 0; k < PL_SEGVEC_SEGMENTS; k++)
        pl_free(vec->segments[k]);
    pl_segvec_init(vec, vec->item_size);
}

static size_t first_free_segment(const pl_segvec *vec)
{
    size_t k = 0;
    while (k < PL_SEGVEC_SEGMENTS && vec->segments[k])
        k++;
    return k;
}

bool pl_segvec_reserve(pl_segvec *vec, uint32_t more)
{
    while (vec->room < more) {
        size_t k = first_free_segment(vec);
        if (k == PL_SEGVEC_SEGMENTS)
            return false;
        uint32_t items = PL_SEGVEC_FIRST << k;
        size_t bytes;
        if (!pl_mul_size(items, vec->item_size, &bytes))
            return false;
        vec->segments[k] = pl_alloc(bytes);
        if (!vec->segments[k])
            return false;
        vec->room += items;
    }
    return true;
}

size_t pl_segvec_bytes(const pl_segvec *vec)
{
    size_t items = 0;
    for (size_t k = 0; k < PL_SEGVEC_SEGMENTS && vec->segments[k]; k++)
        items += (size_t)PL_SEGVEC_FIRST << k;
    return items * vec->item_size;
}
