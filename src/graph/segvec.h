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

/* At most 2^32 - 1 - PL_SEGVEC_FIRST items. */
typedef struct pl_segvec {
    char *next; /* where the next item goes */
    char *end;  /* of the last segment */
    uint32_t length;
    uint32_t item_size;
    uint32_t n_segments;
    void *segments[PL_SEGVEC_SEGMENTS];
} pl_segvec;

void pl_segvec_init(pl_segvec *vec, uint32_t item_size);
void pl_segvec_fini(pl_segvec *vec);

/* Appends a segment. False: no memory. */
bool pl_segvec_grow(pl_segvec *vec);

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
    if (vec->next == vec->end && !pl_segvec_grow(vec))
        return NULL;
    char *item = vec->next;
    vec->next += vec->item_size;
    vec->length++;
    return item;
}

/*
 * Going through items in order, either way, a segment at a time: `item` walks
 * from `begin` to `end`.
 *
 *   pl_segvec_span span = pl_segvec_span_of(&vec, i);  // i < vec.length
 *
 * gives item i, and the bounds of the part of its segment that is in use.
 */
typedef struct pl_segvec_span {
    char *item;
    char *begin;
    char *end;
} pl_segvec_span;

static inline pl_segvec_span pl_segvec_span_of(const pl_segvec *vec, uint32_t i)
{
    uint32_t at = i + PL_SEGVEC_FIRST;
    uint32_t top = 31u - (uint32_t)__builtin_clz(at);
    uint32_t k = top - PL_SEGVEC_FIRST_BITS;
    char *begin = vec->segments[k];
    char *end = k + 1 == vec->n_segments
                    ? vec->next
                    : begin + ((size_t)PL_SEGVEC_FIRST << k) * vec->item_size;
    return (pl_segvec_span){
        begin + (size_t)(at - (1u << top)) * vec->item_size, begin, end
    };
}

#endif
