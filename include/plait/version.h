/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * version.h: the version, and the few macros that every public header uses.
 *
 * PLAIT_API marks what the shared library exports; all else is hidden.
 * Structs that a caller fills begin with `size_t size`; the struct's INIT
 * macro sets it (in C++ the member has that value by default), and zero is a
 * valid default for every other field.
 *
 * Each function's comment ends with a line that says who may call it:
 *   Thread: any      any thread, at any time
 *   Thread: builder  one thread at a time for one graph or plan
 *   Thread: task     the thread that runs the task, or threads it made
 *   Blocks: no | yes whether it may wait for something other than a CPU
 */
#ifndef PLAIT_VERSION_H
#define PLAIT_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAIT_VERSION_MAJOR 0
#define PLAIT_VERSION_MINOR 1
#define PLAIT_VERSION_PATCH 0

#if defined(__GNUC__)
#define PLAIT_API __attribute__((visibility("default")))
#define PLAIT_PRINTF(format_at, args_at) \
    __attribute__((format(printf, format_at, args_at)))
#define PLAIT_MUST_CHECK __attribute__((warn_unused_result))
#define PLAIT_COMPILE_ERROR(text) __attribute__((error(text)))
#else
#define PLAIT_API
#define PLAIT_PRINTF(format_at, args_at)
#define PLAIT_MUST_CHECK
#define PLAIT_COMPILE_ERROR(text)
#endif

#ifdef __cplusplus
#define PLAIT_BEGIN_DECLS extern "C" {
#define PLAIT_END_DECLS }
#define PLAIT_SIZE_FIRST(type) size_t size = sizeof(type)
#else
#define PLAIT_BEGIN_DECLS
#define PLAIT_END_DECLS
#define PLAIT_SIZE_FIRST(type) size_t size
#endif

PLAIT_BEGIN_DECLS

/*
 * The version of the library that is loaded, as "MAJOR.MINOR.PATCH".
 * Thread: any.  Blocks: no.
 */
PLAIT_API const char *plait_version(void);

/*
 * The number of the binary interface. A process holds one libplait: a task
 * library in which this symbol has another address than in the program was
 * linked to a second copy, and is refused.
 * Thread: any.  Blocks: no.
 */
PLAIT_API unsigned plait_abi_version(void);

PLAIT_END_DECLS

#endif
