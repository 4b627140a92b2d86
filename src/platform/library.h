/* SPDX-License-Identifier: BSD-3-Clause */
/* library.h: shared libraries that are loaded when first needed. */
#ifndef PL_LIBRARY_H
#define PL_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Loads the first of these libraries that there is (the list ends with NULL);
 * it stays loaded. NULL: none, and `why` has the loader's words for the first.
 * Thread: any.  Blocks: as the file system does.
 */
void *pl_library_open(const char *const *names, char *why, size_t size);

/* Copies the address of a function, in this library or one that it needs, to
 * `*function`: a pointer of `size` bytes. False: there is none. */
bool pl_library_function(void *library, const char *name, void *function,
                         size_t size);

#endif
