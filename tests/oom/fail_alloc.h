/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fail_alloc.h: makes the n-th allocation fail. The program is linked with
 * --wrap, so that malloc and its kin, mmap and pthread_create of the library
 * come here; what the C library allocates for itself does not.
 */
#ifndef FAIL_ALLOC_H
#define FAIL_ALLOC_H

#include <stdbool.h>

/* From here on the n-th fails, once; 0: none does. */
void fail_alloc_at(long n);

/* Whether it has come to that. */
bool fail_alloc_has_failed(void);

/* How many pieces of memory live. */
long fail_alloc_alive(void);

#endif
