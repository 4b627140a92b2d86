/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * type.h: the types that are known by name, and reading a type's struct, which
 * may be older or newer than ours.
 */
#ifndef PL_TYPE_H
#define PL_TYPE_H

#include <plait/value.h>

/* Reads a type into our own struct: PLAIT_EINVAL when it has no name, or sets
 * what we don't know.  Thread: any.  Blocks: no. */
plait_status pl_type_read(const plait_type *type, plait_type *ours,
                          plait_error *err);

/* The registered type of that name (not NUL-terminated), or NULL.
 * Thread: any.  Blocks: no. */
const plait_type *pl_type_find(const char *name, size_t length);

/* For the process's fork handlers: between the two nobody is in the registry.
 */
void pl_type_fork_prepare(void);
void pl_type_fork_release(void);

#endif
