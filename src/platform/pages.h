/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pages.h: big arrays straight from the kernel, zeroed, on huge pages where it
 * has some: a run over a million tasks touches each page once, and a 4 KiB
 * page costs a fault.  Thread: any.  Blocks: no.
 */
#ifndef PL_PAGES_H
#define PL_PAGES_H

#include <stddef.h>

/* NULL when there is no memory. Small sizes come from the heap. */
void *pl_pages_alloc(size_t n, size_t size);

/* The same n and size as before; NULL is fine. */
void pl_pages_free(void *memory, size_t n, size_t size);

#endif
