/* SPDX-License-Identifier: BSD-3-Clause */
/* segvec.c: a vector whose items never move. */
#include "graph/segvec.h"

#include "base/alloc.h"
#include "platform/pages.h"

void pl_segvec_init(pl_segvec *vec, uint32_t item_size)
{
    *vec = (pl_segvec){ .item_size = item_size };
}

static size_t items_in(uint32_t segment)
{
    return (size_t)PL_SEGVEC_FIRST << segment;
}

void pl_segvec_fini(pl_segvec *vec)
{
    for (uint32_t k = 0; k < vec->n_segments; k++)
        pl_pages_free(vec->segments[k], items_in(k), vec->item_size);
    pl_segvec_init(vec, vec->item_size);
}

bool pl_segvec_grow(pl_segvec *vec)
{
    uint32_t k = vec->n_segments;
    if (k == PL_SEGVEC_SEGMENTS)
        return false;
    char *segment = pl_pages_alloc(items_in(k), vec->item_size);
    if (!segment)
        return false;
    vec->segments[k] = vec->next = segment;
    vec->end = segment + items_in(k) * vec->item_size;
    vec->n_segments++;
    return true;
}

size_t pl_segvec_bytes(const pl_segvec *vec)
{
    size_t items = 0;
    for (uint32_t k = 0; k < vec->n_segments; k++)
        items += items_in(k);
    return items * vec->item_size;
}
