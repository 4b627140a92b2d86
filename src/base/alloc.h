/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * alloc.h: the library's only way to memory. Everything that allocates can
 * fail, and says so. tools/check-style bans malloc and friends elsewhere.
 *
 * Thread: any.  Blocks: no.
 */
#ifndef PL_ALLOC_H
#define PL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* NULL when there is no memory. size 0 gives a pointer that can be freed. */
void *pl_alloc(size_t size);

/* n * size bytes, all zero; NULL also when the product overflows. */
void *pl_calloc(size_t n, size_t size);

/* `size` zeroed bytes at a multiple of `alignment` (a power of two): for
 * structs with members on cache lines of their own. Freed with pl_free. */
void *pl_calloc_aligned(size_t alignment, size_t size);

/* As realloc; on failure NULL, and `memory` is as it was. */
void *pl_realloc(void *memory, size_t size);

void pl_free(void *memory);

/* A copy of text that ends with NUL, and of n bytes with a NUL put behind. */
char *pl_strdup(const char *text);
char *pl_strndup(const char *text, size_t n);

/* *product = a * b; false when that overflows. */
bool pl_mul_size(size_t a, size_t b, size_t *product);

/* Makes room for one item more than n in an array that doubles: `*array` has
 * room for `*capacity` items of `size` bytes. False: no memory, unchanged. */
bool pl_grow(void *array, size_t *capacity, size_t n, size_t size);

#endif
