/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * segvec.h: a vector whose items never move, so that running tasks read it
 * while its builder appends.
 *
 * Segment k holds PL_SEGVEC_FIRST << k items; item i is found by the highest
 * bit of i + PL_SEGVEC_FIRST (the layout of Brodnik et al., "Resizable Arrays
 * in Optimal Time and Space", 1999). Reading items that were published to the
 * reader (a plan made after they were appended) needs no atomics.
 *
 * Thread: one appends; any read what was published to them.  Blocks: no.
 */
#ifndef PL_SEGVEC_H
#define PL_SEGVEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL_SEGVEC_FIRST_BITS 5
#define PL_SEGVEC_FIRST (1u << PL_SEGVEC_FIRST_BITS)
#define PL_SEGVEC_SEGMENTS (32 - PL_SEGVEC_FIRST_BITS)

/* All zero but `item_size` is empty. At most 2^32 - 1 - PL_SEGVEC_FIRST. */
typedef struct pl_segvec {
    void *segments[PL_SEGVEC_SEGMENTS];
    uint32_t length;
    uint32_t room; /* items that fit before the next segment is needed */
    uint32_t item_size;
} pl_segvec;

void pl_segvec_init(pl_segvec *vec, uint32_t item_size);
void pl_segvec_fini(pl_segvec *vec);

/* Makes sure that `more` appends will succeed. */
bool pl_segvec_reserve(pl_segvec *vec, uint32_t more);

/* Bytes held. */
size_t pl_segvec_bytes(const pl_segvec *vec);

static inline void *pl_segvec_at(const pl_segvec *vec, uint32_t i)
{
    uint32_t at = i + PL_SEGVEC_FIRST;
    uint32_t top = 31u - (uint32_t)__builtin_clz(at);
    char *segment = vec->segments[top - PL_SEGVEC_FIRST_BITS];
    return segment + (size_t)(at - (1u << top)) * vec->item_size;
}

/* The new last item, not initialised; NULL: no memory. */
static inline void *pl_segvec_push(pl_segvec *vec)
{
    if (vec->room == 0 && !pl_segvec_reserve(vec, 1))
        return NULL;
    vec->room--;
    return pl_segvec_at(vec, vec->length++);
}

#endif
