/* SPDX-License-Identifier: BSD-3-Clause */
/* alloc.c: memory, with overflow checked. */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool pl_mul_size(size_t a, size_t b, size_t *product)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *product = a * b;
    return true;
}

void *pl_alloc(size_t size)
{
    return malloc(size ? size : 1);
}

void *pl_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (!pl_mul_size(n, size, &bytes))
        return NULL;
    return calloc(1, bytes ? bytes : 1);
}

void *pl_calloc_aligned(size_t alignment, size_t size)
{
    if (size > SIZE_MAX - alignment)
        return NULL;
    size_t whole = (size + alignment - 1) & ~(alignment - 1);
    void *memory = aligned_alloc(alignment, whole ? whole : alignment);
    if (memory)
        memset(memory, 0, whole);
    return memory;
}

void *pl_realloc(void *memory, size_t size)
{
    return realloc(memory, size ? size : 1);
}

void pl_free(void *memory)
{
    free(memory);
}

char *pl_strndup(const char *text, size_t n)
{
    char *copy = n < SIZE_MAX ? pl_alloc(n + 1) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

char *pl_strdup(const char *text)
{
    return pl_strndup(text, strlen(text));
}

bool pl_grow(void *array, size_t *capacity, size_t n, size_t size)
{
    if (n < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity : 8;
    size_t bytes;
    if (!pl_mul_size(wanted, 2, &wanted) || !pl_mul_size(wanted, size, &bytes))
        return false;
    void *grown;
    memcpy(&grown, array, sizeof grown);
    grown = pl_realloc(grown, bytes);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}
